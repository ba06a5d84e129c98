"""Building blocks of the configuration: strict sections, levels, years, months, states.

Values are never converted in silence: ``"3"`` is not 3, and ``yes`` is not true.
A whole number is accepted where a number is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from caspian_sim.config.problems import Finding, did_you_mean, refuse, show

FIRST_YEAR = 1937
"""First year with an observed inflow and the level at its start."""
LAST_YEAR = 2250
"""Last year that every time coordinate can hold (64-bit nanoseconds end in 2262)."""
LOWEST_LEVEL = -1025.0
"""Deepest point of the South Caspian basin, m BHS."""
HIGHEST_LEVEL = -20.0
"""Above every level of the last two thousand years, m BHS."""

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)


class Section(BaseModel):
    """Frozen group of settings that knows all its keys and converts nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def setting(description: str, *, default: Any = ..., unit: str | None = None, **bounds: Any) -> Any:
    """Field with a description, and with a unit where it holds a quantity."""
    extra: dict[str, JsonValue] | None = None if unit is None else {"unit": unit}
    return Field(default, description=description, json_schema_extra=extra, **bounds)


def _list_to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _unique(values: tuple[H, ...]) -> tuple[H, ...]:
    findings = [
        Finding(f"{show(value)} is listed twice", at=(i,))
        for i, value in enumerate(values)
        if value in values[:i]
    ]
    if findings:
        raise refuse(*findings)
    return values


ListOf = Annotated[tuple[T, ...], BeforeValidator(_list_to_tuple)]


