"""Checklist of the hindcast: what each run has to reproduce, how closely, and whether it does.

Targets are published facts or the observed record; how close is close enough stands in the table
``hindcast_checks``. Statistics are computed here, thresholds are not in the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim import data
from caspian_sim.errors import DataError

RECORD, EVERY_RUN = "record", "all"
RECORD_SOURCE = "observed annual level"

CM_PER_M = 100.0
# The record turned in 1977 and in 1995: the lowest year is sought before the later turn, the highest after
# the earlier one.
TURNS = (1977, 1995)


def checklist(ds: xr.Dataset) -> pd.DataFrame:
    """Hold every run of the hindcast against its checks.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.hindcast`.

    Returns
    -------
    pandas.DataFrame
        For each run and check: `value` of the run, `record` (the same statistic of the observed level, empty
        where the record does not say), `target`, `tolerance`, and whether the check `passes`; `source` and
        evidence `grade` of the target, `reason` and `tolerance_grade` of the tolerance.

    Raises
    ------
    DataError
        When a run has no thresholds in the table ``hindcast_checks``.
    """
    checks = _checks()
    observed = ds["observed_level"]
    rows = []
    for run in map(str, ds["run"].values):
        if run not in {check.run for check in checks}:
            known = dict.fromkeys(check.run for check in checks if check.run != EVERY_RUN)
            raise DataError(
                f"the run {run!r} of the hindcast has no thresholds\n"
                f"    found    {run!r}\n    allowed  {', '.join(known)}\n"
                "    hint     add its rows to the table hindcast_checks"
            )
        chosen = ds.sel(run=run)
        for check in checks:
            if check.run in (run, EVERY_RUN):
                value, record = _values(check.statistic, chosen, observed)
                target, source, grade = _target(check, record)
                rows.append(
                    {
                        "run": run,
                        "check": check.check,
                        "title": check.title,
                        "unit": check.unit,
                        "value": value,
                        "record": record,
                        "target": target,
                        "tolerance": check.tolerance,
                        "passes": bool(abs(value - target) <= check.tolerance),  # a missing value fails
                        "source": source,
                        "grade": grade,
                        "reason": check.reason,
                        "tolerance_grade": check.grade,
                    }
                )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Check:
    """A row of the table ``hindcast_checks``."""

    check: str
    statistic: str
    run: str
    title: str
    target: float
    reference: str
    tolerance: float
    unit: str
    reason: str
    grade: str


def _checks() -> list[_Check]:
    table = data.load("hindcast_checks").to_dataframe()
    return [_Check(**{str(key): value for key, value in row.items()}) for row in table.to_dict("records")]


def _values(statistic: str, run: xr.Dataset, observed: xr.DataArray) -> tuple[float, float]:
    """Value of a statistic in a run and in the record, NaN where the record does not say."""
    if statistic in LEVEL_STATISTICS:
        of_level = LEVEL_STATISTICS[statistic]
        return of_level(run["sea_level"]), of_level(observed)
    return RUN_STATISTICS[statistic](run), np.nan


def _target(check: _Check, record: float) -> tuple[float, str, str]:
    """Target of a check, with its source and evidence grade; a number that is asked for has no source."""
    if check.reference == RECORD:
        return record, RECORD_SOURCE, str(data.load("sea_level_annual").attrs["evidence_grade"])
    if check.reference:
        fact = data.fact(check.reference)
        return fact.value, fact.source, fact.grade
    return check.target, "", check.grade


def _between(series: xr.DataArray, first: int, last: int) -> xr.DataArray:
    return series.sel(year=slice(first, last))


def trend(series: xr.DataArray, first: int, last: int) -> float:
    """Slope of the annual values from `first` to `last` by least squares, cm/yr for metres."""
    part = _between(series, first, last)
    return CM_PER_M * float(np.polynomial.Polynomial.fit(part["year"], part.values, 1).convert().coef[1])


def _mean(series: xr.DataArray, first: int, last: int) -> float:
    return float(_between(series, first, last).mean())


def _rise(series: xr.DataArray, first: int, last: int) -> float:
    return float(series.sel(year=last) - series.sel(year=first)) / (last - first)


def _lowest(level: xr.DataArray) -> xr.DataArray:
    until = level.sel(year=slice(None, TURNS[1]))
    return until[int(until.values.argmin())]


def _highest(level: xr.DataArray) -> xr.DataArray:
    since = level.sel(year=slice(TURNS[0], None))
    return since[int(since.values.argmax())]


# The published rates are changes over a period: least squares on annual or monthly levels of 1996-2015 gives
# -4.3 cm/yr, the change from the first year to the last -6.3, and published is -6.7.
LEVEL_STATISTICS: dict[str, Callable[[xr.DataArray], float]] = {
    "rate_1979_1995": lambda level: CM_PER_M * _rise(level, 1979, 1995),
    "rate_1996_2015": lambda level: CM_PER_M * _rise(level, 1996, 2015),
    "lowest_year": lambda level: float(_lowest(level)["year"]),
    "lowest_level": lambda level: float(_lowest(level)),
    "highest_year": lambda level: float(_highest(level)["year"]),
    "highest_level": lambda level: float(_highest(level)),
    "fall_since_2020": lambda level: float(level.sel(year=2020) - level[-1]),
}
"""Statistics of an annual level, of a run or of the record."""

RUN_STATISTICS: dict[str, Callable[[xr.Dataset], float]] = {
    "rmse": lambda run: float(run["rmse"]),
    "bias": lambda run: float(run["bias"]),
    "worst_error": lambda run: float(run["worst_error"]),
    "outflow_1972": lambda run: _mean(run["strait_outflow"], 1970, 1974),
    "bay_area_1972": lambda run: _mean(run["bay_area"], 1970, 1974),
    "bay_below_sea_1972": lambda run: _mean(run["sea_level"] - run["bay_level"], 1970, 1974),
    "bay_dry": lambda run: float(run["bay_dry"]),
    # From year end to year end: the first full year to the last one before the bay was full.
    "bay_fill_rate": lambda run: _rise(run["bay_level"], 1992, 1995),
    "outflow_when_full": lambda run: _mean(run["strait_outflow"], 1997, 2005),
    "outflow_after_1992": lambda run: _mean(run["strait_outflow"], 1993, 2010),
    "bay_trend": lambda run: trend(run["bay_level"], 1996, 2007),
    "closure": lambda run: float(np.abs(run["budget_residual"]).max()),
}
"""Statistics of a run that the observed level says nothing about."""
