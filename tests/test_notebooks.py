"""Notebooks: stored without outputs, written to be read, and run from top to bottom with small samples."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
MOST_LINES = 22
# What the site shows without scrolling.
MOST_WIDTH = 84
# What a cell may end with beside something that is shown: names for the cells below.
SETTING = (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.For, ast.Try, ast.Assert)

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("run_notebooks", ROOT / "tools" / "run_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path, kind):
    return ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == kind]


def test_there_are_six():
    assert len(NOTEBOOKS) == 6


@every_notebook
def test_notebook_is_stored_without_outputs_and_with_nothing_of_a_machine(path):
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert cell["metadata"] in ({}, {"tags": ["parameters"]})
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@every_notebook
def test_notebook_opens_with_what_the_reader_will_learn_units_and_grades(path):
    first = cells(path, "markdown")[0]
    assert first.startswith("# ")
    assert "**You will learn**" in first
    assert "m BHS" in first
    assert re.search(r"\bD\b", first)
    assert "assumption" in first


@every_notebook
def test_cells_are_short_and_code_is_valid(path):
    code = cells(path, "code")
    assert 10 <= len(code) <= 20
    for cell in code:
        assert len(cell.splitlines()) <= MOST_LINES
        assert all(len(line) <= MOST_WIDTH for line in cell.splitlines())
        last = ast.parse(cell).body[-1]
        assert isinstance(last, (ast.Expr, *SETTING))


@every_notebook
def test_links_of_a_notebook_lead_to_a_page_and_a_heading(path):
    targets = [found["target"] for text in cells(path, "markdown") for found in LINK.finditer(text)]
    assert targets
    for target in targets:
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve()
        assert file.exists(), f"{path.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in headings}


@every_notebook
def test_prose_types_no_result(path):
    """A number with a unit in prose would stay when the model changes, unless it is the datum of charts."""
    for text in cells(path, "markdown"):
        found = re.findall(r"\d[\d.,]*\s*(?:cm\b|km[²³]|mm\b|%|m\b(?! BHS\)))", text)
        allowed = {"8.5 cm", "5 to 95 %", "95 %", "90 %", "100 %"}
        kept = [number for number in found if number not in allowed and "−29 m" not in text]
        assert not kept, f"{path.name}: {kept}"


@every_notebook
def test_sample_sizes_stand_in_the_first_code_cell(path, runner):
    notebook = read(path)
    place, names = runner.parameters(notebook)
    assert place == next(i for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
    code = "\n".join(cells(path, "code")[1:])
    assert all(re.search(rf"\b{name}\b", code) for name in names)
    sizes, quick = {}, {}
    exec("".join(notebook["cells"][place]["source"]), sizes)
    exec(runner.small(notebook), quick)
    smaller = {name for name in runner.QUICK if name in sizes}
    assert smaller
    assert all(quick[name] < sizes[name] for name in smaller)


def output(kind, **more):
    return {"cells": [{"source": ["f(x)\n"], "outputs": [{"output_type": kind, **more}]}]}


PICTURE = {"output_type": "display_data", "data": {"image/png": ""}}


def test_what_goes_wrong_in_a_notebook_is_named(runner):
    failed = output("error", ename="KeyError", evalue="'year'")
    failed["cells"][0]["outputs"].append(PICTURE)
    assert list(runner.faults(failed)) == ["'f(x) ...' raises KeyError: 'year'"]
    warned = output("stream", name="stderr", text="a.py:3: FutureWarning: will go\n  f(x)\nnew.csv: a gap\n")
    warned["cells"][0]["outputs"].append(PICTURE)
    assert list(runner.faults(warned)) == ["'f(x) ...' warns: a.py:3: FutureWarning: will go"]
    assert list(runner.faults(output("stream", name="stdout", text="3"))) == ["no figure is drawn"]


@pytest.mark.slow
@every_notebook
def test_notebook_runs_from_top_to_bottom(path, runner):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    assert runner.execute(path, quick=True) == []
