"""Forcing of an ensemble by month: what drives the balance between two breakpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caspian_sim.balance import Segment
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.errors import DataError

Array = NDArray[np.float64]

_RULE = ("closed_below", "closing")
_FLUXES = tuple(flux.name for flux in fields(Segment) if flux.name not in _RULE)


@dataclass(frozen=True)
class Forcing:
    """Monthly forcing of an ensemble, piecewise constant.

    A flux has a row for every month, for every year, or a single one, and a column for every member or a
    single one. What changes only from year to year is stored so: memory and its bandwidth are what large
    ensembles run out of.

    Attributes
    ----------
    length : ndarray, shape (month,)
        Length of the months as a share of the calendar year, yr.
    first_year : int
        Calendar year that begins with the first month.
    external, precipitation, evaporation, strait_coefficient, pipe_outflow, bay_net_evaporation : ndarray
        As in :class:`caspian_sim.balance.Segment`.
    season : ndarray, shape (month,) or (1,)
        Added to ``evaporation`` and ``bay_net_evaporation``, mm/yr.
    closed_below, closing : ndarray, optional
        Gates in the strait, as in :class:`caspian_sim.balance.Segment`, with a column for every member; not
        given where no member has any.

    Raises
    ------
    DataError
        When a value is not finite.
    """

    length: Array
    first_year: int
    external: Array
    precipitation: Array
    evaporation: Array
    strait_coefficient: Array
    pipe_outflow: Array
    bay_net_evaporation: Array
    season: Array = field(default_factory=lambda: np.zeros(1))
    closed_below: Array | None = None
    closing: Array | None = None

    def __post_init__(self) -> None:
        months = len(self.length)
        object.__setattr__(self, "season", np.resize(self.season, months))
        for name in self._given:
            values = getattr(self, name)
            if len(values) not in (months, months // MONTHS, 1):
                raise DataError(f"forcing '{name}' has {len(values)} months\n    allowed  {months}")
            # A sum is finite when all of its terms are, and needs no array of its own.
            if not np.isfinite(values.sum()) and not np.isfinite(values).all():
                row, member = np.argwhere(~np.isfinite(values))[0]
                month = int(row) * months // len(values)
                raise DataError(
                    f"forcing '{name}' is not finite in {self.label(month)}\n"
                    f"    found    {values[row, member]} in member {member}\n"
                    "    allowed  finite numbers in every month"
                )

    @property
    def regulated(self) -> bool:
        """Whether gates in the strait follow the level of the sea."""
        return self.closed_below is not None

    @property
    def _given(self) -> tuple[str, ...]:
        return (*_FLUXES, *_RULE) if self.regulated else _FLUXES

    def segment(self, month: int) -> Segment:
        """Return the forcing of one month."""
        rows = (self._rows(name, month) for name in self._given)
        return _with_season(Segment(*rows), self.season[month])

    def cells(self, months: NDArray[np.int64], columns: NDArray[np.int64]) -> Segment:
        """Return the forcing of one month for each of some columns."""
        width = self.external.shape[1]
        places = (
            np.broadcast_to(values, (len(values), width))[months * len(values) // len(self.length), columns]
            for values in (getattr(self, name) for name in self._given)
        )
        return _with_season(Segment(*places), self.season[months])

    def _rows(self, name: str, month: int) -> Array:
        values: Array = getattr(self, name)
        return np.asarray(values[month * len(values) // len(self.length)])

    @property
    def begins(self) -> Array:
        """Start of each month, decimal years."""
        whole = np.arange(len(self.length)) // MONTHS
        into_year = np.cumsum(self.length) - self.length - whole
        return np.asarray(self.first_year + whole + into_year)

    def label(self, month: int) -> str:
        """Calendar name of a month, as in 2031-07."""
        return f"{self.first_year + month // MONTHS}-{month % MONTHS + 1:02d}"


def _with_season(segment: Segment, season: Array) -> Segment:
    return replace(
        segment,
        evaporation=segment.evaporation + season,
        bay_net_evaporation=segment.bay_net_evaporation + season,
    )


def side_by_side(forcings: Sequence[Forcing]) -> Forcing:
    """Put the forcings of several ensembles over the same months side by side, as one ensemble.

    Parameters
    ----------
    forcings : sequence of Forcing
        What has one column in all of them is the same in all of them.

    Returns
    -------
    Forcing
    """
    first = forcings[0]
    width = first.external.shape[1]
    if len(forcings) == 1:
        return first

    def joined(name: str) -> Array:
        parts = [getattr(forcing, name) for forcing in forcings]
        if name in _RULE:
            # Gates that take nothing away stand for none.
            parts = [np.zeros((1, width)) if part is None else part for part in parts]
        if all(part.shape[1] == 1 for part in parts) and width > 1:
            return np.asarray(parts[0])
        rows = max(len(part) for part in parts)
        return np.concatenate(
            [
                np.broadcast_to(np.repeat(p, rows // len(p), axis=0), (rows, f.external.shape[1]))
                for p, f in zip(parts, forcings, strict=True)
            ],
            axis=1,
        )

    names = (*_FLUXES, *_RULE) if any(forcing.regulated for forcing in forcings) else _FLUXES
    fluxes: dict[str, Any] = {name: joined(name) for name in names}
    return replace(first, **fluxes)
