"""The dataset contract: how a result is put together with its provenance, saved and opened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import __version__, data
from caspian_sim.config import Config, Execution, config_hash, file_hashes, resolved_yaml
from caspian_sim.errors import CaspianError, DataError, OutputError
from caspian_sim.variables import description

Array = NDArray[np.float64]

ENGINE: Final = "h5netcdf"
# Format 2 holds text, which format 3 does not yet specify.
ZARR_FORMAT: Final = 2
ZARR_SUFFIX: Final = ".zarr"
OUTLOOK: Final = "outlook"
RECONSTRUCTION: Final = "reconstruction"


def time_axis(first_year: int, last_year: int, frequency: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Middle and bounds of the output intervals.

    Parameters
    ----------
    first_year, last_year : int
        Calendar years, both inclusive.
    frequency : {"annual", "monthly"}

    Returns
    -------
    middle : ndarray of datetime64, shape (time,)
    bounds : ndarray of datetime64, shape (time, 2)
    """
    months = np.arange(
        np.datetime64(f"{first_year}-01"), np.datetime64(f"{last_year + 1}-02"), dtype="datetime64[M]"
    )
    edges = (months[::12] if frequency == "annual" else months).astype("datetime64[ns]")
    return edges[:-1] + (edges[1:] - edges[:-1]) // 2, np.stack([edges[:-1], edges[1:]], axis=1)


def _git_revision() -> str:
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return "not a checkout"
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()


