"""Writes what a calibration finds: posterior, chains, tables, figures and log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim import figures
from caspian_sim.evaluate.convergence import LEAST_SIZE, MOST_R_HAT, SIZES, diagnose, warnings_of
from caspian_sim.evaluate.ensembles import Settings, calibrate
from caspian_sim.evaluate.posterior_tables import (
    PASSES_WITHIN,
    bay_table,
    posterior_rows,
    posterior_table,
)
from caspian_sim.evaluate.warming_record import record_alone, warming_table
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Progress, Written
from caspian_sim.record.posterior import MOVED, PRIOR_SPEAKS, RECORD_SPEAKS
from caspian_sim.results import save

POSTERIOR, CHAINS = "posterior.nc", "chains.nc"
TABLES = ("posterior.csv", "diagnostics.csv", "bay_checks.csv", "sensitivity.csv")
DRAWN = ("posterior", "traces", "pairs")
DIGITS = "%.5g"
MEANING = {
    "r_hat": "rank-normalised split R-hat of the ensembles",
    "ess_bulk": "effective number of draws, bulk",
    "ess_tail": "effective number of draws, tails",
    "ess_coupled": "effective number of draws, walkers that move together allowed for",
}
ALONE_ENSEMBLES = 2
"""Ensembles for what the record alone says of one parameter; the question is not a close one."""
ALONE_SIZE = 400
"""Effective draws that suffice for it."""


def write_calibration(
    directory: Path,
    settings: Settings,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Calibrate the parameters on the shipped record and write a folder, whole or not at all.

    Parameters
    ----------
    directory : Path
    settings : Settings
    workers : int
        Processes at work at the same time; no number depends on it.
    overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written
        Its dataset is the posterior.

    Raises
    ------
    CaspianError, OutOfRangeError
        As for :func:`caspian_sim.calibrate`.
    OutputError
        Before the sampling, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    pictures = [f"{FIGURES}/{name}.{ending}" for name in DRAWN for ending in (*IMAGES, "csv")]
    names = (POSTERIOR, CHAINS, *TABLES, LOG, *pictures)

    def report(stage: str) -> Callable[[int, int], None] | None:
        if progress is None:
            return None
        return lambda done, total: progress(stage, done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("settings: %s", settings)
        with timed("sampling"):
            chains = calibrate(settings=settings, workers=workers, progress=report("sampling"))
        with timed("sampling with a flat prior of the warming sensitivity"):
            alone = record_alone(
                settings=replace(settings, ensembles=ALONE_ENSEMBLES),
                workers=workers,
                progress=report("record alone"),
            )
        diagnosis = diagnose(chains)
        for text in warnings_of(diagnosis):
            LOGGER.warning(text)
        for text in warnings_of(diagnose(alone), ALONE_SIZE):
            LOGGER.warning("with a flat prior of the warming sensitivity, %s", text)
        warming = warming_table(chains, alone)
        posterior = with_findings(posterior_rows(chains), chains, diagnosis, warming)
        LOGGER.info("diagnostics: %s", posterior.attrs["diagnostics"])
        save(posterior, stage / POSTERIOR)
        save(compact(chains), stage / CHAINS)
        found = (posterior_table(chains), diagnosis, bay_table(chains), warming)
        for name, table in zip(TABLES, found, strict=True):
            write_text(stage / name, table_csv(name, table, posterior))
        for name in DRAWN:
            with timed(f"figure {name}"):
                drawn, numbers = figures.CALIBRATION[name]
                figures.save_figure(drawn(chains), numbers(chains), stage / FIGURES, name, IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(posterior, directory, names, tuple(log.warnings), seconds)


def with_findings(
    posterior: xr.Dataset, chains: xr.Dataset, diagnosis: pd.DataFrame, warming: pd.DataFrame
) -> xr.Dataset:
    """Add to a posterior what is known of it, so that the file says how good it is wherever it goes.

    Parameters
    ----------
    posterior, chains : xarray.Dataset
    diagnosis, warming : pandas.DataFrame
        Of :func:`caspian_sim.evaluate.convergence.diagnose` and
        :func:`caspian_sim.evaluate.warming_record.warming_table`.

    Returns
    -------
    xarray.Dataset
        With the columns of the diagnosis as variables over `parameter`, their worst values as the attribute
        ``diagnostics`` and the warming sensitivities as ``warming_sensitivity`` (both JSON).
    """
    made = posterior.copy()
    for column in ("r_hat", *SIZES):
        made[column] = (
            "parameter",
            diagnosis[column].to_numpy(),
            {"units": "1", "long_name": MEANING[column]},
        )
    worst = {
        "largest_r_hat": round(float(diagnosis["r_hat"].max()), 4),
        **{f"smallest_{size}": int(diagnosis[size].min()) for size in SIZES},
        "longest_autocorrelation_time": round(float(chains["autocorrelation_time"].max()), 1),
        "acceptance": [round(float(share), 3) for share in chains["accepted"].values],
        "converged": bool(diagnosis["converged"].all()),
    }
    return made.assign_attrs(
        diagnostics=json.dumps(worst),
        warming_sensitivity=json.dumps(json.loads(warming.to_json(orient="records", double_precision=4))),
    )


def compact(chains: xr.Dataset) -> xr.Dataset:
    """Chains in 32-bit numbers, which hold far more digits than a draw is good for."""
    made = chains.copy()
    for name in ("value", "log_density"):
        made[name] = chains[name].astype(np.float32)
    return made


def posterior_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Tables of a posterior for the terminal, with their titles."""
    table = plain_table(("parameter",), ("prior", "median", "posterior", "speaks"))
    for row in posterior_table(ds).to_dict("records"):
        spans = [
            f"{_digits(row[f'{which}_p05'])} to {_digits(row[f'{which}_p95'])}"
            for which in ("prior", "posterior")
        ]
        table.add_row(row["parameter"], spans[0], _digits(row["posterior_p50"]), spans[1], row["speaks"])
    found = json.loads(ds.attrs["diagnostics"])
    table.caption = (
        f"R-hat at most {found['largest_r_hat']:.3f}, effective draws at least "
        f"{min(found[f'smallest_{size}'] for size in SIZES):,}"
    )
    table.caption_justify = "left"
    yield f"Prior and posterior given the record up to {ds.attrs['last_year']}, 5 to 95 %", table


