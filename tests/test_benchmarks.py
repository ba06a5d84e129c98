"""The hand-written loop that the benchmarks compare with does the same as the package."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim.solve import solve

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
# One whole block of members and a part of one.
MEMBERS = 70


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(FOLDER))
    try:
        native = importlib.import_module("native")
        if native.compiler() is None:
            pytest.skip("no C compiler")
        yield importlib.import_module("throughput")
    finally:
        sys.path.remove(str(FOLDER))


def test_loop_in_c_and_the_package_agree_to_a_billionth_of_a_metre(benchmark):
    arguments, named = benchmark.integration(MEMBERS)
    levels = np.array(named["watch"].levels)
    in_c = benchmark.native.integrate(*arguments, named["steps_per_month"], levels, threads=2)
    here = solve(*arguments, **named)
    assert_allclose(in_c.sums[2], here.level, rtol=0, atol=1e-9)
    assert_allclose(in_c.edge_volume[1:, 0], here.volume, rtol=0, atol=1e-6)
    assert_allclose(in_c.edge_volume[1:, 1], here.bay_volume, rtol=0, atol=1e-6)
    fluxes = ("area", "precipitation", "evaporation", "strait_outflow", "bay_loss", "external")
    for row, name in enumerate(fluxes, start=3):
        assert_allclose(in_c.sums[row], getattr(here, name), rtol=1e-10, atol=1e-6)


def test_loop_in_c_sees_the_events_of_the_package(benchmark):
    arguments, named = benchmark.integration(MEMBERS)
    levels = np.array(named["watch"].levels)
    in_c = benchmark.native.integrate(*arguments, named["steps_per_month"], levels)
    here = solve(*arguments, **named)
    happened = np.isfinite(here.first_event)
    assert happened.any(axis=1).sum() >= 3
    assert_array_equal(in_c.fell_month >= 0, happened)
    begins = arguments[0].begins[in_c.fell_month[happened]] + in_c.fell_after[happened]
    step = arguments[0].length.max() / named["steps_per_month"]
    after = here.first_event[happened] - begins
    assert (after >= -1e-9).all()
    assert (after <= step + 1e-9).all()


def test_history_of_the_bay_in_c_is_that_of_the_package(benchmark):
    plan = benchmark.make_plan(benchmark.configuration(MEMBERS))
    inputs = benchmark.simulate.member_inputs(plan, np.arange(MEMBERS))
    parameters = {name: inputs[f"parameter:{name}"] for name in plan.frame.priors}
    expected = benchmark.simulate.bay_at_start(2026, parameters, plan.observed)
    assert np.ptp(expected) > 1.0
    assert_allclose(benchmark.native_bay(2026, parameters, plan.observed), expected, rtol=0, atol=1e-9)
