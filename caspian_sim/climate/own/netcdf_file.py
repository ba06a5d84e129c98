"""Reads a NetCDF file of series: dimensions time, scenario, member, river; times as in the CF conventions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from caspian_sim.climate.own.traces import (
    CALENDARS,
    MEMBER_NAMES,
    RIVER,
    SCENARIO_NAMES,
    OwnFile,
    Trace,
    Whole,
    choose,
    is_pathway,
    refuse,
)

if TYPE_CHECKING:
    import xarray as xr


def read_netcdf(path: str, variable: str | None) -> OwnFile:
    """Read a NetCDF file; arguments and errors as in :func:`caspian_sim.climate.own.series.read_term`."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as raw:
            coded = raw.load()
    except (OSError, ValueError, KeyError) as error:
        refuse(
            f"{path}:",
            "not a NetCDF-4 file that can be read",
            found=str(error).splitlines()[0],
            hint="a classic file becomes one by: nccopy -k nc4 OLD NEW",
        )
    axis = "time" if "time" in coded.dims else "year"
    if axis not in coded.dims or axis not in coded.coords:
        refuse(
            f"{path}:",
            "there is no coordinate time",
            found=f"dimensions {', '.join(map(str, coded.dims)) or 'none'}",
            allowed="a dimension time with its coordinate, or year with whole numbers",
        )
    bounds = coded[axis].attrs.get("bounds")
    there = [
        str(name)
        for name, values in coded.data_vars.items()
        if axis in values.dims
        and values.dtype.kind in "fiu"
        and name != bounds
        and not str(name).endswith(("_bnds", "_bounds"))
    ]
    chosen = choose(f"{path}:", variable, there, "variable")
    if len(chosen) > 1:
        refuse(
            f"{path}:",
            "there are several variables",
            found=", ".join(chosen),
            hint="name one of them by the key variable",
        )
    calendar, years, months = _calendar(path, coded, axis)
    array = coded[chosen[0]].squeeze(
        [
            dim
            for dim, size in coded[chosen[0]].sizes.items()
            if size == 1 and dim not in (axis, RIVER, *SCENARIO_NAMES, *MEMBER_NAMES)
        ],
        drop=True,
    )
    scenario, member = (
        next((name for name in names if name in array.dims), None) for names in (SCENARIO_NAMES, MEMBER_NAMES)
    )
    river = RIVER if RIVER in array.dims else None
    strange = [str(dim) for dim in array.dims if dim not in (axis, scenario, member, river)]
    if strange:
        refuse(
            f"{path}:",
            f"{chosen[0]} has dimensions that are not understood",
            found=", ".join(strange),
            allowed="time, scenario, member, river",
            hint="take the mean over the sea first, weighted with the area of the cells",
        )
    # A file of one experiment says so in its attributes, as those of CMIP6 do.
    of_file = str(coded.attrs.get("experiment_id"))
    labels = [
        _labels(path, coded, scenario) or [of_file if is_pathway(of_file) else None],
        _labels(path, coded, member) or [None],
        _labels(path, coded, river) or [None],
    ]
    dims = [dim for dim in (scenario, member, river) if dim is not None]
    values = array.transpose(*dims, axis).values.astype(np.float64)
    values = values.reshape(*(len(part) for part in labels), len(years))
    unit = array.attrs.get("units")
    traces = [
        Trace(one, two, three, chosen[0], None if unit is None else str(unit), years, months, values[i, j, k])
        for i, one in enumerate(labels[0])
        for j, two in enumerate(labels[1])
        for k, three in enumerate(labels[2])
    ]
    return OwnFile(path, calendar, bool(months.any()), traces)


def _labels(path: str, dataset: xr.Dataset, dim: Any) -> list[str | None]:
    if dim is None:
        return []
    if dim not in dataset.coords:
        if dim in MEMBER_NAMES:
            return [str(place) for place in range(dataset.sizes[dim])]
        refuse(f"{path}:", f"the dimension {dim} has no coordinate", allowed=f"names along {dim}")
    labels = [str(label.decode() if isinstance(label, bytes) else label) for label in dataset[dim].values]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        refuse(f"{path}:", f"{dim} {twice!r} is there twice", found=", ".join(labels))
    return list(labels)


def _calendar(path: str, coded: xr.Dataset, axis: str) -> tuple[str, Whole, Whole]:
    """Calendar of a file, and year and month of each of its times; months are 0 in an annual file."""
    import xarray as xr

    if axis == "year":
        years = coded[axis].values
        if years.dtype.kind not in "iu" and (years % 1 != 0).any():
            refuse(
                f"{path}:", "the coordinate year is not of whole numbers", found=str(years[years % 1 != 0][0])
            )
        return "standard", years.astype(np.int64), np.zeros(len(years), dtype=np.int64)
    time = coded["time"]
    named = str(time.attrs.get("calendar", "standard")).casefold()
    if named not in CALENDARS:
        refuse(
            f"{path}:",
            f"the calendar {named} of time is not supported",
            found=named,
            allowed=", ".join(CALENDARS),
        )
    known = "units such as days since 1850-01-01, with a calendar"
    if "units" not in time.attrs:
        refuse(f"{path}:", "the coordinate time has no units", allowed=known)
    bounds = time.attrs.get("bounds")
    bounds = bounds if bounds in coded else None
    kept = coded[["time"]] if bounds is None else coded[["time", bounds]]
    try:
        with warnings.catch_warnings():
            # Beyond 2262 older versions of xarray say that they use cftime, as they should.
            warnings.simplefilter("ignore", xr.SerializationWarning)
            decoded = xr.decode_cf(kept)
            dates = decoded["time"]
            # The stamp of a month may stand at its start, in its middle or at its end: its bounds tell.
            if bounds is not None:
                edges = decoded[bounds].transpose("time", ...).values
                middle = [begin + (end - begin) / 2 for begin, end in edges]
                dates = xr.DataArray(middle, dims="time")
            years, months = dates.dt.year.values, dates.dt.month.values
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        refuse(
            f"{path}:",
            "the coordinate time cannot be decoded",
            found=f"units {time.attrs['units']}; {str(error).splitlines()[0]}",
            allowed=known,
        )
    years, months = years.astype(np.int64), months.astype(np.int64)
    step = float(np.median(np.abs(np.diff(12 * years + months)))) if len(years) > 1 else 12.0
    if step not in (1.0, 12.0):
        refuse(
            f"{path}:",
            "values are neither for months nor for years",
            found="several in a month" if step < 1 else f"steps of {step:g} months",
            allowed="means over months or years",
            hint='ds.resample(time="MS").mean() in xarray makes months of days' if step < 1 else None,
        )
    return CALENDARS[named], years, months if step == 1.0 else np.zeros_like(months)
