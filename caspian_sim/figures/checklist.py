"""Checklist: what the hindcast has to reproduce, and what it does."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.evaluate import checklist as evaluated
from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, require
from caspian_sim.figures.text import name, number, print_unit, say

NEEDED = (
    "sea_level",
    "observed_level",
    "rmse",
    "bias",
    "worst_error",
    "strait_outflow",
    "bay_level",
    "bay_area",
    "bay_dry",
    "budget_residual",
)
NAMES_CM, VALUES_CM = 4.9, 1.75
"""Room for the names of the checks, and for the values beside their marks."""
ROW_CM, GAP_CM, TITLE_CM, BELOW_CM = 0.68, 0.25, 1.15, 1.05
LINE = 0.21
"""Distance of the two lines of a row from its middle, rows."""
WIDEST, EDGE = 3.0, 0.15
"""Tolerances that are drawn on both sides of a target; what lies beyond ends in an arrow."""
WITHIN = "#DDE8DD"
TINY = 1e-4
"""Tolerances below this are written as powers of ten."""


def checklist(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw how far each run of the hindcast is from what is asked of it, in tolerances.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.hindcast`.
    width_cm : float, optional
        Width of the figure; in a column the runs stand below each other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or a run has no thresholds.
    """
    table = checklist_table(ds)
    with style.drawing():
        return _draw(table, ds.attrs["version"], width_cm)


