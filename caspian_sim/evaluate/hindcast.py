"""Free run of the model over the record: what it explains of the observed level, and what it does not.

The sea starts at its level of 1936 and is never corrected. Inflow is observed, the history of the strait is
data, and every parameter has its calibrated value. In the first run one number is fitted, the constant net
evaporation, and kept within the range of the facts; the second lets net evaporation drift slowly. The third
takes net evaporation and inflow of every year from the reconstruction
(:mod:`caspian_sim.evaluate.reconstruct`), which has seen the levels: it shows that the annual balance and
the model by months are the same balance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from caspian_sim import data, results
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import observed_level_at
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import inflow_shape, river_inflow
from caspian_sim.basin.shape import HIGHEST_LEVEL, LOWEST_LEVEL
from caspian_sim.basin.strait import strait_state
from caspian_sim.climate.seasons import level_departure_at_month_edges, net_evaporation_departure
from caspian_sim.collect import Calendar
from caspian_sim.evaluate.closure import FIRST_YEAR, LAST_YEAR, LEVEL_RECORD_STARTS, observed_bay
from caspian_sim.evaluate.reconstruct import smooth_record
from caspian_sim.forcing import Forcing
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.posterior import best_values
from caspian_sim.solve import Solution, solve

Array = NDArray[np.float64]

RECONSTRUCTION = "full reconstruction"
RUNS = ("inflow alone", "slow net evaporation", RECONSTRUCTION)
# Degrees of freedom of the slow net evaporation, its mean included.
SLOW_COEFFICIENTS = 9
DEGREES_OF_FREEDOM = (
    f"1 for a constant net evaporation, {SLOW_COEFFICIENTS} for the slow one, "
    "one a year for the reconstruction"
)
SPLINE_DEGREE = 3
# Gauss-Newton steps; the level is so nearly linear in net evaporation that the third changes it by less than
# 0.1 mm.
FIT_STEPS = 4
PROBE_MM_PER_YR = 10.0


@dataclass(frozen=True)
class Variant:
    """One setting of the hindcast.

    Attributes
    ----------
    name : str
    inflow : ndarray, shape (year,)
        River inflow, km³/yr.
    opening : ndarray, shape (month,)
        Share of the strait that is open.
    recut : ndarray of bool, shape (month,)
        True where the weir coefficient of after 1992 holds.
    pipe_outflow : ndarray, shape (month,)
        km³/yr.
    basis : ndarray, shape (year, coefficient)
        Functions whose weighted sum is net evaporation; the weights are in mm/yr.
    """

    name: str
    inflow: Array
    opening: Array
    recut: NDArray[np.bool_]
    pipe_outflow: Array
    basis: Array


def net_evaporation_range() -> tuple[float, float]:
    """Range that the facts leave to a constant net evaporation: evaporation less precipitation, mm/yr."""
    evaporation, rain = data.fact("sea_evaporation"), data.fact("sea_precipitation")
    assert rain.low is not None
    assert rain.high is not None
    return evaporation.value - rain.high, evaporation.value - rain.low


def slow_basis(years: NDArray[np.int64], coefficients: int = SLOW_COEFFICIENTS) -> Array:
    """Cubic B-splines with even knots over the years.

    Parameters
    ----------
    years : ndarray of int, shape (year,)
    coefficients : int
        Number of splines, and so of degrees of freedom.

    Returns
    -------
    ndarray, shape (year, coefficients)
        Rows add up to 1: equal weights give a constant.
    """
    inner = np.linspace(years[0], years[-1] + 1.0, coefficients - SPLINE_DEGREE + 1)
    knots = np.concatenate([np.repeat(inner[0], SPLINE_DEGREE), inner, np.repeat(inner[-1], SPLINE_DEGREE)])
    return np.asarray(BSpline.design_matrix(years + 0.5, knots, SPLINE_DEGREE).toarray())


def variants(calendar: Calendar) -> list[Variant]:
    """List the settings that add one term after the other, up to the two runs of :data:`RUNS`."""
    years = calendar.calendar_years
    observed = river_inflow(int(years[0]), int(years[-1])).sum(axis=0)
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    constant, none = np.ones((len(years), 1)), np.zeros(len(opening))
    natural = np.ones(len(opening)), np.zeros(len(opening), dtype=bool), none
    closed = none, np.zeros(len(opening), dtype=bool), none
    mean = np.full(len(years), observed.mean())
    return [
        Variant("constant inflow, no strait", mean, *closed, constant),
        Variant("+ observed inflow", observed, *closed, constant),
        Variant("+ open strait", observed, *natural, constant),
        Variant("+ dam 1980-92, strait cut anew", observed, opening, recut, pipes, constant),
        Variant("+ slow net evaporation", observed, opening, recut, pipes, slow_basis(years)),
    ]


class _Model:
    """The hindcast as a function of net evaporation: many columns, each with a variant of its own."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._best = best_values()
        self._season = net_evaporation_departure(calendar.fractions).ravel()[:, None]
        curve = load_hypsometry()
        self._table = curve.volume_table(LOWEST_LEVEL, HIGHEST_LEVEL)
        before = calendar.first_year - 1
        start = observed_level_at(np.array([before + 1.0]), last_year=before)[0]
        new_year = float(level_departure_at_month_edges()[0])
        self.start = float(start + new_year)
        self.season_of_new_year = float(curve.volume(self.start) - curve.volume(float(start)))
        self.factor = self._best["area_factor"]
        self.sea = self.factor * (curve.volume(self.start) - curve.reference_volume)
        self._bay = observed_bay(LEVEL_RECORD_STARTS, before, known_until=before)[1][-1]

    def solve(self, columns: list[Variant], net_evaporation: Array, sea: Array | None = None) -> Solution:
        """Run the columns with net evaporation (year, column) in mm/yr, from volumes `sea` in km³."""
        best, by_month = self._best, self._calendar.by_month
        inflow = np.stack([variant.inflow for variant in columns], axis=1)
        coefficient = [
            variant.opening
            * np.where(
                variant.recut, best["strait_coefficient_after_1992"], best["strait_coefficient_before_1980"]
            )
            for variant in columns
        ]
        rain = np.full((len(self._calendar.length), len(columns)), best["precipitation"])
        count = np.ones(len(columns))
        return solve(
            Forcing(
                length=self._calendar.length,
                first_year=self._calendar.first_year,
                external=by_month(inflow) * inflow_shape(self._calendar.fractions).ravel()[:, None]
                + best["groundwater"],
                precipitation=rain,
                evaporation=by_month(net_evaporation) + rain + self._season,
                strait_coefficient=np.stack(coefficient, axis=1),
                pipe_outflow=np.stack([variant.pipe_outflow for variant in columns], axis=1),
                bay_net_evaporation=best["bay_net_evaporation"] + self._season,
            ),
            Basin(self._table, kara_bogaz_gol(), self.factor * count, best["strait_sill"] * count),
            self.sea * count if sea is None else sea,
            self._bay * count,
            self._calendar.interval,
        )


