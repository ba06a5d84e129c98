"""What a configuration may say: every key, its unit, its default and its limits.

These models are the one definition of a run. The JSON Schema for editors and
the reference in docs/config.md are generated from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from caspian_sim.config.fields import (
    LIST,
    WORD,
    Level,
    Party,
    Section,
    Slug,
    SomeOf,
    UniqueListOf,
    Year,
    setting,
    word_or_list,
)
from caspian_sim.config.forcing import OwnForcing
from caspian_sim.config.impacts import Impacts
from caspian_sim.config.parameters import known_parameter, override_findings
from caspian_sim.config.problems import Finding, refuse, show
from caspian_sim.config.programme import MeasureChoice, Programme, programme_findings, standard_programmes
from caspian_sim.config.summary import html_summary, text_summary

Scenario = Literal["ssp119", "ssp126", "ssp245", "ssp370", "ssp585"]
FigureName = Literal["projection", "budget", "hypsometry", "hindcast"]

ParameterName = Annotated[str, AfterValidator(known_parameter)]


class Period(Section):
    """Whole calendar years, both inclusive."""

    start: Year = setting("First year; the run starts at 00:00 on 1 January.", unit="calendar year")
    end: Year = setting("Last year; the run ends at 24:00 on 31 December.", unit="calendar year")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise refuse(
                Finding(
                    "the period ends before it starts",
                    found=f"start {self.start}, end {self.end}",
                    allowed=f"{self.start} or later",
                    at=("end",),
                )
            )
        return self

    @property
    def years(self) -> range:
        """All years of the period."""
        return range(self.start, self.end + 1)


class Climate(Section):
    """What nobody in the basin controls."""

    scenarios: SomeOf[Scenario] = setting(
        "Shared socio-economic pathways of the sixth IPCC assessment.",
        default=("ssp126", "ssp245", "ssp370", "ssp585"),
    )
    area_convention: Literal["dynamic", "constant"] = setting(
        "Sea area in the rain and evaporation terms: dynamic follows the level (physical); constant holds "
        "the area of the start, as some published projections do.",
        default="dynamic",
    )
    evaporation: Literal["linear", "shallow"] = setting(
        "Evaporation from the sea: linear rises with global warming, alike over all of the sea; shallow is "
        "larger by the factor 1 + shallow_evaporation where the water is shallow, and so changes with the "
        "level too.",
        default="linear",
    )


class Uncertainty(Section):
    """How many members, and what differs between them."""

    members: int = setting("Number of members.", default=100, unit="members", ge=1, le=1_000_000)
    seed: int = setting("Seed of all random streams.", default=20251211, unit="1", ge=0)
    parameters: Literal["posterior", "prior", "central"] = setting(
        "posterior: each member draws a row of the calibrated parameters; prior: it draws every parameter "
        "from its range before calibration; central: every member has the medians of the posterior.",
        default="posterior",
    )
    posterior: str | None = setting(
        "NetCDF file of a posterior of your own, written by caspian-sim calibrate, relative to the file that "
        "names it. The package's own is used when not given.",
        default=None,
    )
    sampling: Literal["random", "sobol"] = setting(
        "How members draw parameters and volumes of measures: independently, or as points of a scrambled "
        "Sobol sequence, whose means settle with fewer members. Variability is always random.",
        default="random",
    )
    variability: bool = setting("Year-to-year variability of rivers and net evaporation.", default=True)

    @model_validator(mode="after")
    def _posterior_in_use(self) -> Self:
        if self.posterior is not None and self.parameters == "prior":
            raise refuse(
                Finding(
                    "a posterior is given, but the parameters come from the prior",
                    found="parameters prior",
                    allowed="parameters posterior or central with a posterior, or no posterior",
                    at=("posterior",),
                )
            )
        return self


class ParameterOverride(Section):
    """Replaces parts of a shipped parameter; a bare number fixes the parameter at that value."""

    distribution: Literal["normal", "uniform", "triangular", "lognormal", "fixed"] | None = setting(
        "Distribution of the prior.", default=None
    )
    best: float | None = setting("Best value.", default=None, unit="the parameter's")
    low: float | None = setting("Low end.", default=None, unit="the parameter's")
    high: float | None = setting("High end.", default=None, unit="the parameter's")

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, value: object) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"distribution": "fixed", "best": value}
        if isinstance(value, Mapping | ParameterOverride):
            return value
        raise refuse(
            Finding(
                f"{show(value)} is neither a number nor a map",
                found=show(value),
                allowed="a number, or a map with the keys distribution, best, low, high",
            )
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Let a bare number stand for the whole map, as the validator does."""
        return {"anyOf": [{"type": "number"}, handler.resolve_ref_schema(handler(core_schema))]}


