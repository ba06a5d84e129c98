"""A configuration in a dozen lines, for terminals and notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caspian_sim.config.schema import Config


def text_summary(config: Config) -> str:
    """Return the summary as plain text."""
    lines = (f"  {label:<12} {text}" for label, text in _rows(config))
    return "\n".join([f"<Config {config.name}>", *lines])


def html_summary(config: Config) -> str:
    """Return the summary as an HTML table."""
    style = 'style="text-align:left"'
    rows = (
        f"<tr><th {style}>{label}</th><td {style}>{html.escape(text)}</td></tr>"
        for label, text in _rows(config)
    )
    return f"<table><caption>Config <b>{html.escape(config.name)}</b></caption>{''.join(rows)}</table>"


def _rows(config: Config) -> list[tuple[str, str]]:
    spread, choice, outcomes = config.uncertainty, config.measures, config.outcomes
    level = config.initial.level_m
    chosen = "all" if choice.include == "all" else f"{len(choice.include)} chosen"
    programmes = (
        f"{name} ({' '.join(programme.participants) or 'nobody acts'})"
        for name, programme in config.programmes.items()
    )
    thresholds = ", ".join(f"{threshold:g}" for threshold in outcomes.thresholds_m)
    rows = [
        ("title", config.title),
        ("period", f"{config.period.start}–{config.period.end}"),
        (
            "climate",
            f"{', '.join(config.climate.scenarios)}; {config.climate.area_convention} area, "
            f"{config.climate.evaporation} evaporation",
        ),
        (
            "uncertainty",
            f"{spread.members} member{'s' if spread.members > 1 else ''}, {spread.parameters} parameters, "
            f"variability {'on' if spread.variability else 'off'}, seed {spread.seed}",
        ),
        ("parameters", ", ".join(config.parameters)),
        ("initial", None if level is None else f"{level:g} m BHS"),
        ("observations", config.initial.observations),
        ("basin", config.basin.hypsometry),
        ("strait", None if config.basin.strait == "recut" else config.basin.strait),
        ("own forcing", ", ".join(term.replace("_", " ") for term, _ in config.forcing.given())),
        ("consumption", ", ".join(config.consumption.change)),
        ("measures", f"{choice.catalogue} catalogue, {len(choice.custom)} custom; {chosen}"),
        ("programmes", ", ".join(programmes)),
        ("thresholds", f"{thresholds} m BHS" if thresholds else None),
        ("report years", ", ".join(str(year) for year in outcomes.report_years)),
        ("output", f"{config.output.directory}, {config.output.frequency}"),
        ("solver", config.solver.method),
    ]
    return [(label, text) for label, text in rows if text]
