r"""Natural variability of inflow and net evaporation from year to year and over decades.

Inflow departs from its expected value by the sum of two first-order autoregressive processes, one with the
memory of a year or two and one with that of decades; net evaporation by a slow one, which carries decades
like the wet 1980s, and by white noise that goes with the news in the inflow. Standard deviations and
memories are parameters of the member, calibrated on the record; the processes start from what the record
says of today (:mod:`caspian_sim.record.start`). The equations stand in :mod:`caspian_sim.record.annual`,
which fits the same processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.climate.draws import normals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StartState:
    """Where the sea and its departures stand at the end of the year before a projection starts.

    Attributes
    ----------
    volume : ndarray, shape (member,)
        Sea volume anomaly against −28 m BHS, freed of the season of New Year, km³.
    slow : ndarray, shape (member,)
        Slow departure of net evaporation, mm/yr.
    inflow, inflow_slow : ndarray, shape (member,)
        Departures of inflow with short and with long memory, km³/yr.
    """

    volume: Array
    slow: Array
    inflow: Array
    inflow_slow: Array


def autoregressive(first: Array, lag1: Array, sd: Array, innovations: Array) -> Array:
    """First-order autoregressive process.

    Parameters
    ----------
    first : ndarray, shape (member,)
        Value in the year before the first.
    lag1, sd : ndarray, shape (member,)
        Lag-1 autocorrelation and standard deviation of the process.
    innovations : ndarray, shape (year, member)
        Independent standard normal numbers; zeros give the expected path, which fades from `first`.

    Returns
    -------
    ndarray, shape (year, member)
    """
    path = np.empty(np.broadcast_shapes(innovations.shape, (1, len(first))))
    now, news = first, sd * np.sqrt(1.0 - lag1**2)
    for year, innovation in enumerate(innovations):
        now = lag1 * now + news * innovation
        path[year] = now
    return path


@dataclass(frozen=True)
class Departures:
    """Annual departures from the expected fluxes.

    Attributes
    ----------
    inflow : ndarray, shape (year, member)
        Of all rivers together, km³/yr.
    net_evaporation : ndarray, shape (year, member)
        mm/yr.
    """

    inflow: Array
    net_evaporation: Array


def departures(
    seed: int,
    members: NDArray[np.int64],
    years: int,
    parameters: Mapping[str, Array],
    start: StartState,
    variability: bool = True,
) -> Departures:
    """Draw the departures of inflow and net evaporation.

    Parameters
    ----------
    seed : int
    members : ndarray of int, shape (member,)
        Numbers of the members, which find their random streams.
    years : int
    parameters : mapping of name to ndarray, shape (member,)
    start : StartState
    variability : bool
        Without it the members follow their expected paths, which fade from the start.

    Returns
    -------
    Departures
    """

    def numbers(name: str) -> Array:
        if not variability:
            return np.zeros((years, len(members)))
        return normals(seed, f"variability:{name}", members, years)

    def process(first: Array, name: str, innovations: Array) -> Array:
        return autoregressive(first, parameters[f"{name}_lag1"], parameters[f"{name}_sd"], innovations)

    news = numbers("inflow")
    inflow = process(start.inflow, "inflow", news)
    inflow = inflow + process(start.inflow_slow, "inflow_slow", numbers("inflow_slow"))
    slow = process(start.slow, "net_evaporation_slow", numbers("slow"))
    together = parameters["weather_correlation"]
    weather = together * news + np.sqrt(1.0 - together**2) * numbers("net_evaporation")
    return Departures(inflow, slow + parameters["net_evaporation_sd"] * weather)
