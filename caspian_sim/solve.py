"""Integration of the balance: scipy's solvers for single runs, a batched Runge-Kutta step for ensembles.

Both integrate :func:`caspian_sim.balance.tendencies` from breakpoint to breakpoint, the edges of the months,
so that no step ever straddles a jump of the forcing. Tolerances are stated in millimetres of sea level: a
relative tolerance on 78,000 km³ of water would hide errors of metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from caspian_sim import fast
from caspian_sim.balance import (
    AREA,
    BAY,
    BAY_LOSS,
    EVAPORATION,
    LEVEL,
    PRECIPITATION,
    SEA,
    STATES,
    STRAIT,
    Basin,
    Segment,
    tendencies,
)
from caspian_sim.errors import DataError, SolverError
from caspian_sim.forcing import Forcing
from caspian_sim.stepper import BatchedRK4, hermite

Array = NDArray[np.float64]
Open = NDArray[np.bool_]
Month = Callable[[Array, Segment, Basin, float, Open], tuple[Array, Array]]

BATCHED = "batched"
COMPILED = "compiled"
BUDGET_TOLERANCE_KM3 = 1e-6
# A millimetre over the present sea is 0.37 km³; used only to turn a tolerance in mm into one in km³.
KM3_PER_MM = 0.37
# Halvings of a month when an event is located: 2^-22 of a month is less than a second.
BISECTIONS = 22


@dataclass(frozen=True)
class Watch:
    """What is watched for its first fall below zero.

    Attributes
    ----------
    levels : tuple of float
        Sea levels, m BHS.
    """

    levels: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the events, in the order of :meth:`values`."""
        return (*(f"sea level below {level:g} m" for level in self.levels), "strait dry", "bay dry")

    def values(self, state: Array, basin: Basin) -> Array:
        """Distance to each event, shape (event, member): positive before it, negative after.

        The strait is dry when the sea stands below the sill, the bay when only pools are left on its floor.
        """
        level = basin.level_and_area(state[SEA])[0]
        bay = state[BAY] - basin.bay.film_volume
        return np.stack([*(level - threshold for threshold in self.levels), level - basin.sill, bay])


@dataclass(frozen=True)
class Solution:
    """What an integration leaves, by output interval and member.

    Attributes
    ----------
    level, area : ndarray, shape (interval, member)
        Means over the interval, m BHS and km².
    volume, bay_volume : ndarray, shape (interval, member)
        At the end of the interval: anomaly against −28 m BHS and volume over the floor of the bay, km³.
    precipitation, evaporation, strait_outflow, bay_loss, external : ndarray, shape (interval, member)
        Mean fluxes over the interval, km³/yr.
    residual : ndarray, shape (interval, member)
        Change of volume less all accumulated fluxes, km³; the larger in magnitude of sea and bay.
    first_event : ndarray, shape (event, member)
        Time of the first fall below each watched event, decimal years; NaN if it never happens.
    events : tuple of str
        Names of the events.
    steps, evaluations : int
        Steps and evaluations of the right-hand side, summed over months and members.
    """

    level: Array
    area: Array
    volume: Array
    bay_volume: Array
    precipitation: Array
    evaporation: Array
    strait_outflow: Array
    bay_loss: Array
    external: Array
    residual: Array
    first_event: Array
    events: tuple[str, ...]
    steps: int
    evaluations: int

    def columns(self, part: slice) -> Solution:
        """Return the solution of some of the members."""
        arrays = {f.name: getattr(self, f.name)[:, part] for f in fields(self) if f.type == "Array"}
        return replace(self, **arrays)


class _Counter:
    """Sums what the solvers did, for the record in the results."""

    def __init__(self) -> None:
        self.steps = 0
        self.evaluations = 0


def _batched_month(steps: int, watch: Watch, counter: _Counter) -> Month:
    """One month for all members, with events by cubic interpolation between the steps."""

    def advance(
        state: Array, segment: Segment, basin: Basin, length: float, awaited: Open
    ) -> tuple[Array, Array]:
        def rate(_: float, flat: Array) -> Array:
            return tendencies(flat.reshape(STATES, -1), segment, basin).ravel()

        solver = BatchedRK4(rate, 0.0, state.ravel(), length, steps=steps)
        reached = np.full((len(watch.names), state.shape[1]), np.nan)
        before, distance = state, watch.values(state, basin)
        while solver.status == "running":
            begin = solver.t
            solver.step()
            after = solver.y.reshape(STATES, -1)
            then = watch.values(after, basin)
            fell = awaited & (distance > 0.0) & (then <= 0.0) & np.isnan(reached)
            if fell.any():
                slopes = tendencies(before, segment, basin), tendencies(after, segment, basin)
                located = _locate(fell, before, slopes[0], after, slopes[1], solver.t - begin, watch, basin)
                reached[fell] = begin + located
            before, distance = after, then
        counter.steps += steps * state.shape[1]
        counter.evaluations += solver.nfev * state.shape[1]
        return before, reached

    return advance


