"""Exposed seabed by state as tables, for files and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim.basin.hypsometry import REFERENCE_LEVEL
from caspian_sim.basin.sectors import CAVEAT
from caspian_sim.figures.reading import HIGH, LOW, MEDIAN, run_config, yearly
from caspian_sim.impacts.seabed import NAME, WHOLE, falls_table
from caspian_sim.outputs.tables import plain_table

QUANTILES = {"p05": LOW, "p50": MEDIAN, "p95": HIGH}
# A hundred times finer than the area is known.
AREA_DECIMALS, SHARE_DECIMALS = 0, 4


def seabed_summary(found: xr.Dataset) -> pd.DataFrame:
    """Tabulate exposed seabed by state in the report years of a run, or in its last year.

    Parameters
    ----------
    found : xarray.Dataset
        Result of :func:`caspian_sim.exposed_seabed_by_state`.

    Returns
    -------
    pandas.DataFrame
        One row for each scenario, programme, year and state, the whole sea (``all``) last: `members`,
        `reference_level_m_bhs`, exposed seabed as 5, 50 and 95 % points and mean over the members (means add
        up over the states, points do not), km², and `share_of_sector_p50`: the median as a share of what the
        sector has at the reference.
    """
    config = run_config(found)
    years = config.outcomes.report_years or (config.period.end,)
    exposed = yearly(found[NAME], found["time_bnds"]).sel(year=list(years))
    exposed = xr.concat([exposed, exposed.sum("state").expand_dims(state=[WHOLE])], "state")
    area = {str(state): float(found["sector_area"].sel(state=state)) for state in found["state"].values}
    area[WHOLE] = sum(area.values())
    points = exposed.quantile(list(QUANTILES.values()), "member", skipna=False)
    columns = {
        f"exposed_{key}_km2": points.sel(quantile=value, drop=True) for key, value in QUANTILES.items()
    }
    frame = xr.Dataset({**columns, "exposed_mean_km2": exposed.mean("member")}).to_dataframe(
        dim_order=["scenario", "programme", "year", "state"]
    )
    frame = (frame.round(AREA_DECIMALS) + 0.0).reset_index()  # no negative zero
    frame.insert(4, "members", found.sizes["member"])
    frame.insert(5, "reference_level_m_bhs", float(found[NAME].attrs["reference_level"]))
    share = frame["exposed_p50_km2"].to_numpy() / np.array([area[str(state)] for state in frame["state"]])
    frame["share_of_sector_p50"] = share.round(SHARE_DECIMALS)
    return frame


def falls(found: xr.Dataset) -> pd.DataFrame:
    """Tabulate what falls of the level lay bare, from the reference of a run and from the zero of charts."""
    reference = float(found[NAME].attrs["reference_level"])
    frame = pd.concat([falls_table(reference), falls_table(REFERENCE_LEVEL)], ignore_index=True)
    frame["exposed_km2"] = frame["exposed_km2"].round(AREA_DECIMALS)
    frame["share_of_sector"] = frame["share_of_sector"].round(SHARE_DECIMALS)
    return frame


def seabed_header() -> list[str]:
    """Lines that a table of exposed seabed needs above it."""
    return [
        CAVEAT,
        "without Kara-Bogaz-Gol; all: the whole sea; negative where the sea stands above the reference level",
        "area is known to 3 % above -30 m, 5 % from -30 to -36 m, 3 % below, of the whole sea (grade D)",
    ]


def seabed_parts(found: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal: the last report year by state, and falls."""
    frame = seabed_summary(found)
    year = frame["year"].max()
    states = list(frame["state"].unique())
    reference = frame["reference_level_m_bhs"].iloc[0]
    table = plain_table(("scenario", "programme"), states)
    for _, rows in frame[frame["year"] == year].groupby(["scenario", "programme"], sort=False):
        first = rows.iloc[0]
        cells = (f"{value / 1000 + 0.0:.1f}" for value in rows["exposed_p50_km2"])
        table.add_row(str(first["scenario"]), str(first["programme"]), *cells)
    table.caption, table.caption_justify = f"medians, which do not add up; {CAVEAT}", "left"
    yield f"Exposed seabed in {year} against {reference:.2f} m BHS, thousand km²", table
    lost = falls(found)
    table = plain_table(("from, m BHS", "fall, m"), states)
    for _, rows in lost.groupby(["reference_level_m_bhs", "fall_m"], sort=False):
        first = rows.iloc[0]
        cells = (f"{value / 1000:.1f}" for value in rows["exposed_km2"])
        table.add_row(f"{first['reference_level_m_bhs']:.2f}", f"{first['fall_m']:g}", *cells)
    yield "What a fall lays bare, thousand km²", table
