"""The one main road: a configuration becomes forcing, forcing is integrated, and the result is a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import BayHistory, follow_sea_level, observed_level_at
from caspian_sim.basin.hypsometry import Hypsometry, constant_area, load_hypsometry, read_hypsometry_csv
from caspian_sim.basin.rivers import inflow_shape
from caspian_sim.basin.strait import strait_state
from caspian_sim.climate.draws import draw_parameters
from caspian_sim.climate.scenario import ScenarioClimate, scenario_climate
from caspian_sim.climate.seasons import level_departure_at_month_edges, net_evaporation_departure
from caspian_sim.climate.variability import recorded_variability
from caspian_sim.collect import Calendar, Collector
from caspian_sim.config import Config, load_config, overridden_parameters, parse_config
from caspian_sim.errors import ConfigError, DataError
from caspian_sim.measures.consumption import consumption_change
from caspian_sim.measures.programme import ProgrammeEffect, measures_of, programme_effect
from caspian_sim.results import open_result, used_inputs
from caspian_sim.solve import Forcing, Watch, side_by_side, solve

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

# Columns (scenario, programme, member) that are integrated at once: what stays in the processor's cache.
COLUMNS = 4096
# Working range of the look-up table, m BHS; a curve of a user's own may be shorter.
LOWEST_LEVEL, HIGHEST_LEVEL = -100.0, -20.0
# The baseline 2003-2022 is closed by the level of 2023: an earlier start would know its own future.
EARLIEST_START = 2024
# The history of the bay starts in the years of the dam, when it was empty, and needs no memory of what was
# before.
BAY_HISTORY_STARTS = 1984


def initial_level(config: Config) -> tuple[float, float]:
    """Level at the start of a run, and the level against which falls and exposed seabed are counted.

    Parameters
    ----------
    config : Config

    Returns
    -------
    start, reference : float
        m BHS. From the record, the start is the annual mean of the year before, carried on to the end of that
        year by the recent trend and the mean seasonal cycle; the reference is that annual mean. A level that
        the configuration gives is freed of the season of New Year for the reference.

    Raises
    ------
    ConfigError
        When the record has no level for the year before and the configuration gives none.
    """
    before = config.period.start - 1
    if before < EARLIEST_START - 1:
        raise ConfigError(
            f"a projection cannot start in {config.period.start}\n"
            f"    found    period.start {config.period.start}\n"
            f"    allowed  {EARLIEST_START} or later: the present climate is that of the record up to 2023\n"
            "    hint     caspian-sim hindcast runs the model over the record, 1937 to 2022"
        )
    record = data.load("sea_level_annual")["level"]
    new_year = float(level_departure_at_month_edges()[0])
    if config.initial.level_m is not None:
        return config.initial.level_m, config.initial.level_m - new_year
    if before not in record["year"].values:
        raise ConfigError(
            f"no observed level to start from in {config.period.start}\n"
            f"    found    period.start {config.period.start}, and no initial.level_m\n"
            f"    allowed  period.start up to {int(record['year'][-1]) + 1}, or initial.level_m in m BHS"
        )
    edge = observed_level_at(np.array([before + 1.0]), last_year=before)[0]
    return float(edge + new_year), float(record.sel(year=before))


def bay_record(
    calendar: Calendar, parameters: Mapping[str, Array], start: Array, known_until: int | None = None
) -> BayHistory:
    """Kara-Bogaz-Gol under the observed level of the sea and the history of the strait.

    Parameters
    ----------
    calendar : Calendar
        Months within the record of the level.
    parameters : mapping of name to ndarray, shape (member,)
    start : ndarray, shape (member,)
        Water in the bay at the start, km³.
    known_until : int, optional
        Last annual mean of the level that may be used; the last of the record when not given.

    Returns
    -------
    BayHistory
    """
    seasons = np.resize(level_departure_at_month_edges()[:-1], len(calendar.edges))
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    season = net_evaporation_departure(calendar.fractions).ravel()[:, None]
    return follow_sea_level(
        observed_level_at(calendar.edges, last_year=known_until) + seasons,
        calendar.length,
        kara_bogaz_gol(),
        start,
        opening[:, None] * _strait_coefficient(recut, parameters),
        parameters["strait_sill"],
        pipes,
        season + parameters["bay_net_evaporation"],
    )


def bay_at_start(start_year: int, parameters: Mapping[str, Array]) -> Array:
    """Water in Kara-Bogaz-Gol at the start of a projection, from its history under the observed level.

    Parameters
    ----------
    start_year : int
        First year of the projection.
    parameters : mapping of name to ndarray, shape (member,)

    Returns
    -------
    ndarray, shape (member,)
        Volume over the floor of the bay, km³.
    """
    last = int(data.load("sea_level_annual")["year"][-1])
    calendar = Calendar(BAY_HISTORY_STARTS, min(start_year - 1, last))
    history = bay_record(calendar, parameters, np.zeros(len(parameters["strait_sill"])), start_year - 1)
    return np.asarray(history.volume[-1])


def _strait_coefficient(recut: NDArray[np.bool_], parameters: Mapping[str, Array]) -> Array:
    return np.where(
        recut[:, None],
        parameters["strait_coefficient_after_1992"],
        parameters["strait_coefficient_before_1980"],
    )


def monthly_forcing(
    calendar: Calendar,
    climate: ScenarioClimate,
    parameters: Mapping[str, Array],
    consumption: Array,
    effect: ProgrammeEffect,
) -> Forcing:
    """Turn annual climate and a programme into the forcing of the months.

    Parameters
    ----------
    calendar : Calendar
    climate : ScenarioClimate
    parameters : mapping of name to ndarray, shape (member,)
    consumption : ndarray, shape (month,)
        Change of consumption of all parties, km³/yr.
    effect : ProgrammeEffect

    Returns
    -------
    Forcing
        The means over the months of a year are the annual values, exactly.
    """
    season = net_evaporation_departure(calendar.fractions).ravel()[:, None]
    rivers = calendar.by_month(climate.inflow.sum(axis=0)) * inflow_shape(calendar.fractions).ravel()[:, None]
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    return Forcing(
        length=calendar.length,
        first_year=int(calendar.years[0]),
        external=rivers + parameters["groundwater"] + effect.inflow - consumption[:, None],
        precipitation=calendar.by_month(climate.precipitation),
        evaporation=calendar.by_month(climate.evaporation) + season,
        strait_coefficient=(opening * effect.opening)[:, None] * _strait_coefficient(recut, parameters),
        pipe_outflow=pipes[:, None],
        bay_net_evaporation=calendar.by_month(climate.bay_net_evaporation) + season,
    )


def _hypsometry(config: Config) -> Hypsometry:
    return (
        load_hypsometry() if config.basin.hypsometry is None else read_hypsometry_csv(config.basin.hypsometry)
    )


def run(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Project the level of the Caspian Sea as a configuration asks.

    Parameters
    ----------
    source : path, mapping or Config
        A YAML file, the same as nested dictionaries, or a loaded configuration.
    overrides : sequence of str, optional
        Changes as ``key=value``, for example ``"uncertainty.members=20"``.
    progress : callable, optional
        Called with the months done and the months in all.

    Returns
    -------
    xarray.Dataset
        Dimensions ``scenario, programme, member, time``; see docs/dataset.md. Nothing is written; use
        :func:`caspian_sim.save`.

    Raises
    ------
    ConfigError
        When the configuration is not valid.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> ds = cs.run("configs/quickstart.yaml")
    >>> ds.sea_level.sel(scenario="ssp245", programme="none", time="2050").quantile([0.05, 0.5, 0.95])
    """
    config = load_config(source, overrides)
    calendar = Calendar(config.period.start, config.period.end, config.output.frequency)
    curve = _hypsometry(config)
    start, reference = initial_level(config)
    shape = constant_area(start, curve.area(start)) if config.climate.area_convention == "constant" else curve
    bottom, top = shape.node_level[0], shape.node_level[-1]
    table = shape.volume_table(max(bottom, LOWEST_LEVEL), min(top, HIGHEST_LEVEL))
    watch = Watch(tuple(config.outcomes.thresholds_m))
    consumption = consumption_change(config.consumption.change, calendar.years, calendar.months)
    available = config.measures.available()
    programmes = {name: measures_of(programme, available) for name, programme in config.programmes.items()}
    scenarios = config.climate.scenarios
    pairs = [(s, p) for s in range(len(scenarios)) for p in range(len(programmes))]
    members = np.arange(config.uncertainty.members)
    size = max(1, COLUMNS // len(pairs))
    chunks = [members[begin : begin + size] for begin in range(0, len(members), size)]
    done, total = 0, len(chunks) * len(calendar.years)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    priors = overridden_parameters(config.parameters)
    collector = Collector(
        config, calendar, watch, shape.reference_volume, curve, reference, available, priors
    )
    central, seed = config.uncertainty.parameters == "central", config.uncertainty.seed
    for chunk in chunks:
        parameters = draw_parameters(priors, chunk, seed, central)
        level = start + parameters["initial_level_error"]
        sea = (shape.volume(level) - shape.reference_volume) * parameters["area_factor"]
        bay = bay_at_start(config.period.start, parameters)
        effects = {
            name: programme_effect(measures, calendar.years, calendar.months, chunk, seed, central)
            for name, measures in programmes.items()
        }
        collector.add_members(chunk, parameters, list(effects.values()))
        forcings = []
        for s, scenario in enumerate(scenarios):
            climate = scenario_climate(
                scenario,
                calendar.calendar_years,
                chunk,
                parameters,
                seed,
                recorded_variability(),
                config.uncertainty.variability,
            )
            collector.add_climate(s, chunk, climate)
            forcings += [
                monthly_forcing(calendar, climate, parameters, consumption.sum(axis=0), effect)
                for effect in effects.values()
            ]
        every = len(pairs)
        solution = solve(
            side_by_side(forcings),
            Basin(
                table,
                kara_bogaz_gol(),
                np.tile(parameters["area_factor"], every),
                np.tile(parameters["strait_sill"], every),
            ),
            np.tile(sea, every),
            np.tile(bay, every),
            calendar.interval,
            method=config.solver.method,
            steps_per_month=config.solver.steps_per_month,
            tolerance_mm=config.solver.tolerance_mm,
            watch=watch,
            each_month=tick,
        )
        collector.count(solution)
        for column, (s, p) in enumerate(pairs):
            part = solution.columns(slice(column * len(chunk), (column + 1) * len(chunk)))
            collector.add_solution(s, p, chunk, part, parameters["area_factor"])
    return collector.dataset(consumption)


def reproduce(result: str | Path | xr.Dataset, *, progress: Progress | None = None) -> xr.Dataset:
    """Run again what a result was made from.

    Parameters
    ----------
    result : path or xarray.Dataset
        A saved result, its directory, or the dataset itself.
    progress : callable, optional
        As for :func:`run`.

    Returns
    -------
    xarray.Dataset
        The same numbers, when inputs and version are the same.

    Raises
    ------
    DataError
        When the result does not carry its configuration, or an input has changed since.
    """
    dataset = result if isinstance(result, xr.Dataset) else open_result(result)
    if "config" not in dataset.attrs:
        raise DataError("the result does not say what it was made from\n    found    no attribute config")
    config = parse_config(dataset.attrs["config"], "config of the result")
    then, now = json.loads(dataset.attrs["input_sha256"]), used_inputs(config)
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        raise DataError(
            "inputs have changed since the result was made\n"
            f"    found    {', '.join(changed)}\n"
            f"    hint     the result was made with caspian_sim {dataset.attrs['version']}"
        )
    return run(config, progress=progress)
