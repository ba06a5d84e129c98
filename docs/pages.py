"""Pages that are made of the package itself: reference, gallery, table of evidence, notebooks.

They are written below ``docs/_made/`` before the site is built, so that nothing in them can be out of date.
"""

import html
import importlib
import inspect
import json
import os
import pkgutil
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import caspian_sim as cs
from caspian_sim import figures

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
MADE = DOCS / "_made"
# With this variable of the environment notebooks run with small samples: a check, and not what is to be read.
SMALL = "CASPIAN_SIM_SMALL_NOTEBOOKS"
RUNNER = runpy.run_path(str(ROOT / "tools" / "run_notebooks.py"))
IMAGE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<file>images/[\w.-]+)\)")
HEADING = re.compile(r"^(?P<level>#+) (?P<text>.+)$")
LINK = re.compile(r"\]\((?P<page>[a-z_]+)\.md\)")
NOTEBOOK = re.compile(r"\]\(\.\./notebooks/(?P<name>\w+)\.ipynb\)")
# The first cell of every notebook: where its paths are relative to. It is not shown.
FIRST_CELL = f"import os\nos.chdir({json.dumps(str(ROOT))})"
# What joins the pages that index.md lists under a heading.
JOINING = {
    "Begin": ["notebooks"],
    "Use": ["_made/gallery"],
    "Look up": ["_made/commands", "_made/api", "_made/api_figures", "_made/modules"],
    "Trust": ["_made/evidence", "_made/changelog"],
}


def write_all() -> None:
    """Write every page anew."""
    shutil.rmtree(MADE, ignore_errors=True)
    (MADE / "modules").mkdir(parents=True)
    (MADE / "notebooks").mkdir()
    for name, text in (
        ("api.md", api()),
        ("api_figures.md", api_figures()),
        ("modules.md", modules()),
        ("commands.md", commands()),
        ("gallery.md", gallery()),
        ("evidence.md", evidence()),
        ("changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")),
    ):
        (MADE / name).write_text(text, encoding="utf-8")
    for notebook in notebooks():
        (MADE / "notebooks" / notebook.name).write_text(with_first_cell(notebook), encoding="utf-8")


def notebooks() -> list[Path]:
    """Notebooks of the repository, in the order of the page that lists them."""
    listed = [
        found["name"] for found in NOTEBOOK.finditer((DOCS / "notebooks.md").read_text(encoding="utf-8"))
    ]
    return sorted((ROOT / "notebooks").glob("*.ipynb"), key=lambda path: listed.index(path.stem))


