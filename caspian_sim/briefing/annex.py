"""Tables and paragraphs of the technical annex: methods, results, evidence, recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from caspian_sim import data
from caspian_sim.briefing.coast import Coast
from caspian_sim.briefing.likelihood import TERMS
from caspian_sim.briefing.numbers import PERCENT, percent
from caspian_sim.briefing.phrases import Phrases
from caspian_sim.briefing.subject import at
from caspian_sim.config import Measure
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import ASSUMPTION
from caspian_sim.figures.text import name, number, typeset
from caspian_sim.impacts.ecosystem import thresholds
from caspian_sim.measures.programme import measures_of
from caspian_sim.stream import BASELINE, REPORTED

PYTHON = "3.11"
"""Oldest version that the package supports."""


@dataclass(frozen=True)
class Table:
    """A table of the annex.

    Attributes
    ----------
    key : str
    caption : str
    heads : list of str
    rows : list of list
        Cells; the first of a row is its head.
    numbers : int
        First column of numbers, set to the right.
    """

    key: str
    caption: Markup
    heads: list[Any]
    rows: list[list[Any]]
    numbers: int = 99


def rule_table(phrases: Phrases) -> Table:
    """Words of likelihood and their classes."""
    say = phrases.say
    rows = [
        [
            say(f"likelihood.{term.key}"),
            say("rule.limits", low=percent(term.low), high=percent(term.high)),
        ]
        for term in TERMS
    ]
    return Table("rule", say("rule.caption"), [say("rule.word"), say("rule.class")], rows, 1)


def methods(phrases: Phrases) -> Iterator[Markup]:
    """Paragraphs on how the numbers were made, with the choices of the run."""
    subject, say = phrases.subject, phrases.say
    config = subject.config
    own = config.basin.hypsometry
    basin = (
        say("methods.basin.shipped") if own is None else say("methods.basin.own", file=Path(str(own)).name)
    )
    yield say("methods.model", basin=basin, solver=config.solver.method)
    yield say(
        "methods.climate",
        scenarios=Markup(", ").join(phrases.scenario(label) for label in subject.scenarios),
        start=config.period.start,
        end=config.period.end,
        area=config.climate.area_convention,
        evaporation=config.climate.evaporation,
        strait=config.basin.strait,
    )
    series = [f"{term} ({Path(str(one.file)).name})" for term, one in config.forcing.given()]
    if series:
        yield say("methods.own", items=", ".join(series))
    spread = config.uncertainty
    yield say(
        "methods.ensemble",
        members=subject.members,
        parameters=spread.parameters,
        sampling=spread.sampling,
        variability=say("methods.on" if spread.variability else "methods.off"),
        seed=spread.seed,
    )
    error = PERCENT * 0.5 / np.sqrt(subject.members)
    yield say("methods.level", start=phrases.start(), year=subject.start_year, error=number(error, 1))
    yield say("methods.programmes", programmes=Markup("; ").join(_programmes(phrases)))
    yield say("methods.impacts")


def _programmes(phrases: Phrases) -> Iterator[Markup]:
    config, say = phrases.subject.config, phrases.say
    for label in phrases.subject.programmes:
        chosen = measures_of(config.programmes[label], config.measures.available())
        shown = phrases.programme(label)
        if chosen:
            titles = ", ".join(f"{measure.title} ({measure.state})" for measure in chosen)
            yield say("methods.programme", name=shown, measures=titles)
        elif label != BASELINE:
            yield say("methods.programme.none", name=shown)
        else:
            yield say("methods.baseline", name=shown)


def results_tables(phrases: Phrases) -> Iterator[Table]:
    """Level of every scenario, programme and report year, and the chances to lie below the thresholds."""
    subject, say = phrases.subject, phrases.say
    places = [
        (scenario, programme, year)
        for scenario in subject.scenarios
        for programme in subject.programmes
        for year in subject.years
    ]
    heads = [say(f"results.{key}") for key in ("scenario", "programme", "year")]

    def first_cells(scenario: str, programme: str, year: int) -> list[Any]:
        return [phrases.scenario(scenario), phrases.programme(programme), year]

    rows = []
    for place in places:
        level = phrases.points(at(subject.level_points, *place), "sea_level", "m BHS", 2, *place)
        row = [*first_cells(*place), say("results.points", **level), phrases.change(*place)]
        if subject.partner is not None:
            row.append(_gain_cell(phrases, *place))
        rows.append(row)
    of_levels = [say("results.level"), say("results.change", year=subject.start_year)]
    if subject.partner is not None:
        of_levels.append(say("results.gain"))
    yield Table("levels", say("results.levels"), [*heads, *of_levels], rows, 2)
    if subject.thresholds:
        kept = not subject.has_members
        quantity = "has_been_below" if kept else "below"
        shares = {
            limit: (subject.share_has_been_below if kept else subject.share_below)(limit)
            for limit in subject.thresholds
        }
        rows = [
            [
                *first_cells(*place),
                *(
                    phrases.share(
                        float(at(share, *place)),
                        quantity,
                        scenario=place[0],
                        programme=place[1],
                        year=place[2],
                        threshold=f"{limit:g}",
                    )
                    for limit, share in shares.items()
                ),
            ]
            for place in places
        ]
        caption = say("results.chances.kept" if kept else "results.chances")
        limits = [say("results.threshold", threshold=phrases.metres(limit)) for limit in shares]
        yield Table("chances", caption, [*heads, *limits], rows, 2)


def _gain_cell(phrases: Phrases, scenario: str, programme: str, year: int) -> Any:
    if programme == BASELINE:
        return ""
    values = at(phrases.subject.gain_points, scenario, programme, year)
    gain = phrases.points(values, "gain", "m", 2, scenario, programme, year, sign=True)
    return phrases.say("results.points", **gain)


def evidence_tables(phrases: Phrases, coast: Coast) -> Iterator[Table]:
    """Tabulate what the numbers rest on: measures, parameters, ports, losses, data, each with grades."""
    yield _measures_table(phrases)
    yield _parameters_table(phrases)
    ports = _ports_table(phrases, coast)
    if ports.rows:
        yield ports
    yield _impacts_table(phrases)
    yield _inputs_table(phrases)


def carried_out(phrases: Phrases) -> list[Measure]:
    """Measures that some programme carries out, in the order of the configuration."""
    config = phrases.subject.config
    available = config.measures.available()
    used = {
        measure.id: measure
        for label in phrases.subject.programmes
        for measure in measures_of(config.programmes[label], available)
    }
    return [used[key] for key in available if key in used]


def grade(phrases: Phrases, letter: str) -> Any:
    """Evidence grade, an assumption by its name."""
    return phrases.say("evidence.assumption") if letter == ASSUMPTION else letter


def _measures_table(phrases: Phrases) -> Table:
    say = phrases.say
    rows = []
    for measure in carried_out(phrases):
        source = measure.source if not measure.assumption else f"{measure.source}; {measure.assumption}"
        row = [measure.state, measure.title, _volume(phrases, measure)]
        rows.append([*row, grade(phrases, measure.grade), typeset(source)])
    heads = [say(f"evidence.{key}") for key in ("state", "measure", "volume", "grade", "source")]
    caption = say("evidence.measures" if rows else "evidence.measures.none")
    return Table("measures", caption, heads, rows)


def _volume(phrases: Phrases, measure: Measure) -> Any:
    if measure.volume_km3_per_yr is None:
        by_level = measure.mechanism == "strait_regulation"
        return phrases.say("evidence.volume.level" if by_level else "evidence.volume.none")
    volume = measure.volume_km3_per_yr
    return typeset(" / ".join(f"{value:g}" for value in (volume.low, volume.best, volume.high)))


def _parameters_table(phrases: Phrases) -> Table:
    say, ds = phrases.say, phrases.subject.ds
    shipped = data.parameters()
    heads = [say(f"evidence.{key}") for key in ("parameter", "values", "grade", "source")]
    rows = []
    for label, letter in zip(ds["parameter"].values, ds["parameter_grade"].values, strict=True):
        source = shipped[label].source if label in shipped else ""
        rows.append(
            [
                name("parameter", str(label)),
                _values(phrases, str(label)),
                grade(phrases, str(letter)),
                typeset(source),
            ]
        )
    return Table("parameters", say("evidence.parameters"), heads, rows)


def _values(phrases: Phrases, label: str) -> str:
    ds = phrases.subject.ds
    unit = typeset(str(ds["parameter_units"].sel(parameter=label).item())) if "parameter_units" in ds else ""
    if "parameters" in ds:
        low, middle, high = (
            float(value) for value in ds["parameters"].sel(parameter=label).quantile(list(REPORTED)).values
        )
    elif "parameters_quantile" in ds:
        kept = ds["parameters_quantile"].sel(parameter=label, quantile=list(REPORTED))
        low, middle, high = (float(value) for value in kept.values)
    else:
        return ""
    text = f"{middle:.3g} ({low:.3g} – {high:.3g}) {'' if unit == '1' else unit}"
    return typeset(text.strip())


def _ports_table(phrases: Phrases, coast: Coast) -> Table:
    say = phrases.say
    heads = [say(f"evidence.{key}") for key in ("port", "depth", "vessel", "grades", "source")]
    try:
        ports = coast.list_of_ports
    except DataError:
        ports = ()
    rows = [
        [
            port.title if port.own else name("port", port.id),
            f"{number(port.depth, 2)} · {number(port.reference_level, 2)}",
            f"{port.vessel.title}, {number(port.vessel.draft, 2)}",
            Markup(" · ").join(grade(phrases, letter) for letter in (port.grade, port.vessel_grade)),
            typeset(port.source) or say("evidence.unsourced"),
        ]
        for port in ports
    ]
    return Table("ports", say("evidence.ports"), heads, rows)


def _impacts_table(phrases: Phrases) -> Table:
    say = phrases.say
    heads = [say(f"evidence.{key}") for key in ("impact", "fall", "impact.grades", "source")]
    rows = [
        [
            name("impact", one.id),
            number(one.drop, 1),
            Markup(" · ").join(grade(phrases, letter) for letter in (one.grade, one.reference_grade)),
            typeset(one.source),
        ]
        for one in thresholds()
    ]
    return Table("impacts", say("evidence.impacts"), heads, rows)


def _inputs_table(phrases: Phrases) -> Table:
    say = phrases.say
    heads = [say(f"evidence.{key}") for key in ("input", "grade", "source", "hash")]
    shipped = set(data.names())
    rows = []
    for label, checksum in json.loads(phrases.subject.ds.attrs["input_sha256"]).items():
        if label in shipped:
            entry = data.entry(label)
            rows.append([entry.title, typeset(entry.grade), typeset(entry.source), _code(checksum)])
        else:
            rows.append([Path(label).name, "", "", _code(checksum)])
    return Table("inputs", say("evidence.inputs"), heads, rows)


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def recipe(phrases: Phrases) -> dict[str, Any]:
    """Collect the steps that make the numbers again, and what they were made from."""
    subject, say = phrases.subject, phrases.say
    known, config = subject.ds.attrs, subject.config
    file = f"{config.name}.yaml"
    own = [Path(str(one.file)).name for _, one in config.forcing.given()]
    own += [Path(str(path)).name for path in (config.basin.hypsometry, config.initial.observations) if path]
    facts = [
        (say("recipe.hash"), _code(known["config_hash"])),
        (say("recipe.version"), known["version"]),
        (say("recipe.revision"), _code(known["git_revision"])),
        (say("recipe.made"), known["created"]),
        (say("recipe.seed"), config.uncertainty.seed),
    ]
    return {
        "text": say("recipe.text", version=known["version"], revision=known["git_revision"], python=PYTHON),
        "file": file,
        "commands": [
            (say("recipe.step.config", file=file), None),
            (say("recipe.step.run"), f"caspian-sim run {file} --output results/{config.name}"),
            (say("recipe.step.brief"), f"caspian-sim brief results/{config.name}"),
            (say("recipe.step.check"), None),
        ],
        "own": say("recipe.own", files=", ".join(own)) if own else "",
        "facts": facts,
        "config": known["config"].rstrip(),
    }


def limits(phrases: Phrases) -> list[Markup]:
    """Say what not to conclude."""
    keys = ("priors", "structure", "level", "coast", "measures", "sampling")
    return [phrases.say(f"limits.{key}") for key in keys]
