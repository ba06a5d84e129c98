"""Route: depth left at the ports of one route against what their vessels need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.ports import NEEDED, chosen, port_name, vessel_name, vessels_footer
from caspian_sim.figures.reading import member_count, require, require_members, run_config, run_footer
from caspian_sim.figures.text import name, number, say, typeset
from caspian_sim.impacts.port_outcomes import port_outcomes
from caspian_sim.impacts.ports import WORST, Port, choose_ports, ports_of
from caspian_sim.impacts.ports import route as ports_of_route

KAZAKHSTAN_IRAN = "kazakhstan-iran"
PANEL_CM, TITLE_CM, GAP_CM = 4.3, 1.25, 0.35
"""Height of a panel, least room for the words above it, and gap below it, cm."""
RIGHT_CM = 0.4
"""Room for the last year at the right of a panel."""
BED = "#EFE7D8"
"""Below the bed, where the port is dry."""
HEADROOM_M, FOOTROOM_M, BED_M = 0.5, 0.4, 2.5
"""Room above the highest and below the lowest depth that is drawn, and least room for words in the bed, m."""
BANDS = ((0.05, 0.95, 0.22), (0.25, 0.75, 0.38))
"""Lower and upper quantile of each band, and how dense its colour is."""


def route(
    ds: xr.Dataset,
    *,
    name_of_route: str = KAZAKHSTAN_IRAN,
    scenario: str | None = None,
    programme: str | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the depth left at the ports of a route as a fan against what the vessel of each needs.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with members.
    name_of_route : str, optional
        Of the table ``port_routes``.
    scenario, programme : str, optional
        The middle scenario (the lower one of two) and the first programme when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When the members or a variable are missing, or there is no such route, port, scenario or programme.
    """
    require(ds, "route", NEEDED)
    require_members(ds, "figure 'route'")
    scenario, programme = chosen(ds, scenario, programme)
    ports = choose_ports(ports_of(run_config(ds)), ports_of_route(name_of_route))
    outcomes = port_outcomes(ds.sel(scenario=[scenario], programme=[programme]), ports)
    with style.drawing():
        return _draw(
            ds,
            outcomes.squeeze(["scenario", "programme"]),
            ports,
            name_of_route,
            scenario,
            programme,
            width_cm,
        )


def route_table(ds: xr.Dataset, *, name_of_route: str = KAZAKHSTAN_IRAN) -> pd.DataFrame:
    """Numbers of :func:`route`, for every scenario and programme.

    Parameters
    ----------
    ds, name_of_route
        As for :func:`route`.

    Returns
    -------
    pandas.DataFrame
        For each port of the route, scenario, programme and year: quantiles of the depth left, the depth that
        the vessel needs (m), the probability that there is less, and the first year of 50 % or more.
    """
    require(ds, "route", ("sea_level", "time_bnds"))
    ports = choose_ports(ports_of(run_config(ds)), ports_of_route(name_of_route))
    outcomes = port_outcomes(ds, ports)
    wide = outcomes["depth_left"].to_dataset("quantile")
    table = wide[list(wide.data_vars)].to_dataframe().reset_index()
    quantiles = [float(q) for q in outcomes["quantile"].values]
    columns = {q: "depth_m" if q == 0.5 else f"depth_p{round(100 * q):02d}_m" for q in quantiles}
    kept = table[["port", "scenario", "programme", "year", *quantiles]].rename(columns=columns)
    for column, variable in (("probability_below_draft", "below_draft"), ("first_year", "first_year")):
        values = outcomes[variable].broadcast_like(outcomes["below_draft"])
        frame = values.to_dataframe(name=column).reset_index()
        kept = kept.merge(frame[["port", "scenario", "programme", "year", column]])
    needed = {port.id: port.needed for port in ports}
    kept.insert(0, "route", name_of_route)
    return kept.assign(needed_m=kept["port"].map(needed))


