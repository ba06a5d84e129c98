"""Runs of whole ensembles: members in parts, parts put together to a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.collect import MemberStore
from caspian_sim.config import Config, load_config, parse_config
from caspian_sim.errors import DataError
from caspian_sim.results import open_result, used_inputs
from caspian_sim.simulate import Plan, make_plan, run_members

Progress = Callable[[int, int], None]

# Columns (scenario, programme, member) that are integrated at once: what stays in the processor's cache.
COLUMNS = 4096


def parts_of(plan: Plan) -> list[NDArray[np.int64]]:
    """Numbers of the members of each part of a run, of a size that the processor's cache can hold."""
    config = plan.frame.config
    members = np.arange(config.uncertainty.members)
    size = max(1, COLUMNS // (len(config.climate.scenarios) * len(config.programmes)))
    return [members[begin : begin + size] for begin in range(0, len(members), size)]


def run(
    source: str | Path | Mapping[str, object] | Config,
    *,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
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
    plan = make_plan(load_config(source, overrides))
    parts, store = parts_of(plan), MemberStore(plan.frame)
    done, total = 0, len(parts) * len(plan.frame.calendar.years)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    for members in parts:
        store.add(run_members(plan, members, tick))
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
