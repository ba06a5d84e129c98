"""From a configuration to what all members of a run share: curve, calendar, priors, posterior and start."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caspian_sim.basin.shape import SeaShape, sea_shape
from caspian_sim.climate.own.forcing import description, read_own_forcing
from caspian_sim.climate.own.series import OwnTerm
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.climate.seasons import level_departure_at_month_edges
from caspian_sim.collect import Calendar, Frame
from caspian_sim.config import (
    Config,
    Measure,
    available_measures,
    default_catalogue,
    overridden_parameters,
    parameters_of,
)
from caspian_sim.data import Parameter
from caspian_sim.errors import ConfigError
from caspian_sim.measures.consumption import consumption_change
from caspian_sim.measures.inputs import measure_priors
from caspian_sim.measures.programme import measures_of
from caspian_sim.record.additions import read_additions
from caspian_sim.record.observations import Observations, shipped_observations
from caspian_sim.record.posterior import (
    FITTED_UNTIL,
    Posterior,
    graded_parameters,
    read_posterior,
    shipped_posterior,
)
from caspian_sim.record.start import StateEstimate, estimate_state
from caspian_sim.solve import Watch

Array = NDArray[np.float64]

LOGGER = logging.getLogger("caspian_sim")

# Parameters are calibrated on the record up to 2022: an earlier start would know its own future.
EARLIEST_START = FITTED_UNTIL + 1
# Input that says which row of the posterior a member has.
ROW = "posterior:row"


def initial_level(config: Config, observed: Observations, in_sample: bool = False) -> tuple[float, float]:
    """Level at the start of a run, and the level against which falls and exposed seabed are counted.

    Parameters
    ----------
    config : Config
    observed : Observations
    in_sample : bool
        As for :func:`make_plan`.

    Returns
    -------
    start, reference : float
        m BHS. From the record, the reference is the annual mean of the year before and the start the same
        with the season of New Year; members start from where the filtered record puts the end of that year.
        A level that the configuration gives is freed of the season of New Year for the reference.

    Raises
    ------
    ConfigError
        When the record has no level for the year before and the configuration gives none.
    """
    before = config.period.start - 1
    if before < EARLIEST_START - 1 and not in_sample:
        raise ConfigError(
            f"a projection cannot start in {config.period.start}\n"
            f"    found    period.start {config.period.start}\n"
            f"    allowed  {EARLIEST_START} or later: parameters are fitted to the record to {FITTED_UNTIL}\n"
            "    hint     caspian-sim hindcast runs the model over the record, caspian-sim verify forecasts\n"
            "             from earlier years with what was known then"
        )
    new_year = float(level_departure_at_month_edges()[0])
    if config.initial.level_m is not None:
        return config.initial.level_m, config.initial.level_m - new_year
    if before > observed.last_level_year:
        raise ConfigError(
            f"no observed level to start from in {config.period.start}\n"
            f"    found    period.start {config.period.start}, and no initial.level_m\n"
            f"    allowed  period.start up to {observed.last_level_year + 1}, or initial.level_m in m BHS"
        )
    seen = float(observed.level[observed.year == before][0])
    return seen + new_year, seen


def posterior_of(config: Config) -> Posterior:
    """Return the posterior of a run: the configuration's own, or the one that ships with the package."""
    own = config.uncertainty.posterior
    return shipped_posterior() if own is None else read_posterior(own)


@dataclass(frozen=True)
class Plan:
    """A run before any member is drawn: everything that follows from the configuration alone.

    Attributes
    ----------
    frame : Frame
        What the dataset needs.
    sea : SeaShape
        Shape of the sea.
    start : float
        Level at the start, m BHS.
    programmes : mapping of name to list of Measure
    inputs : mapping of name to Parameter
        Priors of the numbers that a member draws once, ``parameter:<name>``, ``measure:<id>`` and
        the others of :func:`caspian_sim.measures.inputs.measure_priors`. Their order
        is that of the dimensions of a Sobol sequence: every parameter and every measure that there could be,
        whether the run varies it or not.
    observed : Observations
    calibrated : Calibrated or None
        None when the parameters do not come from the posterior.
    own : sequence of OwnTerm
        Series of the user's own.
    """

    frame: Frame
    sea: SeaShape
    start: float
    programmes: Mapping[str, Sequence[Measure]]
    inputs: Mapping[str, Parameter]
    observed: Observations
    calibrated: Calibrated | None
    own: Sequence[OwnTerm] = ()


@dataclass(frozen=True)
class Calibrated:
    """Posterior of a run, with the state that every draw starts from.

    Attributes
    ----------
    parameters : mapping of name to ndarray, shape (row,)
        Those of the posterior that the configuration leaves as they are.
    cumulative : ndarray, shape (row,)
        Cumulative weights of the rows, given what has been observed since the calibration.
    estimate : StateEstimate or None
        None when a parameter that the state depends on is drawn by the member.
    """

    parameters: Mapping[str, Array]
    cumulative: Array
    estimate: StateEstimate | None

    def rows(self, quantile: Array) -> NDArray[np.int64]:
        """Rows that belong to quantiles in (0, 1)."""
        found = np.searchsorted(self.cumulative, quantile)
        return np.minimum(found, len(self.cumulative) - 1)


