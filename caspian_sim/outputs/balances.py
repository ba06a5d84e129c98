"""Writes a solved balance or an equilibrium, and puts their numbers into tables for the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim import figures
from caspian_sim.evaluate.balance_table import RESULTS, TERMS
from caspian_sim.evaluate.equilibrium import SENSITIVITIES
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

# Beyond so many rows the terminal shows means over years, or decades.
MOST_ROWS = 60
FLUX_DECIMALS, LEVEL_DECIMALS = 3, 4
# Sensitivities that mean something when the strait is dammed.
CLOSED = ("level_per_inflow", "level_per_net_evaporation", "level_per_area_factor")


@dataclass(frozen=True)
class Listing:
    """A table for the terminal.

    Attributes
    ----------
    title, caption : str
    left, right : tuple of str
        Columns of text, and of numbers.
    rows : sequence of tuple of str
    """

    title: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


def write_balance(
    solved: Callable[[], xr.Dataset], directory: Path, *, source: str, overwrite: bool = False
) -> Written:
    """Solve a balance and write its folder: dataset, table and log.

    Parameters
    ----------
    solved : callable
        Gives the result of :func:`caspian_sim.solve_balance`.
    directory : Path
    source : str
        Name of the table that it comes from, for the log.
    overwrite : bool
        Replace the files of an earlier balance.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        Before the balance is solved, when the folder cannot be written or holds results.
    """
    return _write(solved, directory, "balance", balance_csv, source, overwrite, pictures=False)


def write_equilibrium(
    solved: Callable[[], xr.Dataset], directory: Path, *, source: str, overwrite: bool = False
) -> Written:
    """Find an equilibrium and write its folder: dataset, table, figure and log.

    Parameters
    ----------
    solved : callable
        Gives the result of :func:`caspian_sim.equilibrium` for one forcing.
    directory, source, overwrite
        As for :func:`write_balance`.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        As for :func:`write_balance`.
    """
    return _write(solved, directory, "equilibrium", equilibrium_csv, source, overwrite, pictures=True)


def _write(
    solved: Callable[[], xr.Dataset],
    directory: Path,
    name: str,
    csv: Callable[[xr.Dataset], str],
    source: str,
    overwrite: bool,
    pictures: bool,
) -> Written:
    began = time.perf_counter()
    drawn = [f"{FIGURES}/{name}.{ending}" for ending in (*IMAGES, "csv")] if pictures else []
    names = (f"{name}.nc", f"{name}.csv", LOG, *drawn)
    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("%s of %s", name, source)
        with timed("solution"):
            dataset = solved()
        save(dataset, stage / f"{name}.nc")
        write_text(stage / f"{name}.csv", csv(dataset))
        if pictures:
            with timed("figure"):
                figures.save_figure(
                    figures.equilibrium(dataset),
                    figures.equilibrium_table(dataset),
                    stage / FIGURES,
                    name,
                    IMAGES,
                )
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def balance_frame(ds: xr.Dataset) -> pd.DataFrame:
    """Solved balance as a table that :func:`caspian_sim.solve_balance` reads again.

    Returns
    -------
    pandas.DataFrame
        One row a period: the terms, and what else was found.
    """
    columns = {name: ds[name].values for name in ("year", "month") if name in ds.coords}
    for name in (name for name in ds.data_vars if "time" in ds[name].dims):
        units = ds[name].attrs["units"]
        column = (TERMS if name in TERMS else RESULTS)[str(name)].column
        decimals = {"m": LEVEL_DECIMALS, "km2": 0}.get(units, FLUX_DECIMALS)
        columns[column] = np.round(ds[name].values, decimals) + 0.0  # no negative zero
    return pd.DataFrame(columns)


def balance_csv(ds: xr.Dataset) -> str:
    """Write a solved balance as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    frame = balance_frame(ds)
    header = [
        *_head(ds),
        f"{ds.attrs['levels']}; {ds.attrs['strait']}",
        f"level at the start: {float(ds['start_level']):.4f} m BHS",
        "fluxes are rates per year; closure error: gains less losses less rise of storage",
    ]
    return "".join(f"# {line}\n" for line in header) + frame.to_csv(index=False, lineterminator="\n")


def equilibrium_csv(ds: xr.Dataset) -> str:
    """Write an equilibrium as CSV text under a header of ``#`` lines, one quantity a row."""
    header = [
        *_head(ds),
        f"inflow {float(ds['inflow']):.1f} km3/yr, net evaporation {float(ds['net_evaporation']):.1f} mm/yr, "
        f"groundwater {float(ds['groundwater']):g} km3/yr, strait {ds.attrs['strait']}, area factor "
        f"{float(ds['area_factor']):g}",
    ]
    rows = pd.DataFrame(
        {
            "quantity": list(ds.data_vars),
            "value": [f"{float(ds[name]):.7g}" for name in ds.data_vars],
            "units": [ds[name].attrs["units"] for name in ds.data_vars],
            "meaning": [ds[name].attrs["long_name"] for name in ds.data_vars],
        }
    )
    return "".join(f"# {line}\n" for line in header) + rows.to_csv(index=False, lineterminator="\n")


