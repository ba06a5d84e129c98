r"""Which inputs the spread of the projected level comes from: Sobol indices of first order and in total.

The first-order index of an input is the share of the variance of the level that its expected value given that
input has; the total index is the share that is left when all other inputs are known. Their difference is what
the input does together with others.

.. math::

    S_i = \frac{\operatorname{Var}[\operatorname{E}(h \mid x_i)]}{\operatorname{Var} h}, \qquad
    T_i = \frac{\operatorname{E}[\operatorname{Var}(h \mid x_{\sim i})]}{\operatorname{Var} h}

Inputs are every parameter that has a range, the volumes of the measures of the programme, and, as one more
input, the whole variability of inflow and net evaporation from year to year: the member from whose streams it
comes, with the state that it starts from. The variance is therefore that of the ensemble which the
configuration describes. Without variability in the configuration the indices are those of the parameters
alone.

Indices need inputs that are independent of each other. The calibrated parameters are not: with
``uncertainty.parameters: posterior`` each has the range that the calibration leaves to it, and what the
calibration says of two of them together, a higher inflow with a higher net evaporation, is left out. So the
spread is not quite that of the projections.

References
----------
Saltelli, A. et al. (2010), Computer Physics Communications 181, 259-270, doi:10.1016/j.cpc.2009.09.018: the
design of two matrices *A* and *B* and the estimators, as in :func:`scipy.stats.sobol_indices`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import sobol_indices

from caspian_sim import results
from caspian_sim.climate.draws import sample, sobol_points
from caspian_sim.config import Config, load_config
from caspian_sim.data import Parameter
from caspian_sim.ensemble import COLUMNS
from caspian_sim.errors import ConfigError, OutOfRangeError
from caspian_sim.plan import Plan, grades_of, make_plan, posterior_of
from caspian_sim.simulate import integrate

Array = NDArray[np.float64]
T = TypeVar("T")
Model = Callable[[NDArray[np.bool_], NDArray[np.int64]], Array]
Progress = Callable[[int, int], None]

LOGGER = logging.getLogger("caspian_sim")

VARIABILITY = "variability"
SAMPLES = 1024
FEWEST, MOST = 16, 2**20
CONFIDENCE = 0.9
RESAMPLES = 1000
# Runs in all from which on compiling the solver takes less time than it saves.
WORTH_COMPILING = 10_000
# One Runge-Kutta step a month is off by less than 0.1 mm, and by up to 1 mm with gates in the strait.
STEPS_PER_MONTH = 1
ORDERS = ("first", "total")
RANGES = {
    "prior": "those before calibration",
    "posterior": "what the calibration leaves to each parameter by itself: Sobol indices need inputs that "
    "are independent, so that what it says of two of them together is left out",
}


@dataclass(frozen=True)
class Indices:
    """Sobol indices of some outputs.

    Attributes
    ----------
    index, low, high : ndarray, shape (order, output, input)
        First-order and total indices, and the limits of their confidence interval.
    mean, sd : ndarray, shape (output,)
        Mean and standard deviation of the outputs.
    """

    index: Array
    low: Array
    high: Array
    mean: Array
    sd: Array


def indices(
    model: Model,
    inputs: int,
    samples: int,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    batch: int = COLUMNS,
    progress: Progress | None = None,
) -> Indices:
    """Sobol indices of a model by the design of Saltelli.

    Parameters
    ----------
    model : callable
        The outputs (output, run) of some runs, given ``(from_b, row)``: whether each input (input, run) has
        its value from the matrix *B* rather than *A*, and from which row of the matrices (run,). Called from
        several threads.
    inputs : int
        Number of inputs.
    samples : int
        Rows of the matrices, a power of 2; there are ``samples · (inputs + 2)`` runs.
    seed : int
        Seed of the resampling.
    confidence : float
        Probability of the interval.
    batch : int
        Runs at a time.
    progress : callable, optional
        Called with the batches of runs done and the batches in all.

    Returns
    -------
    Indices

    Raises
    ------
    OutOfRangeError
        When the number of samples is no power of 2 from 16 to 2²⁰.

    Notes
    -----
    The interval is that of the percentile bootstrap over the rows. It takes the rows as independent, which
    errs on the wide side when they are points of a Sobol sequence.
    """
    check_samples(samples)
    runs = np.arange(samples * (inputs + 2))
    batches = [runs[begin : begin + batch] for begin in range(0, len(runs), batch)]

    def outputs(some: NDArray[np.int64]) -> Array:
        # The matrices come one after the other: A, B, and A with one column after the other from B.
        matrix, row = np.divmod(some, samples)
        return model((matrix == 1) | (matrix == 2 + np.arange(inputs)[:, None]), row)

    parts = []
    for part in on_all_cores(outputs, batches):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(batches))
    output = np.concatenate(parts, axis=1).reshape(-1, inputs + 2, samples)
    f_a, f_b, f_ab = output[:, 0], output[:, 1], np.ascontiguousarray(output[:, 2:].swapaxes(0, 1))
    found = sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": f_ab}, n=samples)
    shape = (len(ORDERS), len(output), inputs)
    index = np.stack([found.first_order, found.total_order]).reshape(shape)
    resampled = _resampled(f_a, f_b, f_ab, np.random.default_rng(seed))
    low, high = np.quantile(resampled, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0)
    both = output[:, :2].reshape(len(output), -1)
    return Indices(index, low, high, both.mean(axis=1), both.std(axis=1))


def on_all_cores(function: Callable[[Any], T], batches: Sequence[Any]) -> Iterator[T]:
    """Results of the batches in their order, worked out in threads."""
    # The first one alone: what is compiled or loaded on first use is then there for all.
    yield function(batches[0])
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from pool.map(function, batches[1:])
    finally:
        pool.shutdown(cancel_futures=True)


def check_samples(samples: int) -> None:
    """Refuse a number of samples for which a Sobol sequence is not balanced (:class:`OutOfRangeError`)."""
    if not FEWEST <= samples <= MOST or samples & (samples - 1):
        near = 2 ** int(np.clip(np.ceil(np.log2(max(samples, 1))), np.log2(FEWEST), np.log2(MOST)))
        raise OutOfRangeError(
            "the number of samples is no power of 2\n"
            f"    found    {samples}\n"
            f"    allowed  powers of 2 from {FEWEST} to {MOST}\n"
            f"    hint     {near}"
        )


def _resampled(f_a: Array, f_b: Array, f_ab: Array, generator: np.random.Generator) -> Array:
    """Estimate the indices from resampled rows, shape (resample, order, output, input)."""
    rows = f_a.shape[1]
    middle = 0.5 * (f_a.mean(axis=1) + f_b.mean(axis=1))[:, None]
    a, b, ab = f_a - middle, f_b - middle, f_ab - middle
    # How often each row is drawn turns every mean over resampled rows into a product of matrices.
    weight = generator.multinomial(rows, np.full(rows, 1.0 / rows), size=RESAMPLES) / rows

    def means(terms: Array) -> Array:
        return np.asarray(np.moveaxis(terms @ weight.T, -1, 0))

    variance = 0.5 * means(a**2 + b**2) - (0.5 * means(a + b)) ** 2
    share = np.stack([means(b * (ab - a)), 0.5 * means((a - ab) ** 2)], axis=1).swapaxes(2, 3)
    spread = variance[:, None, :, None]
    return np.divide(share, spread, out=np.zeros_like(share), where=spread > 0.0)


def sensitivity(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    samples: int = SAMPLES,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Sobol indices of the annual mean level in the report years, for every scenario.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`. The first programme counts, and the last year of the period when there
        are no report years. The number of members plays no role.
    samples : int
        Rows of the design, a power of 2; a scenario takes ``samples`` times (number of inputs + 2) runs.
    progress : callable, optional
        Called with the batches of runs done and the batches in all.

    Returns
    -------
    xarray.Dataset
        ``index``, ``index_low`` and ``index_high`` (5 and 95 % points of the estimate) by ``order`` (first,
        total), ``scenario``, ``year`` and ``input``; ``level_mean`` and ``level_sd`` of the same ensemble by
        ``scenario`` and ``year``, m. Attributes ``runs`` and ``seconds``: what it took.

    Raises
    ------
    ConfigError
        When the configuration is not valid, or nothing in it varies.
    OutOfRangeError
        When the number of samples is no power of 2 from 16 to 2²⁰.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.sensitivity("configs/quickstart.yaml").index.sel(scenario="ssp245", year=2100, order="total")
    """
    began = time.perf_counter()
    config = load_config(source, overrides)
    check_samples(samples)
    years = sorted(config.outcomes.report_years) or [config.period.end]
    calibrated = _marginals(config)
    plan = make_plan(levels_only(_independent(config), max(years)))
    varied = _varied(config, plan)
    LOGGER.info("ranges of the parameters: %s", RANGES[config.uncertainty.parameters])
    count = len(varied) + config.uncertainty.variability
    if samples * (count + 2) * len(config.climate.scenarios) >= WORTH_COMPILING:
        plan = make_plan(compiled(plan.frame.config))
    model = _level_model(plan, varied, calibrated, samples, years)
    batch = max(1, COLUMNS // len(config.climate.scenarios))
    seed = config.uncertainty.seed
    found = indices(model, count, samples, seed=seed, batch=batch, progress=progress)
    dataset = _dataset(config, found, varied, years, samples)
    dataset.attrs["seconds"] = f"{time.perf_counter() - began:.1f}"
    return dataset


def _marginals(config: Config) -> dict[str, Array]:
    """Sorted draws of each calibrated parameter that the configuration leaves as it is, by name of input."""
    if config.uncertainty.parameters != "posterior":
        return {}
    known = posterior_of(config).parameters
    return {
        f"parameter:{name}": np.sort(draws) for name, draws in known.items() if name not in config.parameters
    }


def _independent(config: Config) -> Config:
    """Let every parameter have an input of its own instead of a row of the posterior for all of them."""
    if config.uncertainty.parameters != "posterior":
        return config
    return config.model_copy(
        update={"uncertainty": config.uncertainty.model_copy(update={"parameters": "prior"})}
    )


def levels_only(config: Config, last_year: int) -> Config:
    """Cut a configuration down to the annual levels of its first programme, up to a year."""
    programme = next(iter(config.programmes))
    return config.model_copy(
        update={
            "period": config.period.model_copy(update={"end": last_year}),
            "programmes": {programme: config.programmes[programme]},
            "outcomes": config.outcomes.model_copy(update={"thresholds_m": ()}),
            "output": config.output.model_copy(update={"frequency": "annual"}),
            "solver": config.solver.model_copy(update={"steps_per_month": STEPS_PER_MONTH}),
        }
    )


def compiled(config: Config) -> Config:
    """Take the compiled solver where it is installed: the same steps, in a fraction of the time."""
    if config.solver.method != "batched" or find_spec("numba") is None:
        return config
    return config.model_copy(update={"solver": config.solver.model_copy(update={"method": "compiled"})})


def _varied(config: Config, plan: Plan) -> dict[str, Parameter]:
    """Priors of the inputs that differ from member to member, by the names of ``plan.inputs``."""
    if config.uncertainty.parameters == "central":
        raise ConfigError(
            "a sensitivity needs parameters that vary\n"
            "    found    uncertainty.parameters central\n"
            "    allowed  posterior (the ranges after calibration) or prior (those before)"
        )
    kinds = ("measure", "return_flow", "delay")
    measures = {
        f"{kind}:{measure.id}" for used in plan.programmes.values() for measure in used for kind in kinds
    }
    parameters = {f"parameter:{name}" for name in plan.frame.priors}
    varied = {
        name: prior
        for name, prior in plan.inputs.items()
        if prior.distribution != "fixed" and (name in parameters or name in measures)
    }
    if not varied:
        raise ConfigError(
            "a sensitivity needs parameters that vary\n"
            "    found    every parameter is fixed\n"
            "    allowed  one with a range, at least"
        )
    return varied


def _level_model(
    plan: Plan,
    varied: Mapping[str, Parameter],
    calibrated: Mapping[str, Array],
    samples: int,
    years: Sequence[int],
) -> Model:
    """Annual mean level by scenario and year as a function of where each input of a run comes from."""
    fixed = {name: prior.best for name, prior in plan.inputs.items() if name not in varied}
    points = sobol_points(plan.frame.config.uncertainty.seed, 2 * len(varied), 0, samples).T
    a, b = points[: len(varied)], points[len(varied) :]
    wanted = [year - plan.frame.calendar.first_year for year in years]

    def level(from_b: NDArray[np.bool_], row: NDArray[np.int64]) -> Array:
        quantile = np.where(from_b[: len(varied)], b[:, row], a[:, row])
        inputs = {name: np.full(len(row), value) for name, value in fixed.items()}
        for (name, prior), column in zip(varied.items(), quantile, strict=True):
            if name in calibrated:
                draws = calibrated[name]
                inputs[name] = np.interp(column, (np.arange(len(draws)) + 0.5) / len(draws), draws)
            else:
                inputs[name] = sample(prior, column)
        # Variability comes from the streams of one member in the rows of A and of another in those of B.
        members = row if len(from_b) == len(varied) else np.where(from_b[-1], samples + row, row)
        found = integrate(plan, members, inputs).solution.level[wanted]
        # Columns are scenarios, in them runs; outputs are to be scenarios, in them years.
        return found.reshape(len(wanted), -1, len(row)).swapaxes(0, 1).reshape(-1, len(row))

    return level


def _dataset(
    config: Config,
    found: Indices,
    varied: Mapping[str, Parameter],
    years: Sequence[int],
    samples: int,
) -> xr.Dataset:
    names = [name.removeprefix("parameter:") for name in varied]
    grades = grades_of(config)
    about = [
        (prior.unit, grades.get(name, prior.grade), prior.description)
        for name, prior in zip(names, varied.values(), strict=True)
    ]
    if config.uncertainty.variability:
        names.append(VARIABILITY)
        about.append(("1", "B", "inflow and net evaporation from year to year and over decades"))
    dims = ("order", "scenario", "year", "input")
    text = "Sobol index: share of the variance of the annual mean level"
    interval = f"{100 * CONFIDENCE:g} % confidence interval"

    shape = (len(config.climate.scenarios), len(years))

    def share(values: Array, long_name: str) -> tuple[tuple[str, ...], Array, dict[str, str]]:
        attrs = {"units": "1", "long_name": long_name}
        return dims, values.reshape(len(ORDERS), *shape, len(names)), attrs

    def words(values: Sequence[str]) -> NDArray[np.object_]:
        return np.array(values, dtype=object)

    count = samples * (len(names) + 2)
    attributes = results.provenance(config)
    attributes["title"] = f"Sensitivity of the Caspian Sea level: {config.title or config.name}"
    return xr.Dataset(
        {
            "index": share(found.index, text),
            "index_low": share(found.low, f"lower end of the {interval}"),
            "index_high": share(found.high, f"upper end of the {interval}"),
            "level_mean": (
                dims[1:3],
                found.mean.reshape(shape),
                {
                    "units": "m",
                    "long_name": "mean of the annual mean level",
                    "datum": "Baltic Height System (BHS)",
                },
            ),
            "level_sd": (
                dims[1:3],
                found.sd.reshape(shape),
                {"units": "m", "long_name": "standard deviation of the annual mean level"},
            ),
        },
        coords={
            "order": words(ORDERS),
            "scenario": words(config.climate.scenarios),
            "year": list(years),
            "input": words(names),
            "input_units": ("input", words([unit for unit, _, _ in about]), {"long_name": "unit"}),
            "input_grade": (
                "input",
                words([grade for _, grade, _ in about]),
                {"long_name": "evidence grade of the range"},
            ),
            "input_title": ("input", words([title for _, _, title in about]), {"long_name": "meaning"}),
        },
        attrs={
            **attributes,
            "programme": next(iter(config.programmes)),
            "samples": samples,
            "runs_per_scenario": count,
            "runs": count * len(config.climate.scenarios),
            "parameters": config.uncertainty.parameters,
            "parameter_ranges": RANGES[config.uncertainty.parameters],
            "confidence": CONFIDENCE,
            "resamples": RESAMPLES,
        },
    )
