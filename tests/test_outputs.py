"""The folder of a run: what its tables say, and that it is written whole or not at all."""

import io
import os
import shutil
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim.config import load_config
from caspian_sim.errors import OutputError
from caspian_sim.evaluate.hindcast import hindcast
from caspian_sim.figures import FIGURES
from caspian_sim.outputs import folder
from caspian_sim.outputs.folder import check_space, staged
from caspian_sim.outputs.log import LOGGER, recorded, timed
from caspian_sim.outputs.scores import TABLES, scores, scores_csv
from caspian_sim.outputs.summary import summary, summary_csv
from caspian_sim.outputs.write import state_size, write_run

# 21 members: the 5, 50 and 95 % points are the members of rank 1, 10 and 19, without interpolation.
CONFIG = {
    "name": "tiny",
    "title": "A title\nof two lines",
    "period": {"start": 2026, "end": 2030},
    "climate": {"scenarios": ["ssp245"]},
    "uncertainty": {"members": 21},
    "measures": {
        "catalogue": "none",
        "custom": [
            {
                "id": name,
                "state": state,
                "title": "save water",
                "mechanism": "consumption",
                "volume_km3_per_yr": {"low": 1, "best": 1, "high": 1},
                "start": "2026",
                "grade": grade,
                "source": "assumed",
            }
            for name, state, grade in (
                ("assumed", "AZ", "D"),
                ("measured", "AZ", "A"),
                ("idle", "AZ", "D"),
                ("foreign", "RU", "D"),
            )
        ],
    },
    "programmes": {"none": {}, "joint": {"participants": ["AZ"], "measures": ["assumed", "measured"]}},
    "outcomes": {"thresholds_m": [-29.5, -31], "report_years": [2028, 2030]},
}


@pytest.fixture(scope="module")
def result():
    return cs.run(CONFIG)


@pytest.fixture
def known(result):
    """The result with levels of whole centimetres: rank r of none in 2030 is -30 + r/100 m BHS."""
    ds = result.copy(deep=True)
    ranks = np.random.default_rng(1).permutation(21)
    years = 0.1 * (np.arange(2026, 2031) - 2030)
    ds["sea_level"][0, 0] = -30.0 + ranks[:, None] / 100 - years
    ds["sea_level"][0, 1] = ds["sea_level"][0, 0] + 0.25
    return ds


# ---- summary -----------------------------------------------------------------------------------


def test_summary_has_a_row_for_each_scenario_programme_and_report_year(result):
    rows = summary(result)[["scenario", "programme", "year"]].values.tolist()
    assert rows == [["ssp245", p, y] for p in ("none", "joint") for y in (2028, 2030)]


def test_without_report_years_the_last_year_is_summarised():
    ds = cs.run({**CONFIG, "uncertainty": {"members": 2}, "outcomes": {}})
    table = summary(ds)
    assert table["year"].tolist() == [2030, 2030]
    assert not [column for column in table if column.startswith("share_below")]


def test_percentiles_of_the_level_are_those_of_the_members(known):
    row = summary(known).iloc[1]
    assert [row[f"level_{p}_m_bhs"] for p in ("p05", "p50", "p95")] == [-29.99, -29.9, -29.81]
    assert row["level_mean_m_bhs"] == -29.9
    assert row["members"] == 21


def test_fall_counts_down_from_the_reference_level_so_its_high_end_is_the_low_end_of_the_level(known):
    row = summary(known).iloc[1]
    assert row["reference_level_m_bhs"] == -29.22
    for fall, level in (("p05", "p95"), ("p50", "p50"), ("p95", "p05")):
        assert_allclose(row[f"fall_{fall}_m"], -29.22 - row[f"level_{level}_m_bhs"], atol=1e-9)


def test_gain_over_none_is_paired_member_by_member(known):
    table = summary(known)
    points = [f"above_none_{p}_m" for p in ("p05", "p50", "p95")]
    assert table.loc[table["programme"] == "joint", points].values.tolist() == [[0.25] * 3] * 2
    assert table.loc[table["programme"] == "none", points].values.tolist() == [[0.0] * 3] * 2


