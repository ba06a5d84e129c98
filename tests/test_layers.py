"""The layers of the package, and what each of its doors costs to open."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "caspian_sim"
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_imports_go_downwards_only():
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_contract_orders_the_layers_as_data_travel():
    (contract,) = CONTRACT["contracts"]
    layers = [layer.strip("()") for layer in contract["layers"]]
    core = [
        "simulate",
        "results",
        "solve",
        "balance",
        "measures",
        "climate",
        "basin",
        "config",
        "data",
        "errors",
    ]
    assert [layer for layer in layers if layer in core] == core
    assert layers.index("cli") == 0
    assert contract["exhaustive"] is True


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_opens_with_what_it_is_for_and_imports_by_full_names(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    relative = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []


def test_top_of_the_package_offers_what_it_names():
    import caspian_sim as cs

    for name in cs.__all__:
        assert getattr(cs, name) is not None
    assert set(cs.__all__) <= set(dir(cs))
    with pytest.raises(AttributeError, match="module 'caspian_sim' has no attribute 'nonsense'"):
        cs.nonsense  # noqa: B018


def test_import_of_the_package_waits_with_everything_heavy():
    program = (
        "import sys, caspian_sim; "
        "print(sorted({'numpy', 'scipy', 'xarray', 'matplotlib', 'pydantic', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
