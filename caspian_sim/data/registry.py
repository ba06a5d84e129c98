"""What ships with the package: one entry for every dataset, read from ``catalogue.yaml``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from caspian_sim.errors import DataError

T = TypeVar("T")

FOLDER = Path(__file__).parent
TABLES = FOLDER / "tables"
CATALOGUE = FOLDER / "catalogue.yaml"


@dataclass(frozen=True)
class Column:
    """One column of a table, or the variable that several stacked columns form.

    A column with `units` holds numbers (whole ones if its type is "integer"), one of type "month" holds
    months as YYYY-MM, any other holds text.
    """

    variable: str
    long_name: str
    units: str | None = None
    datum: str | None = None
    type: Literal["integer", "month"] | None = None

    @property
    def attrs(self) -> dict[str, str]:
        """Attributes of the variable in the dataset."""
        found = {"units": self.units, "long_name": self.long_name, "datum": self.datum}
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True)
class Stack:
    """Columns that are slices of one variable, each with its place along extra dimensions."""

    variable: Column
    along: tuple[str, ...]
    columns: Mapping[str, tuple[str | int | float, ...]]


@dataclass(frozen=True)
class Mask:
    """A value that is wrong in the source and is replaced by NaN."""

    variable: str
    at: Mapping[str, int]
    reason: str

    def __str__(self) -> str:
        """Say which value is masked and why."""
        place = ", ".join(f"{dim} {value}" for dim, value in self.at.items())
        return f"{self.variable} at {place}: {self.reason}"


@dataclass(frozen=True)
class Entry:
    """One dataset of the catalogue: what it is, where it comes from and how its file is read.

    Attributes
    ----------
    kind : {"csv", "netcdf"}
    grade : str
        Evidence grade A to D, or which part has which.
    dims : tuple of str
        Variables that hold the coordinates of the rows; ``row`` is no variable and numbers them from 0.
    columns : mapping
        Column of the file to what it means.
    sha256 : str
        Checksum of the file; a file with another one is refused.
    """

    name: str
    title: str
    description: str
    file: str
    kind: Literal["csv", "netcdf"]
    period: str
    grade: str
    source: str
    license: str
    notes: tuple[str, ...]
    sha256: str
    datum: str | None = None
    dims: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    stacked: tuple[Stack, ...] = ()
    masked: tuple[Mask, ...] = ()

    @property
    def attrs(self) -> dict[str, str]:
        """Attributes of the dataset."""
        found = {
            "title": self.title,
            "description": self.description,
            "source": self.source,
            "license": self.license,
            "evidence_grade": self.grade,
            "period": self.period,
            "datum": self.datum,
            "notes": " ".join(self.notes),
            "masked": " ".join(map(str, self.masked)),
            "sha256": self.sha256,
        }
        return {key: value for key, value in found.items() if value}


def names() -> list[str]:
    """Names of all datasets, in the order of the catalogue."""
    return list(_entries())


def catalogue() -> tuple[Entry, ...]:
    """All entries of the catalogue, in its order."""
    return tuple(_entries().values())


def entry(name: str) -> Entry:
    """Entry of one dataset.

    Raises
    ------
    DataError
        The catalogue has no such dataset.
    """
    return lookup(_entries(), name, "dataset")


def input_hashes(names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the file behind each of the named datasets, for the provenance of a run.

    Raises
    ------
    DataError
        The catalogue has no such dataset.
    """
    return {name: entry(name).sha256 for name in names}


def lookup(table: Mapping[str, T], name: str, what: str) -> T:
    """Value of `name` in `table`; the error names the nearest key and all of them."""
    if name in table:
        return table[name]
    nearest = difflib.get_close_matches(name, table, n=1, cutoff=0.4)
    hint = f"\n    nearest  {nearest[0]!r}" if nearest else ""
    raise DataError(
        f"no {what} is called {name!r}\n    found    {name!r}{hint}\n    allowed  {', '.join(table)}"
    )


@cache
def _entries() -> dict[str, Entry]:
    from ruamel.yaml import YAML

    raw: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(CATALOGUE.read_text(encoding="utf-8"))
    return {name: _entry(name, fields) for name, fields in raw.items()}


def _entry(name: str, raw: dict[str, Any]) -> Entry:
    lists = {
        "notes": tuple(raw.get("notes", ())),
        "dims": tuple(raw.get("dims", ())),
        "columns": {
            column: Column(**{"variable": column, **fields})
            for column, fields in raw.get("columns", {}).items()
        },
        "stacked": tuple(_stack(fields) for fields in raw.get("stacked", ())),
        "masked": tuple(Mask(**fields) for fields in raw.get("masked", ())),
    }
    return Entry(name=name, **{**raw, **lists})


def _stack(raw: dict[str, Any]) -> Stack:
    fields = dict(raw)
    along = tuple(fields.pop("along"))
    columns = {column: tuple(place) for column, place in fields.pop("columns").items()}
    return Stack(Column(**fields), along, columns)
