"""The literature: where our projections and the published ones part, in metres and in what it would take."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim.evaluate.comparison import (
    EVAPORATION,
    FACTORS,
    NEEDED_UNITS,
    VOLGA,
    attribution_table,
    decomposition_table,
)
from caspian_sim.evaluate.published import STATED
from caspian_sim.figures import style
from caspian_sim.figures.literature import APART_CM, beside, literature_footer, paper_name
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import name, number, say

NEEDED = ("gap", "part", "share", "needed_evaporation_sensitivity", "needed_volga_sensitivity")
SHOWN_YEARS = (2100, 2050)
STEP_CM, ROW_CM, HEAD_CM, LANE_CM = 0.27, 0.42, 0.5, 0.13
"""Height of a step of the upper panels, of a row of the lower one, of its heading and of its bars."""
WORDS_CM, COLUMN_CM = 2.3, 2.25
"""Room for the words left of the bars, and for a column of numbers."""
LEAST_PLOT_CM = 6.0
"""Width of the lower plot on a slide at least."""
MARKS = {
    "area": style.Mark("#8A8A8A", hatch="////"),
    "evaporation": style.BUDGET_TERMS["evaporation"],
    "runoff": style.BUDGET_TERMS["inflow"],
    "rest": style.Mark("#FFFFFF"),
}
# Parameter, and the decimals that are shown.
SOUGHT = {"evaporation": (EVAPORATION, 0), "volga": (VOLGA, 1)}


def literature_gap(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the shares of area, evaporation and runoff, and the gap to every published projection.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.
    width_cm : float, optional
        Width of the figure; made for a page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "literature_gap", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def literature_gap_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`literature_gap`.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`caspian_sim.evaluate.comparison.attribution_table`, then of
        :func:`caspian_sim.evaluate.comparison.decomposition_table`, told apart by `panel`.
    """
    require(ds, "literature_gap", NEEDED)
    shares = attribution_table(ds).assign(panel="shares")
    gaps = decomposition_table(ds).assign(panel="gaps")
    both = pd.concat([shares, gaps], ignore_index=True)
    return both[["panel", *(column for column in both if column != "panel")]]


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    shares, gaps = attribution_table(ds), decomposition_table(ds)
    gaps = gaps[gaps["horizon"].isin(SHOWN_YEARS)].sort_values(
        ["horizon", "scenario"], ascending=[False, True], kind="stable"
    )
    names = [_name(ds.sel(comparison=label)) for label in gaps["comparison"]]
    rows_cm = _step_cm() * (len(FACTORS) + 1)
    steps = [rows_cm * int((shares["year"] == year).sum()) for year in SHOWN_YEARS]
    below = HEAD_CM * gaps["horizon"].nunique() + ROW_CM * len(gaps)
    columns_cm = COLUMN_CM * style.room_cm([], 1.0)
    width_cm = style.room_for(width_cm, _room(names) + 2 * columns_cm + LEAST_PLOT_CM)
    page = style.page(
        width_cm,
        sum(steps) + below + style.BELOW_CM * (len(steps) + 1),
        say("literature_gap.title"),
        say(
            "literature_gap.subtitle",
            year=ds.attrs["basis_year"],
            evaporation=number(ds.attrs["high_evaporation_sensitivity"]),
            volga=number(ds.attrs["high_volga_sensitivity"], 1),
        ),
        literature_footer(ds),
    )
    left = _room([_scenario(row["scenario"], row["year"]) for row in shares.to_dict("records")])
    right = _room([_ends(row) for row in shares.to_dict("records")])
    down, since = 0.0, ds.attrs["basis_year"]
    for year, height in zip(SHOWN_YEARS, steps, strict=True):
        ax = page.axes(left, right, down, height)
        _shares(ax, shares[shares["year"] == year], height, width_cm - left - right)
        ax.set_xlabel(say("literature_gap.axis", year=year, since=since))
        down += height + style.BELOW_CM
    left = _room(names)
    ax = page.axes(left, 2 * columns_cm, down, below)
    _gaps(ax, gaps, names, below, left)
    ax.set_xlabel(say("literature_gap.axis.both", since=since))
    return page.figure


def _name(row: xr.Dataset) -> str:
    star = "" if str(row["basis"].item()) == STATED else "*"
    return say("literature_gap.name", paper=paper_name(row), star=star, grade=row["grade"].item())


def _step_cm() -> float:
    """Height of a step of the upper panels, which has a line of text."""
    return max(STEP_CM, 0.87 * style.line_cm())


def _room(texts: list[str]) -> float:
    """Room for the widest of some texts beside a plot, cm."""
    return style.MARGIN_CM + max(style.text_width(text, style.SMALL) for text in texts) + APART_CM


def _scenario(scenario: str, year: int) -> str:
    return say("literature.group", year=year, scenario=name("scenario", scenario))


