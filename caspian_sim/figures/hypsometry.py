"""Hypsometry: area and volume of the sea against its level."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import __version__, data
from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry
from caspian_sim.figures import style
from caspian_sim.figures.text import name, number, say, typeset

LOWEST_LEVEL, HIGHEST_LEVEL = -60.0, -20.0
"""Range that is drawn, m BHS."""
STEPS_PER_M = 10
PUBLISHED = (("sea_area_2006_at_-27.07_m", -27.07), ("sea_area_2024_at_-29.20_m", -29.20))
"""Facts that give an area, and the level at which they give it, m BHS."""
PER_THOUSAND = 1e-3
BAND_LABEL = 0.2
"""Where the band is named, as a share of the range of levels from below."""
# Hashes in footers have as many digits.
HASH_DIGITS = 8


def hypsometry(curve: Hypsometry | None = None, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw area and volume of the sea against its level.

    Parameters
    ----------
    curve : Hypsometry, optional
        The curve that ships with the package when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curve = load_hypsometry() if curve is None else curve
    table = hypsometry_table(curve)
    with style.drawing():
        return _draw(curve, table, width_cm)


def hypsometry_table(curve: Hypsometry | None = None) -> pd.DataFrame:
    """Numbers of :func:`hypsometry`.

    Parameters
    ----------
    curve : Hypsometry, optional
        As for :func:`hypsometry`.

    Returns
    -------
    pandas.DataFrame
        Every 0.1 m from −60 to −20 m BHS, as far as the curve goes: area with the limits of its stated
        uncertainty (NaN when the curve states none), km², and volume, km³.
    """
    curve = load_hypsometry() if curve is None else curve
    tenths = np.arange(round(LOWEST_LEVEL * STEPS_PER_M), round(HIGHEST_LEVEL * STEPS_PER_M) + 1)
    level = tenths / STEPS_PER_M
    level = level[(level >= curve.node_level[0]) & (level <= curve.node_level[-1])]
    area = curve.area(level)
    share = (
        np.full(level.shape, np.nan)
        if curve.area_uncertainty is None
        else np.interp(level, curve.node_level, curve.area_uncertainty)
    )
    return pd.DataFrame(
        {
            "level_m_bhs": level,
            "area_km2": area,
            "area_low_km2": area * (1.0 - share),
            "area_high_km2": area * (1.0 + share),
            "volume_km3": curve.volume(level),
        }
    )


def _draw(curve: Hypsometry, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    plot_cm = (6.5 if narrow else 8.0) * (1.25 if style.now().slide else 1.0)
    page = style.page(
        width_cm,
        2 * (plot_cm + style.BELOW_CM) if narrow else plot_cm + style.BELOW_CM,
        say("hypsometry.title"),
        say("hypsometry.subtitle"),
        _footer(curve),
    )
    left, gap = style.LEFT_CM, 0.6
    if narrow:
        area = page.axes(left, 0.4, 0.0, plot_cm)
        volume = page.axes(left, 0.4, plot_cm + style.BELOW_CM, plot_cm, sharey=area)
    else:
        each = (width_cm - left - gap - 0.4) / 2
        area = page.axes(left, width_cm - left - each, 0.0, plot_cm)
        volume = page.axes(left + each + gap, 0.4, 0.0, plot_cm, sharey=area)
        volume.tick_params(labelleft=False)
    level = table["level_m_bhs"].to_numpy()
    area.set(ylim=(level[0], level[-1]), ylabel=say("axis.level"), xlabel=say("axis.area"))
    volume.set(xlabel=say("axis.volume"))
    if narrow:
        volume.set_ylabel(say("axis.level"))
    for ax, column in ((area, "area_km2"), (volume, "volume_km3")):
        ax.plot(table[column] * PER_THOUSAND, level, color=style.BUDGET_TERMS["inflow"].colour, linewidth=1.5)
        ax.grid(True)
        _today(ax, curve, column, table)
    _band(area, table)
    _published(area, plot_cm)
    _whole_basin(volume, curve)
    return page.figure


def _footer(curve: Hypsometry) -> list[str]:
    shipped = data.entry("hypsometry")
    facts = [data.fact(quantity) for quantity, _ in PUBLISHED]
    source = name("source", typeset(facts[0].source))
    published = say("hypsometry.published", source=source, grade=facts[0].grade)
    own = curve is not load_hypsometry()
    sources = say("hypsometry.sources", grade=name("grade", typeset(shipped.grade)))
    labels = {"name": name("curve", curve.name or ""), "version": __version__}
    version = say("hypsometry.run", hash=shipped.sha256[:HASH_DIGITS], **labels)
    package = say("hypsometry.own", **labels)
    return [published, package] if own else [sources, published, version]


def _today(ax: Axes, curve: Hypsometry, column: str, table: pd.DataFrame) -> None:
    """Mark the last annual mean of the record."""
    record = data.load("sea_level_annual")["level"]
    year, level = int(record["year"][-1]), float(record[-1])
    if not table["level_m_bhs"].iloc[0] <= level <= table["level_m_bhs"].iloc[-1]:
        return
    value = (curve.area(level) if column == "area_km2" else curve.volume(level)) * PER_THOUSAND
    ax.axhline(level, color=style.MUTED, linewidth=0.7, linestyle=(0, (1, 2)))
    ax.plot(value, level, "o", color=style.INK, markersize=4, zorder=5)
    words = say(f"hypsometry.now.{column}", year=year, level=number(level, 2), value=number(value * 1000))
    ax.annotate(
        words,
        (1.0, _clear_of_curve(ax, column, table, level, words)),
        xycoords=("axes fraction", "data"),
        xytext=(-2, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=style.SMALL,
    )


def _clear_of_curve(ax: Axes, column: str, table: pd.DataFrame, level: float, words: str) -> float:
    """Highest level from which words at the right edge stand right of the curve, not above a level."""
    lowest, highest = ax.get_xlim()
    free = highest - (highest - lowest) * (style.room_cm([words]) + 0.25) / style.width_of(ax)
    values = table.loc[table["level_m_bhs"] <= level, ["level_m_bhs", column]]
    left_of_it = values[values[column] * PER_THOUSAND < free]
    return float(left_of_it["level_m_bhs"].max()) if len(left_of_it) else level


def _band(ax: Axes, table: pd.DataFrame) -> None:
    low, high = table["area_low_km2"] * PER_THOUSAND, table["area_high_km2"] * PER_THOUSAND
    if low.isna().all():
        return
    level = table["level_m_bhs"]
    ax.fill_betweenx(
        level, low, high, color=style.BUDGET_TERMS["precipitation"].colour, alpha=0.5, linewidth=0.0
    )
    at = round(BAND_LABEL * (len(level) - 1))
    ax.annotate(
        say("hypsometry.band"),
        (high.iloc[at], level.iloc[at]),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=style.SMALL,
        color=style.MUTED,
    )


def _published(ax: Axes, height_cm: float) -> None:
    """Mark the published pairs of level and area; their labels stand where the sea never is that small.

    Large text does not fit there: it stands where the sea never is that large, and marks bear their years.
    """
    slide = style.now().slide
    x, top, align = (0.98, 0.5, "right") if slide else (0.02, 0.98, "left")
    for step, (quantity, level) in enumerate(PUBLISHED):
        fact = data.fact(quantity)
        area = fact.value * PER_THOUSAND
        ax.plot(area, level, "s", markerfacecolor="white", color=style.INK, markersize=5, zorder=6)
        ax.annotate(
            say("hypsometry.pair", year=fact.period, area=number(fact.value), level=number(level, 2)),
            (area, level),
            xycoords="data",
            xytext=(x, top - 2.35 * step * style.line_cm() / height_cm),
            textcoords="axes fraction",
            ha=align,
            va="top",
            fontsize=style.SMALL,
            arrowprops=None
            if slide
            else {"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.5, "relpos": (1.0, 0.2)},
        )
        if slide:
            ax.annotate(
                str(fact.period),
                (area, level),
                xytext=(-6, 4),
                textcoords="offset points",
                ha="right",
                fontsize=style.SMALL,
            )


def _whole_basin(ax: Axes, curve: Hypsometry) -> None:
    """Show in an inset how deep the basin goes below what is drawn."""
    if curve.node_level[0] >= LOWEST_LEVEL:
        return
    inset = ax.inset_axes((0.6, 0.1, 0.36, 0.28))
    inset.plot(curve.node_volume * PER_THOUSAND, curve.node_level, color=style.BUDGET_TERMS["inflow"].colour)
    inset.set_title(say("hypsometry.whole"), fontsize=style.SMALL, pad=2)
    inset.tick_params(labelsize=style.SMALL)
    inset.set_ylim(curve.node_level[0], 0.0)
