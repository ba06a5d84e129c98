"""The command that takes results out of xarray: CSV, workbooks, scenario databases."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, quiet_option, writing


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--format", default="csv", show_default=True, metavar="csv|xlsx|iamc", help="What to write.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="File to write, or folder for csv; beside the dataset when not given.",
)
@click.option(
    "--variables",
    metavar="NAMES",
    help="Variables to write, such as sea_level,sea_area; all when not given.",
)
@click.option("--members", is_flag=True, help="Every member instead of statistics over them; not for iamc.")
@overwrite_option
@quiet_option
def export(
    results: Path,
    format: str,
    output: Path | None,
    variables: str | None,
    members: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write RESULTS for spreadsheets and scenario databases.

    RESULTS is the folder of a run, or its dataset. csv: long tables, one for each variable, or one of all
    where PATH ends in .csv. xlsx: a workbook with a sheet for each variable. iamc: the wide table of scenario
    databases, as pyam reads it.
    """
    with writing():
        from caspian_sim.outputs.export import check_format, default_path
        from caspian_sim.outputs.export import export as write
        from caspian_sim.results import open_result

        target = default_path(results, format) if output is None else output
        check_format(format, target)  # before the dataset is read: that may take a while
        chosen = (
            None if variables is None else [name.strip() for name in variables.split(",") if name.strip()]
        )
        files = write(
            open_result(results), target, format, variables=chosen, members=members, overwrite=overwrite
        )
    if not quiet:
        click.echo("\n".join(map(str, files)))
