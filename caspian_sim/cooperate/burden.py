"""Four rules for sharing the burden of the joint programme, side by side.

A rule divides among the five states the water that the joint programme brings the sea in a year, the outflow
to the bay that it stops included. None of them is right: *equal* looks at nothing, *consumption* at who takes
most today, *benefit* at whose seabed is kept under water, *shapley* at what each state's own measures do for
the level. What each state's measures in the programme bring stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim.basin.sectors import load_sectors
from caspian_sim.cooperate.coalitions import STATES
from caspian_sim.errors import DataError

Array = NDArray[np.float64]

RULES: Mapping[str, tuple[str, str]] = {
    "equal": ("D", "the same volume for every state"),
    "consumption": ("D", "in proportion to irretrievable consumption (consumption_by_state)"),
    "benefit": ("D", "in proportion to the seabed kept under water in the sector of the state (sectors)"),
    "shapley": ("D", "in proportion to the Shapley value of the avoided fall"),
    "planned": ("D", "what the measures of the state in the programme bring"),
}
"""Evidence grade and meaning of each rule. Sectors are drawn by nearest coast: no legal delimitation."""
NEEDED = (
    "avoided_fall_shapley",
    "avoided_fall_joint",
    "avoided_seabed_joint",
    "sea_level",
    "water_brought_joint",
    "consumption",
)


def gains(attribution: xr.Dataset) -> xr.DataArray:
    """Seabed that the joint programme keeps under water in the sector of each state.

    Parameters
    ----------
    attribution : xarray.Dataset
        Result of :func:`caspian_sim.attribute`, with ``sea_level`` of "none" and of the joint programme.

    Returns
    -------
    xarray.DataArray
        km², by ``state``, ``scenario``, ``year`` and ``member``. The whole is that of the attribution, which
        follows the area through the year; sectors share it as they do at the annual mean levels.
    """
    level = attribution["sea_level"].assign_coords(time=attribution["time"].dt.year)
    level = level.sel(time=attribution["year"].values).rename(time="year").transpose("programme", ...)
    without, together = (np.asarray(level.isel(programme=place).values) for place in (0, 1))
    sectors = load_sectors()
    order = [sectors.states.index(code) for code in STATES]
    top = float(sectors.node_level[-1])
    kept = (sectors.exposed(without, top) - sectors.exposed(together, top))[order]
    shares = xr.DataArray(kept, dims=("state", *level.isel(programme=0).dims))
    whole = shares.sum("state")
    found = attribution["avoided_seabed_joint"] * (shares / whole.where(whole != 0.0)).fillna(0.0)
    return found.transpose("state", "scenario", "year", "member")


def burden_sharing(attribution: xr.Dataset) -> xr.Dataset:
    """Share the volume of the joint programme among the states by every rule.

    Parameters
    ----------
    attribution : xarray.Dataset
        Result of :func:`caspian_sim.attribute`.

    Returns
    -------
    xarray.Dataset
        ``fraction`` and ``burden`` (km³/yr) by ``rule`` (:data:`RULES`), ``state``, ``scenario``, ``year``
        and ``member``; ``of_consumption``, the burden over the consumption of the state. ``consumption``
        (km³/yr), and ``gain`` (km²), the seabed that the joint programme keeps under water in the sector of
        the state: by nearest coast, not by legal lines. Shares by benefit are NaN where nothing is kept,
        those by Shapley value where the joint programme does not raise the level.

    Raises
    ------
    DataError
        When the dataset is not one of :func:`caspian_sim.attribute`.
    """
    missing = [name for name in NEEDED if name not in attribution]
    if missing:
        raise DataError(
            "burden sharing needs the result of an attribution\n"
            f"    found    no {missing[0]}\n"
            "    hint     caspian_sim.attribute gives one"
        )
    dims = ("state", "scenario", "year", "member")
    fall = attribution["avoided_fall_joint"]
    used = attribution["consumption"]
    gain = gains(attribution)
    joint = attribution["water_brought_joint"]
    planned = attribution["water_brought_shapley"]
    fractions = {
        "equal": xr.full_like(used, 1.0 / len(STATES)),
        "consumption": used / used.sum("state"),
        "benefit": gain / gain.sum("state").where(lambda kept: kept != 0.0),
        "shapley": attribution["avoided_fall_shapley"] / fall.where(fall > 0.0),
        "planned": planned / joint.where(joint != 0.0),
    }
    whole = xr.zeros_like(attribution["avoided_fall_shapley"])
    fraction = xr.concat([whole + part for part in fractions.values()], "rule").transpose("rule", *dims)
    burden = (fraction * joint).transpose("rule", *dims)
    result = xr.Dataset(
        {
            "fraction": fraction,
            "burden": burden,
            "of_consumption": (burden / used).transpose("rule", *dims),
            "joint_volume": joint,
            "gain": gain,
            "consumption": used,
        },
        attrs={**attribution.attrs, "title": "Sharing the burden of the joint programme"},
    )
    kept = [name for name in ("scenario", "year", "state", "member") if name in attribution.coords]
    evidence = [name for name in attribution.coords if str(name).startswith(("measure", "parameter"))]
    result = result.assign_coords({name: attribution[name] for name in (*kept, *evidence)})
    result = result.assign_coords(
        rule=np.array(list(RULES), dtype=object),
        rule_grade=("rule", np.array([grade for grade, _ in RULES.values()], dtype=object)),
        rule_meaning=("rule", np.array([meaning for _, meaning in RULES.values()], dtype=object)),
    )
    for name, (units, text) in {
        "fraction": ("1", "share of the burden"),
        "burden": ("km3/yr", "volume that falls to the state"),
        "of_consumption": ("1", "volume that falls to the state over its irretrievable consumption"),
        "joint_volume": ("km3/yr", "water that the joint programme brings"),
        "gain": ("km2", "seabed kept under water in the sector of the state, by nearest coast"),
        "consumption": ("km3/yr", "irretrievable consumption"),
    }.items():
        result[name].attrs = {"units": units, "long_name": text}
    return result
