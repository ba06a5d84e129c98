"""Scores of the forecasts from past origins, by lead and by decade of origin, with their uncertainty.

The formulas are in `caspian_sim.evaluate.skill`; here they are applied to a dataset of forecasts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.errors import DataError
from caspian_sim.evaluate import skill

Array = NDArray[np.float64]

HEADLINE_LEADS = (1, 5, 10, 20)
BANDS = (0.5, 0.9)
# Coverage to which a forecast with some fifty overlapping origins can be held.
COVERAGE_AIM = {0.5: (0.42, 0.58), 0.9: (0.85, 0.95)}
PIT_BINS = 10
WITH_ERRORS = " with errors"
REFERENCES = (*skill.REFERENCES, *(f"{name}{WITH_ERRORS}" for name in skill.REFERENCES))
"""Each reference as a single value, then each with its own past errors around it."""
CONFIDENCE, RESAMPLES, SEED = 0.9, 2000, 20251211
# Resampling fewer blocks than this would take a single realisation for the truth.
FEWEST_BLOCKS = 2
NEEDED = ("forecast", "observed", "last_level")


def with_record(forecasts: xr.Dataset) -> xr.Dataset:
    """Add the annual record, from which the references are made, to forecasts that do not carry it yet."""
    if "record" in forecasts:
        return forecasts
    level = data.load("sea_level_annual")["level"].astype(float)
    return forecasts.assign(record=level.assign_attrs(long_name="annual mean level of the record"))


def score_forecasts(forecasts: xr.Dataset) -> xr.Dataset:
    """Score forecasts of the annual level against what came, and against persistence and trend.

    Parameters
    ----------
    forecasts : xarray.Dataset
        ``forecast`` (origin, lead, member) and ``observed`` (origin, lead; NaN where not observed yet) in
        m BHS, ``last_level`` (origin), and if it carries one the annual ``record`` (year); the shipped record
        otherwise. Origins are calendar years in order, leads whole years.

    Returns
    -------
    xarray.Dataset
        By ``origin`` and ``lead``: ``crps``, ``reference_crps`` (also by ``reference``) and ``pit``. By
        ``lead``: ``mean_crps``, ``skill`` (by ``reference``), ``bias`` (mean less observed), ``mae`` (of the
        median), ``coverage`` and ``width`` (by ``band``), ``pit_count`` (by ``pit_bin``), ``origins`` and
        ``effective_origins``; ``skill`` and ``coverage`` with ``_low`` and ``_high``. By ``decade`` of origin
        and ``lead``: ``decade_crps``, ``decade_skill``, ``decade_bias``, ``decade_coverage`` and
        ``decade_origins``.

    Raises
    ------
    DataError
        When a variable is missing, or an origin has no observed level or too short a record before it.
    """
    _check(forecasts)
    forecasts = with_record(forecasts).transpose("origin", "lead", "member", ...)
    ensemble, observed = (forecasts[name].values.astype(float) for name in ("forecast", "observed"))
    found: dict[str, Any] = {
        "crps": (("origin", "lead"), skill.crps(ensemble, observed)),
        "reference_crps": (("reference", "origin", "lead"), _reference_scores(forecasts)),
        "pit": (("origin", "lead"), skill.pit(ensemble, observed)),
        "error": (("origin", "lead"), ensemble.mean(axis=-1) - observed),
        "median_error": (("origin", "lead"), np.median(ensemble, axis=-1) - observed),
    }
    low, high = (
        np.stack(ends) for ends in zip(*(skill.central_band(ensemble, band) for band in BANDS), strict=True)
    )
    known = np.isfinite(observed)
    inside = np.where(known, (low <= observed) & (observed <= high), np.nan)
    found["inside"] = ("band", "origin", "lead"), inside
    found["band_width"] = ("band", "origin", "lead"), np.where(known, high - low, np.nan)
    origin, lead = forecasts["origin"].values, forecasts["lead"].values
    coordinates = {"origin": origin, "lead": lead, "reference": list(REFERENCES), "band": list(BANDS)}
    cases = xr.Dataset(found, coords=coordinates)
    scores = cases[["crps", "reference_crps", "pit"]].merge(_by_lead(cases)).merge(_by_decade(cases))
    attributes = {
        "datum": "Baltic Height System (BHS)",
        "confidence": CONFIDENCE,
        "intervals": f"percentiles of {RESAMPLES} circular moving-block resamples of the origins, blocks as "
        "long as the lead",
        "reference_trend": f"last level, with the slope of the last {skill.TREND_YEARS} annual means",
    }
    for name, (unit, text) in _MEANING.items():
        for end in ("", "_low", "_high"):
            if f"{name}{end}" in scores:
                scores[f"{name}{end}"].attrs = {"units": unit, "long_name": text + _ENDS[end]}
    return scores.assign_attrs({**forecasts.attrs, **attributes})


_ENDS = {"": "", "_low": ", lower end of the confidence interval", "_high": ", upper end"}
_MEANING = {
    "crps": ("m", "fair continuous ranked probability score"),
    "reference_crps": ("m", "score of the reference forecast"),
    "pit": ("1", "probability integral transform of the observation"),
    "mean_crps": ("m", "mean score"),
    "skill": ("1", "share of the mean score of the reference that the forecast takes away"),
    "bias": ("m", "mean of the ensemble less observation, mean over the origins"),
    "mae": ("m", "mean absolute error of the median"),
    "coverage": ("1", "share of observations inside the central band"),
    "width": ("m", "mean width of the central band"),
    "pit_count": ("1", "observations in each tenth of their forecast"),
    "origins": ("1", "origins whose outcome is observed"),
    "effective_origins": ("1", "years that their forecasts span together, over the lead"),
    "decade_crps": ("m", "mean score"),
    "decade_skill": ("1", "skill of the origins of the decade"),
    "decade_bias": ("m", "mean of the ensemble less observation, mean over the origins of the decade"),
    "decade_coverage": ("1", "share of observations inside the central band"),
    "decade_origins": ("1", "origins of the decade whose outcome is observed"),
}


def _check(forecasts: xr.Dataset) -> None:
    missing = [name for name in NEEDED if name not in forecasts]
    if missing:
        found = ", ".join(map(str, forecasts.data_vars)) or "no variables"
        raise DataError(
            f"forecasts cannot be scored: variable {missing[0]!r} is missing\n"
            f"    found    {found}\n    needed   {', '.join(NEEDED)}"
        )
    record = with_record(forecasts)["record"]
    first = int(record["year"][0]) + skill.TREND_YEARS + int(forecasts["lead"].max())
    last = int(record["year"][-1])
    origins = forecasts["origin"].values
    outside = origins[(origins < first) | (origins > last)]
    if outside.size:
        raise DataError(
            f"the reference forecasts of origin {outside[0]} cannot be made from the record\n"
            f"    found    {outside[0]}\n    allowed  {first} to {last}"
        )
    wrong = np.abs(record.sel(year=origins).values - forecasts["last_level"].values) > 1e-6
    if wrong.any():
        year = int(origins[wrong.argmax()])
        raise DataError(
            f"the last level of origin {year} is not that of the record\n"
            f"    found    {float(forecasts['last_level'].sel(origin=year)):g} m BHS\n"
            f"    record   {float(record.sel(year=year)):g} m BHS"
        )


def _reference_scores(forecasts: xr.Dataset) -> Array:
    """Scores of the references, shape (reference, origin, lead)."""
    year = forecasts["year"].values
    level, observed = forecasts["record"].values, forecasts["observed"].values
    origins = forecasts["origin"].values
    scores = np.full((len(REFERENCES), *observed.shape), np.nan)
    for column, lead in enumerate(map(int, forecasts["lead"].values)):
        for place, (name, (forecast, _)) in enumerate(skill.REFERENCES.items()):
            errors = skill.past_errors(year, level, name, int(origins[-1]), lead)
            for row, origin in enumerate(map(int, origins)):
                single = float(forecast(year, level, origin, lead))
                # The errors come in the order of their outcomes: later ones were not known yet.
                known = errors[: len(errors) - (int(origins[-1]) - origin)]
                truth = observed[row, column]
                scores[place, row, column] = skill.crps([single], truth)
                scores[place + len(skill.REFERENCES), row, column] = skill.crps(single + known, truth)
    return scores


def _by_lead(cases: xr.Dataset) -> xr.Dataset:
    """Means over the origins whose outcome is known, and the limits of their confidence intervals."""
    means = xr.Dataset(
        {
            "mean_crps": cases["crps"].mean("origin"),
            "bias": cases["error"].mean("origin"),
            "mae": abs(cases["median_error"]).mean("origin"),
            "width": cases["band_width"].mean("origin"),
        }
    )
    scored = [
        _one_lead(cases.sel(lead=lead).dropna("origin", subset=["crps"]), int(lead)) for lead in cases["lead"]
    ]
    return means.merge(xr.concat(scored, cases["lead"]))


def _one_lead(cases: xr.Dataset, lead: int) -> xr.Dataset:
    count = cases.sizes["origin"]
    crps, reference = cases["crps"].values, cases["reference_crps"].transpose("reference", "origin").values
    inside = cases["inside"].transpose("band", "origin").values
    edges = np.linspace(0.0, 1.0, PIT_BINS + 1)
    found = {
        "origins": ((), count),
        "effective_origins": ((), skill.windows(cases["origin"].values, lead)),
        "pit_count": (("pit_bin",), np.histogram(cases["pit"].values, edges)[0]),
    }
    every = np.arange(count)[None]
    for name, dim, of in (
        ("skill", "reference", lambda rows: skill.skill(crps[rows], reference[:, rows])),
        ("coverage", "band", lambda rows: inside[:, rows].mean(axis=-1)),
    ):
        empty = np.full(cases.sizes[dim], np.nan)
        found[name] = (dim,), of(every)[:, 0] if count else empty
        ends = _interval(of, cases["origin"].values, lead)
        found[f"{name}_low"], found[f"{name}_high"] = (((dim,), end) for end in (ends or (empty, empty)))
    coordinates = {"pit_bin": 0.5 * (edges[:-1] + edges[1:])}
    return xr.Dataset(found, coords={**coordinates, "reference": cases["reference"], "band": cases["band"]})


def _interval(
    of: Callable[[NDArray[np.int64]], Array], origin: NDArray[np.int64], lead: int
) -> tuple[Array, Array] | None:
    """Percentile interval of a statistic of rows, or None when there are too few blocks."""
    step = int(np.diff(origin).min()) if len(origin) > 1 else 1
    block = -(-lead // step)
    if len(origin) < FEWEST_BLOCKS * block:
        return None
    rows = skill.moving_blocks(len(origin), block, RESAMPLES, np.random.default_rng([SEED, lead]))
    low, high = np.quantile(of(rows), [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0], axis=-1)
    return low, high


def _by_decade(cases: xr.Dataset) -> xr.Dataset:
    """Means over the origins of each decade."""
    cases = cases.assign(reference_crps=cases["reference_crps"].where(cases["crps"].notnull()))
    mean = cases.groupby(cases["origin"] // 10 * 10).mean()
    mean = mean.rename(origin="decade")
    known = cases["crps"].notnull().groupby(cases["origin"] // 10 * 10).sum().rename(origin="decade")
    return xr.Dataset(
        {
            "decade_crps": mean["crps"],
            "decade_skill": 1.0 - mean["crps"] / mean["reference_crps"],
            "decade_bias": mean["error"],
            "decade_coverage": mean["inside"],
            "decade_origins": known,
        }
    )
