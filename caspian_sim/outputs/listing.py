"""The shipped datasets as text: the whole catalogue, or one entry with its first rows."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator

from caspian_sim import data

FIRST_ROWS = 5
NARROWEST = 60
LABEL_WIDTH = 13


def catalogue_text() -> str:
    """Every shipped dataset: name, title, period, evidence grade and source."""
    entries = data.catalogue()
    width = max(len(entry.name) for entry in entries) + 2
    blocks = []
    for entry in entries:
        period = "" if entry.period == "-" else f"{entry.period}; "
        parts = (entry.title, f"{period}grade {entry.grade}", f"source: {entry.source}")
        lines = [line for part in parts for line in _wrapped(part, width)]
        blocks.append("\n".join([f"{entry.name:<{width}}{lines[0].lstrip()}", *lines[1:]]))
    return "\n".join(
        [*blocks, "", "grades: A official data or paper, B agency at second hand, C press, D assumption"]
    )


def entry_text(name: str) -> str:
    """One dataset: what it is, where it comes from, its variables and its first rows.

    Raises
    ------
    DataError
        When there is no dataset of that name.
    """
    entry = data.entry(name)
    facts = [
        ("title", entry.title),
        ("description", entry.description),
        ("period", entry.period if entry.period != "-" else None),
        ("grade", entry.grade),
        ("datum", entry.datum),
        ("source", entry.source),
        ("license", entry.license),
        *(("note", note) for note in entry.notes),
        *(("masked", str(mask)) for mask in entry.masked),
        ("file", f"caspian_sim/data/tables/{entry.file}"),
    ]
    lines = [entry.name]
    for label, text in facts:
        if text:
            first, *more = _wrapped(text, LABEL_WIDTH)
            lines += [f"{label:<{LABEL_WIDTH}}{first.lstrip()}", *more]
    return "\n".join([*lines, *_tables(name)])


def _tables(name: str) -> Iterator[str]:
    """Variables with their units and first rows, one table for those that share their dimensions."""
    import pandas as pd

    ds = data.load(name)
    for dims in dict.fromkeys(variable.dims for variable in ds.data_vars.values()):
        together = ds[[key for key, variable in ds.data_vars.items() if variable.dims == dims]]
        yield ""
        for key, variable in together.data_vars.items():
            unit = variable.attrs.get("units")
            yield f"{key}{f' ({unit})' if unit else ''}: {variable.attrs.get('long_name', '')}"
        rows = 1
        for dim in dims:
            rows *= ds.sizes[dim]
        first = together.isel({dim: slice(0, FIRST_ROWS) for dim in dims}).to_dataframe(dim_order=list(dims))
        with pd.option_context(
            "display.width", _width(), "display.max_columns", None, "display.max_colwidth", 32
        ):
            yield repr(first.reset_index()[[*map(str, dims), *together.data_vars]].head(FIRST_ROWS))
        yield f"{min(rows, FIRST_ROWS)} of {rows} rows"


def _wrapped(text: str, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        text,
        _width(),
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int:
    return max(NARROWEST, shutil.get_terminal_size().columns)
