"""Programmes by the intensity of their measures, and runs of many of them with common draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config import Config, Measure
from caspian_sim.config.ranges import ShareRange
from caspian_sim.cooperate.coalitions import FEWEST_TOGETHER, STATES, joint_programme
from caspian_sim.cooperate.paired import raising_measures, water_brought
from caspian_sim.ensemble import COLUMNS
from caspian_sim.evaluate.sensitivity import on_all_cores
from caspian_sim.measures.cost import COSTS, known_costs
from caspian_sim.measures.effect import ProgrammeEffect
from caspian_sim.measures.programme import growth_of, measures_of
from caspian_sim.plan import Plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

MOST_PROGRAMMES = 32
"""Programmes of a batch, at most: so that all processors have work."""


def choosable(config: Config, programme: str | None) -> list[Measure]:
    """Measures that raise the level: those of a programme, as it carries them out, or of the whole catalogue.

    Raises
    ------
    ConfigError
        When there is no programme of that name.
    """
    raising = raising_measures(config)
    if programme is None:
        return list(raising.values())
    carried_out = measures_of(joint_programme(config, programme), config.measures.available())
    return [measure for measure in carried_out if measure.id in raising]


def at_intensity(measure: Measure, share: float) -> Measure:
    """Measure of which a share is carried out, of what is carried out of it anyway.

    Parameters
    ----------
    measure : Measure
    share : float
        From 0 to 1: of its volume, or of what it closes of the strait.
    """
    if share == 1.0:
        return measure
    ends = measure.compliance or ShareRange(low=1.0, best=1.0, high=1.0)
    part = ShareRange(low=share * ends.low, best=share * ends.best, high=share * ends.high)
    return measure.model_copy(update={"compliance": part})


def programme_at(measures: Sequence[Measure], shares: Sequence[float]) -> list[Measure]:
    """Measures at their intensities, without those that nothing is done of."""
    return [at_intensity(m, float(share)) for m, share in zip(measures, shares, strict=True) if share > 0]


def repair_of(measures: Sequence[Measure]) -> Callable[[Steps], Steps]:
    """Make a function that makes programmes possible.

    Of a measure and one that stands in its place only the more intense acts, and of rules for gates in the
    strait only the most intense; the first of them where they are alike.
    """
    ids = [measure.id for measure in measures]
    groups = [
        [ids.index(measure.alternative_to), place]
        for place, measure in enumerate(measures)
        if measure.alternative_to in ids
    ]
    gates = [place for place, measure in enumerate(measures) if measure.closed_below_m is not None]

    def repair(steps: Steps) -> Steps:
        possible = steps.copy()
        for group in [*groups, gates]:
            if len(group) > 1:
                kept = possible[:, group].argmax(axis=1)
                possible[:, group] *= np.arange(len(group)) == kept[:, None]
        return possible

    return repair


@dataclass(frozen=True)
class Runs:
    """What some programmes come to.

    Attributes
    ----------
    avoided : ndarray, shape (scenario, programme, member)
        Annual mean level of the last year above that without measures, m.
    lowest : ndarray, shape (scenario, programme, member)
        Lowest annual mean level of all years, m BHS.
    water : ndarray, shape (scenario, programme, member)
        Water brought in the last year, outflow to the bay that is stopped included, km³/yr.
    inflow, saved : ndarray, shape (state, programme, member)
        Of it the inflow by the measures of each state, and of that what is consumed less, km³/yr.
    """

    avoided: Array
    lowest: Array
    water: Array
    inflow: Array
    saved: Array


def run_programmes(
    plan: Plan,
    programmes: Sequence[Sequence[Measure]],
    members: int,
    progress: Callable[[int, int], None] | None = None,
) -> Runs:
    """Run programmes with common draws.

    Parameters
    ----------
    plan : Plan
        Up to the year that counts.
    programmes : sequence of list of Measure
        Growth of use comes to all of them.
    members : int
        The first members of the plan: numbers do not depend on how many there are.
    progress : callable, optional
        Called with the batches done and the batches in all.

    Returns
    -------
    Runs
    """
    scenarios = len(plan.frame.config.climate.scenarios)
    growth = growth_of(plan.frame.measures)
    together = max(1, min(MOST_PROGRAMMES, COLUMNS // (2 * scenarios * FEWEST_TOGETHER)) - 1)
    size = max(FEWEST_TOGETHER, COLUMNS // (scenarios * (together + 1)))
    blocks = [slice(i, min(i + together, len(programmes))) for i in range(0, len(programmes), together)]
    parts = [slice(i, min(i + size, members)) for i in range(0, members, size)]
    batches = [(block, part) for part in parts for block in blocks]

    def run(batch: tuple[slice, slice]) -> tuple[Array, Array]:
        block, part = batch
        groups = {"none": growth} | {str(i): [*p, *growth] for i, p in enumerate(programmes[block])}
        some = replace(plan, programmes=groups)
        who = np.arange(part.start, part.stop)
        found = integrate(some, who, member_inputs(some, who))
        shape = (-1, scenarios, len(groups), len(who))
        level = found.solution.level.reshape(shape)
        water = water_brought(some, found.effects, found.solution.strait_outflow.reshape(shape))[-1]
        states = [by_state(some, effect) for effect in found.effects[1:]]
        by_level = np.stack([level[-1] - level[-1, :, :1], level.min(axis=0), water])[:, :, 1:]
        return by_level, np.stack(states, axis=2)

    levels = np.empty((3, scenarios, len(programmes), members))
    by_states = np.empty((2, len(STATES), len(programmes), members))
    found = zip(batches, on_all_cores(run, batches), strict=True)
    for done, ((block, part), (level, state)) in enumerate(found, start=1):
        levels[:, :, block, part], by_states[:, :, block, part] = level, state
        if progress is not None:
            progress(done, len(batches))
    return Runs(*levels, *by_states)


def by_state(plan: Plan, effect: ProgrammeEffect) -> Array:
    """Inflow by the measures of each state in the last year, and of it what is consumed less.

    Returns
    -------
    ndarray, shape (2, state, member)
        km³/yr.
    """
    codes = list(STATES)
    found = np.zeros((2, len(codes), effect.volume.shape[1]))
    for measure, share, volume in zip(effect.measures, effect.share, effect.volume, strict=True):
        if measure.role == "measure":
            monthly = np.ascontiguousarray((share * volume).T)
            inflow = plan.frame.calendar.interval_mean(monthly)[:, -1]
            found[0, codes.index(measure.state)] += inflow
            found[1, codes.index(measure.state)] += inflow * (measure.mechanism == "consumption")
    return found


def state_water(runs: Runs, programmes: Sequence[Sequence[Measure]]) -> Array:
    """Water that each state brings, mean over scenarios and members, km³/yr, shape (state, programme).

    Outflow to the bay that is stopped belongs to the state whose measure acts in the strait.
    """
    found: Array = runs.inflow.mean(axis=-1)
    stopped = runs.water.mean(axis=(0, 2)) - found.sum(axis=0)
    for place, programme in enumerate(programmes):
        acting = [m.state for m in programme if m.mechanism == "strait_regulation"]
        if acting:
            found[list(STATES).index(acting[0]), place] += stopped[place]
    return found


def consumption(plan: Plan, members: int) -> Array:
    """Irretrievable consumption of each state today, as members draw it, km³/yr, shape (state, 1, member)."""
    inputs = member_inputs(plan, np.arange(members))
    drawn: Array = np.stack([inputs[f"consumption:{state}"] for state in STATES])
    return drawn[:, None]


def whole_costs(plan: Plan, measures: Sequence[Measure], members: int) -> Array:
    """Known cost of each measure as a whole, million USD, shape (measure, member)."""
    name, last = known_cost_name(), int(plan.frame.calendar.last_year)
    inputs = member_inputs(plan, np.arange(members))
    found: Array = np.array([known_costs([m], last, inputs, members)[name] for m in measures])
    return found


def known_cost_name() -> str:
    """Name of the costs of building: running costs are another thing and not added to them."""
    return next(iter(COSTS))


def has_known_cost(measure: Measure) -> bool:
    """Whether a source says what a measure costs to build."""
    return measure.cost is not None and measure.cost.unit == COSTS[known_cost_name()]
