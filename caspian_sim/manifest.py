"""What an unfinished run was started with, and what has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from caspian_sim import __version__
from caspian_sim.config import FILE_KEYS, Config, config_hash
from caspian_sim.results import used_inputs

# Keys that leave every number of a part as it is; files count by their checksums, among the inputs.
FREE_KEYS = ("title", "description", "output.directory", "output.figures", "execution", *FILE_KEYS)
# Packages on which the last digit of a number may depend; numba only where it makes the code.
LIBRARIES, COMPILER = ("numpy", "scipy"), "numba"


@dataclass(frozen=True)
class Manifest:
    """What an unfinished run was started with.

    Attributes
    ----------
    config_hash : str
    config : dict
        Resolved configuration.
    versions, inputs : dict of name to text
        Packages, and checksums of what was read.
    chunk, parts : int
        Members of a part, and parts of the run.
    overwrite : bool
        Whether the run may replace earlier results.
    """

    config_hash: str
    config: dict[str, Any]
    versions: dict[str, str]
    inputs: dict[str, str]
    chunk: int
    parts: int
    overwrite: bool

    @classmethod
    def of(cls, config: Config, chunk: int, parts: int, overwrite: bool) -> Manifest:
        """Manifest of a run that starts."""
        return cls(
            config_hash(config),
            _plain(config),
            _versions(config),
            used_inputs(config),
            chunk,
            parts,
            overwrite,
        )

    def changes(self, config: Config) -> Iterator[tuple[str, list[str]]]:
        """Find what is not as it was when the run was started.

        Parameters
        ----------
        config : Config

        Yields
        ------
        kind : {"configuration", "version", "input"}
        changes : list of str
            Key or name, what is found and what was.
        """
        now = Manifest.of(config, self.chunk, self.parts, self.overwrite)
        for kind, was, found in (
            (
                "configuration",
                _flat(self.config) | _order(self.config),
                _flat(now.config) | _order(now.config),
            ),
            ("version", self.versions, now.versions),
            ("input", self.inputs, now.inputs),
        ):
            keys = sorted(key for key in {*was, *found} if was.get(key) != found.get(key))
            if keys:
                yield (
                    kind,
                    [f"{key}: found {_shown(found.get(key))}, was {_shown(was.get(key))}" for key in keys],
                )


def _versions(config: Config) -> dict[str, str]:
    names = (*LIBRARIES, COMPILER) if config.solver.method == "compiled" else LIBRARIES
    found = {"caspian_sim": __version__}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _plain(config: Config) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(config.model_dump(mode="json", exclude_none=True)))
    return plain


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key, without those that leave every number as it is."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        key = f"{prefix}{name}"
        if key in FREE_KEYS:
            continue
        if isinstance(value, dict):
            flat |= _flat(value, f"{key}.")
        else:
            flat[key] = value
    return flat


def _order(content: Mapping[str, Any]) -> dict[str, Any]:
    """Order of the programmes, in which they lie in every array."""
    return {"programmes": list(content["programmes"])}


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
