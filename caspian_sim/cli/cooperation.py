"""Commands about what the littoral states reach together, and who does what for it."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import (
    config_argument,
    overwrite_option,
    progress_bar,
    quiet_option,
    report,
    set_option,
    writing,
)


@click.command()
@config_argument
@set_option
@click.option(
    "--programme",
    metavar="NAME",
    default="joint",
    show_default=True,
    help="Programme of the configuration that says what each state does.",
)
@click.option("--output", metavar="DIR", help="Folder, in place of attribution/ in output.directory.")
@overwrite_option
@quiet_option
def attribute(
    config: Path,
    changes: tuple[str, ...],
    programme: str,
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Attribute the joint effect to the five states.

    Runs all 32 coalitions and gives exact Shapley values of the fall and the exposed seabed that are avoided
    in the report years, by scenario and member, what each state does alone, and rules for sharing the burden.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.outputs.coalitions import FOLDER, write_attribution

        settings = load_config(config, changes)
        folder = Path(settings.output.directory, FOLDER) if output is None else Path(output)
        with progress_bar(quiet) as progress:
            written = write_attribution(
                settings,
                folder,
                programme=programme,
                source=str(config),
                overwrite=overwrite,
                progress=progress,
            )
    report(written, quiet)
