"""Pages: a title above, room for plots, and a footer below or, on a slide, text beside them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath

from caspian_sim.figures.look import INK, MUTED, RULE, PageFigure, now

PAGE_WIDTH_CM = 16.0
"""Text width of an A4 page; a column of 8.5 cm works as well."""
NARROW_CM = 12.0
"""Below this width labels move from the side of a plot to below it."""
CM_PER_INCH = 2.54
POINTS_PER_CM = 72.0 / CM_PER_INCH
LINE_SPACING = 1.25
MARGIN_CM = 0.2
SLIDE_SHAPE = 16.0 / 9.0
SLIDE_PIXELS = 2560
COLUMN_CM, COLUMN_STEP_CM = 5.0, 0.25
"""Least width of the column of text on a slide, and the step in which it grows."""


@dataclass(frozen=True)
class Page:
    """A figure with its title above and its footer below, and room for plots between them.

    Attributes
    ----------
    figure : PageFigure
    width, height : float
        Room for plots with its margins, and whole figure, cm.
    top, bottom : float
        Height at which the room for plots ends and begins, cm from the lower edge.
    sheet : float
        Width of the whole figure, cm.
    """

    figure: PageFigure
    width: float
    height: float
    top: float
    bottom: float
    sheet: float

    @property
    def narrow(self) -> bool:
        """Whether the page is a column rather than the width of the text."""
        return self.width < NARROW_CM

    def axes(self, left: float, right: float, below_top: float, height: float, **options: Any) -> Axes:
        """Add axes `left` and `right` cm from the edges, `below_top` cm below the head, `height` cm high."""
        box = (
            left / self.sheet,
            (self.top - below_top - height) / self.height,
            (self.width - left - right) / self.sheet,
            height / self.height,
        )
        ax = self.figure.add_axes(box, **options)
        # Names of the vertical axes stand in one line, whatever the width of the numbers.
        ax.yaxis.set_label_coords((now().label_cm - left) / (self.width - left - right), 0.5)
        return ax

    def blank(self, left: float, right: float, below_top: float, height: float) -> Axes:
        """Add axes without anything drawn, in cm from their lower left corner: room for labels."""
        ax = self.axes(left, right, below_top, height)
        ax.set(xlim=(0.0, self.width - left - right), ylim=(0.0, height))
        ax.set_axis_off()
        return ax


_Lines = list[tuple[str, float, str, str]]
"""Lines of text with their size, colour and weight."""
_GAP_CM = 0.25


def page(width_cm: float, plot_height_cm: float, title: str, subtitle: str, footer: Sequence[str]) -> Page:
    """Start a figure: its height follows from the room for plots and from the text around it.

    A slide is wider than `width_cm`: the text stands beside the room for plots, and the slide is as large as
    both of them need.

    Parameters
    ----------
    width_cm, plot_height_cm : float
        Width of the figure and height of the room for plots, cm.
    title, subtitle : str
    footer : sequence of str
        Paragraphs: sources, caveats, run and datum.
    """
    look = now()
    if look.slide:
        return _slide(width_cm, plot_height_cm, title, subtitle, footer)
    room = width_cm - 2 * MARGIN_CM
    head: _Lines = [(line, look.title, INK, "bold") for line in wrap(title, room, look.title, bold=True)]
    head += [(line, look.subtitle, MUTED, "normal") for line in wrap(subtitle, room, look.subtitle)]
    foot = _small_print(footer, room)
    height = 3 * _GAP_CM + _depth(head) + plot_height_cm + _depth(foot) + _GAP_CM
    figure = _sheet(width_cm, height)
    top = _write(figure, head, MARGIN_CM, height - _GAP_CM + 0.05) - _GAP_CM
    bottom = top - plot_height_cm
    _rule(figure, (MARGIN_CM, width_cm - MARGIN_CM), (bottom - 0.5 * _GAP_CM,) * 2)
    _write(figure, foot, MARGIN_CM, bottom - 0.6 * _GAP_CM)
    return Page(figure, width_cm, height, top, bottom, width_cm)


def _slide(width_cm: float, plot_height_cm: float, title: str, subtitle: str, footer: Sequence[str]) -> Page:
    """Start a slide: the title above, and a column of text as wide as it needs to be beside the plots."""
    look = now()

    def beside(room: float) -> tuple[_Lines, _Lines, float]:
        """Text in a column, and the height that it needs."""
        says: _Lines = [(line, look.subtitle, INK, "normal") for line in wrap(subtitle, room, look.subtitle)]
        foot = _small_print(footer, room)
        return says, foot, _depth(says) + _depth(foot) + 3 * _GAP_CM

    column = COLUMN_CM
    while True:
        sheet = width_cm + column + 3 * MARGIN_CM
        lines = wrap(title, sheet - 2 * MARGIN_CM, look.title, bold=True)
        head: _Lines = [(line, look.title, INK, "bold") for line in lines]
        above = _depth(head) + 2 * _GAP_CM
        height = max(sheet / SLIDE_SHAPE, above + plot_height_cm + _GAP_CM)
        sheet = height * SLIDE_SHAPE
        room = sheet - width_cm - 3 * MARGIN_CM
        says, foot, depth = beside(room)
        if above + depth <= height:
            break
        column += COLUMN_STEP_CM
    figure = _sheet(sheet, height)
    figure.spare_cm = _spare(room, lambda narrower: above + beside(narrower)[2] <= height)
    figure.png_dpi = SLIDE_PIXELS * CM_PER_INCH / sheet
    under = _write(figure, head, MARGIN_CM, height - _GAP_CM + 0.05) - _GAP_CM
    left, low = sheet - room - MARGIN_CM, _depth(foot) + _GAP_CM
    _rule(figure, (left - MARGIN_CM,) * 2, (_GAP_CM, under))
    _write(figure, says, left, under + 0.05)
    _write(figure, foot, left, low)
    # Plots that do not need the whole height stand in its middle.
    top = under - 0.5 * max(under - _GAP_CM - plot_height_cm, 0.0)
    return Page(figure, width_cm, height, top, top - plot_height_cm, sheet)


def _spare(room: float, fits: Callable[[float], bool]) -> float:
    """Width by which a column could be narrower, cm."""
    spare = 0.0
    while room - spare - COLUMN_STEP_CM >= COLUMN_CM and fits(room - spare - COLUMN_STEP_CM):
        spare += COLUMN_STEP_CM
    return spare


def _small_print(footer: Sequence[str], room: float) -> _Lines:
    size = now().footer
    return [(line, size, MUTED, "normal") for part in footer for line in wrap(part, room, size)]


def _depth(lines: _Lines) -> float:
    """Height of lines of text, cm."""
    return sum(size * LINE_SPACING / POINTS_PER_CM for _, size, _, _ in lines)


def _sheet(width_cm: float, height_cm: float) -> PageFigure:
    figure = PageFigure(figsize=(width_cm / CM_PER_INCH, height_cm / CM_PER_INCH))
    FigureCanvasAgg(figure)
    return figure


def _write(figure: PageFigure, lines: _Lines, x: float, y: float) -> float:
    """Write lines from a place downwards, cm; returns where the last one stands."""
    width, height = figure.get_size_inches() * CM_PER_INCH
    for line, size, colour, weight in lines:
        y -= size * LINE_SPACING / POINTS_PER_CM
        place = (x / width, y / height)
        figure.text(*place, line, fontsize=size, color=colour, fontweight=weight, va="baseline")
    return y


def _rule(figure: PageFigure, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Draw a thin line between two places, cm."""
    width, height = figure.get_size_inches() * CM_PER_INCH
    ends = ([place / width for place in x], [place / height for place in y])
    figure.add_artist(Line2D(*ends, color=RULE, linewidth=0.6))


def room_for(width_cm: float, needed_cm: float) -> float:
    """Width of the plots: as asked, but on a slide, which has room, at least as much as they need, cm."""
    return max(width_cm, needed_cm) if now().slide else width_cm


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text, cm."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS_PER_CM


def wrap(text: str, width_cm: float, size: float, bold: bool = False) -> list[str]:
    """Break text at spaces into lines that are at most `width_cm` wide."""
    lines: list[str] = []
    # Spaces that must not break stay.
    for word in re.findall(r"[^ \n]+", text):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold) <= width_cm:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
