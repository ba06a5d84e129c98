"""From files, mappings and ``--set`` to one valid configuration.

The order is: read, follow ``extends``, merge, apply overrides, validate. Every
value keeps the place it was written through all of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from caspian_sim.config.nodes import Node, Origin, from_plain, merge
from caspian_sim.config.problems import Finding, InvalidConfigError, Problem, Step, show, show_path
from caspian_sim.config.read import read_file, read_text
from caspian_sim.config.schema import Config
from caspian_sim.config.validate import validate

_STEP = re.compile(r"([^.\[\]=\s]+)|\[(\d+)\]")


def load_config(source: str | Path | Mapping[str, object] | Config, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration, or report everything that is wrong with it.

    Parameters
    ----------
    source : path, mapping or Config
        A YAML file; or a nested mapping with the same keys; or a configuration that is
        already valid, to change by `overrides`.
    overrides : sequence of str
        Changes such as ``"uncertainty.members=1000"`` or ``"outcomes.thresholds_m[0]=-31"``,
        applied in order after all files are merged. Values are read as YAML; ``null`` deletes.

    Returns
    -------
    Config
        Fully resolved: nothing is left to inherit or to default.

    Raises
    ------
    ConfigError
        With every problem in ``problems``, each at the file, line and column, or the override,
        that the value came from.

    Notes
    -----
    ``extends`` names one file or a list of them, relative to the file that names them. Later
    files are laid over earlier ones and the file itself over all: maps merge, lists and single
    values replace, and ``null`` deletes an inherited key.
    """
    if isinstance(source, Config):
        tree = from_plain(source.model_dump(exclude_none=True), Origin("config"))
    elif isinstance(source, Mapping):
        tree = _resolve(from_plain(source, Origin("config")), ())
    else:
        tree = _load(os.fspath(source), (), None)
    return _finish(tree, overrides)


def parse_config(text: str, name: str = "config") -> Config:
    """Read a configuration from YAML text, such as the one stored in a result file.

    Parameters
    ----------
    text : str
        YAML; relative paths in it start from the working directory.
    name : str
        What messages call the text.
    """
    return _finish(_resolve(read_text(text, name, folder=""), ()), ())


def _finish(tree: Node, overrides: Sequence[str]) -> Config:
    problems: list[Problem] = []
    for text in overrides:
        try:
            tree = _override(tree, text)
        except InvalidConfigError as error:
            problems += error.problems
    tree, missing = _locate_files(tree)
    try:
        config: Config = validate(tree, Config)
    except InvalidConfigError as error:
        raise InvalidConfigError([*problems, *missing, *error.problems]) from None
    if problems or missing:
        raise InvalidConfigError([*problems, *missing])
    return config


# ---- extends -----------------------------------------------------------------------------------


def _load(path: str, chain: tuple[str, ...], named: Node | None) -> Node:
    """Tree of a file with everything that it extends; `named` is where another file names it."""
    try:
        node = read_file(path)
    except InvalidConfigError as error:
        if named is None or len(error.problems) != 1 or error.problems[0].origin != path:
            raise
        finding = error.problems[0].finding
        raise _problem(named, f"{path}: {finding.what}", hint=finding.hint) from None
    return _resolve(node, (*chain, path))


def _resolve(node: Node, chain: tuple[str, ...]) -> Node:
    """Lay a tree over the files that it extends."""
    if not isinstance(node.value, dict):
        raise InvalidConfigError(
            [
                Problem(
                    Finding(
                        "a configuration is a map of keys",
                        found=show([] if isinstance(node.value, list) else node.value),
                        allowed="lines such as name: my-run",
                    ),
                    str(node.origin),
                )
            ]
        )
    members = dict(node.value)
    extends = members.pop("extends", None)
    tree = Node(members, node.origin)
    if extends is None or extends.value is None:
        return tree
    base: Node | None = None
    for item in extends.value if isinstance(extends.value, list) else [extends]:
        if not isinstance(item.value, str):
            raise _problem(
                item, f"{show(item.value)} is not a file", found=show(item.value), allowed="a path"
            )
        path = os.path.normpath(os.path.join(item.origin.folder, item.value))
        real = [os.path.realpath(step) for step in chain]
        if os.path.realpath(path) in real:
            circle = [*chain[real.index(os.path.realpath(path)) :], path]
            raise _problem(item, "the files extend each other in a circle", found=" -> ".join(circle))
        parent = _load(path, chain, item)
        base = parent if base is None else merge(base, parent)
    return tree if base is None else merge(base, tree)


