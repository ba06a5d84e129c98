"""The generated climate against the statistics that it is made from; who shares what, and what that gains.

Tolerances are four standard errors of the estimate from so many independent members, which one sound estimate
in 16,000 exceeds; the seed is fixed.
"""

import itertools
import json

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from scipy.stats import chi2_contingency, kstest, ttest_ind

import caspian_sim as cs
from caspian_sim.cli import main
from caspian_sim.climate.draws import normals, quantiles, uniforms
from caspian_sim.climate.variability import departures
from caspian_sim.outputs.log import recorded
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.record.start import draw_start, estimate_state

SEED, MEMBERS, YEARS, START = 20251211, 8000, 75, 2026
ERRORS = 4.0
STATISTICS = {**shipped_posterior().medians(), "warming_quantile": 0.5}

# The departures by the names of their processes, and what inflow and net evaporation take of each.
PROCESSES = ("net_evaporation_slow", "inflow", "inflow_slow")
OF_INFLOW, OF_NET = np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0])
MEMORY = np.array([STATISTICS[f"{name}_lag1"] for name in PROCESSES])
STATIONARY = np.diag([STATISTICS[f"{name}_sd"] ** 2 for name in PROCESSES])
WHITE = STATISTICS["net_evaporation_sd"]
# Weather goes with the news in the inflow.
NEWS = STATISTICS["inflow_sd"] * np.sqrt(1.0 - STATISTICS["inflow_lag1"] ** 2)
TOGETHER = STATISTICS["weather_correlation"] * NEWS * WHITE


@pytest.fixture(scope="module")
def estimate():
    """What the record says of the end of 2025, for the medians of the posterior."""
    one = {name: np.array([value]) for name, value in STATISTICS.items()}
    return estimate_state(one, shipped_observations(), START - 1)


@pytest.fixture(scope="module")
def generated(estimate):
    members = np.arange(MEMBERS)
    parameters = {name: np.full(MEMBERS, value) for name, value in STATISTICS.items()}
    start = draw_start(estimate.take(np.zeros(MEMBERS, dtype=int)), SEED, members, True)
    return departures(SEED, members, YEARS, parameters, start)


@pytest.fixture(scope="module")
def inflow(generated):
    """Departure of inflow of many members, km³/yr, shape (year, member)."""
    return generated.inflow


@pytest.fixture(scope="module")
def net_evaporation(generated):
    """Departure of net evaporation, mm/yr, shape (year, member)."""
    return generated.net_evaporation


@pytest.fixture(scope="module")
def expected(estimate):
    """Mean and covariance of the three processes by year: they open from the estimate and forget it."""
    mean = estimate.mean[0, 1:]
    covariance = (estimate.root[0] @ estimate.root[0].T)[1:, 1:]
    kept = MEMORY ** np.arange(1, YEARS + 1)[:, None]
    among = kept[:, :, None] * kept[:, None, :]
    return kept * mean, among * covariance + (1.0 - among) * STATIONARY


def moments(expected, year, weights):
    """Mean and variance of inflow or net evaporation in a year."""
    mean, covariance = (values[year] for values in expected)
    white = WHITE**2 if weights is OF_NET else 0.0
    return weights @ mean, weights @ covariance @ weights + white


def correlation(expected, year, one, lag, other):
    """Correlation of one flux in a year with another some years later."""
    linked = one @ (expected[1][year] * MEMORY**lag) @ other
    if one is OF_INFLOW and other is OF_NET and lag == 0:
        linked += TOGETHER
    if one is OF_NET and other is OF_INFLOW:
        linked += TOGETHER * STATISTICS["inflow_lag1"] ** lag
    if one is OF_NET and other is OF_NET and lag == 0:
        linked += WHITE**2
    return linked / np.sqrt(moments(expected, year, one)[1] * moments(expected, year + lag, other)[1])


def across(one, two):
    """Correlation over the members of one year with another."""
    return np.corrcoef(one, two)[0, 1]


def error_of(correlation):
    return ERRORS * (1.0 - correlation**2) / np.sqrt(MEMBERS)


@pytest.mark.parametrize("year", [0, 1, 5, 37, 74])
def test_inflow_starts_from_the_record_and_spreads_from_there(inflow, expected, year):
    mean, variance = moments(expected, year, OF_INFLOW)
    assert_allclose(inflow[year].mean(), mean, atol=ERRORS * np.sqrt(variance / MEMBERS))
    assert_allclose(inflow[year].std(), np.sqrt(variance), rtol=ERRORS / np.sqrt(2 * MEMBERS))


def test_inflow_is_normal(inflow, expected):
    mean, variance = moments(expected, 10, OF_INFLOW)
    assert kstest((inflow[10] - mean) / np.sqrt(variance), "norm").pvalue > 0.001


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 10])
def test_inflow_remembers_as_the_sum_of_two_processes_does(inflow, expected, lag):
    for year in (0, 30, 60):
        wanted = correlation(expected, year, OF_INFLOW, lag, OF_INFLOW)
        assert_allclose(across(inflow[year], inflow[year + lag]), wanted, atol=error_of(wanted))


