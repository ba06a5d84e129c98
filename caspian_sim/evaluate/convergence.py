r"""Whether the ensembles of a calibration have converged, and how many independent draws they are worth.

*R-hat* is the rank-normalised split one of Vehtari et al. (2021), with an **ensemble** as a chain: all
walkers of its first half against all of its second half and against the halves of the other ensembles. The
walkers of one ensemble take their moves from each other and may all be wrong together; taken as chains they
would agree about it. Only ensembles know nothing of each other.

The *effective size* counts in two ways. Bulk and tail size (Vehtari et al. 2021) take every walker as a
chain, which sees how long a walker remembers. That walkers of an ensemble move together it does not see, but
the mean of the ensemble does, whose variance is that of the posterior over the number of walkers when they
are independent: the *coupled* size is the effective size of the series of ensemble means, times the variance
of the posterior over that of the series. The smallest of the three counts.

References
----------
Vehtari, A. et al. (2021), Rank-normalization, folding, and localization: an improved R-hat for assessing
convergence of MCMC, Bayesian Analysis 16, 667-718, doi:10.1214/20-BA1221. Goodman, J. and Weare, J. (2010),
Ensemble samplers with affine invariance, Comm. App. Math. Comp. Sci. 5, 65-80, doi:10.2140/camcos.2010.5.65:
the variance of ensemble means.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pandas as pd
import xarray as xr

from caspian_sim.evaluate.calibrate import require_sampler

MOST_R_HAT = 1.01
TAIL = (0.05, 0.95)
LEAST_SIZE = 2000
"""Effective draws that every parameter needs: as many as the posterior has rows."""
SIZES = ("ess_bulk", "ess_tail", "ess_coupled")


def diagnose(ds: xr.Dataset) -> pd.DataFrame:
    """Judge the convergence of a calibration.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.calibrate`.

    Returns
    -------
    pandas.DataFrame
        For each `parameter`: `r_hat`, the effective sizes `ess_bulk`, `ess_tail` and `ess_coupled`,
        `autocorrelation_time_steps` (largest of the ensembles), and whether all is well, `converged`.

    Raises
    ------
    CaspianError
        When arviz-stats is not installed.
    """
    require_sampler()
    # The one place that knows arviz, which has no types.
    array_stats: Any = import_module("arviz_stats.base").array_stats
    rows = []
    for name in ds["parameter"].values:
        value = ds["value"].sel(parameter=name).transpose("ensemble", "step", "walker").values
        ensembles, steps, walkers = value.shape
        by_walker = value.swapaxes(1, 2).reshape(ensembles * walkers, steps)
        means = value.mean(axis=2)
        coupled = float(array_stats.ess(means, method="mean")) * value.var() / means.var()
        row = {
            "parameter": str(name),
            "r_hat": float(array_stats.rhat(value.reshape(ensembles, -1), method="rank")),
            "ess_bulk": float(array_stats.ess(by_walker, method="bulk")),
            "ess_tail": float(array_stats.ess(by_walker, method="tail", prob=TAIL)),
            "ess_coupled": coupled,
            "autocorrelation_time_steps": float(ds["autocorrelation_time"].sel(parameter=name).max()),
        }
        row["converged"] = row["r_hat"] <= MOST_R_HAT and min(row[size] for size in SIZES) >= LEAST_SIZE
        rows.append(row)
    return pd.DataFrame(rows)


def warnings_of(diagnosis: pd.DataFrame, least_size: int = LEAST_SIZE) -> list[str]:
    """Say what is wrong with a calibration.

    Parameters
    ----------
    diagnosis : pandas.DataFrame
        Of :func:`diagnose`.
    least_size : int
        Effective draws that every parameter needs.

    Returns
    -------
    list of str
        Empty when all is well.
    """
    found = []
    apart = diagnosis[~(diagnosis["r_hat"] <= MOST_R_HAT)].sort_values("r_hat", ascending=False)
    if len(apart):
        worst = apart.iloc[0]
        found.append(
            f"the ensembles have not converged: R-hat is {worst.r_hat:.3f} for {worst.parameter}"
            f"{_others(len(apart))}, more than {MOST_R_HAT}; use more --burn-in and more --steps"
        )
    least = diagnosis[list(SIZES)].min(axis=1)
    few = least[~(least >= least_size)].sort_values()
    if len(few):
        found.append(
            f"too few independent draws: {few.iloc[0]:.0f} for {diagnosis['parameter'][few.index[0]]}"
            f"{_others(len(few))}, fewer than {least_size}; use more --steps"
        )
    return found


def _others(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""