def _draw(
    ds: xr.Dataset,
    outcomes: xr.Dataset,
    ports: tuple[Port, ...],
    name_of_route: str,
    scenario: str,
    programme: str,
    width_cm: float,
) -> Figure:
    columns = 1 if width_cm < style.NARROW_CM else 2
    rows = -(-len(ports) // columns)
    room = (width_cm - style.MARGIN_CM) / columns
    stated = [style.wrap(_stated(port), room - style.LEFT_CM - RIGHT_CM, style.SMALL) for port in ports]
    most = 1 + max(len(lines) for lines in stated)
    title_cm = max(most * style.line_cm() + 0.3, style.room_cm([], TITLE_CM))
    block = title_cm + PANEL_CM + GAP_CM
    page = style.page(
        width_cm,
        rows * block + style.BELOW_CM - GAP_CM,
        say("route.title", route=name("route", name_of_route)),
        say(
            "route.subtitle",
            scenario=name("scenario", scenario),
            programme=name("programme", programme),
            members=member_count(ds),
        ),
        [_sources(name_of_route), *vessels_footer(ports), say("ports.bed"), *run_footer(ds, [programme])],
    )
    limits = _limits(outcomes, ports)
    for place, (port, lines) in enumerate(zip(ports, stated, strict=True)):
        row, column = divmod(place, columns)
        left = column * room + style.LEFT_CM
        right = width_cm - (column + 1) * room + RIGHT_CM
        ax = page.axes(left, right, row * block + title_cm, PANEL_CM)
        ax.set(xlim=(int(outcomes["year"][0]), int(outcomes["year"][-1])), ylim=limits)
        _panel(ax, outcomes.sel(port=port.id), port, style.SCENARIOS[scenario].colour)
        _titles(ax, port, lines)
        ax.set_ylabel(say("axis.depth") if column == 0 else "")
        if row == rows - 1:
            ax.set_xlabel(say("axis.year"))
        else:
            ax.tick_params(labelbottom=False)
    return page.figure


def _limits(outcomes: xr.Dataset, ports: tuple[Port, ...]) -> tuple[float, float]:
    """One scale for all panels."""
    needs = [port.needed for port in ports]
    low = min(float(outcomes["depth_left"].min()), *needs) - FOOTROOM_M
    high = max(float(outcomes["depth_left"].max()), *needs) + HEADROOM_M
    return min(low, -BED_M), high


def _panel(ax: Axes, now: xr.Dataset, port: Port, colour: str) -> None:
    year = now["year"].values
    for lower, upper, density in BANDS:
        low, high = (now["depth_left"].sel(quantile=q).values for q in (lower, upper))
        ax.fill_between(year, low, high, color=colour, alpha=density, linewidth=0.0, zorder=2)
    edges = [now["depth_left"].sel(quantile=q).values for q in (BANDS[0][0], BANDS[0][1])]
    for edge in edges:
        ax.plot(year, edge, color=colour, linewidth=0.4, zorder=2.5)
    ax.plot(year, now["depth_left"].sel(quantile=0.5).values, color=colour, linewidth=1.6, zorder=4)
    ax.axhline(port.needed, color=style.INK, linewidth=1.0, linestyle=(0, (4, 1.6)), zorder=3)
    ax.axhspan(ax.get_ylim()[0], 0.0, color=BED, linewidth=0.0, zorder=1)
    ax.axhline(0.0, color=style.MUTED, linewidth=0.8, zorder=3)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.grid(True)
    needs = say(f"route.needs.{port.stated_as}", depth=number(port.needed, 1))
    median_at_end = float(now["depth_left"].sel(quantile=0.5)[-1])
    above = median_at_end < port.needed
    ax.annotate(
        needs,
        (1.0, port.needed),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 2 if above else -2),
        textcoords="offset points",
        ha="right",
        va="bottom" if above else "top",
        fontsize=style.SMALL,
        fontweight="bold",
        zorder=6,
    )
    _first_year(ax, now, port)


def _first_year(ax: Axes, now: xr.Dataset, port: Port) -> None:
    """Mark the first year of an even chance, or say in words that there is none or that it is past."""
    start, first = int(now["year"][0]), float(now["first_year"])
    if not np.isfinite(first):
        words = say("route.first.never")
    elif first <= start:
        words = say("route.first.at_once", year=start)
    else:
        words = say("route.first", year=f"{first:.0f}")
        ax.plot([first, first], [0.0, port.needed], color=style.INK, linewidth=0.7, zorder=4.5)
        ax.plot(first, port.needed, "o", color=style.INK, markersize=3.5, zorder=6)
    ax.annotate(
        words,
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(4, 5),
        textcoords="offset points",
        fontsize=style.SMALL,
        linespacing=style.LINE_SPACING,
        zorder=6,
        bbox={"facecolor": BED, "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
    )


def _stated(port: Port) -> str:
    """Depth of a port, the level it refers to and the vessel."""
    return say(
        f"route.stated.{port.stated_as}",
        depth=number(port.depth, 1),
        level=number(port.reference_level, 1),
        vessel=vessel_name(port),
    )


def _titles(ax: Axes, port: Port, words: Sequence[str]) -> None:
    """Name of the port, and lines below it."""
    title = say("route.panel", port=port_name(port), grade=port.worst_grade)
    row = style.SMALL * style.LINE_SPACING
    for place, text in enumerate([*words[::-1], title]):
        is_title = place == len(words)
        ax.annotate(
            text,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 4 + place * row),
            textcoords="offset points",
            fontsize=style.SMALL,
            fontweight="bold" if is_title else "normal",
            color=style.INK if is_title else style.MUTED,
            va="bottom",
        )


def _sources(name_of_route: str) -> str:
    table = data.load("port_routes")
    rows = table.isel(row=np.flatnonzero(table["route"].values == name_of_route))
    sources = list(dict.fromkeys(name("source", typeset(str(source))) for source in rows["source"].values))
    grade = max((str(grade) for grade in rows["grade"].values), key=WORST.__getitem__)
    return say("route.sources", sources="; ".join(sources), grade=grade)
