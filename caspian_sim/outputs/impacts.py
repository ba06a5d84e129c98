"""Writes the impacts of a run: dataset, tables and figures. Each impact is one entry of :data:`IMPACTS`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from rich.table import Table

from caspian_sim import figures
from caspian_sim.data.registry import lookup
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import run_config
from caspian_sim.impacts.seabed import NAME as SEABED
from caspian_sim.impacts.seabed import exposed_seabed_by_state
from caspian_sim.outputs.coasts import (
    ECOSYSTEM,
    PORTS,
    ecosystem_header,
    ecosystem_of_run,
    ecosystem_parts,
    port_parts,
    ports_header,
    ports_of_run,
)
from caspian_sim.outputs.folder import check_space, staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.seabed import falls, seabed_header, seabed_parts, seabed_summary
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import open_result, save

FOLDER, DATASET = "impacts", "impacts.nc"


@dataclass(frozen=True)
class View:
    """What figures show; their own choice where nothing is given.

    Attributes
    ----------
    scenario, programme : str or None
    year : int or None
    """

    scenario: str | None = None
    programme: str | None = None
    year: int | None = None


@dataclass(frozen=True)
class Impact:
    """What a fall of the level does to one thing.

    Attributes
    ----------
    variable : str
        A variable that its dataset has, by which it is known again.
    reckon : callable
        Its dataset, from that of the run.
    tables : mapping of name to callable
        Tables, from its dataset; each is written to ``<name>.csv``.
    header : callable
        Lines above every table, and below it on the terminal.
    pictures : mapping of name to (draw, table)
        Figures and their numbers, from the dataset of the run and what is to be shown.
    parts : callable
        Titles and tables for the terminal, from its dataset.
    """

    variable: str
    reckon: Callable[[xr.Dataset], xr.Dataset]
    tables: Mapping[str, Callable[[xr.Dataset], pd.DataFrame]]
    header: Callable[[], Sequence[str]]
    pictures: Mapping[
        str, tuple[Callable[[xr.Dataset, View], Figure], Callable[[xr.Dataset, View], pd.DataFrame]]
    ]
    parts: Callable[[xr.Dataset], Iterator[tuple[str, Table]]]


def _shoreline(ds: xr.Dataset, view: View) -> Figure:
    return figures.shoreline(ds, scenario=view.scenario, programme=view.programme, year=view.year)


def _shoreline_table(ds: xr.Dataset, view: View) -> pd.DataFrame:
    return figures.shoreline_table(ds, scenario=view.scenario, programme=view.programme, year=view.year)


def _seabed(ds: xr.Dataset, view: View) -> Figure:
    return figures.seabed(ds, scenario=view.scenario, programme=_beside(ds, view))


def _seabed_table(ds: xr.Dataset, view: View) -> pd.DataFrame:
    return figures.seabed_table(ds, scenario=view.scenario, programme=_beside(ds, view))


def _ports(ds: xr.Dataset, view: View) -> Figure:
    return figures.ports(ds, scenario=view.scenario, programme=view.programme)


def _ports_table(ds: xr.Dataset, view: View) -> pd.DataFrame:
    return figures.ports_table(ds)


def _route(ds: xr.Dataset, view: View) -> Figure:
    return figures.route(ds, scenario=view.scenario, programme=view.programme)


def _route_table(ds: xr.Dataset, view: View) -> pd.DataFrame:
    return figures.route_table(ds)


def _ecosystem(ds: xr.Dataset, view: View) -> Figure:
    return figures.ecosystem(ds, programme=view.programme)


def _ecosystem_table(ds: xr.Dataset, view: View) -> pd.DataFrame:
    return figures.ecosystem_table(ds)


def _beside(ds: xr.Dataset, view: View) -> list[str] | None:
    """Programme that is asked for, behind the first of the run."""
    if view.programme is None:
        return None
    return list(dict.fromkeys([str(ds["programme"].values[0]), view.programme]))


IMPACTS: Mapping[str, Impact] = MappingProxyType(
    {
        "seabed": Impact(
            SEABED,
            exposed_seabed_by_state,
            {"seabed": seabed_summary, "falls": falls},
            seabed_header,
            {"shoreline": (_shoreline, _shoreline_table), "seabed": (_seabed, _seabed_table)},
            seabed_parts,
        ),
        "ports": Impact(
            PORTS,
            ports_of_run,
            {},
            ports_header,
            {"ports": (_ports, _ports_table), "route": (_route, _route_table)},
            port_parts,
        ),
        "ecosystem": Impact(
            ECOSYSTEM,
            ecosystem_of_run,
            {},
            ecosystem_header,
            {"ecosystem": (_ecosystem, _ecosystem_table)},
            ecosystem_parts,
        ),
    }
)
"""Impacts by the names that the command line uses."""


def write_impacts(
    result: Path,
    directory: Path | None = None,
    *,
    only: Sequence[str] = (),
    view: View | None = None,
    overwrite: bool = False,
) -> Written:
    """Reckon the impacts of a run and write their folder, whole or not at all.

    Parameters
    ----------
    result : Path
        File of a run, or its folder.
    directory : Path, optional
        The folder ``impacts`` beside the file when not given.
    only : sequence of str
        Names in :data:`IMPACTS`; all of them when empty.
    view : View, optional
        What the figures show.
    overwrite : bool
        Replace the files of earlier impacts.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        When there is no result, it is not that of a run with members, or has not what is asked for.
    OutputError
        When the folder cannot be written or holds impacts.
    """
    began = time.perf_counter()
    chosen = {name: lookup(IMPACTS, name, "impact") for name in dict.fromkeys(only or IMPACTS)}
    ds = open_result(result)
    if not {"scenario", "programme", "time"} <= set(ds.dims):
        raise DataError(
            f"{result}: not the result of a run\n"
            f"    found    {ds.attrs['title']}\n"
            "    hint     caspian-sim run CONFIG writes one"
        )
    if directory is None:
        directory = (result if result.is_dir() and result.suffix != ".zarr" else result.parent) / FOLDER
    shown = view or View()
    tables = [f"{table}.csv" for impact in chosen.values() for table in impact.tables]
    pictures = [
        f"{FIGURES}/{picture}.{ending}"
        for impact in chosen.values()
        for picture in impact.pictures
        for ending in (*IMAGES, "csv")
    ]
    names = (DATASET, *tables, LOG, *pictures)
    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("impacts of %s, configuration %s", result, ds.attrs.get("config_hash", "unknown"))
        found = []
        for name, impact in chosen.items():
            with timed(name):
                found.append(impact.reckon(ds))
            for table, make in impact.tables.items():
                write_text(stage / f"{table}.csv", _csv(found[-1], make(found[-1]), impact.header()))
            for picture, (draw, numbers) in impact.pictures.items():
                with timed(f"figure {picture}"):
                    figures.save_figure(draw(ds, shown), numbers(ds, shown), stage / FIGURES, picture, IMAGES)
        dataset = xr.merge(found, combine_attrs="override", compat="equals", join="exact").assign_attrs(
            comment="; ".join(one.attrs["comment"] for one in found)
        )
        check_space(stage, dataset.nbytes)
        save(dataset, stage / DATASET)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def impact_parts(dataset: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal of every impact that a dataset has."""
    for impact in IMPACTS.values():
        if impact.variable in dataset:
            yield from impact.parts(dataset)


def has_impacts(dataset: xr.Dataset) -> bool:
    """Whether a dataset is one that :func:`write_impacts` wrote."""
    return any(impact.variable in dataset for impact in IMPACTS.values())


def _csv(found: xr.Dataset, frame: pd.DataFrame, header: Sequence[str]) -> str:
    """Write a table as CSV text under a header of ``#`` lines."""
    lines = [
        " ".join(found.attrs["title"].split()),
        f"run {run_config(found).name}, caspian_sim {found.attrs['version']}",
        f"configuration {found.attrs['config_hash']}",
        f"made {found.attrs['created']}",
        "datum: metres in the Baltic Height System (m BHS)",
        *header,
    ]
    return "".join(f"# {line}\n" for line in lines) + frame.to_csv(index=False, lineterminator="\n")
