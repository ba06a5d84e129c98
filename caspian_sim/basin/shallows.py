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

# Levels closer than this are one, m: the table must not get a segment out of rounding.
SAME_NODE = 1e-6


def shallow_share(curve: Hypsometry, level: Array | float, depth: float) -> Array:
    """Share of the sea that is shallower than a depth.

    Parameters
    ----------
    curve : Hypsometry
    level : ndarray or float
        Level of the sea, m BHS; with the bed at that depth within the curve.
    depth : float
        m.

    Returns
    -------
    ndarray
        From 0 to 1.
    """
    height = np.asarray(level, dtype=np.float64)
    return np.asarray(1.0 - curve.area(height - depth) / np.asarray(curve.area(height)))


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
    curve: Hypsometry, lowest_level: float, highest_level: float, depth: float, baseline_share: float
) -> VolumeTable:
    """Look-up table of a sea with the excess of its shallow water.

    Parameters
    ----------
    curve : Hypsometry
    lowest_level, highest_level : float
        Range that the table must cover, m BHS. It ends where the bed of the shallows leaves the curve.
    depth : float
        Depth down to which water is shallow, m.
    baseline_share : float
        Share of the sea that is shallow at the mean level of the baseline.

    Returns
    -------
    VolumeTable
    """
    fine, bottom = _refined(curve, depth), curve.node_level[0]
    reached = fine.node_level[np.searchsorted(fine.node_level, bottom + depth - SAME_NODE)]
    table = fine.volume_table(max(lowest_level, float(reached)), highest_level)
    deep = np.asarray(curve.area(np.maximum(table.node_level - depth, bottom)))
    return _with_excess(table, (1.0 - baseline_share) * table.node_area - deep)


def with_constant_shallows(table: VolumeTable, share: float, baseline_share: float) -> VolumeTable:
    """Look-up table of a basin of constant area with the excess of shallow water, its share held too.

    Parameters
    ----------
    table : VolumeTable
        Of the basin of constant area.
    share, baseline_share : float
        Share of the sea that is shallow, and what it is at the mean level of the baseline.

    Returns
    -------
    VolumeTable
    """
    return _with_excess(table, (share - baseline_share) * table.node_area)


def _with_excess(table: VolumeTable, excess: Array) -> VolumeTable:
    return replace(table, node_excess=excess, excess_slope=np.diff(excess) / np.diff(table.node_level))


def _refined(curve: Hypsometry, depth: float) -> Hypsometry:
    """Curve with further nodes where the deep area has its own, so that it too is linear between them."""
    above = curve.node_level + depth
    above = above[above < curve.node_level[-1]]
    nearest = np.abs(above[:, None] - curve.node_level).min(axis=1)
    level = np.sort(np.concatenate([curve.node_level, above[nearest > SAME_NODE]]))
    return Hypsometry(node_level=level, node_area=np.asarray(curve.area(level)), name=curve.name)
