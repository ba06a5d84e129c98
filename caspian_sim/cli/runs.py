"""Commands that run a configuration, check one and start one."""

from __future__ import annotations

import json
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


@click.command()
@config_argument
@set_option
def validate(config: Path, changes: tuple[str, ...]) -> None:
    """Check CONFIG and the files it names.

    Reports everything that is wrong. Exits with 0 when all is valid and 2 when it is not.
    """
    from caspian_sim.config import load_config
    from caspian_sim.plan import make_plan

    valid = load_config(config, changes)
    make_plan(valid)
    click.echo(f"{config}: valid\n{valid}")


@click.command()
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


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default="caspian.yaml")
def init(path: Path) -> None:
    """Write a commented configuration to start from.

    It is called caspian.yaml when no PATH is given. An existing file is never replaced.
    """
    from caspian_sim.config import write_template

    write_template(path)
    click.echo(f"{path}: written\nnext: caspian-sim run {path}")


@click.command()
@click.argument("name", required=False)
def data(name: str | None) -> None:
    """List the shipped datasets, or describe NAME."""
    from caspian_sim.outputs.listing import catalogue_text, entry_text

    click.echo(catalogue_text() if name is None else entry_text(name))


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
def show(result: Path) -> None:
    """Print the table of a saved RESULT again.

    RESULT is a NetCDF file, or the folder of a command that wrote one.
    """
    from caspian_sim.outputs.terminal import print_result
    from caspian_sim.results import open_result

    print_result(open_result(result))
