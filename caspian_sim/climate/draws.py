"""Random numbers of a member: streams by name, and draws from the priors.

Every member has a stream of its own for every component, found by name and number alone. Adding a component
or a member changes no other; scenarios and programmes share the draws (common random numbers), so that
differences between them are paired.
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


def stream(seed: int, component: str, member: int) -> np.random.Generator:
    """Random generator of one component of one member.

    Parameters
    ----------
    seed : int
        Seed of the run.
    component : str
        Name of the component, for example ``parameter:groundwater``.
    member : int
        Number of the member, from 0.

    Returns
    -------
    numpy.random.Generator
        The same for the same three arguments, and independent of all others.
    """
    name = np.frombuffer(hashlib.sha256(component.encode()).digest()[:16], dtype="<u4")
    key = (*(int(word) for word in name), member)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def quantiles(seed: int, component: str, members: NDArray[np.int64]) -> Array:
    """Uniform numbers in (0, 1), one for each member.

    Parameters
    ----------
    seed, component
        As in :func:`stream`.
    members : ndarray of int, shape (member,)

    Returns
    -------
    ndarray, shape (member,)
    """
    return np.array([1.0 - stream(seed, component, int(member)).random() for member in members])


def normals(seed: int, component: str, members: NDArray[np.int64], length: int) -> Array:
    """Sequences of independent standard normal numbers.

    Parameters
    ----------
    seed, component
        As in :func:`stream`.
    members : ndarray of int, shape (member,)
    length : int
        Length of each sequence; a longer one begins with the shorter one.

    Returns
    -------
    ndarray, shape (length, member)
    """
    return np.stack(
        [stream(seed, component, int(member)).standard_normal(length) for member in members], axis=1
    )


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
