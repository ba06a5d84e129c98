"""Writes what a sensitivity analysis finds: dataset, table, figure and log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from caspian_sim import figures
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.evaluate.sensitivity import VARIABILITY, check_samples, sensitivity
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

FOLDER = "sensitivity"
DATASET, TABLE = "sensitivity.nc", "sensitivity.csv"
# A share of the variance is written to a tenth of a per mille, far below its sampling error.
DECIMALS = 4


def write_sensitivity(
    config: Config,
    directory: Path,
    samples: int,
    *,
    source: str = "",
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Analyse the sensitivity of a configuration and write a folder, whole or not at all.

    Parameters
    ----------
    config : Config
    directory : Path
    samples : int
        As for :func:`caspian_sim.sensitivity`.
    source, overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written

    Raises
    ------
    ConfigError, OutOfRangeError
        When nothing varies, or the number of samples is no power of 2.
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    check_samples(samples)
    pictures = [f"{FIGURES}/sensitivity.{ending}" for ending in (*IMAGES, "csv")]
    names = (DATASET, TABLE, LOG, *pictures)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("integration and indices"):
            dataset = sensitivity(config, samples=samples, progress=report)
        LOGGER.info("%d runs, %d samples", dataset.attrs["runs"], samples)
        save(dataset, stage / DATASET)
        write_text(stage / TABLE, sensitivity_csv(dataset))
        with timed("figure sensitivity"):
            figures.save_figure(
                figures.sensitivity(dataset),
                figures.sensitivity_table(dataset),
                stage / FIGURES,
                "sensitivity",
                IMAGES,
            )
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def sensitivity_csv(ds: xr.Dataset) -> str:
    """Write the indices of all scenarios as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    tables = [figures.sensitivity_table(ds, scenario=str(scenario)) for scenario in ds["scenario"].values]
    header = [
        " ".join(ds.attrs["title"].split()),
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        f"configuration {ds.attrs['config_hash']}; programme {ds.attrs['programme']}",
        "first_order, total: Sobol indices, shares of the variance of the annual mean level; "
        f"_low, _high: {100 * ds.attrs['confidence']:g} % confidence interval",
        "level_sd_m: standard deviation of the level, the root of that variance",
        f"{ds.attrs['runs']} runs, {ds.attrs['samples']} samples, {ds.attrs['seconds']} s",
        "grade: evidence of the range of the input; D is an assumption",
        f"ranges of the parameters: {ds.attrs['parameter_ranges']}",
    ]
    if VARIABILITY in ds["input"].values:
        header.append(f"{VARIABILITY}: all random departures of inflow and net evaporation, as one input")
    body = pd.concat(tables)
    numbers = body.select_dtypes("number").columns
    body[numbers] = body[numbers].round(DECIMALS) + 0  # no negative zero
    return "".join(f"# {line}\n" for line in header) + body.to_csv(index=False, lineterminator="\n")
