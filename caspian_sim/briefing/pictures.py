"""Figures of the brief, wide for paper and narrow for a phone, each with alternative text from the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from caspian_sim import data, figures
from caspian_sim.briefing.coast import Coast
from caspian_sim.briefing.numbers import percent, thousands
from caspian_sim.briefing.phrases import Phrases
from caspian_sim.briefing.svg import Drawing, take_apart
from caspian_sim.errors import DataError
from caspian_sim.figures.text import name, number
from caspian_sim.impacts.ports import STATES
from caspian_sim.impacts.seabed import NAME as SEABED

WIDE_CM, NARROW_CM = 18.0, 8.5
"""Text width of the page, and of a phone or a column of the page."""


@dataclass(frozen=True)
class Picture:
    """A figure in the page.

    Attributes
    ----------
    key : str
    wide, narrow : Drawing
        For paper and for a phone; the same when there is one for both.
    alt : str
        What it shows, for those who do not see it.
    """

    key: str
    wide: Drawing
    narrow: Drawing
    alt: str

    @property
    def single(self) -> bool:
        """Whether one drawing serves both."""
        return self.wide is self.narrow


@dataclass(frozen=True)
class NoPicture:
    """A figure that cannot be drawn.

    Attributes
    ----------
    key, why : str
    """

    key: str
    why: str


def _drawn(key: str, draw: Callable[[float], Figure], alt: str) -> Picture:
    wide = take_apart(draw(WIDE_CM), f"{key}-wide")
    return Picture(key, wide, take_apart(draw(NARROW_CM), f"{key}-narrow"), alt)


def projection_picture(phrases: Phrases) -> Picture:
    """Record and projection."""
    subject = phrases.subject
    shown = [label for label in (subject.baseline, subject.partner) if label is not None]
    ds = subject.ds.sel(programme=shown)
    return _drawn(
        "projection", lambda width: figures.projection(ds, width_cm=width), projection_alt(phrases, shown)
    )


def projection_alt(phrases: Phrases, shown: list[str]) -> str:
    """Say what the projection shows."""
    subject, plain = phrases.subject, phrases.words.plain
    record = data.load("sea_level_annual")["level"]
    far = int(subject.level_points["year"][-1])
    parts = [
        plain(
            "figure.projection.alt.scenario",
            scenario=name("scenario", scenario),
            programme=phrases.programme(programme),
            **phrases.level(scenario, programme, far),
        )
        for scenario in subject.scenarios
        for programme in shown
    ]
    return plain(
        "figure.projection.alt",
        first=int(record["year"][0]),
        first_level=number(float(record[0]), 2),
        last=int(record["year"][-1]),
        last_level=number(float(record[-1]), 2),
        far=far,
        scenarios="; ".join(parts),
    )


def shoreline_picture(phrases: Phrases) -> Picture | NoPicture:
    """Map of the shores without measures, one drawing for page and phone."""
    subject = phrases.subject
    options: dict[str, Any] = {
        "scenario": subject.middle,
        "programme": subject.baseline,
        "baseline": subject.baseline,
        "year": subject.far,
    }
    try:
        table = figures.shoreline_table(subject.ds, **options)
        figure = figures.shoreline(subject.ds, **options, width_cm=NARROW_CM)
    except DataError as error:
        return NoPicture("shoreline", str(error).splitlines()[0])
    drawing = take_apart(figure, "shoreline")
    rows: dict[str, dict[str, Any]] = {
        row["shore"]: {str(key): value for key, value in row.items()} for row in table.to_dict("records")
    }
    today = rows["today"]
    plain = phrases.words.plain
    shores = [
        plain(
            "figure.shoreline.alt.shore",
            point=plain(f"point.{point}"),
            level=number(float(rows[point]["level_m_bhs"]), 1),
            exposed=thousands(float(rows[point]["exposed_km2"])),
            last=int(today["year"]),
        )
        for point in ("p95", "p50", "p05")
    ]
    states = {state: float(rows["p50"][f"exposed_{state}_km2"]) for state in STATES}
    where = plain("figure.shoreline.alt.none")
    if sum(states.values()) > 0.0:
        most = max(states, key=states.__getitem__)
        share = percent(states[most] / sum(states.values()))
        where = plain("figure.shoreline.alt.state", state=name("state", most), share=share)
    alt = plain(
        "figure.shoreline.alt",
        last=int(today["year"]),
        today=number(float(today["level_m_bhs"]), 2),
        area=thousands(float(today["area_km2"])),
        far=subject.far,
        scenario=name("scenario", subject.middle),
        programme=phrases.programme(subject.baseline),
        shores="; ".join(shores),
        where=where,
    )
    return Picture("shoreline", drawing, drawing, alt)


def annex_pictures(phrases: Phrases, coast: Coast) -> Iterator[Picture | NoPicture]:
    """Figures of the annex: seabed by state, ports, ecosystem; or why there is none."""
    for key, draw, alt in (
        ("seabed", _draw_seabed, _seabed_alt),
        ("ports", _draw_ports, _ports_alt),
        ("ecosystem", _draw_ecosystem, _ecosystem_alt),
    ):
        try:
            yield _drawn(key, lambda width, draw=draw: draw(phrases, width), alt(phrases, coast))  # type: ignore[misc]
        except DataError as error:
            yield NoPicture(key, str(error).splitlines()[0])


def _draw_seabed(phrases: Phrases, width: float) -> Figure:
    subject = phrases.subject
    shown = [label for label in (subject.baseline, subject.partner) if label is not None]
    return figures.seabed(subject.ds, scenario=subject.middle, programme=shown, width_cm=width)


def _draw_ports(phrases: Phrases, width: float) -> Figure:
    subject = phrases.subject
    return figures.ports(subject.ds, scenario=subject.middle, programme=subject.baseline, width_cm=width)


def _draw_ecosystem(phrases: Phrases, width: float) -> Figure:
    subject = phrases.subject
    return figures.ecosystem(subject.ds, programme=subject.baseline, width_cm=width)


def _seabed_alt(phrases: Phrases, coast: Coast) -> str:
    means = coast.seabed[SEABED].sel(year=phrases.subject.far, scenario=phrases.subject.middle)
    return _alt(
        phrases,
        "figure.seabed.alt",
        "states",
        "figure.item",
        [name("state", str(state)) for state in means["state"].values],
        [thousands(value) for value in means.squeeze("programme", drop=True).mean("member").values],
    )


def _ports_alt(phrases: Phrases, coast: Coast) -> str:
    shares = _chosen(phrases, coast.ports["below_draft"])
    names = [port.title if port.own else name("port", port.id) for port in coast.list_of_ports]
    values = [percent(value) for value in shares.values]
    return _alt(phrases, "figure.ports.alt", "ports", "figure.item.percent", names, values)


def _ecosystem_alt(phrases: Phrases, coast: Coast) -> str:
    shares = _chosen(phrases, coast.ecosystem["below"].sel(reference="central"))
    names = [name("impact", str(impact)) for impact in shares["impact"].values]
    values = [percent(value) for value in shares.values]
    return _alt(phrases, "figure.ecosystem.alt", "impacts", "figure.item.percent", names, values)


def _chosen(phrases: Phrases, shares: xr.DataArray) -> xr.DataArray:
    subject = phrases.subject
    return shares.sel(scenario=subject.middle, programme=subject.baseline, year=subject.far)


def _alt(phrases: Phrases, key: str, gap: str, item: str, names: list[str], values: list[str]) -> str:
    plain = phrases.words.plain
    parts = [plain(item, name=one, value=value) for one, value in zip(names, values, strict=True)]
    return plain(
        key,
        far=phrases.subject.far,
        scenario=name("scenario", phrases.subject.middle),
        programme=phrases.programme(phrases.subject.baseline),
        **{gap: "; ".join(parts)},
    )
