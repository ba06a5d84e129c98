"""The annual balance as a linear model: its algebra, the monthly model beside it, and what it knows when."""

import dataclasses

import numpy as np
import pytest
from basins import caspian
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim.climate.seasons import level_departure_at_month_edges
from caspian_sim.record.annual import (
    INFLOW,
    INFLOW_ERROR,
    INFLOW_SLOW,
    MEAN,
    SLOW,
    VOLGA_ERROR,
    VOLUME,
    WEATHER,
    baseline_reference,
    expected_warming,
    filter_record,
    mean_weight_of_inflow,
    seasonal_loss,
    stationary,
)
from caspian_sim.record.observations import Observations, late_level, shipped_observations
from caspian_sim.record.posterior import best_values, shipped_posterior
from caspian_sim.record.start import estimate_state, outflow_of_record

RECORD = shipped_observations()


def some_parameters(count=3):
    """A few rows of the posterior."""
    rows = np.linspace(0, shipped_posterior().rows - 1, count).astype(int)
    return {name: values[rows] for name, values in shipped_posterior().parameters.items()}


def central(**changes):
    return {name: np.array([value]) for name, value in (best_values() | changes).items()}


def filtered(parameters, observed=RECORD, outflow=None, last_year=None):
    if outflow is None:
        outflow = outflow_of_record(parameters, observed)
    return list(filter_record(parameters, observed, outflow, baseline_reference(), last_year))


# ---- algebra -------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [1950, 1990, 2015])
def test_water_is_neither_lost_nor_made(year):
    parameters = some_parameters()
    outflow = outflow_of_record(parameters, RECORD)
    place = int(year - RECORD.year[0])
    step = filtered(parameters, outflow=outflow)[place][1]
    generator = np.random.default_rng(1)
    before = generator.normal(size=(3, 6)) * [200.0, 100.0, 40.0, 40.0, 10.0, 50.0]
    news = generator.normal(size=(3, 4))
    after = np.einsum("sij,sj->si", step.transition, before) + step.offset
    after = after + np.einsum("sij,sj->si", step.noise, news)

    level = float(RECORD.level[place])
    area = parameters["area_factor"] * float(caspian().area(level)) * 1e-6
    change = expected_warming(RECORD, year) - baseline_reference().warming
    share = baseline_reference().volga_share
    response = share * parameters["volga_sensitivity"] + (1.0 - share) * parameters["other_river_sensitivity"]
    departure = after[:, INFLOW] + after[:, INFLOW_SLOW]
    inflow = parameters["river_inflow"] * (1.0 + 0.01 * response * change) + departure
    rain = 0.01 * parameters["precipitation_sensitivity"] * parameters["precipitation"]
    net = parameters["net_evaporation"] + (parameters["evaporation_sensitivity"] - rain) * change
    net = net + after[:, SLOW] + after[:, WEATHER]
    gained = inflow + parameters["groundwater"] - outflow[place] - net * area
    gained = gained - parameters["area_factor"] * seasonal_loss(level)
    assert_allclose(after[:, VOLUME] - before[:, VOLUME], gained, rtol=1e-10, atol=1e-9)
    # The mean of a year stands half way, but for the inflow that comes early or late.
    early = mean_weight_of_inflow() - 0.5
    middle = before[:, VOLUME] + 0.5 * gained + early * departure
    assert_allclose(after[:, MEAN], middle, rtol=1e-10, atol=1e-9)


def test_water_of_the_inflow_is_there_for_a_little_more_than_half_of_the_year():
    assert 0.5 < mean_weight_of_inflow() < 0.6


