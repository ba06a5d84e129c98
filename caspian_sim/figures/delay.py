"""Delay: the avoided fall of one programme, begun in different years."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, HASH_DIGITS, choose, own_series, require, run_config
from caspian_sim.figures.text import name, number, say

NEEDED = ("avoided_fall", "avoided_fall_low", "avoided_fall_high", "lost", "lost_low", "lost_high")
MIDDLE_SCENARIO = "ssp245"
MIDDLE_YEAR = 2050
PLOT_CM, LABELS_CM, LINE_CM = 6.4, 4.9, 0.32
SAMPLE_CM, RIGHT_CM = 0.75, 0.15
"""Room for the sample of a line before its label, and at the right of it."""
SLIDE_CM = 8.5
"""Width of the plot on a slide at least."""
LOOKS: tuple[tuple[str, Any, str], ...] = (
    ("#0B4F6C", "-", "o"),
    ("#2E86AB", (0, (4, 1.6)), "s"),
    ("#8FBCD4", (0, (1, 1.2)), "^"),
    ("#B57A00", (0, (5, 1, 1, 1)), "D"),
)
"""The earlier the start, the darker the line."""


def delay(ds: xr.Dataset, *, scenario: str | None = None, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the avoided fall by start, with what is lost by the last year.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.delay`.
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
    require(ds, "delay", NEEDED)
    labels = [str(label) for label in ds["scenario"].values]
    if scenario is None:
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in labels else labels[0]
    with style.drawing():
        return _draw(ds.sel(scenario=choose(ds, "scenario", scenario)), width_cm)


def delay_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`delay`, for all scenarios.

    Returns
    -------
    pandas.DataFrame
        For each `scenario`, `start` and `year`: avoided fall and what is lost of it, m, 5 and 95 % points.
    """
    require(ds, "delay", NEEDED)
    frame = ds[list(NEEDED)].to_dataframe().reset_index()
    return frame[["scenario", "start", "year", *NEEDED]].rename(columns={key: f"{key}_m" for key in NEEDED})


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    starts, last = ds["start"].values, int(ds["year"].values[-1])
    line_cm = style.room_cm([], LINE_CM)
    block = 3.6 * line_cm
    below = block * len(starts) if narrow else 0.0
    words = [_label(ds, int(start), with_loss=place > 0) for place, start in enumerate(starts)]
    labels_cm = 0.5 + SAMPLE_CM + style.room_cm(["\n".join(lines) for lines in words], LABELS_CM) + RIGHT_CM
    width_cm = style.room_for(width_cm, style.LEFT_CM + SLIDE_CM + labels_cm)
    page = style.page(
        width_cm,
        0.2 + PLOT_CM + style.BELOW_CM + below,
        say("delay.title"),
        say(
            "delay.subtitle",
            scenario=name("scenario", str(ds["scenario"].item())),
            programme=name("programme", ds.attrs["programme"]),
            last=last,
        ),
        _footer(ds),
    )
    ax = page.axes(style.LEFT_CM, 0.6 if narrow else labels_cm, 0.2, PLOT_CM)
    top = 1.08 * max(float(ds["avoided_fall_high"].isel(year=-1).max()), 1e-3)
    years, end = ds["year"].values, ds.isel(year=-1)
    for place, start in enumerate(starts):
        colour, dashes, marker = LOOKS[place % len(LOOKS)]
        now = end.sel(start=start)
        ax.plot(
            years, ds["avoided_fall"].sel(start=start).values, color=colour, linestyle=dashes, linewidth=1.6
        )
        at = years[-1] + (0.6 + 1.2 * place) * len(years) / 75
        span = [float(now["avoided_fall_low"]), float(now["avoided_fall_high"])]
        ax.plot([at, at], span, color=colour, linewidth=2.0, clip_on=False)
        ax.plot(at, float(now["avoided_fall"]), marker, color=colour, markersize=4.0, clip_on=False)
    ax.set(xlim=(years[0], years[-1]), ylim=(min(0.0, float(end["avoided_fall_low"].min())), top))
    ax.set(xlabel=say("axis.year"), ylabel=say("delay.axis"))
    if narrow:
        labels = page.blank(style.MARGIN_CM, style.MARGIN_CM, 0.2 + PLOT_CM + style.BELOW_CM, below)
        places = [below - (0.5 + i) * block for i in range(len(starts))]
    else:
        labels = page.blank(width_cm - labels_cm + 0.5, 0.0, 0.2, PLOT_CM)
        wanted = [float(end["avoided_fall"].sel(start=s)) / top * PLOT_CM for s in starts]
        places = list(style.spread(wanted[::-1], [block] * len(starts), 0.0, PLOT_CM))[::-1]
    for place, (lines, y) in enumerate(zip(words, places, strict=True)):
        colour, dashes, marker = LOOKS[place % len(LOOKS)]
        labels.plot([0.0, 0.6], [y + 0.1] * 2, color=colour, linestyle=dashes, linewidth=1.6, clip_on=False)
        labels.plot(0.3, y + 0.1, marker, color=colour, markersize=3.4, clip_on=False)
        for down, line in enumerate(lines):
            colour = style.MUTED if down else style.INK
            labels.text(SAMPLE_CM, y - down * line_cm, line, fontsize=style.SMALL, color=colour)
    return page.figure


def _label(ds: xr.Dataset, start: int, with_loss: bool) -> list[str]:
    """Lines beside a start: what it avoids by the last year and, for later starts, what is lost."""
    now = ds.sel(start=start).isel(year=-1)
    avoided = {key: number(float(now[f"avoided_fall{e}"]), 2) for key, e in _ends("avoided")}
    lines = [say("delay.label", start=start, **avoided)]
    for year in _told(ds) if with_loss else []:
        then = ds.sel(start=start, year=year)
        lost = {key: number(float(then[f"lost{e}"]), 2) for key, e in _ends("lost")}
        lines.append(say("delay.lost", year=year, **lost))
    return lines


def _told(ds: xr.Dataset) -> list[int]:
    """Years whose loss is written: the middle of the century, where it is in the period, and the last."""
    last = int(ds["year"].values[-1])
    return [year for year in (MIDDLE_YEAR,) if year in ds["year"].values and year != last] + [last]


def _ends(middle: str) -> tuple[tuple[str, str], ...]:
    return ((middle, ""), ("low", "_low"), ("high", "_high"))


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    pairs = zip(ds["measure"].values, ds["measure_grade"].values, strict=True)
    assumed = ", ".join(name("measure", str(measure)) for measure, grade in pairs if grade == ASSUMPTION)
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [
        say("delay.sources", members=number(ds.attrs["members"])),
        *([say("delay.grade_d", names=assumed)] if assumed else []),
        *own_series(config),
        say("footer.run", name=config.name, **footer),
    ]
