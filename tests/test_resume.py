"""A run that is killed, interrupted or out of disk continues where it was, to the same last byte."""

import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import caspian_sim as cs
from caspian_sim import cli, execute, manifest, resume
from caspian_sim.collect import Members
from caspian_sim.config import load_config
from caspian_sim.ensemble import run_kept
from caspian_sim.outputs import write
from caspian_sim.resume import Unfinished
from caspian_sim.simulate import run_members

ROOT = Path(__file__).resolve().parents[1]
MANY = """\
name: many
period: {start: 2026, end: 2028}
climate: {scenarios: [ssp245]}
uncertainty: {members: 16}
programmes:
  none: {}
  joint: {participants: [AZ, IR, KZ, RU, TM]}
outcomes: {thresholds_m: [-29.5], report_years: [2028]}
output: {figures: none}
execution: {chunk: 2, workers: 2}
"""
PARTS = 8
FILES = ["many.nc", "run.log", "summary.csv"]
FOLDER = Path("results/many")
# When a file was made, and by which state of a checkout.
OF_THE_MOMENT = {"created", "history", "git_revision"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working directory with a configuration of eight parts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many.yaml").write_text(MANY, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "many.yaml").write_text(MANY, encoding="utf-8")
    return saved(folder, cs.run(folder / "many.yaml"))


def content(ds):
    """Every byte of a dataset but for the moment at which it was made and its folder."""
    exact = {
        name: (v.dims, v.values.tolist() if v.dtype == object else v.values.tobytes())
        for name, v in ds.variables.items()
    }
    return exact, {k: v for k, v in ds.attrs.items() if k not in OF_THE_MOMENT}


def saved(folder, ds):
    """What comes back of a dataset that is saved."""
    return content(cs.open(cs.save(ds, folder / "whole.nc")))


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def files(directory):
    return sorted(p.relative_to(directory).as_posix() for p in Path(directory).rglob("*"))


class Computed:
    """Counts the parts that are computed, and does something after some of them."""

    def __init__(self, monkeypatch):
        self.first_members = []
        self.then = {}
        monkeypatch.setattr(execute, "run_members", self)

    def __call__(self, plan, members, *hook):
        self.first_members.append(int(members[0]))
        if len(self.first_members) in self.then:
            self.then[len(self.first_members)]()
        return run_members(plan, members, *hook)


@pytest.fixture
def computed(monkeypatch):
    return Computed(monkeypatch)


def stop():
    raise KeyboardInterrupt


@pytest.fixture
def stopped(project, computed):
    """A run that was interrupted in its fifth part, one worker at work."""
    computed.then[5] = stop
    answer = call("run", "many.yaml", "--workers", 1)
    computed.then.clear()
    finished = sorted(int(p.stem[-6:]) for p in (FOLDER / ".resume").glob("part-*.npz"))
    assert answer.exit_code == 130
    assert finished == [0, 1, 2, 3]
    assert answer.output == "interrupted: 4 of 8 parts are finished; continue with --resume\n"
    assert files(FOLDER) == [
        ".resume",
        ".resume/lock",
        ".resume/manifest.json",
        *(f".resume/part-{number:06d}.npz" for number in finished),
    ]
    computed.first_members.clear()
    return computed


# ---- continuing ----------------------------------------------------------------------------------------


def test_interrupted_run_is_resumed_without_doing_anything_twice(stopped, whole):
    answer = call("run", "many.yaml", "--resume")
    assert answer.exit_code == 0, answer.output
    assert sorted(stopped.first_members) == [8, 10, 12, 14]
    assert content(cs.open(FOLDER)) == whole
    assert files(FOLDER) == FILES
    log = (FOLDER / "run.log").read_text(encoding="utf-8")
    assert "resumed when 4 of 8 parts are finished" in log


def test_another_part_size_or_number_of_workers_does_not_hinder_resuming(stopped, whole):
    answer = call("run", "many.yaml", "--resume", "--workers", 1, "--set", "execution.chunk=5")
    assert answer.exit_code == 0, answer.output
    assert stopped.first_members == [8, 10, 12, 14]
    assert content(cs.open(FOLDER)) == whole


@pytest.mark.parametrize("key", ["title=Another", "description=Another", "output.figures=[hypsometry]"])
def test_what_leaves_the_numbers_alone_may_change(stopped, key):
    assert call("run", "many.yaml", "--resume", "--set", key).exit_code == 0
    assert len(stopped.first_members) == 4


def test_folder_may_be_moved_before_it_is_resumed(stopped, whole):
    FOLDER.rename("elsewhere")
    assert call("run", "many.yaml", "--resume", "--output", "elsewhere").exit_code == 0
    assert len(stopped.first_members) == 4
    exact, _ = content(cs.open("elsewhere"))
    assert exact == whole[0]


def test_nothing_to_resume_is_noted_and_the_run_starts_anew(project, whole):
    answer = call("run", "many.yaml", "--resume")
    assert answer.exit_code == 0
    assert answer.stderr == "note: nothing to resume in results/many, the run starts from the beginning\n"
    assert content(cs.open(FOLDER)) == whole


def test_finished_run_is_not_done_again_by_resuming_it(project):
    call("run", "many.yaml")
    answer = call("run", "many.yaml", "--resume")
    assert answer.exit_code == 2
    assert answer.output == (
        f"{FOLDER}: there are results already\n"
        "    found    many.nc, summary.csv, run.log\n"
        "    hint     --overwrite replaces these files and no others; --output writes elsewhere\n"
    )


def test_run_of_one_part_keeps_nothing_aside(project, monkeypatch):
    monkeypatch.setattr(Unfinished, "begin", lambda *_, **__: pytest.fail("nothing is to be kept"))
    assert call("run", "many.yaml", "--set", "execution.chunk=16").exit_code == 0
    assert files(FOLDER) == FILES


def test_interrupt_before_the_first_part_leaves_nothing(project, computed):
    computed.then[1] = stop
    answer = call("run", "many.yaml", "--workers", 1)
    assert (answer.exit_code, answer.output) == (130, "interrupted: nothing was written\n")
    assert files(project) == ["many.yaml"]


def test_interrupt_while_the_results_are_written_loses_no_part(project, computed, monkeypatch, whole):
    with monkeypatch.context() as patched:
        patched.setattr(write, "summary_csv", lambda _: stop())
        answer = call("run", "many.yaml")
    assert answer.output == "interrupted: 8 of 8 parts are finished; continue with --resume\n"
    computed.first_members.clear()
    assert call("run", "many.yaml", "--resume").exit_code == 0
    assert computed.first_members == []
    assert content(cs.open(FOLDER)) == whole


def test_error_that_would_come_again_leaves_nothing(project, computed):
    def leaves_the_range():
        raise cs.errors.SolverError("left the valid range")

    computed.then[5] = leaves_the_range
    answer = call("run", "many.yaml", "--workers", 1)
    assert (answer.exit_code, answer.output) == (2, "left the valid range\n")
    assert files(project) == ["many.yaml"]


# ---- every kind of result ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning:zarr")
@pytest.mark.parametrize("form", ["netcdf", "zarr"])
@pytest.mark.parametrize("keep", ["members", "quantiles", "both"])
def test_every_kind_of_result_is_resumed_and_replaced(project, computed, keep, form):
    if form == "zarr":
        pytest.importorskip("zarr")
    options = ("--set", f"output.keep={keep}", "--set", f"output.format={form}", "--quiet")
    computed.then[5] = stop
    assert call("run", "many.yaml", *options, "--workers", 1).exit_code == 130
    assert call("run", "many.yaml", *options, "--resume").output == ""
    assert len(computed.first_members) == 9
    first = content(cs.open(FOLDER))
    assert call("run", "many.yaml", *options, "--overwrite").output == ""
    assert content(cs.open(FOLDER)) == first
    assert sorted(p.name for p in FOLDER.iterdir()) == [
        "many.nc" if form == "netcdf" else "many.zarr",
        "run.log",
        "summary.csv",
    ]


def test_result_in_another_format_replaces_that_in_the_first(project):
    pytest.importorskip("zarr")
    for form, name in (("netcdf", "many.nc"), ("zarr", "many.zarr"), ("netcdf", "many.nc")):
        assert call("run", "many.yaml", "--set", f"output.format={form}", "--overwrite").exit_code == 0
        assert [p.name for p in FOLDER.iterdir() if p.name.startswith("many")] == [name]
        assert cs.open(FOLDER).sizes["member"] == 16


# ---- refusals ------------------------------------------------------------------------------------------


def test_unfinished_run_is_not_thrown_away_unasked(stopped):
    before = files(FOLDER)
    answer = call("run", "many.yaml")
    assert (answer.exit_code, answer.output) == (
        2,
        f"{FOLDER}: a run was left unfinished here\n"
        "    found    4 of 8 parts are finished\n"
        "    hint     --resume continues it; --overwrite starts anew; --output writes elsewhere\n",
    )
    assert files(FOLDER) == before


def test_overwriting_starts_anew(stopped, whole):
    assert call("run", "many.yaml", "--overwrite").exit_code == 0
    assert len(stopped.first_members) == PARTS
    assert content(cs.open(FOLDER)) == whole
    assert files(FOLDER) == FILES


def test_changed_configuration_is_refused_with_what_changed(stopped):
    before = files(FOLDER)
    changes = ("--set", "uncertainty.seed=3", "--set", "parameters.groundwater=4")
    answer = call("run", "many.yaml", "--resume", *changes)
    assert (answer.exit_code, answer.output) == (
        2,
        f"{FOLDER}: the unfinished run cannot be resumed, its configuration has changed\n"
        "    changed  parameters.groundwater.best: found 4.0, was nothing\n"
        '    changed  parameters.groundwater.distribution: found "fixed", was nothing\n'
        "    changed  uncertainty.seed: found 3, was 20251211\n"
        "    hint     --resume with the configuration as it was, or --overwrite starts anew\n",
    )
    assert stopped.first_members == []
    assert files(FOLDER) == before


def test_another_order_of_the_programmes_is_another_configuration(stopped):
    text = MANY.replace("  none: {}\n", "").replace("outcomes", "  none: {}\noutcomes")
    Path("many.yaml").write_text(text, encoding="utf-8")
    answer = call("run", "many.yaml", "--resume")
    assert answer.exit_code == 2
    assert '    changed  programmes: found ["joint", "none"], was ["none", "joint"]\n' in answer.output


def test_another_version_is_refused(stopped, monkeypatch):
    monkeypatch.setattr(manifest, "__version__", "9.9")
    answer = call("run", "many.yaml", "--resume")
    assert (answer.exit_code, answer.output) == (
        2,
        f"{FOLDER}: the unfinished run cannot be resumed, its version has changed\n"
        f'    changed  caspian_sim: found "9.9", was "{cs.__version__}"\n'
        "    hint     --resume with the version as it was, or --overwrite starts anew\n",
    )


def test_changed_input_is_refused(stopped, monkeypatch):
    inputs = manifest.used_inputs(load_config("many.yaml"))
    monkeypatch.setattr(manifest, "used_inputs", lambda _: {**inputs, "rivers": "0123"})
    answer = call("run", "many.yaml", "--resume")
    assert (answer.exit_code, answer.output) == (
        2,
        f"{FOLDER}: the unfinished run cannot be resumed, its input has changed\n"
        f'    changed  rivers: found "0123", was "{inputs["rivers"]}"\n'
        "    hint     --resume with the input as it was, or --overwrite starts anew\n",
    )


@posix
def test_two_runs_do_not_work_in_one_folder(stopped):
    other = Unfinished(FOLDER)
    with other.held():
        other.begin(load_config("many.yaml"), 2, resume=True, overwrite=False)
        answers = [call("run", "many.yaml", option) for option in ("--resume", "--overwrite")]
        other.remove = lambda: None
    for answer in answers:
        assert (answer.exit_code, answer.output) == (
            2,
            f"{FOLDER}: another run is at work here\n    found    process {os.getpid()}\n"
            "    hint     wait for it, or --output writes elsewhere\n",
        )
    assert len(list(FOLDER.glob(".resume/part-*.npz"))) == 4
    assert call("run", "many.yaml", "--resume").exit_code == 0


# ---- full disk and damaged files -----------------------------------------------------------------------


def test_full_disk_is_one_message_and_costs_no_finished_part(project, computed, monkeypatch, whole):
    save = np.savez

    def full(stream, **arrays):
        if stream.name.endswith("part-000003.npz.tmp"):
            stream.write(b"half of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(stream, **arrays)

    with monkeypatch.context() as patched:
        patched.setattr(resume.np, "savez", full)
        answer = call("run", "many.yaml", "--workers", 1)
    assert (answer.exit_code, answer.output) == (
        2,
        f"{FOLDER}: the disk is full\n"
        "    found    No space left on device\n"
        "    kept     3 of 8 parts are finished\n"
        "    hint     free space and run again with --resume\n",
    )
    assert not list(FOLDER.rglob("*.tmp"))
    computed.first_members.clear()
    assert call("run", "many.yaml", "--resume").exit_code == 0
    assert sorted(computed.first_members) == [6, 8, 10, 12, 14]
    assert content(cs.open(FOLDER)) == whole


def test_damaged_part_is_computed_again_with_a_warning(stopped, whole):
    part = FOLDER / ".resume" / "part-000001.npz"
    damaged = bytearray(part.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    part.write_bytes(damaged)
    (FOLDER / ".resume" / "part-000003.npz").write_bytes(b"")
    answer = call("run", "many.yaml", "--resume", "--quiet")
    assert answer.exit_code == 0
    assert answer.output == "".join(
        f"warning: {FOLDER / '.resume' / name} is damaged; its members are computed again\n"
        for name in ("part-000001.npz", "part-000003.npz")
    )
    assert sorted(stopped.first_members) == [2, 6, 8, 10, 12, 14]
    assert content(cs.open(FOLDER)) == whole


PART = Members(np.arange(3), {"level": np.linspace(-29, -30, 6).reshape(2, 3), "area": np.ones(3)}, 7, 28)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = Unfinished(tmp_path_factory.mktemp("results"))
    folder.folder.mkdir()
    return folder


def same(part):
    exact = {name: (a.shape, a.tobytes()) for name, a in {**part.arrays, "members": part.members}.items()}
    return exact, part.steps, part.evaluations


@settings(deadline=None, max_examples=200)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
@pytest.mark.filterwarnings("ignore:.*zip.*")
def test_part_is_read_as_it_was_written_or_not_at_all(kept, place, bit, cut):
    kept.write(0, PART)
    path = kept.folder / "part-000000.npz"
    text = bytearray(path.read_bytes())
    at = int(place * len(text))
    if cut:
        del text[at:]
    else:
        text[at] ^= 1 << bit
    path.write_bytes(text)
    found = kept.read(0)
    assert found is None or same(found) == same(PART)


# ---- stores that sum up --------------------------------------------------------------------------------


def test_state_of_a_summing_store_takes_the_place_of_parts_and_of_older_states(project, monkeypatch):
    config = load_config("many.yaml", ["output.keep=quantiles", "execution.chunk=1"])
    expected = cs.run(config)
    monkeypatch.setattr(resume, "COMPACT_RATIO", 0)
    monkeypatch.setattr(resume, "COMPACT_PARTS", 3)
    unfinished = Unfinished(project)
    compact, seen = Unfinished.compact, []

    def stops_at_11(self, store, covered):
        compact(self, store, covered)
        seen.append(sorted(path.name for path in self.folder.glob("*-*.npz") if "state" in path.name))
        assert len(list(self.folder.glob("part-*.npz"))) <= 2 + 2 * execute.PARTS_PER_WORKER
        if covered == 11:
            stop()

    with monkeypatch.context() as patched:
        patched.setattr(Unfinished, "compact", stops_at_11)
        with pytest.raises(KeyboardInterrupt), unfinished.held(), unfinished.kept():
            run_kept(config, unfinished=unfinished)
    assert seen[2:4] == [["state-000003.npz"]] * 2
    assert seen[-1] == ["state-000009.npz"]
    computed = Computed(monkeypatch)
    again = Unfinished(project)
    with again.held():
        found = run_kept(config, unfinished=again, resume=True)
    assert min(computed.first_members) >= 11
    assert content(found) == content(expected)


def test_damaged_state_is_done_again_with_a_warning(project, monkeypatch, caplog):
    config = load_config("many.yaml", ["output.keep=quantiles"])
    expected = cs.run(config)
    monkeypatch.setattr(resume, "COMPACT_RATIO", 0)
    monkeypatch.setattr(resume, "COMPACT_PARTS", PARTS)
    unfinished = Unfinished(project)
    with monkeypatch.context() as patched, unfinished.held():
        patched.setattr(unfinished, "remove", lambda: None)
        run_kept(config, unfinished=unfinished)
    state = unfinished.folder / "state-000008.npz"
    assert unfinished.finished() == set()
    state.write_bytes(state.read_bytes()[:-100])
    computed = Computed(monkeypatch)
    again = Unfinished(project)
    with again.held():
        found = run_kept(config, unfinished=again, resume=True)
    assert len(computed.first_members) == PARTS
    assert content(found) == content(expected)
    assert f"{state} is damaged; the members that it covers are computed again" in caplog.text


# ---- kill -9 -------------------------------------------------------------------------------------------

# Parts that take a while, so that the moment of death falls anywhere between start and end.
SLOW = """
import sys, time
from caspian_sim import execute
from caspian_sim.cli import main
done = execute.run_members
def slow(*arguments):
    time.sleep(0.05)
    return done(*arguments)
execute.run_members = slow
main(sys.argv[1:])
"""


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )


def kill_in_a_loop(kills, seed, *options):
    """Kill a run at random moments and let the last one end; return how often it was still alive."""
    moments, alive = random.Random(seed), 0
    for number in range(kills + 1):
        process = started("run", "many.yaml", "--resume", "--quiet", *options)
        if number < kills:
            deadline = time.monotonic() + 60
            while not FOLDER.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=120)
        alive += process.returncode == -signal.SIGKILL
        ended_before = "there are results already" in err
        assert process.returncode in (0, -signal.SIGKILL) or ended_before, err
        assert err == "" or ended_before
    return alive


@posix
def test_run_killed_again_and_again_ends_as_if_nothing_had_happened(project, whole):
    assert kill_in_a_loop(3, seed=1) >= 1
    assert content(cs.open(FOLDER)) == whole
    assert [name for name in files(FOLDER) if "resume" in name] == []


@posix
@pytest.mark.slow
@pytest.mark.parametrize("keep", ["members", "quantiles"])
def test_run_killed_fifteen_times_ends_as_if_nothing_had_happened(project, keep):
    options = ("--set", f"output.keep={keep}", "--set", "uncertainty.members=64", "--workers", "1")
    assert kill_in_a_loop(15, 2, *options) >= 5
    changes = [f"output.keep={keep}", "uncertainty.members=64"]
    assert content(cs.open(FOLDER)) == saved(project, cs.run("many.yaml", overrides=changes))


@posix
def test_process_killed_while_results_move_in_is_resumed(project, whole):
    code = """
import os, signal, sys
from caspian_sim.cli import main
replace = os.replace
def dies(source, target):
    replace(source, target)
    if str(target).endswith("run.log"):
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = dies
main(sys.argv[1:])
"""
    process = subprocess.run(
        [sys.executable, "-c", code, "run", "many.yaml"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert (FOLDER / "many.nc").exists() != (FOLDER / "summary.csv").exists()
    assert call("run", "many.yaml", "--resume").exit_code == 0
    assert files(FOLDER) == FILES
    assert content(cs.open(FOLDER)) == whole


@posix
def test_signal_of_the_user_names_the_parts_that_are_finished(project):
    process = started("run", "many.yaml", "--workers", "1")
    deadline = time.monotonic() + 60
    while not list(FOLDER.glob(".resume/part-000001.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(r"interrupted: [2-8] of 8 parts are finished; continue with --resume\n", err)
    assert json.loads((FOLDER / ".resume" / "manifest.json").read_text(encoding="utf-8"))["parts"] == PARTS
