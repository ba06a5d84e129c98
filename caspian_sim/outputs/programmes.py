"""What programmes gain against the programme "none", member by member: columns of the summary table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.config import Config
from caspian_sim.figures.reading import HIGH, LOW, MEDIAN, keeps_statistics, yearly
from caspian_sim.measures.cost import COSTS, counted_costs
from caspian_sim.measures.programme import measures_of
from caspian_sim.solve import Watch
from caspian_sim.stream import BASELINE, fall_times, years_gained

Array = NDArray[np.float64]

POINTS = {"p05": LOW, "p50": MEDIAN, "p95": HIGH}
AREA_DECIMALS, YEAR_DECIMALS, SHARE_DECIMALS, COST_DECIMALS = 0, 2, 4, 1
COST_UNITS = {"known_cost": "million_usd", "known_running_cost": "million_usd_per_year"}

Row = Callable[[Mapping[str, object]], dict[str, float]]


def gains(ds: xr.Dataset, config: Config) -> Row:
    """Columns of a scenario, programme and year that compare it with the programme "none".

    Parameters
    ----------
    ds : xarray.Dataset
        With the programme "none"; of the members or of the statistics over them.
    config : Config

    Returns
    -------
    callable of a mapping with scenario, programme and year
        Gives ``avoided_exposed_*_km2``, and for each threshold ``share_kept_above_*`` and
        ``years_gained_*``.

    Notes
    -----
    Years gained are those that a member stands above a threshold longer than in "none", counted from the
    start of the run to the end of the year. A member that never falls below it counts as falling at the end
    of that year: the gain is a lower bound, and nothing is gained where neither falls.
    """
    events = {threshold: Watch((threshold,)).names[0] for threshold in config.outcomes.thresholds_m}
    find = _kept(ds, events) if keeps_statistics(ds) else _from_members(ds, config, events)

    def row(at: Mapping[str, object]) -> dict[str, float]:
        avoided, by_threshold = find(at)
        columns = _columns("avoided_exposed_{}_km2", avoided, AREA_DECIMALS)
        for threshold, (kept, gained) in by_threshold.items():
            columns[f"share_kept_above_{threshold:g}_m_bhs"] = round(kept, SHARE_DECIMALS)
            columns |= _columns(f"years_gained_{threshold:g}_m_bhs_{{}}", gained, YEAR_DECIMALS)
        return columns

    return row


# Avoided seabed, and for each threshold the share kept above it and the years gained; of these the quantiles.
_Found = Callable[[Mapping[str, object]], tuple[Array, dict[float, tuple[float, Array]]]]


def _from_members(ds: xr.Dataset, config: Config, events: Mapping[float, str]) -> _Found:
    level = yearly(ds["sea_level"], ds["time_bnds"])
    exposed = yearly(ds["exposed_seabed"], ds["time_bnds"])
    avoided = exposed.sel(programme=BASELINE, drop=True) - exposed
    start, points = float(config.period.start), list(POINTS.values())
    times = {}
    for threshold, name in events.items():
        event = ds["first_event"].sel(event=name, drop=True)
        low = level.isel(year=0, drop=True).transpose(*event.dims) < threshold
        times[threshold] = event.copy(data=fall_times(event.values, low.values, start))

    def find(at: Mapping[str, object]) -> tuple[Array, dict[float, tuple[float, Array]]]:
        end = float(str(at["year"])) + 1.0
        where = {"scenario": at["scenario"], "programme": at["programme"]}
        found = {}
        for threshold, fallen in times.items():
            mine, least = fallen.sel(where).values, fallen.sel({**where, "programme": BASELINE}).values
            gained = np.quantile(years_gained(mine, least, end), points)
            found[threshold] = float((mine >= end).mean()), gained
        return avoided.sel(at).quantile(points, "member").values, found

    return find


def _kept(ds: xr.Dataset, events: Mapping[float, str]) -> _Found:
    points = list(POINTS.values())

    def find(at: Mapping[str, object]) -> tuple[Array, dict[float, tuple[float, Array]]]:
        where = {"scenario": at["scenario"], "programme": at["programme"]}
        where |= {"report_year": at["year"]}
        gained = ds["years_gained_quantile"].sel(where).sel(quantile=points)
        avoided = ds["exposed_seabed_avoided_quantile"].sel(where).sel(quantile=points)
        below = ds["share_below"].sel(at)
        return avoided.values, {
            threshold: (1.0 - float(below.sel(event=name)), gained.sel(event=name).values)
            for threshold, name in events.items()
        }

    return find


def costs(ds: xr.Dataset, config: Config, programme: str) -> dict[str, float]:
    """Known costs of a programme, and how many of its measures have none.

    Parameters
    ----------
    ds : xarray.Dataset
        Of the members or of the statistics over them.
    config : Config
    programme : str

    Returns
    -------
    dict of column to number
        Quantiles over the members of the sum of the costs that a source gives; NaN where none of that kind is
        known.
    """
    measures = measures_of(config.programmes[programme], config.measures.available())
    counted = counted_costs(measures, config.period.end)
    points = list(POINTS.values())
    found: dict[str, float] = {}
    for name, unit in COSTS.items():
        if any(measure.cost is not None and measure.cost.unit == unit for measure in counted):
            if keeps_statistics(ds):
                values = ds[f"{name}_quantile"].sel(programme=programme, quantile=points).values
            else:
                values = np.quantile(ds[name].sel(programme=programme).values, points)
        else:
            values = np.full(len(points), np.nan)
        found |= _columns(f"{name}_{{}}_{COST_UNITS[name]}", values, COST_DECIMALS)
    return {**found, "measures_without_cost": sum(measure.cost is None for measure in counted)}


def _columns(pattern: str, values: Array, decimals: int) -> dict[str, float]:
    return {
        pattern.format(name): round(float(value), decimals) + 0.0  # no negative zero
        for name, value in zip(POINTS, values, strict=True)
    }
