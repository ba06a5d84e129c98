"""Formulas as MathML, which browsers draw by themselves: no script, no font, no network.

A formula that cannot be written so is a warning, and with ``-W`` the end of the build.
"""

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def drawn(node: nodes.Element, *, block: bool) -> str:
    """MathML of a formula in LaTeX; its source where that is not possible."""
    source = node.astext().strip()
    if block and "&" in source and "\\begin" not in source:
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
    try:
        return tex2mathml(source, as_block=block)
    except MathError as error:
        LOGGER.warning("formula cannot be written as MathML: %s", error, location=node)
        return f"<code>{nodes.unescape(source)}</code>"


def visit_inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(drawn(node, block=False))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.Element) -> None:
    # A page may be narrower than a formula, which then scrolls by itself.
    translator.body.append(f'<div class="formula">{drawn(node, block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
