"""What the two pages show at a glance: a few large numbers, and a table of levels and chances by scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from caspian_sim.briefing.annex import Table
from caspian_sim.briefing.numbers import Number
from caspian_sim.briefing.phrases import Phrases
from caspian_sim.briefing.subject import at
from caspian_sim.figures.reading import ASSUMPTION

MOST_THRESHOLDS = 3
"""As many as a page has room for; the annex has all."""


@dataclass(frozen=True)
class Tile:
    """A large number and what it is."""

    number: Number
    label: Markup


def tiles(phrases: Phrases) -> list[Tile]:
    """Level before the run and in the last report years, and what the joint programme adds."""
    subject, say = phrases.subject, phrases.say
    single = subject.members == 1
    ending = ".single" if single else ""
    found = [Tile(phrases.start(), say("tiles.start", year=subject.start_year))]
    for year in dict.fromkeys((subject.near, subject.far)):
        points = phrases.level(subject.middle, subject.baseline, year)
        label = say(
            f"tiles.level{ending}",
            year=year,
            middle=phrases.middle,
            programme=phrases.programme(subject.baseline),
            range=phrases.range_word,
            **points,
        )
        found.append(Tile(points["p50"], label))
    if subject.partner is not None:
        values = at(subject.gain_points, subject.middle, subject.partner, subject.far)
        gain = phrases.points(values, "gain", "m", 2, subject.middle, subject.partner, subject.far, sign=True)
        grades = subject.grades_of(subject.partner)
        grade = (
            say("grade.assumption") if ASSUMPTION in grades else say("grade.other", grades=", ".join(grades))
        )
        label = say(
            f"tiles.gain{ending}",
            programme=phrases.programme(subject.partner),
            year=subject.far,
            middle=phrases.middle,
            range=phrases.range_word,
            grade=grade,
            **gain,
        )
        found.append(Tile(gain["p50"], label))
    return found


def overview_table(phrases: Phrases) -> Table:
    """Levels, chances and gain by scenario: the table of the second page."""
    subject, say = phrases.subject, phrases.say
    kept, single = not subject.has_members, subject.members == 1
    programme, far = subject.baseline, subject.far
    years = list(dict.fromkeys((subject.near, far)))
    limits = () if single else subject.thresholds[:MOST_THRESHOLDS]
    heads = [say("table.scenario"), *(say("table.level", year=year) for year in years)]
    heads += [say("table.below", threshold=phrases.metres(limit)) for limit in limits]
    if subject.partner is not None:
        heads.append(say("table.gain", programme=phrases.programme(subject.partner)))
    rows = []
    for scenario in subject.scenarios:
        row: list[Any] = [phrases.scenario(scenario)]
        row += [_points_cell(phrases, phrases.level(scenario, programme, year)) for year in years]
        for limit in limits:
            share = (subject.share_has_been_below if kept else subject.share_below)(limit)
            of = {"scenario": scenario, "programme": programme, "year": far}
            value = float(share.sel(of))
            quantity = "has_been_below" if kept else "below"
            chance = phrases.share(value, quantity, **of, threshold=f"{limit:g}")
            row.append(_chance_cell(phrases, chance))
        if subject.partner is not None:
            values = at(subject.gain_points, scenario, subject.partner, far)
            gain = phrases.points(values, "gain", "m", 2, scenario, subject.partner, far, sign=True)
            row.append(_points_cell(phrases, gain))
        rows.append(row)
    caption = say(
        "table.caption.kept" if kept else "table.caption",
        programme=_sentence_case(phrases.programme(programme)),
        far=far,
    )
    return Table("overview", caption, heads, rows)


def _points_cell(phrases: Phrases, points: dict[str, Number]) -> Markup:
    if phrases.subject.members == 1:
        return points["p50"].__html__()
    small = phrases.say("table.range", **points)
    return Markup('{} <span class="small">{}</span>').format(points["p50"], small)


def _chance_cell(phrases: Phrases, chance: Number) -> Markup:
    if not phrases.words_are_given:
        return Markup("{} %").format(chance)
    return Markup('{} % <span class="small">{}</span>').format(chance, phrases.word(chance.value))


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