class Initial(Section):
    """State at the start of the period."""

    level_m: Level | None = setting(
        "Sea level at 00:00 on 1 January of period.start. The observed record decides when not given.",
        default=None,
        unit="m BHS",
    )
    observations: str | None = setting(
        "CSV file with observations of your own: new years, corrections of the record. Relative to the file "
        "that names it. They count for the state from which members start.",
        default=None,
    )


class Basin(Section):
    """Shape of the sea, and the strait to Kara-Bogaz-Gol."""

    hypsometry: str | None = setting(
        "CSV file with columns level_m (m BHS) and area_km2 (km²), relative to the file that names it. The "
        "package's own curve is used when not given.",
        default=None,
    )
    strait: Literal["recut", "natural", "dammed"] = setting(
        "Strait to Kara-Bogaz-Gol from the start of the period: recut as since 1992; natural with the lesser "
        "flow of before 1980; dammed without any. Measures in the strait act on top of it.",
        default="recut",
    )


class Consumption(Section):
    """Use of water in the basin that does not come back."""

    change: dict[
        Party,
        dict[Year, Annotated[float, Field(ge=-100, le=100, json_schema_extra={"unit": "km³/yr"})]],
    ] = setting(
        "Change of irretrievable consumption against today, by party and year; growth is positive. Linear "
        "between the years, constant outside them, zero before the first one.",
        default={},
        unit="km³/yr",
    )


class Outcomes(Section):
    """What is reported of the projection."""

    thresholds_m: UniqueListOf[Level] = setting(
        "Levels whose crossing is reported.", default=(), unit="m BHS"
    )
    report_years: UniqueListOf[Year] = setting(
        "Years of the tables, within the period.", default=(), unit="calendar year"
    )


class Output(Section):
    """What is written, and where."""

    directory: str = setting(
        "Folder of the results, relative to the working directory; results/<name> when not given.",
        min_length=1,
    )
    frequency: Literal["annual", "monthly"] = setting("Time step of the dataset.", default="annual")
    figures: Annotated[
        Annotated[Literal["all", "none"], Tag(WORD)] | Annotated[UniqueListOf[FigureName], Tag(LIST)],
        Discriminator(word_or_list),
    ] = setting("Figures to draw: all, none or a list of names.", default="all")
    keep: Literal["members", "quantiles", "both"] = setting(
        "members: every member; quantiles: quantiles, means and shares over the members, formed while they "
        "are integrated; both.",
        default="members",
    )
    quantiles: SomeOf[Annotated[float, Field(ge=0, le=1)]] = setting(
        "Quantiles to keep, as probabilities; 0.05, 0.5 and 0.95 are kept in any case.",
        default=(0.05, 0.25, 0.5, 0.75, 0.95),
        unit="1",
    )
    format: Literal["netcdf", "zarr"] = setting(
        "netcdf: one file; zarr: a folder, to which members are written while the run goes on.",
        default="netcdf",
    )

    @model_validator(mode="after")
    def _figures_have_what_they_draw(self) -> Self:
        if self.keep == "quantiles" and "budget" in self.figures:
            raise refuse(
                Finding(
                    "the figure budget needs the members",
                    found="keep quantiles",
                    allowed="keep members or both",
                    at=("figures", self.figures.index("budget")),
                )
            )
        return self


class Solver(Section):
    """How the water balance is integrated."""

    method: Literal["batched", "compiled", "RK45", "DOP853", "LSODA", "Radau", "BDF"] = setting(
        "batched: fixed steps, all members at once; compiled: the same steps as machine code, for large "
        "ensembles (needs the extra fast); the others: scipy.integrate.solve_ivp, one member at a time.",
        default="batched",
    )
    tolerance_mm: float = setting(
        "Tolerance of the adaptive methods, as level.", default=1e-5, unit="mm", gt=0, le=100
    )
    steps_per_month: int = setting(
        "Steps of the batched and the compiled method.", default=2, unit="1/month", ge=1, le=32
    )


