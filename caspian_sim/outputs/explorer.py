"""Writes the page of the explorer beside a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from caspian_sim.errors import OutputError
from caspian_sim.explorer.content import MOST_MEMBERS, Exploration, Progress, gather
from caspian_sim.explorer.page import page, require_bokeh
from caspian_sim.figures.reading import choose
from caspian_sim.outputs.folder import staged, write_text
from caspian_sim.results import ZARR_SUFFIX, open_result
from caspian_sim.stream import BASELINE

NAME, ENDING = "explorer.html", ".html"


@dataclass(frozen=True)
class WrittenPage:
    """A page that was written, and what is on it."""

    path: Path
    content: Exploration


def default_page(result: Path) -> Path:
    """Where the page of a result goes when nothing else is said: into its folder."""
    inside = result.is_dir() and result.suffix != ZARR_SUFFIX
    return (result if inside else result.parent) / NAME


def write_explorer(
    result: Path,
    output: Path | None = None,
    *,
    members: int = MOST_MEMBERS,
    programmes: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> WrittenPage:
    """Write the explorer of a saved result as one HTML page.

    Parameters
    ----------
    result : Path
        Folder of a run, or its dataset.
    output : Path, optional
        Name of the page; ``explorer.html`` beside the dataset when not given.
    members : int
        Members to look at, the first ones of the run.
    programmes : sequence of str
        Programmes to look at, besides "none"; all when empty.
    overwrite : bool
        Replace a page that exists.
    progress : callable, optional
        Called with the batches done and the batches in all.

    Returns
    -------
    WrittenPage

    Raises
    ------
    OutputError
        When bokeh is not installed, or the page exists or cannot be written.
    DataError
        When the result is not that of a run, does not keep its members, or has no such programme.
    """
    target = default_page(result) if output is None else output
    if target.suffix.lower() != ENDING:
        raise OutputError(
            f"{target}: not a name for a page\n    found    {target.suffix or 'no ending'}\n"
            f"    allowed  {ENDING}"
        )
    require_bokeh()  # before programmes are run: that takes a while
    with staged(target.parent, [target.name], overwrite=overwrite) as stage:
        dataset = _of_programmes(open_result(result), programmes)
        content = gather(dataset, members=members, progress=progress)
        write_text(stage / target.name, page(content))
    return WrittenPage(target, content)


def _of_programmes(ds: xr.Dataset, asked: Sequence[str]) -> xr.Dataset:
    """Dataset with the programmes that were asked for, and with the one that they are compared with."""
    if not asked or "programme" not in ds.dims:
        return ds
    wanted = {BASELINE, *(choose(ds, "programme", name) for name in asked)}
    return ds.sel(programme=[name for name in map(str, ds["programme"].values) if name in wanted])
