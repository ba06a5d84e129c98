"""Shoreline: the sea today, in the range of futures, and under a programme of measures against none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.sectors import Bed, load_bed, load_sectors
from caspian_sim.errors import DataError
from caspian_sim.figures import chart, style
from caspian_sim.figures.reading import (
    RUN_COORDINATES,
    choose,
    member_count,
    require,
    run_config,
    run_footer,
    yearly_quantiles,
)
from caspian_sim.figures.shoreline_key import (
    DRY,
    HATCHES,
    HEAD,
    KEPT,
    LOST,
    POINTS,
    SHORES,
    Row,
    View,
    broken,
    futures_key,
    height_cm,
    programme_key,
    write_key,
)
from caspian_sim.figures.text import name, say, typeset
from caspian_sim.impacts.seabed import require_shipped_hypsometry

Array = NDArray[np.float64]

MIDDLE_SCENARIO = "ssp245"
"""Shown when no scenario is asked for."""
NEEDED = ("sea_level", "time_bnds", *RUN_COORDINATES)
GAP_CM = 0.4
HEAD_CM = 0.5
"""Room for the name of a chart above it."""
SLIDE_CHART_CM, SLIDE_KEY_CM = 10.0, 7.5
"""Width of a chart on a slide, and least width of the key beside it."""


def shoreline(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    baseline: str | None = None,
    year: int | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw maps of the shoreline: today and in the range of futures, and with a programme against without.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    programme, baseline : str, optional
        What is compared, and with what. The programmes ``joint`` and ``none`` when not given, or else the
        last and the first of the run. With a single programme there is one map.
    year : int, optional
        The last year of the run when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, the dataset has no such scenario, programme or year, or the run has a
        hypsometry of its own.
    """
    view = _view(ds, scenario, programme, baseline, year)
    table = shoreline_table(ds, scenario=scenario, programme=programme, baseline=baseline, year=year)
    with style.drawing():
        return _draw(ds, table, view, width_cm)


