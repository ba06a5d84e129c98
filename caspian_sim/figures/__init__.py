"""Figures of a result, in one style: each a function of a dataset, each with the table of what it draws.

::

    import caspian_sim as cs
    from caspian_sim import figures

    ds = cs.run("configs/quickstart.yaml")
    figures.projection(ds)                       # shows itself in a notebook
    figures.save_figure(figures.projection(ds), figures.projection_table(ds), "results", "projection")
    figures.draw("budget", ds, style="slides", lang="ru")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from caspian_sim.figures.alone import alone, alone_table
from caspian_sim.figures.budget import budget, budget_table
from caspian_sim.figures.burden import burden, burden_figure_table
from caspian_sim.figures.calibration import posterior, posterior_densities, traces, traces_table
from caspian_sim.figures.calibration_pairs import pairs, pairs_table
from caspian_sim.figures.change import change, change_table
from caspian_sim.figures.checklist import check_number, check_target, checklist, checklist_table
from caspian_sim.figures.crossing import crossing, crossing_table
from caspian_sim.figures.delay import delay, delay_table
from caspian_sim.figures.ecosystem import ecosystem, ecosystem_table
from caspian_sim.figures.equilibrium import equilibrium, equilibrium_table
from caspian_sim.figures.flows import flows, flows_table
from caspian_sim.figures.forecasts import forecasts, forecasts_table
from caspian_sim.figures.hindcast import hindcast, hindcast_table
from caspian_sim.figures.hypsometry import hypsometry, hypsometry_table
from caspian_sim.figures.joint import joint, joint_table
from caspian_sim.figures.language import language
from caspian_sim.figures.literature import literature, literature_table
from caspian_sim.figures.literature_gap import literature_gap, literature_gap_table
from caspian_sim.figures.look import looking
from caspian_sim.figures.marginal import marginal, marginal_table
from caspian_sim.figures.outlook import outlook, outlook_table
from caspian_sim.figures.pack import PACK, PackFigure, draw
from caspian_sim.figures.ports import ports, ports_table
from caspian_sim.figures.projection import projection, projection_table
from caspian_sim.figures.reconstruction import reconstruction, reconstruction_table
from caspian_sim.figures.route import route, route_table
from caspian_sim.figures.save import save_figure
from caspian_sim.figures.seabed import seabed, seabed_table
from caspian_sim.figures.sensitivity import sensitivity, sensitivity_table
from caspian_sim.figures.shapley import shapley, shapley_table
from caspian_sim.figures.shoreline import shoreline, shoreline_table
from caspian_sim.figures.target import target, target_table
from caspian_sim.figures.tradeoffs import tradeoffs, tradeoffs_table
from caspian_sim.figures.variance import variance, variance_table
from caspian_sim.figures.verification import verification, verification_table


@dataclass(frozen=True)
class FigureKind:
    """A figure that can be drawn by name.

    Attributes
    ----------
    draw, table : callable
        The figure and its numbers, from what `shows` names.
    shows : {"run", "hindcast", "basin"}
        What they are given: the dataset of :func:`caspian_sim.run`, that of :func:`caspian_sim.hindcast`, or
        the curve of :func:`caspian_sim.hypsometry`.
    needs_members : bool
        Whether statistics over the members do not suffice.
    """

    draw: Callable[[Any], Figure]
    table: Callable[[Any], pd.DataFrame]
    shows: Literal["run", "hindcast", "basin"]
    needs_members: bool = False


FIGURES: Mapping[str, FigureKind] = MappingProxyType(
    {
        "projection": FigureKind(projection, projection_table, "run"),
        "budget": FigureKind(budget, budget_table, "run", needs_members=True),
        "hypsometry": FigureKind(hypsometry, hypsometry_table, "basin"),
        "hindcast": FigureKind(hindcast, hindcast_table, "hindcast"),
    }
)
"""Figures by the names that configurations use."""

CALIBRATION: Mapping[str, tuple[Callable[[Any], Figure], Callable[[Any], pd.DataFrame]]] = MappingProxyType(
    {
        "posterior": (posterior, posterior_densities),
        "traces": (traces, traces_table),
        "pairs": (pairs, pairs_table),
    }
)
"""Figures of a calibration and their numbers, from the dataset of :func:`caspian_sim.calibrate`."""

__all__ = [
    "CALIBRATION",
    "FIGURES",
    "PACK",
    "FigureKind",
    "PackFigure",
    "alone",
    "alone_table",
    "budget",
    "budget_table",
    "burden",
    "burden_figure_table",
    "change",
    "change_table",
    "check_number",
    "check_target",
    "checklist",
    "checklist_table",
    "crossing",
    "crossing_table",
    "delay",
    "delay_table",
    "draw",
    "ecosystem",
    "ecosystem_table",
    "equilibrium",
    "equilibrium_table",
    "flows",
    "flows_table",
    "forecasts",
    "forecasts_table",
    "hindcast",
    "hindcast_table",
    "hypsometry",
    "hypsometry_table",
    "joint",
    "joint_table",
    "language",
    "literature",
    "literature_gap",
    "literature_gap_table",
    "literature_table",
    "looking",
    "marginal",
    "marginal_table",
    "outlook",
    "outlook_table",
    "pairs",
    "pairs_table",
    "ports",
    "ports_table",
    "posterior",
    "posterior_densities",
    "projection",
    "projection_table",
    "reconstruction",
    "reconstruction_table",
    "route",
    "route_table",
    "save_figure",
    "seabed",
    "seabed_table",
    "sensitivity",
    "sensitivity_table",
    "shapley",
    "shapley_table",
    "shoreline",
    "shoreline_table",
    "target",
    "target_table",
    "traces",
    "traces_table",
    "tradeoffs",
    "tradeoffs_table",
    "variance",
    "variance_table",
    "verification",
    "verification_table",
]
