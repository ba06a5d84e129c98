"""Years that a programme gains before a level is passed, against the programme "none" in the same member."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fall_times(first_event: Array, starts_below: NDArray[np.bool_], start: float) -> Array:
    """Time from which a member stands, or has stood, below a level.

    Parameters
    ----------
    first_event : ndarray
        Time of the first fall through the level, decimal years; NaN for never.
    starts_below : ndarray of bool
        Whether the annual mean of the first year lies below the level: a member that starts below it has no
        fall through it, or only after it has risen above it.
    start : float
        Start of the run, decimal years.

    Returns
    -------
    ndarray
        Decimal years; infinite for never.
    """
    times = np.where(np.isnan(first_event), np.inf, first_event)
    return np.where(starts_below & (times >= start + 1.0), start, times)


def years_gained(times: Array, baseline: Array, end: float) -> Array:
    """Years that a member stands above a level longer than in the programme "none".

    Parameters
    ----------
    times, baseline : ndarray
        Results of :func:`fall_times` with the programme and with "none".
    end : float
        End of the year up to which they are counted, decimal years.

    Returns
    -------
    ndarray
        A member that never falls counts as falling at the end: the gain is a lower bound, and nothing is
        gained where neither falls.
    """
    return np.minimum(times, end) - np.minimum(baseline, end)
