"""The literature: published projections and ours in the same axes, by year and scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.evaluate.comparison import comparison_table
from caspian_sim.evaluate.published import STATED, short_citation
from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, HASH_DIGITS, require, run_config
from caspian_sim.figures.text import name, number, say
from caspian_sim.plan import grades_of

NEEDED = ("change", "own_change", "level", "basis", "meaning", "beside")
SHOWN_YEARS = (2100, 2050)
ROW_CM, HEAD_CM = 0.42, 0.5
APART_CM = 0.25
"""Between the plot and the names on its left and the numbers on its right."""
LEAST_PLOT_CM = 6.0
"""Width of the plot on a slide at least."""
LEAST_SPAN = 3.0
"""Horizontal axis of a panel at least, m."""
# The shape says what the range is; one without a range is a diamond.
MARKERS = {"inter-model": "o", "25-75 %": "s", "up to": "<", "range": "|", "official outlook": "P"}
NO_RANGE = "D"


@dataclass(frozen=True)
class Row:
    """One line of the figure: a published projection, or ours."""

    name: str
    grade: str
    scenario: str
    middle: float
    low: float
    high: float
    inner: tuple[float, float] | None
    kind: str
    stated: bool
    own: bool


def literature(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the published projections of 2100 and 2050 with ours below those of the same scenario.

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
    require(ds, "literature", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def literature_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`literature`.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Returns
    -------
    pandas.DataFrame
        As :func:`caspian_sim.evaluate.comparison.comparison_table`.
    """
    require(ds, "literature", NEEDED)
    return comparison_table(ds)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    panels = {year: list(_groups(ds, year)) for year in SHOWN_YEARS}
    heights = [sum(HEAD_CM + ROW_CM * len(rows) for _, rows in groups) for groups in panels.values()]
    every = [row for groups in panels.values() for _, rows in groups for row in rows]
    names = max(style.text_width(row.name, style.SMALL, bold=row.own) for row in every)
    numbers = max(style.text_width(_numbers(row), style.SMALL) for row in every)
    left, right = (style.MARGIN_CM + width + APART_CM for width in (names, numbers))
    width_cm = style.room_for(width_cm, left + right + LEAST_PLOT_CM)
    page = style.page(
        width_cm,
        sum(heights) + style.BELOW_CM * len(heights),
        say("literature.title"),
        say("literature.subtitle", year=ds.attrs["basis_year"], level=number(ds.attrs["basis_level"], 2)),
        literature_footer(ds),
    )
    down = 0.0
    for (year, groups), height in zip(panels.items(), heights, strict=True):
        ax = page.axes(left, right, down, height)
        _panel(ax, groups, height, left)
        ax.set_xlabel(say("literature.axis", year=year, since=ds.attrs["basis_year"]))
        down += height + style.BELOW_CM
    return page.figure


