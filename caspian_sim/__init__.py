"""Sea level of the Caspian under climate change and under the measures of its five littoral states.

The usual way in::

    import caspian_sim as cs

    ds = cs.run("configs/quickstart.yaml")   # an xarray.Dataset
    cs.hypsometry().area(-29.2)              # km² at −29.2 m BHS
    cs.data.load("sea_level_annual")         # the observed record, with source and grade
    cs.hindcast()                            # the model against the record, 1937-2022
    cs.literature()                          # the projections beside the published ones
    cs.explore(ds)                           # sliders in a notebook: scenario, programme, threshold
    cs.export(ds, "level.xlsx", "xlsx")      # for spreadsheets and scenario databases
    cs.brief(ds, "briefs")                   # two pages for those who decide, with an annex
    cs.outlook("new.csv")                    # the coming twelve months, from the newest observations

Levels are metres in the Baltic Height System (m BHS), areas km², volumes km³, fluxes km³/yr.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from caspian_sim import data as data
    from caspian_sim.basin.hypsometry import load_hypsometry as hypsometry
    from caspian_sim.config import Config, load_config
    from caspian_sim.cooperate.burden import burden_sharing
    from caspian_sim.cooperate.coalitions import attribute
    from caspian_sim.cooperate.delay import delay
    from caspian_sim.cooperate.target import target
    from caspian_sim.cooperate.tradeoffs import tradeoffs
    from caspian_sim.ensemble import reproduce, run
    from caspian_sim.evaluate.budget import solve_balance
    from caspian_sim.evaluate.ensembles import calibrate
    from caspian_sim.evaluate.equilibrium import equilibrium
    from caspian_sim.evaluate.hindcast import hindcast
    from caspian_sim.evaluate.literature import literature
    from caspian_sim.evaluate.outlook import outlook
    from caspian_sim.evaluate.reconstruct import reconstruct
    from caspian_sim.evaluate.sensitivity import sensitivity
    from caspian_sim.evaluate.variance import variance
    from caspian_sim.explorer.notebook import explore
    from caspian_sim.impacts.seabed import exposed_seabed_by_state
    from caspian_sim.outputs.brief import brief
    from caspian_sim.outputs.export import export
    from caspian_sim.results import open_result as open
    from caspian_sim.results import save

# Imported at first use, so that the command line answers at once.
_PLACES = {
    "Config": ("caspian_sim.config", "Config"),
    "attribute": ("caspian_sim.cooperate.coalitions", "attribute"),
    "brief": ("caspian_sim.outputs.brief", "brief"),
    "burden_sharing": ("caspian_sim.cooperate.burden", "burden_sharing"),
    "calibrate": ("caspian_sim.evaluate.ensembles", "calibrate"),
    "data": ("caspian_sim.data", None),
    "delay": ("caspian_sim.cooperate.delay", "delay"),
    "equilibrium": ("caspian_sim.evaluate.equilibrium", "equilibrium"),
    "exposed_seabed_by_state": ("caspian_sim.impacts.seabed", "exposed_seabed_by_state"),
    "explore": ("caspian_sim.explorer.notebook", "explore"),
    "export": ("caspian_sim.outputs.export", "export"),
    "hindcast": ("caspian_sim.evaluate.hindcast", "hindcast"),
    "hypsometry": ("caspian_sim.basin.hypsometry", "load_hypsometry"),
    "literature": ("caspian_sim.evaluate.literature", "literature"),
    "load_config": ("caspian_sim.config", "load_config"),
    "open": ("caspian_sim.results", "open_result"),
    "outlook": ("caspian_sim.evaluate.outlook", "outlook"),
    "reconstruct": ("caspian_sim.evaluate.reconstruct", "reconstruct"),
    "reproduce": ("caspian_sim.ensemble", "reproduce"),
    "run": ("caspian_sim.ensemble", "run"),
    "save": ("caspian_sim.results", "save"),
    "sensitivity": ("caspian_sim.evaluate.sensitivity", "sensitivity"),
    "solve_balance": ("caspian_sim.evaluate.budget", "solve_balance"),
    "target": ("caspian_sim.cooperate.target", "target"),
    "tradeoffs": ("caspian_sim.cooperate.tradeoffs", "tradeoffs"),
    "variance": ("caspian_sim.evaluate.variance", "variance"),
}

__all__ = [
    "Config",
    "attribute",
    "brief",
    "burden_sharing",
    "calibrate",
    "data",
    "delay",
    "equilibrium",
    "explore",
    "export",
    "exposed_seabed_by_state",
    "hindcast",
    "hypsometry",
    "literature",
    "load_config",
    "open",
    "outlook",
    "reconstruct",
    "reproduce",
    "run",
    "save",
    "sensitivity",
    "solve_balance",
    "target",
    "tradeoffs",
    "variance",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'caspian_sim' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found = import_module(module)
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