class Execution(Section):
    """Where the work is done; the numbers do not depend on it."""

    engine: Literal["local", "dask"] = setting(
        "local: threads of this process; dask: workers of dask.distributed.", default="local"
    )
    workers: int | None = setting(
        "Parts of the ensemble at work at the same time: threads, one when not given; or processes of dask "
        "on this machine, as many as it has processors when not given. A cluster at an address has its own.",
        default=None,
        unit="workers",
        ge=1,
        le=1024,
    )
    address: str | None = setting(
        "Scheduler of a running dask cluster, such as tcp://10.0.0.5:8786; processes on this machine when "
        "not given. For engine dask.",
        default=None,
        min_length=1,
    )
    chunk: int | None = setting(
        "Members of a part, which is integrated at once; a size that suits the processor's cache when not "
        "given.",
        default=None,
        unit="members",
        ge=1,
    )

    @model_validator(mode="after")
    def _address_for_dask(self) -> Self:
        if self.address is not None and self.engine != "dask":
            raise refuse(
                Finding(
                    "an address is given, but the engine is local",
                    found=f"engine {self.engine}, address {self.address}",
                    allowed="engine dask with an address, or no address",
                    at=("address",),
                )
            )
        return self


class Config(Section):
    """A run of the model, fully resolved and valid.

    Made by :func:`caspian_sim.load_config`; every key is described in docs/config.md.
    """

    name: Slug = setting("Short name of the run; lower-case letters, digits and hyphens.")
    title: str | None = setting("Title for figures and briefs.", default=None)
    description: str | None = setting("What the run is for.", default=None)
    period: Period = setting("Whole calendar years, both inclusive.")
    climate: Climate = setting("What nobody in the basin controls.", default=Climate())
    uncertainty: Uncertainty = setting("Members, and what differs between them.", default=Uncertainty())
    parameters: dict[ParameterName, ParameterOverride] = setting(
        "Changes to the shipped parameters, by name: a number fixes the parameter at that value.", default={}
    )
    initial: Initial = setting("State at the start of the period.", default=Initial())
    basin: Basin = setting("Shape of the sea, and the strait to Kara-Bogaz-Gol.", default=Basin())
    forcing: OwnForcing = setting(
        "Series of your own in place of the model's; what is not given stays the model's.",
        default=OwnForcing(),
    )
    consumption: Consumption = setting("Use of water in the basin.", default=Consumption())
    measures: MeasureChoice = setting("Which measures exist in this run.", default=MeasureChoice())
    standard_programmes: bool = setting(
        "Compare the twelve programmes none, joint, each state alone (az-alone, ...) and all but one "
        "(without-az, ...), before those under programmes.",
        default=False,
    )
    programmes: Annotated[dict[Slug, Programme], Field(min_length=1)] = setting(
        "Programmes to compare, by name, in the order in which they are shown.", default={"none": Programme()}
    )
    outcomes: Outcomes = setting("What is reported of the projection.", default=Outcomes())
    impacts: Impacts = setting("What impacts are read off the level.", default=Impacts())
    output: Output = setting("What is written, and where.")
    solver: Solver = setting("How the water balance is integrated.", default=Solver())
    execution: Execution = setting(
        "Where the work is done; the numbers do not depend on it.", default=Execution()
    )

    @model_validator(mode="before")
    @classmethod
    def _default_directory(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        if data.get("standard_programmes") is True and "programmes" not in data:
            data = {**data, "programmes": {"none": {}}}
        output = data.get("output", {})
        if isinstance(output, Mapping) and "directory" not in output:
            return {**data, "output": {**output, "directory": f"results/{data.get('name')}"}}
        return data

    @field_validator("parameters")
    @classmethod
    def _shipped(cls, overrides: dict[str, ParameterOverride]) -> dict[str, ParameterOverride]:
        if overrides and (findings := override_findings(overrides)):
            raise refuse(*findings)
        return overrides

    @field_validator("programmes")
    @classmethod
    def _with_standard(cls, programmes: dict[str, Programme], info: ValidationInfo) -> dict[str, Programme]:
        # One of your own takes the place of the standard one with its name.
        return {**standard_programmes(), **programmes} if info.data.get("standard_programmes") else programmes

    @field_validator("programmes")
    @classmethod
    def _feasible(cls, programmes: dict[str, Programme], info: ValidationInfo) -> dict[str, Programme]:
        choice = info.data.get("measures")
        findings = [] if choice is None else programme_findings(programmes, choice.available())
        if findings:
            raise refuse(*findings)
        return programmes

    @field_validator("outcomes")
    @classmethod
    def _within_period(cls, outcomes: Outcomes, info: ValidationInfo) -> Outcomes:
        period = info.data.get("period")
        if period is None:
            return outcomes
        findings = [
            Finding(
                f"{year} lies outside the period",
                found=str(year),
                allowed=f"{period.start} to {period.end}",
                at=("report_years", i),
            )
            for i, year in enumerate(outcomes.report_years)
            if year not in period.years
        ]
        if findings:
            raise refuse(*findings)
        return outcomes

    def __repr__(self) -> str:
        """Summary of the run rather than every value of it."""
        return text_summary(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html_summary(self)
