r"""Shares of several changes in what they do together, averaged over all orders of making them.

With :math:`v(S)` what comes out when the changes in *S* are made and the others are not, the share of change
*i* among *n* is

.. math:: \phi_i = \frac{1}{n!} \sum_{\pi} \left[v(S_i^\pi \cup \{i\}) - v(S_i^\pi)\right]

over all orders :math:`\pi`, with :math:`S_i^\pi` the changes that come before *i*. The shares add up to what
all changes do together, :math:`v(\{1..n\}) - v(\{\})`, and the share of a change that adds the same whatever
else is made is just that.

References
----------
Shapley, L. S. (1953), A value for n-person games, Contributions to the Theory of Games II, 307-317.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def shares_over_orders(outcome: Array, changes: int) -> Array:
    """Share of every change in the outcome of all, averaged over the orders in which they can be made.

    Parameters
    ----------
    outcome : ndarray, shape ``(2, ..., 2, *rest)``
        Outcome by whether each of the changes is made, one dimension of length 2 for each change in front.
    changes : int
        Number of changes.

    Returns
    -------
    ndarray, shape ``(change, *rest)``
        In the unit of the outcome.
    """
    share = np.zeros((changes, *outcome.shape[changes:]))
    for order in permutations(range(changes)):
        made = [0] * changes
        before = outcome[tuple(made)]
        for change in order:
            made[change] = 1
            after = outcome[tuple(made)]
            share[change] += after - before
            before = after
    return share / factorial(changes)


def alone(outcome: Array, changes: int) -> Array:
    """Effect of every change when it is the only one, shape ``(change, *rest)``.

    Parameters
    ----------
    outcome, changes
        As for :func:`shares_over_orders`.
    """
    none = outcome[(0,) * changes]
    return np.stack([outcome[tuple(int(i == c) for i in range(changes))] - none for c in range(changes)])
