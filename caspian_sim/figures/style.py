"""One style for every figure: page, type, and colours that keep their meaning from picture to picture.

Colours are told apart by readers with any common colour vision and, since their lightness differs as well, in
black and white; markers, dashes and hatches say the same once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from caspian_sim.figures.layout import (
    CM_PER_INCH,
    LINE_SPACING,
    MARGIN_CM,
    NARROW_CM,
    PAGE_WIDTH_CM,
    POINTS_PER_CM,
    Page,
    page,
    room_for,
    text_width,
    wrap,
)
from caspian_sim.figures.look import (
    INK,
    LOOKS,
    MUTED,
    PNG_DPI,
    RULE,
    Look,
    PageFigure,
    drawing,
    looking,
    now,
)

__all__ = [
    "BELOW_CM",
    "BODY",
    "BUDGET_TERMS",
    "CM_PER_INCH",
    "HINDCAST_RUNS",
    "INK",
    "LABEL_CM",
    "LEFT_CM",
    "LINE_SPACING",
    "LOOKS",
    "MARGIN_CM",
    "MUTED",
    "NARROW_CM",
    "PAGE_WIDTH_CM",
    "PNG_DPI",
    "POINTS_PER_CM",
    "PROGRAMME_DASHES",
    "RULE",
    "SCENARIOS",
    "SMALL",
    "STATES",
    "TITLE",
    "VARIANCE_SOURCES",
    "Look",
    "Mark",
    "Page",
    "PageFigure",
    "Palette",
    "drawing",
    "line_cm",
    "looking",
    "now",
    "page",
    "room_cm",
    "room_for",
    "spread",
    "swatch",
    "taller",
    "text_width",
    "width_of",
    "wrap",
]

SMALL: float
BODY: float
TITLE: float
"""Font sizes, points."""
LABEL_CM: float
"""Distance of the names of vertical axes from the left edge."""
LEFT_CM: float
"""Room for the numbers and the name of a vertical axis."""
BELOW_CM: float
"""Room for the numbers and the name of a horizontal axis."""


@dataclass(frozen=True)
class Mark:
    """How one thing looks wherever it is drawn."""

    colour: str
    marker: str = "o"
    hatch: str = ""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> float:
        """Sizes follow the style in which a figure is being drawn."""
        if name in ("SMALL", "BODY", "TITLE", "LABEL_CM", "LEFT_CM", "BELOW_CM"):
            return getattr(now(), name.lower())
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def line_cm() -> float:
    """Height of a line of small text, cm."""
    return now().small * LINE_SPACING / POINTS_PER_CM


def taller() -> float:
    """How much taller rows are than in a report: a slide has room, and larger text."""
    return 1.5 if now().slide else 1.0


def width_of(ax: Axes) -> float:
    """Width of axes, cm."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return float(ax.get_position().width * figure.get_figwidth() * CM_PER_INCH)


def room_cm(texts: Iterable[str], least: float = 0.0, bold: bool = False) -> float:
    """Room for the widest of some small texts, cm.

    Parameters
    ----------
    texts : iterable of str
        A text may have several lines.
    least : float
        At least as much, in the size of text of a report.
    bold : bool
    """
    lines = (line for text in texts for line in text.split("\n"))
    widest = max((text_width(line, now().small, bold) for line in lines), default=0.0)
    return max(widest, least * now().small / LOOKS["report"].small)


class Palette(Mapping[str, Mark]):
    """Marks by name, with others in the style without colours.

    Parameters
    ----------
    marks, grey : mapping of str to Mark
        The usual ones, and those of the style ``bw``.
    """

    def __init__(self, marks: Mapping[str, Mark], grey: Mapping[str, Mark]) -> None:
        self._marks, self._grey = dict(marks), dict(grey)

    def __getitem__(self, name: str) -> Mark:
        return (self._grey if now().grey else self._marks)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)


# From cool and light for low emissions to dark for very high ones.
SCENARIOS: Mapping[str, Mark] = Palette(
    {
        "ssp119": Mark("#86CFC3", "v"),
        "ssp126": Mark("#4FA0DB", "o"),
        "ssp245": Mark("#B57A00", "s"),
        "ssp370": Mark("#BC2F1F", "^"),
        "ssp585": Mark("#4A1040", "D"),
    },
    grey={
        "ssp119": Mark("#C9C9C9", "v", "||||"),
        "ssp126": Mark("#ADADAD", "o", ""),
        "ssp245": Mark("#858585", "s", "////"),
        "ssp370": Mark("#555555", "^", "...."),
        "ssp585": Mark("#000000", "D", "xxxx"),
    },
)

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
