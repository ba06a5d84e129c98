"""What each state does for the level, alone and with others: all coalitions, and their Shapley values.

Every coalition of the littoral states carries out the measures that a programme has for its states; the 32 of
them are run as so many programmes with the same draws. The value of a coalition is what it avoids against
the coalition of nobody, member by member: fall of the level, and seabed laid bare.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.collect import exposed_area
from caspian_sim.config import Config, Measure, load_config
from caspian_sim.config.programme import Programme
from caspian_sim.cooperate.paired import water_brought
from caspian_sim.cooperate.shapley import membership, pair_interactions, shapley_values
from caspian_sim.ensemble import COLUMNS
from caspian_sim.errors import ConfigError
from caspian_sim.evaluate.sensitivity import WORTH_COMPILING, compiled, levels_only, on_all_cores
from caspian_sim.measures.inputs import STATE_NAMES
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]

STATES: Mapping[str, str] = STATE_NAMES
"""Littoral states, in the order of the bits of a coalition."""
JOINT = "joint"
NOBODY = "none"
# Members at a time, at least: a block of the compiled solver.
FEWEST_TOGETHER = 64

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "avoided_fall": ("m", "annual mean level above that without measures"),
    "avoided_seabed": ("km2", "seabed kept under water that would be exposed without measures"),
    "water_brought": ("km3/yr", "inflow that measures bring and outflow to the bay that they stop"),
}
"""Value of a coalition: unit and meaning by the name of the variable."""


def attribute(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    programme: str = JOINT,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Attribute the effect of a joint programme to the five states, by exact Shapley values.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`; the last year of the period counts when there are no report years.
    programme : str
        Programme of the configuration whose measures the states carry out, each coalition those of its
        states.
    progress : callable, optional
        Called with the batches of runs done and the batches in all.

    Returns
    -------
    xarray.Dataset
        For each of :data:`OUTCOMES` its value by ``coalition``, ``scenario``, ``year`` and ``member``; of it
        ``<outcome>_alone`` and ``<outcome>_shapley`` by ``state``,
        ``<outcome>_joint``, ``<outcome>_interaction`` (joint less the sum of all alone) and
        ``<outcome>_pair`` (mean over members of the Shapley interaction index, by ``state`` and ``other``).
        ``sea_level`` of every year without measures (programme ``none``) and with all (``joint``), m BHS.
        ``consumption`` of each state today, as the members draw it, km³/yr.
        Attributes ``runs`` and ``seconds``: what it took.

    Raises
    ------
    ConfigError
        When the configuration is not valid, has no such programme, or nobody does anything in it.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> ds = cs.attribute("configs/quickstart.yaml")
    >>> ds.avoided_fall_shapley.sel(scenario="ssp245", year=2100).mean("member")
    """
    began = time.perf_counter()
    config = load_config(source, overrides)
    joint = joint_programme(config, programme)
    years = sorted(config.outcomes.report_years) or [config.period.end]
    settings = levels_only(config, max(years)).model_copy(update={"programmes": coalitions(joint)})
    runs = config.uncertainty.members * len(settings.programmes) * len(config.climate.scenarios)
    if runs >= WORTH_COMPILING:
        settings = compiled(settings)
    plan = make_plan(settings)
    everything, regardless = plan.programmes[coalition_name(tuple(STATES))], plan.programmes[NOBODY]
    used = [measure for measure in everything if measure not in regardless]
    if not used:
        raise ConfigError(
            f"nobody does anything in programme {programme!r}\n"
            f"    found    participants {', '.join(joint.participants) or 'none'}, and no measure of theirs"
        )
    plan = replace(plan, programmes=_divided(used, regardless))
    found = _run(plan, [year - plan.frame.calendar.first_year for year in years], progress)
    dataset = _dataset(config, plan, used, found, years)
    dataset.attrs.update(
        {"joint_programme": programme, "runs": runs, "seconds": f"{time.perf_counter() - began:.1f}"}
    )
    return dataset


