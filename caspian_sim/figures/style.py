"""One style for every figure: page, type, and colours that keep their meaning from picture to picture.

Colours are told apart by readers with any common colour vision and, since their lightness differs as well, in
black and white; markers, dashes and hatches say the same once more. Nothing here touches the global state of
matplotlib for longer than a figure is being drawn.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

PAGE_WIDTH_CM = 16.0
"""Text width of an A4 page; a column of 8.5 cm works as well."""
NARROW_CM = 12.0
"""Below this width labels move from the side of a plot to below it."""
CM_PER_INCH = 2.54
POINTS_PER_CM = 72.0 / CM_PER_INCH
PNG_DPI = 200

SMALL, BODY, TITLE = 7.0, 7.5, 9.5
"""Font sizes, points."""
LINE_SPACING = 1.25
MARGIN_CM = 0.2
LABEL_CM = 0.45
"""Distance of the names of vertical axes from the left edge."""
LEFT_CM = 1.5
"""Room for the numbers and the name of a vertical axis."""
BELOW_CM = 1.0
"""Room for the numbers and the name of a horizontal axis."""

INK, MUTED, RULE = "#1A1A1A", "#595959", "#D0D0D0"
"""Text and observations, secondary text, rules."""


@dataclass(frozen=True)
class Mark:
    """How one thing looks wherever it is drawn."""

    colour: str
    marker: str = "o"
    hatch: str = ""


# From cool and light for low emissions to dark for very high ones.
SCENARIOS = {
    "ssp119": Mark("#86CFC3", "v"),
    "ssp126": Mark("#4FA0DB", "o"),
    "ssp245": Mark("#B57A00", "s"),
    "ssp370": Mark("#BC2F1F", "^"),
    "ssp585": Mark("#4A1040", "D"),
}

# Okabe and Ito (2008), Color Universal Design; water users upstream of the littoral states in grey.
STATES = {
    "AZ": Mark("#56B4E9", "o", "//"),
    "IR": Mark("#009E73", "s", "\\\\"),
    "KZ": Mark("#E69F00", "^", ".."),
    "RU": Mark("#0072B2", "D", "xx"),
    "TM": Mark("#D55E00", "v", "--"),
    "upstream": Mark("#999999", "P", ""),
}

# Water that comes is blue or green, water that goes is yellow to brown.
BUDGET_TERMS = {
    "inflow": Mark("#2B6CB0"),
    "precipitation": Mark("#9CCAEA", hatch=".."),
    "groundwater": Mark("#3B2F7F"),
    "measures": Mark("#1B7F4B", hatch="xx"),
    "evaporation": Mark("#F2B65A"),
    "net_evaporation": Mark("#F6D9A8", hatch="//"),
    "strait": Mark("#A0522D", hatch="\\\\"),
    "consumption": Mark("#5C2A12"),
}

HINDCAST_RUNS = {
    "inflow alone": Mark("#D98200", "s"),
    "slow net evaporation": Mark("#1F5FA8", "o"),
    "full reconstruction": Mark("#1B7F4B", "^"),
}

# Light, middle and dark take turns from the bottom of the stack up.
VARIANCE_SOURCES = {
    "internal_variability": Mark("#F0B95C", hatch=".."),
    "parameters": Mark("#3F7FBF", hatch="//"),
    "structure": Mark("#5B3A7E", hatch="\\\\"),
    "scenario": Mark("#7DBF8E", hatch="xx"),
    "interactions": Mark("#DADADA"),
}

# Programmes differ by dashes, since colour belongs to the scenario.
PROGRAMME_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.2)))

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": BODY,
    "axes.titlesize": BODY,
    "axes.labelsize": BODY,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
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


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the style to what is drawn or saved inside, whatever the settings of the user are."""
    with _DRAWING, matplotlib.style.context(["default", _RC]):
        yield