def _fit(model: _Model, settings: list[Variant], observed: Array, step: Callable[[], None]) -> list[Array]:
    """Weights of every variant that fit the observed annual levels best, all variants in one batch."""
    low, high = net_evaporation_range()
    weights = [np.full(variant.basis.shape[1], 0.5 * (low + high)) for variant in settings]
    columns = [variant for variant in settings for _ in range(variant.basis.shape[1] + 1)]
    for _ in range(FIT_STEPS):
        trial = []
        for variant, weight in zip(settings, weights, strict=True):
            probes = np.vstack([np.zeros(len(weight)), PROBE_MM_PER_YR * np.eye(len(weight))])
            trial.append(variant.basis @ (weight + probes).T)
        levels = model.solve(columns, np.hstack(trial)).level
        first = 0
        for place, (variant, weight) in enumerate(zip(settings, weights, strict=True)):
            base, probed = levels[:, first], levels[:, first + 1 : first + 1 + len(weight)]
            slopes = (probed - base[:, None]) / PROBE_MM_PER_YR
            moved = weight + np.linalg.lstsq(slopes, observed - base)[0]
            # A constant stays within the facts; the slow run is free to show what it would take.
            weights[place] = np.clip(moved, low, high) if variant.basis.shape[1] == 1 else moved
            first += 1 + len(weight)
        step()
    return weights


def _reconstructed(setting: Variant, years: NDArray[np.int64]) -> tuple[Variant, Array, float]:
    """Inflow, net evaporation (year,) and volume at the start (km³), smoothed with calibrated values."""
    best = {name: np.array([value]) for name, value in best_values().items()}
    smoothed = smooth_record(best, shipped_observations())
    inside = np.isin(smoothed.year, years)
    start = smoothed.mean["volume"][smoothed.year == years[0] - 1]
    variant = replace(setting, name=RECONSTRUCTION, inflow=smoothed.mean["inflow"][inside, 0])
    return variant, smoothed.mean["net_evaporation"][inside, 0], float(start[0, 0])


