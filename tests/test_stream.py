"""Statistics over members, formed while the members come in, and members written to Zarr."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import figures, results
from caspian_sim.collect import DIMS, MemberStore
from caspian_sim.config import load_config
from caspian_sim.errors import ConfigError, DataError, OutputError
from caspian_sim.figures.reading import yearly, yearly_quantiles
from caspian_sim.outputs.summary import summary
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import run_members
from caspian_sim.stream import BothStore, QuantileStore, ZarrStore, make_store, quantiles
from caspian_sim.stream.histogram import (
    FINEST,
    Histogram,
    Sample,
    count_by_array,
    count_by_number,
    counter,
    level_that_holds,
)

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
MEMBERS = 40
SETTINGS = {
    "name": "small",
    "period": {"start": 2026, "end": 2031},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": MEMBERS, "seed": 3},
    "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-29.0, -29.5, -30.0], "report_years": [2028, 2031]},
    "output": {"quantiles": [0.0, 0.1, 0.9, 1.0]},
}
PROBABILITIES = [0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0]
with_zarr = pytest.mark.skipif(importlib.util.find_spec("zarr") is None, reason="needs the extra zarr")


def _plan(*overrides: str) -> Plan:
    return make_plan(load_config(SETTINGS, overrides))


def _filled(store, plan: Plan, parts):
    for members in parts:
        store.add(run_members(plan, np.asarray(members)))
    return store


PLANS = {frequency: _plan(f"output.frequency={frequency}") for frequency in ("annual", "monthly")}
ALL = np.arange(MEMBERS)
RUNS = {name: _filled(MemberStore(plan.frame), plan, [ALL]).dataset() for name, plan in PLANS.items()}
KEPT = {name: _filled(QuantileStore(plan.frame), plan, [ALL]).dataset() for name, plan in PLANS.items()}
ORDERS = st.permutations(list(range(MEMBERS))).flatmap(
    lambda order: st.lists(st.integers(1, MEMBERS - 1), max_size=5, unique=True).map(
        lambda cuts: np.split(np.array(order), sorted(cuts))
    )
)


# ---- statistics of a run -----------------------------------------------------------------------


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_quantiles_means_and_deviations_of_a_small_run_are_those_of_its_members(frequency):
    run, kept = RUNS[frequency], KEPT[frequency]
    for name in (name for name, dims in DIMS.items() if "time" in dims):
        values, axis = run[name].values, DIMS[name].index("member")
        found = kept[f"{name}_quantile"]
        assert found.dims == tuple("quantile" if dim == "member" else dim for dim in DIMS[name])
        expected = np.quantile(values, PROBABILITIES, axis=axis)
        assert_array_equal(found.transpose("quantile", ...).values, expected)
        assert_allclose(kept[f"{name}_mean"].values, values.mean(axis=axis), rtol=1e-14, atol=1e-14)
        assert_allclose(kept[f"{name}_sd"].values, values.std(axis=axis), rtol=1e-11, atol=1e-12)
        assert found.attrs["quantile_error"] == 0.0


def test_the_quantiles_of_tables_are_kept_whatever_is_asked_for():
    assert_array_equal(KEPT["annual"]["quantile"], PROBABILITIES)


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_differences_between_programmes_are_taken_within_each_member(frequency):
    run, kept = RUNS[frequency], KEPT[frequency]
    level = yearly(run["sea_level"], run["time_bnds"])
    gain = (level - level.sel(programme="none")).transpose(*level.dims)
    expected = np.quantile(gain.values, PROBABILITIES, axis=2)
    found = kept["sea_level_above_none_quantile"].transpose("quantile", ...)
    assert_allclose(found.values, expected, rtol=0, atol=1e-13)
    assert_array_equal(found.sel(programme="none").values, 0.0)
    unpaired = kept["sea_level_sd"].isel(time=-1).sel(programme="joint")
    assert (kept["sea_level_above_none_sd"].isel(year=-1).sel(programme="joint") < 0.2 * unpaired).all()


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_share_below_counts_the_members_that_have_stood_below_a_level(frequency):
    run, kept = RUNS[frequency], KEPT[frequency]
    level = yearly(run["sea_level"], run["time_bnds"])
    for threshold in SETTINGS["outcomes"]["thresholds_m"]:
        event = f"sea level below {threshold:g} m"
        fallen = run["first_event"].sel(event=event) < level["year"] + 1
        stood = (level <= threshold).cumsum("year") > 0
        expected = (fallen | stood).mean("member").transpose("scenario", "programme", "year")
        assert_array_equal(kept["share_below"].sel(event=event).values, expected.values)
    shares = kept["share_below"].isel(year=-1).sel(scenario="ssp585", programme="none")
    assert shares[0] == 1.0
    assert 0.0 < shares[2] < 1.0


def test_share_never_is_that_of_members_without_the_event():
    expected = np.isnan(RUNS["annual"]["first_event"]).mean("member")
    assert_array_equal(KEPT["annual"]["share_never"].values, expected.values)


def test_quantiles_of_an_event_are_missing_where_they_fall_among_those_that_never_have_it():
    times = np.array([[2030.0, 2031.0, 2032.0, np.nan, np.nan]])
    for kept in (Sample(1, 5), Histogram(1, 2**14)):
        kept.add(times, np.arange(5))
        found = kept.quantiles(np.array([0.0, 0.5, 0.6, 0.75, 1.0]))[:, 0]
        assert_allclose(found, [2030.0, 2032.0, np.nan, np.nan, np.nan], rtol=0, atol=0.01)


def test_file_says_how_exact_each_statistic_is_and_where_it_comes_from():
    kept = KEPT["annual"]
    assert kept["sea_level_quantile"].attrs["standard_name"] == "water_surface_height_above_reference_datum"
    assert kept["sea_level_mean"].attrs["cell_methods"] == "time: mean"
    assert "datum" not in kept["sea_level_sd"].attrs
    assert kept["sea_level_sd"].attrs["long_name"] == "standard deviation over the members of sea level"
    assert "member" not in kept.dims
    for name in ("config", "config_hash", "input_sha256", "seed", "git_revision", "version"):
        assert kept.attrs[name] == RUNS["annual"].attrs[name]


# ---- order and size of parts -------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(parts=ORDERS, few=st.booleans())
def test_order_and_size_of_the_parts_leave_no_trace(parts, few):
    plan, budget = PLANS["annual"], quantiles.VARIABLE_BYTES
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "VARIABLE_BYTES", 2**12 if few else budget)
        whole = _filled(QuantileStore(plan.frame), plan, [ALL])
        parted = _filled(QuantileStore(plan.frame), plan, parts)
    assert {k: a.tobytes() for k, a in parted.dump().items()} == {
        k: a.tobytes() for k, a in whole.dump().items()
    }
    one, other = parted.dataset(), whole.dataset()
    assert {name: v.values.tobytes() for name, v in one.data_vars.items()} == {
        name: v.values.tobytes() for name, v in other.data_vars.items()
    }
    assert (one["sea_level_quantile"].attrs["quantile_error"] > 0.0) == few


def test_a_member_that_comes_twice_or_not_at_all_is_noticed():
    plan = PLANS["annual"]
    store = _filled(QuantileStore(plan.frame), plan, [[1, 2]])
    with pytest.raises(ValueError, match="a member comes a second time"):
        store.add(run_members(plan, np.array([2, 3])))
    with pytest.raises(ValueError, match="38 members have not been taken in"):
        store.dataset()


def test_a_store_goes_on_from_the_state_of_another():
    plan = PLANS["annual"]
    first = _filled(QuantileStore(plan.frame), plan, [ALL[25:]])
    second = QuantileStore(plan.frame)
    second.load({name: array.copy() for name, array in first.dump().items()})
    assert_array_equal(second.members_in, ALL >= 25)
    _filled(second, plan, [ALL[:25]])
    xr.testing.assert_equal(second.dataset(), KEPT["annual"])


def test_state_of_another_run_is_refused_and_nothing_is_taken_over():
    plan = PLANS["annual"]
    store = _filled(QuantileStore(plan.frame), plan, [[0]])
    other = QuantileStore(_plan("uncertainty.members=7").frame).dump()
    with pytest.raises(ValueError, match="members_in has another shape or type"):
        store.load({**store.dump(), "members_in": other["members_in"]})
    with pytest.raises(ValueError, match="happened is in one state only"):
        store.load({name: array for name, array in store.dump().items() if name != "happened"})
    assert store.members_in.sum() == 1


# ---- bounds ------------------------------------------------------------------------------------

NUMBERS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 60)),
    elements=st.floats(-1e5, 1e5, allow_subnormal=False),
)


@settings(max_examples=150, deadline=None)
@given(values=NUMBERS, cut=st.integers(0, 60), scale=st.sampled_from([1e-9, 1.0]))
def test_histogram_is_within_its_bound_of_the_values_whatever_comes_first(values, cut, scale):
    values = values * scale
    members = np.arange(values.shape[1])
    histogram, other = Histogram(len(values), 64), Histogram(len(values), 64)
    histogram.add(values, members)
    for part in (slice(cut, None), slice(0, cut)):
        other.add(values[:, part], members[part])
    for name, array in histogram.state().items():
        assert array.tobytes() == other.state()[name].tobytes(), name
    errors, probabilities = histogram.errors(), np.array([0.0, 0.05, 0.37, 0.5, 1.0])
    slack = 1e-12 * np.abs(values).max()
    expected = np.quantile(values, probabilities, axis=1)
    assert np.abs(histogram.quantiles(probabilities) - expected).max() <= errors["quantile"] + slack
    assert np.abs(histogram.mean() - values.mean(axis=1)).max() <= errors["mean"] + slack
    assert np.abs(histogram.deviation() - values.std(axis=1)).max() <= errors["sd"] + slack
    assert histogram.largest() == np.abs(values).max()
    # No wider than what the widest range needs: two bins fewer than there are would not hold it.
    widest = np.ptp(values, axis=1).max()
    assert errors["quantile"] <= max(widest / 62, np.ldexp(0.5, FINEST), np.abs(values).max() * 2.0**-51)


@settings(deadline=None)
@given(values=NUMBERS)
def test_compiled_and_plain_counting_agree_to_the_last_bit(values):
    left = []
    for count in (count_by_array, count_by_number, counter()):
        sums, counts = np.zeros(len(values), np.int64), np.zeros((len(values), 64), np.uint32)
        count(values, np.full(len(values), 2.0**-12), 2.0**20, sums, counts)
        left.append((sums.tobytes(), counts.tobytes()))
    assert left[0] == left[1] == left[2]


def test_bins_are_the_finest_that_hold_the_range():
    low, high = np.array([-30.0, -30.0, 0.0, np.inf]), np.array([-22.1, -22.0, 0.0, -np.inf])
    assert_array_equal(level_that_holds(low, high, 8), [0, 1, FINEST, FINEST])


def test_histogram_refuses_what_it_cannot_sum_exactly():
    with pytest.raises(ValueError, match="a value of 1e\\+07 is too large to be summed exactly"):
        Histogram(1, 64).add(np.array([[1e7]]), np.array([0]))


@pytest.mark.parametrize(
    ("members", "exact"), [(10_000, True), (27_962, True), (27_963, False), (1_000_000, False)]
)
def test_level_is_exact_up_to_a_stated_size(members, exact):
    # 4 scenarios, 2 programmes, 75 years of 8 bytes in 128 MiB.
    kept = quantiles._distribution("sea_level", 4 * 2 * 75, members)
    assert isinstance(kept, Sample) == exact


@pytest.mark.parametrize(("frequency", "most"), [("annual", 0.7e9), ("monthly", 1.7e9)])
def test_state_of_a_million_members_fits_into_memory(frequency, most):
    settings = ["uncertainty.members=1000000", f"output.frequency={frequency}"]
    assert QuantileStore(make_plan(load_config(QUICKSTART, settings)).frame).nbytes < most


def test_state_does_not_grow_while_members_come_in(monkeypatch):
    monkeypatch.setattr(quantiles, "VARIABLE_BYTES", 2**12)
    store = QuantileStore(PLANS["annual"].frame)
    before = store.nbytes
    _filled(store, PLANS["annual"], [ALL])
    assert store.nbytes == before


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_level_of_a_large_run_is_within_a_centimetre(frequency):
    # The widest range of the sea in a run to 2100, about 20 m, in the bins of a large run.
    columns = 4 * 2 * 75 * (12 if frequency == "monthly" else 1)
    kept = quantiles._distribution("sea_level", columns, 1_000_000)
    kept.add(np.tile([[-45.0, -25.0]], (columns, 1)), np.arange(2))
    assert kept.errors()["quantile"] <= (0.001 if frequency == "annual" else 0.004)


# ---- tables and figures ------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_tables_of_statistics_alone_are_those_of_the_members(frequency):
    run, kept = RUNS[frequency], KEPT[frequency]
    assert summary(kept).to_csv() == summary(run).to_csv()
    assert figures.projection_table(kept).to_csv(float_format="%.9g") == figures.projection_table(run).to_csv(
        float_format="%.9g"
    )


def test_projection_can_be_drawn_without_members():
    texts = [text.get_text() for text in figures.projection(KEPT["annual"]).findobj(match=_is_text)]
    assert any(f"ensemble of {MEMBERS} for each scenario" in " ".join(text.split()) for text in texts)


def _is_text(artist) -> bool:
    return hasattr(artist, "get_text")


def test_statistics_do_not_stand_for_a_part_of_the_members():
    both = _quantile_store(PLANS["annual"]).added_to(RUNS["annual"])
    few = both.isel(member=slice(0, 4))
    expected = RUNS["annual"].isel(member=slice(0, 4))
    assert summary(few).to_csv() == summary(expected).to_csv()


def _quantile_store(plan: Plan) -> QuantileStore:
    return _filled(QuantileStore(plan.frame), plan, [ALL])


def test_budget_without_members_is_refused():
    with pytest.raises(DataError) as error:
        figures.budget(KEPT["annual"])
    assert str(error.value) == (
        "figure 'budget' needs the members of the run\n"
        "    found    statistics over the members alone\n"
        "    hint     run again with output.keep: members or both"
    )


def test_quantile_that_was_not_kept_is_refused():
    with pytest.raises(DataError) as error:
        yearly_quantiles(KEPT["annual"], "sea_level", [0.25])
    assert str(error.value) == (
        "the quantile 0.25 was not kept\n"
        "    found    0, 0.05, 0.1, 0.5, 0.9, 0.95, 1\n"
        "    hint     run again with the quantile in output.quantiles"
    )


def test_budget_is_refused_before_a_run_that_keeps_no_members():
    with pytest.raises(ConfigError) as error:
        load_config(SETTINGS, ["output.keep=quantiles", "output.figures=[projection, budget]"])
    assert str(error.value) == (
        "--set output.figures=[projection, budget]  output.figures[1]: the figure budget needs the members\n"
        "    found    keep quantiles\n"
        "    allowed  keep members or both"
    )


# ---- files -------------------------------------------------------------------------------------


def test_what_is_kept_decides_where_the_members_come_together():
    kinds = {
        keep: type(make_store(_plan(f"output.keep={keep}").frame))
        for keep in ("members", "quantiles", "both")
    }
    assert kinds == {"members": MemberStore, "quantiles": QuantileStore, "both": BothStore}


def test_statistics_come_back_from_netcdf_as_they_were(tmp_path):
    xr.testing.assert_identical(cs.open(cs.save(KEPT["monthly"], tmp_path / "kept.nc")), KEPT["monthly"])


@with_zarr
@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_members_and_statistics_come_back_from_zarr_as_they_were(tmp_path, frequency):
    for dataset in (RUNS[frequency], KEPT[frequency]):
        path = cs.save(dataset, tmp_path / "result.zarr")
        xr.testing.assert_identical(cs.open(tmp_path).load(), dataset)
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


@with_zarr
@settings(max_examples=4, deadline=None)
@given(parts=ORDERS)
def test_members_written_as_they_come_are_those_kept_in_memory(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("zarr") / "members.zarr"
    plan = PLANS["annual"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("caspian_sim.stream.zarr.CHUNK_MEMBERS", 16)
        written = _filled(ZarrStore(plan.frame, folder), plan, parts).dataset().load()
    made = {name: written.attrs[name] for name in ("history", "created", "git_revision")}
    xr.testing.assert_identical(written, RUNS["annual"].assign_attrs(made))


@with_zarr
def test_members_wait_in_memory_until_their_chunk_is_complete(tmp_path, monkeypatch):
    monkeypatch.setattr("caspian_sim.stream.zarr.CHUNK_MEMBERS", 16)
    plan = PLANS["annual"]
    store = _filled(ZarrStore(plan.frame, tmp_path / "members.zarr"), plan, [ALL[:15]])
    files = {p for p in (tmp_path / "members.zarr" / "sea_level").iterdir() if not p.name.startswith(".z")}
    assert files == set()
    with pytest.raises(ValueError, match="some members have not been taken in"):
        store.dataset()
    _filled(store, plan, [[15]])
    found = {
        p.name for p in (tmp_path / "members.zarr" / "sea_level").iterdir() if not p.name.startswith(".z")
    }
    assert found == {f"{s}.{p}.0.0" for s in (0, 1) for p in (0, 1)}
    assert store._waiting == {}


@with_zarr
def test_zarr_folder_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = cs.save(KEPT["annual"], tmp_path / "result.zarr")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "write_zarr", full)
    with pytest.raises(OutputError) as error:
        cs.save(RUNS["annual"], path)
    assert str(error.value) == (f"{path}: the result cannot be written\n    found    No space left on device")
    assert [p.name for p in tmp_path.iterdir()] == ["result.zarr"]
    xr.testing.assert_identical(cs.open(path).load(), KEPT["annual"])


def test_zarr_without_its_extra_is_refused_before_anything_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "find_spec", lambda name: None)
    wanted = 'a Zarr folder needs the extra zarr: pip install "caspian-sim[zarr]"'
    with pytest.raises(OutputError) as error:
        make_store(_plan("output.format=zarr", "output.keep=quantiles").frame)
    assert str(error.value) == f"{Path('results/small')}: {wanted}"
    with pytest.raises(OutputError) as error:
        cs.save(KEPT["annual"], tmp_path / "a.zarr")
    assert str(error.value) == f"{tmp_path / 'a.zarr'}: {wanted}"
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(DataError) as refused:
        cs.open(tmp_path / "b.zarr")
    assert str(refused.value) == f"{tmp_path / 'b.zarr'}: {wanted}"


@with_zarr
def test_folder_that_is_no_zarr_is_refused(tmp_path):
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(DataError, match="not a Zarr folder that can be read"):
        cs.open(tmp_path / "empty.zarr")
