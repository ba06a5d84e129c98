"""Calibration: which parameters the record ties to each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.calibration import NEEDED, POSTERIOR, calibration_footer, label
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import axis_numbers, number, say

Array = NDArray[np.float64]

PAIRED = (
    "strait_sill",
    "strait_coefficient_before_1980",
    "volga_sensitivity",
    "river_inflow",
    "area_factor",
    "net_evaporation",
    "evaporation_sensitivity",
)
"""Parameters with the largest correlations, but for those of the noise."""
POINTS = 1500
"""Draws that are shown of all of them."""
PANEL_GAP_CM = 0.15
LEFT_CM, NAMES_CM, SLIDE_CM = 1.15, 1.8, 21.0
STRONG = 0.3
"""Correlation from which its number is set in bold."""
ENDS = (0.005, 0.995)
CLEAR = 0.15
"""Share of a horizontal axis at either end that has no numbers."""


def pairs(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the parameters that are tied most against each other, with their correlations.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.calibrate`.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "pairs", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def pairs_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`pairs`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`pairs`.

    Returns
    -------
    pandas.DataFrame
        For each pair, `parameter` and `other`: `correlation` (Pearson) over all draws.
    """
    require(ds, "pairs", NEEDED)
    together = np.asarray(np.corrcoef(_draws(ds).T))
    return pd.DataFrame(
        [
            {"parameter": PAIRED[a], "other": PAIRED[b], "correlation": float(together[a, b])}
            for a, b in combinations(range(len(PAIRED)), 2)
        ]
    )


def _draws(ds: xr.Dataset) -> Array:
    chosen = ds["value"].sel(parameter=list(PAIRED)).transpose("ensemble", "step", "walker", "parameter")
    return chosen.values.reshape(-1, len(PAIRED)).astype(float)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    draws, count = _draws(ds), len(PAIRED)
    together = np.asarray(np.corrcoef(draws.T))
    left_cm, names_cm = style.room_cm([], LEFT_CM), style.room_cm([], NAMES_CM)
    width_cm = style.room_for(width_cm, SLIDE_CM)
    size = (width_cm - left_cm - 0.3 - PANEL_GAP_CM * (count - 1)) / count
    page = style.page(
        width_cm,
        count * (size + PANEL_GAP_CM) + names_cm,
        say("calibration.pairs.title"),
        say("calibration.pairs.subtitle", points=number(POINTS)),
        calibration_footer(ds),
    )
    shown = draws[np.linspace(0, len(draws) - 1, min(POINTS, len(draws))).round().astype(int)]
    ends = np.asarray(np.quantile(draws, ENDS, axis=0))
    for row in range(count):
        for column in range(count):
            left = left_cm + column * (size + PANEL_GAP_CM)
            ax = page.axes(left, width_cm - left - size, row * (size + PANEL_GAP_CM), size)
            ax.set_xlim(*ends[:, column])
            if row == column:
                ax.hist(draws[:, row], bins=30, range=tuple(ends[:, row]), color=POSTERIOR)
                ax.set_yticks([])
            elif column < row:
                ax.set_ylim(*ends[:, row])
                ax.plot(
                    shown[:, column],
                    shown[:, row],
                    ".",
                    color=style.INK,
                    markersize=1.7,
                    alpha=0.45,
                    markeredgewidth=0.0,
                    rasterized=True,
                )
            else:
                _correlation(ax, float(together[row, column]))
                continue
            _ticks(ax, row, column, count)
            if row == count - 1:
                _below(ax, ds, PAIRED[column], size)
    return page.figure


def _correlation(ax: Axes, value: float) -> None:
    ax.set_axis_off()
    strong = abs(value) >= STRONG
    ax.text(
        0.5,
        0.5,
        number(value, 2, sign=True),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=style.TITLE if strong else style.SMALL,
        fontweight="bold" if strong else "normal",
        color=style.INK if strong else style.MUTED,
    )


def _ticks(ax: Axes, row: int, column: int, count: int) -> None:
    # Numbers near an end would touch those of the neighbour.
    low, high = ax.get_xlim()
    ticks = np.asarray(MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high))
    margin = CLEAR * (high - low)
    ax.set_xticks(ticks[(ticks >= low + margin) & (ticks <= high - margin)])
    ax.xaxis.set_major_formatter(axis_numbers())
    ax.tick_params(labelbottom=row == count - 1)
    if row != column:
        ax.locator_params(axis="y", nbins=3)
        ax.yaxis.set_major_formatter(axis_numbers())
        ax.tick_params(labelleft=column == 0)


def _below(ax: Axes, ds: xr.Dataset, parameter: str, size: float) -> None:
    unit = str(ds["unit"].sel(parameter=parameter).item())
    lines = style.wrap(label(parameter, unit), size + 0.1, style.SMALL)
    ax.set_xlabel("\n".join(lines), fontsize=style.SMALL, labelpad=1.5)
