"""Burden: the volume of the joint programme shared among the states by rules that compete."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from caspian_sim.cooperate.burden import RULES, burden_sharing
from caspian_sim.cooperate.tables import burden_table, by_labels
from caspian_sim.figures import style
from caspian_sim.figures.reading import RUN_COORDINATES, middle_scenario, require
from caspian_sim.figures.states import attribution_footer
from caspian_sim.figures.text import name, number, say

NEEDED = ("avoided_fall_shapley", "water_brought_joint", "avoided_seabed_joint", *RUN_COORDINATES)
STATE_CM, RULE_CM, NUMBERS_CM = 3.15, 2.45, 2.1
"""Least room for the names of states and of rules, and for the numbers at the right."""
ROW_CM, BETWEEN_ROWS = 0.36, 0.8
WHOLE = 100.0
TOO_MUCH = "#B00020"
"""Shares of more than a state consumes."""


def burden(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    year: int | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw each state's share of the joint volume by every rule.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    year : int, optional
        A report year; the last when not given.
    width_cm : float, optional
        Width of the figure; a column has the names of the states above their rows.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    table = burden_figure_table(ds, scenario=scenario, year=year)
    with style.drawing():
        return _draw(ds, table, width_cm)


def burden_figure_table(
    ds: xr.Dataset, *, scenario: str | None = None, year: int | None = None
) -> pd.DataFrame:
    """Numbers of :func:`burden`.

    Parameters
    ----------
    ds, scenario, year
        As for :func:`burden`.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`caspian_sim.cooperate.tables.burden_table` that are drawn.
    """
    require(ds, "burden", NEEDED)
    chosen = int(ds["year"].values[-1]) if year is None else year
    return burden_table(burden_sharing(ds.sel(scenario=[middle_scenario(ds, scenario)], year=[chosen])))


def _draw(ds: xr.Dataset, table: pd.DataFrame, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    states = [str(state) for state in ds["state"].values]
    head = 1.0 if narrow else 0.0
    step = len(RULES) + BETWEEN_ROWS + head
    height = len(states) * step * max(ROW_CM, style.line_cm())
    whole = table[table["rule"] == "equal"]["volume_km3_per_yr"].sum()
    regulated = (ds["measure_mechanism"] == "strait_regulation").any()
    strait = [say("burden.strait")] if regulated else []
    page = style.page(
        width_cm,
        height + style.BELOW_CM,
        say("burden.title"),
        say(
            "burden.subtitle",
            year=int(table["year"].iloc[0]),
            scenario=name("scenario", str(table["scenario"].iloc[0])),
            volume=number(float(whole), 1),
        ),
        [*strait, say("burden.sources"), *attribution_footer(ds)],
    )
    found = by_labels(table, "state", "rule")
    gains = {state: say("burden.gain", gain=number(found[state, "equal"]["gain_km2"])) for state in states}
    texts = {
        key: say(
            "burden.number",
            volume=number(row["volume_km3_per_yr"], 2),
            percent=number(row["of_consumption_percent"]),
        )
        for key, row in found.items()
    }
    rules = [say(f"burden.rule.{rule}") for rule in RULES]
    rules_cm = style.room_cm(rules, RULE_CM) + 0.35
    numbers_cm = style.room_cm(texts.values(), NUMBERS_CM, bold=True) + 0.3
    names = [name("state", state) for state in states]
    states_cm = max(
        style.room_cm(gains.values(), STATE_CM), *(style.text_width(w, style.BODY, bold=True) for w in names)
    )
    left = rules_cm if narrow else states_cm + 0.15 + rules_cm
    ax = page.axes(left, numbers_cm, 0.0, height)
    beside = ax.get_yaxis_transform()
    longest = 1.04 * float(max(table["volume_km3_per_yr_p95"].max(), table["volume_km3_per_yr"].max(), 1e-9))
    inches = (width_cm - left - numbers_cm) / longest
    for i, state in enumerate(states):
        mark = style.STATES[state]
        for j, rule in enumerate(RULES):
            row, y = found[state, rule], i * step + head + j
            mean = row["volume_km3_per_yr"]
            ax.barh(
                y,
                mean,
                height=0.74,
                facecolor=mark.colour if rule != "planned" else "white",
                edgecolor="white" if rule != "planned" else mark.colour,
                hatch=mark.hatch if rule != "planned" else "",
                linewidth=0.0 if rule != "planned" else 1.0,
            )
            ends = row["volume_km3_per_yr_p05"], row["volume_km3_per_yr_p95"]
            ax.plot(ends, [y, y], color=style.INK, linewidth=0.9, zorder=3)
            percent = row["of_consumption_percent"]
            # What a state does itself is no demand on it.
            too_much = percent > WHOLE and rule != "planned"
            ax.text(
                1.0 + 0.1 / (inches * longest),
                y,
                texts[state, rule],
                transform=beside,
                va="center_baseline",
                fontsize=style.SMALL,
                color=TOO_MUCH if too_much else style.INK,
                fontweight="bold" if too_much else "normal",
            )
        x = -(left - style.MARGIN_CM) / (inches * longest)
        first = i * step + (0.0 if narrow else 1.0)
        ax.text(x, first, name("state", state), transform=beside, va="center_baseline", fontweight="bold")
        if narrow:
            ax.text(
                1.0,
                first,
                gains[state],
                transform=beside,
                va="center_baseline",
                ha="right",
                fontsize=style.SMALL,
            )
        else:
            ax.text(
                x, first + 1.1, gains[state], transform=beside, va="center_baseline", fontsize=style.SMALL
            )
        if i:
            edge = i * step - 0.5 * BETWEEN_ROWS - 0.5
            ax.plot([x, 1.0], [edge, edge], transform=beside, color=style.RULE, linewidth=0.5, clip_on=False)
    ax.axvline(0.0, color=style.INK, linewidth=0.6)
    ax.set_xlim(0.0, longest)
    ax.set_ylim(len(states) * step - 0.5 * BETWEEN_ROWS - 0.5, -0.5 * BETWEEN_ROWS - 0.5)
    ax.set_yticks(
        [i * step + head + j for i in range(len(states)) for j in range(len(RULES))],
        rules * len(states),
    )
    ax.set_xlabel(say("axis.burden"))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return page.figure
