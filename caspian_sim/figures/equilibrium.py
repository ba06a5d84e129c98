"""Equilibrium: level at which constant forcing balances against inflow, with the response time."""

from __future__ import annotations

import functools
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.evaluate.equilibrium import COEFFICIENTS, Strait
from caspian_sim.evaluate.equilibrium import equilibrium as equilibria
from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, require
from caspian_sim.figures.text import name, number, say
from caspian_sim.record.posterior import best_values, graded_parameters

NEEDED = ("level", "response_time", "inflow", "net_evaporation", "groundwater", "area_factor")
OFFSETS = (-50.0, 0.0, 50.0, 100.0)
"""Net evaporation of the curves against that of the forcing, mm/yr; decades of the record had 710 to 862."""
HALF_WIDTH, STEP = 80.0, 2.0
"""Inflow that is drawn on both sides of the forcing, and its step, km³/yr."""
LOWEST, HIGHEST = -40.0, -22.0
"""Levels that are drawn, m BHS."""
LONGEST = 120.0
"""Longest response time that is drawn, yr."""
SMOOTHED = 10.0
"""Response times are means over as much inflow on both sides, km³/yr."""
# From light to dark with evaporation; dashes say the same in black and white.
LINES: tuple[tuple[str, Any], ...] = (
    ("#D39B2A", (0, (1, 1.3))),
    ("#A85A1C", "-"),
    ("#74380F", (0, (5, 1.5))),
    ("#3D1C08", (0, (5, 1.3, 1, 1.3))),
)
PARAMETERS = {
    "strait": ("strait_sill", "strait_coefficient_after_1992", "strait_coefficient_before_1980"),
    "sea": ("area_factor", "bay_net_evaporation", "groundwater", "net_evaporation"),
}
"""Parameters that the picture rests on, by whether a strait is needed for them."""


