r"""Evaporation over shallow water: how much of the sea is shallow, and what that does to its evaporation.

Water shallower than a depth *d* evaporates :math:`1 + k` times as much as deeper water. With the share of the
sea that is shallow,

.. math:: \sigma(h) = 1 - A(h - d) / A(h),

the mean over the sea is proportional to :math:`1 + k \sigma(h)`. It is scaled to be the evaporation *E* of
the climate at the mean level :math:`h_0` of the baseline, where *E* was found:

.. math:: E(h) = E\,\frac{1 + k\,\sigma(h)}{1 + k\,\sigma(h_0)} = E\,[1 + w\,(\sigma(h) - \sigma(h_0))],
    \qquad w = \frac{k}{1 + k\,\sigma(h_0)}

so that the water which the sea loses is that of the area :math:`A + w\,(\sigma - \sigma_0)\,A`. The
product of the last two is the excess of shallow water, a column of the look-up table; *w* belongs to the
member.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.hypsometry import Hypsometry
from caspian_sim.basin.volume_table import VolumeTable

Array = NDArray[np.float64]


def shallow_share(curve: Hypsometry, level: Array | float, depth: float) -> Array:
    """Share of the sea that is shallower than a depth.

    Parameters
    ----------
    curve : Hypsometry
    level : ndarray or float
        Level of the sea, m BHS, within the curve.
    depth : float
        m. Below the curve the area counts as that of its lowest node.

    Returns
    -------
    ndarray
        From 0 to 1.
    """
    height = np.asarray(level, dtype=np.float64)
    return np.asarray(1.0 - curve.area(_bed(curve, height, depth)) / np.asarray(curve.area(height)))


def shallow_weight(factor: Array, baseline_share: float) -> Array:
    """Weight of an excess of shallow water in the evaporation of the sea.

    Parameters
    ----------
    factor : ndarray, shape (member,)
        By how much more shallow water evaporates than deep water, as a share of the latter (*k*).
    baseline_share : float
        Share of the sea that is shallow at the mean level of the baseline.

    Returns
    -------
    ndarray, shape (member,)
    """
    return np.asarray(factor / (1.0 + factor * baseline_share))


def with_shallows(
    table: VolumeTable, curve: Hypsometry, depth: float, baseline_share: float, held_at: float | None = None
) -> VolumeTable:
    """Put the excess of shallow water into a look-up table.

    Parameters
    ----------
    table : VolumeTable
        Of the curve, or of a basin of constant area in its place.
    curve : Hypsometry
        Curve of the sea.
    depth : float
        Depth down to which water is shallow, m.
    baseline_share : float
        Share of the sea that is shallow at the mean level of the baseline.
    held_at : float, optional
        Level (m BHS) whose share holds at every level, as the area does where it is constant.

    Returns
    -------
    VolumeTable
    """
    level, area = table.node_level, table.node_area
    if held_at is None:
        deep = np.asarray(curve.area(_bed(curve, level, depth)))
        excess = (1.0 - baseline_share) * area - deep
    else:
        excess = (shallow_share(curve, held_at, depth) - baseline_share) * area
    return replace(table, node_excess=excess, excess_slope=np.diff(excess) / np.diff(level))


def _bed(curve: Hypsometry, level: Array, depth: float) -> Array:
    return np.asarray(np.maximum(level - depth, curve.node_level[0]))