def test_departures_are_stationary_with_the_spread_and_memory_of_their_parameters():
    parameters = some_parameters(5)
    step = filtered(parameters)[0][1]
    rows = [SLOW, INFLOW, INFLOW_SLOW]
    covariance = stationary(parameters, 5)[1]
    after = step.transition @ covariance @ step.transition.swapaxes(1, 2) + step.noise @ step.noise.swapaxes(
        1, 2
    )
    names = ("net_evaporation_slow", "inflow", "inflow_slow")
    for row, name in zip(rows, names, strict=True):
        assert_allclose(after[:, row, row], parameters[f"{name}_sd"] ** 2, rtol=1e-12)
        assert_allclose(step.transition[:, row, row], parameters[f"{name}_lag1"], rtol=1e-15)
        for other in rows:
            if other != row:
                assert_allclose(after[:, row, other], 0.0, atol=1e-9)
    # Weather has no memory, and goes with the news in the inflow alone.
    assert_allclose(after[:, WEATHER, WEATHER], parameters["net_evaporation_sd"] ** 2, rtol=1e-12)
    assert_array_equal(step.transition[:, WEATHER], 0.0)
    news = parameters["inflow_sd"] * np.sqrt(1.0 - parameters["inflow_lag1"] ** 2)
    together = parameters["weather_correlation"] * news * parameters["net_evaporation_sd"]
    assert_allclose(after[:, WEATHER, INFLOW], together, rtol=1e-12)
    assert_allclose(after[:, WEATHER, [SLOW, INFLOW_SLOW]], 0.0, atol=1e-9)


def test_observations_have_the_errors_that_are_stated():
    parameters = some_parameters()
    steps = [step for _, step in filtered(parameters)]
    for year, gauge in ((1985, "level_error_before_1993"), (2010, "level_error_since_1993")):
        place = int(year - RECORD.year[0])
        per_metre = parameters["area_factor"] * float(caspian().area(RECORD.level[place])) * 1e-3
        assert_allclose(np.sqrt(steps[place].variance[0]), parameters[gauge] * per_metre, rtol=1e-12)
        assert_allclose(np.sqrt(steps[place].variance[1]), INFLOW_ERROR * RECORD.inflow[place], rtol=1e-12)
        assert_allclose(
            np.sqrt(steps[place].variance[2]), parameters["late_level_error"] * per_metre, rtol=1e-12
        )


def test_larger_sea_with_all_fluxes_larger_has_the_same_level():
    factor = 1.1
    usual = some_parameters()
    scaled = ("area_factor", "river_inflow", "groundwater", "inflow_sd", "inflow_slow_sd")
    larger = usual | {name: factor * usual[name] for name in scaled}
    record = dataclasses.replace(RECORD, inflow=factor * RECORD.inflow, volga=factor * RECORD.volga)
    outflow = outflow_of_record(usual, RECORD)
    one, two = filtered(usual, outflow=outflow), filtered(larger, record, factor * outflow)
    for (a, _), (b, _) in zip(one, two, strict=True):
        for row, scale in ((VOLUME, factor), (INFLOW, factor), (INFLOW_SLOW, factor), (SLOW, 1.0)):
            assert_allclose(b.mean[:, row], scale * a.mean[:, row], rtol=1e-8, atol=1e-7)
            assert_allclose(b.covariance[:, row, row], scale**2 * a.covariance[:, row, row], rtol=1e-7)
        # Densities of inflows are per km³; those of levels are per metre, in both.
        inflows = sum(not update.loading[..., [VOLUME, MEAN]].any() for update in a.updates)
        found = a.log_likelihood - inflows * np.log(factor)
        assert_allclose(b.log_likelihood, found, rtol=1e-8, atol=1e-8)


# ---- beside the monthly model --------------------------------------------------------------------


