"""The type of the page: DejaVu, as in the figures, cut down to the letters that a page uses.

A page that brings its type breaks its lines alike everywhere, so that it keeps its number of pages.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

FACES = (
    ("Brief", "400", "DejaVuSans.ttf"),
    ("Brief", "700", "DejaVuSans-Bold.ttf"),
    ("Brief Mono", "400", "DejaVuSansMono.ttf"),
)
"""Family, weight and file of each face; the files ship with matplotlib."""
PRINTABLE = "".join(chr(code) for code in range(32, 127))


def font_faces(text: str) -> str:
    """CSS that brings the letters of a text.

    Parameters
    ----------
    text : str
        All letters that the page may show.

    Returns
    -------
    str
        Rules ``@font-face`` with the type inside, the same for the same letters.
    """
    letters = "".join(sorted(set(text) | set(PRINTABLE)))
    rules = []
    for family, weight, file in FACES:
        encoded = base64.b64encode(_cut(file, letters)).decode("ascii")
        rules.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:normal;'
            f'src:url(data:font/woff2;base64,{encoded}) format("woff2")}}'
        )
    return "\n".join(rules)


def _cut(file: str, letters: str) -> bytes:
    options = subset.Options(hinting=False, notdef_outline=True, layout_features=["kern"])
    options.drop_tables += ["FFTM"]
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file
    font = TTFont(path, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    cutter.subset(font)
    font.flavor = "woff2"
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
