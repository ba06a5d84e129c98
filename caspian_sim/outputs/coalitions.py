"""Writes who does what for the level: attribution, burden sharing, figures and log; and prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.table import Table

from caspian_sim import figures
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.cooperate.burden import RULES, burden_sharing
from caspian_sim.cooperate.coalitions import JOINT, OUTCOMES, STATES, attribute, joint_programme
from caspian_sim.cooperate.tables import ALL, attribution_table, burden_table, by_labels
from caspian_sim.figures.reading import middle_scenario
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.outputs.log import LOGGER, log_versions, recorded, timed
from caspian_sim.outputs.tables import plain_table
from caspian_sim.outputs.write import FIGURES, IMAGES, LOG, Written
from caspian_sim.results import save

FOLDER = "attribution"
DATASET, TABLE, BURDEN = "attribute.nc", "attribution.csv", "burden.csv"
CSV_DIGITS = "%.6g"
DRAWN = {
    "joint": (figures.joint, figures.joint_table),
    "alone": (figures.alone, figures.alone_table),
    "shapley": (figures.shapley, figures.shapley_table),
    "burden": (figures.burden, figures.burden_figure_table),
}
CAVEAT = "what the measures give is an assumption (grade D) unless its grade says otherwise"


def write_attribution(
    config: Config,
    directory: Path,
    *,
    programme: str = JOINT,
    source: str = "",
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Written:
    """Attribute the effect of a joint programme to states and write a folder, whole or not at all.

    Parameters
    ----------
    config : Config
    directory : Path
    programme : str
        As for :func:`caspian_sim.attribute`.
    source, overwrite, progress
        As for :func:`caspian_sim.outputs.write.write_run`.

    Returns
    -------
    Written

    Raises
    ------
    ConfigError
        When there is no such programme, or nobody does anything in it.
    OutputError
        Before the runs, when the folder cannot be written or holds results that may not be replaced.
    """
    began = time.perf_counter()
    joint_programme(config, programme)
    pictures = [f"{FIGURES}/{name}.{ending}" for name in DRAWN for ending in (*IMAGES, "csv")]
    names = (DATASET, TABLE, BURDEN, LOG, *pictures)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("integrating", done, total)

    with recorded() as log, staged(directory, names, overwrite=overwrite) as stage:
        log_versions()
        LOGGER.info("configuration %s, SHA-256 %s", source or config.name, config_hash(config))
        LOGGER.info("resolved configuration:\n%s", resolved_yaml(config))
        with timed("integration and Shapley values"):
            dataset = attribute(config, programme=programme, progress=report)
        LOGGER.info("%d runs", dataset.attrs["runs"])
        LOGGER.info("Shapley values add up to the joint effect to %.1e m", _gap(dataset))
        save(dataset, stage / DATASET)
        write_text(stage / TABLE, attribution_csv(dataset))
        write_text(stage / BURDEN, burden_csv(dataset))
        for name, (draw, table) in DRAWN.items():
            with timed(f"figure {name}"):
                figures.save_figure(draw(dataset), table(dataset), stage / FIGURES, name, IMAGES)
        seconds = time.perf_counter() - began
        LOGGER.info("all: %.2f s", seconds)
        write_text(stage / LOG, log.text)
    return Written(dataset, directory, names, tuple(log.warnings), seconds)


def _gap(ds: xr.Dataset) -> float:
    return float(abs(ds["avoided_fall_shapley"].sum("state") - ds["avoided_fall_joint"]).max())


def attribution_csv(ds: xr.Dataset) -> str:
    """Write the attribution as CSV text under a header of ``#`` lines.

    Returns
    -------
    str
        ``pandas.read_csv(..., comment="#")`` reads it back.
    """
    return _csv(
        ds,
        [
            "avoided_fall: annual mean level above that without measures; avoided_seabed: seabed kept under "
            "water; water_brought: what the measures bring, outflow to the bay that they stop included",
            "alone: the state acts alone; shapley: its Shapley value, which add up to joint; joint: all "
            "together; interaction: joint less the sum of all alone; pair: Shapley interaction index",
        ],
        attribution_table(ds),
    )


def burden_csv(ds: xr.Dataset) -> str:
    """Write the burden sharing of an attribution as CSV text under a header of ``#`` lines."""
    rules = "; ".join(f"{name}: {text} ({grade})" for name, (grade, text) in RULES.items())
    return _csv(
        ds,
        [
            f"rules, with their grade: {rules}",
            "volume: share of the water that the joint programme brings; of_consumption: share over "
            "irretrievable consumption, above 100 what the state does not have",
            "gain: seabed that the joint programme keeps under water, in the sector of the state, by nearest "
            "coast, not by legal lines",
        ],
        burden_table(burden_sharing(ds)),
    )


