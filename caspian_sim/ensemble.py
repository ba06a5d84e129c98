"""Runs of whole ensembles: members in parts, parts put together to a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.config import Config, load_config, parse_config
from caspian_sim.errors import DataError
from caspian_sim.execute import run_parts, workers_of
from caspian_sim.plan import make_plan
from caspian_sim.results import open_result, used_inputs
from caspian_sim.resume import Unfinished
from caspian_sim.stream import make_store

Progress = Callable[[int, int], None]

# Columns (scenario, programme, member) that are integrated at once: what stays in the processor's cache.
COLUMNS = 4096


def members_of_a_part(config: Config) -> int:
    """How many members are integrated at once: as asked, or what the processor's cache can hold."""
    if config.execution.chunk is not None:
        return config.execution.chunk
    return max(1, COLUMNS // (len(config.climate.scenarios) * len(config.programmes)))


def parts_of(config: Config, size: int | None = None) -> list[NDArray[np.int64]]:
    """Numbers of the members of each part of a run, `size` of them or :func:`members_of_a_part`."""
    members, size = np.arange(config.uncertainty.members), size or members_of_a_part(config)
    return [members[begin : begin + size] for begin in range(0, len(members), size)]


def run(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """Project the level of the Caspian Sea as a configuration asks.

    Parameters
    ----------
    source : path, mapping or Config
        A YAML file, the same as nested dictionaries, or a loaded configuration.
    overrides : sequence of str, optional
        Changes as ``key=value``, for example ``"uncertainty.members=20"``.
    progress : callable, optional
        Called with the months done and the months in all.
    workers : int, optional
        In place of ``execution.workers``; the result is the same.

    Returns
    -------
    xarray.Dataset
        Dimensions ``scenario, programme, member, time``; see docs/dataset.md. Nothing is written; use
        :func:`caspian_sim.save`.

    Raises
    ------
    ConfigError
        When the configuration is not valid.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> ds = cs.run("configs/quickstart.yaml")
    >>> ds.sea_level.sel(scenario="ssp245", programme="none", time="2050").quantile([0.05, 0.5, 0.95])
    """
    if workers is not None:
        overrides = (*overrides, f"execution.workers={workers}")
    config = load_config(source, overrides)
    return run_kept(config, progress=progress)


def run_kept(
    config: Config,
    *,
    unfinished: Unfinished | None = None,
    resume: bool = False,
    overwrite: bool = False,
    zarr: Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run a configuration, and keep the finished parts on disk when there are several.

    Parameters
    ----------
    config : Config
    unfinished : Unfinished, optional
        Where they are kept.
    resume : bool
        Continue with those that are there.
    overwrite : bool
        Whether the run may replace earlier results, for when it is resumed.
    zarr : Path, optional
        Folder to which members are written as they come in, when output.format is zarr.
    progress : callable, optional
        As for :func:`run`.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    OutputError
        When they cannot be written.
    """
    plan, size = make_plan(config), members_of_a_part(config)
    several = size < config.uncertainty.members
    if unfinished is not None and (several or unfinished.folder.exists()):
        size = unfinished.begin(config, size, resume=resume, overwrite=overwrite)
    else:
        unfinished = None
    store = make_store(plan.frame, zarr)
    with workers_of(config.execution) as pool:
        run_parts(plan, parts_of(config, size), store, pool=pool, unfinished=unfinished, progress=progress)
    return store.dataset()


def reproduce(result: str | Path | xr.Dataset, *, progress: Progress | None = None) -> xr.Dataset:
    """Run again what a result was made from.

    Parameters
    ----------
    result : path or xarray.Dataset
        A saved result, its directory, or the dataset itself.
    progress : callable, optional
        As for :func:`run`.

    Returns
    -------
    xarray.Dataset
        The same numbers, when inputs and version are the same.

    Raises
    ------
    DataError
        When the result does not carry its configuration, or an input has changed since.
    """
    dataset = result if isinstance(result, xr.Dataset) else open_result(result)
    if "config" not in dataset.attrs:
        raise DataError("the result does not say what it was made from\n    found    no attribute config")
    config = parse_config(dataset.attrs["config"], "config of the result")
    then, now = json.loads(dataset.attrs["input_sha256"]), used_inputs(config)
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        raise DataError(
            "inputs have changed since the result was made\n"
            f"    found    {', '.join(changed)}\n"
            f"    hint     the result was made with caspian_sim {dataset.attrs['version']}"
        )
    return run(config, progress=progress)
