"""Trade-offs: what more effort buys, over programmes of measures at any intensity, and how robust it is.

What a programme does is worked out by running it (:mod:`caspian_sim.cooperate.intensity`), never by adding up
what its measures do alone. The search (:mod:`caspian_sim.cooperate.search`) uses the first members; the
programmes on its front are then run with all of them, and what no longer lies on the front is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.config import Config, Measure, load_config
from caspian_sim.cooperate.intensity import (
    Runs,
    choosable,
    consumption,
    has_known_cost,
    programme_at,
    repair_of,
    run_programmes,
    whole_costs,
)
from caspian_sim.cooperate.paired import plan_of_levels
from caspian_sim.cooperate.pareto import OBJECTIVES, Choice, Found, tradeoffs_dataset
from caspian_sim.cooperate.search import (
    Evaluate,
    Tried,
    every,
    everything,
    evolve,
    front,
    require_optimiser,
    thinned,
    try_all,
)
from caspian_sim.cooperate.target import HIGHEST, LOWEST
from caspian_sim.errors import ConfigError, OutOfRangeError
from caspian_sim.measures.programme import measures_of
from caspian_sim.plan import Plan

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

YEAR = 2050
STEPS = 4
POPULATION, GENERATIONS = 48, 40
SEARCHED_WITH = 64
"""Members of the search."""
MOST_POINTS, MOST_RIVALS = 60, 12
"""Programmes that are run with all members: of the front over all scenarios, and of that of each scenario."""
FEWEST_MEASURES = 2
SEARCHING, CONFIRMING = "searching", "all members"


def chosen(
    config: Config,
    *,
    year: int | None = None,
    objective: str = "water",
    level: float | None = None,
    steps: int = STEPS,
    population: int = POPULATION,
    generations: int = GENERATIONS,
    programme: str | None = None,
) -> Choice:
    """Check what is asked for and put in what is not said; parameters as for :func:`tradeoffs`."""
    first, last = config.period.start, config.period.end
    if year is None:
        year = YEAR if first <= YEAR <= last else last
    if level is None:
        if not config.outcomes.thresholds_m:
            raise ConfigError(
                "no level to stay above\n    found    no outcomes.thresholds_m\n"
                "    hint     --level M, or a threshold in the configuration"
            )
        level = max(config.outcomes.thresholds_m)
    for what, found, allowed, fine in (
        ("the year lies outside the period", year, f"{first} to {last}", first <= year <= last),
        ("there is no such objective", repr(objective), ", ".join(OBJECTIVES), objective in OBJECTIVES),
        (
            "the level is out of range",
            f"{level:g}",
            f"{LOWEST:g} to {HIGHEST:g} m BHS",
            LOWEST <= level <= HIGHEST,
        ),
        ("the steps of intensity are out of range", steps, "1 to 100", 1 <= steps <= 100),
        ("the population is out of range", population, "4 to 1000", 4 <= population <= 1000),
        ("the generations are out of range", generations, "1 to 10000", 1 <= generations <= 10_000),
    ):
        if not fine:
            raise OutOfRangeError(f"{what}\n    found    {found}\n    allowed  {allowed}")
    choice = Choice(year, objective, level, steps, population, generations, programme)
    if not _all_are_tried(len(measures_to_choose(config, choice)[0]), choice):
        require_optimiser()
    return choice


def measures_to_choose(config: Config, choice: Choice) -> tuple[list[Measure], list[Measure]]:
    """Measures whose intensity is chosen, and others that raise the level but do not know this effort.

    Raises
    ------
    ConfigError
        When there are fewer than two to choose from.
    """
    measures = choosable(config, choice.programme)
    knows: dict[str, Callable[[Measure], bool]] = {
        "water": lambda measure: True,
        "share": lambda measure: measure.mechanism == "consumption",
        "cost": has_known_cost,
    }
    inside = [measure for measure in measures if knows[choice.objective](measure)]
    if len(inside) < FEWEST_MEASURES:
        what = {"cost": " with a known cost", "share": " that save consumption", "water": ""}
        raise ConfigError(
            f"a trade-off needs {FEWEST_MEASURES} measures{what[choice.objective]}\n"
            f"    found    {len(inside)} of {len(measures)} that raise the level\n"
            "    hint     measures.custom takes your own, with their cost; --objective water needs no cost"
        )
    return inside, [measure for measure in measures if measure not in inside]


def _programmes_to_try(measures: int, choice: Choice) -> int:
    return int(min((choice.steps + 1) ** measures, choice.population * choice.generations))


def _all_are_tried(measures: int, choice: Choice) -> bool:
    return bool((choice.steps + 1) ** measures <= choice.population * choice.generations)


def tradeoffs(
    source: str | Path | Mapping[str, object] | Config,
    *,
    year: int | None = None,
    objective: str = "water",
    level: float | None = None,
    steps: int = STEPS,
    programme: str | None = None,
    population: int = POPULATION,
    generations: int = GENERATIONS,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Programmes that avoid most of the fall for their effort, and how robust they are.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`. Its scenarios count alike.
    year : int, optional
        Year whose level counts; 2050, or else the last year of the period, when not given.
    objective : {"water", "share", "cost"}
        Effort: see :data:`caspian_sim.cooperate.pareto.OBJECTIVES`. With ``share`` measures that save
        consumption are chosen from, with ``cost`` those whose cost a source gives.
    level : float, optional
        Level to stay above until the year, m BHS; the highest of ``outcomes.thresholds_m`` when not given.
    steps : int
        Intensities of a measure from nothing to all of it; 1 is on or off.
    programme : str, optional
        Programme of the configuration whose measures are chosen from, as it carries them out; every measure
        of the catalogue and the configuration that raises the level when not given.
    population, generations : int
        Of the search (NSGA-II); where there are no more programmes than it would try, all of them are tried.
    progress : callable, optional
        Called with the stage, the steps done and the steps in all.

    Returns
    -------
    xarray.Dataset
        By ``point`` of the front, by rising effort: ``intensity`` by ``measure`` (0 to 1), ``effort`` and
        ``avoided_fall`` (m), means over members and scenarios with 5 and 95 % points; ``state_water``
        (km³/yr) and ``state_share`` (of consumption) by ``state``; by ``scenario`` the mean
        ``scenario_avoided_fall``, ``kept_share``, ``regret`` and ``regret_at_effort`` (m), with
        ``kept_share_least``, ``regret_most`` and ``regret_at_effort_most`` over the scenarios
        (:mod:`caspian_sim.cooperate.robust`). ``alone_effort`` and ``alone_avoided_fall`` by ``measure``,
        and ``programme_effort`` and ``programme_avoided_fall`` by ``programme`` of the configuration.
        ``hypervolume`` and ``tried`` by ``generation`` of the search.

    Raises
    ------
    ConfigError, OutOfRangeError
        When the configuration or what is asked for cannot be used.
    CaspianError
        Without the extra ``optimise``, when a search is needed.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.tradeoffs("configs/quickstart.yaml").avoided_fall
    """
    began = time.perf_counter()
    config = load_config(source, overrides)
    choice = chosen(
        config,
        year=year,
        objective=objective,
        level=level,
        steps=steps,
        population=population,
        generations=generations,
        programme=programme,
    )
    measures, left_out = measures_to_choose(config, choice)
    plan = plan_of_levels(config, choice.year, _programmes_to_try(len(measures), choice))
    tried = _search(plan, measures, choice, progress)
    shares = tried.steps[_candidates(tried)] / choice.steps
    # The candidates first, then each measure alone, then the programmes of the configuration.
    named = _named(config, measures, choice)
    groups = [programme_at(measures, row) for row in shares]
    groups += [[measure] for measure in measures] + list(named.values())
    members = config.uncertainty.members
    runs = run_programmes(plan, groups, members, _stage(progress, CONFIRMING))
    inside = [[measure.id in {m.id for m in used} for measure in measures] for used in named.values()]
    of_named = np.array(inside, dtype=np.float64).reshape(-1, len(measures))
    all_shares = np.concatenate([shares, np.eye(len(measures)), of_named])
    effort = _efforts(plan, measures, all_shares, runs, choice.objective, members)
    exact = _all_are_tried(len(measures), choice)
    found = Found(choice, measures, left_out, shares, groups, runs, effort, tried, list(named), exact)
    dataset = tradeoffs_dataset(config, plan, found)
    dataset.attrs["seconds"] = f"{time.perf_counter() - began:.1f}"
    return dataset


