"""The dataset contract: variables, units and provenance of a result, and how it is saved and opened."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from caspian_sim import __version__, data
from caspian_sim.config import Config, config_hash, resolved_yaml
from caspian_sim.errors import DataError, OutputError

Array = NDArray[np.float64]

ENGINE: Final = "h5netcdf"
FLUX = "km3 year-1"
DEPTH = "m"
MEAN = "time: mean"
END = "time: point (at the end of the interval)"

# name: (units, long name, cell methods, further attributes)
VARIABLES: dict[str, tuple[str, str, str | None, dict[str, str]]] = {
    "sea_level": (
        DEPTH,
        "sea level",
        MEAN,
        {
            "standard_name": "water_surface_height_above_reference_datum",
            "datum": "Baltic Height System (BHS)",
        },
    ),
    "sea_area": ("km2", "area of the sea without Kara-Bogaz-Gol", MEAN, {}),
    "sea_volume": ("km3", "volume of the sea without Kara-Bogaz-Gol", END, {}),
    "river_inflow": (FLUX, "inflow of rivers", MEAN, {}),
    "precipitation": (FLUX, "precipitation over the sea", MEAN, {}),
    "evaporation": (
        FLUX,
        "evaporation from the sea",
        MEAN,
        {
            "comment": "its shape within the year closes the mean monthly balance and includes thermal "
            "expansion; annual means are not affected"
        },
    ),
    "groundwater": (FLUX, "groundwater inflow", MEAN, {}),
    "strait_outflow": (FLUX, "outflow through the strait to Kara-Bogaz-Gol", MEAN, {}),
    "bay_level": (
        DEPTH,
        "level of Kara-Bogaz-Gol",
        END,
        {
            "datum": "Baltic Height System (BHS)",
            "comment": "the level of the floor's last pools when the bay is dry",
        },
    ),
    "consumption_change": (FLUX, "change of irretrievable consumption, growth positive", MEAN, {}),
    "measure_effect": (
        FLUX,
        "effect of measures on the inflow to the sea, positive raises the level",
        MEAN,
        {"comment": "a regulation of the strait acts through strait_outflow and shows as zero here"},
    ),
    "budget_residual": (
        "km3",
        "change of volume less accumulated fluxes, the larger in magnitude of sea and bay",
        "time: sum",
        {},
    ),
    "exposed_seabed": ("km2", "seabed exposed against the reference level", MEAN, {}),
    "global_warming": ("K", "global warming relative to 1995-2014", MEAN, {}),
    "first_event": (
        "year",
        "time of the first fall below",
        None,
        {"comment": "decimal calendar year; missing if it does not fall, as when it starts below"},
    ),
    "parameters": (
        "1",
        "parameter of a member",
        None,
        {"comment": "units in the coordinate parameter_units"},
    ),
}


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
        "config": resolved_yaml(config),
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
        Names out of :data:`VARIABLES`.
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
        units, long_name, cell_methods, further = VARIABLES[name]
        attrs = {"units": units, "long_name": long_name, **further}
        if cell_methods is not None and "time" in dims:
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
    ):
        if name in dataset.coords:
            dataset[name].attrs["long_name"] = meaning
    return dataset


def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a result to a NetCDF file, whole or not at all.

    The file is written under a temporary name beside its place and renamed when it is complete.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : path
        Name of the file; its directory is made when it does not exist.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    target = Path(path)
    encoding: dict[str, dict[str, Any]] = {
        str(name): {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind == "f" and variable.ndim
    }
    for name in {"time", "time_bnds"} & set(dataset.variables):
        encoding[name] = {
            "units": "hours since 1900-01-01",
            "calendar": "proleptic_gregorian",
            "dtype": "int64",
        }
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        dataset.to_netcdf(temporary, engine=ENGINE, encoding=encoding)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{target}: the result cannot be written\n    found    {error.strerror or error}"
        ) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return target


def open_result(path: str | Path) -> xr.Dataset:
    """Open a saved result.

    Parameters
    ----------
    path : path
        File written by a run, or a directory that holds one.

    Returns
    -------
    xarray.Dataset
        The same as was saved, in memory.

    Raises
    ------
    DataError
        When there is no such file, or it is not a result of caspian_sim.
    """
    source = Path(path)
    if source.is_dir():
        found = sorted(source.glob("*.nc"))
        if len(found) != 1:
            raise DataError(
                f"{source}: a result directory holds one NetCDF file\n"
                f"    found    {', '.join(f.name for f in found) or 'none'}"
            )
        source = found[0]
    if not source.exists():
        raise DataError(
            f"{source}: no such file\n    hint     caspian-sim run writes results/<name>/<name>.nc"
        )
    try:
        dataset = xr.open_dataset(source, engine=ENGINE).load()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{source}: not a NetCDF file that can be read\n    found    {error}") from error
    dataset.close()
    if "input_sha256" not in dataset.attrs:
        raise DataError(f"{source}: not a result of caspian_sim\n    found    no attribute input_sha256")
    return dataset


def used_inputs(config: Config) -> dict[str, str]:
    """Checksums of the shipped tables, and of the user's own hypsometry when there is one."""
    inputs = data.input_hashes(data.names())
    if config.basin.hypsometry is not None:
        inputs["basin.hypsometry"] = hashlib.sha256(Path(config.basin.hypsometry).read_bytes()).hexdigest()
    return inputs