def hindcast(progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
    """Run the model freely over 1937-2022 and compare it with the observed annual levels.

    Parameters
    ----------
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    xarray.Dataset
        ``sea_level``, ``error`` (model less observation), ``net_evaporation``, ``strait_outflow``,
        ``bay_level`` and ``bay_area`` by ``run`` and ``year``, ``observed_level`` by ``year``; ``rmse``,
        ``bias``, ``worst_error``, ``worst_year`` and ``bay_dry`` by ``run``; ``decade_error`` (mean error)
        and ``decade_rmse`` by ``run`` and ``decade``; ``term_rmse`` and ``term_net_evaporation`` (its mean)
        by ``term``, for the settings that add one term after the other.

    Notes
    -----
    The fits see the same levels that they are scored against, so the errors say what the model
    can explain, not how well it would forecast.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.hindcast().rmse
    """
    calendar = Calendar(FIRST_YEAR, LAST_YEAR)
    years = calendar.calendar_years
    observed = data.load("sea_level_annual")["level"].sel(year=years).values.astype(float)
    settings, model = variants(calendar), _Model(calendar)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, FIT_STEPS + 1)

    weights = _fit(model, settings, observed, step)
    net = np.stack([v.basis @ w for v, w in zip(settings, weights, strict=True)], axis=1)
    variant, evaporated, volume = _reconstructed(settings[-1], years)
    net = np.hstack([net, evaporated[:, None]])
    sea = np.append(np.full(len(settings), model.sea), volume + model.factor * model.season_of_new_year)
    solution = model.solve([*settings, variant], net, sea)
    step()
    error = solution.level - observed[:, None]
    last = slice(-len(RUNS), None)
    terms = slice(None, len(settings))
    bay, bay_area = kara_bogaz_gol().level_and_area(solution.bay_volume)
    by_run = {
        "sea_level": (solution.level, "m", "annual mean level of the model"),
        "error": (error, "m", "model less observation"),
        "net_evaporation": (net, "mm year-1", "evaporation less precipitation"),
        "strait_outflow": (solution.strait_outflow, "km3 year-1", "outflow to Kara-Bogaz-Gol"),
        "bay_level": (bay, "m", "level of Kara-Bogaz-Gol at the end of the year"),
        "bay_area": (bay_area, "km2", "area of Kara-Bogaz-Gol at the end of the year"),
        "budget_residual": (solution.residual, "km3", "change of volume less accumulated fluxes"),
    }
    variables: dict[str, tuple[tuple[str, ...], Array, dict[str, str]]] = {
        name: (("run", "year"), values[:, last].T, {"units": unit, "long_name": text})
        for name, (values, unit, text) in by_run.items()
    }
    variables |= _scores(error[:, last], years)
    variables["bay_dry"] = (
        ("run",),
        solution.first_event[-1, last],
        {"units": "1", "long_name": "decimal year in which Kara-Bogaz-Gol first falls dry"},
    )
    variables["observed_level"] = (
        ("year",),
        observed,
        {"units": "m", "long_name": "observed annual mean level"},
    )
    variables["term_rmse"] = (
        ("term",),
        np.sqrt((error[:, terms] ** 2).mean(axis=0)),
        {"units": "m", "long_name": "root mean square error with this term and those before it"},
    )
    variables["term_net_evaporation"] = (
        ("term",),
        net[:, terms].mean(axis=0),
        {"units": "mm year-1", "long_name": "mean net evaporation that fits best"},
    )
    low, high = net_evaporation_range()
    dataset = xr.Dataset(
        variables,
        coords={
            "run": np.array(RUNS, dtype=object),
            "year": years,
            "decade": np.unique(years // 10 * 10),
            "term": np.array([variant.name for variant in settings], dtype=object),
        },
        attrs={
            **results.package_attributes(
                "Hindcast of the Caspian Sea level 1937-2022", "hindcast", data.input_hashes(data.names())
            ),
            "datum": "Baltic Height System (BHS)",
            "start_level": f"{model.start:.3f} m BHS on 1 January {FIRST_YEAR}, from the record before",
            "net_evaporation_range": f"{low:g} to {high:g} mm/yr for a constant, from facts sea_evaporation "
            f"(grade {data.fact('sea_evaporation').grade}) and sea_precipitation "
            f"(grade {data.fact('sea_precipitation').grade})",
            "degrees_of_freedom": DEGREES_OF_FREEDOM,
        },
    )
    for name in ("sea_level", "observed_level", "bay_level"):
        dataset[name].attrs["datum"] = "Baltic Height System (BHS)"
    return dataset


def _scores(
    error: Array, years: NDArray[np.int64]
) -> dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]:
    worst = np.abs(error).argmax(axis=0)
    runs = np.arange(error.shape[1])
    decades = years // 10 * 10
    parts = [error[decades == decade] for decade in np.unique(decades)]

    def scored(
        dims: tuple[str, ...], values: Array, text: str
    ) -> tuple[tuple[str, ...], Array, dict[str, str]]:
        return dims, values, {"units": "m", "long_name": text}

    return {
        "rmse": scored(("run",), np.sqrt((error**2).mean(axis=0)), "root mean square error"),
        "bias": scored(("run",), error.mean(axis=0), "mean error"),
        "worst_error": scored(("run",), error[worst, runs], "error of the largest magnitude"),
        "worst_year": (("run",), years[worst], {"units": "1", "long_name": "year of the worst error"}),
        "decade_error": scored(
            ("run", "decade"), np.stack([p.mean(axis=0) for p in parts], axis=1), "mean error by decade"
        ),
        "decade_rmse": scored(
            ("run", "decade"),
            np.stack([np.sqrt((p**2).mean(axis=0)) for p in parts], axis=1),
            "root mean square error by decade",
        ),
    }
