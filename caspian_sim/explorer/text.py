"""Every word of the explorer, by key, so that a language is one more table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from caspian_sim import data
from caspian_sim.explorer.content import Exploration
from caspian_sim.explorer.intensity import Dial
from caspian_sim.figures.text import name, number

ENGLISH: Mapping[str, str] = {
    "title": "Explore the level of the Caspian Sea",
    "lead": "{title}. {members} possible futures for each scenario, {first}–{last}; move a control and read "
    "the numbers off. These are ranges under assumptions, not a forecast.",
    "members": "{shown} of the {all} members of the run",
    # Controls
    "controls": "Choose",
    "scenario": "Emission scenario",
    "programme": "Programme",
    "intensity": "Carried out",
    "intensity.value": "{percent} %",
    "intensity.only": "programme has no measures",
    "intensity.fixed": "only as in the run",
    "band": "Range of futures",
    "band.value": "{share} % ({low}–{high} %)",
    "threshold": "Threshold",
    "threshold.value": "{level} m BHS",
    "year": "Year",
    "year.value": "{year}",
    # Numbers
    "numbers": "Numbers for {year}, levels in m BHS",
    "numbers.level": "Level, {name}",
    "numbers.range": "{median} m",
    "numbers.between": "{share} % of futures: {low} to {high}",
    "numbers.gain": "What the measures add",
    "numbers.gain.value": "{median} cm",
    "numbers.below": "Probability below {level}\u00a0m",
    "numbers.below.value": "{percent} %",
    "numbers.none": "{none}: {value}",
    "numbers.first": "Even chance of lying below it from",
    "numbers.first.never": "not until {last}",
    "status": "{year}, {scenario}, {programme} at {percent} %: median {median} m, range {low} to {high} m; "
    "probability below {level} m: {below} %.",
    # Charts
    "fan": "Annual mean level: observed, and projected",
    "fan.alt": "Observed level {first}–{now}, then {scenario} with {programme} at {percent} %: median "
    "{median} m BHS in {last}, {share} % range {low} to {high}; {none}: {none_median}.",
    "fan.title": "{scenario}, {programme} {percent} %: median and {share} % range; dashed and dotted: {none}",
    "below": "Probability that the annual mean lies below {level} m",
    "below.alt": "In {last} {below} % with {programme} at {percent} %, {none}: {none_below} %.",
    "gain": "What the measures add to the level, in the same futures",
    "gain.alt": "In {last} median {median} cm, {share} % range {low} to {high} cm.",
    "caveat": "Assumptions (evidence grade D) in these numbers: of the measures of the programme {assumed} "
    "of {measures}, of the parameters {parameters}; they are named at the end of the page. Levels in metres "
    "of the Baltic Height System.",
    "axis.level": "Level (m BHS)",
    "axis.below": "Probability (%)",
    "axis.gain": "Difference (cm)",
    "legend.observed": "observed",
    "legend.median": "{programme}, {percent} %: median",
    "legend.band": "{share} % range",
    "legend.none": "{none}: median and range",
    "legend.gain": "median and {share} % range",
    "end": "{name}\n{value}",
    "threshold.label": "threshold {level} m",
    # Table
    "table": "The same as a table",
    "table.caption": "{scenario}, {programme} at {percent} %; levels in m BHS, range {low}–{high} %",
    "table.year": "Year",
    "table.level": "Level",
    "table.range": "Range",
    "table.none": "{none}",
    "table.gain": "Added, cm",
    "table.below": "Below {level} m, %",
    "save": "Save these numbers as CSV",
    # Footer
    "about": "What to know before quoting a number",
    "about.datum": "Levels are metres of the Baltic Height System (m BHS); charts and gauges count from "
    "−28.0 m. Annual means.",
    "about.sources": "Observed level {first}–{last}: Kazhydromet, {last} DAHITI altimetry (grade {grade}). "
    "Warming by scenario: IPCC AR6. Projection: caspian_sim.",
    "about.rounded": "Each number is counted over the members on this page, whose levels are kept to 0.1 mm; "
    "levels are shown to 1 cm, which is finer than they are known. A probability is a share of members and "
    "says nothing of what the model leaves out.",
    "about.intensity": "{percent} % is what the programme asks; other shares scale the volume of each "
    "measure and how far it closes the strait, with the limits of any run. More than 100 % is more than any "
    "source names.",
    "about.smooth": "{programme}: simulated at {nodes} %, interpolated between; checked against runs midway, "
    "a percentile is off by at most {points} mm, a single member by {members} mm.",
    "about.steps": "{programme}: simulated at {nodes} % and shown at these alone, because interpolation "
    "would put a percentile off by up to {points} mm.",
    "about.fixed": "Programmes cannot be looked at at other intensities: {why}.",
    "no_script": "This page needs JavaScript, which is switched off.",
    "old_browser": "This browser is too old for this page. It needs Chrome or Edge 80, Firefox 113, Safari "
    "16.4, or newer.",
}

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": ENGLISH}


def words(lang: str = "en") -> Mapping[str, str]:
    """Table of a language."""
    return LANGUAGES[lang]


def paragraphs(content: Exploration, lang: str = "en") -> list[str]:
    """Say what goes with the numbers: what they are, sources, how they were made, and assumptions.

    Parameters
    ----------
    content : Exploration
    lang : str
        One of :data:`LANGUAGES`.

    Returns
    -------
    list of str
    """

    def say(key: str, **values: Any) -> str:
        return words(lang)[key].format(**values)

    record = data.load("sea_level_annual")
    observed = content.record[0]
    shown = number(len(content.members))
    if len(content.members) < content.members_of_run:
        shown = say("members", shown=shown, all=number(content.members_of_run))
    first, last = int(content.years[0]), int(content.years[-1])
    texts = [
        say("lead", title=content.title, members=shown, first=first, last=last),
        say("about.datum"),
        say(
            "about.sources",
            first=int(observed[0]),
            last=int(observed[-1]),
            grade=record.attrs["evidence_grade"],
        ),
        say("about.rounded"),
    ]
    if content.fixed:
        texts.append(say("about.fixed", why=content.fixed))
    elif content.acting:
        texts.append(say("about.intensity", percent=100))
    texts += [_of_dial(programme, content.dials[programme], say) for programme in content.acting]
    return [text for text in [*texts, *content.about] if text]


def _of_dial(programme: str, dial: Dial, say: Callable[..., str]) -> str:
    nodes = ", ".join(f"{100 * node:g}" for node in dial.nodes)
    programme = name("programme", programme)
    if len(dial.nodes) == 1:
        return ""
    if not dial.smooth:
        return say("about.steps", programme=programme, nodes=nodes, points=number(dial.error_mm))
    return say(
        "about.smooth",
        programme=programme,
        nodes=nodes,
        points=number(dial.error_mm, 1),
        members=number(dial.member_error_mm, 1),
    )