@pytest.mark.parametrize("year", [0, 1, 5, 40, 74])
def test_net_evaporation_starts_from_the_record_and_spreads_from_there(net_evaporation, expected, year):
    mean, variance = moments(expected, year, OF_NET)
    assert_allclose(net_evaporation[year].mean(), mean, atol=ERRORS * np.sqrt(variance / MEMBERS))
    assert_allclose(net_evaporation[year].std(), np.sqrt(variance), rtol=ERRORS / np.sqrt(2 * MEMBERS))


def test_net_evaporation_comes_to_its_stationary_spread(expected):
    stationary = np.sqrt(OF_NET @ STATIONARY @ OF_NET + WHITE**2)
    assert np.sqrt(moments(expected, 0, OF_NET)[1]) < 0.97 * stationary
    assert_allclose(np.sqrt(moments(expected, 74, OF_NET)[1]), stationary, rtol=1e-3)


@pytest.mark.parametrize("lag", [1, 2, 5, 10, 20])
def test_net_evaporation_remembers_for_decades_but_little_from_year_to_year(net_evaporation, expected, lag):
    year = YEARS - 1 - lag
    wanted = correlation(expected, year, OF_NET, lag, OF_NET)
    found = across(net_evaporation[year], net_evaporation[year + lag])
    assert_allclose(found, wanted, atol=error_of(wanted))
    # A first-order process with the same memory from one year to the next would have lost it.
    one = correlation(expected, year, OF_NET, 1, OF_NET)
    assert one < 0.6
    assert lag == 1 or found > 1.5 * one**lag


@pytest.mark.parametrize("year", [0, 37, 74])
def test_inflow_and_net_evaporation_of_a_year_are_correlated_by_the_weather(
    inflow, net_evaporation, expected, year
):
    wanted = correlation(expected, year, OF_INFLOW, 0, OF_NET)
    assert wanted < -0.2
    assert_allclose(across(inflow[year], net_evaporation[year]), wanted, atol=error_of(wanted))


def test_inflow_and_net_evaporation_of_different_years_are_linked_by_the_memory_of_inflow_alone(
    inflow, net_evaporation, expected
):
    # Net evaporation goes with what is new in the inflow of its year, which the inflow of the next remembers.
    later = correlation(expected, 60, OF_NET, 1, OF_INFLOW)
    assert later < -0.05
    assert_allclose(across(inflow[61], net_evaporation[60]), later, atol=error_of(later))
    earlier = correlation(expected, 60, OF_INFLOW, 1, OF_NET)
    assert_allclose(across(inflow[60], net_evaporation[61]), earlier, atol=error_of(earlier))
    assert abs(earlier) < 0.05


COMPONENTS = [
    "parameter:volga_sensitivity",
    "parameter:groundwater",
    "measure:kura-canal-losses",
    "variability:inflow",
    "variability:inflow_slow",
    "variability:net_evaporation",
    "variability:slow",
    "state",
    "posterior:row",
]


def test_components_and_years_are_independent_of_each_other():
    rows = [uniforms(SEED, name, place, np.arange(MEMBERS)) for name in COMPONENTS for place in (0, 1, 2)]
    correlation = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    # 351 pairs: their spread is that of chance, and none sticks out (4.5 sd: once in 500 such tests).
    assert_allclose(correlation.std(), 1 / np.sqrt(MEMBERS), rtol=ERRORS / np.sqrt(2 * len(correlation)))
    assert np.abs(correlation).max() < 4.5 / np.sqrt(MEMBERS)


def test_components_are_independent_beyond_correlation():
    # A table of eight by eight classes of each pair, against independence: p-values are themselves uniform.
    draws = {name: (8 * quantiles(SEED, name, np.arange(MEMBERS))).astype(int) for name in COMPONENTS}
    p = [
        chi2_contingency(np.histogram2d(draws[one], draws[two], bins=8)[0]).pvalue
        for one, two in itertools.combinations(COMPONENTS, 2)
    ]
    assert kstest(p, "uniform").pvalue > 0.01
    assert min(p) > 0.001


def test_members_are_independent_of_their_neighbours():
    draws = normals(SEED, "variability:inflow", np.arange(MEMBERS), 40)
    for step in (1, 2, 4, 64):  # 4 numbers come from one count of the generator
        product = (draws[:, step:] * draws[:, :-step]).ravel()
        assert abs(product.mean()) < ERRORS / np.sqrt(product.size)


def test_numbers_of_a_component_are_uniform_over_members_and_over_years():
    over_members = uniforms(SEED, "variability:slow", 3, np.arange(MEMBERS))
    over_years = np.array(
        [uniforms(SEED, "variability:slow", year, np.array([3]))[0] for year in range(2000)]
    )
    assert kstest(over_members, "uniform").pvalue > 0.01
    assert kstest(over_years, "uniform").pvalue > 0.01


