"""Rows of a user's CSV file, each with the number of its line, for messages that say where."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from caspian_sim.errors import DataError

Row = tuple[int, list[str]]


def read_rows(path: Path, what: str, columns: Sequence[str]) -> list[Row]:
    """Header and rows of a CSV file in UTF-8; empty lines and those that start with ``#`` are passed over.

    Parameters
    ----------
    path : Path
    what : str
        What the file is, for messages.
    columns : sequence of str
        Columns that it may have, for messages.

    Returns
    -------
    list of (int, list of str)
        Number of the line, counted from 1, and its cells without blanks around them; the header first.

    Raises
    ------
    DataError
        When the file cannot be read, is not UTF-8, or holds nothing.
    """
    if path.is_dir():
        raise DataError(f"{path}: {what} is a directory\n    allowed  a CSV file")
    if not path.exists():
        raise DataError(f"{path}: {what} does not exist")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        found = f"byte 0x{error.object[error.start]:02x}"
        raise DataError(
            f"{path}:{line}  {what} is not UTF-8 text\n    found    {found}\n    allowed  CSV in UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {what} cannot be read: {error.strerror}") from None
    rows = [
        (number, [cell.strip() for cell in next(csv.reader([line]))])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise DataError(f"{path}: {what} is empty\n    allowed  the columns {', '.join(columns)}")
    return rows
