"""Writes a figure and its numbers side by side, each file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from caspian_sim.errors import OutputError
from caspian_sim.figures.style import PNG_DPI, drawing

FORMATS = ("png", "svg", "pdf")
# Without dates the same figure is the same file.
_METADATA = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
CSV_DIGITS = "%.6g"


def save_figure(
    fig: Figure,
    table: pd.DataFrame,
    directory: str | Path,
    name: str,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Write a figure in every format that is asked for, and its numbers as CSV.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    table : pandas.DataFrame
        Numbers of the figure, units in the names of the columns.
    directory : path
        Made when it does not exist.
    name : str
        Name of the files without ending.
    formats : sequence of {"png", "svg", "pdf"}

    Returns
    -------
    list of pathlib.Path
        The files: the formats in order, then the CSV.

    Raises
    ------
    OutputError
        When a format is unknown or a file cannot be written.
    """
    unknown = [ending for ending in formats if ending not in FORMATS]
    if unknown:
        raise OutputError(f"figures cannot be written as {unknown[0]!r}\n    allowed  {', '.join(FORMATS)}")
    folder = Path(directory)
    written = []
    with drawing():
        for ending in formats:

            def picture(path: str, ending: str = ending) -> None:
                dots = getattr(fig, "png_dpi", PNG_DPI)
                fig.savefig(path, format=ending, dpi=dots, metadata=_METADATA[ending])

            written.append(_whole(folder / f"{name}.{ending}", picture))
    written.append(
        _whole(
            folder / f"{name}.csv",
            lambda path: table.to_csv(path, index=False, float_format=CSV_DIGITS, lineterminator="\n"),
        )
    )
    return written


def _whole(target: Path, write: Callable[[str], None]) -> Path:
    """Write under a temporary name beside the target and rename."""
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        write(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{target}: the figure cannot be written\n    found    {error.strerror or error}"
        ) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return target
