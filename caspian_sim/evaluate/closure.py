"""Net evaporation that closes the balance of the record, year by year and without any model of its course.

The table ``net_evaporation_implied`` is written by ``tools/build_closure.py`` from what is here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.exchange import observed_level_at
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import river_inflow
from caspian_sim.climate.seasons import KM3_TO_KM2_MM
from caspian_sim.collect import Calendar
from caspian_sim.record.bay import bay_record, early_bay
from caspian_sim.record.posterior import best_values

Array = NDArray[np.float64]

FIRST_YEAR, LAST_YEAR = 1937, 2022
LEVEL_RECORD_STARTS = 1922


@dataclass(frozen=True)
class Closure:
    """Annual balance of the record.

    Attributes
    ----------
    year : ndarray of int, shape (year,)
    inflow, strait_outflow, storage : ndarray, shape (year,)
        River inflow, outflow to Kara-Bogaz-Gol and rise of storage, km³/yr.
    net_evaporation : ndarray, shape (year,)
        What is left over, as a depth over the area of the mean level, mm/yr.
    """

    year: NDArray[np.int64]
    inflow: Array
    strait_outflow: Array
    storage: Array
    net_evaporation: Array


def observed_bay(
    first_year: int, last_year: int, known_until: int | None = None
) -> tuple[Calendar, Array, Array]:
    """Kara-Bogaz-Gol under the observed level of the sea, with the calibrated values of all parameters.

    Parameters
    ----------
    first_year, last_year : int
        Calendar years within the record of the level, both inclusive.
    known_until : int, optional
        Last annual mean of the level that may be used; the last of the record when not given.

    Returns
    -------
    calendar : Calendar
    volume : ndarray, shape (month + 1,)
        Water in the bay at the edges of the months, km³.
    outflow : ndarray, shape (month,)
        Outflow from the sea, km³/yr.

    Notes
    -----
    The bay starts as high over its floor as about 1972 (fact ``kbg_max_depth_1972``) and has
    forgotten it by 1970: in 1937, starts at −33 m and at −27.5 m still differ by 0.6 km³/yr of outflow.
    """
    best = {name: np.array([value]) for name, value in best_values().items()}
    calendar = Calendar(first_year, last_year)
    history = bay_record(calendar, best, early_bay(1), known_until)
    return calendar, history.volume[:, 0], history.outflow[:, 0]


def left_over_depth(gain: Array, storage: Array, area: Array) -> Array:
    r"""Net evaporation as what is left of the balance.

    Parameters
    ----------
    gain : ndarray
        Inflow and groundwater less the outflow to Kara-Bogaz-Gol, km³/yr.
    storage : ndarray
        Rise of storage, km³/yr.
    area : ndarray
        Mean area of the sea, km².

    Returns
    -------
    ndarray
        Depth rate, mm/yr.

    Notes
    -----
    .. math:: N = \frac{R + G - F - \Delta V}{A}
    """
    return np.asarray((gain - storage) / area * KM3_TO_KM2_MM)


def close_balance(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Closure:
    """Net evaporation of each year as what is left of the balance.

    Parameters
    ----------
    first_year, last_year : int
        Calendar years with a total river inflow, both inclusive.

    Returns
    -------
    Closure

    Notes
    -----
    The rise of storage is taken between year ends, which are the means of the annual levels on both sides: a
    year's value knows half of the next year's level, so the series serves statistics and must not serve as a
    forecast of anything.
    """
    curve = load_hypsometry()
    calendar, _, outflow = observed_bay(LEVEL_RECORD_STARTS, last_year)
    strait = calendar.interval_mean(outflow)[first_year - LEVEL_RECORD_STARTS :]
    years = np.arange(first_year, last_year + 1)
    inflow = river_inflow(first_year, last_year).sum(axis=0)
    edge = observed_level_at(np.append(years, last_year + 1).astype(float))
    storage = np.diff(np.asarray(curve.volume(edge)))
    level = data.load("sea_level_annual")["level"].sel(year=years).values.astype(float)
    gain = inflow + data.parameters()["groundwater"].best - strait
    net = left_over_depth(gain, storage, np.asarray(curve.area(level)))
    return Closure(years, inflow, strait, storage, net)


def autocorrelation(series: Array, lags: NDArray[np.int64]) -> Array:
    """Sample autocorrelation of a series.

    Parameters
    ----------
    series : ndarray, shape (time,)
    lags : ndarray of int, shape (lag,)

    Returns
    -------
    ndarray, shape (lag,)
    """
    anomaly = series - series.mean()
    products = [(anomaly[:-lag] * anomaly[lag:]).sum() for lag in lags]
    return np.asarray(products / (anomaly**2).sum())
