r"""How well programmes do whatever the emissions are: satisficing share and regret over the scenarios.

No probability is given to a scenario. The *satisficing share* is the share of the members in which a
programme does what is asked, here keeps the sea above a level until a year; what counts is the scenario in
which that share is least (the domain criterion of Starr 1962, as in Herman et al. 2015). The *regret* of a
programme in a scenario is what the best programme avoids there more than it does (Savage 1951; deviation from
the best, as in Lempert and Collins 2007):

.. math:: r_{p,s} = \max_q a_{q,s} - a_{p,s}, \qquad R_p = \max_s r_{p,s}

More water always lifts the sea: the best programme is the one with most effort, and that regret says no more
than how much is left undone. *Regret at its effort* compares with programmes of no more effort alone:

.. math:: r^*_{p,s} = \max_{q:\,e_q \le e_p} a_{q,s} - a_{p,s}

It is near zero where the choice of measures does not depend on which scenario comes.

References
----------
Herman, J. D. et al. (2015), Journal of Water Resources Planning and Management 141(10), 04015012,
doi:10.1061/(ASCE)WR.1943-5452.0000509. Lempert, R. J. and Collins, M. T. (2007), Risk Analysis 27,
1009-1026, doi:10.1111/j.1539-6924.2007.00940.x. Savage, L. J. (1951), Journal of the American Statistical
Association 46, 55-67, doi:10.1080/01621459.1951.10500768.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def satisficing(lowest: Array, level: float) -> Array:
    """Share of the members that never fall below a level.

    Parameters
    ----------
    lowest : ndarray, shape (..., member)
        Lowest annual mean level of each member, m BHS.
    level : float
        m BHS.

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray((lowest >= level).mean(axis=-1))


def regret(performance: Array) -> Array:
    """Say how much better the best programme of each scenario does.

    Parameters
    ----------
    performance : ndarray, shape (programme, scenario)
        More is better.

    Returns
    -------
    ndarray, shape (programme, scenario)
        Not negative; the maximum over the scenarios is the regret of the programme.
    """
    return np.asarray(performance.max(axis=0) - performance)


def regret_at_effort(performance: Array, effort: Array) -> Array:
    """Say how much better the best programme of no more effort does in each scenario.

    Parameters
    ----------
    performance : ndarray, shape (programme, scenario)
        More is better.
    effort : ndarray, shape (programme,)

    Returns
    -------
    ndarray, shape (programme, scenario)
        Not negative, and not above :func:`regret`.
    """
    order = np.argsort(effort, kind="stable")
    best = np.maximum.accumulate(performance[order], axis=0)
    # Programmes of the same effort compete with each other wherever they stand.
    last = np.searchsorted(effort[order], effort, side="right") - 1
    return np.asarray(best[last] - performance)
