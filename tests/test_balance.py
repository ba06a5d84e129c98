"""The water balance in basins for which algebra knows the course of the level."""

import numpy as np
import pytest
from basins import SEAS, anomaly, caspian, closed, funnel, pond, square, steady, trough, with_strait
from basins import annual as by_year
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim.balance import (
    AREA,
    BAY,
    BAY_LOSS,
    EVAPORATION,
    LEVEL,
    PRECIPITATION,
    SEA,
    STATES,
    STRAIT,
    Segment,
    tendencies,
)
from caspian_sim.solve import solve

METHODS = ("batched", "RK45")


def run(curve, level, forcing, *, basin=None, bay=0.0, **options):
    """Integrate from a level; returns the solution and the level at the end of each year."""
    basin = closed(curve) if basin is None else basin
    sea = anomaly(curve, level) * basin.area_factor
    members = len(basin.sill)
    start = np.broadcast_to(np.asarray(bay, dtype=float), members).copy()
    options = {"steps_per_month": 2, **options}
    solution = solve(forcing, basin, np.broadcast_to(sea, members).copy(), start, by_year(forcing), **options)
    ends = [basin.level_and_area(volume)[0] for volume in solution.volume]
    return solution, np.array(ends)


# The right-hand side


def test_every_rate_is_its_flux_for_numbers_worked_out_by_hand():
    curve = square()
    basin = with_strait(curve, sill=-32.0, members=2, bay=pond())
    state = np.zeros((STATES, 2))
    state[SEA] = anomaly(curve, -28.0)
    state[BAY] = pond().volume(np.array([-33.0, -33.0]))
    segment = Segment(*(np.array(flux) for flux in (
        [300.0, 290.0], [200.0, 0.0], [1000.0, 900.0], [2.0, 0.0], [0.0, 1.5], [800.0, 700.0],
    )))  # fmt: skip
    rate = tendencies(state, segment, basin)
    assert_allclose(rate[LEVEL], [-28.0, -28.0], rtol=1e-14)
    assert_allclose(rate[AREA], [400_000.0, 400_000.0], rtol=1e-14)
    assert_allclose(rate[PRECIPITATION], [80.0, 0.0], rtol=1e-14)
    assert_allclose(rate[EVAPORATION], [400.0, 360.0], rtol=1e-14)
    assert_allclose(rate[STRAIT], [16.0, 1.5], rtol=1e-14)
    assert_allclose(rate[BAY_LOSS], [8.0, 7.0], rtol=1e-14)
    assert_allclose(rate[SEA], [300.0 + 80.0 - 400.0 - 16.0, 290.0 - 360.0 - 1.5], rtol=1e-13)
    assert_allclose(rate[BAY], [8.0, -5.5], rtol=1e-13)


# Straight lines


@pytest.mark.parametrize("method", METHODS)
def test_basin_with_constant_area_falls_in_a_straight_line(method):
    solution, ends = run(square(), -28.0, steady(20, inflow=-10.0), method=method)
    years = np.arange(1, 21)
    assert_allclose(ends[:, 0], -28.0 - 10.0 * years / 400.0, atol=1e-11)
    assert_allclose(solution.level[:, 0], -28.0 - 10.0 * (years - 0.5) / 400.0, atol=1e-11)
    assert_allclose(solution.external, -10.0, rtol=1e-13)


@pytest.mark.parametrize("name", SEAS)
def test_sea_that_only_evaporates_falls_by_the_depth_evaporated_whatever_its_shape(name):
    curve = SEAS[name]()
    solution, ends = run(curve, -28.0, steady(10, evaporation=900.0, rain=100.0), steps_per_month=4)
    assert_allclose(ends[:, 0], -28.0 - 0.8 * np.arange(1, 11), atol=1e-6)
    assert_allclose(solution.evaporation, 0.9 * solution.area / 1000.0, rtol=1e-12)
    assert_allclose(solution.precipitation, 0.1 * solution.area / 1000.0, rtol=1e-12)


@pytest.mark.parametrize("name", SEAS)
def test_rain_that_equals_evaporation_and_inflow_that_equals_outflow_leave_the_sea_alone(name):
    curve = SEAS[name]()
    basin = with_strait(curve, sill=100.0)
    forcing = steady(5, inflow=3.0, pipes=3.0, rain=500.0, evaporation=500.0, bay_evaporation=1e-9)
    _, ends = run(curve, -28.0, forcing, basin=basin)
    assert_allclose(ends, -28.0, atol=1e-9)


# Relaxation


def implicit_time(level, start, floor, rest, evaporation):
    """Years a funnel needs from one depth to another; rest is the depth at which inflow is evaporated."""
    depth, first = level - floor, start - floor
    return -((depth - first) + rest * np.log((rest - depth) / (rest - first))) / evaporation


@pytest.mark.parametrize("start", [-30.0, -34.0])
def test_funnel_follows_the_solution_of_its_own_equation(start):
    # x' = N (e − x) / x for the depth x of a funnel, with e = Q / (N · 10,000 km²/m).
    forcing = steady(25, inflow=64.0, evaporation=800.0)
    _, ends = run(funnel(), start, forcing, steps_per_month=4)
    times = implicit_time(ends[:, 0], start, -40.0, 64.0 / (0.8 * 10.0), 0.8)
    assert_allclose(times, np.arange(1, 26), atol=1e-8)


