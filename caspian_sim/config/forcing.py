"""What a configuration may say of series of a user's own: files, units, how they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import model_validator

from caspian_sim.config.fields import Section, Year, setting
from caspian_sim.config.problems import Finding, refuse

TERMS = ("precipitation", "evaporation", "river_inflow")


class BaselinePeriod(Section):
    """Years that stand for the present climate, both inclusive."""

    start: Year = setting("First year.", unit="calendar year")
    end: Year = setting("Last year.", unit="calendar year")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise refuse(
                Finding(
                    "the baseline ends before it starts",
                    found=f"start {self.start}, end {self.end}",
                    allowed=f"{self.start} or later",
                    at=("end",),
                )
            )
        return self


class OwnSeries(Section):
    """One term of the balance from a file."""

    file: str = setting(
        "CSV (.csv) or NetCDF (.nc, .nc4, .h5) file by month or year, relative to the file that names it.",
        min_length=1,
    )
    variable: str | None = setting(
        "Variable of the NetCDF file, or column of the CSV file; needed when there are several.",
        default=None,
        min_length=1,
    )
    units: str | None = setting(
        "Unit of the values, where the file does not state it.", default=None, min_length=1
    )
    use: Literal["absolute", "change"] = setting(
        "absolute: the values take the place of the model's; change: the model's present climate changes as "
        "the file does against its own baseline (precipitation and inflow by ratio, evaporation by "
        "difference).",
        default="absolute",
    )
    baseline: BaselinePeriod | None = setting(
        "For use change: years of the file that stand for the present climate; 2003 to 2022 when not given.",
        default=None,
    )
    variability: Literal["own", "added"] = setting(
        "own: wet and dry years are those of the file; added: the model's are added, for a smooth series.",
        default="own",
    )

    @model_validator(mode="after")
    def _baseline_for_change(self) -> Self:
        if self.baseline is not None and self.use != "change":
            raise refuse(
                Finding(
                    "a baseline is given, but the values are used as they are",
                    found=f"use {self.use}",
                    allowed="use change with a baseline, or no baseline",
                    at=("baseline",),
                )
            )
        return self


class OwnForcing(Section):
    """Series of your own in place of the model's; what is not given stays the model's."""

    precipitation: OwnSeries | None = setting(
        "Precipitation over the sea, such as pr of CMIP6.", default=None
    )
    evaporation: OwnSeries | None = setting(
        "Evaporation from the sea, positive upward, such as evspsbl of CMIP6.", default=None
    )
    river_inflow: OwnSeries | None = setting(
        "Inflow by river or as one total; rivers that are not in the file stay the model's.", default=None
    )

    def given(self) -> Iterator[tuple[str, OwnSeries]]:
        """Terms that come from a file, by name."""
        for term in TERMS:
            series = getattr(self, term)
            if series is not None:
                yield term, series
