"""Writes what more effort buys: the front of programmes, their robustness, figure and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from rich.table import Table

from caspian_sim import figures
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.cooperate.pareto import OBJECTIVES, Choice
from caspian_sim.cooperate.tradeoffs import measures_to_choose, tradeoffs
from caspian_sim.figures.tradeoffs import COLUMNS, alone_table, shown_points
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import number, plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

NAME = "tradeoffs"
ALONE = "measures.csv"
CSV_DIGITS = "%.5g"
PERCENT = 100.0


def write_tradeoffs(
    config: Config,
    directory: Path,
    choice: Choice,
    *,
    source: str = "",
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Search for the front and write a folder, whole or not at all.

    Parameters
    ----------
    config : Config
    directory : Path
    choice : Choice
        From :func:`caspian_sim.cooperate.tradeoffs.chosen`.
    source, overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written

    Raises
    ------
    ConfigError
        When there are not enough measures to choose from.
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    measures_to_choose(config, choice)
    drawn = [f"{FIGURES}/{NAME}.{ending}" for ending in (*IMAGES, "csv")]
    names = (f"{NAME}.nc", f"{NAME}.csv", ALONE, LOG, *drawn)
    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("search and integration"):
            dataset = tradeoffs(config, progress=progress, **vars(choice))
        tried, volume = dataset.attrs["programmes_tried"], dataset["hypervolume"].values
        LOGGER.info(
            "%s: %d programmes tried, %d on the front", dataset.attrs["search"], tried, len(dataset.point)
        )
        LOGGER.info("hypervolume by tenths of the search: %s", _tenths(volume))
        save(dataset, stage / f"{NAME}.nc")
        write_text(stage / f"{NAME}.csv", _csv(dataset, figures.tradeoffs_table(dataset)))
        write_text(stage / ALONE, _csv(dataset, alone_table(dataset)))
        with timed(f"figure {NAME}"):
            figure, table = figures.tradeoffs(dataset), figures.tradeoffs_table(dataset)
            figures.save_figure(figure, table, stage / FIGURES, NAME, IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def _tenths(volume: NDArray[np.float64]) -> str:
    places = sorted({round(part * (len(volume) - 1) / 10) for part in range(11)})
    return ", ".join(f"{volume[place]:.4f}" for place in places)


def _csv(ds: xr.Dataset, body: pd.DataFrame) -> str:
    attrs = ds.attrs
    unit, meaning = OBJECTIVES[attrs["objective"]]
    header = [
        " ".join(attrs["title"].split()),
        f"caspian_sim {attrs['version']}, git {attrs['git_revision']}, made {attrs['created']}",
        f"configuration {attrs['config_hash']}; measures of {attrs['measures_from']}",
        f"effort: {meaning}, {unit}; avoided_fall: annual mean level of {attrs['year']} above that without",
        f"means over {attrs['members']} members and {ds.sizes['scenario']} scenarios alike; "
        "_low, _high: 5 and 95 % points",
        f"kept_share: share of members that stay above {attrs['level']:g} m BHS every year until then",
        "regret: what the best programme avoids more; at_effort: the best of those that take no more",
        f"{attrs['search']}: {attrs['programmes_tried']} programmes tried; "
        f"{attrs['known_costs']} measures have a known cost",
        "what the measures give is an assumption (grade D) unless its grade says otherwise",
        *(
            [f"not chosen from, since this effort is unknown or not theirs: {attrs['left_out']}"]
            if attrs["left_out"]
            else []
        ),
    ]
    table = body.to_csv(index=False, float_format=CSV_DIGITS, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + table


def tradeoffs_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal: programmes along the front, and the measures that they are made of.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.tradeoffs`.
    """
    attrs = ds.attrs
    objective, year = attrs["objective"], attrs["year"]
    unit = {"water": "km³/yr", "share": "%", "cost": "million USD"}[objective]
    factor = PERCENT if objective == "share" else 1.0
    frame = figures.tradeoffs_table(ds).iloc[shown_points(ds)]
    table = plain_table(("", "programme"), (unit, "m", "kept, %", "regret, m"))
    numbers = {str(measure): place for place, measure in enumerate(ds["measure"].values, start=1)}
    for row in frame.to_dict("records"):
        parts = [
            str(place)
            + (
                ""
                if row[f"intensity_{measure}"] == 1.0
                else f" ({PERCENT * row[f'intensity_{measure}']:.0f} %)"
            )
            for measure, place in numbers.items()
            if row[f"intensity_{measure}"] > 0.0
        ]
        table.add_row(
            row["letter"],
            ", ".join(parts),
            f"{factor * row[COLUMNS[objective]]:.1f}",
            number(row["avoided_fall_m"]),
            f"{PERCENT * row['kept_share_least']:.0f}",
            f"{row['regret_at_effort_most_m']:.3f}",
        )
    table.caption = (
        f"kept: members that stay above {attrs['level']:g} m until {year}, where they are fewest\n"
        "regret: against the best that takes no more, where it is most\n"
        f"{attrs['search']}: {attrs['programmes_tried']:,} programmes tried; {ds.sizes['point']} on the front"
    )
    table.caption_justify = "left"
    yield f"Effort and fall avoided by {year}: means over members and scenarios", table
    measures = plain_table(("", "measure", "state", "grade"), (unit, "m"))
    for place, row in enumerate(alone_table(ds).query("kind == 'measure'").to_dict("records"), start=1):
        effort = f"{factor * row[COLUMNS[objective]]:.1f}"
        measures.add_row(
            str(place), row["name"], row["state"], row["grade"], effort, number(row["avoided_fall_m"])
        )
    measures.caption = "grade D: an assumption, not data"
    if attrs["left_out"]:
        measures.caption += f"\nnot chosen from, this effort is unknown or not theirs: {attrs['left_out']}"
    measures.caption_justify = "left"
    yield "Measures, each alone", measures
