"""Figures as inline SVG: the drawing alone, its words beside it as text that any reader can use."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

PAD_INCH = 0.04
PLACES = 2
"""Decimals of a point in the drawing: finer than any printer."""
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_OUTLINE = re.compile(r'(?<= )(d|x|y|points)="([^"]*)"')


@dataclass(frozen=True)
class Drawing:
    """A figure taken apart.

    Attributes
    ----------
    svg : Markup
        Element ``svg`` of the drawing without title and footer.
    title, subtitle, footer : str
        What stood above and below it.
    width_cm : float
        Width at which its letters have their size.
    """

    svg: Markup
    title: str
    subtitle: str
    footer: str
    width_cm: float


def take_apart(figure: Figure, prefix: str) -> Drawing:
    """Make an inline SVG of a figure, and text of the words around it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        One of the package: title and footer are texts of the figure, all else belongs to axes.
    prefix : str
        Begins every id in the drawing, so that several of them fit into a page.

    Returns
    -------
    Drawing
        The same for the same figure, to the last byte.
    """
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    figure.draw(renderer)
    boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
    box = Bbox.union([found for found in boxes if found is not None])
    rows = sorted(figure.texts, key=lambda row: -row.get_position()[1])
    middle = 0.5 * (box.y0 + box.y1) / figure.bbox.height
    above = [row for row in rows if row.get_position()[1] > middle]
    below = [row.get_text() for row in rows if row.get_position()[1] <= middle]
    inches = box.transformed(figure.dpi_scale_trans.inverted()).padded(PAD_INCH)
    for row in rows:
        row.set_visible(False)
    for rule in figure.lines:
        rule.set_visible(False)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches=inches, metadata={"Date": None})
    return Drawing(
        inline(buffer.getvalue(), prefix),
        " ".join(row.get_text() for row in above if row.get_fontweight() == "bold"),
        " ".join(row.get_text() for row in above if row.get_fontweight() != "bold"),
        " ".join(below),
        float(inches.width * 2.54),
    )


def inline(document: str, prefix: str) -> Markup:
    """Make an element for a page of an SVG document: no prolog, ids of its own, short numbers."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'xlink:href="#', f'href="#{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-")
    svg = _OUTLINE.sub(lambda found: f'{found[1]}="{_rounded(found[2])}"', svg)
    opening = svg[: svg.index(">")]
    view = re.search(r'viewBox="([^"]*)"', opening)
    assert view is not None  # matplotlib always writes one
    head = f'<svg viewBox="{view[1]}" aria-hidden="true" focusable="false"'
    return Markup(head + svg[svg.index(">") :].replace("\n", " ").strip())


def _rounded(numbers: str) -> str:
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.{PLACES}f}".rstrip("0").rstrip("."), numbers)
