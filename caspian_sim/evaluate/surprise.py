"""New observations against what the record before them lets expect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.record.annual import MEAN, baseline_reference, filter_record
from caspian_sim.record.kalman import Filtered, Step, Update
from caspian_sim.record.observations import Observations
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.record.start import outflow_of_record

Array = NDArray[np.float64]

# A value as far from its expectation as this, in standard deviations, happens once in a few hundred years.
SURPRISING = 3.0
ROWS = 200
M_KM2_TO_KM3 = 1e-3
# Places of the observations in a step of the annual balance.
LEVEL, INFLOW = 0, 1
UNITS = {"level": ("m BHS", ".2f"), "inflow": ("km³/yr", ".0f")}


@dataclass(frozen=True)
class Surprise:
    """An observation of a year against what was expected of it.

    Attributes
    ----------
    series : {"level", "inflow"}
    year : int
    observed, expected, sd : float
        m BHS and m, or km³/yr.
    """

    series: str
    year: int
    observed: float
    expected: float
    sd: float

    @property
    def score(self) -> float:
        """Distance in standard deviations."""
        return (self.observed - self.expected) / self.sd

    def __str__(self) -> str:
        """Say how far the observation lies from what was expected."""
        unit, form = UNITS[self.series]
        known = "the record before it lets" if self.series == "level" else "the record and the level let"
        side = "above" if self.score > 0 else "below"
        return (
            f"{self.series} of {self.year}: {self.observed:{form}} {unit} lies {abs(self.score):.1f} "
            f"standard deviations {side} what {known} expect, "
            f"{self.expected:{form}} ± {self.sd:{form}} {unit.removesuffix(' BHS')}"
        )


def surprises(
    observed: Observations, level_years: Iterable[int], inflow_years: Iterable[int] = (), rows: int = ROWS
) -> list[Surprise]:
    """Hold annual levels and total inflows against what the record lets expect.

    Parameters
    ----------
    observed : Observations
    level_years, inflow_years : iterable of int
        Years of interest; those without a value are passed over.
    rows : int
        Rows of the posterior, evenly spaced.

    Returns
    -------
    list of Surprise
        In the order of the years. A level is held against the forecast from the end of the year before, an
        inflow against that forecast once the level of its own year is known.
    """
    posterior = shipped_posterior()
    chosen = np.unique(np.linspace(0, posterior.rows - 1, rows).round().astype(int))
    parameters = {name: values[chosen] for name, values in posterior.parameters.items()}
    outflow = outflow_of_record(parameters, observed)
    levels, inflows = set(level_years), set(inflow_years)
    found = []
    passed = filter_record(parameters, observed, outflow, baseline_reference())
    for year, level, inflow, (filtered, step) in zip(
        observed.year.tolist(), observed.level, observed.inflow, passed, strict=True
    ):
        if year in levels and not np.isnan(level):
            found.append(_of_level(year, float(level), parameters["area_factor"], filtered, step))
        if year in inflows and not np.isnan(inflow):
            update = filtered.updates[INFLOW if not np.isnan(level) else LEVEL]
            found.append(_of_inflow(year, float(inflow), update))
    return found


def _of_level(year: int, level: float, factor: Array, filtered: Filtered, step: Step) -> Surprise:
    curve = load_hypsometry()
    per_metre = float(curve.area(level)) * factor * M_KM2_TO_KM3
    mean = np.asarray(curve.level(filtered.predicted_mean[:, MEAN] / factor + curve.reference_volume))
    variance = (filtered.predicted_covariance[:, MEAN, MEAN] + step.variance[LEVEL]) / per_metre**2
    return Surprise("level", year, level, float(mean.mean()), float(np.sqrt(variance.mean() + mean.var())))


def _of_inflow(year: int, inflow: float, update: Update) -> Surprise:
    expected = inflow - update.error
    sd = float(np.sqrt(update.variance.mean() + expected.var()))
    return Surprise("inflow", year, inflow, float(expected.mean()), sd)