def _groups(ds: xr.Dataset, year: int) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a year by scenario, under their heading: the published ones, then ours."""
    here = ds["horizon"].values == year
    quantiles = [float(q) for q in ds["quantile"].values]
    for scenario in [str(label) for label in ds["scenario"].values]:
        chosen = np.flatnonzero(here & (ds["beside"].values == scenario))
        if not len(chosen):
            continue
        rows = [_published(ds.isel(comparison=i)) for i in chosen]
        for area in ds["area"].values:
            levels = ds["level"].sel(area=area, scenario=scenario, horizon_year=year).values
            at = dict(zip(quantiles, levels - ds.attrs["basis_level"], strict=True))
            rows.append(
                Row(
                    say(f"literature.own.{area}"),
                    "",
                    scenario,
                    at[0.5],
                    at[0.05],
                    at[0.95],
                    (at[0.25], at[0.75]),
                    str(area),
                    True,
                    True,
                )
            )
        yield say("literature.group", year=year, scenario=name("scenario", scenario)), rows


def _published(row: xr.Dataset) -> Row:
    kind = str(row["range_kind"].item())
    ranged = bool(row["high"].notnull())
    return Row(
        paper_name(row),
        str(row["grade"].item()),
        str(row["beside"].item()),
        float(row["change"]),
        float(row["low"]) if ranged else np.nan,
        float(row["high"]),
        None,
        kind,
        str(row["basis"].item()) == STATED,
        False,
    )


def _panel(ax: Axes, groups: list[tuple[str, list[Row]]], height: float, left_cm: float) -> None:
    y, ticks, labels = 0.0, [], []
    values = [v for _, rows in groups for row in rows for v in (row.low, row.middle, row.high, 0.0)]
    left, right = np.nanmin(values), np.nanmax(values)
    margin = 0.04 * max(right - left, LEAST_SPAN)
    ax.set(xlim=(left - margin, right + margin), ylim=(height, 0.0))
    ax.axvline(0.0, color=style.INK, linewidth=0.6, zorder=1)
    ax.grid(axis="x")
    for heading, rows in groups:
        beside(ax, heading, y + 0.62 * HEAD_CM, style.MARGIN_CM - left_cm, bold=True)
        y += HEAD_CM
        for row in rows:
            y += 0.5 * ROW_CM
            _mark(ax, row, y)
            ticks.append(y)
            labels.append(row.name)
            beside(ax, _numbers(row), y, APART_CM)
            y += 0.5 * ROW_CM
    ax.set_yticks(ticks, labels)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    every = [row for _, rows in groups for row in rows]
    for label, row in zip(ax.get_yticklabels(), every, strict=True):
        label.set_fontweight("bold" if row.own else "normal")


def beside(ax: Axes, words: str, y: float, from_cm: float, bold: bool = False) -> None:
    """Write beside a plot: from its left edge where `from_cm` is negative, else from its right edge."""
    ax.annotate(
        words,
        (0.0 if from_cm < 0.0 else 1.0, y),
        xytext=(from_cm * style.POINTS_PER_CM, 0),
        textcoords="offset points",
        xycoords=ax.get_yaxis_transform(),
        va="center_baseline",
        fontsize=style.SMALL,
        fontweight="bold" if bold else "normal",
        annotation_clip=False,
    )


def _cited(citation: str) -> str:
    """Name authors and year of a citation in the language of the figure."""
    return name("paper", short_citation(citation)).replace("et al.", say("literature.others"))


def paper_name(row: xr.Dataset) -> str:
    """Name a published projection by its authors, year and scenario."""
    paper = _cited(str(row["citation"].item()))
    return say(
        "literature.paper", paper=paper, scenario=name("published", str(row["published_scenario"].item()))
    )


def _mark(ax: Axes, row: Row, y: float) -> None:
    mark = style.SCENARIOS[row.scenario]
    hollow = row.kind == "constant"
    if not np.isnan(row.low):
        # The middle half is thick, whoever gives it.
        half = row.inner or ((row.low, row.high) if row.kind == "25-75 %" else None)
        ax.hlines(y, row.low, row.high, color=mark.colour, linewidth=0.9, zorder=2)
        if half is not None:
            ax.hlines(y, *half, color=mark.colour, linewidth=2.6, zorder=2)
    elif row.kind == "up to":
        ax.hlines(y, row.middle, 0.0, color=mark.colour, linewidth=0.9, linestyle=(0, (1, 2)), zorder=2)
    shape = "o" if row.own else MARKERS.get(row.kind, NO_RANGE)
    ax.plot(
        row.middle,
        y,
        shape,
        color=mark.colour,
        markerfacecolor="white" if hollow or not row.own else mark.colour,
        markersize=8.0 if shape == "|" else 5.0 if row.own else 4.4,
        markeredgewidth=1.6 if shape == "|" else 1.0,
        zorder=3,
    )


def _numbers(row: Row) -> str:
    """Write the middle, the range with what it is, and the grade."""
    middle, low, high = (_as_published(value, row) for value in (row.middle, row.low, row.high))
    words = {"middle": middle if row.stated else f"{middle}*", "grade": row.grade}
    if row.own:
        return say("literature.numbers.own", low=low, high=high, **words)
    if row.kind == "up to":
        return say("literature.numbers.limit", **words)
    if np.isnan(row.low):
        return say("literature.numbers.point", kind=name("kind", row.kind), **words)
    if row.kind == "range":
        return say("literature.numbers.end", low=low, high=high, **words)
    kind = name("kind", row.kind).replace("-75", "–75")
    return say("literature.numbers.range", low=low, high=high, kind=kind, **words)


def _as_published(value: float, row: Row) -> str:
    """Write a number that was not moved to another base year with the decimals of its source."""
    return number(value, 0 if not row.stated and value % 1.0 == 0.0 else 1)


def literature_footer(ds: xr.Dataset) -> list[str]:
    """Paragraphs under the figures of the comparison: sources, what it rests on, run.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.
    """
    pairs = dict(zip(ds["citation"].values.tolist(), ds["doi_or_url"].values.tolist(), strict=True))
    sources = "; ".join(f"{_cited(str(paper))} {address}".strip() for paper, address in sorted(pairs.items()))
    config, record = run_config(ds), data.load("sea_level_annual")["level"]
    grades = grades_of(config).items()
    guessed = (ds["match_grade"].values == ASSUMPTION) & (ds["match"].values != "none")
    judged = sorted({str(scenario) for scenario in ds["published_scenario"].values[guessed]})
    return [
        say(
            "literature.sources",
            sources=sources,
            since=ds.attrs["basis_year"],
            last=int(record["year"][-1]),
            fall=number(ds.attrs["basis_level"] - float(record[-1]), 1),
        ),
        say("literature.caveat", use=name("use", ds.attrs["water_use"])),
        say(
            "literature.grade_d",
            names=", ".join(name("parameter", label) for label, grade in grades if grade == ASSUMPTION),
            judged=", ".join(name("published", scenario) for scenario in judged),
        ),
        say(
            "footer.run",
            name=config.name,
            version=ds.attrs["version"],
            hash=ds.attrs["config_hash"][:HASH_DIGITS],
        ),
    ]
