"""Where the spread of the projected level comes from: scenario, parameters, structure, internal variability.

After Hawkins and Sutton (2009), who split the variance of climate projections so, for the level of every
year. All combinations of scenarios and structures are run for the same draws of the parameters, each of them
crossed with the same draws of the variability: the draws are common to all, so that differences between
scenarios and between structures hold none of their noise. The analysis of variance
(:mod:`caspian_sim.evaluate.anova`) then gives each source what it does alone; what sources do together, such
as warming that matters more where evaporation answers it more strongly, is a part of its own.

Structures count alike, and so do scenarios: neither has a probability.

References
----------
Hawkins, E. and Sutton, R. (2009), The potential to narrow uncertainty in regional climate predictions,
Bulletin of the American Meteorological Society 90, 1095-1107, doi:10.1175/2009BAMS2607.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import results
from caspian_sim.config import Config, load_config
from caspian_sim.ensemble import COLUMNS
from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.anova import PARAMETERS, VARIABILITY, Components, components, resampled
from caspian_sim.evaluate.sensitivity import WORTH_COMPILING, compiled, levels_only, on_all_cores
from caspian_sim.plan import Plan, make_plan
from caspian_sim.simulate import integrate, member_inputs

Array = NDArray[np.float64]

SCENARIO, STRUCTURE, INTERACTIONS = "scenario", "structure", "interactions"
SOURCES = (SCENARIO, PARAMETERS, STRUCTURE, VARIABILITY, INTERACTIONS)
TOGETHER, THREE = "together", "three or more"
SAMPLES, STREAMS = 64, 64
FEWEST = 4
CONFIDENCE = 0.9
RESAMPLES = 500


@dataclass(frozen=True)
class Choice:
    """A structural choice: a key of the configuration and the values that compete."""

    section: str
    key: str
    values: tuple[str, ...]

    def of(self, config: Config) -> tuple[str, ...]:
        """Values to run: those that compete, or the one of the configuration when it is none of them."""
        own = str(getattr(getattr(config, self.section), self.key))
        return self.values if own in self.values else (own,)

    def put(self, config: Config, value: str) -> Config:
        """Return the configuration with a value of the choice."""
        section = getattr(config, self.section).model_copy(update={self.key: value})
        return config.model_copy(update={self.section: section})


# A dam in the strait is none of the alternatives: states decide on it, and one who has decided knows.
CHOICES: Mapping[str, Choice] = {
    "evaporation": Choice("climate", "evaporation", ("linear", "shallow")),
    "area_convention": Choice("climate", "area_convention", ("dynamic", "constant")),
    "strait": Choice("basin", "strait", ("recut", "natural")),
}


def variance(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    vary: Sequence[str] = tuple(CHOICES),
    samples: int = SAMPLES,
    streams: int = STREAMS,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Split the variance of the annual mean level of every year among its sources.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`. The first programme counts; the number of members plays no role.
    vary : sequence of str
        Structural choices that vary, of :data:`CHOICES`; the others stay as in the configuration, and so does
        one whose value there is none of the alternatives, such as a dammed strait.
    samples, streams : int
        Draws of the parameters and of the internal variability, each of the ones crossed with each of the
        others, 4 or more. One of them when the configuration has central parameters, or no variability.
    progress : callable, optional
        Called with the batches of runs done and the batches in all.

    Returns
    -------
    xarray.Dataset
        ``variance_share`` by ``source`` and ``year``, which adds up to 1; of it ``structure_share`` by
        ``choice`` and ``interaction_share`` by ``pair``; each with ``_low`` and ``_high``, the 5 and 95 %
        points of the estimate. ``level_sd``, the root of the whole variance, m; ``level_mean`` by scenario,
        structure and year, m BHS. Attributes ``runs`` and ``seconds``: what it took.

    Raises
    ------
    ConfigError
        When the configuration is not valid.
    OutOfRangeError
        When a choice is unknown, or there are too few draws.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.variance("configs/quickstart.yaml").variance_share.sel(year=2050)
    """
    began = time.perf_counter()
    config = load_config(source, overrides)
    check_draws(samples, streams)
    check_choices(vary)
    levels = {
        name: choice.of(config)
        if name in vary
        else (str(getattr(getattr(config, choice.section), choice.key)),)
        for name, choice in CHOICES.items()
    }
    drawn = config.uncertainty
    draws = (1 if drawn.parameters == "central" else samples, streams if drawn.variability else 1)
    settings = levels_only(config, config.period.end)
    runs = int(np.prod([len(values) for values in levels.values()])) * int(np.prod(draws))
    if runs * len(config.climate.scenarios) >= WORTH_COMPILING:
        settings = compiled(settings)
    level = _levels(settings, levels, draws, progress)
    dataset = _dataset(config, level, levels)
    dataset.attrs["seconds"] = f"{time.perf_counter() - began:.1f}"
    return dataset


