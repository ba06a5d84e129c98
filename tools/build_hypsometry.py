"""Build caspian_sim/data/tables/hypsometry.nc from the ETOPO1 bed elevations of the Caspian region.

    python tools/build_hypsometry.py [wheel or grid file]

Without an argument the wheel that carries the grid is fetched with pip into a temporary directory. The
method, its checks and its limits are told in docs/hypsometry.md.
"""

from __future__ import annotations

import argparse
import heapq
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.basin.hypsometry import REFERENCE_LEVEL, Hypsometry

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

PACKAGE = "pybacktrack==1.5.0"
GRID_IN_WHEEL = "pybacktrack/bundle_data/topography/ETOPO1_0.1.grd"
OUTPUT = Path(__file__).parents[1] / "caspian_sim" / "data" / "tables" / "hypsometry.nc"

# Holds every cell that floods below -20 m, with a margin all round.
SOUTH, NORTH, WEST, EAST = 36.0, 48.5, 46.0, 55.5  # degrees
SPACING = 0.1  # degrees

# Kara-Bogaz-Gol is a basin of its own in the model. The cut runs along 52.85 °E, the seaward edge of its bar;
# the strait pierces the bar near 41.1 °N, 52.9 °E. One cell of sea (41.0 °N, 52.9 °E, 93 km²) goes with it.
BAY_SOUTH, BAY_NORTH, BAY_WEST, BAY_EAST = 40.55, 42.45, 52.85, 54.95

# The grid gives whole metres: a cell stands for bed spread evenly over this much either way.
HALF_STEP = 0.5

# Published area of the sea: level (m BHS), area (km²). State Oceanographic Institute (Russia) through
# Kazhydromet, haqqin.az/news/366293, for 2024 and 2006; grade B.
PUBLISHED = ((-29.20, 355_700.0), (-27.07, 392_300.0))

# Levels (m BHS) between which the difference from the published areas fades out, below and above them.
# Below, it is kept down to -33 m: published depths of the North Caspian are larger than the grid's as well.
FADE_BELOW = (-36.0, -33.0)
FADE_ABOVE = (-27.07, -25.0)

# Stated uncertainty of area, the project's own estimate (grade D): lower end of the range (m BHS), share.
UNCERTAINTY = ((-30.0, 0.03), (-36.0, 0.05), (-np.inf, 0.03))

# WGS84
EQUATORIAL_RADIUS = 6378.137  # km
FLATTENING = 1.0 / 298.257223563


