"""The command that calibrates the parameters on the record."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, report, writing

CALIBRATION_DIRECTORY = "results/calibration"


@click.command()
@click.option("--ensembles", type=int, metavar="N", help="Ensembles that know nothing of each other; 4.")
@click.option("--walkers", type=int, metavar="N", help="Walkers of each; 256.")
@click.option("--steps", type=int, metavar="N", help="Steps that count; 1000.")
@click.option("--burn-in", type=int, metavar="N", help="Steps before them that do not; 600.")
@click.option("--seed", type=int, metavar="N", help="Seed of the random numbers; 20251211.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    default=2,
    show_default=True,
    help="Processes at work at once; no number depends on it.",
)
@click.option(
    "--output",
    metavar="DIR",
    default=CALIBRATION_DIRECTORY,
    show_default=True,
    help="Folder of the results.",
)
@overwrite_option
@quiet_option
def calibrate(
    ensembles: int | None,
    walkers: int | None,
    steps: int | None,
    burn_in: int | None,
    seed: int | None,
    workers: int,
    output: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Calibrate the parameters on the record.

    Samples the posterior given level and inflow up to 2022 and the facts about Kara-Bogaz-Gol, in minutes,
    and writes it with chains, diagnostics, tables, figures and run.log to a folder. A configuration uses it
    as uncertainty.posterior.
    """
    with writing():
        from caspian_sim.evaluate.ensembles import Settings
        from caspian_sim.outputs.calibration import write_calibration

        given = {
            "ensembles": ensembles,
            "walkers": walkers,
            "steps": steps,
            "burn_in": burn_in,
            "seed": seed,
        }
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        with progress_bar(quiet) as progress:
            written = write_calibration(
                Path(output), settings, workers=workers, overwrite=overwrite, progress=progress
            )
    report(written, quiet)