def check_draws(samples: int, streams: int) -> None:
    """Refuse fewer draws than an analysis of variance can do with (:class:`OutOfRangeError`)."""
    for count, of in ((samples, "the parameters"), (streams, "the internal variability")):
        if count < FEWEST:
            raise OutOfRangeError(
                f"too few draws of {of}\n    found    {count}\n    allowed  {FEWEST} or more"
            )


def check_choices(vary: Sequence[str]) -> None:
    """Refuse a structural choice that there is not (:class:`OutOfRangeError`)."""
    for name in vary:
        if name not in CHOICES:
            raise OutOfRangeError(
                f"unknown structural choice\n    found    {name!r}\n    allowed  {', '.join(CHOICES)}"
            )


def draw_parameters(plan: Plan, samples: int) -> dict[str, Array]:
    """Draw the inputs of a run as its first members have them, shape (sample,)."""
    return member_inputs(plan, np.arange(samples))


def _levels(
    config: Config,
    levels: Mapping[str, Sequence[str]],
    draws: tuple[int, int],
    progress: Callable[[int, int], None] | None,
) -> Array:
    """Run the design: annual level by structure, scenario, draw of parameters and of variability, year."""
    plans: list[Plan] = []
    for values in product(*levels.values()):
        changed = config
        for name, value in zip(levels, values, strict=True):
            changed = CHOICES[name].put(changed, value)
        # Observations are read, and what is odd about them is said, once.
        plans.append(make_plan(changed, plans[0].observed, plans[0]) if plans else make_plan(changed))
    inputs = draw_parameters(plans[0], draws[0])
    scenarios = len(config.climate.scenarios)
    pairs = np.arange(draws[0] * draws[1])
    size = max(1, COLUMNS // scenarios)
    batches = [(plan, pairs[begin : begin + size]) for plan in plans for begin in range(0, len(pairs), size)]

    def level(batch: tuple[Plan, NDArray[np.int64]]) -> Array:
        plan, some = batch
        row, stream = np.divmod(some, draws[1])
        found = integrate(plan, stream, {name: values[row] for name, values in inputs.items()})
        return found.solution.level.reshape(-1, scenarios, len(some)).transpose(1, 2, 0)

    parts: list[Array] = []
    for part in on_all_cores(level, batches):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(batches))
    each = len(batches) // len(plans)
    by_plan = [np.concatenate(parts[i : i + each], axis=1) for i in range(0, len(parts), each)]
    shape = (*(len(values) for values in levels.values()), scenarios, *draws, -1)
    return np.stack(by_plan).reshape(shape)


