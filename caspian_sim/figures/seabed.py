"""Seabed: what the sea lays bare in the sector of each state over time, and what falls of the level cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from caspian_sim import data
from caspian_sim.basin.hypsometry import REFERENCE_LEVEL
from caspian_sim.figures import style
from caspian_sim.figures.reading import (
    HIGH,
    LOW,
    MEDIAN,
    RUN_COORDINATES,
    choose,
    member_count,
    require,
    run_footer,
    shown_programmes,
    yearly,
)
from caspian_sim.figures.text import name, number, say, typeset
from caspian_sim.impacts.seabed import FALLS, NAME, WHOLE, exposed_seabed_by_state, falls_table

MIDDLE_SCENARIO = "ssp245"
"""Shown when no scenario is asked for."""
DEFAULT_PROGRAMMES = 2
MOST_PROGRAMMES = 3
NEEDED = ("sea_level", "exposed_seabed", "parameters", "time_bnds", *RUN_COORDINATES)
POINTS = {"p05": LOW, "p50": MEDIAN, "p95": HIGH}
PER_THOUSAND = 1e-3
COLUMNS_WIDE, COLUMNS_NARROW = 3, 2
PANEL_CM, HEAD_CM, YEARS_CM = 3.3, 0.45, 0.75
"""Height of a panel, of the name above it and of the years below it."""
KEY_CM = 0.5
"""Room for the key of the programmes."""
GAP_CM, RIGHT_CM = 0.85, 0.55
LABEL_SHARE = 0.2
"""Of the width of the table of falls."""
HEADROOM = 1.45
"""Of the axes over the highest value: room for the numbers."""


def seabed(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | Sequence[str] | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the exposed seabed of each state over time, with a table of falls.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with its members.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    programme : str or sequence of str, optional
        One to three programmes; the first two of the run when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable or the members are missing, or the dataset has no such scenario or programme.
    """
    table = seabed_table(ds, scenario=scenario, programme=programme)
    with style.drawing():
        return _draw(ds, table, width_cm)


