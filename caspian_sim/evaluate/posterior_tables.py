"""What a calibration found: rows for projections, posterior beside prior, and the facts of the bay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.climate.draws import sample
from caspian_sim.evaluate.calibrate import calibrated_parameters
from caspian_sim.record.outflow import NAMES, emulated_record
from caspian_sim.record.posterior import prior_moments, speaker

Array = NDArray[np.float64]

ROWS = 2000
"""Joint draws that are kept for projections."""
GOLDEN_SECTION = (5.0**0.5 - 1.0) / 2.0
QUANTILES = (0.05, 0.5, 0.95)
PASSES_WITHIN = 1.645
"""Standard deviations between a fact and the model: the middle 90 % of a normal distribution."""


def joint_draws(ds: xr.Dataset) -> Array:
    """All draws of a calibration, shape (draw, parameter): ensemble after ensemble, in order of steps."""
    values = ds["value"].transpose("ensemble", "step", "walker", "parameter").values
    return np.asarray(values.reshape(-1, ds.sizes["parameter"]))


def posterior_rows(ds: xr.Dataset, rows: int = ROWS) -> xr.Dataset:
    """Thin a calibration to the joint draws that projections use.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.calibrate`.
    rows : int
        Number of draws, evenly spread over the steps of all ensembles; all of them when there are fewer.

    Returns
    -------
    xarray.Dataset
        As the shipped table ``posterior``: ``value`` (row, parameter), 32-bit, in order of the ratio of
        expected inflow to net evaporation; and ``log_density`` (row), by which a posterior is found out that
        does not belong to the model of today.
    """
    draws, density = joint_draws(ds), ds["log_density"].transpose("ensemble", "step", "walker").values.ravel()
    places = spread_places(ds.sizes["ensemble"], ds.sizes["step"], ds.sizes["walker"], rows)
    chosen = draws[places].astype(np.float32)
    names = [str(name) for name in ds["parameter"].values]
    inflow, net = (chosen[:, names.index(name)].astype(float) for name in ("river_inflow", "net_evaporation"))
    order = np.argsort(inflow / net, kind="stable")
    made = xr.Dataset(
        {
            "value": (("row", "parameter"), chosen[order]),
            "log_density": ("row", density[places][order].astype(np.float32)),
        },
        coords={"parameter": ds["parameter"].values, "unit": ("parameter", ds["unit"].values)},
        attrs={**ds.attrs, "title": "Posterior of the calibrated parameters"},
    )
    made["log_density"].attrs = dict(ds["log_density"].attrs)
    made["value"].attrs = dict(ds["value"].attrs)
    for name in ("parameter", "unit"):
        made[name].attrs = dict(ds[name].attrs)
    return made


def spread_places(ensembles: int, steps: int, walkers: int, rows: int) -> NDArray[np.int64]:
    """Places of draws that are spread over ensembles, steps and walkers alike.

    An even stride through all draws would meet the same few walkers in every step. Walkers follow each other
    by the golden section instead, so that the draws of one lie far apart in time.

    Returns
    -------
    ndarray of int
        Places in :func:`joint_draws`, each at most once; all of them when there are no more than `rows`.
    """
    if rows >= ensembles * steps * walkers:
        return np.arange(ensembles * steps * walkers)
    row = np.arange(rows)
    step = row * ensembles * steps // rows  # through all ensembles
    walker = (row * GOLDEN_SECTION % 1.0 * walkers).astype(np.int64)
    return np.unique(step * walkers + walker)


def posterior_table(ds: xr.Dataset) -> pd.DataFrame:
    """Prior and posterior of every parameter side by side.

    Parameters
    ----------
    ds : xarray.Dataset
        With ``value`` over `parameter`: a result of :func:`caspian_sim.calibrate`, or its rows.

    Returns
    -------
    pandas.DataFrame
        For each `parameter`: 5, 50 and 95 % points of prior and posterior, `prior_best`, and as
        for `speaker` the `shrinkage`, the shift `shift_prior_sd` and who `speaks`.
    """
    rows = []
    for name, prior in calibrated_parameters().items():
        values = ds["value"].sel(parameter=name).values.astype(float).ravel()
        before, after = sample(prior, np.array(QUANTILES)), np.quantile(values, QUANTILES)
        mean, variance = prior_moments(prior)
        shrinkage = 1.0 - float(values.var()) / variance
        shift = (float(values.mean()) - mean) / variance**0.5
        rows.append(
            {
                "parameter": name,
                "unit": prior.unit,
                "prior_best": prior.best,
                **{f"prior_p{100 * q:02.0f}": x for q, x in zip(QUANTILES, before, strict=True)},
                **{f"posterior_p{100 * q:02.0f}": x for q, x in zip(QUANTILES, after, strict=True)},
                "shrinkage": shrinkage,
                "shift_prior_sd": shift,
                "speaks": speaker(shrinkage, shift),
                "prior_grade": prior.grade,
            }
        )
    return pd.DataFrame(rows)


def bay_table(ds: xr.Dataset) -> pd.DataFrame:
    """Facts about strait and bay beside what the posterior makes of them.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`posterior_table`.

    Returns
    -------
    pandas.DataFrame
        For each `check`: the published `value` with the error `sd` that the calibration allows it, 5, 50 and
        95 % points of the model, `score`, the distance of the fact from the mean of the model in standard
        deviations of both together, and whether that `passes` (90 %).
    """
    values = {name: ds["value"].sel(parameter=name).values.astype(float).ravel() for name in NAMES}
    checks = emulated_record(values).checks
    facts = data.load("bay_checks")
    rows = []
    for name in facts["check"].values:
        fact, model = facts.sel(check=name), checks[str(name)]
        value, sd = float(fact["value"]), float(fact["sd"])
        score = (float(model.mean()) - value) / float(np.hypot(sd, model.std()))
        points = np.quantile(model, QUANTILES)
        rows.append(
            {
                "check": str(name),
                "unit": str(fact["unit"].item()),
                "value": value,
                "sd": sd,
                **{f"model_p{100 * q:02.0f}": x for q, x in zip(QUANTILES, points, strict=True)},
                "score": score,
                "passes": abs(score) <= PASSES_WITHIN,
                "grade": str(fact["grade"].item()),
            }
        )
    return pd.DataFrame(rows)
