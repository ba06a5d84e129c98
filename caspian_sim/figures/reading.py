"""What every figure reads from a dataset: variables, annual means, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from caspian_sim.config import Config, parse_config
from caspian_sim.errors import DataError
from caspian_sim.figures.text import name, say

LOW, MEDIAN, HIGH = 0.05, 0.5, 0.95
"""Limits of every range that is drawn, and its middle."""
ASSUMPTION = "D"
HASH_DIGITS = 8


def require(ds: xr.Dataset, figure: str, names: Iterable[str]) -> None:
    """Refuse a dataset that lacks what a figure draws.

    Raises
    ------
    DataError
        Naming the first variable that is missing and the figure that needs it.
    """
    needed = list(names)
    missing = [variable for variable in needed if variable not in ds.variables]
    if missing:
        found = ", ".join(str(variable) for variable in ds.data_vars) or "no variables"
        raise DataError(
            f"figure {figure!r} cannot be drawn: variable {missing[0]!r} is missing\n"
            f"    found    {found}\n"
            f"    needed   {', '.join(needed)}"
        )


def choose(ds: xr.Dataset, dim: str, wanted: str) -> str:
    """Check the label that was asked for.

    Raises
    ------
    DataError
        When the dataset has no such scenario or programme.
    """
    labels = [str(label) for label in ds[dim].values]
    if wanted not in labels:
        raise DataError(
            f"the dataset has no {dim} {wanted!r}\n    found    {wanted!r}\n    allowed  {', '.join(labels)}"
        )
    return wanted


def run_config(ds: xr.Dataset) -> Config:
    """Read the configuration that a result carries.

    Raises
    ------
    DataError
        When it carries none.
    """
    if "config" not in ds.attrs:
        raise DataError("the dataset does not say what it was made from\n    found    no attribute config")
    return parse_config(ds.attrs["config"], "config of the result")


def yearly(values: xr.DataArray, bounds: xr.DataArray) -> xr.DataArray:
    """Means over calendar years of means over months or years, along `year` instead of `time`."""
    length = (bounds.isel(nv=1) - bounds.isel(nv=0)) / np.timedelta64(1, "D")
    year = values["time"].dt.year.rename("year")
    if np.unique(year.values).size == year.size:
        return values.assign_coords(year=year).swap_dims(time="year").drop_vars("time")
    weighted = (values * length).groupby(year).sum() / length.groupby(year).sum()
    return weighted.transpose(..., "year")


def shown_programmes(
    ds: xr.Dataset, programme: str | Sequence[str] | None, default: int, most: int
) -> list[str]:
    """Programmes to draw: those asked for, or the first `default` ones in the order of the configuration.

    Raises
    ------
    DataError
        When one is unknown, or none or more than `most` are asked for.
    """
    if programme is None:
        return [str(label) for label in ds["programme"].values[:default]]
    asked = [programme] if isinstance(programme, str) else list(programme)
    if not 1 <= len(asked) <= most:
        raise DataError(
            f"a figure shows one to {most} programmes\n    found    {len(asked)}: {', '.join(asked)}"
        )
    return [choose(ds, "programme", label) for label in asked]


def run_footer(ds: xr.Dataset, programmes: Sequence[str]) -> list[str]:
    """Paragraphs that end the footer of a figure of a run: assumptions, then run, version and hash.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run, with `measure_grade`, `measure_state` and `parameter_grade`.
    programmes : sequence of str
        Programmes that are shown; measures of other states do not count.
    """
    config = run_config(ds)
    rows = zip(ds["measure"].values, ds["measure_state"].values, ds["measure_grade"].values, strict=True)
    measures = [
        str(measure)
        for measure, state, grade in rows
        if grade == ASSUMPTION and any(_carries_out(config, label, measure, state) for label in programmes)
    ]
    parameters = [
        name("parameter", str(parameter))
        for parameter, grade in zip(ds["parameter"].values, ds["parameter_grade"].values, strict=True)
        if grade == ASSUMPTION
    ]
    items = [
        say(f"footer.{kind}", names=", ".join(names))
        for kind, names in (("measures", measures), ("parameters", parameters))
        if names
    ]
    return [
        say("footer.grade_d", items="; ".join(items)) if items else say("footer.none"),
        say(
            "footer.run",
            name=config.name,
            version=ds.attrs["version"],
            hash=ds.attrs["config_hash"][:HASH_DIGITS],
        ),
    ]


def _carries_out(config: Config, programme: str, measure: str, state: str) -> bool:
    chosen = config.programmes[programme]
    return state in chosen.participants and (chosen.measures is None or measure in chosen.measures)


RUN_COORDINATES = ("measure_state", "measure_grade", "parameter_grade")
"""What :func:`run_footer` needs."""
