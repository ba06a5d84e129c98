"""The projections beside the published ones, and where they part: area, evaporation, runoff.

Three things differ between this model and a paper and can be told apart here: whether the area of the sea
follows its level, how much more evaporates per kelvin of warming, and how much less the Volga brings. For
every published number the gap to the median of the ensemble is split into what the area convention explains
and what is left, and the sensitivity is given that the rest would need, of evaporation with rivers as they
are here, and of the Volga with evaporation as it is here. Beside that, the gap between the median and one
typical high configuration is shared among the three.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.climate.warming import observed_warming
from caspian_sim.config import Config, load_config
from caspian_sim.config.programme import Programme
from caspian_sim.ensemble import parts_of
from caspian_sim.errors import ConfigError
from caspian_sim.evaluate.central import Area, central_level, central_plan, needed_values
from caspian_sim.evaluate.comparison import (
    AREAS,
    COMPARED_YEARS,
    EVAPORATION,
    QUANTILES,
    VOLGA,
    comparison_dataset,
)
from caspian_sim.evaluate.published import BASIS_YEAR, NO_SCENARIO, basis_level, published
from caspian_sim.plan import make_plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]
P = ParamSpec("P")
T = TypeVar("T")
Progress = Callable[[int, int], None]

# First steps of the searches, towards a lower level: mm/yr/K and %/K.
FIRST_STEPS = {EVAPORATION: 20.0, VOLGA: -2.0}
KALUGIN_PERIOD, KALUGIN_WARMING = (1970, 1999), 1.75
"""Base of the fact volga_runoff_change_gwl_1p5_2, and the middle of its 1.5 to 2 K above 1850-1900."""

# A base that needs no file; what it does not name is as in every configuration. As many members as the
# quickstart, from the same seed, and so with the same median.
BASE: Mapping[str, object] = {
    "name": "literature",
    "title": "The projections beside the published ones",
    "period": {"start": 2026, "end": 2100},
    "climate": {"scenarios": ["ssp126", "ssp245", "ssp370", "ssp585"]},
    "uncertainty": {"members": 512, "sampling": "sobol"},
}


def kalugin_volga_sensitivity() -> float:
    """Change of the Volga's flow per kelvin of global warming that Kalugin (2022) implies, %/K.

    The published change against 1970-1999 at 1.5 to 2 K above 1850-1900, over the warming from one to the
    other.
    """
    warming = data.load("warming_ssp")["warming"]
    early = warming.sel(base_period="1850-1900") - warming.sel(base_period="1995-2014")
    before = float(early.mean()) + float(observed_warming(*KALUGIN_PERIOD).mean())
    return data.fact("volga_runoff_change_gwl_1p5_2").value / (KALUGIN_WARMING - before)


def literature(
    source: str | Path | Mapping[str, object] | Config | None = None,
    *,
    overrides: Sequence[str] = (),
    members: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Set the projections beside the published ones, and say in metres where they part.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`; a configuration of 512 members to 2100 when not given. Scenarios, last
        year, programmes and area convention are those of the comparison whatever the configuration says.
    members : int, optional
        In place of ``uncertainty.members``.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    xarray.Dataset
        By ``comparison`` (a row of the dataset ``literature_basis``): source, scenario and numbers of the
        publication, ``change``, ``low`` and ``high`` since 2020 where the base year is stated; ``own_change``
        by ``area`` (dynamic, constant) and ``quantile``; ``gap``, the published change less the median with
        dynamic area, and its ``part`` by ``parts`` (ensemble: central run less median; area: constant less
        dynamic area; rest), which add up; and what a central run needs to reach the published change,
        ``needed_evaporation_sensitivity`` and ``needed_volga_sensitivity`` by ``area``, NaN where nothing
        within the limits of the parameter does. By ``scenario`` and ``year`` (2050, 2100):
        ``median_change``, ``central_change``, ``high_change`` of the typical high configuration, and the
        ``share`` and the effect ``alone`` of each ``factor`` (area, evaporation, runoff). ``level`` by area,
        scenario, horizon and quantile, m BHS. ``centre``: every ``parameter`` in the central run.

    Raises
    ------
    ConfigError
        When the configuration is not valid, or starts after the first published horizon.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> found = cs.literature(members=128)
    >>> found.needed_evaporation_sensitivity.sel(comparison="samant_prange_2023_ssp585")
    """
    began = time.perf_counter()
    if members is not None:
        overrides = (*overrides, f"uncertainty.members={members}")
    rows = published()
    config = _comparable(load_config(BASE if source is None else source, overrides), rows)
    horizons = sorted(int(year) for year in set(rows["horizon"]) | set(COMPARED_YEARS))
    # A large change is followed no longer than it has to be: by 2100 the sea would leave its basin.
    spans = list(pairwise((0, *COMPARED_YEARS)))
    steps = _Steps(progress, len(AREAS) * (2 + len(spans)))
    runs = {area: steps.do(_ensemble, config, area, horizons) for area in AREAS}
    level = xr.concat([runs[area][0] for area in AREAS], pd.Index(AREAS, name="area"))
    centre = runs["dynamic"][1]
    high = {EVAPORATION: data.parameters()[EVAPORATION].high, VOLGA: kalugin_volga_sensitivity()}
    corners = np.stack([steps.do(_corners, config, area, centre, high, horizons) for area in AREAS])
    needed = {
        area: [steps.do(_needed, config, area, centre, rows, *span) for span in spans] for area in AREAS
    }
    found = comparison_dataset(config, rows, level, corners, needed, horizons)
    found.attrs |= {
        "basis_year": BASIS_YEAR,
        "basis_level": basis_level(),
        "members": config.uncertainty.members,
        "water_use": _water_use(config),
        "high_evaporation_sensitivity": high[EVAPORATION],
        "high_volga_sensitivity": high[VOLGA],
        "central_evaporation_sensitivity": centre[EVAPORATION],
        "central_volga_sensitivity": centre[VOLGA],
        "seconds": f"{time.perf_counter() - began:.1f}",
    }
    about = {"units": "unit of the parameter", "long_name": "value of a parameter in the central run"}
    return found.assign(centre=("parameter", list(centre.values()), about)).assign_coords(
        parameter=list(centre)
    )


