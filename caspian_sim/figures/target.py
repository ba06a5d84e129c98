"""Target: how much extra inflow a level takes, and how far the catalogue of measures goes towards it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.figures import style
from caspian_sim.figures.reading import HASH_DIGITS, own_series, require, run_config
from caspian_sim.figures.text import axis_numbers, decimal_mark, name, number, plain_number, say

NEEDED = (
    "required_inflow",
    "required_inflow_low",
    "required_inflow_high",
    "member_required_inflow",
    "programme_inflow",
    "programme_probability",
)
WHOLE = "whole catalogue"
PLOT_CM, TITLE_CM, ROW_CM = 6.2, 0.3, 0.38
PERCENT = 100.0
BEHIND_WORDS = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
LEAST_AXIS = 30.0
"""The axis of extra inflow reaches this far at least, km³/yr."""


def target(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the required inflow against the level, and the probability to hold it against the inflow.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.target`.
    width_cm : float, optional
        Width of the figure; in a column the second plot stands below the first.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "target", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def target_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`target`.

    Returns
    -------
    pandas.DataFrame
        For each `scenario` and `target_level_m_bhs` the required inflow with its interval, km³/yr.
    """
    require(ds, "target", NEEDED)
    numbers = xr.Dataset({f"required_inflow{e}": ds[f"required_inflow{e}"] for e in ("", "_low", "_high")})
    frame = numbers.to_dataframe().reset_index()
    frame.columns = [
        "scenario",
        "target_level_m_bhs",
        *(f"{column}_km3_per_yr" for column in frame.columns[2:]),
    ]
    return frame


def whole_catalogue(ds: xr.Dataset) -> tuple[float, float, float]:
    """5 % point, median and 95 % point of what the whole catalogue brings, km³/yr, means over scenarios."""
    now = ds.sel(programme=WHOLE)
    low, middle, high = (float(now[f"programme_inflow{end}"].mean()) for end in ("_low", "", "_high"))
    return low, middle, high


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    rows = (ds.sizes["scenario"] + 1) * style.room_cm([], ROW_CM)
    plots = 2 * (PLOT_CM + style.BELOW_CM) if narrow else PLOT_CM + style.BELOW_CM
    page = style.page(width_cm, TITLE_CM + plots + rows, say("target.title"), _subtitle(ds), _footer(ds))
    if narrow:
        curve = page.axes(style.LEFT_CM, 0.4, TITLE_CM, PLOT_CM)
        chance = page.axes(style.LEFT_CM, 0.4, TITLE_CM + PLOT_CM + style.BELOW_CM, PLOT_CM)
    else:
        gap = style.LEFT_CM + 0.1
        room = (width_cm - style.LEFT_CM - gap - 0.4) / 2
        curve = page.axes(style.LEFT_CM, width_cm - style.LEFT_CM - room, TITLE_CM, PLOT_CM)
        chance = page.axes(width_cm - 0.4 - room, 0.4, TITLE_CM, PLOT_CM)
        chance.yaxis.set_label_coords((style.LABEL_CM - gap) / room, 0.5)
    highest = _highest_inflow(ds)
    _curves(curve, ds, highest)
    _chances(chance, ds, highest)
    _answers(page.blank(style.MARGIN_CM, style.MARGIN_CM, TITLE_CM + plots, rows), ds, rows)
    return page.figure


def _highest_inflow(ds: xr.Dataset) -> float:
    values = ds["required_inflow"].values
    finite = values[np.isfinite(values)]
    asked = ds["required_inflow_high"].sel(target_level=ds.attrs["target_level"]).values
    asked = asked[np.isfinite(asked)]
    wanted = max(whole_catalogue(ds)[2], float(asked.max(initial=0.0))) * 1.35
    return max(LEAST_AXIS, min(wanted, float(finite.max(initial=wanted))))


def _curves(ax: Axes, ds: xr.Dataset, highest: float) -> None:
    low, middle, high = whole_catalogue(ds)
    ax.axhspan(low, high, **_whole_look())
    ax.axhline(middle, color=style.MUTED, linewidth=1.0, zorder=1)
    levels = ds["target_level"].values
    for scenario in ds["scenario"].values:
        now, mark = ds.sel(scenario=scenario), style.SCENARIOS[str(scenario)]
        shown = [
            np.where(np.isfinite(v := now[f"required_inflow{e}"].values), v, np.nan)
            for e in ("_low", "", "_high")
        ]
        ax.fill_between(levels, shown[0], shown[2], color=mark.colour, alpha=0.18, linewidth=0.0, zorder=2)
        ax.plot(levels, shown[1], color=mark.colour, marker=mark.marker, markersize=3.4, zorder=3)
    asked = ds.attrs["target_level"]
    ax.axvline(asked, color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)), zorder=4)
    ax.annotate(
        say("target.asked", level=number(asked, 2).rstrip("0").rstrip(decimal_mark())),
        (asked, highest),
        (3, -8),
        textcoords="offset points",
        fontsize=style.SMALL,
        bbox=BEHIND_WORDS,
        zorder=6,
    )
    ax.annotate(
        say("target.whole", low=number(low), high=number(high)),
        (levels[0], high),
        (3, 3),
        textcoords="offset points",
        fontsize=style.SMALL,
        bbox=BEHIND_WORDS,
        zorder=6,
    )
    ax.set(xlim=(levels[0], levels[-1]), ylim=(0.0, highest))
    ax.set(xlabel=say("axis.target"), ylabel=say("axis.extra_inflow"))
    ax.xaxis.set_major_formatter(axis_numbers(1))


