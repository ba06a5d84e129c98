"""Writes the comparison with the literature: dataset, tables, figures and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim import figures
from caspian_sim.evaluate.comparison import attribution_table, comparison_table, decomposition_table
from caspian_sim.evaluate.literature import literature
from caspian_sim.figures.text import name
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
    year = ds.attrs["basis_year"]
    header = [
        f"{ds.attrs['title']}; {ds.attrs['water_use']}; {ds.attrs['members']} members",
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        f"changes in m since {year} ({ds.attrs['basis_level']:.2f} m BHS) where the base year of a publication "
        "is stated, else as published; falls are negative; datum: Baltic Height System (BHS)",
        "ranges are of different kinds (range_kind) and must not be pooled; meaning: what the number stands for",
        "ensemble, area, rest: central run less median, constant less dynamic area, what is left of the gap",
        f"typical high configuration: constant area, evaporation +{ds.attrs['high_evaporation_sensitivity']:g} "
        f"mm/yr/K, Volga {ds.attrs['high_volga_sensitivity']:.1f} %/K (Kalugin 2022), as a central run",
        f"needed: with all else as in the central run ({ds.attrs['central_evaporation_sensitivity']:.1f} "
        f"mm/yr/K, {ds.attrs['central_volga_sensitivity']:.1f} %/K); empty where no value allowed would do",
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
        for row in chosen.itertuples():
            who = [short_citation(row.citation), str(row.scenario)]
            sign = "≥ " if row.meaning == "limit" else ""
            own = [number(getattr(row, f"own_{area}_p50_m")) for area in ("dynamic", "constant")]
            star = "" if row.basis.startswith("since") else "*"
            beside.add_row(*who, str(row.horizon), f"{sign}{number(row.change_on_basis_m)}{star}", *own)
            gap = gaps.loc[row.Index]
            sought = [
                " / ".join(
                    "–" if pd.isna(value) else f"{value + 0.0:.0f}"
                    for value in (gap[f"needed_{what}_{area}_{unit}"] for area in ("dynamic", "constant"))
                )
                for what, unit in (
                    ("evaporation_sensitivity", "mm_per_yr_per_k"),
                    ("volga_sensitivity", "percent_per_k"),
                )
            ]
            needs.add_row(*who, *(number(gap[f"{part}_m"], "+") for part in ("gap", "area", "rest")), *sought)
        if not people:
            beside.caption = f"≥ a limit (up to), * base year not stated; {ds.attrs['water_use']}"
            beside.caption_justify = "left"
        yield f"Change since {year}, m: published, and our medians by area convention{note}", beside
        yield f"The gap in m, and what would close it with dynamic / constant area{note}", needs
    shared = plain_table(("scenario",), ("year", "median", "area", "evaporation", "runoff", "high"))
    for row in attribution_table(ds).itertuples():
        cells = [number(row.median_m)]
        cells += [number(value, "+") for value in (row.area_m, row.evaporation_m, row.runoff_m)]
        shared.add_row(name("scenario", row.scenario), str(row.year), *cells, number(row.high_m))
    yield "From our median to a typical high configuration, m", shared


def short_citation(citation: str) -> str:
    """Authors and year alone."""
    authors, bracket, _ = citation.partition(")")
    return authors + bracket
