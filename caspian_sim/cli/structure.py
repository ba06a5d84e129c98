"""Commands about the structure of the model and what it matters beside all other sources of spread."""

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
    "--vary",
    multiple=True,
    metavar="CHOICE",
    help="Structural choice that varies: evaporation, area_convention or strait; may be repeated. All of "
    "them when not given.",
)
@click.option(
    "--samples", metavar="N", type=int, default=64, show_default=True, help="Draws of the parameters."
)
@click.option(
    "--streams", metavar="N", type=int, default=64, show_default=True, help="Draws of internal variability."
)
@click.option("--output", metavar="DIR", help="Folder, in place of variance/ in output.directory.")
@overwrite_option
@quiet_option
def variance(
    config: Path,
    changes: tuple[str, ...],
    vary: tuple[str, ...],
    samples: int,
    streams: int,
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Split the spread of the level among its sources.

    Scenario, parameters, structure, internal variability and their interactions, year by year, for the first
    programme, with 90 % confidence intervals.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.evaluate.variance import CHOICES
        from caspian_sim.outputs.variance import FOLDER, write_variance

        settings = load_config(config, changes)
        folder = Path(settings.output.directory, FOLDER) if output is None else Path(output)
        with progress_bar(quiet) as progress:
            written = write_variance(
                settings,
                folder,
                vary=vary or tuple(CHOICES),
                samples=samples,
                streams=streams,
                source=str(config),
                overwrite=overwrite,
                progress=progress,
            )
    report(written, quiet)