def calibrated_draws(
    posterior: Posterior,
    priors: Mapping[str, Parameter],
    changed: set[str],
    observed: Observations,
    end_of: int,
) -> Calibrated:
    """Posterior as a configuration changes it, weighted by what has been observed since the calibration.

    Parameters
    ----------
    posterior : Posterior
    priors : mapping of name to Parameter
        With the changes of the configuration.
    changed : collection of str
        Parameters that the configuration changes: they no longer come from the posterior.
    observed : Observations
    end_of : int
        Year before the start.

    Returns
    -------
    Calibrated
    """
    kept = {name: values for name, values in posterior.parameters.items() if name not in changed}
    drawn = [
        name for name in posterior.parameters if name in changed and priors[name].distribution != "fixed"
    ]
    fixed = {
        name: np.full(posterior.rows, priors[name].best)
        for name in posterior.parameters
        if name in changed and name not in drawn
    }
    even = np.linspace(0.0, 1.0, posterior.rows + 1)[1:]
    if drawn:
        return Calibrated(kept, even, None)
    estimate = estimate_state({**kept, **fixed}, observed, end_of)
    if changed & set(posterior.parameters):
        return Calibrated(kept, even, estimate)
    since = estimate.log_likelihood[FITTED_UNTIL + 1 - estimate.first_year :].sum(axis=0)
    weight = np.exp(since - since.max())
    return Calibrated(kept, np.cumsum(weight / weight.sum()), estimate)


def _observations(config: Config) -> Observations:
    """Observations of the package with those that the configuration adds; logs what is odd about these."""
    if config.initial.observations is None:
        return shipped_observations()
    additions = read_additions(Path(config.initial.observations))
    for text in additions.added:
        LOGGER.info("%s: %s", config.initial.observations, text)
    for text in additions.notes:
        LOGGER.warning("%s: %s", config.initial.observations, text)
    return additions.observations


def grades_of(config: Config) -> dict[str, str]:
    """Evidence grade of every parameter of a run: the record's where it determines the value, or the prior's.

    Parameters
    ----------
    config : Config
        With ``uncertainty.parameters: prior``, and for a parameter that it changes, the prior decides.
    """
    used = parameters_of(config)
    if config.uncertainty.parameters == "prior":
        return {name: p.grade for name, p in used.items()}
    graded = graded_parameters(posterior_of(config))
    return {name: (p if name in config.parameters else graded[name]).grade for name, p in used.items()}


def make_plan(
    config: Config,
    observed: Observations | None = None,
    like: Plan | None = None,
    *,
    in_sample: bool = False,
) -> Plan:
    """Work out what all members of a run share.

    Parameters
    ----------
    config : Config
    observed : Observations, optional
        In place of those that the configuration names, or that ship with the package.
    like : Plan, optional
        Plan of a configuration that differs in its climate and basin alone: its posterior serves again.
    in_sample : bool
        Let the run start in years that the parameters are fitted to: for checks of the first months, which
        depend little on the parameters. A user cannot ask for it.

    Returns
    -------
    Plan

    Raises
    ------
    ConfigError, DataError, OutOfRangeError
        When the start, the hypsometry or the forcing of the configuration cannot be used.
    """
    calendar = Calendar(config.period.start, config.period.end, config.output.frequency)
    observed = observed or _observations(config)
    start, reference = initial_level(config, observed, in_sample)
    sea = sea_shape(config, start, BASELINE)
    available = config.measures.available()
    priors = overridden_parameters(config.parameters)
    posterior = None if config.uncertainty.parameters == "prior" else posterior_of(config)
    if config.uncertainty.parameters == "central" and posterior is not None:
        medians, changed = posterior.medians(), set(config.parameters)
        priors = {name: _at_best(prior, medians, changed) for name, prior in priors.items()}
    grades = grades_of(config)
    own = read_own_forcing(
        config.forcing, config.climate.scenarios, calendar.calendar_years, config.uncertainty.members
    )
    frame = Frame(
        config=config,
        calendar=calendar,
        watch=Watch(tuple(config.outcomes.thresholds_m)),
        reference_volume=sea.shape.reference_volume,
        curve=sea.curve,
        reference_level=reference,
        measures=available,
        priors={name: replace(priors[name], grade=grades[name]) for name in parameters_of(config)},
        consumption=consumption_change(config.consumption.change, calendar.years, calendar.months),
        own_forcing="\n".join(f"{term.term}: {description(term)}" for term in own),
    )
    calibrated = None
    if posterior is not None and config.uncertainty.parameters == "posterior":
        calibrated = (
            like.calibrated
            if like is not None
            else calibrated_draws(
                posterior, priors, set(config.parameters), observed, config.period.start - 1
            )
        )
    return Plan(
        frame=frame,
        sea=sea,
        start=start,
        programmes={name: measures_of(p, available) for name, p in config.programmes.items()},
        inputs=_inputs(priors, config),
        observed=observed,
        calibrated=calibrated,
        own=own,
    )


def _inputs(priors: Mapping[str, Parameter], config: Config) -> dict[str, Parameter]:
    """Priors of all numbers that a member draws once, in the order of the dimensions of a Sobol sequence."""
    known = available_measures("default", config.measures.custom)
    shipped = {measure.id for measure in default_catalogue()}
    row = Parameter(ROW, "uniform", 0.5, 0.0, 1.0, "1", "B", "by definition", "row of the posterior")
    drawn = {ROW: row, **{f"parameter:{name}": prior for name, prior in priors.items()}}
    drawn |= measure_priors(
        [measure for name, measure in known.items() if name in shipped],
        [measure for name, measure in known.items() if name not in shipped],
    )
    return drawn


def _at_best(prior: Parameter, medians: Mapping[str, float], changed: set[str]) -> Parameter:
    """Give a parameter its calibrated value, unless the configuration has one of its own."""
    if prior.name not in medians or prior.name in changed:
        return prior
    best = medians[prior.name]
    return replace(prior, distribution="fixed", best=best, low=best, high=best)
