"""The command line: what each command prints and leaves, and how it fails."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import caspian_sim as cs
from caspian_sim import cli
from caspian_sim.cli.shared import progress_bar
from caspian_sim.config import load_config
from caspian_sim.outputs import write
from caspian_sim.outputs.summary import summary
from caspian_sim.outputs.terminal import print_result

ROOT = Path(__file__).resolve().parents[1]
TINY = """\
name: tiny
period: {start: 2026, end: 2030}
climate: {scenarios: [ssp245]}
uncertainty: {members: 2}
programmes:
  none: {}
  joint: {participants: [AZ, IR, KZ, RU, TM]}
outcomes: {thresholds_m: [-30], report_years: [2030]}
output: {figures: none}
"""
FILES = ["run.log", "summary.csv", "tiny.nc"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working directory with a small configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def files(directory):
    return sorted(p.relative_to(directory).as_posix() for p in Path(directory).rglob("*") if p.is_file())


def started(*arguments, **options):
    code = "from caspian_sim.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        **options,
    )


# ---- run ---------------------------------------------------------------------------------------


def test_run_writes_the_dataset_the_summary_and_the_log(project):
    answer = call("run", "tiny.yaml")
    assert answer.exit_code == 0, answer.output
    assert files("results/tiny") == FILES
    ds = cs.open("results/tiny")
    assert ds.attrs["config_hash"] == cs.run("tiny.yaml").attrs["config_hash"]
    assert pd.read_csv("results/tiny/summary.csv", comment="#").equals(summary(ds))
    assert "results" in answer.output
    assert "tiny.nc, summary.csv, run.log" in answer.output


def test_run_prints_level_and_fall_of_each_programme_within_80_columns(project):
    output = call("run", "tiny.yaml").output
    none = summary(cs.open("results/tiny")).iloc[0]
    row = next(line for line in output.splitlines() if line.startswith("ssp245"))
    assert re.split(r"  +", row.strip()) == [
        "ssp245",
        "none",
        "2030",
        f"{none['level_p50_m_bhs']:.2f}",
        f"{none['level_p05_m_bhs']:.2f} to {none['level_p95_m_bhs']:.2f}",
        f"{none['fall_p50_m']:.2f}",
        f"{none['fall_p05_m']:.2f} to {none['fall_p95_m']:.2f}",
    ]
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output


def test_run_draws_the_figures_that_the_configuration_names_with_their_numbers(project):
    answer = call("run", "tiny.yaml", "--set", "output.figures=[hypsometry, projection]")
    assert answer.exit_code == 0, answer.output
    drawn = [
        f"figures/{name}.{end}" for name in ("hypsometry", "projection") for end in ("csv", "png", "svg")
    ]
    assert files("results/tiny") == [*drawn, *FILES]
    # A run without one of the figures must not leave the old one beside the new numbers.
    (project / "results/tiny/figures/mine.png").write_text("mine")
    assert call("run", "tiny.yaml", "--overwrite", "--set", "output.figures=[hypsometry]").exit_code == 0
    assert files("results/tiny") == [*drawn[:3], "figures/mine.png", *FILES]


def test_run_figures_of_a_sea_of_the_users_own(project, monkeypatch):
    (project / "curve.csv").write_text("level_m,area_km2\n-60,100000\n-25,400000\n", encoding="utf-8")
    shown = []
    kind = write.figures.FIGURES["hypsometry"]
    recording = type(kind)(
        lambda curve: shown.append(curve.area(-25)) or kind.draw(curve), kind.table, "basin"
    )
    monkeypatch.setattr(write.figures, "FIGURES", {"hypsometry": recording})
    options = ("--set", "basin.hypsometry=curve.csv", "--set", "output.figures=[hypsometry]")
    answer = call("run", "tiny.yaml", *options)
    assert answer.exit_code == 0, answer.output
    assert shown == [400000]


def test_log_holds_what_a_run_was_made_of(project):
    call("run", "tiny.yaml")
    log = Path("results/tiny/run.log").read_text(encoding="utf-8")
    ds = cs.open("results/tiny")
    for part in (
        f"caspian_sim {cs.__version__} on Python {sys.version_info.major}.{sys.version_info.minor}",
        f"tiny.yaml, SHA-256 {ds.attrs['config_hash']}",
        "    name: tiny\n",
        f"2 members in 1 scenarios and 2 programmes, seed {ds.attrs['seed']}",
        f"solver: {ds.attrs['solver_steps']} steps, {ds.attrs['solver_evaluations']} evaluations",
        "largest residual of the water budget in an interval: ",
        "integration: ",
    ):
        assert part in log, part


def test_output_on_the_command_line_wins_over_the_configuration(project):
    answer = call("run", "tiny.yaml", "--output", "2050", "--set", "output.directory=elsewhere", "--quiet")
    assert answer.exit_code == 0, answer.output
    assert files("2050") == FILES
    assert not Path("elsewhere").exists()


def test_quiet_run_prints_nothing(project):
    assert call("run", "tiny.yaml", "--quiet").output == ""


def test_results_are_not_overwritten_unless_asked(project):
    call("run", "tiny.yaml")
    before = {name: Path("results/tiny", name).read_bytes() for name in FILES}
    answer = call("run", "tiny.yaml")
    assert answer.exit_code == 2
    assert answer.output == (
        f"{Path('results/tiny')}: there are results already\n"
        "    found    tiny.nc, summary.csv, run.log\n"
        "    hint     --overwrite replaces these files and no others; --output writes elsewhere\n"
    )
    assert {name: Path("results/tiny", name).read_bytes() for name in FILES} == before
    Path("results/tiny/notes.txt").write_text("mine")
    assert call("run", "tiny.yaml", "--overwrite", "--set", "uncertainty.seed=1").exit_code == 0
    assert cs.open("results/tiny").attrs["seed"] == "1"
    assert Path("results/tiny/notes.txt").read_text() == "mine"


def test_misspelt_key_is_reported_word_for_word_and_leaves_no_folder(project):
    Path("typo.yaml").write_text(TINY.replace("members", "member"), encoding="utf-8")
    answer = call("run", "typo.yaml")
    assert answer.exit_code == 2
    assert answer.output == (
        "typo.yaml:4:15  uncertainty.member: unknown key 'member'\n"
        "    allowed  members, seed, parameters, posterior, sampling, variability\n"
        "    hint     did you mean 'members'?\n"
    )
    assert not Path("results").exists()


def test_error_found_after_the_folder_was_made_leaves_no_folder(project):
    answer = call("run", "tiny.yaml", "--set", "period.start=2000", "--quiet")
    assert answer.exit_code == 2
    assert answer.output.startswith("a projection cannot start in 2000\n")
    assert not Path("results").exists()


def interrupts(config, **_):
    def stop(done, total):
        raise KeyboardInterrupt

    return cs.run(config, progress=stop)


@pytest.mark.parametrize("command", [("run", "tiny.yaml"), ("hindcast",)])
def test_interrupt_leaves_nothing_and_says_so(project, monkeypatch, command):
    def stop(progress):
        progress(1, 5)
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "run_kept", interrupts)
    monkeypatch.setattr(write, "hindcast", stop)
    answer = call(*command)
    assert (answer.exit_code, answer.output) == (130, "interrupted: nothing was written\n")
    assert not Path("results").exists()


def test_interrupt_keeps_the_earlier_result(project, monkeypatch):
    call("run", "tiny.yaml")
    before = {name: Path("results/tiny", name).read_bytes() for name in FILES}
    monkeypatch.setattr(write, "run_kept", interrupts)
    assert call("run", "tiny.yaml", "--overwrite").exit_code == 130
    assert {name: Path("results/tiny", name).read_bytes() for name in FILES} == before
    assert files("results/tiny") == FILES


def test_bug_keeps_its_traceback_and_exits_with_1(project, monkeypatch):
    def fails(config, **_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(write, "run_kept", fails)
    answer = call("run", "tiny.yaml")
    assert answer.exit_code == 1
    assert isinstance(answer.exception, ZeroDivisionError)
    assert not Path("results").exists()


@pytest.mark.filterwarnings("always")
def test_warning_of_a_run_is_shown_and_logged(project, monkeypatch):
    def warns(config, **_):
        write.LOGGER.warning("two scenarios are the same")
        return cs.run(config)

    monkeypatch.setattr(write, "run_kept", warns)
    assert call("run", "tiny.yaml", "--quiet").output == "warning: two scenarios are the same\n"
    assert "WARNING two scenarios are the same" in Path("results/tiny/run.log").read_text(encoding="utf-8")


# ---- terminal ----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only_and_not_when_quiet(monkeypatch):
    with progress_bar(quiet=False) as progress:
        assert progress is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar(quiet=True) as progress:
        assert progress is None
    with progress_bar(quiet=False) as progress:
        progress("integrating", 1, 4)
        progress("integrating", 3, 4)
        time.sleep(0.15)
    assert "integrating" in terminal.getvalue()
    assert "75%" in terminal.getvalue()


def test_one_member_has_no_range(project, capsys):
    print_result(cs.run("tiny.yaml", overrides=["uncertainty.members=1"]))
    out = capsys.readouterr().out
    assert "ssp245" in out
    assert " to " not in out


def test_long_table_shows_the_last_year_and_says_where_the_others_are(project, capsys, monkeypatch):
    monkeypatch.setattr("caspian_sim.outputs.terminal.MOST_ROWS", 3)
    print_result(cs.run("tiny.yaml"))
    assert "summary.csv" not in capsys.readouterr().out
    print_result(cs.run("tiny.yaml", overrides=["outcomes.report_years=[2027, 2030]"]))
    out = capsys.readouterr().out
    assert "(other years: summary.csv)\n" in out
    assert "2030" in out
    assert "2027" not in out


# ---- other commands ----------------------------------------------------------------------------


def test_hindcast_writes_its_folder_and_prints_its_scores(project):
    answer = call("hindcast")
    assert answer.exit_code == 0, answer.output
    figures = [f"figures/{name}.{end}" for name in ("checklist", "hindcast") for end in ("csv", "png", "svg")]
    tables = ["checks.csv", "decades.csv", "hindcast.nc", "run.log", "scores.csv", "terms.csv"]
    assert files("results/hindcast") == sorted([*figures, *tables])
    ds = cs.open("results/hindcast")
    for run in ds["run"].values:
        assert re.search(rf"{run} +{float(ds['rmse'].sel(run=run)):.2f} ", answer.output)
    assert all(term in answer.output for term in ds["term"].values)
    assert call("hindcast").exit_code == 2
    shown = call("show", "results/hindcast").output
    assert answer.output.startswith(shown)


def test_show_prints_the_table_of_a_run_again(project):
    printed = call("run", "tiny.yaml").output
    shown = call("show", "results/tiny")
    assert shown.exit_code == 0
    assert printed.startswith(shown.output)


def test_show_says_when_there_is_no_result(project):
    answer = call("show", "nowhere.nc")
    assert answer.exit_code == 2
    assert answer.output.startswith("nowhere.nc: no such file\n")


def test_validate_summarises_a_valid_configuration(project):
    answer = call("validate", "tiny.yaml", "--set", "uncertainty.members=7")
    assert answer.exit_code == 0
    assert answer.output.startswith("tiny.yaml: valid\n<Config tiny>\n")
    assert "7 members" in answer.output
    assert not Path("results").exists()


def test_validate_reports_every_problem_at_once(project):
    answer = call("validate", "tiny.yaml", "--set", "uncertainty.members=0", "--set", "period.end=1900")
    assert answer.exit_code == 2
    assert "--set uncertainty.members=0  uncertainty.members: " in answer.output
    assert "--set period.end=1900  period.end: " in answer.output


def test_schema_is_the_one_that_the_configurations_name(project):
    committed = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert call("schema").output == committed
    assert call("schema", "--output", "schema.json").output == ""
    assert Path("schema.json").read_text(encoding="utf-8") == committed
    assert call("schema", "--output", "nowhere/schema.json").exit_code == 2


def test_init_writes_a_valid_configuration_and_never_over_another(project):
    answer = call("init")
    assert (answer.exit_code, answer.output) == (
        0,
        "caspian.yaml: written\nnext: caspian-sim run caspian.yaml\n",
    )
    assert load_config("caspian.yaml").name == "my-run"
    Path("caspian.yaml").write_text(TINY)
    assert call("init").exit_code == 2
    assert Path("caspian.yaml").read_text() == TINY
    assert call("init", "other.yaml").exit_code == 0
    assert Path("other.yaml").exists()


def test_data_lists_every_dataset_with_period_grade_and_source():
    answer = call("data")
    assert answer.exit_code == 0
    joined = " ".join(answer.output.split())
    for entry in cs.data.catalogue():
        assert f"{entry.name} {' '.join(entry.title.split())}" in joined
        assert f"grade {entry.grade}" in joined
        assert f"source: {' '.join(entry.source.split())}" in joined


@pytest.mark.parametrize("name", [entry.name for entry in cs.data.catalogue()])
def test_data_describes_each_dataset_with_its_first_rows(name):
    answer = call("data", name)
    assert answer.exit_code == 0, answer.output
    for variable, array in cs.data.load(name).data_vars.items():
        unit = array.attrs.get("units")
        assert f"\n{variable}{f' ({unit})' if unit else ''}: " in answer.output
    assert re.search(r"^[1-5] of \d+ rows$", answer.output, re.MULTILINE)


def test_data_answers_a_misspelt_name_with_the_nearest():
    answer = call("data", "sea_level_anual")
    assert answer.exit_code == 2
    assert answer.output.startswith("no dataset is called 'sea_level_anual'\n")
    assert "    nearest  'sea_level_annual'\n" in answer.output


def test_version_is_that_of_the_package():
    assert call("--version").output == f"caspian-sim, version {cs.__version__}\n"


def test_help_lists_every_command_with_a_whole_sentence():
    output = call("--help").output
    for name, command in cli.main.commands.items():
        line = next(line for line in output.splitlines() if line.startswith(f"  {name} "))
        assert line.endswith("."), line
        assert not line.endswith("..."), line
        assert call(name, "--help").exit_code == 0
        assert command.help


def test_manual_describes_every_command_and_option():
    manual = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in cli.main.commands.items():
        assert f"caspian-sim {name}" in manual
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.opts[0] in manual, (name, parameter.opts)


def test_usage_errors_exit_with_2():
    assert call("run").exit_code == 2
    assert call("walk").exit_code == 2


# ---- as a process ------------------------------------------------------------------------------


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from caspian_sim.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'scipy', 'xarray', 'matplotlib', 'pandas', 'pydantic', 'rich', 'ruamel'}"
        " & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, encoding="utf-8"
    )
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == "[]\n"


def test_messages_go_to_standard_error_and_tables_to_standard_output(project):
    out, err = (process := started("run", "tiny.yaml", cwd=project)).communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""
    assert "ssp245" in out
    assert "\x1b" not in out
    out, err = (process := started("run", "tiny.yaml", cwd=project)).communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "there are results already" in err
    assert "Traceback" not in err


def test_reader_that_goes_away_is_no_error_to_report(project):
    process = started("data", cwd=project)
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_interrupted_process_leaves_nothing(project):
    process = started("run", "tiny.yaml", "--set", "uncertainty.members=100000", cwd=project)
    deadline = time.monotonic() + 60
    while not list(project.glob("results/tiny/.caspian-sim-*/new")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted: nothing was written\n")
    assert files(project) == ["tiny.yaml"]
