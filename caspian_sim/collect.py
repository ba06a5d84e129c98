"""From what the integrations of some members leave to the arrays and the dataset of a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.hypsometry import Hypsometry
from caspian_sim.basin.rivers import MONTHS, RIVERS, month_fractions
from caspian_sim.climate.months import inflow_by_month
from caspian_sim.climate.scenario import ScenarioClimate
from caspian_sim.config import Config, Measure
from caspian_sim.data import Parameter
from caspian_sim.measures.consumption import PARTIES
from caspian_sim.measures.cost import COSTS
from caspian_sim.measures.effect import ProgrammeEffect
from caspian_sim.solve import Solution, Watch

Array = NDArray[np.float64]

LOGGER = logging.getLogger("caspian_sim")
STATE_DIMS = ("scenario", "programme", "member", "time")
# Dimensions of every variable that has members.
DIMS: dict[str, tuple[str, ...]] = {
    "sea_level": STATE_DIMS,
    "sea_area": STATE_DIMS,
    "sea_volume": STATE_DIMS,
    "precipitation": STATE_DIMS,
    "evaporation": STATE_DIMS,
    "strait_outflow": STATE_DIMS,
    "bay_level": STATE_DIMS,
    "budget_residual": STATE_DIMS,
    "exposed_seabed": STATE_DIMS,
    "river_inflow": ("scenario", "member", "river", "time"),
    "groundwater": ("member", "time"),
    "global_warming": ("scenario", "member", "time"),
    "measure_effect": ("programme", "member", "measure", "time"),
    "first_event": ("scenario", "programme", "member", "event"),
    **dict.fromkeys(COSTS, ("programme", "member")),
    "parameters": ("parameter", "member"),
}


@dataclass(frozen=True)
class Calendar:
    """Months of a run and the output intervals they fall into.

    Attributes
    ----------
    first_year, last_year : int
        Calendar years, both inclusive.
    frequency : {"annual", "monthly"}
        Length of the output intervals.
    """

    first_year: int
    last_year: int
    frequency: str = "annual"

    @property
    def calendar_years(self) -> NDArray[np.int64]:
        """Every year once, shape (year,)."""
        return np.arange(self.first_year, self.last_year + 1)

    @property
    def years(self) -> NDArray[np.int64]:
        """Calendar year of each month, shape (month,)."""
        return np.repeat(self.calendar_years, MONTHS)

    @property
    def months(self) -> NDArray[np.int64]:
        """Number of each month in its year, 1 to 12, shape (month,)."""
        return np.tile(np.arange(1, MONTHS + 1), len(self.calendar_years))

    @property
    def fractions(self) -> Array:
        """Length of the months as a share of the year, shape (year, 12)."""
        return month_fractions(self.calendar_years)

    @property
    def length(self) -> Array:
        """Length of each month, yr, shape (month,)."""
        return self.fractions.ravel()

    @property
    def edges(self) -> Array:
        """Edges of the months, decimal years, shape (month + 1,)."""
        into_year = (np.cumsum(self.fractions, axis=1) - self.fractions).ravel()
        return np.append(self.years + into_year, self.last_year + 1.0)

    @property
    def interval(self) -> NDArray[np.int64]:
        """Output interval of each month, shape (month,)."""
        return np.arange(len(self.years)) // (MONTHS if self.frequency == "annual" else 1)

    def by_month(self, annual: Array) -> Array:
        """Repeat annual values (year, ...) in every month (month, ...)."""
        return np.repeat(annual, MONTHS, axis=0)

    def interval_mean(self, monthly: Array) -> Array:
        """Mean over the output intervals, from (..., month) to (..., interval)."""
        if self.frequency == "monthly":
            return monthly
        years = (*monthly.shape[:-1], len(self.calendar_years), MONTHS)
        weighted = (monthly * self.length).reshape(years).sum(axis=-1)
        return np.asarray(weighted)


@dataclass(frozen=True)
class Members:
    """Results of some members of a run.

    Attributes
    ----------
    members : ndarray of int, shape (member,)
        Their numbers.
    arrays : dict of name to ndarray
        Variables with the dimensions in :data:`DIMS`.
    steps, evaluations : int
        What the solver did.
    """

    members: NDArray[np.int64]
    arrays: dict[str, Array]
    steps: int
    evaluations: int


@dataclass(frozen=True)
class Frame:
    """What the dataset of a run needs beside the results of the members.

    Attributes
    ----------
    config : Config
    calendar : Calendar
    watch : Watch
        Events of the integrations.
    reference_volume : float
        Volume at −28 m BHS, km³, to which anomalies are added.
    curve : Hypsometry
        Curve from which exposed seabed follows, also where the balance holds the area constant.
    reference_level : float
        Level against which seabed counts as exposed, m BHS.
    measures : mapping of id to Measure
        Measures of the run.
    priors : mapping of name to Parameter
        Uncertain parameters.
    consumption : ndarray, shape (party, month)
        Change of consumption, km³/yr.
    own_forcing : str
        What comes from series of the user's own, a line for each term.
    """

    config: Config
    calendar: Calendar
    watch: Watch
    reference_volume: float
    curve: Hypsometry
    reference_level: float
    measures: Mapping[str, Measure]
    priors: Mapping[str, Parameter]
    consumption: Array
    own_forcing: str = ""


def exposed_area(frame: Frame, level: Array) -> Array:
    """Area between the shore of the reference level and that of another level.

    Parameters
    ----------
    frame : Frame
    level : ndarray
        m BHS.

    Returns
    -------
    ndarray
        km², positive where the sea has fallen; before the area factor of the member.
    """
    # With walls around a constant area the level may leave the curve, whose ends then count.
    on_curve = np.clip(level, frame.curve.node_level[0], frame.curve.node_level[-1])
    return np.asarray(frame.curve.area(frame.reference_level) - frame.curve.area(on_curve))


def collect_members(
    frame: Frame,
    members: NDArray[np.int64],
    parameters: Mapping[str, Array],
    effects: Sequence[ProgrammeEffect],
    climates: Sequence[ScenarioClimate],
    solution: Solution,
) -> Members:
    """Turn what was drawn and integrated for some members into the variables of the dataset.

    Parameters
    ----------
    frame : Frame
    members : ndarray of int, shape (member,)
    parameters : mapping of name to ndarray, shape (member,)
    effects : sequence of ProgrammeEffect
        One for each programme.
    climates : sequence of ScenarioClimate
        One for each scenario.
    solution : Solution
        Columns are scenarios, in them programmes, in them members.

    Returns
    -------
    Members
    """
    calendar, many = frame.calendar, len(members)

    def unfold(columns: Array) -> Array:
        shaped = columns.reshape(-1, len(climates), len(effects), many)
        return np.ascontiguousarray(np.moveaxis(shaped, 0, -1))

    exposed = exposed_area(frame, solution.level)
    bay_level = kara_bogaz_gol().level_and_area(solution.bay_volume.ravel())[0]
    arrays = {
        "sea_level": unfold(solution.level),
        "sea_area": unfold(solution.area),
        "sea_volume": frame.reference_volume + unfold(solution.volume),
        "precipitation": unfold(solution.precipitation),
        "evaporation": unfold(solution.evaporation),
        "strait_outflow": unfold(solution.strait_outflow),
        "bay_level": unfold(bay_level.reshape(solution.bay_volume.shape)),
        "budget_residual": unfold(solution.residual),
        "exposed_seabed": unfold(exposed) * parameters["area_factor"][:, None],
        "first_event": unfold(solution.first_event),
        "parameters": np.stack([parameters[name] for name in frame.priors]),
        "groundwater": np.repeat(parameters["groundwater"][:, None], int(calendar.interval[-1]) + 1, axis=1),
    }
    inflow = np.stack([_inflow(climate, calendar) for climate in climates])
    warming = np.stack([climate.warming.T for climate in climates])
    if calendar.frequency == "monthly":
        warming = np.repeat(warming, MONTHS, axis=-1)
    arrays["river_inflow"], arrays["global_warming"] = inflow, warming
    rows = {name: row for row, name in enumerate(frame.measures)}
    effect_of = np.zeros((len(effects), many, len(rows), int(calendar.interval[-1]) + 1))
    for programme, effect in enumerate(effects):
        for measure, share, volume in zip(effect.measures, effect.share, effect.volume, strict=True):
            mean = calendar.interval_mean(np.ascontiguousarray(share.T))
            effect_of[programme, :, rows[measure.id]] = volume[:, None] * mean
    arrays["measure_effect"] = effect_of
    arrays |= {name: np.stack([effect.cost[name] for effect in effects]) for name in COSTS}
    return Members(members, {name: arrays[name] for name in DIMS}, solution.steps, solution.evaluations)


def _inflow(climate: ScenarioClimate, calendar: Calendar) -> Array:
    """Inflow by member, river and output interval."""
    if calendar.frequency == "annual":
        return climate.inflow.transpose(2, 0, 1)
    return np.stack([inflow_by_month(climate, river, calendar.fractions).T for river in RIVERS], axis=1)


def coordinates(frame: Frame) -> dict[str, Any]:
    """Coordinates of the dataset of a run but for the members."""
    calendar, priors, measures = frame.calendar, frame.priors, frame.measures.values()
    middle, bounds = results.time_axis(calendar.first_year, calendar.last_year, calendar.frequency)
    return {
        "scenario": _words(frame.config.climate.scenarios),
        "programme": _words(frame.config.programmes),
        "time": middle,
        "time_bnds": (("time", "nv"), bounds),
        "river": _words(RIVERS),
        "state": _words(PARTIES),
        "measure": _words(frame.measures),
        "measure_state": ("measure", _words(m.state for m in measures), {"long_name": "acting state"}),
        "measure_grade": ("measure", _words(m.grade for m in measures), {"long_name": "evidence grade"}),
        "measure_title": ("measure", _words(m.title for m in measures), {"long_name": "title"}),
        "event": _words(frame.watch.names),
        "parameter": _words(priors),
        "parameter_units": ("parameter", _words(p.unit for p in priors.values()), {"long_name": "unit"}),
        "parameter_grade": (
            "parameter",
            _words(p.grade for p in priors.values()),
            {"long_name": "evidence grade, of the record or of the prior, whichever speaks"},
        ),
    }


class Store(Protocol):
    """Where the results of the members of a run come together."""

    def add(self, part: Members) -> None:
        """Take in the results of some members."""

    def dataset(self) -> xr.Dataset:
        """Put the dataset together when all members are in."""


class MemberStore:
    """All members of a run in memory, filled part by part in any order.

    Parameters
    ----------
    frame : Frame
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._arrays: dict[str, Array] = {}
        self._steps = self._evaluations = 0

    def add(self, part: Members) -> None:
        """Put the results of some members in their places."""
        for name, values in part.arrays.items():
            axis = DIMS[name].index("member")
            if name not in self._arrays:
                shape = list(values.shape)
                shape[axis] = self._frame.config.uncertainty.members
                self._arrays[name] = np.full(shape, np.nan)
            np.moveaxis(self._arrays[name], axis, 0)[part.members] = np.moveaxis(values, axis, 0)
        self._steps += part.steps
        self._evaluations += part.evaluations

    def dataset(self) -> xr.Dataset:
        """Put the dataset together."""
        frame = self._frame
        variables = {name: (DIMS[name], values) for name, values in self._arrays.items()}
        members = {"member": np.arange(frame.config.uncertainty.members)}
        dataset = put_together(frame, variables, members, self._steps, self._evaluations)
        dataset["exposed_seabed"].attrs["reference_level"] = frame.reference_level
        return dataset