def _head(ds: xr.Dataset) -> list[str]:
    return [
        ds.attrs["title"],
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        "datum: Baltic Height System (BHS)",
    ]


def balance_listings(ds: xr.Dataset) -> Iterator[Listing]:
    """Table of a solved balance: a row a period, or means over years or decades where these are many."""
    shown = {
        "inflow": ("inflow", 1),
        "groundwater": ("ground", 1),
        "net_evaporation": ("net evap.", 1),
        "strait_outflow": ("outflow", 2),
        "storage": ("storage", 1),
        "closure_error": ("error", 2),
        "level_end": ("level", 2),
    }
    frame = pd.DataFrame({name: ds[name].values for name in shown})
    length = np.diff(ds["time_bnds"].values.astype("int64"), axis=1)[:, 0]
    year, monthly = ds["year"].values, "month" in ds.coords
    label = [f"{y}-{m:02d}" for y, m in zip(year, ds["month"].values, strict=True)] if monthly else year
    kind = "month" if monthly else "year"
    if len(frame) > MOST_ROWS:
        label, kind = (
            (year, "year") if monthly else (np.char.add((year // 10 * 10).astype(str), "s"), "decade")
        )
    rows = [
        _cells(str(name), part, length[part.index], shown) for name, part in frame.groupby(np.array(label))
    ]
    rows.append(_cells("all", frame, length, shown))
    yield Listing(
        ds.attrs["title"],
        (kind,),
        tuple(head for head, _ in shown.values()),
        rows,
        "km³/yr; net evaporation mm/yr; level at the end m BHS;\n"
        f"error: gains less losses less storage\n{ds.attrs['strait']}\n{ds.attrs['levels']}",
    )


def _cells(
    label: str, part: pd.DataFrame, length: np.ndarray, shown: dict[str, tuple[str, int]]
) -> tuple[str, ...]:
    cells = [label]
    for name, (_, decimals) in shown.items():
        values = part[name].to_numpy()
        value = values[-1] if name == "level_end" else float(np.average(values, weights=length))
        cells.append(f"{round(value, decimals) + 0.0:.{decimals}f}")
    return tuple(cells)


def equilibrium_listings(ds: xr.Dataset) -> Iterator[Listing]:
    """Tables of an equilibrium: where the sea comes to rest and how fast, and what moves it."""

    def value(name: str, form: str) -> str:
        return format(float(ds[name]), form)

    rows = [
        ("level of the sea", value("level", ".2f"), "m BHS"),
        ("area of the sea", value("sea_area", ",.0f"), "km²"),
        ("outflow to Kara-Bogaz-Gol", value("strait_outflow", ".1f"), "km³/yr"),
        ("level of Kara-Bogaz-Gol", value("bay_level", ".2f"), "m BHS"),
        ("response time, slower mode", value("response_time", ".1f"), "yr"),
        ("response time, faster mode", value("fast_response_time", ".1f"), "yr"),
    ]
    yield Listing(
        ds.attrs["title"],
        ("quantity",),
        ("value", "unit"),
        rows,
        f"inflow {value('inflow', '.1f')} km³/yr, groundwater {value('groundwater', 'g')} km³/yr\n"
        f"net evaporation {value('net_evaporation', '.1f')} mm/yr\n"
        f"strait {ds.attrs['strait']}, area factor {value('area_factor', 'g')}",
    )
    steps = {
        "level_per_inflow": (10.0, "+10 km³/yr"),
        "level_per_net_evaporation": (10.0, "+10 mm/yr"),
        "level_per_area_factor": (0.01, "+1 %"),
        "level_per_bay_net_evaporation": (10.0, "+10 mm/yr"),
        "level_per_strait_sill": (0.1, "+0.1 m"),
        "level_per_strait_coefficient": (0.1, "+0.1 km³/yr/m^1.5"),
    }
    moved = [
        (SENSITIVITIES[name][2], step, f"{round(float(ds[name]) * size, 3) + 0.0:+.3f}")
        for name, (size, step) in steps.items()
        if ds.attrs["strait"] != "dammed" or name in CLOSED
    ]
    yield Listing(
        "Change of the equilibrium level", ("with", "by"), ("m",), moved, "derivatives at the equilibrium"
    )
