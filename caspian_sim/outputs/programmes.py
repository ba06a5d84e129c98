"""What programmes gain against the programme "none", member by member: columns of the summary table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from caspian_sim.config import Config
from caspian_sim.figures.reading import HIGH, LOW, MEDIAN, yearly
from caspian_sim.measures.programme import measures_of
from caspian_sim.solve import Watch
from caspian_sim.stream import BASELINE

POINTS = {"p05": LOW, "p50": MEDIAN, "p95": HIGH}
AREA_DECIMALS, YEAR_DECIMALS, SHARE_DECIMALS = 0, 2, 4
COST_COLUMNS = {
    "million USD": "known_cost_million_usd",
    "million USD per year": "known_cost_million_usd_per_year",
}

Row = Callable[[Mapping[str, object]], dict[str, float]]


def gains(ds: xr.Dataset, config: Config) -> Row:
    """Columns of a scenario, programme and year that compare it with the programme "none".

    Parameters
    ----------
    ds : xarray.Dataset
        With members, and with the programme "none".
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
    level = yearly(ds["sea_level"], ds["time_bnds"])
    exposed = yearly(ds["exposed_seabed"], ds["time_bnds"])
    avoided = exposed.sel(programme=BASELINE, drop=True) - exposed
    start = float(config.period.start)
    fallen = {}
    for threshold in config.outcomes.thresholds_m:
        event = ds["first_event"].sel(event=Watch((threshold,)).names[0], drop=True)
        # A fall is an event; a member that starts below the threshold has none.
        low = (level.isel(year=0, drop=True) < threshold) & event.isnull()
        fallen[threshold] = event.where(~low, start).fillna(np.inf)

    def row(at: Mapping[str, object]) -> dict[str, float]:
        end = float(str(at["year"])) + 1.0
        where = {"scenario": at["scenario"], "programme": at["programme"]}
        values = avoided.sel(at).quantile(list(POINTS.values()), "member").values
        columns = {
            f"avoided_exposed_{name}_km2": round(float(value), AREA_DECIMALS) + 0.0
            for name, value in zip(POINTS, values, strict=True)
        }
        for threshold, times in fallen.items():
            time = times.sel(where).clip(max=end)
            least = times.sel({**where, "programme": BASELINE}).clip(max=end)
            gained = (time - least).quantile(list(POINTS.values()), "member").values
            kept = float((times.sel(where) >= end).mean())
            columns[f"share_kept_above_{threshold:g}_m_bhs"] = round(kept, SHARE_DECIMALS)
            columns |= {
                f"years_gained_{threshold:g}_m_bhs_{name}": round(float(value), YEAR_DECIMALS) + 0.0
                for name, value in zip(POINTS, gained, strict=True)
            }
        return columns

    return row


def costs(config: Config, programme: str) -> dict[str, float]:
    """Known costs of a programme, and how many of its measures have none.

    Parameters
    ----------
    config : Config
    programme : str

    Returns
    -------
    dict of column to number
        Best values, as the sources give them, summed; NaN where no measure has a cost of that kind.
    """
    measures = [
        measure
        for measure in measures_of(config.programmes[programme], config.measures.available())
        if measure.role == "measure"
    ]
    found = {}
    for unit, column in COST_COLUMNS.items():
        known = [m.cost.best for m in measures if m.cost is not None and m.cost.unit == unit]
        found[column] = sum(known) if known else float("nan")
    return {**found, "measures_without_cost": sum(measure.cost is None for measure in measures)}
