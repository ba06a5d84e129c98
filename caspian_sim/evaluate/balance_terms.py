"""What a balance is solved from: the terms of the periods, and the level at their edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caspian_sim import data
from caspian_sim.basin.hypsometry import Hypsometry
from caspian_sim.basin.rivers import MONTHS
from caspian_sim.collect import Calendar
from caspian_sim.config.problems import Finding, Problem
from caspian_sim.errors import DataError
from caspian_sim.evaluate.balance_table import TERMS, Rows, check_levels, complain

Array = NDArray[np.float64]

UNKNOWNS = ("level", "net_evaporation", "strait_outflow", "closure")
# Rows whose levels give the level at the start, in a table of levels at the end and of mean levels.
FIRST_ROWS = {"level_end": 1, "level_mean": 2}
# How far net evaporation may be from the difference of its parts, mm/yr: each may be rounded to a whole one.
ROUNDED = 1.5


@dataclass(frozen=True)
class Terms:
    """Terms of the periods that are solved.

    Attributes
    ----------
    calendar : Calendar
        Its output intervals are the periods.
    inflow, groundwater : ndarray, shape (period,)
        km³/yr.
    net_evaporation : ndarray, shape (period,), or None
        mm/yr; None when it is the unknown.
    strait_outflow : ndarray, shape (period,), or None
        km³/yr; None when it is the unknown or follows from the rating.
    parts : mapping of name to ndarray
        Precipitation and evaporation, mm/yr, when the table gives these.
    edges : ndarray
        Level at the edges of the periods, m BHS, shape (period + 1,); only the first of them, shape (1,),
        when the level is the unknown.
    levels : str
        What the levels come from: ``level_end``, ``level_mean`` or ``start_level``.
    """

    calendar: Calendar
    inflow: Array
    groundwater: Array
    net_evaporation: Array | None
    strait_outflow: Array | None
    parts: Mapping[str, Array]
    edges: Array
    levels: str

    @property
    def length(self) -> Array:
        """Length of each period, yr, shape (period,)."""
        monthly = self.calendar.frequency == "monthly"
        return self.calendar.length if monthly else np.ones(len(self.inflow))


def choose_terms(rows: Rows, unknown: str, start_level: float | None, curve: Hypsometry) -> Terms:
    """Take from a table what a balance needs.

    Parameters
    ----------
    rows : Rows
    unknown : str
        One of :data:`UNKNOWNS`. Its own column is not used.
    start_level : float or None
        Level at the start of the first row, m BHS.
    curve : Hypsometry

    Returns
    -------
    Terms

    Raises
    ------
    DataError
        When a term or a value is missing, or the periods are not whole years.
    """
    start_level = rows.start_level if start_level is None else start_level
    levels, edges, kept = _levels(rows, unknown, start_level, curve)
    solved = rows.part(kept)
    _check_years(solved)
    values = {name: _complete(solved, name) for name in _needed(solved, unknown)}
    groundwater = data.parameters()["groundwater"].best
    net = values.get("net_evaporation")
    if "evaporation" in values:
        difference = values["evaporation"] - values["precipitation"]
        net = difference if net is None else net
        _check_parts(solved, net, difference)
    return Terms(
        calendar=Calendar(int(solved.year[0]), int(solved.year[-1]), solved.frequency),
        inflow=values["inflow"],
        groundwater=values.get("groundwater", np.full(len(solved.year), groundwater)),
        net_evaporation=net,
        strait_outflow=values.get("strait_outflow"),
        parts={name: values[name] for name in ("precipitation", "evaporation") if name in values},
        edges=edges,
        levels=levels,
    )


def _levels(
    rows: Rows, unknown: str, start_level: float | None, curve: Hypsometry
) -> tuple[str, Array, slice]:
    """Find what the levels come from, the level at the edges, and the rows between these edges."""
    free = unknown == "level"
    given = next((name for name in FIRST_ROWS if name in rows.values), None)
    if start_level is not None and (free or given == "level_end"):
        _check_start(start_level, curve)
        if free:
            return "start_level", np.array([start_level]), slice(None)
        level = _complete(rows, "level_end")
        check_levels(rows, "level_end", curve)
        return "level_end", np.append(start_level, level), slice(None)
    if given is None:
        columns = " or ".join(TERMS[name].column for name in FIRST_ROWS)
        raise DataError(
            f"{rows.source}: the table has no level\n    allowed  a column {columns}"
            + (", or a level at the start (start_level, --start-level)" if free else "")
        )
    if start_level is not None:
        raise DataError(
            f"{rows.source}: a level at the start does not go with mean levels\n"
            f"    found    {start_level:g} m BHS and a column {TERMS[given].column}\n"
            "    hint     mean levels give the level at the edges between the first row and the last"
        )
    outer = FIRST_ROWS[given]
    if len(rows.year) <= outer:
        raise DataError(
            f"{rows.source}: the table has too few rows\n    found    {len(rows.year)}\n"
            f"    allowed  {outer + 1} or more: {_ROLE[given]}"
        )
    known = rows.part(slice(outer)) if free else rows
    level = _complete(known, given)
    check_levels(known, given, curve)
    if given == "level_end":
        return given, level, slice(1, None)
    edges = rows.edges
    middle = 0.5 * (edges[1:] + edges[:-1])[: len(level)]
    return given, np.interp(edges[1 : len(level)], middle, level), slice(1, -1)


_ROLE = {
    "level_end": "the first gives the level at the start",
    "level_mean": "the first and the last give the level at the edges alone",
}


def _check_start(level: float, curve: Hypsometry) -> None:
    low, high = float(curve.node_level[0]), float(curve.node_level[-1])
    if not low <= level <= high:
        raise DataError(
            "the level at the start is outside the hypsometric curve\n"
            f"    found    {level:.10g} m BHS\n    allowed  {low:g} to {high:g} m BHS"
        )


def _needed(rows: Rows, unknown: str) -> list[str]:
    """Terms to take; those without which the balance cannot be solved have to be there."""
    missing = [] if "inflow" in rows.values else [TERMS["inflow"].column]
    found = [name for name in ("inflow", "groundwater") if name in rows.values]
    if unknown != "strait_outflow" and "strait_outflow" in rows.values:
        found.append("strait_outflow")
    if unknown != "net_evaporation":
        parts = [name for name in ("evaporation", "precipitation") if name in rows.values]
        given = ["net_evaporation"] if "net_evaporation" in rows.values else []
        given += parts if len(parts) == 2 else []
        found += given
        if not given:
            both = " and ".join(TERMS[name].column for name in ("evaporation", "precipitation"))
            missing.append(f"{TERMS['net_evaporation'].column} (or {both})")
    if missing:
        have = ", ".join(TERMS[name].column for name in rows.values) or "none"
        raise DataError(
            f"{rows.source}: the balance cannot be solved for {unknown.replace('_', ' ')}: "
            f"a term is missing\n    found    {have}\n    needed   {', '.join(missing)}"
        )
    return found


def _check_parts(rows: Rows, net: Array, difference: Array) -> None:
    complain(
        [
            rows.problem(
                int(row),
                "net_evaporation",
                "net evaporation is not evaporation less precipitation",
                found=f"{net[row]:.10g} mm/yr",
                allowed=f"{difference[row]:.10g} mm/yr, or one of the two columns less",
            )
            for row in np.flatnonzero(np.abs(net - difference) > ROUNDED)
        ]
    )


def _complete(rows: Rows, name: str) -> Array:
    values = rows.values[name]
    complain(
        [
            rows.problem(
                int(row), name, "no value", found=f"nothing in {rows.label(int(row))}", allowed="a number"
            )
            for row in np.flatnonzero(np.isnan(values))
        ]
    )
    return values


def _check_years(rows: Rows) -> None:
    if not rows.monthly:
        return
    for row, wanted in ((0, 1), (-1, MONTHS)):
        if rows.month[row] != wanted:
            end = "begin" if row == 0 else "end"
            complain(
                [
                    Problem(
                        Finding(
                            f"the months that are solved do not {end} with a year",
                            rows.label(row),
                            f"month {wanted}",
                            "with level_end the first row, with level_mean the first and the last row only "
                            "carry a level: a December before, a January after",
                        ),
                        rows.origin[row],
                    )
                ]
            )
