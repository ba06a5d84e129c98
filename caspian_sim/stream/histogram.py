"""Distributions of many columns of numbers, taken in part by part, in bounded memory.

A column is one place of a variable, such as one scenario, programme and year. Either all its values are
kept (:class:`Sample`), or how many of them fell into each bin of a width that is a power of two
(:class:`Histogram`). Both are functions of the set of values alone: neither the order nor the size of the
parts leaves a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Bins are never finer than 2^-40 of the unit, about 1e-12.
FINEST = -40
# Bits of a value that its bin number may use, so that the number is exact as int64.
NUMBER_BITS = 52
# Values whose rounded sum is exact in float64: 2^11 of them, each below 2^42 quanta.
BLOCK_MEMBERS = 2**11
BLOCK_VALUES = 2**16
LARGEST_QUANTA: Final = 2.0**42


class Distribution(Protocol):
    """What is kept of the values of many columns."""

    def add(self, values: Array, members: NDArray[np.int64]) -> None:
        """Take in the values (column, member) of some members; NaN is "never", later than every time."""

    def quantiles(self, probabilities: Array) -> Array:
        """Quantiles, shape (probability, column), by linear interpolation between order statistics."""

    def mean(self) -> Array:
        """Mean of each column."""

    def deviation(self) -> Array:
        """Root mean square departure from the mean, for each column."""

    def largest(self) -> float:
        """Largest magnitude of all values."""

    def errors(self) -> dict[str, float]:
        """How far ``quantile``, ``mean`` and ``sd`` can be from those of the values themselves."""

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Arrays that hold all that is kept; whoever changes them in place changes it."""


