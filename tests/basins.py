"""Small named basins and steady climates, for which algebra knows the answer.

Every basin stands alone: no table of the package is read except in :func:`caspian`.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from caspian_sim.balance import Basin, Segment
from caspian_sim.basin.bay import Bay, kara_bogaz_gol
from caspian_sim.basin.hypsometry import Hypsometry, constant_area, load_hypsometry
from caspian_sim.basin.rivers import month_fractions
from caspian_sim.forcing import Forcing

Array = NDArray[np.float64]

# A sill that no sea of these tests reaches: the strait stays dry.
NEVER = 100.0


def square() -> Hypsometry:
    """Vertical walls around 400,000 km²: 400 km³ are a metre of level."""
    return constant_area(-28.0, 400_000.0)


def funnel() -> Hypsometry:
    """A point at −40 m, and 10,000 km² more for every metre above it."""
    return Hypsometry(node_level=[-40.0, -20.0], node_area=[0.0, 200_000.0], name="Funnel")


def trough() -> Hypsometry:
    """400,000 km² at −28 m and 10,000 km² per metre: the Caspian Sea as a straight line."""
    return Hypsometry(node_level=[-48.0, -8.0], node_area=[200_000.0, 600_000.0], name="Trough")


def kinked() -> Hypsometry:
    """A deep steep part below a wide flat shelf, with the kink at −30 m."""
    return Hypsometry(
        node_level=[-60.0, -30.0, -25.0, -20.0],
        node_area=[240_000.0, 300_000.0, 400_000.0, 405_000.0],
        name="Kinked basin",
    )


def caspian() -> Hypsometry:
    """The shipped curve."""
    return load_hypsometry()


def pond() -> Bay:
    """A bay of 10,000 km² between −34 m and −20 m with a narrow floor at −35 m."""
    return Bay.from_table(np.array([-35.0, -34.0, -20.0]), np.array([0.0, 10_000.0, 10_000.0]))


SEAS = {"square": square, "funnel": funnel, "trough": trough, "kinked": kinked, "caspian": caspian}


def closed(curve: Hypsometry, members: int = 1) -> Basin:
    """A sea without a strait."""
    return with_strait(curve, sill=NEVER, members=members)


def with_strait(
    curve: Hypsometry, sill: float, members: int = 1, bay: Bay | None = None, area_factor: float = 1.0
) -> Basin:
    """A sea and a bay, Kara-Bogaz-Gol when no other is named."""
    lowest, highest = max(curve.node_level[0], -100.0), min(curve.node_level[-1], 35.0)
    return Basin(
        curve.volume_table(float(lowest), float(highest)),
        kara_bogaz_gol() if bay is None else bay,
        np.full(members, area_factor),
        np.full(members, sill),
    )


def anomaly(curve: Hypsometry, level: ArrayLike) -> Array:
    """Volume against the reference of the curve, km³, shape (member,)."""
    return np.atleast_1d(np.asarray(curve.volume(np.asarray(level, dtype=float)))) - curve.reference_volume


def steady(
    years: int,
    *,
    first_year: int = 2026,
    inflow: ArrayLike = 0.0,
    rain: ArrayLike = 0.0,
    evaporation: ArrayLike = 0.0,
    coefficient: ArrayLike = 0.0,
    pipes: ArrayLike = 0.0,
    bay_evaporation: ArrayLike = 0.0,
) -> Forcing:
    """The same forcing in every month, each flux one number or one per member (km³/yr and mm/yr)."""
    length = month_fractions(np.arange(first_year, first_year + years)).ravel()

    def every_month(flux: ArrayLike) -> Array:
        return np.tile(np.atleast_1d(np.asarray(flux, dtype=float)), (len(length), 1))

    fluxes = (inflow, rain, evaporation, coefficient, pipes, bay_evaporation)
    return Forcing(length, first_year, *(every_month(flux) for flux in fluxes))


def every_month(forcing: Forcing) -> Forcing:
    """The same forcing, with a row for every month in each flux and the season added to it."""
    segments = [forcing.segment(month) for month in range(len(forcing.length))]
    names = [flux.name for flux in fields(Segment) if getattr(segments[0], flux.name) is not None]
    fluxes = {name: np.stack([getattr(s, name) for s in segments]) for name in names}
    return Forcing(forcing.length, forcing.first_year, **fluxes)


def annual(forcing: Forcing) -> NDArray[np.int64]:
    """Output interval of each month, one a year."""
    return np.arange(len(forcing.length)) // 12


def monthly(forcing: Forcing) -> NDArray[np.int64]:
    """Output interval of each month, one a month."""
    return np.arange(len(forcing.length))
