"""Writes the split of the variance of the level: dataset, table, figure and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim import figures
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.evaluate.variance import CHOICES, check_choices, check_draws, variance
from caspian_sim.figures.reading import run_config
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import number, plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

FOLDER = "variance"
DATASET, TABLE = "variance.nc", "variance.csv"
# A share of the variance is written to a tenth of a per mille, far below its sampling error.
DECIMALS = 4
MOST_YEARS = 3
ENDS = ("", "_low", "_high")


def write_variance(
    config: Config,
    directory: Path,
    *,
    vary: Sequence[str] = tuple(CHOICES),
    samples: int,
    streams: int,
    source: str = "",
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Split the variance of the level of a configuration and write a folder, whole or not at all.

    Parameters
    ----------
    config : Config
    directory : Path
    vary, samples, streams
        As for :func:`caspian_sim.variance`.
    source, overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written

    Raises
    ------
    ConfigError, OutOfRangeError
        When the configuration cannot be run, a choice is unknown, or there are too few draws.
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    check_draws(samples, streams)
    check_choices(vary)
    pictures = [f"{FIGURES}/variance.{ending}" for ending in (*IMAGES, "csv")]
    names = (DATASET, TABLE, LOG, *pictures)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("integration and split"):
            dataset = variance(config, vary=vary, samples=samples, streams=streams, progress=report)
        LOGGER.info("%d runs", dataset.attrs["runs"])
        save(dataset, stage / DATASET)
        write_text(stage / TABLE, variance_csv(dataset))
        with timed("figure variance"):
            figures.save_figure(
                figures.variance(dataset),
                figures.variance_table(dataset),
                stage / FIGURES,
                "variance",
                IMAGES,
            )
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def variance_csv(ds: xr.Dataset) -> str:
    """Write all shares of every year as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    parts = []
    for what, of in (("source", "variance"), ("choice", "structure"), ("pair", "interaction")):
        frame = xr.Dataset(
            {f"share{end}": ds[f"{of}_share{end}"] for end in ("", "_low", "_high")}
        ).to_dataframe()
        frame = frame.reset_index().rename(columns={what: "name"})
        parts.append(frame.assign(part=what)[["year", "part", "name", "share", "share_low", "share_high"]])
    body = pd.concat(parts).sort_values("year", kind="stable")
    body["level_sd_m"] = ds["level_sd"].sel(year=body["year"].values).values
    numbers = body.select_dtypes("number").columns
    body[numbers] = body[numbers].round(DECIMALS) + 0  # no negative zero
    header = [
        " ".join(ds.attrs["title"].split()),
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        f"configuration {ds.attrs['config_hash']}; programme {ds.attrs['programme']}",
        "part source: shares of the variance of the annual mean level, which add up to 1; choice: what "
        "structure has of it; pair: what interactions have of it",
        f"_low, _high: {100 * ds.attrs['confidence']:g} % confidence interval",
        "level_sd_m: standard deviation of the level, the root of that variance",
        f"{ds.attrs['runs']} runs: {ds.sizes['scenario']} scenarios, "
        + ", ".join(f"{name} {'/'.join(str(v) for v in ds[name].values)}" for name in CHOICES)
        + f", {ds.attrs['samples']} draws of the parameters, {ds.attrs['streams']} of the variability; "
        f"{ds.attrs['seconds']} s",
        "structures and scenarios count alike, none has a probability: grade D",
    ]
    return "".join(f"# {line}\n" for line in header) + body.to_csv(index=False, lineterminator="\n")


def variance_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal: the shares of the last report years, then what they are made of.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.variance`.
    """
    asked = [year for year in run_config(ds).outcomes.report_years if year in ds["year"].values]
    years = sorted(asked)[-MOST_YEARS:] or [int(ds["year"].values[-1])]
    columns = (*map(str, years), "5 to 95 %")
    for title, of, what in (
        (f"Shares of the variance of the level, programme {ds.attrs['programme']}", "variance", "source"),
        ("Of these, structure", "structure", "choice"),
        ("Of these, interactions", "interaction", "pair"),
    ):
        table = plain_table((what,), columns)
        for label in ds[what].values:
            now = {end: ds[f"{of}_share{end}"].sel({what: label, "year": years}).values for end in ENDS}
            low, high = (number(now[end][-1]) for end in ENDS[1:])
            table.add_row(str(label).replace("_", " "), *map(number, now[""]), f"{low} to {high}")
        if what == "source":
            table.add_section()
            sd = ds["level_sd"].sel(year=years).values
            low, high = (number(ds[f"level_sd{end}"].sel(year=years[-1])) for end in ENDS[1:])
            table.add_row("standard deviation, m", *map(number, sd), f"{low} to {high}")
        if what == "pair":
            table.caption = f"{ds.attrs['runs']:,} runs in {ds.attrs['seconds']} s"
            table.caption_justify = "left"
        yield title, table
