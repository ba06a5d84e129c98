"""Summary table of a run: level, fall, area and crossings in the report years."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.config import Config
from caspian_sim.figures.reading import (
    ASSUMPTION,
    HIGH,
    LOW,
    MEDIAN,
    keeps_statistics,
    member_count,
    run_config,
    share_below,
    yearly,
    yearly_mean,
    yearly_quantiles,
)
from caspian_sim.measures.programme import measures_of
from caspian_sim.outputs.programmes import costs, gains
from caspian_sim.stream import BASELINE, report_years

Array = NDArray[np.float64]

QUANTILES = {"p05": LOW, "p50": MEDIAN, "p95": HIGH}
# Decimals that are written: a millimetre of level, and an area a hundred times finer than its uncertainty.
METRE_DECIMALS, AREA_DECIMALS, SHARE_DECIMALS = 3, 0, 4


def summary(ds: xr.Dataset) -> pd.DataFrame:
    """Tabulate the report years of a run, or its last year when there are none.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.

    Returns
    -------
    pandas.DataFrame
        One row for each scenario, programme and year. Columns, with 5, 50 and 95 % points over the members
        (``p05``, ``p50``, ``p95``):

        ``level_*_m_bhs``
            Annual mean level, m BHS.
        ``reference_level_m_bhs``, ``fall_*_m``
            Level of reference and how far below it the sea stands, m; a rise is negative.
        ``area_*_km2``
            Annual mean area of the sea, km².
        ``share_below_*_m_bhs``
            Share of the members that have stood below a threshold at any time from the start of the run to
            the end of the year, seasonal cycle included.
        ``above_none_*_m``
            Level above that of the programme "none" in the same member, m; only when the run has that
            programme.
        ``avoided_exposed_*_km2``, ``share_kept_above_*``, ``years_gained_*``
            What the programme gains against "none" (:func:`caspian_sim.outputs.programmes.gains`).
        ``known_cost_*_million_usd``, ``known_running_cost_*_million_usd_per_year``, ``measures_without_cost``
            Costs as far as a source gives them.

    Raises
    ------
    DataError
        When the dataset does not carry its configuration.

    Notes
    -----
    Statistics over the members are taken as they are where the dataset keeps them.
    """
    config = run_config(ds)
    points = list(QUANTILES.values())
    level, area = (yearly_quantiles(ds, name, points) for name in ("sea_level", "sea_area"))
    mean = yearly_mean(ds, "sea_level")
    exposed = ds["exposed_seabed_quantile" if "exposed_seabed" not in ds else "exposed_seabed"]
    reference = float(exposed.attrs["reference_level"])
    years = report_years(config)
    below = {threshold: share_below(ds, threshold) for threshold in config.outcomes.thresholds_m}
    gain = _above_baseline(ds, points) if BASELINE in ds["programme"].values else None
    against = gains(ds, config) if gain is not None else None
    rows = []
    for scenario in ds["scenario"].values:
        for programme in ds["programme"].values:
            for year in years:
                at = {"scenario": scenario, "programme": programme, "year": year}
                levels = level.sel(at).values
                row = {**at, "members": member_count(ds)}
                row |= _points("level", "m_bhs", levels, METRE_DECIMALS)
                row["level_mean_m_bhs"] = round(float(mean.sel(at)), METRE_DECIMALS)
                row["reference_level_m_bhs"] = round(reference, METRE_DECIMALS)
                # The 5 % point of the fall belongs to the 95 % point of the level.
                row |= _points("fall", "m", reference - levels[::-1], METRE_DECIMALS)
                row |= _points("area", "km2", area.sel(at).values, AREA_DECIMALS)
                for threshold, share in below.items():
                    row[f"share_below_{threshold:g}_m_bhs"] = round(float(share.sel(at)), SHARE_DECIMALS)
                if gain is not None:
                    row |= _points("above_none", "m", gain.sel(at).values, METRE_DECIMALS)
                if against is not None:
                    row |= {**against(at), **costs(ds, config, str(programme))}
                rows.append(row)
    return pd.DataFrame(rows)


def _points(name: str, unit: str, values: Array, decimals: int) -> dict[str, float]:
    points = values.round(decimals) + 0.0  # no negative zero
    return {f"{name}_{key}_{unit}": float(point) for key, point in zip(QUANTILES, points, strict=True)}


def _above_baseline(ds: xr.Dataset, points: list[float]) -> xr.DataArray:
    """Quantiles of the level above that of the programme "none" in the same member."""
    if keeps_statistics(ds):
        return ds["sea_level_above_none_quantile"].sel(quantile=points).transpose("quantile", ...)
    level = yearly(ds["sea_level"], ds["time_bnds"])
    gain = level - level.sel(programme=BASELINE, drop=True)
    return gain.quantile(points, "member", skipna=False)


def assumptions(config: Config, ds: xr.Dataset) -> dict[str, list[str]]:
    """Parameters, and measures that some programme carries out, which rest on assumptions (grade D).

    Returns
    -------
    dict
        ``parameters`` and ``measures``, each a list of names.
    """
    available = config.measures.available()
    used = {
        m.id: m.grade for programme in config.programmes.values() for m in measures_of(programme, available)
    }
    grades = zip(ds["parameter"].values, ds["parameter_grade"].values, strict=True)
    return {
        "parameters": [str(name) for name, grade in grades if grade == ASSUMPTION],
        "measures": [name for name in available if used.get(name) == ASSUMPTION],
    }


def summary_csv(ds: xr.Dataset) -> str:
    """Write the summary as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    header = "".join(f"# {line}\n" for line in _header(ds))
    return header + summary(ds).to_csv(index=False, lineterminator="\n")


def _header(ds: xr.Dataset) -> Iterator[str]:
    config = run_config(ds)
    yield " ".join(ds.attrs["title"].split())
    yield f"run {config.name}, caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}"
    yield f"configuration {ds.attrs['config_hash']}"
    yield f"made {ds.attrs['created']}"
    yield "datum: metres in the Baltic Height System (m BHS); Caspian charts count from -28.0 m BHS"
    yield "p05, p50, p95: 5, 50 and 95 % points over the members of one scenario, each member by itself"
    yield "level, area: mean over the calendar year; fall: reference level less level, a rise is negative"
    if config.outcomes.thresholds_m:
        yield (
            "share_below: share of the members that have stood below the level at any time "
            "from the start of the run to the end of the year, seasonal cycle included"
        )
    if BASELINE in config.programmes:
        yield 'above_none: level above that of the programme "none" in the same member'
        yield (
            'avoided_exposed, years_gained: against "none" in the same member; years until the end of the '
            "year, never counts as its end"
        )
        yield (
            "known_cost, known_running_cost: where a source gives one; empty when none does, and "
            "measures_without_cost counts those that lack one"
        )
    for kind, names in assumptions(config, ds).items():
        if names:
            yield f"assumptions, not data (grade D), {kind}: {', '.join(names)}"
