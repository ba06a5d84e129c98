r"""How much more water the sea would need: level as a function of extra inflow, and its inverse.

A member's level rises with extra inflow, so that each member has one inflow that just holds a level. The
probability to hold it with an inflow *x* is the share of members whose required inflow is at most *x*, and
the inflow that holds it with probability *p* is the *p*-quantile of theirs:

.. math:: P(h \ge h^*; x) = P(x^*_m \le x), \qquad x_p = \inf\{x : P(x^*_m \le x) \ge p\}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from caspian_sim.config import Measure
from caspian_sim.cooperate.paired import NOBODY
from caspian_sim.ensemble import COLUMNS
from caspian_sim.measures.programme import growth_of, size
from caspian_sim.plan import Plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]

STEP = 10.0
"""Extra inflow from run to run, km³/yr."""
MOST, LEAST = 300.0, 100.0
"""Runs end at this much more and at this much less, km³/yr."""
CEILING = -24.5
"""A sea that has come this high (m BHS) is given no more; the curve ends at −20 m."""


def course_of_inflow(plan: Plan, start: int, ramp_years: float) -> Array:
    """Share of the extra inflow that is there in each month, as that of a measure, shape (month,)."""
    course = Measure(
        id="extra-inflow",
        state="RU",
        title="extra inflow, whoever brings it",
        mechanism="transfer",
        volume_km3_per_yr={"low": 0.0, "best": 0.0, "high": 0.0},  # type: ignore[arg-type]
        start=str(start),
        ramp_years=ramp_years,
        grade="D",
        source="by definition",
    )
    return size(course, plan.frame.calendar.years, plan.frame.calendar.months)


@dataclass(frozen=True)
class Ladder:
    """Levels of the members of a scenario with more and more extra inflow.

    Attributes
    ----------
    inflow : ndarray, shape (run,)
        Extra inflow in rising order, km³/yr.
    last, lowest : ndarray, shape (run, member)
        Annual mean level of the last year, and the lowest of all years, m BHS. Where a member was not run,
        since its answer was known, it has what it had in the run before.
    """

    inflow: Array
    last: Array
    lowest: Array


Run = Callable[[float, NDArray[np.int64]], Array]
"""Last, lowest and highest annual level, shape (3, member), of some members with an extra inflow (km³/yr)."""


def in_scenario(plan: Plan, scenario: Any) -> Plan:
    """Plan of one scenario alone, without measures."""
    config = plan.frame.config
    climate = config.climate.model_copy(update={"scenarios": (scenario,)})
    frame = replace(plan.frame, config=config.model_copy(update={"climate": climate}))
    return replace(plan, frame=frame, programmes={NOBODY: growth_of(frame.measures)})


def runs_of(plan: Plan, share: Array) -> Run:
    """Model of the members of one scenario as a function of extra inflow.

    Parameters
    ----------
    plan : Plan
        Of one scenario and one programme.
    share : ndarray, shape (month,)
        Share of the extra inflow in each month.
    """

    def run(inflow: float, members: NDArray[np.int64]) -> Array:
        # Water that is not used is water that comes.
        unused = np.vstack([plan.frame.consumption, -inflow * share])
        more = replace(plan, frame=replace(plan.frame, consumption=unused))
        parts = []
        for begin in range(0, len(members), COLUMNS):
            some = members[begin : begin + COLUMNS]
            level = integrate(more, some, member_inputs(more, some)).solution.level
            parts.append(np.stack([level[-1], level.min(axis=0), level.max(axis=0)]))
        return np.concatenate(parts, axis=1)

    return run


def climb(run: Run, members: int, lowest_target: float, highest_target: Array, throughout: bool) -> Ladder:
    """Run members with more and more, and with less and less inflow, until all targets lie in between.

    Parameters
    ----------
    run : callable
    members : int
    lowest_target : float
        m BHS.
    highest_target : ndarray, shape (member,)
        m BHS.
    throughout : bool
        Whether the lowest level counts rather than that of the last year.

    Returns
    -------
    Ladder
        A member whose level has come to :data:`CEILING` is not run with more: the curve of the sea ends.
    """
    counts = 1 if throughout else 0
    everyone = np.arange(members)
    bare = run(0.0, everyone)
    rungs = {0.0: bare}
    for sign in (1.0, -1.0):
        before = bare
        for step in range(1, round((MOST if sign > 0 else LEAST) / STEP) + 1):
            if sign > 0:
                settled = (before[counts] >= highest_target) & (before[0] >= highest_target)
                settled |= before[2] >= CEILING
            else:
                # Less by one step is run for all: it is what a programme without effect is read between.
                settled = (before[counts] < lowest_target) & (step > 1)
            open_ones = everyone[~settled]
            if not len(open_ones):
                break
            now = before.copy()
            now[:, open_ones] = run(sign * step * STEP, open_ones)
            rungs[sign * step * STEP] = before = now
    inflow = sorted(rungs)
    levels = np.stack([rungs[x] for x in inflow])
    return Ladder(np.array(inflow), levels[:, 0], levels[:, 1])


def refine(run: Run, ladder: Ladder, inflow: float, target: float, throughout: bool) -> Ladder:
    """Add a run with an inflow between two others, for the members whose answer lies between these.

    Parameters
    ----------
    run : callable
    ladder : Ladder
    inflow : float
        km³/yr.
    target : float
        Level to hold, m BHS.
    throughout : bool
        As for :func:`climb`.

    Returns
    -------
    Ladder
        All other members lie on the straight line between the two.
    """
    place = int(np.searchsorted(ladder.inflow, inflow))
    if inflow in ladder.inflow or place in (0, len(ladder.inflow)):
        return ladder
    between = slice(place - 1, place + 1)
    counted = (ladder.lowest if throughout else ladder.last)[between]
    concerned = np.flatnonzero((counted[0] < target) & (counted[1] >= target))
    below, above = ladder.inflow[between]
    part = (inflow - below) / (above - below)
    now = [
        values[place - 1] + part * (values[place] - values[place - 1])
        for values in (ladder.last, ladder.lowest)
    ]
    if len(concerned):
        found = run(inflow, concerned)
        now[0][concerned], now[1][concerned] = found[0], found[1]
    return Ladder(
        np.insert(ladder.inflow, place, inflow),
        np.insert(ladder.last, place, now[0], axis=0),
        np.insert(ladder.lowest, place, now[1], axis=0),
    )


def required_inflow(inflow: Array, level: Array, target: Array) -> Array:
    """Extra inflow with which a level is just held, by interpolation between runs.

    Parameters
    ----------
    inflow : ndarray, shape (run,)
        Extra inflow of the runs in rising order, km³/yr.
    level : ndarray, shape (run, ...)
        What they came to, m BHS; does not fall from run to run.
    target : ndarray, shape (target, ...)
        Levels to hold, m BHS.

    Returns
    -------
    ndarray, shape (target, ...)
        km³/yr; minus infinity where the first run is enough and infinity where the last one is not.
    """
    held = level[:, None] >= target
    first = held.argmax(axis=0)
    above = np.clip(first, 1, len(inflow) - 1)
    upper, lower = (np.take_along_axis(level[:, None], i[None], axis=0)[0] for i in (above, above - 1))
    rise = upper - lower
    part = np.divide(target - lower, rise, out=np.ones_like(rise), where=rise > 0.0)
    found = inflow[above - 1] + part * (inflow[above] - inflow[above - 1])
    return np.where(held[0], -np.inf, np.where(held.any(axis=0), found, np.inf))


def rank(probability: float, members: int) -> int:
    """How many members have to hold a level at least, so that it is held with a probability."""
    # The product of 0.1 and 30 is a trifle more than 3.
    return max(1, int(np.ceil(probability * members - 1e-9)))


def rank_interval(probability: float, members: int, confidence: float) -> tuple[int, int]:
    """Ranks between which the sample quantile of a resampled ensemble lies.

    The percentile bootstrap of a quantile needs no random numbers: the sample quantile of a resample is at
    most the *j*-th smallest value when *k* or more of the draws are, and their number is binomial.

    Parameters
    ----------
    probability : float
        Of the quantile.
    members : int
    confidence : float
        Probability of the interval.

    Returns
    -------
    low, high : int
        From 1 to `members`.
    """
    ranks = np.arange(1, members + 1)
    at_most = binom.sf(rank(probability, members) - 1, members, ranks / members)
    low, high = np.searchsorted(at_most, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return int(low) + 1, min(int(high) + 1, members)
