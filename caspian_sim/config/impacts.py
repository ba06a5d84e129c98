"""What a configuration may say of impacts: ports of the user's own beside those that ship."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from caspian_sim.config.fields import Level, ListOf, Section, Slug, State, setting, unique_ids
from caspian_sim.config.measure import Grade
from caspian_sim.config.problems import Finding, did_you_mean, refuse, show


class OwnPort(Section):
    """A depth at a port, the level of the sea that it refers to, and the vessel that it is judged by."""

    id: Slug = setting("Short name, unique; that of a shipped port takes its place.")
    title: str = setting("Name of the port, with what the depth is of.", min_length=1)
    state: State = setting("Littoral state of the port.")
    latitude_deg: float | None = setting(
        "Latitude, for maps.", default=None, unit="degrees north", ge=35, le=49
    )
    longitude_deg: float | None = setting(
        "Longitude, for maps.", default=None, unit="degrees east", ge=45, le=57
    )
    depth_m: float = setting("Depth or permitted draft.", unit="m", gt=0, le=30)
    stated_as: Literal["depth", "draft"] = setting(
        "depth: depth of the water; draft: permitted draft of vessels, which contains the clearance under "
        "the keel.",
        default="depth",
    )
    reference_level_m: Level | None = setting(
        "Level of the sea that the depth refers to; charts and Russian gauges: -28.0.",
        default=None,
        unit="m BHS",
    )
    reference_year: int | None = setting(
        "Year whose observed mean level the depth refers to, in place of reference_level_m.",
        default=None,
        unit="calendar year",
    )
    vessel: str | None = setting(
        "Vessel of the table vessels that the port is judged by; its figures can be replaced one by one.",
        default=None,
    )
    vessel_draft_m: float | None = setting("Draft at full load.", default=None, unit="m", gt=0, le=30)
    clearance_m: float | None = setting(
        "Water to be kept under the keel, for a depth; 10 % of the draft when not given.",
        default=None,
        unit="m",
        ge=0,
        le=5,
    )
    cargo_t_per_cm: float | None = setting(
        "Cargo that a centimetre of draft is worth.", default=None, unit="t/cm", gt=0, le=500
    )
    deadweight_t: float | None = setting(
        "Deadweight at full load: no more than that can be lost.", default=None, unit="t", gt=0, le=1_000_000
    )
    grade: Grade = setting(
        "Evidence for the depth: A official data or paper, B agency figure through another source, C press, "
        "D assumption.",
        default="D",
    )
    source: str = setting("Where the depth comes from.", min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        findings = [found for found in (self._datum(), self._year(), *self._vessel()) if found is not None]
        if findings:
            raise refuse(*findings)
        return self

    def _datum(self) -> Finding | None:
        level, year = self.reference_level_m, self.reference_year
        if level is None and year is None:
            return Finding(
                "the depth does not say to which level of the sea it refers",
                allowed="reference_level_m (m BHS) or reference_year",
                hint="charts and Russian gauges: reference_level_m: -28.0; as found in 2024: "
                "reference_year: 2024",
            )
        if level is not None and year is not None:
            return Finding(
                "the depth refers to a level and to a year",
                found=f"reference_level_m {level:g}, reference_year {year}",
                allowed="one of the two",
                at=("reference_year",),
                at_key=True,
            )
        return None

    def _year(self) -> Finding | None:
        if self.reference_year is None:
            return None
        years = _observed_years()
        if self.reference_year in years:
            return None
        return Finding(
            f"no level was observed in {self.reference_year}",
            found=str(self.reference_year),
            allowed=f"{years[0]} to {years[-1]}",
            hint="give the level itself as reference_level_m",
            at=("reference_year",),
        )

    def _vessel(self) -> list[Finding | None]:
        if self.stated_as == "draft" and self.clearance_m:
            return [
                Finding(
                    "a permitted draft contains the clearance already",
                    found=f"clearance_m {self.clearance_m:g}",
                    allowed="clearance_m with stated_as: depth",
                    at=("clearance_m",),
                    at_key=True,
                )
            ]
        if self.vessel is not None:
            known = _vessels()
            if self.vessel in known:
                return []
            return [
                Finding(
                    f"unknown vessel {show(self.vessel)}",
                    allowed=", ".join(known),
                    hint=did_you_mean(self.vessel, known),
                    at=("vessel",),
                )
            ]
        own = ("vessel_draft_m", "cargo_t_per_cm", "deadweight_t")
        missing = [key for key in own if getattr(self, key) is None]
        if not missing:
            return []
        return [
            Finding(
                "the vessel that the port is judged by is missing",
                found=f"no {', no '.join(missing)}",
                allowed=f"vessel ({', '.join(_vessels())}), or {', '.join(own)}",
            )
        ]


def _observed_years() -> range:
    # The tables take a moment to load, which a run without ports of its own never needs.
    from caspian_sim import data

    year = data.load("sea_level_annual")["year"]
    return range(int(year[0]), int(year[-1]) + 1)


def _vessels() -> list[str]:
    from caspian_sim import data

    return [str(vessel) for vessel in data.load("vessels")["vessel"].values]


class Impacts(Section):
    """What impacts are read off the level."""

    catalogue: Literal["default", "none"] = setting(
        "The package's ports, or none of them.", default="default"
    )
    ports: Annotated[ListOf[OwnPort], AfterValidator(unique_ids("port"))] = setting(
        "Ports of your own.", default=()
    )
