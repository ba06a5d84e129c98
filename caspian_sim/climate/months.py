"""From the annual climate to months: the seasons of the climatology, or those of a user's own series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import MONTHS, RIVERS, inflow_shape
from caspian_sim.climate.scenario import ScenarioClimate
from caspian_sim.climate.seasons import net_evaporation_departure

Array = NDArray[np.float64]


def inflow_by_month(climate: ScenarioClimate, river: str, fractions: Array) -> Array:
    """Inflow of a river by month.

    Parameters
    ----------
    climate : ScenarioClimate
    river : str
    fractions : ndarray, shape (year, 12)
        Length of the months as a share of the year.

    Returns
    -------
    ndarray, shape (month, member)
        km³/yr; the mean over the months of a year is the annual value.
    """
    shape = None if climate.own_months is None else climate.own_months.of(river)
    if shape is None:
        shape = inflow_shape(fractions).ravel()[:, None]
    return np.asarray(np.repeat(climate.inflow[RIVERS.index(river)], MONTHS, axis=0) * shape)


def total_inflow_by_month(climate: ScenarioClimate, fractions: Array) -> Array:
    """Inflow of all rivers by month (month, member), km³/yr."""
    if climate.own_months is None:
        total = np.repeat(climate.inflow.sum(axis=0), MONTHS, axis=0)
        total *= inflow_shape(fractions).ravel()[:, None]
        return total
    total = np.zeros((fractions.size, climate.inflow.shape[-1]))
    for river in RIVERS:
        total += inflow_by_month(climate, river, fractions)
    return total


def vertical_fluxes(climate: ScenarioClimate, fractions: Array) -> tuple[Array, Array, Array, Array]:
    """Precipitation, evaporation, net evaporation of the bay, and the season to add to the last two.

    Parameters
    ----------
    climate : ScenarioClimate
    fractions : ndarray, shape (year, 12)
        Length of the months as a share of the year.

    Returns
    -------
    precipitation, evaporation, bay : ndarray, shape (year or month, member)
        mm/yr; by month only where a series of the user's own has months.
    season : ndarray, shape (month,)
        mm/yr.
    """
    rain, vapour, bay = climate.precipitation, climate.evaporation, climate.bay_net_evaporation
    season = net_evaporation_departure(fractions).ravel()
    if climate.own_months is not None:
        own_rain, own_vapour = (climate.own_months.of(term) for term in ("precipitation", "evaporation"))
        if own_rain is not None:
            rain = np.repeat(rain, MONTHS, axis=0) * own_rain
        if own_vapour is not None:
            # The sea has its season from the file, the bay alone that of the model.
            vapour = np.repeat(vapour, MONTHS, axis=0) + own_vapour
            bay, season = np.repeat(bay, MONTHS, axis=0) + season[:, None], np.zeros_like(season)
    return rain, vapour, bay, season
