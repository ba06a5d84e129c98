"""Random numbers of a member: streams by name, and draws from the priors.

A random number is found by the seed, the name of its component, its place in the sequence (a year, for
variability) and the number of the member, and by nothing else. A member is the same alone and among a
million, and adding a component or a member changes no other. Scenarios and programmes share the draws (common
random numbers), so that differences between them are paired.

Numbers that a member draws once, its parameters and the volumes of measures, may come from a scrambled Sobol
sequence instead: member *i* is its *i*-th point, and the place of a number among the inputs its dimension.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from caspian_sim.data import Parameter

Array = NDArray[np.float64]

# low and high of a normal or lognormal prior are its 5 and 95 % points.
SCORE_95 = float(ndtri(0.95))
# A step of Philox's counter yields this many numbers.
PER_COUNT = 4
# 52 random bits and half a step more make a number that is never rounded to 0 or 1.
DROPPED_BITS = 12
RESOLUTION = 2.0**-52
# The scrambling of a Sobol sequence depends on the number of its dimensions, which therefore stays the same
# until this many inputs are exceeded.
DIMENSIONS = 64
# 2^30 points; half a step keeps a coordinate off zero.
SOBOL_BITS = 30


def _seeds(seed: int, component: str, place: int) -> np.random.SeedSequence:
    name = np.frombuffer(hashlib.sha256(component.encode()).digest()[:16], dtype="<u4")
    return np.random.SeedSequence(seed, spawn_key=(*(int(word) for word in name), place))


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
    generator = np.random.Philox(_seeds(seed, component, place))
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


def sobol_points(seed: int, dimensions: int, first: int, count: int) -> Array:
    """Consecutive points of a scrambled Sobol sequence.

    Parameters
    ----------
    seed : int
        Keys the scrambling.
    dimensions : int
    first, count : int
        Number of the first point, from 0, and how many are wanted.

    Returns
    -------
    ndarray, shape (count, dimensions)
        In (0, 1). A coordinate of a point depends on the seed, the number of the point and the dimension
        alone, as long as there are no more than 64 dimensions (128, 192, ...).

    Notes
    -----
    Linear matrix scrambling with a digital shift, as :class:`scipy.stats.qmc.Sobol` does it.
    """
    room = DIMENSIONS * -(-dimensions // DIMENSIONS)
    engine = qmc.Sobol(
        room, scramble=True, bits=SOBOL_BITS, rng=np.random.default_rng(_seeds(seed, "sobol", 0))
    )
    if first:
        points = engine.fast_forward(first).random(count)
    else:
        # From the start scipy wants a power of two.
        points = engine.random_base2((count - 1).bit_length())[:count]
    return np.asarray(points[:, :dimensions] + 0.5**SOBOL_BITS / 2)


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


def log_density(prior: Parameter, values: Array) -> Array:
    """Logarithm of the density of a prior, without its constant factor.

    Parameters
    ----------
    prior : Parameter
        Of any distribution but ``fixed``.
    values : ndarray
        In the unit of the parameter.

    Returns
    -------
    ndarray
        −inf outside the prior.
    """
    best, low, high = prior.best, prior.low, prior.high
    with np.errstate(divide="ignore", invalid="ignore"):
        if prior.distribution == "uniform":
            density = np.zeros_like(values)
        elif prior.distribution == "triangular":
            rising = np.log((values - low) / (best - low)) if best > low else np.zeros_like(values)
            falling = np.log((high - values) / (high - best)) if high > best else np.zeros_like(values)
            density = np.where(values < best, rising, falling)
        elif prior.distribution == "lognormal":
            score = np.log(values / best) * 2.0 * SCORE_95 / np.log(high / low)
            density = -0.5 * score**2 - np.log(values)
        else:
            density = -0.5 * ((values - best) * 2.0 * SCORE_95 / (high - low)) ** 2
    if prior.distribution in ("uniform", "triangular"):
        outside = (values < low) | (values > high)
    else:
        outside = (values <= prior.least) | (values > prior.most)
        if prior.distribution == "lognormal":
            outside |= values <= 0.0
    return np.asarray(np.where(outside | np.isnan(density), -np.inf, density))


def draw_inputs(
    priors: Mapping[str, Parameter],
    members: NDArray[np.int64],
    seed: int,
    sampling: str = "random",
    *,
    central: bool = False,
) -> dict[str, Array]:
    """Draw every number that a member draws once.

    Parameters
    ----------
    priors : mapping of name to Parameter
        All inputs that there could be. A Sobol sequence takes their order for its dimensions, so that fixing
        one of them, or leaving it unused, changes no other.
    members : ndarray of int, shape (member,)
    seed : int
    sampling : {"random", "sobol"}
        Independent draws, or points of a scrambled Sobol sequence.
    central : bool
        Give every member the best value instead of a draw.

    Returns
    -------
    dict of name to ndarray, shape (member,)
    """
    if central:
        return {name: np.full(len(members), prior.best) for name, prior in priors.items()}
    if sampling == "sobol":
        first = int(members.min())
        points = sobol_points(seed, len(priors), first, int(members.max()) - first + 1)[members - first]
        drawn = zip(priors.items(), points.T, strict=True)
        return {name: sample(prior, point) for (name, prior), point in drawn}
    return {name: sample(prior, quantiles(seed, name, members)) for name, prior in priors.items()}
