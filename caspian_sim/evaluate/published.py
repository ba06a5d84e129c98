"""Published projections on the basis on which they are compared: change since the level of 2020.

A change that counts from another year than 2020 is moved by the observed difference between the two years, so
that it stands for the level that the sea would reach from its observed level in the base year. Where the
base year is not stated the change stays as it was published. Which number is compared, and under which
scenario, is in the dataset ``literature_basis``, with the reason.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from caspian_sim import data

BASIS_YEAR = 2020
"""Year whose observed annual mean level changes count from, when the source states its own base year."""
STATED, NOT_STATED = f"since {BASIS_YEAR}", "as published"
NO_SCENARIO = ""
# What a number stands for, by the column of projections_literature that it comes from.
MEANINGS = {"change": "centre", "range_low": "end of range", "range_high": "end of range", "level": "level"}
UP_TO, LIMIT = "up to", "limit"


def basis_level() -> float:
    """Observed annual mean level of the basis year, m BHS."""
    return _observed(BASIS_YEAR)


def published() -> pd.DataFrame:
    """Rows of the comparison, each with its source, the scenario beside which it stands, and its numbers.

    Returns
    -------
    pandas.DataFrame
        Index ``comparison``. All columns of ``projections_literature`` (its scenario as
        ``published_scenario``), and of ``literature_basis`` (its grade as ``match_grade``); ``meaning`` of
        the number that is compared (centre, limit, end of range, level; empty where nothing is compared);
        ``basis`` (since 2020, or as published); ``change``, ``low`` and ``high`` on that basis, m, NaN where
        there is none.
    """
    source = data.load("projections_literature").to_dataframe()
    source = source.rename(columns={"scenario": "published_scenario", "change": "published_change"})
    basis = data.load("literature_basis").to_dataframe().rename(columns={"grade": "match_grade"})
    rows = basis.join(source, on="key")
    numbers = rows.rename(columns={"published_change": "change"})
    rows["horizon"] = rows["horizon"].astype(int)
    rows["basis"] = [
        NOT_STATED if np.isnan(year) and np.isnan(level) else STATED
        for year, level in zip(rows["baseline_year"], rows["level"], strict=True)
    ]
    rows["meaning"] = [
        LIMIT if kind == UP_TO and target in ("range_low", "range_high") else MEANINGS.get(target, "")
        for kind, target in zip(rows["range_kind"], rows["target"], strict=True)
    ]
    shift = np.array([_shift(year) for year in rows["baseline_year"]])
    target = [numbers.at[row, name] if name in MEANINGS else np.nan for row, name in rows["target"].items()]
    as_level = (rows["target"] == "level").to_numpy()
    rows["change"] = np.where(as_level, np.array(target) - basis_level(), np.array(target) + shift)
    rows["low"] = rows["range_low"] + shift
    rows["high"] = rows["range_high"] + shift
    return rows


def short_citation(citation: str) -> str:
    """Give the authors and the year of a citation alone, the first author where there are three or more."""
    authors, bracket, year = citation.partition(" (")
    first, several, _ = authors.partition(", ")
    return (
        (f"{first} et al." if several else authors) + bracket + year.partition(")")[0] + ")" * bool(bracket)
    )


def _shift(baseline_year: float) -> float:
    """Observed level of the base year less that of the basis year, m; 0 where the year is not stated."""
    return 0.0 if np.isnan(baseline_year) else _observed(int(baseline_year)) - basis_level()


def _observed(year: int) -> float:
    return float(data.load("sea_level_annual")["level"].sel(year=year))