def test_no_gain_is_given_when_nothing_is_there_to_compare_with():
    ds = cs.run({**CONFIG, "uncertainty": {"members": 2}, "programmes": {"joint": {"participants": ["AZ"]}}})
    assert not [column for column in summary(ds) if column.startswith("above_none")]
    assert "above_none" not in summary_csv(ds)


def test_monthly_output_is_summarised_by_years_as_annual_output_is(result):
    monthly = cs.run({**CONFIG, "output": {"frequency": "monthly"}})
    months, years = summary(monthly), summary(result)
    # Seabed follows from the mean level of the interval along a curve with kinks: not quite the same.
    bent = list(years.filter(like="avoided_exposed"))
    pd.testing.assert_frame_equal(months.drop(columns=bent), years.drop(columns=bent))
    assert_allclose(months[bent], years[bent], rtol=0.1)


def test_share_below_grows_with_the_years_and_counts_crossings_to_the_end_of_the_year(known):
    known["sea_level"][:] = -29.0
    known["first_event"][:] = np.nan
    known["first_event"][0, 0, :7, 0] = 2028.99
    known["first_event"][0, 0, 7:14, 0] = 2029.0
    shares = summary(known)[["share_below_-29.5_m_bhs", "share_below_-31_m_bhs"]].values
    assert_allclose(shares, [[1 / 3, 0], [2 / 3, 0], [0, 0], [0, 0]], atol=5e-5)


def test_sea_that_starts_below_a_threshold_has_been_below_it_though_it_never_crossed():
    ds = cs.run(
        {**CONFIG, "uncertainty": {"members": 2}, "initial": {"level_m": -30.5}, "solver": {"method": "RK45"}}
    )
    ds["first_event"][:] = np.nan
    assert summary(ds)["share_below_-29.5_m_bhs"].tolist() == [1.0] * 4


def test_summary_file_reads_back_with_its_comments_skipped(result):
    read = pd.read_csv(io.StringIO(summary_csv(result)), comment="#")
    pd.testing.assert_frame_equal(read, summary(result))


def test_header_of_the_summary_names_origin_datum_and_the_assumptions_that_were_used(result):
    header = [line[2:] for line in summary_csv(result).splitlines() if line.startswith("# ")]
    assert header[0] == "A title of two lines"
    assert f"configuration {result.attrs['config_hash']}" in header
    assert any(line.startswith(f"run tiny, caspian_sim {cs.__version__}, git ") for line in header)
    assert "assumptions, not data (grade D), measures: assumed" in header
    assert any("Baltic Height System" in line for line in header)
    parameters = next(
        line for line in header if line.startswith("assumptions, not data (grade D), parameters")
    )
    named = set(parameters.partition("parameters: ")[2].split(", "))
    grades = dict(zip(result["parameter"].values, result["parameter_grade"].values, strict=True))
    assert named == {name for name, grade in grades.items() if grade == "D"}
    # The record determines the rating of the strait, and says nothing of precipitation.
    assert grades["strait_coefficient_after_1992"] == "B"
    assert {"precipitation", "precipitation_sensitivity", "area_factor"} <= named


# ---- hindcast ----------------------------------------------------------------------------------


def test_tables_of_the_hindcast_are_its_scores_to_the_millimetre():
    ds = hindcast()
    assert_allclose(scores(ds, "scores")["rmse_m"], ds["rmse"], atol=5.1e-4)
    decades = scores(ds, "decades").set_index(["run", "decade"])["mean_error_m"]
    for run in ds["run"].values:
        assert_allclose(decades[run], ds["decade_error"].sel(run=run), atol=5.1e-4)
    assert scores(ds, "terms")["term"].tolist() == ds["term"].values.tolist()
    for table in TABLES:
        read = pd.read_csv(io.StringIO(scores_csv(ds, table)), comment="#")
        exact = scores(ds, table)
        # Metres to the millimetre, mm/yr to the whole number, and no negative zero.
        for column, digits in ((c, 0 if "mm_per_yr" in c else 3) for c in exact if c.endswith(("_m", "_yr"))):
            exact[column] = exact[column].round(digits) + 0.0
        pd.testing.assert_frame_equal(read, exact, check_dtype=False)


# ---- writing -----------------------------------------------------------------------------------

