"""How pages look: sizes of text, lines and colours of every style, and the figure that keeps its style.

Nothing here touches the global state of matplotlib for longer than a figure is being drawn.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from caspian_sim.errors import OutputError
from caspian_sim.figures import grey
from caspian_sim.figures.text import decimal_mark, with_decimal_mark

PNG_DPI = 200

INK, MUTED, RULE = "#1A1A1A", "#595959", "#D0D0D0"
"""Text and observations, secondary text, rules."""


@dataclass(frozen=True)
class Look:
    """How large text is and how it stands on the page; sizes in points.

    Attributes
    ----------
    name : str
    small, body, title : float
        Text in a plot, names of axes, and the title.
    subtitle, footer : float
        Text around a plot.
    left_cm, below_cm, label_cm : float
        Room beside and below a plot for an axis, and the distance of the name of a vertical axis.
    slide : bool
        Whether the page is 16:9, with the text in a column beside the plot.
    grey : bool
        Whether everything is drawn in shades of grey.
    """

    name: str
    small: float = 7.0
    body: float = 7.5
    title: float = 9.5
    subtitle: float = 7.5
    footer: float = 7.0
    left_cm: float = 1.5
    below_cm: float = 1.0
    label_cm: float = 0.45
    slide: bool = False
    grey: bool = False


LOOKS = {
    look.name: look
    for look in (
        Look("report"),
        Look("slides", 9.6, 10.2, 15.0, 9.6, 7.4, left_cm=1.85, below_cm=1.25, label_cm=0.5, slide=True),
        Look("bw", grey=True),
    )
}
"""Styles by name: a page of a report, a slide, and a page for a printer without colours."""
_LOOK: ContextVar[Look] = ContextVar("look", default=LOOKS["report"])


@contextmanager
def looking(name: str) -> Iterator[None]:
    """Draw in a style of :data:`LOOKS` what is drawn inside.

    Raises
    ------
    OutputError
        When there is no such style.
    """
    if name not in LOOKS:
        raise OutputError(f"there is no style {name!r}\n    allowed  {', '.join(LOOKS)}")
    token = _LOOK.set(LOOKS[name])
    try:
        yield
    finally:
        _LOOK.reset(token)


def now() -> Look:
    """Style that is drawn in."""
    return _LOOK.get()


_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": RULE,
    "grid.linewidth": 0.4,
    "hatch.linewidth": 0.4,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Letters keep their true width, so that lines break alike at every resolution.
    "text.hinting": "none",
    # Outlines of letters: an SVG looks the same wherever it is opened. The salt makes the names within it the
    # same in every run.
    "svg.fonttype": "path",
    "svg.hashsalt": "caspian_sim",
}

# The style of matplotlib is one for the whole process, so figures are drawn one after the other.
_DRAWING = threading.RLock()


def _sizes(look: Look) -> dict[str, Any]:
    return {
        "font.size": look.body,
        "axes.titlesize": look.body,
        "axes.labelsize": look.body,
        "xtick.labelsize": look.small,
        "ytick.labelsize": look.small,
        "hatch.linewidth": 0.6 if look.grey else 0.4,
    }


@contextmanager
def drawing(look: Look | None = None) -> Iterator[None]:
    """Apply the style to what is drawn or saved inside, whatever the settings of the user are."""
    look = look or _LOOK.get()
    with _DRAWING, matplotlib.style.context(["default", {**_RC, **_sizes(look)}]):
        token = _LOOK.set(look)
        try:
            yield
        finally:
            _LOOK.reset(token)


class PageFigure(Figure):
    """A matplotlib figure that keeps the style and shows itself in a notebook without pyplot.

    Attributes
    ----------
    look : Look
        Style that the figure was made in.
    decimal : str
        Mark between the whole and the fraction of a number, in the language that it was made in.
    png_dpi : float
        Dots per inch of its PNG.
    spare_cm : float
        Width that the text beside the plots of a slide does not need.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.look = _LOOK.get()
        self.decimal = decimal_mark()
        self.png_dpi: float = PNG_DPI
        self.spare_cm = 0.0

    def draw(self, renderer: RendererBase) -> None:
        """Draw on a renderer."""
        with drawing(self.look):
            _write_decimals(self)
            if self.look.grey:
                grey.turn_grey(self)
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save to a file, as :meth:`matplotlib.figure.Figure.savefig`."""
        with drawing(self.look):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.png_dpi)
        return buffer.getvalue()


class _Decimals(ScalarFormatter):
    """Numbers of an axis with the decimal mark of a language."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._mark = mark

    def __call__(self, x: float, pos: int | None = None) -> str:
        return with_decimal_mark(super().__call__(x, pos), self._mark)


def _write_decimals(figure: PageFigure) -> None:
    """Give the axes whose numbers matplotlib writes the decimal mark of the figure."""
    if figure.decimal == ".":
        return
    for ax in [inner for outer in figure.axes for inner in (outer, *outer.child_axes)]:
        for axis in (ax.xaxis, ax.yaxis):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(_Decimals(figure.decimal))
