"""Ensemble of the level by month from the newest observations on, months that have been seen taken in.

Months come from altimetry and annual means from gauges; the two differ by some centimetres from year to year.
An outlook of months is one of months as they are observed: members are shifted by the difference of the last
year where its months are known, and each by a difference of its own where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.climate.draws import normals
from caspian_sim.climate.warming import MIDDLE_SCENARIO
from caspian_sim.config import Config, load_config
from caspian_sim.errors import DataError
from caspian_sim.plan import Plan
from caspian_sim.record.observations import GAUGES_AGAINST_MONTHS, Observations, mean_of_months
from caspian_sim.simulate import run_members

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ensemble:
    """Members of an outlook from the start of a year on, of which the first months have been seen.

    Attributes
    ----------
    level : ndarray, shape (month, member)
        As it would be observed, m BHS; months that have been seen as they were.
    course : ndarray, shape (month, member)
        The same without the departures of single months, as annual means are observed.
    weight : ndarray, shape (member,)
        How much each member counts, adding up to 1.
    seen : int
        Months that have been seen.
    score : float
        How far the last of them lies from what the members let expect, standard deviations; 0 when none has
        been seen.
    """

    level: Array
    course: Array
    weight: Array
    seen: int
    score: float

    @property
    def effective_members(self) -> float:
        """Number of equal members that would leave as much to chance."""
        return float(1.0 / (self.weight**2).sum())


def season_spread() -> Array:
    """Spread of the departures of the months from the mean season, standard deviation in m, shape (12,)."""
    return np.asarray(data.load("seasonal_climatology")["level_sd"].values, dtype=float) / 100.0


def months_seen(record: Observations, start: int) -> Array:
    """Levels of the months that have been observed since the start of a year.

    Parameters
    ----------
    record : Observations
    start : int
        Calendar year.

    Returns
    -------
    ndarray, shape (month,)
        m BHS.

    Raises
    ------
    DataError
        When one of them lies after a gap.
    """
    seen = record.month >= MONTHS * start
    known = record.month[seen] - MONTHS * start
    if known.size and not np.array_equal(known, np.arange(known.size)):
        gap = int(np.setdiff1d(np.arange(known[-1]), known)[0])
        raise DataError(
            "a month is missing among those observed since the last annual level\n"
            f"    found    no level of {start + gap // MONTHS}-{gap % MONTHS + 1:02d}, but one later\n"
            "    allowed  months without a gap, or the annual mean of the year"
        )
    return record.monthly_level[seen]


def configure(start: int, end: int, members: int, seed: int) -> Config:
    """Configure the run of an outlook: calibrated parameters, the middle scenario, output by month.

    Parameters
    ----------
    start, end : int
        Calendar years, both inclusive.
    members, seed : int

    Returns
    -------
    Config
    """
    return load_config(
        {
            "name": "outlook",
            "title": "Outlook of the level of the Caspian Sea by month",
            "period": {"start": start, "end": end},
            "climate": {"scenarios": [MIDDLE_SCENARIO]},
            "uncertainty": {"members": members, "seed": seed, "parameters": "posterior"},
            "output": {"frequency": "monthly", "figures": "none"},
        }
    )


def monthly_ensemble(plan: Plan, seen: Array, progress: Callable[[int, int], None] | None = None) -> Ensemble:
    """Run the members of an outlook, and let the last month that was seen choose among them.

    Parameters
    ----------
    plan : Plan
        Of :func:`configure`.
    seen : ndarray, shape (month,)
        Levels of the first months of the run, m BHS.
    progress : callable, optional
        Called with the months done and the months in all.

    Returns
    -------
    Ensemble
    """
    drawn = plan.frame.config.uncertainty
    total, done = MONTHS * len(plan.frame.config.period.years), 0

    def each_month() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    who = np.arange(drawn.members)
    run = run_members(plan, who, each_month).arrays["sea_level"][0, 0].T
    shift = _months_less_annual(plan, who)
    run = run + shift
    spread = np.resize(season_spread(), total)
    weight, first, distance = np.full(drawn.members, 1.0 / drawn.members), len(seen), 0.0
    if first:
        now, error = run[first - 1], spread[first - 1]
        distance = float((seen[-1] - now.mean()) / np.sqrt(now.var() + error**2))
        score = (now - seen[-1]) / error
        weight = np.exp(-0.5 * (score**2 - (score**2).min()))
        weight /= weight.sum()
    level = run + normals(drawn.seed, "season", who, total) * spread[:, None]
    level[:first] = seen[:, None]
    # The departures of twelve months average out; months that have been seen count as seen.
    course = np.where(np.arange(total)[:, None] < first, level, run) - shift
    return Ensemble(level, course, weight, first, distance)


def _months_less_annual(plan: Plan, members: NDArray[np.int64]) -> Array:
    """How far months stand above what annual means let expect, m, shape (member,)."""
    record, year = plan.observed, plan.frame.config.period.start - 1
    mean = mean_of_months(record, year)
    if mean is not None:
        return np.full(len(members), mean - float(record.level[record.year == year][0]))
    score = normals(plan.frame.config.uncertainty.seed, "gauges", members, 1)[0]
    return np.asarray(GAUGES_AGAINST_MONTHS * score)


def weighted_quantiles(values: Array, weight: Array, probabilities: Sequence[float]) -> Array:
    """Quantiles over weighted members.

    Parameters
    ----------
    values : ndarray, shape (time, member)
    weight : ndarray, shape (member,)
        Adding up to 1.
    probabilities : sequence of float

    Returns
    -------
    ndarray, shape (quantile, time)
    """
    order = np.argsort(values, axis=1, kind="stable")
    sorted_values = np.take_along_axis(values, order, axis=1)
    # The middle of each member's own weight is the probability that it stands for.
    share = np.cumsum(weight[order], axis=1) - 0.5 * weight[order]
    found = [np.interp(probabilities, p, v) for p, v in zip(share, sorted_values, strict=True)]
    return np.stack(found, axis=1) if found else np.empty((len(probabilities), 0))
