"""The comparison with the literature as a dataset, and as tables: side by side, taken apart, shared out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.config import Config
from caspian_sim.evaluate.attribution import alone, shares_over_orders
from caspian_sim.evaluate.central import Area
from caspian_sim.evaluate.published import BASIS_YEAR, NO_SCENARIO, basis_level

Array = NDArray[np.float64]

AREAS: tuple[Area, ...] = ("dynamic", "constant")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MEDIAN = 0.5
PARTS = ("ensemble", "area", "rest")
FACTORS = ("area", "evaporation", "runoff")
COMPARED_YEARS = (2050, 2100)
"""Years in which the gap to the typical high configuration is shared out."""
EVAPORATION, VOLGA = "evaporation_sensitivity", "volga_sensitivity"
NEEDED_UNITS = {EVAPORATION: "mm_per_yr_per_k", VOLGA: "percent_per_k"}
"""How the unit of a sensitivity stands in the name of a column."""
PER_CENT = 100
SOURCE = ("citation", "doi_or_url", "models", "published_scenario", "horizon", "human_withdrawal", "grade")
# What is known of a published projection, and what it means.
WORDS = {
    "citation": "citation",
    "doi_or_url": "DOI or address",
    "models": "climate models",
    "published_scenario": "scenario as published",
    "range_kind": "what the published range means",
    "human_withdrawal": "whether withdrawal by people is included",
    "grade": "evidence grade of the publication",
    "meaning": "what the number that is compared stands for",
    "basis": "what the published change counts from",
    "beside": "scenario beside which it is set",
    "match": "why this scenario",
    "match_grade": "evidence grade of the match",
    "reason": "reason for the match",
}


def comparison_dataset(
    config: Config,
    rows: pd.DataFrame,
    level: xr.DataArray,
    corners: Array,
    needed: Mapping[Area, Sequence[Mapping[str, pd.Series[float]]]],
    horizons: Sequence[int],
) -> xr.Dataset:
    """Put the comparison together.

    Parameters
    ----------
    config : Config
        Of the ensemble.
    rows : pandas.DataFrame
        From :func:`caspian_sim.evaluate.published.published`.
    level : xarray.DataArray
        Quantiles of the annual mean level of the ensemble by area, scenario, year and quantile, m BHS.
    corners : ndarray, shape (area, evaporation, runoff, scenario, year)
        Level of central runs with our own (0) or high (1) sensitivities, m BHS.
    needed : mapping of area to sequence of mapping of name to Series
        Sensitivity that each comparison needs, in parts.
    horizons : sequence of int
        Years of `level` and `corners`.

    Returns
    -------
    xarray.Dataset
        As for :func:`caspian_sim.literature`.
    """
    scenarios = list(config.climate.scenarios)
    change = corners - basis_level()
    own = (level - basis_level()).transpose("area", "scenario", "year", "quantile").values
    shape = (len(rows), len(AREAS))
    own_change, central = np.full((*shape, len(QUANTILES)), np.nan), np.full(shape, np.nan)
    for i, (scenario, horizon) in enumerate(zip(rows["scenario"], rows["horizon"], strict=True)):
        if scenario != NO_SCENARIO:
            place = scenarios.index(scenario), horizons.index(horizon)
            own_change[i] = own[:, place[0], place[1]]
            central[i] = change[:, 0, 0, place[0], place[1]]
    target = rows["change"].to_numpy()
    median = own_change[:, 0, QUANTILES.index(MEDIAN)]
    parts = np.stack([central[:, 0] - median, central[:, 1] - central[:, 0], target - central[:, 1]], axis=1)

    def sought(name: str) -> Array:
        columns = [pd.concat([part[name] for part in needed[area]]).reindex(rows.index) for area in AREAS]
        return np.stack([column.to_numpy(dtype=float) for column in columns], axis=1)

    compared = [horizons.index(year) for year in COMPARED_YEARS]
    shared = change[..., compared]
    metres = {"units": "m"}
    by_row, by_year = ("comparison",), ("scenario", "year")
    since = f"change of the annual mean level since {BASIS_YEAR}"
    variables: dict[str, tuple[tuple[str, ...], Any, dict[str, str]]] = {
        "change": (
            by_row,
            target,
            {**metres, "long_name": f"published {since}, where the base year is stated"},
        ),
        "low": (by_row, rows["low"].to_numpy(), {**metres, "long_name": "lower end of the published range"}),
        "high": (
            by_row,
            rows["high"].to_numpy(),
            {**metres, "long_name": "upper end of the published range"},
        ),
        "own_change": ((*by_row, "area", "quantile"), own_change, {**metres, "long_name": f"own {since}"}),
        "gap": (by_row, target - median, {**metres, "long_name": "published change less own median"}),
        "part": ((*by_row, "parts"), parts, {**metres, "long_name": "part of the gap"}),
        "needed_evaporation_sensitivity": (
            (*by_row, "area"),
            sought(EVAPORATION),
            {"units": "mm year-1 K-1", "long_name": "rise of evaporation that gives the published change"},
        ),
        "needed_volga_sensitivity": (
            (*by_row, "area"),
            sought(VOLGA),
            {"units": "% K-1", "long_name": "change of the Volga that gives the published change"},
        ),
        "level": (
            ("area", "scenario", "horizon_year", "quantile"),
            level.transpose("area", "scenario", "year", "quantile").values,
            {**metres, "long_name": "annual mean level", "datum": "Baltic Height System (BHS)"},
        ),
        "median_change": (
            by_year,
            own[0][:, compared, QUANTILES.index(MEDIAN)],
            {**metres, "long_name": f"median {since}, dynamic area"},
        ),
        "central_change": (by_year, shared[0, 0, 0], {**metres, "long_name": f"{since} of the central run"}),
        "high_change": (
            by_year,
            shared[1, 1, 1],
            {**metres, "long_name": f"{since} of the typical high configuration"},
        ),
        "share": (
            ("factor", *by_year),
            shares_over_orders(shared, len(FACTORS)),
            {**metres, "long_name": "share in the gap between the two, averaged over all orders"},
        ),
        "alone": (
            ("factor", *by_year),
            alone(shared, len(FACTORS)),
            {**metres, "long_name": "effect when nothing else is changed"},
        ),
    }
    return xr.Dataset(
        variables,
        coords={**_coordinates(rows), "scenario": scenarios, "horizon_year": list(horizons)}
        | {
            "area": list(AREAS),
            "quantile": list(QUANTILES),
            "parts": list(PARTS),
            "factor": list(FACTORS),
            "year": list(COMPARED_YEARS),
        },
        attrs=results.provenance(config),
    )


def _coordinates(rows: pd.DataFrame) -> dict[str, Any]:
    """Give what is known of each published row, as coordinates of `comparison`."""
    named = rows.rename(columns={"scenario": "beside"})
    found: dict[str, Any] = {"comparison": rows.index.to_numpy(dtype=object)}
    for name, meaning in WORDS.items():
        found[name] = ("comparison", named[name].to_numpy(dtype=object), {"long_name": meaning})
    numbers = {
        "horizon": ("1", "year that the projection is for"),
        "baseline_year": ("1", "year that the published change counts from"),
        "published_change": ("m", "change as published"),
        "published_low": ("m", "lower end of the range as published"),
        "published_high": ("m", "upper end of the range as published"),
        "published_level": ("m", "level as published"),
    }
    renamed = {"level": "published_level", "range_low": "published_low", "range_high": "published_high"}
    named = named.rename(columns=renamed)
    for name, (units, meaning) in numbers.items():
        found[name] = ("comparison", named[name].to_numpy(), {"units": units, "long_name": meaning})
    return found


def comparison_table(ds: xr.Dataset) -> pd.DataFrame:
    """Every published projection with ours beside it.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Returns
    -------
    pandas.DataFrame
        A row for each comparison: the publication and its numbers, as published and since 2020; the scenario
        beside which it stands, and why; quantiles of our change since 2020 with dynamic and with constant
        area. All numbers in m; empty where there is none.
    """
    frame = _known(ds, (*SOURCE, "baseline_year", "published_change", "published_level", "published_low"))
    frame = frame.join(_known(ds, ("published_high", "range_kind", "basis", "meaning")))
    for name in ("change", "low", "high"):
        frame[f"{name}_on_basis"] = ds[name].values
    frame = frame.join(_known(ds, ("beside", "match", "match_grade", "reason")))
    own = ds["own_change"].transpose("comparison", "area", "quantile").values
    for a, area in enumerate(AREAS):
        for q, quantile in enumerate(QUANTILES):
            frame[f"own_{area}_p{round(PER_CENT * quantile):02d}"] = own[:, a, q]
    numbers = frame.select_dtypes("float").columns.drop("baseline_year")
    frame = frame.rename(columns={name: f"{name}_m" for name in numbers})
    frame = frame.rename(columns={"published_level_m": "published_level_m_bhs", "beside": "scenario"})
    frame["baseline_year"] = frame["baseline_year"].astype("Int64")
    return frame.reset_index()


def decomposition_table(ds: xr.Dataset) -> pd.DataFrame:
    """Take the gap between every published projection and our median apart.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Returns
    -------
    pandas.DataFrame
        A row for each comparison with a number: the published change and our median, m; the gap and its
        parts, which add up, m; and what a central run needs to reach the published change, with dynamic and
        with constant area: evaporation in mm/yr/K with the Volga as it is, or the Volga in %/K with
        evaporation as it is. Empty where nothing within the limits of the parameter does.
    """
    ds = ds.isel(comparison=ds["gap"].notnull().values)
    frame = _known(ds, ("citation", "published_scenario", "horizon", "beside", "meaning", "human_withdrawal"))
    frame["change_m"] = ds["change"].values
    frame["own_median_m"] = ds["own_change"].sel(area="dynamic", quantile=0.5).values
    frame["gap_m"] = ds["gap"].values
    for part in PARTS:
        frame[f"{part}_m"] = ds["part"].sel(parts=part).values
    for name, unit in NEEDED_UNITS.items():
        for area in AREAS:
            frame[f"needed_{name}_{area}_{unit}"] = ds[f"needed_{name}"].sel(area=area).values
    return frame.rename(columns={"beside": "scenario"}).reset_index()


def attribution_table(ds: xr.Dataset) -> pd.DataFrame:
    """Share the gap between our median and the typical high configuration out.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Returns
    -------
    pandas.DataFrame
        For each `scenario` and `year`: our median and the typical high configuration, change since 2020, m;
        `ensemble_m`, central run less median; the shares of `area`, `evaporation` and `runoff`, m, which add
        up with it to the gap; and what each does `alone`.
    """
    rows = []
    for year in ds["year"].values:
        for scenario in ds["scenario"].values:
            now = ds.sel(scenario=scenario, year=year)
            median, central = float(now["median_change"]), float(now["central_change"])
            rows.append(
                {
                    "scenario": str(scenario),
                    "year": int(year),
                    "median_m": median,
                    "ensemble_m": central - median,
                    **{f"{factor}_m": float(now["share"].sel(factor=factor)) for factor in FACTORS},
                    "high_m": float(now["high_change"]),
                    **{f"{factor}_alone_m": float(now["alone"].sel(factor=factor)) for factor in FACTORS},
                }
            )
    return pd.DataFrame(rows)


def _known(ds: xr.Dataset, names: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(ds["comparison"].values.astype(str), name="comparison")
    return pd.DataFrame({name: ds[name].values for name in names}, index=index)
