"""Numbers that say what they are of: as text for people, as attributes of an HTML element for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from caspian_sim.figures.text import number

PERCENT = 100.0


@dataclass(frozen=True)
class Number:
    """A number of the brief.

    Attributes
    ----------
    value : float
    quantity : str
        What it is, such as ``sea_level``.
    statistic : str
        Such as ``p50``, ``share`` or ``observed``.
    unit : str
        Unit of the value, as attribute: ``m BHS``, ``km2``, ``1``.
    write : callable
        Writes the value for a reader, without its unit.
    of : dict
        What it belongs to: scenario, programme, year, state, threshold and so on.
    """

    value: float
    quantity: str
    statistic: str
    unit: str
    write: Callable[[float], str]
    of: dict[str, Any] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the HTML element, with the value itself to nine digits."""
        names = {"quantity": self.quantity, "statistic": self.statistic, "unit": self.unit, **self.of}
        return {
            "value": f"{self.value:.9g}",
            **{f"data-{name}": str(what) for name, what in names.items() if what is not None},
        }

    def __str__(self) -> str:
        return self.write(self.value)

    def __html__(self) -> Markup:
        pairs = Markup("").join(
            Markup(' {}="{}"').format(name, what) for name, what in self.attributes.items()
        )
        return Markup("<data{}>{}</data>").format(pairs, escape(str(self)))


def plain(digits: int, sign: bool = False) -> Callable[[float], str]:
    """Write with some decimals; `sign` puts a plus before positive numbers."""
    return lambda value: number(value, digits, sign)


def year(value: float) -> str:
    """Write a calendar year."""
    return f"{value:.0f}"


def percent(share: float) -> str:
    """Write a share in whole percent; what is not quite nothing or all is never written as 0 or 100."""
    whole = round(PERCENT * share)
    if whole == 0 and share > 0.0:
        return "<1"
    if whole == PERCENT and share < 1.0:
        return ">99"
    return number(whole)


def thousands(value: float) -> str:
    """Write an area to the hundred km²."""
    return number(round(value, -2))
