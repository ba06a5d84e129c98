"""The command that sets the projections beside the published ones."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, report, writing

DIRECTORY = "results/literature"


@click.command()
@click.option(
    "--members",
    metavar="N",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    help="Members of our ensemble.",
)
@click.option("--output", metavar="DIR", default=DIRECTORY, show_default=True, help="Folder of the results.")
@overwrite_option
@quiet_option
def literature(members: int, output: str, overwrite: bool, quiet: bool) -> None:
    """Set the projections beside the published ones.

    For 2050 and 2100, with dynamic and with constant area, and how much of the gap is the area convention,
    the evaporation and the runoff. Half a minute with 512 members.
    """
    with writing():
        from caspian_sim.outputs.literature import write_literature

        with progress_bar(quiet) as progress:
            written = write_literature(Path(output), members=members, overwrite=overwrite, progress=progress)
    report(written, quiet)
