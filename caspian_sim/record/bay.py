"""Kara-Bogaz-Gol over the record: the bay and the strait's outflow under a given course of the sea level."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import BayHistory, follow_sea_level, observed_level_at
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.basin.strait import strait_state
from caspian_sim.climate.seasons import level_departure_at_month_edges, net_evaporation_departure
from caspian_sim.collect import Calendar

Array = NDArray[np.float64]

# The full bay forgets its start with a time of one to four years, the longer the narrower the strait. Begun
# at the level of the sea, it is after ten years within 2 mm of the bay with a long history in nine rows of
# the posterior in ten, and within 20 mm or 0.1 km³/yr of outflow in all of 200.
YEARS_TO_FORGET = 10


def strait_coefficient(recut: NDArray[np.bool_], parameters: Mapping[str, Array]) -> Array:
    """Weir coefficient by month and member, from which of the two straits is in force (month,)."""
    return np.where(
        recut[:, None],
        parameters["strait_coefficient_after_1992"],
        parameters["strait_coefficient_before_1980"],
    )


def bay_record(
    calendar: Calendar, parameters: Mapping[str, Array], start: Array, known_until: int | None = None
) -> BayHistory:
    """Kara-Bogaz-Gol under the observed level of the sea and the history of the strait.

    Parameters
    ----------
    calendar : Calendar
        Months within the record of the level.
    parameters : mapping of name to ndarray, shape (member,)
    start : ndarray, shape (member,)
        Water in the bay at the start, km³.
    known_until : int, optional
        Last annual mean of the level that may be used; the last of the record when not given.

    Returns
    -------
    BayHistory
    """
    seasons = np.resize(level_departure_at_month_edges()[:-1], len(calendar.edges))
    return follow_level(
        calendar, observed_level_at(calendar.edges, last_year=known_until) + seasons, parameters, start
    )


def bay_under_annual_levels(
    first_year: int, level: Array, parameters: Mapping[str, Array], start: Array, seasons: bool = True
) -> tuple[Array, Array]:
    """Kara-Bogaz-Gol while the sea stands at its annual mean, with its seasons, in every year.

    Nothing in a year depends on the level of a later one, which a forecast must not know.

    Parameters
    ----------
    first_year : int
    level : ndarray, shape (year,)
        Annual mean levels, m BHS, without gaps.
    parameters : mapping of name to ndarray, shape (member,)
    start : ndarray, shape (member,)
        Water in the bay at the start, km³.
    seasons : bool
        Let level and net evaporation go through the mean year, which is that of 1993-2022.

    Returns
    -------
    outflow : ndarray, shape (year, member)
        Mean outflow of each year, km³/yr.
    volume : ndarray, shape (year, member)
        Water in the bay at the end of each year, km³.
    """
    season = level_departure_at_month_edges() if seasons else np.zeros(MONTHS + 1)
    outflow = np.empty((len(level), len(start)))
    volume = np.empty_like(outflow)
    now = start
    for place, stand in enumerate(level):
        calendar = Calendar(first_year + place, first_year + place)
        history = follow_level(calendar, stand + season, parameters, now, seasons)
        outflow[place] = (history.outflow * calendar.length[:, None]).sum(axis=0)
        volume[place] = now = history.volume[-1]
    return outflow, volume


def early_bay(members: int) -> Array:
    """Water in the bay (km³) as about 1972 (fact ``kbg_max_depth_1972``), to start a long history from."""
    bay = kara_bogaz_gol()
    return np.resize(bay.volume(bay.floor + data.fact("kbg_max_depth_1972").value), members)


def follow_level(
    calendar: Calendar, level: Array, parameters: Mapping[str, Array], start: Array, seasons: bool = True
) -> BayHistory:
    """Kara-Bogaz-Gol under a given level of the sea and the history of the strait.

    Parameters
    ----------
    calendar : Calendar
    level : ndarray, shape (month + 1,)
        Level of the sea at the edges of the months, m BHS.
    parameters : mapping of name to ndarray, shape (member,)
    start : ndarray, shape (member,)
        Water in the bay at the start, km³.
    seasons : bool
        Let net evaporation from the bay go through the mean year.

    Returns
    -------
    BayHistory
    """
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    season = net_evaporation_departure(calendar.fractions).ravel()[:, None] * seasons
    return follow_sea_level(
        level,
        calendar.length,
        kara_bogaz_gol(),
        start,
        opening[:, None] * strait_coefficient(recut, parameters),
        parameters["strait_sill"],
        pipes,
        season + parameters["bay_net_evaporation"],
    )
