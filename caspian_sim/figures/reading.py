"""What every figure reads from a dataset: variables, annual means, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from caspian_sim.config import Config
from caspian_sim.errors import DataError
from caspian_sim.figures.text import name, say
from caspian_sim.impacts.levels import require_members as require_members
from caspian_sim.impacts.levels import run_config as run_config
from caspian_sim.impacts.levels import yearly as yearly
from caspian_sim.measures.programme import measures_of
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
    return has_been_below(ds, level, threshold, event).mean("member")


def has_been_below(ds: xr.Dataset, level: xr.DataArray, threshold: float, event: str) -> xr.DataArray:
    """Whether a member has stood below a level by the end of each year.

    An event is a fall through the level; a member that starts below it has none, but has its annual means.
    """
    fallen = ds["first_event"].sel(event=event, drop=True) < level["year"] + 1
    stood = (level < threshold).reduce(np.logical_or.accumulate, "year", keep_attrs=False)
    return fallen | stood


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
    rows = zip(ds["measure"].values, ds["measure_grade"].values, strict=True)
    measures = [
        str(measure)
        for measure, grade in rows
        if grade == ASSUMPTION and any(_carries_out(config, label, str(measure)) for label in programmes)
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


def _carries_out(config: Config, programme: str, measure: str) -> bool:
    carried_out = measures_of(config.programmes[programme], config.measures.available())
    return any(one.id == measure for one in carried_out)


RUN_COORDINATES = ("measure_state", "measure_grade", "parameter_grade")
"""What :func:`run_footer` needs."""
