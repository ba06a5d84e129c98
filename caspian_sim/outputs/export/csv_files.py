"""Tidy CSV: one file for each variable with what is known of it, or one table of all."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import xarray as xr
from pandas.api.types import is_numeric_dtype

from caspian_sim.outputs.export.provenance import grades_table, header, sources_table, variables_table
from caspian_sim.outputs.export.series import MEMBER, STATISTIC, Series, read_series
from caspian_sim.outputs.export.tables import VALUE, long_table
from caspian_sim.outputs.folder import write_text

SUFFIX = ".csv"
DIGITS = "%.10g"
"""Enough to tell levels a hundredth of a micrometre apart, and volumes of 78,000 km³ a litre."""
VARIABLES, GRADES, SOURCES = "variables.csv", "grades.csv", "sources.csv"
CONFIGURATION = "configuration.yaml"
# A spreadsheet takes text that begins like this for a formula; so does it for tab and line end.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def file_names(ds: xr.Dataset, names: Sequence[str]) -> list[str]:
    """Files that :func:`write_folder` makes."""
    more = [CONFIGURATION] if "config" in ds.attrs else []
    return [*(f"{name}{SUFFIX}" for name in names), VARIABLES, GRADES, SOURCES, *more]


def write_folder(ds: xr.Dataset, names: Sequence[str], folder: Path, *, members: bool) -> None:
    """Write a file for each variable, and beside them what they are, grades, sources and configuration."""
    written = []
    for name in names:
        series = read_series(ds, name, members=members)
        write_text(folder / f"{name}{SUFFIX}", csv_text(ds, [series], long_table(ds, series)))
        written.append(Series(name, series.values.isel({dim: slice(1) for dim in series.values.dims})))
    tables = {VARIABLES: variables_table(written), GRADES: grades_table(ds), SOURCES: sources_table(ds)}
    for file, table in tables.items():
        write_text(folder / file, table_text(table))
    if "config" in ds.attrs:
        write_text(folder / CONFIGURATION, ds.attrs["config"])


def write_file(ds: xr.Dataset, names: Sequence[str], file: Path, *, members: bool) -> None:
    """Write one long table of all variables; a column that a variable does not have is empty in its rows."""
    series = [read_series(ds, name, members=members) for name in names]
    tables = [long_table(ds, one) for one in series]
    whole = pd.concat(tables, ignore_index=True)
    last = [column for column in (STATISTIC, MEMBER, VALUE) if column in whole]
    whole = whole[[*whole.columns.drop(last), *last]]
    write_text(file, csv_text(ds, series, whole))


def csv_text(ds: xr.Dataset, series: Sequence[Series], table: pd.DataFrame) -> str:
    """Write a table as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    return "".join(f"# {line}\n" for line in header(ds, series)) + table_text(table)


def table_text(table: pd.DataFrame) -> str:
    """Write a table as CSV text. What a spreadsheet would take for a formula gets an apostrophe before it."""
    safe = table.copy()
    fenced = False
    for column in [name for name in safe if not is_numeric_dtype(safe[name])]:
        cells = [f"'{c}" if isinstance(c, str) and c.startswith(FORMULA) else c for c in safe[column]]
        if any("#" in cell for cell in cells if isinstance(cell, str)):
            fenced = True  # within quotes it begins no comment
        safe[column] = cells
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if fenced else csv.QUOTE_MINIMAL
    return str(safe.to_csv(index=False, float_format=DIGITS, lineterminator="\n", quoting=quoting))
