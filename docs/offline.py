"""Whether a page can be read without a network: nothing in it may be fetched from elsewhere.

A link that a reader may follow is no request. Scripts, styles, fonts and pictures are.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
FETCHING = {
    "script": ("src",),
    "link": ("href", "imagesrcset"),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "input": ("src",),
}
# Of a link element these are read by machines that follow them, not by the browser.
NOT_FETCHED = {"canonical", "author", "license", "search", "index", "next", "prev", "alternate"}
STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


class Requests(HTMLParser):
    """Collects what a browser would fetch from elsewhere to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.in_style = tag == "style"
        if tag == "link" and set(given.get("rel", "").split()) & NOT_FETCHED:
            return
        for name in FETCHING.get(tag, ()):
            self.found += [part for part in given.get(name, "").split(",") if ELSEWHERE.match(part)]
        self.found += of_style(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.found += of_style(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False


def of_style(text: str) -> list[str]:
    """Addresses elsewhere that a style sheet fetches."""
    addresses = [first or second for first, second in STYLE.findall(text)]
    return [address for address in addresses if ELSEWHERE.match(address)]


def of_page(text: str) -> list[str]:
    """Addresses elsewhere that a page fetches."""
    reader = Requests()
    reader.feed(text)
    return reader.found


def of_site(folder: Path) -> Iterator[tuple[Path, str]]:
    """Addresses elsewhere that any page or style sheet of a site fetches."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css"):
            text = path.read_text(encoding="utf-8")
            for address in of_page(text) if path.suffix == ".html" else of_style(text):
                yield path.relative_to(folder), address