def unique_ids(kind: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Make a validator of a list in which no two entries have the same `id`; `kind` is what an entry is."""

    def check(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        ids = [entry.id for entry in entries]
        findings = [
            Finding(
                f"{kind} {name!r} is defined twice",
                hint=f"the first one is number {ids.index(name) + 1} in the list",
                at=(i, "id"),
            )
            for i, name in enumerate(ids)
            if name in ids[:i]
        ]
        if findings:
            raise refuse(*findings)
        return entries

    return check


UniqueListOf = Annotated[tuple[H, ...], BeforeValidator(_list_to_tuple), AfterValidator(_unique)]
SomeOf = Annotated[
    tuple[H, ...], Field(min_length=1), BeforeValidator(_list_to_tuple), AfterValidator(_unique)
]

WORD, LIST = "<word>", "<list>"
"""Branches of a setting that takes a word or a list, as they show in the validator's notes."""


def word_or_list(value: object) -> str:
    """Tell which branch a value takes."""
    return LIST if isinstance(value, list | tuple) else WORD


def _word(noun: str, words: tuple[str, ...], hints: Callable[[str], str | None]) -> BeforeValidator:
    """Accept one of some words; say what the word should be otherwise."""

    def check(value: object) -> object:
        if isinstance(value, str) and value not in words:
            raise refuse(
                Finding(
                    f"{show(value)} is not {noun}",
                    found=show(value),
                    allowed=", ".join(words),
                    hint=hints(value) or did_you_mean(value, words),
                )
            )
        return value

    return BeforeValidator(check)


# ---- who ---------------------------------------------------------------------------------------

_StateWord = Literal["AZ", "IR", "KZ", "RU", "TM"]
_PartyWord = Literal["AZ", "IR", "KZ", "RU", "TM", "upstream"]
_STATE_NAMES = {"azerbaijan": "AZ", "iran": "IR", "kazakhstan": "KZ", "russia": "RU", "turkmenistan": "TM"}
_UPSTREAM = {
    "uz": "Uzbekistan",
    "uzbekistan": "Uzbekistan",
    "ge": "Georgia",
    "georgia": "Georgia",
    "am": "Armenia",
    "armenia": "Armenia",
    "tr": "Türkiye",
    "turkey": "Türkiye",
    "türkiye": "Türkiye",
}


def _state_hint(word: str) -> str | None:
    name = word.casefold()
    if name in _STATE_NAMES:
        return f"write {_STATE_NAMES[name]}"
    if name in _UPSTREAM:
        return f"{_UPSTREAM[name]} has no Caspian coast; upstream use is set in consumption.change.upstream"
    return f"write {name.upper()}" if name.upper() in _STATE_NAMES.values() else None


def _party_hint(word: str) -> str | None:
    if word.casefold() in _UPSTREAM:
        return f"{_UPSTREAM[word.casefold()]} has no Caspian coast; its use is part of upstream"
    return _state_hint(word)


STATES: tuple[_StateWord, ...] = get_args(_StateWord)
"""The five littoral states."""
State = Annotated[_StateWord, _word("a littoral state", get_args(_StateWord), _state_hint)]
Party = Annotated[_PartyWord, _word("a water user", get_args(_PartyWord), _party_hint)]

# ---- what --------------------------------------------------------------------------------------

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _check_slug(value: object) -> object:
    if isinstance(value, str) and (not _SLUG.fullmatch(value) or len(value) > 64):
        slug = re.sub(r"[^a-z0-9]+", "-", value.casefold()).strip("-")[:64].strip("-")
        raise refuse(
            Finding(
                f"{show(value)} is not a short name",
                found=show(value),
                allowed="lower-case letters, digits and single hyphens, at most 64 characters",
                hint=f"did you mean {slug!r}?" if slug else None,
            )
        )
    return value


Slug = Annotated[
    str,
    BeforeValidator(_check_slug),
    WithJsonSchema({"type": "string", "pattern": f"^{_SLUG.pattern}$", "maxLength": 64}),
]

# ---- where -------------------------------------------------------------------------------------


def _check_level(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    if LOWEST_LEVEL <= value <= HIGHEST_LEVEL:
        return value
    guess = next((g for g in (-value, value / 100, -value / 100) if -35 <= g <= -22), None)
    hint = "levels are metres in the Baltic Height System, where the sea stands near -29"
    raise refuse(
        Finding(
            f"{show(value)} is not a possible level of the Caspian Sea",
            found=show(value),
            allowed=f"{LOWEST_LEVEL:g} to {HIGHEST_LEVEL:g} m BHS",
            hint=hint if guess is None else f"{hint}; did you mean {guess:g}?",
        )
    )


Level = Annotated[
    float,
    BeforeValidator(_check_level),
    WithJsonSchema({"type": "number", "unit": "m BHS", "minimum": LOWEST_LEVEL, "maximum": HIGHEST_LEVEL}),
]

# ---- when --------------------------------------------------------------------------------------

Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR, json_schema_extra={"unit": "calendar year"})]

_MONTH = re.compile(r"(\d{4})-(\d{2})")


def _month(month_of_bare_year: int) -> BeforeValidator:
    """Accept a year or a month; a bare year means the given month of it."""

    def read(value: object) -> object:
        text = f"{value}-{month_of_bare_year:02d}" if type(value) is int else value
        if isinstance(text, str) and re.fullmatch(r"\d{4}", text):
            text = f"{text}-{month_of_bare_year:02d}"
        match = _MONTH.fullmatch(text) if isinstance(text, str) else None
        if match and FIRST_YEAR <= int(match[1]) <= LAST_YEAR and 1 <= int(match[2]) <= 12:
            return text
        raise refuse(
            Finding(
                f"{show(value)} is not a month",
                found=show(value),
                allowed=f"a year or a month from {FIRST_YEAR} to {LAST_YEAR}, such as 2030 or 2030-05",
            )
        )

    return BeforeValidator(read)


_MONTH_SCHEMA = WithJsonSchema({"type": ["integer", "string"], "pattern": r"^\d{4}(-\d{2})?$"})

StartMonth = Annotated[str, _month(1), _MONTH_SCHEMA]
EndMonth = Annotated[str, _month(12), _MONTH_SCHEMA]
