"""Cells of the table below the front: numbers, intensities as levels, and shares as shades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.text import number

Cell = Callable[[Axes, int, float, float, float, float, float], None]
"""Draws ``(axes, column, value, left, bottom, width, height)``, lengths in cm."""
DARKEST = np.array([0.10, 0.30, 0.48])
WHOLE = 100.0


@dataclass(frozen=True)
class Block:
    """Columns of the table that belong together.

    Attributes
    ----------
    title : str
    heads : sequence of str
    widths : sequence of float
        Of the columns, cm.
    values : ndarray, shape (row, column)
    cell : callable
    of_words : bool
        Whether cells are words, which stand below the right end of their head.
    """

    title: str
    heads: Sequence[str]
    widths: Sequence[float]
    values: NDArray[np.float64]
    cell: Cell
    of_words: bool = False

    @property
    def width(self) -> float:
        """Width of the columns, or of the title where that is wider, cm."""
        return max(sum(self.widths), style.text_width(self.title, style.SMALL) + 0.1)


def words(digits: Sequence[int], blank_zero: bool = False) -> Cell:
    """Cells with numbers; zeros as a dash when asked for."""

    def draw(ax: Axes, column: int, value: float, x: float, y: float, width: float, height: float) -> None:
        nothing = blank_zero and round(value, digits[column]) == 0.0
        text = "–" if nothing else number(value, digits[column])
        ax.text(
            x + width - 0.06, y + 0.5 * height, text, ha="right", va="center_baseline", fontsize=style.SMALL
        )

    return draw


def level_of(marks: Sequence[style.Mark]) -> Cell:
    """Cells filled from the bottom up to a share, in the look of each column."""

    def draw(ax: Axes, column: int, value: float, x: float, y: float, width: float, height: float) -> None:
        box = (x + 0.06, y + 0.05), width - 0.12, height - 0.1
        mark = marks[column]
        if value > 0.0:
            ax.add_patch(
                Rectangle(
                    box[0],
                    box[1],
                    value * box[2],
                    facecolor=mark.colour,
                    edgecolor="white",
                    hatch=mark.hatch,
                    linewidth=0.0,
                )
            )
        ax.add_patch(
            Rectangle(
                *box,
                facecolor="none",
                edgecolor=style.MUTED if value > 0.0 else style.RULE,
                linewidth=0.5,
            )
        )

    return draw


def heat() -> Cell:
    """Cells with whole numbers from 0 to 100 on a ground that is the darker the higher."""

    def draw(ax: Axes, column: int, value: float, x: float, y: float, width: float, height: float) -> None:
        depth = min(max(value / WHOLE, 0.0), 1.0)
        colour = tuple(1.0 - depth * (1.0 - DARKEST))
        ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", linewidth=0.6))
        ax.text(
            x + 0.5 * width,
            y + 0.5 * height,
            number(value),
            ha="center",
            va="center_baseline",
            fontsize=style.SMALL,
            color="white" if depth > 0.6 else style.INK,
        )

    return draw


def draw_blocks(
    ax: Axes,
    blocks: Sequence[Block],
    letters: Sequence[str],
    top: float,
    row: float,
    letters_width: float,
    gap: float,
) -> None:
    """Draw blocks beside each other, with a letter before each row.

    Parameters
    ----------
    ax : Axes
        In cm from its lower left corner.
    blocks : sequence of Block
    letters : sequence of str
    top, row, letters_width, gap : float
        Height of the table, of a row, width of the letters and distance of the blocks, cm.
    """
    y = len(letters) * row
    for i, letter in enumerate(letters):
        ax.text(
            0.1,
            y - (i + 0.5) * row,
            letter,
            va="center_baseline",
            fontsize=style.BODY,
            fontweight="bold",
        )
    x = letters_width
    for block in blocks:
        ax.text(
            x + 0.06, top - 0.2, block.title, va="center_baseline", fontsize=style.SMALL, color=style.MUTED
        )
        ax.plot([x + 0.06, x + block.width - 0.06], [top - 0.4] * 2, color=style.RULE, linewidth=0.6)
        at = x
        for column, (head, width) in enumerate(zip(block.heads, block.widths, strict=True)):
            right = head if block.of_words else ""
            ax.text(
                at + (width - 0.06 if right else 0.5 * width),
                y + 0.2,
                head,
                ha="right" if right else "center",
                va="center_baseline",
                fontsize=style.SMALL,
            )
            for i, value in enumerate(block.values[:, column]):
                block.cell(ax, column, float(value), at, y - (i + 1) * row, width, row)
            at += width
        x += block.width + gap
