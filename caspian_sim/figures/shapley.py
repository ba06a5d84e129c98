"""Shapley: what each state adds to the avoided fall in the report years, with its spread over the members."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from caspian_sim.cooperate.tables import by_labels
from caspian_sim.figures import style
from caspian_sim.figures.reading import RUN_COORDINATES, require
from caspian_sim.figures.states import attribution_footer, names_cm, spread_text, state_names
from caspian_sim.figures.text import name, say

NEEDED = ("avoided_fall_shapley", *RUN_COORDINATES)
MOST_YEARS, MOST_YEARS_NARROW = 3, 1
QUANTILES = (0.05, 0.25, 0.75, 0.95)
ROW_CM, BETWEEN_ROWS, GAP_CM, TITLE_CM = 0.34, 0.8, 0.35, 0.5
NUMBERS_CM, MARK_CM, RIGHT_CM = 2.8, 0.3, 0.3
"""Least room for the numbers of the last year, and room for the mark of the scenario and at the right, cm."""


def shapley(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the Shapley values of the avoided fall by state, year and scenario.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.
    width_cm : float, optional
        Width of the figure; a column shows the last year, a page the last three.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    table = shapley_table(ds)
    with style.drawing():
        return _draw(ds, table, width_cm)


def shapley_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`shapley`.

    Returns
    -------
    pandas.DataFrame
        For each `year`, `state` and `scenario`, in m: `mean_m`, and `p05_m` to `p95_m` over the members.
    """
    require(ds, "shapley", NEEDED)
    dims = ("year", "state", "scenario")
    values = ds["avoided_fall_shapley"].transpose(*dims, "member").values
    frame = pd.DataFrame(list(product(*(ds[dim].values.tolist() for dim in dims))), columns=list(dims))
    frame["mean_m"] = values.mean(axis=-1).ravel()
    for point, found in zip(QUANTILES, np.quantile(values, QUANTILES, axis=-1), strict=True):
        frame[f"p{round(100 * point):02d}_m"] = found.ravel()
    return frame


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    years = [int(year) for year in ds["year"].values[-(MOST_YEARS_NARROW if narrow else MOST_YEARS) :]]
    states = [str(state) for state in ds["state"].values]
    scenarios = [str(scenario) for scenario in ds["scenario"].values]
    step = len(scenarios) + BETWEEN_ROWS
    height = len(states) * step * max(ROW_CM, style.line_cm())
    page = style.page(
        width_cm,
        TITLE_CM + height + style.BELOW_CM,
        say("shapley.title"),
        say("shapley.subtitle"),
        attribution_footer(ds),
    )
    last = by_labels(table[table["year"] == years[-1]], "state", "scenario")
    texts = {key: spread_text(row["mean_m"], row["p05_m"], row["p95_m"], 3) for key, row in last.items()}
    scenarios_cm = MARK_CM + style.room_cm(name("scenario", scenario) for scenario in scenarios)
    numbers_cm = 0.1 + scenarios_cm + style.room_cm(texts.values(), NUMBERS_CM) + RIGHT_CM
    left_cm = names_cm(state_names(states))
    room = width_cm - left_cm - numbers_cm - GAP_CM * (len(years) - 1)
    panel = room / len(years)
    shown = table[table["year"].isin(years)]
    highest = max(float(shown["p95_m"].max()), 1e-6)
    limits = (min(-0.03 * highest, 1.05 * float(shown["p05_m"].min())), 1.05 * highest)
    for place, year in enumerate(years):
        left = left_cm + place * (panel + GAP_CM)
        ax = page.axes(left, width_cm - left - panel, TITLE_CM, height)
        _panel(ax, table[table["year"] == year], states, scenarios, step)
        ax.set_xlim(*limits)
        ax.xaxis.set_major_locator(MaxNLocator(1 if narrow else 3))
        ax.set_title(str(year), loc="left", fontsize=style.BODY, fontweight="bold", pad=4)
        if place:
            ax.set_yticklabels([])
        if place == len(years) // 2:
            ax.set_xlabel(say("axis.avoided_fall"))
    words = page.blank(width_cm - numbers_cm + 0.15, 0.0, TITLE_CM, height)
    words.set_ylim(len(states) * step - 0.5 * BETWEEN_ROWS - 0.5, -0.5 * BETWEEN_ROWS - 0.5)
    for i, state in enumerate(states):
        for j, scenario in enumerate(scenarios):
            y = i * step + j
            words.plot(
                0.12, y, style.SCENARIOS[scenario].marker, color=style.STATES[state].colour, markersize=3
            )
            label = name("scenario", scenario)
            words.text(MARK_CM, y, label, va="center_baseline", fontsize=style.SMALL, color=style.MUTED)
            right = numbers_cm - RIGHT_CM
            text = texts[state, scenario]
            words.text(right, y, text, ha="right", va="center_baseline", fontsize=style.SMALL)
    return page.figure


def _panel(ax: Axes, rows: pd.DataFrame, states: list[str], scenarios: list[str], step: float) -> None:
    found = by_labels(rows, "state", "scenario")
    for i, state in enumerate(states):
        mark = style.STATES[state]
        for j, scenario in enumerate(scenarios):
            row, y = found[state, scenario], i * step + j
            ax.hlines(y, row["p05_m"], row["p95_m"], color=style.INK, linewidth=0.6, zorder=2)
            ax.hlines(y, row["p25_m"], row["p75_m"], color=mark.colour, alpha=0.5, linewidth=5.0, zorder=3)
            ax.plot(
                row["mean_m"],
                y,
                style.SCENARIOS[scenario].marker,
                color=mark.colour,
                markeredgecolor=style.INK,
                markeredgewidth=0.7,
                markersize=3.2,
                zorder=4,
            )
        if i:
            ax.axhline(i * step - 0.5 * BETWEEN_ROWS - 0.5, color=style.RULE, linewidth=0.5)
    ax.axvline(0.0, color=style.INK, linewidth=0.6)
    ax.xaxis.grid(True)
    middle = 0.5 * (len(scenarios) - 1)
    ax.set_ylim(len(states) * step - 0.5 * BETWEEN_ROWS - 0.5, -0.5 * BETWEEN_ROWS - 0.5)
    ax.set_yticks([i * step + middle for i in range(len(states))], state_names(states))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
