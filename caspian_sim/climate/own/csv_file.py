"""Reads a CSV file of series: columns year, month, scenario, member, and values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from caspian_sim.climate.own.traces import (
    MEMBER_NAMES,
    SCENARIO_NAMES,
    Array,
    OwnFile,
    Trace,
    Whole,
    choose,
    refuse,
)
from caspian_sim.climate.own.units import parse_unit

KEYS = {"year", "month", *SCENARIO_NAMES, *MEMBER_NAMES}
"""Columns of a CSV file that hold no values."""
_UNITS_LINE: Final = re.compile(r"#\s*units?\s*[:=]\s*(\S.*?)\s*$", re.IGNORECASE)
_MISSING = ("", "na")


def read_csv(path: str, variable: str | None) -> OwnFile:
    """Read a CSV file; arguments and errors as in :func:`caspian_sim.climate.own.series.read_term`."""
    header_line, header, rows, stated = _csv_rows(path)
    lines = np.array([line for line, _ in rows], dtype=np.int64)
    where = f"{path}:{header_line}"
    columns = {name: [row[place] for _, row in rows] for place, name in enumerate(header)}
    if "year" not in columns:
        refuse(
            where,
            "there is no column year",
            found=", ".join(header),
            allowed="year, and month, scenario, member where there are several, and values",
        )
    whole: dict[str, Whole] = {}
    for name, low, high in (("year", 1, 9999), ("month", 1, 12)):
        if name in columns:
            allowed = "a year, such as 2031" if name == "year" else "1 to 12"
            numbers = _numbers(path, lines, name, columns[name], allowed)
            wrong = ~((numbers >= low) & (numbers <= high) & (np.floor(numbers) == numbers))
            if wrong.any():
                row = int(np.argmax(wrong))
                refuse(
                    f"{path}:{lines[row]}",
                    f"{columns[name][row]!r} is not a {name}",
                    found=repr(columns[name][row]),
                    allowed=allowed,
                )
            whole[name] = numbers.astype(np.int64)
    scenario, member = (
        next((name for name in names if name in columns), None) for names in (SCENARIO_NAMES, MEMBER_NAMES)
    )
    for key in filter(None, (scenario, member)):
        if "" in columns[key]:
            row = columns[key].index("")
            refuse(
                f"{path}:{lines[row]}",
                f"the {key} is blank",
                allowed=f"a name in every row, or no column {key}",
            )
    keys = {"year", "month", scenario, member}
    chosen = choose(where, variable, [name for name in header if name not in keys], "column")
    groups: dict[tuple[str | None, str | None], list[int]] = {}
    for row in range(len(rows)):
        pair = (columns[scenario][row] if scenario else None, columns[member][row] if member else None)
        groups.setdefault(pair, []).append(row)
    months = whole.get("month", np.zeros_like(whole["year"]))
    traces = []
    for name in chosen:
        values = _numbers(path, lines, name, columns[name], "a number, or nothing where there is none")
        bare, suffix = _split_unit(name)
        if suffix is not None and stated is not None and parse_unit(suffix) != parse_unit(stated):
            refuse(
                where,
                f"column {name} and the line # units: state different units",
                found=f"{suffix} and {stated}",
                hint="keep the right one of the two",
            )
        for pair, members in groups.items():
            at = np.array(members)
            traces.append(
                Trace(
                    *pair,
                    bare,
                    name,
                    suffix or stated,
                    whole["year"][at],
                    months[at],
                    values[at],
                    lines[at],
                )
            )
    return OwnFile(path, "standard", "month" in columns, traces)


def _csv_rows(path: str) -> tuple[int, list[str], list[tuple[int, list[str]]], str | None]:
    """Line and names of the columns, rows with their lines, and the unit of the comment line."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        refuse(f"{path}:", "the file is not text in UTF-8")
    except OSError as error:
        refuse(f"{path}:", f"the file cannot be read: {error.strerror}")
    units: str | None = None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            match = _UNITS_LINE.match(line.strip().rstrip(","))
            units = match[1] if match else units
        elif line.strip(" \t,"):
            rows.append((number, [cell.strip() for cell in next(csv.reader(io.StringIO(line)))]))
    if len(rows) < 2:
        refuse(
            f"{path}:", "the file has no rows of values", allowed="a line of column names, and rows below it"
        )
    header_line, names = rows[0]
    header = [name.casefold() if name.casefold() in KEYS else name for name in names]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        refuse(
            f"{path}:{header_line}",
            "columns are not separated by commas",
            found=repr(header[0]),
            allowed="commas, and a point in decimal numbers",
        )
    if len(set(header)) < len(header) or "" in header:
        twice = next(name for name in header if name == "" or header.count(name) > 1)
        refuse(
            f"{path}:{header_line}",
            f"column {twice!r} is there twice" if twice else "a column has no name",
            found=", ".join(header),
        )
    for number, row in rows[1:]:
        if len(row) != len(header):
            refuse(
                f"{path}:{number}",
                "the row has another number of columns than the header",
                found=f"{len(row)} values",
                allowed=f"{len(header)}: {', '.join(header)}",
            )
    return header_line, header, rows[1:], units


def _numbers(path: str, lines: Whole, name: str, cells: Sequence[str], allowed: str) -> Array:
    filled = ["nan" if cell.casefold() in _MISSING else cell for cell in cells]
    try:
        return np.array(filled, dtype=np.float64)
    except ValueError:
        row = next(row for row, cell in enumerate(filled) if not _is_number(cell))
        refuse(
            f"{path}:{lines[row]}",
            f"{name}: {cells[row]!r} is not a number",
            found=repr(cells[row]),
            allowed=allowed,
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _split_unit(column: str) -> tuple[str, str | None]:
    """Split volga_km3_per_yr into volga and km3 per yr."""
    for match in re.finditer("_", column):
        unit = column[match.end() :].replace("_", " ")
        if match.start() and parse_unit(unit) is not None:
            return column[: match.start()], unit
    return column, None
