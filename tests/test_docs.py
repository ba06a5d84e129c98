"""The pages say what is so: links lead somewhere, code runs, configurations are valid, tables are in step."""

import importlib
import importlib.util
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import click
import matplotlib
import numpy as np
import pytest
import xarray as xr

from caspian_sim import cli
from caspian_sim.config import load_config

matplotlib.use("Agg")

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
# Pages whose Python code is run from top to bottom, with few members, beside nothing but the configurations.
RUN = (
    "README.md",
    "docs/tutorial.md",
    "docs/howto.md",
    "docs/dataset.md",
    "docs/balance.md",
    "docs/forcing.md",
    "docs/observations.md",
    "docs/ports.md",
    "docs/ecosystem.md",
)

FENCE = re.compile(r"^```(?P<language>[\w{}]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
PATH = re.compile(r"`(?P<path>(?:caspian_sim|configs|docs|tools|tests|benchmarks)/[\w./-]*)`")
SCRIPT = re.compile(r"python (?P<path>[a-z][\w/]*\.py)")
PLACE = re.compile(r"`(?P<module>[a-z_]+(?:\.[a-z_]+)*):(?P<name>[A-Za-z_]+(?:\.[a-z_]+)*)`")
NUMBER = re.compile(r"[−+]?\d+(?:\.\d+)?")


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return [found["body"] for found in FENCE.finditer(text_of(page)) if found["language"] == language]


def prose_of(page):
    return FENCE.sub("", text_of(page))


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def update_docs():
    spec = importlib.util.spec_from_file_location("update_docs", ROOT / "tools" / "update_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target in (found["target"] for found in LINK.finditer(prose_of(page))):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(file.resolve().relative_to(ROOT).as_posix()), f"{page} links to {target}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page):
    for found in (*PATH.finditer(prose_of(page)), *SCRIPT.finditer(text_of(page))):
        assert (ROOT / found["path"]).exists(), f"{page} names {found['path']}"


@pytest.mark.parametrize("page", PAGES)
def test_every_place_in_the_code_that_a_page_names_is_there(page):
    for found in PLACE.finditer(prose_of(page)):
        place = importlib.import_module(f"caspian_sim.{found['module']}")
        for part in found["name"].split("."):
            assert hasattr(place, part), f"{page} names {found[0]}"
            place = getattr(place, part)


def test_the_model_page_says_where_in_the_code_each_part_is():
    assert len(PLACE.findall(prose_of("docs/model.md"))) > 25


def test_every_page_is_reached_from_the_index():
    listed = {f"docs/{found['target']}" for found in LINK.finditer(prose_of("docs/index.md"))}
    assert listed == set(PAGES) - {"README.md", "docs/index.md"}


@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    quickstart = shutil.copytree(ROOT / "configs", tmp_path / "configs") / "quickstart.yaml"
    few = re.sub(r"members: \d+", "members: 5", quickstart.read_text(encoding="utf-8"))
    quickstart.write_text(few + "\nsolver: {steps_per_month: 1}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = blocks(page, "python")
    assert code
    names = {}
    for number, block in enumerate(code, start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    # A selection by a misspelt coordinate would leave nothing but NaN, without an error.
    for name, value in names.items():
        if isinstance(value, xr.DataArray) and value.dtype.kind == "f" and name != "when":
            assert np.isfinite(value).any(), f"{page}: {name} is empty"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")])
def test_the_configurations_of_a_page_are_valid(page, tmp_path):
    folder = shutil.copytree(ROOT / "configs", tmp_path / "configs")
    for number, block in enumerate(blocks(page, "yaml")):
        file = folder / f"block-{number}.yaml"
        file.write_text(block, encoding="utf-8")
        for named in re.findall(r"\bfile: ([\w.-]+)", block):
            (folder / named).touch()
        assert load_config(file).name


def commands():
    """Every call of caspian-sim in the shell blocks of all pages, split into words."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for part in re.split(r"&&|\n", block):
                words = shlex.split(part, comments=True)
                if words[:1] == ["caspian-sim"]:
                    yield page, words[1:]


def test_every_command_of_a_page_is_one_of_the_command_line():
    called = list(commands())
    assert {words[0] for _, words in called} >= {"run", "validate", "init", "data", "hindcast"}
    for page, words in called:
        if words[0].startswith("-"):
            assert words[0] in ("--version", "--help", "-h"), f"{page}: caspian-sim {' '.join(words)}"
            continue
        command = cli.main.commands[words[0]]
        # Raises when an option or argument is unknown, missing or one too many.
        command.make_context(words[0], words[1:])


def test_a_command_with_a_misspelt_option_would_be_found():
    with pytest.raises(click.NoSuchOption):
        cli.main.commands["run"].make_context("run", ["configs/quickstart.yaml", "--sett", "a=1"])


def test_the_settings_of_a_page_are_valid():
    for page, words in commands():
        if words[0] in ("run", "validate") and words[1].startswith("configs/quickstart"):
            given = [value for option, value in pairwise(words) if option == "--set"]
            assert load_config(ROOT / words[1], given), page


def numbers(body):
    return [float(found.replace("−", "-")) for found in NUMBER.findall(body)]


def last_places(body):
    return [10.0 ** -len(found.partition(".")[2]) for found in NUMBER.findall(body)]


def assert_in_step(update_docs, name):
    page, write = update_docs.TABLES[name]
    found = update_docs.marked(name).search(text_of(f"docs/{page}"))
    assert found, f"docs/{page} has no marks for the table '{name}'"
    # Another processor may round the last place otherwise; all words must be the same.
    shown, now = found["body"], write()
    message = f"run python tools/update_docs.py: the table '{name}' of docs/{page} is out of date"
    assert NUMBER.sub("0", shown) == NUMBER.sub("0", now), message
    gap = np.abs(np.subtract(numbers(shown), numbers(now)))
    assert (gap <= 1.01 * np.array(last_places(shown))).all(), message


@pytest.mark.parametrize(
    "name",
    ["calibration parameters", "calibration bay", "calibration warming", "calibration diagnostics"],
)
def test_tables_of_the_calibration_are_in_step(update_docs, name):
    assert_in_step(update_docs, name)


@pytest.mark.parametrize(
    "name",
    [
        "parameters",
        "literature",
        "structure shallows",
        "ports",
        "thresholds",
        "northern basin",
        "seabed falls",
        "seabed shares",
    ],
)
def test_tables_of_data_are_in_step(update_docs, name):
    page, write = update_docs.TABLES[name]
    assert update_docs.marked(name).search(text_of(f"docs/{page}"))["body"] == write()


@pytest.mark.parametrize(
    "name",
    [
        "variables",
        "projections",
        "hindcast scores",
        "hindcast terms",
        "hindcast decades",
        "hindcast checks",
        "equilibria",
        "reconstruction",
    ],
)
def test_tables_of_results_are_in_step(update_docs, name):
    assert_in_step(update_docs, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "attribution",
        "burden",
        "effects",
        "literature beside",
        "literature gap",
        "literature shares",
        "structure split",
        "structure split dynamic",
        "structure choices",
        "structure levels",
        "outlook check",
        "outlook months seen",
        "tradeoffs",
    ],
)
def test_tables_of_many_runs_are_in_step(update_docs, name):
    assert_in_step(update_docs, name)


def test_every_table_that_is_written_is_checked(update_docs):
    marks = [name for page in PAGES for name in re.findall(r"<!-- begin ([\w ]+) -->", text_of(page))]
    assert sorted(marks) == sorted(update_docs.TABLES)


def rows_of(page, block):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    inner = text.split(f"<!-- begin {block} -->")[1].split("<!-- end")[0]
    lines = [line.strip("|").split("|") for line in inner.strip().splitlines()]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_readme_says_what_the_tables_say_of_forecasts_and_of_measures():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

    def percent(texts):
        return [f"{100 * float(text.split()[0]):.0f}" for text in texts]

    skill = rows_of("verification.md", "verification skill")
    for reference in ("persistence", "trend"):
        one, five, ten, twenty = percent(skill[reference])
        assert f"by {one}, {five}, {ten} and {twenty} %" in readme
    scores = rows_of("verification.md", "verification scores")
    inside = [scores[f"{lead} yr"][6].split()[0] for lead in (1, 5, 10, 20)]
    assert f"{inside[0]}, {inside[1]}, {inside[2]} and {inside[3]} % lie inside its 90 % band" in readme

    shares = rows_of("cooperation.md", "attribution")
    numbers = re.findall(r"[\d.]+", shares["all together"][3])
    mean, low, high = (f"{float(number):.2f}" for number in numbers)
    assert f"{mean} m higher in 2100 ({low} to {high}, SSP2-4.5)" in readme
    assert f"{float(shares['Russia'][3].split()[0]):.2f} m of it is Russia's" in readme
