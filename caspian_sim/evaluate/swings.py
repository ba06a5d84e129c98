"""Swings: whether the natural variability of the model makes decades like those of the record.

Centuries without any change of climate are simulated from the level of 1921 with parameters of the
posterior, and searched for falls and rises as long as three of the record. A model that hardly ever makes
them is too calm, one that makes larger ones in nearly every century too wild.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data, results
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import inflow_shape
from caspian_sim.basin.shape import LOWEST_LEVEL
from caspian_sim.climate.scenario import climate_under
from caspian_sim.climate.variability import departures
from caspian_sim.collect import Calendar
from caspian_sim.evaluate.forecast import river_shares
from caspian_sim.forcing import Forcing
from caspian_sim.record.annual import baseline_reference
from caspian_sim.record.bay import early_bay
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.record.start import draw_start, estimate_state
from caspian_sim.solve import solve

Array = NDArray[np.float64]

SWINGS = ((1930, 1941), (1978, 1995), (2006, 2025))
MEMBERS = 1000
SEED = 20251211


def steady_centuries(members: int = MEMBERS, seed: int = SEED) -> Array:
    """Simulate the sea from 1921 to 2025 without change of climate, strait or consumption.

    Parameters
    ----------
    members : int
    seed : int

    Returns
    -------
    ndarray, shape (year, member)
        Annual mean level, m BHS, of 1922 to 2025.
    """
    observed = shipped_observations()
    first, last = int(observed.year[0]), observed.last_level_year
    posterior = shipped_posterior()
    rows = ((np.arange(members) + 0.5) / members * posterior.rows).astype(int)
    parameters: Mapping[str, Array] = {name: values[rows] for name, values in posterior.parameters.items()}
    reference = baseline_reference()
    numbers = np.arange(members)
    start = draw_start(estimate_state(parameters, observed, first, reference), seed, numbers, True)
    calendar = Calendar(first + 1, last)
    years = len(calendar.calendar_years)
    climate = climate_under(
        np.full((years, 1), reference.warming),
        reference.warming,
        river_shares(reference),
        parameters,
        departures(seed, numbers, years, parameters, start),
    )
    by_month = calendar.by_month(climate.inflow.sum(axis=0))
    forcing = Forcing(
        length=calendar.length,
        first_year=first + 1,
        external=by_month * inflow_shape(calendar.fractions).ravel()[:, None] + parameters["groundwater"],
        precipitation=climate.precipitation,
        evaporation=climate.evaporation,
        strait_coefficient=parameters["strait_coefficient_before_1980"][None],
        pipe_outflow=np.zeros((1, 1)),
        bay_net_evaporation=climate.bay_net_evaporation,
    )
    basin = Basin(
        load_hypsometry().volume_table(LOWEST_LEVEL, float(load_hypsometry().node_level[-1])),
        kara_bogaz_gol(),
        parameters["area_factor"],
        parameters["strait_sill"],
    )
    return solve(forcing, basin, start.volume, early_bay(members), calendar.interval).level


def swings(members: int = MEMBERS, seed: int = SEED) -> xr.Dataset:
    """Hold the largest swings of simulated centuries against those of the record.

    Parameters
    ----------
    members, seed
        As for :func:`steady_centuries`.

    Returns
    -------
    xarray.Dataset
        By ``swing``: its first and last year in the record, ``observed`` change of the annual mean level (m),
        ``largest`` change over as many years in the same direction in simulated centuries by ``quantile``,
        and ``share`` of the centuries in which it is at least as large.
    """
    record = data.load("sea_level_annual")["level"]
    level = steady_centuries(members, seed)
    observed, largest, share = [], [], []
    for first, last in SWINGS:
        change = float(record.sel(year=last) - record.sel(year=first))
        span = last - first
        changes = (level[span:] - level[:-span]) * np.sign(change)
        most = changes.max(axis=0)
        observed.append(change)
        largest.append(np.quantile(most, [0.05, 0.5, 0.95]) * np.sign(change))
        share.append(float((most >= abs(change)).mean()))
    names = np.array([f"{first}-{last}" for first, last in SWINGS], dtype=object)
    return xr.Dataset(
        {
            "observed": (
                ("swing",),
                observed,
                {"units": "m", "long_name": "change of the annual mean level"},
            ),
            "largest": (
                ("swing", "quantile"),
                np.stack(largest),
                {"units": "m", "long_name": "largest change over as many years in a century without change"},
            ),
            "share": (
                ("swing",),
                share,
                {"units": "1", "long_name": "share of the centuries with a change at least as large"},
            ),
        },
        coords={
            "swing": names,
            "quantile": [0.05, 0.5, 0.95],
            "years": ("swing", [last - first for first, last in SWINGS], {"units": "year"}),
        },
        attrs=results.package_attributes(
            "Swings of the level of the Caspian Sea without change of climate",
            "swings",
            data.input_hashes(data.names()),
        ),
    )
