"""Annual levels of programmes that are paired: same members, same climate in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import MONTHS
from caspian_sim.config import Config, Measure, available_measures
from caspian_sim.ensemble import COLUMNS
from caspian_sim.evaluate.sensitivity import STEPS_PER_MONTH, WORTH_COMPILING, compiled, on_all_cores
from caspian_sim.measures.effect import ProgrammeEffect
from caspian_sim.measures.inputs import volume_prior
from caspian_sim.measures.programme import growth_of
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

NOBODY = "none"
WHOLE = "whole catalogue"
"""All measures that raise the level, by all states, but for those that stand in the place of another one.
No name in a configuration has a blank."""


def plan_of_levels(config: Config, last_year: int, runs: int) -> Plan:
    """Plan of a configuration up to a year, for its annual levels alone.

    Parameters
    ----------
    config : Config
    last_year : int
    runs : int
        Runs of a member in a scenario that will be asked for: many are worth compiling.

    Returns
    -------
    Plan
    """
    settings = config.model_copy(
        update={
            "period": config.period.model_copy(update={"end": last_year}),
            "outcomes": config.outcomes.model_copy(update={"thresholds_m": ()}),
            "output": config.output.model_copy(update={"frequency": "annual"}),
            "solver": config.solver.model_copy(update={"steps_per_month": STEPS_PER_MONTH}),
        }
    )
    if runs * config.uncertainty.members * len(config.climate.scenarios) >= WORTH_COMPILING:
        settings = compiled(settings)
    return make_plan(settings)


def raising_measures(config: Config) -> dict[str, Measure]:
    """Measures of the catalogue and the configuration that raise the level, by id.

    Those that the configuration leaves out count too: they could be carried out. What avoids growth of use
    counts where the run has that growth; what moves water within the year does not raise the level.
    """
    growth = {entry.id for entry in growth_of(config.measures.available())}
    return {
        name: measure
        for name, measure in available_measures("default", config.measures.custom).items()
        if measure.role == "measure"
        and (measure.avoids is None or measure.avoids in growth)
        and (
            measure.mechanism == "strait_regulation"
            or (measure.moved_km3 is None and volume_prior(measure).best > 0.0)
        )
    }


def whole_catalogue(measures: Mapping[str, Measure]) -> list[Measure]:
    """Measures that can be carried out together: none in the place of another one, and one rule for gates."""
    chosen: list[Measure] = []
    for measure in measures.values():
        gates = measure.closed_below_m is not None and any(m.closed_below_m is not None for m in chosen)
        if measure.alternative_to not in measures and not gates:
            chosen.append(measure)
    return chosen


def water_brought(plan: Plan, effects: Sequence[ProgrammeEffect], outflow: Array) -> Array:
    """Work out the water that measures bring: inflow, and outflow to Kara-Bogaz-Gol that they stop.

    Parameters
    ----------
    plan : Plan
    effects : sequence of ProgrammeEffect
        Of the programmes; the first is the one without measures.
    outflow : ndarray, shape (year, scenario, programme, member)
        Annual mean outflow to the bay, km³/yr.

    Returns
    -------
    ndarray, shape (year, scenario, programme, member)
        km³/yr: in years in which a programme regulates the strait, with what flows out without measures less
        what flows out with it.
    """
    mean = plan.frame.calendar.interval_mean
    inflow = np.stack([mean(np.ascontiguousarray(effect.inflow.T)).T for effect in effects], axis=1)
    stopped = np.where(
        np.stack([_regulated(effect) for effect in effects], axis=1)[:, None, :, None],
        outflow[:, :, :1] - outflow,
        0.0,
    )
    return np.asarray((inflow - inflow[:, :1])[:, None] + stopped)


def _regulated(effect: ProgrammeEffect) -> NDArray[np.bool_]:
    """Whether measures act in the strait in each year, shape (year,)."""
    acts = (effect.opening < 1.0).reshape(len(effect.opening), -1).any(axis=1)
    if effect.closing is not None:
        acts |= (effect.closing > 0.0).any(axis=1)
    return np.asarray(acts.reshape(-1, MONTHS).any(axis=1))


def member_parts(plan: Plan, columns_of_a_member: int) -> list[NDArray[np.int64]]:
    """Members of a plan in parts that suit the processor's cache."""
    size = max(1, COLUMNS // columns_of_a_member)
    members = np.arange(plan.frame.config.uncertainty.members)
    return [members[begin : begin + size] for begin in range(0, len(members), size)]


def paired_levels(
    plan: Plan, programmes: Mapping[str, Sequence[Measure]], progress: Progress | None = None
) -> Array:
    """Annual mean level under some programmes, with common draws.

    Parameters
    ----------
    plan : Plan
    programmes : mapping of name to list of Measure
        In place of those of the plan.
    progress : callable, optional
        Called with the batches done and the batches in all.

    Returns
    -------
    ndarray, shape (scenario, programme, member, year)
        m BHS.
    """
    plan = replace(plan, programmes=programmes)
    shape = (len(plan.frame.config.climate.scenarios), len(programmes))

    def levels(members: NDArray[np.int64]) -> Array:
        found = integrate(plan, members, member_inputs(plan, members)).solution.level
        return np.moveaxis(found.reshape(-1, *shape, len(members)), 0, -1)

    parts: list[Array] = []
    batches = member_parts(plan, shape[0] * shape[1])
    for part in on_all_cores(levels, batches):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(batches))
    return np.concatenate(parts, axis=2)


def quantiles(values: Array, axis: int) -> tuple[Array, Array, Array]:
    """5 % point, median and 95 % point along an axis."""
    # A value of the sample, not one between two of them: these may be infinite.
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95], axis=axis, method="inverted_cdf")
    return low, middle, high
