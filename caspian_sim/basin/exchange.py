"""What the strait carries and the bay loses, and the history of the bay under the observed sea level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.bay import Bay, bay_level_and_area
from caspian_sim.basin.strait import strait_outflow

Array = NDArray[np.float64]

MM_KM2_TO_KM3 = 1e-6
# Steps in a month of the history of the bay, whose filling after 1992 is its fastest change.
HISTORY_STEPS = 2
# Years whose mean slope carries the level from the middle of the last observed year to its end.
TREND_YEARS = 3


def bay_exchange(
    sea_level: Array,
    bay_volume: Array,
    bay: Bay,
    coefficient: Array,
    sill: Array,
    pipe_outflow: Array,
    net_evaporation: Array,
) -> tuple[Array, Array]:
    """Outflow from the sea to the bay, and net evaporation from the bay.

    Parameters
    ----------
    sea_level : ndarray, shape (member,)
        Level of the sea, m BHS.
    bay_volume : ndarray, shape (member,)
        Water in the bay, km³.
    bay : Bay
    coefficient, sill, pipe_outflow : ndarray
        Weir coefficient times open share (km³ yr⁻¹ m⁻¹·⁵), sill (m BHS) and flow through pipes (km³/yr).
    net_evaporation : ndarray
        Evaporation less precipitation over the bay, mm/yr.

    Returns
    -------
    outflow, loss : ndarray, shape (member,)
        In km³/yr.
    """
    bay_level, bay_area = bay_level_and_area(bay, bay_volume)
    outflow = strait_outflow(sea_level, bay_level, coefficient, sill) + pipe_outflow
    return outflow, net_evaporation * bay_area * MM_KM2_TO_KM3


@dataclass(frozen=True)
class BayHistory:
    """Bay under a given course of the sea.

    Attributes
    ----------
    volume : ndarray, shape (month + 1, member)
        Water in the bay at the edges of the months, km³.
    outflow : ndarray, shape (month, member)
        Mean outflow from the sea in each month, km³/yr.
    """

    volume: Array
    outflow: Array


def follow_sea_level(
    level: Array,
    length: Array,
    bay: Bay,
    start: Array,
    coefficient: Array,
    sill: Array,
    pipe_outflow: Array,
    net_evaporation: Array,
) -> BayHistory:
    """Integrate the bay alone while the sea follows a given level.

    Parameters
    ----------
    level : ndarray, shape (month + 1,)
        Level of the sea at the edges of the months, m BHS; linear between them.
    length : ndarray, shape (month,)
        Length of the months, yr.
    bay : Bay
    start : ndarray, shape (member,)
        Water in the bay at the start, km³.
    coefficient, net_evaporation : ndarray, shape (month, member)
        As in :func:`bay_exchange`.
    sill : ndarray, shape (member,)
        m BHS.
    pipe_outflow : ndarray, shape (month,)
        km³/yr.

    Returns
    -------
    BayHistory
    """
    volume = np.empty((len(length) + 1, len(start)))
    outflow = np.zeros((len(length), len(start)))
    now = volume[0] = start
    for month, duration in enumerate(length):
        h = duration / HISTORY_STEPS
        rise = (level[month + 1] - level[month]) / HISTORY_STEPS

        def rate(share: float, water: Array, month: int = month, rise: float = rise) -> tuple[Array, Array]:
            sea = np.full_like(water, level[month] + share * rise)
            flow, loss = bay_exchange(
                sea, water, bay, coefficient[month], sill, pipe_outflow[month], net_evaporation[month]
            )
            return flow - loss, flow

        for step in range(HISTORY_STEPS):
            k1, f1 = rate(step, now)
            k2, f2 = rate(step + 0.5, now + h / 2 * k1)
            k3, f3 = rate(step + 0.5, now + h / 2 * k2)
            k4, f4 = rate(step + 1, now + h * k3)
            now = now + h / 6 * (k1 + 2 * (k2 + k3) + k4)
            outflow[month] += (f1 + 2 * (f2 + f3) + f4) / (6 * HISTORY_STEPS)
        volume[month + 1] = now
    return BayHistory(volume, outflow)


def observed_level_at(times: Array, last_year: int | None = None) -> Array:
    """Observed level without its seasons at decimal years, from annual means.

    Parameters
    ----------
    times : ndarray
        Decimal years from the start of the record (1921) to the end of ``last_year``.
    last_year : int, optional
        Last annual mean to use; the last of the record when not given. An initial level must not know the
        year that follows it.

    Returns
    -------
    ndarray
        Level in m BHS: linear between the middles of the years; in the last half year, which no later mean
        closes, on along the slope of the last :data:`TREND_YEARS` years.
    """
    record = data.load("sea_level_annual")["level"].sel(year=slice(None, last_year))
    years, levels = record["year"].values + 0.5, record.values.astype(float)
    slope = (levels[-1] - levels[-1 - TREND_YEARS]) / TREND_YEARS
    inside = np.interp(times, years, levels)
    return np.asarray(np.where(times > years[-1], levels[-1] + slope * (times - years[-1]), inside))