@pytest.mark.parametrize("net_evaporation", [780.0, 810.0, 840.0])
def test_expected_path_is_that_of_the_monthly_model_to_two_millimetres_a_year(net_evaporation):
    # No response to warming, which the annual model takes from the middle scenario.
    still = {f"{name}_sensitivity": 0.0 for name in ("volga", "other_river", "precipitation", "evaporation")}
    changes = {**still, "net_evaporation": net_evaporation}
    ds = cs.run(
        {
            "name": "beside",
            "period": {"start": 2026, "end": 2030},
            "climate": {"scenarios": ["ssp245"]},
            "uncertainty": {"members": 1, "parameters": "central", "variability": False},
            "parameters": changes,
        }
    )
    curve, parameters = caspian(), central(**changes)
    factor = parameters["area_factor"][0]
    volume = curve.reference_volume + (ds.sea_volume.values.ravel() - curve.reference_volume) / factor
    monthly = np.asarray(curve.level(volume)) - level_departure_at_month_edges()[0]
    # Area and outflow of the annual model follow from the level of the year: that of the monthly model.
    unknown = np.full(5, np.nan)
    known = RECORD.until(2025)
    extended = dataclasses.replace(
        known,
        year=np.append(known.year, np.arange(2026, 2031)),
        level=np.append(known.level, ds.sea_level.values.ravel()),
        inflow=np.append(known.inflow, unknown),
        volga=np.append(known.volga, unknown),
        warming=np.append(known.warming, unknown),
    )
    state = filtered(parameters, known)[-1][0].mean[0]
    annual = []
    for _, step in filtered(parameters, extended)[-5:]:
        state = step.transition[0] @ state + step.offset[0]
        annual.append(curve.level(state[VOLUME] / factor + curve.reference_volume))
    assert_allclose(annual, monthly, rtol=0.0, atol=0.002 * 5)
    assert (np.abs(np.diff(annual) - np.diff(monthly)) < 0.002).all()
    assert abs(monthly[-1] - float(RECORD.level[-1])) > 0.02


# ---- who knows what ------------------------------------------------------------------------------


def tampered(first, **by):
    """Observations that are others from a year on."""
    later = RECORD.year >= first
    changed = {
        name: np.where(later, getattr(RECORD, name) + shift, getattr(RECORD, name))
        for name, shift in by.items()
    }
    return dataclasses.replace(RECORD, **changed)


@pytest.mark.parametrize("series", ["level", "inflow", "volga", "warming"])
@pytest.mark.parametrize("year", [1960, 1994, 2015])
def test_no_observation_of_a_later_year_changes_an_earlier_state(series, year):
    parameters = some_parameters()
    outflow = outflow_of_record(parameters, RECORD)
    usual = filtered(parameters, outflow=outflow)
    other = filtered(parameters, tampered(year, **{series: 1.5}), outflow)
    place = int(year - RECORD.year[0])
    for (a, _), (b, _) in zip(usual[:place], other[:place], strict=True):
        assert_array_equal(a.mean, b.mean)
        assert_array_equal(a.covariance, b.covariance)
        assert_array_equal(a.log_likelihood, b.log_likelihood)
    assert not np.allclose(usual[-1][0].mean, other[-1][0].mean, rtol=1e-6)


def test_mean_level_of_a_year_says_nothing_of_the_state_before_it():
    # The end of a year must not be made of the mean of the next, as an average of two annual means is.
    parameters = some_parameters()
    estimate = estimate_state(parameters, RECORD, 2000)
    assert_array_equal(estimate_state(parameters, tampered(2001, level=3.0), 2000).mean, estimate.mean)
    assert_array_equal(estimate_state(parameters, RECORD.until(2000), 2000).mean, estimate.mean)
    months = np.where(RECORD.month >= 12 * 2001, RECORD.monthly_level + 2.0, RECORD.monthly_level)
    later = dataclasses.replace(RECORD, monthly_level=months)
    assert_array_equal(estimate_state(parameters, later, 2000).mean, estimate.mean)
    assert_array_equal(estimate_state(parameters, later, 2000).root, estimate.root)


