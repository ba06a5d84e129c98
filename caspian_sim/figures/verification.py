"""Verification: skill, coverage and calibration of past forecasts by lead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim import data
from caspian_sim.evaluate.skill import REFERENCES
from caspian_sim.evaluate.verification import COVERAGE_AIM, HEADLINE_LEADS, WITH_ERRORS
from caspian_sim.figures import style
from caspian_sim.figures.reading import require
from caspian_sim.figures.text import name, number, say

NEEDED = (
    "skill",
    "skill_low",
    "skill_high",
    "coverage",
    "coverage_low",
    "coverage_high",
    "pit_count",
    "origins",
)
SKILL_CM, COVERAGE_CM, PIT_CM = 4.4, 4.4, 2.6
TITLE_CM, GAP_CM, ROW_CM = 0.5, 0.5, 1.15
LABELS_CM = 2.3
LOWEST_SKILL, SKILL_STEP = -0.6, 0.2
"""Bars that reach below the first are cut off there and end in an arrow."""
PIT_LIMIT = 40.0
PLAIN, DRESSED = style.Mark("#1F5FA8", "o"), style.Mark("#B8560F", "s")
NARROW_BAND, WIDE_BAND = style.Mark("#B57A00", "s"), style.Mark("#4A1040", "o")
AIM = "#DDE8DD"


def verification(scores: xr.Dataset, *, width_cm: float = style.PAGE_WIDTH_CM) -> Figure:
    """Draw skill and coverage by lead with their intervals, and PIT histograms at the headline leads.

    Parameters
    ----------
    scores : xarray.Dataset
        Result of :func:`caspian_sim.evaluate.verification.score_forecasts`.
    width_cm : float, optional
        Width of the figure; in a column the panels stand below each other.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing.
    """
    require(scores, "verification", NEEDED)
    with style.drawing():
        return _draw(scores, width_cm)


def verification_table(scores: xr.Dataset) -> pd.DataFrame:
    """Numbers of :func:`verification`.

    Parameters
    ----------
    scores : xarray.Dataset
        As for :func:`verification`.

    Returns
    -------
    pandas.DataFrame
        For each lead: origins, skill against every reference and coverage of every band with the ends of
        their intervals, and the number of observations in each tenth of the forecast (``pit_1`` to
        ``pit_10``).
    """
    require(scores, "verification", NEEDED)
    columns: dict[str, Any] = {"lead_years": scores["lead"].values, "origins": scores["origins"].values}
    for what, dim in (("skill", "reference"), ("coverage", "band")):
        for label in scores[dim].values:
            tag = f"{100 * label:g}" if dim == "band" else str(label).replace(" ", "_")
            for end in ("", "_low", "_high"):
                columns[f"{what}_{tag}{end}"] = scores[f"{what}{end}"].sel({dim: label}).values
    counts = scores["pit_count"].transpose("pit_bin", "lead").values
    columns |= {f"pit_{place}": count for place, count in enumerate(counts, start=1)}
    return pd.DataFrame(columns)


def _draw(scores: xr.Dataset, width_cm: float) -> Figure:
    narrow = width_cm < style.NARROW_CM
    leads = [lead for lead in HEADLINE_LEADS if lead in scores["lead"].values]
    skills = len(REFERENCES) if narrow else 1
    histograms = -(-len(leads) // 2) if narrow else 1
    skill_height = skills * (TITLE_CM + SKILL_CM + ROW_CM)
    coverage_height = TITLE_CM + COVERAGE_CM + style.BELOW_CM
    page = style.page(
        width_cm,
        skill_height + coverage_height + histograms * (TITLE_CM + PIT_CM + style.BELOW_CM),
        say("verification.title"),
        say("verification.subtitle", first=int(scores["origin"][0]), last=int(scores["origin"][-1])),
        _footer(scores, leads),
    )
    inner = width_cm - style.LEFT_CM - 0.3
    room = inner if narrow else (inner - GAP_CM) / len(REFERENCES)
    # One scale for both, down to the lowest bar.
    least = float(np.nanmin(scores[["skill", "skill_low"]].to_array(), initial=0.0))
    lowest = max(LOWEST_SKILL, SKILL_STEP * np.floor(least / SKILL_STEP))
    for place, reference in enumerate(REFERENCES):
        left = style.LEFT_CM + (0.0 if narrow else place * (room + GAP_CM))
        top = (place if narrow else 0) * (TITLE_CM + SKILL_CM + ROW_CM) + TITLE_CM
        ax = page.axes(left, width_cm - left - room, top, SKILL_CM)
        _skill(ax, scores, reference, lowest)
        if narrow or place == 0:
            ax.set_ylabel(say("axis.skill"))
        else:
            ax.tick_params(labelleft=False)
    right = 0.3 + max(style.room_cm([], LABELS_CM), style.room_cm(_bands()) + 0.2)
    _coverage(page.axes(style.LEFT_CM, right, skill_height + TITLE_CM, COVERAGE_CM), scores)
    shares = 100 * scores["pit_count"].sel(lead=leads) / scores["origins"].sel(lead=leads)
    highest = float(np.nanmax(shares, initial=0.0)) + 2.0
    columns = -(-len(leads) // histograms)
    wide = (inner - GAP_CM * (columns - 1)) / columns
    for place, lead in enumerate(leads):
        row, column = divmod(place, columns)
        left = style.LEFT_CM + column * (wide + GAP_CM)
        top = skill_height + coverage_height + row * (TITLE_CM + PIT_CM + style.BELOW_CM) + TITLE_CM
        ax = page.axes(left, width_cm - left - wide, top, PIT_CM)
        _histogram(ax, scores.sel(lead=lead), lead, highest)
        if column:
            ax.tick_params(labelleft=False)
        else:
            ax.set_ylabel(say("axis.share"))
    return page.figure


def _skill(ax: Axes, scores: xr.Dataset, reference: str, lowest: float) -> None:
    """Skill against one reference, as a single value and with its errors around it."""
    lead = scores["lead"].values
    ax.axhline(0.0, color=style.INK, linewidth=0.8)
    for label, mark, shift, dashes, face in (
        (reference, PLAIN, -0.16, "-", PLAIN.colour),
        (reference + WITH_ERRORS, DRESSED, 0.16, (0, (3, 1.4)), "white"),
    ):
        now = scores.sel(reference=label)
        middle, low, high = (now[f"skill{end}"].values for end in ("", "_low", "_high"))
        ax.vlines(lead + shift, np.maximum(low, lowest), high, color=mark.colour, linewidth=0.8)
        cut = low < lowest
        ax.plot(lead[cut] + shift, np.full(cut.sum(), lowest + 0.02), "v", color=mark.colour, markersize=2.5)
        ax.plot(lead + shift, middle, linestyle=dashes, color=mark.colour, linewidth=0.8)
        ax.plot(lead + shift, middle, mark.marker, color=mark.colour, markerfacecolor=face, markersize=3.2)
    for row, (label, mark, face) in enumerate(
        ((reference, PLAIN, PLAIN.colour), (reference + WITH_ERRORS, DRESSED, "white"))
    ):
        y = 0.955 - 0.085 * row
        ax.plot(
            0.03,
            y,
            mark.marker,
            color=mark.colour,
            markerfacecolor=face,
            markersize=3.2,
            transform=ax.transAxes,
        )
        text = name("reference", label)
        ax.text(0.06, y, text, transform=ax.transAxes, va="center_baseline", fontsize=style.SMALL)
    ax.set(ylim=(lowest, 1.0), title=say(f"verification.skill.{reference}"))
    _leads(ax, lead)


def _coverage(ax: Axes, scores: xr.Dataset) -> None:
    lead = scores["lead"].values
    marks = (NARROW_BAND, WIDE_BAND)
    for band, mark, shift, words in zip(COVERAGE_AIM, marks, (-0.1, 0.1), _bands(), strict=True):
        low_aim, high_aim = COVERAGE_AIM[band]
        ax.axhspan(100 * low_aim, 100 * high_aim, color=AIM, linewidth=0.0, zorder=0)
        ax.axhline(100 * band, color=style.MUTED, linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=1)
        now = scores.sel(band=band)
        middle, low, high = (100 * now[f"coverage{end}"].values for end in ("", "_low", "_high"))
        ax.vlines(lead + shift, low, high, color=mark.colour, linewidth=0.8)
        ax.plot(
            lead + shift, middle, "-", marker=mark.marker, color=mark.colour, linewidth=0.8, markersize=3.2
        )
        ax.annotate(
            words,
            (1.0, 100 * band),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            linespacing=style.LINE_SPACING,
        )
    ax.set(ylim=(0.0, 102.0), ylabel=say("axis.coverage"), title=say("verification.coverage"))
    _leads(ax, lead)


def _bands() -> list[str]:
    """Names of the bands, with the coverage that they aim at."""
    return [
        say("verification.band", band=number(100 * band), low=number(100 * low), high=number(100 * high))
        for band, (low, high) in COVERAGE_AIM.items()
    ]


def _leads(ax: Axes, lead: np.ndarray[Any, Any]) -> None:
    ax.set(xlim=(lead.min() - 0.6, lead.max() + 0.6), xlabel=say("axis.lead"))
    ax.set_xticks([year for year in (1, *range(5, int(lead.max()) + 1, 5)) if year >= lead.min()])
    ax.yaxis.grid(True)
    ax.set_title(ax.get_title(), loc="left", fontsize=style.BODY, fontweight="bold", pad=4)
    ax.set_title("")


def _histogram(ax: Axes, now: xr.Dataset, lead: int, highest: float) -> None:
    """Shares of the observations in each tenth of their forecast, against an even one."""
    centre, share = now["pit_bin"].values, 100 * now["pit_count"].values / max(int(now["origins"]), 1)
    ax.bar(centre, share, 1.0 / len(centre), color="#AFC6DD", edgecolor=style.INK, linewidth=0.5)
    ax.axhline(100.0 / len(centre), color=style.INK, linewidth=0.8, linestyle=(0, (4, 1.6)))
    ax.set(xlim=(0.0, 1.0), ylim=(0.0, max(PIT_LIMIT, highest)), xlabel=say("axis.pit"))
    ax.set_xticks([0.0, 0.5, 1.0], ["0", number(0.5, 1), "1"])
    ax.set_title(
        say("verification.pit" if lead > 1 else "verification.pit.one", lead=lead),
        loc="left",
        fontsize=style.BODY,
        fontweight="bold",
        pad=4,
    )


def _footer(scores: xr.Dataset, leads: list[int]) -> list[str]:
    independent = ", ".join(
        say(
            "verification.independent",
            lead=lead,
            origins=int(scores["origins"].sel(lead=lead)),
            effective=number(float(scores["effective_origins"].sel(lead=lead))),
        )
        for lead in leads
    )
    return [
        say("verification.references", confidence=number(100 * scores.attrs["confidence"])),
        say("verification.origins", independent=independent),
        say("forecasts.sources", grade=name("grade", data.load("sea_level_annual").attrs["evidence_grade"])),
        say("footer.package", version=scores.attrs["version"]),
    ]