NAMES = ["a.nc", "b.csv", "figures/c.png"]


def make(stage, text="new", names=NAMES):
    for name in names:
        (stage / name).parent.mkdir(exist_ok=True)
        (stage / name).write_text(text)


def content(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_text()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def old(tmp_path):
    """A folder with an earlier result, one of its figures no longer drawn, and files of a user."""
    directory = tmp_path / "results"
    (directory / "figures").mkdir(parents=True)
    for name in (*NAMES, "figures/stale.png", "notes.txt", "figures/mine.png"):
        (directory / name).write_text("old")
    return directory


def test_files_appear_together_and_nothing_else_is_left(tmp_path):
    directory = tmp_path / "new" / "results"
    with staged(directory, NAMES) as stage:
        make(stage)
        assert content(directory) != {}
        assert not (directory / "a.nc").exists()
    assert content(directory) == dict.fromkeys(NAMES, "new")
    assert sorted(path.name for path in directory.iterdir()) == ["a.nc", "b.csv", "figures"]


def fail_after_making(error, directory, **options):
    with staged(directory, NAMES, **options) as stage:
        make(stage)
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OutputError])
def test_failure_leaves_no_trace_of_a_folder_that_was_not_there(tmp_path, error):
    with pytest.raises(error):
        fail_after_making(error, tmp_path / "new" / "results")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OutputError])
def test_failure_leaves_an_earlier_result_as_it_was(old, error):
    before = content(old)
    with pytest.raises(error):
        fail_after_making(error, old, overwrite=True, stale=["figures/stale.png"])
    assert content(old) == before


def test_overwriting_replaces_and_removes_its_own_files_and_no_others(old):
    with staged(old, NAMES, overwrite=True, stale=["figures/stale.png"]) as stage:
        make(stage)
    mine = {"notes.txt": "old", "figures/mine.png": "old"}
    assert content(old) == {**dict.fromkeys(NAMES, "new"), **mine}


def test_folder_of_figures_goes_with_its_last_figure(tmp_path):
    with staged(tmp_path, NAMES) as stage:
        make(stage)
    with staged(tmp_path, ["b.csv"], overwrite=True, stale=["figures/c.png"]) as stage:
        make(stage, names=["b.csv"])
    assert not (tmp_path / "figures").exists()


def test_existing_results_are_refused_before_anything_is_made(old):
    before = content(old)
    with pytest.raises(OutputError) as caught, staged(old, [*NAMES, "figures/stale.png"]):
        pytest.fail("nothing may be made")
    assert str(caught.value) == (
        f"{old}: there are results already\n"
        "    found    a.nc, b.csv, figures/c.png and 1 more\n"
        "    hint     --overwrite replaces these files and no others; --output writes elsewhere"
    )
    assert content(old) == before


def test_results_that_appear_during_the_run_are_not_overwritten(tmp_path):
    def two_at_once():
        with staged(tmp_path, NAMES) as stage:
            make(stage)
            (tmp_path / "b.csv").write_text("of another run")

    with pytest.raises(OutputError, match="there are results already"):
        two_at_once()
    assert content(tmp_path) == {"b.csv": "of another run"}


def test_other_files_in_the_folder_are_no_reason_to_refuse(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with staged(tmp_path, NAMES, stale=["figures/stale.png"]) as stage:
        make(stage)
    assert content(tmp_path) == {"notes.txt": "mine", **dict.fromkeys(NAMES, "new")}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moved", range(3))
@pytest.mark.parametrize("there", [True, False])
def test_failure_of_any_move_puts_everything_back(old, monkeypatch, moved, there, error):
    directory = old if there else old.parent / "fresh" / "results"
    before = content(old)
    replace, count = os.replace, []

    def fails(source, target):
        if f"{os.sep}new{os.sep}" in os.fspath(source):
            count.append(target)
            if len(count) == moved + 1:
                raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected), staged(directory, NAMES, overwrite=there) as stage:
        make(stage)
    assert len(count) >= moved + 1
    assert content(old) == before
    assert directory.exists() == there


