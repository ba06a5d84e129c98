"""What is tested of every drawn page: that its text stays on it, is apart, and is in its language."""

from __future__ import annotations

import itertools
import re

from matplotlib.figure import Figure
from test_figures import covers, texts_drawn

# Names of scenarios, of data sources and methods, and of the authors of cited papers.
LATIN = {
    *("SSP", "RCP", "DAHITI", "NOAA", "ETOPO", "CRPS", "PIT", "haqqin", "az", "news"),
    *("Saltelli", "Hawkins", "Sutton", "Chen", "Prange", "Court", "Samant", "Reuters", "ain"),
    # Types of vessels, further sources, and a licence.
    *(
        "RST",
        "RSD",
        "CNF",
        "thegulfobserver",
        "eurasianstar",
        "com",
        "Natural",
        "Earth",
        "GeoNames",
        "CC",
        "BY",
    ),
}


def foreign_words(words: str, known: set[str] = frozenset()) -> set[str]:
    """Words in Latin letters that have no place on a Russian page."""
    # Identifiers of tables and of the package, and hashes.
    words = re.sub(r"\b\w*_\w*\b|(конфигурация|таблица) \w+|Расчёт \w+", "", words)
    return set(re.findall(r"[A-Za-z]{2,}", words)) - LATIN - known


def assert_legible(fig: Figure) -> str:
    """Check that no text leaves the page, covers another or is small; returns all of it."""
    page, drawn = fig.bbox, texts_drawn(fig)
    for item, box in drawn:
        assert item.get_fontsize() >= 7.0, item.get_text()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1
        assert inside, f"{item.get_text()!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(drawn, 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"
    return " ".join(item.get_text() for item, _ in drawn)
