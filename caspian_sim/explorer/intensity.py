r"""Programmes that are carried out in part, or beyond what they ask.

Intensity :math:`k` is a factor on the volume of every measure and on how far it closes the strait; growth of
use is not a measure and stays. Limits bind as in any run, so that twice the measures may bring less than
twice the water. What lies between a few simulated intensities is interpolated member by member where runs in
the middle between them say that this is good enough; elsewhere there is nothing in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config import Config, Measure
from caspian_sim.ensemble import COLUMNS
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.sensitivity import WORTH_COMPILING, compiled, on_all_cores
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

NODES = (0.0, 0.5, 1.0, 1.5)
"""Intensities that are simulated: none of a programme, half of it, all of it, and half as much again."""
BETWEEN = (0.25, 0.75, 1.25)
"""Intensities at which the interpolation is checked: farthest from those it is made of."""
CHECKED_POINTS = (0.05, 0.17, 0.25, 0.5, 0.75, 0.83, 0.95)
"""Quantiles over the members whose error counts: those that are shown."""
TOLERANCE_MM = 5.0
"""Largest error of such a quantile with which an interpolation is shown: half of the last digit."""
AGREEMENT_MM = 0.1
"""How closely a run must be met again before it is run at other intensities."""


def carried_out(measure: Measure, intensity: float) -> Measure:
    """Measure as it closes the strait at an intensity; volumes are scaled where members draw them."""
    if measure.mechanism != "strait_regulation" or measure.role == "growth":
        return measure
    shut = min(1.0, intensity * (1.0 - float(measure.opening or 0.0)))
    return measure.model_copy(update={"opening": 1.0 - shut})


def has_measures(measures: Sequence[Measure]) -> bool:
    """Whether a programme does anything: growth of use is in every one."""
    return any(measure.role == "measure" for measure in measures)


def plan_of_intensities(config: Config, runs: int) -> Plan:
    """Plan of a configuration for annual levels at several intensities, by the steps of the run.

    Parameters
    ----------
    config : Config
    runs : int
        Runs of a member in a scenario that will be asked for: many are worth compiling.
    """
    method = "compiled" if config.solver.method == "compiled" else "batched"
    settings = config.model_copy(
        update={
            "outcomes": config.outcomes.model_copy(update={"thresholds_m": ()}),
            "output": config.output.model_copy(update={"frequency": "annual"}),
            "solver": config.solver.model_copy(update={"method": method}),
        }
    )
    if runs * config.uncertainty.members * len(config.climate.scenarios) >= WORTH_COMPILING:
        settings = compiled(settings)
    return make_plan(settings)


def levels_at(
    plan: Plan,
    programmes: Mapping[str, Sequence[Measure]],
    intensity: float,
    members: NDArray[np.int64],
    progress: Callable[[], None] | None = None,
) -> Array:
    """Annual mean level with programmes carried out at an intensity, from the draws of the run.

    Parameters
    ----------
    plan : Plan
    programmes : mapping of name to list of Measure
    intensity : float
        0 for nothing, 1 for what the programmes ask.
    members : ndarray of int, shape (member,)
        Numbers of the members.
    progress : callable, optional
        Called after each batch.

    Returns
    -------
    ndarray, shape (scenario, programme, member, year)
        m BHS.
    """
    scaled = {name: [carried_out(m, intensity) for m in measures] for name, measures in programmes.items()}
    plan = replace(plan, programmes=scaled)
    volumes = {
        f"measure:{measure.id}"
        for measures in programmes.values()
        for measure in measures
        if measure.role == "measure"
    }
    shape = (len(plan.frame.config.climate.scenarios), len(programmes))

    def levels(some: NDArray[np.int64]) -> Array:
        inputs = member_inputs(plan, some)
        inputs = {name: values * intensity if name in volumes else values for name, values in inputs.items()}
        found = integrate(plan, some, inputs).solution.level
        return np.moveaxis(found.reshape(-1, *shape, len(some)), 0, -1)

    size = max(1, COLUMNS // (shape[0] * shape[1]))
    parts = []
    for part in on_all_cores(levels, [members[i : i + size] for i in range(0, len(members), size)]):
        parts.append(part)
        if progress is not None:
            progress()
    return np.concatenate(parts, axis=2)


def batches(plan: Plan, programmes: int, members: int) -> int:
    """How many times :func:`levels_at` reports progress."""
    size = max(1, COLUMNS // (len(plan.frame.config.climate.scenarios) * programmes))
    return -(-members // size)


def weights(intensity: float, nodes: Sequence[float] = NODES) -> Array:
    """Weights of the simulated intensities in the level at another one: the polynomial through all of them.

    Parameters
    ----------
    intensity : float
        Between the first and the last of `nodes`.
    nodes : sequence of float

    Returns
    -------
    ndarray, shape (node,)
        Add up to one; at a node that one alone counts.
    """
    at = np.asarray(nodes, dtype=np.float64)
    found = np.ones(len(at))
    for i, own in enumerate(at):
        for j, other in enumerate(at):
            if i != j:
                found[i] *= (intensity - other) / (own - other)
    return found


@dataclass(frozen=True)
class Dial:
    """A programme at the intensities at which it can be looked at.

    Attributes
    ----------
    nodes : tuple of float
        Intensities that were simulated, in rising order.
    levels : ndarray, shape (scenario, node, member, year)
        Annual mean level, m BHS.
    smooth : bool
        Whether what lies between the nodes is interpolated.
    error_mm : float
        Largest error of a quantile over the members by interpolation, over :data:`CHECKED_POINTS`, years,
        scenarios and :data:`BETWEEN`: of the one that is used, or was not good enough.
    member_error_mm : float
        The same of the level of a single member.
    """

    nodes: tuple[float, ...]
    levels: Array
    smooth: bool = False
    error_mm: float = 0.0
    member_error_mm: float = 0.0

    def at(self, scenario: int, intensity: float) -> Array:
        """Level at an intensity, shape (member, year), m BHS.

        Raises
        ------
        OutOfRangeError
            When it was not simulated and is not interpolated.
        """
        if intensity in self.nodes:
            return np.asarray(self.levels[scenario, self.nodes.index(intensity)])
        if not self.smooth or not self.nodes[0] <= intensity <= self.nodes[-1]:
            raise OutOfRangeError(
                "the programme was not run at this intensity\n"
                f"    found    {intensity:g}\n"
                f"    allowed  {', '.join(f'{node:g}' for node in self.nodes)}"
            )
        part = weights(intensity, self.nodes)
        return np.asarray(np.tensordot(part, self.levels[scenario], axes=1))


def dial(levels: Mapping[float, Array]) -> Dial:
    """Turn runs of a programme at several intensities into what can be looked at.

    Parameters
    ----------
    levels : mapping of intensity to ndarray, shape (scenario, member, year)
        For all of :data:`NODES` and :data:`BETWEEN`.

    Returns
    -------
    Dial
        Between the nodes by interpolation where that is good to :data:`TOLERANCE_MM`; with the runs in
        between as nodes where it is not.
    """
    smooth = Dial(NODES, np.stack([levels[node] for node in NODES], axis=1), smooth=True)
    of_points = of_members = 0.0
    for between in BETWEEN:
        for scenario, run in enumerate(levels[between]):
            found = smooth.at(scenario, between)
            points = [np.quantile(values, CHECKED_POINTS, axis=0) for values in (found, run)]
            of_points = max(of_points, 1000.0 * float(np.abs(points[0] - points[1]).max()))
            of_members = max(of_members, 1000.0 * float(np.abs(found - run).max()))
    if of_points <= TOLERANCE_MM:
        return replace(smooth, error_mm=of_points, member_error_mm=of_members)
    every = tuple(sorted(levels))
    runs = np.stack([levels[node] for node in every], axis=1)
    return Dial(every, runs, error_mm=of_points, member_error_mm=of_members)
