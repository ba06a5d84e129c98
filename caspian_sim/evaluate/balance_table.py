"""Tables of balance terms by year or month: their columns, how they are read, and what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.basin.hypsometry import Hypsometry
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.collect import Calendar
from caspian_sim.config.problems import Finding, Problem, did_you_mean
from caspian_sim.data.rows import read_rows
from caspian_sim.errors import DataError

Array = NDArray[np.float64]
Table = str | Path | pd.DataFrame | xr.Dataset

WHAT = "balance table"
# Problems that a message lists; a file in the wrong unit has one in every row.
MOST_PROBLEMS = 10


@dataclass(frozen=True)
class Term:
    """One term of the balance.

    Attributes
    ----------
    column : str
        Name of its column in a CSV file or data frame.
    units : str
        CF unit of its variable in a dataset.
    long_name : str
    """

    column: str
    units: str
    long_name: str


FLUX, DEPTH = "km3 year-1", "mm year-1"
TERMS: Mapping[str, Term] = {
    "inflow": Term("inflow_km3_per_yr", FLUX, "inflow of all rivers"),
    "groundwater": Term("groundwater_km3_per_yr", FLUX, "groundwater inflow"),
    "precipitation": Term("precipitation_mm_per_yr", DEPTH, "precipitation over the sea"),
    "evaporation": Term("evaporation_mm_per_yr", DEPTH, "evaporation from the sea"),
    "net_evaporation": Term("net_evaporation_mm_per_yr", DEPTH, "evaporation less precipitation"),
    "strait_outflow": Term("strait_outflow_km3_per_yr", FLUX, "outflow to Kara-Bogaz-Gol"),
    "level_end": Term("level_end_m_bhs", "m", "level of the sea at the end of the period"),
    "level_mean": Term("level_mean_m_bhs", "m", "mean level of the sea over the period"),
}
"""Terms by the names of their variables. Every flux is a rate per year, in monthly tables too."""
YEAR, MONTH = "year", "month"
COLUMNS = (YEAR, MONTH, *(term.column for term in TERMS.values()))
RESULTS: Mapping[str, Term] = {
    "storage": Term("storage_km3_per_yr", FLUX, "rise of storage"),
    "closure_error": Term(
        "closure_error_km3_per_yr", FLUX, "closure error: gains less losses less rise of storage"
    ),
    "sea_area": Term("sea_area_km2", "km2", "mean area of the sea without Kara-Bogaz-Gol"),
    "closure_error_sd": Term("closure_error_sd_km3_per_yr", FLUX, "standard deviation of the closure error"),
    "net_evaporation_sd": Term(
        "net_evaporation_sd_mm_per_yr", DEPTH, "standard deviation of net evaporation"
    ),
    "strait_outflow_sd": Term(
        "strait_outflow_sd_km3_per_yr", FLUX, "standard deviation of the outflow to Kara-Bogaz-Gol"
    ),
}
"""What else a solved balance has; passed over when it is read again."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table, one a period, without a gap in time.

    Attributes
    ----------
    year, month : ndarray of int, shape (row,)
        `month` is 0 throughout an annual table.
    values : mapping of name to ndarray, shape (row,)
        Terms that the table has, NaN where a cell is blank.
    origin : tuple of str
        Where each row stands, for messages.
    source : str
        Where the table stands.
    start_level : float or None
        Level at the start of the first row, m BHS, when the table brings it.
    """

    year: NDArray[np.int64]
    month: NDArray[np.int64]
    values: Mapping[str, Array]
    origin: tuple[str, ...]
    source: str
    start_level: float | None = None

    @property
    def monthly(self) -> bool:
        """Whether a row is a month."""
        return bool(self.month[0] > 0)

    @property
    def frequency(self) -> str:
        """Length of a row, as in :class:`~caspian_sim.collect.Calendar`."""
        return "monthly" if self.monthly else "annual"

    @property
    def edges(self) -> Array:
        """Edges of the rows, decimal years, shape (row + 1,)."""
        calendar = Calendar(int(self.year[0]), int(self.year[-1]))
        if not self.monthly:
            return calendar.edges[::MONTHS]
        first = int(self.month[0]) - 1
        return calendar.edges[first : first + len(self.year) + 1]

    def part(self, kept: slice) -> Rows:
        """Return some of the rows."""
        values = {name: column[kept] for name, column in self.values.items()}
        return Rows(self.year[kept], self.month[kept], values, self.origin[kept], self.source)

    def label(self, row: int) -> str:
        """Name of the period of a row, as in 1978 or 1978-04."""
        return _label(int(self.year[row]), int(self.month[row]))

    def problem(self, row: int, name: str, what: str, found: str, allowed: str) -> Problem:
        """Say what is wrong with a value."""
        return Problem(Finding(what, found, allowed), self.origin[row], (TERMS[name].column,))


def read_table(table: Table) -> Rows:
    """Rows of a table of balance terms.

    Parameters
    ----------
    table : path, pandas.DataFrame or xarray.Dataset
        As for :func:`caspian_sim.solve_balance`.

    Returns
    -------
    Rows

    Raises
    ------
    DataError
        When the file cannot be read, or a column or a value is wrong; with file and line.
    """
    if isinstance(table, xr.Dataset):
        start = float(table["start_level"]) if "start_level" in table else None
        return _from_frame(_frame(table), "dataset", start)
    if isinstance(table, pd.DataFrame):
        return _from_frame(table, "data frame", None)
    path = Path(table)
    (line, header), *rows = read_rows(path, WHAT, COLUMNS)
    return _rows(f"{path}:{line}", header, [cells for _, cells in rows], [f"{path}:{n}" for n, _ in rows])


def complain(problems: Sequence[Problem]) -> None:
    """Raise the problems, if there are any, the first :data:`MOST_PROBLEMS` of them in full."""
    if not problems:
        return
    lines = [str(problem) for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"and {len(problems) - MOST_PROBLEMS} more like these")
    raise DataError("\n".join(lines))


def check_levels(rows: Rows, name: str, curve: Hypsometry) -> None:
    """Refuse levels that are outside the hypsometric curve, such as heights above the ocean of +28 m."""
    low, high = float(curve.node_level[0]), float(curve.node_level[-1])
    complain(
        [
            rows.problem(
                row,
                name,
                "the level is outside the hypsometric curve",
                found=f"{level:.10g} m BHS",
                allowed=f"{low:g} to {high:g} m BHS",
            )
            for row, level in enumerate(rows.values[name])
            if level < low or level > high
        ]
    )


def _frame(ds: xr.Dataset) -> pd.DataFrame:
    """Terms of a dataset as the columns of a table."""
    names = [name for name in TERMS if name in ds]
    for name in names:
        units = ds[name].attrs.get("units", TERMS[name].units)
        if units != TERMS[name].units:
            raise DataError(
                f"dataset  {name}: the unit is not that of the balance\n"
                f"    found    {units}\n    allowed  {TERMS[name].units}"
            )
    dims = {dim for name in names for dim in ds[name].dims}
    if len(dims) != 1:
        raise DataError(
            "dataset: the terms have to share one dimension, time or year\n"
            f"    found    {', '.join(sorted(map(str, dims))) or 'none of the terms'}\n"
            f"    allowed  {', '.join(TERMS)} by year, or by time with the coordinates year and month"
        )
    when = {name: ds[name].values for name in (YEAR, MONTH) if name in ds.coords}
    return pd.DataFrame({**when, **{TERMS[name].column: ds[name].values for name in names}})


def _from_frame(frame: pd.DataFrame, source: str, start_level: float | None) -> Rows:
    named = [name for name in frame.index.names if name is not None]
    whole = frame.reset_index() if named else frame
    cells = [list(row) for row in whole.astype(object).itertuples(index=False)]
    origin = [f"{source}, row {number}" for number in range(1, len(cells) + 1)]
    return _rows(source, [str(name) for name in whole.columns], cells, origin, start_level)


def _rows(
    source: str,
    header: list[str],
    cells: Sequence[Sequence[Any]],
    origin: list[str],
    start_level: float | None = None,
) -> Rows:
    _check_header(source, header)
    complain(
        [
            Problem(
                Finding(
                    "the row has the wrong length", f"{len(row)} values", f"{len(header)}, as the header"
                ),
                place,
            )
            for row, place in zip(cells, origin, strict=True)
            if len(row) != len(header)
        ]
    )
    if not cells:
        complain([Problem(Finding("the table has no rows", allowed="one row a year or a month"), source)])
    problems: list[Problem] = []
    columns = {
        name: _numbers(name, [row[place] for row in cells], origin, problems)
        for place, name in enumerate(header)
        if name in COLUMNS
    }
    complain(problems)
    year = columns[YEAR].astype(np.int64)
    month = columns[MONTH].astype(np.int64) if MONTH in columns else np.zeros_like(year)
    _check_order(year, month, origin)
    values = {name: columns[term.column] for name, term in TERMS.items() if term.column in columns}
    return Rows(year, month, values, tuple(origin), source, start_level)


def _check_header(source: str, header: list[str]) -> None:
    allowed = ", ".join(COLUMNS)
    problems = [
        Problem(Finding("unknown column", f"{name!r}", allowed, did_you_mean(name, COLUMNS)), source)
        for name in header
        if name not in COLUMNS and name not in {term.column for term in RESULTS.values()}
    ]
    problems += [
        Problem(Finding("the column stands twice", f"{name!r}"), source)
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    if YEAR not in header:
        problems.append(Problem(Finding("column 'year' is missing", ", ".join(header), allowed), source))
    complain(problems)


def _numbers(name: str, cells: Sequence[Any], origin: Sequence[str], problems: list[Problem]) -> Array:
    """Numbers of a column, NaN for a blank; what is wrong is added to the problems."""
    date: Mapping[str, tuple[str, Callable[[float], bool]]] = {
        YEAR: ("a year, such as 1978", lambda value: value % 1 == 0),
        MONTH: ("a month, 1 to 12", lambda value: value in range(1, MONTHS + 1)),
    }
    allowed, valid = date.get(name, ("a number, or nothing", lambda _: True))
    numbers = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        blank = cell == "" if isinstance(cell, str) else bool(pd.isna(cell))
        if blank and name not in date:
            continue
        try:
            value = math.nan if blank else float(cell)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value) or not valid(value):
            found = "nothing" if blank else repr(cell) if isinstance(cell, str) else str(cell)
            what = "not a date" if name in date else "not a number"
            problems.append(Problem(Finding(what, found, allowed), origin[row], (name,)))
            continue
        numbers[row] = value
    return numbers


def _check_order(year: NDArray[np.int64], month: NDArray[np.int64], origin: Sequence[str]) -> None:
    step = np.diff(year * MONTHS + month - 1)
    problems = []
    for row in (np.flatnonzero(step != (1 if month[0] else MONTHS)) + 1).tolist():
        before = int(year[row - 1]), int(month[row - 1])
        # December is followed by January; an annual table has month 0 and keeps it.
        after = (before[0] + (before[1] in (0, MONTHS)), before[1] % MONTHS + 1 if before[1] else 0)
        problems.append(
            Problem(
                Finding(
                    f"the {'months' if month[0] else 'years'} do not follow each other",
                    f"{_label(int(year[row]), int(month[row]))} after {_label(*before)}",
                    _label(*after),
                ),
                origin[row],
            )
        )
    complain(problems)


def _label(year: int, month: int) -> str:
    return f"{year}-{month:02d}" if month else str(year)