def _stage(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(stage, done, total)


def evaluator(plan: Plan, measures: Sequence[Measure], choice: Choice) -> Evaluate:
    """Make the function that is optimised: runs programmes with the first members.

    Parameters
    ----------
    plan : Plan
    measures : sequence of Measure
        Those whose intensity is chosen.
    choice : Choice

    Returns
    -------
    callable
        Mean effort, and mean avoided fall over all scenarios, then in each of them.
    """
    members = min(SEARCHED_WITH, plan.frame.config.uncertainty.members)

    def evaluate(steps: NDArray[np.int64]) -> tuple[Array, Array]:
        shares = steps / choice.steps
        runs = run_programmes(plan, [programme_at(measures, row) for row in shares], members)
        effort = _efforts(plan, measures, shares, runs, choice.objective, members)
        return effort.mean(axis=-1), np.vstack([runs.avoided.mean(axis=(0, 2)), runs.avoided.mean(axis=2)])

    return evaluate


def _search(plan: Plan, measures: Sequence[Measure], choice: Choice, progress: Progress | None) -> Tried:
    evaluate, repair = evaluator(plan, measures, choice), repair_of(measures)
    stage = _stage(progress, SEARCHING)
    if _all_are_tried(len(measures), choice):
        programmes = every(len(measures), choice.steps, repair)
        whole = everything(len(measures), choice.steps, repair)
        return try_all(evaluate, programmes, whole, choice.population, stage)
    return evolve(
        evaluate,
        len(measures),
        choice.steps,
        repair,
        population=choice.population,
        generations=choice.generations,
        seed=plan.frame.config.uncertainty.seed,
        progress=stage,
    )


def _candidates(tried: Tried) -> NDArray[np.int64]:
    """Programmes to run with all members: the front, and the best of each scenario as their rivals."""
    chosen_ones: list[NDArray[np.int64]] = []
    for effect, most in zip(tried.effects, [MOST_POINTS] + [MOST_RIVALS] * len(tried.effects), strict=False):
        points = front(tried.effort, effect)
        chosen_ones.append(points[thinned(tried.effort[points], most)])
    return np.unique(np.concatenate(chosen_ones))


def _named(config: Config, measures: Sequence[Measure], choice: Choice) -> dict[str, list[Measure]]:
    """Programmes of the configuration whose effort is known."""
    available, ids = config.measures.available(), {measure.id for measure in measures}
    found = {}
    for label, programme in config.programmes.items():
        used = [m for m in measures_of(programme, available) if m.role == "measure"]
        if used and (choice.objective == "water" or all(m.id in ids for m in used)):
            found[label] = used
    return found


def _efforts(
    plan: Plan, measures: Sequence[Measure], shares: Array, runs: Runs, objective: str, members: int
) -> Array:
    """Effort of programmes in every member, shape (programme, run): by member, or by scenario and member."""
    if objective == "water":
        return np.moveaxis(runs.water, 0, -1).reshape(runs.water.shape[1], -1)
    if objective == "share":
        return np.asarray((runs.saved / consumption(plan, members)).max(axis=0))
    costs = whole_costs(plan, measures, members)
    return np.asarray((shares[:, :, None] * costs).sum(axis=1))
