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
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.climate.variability import (
    expected_slow,
    inflow_departure,
    net_evaporation_variability,
    recorded_variability,
    slow_state,
)
from caspian_sim.outputs.log import recorded

SEED, MEMBERS, YEARS, START = 20251211, 8000, 75, 2026
STATISTICS = recorded_variability()
ERRORS = 4.0
START_STATE = slow_state(START, BASELINE, STATISTICS)


@pytest.fixture(scope="module")
def inflow():
    """Inflow of many members as a share of its mean, shape (year, member)."""
    return inflow_departure(SEED, np.arange(MEMBERS), YEARS, STATISTICS)


@pytest.fixture(scope="module")
def net_evaporation():
    """Departure of net evaporation, mm/yr, shape (year, member)."""
    return net_evaporation_variability(
        SEED, np.arange(MEMBERS), YEARS, STATISTICS, START_STATE, np.zeros(MEMBERS)
    )


def slow_variance(year):
    """Variance of the slow component, which starts from what the record says about it and forgets that."""
    kept = STATISTICS.slow_lag1 ** (2 * (year + 1))
    return (1.0 - kept) * STATISTICS.slow_sd**2 + kept * START_STATE.sd**2


def net_evaporation_sd(year):
    return np.sqrt(slow_variance(year) + STATISTICS.white_sd**2)


def across(one, two):
    """Correlation over the members of one year with another."""
    return np.corrcoef(one, two)[0, 1]


def error_of(correlation):
    return ERRORS * (1.0 - correlation**2) / np.sqrt(MEMBERS)


@pytest.mark.parametrize("year", [0, 1, 37, 74])
def test_inflow_has_its_recorded_mean_and_spread_in_every_year(inflow, year):
    sd = STATISTICS.inflow_cv
    assert_allclose(inflow[year].mean(), 0.0, atol=ERRORS * sd / np.sqrt(MEMBERS))
    assert_allclose(inflow[year].std(), sd, rtol=ERRORS / np.sqrt(2 * MEMBERS))


def test_inflow_is_normal(inflow):
    assert kstest(inflow[10] / STATISTICS.inflow_cv, "norm").pvalue > 0.001


@pytest.mark.parametrize("lag", [1, 2, 3, 5])
def test_inflow_remembers_as_a_first_order_process_does(inflow, lag):
    expected = STATISTICS.inflow_lag1**lag
    for year in (0, 30, 60):
        assert_allclose(across(inflow[year], inflow[year + lag]), expected, atol=error_of(expected))


@pytest.mark.parametrize("year", [0, 5, 40, 74])
def test_net_evaporation_starts_from_the_record_and_spreads_from_there(net_evaporation, year):
    sd = net_evaporation_sd(year)
    mean = expected_slow(YEARS, STATISTICS, START_STATE, np.zeros(1))[year, 0]
    assert_allclose(net_evaporation[year].mean(), mean, atol=ERRORS * sd / np.sqrt(MEMBERS))
    assert_allclose(net_evaporation[year].std(), sd, rtol=ERRORS / np.sqrt(2 * MEMBERS))


def test_net_evaporation_comes_to_its_recorded_spread():
    assert net_evaporation_sd(0) < 0.97 * STATISTICS.net_evaporation_sd
    assert_allclose(net_evaporation_sd(74), STATISTICS.net_evaporation_sd, rtol=1e-3)


@pytest.mark.parametrize("lag", [1, 2, 5, 10, 20])
def test_net_evaporation_remembers_for_decades_but_little_from_year_to_year(net_evaporation, lag):
    year = YEARS - 1 - lag
    covariance = STATISTICS.slow_lag1**lag * slow_variance(year)
    expected = covariance / (net_evaporation_sd(year) * net_evaporation_sd(year + lag))
    found = across(net_evaporation[year], net_evaporation[year + lag])
    assert_allclose(found, expected, atol=error_of(expected))
    assert_allclose(expected, STATISTICS.slow_share * STATISTICS.slow_lag1**lag, rtol=0.01)
    # A first-order process with the same memory from one year to the next would have lost it.
    assert lag == 1 or found > 1.5 * (STATISTICS.slow_share * STATISTICS.slow_lag1) ** lag


@pytest.mark.parametrize("year", [0, 37, 74])
def test_inflow_and_net_evaporation_of_a_year_are_correlated_as_in_the_record(inflow, net_evaporation, year):
    expected = STATISTICS.cross_correlation * STATISTICS.net_evaporation_sd / net_evaporation_sd(year)
    assert_allclose(across(inflow[year], net_evaporation[year]), expected, atol=error_of(expected))


def test_inflow_and_net_evaporation_of_different_years_are_linked_by_the_memory_of_inflow_alone(
    inflow, net_evaporation
):
    # Net evaporation goes with what is new in the inflow of its year, which the inflow of the next remembers.
    later = STATISTICS.cross_correlation * STATISTICS.inflow_lag1
    assert_allclose(across(inflow[61], net_evaporation[60]), later, atol=error_of(later))
    assert_allclose(across(inflow[60], net_evaporation[61]), 0.0, atol=error_of(0.0))


COMPONENTS = [
    "parameter:volga_sensitivity",
    "parameter:groundwater",
    "measure:kura-canal-losses",
    "variability:inflow",
    "variability:inflow:start",
    "variability:net_evaporation",
    "variability:slow",
    "variability:slow:start",
]


def test_components_and_years_are_independent_of_each_other():
    rows = [uniforms(SEED, name, place, np.arange(MEMBERS)) for name in COMPONENTS for place in (0, 1, 2)]
    correlation = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    # 276 pairs: their spread is that of chance, and none sticks out (4.5 sd: once in 500 such tests).
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
