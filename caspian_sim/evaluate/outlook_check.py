"""Outlooks from the ends of past years, held against the altimetry of the year that followed.

Each knows the observations up to its origin alone, but has the shipped parameters, which are fitted to the
record to 2022: what is checked is the start, the months and the width of the bands over one year, not a
forecast in the strict sense (that is :mod:`caspian_sim.evaluate.forecast`). The warming of the year, the mean
season and the spread of the months are those of the whole record too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.basin.rivers import MONTHS
from caspian_sim.climate.seasons import level_departure_by_month
from caspian_sim.evaluate import skill
from caspian_sim.evaluate.monthly import configure, monthly_ensemble
from caspian_sim.evaluate.outlook import SEED
from caspian_sim.plan import make_plan
from caspian_sim.record.observations import Observations, shipped_observations

Array = NDArray[np.float64]

ORIGINS = range(1996, 2022)
MEMBERS = 2000
BANDS = (0.5, 0.9)
# First December of the altimetry.
FIRST_DECEMBER = 1992


def past_outlooks(
    origins: Sequence[int] = ORIGINS,
    *,
    members: int = MEMBERS,
    seed: int = SEED,
    seen_months: int = 0,
    observed: Observations | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Issue outlooks of twelve months from the ends of past years.

    Parameters
    ----------
    origins : sequence of int
        Years whose observations are known.
    members, seed : int
        The seed of an origin is `seed` plus its year.
    seen_months : int
        Months of the next year that have been seen when the outlook is issued; for these, the forecast is
        what was seen.
    observed : Observations, optional
        Those of the package when not given.
    progress : callable, optional
        Called with the outlooks done and their number.

    Returns
    -------
    xarray.Dataset
        ``forecast`` by ``origin``, ``lead`` (month, 1 to 12) and ``member``; ``observed`` by ``origin`` and
        ``lead``; ``persistence``, the level of the last December with the mean season, m BHS; and
        ``past_error``, the errors that persistence had made by then, by ``past``, NaN beyond them.
    """
    record = observed or shipped_observations()
    lead = np.arange(1, MONTHS + 1)
    forecast = np.empty((len(origins), MONTHS, members))
    seen, persistence = np.full((2, len(origins), MONTHS), np.nan)
    earlier = np.arange(FIRST_DECEMBER, max(origins))
    errors = np.full((len(origins), MONTHS, len(earlier)), np.nan)
    for place, origin in enumerate(origins):
        known = record.until(origin)
        config = configure(origin + 1, origin + 1, members, seed + origin)
        seen[place] = _months(record, origin + 1)
        ensemble = monthly_ensemble(make_plan(config, known, in_sample=True), seen[place, :seen_months])
        # Evenly spaced places in the cumulative weights: a member comes as often as it counts.
        rows = np.searchsorted(np.cumsum(ensemble.weight), (np.arange(members) + 0.5) / members)
        forecast[place] = ensemble.level[:, np.minimum(rows, members - 1)]
        persistence[place] = _persistence(known, origin)
        for before, past in enumerate(earlier[earlier < origin]):
            errors[place, :, before] = _months(known, past + 1) - _persistence(known, past)
        if progress is not None:
            progress(place + 1, len(origins))
    level = {"units": "m", "datum": "Baltic Height System (BHS)"}
    return xr.Dataset(
        {
            "forecast": (("origin", "lead", "member"), forecast, level),
            "observed": (("origin", "lead"), seen, level),
            "persistence": (("origin", "lead"), persistence, level),
            "past_error": (("origin", "lead", "past"), errors, {"units": "m"}),
        },
        coords={
            "origin": list(origins),
            "lead": lead,
            "member": np.arange(members),
            "past": earlier,
        },
    )


def _persistence(record: Observations, year: int) -> Array:
    """Level of the December of a year, with the mean season, in the months of the next."""
    season = level_departure_by_month()
    return np.asarray(_months(record, year)[-1] + season - season[-1])


def _months(record: Observations, year: int) -> Array:
    """Levels of the months of a year, NaN where there is none."""
    levels = np.full(MONTHS, np.nan)
    inside = record.month // MONTHS == year
    levels[record.month[inside] % MONTHS] = record.monthly_level[inside]
    return levels


def score_outlooks(outlooks: xr.Dataset) -> xr.Dataset:
    """Score past outlooks by lead month.

    Parameters
    ----------
    outlooks : xarray.Dataset
        Result of :func:`past_outlooks`.

    Returns
    -------
    xarray.Dataset
        By ``lead``: ``crps`` and ``bias`` (mean less observed), m; ``skill`` against persistence, by
        ``reference``: as a single value, and with its past errors around it. By ``band`` and ``lead``:
        ``coverage`` and ``width`` (m).
    """
    ensemble, seen = (outlooks[name].values for name in ("forecast", "observed"))
    persistence = outlooks["persistence"].values
    past = outlooks["past_error"].values
    dressed = [
        skill.crps(middle[:, None] + errors[:, ~np.isnan(errors[0])], now)
        for middle, errors, now in zip(persistence, past, seen, strict=True)
    ]
    score = skill.crps(ensemble, seen).T
    references = (np.abs(seen - persistence).T, np.stack(dressed, axis=1))
    ends = [skill.central_band(ensemble, band) for band in BANDS]
    return xr.Dataset(
        {
            "crps": (("lead",), score.mean(axis=1)),
            "bias": (("lead",), (ensemble.mean(axis=2) - seen).mean(axis=0)),
            "skill": (("reference", "lead"), np.stack([skill.skill(score, each) for each in references])),
            "coverage": (
                ("band", "lead"),
                np.stack([((low <= seen) & (seen <= high)).mean(axis=0) for low, high in ends]),
            ),
            "width": (("band", "lead"), np.stack([(high - low).mean(axis=0) for low, high in ends])),
        },
        coords={
            "lead": outlooks["lead"].values,
            "band": list(BANDS),
            "reference": ["persistence", "persistence with errors"],
        },
        attrs={"origins": len(seen)},
    )
