"""Heat maps of probabilities by year: cells with their number, legible without colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.text import number

PERCENT = 100.0
# From white to dark, so that lightness says in black and white what colour says.
SHADES = LinearSegmentedColormap.from_list(
    "probability", ["#FFFFFF", "#F6D9A8", "#D98200", "#7A2E0E", "#3A0F06"]
)
WATER = LinearSegmentedColormap.from_list("dry", ["#FFFFFF", "#E9E2CF", "#CDB98A", "#8C7440", "#4A3B1A"])
LIGHT = 0.48
"""Brightness of a shade above which its number is dark; the brightness of white is 1."""
BRIGHTNESS = (0.299, 0.587, 0.114)
"""Parts of red, green and blue in the brightness of a colour (ITU-R BT.601)."""
EDGE = 0.04
"""Gap between cells, cells."""


def cells(
    ax: Axes,
    values: NDArray[np.float64],
    tops: Sequence[float],
    labels: Sequence[Sequence[str]] | None = None,
    shades: LinearSegmentedColormap = SHADES,
    size: float | None = None,
) -> None:
    """Draw rows of cells, each with its number.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        From 0 to the number of columns across; rows are one high, downwards.
    values : ndarray, shape (row, column)
        Shares, 0 to 1.
    tops : sequence of float
        Upper edge of each row.
    labels : sequence of sequence of str, optional
        Texts of the cells; whole percent when not given.
    shades : LinearSegmentedColormap, optional
    size : float, optional
        Of the numbers, points; small text of the style when not given.
    """
    for i, (row, top) in enumerate(zip(values, tops, strict=True)):
        for j, share in enumerate(row):
            shade = shades(float(np.clip(share, 0.0, 1.0)))
            bright = float(np.dot(shade[:3], BRIGHTNESS)) > LIGHT
            ax.add_patch(
                Rectangle(
                    (j + EDGE, top + EDGE),
                    1.0 - 2 * EDGE,
                    1.0 - 2 * EDGE,
                    facecolor=shade,
                    edgecolor=style.RULE,
                    linewidth=0.3,
                )
            )
            ax.text(
                j + 0.5,
                top + 0.5,
                labels[i][j] if labels is not None else percent(float(share)),
                fontsize=style.SMALL if size is None else size,
                color=style.INK if bright else "white",
                ha="center",
                va="center_baseline",
            )


def percent(share: float) -> str:
    """Write a share as whole percent; what is neither none nor all of the members does not become so."""
    if 0.0 < share < 0.005:
        return "<1"
    if 0.995 <= share < 1.0:
        return ">99"
    return number(PERCENT * share)


def fitting(width_cm: float, years: NDArray[np.int64], most: int) -> list[int]:
    """Years for columns, at most as many as there is room for their names, see :func:`shown_years`."""
    column_cm = style.room_cm([str(years[-1])]) + 0.1
    return shown_years(years, max(min(most, int(width_cm / column_cm)), 2))


def shown_years(years: NDArray[np.int64], most: int) -> list[int]:
    """Years for columns: the first and the last, and round ones between them.

    Parameters
    ----------
    years : ndarray of int
    most : int
        Columns that there is room for.
    """
    first, last = int(years[0]), int(years[-1])
    for step in (1, 2, 5, 10, 20, 25, 50, 100):
        # A round year next to an end gives way to it.
        inside = [y for y in range(first + 1, last) if y % step == 0 and min(y - first, last - y) > step // 3]
        found = list(dict.fromkeys([first, *inside, last]))
        if len(found) <= most:
            return found
    return [first, last]
