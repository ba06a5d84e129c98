"""The batched Runge-Kutta step as machine code, for large ensembles; needs the extra ``fast``.

There is one source for the physics: the functions of the balance, which work on a number as well as on an
array, are compiled here as they stand. Only the loops around them are written anew, over blocks of members
that the processor carries on several at a time.
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

# Members in a block. The last block is filled up with idle lanes, so that every member goes through the same
# instructions and its numbers do not depend on its place.
LANES = 64
# Weights of the stages of the classical Runge-Kutta method, and how far into the step each of them looks.
WEIGHT = np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
REACH = np.array([0.0, 0.5, 0.5, 1.0])

# Where the rows of a block begin in its working memory. They lie in a single array at distances that the
# compiler knows: it could not tell whether separate arrays overlap, and would take one member after another.
_S, _W = 0 * LANES, 1 * LANES  # volumes of sea and bay
_S1, _W1 = 2 * LANES, 3 * LANES  # the same at the end of the step
_DS, _DW = 4 * LANES, 5 * LANES  # their rates at the last stage
_SUMS = 6 * LANES  # accumulated states from LEVEL on, six rows
_NOW, _THEN = 12 * LANES, 13 * LANES  # level at both ends of the step
_FACTOR, _SILL = 14 * LANES, 15 * LANES
_FORCING = 16 * LANES  # as in Segment, six rows
_SHALLOW = 22 * LANES  # weight of shallow water
_CLOSED_BELOW, _CLOSING = 23 * LANES, 24 * LANES  # gates in the strait
_WATCHED = 25 * LANES  # what the events are watched against

_Table = namedtuple(
    "_Table",
    "node_level node_area node_volume slope next_volume guide bins_per_volume node_excess excess_slope",
)
_Bay = namedtuple("_Bay", "table film_volume film_area")
_Months = namedtuple(
    "_Months",
    "length interval external precipitation evaporation strait_coefficient pipe_outflow bay_net_evaporation "
    "season closed_below closing",
)


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


def _power(base: Any, exponent: Any) -> Any:
    """Power of a number from 0 to 1, of arithmetic alone: a call of the C library would break up the block.

    With base = m·2^e, √½ ≤ m < √2, it is 2^(exponent·(e + log₂ m)). The logarithm is the series of
    2 artanh((m − 1)/(m + 1)), the exponential its Taylor series around the nearest whole number: both are
    cut off below the rounding error. Zero gives 2^(−1023·exponent).
    """
    bits = np.float64(base).view(np.int64)
    two = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    m = np.int64(bits - (two << np.int64(52))).view(np.float64)
    z = (m - 1.0) / (m + 1.0)
    q = z * z
    p = 1 / 15 + q * (1 / 17 + q * (1 / 19 + q * (1 / 21)))
    p = q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * p))))))
    log2 = np.float64(two) + 2.8853900817779268 * (z + z * p)
    whole = np.floor(exponent * log2 + 0.5)
    x = (exponent * log2 - whole) * 0.6931471805599453
    p = 1 / 40320 + x * (1 / 362880 + x * (1 / 3628800 + x * (1 / 39916800 + x * (1 / 479001600))))
    p = 1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040 + x * p)))
    p = 1.0 + x * (1.0 + x * (1 / 2 + x * (1 / 6 + x * p)))
    return p * np.int64((np.int64(whole) + np.int64(1023)) << np.int64(52)).view(np.float64)


def _pick(values: Any, place: Any) -> Any:
    return values[np.uint32(place)]


@cache
def _kernel(uneven: bool, gates: bool) -> Callable[..., None]:
    """Compile the balance and the loops; takes a few seconds, once in a process for each form of them.

    A sea that evaporates alike everywhere must not pay for one that does not, nor a strait without gates for
    one with them.
    """
    try:
        import numba
    except ImportError as error:
        raise CaspianError('the compiled solver needs numba: pip install "caspian-sim[fast]"') from error
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba.extending import intrinsic

    def compiled(function: Any, **parts: Any) -> Any:
        """Compile a function of the balance with compiled functions in place of those it calls."""
        scope = {**function.__globals__, **parts}
        twin = FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        # Inlined, or the tables would be copied at every call.
        return numba.njit(twin, error_model="numpy", inline="always")

    pick = compiled(_pick)
    rise_and_area = compiled(volume_table.rise_and_area)
    locate = compiled(volume_table.locate, pick=pick)
    parts = {"locate": locate, "rise_and_area": rise_and_area, "pick": pick}
    look_up = compiled(volume_table.look_up, **parts)
    surface = (
        compiled(
            balance.uneven_surface,
            look_up_with_shallows=compiled(volume_table.look_up_with_shallows, **parts),
        )
        if uneven
        else compiled(balance.even_surface, look_up=look_up)
    )
    bay_level_and_area = compiled(bay.bay_level_and_area, look_up=look_up)
    throttle = compiled(strait.throttle, power=compiled(_power))
    strait_outflow = compiled(strait.strait_outflow, throttle=throttle)
    bay_exchange = compiled(
        exchange.bay_exchange, bay_level_and_area=bay_level_and_area, strait_outflow=strait_outflow
    )
    regulated = compiled(balance.regulated_by_level if gates else balance.never_regulated)
    rates = compiled(balance.rates, surface=surface, bay_exchange=bay_exchange, regulated=regulated)

    def promise(_: Any) -> Any:
        """Tell the compiler that no two arguments of the function overlap, as restrict does in C."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType):
                    argument.add_attribute("noalias")
            return context.get_dummy_value()

        return numba.types.void(), generate

    arrays_do_not_overlap: Any = intrinsic(promise)

    @numba.njit(error_model="numpy")
    def spread(work: Any, place: Any, values: Any, month: Any, months: Any, begin: Any, count: Any) -> None:
        row = month * values.shape[0] // months
        own = min(values.shape[1] - 1, 1)
        for j in range(count):
            work[place + j] = values[row, own * (begin + j)]

    @numba.njit(error_model="numpy", nogil=True, fastmath={"contract"})
    def integrate(
        forcing: Any,
        sea: Any,
        water: Any,
        area_factor: Any,
        sill: Any,
        shallow_weight: Any,
        table: Any,
        basin_bay: Any,
        steps: Any,
        watched: Any,
        work: Any,
        sums: Any,
        edge_volume: Any,
        fell_month: Any,
        fell_after: Any,
        fell_from: Any,
        fell_to: Any,
        left_month: Any,
        left_volume: Any,
    ) -> None:
        arrays_do_not_overlap()
        months, levels = forcing.length.size, watched.size
        lowest, highest = table.node_volume[0], table.node_volume[-1]
        for j in range(LANES):
            for event in range(levels):
                work[_WATCHED + event * LANES + j] = watched[event]
            work[_WATCHED + (levels + 1) * LANES + j] = basin_bay.film_volume
        for begin in range(0, sea.size, LANES):
            count = min(LANES, sea.size - begin)
            for j in range(count):
                work[_S + j], work[_W + j] = sea[begin + j], water[begin + j]
                work[_FACTOR + j], work[_SILL + j] = area_factor[begin + j], sill[begin + j]
                work[_SHALLOW + j] = shallow_weight[begin + j]
                work[_WATCHED + levels * LANES + j] = sill[begin + j]
            for j in range(LANES):
                work[_NOW + j] = look_up(table, work[_S + j] / work[_FACTOR + j])[0]
            for m in range(months):
                step = forcing.length[m] / steps
                k = forcing.interval[m]
                spread(work, _FORCING, forcing.external, m, months, begin, count)
                spread(work, _FORCING + LANES, forcing.precipitation, m, months, begin, count)
                spread(work, _FORCING + 2 * LANES, forcing.evaporation, m, months, begin, count)
                spread(work, _FORCING + 3 * LANES, forcing.strait_coefficient, m, months, begin, count)
                spread(work, _FORCING + 4 * LANES, forcing.pipe_outflow, m, months, begin, count)
                spread(work, _FORCING + 5 * LANES, forcing.bay_net_evaporation, m, months, begin, count)
                if gates:
                    spread(work, _CLOSED_BELOW, forcing.closed_below, m, months, begin, count)
                    spread(work, _CLOSING, forcing.closing, m, months, begin, count)
                season = forcing.season[m]
                for j in range(LANES):
                    work[_FORCING + 2 * LANES + j] += season
                    work[_FORCING + 5 * LANES + j] += season
                for j in range(6 * LANES):
                    work[_SUMS + j] = 0.0
                for n in range(steps):
                    for j in range(LANES):
                        work[_S1 + j], work[_W1 + j] = work[_S + j], work[_W + j]
                        work[_DS + j], work[_DW + j] = 0.0, 0.0
                    for stage in range(4):
                        reach, weight = step * REACH[stage], step * WEIGHT[stage]
                        for j in range(LANES):
                            r = rates(
                                work[_S + j] + reach * work[_DS + j],
                                work[_W + j] + reach * work[_DW + j],
                                work[_FORCING + j],
                                work[_FORCING + LANES + j],
                                work[_FORCING + 2 * LANES + j],
                                work[_FORCING + 3 * LANES + j],
                                work[_FORCING + 4 * LANES + j],
                                work[_FORCING + 5 * LANES + j],
                                table,
                                basin_bay,
                                work[_FACTOR + j],
                                work[_SILL + j],
                                work[_SHALLOW + j],
                                work[_CLOSED_BELOW + j],
                                work[_CLOSING + j],
                            )
                            work[_DS + j], work[_DW + j] = r[0], r[1]
                            work[_S1 + j] += weight * r[0]
                            work[_W1 + j] += weight * r[1]
                            work[_SUMS + j] += weight * r[2]
                            work[_SUMS + LANES + j] += weight * r[3]
                            work[_SUMS + 2 * LANES + j] += weight * r[4]
                            work[_SUMS + 3 * LANES + j] += weight * r[5]
                            work[_SUMS + 4 * LANES + j] += weight * r[6]
                            work[_SUMS + 5 * LANES + j] += weight * r[7]
                    for j in range(LANES):
                        work[_THEN + j] = look_up(table, work[_S1 + j] / work[_FACTOR + j])[0]
                    for event in range(levels + 2):
                        was, now = (_NOW, _THEN) if event <= levels else (_W, _W1)
                        bar = _WATCHED + event * LANES
                        falls = 0
                        for j in range(LANES):
                            falls += work[was + j] > work[bar + j] and work[now + j] <= work[bar + j]
                        if falls == 0:
                            continue
                        for j in range(count):
                            fell = work[was + j] > work[bar + j] and work[now + j] <= work[bar + j]
                            if fell and fell_month[event, begin + j] < 0:
                                fell_month[event, begin + j] = m
                                fell_after[event, begin + j] = n * step
                                fell_from[event, 0, begin + j] = work[_S + j]
                                fell_from[event, 1, begin + j] = work[_W + j]
                                fell_to[event, 0, begin + j] = work[_S1 + j]
                                fell_to[event, 1, begin + j] = work[_W1 + j]
                    for j in range(LANES):
                        work[_S + j], work[_W + j] = work[_S1 + j], work[_W1 + j]
                        work[_NOW + j] = work[_THEN + j]
                for row in range(6):
                    for j in range(count):
                        sums[2 + row, k, begin + j] += work[_SUMS + row * LANES + j]
                for j in range(count):
                    sums[8, k, begin + j] += work[_FORCING + j] * forcing.length[m]
                    edge_volume[k + 1, 0, begin + j] = work[_S + j]
                    edge_volume[k + 1, 1, begin + j] = work[_W + j]
                for j in range(count):
                    volume = work[_S + j] / work[_FACTOR + j]
                    if not (volume >= lowest and volume <= highest) and left_month[begin + j] < 0:
                        left_month[begin + j], left_volume[begin + j] = m, volume

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
    forcing : caspian_sim.forcing.Forcing
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
    left.edge_volume[0, SEA], left.edge_volume[0, 1] = sea, water
    none = np.zeros((1, 1))
    fluxes = (
        np.ascontiguousarray(none if getattr(forcing, name) is None else getattr(forcing, name))
        for name in _Months._fields[2:]
    )
    # Ones, because idle lanes divide by them.
    work = np.ones(_WATCHED + events * LANES)
    weight = basin.shallow_weight
    _kernel(weight is not None, forcing.regulated)(
        _Months(forcing.length, interval, *fluxes),
        np.ascontiguousarray(sea),
        np.ascontiguousarray(water),
        np.ascontiguousarray(basin.area_factor),
        np.ascontiguousarray(basin.sill),
        np.zeros(members) if weight is None else np.ascontiguousarray(weight),
        _plain(basin.table),
        _Bay(_plain(basin.bay.table), basin.bay.film_volume, basin.bay.film_area),
        steps,
        levels,
        work,
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
