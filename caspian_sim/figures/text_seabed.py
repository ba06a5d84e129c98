"""Words in the figures of shoreline and seabed: part of :data:`caspian_sim.figures.text.ENGLISH`."""

from __future__ import annotations

from collections.abc import Mapping

SEABED: Mapping[str, str] = {
    # Shoreline and seabed
    "place.Baku (Alat)": "Alat",
    "chart.latitude": "{degrees}° N",
    "chart.longitude": "{degrees}° E",
    "chart.bay": "Kara-Bogaz-\nGol",
    "chart.km": "{length} km",
    "shoreline.title": "The shore of the Caspian Sea, today and in {year}",
    "shoreline.pack": "The shore of the Caspian Sea, today and in the future",
    "shoreline.subtitle": "{scenario}, {members} members, annual mean level of {year}. Equal-area "
    "projection.",
    "shoreline.subtitle.single": "{scenario}, one member, annual mean level of {year}. Equal-area "
    "projection.",
    "shoreline.futures": "{year}, {programme}",
    "shoreline.compared": "{year}, median with {programme}",
    "shoreline.today": "shore of {year}: {level} m, {area} km²",
    "shoreline.p95": "95 % point of the level: {level} m",
    "shoreline.p50": "median: {level} m",
    "shoreline.p05": "5 % point: {level} m",
    "shoreline.one": "shore: {level} m",
    "shoreline.dry": "dry in at least {percent} % of the members: {area} km²",
    "shoreline.dry.one": "dry: {area} km²",
    "shoreline.both": "dry in both: {area} km²",
    "shoreline.kept": "{programme} keeps wet: {area} km²",
    "shoreline.lost": "{programme} lays bare: {area} km²",
    "shoreline.medians": "{baseline} {without} m ({programme} {with_it} m)",
    "shoreline.sector": "sectors by nearest coast, not legal lines",
    "shoreline.marks": "city, port",
    "shoreline.caveat": "Sectors by nearest coast, not legal delimitation lines. Kara-Bogaz-Gol is not part "
    "of the sea. A cell of the bed is 8 by 11 km: deltas, islands, channels and dykes are not resolved.",
    "shoreline.sources": "Sources: bed NOAA ETOPO1, shores shifted to the hypsometry, which is tied to "
    "published areas (grade {grade}; area ±3 to 5 %, grade D); borders Natural Earth; cities GeoNames (CC BY "
    "4.0).",
    "axis.exposed": "Exposed (thousand km²)",
    "seabed.title": "Seabed that the Caspian Sea lays bare, by state",
    "seabed.subtitle": "{scenario}, {members} members, against the level of {reference} m. Lines: median; "
    "shading: 5–95 % of {programme}. Thousand km²; numbers of {year} with 5–95 %.",
    "seabed.subtitle.single": "{scenario}, one member, against the level of {reference} m. Thousand km²; "
    "numbers of {year}.",
    "seabed.whole": "whole sea",
    "seabed.range": "{median} ({low} to {high})",
    "seabed.fall": "{fall} m",
    "seabed.falls": "fall from {level} m",
    "seabed.sea": "sea",
    "seabed.share": "%",
    "seabed.falls.title": "What a fall lays bare, thousand km² and % of the sea",
    "seabed.sources": "Sources: bed NOAA ETOPO1, tied to published areas (grade {grade}); coasts Natural "
    "Earth; projection caspian_sim. The area of the sea is known to ±3 to 5 % (grade D).",
    "seabed.caveat": "Sectors by nearest coast, not legal delimitation lines. Without Kara-Bogaz-Gol. "
    "Negative: the sea stands above that level.",
}
