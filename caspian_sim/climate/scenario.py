"""Climate of a scenario for an ensemble: inflow by river, rain and evaporation by year and member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import RIVERS, river_inflow
from caspian_sim.climate.response import linear_response, proportional_response
from caspian_sim.climate.variability import Departures, StartState, departures
from caspian_sim.climate.warming import observed_warming, warming

Array = NDArray[np.float64]

# The last twenty years with a total river inflow, as long as the periods of IPCC AR6. Expected fluxes refer
# to their warming, and the rivers share the inflow as in them.
BASELINE = (2003, 2022)
SCENARIOS_BEGIN = 2018


@dataclass(frozen=True)
class OwnMonths:
    """Shape of the months of series that a user gives by month.

    Attributes
    ----------
    shapes : mapping of name to (ndarray, shape (series, month), and ndarray of int, shape (member,))
        Under the name of a river or a term, the shapes of the series and which of them each member takes:
        rates relative to the annual mean; for ``evaporation``, departures from it in mm/yr.
    """

    shapes: Mapping[str, tuple[Array, NDArray[np.int64]]]

    def of(self, name: str) -> Array | None:
        """Shape for the members (month, member), or None when the months are the model's."""
        if name not in self.shapes:
            return None
        bank, series = self.shapes[name]
        return np.asarray(bank.T[:, series])


@dataclass(frozen=True)
class ScenarioClimate:
    """Annual climate of one scenario.

    Attributes
    ----------
    warming : ndarray, shape (year, member)
        Global warming relative to 1995-2014, K.
    inflow : ndarray, shape (river, year, member)
        km³/yr.
    precipitation, evaporation : ndarray, shape (year, member)
        Over the sea, mm/yr.
    bay_net_evaporation : ndarray, shape (year, member)
        mm/yr.
    inflow_departure : ndarray, shape (year, member)
        Natural variability that is part of the inflow, as a share of the expected one.
    net_evaporation_departure : ndarray, shape (year, member)
        The same for net evaporation, all of it in the evaporation, mm/yr.
    own_months : OwnMonths, optional
        Shape of the months where series of a user's own give it.
    """

    warming: Array
    inflow: Array
    precipitation: Array
    evaporation: Array
    bay_net_evaporation: Array
    inflow_departure: Array
    net_evaporation_departure: Array
    own_months: OwnMonths | None = None


@dataclass(frozen=True)
class PresentClimate:
    """Expected fluxes of the baseline, which scenarios change.

    Attributes
    ----------
    inflow : ndarray, shape (river, member)
        km³/yr.
    precipitation, evaporation : ndarray, shape (member,)
        Over the sea, mm/yr.
    """

    inflow: Array
    precipitation: Array
    evaporation: Array


def present_inflow() -> Array:
    """Observed inflow of each river over the baseline, km³/yr."""
    return np.asarray(river_inflow(*BASELINE).mean(axis=1))


def present_climate(parameters: Mapping[str, Array], shares: Array) -> PresentClimate:
    """Give the expected fluxes of the baseline for members with some parameters.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (member,)
    shares : ndarray, shape (river,)
        Shares of the rivers in the expected inflow.

    Returns
    -------
    PresentClimate
    """
    precipitation = parameters["precipitation"]
    inflow = shares[:, None] * parameters["river_inflow"]
    return PresentClimate(inflow, precipitation, parameters["net_evaporation"] + precipitation)


def scenario_climate(
    scenario: str,
    years: NDArray[np.int64],
    members: NDArray[np.int64],
    parameters: Mapping[str, Array],
    seed: int,
    start: StartState,
    variability: bool,
) -> ScenarioClimate:
    """Climate of a scenario by year and member.

    Parameters
    ----------
    scenario : str
        One of :data:`caspian_sim.climate.warming.SCENARIOS`.
    years : ndarray of int, shape (year,)
    members : ndarray of int, shape (member,)
        Numbers of the members, which find their random streams.
    parameters : mapping of name to ndarray, shape (member,)
        Parameters of the members.
    seed : int
    start : StartState
        Departures at the end of the year before the first.
    variability : bool
        Draw the variability; without it the members follow their expected values.

    Returns
    -------
    ScenarioClimate
    """
    rivers = present_inflow()
    return climate_under(
        _course_of_warming(scenario, years, parameters["warming_quantile"]),
        float(observed_warming(*BASELINE).mean()),
        rivers / rivers.sum(),
        parameters,
        departures(seed, members, len(years), parameters, start, variability),
    )


def _course_of_warming(scenario: str, years: NDArray[np.int64], quantile: Array) -> Array:
    """Warming along a scenario, and as observed before scenarios begin: checks on the record reach back."""
    early = years < SCENARIOS_BEGIN
    if not early.any():
        return warming(scenario, years, quantile)
    seen = np.repeat(observed_warming(int(years[0]), int(years[early][-1]))[:, None], len(quantile), axis=1)
    return seen if early.all() else np.concatenate([seen, warming(scenario, years[~early], quantile)])


def climate_under(
    total_warming: Array,
    reference: float,
    shares: Array,
    parameters: Mapping[str, Array],
    natural: Departures,
) -> ScenarioClimate:
    """Climate under a given course of warming.

    Parameters
    ----------
    total_warming : ndarray, shape (year, member)
        Global warming relative to 1995-2014, K.
    reference : float
        Warming at which inflow, rain and evaporation have their expected values, K.
    shares : ndarray, shape (river,)
        Shares of the rivers in the expected inflow.
    parameters : mapping of name to ndarray, shape (member,)
    natural : Departures
        From the expected fluxes.

    Returns
    -------
    ScenarioClimate
        All rivers depart from their expected flow by the same share; none runs backwards.
    """
    change = total_warming - reference
    sensitivity = np.stack(
        [
            parameters["volga_sensitivity" if river == "volga" else "other_river_sensitivity"]
            for river in RIVERS
        ]
    )
    present = present_climate(parameters, shares)
    expected = proportional_response(present.inflow[:, None], sensitivity[:, None, :], change[None])
    total = np.maximum(expected.sum(axis=0), SMALLEST_INFLOW)
    departure = np.maximum(natural.inflow / total, -1.0)
    precipitation = proportional_response(
        present.precipitation, parameters["precipitation_sensitivity"], change
    )
    evaporation = linear_response(present.evaporation, parameters["evaporation_sensitivity"], change)
    bay = linear_response(parameters["bay_net_evaporation"], parameters["evaporation_sensitivity"], change)
    return ScenarioClimate(
        warming=total_warming,
        inflow=expected * (1.0 + departure),
        precipitation=precipitation,
        evaporation=evaporation + natural.net_evaporation,
        bay_net_evaporation=bay,
        inflow_departure=departure,
        net_evaporation_departure=natural.net_evaporation,
    )


# Inflow that stands for none where a departure is divided by it, km³/yr.
SMALLEST_INFLOW = 1e-9