class Sample:
    """All values of some columns.

    Parameters
    ----------
    columns, members : int
    """

    def __init__(self, columns: int, members: int) -> None:
        self._values = np.full((columns, members), np.nan)

    def add(self, values: Array, members: NDArray[np.int64]) -> None:
        """Put values (column, member) in the places of their members."""
        self._values[:, members] = values

    def quantiles(self, probabilities: Array) -> Array:
        """Quantiles, as :func:`numpy.quantile` gives them; NaN where they fall among "never"."""
        values, never = self._values, np.isnan(self._values)
        if never.any():
            values = np.where(never, np.inf, values)
        with np.errstate(invalid="ignore"):  # the interpolation between two that never happen
            found = np.quantile(values, probabilities, axis=1)
        if never.any():
            # numpy takes nothing of an infinite neighbour for not a number.
            on_a_value = np.asarray(probabilities) * (values.shape[1] - 1) % 1.0 == 0.0
            lower = np.quantile(values, probabilities, axis=1, method="lower")
            found = np.where(on_a_value[:, None], lower, found)
        return np.where(np.isfinite(found), found, np.nan)

    def mean(self) -> Array:
        """Mean of each column."""
        return np.asarray(self._values.mean(axis=1))

    def deviation(self) -> Array:
        """Root mean square departure from the mean, for each column."""
        return np.asarray(self._values.std(axis=1))

    def largest(self) -> float:
        """Largest magnitude of all values."""
        return float(np.nanmax(np.abs(self._values)))

    def errors(self) -> dict[str, float]:
        """Nothing is lost."""
        return {"quantile": 0.0, "mean": 0.0, "sd": 0.0}

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Values, NaN where they have not come yet."""
        return {"values": self._values}


class Histogram:
    """Numbers of values in bins of width 2^level, which doubles when the values of a column outgrow the bins.

    Bin k of a column holds the values from k·2^level up to (k + 1)·2^level, so two neighbours make one bin of
    the next level and nothing is counted anew. The level is the finest at which all values of the column fit:
    it follows from their smallest and largest. Sums are kept as whole numbers of a quantum. So the state does
    not depend on the order in which the values come.

    Parameters
    ----------
    columns : int
    bins : int
        Bins of a column, a power of two.
    fraction_bits : int, optional
        Bits after the point of the values that enter the mean; they must stay below 2^(42 − fraction_bits).
    """

    def __init__(self, columns: int, bins: int, fraction_bits: int = 20) -> None:
        if bins < 2 or bins & (bins - 1):
            raise ValueError(f"bins must be a power of two, not {bins}")
        self._bins, self._per_unit = bins, 2.0**fraction_bits
        # Bin k is counted in place k mod bins: the bins in use never lie further apart than that.
        self._counts = np.zeros((columns, bins), dtype=np.uint32)
        self._level = np.full(columns, FINEST, dtype=np.int64)
        self._lowest, self._highest = np.full(columns, np.inf), np.full(columns, -np.inf)
        self._number, self._never = np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
        self._quanta = np.zeros(columns, dtype=np.int64)

    def add(self, values: Array, members: NDArray[np.int64]) -> None:
        """Count values (column, member)."""
        columns, many = values.shape
        for begin in range(0, many, BLOCK_MEMBERS):
            width = min(BLOCK_MEMBERS, many - begin)
            rows = max(1, BLOCK_VALUES // width)
            for row in range(0, columns, rows):
                self._add_block(slice(row, row + rows), values[row : row + rows, begin : begin + width])

    def _add_block(self, rows: slice, values: Array) -> None:
        lowest, highest = values.min(axis=1), values.max(axis=1)
        never = np.isnan(values) if np.isnan(lowest).any() else None
        number = np.full(len(values), values.shape[1])
        if never is not None:
            number -= never.sum(axis=1)
            lowest = np.where(never, np.inf, values).min(axis=1)
            highest = np.where(never, -np.inf, values).max(axis=1)
        quanta = np.maximum(np.abs(lowest), np.abs(highest)) * self._per_unit
        if quanta[number > 0].max(initial=0.0) >= LARGEST_QUANTA:
            raise ValueError(
                f"a value of {quanta.max() / self._per_unit:g} is too large to be summed exactly"
            )
        self._make_room(rows, lowest, highest)
        self._number[rows] += number
        self._never[rows] += values.shape[1] - number
        per_width = np.ldexp(1.0, -self._level[rows])
        sums, counts = self._quanta[rows], self._counts[rows]
        if never is not None:
            for row, times in enumerate(values):
                here = slice(row, row + 1)
                happened = times[~never[row]][None, :]
                count_by_array(happened, per_width[here], self._per_unit, sums[here], counts[here])
        else:
            counter()(values, per_width, self._per_unit, sums, counts)

    def _make_room(self, rows: slice, lowest: Array, highest: Array) -> None:
        """Widen the limits of some columns, and their bins where these no longer hold them."""
        first = self._first_bin(rows)
        # No negative zero, whose sign would tell which zero came first.
        self._lowest[rows] = np.minimum(self._lowest[rows], lowest) + 0.0
        self._highest[rows] = np.maximum(self._highest[rows], highest) + 0.0
        level = level_that_holds(self._lowest[rows], self._highest[rows], self._bins)
        for row in np.flatnonzero((level > self._level[rows]) & (self._number[rows] > 0)):
            self._coarsen(rows.start + int(row), int(first[row]), int(level[row]))
        self._level[rows] = level

    def _first_bin(self, rows: slice) -> NDArray[np.int64]:
        """Find the lowest bin in use in each column; 0 where the column is empty."""
        lowest = np.where(self._number[rows] > 0, self._lowest[rows], 0.0)
        return np.floor(np.ldexp(lowest, -self._level[rows])).astype(np.int64)

    def _in_order(self, column: int, first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the bins of a column that hold something, rising, and what they hold."""
        ordered = np.roll(self._counts[column], -(first & (self._bins - 1)))
        used = np.flatnonzero(ordered)
        return first + used, ordered[used].astype(np.int64)

    def _coarsen(self, column: int, first: int, level: int) -> None:
        """Join neighbouring bins of a column until they have the width of a level."""
        numbers, counts = self._in_order(column, first)
        joined = (numbers >> (level - int(self._level[column]))) & (self._bins - 1)
        self._counts[column] = np.bincount(joined, weights=counts, minlength=self._bins)

    def _middles(self, column: int, first: int) -> tuple[Array, NDArray[np.int64]]:
        """Middles of the bins in use, kept within the values, and what the bins hold."""
        numbers, counts = self._in_order(column, first)
        middles = np.ldexp(numbers + 0.5, int(self._level[column]))
        return np.clip(middles, self._lowest[column], self._highest[column]), counts

    def quantiles(self, probabilities: Array) -> Array:
        """Quantiles, each order statistic at the middle of its bin; NaN where they fall among "never"."""
        columns = len(self._number)
        found = np.full((len(probabilities), columns), np.nan)
        first = self._first_bin(slice(0, columns))
        for column in np.flatnonzero(self._number > 0):
            middles, counts = self._middles(int(column), int(first[column]))
            at = np.asarray(probabilities) * (self._number[column] + self._never[column] - 1)
            below = np.floor(at).astype(np.int64)
            share = at - below
            upto, values = np.cumsum(counts), np.append(middles, np.inf)
            low, high = (
                values[np.searchsorted(upto, order, side="right")] for order in (below, below + (share > 0.0))
            )
            with np.errstate(invalid="ignore"):  # the interpolation between two that never happen
                point = np.where(share > 0.0, low + (high - low) * share, low)
            found[:, column] = np.where(np.isfinite(point), point, np.nan)
        return found

    def mean(self) -> Array:
        """Mean of each column, from the whole numbers of quanta."""
        with np.errstate(invalid="ignore"):  # a column in which nothing ever happens has none
            return self._quanta / self._number / self._per_unit

    def deviation(self) -> Array:
        """Root mean square departure from the mean, each value at the middle of its bin."""
        columns = len(self._number)
        first, found = self._first_bin(slice(0, columns)), np.full(columns, np.nan)
        for column in np.flatnonzero(self._number > 0):
            middles, counts = self._middles(int(column), int(first[column]))
            departure = middles - np.average(middles, weights=counts)
            found[column] = np.sqrt(np.average(departure**2, weights=counts))
        return found

    def largest(self) -> float:
        """Largest magnitude of all values."""
        used = self._number > 0
        return float(np.maximum(np.abs(self._lowest[used]), np.abs(self._highest[used])).max(initial=0.0))

    def errors(self) -> dict[str, float]:
        """Half the widest bin: no value is further from the middle of its own; half a quantum for means."""
        half = float(np.ldexp(0.5, int(self._level.max())))
        return {"quantile": half, "mean": 0.5 / self._per_unit, "sd": half}

    def state(self) -> dict[str, NDArray[np.generic]]:
        """All counts, levels, limits and sums."""
        return {
            "counts": self._counts,
            "level": self._level,
            "lowest": self._lowest,
            "highest": self._highest,
            "number": self._number,
            "never": self._never,
            "quanta": self._quanta,
        }


