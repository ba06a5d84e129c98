r"""The balance of the sea by years, as a linear Gaussian state-space model.

.. math::

    V_t &= V_{t-1} + R_t + G - F_t - N_t A_t

    R_t &= \bar R\,(1 + \sigma \Delta_t) + r_t + q_t, \qquad
    N_t = \bar N + \nu \Delta_t + s_t + w_t

    r_t &= \rho\, r_{t-1} + \sqrt{1 - \rho^2}\; \sigma_r\, a_t, \qquad
    q_t = \kappa\, q_{t-1} + \sqrt{1 - \kappa^2}\; \sigma_q\, c_t

    s_t &= \varphi\, s_{t-1} + \sqrt{1 - \varphi^2}\; \sigma_s\, d_t, \qquad
    w_t = \sigma_w (\lambda\, a_t + \sqrt{1 - \lambda^2}\; b_t)

with the volume *V* at the end of the year (freed of the season of New Year), inflow *R*, groundwater *G*,
outflow *F* to Kara-Bogaz-Gol, net evaporation *N* over the area *A*, warming :math:`\Delta` against the
reference, and independent standard normal *a, b, c, d*. Inflow departs from its expected value from year to
year (*r*) and over decades (*q*), net evaporation over decades (*s*) and without memory (*w*); *w* goes
with the news in the inflow.

What is observed is the mean level of the year, not its end: the volume that belongs to it is

.. math:: M_t = V_{t-1} + \tfrac12 (V_t - V_{t-1}) + (\alpha - \tfrac12)(r_t + q_t)

where :math:`\alpha` is the share of the year for which the water of an average month of inflow is already
there. So nothing of a year is known before its mean is, and the mean of a year does not leak into the end
of the year before. Where months of the level are known, so is the level on 1 December without its season,
which says more of the end of the year: :math:`V_t - (V_t - V_{t-1})/12`, nearly :math:`\tfrac56 V_t +
\tfrac16 M_t`. Given the observed level, area and outflow are known, and the model is linear.
The likelihood is that of the levels, not of the volumes: where a level is known it carries the factor
:math:`dV/dh = A`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import inflow_shape, month_fractions, river_inflow
from caspian_sim.climate.response import inflow_sensitivity, net_evaporation_sensitivity
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.climate.seasons import (
    COMMON_YEAR,
    level_departure_at_month_edges,
    net_evaporation_departure,
)
from caspian_sim.climate.warming import MIDDLE_SCENARIO, warming
from caspian_sim.record.kalman import Filtered, Step, run_filter
from caspian_sim.record.observations import Observations, late_level, shipped_observations

Array = NDArray[np.float64]

# Rows of the state.
VOLUME, MEAN, SLOW, INFLOW, INFLOW_SLOW, WEATHER = range(6)
STATES = 6
INNOVATIONS = 4
MM_KM2_TO_KM3 = 1e-6
M_KM2_TO_KM3 = 1e-3

# Standard error of an observed total inflow, a share of it (grade D): what years such as 2019 and 2020
# suggest, in which the rivers other than the Volga carry 74 and 25 km³/yr.
INFLOW_ERROR = 0.03
# Standard error of the total inflow that the Volga alone lets expect, a share of it: the spread of their
# ratio.
VOLGA_ERROR = 0.06
# Spread of the volume before the first observation, m of level.
START_SPREAD_M = 0.3
ALTIMETRY_SINCE = 1993
# Share of the year that is left on 1 December.
DECEMBER = 1.0 / 12.0


@dataclass(frozen=True)
class Reference:
    """What the expected fluxes refer to.

    Attributes
    ----------
    warming : float
        Global warming relative to 1995-2014 at which inflow and net evaporation have their expected values,
        K.
    volga_share : float
        Share of the Volga in the expected inflow.
    seasons : bool
        Count what is lost because net evaporation is strongest while the sea stands high in the year
        (:func:`seasonal_loss`).
    """

    warming: float
    volga_share: float
    seasons: bool = True


@cache
def _mean_year() -> tuple[Array, Array, Array]:
    """Length of the months (yr), departure of their mean level (m) and of their net evaporation (mm/yr)."""
    fractions = month_fractions(COMMON_YEAR)
    edges = level_departure_at_month_edges()
    return fractions[0], 0.5 * (edges[1:] + edges[:-1]), net_evaporation_departure(fractions)[0]


def seasonal_loss(level: float) -> float:
    r"""Net evaporation in the mean year beyond its annual mean over the area of the mean level.

    Parameters
    ----------
    level : float
        Annual mean level, m BHS.

    Returns
    -------
    float
        :math:`\sum_m \tau_m n_m [A(\bar h + \delta_m) - A(\bar h)]` in km³/yr, with the departures of the
        months.
    """
    length, height, net = _mean_year()
    curve = load_hypsometry()
    area = np.asarray(curve.area(level + height)) - float(curve.area(level))
    return float((length * net * area).sum() * MM_KM2_TO_KM3)


def reference_of(observed: Observations, first: int, last: int, seasons: bool = True) -> Reference:
    """Refer to the mean of some years.

    Parameters
    ----------
    observed : Observations
    first, last : int
        Both inclusive.
    seasons : bool
        As in :class:`Reference`.

    Returns
    -------
    Reference
    """
    chosen = (observed.year >= first) & (observed.year <= last)
    both = chosen & ~np.isnan(observed.volga) & ~np.isnan(observed.inflow)
    share = observed.volga[both].sum() / observed.inflow[both].sum()
    return Reference(float(np.nanmean(observed.warming[chosen])), float(share), seasons)


@cache
def baseline_reference() -> Reference:
    """Refer to 2003-2022, as the projections do."""
    observed = shipped_observations()
    chosen = (observed.year >= BASELINE[0]) & (observed.year <= BASELINE[1])
    rivers = river_inflow(*BASELINE).mean(axis=1)
    return Reference(float(observed.warming[chosen].mean()), float(rivers[0] / rivers.sum()))


@cache
def mean_weight_of_inflow() -> float:
    """Share of a year for which the water of its inflow is there on average, from the shape of the months."""
    fractions = month_fractions(COMMON_YEAR)[0]
    volume = inflow_shape(fractions) * fractions
    middle = np.cumsum(fractions) - 0.5 * fractions
    return float(1.0 - (volume * middle).sum())


def stationary(parameters: Mapping[str, Array], sets: int) -> tuple[Array, Array]:
    """State before any observation: departures at zero with the spread of their processes, volume unset."""
    mean, covariance = np.zeros((sets, STATES)), np.zeros((sets, STATES, STATES))
    for row, name in (
        (SLOW, "net_evaporation_slow_sd"),
        (INFLOW, "inflow_sd"),
        (INFLOW_SLOW, "inflow_slow_sd"),
    ):
        covariance[:, row, row] = parameters[name] ** 2
    return mean, covariance


def filter_record(
    parameters: Mapping[str, Array],
    observed: Observations,
    outflow: Array,
    reference: Reference,
    last_year: int | None = None,
) -> Iterator[tuple[Filtered, Step]]:
    """Filter the record year by year, for many parameter sets at once.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
    observed : Observations
        A gap in a series is passed over.
    outflow : ndarray, shape (year, set)
        Outflow to Kara-Bogaz-Gol in the years of `observed`, km³/yr; the last row goes on after them.
    reference : Reference
    last_year : int, optional
        Go on to this year without observations, if it lies after them.

    Yields
    ------
    filtered : Filtered
        Estimate of the state (rows as named in this module) at the end of the year from what was observed
        up to that year.
    step : Step
        The model of the year, for the smoother.
    """
    sets = len(parameters["net_evaporation"])
    mean, covariance = stationary(parameters, sets)
    curve, factor = load_hypsometry(), parameters["area_factor"]
    first = float(observed.level[~np.isnan(observed.level)][0])
    mean[:, VOLUME] = factor * (curve.volume(first) - curve.reference_volume)
    covariance[:, VOLUME, VOLUME] = (START_SPREAD_M * factor * curve.area(first) * M_KM2_TO_KM3) ** 2
    steps: list[Step] = []

    def following() -> Iterator[Step]:
        for step in _steps(parameters, observed, outflow, reference, last_year):
            steps.append(step)
            yield step

    for filtered in run_filter(mean, covariance, following()):
        yield filtered, steps.pop()


def expected_warming(observed: Observations, year: int) -> float:
    """Observed warming of a year, K; after the record of temperature along the middle scenario."""
    known = observed.warming[observed.year == year]
    if known.size and not np.isnan(known[0]):
        return float(known[0])
    return float(warming(MIDDLE_SCENARIO, np.array([year]))[0, 0])


def _steps(
    parameters: Mapping[str, Array],
    observed: Observations,
    outflow: Array,
    reference: Reference,
    last_year: int | None,
) -> Iterator[Step]:
    curve = load_hypsometry()
    factor, ahead = parameters["area_factor"], mean_weight_of_inflow()
    sets = len(factor)
    expected_inflow, expected_net = parameters["river_inflow"], parameters["net_evaporation"]
    inflow_slope = 0.01 * expected_inflow * inflow_sensitivity(parameters, reference.volga_share)
    net_slope = net_evaporation_sensitivity(parameters)
    memory = {
        SLOW: parameters["net_evaporation_slow_lag1"],
        INFLOW: parameters["inflow_lag1"],
        INFLOW_SLOW: parameters["inflow_slow_lag1"],
    }
    news = {
        SLOW: parameters["net_evaporation_slow_sd"],
        INFLOW: parameters["inflow_sd"],
        INFLOW_SLOW: parameters["inflow_slow_sd"],
    }
    news = {row: sd * np.sqrt(1.0 - memory[row] ** 2) for row, sd in news.items()}
    together = parameters["net_evaporation_sd"] * parameters["weather_correlation"]
    alone = parameters["net_evaporation_sd"] * np.sqrt(1.0 - parameters["weather_correlation"] ** 2)
    # Innovations: inflow, slow net evaporation, weather of its own, slow inflow.
    noise = np.zeros((sets, STATES, INNOVATIONS))
    noise[:, INFLOW, 0], noise[:, SLOW, 1], noise[:, INFLOW_SLOW, 3] = (
        news[INFLOW],
        news[SLOW],
        news[INFLOW_SLOW],
    )
    noise[:, WEATHER, 0], noise[:, WEATHER, 2] = together, alone
    departure = np.zeros((sets, STATES, STATES))
    for row, lag1 in memory.items():
        departure[:, row, row] = lag1
    seen_level, seen_inflow, seen_late = (np.zeros((sets, STATES)) for _ in range(3))
    seen_late[:, VOLUME], seen_late[:, MEAN] = 1.0 - 2.0 * DECEMBER, 2.0 * DECEMBER
    late = late_level(observed)
    seen_level[:, MEAN] = seen_inflow[:, INFLOW] = seen_inflow[:, INFLOW_SLOW] = 1.0
    level = float(observed.level[~np.isnan(observed.level)][0])
    end = max(int(observed.year[-1]), last_year or 0)
    for year in range(int(observed.year[0]), end + 1):
        place = year - int(observed.year[0])
        known = place < len(observed.year)
        seen = float(observed.level[place]) if known else np.nan
        level = level if np.isnan(seen) else seen
        area = factor * float(curve.area(level)) * MM_KM2_TO_KM3
        change = expected_warming(observed, year) - reference.warming
        inflow = np.maximum(expected_inflow + inflow_slope * change, 0.0)
        gained = (
            inflow
            + parameters["groundwater"]
            - outflow[min(place, len(outflow) - 1)]
            - area * (expected_net + net_slope * change)
            - (factor * seasonal_loss(level) if reference.seasons else 0.0)
        )
        # Rows of volume and mean follow from those of the departures of the same year.
        transition, loaded = departure.copy(), noise.copy()
        for target, weight, of_inflow in ((VOLUME, 1.0, 1.0), (MEAN, 0.5, ahead)):
            for values in (transition, loaded):
                values[:, target] = of_inflow * (values[:, INFLOW] + values[:, INFLOW_SLOW]) - (
                    weight * area[:, None] * (values[:, SLOW] + values[:, WEATHER])
                )
            transition[:, target, VOLUME] = 1.0
        offset = np.zeros((sets, STATES))
        offset[:, VOLUME], offset[:, MEAN] = gained, 0.5 * gained
        total, error = _inflow_seen(observed, place) if known else (np.nan, np.nan)
        gauge = "level_error_since_1993" if year >= ALTIMETRY_SINCE else "level_error_before_1993"
        volumes = [
            factor * float(curve.volume(stand) - curve.reference_volume)
            if known and not np.isnan(stand)
            else np.full(sets, np.nan)
            for stand in (seen, late[place] if known else np.nan)
        ]
        per_metre = area * M_KM2_TO_KM3 / MM_KM2_TO_KM3
        yield Step(
            transition,
            offset,
            loaded,
            np.stack([volumes[0], total - inflow, volumes[1]]),
            np.stack([seen_level, seen_inflow, seen_late]),
            np.stack(
                [
                    (parameters[gauge] * per_metre) ** 2,
                    np.full(sets, error**2),
                    (parameters["late_level_error"] * per_metre) ** 2,
                ]
            ),
            # Measured are levels: without this a small area would make them likelier, as it shrinks volumes.
            sum(not np.isnan(volume).any() for volume in volumes) * np.log(per_metre),
        )


def _inflow_seen(observed: Observations, place: int) -> tuple[float, float]:
    """Observed inflow of all rivers and its standard error, km³/yr: the total, or what the Volga says."""
    total = float(observed.inflow[place])
    if not np.isnan(total):
        return total, INFLOW_ERROR * total
    past = slice(None, place)
    both = ~np.isnan(observed.inflow[past]) & ~np.isnan(observed.volga[past])
    if np.isnan(observed.volga[place]) or not both.any():
        return np.nan, np.nan
    ratio = observed.inflow[past][both].sum() / observed.volga[past][both].sum()
    expected = float(ratio * observed.volga[place])
    return expected, VOLGA_ERROR * expected
