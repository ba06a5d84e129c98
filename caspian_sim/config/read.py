"""YAML text to a tree of nodes, or one clear message.

Only what a configuration needs: maps, lists, text, numbers, true, false, null.
Tags that would build objects are refused, as are duplicate keys. Anchors and
merge keys work; what they expand to is counted before it is expanded.
"""

from __future__ import annotations

import difflib
import os
import re

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from caspian_sim.config.nodes import Node, Origin, Scalar
from caspian_sim.config.problems import Finding, InvalidConfigError, Problem, Step, show

SIZE_LIMIT = 1_000_000
"""Largest configuration file, bytes."""
VALUE_LIMIT = 100_000
"""Most values a configuration may have once its anchors are expanded."""

_TAG = "tag:yaml.org,2002:"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCALARS = frozenset(_TAG + kind for kind in ("null", "bool", "int", "float", "str", "timestamp"))


def read_file(path: str) -> Node:
    """Tree of a YAML file.

    Parameters
    ----------
    path : str
        File as the user named it; messages repeat it.

    Raises
    ------
    InvalidConfigError
        If the file is missing, a folder, too large, not UTF-8, empty, or not YAML.
    """
    try:
        if os.path.isdir(path):
            raise _error(path, "this is a folder, not a file", hint=_files_in(path))
        with open(path, "rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise _error(path, "no such file", hint=_nearest_file(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _error(path, f"the file cannot be read: {reason}") from None
    if len(data) > SIZE_LIMIT:
        raise _error(
            path,
            "the file is too large for a configuration",
            found=f"{max(os.path.getsize(path), len(data)):,} bytes",
            allowed=f"up to {SIZE_LIMIT:,} bytes",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(
            f"{path}:{line}",
            "the file is not UTF-8 text",
            found=f"byte 0x{data[error.start]:02x} at offset {error.start}",
            hint="save the file as UTF-8",
        ) from None
    return read_text(text, path)


def read_text(text: str, name: str, folder: str | None = None) -> Node:
    """Tree of YAML text; `name` opens every message, `folder` is where relative paths start."""
    return _Composer(name, os.path.dirname(name) if folder is None else folder).tree(text)


class _Composer:
    """Turns the composed YAML into nodes, once for each anchor however often it is used."""

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.folder = folder
        self.yaml = YAML(typ="safe", pure=True)
        self.done: dict[int, Node] = {}
        self.sizes: dict[int, int] = {}
        self.open: set[int] = set()
        self.problems: list[Problem] = []

    def tree(self, text: str) -> Node:
        bad = _UNPRINTABLE.search(text)
        if bad is not None:
            line, column = (
                text.count("\n", 0, bad.start()) + 1,
                bad.start() - text.rfind("\n", 0, bad.start()),
            )
            raise _error(
                f"{self.name}:{line}:{column}",
                "the file is not plain text",
                found=f"control character 0x{ord(bad[0]):02x}",
            )
        try:
            composed = self.yaml.compose(text)
            if composed is None or str(composed.tag) == _TAG + "null":
                raise _error(
                    self.name, "the file is empty", hint="caspian-sim init writes a file to start from"
                )
            node = self.node(composed)
        except MarkedYAMLError as error:
            raise self.syntax(error, text) from None
        except YAMLError as error:
            raise _error(self.name, f"the file is not YAML: {error}") from None
        except RecursionError:
            raise _error(self.name, "maps and lists are nested too deeply") from None
        if self.problems:
            raise InvalidConfigError(self.problems)
        return node

    def syntax(self, error: MarkedYAMLError, text: str) -> InvalidConfigError:
        mark = error.problem_mark or error.context_mark
        where = self.name if mark is None else f"{self.name}:{mark.line + 1}:{mark.column + 1}"
        lines = text.splitlines()
        line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
        what = str(error.problem or error.context).removeprefix("but ")
        context = str(error.context or "")
        opened = f"opened on line {error.context_mark.line + 1}" if error.context_mark else ""
        hint = None
        if "\\t" in what:
            hint = "indent with spaces, not with tabs"
        elif "mapping values are not allowed" in what:
            hint = "text with a colon needs quotes; otherwise check the indentation of this line"
        elif "another document" in what:
            hint = "a configuration is one document: remove the line ---"
        elif "flow" in context:
            hint = f"is the bracket {opened} closed, and a comma between all members?"
        elif "quoted" in context:
            hint = f"is the quote {opened} closed?"
        elif "block" in context:
            hint = "check the indentation of this line"
        return _error(
            where,
            f"the file is not YAML: {what}",
            found=show(line.strip()) if line.strip() else None,
            hint=hint,
        )

    def origin(self, node: YamlNode) -> Origin:
        mark = node.start_mark
        return Origin(self.name, mark.line + 1, mark.column + 1, self.folder)

    def fail(self, node: YamlNode, what: str, **parts: str | None) -> None:
        self.problems.append(Problem(Finding(what, **parts), str(self.origin(node))))  # type: ignore[arg-type]

    def node(self, source: YamlNode) -> Node:
        if id(source) in self.done:
            return self.done[id(source)]
        if id(source) in self.open:
            raise _error(str(self.origin(source)), "the anchor contains itself")
        self.open.add(id(source))
        if isinstance(source, MappingNode):
            node, size = self.map(source)
        elif isinstance(source, SequenceNode):
            self.check_tag(source, "seq")
            children = [self.node(child) for child in source.value]
            node = Node(list(children), self.origin(source))
            size = 1 + sum(self.sizes[id(child)] for child in source.value)
        else:
            node, size = Node(self.scalar(source), self.origin(source)), 1
        if size > VALUE_LIMIT:
            raise _error(
                str(self.origin(source)),
                "the anchors expand to too many values",
                allowed=f"up to {VALUE_LIMIT:,}",
            )
        self.open.discard(id(source))
        self.done[id(source)] = node
        self.sizes[id(source)] = size
        return node

    def map(self, source: MappingNode) -> tuple[Node, int]:
        self.check_tag(source, "map")
        children: dict[Step, Node] = {}
        inherited: dict[Step, Node] = {}
        size = 1
        for key_node, value_node in source.value:
            node = self.node(value_node)
            size += self.sizes[id(value_node)]
            if str(key_node.tag) == _TAG + "merge":
                for each in node.value if isinstance(node.value, list) else [node]:
                    if isinstance(each.value, dict):
                        inherited = {**each.value, **inherited}
                    else:
                        self.fail(key_node, "<< takes a map", found=show(each.value))
                continue
            key = self.scalar(key_node) if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str | int) or isinstance(key, bool):
                self.fail(
                    key_node, "this is not a key", allowed="text or a year", hint="put the key in quotes"
                )
                continue
            key_origin = self.origin(key_node)
            if key in children:
                first = children[key].named_at
                self.fail(
                    key_node,
                    f"the key {show(key)} stands twice in one map",
                    found=f"first on line {first.line}",
                )
            # A value left empty has no place of its own.
            empty = isinstance(value_node, ScalarNode) and value_node.start_mark == value_node.end_mark
            children[key] = Node(node.value, key_origin if empty else node.origin, key_origin)
        return Node({**inherited, **children}, self.origin(source)), size

    def scalar(self, source: YamlNode) -> Scalar:
        tag = str(source.tag)
        if tag not in _SCALARS:
            self.refuse_tag(source)
            return None
        if tag in (_TAG + "str", _TAG + "timestamp"):
            return str(source.value)
        try:
            value: Scalar = self.yaml.constructor.construct_object(source)
        except (ValueError, KeyError):
            self.fail(source, f"{show(source.value)} does not fit its tag", found=tag.replace(_TAG, "!!"))
            return None
        return value

    def check_tag(self, source: YamlNode, kind: str) -> None:
        if str(source.tag) != _TAG + kind:
            self.refuse_tag(source)

    def refuse_tag(self, source: YamlNode) -> None:
        self.fail(
            source,
            "tags are not allowed in a configuration",
            found=str(source.tag).replace(_TAG, "!!"),
            allowed="maps, lists, text, numbers, true, false and null",
        )


def _error(
    where: str, what: str, *, found: str | None = None, allowed: str | None = None, hint: str | None = None
) -> InvalidConfigError:
    return InvalidConfigError([Problem(Finding(what, found, allowed, hint), where)])


def _yaml_files(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder or ".") if name.endswith((".yaml", ".yml")))
    except OSError:
        return []


def _files_in(folder: str) -> str:
    files = _yaml_files(folder)
    if not files:
        return "it holds no YAML file"
    return "name a file in it: " + ", ".join(files[:8]) + (", ..." if len(files) > 8 else "")


def _nearest_file(path: str) -> str:
    folder, name = os.path.split(path)
    if folder and not os.path.isdir(folder):
        return f"there is no folder {folder}"
    files = _yaml_files(folder)
    stems = {os.path.splitext(file)[0]: file for file in files}
    near = difflib.get_close_matches(os.path.splitext(name)[0], stems, n=1)
    if near:
        return f"did you mean {os.path.join(folder, stems[near[0]])}?"
    return _files_in(folder) if files else f"there is no YAML file in {folder or 'the working directory'}"
