"""Command that makes a result a page to look around in."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, writing


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Name of the page; explorer.html beside the dataset when not given.",
)
@click.option(
    "--members",
    type=click.IntRange(1),
    default=1024,
    show_default=True,
    metavar="N",
    help="Members on the page, the first ones of the run.",
)
@click.option(
    "--programme",
    "programmes",
    multiple=True,
    metavar="NAME",
    help="Programme on the page, besides none; may be repeated.  [default: all]",
)
@overwrite_option
@quiet_option
def explore(
    results: Path,
    output: Path | None,
    members: int,
    programmes: tuple[str, ...],
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write RESULTS as a page to look around in.

    RESULTS is the folder of a run, or its dataset, with its members. The page is one HTML file that needs
    neither Python nor a network: choose scenario, programme, how much of it is carried out, range, threshold
    and year, and read off levels and probabilities.
    """
    with writing():
        from caspian_sim.outputs.explorer import write_explorer

        with progress_bar(quiet) as show:
            progress = None if show is None else lambda done, total: show("intensities", done, total)
            written = write_explorer(
                results,
                output,
                members=members,
                programmes=programmes,
                overwrite=overwrite,
                progress=progress,
            )
    if written.content.fixed:
        click.echo(f"warning: programmes only as in the run: {written.content.fixed}", err=True)
    if not quiet:
        size = written.path.stat().st_size / 1e6
        click.echo(f"{written.path}  {size:.1f} MB, {len(written.content.members)} members")