def joint_programme(config: Config, name: str) -> Programme:
    """Programme of a configuration that says what each state does.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    if name not in config.programmes:
        raise ConfigError(
            f"the configuration has no programme {name!r}\n"
            f"    found    {', '.join(config.programmes)}\n"
            "    hint     --programme NAME says which programme tells what each state does"
        )
    return config.programmes[name]


def coalition_name(states: Sequence[str]) -> str:
    """Name of a coalition: its states, as in ``az-ru``, or ``none``."""
    return "-".join(states).lower() or NOBODY


def coalitions(programme: Programme) -> dict[str, Programme]:
    """Programme of every coalition, in the order of :func:`caspian_sim.cooperate.shapley.membership`.

    States that do not take part in the programme do nothing in any coalition.
    """
    found = {}
    for inside in membership(len(STATES)):
        states = [state for state, member in zip(STATES, inside, strict=True) if member]
        acting = tuple(state for state in programme.participants if state in states)
        found[coalition_name(states)] = programme.model_copy(update={"participants": acting})
    return found


def _divided(used: Sequence[Measure], regardless: Sequence[Measure]) -> dict[str, Sequence[Measure]]:
    """Measures of every coalition: those of the joint programme, each just as it stands there.

    A programme as a whole may begin later: worked out for a coalition alone, dates would depend on who is in.
    What measures may count for together, such as a cap, follows from who is in.
    """
    found: dict[str, Sequence[Measure]] = {}
    for inside in membership(len(STATES)):
        states = [state for state, member in zip(STATES, inside, strict=True) if member]
        own = [measure for measure in used if measure.state in states]
        found[coalition_name(states)] = [*own, *regardless]
    return found


@dataclass(frozen=True)
class _Found:
    """What the coalitions came to.

    Attributes
    ----------
    values : dict of outcome to ndarray, shape (coalition, scenario, year, member)
    level : ndarray, shape (time, scenario, 2, member)
        Annual mean level with nobody and with all, m BHS.
    consumption : ndarray, shape (state, member)
        km³/yr.
    """

    values: dict[str, Array]
    level: Array
    consumption: Array


def _run(plan: Plan, wanted: Sequence[int], progress: Callable[[int, int], None] | None) -> _Found:
    config = plan.frame.config
    scenarios, programmes = len(config.climate.scenarios), len(plan.programmes)
    members = np.arange(config.uncertainty.members)
    size = max(FEWEST_TOGETHER, COLUMNS // (scenarios * programmes))
    batches = [members[begin : begin + size] for begin in range(0, len(members), size)]
    years = len(plan.frame.calendar.calendar_years)

    def part(some: NDArray[np.int64]) -> Array:
        """Everything that is kept, one below the other: rows by member."""
        inputs = member_inputs(plan, some)
        run = integrate(plan, some, inputs)
        by_year = run.solution.level.reshape(years, scenarios, programmes, len(some))
        level = by_year[wanted].transpose(2, 1, 0, 3)
        exposed = exposed_area(plan.frame, level) * run.parameters["area_factor"]
        outflow = run.solution.strait_outflow.reshape(by_year.shape)
        water = water_brought(plan, run.effects, outflow)[wanted].transpose(2, 1, 0, 3)
        ends = by_year[:, :, [0, -1]]
        used = np.stack([inputs[f"consumption:{state}"] for state in STATES])
        parts = (level - level[:1], exposed[:1] - exposed, water, ends, used)
        return np.concatenate([array.reshape(-1, len(some)) for array in parts])

    found: list[Array] = []
    for done in on_all_cores(part, batches):
        found.append(done)
        if progress is not None:
            progress(len(found), len(batches))
    value = (programmes, scenarios, len(wanted))
    shapes = [value] * len(OUTCOMES) + [(years, scenarios, 2), (len(STATES),)]
    edges = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    rows = np.split(np.concatenate(found, axis=1), edges)
    *values, level, consumption = (
        array.reshape(*shape, len(members)) for array, shape in zip(rows, shapes, strict=True)
    )
    return _Found(dict(zip(OUTCOMES, values, strict=True)), level, consumption)


def _dataset(
    config: Config,
    plan: Plan,
    used: Sequence[Measure],
    found: _Found,
    years: Sequence[int],
) -> xr.Dataset:
    players = len(STATES)
    variables = {}
    dims = ("scenario", "year", "member")
    for outcome, value in found.values.items():
        units, meaning = OUTCOMES[outcome]
        alone = value[2 ** np.arange(players)]
        parts = {
            "": (("coalition", *dims), value, meaning),
            "_alone": (("state", *dims), alone, f"{meaning}, the state acting alone"),
            "_shapley": (("state", *dims), shapley_values(value), f"{meaning}, Shapley value of the state"),
            "_joint": (dims, value[-1], f"{meaning}, all states together"),
            "_interaction": (
                dims,
                value[-1] - alone.sum(axis=0),
                f"{meaning}, all states together less the sum of each alone",
            ),
            "_pair": (
                ("state", "other", *dims[:-1]),
                pair_interactions(value.mean(axis=-1)),
                f"{meaning}, Shapley interaction index, mean over members",
            ),
        }
        for ending, (names, array, text) in parts.items():
            variables[outcome + ending] = (names, array, {"units": units, "long_name": text})
    variables["sea_level"] = (
        ("time", "scenario", "programme", "member"),
        found.level,
        {"units": "m", "long_name": "annual mean sea level", "datum": "Baltic Height System (BHS)"},
    )
    variables["consumption"] = (
        ("state", "member"),
        found.consumption,
        {"units": "km3/yr", "long_name": "irretrievable consumption of today"},
    )
    middle, bounds = results.time_axis(plan.frame.calendar.first_year, max(years), "annual")
    attributes = results.provenance(config)
    attributes["title"] = f"Who does what for the Caspian Sea level: {config.title or config.name}"
    return xr.Dataset(
        variables,
        coords={
            "coalition": _words(plan.programmes),
            "in_coalition": (("coalition", "state"), membership(players).astype(np.int8)),
            "scenario": _words(config.climate.scenarios),
            "programme": _words((NOBODY, JOINT)),
            "year": list(years),
            "time": middle,
            "time_bnds": (("time", "nv"), bounds),
            "state": _words(STATES),
            "other": _words(STATES),
            "member": np.arange(config.uncertainty.members),
            **_about(plan, used),
        },
        attrs=attributes,
    )


def _about(plan: Plan, used: Sequence[Measure]) -> dict[str, tuple[str, NDArray[np.object_]]]:
    """Measures of the programme and uncertain parameters, with their evidence."""
    priors = plan.frame.priors.values()
    return {
        "measure": ("measure", _words(measure.id for measure in used)),
        "measure_state": ("measure", _words(measure.state for measure in used)),
        "measure_title": ("measure", _words(measure.title for measure in used)),
        "measure_grade": ("measure", _words(measure.grade for measure in used)),
        "measure_mechanism": ("measure", _words(measure.mechanism for measure in used)),
        "parameter": ("parameter", _words(prior.name for prior in priors)),
        "parameter_grade": ("parameter", _words(prior.grade for prior in priors)),
    }


def _words(words: Iterable[str]) -> NDArray[np.object_]:
    return np.array(list(words), dtype=object)
