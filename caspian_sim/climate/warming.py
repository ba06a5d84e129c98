"""Global warming by emission scenario, as the driver of all climate change in the model.

Median paths and the spread of 2081-2100 come from the assessed warming of IPCC AR6 (tables ``warming_ssp``
and ``warming_percentiles``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from caspian_sim import data
from caspian_sim.errors import DataError

Array = NDArray[np.float64]

REFERENCE_PERIOD = (1995, 2014)
SCENARIOS = ("ssp119", "ssp126", "ssp245", "ssp370", "ssp585")

# The spread of warming is published for the mean of 2081-2100 and opens from the last year that is observed.
SPREAD_OPENS = 2025.0
ASSESSED_PERIOD = (2081, 2100)
SPREAD_KNOWN = 2090.5
# Followed where observed warming ends and no scenario is asked for.
MIDDLE_SCENARIO = "ssp245"


@cache
def _observed_reference() -> float:
    gmst = data.load("gmst_observed")["gmst_anomaly"]
    return float(gmst.sel(year=slice(*REFERENCE_PERIOD)).mean())


def observed_warming(first_year: int, last_year: int) -> Array:
    """Observed global warming relative to 1995-2014.

    Parameters
    ----------
    first_year, last_year : int
        Calendar years within 1900-2024, both inclusive.

    Returns
    -------
    ndarray, shape (year,)
        Warming in K.
    """
    gmst = data.load("gmst_observed")["gmst_anomaly"].sel(year=slice(first_year, last_year))
    return np.asarray(gmst.values - _observed_reference(), dtype=float)


def assessed_warming(scenario: str, quantile: ArrayLike) -> Array:
    """Assessed mean warming of 2081-2100 relative to 1995-2014.

    Parameters
    ----------
    scenario : str
        One of :data:`SCENARIOS`.
    quantile : array_like, shape (member,)
        Quantile of the assessed spread between 0 and 1, exclusive.

    Returns
    -------
    ndarray, shape (member,)
        Warming in K; linear in the standard normal score between and beyond the published percentiles
        (5, 16, 50, 84 and 95 %).
    """
    spread = data.load("warming_percentiles")["warming"].sel(scenario=scenario, base_period="1995-2014")
    warming = spread.values.astype(float)
    score, nodes = ndtri(np.asarray(quantile, dtype=float)), ndtri(spread["quantile"].values)
    inside = np.interp(score, nodes, warming)
    below = warming[0] + (score - nodes[0]) * (warming[1] - warming[0]) / (nodes[1] - nodes[0])
    above = warming[-1] + (score - nodes[-1]) * (warming[-1] - warming[-2]) / (nodes[-1] - nodes[-2])
    return np.asarray(np.where(score < nodes[0], below, np.where(score > nodes[-1], above, inside)))


def warming(scenario: str, years: NDArray[np.int64], quantile: ArrayLike = 0.5) -> Array:
    r"""Global warming relative to 1995-2014 by year and member.

    Parameters
    ----------
    scenario : str
        One of :data:`SCENARIOS`.
    years : ndarray of int, shape (year,)
        Calendar years from 2018; after 2100 the warming of 2100 stays.
    quantile : array_like, shape (member,)
        Quantile of warming that a member keeps throughout.

    Returns
    -------
    ndarray, shape (year, member)
        Warming in K.

    Notes
    -----
    .. math:: \Delta G(t; q) = g(t) + [w_q - \bar g]\,\frac{t - 2025}{2090.5 - 2025}, \qquad t \ge 2025

    with the path *g* of the response to human forcing, its mean :math:`\bar g` over 2081-2100, and the
    assessed warming of 2081-2100, :math:`w_q`. All members share the present, and the mean of 2081-2100 has
    the assessed distribution; its median is about 0.09 K above the path of human forcing alone.
    """
    path = data.load("warming_ssp")["warming"].sel(scenario=scenario, base_period="1995-2014")
    known = path["year"].values
    if years[0] < known[0]:
        raise DataError(f"warming by scenario begins in {known[0]}\n    found    {years[0]}")
    last = np.minimum(years, known[-1])
    human = path.sel(year=last).values.astype(float)
    mean = float(path.sel(year=slice(*ASSESSED_PERIOD)).mean())
    departure = np.atleast_1d(assessed_warming(scenario, quantile)) - mean
    opening = np.maximum(last - SPREAD_OPENS, 0.0) / (SPREAD_KNOWN - SPREAD_OPENS)
    return np.asarray(human[:, None] + opening[:, None] * departure)
