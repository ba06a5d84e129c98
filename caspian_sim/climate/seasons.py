"""The monthly shape of net evaporation, found by closing the mean monthly balance.

No climatology of evaporation or precipitation by month was at hand. The level and the inflow have one each,
and what the inflow brings but the level does not show must have evaporated.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import inflow_shape, month_fractions, river_inflow

Array = NDArray[np.float64]

# The altimetric climatology covers July 1993 to January 2023; these are its whole years.
CLIMATOLOGY_PERIOD = (1993, 2022)
KM3_TO_KM2_MM = 1e6
COMMON_YEAR = np.array([2023])
# Harmonics of the year in which the level at the edges of the months gives the months their means.
SHARPENED = 3


def level_departure_by_month() -> Array:
    """Mean departure of the months from the running annual mean of the level, m, shape (12,)."""
    return _level_climatology() / 100.0


@cache
def _level_climatology() -> Array:
    return np.asarray(data.load("seasonal_climatology")["level_anomaly"].values, dtype=float)


def level_departure_at_month_edges() -> Array:
    r"""Mean departure of the level from its running annual mean at the edges of the months.

    Returns
    -------
    ndarray, shape (13,)
        Departure in m from the start of January to the end of December.

    Notes
    -----
    The climatology holds means over months. A level that runs straight from edge to edge has the
    mean of its edges, which in harmonic *k* of the year is smaller than the edges by :math:`\cos(\pi k/12)`.
    The first :data:`SHARPENED` harmonics make up for that; in the others, which are mostly noise, an
    edge is the mean of the months on both sides.
    """
    months = _level_climatology()
    harmonic = np.arange(len(months) // 2 + 1)
    half_month = np.pi * harmonic / len(months)
    averaging = np.cos(half_month)
    factor = np.where(harmonic <= SHARPENED, 1.0 / np.maximum(averaging, averaging[SHARPENED]), averaging)
    spectrum = np.fft.rfft(months) * factor * np.exp(-1j * half_month)
    edges = np.fft.irfft(spectrum, len(months)) / 100.0
    return np.append(edges, edges[0])


@cache
def _common_year_departure() -> Array:
    fractions = month_fractions(COMMON_YEAR)[0]
    inflow = river_inflow(*CLIMATOLOGY_PERIOD).sum(axis=0).mean()
    level = data.load("sea_level_annual")["level"].sel(year=slice(*CLIMATOLOGY_PERIOD)).mean()
    area = load_hypsometry().area(float(level))
    rise = np.diff(level_departure_at_month_edges()) * 1000.0 / fractions
    return np.asarray(inflow * (inflow_shape(fractions) - 1.0) / area * KM3_TO_KM2_MM - rise)


def net_evaporation_departure(fractions: Array) -> Array:
    r"""Departure of net evaporation in each month from its annual mean rate.

    Parameters
    ----------
    fractions : ndarray, shape (year, 12)
        Length of the months as a share of the year.

    Returns
    -------
    ndarray, shape (year, 12)
        Departure in mm/yr, zero in the mean over each year, so that annual totals stay exact.

    Notes
    -----
    With the mean cycle of the level (:math:`\Delta h_m` from edge to edge of month *m*, of length
    :math:`\tau_m`) and of inflow :math:`R_m` over 1993-2022, groundwater and strait outflow being taken as
    even through the year,

    .. math:: s_m = \frac{R_m - \bar R}{A} - \frac{\Delta h_m}{\tau_m}

    The altimetric level includes the thermal expansion of the water, about which the model knows nothing: it
    shows as a shift of evaporation from spring to autumn. In April the sea rises faster than its inflow
    explains, and the evaporation found there is slightly negative. The shape is that of an apparent
    evaporation, right for the level and not for heat budgets.
    """
    shape = np.broadcast_to(_common_year_departure(), fractions.shape)
    return np.asarray(shape - (shape * fractions).sum(axis=-1, keepdims=True))
