"""Change: what makes the water balance of one period differ from that of an earlier one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caspian_sim.errors import DataError
from caspian_sim.figures import style
from caspian_sim.figures.budget import NEEDED as FLUXES
from caspian_sim.figures.reading import (
    HIGH,
    LOW,
    choose,
    middle_scenario,
    require,
    require_members,
    run_footer,
    yearly,
)
from caspian_sim.figures.text import name, number, say

Period = tuple[int, int]

NEEDED = (*FLUXES, "sea_area")
LENGTH_YEARS = 20
"""Length of the first and of the last period of a run, where they do not overlap."""
TERMS = (
    "inflow",
    "evaporation_rate",
    "precipitation_rate",
    "smaller_sea",
    "strait",
    "consumption",
    "measures",
    "groundwater",
)
"""What the change is made of, from the top down."""
COLOURS = {
    "evaporation_rate": "evaporation",
    "precipitation_rate": "precipitation",
    "smaller_sea": "net_evaporation",
}
"""Terms of the budget whose colour a part of the change has, where it is not its own."""
BEFORE, AFTER = "before", "after"
ROW_CM, NAMES_CM = 0.62, 4.4


def change(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    periods: tuple[Period, Period] | None = None,
    width_cm: float = style.PAGE_WIDTH_CM,
) -> Figure:
    """Draw step by step what leads from the net balance of one period to that of another.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    scenario, programme : str, optional
        SSP2-4.5 or else the first scenario, and the first programme of the run, when not given.
    periods : pair of (first year, last year), optional
        The first and the last twenty years of the run when not given, or its halves when it is shorter.
    width_cm : float, optional
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a variable is missing, or the dataset has no such scenario, programme or years.
    """
    table = change_table(ds, scenario=scenario, programme=programme, periods=periods)
    labels = middle_scenario(ds, scenario), _programme(ds, programme)
    with style.drawing():
        return _draw(ds, table, labels, _periods(ds, periods), width_cm)


def change_table(
    ds: xr.Dataset,
    *,
    scenario: str | None = None,
    programme: str | None = None,
    periods: tuple[Period, Period] | None = None,
) -> pd.DataFrame:
    r"""Numbers of :func:`change`.

    Evaporation and precipitation over the sea are depth times area. With :math:`e` and :math:`A` their means
    over a period, :math:`\Delta(eA) = \bar A\,\Delta e + \bar e\,\Delta A`, where a bar is the mean of the
    two periods: the first term is due to the climate, the second to the size of the sea. They add up exactly.

    Parameters
    ----------
    ds, scenario, programme, periods
        As for :func:`change`.

    Returns
    -------
    pandas.DataFrame
        `term`: the net balance `before` and `after`, and between them what the difference is made of; `mean`
        over the members, with 5 and 95 % points of the same difference in each member, km³/yr.
    """
    if "sea_level_quantile" in ds:
        require_members(ds, "figure 'change'")
    require(ds, "change", NEEDED)
    chosen = ds.sel(scenario=middle_scenario(ds, scenario), programme=_programme(ds, programme))
    first, second = (_means(chosen, period) for period in _periods(ds, periods))
    parts = _parts(first, second)
    values = {BEFORE: _net(first), **{term: parts[term] for term in TERMS}, AFTER: _net(second)}
    rows = [
        (term, float(value.mean()), *(float(value.quantile(p)) for p in (LOW, HIGH)))
        for term, value in values.items()
    ]
    columns = ["term", "mean_km3_per_yr", "p05_km3_per_yr", "p95_km3_per_yr"]
    return pd.DataFrame(rows, columns=columns)


def _programme(ds: xr.Dataset, programme: str | None) -> str:
    return choose(ds, "programme", str(ds["programme"].values[0]) if programme is None else programme)


def _periods(ds: xr.Dataset, periods: tuple[Period, Period] | None) -> tuple[Period, Period]:
    years = np.unique(ds["time"].dt.year.values)
    start, end = int(years[0]), int(years[-1])
    if periods is None:
        if end == start:
            raise DataError(
                f"figure 'change' cannot be drawn: the run has one year\n    found    {start}\n"
                "    needed   two years at least"
            )
        length = min(LENGTH_YEARS, (end - start + 1) // 2)
        return (start, start + length - 1), (end - length + 1, end)
    for first, last in periods:
        if not start <= first <= last <= end:
            raise DataError(
                f"the run has no period {first}–{last}\n    found    {first}–{last}\n"
                f"    allowed  years from {start} to {end}, the first before the last"
            )
    return periods


def _means(ds: xr.Dataset, period: Period) -> xr.Dataset:
    """Mean fluxes of a period, km³/yr, and mean area of the sea, km², by member."""
    terms = {
        "inflow": ds["river_inflow"].sum("river"),
        "precipitation": ds["precipitation"],
        "groundwater": ds["groundwater"],
        "measures": ds["measure_effect"].sum("measure"),
        "evaporation": ds["evaporation"],
        "strait": ds["strait_outflow"],
        "consumption": ds["consumption_change"].sum("state"),
        "area": ds["sea_area"],
    }
    means = {
        term: yearly(value.drop_attrs(), ds["time_bnds"]).sel(year=slice(*period)).mean("year")
        for term, value in terms.items()
    }
    return xr.Dataset(means).broadcast_like(means["evaporation"])


def _net(means: xr.Dataset) -> xr.DataArray:
    gains = means["inflow"] + means["precipitation"] + means["groundwater"] + means["measures"]
    return gains - means["evaporation"] - means["strait"] - means["consumption"]


def _parts(first: xr.Dataset, second: xr.Dataset) -> dict[str, xr.DataArray]:
    """Parts of the change of the net balance by member, km³/yr, positive when they raise it."""
    area = 0.5 * (first["area"] + second["area"])
    growth = second["area"] - first["area"]

    def depth(term: str, means: xr.Dataset) -> xr.DataArray:
        return means[term] / means["area"]

    def rate(term: str) -> xr.DataArray:
        return area * (depth(term, second) - depth(term, first))

    loss = [depth("evaporation", means) - depth("precipitation", means) for means in (first, second)]
    parts = {
        "evaporation_rate": -rate("evaporation"),
        "precipitation_rate": rate("precipitation"),
        "smaller_sea": -growth * 0.5 * (loss[0] + loss[1]),
    }
    for term, sign in (
        ("inflow", 1.0),
        ("groundwater", 1.0),
        ("measures", 1.0),
        ("strait", -1.0),
        ("consumption", -1.0),
    ):
        parts[term] = sign * (second[term] - first[term])
    return parts


def _draw(
    ds: xr.Dataset,
    table: pd.DataFrame,
    labels: tuple[str, str],
    periods: tuple[Period, Period],
    width_cm: float,
) -> Figure:
    values = table[["mean_km3_per_yr", "p05_km3_per_yr", "p95_km3_per_yr"]].abs().max(axis=1)
    # What no member has is not worth a row.
    rows = table[(values > 0.0) | table["term"].isin([BEFORE, AFTER])].to_dict("records")
    spans = [f"{first}–{last}" for first, last in periods]
    names = [_name(str(row["term"]), spans) for row in rows]
    texts = [_words(row) for row in rows]
    scenario, programme = labels
    single = ds.sizes["member"] == 1
    row_cm = ROW_CM * style.taller()
    page = style.page(
        width_cm,
        row_cm * len(rows) + style.BELOW_CM,
        say("change.title"),
        say(
            "change.subtitle.single" if single else "change.subtitle",
            scenario=name("scenario", scenario),
            programme=name("programme", programme),
            members=ds.sizes["member"],
            before=spans[0],
            after=spans[1],
        ),
        [say("change.method"), say("change.sources"), *run_footer(ds, [programme])],
    )
    narrow = page.narrow
    left = style.room_cm(names, 0.0 if narrow else NAMES_CM - 0.35) + 0.35
    right = style.room_cm(texts, bold=True) + 0.35
    ax = page.axes(left, right, 0.0, row_cm * len(rows))
    _steps(ax, rows)
    ax.set_yticks(range(len(rows)), names)
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if row["term"] in (BEFORE, AFTER) else "normal")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(say("change.axis"))
    for y, text in enumerate(texts):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=style.SMALL,
            fontweight="bold" if rows[y]["term"] in (BEFORE, AFTER) else "normal",
        )
    return page.figure


def _name(term: str, spans: list[str]) -> str:
    if term in (BEFORE, AFTER):
        return say("change.net", period=spans[term == AFTER])
    return say(f"change.{term}")


def _words(row: dict[object, object]) -> str:
    mean, low, high = (float(str(row[f"{end}_km3_per_yr"])) for end in ("mean", "p05", "p95"))
    text = number(mean, 1, sign=row["term"] not in (BEFORE, AFTER))
    return text if low == high else say("projection.range", median=text, low=number(low), high=number(high))


def _steps(ax: Axes, rows: list[dict[object, object]]) -> None:
    """Draw a bar for each part from where the one above it ends, its range at its end."""
    at = 0.0
    for y, row in enumerate(rows):
        term = str(row["term"])
        mean, low, high = (float(str(row[f"{end}_km3_per_yr"])) for end in ("mean", "p05", "p95"))
        whole = term in (BEFORE, AFTER)
        begin = 0.0 if whole else at
        mark = style.Mark(style.MUTED) if whole else style.BUDGET_TERMS[COLOURS.get(term, term)]
        ax.barh(
            y,
            mean,
            left=begin,
            height=0.62,
            facecolor=mark.colour,
            edgecolor="white",
            hatch=mark.hatch,
            linewidth=0.4,
            zorder=2,
        )
        at = begin + mean
        ax.plot([begin + low, begin + high], [y, y], color=style.INK, linewidth=0.9, zorder=3)
        if y + 1 < len(rows):
            ax.plot([at, at], [y - 0.31, y + 1.31], color=style.MUTED, linewidth=0.5, zorder=1)
    ax.axvline(0.0, color=style.INK, linewidth=0.7, zorder=1)
    ax.xaxis.grid(True)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.margins(x=0.04)
