"""Measures that a programme carries out, and when: who takes part, who leaves, who begins late."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config.measure import Measure
from caspian_sim.config.programme import Programme

Array = NDArray[np.float64]

MONTHS_OF_YEAR = 12


def measures_of(programme: Programme, available: Mapping[str, Measure]) -> list[Measure]:
    """Measures that a programme carries out.

    Parameters
    ----------
    programme : Programme
    available : mapping of id to Measure

    Returns
    -------
    list of Measure
        Those that the programme chooses (:meth:`caspian_sim.config.programme.Programme.chosen`), with the
        start, the end and the compliance that it gives them. Growth of use belongs to every programme.
    """
    chosen = programme.chosen(available)
    if programme.start is not None and chosen:
        later = _number(programme.start) - min(_number(measure.start) for measure in chosen)
        chosen = [_shifted(measure, later) for measure in chosen]
    chosen = [_complied_with(measure, programme) for measure in chosen]
    kept = [_until_its_state_leaves(measure, programme) for measure in chosen]
    return [measure for measure in kept if measure is not None] + growth_of(available)


def growth_of(available: Mapping[str, Measure]) -> list[Measure]:
    """Growth of use, which acts in every programme, and alone in one without measures."""
    return [entry for entry in available.values() if entry.role == "growth"]


def _number(month: str) -> int:
    year, number = (int(part) for part in month.split("-"))
    return year * MONTHS_OF_YEAR + number - 1


def _month(number: int) -> str:
    return f"{number // MONTHS_OF_YEAR}-{number % MONTHS_OF_YEAR + 1:02d}"


def _shifted(measure: Measure, months: int) -> Measure:
    """Return a measure that starts, and ends where it does, some months later."""
    end = None if measure.end is None else _month(_number(measure.end) + months)
    return measure.model_copy(update={"start": _month(_number(measure.start) + months), "end": end})


def _complied_with(measure: Measure, programme: Programme) -> Measure:
    share = programme.compliance.get(measure.state)
    return measure if share is None else measure.model_copy(update={"compliance": share})


def _until_its_state_leaves(measure: Measure, programme: Programme) -> Measure | None:
    year = programme.leaves.get(measure.state)
    if year is None:
        return measure
    last = f"{year - 1}-12"
    if measure.start > last:
        return None
    end = last if measure.end is None else min(measure.end, last)
    return measure.model_copy(update={"end": end})


def size(
    measure: Measure, years: NDArray[np.int64], months: NDArray[np.int64], delay: Array | None = None
) -> Array:
    """Size of a measure in given months, as a share of its full size.

    Parameters
    ----------
    measure : Measure
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12).
    delay : ndarray, shape (member,), optional
        How much later than planned it starts, years.

    Returns
    -------
    ndarray, shape (month,), or (month, member) with `delay`
        0 before the start and after the end or the lifetime, growing evenly during the ramp, 1 in between;
        the value of the middle of the month.
    """
    middle = years + (months - 0.5) / MONTHS_OF_YEAR
    since = middle - _number(measure.start) / MONTHS_OF_YEAR
    if delay is not None:
        since, middle = since[:, None] - delay, middle[:, None]
    ramp = measure.ramp_years
    grown: Array = np.clip(since / ramp, 0.0, 1.0) if ramp > 0 else np.where(since > 0, 1.0, 0.0)
    if measure.lifetime_years is not None:
        grown = np.where(since < measure.lifetime_years, grown, 0.0)
    if measure.end is None:
        return grown
    return np.where(middle < (_number(measure.end) + 1) / MONTHS_OF_YEAR, grown, 0.0)
