"""Build caspian_sim/data/tables/sectors.nc and basemap.nc: the sea by state, and the lines of its maps.

    python tools/build_sectors.py [package of world-atlas]

Without an argument the package that carries the countries of Natural Earth is fetched with npm into a
temporary directory. The bed comes from hypsometry.nc, which tools/build_hypsometry.py makes. The method,
its checks and its limits are told in docs/seabed.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import KDTree

sys.path.insert(0, str(Path(__file__).parent))

import build_hypsometry

FloatArray = NDArray[np.float64]

PACKAGE = "world-atlas@2.0.2"
COUNTRIES_IN_PACKAGE = "package/countries-10m.json"
TABLES = Path(__file__).parents[1] / "caspian_sim" / "data" / "tables"

# Names in Natural Earth, in the order of the package.
STATES = {"AZ": "Azerbaijan", "IR": "Iran", "KZ": "Kazakhstan", "RU": "Russia", "TM": "Turkmenistan"}

# Window of the maps, degrees. Every coast of the sea lies inside, so that only borders are cut.
SOUTH, NORTH, WEST, EAST = 34.5, 49.5, 43.0, 58.5
DECIMALS = 4  # 11 m; the package has steps of 190 to 300 m

# Each cell is parted by so many points along each side.
POINTS = 5
COAST_STEP = 0.01  # degrees: distance of the points that stand for a coast
OCEAN_LEVEL = 0.0  # m: far above every level of the curve
NEVER = 32_767  # flooding level of a cell that the sea never reaches


@dataclass(frozen=True)
class Line:
    """A coast or border of Natural Earth.

    Attributes
    ----------
    points : ndarray, shape (point, 2)
        Longitude and latitude, degrees.
    states : tuple of str
        The state whose coast it is, or the countries that it parts.
    """

    points: FloatArray
    states: tuple[str, ...]

    @property
    def is_coast(self) -> bool:
        """Whether it is a coast: one country has it alone."""
        return len(self.states) == 1


def read_lines(path: Path) -> list[Line]:
    """Coasts of the sea and borders of the countries around it, from the package or the file in it."""
    if path.suffix == ".tgz":
        with tarfile.open(path) as package:
            member = package.extractfile(COUNTRIES_IN_PACKAGE)
            assert member is not None
            topology = json.load(member)
    else:
        topology = json.loads(path.read_text(encoding="utf-8"))
    scale, offset = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    owners: dict[int, list[str]] = {}
    for country in topology["objects"]["countries"]["geometries"]:
        for arc in sorted(set(_arcs(country["arcs"]))):
            owners.setdefault(arc, []).append(country["properties"]["name"])
    codes = {name: code for code, name in STATES.items()}
    lines = []
    for arc, names in sorted(owners.items()):
        points = np.cumsum(np.array(topology["arcs"][arc]), axis=0) * scale + offset
        own = tuple(codes.get(name, name) for name in names)
        if len(own) == 1 and own[0] not in STATES:
            continue
        lines += [Line(np.round(part, DECIMALS), own) for part in _inside(points)]
    return lines


def _arcs(nested: Sequence[Any]) -> Iterator[int]:
    """Numbers of the arcs of a geometry; one that runs backwards is given as the complement of its number."""
    for item in nested:
        if isinstance(item, int):
            yield item if item >= 0 else ~item
        else:
            yield from _arcs(item)


def _inside(points: FloatArray) -> Iterator[FloatArray]:
    """Parts of a line inside the window, each with one point beyond its edge where it leaves."""
    longitude, latitude = points.T
    inside = (longitude > WEST) & (longitude < EAST) & (latitude > SOUTH) & (latitude < NORTH)
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], near.astype(np.int8), [0]])))
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        yield points[first:after]


def coast_points(lines: Sequence[Line], state: str) -> FloatArray:
    """Points along the coast of a state, islands included, at most a hundredth of a degree apart."""
    parts = []
    for line in lines:
        if line.states != (state,):
            continue
        start, step = line.points[:-1], np.diff(line.points, axis=0)
        many = np.maximum(np.ceil(np.abs(step).max(axis=1) / COAST_STEP), 1).astype(np.int64)
        which = np.repeat(np.arange(len(many)), many)
        along = (np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)) / many[which]
        parts.append(np.concatenate([start[which] + step[which] * along[:, None], line.points[-1:]]))
    return np.concatenate(parts)


def on_sphere(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """Give unit vectors: the nearest of them in space is the nearest along the great circle."""
    east, north = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def sector_points(
    coasts: Mapping[str, FloatArray], latitude: FloatArray, longitude: FloatArray
) -> NDArray[Any]:
    """How many of the points in each cell lie nearest to the coast of each state, shape (state, lat, lon)."""
    trees = [KDTree(on_sphere(*points.T)) for points in coasts.values()]

    def distances(east: FloatArray, north: FloatArray) -> FloatArray:
        place = on_sphere(*np.broadcast_arrays(east, north))
        return np.stack([tree.query(place)[0] for tree in trees])

    middle = distances(longitude, latitude[:, None])
    nearest, second = np.sort(middle, axis=0)[:2]
    counts = np.zeros(middle.shape, dtype=np.int64)
    np.put_along_axis(counts, middle.argmin(axis=0)[None], POINTS**2, axis=0)
    # No point of a cell is further from its middle than half a diagonal: elsewhere the middle speaks for all.
    reach = np.sqrt(2.0) * np.radians(0.5 * build_hypsometry.SPACING)
    rows, columns = np.nonzero(second - nearest <= 2.0 * reach)
    offset = (np.arange(POINTS) - 0.5 * (POINTS - 1)) / POINTS * build_hypsometry.SPACING
    east = longitude[columns, None, None] + offset
    north = latitude[rows, None, None] + offset[:, None]
    own = distances(east, north).argmin(axis=0)
    for state in range(len(trees)):
        counts[state, rows, columns] = (own == state).sum(axis=(-1, -2))
    return counts


def area_by_state(
    flooding: FloatArray, cell_area: FloatArray, share: FloatArray, levels: FloatArray
) -> FloatArray:
    """Area (km²) under water in each sector, shape (state, level), before it is tied to published areas."""
    return np.stack([build_hypsometry.area_below(flooding, cell_area * part, levels) for part in share])


def grid_levels(flooding: FloatArray, cell_area: FloatArray, area: FloatArray) -> FloatArray:
    """Level at which the sea of the grid has the given areas (km²).

    The area of the grid is linear in level between half metres, so that the answer is exact.
    """
    wet = flooding[np.isfinite(flooding)]
    highest = min(wet.max(), OCEAN_LEVEL)
    knots = np.arange(wet.min() - build_hypsometry.HALF_STEP, highest + 1.0)
    return np.interp(area, build_hypsometry.area_below(flooding, cell_area, knots), knots)


def build_sectors(hypsometry: xr.Dataset, lines: Sequence[Line]) -> xr.Dataset:
    """Part the sea by state: its area at the levels of the curve, and the cells that it is made of."""
    latitude, longitude = hypsometry["lat"].to_numpy(), hypsometry["lon"].to_numpy()
    flooding = flooding_of(hypsometry)
    cell_area = np.broadcast_to(build_hypsometry.cell_areas(latitude)[:, None], flooding.shape)
    points = sector_points({state: coast_points(lines, state) for state in STATES}, latitude, longitude)
    level = grid_levels(flooding, cell_area, hypsometry["area"].to_numpy())
    area = area_by_state(flooding, cell_area, points / POINTS**2, level)
    cells = np.where(np.isfinite(flooding), flooding, NEVER).astype(np.int16)
    return xr.Dataset(
        {
            "area": (("state", "level"), area, AREA),
            "grid_level": ("level", level, GRID_LEVEL),
            "flooding_level": (("lat", "lon"), cells, FLOODING_LEVEL),
            "sector_points": (("state", "lat", "lon"), points.astype(np.int8), SECTOR_POINTS),
        },
        coords={
            "state": ("state", np.array(list(STATES)), {"long_name": "littoral state"}),
            **{name: hypsometry[name] for name in ("level", "lat", "lon")},
        },
        attrs=ATTRIBUTES,
    )


def flooding_of(hypsometry: xr.Dataset) -> FloatArray:
    """Level at which each cell of the grid falls dry or floods, infinite for the bay."""
    bed = hypsometry["bed_elevation"].to_numpy().astype(np.int64)
    bay = build_hypsometry.bay_cells(hypsometry["lat"].to_numpy(), hypsometry["lon"].to_numpy())
    return build_hypsometry.flooding_levels(bed, build_hypsometry.join_levels(bed, bay))


def build_basemap(lines: Sequence[Line]) -> xr.Dataset:
    """Coasts and borders as a ragged array."""
    points = np.concatenate([line.points for line in lines])
    return xr.Dataset(
        {
            "lon": ("point", points[:, 0], LONGITUDE),
            "lat": ("point", points[:, 1], LATITUDE),
            "point_count": (
                "line",
                np.array([len(line.points) for line in lines], dtype=np.int32),
                POINT_COUNT,
            ),
            "kind": ("line", np.array([not line.is_coast for line in lines], dtype=np.int8), KIND),
            "countries": ("line", np.array([" ".join(line.states) for line in lines]), COUNTRIES),
        },
        attrs=BASEMAP,
    )


def report(hypsometry: xr.Dataset, sectors: xr.Dataset) -> str:
    """Shares, what falls lay bare, and what sampling costs, for docs/seabed.md."""
    level, area = sectors["level"].to_numpy(), sectors["area"].to_numpy()

    def at(height: float) -> FloatArray:
        return np.array([np.interp(height, level, part) for part in area])

    lines = ["level m BHS  " + "  ".join(f"{state:>8}" for state in STATES) + "  % of the sea"]
    lines += [
        f"{z:11.2f}  " + "  ".join(f"{v:8.1f}" for v in 100 * at(z) / at(z).sum())
        for z in (-27.0, -28.0, -29.2, -33.0)
    ]
    lines += ["from, fall  " + "  ".join(f"{state:>8}" for state in STATES) + "     whole, km²"]
    for start in (-28.0, -29.2):
        for fall in (5.0, 10.0, 18.0):
            lost = at(start) - at(start - fall)
            lines.append(
                f"{start:5.1f} {fall:5.0f} " + "  ".join(f"{v:8.0f}" for v in lost) + f"  {lost.sum():8.0f}"
            )
    lines += [
        "error of sampling, km², rms over the four grids of every second point, halved",
        *_sampling(hypsometry, sectors),
    ]
    return "\n".join(lines)


def _sampling(hypsometry: xr.Dataset, sectors: xr.Dataset) -> Iterator[str]:
    """Predict what falls lay bare from every second point of the grid."""
    flooding = flooding_of(hypsometry)
    cell_area = np.broadcast_to(
        build_hypsometry.cell_areas(hypsometry["lat"].to_numpy())[:, None], flooding.shape
    )
    share = sectors["sector_points"].to_numpy() / POINTS**2
    for fall in (5.0, 10.0, 18.0):
        ends = np.array([-29.2, -29.2 - fall])

        def lost(rows: slice, columns: slice, times: float, ends: FloatArray = ends) -> FloatArray:
            below = area_by_state(
                flooding[rows, columns], cell_area[rows, columns] * times, share[:, rows, columns], ends
            )
            return below[:, 0] - below[:, 1]

        whole = lost(slice(None), slice(None), 1.0)
        errors = [lost(slice(i, None, 2), slice(j, None, 2), 4.0) - whole for i in (0, 1) for j in (0, 1)]
        rms = np.sqrt(np.mean(np.square(errors), axis=0))
        yield f"      {fall:5.0f} " + "  ".join(f"{0.5 * v:8.0f}" for v in rms)


AREA = {
    "long_name": "area of the Caspian Sea without Kara-Bogaz-Gol nearest to the coast of a state",
    "units": "km2",
    "comment": "linear in level between nodes; the states add up to the area of the hypsometry at every "
    "level; sectors by nearest coast, not legal delimitation lines",
    "grade": "C",
}
GRID_LEVEL = {
    "long_name": "level at which the sea of the grid has the area of the hypsometry",
    "units": "m",
    "datum": build_hypsometry.DATUM,
}
FLOODING_LEVEL = {
    "long_name": "level at which the cell falls dry as the sea sinks, or floods as it rises",
    "units": "m",
    "datum": build_hypsometry.DATUM,
    "missing_value": np.int16(NEVER),
    "comment": "the bed where it belongs to the sea at -28 m, else the lowest sill on the way from the sea; "
    "missing for Kara-Bogaz-Gol and its bar",
    "source": "ETOPO1",
}
SECTOR_POINTS = {
    "long_name": "points of the cell, out of 25, that lie nearest to the coast of a state",
    "units": "1",
    "source": "Natural Earth 4.1.0, countries 1:10 million, islands included",
}
LONGITUDE = {"standard_name": "longitude", "long_name": "longitude of the point", "units": "degrees_east"}
LATITUDE = {"standard_name": "latitude", "long_name": "latitude of the point", "units": "degrees_north"}
POINT_COUNT = {"long_name": "points of the line", "sample_dimension": "point", "units": "1"}
KIND = {
    "long_name": "kind of line",
    "flag_values": np.array([0, 1], dtype=np.int8),
    "flag_meanings": "coast border",
}
COUNTRIES = {"long_name": "state whose coast it is, or countries that it parts"}
NATURAL_EARTH = f"Natural Earth 4.1.0, countries 1:10 million, in the npm package {PACKAGE.replace('@', ' ')}"
ATTRIBUTES = {
    "Conventions": "CF-1.11",
    "title": "Hypsometry of the Caspian Sea by state",
    "source": f"ETOPO1 bedrock, as in hypsometry.nc; {NATURAL_EARTH}",
    "license": "ETOPO1 and Natural Earth are in the public domain",
    "comment": "sectors by nearest coast, not legal delimitation lines",
    "history": "made by tools/build_sectors.py",
}
BASEMAP = {
    "Conventions": "CF-1.11",
    "title": "Coasts and borders around the Caspian Sea",
    "source": NATURAL_EARTH,
    "license": "Natural Earth is in the public domain",
    "history": "made by tools/build_sectors.py",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Build the sectors of the Caspian Sea and the lines of its maps."
    )
    parser.add_argument(
        "source", nargs="?", type=Path, help=f"package of {PACKAGE}, or countries-10m.json out of it"
    )
    parser.add_argument("--output", type=Path, default=TABLES)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        source = chosen.source
        if source is None:
            subprocess.run(["npm", "pack", PACKAGE], cwd=directory, check=True)
            source = next(Path(directory).glob("*.tgz"))
        lines = read_lines(source)
    hypsometry = xr.load_dataset(TABLES / "hypsometry.nc", engine="h5netcdf")
    sectors = build_sectors(hypsometry, lines)
    build_hypsometry.write(sectors, chosen.output / "sectors.nc")
    build_hypsometry.write(build_basemap(lines), chosen.output / "basemap.nc")
    print(report(hypsometry, sectors))


if __name__ == "__main__":
    main()