def test_files_are_put_back_also_where_the_disk_has_no_links(old, monkeypatch):
    before = content(old)
    replace = os.replace

    def no_link(*_, **__):
        raise OSError("no links here")

    def fails(source, target):
        if os.fspath(target).endswith("c.png") and f"{os.sep}new{os.sep}" in os.fspath(source):
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "link", no_link)
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OutputError) as caught, staged(old, NAMES, overwrite=True) as stage:
        make(stage)
    assert str(caught.value) == f"{old}: cannot be written\n    found    Permission denied"
    assert content(old) == before


def test_file_where_the_folder_belongs_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught, staged(tmp_path / "file" / "results", NAMES):
        pytest.fail("nothing may be made")
    assert str(caught.value) == (
        f"{tmp_path / 'file' / 'results'}: cannot be written\n"
        f"    found    {tmp_path / 'file'} is no folder\n"
        "    hint     --output writes elsewhere"
    )


def test_folder_where_a_file_belongs_is_reported_even_when_overwriting(tmp_path):
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(OutputError) as caught, staged(tmp_path, NAMES, overwrite=True):
        pytest.fail("nothing may be made")
    assert str(caught.value) == (
        f"{tmp_path}: cannot be written\n    found    a folder called b.csv\n    allowed  a file, or nothing"
    )


def test_folder_that_may_not_be_written_is_reported_before_anything_is_made(tmp_path, monkeypatch):
    def refuses(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folder.tempfile, "mkdtemp", refuses)
    with pytest.raises(OutputError) as caught, staged(tmp_path / "results", NAMES):
        pytest.fail("nothing may be made")
    assert str(caught.value) == f"{tmp_path / 'results'}: cannot be written\n    found    Permission denied"
    assert list(tmp_path.iterdir()) == []


def test_messages_name_the_place_that_the_user_knows(tmp_path):
    with pytest.raises(OutputError) as caught, staged(tmp_path, NAMES) as stage:
        folder.write_text(stage / "nowhere" / "b.csv", "text")
    path = tmp_path / "nowhere" / "b.csv"
    assert str(caught.value) == f"{path}: cannot be written\n    found    No such file or directory"


def test_disk_without_room_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2e6))
    check_space(tmp_path, 2e6)
    with pytest.raises(OutputError) as caught:
        check_space(tmp_path, 3e6)
    assert str(caught.value) == (
        f"{tmp_path}: the disk has no room for the results\n    found    2 MB free\n"
        "    needed   up to 3 MB\n    hint     fewer members, or output.frequency annual"
    )


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_space_asked_for_is_that_of_the_arrays_with_every_dimension(frequency):
    config = load_config({**CONFIG, "uncertainty": {"members": 3}, "output": {"frequency": frequency}})
    every = {"scenario", "programme", "member", "time"}
    arrays = [array for array in cs.run(config).data_vars.values() if set(array.dims) == every]
    assert state_size(config) == sum(array.nbytes for array in arrays)


def test_drawing_that_fails_leaves_the_earlier_result_untouched(tmp_path, monkeypatch):
    settings = {**CONFIG, "uncertainty": {"members": 2}, "output": {"figures": ["hypsometry"]}}
    config = load_config({**settings, "output": {**settings["output"], "directory": str(tmp_path / "r")}})
    write_run(config)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def fails(_):
        raise ZeroDivisionError

    kind = FIGURES["hypsometry"]
    monkeypatch.setattr(
        "caspian_sim.figures.FIGURES", {"hypsometry": type(kind)(fails, kind.table, kind.shows)}
    )
    with pytest.raises(ZeroDivisionError):
        write_run(config, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# ---- log ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("always")
def test_log_keeps_messages_stages_and_warnings_with_time_stamps():
    with recorded() as log:
        LOGGER.info("first\nsecond")
        with timed("stage"):
            warnings.warn("mind the gap", UserWarning, stacklevel=1)
    LOGGER.warning("after the run")
    lines = log.text.splitlines()
    assert [line[20:] for line in lines[:1]] == [" INFO    first"]
    assert lines[0][:20].endswith("Z")
    assert lines[1] == "    second"
    assert lines[2].endswith("WARNING UserWarning: mind the gap")
    assert " INFO    stage: " in lines[3]
    assert log.warnings == ["UserWarning: mind the gap"]
    assert len(lines) == 4
