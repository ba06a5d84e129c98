"""Ranges that the members of an ensemble draw from: volumes, shares, years, money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from caspian_sim.config.fields import Section, setting
from caspian_sim.config.problems import Finding, refuse, show


class Range(Section):
    """A range with a best estimate inside."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, best, high = (getattr(self, key) for key in ("low", "best", "high"))
        if not low <= best <= high:
            raise refuse(
                Finding(
                    "the range is not in order",
                    found=f"low {low:g}, best {best:g}, high {high:g}",
                    allowed="low <= best <= high",
                    hint="low is the smallest number, also where volumes are negative"
                    if high < 0 or low < 0
                    else None,
                )
            )
        return self


class RangeOrNumber(Range):
    """A range, for which a bare number may stand that is certain."""

    ends: ClassVar[tuple[float, float]]

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, value: object) -> object:
        least, most = cls.ends
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not least <= value <= most:
                raise refuse(
                    Finding(
                        f"{show(value)} is out of range", found=show(value), allowed=f"{least:g} to {most:g}"
                    )
                )
            return {"low": value, "best": value, "high": value}
        if isinstance(value, Mapping | BaseModel):
            return value
        raise refuse(
            Finding(
                f"{show(value)} is neither a number nor a map",
                found=show(value),
                allowed="a number, or a map with the keys low, best, high",
            )
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Let a bare number stand for the whole map, as the validator does."""
        least, most = cls.ends
        number = {"type": "number", "minimum": least, "maximum": most}
        return {"anyOf": [number, handler.resolve_ref_schema(handler(core_schema))]}


Volume = Annotated[float, Field(ge=-100, le=100, json_schema_extra={"unit": "km³/yr"})]
Share = Annotated[float, Field(ge=0, le=1, json_schema_extra={"unit": "1"})]
Years = Annotated[float, Field(ge=0, le=100, json_schema_extra={"unit": "years"})]
Moved = Annotated[float, Field(ge=0, le=100, json_schema_extra={"unit": "km³"})]


class VolumeRange(Range):
    """Range of an annual volume; positive raises the level of the sea."""

    low: Volume = setting("Low end of the range.", unit="km³/yr")
    best: Volume = setting("Best estimate.", unit="km³/yr")
    high: Volume = setting("High end of the range.", unit="km³/yr")


class MovedRange(Range):
    """Range of the water that is moved within a year."""

    low: Moved = setting("Low end of the range.", unit="km³")
    best: Moved = setting("Best estimate.", unit="km³")
    high: Moved = setting("High end of the range.", unit="km³")


class ShareRange(RangeOrNumber):
    """Range of a share, 0 to 1."""

    ends = (0.0, 1.0)
    low: Share = setting("Low end of the range.", unit="1")
    best: Share = setting("Best estimate.", unit="1")
    high: Share = setting("High end of the range.", unit="1")


class YearsRange(RangeOrNumber):
    """Range of a duration."""

    ends = (0.0, 100.0)
    low: Years = setting("Low end of the range.", unit="years")
    best: Years = setting("Best estimate.", unit="years")
    high: Years = setting("High end of the range.", unit="years")


class CostRange(Range):
    """Range of a cost as its source states it; negative where money is not spent."""

    low: float = setting("Low end of the range.", unit="as unit says")
    best: float = setting("Best estimate.", unit="as unit says")
    high: float = setting("High end of the range.", unit="as unit says")
    unit: Literal["million USD per year", "million USD"] = setting(
        "Running cost, or the cost of building it once."
    )
