"""Trade-offs: the front of effort and effect, and what is in its programmes, who acts, and how robust."""

from __future__ import annotations

import string
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, HASH_DIGITS, own_series, require, run_config
from caspian_sim.figures.text import name, number, say
from caspian_sim.figures.tradeoffs_cells import Block, draw_blocks, heat, level_of, words

NEEDED = (
    "intensity",
    "effort",
    "avoided_fall",
    "avoided_fall_low",
    "avoided_fall_high",
    "state_water",
    "kept_share",
    "regret_most",
    "regret_at_effort_most",
    "alone_effort",
    "measure_grade",
    "parameter_grade",
)
PLOT_CM, ROW_CM, TITLE_CM = 6.6, 0.42, 0.9
LETTERS_CM, NUMBER_CM, WORDS_CM = 0.5, 0.8, 0.8
MEASURES_CM, STATE_CM, SCENARIO_CM, REGRET_CM, GAP_CM = 4.3, 0.62, 0.74, 0.85, 0.25
MOST_LETTERS, MOST_PROGRAMMES = 8, 3
LEAST_APART = 0.3
"""Distance of points with a letter, as a share of their mean distance."""
PERCENT = 100.0
COLUMNS = {"water": "effort_km3_per_yr", "share": "effort_share", "cost": "effort_million_usd"}
BEHIND_WORDS = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}


