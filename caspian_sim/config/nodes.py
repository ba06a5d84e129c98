"""Values that remember where they were written.

A configuration is a tree of nodes: maps, lists and single values, each with its
origin, so that after merging several files a message can still name the line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from caspian_sim.config.problems import Path, Step


@dataclass(frozen=True)
class Origin:
    """Where a value was written.

    Parameters
    ----------
    source : str
        File as the user named it, ``--set key=value``, or the word for a mapping from Python.
    line, column : int, optional
        Counted from 1, for files.
    folder : str
        Folder that relative paths start from.
    """

    source: str
    line: int | None = None
    column: int | None = None
    folder: str = ""

    def __str__(self) -> str:
        """Origin as it opens a message: ``configs/joint.yaml:14:5``."""
        return self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"


Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A value with its origin.

    Parameters
    ----------
    value : dict, list, str, int, float, bool or None
        Maps hold nodes by key, lists hold nodes.
    origin : Origin
        Where the value stands.
    key_origin : Origin, optional
        Where its key stands, for members of a map.
    """

    value: dict[Step, Node] | list[Node] | Scalar
    origin: Origin
    key_origin: Origin | None = field(default=None)

    @property
    def named_at(self) -> Origin:
        """Origin of the key, or of the value where there is none."""
        return self.key_origin or self.origin


def plain(node: Node) -> object:
    """Value without origins: dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def from_plain(value: object, origin: Origin) -> Node:
    """Tree of a value from Python; every node has the same origin.

    Numpy numbers and arrays become plain numbers and lists, paths become text.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return Node({_plain_key(key): from_plain(child, origin) for key, child in value.items()}, origin)
    if isinstance(value, list | tuple):
        return Node([from_plain(child, origin) for child in value], origin)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return Node(value, origin)  # type: ignore[arg-type]  # the schema refuses what is no scalar


def _plain_key(key: object) -> Step:
    key = key.tolist() if hasattr(key, "tolist") else key
    return key if isinstance(key, str | int) and not isinstance(key, bool) else str(key)


def merge(base: Node, change: Node) -> Node:
    """Lay one tree over another: maps merge, lists and values replace, null deletes what is below it."""
    if not (isinstance(base.value, dict) and isinstance(change.value, dict)):
        return change
    merged = dict(base.value)
    for key, node in change.value.items():
        if key not in merged:
            merged[key] = node
        elif node.value is None:
            del merged[key]
        else:
            merged[key] = merge(merged[key], node)
    return Node(merged, change.origin, change.key_origin)


def descend(node: Node, path: Path) -> tuple[Node, Path]:
    """Node at a path, or the last one on the way to it, and the path that was walked.

    Steps that are not in the tree are passed over: they are the validator's own
    notes, such as the branch of a choice it took.
    """
    walked: Path = ()
    for step in path:
        if isinstance(node.value, dict) and step in node.value:
            node = node.value[step]
            walked += (str(step),)
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            walked += (step,)
    return node, walked
