"""A tree of nodes against a model: a valid value, or every problem with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from caspian_sim.config.nodes import Node, descend, plain
from caspian_sim.config.problems import FINDINGS, InvalidConfigError, Path, Problem, in_order
from caspian_sim.config.wording import KEY, UNKNOWN_KEY, declared_at, in_words


def validate(tree: Node, kind: Any) -> Any:
    """Read a tree as `kind`, a model or an annotated type.

    Raises
    ------
    InvalidConfigError
        With all problems, each at the line and column of the value at fault.
    """
    data = plain(tree)
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    problems: list[Problem] = []
    while True:
        try:
            value = adapter.validate_python(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            break
        problems += [problem for detail in details for problem in _problems(detail, tree, kind)]
        # An unknown key hides what is checked after the keys: note it, drop it and check the rest again.
        unknown = [detail["loc"] for detail in details if detail["type"] in UNKNOWN_KEY]
        if not unknown:
            break
        for loc in unknown:
            _remove(data, loc)
    if problems:
        raise InvalidConfigError(in_order(problems))
    return value


def _remove(data: Any, loc: Path) -> None:
    for step in loc[:-1]:
        inside = step in data if isinstance(data, dict) else isinstance(step, int)
        data = data[step] if inside else data
    data.pop(loc[-1])


def _problems(detail: ErrorDetails, tree: Node, kind: Any) -> Iterator[Problem]:
    loc = detail["loc"]
    if detail["type"] == "too_short" and detail["input"]:
        return  # its members are at fault, and are reported themselves
    if detail["type"] == FINDINGS:
        findings = detail["ctx"]["findings"]
    else:
        findings = (in_words(detail, declared_at(kind, loc)),)
    at_key = bool(loc) and loc[-1] == KEY
    for finding in findings:
        node, path = descend(tree, (loc[:-1] if at_key else loc) + finding.at)
        if detail["type"] == "missing":
            path = (*path, loc[-1])
        yield Problem(finding, str(node.named_at if at_key or finding.at_key else node.origin), path)
