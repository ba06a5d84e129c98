"""Hindcast: the model against the observed record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.figures import style
from caspian_sim.figures.reading import ASSUMPTION, require
from caspian_sim.figures.text import name, number, say
from caspian_sim.record.posterior import graded_parameters

NEEDED = ("sea_level", "observed_level", "error", "decade_error", "rmse", "worst_error", "worst_year")
LABELS_CM = 3.0
"""Room for the labels of the runs."""
GAP_CM = 0.4
OBSERVED_WIDTH = 2.0
DASHES: tuple[Any, ...] = ((0, (4, 1.4)), "-", (0, (1.2, 0.9)))
"""Lines of the runs, in their order."""
PARAMETERS = (
    "precipitation",
    "groundwater",
    "strait_sill",
    "strait_coefficient_before_1980",
    "strait_coefficient_after_1992",
    "bay_net_evaporation",
)
"""Parameters that the hindcast rests on."""


def hindcast(ds: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw the hindcast and the observed level, and the error of the hindcast below.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.hindcast`.
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
    require(ds, "hindcast", NEEDED)
    with style.drawing():
        return _draw(ds, width_cm)


def hindcast_table(ds: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`hindcast`.

    Parameters
    ----------
    ds : xarray.Dataset
        As for :func:`hindcast`.

    Returns
    -------
    pandas.DataFrame
        For each `run` and `year`: observed and modelled level in m BHS, error (model less observed) in m, its
        mean over the decade, and the root mean square error of the run.
    """
    require(ds, "hindcast", NEEDED)
    parts = []
    for run in ds["run"].values:
        chosen, year = ds.sel(run=run), ds["year"].values
        parts.append(
            pd.DataFrame(
                {
                    "run": str(run),
                    "year": year,
                    "observed_level_m_bhs": ds["observed_level"].values,
                    "level_m_bhs": chosen["sea_level"].values,
                    "error_m": chosen["error"].values,
                    "decade_error_m": chosen["decade_error"].sel(decade=year // 10 * 10).values,
                    "rmse_m": float(chosen["rmse"]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _draw(ds: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    upper, lower = (5.0, 3.4) if narrow else (6.0, 3.6)
    first, last = int(ds["year"][0]), int(ds["year"][-1])
    labels = _labels(ds)
    labels_cm = max(style.room_cm([], LABELS_CM), 0.3 + max(label.width for label in labels))
    below = 0.3 + max(label.height for label in labels) if narrow else 0.0
    page = style.page(
        width_cm,
        upper + GAP_CM + lower + style.BELOW_CM + below,
        say("hindcast.title"),
        say("hindcast.subtitle", first=first, last=last),
        _footer(ds),
    )
    right = 0.3 if narrow else labels_cm
    level = page.axes(style.LEFT_CM, right, 0.0, upper)
    error = page.axes(style.LEFT_CM, right, upper + GAP_CM, lower, sharex=level)
    year = ds["year"].values
    level.plot(year, ds["observed_level"], color=style.INK, linewidth=OBSERVED_WIDTH, zorder=2)
    error.axhline(0.0, color=style.INK, linewidth=0.8)
    for run, dashes in zip(ds["run"].values, DASHES, strict=False):
        chosen, mark = ds.sel(run=run), style.HINDCAST_RUNS[str(run)]
        level.plot(year, chosen["sea_level"], color=mark.colour, linestyle=dashes, zorder=3)
        error.plot(year, chosen["error"], color=mark.colour, linestyle=dashes)
        _decades(error, chosen, mark, first, last)
        _worst(error, chosen, mark)
    level.set(ylabel=say("axis.level"), xlim=(first - 1, last + 1))
    level.tick_params(labelbottom=False)
    error.set(ylabel=say("axis.error"), xlabel=say("axis.year"))
    for ax in (level, error):
        ax.yaxis.grid(True)
        ax.margins(y=0.14)
    if narrow:
        area, x = page.blank(0.4, 0.0, upper + GAP_CM + lower + style.BELOW_CM, below), 0.0
        for label in labels:
            label.write(area, x, below - 0.2)
            x += label.width + 0.25
    else:
        area = page.blank(page.width - right + 0.15, 0.0, 0.0, upper)
        lowest, highest = level.get_ylim()
        centres = [(label.end - lowest) / (highest - lowest) * upper for label in labels]
        middles = style.spread(centres, [label.height for label in labels], 0.0, upper)
        for label, middle in zip(labels, middles, strict=True):
            label.write(area, 0.0, middle + 0.5 * label.height)
    return page.figure


def _decades(ax: Axes, chosen: xr.Dataset, mark: style.Mark, first: int, last: int) -> None:
    """Mean error of each decade, a bar as wide as the years that it covers."""
    for decade, value in zip(chosen["decade"].values, chosen["decade_error"].values, strict=True):
        begin, end = max(decade, first) - 0.5, min(decade + 9, last) + 0.5
        ax.fill_between([begin + 0.3, end - 0.3], 0.0, value, color=mark.colour, alpha=0.25, linewidth=0.0)


def _worst(ax: Axes, chosen: xr.Dataset, mark: style.Mark) -> None:
    year, value = int(chosen["worst_year"]), float(chosen["worst_error"])
    ax.plot(year, value, mark.marker, color=mark.colour, markersize=4)
    ax.annotate(
        say("hindcast.worst", year=year, error=number(value, 2, sign=True)),
        (year, value),
        xytext=(0, 4 if value > 0 else -4),
        textcoords="offset points",
        ha="center",
        va="bottom" if value > 0 else "top",
        fontsize=style.SMALL,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.85},
    )


@dataclass(frozen=True)
class _Label:
    """Name of a line, with a sample of it and what is said below the name."""

    lines: tuple[str, ...]
    names: int
    colour: str
    dashes: Any
    linewidth: float
    end: float

    SAMPLE = 0.5

    @property
    def height(self) -> float:
        return style.line_cm() * len(self.lines) + 0.25

    @property
    def width(self) -> float:
        return self.SAMPLE + max(style.text_width(line, style.SMALL, bold=True) for line in self.lines)

    def write(self, ax: Axes, x: float, top: float) -> None:
        y = top - 0.1 - style.line_cm()
        sample = {"color": self.colour, "linestyle": self.dashes, "linewidth": self.linewidth}
        ax.plot([x, x + 0.4], [y + 0.09] * 2, **sample)
        for i, line in enumerate(self.lines):
            weight = "bold" if i < self.names else "normal"
            ax.text(x + self.SAMPLE, y - i * style.line_cm(), line, fontsize=style.SMALL, fontweight=weight)


def _labels(ds: xr.Dataset) -> list[_Label]:
    """Labels of the observed level and of the runs, with the level at which their lines end."""
    last = float(ds["observed_level"][-1])
    labels = [_Label((say("hindcast.observed"),), 1, style.INK, "-", OBSERVED_WIDTH, last)]
    for run, dashes in zip(ds["run"].values, DASHES, strict=False):
        chosen = ds.sel(run=run)
        names = style.wrap(name("run", str(run)), style.room_cm([], LABELS_CM - 0.8), style.SMALL, bold=True)
        rmse = say("hindcast.rmse", rmse=number(float(chosen["rmse"]), 2))
        colour, end = style.HINDCAST_RUNS[str(run)].colour, float(chosen["sea_level"][-1])
        labels.append(_Label((*names, rmse), len(names), colour, dashes, 1.2, end))
    return labels


def _footer(ds: xr.Dataset) -> list[str]:
    record, priors = data.load("sea_level_annual"), graded_parameters()
    assumed = [name("parameter", key) for key in PARAMETERS if priors[key].grade == ASSUMPTION]
    lines = [say("hindcast.sources", grade=name("grade", record.attrs["evidence_grade"]))]
    if "degrees_of_freedom" in ds.attrs:
        lines.append(say("hindcast.fitted", degrees=name("freedom", ds.attrs["degrees_of_freedom"])))
    if assumed:
        lines.append(say("footer.grade_d", items=say("footer.parameters", names=", ".join(assumed))))
    return [*lines, say("footer.package", version=ds.attrs["version"])]
