r"""Analysis of variance of a crossed design, of which the split of the projected spread is made.

Some factors have a few levels, all of which are in the design and count alike: scenarios, structures. Two are
random draws, of the parameters (*p*) and of the internal variability (*v*), crossed with all the rest. The
model output is the sum of a mean, of what each factor does alone, of what each pair does beyond that, and so
on:

.. math:: h = \mu + \sum_i f_i + \sum_{i<j} f_{ij} + \cdots, \qquad
    \operatorname{Var} h = \sum_u \operatorname{Var} f_u

The variances of all terms, the components, add up to that of the output. Orthonormal contrasts of the fixed
factors leave a table of *p* by *v* for each contrast, whose two-way analysis gives unbiased estimates: what
the few draws add to the means of the other terms is taken off again. An estimate of a component that is zero
may therefore come out slightly below it.

References
----------
Cornfield, J. and Tukey, J. W. (1956), Average values of mean squares in factorials, Annals of Mathematical
Statistics 27, 907-949. Owen, A. B. (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1, 386-411,
doi:10.1214/07-AOAS122: both sides of the table are resampled on their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Components = dict[tuple[str, ...], Array]

PARAMETERS, VARIABILITY = "parameters", "internal_variability"


def components(values: Array, factors: Sequence[str]) -> Components:
    """Estimate the variance of every term of a crossed design.

    Parameters
    ----------
    values : ndarray, shape (level of each factor, ..., parameter draw, variability draw, output)
        Model outputs. A side with one level or draw has no part in the variance.
    factors : sequence of str
        Names of the fixed factors, in the order of the axes.

    Returns
    -------
    dict of tuple of str to ndarray, shape (output,)
        Components by the factors that make the term, in their order, with :data:`PARAMETERS` and
        :data:`VARIABILITY` last. Their sum is the estimate of the variance.
    """
    rows, columns = values.shape[-3:-1]
    one = np.ones((1, rows)), np.ones((1, columns))
    return {term: found[0] for term, found in _weighted(values, factors, *one).items()}


def resampled(
    values: Array, factors: Sequence[str], resamples: int, generator: np.random.Generator
) -> Components:
    """Estimate the components from resampled draws of parameters and of variability.

    Parameters
    ----------
    values, factors
        As for :func:`components`.
    resamples : int
    generator : numpy.random.Generator

    Returns
    -------
    dict of tuple of str to ndarray, shape (resample, output)
        Moved so that their mean over the resamples is the estimate itself: draws that come twice make the
        variance of a resample too small.
    """
    rows, columns = values.shape[-3:-1]
    counts = [
        generator.multinomial(n, np.full(n, 1.0 / n), size=resamples).astype(float) for n in (rows, columns)
    ]
    estimate = components(values, factors)
    return {
        term: found - found.mean(axis=0) + estimate[term]
        for term, found in _weighted(values, factors, *counts).items()
    }


def _weighted(values: Array, factors: Sequence[str], rows: Array, columns: Array) -> Components:
    """Components when each draw counts as often as (resample, draw) says."""
    levels = values.shape[: len(factors)]
    # Rounding is that of the departures, not of a mean which is large beside them.
    values = values - values.mean(axis=tuple(range(values.ndim - 1)))
    for axis, count in enumerate(levels):
        values = np.moveaxis(np.tensordot(_contrasts(count), values, (1, axis)), 0, axis)
    found: Components = {}
    for place in np.ndindex(*levels):
        fixed = tuple(name for name, contrast in zip(factors, place, strict=True) if contrast > 0)
        for draws, part in _two_way(values[place], rows, columns).items():
            term = (*fixed, *draws)
            # The square of the mean over everything is no variance.
            if term:
                found[term] = found.get(term, 0.0) + part / np.prod(levels)
    return found


def _contrasts(levels: int) -> Array:
    """Orthonormal rows, the first of which is even (Helmert)."""
    rows = np.tril(np.ones((levels, levels)), -1) - np.diag(np.arange(levels))
    rows[0] = 1.0
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _two_way(table: Array, rows: Array, columns: Array) -> Components:
    """Square of the mean and components of one table (row, column, output), unbiased, by resample."""
    p, v = table.shape[:2]
    by_row = np.einsum("bv,pvt->bpt", columns, table, optimize=True) / v
    by_column = np.einsum("bp,pvt->bvt", rows, table, optimize=True) / p
    mean = np.einsum("bp,bpt->bt", rows, by_row) / p
    squares = np.einsum("bp,pvt->bvt", rows, table**2, optimize=True)
    total = np.einsum("bv,bvt->bt", columns, squares) - p * v * mean**2
    row_sum = v * (np.einsum("bp,bpt->bt", rows, by_row**2) - p * mean**2)
    column_sum = p * (np.einsum("bv,bvt->bt", columns, by_column**2) - v * mean**2)
    both = (total - row_sum - column_sum) / max((p - 1) * (v - 1), 1)
    row, column = row_sum / max(p - 1, 1), column_sum / max(v - 1, 1)
    if p == 1 or v == 1:
        both = np.zeros_like(both)
    return {
        (): mean**2 - (row + column - both) / (p * v),
        (PARAMETERS,): (row - both) / v if p > 1 else np.zeros_like(mean),
        (VARIABILITY,): (column - both) / p if v > 1 else np.zeros_like(mean),
        (PARAMETERS, VARIABILITY): both,
    }
