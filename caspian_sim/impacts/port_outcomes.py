"""What becomes of ports as the level of the sea changes: depth, full loads, cargo, dredging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import xarray as xr

from caspian_sim.errors import DataError
from caspian_sim.impacts.fleet import CENTIMETRES
from caspian_sim.impacts.levels import (
    annual_level,
    first_likely_year,
    kept_attributes,
    run_config,
    share_below,
)
from caspian_sim.impacts.ports import Port, ports_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WHAT = "the depth of the ports"


def depth_left(level: xr.DataArray, ports: Sequence[Port]) -> xr.DataArray:
    """Depth, or permitted draft, that a level of the sea leaves at ports.

    Parameters
    ----------
    level : xarray.DataArray
        m BHS, any dims: those of :func:`caspian_sim.impacts.levels.annual_level` for every member and year.
    ports : sequence of Port

    Returns
    -------
    xarray.DataArray
        m, along `port` and the dims of `level`; negative where the bed has fallen dry.
    """
    at_zero = _by_port(ports, [port.depth - port.reference_level for port in ports])
    return (at_zero + level).rename("depth_left").assign_attrs(units="m", long_name="depth left at the port")


def cargo_lost(depth: xr.DataArray, ports: Sequence[Port]) -> xr.DataArray:
    """Cargo that the vessel of a port leaves behind on a voyage, t: all of its deadweight at most.

    Parameters
    ----------
    depth : xarray.DataArray
        As of :func:`depth_left`.
    ports : sequence of Port
    """
    short = (_by_port(ports, [port.needed for port in ports]) - depth).clip(min=0.0)
    lost = short * _by_port(ports, [CENTIMETRES * port.vessel.cargo_per_cm for port in ports])
    most = _by_port(ports, [port.vessel.deadweight for port in ports])
    return lost.where(lost <= most, most).where(depth.notnull())


def port_outcomes(
    ds: xr.Dataset, ports: Sequence[Port] | None = None, *, quantiles: Sequence[float] = QUANTILES
) -> xr.Dataset:
    """Reckon what becomes of ports: depth, chance that the vessel cannot load in full, cargo, dredging.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run, with members.
    ports : sequence of Port, optional
        Those of the configuration of the run when not given.
    quantiles : sequence of float, optional
        Over the members.

    Returns
    -------
    xarray.Dataset
        By `port`, `scenario`, `programme` and `year`: `below_draft`, the probability that the annual mean
        level is too low for the vessel in full load; by `quantile` too: `depth_left` (m), `dredging` (m: to
        hold the stated depth), `dredging_for_vessel` (m: to let the vessel load in full) and `cargo_lost`
        (t a voyage), each quantile over the members of the quantity itself. Without `year`: `first_year`,
        the first with a probability of one half or more, NaN when there is none. By `port` alone:
        `limit_level` (m BHS), `cargo_per_decimetre` (t) and what the port is.

    Raises
    ------
    DataError
        When the members or a variable are missing, or the run has no ports.
    """
    level = annual_level(ds, WHAT)
    chosen = tuple(ports) if ports is not None else ports_of(run_config(ds))
    if not chosen:
        raise DataError("no port is asked for")
    limit = _by_port(chosen, [port.limit_level for port in chosen])
    probability = xr.concat([share_below(level, float(value)) for value in limit], dim=limit["port"])
    # Depth rises with the level, dredging and cargo lost fall with it, all without a turn: their quantiles
    # follow from those of the level, and no array holds every port for every member.
    rising = level.quantile(list(quantiles), "member", skipna=False)
    falling = level.quantile([1.0 - p for p in quantiles], "member", skipna=False)
    falling = falling.assign_coords(quantile=rising["quantile"])
    left = depth_left(falling, chosen)
    stated = _by_port(chosen, [port.depth for port in chosen])
    needed = _by_port(chosen, [port.needed for port in chosen])
    found = xr.Dataset(
        {
            "below_draft": _described(
                probability, "1", "probability that the vessel of the port cannot load in full"
            ),
            "first_year": _described(
                first_likely_year(probability),
                "year",
                "first year in which the vessel cannot load in full with a probability of one half or more",
            ),
            "depth_left": depth_left(rising, chosen),
            "dredging": _described(
                (stated - left).clip(min=0.0), "m", "dredging that holds the stated depth"
            ),
            "dredging_for_vessel": _described(
                (needed - left).clip(min=0.0), "m", "dredging that lets the vessel load in full"
            ),
            "cargo_lost": _described(cargo_lost(left, chosen), "t", "cargo left behind on a voyage"),
            "limit_level": _described(limit, "m", "level below which the vessel cannot load in full (m BHS)"),
            "cargo_per_decimetre": _described(
                _by_port(chosen, [port.cargo_per_decimetre for port in chosen]),
                "t",
                "cargo that a decimetre of draft is worth",
            ),
        }
    )
    dims = ("port", "scenario", "programme", "quantile", "year")
    return found.transpose(*dims).assign_coords(_coordinates(chosen)).assign_attrs(kept_attributes(ds))


def _by_port(ports: Sequence[Port], values: Sequence[float]) -> xr.DataArray:
    names = [port.id for port in ports]
    return xr.DataArray(np.asarray(values, dtype=np.float64), {"port": names}, ("port",))


def _described(values: xr.DataArray, units: str, long_name: str) -> xr.DataArray:
    values = values.copy(deep=False)
    values.attrs = {"units": units, "long_name": long_name}
    return values


def _coordinates(ports: Sequence[Port]) -> dict[str, tuple[str, list[object]]]:
    columns = {
        "port_title": [port.title for port in ports],
        "port_kind": [port.kind for port in ports],
        "port_state": [port.state for port in ports],
        "port_latitude": [port.latitude for port in ports],
        "port_longitude": [port.longitude for port in ports],
        "port_depth": [port.depth for port in ports],
        "port_stated_as": [port.stated_as for port in ports],
        "port_reference_level": [port.reference_level for port in ports],
        "port_needed": [port.needed for port in ports],
        "port_grade": [port.grade for port in ports],
        "port_vessel": [port.vessel.title for port in ports],
        "port_draft": [port.vessel.draft for port in ports],
        "port_vessel_grade": [port.vessel_grade for port in ports],
        "port_cargo_grade": [port.vessel.cargo_grade for port in ports],
        "port_source": [port.source for port in ports],
    }
    return {key: ("port", cast("list[object]", values)) for key, values in columns.items()}
