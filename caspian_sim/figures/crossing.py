"""Crossing: how probable it is that the sea has fallen below a level by a year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.errors import DataError
from caspian_sim.figures import style
from caspian_sim.figures.reading import (
    RUN_COORDINATES,
    keeps_statistics,
    member_count,
    require,
    run_config,
    run_footer,
    share_below,
    shown_programmes,
)
from caspian_sim.figures.text import name, number, say

NEEDED = ("sea_level", "first_event", "time_bnds", *RUN_COORDINATES)
NEEDED_STATISTICS = ("share_below", *RUN_COORDINATES)
"""What suffices where statistics over the members were kept."""
MOST_PROGRAMMES = 2
EVEN = 0.5
"""Probability whose first year is written below the panels."""
PERCENT = 100.0
MOST_ACROSS = 3
PANEL_CM, NARROW_PANEL_CM, TITLE_CM, GAP_CM = 5.4, 3.6, 0.5, 0.4
HEAD_CM, ROW_CM, RIGHT_CM = 0.5, 0.42, 0.5
MARK_CM = 0.65
"""Room for the sample of a line before its name."""


def crossing(
    ds: xr.Dataset,
    *,
    thresholds: Sequence[float] | None = None,
    programme: str | Sequence[str] | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the probability that the sea has fallen below some levels, by year and scenario.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    thresholds : sequence of float, optional
        Levels, m BHS, that the run watched; all of them when not given.
    programme : str or sequence of str, optional
        One or two programmes; the first two of the run when not given.
    width_cm : float, optional
        Width of the figure; in a column the panels stand below each other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, the run watched no such level, or it has no such programme.
    """
    table = crossing_table(ds, thresholds=thresholds, programme=programme)
    with style.drawing():
        return _draw(ds, table, width_cm)


