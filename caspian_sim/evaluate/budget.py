r"""Four ways to solve the balance of the sea: for its level, for either of two fluxes, for the closure error.

.. math:: \frac{dV}{dt} = R + G - F - N\,A(h) - X

In a period (a year or a month) inflow *R*, groundwater *G*, outflow to the bay *F* and net evaporation *N*
are constant, and the area follows the level through the period. Given the level at both edges, the unknown is
the constant that takes the sea from one to the other: *N*, *F*, or the closure error *X*. It is found by
shooting with the solver that integrates projections, step by step as when the level is the unknown, so that
each of the four undoes the others to round-off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.balance import Basin
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.basin.exchange import MM_KM2_TO_KM3
from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.basin.shape import HIGHEST_LEVEL, LOWEST_LEVEL
from caspian_sim.basin.strait import strait_state
from caspian_sim.basin.volume_table import KM2_M_PER_KM3
from caspian_sim.climate.seasons import KM3_TO_KM2_MM, net_evaporation_departure
from caspian_sim.collect import Calendar
from caspian_sim.errors import DataError, OutOfRangeError, SolverError
from caspian_sim.evaluate.balance_result import balance_dataset
from caspian_sim.evaluate.balance_table import Table, read_table
from caspian_sim.evaluate.balance_terms import UNKNOWNS, Terms, choose_terms
from caspian_sim.evaluate.closure import LEVEL_RECORD_STARTS, left_over_depth, observed_bay
from caspian_sim.forcing import Forcing
from caspian_sim.record.bay import follow_level, strait_coefficient
from caspian_sim.record.posterior import best_values
from caspian_sim.solve import Solution, solve

Array = NDArray[np.float64]
Unknown = Literal["level", "net_evaporation", "strait_outflow", "closure"]

# Volume by which a shot may miss the level at the end of a period, km³: a ten-millionth of a millimetre.
TOLERANCE_KM3 = 1e-9
# Each shot shrinks the miss by the share of the area that a miss changes, a hundredth in the Caspian Sea.
MOST_SHOTS = 50
SD_TERMS = ("inflow", "groundwater", "net_evaporation", "strait_outflow", "level")


def solve_balance(
    table: Table,
    unknown: Unknown,
    *,
    start_level: float | None = None,
    bay_level: float | None = None,
    sd: Mapping[str, float] | None = None,
    curve: Hypsometry | None = None,
) -> xr.Dataset:
    r"""Solve the water balance of the sea for one of its terms, year by year or month by month.

    Parameters
    ----------
    table : path, pandas.DataFrame or xarray.Dataset
        Terms of the balance, one row a year or a month, without gaps. A CSV file or a data frame has the
        columns ``year``, for a monthly table ``month``, and ``inflow_km3_per_yr``,
        ``groundwater_km3_per_yr``, ``net_evaporation_mm_per_yr`` (or ``precipitation_mm_per_yr`` and
        ``evaporation_mm_per_yr``), ``strait_outflow_km3_per_yr``, ``level_end_m_bhs`` or
        ``level_mean_m_bhs``. A dataset, such as a result of this function, has variables of these names
        without the units. Every flux is a rate per year, also in a month. Groundwater has the best value of
        its prior when it is not there.
    unknown : {"level", "net_evaporation", "strait_outflow", "closure"}
        What is solved for. A column of the unknown itself is not used.
    start_level : float, optional
        Level at the start of the first row, m BHS.
    bay_level : float, optional
        Level of Kara-Bogaz-Gol at the start of the first period that is solved, m BHS, for the rating of the
        strait; from the history of the bay under the observed level of the sea when not given.
    sd : mapping of str to float, optional
        Standard deviations of the terms: ``inflow``, ``groundwater``, ``strait_outflow`` in km³/yr,
        ``net_evaporation`` in mm/yr, ``level`` at the edges in m. Not for the unknown ``level``.
    curve : Hypsometry, optional
        The curve that ships with the package when not given.

    Returns
    -------
    xarray.Dataset
        By ``time``: all terms, the rise of ``storage``, ``level_end``, ``level_mean``, ``sea_area`` and
        ``closure_error`` (gains less losses less rise of storage, zero unless it is the unknown); with `sd`
        also the standard deviation of the unknown, of first order, the errors of all terms and periods being
        independent.

    Raises
    ------
    DataError
        When the table is wrong, with file and line; or when the rating needs a level of the bay.
    OutOfRangeError
        When `unknown` or a name in `sd` is none of the above.
    SolverError
        When the sea leaves the curve, or no constant flux takes it from one level to the next.

    Notes
    -----
    *Levels.* With ``level_end`` the level of the first row starts the second, unless `start_level` starts the
    first. With ``level_mean`` the level at an edge is that between the means on both sides, linear in time
    from middle to middle, and the first and the last row only serve for that: the mean of the next period is
    needed to know where this one ends, so that a year's result **knows half of the next year's level** and
    must not be used as a forecast of it; and means flatten the seasonal cycle of the edges, in months by 3 %.

    *Strait.* Where the table has no ``strait_outflow`` and it is not the unknown, the rating of the strait
    gives it, with the history of dam and opening and the best values of all parameters: from the level that
    is being solved for, or else from the given level, linear between the edges. The mean outflow of each
    period is then held constant in it like every other term.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> found = cs.solve_balance("terms.csv", "net_evaporation")
    >>> cs.solve_balance(found, "level", start_level=float(found.start_level)).level_end
    """
    if unknown not in UNKNOWNS:
        raise OutOfRangeError(
            f"the balance cannot be solved for {unknown!r}\n    allowed  {', '.join(get_args(Unknown))}"
        )
    deviations = _checked_sd(sd, unknown)
    curve = load_hypsometry() if curve is None else curve
    terms = choose_terms(read_table(table), unknown, start_level, curve)
    rated = terms.strait_outflow is None and unknown != "strait_outflow"
    basin = _basin(curve)
    if unknown == "level":
        strait, solution = _march(terms, basin, curve, bay_level)
        net, edge_volume = cast(Array, terms.net_evaporation), solution.volume[:, 0]
        start = float(terms.edges[0])
        level_end = basin.level_and_area(edge_volume)[0]
        volume = np.append(curve.volume(start) - curve.reference_volume, edge_volume)
        mean, area = solution.level[:, 0], solution.area[:, 0]
    else:
        given = _rated_outflow(terms, bay_level) if rated else terms.strait_outflow
        net, extra, solution = _shoot(terms, basin, curve, given)
        strait = extra if given is None else given
        start, level_end = float(terms.edges[0]), terms.edges[1:]
        volume = np.asarray(curve.volume(terms.edges)) - curve.reference_volume
        mean, area = solution.level[0], solution.area[0]
    storage = np.diff(volume) / terms.length
    error = closure_error(terms.inflow + terms.groundwater, strait, net, area, storage)
    values = {
        "inflow": terms.inflow,
        "groundwater": terms.groundwater,
        **terms.parts,
        "net_evaporation": net,
        "strait_outflow": strait,
        "storage": storage,
        "closure_error": error,
        "level_end": level_end,
        "level_mean": mean,
        "sea_area": area,
    }
    if deviations:
        values[_SD_OF[unknown]] = _standard_deviation(deviations, unknown, area, terms.length)
    return balance_dataset(terms, unknown, "rating" if rated else "given", start, values)


def closure_error(
    gain: Array, strait_outflow: Array, net_evaporation: Array, area: Array, storage: Array
) -> Array:
    r"""Closure error: what the balance lacks when all of its terms are given.

    Parameters
    ----------
    gain : ndarray
        Inflow and groundwater, km³/yr.
    strait_outflow, storage : ndarray
        Outflow to the bay and rise of storage, km³/yr.
    net_evaporation, area : ndarray
        mm/yr, and the mean area of the sea in km².

    Returns
    -------
    ndarray
        km³/yr; positive where more water came than is accounted for.

    Notes
    -----
    .. math:: X = R + G - F - N A - \Delta V
    """
    return np.asarray(gain - strait_outflow - net_evaporation * area * MM_KM2_TO_KM3 - storage)


def _basin(curve: Hypsometry) -> Basin:
    low, high = max(float(curve.node_level[0]), LOWEST_LEVEL), min(float(curve.node_level[-1]), HIGHEST_LEVEL)
    sill = best_values()["strait_sill"]
    return Basin(curve.volume_table(low, high), kara_bogaz_gol(), np.ones(1), np.array([sill]))


def _march(terms: Terms, basin: Basin, curve: Hypsometry, bay_level: float | None) -> tuple[Array, Solution]:
    """Outflow of each period, and the course of the sea, from the first level on."""
    calendar, net = terms.calendar, cast(Array, terms.net_evaporation)
    annual = calendar.frequency == "annual"
    # A year of constant terms is cut into twelve equal parts, as it is when a shot crosses it.
    even = np.full(len(calendar.years), 1.0 / MONTHS) if annual else calendar.length
    sea = np.atleast_1d(np.asarray(curve.volume(terms.edges[0]))) - curve.reference_volume

    def run(length: Array, bay: Array, coefficient: Array, pipes: Array, bay_net: Array) -> Solution:
        return solve(
            Forcing(
                length=length,
                first_year=calendar.first_year,
                external=(terms.inflow + terms.groundwater)[:, None],
                precipitation=np.zeros((1, 1)),
                evaporation=net[:, None],
                strait_coefficient=coefficient,
                pipe_outflow=pipes,
                bay_net_evaporation=bay_net,
            ),
            basin,
            sea,
            bay,
            calendar.interval,
            name=lambda _: "the sea",
        )

    outflow = terms.strait_outflow
    if outflow is None:
        coefficient, pipes, bay_net = _strait(calendar)
        bay = _bay_at_start(calendar, bay_level)
        free = run(calendar.length, bay, coefficient, pipes[:, None], bay_net)
        outflow = free.strait_outflow[:, 0]
    none = np.zeros((1, 1))
    return outflow, run(even, np.zeros(1), none, outflow[:, None], none)


def _strait(calendar: Calendar) -> tuple[Array, Array, Array]:
    """Weir coefficient, flow through pipes and net evaporation of the bay by month, with best parameters."""
    best = _best()
    opening, recut, pipes = strait_state(calendar.years, calendar.months)
    season = net_evaporation_departure(calendar.fractions).ravel()[:, None]
    if calendar.frequency == "annual":
        season = np.zeros_like(season)
    return opening[:, None] * strait_coefficient(recut, best), pipes, best["bay_net_evaporation"] + season


def _best() -> dict[str, Array]:
    return {name: np.array([value]) for name, value in best_values().items()}


def _bay_at_start(calendar: Calendar, bay_level: float | None) -> Array:
    """Water in the bay when the first period starts, km³, shape (1,)."""
    if bay_level is not None:
        bay = kara_bogaz_gol()
        if not bay.floor <= bay_level <= HIGHEST_LEVEL:
            raise DataError(
                "the level of the bay is outside its shape\n"
                f"    found    {bay_level:g} m BHS\n    allowed  {bay.floor:g} to {HIGHEST_LEVEL:g} m BHS"
            )
        return np.atleast_1d(bay.volume(bay_level))
    before, last = calendar.first_year - 1, int(data.load("sea_level_annual")["year"][-1])
    if not LEVEL_RECORD_STARTS <= before <= last:
        raise DataError(
            "the rating of the strait needs the level of Kara-Bogaz-Gol at the start\n"
            f"    found    a table that starts in {calendar.first_year}\n"
            f"    allowed  a start in {LEVEL_RECORD_STARTS + 1} to {last + 1}, for which the record of the "
            "sea gives it; bay_level (--bay-level) in m BHS; or a column strait_outflow_km3_per_yr"
        )
    return observed_bay(LEVEL_RECORD_STARTS, before, known_until=before)[1][-1:]


def _rated_outflow(terms: Terms, bay_level: float | None) -> Array:
    """Outflow to the bay in each period under the given level, linear between the edges."""
    calendar = terms.calendar
    edges = calendar.edges if calendar.frequency == "monthly" else calendar.edges[::MONTHS]
    history = follow_level(
        calendar,
        np.interp(calendar.edges, edges, terms.edges),
        _best(),
        _bay_at_start(calendar, bay_level),
        seasons=calendar.frequency == "monthly",
    )
    return calendar.interval_mean(history.outflow[:, 0])


def _shoot(
    terms: Terms, basin: Basin, curve: Hypsometry, strait_outflow: Array | None
) -> tuple[Array, Array, Solution]:
    """Take the sea from edge to edge by a constant flux.

    Every period is a member of one ensemble. Returned are net evaporation (mm/yr), the outflow that meets the
    level (km³/yr; that of the table when net evaporation is the unknown), and the courses.
    """
    length, gain = terms.length, terms.inflow + terms.groundwater
    volume = np.asarray(curve.volume(terms.edges)) - curve.reference_volume
    storage = np.diff(volume) / length
    area = np.asarray(curve.area(0.5 * (terms.edges[1:] + terms.edges[:-1])))
    outflow = np.zeros_like(gain) if strait_outflow is None else strait_outflow
    net = terms.net_evaporation
    if net is None:
        rate = left_over_depth(gain - outflow, storage, area)
    else:
        rate, outflow = net, closure_error(gain, np.zeros_like(gain), net, area, storage)
    parts = MONTHS if terms.calendar.frequency == "annual" else 1
    for _ in range(MOST_SHOTS):
        course = _courses(terms, basin, volume[:-1], gain - outflow, rate, parts)
        miss = (course.volume[-1] - volume[1:]) / length
        if np.abs(miss * length).max() <= TOLERANCE_KM3:
            return rate, outflow, course
        if net is None:
            rate = rate + miss / course.area[0] * KM3_TO_KM2_MM
        else:
            outflow = outflow + miss
    worst = int(np.abs(miss).argmax())
    raise SolverError(
        "no constant flux takes the sea from one level to the next\n"
        f"    found    {miss[worst]:.3g} km³/yr missed in period {worst + 1} of {len(miss)}, from "
        f"{terms.edges[worst]:.10g} to {terms.edges[worst + 1]:.10g} m BHS"
    )


def _courses(terms: Terms, basin: Basin, sea: Array, gain: Array, net: Array, parts: int) -> Solution:
    """Integrate all periods side by side, each over a time of one in as many parts."""
    count, none = len(sea), np.zeros((1, 1))
    return solve(
        Forcing(
            length=np.full(parts, 1.0 / parts),
            first_year=terms.calendar.first_year,
            external=(gain * terms.length)[None],
            precipitation=none,
            evaporation=(net * terms.length)[None],
            strait_coefficient=none,
            pipe_outflow=none,
            bay_net_evaporation=none,
        ),
        Basin(basin.table, basin.bay, np.ones(count), np.full(count, basin.sill[0])),
        sea,
        np.zeros(count),
        np.zeros(parts, dtype=np.int64),
        name=lambda period: f"period {period + 1}",
    )


_SD_OF = {
    "net_evaporation": "net_evaporation_sd",
    "strait_outflow": "strait_outflow_sd",
    "closure": "closure_error_sd",
}


def _checked_sd(sd: Mapping[str, float] | None, unknown: str) -> Mapping[str, float]:
    if not sd:
        return {}
    wrong = [name for name, value in sd.items() if name not in SD_TERMS or not 0.0 <= value < np.inf]
    if wrong:
        raise OutOfRangeError(
            f"sd: {wrong[0]!r} is wrong\n    found    {sd[wrong[0]]}\n"
            f"    allowed  0 or more for {', '.join(SD_TERMS)}"
        )
    if unknown == "level":
        raise OutOfRangeError(
            "sd does not go with the unknown level, whose error grows from period to period\n"
            f"    allowed  the unknown {', '.join(_SD_OF)}"
        )
    return sd


def _standard_deviation(sd: Mapping[str, float], unknown: str, area: Array, length: Array) -> Array:
    """First-order standard deviation of the unknown from those of all other terms."""
    weight = {
        "inflow": np.ones_like(area),
        "groundwater": np.ones_like(area),
        "strait_outflow": np.ones_like(area),
        "net_evaporation": area * MM_KM2_TO_KM3,
        # The levels at both edges, each with an error of its own.
        "level": np.sqrt(2.0) * area / KM2_M_PER_KM3 / length,
    }
    flux = np.sqrt(sum((weight[name] * value) ** 2 for name, value in sd.items() if name != unknown))
    return np.asarray(flux / weight[unknown] if unknown in weight else flux)
