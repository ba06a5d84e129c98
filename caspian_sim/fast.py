"""The batched Runge-Kutta step as machine code, for large ensembles; needs the extra ``fast``.

There is one source for the physics: the functions of the balance, which work on a number as well as on an
array, are compiled here as they stand. Only the loops around them are written anew, over blocks of members.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caspian_sim import balance
from caspian_sim.balance import SEA, STATES, Basin
from caspian_sim.basin import bay, exchange, strait, volume_table
from caspian_sim.errors import CaspianError

Array = NDArray[np.float64]

# Members that are carried on together through a month: their forcing shares cache lines.
LANES = 64
# Weights of the stages of the classical Runge-Kutta method, and how far into the step each of them looks.
WEIGHT = np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
REACH = np.array([0.0, 0.5, 0.5, 1.0])

_Table = namedtuple("_Table", "node_level node_area node_volume slope next_volume guide bins_per_volume")
_Bay = namedtuple("_Bay", "table film_volume film_area")


@dataclass(frozen=True)
class Integrated:
    """What the compiled loops leave.

    Attributes
    ----------
    sums : ndarray, shape (STATES + 1, interval, member)
        Accumulated states of each output interval, and the external inflow in the last row.
    edge_volume : ndarray, shape (interval + 1, 2, member)
        Volumes of sea and bay at the edges of the intervals, km³.
    fell_month : ndarray of int, shape (event, member)
        Month in which each event first happened; −1 if it never did.
    fell_after : ndarray, shape (event, member)
        Start of the step in which it happened, from the start of the month, yr.
    fell_from, fell_to : ndarray, shape (event, 2, member)
        Volumes of sea and bay at the ends of that step, km³.
    left_month : ndarray of int, shape (member,)
        First month at whose end the sea stood outside its table; −1 if it never did.
    left_volume : ndarray, shape (member,)
        Volume then, km³.
    """

    sums: Array
    edge_volume: Array
    fell_month: NDArray[np.int64]
    fell_after: Array
    fell_from: Array
    fell_to: Array
    left_month: NDArray[np.int64]
    left_volume: Array


def _plain(table: volume_table.VolumeTable) -> _Table:
    return _Table(*(getattr(table, name) for name in _Table._fields))


@cache
def _kernel() -> Callable[..., None]:
    """Compile the balance and the loops; takes a few seconds, once in a process."""
    try:
        import numba
    except ImportError as error:
        raise CaspianError('the compiled solver needs numba: pip install "caspian-sim[fast]"') from error

    def compiled(function: Any, **parts: Any) -> Any:
        """Compile a function of the balance with compiled functions in place of those it calls."""
        scope = {**function.__globals__, **parts}
        twin = FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        # Inlined, or the tables would be copied at every call.
        return numba.njit(twin, error_model="numpy", inline="always")

    rise_and_area = compiled(volume_table.rise_and_area)
    look_up = compiled(volume_table.look_up, rise_and_area=rise_and_area)
    bay_level_and_area = compiled(bay.bay_level_and_area, look_up=look_up)
    throttle = compiled(strait.throttle)
    strait_outflow = compiled(strait.strait_outflow, throttle=throttle)
    bay_exchange = compiled(
        exchange.bay_exchange, bay_level_and_area=bay_level_and_area, strait_outflow=strait_outflow
    )
    rates = compiled(balance.rates, look_up=look_up, bay_exchange=bay_exchange)

    @numba.njit(error_model="numpy", nogil=True)
    def integrate(
        length: Any,
        interval: Any,
        external: Any,
        precipitation: Any,
        evaporation: Any,
        strait_coefficient: Any,
        pipe_outflow: Any,
        bay_net_evaporation: Any,
        sea: Any,
        water: Any,
        area_factor: Any,
        sill: Any,
        table: Any,
        basin_bay: Any,
        steps: Any,
        watched: Any,
        sums: Any,
        edge_volume: Any,
        fell_month: Any,
        fell_after: Any,
        fell_from: Any,
        fell_to: Any,
        left_month: Any,
        left_volume: Any,
    ) -> None:
        levels = watched.size
        lowest, highest = table.node_volume[0], table.node_volume[-1]
        for begin in range(0, sea.size, LANES):
            end = min(begin + LANES, sea.size)
            for m in range(length.size):
                step = length[m] / steps
                k = interval[m]
                for j in range(begin, end):
                    s, w = sea[j], water[j]
                    level, _ = look_up(table, s / area_factor[j])
                    a2 = a3 = a4 = a5 = a6 = a7 = 0.0
                    for n in range(steps):
                        d0 = d1 = 0.0
                        g0 = g1 = 0.0
                        for stage in range(4):
                            reach, weight = step * REACH[stage], step * WEIGHT[stage]
                            r = rates(
                                s + reach * d0,
                                w + reach * d1,
                                external[m, j],
                                precipitation[m, j],
                                evaporation[m, j],
                                strait_coefficient[m, j],
                                pipe_outflow[m, j],
                                bay_net_evaporation[m, j],
                                table,
                                basin_bay,
                                area_factor[j],
                                sill[j],
                            )
                            d0, d1 = r[0], r[1]
                            g0 += weight * d0
                            g1 += weight * d1
                            a2 += weight * r[2]
                            a3 += weight * r[3]
                            a4 += weight * r[4]
                            a5 += weight * r[5]
                            a6 += weight * r[6]
                            a7 += weight * r[7]
                        s1, w1 = s + g0, w + g1
                        after, _ = look_up(table, s1 / area_factor[j])
                        for event in range(levels + 2):
                            if event < levels:
                                was, now = level - watched[event], after - watched[event]
                            elif event == levels:
                                was, now = level - sill[j], after - sill[j]
                            else:
                                was, now = w - basin_bay.film_volume, w1 - basin_bay.film_volume
                            if was > 0.0 and now <= 0.0 and fell_month[event, j] < 0:
                                fell_month[event, j] = m
                                fell_after[event, j] = n * step
                                fell_from[event, 0, j], fell_from[event, 1, j] = s, w
                                fell_to[event, 0, j], fell_to[event, 1, j] = s1, w1
                        s, w, level = s1, w1, after
                    sea[j], water[j] = s, w
                    sums[2, k, j] += a2
                    sums[3, k, j] += a3
                    sums[4, k, j] += a4
                    sums[5, k, j] += a5
                    sums[6, k, j] += a6
                    sums[7, k, j] += a7
                    sums[8, k, j] += external[m, j] * length[m]
                    edge_volume[k + 1, 0, j], edge_volume[k + 1, 1, j] = s, w
                    volume = s / area_factor[j]
                    if left_month[j] < 0 and not (volume >= lowest and volume <= highest):
                        left_month[j], left_volume[j] = m, volume

    kernel: Callable[..., None] = integrate
    return kernel


def integrate(
    forcing: Any,
    basin: Basin,
    sea: Array,
    water: Array,
    interval: NDArray[np.int64],
    steps: int,
    levels: Array,
) -> Integrated:
    """Carry an ensemble through its forcing.

    Parameters
    ----------
    forcing : caspian_sim.solve.Forcing
    basin : Basin
    sea, water : ndarray, shape (member,)
        Initial sea volume anomaly and water in the bay, km³.
    interval : ndarray of int, shape (month,)
        Output interval of each month.
    steps : int
        Runge-Kutta steps in a month.
    levels : ndarray, shape (level,)
        Levels that are watched, m BHS; a dry strait and a dry bay are watched as well.

    Returns
    -------
    Integrated

    Raises
    ------
    CaspianError
        When numba is not installed.
    """
    members, months, intervals, events = len(sea), len(forcing.length), int(interval[-1]) + 1, len(levels) + 2

    def wide(values: Array) -> Array:
        return np.broadcast_to(values, (months, members))

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
    left.edge_volume[0, SEA], left.edge_volume[0, 1] = sea, water
    table, shape = _plain(basin.table), basin.bay
    _kernel()(
        forcing.length,
        interval,
        wide(forcing.external),
        wide(forcing.precipitation),
        wide(forcing.evaporation),
        wide(forcing.strait_coefficient),
        wide(forcing.pipe_outflow),
        wide(forcing.bay_net_evaporation),
        sea.copy(),
        water.copy(),
        basin.area_factor,
        basin.sill,
        table,
        _Bay(_plain(shape.table), shape.film_volume, shape.film_area),
        steps,
        levels,
        left.sums,
        left.edge_volume,
        left.fell_month,
        left.fell_after,
        left.fell_from,
        left.fell_to,
        left.left_month,
        left.left_volume,
    )
    return left
