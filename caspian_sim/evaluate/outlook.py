r"""Outlook: the level of the coming twelve months, from the newest observations.

An ensemble with calibrated parameters starts from the state at the end of the last year with an annual
level and runs on by months. Months of the next year that have been observed already choose among the
members: a member counts the more the nearer its level comes to what was seen in the last of them. A real
month departs from the mean season, by wind, thermal expansion and the timing of the flood; the departures
are nearly independent from month to month (lag-1 autocorrelation 0.1 in the altimetry) and are added with
their observed spread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data, results
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.climate.draws import normals
from caspian_sim.climate.warming import MIDDLE_SCENARIO
from caspian_sim.config import load_config
from caspian_sim.errors import DataError
from caspian_sim.plan import make_plan
from caspian_sim.record.additions import Additions, read_additions
from caspian_sim.record.annual import MEAN, baseline_reference, filter_record
from caspian_sim.record.observations import Observations, shipped_observations
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.record.start import outflow_of_record
from caspian_sim.simulate import run_members

Array = NDArray[np.float64]

AHEAD_MONTHS = 12
MEMBERS = 4000
SEED = 20251211
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RECENT_MONTHS = 36
"""Observed months that are given along, for the picture."""
# Fewer members that count than this leave the outer quantiles to chance.
FEWEST_EFFECTIVE = 100
# A level as far from its expectation as this, in standard deviations, happens once in a few hundred years.
SURPRISING = 3.0


@dataclass(frozen=True)
class Surprise:
    """An observed annual level against what the record before it lets expect.

    Attributes
    ----------
    year : int
    observed, expected, sd : float
        m BHS, m BHS and m.
    """

    year: int
    observed: float
    expected: float
    sd: float

    @property
    def score(self) -> float:
        """Distance in standard deviations."""
        return (self.observed - self.expected) / self.sd


def level_surprises(observed: Observations, first_year: int, rows: int = 200) -> list[Surprise]:
    """Hold each annual level against the forecast from the end of the year before.

    Parameters
    ----------
    observed : Observations
    first_year : int
        First year of interest.
    rows : int
        Rows of the posterior, evenly spaced.

    Returns
    -------
    list of Surprise
        One for every year with a level.
    """
    posterior = shipped_posterior()
    chosen = np.unique(np.linspace(0, posterior.rows - 1, rows).round().astype(int))
    parameters = {name: values[chosen] for name, values in posterior.parameters.items()}
    curve, factor = load_hypsometry(), parameters["area_factor"]
    outflow = outflow_of_record(parameters, observed)
    found = []
    passed = filter_record(parameters, observed, outflow, baseline_reference())
    for year, level, (filtered, step) in zip(observed.year, observed.level, passed, strict=True):
        if year < first_year or np.isnan(level):
            continue
        per_metre = float(curve.area(float(level))) * factor * 1e-3
        mean = np.asarray(curve.level(filtered.predicted_mean[:, MEAN] / factor + curve.reference_volume))
        variance = (filtered.predicted_covariance[:, MEAN, MEAN] + step.variance[0]) / per_metre**2
        total = float(np.sqrt(variance.mean() + mean.var()))
        found.append(Surprise(int(year), float(level), float(mean.mean()), total))
    return found


def season_spread() -> Array:
    """Spread of the departures of the months from the mean season, standard deviation in m, shape (12,)."""
    return np.asarray(data.load("seasonal_climatology")["level_sd"].values, dtype=float) / 100.0


def outlook(
    observations: str | Path | Observations | None = None,
    *,
    members: int = MEMBERS,
    months: int = AHEAD_MONTHS,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Forecast the coming months from the newest observations.

    Parameters
    ----------
    observations : path or Observations, optional
        A table of new observations (docs/observations.md), or observations ready-made; those of the package
        alone when not given.
    members : int
    months : int
        Months ahead, after the last that was observed.
    seed : int
    progress : callable, optional
        Called with the months done and the months in all.

    Returns
    -------
    xarray.Dataset
        ``level`` by ``quantile`` and ``time`` (month), m BHS with its season; ``annual_level`` by
        ``quantile`` and ``year``; ``observed`` by ``time`` for the months of the year that were observed
        already; ``surprise``, the new annual levels in standard deviations of what was expected of them, by
        ``observed_year``. The attributes ``added`` and ``notes`` say what is new, missing, late or at odds.

    Raises
    ------
    DataError
        When the table cannot be used, or a month lies after a gap in the months.
    """
    additions = _additions(observations)
    record = additions.observations
    start = record.last_level_year + 1
    seen = record.month >= MONTHS * start
    known, level_seen = record.month[seen] - MONTHS * start, record.monthly_level[seen]
    if known.size and not np.array_equal(known, np.arange(known.size)):
        gap = int(np.setdiff1d(np.arange(known[-1]), known)[0])
        raise DataError(
            f"a month is missing among those observed since the last annual level\n"
            f"    found    no level of {start + gap // MONTHS}-{gap % MONTHS + 1:02d}, but one later\n"
            "    allowed  months without a gap, or the annual mean of the year"
        )
    first = known.size
    end = start + (first + months - 1) // MONTHS
    config = load_config(
        {
            "name": "outlook",
            "title": "Outlook of the level of the Caspian Sea by month",
            "period": {"start": start, "end": end},
            "climate": {"scenarios": [MIDDLE_SCENARIO]},
            "uncertainty": {"members": members, "seed": seed, "parameters": "posterior"},
            "output": {"frequency": "monthly", "figures": "none"},
        }
    )
    total, done = MONTHS * (end - start + 1), 0

    def each_month() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    plan = make_plan(config, record)
    who = np.arange(members)
    run = run_members(plan, who, each_month).arrays["sea_level"][0, 0].T
    calendar_month = np.arange(total) % MONTHS
    weight = np.full(members, 1.0 / members)
    if first:
        spread = season_spread()[calendar_month[first - 1]]
        score = (run[first - 1] - level_seen[-1]) / spread
        weight = np.exp(-0.5 * (score**2 - (score**2).min()))
        weight /= weight.sum()
    noise = normals(seed, "season", who, total) * season_spread()[calendar_month, None]
    as_seen = run + noise
    as_seen[:first] = level_seen[:, None]
    ahead = slice(first, first + months)
    # The departures of twelve months average out; months that have been seen count as seen.
    course = np.where(np.arange(total)[:, None] < first, as_seen, run)
    years = np.arange(start, end + 1)
    share = plan.frame.calendar.fractions
    annual = (course.reshape(len(years), MONTHS, members) * share[:, :, None]).sum(axis=1)
    whole = MONTHS * (years - start + 1) <= first + months
    month = MONTHS * start + np.arange(total)
    quantile = {"quantile": list(QUANTILES)}
    surprises = level_surprises(record, additions.first_year)
    level = {"units": "m", "datum": "Baltic Height System (BHS)"}
    return xr.Dataset(
        {
            "level": (
                ("quantile", "time"),
                _weighted_quantiles(as_seen[ahead], weight),
                {**level, "long_name": "monthly mean level with its season"},
            ),
            "annual_level": (
                ("quantile", "year"),
                _weighted_quantiles(annual[whole], weight),
                {**level, "long_name": "annual mean level"},
            ),
            "recent_level": (
                ("recent",),
                record.monthly_level[-RECENT_MONTHS:],
                {**level, "long_name": "observed monthly mean level"},
            ),
            "observed_level": (
                ("observed_year",),
                np.array([surprise.observed for surprise in surprises]),
                {**level, "long_name": "new annual mean level"},
            ),
            "expected_level": (
                ("observed_year",),
                np.array([surprise.expected for surprise in surprises]),
                {**level, "long_name": "what the record before the year let expect"},
            ),
            "expected_level_sd": (
                ("observed_year",),
                np.array([surprise.sd for surprise in surprises]),
                {"units": "m", "long_name": "standard deviation of what was expected"},
            ),
        },
        coords={
            **quantile,
            "time": _dates(month[ahead]),
            "year": years[whole],
            "recent": _dates(record.month[-RECENT_MONTHS:]),
            "observed_year": [surprise.year for surprise in surprises],
        },
        attrs={
            **results.provenance(config),
            "datum": "Baltic Height System (BHS)",
            "last_annual_level": f"{record.level[record.year == start - 1][0]:.2f} m BHS in {start - 1}",
            "months_seen": first,
            "members": members,
            "effective_members": round(float(1.0 / (weight**2).sum())),
            "added": "\n".join(additions.added),
            "notes": "\n".join([*additions.notes, *_doubts(surprises, weight)]),
        },
    )


