"""The pack: every figure by its name, and what it is drawn from, so that results say which can be drawn.

A figure joins the pack with one line in :data:`PACK`, when its module has a function of its name, one of the
same name and ``_table``, and a tuple ``NEEDED`` of the variables that it draws; its words are in
:mod:`caspian_sim.figures.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry, read_hypsometry_csv
from caspian_sim.config.problems import did_you_mean
from caspian_sim.errors import DataError
from caspian_sim.evaluate.equilibrium import equilibrium
from caspian_sim.evaluate.hindcast import hindcast
from caspian_sim.evaluate.reconstruct import reconstruct
from caspian_sim.evaluate.verification import score_forecasts
from caspian_sim.figures.language import language
from caspian_sim.figures.layout import PAGE_WIDTH_CM
from caspian_sim.figures.look import looking
from caspian_sim.figures.reading import run_config
from caspian_sim.figures.text import say

Datasets = Sequence[xr.Dataset]

WORTH_CM = 1.0
"""Width for which a slide is drawn a second time."""
WORSE = 1.02
"""Not when it gets larger by this, and its text smaller."""


@dataclass(frozen=True)
class PackFigure:
    """A figure of the pack.

    Attributes
    ----------
    name : str
        What the figure is called, and its function.
    command : str
        Command that writes the dataset that it is drawn from.
    module : str
        Module of :mod:`caspian_sim.figures`, where it has another name than the figure.
    numbers : str
        Function of the numbers, where it is not the name with ``_table``.
    heading : str
        Key of its title, where it is not the name with ``.title``.
    needs : str
        Module that names the variables which are needed, where it is not the one of the figure.
    prepare : callable, optional
        What the dataset goes through before it is drawn.
    compute : callable, optional
        Makes what is drawn when no dataset has it: from what ships with the package alone, or of the run.
    """

    name: str
    command: str
    module: str = ""
    numbers: str = ""
    heading: str = ""
    needs: str = ""
    prepare: Callable[[xr.Dataset], Any] | None = None
    compute: Callable[[Datasets], Any] | None = None

    @cached_property
    def _module(self) -> ModuleType:
        return import_module(f"caspian_sim.figures.{self.module or self.name}")

    @property
    def needed(self) -> tuple[str, ...]:
        """Variables that a dataset must have; none where it is not drawn from a dataset."""
        module = import_module(f"caspian_sim.figures.{self.needs}") if self.needs else self._module
        return tuple(getattr(module, "NEEDED", ()))

    @property
    def title(self) -> str:
        """Title in the language that is spoken."""
        return say(self.heading or f"{self.name}.title")

    def draw(self, subject: Any) -> Figure:
        """Draw what :func:`subject_of` gives."""
        function = getattr(self._module, self.name)
        figure: Figure = function(subject)
        spare_cm = getattr(figure, "spare_cm", 0.0)
        if spare_cm >= WORTH_CM:
            # Tall plots make a slide wide: they may have the width that its text does not need.
            wider: Figure = function(subject, width_cm=PAGE_WIDTH_CM + spare_cm)
            if wider.get_figheight() < WORSE * figure.get_figheight():
                return wider
        return figure

    def table(self, subject: Any) -> pd.DataFrame:
        """Numbers of the figure."""
        table: pd.DataFrame = getattr(self._module, self.numbers or f"{self.name}_table")(subject)
        return table

    def missing(self, ds: xr.Dataset) -> list[str]:
        """Variables that a dataset lacks; a quantile stands for its variable."""
        enough = getattr(self._module, "NEEDED_STATISTICS", ())
        if enough and all(variable in ds.variables for variable in enough):
            return []
        return [v for v in self.needed if v not in ds.variables and f"{v}_quantile" not in ds.variables]


def _basin(datasets: Datasets) -> Hypsometry:
    """Curve of the sea of the first run among the datasets, or else the one that ships."""
    for ds in datasets:
        if "config" in ds.attrs:
            own = run_config(ds).basin.hypsometry
            return load_hypsometry() if own is None else read_hypsometry_csv(own)
    return load_hypsometry()


RUN, CALIBRATE, ATTRIBUTE = "caspian-sim run", "caspian-sim calibrate", "caspian-sim attribute"

PACK: Mapping[str, PackFigure] = MappingProxyType(
    {
        figure.name: figure
        for figure in (
            PackFigure("projection", RUN),
            PackFigure("crossing", RUN),
            PackFigure("budget", RUN),
            PackFigure("flows", RUN),
            PackFigure("change", RUN),
            PackFigure("joint", ATTRIBUTE),
            PackFigure("alone", ATTRIBUTE),
            PackFigure("shapley", ATTRIBUTE),
            PackFigure("burden", ATTRIBUTE, numbers="burden_figure_table"),
            PackFigure("target", "caspian-sim target"),
            PackFigure("marginal", "caspian-sim target"),
            PackFigure("delay", "caspian-sim delay"),
            PackFigure("tradeoffs", "caspian-sim tradeoffs"),
            PackFigure("shoreline", RUN, heading="shoreline.pack"),
            PackFigure("seabed", RUN),
            PackFigure("ports", RUN),
            PackFigure("route", RUN, heading="route.pack"),
            PackFigure("ecosystem", RUN),
            PackFigure("hindcast", "caspian-sim hindcast", compute=lambda _: hindcast()),
            PackFigure("checklist", "caspian-sim hindcast", compute=lambda _: hindcast()),
            PackFigure("reconstruction", "caspian-sim reconstruct", compute=lambda _: reconstruct()),
            PackFigure("hypsometry", RUN, compute=_basin),
            PackFigure("equilibrium", "caspian-sim equilibrium", compute=lambda _: equilibrium()),
            PackFigure("variance", "caspian-sim variance"),
            PackFigure("sensitivity", "caspian-sim sensitivity"),
            PackFigure("literature", "caspian-sim literature"),
            PackFigure("literature_gap", "caspian-sim literature"),
            PackFigure("outlook", "caspian-sim observe"),
            PackFigure("forecasts", "caspian-sim verify"),
            PackFigure("verification", "caspian-sim verify", needs="forecasts", prepare=score_forecasts),
            PackFigure(
                "posterior",
                CALIBRATE,
                module="calibration",
                numbers="posterior_densities",
                heading="calibration.posterior.title",
            ),
            PackFigure("traces", CALIBRATE, module="calibration", heading="calibration.traces.title"),
            PackFigure("pairs", CALIBRATE, module="calibration_pairs", heading="calibration.pairs.title"),
        )
    }
)
"""Figures by their names, in the order in which they are drawn."""


def named(names: Iterable[str]) -> list[PackFigure]:
    """Figures by their names, each once.

    Raises
    ------
    DataError
        When there is no such figure.
    """
    found = []
    for name in dict.fromkeys(names):
        if name not in PACK:
            hint = did_you_mean(name, PACK)
            raise DataError(
                f"there is no figure {name!r}\n    found    {name!r}\n    allowed  {', '.join(PACK)}"
                + (f"\n    hint     {hint}" if hint else "")
            )
        found.append(PACK[name])
    return found


class Subjects:
    """What the figures are drawn from: the datasets that were given, and what can be made without them.

    Parameters
    ----------
    datasets : sequence of xarray.Dataset
        Results, of one kind or of several. A figure is drawn from the first that has its variables.
    """

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = list(datasets)
        self._computed: dict[str, Any] = {}

    def check(self, figure: PackFigure) -> xr.Dataset | None:
        """Find the dataset that a figure is drawn from; None where it is made without one.

        Raises
        ------
        DataError
            When no dataset has its variables, naming the first that is missing from the nearest one.
        """
        lacks = [figure.missing(ds) for ds in self._datasets] if figure.needed else []
        for ds, missing in zip(self._datasets, lacks, strict=False):
            if not missing:
                return ds
        if figure.compute is not None:
            return None
        missing = min(lacks, key=len, default=list(figure.needed))
        raise DataError(
            f"figure {figure.name!r} cannot be drawn: variable {missing[0]!r} is missing\n"
            f"    needed   a result of {figure.command}"
        )

    def of(self, figure: PackFigure) -> Any:
        """Give what a figure is drawn from.

        Raises
        ------
        DataError
            As for :meth:`check`.
        """
        ds = self.check(figure)
        if ds is not None:
            return figure.prepare(ds) if figure.prepare else ds
        if figure.command not in self._computed and figure.compute is not None:
            self._computed[figure.command] = figure.compute(self._datasets)
        return self._computed[figure.command]


def draw(name: str, *datasets: xr.Dataset, style: str | None = None, lang: str | None = None) -> Figure:
    """Draw a figure of the pack by its name.

    Parameters
    ----------
    name : str
        A name of :data:`PACK`.
    *datasets : xarray.Dataset
        Results. The figure is drawn from the first that has its variables; some need none.
    style : {"report", "slides", "bw"}, optional
        A page, a slide of 16:9 with larger text, or a page in shades of grey; that of the block
        ``with looking(...)`` around it, or else a page, when not given.
    lang : str, optional
        Code of a shipped language, or a path to a file of texts; that of the block ``with language(...)``
        around it, or else English, when not given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When there is no such figure, or no dataset has its variables.
    ConfigError
        When there is no such language, or its file does not fit.
    OutputError
        When there is no such style.
    """
    (figure,) = named([name])
    with ExitStack() as settings:
        if style is not None:
            settings.enter_context(looking(style))
        if lang is not None:
            settings.enter_context(language(lang))
        return figure.draw(Subjects(datasets).of(figure))
