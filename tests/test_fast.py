"""The compiled loops against the batched ones: one physics, two ways around it."""

import builtins

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim import fast
from caspian_sim.ensemble import run
from caspian_sim.errors import CaspianError, SolverError

RUN = {
    "name": "compiled",
    "period": {"start": 2026, "end": 2100},
    "climate": {"scenarios": ["ssp585"]},
    "uncertainty": {"members": 70},
    "programmes": {"none": {}, "all": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-30, -35]},
}


@pytest.fixture(scope="module")
def both() -> tuple[xr.Dataset, xr.Dataset]:
    pytest.importorskip("numba")
    return run(RUN), run({**RUN, "solver": {"method": "compiled"}})


def test_compiled_and_batched_levels_agree_to_a_billionth_of_a_metre(both):
    batched, compiled = both
    assert_allclose(compiled["sea_level"], batched["sea_level"], rtol=0, atol=1e-9)
    assert_allclose(compiled["bay_level"], batched["bay_level"], rtol=0, atol=1e-9)


def test_compiled_and_batched_fluxes_agree(both):
    batched, compiled = both
    for name in ("sea_area", "precipitation", "evaporation", "strait_outflow", "sea_volume"):
        assert_allclose(compiled[name], batched[name], rtol=1e-10, atol=1e-9)


def test_compiled_and_batched_events_happen_at_the_same_time(both):
    batched, compiled = both
    assert_array_equal(np.isnan(compiled["first_event"]), np.isnan(batched["first_event"]))
    assert np.isfinite(batched["first_event"]).any(dim=("scenario", "programme", "member")).all()
    assert_allclose(compiled["first_event"], batched["first_event"], rtol=0, atol=1e-6)


def test_a_member_is_the_same_alone_and_in_a_block_of_lanes(both):
    alone = run({**RUN, "solver": {"method": "compiled"}, "uncertainty": {"members": fast.LANES + 3}})
    assert_array_equal(alone["sea_level"], both[1]["sea_level"].isel(member=slice(0, fast.LANES + 3)))


def test_a_sea_that_leaves_the_curve_stops_both_ways_with_the_same_words(tmp_path):
    pytest.importorskip("numba")
    table = tmp_path / "shallow.csv"
    table.write_text("level_m,area_km2\n-30.5,340000\n-25,420000\n", encoding="utf-8")
    messages = []
    for method in ("batched", "compiled"):
        with pytest.raises(SolverError) as caught:
            run({**RUN, "basin": {"hypsometry": str(table)}, "solver": {"method": method}})
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("the sea left the range of the hypsometric curve in 20")


def test_absent_numba_is_one_line_with_the_install_command(monkeypatch):
    real = builtins.__import__

    def without_numba(name, *arguments, **named):
        if name == "numba":
            raise ImportError(name)
        return real(name, *arguments, **named)

    fast._kernel.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without_numba)
    with pytest.raises(CaspianError) as caught:
        fast._kernel(False, False)
    assert str(caught.value) == 'the compiled solver needs numba: pip install "caspian-sim[fast]"'
