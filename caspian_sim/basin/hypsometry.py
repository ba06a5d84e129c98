"""Hypsometry: sea area and sea volume as functions of level.

Between nodes the area is linear in level, so the volume is exactly quadratic and the level follows from the
volume in closed form (:func:`~caspian_sim.basin.volume_table.rise_and_area`). How the shipped curve was made
and checked is told in docs/hypsometry.md.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from caspian_sim.basin.volume_table import (
    KM2_M_PER_KM3,
    FloatArray,
    make_volume_table,
    rise_and_area,
    segment,
)
from caspian_sim.basin.volume_table import (
    VolumeTable as VolumeTable,
)
from caspian_sim.data.rows import Row, read_rows
from caspian_sim.errors import DataError, OutOfRangeError

REFERENCE_LEVEL = -28.0
"""Level at which volume anomalies are zero (m BHS): the zero of charts and gauges on the Caspian Sea."""

REFERENCE_VOLUME = 78_200.0
"""Volume of the sea at :data:`REFERENCE_LEVEL` (km³), the commonly published figure; a convention, grade C:
only differences of volume enter the water balance."""

BOX_REACH = 60.0
"""How far (m) the vertical walls of :func:`constant_area` reach above and below its level."""

COLUMNS = ("level_m", "area_km2")
"""Columns of a hypsometry table in CSV: level in m BHS, area in km²."""


@dataclass(frozen=True, eq=False, repr=False)
class Hypsometry:
    """Area and volume of the sea as functions of its level.

    Parameters
    ----------
    node_level : array_like, shape (node,)
        Level in m BHS, increasing.
    node_area : array_like, shape (node,)
        Area in km², not decreasing; zero at most at the lowest node. Linear in level between nodes.
    area_uncertainty : array_like, shape (node,), optional
        Uncertainty of the area as a share of it, where one has been stated.
    name : str
        What the curve describes, for display.

    Attributes
    ----------
    node_volume : ndarray, shape (node,)
        Volume in km³, increasing: :data:`REFERENCE_VOLUME` at :data:`REFERENCE_LEVEL` when that level lies
        within the nodes, otherwise zero at the lowest node.

    Raises
    ------
    DataError
        When the nodes do not make a curve.
    """

    node_level: FloatArray
    node_area: FloatArray
    area_uncertainty: FloatArray | None = None
    name: str = "Hypsometry"
    node_volume: FloatArray = field(init=False)
    _slope: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        level = np.array(self.node_level, dtype=np.float64)
        area = np.array(self.node_area, dtype=np.float64)
        fault = _first_fault(level, area)
        if fault is not None:
            raise DataError(fault.message(f"{self.name}: node {fault.node}"))
        step = np.diff(level)
        slope = np.diff(area) / step
        volume = np.concatenate([[0.0], np.cumsum(0.5 * (area[1:] + area[:-1]) * step / KM2_M_PER_KM3)])
        self._freeze("node_level", level)
        self._freeze("node_area", area)
        self._freeze("_slope", slope)
        self._freeze("node_volume", volume)
        if self.area_uncertainty is not None:
            self._freeze("area_uncertainty", np.array(self.area_uncertainty, dtype=np.float64))
        if level[0] <= REFERENCE_LEVEL <= level[-1]:
            self._freeze("node_volume", volume + (REFERENCE_VOLUME - self.volume(REFERENCE_LEVEL)))

    def _freeze(self, attribute: str, values: FloatArray) -> None:
        values.setflags(write=False)
        object.__setattr__(self, attribute, values)

    @property
    def reference_volume(self) -> float:
        """Volume (km³) of anomaly zero: that at :data:`REFERENCE_LEVEL`, or else at the lowest node."""
        if self.node_level[0] <= REFERENCE_LEVEL <= self.node_level[-1]:
            return self.volume(REFERENCE_LEVEL)
        return float(self.node_volume[0])

    @overload
    def area(self, level: float) -> float: ...
    @overload
    def area(self, level: NDArray[Any] | Sequence[float]) -> FloatArray: ...
    def area(self, level: ArrayLike) -> float | FloatArray:
        """Area of the sea in km² at `level` (m BHS, any shape).

        Raises
        ------
        OutOfRangeError
            When a level lies outside the nodes or is not a number.
        """
        height, lower = self._locate_level(level)
        return _as_given(self.node_area[lower] + self._slope[lower] * (height - self.node_level[lower]))

    @overload
    def volume(self, level: float) -> float: ...
    @overload
    def volume(self, level: NDArray[Any] | Sequence[float]) -> FloatArray: ...
    def volume(self, level: ArrayLike) -> float | FloatArray:
        """Volume of the sea in km³ at `level` (m BHS, any shape).

        Raises
        ------
        OutOfRangeError
            When a level lies outside the nodes or is not a number.
        """
        height, lower = self._locate_level(level)
        rise = height - self.node_level[lower]
        mean_area = self.node_area[lower] + 0.5 * self._slope[lower] * rise
        volume = self.node_volume[lower] + mean_area * rise / KM2_M_PER_KM3
        # Rounding must not carry the volume past the next node, where level() would refuse it.
        return _as_given(np.minimum(volume, self.node_volume[lower + 1]))

    @overload
    def level(self, volume: float) -> float: ...
    @overload
    def level(self, volume: NDArray[Any] | Sequence[float]) -> FloatArray: ...
    def level(self, volume: ArrayLike) -> float | FloatArray:
        """Level of the sea in m BHS at `volume` (km³, any shape), the exact inverse of :meth:`volume`.

        Raises
        ------
        OutOfRangeError
            When a volume lies outside the nodes or is not a number.
        """
        content = np.asarray(volume, dtype=np.float64)
        _check_range(content, self.node_volume, "sea volume", "km³")
        lower = segment(content, self.node_volume)
        rise, _ = rise_and_area(content - self.node_volume[lower], self.node_area[lower], self._slope[lower])
        return _as_given(np.minimum(self.node_level[lower] + rise, self.node_level[lower + 1]))

    def volume_table(self, lowest_level: float, highest_level: float) -> VolumeTable:
        """Table for looking up level and area from volume in constant time.

        Parameters
        ----------
        lowest_level, highest_level : float
            Range in m BHS that the table must cover; it is widened to whole segments.

        Returns
        -------
        VolumeTable
            In volume anomalies against :attr:`reference_volume`.

        Raises
        ------
        OutOfRangeError
            When the range leaves the nodes or is empty.
        DataError
            When nodes lie so close together that the index would not fit in memory.
        """
        ends, _ = self._locate_level([lowest_level, highest_level])
        if not ends[0] < ends[1]:
            raise OutOfRangeError(
                "range of levels is empty\n"
                f"    found    lowest_level {lowest_level:.10g}, highest_level {highest_level:.10g} m BHS\n"
                "    allowed  lowest_level below highest_level"
            )
        first = int(np.searchsorted(self.node_level, ends[0], side="right")) - 1
        last = int(np.searchsorted(self.node_level, ends[1], side="left"))
        offset = self.reference_volume
        volume = self.node_volume[first : last + 1] - offset
        return make_volume_table(
            self.node_level[first : last + 1], self.node_area[first : last + 1], volume, offset, self.name
        )

    def _locate_level(self, level: ArrayLike) -> tuple[FloatArray, NDArray[np.intp]]:
        height = np.asarray(level, dtype=np.float64)
        _check_range(height, self.node_level, "sea level", "m BHS")
        return height, segment(height, self.node_level)

    def _summary(self) -> list[tuple[str, str]]:
        lowest, highest = self.node_level[0], self.node_level[-1]
        at = REFERENCE_LEVEL if lowest <= REFERENCE_LEVEL <= highest else float(highest)
        return [
            ("range", f"{lowest:.6g} to {highest:.6g} m BHS"),
            (f"area at {at:.6g} m", f"{self.area(at):,.0f} km²"),
            (f"volume at {at:.6g} m", f"{self.volume(at):,.0f} km³"),
            ("nodes", f"{self.node_level.size}"),
        ]

    def __repr__(self) -> str:
        return f"<{self.name}: " + ", ".join(f"{key} {value}" for key, value in self._summary()) + ">"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in self._summary())
        return f"<table><caption>{self.name}</caption>{rows}</table>"


@functools.cache
def load_hypsometry() -> Hypsometry:
    """Hypsometry of the Caspian Sea without Kara-Bogaz-Gol, as shipped with the package.

    Returns
    -------
    Hypsometry
        From −1025 to −20 m BHS, with the stated uncertainty of its area (grade D).
    """
    file = importlib.resources.files("caspian_sim").joinpath("data", "tables", "hypsometry.nc")
    with importlib.resources.as_file(file) as path:
        table = xr.load_dataset(path, engine="h5netcdf")
    return Hypsometry(
        node_level=table["level"].to_numpy(),
        node_area=table["area"].to_numpy(),
        area_uncertainty=table["area_uncertainty"].to_numpy(),
        name="Hypsometry of the Caspian Sea",
    )


def constant_area(level: float, area: float) -> Hypsometry:
    """Basin with vertical walls, for the convention that holds the area of the sea fixed.

    Parameters
    ----------
    level : float
        Level in m BHS around which the walls stand, :data:`BOX_REACH` up and down.
    area : float
        Area in km² at every level.

    Returns
    -------
    Hypsometry
    """
    return Hypsometry(
        node_level=np.array([level - BOX_REACH, level + BOX_REACH]),
        node_area=np.array([area, area]),
        name="Basin of constant area",
    )


def read_hypsometry_csv(path: str | Path) -> Hypsometry:
    """Hypsometry from a table of one's own.

    Parameters
    ----------
    path : path
        CSV in UTF-8 with the columns `level_m` (m BHS, increasing) and `area_km2` (km², not decreasing).
        Lines that start with ``#`` and empty lines are passed over.

    Returns
    -------
    Hypsometry

    Raises
    ------
    DataError
        When the file cannot be read or its rows do not make a curve; with file and line.
    """
    path = Path(path)
    header, rows = _read_rows(path)
    lines = [line for line, _ in rows]
    level, area = (np.array([_number(path, line, header, row, c) for line, row in rows]) for c in COLUMNS)
    fault = _first_fault(level, area)
    if fault is not None:
        line = lines[fault.node] if fault.node < len(lines) else None
        raise DataError(fault.message(f"{path}:{line}" if line else f"{path}"))
    return Hypsometry(node_level=level, node_area=area, name=f"Hypsometry from {path.name}")


@dataclass(frozen=True)
class _Fault:
    node: int
    problem: str
    found: str
    allowed: str

    def message(self, where: str) -> str:
        return f"{where}  {self.problem}\n    found    {self.found}\n    allowed  {self.allowed}"


def _first_fault(level: FloatArray, area: FloatArray) -> _Fault | None:
    """Say which node, in order, is the first that cannot belong to a hypsometric curve."""
    if level.ndim != 1 or level.shape != area.shape or level.size < 2:
        found = f"{level.size} level(s), {area.size} area(s)"
        return _Fault(level.size, "hypsometry needs at least two rows", found, "2 or more, as many of each")
    for i, (height, surface) in enumerate(zip(level.tolist(), area.tolist(), strict=True)):
        if not np.isfinite(height):
            return _Fault(i, "level_m is not a finite number", f"{height}", "a level in m BHS")
        if not np.isfinite(surface):
            return _Fault(i, "area_km2 is not a finite number", f"{surface}", "an area in km²")
        if surface < 0.0:
            return _Fault(i, "area_km2 is negative", f"{surface:.10g} km²", "0 km² or more")
        if i == 0:
            continue
        if height <= level[i - 1]:
            above = f"above {level[i - 1]:.10g} m BHS, the level before it"
            return _Fault(i, "level_m does not increase", f"{height:.10g} m BHS", above)
        if surface < area[i - 1]:
            at_least = f"{area[i - 1]:.10g} km², the area before it, or more"
            return _Fault(i, "area_km2 decreases as the level rises", f"{surface:.10g} km²", at_least)
        if surface == 0.0:
            return _Fault(i, "area_km2 is zero above the lowest level", "0 km²", "more than 0 km²")
    return None


def _check_range(values: FloatArray, nodes: FloatArray, quantity: str, unit: str) -> None:
    lowest, highest = float(nodes[0]), float(nodes[-1])
    inside = (values >= lowest) & (values <= highest)
    if inside.all():
        return
    missing = np.isnan(values)
    outside = ~inside & ~missing
    if missing.any():
        problem, found, count = f"{quantity} is not a number", "nan", int(missing.sum())
    else:
        strays = values[outside]
        worst = strays[np.argmax(np.maximum(lowest - strays, strays - highest))]
        problem, found, count = f"{quantity} is outside the hypsometry", f"{worst:.10g} {unit}", strays.size
    if values.size > 1:
        found += f" ({count} of {values.size} values)"
    raise OutOfRangeError(
        f"{problem}\n    found    {found}\n    allowed  {lowest:.10g} to {highest:.10g} {unit}"
    )


def _as_given(values: NDArray[np.float64] | np.float64) -> float | FloatArray:
    return float(values) if np.ndim(values) == 0 else np.asarray(values)


def _read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """Header and rows of a table with the right columns, each row with the number of its line."""
    rows = read_rows(path, "hypsometry table", COLUMNS)
    line, header = rows[0]
    if sorted(header) != sorted(COLUMNS):
        raise DataError(
            f"{path}:{line}  columns of the hypsometry table are wrong\n"
            f"    found    {', '.join(header)}\n"
            f"    allowed  {', '.join(COLUMNS)}"
        )
    return header, rows[1:]


def _number(path: Path, line: int, header: list[str], row: list[str], column: str) -> float:
    if len(row) != len(header):
        raise DataError(
            f"{path}:{line}  row of the hypsometry table has the wrong length\n"
            f"    found    {len(row)} value(s)\n"
            f"    allowed  {len(header)}: {', '.join(header)}"
        )
    cell = row[header.index(column)]
    try:
        return float(cell)
    except ValueError:
        raise DataError(
            f"{path}:{line}  {column} is not a number\n    found    {cell!r}\n    allowed  a number"
        ) from None
