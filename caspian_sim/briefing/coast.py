"""Key messages of the coast and of life: seabed that falls dry, ports, ecosystem.

All of them need the members of the run. Where they cannot be given, the brief says why.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import xarray as xr
from markupsafe import Markup

from caspian_sim.briefing.likelihood import AT_LEAST_LIKELY
from caspian_sim.briefing.messages import Message, Missing
from caspian_sim.briefing.numbers import Number, percent, plain, thousands
from caspian_sim.briefing.phrases import POINTS, Phrases
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import ASSUMPTION, yearly
from caspian_sim.figures.text import name
from caspian_sim.impacts.ecosystem import ecosystem_outcomes
from caspian_sim.impacts.port_outcomes import port_outcomes
from caspian_sim.impacts.ports import Port, ports_of
from caspian_sim.impacts.seabed import NAME as SEABED
from caspian_sim.impacts.seabed import exposed_seabed_by_state
from caspian_sim.stream import REPORTED

SEABED_SHARE = 0.1
"""Part of the sea of the year before the run whose falling dry is reported."""
EXAMPLE, BASIN = "seal-ice", "northern-basin"
"""Loss whose likelihood is told, and the part of the sea of which the dry share is told."""


class Coast:
    """Impacts of a run, each reckoned once, and the messages about them.

    Parameters
    ----------
    phrases : Phrases
    """

    def __init__(self, phrases: Phrases) -> None:
        self.phrases, self.subject = phrases, phrases.subject

    @cached_property
    def ports(self) -> xr.Dataset:
        """Outcomes of the ports."""
        return port_outcomes(self.subject.ds)

    @cached_property
    def list_of_ports(self) -> tuple[Port, ...]:
        """Ports of the run."""
        return ports_of(self.subject.config)

    @cached_property
    def ecosystem(self) -> xr.Dataset:
        """Outcomes for ecosystem and people."""
        return ecosystem_outcomes(self.subject.ds)

    @cached_property
    def seabed(self) -> xr.Dataset:
        """Exposed seabed by state, by calendar year, with the programme that comes first alone."""
        found = exposed_seabed_by_state(self.subject.ds.sel(programme=[self.subject.baseline]))
        exposed = yearly(found[SEABED], found["time_bnds"])
        return xr.Dataset({SEABED: exposed, "sector_area": found["sector_area"]})

    def messages(self) -> list[Message | Missing]:
        """Messages of seabed, ports and ecosystem, or why there is none."""
        return [
            self._tell("seabed", self.seabed_message),
            self._tell("ports", self.ports_message),
            self._tell("ecosystem", self.ecosystem_message),
        ]

    def _tell(self, key: str, make: Callable[[], Message]) -> Message | Missing:
        say = self.phrases.say
        if not self.subject.has_members:
            return Missing(key, say("missing.members"))
        if self.subject.members == 1:
            return Missing(key, say("missing.single"))
        try:
            return make()
        except DataError as error:
            # The first line says what is missing; the others are for the terminal.
            return Missing(key, say("missing.reason", reason=str(error).splitlines()[0]))

    def seabed_message(self) -> Message:
        """How much seabed falls dry, and nearest to whose coast."""
        subject, phrases, say = self.subject, self.phrases, self.phrases.say
        far, middle, programme = subject.far, subject.middle, subject.baseline
        by_state = self.seabed[SEABED].sel(year=far).squeeze("programme", drop=True)
        total = by_state.sum("state")
        points = total.sel(scenario=middle).quantile(list(REPORTED), "member").values
        of = {"scenario": middle, "programme": programme, "year": far}
        numbers = {
            point: Number(float(value), "exposed_seabed", point, "km2", thousands, of)
            for point, value in zip(POINTS, points, strict=True)
        }
        # Each member has an area of its own, by the factor that it draws.
        factor = subject.ds["parameters"].sel(parameter="area_factor")
        sea = float(self.seabed["sector_area"].sum())
        over = (total > SEABED_SHARE * factor * sea).mean("member").values.tolist()
        body = [
            say(
                "seabed.share",
                part=Number(SEABED_SHARE, "part_of_the_sea", "given", "1", percent),
                year=subject.start_year,
                far=far,
                odds=phrases.odds(over, "seabed_over_part", programme=programme, year=far),
            )
        ]
        means = by_state.sel(scenario=middle).mean("member")
        largest = str(means["state"].values[int(np.argmax(means.values))])
        if float(means.sum()) > 0.0:
            share = Number(
                float(means.max() / means.sum()),
                "state_share",
                "mean",
                "1",
                percent,
                {**of, "state": largest},
            )
            body.append(say("seabed.state", share=share, state=name("state", largest)))
        body.append(say("seabed.lines"))
        gaps = {"far": far, "middle": phrases.middle, "range": phrases.range_word, **numbers}
        gaps["programme"] = phrases.programme(programme)
        return Message("seabed", say("seabed.headline", **gaps), Markup(" ").join(body), ("C", "D"))

    def ports_message(self) -> Message:
        """At how many berths the vessel can no longer load in full."""
        subject, phrases, say = self.subject, self.phrases, self.phrases.say
        programme = subject.baseline
        chance = self.ports["below_draft"].sel(programme=programme)
        berths = self.list_of_ports
        worst = [port.worst_grade for port in berths]

        def count(year: int) -> Number:
            likely = (chance.sel(year=year) >= AT_LEAST_LIKELY).all("scenario")
            of = {"programme": programme, "year": year}
            return Number(float(likely.sum()), "ports_likely", "count", "1", plain(0), of)

        all_of_them = Number(float(len(berths)), "ports", "count", "1", plain(0))
        gaps = {
            "all": all_of_them,
            "near": subject.near,
            "count": count(subject.near),
            "programme": phrases.programme(programme),
        }
        key = "ports.headline" if phrases.words_are_given else "ports.headline.few"
        body = []
        others = [year for year in dict.fromkeys((subject.years[0], subject.far)) if year != subject.near]
        if others:
            told = [say("ports.year", year=year, count=count(year)) for year in others]
            body.append(say("ports.years", years=phrases.words.both(told)))
        last = chance.sel(scenario=subject.middle, year=subject.far)
        place = int(np.argmin(last.values))
        port = berths[place]
        of = {"scenario": subject.middle, "programme": programme, "year": subject.far, "port": port.id}
        body.append(
            say(
                "ports.longest",
                port=port.title if port.own else name("port", port.id),
                far=subject.far,
                middle=phrases.middle,
                share=Number(float(last[place]), "port_below_draft", "share", "1", percent, of),
            )
        )
        assumed = Number(
            float(sum(grade == ASSUMPTION for grade in worst)), "ports_assumed", "count", "1", plain(0)
        )
        body.append(say("ports.bed", assumed=assumed, all=all_of_them))
        return Message("ports", say(key, **gaps), Markup(" ").join(body), tuple(sorted(set(worst))))

    def ecosystem_message(self) -> Message:
        """How likely a level is at which a loss is reported, and how much of the northern basin is dry."""
        subject, phrases, say = self.subject, self.phrases, self.phrases.say
        programme, far, middle = subject.baseline, subject.far, subject.middle
        found = self.ecosystem.sel(programme=programme)
        impact = found.sel(impact=EXAMPLE)
        below = impact["below"].sel(reference="central", year=far).values.tolist()
        level = Number(
            float(impact["threshold_level"]), "impact_level", "given", "m BHS", plain(1), {"impact": EXAMPLE}
        )
        loss = Number(float(impact["impact_loss"]), "impact_loss", "given", "1", percent, {"impact": EXAMPLE})
        headline = say(
            "ecosystem.headline",
            level=level,
            loss=loss,
            far=far,
            odds=phrases.odds(below, "impact_below", programme=programme, year=far, impact=EXAMPLE),
            programme=phrases.programme(programme),
        )
        parts = []
        for year in dict.fromkeys((subject.near, far)):
            values = found["share_lost"].sel(
                impact=BASIN, scenario=middle, year=year, quantile=list(REPORTED)
            )
            of = {"scenario": middle, "programme": programme, "year": year, "impact": BASIN}
            numbers = {
                point: Number(float(value), "share_lost", point, "1", percent, of)
                for point, value in zip(POINTS, values.values, strict=True)
            }
            parts.append(say("ecosystem.basin.year", year=year, range=phrases.range_word, **numbers))
        reference = Number(
            float(impact["reference_level"]),
            "reference_level",
            "given",
            "m BHS",
            plain(1),
            {"impact": EXAMPLE},
        )
        body = say("ecosystem.basin", years=phrases.words.both(parts), middle=phrases.middle)
        body += " " + say("ecosystem.reference", reference=reference)
        grades = {str(impact["impact_grade"].item()), str(impact["reference_grade"].item()), "C"}
        return Message("ecosystem", headline, body, tuple(sorted(grades)))
