"""Settings of the documentation site: ``sphinx-build -W docs docs/_build/html``, without a network."""

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import offline  # noqa: E402
import pages  # noqa: E402

from caspian_sim import __version__  # noqa: E402

project = "caspian_sim"
author = "The caspian_sim developers"
copyright = "The caspian_sim developers, BSD-3-Clause"
release = version = __version__
language = "en"
root_doc = "index"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "mathml"]
exclude_patterns = ["_build", "jupyter_execute", "**.ipynb_checkpoints"]
add_module_names = False
nitpicky = True
# Types in docstrings are words ("array_like", "path"), not names that lead somewhere.
nitpick_ignore_regex = [
    (r"py:(class|obj|data|attr)", r".*"),
    (r"py:(func|meth)", r"(numpy|scipy|xarray|pandas|matplotlib)\..*"),
]
suppress_warnings = ["ref.python"]  # such a word may be the name of two classes

myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
# Nothing is fetched when a page is read.
nb_ipywidgets_js = {}

autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "set"}  # which matplotlib gives to every figure
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_math_renderer = "mathml"
html_title = f"caspian_sim {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style, pygments_dark_style = "friendly", "monokai"

pages.write_all()


def add_contents(app: Sphinx, name: str, text: list[str]) -> None:
    """Give the first page its table of contents, and lead links to the notebooks of the site."""
    text[0] = pages.with_notebooks(text[0])
    if name == root_doc:
        text[0] = pages.with_contents(text[0])


def hide_place(_app: Sphinx, *found: Any) -> tuple[str, str | None] | None:
    """Leave out of a signature where the package lies on the machine that builds the site."""
    signature, returned = found[-2:]
    return signature and (signature.replace(f"{DOCS.parent}/", ""), returned)


def check_offline(app: Sphinx, failure: Exception | None) -> None:
    """End the build with an error when a page would fetch anything from elsewhere."""
    if failure is None and app.builder.format == "html":
        found = [f"{page}: {address}" for page, address in offline.of_site(Path(app.outdir))]
        if found:
            raise ExtensionError("pages that cannot be read without a network:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-signature", hide_place)
    app.connect("build-finished", check_offline)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
