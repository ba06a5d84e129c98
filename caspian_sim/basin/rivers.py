"""The eight rivers: how the observed total is split among them, and how the year is split into months.

Only the total, the Volga and the Ural at the border gauge are observed as annual series. What is left of the
total after these two is shared among the smaller rivers in proportion to their long-term means (table
``rivers``), so that the parts add up to the observed total in every year.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.errors import DataError

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

RIVERS = ("volga", "ural", "terek", "sulak", "samur", "kura", "iranian", "other")
MONTHS = 12


def river_inflow(first_year: int, last_year: int) -> Array:
    """Annual inflow by river, from the observed record.

    Parameters
    ----------
    first_year, last_year : int
        Calendar years, both inclusive, within the record of total inflow (1936-2022).

    Returns
    -------
    ndarray, shape (river, year)
        Inflow in km³/yr, in the order of :data:`RIVERS`. The Volga, where its own record has a gap, takes its
        mean share of the total; the Ural is the border gauge less the losses downstream of it, and its mean
        before the gauge begins.
    """
    record = data.load("river_inflow_annual").sel(year=slice(first_year, last_year))
    total = record["total_rivers"].values.astype(float)
    missing = record["year"].values[np.isnan(total)]
    if len(total) != last_year - first_year + 1 or missing.size:
        raise DataError(
            f"no total river inflow for {missing.tolist() or f'{first_year}-{last_year}'}\n"
            "    allowed  years 1936 to 2022 (the total of 2023 is masked: wrong in the source)"
        )
    volga_share, ural_mean = _gap_fillers()
    volga = record["volga"].values.astype(float)
    volga = np.where(np.isnan(volga), volga_share * total, volga)
    ural = _ural_at_the_mouth().reindex(year=record["year"]).values
    ural = np.where(np.isnan(ural), ural_mean, ural)
    return np.vstack([volga, ural, _small_river_shares()[:, None] * (total - volga - ural)])


def _ural_at_the_mouth() -> xr.DataArray:
    losses = float(data.fact("ural_loss_below_border_gauge").value) / 100.0
    return (1.0 - losses) * data.load("ural_annual")["volume"]


@cache
def _gap_fillers() -> tuple[float, float]:
    record = data.load("river_inflow_annual")
    both = record[["volga", "total_rivers"]].to_dataframe().dropna()
    return float(both["volga"].sum() / both["total_rivers"].sum()), float(_ural_at_the_mouth().mean())


@cache
def _small_river_shares() -> Array:
    means = data.load("rivers")["mean"]
    small = means.sel(river=list(RIVERS[2:])).values.astype(float)
    return np.asarray(small / small.sum())


def month_days(years: NDArray[np.int64], calendar: str = "standard") -> Array:
    """Days of each month.

    Parameters
    ----------
    years : ndarray of int, shape (year,)
    calendar : {"standard", "noleap", "all_leap", "360_day"}
        Calendar as climate models have them, after the CF conventions; standard is the Gregorian one.

    Returns
    -------
    ndarray, shape (year, 12)
    """
    if calendar == "360_day":
        return np.full((len(years), MONTHS), 30.0)
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    days = np.tile(np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]), (len(years), 1))
    days[:, 1] += {"noleap": np.zeros_like(leap), "all_leap": np.ones_like(leap)}.get(calendar, leap)
    return days


def month_fractions(years: NDArray[np.int64]) -> Array:
    """Length of each calendar month as a share of its year.

    A calendar year counts as exactly one year, leap or not, so that rates per year and annual totals are the
    same number.

    Parameters
    ----------
    years : ndarray of int, shape (year,)

    Returns
    -------
    ndarray, shape (year, 12)
        Shares that add up to 1 in every year.
    """
    days = month_days(years)
    return np.asarray(days / days.sum(axis=1, keepdims=True))


@cache
def _volga_month_shares() -> Array:
    volumes = data.load("seasonal_climatology")["volga"].values.astype(float)
    return np.asarray(volumes / volumes.sum())


def inflow_shape(fractions: Array) -> Array:
    """Rate of inflow in each month relative to the annual mean rate.

    Parameters
    ----------
    fractions : ndarray, shape (..., 12)
        Length of the months as a share of the year.

    Returns
    -------
    ndarray, shape (..., 12)
        Factor whose mean over the year, weighted with the length of the months, is 1.

    Notes
    -----
    The Volga's mean monthly volumes of 1990-2023 serve for all rivers: for the others no monthly
    series was at hand (assumption, grade D). Net evaporation by month closes the same balance, so the mean
    cycle of the level does not depend on it.
    """
    return _volga_month_shares() / fractions
