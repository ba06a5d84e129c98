"""Effect of a programme: which measures are carried out, how large they are, and what they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config.measure import Measure
from caspian_sim.config.schema import Programme
from caspian_sim.data import Parameter

Array = NDArray[np.float64]


def measures_of(programme: Programme, available: Mapping[str, Measure]) -> list[Measure]:
    """Measures that a programme carries out.

    Parameters
    ----------
    programme : Programme
    available : mapping of id to Measure

    Returns
    -------
    list of Measure
        Those of the participating states, cut down to the ones that the programme names, in catalogue order.
    """
    return [
        measure
        for name, measure in available.items()
        if measure.state in programme.participants
        and (programme.measures is None or name in programme.measures)
    ]


def _decimal_year(month: str) -> float:
    year, number = (int(part) for part in month.split("-"))
    return year + (number - 1) / 12


def size(measure: Measure, years: NDArray[np.int64], months: NDArray[np.int64]) -> Array:
    """Size of a measure in given months, as a share of its full size.

    Parameters
    ----------
    measure : Measure
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12).

    Returns
    -------
    ndarray, shape (month,)
        0 before the start and after the end, growing evenly during the ramp, 1 in between; the value of the
        middle of the month.
    """
    middle = years + (months - 0.5) / 12
    since = middle - _decimal_year(measure.start)
    ramp = measure.ramp_years
    grown: Array = np.clip(since / ramp, 0.0, 1.0) if ramp > 0 else np.where(since > 0, 1.0, 0.0)
    if measure.end is None:
        return grown
    return np.where(middle < _decimal_year(measure.end) + 1 / 12, grown, 0.0)


def volume_prior(measure: Measure) -> Parameter:
    """Prior of the annual volume of a measure at full size.

    Parameters
    ----------
    measure : Measure

    Returns
    -------
    Parameter
        Effect on the inflow to the sea in km³/yr, positive raises the level: triangular over the range of the
        measure. Zero for a regulation of the strait, which acts on the outflow instead, and for release
        timing, which moves water within the year.
    """
    volume = measure.volume_km3_per_yr
    low, best, high = (0.0, 0.0, 0.0) if volume is None else (volume.low, volume.best, volume.high)
    return Parameter(
        name=measure.id,
        distribution="fixed" if low == high else "triangular",
        best=best,
        low=low,
        high=high,
        unit="km3/yr",
        grade=measure.grade,
        source=measure.source,
        description=measure.title,
    )


@dataclass(frozen=True)
class ProgrammeEffect:
    """What a programme does to the balance.

    Attributes
    ----------
    measures : tuple of Measure
    size : ndarray, shape (measure, month)
        Share of the full size in each month.
    volume : ndarray, shape (measure, member)
        Volume at full size, km³/yr.
    opening : ndarray, shape (month,)
        Factor on the open share of the strait.
    """

    measures: tuple[Measure, ...]
    size: Array
    volume: Array
    opening: Array

    @property
    def inflow(self) -> Array:
        """Effect of all measures together on the inflow to the sea, km³/yr, shape (month, member)."""
        # Summed measure by measure: the last bit of a matrix product depends on how many members it has.
        total = np.zeros((self.size.shape[1], self.volume.shape[1]))
        for share, volume in zip(self.size, self.volume, strict=True):
            total += share[:, None] * volume
        return total


def programme_effect(
    measures: Sequence[Measure],
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    members: int,
    inputs: Mapping[str, Array],
) -> ProgrammeEffect:
    """Work out what a list of measures does in every month and member.

    Parameters
    ----------
    measures : sequence of Measure
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12).
    members : int
        Number of members.
    inputs : mapping of name to ndarray, shape (member,)
        Volume of each measure at full size as ``measure:<id>``, km³/yr; the same in every programme.

    Returns
    -------
    ProgrammeEffect
    """
    sizes = np.array([size(measure, years, months) for measure in measures]).reshape(-1, len(years))
    volume = np.array([inputs[f"measure:{measure.id}"] for measure in measures]).reshape(-1, members)
    opening = np.ones(len(years))
    for measure, share in zip(measures, sizes, strict=True):
        if measure.mechanism == "strait_regulation":
            opening = opening * (1.0 - share * (1.0 - float(measure.opening or 0.0)))
    return ProgrammeEffect(tuple(measures), sizes, volume, opening)
