r"""Shapley values: what each player of a game adds, on average over all orders in which they could join.

A game gives every coalition of players a value. Coalitions are numbered by their members: player *i* is in
coalition *c* when bit *i* of *c* is set, so that the first is empty and the last holds everybody. With *n*
players and the value :math:`v`,

.. math::

    \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n - |S| - 1)!}{n!}\,[v(S \cup i) - v(S)]

which is a product of a matrix of weights with the values. It is the only division that gives away all that
the players reach together, treats like players alike, gives nothing to one who adds nothing, and adds up
over games.

References
----------
Shapley, L. S. (1953), A value for n-person games, Annals of Mathematics Studies 28, 307-317.
Grabisch, M. and Roubens, M. (1999), An axiomatic approach to the concept of interaction among players in
cooperative games, International Journal of Game Theory 28, 547-565, doi:10.1007/s001820050125.
"""

from __future__ import annotations

from functools import cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def membership(players: int) -> NDArray[np.bool_]:
    """Who is in each of the 2ⁿ coalitions, shape (coalition, player)."""
    return np.asarray((np.arange(2**players)[:, None] >> np.arange(players)) & 1 == 1)


@cache
def shapley_weights(players: int) -> Array:
    """Weights of the values of the coalitions in the Shapley values, shape (player, coalition)."""
    inside = membership(players)
    # Orders in which the others of the coalition come before the player, and the rest after.
    others = inside.sum(axis=1)[:, None] - inside
    orders = np.array([factorial(k) * factorial(players - 1 - k) for k in range(players)])
    return np.asarray(np.where(inside, 1.0, -1.0) * orders[others] / factorial(players)).T


def shapley_values(value: Array) -> Array:
    """Shapley value of every player.

    Parameters
    ----------
    value : ndarray, shape (2ⁿ, ...)
        Value of each coalition, in the order of :func:`membership`.

    Returns
    -------
    ndarray, shape (n, ...)
        They add up to the value of all less that of none.
    """
    players = len(value).bit_length() - 1
    # Gains over nobody: what all coalitions have in common would only bring its rounding errors.
    return np.tensordot(shapley_weights(players), value - value[0], axes=1)


def pair_interactions(value: Array) -> Array:
    """Shapley interaction index of every pair: what two players add together beyond what each adds alone.

    Parameters
    ----------
    value : ndarray, shape (2ⁿ, ...)
        As for :func:`shapley_values`.

    Returns
    -------
    ndarray, shape (n, n, ...)
        Symmetric, zero on the diagonal; negative where one does part of what the other would.
    """
    players = len(value).bit_length() - 1
    inside = membership(players)
    gain = value - value[0]
    result = np.zeros((players, players, *value.shape[1:]))
    for i in range(players):
        for j in range(i):
            both = inside[:, [i, j]]
            others = inside.sum(axis=1) - both.sum(axis=1)
            orders = np.array([factorial(k) * factorial(players - 2 - k) for k in range(players - 1)])
            sign = np.where(both[:, 0] == both[:, 1], 1.0, -1.0)
            weight = sign * orders[others] / factorial(players - 1)
            result[i, j] = result[j, i] = np.tensordot(weight, gain, axes=1)
    return result
