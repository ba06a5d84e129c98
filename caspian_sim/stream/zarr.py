"""Members of a run written to a Zarr folder as they come in, so that memory stays bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from caspian_sim import results
from caspian_sim.collect import DIMS, Array, Frame, Members, put_together
from caspian_sim.errors import OutputError

# Members of a chunk: with 75 years, half a megabyte for each scenario and programme.
CHUNK_MEMBERS = 1024


class ZarrStore:
    """All members of a run in a Zarr folder, filled part by part in any order.

    A chunk is written once, when all its members have come in; until then they wait in memory. The folder can
    be read when :meth:`dataset` has been called: it belongs in a hidden place until then.

    Parameters
    ----------
    frame : Frame
    folder : Path
        Made anew, in place of what is there.

    Raises
    ------
    OutputError
        When the extra ``zarr`` is not installed, or the folder cannot be written.
    """

    def __init__(self, frame: Frame, folder: Path) -> None:
        results.require_zarr(folder, OutputError)
        self._frame, self._folder = frame, folder
        self._group: Any = None
        self._waiting: dict[int, dict[str, Array]] = {}
        self._missing: dict[int, int] = {}
        self._steps = self._evaluations = 0

    def add(self, part: Members) -> None:
        """Take in the results of some members, each member once, and write the chunks that they complete.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        if self._group is None:
            self._group = self._begin(part.arrays)
        self._steps += part.steps
        self._evaluations += part.evaluations
        chunks = part.members // CHUNK_MEMBERS
        for chunk in np.unique(chunks).tolist():
            mine = np.flatnonzero(chunks == chunk)
            places = part.members[mine] - chunk * CHUNK_MEMBERS
            for name, values in part.arrays.items():
                waiting = self._chunk(chunk, part.arrays)[name]
                axis = DIMS[name].index("member")
                np.moveaxis(waiting, axis, 0)[places] = np.moveaxis(values, axis, 0)[mine]
            self._missing[chunk] -= len(mine)
            if self._missing[chunk] == 0:
                self._write(chunk)

    def dataset(self) -> xr.Dataset:
        """Complete the folder and open it; values are read when they are used.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        if self._group is None or any(self._missing.values()):
            raise ValueError("some members have not been taken in")
        import zarr

        work = {"solver_steps": str(self._steps), "solver_evaluations": str(self._evaluations)}
        try:
            self._group.attrs.update(work)
            zarr.consolidate_metadata(self._folder, zarr_format=results.ZARR_FORMAT)
        except OSError as error:
            raise results.cannot_write(self._folder, error) from error
        return results.open_zarr(self._folder)

    def _begin(self, arrays: dict[str, Array]) -> Any:
        """Make the folder with all coordinates and empty variables of full size."""
        import zarr

        members = self._frame.config.uncertainty.members
        empty = {
            name: (dims, np.take(arrays[name], [], axis=dims.index("member"))) for name, dims in DIMS.items()
        }
        dataset = put_together(self._frame, empty, {"member": np.arange(0)}, 0, 0)
        dataset["exposed_seabed"].attrs["reference_level"] = self._frame.reference_level
        one = {"scenario": 1, "programme": 1, "member": CHUNK_MEMBERS}
        chunks = {
            name: {"chunks": tuple(one.get(dim, max(1, dataset.sizes[dim])) for dim in dims)}
            for name, dims in DIMS.items()
        }
        try:
            results.write_zarr(dataset, self._folder, {**chunks, "member": {"chunks": (members,)}})
            # The consolidated metadata knows the variables without members alone, until it is made anew.
            group = zarr.open_group(
                self._folder, mode="r+", zarr_format=results.ZARR_FORMAT, use_consolidated=False
            )
            for name, dims in (*DIMS.items(), ("member", ("member",))):
                array: Any = group[name]
                array.resize(
                    tuple(members if dim == "member" else array.shape[i] for i, dim in enumerate(dims))
                )
            group["member"][:] = np.arange(members)  # type: ignore[index]
        except OSError as error:
            raise results.cannot_write(self._folder, error) from error
        return group

    def _chunk(self, chunk: int, like: dict[str, Array]) -> dict[str, Array]:
        if chunk not in self._waiting:
            left = self._frame.config.uncertainty.members - chunk * CHUNK_MEMBERS
            self._missing[chunk] = min(CHUNK_MEMBERS, left)
            self._waiting[chunk] = {}
            for name, values in like.items():
                shape = list(values.shape)
                shape[DIMS[name].index("member")] = self._missing[chunk]
                self._waiting[chunk][name] = np.full(shape, np.nan)
        return self._waiting[chunk]

    def _write(self, chunk: int) -> None:
        begin = chunk * CHUNK_MEMBERS
        try:
            for name, values in self._waiting.pop(chunk).items():
                members = slice(begin, begin + values.shape[DIMS[name].index("member")])
                self._group[name][
                    tuple(members if dim == "member" else slice(None) for dim in DIMS[name])
                ] = values
        except OSError as error:
            raise results.cannot_write(self._folder, error) from error
