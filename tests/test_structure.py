"""Alternatives of the structure: evaporation over shallow water, and the regime of the strait."""

from dataclasses import replace

import numpy as np
import pytest
from basins import SEAS, annual, anomaly, caspian, closed, funnel, steady, trough
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import data
from caspian_sim.balance import AREA, EVAPORATION, PRECIPITATION, SEA, STATES, Segment, tendencies
from caspian_sim.basin.hypsometry import Hypsometry, constant_area
from caspian_sim.basin.shallows import shallow_share, shallow_weight, with_shallows
from caspian_sim.basin.strait import REGIMES, strait_regime, strait_state
from caspian_sim.config import load_config
from caspian_sim.errors import ConfigError
from caspian_sim.plan import make_plan
from caspian_sim.solve import solve

DEPTH = 5.0


def uneven(curve, factor, baseline, depth=DEPTH):
    """A closed sea whose shallows evaporate more, one member for each factor."""
    share = float(shallow_share(curve, baseline, depth))
    basin = closed(curve, members=len(factor))
    lowest = max(float(curve.node_level[0]), -100.0)
    table = with_shallows(curve, lowest, float(curve.node_level[-1]), depth, share)
    return replace(basin, table=table, shallow_weight=shallow_weight(np.array(factor), share))


def evaporation_at(basin, curve, level, depth_rate=1000.0):
    """Rates of the balance of each member with the sea at one level."""
    state = np.zeros((STATES, len(basin.sill)))
    state[SEA] = anomaly(curve, level) * basin.area_factor
    flux = [np.zeros(1)] * 6
    flux[1], flux[2] = np.array([200.0]), np.array([depth_rate])
    return tendencies(state, Segment(*flux), basin)


# The share of the sea that is shallow


def test_the_shallow_share_of_a_trough_is_the_depth_times_what_the_area_gains_a_metre():
    # 400,000 km² at −28 m and 10,000 km² a metre: 50,000 km² lie less than 5 m under water.
    assert_allclose(shallow_share(trough(), -28.0, DEPTH), 50.0 / 400.0, rtol=1e-14)
    assert_allclose(shallow_share(trough(), [-30.0, -38.0], DEPTH), [50.0 / 380.0, 50.0 / 300.0], rtol=1e-14)


def test_a_sea_with_vertical_walls_has_no_shallows():
    assert_array_equal(shallow_share(constant_area(-28.0, 4e5), [-40.0, -28.0], DEPTH), [0.0, 0.0])


def test_the_depth_of_shallow_water_is_a_fact_of_grade_d():
    fact = data.fact("shallow_water_depth")
    assert (fact.value, fact.unit, fact.grade) == (DEPTH, "m", "D")


# What evaporates


@pytest.mark.parametrize("level", [-26.3, -28.0, -31.7, -36.0])
def test_evaporation_is_that_of_deep_and_shallow_water_scaled_to_the_baseline(level):
    curve, factor = trough(), np.array([0.0, 0.2, -0.3, 2.0])
    rate = evaporation_at(uneven(curve, factor, -28.0), curve, level)
    area = curve.area(level)
    shallow, deep = 50_000.0, area - 50_000.0
    expected = ((1.0 + factor) * shallow + deep) / (1.0 + factor * 50.0 / 400.0) / 1000.0
    assert_allclose(rate[EVAPORATION], expected, rtol=1e-12)
    assert_allclose(rate[AREA], area, rtol=1e-12)
    assert_allclose(rate[PRECIPITATION], 0.2 * area / 1000.0, rtol=1e-12)


@pytest.mark.parametrize("level", [-27.0, -29.2, -33.3])
def test_the_caspian_evaporates_as_its_own_curve_says(level):
    curve, baseline = caspian(), -27.6
    rate = evaporation_at(uneven(curve, [0.4], baseline), curve, level)
    area, deep = curve.area(level), curve.area(level - DEPTH)
    before = 1.0 - curve.area(baseline - DEPTH) / curve.area(baseline)
    expected = (deep + 1.4 * (area - deep)) / (1.0 + 0.4 * before) / 1000.0
    assert_allclose(rate[EVAPORATION], expected, rtol=1e-12)


def test_at_the_level_of_the_baseline_all_factors_evaporate_alike():
    curve, level = caspian(), -27.623
    rate = evaporation_at(uneven(curve, [0.0, 0.2, 1.0], level), curve, level)
    assert_allclose(rate[EVAPORATION], curve.area(level) / 1000.0, rtol=1e-12)


