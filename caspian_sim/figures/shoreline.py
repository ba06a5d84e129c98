"""Shoreline: the sea today, in the range of futures, and under a programme of measures against none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.sectors import Bed, load_bed, load_sectors
from caspian_sim.errors import DataError
from caspian_sim.figures import chart, style
from caspian_sim.figures.reading import (
    HIGH,
    LOW,
    MEDIAN,
    RUN_COORDINATES,
    choose,
    member_count,
    require,
    run_config,
    run_footer,
    yearly_quantiles,
)
from caspian_sim.figures.text import name, number, say, typeset
from caspian_sim.impacts.seabed import require_shipped_hypsometry

Array = NDArray[np.float64]

MIDDLE_SCENARIO = "ssp245"
"""Shown when no scenario is asked for."""
NEEDED = ("sea_level", "time_bnds", *RUN_COORDINATES)
POINTS = {"p95": HIGH, "p50": MEDIAN, "p05": LOW}
"""Points of the level over the members, from the highest shore to the lowest."""
DRY = (("#74421A", ""), ("#C58F4B", ""), ("#F3E2BC", ".."))
"""Seabed that falls dry, from what nearly all members lay bare to what few do: colour and hatch."""
KEPT, LOST = ("#C4E6D0", "//////"), ("#F2D6E4", "\\\\\\\\\\\\")
"""Seabed that a programme keeps under water, or lays bare."""
HATCHES = {"..": "#8A6A35", "//////": "#1B7F4B", "\\\\\\\\\\\\": "#8E2E63"}
"""Colours of the hatches."""
SHORES: dict[str, tuple[str, float, Any]] = {
    "today": (style.INK, 0.9, "-"),
    "p95": ("#1F5FA8", 0.7, (0, (6, 1, 1, 1))),
    "p50": ("#33414B", 0.8, (0, (4, 1.6))),
    "p05": ("#8A6A35", 0.7, "-"),
}
"""Colour, width and dashes of the shores."""
GAP_CM = 0.4
HEAD_CM = 0.5
"""Room for the name of a chart above it."""


@dataclass(frozen=True)
class _View:
    """What is drawn."""

    scenario: str
    programme: str
    baseline: str
    year: int

    @property
    def compares(self) -> bool:
        return self.programme != self.baseline


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
) -> _View:
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
    return _View(
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


def _draw(ds: xr.Dataset, table: pd.DataFrame, view: _View, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    charts = 2 if view.compares else 1
    room = width_cm - 2 * style.MARGIN_CM
    chart_cm = room if narrow else (room - GAP_CM) / 2
    tall = chart.height_cm(chart_cm)
    keys = [_futures_key(table, view)] + ([_programme_key(table, view)] if view.compares else [])
    row = style.SMALL * style.LINE_SPACING / style.POINTS_PER_CM + 0.08
    key_cm = [row * len(key) + 0.5 for key in keys]
    beside = charts == 1 and not narrow
    each = [HEAD_CM + tall + (0.0 if beside else below) for below in key_cm]
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
        ax = page.axes(left, right, down + HEAD_CM, tall)
        chart.draw_ground(ax)
        if place == 0:
            _futures(ax, bed, level, view.baseline)
            head = say("shoreline.futures", programme=name("programme", view.baseline), year=view.year)
        else:
            _programme(ax, bed, level, view)
            head = say(
                "shoreline.compared",
                programme=name("programme", view.programme),
                baseline=name("programme", view.baseline),
                year=view.year,
            )
        chart.draw_lines(ax, bed)
        chart.draw_names(ax, chart_cm)
        ax.text(
            chart.WEST_KM,
            chart.head_km(chart_cm),
            head,
            fontsize=style.BODY,
            fontweight="bold",
            va="bottom",
        )
        if beside:
            key_ax = page.blank(left + chart_cm + GAP_CM, style.MARGIN_CM, HEAD_CM, key_cm[0])
        else:
            key_ax = page.blank(left, right, down + HEAD_CM + tall, key_cm[place])
        _write_key(key_ax, keys[place], key_cm[place], row)
    return page.figure


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


def _programme(ax: Axes, bed: Bed, level: dict[tuple[str, str], float], view: _View) -> None:
    today = _wet(bed, level["today", ""])
    without, with_it = (_wet(bed, level["p50", label]) for label in (view.baseline, view.programme))
    higher, lower = np.minimum(without, with_it), np.maximum(without, with_it)
    gains = level["p50", view.programme] >= level["p50", view.baseline]
    _fill(ax, bed, today, DRY[1], 1.0)
    _fill(ax, bed, np.maximum(higher, today), KEPT if gains else LOST, 1.05)
    _fill(ax, bed, np.maximum(lower, today), (chart.SEA, ""), 1.1)
    _line(ax, bed, without, "p50", 2.0)
    _line(ax, bed, today, "today", 2.1)


# A row of a key: how it is shown, and its words.
_Row = tuple[str | tuple[str, str], str]


def _futures_key(table: pd.DataFrame, view: _View) -> list[_Row]:
    rows = table[table["programme"] == view.baseline].set_index("shore")
    last: list[_Row] = [("sector", say("shoreline.sector")), _marks_row()]
    if rows["level_m_bhs"].nunique() == 1:
        level = number(float(rows["level_m_bhs"]["p50"]), 1)
        area = number(_rounded(max(float(rows["exposed_km2"]["p50"]), 0.0)))
        dry = (DRY[0], say("shoreline.dry.one", area=area))
        return [_today_row(table), ("p50", say("shoreline.one", level=level)), dry, *last]
    shares = dict(zip(POINTS, (HIGH, MEDIAN, LOW), strict=True))
    shores: list[_Row] = []
    bands: list[_Row] = []
    for point, paint in zip(POINTS, DRY, strict=True):
        level = number(float(rows["level_m_bhs"][point]), 1)
        exposed = max(float(rows["exposed_km2"][point]), 0.0)
        percent = number(100.0 * shares[point])
        shores.append((point, say(f"shoreline.{point}", level=level)))
        bands.append((paint, say("shoreline.dry", percent=percent, area=number(_rounded(exposed)))))
    return [_today_row(table), *shores, *bands, *last]


def _programme_key(table: pd.DataFrame, view: _View) -> list[_Row]:
    medians = table[table["shore"] == "p50"].set_index("programme")
    labels = [view.programme, view.baseline]
    with_it, without = medians["exposed_km2"].reindex(labels).tolist()
    level_with, level_without = medians["level_m_bhs"].reindex(labels).tolist()
    gain, both = without - with_it, max(min(without, with_it), 0.0)
    kind = "kept" if gain >= 0.0 else "lost"
    values = {
        "programme": name("programme", view.programme),
        "baseline": name("programme", view.baseline),
        "area": number(_rounded(abs(gain))),
    }
    return [
        _today_row(table),
        (DRY[1], say("shoreline.both", area=number(_rounded(both)))),
        (KEPT if gain >= 0.0 else LOST, say(f"shoreline.{kind}", **values)),
        (
            "p50",
            say(
                "shoreline.medians",
                without=number(level_without, 1),
                with_it=number(level_with, 1),
                **values,
            ),
        ),
        ("sector", say("shoreline.sector")),
        _marks_row(),
    ]


def _today_row(table: pd.DataFrame) -> _Row:
    today = table.iloc[0]
    return (
        "today",
        say(
            "shoreline.today",
            year=int(today["year"]),
            level=number(float(today["level_m_bhs"]), 2),
            area=number(_rounded(float(today["area_km2"]))),
        ),
    )


def _marks_row() -> _Row:
    return "marks", say("shoreline.marks")


def _rounded(area: float) -> float:
    """Area to hundreds of km², still finer than it is known."""
    return round(area, -2)


def _write_key(ax: Axes, rows: Sequence[_Row], top: float, row_cm: float) -> None:
    y = top - 0.2
    for kind, words in rows:
        y -= row_cm
        middle = y + 0.1
        if isinstance(kind, tuple):
            colour, hatch = kind
            box = ((0.05, middle - 0.11), 0.5, 0.22)
            edge = HATCHES.get(hatch, colour)
            ax.add_patch(Rectangle(*box, facecolor=colour, edgecolor=edge, hatch=hatch, linewidth=0.0))
            ax.add_patch(Rectangle(*box, facecolor="none", edgecolor=style.MUTED, linewidth=0.4))
        elif kind == "marks":
            ax.plot([0.15], [middle], "o", color=style.INK, markersize=3.0)
            ax.plot([0.45], [middle], "s", color=style.INK, markersize=3.0)
        else:
            colour, width, dashes = SHORES.get(kind, (style.MUTED, 0.7, (0, (1, 2))))
            ax.plot([0.05, 0.55], [middle, middle], color=colour, linewidth=width, linestyle=dashes)
        ax.text(0.7, y, words, fontsize=style.SMALL, va="baseline")


def _sources(ds: xr.Dataset, view: _View) -> list[str]:
    shipped = data.entry("hypsometry")
    words = [
        say("shoreline.caveat"),
        say("shoreline.sources", grade=typeset(shipped.grade)),
    ]
    shown = list(dict.fromkeys([view.baseline, view.programme]))
    if len(shown) < ds.sizes["programme"]:
        names = ", ".join(name("programme", label) for label in shown)
        words.append(say("footer.selection", shown=names, count=len(shown), all=ds.sizes["programme"]))
    return words
