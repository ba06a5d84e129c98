"""Effect of a programme on the balance: what its measures add to the inflow and take from the outflow.

What may not be counted is not: water that returns as drainage anyway, more than a state consumes, the same
water twice, and growth of use that is avoided but was never in the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import MONTHS, month_fractions
from caspian_sim.config.measure import Measure
from caspian_sim.errors import ConfigError
from caspian_sim.measures.cost import known_costs
from caspian_sim.measures.inputs import (
    compliance_priors,
    consumption_priors,
    further_priors,
    share_at,
    value,
)
from caspian_sim.measures.programme import size

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ProgrammeEffect:
    """What a programme does to the balance.

    Attributes
    ----------
    measures : tuple of Measure
    share : tuple of ndarray, shape (month, 1) or (month, member)
        For each measure, what acts of its volume in each month: the share of the full size, less what a cap
        takes away; a rate per km³ where water is moved within the year.
    volume : ndarray, shape (measure, member)
        Volume at full size that counts, km³/yr: net of return flow, and as far as it is carried out.
    opening : ndarray, shape (month,) or (month, member)
        Factor on the open share of the strait.
    closed_below : float or None
        Level below which gates in the strait are closed, m BHS; None without such a rule.
    closing : ndarray, shape (month, 1) or (month, member), or None
        Share of the strait that closed gates take away.
    cost : mapping of name to ndarray, shape (member,)
        Known costs (:func:`caspian_sim.measures.cost.known_costs`).
    """

    measures: tuple[Measure, ...]
    share: tuple[Array, ...]
    volume: Array
    opening: Array
    closed_below: float | None = None
    closing: Array | None = None
    cost: Mapping[str, Array] = field(default_factory=dict)

    @property
    def inflow(self) -> Array:
        """Effect of all measures together on the inflow to the sea, km³/yr, shape (month, member)."""
        # Summed measure by measure: the last bit of a matrix product depends on how many members it has.
        total = np.zeros((len(self.opening), self.volume.shape[1]))
        for share, volume in zip(self.share, self.volume, strict=True):
            total += share * volume
        return total


def programme_effect(
    measures: Sequence[Measure],
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    members: int,
    inputs: Mapping[str, Array],
) -> ProgrammeEffect:
    """Work out what a list of measures does in every month and member.

    Parameters
    ----------
    measures : sequence of Measure
    years, months : ndarray of int, shape (month,)
        Calendar year and month (1 to 12), whole years.
    members : int
        Number of members.
    inputs : mapping of name to ndarray, shape (member,)
        Volume of each measure at full size as ``measure:<id>``; what else :mod:`caspian_sim.measures.inputs`
        names has its best value where it is not given. The same in every programme.

    Returns
    -------
    ProgrammeEffect

    Notes
    -----
    In every month and member, in this order:

    1. Return flow: a gross volume counts for :math:`V(1 - r)`.
    2. Compliance: and of that, for the share that is carried out.
    3. Pool: measures on the same water count together for no more than the largest of them at full size.
    4. Avoided growth: a measure that avoids growth of use counts for no more than that growth.
    5. Cap: all savings of a state together count for no more than its consumption of today.

    Where a limit binds, all measures under it are cut in the same proportion.
    """
    complied = [_compliance(measure, members, inputs) for measure in measures]
    whole = np.array([_net(measure, members, inputs) for measure in measures]).reshape(-1, members)
    volume = np.array(
        [net if kept is None else net * kept for net, kept in zip(whole, complied, strict=True)]
    ).reshape(-1, members)
    sizes = [_size(measure, years, months, members, inputs) for measure in measures]
    share = [
        _moved(measure, part, years, months) if measure.moved_km3 is not None else part
        for measure, part in zip(measures, sizes, strict=True)
    ]
    for rows, limit in _limits(measures, whole, share, volume, members, inputs):
        _cut(share, volume, rows, limit)
    opening: Array = np.ones((len(years), 1))
    closed_below = closing = None
    for measure, part, kept in zip(measures, sizes, complied, strict=True):
        if measure.mechanism != "strait_regulation":
            continue
        shut = part * (1.0 - float(measure.opening or 0.0))
        shut = shut if kept is None else shut * kept
        if measure.closed_below_m is None:
            opening = opening * (1.0 - shut)
        elif closing is None:
            closed_below, closing = measure.closed_below_m, shut
        else:
            raise ConfigError(
                "two rules for gates in the strait cannot act in one programme\n"
                f"    found    closed below {closed_below:g} m and below {measure.closed_below_m:g} m"
            )
    plain = opening[:, 0] if opening.shape[1] == 1 else opening
    cost = known_costs(measures, int(years[-1]), inputs, members)
    return ProgrammeEffect(tuple(measures), tuple(share), volume, plain, closed_below, closing, cost)


def _compliance(measure: Measure, members: int, inputs: Mapping[str, Array]) -> Array | None:
    if measure.compliance is None or measure.role == "growth":
        return None
    return share_at(
        measure.compliance, value(inputs, compliance_priors()[f"compliance:{measure.state}"], members)
    )


def _net(measure: Measure, members: int, inputs: Mapping[str, Array]) -> Array:
    gross = inputs[f"measure:{measure.id}"]
    prior = further_priors(measure).get(f"return_flow:{measure.id}")
    return gross if prior is None else gross * (1.0 - value(inputs, prior, members))


def _size(
    measure: Measure,
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    members: int,
    inputs: Mapping[str, Array],
) -> Array:
    """Size in each month, with a column for all members or for each."""
    prior = further_priors(measure).get(f"delay:{measure.id}")
    if prior is None:
        return size(measure, years, months)[:, None]
    return size(measure, years, months, value(inputs, prior, members))


def _moved(measure: Measure, grown: Array, years: NDArray[np.int64], months: NDArray[np.int64]) -> Array:
    """Rate per km³ at which water is moved within the year, 1/yr; its sum over every year is zero.

    The size is that of the middle of the year throughout it, or a measure that grows would give more in late
    months than it takes in early ones.
    """
    length = month_fractions(np.unique(years)).ravel()
    by_year = grown.reshape(-1, MONTHS, grown.shape[1])
    middle = np.repeat(by_year[:, MONTHS // 2 - 1 : MONTHS // 2 + 1].mean(axis=1), MONTHS, axis=0)
    rate = np.zeros(len(years))
    for sign, chosen in ((1.0, measure.to_months), (-1.0, measure.from_months)):
        within = np.isin(months, chosen)
        duration = np.repeat((length * within).reshape(-1, MONTHS).sum(axis=1), MONTHS)
        rate += np.where(within, sign / duration, 0.0)
    return np.asarray(rate[:, None] * middle)


def _limits(
    measures: Sequence[Measure],
    whole: Array,
    share: Sequence[Array],
    volume: Array,
    members: int,
    inputs: Mapping[str, Array],
) -> Iterator[tuple[list[int], Array]]:
    """Measures that are limited together, and their limit, km³/yr, shape (member,) or (month, member)."""
    for pool in dict.fromkeys(measure.pool for measure in measures if measure.pool is not None):
        rows = [row for row, measure in enumerate(measures) if measure.pool == pool]
        yield rows, whole[rows].max(axis=0)
    growth = {measure.id: row for row, measure in enumerate(measures) if measure.role == "growth"}
    for avoided in dict.fromkeys(measure.avoids for measure in measures if measure.avoids is not None):
        rows = [row for row, measure in enumerate(measures) if measure.avoids == avoided]
        taken = growth.get(avoided)
        yield rows, np.zeros(members) if taken is None else -share[taken] * volume[taken]
    for state in dict.fromkeys(measure.state for measure in measures):
        rows = [
            row
            for row, measure in enumerate(measures)
            if measure.state == state and measure.mechanism == "consumption" and measure.role == "measure"
        ]
        if rows:
            yield rows, value(inputs, consumption_priors()[f"consumption:{state}"], members)


def _cut(share: list[Array], volume: Array, rows: Sequence[int], limit: Array) -> None:
    """Cut the shares of some measures so that together they stay within a limit."""
    if limit.ndim == 1 and (volume[rows].sum(axis=0) <= limit).all():
        return
    total = np.zeros(np.broadcast_shapes(*(share[row].shape for row in rows), (1, volume.shape[1])))
    for row in rows:
        total = total + share[row] * volume[row]
    over = total > limit
    kept = np.where(over, limit / np.where(over, total, 1.0), 1.0)
    for row in rows:
        share[row] = share[row] * kept