@pytest.mark.parametrize("name", SEAS)
def test_a_factor_of_zero_is_a_sea_that_evaporates_alike_everywhere(name):
    curve = SEAS[name]()
    forcing = steady(10, inflow=250.0, evaporation=900.0, rain=100.0)
    runs = [
        solve(forcing, basin, anomaly(curve, -28.0), np.zeros(1), annual(forcing))
        for basin in (closed(curve), uneven(curve, [0.0], -28.0))
    ]
    assert_allclose(runs[1].level, runs[0].level, rtol=0, atol=1e-12)


def test_a_larger_sea_has_the_same_share_of_shallows():
    curve = caspian()
    one = uneven(curve, [0.3], -27.6)
    large = replace(one, area_factor=np.array([1.03]))
    rates = [evaporation_at(basin, curve, -30.0)[EVAPORATION] for basin in (one, large)]
    assert_allclose(rates[1], 1.03 * rates[0], rtol=1e-12)


@pytest.mark.parametrize("method", ["batched", "RK45", "compiled"])
def test_funnel_with_shallows_follows_the_solution_of_its_own_equation(method):
    # Of the depth x, a funnel has 10,000 (x − d) km² of deep water, so that the area that counts is
    # 10,000 [x (1 − w s) + w d] and x' = N' (e − x) / x with N' = N (1 − w s), e = (Q/10 − N w d) / N'.
    if method == "compiled":
        pytest.importorskip("numba")
    curve, start, floor, rain = funnel(), -30.0, -40.0, 0.8
    basin = uneven(curve, [0.5], -28.0)
    weight, share = float(basin.shallow_weight[0]), 5.0 / 12.0
    assert_allclose(weight, 0.5 / (1.0 + 0.5 * share), rtol=1e-14)
    forcing = steady(20, inflow=64.0, evaporation=1000.0 * rain)
    solution = solve(
        forcing, basin, anomaly(curve, start), np.zeros(1), annual(forcing), method=method, steps_per_month=4
    )
    depth = basin.level_and_area(solution.volume[:, 0])[0] - floor
    rate = rain * (1.0 - weight * share)
    rest = (6.4 - rain * weight * DEPTH) / rate
    times = -((depth - 10.0) + rest * np.log((rest - depth) / (rest - 10.0))) / rate
    assert_allclose(times, np.arange(1, 21), atol=1e-6)


# The whole model

RUN = {
    "name": "shallows",
    "period": {"start": 2026, "end": 2100},
    "climate": {"scenarios": ["ssp585"], "evaporation": "shallow"},
    "uncertainty": {"members": 66},
    "programmes": {"none": {}, "all": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-30, -35]},
}


def run(**changes):
    return cs.run({**RUN, **changes})


@pytest.fixture(scope="module")
def batched():
    return run()


def test_compiled_and_batched_runs_with_shallows_agree(batched):
    pytest.importorskip("numba")
    compiled = run(solver={"method": "compiled"})
    for name in ("sea_level", "bay_level"):
        assert_allclose(compiled[name], batched[name], rtol=0, atol=1e-9)
    for name in ("sea_area", "precipitation", "evaporation", "strait_outflow", "sea_volume"):
        assert_allclose(compiled[name], batched[name], rtol=1e-10, atol=1e-9)
    assert_allclose(compiled["first_event"], batched["first_event"], rtol=0, atol=1e-6)


def test_adaptive_and_batched_runs_with_shallows_agree_to_a_hundredth_of_a_millimetre():
    short = {"period": {"start": 2026, "end": 2040}, "uncertainty": {"members": 2}, "outcomes": {}}
    adaptive, stepped = (run(**short, solver={"method": method}) for method in ("RK45", "batched"))
    assert_allclose(adaptive.sea_level, stepped.sea_level, rtol=0, atol=1e-5)
    assert_allclose(adaptive.evaporation, stepped.evaporation, rtol=0, atol=0.01 * 0.37 * 12)


def test_the_budget_closes_with_shallows(batched):
    assert float(abs(batched.budget_residual).max()) < 1e-6


def test_every_member_draws_its_own_factor_and_the_rest_as_before(batched):
    linear = run(climate={"scenarios": ["ssp585"]})
    assert "shallow_evaporation" not in linear.parameter
    assert_array_equal(batched.parameters.sel(parameter=linear.parameter), linear.parameters)
    factor = batched.parameters.sel(parameter="shallow_evaporation")
    assert 0.0 < float(factor.min()) < 0.1
    assert 0.3 < float(factor.max()) < 0.4
    # The shallows shrink as the sea falls, and with them the evaporation: the larger the factor, the higher.
    higher = (batched.sea_level - linear.sea_level).sel(programme="none").isel(time=-1).squeeze()
    assert np.corrcoef(factor, higher)[0, 1] > 0.3
    assert float(higher.mean()) > 0.1


