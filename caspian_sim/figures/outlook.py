"""Outlook: the observed months and the fan of the coming ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.figures import style
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import name, number, say

NEEDED = ("level", "annual_level", "recent_level", "recent_annual_level")
HEIGHT_CM, NARROW_HEIGHT_CM = 7.0, 6.0
YEARS_BEFORE = 3
LABELS_CM, NARROW_LABELS_CM = 3.1, 2.75
WIDE, CLOSE, MEDIAN = "#D3E2F0", "#8DB4D8", "#1F5FA8"
MEAN = "#A0522D"
# Place of the median among the quantiles.
MIDDLE = 2
# A year of which less is drawn than this has no name.
SMALLEST_PART = 0.4


def outlook(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the observed months of the last three years and the range of the coming ones.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.outlook`.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "outlook", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def outlook_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`outlook`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`outlook`.

    Returns
    -------
    pandas.DataFrame
        A row for every month and year that is drawn; without a month it is an annual mean. `kind` is observed
        or outlook; levels in m BHS, an observed one under the median.
    """
    require(ds, "outlook", NEEDED)
    columns = [f"level_p{100 * q:02.0f}_m_bhs" for q in ds["quantile"].values]
    middle = columns[len(columns) // 2]

    def part(kind: str, year: NDArray[np.int64], month: object, levels: dict[str, object]) -> pd.DataFrame:
        return pd.DataFrame({"kind": kind, "year": year, "month": month, **levels})

    since = int(ds.attrs["last_level_year"]) - YEARS_BEFORE
    recent = ds["recent_level"][ds["recent"].dt.year.values > since]
    fan = dict(zip(columns, ds["level"].transpose("quantile", "time").values, strict=True))
    annual = dict(zip(columns, ds["annual_level"].transpose("quantile", "year").values, strict=True))
    seen, ahead = recent["recent"].dt, ds["time"].dt
    frame = pd.concat(
        [
            part("observed", ds["recent_year"].values, pd.NA, {middle: ds["recent_annual_level"].values}),
            part("observed", seen.year.values, seen.month.values, {middle: recent.values}),
            part("outlook", ds["year"].values, pd.NA, {**annual}),
            part("outlook", ahead.year.values, ahead.month.values, {**fan}),
        ],
        ignore_index=True,
    )
    return frame.astype({"month": "Int64"})[["kind", "year", "month", *columns]]


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    height, labels = (NARROW_HEIGHT_CM, NARROW_LABELS_CM) if narrow else (HEIGHT_CM, LABELS_CM)
    names = [say(f"outlook.{part}") for part in ("low", "middle", "high")]
    labels = style.room_cm(names, labels - 0.15, bold=True) + 0.15
    table = outlook_table(ds)
    page = style.page(
        width_cm,
        height + style.BELOW_CM,
        say("outlook.title"),
        say(
            "outlook.subtitle",
            members=number(float(ds.attrs["members"])),
            year=int(ds.attrs["last_level_year"]),
            seen=say("outlook.seen", months=ds.attrs["months_seen"]) if ds.attrs["months_seen"] else "",
        ),
        _footer(ds),
    )
    ax = page.axes(style.LEFT_CM, labels, 0.0, height)
    monthly = table[table["month"].notna()]
    time = (monthly["year"] + (monthly["month"].astype(float) - 0.5) / MONTHS).to_numpy()
    ahead = (monthly["kind"] == "outlook").to_numpy()
    levels = monthly[[column for column in table.columns if column.startswith("level_")]].to_numpy()
    years = table[table["month"].isna()]
    _observed(ax, years[years["kind"] == "observed"], time[~ahead], levels[~ahead, MIDDLE])
    _fan(ax, time[ahead], levels[ahead])
    if ds.attrs["months_seen"]:
        # A thin line from what was seen last to what comes.
        seam = np.flatnonzero(ahead)[0] + np.array([-1, 0])
        ax.plot(time[seam], levels[seam, MIDDLE], color=MEDIAN, linewidth=0.6, zorder=2)
    mean = years[years["kind"] == "outlook"].iloc[:1]
    _annual_mean(ax, mean)
    first, end = int(ds.attrs["last_level_year"]) - YEARS_BEFORE + 1, float(time[-1]) + 0.6 / MONTHS
    ax.set(xlim=(first, end), ylabel=say("axis.level"))
    _name_years(ax, years[years["kind"] == "observed"], first, end)
    ax.grid(True)
    ax.margins(y=0.08)
    _labels(page.blank(width_cm - labels + 0.12, 0.0, 0.0, height), levels[-1], mean, ax.get_ylim(), height)
    return page.figure


def _observed(ax: Axes, years: pd.DataFrame, time: NDArray[np.float64], level: NDArray[np.float64]) -> None:
    # A gap in the months is one in the line.
    breaks = np.flatnonzero(np.diff(time) > 1.5 / MONTHS) + 1
    for t, piece in zip(np.split(time, breaks), np.split(level, breaks), strict=True):
        ax.plot(t, piece, "-o", color=style.INK, markersize=2.2, linewidth=1.0, zorder=4)
    for year, mean in zip(years["year"], years["level_p50_m_bhs"], strict=True):
        ax.plot([year + 0.03, year + 0.97], [mean] * 2, color="#8C8C8C", linewidth=2.0, zorder=3)


def _fan(ax: Axes, time: NDArray[np.float64], levels: NDArray[np.float64]) -> None:
    low, lower, middle, upper, high = levels.T
    ax.fill_between(time, low, high, color=WIDE, linewidth=0.0, zorder=1)
    ax.fill_between(time, lower, upper, color=CLOSE, linewidth=0.0, zorder=1)
    ax.plot(time, middle, color=MEDIAN, linestyle=(0, (4, 1.4)), zorder=3)


def _annual_mean(ax: Axes, mean: pd.DataFrame) -> None:
    """Draw the median of the coming annual mean through its year, and its 5 to 95 % as a bar."""
    for row in mean.to_dict("records"):
        year, middle = int(row["year"]), float(row["level_p50_m_bhs"])
        low, high = float(row["level_p05_m_bhs"]), float(row["level_p95_m_bhs"])
        ax.plot([year + 0.03, year + 0.97], [middle] * 2, color=MEAN, linewidth=1.4, zorder=5)
        ax.errorbar(
            year + 0.03,
            middle,
            yerr=[[middle - low], [high - middle]],
            color=MEAN,
            linewidth=1.4,
            capsize=2.5,
            zorder=5,
        )


def _name_years(ax: Axes, years: pd.DataFrame, first: int, end: float) -> None:
    """Write each year below its months, an observed annual mean below the year."""
    means = dict(zip(years["year"], years["level_p50_m_bhs"], strict=True))
    ax.set_xticks(range(first, int(end) + 1), labels=[])
    named = [year for year in range(first, int(np.ceil(end))) if end - year > SMALLEST_PART]
    words = [
        say("outlook.annual", year=year, level=number(means[year], 2))
        if not np.isnan(means.get(year, np.nan))
        else str(year)
        for year in named
    ]
    ax.set_xticks([0.5 * (year + min(year + 1, end)) for year in named], labels=words, minor=True)
    ax.tick_params(axis="x", which="minor", length=0)


def _labels(
    ax: Axes,
    last: NDArray[np.float64],
    mean: pd.DataFrame,
    limits: tuple[float, float],
    height: float,
) -> None:
    """Name bands and median beside their ends, and above them the annual mean."""
    row = style.line_cm()
    low, lower, middle, upper, high = (float(level) for level in last)
    top = height
    for year, *levels in mean[["year", *mean.columns[-len(last) :]]].itertuples(index=False):
        numbers = [number(float(level), 2) for level in levels]
        lines = (
            say("outlook.mean", year=int(year)),
            numbers[MIDDLE],
            say("outlook.mean.range", low=numbers[0], high=numbers[-1]),
        )
        for place, (line, weight) in enumerate(zip(lines, ("bold", "normal", "normal"), strict=True)):
            ax.text(0.0, top - (place + 1) * row, line, fontsize=style.SMALL, fontweight=weight, color=MEAN)
        top -= 3.6 * row
    ends = [
        (say("outlook.low"), 0.5 * (low + lower), low),
        (say("outlook.middle"), middle, middle),
        (say("outlook.high"), 0.5 * (upper + high), high),
    ]
    wanted = [(level - limits[0]) / (limits[1] - limits[0]) * height for _, level, _ in ends]
    places = style.spread(wanted, [2.4 * row] * len(ends), 0.0, top)
    for (words, _, value), y in zip(ends, places, strict=True):
        ax.text(0.0, y + 0.15 * row, words, fontsize=style.SMALL, fontweight="bold", color=MEDIAN)
        ax.text(0.0, y - 0.85 * row, number(value, 2), fontsize=style.SMALL)


def _footer(ds: xr.Dataset) -> list[str]:
    lines = [
        say(
            "outlook.sources",
            annual=name("grade", data.entry("sea_level_annual").grade),
            monthly=name("grade", data.entry("sea_level_monthly").grade),
        )
    ]
    if "observations" in ds.attrs:
        lines.append(say("record.own", file=str(ds.attrs["observations"]).rpartition("/")[2]))
    return [*lines, say("record.assumed"), say("footer.package", version=ds.attrs["version"])]
