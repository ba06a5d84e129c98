"""Labels of the last year of a projection, beside the plot or below it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from caspian_sim.figures import style
from caspian_sim.figures.text import name, number, say


def last_year(table: pd.DataFrame, scenario: str, programme: str) -> tuple[float, float, float]:
    """5 % point, median and 95 % point of the last year, m BHS."""
    rows = table[(table["scenario"] == scenario) & (table["programme"] == programme)]
    low, median, high = rows[["level_p05_m_bhs", "level_m_bhs", "level_p95_m_bhs"]].iloc[-1]
    return float(low), float(median), float(high)


class EndLabels:
    """Labels of the last year: a head that names the programmes, then a block of lines for each scenario."""

    GAP = 0.14
    SAMPLE = 0.6

    def __init__(self, table: pd.DataFrame, scenarios: list[str], shown: list[str]) -> None:
        self._scenarios, self._shown = scenarios, shown
        self._row_cm = style.line_cm()
        self._ends = {(s, p): last_year(table, s, p) for s in scenarios for p in shown}
        single = all(low == high for low, _, high in self._ends.values())
        self._head = say("projection.end.single" if single else "projection.end", year=table["year"].max())
        self.head_cm = self._row_cm * (1 + len(shown)) + 2 * self.GAP
        self.block_cm = self._row_cm * (1 + len(shown)) + self.GAP
        lines = [self._head, *(name("programme", p) for p in shown), *(map(self._range, self._ends.values()))]
        self.width_cm = self.SAMPLE + max(style.text_width(line, style.SMALL) for line in lines)

    def write_beside(self, ax: Axes, top: float, limits: tuple[float, float]) -> None:
        """Write the blocks as near as they can be to the medians, in axes `top` cm high."""
        self._write_head(ax, top)
        lowest, highest = limits
        centres = [
            (self._ends[scenario, self._shown[0]][1] - lowest) / (highest - lowest) * top
            for scenario in self._scenarios
        ]
        heights = [self.block_cm] * len(centres)
        # Turned round, so that equal medians keep the order of the scenarios, the first on top.
        middles = style.spread(centres[::-1], heights, 0.0, top - self.head_cm)[::-1]
        for scenario, middle in zip(self._scenarios, middles, strict=True):
            self._write_block(ax, scenario, 0.0, middle + 0.5 * self.block_cm)

    def write_below(self, ax: Axes, top: float) -> None:
        """Write the blocks in two columns, in axes `top` cm high."""
        self._write_head(ax, top)
        for i, scenario in enumerate(self._scenarios):
            self._write_block(ax, scenario, (i % 2) * 4.0, top - self.head_cm - (i // 2) * self.block_cm)

    def _write_head(self, ax: Axes, top: float) -> None:
        y = top - self._row_cm
        ax.text(0.0, y, self._head, fontsize=style.SMALL, color=style.MUTED)
        for label, dashes in zip(self._shown, style.PROGRAMME_DASHES, strict=False):
            y -= self._row_cm
            self._write_line(ax, 0.0, y, dashes, style.MUTED, name("programme", label))

    def _write_block(self, ax: Axes, scenario: str, x: float, top: float) -> None:
        mark = style.SCENARIOS[scenario]
        y = top - self._row_cm
        ax.plot(x + 0.25, y + 0.09, mark.marker, color=mark.colour, markersize=4.5, clip_on=False)
        ax.text(x + self.SAMPLE, y, name("scenario", scenario), fontsize=style.SMALL, fontweight="bold")
        for label, dashes in zip(self._shown, style.PROGRAMME_DASHES, strict=False):
            y -= self._row_cm
            self._write_line(ax, x, y, dashes, mark.colour, self._range(self._ends[scenario, label]))

    def _write_line(self, ax: Axes, x: float, y: float, dashes: Any, colour: str, words: str) -> None:
        ax.plot([x, x + 0.5], [y + 0.09] * 2, color=colour, linestyle=dashes, linewidth=1.3, clip_on=False)
        ax.text(x + self.SAMPLE, y, words, fontsize=style.SMALL)

    @staticmethod
    def _range(end: tuple[float, float, float]) -> str:
        low, median, high = (number(value, 1) for value in end)
        # One member has no range.
        return median if end[0] == end[2] else say("projection.range", low=low, median=median, high=high)
