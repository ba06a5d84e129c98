"""What a level means for ports and ecosystems as datasets to be saved, and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from rich.table import Table

from caspian_sim.figures.reading import MEDIAN, middle_scenario
from caspian_sim.figures.text import name
from caspian_sim.impacts.ecosystem import ecosystem_outcomes
from caspian_sim.impacts.port_outcomes import port_outcomes
from caspian_sim.impacts.seabed import impact_attributes
from caspian_sim.outputs.tables import number, plain_table

PORTS, ECOSYSTEM = "port_below_draft", "ecosystem_below"
PERCENT = 100.0
NEVER = "later"


def ports_of_run(ds: xr.Dataset) -> xr.Dataset:
    """Reckon the outcomes of the ports, with names that stand beside those of other impacts."""
    return _named(ds, port_outcomes(ds), "port_", ("ports", "vessels"), ports_header())


def ecosystem_of_run(ds: xr.Dataset) -> xr.Dataset:
    """Reckon the outcomes of the ecosystem, with names that stand beside those of other impacts."""
    return _named(ds, ecosystem_outcomes(ds), "ecosystem_", ("thresholds",), ecosystem_header())


def _named(
    ds: xr.Dataset, found: xr.Dataset, prefix: str, tables: Sequence[str], said: Sequence[str]
) -> xr.Dataset:
    named = found.rename({variable: f"{prefix}{variable}" for variable in found.data_vars})
    return named.assign_attrs(impact_attributes(ds, tables, "; ".join(said)))


def ports_header() -> list[str]:
    """Lines that a table of ports needs below it."""
    return [
        "most vessels and all losses of cargo are assumptions (grade D)",
        "no dredging after the figure of a port",
    ]


def ecosystem_header() -> list[str]:
    """Lines that a table of thresholds needs below it."""
    return ["falls are counted from -28 m BHS, an assumption (grade D)"]


def port_parts(found: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Title and table for the terminal: when the vessel of each port can probably not load in full."""
    where = {"scenario": middle_scenario(found), "programme": found["programme"].values[0]}
    here = found.sel(where)
    last = int(here["year"].values[-1])
    table = plain_table(("port", "grade"), ("from", f"{last}, %", f"depth in {last}, m"))
    for port in here["port"].values:
        row = here.sel(port=port)
        first = float(row["port_first_year"])
        depth = row["port_depth_left"].sel(year=last, quantile=MEDIAN)
        table.add_row(
            f"{row['port_title'].item()}, {row['port_kind'].item()}",
            str(row["port_grade"].item()),
            NEVER if np.isnan(first) else f"{first:.0f}",
            f"{PERCENT * float(row[PORTS].sel(year=last)):.0f}",
            number(depth),
        )
    said = "; ".join(["from: first year with one half or more", *ports_header()])
    table.caption, table.caption_justify = said, "left"
    yield f"Ports whose vessel cannot load in full, {where['scenario']}, {where['programme']}", table


def ecosystem_parts(found: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Title and table for the terminal: the chance of each threshold in the last year by scenario."""
    programme = found["programme"].values[0]
    here = found[ECOSYSTEM].sel(programme=programme, reference=found["reference"].values[0])
    last = int(here["year"].values[-1])
    scenarios = [str(scenario) for scenario in here["scenario"].values]
    table = plain_table(("threshold", "grade"), [f"{scenario}, %" for scenario in scenarios])
    for impact in here["impact"].values:
        row = here.sel(impact=impact, year=last)
        table.add_row(
            name("impact", str(impact)),
            str(found["impact_grade"].sel(impact=impact).item()),
            *(f"{PERCENT * float(row.sel(scenario=scenario)):.0f}" for scenario in scenarios),
        )
    table.caption, table.caption_justify = ecosystem_header()[0], "left"
    yield f"Thresholds that the level lies below in {last}, {programme}", table
