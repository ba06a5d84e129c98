"""Puts files into a folder all together or not at all, and never over others in silence."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from caspian_sim.errors import OutputError
from caspian_sim.results import ZARR_SUFFIX

STAGE_PREFIX = ".caspian-sim-"
BYTES_PER_MB = 1e6


@contextmanager
def staged(
    directory: Path, names: Sequence[str], *, overwrite: bool = False, stale: Sequence[str] = ()
) -> Iterator[Path]:
    """Give a hidden folder to make files in, and move them to their place when the block ends well.

    When the block or the move fails, or is interrupted, `directory` is as it was before.

    Parameters
    ----------
    directory : Path
        Where the files belong; made when it does not exist.
    names : sequence of str
        Files that the block is going to make, relative to `directory`.
    overwrite : bool
        Replace files that exist. All others in the folder stay.
    stale : sequence of str
        Files that are removed with `overwrite`, because they would contradict the new ones.

    Yields
    ------
    Path
        The hidden folder.

    Raises
    ------
    OutputError
        Before the block, when one of the files exists and may not be replaced, or nothing can be written in
        `directory`; after it, when the files cannot be moved in.
    """
    try:
        _refuse_what_is_in_the_way(directory, names, overwrite)
    except OSError as error:
        raise cannot_write(directory, error) from error
    # Inside the target, so that a move never crosses a file system.
    new = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    stage: Path | None = None
    try:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=STAGE_PREFIX, dir=directory))
            making, kept = stage / "new", stage / "old"
            making.mkdir()
        except OSError as error:
            raise cannot_write(directory, error) from error
        try:
            yield making
        except OutputError as error:
            # Name the place that the user knows, not the hidden one.
            raise OutputError(str(error).replace(str(making), str(directory))) from error
        made = sorted(path.relative_to(making).as_posix() for path in _units(making))
        try:
            _refuse_what_is_in_the_way(directory, made, overwrite)
            obsolete = [name for name in stale if overwrite and name not in made]
            _move_in(making, directory, made, obsolete, kept)
        except OSError as error:
            raise cannot_write(directory, error) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(new)


def stages(directory: Path) -> list[Path]:
    """Hidden folders of runs in `directory` that are at work, or were killed."""
    return sorted(directory.glob(f"{STAGE_PREFIX}*"))


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Error for a file or folder that the system refuses to write."""
    return OutputError(f"{path}: cannot be written\n    found    {error.strerror or error}")


def check_space(folder: Path, size: float) -> None:
    """Refuse to write more than the disk has room for: a full disk can crash the NetCDF library.

    Parameters
    ----------
    folder : Path
    size : float
        Bytes, before compression.

    Raises
    ------
    OutputError
        When there is less free space.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OutputError(
            f"{folder}: the disk has no room for the results\n"
            f"    found    {free / BYTES_PER_MB:.3g} MB free\n"
            f"    needed   up to {size / BYTES_PER_MB:.3g} MB\n"
            f"    hint     fewer members, or output.frequency annual"
        )


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with plain line ends.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def _refuse_what_is_in_the_way(directory: Path, names: Iterable[str], overwrite: bool) -> None:
    for folder in sorted({directory, *((directory / name).parent for name in names)}):
        for step in (folder, *folder.parents):
            if step.exists() and not step.is_dir():
                raise OutputError(
                    f"{directory}: cannot be written\n    found    {step} is no folder\n"
                    f"    hint     --output writes elsewhere"
                )
    existing = [name for name in names if os.path.lexists(directory / name)]
    for name in existing:
        if (directory / name).is_dir() and not name.endswith(ZARR_SUFFIX):
            raise OutputError(
                f"{directory}: cannot be written\n    found    a folder called {name}\n"
                f"    allowed  a file, or nothing"
            )
    if existing and not overwrite:
        more = f" and {len(existing) - 3} more" if len(existing) > 3 else ""
        raise OutputError(
            f"{directory}: there are results already\n    found    {', '.join(existing[:3])}{more}\n"
            "    hint     --overwrite replaces these files and no others; --output writes elsewhere"
        )


def _move_in(source: Path, target: Path, made: Sequence[str], obsolete: Sequence[str], kept: Path) -> None:
    """Move files in, each atomically; put everything back when one of them cannot be moved."""
    new = {(target / name).parent for name in made if not (target / name).parent.exists()}
    try:
        for name in (*made, *obsolete):
            if os.path.lexists(target / name):
                (kept / name).parent.mkdir(parents=True, exist_ok=True)
                _keep(target / name, kept / name)
        for name in made:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(source / name, target / name)
        for name in obsolete:
            _remove(target / name)
        _remove_empty(
            {(target / name).parent for name in obsolete if os.path.lexists(kept / name)} - {target}
        )
    except BaseException:
        for name in (*made, *obsolete):
            if os.path.lexists(kept / name):
                (target / name).parent.mkdir(exist_ok=True)
                if (kept / name).is_dir():
                    _remove(target / name)
                os.replace(kept / name, target / name)
            elif not (source / name).exists():
                _remove(target / name)
        _remove_empty(new)
        raise


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # something is in it
            folder.rmdir()


def _units(folder: Path) -> Iterator[Path]:
    """List what moves as one: files, and Zarr folders with all that is in them."""
    for path in folder.iterdir():
        if path.is_dir() and path.suffix != ZARR_SUFFIX:
            yield from _units(path)
        else:
            yield path


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _keep(file: Path, copy: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        os.replace(file, copy)  # a folder cannot be linked
        return
    try:
        os.link(file, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):  # no links on this file system
        shutil.copy2(file, copy, follow_symlinks=False)
