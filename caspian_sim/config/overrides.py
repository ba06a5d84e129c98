"""Changes given beside a file, such as ``--set uncertainty.members=1000``."""

from __future__ import annotations

import re

from caspian_sim.config.nodes import Node, Origin, from_plain, merge, plain
from caspian_sim.config.problems import Finding, InvalidConfigError, Path, Problem, Step, show, show_path
from caspian_sim.config.read import read_text

# What YAML reads as null.
_NOTHING = ("", "~", "null", "Null", "NULL")
_STEP = re.compile(r"\.?([^.\[\]=\s]+)|\[([0-9]{1,6})\]")


def override(tree: Node, text: str) -> Node:
    """Merge one change into a tree.

    Parameters
    ----------
    tree : Node
        Merged tree of all files.
    text : str
        ``key.sub=value`` or ``key[0]=value``; the value is YAML, and null or nothing deletes the key.

    Raises
    ------
    InvalidConfigError
        If the text is no such change, or names a place in a list that is not there.
    """
    origin = Origin(f"--set {text}")
    key, equals, value = text.partition("=")
    steps = _steps(key.strip())
    if not equals or not steps:
        raise _error(
            origin,
            "this is not a setting",
            found=show(text),
            allowed="key=value, such as uncertainty.members=1000",
        )
    if steps[0] == "extends":
        raise _error(origin, "extends belongs in a file", hint="overrides apply after all files are merged")
    if value.strip() in _NOTHING:
        return _put(tree, steps, Node(None, origin))
    try:
        node = from_plain(plain(read_text(value, str(origin), folder="")), origin)
    except InvalidConfigError as error:
        what = error.problems[0].finding.what.replace("the file is", "the value is")
        raise _error(origin, what, found=show(value), hint="quote the value") from None
    return _put(tree, steps, node)


def _steps(key: str) -> Path:
    """Split a key into steps; empty if it is no key. Places in lists are negative: -1 is the first."""
    steps: list[Step] = []
    position = 0
    while position < len(key):
        match = _STEP.match(key, position)
        if match is None or (match[1] and match[0].startswith(".") != bool(steps)):
            return ()
        name, place = match[1], match[2]
        if place is not None:
            steps.append(-1 - int(place))
        else:
            steps.append(int(name) if re.fullmatch("[0-9]+", name) else name)
        position = match.end()
    return tuple(steps)


def _put(tree: Node, steps: Path, node: Node, done: Path = ()) -> Node:
    """Merge a node into a tree at the given steps; maps on the way are made."""
    if not steps:
        return merge(tree, node)
    step, rest = steps[0], steps[1:]
    if isinstance(step, int) and step < 0:
        place = -1 - step
        items = list(tree.value) if isinstance(tree.value, list) else []
        if place >= len(items):
            raise _error(
                node.origin,
                f"there is no {show_path((*done, place))}",
                allowed=f"[0] to [{len(items) - 1}]" if items else None,
                hint=None if items else f"give the list as a whole: {show_path(done)}=[...]",
            )
        items[place] = _put(items[place], rest, node, (*done, place))
        return Node(items, tree.origin, tree.key_origin)
    if not isinstance(tree.value, dict):
        return _put(Node({}, node.origin, tree.key_origin), steps, node, done)
    if rest:
        node = _put(tree.value.get(step, Node({}, node.origin)), rest, node, (*done, str(step)))
        return Node({**tree.value, step: node}, tree.origin, tree.key_origin)
    return merge(tree, Node({step: node}, tree.origin, tree.key_origin))


def _error(origin: Origin, what: str, **parts: str | None) -> InvalidConfigError:
    return InvalidConfigError([Problem(Finding(what, **parts), str(origin))])  # type: ignore[arg-type]
