"""State from which a projection starts: what the observations say of the end of the year before.

The annual balance is filtered over the record for every parameter set, and the state of the last year is
drawn from the estimate: the volume of the sea, and how far inflow and net evaporation stand from their
expected values. Years without observations between the record and the start widen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.climate.draws import normals
from caspian_sim.climate.variability import StartState
from caspian_sim.record.annual import (
    INFLOW,
    INFLOW_SLOW,
    SLOW,
    VOLUME,
    Reference,
    baseline_reference,
    filter_record,
)
from caspian_sim.record.bay import YEARS_TO_FORGET, bay_under_annual_levels
from caspian_sim.record.observations import Observations, without_gaps
from caspian_sim.record.outflow import LAST_YEAR, emulated_record

Array = NDArray[np.float64]

STARTED = (VOLUME, SLOW, INFLOW, INFLOW_SLOW)


@dataclass(frozen=True)
class StateEstimate:
    """Estimate of the state at the end of a year, for every parameter set.

    Attributes
    ----------
    mean : ndarray, shape (set, 4)
        Volume (km³), slow departure of net evaporation (mm/yr), departures of inflow with short and with long
        memory (km³/yr).
    root : ndarray, shape (set, 4, 4)
        Lower triangular root of the covariance.
    log_likelihood : ndarray, shape (year, set)
        Of the observations of each year given those before.
    first_year : int
        Year of the first row of `log_likelihood`.
    """

    mean: Array
    root: Array
    log_likelihood: Array
    first_year: int

    def take(self, rows: NDArray[np.int64]) -> StateEstimate:
        """Return the estimate for some of the sets, in any order."""
        return StateEstimate(self.mean[rows], self.root[rows], self.log_likelihood[:, rows], self.first_year)


def outflow_of_record(parameters: Mapping[str, Array], observed: Observations) -> Array:
    """Outflow to Kara-Bogaz-Gol in the years of the observations.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
    observed : Observations

    Returns
    -------
    ndarray, shape (year, set)
        km³/yr; from the table up to 2022, by integration after it. In a year without a level the sea stands
        as in the year before.
    """
    record = emulated_record(parameters)
    begin = int(observed.year[0] - record.year[0])
    tabulated = record.outflow[begin : begin + len(observed.year)]
    if observed.year[-1] <= LAST_YEAR:
        return tabulated
    first = LAST_YEAR - YEARS_TO_FORGET
    level = without_gaps(observed.level[observed.year >= first])
    sea = np.full(len(parameters["strait_sill"]), level[0])
    outflow, _ = bay_under_annual_levels(first, level, parameters, np.asarray(kara_bogaz_gol().volume(sea)))
    return np.concatenate([tabulated, outflow[LAST_YEAR + 1 - first :]])


def estimate_state(
    parameters: Mapping[str, Array],
    observed: Observations,
    end_of: int,
    reference: Reference | None = None,
) -> StateEstimate:
    """Estimate the state at the end of a year from the observations up to it.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
    observed : Observations
        What lies after the year is not used.
    end_of : int
        Calendar year.
    reference : Reference, optional
        That of the projections (2003-2022) when not given.

    Returns
    -------
    StateEstimate
    """
    known = observed.until(end_of)
    outflow = outflow_of_record(parameters, known)
    likelihood = []
    for filtered, _ in filter_record(parameters, known, outflow, reference or baseline_reference(), end_of):
        likelihood.append(filtered.log_likelihood)
    rows = list(STARTED)
    covariance = filtered.covariance[:, rows][:, :, rows]
    return StateEstimate(
        filtered.mean[:, rows], _root(covariance), np.stack(likelihood), int(observed.year[0])
    )


def _root(covariance: Array) -> Array:
    """Lower triangular root; a spread of nothing on the diagonal keeps rounding from making it indefinite."""
    scale = np.sqrt(np.maximum(np.einsum("sii->si", covariance), TINY))
    correlation = covariance / (scale[:, :, None] * scale[:, None, :])
    correlation = correlation + TINY * np.eye(correlation.shape[1])
    return np.asarray(np.linalg.cholesky(correlation) * scale[:, :, None])


TINY = 1e-12


def draw_start(
    estimate: StateEstimate, seed: int, members: NDArray[np.int64], variability: bool
) -> StartState:
    """Draw the state of the members from its estimate.

    Parameters
    ----------
    estimate : StateEstimate
        For the parameter sets of the members.
    seed : int
    members : ndarray of int, shape (member,)
        Numbers of the members.
    variability : bool
        Without it every member starts from the mean of its estimate.

    Returns
    -------
    StartState
    """
    state = estimate.mean
    if variability:
        scores = normals(seed, "state", members, len(STARTED)).T
        # Not einsum: its order of summation depends on how many members there are.
        state = state + (estimate.root * scores[:, None, :]).sum(axis=2)
    return StartState(*(np.ascontiguousarray(column) for column in state.T))
