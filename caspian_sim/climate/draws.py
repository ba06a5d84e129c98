"""Random numbers of a member: streams by name, and draws from the priors.

A random number is found by the seed, the name of its component, its place in the sequence (a year, for
variability) and the number of the member, and by nothing else. A member is the same alone and among a
million, and adding a component or a member changes no other. Scenarios and programmes share the draws (common
random numbers), so that differences between them are paired.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from caspian_sim.data import Parameter

Array = NDArray[np.float64]

# low and high of a normal or lognormal prior are its 5 and 95 % points.
SCORE_95 = float(ndtri(0.95))
# A step of Philox's counter yields this many numbers.
PER_COUNT = 4
# 52 random bits and half a step more make a number that is never rounded to 0 or 1.
DROPPED_BITS = 12
RESOLUTION = 2.0**-52


def uniforms(seed: int, component: str, place: int, members: NDArray[np.int64]) -> Array:
    """Uniform numbers in (0, 1) at one place of a component's sequence, one for each member.

    Parameters
    ----------
    seed : int
        Seed of the run.
    component : str
        Name of the component, for example ``parameter:groundwater``.
    place : int
        Place in the sequence of every member, from 0.
    members : ndarray of int, shape (member,)
        Numbers of the members, from 0, in any order.

    Returns
    -------
    ndarray, shape (member,)

    Notes
    -----
    The counter-based generator Philox, keyed by a :class:`numpy.random.SeedSequence` spawned by
    name and place, runs over the members: the number of a member is at a known count, whichever other members
    are drawn.
    """
    name = np.frombuffer(hashlib.sha256(component.encode()).digest()[:16], dtype="<u4")
    key = (*(int(word) for word in name), place)
    generator = np.random.Philox(np.random.SeedSequence(seed, spawn_key=key))
    first = int(members.min()) // PER_COUNT
    generator.advance(first)
    bits = generator.random_raw(int(members.max()) - first * PER_COUNT + 1)
    picked = bits[members - first * PER_COUNT] >> DROPPED_BITS
    return np.asarray((picked + 0.5) * RESOLUTION, dtype=np.float64)


def quantiles(seed: int, component: str, members: NDArray[np.int64]) -> Array:
    """Uniform numbers in (0, 1) of a component that has a single one for each member.

    Parameters
    ----------
    seed, component, members
        As in :func:`uniforms`.

    Returns
    -------
    ndarray, shape (member,)
    """
    return uniforms(seed, component, 0, members)


def normals(seed: int, component: str, members: NDArray[np.int64], length: int) -> Array:
    """Sequences of independent standard normal numbers.

    Parameters
    ----------
    seed, component, members
        As in :func:`uniforms`.
    length : int
        Length of each sequence; a longer one begins with the shorter one.

    Returns
    -------
    ndarray, shape (length, member)
    """
    return np.asarray(ndtri(np.stack([uniforms(seed, component, place, members) for place in range(length)])))


def sample(prior: Parameter, quantile: Array) -> Array:
    """Values of a parameter at quantiles of its prior.

    Parameters
    ----------
    prior : Parameter
        ``normal`` and ``lognormal`` (best is the median, low and high the 5 and 95 % points), ``triangular``,
        ``uniform`` or ``fixed``.
    quantile : ndarray
        Quantiles in (0, 1).

    Returns
    -------
    ndarray
        Values in the unit of the parameter.
    """
    best, low, high = prior.best, prior.low, prior.high
    if prior.distribution == "fixed" or low == high:
        return np.full_like(quantile, best)
    if prior.distribution == "uniform":
        return low + quantile * (high - low)
    if prior.distribution == "triangular":
        rising = (best - low) / (high - low)
        left = low + np.sqrt(quantile * (high - low) * (best - low))
        right = high - np.sqrt((1.0 - quantile) * (high - low) * (high - best))
        return np.asarray(np.where(quantile < rising, left, right))
    if prior.distribution == "lognormal":
        return np.asarray(best * np.exp(ndtri(quantile) * np.log(high / low) / (2.0 * SCORE_95)))
    return np.asarray(best + ndtri(quantile) * (high - low) / (2.0 * SCORE_95))


def draw_parameters(
    priors: Mapping[str, Parameter], members: NDArray[np.int64], seed: int, central: bool
) -> dict[str, Array]:
    """Draw every uncertain parameter for every member.

    Parameters
    ----------
    priors : mapping of name to Parameter
    members : ndarray of int, shape (member,)
    seed : int
    central : bool
        Give every member the best value instead of a draw.

    Returns
    -------
    dict of name to ndarray, shape (member,)
    """
    if central:
        return {name: np.full(len(members), prior.best) for name, prior in priors.items()}
    return {
        name: sample(prior, quantiles(seed, f"parameter:{name}", members)) for name, prior in priors.items()
    }
