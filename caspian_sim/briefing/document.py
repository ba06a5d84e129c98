"""Puts the brief of a run together as one HTML page that holds all it needs."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import Any

import xarray as xr
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from caspian_sim.briefing import annex
from caspian_sim.briefing.coast import Coast
from caspian_sim.briefing.fonts import font_faces
from caspian_sim.briefing.likelihood import LEAST_MEMBERS
from caspian_sim.briefing.messages import (
    Message,
    Missing,
    crossing_message,
    level_message,
    measures_message,
)
from caspian_sim.briefing.overview import overview_table, tiles
from caspian_sim.briefing.phrases import Phrases
from caspian_sim.briefing.pictures import (
    NoPicture,
    Picture,
    annex_pictures,
    projection_picture,
    shoreline_picture,
)
from caspian_sim.briefing.subject import Subject
from caspian_sim.briefing.words import words
from caspian_sim.figures.language import language
from caspian_sim.figures.look import looking
from caspian_sim.figures.reading import ASSUMPTION, HASH_DIGITS

TEMPLATES = Path(__file__).with_name("template")
PAGE, STYLE, FOOTER = "brief.html.jinja", "brief.css", "FOOTER"
MOST_LETTERS = 160
"""Of the title of the run; all of it is in the configuration of the annex."""


def brief_html(ds: xr.Dataset, lang: str = "en") -> str:
    """Write the brief of a run as HTML.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with members or with statistics over them.
    lang : str
        Language of the text.

    Returns
    -------
    str
        A page without a reference to anything outside; the same for the same dataset.

    Raises
    ------
    DataError
        When the dataset is not the result of a run.
    ConfigError
        When the brief is not written in that language.
    """
    with language(lang), looking("report"):
        return _page(Phrases(Subject(ds), words(lang)))


def _page(phrases: Phrases) -> str:
    context = _context(phrases)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(PAGE)
    letters = template.render(css="", **context)
    style = (TEMPLATES / STYLE).read_text(encoding="utf-8").replace(FOOTER, _footer(phrases))
    return template.render(css=Markup(font_faces(letters) + "\n" + style), **context)


def _footer(phrases: Phrases) -> str:
    """Foot of a printed page; names of runs and versions hold no sign that CSS could take for its own."""
    known = phrases.subject.ds.attrs
    run = "".join(sign for sign in phrases.subject.config.name if sign.isalnum() or sign in "-_.")
    return f"{run} · caspian_sim {known['version']} · {known['config_hash'][:HASH_DIGITS]}"


def _context(phrases: Phrases) -> dict[str, Any]:
    subject, say = phrases.subject, phrases.say
    coast = Coast(phrases)
    first = [level_message(phrases), crossing_message(phrases), measures_message(phrases)]
    second = coast.messages()
    shore = shoreline_picture(phrases)
    drawn = list(annex_pictures(phrases, coast))
    known = subject.ds.attrs
    return {
        "say": say,
        "grades_text": lambda grades: _grades(phrases, grades),
        "lang": phrases.words.code,
        "version": known["version"],
        "made": known["created"],
        "title": say("page.title", year=subject.config.period.end),
        "heading": say("masthead.heading", year=subject.config.period.end),
        "run_title": shorten(str(known["title"]), MOST_LETTERS, placeholder=" …"),
        "facts": say(
            "masthead.run.single" if subject.members == 1 else "masthead.run",
            members=subject.members,
            scenarios=len(subject.scenarios),
            programmes=len(subject.programmes),
            name=subject.config.name,
            version=known["version"],
            hash=known["config_hash"][:HASH_DIGITS],
            date=str(known["created"])[:10],
        ),
        "condition": say("masthead.condition"),
        "tiles": tiles(phrases),
        "projection": projection_picture(phrases),
        "first": [item for item in first if isinstance(item, Message)],
        "second": [item for item in second if isinstance(item, Message)],
        "untold": _untold(phrases, [item for item in (*first, *second) if isinstance(item, Missing)]),
        "map": shore if isinstance(shore, Picture) else None,
        "reading": _reading(phrases),
        "overview": overview_table(phrases),
        "rule": annex.rule_table(phrases),
        "rule_text": say("rule.text", least=LEAST_MEMBERS),
        "methods": list(annex.methods(phrases)),
        "results": list(annex.results_tables(phrases)),
        "pictures": [item for item in drawn if isinstance(item, Picture)],
        "undrawn": [item for item in (shore, *drawn) if isinstance(item, NoPicture)],
        "evidence": list(annex.evidence_tables(phrases, coast)),
        "recipe": annex.recipe(phrases),
        "limits": annex.limits(phrases),
    }


def _untold(phrases: Phrases, missing: list[Missing]) -> list[tuple[Markup, Markup]]:
    """List what is left out, those with the same reason together, and why."""
    reasons: dict[Markup, list[Markup]] = {}
    for item in missing:
        reasons.setdefault(item.why, []).append(phrases.say(f"message.{item.key}"))
    return [(Markup(", ").join(names), why) for why, names in reasons.items()]


def _grades(phrases: Phrases, grades: tuple[str, ...]) -> Markup:
    names = [
        phrases.say("message.grade.assumption")
        if letter == ASSUMPTION
        else phrases.say("message.grade", grade=letter)
        for letter in grades
    ]
    return Markup(", ").join(names)


def _reading(phrases: Phrases) -> list[Markup]:
    """Say what a reader must know to read the two pages."""
    subject, say = phrases.subject, phrases.say
    measures = annex.carried_out(phrases)
    letters = [str(letter) for letter in subject.ds["parameter_grade"].values]
    assumed = say(
        "reading.assumed",
        parameters=letters.count(ASSUMPTION),
        all=len(letters),
        measures=sum(measure.grade == ASSUMPTION for measure in measures),
        carried=len(measures),
    )
    first = (
        say("reading.likelihood")
        if phrases.words_are_given
        else say("reading.few", members=subject.members, least=LEAST_MEMBERS)
    )
    items = [first, say("reading.range"), say("reading.grades"), assumed, say("reading.datum")]
    return [*items, say("reading.reproduce")]
