"""What measures may count for, how they reach the sea, and the configurations that compare programmes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from basins import annual, anomaly, closed, every_month, steady, trough, with_strait
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_measures import STATES, dam, measure, months_of

import caspian_sim as cs
from caspian_sim.cli import main
from caspian_sim.config import default_catalogue, load_config
from caspian_sim.config.programme import Programme
from caspian_sim.forcing import side_by_side
from caspian_sim.measures.effect import programme_effect
from caspian_sim.measures.programme import measures_of
from caspian_sim.outputs.summary import summary
from caspian_sim.solve import solve

ROOT = Path(__file__).parents[1]
CONFIGS = [
    ROOT / "configs" / f"{name}.yaml"
    for name in ("joint_programme", "unilateral", "strait_regulation", "delay", "target")
]


def saving(volume=5.0, name="canal", **changes):
    return measure(
        id=name,
        mechanism="consumption",
        volume_km3_per_yr={"low": volume, "best": volume, "high": volume},
        **changes,
    )


def effect_of(*measures, last=2033, **inputs):
    volumes = {
        f"measure:{m.id}": np.full(2, m.volume_km3_per_yr.best if m.volume_km3_per_yr else 0.0)
        for m in measures
    }
    volumes |= {f"measure:{m.id}": np.full(2, m.moved_km3.best) for m in measures if m.moved_km3}
    return programme_effect(measures, *months_of(2029, last), 2, {**volumes, **inputs})


def test_constant_saving_raises_a_linear_basin_as_algebra_says():
    # dh/dt = [V - c (h - h0) dA/dh] / A near h0: with net evaporation e, tau = A / (e dA/dh).
    curve, area, slope, loss = trough(), 400_000.0, 10_000.0, 800.0
    tau, volume, years = area / (loss * 1e-3 * slope), 0.01, 40
    inflow = loss * area * 1e-6
    levels = []
    for extra in (0.0, volume):
        forcing = steady(years, inflow=inflow + extra, evaporation=loss)
        basin = closed(curve)
        run = solve(forcing, basin, anomaly(curve, -28.0), np.zeros(1), annual(forcing))
        levels.append(basin.level_and_area(run.volume[-1])[0][0])
    expected = volume * tau / (area * 1e-3) * (1.0 - np.exp(-years / tau))
    assert levels[1] - levels[0] == pytest.approx(expected, rel=2e-4)


def test_savings_of_a_state_never_exceed_its_consumption():
    both = effect_of(
        saving(8.0, state="KZ"),
        saving(4.0, "drip", state="KZ", start="2032-01"),
        **{"consumption:KZ": np.array([6.0, 100.0])},
    )
    assert_allclose(both.inflow[12:36], [[6.0, 8.0]] * 24)
    assert_allclose(both.inflow[36:], [[6.0, 12.0]] * 24)


def test_two_measures_on_the_same_water_count_once():
    pair = effect_of(saving(3.0, pool="kura", state="AZ"), saving(2.0, "drip", pool="kura", state="AZ"))
    assert_allclose(pair.inflow[12:], 3.0)
    assert_allclose(effect_of(saving(2.0, "drip", pool="kura", state="AZ")).inflow[12:], 2.0)


def test_return_flow_is_no_saving_and_half_compliance_is_half_of_the_rest():
    net = effect_of(saving(2.0, return_flow=0.25, compliance=0.5))
    assert_allclose(net.inflow[12:], 0.75)


def test_delay_shifts_and_lifetime_ends_a_measure_member_by_member():
    late = effect_of(
        saving(delay_years={"low": 0, "best": 1, "high": 2}, lifetime_years=2),
        **{"delay:canal": np.array([0.0, 1.0])},
    )
    assert_array_equal(late.inflow[:, 0] > 0, np.isin(np.repeat(np.arange(2029, 2034), 12), [2030, 2031]))
    assert_array_equal(late.inflow[:, 1] > 0, np.isin(np.repeat(np.arange(2029, 2034), 12), [2031, 2032]))


def test_released_water_is_moved_within_the_year_and_none_is_made():
    timing = measure(
        mechanism="release_timing",
        volume_km3_per_yr=None,
        moved_km3={"low": 5, "best": 5, "high": 5},
        from_months=[10, 11, 12],
        to_months=[4, 5, 6],
        ramp_years=2.0,
    )
    from caspian_sim.basin.rivers import month_fractions

    moved = effect_of(timing).inflow[:, 0] * month_fractions(np.arange(2029, 2034)).ravel()
    by_year = moved.reshape(5, 12)
    assert_allclose(by_year.sum(axis=1), 0.0, atol=1e-12)
    assert_allclose(by_year[3:, 3:6].sum(axis=1), 5.0)


def test_avoided_growth_counts_for_no_more_than_the_growth():
    growth = measure(
        id="taking",
        state="IR",
        role="growth",
        mechanism="sea_withdrawal",
        volume_km3_per_yr={"low": -0.2, "best": -0.2, "high": -0.2},
        start="2031-01",
    )
    dropped = measure(
        id="dropped",
        state="IR",
        mechanism="sea_withdrawal",
        avoids="taking",
        volume_km3_per_yr={"low": 0.3, "best": 0.3, "high": 0.3},
    )
    assert not effect_of(dropped).inflow.any()
    assert_allclose(effect_of(growth, dropped).inflow, 0.0, atol=1e-15)
    assert_allclose(effect_of(growth).inflow[24:], -0.2)


def test_state_that_leaves_ends_its_measures_and_nobody_elses():
    catalogue = {m.id: m for m in (saving(1.0), saving(1.0, "drip", state="AZ"), dam(0.0))}
    programme = Programme(participants=("RU", "AZ", "TM"), leaves={"RU": 2032, "TM": 2030})
    chosen = {m.id: m.end for m in measures_of(programme, catalogue)}
    assert chosen == {"canal": "2031-12", "drip": None}


def test_programme_that_begins_late_moves_all_its_measures_together():
    catalogue = {m.id: m for m in (saving(1.0), saving(1.0, "drip", start="2032-07", end="2040-06"))}
    moved = measures_of(Programme(participants=("RU",), start="2035"), catalogue)
    assert [(m.start, m.end) for m in moved] == [("2035-01", None), ("2037-07", "2045-06")]


@given(st.floats(0, 9), st.floats(0, 9), st.floats(0, 1), st.floats(0, 1), st.integers(2029, 2033))
def test_more_volume_more_compliance_and_an_earlier_start_never_save_less(one, two, low, high, year):
    small, large = sorted((one, two))
    less, more = sorted((low, high))

    def inflow(volume, compliance, start):
        other = saving(4.0, "drip", state="KZ", pool="river", start="2031-01")
        own = saving(volume, state="KZ", pool="river", compliance=compliance, start=f"{start}-01")
        return effect_of(own, other, **{"consumption:KZ": np.full(2, 8.0)}).inflow

    base = inflow(small, less, year)
    for better in (inflow(large, less, year), inflow(small, more, year), inflow(small, less, 2029)):
        assert (better >= base - 1e-12).all()


# The strait


def gated(level, closing, years=2):
    forcing = steady(years, inflow=300.0, evaporation=800.0, coefficient=3.0, bay_evaporation=900.0)
    if closing is not None:
        months = len(forcing.length)
        object.__setattr__(forcing, "closed_below", np.full((1, 1), level))
        object.__setattr__(forcing, "closing", np.full((months, 1), closing))
    return forcing


@pytest.mark.parametrize("method", ["batched", "DOP853", "compiled"])
def test_solvers_agree_on_gates_that_move(method):
    if method == "compiled":
        pytest.importorskip("numba")
    curve = trough()
    basin = with_strait(curve, -32.0)
    forcing = gated(-28.2, 0.8, years=5)
    start = anomaly(curve, -28.0), np.array([60.0])
    options = {"steps_per_month": 2, "tolerance_mm": 1e-6}
    exact = solve(forcing, basin, *start, annual(forcing), method="batched", steps_per_month=32)
    run = solve(forcing, basin, *start, annual(forcing), method=method, **options)
    assert_allclose(run.level, exact.level, atol=1e-5)
    assert 0.0 < exact.strait_outflow[-1, 0] < exact.strait_outflow[0, 0]


def test_gates_far_below_the_sea_change_nothing_and_far_above_it_close_the_strait():
    curve = trough()
    basin = with_strait(curve, -32.0)
    free, idle, shut = (gated(*rule) for rule in ((0.0, None), (-40.0, 1.0), (-20.0, 1.0)))
    runs = [solve(f, basin, anomaly(curve, -28.0), np.array([60.0]), annual(f)) for f in (free, idle, shut)]
    assert_array_equal(runs[1].volume, runs[0].volume)
    assert_array_equal(runs[2].strait_outflow, 0.0)


def test_gates_stand_beside_ensembles_without_any():
    plain, gates = every_month(gated(0.0, None)), every_month(gated(-20.0, 1.0))
    both = side_by_side([plain, gates])
    assert_array_equal(both.closing[:, 0], 0.0)
    assert_array_equal(both.closing[:, 1], 1.0)


def test_closed_strait_saves_exactly_the_outflow_that_it_stops():
    config = {
        "name": "x",
        "period": {"start": 2026, "end": 2045},
        "climate": {"scenarios": ["ssp245"], "area_convention": "constant"},
        "uncertainty": {"members": 3},
        "programmes": {"none": {}, "dam": {"participants": ["TM"], "measures": ["strait-closure"]}},
    }
    ds = cs.run(config)
    years = ds.strait_outflow
    stopped = (years.sel(programme="none") - years.sel(programme="dam")).sum("time")
    saved = ds.sea_volume.isel(time=-1)
    assert_allclose(saved.sel(programme="dam") - saved.sel(programme="none"), stopped, atol=1e-6)


# Configurations, table and command


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configurations_of_programmes_run(path):
    few = ("uncertainty.members=4", "climate.scenarios=[ssp245]", "solver.steps_per_month=1")
    ds = cs.run(path, overrides=few)
    table = summary(ds)
    joint = table[(table.programme != "none") & (table.year == 2100)]
    assert (joint["above_none_p50_m"] > 0).all()
    assert (joint["avoided_exposed_p50_km2"] > 0).all()
    nobody = table[table.programme == "none"]
    assert not nobody.filter(like="years_gained").to_numpy().any()
    assert not nobody["avoided_exposed_p50_km2"].any()
    assert (table.filter(like="years_gained").to_numpy() >= 0).all()
    kept = table.filter(like="share_kept_above").to_numpy()
    assert_allclose(kept + table.filter(like="share_below").to_numpy(), 1.0)


def test_standard_programmes_are_twelve_and_survive_being_resolved():
    config = load_config(ROOT / "configs" / "joint_programme.yaml")
    assert len(config.programmes) == 13
    assert load_config(config.model_dump(mode="json")) == config


def test_measures_command_lists_a_state_and_marks_assumptions():
    result = CliRunner().invoke(main, ["measures", "--state", "KZ"])
    assert result.exit_code == 0
    assert "KZ *  ural-efficiency: Irrigation efficiency" in result.output
    assert "volga-savings" not in result.output
    assert "* assumption, not data (grade D)" in result.output
    everything = CliRunner().invoke(main, ["measures"]).output
    assert all(entry.id in everything for entry in default_catalogue())


def test_every_row_of_the_evidence_has_an_entry():
    entries = default_catalogue()
    assert {entry.state for entry in entries if entry.role == "growth"} == set(STATES)
    assert all(entry.assumption for entry in entries if entry.grade == "D")
    evidence = pd.DataFrame({"state": cs.data.load("measures_evidence").state.values}).state.value_counts()
    assert evidence.sum() == 11
