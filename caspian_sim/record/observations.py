"""Observations of the sea, by year: what the annual balance is fitted to, and where a projection starts.

Shipped are the annual mean level and the inflow of all rivers and of the Volga. A year without a value is a
gap, not a zero, and stays one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.rivers import MONTHS, month_fractions

Array = NDArray[np.float64]

# Years with a full course of months from which the season of the turn of November is taken, at least.
FEWEST_SEASONS = 3
# Standard deviation between the annual means of the gauges and the means of the months of altimetry (table
# sea_level_annual against sea_level_monthly, 1993-2022), m.
GAUGES_AGAINST_MONTHS = 0.03


@dataclass(frozen=True, eq=False)
class Observations:
    """Annual observations, NaN where there is none.

    Attributes
    ----------
    year : ndarray of int, shape (year,)
        Consecutive calendar years.
    level : ndarray, shape (year,)
        Annual mean level, m BHS.
    inflow : ndarray, shape (year,)
        Inflow of all rivers, km³/yr.
    volga : ndarray, shape (year,)
        Flow of the Volga, km³/yr.
    warming : ndarray, shape (year,)
        Observed global warming relative to 1995-2014, K.
    month : ndarray of int, shape (month,)
        Months with a monthly mean level, as 12 · year + month − 1, in order.
    monthly_level : ndarray, shape (month,)
        Monthly mean level with its season, m; its datum plays no role.
    """

    year: NDArray[np.int64]
    level: Array
    inflow: Array
    volga: Array
    warming: Array
    month: NDArray[np.int64]
    monthly_level: Array

    @property
    def last_level_year(self) -> int:
        """Last year with a level."""
        return int(self.year[~np.isnan(self.level)][-1])

    def until(self, year: int) -> Observations:
        """Return what had been observed by the end of a year."""
        known = self.year <= year
        months = self.month < MONTHS * (year + 1)
        return replace(
            self,
            **{name: getattr(self, name)[known] for name in ANNUAL},
            month=self.month[months],
            monthly_level=self.monthly_level[months],
        )


ANNUAL = ("year", "level", "inflow", "volga", "warming")


@cache
def shipped_observations() -> Observations:
    """Return the observations that ship with the package, from the first year with a level to the last."""
    level = data.load("sea_level_annual")["level"]
    years = level["year"].values.astype(np.int64)
    rivers = data.load("river_inflow_annual").reindex(year=years)
    warming = data.load("gmst_observed")["gmst_anomaly"]
    monthly = data.load("sea_level_monthly")
    reference = float(warming.sel(year=slice(1995, 2014)).mean())
    return Observations(
        years,
        level.values.astype(float),
        rivers["total_rivers"].values.astype(float),
        rivers["volga"].values.astype(float),
        (warming.reindex(year=years) - reference).values.astype(float),
        (monthly["year"] * MONTHS + monthly["month"] - 1).values.astype(np.int64),
        monthly["level"].values.astype(float),
    )


def without_gaps(level: Array) -> Array:
    """Put the level of the year before into a year without one."""
    known = np.maximum.accumulate(np.where(np.isnan(level), 0, np.arange(len(level))))
    return np.asarray(level[known])


def mean_of_months(observed: Observations, year: int) -> float | None:
    """Mean of the twelve months of a year, each with its days, m BHS; None unless all are known."""
    inside = np.isin(observed.month, MONTHS * year + np.arange(MONTHS))
    if inside.sum() < MONTHS:
        return None
    return float(observed.monthly_level[inside] @ month_fractions(np.array([year]))[0])


def late_level(observed: Observations) -> Array:
    r"""Level on 1 December without its season, for the years whose months are known.

    Parameters
    ----------
    observed : Observations

    Returns
    -------
    ndarray, shape (year,)
        m BHS, NaN in a year without an annual mean, with a gap in its months, or while the season is unknown.

    Notes
    -----
    How far the mean of November and December stands from the mean of the year's months, less what the season
    alone makes of it, is added to the annual mean level:
    :math:`\bar h + (m_{11,12} - \bar m) - c`, where *c* is the mean, over all years whose months are known
    to the May of the next, of :math:`m_{11,12}` less the mean of the twelve months around 1 December. A year
    that lies after the observations does not count.
    """
    late = np.full(len(observed.year), np.nan)
    if not observed.month.size:
        return late
    first, last = int(observed.month[0]), int(observed.month[-1])
    course = np.full(last - first + 1 + MONTHS, np.nan)
    course[observed.month - first] = observed.monthly_level
    january = MONTHS * observed.year - first
    inside = (january >= 0) & (january + MONTHS <= last - first + 1)
    months = course[january[inside, None] + np.arange(MONTHS + 5)]
    turn = months[:, 10:12].mean(axis=1)
    season = turn - months[:, 5:17].mean(axis=1)
    known = ~np.isnan(season)
    if known.sum() >= FEWEST_SEASONS:
        departure = turn - months[:, :12].mean(axis=1) - season[known].mean()
        late[inside] = observed.level[inside] + departure
    return late
