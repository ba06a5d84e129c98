"""Quantiles, means and shares over the members of a run, formed while the members come in.

The members themselves are not kept. What needs them one by one, such as differences to the programme "none"
in the same member and annual means of monthly values, is formed from each part as it arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.collect import DIMS, Calendar, Frame, Members, coordinates, put_together
from caspian_sim.config import Config
from caspian_sim.measures.cost import COSTS
from caspian_sim.results import assemble
from caspian_sim.stream.gains import fall_times, years_gained
from caspian_sim.stream.histogram import Array, Distribution, Histogram, Sample

# Memory for the distribution of one variable. 10,000 members of four scenarios, two programmes and 75 years
# take 48 MB as values: quantiles of the level are exact up to 27,962 such members.
VARIABLE_BYTES: Final = 2**27
MOST_BINS, FEWEST_BINS = 2**14, 2**8
COUNT_BYTES, VALUE_BYTES = 4, 8
# Bits after the point of the values that enter a mean, where they are not the usual number.
FRACTION_BITS = {"budget_residual": 40}
USUAL_FRACTION_BITS = 20

REPORTED: Final = (0.05, 0.5, 0.95)
"""Quantiles of tables and figures, kept in any case."""
BASELINE: Final = "none"
"""Programme with which the others are compared."""
BY_YEAR = ("scenario", "programme", "member", "year")


def report_years(config: Config) -> tuple[int, ...]:
    """Years of the tables of a run: those that are asked for, or the last."""
    return config.outcomes.report_years or (config.period.end,)


def kept_variables(frame: Frame) -> dict[str, tuple[str, ...]]:
    """Variables of whose members quantiles are kept, with their dimensions."""
    kept = {name: dims for name, dims in DIMS.items() if "time" in dims}
    if frame.calendar.frequency == "monthly":
        kept |= {"annual_sea_level": BY_YEAR, "annual_sea_area": BY_YEAR}
    if BASELINE in frame.config.programmes:
        kept["sea_level_above_none"] = BY_YEAR
        kept["exposed_seabed_avoided"] = (*BY_YEAR[:-1], "report_year")
        kept["years_gained"] = (*DIMS["first_event"], "report_year")
    return {**kept, **{name: DIMS[name] for name in ("first_event", *COSTS)}}


class QuantileStore:
    """Quantiles and other statistics of a run, taken in part by part in any order.

    The result is a function of the members alone: parts of another size or in another order leave the same
    bytes. Quantiles of a variable are exact as long as all its values fit into :data:`VARIABLE_BYTES`; beyond
    that, they come from histograms, and the attribute ``quantile_error`` bounds how far they can be off.

    Parameters
    ----------
    frame : Frame
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        members = frame.config.uncertainty.members
        self._sizes = {name: len(values) for name, values in self._coordinates().items()}
        self._kept: dict[str, Distribution] = {}
        for name in kept_variables(frame):
            self._kept[name] = _distribution(name, prod(self._shape(name)), members)
        self._happened = np.zeros(
            [self._sizes[d] for d in ("scenario", "programme", "event", "year")], np.int64
        )
        self._never = np.zeros(self._happened.shape[:-1], np.int64)
        self._seen = np.zeros(members, dtype=np.bool_)
        self._effort = np.zeros(2, np.int64)

    def _coordinates(self) -> dict[str, Any]:
        probabilities = sorted({*REPORTED, *self._frame.config.output.quantiles})
        return {
            **coordinates(self._frame),
            "quantile": np.array(probabilities),
            "year": self._frame.calendar.calendar_years,
            "report_year": np.array(report_years(self._frame.config)),
        }

    def _dims(self, name: str) -> tuple[str, ...]:
        return tuple(dim for dim in kept_variables(self._frame)[name] if dim != "member")

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._sizes[dim] for dim in self._dims(name))

    @property
    def members_in(self) -> NDArray[np.bool_]:
        """Whether a member has been taken in, shape (member,)."""
        return self._seen.copy()

    @property
    def nbytes(self) -> int:
        """Memory of what is kept, bytes; it does not grow while members come in."""
        return sum(array.nbytes for array in self.dump().values())

    def add(self, part: Members) -> None:
        """Take in the results of some members, each member once."""
        if self._seen[part.members].any():
            raise ValueError("a member comes a second time")
        arrays = {**part.arrays, **self._derived(part)}
        for name, dims in kept_variables(self._frame).items():
            values = np.moveaxis(arrays[name], dims.index("member"), -1)
            columns = values.reshape(prod(self._shape(name)), len(part.members))
            self._kept[name].add(columns, part.members)
        happened = self._has_happened(arrays["annual_sea_level"], arrays["first_event"])
        self._happened += happened.sum(axis=2)
        self._never += np.isnan(arrays["first_event"]).sum(axis=2)
        self._effort += (part.steps, part.evaluations)
        self._seen[part.members] = True

    def _derived(self, part: Members) -> dict[str, Array]:
        """Annual means and differences to the programme "none", with the dimensions of the variables kept."""
        calendar = self._frame.calendar
        means = ("sea_level", "sea_area", "exposed_seabed")
        annual = {f"annual_{name}": part.arrays[name] for name in means}
        if calendar.frequency == "monthly":
            years = Calendar(calendar.first_year, calendar.last_year)
            annual = {name: years.interval_mean(values) for name, values in annual.items()}
        programmes = list(self._frame.config.programmes)
        if BASELINE in programmes:
            level, baseline = annual["annual_sea_level"], programmes.index(BASELINE)
            annual["sea_level_above_none"] = level - level[:, [baseline]]
            exposed = annual["annual_exposed_seabed"]
            reported = [year - calendar.first_year for year in report_years(self._frame.config)]
            annual["exposed_seabed_avoided"] = (exposed[:, [baseline]] - exposed)[..., reported]
            times = self._fall_times(level, part.arrays["first_event"])
            annual["years_gained"] = np.stack(
                [
                    years_gained(times, times[:, [baseline]], year + 1.0)
                    for year in report_years(self._frame.config)
                ],
                axis=-1,
            )
        return annual

    def _fall_times(self, level: Array, first_event: Array) -> Array:
        low = np.zeros(first_event.shape, np.bool_)
        for event, threshold in enumerate(self._frame.watch.levels):
            low[..., event] = level[..., 0] < threshold
        return fall_times(first_event, low, float(self._frame.calendar.first_year))

    def _has_happened(self, level: Array, first_event: Array) -> NDArray[np.bool_]:
        """Whether each event has happened by the end of each year.

        An event is a fall through a level; a member that starts below it has none, but has its annual means.
        """
        happened = first_event[..., None] < self._frame.calendar.calendar_years + 1
        for event, threshold in enumerate(self._frame.watch.levels):
            happened[..., event, :] |= np.logical_or.accumulate(level < threshold, axis=-1)
        return np.asarray(happened)

    def dataset(self) -> xr.Dataset:
        """Put the dataset of the statistics together; all members must be in."""
        variables, attributes = self.statistics()
        dataset = put_together(self._frame, variables, self._own_coordinates(), *map(int, self._effort))
        return _with_attributes(dataset, attributes)

    def added_to(self, members: xr.Dataset) -> xr.Dataset:
        """Add the statistics to the dataset of the same members."""
        variables, attributes = self.statistics()
        own = assemble(variables, self._coordinates(), {})
        return members.assign(_with_attributes(own, attributes).data_vars)

    def _own_coordinates(self) -> dict[str, Any]:
        return {name: self._coordinates()[name] for name in ("quantile", "year", "report_year")}

    def statistics(
        self,
    ) -> tuple[dict[str, tuple[tuple[str, ...], Array]], dict[str, dict[str, float]]]:
        """Work out all statistics: variables as (dims, values), and attributes that bound their errors."""
        if not self._seen.all():
            raise ValueError(f"{np.count_nonzero(~self._seen)} members have not been taken in")
        variables: dict[str, tuple[tuple[str, ...], Array]] = {}
        attributes: dict[str, dict[str, float]] = {}
        probabilities = np.asarray(self._coordinates()["quantile"])
        for name, dims in kept_variables(self._frame).items():
            kept, shape = self._kept[name], self._shape(name)
            place = dims.index("member")
            points = kept.quantiles(probabilities).reshape(-1, *shape)
            quantile_dims = tuple("quantile" if dim == "member" else dim for dim in dims)
            found = {"quantile": (quantile_dims, np.ascontiguousarray(np.moveaxis(points, 0, place)))}
            if name != "first_event":  # a mean would leave out the members in which it never happens
                found["mean"] = (self._dims(name), kept.mean().reshape(shape))
                found["sd"] = (self._dims(name), kept.deviation().reshape(shape))
            for statistic, values in found.items():
                variables[f"{name}_{statistic}"] = values
                attributes[f"{name}_{statistic}"] = {f"{statistic}_error": kept.errors()[statistic]}
        attributes["exposed_seabed_quantile"]["reference_level"] = self._frame.reference_level
        attributes["budget_residual_quantile"]["largest"] = self._kept["budget_residual"].largest()
        many = len(self._seen)
        variables["share_below"] = (("scenario", "programme", "event", "year"), self._happened / many)
        variables["share_never"] = (("scenario", "programme", "event"), self._never / many)
        return variables, attributes

    def dump(self) -> dict[str, NDArray[Any]]:
        """Arrays that stand for all members that have been taken in.

        Returns
        -------
        dict of str to ndarray
            Not copies: they change when further members come in.
        """
        state = {f"{name}.{key}": a for name, kept in self._kept.items() for key, a in kept.state().items()}
        return {
            **state,
            "happened": self._happened,
            "never": self._never,
            "members_in": self._seen,
            "effort": self._effort,
        }

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what :meth:`dump` gave, in place of what has been taken in.

        Parameters
        ----------
        state : mapping of str to ndarray

        Raises
        ------
        ValueError
            When it is the state of a run with other dimensions; nothing is taken over.
        """
        mine = self.dump()
        for name in sorted({*mine, *state}):
            if name not in mine or name not in state:
                raise ValueError(f"{name} is in one state only")
            found = (state[name].shape, state[name].dtype)
            if found != (mine[name].shape, mine[name].dtype):
                raise ValueError(f"{name} has another shape or type: {found}")
        for name, array in mine.items():
            array[...] = state[name]


def _with_attributes(dataset: xr.Dataset, attributes: Mapping[str, Mapping[str, float]]) -> xr.Dataset:
    for name, found in attributes.items():
        dataset[name].attrs.update(found)
    return dataset


def _distribution(name: str, columns: int, members: int) -> Distribution:
    """Keep all values of a variable when they fit, and otherwise as many bins as fit."""
    if columns * members * VALUE_BYTES <= VARIABLE_BYTES:
        return Sample(columns, members)
    bins = MOST_BINS
    while bins > FEWEST_BINS and columns * bins * COUNT_BYTES > VARIABLE_BYTES:
        bins //= 2
    return Histogram(columns, bins, FRACTION_BITS.get(name, USUAL_FRACTION_BITS))
