"""A workbook for spreadsheets: a sheet for each variable, and one that says where the numbers come from.

Numbers are numbers, with a format that suits their unit. Text is never a formula, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim import __version__
from caspian_sim.errors import OutputError
from caspian_sim.outputs.export.provenance import about_run, grades_table, sources_table, variables_table
from caspian_sim.outputs.export.series import MEMBER, Series, read_series
from caspian_sim.outputs.export.tables import wide_table
from caspian_sim.outputs.folder import cannot_write

README, GRADES, SOURCES, CONFIGURATION = "readme", "grades", "sources", "configuration"
OWN_SHEETS = (README, GRADES, SOURCES, CONFIGURATION)
README_WIDTHS = 32, 100
MOST_ROWS, MOST_COLUMNS, MOST_LETTERS, LONGEST_NAME = 1_048_576, 16_384, 32_767, 31
"""Limits of the file format: rows and columns of a sheet, letters of a cell and of the name of a sheet."""
NUMBER_FORMATS = {"m": "0.000", "km2": "#,##0", "km3": "#,##0.000", "km3/yr": "0.00", "K": "0.00"}
WIDEST, NARROWEST = 60, 8
UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
BAD_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def require_openpyxl(path: Path) -> None:
    """Refuse a workbook when the extra that writes it is not installed.

    Raises
    ------
    OutputError
        Naming the command that installs it.
    """
    if find_spec("openpyxl") is None:
        raise OutputError(f'{path}: a workbook needs the extra export: pip install "caspian-sim[export]"')


def write_workbook(ds: xr.Dataset, names: Sequence[str], file: Path, *, members: bool) -> None:
    """Write a sheet for each variable, its statistics or members side by side, and sheets about them.

    Raises
    ------
    OutputError
        When a sheet would have more rows or columns than a workbook can hold.
    """
    for name in names:  # before anything is formed: it takes a while
        _check_size(ds, name, file, members)
    sheets: dict[str, pd.DataFrame] = {}
    heads: list[tuple[str, Series]] = []
    for name in names:
        series = read_series(ds, name, members=members)
        sheet = sheet_name(name, {*OWN_SHEETS, *sheets})
        sheets[sheet] = wide_table(ds, series)
        heads.append((sheet, Series(name, series.values.isel({dim: slice(1) for dim in series.values.dims}))))
    sheets |= {GRADES: grades_table(ds), SOURCES: sources_table(ds)}
    if "config" in ds.attrs:
        sheets[CONFIGURATION] = pd.DataFrame({"configuration": ds.attrs["config"].splitlines()})
    save_book(sheets, file, list(_readme(ds, heads)))


def save_book(
    sheets: Mapping[str, pd.DataFrame], file: Path, readme: Sequence[Sequence[object]] | None = None
) -> None:
    """Write tables as sheets of a workbook, behind a sheet of rows of text if there are any.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.creator = f"caspian_sim {__version__}"
    try:
        if readme is not None:
            sheet = book.create_sheet(README)
            sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = README_WIDTHS
            for row in readme:
                sheet.append([cell(sheet, text, bold=i == 0) for i, text in enumerate(row)])
        for name, table in sheets.items():
            fill(book.create_sheet(name), table)
        book.save(file)
    except OSError as error:
        raise cannot_write(file, error) from error


def fill(sheet: Any, table: pd.DataFrame) -> None:
    """Fill a sheet with a table: names in the first row, which stays in sight and has a filter."""
    sheet.freeze_panes = "A2"
    # Names and the first rows decide on the width.
    shown = [[str(name), *map(str, table[name].head(50))] for name in table.columns]
    for letter, cells in zip(_letters(len(table.columns)), shown, strict=False):
        sheet.column_dimensions[letter].width = max(NARROWEST, min(WIDEST, max(map(len, cells)) + 2))
    sheet.append([cell(sheet, str(name), bold=True) for name in table.columns])
    units = table["unit"] if "unit" in table else [""] * len(table)
    for unit, row in zip(units, table.itertuples(index=False), strict=True):
        sheet.append([cell(sheet, value, number_format=NUMBER_FORMATS.get(str(unit))) for value in row])
    if len(table):
        last = list(_letters(len(table.columns)))[-1]
        sheet.auto_filter.ref = f"A1:{last}{len(table) + 1}"


def cell(sheet: Any, value: object, *, bold: bool = False, number_format: str | None = None) -> Any:
    """Make a cell that holds a number as a number and text as text; nothing where a number is missing."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        if np.isnan(number):
            return None
        if np.isinf(number):
            return str(number)
        if number_format is None:
            return number
        made = WriteOnlyCell(sheet, number)
        made.number_format = number_format
        return made
    text = UNREADABLE.sub(" ", str(value))[:MOST_LETTERS]
    made = WriteOnlyCell(sheet, text)
    made.data_type = "s"  # also what begins with an equals sign
    if text.startswith("="):
        made.quotePrefix = True  # and stays text when somebody edits it
    if bold:
        made.font, made.alignment = Font(bold=True), Alignment(vertical="top")
    return made


def sheet_name(name: str, taken: Iterable[str]) -> str:
    """Name of a sheet: at most 31 letters, none that the format forbids, and no other sheet has it."""
    plain = BAD_IN_NAMES.sub(" ", name)
    used = {other.casefold() for other in taken}
    found, number = plain[:LONGEST_NAME], 1
    while found.casefold() in used:
        number += 1
        found = f"{plain[: LONGEST_NAME - len(str(number)) - 1]}~{number}"
    return found


def _readme(ds: xr.Dataset, heads: Sequence[tuple[str, Series]]) -> Iterator[Sequence[object]]:
    yield from about_run(ds).items()
    yield ()
    table = variables_table([series for _, series in heads])
    table.insert(0, "sheet", [name for name, _ in heads])
    yield list(table.columns)
    yield from table.itertuples(index=False)
    yield ()
    yield GRADES, "evidence of each parameter and measure"
    yield SOURCES, "the tables that went in, with their source"
    if "config" in ds.attrs:
        yield CONFIGURATION, "saved as a file, caspian-sim run makes these numbers again from it"


def _check_size(ds: xr.Dataset, name: str, file: Path, members: bool) -> None:
    kept = ds.get(name, ds.get(f"{name}_quantile"))
    if kept is None:
        return
    rows = int(np.prod([size for dim, size in kept.sizes.items() if dim not in (MEMBER, "quantile")])) + 1
    columns = len(kept.dims) + 4 + (kept.sizes.get(MEMBER, 0) if members else 0)
    for kind, found, most in (("rows", rows, MOST_ROWS), ("columns", columns, MOST_COLUMNS)):
        if found > most:
            raise OutputError(
                f"{file}: {name} does not fit on a sheet\n    found    {found:,} {kind}\n"
                f"    allowed  {most:,}\n    hint     --format csv has no limit"
            )


def _letters(count: int) -> Iterable[str]:
    from openpyxl.utils import get_column_letter

    return (get_column_letter(i + 1) for i in range(count))
