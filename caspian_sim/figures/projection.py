"""Projection: the observed record running into the projected range of sea level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.end_labels import EndLabels, last_year
from caspian_sim.figures.reading import (
    HIGH,
    LOW,
    MEDIAN,
    RUN_COORDINATES,
    member_count,
    require,
    run_config,
    run_footer,
    shown_programmes,
    yearly_quantiles,
)
from caspian_sim.figures.text import name, number, say

DEFAULT_PROGRAMMES = 2
MOST_PROGRAMMES = 3
"""As many as can be told apart by dashes."""
MARKED_YEARS, MARKED_GREY_YEARS = 25, 10
"""Years between the markers of a line."""
HIGH_STAND_YEAR = 1995
"""Last high stand of the sea, from which the present fall is counted."""
FOOTROOM_M = 0.4
"""Room below the lowest level, m."""
NOW_OFFSET = (8.0, 22.0)
"""Label of the last observation: right of it, where the projections fan out, and above them; points."""
WORDS_CM = 0.5
"""Room for the words at the upper edge."""
NEEDED = ("sea_level", "time_bnds", *RUN_COORDINATES)


def projection(
    ds: xr.Dataset,
    *,
    programme: str | Sequence[str] | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the observed record running into the projected range of sea level.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    programme : str or sequence of str, optional
        One to three programmes; the first two of the run when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such programme.
    """
    table = projection_table(ds, programme=programme)
    shown = shown_programmes(ds, programme, DEFAULT_PROGRAMMES, MOST_PROGRAMMES)
    with style.drawing():
        return _draw(ds, table, shown, width_cm)