def test_gap_widens_the_state_and_an_observation_narrows_it():
    parameters = some_parameters()
    gap = (RECORD.year >= 1950) & (RECORD.year < 1956)
    holes = {name: np.where(gap, np.nan, getattr(RECORD, name)) for name in ("level", "inflow", "volga")}
    found = filtered(parameters, dataclasses.replace(RECORD, **holes), outflow_of_record(parameters, RECORD))
    spread = np.array([done.covariance[:, VOLUME, VOLUME] for done, _ in found])
    begin = int(1950 - RECORD.year[0])
    assert (np.diff(spread[begin - 1 : begin + 6], axis=0) > 0.0).all()
    assert (spread[begin + 6] < 0.5 * spread[begin + 5]).all()
    for done, _ in found[begin : begin + 6]:
        assert done.updates == ()
        assert_array_equal(done.mean, done.predicted_mean)
        assert_array_equal(done.log_likelihood, 0.0)


def test_volga_stands_in_for_a_total_that_is_missing():
    place = int(2023 - RECORD.year[0])
    assert np.isnan(RECORD.inflow[place])
    assert RECORD.volga[place] > 0.0
    parameters = some_parameters()
    with_it = filtered(parameters)[place]
    volga = np.where(RECORD.year == 2023, np.nan, RECORD.volga)
    without = filtered(parameters, dataclasses.replace(RECORD, volga=volga))[place]
    assert len(with_it[0].updates) == len(without[0].updates) + 1
    both = ~np.isnan(RECORD.inflow[:place]) & ~np.isnan(RECORD.volga[:place])
    ratio = RECORD.inflow[:place][both].sum() / RECORD.volga[:place][both].sum()
    expected = ratio * RECORD.volga[place]
    assert_allclose(np.sqrt(with_it[1].variance[1]), VOLGA_ERROR * expected, rtol=1e-12)
    change = expected_warming(RECORD, 2023) - baseline_reference().warming
    share = baseline_reference().volga_share
    response = share * parameters["volga_sensitivity"] + (1.0 - share) * parameters["other_river_sensitivity"]
    usual = parameters["river_inflow"] * (1.0 + 0.01 * response * change)
    assert_allclose(with_it[1].observed[1], expected - usual, rtol=1e-9, atol=1e-9)


def test_spread_of_the_ratio_to_the_volga_is_the_error_that_is_stated():
    both = ~np.isnan(RECORD.inflow) & ~np.isnan(RECORD.volga)
    ratio = RECORD.inflow[both] / RECORD.volga[both]
    assert ratio.std(ddof=1) / ratio.mean() == pytest.approx(VOLGA_ERROR, abs=0.02)


# ---- the level of late autumn --------------------------------------------------------------------


def with_course(course):
    """Observations of whole years of months that follow a course beside their annual mean."""
    years = np.arange(2000, 2010)
    month = np.arange(12 * 2000, 12 * 2010)
    monthly = course(month / 12.0 - 2000.0)
    annual = monthly.reshape(-1, 12).mean(axis=1)
    none = np.full(len(years), np.nan)
    return Observations(years, annual, none, none, np.zeros(len(years)), month, monthly)


def test_late_level_is_freed_of_a_season_and_follows_a_trend():
    season = with_course(lambda t: 0.2 * np.cos(2.0 * np.pi * t))
    assert_allclose(late_level(season), 0.0, atol=1e-12)
    trend = with_course(lambda t: -0.12 * t + 0.2 * np.cos(2.0 * np.pi * t))
    # The mean of a year stands in its middle, 1 December 11 months after its begin.
    assert_allclose(late_level(trend) - trend.level, -0.12 * (11.0 / 12.0 - 0.5), atol=1e-12)


def test_late_level_needs_all_months_of_its_year():
    whole = with_course(lambda t: 0.2 * np.cos(2.0 * np.pi * t))
    kept = whole.month != 12 * 2004 + 6
    some = dataclasses.replace(whole, month=whole.month[kept], monthly_level=whole.monthly_level[kept])
    assert np.flatnonzero(np.isnan(late_level(some))).tolist() == [4]
    none = dataclasses.replace(whole, month=whole.month[:0], monthly_level=whole.monthly_level[:0])
    assert np.isnan(late_level(none)).all()
