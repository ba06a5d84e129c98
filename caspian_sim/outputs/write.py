"""Runs a configuration or the hindcast and writes what comes of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from caspian_sim import figures
from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry, read_hypsometry_csv
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.ensemble import run_kept
from caspian_sim.evaluate.hindcast import hindcast
from caspian_sim.outputs.folder import check_space, staged, stages, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.scores import TABLES, checks_csv, scores_csv
from caspian_sim.outputs.summary import summary_csv
from caspian_sim.results import ZARR_SUFFIX, add_to_zarr, open_result, save
from caspian_sim.resume import Unfinished

Progress = Callable[[str, int, int], None]

SUMMARY, LOG, FIGURES = "summary.csv", "run.log", "figures"
CHECKS = "checks"
IMAGES = ("png", "svg")
# Variables of a dataset with scenario, programme, member and time, and the size of a float64.
STATE_ARRAYS, BYTES_PER_NUMBER = 9, 8


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    dataset : xarray.Dataset
    directory : Path
    files : tuple of str
        Relative to `directory`.
    warnings : tuple of str
    seconds : float
        Time that all of it took.
    """

    dataset: xr.Dataset
    directory: Path
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float


def write_run(
    config: Config,
    *,
    source: str = "",
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Run a configuration and write its folder: dataset, summary table, figures and log.

    All files are made aside and moved to their place at the end: a run that fails or is interrupted leaves
    the results in the folder as they were. What a run of several parts had finished is kept in a hidden
    folder, until it is resumed.

    Parameters
    ----------
    config : Config
    source : str
        Where the configuration comes from, for the log.
    overwrite : bool
        Replace the files of an earlier run; its finished parts too, unless it is resumed.
    resume : bool
        Continue the unfinished run in the folder, when there is one.
    progress : callable, optional
        Called with the stage, the steps of it done and the steps in all.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        Before the run, when the folder cannot be written, holds results or an unfinished run that may not be
        replaced, or one that cannot be resumed; and when the disk is full.
    """
    began = time.perf_counter()
    directory = Path(config.output.directory)
    drawn = _chosen(config)
    dataset_name, other = (f"{config.name}{suffix}" for suffix in _suffixes(config))
    names = [dataset_name, SUMMARY, LOG, *_figure_files(drawn)]
    stale = [other, *_figure_files(name for name in figures.FIGURES if name not in drawn)]
    report = progress or _silent
    unfinished = Unfinished(directory)
    if resume:
        unfinished.check(config)
        overwrite = overwrite or unfinished.may_replace
    elif not overwrite:
        unfinished.refuse()
    begun = unfinished.state if resume and unfinished.manifest is not None else None
    left_over = stages(directory)
    with (
        recorded() as log,
        unfinished.held(),
        staged(directory, names, overwrite=overwrite, stale=stale) as stage,
        unfinished.kept(),
    ):
        if config.output.keep != "quantiles":
            check_space(stage, state_size(config))
        log_versions()
        if begun is not None:
            LOGGER.info("resumed when %s", begun)
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("integration"):
            dataset = run_kept(
                config,
                unfinished=unfinished,
                resume=resume,
                overwrite=overwrite,
                zarr=stage / dataset_name,
                progress=lambda done, total: report("integrating", done, total),
            )
        _log_solution(dataset, config)
        with timed("dataset"):
            if (stage / dataset_name).exists():  # the members are there already
                add_to_zarr(dataset, stage / dataset_name)
            else:
                check_space(stage, dataset.nbytes)
                save(dataset, stage / dataset_name)
        with timed("summary"):
            write_text(stage / SUMMARY, summary_csv(dataset))
        for done, name in enumerate(drawn):
            report("drawing", done, len(drawn))
            _draw(name, _subject(name, dataset, config), stage / FIGURES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
        files = tuple(name for name in names if (stage / name).exists())
        if unfinished.manifest is not None:
            unfinished.replacing()
            for folder in left_over:  # of the process that was killed
                shutil.rmtree(folder, ignore_errors=True)
    if dataset_name.endswith(ZARR_SUFFIX):
        dataset = open_result(directory / dataset_name)  # its values have moved
    return Written(dataset, directory, files, tuple(log.warnings), seconds)


def write_hindcast(directory: Path, *, overwrite: bool = False, progress: Progress | None = None) -> Written:
    """Run the hindcast and write its folder: dataset, tables, figures and log.

    Parameters
    ----------
    directory : Path
    overwrite, progress
        As for :func:`write_run`.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        As for :func:`write_run`.
    """
    began = time.perf_counter()
    tables = [f"{table}.csv" for table in (*TABLES, CHECKS)]
    names = ["hindcast.nc", *tables, LOG, *_figure_files(["hindcast", "checklist"])]
    report = progress or _silent
    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        with timed("integration"):
            dataset = hindcast(lambda done, total: report("integrating", done, total))
        save(dataset, stage / "hindcast.nc")
        for table in TABLES:
            write_text(stage / f"{table}.csv", scores_csv(dataset, table))
        write_text(stage / f"{CHECKS}.csv", checks_csv(dataset))
        _draw("hindcast", dataset, stage / FIGURES)
        with timed("figure checklist"):
            drawn, table_of_it = figures.checklist(dataset), figures.checklist_table(dataset)
            figures.save_figure(drawn, table_of_it, stage / FIGURES, "checklist", IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, tuple(names), tuple(log.warnings), seconds)


def state_size(config: Config) -> int:
    """Bytes of the arrays of a run that have every dimension, which are most of it."""
    intervals = len(config.period.years) * (MONTHS if config.output.frequency == "monthly" else 1)
    columns = len(config.climate.scenarios) * len(config.programmes) * config.uncertainty.members
    return STATE_ARRAYS * BYTES_PER_NUMBER * columns * intervals


def _chosen(config: Config) -> list[str]:
    wanted = config.output.figures
    if wanted == "none":
        return []
    kinds = figures.FIGURES.items()
    if wanted == "all":
        return [name for name, kind in kinds if config.output.keep != "quantiles" or not kind.needs_members]
    return [name for name, _ in kinds if name in wanted]


def _suffixes(config: Config) -> tuple[str, str]:
    """Give the ending of the dataset, and that of one in the other format."""
    return (ZARR_SUFFIX, ".nc") if config.output.format == "zarr" else (".nc", ZARR_SUFFIX)


def _figure_files(names: Iterable[str]) -> list[str]:
    return [f"{FIGURES}/{name}.{ending}" for name in names for ending in (*IMAGES, "csv")]


def _subject(name: str, dataset: xr.Dataset, config: Config) -> xr.Dataset | Hypsometry:
    """Find what a figure shows: the run itself, the curve of its sea, or the hindcast."""
    shows = figures.FIGURES[name].shows
    if shows == "run":
        return dataset
    if shows == "hindcast":
        return hindcast()
    own = config.basin.hypsometry
    return load_hypsometry() if own is None else read_hypsometry_csv(own)


def _draw(name: str, subject: xr.Dataset | Hypsometry, directory: Path) -> None:
    kind = figures.FIGURES[name]
    with timed(f"figure {name}"):
        figures.save_figure(kind.draw(subject), kind.table(subject), directory, name, IMAGES)


def _log_solution(dataset: xr.Dataset, config: Config) -> None:
    LOGGER.info(
        "%d members in %d scenarios and %d programmes, seed %s",
        config.uncertainty.members,
        dataset.sizes["scenario"],
        dataset.sizes["programme"],
        dataset.attrs["seed"],
    )
    LOGGER.info(
        "solver: %s steps, %s evaluations of the right-hand side",
        dataset.attrs["solver_steps"],
        dataset.attrs["solver_evaluations"],
    )
    if "budget_residual_quantile" in dataset:
        worst = float(dataset["budget_residual_quantile"].attrs["largest"])
    else:
        worst = float(np.abs(dataset["budget_residual"]).max())
    LOGGER.info("largest residual of the water budget in an interval: %.2g km³", worst)


def _silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""
