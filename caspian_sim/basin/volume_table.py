"""Look-up of sea level and area from volume, for a solver's inner loop.

Area is linear in level between the nodes of a hypsometric curve. Within a segment that starts at level
``L_i`` with area ``A_i`` and gains ``k`` km² per metre, a volume ``v`` (km³) above the lower node gives

    A = sqrt(A_i² + 2000 k v),    L = L_i + 2000 v / (A_i + A),

which holds for vertical walls (``k = 0``) as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caspian_sim.errors import DataError

FloatArray = NDArray[np.float64]

KM2_M_PER_KM3 = 1000.0
"""One km³ spread over one km² stands 1,000 m high."""

SMALLEST_AREA = 1e-9
"""Area (km²) that stands in for none where a rise of level divides by it, at the point of a funnel."""

MAX_BINS = 4_000_000
"""Most bins a :class:`VolumeTable` may hold (16 MB)."""


def segment(values: FloatArray, nodes: FloatArray) -> NDArray[np.intp]:
    """Index of the segment between increasing `nodes` in which each value lies, the end segments extended."""
    return np.minimum(np.maximum(np.searchsorted(nodes, values, side="right") - 1, 0), nodes.size - 2)


def rise_and_area(volume: FloatArray, area: FloatArray, slope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rise of level and area of the sea when a volume stands above a node.

    Parameters
    ----------
    volume : ndarray
        Volume above the node in km³.
    area, slope : ndarray
        Area at the node in km², and what it gains above it in km²/m.

    Returns
    -------
    rise, area : ndarray
        Height above the node in m, and area there in km².
    """
    twice_volume = 2.0 * KM2_M_PER_KM3 * volume
    surface = np.sqrt(np.maximum(area * area + slope * twice_volume, 0.0))
    return twice_volume / np.maximum(area + surface, SMALLEST_AREA), surface


def pick(values: NDArray[Any], place: Any) -> Any:
    """Values at places that are known to exist; quicker than indexing."""
    return values.take(place)


def locate(table: VolumeTable, volume: FloatArray) -> Any:
    """Segment of a volume anomaly (km³), one value or an array of them, the end segments extended."""
    place = (volume - table.node_volume[0]) * table.bins_per_volume
    # fmax and fmin, unlike clip, also bring NaN inside the guide.
    begins = pick(table.guide, np.intp(np.fmin(np.fmax(place, 0.0), table.guide.size - 1.0)))
    return begins + (volume >= pick(table.next_volume, begins))


