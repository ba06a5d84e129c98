"""What goes with every export: where the numbers come from, how good they are, and how to make them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pandas as pd
import xarray as xr

from caspian_sim import data
from caspian_sim.outputs.export.series import STATISTIC, Series, config_of
from caspian_sim.outputs.export.tables import plain_unit
from caspian_sim.outputs.summary import assumptions

DATUM = "metres in the Baltic Height System (m BHS); Caspian charts count from -28.0 m BHS"
GRADES = "A official data or paper, B agency at second hand, C press or textbook, D assumption"
STATISTICS = "p05 to p95, mean, sd"
REFERENCE = "reference level (m BHS)"
INTERVALS = "intervals"
OWN = "file of the user"


def about_run(ds: xr.Dataset) -> dict[str, str]:
    """Say in words where a dataset comes from.

    Returns
    -------
    dict of str to str
        What it is to what is known of it.
    """
    known, config = ds.attrs, config_of(ds)
    found = {
        "title": known.get("title"),
        "run": config.name if config else None,
        "made by": f"caspian_sim {known.get('version')}, git {known.get('git_revision')}",
        "made": known.get("created"),
        "configuration hash": known.get("config_hash"),
        "seed": known.get("seed"),
        REFERENCE: known["reference_level"].split()[0] if "reference_level" in known else None,
        "datum": DATUM,
        STATISTICS: "percentiles, mean and standard deviation over the members of one scenario and "
        "programme, each row by itself: the difference of two percentiles is not that of a difference",
        INTERVALS: known.get("comment"),
        "evidence grades": GRADES,
    }
    if config:
        for kind, names in assumptions(config, ds).items():
            found[f"assumptions, not data (grade D), {kind}"] = ", ".join(names) or None
    return {key: " ".join(str(text).split()) for key, text in found.items() if text is not None}


def about_variable(series: Series) -> dict[str, str]:
    """Say in words what a variable is: meaning, unit, datum, interval and comment."""
    known = series.values.attrs
    found = {
        "variable": series.name,
        "meaning": known.get("long_name"),
        "unit": plain_unit(str(known.get("units", ""))) or "1",
        "datum": known.get("datum"),
        "intervals": known.get("cell_methods"),
        "comment": known.get("comment"),
        "values": "statistics over the members"
        if series.spread == STATISTIC
        else "members"
        if series.spread
        else "the same in all members",
        "largest error of a quantile": _error(known.get("quantile_error")),
    }
    return {key: " ".join(str(text).split()) for key, text in found.items() if text is not None}


def _error(found: object) -> str | None:
    return None if found is None or float(str(found)) == 0 else f"{float(str(found)):g}"


def header(ds: xr.Dataset, series: Sequence[Series]) -> Iterator[str]:
    """Lines of text for the head of a table."""
    for key, text in about_run(ds).items():
        yield f"{key}: {text}"
    for one in series:
        yield "; ".join(f"{key}: {text}" for key, text in about_variable(one).items())


def grades_table(ds: xr.Dataset) -> pd.DataFrame:
    """Evidence grade of every parameter and measure of a run.

    Returns
    -------
    pandas.DataFrame
        Columns ``kind``, ``name``, ``state``, ``unit``, ``grade``, ``title``. No rows where the dataset has
        neither.
    """
    rows = []
    if "parameter_grade" in ds.coords:
        for i, name in enumerate(ds["parameter"].values):
            unit, grade = (str(ds[f"parameter_{what}"].values[i]) for what in ("units", "grade"))
            rows.append(("parameter", str(name), "", plain_unit(unit), grade, ""))
    if "measure_grade" in ds.coords:
        for i, name in enumerate(ds["measure"].values):
            state, grade, title = (
                str(ds[f"measure_{what}"].values[i]) for what in ("state", "grade", "title")
            )
            rows.append(("measure", str(name), state, "km3/yr", grade, title))
    return pd.DataFrame(rows, columns=["kind", "name", "state", "unit", "grade", "title"])


def sources_table(ds: xr.Dataset) -> pd.DataFrame:
    """Tables that went into a result, with their source, evidence grade and checksum.

    Returns
    -------
    pandas.DataFrame
        Columns ``dataset``, ``title``, ``period``, ``grade``, ``source``, ``sha256``; the last is that of the
        file that was used.
    """
    known = set(data.names())
    rows = []
    for name, checksum in json.loads(ds.attrs.get("input_sha256", "{}")).items():
        entry = data.entry(name) if name in known else None
        about = (entry.title, entry.period, entry.grade, entry.source) if entry else (OWN, "", "", "")
        rows.append((name, *about, checksum))
    return pd.DataFrame(rows, columns=["dataset", "title", "period", "grade", "source", "sha256"])


def variables_table(series: Sequence[Series]) -> pd.DataFrame:
    """Tabulate what is in an export, a row for each variable."""
    return pd.DataFrame([about_variable(one) for one in series]).fillna("")
