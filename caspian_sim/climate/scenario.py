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
    """

    warming: Array
    inflow: Array
    precipitation: Array
    evaporation: Array
    bay_net_evaporation: Array


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
    rivers = river_inflow(*BASELINE).mean(axis=1)
    return climate_under(
        warming(scenario, years, parameters["warming_quantile"]),
        float(observed_warming(*BASELINE).mean()),
        rivers / rivers.sum(),
        parameters,
        departures(seed, members, len(years), parameters, start, variability),
    )


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
    expected = proportional_response(
        shares[:, None, None] * parameters["river_inflow"], sensitivity[:, None, :], change[None]
    )
    total = np.maximum(expected.sum(axis=0), SMALLEST_INFLOW)
    inflow = expected * np.maximum(1.0 + natural.inflow / total, 0.0)
    precipitation = proportional_response(
        parameters["precipitation"], parameters["precipitation_sensitivity"], change
    )
    present = parameters["net_evaporation"] + parameters["precipitation"]
    evaporation = linear_response(present, parameters["evaporation_sensitivity"], change)
    bay = linear_response(parameters["bay_net_evaporation"], parameters["evaporation_sensitivity"], change)
    return ScenarioClimate(total_warming, inflow, precipitation, evaporation + natural.net_evaporation, bay)


# Inflow that stands for none where a departure is divided by it, km³/yr.
SMALLEST_INFLOW = 1e-9
