r"""Bayesian calibration of the annual balance on the record.

.. math::

    p(\theta \mid y) \propto p(\theta)\; p(h_{1921:2022}, R_{1936:2022} \mid \theta)\; \prod_k
    p(b_k \mid \theta)

The prior is the table ``parameters``. The likelihood of levels and inflow is that of the state-space model
:mod:`caspian_sim.record.annual`, whose slow departures are the autocorrelated errors: a year tells the less
the more its neighbours have told. The facts *b* about strait and bay (table ``bay_checks``) are independent
normal. Levels after 2022 are left out, so that they test what was calibrated.

Sampled by emcee, affine-invariant ensembles with moves by differential evolution. The calibration that the
package ships consists of several of them (:mod:`caspian_sim.evaluate.ensembles`).

References
----------
Foreman-Mackey, D. et al. (2013), emcee: The MCMC Hammer, PASP 125, 306-312, doi:10.1086/670067. ter Braak,
C. J. F. and Vrugt, J. A. (2008), Statistics and Computing 18, 435-446, doi:10.1007/s11222-008-9104-9: the
moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.climate.draws import draw_inputs, log_density
from caspian_sim.data import Parameter
from caspian_sim.errors import CaspianError
from caspian_sim.record.annual import Reference, baseline_reference, filter_record
from caspian_sim.record.observations import Observations, shipped_observations
from caspian_sim.record.outflow import emulated_record
from caspian_sim.record.posterior import FITTED_UNTIL, NOT_CALIBRATED

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

FIRST_YEAR, LAST_YEAR = 1921, FITTED_UNTIL
WALKERS, STEPS, BURN_IN = 256, 1300, 600
"""Many walkers and few steps: a step of 256 walkers costs hardly more than one of 50."""
START_DRAWS = 20_000
STAGES = 50
"""Reports of progress in the course of an ensemble."""


def calibrated_parameters() -> dict[str, Parameter]:
    """Parameters that are calibrated, with their priors."""
    return {name: p for name, p in data.parameters().items() if name not in NOT_CALIBRATED}


@dataclass(frozen=True)
class Target:
    """The posterior density that is sampled.

    Attributes
    ----------
    priors : mapping of name to Parameter
        In the order of the coordinates.
    observed : Observations
    reference : Reference
    """

    priors: Mapping[str, Parameter]
    observed: Observations
    reference: Reference

    def __call__(self, points: Array) -> Array:
        """Logarithm of the unnormalised posterior at points (set, parameter), −inf outside the prior."""
        parameters = dict(zip(self.priors, points.T, strict=True))
        prior = np.sum([log_density(p, parameters[name]) for name, p in self.priors.items()], axis=0)
        inside = np.flatnonzero(np.isfinite(prior))
        result = np.full(len(points), -np.inf)
        if inside.size:
            chosen = {name: values[inside] for name, values in parameters.items()}
            result[inside] = prior[inside] + log_likelihood(chosen, self.observed, self.reference)
        return result


def log_likelihood(parameters: Mapping[str, Array], observed: Observations, reference: Reference) -> Array:
    """Logarithm of the likelihood of the record and of the facts about the bay.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
    observed : Observations
        Up to 2022 at the latest.
    reference : Reference

    Returns
    -------
    ndarray, shape (set,)
    """
    strait = emulated_record(parameters)
    begin = int(observed.year[0] - strait.year[0])
    outflow = strait.outflow[begin : begin + len(observed.year)]
    yearly = [f.log_likelihood for f, _ in filter_record(parameters, observed, outflow, reference)]
    total = np.sum(yearly, axis=0)
    for term in bay_log_likelihood(strait.checks, int(observed.year[-1])).values():
        total = total + term
    return np.asarray(np.where(np.isfinite(total), total, -np.inf))


def bay_log_likelihood(checks: Mapping[str, Array], known_in: int) -> dict[str, Array]:
    """Logarithm of the likelihood of each fact about strait and bay that was known in a year.

    Parameters
    ----------
    checks : mapping of name to ndarray, shape (set,)
        Values of the model, see :class:`caspian_sim.record.outflow.StraitRecord`.
    known_in : int

    Returns
    -------
    dict of name to ndarray, shape (set,)
    """
    table = data.load("bay_checks")
    found = {}
    for name, value, sd, year in zip(
        table["check"].values,
        table["value"].values,
        table["sd"].values,
        table["known_from"].values,
        strict=True,
    ):
        if year <= known_in:
            score = (checks[str(name)] - value) / sd
            found[str(name)] = -0.5 * score**2 - np.log(sd * np.sqrt(2.0 * np.pi))
    return found


def _start(target: Target, walkers: int, seed: int) -> Array:
    """Points to start from: draws of the prior, the better the likelier, spread as the prior allows."""
    drawn = draw_inputs(target.priors, np.arange(START_DRAWS), seed)
    points = np.stack(list(drawn.values()), axis=1)
    density = np.concatenate([target(part) for part in np.array_split(points, 10)])
    best = points[np.argsort(-density)[: walkers // 2]]
    generator = np.random.default_rng(np.random.SeedSequence([seed, START_DRAWS]))
    # Between two good points lies a third.
    pairs = generator.integers(len(best), size=(walkers - len(best), 2))
    share = generator.uniform(size=(len(pairs), 1))
    between = share * best[pairs[:, 0]] + (1.0 - share) * best[pairs[:, 1]]
    # Two walkers at the same place would have no direction to move in.
    alone = (pairs[:, 0] == pairs[:, 1]) & (between == best[pairs[:, 0]]).all(axis=1)
    between[alone] = 0.5 * (best[pairs[alone, 0]] + best[(pairs[alone, 0] + 1) % len(best)])
    return np.vstack([best, between])


def sample_ensemble(
    target: Target,
    seed: int,
    *,
    walkers: int = WALKERS,
    steps: int = STEPS,
    burn_in: int = BURN_IN,
    progress: Progress | None = None,
) -> tuple[Array, Array, float]:
    """Sample one ensemble of walkers.

    Parameters
    ----------
    target : Target
    seed : int
    walkers, steps, burn_in : int
        Walkers, steps that are kept, and steps before them that are not.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    chain : ndarray, shape (step, walker, parameter)
    density : ndarray, shape (step, walker)
        Logarithm of the unnormalised posterior.
    accepted : float
        Share of the moves that were accepted.

    Raises
    ------
    CaspianError
        When emcee is not installed.
    """
    require_sampler()
    import emcee

    sampler = emcee.EnsembleSampler(
        walkers,
        len(target.priors),
        target,
        vectorize=True,
        moves=[(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
    )
    state = emcee.State(_start(target, walkers, seed), random_state=np.random.RandomState(seed).get_state())
    total = burn_in + steps
    every = max(1, total // STAGES)
    for done, _ in enumerate(sampler.sample(state, iterations=total), start=1):
        if progress is not None and (done % every == 0 or done == total):
            progress(done, total)
    return (
        sampler.get_chain(discard=burn_in),
        sampler.get_log_prob(discard=burn_in),
        float(sampler.acceptance_fraction.mean()),
    )


def require_sampler() -> None:
    """Refuse to start without the packages of the extra ``calibrate``.

    Raises
    ------
    CaspianError
        Naming the one that is missing.
    """
    for package in ("emcee", "arviz_stats"):
        if find_spec(package) is None:
            raise CaspianError(
                f"a calibration needs {package.replace('_', '-')}\n"
                '    hint     pip install "caspian-sim[calibrate]"'
            )


def default_target(
    observed: Observations | None = None, priors: Mapping[str, Parameter] | None = None
) -> Target:
    """Posterior of the shipped record up to :data:`LAST_YEAR`, or of other observations or priors."""
    known = (observed or shipped_observations()).until(LAST_YEAR)
    return Target(priors or calibrated_parameters(), known, baseline_reference())
