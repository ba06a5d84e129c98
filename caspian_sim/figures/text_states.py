"""Words in the figures of states, targets and delay: part of :data:`caspian_sim.figures.text.ENGLISH`."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, str] = {
    # States together
    "state.AZ": "Azerbaijan",
    "state.IR": "Iran",
    "state.KZ": "Kazakhstan",
    "state.RU": "Russia",
    "state.TM": "Turkmenistan",
    "state_short.AZ": "AZ",
    "state_short.IR": "IR",
    "state_short.KZ": "KZ",
    "state_short.RU": "RU",
    "state_short.TM": "TM",
    "states.caveat": "What the measures could save is an assumption with a range (grade D), not data.",
    "states.paired": "Each of the {members} members has the same climate and parameters with measures and "
    "without.",
    "states.means": "Numbers are means over {members} members, which add up, with 5–95 %; members have the "
    "same climate and parameters in every coalition. All {coalitions} coalitions were run.",
    "states.all": "all together",
    "states.interaction": "interaction",
    "states.range": "{mean} ({low} to {high})",
    "axis.avoided_fall": "Fall avoided (m)",
    "axis.avoided_seabed": "Seabed kept wet (km²)",
    "axis.burden": "Share of the joint volume (km³/yr)",
    "joint.title": "The Caspian Sea with the joint programme and without",
    "joint.subtitle": "{scenario}, annual mean of {members} members. Above: median (lines) and 5–95 % with "
    "(hatched) and without (shaded) measures. Below: the difference in the same member, mean by scenario "
    "and 5–95 % in {scenario}.",
    "joint.difference": "Difference (m)",
    "joint.end": "{label}\n{median} ({low} to {high})",
    "joint.paired": "Standard deviation of the difference in {year}: {paired} m, member by member; "
    "{apart} m, had the two runs been drawn apart.",
    "joint.sources": "Sources: warming by scenario IPCC AR6; projection caspian_sim.",
    "alone.title": "What each state does for the level alone, and all together",
    "alone.subtitle": "{year}, {scenario}. Bars: mean; whiskers: 5–95 %. Interaction: effect of all together "
    "less the sum of each alone. Below: what each does, with evidence grade.",
    "alone.does": "{state}: {measures}.",
    "alone.measure": "{title} ({grade})",
    "alone.nothing": "no measure",
    "shapley.title": "What each state adds to the joint effect",
    "shapley.subtitle": "Shapley value of the avoided fall: what a state adds on average over all orders in "
    "which the five could join. Marks: mean; thick lines: 25–75 %; thin lines: 5–95 %.",
    "shapley.scenario": "{scenario}",
    "burden.title": "Five ways to share the volume of the joint programme",
    "burden.subtitle": "{year}, {scenario}: {volume} km³/yr in all. Bars: mean share; whiskers: 5–95 %. "
    "In brackets: share over what the state consumes today; bold: a rule asks for more than all of it.",
    "burden.rule.equal": "equal",
    "burden.rule.consumption": "by consumption",
    "burden.rule.benefit": "by benefit (seabed)",
    "burden.rule.shapley": "by Shapley value",
    "burden.rule.planned": "its own measures",
    "burden.number": "{volume} ({percent} %)",
    "burden.gain": "gain: {gain} km² kept wet",
    "burden.strait": "Outflow to Kara-Bogaz-Gol that a regulated strait stops counts as brought by the state "
    "that regulates it; nobody consumes it.",
    "burden.sources": "Consumption: no official figures by state, assumed split with ranges (grade D). "
    "Gain: seabed kept wet in the sector of the state, by nearest coast, not by legal lines; that a state "
    "gains by it is an assumption (D).",
    # Target, marginal effect and delay
    "target.title": "How much more water a level of the Caspian Sea takes",
    "target.subtitle": "Extra inflow, constant from {start}{ramp}, with which the annual mean is not "
    "below a level in {span} with probability {probability}; shaded: {confidence} % interval. Second: "
    "probability to hold {level} m. Grey: what the whole catalogue brings, as constant inflow (5–95 %, "
    "grade D; line: median).",
    "target.ramp": " and grown over {years} years",
    "target.in": "{year}",
    "target.throughout": "every year until {year}",
    "target.whole": "whole catalogue,\n{low} to {high} km³/yr\n(grade D)",
    "target.asked": "{level} m",
    "target.answer": "{scenario}: {inflow} ({low} to {high}); whole catalogue {share} %",
    "target.answers": "For {level} m: km³/yr ({confidence} %); probability to hold it",
    "target.beyond": "{scenario}: not held by {most} km³/yr; whole catalogue {share} %",
    "target.reached": "Held with probability {probability} by the whole catalogue under {names}.",
    "target.missed": "Not reachable with the catalogue under {names}: all its measures together bring "
    "{inflow} km³/yr (median).",
    "target.sources": "{members} members. The whole catalogue is every measure that raises the level, "
    "the northern transfer and a dam in the strait included; most of their volumes are assumptions "
    "(evidence grade D).",
    "axis.target": "Level to hold (m BHS)",
    "axis.extra_inflow": "Extra inflow (km³/yr)",
    "axis.probability": "Probability (%)",
    "marginal.title": "What each measure lifts the sea for the water that it brings",
    "marginal.subtitle": "{scenario}, {year}, each measure alone. Width: water that it brings in that "
    "year; height: rise for each km³/yr of it; so the area is the rise. Dashed: constant extra inflow "
    "from {start}.",
    "marginal.label": "{title} ({grade}): {effect} cm ({low} to {high})",
    "marginal.instead": "{title}, in the place of {other} ({grade}): {effect} cm ({low} to {high})",
    "marginal.numbers": "{first}–{last}",
    "marginal.axis": "Rise (cm per km³/yr)",
    "marginal.water": "Water brought (km³/yr)",
    "marginal.sources": "Medians of {members} members, ranges 5–95 %. Letters: evidence grade of the "
    "volume; D is an assumption. A measure that starts later has lifted the sea less by {year}. Effects "
    "of measures that act together do not quite add up.",
    "delay.title": "What waiting costs: the same programme, begun in different years",
    "delay.subtitle": "{scenario}, measures of {programme}. Level with the programme less level without "
    "measures, same members; lines: median, bars: 5–95 % in {last}.",
    "delay.label": "from {start}: {avoided} m ({low} to {high})",
    "delay.lost": "by {year} {lost} m less ({low} to {high})",
    "delay.axis": "Avoided fall (m)",
    "delay.sources": "{members} members. All measures of the programme move together: the first starts "
    "in the year given.",
    "delay.grade_d": "Assumptions (evidence grade D): measures {names}.",
    # Trade-offs
    "tradeoffs.title": "What more effort buys for the Caspian Sea, and how sure it is",
    "tradeoffs.subtitle": "Programmes that no other one beats: more fall avoided by {year} for the same "
    "effort. Means of {members} members under {scenarios} alike; shaded: 5–95 %. Letters: programmes of the "
    "table; numbers: measures, each alone.",
    "tradeoffs.axis.water": "Effort: water brought in {year} (km³/yr)",
    "tradeoffs.axis.share": "Effort: largest share of its consumption that a state gives up (%)",
    "tradeoffs.axis.cost": "Effort: known cost (million USD)",
    "tradeoffs.axis.effect": "Fall avoided by {year} (m)",
    "tradeoffs.head.water": "km³/yr",
    "tradeoffs.head.share": "%",
    "tradeoffs.head.cost": "M USD",
    "tradeoffs.head.effect": "m",
    "tradeoffs.block.programme": "takes, avoids",
    "tradeoffs.block.measures": "how much of each measure",
    "tradeoffs.block.states": "water by state, km³/yr",
    "tradeoffs.block.kept": "stays above {level} m, %",
    "tradeoffs.block.regret": "regret, m",
    "tradeoffs.head.most": "all",
    "tradeoffs.head.at_effort": "equal",
    "tradeoffs.label": "{title} ({grade})",
    "tradeoffs.sources": "{search}: {tried} programmes tried, measures in {steps} steps from nothing to all. "
    "Stays above: share of the members whose annual mean does so every year until {year}. Regret: what the "
    "best programme of all, or of those that take no more, avoids more, under the SSP where that is most. "
    "Outflow to the bay that is stopped is put down to the state whose measure stops it.",
    "tradeoffs.search.NSGA-II": "Search by NSGA-II",
    "tradeoffs.search.all programmes": "All programmes run",
    "tradeoffs.left_out": "Not chosen from, since this effort is unknown or not theirs: {names}.",
}
