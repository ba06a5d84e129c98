"""Units of series of a user's own: how they are written, and what they amount to.

A flux over the sea is brought to mm of water, a flux of a river to km³, in each month or year. What a second
or a day brings counts with the days of the file's own calendar, so that the total of a year is the one that
the file has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SECONDS_PER_DAY: Final = 86400.0
# Fresh water has 1000 kg/m³, as climate models count it: 1 kg m-2 is 1 mm.
DEPTHS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "kg m-2": 1.0}
"""mm in a unit."""
VOLUMES: Final = {"km3": 1.0, "m3": 1e-9, "kg": 1e-12}
"""km³ in a unit."""
_AMOUNTS: Final = {"depth": DEPTHS, "volume": VOLUMES}
EXAMPLES: Final = {
    "depth": ("mm/yr", "mm/month", "mm/day", "m/s", "kg m-2 s-1"),
    "volume": ("km3/yr", "km3/month", "m3/s", "kg/s"),
}
"""Units to name in messages, by kind."""
_TIMES: Final = {
    "s": ("s", "sec", "second", "seconds"),
    "day": ("d", "day", "days"),
    "month": ("mon", "month", "months"),
    "yr": ("yr", "y", "a", "year", "years", "annum"),
}
_TIME_OF: Final = {word: time for time, words in _TIMES.items() for word in words}
# Mean number of them in a year, for guesses at a unit.
_PER_YEAR: Final = {"s": 365.2425 * SECONDS_PER_DAY, "day": 365.2425, "month": 12.0, "yr": 1.0}
_SAME: Final = str.maketrans({"³": "3", "²": "2", "⁻": "-", "¹": "1", "−": "-", "·": " ", "*": " ", ".": " "})
_TOKEN: Final = re.compile(r"([a-z]+)([+-]?\d+)?")


@dataclass(frozen=True)
class Unit:
    """Unit of a flux.

    Attributes
    ----------
    amount : str
        What flows, a key of :data:`DEPTHS` or :data:`VOLUMES`.
    time : {"s", "day", "month", "yr"}
        In which time.
    kind : {"depth", "volume"}
    """

    amount: str
    time: str
    kind: str

    @property
    def factor(self) -> float:
        """Amount in mm or km³."""
        return _AMOUNTS[self.kind][self.amount]

    def __str__(self) -> str:
        """Text in the short form."""
        return f"{self.amount} {self.time}-1" if " " in self.amount else f"{self.amount}/{self.time}"

    def amounts(self, values: Array, days: Array, days_of_year: Array) -> Array:
        """Water that comes in intervals.

        Parameters
        ----------
        values : ndarray
            Means over the intervals, in this unit; sums, where the unit is one of a month.
        days, days_of_year : ndarray, broadcastable to the values
            Length of the intervals and of the years they lie in, in the calendar of the file.

        Returns
        -------
        ndarray
            mm or km³ in each interval.
        """
        times: dict[str, Array | float] = {
            "s": days * SECONDS_PER_DAY,
            "day": days,
            "month": 1.0,
            "yr": days / days_of_year,
        }
        return np.asarray(values * self.factor * np.asarray(times[self.time]))


def parse_unit(text: str) -> Unit | None:
    """Read a unit as climate models and hydrologists write it; None when it is not one of a flux.

    Parameters
    ----------
    text : str
        For example ``kg m-2 s-1``, ``mm/day``, ``m³/s``, ``km3 yr-1``, ``mm per month``.
    """
    plain = text.casefold().replace("**", "").replace("^", "").translate(_SAME)
    exponents: dict[str, int] = {}
    for place, part in enumerate(re.split(r"/|\bper\b", plain)):
        sign = -1 if place else 1
        for token in re.sub(r"[()]", " ", part).split():
            match = _TOKEN.fullmatch(token)
            if match is None:
                return None
            name = _TIME_OF.get(match[1], match[1])
            exponents[name] = exponents.get(name, 0) + sign * int(match[2] or 1)
    times = [name for name in exponents if name in _TIMES]
    if len(times) != 1 or exponents.pop(times[0]) != -1:
        return None
    parts = [name if power == 1 else f"{name}{power}" for name, power in exponents.items() if power]
    # Whatever grows stands first: kg m-2, not m-2 kg.
    amount = " ".join(sorted(parts, key=lambda part: "-" in part))
    for kind, known in _AMOUNTS.items():
        if amount in known:
            return Unit(amount, times[0], kind)
    return None


def units_under_which(mean: float, unit: Unit, low: float, high: float) -> Iterator[str]:
    """Units in which a mean, taken for one in `unit` (mm/yr or km³/yr), would lie between two limits."""
    for text in EXAMPLES[unit.kind]:
        other = parse_unit(text)
        if other is not None and other != unit:
            scale = other.factor * _PER_YEAR[other.time] / (unit.factor * _PER_YEAR[unit.time])
            if low <= mean * scale <= high:
                yield text
