"""The format of scenario databases (IAMC): model, scenario, region, variable, unit, a column for each year.

Names follow the usage of those databases: what is within something comes after a bar, the statistic last
(``Sea Level|5.0th Percentile``). The table is read by pyam without further ado.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim import __version__
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import yearly
from caspian_sim.outputs.export import provenance
from caspian_sim.outputs.export.csv_files import DIGITS, table_text
from caspian_sim.outputs.export.provenance import DATUM, about_run
from caspian_sim.outputs.export.series import (
    MEMBER,
    STATISTIC,
    Series,
    is_run,
    percentile,
    read_series,
)
from caspian_sim.outputs.export.tables import plain_unit
from caspian_sim.outputs.export.workbook import save_book
from caspian_sim.outputs.folder import write_text
from caspian_sim.variables import END

INDEX = ("Model", "Scenario", "Region", "Variable", "Unit")
SEA, WORLD = "Caspian Sea", "World"
REGIONS: Final = {
    "AZ": "Azerbaijan",
    "IR": "Iran",
    "KZ": "Kazakhstan",
    "RU": "Russia",
    "TM": "Turkmenistan",
    "upstream": "Upstream of the Caspian states",
}
# Where the title of the variable alone would not say what it is.
NAMES: Final = {
    "river_inflow": "Water Balance|River Inflow",
    "precipitation": "Water Balance|Precipitation",
    "evaporation": "Water Balance|Evaporation",
    "groundwater": "Water Balance|Groundwater",
    "strait_outflow": "Water Balance|Strait Outflow",
    "measure_effect": "Water Balance|Measure Effect",
    "consumption_change": "Water Balance|Consumption Change",
    "bay_level": "Kara-Bogaz-Gol Level",
    "global_warming": "Surface Temperature (GSAT)|Change from 1995-2014",
    "share_below": "Probability",
    "annual_sea_level": "Sea Level",
    "annual_sea_area": "Sea Area",
}
ELSEWHERE: Final = {"global_warming": WORLD}
STATISTICS: Final = {"mean": "Mean", "sd": "Standard Deviation"}
LEFT_OUT: Final = ("budget_residual", "parameters", "share_never")
"""A check of the solver, and what has no year."""
SHARES: Final = ("share_below",)
REPORTED_ALONE: Final = ("exposed_seabed_avoided", "years_gained")
"""What has a number in the reported years alone."""
PERCENT: Final = 100.0
WORDS: Final = ("river", "event")
"""Dimensions whose labels are words; those of others are identifiers, which stay as they are."""
OUTER: Final = ("scenario", "programme", "state", STATISTIC, "year")
"""Dimensions that have a column of their own, or the last part of a name."""


def iamc_variables(ds: xr.Dataset, allowed: Sequence[str]) -> list[str]:
    """Variables that have a number for each year.

    Raises
    ------
    DataError
        When the dataset is no projection.
    """
    if not is_run(ds):
        raise DataError(
            "the IAMC format needs the dataset of a run, with scenarios and programmes\n"
            f"    found    {', '.join(map(str, ds.dims)) or 'no dimensions'}\n"
            "    hint     --format csv and xlsx take any result"
        )
    return [name for name in allowed if _has_years(ds, name)]


def iamc_table(ds: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """Wide table of annual values.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, by year or month, with members or with statistics over them.
    names : sequence of str
        Some of :func:`iamc_variables`.

    Returns
    -------
    pandas.DataFrame
        Columns ``Model``, ``Scenario`` (emission scenario and programme, ``ssp245|joint``), ``Region``,
        ``Variable``, ``Unit`` and the years.
    """
    parts = [_rows(ds, one) for name in names for one in _by_year(ds, name)]
    table = pd.concat(parts, ignore_index=True)
    # Some variables have the reported years alone, so that the columns need not come in order.
    years = sorted(table.columns.difference(list(INDEX)), key=int)
    return table[[*INDEX, *years]]


def meta_table(ds: xr.Dataset) -> pd.DataFrame:
    """Tabulate where each scenario comes from, as ``load_meta`` of pyam reads it."""
    known: dict[str, str | float] = {
        key.replace(", ", " "): text
        for key, text in about_run(ds).items()
        if key not in (provenance.STATISTICS, provenance.INTERVALS)
    }
    if provenance.REFERENCE in known:
        known[provenance.REFERENCE] = float(known[provenance.REFERENCE])
    rows = [
        {
            "model": model(),
            "scenario": scenario(s, p),
            "emission scenario": str(s),
            "programme": str(p),
            **known,
        }
        for s in ds["scenario"].values
        for p in ds["programme"].values
    ]
    return pd.DataFrame(rows)


def definitions_table(ds: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """Tabulate what the variables mean: name without statistic, unit, description."""
    rows: dict[str, tuple[str, str]] = {}
    for name in names:
        for series in _by_year(ds, name):
            meaning = str(series.values.attrs.get("long_name", name))
            datum = f"; {DATUM}" if series.values.attrs.get("datum") else ""
            comment = f"; {series.values.attrs['comment']}" if "comment" in series.values.attrs else ""
            for labels in _places(series):
                text = f"{meaning}{datum}{comment}{_measure(ds, labels)}"
                rows.setdefault(_variable(series.name, labels), (_unit(series), text))
    found = [(variable, *rest) for variable, rest in rows.items()]
    return pd.DataFrame(found, columns=["variable", "unit", "description"])


def side_files(file: Path) -> tuple[str, str]:
    """Names of the files beside an IAMC table in CSV: where it comes from, and what the variables mean."""
    return f"{file.stem}-meta.csv", f"{file.stem}-variables.csv"


def write_iamc_csv(ds: xr.Dataset, names: Sequence[str], file: Path) -> None:
    """Write the table, and beside it where it comes from and what its variables mean."""
    meta, definitions = side_files(file)
    write_text(file, iamc_table(ds, names).to_csv(index=False, float_format=DIGITS, lineterminator="\n"))
    write_text(file.parent / meta, table_text(meta_table(ds)))
    write_text(file.parent / definitions, table_text(definitions_table(ds, names)))


def write_iamc_workbook(ds: xr.Dataset, names: Sequence[str], file: Path) -> None:
    """Write the table as a workbook: sheets ``data`` and ``meta``, as pyam reads them, and ``variables``."""
    tables = {
        "data": iamc_table(ds, names),
        "meta": meta_table(ds),
        "variables": definitions_table(ds, names),
    }
    save_book(tables, file)


def model() -> str:
    """Name of the model, with its version."""
    return f"caspian_sim {__version__}"


def scenario(emissions: object, programme: object) -> str:
    """Name of a scenario: what is emitted, and what is done."""
    return f"{emissions}|{programme}"


def _has_years(ds: xr.Dataset, name: str) -> bool:
    kept = next((ds[found] for found in (name, f"{name}_quantile") if found in ds), None)
    # What is not in the dataset is formed from the members, year by year.
    return name not in LEFT_OUT and (kept is None or bool({"time", "year", "report_year"} & set(kept.dims)))


def _by_year(ds: xr.Dataset, name: str) -> Iterator[Series]:
    """One variable by calendar year, with its statistics.

    Of statistics by month only the mean has an annual mean; levels and areas have annual statistics of their
    own.
    """
    if name in REPORTED_ALONE:
        series = read_series(ds, name)
        yield Series(name, series.values.rename(report_year="year"))
        return
    monthly = np.unique(ds["time"].dt.year).size < ds.sizes["time"]
    if not monthly:
        series = read_series(ds, name)
        values = series.values
        yield Series(name, yearly(values, ds["time_bnds"]) if "time" in values.dims else values)
        return
    if name in ("sea_level", "sea_area"):
        return  # annual_sea_level and annual_sea_area stand for them
    if MEMBER in ds.dims and name in ds and "time" in ds[name].dims:
        yield read_series(_annual(ds, name), name)
        return
    series = read_series(ds, name)
    values = series.values
    if "time" not in values.dims:
        yield series
    elif values.attrs.get("cell_methods") == END:
        yield Series(name, _annual_values(values, ds["time_bnds"]))
    elif STATISTIC in values.dims:
        yield Series(name, _annual_values(values.sel({STATISTIC: ["mean"]}), ds["time_bnds"]))
    else:
        yield Series(name, _annual_values(values, ds["time_bnds"]))


def _annual(ds: xr.Dataset, name: str) -> xr.Dataset:
    """Keep one variable alone, with the annual values of its members."""
    alone = ds.drop_vars(list(ds.data_vars))
    return alone.assign({name: _annual_values(ds[name], ds["time_bnds"])})


def _annual_values(values: xr.DataArray, bounds: xr.DataArray) -> xr.DataArray:
    """Annual means of months; what stands at the end of a month, at the end of the year."""
    year = values["time"].dt.year
    if values.attrs.get("cell_methods") == END:
        last = np.flatnonzero(np.append(np.diff(year.values) != 0, True))
        found = values.isel(time=last).assign_coords(year=("time", year.values[last]))
        return found.swap_dims(time="year").drop_vars("time")
    annual = yearly(values, bounds)
    annual.attrs = dict(values.attrs)
    return annual.rename(values.name)


def _rows(ds: xr.Dataset, series: Series) -> pd.DataFrame:
    values = series.values
    for dim in ("scenario", "programme"):  # what does not depend on one holds for all of them
        if dim not in values.dims:
            values = values.expand_dims({dim: ds[dim].values})
    values = values.transpose("scenario", "programme", ..., "year")
    dims = [str(dim) for dim in values.dims[:-1]]
    places = np.indices(values.shape[:-1]).reshape(len(dims), -1)
    labels = {dim: values[dim].values.astype(str)[at] for dim, at in zip(dims, places, strict=True)}
    count = places.shape[1]
    factor = PERCENT if series.name in SHARES else 1.0
    index: dict[str, Any] = {
        "Model": [model()] * count,
        "Scenario": [scenario(s, p) for s, p in zip(labels["scenario"], labels["programme"], strict=True)],
        "Region": [_region(ds, series.name, {d: labels[d][i] for d in dims}) for i in range(count)],
        "Variable": [_variable(series.name, {d: labels[d][i] for d in dims}) for i in range(count)],
        "Unit": [_unit(series)] * count,
    }
    cells = pd.DataFrame(values.values.reshape(count, -1) * factor, columns=values["year"].values.astype(int))
    return pd.concat([pd.DataFrame(index), cells], axis="columns").dropna(subset=cells.columns, how="all")


def _region(ds: xr.Dataset, name: str, labels: dict[str, str]) -> str:
    if "state" in labels:
        return REGIONS.get(labels["state"], labels["state"])
    if "measure" in labels and "measure_state" in ds.coords:
        state = str(ds["measure_state"].sel(measure=labels["measure"]).item())
        return REGIONS.get(state, state)
    return ELSEWHERE.get(name, SEA)


def _variable(name: str, labels: dict[str, str]) -> str:
    within = [
        _title(text) if dim in WORDS else text.replace("|", "/")
        for dim, text in labels.items()
        if dim not in OUTER
    ]
    return "|".join([NAMES.get(name, _title(name)), *within, *_statistic(labels.get(STATISTIC))])


def _statistic(found: str | None) -> list[str]:
    if found is None:
        return []
    percent = percentile(found)
    return [STATISTICS[found] if percent is None else f"{float(percent)}th Percentile"]


def _measure(ds: xr.Dataset, labels: dict[str, str]) -> str:
    if "measure" not in labels or "measure_grade" not in ds.coords:
        return ""
    known = ds.sel(measure=labels["measure"])
    return f"; {known['measure_title'].item()}, evidence grade {known['measure_grade'].item()}"


def _places(series: Series) -> Iterator[dict[str, str]]:
    dims = [str(dim) for dim in series.values.dims if dim not in OUTER]
    for at in np.ndindex(*(series.values.sizes[dim] for dim in dims)):
        yield {d: str(series.values[d].values[i]) for d, i in zip(dims, at, strict=True)}


def _title(text: str) -> str:
    """Words in capitals, as the databases write them; units stay as they are."""
    words = text.replace("_", " ").replace("|", "/").split()
    return " ".join(word if word == "m" else word[:1].upper() + word[1:] for word in words)


def _unit(series: Series) -> str:
    """Write a unit so that pyam can convert it: km^3/yr."""
    if series.name in SHARES:
        return "%"
    return re.sub(r"(?<=m)(?=[23])", "^", plain_unit(str(series.values.attrs.get("units", ""))))
