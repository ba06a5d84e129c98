"""Tables of the hindcast: how far each run is from the record, by decade, and what each term earns."""

from __future__ import annotations

import pandas as pd
import xarray as xr

ERROR_DECIMALS, FLUX_DECIMALS = 3, 0
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
    for variable in columns.values():
        if ds[variable].attrs["units"] != "1":
            decimals = ERROR_DECIMALS if ds[variable].attrs["units"] == "m" else FLUX_DECIMALS
            frame[variable] = frame[variable].round(decimals) + 0.0  # no negative zero
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
    body = scores(ds, table).to_csv(index=False, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + body
