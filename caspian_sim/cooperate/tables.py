"""Attribution and burden sharing as tables: means over the members, which add up, with 5 and 95 % points."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.cooperate.coalitions import OUTCOMES

Array = NDArray[np.float64]

LOW, HIGH = 0.05, 0.95
ALL = "all"


def statistics(values: Array) -> dict[str, Array]:
    """Mean, 5, 50 and 95 % points over the members, the last axis."""
    low, middle, high = np.quantile(values, (LOW, 0.5, HIGH), axis=-1)
    return {"mean": values.mean(axis=-1), "p05": low, "p50": middle, "p95": high}


def by_labels(frame: pd.DataFrame, *labels: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows of a table by the values of some columns."""
    return {tuple(row[label] for label in labels): row for row in frame.to_dict("records")}  # type: ignore[misc]


def attribution_table(ds: xr.Dataset) -> pd.DataFrame:
    """List what each state does alone and by its Shapley value, and all together.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.

    Returns
    -------
    pandas.DataFrame
        A row for each `outcome` (with its `unit`), `scenario`, `year`, `part` (alone, shapley, joint,
        interaction, pair) and `state` (``all`` for joint and interaction, two states for a pair): `mean`,
        `p05`, `p50` and `p95` over the members. A pair has the mean alone.
    """
    rows: list[dict[str, object]] = []
    for outcome, scenario, year in product(OUTCOMES, ds["scenario"].values, ds["year"].values):
        about = {
            "outcome": outcome,
            "unit": OUTCOMES[outcome][0],
            "scenario": str(scenario),
            "year": int(year),
        }
        now = ds.sel(scenario=scenario, year=year)
        for part in ("alone", "shapley"):
            for state in ds["state"].values:
                values = now[f"{outcome}_{part}"].sel(state=state).values
                rows.append({**about, "part": part, "state": str(state), **statistics(values)})
        rows += [
            {**about, "part": part, "state": ALL, **statistics(now[f"{outcome}_{part}"].values)}
            for part in ("interaction", "joint")
        ]
        for one, other in combinations(ds["state"].values, 2):
            value = float(now[f"{outcome}_pair"].sel(state=one, other=other))
            rows.append({**about, "part": "pair", "state": f"{one}-{other}", "mean": value})
    return pd.DataFrame(rows)


def burden_table(ds: xr.Dataset) -> pd.DataFrame:
    """List what falls to each state by each rule, and what it gains.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.burden_sharing`.

    Returns
    -------
    pandas.DataFrame
        A row for each `scenario`, `year`, `rule` and `state`: `grade` of the rule; `share_percent`,
        `volume_km3_per_yr`, `of_consumption_percent` and `gain_km2` with 5 and 95 % points over the members.
    """
    columns = {
        "share_percent": (ds["fraction"], 100.0),
        "volume_km3_per_yr": (ds["burden"], 1.0),
        "of_consumption_percent": (ds["of_consumption"], 100.0),
        "gain_km2": (ds["gain"].expand_dims(rule=ds["rule"]), 1.0),
    }
    dims = ("scenario", "year", "rule", "state")
    index = pd.DataFrame(list(product(*(ds[dim].values.tolist() for dim in dims))), columns=list(dims))
    index["grade"] = [str(ds["rule_grade"].sel(rule=rule).item()) for rule in index["rule"]]
    for column, (values, factor) in columns.items():
        found = statistics(factor * values.transpose(*dims, "member").values)
        for ending, key in (("", "mean"), ("_p05", "p05"), ("_p95", "p95")):
            index[f"{column}{ending}"] = found[key].ravel()
    return index
