"""How inflow, precipitation and evaporation answer to global warming."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PER_CENT = 0.01


def proportional_response(baseline: Array, sensitivity: Array, warming: Array) -> Array:
    r"""Flux that changes by a fixed share of its baseline per kelvin, for river inflow and precipitation.

    Parameters
    ----------
    baseline : ndarray, broadcastable to (year, member)
        Flux of the baseline period, in any unit.
    sensitivity : ndarray, shape (member,)
        Change in % per K of global warming.
    warming : ndarray, shape (year, member)
        Warming against the baseline period, K.

    Returns
    -------
    ndarray, shape (year, member)
        :math:`X = X_0\,(1 + s\,\Delta G)_+`: a river may dry up but does not run backwards.
    """
    return np.asarray(baseline * np.maximum(1.0 + PER_CENT * sensitivity * warming, 0.0))


def linear_response(baseline: Array, sensitivity: Array, warming: Array) -> Array:
    r"""Evaporation over the sea under warming.

    Parameters
    ----------
    baseline : ndarray, broadcastable to (year, member)
        Evaporation of the baseline period, mm/yr.
    sensitivity : ndarray, shape (member,)
        Change in mm/yr per K of global warming.
    warming : ndarray, shape (year, member)
        Warming against the baseline period, K.

    Returns
    -------
    ndarray, shape (year, member)
        :math:`E = E_0 + \varepsilon\,\Delta G` in mm/yr.
    """
    return np.asarray(baseline + sensitivity * warming)


def net_evaporation_sensitivity(parameters: Mapping[str, Array]) -> Array:
    """Change of net evaporation over the sea per kelvin of global warming.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (member,)

    Returns
    -------
    ndarray, shape (member,)
        Rise of evaporation less rise of precipitation, mm/yr/K.
    """
    rain = PER_CENT * parameters["precipitation_sensitivity"] * parameters["precipitation"]
    return np.asarray(parameters["evaporation_sensitivity"] - rain)


def inflow_sensitivity(parameters: Mapping[str, Array], volga_share: float) -> Array:
    """Change of the inflow of all rivers together per kelvin of global warming.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (member,)
    volga_share : float
        Share of the Volga in the inflow.

    Returns
    -------
    ndarray, shape (member,)
        In % per K.
    """
    volga, others = parameters["volga_sensitivity"], parameters["other_river_sensitivity"]
    return np.asarray(volga_share * volga + (1.0 - volga_share) * others)
