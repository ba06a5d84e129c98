r"""What the record alone says of the warming sensitivity of net evaporation, beside what was known before.

Evaporation fell from the 1950s to the 1980s while the globe warmed. A straight line of net evaporation
against warming therefore slopes *down*, and with residuals taken as white its error looks small. The trap is
in the word white: net evaporation departs from its expected value for decades, and eighty years hold few of
them. How little the line is worth shows when it ends earlier (:data:`LAST_YEARS`): the record to 1995 and the
record to 2022 contradict each other. So the same question is answered in four ways:

- *prior*: the literature;
- *regression*: least squares of the net evaporation that closes the balance on warming, white residuals;
- *record*: the calibration with a flat prior of the sensitivity of evaporation, slow departures and all;
- *posterior*: the calibration.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from caspian_sim import data
from caspian_sim.climate.draws import draw_inputs
from caspian_sim.climate.response import net_evaporation_sensitivity
from caspian_sim.data import Parameter
from caspian_sim.evaluate.calibrate import Progress, calibrated_parameters
from caspian_sim.evaluate.ensembles import Settings, calibrate
from caspian_sim.evaluate.posterior_tables import QUANTILES
from caspian_sim.record.observations import Observations, shipped_observations
from caspian_sim.record.posterior import speaker

Array = NDArray[np.float64]

NAME = "evaporation_sensitivity"
NEEDED = (NAME, "precipitation_sensitivity", "precipitation")
FLAT = (-400.0, 400.0)
"""Ends of the flat prior, mm/yr/K, far beyond what the likelihood leaves."""
PRIOR_DRAWS = 1 << 15
LAST_YEARS = (1995, 2010, 2022)
"""Years in which the regression ends: the highest level of the decades after 1980, before the recent fall was
long, and the last of the calibration."""


def flat_priors() -> dict[str, Parameter]:
    """Priors of the calibration with a flat one of the sensitivity of evaporation."""
    low, high = FLAT
    priors = calibrated_parameters()
    return {**priors, NAME: replace(priors[NAME], distribution="uniform", best=0.0, low=low, high=high)}


def record_alone(
    observed: Observations | None = None,
    *,
    settings: Settings,
    workers: int = 1,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Calibrate with a flat prior of the warming sensitivity of evaporation.

    Parameters
    ----------
    observed, settings, workers, progress
        As for :func:`caspian_sim.calibrate`.

    Returns
    -------
    xarray.Dataset
        As of :func:`caspian_sim.calibrate`.
    """
    return calibrate(observed, settings=settings, priors=flat_priors(), workers=workers, progress=progress)


def regression(last_year: int = LAST_YEARS[-1]) -> tuple[float, float, int]:
    """Slope of net evaporation that closes the balance against warming, by least squares.

    Parameters
    ----------
    last_year : int
        Year in which the series ends; it begins in 1937.

    Returns
    -------
    slope, error : float
        mm/yr/K, with the standard error that white residuals would have.
    freedom : int
        Degrees of freedom.
    """
    implied = data.load("net_evaporation_implied")["net_evaporation"].sel(year=slice(None, last_year))
    observed = shipped_observations()
    warming = observed.warming[np.isin(observed.year, implied["year"].values)]
    line = stats.linregress(warming, implied.values)
    return float(line.slope), float(line.stderr), len(warming) - 2


def net_sensitivity(ds: xr.Dataset) -> Array:
    """Warming sensitivity of net evaporation in every draw, mm/yr/K."""
    values = {name: ds["value"].sel(parameter=name).values.astype(float).ravel() for name in NEEDED}
    return net_evaporation_sensitivity(values)


def warming_table(posterior: xr.Dataset, alone: xr.Dataset) -> pd.DataFrame:
    """Set the answers side by side.

    Parameters
    ----------
    posterior, alone : xarray.Dataset
        Results of :func:`caspian_sim.calibrate` and :func:`record_alone`.

    Returns
    -------
    pandas.DataFrame
        For each `source`: 5, 50 and 95 % points of the sensitivity of net evaporation in mm/yr/K, its
        standard deviation, and the share of it below zero. `speaks` stands with the posterior, from how much
        narrower than the prior it is.
    """
    priors = calibrated_parameters()
    prior = net_evaporation_sensitivity(
        draw_inputs({name: priors[name] for name in NEEDED}, np.arange(PRIOR_DRAWS), 0, "sobol")
    )
    rows = [
        _row("prior", prior),
        *(_regression_row(last_year) for last_year in LAST_YEARS),
        _row("record alone, slow departures", net_sensitivity(alone)),
        _row("posterior", net_sensitivity(posterior)),
    ]
    table = pd.DataFrame(rows)
    spread = table["sd_mm_per_yr_per_k"]
    shrinkage = 1.0 - (spread.iloc[-1] / spread.iloc[0]) ** 2
    shift = (net_sensitivity(posterior).mean() - prior.mean()) / spread.iloc[0]
    table["speaks"] = [""] * (len(table) - 1) + [speaker(shrinkage, float(shift))]
    return table


def _points(values: Array) -> dict[str, float]:
    return {f"p{100 * q:02.0f}_mm_per_yr_per_k": float(x) for q, x in zip(QUANTILES, values, strict=True)}


def _regression_row(last_year: int) -> dict[str, Any]:
    slope, error, freedom = regression(last_year)
    line = stats.t(freedom, slope, error)
    return {
        "source": f"regression 1937-{last_year}, white residuals",
        **_points(line.ppf(QUANTILES)),
        "sd_mm_per_yr_per_k": error,
        "share_negative": float(line.cdf(0.0)),
    }


def _row(source: str, values: Array) -> dict[str, Any]:
    return {
        "source": source,
        **_points(np.quantile(values, QUANTILES)),
        "sd_mm_per_yr_per_k": float(values.std()),
        "share_negative": float((values < 0.0).mean()),
    }
