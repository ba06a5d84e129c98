"""Writes the pack of figures that results can give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from caspian_sim.errors import DataError, OutputError
from caspian_sim.figures.language import language
from caspian_sim.figures.look import looking
from caspian_sim.figures.pack import PACK, PackFigure, Subjects, named
from caspian_sim.figures.save import FORMATS, save_figure
from caspian_sim.outputs.folder import staged
from caspian_sim.results import ZARR_SUFFIX, open_result

Progress = Callable[[str, int, int], None]

FOLDER = "pack"


@dataclass(frozen=True)
class Pack:
    """What was written.

    Attributes
    ----------
    directory : Path
    drawn : dict of str to str
        Titles by the name of the figure.
    skipped : dict of str to str
        Why a figure was not drawn, by its name.
    """

    directory: Path
    drawn: dict[str, str]
    skipped: dict[str, str]


def write_pack(
    results: Sequence[Path],
    directory: Path | None = None,
    *,
    only: Sequence[str] = (),
    formats: Sequence[str] = ("png", "svg"),
    style: str = "report",
    lang: str = "en",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Pack:
    """Draw every figure that some results can give, and write each with its numbers.

    Parameters
    ----------
    results : sequence of Path
        NetCDF files, Zarr folders, or folders that hold some, themselves or in the folders below.
    directory : Path, optional
        Folder of the figures; ``pack/<style>-<lang>`` in the first of the results when not given.
    only : sequence of str
        Names of figures; all when there are none. One that is asked for and cannot be drawn is an error.
    formats : sequence of {"png", "svg", "pdf"}
    style : {"report", "slides", "bw"}
    lang : str
        Code of a shipped language, or a path to a file of texts.
    overwrite : bool
        Replace the files of an earlier pack.
    progress : callable, optional
        Called with the stage, the steps of it done and the steps in all.

    Returns
    -------
    Pack

    Raises
    ------
    ConfigError
        When there is no such language, or its file does not fit.
    DataError
        When results cannot be read, a name is unknown, or a figure that was asked for cannot be drawn.
    OutputError
        When a format or style is unknown, or the files are there or cannot be written.
    """
    chosen = named(only) if only else list(PACK.values())
    unknown = [ending for ending in formats if ending not in FORMATS]
    if unknown or not formats:
        raise OutputError(
            f"figures cannot be written as {unknown[0]!r}\n    allowed  {', '.join(FORMATS)}"
            if unknown
            else f"no format of figures is given\n    allowed  {', '.join(FORMATS)}"
        )
    with looking(style), language(lang):
        datasets = [ds for path in results for ds in open_results(path)]
        target = directory or _home(results[0]) / FOLDER / f"{style}-{Path(lang).stem}"
        subjects, skipped = Subjects(datasets), {}
        possible: list[PackFigure] = []
        for figure in chosen:
            try:
                subjects.check(figure)
                possible.append(figure)
            except DataError as error:
                if only:
                    raise
                skipped[figure.name] = _why(error)
        endings = (*dict.fromkeys(formats), "csv")
        names = [f"{figure.name}.{ending}" for figure in possible for ending in endings]
        drawn = {}
        with staged(target, names, overwrite=overwrite) as stage:
            for done, figure in enumerate(possible):
                if progress is not None:
                    progress("drawing", done, len(possible))
                try:
                    subject = subjects.of(figure)
                    picture, table = figure.draw(subject), figure.table(subject)
                except DataError as error:
                    if only:
                        raise
                    skipped[figure.name] = _why(error)
                    continue
                save_figure(picture, table, stage, figure.name, endings[:-1])
                drawn[figure.name] = figure.title
    return Pack(target, drawn, {name: skipped[name] for name in PACK if name in skipped})


def open_results(path: Path) -> list[xr.Dataset]:
    """Open all results of a folder and of those right below it, or one that is named.

    Raises
    ------
    DataError
        When there is none, or one that cannot be read.
    """
    if not path.is_dir() or path.suffix == ZARR_SUFFIX:
        return [open_result(path)]
    found = [*_results_in(path), *(file for folder in _folders(path) for file in _results_in(folder))]
    if not found:
        raise DataError(
            f"{path}: no results\n    found    no NetCDF file and no Zarr folder\n"
            "    hint     caspian-sim run writes results/<name>/<name>.nc"
        )
    return [open_result(file) for file in found]


def _folders(path: Path) -> list[Path]:
    return sorted(
        folder
        for folder in path.iterdir()
        if folder.is_dir() and folder.suffix != ZARR_SUFFIX and not folder.name.startswith(".")
    )


def _results_in(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.nc"), *folder.glob(f"*{ZARR_SUFFIX}")])


def _home(result: Path) -> Path:
    """Folder in which a result lies."""
    return result if result.is_dir() and result.suffix != ZARR_SUFFIX else result.parent


def _why(error: DataError) -> str:
    """Say in one line why a figure cannot be drawn."""
    head, *rest = str(error).splitlines()
    needed = next((line.split(None, 1)[1] for line in rest if line.split()[0] == "needed"), "")
    reason = head.partition(": ")[2] or head
    return f"{reason} (needs {needed})" if needed.startswith("a result of") else reason
