"""The command that tests forecasts on years that they did not know."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, report, writing

DIRECTORY, ORIGINS, MEMBERS = "results/verification", "1966:2015", 1000


@click.command()
@click.option(
    "--origins",
    metavar="FIRST:LAST",
    default=ORIGINS,
    show_default=True,
    help="Years from which forecasts are issued, both inclusive.",
)
@click.option(
    "--members",
    metavar="N",
    type=click.IntRange(2),
    default=MEMBERS,
    show_default=True,
    help="Members of each forecast.",
)
@click.option("--output", metavar="DIR", default=DIRECTORY, show_default=True, help="Folder of the results.")
@overwrite_option
@quiet_option
def verify(origins: str, members: int, output: str, overwrite: bool, quiet: bool) -> None:
    """Test forecasts from past years.

    Issues a forecast of the next 20 years from each origin year with nothing but the data known then, scores
    it against what came and against persistence and trend, and writes the forecasts, tables, figures and
    run.log to a folder.
    """
    with writing():
        from caspian_sim.outputs.verification import origin_years, write_verification

        years = origin_years(origins)
        with progress_bar(quiet) as progress:
            written = write_verification(years, members, Path(output), overwrite=overwrite, progress=progress)
    report(written, quiet)
