"""Key messages of level, thresholds and measures. Those of coast and life are in :mod:`.coast`."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr
from markupsafe import Markup

from caspian_sim.briefing.phrases import Phrases
from caspian_sim.briefing.subject import at
from caspian_sim.figures.reading import ASSUMPTION


@dataclass(frozen=True)
class Message:
    """A key message.

    Attributes
    ----------
    key : str
    headline, body : Markup
        A sentence with its likelihood, and a few more.
    grades : tuple of str
        Evidence grades of what it rests on beside the level of the run.
    """

    key: str
    headline: Markup
    body: Markup
    grades: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """A message that the run does not allow, and why.

    Attributes
    ----------
    key : str
    why : Markup
    """

    key: str
    why: Markup


def level_message(phrases: Phrases) -> Message:
    """Tell where the sea stands in the last report year, against the year before the run."""
    subject, say = phrases.subject, phrases.say
    programme = subject.baseline
    points = phrases.level(subject.middle, programme, subject.far)
    gaps = {
        "far": subject.far,
        "near": subject.near,
        "year": subject.start_year,
        "start": phrases.start(),
        "middle": phrases.middle,
        "programme": phrases.programme(programme),
        "range": phrases.range_word,
        **points,
    }
    if subject.members == 1:
        return Message("level", say("level.headline.single", **gaps), say("level.body.single", **gaps))
    if subject.has_members:
        below = at_all(subject.share_below(subject.start_level), programme, subject.far)
        odds = phrases.odds(below, "below_start", programme=programme, year=subject.far)
        headline = say("level.headline", odds=odds, **gaps)
    else:
        headline = say("level.headline.kept", **gaps)
    sentences = []
    for year in dict.fromkeys((subject.near, subject.far)):
        key = "level.change" if len(subject.scenarios) > 1 else "level.change.one"
        sentences.append(say(key, **phrases.changes(programme, year), by=year))
    changes = say(
        "level.changes", start=gaps["start"], year=gaps["year"], changes=phrases.words.both(sentences)
    )
    if subject.has_members:
        changes += " " + say("level.range", **gaps)
    return Message("level", headline, changes)


def crossing_message(phrases: Phrases) -> Message | Missing:
    """Tell how likely the sea is to stand below the threshold that tells most."""
    subject, say = phrases.subject, phrases.say
    programme = subject.baseline
    if not subject.thresholds:
        return Missing("crossing", say("missing.thresholds"))
    if subject.members == 1:
        return Missing("crossing", say("missing.single"))
    kept = not subject.has_members
    quantity = "has_been_below" if kept else "below"
    shares = {
        limit: (subject.share_has_been_below if kept else subject.share_below)(limit).sel(programme=programme)
        for limit in subject.thresholds
    }
    limit = subject.telling_threshold({key: share.sel(year=subject.far) for key, share in shares.items()})

    def odds(year: int, threshold: float) -> Markup:
        values = shares[threshold].sel(year=year).values.tolist()
        return phrases.odds(values, quantity, programme=programme, year=year, threshold=f"{threshold:g}")

    ending = ".kept" if kept else ""
    headline = say(
        f"crossing.headline{ending}",
        far=subject.far,
        threshold=phrases.metres(limit),
        odds=odds(subject.far, limit),
        programme=phrases.programme(programme),
    )
    body = []
    if subject.near != subject.far:
        body.append(say("crossing.near", near=subject.near, odds=odds(subject.near, limit)))
    other = next((one for one in reversed(subject.thresholds) if one > limit), None)
    if other is not None:
        threshold = phrases.metres(other)
        body.append(
            say("crossing.other", threshold=threshold, far=subject.far, odds=odds(subject.far, other))
        )
    return Message("crossing", headline, Markup(" ").join(body))


def measures_message(phrases: Phrases) -> Message | Missing:
    """Tell what the joint programme adds to the level, member by member."""
    subject, say = phrases.subject, phrases.say
    partner = subject.partner
    if partner is None:
        return Missing("measures", say("missing.measures"))
    far, middle = subject.far, subject.middle
    gain = phrases.points(
        at(subject.gain_points, middle, partner, far),
        "gain",
        "m",
        2,
        middle,
        partner,
        far,
        sign=True,
    )
    grades = subject.grades_of(partner)
    gaps = {
        "programme": phrases.programme(partner),
        "far": far,
        "year": subject.start_year,
        "middle": phrases.middle,
        "range": phrases.range_word,
        "grades": ", ".join(grades),
        **gain,
    }
    single = subject.members == 1
    headline = say("measures.headline.single" if single else "measures.headline", **gaps)
    body = []
    if subject.has_members and not single:
        below = at_all(subject.share_below(subject.start_level), partner, far)
        body.append(
            say(
                "measures.still",
                odds=phrases.odds(below, "below_start", programme=partner, year=far),
                **gaps,
            )
        )
        if subject.thresholds:
            body.append(_shift_of_chance(phrases, partner))
    body.append(say("measures.assumed" if ASSUMPTION in grades else "measures.grades", **gaps))
    return Message("measures", headline, Markup(" ").join(body), tuple(grades))


def _shift_of_chance(phrases: Phrases, partner: str) -> Markup:
    """How the chance to stand below the threshold that tells most changes."""
    subject = phrases.subject
    far = subject.far
    shares = {limit: subject.share_below(limit).sel(year=far) for limit in subject.thresholds}
    of_baseline = {limit: share.sel(programme=subject.baseline) for limit, share in shares.items()}
    limit = subject.telling_threshold(of_baseline)

    def share(programme: str) -> object:
        value = float(shares[limit].sel(scenario=subject.middle, programme=programme))
        return phrases.share(
            value,
            "below",
            scenario=subject.middle,
            programme=programme,
            year=far,
            threshold=f"{limit:g}",
        )

    return phrases.words.say(
        "measures.chance",
        threshold=phrases.metres(limit),
        far=far,
        middle=phrases.middle,
        without=share(subject.baseline),
        share=share(partner),
    )


def at_all(share: xr.DataArray, programme: str, year: int) -> list[float]:
    """Shares of a programme and year in all scenarios."""
    values: list[float] = share.sel(programme=programme, year=year).values.tolist()
    return values
