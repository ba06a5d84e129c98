"""Marginal effect: what each measure lifts the sea for each km³/yr that it brings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from caspian_sim.figures import style
from caspian_sim.figures.reading import HASH_DIGITS, choose, own_series, require, run_config
from caspian_sim.figures.text import name, number, say

NEEDED = (
    "measure_effect",
    "measure_water",
    "measure_marginal",
    "inflow_marginal",
    "measure_grade",
    "measure_alternative_to",
)
MIDDLE_SCENARIO = "ssp245"
PLOT_CM, ROW_CM = 5.6, 0.42
NARROW = 0.03
"""Bars narrower than this share of all have a label together."""
WORDS_CM = 0.8
"""Room for the number and the colour of a measure before its name."""


def marginal(ds: xr.Dataset, *, scenario: str | None = None, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the measures side by side: as wide as the water they bring, as high as the rise for each km³/yr.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.target`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    width_cm : float, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    require(ds, "marginal", NEEDED)
    labels = [str(label) for label in ds["scenario"].values]
    if scenario is None:
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in labels else labels[0]
    with style.drawing():
        return _draw(ds.sel(scenario=choose(ds, "scenario", scenario)), width_cm)


def marginal_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`marginal`, for all scenarios.

    Returns
    -------
    pandas.DataFrame
        For each `scenario` and `measure`: state, grade, rise in cm and water in km³/yr with their 5 and 95 %
        points, and rise per km³/yr.
    """
    require(ds, "marginal", NEEDED)
    names = [f"measure_{what}{end}" for what in ("effect", "water") for end in ("", "_low", "_high")]
    frame = ds[[*names, "measure_marginal", "measure_state", "measure_grade"]].to_dataframe().reset_index()
    columns = {key: key.replace("effect", "effect_cm").replace("water", "water_km3_per_yr") for key in names}
    frame = frame.rename(columns={**columns, "measure_marginal": "marginal_cm_per_km3_per_yr"})
    return frame[
        [
            "scenario",
            "measure",
            "measure_state",
            "measure_grade",
            *columns.values(),
            "marginal_cm_per_km3_per_yr",
        ]
    ]


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    # What stands in the place of another measure comes last: it has a line, but no place beside the others.
    instead = np.isin(ds["measure_alternative_to"].values, ds["measure"].values)
    marginal = np.nan_to_num(ds["measure_marginal"].values, nan=-1.0)
    ds = ds.isel(measure=np.lexsort((-marginal, instead)))
    row_cm, words_cm = max(ROW_CM, 1.2 * style.line_cm()), style.room_cm([], WORDS_CM)
    listed = [style.wrap(words, width_cm - words_cm - 0.4, style.SMALL) for words in _words(ds)]
    rows = sum(row_cm + (len(lines) - 1) * style.line_cm() for lines in listed)
    page = style.page(
        width_cm,
        PLOT_CM + style.BELOW_CM + 0.2 + rows,
        say("marginal.title"),
        say(
            "marginal.subtitle",
            scenario=name("scenario", str(ds["scenario"].item())),
            year=ds.attrs["target_year"],
            start=ds.attrs["inflow_start"],
        ),
        _footer(ds),
    )
    ax = page.axes(style.LEFT_CM, 0.4, 0.2, PLOT_CM)
    _bars(ax, ds.isel(measure=slice(int((~instead).sum()))))
    list_of = page.blank(style.MARGIN_CM, style.MARGIN_CM, PLOT_CM + style.BELOW_CM + 0.2, rows)
    y = rows - 0.5 * row_cm
    for place, (state, lines) in enumerate(zip(ds["measure_state"].values, listed, strict=True), start=1):
        list_of.text(0.0, y, str(place), va="center_baseline", fontsize=style.SMALL)
        style.swatch(list_of, style.STATES[str(state)], words_cm - 0.25, y)
        for i, line in enumerate(lines):
            down = i * style.line_cm()
            list_of.text(words_cm, y - down, line, va="center_baseline", fontsize=style.SMALL)
        y -= row_cm + (len(lines) - 1) * style.line_cm()
    return page.figure


def _words(ds: xr.Dataset) -> list[str]:
    """State, measure, grade and effect in words, in the order of the measures."""
    numbers = {str(measure): place for place, measure in enumerate(ds["measure"].values, start=1)}
    texts = []
    for measure in ds["measure"].values:
        now = ds.sel(measure=measure)
        effect, low, high = (number(float(now[f"measure_effect{end}"]), 1) for end in ("", "_low", "_high"))
        title, grade = name("title", str(now["measure_title"].item())), str(now["measure_grade"].item())
        told = {"title": title, "grade": grade, "effect": effect, "low": low, "high": high}
        other = numbers.get(str(now["measure_alternative_to"].item()))
        words = (
            say("marginal.label", **told) if other is None else say("marginal.instead", **told, other=other)
        )
        texts.append(f"{name('state_short', str(now['measure_state'].item()))} · {words}")
    return texts


def _bars(ax: Axes, ds: xr.Dataset) -> None:
    """Draw one measure beside the other, with their numbers above; narrow neighbours share a label."""
    widths = ds["measure_water"].values
    heights = np.nan_to_num(ds["measure_marginal"].values)
    right = np.cumsum(widths)
    for state, width, height, end in zip(ds["measure_state"].values, widths, heights, right, strict=True):
        mark = style.STATES[str(state)]
        ax.add_patch(
            Rectangle(
                (end - width, 0.0),
                width,
                height,
                facecolor=mark.colour,
                edgecolor="white",
                hatch=mark.hatch,
                linewidth=0.8,
            )
        )
    whole = max(float(right[-1]) if len(right) else 0.0, 1e-3)
    for first, last in _shared(widths, NARROW * whole):
        label = str(first + 1) if first == last else say("marginal.numbers", first=first + 1, last=last + 1)
        ax.annotate(
            label,
            (0.5 * (right[last] + right[first] - widths[first]), heights[first : last + 1].max()),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
        )
    reference = float(ds["inflow_marginal"])
    ax.axhline(reference, color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)))
    top = max(reference, float(heights.max(initial=0.0)))
    ax.set(xlim=(0.0, whole), ylim=(0.0, 1.2 * top))
    ax.set(xlabel=say("marginal.water"), ylabel=say("marginal.axis"))


def _shared(widths: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """First and last of the neighbours that share a label: so many that it has room, or all narrow ones."""
    found: list[tuple[int, int]] = []
    first, taken = 0, 0.0
    for place, width in enumerate(widths):
        if width >= least and place > first:
            found.append((first, place - 1))
            first, taken = place, 0.0
        taken += float(width)
        if taken >= least:
            found.append((first, place))
            first, taken = place + 1, 0.0
    return found if first == len(widths) else [*found, (first, len(widths) - 1)]


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [
        say("marginal.sources", members=number(config.uncertainty.members), year=ds.attrs["target_year"]),
        *own_series(config),
        say("footer.run", name=config.name, **footer),
    ]
