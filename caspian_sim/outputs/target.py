"""Writes what a target level takes, or a delay costs: dataset, tables, figures and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from rich.table import Table

from caspian_sim import figures
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.cooperate.delay import delay
from caspian_sim.cooperate.target import Asked, check, target
from caspian_sim.figures.target import verdicts
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

TARGET, DELAY = "target", "delay"
PROGRAMMES, MEASURES = "programmes.csv", "measures.csv"
DECIMALS = 4

Progress = Callable[[str, int, int], None]
Pictures = Mapping[str, tuple[Callable[[xr.Dataset], Figure], Callable[[xr.Dataset], pd.DataFrame]]]


def write_target(
    config: Config,
    directory: Path,
    asked: Asked,
    *,
    ramp_years: float = 0.0,
    source: str = "",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Find the extra inflow for a target level and write a folder, whole or not at all.

    Parameters
    ----------
    config : Config
    directory : Path
    asked, ramp_years
        As for :func:`caspian_sim.target`.
    source, overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Raises
    ------
    ConfigError, OutOfRangeError
        When the configuration or the target cannot be used.
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    check(config, asked, ramp_years)

    def made(report: Callable[[int, int], None]) -> xr.Dataset:
        return target(
            config,
            level=asked.level,
            year=asked.year,
            probability=asked.probability,
            start=asked.start,
            throughout=asked.throughout,
            ramp_years=ramp_years,
            progress=report,
        )

    pictures: Pictures = {
        TARGET: (figures.target, figures.target_table),
        "marginal": (figures.marginal, figures.marginal_table),
    }
    tables = {
        "target.csv": figures.target_table,
        PROGRAMMES: programmes_table,
        MEASURES: figures.marginal_table,
    }
    return _written(TARGET, config, directory, made, tables, pictures, source, overwrite, progress)


def write_delay(
    config: Config,
    directory: Path,
    *,
    starts: Sequence[int],
    programme: str | None = None,
    source: str = "",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Work out the cost of delay and write a folder, whole or not at all; see :func:`write_target`."""

    def made(report: Callable[[int, int], None]) -> xr.Dataset:
        return delay(config, starts=starts, programme=programme, progress=report)

    tables = {"delay.csv": figures.delay_table}
    pictures: Pictures = {DELAY: (figures.delay, figures.delay_table)}
    return _written(DELAY, config, directory, made, tables, pictures, source, overwrite, progress)


def _written(
    kind: str,
    config: Config,
    directory: Path,
    made: Callable[[Callable[[int, int], None]], xr.Dataset],
    tables: Mapping[str, Callable[[xr.Dataset], pd.DataFrame]],
    pictures: Pictures,
    source: str,
    overwrite: bool,
    progress: Progress | None,
) -> Written:
    began = time.perf_counter()
    drawn = [f"{FIGURES}/{name}.{ending}" for name in pictures for ending in (*IMAGES, "csv")]
    names = (f"{kind}.nc", *tables, LOG, *drawn)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("integration"):
            dataset = made(report)
        save(dataset, stage / f"{kind}.nc")
        for name, table in tables.items():
            write_text(stage / name, _csv(dataset, table(dataset)))
        for name, (draw, table) in pictures.items():
            with timed(f"figure {name}"):
                figures.save_figure(draw(dataset), table(dataset), stage / FIGURES, name, IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def programmes_table(ds: xr.Dataset) -> pd.DataFrame:
    """Tabulate what each programme does towards the target, by scenario.

    Returns
    -------
    pandas.DataFrame
        Probability to hold the level, whether that is enough, and what it brings as constant inflow, km³/yr.
    """
    names = ["programme_probability", *(f"programme_inflow{end}" for end in ("", "_low", "_high"))]
    frame = ds[[*names, "programme_grade"]].to_dataframe().reset_index()
    frame["reaches"] = frame["programme_probability"] >= ds.attrs["probability"]
    frame = frame.rename(columns={name: f"{name}_km3_per_yr" for name in names[1:]})
    first = ["scenario", "programme", "programme_grade", "programme_probability", "reaches"]
    return frame[[*first, *(f"{name}_km3_per_yr" for name in names[1:])]]


def _csv(ds: xr.Dataset, table: pd.DataFrame) -> str:
    """Write a table as CSV text under a header of ``#`` lines."""
    header = [
        " ".join(ds.attrs["title"].split()),
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        f"configuration {ds.attrs['config_hash']}",
        "_low, _high: 90 % interval of the required inflow, 5 and 95 % points over members of all else",
        "grade: evidence; D is an assumption",
    ]
    if "target_year" in ds.attrs:
        span = "in every year until" if ds.attrs["throughout"] else "in"
        header[3:3] = [
            f"target {ds.attrs['target_level']:g} m BHS {span} {ds.attrs['target_year']}, "
            f"probability {ds.attrs['probability']:g}; extra inflow from {ds.attrs['inflow_start']}, "
            f"ramp {ds.attrs['inflow_ramp_years']:g} years; inf: not held by any that was tried",
            *verdicts(ds),
        ]
    body = table.copy()
    numbers = body.select_dtypes("float").columns
    body[numbers] = body[numbers].round(DECIMALS) + 0  # no negative zero
    return "".join(f"# {line}\n" for line in header) + body.to_csv(index=False, lineterminator="\n")


def _one(value: Any) -> str:
    return f"{float(value) + 0.0:.1f}" if np.isfinite(float(value)) else "none tried"


def target_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal: the required inflow, then what programmes do towards it."""
    asked = ds.sel(target_level=ds.attrs["target_level"])
    table = plain_table(("scenario",), ("km³/yr", "5 to 95 %"))
    for scenario in ds["scenario"].values:
        need, low, high = (asked[f"required_inflow{e}"].sel(scenario=scenario) for e in ("", "_low", "_high"))
        table.add_row(str(scenario), _one(need), f"{_one(low)} to {_one(high)}")
    table.caption, table.caption_justify = "\n".join(verdicts(ds)), "left"
    span = "every year until" if ds.attrs["throughout"] else ""
    place = f"{ds.attrs['target_level']:g} m BHS in {span} {ds.attrs['target_year']}".replace("  ", " ")
    yield f"Extra inflow from {ds.attrs['inflow_start']} that holds {place}", table
    scenarios = [str(scenario) for scenario in ds["scenario"].values]
    table = plain_table(("programme",), scenarios)
    for programme in ds["programme"].values:
        shares = ds["programme_probability"].sel(programme=programme).values
        table.add_row(str(programme), *(f"{share:.3f}" for share in shares))
    yield f"Probability to hold it (asked for: {ds.attrs['probability']:g})", table


def delay_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Title and table for the terminal: avoided fall by start in the last year, and what is lost."""
    last = ds.isel(year=-1)
    table = plain_table(("scenario", "start"), ("avoided, m", "5 to 95 %", "lost, m", "5 to 95 %"))
    for scenario in ds["scenario"].values:
        for start in ds["start"].values:
            now = last.sel(scenario=scenario, start=start)
            cells = []
            for name in ("avoided_fall", "lost"):
                low, middle, high = (f"{float(now[f'{name}{e}']):.2f}" for e in ("_low", "", "_high"))
                cells += [middle, f"{low} to {high}"]
            table.add_row(str(scenario), str(start), *cells)
    yield f"Avoided fall in {int(ds['year'].values[-1])}, programme {ds.attrs['programme']}", table