def _problem(node: Node, what: str, **parts: str | None) -> InvalidConfigError:
    return InvalidConfigError([Problem(Finding(what, **parts), str(node.origin), ("extends",))])  # type: ignore[arg-type]


# ---- overrides -----------------------------------------------------------------------------------


def _override(tree: Node, text: str) -> Node:
    origin = Origin(f"--set {text}")
    key, equals, value = text.partition("=")
    steps = _steps(key.strip()) if equals else ()
    if not steps:
        raise InvalidConfigError(
            [
                Problem(
                    Finding(
                        "this is not a setting",
                        found=show(text),
                        allowed="key=value, such as uncertainty.members=1000",
                    ),
                    str(origin),
                )
            ]
        )
    if not value.strip():
        node = Node(None, origin)
    else:
        try:
            node = _at(read_text(value, str(origin), folder=""), origin)
        except InvalidConfigError as error:
            finding = error.problems[0].finding
            what = finding.what.replace("the file is", "the value is")
            raise InvalidConfigError(
                [Problem(Finding(what, found=show(value), hint="quote the value"), str(origin))]
            ) from None
    return _put(tree, steps, node, origin, ())


def _steps(key: str) -> tuple[Step, ...]:
    """Split a dotted key into steps; places in lists keep their brackets. Empty if it is no key."""
    steps: list[Step] = []
    position = 0
    while position < len(key):
        match = _STEP.match(key, position)
        if match is None:
            return ()
        steps.append(f"[{match[2]}]" if match[2] is not None else match[1])
        position = match.end()
        if position < len(key) and key[position] == ".":
            position += 1
            if position == len(key):
                return ()
    return tuple(steps)


def _at(node: Node, origin: Origin) -> Node:
    """Copy of a tree that was written in an override."""
    if isinstance(node.value, dict):
        return Node({key: _at(child, origin) for key, child in node.value.items()}, origin)
    if isinstance(node.value, list):
        return Node([_at(child, origin) for child in node.value], origin)
    return Node(node.value, origin)


def _put(tree: Node, steps: tuple[Step, ...], node: Node, origin: Origin, done: tuple[Step, ...]) -> Node:
    """Merge a node into a tree below the given steps."""
    if not steps:
        return merge(tree, node)
    step, rest = str(steps[0]), steps[1:]
    if step.startswith("["):
        place = int(step[1:-1])
        if not isinstance(tree.value, list) or place >= len(tree.value):
            size = len(tree.value) if isinstance(tree.value, list) else 0
            what = f"there is no {show_path((*done, place))}"
            allowed = f"[0] to [{size - 1}]" if size else "no place in brackets: this is not a list"
            raise InvalidConfigError([Problem(Finding(what, allowed=allowed), str(origin))])
        items = list(tree.value)
        items[place] = _put(items[place], rest, node, origin, (*done, place))
        return Node(items, tree.origin, tree.key_origin)
    key: Step = int(step) if step.isdigit() else step
    members = tree.value if isinstance(tree.value, dict) else {}
    if key in members and rest:
        changed = _put(members[key], rest, node, origin, (*done, step))
        return Node({**members, key: changed}, tree.origin, tree.key_origin)
    for inner in reversed(rest):
        node = Node({int(str(inner)) if str(inner).isdigit() else inner: node}, origin)
    return merge(Node(members, tree.origin, tree.key_origin), Node({key: node}, tree.origin, tree.key_origin))


# ---- files that a configuration names ----------------------------------------------------------------


def _locate_files(tree: Node) -> tuple[Node, list[Problem]]:
    """Make the path of basin.hypsometry absolute; it is relative to the file that names it."""
    basin = tree.value.get("basin") if isinstance(tree.value, dict) else None
    node = basin.value.get("hypsometry") if basin is not None and isinstance(basin.value, dict) else None
    if node is None or not isinstance(node.value, str):
        return tree, []
    typed = os.path.join(node.origin.folder, node.value)
    if not os.path.isfile(typed):
        finding = Finding("no such file", found=typed)
        return tree, [Problem(finding, str(node.origin), ("basin", "hypsometry"))]
    found = Node(os.path.abspath(typed), node.origin, node.key_origin)
    change = from_plain({"basin": {}}, tree.origin)
    change = Node({"basin": Node({"hypsometry": found}, basin.origin, basin.key_origin)}, tree.origin)  # type: ignore[union-attr]
    return merge(tree, change), []
