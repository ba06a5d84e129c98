"""New observations as what is made of them takes them: a table, a record ready-made, or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from caspian_sim.record.additions import Additions, read_additions, without_additions
from caspian_sim.record.observations import Observations, shipped_observations


def take_observations(observations: str | Path | Observations | None) -> Additions:
    """Read a table of new observations, or take observations as they are.

    Parameters
    ----------
    observations : path or Observations, optional
        Those of the package when not given.

    Returns
    -------
    Additions

    Raises
    ------
    DataError
        When the table cannot be used.
    """
    if isinstance(observations, str | Path):
        return read_additions(Path(observations))
    return without_additions(observations or shipped_observations())


def note_table(
    ds: xr.Dataset,
    observations: str | Path | Observations | None,
    additions: Additions,
    doubts: Sequence[str] = (),
) -> xr.Dataset:
    """Say in the attributes of a result which new observations it rests on, and what is to be known of them.

    Parameters
    ----------
    ds : xarray.Dataset
        With the attribute ``input_sha256``.
    observations : path or Observations, optional
        As for :func:`take_observations`.
    additions : Additions
    doubts : sequence of str
        Further notes.

    Returns
    -------
    xarray.Dataset
    """
    attributes = {
        "added": "\n".join(additions.added),
        "notes": "\n".join([*additions.notes, *doubts]),
    }
    if isinstance(observations, str | Path):
        path = Path(observations)
        hashes = json.loads(ds.attrs["input_sha256"])
        hashes["observations"] = hashlib.sha256(path.read_bytes()).hexdigest()
        attributes |= {"observations": str(path), "input_sha256": json.dumps(dict(sorted(hashes.items())))}
    return ds.assign_attrs(attributes)
