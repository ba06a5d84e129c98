r"""Northern basin: how much of it has fallen dry at a level of the sea.

The basin lies north of the line from Chechen Island to Tyub-Karagan. Its bed is that of the hypsometry
(ETOPO1 on a 0.1° grid, whole metres, each cell spread evenly over half a metre either way). The grid has
the surface of the water at −28 m where its bed should be, which the curve of the whole sea mends by its tie
to published areas. The northern basin takes the share of the loss of area that it has on the grid, of the
loss that the curve has:

.. math:: D(h) = \frac{N_g(h_0) - N_g(h)}{A_g(h_0) - A_g(h)}\,[A(h_0) - A(h)], \qquad h_0 = -28\ \text{m}

with :math:`N_g` and :math:`A_g` the area of the basin and of the sea on the grid, *A* that of the curve.
The share is that of :math:`D` at a level at which nothing is left of the basin.
"""

from __future__ import annotations

import importlib.resources
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.hypsometry import REFERENCE_LEVEL, load_hypsometry

Array = NDArray[np.float64]

SPACING = 0.1
"""Of the grid, degrees."""
HALF_STEP = 0.5
"""Half of the step of the bed, over which each cell is spread, m."""
EARTH_RADIUS = 6371.007
"""Of the sphere with the area of the ellipsoid, km."""
SEA = 1
"""Cells of the sea in the mask of the hypsometry."""
LOWEST, STEP = -60.0, 0.1
"""Deepest level of the table, at which the basin is dry, and its step, m."""


def northern_dry_share(level: xr.DataArray) -> xr.DataArray:
    """Share of the northern basin, as it was at −28 m BHS, that has fallen dry.

    Parameters
    ----------
    level : xarray.DataArray
        m BHS, any dims.

    Returns
    -------
    xarray.DataArray
        0 to 1; 0 above −28 m.
    """
    levels, share = dry_share_table()
    dry: xr.DataArray = xr.apply_ufunc(lambda heights: np.interp(heights, levels, share), level)
    return dry


@cache
def dry_share_table() -> tuple[Array, Array]:
    """Levels (m BHS, increasing) and share of the northern basin that is dry at each."""
    levels = np.round(np.arange(LOWEST, REFERENCE_LEVEL + 0.5 * STEP, STEP), 1)
    sea, north = areas_on_the_grid(levels)
    curve = np.asarray(load_hypsometry().area(levels))
    lost_on_grid = sea[-1] - sea
    part = np.divide(north[-1] - north, lost_on_grid, out=np.zeros_like(sea), where=lost_on_grid > 0.0)
    dry = part * (curve[-1] - curve)
    # The share cannot shrink as the sea falls, whatever the tie of the curve does.
    share = np.maximum.accumulate(dry[::-1])[::-1] / dry.max()
    for values in (levels, share):
        values.setflags(write=False)
    return levels, share


def areas_on_the_grid(levels: Array) -> tuple[Array, Array]:
    """Area of the sea and of its northern basin on the grid of the hypsometry, km².

    Parameters
    ----------
    levels : ndarray
        m BHS, −28 or below.

    Returns
    -------
    sea, north : ndarray
    """
    file = importlib.resources.files("caspian_sim").joinpath("data", "tables", "hypsometry.nc")
    with importlib.resources.as_file(file) as path:
        grid = xr.load_dataset(path, engine="h5netcdf")
    latitude, longitude = (grid[name].to_numpy().astype(np.float64) for name in ("lat", "lon"))
    side = EARTH_RADIUS * np.radians(SPACING)
    cell = np.broadcast_to(side**2 * np.cos(np.radians(latitude))[:, None], grid["bed_elevation"].shape)
    is_sea = grid["water_mask"].to_numpy() == SEA
    is_north = is_sea & (latitude[:, None] > _border(longitude))
    bed = grid["bed_elevation"].to_numpy().astype(np.float64)

    def wet(cells: NDArray[np.bool_]) -> Array:
        depth = (levels[:, None] - bed[cells] + HALF_STEP) / (2.0 * HALF_STEP)
        return np.asarray(np.clip(depth, 0.0, 1.0) @ cell[cells])

    return wet(is_sea), wet(is_north)


def _border(longitude: Array) -> Array:
    """Latitude of the southern border of the basin at each longitude."""
    west, east = (
        (
            data.impact_fact(f"northern_basin_{end}_longitude").value,
            data.impact_fact(f"northern_basin_{end}_latitude").value,
        )
        for end in ("west", "east")
    )
    return np.asarray(west[1] + (longitude - west[0]) * (east[1] - west[1]) / (east[0] - west[0]))
