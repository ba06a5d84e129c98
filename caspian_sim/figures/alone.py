"""Alone: what each state does for the level and the seabed alone, their interaction, and all together."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.cooperate.tables import ALL, attribution_table, by_labels
from caspian_sim.figures import style
from caspian_sim.figures.reading import RUN_COORDINATES, middle_scenario, require
from caspian_sim.figures.states import attribution_footer, names_cm, spread_text, state_names, write_right
from caspian_sim.figures.text import axis_numbers, name, say

PANELS = (("avoided_fall", 3), ("avoided_seabed", 0))
"""Outcomes from left to right, with the decimals that are written."""
NEEDED = (*(f"{outcome}_alone" for outcome, _ in PANELS), "measure_title", *RUN_COORDINATES)
ROW_CM, GAP_CM, BESIDE_CM = 0.62, 0.5, 0.3
"""Height of a row, distance of the panels, and distance of numbers from bars and edge, cm."""
SLIDE_CM = 20.0
"""Width of the plots on a slide at least."""


def alone(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    year: int | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw what each state does alone, what is left as interaction, and what all do together.

    The measures of each state stand below, each with its evidence grade.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    year : int, optional
        A report year; the last when not given.
    width_cm : float, optional
        Width of the figure; a column has the panels one below the other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    table = alone_table(ds, scenario=scenario, year=year)
    with style.drawing():
        return _draw(ds, table, width_cm)


def alone_table(ds: xr.Dataset, *, scenario: str | None = None, year: int | None = None) -> pd.DataFrame:
    """Numbers of :func:`alone`.

    Parameters
    ----------
    ds, scenario, year
        As for :func:`alone`.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`caspian_sim.cooperate.tables.attribution_table` that are drawn.
    """
    require(ds, "alone", NEEDED)
    frame = attribution_table(ds)
    chosen = int(ds["year"].values[-1]) if year is None else year
    kept = (
        (frame["scenario"] == middle_scenario(ds, scenario))
        & (frame["year"] == chosen)
        & frame["part"].isin(["alone", "interaction", "joint"])
        & frame["outcome"].isin([outcome for outcome, _ in PANELS])
    )
    return frame[kept].reset_index(drop=True)


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    width_cm = style.room_for(width_cm, SLIDE_CM)
    states = [str(state) for state in ds["state"].values]
    height = (len(states) + 2) * style.room_cm([], ROW_CM)
    line_cm, left_cm = style.line_cm(), names_cm(_rows(states))
    below = height + style.BELOW_CM
    panels = below * (2 if narrow else 1)
    doing = [line for state in states for line in _what_it_does(ds, state, width_cm)]
    listed = (len(doing) + 0.5) * line_cm
    page = style.page(
        width_cm,
        panels + listed,
        say("alone.title"),
        say(
            "alone.subtitle",
            year=int(table["year"].iloc[0]),
            scenario=name("scenario", str(table["scenario"].iloc[0])),
        ),
        attribution_footer(ds),
    )
    room = width_cm - left_cm - style.MARGIN_CM - (0.0 if narrow else GAP_CM)
    panel = room if narrow else room / 2
    for place, (outcome, digits) in enumerate(PANELS):
        left = left_cm if narrow else left_cm + place * (panel + GAP_CM)
        ax = page.axes(left, width_cm - left - panel, place * below if narrow else 0.0, height)
        _panel(ax, table[table["outcome"] == outcome], states, digits, panel)
        ax.set_xlabel(say(f"axis.{outcome}"))
        if place and not narrow:
            ax.set_yticklabels([])
    words = page.blank(style.MARGIN_CM, style.MARGIN_CM, panels, listed)
    for place, line in enumerate(doing):
        words.text(0.0, listed - (place + 0.5) * line_cm, line, fontsize=style.SMALL, va="center_baseline")
    return page.figure


def _rows(states: list[str]) -> list[str]:
    return [*state_names(states), say("states.interaction"), say("states.all")]


def _what_it_does(ds: xr.Dataset, state: str, width_cm: float) -> list[str]:
    """Lines that name the measures of a state with their evidence grades."""
    own = ds["measure_state"].values == state
    titles = [
        say("alone.measure", title=name("title", str(title)), grade=grade)
        for title, grade in zip(ds["measure_title"].values[own], ds["measure_grade"].values[own], strict=True)
    ]
    text = say("alone.does", state=name("state", state), measures="; ".join(titles) or say("alone.nothing"))
    return style.wrap(text, width_cm - 2 * style.MARGIN_CM, style.SMALL)


def _panel(ax: Axes, rows: pd.DataFrame, states: list[str], digits: int, width_cm: float) -> None:
    lowest = min(0.0, 1.05 * float(rows["p05"].min()))
    longest = float(max(rows["p95"].max(), rows["mean"].max(), 1e-9))
    span = longest - lowest
    found = by_labels(rows, "part", "state")
    bars = [(("alone", state), style.STATES[state]) for state in states]
    bars += [
        (("interaction", ALL), style.Mark("#FFFFFF", hatch="....")),
        (("joint", ALL), style.BUDGET_TERMS["measures"]),
    ]
    for y, (key, mark) in enumerate(bars):
        row = found[key]
        ax.barh(
            y,
            row["mean"],
            height=0.66,
            facecolor=mark.colour,
            edgecolor=style.INK if key[0] == "interaction" else "white",
            hatch=mark.hatch,
            linewidth=0.5,
        )
        ax.plot([row["p05"], row["p95"]], [y, y], color=style.INK, linewidth=0.9, zorder=3)
        end = max(row["mean"], row["p95"], 0.0)
        text = spread_text(row["mean"], row["p05"], row["p95"], digits)
        write_right(ax, end, y, text)
        # As long an axis as leaves room for the words.
        room = max(width_cm - style.text_width(text, style.SMALL) - BESIDE_CM, 0.1 * width_cm)
        span = max(span, (end - lowest) * width_cm / room)
    ax.axvline(0.0, color=style.INK, linewidth=0.6)
    ax.axhline(len(states) - 0.5, color=style.RULE, linewidth=0.6)
    ax.set_xlim(lowest, lowest + span)
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xticks([tick for tick in ax.get_xticks() if lowest <= tick <= longest])
    if not digits:
        ax.xaxis.set_major_formatter(axis_numbers(0))
    ax.set_yticks(range(len(bars)), _rows(states))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
