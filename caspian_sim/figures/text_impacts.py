"""Words in the figures of impacts: part of :data:`caspian_sim.figures.text.ENGLISH`."""

from __future__ import annotations

from collections.abc import Mapping

IMPACTS: Mapping[str, str] = {
    # Names
    "port.aktau-oil": "Aktau, oil berth",
    "port.aktau-oil-as-loaded": "Aktau, oil berth as loaded",
    "port.aktau-dry": "Aktau, dry cargo berth",
    "port.kuryk-ferry": "Kuryk, ferry berth",
    "port.makhachkala-dry": "Makhachkala, dry cargo",
    "port.makhachkala-oil": "Makhachkala, oil harbour",
    "port.volga-caspian-canal": "Volga–Caspian canal",
    "port.olya": "Olya",
    "port.anzali": "Anzali",
    "port.amirabad": "Amirabad",
    "port.alat": "Baku (Alat)",
    "port.turkmenbashi": "Turkmenbashi",
    "vessel.tanker-13000": "tanker of 13,000 t (project 19619)",
    "vessel.tanker-7000": "river and sea tanker of 7,000 t (RST27)",
    "vessel.dry-cargo-8000": "dry cargo vessel of 8,100 t (RSD59)",
    "vessel.coaster-3000": "dry cargo vessel of 3,000 t (Derbent)",
    "vessel.ferry-5800": "railway and car ferry (CNF18C)",
    "route.kazakhstan-iran": "Kazakhstan to Iran",
    "impact.seal-ice": "Seals: up to 81 % of the ice on which they breed is lost",
    "impact.sturgeon": "Sturgeon: 45 % of its summer and autumn habitat is lost",
    "impact.protected-areas": "Protected areas: up to 94 % of their sea is lost",
    "impact.northern-basin": "Northern basin desiccated",
    "impact.bay-and-shelf": "Kara-Bogaz-Gol and the Turkmen shelf dry",
    "impact.bay-cut-off": "Kara-Bogaz-Gol cut off from the sea",
    "impact_short.seal-ice": "the ice of the seals",
    # Ports
    "ports.title": "Where vessels can no longer load in full",
    "ports.subtitle": "{scenario}, {programme}. Probability (%) that the annual mean level is too low for "
    "the vessel of the port, in {members} members. Right: level below which that is so, first year with 50 "
    "% or more, and tonnes of cargo that each further decimetre costs a voyage.",
    "ports.subtitle.narrow": "{scenario}, {programme}. Probability (%) that the annual mean level is too "
    "low for the vessel of the port, in {members} members. Right: first year with 50 % or more, and tonnes "
    "of cargo that each further decimetre costs a voyage.",
    "ports.depth": "{depth} m at {level} m · {grade}",
    "ports.draft": "draft {depth} m at {level} m · {grade}",
    "ports.limit": "level\n(m)",
    "ports.first": "first\nyear",
    "ports.loss": "t per\ndm",
    "ports.before": "≤ {year}",
    "ports.never": "–",
    "ports.scale": "Beside each depth the level of the sea that it refers to, m BHS. Letter: worst grade of "
    "depth, vessel and choice of the vessel (D: assumption).",
    "ports.vessels": "Vessels: {vessels}.",
    "ports.vessel": "{title} {draft} m ({ports})",
    "ports.rule": "A depth, other than a permitted draft, keeps {clearance} % of the draft free under the "
    "keel (grade {clearance_grade}). The share of the hull at the water line, from which the tonnes follow, "
    "is an assumption (grade D).",
    "ports.sources": "Sources: tables ports, vessels and impact_facts of caspian_sim, with the source of "
    "each row; observed level sea_level_annual; projection caspian_sim.",
    "ports.bed": "The bed stays as the sources have it: no dredging and no silt after the year of the "
    "figure. Single days and wind are not in the annual mean.",
    # Route
    "route.title": "Water on the route {route}",
    "route.pack": "Water on a route between ports",
    "route.subtitle": "{scenario}, {programme}: depth left, median of {members} members with 50 % and 90 % "
    "band. Dashed: what the vessel needs to load in full.",
    "route.panel": "{port} · {grade}",
    "route.stated.depth": "{depth} m at {level} m BHS; {vessel}",
    "route.stated.draft": "permitted draft {depth} m at {level} m BHS; {vessel}",
    "route.needs.depth": "needs {depth} m",
    "route.needs.draft": "draft {depth} m",
    "route.first": "{year}: 50 % or more\ncannot load in full",
    "route.first.at_once": "50 % or more cannot load in full\nfrom {year} on",
    "route.first.never": "less than 50 %\nin every year",
    "axis.depth": "Depth left (m)",
    "route.sources": "Route: {sources} (grade {grade}). The vessels are choices of this project where the "
    "letter is D.",
    # Ecosystem
    "ecosystem.title": "Chance that the sea falls below levels at which losses are reported",
    "ecosystem.subtitle": "Probability (%) that the annual mean level lies below the threshold in the year: "
    "{programme}, {members} members for each scenario. Last: share of the northern basin that is dry (%), "
    "median of the members.",
    "ecosystem.threshold": "{title}: fall of {drop} m · {grade}, below {level} m · {reference}",
    "ecosystem.sill": "{title}: below the sill of the strait · {grade}",
    "ecosystem.dry": "Northern basin dry, % of its area (from the bed) · C",
    "ecosystem.reference": "Metres: fall of the sea, counted from {level} m BHS. That level is an assumption "
    "(grade D) with {low} to {high} m as its range, since the sources do not name it. Letters: grades of "
    "the fall and of the level. Over that range, {example} has {least} to {most} % in {year} under "
    "{scenario}.",
    "ecosystem.sill_range": "The sill of the strait is a parameter of each member: {low} to {high} m BHS "
    "(5–95 %).",
    "ecosystem.curves": "The northern basin follows a bed in whole metres on a 0.1° grid. Of the other "
    "losses one point is known: they are thresholds, and no curve is drawn.",
    "ecosystem.sources": "Sources: {sources}.",
}
"""Texts by key; names of ports and impacts that are not here keep their own."""
