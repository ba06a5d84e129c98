"""Commands that hold the model against the record, and say where its spread comes from."""

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

HINDCAST_DIRECTORY = "results/hindcast"


@click.command()
@click.option(
    "--output", metavar="DIR", default=HINDCAST_DIRECTORY, show_default=True, help="Folder of the results."
)
@overwrite_option
@quiet_option
def hindcast(output: str, overwrite: bool, quiet: bool) -> None:
    """Run the model over the record, 1937-2022.

    Compares it with the observed level and writes the dataset, tables, a figure and run.log to a folder.
    """
    with writing():
        from caspian_sim.outputs.write import write_hindcast

        with progress_bar(quiet) as progress:
            written = write_hindcast(Path(output), overwrite=overwrite, progress=progress)
    report(written, quiet)


@click.command()
@config_argument
@set_option
@click.option(
    "--samples",
    metavar="N",
    type=int,
    default=1024,
    show_default=True,
    help="Samples, a power of 2: N times (inputs + 2) runs in each scenario.",
)
@click.option("--output", metavar="DIR", help="Folder, in place of sensitivity/ in output.directory.")
@overwrite_option
@quiet_option
def sensitivity(
    config: Path, changes: tuple[str, ...], samples: int, output: str | None, overwrite: bool, quiet: bool
) -> None:
    """Find which inputs the spread comes from.

    Sobol indices of first order and in total of the annual mean level in the report years, by scenario, for
    the first programme, with 90 % confidence intervals.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.outputs.sensitivity import FOLDER, write_sensitivity

        settings = load_config(config, changes)
        folder = Path(settings.output.directory, FOLDER) if output is None else Path(output)
        with progress_bar(quiet) as progress:
            written = write_sensitivity(
                settings, folder, samples, source=str(config), overwrite=overwrite, progress=progress
            )
    report(written, quiet)
