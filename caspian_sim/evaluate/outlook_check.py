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
MEMBERS = 1000
BANDS = (0.5, 0.9)


def past_outlooks(
    origins: Sequence[int] = ORIGINS,
    *,
    members: int = MEMBERS,
    seed: int = SEED,
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
    observed : Observations, optional
        Those of the package when not given.
    progress : callable, optional
        Called with the outlooks done and their number.

    Returns
    -------
    xarray.Dataset
        ``forecast`` by ``origin``, ``lead`` (month, 1 to 12) and ``member``; ``observed`` by ``origin`` and
        ``lead``; and ``persistence``, the level of the last December with the mean season, m BHS.
    """
    record = observed or shipped_observations()
    lead = np.arange(1, MONTHS + 1)
    forecast = np.empty((len(origins), MONTHS, members))
    seen, persistence = np.full((2, len(origins), MONTHS), np.nan)
    season = level_departure_by_month()
    for place, origin in enumerate(origins):
        known = record.until(origin)
        config = configure(origin + 1, origin + 1, members, seed + origin)
        ensemble = monthly_ensemble(make_plan(config, known, in_sample=True), np.empty(0))
        forecast[place] = ensemble.level
        seen[place] = _months(record, origin + 1)
        persistence[place] = _months(known, origin)[-1] + season - season[-1]
        if progress is not None:
            progress(place + 1, len(origins))
    level = {"units": "m", "datum": "Baltic Height System (BHS)"}
    return xr.Dataset(
        {
            "forecast": (("origin", "lead", "member"), forecast, level),
            "observed": (("origin", "lead"), seen, level),
            "persistence": (("origin", "lead"), persistence, level),
        },
        coords={"origin": list(origins), "lead": lead, "member": np.arange(members)},
    )


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
        ``reference``: as a single value, and with its errors from the other origins around it. By ``band``
        and ``lead``: ``coverage`` and ``width`` (m).
    """
    ensemble, seen = (outlooks[name].values for name in ("forecast", "observed"))
    persistence = outlooks["persistence"].values
    error = seen - persistence
    others = ~np.eye(len(error), dtype=bool)
    dressed = np.stack([persistence[i] + error[others[i]] for i in range(len(error))])
    score = skill.crps(ensemble, seen).T
    references = (
        np.abs(error).T,
        skill.crps(dressed.swapaxes(1, 2), seen).T,
    )
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
