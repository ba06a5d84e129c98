"""Pieces of sentences that every part of the brief uses: chances, ranges, levels, each with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from caspian_sim.briefing import likelihood
from caspian_sim.briefing.numbers import Number, percent, plain
from caspian_sim.briefing.subject import Subject, at, in_order
from caspian_sim.briefing.words import Words
from caspian_sim.figures.text import name
from caspian_sim.stream import REPORTED

POINTS = tuple(f"p{100 * point:02.0f}" for point in REPORTED)
"""Names of the 5 % point, median and 95 % point."""


class Phrases:
    """Pieces of sentences about a run, in one language.

    Parameters
    ----------
    subject : Subject
    words : Words
    """

    def __init__(self, subject: Subject, words: Words) -> None:
        self.subject, self.words = subject, words

    @property
    def say(self) -> Callable[..., Markup]:
        """Shorthand for the texts."""
        return self.words.say

    def scenario(self, label: str) -> Markup:
        """Name of a scenario, which does not break at its hyphen."""
        return Markup('<span class="whole">{}</span>').format(name("scenario", label))

    def programme(self, label: str) -> str:
        """Name of a programme; one that the configuration names keeps its own."""
        shown = name("programme", label)
        return self.words.plain("programme.named", name=label) if shown == label else shown

    @property
    def middle(self) -> Markup:
        """Name of the scenario of single numbers."""
        return self.scenario(self.subject.middle)

    @property
    def range_word(self) -> Markup:
        """What the 5 to 95 % of the members are called."""
        return self.say("range.likely" if likelihood.enough(self.subject.members) else "range.plain")

    @property
    def words_are_given(self) -> bool:
        """Whether there are members enough for words of likelihood."""
        return likelihood.enough(self.subject.members)

    def share(self, value: float, quantity: str, **of: Any) -> Number:
        """Share of the members of a scenario and programme."""
        return Number(value, quantity, "share", "1", percent, of)

    def word(self, share: float) -> Markup:
        """Word of likelihood."""
        key = likelihood.term(share).key
        return Markup('<strong class="term" data-term="{}">{}</strong>').format(
            key, self.say(f"likelihood.{key}")
        )

    def odds(self, shares: Sequence[float], quantity: str, **of: Any) -> Markup:
        """Say how likely something is in each of the scenarios: from the least to the most likely one.

        Parameters
        ----------
        shares : sequence of float
            Shares of members, by scenario.
        quantity : str
            What is counted.
        **of
            What else it belongs to: programme, year and so on.
        """
        names = self.subject.scenarios
        numbers = [
            self.share(float(value), quantity, scenario=label, **of)
            for label, value in zip(names, shares, strict=True)
        ]
        low, high = in_order(list(shares))
        gaps: dict[str, Any] = {
            "low": numbers[low],
            "high": numbers[high],
            "first": self.scenario(names[low]),
            "last": self.scenario(names[high]),
        }
        if not self.words_are_given:
            key = "odds.few.one" if len(names) == 1 else "odds.few"
            return self.say(key, members=self.subject.members, **gaps)
        terms = [likelihood.term(float(shares[place])) for place in (low, high)]
        gaps |= {"word": self.word(float(shares[low])), "word_last": self.word(float(shares[high]))}
        if len(names) == 1:
            return self.say("odds.one", **gaps)
        return self.say("odds.same" if terms[0] == terms[1] else "odds", **gaps)

    def level(self, scenario: str, programme: str, year: int) -> dict[str, Number]:
        """Points of the level of a year, by their names."""
        values = at(self.subject.level_points, scenario, programme, year)
        return self.points(values, "sea_level", "m BHS", 1, scenario, programme, year)

    def change(self, scenario: str, programme: str, year: int) -> Number:
        """Median change of the level against the year before the run."""
        median = float(at(self.subject.level_points, scenario, programme, year)[1])
        of = {"scenario": scenario, "programme": programme, "year": year}
        return Number(median - self.subject.start_level, "level_change", "p50", "m", plain(1, sign=True), of)

    def changes(self, programme: str, year: int) -> dict[str, Any]:
        """Median changes of the scenarios with the smallest and the largest one."""
        names = self.subject.scenarios
        found = [self.change(label, programme, year) for label in names]
        order = sorted(range(len(found)), key=lambda i: -found[i].value)
        low, high = order[0], order[-1]
        return {
            "low": found[low],
            "high": found[high],
            "first": self.scenario(names[low]),
            "last": self.scenario(names[high]),
        }

    def points(
        self,
        values: np.ndarray,
        quantity: str,
        unit: str,
        digits: int,
        scenario: str,
        programme: str,
        year: int,
        *,
        sign: bool = False,
        **of: Any,
    ) -> dict[str, Number]:
        """Three points over the members as numbers, by their names."""
        belongs = {"scenario": scenario, "programme": programme, "year": year, **of}
        return {
            point: Number(float(value), quantity, point, unit, plain(digits, sign), belongs)
            for point, value in zip(POINTS, values, strict=True)
        }

    def metres(self, level: float) -> Number:
        """Threshold that the configuration gives, m BHS."""
        digits = 0 if level == round(level) else 1
        return Number(level, "threshold", "given", "m BHS", plain(digits))

    def start(self) -> Number:
        """Level of the year before the run."""
        return Number(
            self.subject.start_level,
            "start_level",
            "observed" if self.subject.config.initial.level_m is None else "given",
            "m BHS",
            plain(2),
            {"year": self.subject.start_year},
        )
