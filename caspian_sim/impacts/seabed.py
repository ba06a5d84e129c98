r"""Exposed seabed by state: what the sea uncovers in the sector of each littoral state as it falls.

.. math:: E_s(h) = f \, [A_s(h_0) - A_s(h)]

with the area :math:`A_s` of the sector of state :math:`s` (:mod:`caspian_sim.basin.sectors`), the level
:math:`h_0` from which the run counts, and the factor :math:`f` on the area of the sea that a member draws.
The states add up to `exposed_seabed` of the run. A sector is what lies nearest to the coast of a state; it is
no legal delimitation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from caspian_sim import __version__, data, results
from caspian_sim.basin.hypsometry import REFERENCE_LEVEL, load_hypsometry
from caspian_sim.basin.sectors import CAVEAT, load_sectors
from caspian_sim.errors import DataError
from caspian_sim.impacts.levels import require_members, require_variables, run_config

Array = NDArray[np.float64]

NAME = "exposed_seabed_by_state"
DIMS = ("scenario", "programme", "member", "state", "time")
FALLS = (5.0, 10.0, 18.0)
"""Falls at which published studies report what is laid bare, m."""
WHOLE = "all"
"""Name of the whole sea among the states."""
TABLE = "sectors"


def exposed_seabed(level: ArrayLike, reference: float, area_factor: ArrayLike = 1.0) -> Array:
    """Seabed in the sector of each state that is dry at a level and was under water at the reference.

    Parameters
    ----------
    level : array_like
        Level of the sea, m BHS, any shape. Beyond the ends of the curve the ends count.
    reference : float
        Level from which exposed seabed counts, m BHS.
    area_factor : array_like, optional
        Factor on the area of the sea, of a shape that fits `level`.

    Returns
    -------
    ndarray, shape (state, ...)
        km², in the order of :func:`~caspian_sim.basin.sectors.load_sectors`; negative where the sea stands
        above the reference.

    Raises
    ------
    OutOfRangeError
        When the reference lies outside the curve, or a level is not a number.
    """
    return np.asarray(load_sectors().exposed(level, reference) * np.asarray(area_factor, dtype=np.float64))


def exposed_seabed_by_state(ds: xr.Dataset) -> xr.Dataset:
    """Exposed seabed by state in every member of a run.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with its members and the shipped hypsometry.

    Returns
    -------
    xarray.Dataset
        ``exposed_seabed_by_state`` (scenario, programme, member, state, time), km², counted from the level
        `reference_level` of the run, and ``sector_area`` (state), km², at that level. Over the states the
        first adds up to `exposed_seabed` of the run.

    Raises
    ------
    DataError
        When the members or a variable are missing, or the run has a hypsometry of its own, which knows no
        states.
    """
    _check(ds)
    reference = float(ds["exposed_seabed"].attrs["reference_level"])
    level = ds["sea_level"].transpose(*(dim for dim in DIMS if dim != "state"))
    factor = ds["parameters"].sel(parameter="area_factor").to_numpy()[:, None]
    sectors = load_sectors()
    found = results.assemble(
        {
            NAME: (DIMS, np.moveaxis(exposed_seabed(level.to_numpy(), reference, factor), 0, -2)),
            "sector_area": (("state",), sectors.area(reference)),
        },
        {
            **{name: ds[name] for name in ("scenario", "programme", "member", "time", "time_bnds")},
            "state": np.array(sectors.states),
        },
        impact_attributes(ds),
    )
    found["state"].attrs = {"long_name": "littoral state, " + CAVEAT}
    for name in (NAME, "sector_area"):
        found[name].attrs["reference_level"] = reference
    return found


def falls_table(reference: float | None = None, falls: Sequence[float] = FALLS) -> pd.DataFrame:
    """Tabulate what falls of the level lay bare, by state.

    Parameters
    ----------
    reference : float, optional
        Level from which falls count, m BHS; the zero of charts, −28 m, when not given.
    falls : sequence of float
        m.

    Returns
    -------
    pandas.DataFrame
        One row for each fall and state, the whole sea last (``all``): `reference_level_m_bhs`, `fall_m`,
        `level_m_bhs`, `state`, `exposed_km2`, `share_of_sector`: how much of what the sector has at the
        reference falls dry, and `area_uncertainty`: that of the area of the whole sea at the lower level, as
        a share of it (grade D).

    Raises
    ------
    OutOfRangeError
        When a level lies outside the curve.
    """
    start = REFERENCE_LEVEL if reference is None else reference
    sectors, curve = load_sectors(), load_hypsometry()
    before = sectors.area(start)
    assert curve.area_uncertainty is not None
    rows = []
    for fall in falls:
        level = start - fall
        lost = before - sectors.area(level)
        uncertainty = float(np.interp(level, curve.node_level, curve.area_uncertainty))
        for state, exposed, area in zip(
            (*sectors.states, WHOLE), (*lost, lost.sum()), (*before, before.sum()), strict=True
        ):
            rows.append((start, fall, level, state, float(exposed), float(exposed / area), uncertainty))
    columns = ["reference_level_m_bhs", "fall_m", "level_m_bhs", "state", "exposed_km2"]
    return pd.DataFrame(rows, columns=[*columns, "share_of_sector", "area_uncertainty"])


def _check(ds: xr.Dataset) -> None:
    what = "exposed seabed by state"
    require_members(ds, what)
    require_variables(ds, what, ("sea_level", "exposed_seabed", "parameters", "time_bnds"))
    require_shipped_hypsometry(ds, what)


def require_shipped_hypsometry(ds: xr.Dataset, what: str) -> None:
    """Refuse a run with a hypsometry of its own: a table of level and area does not say where the water is.

    Raises
    ------
    DataError
        Naming what needs the shipped one.
    """
    own = run_config(ds).basin.hypsometry
    if own is not None:
        raise DataError(
            f"{what} needs the hypsometry that ships with the package\n"
            f"    found    basin.hypsometry {own}\n"
            "    hint     a table of level and area does not say where the water is"
        )


def impact_attributes(
    ds: xr.Dataset, tables: Sequence[str] = (TABLE,), comment: str = CAVEAT
) -> dict[str, str]:
    """Attributes of the run that impacts come from, and what was made of it.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run.
    tables : sequence of str
        Shipped tables that went in beside it.
    comment : str
        What must not be forgotten of the impacts.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    inputs = {**json.loads(ds.attrs["input_sha256"]), **data.input_hashes(list(tables))}
    return {
        **{str(key): text for key, text in ds.attrs.items()},
        "title": f"Impacts: {ds.attrs['title']}",
        "comment": comment[0].upper() + comment[1:],
        "history": f"{now} caspian_sim {__version__} impacts\n{ds.attrs['history']}",
        "input_sha256": json.dumps(dict(sorted(inputs.items()))),
    }