def _additions(observations: str | Path | Observations | None) -> Additions:
    if isinstance(observations, str | Path):
        return read_additions(Path(observations))
    record = observations or shipped_observations()
    return Additions(record, (), (), record.last_level_year)


def _doubts(surprises: list[Surprise], weight: Array) -> list[str]:
    texts = [
        f"level of {s.year}: {s.observed:.2f} m BHS lies {abs(s.score):.1f} standard deviations "
        f"{'above' if s.score > 0 else 'below'} what the record before it lets expect, "
        f"{s.expected:.2f} ± {s.sd:.2f} m"
        for s in surprises
        if abs(s.score) > SURPRISING
    ]
    effective = 1.0 / (weight**2).sum()
    if effective < FEWEST_EFFECTIVE:
        texts.append(
            f"the months seen so far agree with few members, {effective:.0f} of {len(weight)}: "
            "the outer quantiles are rough"
        )
    return texts


def _weighted_quantiles(values: Array, weight: Array) -> Array:
    """Quantiles over weighted members, from (time, member) to (quantile, time)."""
    order = np.argsort(values, axis=1, kind="stable")
    sorted_values = np.take_along_axis(values, order, axis=1)
    # The middle of each member's own weight is the probability that it stands for.
    share = np.cumsum(weight[order], axis=1) - 0.5 * weight[order]
    found = [np.interp(QUANTILES, p, v) for p, v in zip(share, sorted_values, strict=True)]
    return np.stack(found, axis=1) if found else np.empty((len(QUANTILES), 0))


def _dates(month: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Middle day of months counted as 12 · year + month − 1."""
    begins = (month - MONTHS * 1970).astype("datetime64[M]").astype("datetime64[ns]")
    return np.asarray(begins + np.timedelta64(14, "D"), dtype="datetime64[ns]")
