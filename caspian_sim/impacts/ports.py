r"""Ports: the depth that a level of the sea leaves, and the cargo that it costs.

A depth belongs to the level :math:`h_0` of the sea that its source refers to: the zero of charts, or the mean
level observed in the year in which it was found. At the level :math:`h` it has become

.. math:: d(h) = d_0 + (h - h_0)

and the vessel that a port is judged by, with the draft :math:`T` and the clearance :math:`k` under the keel,
floats fully laden while :math:`d \ge T + k`, that is down to the level

.. math:: h^* = h_0 - (d_0 - T - k).

Below it the vessel gives up draft, metre for metre, and cargo with it (:mod:`caspian_sim.impacts.fleet`). A
permitted draft contains the clearance. The bed stays as its source has it: no dredging, no silt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, cast

import numpy as np

from caspian_sim import data
from caspian_sim.config import Config, OwnPort
from caspian_sim.errors import DataError
from caspian_sim.impacts.fleet import Vessel, clearance, vessels

DECIMETRE = 10.0
"""In centimetres."""
WORST = {"A": 0, "B": 1, "C": 2, "D": 3}
"""Evidence grades from the best to the worst."""
OWN_VESSEL = "own"
STATES = {"AZ": "Azerbaijan", "IR": "Iran", "KZ": "Kazakhstan", "RU": "Russia", "TM": "Turkmenistan"}


@dataclass(frozen=True)
class Port:
    """A depth at a port, the level that it refers to, and the vessel that it is judged by.

    Attributes
    ----------
    id, title, state, kind : str
        Short name, name, state, what the depth is of.
    latitude, longitude : float
        Degrees; NaN when unknown.
    depth : float
        Depth or permitted draft, m.
    stated_as : {"depth", "draft"}
    reference_level : float
        Level that it refers to, m BHS.
    reference_year : int or None
        Year whose observed level that is; None where the level itself is given.
    vessel : Vessel
    clearance : float
        Water to be kept under the keel, m; zero for a permitted draft, which contains it.
    grade, source : str
        Of the depth.
    vessel_grade : str
        Of the choice of the vessel.
    own : bool
        Whether it comes from the configuration.
    """

    id: str
    title: str
    state: str
    kind: str
    latitude: float
    longitude: float
    depth: float
    stated_as: Literal["depth", "draft"]
    reference_level: float
    reference_year: int | None
    vessel: Vessel
    clearance: float
    grade: str
    source: str
    vessel_grade: str
    own: bool = False

    @property
    def needed(self) -> float:
        """Depth that the vessel needs at full load, m."""
        return self.vessel.draft + self.clearance

    @property
    def limit_level(self) -> float:
        """Level below which the vessel cannot load in full, m BHS."""
        return self.reference_level - (self.depth - self.needed)

    @property
    def cargo_per_decimetre(self) -> float:
        """Cargo that a fall by a decimetre costs once the level is below the limit, t."""
        return DECIMETRE * self.vessel.cargo_per_cm

    @property
    def worst_grade(self) -> str:
        """Worst of the evidence grades of depth, vessel and choice of the vessel."""
        return max((self.grade, self.vessel.grade, self.vessel_grade), key=WORST.__getitem__)


@cache
def shipped_ports() -> tuple[Port, ...]:
    """Ports that ship with the package, in the order of their table."""
    ports = []
    for row in data.load("ports").to_dataframe().reset_index().to_dict("records"):
        vessel = vessels()[row["vessel"]]
        by_year = bool(np.isnan(row["reference_level"]))
        ports.append(
            Port(
                id=row["id"],
                title=row["port"],
                state=row["state"],
                kind=row["kind"],
                latitude=row["latitude"],
                longitude=row["longitude"],
                depth=row["depth"],
                stated_as=row["stated_as"],
                reference_level=observed_level(int(row["year"])) if by_year else row["reference_level"],
                reference_year=int(row["year"]) if by_year else None,
                vessel=vessel,
                clearance=clearance(vessel.draft) if row["stated_as"] == "depth" else 0.0,
                grade=row["grade"],
                source=row["source"],
                vessel_grade=row["vessel_grade"],
            )
        )
    return tuple(ports)


def ports_of(config: Config) -> tuple[Port, ...]:
    """Ports of a run: those that ship, and those of the configuration, one of which may take a place.

    Raises
    ------
    DataError
        When there is none.
    """
    shipped = shipped_ports() if config.impacts.catalogue == "default" else ()
    ports = {port.id: port for port in (*shipped, *map(_own_port, config.impacts.ports))}
    if not ports:
        raise DataError(
            "the run has no ports\n"
            "    found    impacts.catalogue none, no impacts.ports\n"
            "    hint     give ports under impacts.ports, or impacts.catalogue: default"
        )
    return tuple(ports.values())


def observed_level(year: int) -> float:
    """Mean level of a year of the shipped record, m BHS.

    Raises
    ------
    DataError
        When the record has no such year.
    """
    record = data.load("sea_level_annual")["level"]
    if year not in record["year"].values:
        first, last = int(record["year"][0]), int(record["year"][-1])
        raise DataError(f"no level was observed in {year}\n    allowed  {first} to {last}")
    return float(record.sel(year=year))


def route(name: str) -> tuple[str, ...]:
    """Short names of the ports of a shipped route, in its order.

    Raises
    ------
    DataError
        When there is no such route.
    """
    table = data.load("port_routes")
    known = list(dict.fromkeys(str(label) for label in table["route"].values))
    if name not in known:
        raise DataError(
            f"no route is called {name!r}\n    found    {name!r}\n    allowed  {', '.join(known)}"
        )
    chosen = table.isel(row=np.flatnonzero(table["route"].values == name)).sortby("place")
    return tuple(str(port) for port in chosen["port"].values)


def choose_ports(ports: Sequence[Port], wanted: Iterable[str]) -> tuple[Port, ...]:
    """Pick ports by their short names.

    Raises
    ------
    DataError
        When one is not there.
    """
    there = {port.id: port for port in ports}
    names = list(wanted)
    missing = [name for name in names if name not in there]
    if missing:
        raise DataError(
            f"the run has no port {missing[0]!r}\n"
            f"    found    {missing[0]!r}\n"
            f"    allowed  {', '.join(there)}"
        )
    return tuple(there[name] for name in names)


def _own_port(own: OwnPort) -> Port:
    vessel = _own_vessel(own)
    year = own.reference_year
    kept = own.clearance_m if own.clearance_m is not None else clearance(vessel.draft)
    return Port(
        id=own.id,
        title=own.title,
        state=STATES[own.state],
        kind="",
        latitude=own.latitude_deg if own.latitude_deg is not None else np.nan,
        longitude=own.longitude_deg if own.longitude_deg is not None else np.nan,
        depth=own.depth_m,
        stated_as=own.stated_as,
        reference_level=observed_level(year) if year is not None else cast(float, own.reference_level_m),
        reference_year=year,
        vessel=vessel,
        clearance=kept if own.stated_as == "depth" else 0.0,
        grade=own.grade,
        source=own.source,
        vessel_grade=own.grade,
        own=True,
    )


def _own_vessel(own: OwnPort) -> Vessel:
    """Vessel of a port of the configuration: one that ships, with what is given in its place."""
    given = {
        "draft": own.vessel_draft_m,
        "deadweight": own.deadweight_t,
        "cargo_per_cm": own.cargo_t_per_cm,
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if {"draft", "deadweight"} & set(changes):
        changes["grade"] = own.grade
    if "cargo_per_cm" in changes:
        changes["cargo_grade"] = own.grade
    if own.vessel is None:  # the schema lets no port pass that then lacks a figure
        return Vessel(name=OWN_VESSEL, title=own.title, **changes)
    return replace(vessels()[own.vessel], **changes)