class _Steps:
    """Counts what is done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        found = work(*args, **kwargs)
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
        return found


def _comparable(config: Config, rows: pd.DataFrame) -> Config:
    """Give a configuration the scenarios, years and the one programme of the comparison."""
    first, last = int(rows["horizon"].min()), int(rows["horizon"].max())
    if config.period.start > first:
        raise ConfigError(
            f"the comparison starts too late for projections of {first}\n"
            f"    found    period.start {config.period.start}\n"
            f"    allowed  up to {first}"
        )
    compared = set(rows["scenario"]) - {NO_SCENARIO}
    return config.model_copy(
        update={
            "period": config.period.model_copy(update={"end": last}),
            "climate": config.climate.model_copy(
                update={"scenarios": tuple(sorted(compared | set(config.climate.scenarios)))}
            ),
            "programmes": {"none": Programme()},
            "outcomes": config.outcomes.model_copy(update={"thresholds_m": (), "report_years": ()}),
            "output": config.output.model_copy(update={"frequency": "annual", "keep": "members"}),
        }
    )


def _ensemble(config: Config, area: Area, years: Sequence[int]) -> tuple[xr.DataArray, dict[str, float]]:
    """Quantiles of the level by scenario, year and quantile, and the median of every parameter."""
    climate = config.climate.model_copy(update={"area_convention": area})
    plan = make_plan(config.model_copy(update={"climate": climate}))
    wanted = [year - plan.frame.calendar.first_year for year in years]
    levels, parameters = [], []
    # Not a whole dataset: with constant area a wet member may rise above the curve, where no seabed is known.
    for members in parts_of(plan.frame.config):
        found = integrate(plan, members, member_inputs(plan, members))
        levels.append(found.solution.level[wanted].reshape(len(years), -1, len(members)))
        parameters.append([found.parameters[name] for name in plan.frame.priors])
    quantiles = np.quantile(np.concatenate(levels, axis=-1), QUANTILES, axis=-1)
    level = xr.DataArray(
        quantiles.transpose(2, 1, 0),
        coords={"scenario": list(climate.scenarios), "year": list(years), "quantile": list(QUANTILES)},
        dims=("scenario", "year", "quantile"),
    )
    centre = np.median(np.concatenate(parameters, axis=-1), axis=-1)
    return level, dict(zip(plan.frame.priors, centre.tolist(), strict=True))


def _corners(
    config: Config, area: Area, centre: Mapping[str, float], high: Mapping[str, float], years: Sequence[int]
) -> Array:
    """Level by evaporation and runoff (0: own, 1: high), scenario and year, m BHS."""
    both = [(e, v) for e in (centre[EVAPORATION], high[EVAPORATION]) for v in (centre[VOLGA], high[VOLGA])]
    evaporation, volga = np.array(both).T
    plan = central_plan(config, area, config.period.end)
    found = central_level(plan, centre, {EVAPORATION: evaporation, VOLGA: volga}, years)
    return np.asarray(np.moveaxis(found, -1, 0).reshape(2, 2, *found.shape[:2]).swapaxes(2, 3))


def _needed(
    config: Config, area: Area, centre: Mapping[str, float], rows: pd.DataFrame, after: int, last: int
) -> dict[str, pd.Series[float]]:
    """Sensitivities that reach the published changes of the years after one up to another, by parameter."""
    now = rows[(rows["horizon"] > after) & (rows["horizon"] <= last) & (rows["scenario"] != NO_SCENARIO)]
    names = (EVAPORATION, VOLGA)
    found = needed_values(
        central_plan(config, area, last),
        centre,
        np.repeat(names, len(now)).tolist(),
        np.repeat([FIRST_STEPS[name] for name in names], len(now)).tolist(),
        [*now["scenario"], *now["scenario"]],
        np.tile(now["change"].to_numpy() + basis_level(), 2),
        [*now["horizon"], *now["horizon"]],
    )
    return {name: pd.Series(part, now.index) for name, part in zip(names, np.split(found, 2), strict=True)}


USE_AS_TODAY = "use of water as today; no measures"


def _water_use(config: Config) -> str:
    if not config.consumption.change:
        return USE_AS_TODAY
    return f"growth of the use of water by {', '.join(config.consumption.change)} as configured; no measures"
