"""Ecosystem: chance by year that the sea lies below the levels at which losses are reported."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.figures import style
from caspian_sim.figures.heat import WATER, cells, fitting, percent
from caspian_sim.figures.reading import (
    RUN_COORDINATES,
    choose,
    member_count,
    require,
    require_members,
    run_footer,
)
from caspian_sim.figures.text import name, number, say, typeset
from caspian_sim.impacts.ecosystem import BAY, SILL, ecosystem_outcomes

NEEDED = ("sea_level", "time_bnds", "parameters", *RUN_COORDINATES)
DRY = "northern-basin"
"""Impact whose share is drawn as well."""
EXAMPLE = "seal-ice"
"""Impact that shows what the range of the level of reference is worth."""
ROW_CM, HEAD_CM, GAP_ROWS = 0.46, 0.55, 0.35
"""Height of a row and of the years above, and the gap between impacts in rows."""
MARK_CM, NAMES_CM = 0.55, 1.4
"""Room for the marks of scenarios, and least room for their names and the gap beside them."""
COLUMNS, FEW_COLUMNS = 10, 5
SLIDE_CM, SLIDE_COLUMNS, GAP_CM = 21.0, 2, 0.6
"""Width of the maps on a slide at least, on which there are two beside each other, and the gap between."""


def ecosystem(
    ds: xr.Dataset, *, programme: str | None = None, width_cm: float = style.PAGE_WIDTH_CM
) -> Figure:
    """Draw a heat map of losses and years: the chance that the sea lies below the level of each.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with members.
    programme : str, optional
        The first one when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When the members or a variable are missing, or the dataset has no such programme.
    """
    require(ds, "ecosystem", NEEDED)
    require_members(ds, "figure 'ecosystem'")
    programme = choose(ds, "programme", programme or str(ds["programme"].values[0]))
    outcomes = ecosystem_outcomes(ds.sel(programme=[programme])).squeeze("programme")
    with style.drawing():
        return _draw(ds, outcomes, programme, width_cm)


def ecosystem_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`ecosystem`, for every scenario, programme and year.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`ecosystem`.

    Returns
    -------
    pandas.DataFrame
        A row for each impact, scenario, programme and year: probability in the year (with the ends of the
        level that falls are counted from) and by the year, first year of 50 % or more, share lost where a
        curve or a straight line (grade D) gives one, with threshold, grades and source.
    """
    require(ds, "ecosystem", ("sea_level", "time_bnds", "parameters", "parameter_grade"))
    outcomes = ecosystem_outcomes(ds)
    frame = outcomes["below_by"].to_dataframe().reset_index()
    dims = outcomes["below_by"].dims
    table = frame[["impact", "scenario", "programme", "year"]].copy()
    for reference, ending in (("central", ""), ("low", "_reference_low"), ("high", "_reference_high")):
        values = outcomes["below"].sel(reference=reference).transpose(*dims)
        table[f"probability_in_year{ending}"] = values.values.ravel()
    table["probability_by_year"] = frame["below_by"]
    first = outcomes["first_year"].broadcast_like(outcomes["below_by"]).transpose(*dims)
    table["first_year"] = first.values.ravel()
    for quantile, ending in ((0.5, ""), (0.05, "_p05"), (0.95, "_p95")):
        values = outcomes["share_lost"].sel(quantile=quantile).transpose(*dims)
        table[f"share_lost{ending}"] = values.values.ravel()
    table["fall_m"], table["reference_level_m_bhs"] = frame["threshold_drop"], frame["reference_level"]
    table["threshold_m_bhs"], table["curve"] = frame["threshold_level"], frame["impact_curve"]
    table["grade"], table["reference_grade"] = frame["impact_grade"], frame["reference_grade"]
    table["curve_grade"] = frame["curve_grade"]
    table["source"] = frame["impact_source"]
    return table


