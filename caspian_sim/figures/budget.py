"""Water budget: what comes to the sea and what leaves it, decade by decade."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.reading import (
    HIGH,
    LOW,
    RUN_COORDINATES,
    choose,
    require,
    require_members,
    run_footer,
    yearly,
)
from caspian_sim.figures.text import name, number, say

NEEDED = (
    "river_inflow",
    "precipitation",
    "groundwater",
    "measure_effect",
    "evaporation",
    "strait_outflow",
    "consumption_change",
    "time_bnds",
    *RUN_COORDINATES,
)
DECADE = 10
OBSERVED_DECADES = 2
"""Whole decades of the record beside the projection."""
MIDDLE_SCENARIO = "ssp245"
"""Shown when no scenario is asked for."""
# From the zero line outwards; those above it first.
ORDER = (
    "inflow",
    "precipitation",
    "groundwater",
    "measures",
    "evaporation",
    "net_evaporation",
    "strait",
    "consumption",
)
NET = "net"


def budget(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the water budget of the sea by decade, with two observed decades before the projection.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    scenario, programme : str, optional
        SSP2-4.5 or else the first scenario, and the first programme of the run, when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario or programme.
    """
    table = budget_table(ds, scenario=scenario, programme=programme)
    scenario, programme = _chosen(ds, scenario, programme)
    with style.drawing():
        return _draw(ds, table, scenario, programme, width_cm)


def budget_table(
    ds: xr.Dataset, *, scenario: str | None = None, programme: str | None = None
) -> pd.DataFrame:
    """Numbers of :func:`budget`.

    Parameters
    ----------
    ds, scenario, programme
        As for :func:`budget`.

    Returns
    -------
    pandas.DataFrame
        `kind` observed or projected, `first_year` and `last_year` of the decade, `term`, and its flux into
        the sea in km³/yr, losses negative: mean over members and years (means, unlike medians, add up to the
        net), and 5 and 95 % points over members of the mean over years. The term `net` is the sum.
    """
    if "sea_level_quantile" in ds:
        require_members(ds, "figure 'budget'")
    require(ds, "budget", NEEDED)
    scenario, programme = _chosen(ds, scenario, programme)
    terms = _projected_terms(ds.sel(scenario=scenario, programme=programme))
    rows = []
    for kind, fluxes in (("observed", _observed_terms()), ("projected", terms)):
        decades = _decades(fluxes["year"].values)
        if kind == "observed":
            whole = [(first, last) for first, last in decades if last - first + 1 == DECADE]
            decades = whole[-OBSERVED_DECADES:]
        for first, last in decades:
            means = fluxes.sel(year=slice(first, last)).mean("year")
            means[NET] = sum(means.data_vars.values())
            for term in means.data_vars:
                values = means[term].values
                low, high = np.quantile(values, [LOW, HIGH]) if kind == "projected" else (np.nan, np.nan)
                rows.append((kind, first, last, str(term), float(values.mean()), float(low), float(high)))
    columns = ["kind", "first_year", "last_year", "term", "flux_km3_per_yr"]
    return pd.DataFrame(rows, columns=[*columns, "flux_p05_km3_per_yr", "flux_p95_km3_per_yr"])


def _chosen(ds: xr.Dataset, scenario: str | None, programme: str | None) -> tuple[str, str]:
    if scenario is None:
        labels = [str(label) for label in ds["scenario"].values]
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in labels else labels[0]
    if programme is None:
        programme = str(ds["programme"].values[0])
    return choose(ds, "scenario", scenario), choose(ds, "programme", programme)


def _projected_terms(ds: xr.Dataset) -> xr.Dataset:
    """Fluxes into the sea by year and member, km³/yr."""
    terms = {
        "inflow": ds["river_inflow"].sum("river"),
        "precipitation": ds["precipitation"],
        "groundwater": ds["groundwater"],
        "measures": ds["measure_effect"].sum("measure"),
        "evaporation": -ds["evaporation"],
        "strait": -ds["strait_outflow"],
        "consumption": -ds["consumption_change"].sum("state").expand_dims(member=ds["member"]),
    }
    return xr.Dataset({term: yearly(flux.drop_attrs(), ds["time_bnds"]) for term, flux in terms.items()})


