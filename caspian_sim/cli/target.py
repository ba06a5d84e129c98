"""Commands about what is needed: the inflow for a target level, and the cost of delay."""

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
@click.option("--level", metavar="M", type=float, required=True, help="Level to hold, m BHS, such as -29.5.")
@click.option("--year", metavar="YEAR", type=int, required=True, help="Year in which it is to be held.")
@click.option(
    "--probability", metavar="P", type=float, default=0.5, show_default=True, help="Share of the members."
)
@click.option("--start", metavar="YEAR", type=int, help="First year of the extra inflow; that of the period.")
@click.option("--ramp", metavar="YEARS", type=float, default=0.0, help="Time until it is at its full size.")
@click.option(
    "--throughout", is_flag=True, help="Hold the level in every year until then, not in that alone."
)
@set_option
@click.option("--output", metavar="DIR", help="Folder, in place of target/ in output.directory.")
@overwrite_option
@quiet_option
def target(
    config: Path,
    level: float,
    year: int,
    probability: float,
    start: int | None,
    ramp: float,
    throughout: bool,
    changes: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Find the extra inflow that holds a level.

    For each scenario the constant extra inflow with which the annual mean does not lie below the level with
    the probability, and the probability that each programme and the whole catalogue give.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.cooperate.target import Asked
        from caspian_sim.outputs.target import TARGET, write_target

        settings = load_config(config, changes)
        folder = Path(settings.output.directory, TARGET) if output is None else Path(output)
        begin = settings.period.start if start is None else start
        with progress_bar(quiet) as progress:
            written = write_target(
                settings,
                folder,
                Asked(level, year, probability, begin, throughout),
                ramp_years=ramp,
                source=str(config),
                overwrite=overwrite,
                progress=progress,
            )
    report(written, quiet)


@click.command()
@config_argument
@click.option(
    "--start", "starts", metavar="YEAR", type=int, multiple=True, help="Start; repeat. 2027, 2035 and 2045."
)
@click.option("--programme", metavar="NAME", help="Programme to delay; joint, or the first with measures.")
@set_option
@click.option("--output", metavar="DIR", help="Folder, in place of delay/ in output.directory.")
@overwrite_option
@quiet_option
def delay(
    config: Path,
    starts: tuple[int, ...],
    programme: str | None,
    changes: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Show what waiting with a programme costs.

    The same programme is begun in different years, with the same members.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.cooperate.delay import STARTS
        from caspian_sim.outputs.target import DELAY, write_delay

        settings = load_config(config, changes)
        folder = Path(settings.output.directory, DELAY) if output is None else Path(output)
        with progress_bar(quiet) as progress:
            written = write_delay(
                settings,
                folder,
                starts=starts or STARTS,
                programme=programme,
                source=str(config),
                overwrite=overwrite,
                progress=progress,
            )
    report(written, quiet)
