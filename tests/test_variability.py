"""Generated variability against the statistics asked for, over long sequences, and the present state."""

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim import data
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.climate.variability import (
    SlowState,
    Variability,
    expected_slow,
    inflow_departure,
    net_evaporation_variability,
    recorded_variability,
    slow_state,
)
from caspian_sim.climate.warming import observed_warming
from caspian_sim.evaluate.closure import autocorrelation, close_balance
from caspian_sim.plan import EARLIEST_START

RECORDED = recorded_variability()
MEMBERS, YEARS, SEED = np.arange(500), 400, 8
EARLIER = (1981, 2000)
"""A baseline that ends before the projections of these tests start."""


@pytest.fixture(scope="module")
def generated():
    """Inflow and net evaporation of 500 members over 400 years, from the stationary state."""
    inflow = inflow_departure(SEED, MEMBERS, YEARS, RECORDED)
    stationary = SlowState(0.0, 0.0, RECORDED.slow_sd)
    net = net_evaporation_variability(SEED, MEMBERS, YEARS, RECORDED, stationary, np.zeros(len(MEMBERS)))
    return inflow, net


def correlation(earlier, later):
    """Correlation of two processes of mean zero, over all members and years."""
    return (earlier * later).mean() / np.sqrt((earlier**2).mean() * (later**2).mean())


def member_spread(values):
    """Standard error of a mean over members."""
    return values.std(ddof=1) / np.sqrt(len(values))


# Moments


def test_table_holds_the_statistics_in_their_units():
    assert 0.1 < RECORDED.inflow_cv < 0.2
    assert 60.0 < RECORDED.net_evaporation_sd < 110.0
    assert RECORDED.slow_sd**2 + RECORDED.white_sd**2 == pytest.approx(RECORDED.net_evaporation_sd**2)
    assert abs(RECORDED.white_on_inflow) < 1.0


def test_inflow_has_its_mean_spread_and_memory(generated):
    inflow, _ = generated
    assert abs(inflow.mean()) < 4.0 * member_spread(inflow.mean(axis=0))
    variance = (inflow**2).mean(axis=0)
    assert abs(variance.mean() - RECORDED.inflow_cv**2) < 4.0 * member_spread(variance)
    for lag in (1, 2, 3, 5):
        assert correlation(inflow[:-lag], inflow[lag:]) == pytest.approx(RECORDED.inflow_lag1**lag, abs=0.01)
    assert inflow.min() >= -1.0


def test_net_evaporation_has_its_mean_and_spread_in_every_decade(generated):
    _, net = generated
    for decade in (slice(0, 10), slice(195, 205), slice(390, 400)):
        part = net[decade]
        assert abs(part.mean()) < 4.0 * member_spread(part.mean(axis=0))
        variance = (part**2).mean(axis=0)
        assert abs(variance.mean() - RECORDED.net_evaporation_sd**2) < 4.0 * member_spread(variance)


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 10, 20])
def test_memory_of_net_evaporation_is_weak_from_year_to_year_and_strong_over_decades(generated, lag):
    _, net = generated
    expected = RECORDED.slow_share * RECORDED.slow_lag1**lag
    products = (net[:-lag] * net[lag:]).mean(axis=0) / RECORDED.net_evaporation_sd**2
    assert abs(products.mean() - expected) < 4.0 * member_spread(products)
    assert member_spread(products) < 0.01


def test_inflow_and_net_evaporation_of_a_year_are_correlated_as_recorded(generated):
    inflow, net = generated
    assert correlation(inflow, net) == pytest.approx(RECORDED.cross_correlation, abs=0.01)


def test_wet_year_echoes_in_next_inflow_but_not_in_next_evaporation(generated):
    inflow, net = generated
    lagged = RECORDED.inflow_lag1 * RECORDED.cross_correlation
    assert correlation(net[:-1], inflow[1:]) == pytest.approx(lagged, abs=0.01)
    assert correlation(inflow[:-1], net[1:]) == pytest.approx(0.0, abs=0.01)


def test_no_two_members_share_their_weather(generated):
    inflow, net = generated
    for series in (inflow[:, :40], net[:, :40]):
        off_diagonal = np.corrcoef(series.T)[~np.eye(40, dtype=bool)]
        assert len(np.unique(series[0])) == 40
        assert abs(off_diagonal.mean()) < 0.02


def test_generated_memory_is_that_of_the_record_within_its_sampling_error():
    record = data.load("net_evaporation_implied")["net_evaporation"].values
    lags = np.array([1, 2, 3, 5])
    expected = RECORDED.slow_share * RECORDED.slow_lag1**lags
    assert_allclose(autocorrelation(record, lags), expected, atol=2.0 / np.sqrt(len(record)))