class PageFigure(Figure):
    """A matplotlib figure that keeps the style and shows itself in a notebook without pyplot."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw on a renderer."""
        with drawing():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save to a file, as :meth:`matplotlib.figure.Figure.savefig`."""
        with drawing():
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=PNG_DPI)
        return buffer.getvalue()


@dataclass(frozen=True)
class Page:
    """A figure with its title above and its footer below, and room for plots between them.

    Attributes
    ----------
    figure : PageFigure
    width, height : float
        Whole figure, cm.
    top, bottom : float
        Height at which the room for plots ends and begins, cm from the lower edge.
    """

    figure: PageFigure
    width: float
    height: float
    top: float
    bottom: float

    @property
    def narrow(self) -> bool:
        """Whether the page is a column rather than the width of the text."""
        return self.width < NARROW_CM

    def axes(self, left: float, right: float, below_top: float, height: float, **options: Any) -> Axes:
        """Add axes `left` and `right` cm from the edges, `below_top` cm below the head, `height` cm high."""
        box = (
            left / self.width,
            (self.top - below_top - height) / self.height,
            (self.width - left - right) / self.width,
            height / self.height,
        )
        ax = self.figure.add_axes(box, **options)
        # Names of the vertical axes stand in one line, whatever the width of the numbers.
        ax.yaxis.set_label_coords((LABEL_CM - left) / (self.width - left - right), 0.5)
        return ax

    def blank(self, left: float, right: float, below_top: float, height: float) -> Axes:
        """Add axes without anything drawn, in cm from their lower left corner: room for labels."""
        ax = self.axes(left, right, below_top, height)
        ax.set(xlim=(0.0, self.width - left - right), ylim=(0.0, height))
        ax.set_axis_off()
        return ax


def page(width_cm: float, plot_height_cm: float, title: str, subtitle: str, footer: Sequence[str]) -> Page:
    """Start a figure: its height follows from the room for plots and from the text around it.

    Parameters
    ----------
    width_cm, plot_height_cm : float
        Width of the whole figure and height of the room for plots, cm.
    title, subtitle : str
    footer : sequence of str
        Paragraphs: sources, evidence, run.

    Returns
    -------
    Page
    """
    room = width_cm - 2 * MARGIN_CM
    head = [(line, TITLE, INK, "bold") for line in wrap(title, room, TITLE, bold=True)]
    head += [(line, BODY, MUTED, "normal") for line in wrap(subtitle, room, BODY)]
    foot = [(line, SMALL, MUTED, "normal") for part in footer for line in wrap(part, room, SMALL)]

    def depth(lines: Sequence[tuple[str, float, str, str]]) -> float:
        return sum(size * LINE_SPACING / POINTS_PER_CM for _, size, _, _ in lines)

    gap = 0.25
    height = 3 * gap + depth(head) + plot_height_cm + depth(foot) + gap
    figure = PageFigure(figsize=(width_cm / CM_PER_INCH, height / CM_PER_INCH))
    FigureCanvasAgg(figure)

    def write(lines: Sequence[tuple[str, float, str, str]], y: float) -> float:
        for line, size, colour, weight in lines:
            y -= size * LINE_SPACING / POINTS_PER_CM
            figure.text(
                MARGIN_CM / width_cm,
                y / height,
                line,
                fontsize=size,
                color=colour,
                fontweight=weight,
                va="baseline",
            )
        return y

    top = write(head, height - gap + 0.05) - gap
    bottom = top - plot_height_cm
    rule = (bottom - 0.5 * gap) / height
    ends = [MARGIN_CM / width_cm, 1 - MARGIN_CM / width_cm]
    figure.add_artist(Line2D(ends, [rule, rule], color=RULE, linewidth=0.6))
    write(foot, bottom - 0.6 * gap)
    return Page(figure, width_cm, height, top, bottom)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text, cm."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS_PER_CM


def wrap(text: str, width_cm: float, size: float, bold: bool = False) -> list[str]:
    """Break text at spaces into lines that are at most `width_cm` wide."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold) <= width_cm:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def spread(
    centres: Sequence[float], heights: Sequence[float], lowest: float, highest: float
) -> NDArray[np.float64]:
    """Move labels as little as possible so that none covers another.

    Parameters
    ----------
    centres, heights : sequence of float
        Wanted middle and height of each label, in any order.
    lowest, highest : float
        Room for all labels; exceeded upwards when it is too small.

    Returns
    -------
    ndarray, shape (label,)
        Middle of each label, in the order given, of least squared distance to the wanted ones.
    """
    order = np.argsort(centres, kind="stable")
    size = np.asarray(heights, dtype=np.float64)[order]
    # Without the heights of the labels below it, a row without overlap is just one that does not decrease.
    below = np.concatenate([[0.0], np.cumsum(size)[:-1]]) + 0.5 * size
    wanted = np.asarray(centres, dtype=np.float64)[order] - below
    fitted = np.asarray(isotonic_regression(wanted).x, dtype=np.float64)
    result = np.empty_like(size)
    result[order] = np.maximum(np.minimum(fitted, highest - size.sum()), lowest) + below
    return result


def swatch(ax: Axes, mark: Mark, x: float, y: float, size: float = 0.24) -> None:
    """Draw a small filled square with the colour and hatch of a mark, centred at (x, y) in data units."""
    ax.add_patch(
        Rectangle(
            (x - size / 2, y - size / 2),
            size,
            size,
            facecolor=mark.colour,
            edgecolor="white",
            hatch=mark.hatch,
            linewidth=0.0,
        )
    )
