"""Writes the verification of forecasts: the forecasts themselves, their scores, figures and log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from caspian_sim import data, figures
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.forecast import FIRST_ORIGIN, SEED, issue_forecasts
from caspian_sim.evaluate.verification import score_forecasts, with_record
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

DATASET, TABLES = "forecasts.nc", ("scores", "decades")
PICTURES = ("forecasts", "verification")
# A millimetre; shares to a tenth of a per cent.
DECIMALS = 3


def origin_years(text: str) -> range:
    """Read a span of origin years such as ``1966:2015``, both inclusive.

    Raises
    ------
    OutOfRangeError
        When it is no such span, or a year has too short a record before it or no observed year after it.
    """
    last_allowed = int(data.load("sea_level_annual")["year"][-1]) - 1
    found = re.fullmatch(r"(\d{4}):(\d{4})", text.strip())
    years = range(int(found[1]), int(found[2]) + 1) if found else range(0)
    if not years or years[0] < FIRST_ORIGIN or years[-1] > last_allowed:
        raise OutOfRangeError(
            "the origins are no span of years with a record before and after them\n"
            f"    found    {text}\n"
            f"    allowed  FIRST:LAST within {FIRST_ORIGIN}:{last_allowed}\n"
            "    hint     1966:2015"
        )
    return years


def write_verification(
    origins: range,
    members: int,
    directory: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Issue forecasts from past origins, score them and write a folder, whole or not at all.

    Parameters
    ----------
    origins : range
        Origin years, see :func:`origin_years`.
    members : int
        Members of each forecast.
    directory : Path
    overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written
        With the forecasts as its dataset.

    Raises
    ------
    OutputError
        Before the forecasts, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    pictures = [f"{FIGURES}/{name}.{ending}" for name in PICTURES for ending in (*IMAGES, "csv")]
    names = (DATASET, *(f"{table}.csv" for table in TABLES), LOG, *pictures)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("forecasting", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("origins %d to %d, %d members, seed %d", origins[0], origins[-1], members, SEED)
        with timed("forecasts"):
            issued = issue_forecasts(origins, members=members, seed=SEED, progress=report)
        forecasts = with_record(issued)
        save(forecasts, stage / DATASET)
        with timed("scores"):
            scores = score_forecasts(forecasts)
        for table in TABLES:
            write_text(stage / f"{table}.csv", verification_csv(scores, table))
        with timed("figures"):
            for name, figure, numbers in (
                ("forecasts", figures.forecasts(forecasts), figures.forecasts_table(forecasts)),
                ("verification", figures.verification(scores), figures.verification_table(scores)),
            ):
                figures.save_figure(figure, numbers, stage / FIGURES, name, IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(forecasts, directory, names, tuple(log.warnings), seconds)


def verification_scores(scores: xr.Dataset, table: str) -> pd.DataFrame:
    """One table of the verification.

    Parameters
    ----------
    scores : xarray.Dataset
        Result of :func:`caspian_sim.evaluate.verification.score_forecasts`.
    table : {"scores", "decades"}
        One row for each lead, or for each decade of origin and lead.

    Returns
    -------
    pandas.DataFrame
        Units in the names of the columns; shares without a unit.
    """
    if table == "decades":
        columns = {
            column: scores[f"decade_{name}"]
            for column, name in (("origins", "origins"), ("crps_m", "crps"), ("bias_m", "bias"))
        }
        columns |= {
            f"coverage_{100 * band:g}": scores["decade_coverage"].sel(band=band, drop=True)
            for band in scores["band"].values
        }
        columns |= {
            f"skill_{str(label).replace(' ', '_')}": scores["decade_skill"].sel(reference=label, drop=True)
            for label in scores["reference"].values
        }
        frame = xr.Dataset(columns).to_dataframe(dim_order=["decade", "lead"]).reset_index()
        return _rounded(frame.rename(columns={"lead": "lead_years"}))
    frame = figures.verification_table(scores)
    after_origins = 2
    for place, (column, name) in enumerate(
        (
            ("effective_origins", "effective_origins"),
            ("crps_m", "mean_crps"),
            ("bias_m", "bias"),
            ("mae_m", "mae"),
        )
    ):
        frame.insert(after_origins + place, column, scores[name].values)
    for band in scores["band"].values:
        frame[f"width_{100 * band:g}_m"] = scores["width"].sel(band=band).values
    return _rounded(frame)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = frame.select_dtypes("float").columns
    frame[numbers] = frame[numbers].round(DECIMALS) + 0.0  # no negative zero
    return frame


def verification_csv(scores: xr.Dataset, table: str) -> str:
    """Write a table of the verification as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    attrs = scores.attrs
    body = verification_scores(scores, table)
    bands = ", ".join(f"_{100 * band:g}" for band in scores["band"].values)
    header = [
        f"{attrs['title']}: scores by {'decade of origin and lead' if table == 'decades' else 'lead'}",
        f"caspian_sim {attrs['version']}, git {attrs['git_revision']}, made {attrs['created']}",
        "crps_m: fair continuous ranked probability score; bias_m: mean of the ensemble less observation",
        "skill: share of the mean score of the reference that the forecast takes away; persistence: last "
        f"annual mean; trend: {attrs['reference_trend']}; with_errors: with its past errors known by then",
        f"coverage: share of observations inside the central band; {bands}: its probability, %",
    ]
    if table == "scores":
        header += [
            "mae_m: mean absolute error of the median; width: mean width of the central band",
            "pit: observations in each tenth of their forecast, from the lowest to the highest",
            f"_low, _high: {100 * attrs['confidence']:g} % confidence interval, {attrs['intervals']}; "
            "empty where there are fewer than two blocks",
            "effective_origins: years that the forecasts span together, over the lead",
        ]
    return "".join(f"# {line}\n" for line in header) + body.to_csv(index=False, lineterminator="\n")
