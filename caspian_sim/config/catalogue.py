"""Catalogues of measures: YAML lists read through the measure model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from caspian_sim.config.measure import Measure, Measures
from caspian_sim.config.read import read_file
from caspian_sim.config.validate import validate


def load_measures(path: str | Path) -> tuple[Measure, ...]:
    """Measures of a YAML file that holds a list of them.

    Raises
    ------
    ConfigError
        With every problem, each at its file, line and column.
    """
    return tuple(validate(read_file(str(path)), Measures))


@cache
def default_catalogue() -> tuple[Measure, ...]:
    """Measures that ship with the package."""
    with as_file(files("caspian_sim") / "measures" / "catalogue.yaml") as path:
        return load_measures(path)


def available_measures(catalogue: str, custom: Iterable[Measure]) -> dict[str, Measure]:
    """Measures of a run by id; a custom measure takes the place of the shipped one with its id.

    Parameters
    ----------
    catalogue : {"default", "none"}
        Whether the shipped catalogue is used.
    custom : iterable of Measure
        Measures of the configuration.
    """
    shipped = default_catalogue() if catalogue == "default" else ()
    return {measure.id: measure for measure in (*shipped, *custom)}
