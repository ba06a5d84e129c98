"""What waiting costs: the same programme, begun in different years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from caspian_sim import results
from caspian_sim.config import Config, Measure, load_config
from caspian_sim.config.programme import Programme
from caspian_sim.cooperate.paired import NOBODY, Progress, paired_levels, plan_of_levels, quantiles
from caspian_sim.errors import ConfigError, OutOfRangeError
from caspian_sim.measures.programme import growth_of, measures_of

STARTS = (2027, 2035, 2045)
JOINT = "joint"


def delay(
    source: str | Path | Mapping[str, object] | Config,
    *,
    starts: Sequence[int] = STARTS,
    programme: str | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Avoided fall of a programme that is begun in different years, and what each delay loses of it.

    Parameters
    ----------
    source, overrides
        As for :func:`caspian_sim.run`.
    starts : sequence of int
        Years in which the first measure of the programme starts; the others keep their distance to it.
    programme : str, optional
        The programme ``joint``, or else the first one with measures, when not given.
    progress : callable, optional
        Called with the batches of runs done and the batches in all.

    Returns
    -------
    xarray.Dataset
        ``avoided_fall`` by ``scenario``, ``start`` and ``year``, m: median of the paired differences to a sea
        without measures, with the 5 and 95 % points as ``_low`` and ``_high``; ``lost``, what is lost of it
        against the earliest start.

    Raises
    ------
    ConfigError
        When the configuration is not valid, or the programme has no measures.
    OutOfRangeError
        When a start lies outside the period.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.delay("configs/quickstart.yaml").lost.sel(year=2050)
    """
    config = load_config(source, overrides)
    period = config.period
    for start in starts:
        if not period.start <= start <= period.end:
            raise OutOfRangeError(
                f"the programme would start outside the period\n    found    {start}\n"
                f"    allowed  {period.start} to {period.end}"
            )
    begun = sorted(set(starts))
    chosen = _chosen(config, programme)
    available = config.measures.available()
    programmes = {
        f"from {start}": config.programmes[chosen].model_copy(update={"start": f"{start}-01"})
        for start in begun
    }
    measures = _carried_out(config.programmes[chosen], available)
    plan = plan_of_levels(config, period.end, len(begun) + 1)
    groups: dict[str, Sequence[Measure]] = {NOBODY: growth_of(available)}
    groups |= {name: measures_of(each, available) for name, each in programmes.items()}
    level = paired_levels(plan, groups, progress)
    avoided = level[:, 1:] - level[:, :1]
    variables: dict[str, Any] = {}
    for name, values, text in (
        ("avoided_fall", avoided, "level with the programme less level without measures"),
        ("lost", avoided[:, :1] - avoided, "avoided fall that is lost against the earliest start"),
    ):
        for end, found in zip(("_low", "", "_high"), quantiles(values, 2), strict=True):
            variables[f"{name}{end}"] = (
                ("scenario", "start", "year"),
                found,
                {"units": "m", "long_name": text},
            )
    attributes = results.provenance(config)
    attributes["title"] = f"Cost of delay for the Caspian Sea: {config.title or config.name}"
    grades = np.array([measure.grade for measure in measures], dtype=object)
    return xr.Dataset(
        variables,
        coords={
            "scenario": np.array(config.climate.scenarios, dtype=object),
            "start": begun,
            "year": list(period.years),
            "measure": np.array([measure.id for measure in measures], dtype=object),
            "measure_grade": ("measure", grades),
        },
        attrs={**attributes, "programme": chosen, "members": config.uncertainty.members},
    )


def _chosen(config: Config, programme: str | None) -> str:
    available = config.measures.available()
    able = [name for name, each in config.programmes.items() if _carried_out(each, available)]
    if programme is None:
        programme = JOINT if JOINT in able or not able else able[0]
    if programme not in able:
        raise ConfigError(
            "no programme whose start could be moved\n"
            f"    found    {programme!r}\n"
            f"    allowed  {', '.join(able) or 'a programme with measures; the configuration has none'}"
        )
    return programme


def _carried_out(programme: Programme, available: Mapping[str, Measure]) -> list[Measure]:
    """Measures of a programme without growth of use, which nobody carries out."""
    return [measure for measure in measures_of(programme, available) if measure.role == "measure"]