def projection_table(ds: xr.Dataset, *, programme: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Numbers of :func:`projection`.

    Parameters
    ----------
    ds, programme
        As for :func:`projection`.

    Returns
    -------
    pandas.DataFrame
        `kind` observed or projected, `scenario`, `programme`, `year`, and levels in m BHS: the observed level
        or the median over members, and the 5 and 95 % points.
    """
    require(ds, "projection", [f"{v}_quantile" if f"{v}_quantile" in ds else v for v in NEEDED])
    record = data.load("sea_level_annual")["level"]
    parts = [
        pd.DataFrame(
            {
                "kind": "observed",
                "scenario": "",
                "programme": "",
                "year": record["year"].values,
                "level_m_bhs": record.values,
                "level_p05_m_bhs": np.nan,
                "level_p95_m_bhs": np.nan,
            }
        )
    ]
    shown = shown_programmes(ds, programme, DEFAULT_PROGRAMMES, MOST_PROGRAMMES)
    level = yearly_quantiles(ds.sel(programme=shown), "sea_level", [LOW, MEDIAN, HIGH])
    for scenario in level["scenario"].values:
        for label in shown:
            low, median, high = (
                level.sel(scenario=scenario, programme=label).transpose("quantile", ...).values
            )
            parts.append(
                pd.DataFrame(
                    {
                        "kind": "projected",
                        "scenario": str(scenario),
                        "programme": label,
                        "year": level["year"].values,
                        "level_m_bhs": median,
                        "level_p05_m_bhs": low,
                        "level_p95_m_bhs": high,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _draw(ds: xr.Dataset, table: pd.DataFrame, shown: list[str], width_cm: float) -> Figure:
    scenarios = [str(label) for label in ds["scenario"].values]
    narrow = width_cm < style.NARROW_CM
    plot_cm = 7.0 if narrow else 9.0
    labels = EndLabels(table, scenarios, shown)
    below = 0.2 + labels.head_cm + labels.block_cm * -(-len(scenarios) // 2) if narrow else 0.0
    page = style.page(
        width_cm,
        plot_cm + style.BELOW_CM + below,
        say("projection.title"),
        _subtitle(ds, table, scenarios, shown),
        [*_sources(ds, shown), *run_footer(ds, shown)],
    )
    side = 0.2 if narrow else labels.width_cm + style.MARGIN_CM
    bars_cm = 0.3 + (0.14 if narrow else 0.2) * (len(shown) + 0.5) * len(scenarios)
    ax = page.axes(style.LEFT_CM, side + bars_cm, 0.0, plot_cm)
    ax.set(
        xlim=(table["year"].min() - 2, table["year"].max()),
        ylim=_level_range(table, plot_cm),
        xlabel=say("axis.year"),
        ylabel=say("axis.level"),
    )
    ax.yaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.grid(True)
    _thresholds(ax, run_config(ds).outcomes.thresholds_m)
    _observed(ax, table[table["kind"] == "observed"])
    _projected(ax, table, scenarios, shown)
    _range_bars(page.axes(width_cm - side - bars_cm, side, 0.0, plot_cm, sharey=ax), table, scenarios, shown)
    if narrow:
        labels.write_below(page.blank(0.4, 0.2, plot_cm + style.BELOW_CM, below), below)
    else:
        labels.write_beside(
            page.blank(width_cm - side, style.MARGIN_CM, 0.0, plot_cm), plot_cm, ax.get_ylim()
        )
    return page.figure


def _level_range(table: pd.DataFrame, plot_cm: float) -> tuple[float, float]:
    """Lowest and highest level of the axis: room above for labels, whatever the range is."""
    levels = table[["level_m_bhs", "level_p05_m_bhs", "level_p95_m_bhs"]].to_numpy()
    bottom = min(float(np.floor(np.nanmin(levels) - FOOTROOM_M)), -30.0)
    now = float(table.loc[table["kind"] == "observed", "level_m_bhs"].iloc[-1])
    row = style.SMALL * style.LINE_SPACING / style.POINTS_PER_CM
    # A level and the room above it must both fit into the height of the plot.
    needs = [
        (float(np.nanmax(levels)), WORDS_CM + row),
        (now, WORDS_CM + 2 * row + NOW_OFFSET[1] / style.POINTS_PER_CM),
    ]
    return bottom, bottom + max((level - bottom) * plot_cm / (plot_cm - room) for level, room in needs)


def _shaded(scenarios: list[str]) -> list[str]:
    """Scenarios whose range is shaded: more than the outer two would hide each other."""
    return scenarios if len(scenarios) < 3 else [scenarios[0], scenarios[-1]]


def _subtitle(ds: xr.Dataset, table: pd.DataFrame, scenarios: list[str], shown: list[str]) -> str:
    if member_count(ds) == 1:
        return say("projection.subtitle.single")
    shaded = say(
        "projection.shaded",
        scenarios=say("projection.and").join(name("scenario", scenario) for scenario in _shaded(scenarios)),
        programme=name("programme", shown[0]),
    )
    return say("projection.subtitle", members=member_count(ds), last=table["year"].max(), shaded=shaded)


def _sources(ds: xr.Dataset, shown: list[str]) -> list[str]:
    record = data.load("sea_level_annual")
    first, last = int(record["year"][0]), int(record["year"][-1])
    grade = name("grade", record.attrs["evidence_grade"])
    sources = say("projection.sources", first=first, last=last, grade=grade)
    if len(shown) == ds.sizes["programme"]:
        return [sources]
    names = ", ".join(name("programme", label) for label in shown)
    return [
        sources,
        say("footer.selection", shown=names, count=len(shown), all=ds.sizes["programme"]),
    ]


def _thresholds(ax: Axes, levels: Sequence[float]) -> None:
    lowest, highest = ax.get_ylim()
    for level in levels:
        if not lowest < level < highest:
            continue
        ax.axhline(level, color=style.MUTED, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1.5)
        ax.annotate(
            say("projection.threshold", level=number(level, 0 if level == round(level) else 1)),
            (0.0, level),
            xycoords=("axes fraction", "data"),
            xytext=(3, 1.5),
            textcoords="offset points",
            fontsize=style.SMALL,
            color=style.MUTED,
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )


def _observed(ax: Axes, record: pd.DataFrame) -> None:
    year, level = record["year"].to_numpy(), record["level_m_bhs"].to_numpy()
    ax.plot(year, level, color=style.INK, linewidth=1.6, zorder=5)
    now = int(year[-1])
    ax.axvline(now + 0.5, color=style.RULE, linewidth=0.8, zorder=1)
    for words, side, align in (("observed", -3, "right"), ("projected", 3, "left")):
        ax.annotate(
            say(f"projection.{words}"),
            (now + 0.5, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(side, -2),
            textcoords="offset points",
            ha=align,
            va="top",
            fontsize=style.SMALL,
            color=style.MUTED,
        )
    points = {int(y): float(h) for y, h in zip(year, level, strict=True)}
    words = say("projection.point", year=now, level=number(points[now], 2))
    if HIGH_STAND_YEAR in points:
        high = points[HIGH_STAND_YEAR]
        _point(
            ax, HIGH_STAND_YEAR, high, say("projection.point", year=HIGH_STAND_YEAR, level=number(high, 2))
        )
        words = say(
            "projection.point.fall",
            year=now,
            level=number(points[now], 2),
            fall=number(high - points[now], 2),
            since=HIGH_STAND_YEAR,
        )
    # The projections fan out to the right of the last observation; there is room above them.
    _point(ax, now, points[now], words, NOW_OFFSET)


def _point(ax: Axes, year: int, level: float, words: str, offset: tuple[float, float] = (0, 5)) -> None:
    """Mark a year of the record, its label `offset` points away."""
    ax.plot(year, level, "o", color=style.INK, markersize=3, zorder=6)
    ax.annotate(
        words,
        (year, level),
        xytext=offset,
        textcoords="offset points",
        ha="left" if offset[0] else "center",
        va="bottom",
        fontsize=style.SMALL,
        zorder=6,
        arrowprops={"arrowstyle": "-", "color": style.INK, "linewidth": 0.5, "relpos": (0.0, 0.0)}
        if offset[0]
        else None,
    )


def _projected(ax: Axes, table: pd.DataFrame, scenarios: list[str], shown: list[str]) -> None:
    for scenario in scenarios:
        mark = style.SCENARIOS[scenario]
        for label, dashes in zip(shown, style.PROGRAMME_DASHES, strict=False):
            rows = table[(table["scenario"] == scenario) & (table["programme"] == label)]
            year = rows["year"].to_numpy()
            if label == shown[0] and scenario in _shaded(scenarios):
                low, high = rows["level_p05_m_bhs"].to_numpy(), rows["level_p95_m_bhs"].to_numpy()
                ax.fill_between(year, low, high, color=mark.colour, alpha=0.2, linewidth=0.0, zorder=2)
                for edge in (low, high):
                    ax.plot(year, edge, color=mark.colour, linewidth=0.4, zorder=2.5)
            ax.plot(
                year,
                rows["level_m_bhs"].to_numpy(),
                color=mark.colour,
                linestyle=dashes,
                linewidth=1.3,
                marker=mark.marker,
                markersize=3.2,
                markevery=_marked(year, scenarios.index(scenario)),
                zorder=4,
            )


def _marked(year: NDArray[np.int64], place: int) -> list[int]:
    """Where a line has markers: without colours more often, and each scenario in years of its own."""
    grey = style.now().grey
    every, since = (MARKED_GREY_YEARS, 2 * place) if grey else (MARKED_YEARS, 0)
    return [i for i, y in enumerate(year) if (y - since) % every == 0 and i < len(year) - 1]


def _range_bars(ax: Axes, table: pd.DataFrame, scenarios: list[str], shown: list[str]) -> None:
    """5–95 % of the last year: filled for the first programme, open and hatched for the others."""
    step = len(shown) + 0.5
    for place, scenario in enumerate(scenarios):
        mark = style.SCENARIOS[scenario]
        for i, (label, hatch) in enumerate(zip(shown, ("", "", "////"), strict=False)):
            low, median, high = last_year(table, scenario, label)
            x = place * step + i
            ax.bar(
                x,
                high - low,
                bottom=low,
                width=0.72,
                facecolor=(mark.colour, 0.35) if i == 0 else "white",
                edgecolor=mark.colour,
                hatch=hatch or (mark.hatch if i == 0 else ""),
                linewidth=0.8,
            )
            ax.plot(
                x,
                median,
                mark.marker,
                color=mark.colour,
                markersize=4,
                markeredgecolor="white",
                markeredgewidth=0.4,
            )
    ax.set_xlim(-1.0, len(scenarios) * step - 0.5)
    ax.set_axis_off()
