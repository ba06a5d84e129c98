"""Climate of a scenario for an ensemble: inflow by river, rain and evaporation by year and member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import RIVERS, river_inflow
from caspian_sim.climate.response import PER_CENT, linear_response, proportional_response
from caspian_sim.climate.variability import (
    Variability,
    expected_slow,
    inflow_departure,
    net_evaporation_variability,
    slow_state,
)
from caspian_sim.climate.warming import observed_warming, warming

Array = NDArray[np.float64]

# The last twenty years with a total river inflow, as long as the periods of IPCC AR6. Fluxes of the present
# climate are its means.
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
    statistics: Variability,
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
    statistics : Variability
        Statistics of the natural variability, which also carry the slow component of net evaporation on from
        the record.
    variability : bool
        Draw the variability; without it the members follow their expected values.

    Returns
    -------
    ScenarioClimate
    """
    total_warming = warming(scenario, years, parameters["warming_quantile"])
    change = total_warming - observed_warming(*BASELINE).mean()

    rivers = river_inflow(*BASELINE).mean(axis=1)
    sensitivity = np.stack(
        [
            parameters["volga_sensitivity" if river == "volga" else "other_river_sensitivity"]
            for river in RIVERS
        ]
    )
    inflow = proportional_response(rivers[:, None, None], sensitivity[:, None, :], change[None])

    precipitation = proportional_response(
        parameters["precipitation"], parameters["precipitation_sensitivity"], change
    )
    baseline_evaporation = parameters["net_evaporation"] + parameters["precipitation"]
    evaporation = linear_response(baseline_evaporation, parameters["evaporation_sensitivity"], change)
    bay = linear_response(parameters["bay_net_evaporation"], parameters["evaporation_sensitivity"], change)

    rain_response = PER_CENT * parameters["precipitation_sensitivity"] * parameters["precipitation"]
    net_sensitivity = parameters["evaporation_sensitivity"] - rain_response
    start = slow_state(int(years[0]), BASELINE, statistics)
    if not variability:
        evaporation = evaporation + expected_slow(len(years), statistics, start, net_sensitivity)
    else:
        inflow = inflow * (1.0 + inflow_departure(seed, members, len(years), statistics))
        evaporation = evaporation + net_evaporation_variability(
            seed, members, len(years), statistics, start, net_sensitivity
        )
    return ScenarioClimate(total_warming, inflow, precipitation, evaporation, bay)
