"""The sea by state: its area against its level in five sectors, and the shore that goes with it.

A sector is what lies nearest to the coast of a state, islands included. Sectors are no legal delimitation
lines. How they were made and checked is told in docs/seabed.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import label
from scipy.optimize import brentq

from caspian_sim import data
from caspian_sim.errors import OutOfRangeError

Array = NDArray[np.float64]

CAVEAT: Final = "sectors by nearest coast, not legal delimitation lines"
"""What has to be said wherever sectors are shown."""

SHORE_REACH = 2.0
"""How far (m) above and below a shore the bed counts when its place between cells is found. Gentle slopes are
then followed between the cells, and a steep coast lies half-way between a wet cell and a dry one."""
REFINEMENT = 6
"""Parts of a cell along each side when the area inside a shore is measured."""
SMALLEST_POOL = 3
"""Cells of a pool apart from the sea that a map shows."""
LEVEL_TOLERANCE = 0.005
"""Of the height whose contour is the shore, m."""

# WGS84
EQUATORIAL_RADIUS_KM = 6378.137
ECCENTRICITY_SQUARED = 0.0066943799901413165


@dataclass(frozen=True, eq=False)
class Sectors:
    """Area of the sea in the sector of each state as a function of the level.

    Attributes
    ----------
    states : tuple of str
    node_level : ndarray, shape (node,)
        Level in m BHS, increasing.
    node_area : ndarray, shape (state, node)
        Area in km², linear in level between nodes. The states add up to the shipped hypsometry.
    """

    states: tuple[str, ...]
    node_level: Array
    node_area: Array

    def area(self, level: ArrayLike) -> Array:
        """Area of each sector in km² at `level` (m BHS, any shape), shape (state, ...).

        Raises
        ------
        OutOfRangeError
            When a level lies outside the nodes or is not a number.
        """
        height = np.asarray(level, dtype=np.float64)
        lowest, highest = self.node_level[[0, -1]]
        inside = (height >= lowest) & (height <= highest)
        if not inside.all():
            raise OutOfRangeError(
                "sea level is outside the hypsometry by state\n"
                f"    found    {height[~inside].flat[0]:.10g} m BHS\n"
                f"    allowed  {lowest:g} to {highest:g} m BHS"
            )
        return np.stack([np.interp(height, self.node_level, area) for area in self.node_area])

    def exposed(self, level: ArrayLike, reference: float) -> Array:
        """Seabed that is dry at `level` and was under water at the level `reference`.

        Parameters
        ----------
        level : array_like
            Level of the sea, m BHS, any shape. Beyond the ends of the curve the ends count.
        reference : float
            Level from which exposed seabed counts, m BHS.

        Returns
        -------
        ndarray, shape (state, ...)
            km², negative where the sea stands above the reference.

        Raises
        ------
        OutOfRangeError
            When the reference lies outside the curve, or a level is not a number.
        """
        on_curve = np.clip(np.asarray(level, dtype=np.float64), *self.node_level[[0, -1]])
        before = self.area(reference)
        return before.reshape(-1, *[1] * on_curve.ndim) - self.area(on_curve)


@cache
def load_sectors() -> Sectors:
    """Sectors of the five littoral states, as shipped with the package (grade C)."""
    table = data.load("sectors")
    level, area = table["level"].to_numpy(), table["area"].to_numpy()
    for values in (level, area):
        values.setflags(write=False)
    return Sectors(tuple(map(str, table["state"].values)), level, area)


@dataclass(frozen=True, eq=False)
class Bed:
    """The bed of the sea on a grid, as it falls dry and floods.

    Attributes
    ----------
    latitude, longitude : ndarray
        Of the middle of the cells, degrees.
    flooding : ndarray, shape (lat, lon)
        Level (m BHS) at which a cell falls dry as the sea sinks, or floods as it rises: the bed, or the sill
        in front of it. Infinite for Kara-Bogaz-Gol, which is not part of the sea.
    share : ndarray, shape (state, lat, lon)
        Share of each cell that lies in the sector of each state.
    """

    latitude: Array
    longitude: Array
    flooding: Array
    share: Array

    def above(self, height: float) -> Array:
        """Height of the bed above `height`, m, no further away than :data:`SHORE_REACH`, shape (lat, lon)."""
        return np.clip(self.flooding - height, -SHORE_REACH, SHORE_REACH)

    def drawn(self, height: float) -> Array:
        """Height of the bed as :meth:`above`, without pools of one or two cells, which clutter a map."""
        above = self.above(height)
        pools, _ = label(above < 0.0)
        small = np.bincount(pools.ravel()) < SMALLEST_POOL
        small[0] = False
        return np.where(small[pools], SHORE_REACH, above)

    def wet_area(self, height: float) -> Array:
        """Area (km²) inside the contour of `height` in each sector, shape (state,)."""
        rows, columns = (_refined(len(axis)) for axis in (self.latitude, self.longitude))
        wet = rows @ self.above(height) @ columns.T < 0.0
        inside = (wet * _part_areas(self.latitude)[:, None]).reshape(
            len(self.latitude), REFINEMENT, len(self.longitude), REFINEMENT
        )
        return np.asarray((self.share * inside.sum(axis=(1, 3))).sum(axis=(1, 2)))

    def shore_height(self, area: float) -> float:
        """Height (m BHS) whose contour, linear between the cells, encloses an area (km²).

        It differs from the level of the sea, since the curve is tied to published areas and the grid is not.
        A tenth of the sea of the grid stands at exactly −28 m: there the contour jumps.
        """
        middle = np.interp(area, *_grid_curve(self))
        low, high = (float(middle) + side for side in (-2.0 * SHORE_REACH, 2.0 * SHORE_REACH))
        return float(brentq(lambda z: self.wet_area(z).sum() - area, low, high, xtol=LEVEL_TOLERANCE))


@cache
def load_bed() -> Bed:
    """Bed that ships with the package: ETOPO1 in whole metres on a 0.1° grid."""
    table = data.load("sectors")
    points = table["sector_points"].to_numpy()
    flooding = table["flooding_level"].to_numpy().astype(np.float64)
    return Bed(
        latitude=table["lat"].to_numpy(),
        longitude=table["lon"].to_numpy(),
        flooding=np.where(np.isnan(flooding), np.inf, flooding),
        share=points / points.sum(axis=0),
    )


def _refined(cells: int) -> Array:
    """Weights of the cells in the parts of the cells, by linear interpolation, shape (part, cell)."""
    place = (np.arange(cells * REFINEMENT) + 0.5) / REFINEMENT - 0.5
    lower = np.clip(np.floor(place).astype(np.int64), 0, cells - 2)
    weight = np.clip(place - lower, 0.0, 1.0)
    result = np.zeros((len(place), cells))
    part = np.arange(len(place))
    result[part, lower], result[part, lower + 1] = 1.0 - weight, weight
    return result


def _part_areas(latitude: Array) -> Array:
    """Area (km²) of one part of a cell at the latitude of each row of parts, on the ellipsoid."""
    spacing = latitude[1] - latitude[0]
    north = latitude[0] + spacing * ((np.arange(len(latitude) * REFINEMENT) + 0.5) / REFINEMENT - 0.5)
    sine, cosine = np.sin(np.radians(north)), np.cos(np.radians(north))
    per_radian = EQUATORIAL_RADIUS_KM**2 * (1.0 - ECCENTRICITY_SQUARED) * cosine
    return np.asarray(
        per_radian / (1.0 - ECCENTRICITY_SQUARED * sine**2) ** 2 * np.radians(spacing / REFINEMENT) ** 2
    )


def _grid_curve(bed: Bed) -> tuple[Array, Array]:
    """Area of the wet cells at half metres, and these levels."""
    sides = _part_areas(bed.latitude).reshape(-1, REFINEMENT).sum(axis=1) * REFINEMENT
    wet = np.isfinite(bed.flooding)
    order = np.argsort(bed.flooding[wet])
    height = bed.flooding[wet][order]
    area = np.cumsum(np.broadcast_to(sides[:, None], wet.shape)[wet][order])
    levels = np.arange(height[0] - 0.5, min(height[-1], 0.0))
    below = np.searchsorted(height, levels)
    return np.where(below > 0, area[below - 1], 0.0), levels