def with_first_cell(notebook: Path) -> str:
    """Text of a notebook that runs from the root of the repository, with links to where its pages lie."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = [line.replace("](../docs/", "](../../") for line in cell["source"]]
    if os.environ.get(SMALL):
        place, _ = RUNNER["parameters"](content)
        content["cells"].insert(place + 1, _hidden("small", RUNNER["small"](content)))
    content["cells"].insert(0, _hidden("where", FIRST_CELL))
    return json.dumps(content, ensure_ascii=False)


def _hidden(name: str, code: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": ["remove-cell"]},
        "outputs": [],
        "source": code,
    }


def with_notebooks(page: str) -> str:
    """Let the links of a page lead to the notebooks of the site."""
    return NOTEBOOK.sub(r"](_made/notebooks/\g<name>.ipynb)", page)


def with_contents(index: str) -> str:
    """Give index.md the table of contents that its own links and :data:`JOINING` make.

    Plain Markdown has no such thing: on a code host the page has its links alone.
    """
    out, heading, pages = [], "", []

    def contents() -> Iterator[str]:
        joining = [page for entry in JOINING.get(heading, []) for page in expanded(entry)]
        if pages or joining:
            yield "\n```{toctree}\n:hidden:\n:caption: " + heading
            yield from (":maxdepth: 1\n", *pages, *joining, "```\n")

    for line in index.splitlines():
        if line.startswith("## "):
            out += contents()
            heading, pages = line[3:], []
        pages += [found["page"] for found in LINK.finditer(line) if found["page"] not in pages]
        out.append(line)
    return "\n".join([*out, *contents()]) + "\n"


def expanded(entry: str) -> list[str]:
    """Name of a page, or of all notebooks."""
    if entry != "notebooks":
        return [entry]
    return [f"_made/notebooks/{path.stem}" for path in notebooks()]


# ---- reference ----------------------------------------------------------------------------------


def rst(*lines: str) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def api() -> str:
    """Public names of the package."""
    names = [name for name in cs.__all__ if name not in ("data", "Config")]
    functions = "\n".join(rst(f".. autofunction:: caspian_sim.{name}") for name in names)
    shipped = "\n".join(
        rst(f".. autofunction:: caspian_sim.data.{name}")
        for name in ("catalogue", "entry", "fact", "load", "names", "parameters")
    )
    return (
        "# Python: caspian_sim\n\n`import caspian_sim as cs` brings these. What they return are plain xarray "
        "datasets ([dataset](../dataset.md)), or curves and configurations that show themselves as "
        "tables.\n\n"
        f"## Functions\n\n{functions}\n## Shipped data\n\n`cs.data` loads the tables of "
        f"[data and evidence](../data.md).\n\n{shipped}\n## Errors\n\n"
        + rst(".. automodule:: caspian_sim.errors", "   :members:", "   :no-index:")
    )


def api_figures() -> str:
    """Functions that draw, and those that give the numbers."""
    parts = []
    for module, names in drawn_by().items():
        parts.append(f"## {names[0]}\n")
        parts.append(rst(f".. automodule:: {module}", f"   :members: {', '.join(names)}"))
    return (
        "# Python: figures\n\n`from caspian_sim import figures` brings these. [Figures](../figures.md) shows "
        "what they draw.\n\n" + "\n".join(parts)
    )


def drawn_by() -> dict[str, list[str]]:
    """Modules of the public functions of the figures, each with those functions."""
    found: dict[str, list[str]] = {}
    for name in figures.__all__:
        function = getattr(figures, name)
        if inspect.isfunction(function):
            found.setdefault(function.__module__, []).append(name)
    return found


def modules() -> str:
    """Every module, a page for each part of the package."""
    parts: dict[str, list[str]] = {}
    for found in pkgutil.walk_packages(cs.__path__, "caspian_sim."):
        if not found.name.split(".")[-1].startswith("_"):
            parts.setdefault(found.name.split(".")[1], []).append(found.name)
    rows = []
    for part, names in parts.items():
        sections = [f"# {part}\n"]
        for name in names:
            title = f"## {name.removeprefix('caspian_sim.')}\n\n" if len(names) > 1 else ""
            if name in drawn_by():
                continue  # on the page of the figures
            sections.append(title + rst(f".. automodule:: {name}", *members(name)))
        (MADE / "modules" / f"{part}.md").write_text("\n".join(sections), encoding="utf-8")
        first = (importlib.import_module(f"caspian_sim.{part}").__doc__ or "").strip().splitlines()[0]
        rows.append(f"| [{part}](modules/{part}.md) | {first.replace('|', chr(92) + '|')} |")
    listed = "\n".join(f"modules/{part}" for part in parts)
    return (
        "# Modules\n\nEverything in the package, for those who read or change it. The public functions are "
        "in [Python: caspian_sim](api.md).\n\n| module | what |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )


def members(name: str) -> list[str]:
    """Which members of a module its page shows: what a package brings along is shown where it is defined."""
    module = importlib.import_module(name)
    if not hasattr(module, "__all__"):
        return ["   :members:"]
    own = [word for word in module.__all__ if getattr(getattr(module, word), "__module__", None) == name]
    return [f"   :members: {', '.join(own)}"] if own else []


def commands() -> str:
    """All commands and options, from the command line itself."""
    return (
        "# Commands, option by option\n\nAs `--help` gives them. [Command line](../cli.md) says what they "
        "write.\n\n" + rst(".. click:: caspian_sim.cli:main", "   :prog: caspian-sim", "   :nested: full")
    )


# ---- gallery and evidence -----------------------------------------------------------------------


def pictures() -> dict[str, tuple[str, str, str]]:
    """Every picture that a page shows: its text, the page, and the heading it stands under."""
    found: dict[str, tuple[str, str, str]] = {}
    for page in sorted(DOCS.glob("*.md"), key=lambda path: (path.stem != "figures", path.stem)):
        under = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            heading = HEADING.match(line)
            under = heading["text"] if heading else under
            for image in IMAGE.finditer(line):
                found.setdefault(image["file"], (image["text"], page.stem, under))
    return found


def gallery() -> str:
    """All pictures with what they show and where they are explained."""
    cards = []
    for file, (text, page, under) in pictures().items():
        anchor = re.sub(r"[^\w\- ]", "", under.lower()).replace(" ", "-")
        picture = html.escape(os.path.basename(file))
        cards.append(
            "::::{container} card\n"
            f"[![{text}](../{file})](../{page}.md#{anchor})\n\n"
            f"**[{under}](../{page}.md#{anchor})**: {text}. `{picture}`\n::::\n"
        )
    return (
        "# Gallery\n\nEvery figure of these pages. A click leads to where it is explained; "
        "[Figures](../figures.md) says how to draw them from a dataset of your own.\n\n"
        ":::::{container} gallery\n" + "\n".join(cards) + ":::::\n"
    )


def evidence() -> str:
    """Source, grade and faults of every table that ships with the package."""
    out = [
        "# Evidence, table by table\n",
        "From the catalogue of the package itself. [Data and evidence](../data.md) explains the grades and "
        "says where sources contradict each other.\n",
        "| dataset | grade | period | source |\n|---|---|---|---|",
    ]
    entries = cs.data.catalogue()
    for e in entries:
        about = (f"[{e.name}](#{e.name})", *map(plain, (e.grade, e.period, e.source)))
        out.append(f"| {' | '.join(about)} |")
    for entry in entries:
        out += [
            "",
            f"({entry.name})=",
            f"## {entry.name}",
            "",
            f"{plain(entry.title)}. {plain(entry.description)}",
            "",
        ]
        facts = {
            "grade": entry.grade,
            "period": entry.period,
            "datum": entry.datum,
            "source": entry.source,
            "licence": entry.license,
            "file": f"caspian_sim/data/tables/{entry.file}",
            "SHA-256": entry.sha256,
        }
        out += ["| | |", "|---|---|"]
        out += [f"| {key} | {plain(text)} |" for key, text in facts.items() if text and text != "-"]
        columns = [c for c in entry.columns.values() if c.units] + [stack.variable for stack in entry.stacked]
        if columns:
            out += ["", "| variable | unit | what |", "|---|---|---|"]
            out += [f"| `{c.variable}` | {plain(c.units or '')} | {plain(c.long_name)} |" for c in columns]
        out += ["", *(f"- {plain(note)}" for note in (*entry.notes, *map(str, entry.masked)))]
    return "\n".join(out) + "\n"


def plain(text: str) -> str:
    """Text of the catalogue, with nothing in it that is markup."""
    return re.sub(r"([\\`*_{}\[\]<>$#|])", r"\\\1", " ".join(text.split())).rstrip(".")
