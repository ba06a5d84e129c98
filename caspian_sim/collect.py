"""Collects what the integrations of a run leave into the arrays of one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.hypsometry import Hypsometry
from caspian_sim.basin.rivers import MONTHS, RIVERS, inflow_shape, month_fractions
from caspian_sim.climate.scenario import ScenarioClimate
from caspian_sim.config import Config, Measure
from caspian_sim.data import Parameter
from caspian_sim.measures.consumption import PARTIES
from caspian_sim.measures.programme import ProgrammeEffect
from caspian_sim.solve import Solution, Watch

Array = NDArray[np.float64]

STATE_DIMS = ("scenario", "programme", "member", "time")


@dataclass(frozen=True)
class Calendar:
    """Months of a run and the output intervals they fall into.

    Attributes
    ----------
    first_year, last_year : int
        Calendar years, both inclusive.
    frequency : {"annual", "monthly"}
        Length of the output intervals.
    """

    first_year: int
    last_year: int
    frequency: str = "annual"

    @property
    def calendar_years(self) -> NDArray[np.int64]:
        """Every year once, shape (year,)."""
        return np.arange(self.first_year, self.last_year + 1)

    @property
    def years(self) -> NDArray[np.int64]:
        """Calendar year of each month, shape (month,)."""
        return np.repeat(self.calendar_years, MONTHS)

    @property
    def months(self) -> NDArray[np.int64]:
        """Number of each month in its year, 1 to 12, shape (month,)."""
        return np.tile(np.arange(1, MONTHS + 1), len(self.calendar_years))

    @property
    def fractions(self) -> Array:
        """Length of the months as a share of the year, shape (year, 12)."""
        return month_fractions(self.calendar_years)

    @property
    def length(self) -> Array:
        """Length of each month, yr, shape (month,)."""
        return self.fractions.ravel()

    @property
    def edges(self) -> Array:
        """Edges of the months, decimal years, shape (month + 1,)."""
        into_year = (np.cumsum(self.fractions, axis=1) - self.fractions).ravel()
        return np.append(self.years + into_year, self.last_year + 1.0)

    @property
    def interval(self) -> NDArray[np.int64]:
        """Output interval of each month, shape (month,)."""
        return np.arange(len(self.years)) // (MONTHS if self.frequency == "annual" else 1)

    def by_month(self, annual: Array) -> Array:
        """Repeat annual values (year, ...) in every month (month, ...)."""
        return np.repeat(annual, MONTHS, axis=0)

    def interval_mean(self, monthly: Array) -> Array:
        """Mean over the output intervals, from (..., month) to (..., interval)."""
        if self.frequency == "monthly":
            return monthly
        years = (*monthly.shape[:-1], len(self.calendar_years), MONTHS)
        weighted = (monthly * self.length).reshape(years).sum(axis=-1)
        return np.asarray(weighted)


class Collector:
    """Arrays of a result, filled chunk by chunk.

    Parameters
    ----------
    config : Config
    calendar : Calendar
    watch : Watch
        Events of the integrations.
    reference_volume : float
        Volume at −28 m BHS, km³, to which anomalies are added.
    curve : Hypsometry
        Curve from which exposed seabed follows, also where the balance holds the area constant.
    reference_level : float
        Level against which seabed counts as exposed, m BHS.
    measures : mapping of id to Measure
        Measures of the run.
    priors : mapping of name to Parameter
        Uncertain parameters.
    """

    def __init__(
        self,
        config: Config,
        calendar: Calendar,
        watch: Watch,
        reference_volume: float,
        curve: Hypsometry,
        reference_level: float,
        measures: Mapping[str, Measure],
        priors: Mapping[str, Parameter],
    ) -> None:
        self._config, self._calendar, self._watch = config, calendar, watch
        self._reference_volume, self._curve, self._reference_level = reference_volume, curve, reference_level
        self._measures, self._priors = measures, priors
        self._statistics = {"steps": 0, "evaluations": 0}
        scenarios, programmes = len(config.climate.scenarios), len(config.programmes)
        members, times = config.uncertainty.members, int(calendar.interval[-1]) + 1
        full = (scenarios, programmes, members, times)
        self._arrays: dict[str, tuple[Sequence[str], Array]] = {
            name: (STATE_DIMS, np.full(full, np.nan))
            for name in (
                "sea_level",
                "sea_area",
                "sea_volume",
                "precipitation",
                "evaporation",
                "strait_outflow",
                "bay_level",
                "budget_residual",
                "exposed_seabed",
            )
        }
        for name, dims, shape in (
            (
                "river_inflow",
                ("scenario", "member", "river", "time"),
                (scenarios, members, len(RIVERS), times),
            ),
            ("groundwater", ("member", "time"), (members, times)),
            ("global_warming", ("scenario", "member", "time"), (scenarios, members, times)),
            (
                "measure_effect",
                ("programme", "member", "measure", "time"),
                (programmes, members, len(measures), times),
            ),
            ("first_event", (*STATE_DIMS[:3], "event"), (*full[:3], len(watch.names))),
            ("parameters", ("parameter", "member"), (len(priors), members)),
        ):
            self._arrays[name] = (dims, np.zeros(shape))

    def _values(self, name: str) -> Array:
        return self._arrays[name][1]

    def add_members(
        self, members: NDArray[np.int64], parameters: Mapping[str, Array], effects: Sequence[ProgrammeEffect]
    ) -> None:
        """Store what does not depend on the scenario: parameters, groundwater, effects of measures."""
        self._values("parameters")[:, members] = np.stack([parameters[name] for name in self._priors])
        self._values("groundwater")[members] = parameters["groundwater"][:, None]
        rows = {name: row for row, name in enumerate(self._measures)}
        for programme, effect in enumerate(effects):
            size = self._calendar.interval_mean(effect.size)
            for measure, share, volume in zip(effect.measures, size, effect.volume, strict=True):
                self._values("measure_effect")[programme, members, rows[measure.id]] = volume[:, None] * share

    def add_climate(self, scenario: int, members: NDArray[np.int64], climate: ScenarioClimate) -> None:
        """Store the inflow by river and the warming of a scenario."""
        inflow, warming = climate.inflow.transpose(2, 0, 1), climate.warming.T
        if self._calendar.frequency == "monthly":
            inflow = np.repeat(inflow, MONTHS, axis=-1) * inflow_shape(self._calendar.fractions).ravel()
            warming = np.repeat(warming, MONTHS, axis=-1)
        self._values("river_inflow")[scenario, members] = inflow
        self._values("global_warming")[scenario, members] = warming

    def add_solution(
        self,
        scenario: int,
        programme: int,
        members: NDArray[np.int64],
        solution: Solution,
        area_factor: Array,
    ) -> None:
        """Store what an integration left."""
        exposed = self._curve.area(self._reference_level) - self._curve.area(solution.level)
        bay_level = [kara_bogaz_gol().level_and_area(volume)[0] for volume in solution.bay_volume]
        for name, values in (
            ("sea_level", solution.level),
            ("sea_area", solution.area),
            ("sea_volume", self._reference_volume + solution.volume),
            ("precipitation", solution.precipitation),
            ("evaporation", solution.evaporation),
            ("strait_outflow", solution.strait_outflow),
            ("bay_level", np.stack(bay_level)),
            ("budget_residual", solution.residual),
            ("exposed_seabed", area_factor * exposed),
            ("first_event", solution.first_event),
        ):
            self._values(name)[scenario, programme, members] = values.T

    def count(self, solution: Solution) -> None:
        """Add up what the solver did."""
        self._statistics["steps"] += solution.steps
        self._statistics["evaluations"] += solution.evaluations

    def dataset(self, consumption: Array) -> xr.Dataset:
        """Put the dataset together.

        Parameters
        ----------
        consumption : ndarray, shape (party, month)
            Change of consumption, km³/yr.

        Returns
        -------
        xarray.Dataset
        """
        calendar, priors = self._calendar, self._priors
        middle, bounds = results.time_axis(calendar.first_year, calendar.last_year, calendar.frequency)
        measures = list(self._measures.values())
        coordinates: dict[str, Any] = {
            "scenario": _words(self._config.climate.scenarios),
            "programme": _words(self._config.programmes),
            "member": np.arange(self._config.uncertainty.members),
            "time": middle,
            "time_bnds": (("time", "nv"), bounds),
            "river": _words(RIVERS),
            "state": _words(PARTIES),
            "measure": _words(self._measures),
            "measure_state": ("measure", _words(m.state for m in measures), {"long_name": "acting state"}),
            "measure_grade": ("measure", _words(m.grade for m in measures), {"long_name": "evidence grade"}),
            "measure_title": ("measure", _words(m.title for m in measures), {"long_name": "title"}),
            "event": _words(self._watch.names),
            "parameter": _words(priors),
            "parameter_units": ("parameter", _words(p.unit for p in priors.values()), {"long_name": "unit"}),
            "parameter_grade": (
                "parameter",
                _words(p.grade for p in priors.values()),
                {"long_name": "evidence grade of the prior"},
            ),
        }
        self._arrays["consumption_change"] = (("state", "time"), calendar.interval_mean(consumption))
        statistics = {f"solver_{name}": str(number) for name, number in self._statistics.items()}
        attributes = results.provenance(self._config)
        attributes["reference_level"] = f"{self._reference_level:.4g} m BHS"
        dataset = results.assemble(self._arrays, coordinates, {**attributes, **statistics})
        dataset["exposed_seabed"].attrs["reference_level"] = self._reference_level
        return dataset


def _words(words: Any) -> NDArray[np.object_]:
    return np.array([str(word) for word in words], dtype=object)
