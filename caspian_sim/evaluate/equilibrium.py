r"""Equilibrium of sea and bay under constant forcing: level, response time, sensitivities.

At rest the bay evaporates what the strait brings, and the sea what is left of its inflow:

.. math::

    f_1 &= R + G - F(h, v) - N\,a\,A(h) = 0

    f_2 &= F(h, v) - N_b\,A_b(v) = 0

with the level *h* of the sea, the water *v* in the bay and the area factor *a*. Response times are those of
the linearised pair, and sensitivities follow from the implicit function theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from caspian_sim import data, results
from caspian_sim.basin.bay import Bay, kara_bogaz_gol
from caspian_sim.basin.exchange import MM_KM2_TO_KM3, bay_exchange
from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry
from caspian_sim.basin.rivers import river_inflow
from caspian_sim.basin.volume_table import KM2_M_PER_KM3
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.errors import OutOfRangeError
from caspian_sim.record.posterior import best_values

Array = NDArray[np.float64]
Strait = Literal["recut", "natural", "dammed"]
# Which weir coefficient is in force (caspian_sim.record.bay:strait_coefficient), where there is one.
COEFFICIENTS = {
    "recut": "strait_coefficient_after_1992",
    "natural": "strait_coefficient_before_1980",
}

# Steps of the central differences that linearise the balance, m of level and share of the water in the bay.
# The curve is linear in between, so that only rounding counts.
LEVEL_STEP, WATER_STEP = 1e-5, 1e-6
SMALLEST_WATER = 1e-6
LEVEL_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Steady:
    """Constant forcing, and the basins that it acts on.

    Attributes
    ----------
    inflow, groundwater : float
        km³/yr.
    net_evaporation, bay_net_evaporation : float
        mm/yr.
    strait_coefficient, strait_sill : float
        km³ yr⁻¹ m⁻¹·⁵ and m BHS.
    area_factor : float
        Factor on the area of the sea.
    """

    inflow: float
    groundwater: float
    net_evaporation: float
    bay_net_evaporation: float
    strait_coefficient: float
    strait_sill: float
    area_factor: float


# Sensitivities: name of the variable, what moves, its unit in a CF name, and the name for people.
SENSITIVITIES = {
    "level_per_inflow": ("inflow", "m (km3 year-1)-1", "river inflow or groundwater"),
    "level_per_net_evaporation": ("net_evaporation", "m (mm year-1)-1", "evaporation less precipitation"),
    "level_per_area_factor": ("area_factor", "m", "factor on the area of the sea"),
    "level_per_bay_net_evaporation": ("bay_net_evaporation", "m (mm year-1)-1", "net evaporation of the bay"),
    "level_per_strait_sill": ("strait_sill", "1", "sill of the strait"),
    "level_per_strait_coefficient": ("strait_coefficient", "m (km3 year-1 m-1.5)-1", "rating of the strait"),
}


def equilibrium(
    inflow: ArrayLike | None = None,
    net_evaporation: ArrayLike | None = None,
    *,
    groundwater: float | None = None,
    strait: Strait = "recut",
    area_factor: float = 1.0,
    curve: Hypsometry | None = None,
    bay: Bay | None = None,
) -> xr.Dataset:
    """Level at which constant forcing balances, how fast the sea gets there, and what it depends on.

    Parameters
    ----------
    inflow : float or sequence of float, optional
        Inflow of all rivers, km³/yr; the mean of 2003-2022 when not given.
    net_evaporation : float or sequence of float, optional
        Evaporation less precipitation over the sea, mm/yr; the mean of 2003-2022 that closes the balance
        when not given.
    groundwater : float, optional
        km³/yr; the best value of its prior when not given.
    strait : {"recut", "natural", "dammed"}
        Strait as cut anew in 1992, the natural one, or a dam.
    area_factor : float
        Factor on the area of the sea at every level.
    curve : Hypsometry, optional
        The curve that ships with the package when not given.
    bay : Bay, optional
        Kara-Bogaz-Gol when not given.

    Returns
    -------
    xarray.Dataset
        ``level`` (m BHS), ``sea_area``, ``strait_outflow``, ``bay_level``, ``response_time`` and
        ``fast_response_time`` (e-folding times of the two modes of sea and bay, yr), and the sensitivities
        ``level_per_inflow`` and so on. What was given as a sequence is a dimension; there, what has no
        equilibrium is NaN.

    Raises
    ------
    OutOfRangeError
        When a number is out of its range, or there is no equilibrium within the curve.

    Notes
    -----
    The response time is that of small departures at the equilibrium. On a long way to it the area, and so the
    time, changes. Sensitivities are derivatives at the equilibrium, with the bay in balance.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.equilibrium().level                            # of the present climate
    >>> cs.equilibrium(inflow=[250, 275, 300]).response_time
    """
    base = _steady(groundwater, strait, area_factor)
    curve = load_hypsometry() if curve is None else curve
    bay = kara_bogaz_gol() if bay is None else bay
    flux, depth = (
        np.asarray(default if given is None else given, dtype=np.float64)
        for given, default in (
            (inflow, river_inflow(*BASELINE).sum(axis=0).mean()),
            (net_evaporation, _present_net_evaporation()),
        )
    )
    axes = [name for name, values in (("net_evaporation", depth), ("inflow", flux)) if values.ndim]
    for name, values in (("inflow", flux), ("net_evaporation", depth)):
        _check(name, values)
    found = []
    for rate in np.atleast_1d(depth):
        for rivers in np.atleast_1d(flux):
            forcing = replace(base, inflow=float(rivers), net_evaporation=float(rate))
            try:
                found.append(_solve(forcing, curve, bay))
            except OutOfRangeError:
                if not axes:
                    raise
                found.append({})
    return _dataset(found, flux, depth, axes, base, strait)


def _present_net_evaporation() -> float:
    """Mean net evaporation that closes the balance of the present climate, mm/yr."""
    closed = data.load("net_evaporation_implied")["net_evaporation"]
    return float(closed.sel(year=slice(*BASELINE)).mean())


def _steady(groundwater: float | None, strait: str, area_factor: float) -> Steady:
    if strait not in get_args(Strait):
        raise OutOfRangeError(f"there is no strait {strait!r}\n    allowed  {', '.join(get_args(Strait))}")
    best = best_values()
    own = best["groundwater"] if groundwater is None else groundwater
    _check("groundwater", np.asarray(own))
    _check("area_factor", np.asarray(area_factor))
    return Steady(
        inflow=np.nan,
        groundwater=own,
        net_evaporation=np.nan,
        bay_net_evaporation=best["bay_net_evaporation"],
        strait_coefficient=0.0 if strait == "dammed" else best[COEFFICIENTS[strait]],
        strait_sill=best["strait_sill"],
        area_factor=area_factor,
    )


def _check(name: str, values: Array) -> None:
    if values.ndim > 1 or not values.size:
        raise OutOfRangeError(
            f"{name} is a number or a sequence of numbers\n    found    shape {values.shape}"
        )
    low = values.min() if np.isfinite(values).all() else np.nan
    if not low >= 0.0 or (name == "area_factor" and low == 0.0):
        unit = {"net_evaporation": " mm/yr", "area_factor": ""}.get(name, " km³/yr")
        raise OutOfRangeError(
            f"{name} is out of range\n    found    {low:g}{unit}\n"
            f"    allowed  {'more than 0' if name == 'area_factor' else '0 or more'}"
        )


def _gain(level: float, water: float, forcing: Steady, curve: Hypsometry, bay: Bay) -> Array:
    """Rates at which sea and bay gain water, km³/yr: the right-hand side of the balance."""
    outflow, loss = _exchange(level, water, forcing, bay)
    vapour = forcing.net_evaporation * forcing.area_factor * curve.area(level) * MM_KM2_TO_KM3
    return np.array([forcing.inflow + forcing.groundwater - outflow - vapour, outflow - loss])


def _exchange(level: float, water: float, forcing: Steady, bay: Bay) -> tuple[float, float]:
    outflow, loss = bay_exchange(
        np.array([level]),
        np.array([water]),
        bay,
        np.array([forcing.strait_coefficient]),
        np.array([forcing.strait_sill]),
        np.zeros(1),
        np.array([forcing.bay_net_evaporation]),
    )
    return float(outflow[0]), float(loss[0])


def _bay_at_rest(level: float, forcing: Steady, bay: Bay) -> float:
    """Water in the bay that evaporates what the strait brings at a level of the sea, km³."""
    if _exchange(level, 0.0, forcing, bay)[0] <= 0.0:
        return 0.0

    def gain(water: float) -> float:
        outflow, loss = _exchange(level, water, forcing, bay)
        return outflow - loss

    # A bay as high as the sea takes nothing and loses water all the same.
    return float(brentq(gain, 0.0, float(bay.volume(level)), xtol=1e-13, rtol=1e-14))


def _solve(forcing: Steady, curve: Hypsometry, bay: Bay) -> dict[str, float]:
    """Equilibrium of one forcing."""

    def gain(level: float) -> float:
        return float(_gain(level, _bay_at_rest(level, forcing, bay), forcing, curve, bay)[0])

    low, high = float(curve.node_level[0]), float(curve.node_level[-1])
    at_low, at_high = gain(low), gain(high)
    if not at_low > 0.0 > at_high:
        raise OutOfRangeError(
            "there is no equilibrium within the hypsometric curve\n"
            f"    found    inflow {forcing.inflow:g} and groundwater {forcing.groundwater:g} km³/yr, net "
            f"evaporation {forcing.net_evaporation:g} mm/yr: the sea gains {at_low:.4g} km³/yr at "
            f"{low:g} m BHS and {at_high:.4g} at {high:g} m BHS\n"
            "    allowed  forcing under which it gains water at the lowest level and loses at the highest"
        )
    level = float(brentq(gain, low, high, xtol=LEVEL_TOLERANCE, rtol=1e-15))
    water = _bay_at_rest(level, forcing, bay)
    slow, fast = _response_times(level, water, forcing, curve, bay)
    bay_level, _ = bay.level_and_area(np.array([water]))
    return {
        "level": level,
        "sea_area": curve.area(level) * forcing.area_factor,
        "strait_outflow": _exchange(level, water, forcing, bay)[0],
        "bay_level": float(bay_level[0]),
        "response_time": slow,
        "fast_response_time": fast,
        **_sensitivities(level, water, forcing, curve, bay),
    }


def _slopes(level: float, water: float, forcing: Steady, curve: Hypsometry, bay: Bay) -> Array:
    """Differentiate the gains of sea and bay (rows) by level and by water in the bay (columns)."""
    step = max(WATER_STEP * water, SMALLEST_WATER)
    # A dry bay has no water to take away.
    less, more = max(water - step, 0.0), water + step
    by_level = _gain(level + LEVEL_STEP, water, forcing, curve, bay) - _gain(
        level - LEVEL_STEP, water, forcing, curve, bay
    )
    by_water = _gain(level, more, forcing, curve, bay) - _gain(level, less, forcing, curve, bay)
    return np.column_stack([by_level / (2.0 * LEVEL_STEP), by_water / (more - less)])


def _response_times(
    level: float, water: float, forcing: Steady, curve: Hypsometry, bay: Bay
) -> tuple[float, float]:
    """E-folding times of the two modes, the slower first, yr."""
    rise = KM2_M_PER_KM3 / (curve.area(level) * forcing.area_factor)
    jacobian = _slopes(level, water, forcing, curve, bay) * np.array([rise, 1.0])
    # Each basin gains what the other loses, so the eigenvalues are real.
    decay = np.sort(-np.linalg.eigvals(jacobian).real)
    return float(1.0 / decay[0]), float(1.0 / decay[1])


def _sensitivities(
    level: float, water: float, forcing: Steady, curve: Hypsometry, bay: Bay
) -> dict[str, float]:
    slopes = _slopes(level, water, forcing, curve, bay)
    found = {}
    for name, (moved, _, _) in SENSITIVITIES.items():
        value = getattr(forcing, moved)
        step = 1e-6 * max(abs(value), 1.0)
        # A closed strait cannot be closed further.
        below = value if moved == "strait_coefficient" and value == 0.0 else value - step
        ends = [
            _gain(level, water, replace(forcing, **{moved: end}), curve, bay) for end in (below, value + step)
        ]
        forced = (ends[1] - ends[0]) / (value + step - below)
        found[name] = float(-np.linalg.solve(slopes, forced)[0])
    return found


_DESCRIPTION = {
    "level": ("m", "equilibrium level of the sea"),
    "sea_area": ("km2", "area of the sea at the equilibrium"),
    "strait_outflow": ("km3 year-1", "outflow to Kara-Bogaz-Gol at the equilibrium"),
    "bay_level": ("m", "level of Kara-Bogaz-Gol at the equilibrium"),
    "response_time": ("year", "e-folding time of small departures, the slower mode of sea and bay"),
    "fast_response_time": ("year", "e-folding time of small departures, the faster mode of sea and bay"),
    **{
        name: (unit, f"change of the equilibrium level with {meaning}")
        for name, (_, unit, meaning) in SENSITIVITIES.items()
    },
}


def _dataset(
    found: Sequence[dict[str, float]],
    inflow: Array,
    net_evaporation: Array,
    axes: list[str],
    base: Steady,
    strait: str,
) -> xr.Dataset:
    coords = {
        "inflow": (inflow, "km3 year-1", "inflow of all rivers"),
        "net_evaporation": (net_evaporation, "mm year-1", "evaporation less precipitation over the sea"),
    }
    shape = [coords[name][0].size for name in axes]
    ds = xr.Dataset(
        coords={
            name: ((name,) if name in axes else (), values, {"units": units, "long_name": text})
            for name, (values, units, text) in coords.items()
        },
        attrs={
            **results.package_attributes(
                "Equilibrium of the Caspian Sea under constant forcing",
                "equilibrium",
                data.input_hashes(data.names()),
            ),
            "datum": "Baltic Height System (BHS)",
            "strait": strait,
        },
    )
    ds["groundwater"] = ((), base.groundwater, {"units": "km3 year-1", "long_name": "groundwater inflow"})
    ds["area_factor"] = ((), base.area_factor, {"units": "1", "long_name": "factor on the area of the sea"})
    ds = ds.set_coords(["groundwater", "area_factor"])
    for name, (units, text) in _DESCRIPTION.items():
        values = np.array([cell.get(name, np.nan) for cell in found]).reshape(shape)
        ds[name] = (tuple(axes), values, {"units": units, "long_name": text})
    for name in ("level", "bay_level"):
        ds[name].attrs["datum"] = ds.attrs["datum"]
    return ds