def _observed_terms() -> xr.Dataset:
    """Fluxes of the record by year, km³/yr.

    Evaporation and precipitation were never measured apart over the whole sea: their difference is what
    closes the balance, so that the net is the observed rise of storage.
    """
    record = data.load("net_evaporation_implied")
    groundwater = xr.full_like(record["inflow"], data.parameters()["groundwater"].best)
    return xr.Dataset(
        {
            "inflow": record["inflow"],
            "groundwater": groundwater,
            "net_evaporation": record["storage"] - record["inflow"] - groundwater + record["strait_outflow"],
            "strait": -record["strait_outflow"],
        }
    )


def _decades(years: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last year of each decade 2031-2040, ...; the first may begin late and the last end early."""
    first, last = int(years[0]), int(years[-1])
    begins = range((first - 1) // DECADE * DECADE + 1, last + 1, DECADE)
    return [(max(begin, first), min(begin + DECADE - 1, last)) for begin in begins]


def _draw(ds: xr.Dataset, table: pd.DataFrame, scenario: str, programme: str, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    record = data.load("net_evaporation_implied")
    observed = table[table["kind"] == "observed"]
    sources = say(
        "budget.sources",
        first=observed["first_year"].min(),
        last=observed["last_year"].max(),
        grade=name("grade", record.attrs["evidence_grade"]),
        groundwater=number(data.parameters()["groundwater"].best),
    )
    terms = [term for term in ORDER if _mean(table, term).abs().max() > 0.0]
    labels_cm = 0.5 + max(style.text_width(name("term", term), style.SMALL) for term in terms)
    upper, lower = (5.2, 2.6) if narrow else (6.4, 3.0)
    below = 0.42 * -(-len(terms) // 2) + 0.2 if narrow else 0.0
    page = style.page(
        width_cm,
        upper + lower + 1.5 + below,
        say("budget.title"),
        say(
            "budget.subtitle" if ds.sizes["member"] > 1 else "budget.subtitle.single",
            scenario=name("scenario", scenario),
            programme=name("programme", programme),
            members=ds.sizes["member"],
        ),
        [sources, *run_footer(ds, [programme])],
    )
    right = 0.2 if narrow else labels_cm + 0.3
    top = page.axes(style.LEFT_CM, right, 0.0, upper)
    spans = table[["kind", "first_year", "last_year"]].drop_duplicates().reset_index(drop=True)
    _bars(top, table, spans, terms)
    net = page.axes(style.LEFT_CM, right, upper + 0.35, lower, sharex=top)
    _net(net, table, spans)
    top.tick_params(labelbottom=False, bottom=False)
    net.set_xticks(
        range(len(spans)),
        _spans(spans, 0.0 if narrow else style.width_of(net)),
        rotation=90 if narrow else 0,
    )
    if narrow:
        area = page.blank(style.MARGIN_CM, style.MARGIN_CM, upper + lower + 1.5, below)
        first_column = 0.5 + max(style.text_width(name("term", term), style.SMALL) for term in terms[::2])
        for i, term in enumerate(terms):
            _term_label(area, term, (i % 2) * first_column, below - 0.3 - 0.42 * (i // 2))
    else:
        area = page.blank(width_cm - right + 0.1, 0.0, 0.0, upper)
        _labels_beside(area, table, terms, top.get_ylim(), upper)
    return page.figure


def _spans(spans: pd.DataFrame, width_cm: float) -> list[str]:
    """Years of the decades below their bars, some left out from the last back where they would touch."""
    words = [f"{first}–\n{last}" for first, last in zip(spans["first_year"], spans["last_year"], strict=True)]
    if not width_cm:
        return words
    every = int(np.ceil((style.room_cm(words) + 0.1) * (len(words) + 0.3) / width_cm))
    return [text if (len(words) - 1 - i) % every == 0 else "" for i, text in enumerate(words)]


def _mean(table: pd.DataFrame, term: str) -> pd.Series[float]:
    return table.loc[table["term"] == term, "flux_km3_per_yr"]


def _bars(ax: Axes, table: pd.DataFrame, spans: pd.DataFrame, terms: list[str]) -> None:
    for x, (kind, first) in enumerate(zip(spans["kind"], spans["first_year"], strict=True)):
        rows = table[(table["kind"] == kind) & (table["first_year"] == first)].set_index("term")
        edge = {1.0: 0.0, -1.0: 0.0}
        for term in terms:
            if term not in rows.index or rows.loc[term, "flux_km3_per_yr"] == 0.0:
                continue
            flux, mark = float(rows.loc[term, "flux_km3_per_yr"]), style.BUDGET_TERMS[term]
            side = float(np.sign(flux))
            ax.bar(
                x,
                flux,
                bottom=edge[side],
                width=0.72,
                facecolor=mark.colour,
                edgecolor="white",
                hatch=mark.hatch,
                linewidth=0.4,
            )
            edge[side] += flux
        ax.plot(
            x, rows.loc[NET, "flux_km3_per_yr"], "D", color=style.INK, markeredgecolor="white", markersize=4.5
        )
    ax.axhline(0.0, color=style.INK, linewidth=0.7)
    ax.set_ylabel(say("axis.flux"))
    ax.margins(y=0.12)
    ax.yaxis.grid(True)
    split = int((spans["kind"] == "observed").sum()) - 0.5
    ax.axvline(split, color=style.RULE, linewidth=0.8)
    room = style.width_of(ax) * (split + 0.6) / (len(spans) + 0.3)
    over = max(style.room_cm([say("budget.observed")]) + 0.15 - room, 0.0) * style.POINTS_PER_CM
    for words, offset, align in (("observed", over - 3, "right"), ("projected", over + 3, "left")):
        ax.annotate(
            say(f"budget.{words}"),
            (split, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(offset, -2),
            textcoords="offset points",
            ha=align,
            va="top",
            fontsize=style.SMALL,
            color=style.MUTED,
        )


def _net(ax: Axes, table: pd.DataFrame, spans: pd.DataFrame) -> None:
    """Net alone, on a scale on which it can be read."""
    rows = table[table["term"] == NET]
    x = np.arange(len(spans))
    mean, low, high = (
        rows[column].to_numpy()
        for column in ("flux_km3_per_yr", "flux_p05_km3_per_yr", "flux_p95_km3_per_yr")
    )
    ax.axhline(0.0, color=style.INK, linewidth=0.7)
    ax.vlines(x, low, high, color=style.INK, linewidth=0.9)
    ax.plot(x, mean, "D", color=style.INK, markersize=4.5, markeredgecolor="white", clip_on=False)
    for place, value in zip(x, mean, strict=True):
        ax.annotate(
            number(value),
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            fontsize=style.SMALL,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )
    ax.axvline(int((spans["kind"] == "observed").sum()) - 0.5, color=style.RULE, linewidth=0.8)
    ax.set_ylabel(say("axis.net"))
    ax.yaxis.grid(True)
    # The numbers stand in a row above the whiskers.
    lowest, highest = float(np.nanmin([*low, *mean, 0.0])), float(np.nanmax([*high, *mean, 0.0]))
    reach = highest - lowest or 1.0
    ax.set_ylim(lowest - 0.08 * reach, highest + 0.24 * reach)
    ax.set_xlim(-0.6, len(spans) - 0.3)


def _labels_beside(
    ax: Axes, table: pd.DataFrame, terms: list[str], limits: tuple[float, float], height: float
) -> None:
    """Name the terms level with where they stand in the last bar, or in the last bar that has them."""
    lowest, highest = limits
    edge, centres = {1.0: 0.0, -1.0: 0.0}, []
    for term in terms:
        flux = float(_mean(table, term).iloc[-1])
        side = 1.0 if flux > 0 else -1.0
        centres.append((edge[side] + 0.5 * flux - lowest) / (highest - lowest) * height)
        # The net of evaporation and precipitation stands in other bars than the two of them.
        edge[side] += 0.0 if term == "net_evaporation" else flux
    placed = style.spread(centres, [0.4] * len(terms), 0.0, height)
    for term, y in zip(terms, placed, strict=True):
        _term_label(ax, term, 0.0, y)


def _term_label(ax: Axes, term: str, x: float, y: float) -> None:
    style.swatch(ax, style.BUDGET_TERMS[term], x + 0.15, y)
    ax.text(x + 0.38, y, name("term", term), fontsize=style.SMALL, va="center")
