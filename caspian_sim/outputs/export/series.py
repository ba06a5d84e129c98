"""What an export writes of a dataset: each variable with its members, or with the statistics over them.

A run that keeps its members and one that keeps statistics alone give the same variables with the same
numbers: what is missing in the one is formed here as the run would have formed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from caspian_sim.config import Config
from caspian_sim.config.problems import did_you_mean
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import has_been_below, keeps_statistics, require_members, run_config, yearly
from caspian_sim.solve import Watch
from caspian_sim.stream import BASELINE, REPORTED, fall_times, years_gained
from caspian_sim.stream.histogram import Sample
from caspian_sim.stream.quantiles import report_years
from caspian_sim.variables import STATISTICS, VARIABLES, description

STATISTIC = "statistic"
"""Dimension along which quantiles, mean and standard deviation stand in an export."""
MEMBER = "member"
NEVER = "first_event"
BOUNDS = ("time_bnds",)


@dataclass(frozen=True)
class Series:
    """One variable as it is exported.

    Attributes
    ----------
    name : str
        Without the ending of a statistic.
    values : xarray.DataArray
        Along ``statistic`` (``p05``, ``mean``, ``sd`` and so on), along ``member``, or along neither where
        the variable has no members. Attributes as in the dataset.
    """

    name: str
    values: xr.DataArray

    @property
    def spread(self) -> str | None:
        """Dimension of the statistics or of the members; None if the variable has neither."""
        return next((str(dim) for dim in (STATISTIC, MEMBER) if dim in self.values.dims), None)


def is_run(ds: xr.Dataset) -> bool:
    """Whether a dataset is a projection: scenarios and programmes, with a configuration."""
    return (
        {"scenario", "programme", "time"} <= set(ds.dims)
        and {"time_bnds"} <= set(ds.variables)
        and ("config" in ds.attrs)
    )


def config_of(ds: xr.Dataset) -> Config | None:
    """Read the configuration of a projection; None for any other result."""
    return run_config(ds) if is_run(ds) else None


def exportable(ds: xr.Dataset, *, members: bool = False) -> list[str]:
    """Names of the variables that can be exported, in the order of the dataset.

    Parameters
    ----------
    ds : xarray.Dataset
    members : bool
        Whether members are asked for: what is a share of members has none.
    """
    names = []
    for variable in map(str, ds.data_vars):
        base = _base(ds, variable)
        if base not in names and variable not in BOUNDS:
            names.append(base)
    derived = [name for name in _derivable(ds) if name not in names]
    names += derived
    shares = ("share_below", "share_never")
    return [name for name in names if not (members and name in shares)]


def choose_variables(ds: xr.Dataset, wanted: Sequence[str] | None, allowed: Sequence[str]) -> list[str]:
    """Check the names of variables that were asked for; all that are allowed when none were.

    Raises
    ------
    DataError
        Naming the first one that is not among `allowed`, with the nearest.
    """
    if wanted is None:
        return list(allowed)
    for name in wanted:
        if name not in allowed:
            hint = did_you_mean(name, allowed)
            raise DataError(
                f"no variable {name!r} to export\n"
                f"    found    {name!r}\n"
                f"    allowed  {', '.join(allowed)}" + (f"\n    hint     {hint}" if hint else "")
            )
    if not wanted:
        raise DataError(f"no variable to export\n    found    none\n    allowed  {', '.join(allowed)}")
    return list(dict.fromkeys(wanted))


def read_series(ds: xr.Dataset, name: str, *, members: bool = False) -> Series:
    """Read one variable with its members, or with the statistics over them.

    Parameters
    ----------
    ds : xarray.Dataset
    name : str
        One of :func:`exportable`.
    members : bool
        Every member instead of statistics.

    Raises
    ------
    DataError
        When members are asked for and the dataset keeps none.
    """
    if members:
        require_members(ds, "an export of members")
    kept = {statistic: ds[f"{name}_{statistic}"] for statistic in STATISTICS if f"{name}_{statistic}" in ds}
    if "quantile" in kept and not members and keeps_statistics(ds):
        return Series(name, _side_by_side(kept))
    values = ds[name] if name in ds.data_vars else _derive(ds, name)
    if members or MEMBER not in values.dims:
        return Series(name, values)
    return Series(name, _statistics(values, probabilities(ds), mean=name != NEVER))


def probabilities(ds: xr.Dataset) -> list[float]:
    """Quantiles that a run keeps, or would keep."""
    config = config_of(ds)
    return sorted({*REPORTED, *(config.output.quantiles if config else ())})


def label(probability: float) -> str:
    """Name of a quantile in a table: ``p05`` for 0.05, ``p97.5`` for 0.975."""
    percent = f"{100 * probability:.10g}"
    return f"p{percent:0>2}" if "." not in percent else f"p{percent}"


def percentile(name: str) -> float | None:
    """Percentile that a label of :func:`label` stands for; None for mean and standard deviation."""
    return float(name[1:]) if name[:1] == "p" and name[1:2].isdigit() else None


def _base(ds: xr.Dataset, variable: str) -> str:
    base, _, statistic = variable.rpartition("_")
    return base if statistic in STATISTICS and f"{base}_quantile" in ds else variable


def _derivable(ds: xr.Dataset) -> Iterable[str]:
    """Names of what can be formed from the members of a projection, as a run that keeps statistics does."""
    if not is_run(ds) or MEMBER not in ds.dims or not {"sea_level", NEVER} <= set(ds.data_vars):
        return
    if _monthly(ds):
        yield from (f"annual_{name}" for name in ("sea_level", "sea_area") if name in ds)
    if BASELINE in ds["programme"].values:
        yield "sea_level_above_none"
        if "exposed_seabed" in ds:
            yield "exposed_seabed_avoided"
        yield "years_gained"
    yield from ("share_below", "share_never")


def _monthly(ds: xr.Dataset) -> bool:
    return bool(np.unique(ds["time"].dt.year).size < ds.sizes["time"])


def _derive(ds: xr.Dataset, name: str) -> xr.DataArray:
    level = yearly(ds["sea_level"], ds["time_bnds"])
    if name == "annual_sea_level":
        found = level
    elif name == "annual_sea_area":
        found = yearly(ds["sea_area"], ds["time_bnds"])
    elif name == "sea_level_above_none":
        found = level - level.sel(programme=BASELINE, drop=True)
    elif name == "exposed_seabed_avoided":
        exposed = _reported(ds, yearly(ds["exposed_seabed"], ds["time_bnds"]))
        found = -(exposed - exposed.sel(programme=BASELINE, drop=True))
    elif name == "years_gained":
        found = _years_gained(ds, level)
    elif name == "share_below":
        found = _share_below(ds, level)
    else:
        found = ds[NEVER].isnull().mean(MEMBER)
    units, long_name, cell_methods, further = description(name)
    attributes = {"units": units, "long_name": long_name, "cell_methods": cell_methods, **further}
    found.attrs = {key: text for key, text in attributes.items() if text is not None}
    return found.rename(name)


def _share_below(ds: xr.Dataset, level: xr.DataArray) -> xr.DataArray:
    levels = dict(zip(*_watched(ds), strict=True))
    shares = []
    for event in ds["event"].values:
        if str(event) in levels:
            happened = has_been_below(ds, level, levels[str(event)], str(event))
        else:
            happened = ds[NEVER].sel(event=event, drop=True) < level["year"] + 1
        shares.append(happened.mean(MEMBER))
    return xr.concat(shares, ds["event"]).transpose("scenario", "programme", "event", "year")


def _reported(ds: xr.Dataset, values: xr.DataArray) -> xr.DataArray:
    """Values of the years that are reported, along `report_year`."""
    years = list(report_years(run_config(ds)))
    return values.sel(year=years).rename(year="report_year").assign_coords(report_year=years)


def _years_gained(ds: xr.Dataset, level: xr.DataArray) -> xr.DataArray:
    levels = dict(zip(*_watched(ds), strict=True))
    event = ds[NEVER]
    first = level.isel(year=0, drop=True)
    limits = ds["event"].copy(data=[levels.get(str(name), -np.inf) for name in ds["event"].values])
    low = (first < limits).transpose(*event.dims)
    start = float(run_config(ds).period.start)
    times = event.copy(data=fall_times(event.values, low.values, start))
    least = times.sel(programme=BASELINE, drop=True)
    gained = [
        xr.apply_ufunc(years_gained, times, least, year + 1.0).transpose(*event.dims)
        for year in report_years(run_config(ds))
    ]
    found: xr.DataArray = xr.concat(gained, xr.Variable("report_year", list(report_years(run_config(ds)))))
    return found.transpose(*event.dims, "report_year")


def _watched(ds: xr.Dataset) -> tuple[tuple[str, ...], tuple[float, ...]]:
    thresholds = tuple(run_config(ds).outcomes.thresholds_m)
    return tuple(Watch(thresholds).names[: len(thresholds)]), thresholds


def _side_by_side(kept: dict[str, xr.DataArray]) -> xr.DataArray:
    parts, labels = [], []
    for statistic, values in kept.items():
        if statistic == "quantile":
            parts += [values.isel(quantile=i, drop=True) for i in range(values.sizes["quantile"])]
            labels += [label(float(p)) for p in values["quantile"].values]
        else:
            parts.append(values)
            labels.append(statistic)
    return _stacked(parts, labels, kept["quantile"])


def _statistics(values: xr.DataArray, points: Sequence[float], *, mean: bool) -> xr.DataArray:
    """Form the statistics over the members as a run that keeps them does."""
    rest = values.transpose(..., MEMBER)
    columns = np.asarray(rest.values, dtype=np.float64).reshape(-1, values.sizes[MEMBER])
    sample = Sample(*columns.shape)
    sample.add(columns, np.arange(columns.shape[1]))
    found = dict(zip(map(label, points), sample.quantiles(np.asarray(points)), strict=True))
    if mean:
        found |= {"mean": sample.mean(), "sd": sample.deviation()}
    place = rest.isel({MEMBER: 0}, drop=True)
    return _stacked([place.copy(data=v.reshape(place.shape)) for v in found.values()], list(found), values)


def _stacked(parts: Sequence[xr.DataArray], labels: Sequence[str], like: xr.DataArray) -> xr.DataArray:
    stacked = xr.concat(parts, xr.Variable(STATISTIC, list(labels)), combine_attrs="drop")
    stacked.attrs = {key: text for key, text in like.attrs.items() if key != "standard_name"}
    base = str(like.name).removesuffix("_quantile")
    if base in VARIABLES:
        stacked.attrs["long_name"] = VARIABLES[base][1]
    return stacked.rename(base)
