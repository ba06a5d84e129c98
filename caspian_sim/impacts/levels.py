"""What every impact reads from a result: the annual mean level of each member, and counts of members."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from caspian_sim.config import Config, parse_config
from caspian_sim.errors import DataError

EVEN_CHANCE = 0.5
"""Probability from which something is as likely as not."""


def yearly(values: xr.DataArray, bounds: xr.DataArray) -> xr.DataArray:
    """Means over calendar years of means over months or years, along `year` instead of `time`."""
    length = (bounds.isel(nv=1) - bounds.isel(nv=0)) / np.timedelta64(1, "D")
    year = values["time"].dt.year.rename("year")
    if np.unique(year.values).size == year.size:
        return values.assign_coords(year=year).swap_dims(time="year").drop_vars("time")
    weighted = (values * length).groupby(year).sum() / length.groupby(year).sum()
    return weighted.transpose(..., "year")


def run_config(ds: xr.Dataset) -> Config:
    """Read the configuration that a result carries.

    Raises
    ------
    DataError
        When it carries none.
    """
    if "config" not in ds.attrs:
        raise DataError("the dataset does not say what it was made from\n    found    no attribute config")
    return parse_config(ds.attrs["config"], "config of the result", with_files=False)


def kept_attributes(ds: xr.Dataset) -> dict[str, str]:
    """Attributes that say which run numbers come from."""
    kept = ("config", "config_hash", "version")
    return {key: ds.attrs[key] for key in kept if key in ds.attrs}


def require_members(ds: xr.Dataset, what: str) -> None:
    """Refuse a dataset that keeps quantiles without the members that they were made from.

    Raises
    ------
    DataError
        Naming what needs the members.
    """
    if "member" not in ds.dims:
        raise DataError(
            f"{what} needs the members of the run\n"
            "    found    statistics over the members alone\n"
            "    hint     run again with output.keep: members or both"
        )


def require_variables(ds: xr.Dataset, what: str, names: Iterable[str]) -> None:
    """Refuse a dataset that lacks a variable.

    Raises
    ------
    DataError
        Naming the first variable that is missing and what needs it.
    """
    needed = list(names)
    missing = [name for name in needed if name not in ds.variables]
    if missing:
        found = ", ".join(str(name) for name in ds.data_vars) or "no variables"
        raise DataError(
            f"{what} cannot be reckoned: variable {missing[0]!r} is missing\n"
            f"    found    {found}\n"
            f"    needed   {', '.join(needed)}"
        )


def annual_level(ds: xr.Dataset, what: str) -> xr.DataArray:
    """Annual mean level of every member.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run by month or year, with members.
    what : str
        What it is needed for, for messages.

    Returns
    -------
    xarray.DataArray, dims (scenario, programme, member, year)
        m BHS.

    Raises
    ------
    DataError
        When the members or a variable are missing.
    """
    require_members(ds, what)
    require_variables(ds, what, ("sea_level", "time_bnds"))
    return yearly(ds["sea_level"], ds["time_bnds"]).transpose("scenario", "programme", "member", "year")


def share_below(level: xr.DataArray, limit: xr.DataArray | float) -> xr.DataArray:
    """Share of members whose level lies below a limit in each year: the probability by the ensemble.

    Parameters
    ----------
    level : xarray.DataArray
        With `member`.
    limit : xarray.DataArray or float
        One for all, or one for each member.

    Returns
    -------
    xarray.DataArray
        Without `member`, 0 to 1; NaN where a level is missing.
    """
    return (level < limit).where(level.notnull()).mean("member", skipna=False)


def first_likely_year(probability: xr.DataArray, least: float = EVEN_CHANCE) -> xr.DataArray:
    """First year in which a probability reaches a chance.

    Parameters
    ----------
    probability : xarray.DataArray
        With `year`.
    least : float, optional
        Chance, by default one half.

    Returns
    -------
    xarray.DataArray
        Without `year`; NaN where it never does.
    """
    reached = probability >= least
    # Years as numbers: argmax gives the first of equal values, and any() whether there was one.
    first = probability["year"].isel(year=reached.argmax("year")).astype(float)
    return first.where(reached.any("year")).drop_vars("year")
