"""Writes the brief of a run: see :func:`brief`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import xarray as xr

from caspian_sim.errors import OutputError
from caspian_sim.outputs.folder import cannot_write, staged, write_text
from caspian_sim.results import ZARR_SUFFIX, open_result

FORMATS = ("html", "pdf")
FOLDER, NAME = "brief", "brief"
EXTRA = 'pip install "caspian-sim[report]"'
ENGLISH = "en"


def brief(
    result: xr.Dataset | str | Path,
    directory: str | Path | None = None,
    *,
    formats: Sequence[str] = FORMATS,
    lang: str = ENGLISH,
    overwrite: bool = False,
) -> list[Path]:
    """Write the two-page brief of a run with its technical annex, as HTML and as PDF.

    Parameters
    ----------
    result : xarray.Dataset or path
        Result of :func:`caspian_sim.run`, its file or its folder; with members, or with fewer messages with
        statistics over them.
    directory : path, optional
        The folder ``brief`` beside the file when not given; needed for a dataset in memory.
    formats : sequence of {"html", "pdf"}
    lang : str
        Language of the text; one other than English is part of the names of the files.
    overwrite : bool
        Replace an earlier brief.

    Returns
    -------
    list of pathlib.Path
        In the order of the formats.

    Raises
    ------
    DataError
        When there is no result, or it is not that of a run.
    OutputError
        When a format is unknown, a file exists or cannot be written, or the extra is not installed.
    ConfigError
        When there is no such language.
    """
    chosen = check_formats(formats)
    if directory is None and isinstance(result, xr.Dataset):
        raise OutputError("a brief of a dataset in memory needs a folder to be written to")
    from caspian_sim.briefing.words import words

    words(lang)  # before the dataset is read: that may take a while
    if directory is None:
        directory = default_folder(Path(result))
    ds = result if isinstance(result, xr.Dataset) else open_result(result)
    stem = NAME if lang == ENGLISH else f"{NAME}-{lang}"
    names = [f"{stem}.{ending}" for ending in chosen]
    folder = Path(directory)
    from caspian_sim.briefing.document import brief_html

    with staged(folder, names, overwrite=overwrite) as stage:
        page = brief_html(ds, lang)
        for ending, name in zip(chosen, names, strict=True):
            if ending == "html":
                write_text(stage / name, page)
            else:
                _write_pdf(stage / name, page, ds.attrs["config_hash"])
    return [folder / name for name in names]


def default_folder(result: Path) -> Path:
    """Folder of the brief of a saved result."""
    folder = result if result.is_dir() and result.suffix != ZARR_SUFFIX else result.parent
    return folder / FOLDER


def check_formats(formats: Sequence[str]) -> list[str]:
    """Check the formats and whether they can be written.

    Raises
    ------
    OutputError
        When one is unknown, there is none, or what it needs is not installed.
    """
    unknown = [ending for ending in formats if ending not in FORMATS]
    if unknown or not formats:
        raise OutputError(
            f"a brief cannot be written as {unknown[0] if unknown else ''!r}\n"
            f"    allowed  {', '.join(FORMATS)}"
        )
    needed = ["jinja2", "fontTools", "brotli", *(["weasyprint"] if "pdf" in formats else [])]
    for package in needed:
        try:
            import_module(package)
        except ImportError as error:
            raise OutputError(f"the brief needs the extra report: {EXTRA}") from error
        except OSError as error:
            raise OutputError(
                "a PDF needs the library Pango, which is not part of Python\n"
                f"    found    {str(error).splitlines()[0]}\n"
                "    hint     apt-get install libpango-1.0-0 libpangoft2-1.0-0; --format html works without"
            ) from error
    return list(dict.fromkeys(formats))


def _write_pdf(path: Path, page: str, identifier: str) -> None:
    from caspian_sim.briefing.pdf import brief_pdf

    try:
        path.write_bytes(brief_pdf(page, identifier))
    except OSError as error:
        raise cannot_write(path, error) from error
