r"""The strait between the Caspian Sea and Kara-Bogaz-Gol.

A free weir while the bay is low, throttled as the bay rises to the sea (Villemonte 1947), and dammed or piped
at times: the history of the strait is data (``strait_history``), and so are the sill and the weir
coefficients (``strait_sill``, ``strait_coefficient_*`` in ``parameters``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data

Array = NDArray[np.float64]

# Villemonte's exponent for a submerged weir whose free flow goes with head^1.5.
SUBMERGENCE_EXPONENT = 0.385
# Head that stands for none where a ratio of heads divides by it, m.
SMALLEST_HEAD = 1e-300
# Below this free fraction, 1 − r^1.5, the throttle goes to zero in a straight line instead of with an
# infinite slope. It sets in when the bay stands within about 7 cm of the sea, where friction over the 11 km
# strait, not the weir, decides; without it a closed-up bay is stiff at a time step of a month.
LINEAR_BELOW = 0.02

# A name of its own, for which machine code puts in a power that it can work out for several members at once.
power = np.power


def throttle(submergence: Array) -> Array:
    r"""Share of the free weir flow that passes at a given submergence.

    Parameters
    ----------
    submergence : ndarray
        Ratio r of the heads over the sill downstream and upstream, 0 (free) to 1 (level).

    Returns
    -------
    ndarray
        :math:`\phi = (1 - r^{3/2})^{0.385}`, 1 for a free weir and 0 when the bay stands as high as the sea.
    """
    level = np.minimum(submergence, 1.0)
    free = 1.0 - level * np.sqrt(level)
    slope = LINEAR_BELOW ** (SUBMERGENCE_EXPONENT - 1.0)
    # The power is concave: its chord from zero lies below it up to LINEAR_BELOW, and above it from there on.
    share: Array = np.minimum(power(free, SUBMERGENCE_EXPONENT), slope * free)
    return share


def strait_outflow(sea_level: Array, bay_level: Array, coefficient: Array, sill: Array) -> Array:
    r"""Flow from the Caspian Sea into Kara-Bogaz-Gol through the open strait.

    Parameters
    ----------
    sea_level, bay_level : ndarray, shape (member,)
        Level in m BHS.
    coefficient : ndarray, broadcastable to (member,)
        Weir coefficient times the open share of the strait, km³ yr⁻¹ m⁻¹·⁵.
    sill : ndarray, broadcastable to (member,)
        Level of the sill, m BHS.

    Returns
    -------
    ndarray, shape (member,)
        Outflow in km³/yr, never negative: a bay that stands higher than the sea does not flow back.

    Notes
    -----
    .. math:: F = c\, (h - s)_+^{3/2}\, \phi(r), \qquad r = (h_b - s)_+ / (h - s)

    with the throttle :math:`\phi` of :func:`throttle`. Villemonte, J. R. (1947), Submerged-weir discharge
    studies, Engineering News-Record 139, 866-869.
    """
    head = np.maximum(sea_level - sill, 0.0)
    backwater = np.maximum(bay_level - sill, 0.0)
    return coefficient * head * np.sqrt(head) * throttle(backwater / np.maximum(head, SMALLEST_HEAD))


@cache
def _history() -> tuple[tuple[int, int, float, str, float], ...]:
    table = data.load("strait_history")
    rows = []
    for start, opening, regime, pipes in zip(
        table["start"].values,
        table["opening"].values,
        table["regime"].values,
        table["pipe_outflow"].values,
        strict=True,
    ):
        year, month = (int(part) for part in str(start).split("-")[:2])
        rows.append((year, month, float(opening), str(regime), float(pipes)))
    return tuple(rows)


# Open share, and whether the strait is the one that was cut anew, for each state of it that may be assumed.
REGIMES = {"recut": (1.0, True), "natural": (1.0, False), "dammed": (0.0, False)}


def strait_regime(name: str, months: int) -> tuple[Array, NDArray[np.bool_], Array]:
    """State of a strait that stays the same, as :func:`strait_state` gives it.

    Parameters
    ----------
    name : {"recut", "natural", "dammed"}
        Open as since 1992, open as before 1980, or closed and without pipes.
    months : int

    Returns
    -------
    opening, recut, pipe_outflow : ndarray, shape (month,)
    """
    opening, recut = REGIMES[name]
    return np.full(months, opening), np.full(months, recut), np.zeros(months)


def strait_state(
    years: NDArray[np.int64], months: NDArray[np.int64]
) -> tuple[Array, NDArray[np.bool_], Array]:
    """State of the strait in given months, from its history.

    Parameters
    ----------
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12).

    Returns
    -------
    opening : ndarray, shape (month,)
        Share of the strait that is open: 1, or 0 while it was dammed (March 1980 to June 1992).
    recut : ndarray of bool, shape (month,)
        True when the strait of after 1992, which was cut anew, is in force.
    pipe_outflow : ndarray, shape (month,)
        Flow through the pipes in the dam, km³/yr.
    """
    opening, recut, pipes = np.ones(len(years)), np.zeros(len(years), dtype=bool), np.zeros(len(years))
    for year, month, share, regime, pipe in _history():
        from_then_on = (years > year) | ((years == year) & (months >= month))
        opening[from_then_on], pipes[from_then_on] = share, pipe
        recut[from_then_on] = regime == "after_1992"
    return opening, recut, pipes
