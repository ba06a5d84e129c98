"""Which measures a run has, and the programmes that carry them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from caspian_sim.config.catalogue import available_measures
from caspian_sim.config.fields import (
    LIST,
    STATES,
    WORD,
    Section,
    Slug,
    StartMonth,
    State,
    UniqueListOf,
    Year,
    setting,
    word_or_list,
)
from caspian_sim.config.measure import Measure, Measures
from caspian_sim.config.problems import Finding, did_you_mean, refuse, show
from caspian_sim.config.ranges import ShareRange


class MeasureChoice(Section):
    """Which measures exist in this run."""

    catalogue: Literal["default", "none"] = setting(
        "The package's catalogue of measures, or none.", default="default"
    )
    include: Annotated[
        Annotated[Literal["all"], Tag(WORD)] | Annotated[UniqueListOf[Slug], Tag(LIST)],
        Discriminator(word_or_list),
    ] = setting("Measures to keep, by id, out of the catalogue and the custom ones; or all.", default="all")
    custom: Measures = setting("Measures of your own.", default=())
    growth: bool = setting(
        "Whether use of water grows as the catalogue assumes (entries with role growth), in every programme.",
        default=False,
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.include == "all":
            return self
        known = _measures(available_measures(self.catalogue, self.custom))
        findings = [
            Finding(
                f"unknown measure {show(name)}",
                allowed=", ".join(known) or "no measure is defined",
                hint=did_you_mean(name, known),
                at=("include", i),
            )
            for i, name in enumerate(self.include)
            if name not in known
        ]
        if findings:
            raise refuse(*findings)
        return self

    @model_validator(mode="after")
    def _refers_to_what_there_is(self) -> Self:
        known = available_measures("default", self.custom)
        findings = []
        for i, measure in enumerate(self.custom):
            for key, role, what in (
                ("avoids", "growth", "growth of use"),
                ("alternative_to", "measure", "measure"),
            ):
                name = getattr(measure, key)
                others = [m.id for m in known.values() if m.role == role and m.id != measure.id]
                if name is not None and name not in others:
                    findings.append(
                        Finding(
                            f"unknown {what} {show(name)}",
                            allowed=", ".join(others),
                            hint=did_you_mean(name, others),
                            at=("custom", i, key),
                        )
                    )
        if findings:
            raise refuse(*findings)
        return self

    def available(self) -> dict[str, Measure]:
        """Measures of the run by id: the catalogue and the custom ones, cut down to those included.

        Growth of use stands behind them, when the run has it.
        """
        known = available_measures(self.catalogue, self.custom)
        measures = _measures(known)
        if self.include != "all":
            measures = {name: measures[name] for name in self.include}
        growth = {name: entry for name, entry in known.items() if entry.role == "growth"}
        return {**measures, **growth} if self.growth else measures


def _measures(known: dict[str, Measure]) -> dict[str, Measure]:
    return {name: entry for name, entry in known.items() if entry.role == "measure"}


def standard_programmes() -> dict[str, Programme]:
    """Programmes that a comparison of the five states needs.

    Returns
    -------
    dict of name to Programme
        ``none``; ``joint``; each state alone, as ``az-alone``; all but one, as ``without-az``.
    """
    alone = {f"{state.lower()}-alone": Programme(participants=(state,)) for state in STATES}
    without = {
        f"without-{state.lower()}": Programme(participants=tuple(s for s in STATES if s != state))
        for state in STATES
    }
    return {"none": Programme(), "joint": Programme(participants=STATES), **alone, **without}


class Programme(Section):
    """States that act together, and what they do."""

    participants: UniqueListOf[State] = setting("States that carry out their measures.", default=())
    measures: UniqueListOf[Slug] | None = setting(
        "Measures the participants carry out, by id; all of theirs when not given.", default=None
    )
    start: StartMonth | None = setting(
        "When the programme begins: all of its measures move together, so that the earliest of them starts "
        "in this month. As in the catalogue when not given.",
        default=None,
        unit="month",
    )
    leaves: dict[State, Year] = setting(
        "States that leave the programme, and from which year on: their measures end with the year before.",
        default={},
        unit="calendar year",
    )
    compliance: dict[State, ShareRange] = setting(
        "Share of its measures that a state carries out, 0 to 1: a number, or a range that the members draw "
        "from. Takes the place of the compliance of the measures.",
        default={},
        unit="1",
    )

    @model_validator(mode="after")
    def _of_participants(self) -> Self:
        findings = [
            Finding(
                f"{state} does not take part",
                found=f"participants {', '.join(self.participants) or 'none'}",
                hint=f"add {state} to the participants",
                at=(key, state),
                at_key=True,
            )
            for key, states in (("leaves", self.leaves), ("compliance", self.compliance))
            for state in states
            if state not in self.participants
        ]
        if findings:
            raise refuse(*findings)
        return self

    def chosen(self, available: Mapping[str, Measure]) -> list[Measure]:
        """Measures that the programme carries out, as they stand in the catalogue.

        Parameters
        ----------
        available : mapping of id to Measure

        Returns
        -------
        list of Measure
            Those of the participating states, cut down to the ones that the programme names, in catalogue
            order. A measure that stands in the place of another one is carried out where it is named, or
            where the other one is not in the run; one that avoids growth of use, where the run has that
            growth.
        """
        return [
            measure
            for name, measure in available.items()
            if measure.role == "measure"
            and measure.state in self.participants
            and (measure.avoids is None or measure.avoids in available)
            and (measure.alternative_to not in available if self.measures is None else name in self.measures)
        ]


def programme_findings(programmes: Mapping[str, Programme], included: Mapping[str, Measure]) -> list[Finding]:
    """Say what is wrong with programmes, given the measures of the run."""
    findings = []
    named = {(name, i): m for name, p in programmes.items() for i, m in enumerate(p.measures or ())}
    for (name, i), measure in named.items():
        at = (name, "measures", i)
        if measure not in included:
            findings.append(
                Finding(
                    f"unknown measure {show(measure)}",
                    allowed=", ".join(included) or "no measure is included in this run",
                    hint=did_you_mean(measure, included),
                    at=at,
                )
            )
        elif included[measure].role == "growth":
            findings.append(
                Finding(f"{show(measure)} is growth of use, which acts in every programme", at=at)
            )
        elif included[measure].state not in programmes[name].participants:
            state = included[measure].state
            findings.append(
                Finding(
                    f"measure {show(measure)} is one of {state}, which does not take part",
                    found=f"participants {', '.join(programmes[name].participants) or 'none'}",
                    hint=f"add {state} to programmes.{name}.participants",
                    at=at,
                )
            )
    for name, programme in programmes.items():
        gates = [measure for measure in programme.chosen(included) if measure.closed_below_m is not None]
        if len(gates) > 1:
            findings.append(
                Finding(
                    "a programme has one rule for gates in the strait",
                    found=", ".join(f"{each.id} (below {each.closed_below_m:g} m)" for each in gates),
                    hint="name the measures of the programme, or let one be alternative_to the other",
                    at=(name,),
                    at_key=True,
                )
            )
    return findings
