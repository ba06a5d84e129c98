"""What the commands share: options, progress, and what is printed at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from caspian_sim.outputs.write import Written

Progress = Callable[[str, int, int], None]

INVALID, INTERRUPTED = 2, 130

config_argument = click.argument("config", type=click.Path(path_type=Path))
set_option = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the configuration, such as uncertainty.members=20. May be repeated.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace the files of an earlier run; others in the folder stay."
)
quiet_option = click.option("--quiet", is_flag=True, help="Print errors and warnings only.")


@contextmanager
def writing() -> Iterator[None]:
    """Say, when the user stops a command that writes, that it has written nothing, or how to continue it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        click.echo(f"interrupted: {str(stop) or 'nothing was written'}", err=True)
        click.get_current_context().exit(INTERRUPTED)


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress | None]:
    """Show progress with the time left on standard error, when that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        stages: dict[str, Any] = {}

        def show_step(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done)

        yield show_step


def report(written: Written, quiet: bool) -> None:
    """Print warnings, and unless quiet the tables and the place of the results."""
    for text in written.warnings:
        click.echo(f"warning: {text}", err=True)
    if quiet:
        return
    from caspian_sim.outputs.terminal import places, print_result

    print_result(written.dataset)
    click.echo("\n" + "\n".join(places(written)))
