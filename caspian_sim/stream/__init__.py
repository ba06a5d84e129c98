"""Where the members of a run come together, as a configuration asks: see :func:`make_store`."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from caspian_sim import results
from caspian_sim.collect import Frame, Members, MemberStore, Store
from caspian_sim.errors import OutputError
from caspian_sim.stream.gains import fall_times, years_gained
from caspian_sim.stream.quantiles import BASELINE, REPORTED, QuantileStore, report_years
from caspian_sim.stream.zarr import ZarrStore


class BothStore:
    """Members and the statistics over them.

    Parameters
    ----------
    members : Store
    quantiles : QuantileStore
    """

    def __init__(self, members: Store, quantiles: QuantileStore) -> None:
        self._members, self._quantiles = members, quantiles

    def add(self, part: Members) -> None:
        """Take in the results of some members."""
        self._members.add(part)
        self._quantiles.add(part)

    def dataset(self) -> xr.Dataset:
        """Put both into one dataset."""
        return self._quantiles.added_to(self._members.dataset())


def make_store(frame: Frame, folder: Path | None = None) -> Store:
    """Make the store that the configuration of a run asks for.

    Parameters
    ----------
    frame : Frame
    folder : Path, optional
        Zarr folder to which members are written as they come in, when the format is zarr. All is kept in
        memory when not given.

    Returns
    -------
    Store
        A :class:`QuantileStore` can also dump and load its state.

    Raises
    ------
    OutputError
        When the format is zarr and its extra is not installed.
    """
    output = frame.config.output
    if output.format == "zarr":
        results.require_zarr(Path(output.directory), OutputError)
    if output.keep == "quantiles":
        return QuantileStore(frame)
    members: Store = MemberStore(frame)
    if folder is not None and output.format == "zarr":
        members = ZarrStore(frame, folder)
    return members if output.keep == "members" else BothStore(members, QuantileStore(frame))


__all__ = [
    "BASELINE",
    "REPORTED",
    "BothStore",
    "QuantileStore",
    "ZarrStore",
    "fall_times",
    "make_store",
    "report_years",
    "years_gained",
]
