"""Command that says what the level of a run means on the coast."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, quiet_option, report, writing


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--only", multiple=True, metavar="NAME", help="Impact to write, such as seabed; may be repeated."
)
@click.option("--scenario", metavar="SSP", help="Scenario of the figures.  [default: ssp245, or the first]")
@click.option(
    "--programme",
    metavar="NAME",
    help="Programme that figures set beside none.  [default: joint, or the last]",
)
@click.option("--year", type=int, metavar="YEAR", help="Year of the maps.  [default: the last]")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder, in place of impacts/ beside it."
)
@overwrite_option
@quiet_option
def impacts(
    result: Path,
    only: tuple[str, ...],
    scenario: str | None,
    programme: str | None,
    year: int | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Say what the level of a saved RESULT means on the coast.

    RESULT is the folder of a run, or its file. Writes impacts.nc, tables and figures: the seabed that each
    state sees fall dry, maps of the shore, what is left at ports, and what becomes of habitats.
    """
    with writing():
        from caspian_sim.outputs.impacts import View, write_impacts

        view = View(scenario, programme, year)
        written = write_impacts(result, output, only=only, view=view, overwrite=overwrite)
    report(written, quiet)