def equilibrium(ds: xr.Dataset | None = None, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the equilibrium level and the response time against inflow for several net evaporations.

    Parameters
    ----------
    ds : xarray.Dataset, optional
        Result of :func:`caspian_sim.equilibrium` for one forcing, around which the curves are drawn; the
        present climate when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    ds = _forcing(ds)
    table = equilibrium_table(ds)
    with style.drawing():
        return _draw(ds, table, width_cm)


def equilibrium_table(ds: xr.Dataset | None = None) -> pd.DataFrame:
    """Numbers of :func:`equilibrium`.

    Parameters
    ----------
    ds : xarray.Dataset, optional
        As for :func:`equilibrium`.

    Returns
    -------
    pandas.DataFrame
        For each net evaporation and inflow: level, response time and outflow to Kara-Bogaz-Gol at the
        equilibrium, and the mean response time of inflows up to 10 km³/yr away, which is drawn; NaN where
        there is none.
    """
    ds = _forcing(ds)
    middle, depth = float(ds["inflow"]), float(ds["net_evaporation"])
    found = _curves(middle, depth, float(ds["groundwater"]), ds.attrs["strait"], float(ds["area_factor"]))
    frame = found[["level", "response_time", "strait_outflow"]].to_dataframe().reset_index()
    table = pd.DataFrame(
        {
            "net_evaporation_mm_per_yr": frame["net_evaporation"],
            "inflow_km3_per_yr": frame["inflow"],
            "level_m_bhs": frame["level"],
            "response_time_yr": frame["response_time"],
            "mean_response_time_yr": _running_mean(frame),
            "strait_outflow_km3_per_yr": frame["strait_outflow"],
        }
    )
    inside = (table["inflow_km3_per_yr"] - middle).abs() <= HALF_WIDTH + 0.5 * STEP
    return table[inside].reset_index(drop=True)


@functools.lru_cache(maxsize=4)
def _curves(
    middle: float, depth: float, groundwater: float, strait: Strait, area_factor: float
) -> xr.Dataset:
    """Equilibria around a forcing; kept, since a figure and its numbers need the same."""
    reach = HALF_WIDTH + SMOOTHED
    inflow = middle + np.arange(-reach, reach + STEP, STEP)
    return equilibria(
        inflow[inflow >= 0.0],
        [max(depth + offset, 0.0) for offset in OFFSETS],
        groundwater=groundwater,
        strait=strait,
        area_factor=area_factor,
    )


def _running_mean(frame: pd.DataFrame) -> pd.Series[float]:
    window = 2 * round(SMOOTHED / STEP) + 1
    return frame.groupby("net_evaporation")["response_time"].transform(
        lambda times: times.rolling(window, center=True, min_periods=1).mean()
    )


def _forcing(ds: xr.Dataset | None) -> xr.Dataset:
    if ds is None:
        return equilibria()
    require(ds, "equilibrium", NEEDED)
    return ds


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    level_cm, time_cm, gap = (7.0, 3.0, 0.5) if narrow else (8.0, 3.2, 0.5)
    page = style.page(
        width_cm,
        level_cm + gap + time_cm + style.BELOW_CM,
        say("equilibrium.title"),
        say("equilibrium.subtitle", smoothed=number(SMOOTHED)),
        _footer(ds),
    )
    curves = [say("equilibrium.curve", depth=number(1000.0)), say("equilibrium.curves")]
    right = 0.35 + style.room_cm(curves, 1.55, bold=True)
    levels = page.axes(style.LEFT_CM, right, 0.0, level_cm)
    times = page.axes(style.LEFT_CM, right, level_cm + gap, time_cm, sharex=levels)
    inflow = table["inflow_km3_per_yr"]
    levels.set(xlim=(inflow.min(), inflow.max()), ylim=(LOWEST, HIGHEST), ylabel=say("axis.level"))
    levels.tick_params(labelbottom=False)
    times.set(ylim=(0.0, LONGEST), ylabel=say("equilibrium.time"), xlabel=say("equilibrium.inflow"))
    ends = []
    for (depth, rows), (colour, dashes) in zip(
        table.groupby("net_evaporation_mm_per_yr"), LINES, strict=False
    ):
        for ax, column in ((levels, "level_m_bhs"), (times, "mean_response_time_yr")):
            ax.plot(rows["inflow_km3_per_yr"], rows[column], color=colour, linestyle=dashes, linewidth=1.4)
        drawn = rows[rows["level_m_bhs"].between(LOWEST, HIGHEST)]
        if len(drawn):
            ends.append((float(cast(float, depth)), float(drawn["level_m_bhs"].iloc[-1]), colour))
    for ax in (levels, times):
        ax.grid(True)
    _name_curves(levels, ends, level_cm)
    _mark(levels, ds)
    return page.figure


def _name_curves(ax: Axes, ends: list[tuple[float, float, str]], height_cm: float) -> None:
    """Write the net evaporation of each curve at its right end, where the axes end."""
    row = style.line_cm() / height_cm
    place = [(level - LOWEST) / (HIGHEST - LOWEST) for _, level, _ in ends]
    heights = [row] * len(ends)
    for (depth, _, colour), y in zip(ends, style.spread(place, heights, 0.0, 1.0 - 2.3 * row), strict=True):
        ax.annotate(
            say("equilibrium.curve", depth=number(depth)),
            (1.0, y),
            xycoords="axes fraction",
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            fontweight="bold",
            color=colour,
        )
    ax.annotate(
        say("equilibrium.curves"),
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=style.SMALL,
        color=style.MUTED,
    )


def _mark(levels: Axes, ds: xr.Dataset) -> None:
    """Mark the forcing, the last observed level and the sill."""
    record = data.load("sea_level_annual")["level"]
    year, observed = int(record["year"][-1]), float(record[-1])
    low, high = levels.get_xlim()
    levels.axhline(observed, color=style.INK, linewidth=0.8, linestyle=(0, (1, 2)))
    words = say("equilibrium.observed", year=year, level=number(observed, 2))
    _write(levels, words, low, observed, (3, 2), "left", "bottom")
    if ds.attrs["strait"] != "dammed":
        sill = best_values()["strait_sill"]
        levels.axhline(sill, color=style.MUTED, linewidth=0.6)
        _write(levels, say("equilibrium.sill"), high, sill, (-3, -2), "right", "top", style.MUTED)
    levels.set_xlim(low, high)
    at, level, time = (float(ds[key]) for key in ("inflow", "level", "response_time"))
    levels.plot(at, level, "o", color=style.INK, markersize=4.5, zorder=5)
    depth = float(ds["net_evaporation"])
    present = equilibria(strait=ds.attrs["strait"])
    same = np.isclose(at, float(present["inflow"])) and np.isclose(depth, float(present["net_evaporation"]))
    words = say(
        "equilibrium.present" if same else "equilibrium.forcing",
        first=BASELINE[0],
        last=BASELINE[1],
        inflow=number(at, 1),
        depth=number(depth),
        level=number(level, 1),
        time=number(time),
    )
    levels.annotate(
        words,
        (at, level),
        xytext=(0.02, 0.97),
        textcoords="axes fraction",
        ha="left",
        va="top",
        fontsize=style.SMALL,
        arrowprops={"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.5, "relpos": (0.4, 0.0)},
    )


def _write(
    ax: Axes,
    words: str,
    x: float,
    y: float,
    shift: tuple[float, float],
    ha: str,
    va: str,
    colour: str = style.INK,
) -> None:
    ax.annotate(
        words,
        (x, y),
        xytext=shift,
        textcoords="offset points",
        ha=ha,
        va=va,
        fontsize=style.SMALL,
        color=colour,
    )


def _footer(ds: xr.Dataset) -> list[str]:
    priors = graded_parameters()
    strait = ds.attrs["strait"]
    used = [
        label
        for label in PARAMETERS["strait"]
        if strait != "dammed" and label in ("strait_sill", COEFFICIENTS[strait])
    ]
    used += PARAMETERS["sea"]
    assumed = [name("parameter", label) for label in used if priors[label].grade == ASSUMPTION]
    lines = [
        say(
            "equilibrium.sources",
            groundwater=number(float(ds["groundwater"]), 0),
            strait=say(f"equilibrium.strait.{strait}"),
            grade=name("grade", data.entry("sea_level_annual").grade),
            first=BASELINE[0],
            last=BASELINE[1],
        ),
        say("equilibrium.jumps"),
    ]
    if assumed:
        lines.append(say("footer.grade_d", items=say("footer.parameters", names=", ".join(assumed))))
    return [*lines, say("footer.package", version=ds.attrs["version"])]