Counter = Callable[[Array, Array, float, NDArray[np.int64], NDArray[np.uint32]], None]


def count_by_array(
    values: Array, per_width: Array, per_unit: float, sums: NDArray[np.int64], counts: NDArray[np.uint32]
) -> None:
    """Count values in bins and add up their quanta, in place.

    Parameters
    ----------
    values : ndarray, shape (column, member)
    per_width : ndarray, shape (column,)
        Bins per unit, a power of two.
    per_unit : float
        Quanta per unit.
    sums : ndarray of int, shape (column,)
    counts : ndarray of int, shape (column, bin)
    """
    columns, bins = counts.shape
    sums += np.floor(values * per_unit + 0.5).sum(axis=1).astype(np.int64)
    scaled = values * per_width[:, None]
    place = np.floor(scaled, out=scaled).astype(np.int64)
    place &= bins - 1
    place += np.arange(columns)[:, None] * bins
    np.add.at(counts.reshape(-1), place.reshape(-1), np.uint32(1))


def count_by_number(
    values: Array, per_width: Array, per_unit: float, sums: NDArray[np.int64], counts: NDArray[np.uint32]
) -> None:
    """Do what :func:`count_by_array` does, in loops to be compiled."""
    last = counts.shape[1] - 1
    for column in range(values.shape[0]):
        quanta = 0.0
        for member in range(values.shape[1]):
            value = values[column, member]
            quanta += np.floor(value * per_unit + 0.5)
            counts[column, int(np.floor(value * per_width[column])) & last] += np.uint32(1)
        sums[column] += int(quanta)


@cache
def counter() -> Counter:
    """Give the compiled loops when the extra ``fast`` is installed, which count several times faster."""
    try:
        import numba
    except ImportError:
        return count_by_array
    return cast(Counter, numba.njit(count_by_number, nogil=True))


def level_that_holds(lowest: Array, highest: Array, bins: int) -> NDArray[np.int64]:
    """Finest level at which the values of a column lie in no more than `bins` neighbouring bins.

    Parameters
    ----------
    lowest, highest : ndarray, shape (column,)
        Limits of the values; infinite, the lower above the upper, where there are none.
    bins : int

    Returns
    -------
    ndarray of int, shape (column,)
        Bins are 2^level wide, never finer than :data:`FINEST`.
    """
    none = lowest > highest
    low, high = np.where(none, 0.0, lowest), np.where(none, 0.0, highest)
    size = _exponent(np.maximum(np.abs(low), np.abs(high))) - NUMBER_BITS
    # Two below what the range asks for; the loop finds the exact one.
    level = np.maximum(np.maximum(size, _exponent((high - low) / bins) - 2), FINEST)
    while True:
        wide = np.floor(np.ldexp(high, -level)) - np.floor(np.ldexp(low, -level)) >= bins
        if not wide.any():
            return level
        level = level + wide


def _exponent(size: Array) -> NDArray[np.int64]:
    """Smallest e with size < 2^e; that of the finest bins for zero."""
    return np.where(size > 0.0, np.frexp(size)[1], FINEST).astype(np.int64)
