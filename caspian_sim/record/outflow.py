r"""Outflow to Kara-Bogaz-Gol in the years of the record, as a polynomial of the parameters of strait and bay.

The bay follows the observed level of the sea by months (:mod:`caspian_sim.record.bay`), a second for a
thousand parameter sets; calibration asks for a million. So its annual outflow, and what is compared with
published facts, are tabulated once: for each quantity a polynomial of total degree :data:`DEGREE` in sill,
logarithm of the weir coefficient in force and net evaporation of the bay, fitted by least squares to runs
all over the box :data:`BOX` (``tools/build_strait_emulator.py``; table ``strait_emulator``). The error of
the fit is in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import qmc

from caspian_sim import data
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.record.bay import bay_under_annual_levels, early_bay
from caspian_sim.record.observations import shipped_observations

Array = NDArray[np.float64]

NAMES = (
    "strait_sill",
    "strait_coefficient_before_1980",
    "strait_coefficient_after_1992",
    "bay_net_evaporation",
)
# Ends of the box in the units of the parameters: the priors reach them once in some hundred draws.
BOX = {
    "strait_sill": (-33.7, -30.9),
    "strait_coefficient_before_1980": (0.6, 3.2),
    "strait_coefficient_after_1992": (1.5, 8.0),
    "bay_net_evaporation": (850.0, 1150.0),
}
DEGREE = 7
FIT_RUNS, TEST_RUNS, FIT_SEED = 4096, 4096, 20251211
LAST_YEAR = 2022
"""The direct calculation takes over after this year."""
REOPENED = 1992


@dataclass(frozen=True)
class StraitRecord:
    """What strait and bay did over the record, for each parameter set.

    Attributes
    ----------
    year : ndarray of int, shape (year,)
    outflow : ndarray, shape (year, set)
        Annual mean outflow, km³/yr.
    checks : mapping of name to ndarray, shape (set,)
        Values to be held against the table ``bay_checks``, in its units.
    """

    year: NDArray[np.int64]
    outflow: Array
    checks: Mapping[str, Array]


def strait_record(parameters: Mapping[str, Array]) -> StraitRecord:
    """Strait and bay over the record, by integration.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)

    Returns
    -------
    StraitRecord
    """
    observed = shipped_observations().until(LAST_YEAR)
    count = len(parameters["strait_sill"])
    outflow, volume = bay_under_annual_levels(
        int(observed.year[0]), observed.level, parameters, early_bay(count)
    )
    level, area = kara_bogaz_gol().level_and_area(volume.ravel())
    level, area = level.reshape(volume.shape), area.reshape(volume.shape)

    def at(year: int) -> int:
        return int(year - observed.year[0])

    def mean(values: Array, first: int, last: int) -> Array:
        return np.asarray(values[at(first) : at(last) + 1].mean(axis=0))

    # Where area grows in proportion to depth, the root of the volume falls in a straight line once the dam is
    # shut: the line through the ends of 1980 and 1981 says when nothing is left.
    first, second = np.sqrt(volume[at(1980)]), np.sqrt(volume[at(1981)])
    dry = 1982.0 + second / (first - second)
    span = np.arange(1996, 2008) - np.arange(1996, 2008).mean()
    trend = (span[:, None] * level[at(1996) : at(2007) + 1]).sum(axis=0) / (span**2).sum()
    checks = {
        "outflow_1970_1974": mean(outflow, 1970, 1974),
        "area_1972": area[at(1972)],
        "below_sea_1972": observed.level[at(1972)] - level[at(1972)],
        "dry": dry,
        "fill_rate_1993_1995": (level[at(1995)] - level[at(1992)]) / 3.0,
        "outflow_1997_2005": mean(outflow, 1997, 2005),
        "trend_1996_2007": 100.0 * trend,
    }
    return StraitRecord(observed.year, outflow, checks)


def monomials(point: Array) -> Array:
    """All products of up to :data:`DEGREE` coordinates, shape (term, set), of points (coordinate, set)."""
    terms = [np.ones(point.shape[1])]
    for degree in range(1, DEGREE + 1):
        factors = combinations_with_replacement(range(len(point)), degree)
        terms.extend(np.prod(point[list(some)], axis=0) for some in factors)
    return np.stack(terms)


def _coordinates(parameters: Mapping[str, Array]) -> Array:
    """Coordinates in the box, −1 to 1 from end to end, shape (4, set)."""
    rows = []
    for name in NAMES:
        low, high = BOX[name]
        values = np.asarray(parameters[name], dtype=float)
        if "coefficient" in name:
            low, high, values = np.log(low), np.log(high), np.log(np.maximum(values, 1e-300))
        rows.append(np.clip(2.0 * (values - low) / (high - low) - 1.0, -1.0, 1.0))
    return np.stack(rows)


def _regimes(parameters: Mapping[str, Array]) -> tuple[Array, Array]:
    """Monomials of the natural strait and of the strait cut anew, which have a coefficient each."""
    place = _coordinates(parameters)
    return monomials(place[[0, 1, 3]]), monomials(place[[0, 2, 3]])


RECUT_CHECKS = ("fill_rate_1993_1995", "outflow_1997_2005", "trend_1996_2007")


def fit_emulator() -> xr.Dataset:
    """Fit the polynomials and measure their error at parameter sets that were not fitted.

    Returns
    -------
    xarray.Dataset
        ``outflow`` by year and term, ``checks`` by check and term; ``outflow_error`` and ``check_error``:
        root mean square error at :data:`TEST_RUNS` other sets.
    """
    points = qmc.Sobol(len(NAMES), rng=np.random.default_rng(FIT_SEED)).random(FIT_RUNS + TEST_RUNS)
    parameters = {}
    for name, share in zip(NAMES, points.T, strict=True):
        low, high = BOX[name]
        geometric = low * (high / low) ** share if "coefficient" in name else None
        parameters[name] = low + share * (high - low) if geometric is None else geometric
    record = strait_record(parameters)
    natural, recut = _regimes(parameters)
    fitted, tested = slice(None, FIT_RUNS), slice(FIT_RUNS, None)

    def fit(values: Array, new_cut: bool) -> tuple[Array, float]:
        terms = recut if new_cut else natural
        weights = np.linalg.lstsq(terms[:, fitted].T, values[fitted], rcond=None)[0]
        error = values[tested] - weights @ terms[:, tested]
        return np.asarray(weights), float(np.sqrt((error**2).mean()))

    outflow = [
        fit(values, year >= REOPENED) for year, values in zip(record.year, record.outflow, strict=True)
    ]
    checks = [fit(values, name in RECUT_CHECKS) for name, values in record.checks.items()]
    return xr.Dataset(
        {
            "outflow": (("year", "term"), np.stack([w for w, _ in outflow])),
            "outflow_error": (("year",), np.array([e for _, e in outflow])),
            "checks": (("check", "term"), np.stack([w for w, _ in checks])),
            "check_error": (("check",), np.array([e for _, e in checks])),
        },
        coords={"year": record.year, "check": np.array(list(record.checks), dtype=object)},
    )


def _products(weights: Array, terms: Array) -> Array:
    """Add up the terms, shape (row, set), so that a set does not depend on which others are asked for.

    A matrix product is not that to the last digit.
    """
    total = np.zeros((len(weights), terms.shape[1]))
    for column, term in zip(weights.T, terms, strict=True):
        total += column[:, None] * term
    return total


@cache
def _emulator() -> xr.Dataset:
    return data.load("strait_emulator")


def emulated_record(parameters: Mapping[str, Array]) -> StraitRecord:
    """Strait and bay over the record, from the table.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
        Beyond the ends of :data:`BOX` the value at the end counts.

    Returns
    -------
    StraitRecord
    """
    table = _emulator()
    natural, recut = _regimes(parameters)
    years = table["year"].values.astype(np.int64)
    weights = table["outflow"].values
    new = years >= REOPENED
    outflow = np.empty((len(years), natural.shape[1]))
    outflow[~new] = _products(weights[~new], natural)
    outflow[new] = _products(weights[new], recut)
    checks = {
        str(name): _products(row[None], recut if name in RECUT_CHECKS else natural)[0]
        for name, row in zip(table["check"].values, table["checks"].values, strict=True)
    }
    return StraitRecord(years, np.maximum(outflow, 0.0), checks)