def put_together(
    frame: Frame,
    variables: Mapping[str, tuple[tuple[str, ...], Array]],
    further: Mapping[str, Any],
    steps: int,
    evaluations: int,
) -> xr.Dataset:
    """Make the dataset of a run.

    Parameters
    ----------
    frame : Frame
    variables : mapping of name to (dims, values)
        What comes from the members.
    further : mapping of name to values
        Coordinates beside those of :func:`coordinates`.
    steps, evaluations : int
        What the solver did.

    Returns
    -------
    xarray.Dataset
    """
    _warn_of_twins(frame.config, variables)
    consumption = (("state", "time"), frame.calendar.interval_mean(frame.consumption))
    return results.assemble(
        {**variables, "consumption_change": consumption},
        {**coordinates(frame), **further},
        {
            **results.provenance(frame.config),
            **({"own_forcing": frame.own_forcing} if frame.own_forcing else {}),
            "reference_level": f"{frame.reference_level:.4g} m BHS",
            "solver_steps": str(steps),
            "solver_evaluations": str(evaluations),
        },
    )


def _warn_of_twins(config: Config, variables: Mapping[str, tuple[tuple[str, ...], Array]]) -> None:
    """Say which scenarios or programmes have the same level throughout: mostly a slip in what was asked."""
    levels = [(dims, values) for name, (dims, values) in variables.items() if name.startswith("sea_level")]
    for dim, labels, why in (
        ("scenario", config.climate.scenarios, ""),
        ("programme", list(config.programmes), ": the same measures, or none that has begun"),
    ):
        along = [
            np.moveaxis(values, dims.index(dim), 0) for dims, values in levels if dim in dims and values.size
        ]
        for twins in _alike(along) if along else []:
            *names, last = (labels[i] for i in twins)
            LOGGER.warning(
                "%ss %s and %s have the same sea level in every member%s", dim, ", ".join(names), last, why
            )


def _alike(arrays: Sequence[Array]) -> list[list[int]]:
    """Group the places on the first axis at which all arrays are the same, without those that stand alone."""

    def same(i: int, j: int) -> bool:
        # The last interval tells nearly all of them apart, without a look at the others.
        return all(
            np.array_equal(a[i, ..., -1], a[j, ..., -1]) and np.array_equal(a[i], a[j]) for a in arrays
        )

    groups: list[list[int]] = []
    for i in range(len(arrays[0])):
        group = next((group for group in groups if same(i, group[0])), None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    return [group for group in groups if len(group) > 1]


def _words(words: Any) -> NDArray[np.object_]:
    return np.array([str(word) for word in words], dtype=object)
