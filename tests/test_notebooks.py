"""The notebooks run from top to bottom, on few members, and are stored without outputs."""

import json
from pathlib import Path

import matplotlib.figure
import pytest

import caspian_sim as cs

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells(notebook):
    return [c for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stored_without_outputs(notebook):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(notebook))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs_and_shows_something_in_every_cell(notebook, monkeypatch):
    load = cs.load_config
    small = ["uncertainty.members=5", "climate.scenarios=[ssp245]"]
    monkeypatch.setattr(cs, "load_config", lambda source: load(source, small), raising=False)
    monkeypatch.chdir(ROOT)
    scope: dict[str, object] = {}
    shown = []
    for cell in cells(notebook):
        *lines, last = "".join(cell["source"]).rstrip().split("\n")
        exec("\n".join(lines), scope)
        shown.append(eval(last, scope))
    assert all(value is not None for value in shown)
    assert any(isinstance(value, matplotlib.figure.Figure) for value in shown)
