"""A tree of nodes against a model: a valid value, or every problem with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, TypeAdapter, ValidationError, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from caspian_sim.config.nodes import Node, descend, plain
from caspian_sim.config.problems import (
    FINDINGS,
    Finding,
    InvalidConfigError,
    Path,
    Problem,
    did_you_mean,
    show,
)

T = TypeVar("T")
_KEY = "[key]"
"""Last step of a place where a key of a map is at fault, not its value."""


def validate(tree: Node, kind: Any) -> Any:
    """Value of a tree as `kind`, a model or an annotated type.

    Raises
    ------
    InvalidConfigError
        With all problems, each at the line and column of the value at fault.
    """
    data = plain(tree)
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    problems: dict[str, Problem] = {}
    while True:
        try:
            value = adapter.validate_python(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            break
        for detail in details:
            for problem in _problems(detail, tree, kind):
                problems.setdefault(str(problem), problem)
        # An unknown key hides what is checked after the keys: note it, drop it and check the rest again.
        unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
        if not unknown:
            break
        for loc in unknown:
            _remove(data, loc)
    if problems:
        raise InvalidConfigError(sorted(problems.values(), key=_place))
    return value


def _place(problem: Problem) -> tuple[str, int, int]:
    source, *numbers = problem.origin.rsplit(":", 2)
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):
        return source, int(numbers[0]), int(numbers[1])
    return problem.origin, 0, 0


def _remove(data: Any, loc: Path) -> None:
    for step in loc[:-1]:
        inside = step in data if isinstance(data, dict) else isinstance(step, int)
        data = data[step] if inside else data
    data.pop(loc[-1])


def _problems(detail: ErrorDetails, tree: Node, kind: Any) -> Iterator[Problem]:
    loc = detail["loc"]
    if detail["type"] == FINDINGS:
        findings = detail["ctx"]["findings"]
    else:
        findings = (_finding(detail, _declared(kind, loc)),)
    at_key = bool(loc) and loc[-1] == _KEY
    loc = loc[:-1] if at_key else loc
    for finding in findings:
        node, path = descend(tree, loc + finding.at)
        if detail["type"] == "missing":
            path = (*path, loc[-1])
        origin = node.named_at if at_key or finding.at_key or detail["type"] == "missing" else node.origin
        yield Problem(finding, str(origin), path)


# ---- what the models say of a place ----------------------------------------------------------------


class _Declared:
    """What is declared of the value at a place: the type, its limits and its unit."""

    def __init__(self, kind: Any) -> None:
        self.metadata: list[object] = []
        self.unit: str | None = None
        self.kind: Any = None
        self.holder: type[BaseModel] | None = None
        self.enter(kind, [])

    def enter(self, kind: Any, metadata: list[object]) -> None:
        self.metadata = list(metadata)
        while True:
            if get_origin(kind) is Annotated:
                kind, *more = get_args(kind)
                self.metadata += more
            elif get_origin(kind) in (Union, UnionType):
                kind = max(get_args(kind), key=_depth)
            else:
                break
        self.kind = kind
        for item in self.metadata:
            if isinstance(item, FieldInfo):
                self.metadata += item.metadata
                self.note_unit(item.json_schema_extra)
            elif isinstance(item, WithJsonSchema):
                self.note_unit(item.json_schema)

    def note_unit(self, extra: object) -> None:
        if isinstance(extra, dict) and "unit" in extra:
            self.unit = str(extra["unit"])


def _depth(kind: Any) -> int:
    """Rank the members of a choice: a container or model before a word, a word before null."""
    if kind is type(None):
        return 0
    if get_origin(kind) is Annotated:
        return _depth(get_args(kind)[0])
    return 1 if get_origin(kind) is Literal else 2


def _declared(kind: Any, loc: Path) -> _Declared:
    here = _Declared(kind)
    for i, step in enumerate(loc):
        args = get_args(here.kind)
        if isinstance(here.kind, type) and issubclass(here.kind, BaseModel):
            here.holder = here.kind
            info = here.kind.model_fields.get(str(step))
            if info is None:
                break
            here.unit = None
            here.note_unit(info.json_schema_extra)
            here.enter(info.annotation, list(info.metadata))
        elif get_origin(here.kind) is tuple and isinstance(step, int):
            here.enter(args[0], [])
        elif isinstance(get_origin(here.kind), type) and issubclass(get_origin(here.kind), Mapping):
            here.enter(args[0 if loc[i + 1 :] == (_KEY,) else 1], [])
    return here


# ---- what the validator says, in the words of the user ------------------------------------------------

_NUMBER = {"float_type", "float_parsing", "int_type", "int_parsing", "int_from_float"}
_LIST = {"tuple_type", "list_type"}
_MAP = {"model_type", "dict_type", "mapping_type", "model_attributes_type"}
_BOUND = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_TRUTH = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def _finding(detail: ErrorDetails, here: _Declared) -> Finding:
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    ctx = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(here.holder.model_fields) if here.holder else []
        return Finding(
            f"unknown key {show(loc[-1])}",
            allowed=", ".join(known),
            hint=did_you_mean(loc[-1], known),
            at_key=True,
        )
    if kind == "missing":
        return Finding(
            f"the key {show(loc[-1])} is missing",
            hint=None if here.unit is None else f"its unit is {here.unit}",
        )
    if value is None:
        return Finding(
            "the value is missing",
            allowed=_allowed(kind, here),
            hint="null deletes an inherited key, and nothing is inherited here",
        )
    allowed = _allowed(kind, here)
    if kind in _NUMBER:
        whole = kind.startswith("int")
        what = f"{show(value)} is not a {'whole ' if whole else ''}number"
        return Finding(what, found=show(value), allowed=allowed, hint=_number_hint(value, here))
    if kind == "bool_type":
        word = _TRUTH.get(str(value).casefold())
        return Finding(
            f"{show(value)} is neither true nor false",
            found=show(value),
            allowed=allowed,
            hint=f"write {word}" if word else None,
        )
    if kind == "string_type":
        hint = f'put it in quotes: "{value}"' if isinstance(value, int | float) else None
        return Finding(f"{show(value)} is not text", found=show(value), allowed=allowed, hint=hint)
    if kind == "literal_error":
        words = [str(word) for word in get_args(here.kind)] or [str(ctx.get("expected"))]
        return Finding(
            f"{show(value)} is not one of the choices",
            found=show(value),
            allowed=", ".join(words) if get_args(here.kind) else words[0],
            hint=did_you_mean(value, words) if isinstance(value, str) else None,
        )
    if kind == "finite_number":
        return Finding(f"{show(value)} is not a finite number", found=show(value), allowed=allowed)
    if kind in _BOUND:
        return Finding(f"{show(value)} is out of range", found=show(value), allowed=allowed)
    if kind in _LIST | _MAP:
        noun = "a list" if kind in _LIST else "a map"
        return Finding(f"{show(value)} is not {noun}", found=show(value), allowed=allowed)
    if kind in ("too_short", "string_too_short"):
        return Finding("this must not be empty", found=show(value), allowed=allowed)
    return Finding(str(detail["msg"]), found=show(value), allowed=allowed)


def _number_hint(value: object, here: _Declared) -> str | None:
    if not isinstance(value, str):
        return None
    return "give a plain number" + (f"; the unit of this key is {here.unit}" if here.unit else "")


def _allowed(kind: str, here: _Declared) -> str | None:
    if kind in _NUMBER | _BOUND | {"finite_number"}:
        return _range(here, whole=here.kind is int)
    if kind == "bool_type":
        return "true or false"
    if kind == "string_type":
        return "text"
    if kind in _LIST:
        return "a list: [first, second] or a line for each, opened by a hyphen"
    if kind in _MAP:
        model = here.kind if isinstance(here.kind, type) and issubclass(here.kind, BaseModel) else None
        return "a map with the keys " + ", ".join(model.model_fields) if model else "a map: key: value"
    if kind == "too_short":
        return "at least one"
    if kind == "literal_error":
        return ", ".join(str(word) for word in get_args(here.kind)) or None
    return None


def _range(here: _Declared, *, whole: bool) -> str:
    low = high = ""
    for bound in here.metadata:
        if isinstance(bound, Ge):
            low = f"{bound.ge}"
        elif isinstance(bound, Gt):
            low = f"more than {bound.gt}"
        elif isinstance(bound, Le):
            high = f"{bound.le}"
        elif isinstance(bound, Lt):
            high = f"less than {bound.lt}"
    number = "a whole number" if whole else "a number"
    if low and high:
        number += f", {low} to {high}"
    elif low or high:
        number += f", {low + ' or more' if low else 'up to ' + high}"
    return number + (f" ({here.unit})" if here.unit and here.unit != "1" else "")
