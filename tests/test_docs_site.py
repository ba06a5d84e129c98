"""The documentation site: what is made of the package is complete, and nothing is fetched when it is read."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import caspian_sim as cs
from caspian_sim import figures

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module", autouse=True)
def docs_on_path():
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def pages(docs_on_path):
    return importlib.import_module("pages")


@pytest.fixture(scope="module")
def offline(docs_on_path):
    return importlib.import_module("offline")


def trees(pages):
    text = pages.with_contents((DOCS / "index.md").read_text(encoding="utf-8"))
    for body in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL):
        caption = re.search(r":caption: (.+)", body)[1]
        yield caption, [line for line in body.splitlines() if line and not line.startswith(":")]


def test_contents_of_the_site_hold_every_page_once(pages):
    listed = [page for _, tree in trees(pages) for page in tree]
    written = [path.stem for path in DOCS.glob("*.md") if path.stem != "index"]
    notebooks = [f"_made/notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    made = [page for entry in pages.JOINING.values() for page in entry if page != "notebooks"]
    assert sorted(listed) == sorted([*written, *notebooks, *made])


def test_first_page_reads_without_the_contents_on_a_code_host():
    assert "toctree" not in (DOCS / "index.md").read_text(encoding="utf-8")


def test_reference_has_every_public_function(pages):
    named = set(re.findall(r"autofunction:: caspian_sim\.(\w+)$", pages.api(), re.MULTILINE))
    assert named == set(cs.__all__) - {"Config", "data"}
    drawn = {name for names in pages.drawn_by().values() for name in names}
    assert drawn == {name for name in figures.__all__ if callable(getattr(figures, name))} - {
        "FigureKind",
        "PackFigure",
    }
    members = re.findall(r":members: (.+)", pages.api_figures())
    assert {name for line in members for name in line.split(", ")} == drawn


def test_reference_has_every_module(pages, tmp_path, monkeypatch):
    pytest.importorskip("bokeh")
    pytest.importorskip("jinja2")
    monkeypatch.setattr(pages, "MADE", tmp_path)
    (tmp_path / "modules").mkdir()
    listed = pages.modules()
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "modules").iterdir())
    found = set(re.findall(r"automodule:: caspian_sim\.([\w.]+)", written + pages.api_figures()))
    there = {
        ".".join(path.relative_to(ROOT / "caspian_sim").with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "caspian_sim").rglob("*.py")
        if path.stem != "__main__" and path != ROOT / "caspian_sim" / "__init__.py"
    }
    assert found == there
    assert all(f"modules/{name.split('.')[0]}" in listed for name in there)


def test_gallery_shows_every_picture_that_is_stored(pages):
    stored = {path.relative_to(DOCS).as_posix() for path in (DOCS / "images").iterdir()}
    assert set(pages.pictures()) == stored
    assert all(len(text) > 20 for text, _, _ in pages.pictures().values())
    assert all(f"(../{file})" in pages.gallery() for file in stored)


def test_evidence_has_every_dataset_with_source_grade_and_checksum(pages):
    text = pages.evidence()
    for entry in cs.data.catalogue():
        part = text.split(f"## {entry.name}\n")[1].split("\n## ")[0]
        assert entry.sha256 in part
        assert pages.plain(entry.source) in part
        assert f"| grade | {pages.plain(entry.grade)} |" in part
        assert all(pages.plain(note) in part for note in entry.notes)


def test_text_of_the_catalogue_is_no_markup(pages):
    assert pages.plain("a_b*c [x] <y> | $z$") == r"a\_b\*c \[x\] \<y\> \| \$z\$"


def test_a_notebook_of_the_site_runs_in_the_root_and_is_otherwise_the_stored_one(pages):
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        first, *rest = json.loads(pages.with_first_cell(path))["cells"]
        assert first["metadata"]["tags"] == ["remove-cell"]
        assert str(ROOT) in first["source"]
        stored = path.read_text(encoding="utf-8").replace("](../docs/", "](../../")
        assert rest == json.loads(stored)["cells"]


def test_notebooks_of_the_site_stand_in_the_order_of_their_page(pages):
    names = [path.stem for path in pages.notebooks()]
    assert names[0] == "quickstart"
    page = pages.with_notebooks((DOCS / "notebooks.md").read_text(encoding="utf-8"))
    assert [page.index(f"](_made/notebooks/{name}.ipynb)") for name in names] == sorted(
        page.index(f"](_made/notebooks/{name}.ipynb)") for name in names
    )


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img alt="" src="a.png" srcset="b.png 1x, https://example.org/c.png 2x">',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)">',
        '<svg><image href="http://example.org/a.png"/></svg>',
    ],
)
def test_what_a_page_would_fetch_is_found(offline, page):
    assert len(offline.of_page(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://doi.org/10.1175/2009BAMS2607.1">a paper</a>',
        '<script src="../_static/x.js?v=1"></script><img src="data:image/png;base64,AAAA" alt="">',
        '<link rel="canonical" href="https://example.org/">',
        '<math xmlns="http://www.w3.org/1998/Math/MathML"></math>',
        "<style>p { background: url(a.png) }</style><p>url(https://example.org)</p>",
    ],
)
def test_what_a_reader_may_follow_is_no_request(offline, page):
    assert offline.of_page(page) == []


def test_formulas_are_written_in_full():
    pytest.importorskip("sphinx")
    from docutils import nodes

    mathml = importlib.import_module("mathml")
    drawn = mathml.drawn(nodes.math("", r"F = c\,(h - s)^{3/2}"), block=False)
    assert drawn.startswith("<math ")
    assert "<msup>" in drawn
    aligned = mathml.drawn(nodes.math("", r"a &= b \\ c &= d"), block=True)
    assert aligned.count("<mtr>") == 2


@pytest.mark.slow
def test_site_is_built_without_a_warning_and_reads_no_network(tmp_path, offline):
    for needed in ("sphinx", "myst_nb", "furo", "sphinx_click", "ipykernel"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert built.returncode == 0, built.stderr
    assert list(offline.of_site(tmp_path / "site")) == []
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert not any(str(ROOT) in page for page in pages)
    assert "<math " in (tmp_path / "site" / "model.html").read_text(encoding="utf-8")
    notebook = (tmp_path / "site" / "_made" / "notebooks" / "quickstart.html").read_text(encoding="utf-8")
    assert "../../_images/" in notebook
