"""The front of trade-offs as a dataset: what is asked, what is found, and what is shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.config import Config, Measure
from caspian_sim.cooperate.coalitions import STATES
from caspian_sim.cooperate.intensity import Runs, consumption, has_known_cost, state_water
from caspian_sim.cooperate.paired import quantiles
from caspian_sim.cooperate.robust import regret, regret_at_effort, satisficing
from caspian_sim.cooperate.search import Tried, front
from caspian_sim.measures.programme import growth_of
from caspian_sim.plan import Plan

Array = NDArray[np.float64]

OBJECTIVES: Mapping[str, tuple[str, str]] = {
    "water": ("km3 yr-1", "water that the programme brings in the year, stopped outflow to the bay included"),
    "share": ("1", "largest share of its consumption of today that a state gives up"),
    "cost": ("million USD", "known cost of the measures, in proportion to their intensity"),
}
"""What a programme takes: unit and meaning by name."""


@dataclass(frozen=True)
class Choice:
    """What is asked for: see :func:`caspian_sim.tradeoffs`."""

    year: int
    objective: str
    level: float
    steps: int
    population: int
    generations: int
    programme: str | None


@dataclass(frozen=True)
class Found:
    """What the search and the runs with all members found.

    Attributes
    ----------
    choice : Choice
    measures, left_out : sequence of Measure
        Those whose intensity is chosen, and others that raise the level but do not know this effort.
    shares : ndarray, shape (candidate, measure)
        Intensities of the programmes that may lie on the front.
    groups : sequence of list of Measure
        Programmes that were run: the candidates, each measure alone, and those of the configuration.
    runs : Runs
    effort : ndarray, shape (programme, run)
    tried : Tried
    named : sequence of str
        Programmes of the configuration.
    exact : bool
        Whether all programmes were tried.
    """

    choice: Choice
    measures: Sequence[Measure]
    left_out: Sequence[Measure]
    shares: Array
    groups: Sequence[Sequence[Measure]]
    runs: Runs
    effort: Array
    tried: Tried
    named: Sequence[str]
    exact: bool


def tradeoffs_dataset(config: Config, plan: Plan, found: Found) -> xr.Dataset:
    """Put the front together; see :func:`caspian_sim.tradeoffs` for what it holds."""
    choice, runs, members = found.choice, found.runs, config.uncertainty.members
    candidates, alone = len(found.shares), len(found.measures)
    unit, meaning = OBJECTIVES[choice.objective]
    effort = found.effort.mean(axis=-1)
    pooled = np.moveaxis(runs.avoided, 0, -1).reshape(len(effort), -1)
    effect, by_scenario = pooled.mean(axis=-1), runs.avoided.mean(axis=-1).T
    points = front(effort[:candidates], effect[:candidates])
    singles = slice(candidates, candidates + alone)
    named = slice(candidates + alone, None)
    behind = regret(by_scenario[:candidates])[points]
    behind_at_effort = regret_at_effort(by_scenario[:candidates], effort[:candidates])[points]
    kept = satisficing(runs.lowest, choice.level).T
    water = state_water(runs, found.groups)[:, points].T
    given_up = (runs.saved / consumption(plan, members)).mean(axis=-1)[:, points].T
    staying = f"share of members that stay above {choice.level:g} m in every year until {choice.year}"
    variables: dict[str, Any] = {}

    def add(name: str, dims: Sequence[str], values: Array, units: str, text: str) -> None:
        variables[name] = (tuple(dims), values, {"units": units, "long_name": text})

    add("intensity", ("point", "measure"), found.shares[points], "1", "share of the measure carried out")
    for name, values, units, text in (
        ("effort", found.effort[points], unit, meaning),
        ("avoided_fall", pooled[points], "m", "annual mean level above that without measures"),
    ):
        low, _, high = quantiles(values, -1)
        add(f"{name}_low", ("point",), low, units, f"5 % point: {text}")
        add(f"{name}_high", ("point",), high, units, f"95 % point: {text}")
    add("effort", ("point",), effort[points], unit, f"{meaning}, mean over members and scenarios")
    add("avoided_fall", ("point",), effect[points], "m", "avoided fall, mean over members and scenarios")
    add("state_water", ("point", "state"), water, "km3 yr-1", "water that the state brings, mean")
    add("state_share", ("point", "state"), given_up, "1", "share of its consumption that the state gives up")
    for name, values, units, text in (
        ("scenario_avoided_fall", by_scenario[points], "m", "avoided fall, mean over members"),
        ("kept_share", kept[points], "1", staying),
        ("regret", behind, "m", "avoided fall of the best programme less that of this one"),
        ("regret_at_effort", behind_at_effort, "m", "the same among programmes of no more effort"),
    ):
        add(name, ("point", "scenario"), values, units, text)
    add("kept_share_least", ("point",), kept[points].min(axis=1), "1", f"{staying}, least of the scenarios")
    for name, values in (("regret", behind), ("regret_at_effort", behind_at_effort)):
        add(f"{name}_most", ("point",), values.max(axis=1), "m", f"{name}, most of the scenarios")
    for dim, place in (("measure", singles), ("programme", named)):
        name = "alone" if dim == "measure" else dim
        add(f"{name}_effort", (dim,), effort[place], unit, f"{meaning}, mean")
        add(f"{name}_avoided_fall", (dim,), effect[place], "m", "avoided fall, mean")
    add("hypervolume", ("generation",), np.array(found.tried.hypervolume), "1", "share that is dominated")
    variables["tried"] = (
        ("generation",),
        np.array(found.tried.tried),
        {"units": "1", "long_name": "programmes tried by then"},
    )
    priors = plan.frame.priors.values()
    attributes = results.provenance(config)
    attributes["title"] = f"Effort and effect of measures for the Caspian Sea: {config.title or config.name}"
    return xr.Dataset(
        variables,
        coords={
            "point": np.arange(1, len(points) + 1),
            "scenario": _words(config.climate.scenarios),
            "state": _words(STATES),
            "programme": _words(found.named),
            "generation": np.arange(1, len(found.tried.hypervolume) + 1),
            "measure": _words(m.id for m in found.measures),
            "measure_state": ("measure", _words(m.state for m in found.measures)),
            "measure_title": ("measure", _words(m.title for m in found.measures)),
            "measure_grade": ("measure", _words(m.grade for m in found.measures)),
            "parameter": _words(prior.name for prior in priors),
            "parameter_grade": ("parameter", _words(prior.grade for prior in priors)),
        },
        attrs={
            **attributes,
            "objective": choice.objective,
            "year": choice.year,
            "level": choice.level,
            "steps": choice.steps,
            "search": "all programmes" if found.exact else "NSGA-II",
            "programmes_tried": len(found.tried.effort),
            "members": members,
            "measures_from": choice.programme or "the whole catalogue",
            "left_out": ", ".join(m.id for m in found.left_out),
            "known_costs": sum(has_known_cost(m) for m in (*found.measures, *found.left_out)),
            "growth": ", ".join(m.id for m in growth_of(plan.frame.measures)),
        },
    )


def _words(words: Iterable[str]) -> NDArray[np.object_]:
    return np.array(list(words), dtype=object)
