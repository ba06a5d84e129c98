"""Variance: how the spread of the projected level divides among its sources as the years go on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim.config import Config, parameters_of
from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, HASH_DIGITS, require, run_config
from caspian_sim.figures.text import name, number, say
from caspian_sim.plan import grades_of

NEEDED = ("variance_share", "variance_share_low", "variance_share_high", "level_sd", "level_mean")
ORDER = ("internal_variability", "parameters", "structure", "scenario", "interactions")
"""Sources from the bottom up: what cannot be narrowed first, what is shared last."""
CHOICES = ("evaporation", "area_convention", "strait")
MARKED = (2050, 2100)
"""Years whose numbers are written, where they are in the period; the last one is in any case."""
SHARES_CM, SPREAD_CM, GAP_CM, TITLE_CM, ROW_CM = 6.6, 2.2, 0.6, 0.45, 0.42
LABELS_CM, SWATCH_CM = 4.75, 0.45
ROOM_FOR_A_NUMBER = 0.06
"""Bands thinner than this share bear no number inside."""
DRAWN_FROM, ALL = 0.0, 100.0


def variance(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the shares of the variance of the level by year, and the standard deviation below.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.variance`.
    width_cm : float, optional
        Width of the figure; in a column the names stand below the plot.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(ds, "variance", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def variance_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`variance`.

    Parameters
    ----------
    ds
        As for :func:`variance`.

    Returns
    -------
    pandas.DataFrame
        For each `year` and `source`: `share` of the variance with the ends of its confidence interval, and
        the standard deviation of the level in m, whose square they are shares of.
    """
    require(ds, "variance", NEEDED)
    shares = {
        column: ds[f"variance_share{end}"].sel(source=list(ORDER)).transpose("year", "source").values.ravel()
        for column, end in (("share", ""), ("share_low", "_low"), ("share_high", "_high"))
    }
    years = [int(year) for year in ds["year"].values]
    return pd.DataFrame(
        {
            "year": np.repeat(years, len(ORDER)),
            "source": list(ORDER) * len(years),
            **shares,
            "level_sd_m": np.repeat(ds["level_sd"].values, len(ORDER)),
        }
    )


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    years = ds["year"].values.astype(int)
    marked = [year for year in MARKED if year in years[:-1]] + [int(years[-1])]
    below = TITLE_CM + (len(ORDER) + 1) * ROW_CM if narrow else 0.0
    page = style.page(
        width_cm,
        TITLE_CM + SHARES_CM + GAP_CM + SPREAD_CM + style.BELOW_CM + below,
        say("variance.title"),
        say(
            "variance.subtitle",
            programme=name("programme", ds.attrs["programme"]),
            confidence=number(100 * ds.attrs["confidence"]),
        ),
        _footer(ds),
    )
    labels_cm = _labels_cm(ds, marked)
    right = 0.45 if narrow else labels_cm
    shares = page.axes(style.LEFT_CM, right, TITLE_CM, SHARES_CM)
    spread = page.axes(style.LEFT_CM, right, TITLE_CM + SHARES_CM + GAP_CM, SPREAD_CM)
    edges = _bands(shares, ds, years)
    for year in marked[:-1]:
        _numbers_at(shares, ds, year)
    _spread(spread, ds, marked)
    for ax in (shares, spread):
        ax.set_xlim(years[0], years[-1] if len(years) > 1 else years[0] + 1)
        for year in marked:
            dashes = (0, (3, 2))
            ax.axvline(year, color=style.INK, linewidth=0.8, linestyle=dashes, zorder=4, clip_on=False)
    for year in marked:
        shares.annotate(
            str(year), (year, ALL), (0, 3), textcoords="offset points", ha="center", fontsize=style.SMALL
        )
    shares.tick_params(labelbottom=False)
    if narrow:
        top = TITLE_CM + SHARES_CM + GAP_CM + SPREAD_CM + style.BELOW_CM
        _names_below(page.blank(style.MARGIN_CM, style.MARGIN_CM, top, below), ds, marked, below)
    else:
        _names_beside(page.blank(width_cm - labels_cm, 0.0, TITLE_CM, SHARES_CM), ds, marked, edges)
    return page.figure


def _labels_cm(ds: xr.Dataset, marked: list[int]) -> float:
    """Room for the names of the sources and their shares beside the plot."""
    ranges = [(year, share) for year in marked for share in _ranges(ds, year).values()]
    words = [say("variance.in_year", year=year, share=share) for year, share in ranges]
    names = style.room_cm([name("source", source) for source in ORDER], bold=True)
    return max(names, style.room_cm(words, LABELS_CM - 0.9)) + 0.9


def _percent(ds: xr.Dataset, year: int, end: str = "") -> dict[str, float]:
    now = ds[f"variance_share{end}"].sel(year=year)
    return {source: ALL * float(now.sel(source=source)) for source in ORDER}