def test_a_factor_of_zero_is_linear_evaporation_in_the_whole_model():
    short = {"period": {"start": 2026, "end": 2060}, "uncertainty": {"members": 3}}
    linear = run(**short, climate={"scenarios": ["ssp585"]})
    zero = run(**short, parameters={"shallow_evaporation": 0})
    assert_allclose(zero.sea_level, linear.sea_level, rtol=0, atol=1e-11)


def test_where_the_area_is_constant_the_share_of_shallows_is_that_of_the_start():
    climate = {"scenarios": ["ssp585"], "area_convention": "constant"}
    short = {"period": {"start": 2026, "end": 2030}, "uncertainty": {"members": 3}}
    even = run(**short, climate=climate)
    shallow = run(**short, climate={**climate, "evaporation": "shallow"})
    config = load_config({**RUN, **short, "climate": {**climate, "evaporation": "shallow"}})
    plan = make_plan(config)
    curve, before = (
        caspian(),
        float(data.load("sea_level_annual")["level"].sel(year=slice(2003, 2022)).mean()),
    )
    share, now = (float(shallow_share(curve, level, DEPTH)) for level in (before, plan.start))
    assert_allclose(plan.sea.shallow_share, share, rtol=1e-14)
    factor = shallow.parameters.sel(parameter="shallow_evaporation")
    expected = even.evaporation * (1.0 + factor * now) / (1.0 + factor * share)
    assert_allclose(shallow.evaporation, expected.transpose(*even.evaporation.dims), rtol=1e-11)


def test_curve_that_ends_above_the_bed_of_the_shallows_is_named(tmp_path):
    table = tmp_path / "high.csv"
    table.write_text("level_m,area_km2\n-33,330000\n-26,400000\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        run(basin={"hypsometry": str(table)}, initial={"level_m": -29})
    assert str(caught.value) == (
        f"{table}: the table is too short for evaporation over shallow water\n"
        "    found    -33 to -26 m BHS\n"
        "    allowed  from -34.00 m BHS, 5 m below the sea, to -27.62 m BHS, its mean level of 2003-2022, "
        "at least\n"
        "    hint     climate.evaporation: linear does without"
    )


def test_own_curve_serves_down_to_the_level_whose_shallows_end_on_it(tmp_path):
    table = tmp_path / "own.csv"
    table.write_text("level_m,area_km2\n-37,300000\n-36,310000\n-32,350000\n-26,400000\n", encoding="utf-8")
    config = load_config({**RUN, "basin": {"hypsometry": str(table)}, "initial": {"level_m": -29}})
    assert make_plan(config).sea.table.lowest_level == -32.0


def test_nodes_that_only_rounding_tells_apart_count_as_one():
    curve = Hypsometry(node_level=[-36.7, -31.7, -31.6, -26.0], node_area=[3e5, 3.5e5, 3.6e5, 4e5])
    assert -36.7 + DEPTH != -31.7
    table = with_shallows(curve, -36.0, -26.5, DEPTH, 0.2)
    assert table.lowest_level == -31.7
    assert_allclose(table.node_level, [-31.7, -31.6, -26.7, -26.6, -26.0])
    assert_allclose(table.node_excess[0], 0.8 * 3.5e5 - 3e5, rtol=1e-12)


# The strait


def test_strait_of_the_default_is_the_one_that_history_leaves():
    years, months = np.repeat([2030, 2099], 12), np.tile(np.arange(1, 13), 2)
    for found, expected in zip(strait_regime("recut", 24), strait_state(years, months), strict=True):
        assert_array_equal(found, expected)


def test_every_regime_of_the_configuration_has_a_state():
    (values,) = (
        field.annotation.__args__
        for name, field in type(load_config(RUN).basin).model_fields.items()
        if name == "strait"
    )
    assert set(values) == set(REGIMES)


def test_regime_decides_the_flow_of_the_strait_from_the_start():
    calm = {"members": 1, "parameters": "central", "variability": False}
    short = {"period": {"start": 2026, "end": 2027}, "climate": {"scenarios": ["ssp245"]}}
    flow = {
        name: float(run(uncertainty=calm, **short, basin={"strait": name}).strait_outflow[0, 0, 0, 0])
        for name in REGIMES
    }
    assert flow["dammed"] == 0.0
    # The bay starts full to its throttle, so that the lesser rating passes more than its share at first.
    assert 0.3 < flow["natural"] / flow["recut"] < 0.9


def test_a_dam_of_the_programme_closes_whichever_strait_there_is():
    short = {"period": {"start": 2026, "end": 2034}, "climate": {"scenarios": ["ssp245"]}}
    flows = {
        name: run(uncertainty={"members": 2}, **short, basin={"strait": name}).strait_outflow
        for name in ("natural", "recut")
    }
    for flow in flows.values():
        assert float(flow.sel(programme="none").min()) > 0.0
        assert_array_equal(flow.sel(programme="all").isel(time=slice(6, None)), 0.0)
