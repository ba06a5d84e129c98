"""Series of a user's own as they stand in a file: one trace for each scenario, member and river."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from caspian_sim.climate.warming import SCENARIOS
from caspian_sim.config.problems import did_you_mean
from caspian_sim.errors import DataError

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

SCENARIO_NAMES = ("scenario", "experiment", "experiment_id")
MEMBER_NAMES = ("member", "realization", "variant_label")
RIVER, TOTAL = "river", "total"
HISTORICAL = "historical"
"""Experiment whose years come before those of every scenario."""
# As the CF conventions call them, and which of them are the same.
CALENDARS = {
    "standard": "standard",
    "gregorian": "standard",
    "proleptic_gregorian": "standard",
    "noleap": "noleap",
    "365_day": "noleap",
    "all_leap": "all_leap",
    "366_day": "all_leap",
    "360_day": "360_day",
}


@dataclass(frozen=True)
class Trace:
    """One series of a file.

    Attributes
    ----------
    scenario, member, river : str or None
        Names in the file, where it has them; any column of a CSV file may be one of a river.
    column : str
        Column or variable that it stands in.
    unit : str or None
        Unit that the file states.
    years, months : ndarray of int, shape (time,)
        Calendar; the month is 0 in an annual file.
    values : ndarray, shape (time,)
        NaN where the file has none.
    lines : ndarray of int, shape (time,), or None
        Lines of a CSV file.
    """

    scenario: str | None
    member: str | None
    river: str | None
    column: str
    unit: str | None
    years: Whole
    months: Whole
    values: Array
    lines: Whole | None = None


@dataclass(frozen=True)
class OwnFile:
    """Content of a file.

    Attributes
    ----------
    path : str
    calendar : str
        ``standard``, ``noleap``, ``all_leap`` or ``360_day``.
    monthly : bool
        Whether values are for months, not for years.
    traces : list of Trace
    """

    path: str
    calendar: str
    monthly: bool
    traces: list[Trace]


def plain_scenario(name: str) -> str:
    """Name of a scenario as the package writes it: SSP2-4.5 is ssp245."""
    return re.sub("[^a-z0-9]", "", name.casefold())


def is_pathway(name: str) -> bool:
    """Whether a name is that of a pathway, or of the past before it."""
    return plain_scenario(name) == HISTORICAL or plain_scenario(name) in SCENARIOS


def refuse(
    where: str, what: str, *, found: str | None = None, allowed: str | None = None, hint: str | None = None
) -> NoReturn:
    """Raise the error for a file that cannot be used."""
    lines = [f"{where}{' ' if where.endswith(':') else '  '}{what}"]
    lines += [
        f"    {label:<8} {text}"
        for label, text in (("found", found), ("allowed", allowed), ("hint", hint))
        if text
    ]
    raise DataError("\n".join(lines))


def choose(where: str, variable: str | None, there: Sequence[str], kind: str) -> list[str]:
    """Column or variable that is asked for, or all of them."""
    if not there:
        refuse(where, f"there is no {kind} of values")
    if variable is None:
        return list(there)
    if variable not in there:
        refuse(
            where,
            f"there is no {kind} {variable}",
            found=", ".join(there),
            hint=did_you_mean(variable, there),
        )
    return [variable]