def test_another_seed_gives_other_members():
    one, two = (normals(seed, "variability:inflow", np.arange(MEMBERS), 1)[0] for seed in (1, 2))
    assert abs(across(one, two)) < error_of(0.0)
    assert ttest_ind(one, two).pvalue > 0.001


@pytest.fixture(scope="module")
def programmes():
    """Thirty years with and without the measures of all states, and once more with another seed."""
    asked = {
        "name": "paired",
        "period": {"start": 2026, "end": 2055},
        "climate": {"scenarios": ["ssp245", "ssp585"]},
        "uncertainty": {"members": 200, "seed": SEED},
        "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    }
    return [cs.run({**asked, "uncertainty": {"members": 200, "seed": seed}}) for seed in (SEED, SEED + 1)]


def test_the_difference_of_two_programmes_has_a_small_part_of_the_variance_of_unpaired_runs(programmes):
    levels = [ds.sea_level.isel(time=-1).sel(scenario="ssp245") for ds in programmes]
    paired = (levels[0].sel(programme="joint") - levels[0].sel(programme="none")).values
    unpaired = levels[0].sel(programme="joint").values - levels[1].sel(programme="none").values
    assert paired.min() > 0.0
    # 63 times with 1000 members: so many times more of them would be needed for the same precision.
    assert unpaired.var() > 40.0 * paired.var()


def test_the_difference_of_two_scenarios_is_paired_as_well(programmes):
    levels = [ds.sea_level.isel(time=-1).sel(programme="none") for ds in programmes]
    paired = (levels[0].sel(scenario="ssp585") - levels[0].sel(scenario="ssp245")).values
    unpaired = levels[0].sel(scenario="ssp585").values - levels[1].sel(scenario="ssp245").values
    assert unpaired.var() > 20.0 * paired.var()  # 34 times with 1000 members


# ---- twins -------------------------------------------------------------------------------------

SHORT = {
    "name": "twins",
    "period": {"start": 2026, "end": 2027},
    "climate": {"scenarios": ["ssp245", "ssp585"]},
    "uncertainty": {"members": 3},
    "measures": {
        "catalogue": "none",
        "custom": [
            {
                "id": "save",
                "state": "AZ",
                "title": "save water",
                "mechanism": "consumption",
                "volume_km3_per_yr": {"low": 1, "best": 2, "high": 3},
                "start": "2026",
                "grade": "D",
                "source": "assumed",
            }
        ],
    },
}


def warned(**asked):
    with recorded() as log:
        cs.run({**SHORT, **asked})
    return log.warnings


def test_programmes_with_the_same_measures_are_named():
    az, azir = {"participants": ["AZ"]}, {"participants": ["AZ", "IR"]}
    assert warned(programmes={"none": {}, "alone": az, "two": azir, "three": azir}) == [
        "programmes alone, two and three have the same sea level in every member: "
        "the same measures, or none that has begun"
    ]


def test_every_group_of_twins_is_named_once():
    az = {"participants": ["AZ"]}
    assert warned(programmes={"none": {}, "alone": az, "idle": {"participants": ["TM"]}, "again": az}) == [
        "programmes none and idle have the same sea level in every member: "
        "the same measures, or none that has begun",
        "programmes alone and again have the same sea level in every member: "
        "the same measures, or none that has begun",
    ]


def test_scenarios_that_no_parameter_tells_apart_are_named():
    inert = {f"{name}_sensitivity": 0 for name in ("volga", "other_river", "precipitation", "evaporation")}
    assert warned(parameters=inert) == ["scenarios ssp245 and ssp585 have the same sea level in every member"]


def test_different_programmes_and_scenarios_raise_no_warning():
    assert warned(programmes={"none": {}, "alone": {"participants": ["AZ"]}}) == []


def test_the_warning_reaches_the_terminal_and_the_log_once(tmp_path):
    az = {"participants": ["AZ"]}
    config = {**SHORT, "programmes": {"one": az, "two": az}, "output": {"figures": "none"}}
    (tmp_path / "twins.yaml").write_text(json.dumps(config), encoding="utf-8")
    answer = CliRunner().invoke(
        main, ["run", str(tmp_path / "twins.yaml"), "--output", str(tmp_path / "out"), "--quiet"]
    )
    text = "programmes one and two have the same sea level in every member"
    assert answer.exit_code == 0
    assert answer.output.count(text) == 1
    assert answer.output.startswith(f"warning: {text}")
    assert (tmp_path / "out" / "run.log").read_text(encoding="utf-8").count(text) == 1


@pytest.mark.parametrize("keep", ["quantiles", "both"])
def test_twins_are_named_when_the_members_are_not_kept(keep):
    az = {"participants": ["AZ"]}
    found = warned(programmes={"none": {}, "one": az, "two": az}, output={"keep": keep})
    assert [text.partition(" have")[0] for text in found] == ["programmes one and two"]
