"""The solvers against algebra, against each other, and against a reference of much higher accuracy."""

from dataclasses import fields, replace

import numpy as np
import pytest
from basins import (
    annual,
    anomaly,
    caspian,
    closed,
    every_month,
    monthly,
    pond,
    square,
    steady,
    trough,
    with_strait,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp

import caspian_sim as cs
from caspian_sim import data, simulate
from caspian_sim import solve as solvers
from caspian_sim.balance import SEA, STATES, Segment, tendencies
from caspian_sim.basin.bay import FILM_DEPTH
from caspian_sim.basin.rivers import inflow_shape, river_inflow
from caspian_sim.basin.strait import strait_state
from caspian_sim.climate.seasons import net_evaporation_departure
from caspian_sim.collect import Calendar
from caspian_sim.errors import DataError, SolverError
from caspian_sim.forcing import Forcing, side_by_side
from caspian_sim.solve import Watch, solve
from caspian_sim.stepper import BatchedRK4

DAY = 1.0 / 366.0
DEFAULT = cs.load_config({"name": "x", "period": {"start": 2026, "end": 2026}}).solver
BATCHED = {"method": "batched", "steps_per_month": DEFAULT.steps_per_month}
ADAPTIVE = {"method": "RK45", "tolerance_mm": DEFAULT.tolerance_mm}


def pick(forcing, basin, members):
    """Some columns of an ensemble."""
    cut = {
        field.name: getattr(forcing, field.name)[:, members]
        for field in fields(Segment)
        if getattr(forcing, field.name) is not None
        if getattr(forcing, field.name).shape[1] > 1
    }
    return replace(forcing, **cut), basin.of(members)


def level_at_ends(solution, basin):
    return np.array([basin.level_and_area(volume)[0] for volume in solution.volume])


# The order of the method


def oscillator(_, y):
    return np.array([y[1], -y[0]])


def relaxing_sea(_, flat):
    curve = trough()
    segment = Segment(*(np.array([flux]) for flux in (288.0, 0.0, 800.0, 0.0, 0.0, 0.0)))
    return tendencies(flat.reshape(STATES, -1), segment, closed(curve)).ravel()


def sea_at(level):
    state = np.zeros((STATES, 1))
    state[SEA] = anomaly(trough(), level)
    return state.ravel()


@pytest.mark.parametrize(
    ("rate", "start", "length"),
    [(oscillator, np.array([1.0, 0.0]), 1.0), (relaxing_sea, sea_at(-27.0), 20.0)],
)
def test_halving_the_step_divides_the_error_by_sixteen(rate, start, length):
    exact = solve_ivp(rate, (0.0, length), start, method="DOP853", rtol=1e-13, atol=1e-13).y[:2, -1]
    errors = []
    for steps in (1, 2, 4, 8):
        run = solve_ivp(rate, (0.0, length), start, method=BatchedRK4, steps=steps)
        assert run.success
        errors.append(np.hypot(*(run.y[:2, -1] - exact)))
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert_allclose(order, 4.0, atol=0.25)
    assert order[-1] == pytest.approx(4.0, abs=0.1)


def test_batched_stepper_lands_on_the_ends_of_equal_steps():
    run = solve_ivp(oscillator, (0.0, 0.3), [1.0, 0.0], method=BatchedRK4, steps=3)
    assert_allclose(run.t, [0.0, 0.1, 0.2, 0.3], rtol=1e-14)
    assert run.t[-1] == 0.3
    assert run.nfev == 3 * 4


def test_batched_stepper_gives_scipy_dense_output_and_events():
    def zero(_, y):
        return y[0]

    run = solve_ivp(
        oscillator, (0.0, 2.0), [1.0, 0.0], method=BatchedRK4, steps=40, dense_output=True, events=zero
    )
    times = np.linspace(0.0, 2.0, 101)
    assert_allclose(run.sol(times), [np.cos(times), -np.sin(times)], atol=1e-6)
    assert_allclose(run.t_events[0], [np.pi / 2.0], atol=1e-6)


def test_batched_stepper_goes_backwards_too():
    run = solve_ivp(oscillator, (1.0, 0.0), [np.cos(1.0), -np.sin(1.0)], method=BatchedRK4, steps=20)
    assert_allclose(run.y[:, -1], [1.0, 0.0], atol=1e-6)


# Accuracy on the real basin


@pytest.fixture(scope="module")
def real():
    """A run of 2026-2100 in which two seas fall through the thresholds, the sill and an empty bay.

    One without measures, one with those of all states, the dam in the strait among them.
    """
    called = {}

    def catch(forcing, basin, sea, bay, interval, **options):
        solution = solve(forcing, basin, sea, bay, interval, **options)
        called.update(forcing=forcing, basin=basin, sea=sea, bay=bay, watch=options["watch"])
        called["falls"] = np.isfinite(solution.first_event).all(axis=0) & (solution.bay_volume[-1] < 1e-6)
        return solution

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "solve", catch)
        cs.run(
            {
                "name": "real",
                "period": {"start": 2026, "end": 2100},
                "climate": {"scenarios": ["ssp585"]},
                "uncertainty": {"members": 40},
                "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
                "outcomes": {"thresholds_m": [-30, -31, -33]},
            }
        )
    # The first member of either programme in which all of it happens.
    without, together = np.split(called["falls"], 2)
    columns = [int(without.argmax()), len(without) + int(together.argmax())]
    forcing, basin = pick(every_month(called["forcing"]), called["basin"], columns)

    def integrate(members=slice(None), months=slice(None), sea=None, bay=None, **options):
        part, shape = pick(forcing, basin, np.arange(2)[members])
        first = range(len(forcing.length))[months][0]
        arrays_ = {
            f.name: getattr(part, f.name)[months]
            for f in fields(Forcing)
            if f.name != "first_year" and getattr(part, f.name) is not None
        }
        part = Forcing(**arrays_, first_year=forcing.first_year + first // 12)
        return solve(
            part,
            shape,
            called["sea"][columns][members] if sea is None else sea,
            called["bay"][columns][members] if bay is None else bay,
            monthly(part),
            watch=called["watch"],
            **options,
        )

    return integrate, basin


@pytest.fixture(scope="module")
def reference(real):
    return real[0](method="DOP853", tolerance_mm=1e-6)


@pytest.fixture(scope="module")
def batched(real):
    return real[0](**BATCHED)


@pytest.fixture(scope="module")
def adaptive(real):
    return real[0](**ADAPTIVE)


def test_reference_run_meets_every_threshold_and_dries_the_strait_and_the_bay(reference):
    assert reference.events == (
        "sea level below -30 m",
        "sea level below -31 m",
        "sea level below -33 m",
        "strait dry",
        "bay dry",
    )
    assert np.isfinite(reference.first_event).all()
    assert (reference.bay_volume[-1] < 1e-6).all()


def error_mm(solution, reference, basin):
    ends = np.abs(level_at_ends(solution, basin) - level_at_ends(reference, basin)).max()
    return 1000.0 * max(ends, np.abs(solution.level - reference.level).max())


def test_batched_steps_keep_within_a_twentieth_of_a_millimetre_over_75_years(batched, reference, real):
    assert error_mm(batched, reference, real[1]) < 0.05


def test_adaptive_default_keeps_within_a_hundredth_of_a_millimetre_over_75_years(adaptive, reference, real):
    assert error_mm(adaptive, reference, real[1]) < 0.01


def test_both_solvers_agree_to_a_hundredth_of_a_millimetre(batched, adaptive, real):
    assert error_mm(batched, adaptive, real[1]) < 0.01


@pytest.mark.parametrize(
    "quantity", ["precipitation", "evaporation", "strait_outflow", "bay_loss", "external"]
)
def test_fluxes_of_both_solvers_agree_in_every_month(batched, adaptive, quantity):
    # A hundredth of a millimetre over the sea in a month.
    assert_allclose(getattr(batched, quantity), getattr(adaptive, quantity), rtol=0.0, atol=0.01 * 0.37 * 12)


def test_events_of_the_real_basin_are_located_to_a_day_by_both_solvers(batched, adaptive, reference):
    assert_allclose(batched.first_event, reference.first_event, atol=DAY)
    assert_allclose(adaptive.first_event, reference.first_event, atol=DAY)


@pytest.mark.parametrize("run", ["batched", "adaptive", "reference"])
def test_budget_closes_to_round_off_whatever_the_error_of_the_solver(run, request):
    assert np.abs(request.getfixturevalue(run).residual).max() < 1e-9


def test_member_alone_is_bit_for_bit_the_member_in_the_ensemble(real, batched):
    for member in range(2):
        alone = real[0](slice(member, member + 1), **BATCHED)
        for name in ("level", "volume", "bay_volume", "strait_outflow", "evaporation"):
            assert_array_equal(getattr(alone, name)[:, 0], getattr(batched, name)[:, member])
        assert_array_equal(alone.first_event[:, 0], batched.first_event[:, member])


def test_order_of_the_members_changes_no_bit(real, batched):
    turned = real[0](slice(None, None, -1), **BATCHED)
    assert_array_equal(turned.level[:, ::-1], batched.level)
    assert_array_equal(turned.bay_volume[:, ::-1], batched.bay_volume)
    assert_array_equal(turned.first_event[:, ::-1], batched.first_event)


def test_run_taken_up_again_after_a_stop_is_the_run_without_a_stop(real, batched):
    stop = 12 * 40
    first = real[0](months=slice(0, stop), **BATCHED)
    second = real[0](months=slice(stop, None), sea=first.volume[-1], bay=first.bay_volume[-1], **BATCHED)
    for name in ("level", "volume", "bay_volume", "strait_outflow", "evaporation"):
        joined = np.concatenate([getattr(first, name), getattr(second, name)])
        assert_array_equal(joined, getattr(batched, name))
    events = np.where(np.isnan(first.first_event), second.first_event, first.first_event)
    # The start of a month is counted from the first year of the run, and rounded.
    assert_allclose(events, batched.first_event, rtol=4 * np.finfo(float).eps)


# The budget


def record_and_future(first_year, last_year):
    """Forcing with the history of the strait, observed inflow and its repetition, and drying after 2022."""
    calendar = Calendar(first_year, last_year)
    observed = river_inflow(first_year, min(last_year, 2022)).sum(axis=0)
    inflow = np.resize(observed, len(calendar.calendar_years))
    drier = 2.0 * np.maximum(calendar.calendar_years - 2022, 0)
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    best = {name: prior.best for name, prior in data.parameters().items()}
    coefficient = np.where(
        recut, best["strait_coefficient_after_1992"], best["strait_coefficient_before_1980"]
    )
    season = net_evaporation_departure(calendar.fractions).ravel()
    rain = np.full(len(season), best["precipitation"])
    columns = (
        calendar.by_month(inflow) * inflow_shape(calendar.fractions).ravel() + best["groundwater"],
        rain,
        best["net_evaporation"] + rain + season + calendar.by_month(drier),
        opening * coefficient,
        pipes,
        best["bay_net_evaporation"] + season,
    )
    forcing = Forcing(calendar.length, first_year, *(column[:, None] for column in columns))
    return forcing, with_strait(caspian(), sill=best["strait_sill"])


@pytest.mark.parametrize(
    ("method", "first", "last", "level", "water"),
    [("batched", 1937, 2100, -27.0, 50.0), ("RK45", 1975, 1999, -28.6, 35.0)],
)
def test_budget_of_sea_and_bay_closes_through_dam_reopening_and_drying(method, first, last, level, water):
    forcing, basin = record_and_future(first, last)
    sea, bay = anomaly(caspian(), level), np.array([water])
    solution = solve(forcing, basin, sea, bay, annual(forcing), method=method, tolerance_mm=0.1)
    gains = solution.external + solution.precipitation - solution.evaporation - solution.strait_outflow
    assert_allclose(sea + np.cumsum(gains, axis=0), solution.volume, atol=1e-6)
    gains = solution.strait_outflow - solution.bay_loss
    assert_allclose(bay + np.cumsum(gains, axis=0), solution.bay_volume, atol=1e-6)
    assert np.abs(np.cumsum(solution.residual, axis=0)).max() < 1e-9
    assert (solution.bay_volume >= 0.0).all()
    assert solution.bay_volume[1983 - first, 0] < basin.bay.film_volume


def broken(row, leak):
    def leaking(state, segment, basin):
        rate = tendencies(state, segment, basin)
        rate[row] += leak
        return rate

    return leaking


@pytest.mark.parametrize(
    ("row", "leak", "found"), [(0, 1.0, "1"), (0, -0.25, "0.25"), (1, 1e-5, "1e-05"), (6, 2.0, "2")]
)
@pytest.mark.parametrize("method", ["batched", "RK45"])
def test_flux_that_is_not_accounted_for_stops_the_run(monkeypatch, row, leak, found, method):
    monkeypatch.setattr(solvers, "tendencies", broken(row, leak))
    forcing = steady(1, inflow=300.0, evaporation=750.0)
    with pytest.raises(SolverError) as raised:
        solve(forcing, closed(square()), np.zeros(1), np.array([5.0]), annual(forcing), method=method)
    assert str(raised.value) == (
        "the water budget does not close\n"
        f"    found    residual {found} km³\n"
        "    allowed  1e-06 km³ over the whole run"
    )


def test_leak_too_small_for_any_one_year_is_found_over_the_run(monkeypatch):
    monkeypatch.setattr(solvers, "tendencies", broken(0, 1e-7))
    forcing = steady(9)
    args = closed(square()), np.zeros(1), np.zeros(1)
    solve(forcing, *args, annual(forcing))
    forcing = steady(11)
    with pytest.raises(SolverError, match=r"residual 1\.1e-06 km³"):
        solve(forcing, *args, annual(forcing))


# Dry bay


@settings(max_examples=4, deadline=None)
@given(
    start=arrays(float, 100, elements=st.floats(0.0, 150.0)),
    evaporation=arrays(float, 100, elements=st.floats(0.0, 4500.0)),
)
def test_bay_never_holds_less_than_nothing(start, evaporation):
    forcing = steady(50, bay_evaporation=evaporation)
    basin = with_strait(square(), sill=100.0, members=100)
    solution = solve(forcing, basin, np.zeros(100), start, monthly(forcing), **BATCHED)
    assert (solution.bay_volume >= 0.0).all()
    assert (np.diff(solution.bay_volume, axis=0) <= 0.0).all()


def test_bay_never_holds_less_than_nothing_with_one_step_a_month():
    start = np.linspace(0.0, 3.0, 2001)
    forcing = steady(2, bay_evaporation=2700.0)
    basin = with_strait(square(), sill=100.0, members=len(start))
    solution = solve(forcing, basin, np.zeros(len(start)), start, monthly(forcing), steps_per_month=1)
    assert (solution.bay_volume >= 0.0).all()


# Events


@pytest.mark.parametrize("options", [BATCHED, ADAPTIVE], ids=["batched", "RK45"])
def test_straight_fall_crosses_a_threshold_on_the_day_that_algebra_gives(options):
    forcing = steady(13, inflow=[-40.0, -60.0, -400.0 / 7.0])
    basin, sea = closed(square(), members=3), anomaly(square(), [-28.0, -28.0, -28.0])
    watch = Watch((-28.537, -29.25))
    solution = solve(forcing, basin, sea, np.zeros(3), annual(forcing), watch=watch, **options)
    rates = np.array([0.1, 0.15, 1.0 / 7.0])
    assert_allclose(solution.first_event[0], 2026.0 + 0.537 / rates, atol=DAY / 10.0)
    assert_allclose(solution.first_event[1], 2026.0 + 1.25 / rates, atol=DAY / 10.0)


@pytest.mark.parametrize("options", [BATCHED, ADAPTIVE], ids=["batched", "RK45"])
def test_strait_and_bay_fall_dry_on_the_day_that_algebra_gives(options):
    # The sea falls 0.3 m/yr from 1.1 m over the sill; the cut-off bay 0.9 m/yr to its last pools.
    forcing = steady(8, inflow=-120.0, bay_evaporation=900.0)
    basin = with_strait(square(), sill=-29.1, bay=pond())
    bay = np.atleast_1d(pond().volume(-31.0))
    sea = anomaly(square(), -28.0)
    solution = solve(forcing, basin, sea, bay, annual(forcing), watch=Watch(), **options)
    assert solution.events == ("strait dry", "bay dry")
    expected = [2026.0 + 1.1 / 0.3, 2026.0 + (4.0 - FILM_DEPTH) / 0.9]
    assert_allclose(solution.first_event[:, 0], expected, atol=DAY)


@pytest.mark.parametrize("options", [BATCHED, ADAPTIVE], ids=["batched", "RK45"])
def test_only_the_first_of_several_falls_counts(options):
    forcing = steady(6)
    swing = np.repeat([-40.0, 40.0, -40.0, -40.0, 40.0, -40.0], 12)[:, None]
    forcing = replace(forcing, external=swing)
    watch = Watch((-28.05, -28.15, -27.9))
    sea = anomaly(square(), -28.0)
    solution = solve(forcing, closed(square()), sea, np.zeros(1), annual(forcing), watch=watch, **options)
    assert_allclose(solution.first_event[:2, 0], [2026.5, 2029.5], atol=DAY)
    assert np.isnan(solution.first_event[2, 0]), "a sea that starts below a level does not fall below it"


def test_event_on_the_very_edge_of_a_month_is_found_once():
    forcing = steady(3, inflow=-40.0)
    for options in (BATCHED, ADAPTIVE):
        solution = solve(
            forcing, closed(square()), np.zeros(1), np.zeros(1), annual(forcing),
            watch=Watch((-28.1,)), **options,
        )  # fmt: skip
        assert solution.first_event[0, 0] == pytest.approx(2027.0, abs=DAY)


# Forcing, chunks and messages


def test_forcings_side_by_side_keep_their_columns():
    first, second = steady(1, inflow=[1.0, 2.0], pipes=0.5), steady(1, inflow=[3.0, 4.0], pipes=0.5)
    joined = side_by_side([first, second])
    assert_array_equal(joined.external[0], [1.0, 2.0, 3.0, 4.0])
    assert_array_equal(joined.pipe_outflow[0], [0.5])
    alone = side_by_side([steady(1, inflow=1.0, pipes=0.0), steady(1, inflow=2.0, pipes=1.0)])
    assert_array_equal(alone.pipe_outflow[0], [0.0, 1.0])


def test_one_forcing_serves_members_that_differ_in_shape_alone():
    basin = closed(square(), members=2)
    basin = replace(basin, area_factor=np.array([1.0, 2.0]))
    forcing = steady(1, inflow=-40.0)
    solution = solve(forcing, basin, np.zeros(2), np.zeros(2), annual(forcing), **BATCHED)
    assert_allclose(level_at_ends(solution, basin)[0], [-28.1, -28.05], atol=1e-12)


def test_progress_is_told_after_every_month_and_the_work_is_counted():
    calls = []
    forcing = steady(2)
    solution = solve(
        forcing, closed(square()), np.zeros(1), np.zeros(1), annual(forcing),
        steps_per_month=3, each_month=lambda: calls.append(1),
    )  # fmt: skip
    assert len(calls) == 24
    assert solution.steps == 24 * 3
    assert solution.evaluations == 24 * 3 * 4


def test_columns_of_a_solution_are_its_members():
    forcing = steady(2, inflow=[-10.0, -20.0, -30.0])
    solution = solve(
        forcing,
        closed(square(), members=3),
        np.zeros(3),
        np.zeros(3),
        annual(forcing),
        watch=Watch((-28.05,)),
    )
    part = solution.columns(slice(1, 3))
    assert_array_equal(part.level, solution.level[:, 1:])
    assert_array_equal(part.first_event, solution.first_event[:, 1:])
    assert (part.events, part.steps) == (solution.events, solution.steps)


def test_missing_forcing_is_named_by_flux_month_and_member():
    good = steady(6, inflow=[1.0, 2.0, 3.0])
    rain = np.ones((72, 3))
    rain[66, 2] = np.nan
    with pytest.raises(DataError) as raised:
        replace(good, precipitation=rain)
    assert str(raised.value) == (
        "forcing 'precipitation' is not finite in 2031-07\n"
        "    found    nan in member 2\n"
        "    allowed  finite numbers in every month"
    )


def test_forcing_of_the_wrong_length_is_refused():
    with pytest.raises(DataError) as raised:
        replace(steady(2), evaporation=np.ones((23, 1)))
    assert str(raised.value) == "forcing 'evaporation' has 23 months\n    allowed  24"


@pytest.mark.parametrize("method", ["batched", "RK45"])
def test_sea_that_leaves_the_curve_is_named_by_month_and_member(method):
    # 400 km³ are a metre of the square basin, whose table ends at −88 m.
    forcing = steady(3, inflow=[0.0, -11_000.0])
    basin = closed(square(), members=2)
    with pytest.raises(SolverError) as raised:
        solve(forcing, basin, np.zeros(2), np.zeros(2), annual(forcing), method=method)
    assert str(raised.value) == (
        "the sea left the range of the hypsometric curve in 2028-03\n"
        "    found    volume -2.473e+04 km³ against −28 m BHS in member 1\n"
        "    allowed  -24000 to 24000 km³ (-88 to 32 m BHS)"
    )


def test_failure_of_a_scipy_solver_carries_its_message(monkeypatch):
    class Failed:
        success, message = False, "Required step size is less than spacing between numbers."

    monkeypatch.setattr(solvers, "solve_ivp", lambda *_, **__: Failed)
    forcing = steady(1)
    with pytest.raises(SolverError) as raised:
        solve(forcing, closed(square()), np.zeros(1), np.zeros(1), annual(forcing), method="Radau")
    assert str(raised.value) == (
        "the solver Radau failed: Required step size is less than spacing between numbers."
    )
