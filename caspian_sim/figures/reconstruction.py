"""Reconstruction: net evaporation, inflow and the level at the end of the year, with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import name, number, say

ENDS = ("_low", "", "_high")
QUANTITIES = ("net_evaporation", "lasting_net_evaporation", "inflow", "end_level")
NEEDED = (*(f"{name}{end}" for name in QUANTITIES for end in ENDS), "observed_level", "observed_inflow")
UNITS = {
    "net_evaporation": "mm_per_yr",
    "lasting_net_evaporation": "mm_per_yr",
    "inflow": "km3_per_yr",
    "end_level": "m_bhs",
}
PANELS_CM, NARROW_PANELS_CM = (4.4, 3.6, 3.8), (3.8, 3.2, 3.4)
GAP_CM = 0.35
RIGHT_CM = 0.3
# Water that goes is brown, water that comes is blue, as in the budget.
EVAPORATION, EVAPORATION_BAND, LASTING = "#A85A1C", "#F6D9A8", "#3D1C08"
INFLOW, INFLOW_BAND = style.BUDGET_TERMS["inflow"].colour, "#BCD6EE"
LEVEL, LEVEL_BAND = "#1F5FA8", "#C9DDF0"


def reconstruction(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw net evaporation, inflow and level of the years with their 90 % bands.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.reconstruct`.
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
    require(ds, "reconstruction", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def reconstruction_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`reconstruction`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`reconstruction`.

    Returns
    -------
    pandas.DataFrame
        A row a year: mean, 5 and 95 % point of what is drawn, and the observations.
    """
    require(ds, "reconstruction", NEEDED)
    columns = {"year": ds["year"].values}
    for term, unit in UNITS.items():
        for end, point in zip(ENDS, ("_p05", "_mean", "_p95"), strict=True):
            columns[f"{term}{point}_{unit}"] = ds[f"{term}{end}"].values
    columns["observed_inflow_km3_per_yr"] = ds["observed_inflow"].values
    columns["observed_level_m_bhs"] = ds["observed_level"].values
    return pd.DataFrame(columns)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    heights = NARROW_PANELS_CM if width_cm < style.NARROW_CM else PANELS_CM
    first, last = int(ds["year"][0]), int(ds["year"][-1])
    room = width_cm - style.LEFT_CM - RIGHT_CM
    titles = [style.wrap(say(f"reconstruction.{panel}"), room, style.SMALL) for panel in PANELS]
    titles_cm = [style.line_cm() * len(title) + 0.15 for title in titles]
    page = style.page(
        width_cm,
        sum(heights) + sum(titles_cm) + (len(heights) - 1) * GAP_CM + style.BELOW_CM,
        say("reconstruction.title"),
        say("reconstruction.subtitle", first=first, last=last, rows=number(float(ds.attrs["rows"]))),
        _footer(ds),
    )
    top = 0.0
    axes: list[Axes] = []
    for height, title, title_cm in zip(heights, titles, titles_cm, strict=True):
        top += title_cm
        shared = {"sharex": axes[0]} if axes else {}
        axes.append(page.axes(style.LEFT_CM, RIGHT_CM, top, height, **shared))
        axes[-1].set_title("\n".join(title), loc="left", fontsize=style.SMALL, pad=3)
        top += height + GAP_CM
    for ax, draw in zip(axes, PANELS.values(), strict=True):
        draw(ax, ds)
        ax.yaxis.grid(True)
        ax.set_xlim(first - 1, last + 1.5)
        ax.tick_params(labelbottom=ax is axes[-1])
    axes[-1].set_xlabel(say("axis.year"))
    return page.figure


def _band(ax: Axes, ds: xr.Dataset, name: str, colour: str, shift: float = 0.0) -> None:
    low, high = ds[f"{name}_low"], ds[f"{name}_high"]
    ax.fill_between(ds["year"] + shift, low, high, facecolor=colour, linewidth=0.0, zorder=1)


def _net_evaporation(ax: Axes, ds: xr.Dataset) -> None:
    year = ds["year"].values
    _band(ax, ds, "net_evaporation", EVAPORATION_BAND)
    ax.plot(year, ds["net_evaporation"], "-o", color=EVAPORATION, markersize=1.8, linewidth=0.7, zorder=3)
    ax.plot(year, ds["lasting_net_evaporation"], color=LASTING, linewidth=2.0, zorder=4)
    for end in ("_low", "_high"):
        line = ds[f"lasting_net_evaporation{end}"]
        ax.plot(year, line, color=LASTING, linewidth=0.8, linestyle=(0, (3, 1.5)), zorder=4)
    ax.set_ylabel(say("reconstruction.axis.depth"))


def _inflow(ax: Axes, ds: xr.Dataset) -> None:
    year = ds["year"].values
    _band(ax, ds, "inflow", INFLOW_BAND)
    ax.plot(year, ds["inflow"], color=INFLOW, linewidth=0.9, zorder=3)
    ax.plot(year, ds["observed_inflow"], "o", color=style.INK, markersize=2.0, zorder=4)
    ax.set_ylabel(say("reconstruction.axis.flux"))


def _level(ax: Axes, ds: xr.Dataset) -> None:
    _band(ax, ds, "end_level", LEVEL_BAND, shift=0.5)
    ax.plot(ds["year"] + 0.5, ds["end_level"], color=LEVEL, linewidth=1.0, zorder=3)
    ax.plot(ds["year"], ds["observed_level"], "o", color=style.INK, markersize=2.0, zorder=4)
    last = ds.isel(year=-1)
    words = say(
        "reconstruction.end",
        year=int(last["year"]),
        level=number(float(last["end_level"]), 2),
        sd=number(float(last["end_level_sd"]), 2),
    )
    x, y = int(last["year"]) + 0.5, float(last["end_level"])
    ax.plot(x, y, "D", color=LEVEL, markersize=3.5, zorder=5)
    ax.annotate(
        words,
        (x, y),
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=style.SMALL,
        fontweight="bold",
    )
    ax.set_ylabel(say("axis.level"))
    low = float(np.nanmin(ds["end_level_low"]))
    ax.set_ylim(bottom=min(ax.get_ylim()[0], low - 0.1))


PANELS: dict[str, Callable[[Axes, xr.Dataset], None]] = {
    "net_evaporation": _net_evaporation,
    "inflow": _inflow,
    "level": _level,
}


def _footer(ds: xr.Dataset) -> list[str]:
    lines = [
        say(
            "reconstruction.sources",
            level=name("grade", data.entry("sea_level_annual").grade),
            inflow=name("grade", data.entry("river_inflow_annual").grade),
        )
    ]
    if "observations" in ds.attrs:
        lines.append(say("record.own", file=str(ds.attrs["observations"]).rpartition("/")[2]))
    lines += [say("reconstruction.residual"), say("record.assumed")]
    return [*lines, say("footer.package", version=ds.attrs["version"])]