def _locate(
    fell: NDArray[np.bool_],
    y0: Array,
    f0: Array,
    y1: Array,
    f1: Array,
    step: float,
    watch: Watch,
    basin: Basin,
) -> Array:
    """Time from the start of a step to each event in it, by bisection on the cubic between its ends."""
    events, members = np.nonzero(fell)
    own = basin.of(members)
    ends = [values[: BAY + 1, members] for values in (y0, f0, y1, f1)]
    low, high = np.zeros(len(members)), np.ones(len(members))
    pick = np.arange(len(members))
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        above = watch.values(hermite(middle, step, *ends), own)[events, pick] > 0.0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return step * high


def _adaptive_month(method: str, tolerance_mm: float, watch: Watch, counter: _Counter) -> Month:
    """One month by scipy's adaptive solvers, each member alone: stacked, they would share one error norm."""

    def advance(
        state: Array, segment: Segment, basin: Basin, length: float, awaited: Open
    ) -> tuple[Array, Array]:
        end, reached = np.empty_like(state), np.full((len(watch.names), state.shape[1]), np.nan)
        # Volumes in km³ against the tolerance; a month's integrals of level and area on the scale of their
        # own.
        absolute = np.full(STATES, tolerance_mm * KM3_PER_MM)
        absolute[LEVEL], absolute[AREA] = tolerance_mm * 1e-3, tolerance_mm * KM3_PER_MM * 1e3
        for member in range(state.shape[1]):
            pick = [member]
            own = basin.of(pick)
            alone = Segment(
                *(
                    values[pick] if values is not None and values.shape[-1] > 1 else values
                    for values in (getattr(segment, field.name) for field in fields(Segment))
                )
            )

            def rate(_: float, y: Array, alone: Segment = alone, own: Basin = own) -> Array:
                return tendencies(y[:, None], alone, own)[:, 0]

            run = solve_ivp(
                rate,
                (0.0, length),
                state[:, member],
                method=cast(Any, method),
                rtol=1e-12,
                atol=absolute,
                events=[_event(watch, index, own) for index in range(len(watch.names))],
            )
            if not run.success:
                raise SolverError(f"the solver {method} failed: {run.message}")
            end[:, member] = run.y[:, -1]
            for event, times in enumerate(run.t_events or []):
                if len(times) and awaited[event, member]:
                    reached[event, member] = times[0]
            counter.steps += len(run.t) - 1
            counter.evaluations += run.nfev
        return end, reached

    return advance


def _event(watch: Watch, index: int, basin: Basin) -> Callable[[float, Array], float]:
    def distance(_: float, y: Array) -> float:
        return float(watch.values(y[:, None], basin)[index, 0])

    distance.direction = -1.0  # type: ignore[attr-defined]
    return distance


def solve(
    forcing: Forcing,
    basin: Basin,
    sea: Array,
    bay: Array,
    interval: NDArray[np.int64],
    *,
    method: str = BATCHED,
    steps_per_month: int = 2,
    tolerance_mm: float = 1e-5,
    watch: Watch = Watch(),
    each_month: Callable[[], None] | None = None,
    name: Callable[[int], str] = "member {}".format,
) -> Solution:
    """Integrate an ensemble over its forcing.

    Parameters
    ----------
    forcing : Forcing
    basin : Basin
    sea, bay : ndarray, shape (member,)
        Initial sea volume anomaly against −28 m BHS and bay volume, km³.
    interval : ndarray of int, shape (month,)
        Output interval of each month, ascending from 0.
    method : str
        ``batched``, ``compiled`` (the same steps as machine code), or a method of
        :func:`scipy.integrate.solve_ivp` (``RK45``, ``DOP853``, ``LSODA``, ``Radau``, ``BDF``) for each
        member on its own.
    steps_per_month : int
        Runge-Kutta steps in a month, for ``batched`` and ``compiled``.
    tolerance_mm : float
        Error per step allowed to an adaptive method, mm of sea level.
    watch : Watch
        Events whose first time is wanted.
    each_month : callable, optional
        Called after every month, for progress.
    name : callable, optional
        Name of a column for messages.

    Returns
    -------
    Solution

    Raises
    ------
    DataError
        When a volume at the start is not finite.
    SolverError
        When a member leaves the range of the hypsometric curve, or the budget does not close to 1e-6 km³.
    """
    if not (np.isfinite(sea).all() and np.isfinite(bay).all()):
        raise DataError(
            "the state at the start is not finite\n    allowed  finite volumes of sea and bay in km³"
        )
    members, intervals = len(sea), int(interval[-1]) + 1
    counter = _Counter()
    if method == COMPILED:
        return _solve_compiled(forcing, basin, sea, bay, interval, steps_per_month, watch, each_month, name)
    month = (
        _batched_month(steps_per_month, watch, counter)
        if method == BATCHED
        else _adaptive_month(method, tolerance_mm, watch, counter)
    )
    state = np.zeros((STATES, members))
    state[SEA], state[BAY] = sea, bay
    sums = np.zeros((STATES + 1, intervals, members))
    duration = np.zeros(intervals)
    edge_volume = np.empty((intervals + 1, 2, members))
    edge_volume[0] = state[:LEVEL]
    first_event = np.full((len(watch.names), members), np.nan)
    for index, length in enumerate(forcing.length):
        segment, k = forcing.segment(index), interval[index]
        state[LEVEL:] = 0.0
        state, reached = month(state, segment, basin, length, np.isnan(first_event))
        _check_range(state[SEA] / basin.area_factor, basin, forcing.label(index), name)
        sums[:STATES, k] += state
        sums[STATES, k] += segment.external * length
        duration[k] += length
        edge_volume[k + 1] = state[:LEVEL]
        first_event = np.where(np.isnan(first_event), forcing.begins[index] + reached, first_event)
        if each_month is not None:
            each_month()
    return _solution(sums, duration, edge_volume, first_event, watch, counter)


