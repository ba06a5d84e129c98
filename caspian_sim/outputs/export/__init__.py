"""Results for people who live in spreadsheets and scenario databases: see :func:`export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import xarray as xr

from caspian_sim.config.problems import did_you_mean
from caspian_sim.errors import OutputError
from caspian_sim.figures.reading import require_members
from caspian_sim.outputs.export import csv_files, iamc, workbook
from caspian_sim.outputs.export.series import choose_variables, exportable
from caspian_sim.outputs.folder import staged
from caspian_sim.results import ZARR_SUFFIX

ENDINGS: Final = {"csv": (".csv",), "xlsx": (".xlsx",), "iamc": (".csv", ".xlsx")}
"""Formats, and how the name of a file may end in each."""
FILES: Final = (".csv", ".xlsx", ".nc")
FOLDER: Final = "folder"


def export(
    ds: xr.Dataset,
    path: str | Path,
    format: str = "csv",
    *,
    variables: Sequence[str] | None = None,
    members: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write a result as tidy CSV, as a workbook, or in the format of scenario databases.

    All files are written or none.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, with members or with statistics over them; or any other result that
        :func:`caspian_sim.open` reads, but for the format iamc.
    path : path
        ``csv``: a folder, which gets one file for each variable, and what they are, evidence grades, sources
        and the configuration beside them; or the name of a file that ends in ``.csv``, for one table of all.
        ``xlsx``: name of the workbook. ``iamc``: name of a file that ends in ``.csv`` or ``.xlsx``.
    format : {"csv", "xlsx", "iamc"}
    variables : sequence of str, optional
        Names without the ending of a statistic, such as ``sea_level``; all when not given.
    members : bool
        Every member instead of the quantiles, mean and standard deviation over them; not for iamc.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    list of pathlib.Path
        The files, the first one first.

    Raises
    ------
    OutputError
        When the format is unknown, a file exists or cannot be written, or an extra is not installed.
    DataError
        When a variable is unknown, or the dataset does not have what is asked for.

    Notes
    -----
    Levels are m BHS. Statistics are those over the members of one scenario and programme at one place: the
    difference of two of them is not the statistic of a difference. ``sea_level_above_none`` holds the
    differences to the programme "none", taken member by member.
    """
    target = Path(path)
    kind = check_format(format, target)
    if members:
        require_members(ds, "an export of members")
    # One scenario or programme that was selected is still one of the run.
    lost = [dim for dim in ("scenario", "programme") if dim in ds.coords and dim not in ds.dims]
    ds = ds.expand_dims(lost)
    allowed = exportable(ds, members=members)
    if format == "iamc":
        allowed = iamc.iamc_variables(ds, allowed)
        if members:
            raise OutputError(
                "the IAMC format has no members\n    found    members\n    allowed  statistics over them\n"
                "    hint     the format csv has every member"
            )
    chosen = choose_variables(ds, variables, allowed)
    if kind == FOLDER:
        folder, files = target, csv_files.file_names(ds, chosen)
    else:
        beside = iamc.side_files(target) if (format, kind) == ("iamc", ".csv") else ()
        folder, files = target.parent, [target.name, *beside]
    with staged(folder, files, overwrite=overwrite) as stage:
        if kind == FOLDER:
            csv_files.write_folder(ds, chosen, stage, members=members)
        elif format == "csv":
            csv_files.write_file(ds, chosen, stage / target.name, members=members)
        elif format == "xlsx":
            workbook.write_workbook(ds, chosen, stage / target.name, members=members)
        elif kind == ".xlsx":
            iamc.write_iamc_workbook(ds, chosen, stage / target.name)
        else:
            iamc.write_iamc_csv(ds, chosen, stage / target.name)
    return [folder / name for name in files]


def default_path(results: Path, format: str) -> Path:
    """Where an export goes when nothing else is said: into the folder of the results.

    Parameters
    ----------
    results : Path
        Dataset, or folder that holds it.
    format : str
    """
    inside = results.is_dir() and results.suffix != ZARR_SUFFIX
    folder = results if inside else results.parent
    name = results.resolve().name if inside else results.stem
    places = {"csv": "csv", "xlsx": f"{name}.xlsx", "iamc": f"{name}-iamc.csv"}
    return folder / places.get(format, name)


def check_format(format: str, target: Path) -> str:
    """Check a format and the name of what it is to be written to.

    Returns
    -------
    str
        ``.csv`` or ``.xlsx`` for a file of that kind, :data:`FOLDER` for a folder.

    Raises
    ------
    OutputError
        When the format is unknown, the name has another ending, or the extra is not installed.
    """
    if format not in ENDINGS:
        hint = did_you_mean(format, ENDINGS)
        raise OutputError(
            f"no format {format!r} to export to\n    found    {format!r}\n    allowed  {', '.join(ENDINGS)}"
            + (f"\n    hint     {hint}" if hint else "")
        )
    ending = target.suffix.lower()
    if format == "csv" and ending not in FILES:
        return FOLDER
    if ending not in ENDINGS[format]:
        raise OutputError(
            f"{target}: not a name for the format {format}\n    found    {ending or 'no ending'}\n"
            f"    allowed  {' or '.join(ENDINGS[format])}" + (", or a folder" if format == "csv" else "")
        )
    if ending == ".xlsx":
        workbook.require_openpyxl(target)
    return ending
