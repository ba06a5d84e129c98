"""Variables as tables: one row for each place, or for each place and statistic or member."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim.outputs.export.series import MEMBER, Series

VALUE = "value"
UNIT = "unit"
# Columns that say more of a label, such as the state that carries out a measure.
ABOUT = {
    "measure": ("measure_state", "measure_grade", "measure_title"),
    "parameter": ("parameter_grade",),
}
UNITS_OF = {"parameter": "parameter_units"}


def plain_unit(unit: str) -> str:
    """Write a unit of the dataset as people do: km3/yr for km3 year-1, nothing for 1."""
    return {"1": "", "year-1": "1/yr"}.get(unit, unit.replace(" year-1", "/yr").replace(" month-1", "/month"))


def long_table(ds: xr.Dataset, series: Series) -> pd.DataFrame:
    """One row for each value.

    Parameters
    ----------
    ds : xarray.Dataset
        Where the series comes from; says more of its labels, and how long its intervals are.
    series : Series

    Returns
    -------
    pandas.DataFrame
        Columns: ``variable``, ``unit``, a column for each dimension (``year`` or ``time`` in place of `time`;
        what is known of the labels behind them), ``statistic`` or ``member``, ``value``.
    """
    table = wide_table(ds, series)
    spread = series.spread
    if spread is None:
        return table
    names = [str(name) for name in series.values[spread].values]
    places = [column for column in table.columns if column not in names]
    rows = table.melt(id_vars=places, value_vars=names, var_name=spread, value_name=VALUE, ignore_index=False)
    rows = rows.sort_index(kind="stable").reset_index(drop=True)
    return rows.assign(member=rows[MEMBER].astype(int)) if spread == MEMBER else rows


def wide_table(ds: xr.Dataset, series: Series) -> pd.DataFrame:
    """One row for each place, with its statistics or members side by side.

    Parameters
    ----------
    ds, series
        As for :func:`long_table`.

    Returns
    -------
    pandas.DataFrame
        Columns as those of :func:`long_table`, with one for each statistic or member in place of the last
        two.
    """
    spread = series.spread
    values = series.values.transpose(*_order(series))
    dims = [str(dim) for dim in values.dims if dim != spread]
    sizes = [values.sizes[dim] for dim in dims]
    count = prod(sizes)
    places = np.indices(sizes).reshape(len(dims), count)
    columns: dict[str, Any] = {"variable": [series.name] * count, UNIT: _units(ds, series, dims, places)}
    for name, one in values.coords.items():  # what a selection has left, and what all values hold for
        if one.ndim == 0 and name != spread:
            columns[str(name)] = [one.values.astype(str) if one.dtype.kind in "MOU" else one.item()] * count
    for dim, at in zip(dims, places, strict=True):
        name, labels = labels_of(ds, dim, values)
        columns[name] = labels[at]
        for about in ABOUT.get(dim, ()):
            if about in ds.coords:
                columns[about] = ds[about].values.astype(str)[at]
    cells = np.asarray(values.values).reshape(count, -1)
    names = [VALUE] if spread is None else [str(name) for name in values[spread].values]
    return pd.DataFrame({**columns, **dict(zip(names, cells.T, strict=True))})


def labels_of(ds: xr.Dataset, dim: str, values: xr.DataArray) -> tuple[str, np.ndarray[Any, Any]]:
    """Name and labels of the column of a dimension; numbers from 0 where it has no labels.

    Calendar years where the intervals are years, months as YYYY-MM where they are months, else dates.
    """
    if dim not in values.coords:
        return dim, np.arange(values.sizes[dim])
    labels = values[dim].values
    if labels.dtype.kind != "M":
        return dim, labels.astype(str) if labels.dtype.kind in "OU" else labels
    bounds = ds[dim].attrs.get("bounds", "")
    if bounds not in ds.variables:
        return dim, np.datetime_as_string(labels, unit="D")
    start, end = ds[bounds].values[:, 0], ds[bounds].values[:, 1]
    months = end.astype("datetime64[M]").astype(int) - start.astype("datetime64[M]").astype(int)
    if (months == 12).all():
        return "year", start.astype("datetime64[Y]").astype(int) + 1970
    if (months == 1).all():
        return dim, np.datetime_as_string(start, unit="M")
    return dim, np.datetime_as_string(labels, unit="D")


def _order(series: Series) -> list[str]:
    """Time comes after the other dimensions, the spread last: a series in time stands in rows that follow."""
    dims = [str(dim) for dim in series.values.dims]
    last = [*(dim for dim in dims if dim in ("time", "year")), *(dim for dim in dims if dim == series.spread)]
    return [*(dim for dim in dims if dim not in last), *last]


def _units(ds: xr.Dataset, series: Series, dims: list[str], places: np.ndarray[Any, Any]) -> list[str]:
    for dim, at in zip(dims, places, strict=True):
        if series.name == "parameters" and UNITS_OF.get(dim) in ds.coords:
            return [plain_unit(str(unit)) for unit in ds[UNITS_OF[dim]].values[at]]
    return [plain_unit(str(series.values.attrs.get("units", "")))] * places.shape[1]