def package_attributes(title: str, run: str, inputs: Mapping[str, str]) -> dict[str, str]:
    """Attributes of every file that the package writes.

    Parameters
    ----------
    title, run : str
        Title of the file, and the name of the run that made it.
    inputs : mapping of name to sha256
        Datasets that went into it.

    Returns
    -------
    dict of str to str
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "institution": "caspian_sim",
        "source": f"caspian_sim {__version__}, water balance of the Caspian Sea",
        "history": f"{now} caspian_sim {__version__} {run}",
        "references": "README.md and docs/ of caspian_sim",
        "comment": "A calendar year counts as one year, leap or not: "
        "a flux in km3 year-1 times the share of the year is the volume.",
        "input_sha256": json.dumps(dict(sorted(inputs.items()))),
        "version": __version__,
        "git_revision": _git_revision(),
        "created": now,
    }


def provenance(config: Config) -> dict[str, str]:
    """Attributes that make a result traceable to what it was made from, and reproducible.

    Where the work was done is not among them: the same run is the same on one machine and on many.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict of str to str
    """
    title = config.title or f"Caspian Sea level projection: {config.name}"
    return {
        **package_attributes(title, f"run {config.name}", used_inputs(config)),
        "config": resolved_yaml(config.model_copy(update={"execution": Execution()})),
        "config_hash": config_hash(config),
        "seed": str(config.uncertainty.seed),
    }


def assemble(
    variables: Mapping[str, tuple[Sequence[str], Array]],
    coordinates: Mapping[str, Any],
    attributes: Mapping[str, str],
) -> xr.Dataset:
    """Put arrays together to a dataset that keeps the contract.

    Parameters
    ----------
    variables : mapping of name to (dims, values)
        Names that :func:`caspian_sim.variables.description` knows.
    coordinates : mapping of name to values
        As for :class:`xarray.Dataset`; ``time`` and ``time_bnds`` among them.
    attributes : mapping of str to str
        Attributes of the dataset.

    Returns
    -------
    xarray.Dataset
    """
    dataset = xr.Dataset(coords=dict(coordinates), attrs=dict(attributes))
    for name, (dims, values) in variables.items():
        units, long_name, cell_methods, further = description(name)
        attrs = {"units": units, "long_name": long_name, **further}
        if cell_methods is not None and {"time", "year"} & set(dims):
            attrs["cell_methods"] = cell_methods
        dataset[name] = xr.Variable(tuple(dims), values, attrs)
    dataset["time"].attrs.update(
        {
            "standard_name": "time",
            "long_name": "middle of the interval",
            "units_metadata": "leap_seconds: none",
            "axis": "T",
            "bounds": "time_bnds",
        }
    )
    for name, meaning in (
        ("scenario", "emission scenario (shared socio-economic pathway)"),
        ("programme", "programme of measures"),
        ("member", "member of the ensemble"),
        ("river", "river"),
        ("state", "state, or users upstream of the littoral states"),
        ("measure", "measure"),
        ("event", "watched event"),
        ("parameter", "uncertain parameter"),
        ("quantile", "probability of a quantile over the members"),
        ("year", "calendar year"),
        ("report_year", "calendar year of the tables"),
    ):
        if name in dataset.coords:
            dataset[name].attrs["long_name"] = meaning
    return dataset


def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a result to a NetCDF file or a Zarr folder, whole or not at all.

    It is written under a temporary name beside its place and renamed when it is complete.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : path
        Name of the file, or of the folder when it ends in ``.zarr``; its directory is made when it does not
        exist.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OutputError
        When it cannot be written, or the extra ``zarr`` is needed and not installed.
    """
    target = Path(path)
    if target.suffix == ZARR_SUFFIX:
        return _save_zarr(dataset, target)
    encoding: dict[str, dict[str, Any]] = {
        str(name): {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind == "f" and variable.ndim
    }
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        dataset.to_netcdf(temporary, engine=ENGINE, encoding={**encoding, **_coordinate_encoding(dataset)})
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return target


def cannot_write(target: Path, error: OSError) -> OutputError:
    """Error for a result that the system refuses to write."""
    return OutputError(f"{target}: the result cannot be written\n    found    {error.strerror or error}")


def _coordinate_encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    hours = {"units": "hours since 1900-01-01", "calendar": "proleptic_gregorian", "dtype": "int64"}
    encoding: dict[str, dict[str, Any]] = {
        "time": hours,
        "time_bnds": hours,
        "quantile": {"_FillValue": None},
    }
    return {name: dict(how) for name, how in encoding.items() if name in dataset.variables}


def require_zarr(path: Path, kind: type[CaspianError]) -> None:
    """Refuse a Zarr folder when the extra that handles it is not installed.

    Raises
    ------
    CaspianError
        Of the kind that is given.
    """
    if find_spec("zarr") is None:
        raise kind(f'{path}: a Zarr folder needs the extra zarr: pip install "caspian-sim[zarr]"')


def write_zarr(dataset: xr.Dataset, folder: Path, encoding: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a dataset to a Zarr folder, in place of what is there; times as in NetCDF."""
    dataset.to_zarr(
        folder,
        mode="w",
        zarr_format=ZARR_FORMAT,
        consolidated=True,
        encoding={**encoding, **_coordinate_encoding(dataset)},
    )


def _save_zarr(dataset: xr.Dataset, target: Path) -> Path:
    """Write a Zarr folder under a temporary name beside its place, and rename it when it is complete."""
    require_zarr(target, OutputError)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        write_zarr(dataset, temporary / "new", {})
        if target.exists():
            os.replace(target, temporary / "old")
        os.replace(temporary / "new", target)
    except OSError as error:
        if temporary is not None and (temporary / "old").exists() and not target.exists():
            os.replace(temporary / "old", target)
        raise cannot_write(target, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def add_to_zarr(dataset: xr.Dataset, folder: Path) -> None:
    """Write the variables of a dataset that its Zarr folder does not have yet.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """
    there = set(open_zarr(folder).variables)
    more = dataset.drop_vars([name for name in dataset.variables if name in there])
    if more.variables:
        try:
            more.to_zarr(
                folder,
                mode="a",
                zarr_format=ZARR_FORMAT,
                consolidated=True,
                encoding=_coordinate_encoding(more),
            )
        except OSError as error:
            raise cannot_write(folder, error) from error


def open_zarr(folder: Path) -> xr.Dataset:
    """Open a Zarr folder; values are read when they are used."""
    dataset: xr.Dataset = xr.open_zarr(folder, chunks=None, consolidated=True)
    return dataset.set_coords("time_bnds")


def open_result(path: str | Path) -> xr.Dataset:
    """Open a saved result.

    Parameters
    ----------
    path : path
        File or Zarr folder written by a run, or a directory that holds one. Of an outlook and the
        reconstruction beside it, the outlook.

    Returns
    -------
    xarray.Dataset
        The same as was saved: in memory, or from a Zarr folder, of which values are read when they are used.

    Raises
    ------
    DataError
        When there is no such file, or it is not a result of caspian_sim.
    """
    source = Path(path)
    if source.is_dir() and source.suffix != ZARR_SUFFIX:
        found = sorted([*source.glob("*.nc"), *source.glob(f"*{ZARR_SUFFIX}")])
        if [file.name for file in found] == [f"{OUTLOOK}.nc", f"{RECONSTRUCTION}.nc"]:
            found = found[:1]
        if len(found) != 1:
            raise DataError(
                f"{source}: a result directory holds one NetCDF file or Zarr folder\n"
                f"    found    {', '.join(f.name for f in found) or 'none'}"
            )
        source = found[0]
    if not source.exists():
        raise DataError(
            f"{source}: no such file\n    hint     caspian-sim run writes results/<name>/<name>.nc"
        )
    if source.is_dir():
        require_zarr(source, DataError)
        try:
            dataset = open_zarr(source)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{source}: not a Zarr folder that can be read\n    found    {error}") from error
    else:
        try:
            dataset = xr.open_dataset(source, engine=ENGINE).load()
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{source}: not a NetCDF file that can be read\n    found    {error}") from error
        dataset.close()
    if "input_sha256" not in dataset.attrs:
        raise DataError(f"{source}: not a result of caspian_sim\n    found    no attribute input_sha256")
    return dataset


def used_inputs(config: Config) -> dict[str, str]:
    """Checksums of the shipped tables, and of the files that the configuration names."""
    return {**data.input_hashes(data.names()), **file_hashes(config)}
