"""Saved results: the same when opened again, whole or not at all, traceable, and readable by others."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_array_equal

import caspian_sim as cs
from caspian_sim import data, results
from caspian_sim.config import config_hash, load_config, parse_config
from caspian_sim.errors import DataError, OutputError
from caspian_sim.results import time_axis

CONFIG = {
    "name": "small",
    "title": "A small run",
    "period": {"start": 2026, "end": 2031},
    "climate": {"scenarios": ["ssp245"]},
    "uncertainty": {"members": 2},
    "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-29.5]},
}


@pytest.fixture(scope="module")
def small():
    return cs.run(CONFIG)


@pytest.fixture(scope="module")
def monthly():
    return cs.run({**CONFIG, "output": {"frequency": "monthly"}})


@pytest.fixture
def saved(small, tmp_path):
    return cs.save(small, tmp_path / "small.nc")


def others_in(folder):
    return sorted(path.name for path in folder.iterdir())


# Time


def test_middle_of_a_year_is_noon_of_its_middle_day_or_midnight():
    middle, bounds = time_axis(2023, 2024, "annual")
    assert middle.tolist() == np.array(["2023-07-02T12", "2024-07-02T00"], dtype="datetime64[ns]").tolist()
    assert bounds[:, 0].astype("datetime64[D]").astype(str).tolist() == ["2023-01-01", "2024-01-01"]
    assert bounds[:, 1].astype("datetime64[D]").astype(str).tolist() == ["2024-01-01", "2025-01-01"]


def test_months_end_where_the_next_begin():
    middle, bounds = time_axis(2024, 2024, "monthly")
    assert len(middle) == 12
    assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
    assert bounds[1, 1] - bounds[1, 0] == np.timedelta64(29, "D")


def test_time_reaches_as_far_as_a_configuration_may():
    middle, bounds = time_axis(1937, 2250, "monthly")
    assert (np.diff(middle) > np.timedelta64(0, "ns")).all()
    assert str(bounds[-1, 1])[:10] == "2251-01-01"


# There and back


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_opened_result_is_the_saved_one(small, monthly, tmp_path, frequency):
    dataset = small if frequency == "annual" else monthly
    path = cs.save(dataset, tmp_path / "deep" / "er" / "result.nc")
    assert path == tmp_path / "deep" / "er" / "result.nc"
    xr.testing.assert_identical(cs.open(path), dataset)
    xr.testing.assert_identical(cs.open(path.parent), dataset)


def test_opened_result_can_be_saved_again(saved, tmp_path, small):
    again = cs.save(cs.open(saved), tmp_path / "again.nc")
    xr.testing.assert_identical(cs.open(again), small)


def test_opened_result_leaves_its_file_free(saved, small):
    opened = cs.open(saved)
    cs.save(small, saved)
    os.unlink(saved)
    assert opened.sea_level.shape == small.sea_level.shape


def test_arrays_are_compressed_and_times_are_whole_hours(saved):
    with h5py.File(saved) as file:
        for name in ("sea_level", "river_inflow", "measure_effect"):
            assert file[name].compression == "gzip"
            assert file[name].shuffle
        assert file["time"].attrs["units"] == "hours since 1900-01-01"
        assert file["time"].dtype == file["time_bnds"].dtype == np.int64


def test_file_holds_no_more_than_its_numbers_need(monthly, tmp_path):
    path = cs.save(monthly, tmp_path / "x.nc")
    assert path.stat().st_size < monthly.nbytes + 200_000


# Whole or not at all


def test_failed_save_leaves_the_old_file_and_nothing_else(saved, small, monkeypatch):
    before = saved.read_bytes()

    def full(self, path, **_):
        with open(path, "wb") as file:
            file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(OutputError) as raised:
        cs.save(small * 0.0, saved)
    assert str(raised.value) == (
        f"{saved}: the result cannot be written\n    found    No space left on device"
    )
    assert saved.read_bytes() == before
    assert others_in(saved.parent) == ["small.nc"]


def test_interrupted_save_leaves_the_old_file_and_nothing_else(saved, small, monkeypatch):
    before = saved.read_bytes()

    def interrupted(self, path, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_netcdf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cs.save(small, saved)
    assert saved.read_bytes() == before
    assert others_in(saved.parent) == ["small.nc"]


def test_result_is_complete_before_it_takes_its_place(small, tmp_path, monkeypatch):
    moved = []
    replace = os.replace

    def move(source, target):
        moved.append((cs.open(source), target))
        replace(source, target)

    monkeypatch.setattr(results.os, "replace", move)
    path = cs.save(small, tmp_path / "x.nc")
    xr.testing.assert_identical(moved[0][0], small)
    assert moved[0][1] == path
    assert len(moved) == 1


def test_folder_that_cannot_be_made_is_named(small, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    target = tmp_path / "taken" / "x.nc"
    with pytest.raises(OutputError) as raised:
        cs.save(small, target)
    assert str(raised.value).startswith(f"{target}: the result cannot be written\n    found    ")


# What is not a result


def test_missing_file_is_named_with_a_hint(tmp_path):
    with pytest.raises(DataError) as raised:
        cs.open(tmp_path / "no.nc")
    assert str(raised.value).startswith(f"{tmp_path / 'no.nc'}: no such file\n    hint     ")


def test_file_that_is_not_netcdf_is_named(tmp_path):
    path = tmp_path / "text.nc"
    path.write_text("level_m,area_km2\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        cs.open(path)
    assert str(raised.value).startswith(f"{path}: not a NetCDF file that can be read\n    found    ")


def test_netcdf_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "other.nc"
    xr.Dataset({"x": 1.0}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(DataError) as raised:
        cs.open(path)
    assert str(raised.value) == f"{path}: not a result of caspian_sim\n    found    no attribute input_sha256"


@pytest.mark.parametrize(("names", "found"), [([], "none"), (["a.nc", "b.nc"], "a.nc, b.nc")])
def test_folder_must_hold_one_result(tmp_path, names, found):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(DataError) as raised:
        cs.open(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: a result directory holds one NetCDF file or Zarr folder\n    found    {found}"
    )


# Where a result comes from


def test_result_carries_what_it_was_made_from(small):
    attributes = small.attrs
    assert attributes["Conventions"] == "CF-1.11"
    assert attributes["title"] == "A small run"
    assert attributes["seed"] == "20251211"
    assert attributes["version"] == cs.__version__
    assert attributes["config_hash"] == config_hash(load_config(CONFIG))
    assert json.loads(attributes["input_sha256"]) == dict(data.input_hashes(data.names()))
    assert attributes["created"] in attributes["history"]
    assert attributes["git_revision"]
    assert all(isinstance(value, str) for value in attributes.values())


def test_configuration_in_a_result_is_the_whole_one(small):
    assert parse_config(small.attrs["config"]) == load_config(CONFIG)


def test_place_of_the_output_does_not_make_another_run():
    here, there = (load_config({**CONFIG, "output": {"directory": name}}) for name in ("here", "there"))
    assert config_hash(here) == config_hash(there)


@pytest.mark.parametrize(
    "change",
    [
        {"uncertainty": {"members": 3}},
        {"uncertainty": {"members": 2, "seed": 1}},
        {"period": {"start": 2026, "end": 2032}},
        {"parameters": {"groundwater": 4.5}},
        {"solver": {"steps_per_month": 4}},
        {"programmes": {"none": {}}},
    ],
)
def test_anything_that_changes_the_numbers_changes_the_hash(change):
    assert config_hash(load_config({**CONFIG, **change})) != config_hash(load_config(CONFIG))


def test_name_of_the_run_serves_as_title_when_there_is_none():
    untitled = {key: value for key, value in CONFIG.items() if key != "title"}
    attributes = results.provenance(load_config(untitled))
    assert attributes["title"] == "Caspian Sea level projection: small"


# CF


def test_file_meets_the_climate_and_forecast_conventions(monthly, tmp_path):
    pytest.importorskip("compliance_checker")
    path = cs.save(monthly, tmp_path / "x.nc")
    program = (
        "import sys\n"
        "from compliance_checker.runner import CheckSuite, ComplianceChecker\n"
        "CheckSuite.load_all_available_checkers()\n"
        "path, report = sys.argv[1:]\n"
        "ComplianceChecker.run_checker(\n"
        "    path, ['cf:1.11'], 0, 'normal', output_filename=report, output_format='json'\n"
        ")\n"
    )
    report = tmp_path / "cf.json"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, path, report], check=True, capture_output=True
    )
    (found,) = json.loads(report.read_text(encoding="utf-8")).values()
    problems = [
        message
        for priority in ("high_priorities", "medium_priorities", "low_priorities")
        for check in found[priority]
        for message in check["msgs"]
    ]
    assert problems == []
