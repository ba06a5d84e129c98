"""The shipped posterior: joint draws of the calibrated parameters.

Written by ``caspian-sim calibrate`` (table ``posterior``). A draw is a whole row: parameters that the
record ties to each other, such as area and net evaporation, stay tied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data

Array = NDArray[np.float64]

FITTED_UNTIL = 2022
"""Last year of the observations that the posterior knows."""


@dataclass(frozen=True)
class Posterior:
    """Draws of the calibrated parameters.

    Attributes
    ----------
    parameters : mapping of name to ndarray, shape (row,)
    """

    parameters: Mapping[str, Array]

    @property
    def rows(self) -> int:
        """Number of draws."""
        return len(next(iter(self.parameters.values())))

    def medians(self) -> dict[str, float]:
        """Median of every parameter."""
        return {name: float(np.median(values)) for name, values in self.parameters.items()}


def best_values() -> dict[str, float]:
    """Best value of every parameter: the median of the posterior, or the prior's if not calibrated."""
    return {name: p.best for name, p in data.parameters().items()} | shipped_posterior().medians()


@cache
def shipped_posterior() -> Posterior:
    """Return the posterior that ships with the package."""
    table = data.load("posterior")["value"]
    return Posterior(
        {str(name): table.sel(parameter=name).values.astype(float) for name in table["parameter"].values}
    )
