"""A measure: something a littoral state can do that changes the water balance of the sea.

The same model reads the package's catalogue and the ``measures.custom`` list of
a configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from caspian_sim.config.fields import EndMonth, ListOf, Section, Slug, StartMonth, State, setting
from caspian_sim.config.problems import Finding, refuse

Mechanism = Literal["consumption", "transfer", "strait_regulation", "release_timing", "sea_withdrawal"]
Grade = Literal["A", "B", "C", "D"]

Volume = Annotated[float, Field(ge=-100, le=100, json_schema_extra={"unit": "km³/yr"})]


class VolumeRange(Section):
    """Range of an annual volume; positive raises the level of the sea."""

    low: Volume = setting("Low end of the range.", unit="km³/yr")
    best: Volume = setting("Best estimate.", unit="km³/yr")
    high: Volume = setting("High end of the range.", unit="km³/yr")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.best <= self.high:
            raise refuse(
                Finding(
                    "the range is not in order",
                    found=f"low {self.low:g}, best {self.best:g}, high {self.high:g}",
                    allowed="low <= best <= high",
                    hint="low is the smallest number, also where volumes are negative"
                    if self.high < 0 or self.low < 0
                    else None,
                )
            )
        return self


class Measure(Section):
    """A measure of one state, with its size, time, evidence and side effects."""

    id: Slug = setting("Short name, unique in the catalogue.")
    state: State = setting("Littoral state that carries the measure out.")
    title: str = setting("What is done, in one line.", min_length=1)
    mechanism: Mechanism = setting(
        "How the measure acts on the water balance: consumption (less irretrievable use in the basin), "
        "transfer (water from another basin), strait_regulation (the strait to Kara-Bogaz-Gol is throttled), "
        "release_timing (water moves within the year) or sea_withdrawal (water taken from the sea itself)."
    )
    volume_km3_per_yr: VolumeRange | None = setting(
        "Effect on the inflow to the sea at full size; positive raises the level. Not for strait_regulation, "
        "whose effect follows from the level, and zero for release_timing.",
        default=None,
        unit="km³/yr",
    )
    opening: float | None = setting(
        "Share of the strait that stays open, for strait_regulation only: 0 is a dam, 1 the strait as it is.",
        default=None,
        unit="1",
        ge=0,
        le=1,
    )
    start: StartMonth = setting("First month of the measure: YYYY (January) or YYYY-MM.", unit="month")
    ramp_years: float = setting(
        "Time from the start until full size, growing evenly.", default=0.0, unit="years", ge=0, le=100
    )
    end: EndMonth | None = setting(
        "Last month of the measure: YYYY (December) or YYYY-MM. It lasts for good when not given.",
        default=None,
        unit="month",
    )
    cost: str | None = setting("Cost as its source states it, with currency and year.", default=None)
    grade: Grade = setting(
        "Evidence: A official data or paper, B agency figure through another source, C press, D assumption."
    )
    source: str = setting("Where the numbers come from.", min_length=1)
    side_effects: str | None = setting("What else the measure does.", default=None)
    assumption: str | None = setting("What is assumed where the source has no number.", default=None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        findings = [finding for finding in (self._size(), self._dates()) if finding is not None]
        if findings:
            raise refuse(*findings)
        return self

    def _size(self) -> Finding | None:
        volume, mechanism = self.volume_km3_per_yr, self.mechanism
        if mechanism == "strait_regulation":
            if volume is not None:
                return Finding(
                    "strait_regulation takes no volume",
                    allowed="opening, the share of the strait left open, 0 to 1",
                    hint="what the strait saves follows from the level of the sea",
                    at=("volume_km3_per_yr",),
                    at_key=True,
                )
            if self.opening is None:
                return Finding("strait_regulation needs opening", allowed="0 to 1, the share left open")
            return None
        if self.opening is not None:
            return Finding(
                f"{mechanism} takes no opening",
                allowed="volume_km3_per_yr",
                hint="opening belongs to strait_regulation",
                at=("opening",),
                at_key=True,
            )
        if mechanism == "release_timing":
            if volume is not None and (volume.low, volume.high) != (0, 0):
                return Finding(
                    "release_timing moves water within the year and has no annual volume",
                    found=f"{volume.low:g} to {volume.high:g} km³/yr",
                    allowed="0",
                    at=("volume_km3_per_yr",),
                )
            return None
        if volume is None:
            return Finding(
                f"{mechanism} needs volume_km3_per_yr", allowed="{low: ..., best: ..., high: ...} in km³/yr"
            )
        if mechanism != "sea_withdrawal" and volume.low < 0:
            return Finding(
                f"a {mechanism} measure cannot lower the level",
                found=f"{volume.low:g} km³/yr",
                allowed="0 or more",
                hint="positive raises the level; growth of use is set under consumption.change",
                at=("volume_km3_per_yr", "low"),
            )
        return None

    def _dates(self) -> Finding | None:
        if self.end is not None and self.end < self.start:
            return Finding(
                "the measure ends before it starts",
                found=f"start {self.start}, end {self.end}",
                allowed=f"{self.start} or later",
                at=("end",),
            )
        return None


def _unique_ids(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    ids = [measure.id for measure in measures]
    findings = [
        Finding(
            f"measure {name!r} is defined twice",
            hint=f"the first one is number {ids.index(name) + 1} in the list",
            at=(i, "id"),
        )
        for i, name in enumerate(ids)
        if name in ids[:i]
    ]
    if findings:
        raise refuse(*findings)
    return measures


Measures = Annotated[ListOf[Measure], AfterValidator(_unique_ids)]
