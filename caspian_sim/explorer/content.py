"""What can be looked at: the levels of a result by member, at every intensity, and what is read off them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.config import Measure
from caspian_sim.errors import CaspianError, DataError, OutOfRangeError
from caspian_sim.explorer.intensity import (
    AGREEMENT_MM,
    BETWEEN,
    NODES,
    Dial,
    batches,
    dial,
    has_measures,
    levels_at,
    plan_of_intensities,
)
from caspian_sim.figures.reading import ASSUMPTION, MIDDLE_SCENARIO, RUN_COORDINATES, require, run_footer
from caspian_sim.impacts.levels import EVEN_CHANCE, annual_level, run_config
from caspian_sim.measures.programme import measures_of
from caspian_sim.results import used_inputs

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

LOGGER = logging.getLogger("caspian_sim")

MOST_MEMBERS = 1024
"""Members that are looked at unless more are asked for: what a browser can hold and sort without delay."""
BANDS = (0.5, 0.66, 0.9)
"""Shares of the members that a band can hold, the middle ones of them."""
WHAT = "the explorer"
JOINT, FIRST_YEAR = "joint", 2050
"""Programme and year that are shown at first, where there are such."""
MEMBERS_OF_CHECK = 16


@dataclass(frozen=True)
class View:
    """What is shown for one choice, by year.

    Attributes
    ----------
    low, median, high : ndarray, shape (year,)
        Limits of the band and median of the level with the programme, m BHS.
    none_low, none_median, none_high : ndarray, shape (year,)
        The same without measures.
    gain_low, gain_median, gain_high : ndarray, shape (year,)
        The same of the difference that the programme makes, member by member, m.
    below, none_below : ndarray, shape (year,)
        Share of the members below the threshold, with the programme and without measures.
    """

    low: Array
    median: Array
    high: Array
    none_low: Array
    none_median: Array
    none_high: Array
    gain_low: Array
    gain_median: Array
    gain_high: Array
    below: Array
    none_below: Array


@dataclass(frozen=True)
class Exploration:
    """Everything that an explorer holds.

    Attributes
    ----------
    scenarios, programmes : tuple of str
    years : ndarray of int, shape (year,)
    members : ndarray of int, shape (member,)
        Numbers of the members that are looked at.
    members_of_run : int
    acting : tuple of str
        Programmes that have measures.
    bare : ndarray, shape (scenario, member, year)
        Annual mean level without measures, m BHS.
    dials : mapping of programme to Dial
    fixed : str
        Why programmes cannot be looked at at other intensities than that of the run; empty if they can.
    record : tuple of ndarray
        Years and observed annual mean level, m BHS.
    thresholds : tuple of float
        Levels that the run watches, m BHS.
    assumed : mapping of programme to (int, int)
        How many of its measures are assumptions (evidence grade D), and how many it has.
    assumed_parameters : int
        Parameters of the run that are assumptions.
    about : tuple of str
        Paragraphs on assumptions, run and datum.
    name, title : str
    """

    scenarios: tuple[str, ...]
    programmes: tuple[str, ...]
    years: NDArray[np.int64]
    members: NDArray[np.int64]
    members_of_run: int
    acting: tuple[str, ...]
    bare: Array
    dials: Mapping[str, Dial]
    fixed: str
    record: tuple[NDArray[np.int64], Array]
    thresholds: tuple[float, ...]
    assumed: Mapping[str, tuple[int, int]]
    assumed_parameters: int
    about: tuple[str, ...]
    name: str
    title: str

    def view(self, scenario: str, programme: str, intensity: float, band: float, threshold: float) -> View:
        """Read off what is shown for a choice.

        Parameters
        ----------
        scenario, programme : str
        intensity : float
            Factor on the measures of the programme, 0 to 1.5.
        band : float
            Share of the members in the band.
        threshold : float
            m BHS.

        Raises
        ------
        OutOfRangeError
            When there is no such scenario, programme or intensity.
        """
        for kind, wanted, allowed in (
            ("scenario", scenario, self.scenarios),
            ("programme", programme, self.programmes),
        ):
            if wanted not in allowed:
                raise OutOfRangeError(
                    f"no {kind} {wanted!r} to look at\n    found    {wanted!r}\n"
                    f"    allowed  {', '.join(allowed)}"
                )
        place = self.scenarios.index(scenario)
        level, bare = self.dials[programme].at(place, intensity), self.bare[place]
        points = [(1.0 - band) / 2.0, 0.5, (1.0 + band) / 2.0]
        ends = ("low", "median", "high")
        shown = {"": level, "none_": bare, "gain_": level - bare}
        read = {
            f"{start}{end}": row
            for start, values in shown.items()
            for end, row in zip(ends, np.quantile(values, points, axis=0), strict=True)
        }
        below = {"below": level < threshold, "none_below": bare < threshold}
        return View(**read, **{name: values.mean(axis=0) for name, values in below.items()})

    def levels_range(self) -> tuple[float, float]:
        """Whole metres below and above the widest band of every choice, and the record."""
        ends = [(1.0 - max(BANDS)) / 2.0, (1.0 + max(BANDS)) / 2.0]
        bands = [np.quantile(self.bare, ends, axis=1)]
        bands += [np.quantile(dial.levels, ends, axis=2) for dial in self.dials.values()]
        every = [self.record[1], *bands]
        lowest, highest = min(values.min() for values in every), max(values.max() for values in every)
        return float(np.floor(lowest)), float(np.ceil(highest))

    def gains_range(self) -> tuple[float, float]:
        """Tens of centimetres below and above the widest band of what any programme adds, with zero."""
        ends = [(1.0 - max(BANDS)) / 2.0, (1.0 + max(BANDS)) / 2.0]
        gains = [
            100.0 * np.quantile(dial.levels - self.bare[:, None], ends, axis=2)
            for dial in self.dials.values()
        ]
        lowest = min(0.0, *(float(values.min()) for values in gains))
        highest = max(10.0, *(float(values.max()) for values in gains))
        # A hundredth of a centimetre below zero is none.
        return 10.0 * float(np.floor(lowest / 10.0 + 0.001)), 10.0 * float(np.ceil(highest / 10.0))


@dataclass(frozen=True)
class Choice:
    """What an explorer shows: see :meth:`Exploration.view`; `year` is that of the numbers."""

    scenario: str
    programme: str
    intensity: float
    band: float
    threshold: float
    year: int


def first_choice(content: Exploration) -> Choice:
    """Choose what is shown at first: the joint programme, a middle scenario, a quarter of a century ahead."""
    programmes = (JOINT, *content.acting, *content.programmes)
    scenarios = (MIDDLE_SCENARIO, *content.scenarios)
    lowest, highest = content.levels_range()
    inside = [level for level in content.thresholds if lowest <= level <= highest]
    middle = round(0.5 * (lowest + highest), 1)
    return Choice(
        scenario=next(each for each in scenarios if each in content.scenarios),
        programme=next(each for each in programmes if each in content.programmes),
        intensity=1.0,
        band=max(BANDS),
        threshold=sorted(inside)[len(inside) // 2] if inside else middle,
        year=int(np.clip(FIRST_YEAR, content.years[0], content.years[-1])),
    )


def ticks(first: int, last: int) -> list[int]:
    """Years that are written below a chart."""
    step = 50 if last - first > 120 else 20 if last - first > 40 else 5
    return [year for year in range(first, last + 1) if year % step == 0]


def first_likely_year(years: NDArray[np.int64], below: Array) -> int | None:
    """First year in which at least half of the members lie below the threshold; None if there is none."""
    likely = below >= EVEN_CHANCE
    return int(years[likely.argmax()]) if likely.any() else None


def gather(ds: xr.Dataset, *, members: int = MOST_MEMBERS, progress: Progress | None = None) -> Exploration:
    """Collect what an explorer holds, and run the programmes of a result at other intensities.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run` with its members.
    members : int
        Members to look at, the first ones of the run.
    progress : callable, optional
        Called with the batches done and the batches in all.

    Returns
    -------
    Exploration

    Raises
    ------
    DataError
        When the dataset is not that of a run, or does not have its members.
    OutOfRangeError
        When `members` is less than one.
    """
    if members < 1:
        raise OutOfRangeError(f"{WHAT} needs members\n    found    {members}\n    allowed  1 or more")
    if absent := [dim for dim in ("scenario", "programme") if dim not in ds.coords]:
        raise DataError(
            f"{WHAT} needs a projection\n    found    a result without {absent[0]}\n"
            "    hint     caspian-sim run writes one"
        )
    lost = [dim for dim in ("scenario", "programme") if dim in ds.coords and dim not in ds.dims]
    ds = ds.expand_dims(lost)
    level = annual_level(ds, WHAT).isel(member=slice(members))
    require(ds, "explorer", ("sea_level", "time_bnds", *RUN_COORDINATES))
    if not np.isfinite(level.values).all():
        raise DataError(f"{WHAT} needs levels without gaps\n    found    missing values of sea_level")
    config = run_config(ds)
    available = config.measures.available()
    programmes = tuple(map(str, level["programme"].values))
    carried = {name: measures_of(config.programmes[name], available) for name in programmes}
    acting = {name: measures for name, measures in carried.items() if has_measures(measures)}
    bare, dials, fixed = _dials(ds, level, acting, progress)
    record = data.load("sea_level_annual")["level"]
    return Exploration(
        scenarios=tuple(map(str, level["scenario"].values)),
        programmes=programmes,
        years=level["year"].values.astype(np.int64),
        members=level["member"].values.astype(np.int64),
        members_of_run=ds.sizes["member"],
        acting=tuple(acting),
        bare=bare,
        dials=dials,
        fixed=fixed,
        record=(record["year"].values.astype(np.int64), record.values.astype(np.float64)),
        thresholds=tuple(config.outcomes.thresholds_m),
        assumed={name: _assumed(measures) for name, measures in carried.items()},
        assumed_parameters=int((ds["parameter_grade"] == ASSUMPTION).sum()),
        about=tuple(run_footer(ds, programmes)),
        name=config.name,
        title=config.title or config.name,
    )


def _assumed(measures: Sequence[Measure]) -> tuple[int, int]:
    own = [measure for measure in measures if measure.role == "measure"]
    return sum(measure.grade == ASSUMPTION for measure in own), len(own)


def _dials(
    ds: xr.Dataset, level: xr.DataArray, acting: Mapping[str, Sequence[Measure]], progress: Progress | None
) -> tuple[Array, dict[str, Dial], str]:
    """Level without measures, the dial of each programme, and why they do not turn, if they do not."""
    found = dict(zip(map(str, level["programme"].values), np.moveaxis(level.values, 1, 0), strict=True))
    idle = [name for name in found if name not in acting]
    as_run = {name: Dial((1.0,), values[:, None]) for name, values in found.items()}
    try:
        if not acting:
            return found[idle[0]], as_run, "no programme of the run has measures"
        runs = _runs(ds, level, acting, progress, bare=not idle)
    except CaspianError as error:
        if not idle:
            raise
        why = " ".join(str(error).split())
        LOGGER.warning("programmes cannot be run at other intensities: %s", why)
        return found[idle[0]], as_run, why
    bare = found[idle[0]] if idle else runs.pop(0.0)[:, 0]
    for place, name in enumerate(acting):
        mine = {intensity: values[:, place] for intensity, values in runs.items()}
        as_run[name] = dial({**mine, 0.0: bare, 1.0: found[name]})
    return bare, as_run, ""


def _runs(
    ds: xr.Dataset,
    level: xr.DataArray,
    acting: Mapping[str, Sequence[Measure]],
    progress: Progress | None,
    *,
    bare: bool,
) -> dict[float, Array]:
    """Run programmes at other intensities than that of the dataset, (scenario, programme, member, year)."""
    config = run_config(ds)
    then = json.loads(ds.attrs.get("input_sha256", "{}"))
    changed = sorted(name for name, known in used_inputs(config).items() if then.get(name) != known)
    if changed:
        raise DataError(f"inputs have changed since the result was made: {', '.join(changed)}")
    wanted = tuple(k for k in sorted((*NODES, *BETWEEN)) if k != 1.0 and (k != 0.0 or bare))
    scenarios = tuple(map(str, level["scenario"].values))
    climate = config.climate.model_copy(update={"scenarios": scenarios})
    plan = plan_of_intensities(config.model_copy(update={"climate": climate}), len(wanted) * len(acting))
    numbers = level["member"].values.astype(np.int64)
    few = numbers[:MEMBERS_OF_CHECK]
    again = levels_at(plan, acting, 1.0, few)
    kept = level.sel(programme=list(acting)).isel(member=slice(len(few))).values
    off = 1000.0 * float(np.abs(again - kept).max()) if again.shape == kept.shape else np.inf
    if off > AGREEMENT_MM:
        raise DataError(
            f"a new run does not meet the result again: off by {off:.3g} mm, allowed {AGREEMENT_MM:g} mm"
        )
    each = batches(plan, len(acting), len(numbers))
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, each * len(wanted))

    return {k: levels_at(plan, acting, k, numbers, step) for k in wanted}