def _bar(ax: Axes, kind: str, begin: float, length: float, y: float, height: float) -> None:
    mark = MARKS[kind]
    ax.barh(
        y,
        length,
        height,
        left=begin,
        facecolor=mark.colour,
        edgecolor="white" if mark.hatch else style.INK,
        hatch=mark.hatch,
        linewidth=0.0,
        zorder=2,
    )
    ax.barh(y, length, height, left=begin, facecolor="none", edgecolor=style.INK, linewidth=0.5, zorder=3)


def _frame(ax: Axes, values: NDArray[np.float64], height: float, room: float = 0.0) -> None:
    """Set the axes; `room` is the share of the width that is kept free on the left."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    margin = 0.04 * (high - low)
    ax.set(
        xlim=(low - margin - room / (1.0 - room) * (high - low), high + margin),
        ylim=(height, 0.0),
    )
    ax.axvline(0.0, color=style.INK, linewidth=0.6, zorder=1)
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _shares(ax: Axes, table: pd.DataFrame, height: float, width_cm: float) -> None:
    rows = table.to_dict("records")
    _frame(ax, table[["median_m", "high_m"]].to_numpy(), height, WORDS_CM * style.room_cm([], 1.0) / width_cm)
    y, ticks = 0.0, []
    for i, row in enumerate(rows):
        mark = style.SCENARIOS[row["scenario"]]
        at = row["median_m"] + row["ensemble_m"]
        for place, factor in enumerate(FACTORS):
            middle, share = y + _step_cm() * (place + 1.0), row[f"{factor}_m"]
            _bar(ax, factor, at, share, middle, 0.8 * _step_cm())
            value = number(share, 2, sign=True)
            words = say(f"literature_gap.{factor}", value=value) if i == 0 else value
            _left_of(ax, words, min(at, at + share), middle)
            at += share
        ax.plot(
            row["median_m"],
            y + _step_cm(),
            mark.marker,
            color=mark.colour,
            markersize=4,
            zorder=5,
            clip_on=False,
        )
        ticks.append(y + 2.0 * _step_cm())
        beside(ax, _ends(row), ticks[-1], APART_CM)
        y += _step_cm() * (len(FACTORS) + 1)
    ax.set_yticks(ticks, [_scenario(row["scenario"], row["year"]) for row in rows])


def _ends(row: Mapping[Hashable, Any]) -> str:
    return say("literature_gap.ends", median=number(row["median_m"], 1), high=number(row["high_m"], 1))


def _left_of(ax: Axes, words: str, x: float, y: float) -> None:
    ax.annotate(
        words,
        (x, y),
        xytext=(-3, 0),
        textcoords="offset points",
        ha="right",
        va="center_baseline",
        fontsize=style.SMALL,
        annotation_clip=False,
    )


def _gaps(ax: Axes, table: pd.DataFrame, names: list[str], height: float, left_cm: float) -> None:
    _frame(ax, table[["change_m", "own_median_m"]].to_numpy(), height)
    y, ticks, year = 0.0, [], 0
    for row in table.to_dict("records"):
        if row["horizon"] != year:
            year = row["horizon"]
            beside(ax, str(year), y + 0.5 * HEAD_CM, style.MARGIN_CM - left_cm, bold=True)
            for column, kind in enumerate(SOUGHT):
                beside(
                    ax,
                    say(f"literature_gap.needed.{kind}"),
                    y + 0.5 * HEAD_CM,
                    APART_CM + column * COLUMN_CM * style.room_cm([], 1.0),
                    bold=True,
                )
            y += HEAD_CM
        y += 0.5 * ROW_CM
        mark = style.SCENARIOS[row["scenario"]]
        begin = row["own_median_m"] + row["ensemble_m"]
        _bar(ax, "area", begin, row["area_m"], y - 0.5 * LANE_CM, LANE_CM)
        _bar(ax, "rest", begin + row["area_m"], row["rest_m"], y + 0.5 * LANE_CM, LANE_CM)
        for place, shape, face in (
            (row["own_median_m"], mark.marker, mark.colour),
            (row["change_m"], "D", "white"),
        ):
            ax.plot(
                place,
                y,
                shape,
                color=mark.colour,
                markerfacecolor=face,
                markersize=4,
                zorder=5,
                clip_on=False,
            )
        for column, kind in enumerate(SOUGHT):
            beside(ax, _needed(row, kind), y, APART_CM + column * COLUMN_CM * style.room_cm([], 1.0))
        ticks.append(y)
        y += 0.5 * ROW_CM
    ax.set_yticks(ticks, names)


def _needed(row: Mapping[Hashable, Any], kind: str) -> str:
    """Write what a published number needs: with constant area, and in brackets with dynamic area."""
    parameter, digits = SOUGHT[kind]
    unit = NEEDED_UNITS[parameter]
    found = {area: row[f"needed_{parameter}_{area}_{unit}"] for area in ("constant", "dynamic")}
    none = say("literature_gap.none")
    return say(
        "literature_gap.value",
        **{area: none if pd.isna(value) else number(value, digits) for area, value in found.items()},
    )
