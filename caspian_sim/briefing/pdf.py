"""The brief on paper: its HTML page set by weasyprint, two pages and the annex."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weasyprint import Document

BRIEF_PAGES = 2
ANNEX = "annex-heading"
"""Id of the heading that begins the annex."""
TYPE_PT = 8.2
"""Size of type on paper, as in the style sheet, points."""
SMALLER, LEAST = 0.2, 7.0
"""Steps in which type gets smaller until the brief has its two pages, and where that ends, points."""
VARIANT = "pdf/ua-1"
_FIGURE = re.compile(r'<div role="img" aria-label="(?P<alt>[^"]*)">.*?</figure>', re.DOTALL)
_OPENING = re.compile(r"<svg [^>]*>")


def brief_pdf(html: str, identifier: str) -> bytes:
    """Set a brief as PDF/UA: tagged, with the language and the alternative texts.

    Parameters
    ----------
    html : str
        Page of :func:`caspian_sim.briefing.document.brief_html`.
    identifier : str
        What the file is known by: the hash of the configuration.

    Returns
    -------
    bytes
        The same for the same page, with the same versions of the libraries.
    """
    size = TYPE_PT
    document = _set(html, size)
    while pages_before_annex(document) > BRIEF_PAGES and size - SMALLER >= LEAST:
        size -= SMALLER
        document = _set(html, size)
    written: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=identifier.encode("ascii"))
    return written


def with_titles(html: str) -> str:
    """Put the alternative text of a figure into its drawings as well, where weasyprint looks for it."""

    def titled(figure: re.Match[str]) -> str:
        title = f"<title>{figure['alt']}</title>"
        return _OPENING.sub(lambda opening: opening[0] + title, figure[0])

    return _FIGURE.sub(titled, html)


def pages_before_annex(document: Document) -> int:
    """Count the pages before the one on which the annex begins."""
    return next(i for i, page in enumerate(document.pages) if ANNEX in page.anchors)


def _set(html: str, size: float) -> Document:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheet = CSS(string=f"@media print {{ html {{ font-size: {size:.1f}pt }} }}", font_config=fonts)
    page = HTML(string=with_titles(html), url_fetcher=_from_the_page_alone)
    return page.render(stylesheets=[sheet], font_config=fonts)


def _from_the_page_alone(url: str, **options: Any) -> Mapping[str, Any]:
    """Fetch what the page holds itself, and nothing else."""
    from weasyprint.urls import URLFetcher

    answer: Mapping[str, Any] = URLFetcher(allowed_protocols=["data"])(url, **options)
    return answer