def test_small_departure_from_balance_fades_by_e_in_area_over_evaporation_times_slope():
    # 10,000 km²/m · 0.8 m/yr over 400,000 km²: fifty years.
    forcing = steady(50, inflow=320.0, evaporation=800.0)
    _, ends = run(trough(), -28.0 + 1e-5, forcing)
    assert_allclose(ends[-1, 0] + 28.0, 1e-5 * np.exp(-1.0), rtol=1e-5)


def test_sea_comes_to_rest_where_the_area_evaporates_the_inflow():
    curve = funnel()
    forcing = steady(200, first_year=2001, inflow=64.0, evaporation=800.0)
    _, ends = run(curve, [-28.0, -36.0], forcing, basin=closed(curve, members=2), steps_per_month=1)
    assert_allclose(ends[-1], [-32.0, -32.0], atol=1e-6)
    assert curve.area(-32.0) * 800.0e-6 == pytest.approx(64.0)


def test_caspian_comes_to_rest_where_its_own_curve_has_the_area_that_evaporates_the_inflow():
    curve = caspian()
    forcing = steady(200, first_year=2001, inflow=0.75 * curve.area(-28.5) / 1000.0, evaporation=750.0)
    basin = closed(curve, members=3)
    _, ends = run(curve, [-28.5, -28.3, -28.7], forcing, basin=basin, steps_per_month=1)
    assert_allclose(ends[:, 0], -28.5, atol=1e-9)
    assert_allclose(ends[-1], -28.5, atol=1e-3)


# The bay


def test_water_that_leaves_the_sea_arrives_in_the_bay():
    curve = square()
    basin = with_strait(curve, sill=-32.0, bay=pond())
    forcing = steady(10, coefficient=3.0)
    solution, _ = run(curve, -28.0, forcing, basin=basin, bay=1.0)
    total = solution.volume[:, 0] + solution.bay_volume[:, 0]
    assert_allclose(total, total[0], rtol=1e-14)
    assert (solution.strait_outflow[:, 0] >= 0.0).all()


def test_sea_and_bay_end_at_the_level_that_their_common_volume_gives():
    curve, bay = square(), pond()
    basin = with_strait(curve, sill=-32.0, bay=bay)
    start = float(bay.volume(-33.0))
    solution, ends = run(curve, -28.0, steady(60, coefficient=3.0), basin=basin, bay=start)
    # 400,000 km² falling and 10,000 km² rising from 5 m below: both meet 5 · 10/410 m lower.
    common = -28.0 - 5.0 * 10.0 / 410.0
    assert_allclose(ends[-1], common, atol=1e-6)
    assert_allclose(bay.level_and_area(solution.bay_volume[-1])[0], common, atol=1e-6)


def test_water_in_the_bay_does_not_come_back():
    curve, bay = square(), pond()
    basin = with_strait(curve, sill=-32.0, bay=bay)
    solution, ends = run(curve, -30.0, steady(5, coefficient=3.0), basin=basin, bay=float(bay.volume(-25.0)))
    assert_array_equal(solution.strait_outflow, np.zeros((5, 1)))
    assert_allclose(ends, -30.0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_cut_off_bay_dries_to_nothing(method):
    curve = square()
    basin = with_strait(curve, sill=-20.0)
    bay = float(basin.bay.volume(-33.0))
    forcing = steady(12, coefficient=3.0, bay_evaporation=1000.0)
    solution, _ = run(curve, -28.0, forcing, basin=basin, bay=bay, method=method)
    assert solution.bay_volume[-1, 0] == pytest.approx(0.0, abs=1e-9)
    assert basin.bay.level_and_area(solution.bay_volume[-1])[1][0] < 1e-4
    assert solution.bay_loss.sum() == pytest.approx(bay, rel=1e-9)


# Uncertain area


def test_area_factor_scales_every_volume_and_leaves_the_level_alone_when_fluxes_scale_with_it():
    curve = caspian()
    usual, _ = run(curve, -29.0, steady(30, inflow=250.0, rain=200.0, evaporation=1000.0))
    larger = with_strait(curve, sill=100.0, area_factor=1.03)
    scaled, _ = run(
        curve, -29.0, steady(30, inflow=1.03 * 250.0, rain=200.0, evaporation=1000.0), basin=larger
    )
    assert_allclose(scaled.level, usual.level, atol=1e-10)
    assert_allclose(scaled.area, 1.03 * usual.area, rtol=1e-12)
    assert_allclose(scaled.volume, 1.03 * usual.volume, rtol=1e-9)


def test_larger_sea_falls_more_slowly_under_the_same_deficit():
    curve = square()
    basin = with_strait(curve, sill=100.0, area_factor=1.25)
    _, ends = run(curve, -28.0, steady(10, inflow=-10.0), basin=basin)
    assert_allclose(ends[-1], -28.0 - 100.0 / 500.0, atol=1e-11)
