r"""Vessels that ports are judged by: draft, deadweight, and the cargo that a decimetre of draft is worth.

A vessel that floats a centimetre less deep displaces, and so carries,

.. math:: \text{TPC} = L B C_w \rho / 100

tonnes less: length, breadth, share of length times breadth that the hull covers at the water line, density of
the water (any text on ship hydrostatics). The share, and with it the cargo, is an assumption (grade D).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from caspian_sim import data

CENTIMETRES = 100.0
"""In a metre."""


@dataclass(frozen=True)
class Vessel:
    """A vessel that ports are judged by.

    Attributes
    ----------
    name, title : str
    draft : float
        At full load, m.
    deadweight : float
        At full load, t.
    cargo_per_cm : float
        What a centimetre of draft carries, t.
    grade : str
        Of dimensions, draft and deadweight.
    cargo_grade : str
        Of `cargo_per_cm`.
    """

    name: str
    title: str
    draft: float
    deadweight: float
    cargo_per_cm: float
    grade: str
    cargo_grade: str


def immersion(length: float, breadth: float, waterplane: float, density: float) -> float:
    """Cargo that a centimetre of draft carries.

    Parameters
    ----------
    length, breadth : float
        m.
    waterplane : float
        Share of length times breadth that the hull covers at the water line.
    density : float
        Of the water, t/m³.

    Returns
    -------
    float
        t/cm.
    """
    return length * breadth * waterplane * density / CENTIMETRES


@cache
def vessels() -> dict[str, Vessel]:
    """Vessels that ship with the package, by name."""
    density = data.impact_fact("caspian_water_density").value
    found = {}
    for row in data.load("vessels").to_dataframe().reset_index().to_dict("records"):
        found[row["vessel"]] = Vessel(
            name=row["vessel"],
            title=row["title"],
            draft=row["draft"],
            deadweight=row["deadweight"],
            cargo_per_cm=immersion(row["length"], row["breadth"], row["waterplane"], density),
            grade=row["grade"],
            cargo_grade=row["waterplane_grade"],
        )
    return found


def clearance(draft: float) -> float:
    """Water that is kept under the keel of a vessel in a port, m: a share of its draft at full load."""
    return data.impact_fact("under_keel_clearance").value * draft
