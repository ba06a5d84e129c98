r"""Probabilistic forecasts of the level from years of the past, by the model as fitted to what was known.

A forecast from the end of an origin year knows the observations up to that year and nothing after it:
parameters are sampled anew from prior and record, expected fluxes refer to the warming of the twenty years
before, warming goes on along its trend of the last thirty years, the strait stays as it is, facts about the
bay count from the year in which they could be known, and the sea starts from the filtered state. Members
are then integrated by the same solver as projections. The sampling starts from the observations up to each
fifth year, :data:`REFIT_EVERY`; the years between take its draws with importance weights, the likelihood of
what has been observed since.

Two things are not dated and therefore the same for all origins: the hypsometric curve, and the share of
each month in the inflow of a year (mean of 1990-2023). Net evaporation has no seasons here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data, results
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import RIVERS, inflow_shape
from caspian_sim.basin.shape import HIGHEST_LEVEL, LOWEST_LEVEL
from caspian_sim.basin.strait import strait_state
from caspian_sim.climate.draws import normals
from caspian_sim.climate.scenario import climate_under
from caspian_sim.climate.variability import departures
from caspian_sim.collect import Calendar
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.calibrate import (
    Target,
    bay_log_likelihood,
    calibrated_parameters,
    sample_ensemble,
)
from caspian_sim.forcing import Forcing
from caspian_sim.record.annual import Reference, reference_of
from caspian_sim.record.bay import bay_under_annual_levels, early_bay, strait_coefficient
from caspian_sim.record.observations import Observations, shipped_observations
from caspian_sim.record.outflow import emulated_record
from caspian_sim.record.start import draw_start, estimate_state
from caspian_sim.solve import solve

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

FIRST_ORIGIN = 1966
LEADS = 20
MEMBERS = 500
REFIT_EVERY = 5
REFERENCE_YEARS, TREND_YEARS = 20, 30
WALKERS, BURN_IN, STEPS, THINNED = 96, 600, 600, 15
SEED = 20251211


@dataclass(frozen=True)
class Fit:
    """Posterior draws from the observations up to a year.

    Attributes
    ----------
    year : int
    reference : Reference
        Of the expected fluxes.
    parameters : mapping of name to ndarray, shape (draw,)
    """

    year: int
    reference: Reference
    parameters: Mapping[str, Array]


def fit_until(
    year: int, observed: Observations, seed: int = SEED, *, burn_in: int = BURN_IN, steps: int = STEPS
) -> Fit:
    """Sample the parameters from prior and observations up to a year.

    Parameters
    ----------
    year : int
    observed : Observations
        What lies after the year is not used.
    seed, burn_in, steps
        As for :func:`caspian_sim.evaluate.calibrate.sample_ensemble`.

    Returns
    -------
    Fit
    """
    known = observed.until(year)
    reference = reference_of(known, year - REFERENCE_YEARS + 1, year, seasons=False)
    target = Target(calibrated_parameters(), known, reference)
    chain, _, _ = sample_ensemble(target, seed + year, walkers=WALKERS, burn_in=burn_in, steps=steps)
    thinned = chain[:: max(1, min(THINNED, steps // 10))].reshape(-1, chain.shape[-1])
    return Fit(year, reference, dict(zip(target.priors, thinned.T, strict=True)))


def weights_at(fit: Fit, observed: Observations, origin: int) -> Array:
    """Weights of the draws of a fit once the observations up to a later year are known.

    Parameters
    ----------
    fit : Fit
    observed : Observations
    origin : int
        Year of the fit or later.

    Returns
    -------
    ndarray, shape (draw,)
        Adding up to 1.
    """
    estimate = estimate_state(fit.parameters, observed, origin, fit.reference)
    since = estimate.log_likelihood[fit.year + 1 - estimate.first_year :].sum(axis=0)
    checks = emulated_record(fit.parameters).checks
    then, now = bay_log_likelihood(checks, fit.year), bay_log_likelihood(checks, origin)
    for name in set(now) - set(then):
        since = since + now[name]
    weight = np.exp(since - since.max())
    return np.asarray(weight / weight.sum())


def issue_forecasts(
    origins: Sequence[int] | None = None,
    *,
    members: int = MEMBERS,
    leads: int = LEADS,
    seed: int = SEED,
    observed: Observations | None = None,
    workers: int = 2,
    burn_in: int = BURN_IN,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Issue forecasts from the ends of some years, each by a model fitted to what was known by then.

    Parameters
    ----------
    origins : sequence of int, optional
        Calendar years; 1966 to 2015 when not given.
    members, leads : int
        Members of a forecast, and years that it goes ahead.
    seed : int
    observed : Observations, optional
        Those of the package when not given.
    workers : int
        Processes that fit at the same time; no number depends on it.
    burn_in, steps : int
        Of the sampling.
    progress : callable, optional
        Called with the fits and forecasts done and their number.

    Returns
    -------
    xarray.Dataset
        ``forecast`` (annual mean level, m BHS) by ``origin``, ``lead`` and ``member``; ``observed`` by
        ``origin`` and ``lead``; ``last_level`` and ``effective_draws`` by ``origin``.

    Raises
    ------
    OutOfRangeError
        When an origin lies outside the record.
    CaspianError
        When emcee is not installed.
    """
    record = observed or shipped_observations()
    years = list(range(FIRST_ORIGIN, 2016)) if origins is None else sorted({int(year) for year in origins})
    last = record.last_level_year
    wrong = [year for year in years if not FIRST_ORIGIN <= year <= last]
    if wrong or not years:
        raise OutOfRangeError(
            "no forecast can be issued from that year\n"
            f"    found    {wrong[0] if wrong else 'no year'}\n"
            f"    allowed  {FIRST_ORIGIN} to {last}: a fit needs thirty years, and the year a level"
        )
    fits_at = sorted({FIRST_ORIGIN + (year - FIRST_ORIGIN) // REFIT_EVERY * REFIT_EVERY for year in years})
    done, total = 0, len(fits_at) + len(years)

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    jobs = [(year, record.until(year), seed, burn_in, steps) for year in fits_at]
    fits: dict[int, Fit] = {}
    if workers > 1 and len(jobs) > 1:
        with ProcessPoolExecutor(workers) as pool:
            for fit in pool.map(_fit_job, jobs):
                fits[fit.year] = fit
                step()
    else:
        for job in jobs:
            fits[job[0]] = _fit_job(job)
            step()
    forecast = np.empty((len(years), leads, members))
    effective = np.empty(len(years))
    for place, origin in enumerate(years):
        fit = fits[max(year for year in fits_at if year <= origin)]
        weight = weights_at(fit, record, origin)
        effective[place] = 1.0 / (weight**2).sum()
        # Evenly spaced places in the cumulative weights: a draw comes as often as its weight says, give or
        # take one.
        rows = np.searchsorted(np.cumsum(weight), (np.arange(members) + 0.5) / members)
        rows = np.minimum(rows, len(weight) - 1)
        drawn = {name: values[rows] for name, values in fit.parameters.items()}
        forecast[place] = forecast_from(origin, drawn, record.until(origin), fit.reference, leads, seed)
        step()
    return _dataset(years, forecast, effective, record)


def _fit_job(job: tuple[int, Observations, int, int, int]) -> Fit:
    year, observed, seed, burn_in, steps = job
    return fit_until(year, observed, seed, burn_in=burn_in, steps=steps)


def warming_ahead(observed: Observations, years: int) -> Array:
    """Warming of the coming years along its linear trend of the last thirty, K, shape (year,).

    Parameters
    ----------
    observed : Observations
        Up to the origin.
    years : int
    """
    known = ~np.isnan(observed.warming)
    year, value = observed.year[known][-TREND_YEARS:], observed.warming[known][-TREND_YEARS:]
    slope, level = np.polyfit(year - year[-1], value, 1)
    return np.asarray(level + slope * (observed.year[-1] - year[-1] + np.arange(1, years + 1)))


def river_shares(reference: Reference) -> Array:
    """Shares of the rivers in the inflow, shape (river,): the others than the Volga act alike."""
    others = (1.0 - reference.volga_share) / (len(RIVERS) - 1)
    return np.array([reference.volga_share if river == "volga" else others for river in RIVERS])


def forecast_from(
    origin: int,
    parameters: Mapping[str, Array],
    observed: Observations,
    reference: Reference,
    leads: int,
    seed: int,
) -> Array:
    """Integrate a forecast from the end of a year.

    Parameters
    ----------
    origin : int
    parameters : mapping of name to ndarray, shape (member,)
    observed : Observations
        Up to the origin.
    reference : Reference
    leads : int
    seed : int

    Returns
    -------
    ndarray, shape (lead, member)
        Annual mean level as it would be observed, m BHS.
    """
    count = len(parameters["net_evaporation"])
    members = np.arange(count)
    stream = seed + origin
    start = draw_start(estimate_state(parameters, observed, origin, reference), stream, members, True)
    calendar = Calendar(origin + 1, origin + leads)
    climate = climate_under(
        warming_ahead(observed, leads)[:, None],
        reference.warming,
        river_shares(reference),
        parameters,
        departures(stream, members, leads, parameters, start),
    )
    opening, recut, pipes = strait_state(np.array([origin]), np.array([12]))
    by_month = calendar.by_month(climate.inflow.sum(axis=0))
    forcing = Forcing(
        length=calendar.length,
        first_year=origin + 1,
        external=by_month * inflow_shape(calendar.fractions).ravel()[:, None] + parameters["groundwater"],
        precipitation=climate.precipitation,
        evaporation=climate.evaporation,
        strait_coefficient=opening[:, None] * strait_coefficient(recut, parameters),
        pipe_outflow=pipes[:, None],
        bay_net_evaporation=climate.bay_net_evaporation,
    )
    _, bay = bay_under_annual_levels(
        int(observed.year[0]), observed.level, parameters, early_bay(count), seasons=False
    )
    basin = Basin(
        load_hypsometry().volume_table(LOWEST_LEVEL, HIGHEST_LEVEL),
        kara_bogaz_gol(),
        parameters["area_factor"],
        parameters["strait_sill"],
    )
    level = solve(forcing, basin, start.volume, bay[-1], calendar.interval).level
    gauge = "level_error_since_1993" if origin >= 1993 else "level_error_before_1993"
    return np.asarray(level + parameters[gauge] * normals(stream, "observation", members, leads))


def _dataset(years: Sequence[int], forecast: Array, effective: Array, record: Observations) -> xr.Dataset:
    leads = np.arange(1, forecast.shape[1] + 1)
    level = dict(zip(record.year.tolist(), record.level, strict=True))
    seen = np.array([[level.get(year + lead, np.nan) for lead in leads] for year in years])
    datum = {"units": "m", "datum": "Baltic Height System (BHS)"}
    return xr.Dataset(
        {
            "forecast": (
                ("origin", "lead", "member"),
                forecast,
                {**datum, "long_name": "forecast annual mean level of the year origin + lead"},
            ),
            "observed": (("origin", "lead"), seen, {**datum, "long_name": "observed annual mean level"}),
            "last_level": (
                ("origin",),
                np.array([level[year] for year in years]),
                {**datum, "long_name": "annual mean level of the origin year"},
            ),
            "effective_draws": (
                ("origin",),
                effective,
                {"units": "1", "long_name": "effective number of draws of the parameters"},
            ),
        },
        coords={"origin": list(years), "lead": leads, "member": np.arange(forecast.shape[2])},
        attrs=results.package_attributes(
            "Forecasts of the Caspian Sea level from years of the past",
            "forecasts",
            data.input_hashes(data.names()),
        ),
    )
