"""The loop in balance.c, compiled with the C compiler at hand and called through ctypes: for benchmarks."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caspian_sim.balance import STATES, Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import HISTORY_STEPS
from caspian_sim.basin.strait import strait_state
from caspian_sim.basin.volume_table import VolumeTable
from caspian_sim.climate.seasons import net_evaporation_departure
from caspian_sim.collect import Calendar
from caspian_sim.fast import LANES, Integrated
from caspian_sim.forcing import Forcing

Array = NDArray[np.float64]

SOURCE = Path(__file__).with_name("balance.c")
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
# As numbered in Forcing.
FLUXES = (
    "external",
    "precipitation",
    "evaporation",
    "strait_coefficient",
    "pipe_outflow",
    "bay_net_evaporation",
)

_POINTER, _INTEGER, _NUMBER = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double


class _Table(ctypes.Structure):
    _fields_ = [
        *((name, _POINTER) for name in ("node_level", "node_area", "node_volume", "slope", "next_volume")),
        ("guide", _POINTER),
        ("bins_per_volume", _NUMBER),
        ("bins", _INTEGER),
    ]


class _Basin(ctypes.Structure):
    _fields_ = [("sea", _Table), ("bay", _Table), ("film_volume", _NUMBER), ("film_area", _NUMBER)]


class _Flux(ctypes.Structure):
    _fields_ = [("values", _POINTER), ("rows", _INTEGER), ("columns", _INTEGER)]


class _Run(ctypes.Structure):
    _fields_ = [
        *((name, _INTEGER) for name in ("months", "members", "steps", "levels", "intervals")),
        *((name, _POINTER) for name in ("length", "season", "watched", "interval")),
        *((name, _Flux) for name in FLUXES),
        ("area_factor", _POINTER),
        ("sill", _POINTER),
    ]


def compiler() -> str | None:
    """Name of the C compiler, if there is one."""
    return os.environ.get("CC") or shutil.which("cc")


@cache
def library() -> ctypes.CDLL:
    """Compile balance.c and load it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "balance.so"
        subprocess.run([str(compiler()), *FLAGS, "-o", str(path), str(SOURCE), "-lm"], check=True)
        return ctypes.CDLL(str(path))


def _at(values: NDArray[np.generic]) -> int:
    assert values.flags.c_contiguous
    return values.ctypes.data


def _table(table: VolumeTable) -> _Table:
    arrays = (_at(getattr(table, name)) for name, kind in _Table._fields_ if kind is _POINTER)
    return _Table(*arrays, table.bins_per_volume, table.guide.size)


def _basin(basin: Basin) -> _Basin:
    return _Basin(_table(basin.table), _table(basin.bay.table), basin.bay.film_volume, basin.bay.film_area)


def integrate(
    forcing: Forcing,
    basin: Basin,
    sea: Array,
    water: Array,
    interval: NDArray[np.int64],
    steps: int,
    levels: Array,
    threads: int = 1,
) -> Integrated:
    """Do what :func:`caspian_sim.fast.integrate` does, but for the check of the range of the curve."""
    members, intervals, events = len(sea), int(interval[-1]) + 1, len(levels) + 2
    left = Integrated(
        sums=np.zeros((STATES + 1, intervals, members)),
        edge_volume=np.empty((intervals + 1, 2, members)),
        fell_month=np.full((events, members), -1, dtype=np.int64),
        fell_after=np.zeros((events, members)),
        fell_from=np.zeros((events, 2, members)),
        fell_to=np.zeros((events, 2, members)),
        left_month=np.full(members, -1, dtype=np.int64),
        left_volume=np.zeros(members),
    )
    left.edge_volume[0, 0], left.edge_volume[0, 1] = sea, water
    fluxes = [np.ascontiguousarray(getattr(forcing, name)) for name in FLUXES]
    shape = _basin(basin)
    run = _Run(
        len(forcing.length),
        members,
        steps,
        len(levels),
        intervals,
        *(_at(values) for values in (forcing.length, forcing.season, levels, interval)),
        *(_Flux(_at(values), *values.shape) for values in fluxes),
        _at(basin.area_factor),
        _at(basin.sill),
    )
    results = (left.sums, left.edge_volume, left.fell_month, left.fell_after, left.fell_from, left.fell_to)

    def part(first: int, last: int) -> None:
        library().integrate(
            ctypes.byref(run),
            ctypes.byref(shape),
            *(_POINTER(_at(values)) for values in (sea, water)),
            _INTEGER(first),
            _INTEGER(last),
            *(_POINTER(_at(values)) for values in results),
        )

    in_threads(part, members, threads)
    return left


def in_threads(part: Callable[[int, int], None], members: int, threads: int) -> None:
    """Give every thread as many whole blocks."""
    edges = [min(members, LANES * round(members * share / threads / LANES)) for share in range(threads)]
    edges.append(members)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, edges[:-1], edges[1:]))


def follow(calendar: Calendar, level: Array, parameters: Mapping[str, Array], start: Array) -> Array:
    """Find the water in the bay after some months, as :func:`caspian_sim.record.bay.follow_level` does.

    For months after the strait was cut anew; `level` is that of the sea at their edges, m BHS.
    """
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    assert recut.all()
    assert (opening == 1.0).all()
    water = start.copy()
    # The sea's table is not looked at: its level is given.
    bay = kara_bogaz_gol()
    shape = _basin(Basin(bay.table, bay, np.ones(1), np.ones(1)))
    arrays = (
        level,
        calendar.length,
        net_evaporation_departure(calendar.fractions).ravel(),
        pipes,
        *(
            parameters[name]
            for name in ("strait_coefficient_after_1992", "strait_sill", "bay_net_evaporation")
        ),
    )
    library().follow(
        ctypes.byref(shape),
        *(_INTEGER(count) for count in (len(start), len(calendar.length), HISTORY_STEPS)),
        *(_POINTER(_at(values)) for values in (*arrays, water)),
    )
    return water
