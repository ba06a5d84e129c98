"""Command about what more effort buys."""

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
@click.option("--year", metavar="YEAR", type=int, help="Year whose level counts; 2050, or the last one.")
@click.option(
    "--objective",
    type=click.Choice(("water", "share", "cost")),
    default="water",
    show_default=True,
    help="Effort: water brought, largest share of its consumption that a state gives up, or known cost.",
)
@click.option("--level", metavar="M", type=float, help="Level to stay above, m BHS; the highest threshold.")
@click.option(
    "--steps",
    metavar="N",
    type=int,
    default=4,
    show_default=True,
    help="Intensities of a measure; 1: on or off.",
)
@click.option("--programme", metavar="NAME", help="Choose from its measures, not from the whole catalogue.")
@click.option("--population", metavar="N", type=int, default=48, show_default=True, help="Of the search.")
@click.option("--generations", metavar="N", type=int, default=40, show_default=True, help="Of the search.")
@set_option
@click.option("--output", metavar="DIR", help="Folder, in place of tradeoffs/ in output.directory.")
@overwrite_option
@quiet_option
def tradeoffs(
    config: Path,
    year: int | None,
    objective: str,
    level: float | None,
    steps: int,
    programme: str | None,
    population: int,
    generations: int,
    changes: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Find the programmes that do most for their effort.

    Says how robust they are too.

    A programme carries out each measure to a share from nothing to all; the same is searched again with the
    same seed.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.cooperate.tradeoffs import chosen
        from caspian_sim.outputs.tradeoffs import NAME, write_tradeoffs

        settings = load_config(config, changes)
        choice = chosen(
            settings,
            year=year,
            objective=objective,
            level=level,
            steps=steps,
            population=population,
            generations=generations,
            programme=programme,
        )
        folder = Path(settings.output.directory, NAME) if output is None else Path(output)
        with progress_bar(quiet) as progress:
            written = write_tradeoffs(
                settings, folder, choice, source=str(config), overwrite=overwrite, progress=progress
            )
    report(written, quiet)