def _solve_compiled(
    forcing: Forcing,
    basin: Basin,
    sea: Array,
    bay: Array,
    interval: NDArray[np.int64],
    steps: int,
    watch: Watch,
    each_month: Callable[[], None] | None,
    name: Callable[[int], str],
) -> Solution:
    done = fast.integrate(forcing, basin, sea, bay, interval, steps, np.array(watch.levels))
    if (done.left_month >= 0).any():
        when = int(done.left_month[done.left_month >= 0].min())
        volume = np.where(done.left_month == when, done.left_volume, 0.0)
        _check_range(volume, basin, forcing.label(when), name)
    first_event = np.full(done.fell_month.shape, np.nan)
    for event, column_month in enumerate(done.fell_month):
        columns = np.flatnonzero(column_month >= 0)
        month = column_month[columns]
        ends = [np.zeros((STATES, len(columns))) for _ in range(2)]
        ends[0][: BAY + 1] = done.fell_from[event][:, columns]
        ends[1][: BAY + 1] = done.fell_to[event][:, columns]
        own = basin.of(columns)
        segment = forcing.cells(month, columns)
        slopes = [tendencies(end, segment, own) for end in ends]
        fell = np.zeros((len(watch.names), len(columns)), dtype=bool)
        fell[event] = True
        located = _locate(
            fell, ends[0], slopes[0], ends[1], slopes[1], forcing.length[month] / steps, watch, own
        )
        first_event[event, columns] = forcing.begins[month] + done.fell_after[event, columns] + located
    if each_month is not None:
        for _ in forcing.length:
            each_month()
    counter = _Counter()
    counter.steps = steps * len(forcing.length) * len(sea)
    counter.evaluations = len(fast.WEIGHT) * counter.steps
    duration = np.bincount(interval, weights=forcing.length).astype(np.float64)
    return _solution(done.sums, duration, done.edge_volume, first_event, watch, counter)


def _check_range(volume: Array, basin: Basin, when: str, name: Callable[[int], str]) -> None:
    table = basin.table
    lowest, highest = table.lowest_volume, table.highest_volume
    wrong = ~((volume >= lowest) & (volume <= highest))
    if wrong.any():
        column = int(np.argmax(wrong))
        raise SolverError(
            f"the sea left the range of the hypsometric curve in {when}\n"
            f"    found    volume {volume[column]:.4g} km³ against −28 m BHS in {name(column)}\n"
            f"    allowed  {lowest:.5g} to {highest:.5g} km³ "
            f"({table.lowest_level:g} to {table.highest_level:g} m BHS)"
        )


def _solution(
    sums: Array, duration: Array, edge_volume: Array, first_event: Array, watch: Watch, counter: _Counter
) -> Solution:
    change = np.diff(edge_volume, axis=0)
    sea_residual = change[:, 0] - (sums[STATES] + sums[PRECIPITATION] - sums[EVAPORATION] - sums[STRAIT])
    bay_residual = change[:, 1] - (sums[STRAIT] - sums[BAY_LOSS])
    residual = np.where(np.abs(sea_residual) >= np.abs(bay_residual), sea_residual, bay_residual)
    worst = max(float(np.abs(np.cumsum(part, axis=0)).max()) for part in (sea_residual, bay_residual))
    if not worst <= BUDGET_TOLERANCE_KM3:
        raise SolverError(
            "the water budget does not close\n"
            f"    found    residual {worst:.3g} km³\n"
            f"    allowed  {BUDGET_TOLERANCE_KM3:g} km³ over the whole run"
        )
    rate = sums / duration[:, None]
    return Solution(
        level=rate[LEVEL],
        area=rate[AREA],
        volume=edge_volume[1:, 0],
        bay_volume=edge_volume[1:, 1],
        precipitation=rate[PRECIPITATION],
        evaporation=rate[EVAPORATION],
        strait_outflow=rate[STRAIT],
        bay_loss=rate[BAY_LOSS],
        external=rate[STATES],
        residual=residual,
        first_event=first_event,
        events=watch.names,
        steps=counter.steps,
        evaluations=counter.evaluations,
    )
