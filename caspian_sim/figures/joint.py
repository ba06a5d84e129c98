"""Joint: the projected level with the joint programme and without, and the difference member by member."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.cooperate.tables import by_labels
from caspian_sim.figures import style
from caspian_sim.figures.reading import HIGH, LOW, MEDIAN, RUN_COORDINATES, middle_scenario, require
from caspian_sim.figures.states import attribution_footer, spread_text
from caspian_sim.figures.text import name, number, say

NEEDED = ("sea_level", "avoided_fall_joint", *RUN_COORDINATES)
LEVEL_CM, DIFFERENCE_CM, GAP_CM, LABELS_CM, LABELS_NARROW_CM = 6.0, 3.6, 0.5, 3.55, 2.95
TO_LABEL_CM, RIGHT_CM = 0.38, 0.17
"""Room for the line to a label, and beside the label."""
PROGRAMMES = ("none", "joint")
POINTS = (LOW, MEDIAN, HIGH)
COLUMNS = ("p05_m", "p50_m", "p95_m")


def joint(ds: xr.Dataset, *, scenario: str | None = None, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the range of the level with all measures and without, and the paired difference below.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given; the differences are shown for all.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    table = joint_table(ds)
    with style.drawing():
        return _draw(ds, table, middle_scenario(ds, scenario), width_cm)


def joint_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`joint`.

    Returns
    -------
    pandas.DataFrame
        For each `scenario`, `year` and `what` (none and joint: level in m BHS; difference: joint less none in
        the same member, m): `mean_m`, `sd_m`, and the 5, 50 and 95 % points over the members.
    """
    require(ds, "joint", NEEDED)
    level = ds["sea_level"].transpose("programme", "scenario", "time", "member")
    none, both = (level.sel(programme=programme).values for programme in PROGRAMMES)
    years = ds["time"].dt.year.values
    parts = []
    for what, values in (("none", none), ("joint", both), ("difference", both - none)):
        low, middle, high = np.quantile(values, POINTS, axis=-1)
        for place, scenario in enumerate(ds["scenario"].values):
            parts.append(
                pd.DataFrame(
                    {
                        "scenario": str(scenario),
                        "year": years,
                        "what": what,
                        "mean_m": values[place].mean(axis=-1),
                        "sd_m": values[place].std(axis=-1),
                        "p05_m": low[place],
                        "p50_m": middle[place],
                        "p95_m": high[place],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _draw(ds: xr.Dataset, table: pd.DataFrame, chosen: str, width_cm: float) -> Figure:
    ends = table[table["year"] == table["year"].max()]
    last = by_labels(ends[ends["scenario"] == chosen], "what")
    apart = float(np.hypot(last["none",]["sd_m"], last["joint",]["sd_m"]))
    levels = [
        (
            say("joint.end", label=name("programme", programme), **_words(last[programme,], 1)),
            float(last[programme,]["p50_m"]),
            style.INK,
        )
        for programme in PROGRAMMES
    ]
    differences = [
        (
            f"{name('scenario', row['scenario'])}\n"
            + spread_text(row["mean_m"], row["p05_m"], row["p95_m"], 2),
            float(row["mean_m"]),
            # Greys of lines are too pale for letters.
            style.INK if style.now().grey else style.SCENARIOS[row["scenario"]].colour,
        )
        for row in ends[ends["what"] == "difference"].to_dict("records")
    ]
    difference_cm = max(DIFFERENCE_CM, sum(_heights(differences)))
    page = style.page(
        width_cm,
        LEVEL_CM + GAP_CM + difference_cm + style.BELOW_CM,
        say("joint.title"),
        say("joint.subtitle", scenario=name("scenario", chosen), members=number(ds.sizes["member"])),
        [
            say(
                "joint.paired",
                year=int(table["year"].max()),
                paired=number(float(last["difference",]["sd_m"]), 2),
                apart=number(apart, 2),
            ),
            say("joint.sources"),
            *attribution_footer(ds, "states.paired"),
        ],
    )
    words = [text for text, _, _ in levels + differences]
    side = style.room_cm(words, LABELS_NARROW_CM if page.narrow else LABELS_CM) + TO_LABEL_CM + RIGHT_CM
    above = page.axes(style.LEFT_CM, side, 0.0, LEVEL_CM)
    below = page.axes(style.LEFT_CM, side, LEVEL_CM + GAP_CM, difference_cm)
    _levels(above, table[table["scenario"] == chosen], chosen)
    _differences(below, table[table["what"] == "difference"], chosen)
    first, end = int(table["year"].min()), int(table["year"].max())
    for ax in (above, below):
        ax.set_xlim(first, end if end > first else first + 1)
        ax.yaxis.grid(True)
    above.tick_params(labelbottom=False)
    above.set_ylabel(say("axis.level"))
    below.set(xlabel=say("axis.year"), ylabel=say("joint.difference"))
    _label(page.blank(width_cm - side, 0.0, 0.0, LEVEL_CM), above, levels, LEVEL_CM)
    _label(
        page.blank(width_cm - side, 0.0, LEVEL_CM + GAP_CM, difference_cm), below, differences, difference_cm
    )
    return page.figure


def _words(row: dict[str, Any], digits: int) -> dict[str, str]:
    keys = ("low", "median", "high")
    return {key: number(float(row[column]), digits) for key, column in zip(keys, COLUMNS, strict=True)}


def _levels(ax: Axes, table: pd.DataFrame, chosen: str) -> None:
    mark = style.SCENARIOS[chosen]
    for programme, dashes in zip(PROGRAMMES, style.PROGRAMME_DASHES, strict=False):
        rows = table[table["what"] == programme]
        year, (low, middle, high) = rows["year"], (rows[column] for column in COLUMNS)
        if programme == PROGRAMMES[0]:
            ax.fill_between(year, low, high, color=mark.colour, alpha=0.25, linewidth=0.0)
        else:
            ax.fill_between(
                year,
                low,
                high,
                facecolor="none",
                edgecolor=style.MUTED,
                hatch="////",
                linewidth=0.0,
            )
        for edge in (low, high):
            ax.plot(year, edge, color=mark.colour, linewidth=0.5, linestyle=dashes)
        ax.plot(year, middle, color=style.INK, linewidth=1.5, linestyle=dashes, zorder=4)


def _differences(ax: Axes, table: pd.DataFrame, chosen: str) -> None:
    rows = table[table["scenario"] == chosen]
    mark = style.SCENARIOS[chosen]
    ax.fill_between(rows["year"], rows["p05_m"], rows["p95_m"], color=mark.colour, alpha=0.25, linewidth=0.0)
    for scenario in table["scenario"].unique():
        mark, rows = style.SCENARIOS[scenario], table[table["scenario"] == scenario]
        every = max(1, len(rows) // 5)
        ax.plot(
            rows["year"],
            rows["mean_m"],
            color=mark.colour,
            marker=mark.marker,
            markersize=3.2,
            markevery=(every // 2, every),
            linewidth=1.3,
        )
    ax.axhline(0.0, color=style.INK, linewidth=0.6)


def _heights(labels: list[tuple[str, float, str]]) -> list[float]:
    """Heights of labels with a gap between them, cm."""
    return [(text.count("\n") + 1.2) * style.line_cm() for text, _, _ in labels]


def _label(ax: Axes, of: Axes, labels: list[tuple[str, float, str]], height_cm: float) -> None:
    """Write labels beside the ends of the lines of another axes, none over another."""
    low, high = of.get_ylim()
    wanted = [(value - low) / (high - low) * height_cm for _, value, _ in labels]
    for (text, _, colour), at, y in zip(
        labels, wanted, style.spread(wanted, _heights(labels), 0.0, height_cm), strict=True
    ):
        ax.plot([0.05, 0.3], [at, y], color=style.MUTED, linewidth=0.6, clip_on=False)
        ax.text(
            TO_LABEL_CM,
            y,
            text,
            va="center",
            fontsize=style.SMALL,
            color=colour,
            linespacing=style.LINE_SPACING,
        )
