r"""Kalman filter and smoother of a linear Gaussian state-space model, for many parameter sets at once.

.. math::

    x_t &= T_t x_{t-1} + c_t + R_t \epsilon_t, \qquad \epsilon_t \sim N(0, I)

    y_{t,k} &= z_{t,k}^\top x_t + e_{t,k}, \qquad e_{t,k} \sim N(0, s_{t,k})

The observations of a year are independent given the state and taken in one after the other; a missing one
(NaN) is left out. Every array begins with the axis of the parameter sets.

References
----------
Durbin, J. and Koopman, S. J. (2012), Time Series Analysis by State Space Methods, 2nd ed., Oxford University
Press, chapters 4 and 6.4, doi:10.1093/acprof:oso/9780199641178.001.0001.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Step:
    """The model of one year.

    Attributes
    ----------
    transition : ndarray, shape (set, state, state)
    offset : ndarray, shape (set, state)
    noise : ndarray, shape (set, state, innovation)
        Loadings of independent standard normal innovations.
    observed : ndarray, shape (observation, set)
        NaN where there is none.
    loading : ndarray, shape (observation, set, state)
    variance : ndarray, shape (observation, set)
        Of the errors of the observations.
    log_scale : ndarray, shape (set,), or float
        Logarithm of what the density of the observations is to be multiplied by, where what was measured has
        been turned into them by a factor that depends on the parameters.
    """

    transition: Array
    offset: Array
    noise: Array
    observed: Array
    loading: Array
    variance: Array
    log_scale: Array | float = 0.0


@dataclass(frozen=True)
class Update:
    """What one observation did: its error of prediction, the variance of that, and the gain."""

    loading: Array
    error: Array
    variance: Array
    gain: Array


@dataclass(frozen=True)
class Filtered:
    """Estimate of the state in one year from the observations up to that year.

    Attributes
    ----------
    predicted_mean, predicted_covariance : ndarray
        Before the observations of the year, shape (set, state) and (set, state, state).
    mean, covariance : ndarray
        After them.
    log_likelihood : ndarray, shape (set,)
        Of the observations of the year given those before.
    updates : tuple of Update
    """

    predicted_mean: Array
    predicted_covariance: Array
    mean: Array
    covariance: Array
    log_likelihood: Array
    updates: tuple[Update, ...]


def filter_step(mean: Array, covariance: Array, step: Step) -> Filtered:
    """Carry an estimate of the state one year on and take in the observations of that year.

    Parameters
    ----------
    mean : ndarray, shape (set, state)
    covariance : ndarray, shape (set, state, state)
    step : Step

    Returns
    -------
    Filtered
    """
    predicted = np.matmul(step.transition, mean[:, :, None])[:, :, 0] + step.offset
    spread = step.transition @ covariance @ step.transition.swapaxes(1, 2)
    spread = spread + step.noise @ step.noise.swapaxes(1, 2)
    now, around = predicted, spread
    likelihood, updates = np.zeros(len(mean)) + step.log_scale, []
    for value, loading, variance in zip(step.observed, step.loading, step.variance, strict=True):
        if np.isnan(value).all():
            continue
        towards = np.matmul(around, loading[:, :, None])[:, :, 0]
        total = (loading * towards).sum(axis=1) + variance
        error = value - (loading * now).sum(axis=1)
        gain = towards / total[:, None]
        now = now + gain * error[:, None]
        around = around - gain[:, :, None] * towards[:, None, :]
        likelihood = likelihood - 0.5 * (LOG_2PI + np.log(total) + error**2 / total)
        updates.append(Update(loading, error, total, gain))
    return Filtered(predicted, spread, now, around, likelihood, tuple(updates))


def run_filter(mean: Array, covariance: Array, steps: Iterator[Step]) -> Iterator[Filtered]:
    """Filter year after year.

    Parameters
    ----------
    mean, covariance : ndarray
        State in the year before the first step.
    steps : iterator of Step

    Yields
    ------
    Filtered
    """
    for step in steps:
        done = filter_step(mean, covariance, step)
        mean, covariance = done.mean, done.covariance
        yield done


def smooth(filtered: Sequence[Filtered], steps: Sequence[Step]) -> list[tuple[Array, Array]]:
    r"""Estimate of the state in every year from the observations of all years.

    Parameters
    ----------
    filtered : sequence of Filtered
    steps : sequence of Step
        Those that the filter was run over.

    Returns
    -------
    list of (mean, covariance)
        Shapes (set, state) and (set, state, state).

    Notes
    -----
    Fixed-interval smoothing without inverses of covariances (Durbin and Koopman 2012, sections 4.4 and 6.4):
    backwards through the observations,
    :math:`r \leftarrow z\,v/F + L^\top r`, :math:`N \leftarrow z z^\top/F + L^\top N L` with
    :math:`L = I - k z^\top`, and :math:`r \leftarrow T^\top r`, :math:`N \leftarrow T^\top N T` from year to
    year; the smoothed mean is :math:`a + P r` and the covariance :math:`P - P N P`.
    """
    sets, size = filtered[-1].mean.shape
    weighted, information = np.zeros((sets, size)), np.zeros((sets, size, size))
    estimates: list[tuple[Array, Array]] = []
    for year in range(len(filtered) - 1, -1, -1):
        done = filtered[year]
        for update in reversed(done.updates):
            z, gain = update.loading, update.gain
            passed = np.eye(size) - gain[:, :, None] * z[:, None, :]
            weighted = z * (update.error / update.variance)[:, None] + _times(passed.swapaxes(1, 2), weighted)
            information = z[:, :, None] * z[:, None, :] / update.variance[:, None, None] + (
                passed.swapaxes(1, 2) @ information @ passed
            )
        spread = done.predicted_covariance
        mean = done.predicted_mean + _times(spread, weighted)
        estimates.append((mean, spread - spread @ information @ spread))
        transition = steps[year].transition
        weighted = _times(transition.swapaxes(1, 2), weighted)
        information = transition.swapaxes(1, 2) @ information @ transition
    return estimates[::-1]


def _times(matrix: Array, vector: Array) -> Array:
    return np.asarray(np.matmul(matrix, vector[:, :, None])[:, :, 0])
