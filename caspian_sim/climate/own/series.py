"""Series of a user's own, checked and brought to annual values and the shape of the months.

Nothing is interpolated, extended or dropped in silence: a series either has every month or year that the run
needs, in a unit that is known and with a size that is possible, or it is refused with the place of the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caspian_sim.basin.rivers import RIVERS, month_fractions
from caspian_sim.climate.own.checks import amounts, check_size, unit_of
from caspian_sim.climate.own.csv_file import read_csv
from caspian_sim.climate.own.netcdf_file import read_netcdf
from caspian_sim.climate.own.traces import (
    HISTORICAL,
    TOTAL,
    Array,
    OwnFile,
    Trace,
    Whole,
    plain_scenario,
    refuse,
)
from caspian_sim.climate.own.units import Unit
from caspian_sim.config import OwnSeries
from caspian_sim.config.problems import did_you_mean

CSV_ENDINGS, NETCDF_ENDINGS = (".csv", ".txt"), (".nc", ".nc4", ".h5")


@dataclass(frozen=True)
class Bank:
    """All series of one term, or of one river.

    Attributes
    ----------
    annual : ndarray, shape (scenario, series, year)
        Over the years of the run, mm/yr or km³/yr.
    baseline : ndarray, shape (scenario, series), or None
        Mean over the baseline, where changes are wanted.
    months : ndarray, shape (scenario, series, month), or None
        Where the file is monthly: rates relative to their annual mean; for evaporation, departures from it in
        mm/yr.
    """

    annual: Array
    baseline: Array | None
    months: Array | None


@dataclass(frozen=True)
class OwnTerm:
    """One term of the balance from a file.

    Attributes
    ----------
    term : {"precipitation", "evaporation", "river_inflow"}
    settings : OwnSeries
        How it is used.
    banks : mapping of name to Bank
        Under the name of the term, or of each river, or ``total``.
    rows : mapping of scenario to int
        Place of each scenario of the run in the banks.
    members : tuple of str
        Series, by their names in the file; empty when there is a single one without a name.
    baseline : (int, int) or None
        First and last year that changes are taken against.
    calendar : str
    unit : Unit
    """

    term: str
    settings: OwnSeries
    banks: Mapping[str, Bank]
    rows: Mapping[str, int]
    members: tuple[str, ...]
    baseline: tuple[int, int] | None
    calendar: str
    unit: Unit


def read_term(
    term: str,
    settings: OwnSeries,
    scenarios: Sequence[str],
    years: Whole,
    baseline: tuple[int, int],
    present_inflow: Mapping[str, float],
) -> OwnTerm:
    """Read and check the file of a term.

    Parameters
    ----------
    term : {"precipitation", "evaporation", "river_inflow"}
    settings : OwnSeries
    scenarios : sequence of str
        Scenarios of the run.
    years : ndarray of int
        Years of the run.
    baseline : (int, int)
        Present climate of the model, where the settings give no other.
    present_inflow : mapping of river to float
        Present inflow in km³/yr, for a look at the size of the values.

    Returns
    -------
    OwnTerm

    Raises
    ------
    DataError
        When anything about the file is not as it must be.
    """
    file = _read(settings.file, settings.variable)
    if settings.baseline is not None:
        baseline = settings.baseline.start, settings.baseline.end
    change = settings.use == "change"
    span = (
        (min(baseline[0], int(years[0])), max(baseline[1], int(years[-1])))
        if change
        else (years[0], years[-1])
    )
    span = int(span[0]), int(span[1])
    in_run = years - span[0]
    in_baseline = slice(baseline[0] - span[0], baseline[1] - span[0] + 1)
    columns = _columns(term, file, settings)
    unit = unit_of(term, file, settings)
    wanted, rows = _scenarios(file, scenarios)
    members = _members(file, wanted)
    size = len(wanted), len(members)
    totals: dict[str, Array] = {}
    banks = {}
    for name, traces in columns.items():
        parts = _by_series(traces)
        series = [
            amounts(
                file,
                term,
                [*(parts.get((HISTORICAL, member), ()) if scenario else ()), *parts[scenario, member]],
                unit,
                span,
            )
            for scenario in wanted
            for member in members
        ]
        stacked = np.stack(series)  # (series, year, month) or (series, year)
        annual = stacked.sum(axis=-1) if file.monthly else stacked
        totals[name] = annual
        reference = annual[:, in_baseline].mean(axis=1) if change else None
        if reference is not None and term != "evaporation" and (reference <= 0.0).any():
            refuse(
                f"{file.path}:",
                f"{traces[0].column} has no flow over the baseline {baseline[0]}-{baseline[1]}",
                found="a mean of 0",
                allowed="a mean above 0, to take changes against",
            )
        banks[name] = Bank(
            annual[:, in_run].reshape(*size, -1),
            None if reference is None else reference.reshape(size),
            _months(term, stacked[:, in_run], years).reshape(*size, -1) if file.monthly else None,
        )
    check_size(term, file, unit, totals, span, present_inflow)
    named = tuple(member for member in members if member is not None)
    return OwnTerm(term, settings, banks, rows, named, baseline if change else None, file.calendar, unit)


def _read(path: str, variable: str | None) -> OwnFile:
    ending = Path(path).suffix.casefold()
    if ending not in (*CSV_ENDINGS, *NETCDF_ENDINGS):
        refuse(
            f"{path}:",
            "the ending does not say what kind of file this is",
            found=ending or "none",
            allowed=f"{', '.join(CSV_ENDINGS)} for CSV, {', '.join(NETCDF_ENDINGS)} for NetCDF",
        )
    return (read_csv if ending in CSV_ENDINGS else read_netcdf)(path, variable)


def _columns(term: str, file: OwnFile, settings: OwnSeries) -> dict[str, list[Trace]]:
    """Traces by the name of the term, by river, or as the total of the rivers."""
    if term != "river_inflow":
        names = dict.fromkeys(trace.column for trace in file.traces)
        if len(names) > 1:
            refuse(
                f"{file.path}:",
                "there are several columns of values",
                found=", ".join(names),
                hint=f"name one of them by the key forcing.{term}.variable",
            )
        return {term: file.traces}
    columns: dict[str, list[Trace]] = {}
    for trace in file.traces:
        name = TOTAL if trace.river is None else trace.river.casefold()
        if name not in RIVERS and settings.variable is not None and trace.lines is not None:
            name = TOTAL  # a column that was asked for by its name
        if name not in (*RIVERS, TOTAL):
            refuse(
                f"{file.path}:",
                f"{trace.river!r} is not a river of the model",
                found=repr(trace.river),
                allowed=f"{', '.join(RIVERS)}; or one {TOTAL}",
                hint=did_you_mean(trace.river, (*RIVERS, TOTAL)),
            )
        columns.setdefault(name, []).append(trace)
    if TOTAL in columns and len(columns) > 1:
        refuse(
            f"{file.path}:",
            "there is a total beside rivers",
            found=", ".join(columns),
            allowed=f"rivers, or one {TOTAL}",
        )
    return columns


# ---- scenarios and members -----------------------------------------------------------------------------


def _scenarios(file: OwnFile, scenarios: Sequence[str]) -> tuple[list[str | None], dict[str, int]]:
    """Scenarios to take from a file, and the place of each scenario of the run among them."""
    there = dict.fromkeys(trace.scenario for trace in file.traces)
    if None in there:
        return [None], dict.fromkeys(scenarios, 0)
    known = {plain_scenario(str(name)) for name in there}
    for scenario in scenarios:
        if scenario not in known:
            refuse(
                f"{file.path}:",
                f"there is no scenario {scenario}, which the run needs",
                found=", ".join(map(str, there)),
                hint="leave it out of climate.scenarios; a file without scenarios serves all of them",
            )
    return list(scenarios), {scenario: row for row, scenario in enumerate(scenarios)}


def _by_series(traces: Sequence[Trace]) -> dict[tuple[str | None, str | None], list[Trace]]:
    """Traces by scenario, as the package writes it, and member."""
    found: dict[tuple[str | None, str | None], list[Trace]] = {}
    for trace in traces:
        scenario = None if trace.scenario is None else plain_scenario(trace.scenario)
        found.setdefault((scenario, trace.member), []).append(trace)
    return found


def _members(file: OwnFile, scenarios: Sequence[str | None]) -> list[str | None]:
    """Members of a file, which must be the same in all scenarios: the run compares them member by member."""
    of: dict[str | None, dict[str | None, None]] = {}
    for scenario, member in _by_series(file.traces):
        of.setdefault(scenario, {})[member] = None
    first = of[scenarios[0]]
    for scenario in scenarios[1:]:
        for lacking, there, other in ((scenario, of[scenario], first), (scenarios[0], first, of[scenario])):
            missing = next((member for member in other if member not in there), None)
            if missing is not None:
                refuse(
                    f"{file.path}:",
                    f"scenario {lacking} has no member {missing}, which another scenario has",
                    found=", ".join(map(str, there)),
                    allowed="the same members in all scenarios, which are compared member by member",
                )
    return list(first)


def _months(term: str, amounts: Array, years: Whole) -> Array:
    """Shape of the months (series, month) from the water of each (series, year, 12)."""
    rate = amounts / month_fractions(years)
    annual = amounts.sum(axis=-1, keepdims=True)
    if term == "evaporation":
        shape = rate - annual
    else:
        shape = np.divide(rate, annual, out=np.ones_like(rate), where=annual > 0.0)
    return np.asarray(shape.reshape(len(amounts), -1))
