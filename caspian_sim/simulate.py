"""The one main road: a configuration becomes forcing, and forcing is integrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.shallows import shallow_weight
from caspian_sim.basin.strait import strait_regime
from caspian_sim.climate.draws import draw_inputs
from caspian_sim.climate.months import total_inflow_by_month, vertical_fluxes
from caspian_sim.climate.own.forcing import with_own_series
from caspian_sim.climate.scenario import ScenarioClimate, scenario_climate
from caspian_sim.climate.seasons import level_departure_at_month_edges
from caspian_sim.collect import Calendar, Members, collect_members
from caspian_sim.forcing import Forcing, side_by_side
from caspian_sim.measures.effect import ProgrammeEffect, programme_effect
from caspian_sim.plan import ROW, Plan
from caspian_sim.record.bay import YEARS_TO_FORGET, bay_under_annual_levels, strait_coefficient
from caspian_sim.record.observations import Observations, without_gaps
from caspian_sim.record.start import draw_start, estimate_state
from caspian_sim.solve import Solution, solve

Array = NDArray[np.float64]

# Rows of the posterior that the members have, among the drawn inputs.
ROWS = "posterior:rows"


def bay_at_start(start_year: int, parameters: Mapping[str, Array], observed: Observations) -> Array:
    """Water in Kara-Bogaz-Gol at the start of a projection, from its last ten years under the observed level.

    Parameters
    ----------
    start_year : int
        First year of the projection; the years between the last level and it are passed over.
    parameters : mapping of name to ndarray, shape (member,)
    observed : Observations

    Returns
    -------
    ndarray, shape (member,)
        Volume over the floor of the bay, km³.
    """
    known = observed.until(start_year - 1)
    level = without_gaps(known.level)[-YEARS_TO_FORGET:]
    first = int(known.year[-len(level)])
    full = np.full(len(parameters["strait_sill"]), kara_bogaz_gol().volume(level[0]))
    return np.asarray(bay_under_annual_levels(first, level, parameters, full)[1][-1])


def monthly_forcing(
    calendar: Calendar,
    climate: ScenarioClimate,
    parameters: Mapping[str, Array],
    consumption: Array,
    effect: ProgrammeEffect,
    strait: str = "recut",
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
    strait : str
        State of the strait, one of :data:`caspian_sim.basin.strait.REGIMES`, apart from the measures.

    Returns
    -------
    Forcing
        The means over the months of a year are the annual values, exactly.
    """
    external = total_inflow_by_month(climate, calendar.fractions)
    external += parameters["groundwater"]
    if effect.measures:
        external += effect.inflow
    if consumption.any():
        external -= consumption[:, None]
    opening, recut, pipes = strait_regime(strait, len(calendar.years))
    acting = effect.opening if effect.opening.ndim > 1 else effect.opening[:, None]
    opening = opening[:, None] * acting
    # One row for all months where the strait is never touched, which is most often.
    same = (opening == opening[0]).all() and (recut == recut[0]).all()
    known = slice(1) if same else slice(None)
    precipitation, evaporation, bay, season = vertical_fluxes(climate, calendar.fractions)
    return Forcing(
        length=calendar.length,
        first_year=int(calendar.years[0]),
        external=external,
        precipitation=precipitation,
        evaporation=evaporation,
        strait_coefficient=opening[known] * strait_coefficient(recut[known], parameters),
        pipe_outflow=pipes[:, None],
        bay_net_evaporation=bay,
        season=season,
        **_gates(effect, len(parameters["groundwater"])),
    )


def _gates(effect: ProgrammeEffect, members: int) -> dict[str, Array]:
    """Rule of a regulated strait, with a column for every member; nothing without one."""
    if effect.closed_below is None or effect.closing is None:
        return {}
    closing = np.broadcast_to(effect.closing, (len(effect.closing), members))
    return {"closed_below": np.full((1, members), effect.closed_below), "closing": closing}


def member_inputs(plan: Plan, members: NDArray[np.int64]) -> dict[str, Array]:
    """Draw every number that a member draws once: parameters and volumes of measures.

    Parameters
    ----------
    plan : Plan
    members : ndarray of int, shape (member,)

    Returns
    -------
    dict of name to ndarray, shape (member,)
        Under the names of ``plan.inputs``, and under :data:`ROWS` the rows of the posterior.
    """
    drawn = plan.frame.config.uncertainty
    inputs = draw_inputs(
        plan.inputs, members, drawn.seed, drawn.sampling, central=drawn.parameters == "central"
    )
    if plan.calibrated is not None:
        rows = plan.calibrated.rows(inputs[ROW])
        inputs[ROWS] = rows.astype(float)
        for name, values in plan.calibrated.parameters.items():
            inputs[f"parameter:{name}"] = values[rows]
    return inputs


def initial_volume(plan: Plan, area_factor: Array, volume: Array) -> Array:
    """Volume anomaly at the start of the balance, km³, shape (member,).

    Parameters
    ----------
    plan : Plan
    area_factor : ndarray, shape (member,)
    volume : ndarray, shape (member,)
        Anomaly without the season of New Year, from the state of the record, km³. A level that the
        configuration gives takes its place.
    """
    level = np.full(len(volume), plan.start)
    if plan.frame.config.initial.level_m is None:
        shipped = load_hypsometry()
        level = shipped.level(volume / area_factor + shipped.reference_volume)
        level = level + level_departure_at_month_edges()[0]
    return np.asarray(area_factor * (plan.sea.shape.volume(level) - plan.frame.reference_volume))


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
    before, drawn = config.period.start - 1, config.uncertainty
    if plan.calibrated is not None and plan.calibrated.estimate is not None and ROWS in inputs:
        estimate = plan.calibrated.estimate.take(inputs[ROWS].astype(np.int64))
    else:
        estimate = estimate_state(parameters, plan.observed, before)
    begun = draw_start(estimate, drawn.seed, members, drawn.variability)
    sea = initial_volume(plan, parameters["area_factor"], begun.volume)
    effects = [
        programme_effect(measures, calendar.years, calendar.months, len(members), inputs)
        for measures in plan.programmes.values()
    ]
    climates = [
        with_own_series(
            scenario_climate(
                scenario, calendar.calendar_years, members, parameters, drawn.seed, begun, drawn.variability
            ),
            plan.own,
            scenario,
            members,
            parameters,
        )
        for scenario in config.climate.scenarios
    ]
    forcings = [
        monthly_forcing(
            calendar, climate, parameters, frame.consumption.sum(axis=0), effect, config.basin.strait
        )
        for climate in climates
        for effect in effects
    ]
    every = len(forcings)
    factor, sill = (np.tile(parameters[name], every) for name in ("area_factor", "strait_sill"))
    share, weight = plan.sea.shallow_share, None
    if share is not None:
        weight = np.tile(shallow_weight(parameters["shallow_evaporation"], share), every)

    def name(column: int) -> str:
        pair, who = divmod(column, len(members))
        scenario, programme = divmod(pair, len(effects))
        where = config.climate.scenarios[scenario], list(plan.programmes)[programme]
        return f"member {members[who]} under {where[0]} with programme {where[1]}"

    solution = solve(
        side_by_side(forcings),
        Basin(plan.sea.table, kara_bogaz_gol(), factor, sill, weight),
        np.tile(sea, every),
        np.tile(bay_at_start(config.period.start, parameters, plan.observed), every),
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
    run = integrate(plan, members, member_inputs(plan, members), each_month)
    return collect_members(plan.frame, members, run.parameters, run.effects, run.climates, run.solution)
