"""What is wrong with a configuration, and where: the parts of every message.

A :class:`Finding` is made where a rule is broken, by code that knows the value
and nothing of files. A :class:`Problem` is a finding with its place: the file,
line and column that the value came from. :class:`InvalidConfigError` carries
all problems of a configuration at once.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from caspian_sim.errors import ConfigError

Step = str | int
Path = tuple[Step, ...]

FINDINGS = "caspian_findings"


@dataclass(frozen=True)
class Finding:
    """One broken rule.

    Parameters
    ----------
    what : str
        The rule that is broken, in one line.
    found, allowed, hint : str, optional
        What was found, what would be right, and what the author may have meant.
    at : tuple of str and int
        Steps from the value that is being checked down to the one at fault.
    at_key : bool
        The key at the end of the path is at fault, not its value.
    """

    what: str
    found: str | None = None
    allowed: str | None = None
    hint: str | None = None
    at: Path = ()
    at_key: bool = False


@dataclass(frozen=True)
class Problem:
    """A finding with its place.

    Parameters
    ----------
    finding : Finding
        The broken rule.
    origin : str
        Where the value came from, such as ``configs/joint.yaml:14:5`` or ``--set period.end=1900``.
    path : tuple of str and int
        Path of the value in the configuration; empty when the whole source is at fault.
    """

    finding: Finding
    origin: str
    path: Path = ()

    def __str__(self) -> str:
        """Text of the message: a headline and up to three indented lines."""
        place = f"  {show_path(self.path)}" if self.path else ""
        lines = [f"{self.origin}{place}: {self.finding.what}"]
        for label in ("found", "allowed", "hint"):
            text = getattr(self.finding, label)
            if text is not None:
                lines.append(f"    {label:<8} {text}")
        return "\n".join(lines)


class InvalidConfigError(ConfigError):
    """A configuration with one or more problems, all of them in ``problems``."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InvalidConfigError], tuple[tuple[Problem, ...]]]:
        """Survive the way back from a worker process."""
        return type(self), (self.problems,)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems without repetition, file by file and line by line."""

    def place(problem: Problem) -> tuple[str, int, int]:
        match = re.fullmatch(r"(.*):(\d+):(\d+)", problem.origin, re.DOTALL)
        return (match[1], int(match[2]), int(match[3])) if match else (problem.origin, 0, 0)

    return sorted({str(problem): problem for problem in problems}.values(), key=place)


def refuse(*findings: Finding) -> PydanticCustomError:
    """Error to raise in a validator; the loader turns it into problems with a place."""
    text = "; ".join(
        f"{show_path(finding.at)}: {finding.what}" if finding.at else finding.what for finding in findings
    )
    return PydanticCustomError(FINDINGS, "{text}", {"text": text, "findings": findings})


def show_path(path: Path) -> str:
    """Path as it is written in messages and in ``--set``: ``programmes.joint.participants[3]``.

    Whole numbers are places in a list; keys of maps are text, also where they are years.
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def show(value: object) -> str:
    """Value as its author wrote it in YAML; long values are cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, Mapping):
        return "a map" if value else "an empty map"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = (
        repr(value) if isinstance(value, str | int | float) else f"an object of type {type(value).__name__}"
    )
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Known word that was probably meant, ignoring case and punctuation; None if none is near."""
    plain = {_plain(candidate): candidate for candidate in known}
    matches = difflib.get_close_matches(_plain(str(word)), plain, n=1, cutoff=0.6)
    return plain[matches[0]] if matches else None


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """Hint that names the nearest known word; None if none is near."""
    match = nearest(word, known)
    return None if match is None else f"did you mean {match!r}?"


def _plain(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum()) or word
