"""Flows: the water budget of the sea as streams, as wide as the water that they carry, in three decades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from caspian_sim import data
from caspian_sim.errors import DataError
from caspian_sim.figures import style
from caspian_sim.figures.budget import DECADE, NEEDED, NET, ORDER, budget_table
from caspian_sim.figures.reading import middle_scenario, require, require_members, run_footer
from caspian_sim.figures.text import name, number, say

STORAGE = "storage"
"""What the sea gives from its volume, or adds to it: the two sides are equal with it."""
SEA, STORED = "#CFE3EF", style.Mark("#FFFFFF", hatch="....")
NARROW_LABEL_CM = 2.35
"""Room for a label in a column, where it has several lines."""
DIAGRAM_CM, GAP_CM = 2.9, 0.35
"""Height of the streams of a decade, and distance to the next."""
APART_CM = 0.16
"""Between streams where they begin and end."""
LABEL_GAP_CM = 0.12
SEA_CM, NARROW_SEA_CM = 1.9, 1.2
LEAST_WIDTH_CM = 0.02
"""A stream that carries next to nothing can still be seen."""


def flows(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    decades: Sequence[int] | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw the budget of some decades as streams into the sea and out of it.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    scenario, programme : str, optional
        SSP2-4.5 or else the first scenario, and the first programme of the run, when not given.
    decades : sequence of int, optional
        First years of the decades; the last observed, the middle and the last whole one when not given.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario, programme or decade.
    """
    table = flows_table(ds, scenario=scenario, programme=programme)
    shown = _shown(table, decades)
    with style.drawing():
        return _draw(ds, table, shown, (middle_scenario(ds, scenario), _programme(ds, programme)), width_cm)


def flows_table(ds: xr.Dataset, *, scenario: str | None = None, programme: str | None = None) -> pd.DataFrame:
    """Numbers of :func:`flows`, for all decades.

    Parameters
    ----------
    ds, scenario, programme
        As for :func:`flows`.

    Returns
    -------
    pandas.DataFrame
        `kind` observed or projected, `first_year` and `last_year` of the decade, `side` in or out, `term`,
        and its mean flux in km³/yr, never negative. The term `storage` is what the sea loses (in) or gains
        (out); with it the sides are equal.
    """
    if "sea_level_quantile" in ds:
        require_members(ds, "figure 'flows'")
    require(ds, "flows", NEEDED)
    budget = budget_table(ds, scenario=scenario, programme=programme)
    rows = []
    keys = ["kind", "first_year", "last_year"]
    for key, decade in budget.groupby(keys, sort=False):
        fluxes = decade.set_index("term")["flux_km3_per_yr"]
        # What leaves the volume of the sea comes to the balance.
        signed = [(term, float(fluxes[term])) for term in ORDER if term in fluxes]
        signed.append((STORAGE, -float(fluxes[NET])))
        for side, sign in (("in", 1.0), ("out", -1.0)):
            rows += [(*key, side, term, sign * flux) for term, flux in signed if sign * flux > 0.0]
    return pd.DataFrame(rows, columns=[*keys, "side", "term", "flux_km3_per_yr"])


def _programme(ds: xr.Dataset, programme: str | None) -> str:
    return str(ds["programme"].values[0]) if programme is None else programme


