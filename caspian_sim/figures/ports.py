"""Ports: probability by year that the vessel of each cannot load in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.heat import cells, fitting
from caspian_sim.figures.reading import (
    RUN_COORDINATES,
    choose,
    member_count,
    require,
    require_members,
    run_config,
    run_footer,
)
from caspian_sim.figures.text import name, number, say
from caspian_sim.impacts.port_outcomes import port_outcomes
from caspian_sim.impacts.ports import OWN_VESSEL, Port, ports_of

NEEDED = ("sea_level", "time_bnds", *RUN_COORDINATES)
ROW_CM, HEAD_CM = 0.68, 0.75
COLUMNS_CM = {"limit": 0.95, "first": 1.15, "loss": 0.8}
"""Least width of the columns at the right: limit of the level, first year, cargo of a decimetre."""
SLIDE_CM = 9.0
"""Width of the cells on a slide at least."""
NARROW_COLUMNS = ("first", "loss")
COLUMNS, FEW_COLUMNS = 10, 3
"""Most years of a page and of a column of one."""
LINE = 0.21
"""Distance of the two lines of a name from the middle of its row, rows."""


def ports(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw a heat map of ports and years: the probability that the vessel of the port cannot load in full.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with members.
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
        When the members or a variable are missing, the run has no ports, or no such scenario or programme.
    """
    require(ds, "ports", NEEDED)
    require_members(ds, "figure 'ports'")
    scenario, programme = chosen(ds, scenario, programme)
    outcomes = port_outcomes(ds.sel(scenario=[scenario], programme=[programme])).squeeze(
        ["scenario", "programme"]
    )
    with style.drawing():
        return _draw(ds, outcomes, scenario, programme, width_cm)


