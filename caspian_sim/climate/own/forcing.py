"""A user's own series in place of the model's climate: of precipitation, evaporation or rivers.

What a file does not give stays the model's. Members take the series of a file in turn, so that however many
there are, memory holds each series once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.rivers import RIVERS, month_days
from caspian_sim.climate.own.series import Bank, OwnTerm, read_term
from caspian_sim.climate.own.traces import TOTAL, refuse
from caspian_sim.climate.scenario import (
    BASELINE,
    OwnMonths,
    PresentClimate,
    ScenarioClimate,
    present_climate,
    present_inflow,
)
from caspian_sim.config import OwnForcing

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

LOGGER = logging.getLogger("caspian_sim")


def read_own_forcing(
    forcing: OwnForcing, scenarios: Sequence[str], years: Whole, members: int
) -> tuple[OwnTerm, ...]:
    """Read and check every file that a configuration names for its forcing.

    Parameters
    ----------
    forcing : OwnForcing
    scenarios : sequence of str
    years : ndarray of int
        Years of the run.
    members : int
        Members of the run.

    Returns
    -------
    tuple of OwnTerm
        Empty when the climate is all the model's.

    Raises
    ------
    DataError
        When a file cannot be used.
    """
    flows = dict(zip(RIVERS, present_inflow().tolist(), strict=True))
    terms = tuple(
        read_term(term, settings, scenarios, years, BASELINE, flows) for term, settings in forcing.given()
    )
    _check_members(terms)
    for term in terms:
        LOGGER.info("forcing.%s: %s", term.term, description(term))
        _warn(term, terms, members)
    return terms


def _check_members(terms: Sequence[OwnTerm]) -> None:
    """Terms of one climate model belong together: their members must be the same."""
    several = [term for term in terms if len(term.members) > 1]
    for term in several[1:]:
        first = several[0]
        if term.members != first.members:
            refuse(
                f"{term.settings.file}:",
                f"the members are not those of forcing.{first.term}",
                found=", ".join(term.members),
                allowed=", ".join(first.members),
                hint="a member takes the same series of every file; a file with one serves all members",
            )


def _warn(term: OwnTerm, terms: Sequence[OwnTerm], members: int) -> None:
    if len(term.members) > members:
        LOGGER.warning(
            "forcing.%s: the run has %d members and leaves %d of the %d series of the file unused",
            term.term,
            members,
            len(term.members) - members,
            len(term.members),
        )
    days = month_days(np.array([2001]), term.calendar).sum()
    if days == 360.0 and term.settings.use == "absolute" and term.unit.time in ("s", "day"):
        LOGGER.warning(
            "forcing.%s: the years of the file have 360 days, and at the same rate 1.4 %% less water "
            "than real ones; use: change takes that out",
            term.term,
        )
    alone = not any(other.term == "evaporation" for other in terms)
    if term.term == "precipitation" and term.settings.variability == "own" and alone:
        LOGGER.warning(
            "forcing.precipitation: net evaporation has the variability of this precipitation alone, "
            "since the model's is not split; variability: added keeps the model's as well"
        )


def description(term: OwnTerm) -> str:
    """One line on what is used, and how."""
    settings = term.settings
    file = Path(settings.file).name
    monthly = any(bank.months is not None for bank in term.banks.values())
    parts = [
        f"{', '.join(term.banks)} of {file}" if term.term == "river_inflow" else file,
        f"{'monthly' if monthly else 'annual'} in {term.unit}, {term.calendar} calendar",
    ]
    mean = sum(float(bank.annual.mean()) for bank in term.banks.values())
    parts.append(f"mean {mean:.4g} {'km³/yr' if term.unit.kind == 'volume' else 'mm/yr'} over the run")
    if term.baseline is not None:
        parts.append("change against {}-{}".format(*term.baseline))
    else:
        parts.append("absolute")
    parts.append(f"variability {settings.variability}")
    if len(term.rows) > len(set(term.rows.values())):
        parts.append("the same in all scenarios")
    if len(term.members) > 1:
        parts.append(f"member i takes series i mod {len(term.members)} of {', '.join(term.members)}")
    return "; ".join(parts)


def with_own_series(
    climate: ScenarioClimate,
    terms: Sequence[OwnTerm],
    scenario: str,
    members: Whole,
    parameters: Mapping[str, Array],
) -> ScenarioClimate:
    r"""Put own series in the place of the model's.

    Parameters
    ----------
    climate : ScenarioClimate
        That of the model.
    terms : sequence of OwnTerm
    scenario : str
    members : ndarray of int, shape (member,)
        Numbers of the members: member *i* takes series *i* modulo the number of series.
    parameters : mapping of name to ndarray, shape (member,)

    Returns
    -------
    ScenarioClimate

    Notes
    -----
    With the value *x* of the file and its mean over the baseline, ``change`` gives
    :math:`\bar X\,x/\bar x` for precipitation and inflow and :math:`\bar E + x - \bar x` for evaporation.
    The variability of net evaporation, which the model does not split, stands in its evaporation: it is left
    out as soon as precipitation or evaporation brings its own.
    """
    if not terms:
        return climate
    shares = present_inflow() / present_inflow().sum()
    present = present_climate(parameters, shares)
    own = {term.term: _Picked(term, scenario, members) for term in terms}
    changed = climate
    over_sea = [own[name] for name in ("precipitation", "evaporation") if name in own]
    keep = all(term.added for term in over_sea)
    if "evaporation" in own:
        evaporation = own["evaporation"].level("evaporation", present.evaporation)
        changed = replace(
            changed, evaporation=evaporation + climate.net_evaporation_departure if keep else evaporation
        )
    elif not keep:
        changed = replace(changed, evaporation=climate.evaporation - climate.net_evaporation_departure)
    if "precipitation" in own:
        changed = replace(
            changed, precipitation=own["precipitation"].level("precipitation", present.precipitation)
        )
    if "river_inflow" in own:
        changed = replace(changed, inflow=_inflow(climate, own["river_inflow"], present, shares))
    return replace(changed, own_months=_months(own))


def _inflow(climate: ScenarioClimate, own: _Picked, present: PresentClimate, shares: Array) -> Array:
    inflow = climate.inflow.copy()
    factor = 1.0 + climate.inflow_departure if own.added else 1.0
    for row, river in enumerate(RIVERS):
        if TOTAL in own.term.banks:
            inflow[row] = own.level(TOTAL, present.inflow.sum(axis=0)) * shares[row] * factor
        elif river in own.term.banks:
            inflow[row] = own.level(river, present.inflow[row]) * factor
    return inflow


def _months(own: Mapping[str, _Picked]) -> OwnMonths | None:
    months: dict[str, tuple[Array, Whole]] = {}
    for picked in own.values():
        for name, bank in picked.term.banks.items():
            if bank.months is not None:
                for place in RIVERS if name == TOTAL else (name,):
                    months[place] = bank.months[picked.row], picked.series
    return OwnMonths(months) if months else None


class _Picked:
    """Series of a term for some members in one scenario."""

    def __init__(self, term: OwnTerm, scenario: str, members: Whole) -> None:
        self.term, self.row = term, term.rows[scenario]
        self.series = members % max(1, len(term.members))
        self.added = term.settings.variability == "added"

    def level(self, name: str, present: Array) -> Array:
        """Annual values (year, member) that take the place of the model's."""
        bank: Bank = self.term.banks[name]
        own: Array = bank.annual[self.row][self.series].T
        if bank.baseline is None:
            return own
        baseline: Array = bank.baseline[self.row][self.series]
        if self.term.term == "evaporation":
            return np.asarray(present + own - baseline)
        return np.asarray(present * own / baseline)
