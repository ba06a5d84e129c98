"""Members drawn at random and from a Sobol sequence: who they are, and how fast their mean settles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, qmc

from caspian_sim import data
from caspian_sim.climate.draws import DIMENSIONS, draw_inputs, sobol_points
from caspian_sim.collect import DIMS
from caspian_sim.config import load_config
from caspian_sim.plan import make_plan
from caspian_sim.simulate import integrate, run_members

PRIORS = {f"parameter:{name}": prior for name, prior in data.parameters().items()}
SEED = 7

CONFIG = {
    "name": "sobol",
    "period": {"start": 2026, "end": 2027},
    "climate": {"scenarios": ["ssp245"]},
    "uncertainty": {"members": 40, "seed": SEED, "sampling": "sobol"},
    "programmes": {"joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
}


def plan_of(*changes):
    return make_plan(load_config(CONFIG, changes))


def own_measure(name):
    return {
        "id": name,
        "state": "AZ",
        "title": "save water",
        "mechanism": "consumption",
        "volume_km3_per_yr": {"low": 1, "best": 2, "high": 3},
        "start": "2026",
        "grade": "D",
        "source": "assumed",
    }


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=20), st.sampled_from(["random", "sobol"]))
@settings(deadline=None, max_examples=30)
def test_a_member_draws_the_same_alone_and_in_any_company(members, sampling):
    everybody = draw_inputs(PRIORS, np.arange(5001), SEED, sampling)
    drawn = draw_inputs(PRIORS, np.array(members), SEED, sampling)
    for name, values in drawn.items():
        assert_array_equal(values, everybody[name][members])


def test_members_of_a_sobol_run_are_the_same_in_any_part_and_order():
    plan = plan_of()
    whole = run_members(plan, np.arange(40))
    for part in ([17], [39, 3, 20], list(range(16, 32))):
        alone = run_members(plan, np.array(part))
        for name, values in alone.arrays.items():
            expected = np.take(whole.arrays[name], part, axis=DIMS[name].index("member"))
            assert_array_equal(values, expected, err_msg=name)


def test_every_block_of_sixteen_members_has_one_in_each_sixteenth_of_a_range():
    points = sobol_points(SEED, 3, 0, 64)
    for column in points.T:
        for begin in range(0, 64, 16):
            assert_array_equal(np.sort((column[begin : begin + 16] * 16).astype(int)), np.arange(16))
    assert qmc.discrepancy(points) < 0.5 * qmc.discrepancy(np.random.default_rng(1).random((64, 3)))


def test_fixing_a_parameter_shifts_no_other():
    free, fixed = plan_of(), plan_of("parameters.volga_sensitivity=-3", "parameters.precipitation.high=280")
    members = np.arange(30)
    one, two = (draw_inputs(plan.inputs, members, SEED, "sobol") for plan in (free, fixed))
    changed = {"parameter:volga_sensitivity", "parameter:precipitation"}
    assert_array_equal(two["parameter:volga_sensitivity"], np.full(30, -3.0))
    for name in one.keys() - changed:
        assert_array_equal(one[name], two[name], err_msg=name)


def test_leaving_out_measures_or_adding_one_shifts_no_other():
    members = np.arange(30)
    full = plan_of()
    fewer = plan_of("measures.include=[kura-canal-losses]", "programmes.joint.measures=[kura-canal-losses]")
    more = make_plan(load_config({**CONFIG, "measures": {"custom": [own_measure("of-our-own")]}}))
    one, two, three = (draw_inputs(plan.inputs, members, SEED, "sobol") for plan in (full, fewer, more))
    assert set(three) - set(one) == {"measure:of-our-own"}
    for name, values in one.items():
        assert_array_equal(values, two[name], err_msg=name)
        assert_array_equal(values, three[name], err_msg=name)


def test_more_dimensions_change_no_coordinate_up_to_the_room_that_is_kept():
    assert_array_equal(sobol_points(SEED, 5, 3, 20), sobol_points(SEED, DIMENSIONS, 3, 20)[:, :5])
    assert sobol_points(SEED, DIMENSIONS + 1, 3, 20).shape == (20, DIMENSIONS + 1)


def test_the_seed_scrambles_the_sequence_so_that_every_point_is_uniform_over_the_seeds():
    seeds = 400
    points = np.stack([sobol_points(seed, 3, 17, 1)[0] for seed in range(seeds)])
    assert min(kstest(column, "uniform").pvalue for column in points.T) > 0.01
    correlation = np.corrcoef(points.T)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 3.5 / np.sqrt(seeds)


@pytest.mark.parametrize("first", [0, 1, 1000])
def test_points_are_uniform_and_never_at_the_ends(first):
    points = sobol_points(SEED, 20, first, 2048)
    assert points.min() > 0.0
    assert points.max() < 1.0
    # A random sample would fail the tightest of twenty tests now and then; this one is more even than random.
    assert min(kstest(column, "uniform").pvalue for column in points.T) > 0.9


def test_central_parameters_are_the_best_values_whatever_the_sampling():
    drawn = draw_inputs(PRIORS, np.arange(3), SEED, "sobol", central=True)
    for name, prior in PRIORS.items():
        assert_array_equal(drawn[name], np.full(3, prior.best))


def test_random_and_sobol_members_have_the_same_distribution():
    members = np.arange(4096)
    for name, values in draw_inputs(PRIORS, members, SEED, "sobol").items():
        random = draw_inputs({name: PRIORS[name]}, members, SEED)[name]
        error = random.std() / np.sqrt(len(members))
        assert_allclose(values.mean(), random.mean(), atol=4.5 * error, err_msg=name)
        assert_allclose(values.std(), random.std(), rtol=0.06, err_msg=name)


def test_variability_is_random_in_both():
    random, sobol = (
        run_members(
            plan_of(f"uncertainty.sampling={sampling}", "uncertainty.parameters=central", "period.end=2045"),
            np.arange(20),
        ).arrays
        for sampling in ("random", "sobol")
    )
    drawn = run_members(plan_of("uncertainty.sampling=sobol", "period.end=2045"), np.arange(20)).arrays
    # With the same parameters the same departures.
    assert np.ptp(random["river_inflow"], axis=DIMS["river_inflow"].index("member")).min() > 0.0
    for name in ("river_inflow", "global_warming"):
        assert_array_equal(random[name], sobol[name])
    # Central volumes are the best ones in both; drawn ones are not.
    assert_array_equal(random["measure_effect"], sobol["measure_effect"])
    assert not np.allclose(random["measure_effect"], drawn["measure_effect"], atol=1e-6)
    assert not np.allclose(random["sea_level"], drawn["sea_level"], atol=1e-6)


def test_the_mean_level_of_2100_settles_faster_from_a_sobol_sequence():
    # Twelve ensembles of 64 members each way, all as columns of one integration, without variability.
    members, seeds = 64, range(12)
    plan = plan_of(
        "period.end=2100",
        "uncertainty.variability=false",
        "solver.steps_per_month=1",
    )
    draws = [
        draw_inputs(plan.inputs, np.arange(members), seed, sampling)
        for sampling in ("random", "sobol")
        for seed in seeds
    ]
    # Another 1024 points settle what both should come to.
    draws.append(draw_inputs(plan.inputs, np.arange(1024), 99, "sobol"))
    inputs = {name: np.concatenate([draw[name] for draw in draws]) for name in plan.inputs}
    level = integrate(plan, np.arange(len(inputs["parameter:groundwater"])), inputs).solution.level[-1]
    means = level[: 2 * 12 * members].reshape(2, 12, members).mean(axis=2)
    rmse = np.sqrt(((means - level[2 * 12 * members :].mean()) ** 2).mean(axis=1))
    # Random: the spread over the root of 64, known from twelve ensembles to 20 %.
    assert_allclose(rmse[0], level.std() / np.sqrt(members), rtol=0.6)
    assert rmse[1] < 0.3 * rmse[0]
