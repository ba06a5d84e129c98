"""Observations of a user's own: new years, late values and corrections, from a CSV file.

The file has a column ``year`` and any of ``month``, ``level_m``, ``total_rivers_km3``, ``volga_km3``,
``replaces`` and ``source``. A row without a month holds the annual mean level and the annual inflow, a row
with one the mean level of that month. A value that contradicts the shipped record is refused unless the row
says ``yes`` under ``replaces``: a correction is a decision, and two numbers for one year are never
averaged.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import MONTHS
from caspian_sim.data.rows import Row, read_rows
from caspian_sim.errors import DataError
from caspian_sim.record.observations import (
    ANNUAL,
    GAUGES_AGAINST_MONTHS,
    Observations,
    late_level,
    mean_of_months,
    shipped_observations,
)
from caspian_sim.record.posterior import FITTED_UNTIL

Array = NDArray[np.float64]

WHAT = "table of observations"
COLUMNS = ("year", "month", "level_m", "total_rivers_km3", "volga_km3", "replaces", "source")
# What a column holds: the series, its unit, and the range outside which a value is a slip (the record holds
# -29.2 to -25.9 m, 200 to 460 and 160 to 390 km³/yr).
VALUES = {
    "level_m": ("level", "m BHS", -40.0, -20.0),
    "total_rivers_km3": ("inflow", "km³/yr", 50.0, 800.0),
    "volga_km3": ("volga", "km³/yr", 30.0, 600.0),
}
# Two values for the same year are the same when they differ by no more than the last digit of the record.
SAME = {"level_m": 0.0051, "total_rivers_km3": 0.051, "volga_km3": 0.051}
LATEST_YEAR = 2200
# An annual mean and the mean of its months may differ by twice what gauges and altimetry do.
MEANS_DIFFER_M = 2.0 * GAUGES_AGAINST_MONTHS


@dataclass(frozen=True)
class Additions:
    """Observations with a user's own, and what is to be known of them.

    Attributes
    ----------
    observations : Observations
    added : tuple of str
        What is new or replaced, one line each.
    notes : tuple of str
        What is missing, late or at odds.
    level_years, inflow_years : tuple of int
        Years whose annual level or total inflow is new or replaced.
    """

    observations: Observations
    added: tuple[str, ...]
    notes: tuple[str, ...]
    level_years: tuple[int, ...] = ()
    inflow_years: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Value:
    line: int
    year: int
    month: int | None
    column: str
    value: float
    replaces: bool

    @property
    def when(self) -> str:
        return str(self.year) if self.month is None else f"{self.year}-{self.month:02d}"


def read_additions(path: Path, base: Observations | None = None) -> Additions:
    """Read a table of observations and put it together with the shipped ones.

    Parameters
    ----------
    path : Path
    base : Observations, optional
        Those of the package when not given.

    Returns
    -------
    Additions

    Raises
    ------
    DataError
        When the file cannot be read, a cell is wrong, a value stands twice, or one contradicts the record
        without saying that it replaces it.
    """
    rows = read_rows(path, WHAT, COLUMNS)
    values = list(_values(path, rows))
    if not values:
        raise DataError(
            f"{path}: {WHAT} holds no value\n    allowed  {', '.join(VALUES)} in at least one row"
        )
    _each_once(path, values)
    base = base or shipped_observations()
    record = _room_for(base, max(value.year for value in values))
    added = []
    for value in values:
        record, text = _put(path, record, value)
        if text is not None:
            added.append(text)
    record, completed = _means_of_months(record, values)
    return Additions(
        record,
        tuple(added + completed),
        (*_missing(record), *_unused(record), *_fitted(base, record), *_at_odds(record, values)),
        _changed(base, record, "level"),
        _changed(base, record, "inflow"),
    )


def without_additions(record: Observations) -> Additions:
    """Give a record as it stands, with what is missing or late in it.

    Parameters
    ----------
    record : Observations

    Returns
    -------
    Additions
    """
    return Additions(record, (), (*_missing(record), *_unused(record)))


def _changed(base: Observations, record: Observations, series: str) -> tuple[int, ...]:
    """Years in which an annual series has a value that it did not have before."""
    now = getattr(record, series)
    before = np.append(getattr(base, series), np.full(len(record.year) - len(base.year), np.nan))
    return tuple(record.year[~np.isnan(now) & (now != before)].tolist())


def _values(path: Path, rows: list[Row]) -> Iterator[_Value]:
    (line, header), body = rows[0], rows[1:]
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.4)
            hint = f"\n    hint     did you mean {near[0]}?" if near else ""
            raise DataError(
                f"{path}:{line}  column {name!r} is unknown\n    found    {', '.join(header)}\n"
                f"    allowed  {', '.join(COLUMNS)}{hint}"
            )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "year" not in header or not set(header) & set(VALUES):
        wrong = (
            f"column {twice[0]!r} stands twice"
            if twice
            else "column 'year' is missing"
            if "year" not in header
            else "there is no column with values"
        )
        raise DataError(
            f"{path}:{line}  {wrong}\n    found    {', '.join(header)}\n"
            f"    allowed  year and at least one of {', '.join(VALUES)}"
        )
    for line, cells in body:
        if len(cells) != len(header):
            raise DataError(
                f"{path}:{line}  the row has {len(cells)} cells\n    allowed  {len(header)}, one a column"
            )
        cell = dict(zip(header, cells, strict=True))
        year = _whole(path, line, "year", cell["year"], 1921, LATEST_YEAR)
        month = None
        if cell.get("month"):
            month = _whole(path, line, "month", cell["month"], 1, MONTHS)
        answer = cell.get("replaces", "").lower()
        if answer not in ("", "no", "yes"):
            raise DataError(
                f"{path}:{line}  replaces: {cell['replaces']!r} is no answer\n    allowed  yes, no or nothing"
            )
        for column in VALUES:
            text = cell.get(column, "")
            if not text:
                continue
            if month is not None and column != "level_m":
                raise DataError(
                    f"{path}:{line}  {column}: a month has no inflow here\n"
                    f"    found    {text} in {year}-{month:02d}\n"
                    "    allowed  inflow of whole years, in rows without a month"
                )
            yield _Value(line, year, month, column, _number(path, line, column, text), answer == "yes")


def _whole(path: Path, line: int, column: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise DataError(
            f"{path}:{line}  {column}: {text!r} is no {column}\n"
            f"    allowed  whole numbers from {low} to {high}"
        )
    return int(text)


def _number(path: Path, line: int, column: str, text: str) -> float:
    _, unit, low, high = VALUES[column]
    try:
        value = float(text)
    except ValueError:
        value = np.nan
        hint = "\n    hint     write decimals with a point" if "," in text else ""
        raise DataError(
            f"{path}:{line}  {column}: {text!r} is no number\n"
            f"    allowed  numbers in {unit}, or nothing{hint}"
        ) from None
    if not low <= value <= high:
        hint = ""
        if column == "level_m" and low <= -value <= high:
            hint = "\n    hint     the level is negative in the Baltic Height System"
        elif column == "level_m" and low <= value - 28.0 <= high:
            hint = "\n    hint     charts and gauges count from −28.0 m BHS; subtract 28"
        raise DataError(
            f"{path}:{line}  {column}: {text} is out of range\n    found    {text}\n"
            f"    allowed  {low:g} to {high:g} {unit}{hint}"
        )
    return value


def _each_once(path: Path, values: list[_Value]) -> None:
    seen: dict[tuple[int, int | None, str], int] = {}
    for value in values:
        key = (value.year, value.month, value.column)
        if key in seen:
            raise DataError(
                f"{path}:{value.line}  {value.column} of {value.when} stands twice\n"
                f"    found    lines {seen[key]} and {value.line}\n    allowed  one value"
            )
        seen[key] = value.line


def _room_for(base: Observations, last: int) -> Observations:
    more = max(0, last - int(base.year[-1]))
    grown = {name: np.append(getattr(base, name), np.full(more, np.nan)) for name in ANNUAL if name != "year"}
    return replace(base, year=np.arange(base.year[0], base.year[-1] + more + 1), **grown)


def _put(path: Path, record: Observations, value: _Value) -> tuple[Observations, str | None]:
    """Put one value in its place; the text says what it changed."""
    series, unit, _, _ = VALUES[value.column]
    if value.month is None:
        place = value.year - int(record.year[0])
        changed = getattr(record, series).copy()
        before, changed[place] = float(changed[place]), value.value
        grown = {series: changed}
    else:
        index = MONTHS * value.year + value.month - 1
        found = record.month == index
        before = float(record.monthly_level[found][0]) if found.any() else np.nan
        order = np.append(record.month[~found], index)
        levels = np.append(record.monthly_level[~found], value.value)
        by_time = np.argsort(order, kind="stable")
        grown = {"month": order[by_time], "monthly_level": levels[by_time]}
    name = {"level": "level", "inflow": "inflow", "volga": "Volga"}[series]
    if np.isnan(before):
        return replace(record, **grown), f"{name} of {value.when}: {value.value:g} {unit}"
    if abs(value.value - before) <= SAME[value.column]:
        return record, None
    if not value.replaces:
        raise DataError(
            f"{path}:{value.line}  {value.column} of {value.when} contradicts the record\n"
            f"    found    {value.value:g} {unit}\n"
            f"    record   {before:g} {unit}\n"
            "    hint     yes under replaces corrects the record; national series differ by up to 0.3 m"
        )
    return replace(record, **grown), f"{name} of {value.when}: {value.value:g} {unit} replaces {before:g}"


def _means_of_months(record: Observations, values: list[_Value]) -> tuple[Observations, list[str]]:
    """Give years of which all months are new, but no annual mean, the mean of their months."""
    level, texts = record.level.copy(), []
    for year in sorted({value.year for value in values if value.month is not None}):
        place = year - int(record.year[0])
        mean = mean_of_months(record, year)
        if mean is not None and np.isnan(level[place]):
            level[place] = mean
            texts.append(f"level of {year}: {mean:.3f} m BHS, the mean of its months")
    return replace(record, level=level), texts


def _missing(record: Observations) -> Iterator[str]:
    last = record.last_level_year
    for first, end in _spans(record.year[np.isnan(record.level) & (record.year < last)]):
        yield f"no level of {_span(first, end)}: the balance goes on without it"
    since = int(record.year[~np.isnan(record.inflow)][0])
    late = np.isnan(record.inflow) & (record.year > since) & (record.year <= last)
    spans = [
        _span(first, end) + (" (Volga alone)" if volga else "")
        for volga in (True, False)
        for first, end in _spans(record.year[late & (~np.isnan(record.volga) == volga)])
    ]
    if spans:
        yield f"no total inflow of {', '.join(sorted(spans))}: it is estimated with its uncertainty"
    if np.isnan(late_level(record)[record.year == last][0]):
        yield f"months of the level of {last} are missing: its end follows from the annual mean"


def _unused(record: Observations) -> Iterator[str]:
    """Inflow after the last level: the state of the sea is known to the end of the last level year alone."""
    after = (record.year > record.last_level_year) & ~(np.isnan(record.inflow) & np.isnan(record.volga))
    for first, end in _spans(record.year[after]):
        yield (
            f"no level of {_span(first, end)} beside its inflow: the reconstruction takes the inflow in, "
            "start and outlook wait for the level"
        )


def _fitted(base: Observations, record: Observations) -> Iterator[str]:
    """Corrections of years that the parameters were fitted to."""
    old = base.year <= FITTED_UNTIL
    changed = np.zeros(old.sum(), dtype=bool)
    for name in ("level", "inflow", "volga"):
        before, now = getattr(base, name)[old], getattr(record, name)[: old.sum()]
        changed |= (before != now) & ~np.isnan(now)
    if changed.any():
        years = ", ".join(_span(*ends) for ends in _spans(base.year[old][changed]))
        yield f"{years} changed: the parameters stay as fitted to the shipped record to {FITTED_UNTIL}"


def _spans(years: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last years of unbroken spans."""
    if not years.size:
        return []
    parts = np.split(years, np.flatnonzero(np.diff(years) > 1) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}, {last}" if last == first + 1 else f"{first} to {last}"


def _at_odds(record: Observations, values: list[_Value]) -> Iterator[str]:
    for year in sorted({value.year for value in values if value.column == "level_m"}):
        mean = mean_of_months(record, year)
        annual = float(record.level[year - int(record.year[0])])
        if mean is not None and abs(mean - annual) > MEANS_DIFFER_M:
            yield (
                f"level of {year}: the annual mean {annual:.2f} and the mean of its months {mean:.2f} m BHS "
                f"differ by {abs(mean - annual):.2f} m; the annual mean counts"
            )
    for year in sorted({value.year for value in values if value.column != "level_m"}):
        place = year - int(record.year[0])
        if record.volga[place] > record.inflow[place]:
            yield (
                f"inflow of {year}: the Volga, {record.volga[place]:g} km³/yr, is more than all rivers, "
                f"{record.inflow[place]:g} km³/yr; the total counts"
            )
