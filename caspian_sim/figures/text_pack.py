"""Words in the figures of crossings, flows and changes: part of :data:`caspian_sim.figures.text.ENGLISH`."""

from __future__ import annotations

from collections.abc import Mapping

PACK_TEXTS: Mapping[str, str] = {
    # Crossing
    "crossing.title": "How probable it is that the Caspian Sea has fallen below a level",
    "crossing.subtitle": "Share of an ensemble of {members} that has stood below the level at any time from "
    "{first} to the end of the year. Uncertainty of models and parameters beyond the ensemble is not in it.",
    "crossing.subtitle.single": "One member: it has stood below the level by the end of the year, or not.",
    "crossing.level": "below {level} m",
    "crossing.column": "{level} m",
    "crossing.half": "First year by whose end the probability is {probability} % or more; where there is "
    "none, the probability in {year}:",
    "crossing.year": "{year}",
    "crossing.never": "{share} %",
    "crossing.sources": "Sources: warming by scenario IPCC AR6; projection caspian_sim.",
    # Flows
    "flows.title": "The water that the Caspian Sea gets and loses",
    "flows.subtitle": "{scenario}, {programme}. Mean fluxes of a decade in km³/yr, ensemble of {members}; "
    "streams are as wide as the water that they carry. What the sea loses from its volume comes in, so that "
    "both sides are equal.",
    "flows.subtitle.single": "{scenario}, {programme}. Mean fluxes of a decade in km³/yr, one member; "
    "streams are as wide as the water that they carry. What the sea loses from its volume comes in, so that "
    "both sides are equal.",
    "flows.observed": "{first}–{last}, observed",
    "flows.projected": "{first}–{last}, projected",
    "flows.storage.in": "from the volume of the sea",
    "flows.storage.out": "into the volume of the sea",
    "flows.stream": "{term} {flux}",
    "flows.net": "sea\n{net} km³/yr",
    "flows.sources": "Sources: observed decade from level and river inflow (net_evaporation_implied, grade "
    "{grade}): evaporation less precipitation is what closes the balance, the outflow to Kara-Bogaz-Gol is "
    "modelled, groundwater is held at {groundwater} km³/yr. Projection: caspian_sim.",
    # Change
    "change.title": "What changes in the water balance of the Caspian Sea",
    "change.subtitle": "{scenario}, {programme}: from the net balance of {before} to that of {after}. Bars: "
    "means of an ensemble of {members}, each from where the one above it ends; lines and brackets: 5–95 % of "
    "the difference in the same member.",
    "change.subtitle.single": "{scenario}, {programme}: from the net balance of {before} to that of {after}, "
    "one member. Each bar starts where the one above it ends.",
    "change.axis": "Net balance of the sea (km³/yr)",
    "change.net": "net, {period}",
    "change.inflow": "river inflow",
    "change.evaporation_rate": "evaporation, depth per year",
    "change.precipitation_rate": "precipitation, depth per year",
    "change.smaller_sea": "area of the sea",
    "change.strait": "outflow to Kara-Bogaz-Gol",
    "change.consumption": "growth of consumption",
    "change.measures": "measures",
    "change.groundwater": "groundwater",
    "change.method": "Evaporation and precipitation are depth times area: the change of each depth counts "
    "over the mean area, the change of the area with the mean depth. A part that raises the balance points "
    "right.",
    "change.sources": "Sources: warming by scenario IPCC AR6; fluxes caspian_sim.",
}
