"""The calibration: several ensembles that know nothing of each other, on one process or many.

An ensemble has random numbers of its own, by its number and the seed, so that neither the number of processes
nor that of ensembles changes what it finds. Whether they have converged is judged in
:mod:`caspian_sim.evaluate.convergence`.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.data import Parameter
from caspian_sim.data.reader import sha256
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.calibrate import (
    BURN_IN,
    FIRST_YEAR,
    STEPS,
    WALKERS,
    Progress,
    Target,
    calibrated_parameters,
    default_target,
    require_sampler,
    sample_ensemble,
)
from caspian_sim.record.observations import Observations
from caspian_sim.results import package_attributes

Array = NDArray[np.float64]

ENSEMBLES, SEED = 4, 20251211
THIN = 10
"""Of so many steps one is kept; the walkers forget their place in some seventy."""
POLL_SECONDS = 0.5
TABLES = (
    "sea_level_annual",
    "sea_level_monthly",
    "river_inflow_annual",
    "gmst_observed",
    "hypsometry",
    "strait_emulator",
    "bay_checks",
)
"""Shipped tables that go into a calibration, beside the priors."""
PRIORS = "priors"


def calibration_inputs(priors: Mapping[str, Parameter] | None = None) -> dict[str, str]:
    """Checksums of what a calibration is made from.

    Parameters
    ----------
    priors : mapping of name to Parameter, optional
        The shipped ones when not given. Those of parameters that are not calibrated do not count.

    Returns
    -------
    dict of str to str
        SHA-256 by table, and of the priors.
    """
    numbers = [
        [p.name, p.distribution, p.best, p.low, p.high, p.least, p.most]
        for p in (priors or calibrated_parameters()).values()
    ]
    return {**data.input_hashes(TABLES), PRIORS: sha256(json.dumps(numbers).encode())}


@dataclass(frozen=True)
class Settings:
    """How a posterior is sampled.

    Attributes
    ----------
    ensembles, walkers : int
        Ensembles that know nothing of each other, and walkers of each.
    steps, burn_in : int
        Steps that count, and steps before them that do not.
    thin : int
        Of so many steps one is kept.
    seed : int
    """

    ensembles: int = ENSEMBLES
    walkers: int = WALKERS
    steps: int = STEPS
    burn_in: int = BURN_IN
    thin: int = THIN
    seed: int = SEED

    def check(self, parameters: int) -> None:
        """Refuse settings that cannot work.

        Raises
        ------
        OutOfRangeError
            Naming the first setting that is out of range.
        """
        least = {
            "ensembles": 2,
            "walkers": 2 * parameters + 2,
            "steps": 4 * self.thin,
            "burn_in": 0,
            "thin": 1,
            "seed": 0,
        }
        reasons = {
            "ensembles": "one ensemble alone cannot tell whether it has converged",
            "walkers": f"moves in {parameters} dimensions need more than twice as many walkers",
            "steps": "a chain is split into halves of at least two kept steps each",
        }
        for name, smallest in least.items():
            found = getattr(self, name)
            if found < smallest:
                reason = f"\n    hint     {reasons[name]}" if name in reasons else ""
                raise OutOfRangeError(
                    f"{name.replace('_', '-')}: too small for a calibration\n"
                    f"    found    {found}\n    allowed  {smallest} or more{reason}"
                )

    def seed_of(self, ensemble: int) -> int:
        """Seed of an ensemble, which does not depend on how many there are."""
        return int(np.random.SeedSequence([self.seed, ensemble]).generate_state(1)[0])


@dataclass(frozen=True)
class Ensemble:
    """What the walkers of one ensemble did.

    Attributes
    ----------
    chain : ndarray, shape (step, walker, parameter)
        Steps that are kept.
    density : ndarray, shape (step, walker)
        Logarithm of the unnormalised posterior.
    accepted : float
        Share of the moves that were accepted.
    autocorrelation_time : ndarray, shape (parameter,)
        Integrated autocorrelation time in steps, from all of them, as emcee finds it.
    """

    chain: Array
    density: Array
    accepted: float
    autocorrelation_time: Array


def run_ensemble(
    target: Target, settings: Settings, ensemble: int, progress: Progress | None = None
) -> Ensemble:
    """Sample one of the ensembles.

    Parameters
    ----------
    target : Target
    settings : Settings
    ensemble : int
        Number of the ensemble, from 0.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    Ensemble
    """
    import emcee

    chain, density, accepted = sample_ensemble(
        target,
        settings.seed_of(ensemble),
        walkers=settings.walkers,
        steps=settings.steps,
        burn_in=settings.burn_in,
        progress=progress,
    )
    kept = slice(settings.thin - 1, None, settings.thin)
    # A tolerance of nothing: whether the chain is long enough is judged elsewhere.
    with np.errstate(invalid="ignore"):  # walkers that never moved remember for ever: NaN
        memory = emcee.autocorr.integrated_time(chain, tol=0, quiet=True)
    return Ensemble(chain[kept], density[kept], accepted, np.asarray(memory))


def calibrate(
    observed: Observations | None = None,
    *,
    settings: Settings | None = None,
    priors: Mapping[str, Parameter] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Sample the posterior of the parameters by several independent ensembles.

    Parameters
    ----------
    observed : Observations, optional
        The shipped record when not given. Nothing after 2022 is used.
    settings : Settings, optional
    priors : mapping of name to Parameter, optional
        In place of the shipped ones.
    workers : int
        Processes at work at the same time; no number depends on it. A script that asks for more than one must
        keep what it does under ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the steps done in all ensembles, and the steps in all.

    Returns
    -------
    xarray.Dataset
        ``value`` (ensemble, step, walker, parameter), ``log_density``, ``accepted`` and
        ``autocorrelation_time``; the steps are those that are kept. Settings and checksums of the inputs are
        attributes.

    Raises
    ------
    CaspianError
        When the extra ``calibrate`` is not installed.
    OutOfRangeError
        When a setting cannot work.
    """
    require_sampler()
    how, target = settings or Settings(), default_target(observed, priors)
    how.check(len(target.priors))
    began = time.perf_counter()
    if workers == 1:
        found = [
            run_ensemble(target, how, number, _counted(progress, number, how))
            for number in range(how.ensembles)
        ]
    else:
        found = _in_processes(target, how, workers, progress)
    return _dataset(found, target, how, time.perf_counter() - began, shipped=observed is None)


