"""From a shipped file to an :class:`xarray.Dataset`: checksum, table, coordinates, attributes.

A file that differs from the shipped one is refused before it is read, so that a number in a result can
always be traced to a known table.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caspian_sim.data.registry import TABLES, Column, Entry, Stack, entry
from caspian_sim.errors import DataError

if TYPE_CHECKING:
    # Imported where they are used: the command line reads the catalogue without paying for them.
    import numpy.typing as npt
    import pandas as pd
    import xarray as xr


def load(name: str) -> xr.Dataset:
    """Load a dataset that ships with the package.

    Parameters
    ----------
    name : str
        A name of the catalogue, see :func:`caspian_sim.data.names`.

    Returns
    -------
    xarray.Dataset
        A copy of its own. Numeric variables carry `units` and `long_name`, levels also `datum`; the dataset
        carries title, source, license, evidence grade, notes, what is masked and the checksum of the file.

    Raises
    ------
    DataError
        There is no such dataset, or its file is missing or differs from the shipped one.
    """
    return _loaded(name).copy(deep=True)


def read(item: Entry, folder: Path = TABLES) -> xr.Dataset:
    """Read the file of a catalogue entry from `folder`; errors as in :func:`load`."""
    path = folder / item.file
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: the file is missing\n    hint     install caspian_sim again") from None
    check(path, content, item.sha256)
    ds = _netcdf(content) if item.kind == "netcdf" else _table(item, path, content)
    return ds.assign_attrs(item.attrs)


def sha256(content: bytes) -> str:
    """SHA-256 of the content of a file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def check(path: Path, content: bytes, expected: str) -> None:
    """Refuse the content of `path` unless its SHA-256 is the expected one."""
    found = sha256(content)
    if found != expected:
        raise DataError(
            f"{path}: the file differs from the one that was shipped\n"
            f"    found    sha256 {found}\n"
            f"    expected sha256 {expected}\n"
            "    hint     install caspian_sim again; after an intended change run tools/update_checksums.py"
        )


@cache
def _loaded(name: str) -> xr.Dataset:
    return read(entry(name))


def _netcdf(content: bytes) -> xr.Dataset:
    import xarray as xr

    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as ds:
        return ds.load()


def _table(item: Entry, path: Path, content: bytes) -> xr.Dataset:
    import xarray as xr

    frame = _frame(item, path, content)
    keyed = frame.rename_axis(index="row") if item.dims == ("row",) else frame.set_index(list(item.dims))
    ds = xr.Dataset.from_dataframe(keyed)
    for stack in item.stacked:
        ds = ds.drop_vars(stack.columns).merge(_stacked(ds, stack))
    for column in [*item.columns.values(), *(stack.variable for stack in item.stacked)]:
        ds[column.variable].attrs.update(column.attrs)
    if "time" in ds.dims:
        ds = ds.assign_coords(year=ds["time"].dt.year, month=ds["time"].dt.month)
    for mask in item.masked:
        raw = ds[mask.variable]
        wrong = xr.zeros_like(raw, dtype=bool)
        wrong.loc[dict(mask.at)] = True
        ds[f"{mask.variable}_raw"] = raw.assign_attrs(long_name=f"{raw.attrs['long_name']}, as in the source")
        ds[mask.variable] = raw.where(~wrong)
    return ds


def _stacked(ds: xr.Dataset, stack: Stack) -> xr.Dataset:
    """One variable out of the columns that are its slices."""
    import xarray as xr

    slices = [
        ds[column].expand_dims({dim: [value] for dim, value in zip(stack.along, place, strict=True)})
        for column, place in stack.columns.items()
    ]
    name = stack.variable.variable
    joined = xr.merge([part.to_dataset(name=name) for part in slices], join="outer", compat="no_conflicts")
    return joined.transpose(*ds.dims, *stack.along)


def _frame(item: Entry, path: Path, content: bytes) -> pd.DataFrame:
    """Columns of a CSV file under the names of their variables, converted to numbers, months or text."""
    import pandas as pd

    text = content.decode("utf-8")
    comments = sum(line.startswith("#") for line in text.splitlines())
    raw = pd.read_csv(io.StringIO(text), skiprows=comments, dtype=str, keep_default_na=False)
    stacked = {key: Column(key, key, stack.variable.units) for stack in item.stacked for key in stack.columns}
    meaning = {**item.columns, **stacked}
    _same_columns(path, list(raw.columns), list(meaning))
    # Values begin below the comments and the line of column names; lines count from 1.
    first_line = comments + 2
    return pd.DataFrame(
        {column.variable: _values(raw[key], column, path, first_line) for key, column in meaning.items()}
    )


def _same_columns(path: Path, found: list[str], expected: list[str]) -> None:
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    if missing or unknown:
        what = f"column {missing[0]!r} is missing" if missing else f"column {unknown[0]!r} is unknown"
        raise DataError(
            f"{path}: {what}\n    found    {', '.join(found)}\n    expected {', '.join(expected)}"
        )


def _values(raw: pd.Series[str], column: Column, path: Path, first_line: int) -> npt.NDArray[Any]:
    """Values of one column, NaN for a blank number; the error names the line of the first that is wrong."""
    import pandas as pd

    if column.type is None and column.units is None:
        return raw.to_numpy(str)
    parsed: pd.Series[Any]
    if column.type == "month":
        parsed, allowed = pd.to_datetime(raw, format="%Y-%m", errors="coerce"), "a month as YYYY-MM"
        bad = parsed.isna()
    elif column.type == "integer":
        parsed, allowed = pd.to_numeric(raw, errors="coerce"), "a whole number"
        bad = parsed % 1 != 0
    else:
        parsed, allowed = pd.to_numeric(raw, errors="coerce"), "a number"
        bad = parsed.isna() & (raw != "")
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise DataError(f"{path}:{first_line + row}  column {raw.name!r}: {raw.iloc[row]!r} is not {allowed}")
    return parsed.to_numpy({"month": "datetime64[ns]", "integer": "int64"}.get(column.type or "", "float64"))
