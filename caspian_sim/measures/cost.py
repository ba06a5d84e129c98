"""What a programme costs, as far as a source gives a cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from caspian_sim.config.measure import Measure
from caspian_sim.measures.inputs import further_priors, value

Array = NDArray[np.float64]

COSTS: Mapping[str, str] = {
    "known_cost": "million USD",
    "known_running_cost": "million USD per year",
}
"""Variables of the dataset, with the unit in which measures state such costs."""


def counted_costs(measures: Sequence[Measure], last_year: int) -> list[Measure]:
    """Measures of a programme that cost something in a run, whether or not a source says how much.

    Parameters
    ----------
    measures : sequence of Measure
        Of the programme; growth of use among them does not count.
    last_year : int
        Of the run: what starts later costs nothing in it.

    Returns
    -------
    list of Measure
    """
    return [
        measure for measure in measures if measure.role == "measure" and int(measure.start[:4]) <= last_year
    ]


def known_costs(
    measures: Sequence[Measure], last_year: int, inputs: Mapping[str, Array], members: int
) -> dict[str, Array]:
    """Sum the known costs of a programme.

    Parameters
    ----------
    measures, last_year
        As for :func:`counted_costs`.
    inputs : mapping of name to ndarray, shape (member,)
        Costs as ``cost:<id>``; the best value where one is not given.
    members : int

    Returns
    -------
    dict of name to ndarray, shape (member,)
        By the names of :data:`COSTS`. Whole costs of the measures, also where they are carried out in part;
        measures without a known cost do not count.
    """
    found = {}
    for name, unit in COSTS.items():
        total = np.zeros(members)
        for measure in counted_costs(measures, last_year):
            if measure.cost is not None and measure.cost.unit == unit:
                total += value(inputs, further_priors(measure)[f"cost:{measure.id}"], members)
        found[name] = total
    return found
