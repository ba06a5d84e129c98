"""How much more water a target level takes, and which programmes bring it.

The required inflow of every member comes from runs with more and more extra inflow
(:mod:`caspian_sim.cooperate.inflow`); programmes are run with the same members, so that what they bring can
be read on the same scale: the extra inflow that would lift the member as high.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.config import Config, Measure, load_config
from caspian_sim.cooperate.inflow import (
    MOST,
    Ladder,
    climb,
    course_of_inflow,
    in_scenario,
    rank,
    rank_interval,
    refine,
    required_inflow,
    runs_of,
)
from caspian_sim.cooperate.paired import (
    NOBODY,
    WHOLE,
    Progress,
    member_parts,
    plan_of_levels,
    quantiles,
    raising_measures,
    water_brought,
    whole_catalogue,
)
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.sensitivity import on_all_cores
from caspian_sim.measures.programme import growth_of, measures_of
from caspian_sim.plan import Plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]

CONFIDENCE = 0.9
LOWEST, HIGHEST = -40.0, -26.0
"""Target levels that can be asked for, m BHS."""
AROUND = np.arange(-1.5, 1.51, 0.25)
"""Levels of the curve against the one that is asked for, m."""
REFINEMENTS = 2
# Runs of a member in a scenario, roughly: the ladder, the programmes and the measures.
RUNS = 30


def target(
    source: str | Path | Mapping[str, object] | Config,
    *,
    level: float,
    year: int,
    probability: float = 0.5,
    start: int | None = None,
    ramp_years: float = 0.0,
    throughout: bool = False,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Extra inflow that holds a level with a probability, and what programmes do towards it.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`.
    level : float
        Level to hold, m BHS: the annual mean is not to lie below it.
    year : int
        Year in which it is to be held.
    probability : float
        Share of the members that hold it, above 0 and below 1.
    start : int, optional
        Year from whose beginning the extra inflow comes; the first year of the period when not given.
    ramp_years : float
        Time until the extra inflow is at its full size, growing evenly; it is constant then.
    throughout : bool
        Hold the level in every year of the period until `year`, rather than in that year.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    xarray.Dataset
        ``required_inflow`` by ``scenario`` and ``target_level``, km³/yr on top of no measures,
        with ``_low`` and ``_high``, the 5 and 95 % points of the bootstrap over members; negative where
        the level is held with less water than there is, infinite where no inflow that was tried holds it.
        ``member_required_inflow`` for `level`, whose quantile it is. ``programme_probability`` by
        ``scenario`` and ``programme``, and ``programme_inflow``, the constant extra inflow that would lift
        the sea as high in `year`, with the 5 and 95 % points over members. ``measure_effect`` (cm in `year`),
        ``measure_water`` (km³/yr that it brings in that year) of every measure alone, with 5 and 95 % points;
        ``measure_marginal``, the ratio of their means, and ``inflow_marginal``, that of the extra inflow.

    Raises
    ------
    ConfigError
        When the configuration is not valid.
    OutOfRangeError
        When level, year, probability, start or ramp cannot be used.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.target("configs/quickstart.yaml", level=-29.5, year=2050).required_inflow.sel(target_level=-29.5)
    """
    began = time.perf_counter()
    config = load_config(source, overrides)
    asked = Asked(level, year, probability, config.period.start if start is None else start, throughout)
    check(config, asked, ramp_years)
    plan = plan_of_levels(config, year, RUNS)
    measures = raising_measures(config)
    available = config.measures.available()
    # Growth of use is there whatever the states do. It stands last: the first is the measure in question.
    growth = growth_of(available)
    groups: dict[str, Sequence[Measure]] = {
        NOBODY: growth,
        **{name: measures_of(p, available) for name, p in config.programmes.items()},
        WHOLE: whole_catalogue(measures) + growth,
        **{f"measure:{name}": [measure, *growth] for name, measure in measures.items()},
    }
    steps = len(member_parts(plan, len(groups) * len(config.climate.scenarios)))
    total, done = steps + len(config.climate.scenarios), 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    reached = _programme_runs(plan, groups, step)
    share = course_of_inflow(plan, asked.start, ramp_years)
    levels: Array = np.unique(np.round(np.clip(level + AROUND, LOWEST, HIGHEST), 9)).astype(np.float64)

    def answer(place: int) -> Answer:
        found = _required(plan, place, reached, list(groups).index(WHOLE), share, levels, asked)
        step()
        return found

    answers = list(on_all_cores(answer, range(len(config.climate.scenarios))))
    dataset = _dataset(config, asked, ramp_years, levels, groups, reached, answers)
    dataset.attrs["seconds"] = f"{time.perf_counter() - began:.1f}"
    return dataset