def _whole_look() -> dict[str, Any]:
    """Look of the area that says what the whole catalogue brings: dots would hide lines in shades of grey."""
    hatch = "" if style.now().grey else ".."
    return {"facecolor": "#ECECEC", "edgecolor": style.RULE, "hatch": hatch, "linewidth": 0.0, "zorder": 0}


def _chances(ax: Axes, ds: xr.Dataset, highest: float) -> None:
    low, middle, high = whole_catalogue(ds)
    ax.axvspan(low, high, **_whole_look())
    ax.axvline(middle, color=style.MUTED, linewidth=1.0, zorder=1)
    members = ds.sizes["member"]
    for scenario in ds["scenario"].values:
        mark = style.SCENARIOS[str(scenario)]
        needs = np.sort(ds["member_required_inflow"].sel(scenario=scenario).values)
        inflow = np.linspace(0.0, highest, 61)
        held = PERCENT * np.searchsorted(needs, inflow, side="right") / members
        ax.plot(inflow, held, color=mark.colour, marker=mark.marker, markersize=3.4, markevery=10, zorder=3)
    ax.axhline(PERCENT * ds.attrs["probability"], color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)))
    ax.set(xlim=(0.0, highest), ylim=(0.0, PERCENT))
    ax.set(xlabel=say("axis.extra_inflow"), ylabel=say("axis.probability"))


def _answers(ax: Axes, ds: xr.Dataset, top: float) -> None:
    """Write the answer of each scenario for the level that was asked for."""
    attrs = ds.attrs
    row_cm = style.room_cm([], ROW_CM)
    y = top - 0.5 * row_cm
    text = say(
        "target.answers",
        level=number(attrs["target_level"], 2),
        confidence=number(PERCENT * attrs["confidence"]),
    )
    ax.text(0.0, y, text, fontsize=style.SMALL, color=style.MUTED, va="center_baseline")
    asked = ds.sel(target_level=attrs["target_level"])
    for scenario in ds["scenario"].values:
        y -= row_cm
        mark = style.SCENARIOS[str(scenario)]
        ax.plot(0.2, y, mark.marker, color=mark.colour, markersize=4.5, clip_on=False)
        now = asked.sel(scenario=scenario)
        share = number(PERCENT * float(now["programme_probability"].sel(programme=WHOLE)), 1)
        title = name("scenario", str(scenario))
        if np.isfinite(float(now["required_inflow"])):
            inflow, low, high = (number(float(now[f"required_inflow{e}"]), 1) for e in ("", "_low", "_high"))
            text = say("target.answer", scenario=title, inflow=inflow, low=low, high=high, share=share)
        else:
            text = say("target.beyond", scenario=title, most=number(attrs["most_inflow"]), share=share)
        ax.text(0.5, y, text, fontsize=style.SMALL, va="center_baseline")


def _subtitle(ds: xr.Dataset) -> str:
    attrs = ds.attrs
    years = attrs["inflow_ramp_years"]
    return say(
        "target.subtitle",
        start=attrs["inflow_start"],
        ramp=say("target.ramp", years=plain_number(years)) if years else "",
        span=say("target.throughout" if attrs["throughout"] else "target.in", year=attrs["target_year"]),
        probability=plain_number(attrs["probability"]),
        confidence=number(PERCENT * attrs["confidence"]),
        level=number(attrs["target_level"], 2),
    )


def verdicts(ds: xr.Dataset) -> list[str]:
    """Sentences that say under which scenarios the whole catalogue holds the level, and under which not."""
    whole = ds.sel(programme=WHOLE)
    held = whole["programme_probability"].values >= ds.attrs["probability"]
    lines = []
    for key, chosen in (("target.reached", held), ("target.missed", ~held)):
        if chosen.any():
            names = ", ".join(name("scenario", str(s)) for s in ds["scenario"].values[chosen])
            inflow = number(float(whole["programme_inflow"].values[chosen].mean()))
            probability = plain_number(ds.attrs["probability"])
            lines.append(say(key, names=names, inflow=inflow, probability=probability))
    return lines


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [
        *verdicts(ds),
        say("target.sources", members=number(ds.sizes["member"])),
        *own_series(config),
        say("footer.run", name=config.name, **footer),
    ]
