"""Small results with levels that are known, for what is read off them."""

from __future__ import annotations

import numpy as np
import xarray as xr

CONFIG = """
name: example
period: {start: 2026, end: 2100}
climate: {scenarios: [ssp126, ssp245, ssp370, ssp585]}
uncertainty: {members: 5}
programmes:
  none: {}
  joint: {participants: [KZ, RU, TM]}
output: {directory: results/example}
"""


def run_with_levels(
    level: np.ndarray,
    first_year: int = 2026,
    sill: float | np.ndarray = -32.0,
    config: str = CONFIG,
) -> xr.Dataset:
    """Result by year with given levels, shape (scenario, programme, member, year) or fewer of them."""
    level = np.asarray(level, dtype=float)
    level = level.reshape((1,) * (4 - level.ndim) + level.shape)
    edges = np.arange(f"{first_year}", f"{first_year + level.shape[-1] + 1}", dtype="datetime64[Y]")
    edges = edges.astype("datetime64[ns]")
    members = level.shape[2]
    sills = np.broadcast_to(np.asarray(sill, dtype=float), (members,))
    return xr.Dataset(
        {
            "sea_level": (("scenario", "programme", "member", "time"), level),
            "parameters": (("parameter", "member"), np.stack([sills, np.full(members, 4.0)])),
        },
        coords={
            "scenario": ["ssp126", "ssp245", "ssp370", "ssp585"][: level.shape[0]],
            "programme": ["none", "joint"][: level.shape[1]],
            "member": np.arange(members),
            "time": edges[:-1] + (edges[1:] - edges[:-1]) // 2,
            "time_bnds": (("time", "nv"), np.stack([edges[:-1], edges[1:]], axis=1)),
            "measure": ["volga-savings"],
            "measure_state": ("measure", ["RU"]),
            "measure_grade": ("measure", ["D"]),
            "parameter": ["strait_sill", "groundwater"],
            "parameter_grade": ("parameter", ["D", "B"]),
        },
        attrs={"config": config, "config_hash": "0123456789abcdef", "version": "0.0"},
    )


def falling_run() -> xr.Dataset:
    """Four scenarios and two programmes in which every member falls at its own pace until 2100."""
    years = np.arange(1, 76)
    scenario = np.array([0.02, 0.04, 0.055, 0.07])[:, None, None, None]
    programme = np.array([1.0, 0.6])[:, None, None]
    member = np.array([0.4, 0.7, 1.0, 1.4, 2.1])[:, None]
    return run_with_levels(-29.2 - scenario * programme * member * years, sill=np.linspace(-33, -31, 5))