@dataclass(frozen=True)
class Asked:
    """What is asked for: see :func:`target`."""

    level: float
    year: int
    probability: float
    start: int
    throughout: bool


def check(config: Config, asked: Asked, ramp_years: float) -> None:
    """Refuse a target that makes no sense (:class:`OutOfRangeError`)."""
    first, last = config.period.start, config.period.end

    def refuse(what: str, found: object, allowed: str) -> None:
        raise OutOfRangeError(f"{what}\n    found    {found}\n    allowed  {allowed}")

    if not LOWEST <= asked.level <= HIGHEST:
        refuse("the target level is out of range", f"{asked.level:g}", f"{LOWEST:g} to {HIGHEST:g} m BHS")
    if not first <= asked.year <= last:
        refuse("the target year lies outside the period", asked.year, f"{first} to {last}")
    if not 0.0 < asked.probability < 1.0:
        refuse("the probability is out of range", f"{asked.probability:g}", "above 0, below 1")
    if not first <= asked.start <= asked.year:
        refuse("the extra inflow starts outside the period", asked.start, f"{first} to {asked.year}")
    if not 0.0 <= ramp_years <= 100.0:
        refuse("the ramp is out of range", f"{ramp_years:g}", "0 to 100 years")


@dataclass(frozen=True)
class Reached:
    """Levels under programmes, shape (scenario, programme, member).

    Attributes
    ----------
    last, lowest : ndarray
        Annual mean level of the last year, and the lowest of all years, m BHS.
    water : ndarray
        What the measures bring in the last year: inflow, and outflow to the bay that they stop, km³/yr.
    """

    last: Array
    lowest: Array
    water: Array

    def counted(self, throughout: bool) -> Array:
        """Return the level that counts."""
        return self.lowest if throughout else self.last


def _programme_runs(plan: Plan, groups: Mapping[str, Sequence[Measure]], step: Any) -> Reached:
    plan = replace(plan, programmes=groups)
    shape = (len(plan.frame.config.climate.scenarios), len(groups))

    def runs(members: NDArray[np.int64]) -> Array:
        found = integrate(plan, members, member_inputs(plan, members))
        level = found.solution.level.reshape(-1, *shape, len(members))
        outflow = found.solution.strait_outflow.reshape(-1, *shape, len(members))
        water = water_brought(plan, found.effects, outflow)[-1]
        return np.stack([level[-1], level.min(axis=0), water])

    parts = []
    for part in on_all_cores(runs, member_parts(plan, shape[0] * shape[1])):
        parts.append(part)
        step()
    return Reached(*np.concatenate(parts, axis=3))


@dataclass(frozen=True)
class Answer:
    """What is found for one scenario.

    Attributes
    ----------
    required : ndarray, shape (level, member)
    equivalent : ndarray, shape (programme, member)
        Extra inflow that lifts the sea as high in the last year as each programme.
    marginal : ndarray, shape (member,)
        What a little less inflow lowers the sea in the last year, cm per km³/yr.
    held : float
        Share of the members that hold the level in a run with the answer.
    """

    required: Array
    equivalent: Array
    marginal: Array
    held: float


def _required(
    plan: Plan, place: int, reached: Reached, whole: int, share: Array, levels: Array, asked: Asked
) -> Answer:
    alone = in_scenario(plan, plan.frame.config.climate.scenarios[place])
    run = runs_of(alone, share)
    last = reached.last[place]
    highest = np.maximum(levels[-1], last[whole])
    ladder = climb(run, last.shape[1], float(levels[0]), highest, asked.throughout)

    def required(rungs: Ladder) -> Array:
        levels_of_runs = rungs.lowest if asked.throughout else rungs.last
        targets = np.broadcast_to(levels[:, None], (len(levels), last.shape[1]))
        return required_inflow(rungs.inflow, levels_of_runs, targets)

    wanted, needed = int(np.searchsorted(levels, asked.level - 1e-9)), rank(asked.probability, last.shape[1])
    for _ in range(REFINEMENTS):
        found = float(np.sort(required(ladder)[wanted])[needed - 1])
        if np.isfinite(found):
            ladder = refine(run, ladder, found, asked.level, asked.throughout)
    needs = required(ladder)
    zero = int(np.searchsorted(ladder.inflow, 0.0))
    rise = (
        100.0 * (ladder.last[zero] - ladder.last[zero - 1]) / (ladder.inflow[zero] - ladder.inflow[zero - 1])
    )
    held = float(np.mean(needs[wanted] <= np.sort(needs[wanted])[needed - 1]))
    return Answer(needs, required_inflow(ladder.inflow, ladder.last, last), rise, held)


