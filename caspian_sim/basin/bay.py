"""Kara-Bogaz-Gol: the shape of the bay, which fills from the sea and loses water by evaporation alone.

The bay is a second basin with a shape of its own, tied to the three facts known of it: a floor near −36.5 m,
12,000 km² at −33 m about 1972, and 18,000 km² when full (``bay_hypsometry``). What is left below
:data:`FILM_DEPTH` stands in pools of that depth whose area shrinks with the water: the bay dries to zero
area, and never to a negative volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.volume_table import KM2_M_PER_KM3, VolumeTable, look_up, make_volume_table, segment

Array = NDArray[np.float64]

M_KM2_TO_KM3 = 1.0 / KM2_M_PER_KM3

# Depth of the last pools on the salt floor, m. Chosen for the numerics: at 2.7 m/yr, the strongest
# evaporation of any month, a pool of this depth lasts nearly a month, which a classical Runge-Kutta step of
# one month follows without going negative. All pools together hold 0.14 km³, 0.4 mm of sea level.
FILM_DEPTH = 0.2


def bay_level_and_area(bay: Bay, volume: Array) -> tuple[Array, Array]:
    """Level (m BHS) and area (km²) of the bay at a volume (km³) over its floor, one value or an array."""
    water = np.maximum(volume, 0.0)
    level, area = look_up(bay.table, np.maximum(water, bay.film_volume))
    pools = np.minimum(water / (FILM_DEPTH * M_KM2_TO_KM3), bay.film_area)
    # Over the pools `area` is that of the lowest node, and above them `pools` is.
    return level, pools + (area - bay.film_area)


@dataclass(frozen=True)
class Bay:
    """Area and level of Kara-Bogaz-Gol as functions of its volume.

    Attributes
    ----------
    table : VolumeTable
        Level and area from the top of the pools upwards; area is linear in level between the nodes.
    film_volume, film_area : float
        Volume (km³) and area (km²) of the bay when all of its pools are full.
    floor : float
        Level of the floor, m BHS.
    """

    table: VolumeTable
    film_volume: float
    film_area: float
    floor: float

    @classmethod
    def from_table(cls, level: Array, area: Array) -> Bay:
        """Build the bay from levels (m BHS) and areas (km²) that start at the floor with area zero."""
        film_top = level[0] + FILM_DEPTH
        node_level = np.concatenate([[film_top], level[level > film_top]])
        node_area = np.interp(node_level, level, area)
        film_volume = float(node_area[0] * FILM_DEPTH * M_KM2_TO_KM3)
        slabs = 0.5 * (node_area[1:] + node_area[:-1]) * np.diff(node_level) * M_KM2_TO_KM3
        node_volume = film_volume + np.concatenate([[0.0], np.cumsum(slabs)])
        table = make_volume_table(node_level, node_area, node_volume, 0.0, "bay")
        return cls(table, film_volume, float(node_area[0]), float(level[0]))

    def level_and_area(self, volume: Array) -> tuple[Array, Array]:
        """Level (m BHS) and area (km²) that belong to a volume (km³) above the floor.

        Volumes below zero count as zero; above the highest node the last slope goes on.

        Parameters
        ----------
        volume : ndarray, shape (member,)
            Water in the bay, km³.

        Returns
        -------
        level, area : ndarray, shape (member,)
        """
        return bay_level_and_area(self, volume)

    def volume(self, level: Array | float) -> Array:
        """Volume (km³) below a level (m BHS); zero below the top of the last pools."""
        height, table = np.asarray(level, dtype=float), self.table
        node = segment(height, table.node_level)
        over = height - table.node_level[node]
        slab = (table.node_area[node] + 0.5 * table.slope[node] * over) * over * M_KM2_TO_KM3
        return np.where(height < table.node_level[0], 0.0, table.node_volume[node] + slab)


@cache
def kara_bogaz_gol() -> Bay:
    """Return the bay with the shape in the shipped table ``bay_hypsometry``."""
    table = data.load("bay_hypsometry")
    return Bay.from_table(table["level"].values.astype(float), table["area"].values.astype(float))
