"""Figures with their evidence: facts that constants refer to, and priors of the uncertain parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from caspian_sim.data.reader import load
from caspian_sim.data.registry import lookup
from caspian_sim.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

Distribution = Literal["normal", "uniform", "triangular", "lognormal", "fixed"]


@dataclass(frozen=True)
class Fact:
    """A published figure.

    Attributes
    ----------
    value : float
        In `unit`; NaN where the source gives a range alone.
    low, high : float or None
        Range as published, None where the source gives none.
    grade : str
        A paper or agency text; B agency figure at second hand; C press or textbook; D assumption.
    """

    quantity: str
    value: float
    low: float | None
    high: float | None
    unit: str
    period: str
    source: str
    grade: str


@dataclass(frozen=True)
class Parameter:
    """An uncertain parameter of the model and its prior.

    What `best`, `low` and `high` mean depends on `distribution`:

    ==========  =====================  ===========================
    normal      mean                   5 and 95 % points
    lognormal   median                 5 and 95 % points
    triangular  mode                   ends
    uniform     deterministic value    ends
    fixed       the value              the value, both
    ==========  =====================  ===========================

    No value may lie outside `least` and `most`.
    """

    name: str
    distribution: Distribution
    best: float
    low: float
    high: float
    unit: str
    grade: str
    source: str
    description: str
    least: float = -math.inf
    most: float = math.inf

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise DataError(
                f"parameter {self.name!r}: {wrong}\n"
                f"    found    {self.distribution}, low {self.low:g}, best {self.best:g}, high {self.high:g}"
            )

    def _wrong(self) -> str | None:
        if self.distribution not in get_args(Distribution):
            return f"the distribution is none of {', '.join(get_args(Distribution))}"
        if not (self.least <= self.low and self.high <= self.most and self.least <= self.best <= self.most):
            unit = "" if self.unit == "1" else f" {self.unit}"
            return f"values must lie between {self.least:g} and {self.most:g}{unit}"
        if self.distribution == "fixed":
            return (
                None
                if self.low == self.best == self.high
                else "low and high of a fixed value must equal best"
            )
        if not (self.low < self.high and self.low <= self.best <= self.high):
            return "low must lie below high, and best between them"
        if self.distribution == "normal" and not math.isclose(
            self.high - self.best, self.best - self.low, rel_tol=1e-6
        ):
            return "low and high of a normal distribution must lie equally far from best"
        if self.distribution == "lognormal":
            if self.low <= 0.0:
                return "a lognormal distribution must be positive"
            if not math.isclose(self.low * self.high, self.best**2, rel_tol=1e-6):
                return "best of a lognormal distribution must be the geometric mean of low and high"
        return None


def fact(quantity: str) -> Fact:
    """Look up a published figure of the water balance.

    Parameters
    ----------
    quantity : str
        A name from the dataset ``water_balance_facts``.

    Raises
    ------
    DataError
        No fact has that name.
    """
    return lookup(_facts("water_balance_facts"), quantity, "fact")


def impact_fact(quantity: str) -> Fact:
    """Look up a figure that impacts are reckoned with.

    Parameters
    ----------
    quantity : str
        A name from the dataset ``impact_facts``.

    Raises
    ------
    DataError
        No fact has that name.
    """
    return lookup(_facts("impact_facts"), quantity, "fact")


def parameters() -> Mapping[str, Parameter]:
    """Give the uncertain parameters by name, in the order of the dataset ``parameters`` (read-only).

    Raises
    ------
    DataError
        A prior contradicts itself, such as a low end above the high end.
    """
    return _parameters()


@cache
def _facts(table: str) -> Mapping[str, Fact]:
    rows = (Fact(**{**row, "low": _known(row["low"]), "high": _known(row["high"])}) for row in _rows(table))
    return MappingProxyType({row.quantity: row for row in rows})


@cache
def _parameters() -> Mapping[str, Parameter]:
    return MappingProxyType({row["name"]: Parameter(**row) for row in _rows("parameters")})


def _rows(name: str) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries, in the order of its file."""
    frame = load(name).to_dataframe().reset_index()
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
