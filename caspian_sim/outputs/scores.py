"""Tables of the hindcast: how far each run is from the record, by decade, by term, and its checks."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from caspian_sim.evaluate.checklist import checklist

ERROR_DECIMALS, FLUX_DECIMALS = 3, 0
# Enough for a level in millimetres and a year in days.
CHECK_DIGITS = "%.7g"
# Name of the table: column with its unit, and the variable that it shows.
TABLES = {
    "scores": {
        "rmse_m": "rmse",
        "bias_m": "bias",
        "worst_error_m": "worst_error",
        "worst_year": "worst_year",
    },
    "decades": {"mean_error_m": "decade_error", "rmse_m": "decade_rmse"},
    "terms": {"rmse_m": "term_rmse", "mean_net_evaporation_mm_per_yr": "term_net_evaporation"},
}


def scores(ds: xr.Dataset, table: str) -> pd.DataFrame:
    """One table of the hindcast.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.hindcast`.
    table : {"scores", "decades", "terms"}
        Scores by run; mean error and root mean square error by run and decade; root mean square error with
        each term and those before it.

    Returns
    -------
    pandas.DataFrame
        Errors are model less observation, m.
    """
    columns = TABLES[table]
    frame = ds[list(columns.values())].to_dataframe()[list(columns.values())].reset_index()
    return frame.rename(columns={variable: column for column, variable in columns.items()})


def scores_csv(ds: xr.Dataset, table: str) -> str:
    """Write a table of the hindcast as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    header = [
        ds.attrs["title"],
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        "errors of the annual mean level, model less observation; datum: Baltic Height System (BHS)",
        "the runs are fitted to the levels that they are compared with",
        *(f"{column}: {ds[variable].attrs['long_name']}" for column, variable in TABLES[table].items()),
    ]
    frame = scores(ds, table)
    for column, variable in TABLES[table].items():
        if ds[variable].attrs["units"] != "1":
            decimals = ERROR_DECIMALS if ds[variable].attrs["units"] == "m" else FLUX_DECIMALS
            frame[column] = frame[column].round(decimals) + 0.0  # no negative zero
    body = frame.to_csv(index=False, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + body


def checks_csv(ds: xr.Dataset) -> str:
    """Write the checklist of the hindcast as CSV text under a header of ``#`` lines.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.hindcast`.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    table = checklist(ds)
    table["passes"] = table["passes"].map({True: "pass", False: "fail"})
    header = [
        f"{ds.attrs['title']}: checklist",
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        "a check passes when value and target differ by no more than the tolerance",
        "record: the same statistic of the observed level, empty where the record does not say",
        "source, grade: evidence of the target; reason, tolerance_grade: of the tolerance; D is a choice",
    ]
    body = table.to_csv(index=False, float_format=CHECK_DIGITS, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + body