def _counted(progress: Progress | None, ensemble: int, settings: Settings) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total: progress(ensemble * total + done, settings.ensembles * total)


_REPORTS: Any = None


def _receive_reports_from(queue: Any) -> None:
    """Keep, in a worker, the queue by which it reports."""
    global _REPORTS
    _REPORTS = queue


def _reporting(target: Target, settings: Settings, ensemble: int) -> Ensemble:
    return run_ensemble(target, settings, ensemble, lambda done, _: _REPORTS.put((ensemble, done)))


def _in_processes(
    target: Target, settings: Settings, workers: int, progress: Progress | None
) -> list[Ensemble]:
    # Spawned, not forked: a fork of a process with threads may lock up.
    context = multiprocessing.get_context("spawn")
    reports = context.SimpleQueue()
    done = np.zeros(settings.ensembles, dtype=int)
    total = settings.ensembles * (settings.burn_in + settings.steps)
    with ProcessPoolExecutor(
        min(workers, settings.ensembles), context, _receive_reports_from, (reports,)
    ) as pool:
        jobs = [pool.submit(_reporting, target, settings, number) for number in range(settings.ensembles)]
        left: set[Future[Ensemble]] = set(jobs)
        try:
            while left:
                left = wait(left, POLL_SECONDS).not_done
                while not reports.empty():
                    ensemble, steps = reports.get()
                    done[ensemble] = steps
                    if progress is not None:
                        progress(int(done.sum()), total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [job.result() for job in jobs]


def _dataset(
    found: list[Ensemble], target: Target, settings: Settings, seconds: float, shipped: bool
) -> xr.Dataset:
    last = int(target.observed.year[-1])
    attributes: dict[str, Any] = package_attributes(
        "Calibration of the annual water balance on the record",
        "calibrate",
        calibration_inputs(target.priors),
    )
    attributes |= {
        "observations": "as shipped" if shipped else "not those that ship with the package",
        "first_year": FIRST_YEAR,
        "last_year": last,
        "settings": json.dumps(asdict(settings)),
        "seed": settings.seed,
        "sampler": "emcee, moves by differential evolution (0.8) and snooker (0.2)",
        "seconds": round(seconds, 1),
    }
    units = [prior.unit for prior in target.priors.values()]
    dims = ("ensemble", "step", "walker")
    ds = xr.Dataset(
        {
            "value": ((*dims, "parameter"), np.stack([e.chain for e in found])),
            "log_density": (dims, np.stack([e.density for e in found])),
            "accepted": ("ensemble", np.array([e.accepted for e in found])),
            "autocorrelation_time": (
                ("ensemble", "parameter"),
                np.stack([e.autocorrelation_time for e in found]),
            ),
        },
        coords={
            "step": settings.thin * np.arange(1, len(found[0].chain) + 1),
            "parameter": np.array(list(target.priors), dtype=object),
            "unit": ("parameter", np.array(units, dtype=object)),
        },
        attrs=attributes,
    )
    ds["value"].attrs = {"units": "1", "long_name": "parameter, in the unit of its name"}
    ds["log_density"].attrs = {"units": "1", "long_name": "logarithm of the unnormalised posterior"}
    ds["accepted"].attrs = {"units": "1", "long_name": "share of the moves that were accepted"}
    ds["autocorrelation_time"].attrs = {
        "units": "1",
        "long_name": "integrated autocorrelation time of the walkers, steps",
    }
    ds["step"].attrs = {"units": "1", "long_name": "step after the burn-in"}
    ds["parameter"].attrs = {"long_name": "uncertain parameter"}
    ds["unit"].attrs = {"long_name": "unit of the parameter"}
    return ds