def _bands(ax: Axes, ds: xr.Dataset, years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Stack the shares; returns the edges of the bands in the last year."""
    # An estimate of nothing comes out slightly below zero at times, which cannot be stacked.
    shares = np.maximum(ds["variance_share"].sel(source=list(ORDER)).transpose("source", "year").values, 0.0)
    whole = shares.sum(axis=0)
    shares = ALL * np.divide(shares, whole, out=np.zeros_like(shares), where=whole > 0.0)
    edges = np.concatenate([np.zeros((1, len(years))), np.cumsum(shares, axis=0)])
    for source, low, high in zip(ORDER, edges, edges[1:], strict=False):
        mark = style.VARIANCE_SOURCES[source]
        ax.fill_between(
            years, low, high, facecolor=mark.colour, edgecolor="white", hatch=mark.hatch, linewidth=0.0
        )
        ax.plot(years, high, color="white", linewidth=1.0)
    ax.set_ylim(DRAWN_FROM, ALL)
    ax.set_ylabel(say("axis.variance.percent"))
    return np.asarray(edges[:, -1])


def _numbers_at(ax: Axes, ds: xr.Dataset, year: int) -> None:
    """Write the shares of a year on its line, in the bands that are thick enough."""
    low = 0.0
    for share in _percent(ds, year).values():
        thick = max(share, 0.0)
        if thick >= ALL * ROOM_FOR_A_NUMBER:
            ax.text(
                year,
                low + thick / 2.0,
                say("variance.percent", value=number(share)),
                ha="center",
                va="center_baseline",
                fontsize=style.SMALL,
                zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            )
        low += thick


def _spread(ax: Axes, ds: xr.Dataset, marked: list[int]) -> None:
    years, sd = ds["year"].values, ds["level_sd"].values
    ax.fill_between(
        years, ds["level_sd_low"].values, ds["level_sd_high"].values, color=style.RULE, linewidth=0.0
    )
    ax.plot(years, sd, color=style.INK)
    ax.set_ylim(0.0, 1.25 * float(max(ds["level_sd_high"].values.max(), 1e-3)))
    ax.set(ylabel=say("axis.spread"), xlabel=say("axis.year"))
    for year in marked:
        value = float(ds["level_sd"].sel(year=year))
        ax.plot(year, value, "o", color=style.INK, markersize=3.0, clip_on=False, zorder=5)
        ax.annotate(
            say("variance.spread", value=number(value, 2)),
            (year, value),
            (-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=style.SMALL,
        )


def _ranges(ds: xr.Dataset, year: int) -> dict[str, str]:
    """Share of each source in a year with its interval, in words."""
    percent, low, high = (_percent(ds, year, end) for end in ("", "_low", "_high"))
    return {
        source: say(
            "variance.range",
            value=number(percent[source]),
            low=number(low[source]),
            high=number(high[source]),
        )
        for source in ORDER
    }


def _names_beside(ax: Axes, ds: xr.Dataset, marked: list[int], edges: NDArray[np.float64]) -> None:
    """Write name and shares of the marked years beside each band of the last year."""
    middles = 0.5 * (edges[:-1] + edges[1:]) / ALL * SHARES_CM
    lines = 1 + len(marked)
    places = style.spread(list(middles), [(lines + 0.6) * style.line_cm()] * len(ORDER), 0.0, SHARES_CM)
    ranges = {year: _ranges(ds, year) for year in marked}
    for source, middle, place in zip(ORDER, middles, places, strict=True):
        y = place + 0.5 * (lines - 1) * style.line_cm()
        ax.plot([0.08, 0.35], [middle, y], color=style.MUTED, linewidth=0.6, clip_on=False)
        style.swatch(ax, style.VARIANCE_SOURCES[source], 0.55, y)
        words = [name("source", source)]
        words += [say("variance.in_year", year=year, share=ranges[year][source]) for year in marked]
        for line, text in enumerate(words):
            weight = "normal" if line else "bold"
            ax.text(
                0.8,
                y - line * style.line_cm(),
                text,
                va="center_baseline",
                fontsize=style.SMALL,
                fontweight=weight,
            )


def _names_below(ax: Axes, ds: xr.Dataset, marked: list[int], top: float) -> None:
    """Write a row for each source with its shares in the marked years."""
    y = top - 0.5 * TITLE_CM
    columns = [ax.get_xlim()[1] - 2.55 * (len(marked) - 1 - i) - 0.1 for i in range(len(marked))]
    for x, year in zip(columns, marked, strict=True):
        ax.text(x, y, str(year), ha="right", va="center_baseline", fontsize=style.SMALL, color=style.MUTED)
    ranges = [_ranges(ds, year) for year in marked]
    for source in reversed(ORDER):
        y -= ROW_CM
        style.swatch(ax, style.VARIANCE_SOURCES[source], 0.2, y)
        ax.text(SWATCH_CM, y, name("source", source), va="center_baseline", fontsize=style.SMALL)
        for x, texts in zip(columns, ranges, strict=True):
            ax.text(x, y, texts[source], ha="right", va="center_baseline", fontsize=style.SMALL)


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    varied = [choice for choice in CHOICES if ds.sizes[choice] > 1]
    structures = int(np.prod([ds.sizes[choice] for choice in CHOICES]))
    lines = [
        say(
            "variance.design",
            runs=number(ds.attrs["runs"]),
            scenarios=ds.sizes["scenario"],
            structures=structures,
            samples=ds.attrs["samples"],
            streams=ds.attrs["streams"],
        )
    ]
    if varied:
        lines.append(say("variance.structures", names="; ".join(say(f"variance.{c}") for c in varied)))
    assumed = _assumed(config, "evaporation" in varied)
    if assumed:
        lines.append(say("sensitivity.grade_d", names=", ".join(assumed)))
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [*lines, say("footer.run", name=config.name, **footer)]


def _assumed(config: Config, with_shallows: bool) -> list[str]:
    """Names of the parameters that vary over a range which is an assumption."""
    if config.uncertainty.parameters == "central":
        return []
    if with_shallows:
        climate = config.climate.model_copy(update={"evaporation": "shallow"})
        config = config.model_copy(update={"climate": climate})
    grades = grades_of(config)
    return [
        name("parameter", label)
        for label, prior in parameters_of(config).items()
        if grades[label] == ASSUMPTION and prior.distribution != "fixed"
    ]