def test_longer_projection_begins_with_the_shorter():
    stationary = SlowState(0.0, 0.0, RECORDED.slow_sd)
    few = MEMBERS[:6]
    assert_array_equal(
        inflow_departure(SEED, few, 80, RECORDED)[:40], inflow_departure(SEED, few, 40, RECORDED)
    )
    long, short = (
        net_evaporation_variability(SEED, few, years, RECORDED, stationary, np.zeros(6)) for years in (80, 40)
    )
    assert_array_equal(long[:40], short)


def test_inflow_never_falls_below_nothing():
    wild = Variability(2.0, 0.3, 80.0, 0.3, 0.9, 0.2)
    assert inflow_departure(SEED, MEMBERS[:50], 50, wild).min() == -1.0


# From the present state


def test_spread_of_the_slow_part_opens_from_the_present_and_its_mean_fades():
    start, sensitivity = SlowState(30.0, 0.2, 10.0), np.full(len(MEMBERS), 50.0)
    white = Variability(0.15, 0.3, RECORDED.net_evaporation_sd, RECORDED.slow_share, RECORDED.slow_lag1, 0.0)
    net = net_evaporation_variability(SEED, MEMBERS, 60, white, start, sensitivity)
    mean = expected_slow(60, white, start, sensitivity)[:, 0]
    lag1 = RECORDED.slow_lag1
    assert_allclose(mean, 40.0 * lag1 ** np.arange(1, 61), rtol=1e-12)
    years = np.arange(1, 61)
    slow_variance = lag1 ** (2 * years) * 100.0 + (1 - lag1 ** (2 * years)) * RECORDED.slow_sd**2
    variance = slow_variance + RECORDED.white_sd**2
    assert (np.abs(net.mean(axis=1) - mean) < 4.5 * np.sqrt(variance / len(MEMBERS))).all()
    assert_allclose(net.var(axis=1) / variance, 1.0, atol=4.5 * np.sqrt(2.0 / len(MEMBERS)))


def conditional(values, statistics, ahead):
    """Mean and variance of the slow part some years after the last value, by dense Gaussian conditioning."""
    years = np.arange(len(values))
    slow = statistics.slow_sd**2
    among = slow * statistics.slow_lag1 ** np.abs(years[:, None] - years)
    noisy = among + statistics.white_sd**2 * np.eye(len(values))
    towards = slow * statistics.slow_lag1 ** (len(values) - 1 + ahead - years)
    weights = np.linalg.solve(noisy, towards)
    return weights @ values, slow - weights @ towards


@pytest.mark.parametrize("before", [2005, 2023, 2026])
def test_present_state_is_the_gaussian_estimate_from_the_whole_record(before):
    record = data.load("net_evaporation_implied")["net_evaporation"].sel(year=slice(None, before - 1))
    first, last = int(record["year"][0]), int(record["year"][-1])
    anomaly = record.values - float(record.sel(year=slice(*EARLIER)).mean())
    warmer = observed_warming(first, last) - observed_warming(*EARLIER).mean()
    found = slow_state(before, EARLIER, RECORDED)
    ahead = before - 1 - last
    mean, variance = conditional(anomaly, RECORDED, ahead)
    assert found.offset == pytest.approx(mean, rel=1e-9)
    assert found.sd == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert found.slope == pytest.approx(-conditional(warmer, RECORDED, ahead)[0], rel=1e-9)


def with_table(monkeypatch, name, changed):
    load = data.load
    monkeypatch.setattr(data, "load", lambda asked: changed if asked == name else load(asked))


def test_present_state_knows_no_net_evaporation_of_later_years(monkeypatch):
    before = slow_state(2010, EARLIER, RECORDED)
    table = data.load("net_evaporation_implied")
    with_table(monkeypatch, "net_evaporation_implied", table.where(table["year"] < 2010, 1e6))
    assert slow_state(2010, EARLIER, RECORDED) == before


def test_present_state_knows_the_year_before_the_start(monkeypatch):
    before = slow_state(2010, EARLIER, RECORDED)
    table = data.load("net_evaporation_implied")
    with_table(monkeypatch, "net_evaporation_implied", table.where(table["year"] < 2009, 1e6))
    assert slow_state(2010, EARLIER, RECORDED).offset > before.offset


def test_earliest_projection_knows_no_level_of_its_first_year(monkeypatch):
    def state():
        closure = close_balance(1937, BASELINE[1])
        table = xr.Dataset({"net_evaporation": ("year", closure.net_evaporation)}, {"year": closure.year})
        with pytest.MonkeyPatch.context() as patch:
            with_table(patch, "net_evaporation_implied", table)
            return slow_state(EARLIEST_START, BASELINE, RECORDED)

    before = state()
    level = data.load("sea_level_annual")
    earlier = level["year"] < EARLIEST_START
    changed = level.assign(level=level["level"].where(earlier, level["level"] - 0.1))
    with_table(monkeypatch, "sea_level_annual", changed)
    assert state() == before
