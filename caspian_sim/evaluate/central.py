"""Runs without chance: the level when every parameter has one value, and the value that a level needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

from caspian_sim import data
from caspian_sim.config import Config
from caspian_sim.config.schema import Programme
from caspian_sim.simulate import Plan, integrate, make_plan

Array = NDArray[np.float64]
Area = Literal["dynamic", "constant"]

TOLERANCE_M = 1e-4
"""A wanted level is met to a tenth of a millimetre."""
MOST_DOUBLINGS = 12
"""How often the first step of a search may double; the limits of the parameter end it earlier."""


def central_plan(config: Config, area: Area, last_year: int) -> Plan:
    """Plan of runs without variability and measures, with an area that changes or not, up to a year.

    Parameters
    ----------
    config : Config
    area : {"dynamic", "constant"}
    last_year : int

    Returns
    -------
    Plan
    """
    return make_plan(
        config.model_copy(
            update={
                "period": config.period.model_copy(update={"end": last_year}),
                "climate": config.climate.model_copy(update={"area_convention": area}),
                "uncertainty": config.uncertainty.model_copy(update={"variability": False}),
                "programmes": {"none": Programme()},
                "outcomes": config.outcomes.model_copy(update={"thresholds_m": (), "report_years": ()}),
                "output": config.output.model_copy(update={"frequency": "annual"}),
            }
        )
    )


def central_level(
    plan: Plan,
    centre: Mapping[str, float],
    changed: Mapping[str, Array],
    years: Sequence[int],
    scenarios: Sequence[str] | None = None,
) -> Array:
    """Annual mean level of runs in which some parameters are changed.

    Parameters
    ----------
    plan : Plan
        From :func:`central_plan`.
    centre : mapping of name to float
        Value of every parameter.
    changed : mapping of name to ndarray, shape (run,)
        Parameters that differ from run to run.
    years : sequence of int
    scenarios : sequence of str, optional
        One for each run. All scenarios of the plan for every run when not given.

    Returns
    -------
    ndarray, shape (year, scenario, run), or (year, run) with `scenarios`
        m BHS.
    """
    runs = len(next(iter(changed.values())))
    inputs = {f"parameter:{name}": np.full(runs, value) for name, value in centre.items()}
    inputs |= {f"parameter:{name}": np.asarray(values, dtype=float) for name, values in changed.items()}
    level = integrate(plan, np.zeros(runs, dtype=np.int64), inputs).solution.level
    wanted = [year - plan.frame.calendar.first_year for year in years]
    found = level[wanted].reshape(len(wanted), -1, runs)
    if scenarios is None:
        return np.asarray(found)
    place = [plan.frame.config.climate.scenarios.index(name) for name in scenarios]
    return np.asarray(found[:, place, np.arange(runs)])


def needed_values(
    plan: Plan,
    centre: Mapping[str, float],
    names: Sequence[str],
    first_steps: Sequence[float],
    scenarios: Sequence[str],
    levels: Array,
    year: int,
) -> Array:
    """Value of a parameter at which the level of a year is as wanted, all others at their centre.

    Parameters
    ----------
    plan : Plan
        From :func:`central_plan`, up to `year`.
    centre : mapping of name to float
    names : sequence of str
        Parameter that is sought, one for each search.
    first_steps : sequence of float
        First step towards the value: up where it is positive and the level has to fall. The level must fall
        with the parameter where the step is positive and rise with it where it is negative.
    scenarios : sequence of str
    levels : ndarray, shape (search,)
        Wanted annual mean level, m BHS.
    year : int

    Returns
    -------
    ndarray, shape (search,)
        NaN where no value that the parameter may have gives that level.

    Notes
    -----
    All searches step together: bracketed from the centre by steps that double, then closed by the method of
    Chandrupatla (:func:`scipy.optimize.elementwise.find_root`), which like that of Brent needs no derivative.
    """
    limits = data.parameters()
    every = list(dict.fromkeys(names))
    place, wanted = np.array([every.index(name) for name in names]), np.asarray(levels, dtype=float)

    def excess(value: Array, which: Array) -> Array:
        # The numbers of the searches travel through the root finder as floats.
        search = which.astype(np.int64)
        changed = {name: np.where(place[search] == i, value, centre[name]) for i, name in enumerate(every)}
        found = central_level(plan, centre, changed, [year], [scenarios[s] for s in search])
        return np.asarray(found[0] - wanted[search])

    ends = np.array([[limits[name].least, limits[name].most] for name in names])
    start = np.array([centre[name] for name in names])
    low, high, held = _bracket(excess, start, np.asarray(first_steps, dtype=float), ends)
    found = np.full(len(names), np.nan)
    if held.any():
        search = np.flatnonzero(held).astype(float)
        tolerances: Any = {"fatol": TOLERANCE_M, "frtol": 0.0}
        found[held] = elementwise.find_root(
            excess, (low[held], high[held]), args=(search,), tolerances=tolerances
        ).x
    return found


def _bracket(
    excess: Callable[[Array, Array], Array], start: Array, step: Array, ends: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Two values around each root, and whether there is one: steps that double, in one direction only."""
    at_start = excess(start, np.arange(len(start), dtype=float))
    # A level that is too high has to fall, which is the way of the step.
    toward = np.where(at_start >= 0.0, 1.0, -1.0) * step
    near, far = start.copy(), start.copy()
    open_ = np.ones(len(start), dtype=bool)
    for doubling in range(MOST_DOUBLINGS):
        moving = open_ & (far != np.where(toward > 0.0, ends[:, 1], ends[:, 0])) if doubling else open_
        if not moving.any():
            break
        near[moving] = far[moving]
        far[moving] = np.clip(far + toward * 2.0**doubling, ends[:, 0], ends[:, 1])[moving]
        which = np.flatnonzero(moving)
        crossed = excess(far[which], which.astype(float)) * at_start[which] <= 0.0
        open_[which[crossed]] = False
    return near, far, ~open_
