"""The command that writes the brief of a run."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, quiet_option, writing


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder, in place of brief/ beside it."
)
@click.option(
    "--format", "formats", default="html,pdf", show_default=True, metavar="ENDINGS", help="html and pdf."
)
@click.option("--lang", default="en", show_default=True, metavar="LANG", help="Language of the text: en, ru.")
@overwrite_option
@quiet_option
def brief(results: Path, output: Path | None, formats: str, lang: str, overwrite: bool, quiet: bool) -> None:
    """Write the policy brief of RESULTS.

    Two pages and a technical annex.

    RESULTS is the folder of a run, or its file. The page holds all that it shows and needs no network. Every
    number is computed from the results, and every likelihood is a share of their members.
    """
    with writing():
        from caspian_sim.outputs.brief import brief as write

        chosen = [ending.strip() for ending in formats.split(",") if ending.strip()]
        files = write(results, output, formats=chosen, lang=lang, overwrite=overwrite)
    if not quiet:
        click.echo("\n".join(map(str, files)))
