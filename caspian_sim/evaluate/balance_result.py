"""The dataset of a solved balance: its periods, terms, units and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data, results
from caspian_sim.evaluate.balance_table import RESULTS, TERMS
from caspian_sim.evaluate.balance_terms import Terms

Array = NDArray[np.float64]


def balance_dataset(
    terms: Terms, unknown: str, strait: str, start: float, values: Mapping[str, Array]
) -> xr.Dataset:
    """Put a solved balance together.

    Parameters
    ----------
    terms : Terms
    unknown, strait : str
        What was solved for, and whether the outflow was ``given`` or follows from the ``rating``.
    start : float
        Level at the start, m BHS.
    values : mapping of name to ndarray, shape (period,)
        What :data:`~caspian_sim.evaluate.balance_table.TERMS` and ``RESULTS`` describe.

    Returns
    -------
    xarray.Dataset
    """
    calendar = terms.calendar
    middle, bounds = results.time_axis(calendar.first_year, calendar.last_year, calendar.frequency)
    coords: dict[str, Any] = {
        "time": ("time", middle, {"standard_name": "time", "axis": "T", "bounds": "time_bnds"}),
        "time_bnds": (("time", "nv"), bounds),
        "year": (
            "time",
            calendar.years[:: len(calendar.years) // len(middle)],
            {"long_name": "calendar year"},
        ),
    }
    if calendar.frequency == "monthly":
        coords["month"] = ("time", calendar.months, {"long_name": "month of the year"})
    ds = xr.Dataset(
        coords=coords,
        attrs={
            **results.package_attributes(
                f"Water balance of the Caspian Sea solved for {_TITLE[unknown]}",
                f"balance, unknown {unknown}",
                data.input_hashes(data.names()),
            ),
            "datum": "Baltic Height System (BHS)",
            "unknown": unknown,
            "strait": _STRAIT["unknown" if unknown == "strait_outflow" else strait],
            "levels": _LEVELS[terms.levels],
        },
    )
    for name, column in values.items():
        term = TERMS[name] if name in TERMS else RESULTS[name]
        method = "time: point" if name == "level_end" else "time: mean"
        ds[name] = (
            "time",
            column,
            {"units": term.units, "long_name": term.long_name, "cell_methods": method},
        )
    for name in ("level_end", "level_mean"):
        ds[name].attrs["datum"] = ds.attrs["datum"]
    ds["level_end"].attrs["comment"] = "at the upper time bound"
    ds["start_level"] = (
        (),
        start,
        {"units": "m", "long_name": "level of the sea at the start", "datum": ds.attrs["datum"]},
    )
    return ds


_TITLE = {
    "level": "its level",
    "net_evaporation": "net evaporation",
    "strait_outflow": "the outflow to Kara-Bogaz-Gol",
    "closure": "the closure error",
}
_STRAIT = {
    "given": "outflow as given",
    "rating": "outflow from the rating of the strait, best values of its parameters",
    "unknown": "outflow is the unknown",
}
_LEVELS = {
    "start_level": "level at the start as given",
    "level_end": "levels at the end of the periods as given",
    "level_mean": "levels at the edges between given means: each result knows half of the next mean",
}