def _digits(value: float) -> str:
    """Three digits, and never an exponent."""
    return f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def table_csv(name: str, table: pd.DataFrame, posterior: xr.Dataset) -> str:
    """Write a table of the calibration as CSV text under a header of ``#`` lines.

    Parameters
    ----------
    name : str
        One of :data:`TABLES`.
    table : pandas.DataFrame
    posterior : xarray.Dataset
        For version, settings and seed.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    about = {
        "posterior.csv": (
            "prior and posterior of the parameters: 5, 50 and 95 % points",
            "shrinkage: one less the variance of the posterior over that of the prior",
            "shift_prior_sd: mean of the posterior less that of the prior, standard deviations of the prior",
            f"speaks: record above a shrinkage of {RECORD_SPEAKS}; prior below {PRIOR_SPEAKS} and a shift of "
            f"{MOVED}; else both",
            "prior_grade: evidence of the prior; D is an assumption",
        ),
        "diagnostics.csv": (
            "convergence of the ensembles and effective number of draws",
            f"converged: r_hat at most {MOST_R_HAT}, and each of {', '.join(SIZES)} at least {LEAST_SIZE}",
            "r_hat compares halves of ensembles; ess_coupled allows for walkers that move together",
            f"acceptance by ensemble: {json.loads(posterior.attrs['diagnostics'])['acceptance']}",
        ),
        "bay_checks.csv": (
            "facts about strait and bay beside the posterior of the model: 5, 50 and 95 % points",
            "sd: error that the calibration allows the fact; score: mean of the model less fact, in standard",
            f"deviations of both together; passes within {PASSES_WITHIN} (90 %)",
        ),
        "sensitivity.csv": (
            "warming sensitivity of net evaporation, mm/yr per K of global warming: 5, 50 and 95 % points",
            "record alone: the calibration with a flat prior of the sensitivity of evaporation",
            "the regression takes departures that last for decades for independent: its error is too small",
        ),
    }[name]
    header = [
        *about,
        f"caspian_sim {posterior.attrs['version']}, git {posterior.attrs['git_revision']}, "
        f"made {posterior.attrs['created']}",
        f"settings {posterior.attrs['settings']}",
    ]
    body = table.to_csv(index=False, float_format=DIGITS, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + body