def tradeoffs(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the front, and a table of programmes on it.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.tradeoffs`.
    width_cm : float, optional
        Width of the figure; in a column the parts of the table stand below each other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "tradeoffs", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def tradeoffs_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`tradeoffs`, for every point of the front.

    Returns
    -------
    pandas.DataFrame
        For each `point` its `letter` in the figure, effort and avoided fall (m) with 5 and 95 % points, the
        share of members that stay above the level and the regret (m) by scenario, the intensity of each
        measure, and water (km³/yr) and share of consumption by state.
    """
    require(ds, "tradeoffs", NEEDED)
    effort = COLUMNS[ds.attrs["objective"]]
    letters = dict(zip(shown_points(ds).tolist(), string.ascii_uppercase, strict=False))
    columns: dict[str, object] = {
        "point": ds["point"].values,
        "letter": [letters.get(place, "") for place in range(ds.sizes["point"])],
    }
    for ending in ("", "_low", "_high"):
        columns[f"{effort}{ending}"] = ds[f"effort{ending}"].values
    for ending in ("", "_low", "_high"):
        columns[f"avoided_fall{ending}_m"] = ds[f"avoided_fall{ending}"].values
    for key in ("kept_share_least", "regret_most", "regret_at_effort_most"):
        columns[key if key == "kept_share_least" else f"{key}_m"] = ds[key].values
    for key, dim, unit in (
        ("kept_share", "scenario", ""),
        ("scenario_avoided_fall", "scenario", "_m"),
        ("regret", "scenario", "_m"),
        ("regret_at_effort", "scenario", "_m"),
        ("intensity", "measure", ""),
        ("state_water", "state", "_km3_per_yr"),
        ("state_share", "state", ""),
    ):
        for label in ds[dim].values:
            columns[f"{key}_{label}{unit}"] = ds[key].sel({dim: label}).values
    return pd.DataFrame(columns)


def alone_table(ds: xr.Dataset) -> pd.DataFrame:
    """List what each measure takes and avoids alone, and so each programme of the configuration."""
    effort = COLUMNS[ds.attrs["objective"]]
    rows = [
        {
            "kind": kind,
            "name": str(label),
            "state": str(ds["measure_state"].sel(measure=label).item()) if kind == "measure" else "",
            "grade": str(ds["measure_grade"].sel(measure=label).item()) if kind == "measure" else "",
            effort: float(ds[f"{variable}_effort"].sel({kind: label})),
            "avoided_fall_m": float(ds[f"{variable}_avoided_fall"].sel({kind: label})),
        }
        for kind, variable in (("measure", "alone"), ("programme", "programme"))
        for label in ds[kind].values
    ]
    return pd.DataFrame(rows)


def shown_points(ds: xr.Dataset) -> NDArray[np.int64]:
    """Places of the points with a letter: spread over the effort, each the plainest near its place.

    The plainest is the one with the fewest measures that are carried out in part; the last is that with the
    most effort.
    """
    effort = ds["effort"].values
    able = np.flatnonzero(ds["intensity"].values.sum(axis=1) > 0.0)
    if len(able) <= MOST_LETTERS:
        return able
    partial = ((ds["intensity"] > 0.0) & (ds["intensity"] < 1.0)).sum("measure").values
    edges = np.linspace(effort[able[0]], effort[-1], MOST_LETTERS)
    apart = LEAST_APART * (edges[1] - edges[0])
    found: list[np.int64] = []
    for low, high in pairwise(edges):
        low = max(low, effort[found[-1]] + apart) if found else low
        inside = [place for place in able if low <= effort[place] < min(high, effort[-1] - apart)]
        if inside:
            found.append(min(inside, key=lambda place: (partial[place], place)))
    return np.array([*found, len(effort) - 1], dtype=np.int64)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    points = shown_points(ds)
    room = width_cm - 2 * style.MARGIN_CM
    lines = _packed(_blocks(ds, points), room)
    table = len(lines) * (TITLE_CM + len(points) * ROW_CM + GAP_CM)
    listed = [style.wrap(text, room - WORDS_CM, style.SMALL) for text in _titles(ds)]
    below = sum(ROW_CM + (len(text) - 1) * style.line_cm() for text in listed)
    page = style.page(
        width_cm,
        PLOT_CM + style.BELOW_CM + 0.2 + table + below,
        say("tradeoffs.title"),
        say(
            "tradeoffs.subtitle",
            year=ds.attrs["year"],
            members=number(float(ds.attrs["members"])),
            scenarios=", ".join(name("scenario", str(label)) for label in ds["scenario"].values),
        ),
        _footer(ds),
    )
    ax = page.axes(style.LEFT_CM, 0.5, 0.2, PLOT_CM)
    _front(ax, ds, points)
    top = 0.2 + PLOT_CM + style.BELOW_CM
    letters = string.ascii_uppercase[: len(points)]
    for line in lines:
        height = TITLE_CM + len(points) * ROW_CM
        cells = page.blank(style.MARGIN_CM, style.MARGIN_CM, top, height)
        draw_blocks(cells, line, letters, height, ROW_CM, LETTERS_CM, GAP_CM)
        top += height + GAP_CM
    _list(page.blank(style.MARGIN_CM, style.MARGIN_CM, top, below), ds, listed, below)
    return page.figure


def _scale(ds: xr.Dataset) -> float:
    return PERCENT if ds.attrs["objective"] == "share" else 1.0


def _front(ax: Axes, ds: xr.Dataset, points: NDArray[np.int64]) -> None:
    factor = _scale(ds)
    effort, effect = factor * ds["effort"].values, ds["avoided_fall"].values
    low, high = ds["avoided_fall_low"].values, ds["avoided_fall_high"].values
    ax.fill_between(effort, low, high, color="#E4E9EE", linewidth=0.0, zorder=0)
    ax.plot(effort, effect, color=style.INK, linewidth=1.0, marker=".", markersize=3.0, zorder=2)
    for letter, place in zip(string.ascii_uppercase, points, strict=False):
        ax.plot(effort[place], effect[place], "o", color=style.INK, markersize=5.0, zorder=4)
        ax.annotate(
            letter,
            (effort[place], effect[place]),
            (-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=style.BODY,
            fontweight="bold",
            bbox=BEHIND_WORDS,
            zorder=5,
        )
    alone = factor * ds["alone_effort"].values, ds["alone_avoided_fall"].values
    for place, (x, y, state) in enumerate(zip(*alone, ds["measure_state"].values, strict=True), start=1):
        mark = style.STATES[str(state)]
        ax.plot(x, y, mark.marker, color=mark.colour, markeredgecolor="white", markersize=5.5, zorder=3)
        if y >= 0.04 * effect.max():
            _below_right(ax, str(place), x, y, effort.max())
    small = [i for i, y in enumerate(alone[1], start=1) if y < 0.04 * effect.max()]
    if small:
        x = max(alone[0][i - 1] for i in small)
        ax.annotate(
            ", ".join(map(str, small)),
            (x, float(np.mean([alone[1][i - 1] for i in small]))),
            (6, 1),
            textcoords="offset points",
            va="center_baseline",
            fontsize=style.SMALL,
            zorder=3,
        )
    for label in ds["programme"].values[:MOST_PROGRAMMES]:
        one = ds.sel(programme=label)
        x, y = factor * float(one["programme_effort"]), float(one["programme_avoided_fall"])
        ax.plot(x, y, "D", markerfacecolor="white", markeredgecolor=style.INK, markersize=8.0, zorder=3)
        _below_right(ax, name("programme", str(label)), x, y, effort.max())
    ax.set(xlim=(min(0.0, effort.min()), 1.03 * effort.max()), ylim=(0.0, 1.03 * high.max()))
    ax.set_xlabel(say(f"tradeoffs.axis.{ds.attrs['objective']}", year=ds.attrs["year"]))
    ax.set_ylabel(say("tradeoffs.axis.effect", year=ds.attrs["year"]))


def _below_right(ax: Axes, text: str, x: float, y: float, right_end: float) -> None:
    """Write below a place on its right, or on its left where the plot ends."""
    near_end = x > 0.75 * right_end
    ax.annotate(
        text,
        (x, y),
        (-4, -16) if near_end else (4, -3),
        textcoords="offset points",
        ha="right" if near_end else "left",
        va="top",
        fontsize=style.SMALL,
        bbox=BEHIND_WORDS,
        zorder=3,
    )


def _blocks(ds: xr.Dataset, points: NDArray[np.int64]) -> list[Block]:
    now, objective = ds.isel(point=points), ds.attrs["objective"]
    digits = 0 if objective == "cost" else 1
    marks = [style.STATES[str(state)] for state in ds["measure_state"].values]
    states = [style.STATES[str(state)] for state in ds["state"].values]
    both = np.column_stack([_scale(ds) * now["effort"].values, now["avoided_fall"].values])
    short = [name("state_short", str(state)) for state in ds["state"].values]
    water = now["state_water"].transpose("point", "state").values
    regrets = np.column_stack([now["regret_most"].values, now["regret_at_effort_most"].values])
    measures = [str(place) for place in range(1, ds.sizes["measure"] + 1)]
    scenarios = [name("scenario", str(label)).removeprefix("SSP") for label in ds["scenario"].values]
    return [
        Block(
            say("tradeoffs.block.programme"),
            [say(f"tradeoffs.head.{objective}"), say("tradeoffs.head.effect")],
            _widths(
                [say(f"tradeoffs.head.{objective}"), say("tradeoffs.head.effect")],
                both,
                [digits, 2],
                NUMBER_CM,
            ),
            both,
            words([digits, 2]),
            of_words=True,
        ),
        Block(
            say("tradeoffs.block.measures"),
            measures,
            [MEASURES_CM / max(9, len(measures))] * len(measures),
            now["intensity"].values,
            level_of(marks),
        ),
        Block(
            say("tradeoffs.block.states"),
            short,
            _widths(short, water, [1] * len(states), STATE_CM),
            water,
            words([1] * len(states), blank_zero=True),
            of_words=True,
        ),
        Block(
            say("tradeoffs.block.kept", level=number(ds.attrs["level"], 2).rstrip("0").rstrip(".")),
            scenarios,
            [style.room_cm(scenarios, SCENARIO_CM)] * len(scenarios),
            PERCENT * now["kept_share"].transpose("point", "scenario").values,
            heat(),
        ),
        Block(
            say("tradeoffs.block.regret"),
            [say("tradeoffs.head.most"), say("tradeoffs.head.at_effort")],
            _widths(
                [say("tradeoffs.head.most"), say("tradeoffs.head.at_effort")], regrets, [2, 3], REGRET_CM
            ),
            regrets,
            words([2, 3]),
            of_words=True,
        ),
    ]


def _widths(heads: list[str], values: NDArray[np.float64], digits: list[int], least: float) -> list[float]:
    """Width of each column of numbers: room for its head and for the widest number, cm."""
    return [
        style.room_cm([head, *(number(value, places) for value in column)], least - GAP_CM) + GAP_CM
        for head, column, places in zip(heads, values.T, digits, strict=True)
    ]


def _packed(blocks: list[Block], room: float) -> list[list[Block]]:
    """Blocks in lines, as many in a line as there is room for beside the letters."""
    lines: list[list[Block]] = []
    taken = room
    for block in blocks:
        width = GAP_CM + block.width
        if taken + width > room + 1e-9:
            lines.append([])
            taken = LETTERS_CM - GAP_CM
        lines[-1].append(block)
        taken += width
    return lines


def _titles(ds: xr.Dataset) -> list[str]:
    label = "tradeoffs.label"
    return [
        f"{name('state_short', str(state))} · {say(label, title=name('title', title), grade=grade)}"
        for state, title, grade in zip(
            ds["measure_state"].values, ds["measure_title"].values, ds["measure_grade"].values, strict=True
        )
    ]


def _list(ax: Axes, ds: xr.Dataset, listed: list[list[str]], top: float) -> None:
    y = top - 0.5 * ROW_CM
    for place, (state, lines) in enumerate(zip(ds["measure_state"].values, listed, strict=True), start=1):
        ax.text(0.0, y, str(place), va="center_baseline", fontsize=style.SMALL)
        style.swatch(ax, style.STATES[str(state)], 0.55, y)
        for i, line in enumerate(lines):
            ax.text(WORDS_CM, y - i * style.line_cm(), line, va="center_baseline", fontsize=style.SMALL)
        y -= ROW_CM + (len(lines) - 1) * style.line_cm()


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    attrs = ds.attrs
    lines = [
        say(
            "tradeoffs.sources",
            search=say(f"tradeoffs.search.{attrs['search']}"),
            tried=number(float(attrs["programmes_tried"])),
            steps=attrs["steps"],
            year=attrs["year"],
        )
    ]
    if attrs["left_out"]:
        lines.append(say("tradeoffs.left_out", names=attrs["left_out"]))
    items = []
    for kind in ("measure", "parameter"):
        graded = zip(ds[kind].values, ds[f"{kind}_grade"].values, strict=True)
        assumed = [name(kind, str(label)) for label, grade in graded if grade == ASSUMPTION]
        if assumed:
            items.append(say(f"footer.{kind}s", names=", ".join(assumed)))
    lines.append(say("footer.grade_d", items="; ".join(items)) if items else say("footer.none"))
    footer = {"version": attrs["version"], "hash": attrs["config_hash"][:HASH_DIGITS]}
    return [*lines, *own_series(config), say("footer.run", name=config.name, **footer)]
