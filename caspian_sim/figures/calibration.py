"""Calibration: prior and posterior of every parameter, and the traces of the ensembles."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from caspian_sim.climate.draws import sample
from caspian_sim.data import Parameter
from caspian_sim.evaluate.calibrate import calibrated_parameters
from caspian_sim.evaluate.posterior_tables import QUANTILES, posterior_table
from caspian_sim.figures import style
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import axis_numbers, name, number, print_unit, say

Array = NDArray[np.float64]

NEEDED = ("value", "log_density")
TRACED = (
    "river_inflow",
    "net_evaporation",
    "evaporation_sensitivity",
    "area_factor",
    "net_evaporation_slow_sd",
    "net_evaporation_slow_lag1",
    "weather_correlation",
)
"""Parameters whose traces are drawn."""
BINS = 40
PRIOR_POINTS = 400
"""Quantiles between which the density of a prior is drawn."""
PRIOR_ENDS = 0.002
COLUMNS, COLUMNS_NARROW = 4, 2
PANEL_CM, HEAD_CM, GAP_CM = 1.5, 1.5, 0.5
SIDE_CM = 0.3
"""Room beside the panels for half of the number below their end."""
TICKS_CM = 0.55
TRACE_CM, TRACE_GAP_CM = 1.75, 0.55
WALKERS_DRAWN = 2
POSTERIOR = "#8FB4D9"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
ENSEMBLES = ("#1A1A1A", "#1F5FA8", "#BC2F1F", "#8A5A00")
"""Lines of the ensembles in their order, the fifth like the first; dashes tell them apart without colour."""


def posterior(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw prior and posterior of every calibrated parameter.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.calibrate`.
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
    require(ds, "posterior", NEEDED)
    with style.drawing():
        return _draw_posterior(ds, width_cm)


def posterior_densities(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`posterior`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`posterior`.

    Returns
    -------
    pandas.DataFrame
        For each `parameter` the densities of prior and posterior in bins around `value`, per unit of the
        parameter, with its `shrinkage` and the grade of the prior.
    """
    require(ds, "posterior", NEEDED)
    parts = []
    for row in posterior_table(ds).to_dict("records"):
        prior = calibrated_parameters()[row["parameter"]]
        edges, density = _histogram(_draws(ds, prior.name))
        x, before = prior_density(prior)
        middle = 0.5 * (edges[1:] + edges[:-1])
        parts.append(
            pd.DataFrame(
                {
                    "parameter": prior.name,
                    "unit": prior.unit,
                    "value": middle,
                    "prior_density": np.interp(middle, x, before, left=0.0, right=0.0),
                    "posterior_density": density,
                    "shrinkage": row["shrinkage"],
                    "prior_grade": prior.grade,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def traces(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw how the ensembles moved: median and 5 to 95 % of their walkers by step, for the main parameters.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.calibrate`.
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
    require(ds, "traces", NEEDED)
    with style.drawing():
        return _draw_traces(ds, width_cm)


def traces_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`traces`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`traces`.

    Returns
    -------
    pandas.DataFrame
        For each `parameter`, `ensemble` and `step`: 5, 50 and 95 % points over the walkers.
    """
    require(ds, "traces", NEEDED)
    chosen = ds["value"].sel(parameter=list(TRACED)).quantile(list(QUANTILES), "walker")
    frame = chosen.transpose("parameter", "ensemble", "step", "quantile").to_series().unstack("quantile")
    frame.columns = [f"p{100 * q:02.0f}" for q in QUANTILES]
    return frame.reset_index()


def prior_density(prior: Parameter) -> tuple[Array, Array]:
    """Values of a parameter and the density of its prior there, from the spacing of its quantiles."""
    share = np.linspace(PRIOR_ENDS, 1.0 - PRIOR_ENDS, PRIOR_POINTS + 1)
    x = sample(prior, share)
    density = np.diff(share) / np.diff(x)
    middle = 0.5 * (x[1:] + x[:-1])
    # Down to the axis at both ends, so that a uniform prior is a box.
    return np.concatenate([[middle[0]], middle, [middle[-1]]]), np.concatenate([[0.0], density, [0.0]])


def calibration_footer(ds: xr.Dataset) -> list[str]:
    """Say what every figure of a calibration has below it: evidence, sampling and version."""
    settings = json.loads(ds.attrs["settings"])
    return [
        say("calibration.evidence"),
        say(
            "calibration.sampling",
            version=ds.attrs["version"],
            last=ds.attrs["last_year"],
            seed=ds.attrs["seed"],
            **{key: number(settings[key]) for key in ("ensembles", "walkers", "steps")},
        ),
    ]


def _draws(ds: xr.Dataset, parameter: str) -> Array:
    return np.asarray(ds["value"].sel(parameter=parameter).values, dtype=float).ravel()


def _histogram(values: Array) -> tuple[Array, Array]:
    ends = np.quantile(values, [PRIOR_ENDS, 1.0 - PRIOR_ENDS])
    density, edges = np.histogram(values, bins=BINS, range=(float(ends[0]), float(ends[1])), density=True)
    return edges, density


def label(parameter: str, unit: str) -> str:
    """Name of a parameter with its unit in brackets."""
    shown = name("unit", print_unit(unit))
    return f"{name('parameter', parameter)} ({shown})" if shown else name("parameter", parameter)


def _draw_posterior(ds: xr.Dataset, width_cm: float) -> Figure:
    table: list[Any] = posterior_table(ds).to_dict("records")
    columns = COLUMNS if width_cm >= style.NARROW_CM else COLUMNS_NARROW
    rows = -(-(len(table) + 1) // columns)
    step = HEAD_CM + PANEL_CM + TICKS_CM
    page = style.page(
        width_cm,
        rows * step,
        say("calibration.posterior.title"),
        say("calibration.posterior.subtitle", last=ds.attrs["last_year"]),
        calibration_footer(ds),
    )
    room = (width_cm - 2 * SIDE_CM - GAP_CM * (columns - 1)) / columns
    for place, row in enumerate([*table, None]):
        left = SIDE_CM + (place % columns) * (room + GAP_CM)
        top = (place // columns) * step
        ax = page.axes(left, width_cm - left - room, top + HEAD_CM, PANEL_CM)
        head = page.blank(left, width_cm - left - room, top, HEAD_CM)
        if row is None:
            _key(ax, head, room)
        else:
            _panel(ax, ds, row)
            _head(head, row, room)
    return page.figure


def _panel(ax: Axes, ds: xr.Dataset, row: dict[str, Any]) -> None:
    x, before = prior_density(calibrated_parameters()[row["parameter"]])
    edges, after = _histogram(_draws(ds, row["parameter"]))
    ax.stairs(after, edges, fill=True, color=POSTERIOR, linewidth=0.0, zorder=1)
    ax.plot(x, before, color=style.INK, linewidth=0.9, zorder=2)
    ax.axvline(row["posterior_p50"], color=style.INK, linewidth=0.8, linestyle=(0, (1, 1.2)), zorder=3)
    ax.set_ylim(0.0, 1.08 * max(after.max(), before.max()))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(axis_numbers())


def _head(head: Axes, row: dict[str, Any], room: float) -> None:
    lines = style.wrap(label(row["parameter"], row["unit"]), room, style.SMALL, bold=True)
    note = say(
        "calibration.posterior.note",
        grade=row["prior_grade"],
        shrinkage=number(max(row["shrinkage"], 0.0), 2),
        speaks=say(f"calibration.speaks.{row['speaks']}"),
    )
    texts = [(line, "bold", style.INK) for line in lines] + [(note, "normal", style.MUTED)]
    _write_up(head, texts)


def _write_up(head: Axes, texts: list[tuple[str, str, str]]) -> None:
    """Write lines above each other, the last just over the panel."""
    height = style.SMALL * style.LINE_SPACING / style.POINTS_PER_CM
    for place, (line, weight, colour) in enumerate(reversed(texts)):
        head.text(0.0, 0.12 + place * height, line, fontsize=style.SMALL, fontweight=weight, color=colour)


def _key(ax: Axes, head: Axes, room: float) -> None:
    """Say in the last panel which shape is which."""
    x = np.linspace(-3.0, 3.0, 200)
    ax.fill_between(x, np.exp(-2.0 * (x - 0.6) ** 2), color=POSTERIOR, linewidth=0.0)
    ax.plot(x, 0.55 * np.exp(-0.5 * x**2), color=style.INK, linewidth=0.9)
    ax.axvline(0.6, color=style.INK, linewidth=0.8, linestyle=(0, (1, 1.2)))
    ax.set(ylim=(0.0, 1.08), xlim=(-3.0, 3.0))
    ax.set_axis_off()
    ax.text(-3.0, 0.5, say("calibration.prior"), fontsize=style.SMALL, va="center")
    ax.text(1.25, 0.75, say("calibration.posterior"), fontsize=style.SMALL, va="center")
    lines = style.wrap(say("calibration.key"), room, style.SMALL)
    _write_up(
        head, [(say("calibration.key.name"), "bold", style.INK)] + [(x, "normal", style.MUTED) for x in lines]
    )


def _draw_traces(ds: xr.Dataset, width_cm: float) -> Figure:
    step = TRACE_CM + TRACE_GAP_CM
    page = style.page(
        width_cm,
        len(TRACED) * step + style.BELOW_CM,
        say("calibration.traces.title"),
        say("calibration.traces.subtitle", walkers=WALKERS_DRAWN),
        calibration_footer(ds),
    )
    side = 0.22 * width_cm
    for place, parameter in enumerate(TRACED):
        top = place * step + TRACE_GAP_CM
        ax = page.axes(style.LEFT_CM, side + 0.5, top, TRACE_CM)
        beside = page.axes(width_cm - side, 0.3, top, TRACE_CM, sharey=ax)
        values = ds["value"].sel(parameter=parameter).transpose("ensemble", "step", "walker").values
        steps = ds["step"].values
        for ensemble, of_ensemble in enumerate(values):
            look = {
                "color": ENSEMBLES[ensemble % len(ENSEMBLES)],
                "linestyle": DASHES[ensemble % len(DASHES)],
                "linewidth": 0.9,
            }
            ax.plot(steps, of_ensemble[:, :WALKERS_DRAWN], color=style.RULE, linewidth=0.5, zorder=1)
            points = np.quantile(of_ensemble, QUANTILES, axis=1)
            for row in points:
                ax.plot(steps, row, zorder=2, **look)
            edges, density = _histogram(of_ensemble.ravel())
            beside.plot(density, 0.5 * (edges[1:] + edges[:-1]), **look)
        lowest, highest = np.quantile(values, [0.002, 0.998])
        ax.set(xlim=(steps[0], steps[-1]), ylim=(lowest, highest))
        ax.locator_params(axis="y", nbins=4)
        ax.yaxis.set_major_formatter(axis_numbers())
        unit = str(ds["unit"].sel(parameter=parameter).item())
        ax.set_title(label(parameter, unit), loc="left", fontsize=style.SMALL, fontweight="bold", pad=3)
        beside.set_xlim(left=0.0)
        beside.set_xticks([])
        beside.tick_params(labelleft=False)
        if place < len(TRACED) - 1:
            ax.tick_params(labelbottom=False)
        else:
            ax.set_xlabel(say("axis.step"))
            beside.set_xlabel(say("axis.density"))
    return page.figure