def ports_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`ports`, for every scenario, programme and year.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`ports`.

    Returns
    -------
    pandas.DataFrame
        A row for each port, scenario, programme and year: probability, depth left, dredging and cargo lost
        (median, 5 and 95 %), with what the port is and the first year of 50 % or more.
    """
    require(ds, "ports", ("sea_level", "time_bnds"))
    outcomes = port_outcomes(ds)
    frame = outcomes["below_draft"].to_dataframe().reset_index()
    table = pd.DataFrame(
        {
            "port": frame["port"],
            "name": [_full_name(port, title, kind) for port, title, kind in _names(frame)],
            "state": frame["port_state"],
            "scenario": frame["scenario"],
            "programme": frame["programme"],
            "year": frame["year"],
            "probability_below_draft": frame["below_draft"],
        }
    )
    for variable, column, unit in (
        ("depth_left", "depth_left", "m"),
        ("dredging", "dredging_to_hold_depth", "m"),
        ("dredging_for_vessel", "dredging_for_vessel", "m"),
        ("cargo_lost", "cargo_lost", "t"),
    ):
        for quantile, ending in ((0.5, ""), (0.05, "_p05"), (0.95, "_p95")):
            values = outcomes[variable].sel(quantile=quantile)
            table[f"{column}{ending}_{unit}"] = values.transpose(*outcomes["below_draft"].dims).values.ravel()
    first = outcomes["first_year"].broadcast_like(outcomes["below_draft"])
    table["first_year"] = first.transpose(*outcomes["below_draft"].dims).values.ravel()
    table["stated_m"], table["stated_as"] = frame["port_depth"], frame["port_stated_as"]
    table["reference_level_m_bhs"], table["needed_m"] = frame["port_reference_level"], frame["port_needed"]
    for column, variable in (("limit_level_m_bhs", "limit_level"), ("cargo_t_per_dm", "cargo_per_decimetre")):
        table[column] = outcomes[variable].sel(port=frame["port"].to_numpy()).values
    table["vessel"], table["vessel_draft_m"] = frame["port_vessel"], frame["port_draft"]
    for grade in ("port_grade", "port_vessel_grade", "port_cargo_grade"):
        table[grade.removeprefix("port_") if grade != "port_grade" else "grade"] = frame[grade]
    table["source"] = frame["port_source"]
    return table


def chosen(ds: xr.Dataset, scenario: str | None, programme: str | None) -> tuple[str, str]:
    """Scenario and programme to draw: those asked for, or the middle scenario and the first programme."""
    middle = str(ds["scenario"].values[(ds.sizes["scenario"] - 1) // 2])
    return (
        choose(ds, "scenario", scenario or middle),
        choose(ds, "programme", programme or str(ds["programme"].values[0])),
    )


def port_name(port: Port) -> str:
    """Name of a port in the language of the figures."""
    return port.title if port.own else name("port", port.id)


def vessel_name(port: Port) -> str:
    """Name of the vessel of a port in the language of the figures."""
    return port.vessel.title if port.vessel.name == OWN_VESSEL else name("vessel", port.vessel.name)


def _names(frame: pd.DataFrame) -> zip[tuple[str, str, str]]:
    return zip(frame["port"], frame["port_title"], frame["port_kind"], strict=True)


def _full_name(port: str, title: str, kind: str) -> str:
    # A port of the user's own has its name alone, also where it takes the place of a shipped one.
    return f"{title}, {kind}" if kind else title


def _draw(ds: xr.Dataset, outcomes: xr.Dataset, scenario: str, programme: str, width_cm: float) -> Figure:
    rows = ports_of(run_config(ds))
    narrow = width_cm < style.NARROW_CM
    lines = [line for port in rows for line in ((port_name(port), True), (_stated(port), False))]
    names_cm = style.MARGIN_CM + 0.1 + max(style.text_width(line, style.SMALL, bold) for line, bold in lines)
    height, head_cm = max(ROW_CM, 2.1 * style.line_cm()) * len(rows), style.room_cm([], HEAD_CM)
    words = {key: _column(outcomes, key) for key in (NARROW_COLUMNS if narrow else COLUMNS_CM)}
    beside = {
        key: style.room_cm([f"{text} " for text in texts], COLUMNS_CM[key], bold=key == "first")
        for key, texts in words.items()
    }
    right = sum(beside.values()) + style.MARGIN_CM
    width_cm = style.room_for(width_cm, names_cm + SLIDE_CM + right)
    years = fitting(width_cm - names_cm - right, outcomes["year"].values, FEW_COLUMNS if narrow else COLUMNS)
    page = style.page(
        width_cm,
        head_cm + height,
        say("ports.title"),
        say(
            "ports.subtitle.narrow" if narrow else "ports.subtitle",
            scenario=name("scenario", scenario),
            programme=name("programme", programme),
            members=member_count(ds),
        ),
        [say("ports.scale"), *vessels_footer(rows), say("ports.bed"), *run_footer(ds, [programme])],
    )
    ax = page.axes(names_cm, right, head_cm, height)
    ax.set(xlim=(0, len(years)), ylim=(len(rows), 0))
    ax.set_axis_off()
    cells(ax, outcomes["below_draft"].sel(year=years).values, list(range(len(rows))))
    for column, year in enumerate(years):
        ax.text(column + 0.5, -0.12, str(year), fontsize=style.SMALL, ha="center", va="bottom")
    _rows(page.blank(style.MARGIN_CM, width_cm - names_cm, head_cm, height), rows)
    _right(page.blank(width_cm - right, style.MARGIN_CM, head_cm, height), words, beside)
    return page.figure


def vessels_footer(rows: Sequence[Port]) -> list[str]:
    """Paragraphs of the footer: vessels with their ports, the rule of the clearance, sources."""
    by_title: dict[tuple[str, float], list[str]] = {}
    for port in rows:
        by_title.setdefault((vessel_name(port), port.vessel.draft), []).append(port_name(port))
    words = [
        say("ports.vessel", title=title, draft=number(draft, 1), ports=", ".join(names))
        for (title, draft), names in by_title.items()
    ]
    kept = data.impact_fact("under_keel_clearance")
    return [
        say("ports.vessels", vessels="; ".join(words)),
        say("ports.rule", clearance=number(100.0 * kept.value), clearance_grade=kept.grade),
        say("ports.sources"),
    ]


def _stated(port: Port) -> str:
    depth, level = number(port.depth, 1), number(port.reference_level, 1)
    return say(f"ports.{port.stated_as}", depth=depth, level=level, grade=port.worst_grade)


def _rows(ax: Axes, rows: Sequence[Port]) -> None:
    """Name of each port above its depth, the level it refers to, and its grade."""
    ax.set_ylim(len(rows), 0)
    for row, port in enumerate(rows):
        above, below = row + 0.5 - LINE, row + 0.5 + LINE
        ax.text(0.0, above, port_name(port), va="center_baseline", fontsize=style.SMALL, fontweight="bold")
        ax.text(0.0, below, _stated(port), va="center_baseline", fontsize=style.SMALL, color=style.MUTED)


def _column(outcomes: xr.Dataset, key: str) -> list[str]:
    """Head and texts of a column: limit of the level, first year of an even chance, cargo of a decimetre."""
    if key == "limit":
        texts = [number(float(level), 1) for level in outcomes["limit_level"]]
    elif key == "first":
        texts = [_first(float(year), int(outcomes["year"][0])) for year in outcomes["first_year"]]
    else:
        texts = [number(float(cargo)) for cargo in outcomes["cargo_per_decimetre"]]
    return [say(f"ports.{key}"), *texts]


def _right(ax: Axes, words: Mapping[str, Sequence[str]], beside: Mapping[str, float]) -> None:
    """Write columns of texts, each below its head, by their widths."""
    for x, (key, (head, *texts)) in zip(np.cumsum(list(beside.values())), words.items(), strict=True):
        ax.set_ylim(len(texts), 0)
        ax.text(x, -0.12, head, fontsize=style.SMALL, ha="right", va="bottom")
        for row, text in enumerate(texts):
            ax.text(
                x,
                row + 0.5,
                text,
                fontsize=style.SMALL,
                ha="right",
                va="center_baseline",
                fontweight="bold" if key == "first" else "normal",
            )


def _first(year: float, start: int) -> str:
    if not np.isfinite(year):
        return say("ports.never")
    return say("ports.before", year=start) if year <= start else f"{year:.0f}"
