"""What the user asks for: the schema of a configuration, its loader and its messages."""

from caspian_sim.config.catalogue import available_measures, default_catalogue, load_measures
from caspian_sim.config.export import (
    FILE_KEYS,
    config_hash,
    file_hashes,
    json_schema,
    key_table,
    resolved_yaml,
    write_template,
)
from caspian_sim.config.forcing import OwnForcing, OwnSeries
from caspian_sim.config.impacts import Impacts, OwnPort
from caspian_sim.config.loader import load_config, parse_config
from caspian_sim.config.measure import Measure
from caspian_sim.config.parameters import overridden_parameters, parameters_of
from caspian_sim.config.problems import InvalidConfigError, Problem
from caspian_sim.config.programme import Programme
from caspian_sim.config.ranges import VolumeRange
from caspian_sim.config.schema import Config, Execution

__all__ = [
    "FILE_KEYS",
    "Config",
    "Execution",
    "Impacts",
    "InvalidConfigError",
    "Measure",
    "OwnForcing",
    "OwnPort",
    "OwnSeries",
    "Problem",
    "Programme",
    "VolumeRange",
    "available_measures",
    "config_hash",
    "default_catalogue",
    "file_hashes",
    "json_schema",
    "key_table",
    "load_config",
    "load_measures",
    "overridden_parameters",
    "parameters_of",
    "parse_config",
    "resolved_yaml",
    "write_template",
]
