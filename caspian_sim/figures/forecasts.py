"""Forecasts: what was forecast from some past years, and what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import name, number, say

NEEDED = ("forecast", "observed", "record")
ORIGINS = (1966, 1977, 1985, 1995, 2005, 2015)
"""Before and after the turns of the record: shown where the forecasts have them."""
COLUMNS, NARROW_COLUMNS = 3, 2
PANEL_CM, TITLE_CM, GAP_CM, BETWEEN_CM = 4.0, 0.5, 0.35, 0.65
LABELS_CM = 1.2
BEFORE_YEARS, TICK_YEARS = 15, 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WIDE, CLOSE = "#D3E2F0", "#8DB4D8"
MEDIAN = "#1F5FA8"


def forecasts(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the forecasts from up to six origins, each over the record before and after it.

    Parameters
    ----------
    ds : xarray.Dataset
        Forecasts with their record, as ``forecasts.nc`` of ``caspian-sim verify`` holds them.
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
    require(ds, "forecasts", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def forecasts_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`forecasts`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`forecasts`.

    Returns
    -------
    pandas.DataFrame
        For each `origin` that is drawn and `year`: quantiles of the forecast and the observed level, m BHS.
    """
    require(ds, "forecasts", NEEDED)
    parts = []
    for origin in _chosen(ds):
        now = ds.sel(origin=origin)
        quantiles = now["forecast"].quantile(QUANTILES, "member").transpose("quantile", "lead").values
        columns = {
            f"level_p{100 * q:02.0f}_m_bhs": values for q, values in zip(QUANTILES, quantiles, strict=True)
        }
        about = {"origin": origin, "lead_years": now["lead"].values, "year": origin + now["lead"].values}
        parts.append(pd.DataFrame({**about, **columns, "observed_m_bhs": now["observed"].values}))
    return pd.concat(parts, ignore_index=True)


def _chosen(ds: xr.Dataset) -> list[int]:
    """Give the origins to draw: those of :data:`ORIGINS`, or else some that are evenly apart."""
    there = [int(year) for year in ds["origin"].values]
    known = [year for year in ORIGINS if year in there]
    if known:
        return known
    places = np.unique(np.linspace(0, len(there) - 1, len(ORIGINS)).round().astype(int))
    return [there[place] for place in places]


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    origins, table = _chosen(ds), forecasts_table(ds)
    columns = min(NARROW_COLUMNS if width_cm < style.NARROW_CM else COLUMNS, len(origins))
    rows = -(-len(origins) // columns)
    page = style.page(
        width_cm,
        rows * (TITLE_CM + PANEL_CM + BETWEEN_CM),
        say("forecasts.title"),
        say("forecasts.subtitle", members=number(ds.sizes["member"])),
        [
            say("forecasts.sources", grade=name("grade", data.entry("sea_level_annual").grade)),
            say("footer.package", version=ds.attrs["version"]),
        ],
    )
    names = [say(f"forecasts.{part}") for part in ("band.90", "band.50", "median")]
    labels_cm = style.room_cm(names, LABELS_CM - 0.2) + 0.2
    room = (width_cm - style.LEFT_CM - labels_cm - GAP_CM * (columns - 1)) / columns
    shown = table.drop(columns=["origin", "lead_years", "year"]).to_numpy()
    record = ds["record"].sel(year=slice(origins[0] - BEFORE_YEARS, None)).values
    lowest = min(float(np.nanmin(shown)), float(record.min())) - 0.1
    highest = max(float(np.nanmax(shown)), float(record.max())) + 0.1
    for place, origin in enumerate(origins):
        row, column = divmod(place, columns)
        left = style.LEFT_CM + column * (room + GAP_CM)
        top = row * (TITLE_CM + PANEL_CM + BETWEEN_CM) + TITLE_CM
        ax = page.axes(left, width_cm - left - room, top, PANEL_CM)
        now = table[table["origin"] == origin]
        _panel(ax, ds, now, origin)
        ax.set(xlim=(origin - BEFORE_YEARS, origin + int(ds["lead"].max()) + 0.5), ylim=(lowest, highest))
        first, last = ax.get_xlim()
        tight = 1.15 * style.text_width("2000", style.SMALL) > room * TICK_YEARS / (last - first)
        every = (0, 1) if tight else (-1, 0, 1, 2)
        ax.set_xticks([origin + TICK_YEARS * i for i in every])
        ax.yaxis.grid(True)
        if column:
            ax.tick_params(labelleft=False)
        else:
            ax.set_ylabel(say("axis.level"))
        if place == columns - 1:
            _names(page.blank(width_cm - labels_cm + 0.1, 0.0, top, PANEL_CM), now, lowest, highest)
    return page.figure


def _panel(ax: Axes, ds: xr.Dataset, table: pd.DataFrame, origin: int) -> None:
    """Draw one forecast, starting from the last level that it knew."""
    last = float(ds["record"].sel(year=origin))
    year = np.append(origin, table["year"].to_numpy())
    low, lower, middle, upper, high = (
        np.append(last, table[f"level_p{100 * q:02.0f}_m_bhs"].to_numpy()) for q in QUANTILES
    )
    ax.fill_between(year, low, high, color=WIDE, linewidth=0.0, zorder=1)
    ax.fill_between(year, lower, upper, color=CLOSE, linewidth=0.0, zorder=1)
    ax.plot(year, middle, color=MEDIAN, linestyle=(0, (4, 1.4)), zorder=3)
    ax.axvline(origin, color=style.MUTED, linewidth=0.6, zorder=0)
    before = ds["record"].sel(year=slice(origin - BEFORE_YEARS, origin))
    after = ds["record"].sel(year=slice(origin, origin + int(ds["lead"].max())))
    ax.plot(before["year"], before, color=style.INK, linewidth=1.6, zorder=4)
    ax.plot(after["year"], after, "-o", color=style.INK, markersize=1.8, linewidth=0.7, zorder=4)
    size = style.BODY if style.now().name != "slides" else style.SMALL
    ax.set_title(say("forecasts.origin", year=origin), loc="left", fontsize=size, fontweight="bold", pad=3)


def _names(ax: Axes, table: pd.DataFrame, lowest: float, highest: float) -> None:
    """Name the bands and the median beside their ends in the last year."""
    middle, upper, high = (float(table[f"level_p{100 * q:02.0f}_m_bhs"].iloc[-1]) for q in QUANTILES[2:])
    levels = (middle, 0.5 * (middle + upper), 0.5 * (upper + high))
    wanted = [(level - lowest) / (highest - lowest) * PANEL_CM for level in levels]
    row = style.SMALL * style.LINE_SPACING / style.POINTS_PER_CM
    keys = ("forecasts.median", "forecasts.band.50", "forecasts.band.90")
    for key, y in zip(keys, style.spread(wanted, [row] * len(keys), 0.0, PANEL_CM), strict=True):
        ax.text(0.0, y, say(key), va="center_baseline", fontsize=style.SMALL)
