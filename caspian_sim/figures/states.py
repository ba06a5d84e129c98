"""What the figures of the five states together share: rows by state, and what the footer says of evidence."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr
from matplotlib.axes import Axes

from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, run_footer
from caspian_sim.figures.text import name, number, say

NAMES_CM, BESIDE_CM = 2.6, 0.4
"""Least room for the names of the states, and what of it is margin."""


def names_cm(names: Iterable[str]) -> float:
    """Room for the names of states, and what stands in their rows, at the left of a plot, cm."""
    return style.room_cm(names, NAMES_CM - BESIDE_CM) + BESIDE_CM


def attribution_footer(ds: xr.Dataset, how: str = "states.means") -> list[str]:
    """Paragraphs under a figure of an attribution: how it was made, and what in it is assumed."""
    lines = [say(how, members=number(ds.sizes["member"]), coalitions=2 ** ds.sizes["state"])]
    if (ds["measure_grade"] == ASSUMPTION).any():
        lines.append(say("states.caveat"))
    return [*lines, *run_footer(ds, [ds.attrs["joint_programme"]])]


def spread_text(mean: float, low: float, high: float, digits: int) -> str:
    """Mean with its 5 and 95 % points in words."""
    words = (number(value, digits) for value in (mean, low, high))
    return say("states.range", **dict(zip(("mean", "low", "high"), words, strict=True)))


def write_right(ax: Axes, x: float, y: float, text: str, **options: object) -> None:
    """Write a small number right of a place in data units."""
    ax.annotate(
        text,
        (x, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=style.SMALL,
        **options,  # type: ignore[arg-type]
    )


def state_names(states: list[str]) -> list[str]:
    """Names of states from their codes."""
    return [name("state", state) for state in states]
