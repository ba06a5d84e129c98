"""Change of irretrievable consumption against today, by party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARTIES = ("AZ", "IR", "KZ", "RU", "TM", "upstream")


def consumption_change(
    change: Mapping[Any, Mapping[int, float]], years: NDArray[np.int64], months: NDArray[np.int64]
) -> Array:
    """Change of consumption by party and month.

    Parameters
    ----------
    change : mapping of party to mapping of year to km³/yr
        Growth is positive. Each number holds at the start of its year; linear between the years, constant
        after the last, zero before the first.
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12).

    Returns
    -------
    ndarray, shape (party, month)
        km³/yr, in the order of :data:`PARTIES`.
    """
    middle = years + (months - 0.5) / 12
    result = np.zeros((len(PARTIES), len(years)))
    for row, party in enumerate(PARTIES):
        if table := change.get(party):
            listed = sorted(table)
            result[row] = np.interp(middle, listed, [table[year] for year in listed], left=0.0)
    return result
