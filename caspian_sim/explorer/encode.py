"""Levels as few bytes: whole tenths of a millimetre, as departures from what is known already, deflated.

The page unpacks them in the same order (``page.js``). Of each scenario the level without measures comes
first; then of each programme the level as it was run, as a departure from that without measures, and each
other intensity as a departure from the straight line through these two. What is left changes little from
year to year, so that differences between years are stored, with the four bytes of the numbers apart.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from caspian_sim.explorer.content import Exploration

Whole = NDArray[np.int32]

UNITS_PER_M = 10_000
"""Levels are stored in tenths of a millimetre."""
PERCENT = 100


def rounded(levels: NDArray[np.float64]) -> Whole:
    """Levels in m BHS as whole tenths of a millimetre."""
    return np.rint(levels * UNITS_PER_M).astype(np.int32)


def packed(content: Exploration) -> str:
    """Levels of all scenarios, programmes, intensities, members and years as text in base64.

    Parameters
    ----------
    content : Exploration

    Returns
    -------
    str
    """
    planes = b"".join(block for scenario in range(len(content.scenarios)) for block in _of(content, scenario))
    return base64.b64encode(zlib.compress(planes, 9)).decode("ascii")


def _of(content: Exploration, scenario: int) -> Iterator[bytes]:
    bare = rounded(content.bare[scenario])
    yield _bytes(bare)
    for name in content.programmes:
        dial = content.dials[name]
        run = rounded(dial.at(scenario, 1.0))
        yield _bytes(run - bare)
        for node, levels in zip(dial.nodes, dial.levels[scenario], strict=True):
            if node not in (0.0, 1.0):
                yield _bytes(rounded(levels) - _line(bare, run, node))


def _line(bare: Whole, run: Whole, node: float) -> Whole:
    """Straight line through no measures and the run, in whole numbers: the page must come to the same."""
    return bare + (run - bare) * round(PERCENT * node) // PERCENT


def _bytes(values: Whole) -> bytes:
    """Differences between years, first byte of all numbers first."""
    change = np.diff(values, axis=1, prepend=0).astype("<i4")
    return change.ravel().view(np.uint8).reshape(-1, 4).T.tobytes()
