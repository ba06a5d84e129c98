"""Keeps the finished parts of a run on disk until its results are complete, so that it can be continued.

Everything lies in one hidden folder inside that of the results: a manifest that says what is run, one file
for each finished part and, for a store that sums up, from time to time its state in place of the parts it
covers. Every file is written under a temporary name, forced to the disk and renamed: at any moment a file is
whole or absent.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from caspian_sim.collect import Members, Store
from caspian_sim.config import Config
from caspian_sim.errors import CaspianError, OutputError
from caspian_sim.manifest import Manifest

if sys.platform != "win32":
    import fcntl

Arrays = Mapping[str, NDArray[Any]]

LOGGER = logging.getLogger("caspian_sim")
FOLDER, MANIFEST, LOCK, REPLACING = ".resume", "manifest.json", "lock", "replacing"
# Part files are replaced by the state of the store when there are so many, and they outgrow it so many times.
COMPACT_PARTS, COMPACT_RATIO = 8, 2
FULL = (errno.ENOSPC, errno.EDQUOT)


@runtime_checkable
class Summing(Store, Protocol):
    """A store whose state stands for the parts that it has taken in."""

    def dump(self) -> Arrays:
        """Arrays from which the state can be restored."""

    def load(self, state: Arrays) -> None:
        """Take over a state; a ValueError when it is that of another store."""


class Unfinished:
    """Finished parts of a run that is not complete.

    Parameters
    ----------
    directory : Path
        Folder of the results.
    """

    def __init__(self, directory: Path) -> None:
        self.directory, self.folder = directory, directory / FOLDER
        self.manifest = self._read_manifest()
        self._begun = False
        self._lock: IO[str] | None = None

    # ---- begin and end -----------------------------------------------------------------------------

    def check(self, config: Config) -> None:
        """Refuse to continue with what would not give the same numbers.

        Raises
        ------
        OutputError
            When configuration, version or inputs are not those of the unfinished run.
        """
        if self.manifest is None:
            return
        for kind, changes in self.manifest.changes(config):
            lines = "".join(f"    changed  {change}\n" for change in changes)
            raise OutputError(
                f"{self.directory}: the unfinished run cannot be resumed, its {kind} has changed\n{lines}"
                f"    hint     --resume with the {kind} as it was, or --overwrite starts anew"
            )

    def refuse(self) -> None:
        """Refuse to start anew over an unfinished run.

        Raises
        ------
        OutputError
            When there is one.
        """
        if self.manifest is not None:
            raise OutputError(
                f"{self.directory}: a run was left unfinished here\n    found    {self.state}\n"
                "    hint     --resume continues it; --overwrite starts anew; --output writes elsewhere"
            )

    def begin(self, config: Config, chunk: int, *, resume: bool, overwrite: bool) -> int:
        """Take the folder for a run.

        Parameters
        ----------
        config : Config
        chunk : int
            Members of a part in a run that starts anew.
        resume : bool
            Continue the unfinished run, when there is one.
        overwrite : bool
            Whether the run may replace earlier results.

        Returns
        -------
        int
            Members of a part: those of the unfinished run when it is resumed.

        Raises
        ------
        OutputError
            When another run is at work in the folder, or nothing can be written in it.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            self._take()
            self._begun = True
            if resume and self.manifest is not None:
                for left in self.folder.glob("*.tmp"):
                    left.unlink()
                return self.manifest.chunk
            self._clear()
            parts = -(-config.uncertainty.members // chunk)
            self.manifest = Manifest.of(config, chunk, parts, overwrite)
            text = json.dumps(self.manifest.__dict__, indent=1)
            self._write(self.folder / MANIFEST, lambda stream: stream.write(text.encode()))
        except OSError as error:
            raise self._cannot_write(error) from error
        return chunk

    def replacing(self) -> None:
        """Note that results move in from now on: what stands there later may be half of them."""
        try:
            self._write(self.folder / REPLACING, lambda stream: None)
        except OSError as error:
            raise self._cannot_write(error) from error

    @property
    def may_replace(self) -> bool:
        """Whether results in the folder are those that the unfinished run may replace."""
        return self.manifest is not None and (self.manifest.overwrite or (self.folder / REPLACING).exists())

    def remove(self) -> None:
        """Remove everything; the manifest first, without which the rest means nothing."""
        (self.folder / MANIFEST).unlink(missing_ok=True)
        self.manifest = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Remove everything when the block ends well and the results are in place; let others in anyway."""
        try:
            yield
            if self._begun:
                self.remove()
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep finished parts when the block fails or is interrupted, and say so; leave no trace of none."""
        try:
            yield
        except BaseException as error:
            if not self._begun:  # nothing in the folder is of this run
                raise
            # What a configuration causes would happen again.
            if not self._any() or (isinstance(error, CaspianError) and not isinstance(error, OutputError)):
                self.remove()
                raise
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(f"{self.state}; continue with --resume") from None
            if isinstance(error, OutputError):
                cause = error.__cause__
                full = isinstance(cause, OSError) and cause.errno in FULL
                how = "free space and run" if full else "run"
                raise OutputError(
                    f"{error}\n    kept     {self.state}\n    hint     {how} again with --resume"
                ) from cause
            raise

    @property
    def state(self) -> str:
        """How much is finished, in words."""
        total = 0 if self.manifest is None else self.manifest.parts
        return f"{len(self.finished() | set(range(self._covered())))} of {total} parts are finished"

    # ---- parts -------------------------------------------------------------------------------------

    def finished(self) -> set[int]:
        """Numbers of the parts that have a file."""
        return {int(path.stem.partition("-")[2]) for path in self.folder.glob("part-*.npz")}

    def write(self, number: int, part: Members) -> None:
        """Put a finished part on the disk.

        Raises
        ------
        OutputError
            When it cannot be written, because the disk is full for example.
        """
        work = np.array([part.steps, part.evaluations, len(part.arrays)])
        self._save(self._part(number), {"members": part.members, "work": work, **part.arrays})

    def read(self, number: int) -> Members | None:
        """Read a finished part; None, with a warning, when its file is damaged."""
        arrays = _load(self._part(number))
        if arrays is not None and {"members", "work"} <= set(arrays):
            members, (steps, evaluations, many) = arrays.pop("members"), arrays.pop("work")
            if many == len(arrays):
                return Members(members, arrays, int(steps), int(evaluations))
        LOGGER.warning("%s is damaged; its members are computed again", self._part(number))
        self._part(number).unlink(missing_ok=True)
        return None

    def restore(self, store: Store) -> int:
        """Give a store back its last state, and the number of the parts that this covers."""
        if not isinstance(store, Summing):
            return 0
        for path in sorted(self.folder.glob("state-*.npz"), reverse=True):
            arrays = _load(path)
            if arrays is not None:
                with suppress(ValueError, KeyError):
                    store.load(arrays)
                    return int(path.stem.partition("-")[2])
            LOGGER.warning("%s is damaged; the members that it covers are computed again", path)
            path.unlink(missing_ok=True)
        return 0

    def compact(self, store: Store, covered: int) -> None:
        """Let the state of a summing store stand for the parts up to `covered`, when these outgrow it."""
        if not isinstance(store, Summing):
            return
        parts = [path for path in map(self._part, range(self._covered(), covered)) if path.exists()]
        older = list(self.folder.glob("state-*.npz"))
        if len(parts) < COMPACT_PARTS or _size(parts) < COMPACT_RATIO * _size(older):
            return
        self._save(self.folder / f"state-{covered:06d}.npz", store.dump())
        for path in (*parts, *older):
            path.unlink()

    def _covered(self) -> int:
        return max((int(path.stem.partition("-")[2]) for path in self.folder.glob("state-*.npz")), default=0)

    def _any(self) -> bool:
        return self.manifest is not None and (bool(self.finished()) or self._covered() > 0)

    def _part(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.npz"

    # ---- files -------------------------------------------------------------------------------------

    def _read_manifest(self) -> Manifest | None:
        try:
            return Manifest(**json.loads((self.folder / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _save(self, path: Path, arrays: Arrays) -> None:
        try:
            self._write(path, lambda stream: np.savez(stream, **dict[str, Any](arrays)))
        except OSError as error:
            raise self._cannot_write(error) from error

    def _write(self, path: Path, fill: Callable[[IO[bytes]], object]) -> None:
        temporary = path.with_name(f"{path.name}.tmp")
        try:
            with temporary.open("wb") as stream:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if sys.platform != "win32":
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)  # the new name too
            finally:
                os.close(handle)

    def _cannot_write(self, error: OSError) -> OutputError:
        what = "the disk is full" if error.errno in FULL else "the finished parts cannot be written"
        return OutputError(f"{self.directory}: {what}\n    found    {error.strerror or error}")

    def _take(self) -> None:
        """Hold the folder against other runs, until this process ends in whatever way."""
        if sys.platform == "win32":
            return
        lock = (self.folder / LOCK).open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process = lock.read().strip()
            lock.close()
            raise OutputError(
                f"{self.directory}: another run is at work here\n"
                f"    found    process {process or 'unknown'}\n"
                "    hint     wait for it, or --output writes elsewhere"
            ) from None
        except OSError:  # no locks on this file system
            lock.close()
            return
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _clear(self) -> None:
        for path in sorted(self.folder.iterdir(), key=lambda path: path.name != MANIFEST):
            if path.name != LOCK:
                path.unlink()


def starts_anew(directory: Path, overwrite: bool) -> bool:
    """Whether a run that was to be resumed has nothing to resume and nothing that keeps it from starting."""
    return Unfinished(directory).manifest is None and (overwrite or not list(directory.glob("[!.]*")))


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _load(path: Path) -> dict[str, NDArray[Any]] | None:
    """Arrays of a file; None when its checksums or its form are wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        with np.load(path) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        return None