def look_up(table: VolumeTable, volume: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Level (m BHS) and area (km²) at a volume anomaly (km³), one value or an array of them, without checks.

    Outside the table the end segments are extended; NaN gives NaN.
    """
    index = locate(table, volume)
    rise, surface = rise_and_area(
        volume - pick(table.node_volume, index), pick(table.node_area, index), pick(table.slope, index)
    )
    return pick(table.node_level, index) + rise, surface


def look_up_with_shallows(
    table: VolumeTable, volume: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Level and area as :func:`look_up`, and the excess of shallow water (km²) there."""
    index = locate(table, volume)
    rise, surface = rise_and_area(
        volume - pick(table.node_volume, index), pick(table.node_area, index), pick(table.slope, index)
    )
    excess = pick(table.node_excess, index) + pick(table.excess_slope, index) * rise
    return pick(table.node_level, index) + rise, surface, excess


@dataclass(frozen=True, eq=False)
class VolumeTable:
    """Look-up of level and area from volume anomaly in constant time, for a solver's inner loop.

    An even grid of bins over volume says in which segment each bin begins. No bin is as wide as the smallest
    segment, so at most one node lies inside it and the segment of a volume is

        index = guide[bin];  index += volume >= next_volume[index]

    All arrays are contiguous. Volumes are anomalies: `offset` (km³) has been taken off, so that a day's
    change is not lost among 78,000 km³. Made by `Hypsometry.volume_table`.

    Attributes
    ----------
    node_level, node_area, node_volume : ndarray, shape (node,)
        Level (m BHS), area (km²), volume anomaly (km³).
    slope, next_volume : ndarray, shape (node - 1,)
        Gain of area (km²/m) in each segment; volume anomaly (km³) at its upper end, infinite in the last.
    guide : ndarray of uint32, shape (bin,)
        Segment in which each bin begins.
    bins_per_volume : float
        Bins per km³.
    offset : float
        Volume (km³) that an anomaly of zero stands for.
    node_excess, excess_slope : ndarray, shape (node,) and (node - 1,)
        Area of shallow water beyond its baseline share (km²), linear in level between the nodes, and what it
        gains (km²/m) in each segment; zero unless :func:`caspian_sim.basin.shallows.with_shallows` has put it
        in.
    """

    node_level: FloatArray
    node_area: FloatArray
    node_volume: FloatArray
    slope: FloatArray
    next_volume: FloatArray
    guide: NDArray[np.uint32]
    bins_per_volume: float
    offset: float
    node_excess: FloatArray
    excess_slope: FloatArray

    @property
    def lowest_level(self) -> float:
        """Level (m BHS) of the lowest node."""
        return float(self.node_level[0])

    @property
    def highest_level(self) -> float:
        """Level (m BHS) of the highest node."""
        return float(self.node_level[-1])

    @property
    def lowest_volume(self) -> float:
        """Volume anomaly (km³) of the lowest node."""
        return float(self.node_volume[0])

    @property
    def highest_volume(self) -> float:
        """Volume anomaly (km³) of the highest node."""
        return float(self.node_volume[-1])

    def level_and_area(
        self, volume: FloatArray, level: FloatArray | None = None, area: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Level (m BHS) and area (km²) of the sea at a volume anomaly, without checks.

        Parameters
        ----------
        volume : ndarray, shape (member,)
            Volume anomaly in km³. Outside the table the end segments are extended; NaN gives NaN.
        level, area : ndarray, shape (member,), optional
            Arrays to write the result into.

        Returns
        -------
        level, area : ndarray, shape (member,)
        """
        found, surface = look_up(self, volume)
        if level is not None:
            np.copyto(level, found)
        if area is not None:
            np.copyto(area, surface)
        return (found if level is None else level), (surface if area is None else area)


def make_volume_table(
    level: FloatArray, area: FloatArray, volume: FloatArray, offset: float, name: str
) -> VolumeTable:
    """Build the look-up table of a curve.

    Parameters
    ----------
    level, area, volume : ndarray, shape (node,)
        Level (m BHS), area (km²) and volume anomaly (km³) of the nodes, level and volume increasing.
    offset : float
        Volume (km³) that an anomaly of zero stands for.
    name : str
        What the curve describes, for the message of the error.

    Returns
    -------
    VolumeTable

    Raises
    ------
    DataError
        When nodes lie so close together that the guide would not fit in memory.
    """
    content = float(volume[-1] - volume[0])
    smallest = float(np.diff(volume).min())
    # Two more bins than fit, so that rounding cannot make one as wide as the smallest segment.
    bins = content / smallest + 2.0
    if not bins <= MAX_BINS:
        raise DataError(
            f"{name}: nodes are too uneven for a look-up table\n"
            f"    found    {smallest:.3g} km³ in the smallest segment out of {content:.6g} km³\n"
            f"    allowed  at least {content / MAX_BINS:.3g} km³: "
            "thin out the nodes or narrow the range of levels"
        )
    edges = np.linspace(volume[0], volume[-1], int(bins) + 1)
    return VolumeTable(
        node_level=np.ascontiguousarray(level),
        node_area=np.ascontiguousarray(area),
        node_volume=np.ascontiguousarray(volume),
        slope=np.diff(area) / np.diff(level),
        next_volume=np.append(volume[1:-1], np.inf),
        guide=segment(edges[:-1], volume).astype(np.uint32),
        bins_per_volume=int(bins) / content,
        offset=offset,
        node_excess=np.zeros(level.size),
        excess_slope=np.zeros(level.size - 1),
    )
