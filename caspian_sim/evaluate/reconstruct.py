"""Reconstruction: what evaporated, flowed in and stood at the end of every year, given the whole record.

The annual balance (:mod:`caspian_sim.record.annual`) is smoothed over all observations for each row of the
posterior. Uncertainty has two parts, that of the state given the parameters and that of the parameters;
both are in the spreads given here. A year without inflow data has an inflow too, with the uncertainty that
this means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data, results
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.climate.draws import SCORE_95
from caspian_sim.climate.response import PER_CENT, inflow_sensitivity, net_evaporation_sensitivity
from caspian_sim.evaluate.additions import note_table, take_observations
from caspian_sim.record.annual import (
    INFLOW,
    INFLOW_SLOW,
    SLOW,
    STATES,
    VOLUME,
    WEATHER,
    Reference,
    baseline_reference,
    expected_warming,
    filter_record,
)
from caspian_sim.record.kalman import smooth
from caspian_sim.record.observations import Observations
from caspian_sim.record.posterior import FITTED_UNTIL, shipped_posterior
from caspian_sim.record.start import outflow_of_record

Array = NDArray[np.float64]

FIRST_YEAR = 1922
ROWS = 400
# Quantities that are linear in the state: name, rows of the state and their signs.
QUANTITIES = {
    "net_evaporation": (SLOW, WEATHER),
    "slow_net_evaporation": (SLOW,),
    "lasting_net_evaporation": (SLOW,),
    "inflow": (INFLOW, INFLOW_SLOW),
    "slow_inflow": (INFLOW_SLOW,),
    "volume": (VOLUME,),
}


@dataclass(frozen=True)
class Smoothed:
    """Smoothed quantities of the record for some parameter sets.

    Attributes
    ----------
    year : ndarray of int, shape (year,)
    mean, variance : mapping of name to ndarray, shape (year, set)
        Of :data:`QUANTITIES`; expected values are contained.
    outflow : ndarray, shape (year, set)
        To Kara-Bogaz-Gol, km³/yr.
    log_likelihood : ndarray, shape (year, set)
        Of the observations of each year given those before.
    """

    year: NDArray[np.int64]
    mean: Mapping[str, Array]
    variance: Mapping[str, Array]
    outflow: Array
    log_likelihood: Array


def smooth_record(
    parameters: Mapping[str, Array], observed: Observations, reference: Reference | None = None
) -> Smoothed:
    """Smooth the annual balance over all observations.

    Parameters
    ----------
    parameters : mapping of name to ndarray, shape (set,)
    observed : Observations
    reference : Reference, optional
        That of the projections when not given.

    Returns
    -------
    Smoothed
    """
    reference = reference or baseline_reference()
    outflow = outflow_of_record(parameters, observed)
    passed = list(filter_record(parameters, observed, outflow, reference))
    estimates = smooth([filtered for filtered, _ in passed], [step for _, step in passed])
    warmer = np.array([expected_warming(observed, int(year)) for year in observed.year]) - reference.warming
    inflow_slope = (
        PER_CENT * parameters["river_inflow"] * inflow_sensitivity(parameters, reference.volga_share)
    )
    net_slope = net_evaporation_sensitivity(parameters)
    net_evaporation = parameters["net_evaporation"] + warmer[:, None] * net_slope
    expected = {
        "net_evaporation": net_evaporation,
        "lasting_net_evaporation": net_evaporation,
        "inflow": np.maximum(parameters["river_inflow"] + warmer[:, None] * inflow_slope, 0.0),
    }
    mean, variance = {}, {}
    for name, rows in QUANTITIES.items():
        weight = np.zeros(STATES)
        weight[list(rows)] = 1.0
        mean[name] = np.stack([state @ weight for state, _ in estimates]) + expected.get(name, 0.0)
        variance[name] = np.stack(
            [np.einsum("i,sij,j->s", weight, covariance, weight) for _, covariance in estimates]
        )
    likelihood = np.stack([filtered.log_likelihood for filtered, _ in passed])
    return Smoothed(observed.year, mean, variance, outflow, likelihood)


def reconstruct(observations: str | Path | Observations | None = None, *, rows: int = ROWS) -> xr.Dataset:
    """Reconstruct the balance of every year with its uncertainty.

    Parameters
    ----------
    observations : path or Observations, optional
        A table of new observations (docs/observations.md), or observations ready-made; those of the package
        alone when not given.
    rows : int
        Rows of the posterior that are smoothed, evenly spaced.

    Returns
    -------
    xarray.Dataset
        By ``year``: ``net_evaporation``, its slow departure from what is expected
        (``slow_net_evaporation``) and both of these together without the weather of single years
        (``lasting_net_evaporation``, mm/yr), ``inflow`` and ``slow_inflow`` (km³/yr), ``end_level`` (level at
        the end of the year without its season, m BHS) and
        ``strait_outflow`` (km³/yr), each with its standard deviation ``…_sd``, and 5 and 95 % points
        ``…_low`` and ``…_high``; ``observed_level`` and ``observed_inflow``; ``inflow_source``, where the
        inflow of the year is known from (total, volga, none). The attributes ``added`` and ``notes`` say what
        is new, and what is missing, late or at odds, one a line.

    Raises
    ------
    DataError
        When the table cannot be used.

    Notes
    -----
    Rows are weighted with the likelihood of what has been observed since the calibration.
    """
    additions = take_observations(observations)
    record = additions.observations
    posterior = shipped_posterior()
    chosen = np.unique(np.linspace(0, posterior.rows - 1, rows).round().astype(int))
    parameters = {name: values[chosen] for name, values in posterior.parameters.items()}
    smoothed = smooth_record(parameters, record)
    since = smoothed.log_likelihood[record.year > FITTED_UNTIL].sum(axis=0)
    weight = np.exp(since - since.max())
    weight = weight / weight.sum()
    curve = load_hypsometry()
    level = np.asarray(
        curve.level(smoothed.mean["volume"] / parameters["area_factor"] + curve.reference_volume)
    )
    spread_per_volume = 1.0 / (parameters["area_factor"] * np.asarray(curve.area(level)) * 1e-3)
    mean = {**smoothed.mean, "end_level": level, "strait_outflow": smoothed.outflow}
    variance = {
        **smoothed.variance,
        "end_level": smoothed.variance["volume"] * spread_per_volume**2,
        "strait_outflow": np.zeros_like(smoothed.outflow),
    }
    kept = record.year >= FIRST_YEAR
    variables: dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, str]]] = {}
    for name, (unit, text) in DESCRIPTIONS.items():
        centre = mean[name] @ weight
        within, between = variance[name] @ weight, (mean[name] - centre[:, None]) ** 2 @ weight
        sd = np.sqrt(within + between)
        attributes = {"units": unit}
        if name == "end_level":
            attributes["datum"] = "Baltic Height System (BHS)"
        for suffix, values, what in (
            ("", centre, ""),
            ("_sd", sd, ", standard deviation"),
            ("_low", centre - SCORE_95 * sd, ", 5 % point"),
            ("_high", centre + SCORE_95 * sd, ", 95 % point"),
        ):
            variables[f"{name}{suffix}"] = (
                ("year",),
                values[kept],
                {**attributes, "long_name": f"{text}{what}"},
            )
    seen = {
        "observed_level": (record.level, {"units": "m", "datum": "Baltic Height System (BHS)"}),
        "observed_inflow": (record.inflow, {"units": "km3 year-1"}),
    }
    for name, (values, attributes) in seen.items():
        text = f"{name.replace('_', ' ')} of the year"
        variables[name] = (("year",), values[kept], {**attributes, "long_name": text})
    total, volga = ~np.isnan(record.inflow), ~np.isnan(record.volga)
    # The Volga alone says something of the total once both have been known in an earlier year.
    ratio_known = np.cumsum(total & volga) > 0
    known = np.where(total, "total", np.where(volga & ratio_known, "volga", "none")).astype(object)
    variables["inflow_source"] = (
        ("year",),
        known[kept],
        {"long_name": "what the inflow of the year is known from"},
    )
    ds = xr.Dataset(
        variables,
        coords={"year": record.year[kept]},
        attrs={
            **results.package_attributes(
                "Reconstruction of the water balance of the Caspian Sea",
                "reconstruct",
                data.input_hashes(data.names()),
            ),
            "datum": "Baltic Height System (BHS)",
            "rows": str(len(chosen)),
            "effective_rows": f"{1.0 / (weight**2).sum():.0f}",
            "grade": "B, derived: errors of every other term end up in net evaporation",
        },
    )
    return note_table(ds, observations, additions)


DESCRIPTIONS = {
    "net_evaporation": ("mm year-1", "evaporation less precipitation over the sea"),
    "slow_net_evaporation": ("mm year-1", "slow departure of net evaporation from its expected value"),
    "lasting_net_evaporation": ("mm year-1", "net evaporation without the weather of single years"),
    "inflow": ("km3 year-1", "inflow of all rivers"),
    "slow_inflow": ("km3 year-1", "slow departure of inflow from its expected value"),
    "end_level": ("m", "level at the end of the year without its season"),
    "strait_outflow": ("km3 year-1", "outflow to Kara-Bogaz-Gol"),
}