def _csv(ds: xr.Dataset, notes: list[str], body: pd.DataFrame) -> str:
    header = [
        " ".join(ds.attrs["title"].split()),
        f"caspian_sim {ds.attrs['version']}, git {ds.attrs['git_revision']}, made {ds.attrs['created']}",
        f"configuration {ds.attrs['config_hash']}; programme {ds.attrs['joint_programme']}",
        *notes,
        f"mean, p05, p50, p95: over {ds.sizes['member']} members; means add up, percentiles do not",
        CAVEAT,
        f"{ds.attrs['runs']} runs, {ds.attrs['seconds']} s",
    ]
    table = body.to_csv(index=False, float_format=CSV_DIGITS, lineterminator="\n")
    return "".join(f"# {line}\n" for line in header) + table


def coalition_parts(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Titles and tables for the terminal: attribution of the last year by scenario, then the burden.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.
    """
    year = int(ds["year"].values[-1])
    found = by_labels(attribution_table(ds.sel(year=[year])), "scenario", "outcome", "part", "state")
    programme = ds.attrs["joint_programme"]
    for scenario in ds["scenario"].values:
        table = plain_table(("state",), ("alone, m", "Shapley, m", "5 to 95 %", "km²", "km³/yr"))
        rows = [(label, "alone", "shapley", state) for state, label in STATES.items()]
        for label, alone, share, state in (*rows, ("all together", "joint", "joint", ALL)):
            fall, seabed, volume = (found[str(scenario), outcome, share, state] for outcome in OUTCOMES)
            if state == ALL:
                interaction = found[str(scenario), "avoided_fall", "interaction", ALL]
                table.add_section()
                table.add_row("interaction", _decimals(interaction["mean"], 3))
            table.add_row(
                label,
                _decimals(found[str(scenario), "avoided_fall", alone, state]["mean"], 3),
                _decimals(fall["mean"], 3),
                f"{_decimals(fall['p05'], 3)} to {_decimals(fall['p95'], 3)}",
                _decimals(seabed["mean"], 0),
                _decimals(volume["mean"], 2),
            )
        yield f"Fall avoided by {year}, {scenario}, programme {programme}: mean over members", table
    yield _burden_part(ds, year)


def _burden_part(ds: xr.Dataset, year: int) -> tuple[str, Table]:
    scenario = middle_scenario(ds)
    shared = burden_sharing(ds.sel(scenario=[scenario], year=[year]))
    found = by_labels(burden_table(shared), "rule", "state")
    table = plain_table(("km³/yr (% of own use)", "grade"), tuple(STATES))
    for rule in RULES:
        cells = []
        for state in STATES:
            row = found[rule, state]
            percent = _decimals(row["of_consumption_percent"], 0)
            cells.append(f"{_decimals(row['volume_km3_per_yr'], 2)} ({percent})")
        table.add_row(rule, RULES[rule][0], *cells)
    table.add_section()
    table.add_row("gain, km²", "D", *(_decimals(found["equal", state]["gain_km2"], 0) for state in STATES))
    table.caption = (
        "volumes, consumption and gains by state are assumptions (grade D)\n"
        f"{ds.attrs['runs']:,} runs in {ds.attrs['seconds']} s"
    )
    table.caption_justify = "left"
    return f"Sharing the volume of {year} by five rules, {scenario}", table


def _decimals(value: float, digits: int) -> str:
    return f"{round(float(value), digits) + 0.0:,.{digits}f}"
