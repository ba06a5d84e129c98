"""The command that draws the figures of results."""

from __future__ import annotations

from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, progress_bar, quiet_option, writing


@click.command()
@click.argument("results", nargs=-1, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("--only", multiple=True, metavar="NAMES", help="Figures, with commas between. May be repeated.")
@click.option(
    "--format", "formats", default="png,svg", show_default=True, metavar="ENDINGS", help="png, svg and pdf."
)
@click.option(
    "--style",
    type=click.Choice(["report", "slides", "bw"]),
    default="report",
    show_default=True,
    help="A page, a slide of 16:9 with larger text, or a page in shades of grey.",
)
@click.option(
    "--lang", default="en", show_default=True, metavar="LANG", help="en, ru, or a file such as az.yaml."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder, in place of pack/<style>-<lang> in the first of RESULTS.",
)
@overwrite_option
@click.option("--list", "listing", is_flag=True, help="Name the figures and stop.")
@click.option(
    "--texts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the texts of --lang to FILE for a translator and stop.",
)
@quiet_option
def figures(
    results: tuple[Path, ...],
    only: tuple[str, ...],
    formats: str,
    style: str,
    lang: str,
    output: Path | None,
    overwrite: bool,
    listing: bool,
    texts: Path | None,
    quiet: bool,
) -> None:
    """Draw the figures of RESULTS, each with its numbers as CSV.

    RESULTS are NetCDF files, or folders that hold some, themselves or in the folders below. A figure whose
    data are not among them is left out, with a line that names what is missing; some need no results.
    """
    if listing:
        _list(lang)
        return
    if texts is not None:
        _write_texts(texts, lang, overwrite)
        return
    if not results:
        raise click.UsageError("Missing argument 'RESULTS...'.")
    with writing():
        from caspian_sim.outputs.pack import write_pack

        with progress_bar(quiet) as progress:
            pack = write_pack(
                results,
                output,
                only=_names(only),
                formats=_names([formats]),
                style=style,
                lang=lang,
                overwrite=overwrite,
                progress=progress,
            )
    if quiet:
        return
    for name, title in pack.drawn.items():
        click.echo(f"{name:16} {title}")
    for name, why in pack.skipped.items():
        click.echo(f"{name:16} skipped: {why}")
    click.echo(f"\n{len(pack.drawn)} figures in {pack.directory}")


def _names(given: tuple[str, ...] | list[str]) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for part in given for name in part.split(",") if name.strip()]


def _list(lang: str) -> None:
    from caspian_sim.figures.language import language
    from caspian_sim.figures.pack import PACK

    with language(lang):
        for name, figure in PACK.items():
            click.echo(f"{name:16} {figure.title}\n{'':16} from {figure.command}")


def _write_texts(path: Path, lang: str, overwrite: bool) -> None:
    from caspian_sim.errors import OutputError
    from caspian_sim.figures.language import texts_yaml
    from caspian_sim.outputs.folder import write_text

    words = texts_yaml(lang)
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: there is a file already\n    hint     --overwrite replaces it")
    write_text(path, words)
    click.echo(f"{path}: written\nnext: translate it, then caspian-sim figures RESULTS --lang {path}")