def read_grid(path: Path) -> tuple[IntArray, FloatArray, FloatArray]:
    """Bed elevation (whole m, ocean level), latitude and longitude of the region, from wheel or grid."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            source: Path | io.BytesIO = io.BytesIO(wheel.read(GRID_IN_WHEEL))
    else:
        source = path
    with xr.open_dataset(source, engine="h5netcdf") as grid:
        margin = 0.5 * SPACING
        z = (
            grid["z"]
            .sel(lat=slice(SOUTH - margin, NORTH + margin), lon=slice(WEST - margin, EAST + margin))
            .load()
        )
    bed = np.rint(z.to_numpy()).astype(np.int64)
    return bed, np.round(z["lat"].to_numpy(), 1), np.round(z["lon"].to_numpy(), 1)


def cell_areas(latitude: FloatArray) -> FloatArray:
    """Area (km²) of a cell of the grid at each latitude, on the ellipsoid."""
    e = np.sqrt(FLATTENING * (2.0 - FLATTENING))

    def zone(degrees: FloatArray) -> FloatArray:
        s = np.sin(np.radians(degrees))
        half_polar_radius_squared = 0.5 * EQUATORIAL_RADIUS**2 * (1.0 - e**2)
        return np.asarray(half_polar_radius_squared * (s / (1.0 - (e * s) ** 2) + np.arctanh(e * s) / e))

    half = 0.5 * SPACING
    return np.asarray((zone(latitude + half) - zone(latitude - half)) * np.radians(SPACING))


def bay_cells(latitude: FloatArray, longitude: FloatArray) -> BoolArray:
    """Cells of Kara-Bogaz-Gol and its bar."""
    rows = (latitude > BAY_SOUTH) & (latitude < BAY_NORTH)
    columns = (longitude > BAY_WEST) & (longitude < BAY_EAST)
    return np.outer(rows, columns).astype(np.bool_)


def join_levels(bed: IntArray, barred: BoolArray) -> FloatArray:
    """Lowest level at which water joins each cell to the deepest one; infinite where it never does.

    That level is the least, over all paths between the two, of the highest bed on the path. Paths run across
    the edges of cells. Across corners, too, they would drown the Karagiye depression, dry at -132 m.
    """
    deepest = np.unravel_index(np.argmin(bed), bed.shape)
    seed = int(deepest[0]), int(deepest[1])
    join = np.full(bed.shape, np.inf)
    join[seed] = bed[seed]
    front = [(float(bed[seed]), seed)]
    while front:
        level, (row, column) = heapq.heappop(front)
        if level > join[row, column]:
            continue
        for i, j in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if not (0 <= i < bed.shape[0] and 0 <= j < bed.shape[1]) or barred[i, j]:
                continue
            reached = max(level, float(bed[i, j]))
            if reached < join[i, j]:
                join[i, j] = reached
                heapq.heappush(front, (reached, (i, j)))
    return join


def flooding_levels(bed: IntArray, join: FloatArray) -> FloatArray:
    """Level at which each cell falls dry as the sea sinks, or floods as it rises.

    Ground beyond a sill floods when the sea passes the sill. A depression of the sea bed at -28 m that a
    falling sea cuts off stays part of the lake, down to its own bed.
    """
    return np.where(join <= REFERENCE_LEVEL, bed.astype(np.float64), join)


def area_below(flooding: FloatArray, cell_area: FloatArray, levels: FloatArray) -> FloatArray:
    """Area (km²) under water at each level, each cell's bed spread evenly over half a metre either way.

    `cell_area` is that of the cells of each latitude, or of every cell.
    """
    wet = np.isfinite(flooding)
    depth = (levels[:, None] - flooding[wet] + HALF_STEP) / (2.0 * HALF_STEP)
    every = cell_area if cell_area.ndim == 2 else np.broadcast_to(cell_area[:, None], flooding.shape)
    area: FloatArray = np.clip(depth, 0.0, 1.0) @ every[wet]
    return area


def tie_to_published(levels: FloatArray, raw: FloatArray) -> FloatArray:
    """Area (km²) that meets the published pairs: a line between them, a fading difference outside.

    Between the pairs the grid has no relief to offer: a tenth of the sea stands at exactly -28 m, the height
    of a water surface rather than of the bed.
    """
    low, high = (level for level, _ in PUBLISHED)
    area_low, area_high = (area for _, area in PUBLISHED)
    difference_low, difference_high = np.array([area_low, area_high]) - np.interp([low, high], levels, raw)
    line = np.interp(levels, [low, high], [area_low, area_high])
    below = raw + difference_low * smooth_step(levels, *FADE_BELOW)
    above = raw + difference_high * (1.0 - smooth_step(levels, *FADE_ABOVE))
    return np.where(levels <= low, below, np.where(levels >= high, above, line))


def smooth_step(x: FloatArray, zero: float, one: float) -> FloatArray:
    """Rise from 0 at `zero` to 1 at `one` with level ends."""
    t = np.clip((x - zero) / (one - zero), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def node_levels() -> FloatArray:
    """Levels (m BHS) of the nodes: fine where the sea may stand, coarse in the deep; the pairs are nodes."""
    deep = np.arange(-1025.0, -100.0, 5.0)
    middle = np.arange(-1000, -400, 5) / 10.0
    fine = np.arange(-400, -199) / 10.0
    return np.unique(np.concatenate([deep, middle, fine, [level for level, _ in PUBLISHED]]))


def area_uncertainty(levels: FloatArray) -> FloatArray:
    """Stated uncertainty of area as a share of it."""
    starts, shares = zip(*UNCERTAINTY, strict=True)
    return np.select([levels >= start for start in starts], shares)


def build(bed: IntArray, latitude: FloatArray, longitude: FloatArray) -> xr.Dataset:
    """Hypsometric curve of the sea with the bathymetry it was made from."""
    bay = bay_cells(latitude, longitude)
    join = join_levels(bed, bay)
    levels = node_levels()
    raw = area_below(flooding_levels(bed, join), cell_areas(latitude), levels)
    curve = Hypsometry(node_level=levels, node_area=tie_to_published(levels, raw))
    mask = np.where(join <= REFERENCE_LEVEL, 1, np.where(bay & (bed <= REFERENCE_LEVEL), 2, 0))
    return xr.Dataset(
        {
            "area": ("level", curve.node_area, AREA),
            "raw_area": ("level", raw, RAW_AREA),
            "volume": ("level", curve.node_volume, VOLUME),
            "area_uncertainty": ("level", area_uncertainty(levels), AREA_UNCERTAINTY),
            "bed_elevation": (("lat", "lon"), bed.astype(np.int16), BED_ELEVATION),
            "water_mask": (("lat", "lon"), mask.astype(np.int8), WATER_MASK),
        },
        coords={
            "level": ("level", levels, LEVEL),
            "lat": ("lat", latitude, {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}),
            "lon": ("lon", longitude, {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}),
        },
        attrs=ATTRIBUTES,
    )


def write(dataset: xr.Dataset, path: Path) -> None:
    """Write the data set, compressed; the same data give the same bytes."""
    encoding = {
        str(name): {"zlib": True, "complevel": 9, "shuffle": True, "_FillValue": None}
        for name in dataset.variables
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def report(dataset: xr.Dataset) -> str:
    """Areas and what the choices cost, for docs/hypsometry.md."""
    bed = dataset["bed_elevation"].to_numpy().astype(np.int64)
    latitude, longitude = dataset["lat"].to_numpy(), dataset["lon"].to_numpy()
    join = join_levels(bed, bay_cells(latitude, longitude))
    levels = np.array(
        [-25, -26, -27.07, -28, -28.5, -29.2, -30, -31, -32, -33, -34, -36, -37, -38, -40, -46.0]
    )
    cell_area = cell_areas(latitude)
    joined = area_below(join, cell_area, levels)
    curve = Hypsometry(node_level=dataset["level"].to_numpy(), node_area=dataset["area"].to_numpy())
    whole = Hypsometry(node_level=dataset["level"].to_numpy(), node_area=dataset["raw_area"].to_numpy())
    fall = curve.area(REFERENCE_LEVEL)
    lines = ["level m BHS   area km²    raw km²  joined km²   lost from -28 m, %"]
    lines += [
        f"{level:11.2f} {area:10.0f} {raw:10.0f} {still:11.0f} {100 * (1 - area / fall):20.1f}"
        for level, area, raw, still in zip(
            levels, curve.area(levels), whole.area(levels), joined, strict=True
        )
    ]
    lines.append(f"raw volume below -28 m: {whole.volume(REFERENCE_LEVEL) - whole.node_volume[0]:.0f} km³")
    cut_off = (join <= REFERENCE_LEVEL) & (bed < join)
    area = np.broadcast_to(cell_area[:, None], bed.shape)
    lines += [
        f"cut off when the sea falls below {sill:.0f} m: {area[cut_off & (join == sill)].sum():.0f} km²"
        for sill in np.unique(join[cut_off])
    ]
    return "\n".join(lines)


DATUM = "metres above the zero of the Baltic Height System (Kronstadt), m BHS"

LEVEL = {
    "long_name": "level of the Caspian Sea",
    "standard_name": "water_surface_height_above_reference_datum",
    "units": "m",
    "positive": "up",
    "axis": "Z",
    "datum": DATUM,
}
AREA = {
    "long_name": "area of the Caspian Sea without Kara-Bogaz-Gol",
    "units": "km2",
    "comment": "linear in level between nodes; tied to 392,300 km2 at -27.07 m and 355,700 km2 at -29.20 m",
    "references": "State Oceanographic Institute (Russia) through Kazhydromet, haqqin.az/news/366293",
    "grade": "B between -29.2 and -27.07 m, C elsewhere",
}
RAW_AREA = {
    "long_name": "area of the Caspian Sea without Kara-Bogaz-Gol, before it is tied to published areas",
    "units": "km2",
    "source": "ETOPO1",
}
VOLUME = {
    "long_name": "volume of the Caspian Sea without Kara-Bogaz-Gol",
    "units": "km3",
    "comment": "78,200 km3 at -28 m by convention; only differences are used",
    "grade": "C",
}
AREA_UNCERTAINTY = {
    "long_name": "uncertainty of the area as a share of it",
    "units": "1",
    "comment": "3 % above -30 m, 5 % from -30 to -36 m, 3 % below: the project's own estimate",
    "grade": "D",
}
BED_ELEVATION = {
    "long_name": "elevation of the sea bed and of the land around it",
    "units": "m",
    "comment": "relative to ocean level, whole metres; every sixth point of the one-minute grid",
    "source": "ETOPO1",
    "grade": "A",
}
WATER_MASK = {
    "long_name": "water body to which the cell belongs at -28 m",
    "flag_values": np.array([0, 1, 2], dtype=np.int8),
    "flag_meanings": "none caspian_sea kara_bogaz_gol",
}
ATTRIBUTES = {
    "Conventions": "CF-1.11",
    "title": "Hypsometry and bathymetry of the Caspian Sea",
    "source": f"ETOPO1 bedrock, 0.1 degree grid in the Python package {PACKAGE.replace('==', ' ')}",
    "references": (
        "Amante and Eakins (2009), ETOPO1 1 Arc-Minute Global Relief Model, NOAA Technical Memorandum "
        "NESDIS NGDC-24, doi:10.7289/V5C8276M"
    ),
    "license": "ETOPO1 is in the public domain",
    "datum": DATUM + "; ocean level of ETOPO1 is taken to be that zero",
    "history": "made by tools/build_hypsometry.py",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Build the hypsometry of the Caspian Sea.")
    parser.add_argument(
        "source", nargs="?", type=Path, help=f"wheel of {PACKAGE}, or ETOPO1_0.1.grd out of it"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        source = chosen.source
        if source is None:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", directory, PACKAGE]
            subprocess.run(command, check=True)
            source = next(Path(directory).glob("*.whl"))
        dataset = build(*read_grid(source))
    write(dataset, chosen.output)
    print(report(dataset))


if __name__ == "__main__":
    main()
