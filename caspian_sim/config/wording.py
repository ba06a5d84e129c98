"""What the validator found, in the words of the user: units, limits, choices and hints from the models."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from caspian_sim.config.fields import WORD
from caspian_sim.config.problems import Finding, Path, did_you_mean, show

KEY = "[key]"
"""Last step of a place where a key of a map is at fault, not its value."""
UNKNOWN_KEY = frozenset({"extra_forbidden", "invalid_key"})

_NUMBER = frozenset({"float_type", "int_type", "int_from_float"})
_LIMIT = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"})
_LIST = frozenset({"tuple_type", "list_type"})
_MAP = frozenset({"model_type", "dict_type", "mapping_type"})
_EMPTY = frozenset({"too_short", "string_too_short"})
_TRUTH = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


class Declared:
    """What the models declare of the value at a place: its type, limits, unit, and the model around it."""

    def __init__(self, kind: Any) -> None:
        self.kind: Any = None
        self.metadata: list[object] = []
        self.unit: str | None = None
        self.or_list = False
        self.choices: tuple[Any, ...] = ()
        self.holder: type[BaseModel] | None = None
        self.enter(kind, [])

    @property
    def model(self) -> type[BaseModel] | None:
        """Model that the value should be, if it is one."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, BaseModel) else None

    def enter(self, kind: Any, metadata: list[object]) -> None:
        """Go down to a type, collecting what is annotated on the way."""
        self.metadata = list(metadata)
        self.choices = ()
        while True:
            if get_origin(kind) is Annotated:
                kind, *more = get_args(kind)
                self.metadata += more
            elif get_origin(kind) in (Union, UnionType):
                self.choices = get_args(kind)
                kind = max(get_args(kind), key=_rank)
            else:
                break
        self.kind = kind
        for item in self.metadata:
            if isinstance(item, FieldInfo):
                self.metadata += item.metadata
                self.note_unit(item.json_schema_extra)
            elif isinstance(item, WithJsonSchema):
                self.note_unit(item.json_schema)
                self.metadata += _limits(item.json_schema or {})

    def note_unit(self, extra: object) -> None:
        """Remember the unit, if there is one; 1 is none."""
        if isinstance(extra, dict) and extra.get("unit", "1") != "1":
            self.unit = str(extra["unit"])


def _limits(schema: Mapping[str, Any]) -> list[object]:
    return [
        limit(schema[key])
        for key, limit in (("minimum", Ge), ("maximum", Le))
        if isinstance(schema.get(key), float)
    ]


def _rank(kind: Any) -> int:
    """Rank the members of a choice: a list, map or number before a word, a word before null."""
    if kind is type(None):
        return 0
    if get_origin(kind) is Annotated:
        return _rank(get_args(kind)[0])
    return 1 if get_origin(kind) is Literal else 2


def declared_at(kind: Any, loc: Path) -> Declared:
    """Follow a place down from `kind`; steps that are the validator's own notes are passed over."""
    here = Declared(kind)
    for i, step in enumerate(loc):
        args, origin = get_args(here.kind), get_origin(here.kind)
        if step == WORD:
            here.enter(min(here.choices, key=_rank), [])
            here.or_list = True
        elif here.model is not None:
            here.holder = here.model
            info = here.model.model_fields.get(str(step))
            if info is None:
                break
            here.unit = None
            here.note_unit(info.json_schema_extra)
            here.enter(info.annotation, list(info.metadata))
        elif origin is tuple and isinstance(step, int):
            here.enter(args[0], [])
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            here.enter(args[0 if loc[i + 1 :] == (KEY,) else 1], [])
    return here


def in_words(detail: ErrorDetails, here: Declared) -> Finding:
    """Turn an error of the validator into a finding."""
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    allowed = _allowed(kind, here)
    if kind in UNKNOWN_KEY:
        known = list(here.holder.model_fields) if here.holder else []
        hint = did_you_mean(loc[-1], known)
        return Finding(f"unknown key {show(loc[-1])}", allowed=", ".join(known), hint=hint, at_key=True)
    if kind == "missing":
        return Finding(f"the key {show(loc[-1])} is missing", allowed=allowed, at_key=True)
    if value is None:
        optional = here.model and not any(info.is_required() for info in here.model.model_fields.values())
        hint = (
            "write {} for one without settings"
            if optional
            else "null deletes an inherited key, and nothing is inherited here"
        )
        return Finding("the value is missing", allowed=allowed, hint=hint)
    return Finding(_what(detail), found=show(value), allowed=allowed, hint=_hint(kind, value, here))


def _what(detail: ErrorDetails) -> str:
    kind, value = detail["type"], show(detail["input"])
    if kind in _NUMBER:
        return f"{value} is not a {'number' if kind == 'float_type' else 'whole number'}"
    if kind in _LIMIT:
        return f"{value} is {'not a finite number' if kind == 'finite_number' else 'out of range'}"
    if kind in _LIST:
        return f"{value} is not a list"
    if kind in _MAP:
        return f"{value} is not a map"
    if kind in _EMPTY:
        return "this must not be empty"
    words = {
        "bool_type": f"{value} is neither true nor false",
        "string_type": f"{value} is not text",
        "literal_error": f"{value} is not one of the choices",
    }
    return words.get(kind, detail["msg"])


def _hint(kind: str, value: object, here: Declared) -> str | None:
    if kind in _NUMBER and isinstance(value, str):
        if value.strip().lstrip("+-").replace(".", "", 1).isdecimal():
            return f"write {value.strip()} without quotes"
        return "give a plain number" + (f"; the unit of this key is {here.unit}" if here.unit else "")
    if kind == "bool_type" and str(value).casefold() in _TRUTH:
        return f"write {_TRUTH[str(value).casefold()]}" + (
            " without quotes" if value in _TRUTH.values() else ""
        )
    if kind == "string_type" and isinstance(value, int | float):
        return f'put it in quotes: "{show(value)}"'
    if kind == "literal_error" and isinstance(value, str):
        return did_you_mean(value, map(str, get_args(here.kind)))
    return None


def _allowed(kind: str, here: Declared) -> str | None:
    """Say what a place takes, whatever was found there."""
    if kind in _EMPTY:
        return "at least one" if kind == "too_short" else "text"
    if here.model is not None:
        return "a map with the keys " + ", ".join(here.model.model_fields)
    if here.kind in (int, float):
        return _range(here)
    if here.kind is bool:
        return "true or false"
    if here.kind is str:
        return "text"
    if get_origin(here.kind) is tuple:
        return "a list: [first, second] or one line each after a hyphen"
    if get_origin(here.kind) is Literal:
        return ", ".join(map(str, get_args(here.kind))) + (" or a list" if here.or_list else "")
    return "a map: {key: value} or one line each"


def _range(here: Declared) -> str:
    low = high = None
    for limit in here.metadata:
        if isinstance(limit, Ge):
            low = _number(limit.ge)
        elif isinstance(limit, Gt):
            low = f"more than {_number(limit.gt)}"
        elif isinstance(limit, Le):
            high = _number(limit.le)
    number = "a whole number" if here.kind is int else "a number"
    if low and high:
        number += f", {low} to {high}"
    elif low:
        number += f", {low} or more"
    return number + (f" ({here.unit})" if here.unit else "")


def _number(limit: object) -> str:
    return f"{limit:.10g}" if isinstance(limit, int | float) else str(limit)