def shoreline_table(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    baseline: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Numbers of :func:`shoreline`.

    Parameters
    ----------
    ds, scenario, programme, baseline, year
        As for :func:`shoreline`.

    Returns
    -------
    pandas.DataFrame
        One row for each shore: `shore` (``today``, ``p95``, ``p50``, ``p05``: points of the level over the
        members), `scenario`, `programme`, `year`, `level_m_bhs`, `area_km2` of the sea, `exposed_km2` against
        today and the same by state. Areas are those of the hypsometry at that level.
    """
    require(ds, "shoreline", [f"{v}_quantile" if f"{v}_quantile" in ds else v for v in NEEDED])
    require_shipped_hypsometry(ds, "figure 'shoreline'")
    view = _view(ds, scenario, programme, baseline, year)
    last, today = _today(ds)
    chosen = ds.sel(scenario=[view.scenario], programme=list(dict.fromkeys([view.baseline, view.programme])))
    level = yearly_quantiles(chosen, "sea_level", list(POINTS.values())).sel(
        year=view.year, scenario=view.scenario
    )
    rows: list[tuple[str, str, str, int, float]] = [("today", "", "", last, today)]
    for label in level["programme"].values:
        points = level.sel(programme=label).values
        rows += [
            (point, view.scenario, str(label), view.year, float(value))
            for point, value in zip(POINTS, points, strict=True)
        ]
    table = pd.DataFrame(rows, columns=["shore", "scenario", "programme", "year", "level_m_bhs"])
    curve, sectors = load_hypsometry(), load_sectors()
    levels = np.clip(table["level_m_bhs"].to_numpy(), curve.node_level[0], curve.node_level[-1])
    table["area_km2"] = curve.area(levels)
    table["exposed_km2"] = curve.area(today) - table["area_km2"]
    for state, exposed in zip(sectors.states, sectors.exposed(levels, today), strict=True):
        table[f"exposed_{state}_km2"] = exposed
    return table


def _view(
    ds: xr.Dataset, scenario: str | None, programme: str | None, baseline: str | None, year: int | None
) -> View:
    scenarios, programmes = ([str(label) for label in ds[dim].values] for dim in ("scenario", "programme"))
    if scenario is None:
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in scenarios else scenarios[0]
    if baseline is None:
        baseline = "none" if "none" in programmes else programmes[0]
    if programme is None:
        programme = "joint" if "joint" in programmes else programmes[-1]
    years = np.unique(ds["time"].dt.year.values)
    if year is None:
        year = int(years[-1])
    if year not in years:
        raise DataError(
            f"the dataset has no year {year}\n    found    {year}\n    allowed  {years[0]} to {years[-1]}"
        )
    return View(
        choose(ds, "scenario", scenario),
        choose(ds, "programme", programme),
        choose(ds, "programme", baseline),
        year,
    )


def _today(ds: xr.Dataset) -> tuple[int, float]:
    """Year and level (m BHS) of the last observation, or of a start that the configuration gives."""
    config = run_config(ds)
    if config.initial.level_m is not None:
        return config.period.start - 1, config.initial.level_m
    record = data.load("sea_level_annual")["level"]
    return int(record["year"][-1]), float(record[-1])


def _draw(ds: xr.Dataset, table: pd.DataFrame, view: View, width_cm: float) -> Figure:
    narrow, slide = width_cm < style.NARROW_CM, style.now().slide
    charts = 2 if view.compares else 1
    # Beside the charts, or else each below its own.
    aside = slide or (charts == 1 and not narrow)
    if slide:
        width_cm = style.room_for(width_cm, charts * (SLIDE_CHART_CM + GAP_CM) + SLIDE_KEY_CM)
    room = width_cm - 2 * style.MARGIN_CM
    chart_cm = SLIDE_CHART_CM if slide else room if narrow else (room - GAP_CM) / 2
    tall, head_cm = chart.height_cm(chart_cm), style.room_cm([], HEAD_CM)
    heads, keys = _heads(view), [futures_key(table, view)]
    if view.compares:
        keys.append(programme_key(table, view))
    if aside:
        keys = [_together(heads, keys) if view.compares else keys[0]]
    key_room = room - charts * (chart_cm + GAP_CM) if aside else chart_cm
    written = [broken(key, key_room) for key in keys]
    key_cm = [height_cm(rows) + 0.5 for rows in written]
    each = [head_cm + max(tall, key_cm[0]) if aside else head_cm + tall + below for below in key_cm]
    page = style.page(
        width_cm,
        sum(each) if narrow else max(each),
        say("shoreline.title", year=view.year),
        say(
            "shoreline.subtitle" if member_count(ds) > 1 else "shoreline.subtitle.single",
            scenario=name("scenario", view.scenario),
            members=member_count(ds),
            year=view.year,
        ),
        [*_sources(ds, view), *run_footer(ds, list(dict.fromkeys([view.baseline, view.programme])))],
    )
    bed = load_bed()
    level = {(row["shore"], row["programme"]): float(row["level_m_bhs"]) for row in table.to_dict("records")}
    for place in range(charts):
        left = style.MARGIN_CM + (0.0 if narrow else place * (chart_cm + GAP_CM))
        down = sum(each[:place]) if narrow else 0.0
        right = width_cm - left - chart_cm
        ax = page.axes(left, right, down + head_cm, tall)
        chart.draw_ground(ax)
        if place == 0:
            _futures(ax, bed, level, view.baseline)
        else:
            _programme(ax, bed, level, view)
        chart.draw_lines(ax, bed)
        chart.draw_names(ax, chart_cm)
        ax.text(
            chart.WEST_KM,
            chart.head_km(chart_cm),
            heads[place],
            fontsize=style.BODY,
            fontweight="bold",
            va="bottom",
        )
        if not aside:
            write_key(page.blank(left, right, down + head_cm + tall, key_cm[place]), written[place])
    if aside:
        left = style.MARGIN_CM + charts * (chart_cm + GAP_CM)
        write_key(page.blank(left, style.MARGIN_CM, head_cm, key_cm[0]), written[0])
    return page.figure


def _heads(view: View) -> list[str]:
    """Words above the charts."""
    return [
        say("shoreline.futures", programme=name("programme", view.baseline), year=view.year),
        say(
            "shoreline.compared",
            programme=name("programme", view.programme),
            baseline=name("programme", view.baseline),
            year=view.year,
        ),
    ]


def _together(heads: list[str], keys: list[list[Row]]) -> list[Row]:
    """Make one key of those of two charts, without what would be said twice."""
    first, second = keys
    return [(HEAD, heads[0]), *first, (HEAD, heads[1]), *(row for row in second if row not in first)]


def _wet(bed: Bed, level: float) -> Array:
    """Height of the bed above the shore of a level; negative under water."""
    curve = load_hypsometry()
    on_curve = min(max(level, float(curve.node_level[0])), float(curve.node_level[-1]))
    return bed.drawn(bed.shore_height(curve.area(on_curve)))


def _fill(ax: Axes, bed: Bed, wet: Array, paint: tuple[str, str], zorder: float) -> None:
    colour, hatch = paint
    x, y = chart.grid_places(bed)
    filled = ax.contourf(
        x, y, wet, levels=[-1e3, 0.0], colors=[colour], hatches=[hatch or None], zorder=zorder
    )
    if hatch:
        filled.set_edgecolor(HATCHES[hatch])
        filled.set_linewidth(0.0)


def _line(ax: Axes, bed: Bed, wet: Array, shore: str, zorder: float) -> None:
    colour, width, dashes = SHORES[shore]
    x, y = chart.grid_places(bed)
    ax.contour(x, y, wet, levels=[0.0], colors=[colour], linewidths=width, linestyles=[dashes], zorder=zorder)


def _futures(ax: Axes, bed: Bed, level: dict[tuple[str, str], float], programme: str) -> None:
    today = _wet(bed, level["today", ""])
    wet = {point: np.maximum(_wet(bed, level[point, programme]), today) for point in POINTS}
    # Painted from the largest sea to the smallest, each over the one before.
    for shore, paint, zorder in (
        (today, DRY[0], 1.0),
        (wet["p95"], DRY[1], 1.05),
        (wet["p50"], DRY[2], 1.1),
        (wet["p05"], (chart.SEA, ""), 1.15),
    ):
        _fill(ax, bed, shore, paint, zorder)
    for step, point in enumerate(("p05", "p95", "p50")):
        _line(ax, bed, _wet(bed, level[point, programme]), point, 2.0 + 0.01 * step)
    _line(ax, bed, today, "today", 2.1)


def _programme(ax: Axes, bed: Bed, level: dict[tuple[str, str], float], view: View) -> None:
    today = _wet(bed, level["today", ""])
    without, with_it = (_wet(bed, level["p50", label]) for label in (view.baseline, view.programme))
    higher, lower = np.minimum(without, with_it), np.maximum(without, with_it)
    gains = level["p50", view.programme] >= level["p50", view.baseline]
    _fill(ax, bed, today, DRY[1], 1.0)
    _fill(ax, bed, np.maximum(higher, today), KEPT if gains else LOST, 1.05)
    _fill(ax, bed, np.maximum(lower, today), (chart.SEA, ""), 1.1)
    _line(ax, bed, without, "p50", 2.0)
    _line(ax, bed, today, "today", 2.1)


def _sources(ds: xr.Dataset, view: View) -> list[str]:
    shipped = data.entry("hypsometry")
    words = [
        say("shoreline.caveat"),
        say("shoreline.sources", grade=name("grade", typeset(shipped.grade))),
    ]
    shown = list(dict.fromkeys([view.baseline, view.programme]))
    if len(shown) < ds.sizes["programme"]:
        names = ", ".join(name("programme", label) for label in shown)
        words.append(say("footer.selection", shown=names, count=len(shown), all=ds.sizes["programme"]))
    return words
