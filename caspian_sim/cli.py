"""The command line: a thin shell over the public functions.

Nothing but click is imported until a command runs, so that help and completion answer at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caspian_sim import __version__
from caspian_sim.errors import CaspianError

if TYPE_CHECKING:
    from caspian_sim.outputs.write import Written

Progress = Callable[[str, int, int], None]

INVALID, INTERRUPTED = 2, 130
HINDCAST_DIRECTORY = "results/hindcast"


class Commands(click.Group):
    """Turns what a user can mend into a message and an exit code; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        for stream in (sys.stdout, sys.stderr):
            # A console that lacks a sign such as ³ or − shows a question mark instead of failing.
            getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
        try:
            return super().invoke(ctx)
        except CaspianError as error:
            click.echo(str(error), err=True)
            ctx.exit(INVALID)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="caspian-sim")
def main() -> None:
    """Project the level of the Caspian Sea under climate change and joint measures.

    Start with "caspian-sim init", then "caspian-sim run caspian.yaml". Levels are metres in the Baltic Height
    System (m BHS).
    """


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


@main.command()
@config_argument
@set_option
@click.option("--output", metavar="DIR", help="Folder of the results, in place of output.directory.")
@overwrite_option
@click.option("--resume", is_flag=True, help="Continue a run that was killed or interrupted.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Parts at work at once, in place of execution.workers.",
)
@quiet_option
def run(
    config: Path,
    changes: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    resume: bool,
    workers: int | None,
    quiet: bool,
) -> None:
    """Run CONFIG and write its results to a folder.

    The folder gets the dataset (NetCDF), summary.csv, figures with their numbers, and run.log. It is
    output.directory of the configuration, or results/<name>.
    """
    with writing():
        from caspian_sim.config import load_config
        from caspian_sim.outputs.write import write_run
        from caspian_sim.resume import starts_anew

        if output is not None:
            # As a JSON string, which is YAML: a folder may be called 2050 or null.
            changes = (*changes, f"output.directory={json.dumps(output, ensure_ascii=False)}")
        if workers is not None:
            changes = (*changes, f"execution.workers={workers}")
        settings = load_config(config, changes)
        if resume and not quiet and starts_anew(Path(settings.output.directory), overwrite):
            click.echo(
                f"note: nothing to resume in {settings.output.directory}, the run starts from the beginning",
                err=True,
            )
        with progress_bar(quiet) as progress:
            written = write_run(
                settings, source=str(config), overwrite=overwrite, resume=resume, progress=progress
            )
    report(written, quiet)


@main.command()
@config_argument
@set_option
def validate(config: Path, changes: tuple[str, ...]) -> None:
    """Check CONFIG and the files it names.

    Reports everything that is wrong. Exits with 0 when all is valid and 2 when it is not.
    """
    from caspian_sim.config import load_config
    from caspian_sim.simulate import make_plan

    valid = load_config(config, changes)
    make_plan(valid)
    click.echo(f"{config}: valid\n{valid}")


@main.command()
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE, which is replaced."
)
def schema(output: Path | None) -> None:
    """Print the JSON Schema of a configuration.

    Editors use it for completion and checks.
    """
    from caspian_sim.config import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output is None:
        click.echo(text)
        return
    from caspian_sim.outputs.folder import write_text

    write_text(output, text + "\n")


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="caspian.yaml")
def init(path: Path) -> None:
    """Write a commented configuration to start from.

    It is called caspian.yaml when no PATH is given. An existing file is never replaced.
    """
    from caspian_sim.config import write_template

    write_template(path)
    click.echo(f"{path}: written\nnext: caspian-sim run {path}")


@main.command()
@click.argument("name", required=False)
def data(name: str | None) -> None:
    """List the shipped datasets, or describe NAME."""
    from caspian_sim.outputs.listing import catalogue_text, entry_text

    click.echo(catalogue_text() if name is None else entry_text(name))


@main.command()
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


@main.command()
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


@main.command()
@click.argument("result", type=click.Path(path_type=Path))
def show(result: Path) -> None:
    """Print the table of a saved RESULT again.

    RESULT is a NetCDF file, or the folder of a run or of a hindcast.
    """
    from caspian_sim.outputs.terminal import print_result
    from caspian_sim.results import open_result

    print_result(open_result(result))


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