def crossing_table(
    ds: xr.Dataset,
    *,
    thresholds: Sequence[float] | None = None,
    programme: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Numbers of :func:`crossing`.

    Parameters
    ----------
    ds, thresholds, programme
        As for :func:`crossing`.

    Returns
    -------
    pandas.DataFrame
        For each `threshold_m_bhs`, `scenario`, `programme` and `year`: `share_below`, the share of the
        members that have stood below the level by the end of the year.
    """
    require(ds, "crossing", NEEDED_STATISTICS if keeps_statistics(ds) else NEEDED)
    shown = shown_programmes(ds, programme, MOST_PROGRAMMES, MOST_PROGRAMMES)
    parts = []
    for threshold in _chosen(ds, thresholds):
        share = share_below(ds, threshold).sel(programme=shown).transpose("scenario", "programme", "year")
        frame = share.drop_attrs().rename("share_below").to_series().reset_index()
        parts.append(frame.assign(threshold_m_bhs=threshold))
    table = pd.concat(parts, ignore_index=True)
    return table[["threshold_m_bhs", "scenario", "programme", "year", "share_below"]]


def first_year(rows: pd.DataFrame, probability: float = EVEN) -> int | None:
    """First year by whose end a share of the members has stood below a level; None if there is none."""
    reached = rows.loc[rows["share_below"] >= probability, "year"]
    return int(reached.iloc[0]) if len(reached) else None


def _chosen(ds: xr.Dataset, thresholds: Sequence[float] | None) -> list[float]:
    watched = run_config(ds).outcomes.thresholds_m
    if not watched:
        raise DataError(
            "figure 'crossing' cannot be drawn: the run watched no level\n"
            "    hint     run again with outcomes.thresholds_m: [-30, -31, -33]"
        )
    chosen = list(watched if thresholds is None else thresholds)
    unknown = [level for level in chosen if level not in watched]
    if unknown or not chosen:
        raise DataError(
            f"the run did not watch the level {unknown[0]:g} m\n"
            f"    found    {unknown[0]:g}\n"
            f"    allowed  {', '.join(f'{level:g}' for level in watched)}"
            if unknown
            else "figure 'crossing' cannot be drawn: no level was asked for"
        )
    return sorted(chosen, reverse=True)


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    levels = list(dict.fromkeys(table["threshold_m_bhs"]))
    scenarios, shown = (list(dict.fromkeys(table[dim])) for dim in ("scenario", "programme"))
    across = 1 if narrow else min(MOST_ACROSS, len(levels))
    down = -(-len(levels) // across)
    panel_cm = NARROW_PANEL_CM if narrow else PANEL_CM
    step = TITLE_CM + panel_cm + 0.55
    head = say("crossing.half", probability=number(PERCENT * EVEN), year=int(table["year"].max()))
    heads = style.wrap(head, width_cm - 2 * style.MARGIN_CM, style.SMALL)
    heads_cm = (len(heads) + 0.4) * style.line_cm()
    rows_cm = heads_cm + HEAD_CM + ROW_CM * len(scenarios) * len(shown)
    page = style.page(
        width_cm,
        down * step + (style.BELOW_CM - 0.55) + 0.15 + rows_cm,
        say("crossing.title"),
        say(
            "crossing.subtitle" if member_count(ds) > 1 else "crossing.subtitle.single",
            members=number(member_count(ds)),
            first=int(table["year"].min()),
        ),
        [say("crossing.sources"), *_selection(ds, shown), *run_footer(ds, shown)],
    )
    room = (width_cm - style.LEFT_CM - RIGHT_CM - GAP_CM * (across - 1)) / across
    for place, level in enumerate(levels):
        row, column = divmod(place, across)
        left = style.LEFT_CM + column * (room + GAP_CM)
        ax = page.axes(left, width_cm - left - room, row * step + TITLE_CM, panel_cm)
        _panel(ax, table[table["threshold_m_bhs"] == level], scenarios, shown)
        ax.set_title(_level(level), loc="left", fontsize=style.BODY, fontweight="bold", pad=4)
        if column:
            ax.tick_params(labelleft=False)
        else:
            ax.set_ylabel(say("axis.probability"))
        if place + across >= len(levels):
            ax.set_xlabel(say("axis.year"))
        else:
            ax.tick_params(labelbottom=False)
    top = down * step + (style.BELOW_CM - 0.55) + 0.15
    area = page.blank(style.MARGIN_CM, style.MARGIN_CM, top, rows_cm)
    _years(area, table, heads, levels, rows_cm)
    return page.figure


def _number(level: float) -> str:
    return number(level, 0 if level == round(level) else 1)


def _level(level: float) -> str:
    return say("crossing.level", level=_number(level))


def _selection(ds: xr.Dataset, shown: list[str]) -> list[str]:
    if len(shown) == ds.sizes["programme"]:
        return []
    names = ", ".join(name("programme", label) for label in shown)
    return [say("footer.selection", shown=names, count=len(shown), all=ds.sizes["programme"])]


def _lines(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for (scenario, programme), rows in table.groupby(["scenario", "programme"], sort=False):
        yield str(scenario), str(programme), rows


def _panel(ax: Axes, table: pd.DataFrame, scenarios: list[str], shown: list[str]) -> None:
    first, last = int(table["year"].min()), int(table["year"].max())
    for scenario, programme, rows in _lines(table):
        mark, dashes = style.SCENARIOS[scenario], style.PROGRAMME_DASHES[shown.index(programme)]
        every = max(1, (last - first) // (8 if style.now().grey else 4))
        ax.plot(
            rows["year"],
            PERCENT * rows["share_below"],
            color=mark.colour,
            linestyle=dashes,
            marker=mark.marker,
            markersize=3.2,
            # Markers of one line stand between those of the others.
            markevery=(every * (1 + scenarios.index(scenario)) // (1 + len(scenarios)), every),
            linewidth=1.3,
            clip_on=False,
            zorder=3,
        )
    ax.axhline(PERCENT * EVEN, color=style.MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
    ax.set(xlim=(first, last if last > first else first + 1), ylim=(0.0, PERCENT))
    ax.set_xticks([year for year in range(first, last + 1) if year % 25 == 0] or [first])
    ax.set_yticks(np.arange(0.0, PERCENT + 1.0, 25.0))
    ax.yaxis.grid(True)


def _years(ax: Axes, table: pd.DataFrame, heads: list[str], levels: list[float], top: float) -> None:
    """Name the lines, and write for each the first year by which it is as likely as not."""
    y = top
    for line in heads:
        y -= style.line_cm()
        ax.text(0.0, y, line, fontsize=style.SMALL, color=style.MUTED)
    first = table[table["threshold_m_bhs"] == levels[0]]
    lines = [(scenario, programme) for scenario, programme, _ in _lines(first)]
    several = len({programme for _, programme in lines}) > 1
    words = {
        (scenario, programme): say(
            "projection.shaded", scenarios=name("scenario", scenario), programme=name("programme", programme)
        )
        if several
        else name("scenario", scenario)
        for scenario, programme in lines
    }
    names_cm = MARK_CM + 0.2 + style.room_cm(words.values())
    column = min((ax.get_xlim()[1] - names_cm) / len(levels), 3.2)
    right = [names_cm + column * (i + 1) for i in range(len(levels))]
    y -= HEAD_CM
    for x, level in zip(right, levels, strict=True):
        text = say("crossing.column", level=_number(level))
        ax.text(x, y, text, ha="right", va="center_baseline", fontsize=style.SMALL, color=style.MUTED)
    programmes = list(dict.fromkeys(programme for _, programme in lines))
    for scenario, programme in lines:
        y -= ROW_CM
        mark, dashes = style.SCENARIOS[scenario], style.PROGRAMME_DASHES[programmes.index(programme)]
        ax.plot([0.0, 0.5], [y] * 2, color=mark.colour, linestyle=dashes, linewidth=1.3, clip_on=False)
        ax.plot(0.25, y, mark.marker, color=mark.colour, markersize=3.6)
        ax.text(MARK_CM, y, words[scenario, programme], va="center_baseline", fontsize=style.SMALL)
        for x, level in zip(right, levels, strict=True):
            rows = table[
                (table["threshold_m_bhs"] == level)
                & (table["scenario"] == scenario)
                & (table["programme"] == programme)
            ]
            year = first_year(rows)
            final = number(PERCENT * float(rows["share_below"].iloc[-1]))
            text = say("crossing.never", share=final) if year is None else say("crossing.year", year=year)
            ax.text(x, y, text, ha="right", va="center_baseline", fontsize=style.SMALL)
