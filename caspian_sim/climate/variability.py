r"""Natural variability of inflow and net evaporation from year to year and over decades.

Inflow is a first-order autoregressive process. Net evaporation is the sum of a slow one, which carries
decades like the wet 1980s, and white noise: its record has little memory from year to year and much over
decades, which a single autoregressive process cannot have. The white part is correlated with inflow. The
numbers are in the table ``variability``, estimated from the record.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.climate.draws import normals
from caspian_sim.climate.warming import observed_warming

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Variability:
    """Statistics of the natural variability.

    Attributes
    ----------
    inflow_cv : float
        Standard deviation of annual inflow as a share of its mean.
    inflow_lag1 : float
        Lag-1 autocorrelation of annual inflow.
    net_evaporation_sd : float
        Standard deviation of annual net evaporation, mm/yr.
    slow_share : float
        Share of the variance of net evaporation in its slow component.
    slow_lag1 : float
        Lag-1 autocorrelation of the slow component.
    cross_correlation : float
        Correlation of inflow and net evaporation in the same year.
    """

    inflow_cv: float
    inflow_lag1: float
    net_evaporation_sd: float
    slow_share: float
    slow_lag1: float
    cross_correlation: float

    @property
    def slow_sd(self) -> float:
        """Standard deviation of the slow component, mm/yr."""
        return self.net_evaporation_sd * float(np.sqrt(self.slow_share))

    @property
    def white_sd(self) -> float:
        """Standard deviation of the white component, mm/yr."""
        return self.net_evaporation_sd * float(np.sqrt(1.0 - self.slow_share))

    @property
    def white_on_inflow(self) -> float:
        """Correlation of the white component with the innovation of inflow, for that of the totals."""
        innovation = np.sqrt(1.0 - self.inflow_lag1**2)
        return self.cross_correlation / float(innovation * np.sqrt(1.0 - self.slow_share))


@cache
def recorded_variability() -> Variability:
    """Return the statistics of the record, from the table ``variability``."""
    table = data.load("variability")["value"]
    return Variability(*(float(table.sel(quantity=field.name)) for field in fields(Variability)))


def _autoregressive(first: Array, lag1: float, innovations: Array) -> Array:
    """First-order process of unit variance whose first value follows from the one before it."""
    path = np.empty_like(innovations)
    now = first
    for year, innovation in enumerate(innovations):
        now = lag1 * now + np.sqrt(1.0 - lag1**2) * innovation
        path[year] = now
    return path


def _stationary_start(seed: int, component: str, members: NDArray[np.int64]) -> Array:
    return np.asarray(normals(seed, f"{component}:start", members, 1)[0])


def inflow_departure(seed: int, members: NDArray[np.int64], years: int, statistics: Variability) -> Array:
    """Annual inflow as a relative departure from its expected value, the same for all rivers.

    Parameters
    ----------
    seed : int
    members : ndarray of int, shape (member,)
    years : int
    statistics : Variability

    Returns
    -------
    ndarray, shape (year, member)
        Departure as a share of the expected inflow, never below −1.
    """
    start = _stationary_start(seed, "variability:inflow", members)
    innovations = normals(seed, "variability:inflow", members, years)
    return np.maximum(
        statistics.inflow_cv * _autoregressive(start, statistics.inflow_lag1, innovations), -1.0
    )


@dataclass(frozen=True)
class SlowState:
    """Slow component of net evaporation at the start of a projection, given the record.

    The anomalies of the record are taken against the baseline and the response to warming, so the estimate
    depends on the sensitivity: its mean is ``offset + slope · sensitivity``.

    Attributes
    ----------
    offset : float
        Mean for a sensitivity of zero, mm/yr.
    slope : float
        Change of the mean with the sensitivity of net evaporation, K.
    sd : float
        Standard deviation, mm/yr.
    """

    offset: float
    slope: float
    sd: float


def slow_state(before: int, baseline: tuple[int, int], statistics: Variability) -> SlowState:
    """Estimate the slow component at the end of the year before a projection starts.

    Parameters
    ----------
    before : int
        First year of the projection; nothing from that year on is used.
    baseline : (int, int)
        First and last year of the period whose mean is the baseline.
    statistics : Variability

    Returns
    -------
    SlowState

    Notes
    -----
    Kalman filter of an autoregressive signal in white noise over the annual net evaporation
    implied by the record (``net_evaporation_implied``), run on to the start through the years without inflow
    data.
    """
    record = data.load("net_evaporation_implied")["net_evaporation"]
    reference = record.sel(year=slice(*baseline))
    warming_then = observed_warming(*baseline).mean()
    past = record.sel(year=slice(None, before - 1))
    first, last = int(past["year"][0]), int(past["year"][-1])
    anomaly = past.values - float(reference.mean())
    response = -(observed_warming(first, last) - warming_then)
    mean, variance = np.zeros(2), statistics.slow_sd**2
    for year in range(first, before):
        if year > first:
            mean = statistics.slow_lag1 * mean
            variance = (
                statistics.slow_lag1**2 * variance + (1 - statistics.slow_lag1**2) * statistics.slow_sd**2
            )
        if year <= last:
            gain = variance / (variance + statistics.white_sd**2)
            seen = np.array([anomaly[year - first], response[year - first]])
            mean, variance = mean + gain * (seen - mean), (1.0 - gain) * variance
    return SlowState(float(mean[0]), float(mean[1]), float(np.sqrt(variance)))


def net_evaporation_variability(
    seed: int,
    members: NDArray[np.int64],
    years: int,
    statistics: Variability,
    start: SlowState,
    sensitivity: Array,
) -> Array:
    """Annual net evaporation as a departure from its expected value.

    Parameters
    ----------
    seed : int
    members : ndarray of int, shape (member,)
    years : int
    statistics : Variability
    start : SlowState
        Estimate of the slow component in the year before the first.
    sensitivity : ndarray, shape (member,)
        Change of net evaporation with global warming, mm/yr/K.

    Returns
    -------
    ndarray, shape (year, member)
        Departure in mm/yr.
    """
    inflow = normals(seed, "variability:inflow", members, years)
    own = normals(seed, "variability:net_evaporation", members, years)
    loading = statistics.white_on_inflow
    white = loading * inflow + np.sqrt(1.0 - loading**2) * own
    now = start.offset + start.slope * sensitivity
    now = now + start.sd * _stationary_start(seed, "variability:slow", members)
    innovations = normals(seed, "variability:slow", members, years)
    slow = statistics.slow_sd * _autoregressive(now / statistics.slow_sd, statistics.slow_lag1, innovations)
    return np.asarray(slow + statistics.white_sd * white)


def expected_slow(years: int, statistics: Variability, start: SlowState, sensitivity: Array) -> Array:
    """Mean path of the slow component, for runs without variability.

    Parameters
    ----------
    years, statistics, start, sensitivity
        As in :func:`net_evaporation_variability`.

    Returns
    -------
    ndarray, shape (year, member)
        Departure in mm/yr, fading from the present state.
    """
    fading = statistics.slow_lag1 ** np.arange(1, years + 1)
    return np.asarray(fading[:, None] * (start.offset + start.slope * sensitivity))
