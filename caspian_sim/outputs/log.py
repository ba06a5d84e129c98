"""Record of a run: what happened when, with which versions, and what was warned of."""

from __future__ import annotations

import logging
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TextIO

from caspian_sim import __version__

LOGGER = logging.getLogger("caspian_sim")
LIBRARIES = ("numpy", "scipy", "xarray")


class RunLog(logging.Handler):
    """Keeps the messages of a run until they are written with its results.

    Attributes
    ----------
    lines : list of str
        Formatted messages, in order.
    warnings : list of str
        Text of the warnings alone.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.lines.append(self.format(record))
        if record.levelno >= logging.WARNING:
            self.warnings.append(record.getMessage())

    @property
    def text(self) -> str:
        """All messages, one a line; what belongs to the same message is indented."""
        return "".join(line.replace("\n", "\n    ").rstrip() + "\n" for line in self.lines)


@contextmanager
def recorded() -> Iterator[RunLog]:
    """Record what the package logs and every Python warning, while the block runs."""
    log, level = RunLog(), LOGGER.level

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        LOGGER.warning("%s: %s", category.__name__, message)

    LOGGER.addHandler(log)
    LOGGER.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            yield log
    finally:
        LOGGER.removeHandler(log)
        LOGGER.setLevel(level)


def log_versions() -> None:
    """Log the versions that a result may depend on."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    LOGGER.info("caspian_sim %s on Python %s, %s", __version__, platform.python_version(), libraries)
    LOGGER.info("platform: %s, %s", sys.platform, platform.machine())


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Log how long a stage took."""
    began = time.perf_counter()
    yield
    LOGGER.info("%s: %.2f s", stage, time.perf_counter() - began)
