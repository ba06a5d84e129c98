"""Keys of the maps of the shoreline: what each colour, hatch and line is, with its level and area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from caspian_sim.figures import style
from caspian_sim.figures.reading import HIGH, LOW, MEDIAN
from caspian_sim.figures.text import name, number, say

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
SAMPLES_CM, ROWS_APART_CM = 0.7, 0.08
"""Room for what the key explains, and gap between its rows."""

# A row of a key: how it is shown, and its words.
Shown = str | tuple[str, str]
Row = tuple[Shown, str]
Broken = tuple[Shown, list[str]]
HEAD = "head"
"""Shows nothing: words above the rows that follow."""


@dataclass(frozen=True)
class View:
    """What is drawn."""

    scenario: str
    programme: str
    baseline: str
    year: int

    @property
    def compares(self) -> bool:
        """Whether there are two programmes."""
        return self.programme != self.baseline


def futures_key(table: pd.DataFrame, view: View) -> list[Row]:
    """Rows that explain the map of the range of futures."""
    rows = table[table["programme"] == view.baseline].set_index("shore")
    last: list[Row] = [("sector", say("shoreline.sector")), _marks_row()]
    if rows["level_m_bhs"].nunique() == 1:
        level = number(float(rows["level_m_bhs"]["p50"]), 1)
        area = number(_rounded(max(float(rows["exposed_km2"]["p50"]), 0.0)))
        dry = (DRY[0], say("shoreline.dry.one", area=area))
        return [_today_row(table), ("p50", say("shoreline.one", level=level)), dry, *last]
    shares = dict(zip(POINTS, (HIGH, MEDIAN, LOW), strict=True))
    shores: list[Row] = []
    bands: list[Row] = []
    for point, paint in zip(POINTS, DRY, strict=True):
        level = number(float(rows["level_m_bhs"][point]), 1)
        exposed = max(float(rows["exposed_km2"][point]), 0.0)
        percent = number(100.0 * shares[point])
        shores.append((point, say(f"shoreline.{point}", level=level)))
        bands.append((paint, say("shoreline.dry", percent=percent, area=number(_rounded(exposed)))))
    return [_today_row(table), *shores, *bands, *last]


def programme_key(table: pd.DataFrame, view: View) -> list[Row]:
    """Rows that explain the map of two programmes."""
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


def _today_row(table: pd.DataFrame) -> Row:
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


def _marks_row() -> Row:
    return "marks", say("shoreline.marks")


def _rounded(area: float) -> float:
    """Area to hundreds of km², still finer than it is known."""
    return round(area, -2)


def broken(rows: Sequence[Row], width_cm: float) -> list[Broken]:
    """Break the words of a key into lines that are at most as wide as the key with its samples."""
    room = width_cm - style.room_cm([], SAMPLES_CM)
    return [
        (kind, style.wrap(words, width_cm if kind == HEAD else room, style.SMALL, bold=kind == HEAD))
        for kind, words in rows
    ]


def height_cm(rows: Sequence[Broken]) -> float:
    """Height of the rows of a key, cm."""
    return sum(
        len(lines) * style.line_cm() + ROWS_APART_CM * (4 if kind == HEAD else 1) for kind, lines in rows
    )


def write_key(ax: Axes, rows: Sequence[Broken]) -> None:
    """Write a key in blank axes, from their upper edge down."""
    y = ax.get_ylim()[1] - 0.2
    samples_cm, line_cm = style.room_cm([], SAMPLES_CM), style.line_cm()
    left, long = 0.05, samples_cm - 0.2
    for kind, lines in rows:
        y -= height_cm([(kind, lines[:1])])
        middle = y + style.room_cm([], 0.1)
        if isinstance(kind, tuple):
            colour, hatch = kind
            tall = style.room_cm([], 0.22)
            box = ((left, middle - 0.5 * tall), long, tall)
            edge = HATCHES.get(hatch, colour)
            ax.add_patch(Rectangle(*box, facecolor=colour, edgecolor=edge, hatch=hatch, linewidth=0.0))
            ax.add_patch(Rectangle(*box, facecolor="none", edgecolor=style.MUTED, linewidth=0.4))
        elif kind == "marks":
            ax.plot([left + 0.1], [middle], "o", color=style.INK, markersize=3.0)
            ax.plot([left + long - 0.1], [middle], "s", color=style.INK, markersize=3.0)
        elif kind != HEAD:
            colour, width, dashes = SHORES.get(kind, (style.MUTED, 0.7, (0, (1, 2))))
            ax.plot([left, left + long], [middle, middle], color=colour, linewidth=width, linestyle=dashes)
        x, weight = (0.0, "bold") if kind == HEAD else (samples_cm, "normal")
        for down, words in enumerate(lines):
            ax.text(x, y - down * line_cm, words, fontsize=style.SMALL, va="baseline", fontweight=weight)
        y -= (len(lines) - 1) * line_cm