def grouped(terms: Components) -> dict[str, dict[str, Any]]:
    """Gather the components of the terms by what they are of.

    Parameters
    ----------
    terms : dict of tuple of str to ndarray
        Components by the factors of their term, among :data:`SCENARIO`, the names of :data:`CHOICES` and the
        two random ones.

    Returns
    -------
    dict of str to dict of str to ndarray
        ``source``, with the keys :data:`SOURCES`, which hold all of the variance; ``choice``, what structure
        has of it; and ``pair``, what the interactions have.
    """
    nothing = np.zeros_like(next(iter(terms.values())))
    alone = (SCENARIO, PARAMETERS, STRUCTURE, VARIABILITY)
    of: dict[str, dict[str, Any]] = {
        "source": dict.fromkeys(SOURCES, nothing),
        "choice": dict.fromkeys((*CHOICES, TOGETHER), nothing),
        "pair": dict.fromkeys((*(f"{a} and {b}" for a, b in combinations(alone, 2)), THREE), nothing),
    }

    def add(what: str, key: str, part: Array) -> None:
        of[what][key] = of[what][key] + part

    for term, part in terms.items():
        kinds = {STRUCTURE if factor in CHOICES else factor for factor in term}
        if len(kinds) > 1:
            add("source", INTERACTIONS, part)
            pair = " and ".join(kind for kind in alone if kind in kinds)
            add("pair", pair if len(kinds) == 2 else THREE, part)
            continue
        (kind,) = kinds
        add("source", kind, part)
        if kind == STRUCTURE:
            add("choice", term[0] if len(term) == 1 else TOGETHER, part)
    return of


def _dataset(config: Config, level: Array, levels: Mapping[str, Sequence[str]]) -> xr.Dataset:
    factors = (*levels, SCENARIO)
    generator = np.random.default_rng(config.uncertainty.seed)
    found = grouped(components(level, factors))
    again = grouped(resampled(level, factors, RESAMPLES, generator))
    total = np.sum(list(found["source"].values()), axis=0)
    totals = np.sum(list(again["source"].values()), axis=0)
    limits = [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0]
    interval = f"{100 * CONFIDENCE:g} % confidence interval"
    variables: dict[str, Any] = {}

    def put(name: str, dims: tuple[str, ...], value: Array, spread: Array, units: str, text: str) -> None:
        low, high = np.quantile(spread, limits, axis=0)
        for end, values, of in (
            ("", value, ""),
            ("_low", low, f", lower end of the {interval}"),
            ("_high", high, f", upper end of the {interval}"),
        ):
            variables[f"{name}{end}"] = (dims, values, {"units": units, "long_name": f"{text}{of}"})

    for what, name, text in (
        ("source", "variance_share", "share of the variance of the annual mean level"),
        ("choice", "structure_share", "part of the share of structure"),
        ("pair", "interaction_share", "part of the share of interactions"),
    ):
        # Where nothing varies there is nothing to share.
        share = [_ratio(part, total) for part in found[what].values()]
        shares = [_ratio(part, totals) for part in again[what].values()]
        put(name, (what, "year"), np.stack(share), np.stack(shares, axis=1), "1", text)
    sd, sds = (np.sqrt(np.maximum(values, 0.0)) for values in (total, totals))
    put("level_sd", ("year",), sd, sds, "m", "standard deviation of the annual mean level")
    variables["level_mean"] = (
        (*factors, "year"),
        level.mean(axis=(-3, -2)),
        {"units": "m", "long_name": "mean of the annual mean level", "datum": "Baltic Height System (BHS)"},
    )
    attributes = results.provenance(config)
    attributes["title"] = f"Sources of the spread of the Caspian Sea level: {config.title or config.name}"
    return xr.Dataset(
        variables,
        coords={
            **{what: _words(found[what]) for what in found},
            **{name: _words(values) for name, values in levels.items()},
            SCENARIO: _words(config.climate.scenarios),
            "year": list(config.period.years),
        },
        attrs={
            **attributes,
            "programme": next(iter(config.programmes)),
            "samples": level.shape[-3],
            "streams": level.shape[-2],
            "runs": int(np.prod(level.shape[:-1])),
            "confidence": CONFIDENCE,
            "resamples": RESAMPLES,
        },
    )


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


def _words(words: Any) -> NDArray[np.object_]:
    return np.array([str(word) for word in words], dtype=object)
