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
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.evaluate.additions import note_table, take_observations
from caspian_sim.evaluate.monthly import (
    Ensemble,
    configure,
    monthly_ensemble,
    months_seen,
    weighted_quantiles,
)
from caspian_sim.evaluate.surprise import SURPRISING, Surprise, surprises
from caspian_sim.plan import Plan, make_plan
from caspian_sim.record.observations import Observations

Array = NDArray[np.float64]

AHEAD_MONTHS = 12
MEMBERS = 4000
SEED = 20251211
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RECENT_MONTHS, RECENT_YEARS = 36, 3
"""Observed months and years that are given along, for the picture."""
# Fewer members that count than this leave the outer quantiles to chance.
FEWEST_EFFECTIVE = 100
LEVEL = {"units": "m", "datum": "Baltic Height System (BHS)"}
# State at the end of the last year: unit, meaning.
STATE = {
    "state_level": ("m", "level at the end of the last year without its season"),
    "state_slow_net_evaporation": ("mm year-1", "slow departure of net evaporation from its expected value"),
    "state_inflow": ("km3 year-1", "departure of inflow with short memory"),
    "state_slow_inflow": ("km3 year-1", "slow departure of inflow"),
}


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
        ``quantile`` and ``year``, of the years that are complete by then. ``recent_level`` by ``recent``, the
        last observed months, and ``recent_annual_level`` by ``recent_year``. ``observed_level``,
        ``expected_level`` and ``expected_level_sd`` by ``observed_year``: new annual levels, or else the
        last, against what the record before them lets expect. ``state_…`` and ``state_…_sd``: the state at
        the end of the last year with a level. The attributes ``added`` and ``notes`` say what is new, and
        what is missing, late or at odds, one a line.

    Raises
    ------
    DataError
        When the table cannot be used, or a month lies after a gap in the months.
    ConfigError
        When the last level lies within the years that the parameters are fitted to.
    """
    additions = take_observations(observations)
    record = additions.observations
    start = record.last_level_year + 1
    seen = months_seen(record, start)
    config = configure(start, start + (len(seen) + months - 1) // MONTHS, members, seed)
    plan = make_plan(config, record)
    ensemble = monthly_ensemble(plan, seen, progress)
    noted = surprises(record, additions.level_years or (start - 1,), additions.inflow_years)
    doubts = [str(surprise) for surprise in noted if abs(surprise.score) > SURPRISING]
    if abs(ensemble.score) > SURPRISING:
        year, month = divmod(MONTHS * start + len(seen) - 1, MONTHS)
        doubts.append(
            f"level of {year}-{month + 1:02d}: {seen[-1]:.2f} m BHS lies {abs(ensemble.score):.1f} standard "
            f"deviations {'above' if ensemble.score > 0 else 'below'} what the years before it let expect"
        )
    if len(seen) and ensemble.effective_members < FEWEST_EFFECTIVE:
        doubts.append(
            f"the months seen so far agree with few members, {ensemble.effective_members:.0f} of {members}: "
            "the outer quantiles are rough"
        )
    ds = _dataset(plan, ensemble, months, [surprise for surprise in noted if surprise.series == "level"])
    ds.attrs = {**results.provenance(config), **ds.attrs}
    return note_table(ds, observations, additions, doubts)


def _dataset(plan: Plan, ensemble: Ensemble, months: int, noted: list[Surprise]) -> xr.Dataset:
    record, calendar = plan.observed, plan.frame.calendar
    years, first, weight = calendar.calendar_years, ensemble.seen, ensemble.weight
    start, ahead = int(years[0]), slice(first, first + months)
    month = MONTHS * start + np.arange(MONTHS * len(years))
    by_year = ensemble.course.reshape(len(years), MONTHS, len(weight))
    annual = (by_year * calendar.fractions[:, :, None]).sum(axis=1)
    whole = MONTHS * (years - start + 1) <= first + months
    recent = (record.year >= start - RECENT_YEARS) & (record.year < start)
    variables = {
        "level": (
            ("quantile", "time"),
            weighted_quantiles(ensemble.level[ahead], weight, QUANTILES),
            "monthly mean level with its season",
        ),
        "annual_level": (
            ("quantile", "year"),
            weighted_quantiles(annual[whole], weight, QUANTILES),
            "annual mean level",
        ),
        "recent_level": (
            ("recent",),
            record.monthly_level[-RECENT_MONTHS:],
            "observed monthly mean level",
        ),
        "recent_annual_level": (("recent_year",), record.level[recent], "observed annual mean level"),
        "observed_level": (("observed_year",), [s.observed for s in noted], "annual mean level"),
        "expected_level": (
            ("observed_year",),
            [s.expected for s in noted],
            "annual mean level that the record before the year lets expect",
        ),
        "expected_level_sd": (
            ("observed_year",),
            [s.sd for s in noted],
            "standard deviation of what is expected",
        ),
    }
    ds = xr.Dataset(
        {
            name: (dims, np.asarray(values, dtype=float), {**LEVEL, "long_name": text})
            for name, (dims, values, text) in variables.items()
        },
        coords={
            "quantile": list(QUANTILES),
            "time": _dates(month[ahead]),
            "year": years[whole],
            "recent": _dates(record.month[-RECENT_MONTHS:]),
            "recent_year": record.year[recent],
            "observed_year": np.array([surprise.year for surprise in noted], dtype=np.int64),
        },
        attrs={
            "datum": LEVEL["datum"],
            "last_level_year": start - 1,
            "months_seen": first,
            "members": len(weight),
            "effective_members": round(ensemble.effective_members),
        },
    )
    for name, (mean, sd) in _state(plan).items():
        unit, text = STATE[name]
        extra = LEVEL if name == "state_level" else {"units": unit}
        ds[name] = (), mean, {**extra, "long_name": text}
        ds[f"{name}_sd"] = (), sd, {"units": unit, "long_name": f"{text}, standard deviation"}
    return ds


def _state(plan: Plan) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the state that the members start from."""
    assert plan.calibrated is not None
    assert plan.calibrated.estimate is not None
    estimate, factor = plan.calibrated.estimate, plan.calibrated.parameters["area_factor"]
    weight = np.diff(plan.calibrated.cumulative, prepend=0.0)
    mean = estimate.mean.copy()
    variance = (estimate.root**2).sum(axis=2)
    curve = load_hypsometry()
    mean[:, 0] = curve.level(mean[:, 0] / factor + curve.reference_volume)
    variance[:, 0] /= (1e-3 * factor * curve.area(mean[:, 0])) ** 2
    centre = weight @ mean
    sd = np.sqrt(weight @ (variance + (mean - centre) ** 2))
    return {name: (float(c), float(s)) for name, c, s in zip(STATE, centre, sd, strict=True)}


def _dates(month: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Middle day of months counted as 12 · year + month − 1."""
    begins = (month - MONTHS * 1970).astype("datetime64[M]").astype("datetime64[ns]")
    return np.asarray(begins + np.timedelta64(14, "D"), dtype="datetime64[ns]")
