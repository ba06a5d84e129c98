"""Shipped tables with their sources, and the catalogue that loads them.

Every number of the model that was measured or published comes from here, with its unit, source and evidence
grade. Importing this module is cheap; pandas and xarray are imported by the first call of :func:`load`.
"""

from caspian_sim.data.facts import Distribution, Fact, Parameter, fact, impact_fact, parameters
from caspian_sim.data.reader import load
from caspian_sim.data.registry import Entry, catalogue, entry, input_hashes, names

__all__ = [
    "Distribution",
    "Entry",
    "Fact",
    "Parameter",
    "catalogue",
    "entry",
    "fact",
    "impact_fact",
    "input_hashes",
    "load",
    "names",
    "parameters",
]
