"""Alone: what each state does for the level and the seabed alone, their interaction, and all together."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.cooperate.tables import ALL, attribution_table, by_labels
from caspian_sim.figures import style
from caspian_sim.figures.reading import RUN_COORDINATES, middle_scenario, require
from caspian_sim.figures.states import NAMES_CM, attribution_footer, spread_text, state_names, write_right
from caspian_sim.figures.text import name, say

PANELS = (("avoided_fall", 3), ("avoided_seabed", 0))
"""Outcomes from left to right, with the decimals that are written."""
NEEDED = (*(f"{outcome}_alone" for outcome, _ in PANELS), *RUN_COORDINATES)
ROW_CM, GAP_CM, NUMBERS = 0.62, 0.5, 1.25
"""Height of a row and distance of the panels, cm; room for numbers, as a share of the longest bar."""


def alone(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    year: int | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw what each state does alone, what is left as interaction, and what all do together.

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
    states = [str(state) for state in ds["state"].values]
    height = (len(states) + 2) * ROW_CM
    below = height + style.BELOW_CM
    page = style.page(
        width_cm,
        below * (2 if narrow else 1),
        say("alone.title"),
        say(
            "alone.subtitle",
            year=int(table["year"].iloc[0]),
            scenario=name("scenario", str(table["scenario"].iloc[0])),
        ),
        attribution_footer(ds),
    )
    room = width_cm - NAMES_CM - style.MARGIN_CM - (0.0 if narrow else GAP_CM)
    panel = room if narrow else room / 2
    for place, (outcome, digits) in enumerate(PANELS):
        left = NAMES_CM if narrow else NAMES_CM + place * (panel + GAP_CM)
        ax = page.axes(left, width_cm - left - panel, place * below if narrow else 0.0, height)
        _panel(ax, table[table["outcome"] == outcome], states, digits)
        ax.set_xlabel(say(f"axis.{outcome}"))
        if place and not narrow:
            ax.set_yticklabels([])
    return page.figure


def _panel(ax: Axes, rows: pd.DataFrame, states: list[str], digits: int) -> None:
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
        write_right(ax, end, y, spread_text(row["mean"], row["p05"], row["p95"], digits))
    ax.axvline(0.0, color=style.INK, linewidth=0.6)
    ax.axhline(len(states) - 0.5, color=style.RULE, linewidth=0.6)
    longest = float(max(rows["p95"].max(), rows["mean"].max(), 1e-9))
    lowest = min(0.0, 1.05 * float(rows["p05"].min()))
    ax.set_xlim(lowest, longest * (1.0 + NUMBERS))
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xticks([tick for tick in ax.get_xticks() if lowest <= tick <= longest])
    ax.set_yticks(range(len(bars)), [*state_names(states), say("states.interaction"), say("states.all")])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
