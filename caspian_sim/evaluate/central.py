"""Runs without chance: the level when every parameter has one value, and the value that a level needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from caspian_sim import data
from caspian_sim.config import Config
from caspian_sim.config.programme import Programme
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import integrate

Array = NDArray[np.float64]
Area = Literal["dynamic", "constant"]

NODES = 9
"""Values at which a search tabulates the level."""
BEYOND = 1.3
"""How far beyond the value that the slope predicts a search looks first."""
SMALLEST_SLOPE_M = 1e-6
"""Least effect of a first step that a search counts on, m."""
STEPS_PER_MONTH = 1
"""One Runge-Kutta step a month is off by less than 0.01 mm."""


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
                "solver": config.solver.model_copy(update={"steps_per_month": STEPS_PER_MONTH}),
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
    years: Sequence[int],
) -> Array:
    """Value of a parameter at which the level of a year is as wanted, all others at their centre.

    Parameters
    ----------
    plan : Plan
        From :func:`central_plan`, up to the last of `years`.
    centre : mapping of name to float
    names : sequence of str
        Parameter that is sought, one for each search.
    first_steps : sequence of float
        Small step of it that lowers the level.
    scenarios : sequence of str
    levels : ndarray, shape (search,)
        Wanted annual mean level, m BHS.
    years : sequence of int

    Returns
    -------
    ndarray, shape (search,)
        NaN where no value that the parameter may have gives that level.

    Notes
    -----
    All searches run together, since many runs side by side take hardly longer than one. The level is
    tabulated from the centre to beyond the value that its slope there predicts, then once more in the
    interval in which it crosses the wanted level. :func:`scipy.optimize.brentq` finds the crossing on the
    monotone cubic interpolant of the second table, which is off by less than a millimetre of level.
    """
    limits, every = data.parameters(), list(dict.fromkeys(names))
    place = np.array([every.index(name) for name in names])
    columns = list(dict.fromkeys(years))
    column = np.array([columns.index(year) for year in years])

    def excess(search: NDArray[np.int64], nodes: Array) -> Array:
        """Level less the wanted one of some searches, for nodes of shape (search, node)."""
        each = np.repeat(search, nodes.shape[1])
        changed = {
            name: np.where(place[each] == i, nodes.ravel(), centre[name]) for i, name in enumerate(every)
        }
        found = central_level(plan, centre, changed, columns, [scenarios[s] for s in each.tolist()])
        picked = found[column[each], np.arange(len(each))]
        return np.asarray((picked - np.asarray(levels, dtype=float)[each]).reshape(nodes.shape))

    search = np.arange(len(names))
    start, step = np.array([centre[name] for name in names]), np.asarray(first_steps, dtype=float)
    least, most = (np.array([getattr(limits[name], end) for name in names]) for end in ("least", "most"))
    at_start, stepped = excess(search, np.stack([start, start + step], axis=1)).T
    slope = np.maximum(at_start - stepped, SMALLEST_SLOPE_M)
    far = np.clip(start + BEYOND * at_start / slope * step, least, most)
    low, high = start.copy(), start.copy()
    crossing = np.zeros(len(names), dtype=bool)
    while len(search):
        nodes = np.linspace(start[search], far[search], NODES, axis=1)
        sign = np.sign(excess(search, nodes))
        change = sign[:, :-1] * sign[:, 1:] <= 0.0
        crossed = change.any(axis=1)
        first, row = change.argmax(axis=1)[crossed], np.flatnonzero(crossed)
        low[search[crossed]], high[search[crossed]] = nodes[row, first], nodes[row, first + 1]
        crossing[search[crossed]] = True
        open_ = search[~crossed & (far[search] != least[search]) & (far[search] != most[search])]
        far[open_] = np.clip(2.0 * far[open_] - start[open_], least[open_], most[open_])
        search = open_
    found = np.full(len(names), np.nan)
    search = np.flatnonzero(crossing)
    if len(search):
        nodes = np.linspace(low[search], high[search], NODES, axis=1)
        table = excess(search, nodes)
        for which, values, levels_found in zip(search, nodes, table, strict=True):
            found[which] = _crossing(values, levels_found)
    return found


def _crossing(values: Array, excess: Array) -> float:
    """Value at which a tabulated excess is zero, between nodes that go up or down."""
    order = np.argsort(values)
    if values[order[0]] == values[order[-1]]:
        return float(values[0])
    interpolant = PchipInterpolator(values[order], excess[order])
    return float(brentq(lambda value: float(interpolant(value)), values[order[0]], values[order[-1]]))
