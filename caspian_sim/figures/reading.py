"""What every figure reads from a dataset: variables, annual means, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from caspian_sim.config import Config, parse_config
from caspian_sim.errors import DataError
from caspian_sim.figures.text import name, say
from caspian_sim.solve import Watch
from caspian_sim.stream import REPORTED

LOW, MEDIAN, HIGH = REPORTED
"""Limits of every range that is drawn, and its middle."""
ASSUMPTION = "D"
HASH_DIGITS = 8
MIDDLE_SCENARIO = "ssp245"
"""Shown when no scenario is asked for."""


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


def middle_scenario(ds: xr.Dataset, wanted: str | None = None) -> str:
    """Scenario that was asked for, or else SSP2-4.5 where there is one, or the first.

    Raises
    ------
    DataError
        When the dataset has no such scenario.
    """
    if wanted is not None:
        return choose(ds, "scenario", wanted)
    labels = [str(label) for label in ds["scenario"].values]
    return MIDDLE_SCENARIO if MIDDLE_SCENARIO in labels else labels[0]


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


def yearly(values: xr.DataArray, bounds: xr.DataArray) -> xr.DataArray:
    """Means over calendar years of means over months or years, along `year` instead of `time`."""
    length = (bounds.isel(nv=1) - bounds.isel(nv=0)) / np.timedelta64(1, "D")
    year = values["time"].dt.year.rename("year")
    if np.unique(year.values).size == year.size:
        return values.assign_coords(year=year).swap_dims(time="year").drop_vars("time")
    weighted = (values * length).groupby(year).sum() / length.groupby(year).sum()
    return weighted.transpose(..., "year")


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


def keeps_statistics(ds: xr.Dataset) -> bool:
    """Whether a dataset keeps statistics over the members that it holds, or over all when it holds none."""
    if "sea_level_quantile" not in ds:
        return False
    return "member" not in ds.dims or ds.sizes["member"] == run_config(ds).uncertainty.members


def member_count(ds: xr.Dataset) -> int:
    """Members that a dataset holds, or that its statistics were made from."""
    return ds.sizes["member"] if "member" in ds.dims else run_config(ds).uncertainty.members


def yearly_mean(ds: xr.Dataset, variable: str) -> xr.DataArray:
    """Mean over the members of the means over calendar years, along `year`."""
    if keeps_statistics(ds):
        return _kept(ds, variable, "mean")
    return yearly(ds[variable], ds["time_bnds"]).mean("member")


def yearly_quantiles(ds: xr.Dataset, variable: str, probabilities: Sequence[float]) -> xr.DataArray:
    """Quantiles over the members of the means over calendar years.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run, with members or with statistics over them. Statistics are taken where both are there:
        they need less memory.
    variable : str
        Variable with `time`.
    probabilities : sequence of float

    Returns
    -------
    xarray.DataArray
        Along `quantile`, which comes first, and `year`, which comes last.

    Raises
    ------
    DataError
        When the dataset has no members, and a quantile was not kept.
    """
    if not keeps_statistics(ds):
        values = yearly(ds[variable], ds["time_bnds"])
        return values.quantile(list(probabilities), "member", skipna=False)
    kept = _kept(ds, variable, "quantile")
    absent = [p for p in probabilities if p not in kept["quantile"].values]
    if absent:
        raise DataError(
            f"the quantile {absent[0]:g} was not kept\n"
            f"    found    {', '.join(f'{p:g}' for p in kept['quantile'].values)}\n"
            "    hint     run again with the quantile in output.quantiles"
        )
    return kept.sel(quantile=list(probabilities)).transpose("quantile", ..., "year")


def share_below(ds: xr.Dataset, threshold: float) -> xr.DataArray:
    """Share of the members that have stood below a level by the end of each year.

    An event is a fall through the level; a member that starts below it has none, but has its annual means.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run, with members or with statistics over them.
    threshold : float
        Level that the run watched, m BHS.

    Returns
    -------
    xarray.DataArray
        Along `scenario`, `programme` and `year`.
    """
    event = Watch((threshold,)).names[0]
    if keeps_statistics(ds):
        return ds["share_below"].sel(event=event, drop=True)
    level = yearly(ds["sea_level"], ds["time_bnds"])
    fallen = ds["first_event"].sel(event=event, drop=True) < level["year"] + 1
    stood = (level < threshold).reduce(np.logical_or.accumulate, "year", keep_attrs=False)
    return (fallen | stood).mean("member")


def _kept(ds: xr.Dataset, variable: str, statistic: str) -> xr.DataArray:
    annual = f"annual_{variable}_{statistic}"
    return ds[annual] if annual in ds else yearly(ds[f"{variable}_{statistic}"], ds["time_bnds"])


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
        for kind, names in (("measures", [name("measure", m) for m in measures]), ("parameters", parameters))
        if names
    ]
    return [
        *own_series(config),
        say("footer.grade_d", items="; ".join(items)) if items else say("footer.none"),
        say(
            "footer.run",
            name=config.name,
            version=ds.attrs["version"],
            hash=ds.attrs["config_hash"][:HASH_DIGITS],
        ),
    ]


def own_series(config: Config) -> list[str]:
    """Paragraph that names the files of the user's own that a run was forced with, if there were any."""
    items = [
        say(f"own_series.{term}", file=Path(series.file).name) for term, series in config.forcing.given()
    ]
    return [say("own_series", items="; ".join(items))] if items else []


def _carries_out(config: Config, programme: str, measure: str, state: str) -> bool:
    chosen = config.programmes[programme]
    return state in chosen.participants and (chosen.measures is None or measure in chosen.measures)


RUN_COORDINATES = ("measure_state", "measure_grade", "parameter_grade")
"""What :func:`run_footer` needs."""
