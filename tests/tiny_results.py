"""Small results of every kind but the literature, from which the figures of the pack are drawn in seconds."""

from __future__ import annotations

import functools
import json

import numpy as np
import xarray as xr
from impact_runs import falling_run
from test_checklist import made
from test_figures import HINDCAST, YEARS, make_run
from test_seabed import falling
from test_verification import issued

import caspian_sim as cs
from caspian_sim.climate.draws import sample
from caspian_sim.config import parse_config
from caspian_sim.evaluate.calibrate import calibrated_parameters
from caspian_sim.evaluate.hindcast import DEGREES_OF_FREEDOM
from caspian_sim.evaluate.verification import with_record

CONFIG = {
    "name": "tiny",
    "period": {"start": 2026, "end": 2028},
    "climate": {"scenarios": ["ssp126", "ssp245"]},
    "outcomes": {"report_years": [2027, 2028]},
}


STATES = {
    **CONFIG,
    "period": {"start": 2026, "end": 2050},
    "uncertainty": {"members": 6},
    "programmes": {
        "none": {},
        "joint": {
            "participants": ["AZ", "IR", "KZ", "RU", "TM"],
            "measures": ["volga-savings", "kura-canal-losses", "ural-efficiency", "strait-closure"],
        },
    },
    "outcomes": {"report_years": [2030, 2040]},
    "solver": {"steps_per_month": 1},
}
"""Four states that act, and one that does not."""
SOON = {**STATES, "period": {"start": 2026, "end": 2040}, "climate": {"scenarios": ["ssp245"]}}


@functools.cache
def run() -> xr.Dataset:
    """A run with members, in which the area follows the level and thresholds are crossed.

    The sea covers 350,000 km² at −30 m and 35,000 km² more for each metre.
    """
    ds = make_run()
    level = ds["sea_level"]
    ds["sea_area"] = 350_000.0 * (1.0 + 0.1 * (level + 30.0))
    levels = parse_config(ds.attrs["config"], "tiny", with_files=False).outcomes.thresholds_m
    # Members that start above a level fall through it in the middle of the first year below.
    crossed = [
        xr.where((level < h).any("time"), YEARS[(level < h).argmax("time")] + 0.5, np.nan) for h in levels
    ]
    events = [f"sea level below {h:g} m" for h in levels]
    ds["first_event"] = xr.concat(crossed, "event").assign_coords(event=events)
    return ds


def chains() -> xr.Dataset:
    """Two ensembles that have drawn from the priors."""
    priors = calibrated_parameters()
    ensembles, steps, walkers = 2, 5, 20
    uniform = np.random.default_rng(1).uniform(0.01, 0.99, (ensembles, steps, walkers, len(priors)))
    values = np.stack([sample(prior, uniform[..., i]) for i, prior in enumerate(priors.values())], axis=-1)
    return xr.Dataset(
        {
            "value": (("ensemble", "step", "walker", "parameter"), values),
            "log_density": (("ensemble", "step", "walker"), np.zeros((ensembles, steps, walkers))),
        },
        coords={
            "step": np.arange(steps),
            "parameter": list(priors),
            "unit": ("parameter", [prior.unit for prior in priors.values()]),
        },
        attrs={
            "settings": json.dumps({"ensembles": ensembles, "walkers": walkers, "steps": steps}),
            "version": "0.0",
            "last_year": 2022,
            "seed": 1,
        },
    )


def forecasts() -> xr.Dataset:
    """Forecasts that are the last level and steps of chance."""
    made_up = issued(range(1990, 2001), members=20, seed=1, progress=lambda done, total: None)
    return with_record(made_up.assign_coords(member=np.arange(20)))


@functools.cache
def subjects() -> dict[str, object]:
    """What each figure of the pack is drawn from, but for those of the literature."""
    from caspian_sim.figures.pack import PACK

    found: dict[str, object] = {
        **dict.fromkeys(("projection", "crossing", "budget", "flows", "change"), run()),
        "hindcast": HINDCAST.assign_attrs(degrees_of_freedom=DEGREES_OF_FREEDOM),
        "checklist": made(),
        "reconstruction": cs.reconstruct(rows=20),
        "hypsometry": cs.hypsometry(),
        "equilibrium": cs.equilibrium(),
        "variance": cs.variance(CONFIG, samples=4, streams=4),
        "sensitivity": cs.sensitivity(CONFIG, samples=16),
        "outlook": cs.outlook(members=20),
        "forecasts": forecasts(),
        **dict.fromkeys(("posterior", "traces", "pairs"), chains()),
        **dict.fromkeys(("joint", "alone", "shapley", "burden"), cs.attribute(STATES)),
        **dict.fromkeys(("target", "marginal"), cs.target(SOON, level=-29.6, year=2040, probability=0.5)),
        "delay": cs.delay(STATES, starts=(2028, 2035, 2045)),
        "tradeoffs": cs.tradeoffs(SOON, year=2040, level=-29.6, steps=1, programme="joint"),
        **dict.fromkeys(("shoreline", "seabed"), falling()),
        **dict.fromkeys(("ports", "route", "ecosystem"), falling_run()),
    }
    found["verification"] = PACK["verification"].prepare(found["forecasts"])
    return found
