"""Sensitivity: which inputs the spread of the projected level comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.reading import (
    ASSUMPTION,
    HASH_DIGITS,
    middle_scenario,
    own_series,
    require,
    run_config,
)
from caspian_sim.figures.text import name, number, say

Array = NDArray[np.float64]

NEEDED = ("index", "index_low", "index_high", "level_sd", "input_grade")
MOST_YEARS, MOST_YEARS_NARROW = 3, 1
MOST_INPUTS = 10
"""Inputs with a row of their own, where there are more than this and one; the others share a row."""
NAMES_CM = 4.7
"""Room for the names of the inputs."""
ROW_CM, GAP_CM, TITLE_CM = 0.46, 0.35, 0.4
OFFSET = 0.17
"""Distance of the two indices from the middle of their row, rows."""
APART = 2.0
"""How far the name of the upper mark moves up from it, points."""
MARKS = {"total": (-OFFSET, style.INK, style.INK), "first": (OFFSET, style.MUTED, "white")}
"""Distance from the middle of the row, colour and filling of the mark of each index."""
SMALLEST = 0.005
"""Total indices below this are not written beside their mark, a share of the variance."""


def sensitivity(
    ds: xr.Dataset, *, scenario: str | None = None, width_cm: float = style.PAGE_WIDTH_CM
) -> Figure:
    """Draw the first-order and total indices of the inputs, largest total of the last year first.

    Ten inputs have a row; what comes after them is added up in one row more. The table has all of them.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.sensitivity`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    width_cm : float, optional
        Width of the figure; a column shows the last year, a page the last three.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    require(ds, "sensitivity", NEEDED)
    with style.drawing():
        return _draw(ds.sel(scenario=middle_scenario(ds, scenario)), width_cm)


def sensitivity_table(ds: xr.Dataset, *, scenario: str | None = None) -> pd.DataFrame:
    """Numbers of :func:`sensitivity`.

    Parameters
    ----------
    ds, scenario
        As for :func:`sensitivity`.

    Returns
    -------
    pandas.DataFrame
        For each `scenario`, `year` and `input`: `first_order` and `total` index with the ends of their
        confidence interval, and the standard deviation of the level in m, whose square they are shares of.
    """
    require(ds, "sensitivity", NEEDED)
    chosen = ds.sel(scenario=middle_scenario(ds, scenario))
    parts = []
    for year in ds["year"].values:
        now = chosen.sel(year=year)
        columns = {
            f"{column}{end}": now[f"index{end}"].sel(order=order).values
            for order, column in (("first", "first_order"), ("total", "total"))
            for end in ("", "_low", "_high")
        }
        about = {
            "scenario": str(chosen["scenario"].item()),
            "year": int(year),
            "input": [str(label) for label in ds["input"].values],
            "grade": [str(grade) for grade in ds["input_grade"].values],
        }
        parts.append(pd.DataFrame({**about, **columns, "level_sd_m": float(now["level_sd"])}))
    return pd.concat(parts, ignore_index=True)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    order = np.argsort(-ds["index"].sel(order="total").isel(year=-1).values, kind="stable")
    ds = ds.isel(input=order)
    rows, others = ds.sizes["input"], 0
    if rows > MOST_INPUTS + 1:
        rows, others = MOST_INPUTS + 1, rows - MOST_INPUTS
    names = [_name(str(label)) for label in ds["input"].values[: rows - bool(others)]]
    if others:
        names.append(say("sensitivity.others", count=others))
    names_cm = style.room_cm(names, NAMES_CM - 0.2) + 0.2
    years = _shown_years(ds, names_cm, width_cm)
    row_cm = ROW_CM * style.taller()
    page = style.page(
        width_cm,
        TITLE_CM + rows * row_cm + style.BELOW_CM,
        say("sensitivity.title"),
        say(
            "sensitivity.subtitle",
            scenario=name("scenario", str(ds["scenario"].item())),
            programme=name("programme", ds.attrs["programme"]),
            confidence=number(100 * ds.attrs["confidence"]),
        ),
        _footer(ds, others),
    )
    room = (width_cm - names_cm - 0.3 - GAP_CM * (len(years) - 1)) / len(years)
    for place, year in enumerate(years):
        left = names_cm + place * (room + GAP_CM)
        ax = page.axes(left, width_cm - left - room, TITLE_CM, rows * row_cm)
        now = ds.sel(year=year)
        _panel(ax, now.isel(input=slice(len(names) - bool(others))), named=place == len(years) - 1)
        if others:
            _others(ax, now.isel(input=slice(MOST_INPUTS, None)), rows - 1)
        # The widest label starts at the end of an interval.
        ax.set(xlim=(-0.04, 1.35 if not narrow else 1.2), ylim=(rows - 0.5, -0.5))
        ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "", number(0.5, 1), "", "1"])
        ax.set_yticks(range(rows), names if place == 0 else [""] * rows)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_title(_heading(ds, year), loc="left", fontsize=style.SMALL, pad=3)
        if place == len(years) // 2:
            ax.set_xlabel(say("axis.variance"))
    return page.figure


def _heading(ds: xr.Dataset, year: int) -> str:
    return say("sensitivity.year", year=year, sd=number(float(ds["level_sd"].sel(year=year)), 2))


def _shown_years(ds: xr.Dataset, names_cm: float, width_cm: float) -> list[int]:
    """Last years, as many as there is room for: a column has one."""
    years = [int(year) for year in ds["year"].values]
    widest = style.room_cm(_heading(ds, year) for year in years) + GAP_CM
    fit = int((width_cm - names_cm - 0.3 + GAP_CM) / widest)
    most = MOST_YEARS_NARROW if width_cm < style.NARROW_CM else MOST_YEARS
    return years[-max(1, min(fit, most)) :]


def _panel(ax: Axes, now: xr.Dataset, named: bool) -> None:
    """Draw the indices of one year; where they are `named`, the first row says which mark is which."""
    rows = np.arange(now.sizes["input"], dtype=float)
    ax.axvline(0.0, color=style.INK, linewidth=0.6, zorder=1)
    ax.hlines(rows, 0.0, 1.0, color=style.RULE, linewidth=0.4, zorder=0)
    for order in MARKS:
        shift, colour, _ = MARKS[order]
        index, low, high = (now[f"index{end}"].sel(order=order).values for end in ("", "_low", "_high"))
        ax.hlines(rows + shift, low, high, color=colour, linewidth=1.0, zorder=2)
        _mark(ax, order, index, rows)
    total, first = now.sel(order="total"), now.sel(order="first")
    for row, value, end in zip(rows, total["index"].values, total["index_high"].values, strict=True):
        if row == 0 and named:
            _write(ax, say("sensitivity.total", value=number(value, 2)), end, -OFFSET, -APART)
            text = say("sensitivity.first", value=number(float(first["index"][0]), 2))
            _write(ax, text, float(first["index_high"][0]), OFFSET)
        elif value >= SMALLEST:
            _write(ax, number(value, 2), end, row - OFFSET)


def _mark(ax: Axes, order: str, index: Array, rows: Array) -> None:
    shift, colour, face = MARKS[order]
    ax.plot(
        index,
        rows + shift,
        "o",
        color=colour,
        markerfacecolor=face,
        markersize=3.2,
        markeredgewidth=0.8,
        zorder=3,
    )


def _others(ax: Axes, now: xr.Dataset, row: int) -> None:
    """Draw the sums of the indices of the inputs without a row of their own, which have no interval."""
    ax.hlines(row, 0.0, 1.0, color=style.RULE, linewidth=0.4, zorder=0)
    sums = {order: float(now["index"].sel(order=order).sum()) for order in MARKS}
    for order, value in sums.items():
        _mark(ax, order, np.array([value]), np.array([row]))
    if sums["total"] >= SMALLEST:
        _write(ax, number(sums["total"], 2), sums["total"], row - OFFSET)


def _write(ax: Axes, text: str, x: float, y: float, down: float = 0.0) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext=(3, -down),
        textcoords="offset points",
        va="center_baseline",
        fontsize=style.SMALL,
    )


def _name(label: str) -> str:
    kind, _, identifier = label.rpartition(":")
    return name(kind or "parameter", identifier)


def _footer(ds: xr.Dataset, others: int) -> list[str]:
    drawn = ds.isel(input=slice(ds.sizes["input"] - others))
    pairs = zip(drawn["input"].values, drawn["input_grade"].values, strict=True)
    assumed = [_name(str(label)) for label, grade in pairs if grade == ASSUMPTION]
    config = run_config(ds)
    lines = [
        say(
            "sensitivity.design",
            runs=number(ds.attrs["runs_per_scenario"]),
            samples=number(ds.attrs["samples"]),
            inputs=ds.sizes["input"],
        ),
        say(f"sensitivity.ranges.{ds.attrs['parameters']}"),
    ]
    if others:
        last = ds.isel(year=-1, input=slice(-others, None))
        most = number(max(float(last["index"].sel(order="total").max()), SMALLEST), 2)
        lines.append(say("sensitivity.sum", most=most, year=int(last["year"])))
    if assumed:
        lines.append(say("sensitivity.grade_d", names=", ".join(assumed)))
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [*lines, *own_series(config), say("footer.run", name=config.name, **footer)]
