"""Writes outlook and reconstruction, and puts their numbers into tables for the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from caspian_sim import figures
from caspian_sim.evaluate.outlook import MEMBERS, SEED, outlook
from caspian_sim.evaluate.reconstruct import DESCRIPTIONS, reconstruct
from caspian_sim.outputs.balances import Listing
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import OUTLOOK, RECONSTRUCTION, save

DECIMALS = {"m": 4, "mm year-1": 2, "km3 year-1": 3}
UNIT_NAMES = {"m": "m_bhs", "mm year-1": "mm_per_yr", "km3 year-1": "km3_per_yr"}
PRINTED_UNITS = {"m": "m BHS", "mm year-1": "mm/yr", "km3 year-1": "km³/yr"}
LAST_YEARS = 10


def write_outlook(
    observations: Path | None,
    directory: Path,
    *,
    members: int = MEMBERS,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Issue an outlook and a reconstruction, and write a folder, whole or not at all.

    Parameters
    ----------
    observations : Path, optional
        Table of new observations; the shipped record alone when not given.
    directory : Path
    members : int
    overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written
        With the outlook as its dataset.

    Raises
    ------
    DataError
        When the table cannot be used.
    OutputError
        Before anything is worked out, when the folder cannot be written or holds results that may not be
        replaced.
    """
    began = time.perf_counter()
    names = (
        f"{OUTLOOK}.nc",
        f"{OUTLOOK}.csv",
        f"{RECONSTRUCTION}.nc",
        f"{RECONSTRUCTION}.csv",
        LOG,
        *_pictures(OUTLOOK),
        *_pictures(RECONSTRUCTION),
    )

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("observations: %s; %d members, seed %d", observations or "as shipped", members, SEED)
        with timed("outlook"):
            ahead = outlook(observations, members=members, progress=report)
        _log_observations(ahead)
        with timed("reconstruction"):
            past = reconstruct(observations)
        save(ahead, stage / f"{OUTLOOK}.nc")
        write_text(stage / f"{OUTLOOK}.csv", outlook_csv(ahead))
        with timed(f"figure {OUTLOOK}"):
            picture, table = figures.outlook(ahead), figures.outlook_table(ahead)
            figures.save_figure(picture, table, stage / FIGURES, OUTLOOK, IMAGES)
        _save_reconstruction(past, stage)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(ahead, directory, names, tuple(log.warnings), seconds)


def write_reconstruction(observations: Path | None, directory: Path, *, overwrite: bool = False) -> Written:
    """Reconstruct the balance and write a folder, whole or not at all.

    Parameters
    ----------
    observations, directory, overwrite
        As for :func:`write_outlook`.

    Returns
    -------
    Written

    Raises
    ------
    DataError, OutputError
        As for :func:`write_outlook`.
    """
    began = time.perf_counter()
    names = (f"{RECONSTRUCTION}.nc", f"{RECONSTRUCTION}.csv", LOG, *_pictures(RECONSTRUCTION))
    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("observations: %s", observations or "as shipped")
        with timed("reconstruction"):
            past = reconstruct(observations)
        _log_observations(past)
        _save_reconstruction(past, stage)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(past, directory, names, tuple(log.warnings), seconds)


def _pictures(name: str) -> list[str]:
    return [f"{FIGURES}/{name}.{ending}" for ending in (*IMAGES, "csv")]


def _save_reconstruction(past: xr.Dataset, stage: Path) -> None:
    save(past, stage / f"{RECONSTRUCTION}.nc")
    write_text(stage / f"{RECONSTRUCTION}.csv", reconstruction_csv(past))
    with timed(f"figure {RECONSTRUCTION}"):
        picture, table = figures.reconstruction(past), figures.reconstruction_table(past)
        figures.save_figure(picture, table, stage / FIGURES, RECONSTRUCTION, IMAGES)


def _log_observations(ds: xr.Dataset) -> None:
    for text in ds.attrs["added"].splitlines():
        LOGGER.info("new: %s", text)
    for text in ds.attrs["notes"].splitlines():
        LOGGER.warning("%s", text)


def outlook_csv(ds: xr.Dataset) -> str:
    """Write an outlook as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        One row a month, then one a year without a month for the annual mean; quantiles in m BHS.
    """
    table = figures.outlook_table(ds)
    rows = table[table["kind"] == "outlook"].drop(columns="kind")
    rows = pd.concat([rows[rows["month"].notna()], rows[rows["month"].isna()]])
    header = [
        f"months seen since the end of {ds.attrs['last_level_year']}: {ds.attrs['months_seen']}; members: "
        f"{ds.attrs['members']}, effective {ds.attrs['effective_members']}; a row without a month is an "
        "annual mean",
    ]
    return _csv(ds, header, rows.round(DECIMALS["m"]))


def reconstruction_csv(ds: xr.Dataset) -> str:
    """Write a reconstruction as CSV text under a header of ``#`` lines, one row a year.

    Returns
    -------
    str
        Mean, standard deviation, 5 and 95 % point of every quantity; the observations beside.
    """
    columns = {"year": ds["year"].values}
    points = {"": "mean", "_sd": "sd", "_low": "p05", "_high": "p95"}
    for name, (unit, _) in DESCRIPTIONS.items():
        for end, point in points.items():
            label = "m" if unit == "m" and point == "sd" else UNIT_NAMES[unit]
            columns[f"{name}_{point}_{label}"] = ds[f"{name}{end}"].values.round(DECIMALS[unit]) + 0.0
    columns["observed_level_m_bhs"] = ds["observed_level"].values
    columns["observed_inflow_km3_per_yr"] = ds["observed_inflow"].values
    columns["inflow_source"] = ds["inflow_source"].values
    header = [
        "end_level: level at the end of the year without its season; lasting_net_evaporation: without the "
        "weather of single years",
        f"inflow_source: what the inflow is known from; grade {ds.attrs['grade']}",
    ]
    return _csv(ds, header, pd.DataFrame(columns))