def seabed_table(
    ds: xr.Dataset, *, scenario: str | None = None, programme: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Numbers of :func:`seabed`.

    Parameters
    ----------
    ds, scenario, programme
        As for :func:`seabed`.

    Returns
    -------
    pandas.DataFrame
        `kind` projected: exposed seabed by `scenario`, `programme`, `year` and `state` (``all``: the whole
        sea) against `reference_level_m_bhs`, km²: 5, 50 and 95 % points over the members, each of its own
        (points of states do not add up). `kind` fall: what a fall of `fall_m` lays bare.
    """
    require(ds, "seabed", [f"{v}_quantile" if f"{v}_quantile" in ds and v not in ds else v for v in NEEDED])
    scenarios = [str(label) for label in ds["scenario"].values]
    if scenario is None:
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in scenarios else scenarios[0]
    shown = shown_programmes(ds, programme, DEFAULT_PROGRAMMES, MOST_PROGRAMMES)
    chosen = ds.sel(scenario=[choose(ds, "scenario", scenario)], programme=shown)
    found = exposed_seabed_by_state(chosen)
    reference = float(found[NAME].attrs["reference_level"])
    exposed = yearly(found[NAME], found["time_bnds"])
    whole = exposed.sum("state").expand_dims(state=[WHOLE])
    points = xr.concat([exposed, whole], "state").quantile(list(POINTS.values()), "member", skipna=False)
    frame = points.rename("exposed").to_dataframe()["exposed"].unstack("quantile")
    frame.columns = [f"exposed_{point}_km2" for point in POINTS]
    projected = frame.reset_index().assign(kind="projected", reference_level_m_bhs=reference, fall_m=np.nan)
    falls = pd.concat([falls_table(reference), falls_table(REFERENCE_LEVEL)]).rename(
        columns={"exposed_km2": "exposed_p50_km2"}
    )
    falls = falls.assign(kind="fall", scenario="", programme="")
    columns = ["kind", "scenario", "programme", "year", "state", "reference_level_m_bhs", "fall_m"]
    both = pd.concat([projected, falls], ignore_index=True)
    both["year"] = both["year"].astype("Int64")
    return both[[*columns, *(f"exposed_{point}_km2" for point in POINTS), "share_of_sector"]]


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    projected, falls = (table[table["kind"] == kind] for kind in ("projected", "fall"))
    states = [str(state) for state in projected["state"].unique()]
    shown = [str(label) for label in projected["programme"].unique()]
    scenario = str(projected["scenario"].iloc[0])
    columns = COLUMNS_NARROW if width_cm < style.NARROW_CM else COLUMNS_WIDE
    row = style.line_cm() + 0.05
    head_cm, years_cm, key_cm, gap_cm = (
        style.room_cm([], room) for room in (HEAD_CM, YEARS_CM, KEY_CM, GAP_CM)
    )
    panel_cm = PANEL_CM + head_cm + years_cm
    rows = -(-len(states) // columns)
    falls_cm = row * (3.4 + 2 * (len(FALLS) + 1))
    page = style.page(
        width_cm,
        key_cm + rows * panel_cm + falls_cm,
        say("seabed.title"),
        _subtitle(ds, projected, shown, scenario),
        [
            say("seabed.caveat"),
            say("seabed.sources", grade=name("grade", typeset(data.entry("hypsometry").grade))),
            *_selection(ds, shown),
            *run_footer(ds, shown),
        ],
    )
    room = (width_cm - style.LEFT_CM - RIGHT_CM - (columns - 1) * gap_cm) / columns
    _write_key(page.blank(style.LEFT_CM, style.MARGIN_CM, 0.0, key_cm), shown)
    for place, state in enumerate(states):
        left = style.LEFT_CM + (place % columns) * (room + gap_cm)
        down = key_cm + (place // columns) * panel_cm + head_cm
        ax = page.axes(left, width_cm - left - room, down, PANEL_CM)
        if place % columns == 0:
            ax.set_ylabel(say("axis.exposed"))
        elif state != WHOLE:
            ax.tick_params(labelleft=False)
        _panel(ax, projected, state, shown, len(states) - 1)
    _write_falls(
        page.blank(0.3, 0.3, key_cm + rows * panel_cm, falls_cm), falls, falls_cm, row, width_cm - 0.6
    )
    return page.figure


def _subtitle(ds: xr.Dataset, projected: pd.DataFrame, shown: Sequence[str], scenario: str) -> str:
    return say(
        "seabed.subtitle" if member_count(ds) > 1 else "seabed.subtitle.single",
        scenario=name("scenario", scenario),
        members=member_count(ds),
        reference=number(float(projected["reference_level_m_bhs"].iloc[0]), 2),
        programme=name("programme", shown[0]),
        year=int(projected["year"].max()),
    )


def _selection(ds: xr.Dataset, shown: Sequence[str]) -> list[str]:
    if len(shown) == ds.sizes["programme"]:
        return []
    names = ", ".join(name("programme", label) for label in shown)
    return [say("footer.selection", shown=names, count=len(shown), all=ds.sizes["programme"])]


def _write_key(ax: Axes, shown: Sequence[str]) -> None:
    x = 0.0
    for label, dashes in zip(shown, style.PROGRAMME_DASHES, strict=False):
        words = name("programme", label)
        ax.plot([x, x + 0.6], [0.25, 0.25], color=style.MUTED, linestyle=dashes, linewidth=1.3)
        ax.text(x + 0.72, 0.25, words, fontsize=style.SMALL, va="center_baseline")
        x += 1.3 + style.text_width(words, style.SMALL)


def _panel(ax: Axes, projected: pd.DataFrame, state: str, shown: Sequence[str], littoral: int) -> None:
    """Draw one state, or the whole sea; the states share a scale, so that they can be compared."""
    whole = state == WHOLE
    mark = style.Mark(style.INK) if whole else style.STATES[state]
    alike = projected[(projected["state"] == WHOLE) == whole]
    values = alike[[f"exposed_{point}_km2" for point in POINTS]] * PER_THOUSAND
    lowest, highest = min(float(values.min().min()), 0.0), max(float(values.max().max()), 1.0)
    years = projected["year"].to_numpy(dtype=np.int64)
    ax.set(xlim=(years.min(), years.max()), ylim=(1.05 * lowest, HEADROOM * highest))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=True))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10], integer=True))
    ax.axhline(0.0, color=style.MUTED, linewidth=0.6)
    ax.yaxis.grid(True)
    for step, (label, dashes) in enumerate(zip(shown, style.PROGRAMME_DASHES, strict=False)):
        rows = projected[(projected["state"] == state) & (projected["programme"] == label)]
        year = rows["year"].to_numpy(dtype=np.int64)
        low, median, high = (rows[f"exposed_{point}_km2"].to_numpy() * PER_THOUSAND for point in POINTS)
        if step == 0:
            ax.fill_between(year, low, high, color=mark.colour, alpha=0.25, linewidth=0.0)
            for edge in (low, high):
                ax.plot(year, edge, color=mark.colour, linewidth=0.4)
        ax.plot(year, median, color=mark.colour, linestyle=dashes, linewidth=1.3, zorder=3)
        y = 0.95 - 0.115 * style.room_cm([], 1.0) * step
        ax.plot(
            [0.03, 0.12], [y, y], transform=ax.transAxes, color=mark.colour, linestyle=dashes, linewidth=1.3
        )
        ends = [number(float(end[-1]), 1 if abs(median[-1]) < 10.0 else 0) for end in (median, low, high)]
        words = (
            ends[0] if low[-1] == high[-1] else say("seabed.range", median=ends[0], low=ends[1], high=ends[2])
        )
        ax.text(
            0.15,
            y,
            words,
            transform=ax.transAxes,
            fontsize=style.SMALL,
            va="center_baseline",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.7},
            zorder=5,
        )
    words = say("seabed.whole") if whole else name("state", state)
    ax.set_title(words, loc="left", fontsize=style.BODY, fontweight="bold", pad=3)


def _write_falls(ax: Axes, falls: pd.DataFrame, top: float, row: float, width: float) -> None:
    """Write what falls lay bare, from the level of the run and from the zero of charts."""
    states = [str(state) for state in falls["state"].unique()]
    y = top - 1.2 * row
    ax.text(0.0, y, say("seabed.falls.title"), fontsize=style.BODY, fontweight="bold")
    ends = [
        width * (LABEL_SHARE + (1.0 - LABEL_SHARE) * (place + 1) / (len(states) + 1))
        for place in range(len(states) + 1)
    ]
    y -= 1.15 * row
    heads = [name("state_short", state) if state != WHOLE else say("seabed.sea") for state in states]
    heads.append(say("seabed.share"))
    for end, words in zip(ends, heads, strict=True):
        ax.text(end, y, words, fontsize=style.SMALL, ha="right", color=style.MUTED)
    ax.plot([0.0, width], [y - 0.08, y - 0.08], color=style.RULE, linewidth=0.6)
    for level, block in falls.groupby("reference_level_m_bhs", sort=False):
        y -= row
        ax.text(
            0.0,
            y,
            say("seabed.falls", level=number(float(str(level)), 2)),
            fontsize=style.SMALL,
            color=style.MUTED,
        )
        for fall, cells in block.groupby("fall_m"):
            y -= row
            exposed = cells.set_index("state")["exposed_p50_km2"] * PER_THOUSAND
            ax.text(0.25, y, say("seabed.fall", fall=number(float(str(fall)))), fontsize=style.SMALL)
            share = 100.0 * float(cells.set_index("state")["share_of_sector"][WHOLE])
            numbers = [number(float(exposed[state]), 1) for state in states] + [number(share, 0)]
            for end, words in zip(ends, numbers, strict=True):
                ax.text(end, y, words, fontsize=style.SMALL, ha="right")
