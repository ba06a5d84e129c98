"""Run the notebooks from top to bottom, each in a kernel of its own. Nothing is stored.

Usage: ``python tools/run_notebooks.py [--quick] [NAME ...]`` from the root of the repository, after
``pip install ".[notebook]"``. NAME is a notebook such as ``quickstart``; all of them when none is given.

Sample sizes stand in one cell of each notebook, tagged ``parameters`` as papermill has it. With ``--quick`` a
cell with the small ones of :data:`QUICK` follows it. A notebook fails when a cell raises or warns, when it
draws nothing, or when it writes into the repository.
"""

import argparse
import ast
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
QUICK: Mapping[str, int] = {"members": 32, "outlook_members": 100, "samples": 16, "draws": 4, "rows": 50}
"""Sample sizes of quick runs, by the names that the notebooks give them."""
TAG = "parameters"
TIMEOUT = 600
"""Longest time of a cell, s."""
WARNING = re.compile(r"^.*\w*Warning: .*$", re.MULTILINE)
NOT_SOURCE = {".git", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache"}


def parameters(notebook: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Place of the cell of parameters, and the names that it sets."""
    tagged = [
        place for place, cell in enumerate(notebook["cells"]) if TAG in cell["metadata"].get("tags", [])
    ]
    if len(tagged) != 1:
        raise ValueError(f"a notebook has one cell tagged '{TAG}', this one {len(tagged)}")
    code = ast.parse("".join(notebook["cells"][tagged[0]]["source"]))
    names = [
        target.id
        for line in code.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    ]
    return tagged[0], names


def small(notebook: Mapping[str, Any]) -> str:
    """Code that makes the samples of a notebook small."""
    _, names = parameters(notebook)
    return "\n".join(f"{name} = {QUICK[name]}" for name in names if name in QUICK)


def files() -> dict[Path, int]:
    """Files of the repository, with the time of their last change."""
    return {
        path: path.stat().st_mtime_ns
        for path in ROOT.rglob("*")
        if path.is_file() and not NOT_SOURCE & set(path.relative_to(ROOT).parts)
    }


def execute(path: Path, *, quick: bool = False) -> list[str]:
    """Run a notebook in the folder of the notebooks, as Jupyter does.

    Parameters
    ----------
    path : Path
    quick : bool
        Whether the samples are small.

    Returns
    -------
    list of str
        What is wrong, nothing when all is well.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, 4)
    if quick:
        place, _ = parameters(notebook)
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(small(notebook)))
    before = files()
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute()
    after = files()
    changed = sorted(str(name.relative_to(ROOT)) for name, _ in after.items() ^ before.items())
    found = list(faults(notebook))
    return found + [f"changed in the repository: {name}" for name in dict.fromkeys(changed)]


def faults(notebook: Mapping[str, Any]) -> Iterator[str]:
    """Errors and warnings of a notebook that has run, and whether it has drawn nothing."""
    drawn = 0
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            kind = output["output_type"]
            where = "".join(cell["source"]).split("\n")[0]
            if kind == "error":
                yield f"'{where} ...' raises {output['ename']}: {output['evalue']}"
            elif kind == "stream" and output["name"] == "stderr":
                for warning in WARNING.findall(output["text"]):
                    yield f"'{where} ...' warns: {warning}"
            elif "image/png" in output.get("data", {}):
                drawn += 1
    if not drawn:
        yield "no figure is drawn"


def main() -> int:
    reader = argparse.ArgumentParser(description="Run the notebooks from top to bottom.")
    reader.add_argument("names", nargs="*", metavar="NAME", help="such as quickstart; all when none is given")
    reader.add_argument("--quick", action="store_true", help="with small samples")
    asked = reader.parse_args()
    known = {path.stem: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        reader.error(f"no notebook '{unknown[0]}'; there are {', '.join(known)}")
    failed = False
    for name in asked.names or known:
        begun = time.monotonic()
        wrong = execute(known[name], quick=asked.quick)
        failed = failed or bool(wrong)
        print(f"{'failed' if wrong else 'passed'}  {name}  {time.monotonic() - begun:.0f} s", flush=True)
        for line in wrong:
            print(f"        {line}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
