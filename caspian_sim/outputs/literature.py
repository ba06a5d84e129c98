"""Writes the comparison with the literature: dataset, tables, figures and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim import figures
from caspian_sim.evaluate.comparison import (
    AREAS,
    FACTORS,
    NEEDED_UNITS,
    attribution_table,
    comparison_table,
    decomposition_table,
)
from caspian_sim.evaluate.literature import literature
from caspian_sim.evaluate.published import STATED, short_citation
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import number, plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

DATASET = "literature.nc"
TABLES: dict[str, Callable[[xr.Dataset], pd.DataFrame]] = {
    "literature.csv": comparison_table,
    "decomposition.csv": decomposition_table,
    "attribution.csv": attribution_table,
}
PICTURES = ("literature", "literature_gap")
# Millimetres, and hundredths of a sensitivity.
DECIMALS = 3


def write_literature(
    directory: Path,
    *,
    members: int | None = None,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Compare with the literature and write a folder, whole or not at all.

    Parameters
    ----------
    directory : Path
    members : int, optional
        As for :func:`caspian_sim.literature`.
    overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    pictures = [f"{FIGURES}/{picture}.{ending}" for picture in PICTURES for ending in (*IMAGES, "csv")]
    names = (DATASET, *TABLES, LOG, *pictures)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        with timed("integration"):
            dataset = literature(members=members, progress=report)
        LOGGER.info("resolved configuration:\n%s", dataset.attrs["config"])
        save(dataset, stage / DATASET)
        for file, table in TABLES.items():
            write_text(stage / file, literature_csv(dataset, table(dataset)))
        for picture in PICTURES:
            with timed(f"figure {picture}"):
                figures.save_figure(
                    getattr(figures, picture)(dataset),
                    getattr(figures, f"{picture}_table")(dataset),
                    stage / FIGURES,
                    picture,
                    IMAGES,
                )
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def literature_csv(ds: xr.Dataset, table: pd.DataFrame) -> str:
    """Write a table of the comparison as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    known = ds.attrs
    header = [
        f"{known['title']}; {known['water_use']}; {known['members']} members",
        f"caspian_sim {known['version']}, git {known['git_revision']}, made {known['created']}",
        f"changes in m since {known['basis_year']} ({known['basis_level']:.2f} m BHS) where the base year of "
        "the publication is stated, else as published; a fall is negative; datum: Baltic Height System (BHS)",
        "ranges are of different kinds (range_kind) and must not be pooled; meaning: what is compared",
        "ensemble, area, rest: central run less median, constant less dynamic area, what is left of the gap",
        f"high: constant area, evaporation +{known['high_evaporation_sensitivity']:g} mm/yr/K, "
        f"Volga {known['high_volga_sensitivity']:.1f} %/K (Kalugin 2022), as a central run",
        f"needed: all else as in the central run ({known['central_evaporation_sensitivity']:.1f} mm/yr/K, "
        f"{known['central_volga_sensitivity']:.1f} %/K); empty where no value that is allowed would do",
    ]
    body = table.copy()
    numbers = body.select_dtypes("float").columns
    body[numbers] = body[numbers].round(DECIMALS) + 0.0  # no negative zero
    return "".join(f"# {' '.join(line.split())}\n" for line in header) + body.to_csv(
        index=False, lineterminator="\n"
    )


def literature_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Tables for the terminal: side by side, what each needs, and the three shares.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.literature`.

    Yields
    ------
    title, table
    """
    rows = comparison_table(ds).set_index("comparison")
    rows = rows[rows["scenario"] != ""]
    gaps = decomposition_table(ds).set_index("comparison")
    year = ds.attrs["basis_year"]
    for people, note in ((False, ""), (True, " (withdrawal by people included)")):
        chosen = rows[(rows["meaning"] == "level") == people].sort_values(
            ["horizon", "scenario"], kind="stable"
        )
        beside = plain_table(("publication", "beside"), ("year", "published", "dynamic", "constant"))
        needs = plain_table(("publication", "beside"), ("gap", "area", "rest", "mm/yr/K", "%/K"))
        for row in chosen.reset_index().to_dict("records"):
            who = [short_citation(row["citation"]), row["scenario"]]
            published = ("up to " if row["meaning"] == "limit" else "") + number(row["change_on_basis_m"])
            own = [number(row[f"own_{area}_p50_m"]) for area in AREAS]
            star = "" if row["basis"] == STATED else "*"
            beside.add_row(*who, str(row["horizon"]), published + star, *own)
            gap = gaps.loc[row["comparison"]]
            sought = [
                " / ".join(_whole(gap[f"needed_{parameter}_{area}_{unit}"]) for area in AREAS)
                for parameter, unit in NEEDED_UNITS.items()
            ]
            needs.add_row(*who, *(number(gap[f"{part}_m"], "+") for part in ("gap", "area", "rest")), *sought)
        if not people:
            beside.caption = f"* base year not stated; {ds.attrs['water_use']}"
            beside.caption_justify = "left"
        yield f"Change since {year}, m: published, and our medians by area convention{note}", beside
        yield f"The gap in m, and what would close it with dynamic / constant area{note}", needs
    shared = plain_table(("scenario",), ("year", "median", "area", "evaporation", "runoff", "high"))
    for row in attribution_table(ds).to_dict("records"):
        cells = [number(row["median_m"]), *(number(row[f"{factor}_m"], "+") for factor in FACTORS)]
        shared.add_row(row["scenario"], str(row["year"]), *cells, number(row["high_m"]))
    yield "From our median to a typical high configuration, m", shared


def _whole(value: float) -> str:
    return "–" if pd.isna(value) else f"{round(float(value)) + 0}"
