"""How inflow, precipitation and evaporation answer to global warming."""

from __future__ import annotations

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