def _csv(ds: xr.Dataset, header: list[str], rows: pd.DataFrame) -> str:
    about = [
        ds.attrs["title"],
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        "datum: Baltic Height System (BHS)",
        f"new observations: {ds.attrs.get('observations', 'none')}",
        *ds.attrs["notes"].splitlines(),
        *header,
    ]
    return "".join(f"# {line}\n" for line in about) + rows.to_csv(index=False, lineterminator="\n")


def decades(ds: xr.Dataset) -> pd.DataFrame:
    """Means of a reconstruction over decades.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.reconstruct`.

    Returns
    -------
    pandas.DataFrame
        By `decade`: years that it has, mean net evaporation (mm/yr), inflow and outflow to Kara-Bogaz-Gol
        (km³/yr), and the level at its end (m BHS).
    """
    names = ["net_evaporation", "lasting_net_evaporation", "inflow", "strait_outflow", "end_level"]
    frame = ds[names].to_dataframe()
    by_decade = frame.groupby(frame.index.to_numpy() // 10 * 10)
    means = by_decade[names[:-1]].mean().assign(end_level=by_decade["end_level"].last())
    means.insert(0, "years", by_decade.size())
    return means.rename_axis("decade").reset_index()


def outlook_listings(ds: xr.Dataset) -> Iterator[Listing]:
    """Tables of an outlook: what is new, what is odd, the state it starts from, and the months."""
    yield from _observation_listings(ds)
    last = ds.attrs["last_level_year"]
    rows = []
    for name, label in (
        ("state_level", "level without its season"),
        ("state_slow_net_evaporation", "slow departure of net evaporation"),
        ("state_inflow", "departure of inflow, short memory"),
        ("state_slow_inflow", "slow departure of inflow"),
    ):
        unit, form = ds[name].attrs["units"], ".2f" if name == "state_level" else "+.0f"
        spread = format(float(ds[f"{name}_sd"]), form.removeprefix("+"))
        rows.append((label, _number(ds[name], form), spread, PRINTED_UNITS[unit]))
    yield Listing(f"State at the end of {last}", ("quantity",), ("mean", "±", "unit"), rows)
    heads = tuple(f"{100 * q:g} %" for q in ds["quantile"].values)
    months = [
        (str(when)[:7], *(_number(level, ".2f") for level in levels))
        for when, levels in zip(
            ds["time"].values, ds["level"].transpose("time", "quantile").values, strict=True
        )
    ]
    annual = [
        (f"mean of {year}", *(_number(level, ".2f") for level in levels))
        for year, levels in zip(
            ds["year"].values, ds["annual_level"].transpose("year", "quantile").values, strict=True
        )
    ]
    seen = ds.attrs["months_seen"]
    yield Listing(
        "Level in the coming months, m BHS",
        ("month",),
        heads,
        [*months, *annual],
        f"{ds.attrs['members']:,} members{f', {seen} months seen' if seen else ''}; single months with their "
        "season",
    )


def reconstruction_listings(ds: xr.Dataset) -> Iterator[Listing]:
    """Tables of a reconstruction: what is new, what is odd, the decades, and the last years."""
    yield from _observation_listings(ds)
    rows = [
        (
            f"{int(row['decade'])}s",
            str(int(row["years"])),
            *(f"{row[name]:.0f}" for name in ("net_evaporation", "inflow")),
            f"{row['strait_outflow']:.1f}",
            f"{row['end_level']:.2f}",
        )
        for row in decades(ds).to_dict("records")
    ]
    heads = ("years", "net evap., mm/yr", "inflow, km³/yr", "outflow, km³/yr", "level at end")
    yield Listing("Means over decades", ("decade",), heads, rows, "level m BHS, without its season")
    late = ds.isel(year=slice(-LAST_YEARS, None))
    rows = []
    for place, year in enumerate(late["year"].values):
        now = late.isel(year=place)
        cells = [
            f"{float(now[name]):{form}} ± {float(now[f'{name}_sd']):{form}}"
            for name, form in (("net_evaporation", ".0f"), ("inflow", ".0f"), ("end_level", ".2f"))
        ]
        rows.append((str(int(year)), cells[0], cells[1], str(now["inflow_source"].values), cells[2]))
    columns = ("net evap., mm/yr", "inflow, km³/yr", "known from", "level at end")
    yield Listing("The last years", ("year",), columns, rows, ds.attrs["grade"])


def _observation_listings(ds: xr.Dataset) -> Iterator[Listing]:
    if "observations" in ds.attrs:
        added = ds.attrs["added"].splitlines() or ["nothing that the record does not have"]
        yield Listing("New observations", (ds.attrs["observations"],), (), [(text,) for text in added])
    if ds.attrs["notes"]:
        rows = [(text,) for text in ds.attrs["notes"].splitlines()]
        yield Listing("To be known", ("what is missing, late or at odds",), (), rows)


def _number(value: object, form: str) -> str:
    decimals = int(form[-2])
    return format(round(float(np.asarray(value)), decimals) + 0.0, form)
