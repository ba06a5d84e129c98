"""A record of level and inflow as the equations of caspian_sim.record.annual would make it, year by year.

Written from the equations and not from the code of the filter: one year after the other, one world at a time.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.climate.draws import draw_inputs
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.calibrate import LAST_YEAR, bay_log_likelihood, calibrated_parameters
from caspian_sim.record.annual import (
    ALTIMETRY_SINCE,
    INFLOW_ERROR,
    baseline_reference,
    mean_weight_of_inflow,
)
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.outflow import emulated_record

FIRST_LEVEL = -26.2


LOWEST, HIGHEST = -32.0, -22.0


def world(seed):
    """A truth and its record, the first after `seed` whose sea stays within the hypsometric curve.

    To leave out worlds by what is observed of them does not bias what is inferred from the others.
    """
    for attempt in range(1000 * seed, 1000 * seed + 1000):
        truth = true_parameters(attempt)
        try:
            record = synthetic_record(truth, attempt)
        except OutOfRangeError:
            continue
        if record.level.min() > LOWEST and record.level.max() < HIGHEST:
            return truth, record
    raise AssertionError("no world stays within the curve")


def true_parameters(seed, draws=4000):
    """A draw of the prior given the facts about the bay, which no synthetic record contradicts."""
    drawn = draw_inputs(calibrated_parameters(), np.arange(draws), seed)
    score = sum(bay_log_likelihood(emulated_record(drawn).checks, LAST_YEAR).values())
    weight = np.exp(score - score.max())
    row = np.searchsorted(np.cumsum(weight / weight.sum()), np.random.default_rng(seed).uniform())
    return {name: float(values[row]) for name, values in drawn.items()}


def synthetic_record(truth, seed):
    """Observations of a world with known parameters; gaps of the inflow as in the record."""
    observed, curve, reference = (
        shipped_observations().until(LAST_YEAR),
        load_hypsometry(),
        baseline_reference(),
    )
    p, random = truth, np.random.default_rng(seed)
    outflow = emulated_record({name: np.array([value]) for name, value in p.items()}).outflow[:, 0]
    ahead, factor = mean_weight_of_inflow(), p["area_factor"]
    share = reference.volga_share
    per_kelvin = 0.01 * (share * p["volga_sensitivity"] + (1.0 - share) * p["other_river_sensitivity"])
    net_per_kelvin = p["evaporation_sensitivity"] - 0.01 * p["precipitation_sensitivity"] * p["precipitation"]

    def ar1(now, sd, lag1, shock):
        return lag1 * now + np.sqrt(1.0 - lag1**2) * sd * shock

    fast = p["inflow_sd"] * random.standard_normal()
    slow = p["inflow_slow_sd"] * random.standard_normal()
    dry = p["net_evaporation_slow_sd"] * random.standard_normal()
    volume = factor * (curve.volume(FIRST_LEVEL) - curve.reference_volume)
    stand, levels, inflows, late = FIRST_LEVEL, [], [], []
    for year, warming, strait in zip(observed.year, observed.warming, outflow, strict=True):
        a, b, c, d = random.standard_normal(4)
        fast = ar1(fast, p["inflow_sd"], p["inflow_lag1"], a)
        slow = ar1(slow, p["inflow_slow_sd"], p["inflow_slow_lag1"], c)
        dry = ar1(dry, p["net_evaporation_slow_sd"], p["net_evaporation_slow_lag1"], d)
        correlation = p["weather_correlation"]
        weather = p["net_evaporation_sd"] * (correlation * a + np.sqrt(1.0 - correlation**2) * b)
        change = warming - reference.warming
        inflow = p["river_inflow"] * (1.0 + per_kelvin * change) + fast + slow
        net = p["net_evaporation"] + net_per_kelvin * change + dry + weather
        since = "level_error_since_1993" if year >= ALTIMETRY_SINCE else "level_error_before_1993"
        error = p[since] * random.standard_normal()
        for _ in range(6):  # the area is that of the level that is being sought
            area = factor * float(curve.area(stand))
            end = volume + inflow + p["groundwater"] - strait - net * area * 1e-6
            mean = 0.5 * (volume + end) + (ahead - 0.5) * (fast + slow)
            stand = float(curve.level(mean / factor + curve.reference_volume)) + error
        december = end - (end - volume) / 12.0 + (ahead - 0.5) * (fast + slow) / 6.0
        seen = float(curve.level(december / factor + curve.reference_volume))
        late.append(seen + p["late_level_error"] * random.standard_normal())
        volume = end
        levels.append(stand)
        inflows.append(inflow * (1.0 + INFLOW_ERROR * random.standard_normal()))
    known = ~np.isnan(observed.inflow) | ~np.isnan(observed.volga)
    month, monthly = months_that_say(observed.year, np.array(late) - np.array(levels))
    return replace(
        observed,
        month=month,
        monthly_level=monthly,
        level=np.array(levels),
        inflow=np.where(known, inflows, np.nan),
        volga=np.full(len(levels), np.nan),
    )


def months_that_say(years, departure):
    """Monthly levels by which 1 December stands `departure` off the annual mean, without any season.

    November and December stand at zero. With January to May at j and June to October at minus the j of the
    next year, the twelve months around 1 December have the mean zero, and those of the year 5 (j - j') / 12.
    """
    known = years >= ALTIMETRY_SINCE
    early = np.concatenate([[0.0], np.cumsum(12.0 * departure[known] / 5.0)])
    course = [[now] * 5 + [-following] * 5 + [0.0, 0.0] for now, following in pairwise(early)]
    first = 12 * int(years[known][0])
    return first + np.arange(12 * known.sum()), np.concatenate(course)
