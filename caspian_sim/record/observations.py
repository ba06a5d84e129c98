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

Array = NDArray[np.float64]

TOTAL_SHARE_YEARS = (1938, 2022)
"""Years in which both the total inflow and the Volga are known, but for gaps."""


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
    """

    year: NDArray[np.int64]
    level: Array
    inflow: Array
    volga: Array
    warming: Array

    @property
    def last_level_year(self) -> int:
        """Last year with a level."""
        return int(self.year[~np.isnan(self.level)][-1])

    def until(self, year: int) -> Observations:
        """Return what had been observed by the end of a year."""
        known = self.year <= year
        return replace(self, **{name: getattr(self, name)[known] for name in _SERIES})


_SERIES = ("year", "level", "inflow", "volga", "warming")


@cache
def shipped_observations() -> Observations:
    """Return the observations that ship with the package, from the first year with a level to the last."""
    level = data.load("sea_level_annual")["level"]
    years = level["year"].values.astype(np.int64)
    rivers = data.load("river_inflow_annual").reindex(year=years)
    warming = data.load("gmst_observed")["gmst_anomaly"]
    reference = float(warming.sel(year=slice(1995, 2014)).mean())
    return Observations(
        years,
        level.values.astype(float),
        rivers["total_rivers"].values.astype(float),
        rivers["volga"].values.astype(float),
        (warming.reindex(year=years) - reference).values.astype(float),
    )


def without_gaps(level: Array) -> Array:
    """Put the level of the year before into a year without one."""
    known = np.maximum.accumulate(np.where(np.isnan(level), 0, np.arange(len(level))))
    return np.asarray(level[known])
