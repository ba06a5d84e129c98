"""The posterior: joint draws of the calibrated parameters, as shipped or from a file of the user's own.

Written by ``caspian-sim calibrate`` (table ``posterior``). A draw is a whole row: parameters that the
record ties to each other, such as area and net evaporation, stay tied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.climate.draws import sample
from caspian_sim.data import Parameter
from caspian_sim.errors import DataError
from caspian_sim.results import ENGINE

Array = NDArray[np.float64]

FITTED_UNTIL = 2022
"""Last year of the observations that the posterior knows."""
NOT_CALIBRATED = ("warming_quantile", "shallow_evaporation")
"""The record says nothing of the one, and is explained with evaporation that is alike everywhere."""
LEAST_ROWS = 100
RECORD_SPEAKS, PRIOR_SPEAKS = 0.5, 0.1
"""Shrinkage of the variance above which the record speaks, and below which the prior does..."""
MOVED = 0.5
"""...unless the record has moved the mean by so many standard deviations of the prior."""
DERIVED = "B"
"""Evidence grade of a parameter that the record determines: the grade of the record itself."""


def prior_moments(prior: Parameter) -> tuple[float, float]:
    """Mean and variance of a prior, by quadrature over its quantiles."""
    values = sample(prior, (np.arange(20_000) + 0.5) / 20_000)
    return float(np.mean(values)), float(np.var(values))


def speaker(shrinkage: float, shift: float) -> str:
    """Who a posterior comes from: ``record``, ``both`` or ``prior``.

    Parameters
    ----------
    shrinkage : float
        One less the variance of the posterior over that of the prior.
    shift : float
        Mean of the posterior less that of the prior, standard deviations of the prior.
    """
    if shrinkage > RECORD_SPEAKS:
        return "record"
    return "prior" if shrinkage < PRIOR_SPEAKS and abs(shift) < MOVED else "both"


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

    def grade(self, prior: Parameter) -> str:
        """Evidence grade of a parameter: the record's where the record speaks, or else that of its prior."""
        values = self.parameters[prior.name]
        mean, variance = prior_moments(prior)
        shrinkage, shift = 1.0 - float(values.var()) / variance, (float(values.mean()) - mean) / variance**0.5
        return DERIVED if speaker(shrinkage, shift) == "record" else prior.grade

    def medians(self) -> dict[str, float]:
        """Median of every parameter."""
        return {name: float(np.median(values)) for name, values in self.parameters.items()}


def best_values() -> dict[str, float]:
    """Best value of every parameter: the median of the posterior, or the prior's if not calibrated."""
    return {name: p.best for name, p in data.parameters().items()} | shipped_posterior().medians()


def graded_parameters(posterior: Posterior | None = None) -> dict[str, Parameter]:
    """All parameters with their priors; the grade is the record's where the record determines the value.

    Parameters
    ----------
    posterior : Posterior, optional
        That of the package when not given.
    """
    known = posterior or shipped_posterior()
    return {
        name: replace(p, grade=known.grade(p)) if name in known.parameters else p
        for name, p in data.parameters().items()
    }


@cache
def shipped_posterior() -> Posterior:
    """Return the posterior that ships with the package."""
    return _posterior(data.load("posterior"))


def read_posterior(path: str | Path) -> Posterior:
    """Read a posterior that ``caspian-sim calibrate`` has written.

    Parameters
    ----------
    path : path
        NetCDF file with ``value`` over `row` and `parameter`.

    Returns
    -------
    Posterior

    Raises
    ------
    DataError
        When it cannot be read, lacks a parameter or has one too many, holds too few rows, or values that are
        no numbers or out of range.
    """
    try:
        with xr.open_dataset(path, engine=ENGINE) as file:
            ds = file.load()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a NetCDF file that can be read\n    found    {error}") from error
    hint = f"{HINT_INDENT}caspian-sim calibrate writes such a file, posterior.nc"
    if "value" not in ds or set(ds["value"].dims) != {"row", "parameter"} or "parameter" not in ds.coords:
        raise DataError(
            f"{path}: not a posterior\n"
            f"    found    {', '.join(map(str, ds.data_vars)) or 'no variables'}\n"
            f"    needed   value over row and parameter{hint}"
        )
    known = [name for name in data.parameters() if name not in NOT_CALIBRATED]
    found = [str(name) for name in ds["parameter"].values]
    for what, names in (
        ("lacks", [name for name in known if name not in found]),
        ("has unknown", [name for name in found if name not in known]),
    ):
        if names:
            noun = "parameter" if len(names) == 1 else "parameters"
            raise DataError(f"{path}: the posterior {what} {noun} {', '.join(names)}{hint}")
    if ds.sizes["row"] < LEAST_ROWS:
        raise DataError(
            f"{path}: too few rows for a posterior\n"
            f"    found    {ds.sizes['row']}\n    allowed  {LEAST_ROWS} or more"
        )
    read = _posterior(ds)
    for name, values in read.parameters.items():
        prior = data.parameters()[name]
        wrong = ~((values >= prior.least) & (values <= prior.most))
        if wrong.any():
            raise DataError(
                f"{path}: {name} is out of range in row {int(wrong.argmax())}\n"
                f"    found    {values[wrong][0]:g}\n"
                f"    allowed  {prior.least:g} to {prior.most:g}"
            )
    return read


HINT_INDENT = "\n    hint     "


def _posterior(ds: xr.Dataset) -> Posterior:
    table = ds["value"].transpose("row", "parameter")
    return Posterior(
        {str(name): table.sel(parameter=name).values.astype(float) for name in table["parameter"].values}
    )