def checklist_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`checklist`, see :func:`caspian_sim.evaluate.checklist.checklist`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`checklist`.

    Returns
    -------
    pandas.DataFrame
    """
    require(ds, "checklist", NEEDED)
    return evaluated.checklist(ds)


def check_number(value: float, tolerance: float, unit: str) -> str:
    """Write a value of a check to a place that tells it from its tolerance."""
    if not math.isfinite(value):
        return say("checklist.never")
    if tolerance < TINY:
        return f"{value:.0e}".replace("e-0", "e-").replace("-", "−") if value else "0"
    stated = len(f"{tolerance:g}".partition(".")[2])
    digits = 0 if unit == "year" else max(stated, 1 - math.floor(math.log10(tolerance)), 0)
    return number(value, digits, grouped="year" not in unit)


def check_target(target: float, tolerance: float, unit: str) -> str:
    """Write what is asked for: the target with its tolerance and unit."""
    shown = name("unit", print_unit(unit))
    middle = check_number(target, tolerance, unit) if target else "0"
    return f"{middle} ± {check_number(tolerance, tolerance, unit)} {shown}".rstrip()


def _draw(table: pd.DataFrame, version: str, width_cm: float) -> Figure:
    runs = list(dict.fromkeys(table["run"]))
    checks = list(dict.fromkeys(table["check"]))
    tolerances = table.groupby("check")["tolerance"].nunique()
    shared = {check for check in checks if tolerances[check] == 1}
    columns = 1 if width_cm < style.NARROW_CM else len(runs)
    height = max(ROW_CM, 2.05 * style.line_cm()) * len(checks)
    block = TITLE_CM + height + BELOW_CM
    page = style.page(
        width_cm,
        block * (len(runs) // columns),
        say("checklist.title"),
        say("checklist.subtitle"),
        [
            say("checklist.sources"),
            *([say("checklist.grade_d")] if (table["tolerance_grade"] == ASSUMPTION).any() else []),
            say("footer.package", version=version),
        ],
    )
    titles = [name("check", title) for title in table["title"].unique()]
    names_cm = style.room_cm(titles, NAMES_CM - 0.4) + 0.4
    values_cm = style.room_cm(_marks(table, shared), VALUES_CM - 0.15, bold=True) + 0.15
    room = (width_cm - names_cm - 0.2 - GAP_CM * (columns - 1)) / columns
    for place, run in enumerate(runs):
        row, column = divmod(place, columns)
        left = names_cm + column * (room + GAP_CM)
        top = row * block + TITLE_CM
        now = table[table["run"] == run].set_index("check").loc[checks]
        _panel(page.axes(left, width_cm - left - room + values_cm, top, height), now, run, room)
        if column == 0:
            _names(page.blank(0.2, width_cm - names_cm, top, height), now, shared)
        _values(page.blank(left + room - values_cm + 0.1, 0.0, top, height), now, shared)
    return page.figure


def _mark(line: Mapping[Hashable, Any], shared: bool) -> str:
    """Word for a check that passes or fails, with the tolerance where that depends on the run."""
    word = say("checklist.pass" if line["passes"] else "checklist.fail")
    if shared:
        return word
    allowed = check_number(line["tolerance"], line["tolerance"], line["unit"])
    return say("checklist.own", word=word, allowed=allowed)


def _marks(table: pd.DataFrame, shared: set[str]) -> list[str]:
    return [_mark(line, line["check"] in shared) for line in table.to_dict("records")]


def _panel(ax: Axes, now: pd.DataFrame, run: str, room: float) -> None:
    """Distance of each value from its target, in tolerances."""
    colour = style.HINDCAST_RUNS[run].colour
    ax.axvspan(-1.0, 1.0, color=WITHIN, linewidth=0.0, zorder=0)
    ax.axvline(0.0, color=style.MUTED, linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=1)
    ax.hlines(np.arange(len(now) + 1) - 0.5, -WIDEST, WIDEST, color=style.RULE, linewidth=0.4, zorder=0)
    distance = ((now["value"] - now["target"]) / now["tolerance"]).to_numpy()
    record = ((now["record"] - now["target"]) / now["tolerance"]).to_numpy()
    for row, (value, observed, passes) in enumerate(zip(distance, record, now["passes"], strict=True)):
        if abs(observed) > 0.0:
            # Beyond the scale it stands inside the arrow of the run.
            x = float(np.clip(observed, 5 * EDGE - WIDEST, WIDEST - 5 * EDGE))
            ax.plot(
                x, row, "D", color=style.INK, markerfacecolor="white", markersize=3.6, markeredgewidth=0.8
            )
        if abs(value) > WIDEST - EDGE:
            x, shape = math.copysign(WIDEST - EDGE, value), ">" if value > 0 else "<"
            ax.plot(x, row, shape, color=colour, markersize=4.5, zorder=4)
        elif math.isfinite(value):
            shape, edge = ("o", 0.0) if passes else ("x", 1.6)
            ax.plot(value, row, shape, color=colour, markersize=4.5, markeredgewidth=edge, zorder=4)
    ax.set(xlim=(-WIDEST, WIDEST), ylim=(len(now) - 0.5, -0.5), yticks=[], xlabel=say("axis.tolerances"))
    ax.set_xticks([-1, 1], ["−1", "1"])
    ax.spines["left"].set_visible(False)
    words = style.wrap(name("run", run), room, style.SMALL, bold=True)
    words.append(say("checklist.run", passed=int(now["passes"].sum()), checks=len(now)))
    ax.set_title("\n".join(words), loc="left", fontsize=style.SMALL, fontweight="bold", pad=4, color=colour)


def _names(ax: Axes, now: pd.DataFrame, shared: set[str]) -> None:
    """Name of each check above what is asked for, which depends on the run for some."""
    ax.set_ylim(len(now) - 0.5, -0.5)
    for row, line in enumerate(now.to_dict("records")):
        asked = say("checklist.by_run")
        if now.index[row] in shared:
            key = {"": "checklist.asked", evaluated.RECORD_SOURCE: "checklist.asked.record"}
            target = check_target(line["target"], line["tolerance"], line["unit"])
            asked = say(key.get(line["source"], "checklist.asked.source"), target=target, grade=line["grade"])
        title = re.sub(r"(\d{4})-(\d{4})", r"\1–\2", name("check", line["title"]))
        ax.text(0.0, row - LINE, title, va="center_baseline", fontsize=style.SMALL)
        ax.text(0.0, row + LINE, asked, va="center_baseline", fontsize=style.SMALL, color=style.MUTED)


def _values(ax: Axes, now: pd.DataFrame, shared: set[str]) -> None:
    """Value of each check above the word for it, with the tolerance where that depends on the run."""
    ax.set_ylim(len(now) - 0.5, -0.5)
    for row, line in enumerate(now.to_dict("records")):
        word = _mark(line, now.index[row] in shared)
        value = check_number(line["value"], line["tolerance"], line["unit"])
        ax.text(0.0, row - LINE, value, va="center_baseline", fontsize=style.SMALL)
        weight = "normal" if line["passes"] else "bold"
        ax.text(0.0, row + LINE, word, va="center_baseline", fontsize=style.SMALL, fontweight=weight)
