"""Commands that take new observations in: outlook and reconstruction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, report, writing

if TYPE_CHECKING:
    from caspian_sim.outputs.write import Written

OBSERVE_DIRECTORY, RECONSTRUCT_DIRECTORY = "results/observe", "results/reconstruction"
MEMBERS = 4000


@click.command()
@click.argument("table", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@click.option(
    "--members",
    metavar="N",
    type=click.IntRange(2),
    default=MEMBERS,
    show_default=True,
    help="Members of the outlook.",
)
@click.option(
    "--output", metavar="DIR", default=OBSERVE_DIRECTORY, show_default=True, help="Folder of the results."
)
@overwrite_option
@quiet_option
def observe(table: Path | None, members: int, output: str, overwrite: bool, quiet: bool) -> None:
    """Take new observations in and look twelve months ahead.

    FILE is a CSV with new levels and inflows, by year or month; the documentation says how its columns are
    called. Without it the outlook rests on the shipped record. Names what is missing, late or contradictory,
    and writes the outlook by month, the reconstruction of the whole record, figures and run.log to a folder.
    """
    with writing():
        from caspian_sim.outputs.record import write_outlook

        with progress_bar(quiet) as progress:
            written = write_outlook(
                table, Path(output), members=members, overwrite=overwrite, progress=progress
            )
    _report(written, quiet)


@click.command()
@click.option(
    "--observations",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV of new observations, as for observe.",
)
@click.option(
    "--output", metavar="DIR", default=RECONSTRUCT_DIRECTORY, show_default=True, help="Folder of the results."
)
@overwrite_option
@quiet_option
def reconstruct(observations: Path | None, output: str, overwrite: bool, quiet: bool) -> None:
    """Reconstruct the balance of every year.

    Net evaporation, inflow and the level at the end of the years since 1922, with their uncertainty, from all
    observations together. Writes the dataset, a table, a figure and run.log to a folder.
    """
    with writing():
        from caspian_sim.outputs.record import write_reconstruction

        written = write_reconstruction(observations, Path(output), overwrite=overwrite)
    _report(written, quiet)


def _report(written: Written, quiet: bool) -> None:
    """Print tables and places; the notes stand in the tables, or are warnings when these are not wanted."""
    if not quiet:
        notes = written.dataset.attrs["notes"].splitlines()
        others = tuple(text for text in written.warnings if text not in notes)
        written = replace(written, warnings=others)
    report(written, quiet)
