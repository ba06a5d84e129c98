r"""Scores of probabilistic forecasts of the annual level, against forecasts that anybody could have made.

Everything here is a function of forecasts that were saved and of the observed record: the scores can be
computed again without the model. Levels are m BHS, scores of levels m.

References
----------
Gneiting, T. & Raftery, A. E. (2007), J. Am. Stat. Assoc. 102, 359-378, doi:10.1198/016214506000001437: the
continuous ranked probability score (CRPS) as a proper score.
Hersbach, H. (2000), Weather and Forecasting 15, 559-570,
doi:10.1175/1520-0434(2000)015<0559:DOTCRP>2.0.CO;2: the CRPS of an ensemble.
Ferro, C. A. T. (2014), Q. J. R. Meteorol. Soc. 140, 1917-1923, doi:10.1002/qj.2270: the fair CRPS.
Künsch, H. R. (1989), Annals of Statistics 17, 1217-1241, doi:10.1214/aos/1176347265: the moving-block
bootstrap. Politis, D. N. & Romano, J. P. (1992), in LePage & Billard (eds), Exploring the Limits of
Bootstrap, Wiley, 263-270: its circular form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Years of which the reference forecast continues the trend.
TREND_YEARS = 10


def crps(ensemble: ArrayLike, observed: ArrayLike) -> Array:
    r"""Fair continuous ranked probability score of an ensemble.

    Parameters
    ----------
    ensemble : array_like, shape (..., member)
        A single member is a deterministic forecast.
    observed : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        In the unit of the forecast, 0 at best; the absolute error of a single member; NaN where the
        observation is missing.

    Notes
    -----
    The score of a distribution :math:`F` is
    :math:`\int (F(x) - 1[x \ge y])^2\,dx = E|X - y| - \tfrac12 E|X - X'|`. Its fair estimate from *m* members
    that are a sample of :math:`F` is

    .. math::

        \frac1m \sum_i |x_i - y| - \frac{1}{2m(m-1)} \sum_{i,j} |x_i - x_j|

    with the expectation of the score of :math:`F` itself, whatever *m* (Ferro 2014): ensembles of different
    sizes are compared as the distributions that they are drawn from. It can be negative in a single case.
    With sorted members :math:`\tfrac12\sum_{i,j} |x_i - x_j| = \sum_i (2i - m - 1)\,x_{(i)}`.
    """
    members = np.sort(np.asarray(ensemble, dtype=np.float64), axis=-1)
    count = members.shape[-1]
    misses = np.abs(members - np.asarray(observed, dtype=np.float64)[..., None]).mean(axis=-1)
    if count == 1:
        return np.asarray(misses)
    weights = 2.0 * np.arange(1, count + 1) - count - 1.0
    # Departures from the lowest member: the weights add up to zero, large levels would only cost digits.
    spread = (members - members[..., :1]) @ weights / (count * (count - 1.0))
    return np.asarray(misses - spread)


def skill(score: Array, reference: Array) -> Array:
    """Share of the mean score of a reference that a forecast takes away, 1 at best, along the last axis."""
    return np.asarray(1.0 - score.mean(axis=-1) / reference.mean(axis=-1))


def central_band(ensemble: ArrayLike, probability: float) -> tuple[Array, Array]:
    """Give the ends of the central band that holds `probability`: linear quantiles over the last axis."""
    ends = np.quantile(np.asarray(ensemble), [(1.0 - probability) / 2.0, (1.0 + probability) / 2.0], axis=-1)
    return ends[0], ends[1]


def pit(ensemble: ArrayLike, observed: ArrayLike) -> Array:
    """Probability integral transform: the place of an observation in its forecast, 0 to 1.

    Parameters
    ----------
    ensemble : array_like, shape (..., member)
    observed : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        Middle of the observation's rank among the members; NaN where it is missing.

    Notes
    -----
    With *r* members below the observation it is (r + ½) / (m + 1), a member that equals it counting one half.
    It is uniform when the observation could have been a member.
    """
    members = np.asarray(ensemble, dtype=np.float64)
    value = np.asarray(observed, dtype=np.float64)[..., None]
    rank = (members < value).sum(axis=-1) + 0.5 * (members == value).sum(axis=-1)
    place = (rank + 0.5) / (members.shape[-1] + 1.0)
    return np.asarray(np.where(np.isnan(value[..., 0]), np.nan, place))


def trend_forecast(year: Integers, level: Array, origin: int, lead: ArrayLike) -> Array:
    """Straight line through the last level with the slope of the last ten annual means.

    Parameters
    ----------
    year : ndarray of int, shape (year,)
        Consecutive years.
    level : ndarray, shape (year,)
        Annual means, m BHS; those after `origin` are not used.
    origin : int
    lead : array_like of int
        Years ahead.

    Returns
    -------
    ndarray, shape as `lead`
        m BHS.
    """
    end = int(np.searchsorted(year, origin)) + 1
    recent = level[end - TREND_YEARS : end]
    steps = np.arange(TREND_YEARS) - 0.5 * (TREND_YEARS - 1)
    slope = float(steps @ recent / (steps @ steps))
    return np.asarray(level[end - 1] + slope * np.asarray(lead, dtype=np.float64))


def persistence_forecast(year: Integers, level: Array, origin: int, lead: ArrayLike) -> Array:
    """Last annual mean, for every lead; parameters as for :func:`trend_forecast`."""
    last = level[int(np.searchsorted(year, origin))]
    return np.full(np.shape(lead), float(last))


REFERENCES = {"persistence": (persistence_forecast, 1), "trend": (trend_forecast, TREND_YEARS)}
"""Reference forecasts by name, with the annual means that each needs."""


def past_errors(year: Integers, level: Array, reference: str, origin: int, lead: int) -> Array:
    """Errors of a reference forecast at a lead, as far as they were known at the origin.

    Parameters
    ----------
    year, level, origin
        As for :func:`trend_forecast`.
    reference : {"persistence", "trend"}
    lead : int
        Years ahead.

    Returns
    -------
    ndarray, shape (error,)
        Observed less forecast, m, of every earlier origin whose outcome lies no later than `origin`.
    """
    forecast, needed = REFERENCES[reference]
    earlier = range(int(year[0]) + needed - 1, origin - lead + 1)
    return np.array(
        [level[past + lead - int(year[0])] - float(forecast(year, level, past, lead)) for past in earlier]
    )


def windows(origin: Integers, lead: int) -> float:
    """Effective number of independent forecasts: years that they span together, over the lead.

    Forecasts over 20 years from 40 successive years share most of the years ahead: 59 years hold three
    periods of 20 years and no more.
    """
    spanned = {int(first) + step for first in origin for step in range(1, lead + 1)}
    return len(spanned) / lead


def moving_blocks(count: int, block: int, resamples: int, generator: np.random.Generator) -> Integers:
    """Rows of a circular moving-block bootstrap: blocks of successive cases, drawn with replacement.

    Parameters
    ----------
    count : int
        Cases in order.
    block : int
        Cases in a block.
    resamples : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (resample, case)
        Overlapping blocks, the last cut off where `count` is reached.

    Notes
    -----
    A block that reaches the end goes on from the beginning (Politis and Romano 1992), so that every case is
    drawn equally often; otherwise the first and the last would hardly count when blocks are long.
    """
    blocks = -(-count // block)
    start = generator.integers(0, count, size=(resamples, blocks))
    rows = (start[:, :, None] + np.arange(block)) % count
    return np.asarray(rows.reshape(resamples, -1)[:, :count])
