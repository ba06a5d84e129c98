"""Checks of series of a user's own: unit, order and gaps in time, sign and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from caspian_sim.basin.rivers import MONTHS, RIVERS, month_days
from caspian_sim.climate.own.traces import (
    TOTAL,
    Array,
    OwnFile,
    Trace,
    Whole,
    refuse,
)
from caspian_sim.climate.own.units import EXAMPLES, Unit, parse_unit, units_under_which
from caspian_sim.config import OwnSeries

# Means over the sea in mm/yr beyond which a series has another unit than it says; estimates lie between 150
# and 300 (precipitation) and near 1000 (evaporation), models of the climate may be off by a factor of three.
POSSIBLE = {"precipitation": (30.0, 1500.0), "evaporation": (150.0, 4000.0)}
# The same for inflow, as a share of the present one.
POSSIBLE_INFLOW = (0.1, 10.0)
# How far a single year may lie beyond these limits.
YEAR_BEYOND = 3.0


def unit_of(term: str, file: OwnFile, settings: OwnSeries) -> Unit:
    """Find the one unit of a file."""
    kind = "volume" if term == "river_inflow" else "depth"
    what, allowed = "a river" if kind == "volume" else "a flux over the sea", ", ".join(EXAMPLES[kind])
    key = f"forcing.{term}.units"
    found: dict[Unit, str] = {}
    for column, stated in dict.fromkeys((trace.column, trace.unit) for trace in file.traces):
        if stated is None and settings.units is None:
            refuse(
                f"{file.path}:",
                f"{column} has no unit",
                allowed=allowed,
                hint="state it in the file (attribute units; # units: mm/day; column pr_mm_per_day) "
                f"or by the key {key}",
            )
        text = stated if stated is not None else str(settings.units)
        unit = parse_unit(text)
        if unit is None or unit.kind != kind:
            refuse(
                f"{file.path}:",
                f"{column} has a unit that is not one of {what}",
                found=repr(text),
                allowed=allowed,
            )
        if stated is not None and settings.units is not None and parse_unit(settings.units) != unit:
            refuse(
                f"{file.path}:",
                f"{column} and the key {key} state different units",
                found=f"{stated} in the file, {settings.units} in the configuration",
                hint="leave the key out, or correct the file",
            )
        found.setdefault(unit, f"{text} ({column})")
    if len(found) > 1:
        refuse(
            f"{file.path}:",
            "columns have different units",
            found=", ".join(found.values()),
            allowed="one unit",
        )
    (unit,) = found
    if unit.time == "month" and not file.monthly:
        refuse(
            f"{file.path}:",
            "a unit of months in a file of years",
            found=found[unit],
            allowed=", ".join(text for text in EXAMPLES[kind] if "month" not in text),
        )
    return unit


# ---- time ----------------------------------------------------------------------------------------------


def amounts(file: OwnFile, term: str, parts: Sequence[Trace], unit: Unit, span: tuple[int, int]) -> Array:
    """Check a series, and bring it to water.

    Parameters
    ----------
    file : OwnFile
    term : str
    parts : sequence of Trace
        Traces that follow each other in time.
    unit : Unit
    span : (int, int)
        First and last year that are needed.

    Returns
    -------
    ndarray, shape (year, 12) or (year,)
        mm or km³ in each month or year of the span.

    Raises
    ------
    DataError
        At the first month or year that is missing, there twice, out of order or without a possible value.
    """
    pieces = [piece for piece in map(_trimmed, parts) if len(piece.values)]
    if not pieces:
        refuse(_place(file, parts[0], None), "there are no values")
    values = np.concatenate([piece.values for piece in pieces])
    clock = np.concatenate([_clock(piece, file.monthly) for piece in pieces])

    def where(row: int) -> str:
        for piece in pieces:
            if row < len(piece.values):
                return _place(file, piece, row)
            row -= len(piece.values)
        raise IndexError(row)

    step = np.diff(clock)
    if (step != 1).any():
        row = int(np.argmax(step != 1)) + 1
        pair = f"{_label(clock[row], file.monthly)} after {_label(clock[row - 1], file.monthly)}"
        one = "month" if file.monthly else "year"
        if step[row - 1] == 0:
            refuse(where(row), f"the {one} stands twice", found=pair, allowed=f"every {one} once")
        if step[row - 1] < 0:
            refuse(where(row), "time does not ascend", found=pair, allowed=f"every {one} once, in order")
        refuse(
            where(row),
            f"{one}s are missing",
            found=pair,
            allowed=f"every {one}; nothing is interpolated",
        )
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        gap = bool(np.isnan(values[row]))
        refuse(
            where(row),
            "a value is missing" if gap else "a value is not finite",
            found=f"{'nothing' if gap else values[row]} in {_label(clock[row], file.monthly)}",
            allowed="a number from the first to the last; nothing is interpolated",
        )
    per_year = MONTHS if file.monthly else 1
    first, last = -(-int(clock[0]) // per_year), (int(clock[-1]) + 1) // per_year - 1
    if first > span[0] or last < span[1]:
        refuse(
            _place(file, parts[-1], None),
            "the series does not cover the years that are needed",
            found=f"{_label(clock[0], file.monthly)} to {_label(clock[-1], file.monthly)}",
            allowed=f"{span[0]} to {span[1]} in whole years",
            hint="use: change needs the baseline too; its years may stand under scenario historical"
            if first > span[0]
            else None,
        )
    if term != "evaporation" and (values < 0.0).any():
        row = int(np.argmax(values < 0.0))
        refuse(
            where(row), f"{term.replace('_', ' ')} is negative", found=f"{values[row]:g}", allowed="0 or more"
        )
    begin = (span[0] * per_year) - int(clock[0])
    years = np.arange(span[0], span[1] + 1)
    chosen = values[begin : begin + per_year * len(years)].reshape(len(years), per_year)
    days = month_days(years, file.calendar)
    of_year = days.sum(axis=1, keepdims=True)
    water = unit.amounts(chosen, days if file.monthly else of_year, of_year)
    return water if file.monthly else water[:, 0]


def _clock(piece: Trace, monthly: bool) -> Whole:
    """Count of months, or of years."""
    return MONTHS * piece.years + piece.months - 1 if monthly else piece.years


def _label(clock: int, monthly: bool) -> str:
    return f"{clock // MONTHS}-{clock % MONTHS + 1:02d}" if monthly else str(clock)


def _trimmed(piece: Trace) -> Trace:
    """Cut a series to what lies between its first and its last value: files of several series are padded."""
    filled = np.flatnonzero(~np.isnan(piece.values))
    part = slice(filled[0], filled[-1] + 1) if len(filled) else slice(0)
    lines = None if piece.lines is None else piece.lines[part]
    return replace(
        piece, years=piece.years[part], months=piece.months[part], values=piece.values[part], lines=lines
    )


def _place(file: OwnFile, piece: Trace, row: int | None) -> str:
    """Where a value stands: the line of a CSV file, or the variable and its coordinates."""
    if row is not None and piece.lines is not None:
        return f"{file.path}:{piece.lines[row]}  {piece.column}:"
    named = (("scenario", piece.scenario), ("member", piece.member), ("river", piece.river))
    labels = [
        f"{kind} {name}"
        for kind, name in named
        if name is not None and (kind != "river" or piece.lines is None)
    ]
    return f"{file.path}  {', '.join([piece.column, *labels])}:"


def check_size(
    term: str,
    file: OwnFile,
    unit: Unit,
    totals: Mapping[str, Array],
    span: tuple[int, int],
    present_inflow: Mapping[str, float],
) -> None:
    """Refuse means and years that cannot be, which are mostly those of another unit than is stated."""
    whole = sum(totals.values(), np.zeros(1))
    mean = float(whole.mean())
    where = f"{file.path}  {file.traces[0].column if len(totals) == 1 else 'the sum of the rivers'}:"
    if term == "river_inflow":
        present = sum(present_inflow[river] for river in (RIVERS if TOTAL in totals else totals))
        low, high = (share * present for share in POSSIBLE_INFLOW)
    else:
        low, high = POSSIBLE[term]
    words = "km³/yr" if unit.kind == "volume" else "mm/yr"
    if term == "evaporation" and mean < 0.0:
        refuse(
            where,
            "the mean evaporation is negative",
            found=f"{mean:.4g} {words}",
            allowed="evaporation counted positive, from the sea upward",
            hint="some models count downward fluxes: change the sign in the file",
        )
    if not low <= mean <= high:
        others = list(units_under_which(mean, unit, low, high))
        refuse(
            where,
            f"the mean is not possible in {unit}",
            found=f"{mean:.4g} {words}",
            allowed=f"{low:.4g} to {high:.4g} {words}",
            hint=f"the values would be possible in {' or '.join(others)}" if others else None,
        )
    least = 0.0 if term == "river_inflow" else low / YEAR_BEYOND
    wrong = (whole < least) | (whole > YEAR_BEYOND * high)
    if wrong.any():
        year = int(np.argwhere(wrong)[0][1])
        value = float(whole[tuple(np.argwhere(wrong)[0])])
        refuse(
            where,
            f"the value of {span[0] + year} is not possible",
            found=f"{value:.4g} {words}",
            allowed=f"{least:.5g} to {YEAR_BEYOND * high:.5g} {words}",
        )
