"""The one main road: a configuration becomes forcing, and forcing is integrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import BayHistory, follow_sea_level, observed_level_at
from caspian_sim.basin.hypsometry import Hypsometry, constant_area, load_hypsometry, read_hypsometry_csv
from caspian_sim.basin.rivers import inflow_shape
from caspian_sim.basin.strait import strait_state
from caspian_sim.basin.volume_table import VolumeTable
from caspian_sim.climate.draws import draw_inputs
from caspian_sim.climate.scenario import ScenarioClimate, scenario_climate
from caspian_sim.climate.seasons import level_departure_at_month_edges, net_evaporation_departure
from caspian_sim.climate.variability import recorded_variability
from caspian_sim.collect import Calendar, Frame, Members, collect_members
from caspian_sim.config import Config, Measure, available_measures, overridden_parameters
from caspian_sim.data import Parameter
from caspian_sim.errors import ConfigError
from caspian_sim.forcing import Forcing, side_by_side
from caspian_sim.measures.consumption import consumption_change
from caspian_sim.measures.programme import ProgrammeEffect, measures_of, programme_effect, volume_prior
from caspian_sim.solve import Solution, Watch, solve

Array = NDArray[np.float64]

# Working range of the look-up table, m BHS; a curve of a user's own may be shorter.
LOWEST_LEVEL, HIGHEST_LEVEL = -100.0, -20.0
# The baseline 2003-2022 is closed by the level of 2023: an earlier start would know its own future.
EARLIEST_START = 2024
# The full bay forgets its start with a time of one year: after ten, 0.05 mm of its level at most is left.
BAY_HISTORY_STARTS = 2016


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
    full = kara_bogaz_gol().volume(observed_level_at(calendar.edges[:1]))
    history = bay_record(
        calendar, parameters, np.resize(full, len(parameters["strait_sill"])), start_year - 1
    )
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
    external = calendar.by_month(climate.inflow.sum(axis=0))
    external *= inflow_shape(calendar.fractions).ravel()[:, None]
    external += parameters["groundwater"]
    if effect.measures:
        external += effect.inflow
    if consumption.any():
        external -= consumption[:, None]
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    opening = opening * effect.opening
    # One row for all months where the strait is never touched, which is most often.
    same = (opening == opening[0]).all() and (recut == recut[0]).all()
    known = slice(1) if same else slice(None)
    return Forcing(
        length=calendar.length,
        first_year=int(calendar.years[0]),
        external=external,
        precipitation=climate.precipitation,
        evaporation=climate.evaporation,
        strait_coefficient=opening[known, None] * _strait_coefficient(recut[known], parameters),
        pipe_outflow=pipes[:, None],
        bay_net_evaporation=climate.bay_net_evaporation,
        season=net_evaporation_departure(calendar.fractions).ravel(),
    )


def _hypsometry(config: Config) -> Hypsometry:
    return (
        load_hypsometry() if config.basin.hypsometry is None else read_hypsometry_csv(config.basin.hypsometry)
    )


@dataclass(frozen=True)
class Plan:
    """A run before any member is drawn: everything that follows from the configuration alone.

    Attributes
    ----------
    frame : Frame
        What the dataset needs.
    table : VolumeTable
        Level and area of the sea by volume.
    shape : Hypsometry
        Curve of the balance: the sea's own, or a box when the area is held constant.
    start : float
        Level at the start, m BHS.
    programmes : mapping of name to list of Measure
    inputs : mapping of name to Parameter
        Priors of the numbers that a member draws once, ``parameter:<name>`` and ``measure:<id>``. Their order
        is that of the dimensions of a Sobol sequence: every parameter and every measure that there could be,
        whether the run varies it or not.
    """

    frame: Frame
    table: VolumeTable
    shape: Hypsometry
    start: float
    programmes: Mapping[str, Sequence[Measure]]
    inputs: Mapping[str, Parameter]


def make_plan(config: Config) -> Plan:
    """Work out what all members of a run share.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Plan

    Raises
    ------
    ConfigError, DataError, OutOfRangeError
        When the start or the hypsometry of the configuration cannot be used.
    """
    calendar = Calendar(config.period.start, config.period.end, config.output.frequency)
    curve = _hypsometry(config)
    start, reference = initial_level(config)
    if not curve.node_level[0] < start < curve.node_level[-1]:
        where = config.basin.hypsometry or "the shipped hypsometry"
        raise ConfigError(
            f"{where}: the table does not reach the level at the start\n"
            f"    found    {curve.node_level[0]:g} to {curve.node_level[-1]:g} m BHS\n"
            f"    allowed  a range of levels around {start:.2f} m BHS, wide enough for the whole run"
        )
    shape = constant_area(start, curve.area(start)) if config.climate.area_convention == "constant" else curve
    bottom, top = shape.node_level[0], shape.node_level[-1]
    available = config.measures.available()
    priors = overridden_parameters(config.parameters)
    known = available_measures("default", config.measures.custom).values()
    frame = Frame(
        config=config,
        calendar=calendar,
        watch=Watch(tuple(config.outcomes.thresholds_m)),
        reference_volume=shape.reference_volume,
        curve=curve,
        reference_level=reference,
        measures=available,
        priors=priors,
        consumption=consumption_change(config.consumption.change, calendar.years, calendar.months),
    )
    return Plan(
        frame=frame,
        table=shape.volume_table(max(bottom, LOWEST_LEVEL), min(top, HIGHEST_LEVEL)),
        shape=shape,
        start=start,
        programmes={name: measures_of(p, available) for name, p in config.programmes.items()},
        inputs={
            **{f"parameter:{name}": prior for name, prior in priors.items()},
            **{f"measure:{measure.id}": volume_prior(measure) for measure in known},
        },
    )


@dataclass(frozen=True)
class Integrated:
    """Climate, measures and water balance of some members, in all scenarios and programmes.

    Attributes
    ----------
    parameters : mapping of name to ndarray, shape (member,)
    effects : list of ProgrammeEffect
        One for each programme.
    climates : list of ScenarioClimate
        One for each scenario.
    solution : Solution
        Columns are scenarios, in them programmes, in them members.
    """

    parameters: Mapping[str, Array]
    effects: list[ProgrammeEffect]
    climates: list[ScenarioClimate]
    solution: Solution


def integrate(
    plan: Plan,
    members: NDArray[np.int64],
    inputs: Mapping[str, Array],
    each_month: Callable[[], None] | None = None,
) -> Integrated:
    """Integrate members whose parameters and volumes of measures are given.

    Parameters
    ----------
    plan : Plan
    members : ndarray of int, shape (member,)
        Numbers of the members, which find their variability; a number may come more than once.
    inputs : mapping of name to ndarray, shape (member,)
        Values of all of ``plan.inputs`` that the run needs.
    each_month : callable, optional
        Called after every month, for progress.

    Returns
    -------
    Integrated
    """
    frame, config, calendar = plan.frame, plan.frame.config, plan.frame.calendar
    parameters = {name: inputs[f"parameter:{name}"] for name in frame.priors}
    sea = plan.shape.volume(plan.start + parameters["initial_level_error"]) - frame.reference_volume
    effects = [
        programme_effect(measures, calendar.years, calendar.months, len(members), inputs)
        for measures in plan.programmes.values()
    ]
    climates = [
        scenario_climate(
            scenario,
            calendar.calendar_years,
            members,
            parameters,
            config.uncertainty.seed,
            recorded_variability(),
            config.uncertainty.variability,
        )
        for scenario in config.climate.scenarios
    ]
    forcings = [
        monthly_forcing(calendar, climate, parameters, frame.consumption.sum(axis=0), effect)
        for climate in climates
        for effect in effects
    ]
    every = len(forcings)
    factor, sill = (np.tile(parameters[name], every) for name in ("area_factor", "strait_sill"))

    def name(column: int) -> str:
        pair, who = divmod(column, len(members))
        scenario, programme = divmod(pair, len(effects))
        where = config.climate.scenarios[scenario], list(plan.programmes)[programme]
        return f"member {members[who]} under {where[0]} with programme {where[1]}"

    solution = solve(
        side_by_side(forcings),
        Basin(plan.table, kara_bogaz_gol(), factor, sill),
        np.tile(sea, every) * factor,
        np.tile(bay_at_start(config.period.start, parameters), every),
        calendar.interval,
        method=config.solver.method,
        steps_per_month=config.solver.steps_per_month,
        tolerance_mm=config.solver.tolerance_mm,
        watch=frame.watch,
        each_month=each_month,
        name=name,
    )
    return Integrated(parameters, effects, climates, solution)


def run_members(
    plan: Plan, members: NDArray[np.int64], each_month: Callable[[], None] | None = None
) -> Members:
    """Draw and integrate some members in all scenarios and programmes.

    Parameters
    ----------
    plan : Plan
    members : ndarray of int, shape (member,)
        Numbers of the members; their results do not depend on which others run with them.
    each_month : callable, optional
        Called after every month, for progress.

    Returns
    -------
    Members
    """
    drawn = plan.frame.config.uncertainty
    inputs = draw_inputs(
        plan.inputs, members, drawn.seed, drawn.sampling, central=drawn.parameters == "central"
    )
    run = integrate(plan, members, inputs, each_month)
    return collect_members(plan.frame, members, run.parameters, run.effects, run.climates, run.solution)
