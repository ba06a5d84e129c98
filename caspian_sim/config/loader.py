"""From files, mappings and ``--set`` to one valid configuration.

The order is: read, follow ``extends``, merge, apply overrides, validate. Every
value keeps the place it was written through all of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from caspian_sim.config.export import FILE_KEYS
from caspian_sim.config.nodes import Node, Origin, from_plain, merge
from caspian_sim.config.overrides import override
from caspian_sim.config.problems import Finding, InvalidConfigError, Problem, in_order, show
from caspian_sim.config.read import read_file, read_text
from caspian_sim.config.schema import Config
from caspian_sim.config.validate import validate


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
        tree = _Files().resolve(from_plain(source, Origin("config")))
    else:
        tree = _Files().load(os.fspath(source))
    return _finish(tree, overrides)


def parse_config(text: str, name: str = "config", *, with_files: bool = True) -> Config:
    """Read a configuration from YAML text, such as the one stored in a result file.

    Parameters
    ----------
    text : str
        YAML; relative paths in it start from the working directory.
    name : str
        What messages call the text.
    with_files : bool
        The input files that it names must be there; a figure of a result does without them.
    """
    return _finish(_Files().resolve(read_text(text, name, folder="")), (), with_files)


def _finish(tree: Node, overrides: Sequence[str], with_files: bool = True) -> Config:
    problems: list[Problem] = []
    for text in overrides:
        try:
            tree = override(tree, text)
        except InvalidConfigError as error:
            problems += error.problems
    if with_files:
        tree, missing = _locate_files(tree)
        problems += missing
    try:
        config: Config = validate(tree, Config)
    except InvalidConfigError as error:
        problems += error.problems
    if problems:
        raise InvalidConfigError(in_order(problems))
    return config


# ---- extends -----------------------------------------------------------------------------------


class _Files:
    """Files that a configuration is made of, each read once."""

    def __init__(self) -> None:
        self.resolved: dict[str, Node] = {}

    def load(self, path: str, chain: tuple[str, ...] = ()) -> Node:
        """Tree of a file laid over those that it extends; `chain` is the files that led to it."""
        full = os.path.abspath(path)
        if full not in self.resolved:
            self.resolved[full] = self.resolve(read_file(path), (*chain, path))
        return self.resolved[full]

    def resolve(self, node: Node, chain: tuple[str, ...] = ()) -> Node:
        """Lay a tree over the files that it extends."""
        if not isinstance(node.value, dict):
            finding = Finding(
                "a configuration is a map of keys",
                found="a list" if isinstance(node.value, list) else show(node.value),
                allowed="lines such as name: my-run",
            )
            raise InvalidConfigError([Problem(finding, str(node.origin))])
        members = dict(node.value)
        extends = members.pop("extends", None)
        tree = Node(members, node.origin)
        if extends is None or extends.value is None:
            return tree
        base = Node({}, node.origin)
        for item in extends.value if isinstance(extends.value, list) else [extends]:
            base = merge(base, self.parent(item, chain))
        return merge(base, tree)

    def parent(self, item: Node, chain: tuple[str, ...]) -> Node:
        """Tree of a file that another one names in ``extends``."""
        if not isinstance(item.value, str):
            raise _extends_problem(
                item, f"{show(item.value)} is not a file", found=show(item.value), allowed="a path"
            )
        path = os.path.normpath(os.path.join(item.origin.folder, item.value))
        above = [os.path.abspath(file) for file in chain]
        if os.path.abspath(path) in above:
            circle = " -> ".join([*chain[above.index(os.path.abspath(path)) :], path])
            raise _extends_problem(item, "the files extend each other in a circle", found=circle)
        try:
            return self.load(path, chain)
        except InvalidConfigError as error:
            first = error.problems[0]
            if first.origin != path:
                raise
            # Nothing inside the file is at fault but the file itself: name the line that asks for it.
            raise _extends_problem(item, f"{path}: {first.finding.what}", hint=first.finding.hint) from None


def _extends_problem(node: Node, what: str, **parts: str | None) -> InvalidConfigError:
    return InvalidConfigError([Problem(Finding(what, **parts), str(node.origin), ("extends",))])  # type: ignore[arg-type]


# ---- files that a configuration names ----------------------------------------------------------------


def _locate_files(tree: Node) -> tuple[Node, list[Problem]]:
    """Make the paths of input files absolute; they are relative to the file that names them."""
    problems = []
    for path in (tuple(key.split(".")) for key in FILE_KEYS):
        nodes = [tree]
        for step in path:
            inside = nodes[-1].value
            if not isinstance(inside, dict) or step not in inside:
                break
            nodes.append(inside[step])
        *above, node = nodes
        if len(above) < len(path) or not isinstance(node.value, str) or not node.value:
            continue
        typed = os.path.join(node.origin.folder, node.value)
        if not os.path.isfile(typed):
            finding = Finding(
                "no such file", found=typed, hint="the path is relative to the file that names it"
            )
            problems.append(Problem(finding, str(node.origin), path))
            continue
        change = Node(os.path.abspath(typed), node.origin, node.key_origin)
        for step, parent in zip(reversed(path), reversed(above), strict=True):
            change = Node({step: change}, parent.origin, parent.key_origin)
        tree = merge(tree, change)
    return tree, problems
