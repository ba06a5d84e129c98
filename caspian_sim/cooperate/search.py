r"""Programmes that no other one beats: less effort or more effect, over all combinations of intensities.

A programme gives each measure an intensity, a whole number of steps from none to full. One programme
dominates another when it needs no more effort and has no less effect, and one of the two is better; the
front are those that nothing dominates. Where the combinations are few all of them are tried; else NSGA-II
(Deb et al. 2002, doi:10.1109/4235.996017) of pymoo (Blank and Deb 2020, doi:10.1109/ACCESS.2020.2990567)
searches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caspian_sim.errors import CaspianError

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Scores = tuple[Array, Array]
Evaluate = Callable[[Steps], Scores]
"""Effort (programme,) and effect (output, programme) of some programmes; the first effect is optimised."""
Repair = Callable[[Steps], Steps]


def front(effort: Array, effect: Array) -> NDArray[np.int64]:
    """Places of the programmes that no other one dominates, by rising effort.

    Parameters
    ----------
    effort, effect : ndarray, shape (programme,)

    Returns
    -------
    ndarray of int, shape (point,)
        Of programmes with the same effort and effect the first one alone.
    """
    order = np.lexsort((np.arange(len(effort)), -effect, effort))
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(effect[order])[:-1]])
    return np.asarray(order[effect[order] > best_before])


def hypervolume(effort: Array, effect: Array, most_effort: float, most_effect: float) -> float:
    """Share of the plane of effort and effect that some programmes dominate.

    Parameters
    ----------
    effort, effect : ndarray, shape (programme,)
    most_effort, most_effect : float
        Size of the plane, from 0 for both; what lies outside counts as far as it reaches in.

    Returns
    -------
    float
        From 0 to 1; see Zitzler and Thiele (1999), doi:10.1109/4235.797969.
    """
    if most_effort <= 0.0 or most_effect <= 0.0:
        return 0.0
    x = np.clip(effort / most_effort, 0.0, 1.0)
    y = np.clip(effect / most_effect, 0.0, 1.0)
    points = front(x, y)
    until = np.append(x[points][1:], 1.0)
    return float((y[points] * (until - x[points])).sum())


def thinned(values: Array, most: int) -> NDArray[np.int64]:
    """Places of at most so many of rising values, as evenly spaced as they can be, both ends among them."""
    if len(values) <= most:
        return np.arange(len(values))
    wanted = np.linspace(values[0], values[-1], most)
    return np.unique(np.abs(values[None, :] - wanted[:, None]).argmin(axis=1))


@dataclass
class Tried:
    """Programmes that have been evaluated, each once.

    Attributes
    ----------
    steps : ndarray of int, shape (programme, measure)
    effort : ndarray, shape (programme,)
    effects : ndarray, shape (output, programme)
    hypervolume : list of float
        Of everything tried, after each generation.
    tried : list of int
        Programmes tried by then.
    """

    steps: Steps
    effort: Array
    effects: Array
    hypervolume: list[float] = field(default_factory=list)
    tried: list[int] = field(default_factory=list)


def every(measures: int, steps: int, repair: Repair) -> Steps:
    """All combinations of intensities that are allowed, shape (programme, measure), nothing at all first."""
    found = np.array(list(product(range(steps + 1), repeat=measures)), dtype=np.int64)
    return np.unique(repair(found), axis=0)


class _Archive:
    """Evaluates programmes that it does not know yet, and keeps count of the generations."""

    def __init__(self, evaluate: Evaluate, whole: Steps) -> None:
        self._evaluate = evaluate
        self._known: dict[tuple[int, ...], int] = {}
        self._efforts: list[Array] = []
        self._effects: list[Array] = []
        effort, effects = self.scores(whole[None])
        self._size = float(effort[0]), float(effects[0, 0])
        self._volumes: list[float] = []
        self._counts: list[int] = []

    def scores(self, steps: Steps) -> Scores:
        rows = [tuple(int(step) for step in row) for row in steps]
        fresh = [row for row in dict.fromkeys(rows) if row not in self._known]
        if fresh:
            effort, effects = self._evaluate(np.array(fresh, dtype=np.int64))
            self._known |= {row: len(self._known) + i for i, row in enumerate(fresh)}
            self._efforts.append(effort)
            self._effects.append(effects)
        places = [self._known[row] for row in rows]
        return np.concatenate(self._efforts)[places], np.concatenate(self._effects, axis=1)[:, places]

    def count(self) -> None:
        effort, effects = np.concatenate(self._efforts), np.concatenate(self._effects, axis=1)
        self._volumes.append(hypervolume(effort, effects[0], *self._size))
        self._counts.append(len(effort))

    def tried(self) -> Tried:
        return Tried(
            np.array(list(self._known), dtype=np.int64),
            np.concatenate(self._efforts),
            np.concatenate(self._effects, axis=1),
            self._volumes,
            self._counts,
        )


def everything(measures: int, steps: int, repair: Repair) -> Steps:
    """Programme of all measures in full, as far as they go together, shape (measure,)."""
    return np.asarray(repair(np.full((1, measures), steps, dtype=np.int64))[0])


def try_all(
    evaluate: Evaluate,
    programmes: Steps,
    whole: Steps,
    batch: int,
    progress: Callable[[int, int], None] | None = None,
) -> Tried:
    """Evaluate programmes, some at a time.

    Parameters
    ----------
    evaluate : callable
    programmes : ndarray of int, shape (programme, measure)
    whole : ndarray of int, shape (measure,)
        What the hypervolume is measured by: see :func:`everything`.
    batch : int
        Programmes at a time.
    progress : callable, optional
        Called with the batches done and the batches in all.
    """
    archive = _Archive(evaluate, whole)
    begins = range(0, len(programmes), batch)
    for done, begin in enumerate(begins, start=1):
        archive.scores(programmes[begin : begin + batch])
        archive.count()
        if progress is not None:
            progress(done, len(begins))
    return archive.tried()


def require_optimiser() -> None:
    """Refuse to start without the package of the extra ``optimise`` (:class:`CaspianError`)."""
    if find_spec("pymoo") is None:
        raise CaspianError('trade-offs need pymoo: pip install "caspian-sim[optimise]"')


def evolve(
    evaluate: Evaluate,
    measures: int,
    steps: int,
    repair: Repair,
    *,
    population: int,
    generations: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Tried:
    """Search for the front by NSGA-II.

    Parameters
    ----------
    evaluate : callable
    measures, steps : int
        Measures, and steps of intensity from none to full.
    repair : callable
        Makes combinations allowed.
    population, generations : int
        Programmes kept, and how often as many new ones are bred from them. The first ones are nothing,
        everything, each measure alone, and others at random.
    seed : int
        The same seed gives the same programmes.
    progress : callable, optional
        Called with the generations done and the generations in all.

    Returns
    -------
    Tried
        Everything that was tried, not the last generation alone.

    Notes
    -----
    Two programmes swap each intensity with probability 1/2 (uniform crossover); then each intensity changes,
    with probability one over the number of measures, to any other one.

    Raises
    ------
    CaspianError
        Without pymoo.
    """
    require_optimiser()
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.core.repair import Repair as PymooRepair
    from pymoo.operators.crossover.ux import UniformCrossover
    from pymoo.problems.static import StaticProblem

    class Another(Mutation):  # type: ignore[misc]
        def _do(self, problem: Any, X: Steps, *_: Any, random_state: Any = None, **__: Any) -> Steps:
            changes = random_state.random(X.shape) < 1.0 / problem.n_var
            return np.where(changes, (X + random_state.integers(1, steps + 1, X.shape)) % (steps + 1), X)

    class Allowed(PymooRepair):  # type: ignore[misc]
        def _do(self, problem: Any, X: Steps, **_: Any) -> Steps:
            return repair(X)

    whole = everything(measures, steps, repair)[None]
    alone = steps * np.eye(measures, dtype=np.int64)
    random = np.random.default_rng(seed).integers(0, steps + 1, (2 * population, measures))
    first = repair(np.concatenate([np.zeros_like(whole), whole, alone, random]))
    _, places = np.unique(first, axis=0, return_index=True)
    first = first[np.sort(places)][:population]

    archive = _Archive(evaluate, whole[0])
    problem = Problem(n_var=measures, n_obj=2, xl=0, xu=steps, vtype=int)
    algorithm = NSGA2(
        pop_size=population,
        sampling=first,
        crossover=UniformCrossover(prob=1.0),
        mutation=Another(),
        repair=Allowed(),
    )
    algorithm.setup(problem, termination=("n_gen", generations), seed=seed, verbose=False)
    for done in range(1, generations + 1):
        bred = algorithm.ask()
        if bred is None or len(bred) == 0:
            break
        effort, effects = archive.scores(bred.get("X").astype(np.int64))
        Evaluator().eval(StaticProblem(problem, F=np.column_stack([effort, -effects[0]])), bred)
        algorithm.tell(infills=bred)
        archive.count()
        if progress is not None:
            progress(done, generations)
    return archive.tried()
