"""A measure: something a littoral state can do that changes the water balance of the sea.

The same model reads the package's catalogue and the ``measures.custom`` list of
a configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from caspian_sim.config.fields import (
    EndMonth,
    Level,
    ListOf,
    Section,
    Slug,
    StartMonth,
    State,
    UniqueListOf,
    setting,
    unique_ids,
)
from caspian_sim.config.problems import Finding, refuse
from caspian_sim.config.ranges import CostRange, MovedRange, ShareRange, VolumeRange, YearsRange

Mechanism = Literal["consumption", "transfer", "strait_regulation", "release_timing", "sea_withdrawal"]
Grade = Literal["A", "B", "C", "D"]
Month = Annotated[int, Field(ge=1, le=12, json_schema_extra={"unit": "calendar month"})]


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
    return_flow: ShareRange | None = setting(
        "Share of the volume that comes back to the sea in any case, as drainage; it is no saving. For "
        "consumption, where the volume is gross; the volume is net when not given.",
        default=None,
        unit="1",
    )
    pool: Slug | None = setting(
        "Name of the water that the measure saves. Measures of one pool act on the same water: together they "
        "count in no month for more than the largest of them at full size.",
        default=None,
    )
    avoids: Slug | None = setting(
        "Growth of use (role growth) that the measure keeps from happening, by id. It counts for no more "
        "than that takes in the same month, and for nothing in a run without growth.",
        default=None,
    )
    alternative_to: Slug | None = setting(
        "Measure in whose place this one stands, by id: while that is in the run, only programmes that name "
        "this one carry it out.",
        default=None,
    )
    opening: float | None = setting(
        "Share of the strait that stays open, for strait_regulation only: 0 is a dam, 1 the strait as it is. "
        "With closed_below_m the share that stays open below that level, 0 when not given.",
        default=None,
        unit="1",
        ge=0,
        le=1,
    )
    closed_below_m: Level | None = setting(
        "Rule for gates in the strait, for strait_regulation: closed while the sea stands below this level, "
        "open from 0.1 m above it, evenly in between. Closed at every level when not given.",
        default=None,
        unit="m BHS",
    )
    moved_km3: MovedRange | None = setting(
        "Water that release_timing moves within each calendar year; nothing is moved when not given.",
        default=None,
        unit="km³",
    )
    from_months: UniqueListOf[Month] = setting(
        "Months that give the moved water, with moved_km3.", default=(), unit="calendar month"
    )
    to_months: UniqueListOf[Month] = setting(
        "Months that receive the moved water, with moved_km3.", default=(), unit="calendar month"
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
    lifetime_years: float | None = setting(
        "Time from the start, delay included, after which the measure ends; also by end, whichever is first.",
        default=None,
        unit="years",
        gt=0,
        le=250,
    )
    delay_years: YearsRange | None = setting(
        "How much later than planned it starts; a number, or a range that the members draw from.",
        default=None,
        unit="years",
    )
    compliance: ShareRange | None = setting(
        "Share of the measure that is carried out, 0 to 1; a number, or a range that the members draw from. "
        "All of it when not given.",
        default=None,
        unit="1",
    )
    cost: CostRange | None = setting("Cost, where a source has one; never an assumption.", default=None)
    role: Literal["measure", "growth"] = setting(
        "measure: what a state may do; growth: use that is expected to grow without measures, which acts in "
        "every programme when measures.growth is true and whose volume is 0 or less.",
        default="measure",
    )
    grade: Grade = setting(
        "Evidence: A official data or paper, B agency figure through another source, C press, D assumption."
    )
    source: str = setting("Where the numbers come from.", min_length=1)
    side_effects: str | None = setting("What else the measure does.", default=None)
    assumption: str | None = setting("What is assumed where the source has no number.", default=None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        checks = (self._size(), self._strait(), self._timing(), self._dates())
        findings = [finding for finding in checks if finding is not None]
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
            if self.opening is None and self.closed_below_m is None:
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
        if self.role == "growth":
            if volume.high > 0:
                return Finding(
                    "growth of use cannot raise the level",
                    found=f"{volume.high:g} km³/yr",
                    allowed="0 or less",
                    at=("volume_km3_per_yr", "high"),
                )
            return None
        if mechanism != "sea_withdrawal" and volume.low < 0:
            return Finding(
                f"a {mechanism} measure cannot lower the level",
                found=f"{volume.low:g} km³/yr",
                allowed="0 or more",
                hint="positive raises the level; growth of use is set under consumption.change",
                at=("volume_km3_per_yr", "low"),
            )
        return None

    def _strait(self) -> Finding | None:
        if self.closed_below_m is not None and self.mechanism != "strait_regulation":
            return Finding(
                f"{self.mechanism} takes no closed_below_m",
                hint="closed_below_m belongs to strait_regulation",
                at=("closed_below_m",),
                at_key=True,
            )
        if self.return_flow is not None and self.mechanism != "consumption":
            return Finding(
                f"{self.mechanism} takes no return_flow",
                hint="return_flow belongs to consumption",
                at=("return_flow",),
                at_key=True,
            )
        return None

    def _timing(self) -> Finding | None:
        given = self.moved_km3 is not None, bool(self.from_months), bool(self.to_months)
        if self.mechanism != "release_timing":
            if any(given):
                return Finding(f"{self.mechanism} moves no water within the year", hint="release_timing does")
            return None
        if any(given) and not all(given):
            return Finding(
                "release_timing needs moved_km3, from_months and to_months, or none of them",
            )
        if both := sorted(set(self.from_months) & set(self.to_months)):
            return Finding(
                f"month {both[0]} both gives and receives the moved water",
                allowed="different months",
                at=("to_months", self.to_months.index(both[0])),
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


Measures = Annotated[ListOf[Measure], AfterValidator(unique_ids("measure"))]
