"""Marginal effect: what each measure lifts the sea for each km³/yr that it brings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from caspian_sim.figures import style
from caspian_sim.figures.reading import HASH_DIGITS, choose, own_series, require, run_config
from caspian_sim.figures.text import name, number, say

NEEDED = ("measure_effect", "measure_water", "measure_marginal", "inflow_marginal", "measure_grade")
MIDDLE_SCENARIO = "ssp245"
PLOT_CM, ROW_CM = 5.6, 0.42


def marginal(ds: xr.Dataset, *, scenario: str | None = None, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the measures side by side: as wide as the water they bring, as high as the rise for each km³/yr.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.target`.
    scenario : str, optional
        SSP2-4.5 or else the first scenario when not given.
    width_cm : float, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario.
    """
    require(ds, "marginal", NEEDED)
    labels = [str(label) for label in ds["scenario"].values]
    if scenario is None:
        scenario = MIDDLE_SCENARIO if MIDDLE_SCENARIO in labels else labels[0]
    with style.drawing():
        return _draw(ds.sel(scenario=choose(ds, "scenario", scenario)), width_cm)


def marginal_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`marginal`, for all scenarios.

    Returns
    -------
    pandas.DataFrame
        For each `scenario` and `measure`: state, grade, rise in cm and water in km³/yr with their 5 and 95 %
        points, and rise per km³/yr.
    """
    require(ds, "marginal", NEEDED)
    names = [f"measure_{what}{end}" for what in ("effect", "water") for end in ("", "_low", "_high")]
    frame = ds[[*names, "measure_marginal", "measure_state", "measure_grade"]].to_dataframe().reset_index()
    columns = {key: key.replace("effect", "effect_cm").replace("water", "water_km3_per_yr") for key in names}
    frame = frame.rename(columns={**columns, "measure_marginal": "marginal_cm_per_km3_per_yr"})
    return frame[
        [
            "scenario",
            "measure",
            "measure_state",
            "measure_grade",
            *columns.values(),
            "marginal_cm_per_km3_per_yr",
        ]
    ]


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    order = np.argsort(-np.nan_to_num(ds["measure_marginal"].values, nan=-1.0), kind="stable")
    ds = ds.isel(measure=order)
    rows = ds.sizes["measure"] * ROW_CM
    page = style.page(
        width_cm,
        PLOT_CM + style.BELOW_CM + 0.2 + rows,
        say("marginal.title"),
        say(
            "marginal.subtitle",
            scenario=name("scenario", str(ds["scenario"].item())),
            year=ds.attrs["target_year"],
            start=ds.attrs["inflow_start"],
        ),
        _footer(ds),
    )
    ax = page.axes(style.LEFT_CM, 0.4, 0.2, PLOT_CM)
    list_of = page.blank(style.MARGIN_CM, style.MARGIN_CM, PLOT_CM + style.BELOW_CM + 0.2, rows)
    left, y = 0.0, rows - 0.5 * ROW_CM
    for place, measure in enumerate(ds["measure"].values, start=1):
        now = ds.sel(measure=measure)
        mark = style.STATES[str(now["measure_state"].item())]
        width, height = float(now["measure_water"]), float(np.nan_to_num(now["measure_marginal"]))
        ax.add_patch(
            Rectangle(
                (left, 0.0),
                width,
                height,
                facecolor=mark.colour,
                edgecolor="white",
                hatch=mark.hatch,
                linewidth=0.8,
            )
        )
        # Numbers of narrow neighbours take turns in height, so that they stay apart.
        ax.annotate(
            str(place),
            (left + width / 2, height),
            (0, 2 + 7 * (place % 2)),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL,
        )
        left += width
        effect, low, high = (number(float(now[f"measure_effect{end}"]), 1) for end in ("", "_low", "_high"))
        title, grade = str(now["measure_title"].item()), str(now["measure_grade"].item())
        words = say("marginal.label", title=title, grade=grade, effect=effect, low=low, high=high)
        style.swatch(list_of, mark, 0.55, y)
        state = str(now["measure_state"].item())
        list_of.text(0.0, y, str(place), va="center_baseline", fontsize=style.SMALL)
        lines = style.wrap(f"{state} · {words}", width_cm - 1.4, style.SMALL)
        list_of.text(
            0.8, y, lines[0] + (" …" if len(lines) > 1 else ""), va="center_baseline", fontsize=style.SMALL
        )
        y -= ROW_CM
    reference = float(ds["inflow_marginal"])
    ax.axhline(reference, color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)))
    top = max(reference, float(np.nan_to_num(ds["measure_marginal"].values).max(initial=0.0)))
    ax.set(xlim=(0.0, max(left, 1e-3)), ylim=(0.0, 1.2 * top))
    ax.set(xlabel=say("marginal.water"), ylabel=say("marginal.axis"))
    return page.figure


def _footer(ds: xr.Dataset) -> list[str]:
    config = run_config(ds)
    footer = {"version": ds.attrs["version"], "hash": ds.attrs["config_hash"][:HASH_DIGITS]}
    return [
        say("marginal.sources", members=number(config.uncertainty.members), year=ds.attrs["target_year"]),
        *own_series(config),
        say("footer.run", name=config.name, **footer),
    ]
