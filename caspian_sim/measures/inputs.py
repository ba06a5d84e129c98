"""What members draw for measures: volume, delay, return flow, cost, compliance, and what caps savings.

Draws belong to the name of the input and the member, never to a programme: differences between programmes
are paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config.fields import STATES
from caspian_sim.config.measure import Measure
from caspian_sim.config.ranges import ShareRange
from caspian_sim.data import Parameter, load

Array = NDArray[np.float64]

STATE_NAMES = {
    "AZ": "Azerbaijan",
    "IR": "Iran",
    "KZ": "Kazakhstan",
    "RU": "Russia",
    "TM": "Turkmenistan",
}


def _prior(name: str, measure: Measure, ends: tuple[float, float, float], unit: str, what: str) -> Parameter:
    low, best, high = ends
    return Parameter(
        name=name,
        distribution="fixed" if low == high else "triangular",
        best=best,
        low=low,
        high=high,
        unit=unit,
        grade=measure.grade,
        source=measure.source,
        description=f"{what}{measure.title}",
    )


def volume_prior(measure: Measure) -> Parameter:
    """Prior of the volume of a measure at full size.

    Parameters
    ----------
    measure : Measure

    Returns
    -------
    Parameter
        Effect on the inflow to the sea in km³/yr, positive raises the level: triangular over the range of the
        measure, gross where it has a return flow. For release timing the water that it moves within a year,
        km³. Zero for a regulation of the strait, which acts on the outflow instead.
    """
    volume = measure.volume_km3_per_yr if measure.moved_km3 is None else measure.moved_km3
    ends = (0.0, 0.0, 0.0) if volume is None else (volume.low, volume.best, volume.high)
    unit = "km3/yr" if measure.moved_km3 is None else "km3"
    return _prior(measure.id, measure, ends, unit, "")


def further_priors(measure: Measure) -> dict[str, Parameter]:
    """Priors of what else a member draws for a measure.

    Parameters
    ----------
    measure : Measure

    Returns
    -------
    dict of name to Parameter
        ``delay:<id>`` (years), ``return_flow:<id>`` (share of the gross volume) and ``cost:<id>``, triangular
        over the ranges that the measure has.
    """
    found = {}
    for kind, ends, unit, what in (
        ("delay", measure.delay_years, "years", "delay: "),
        ("return_flow", measure.return_flow, "1", "return flow: "),
        ("cost", measure.cost, "" if measure.cost is None else measure.cost.unit, "cost: "),
    ):
        if ends is not None:
            name = f"{kind}:{measure.id}"
            found[name] = _prior(name, measure, (ends.low, ends.best, ends.high), unit, what)
    return found


def compliance_priors() -> dict[str, Parameter]:
    """Quantiles of compliance, one for each state: a state keeps to all of its measures alike.

    Returns
    -------
    dict of name to Parameter
        ``compliance:<state>``, uniform in (0, 1); :func:`share_at` makes a share of it.
    """
    return {
        f"compliance:{state}": Parameter(
            name=f"compliance:{state}",
            distribution="uniform",
            best=0.5,
            low=0.0,
            high=1.0,
            unit="1",
            grade="D",
            source="by definition",
            description=f"quantile of the compliance of {STATE_NAMES[state]}",
        )
        for state in STATES
    }


@cache
def consumption_priors() -> Mapping[str, Parameter]:
    """Irretrievable consumption of today, which caps what a state can save.

    Returns
    -------
    mapping of name to Parameter
        ``consumption:<state>``, km³/yr, triangular over the ranges of ``consumption_by_state``; grade D.
    """
    table = load("consumption_by_state")
    best, low, high = (
        dict(zip(table["party"].values, table[name].values.tolist(), strict=True))
        for name in ("best", "low", "high")
    )
    return MappingProxyType(
        {
            f"consumption:{state}": Parameter(
                name=f"consumption:{state}",
                distribution="triangular",
                best=best[name],
                low=low[name],
                high=high[name],
                unit="km3/yr",
                grade="D",
                source="consumption_by_state",
                description=f"irretrievable consumption of {name}",
            )
            for state, name in STATE_NAMES.items()
        }
    )


def measure_priors(shipped: Iterable[Measure], own: Iterable[Measure]) -> dict[str, Parameter]:
    """Priors of everything that members draw for measures, in the order of the dimensions of a sequence.

    Parameters
    ----------
    shipped : iterable of Measure
        The catalogue, with measures of the configuration in the places of those that they replace.
    own : iterable of Measure
        The others of the configuration. They stand last, so that one more of them shifts nothing.

    Returns
    -------
    dict of name to Parameter
    """
    first, last = tuple(shipped), tuple(own)
    inputs = {f"measure:{measure.id}": volume_prior(measure) for measure in first}
    inputs |= {**consumption_priors(), **compliance_priors()}
    for measure in first:
        inputs |= further_priors(measure)
    for measure in last:
        inputs |= {f"measure:{measure.id}": volume_prior(measure), **further_priors(measure)}
    return inputs


def share_at(share: ShareRange, quantile: Array) -> Array:
    """Share at a quantile of its range: half of the members lie on each side of the best value.

    Parameters
    ----------
    share : ShareRange
    quantile : ndarray, shape (member,)
        In (0, 1).

    Returns
    -------
    ndarray, shape (member,)
        Even between the low end and the best value, and between it and the high end.
    """
    return np.interp(quantile, [0.0, 0.5, 1.0], [share.low, share.best, share.high])


def value(inputs: Mapping[str, Array], prior: Parameter, members: int) -> Array:
    """Draw of an input, or its best value in every member where it was not drawn."""
    drawn = inputs.get(prior.name)
    return np.full(members, prior.best) if drawn is None else drawn