def _dataset(
    config: Config,
    asked: Asked,
    ramp_years: float,
    levels: Array,
    groups: Mapping[str, Sequence[Measure]],
    reached: Reached,
    answers: Sequence[Answer],
) -> xr.Dataset:
    members = config.uncertainty.members
    required = np.sort(np.stack([answer.required for answer in answers]), axis=-1)
    low, high = rank_interval(asked.probability, members, CONFIDENCE)
    wanted = int(np.searchsorted(levels, asked.level - 1e-9))
    single = [name for name in groups if name.startswith("measure:")]
    shown = [name for name in groups if name not in single]
    measures = [groups[name][0] for name in single]
    of_programmes = [list(groups).index(name) for name in shown]
    of_measures = [list(groups).index(name) for name in single]
    equivalent = np.stack([answer.equivalent for answer in answers])[:, of_programmes]
    level = reached.counted(asked.throughout)[:, of_programmes]
    effect = 100.0 * (reached.last[:, of_measures] - reached.last[:, :1])
    water = reached.water[:, of_measures]
    # A ratio of means: a member whose strait is dry by then has neither effect nor water.
    brought = water.mean(axis=-1)
    marginal = np.divide(
        effect.mean(axis=-1), brought, out=np.full_like(brought, np.nan), where=brought > 1e-6
    )
    span = "every year until the target year" if asked.throughout else "the target year"
    variables: dict[str, Any] = {
        "required_inflow": (
            ("scenario", "target_level"),
            required[..., rank(asked.probability, members) - 1],
            {"units": "km3 yr-1", "long_name": f"extra inflow that holds a level in {span}"},
        ),
        "member_required_inflow": (
            ("scenario", "member"),
            np.stack([answer.required[wanted] for answer in answers]),
            {"units": "km3 yr-1", "long_name": "extra inflow with which the member just holds the level"},
        ),
        "programme_probability": (
            ("scenario", "programme"),
            (level >= asked.level).mean(axis=-1),
            {"units": "1", "long_name": f"share of members that hold the level in {span}"},
        ),
    }
    for end, at in (("_low", low), ("_high", high)):
        attrs = {"units": "km3 yr-1", "long_name": f"limit of the {100 * CONFIDENCE:g} % interval"}
        variables[f"required_inflow{end}"] = (("scenario", "target_level"), required[..., at - 1], attrs)
    for name, dim, values, units, text in (
        ("programme_inflow", "programme", equivalent, "km3 yr-1", "constant extra inflow of the same effect"),
        ("measure_effect", "measure", effect, "cm", "what the measure alone adds to the level"),
        ("measure_water", "measure", water, "km3 yr-1", "what the measure brings in the target year"),
    ):
        for end, found in zip(("_low", "", "_high"), quantiles(values, -1), strict=True):
            variables[f"{name}{end}"] = (("scenario", dim), found, {"units": units, "long_name": text})
    variables["measure_marginal"] = (
        ("scenario", "measure"),
        marginal,
        {"units": "cm yr km-3", "long_name": "mean of what it adds over mean of what it brings"},
    )
    variables["inflow_marginal"] = (
        ("scenario",),
        np.median([answer.marginal for answer in answers], axis=-1),
        {"units": "cm yr km-3", "long_name": "what constant extra inflow adds per km³/yr"},
    )
    attributes = results.provenance(config)
    attributes["title"] = f"Extra inflow for a target level of the Caspian Sea: {config.title or config.name}"
    return xr.Dataset(
        variables,
        coords={
            "scenario": _words(config.climate.scenarios),
            "target_level": (
                "target_level",
                levels,
                {"units": "m", "long_name": "level to hold", "datum": "Baltic Height System (BHS)"},
            ),
            "programme": _words(shown),
            "programme_grade": ("programme", _words([_worst(groups[name]) for name in shown])),
            "measure": _words([measure.id for measure in measures]),
            "measure_state": ("measure", _words([measure.state for measure in measures])),
            "measure_grade": ("measure", _words([measure.grade for measure in measures])),
            "measure_title": ("measure", _words([measure.title for measure in measures])),
            "measure_alternative_to": (
                "measure",
                _words([measure.alternative_to or "" for measure in measures]),
            ),
            "member": np.arange(members),
        },
        attrs={
            **attributes,
            "target_level": asked.level,
            "target_year": asked.year,
            "probability": asked.probability,
            "throughout": int(asked.throughout),
            "inflow_start": asked.start,
            "inflow_ramp_years": ramp_years,
            "most_inflow": MOST,
            "confidence": CONFIDENCE,
        },
    )


def _worst(measures: Sequence[Measure]) -> str:
    """Lowest evidence grade of some measures, growth of use apart; none has none."""
    return max((measure.grade for measure in measures if measure.role == "measure"), default="")


def _words(words: Sequence[str]) -> NDArray[np.object_]:
    return np.array([str(word) for word in words], dtype=object)