def _draw(ds: xr.Dataset, outcomes: xr.Dataset, programme: str, width_cm: float) -> Figure:
    narrow, columns = width_cm < style.NARROW_CM, SLIDE_COLUMNS if style.now().slide else 1
    width_cm = style.room_for(width_cm, SLIDE_CM)
    row_cm, head_cm = style.room_cm([], ROW_CM), style.room_cm([], HEAD_CM)
    room = (width_cm - 2 * style.MARGIN_CM - (columns - 1) * GAP_CM) / columns
    headings = [
        *((impact, _heading(outcomes.sel(impact=impact))) for impact in _order(outcomes)),
        ("", say("ecosystem.dry")),
    ]
    wrapped = [(impact, style.wrap(words, room, style.SMALL, bold=True)) for impact, words in headings]
    scenarios = [str(label) for label in outcomes["scenario"].values]
    text_row = style.line_cm() / row_cm
    names = [f"{name('scenario', label)} " for label in scenarios]
    names_cm = MARK_CM + style.room_cm(names, NAMES_CM - 0.05)
    most = FEW_COLUMNS if narrow or columns > 1 else COLUMNS
    years = fitting(room - names_cm, outcomes["year"].values, most)
    down = -(-len(wrapped) // columns)
    blocks = [wrapped[first : first + down] for first in range(0, len(wrapped), down)]
    rows = max(
        sum(len(lines) * text_row + len(scenarios) + GAP_ROWS + 0.15 for _, lines in block)
        for block in blocks
    )
    page = style.page(
        width_cm,
        head_cm + rows * row_cm,
        say("ecosystem.title"),
        say("ecosystem.subtitle", programme=name("programme", programme), members=member_count(ds)),
        [*_footer(ds, outcomes), *run_footer(ds, [programme])],
    )
    for place, block in enumerate(blocks):
        left = style.MARGIN_CM + place * (room + GAP_CM)
        right = width_cm - left - room
        ax = page.axes(left + names_cm, right, head_cm, rows * row_cm)
        words = page.blank(left, right, head_cm, rows * row_cm)
        ax.set(xlim=(0, len(years)), ylim=(rows, 0))
        ax.set_axis_off()
        words.set_ylim(rows, 0)
        for column, year in enumerate(years):
            ax.text(column + 0.5, -0.05, str(year), fontsize=style.SMALL, ha="center", va="bottom")
        _write(ax, words, outcomes.sel(year=years), block, text_row)
    return page.figure


def _write(
    ax: Axes, words: Axes, outcomes: xr.Dataset, block: Sequence[tuple[str, list[str]]], text_row: float
) -> None:
    """Draw impacts one below the other: cells in some axes, headings and scenarios in others."""
    scenarios = [str(label) for label in outcomes["scenario"].values]
    top = 0.0
    for impact, lines in block:
        for line in lines:
            words.text(0.0, top + text_row, line, fontsize=style.SMALL, fontweight="bold", va="bottom")
            top += text_row
        top += 0.15
        tops = [top + place for place in range(len(scenarios))]
        _scenarios(words, scenarios, tops)
        if impact:
            chance = outcomes["below"].sel(impact=impact, reference="central")
            cells(ax, chance.transpose("scenario", "year").values, tops)
        else:
            dry = outcomes["share_lost"].sel(impact=DRY, quantile=0.5)
            cells(ax, dry.transpose("scenario", "year").values, tops, shades=WATER)
        top += len(scenarios) + GAP_ROWS


def _order(outcomes: xr.Dataset) -> list[str]:
    """Impacts from the likeliest in the last year to the least likely, those of one fall together."""
    last = outcomes["below"].sel(reference="central").isel(year=-1).mean("scenario")
    names = [str(impact) for impact in outcomes["impact"].values]
    return sorted(names, key=lambda impact: -float(last.sel(impact=impact)))


def _heading(now: xr.Dataset) -> str:
    title, grade = name("impact", str(now["impact"].item())), str(now["impact_grade"].item())
    if str(now["impact"].item()) == BAY:
        return say("ecosystem.sill", title=title, grade=grade)
    return say(
        "ecosystem.threshold",
        title=title,
        drop=number(float(now["threshold_drop"])),
        level=number(float(now["threshold_level"])),
        grade=grade,
        reference=str(now["reference_grade"].item()),
    )


def _scenarios(ax: Axes, scenarios: Sequence[str], tops: Sequence[float]) -> None:
    for scenario, top in zip(scenarios, tops, strict=True):
        mark = style.SCENARIOS[scenario]
        ax.plot(0.3, top + 0.5, mark.marker, color=mark.colour, markersize=4.0, clip_on=False)
        ax.text(MARK_CM, top + 0.5, name("scenario", scenario), fontsize=style.SMALL, va="center_baseline")


def _footer(ds: xr.Dataset, outcomes: xr.Dataset) -> list[str]:
    last, scenario = int(outcomes["year"][-1]), str(outcomes["scenario"].values[-1])
    example = outcomes["below"].sel(impact=EXAMPLE, scenario=scenario, year=last)
    now = outcomes.sel(impact=EXAMPLE)
    sill = ds["parameters"].sel(parameter=SILL).quantile([0.05, 0.95])
    sources = list(
        dict.fromkeys(
            name("source", typeset(str(source)))
            for source, impact in zip(
                outcomes["impact_source"].values, outcomes["impact"].values, strict=True
            )
            if impact != BAY
        )
    )
    return [
        say(
            "ecosystem.reference",
            level=number(float(now["reference_level"]), 1),
            low=number(float(now["reference_level_low"]), 2),
            high=number(float(now["reference_level_high"]), 1),
            example=name("impact_short", EXAMPLE),
            least=percent(float(example.min())),
            most=percent(float(example.max())),
            year=last,
            scenario=name("scenario", scenario),
        ),
        say("ecosystem.sill_range", low=number(float(sill[0]), 1), high=number(float(sill[1]), 1)),
        say("ecosystem.curves"),
        say("ecosystem.sources", sources="; ".join(sources)),
    ]