def _shown(table: pd.DataFrame, decades: Sequence[int] | None) -> list[int]:
    """First years of the decades to draw."""
    spans = table[["kind", "first_year", "last_year"]].drop_duplicates()
    if decades is not None:
        unknown = [year for year in decades if year not in set(spans["first_year"])]
        if unknown or not decades:
            raise DataError(
                f"there is no decade from {unknown[0]}\n    found    {unknown[0]}\n"
                f"    allowed  {', '.join(map(str, spans['first_year']))}"
                if unknown
                else "figure 'flows' cannot be drawn: no decade was asked for"
            )
        return list(decades)
    whole = spans[spans["last_year"] - spans["first_year"] + 1 == DECADE]
    observed = whole.loc[whole["kind"] == "observed", "first_year"].tolist()[-1:]
    projected = whole.loc[whole["kind"] == "projected", "first_year"].tolist()
    projected = projected or spans.loc[spans["kind"] == "projected", "first_year"].tolist()
    middle = projected[len(projected) // 2 - 1] if len(projected) > 2 else projected[0]
    return list(dict.fromkeys([*observed, middle, projected[-1]]))


def _draw(
    ds: xr.Dataset, table: pd.DataFrame, shown: list[int], chosen: tuple[str, str], width_cm: float
) -> Figure:
    drawn = table[table["first_year"].isin(shown)]
    most = float(drawn.groupby(["first_year", "side"])["flux_km3_per_yr"].sum().max())
    scale = DIAGRAM_CM / most
    # Ends of the streams are apart, and each has a line of text.
    drawn = drawn.assign(label=_labels(drawn, width_cm < style.NARROW_CM))
    ends = max(sum(_sizes(rows, scale)) for _, rows in drawn.groupby(["first_year", "side"]))
    block = _head_cm() + ends + GAP_CM
    scenario, programme = chosen
    record = data.load("net_evaporation_implied")
    page = style.page(
        width_cm,
        block * len(shown) - GAP_CM,
        say("flows.title"),
        say(
            "flows.subtitle" if ds.sizes["member"] > 1 else "flows.subtitle.single",
            scenario=name("scenario", scenario),
            programme=name("programme", programme),
            members=ds.sizes["member"],
        ),
        [
            say(
                "flows.sources",
                grade=name("grade", record.attrs["evidence_grade"]),
                groundwater=number(data.parameters()["groundwater"].best),
            ),
            *run_footer(ds, [programme]),
        ],
    )
    sides = {
        str(side): style.room_cm(rows["label"]) + 2 * LABEL_GAP_CM for side, rows in drawn.groupby("side")
    }
    for place, year in enumerate(shown):
        ax = page.blank(style.MARGIN_CM, style.MARGIN_CM, block * place, block - GAP_CM)
        _decade(ax, drawn[drawn["first_year"] == year], scale, sides)
    return page.figure


def _head_cm() -> float:
    """Height of the heading of a decade."""
    return 1.6 * style.line_cm()


def _labels(rows: pd.DataFrame, narrow: bool) -> list[str]:
    """Name and flux of each stream, in several lines in a column."""
    labels = []
    for side, term, flux in zip(rows["side"], rows["term"], rows["flux_km3_per_yr"], strict=True):
        words = say(f"flows.{STORAGE}.{side}") if term == STORAGE else name("term", term)
        label = say("flows.stream", term=words, flux=number(flux))
        labels.append("\n".join(style.wrap(label, NARROW_LABEL_CM, style.SMALL)) if narrow else label)
    return labels


def _decade(ax: Axes, rows: pd.DataFrame, scale: float, sides: dict[str, float]) -> None:
    """Draw the streams of a decade, its heading above them."""
    width, height = ax.get_xlim()[1], ax.get_ylim()[1]
    kind, first, last = rows[["kind", "first_year", "last_year"]].iloc[0]
    ax.text(
        0.0,
        height - 0.32,
        say(f"flows.{kind}", first=first, last=last),
        fontsize=style.BODY,
        fontweight="bold",
    )
    total = float(rows.loc[rows["side"] == "in", "flux_km3_per_yr"].sum())
    room = height - _head_cm()
    middle = 0.5 * room
    left, right = sides["in"], width - sides["out"]
    net = say("flows.net", net=number(_net(rows), sign=True))
    sea_cm = max(NARROW_SEA_CM if width < style.NARROW_CM else SEA_CM, style.room_cm([net], bold=True) + 0.2)
    sea = (0.5 * (left + right - sea_cm), 0.5 * (left + right + sea_cm))
    half = 0.5 * total * scale
    ax.add_patch(Rectangle((sea[0], middle - half), sea_cm, 2 * half, facecolor=SEA, edgecolor="none"))
    ax.text(
        0.5 * (sea[0] + sea[1]),
        middle,
        net,
        ha="center",
        va="center",
        fontsize=style.SMALL,
        linespacing=style.LINE_SPACING,
        fontweight="bold",
    )
    for side, outer, inner in (("in", left, sea[0]), ("out", right, sea[1])):
        _side(ax, rows[rows["side"] == side], scale, (outer, inner), (middle, half, room))


def _net(rows: pd.DataFrame) -> float:
    """Change of the volume of the sea, km³/yr."""
    stored = rows[rows["term"] == STORAGE]
    sign = np.where(stored["side"] == "in", -1.0, 1.0)
    return float((stored["flux_km3_per_yr"] * sign).sum())


def _widths(rows: pd.DataFrame, scale: float) -> list[float]:
    return [max(scale * flux, LEAST_WIDTH_CM) for flux in rows["flux_km3_per_yr"]]


def _sizes(rows: pd.DataFrame, scale: float) -> list[float]:
    """Room that streams and their labels need where they begin or end, cm."""
    lines = [label.count("\n") + 1 for label in rows["label"]]
    pairs = zip(_widths(rows, scale), lines, strict=True)
    return [max(width + APART_CM, count * style.line_cm()) for width, count in pairs]


def _side(
    ax: Axes,
    rows: pd.DataFrame,
    scale: float,
    across: tuple[float, float],
    along: tuple[float, float, float],
) -> None:
    """Draw the streams of one side from their ends at the labels to the sea, and write the labels."""
    outer, inner = across
    middle, half, room = along
    widths = _widths(rows, scale)
    # From the top down, as they stand at the sea.
    at_sea = middle + half - np.cumsum([0.0, *widths])[:-1] - 0.5 * np.asarray(widths)
    ends = style.spread(list(at_sea), _sizes(rows, scale), 0.0, room)
    for row, width, begin, end in zip(rows.to_dict("records"), widths, ends, at_sea, strict=True):
        mark = STORED if row["term"] == STORAGE else style.BUDGET_TERMS[row["term"]]
        bend = 0.5 * (outer + inner)
        upper = [(outer, begin + 0.5 * width), (bend, begin + 0.5 * width)]
        upper += [(bend, end + 0.5 * width), (inner, end + 0.5 * width)]
        lower = [(x, y - width) for x, y in reversed(upper)]
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
        ax.add_patch(
            PathPatch(
                Path([*upper, *lower, upper[0]], codes),
                facecolor=mark.colour,
                edgecolor=style.MUTED if row["term"] == STORAGE else "white",
                hatch=mark.hatch,
                linewidth=0.4,
            )
        )
        away = -LABEL_GAP_CM if outer < inner else LABEL_GAP_CM
        align = "right" if outer < inner else "left"
        ax.text(
            outer + away,
            begin,
            row["label"],
            ha=align,
            va="center",
            fontsize=style.SMALL,
            linespacing=style.LINE_SPACING,
            multialignment=align,
        )
