"""The shape of the sea in a run, as the configuration asks for it: its curve, and the look-up table."""

from __future__ import annotations

from dataclasses import dataclass

from caspian_sim import data
from caspian_sim.basin.hypsometry import Hypsometry, constant_area, load_hypsometry, read_hypsometry_csv
from caspian_sim.basin.shallows import shallow_share, with_constant_shallows, with_shallows
from caspian_sim.basin.volume_table import VolumeTable
from caspian_sim.config import Config
from caspian_sim.errors import ConfigError

# Working range of the look-up table, m BHS; a curve of a user's own may be shorter.
LOWEST_LEVEL, HIGHEST_LEVEL = -100.0, -20.0


@dataclass(frozen=True)
class SeaShape:
    """Shape of the sea.

    Attributes
    ----------
    curve : Hypsometry
        The sea's own curve.
    shape : Hypsometry
        Curve of the balance: the sea's own, or a box when the area is held constant.
    table : VolumeTable
        Level and area by volume.
    shallow_share : float, optional
        Share of the sea that is shallow at the mean level of the baseline, where evaporation depends on it.
    """

    curve: Hypsometry
    shape: Hypsometry
    table: VolumeTable
    shallow_share: float | None = None


def sea_shape(config: Config, start: float, baseline: tuple[int, int]) -> SeaShape:
    """Shape of the sea in a run.

    Parameters
    ----------
    config : Config
    start : float
        Level at the start, m BHS.
    baseline : (int, int)
        First and last year of the present climate.

    Returns
    -------
    SeaShape

    Raises
    ------
    ConfigError, DataError, OutOfRangeError
        When the hypsometry of the configuration cannot be used.
    """
    own = config.basin.hypsometry
    curve = load_hypsometry() if own is None else read_hypsometry_csv(own)
    where = own or "the shipped hypsometry"
    if not curve.node_level[0] < start < curve.node_level[-1]:
        raise ConfigError(
            f"{where}: the table does not reach the level at the start\n"
            f"    found    {curve.node_level[0]:g} to {curve.node_level[-1]:g} m BHS\n"
            f"    allowed  a range of levels around {start:.2f} m BHS, wide enough for the whole run"
        )
    constant = config.climate.area_convention == "constant"
    shape = constant_area(start, curve.area(start)) if constant else curve
    bottom, top = shape.node_level[0], min(shape.node_level[-1], HIGHEST_LEVEL)
    bottom = max(bottom, LOWEST_LEVEL)
    if config.climate.evaporation == "linear":
        return SeaShape(curve, shape, shape.volume_table(bottom, top))

    depth = data.fact("shallow_water_depth").value
    record = data.load("sea_level_annual")["level"]
    before = float(record.sel(year=slice(*baseline)).mean())
    if curve.node_level[0] > min(start, before) - depth or curve.node_level[-1] < before:
        raise ConfigError(
            f"{where}: the table is too short for evaporation over shallow water\n"
            f"    found    {curve.node_level[0]:g} to {curve.node_level[-1]:g} m BHS\n"
            f"    allowed  from {min(start, before) - depth:.2f} m BHS, {depth:g} m below the sea, to "
            f"{before:.2f} m BHS, its mean level of {baseline[0]}-{baseline[1]}, at least\n"
            "    hint     climate.evaporation: linear does without"
        )
    share = float(shallow_share(curve, before, depth))
    if constant:
        now = float(shallow_share(curve, start, depth))
        table = with_constant_shallows(shape.volume_table(bottom, top), now, share)
    else:
        table = with_shallows(shape, bottom, top, depth, share)
    return SeaShape(curve, shape, table, share)
