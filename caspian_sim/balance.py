r"""The water balance: fluxes and the one right-hand side that every solver integrates.

.. math::

    \frac{dV}{dt} &= Q(t) + [P(t) - E(t)]\,A(h) - F(h, h_b, t)

    \frac{dV_b}{dt} &= F(h, h_b, t) - N_b(t)\,A_b(h_b)

*V* is the volume of the sea as an anomaly against its volume at −28 m BHS (km³), *Q* the sum of the terms
that do not depend on the state (river inflow, groundwater, measures, less the change of consumption; km³/yr),
*P* and *E* precipitation and evaporation (mm/yr) over the sea area *A* (km²), *F* the outflow to
Kara-Bogaz-Gol and *N_b* the net evaporation from the bay (mm/yr). Where shallow water evaporates more than
deep water, *E* is that of the baseline level, and :func:`surface` gives the area that it counts for. Where
gates in the strait follow the level of the sea, :func:`regulated` gives the coefficient of its weir.

Every flux that depends on the state is a state of its own, integrated together with the volumes: the budget
closes to round-off, whatever the error of the solver, and means of level and area come out without quadrature
afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.bay import Bay
from caspian_sim.basin.exchange import MM_KM2_TO_KM3, bay_exchange
from caspian_sim.basin.volume_table import VolumeTable, look_up, look_up_with_shallows

Array = NDArray[np.float64]

# Rows of the state, shape (STATES, member). The first two are the volumes, the rest accumulate from the start
# of a month.
SEA: Final = 0  # sea volume anomaly against −28 m BHS, km³
BAY: Final = 1  # bay volume above its floor, km³
LEVEL: Final = 2  # ∫ h dt, m yr
AREA: Final = 3  # ∫ A dt, km² yr
PRECIPITATION: Final = 4  # ∫ P A dt, km³
EVAPORATION: Final = 5  # ∫ E A dt, km³
STRAIT: Final = 6  # ∫ F dt, km³
BAY_LOSS: Final = 7  # ∫ N_b A_b dt, km³
STATES: Final = 8

# A strait regulated by the level opens over this height above the level at which it is closed, m: about what
# the sea rises and falls within a year. There is no hysteresis: the gates stand as the level of the day says.
GATE_RANGE: Final = 0.1


@dataclass(frozen=True)
class Basin:
    """Shape of the sea and the bay for an ensemble.

    Attributes
    ----------
    table : VolumeTable
        Level and area of the sea as functions of its volume anomaly.
    bay : Bay
        Shape of Kara-Bogaz-Gol.
    area_factor : ndarray, shape (member,)
        Factor on the sea area at every level, and so on every difference of volume.
    sill : ndarray, shape (member,)
        Sill of the strait, m BHS.
    shallow_weight : ndarray, shape (member,), optional
        How much more a shallow area counts for evaporation than the same area of the whole sea
        (:func:`caspian_sim.basin.shallows.shallow_weight`). All of the sea counts alike when not given.
    """

    table: VolumeTable
    bay: Bay
    area_factor: Array
    sill: Array
    shallow_weight: Array | None = None

    def of(self, members: Any) -> Basin:
        """Return the basin of some of the members, by their places."""
        weight = None if self.shallow_weight is None else self.shallow_weight[members]
        return Basin(self.table, self.bay, self.area_factor[members], self.sill[members], weight)

    def level_and_area(self, volume_anomaly: Array) -> tuple[Array, Array]:
        """Level (m BHS) and area (km²) of the sea at a volume anomaly (km³), shape (member,)."""
        level, area = self.table.level_and_area(volume_anomaly / self.area_factor)
        return level, area * self.area_factor


@dataclass(frozen=True)
class Segment:
    """Forcing between two breakpoints, constant in time; every array has shape (member,) or broadcasts to it.

    Attributes
    ----------
    external : ndarray
        Sum of river inflow, groundwater and measures less consumption change, km³/yr.
    precipitation, evaporation : ndarray
        Over the sea, mm/yr.
    strait_coefficient : ndarray
        Weir coefficient times the open share of the strait, km³ yr⁻¹ m⁻¹·⁵.
    pipe_outflow : ndarray
        Flow through pipes in a dammed strait, km³/yr.
    bay_net_evaporation : ndarray
        Evaporation less precipitation over the bay, mm/yr.
    closed_below : ndarray, optional
        Level of the sea below which the gates of a regulated strait are closed, m BHS. The strait is not
        regulated by the level when not given.
    closing : ndarray, optional
        Share of the strait that closed gates take away, 0 to 1; given with ``closed_below``.
    """

    external: Array
    precipitation: Array
    evaporation: Array
    strait_coefficient: Array
    pipe_outflow: Array
    bay_net_evaporation: Array
    closed_below: Array | None = None
    closing: Array | None = None


def even_surface(
    table: VolumeTable, sea: Array, area_factor: Array, shallow_weight: Array | None
) -> tuple[Array, Array, Array]:
    """As :func:`surface`, for a sea that evaporates alike everywhere; the weight plays no role."""
    level, area = look_up(table, sea / area_factor)
    area = area * area_factor
    return level, area, area


def uneven_surface(
    table: VolumeTable, sea: Array, area_factor: Array, shallow_weight: Array
) -> tuple[Array, Array, Array]:
    """As :func:`surface`, for a sea that evaporates more where it is shallow."""
    level, area, excess = look_up_with_shallows(table, sea / area_factor)
    return level, area * area_factor, (area + shallow_weight * excess) * area_factor


def surface(
    table: VolumeTable, sea: Array, area_factor: Array, shallow_weight: Array | None
) -> tuple[Array, Array, Array]:
    """Level of the sea, its area, and the area that counts for evaporation.

    Parameters
    ----------
    table, area_factor, shallow_weight
        As in :class:`Basin`.
    sea : ndarray, shape (member,)
        Sea volume anomaly, km³.

    Returns
    -------
    level, area, evaporating_area : ndarray, shape (member,)
        m BHS and km².
    """
    if shallow_weight is None:
        return even_surface(table, sea, area_factor, shallow_weight)
    return uneven_surface(table, sea, area_factor, shallow_weight)


def never_regulated(
    level: Array, coefficient: Array, closed_below: Array | None, closing: Array | None
) -> Array:
    """As :func:`regulated`, for a strait without gates; its level plays no role."""
    return coefficient


def regulated_by_level(level: Array, coefficient: Array, closed_below: Array, closing: Array) -> Array:
    """As :func:`regulated`, for a strait with gates."""
    shut = np.minimum(np.maximum(1.0 - (level - closed_below) / GATE_RANGE, 0.0), 1.0)
    left: Array = coefficient * (1.0 - closing * shut)
    return left


def regulated(level: Array, coefficient: Array, closed_below: Array | None, closing: Array | None) -> Array:
    r"""Weir coefficient of a strait whose gates follow the level of the sea.

    Parameters
    ----------
    level : ndarray, shape (member,)
        m BHS.
    coefficient : ndarray
        With the gates open, km³ yr⁻¹ m⁻¹·⁵.
    closed_below, closing : ndarray or None
        As in :class:`Segment`.

    Returns
    -------
    ndarray
        :math:`c\,[1 - k\,s(h)]` with *k* the share that the gates close and *s* going evenly from 1 at
        ``closed_below`` to 0 at :data:`GATE_RANGE` above it.
    """
    if closed_below is None or closing is None:
        return coefficient
    return regulated_by_level(level, coefficient, closed_below, closing)


def rates(
    sea: Array,
    water: Array,
    external: Array,
    precipitation: Array,
    evaporation: Array,
    strait_coefficient: Array,
    pipe_outflow: Array,
    bay_net_evaporation: Array,
    table: VolumeTable,
    bay: Bay,
    area_factor: Array,
    sill: Array,
    shallow_weight: Array | None,
    closed_below: Array | None,
    closing: Array | None,
) -> tuple[Array, Array, Array, Array, Array, Array, Array, Array]:
    """Rates of change of all states in the order of their rows, for one member or an array of them.

    Parameters
    ----------
    sea, water : ndarray, shape (member,)
        Sea volume anomaly and water in the bay, km³.
    external, precipitation, evaporation, strait_coefficient, pipe_outflow, bay_net_evaporation : ndarray
        As in :class:`Segment`.
    table, bay, area_factor, sill, shallow_weight
        As in :class:`Basin`.
    closed_below, closing : ndarray or None
        As in :class:`Segment`.

    Returns
    -------
    tuple of ndarray
        Rates per year.
    """
    level, area, evaporating = surface(table, sea, area_factor, shallow_weight)
    outflow, bay_loss = bay_exchange(
        level,
        water,
        bay,
        regulated(level, strait_coefficient, closed_below, closing),
        sill,
        pipe_outflow,
        bay_net_evaporation,
    )
    rain = precipitation * area * MM_KM2_TO_KM3
    vapour = evaporation * evaporating * MM_KM2_TO_KM3
    return (
        external + rain - vapour - outflow,
        outflow - bay_loss,
        level,
        area,
        rain,
        vapour,
        outflow,
        bay_loss,
    )


def tendencies(state: Array, segment: Segment, basin: Basin) -> Array:
    """Right-hand side of the balance: the rate of change of every state.

    Parameters
    ----------
    state : ndarray, shape (STATES, member)
        Rows as named in this module.
    segment : Segment
        Forcing, constant between breakpoints: it is passed in and not looked up by time, since the last stage
        of a Runge-Kutta step lies exactly on the breakpoint.
    basin : Basin

    Returns
    -------
    ndarray, shape (STATES, member)
        Rates per year.
    """
    rate = np.empty_like(state)
    rate[:] = rates(
        state[SEA],
        state[BAY],
        segment.external,
        segment.precipitation,
        segment.evaporation,
        segment.strait_coefficient,
        segment.pipe_outflow,
        segment.bay_net_evaporation,
        basin.table,
        basin.bay,
        basin.area_factor,
        basin.sill,
        basin.shallow_weight,
        segment.closed_below,
        segment.closing,
    )
    return rate
