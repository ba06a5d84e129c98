"""Generated variability against the statistics asked for, over long sequences and from a given start."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim import data
from caspian_sim.climate.variability import StartState, autoregressive, departures
from caspian_sim.evaluate.closure import autocorrelation
from caspian_sim.record.posterior import shipped_posterior

MEMBERS, YEARS, SEED = np.arange(1000), 400, 8
EACH = len(MEMBERS) // 2
# Two kinds of members with statistics far apart, half of the members each.
KINDS = {
    "inflow_sd": (30.0, 50.0),
    "inflow_lag1": (0.2, 0.5),
    "inflow_slow_sd": (20.0, 10.0),
    "inflow_slow_lag1": (0.85, 0.93),
    "net_evaporation_sd": (40.0, 80.0),
    "net_evaporation_slow_sd": (60.0, 35.0),
    "net_evaporation_slow_lag1": (0.93, 0.85),
    "weather_correlation": (-0.7, 0.4),
}
PARAMETERS = {name: np.repeat(values, EACH) for name, values in KINDS.items()}
BOTH = pytest.mark.parametrize("kind", [0, 1])


def start_from(slow, inflow, inflow_slow):
    shape = np.shape(MEMBERS)
    return StartState(np.zeros(shape), *(np.full(shape, value) for value in (slow, inflow, inflow_slow)))


def part(start, members):
    return StartState(
        *(getattr(start, name)[members] for name in ("volume", "slow", "inflow", "inflow_slow"))
    )


def chosen(parameters, members):
    return {name: values[members] for name, values in parameters.items()}


@pytest.fixture(scope="module")
def generated():
    """Departures of all members over 400 years, from the stationary state."""
    scores = np.random.default_rng(5).standard_normal((3, len(MEMBERS)))
    names = ("net_evaporation_slow_sd", "inflow_sd", "inflow_slow_sd")
    spread = [PARAMETERS[name] * score for name, score in zip(names, scores, strict=True)]
    return departures(SEED, MEMBERS, YEARS, PARAMETERS, start_from(*spread))


def of_kind(generated, kind):
    """Inflow and net evaporation of the members of one kind, and their statistics."""
    half = slice(kind * EACH, (kind + 1) * EACH)
    return (
        generated.inflow[:, half],
        generated.net_evaporation[:, half],
        {name: values[kind] for name, values in KINDS.items()},
    )


def memory_of_inflow(s, lag):
    """Autocovariance of inflow, (km³/yr)²."""
    short = s["inflow_sd"] ** 2 * s["inflow_lag1"] ** lag
    return short + s["inflow_slow_sd"] ** 2 * s["inflow_slow_lag1"] ** lag


def member_spread(values):
    """Standard error of a mean over members."""
    return values.std(ddof=1) / np.sqrt(len(values))


def agrees(products, expected, most):
    """Mean over the years of what is averaged, by member, against its expectation."""
    found = products.mean(axis=0)
    assert abs(found.mean() - expected) < 4.0 * member_spread(found)
    assert member_spread(found) < most


# Moments


@BOTH
@pytest.mark.parametrize("lag", [0, 1, 2, 3, 5, 10, 20])
def test_inflow_has_the_spread_and_the_memories_of_its_member(generated, kind, lag):
    inflow, _, s = of_kind(generated, kind)
    assert abs(inflow.mean()) < 4.0 * member_spread(inflow.mean(axis=0))
    variance = memory_of_inflow(s, 0)
    agrees(inflow[: YEARS - lag] * inflow[lag:] / variance, memory_of_inflow(s, lag) / variance, 0.015)


@BOTH
def test_net_evaporation_has_its_mean_and_spread_in_every_decade(generated, kind):
    _, net, s = of_kind(generated, kind)
    expected = s["net_evaporation_sd"] ** 2 + s["net_evaporation_slow_sd"] ** 2
    for decade in (slice(0, 10), slice(195, 205), slice(390, 400)):
        some = net[decade]
        assert abs(some.mean()) < 4.0 * member_spread(some.mean(axis=0))
        variance = (some**2).mean(axis=0)
        assert abs(variance.mean() - expected) < 4.0 * member_spread(variance)


@BOTH
@pytest.mark.parametrize("lag", [1, 2, 3, 5, 10, 20])
def test_net_evaporation_remembers_its_slow_part_alone(generated, kind, lag):
    _, net, s = of_kind(generated, kind)
    slow, white = s["net_evaporation_slow_sd"] ** 2, s["net_evaporation_sd"] ** 2
    expected = slow * s["net_evaporation_slow_lag1"] ** lag / (slow + white)
    agrees(net[:-lag] * net[lag:] / (slow + white), expected, 0.015)


@BOTH
def test_weather_of_a_year_goes_with_the_news_in_its_inflow(generated, kind):
    inflow, net, s = of_kind(generated, kind)
    news = s["inflow_sd"] * np.sqrt(1.0 - s["inflow_lag1"] ** 2)
    together = s["weather_correlation"] * news * s["net_evaporation_sd"]
    scale = inflow.std() * net.std()
    agrees(inflow * net / scale, together / scale, 0.01)
    # The inflow of the next year remembers the news, net evaporation does not.
    agrees(net[:-1] * inflow[1:] / scale, s["inflow_lag1"] * together / scale, 0.01)
    agrees(inflow[:-1] * net[1:] / scale, 0.0, 0.01)


def test_no_two_members_share_their_weather(generated):
    for series in (generated.inflow[:, :40], generated.net_evaporation[:, :40]):
        off_diagonal = np.corrcoef(series.T)[~np.eye(40, dtype=bool)]
        assert len(np.unique(series[0])) == 40
        assert abs(off_diagonal.mean()) < 0.02


def expected_autocorrelation(parts, lags, years):
    """Autocorrelation expected in a series of some years: its mean takes a part of the slow variance away."""
    every = np.arange(years)

    def covariance(lag):
        return sum(sd**2 * lag1**lag for sd, lag1 in parts)

    taken = covariance(np.abs(every[:, None] - every)).mean()
    return (covariance(lags) - taken) / (covariance(0) - taken)


@pytest.mark.parametrize(
    ("column", "processes", "lags"),
    [
        ("inflow", ("inflow", "inflow_slow"), (1, 2, 3, 5, 10)),
        # Closing the balance takes half of the change of storage from the next year: lag 1 is not the sea's.
        ("net_evaporation", ("net_evaporation", "net_evaporation_slow"), (2, 3, 5, 10)),
    ],
)
def test_calibrated_memory_is_that_of_the_record_within_its_sampling_error(column, processes, lags):
    table = data.load("net_evaporation_implied")
    record = table[column].values
    best = shipped_posterior().medians()
    parts = [(best[f"{name}_sd"], best.get(f"{name}_lag1", 0.0)) for name in processes]
    expected = expected_autocorrelation(parts, np.array(lags), len(record))
    assert_allclose(autocorrelation(record, np.array(lags)), expected, atol=2.0 / np.sqrt(len(record)))


def test_longer_projection_begins_with_the_shorter():
    start = start_from(20.0, -10.0, 5.0)
    few = MEMBERS[:6]
    long, short = (
        departures(SEED, few, years, chosen(PARAMETERS, few), part(start, few)) for years in (80, 40)
    )
    assert_array_equal(long.inflow[:40], short.inflow)
    assert_array_equal(long.net_evaporation[:40], short.net_evaporation)


def test_departures_of_a_member_do_not_depend_on_the_others():
    start = start_from(20.0, -10.0, 5.0)
    some = np.array([700, 3, 12])
    whole = departures(SEED, MEMBERS, 30, PARAMETERS, start)
    alone = departures(SEED, some, 30, chosen(PARAMETERS, some), part(start, some))
    assert_array_equal(alone.inflow, whole.inflow[:, some])
    assert_array_equal(alone.net_evaporation, whole.net_evaporation[:, some])


# From a given start


@BOTH
def test_spread_opens_from_a_known_start_and_the_mean_fades(kind):
    slow, inflow, inflow_slow = 40.0, -50.0, 25.0
    found = departures(SEED, MEMBERS, 60, PARAMETERS, start_from(slow, inflow, inflow_slow))
    flow, net, s = of_kind(found, kind)
    years = np.arange(1, 61)

    def opened(name):
        return (1.0 - s[f"{name}_lag1"] ** (2 * years)) * s[f"{name}_sd"] ** 2

    cases = (
        (
            net,
            slow * s["net_evaporation_slow_lag1"] ** years,
            opened("net_evaporation_slow") + s["net_evaporation_sd"] ** 2,
        ),
        (
            flow,
            inflow * s["inflow_lag1"] ** years + inflow_slow * s["inflow_slow_lag1"] ** years,
            opened("inflow") + opened("inflow_slow"),
        ),
    )
    for values, mean, variance in cases:
        assert (np.abs(values.mean(axis=1) - mean) < 4.5 * np.sqrt(variance / EACH)).all()
        assert_allclose(values.var(axis=1) / variance, 1.0, atol=4.5 * np.sqrt(2.0 / EACH))


def test_without_variability_the_departures_fade_from_the_start():
    found = departures(SEED, MEMBERS, 60, PARAMETERS, start_from(30.0, -20.0, 10.0), variability=False)
    years = np.arange(1, 61)[:, None]
    assert_allclose(
        found.net_evaporation, 30.0 * PARAMETERS["net_evaporation_slow_lag1"] ** years, rtol=1e-12
    )
    short, slow = PARAMETERS["inflow_lag1"] ** years, PARAMETERS["inflow_slow_lag1"] ** years
    assert_allclose(found.inflow, -20.0 * short + 10.0 * slow, rtol=1e-11, atol=1e-12)


def test_a_process_follows_its_innovations():
    path = autoregressive(np.array([10.0]), np.array([0.6]), np.array([5.0]), np.array([[1.0], [-2.0]]))
    assert_allclose(path[:, 0], [6.0 + 4.0, 6.0 - 8.0], rtol=1e-14)
