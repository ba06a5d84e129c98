r"""Ecosystem and people: falls of the sea at which sources report a loss, and the chance of each by year.

Sources give falls, not levels: a fall :math:`\Delta` is reached below the level :math:`h_0 - \Delta`, with
:math:`h_0` an assumption of the table ``thresholds`` and its range. Where the size of the loss is known at
that one fall alone, no curve is made up: the loss is reported as a threshold, and beside it as a straight
line from no loss, marked as an assumption (grade D), which does not go beyond the known fall. The northern
basin has a curve of its own from the bed (:mod:`caspian_sim.impacts.northern_basin`). Kara-Bogaz-Gol is cut
off where the sea stands below the sill of the strait, which is a parameter of each member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import xarray as xr

from caspian_sim import data
from caspian_sim.impacts.levels import (
    annual_level,
    first_likely_year,
    kept_attributes,
    require_variables,
    share_below,
)
from caspian_sim.impacts.northern_basin import northern_dry_share

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WHAT = "the chance of losses"
SILL = "strait_sill"
BAY = "bay-cut-off"
"""Cut off by the sill of the strait in each member; the other impacts are rows of the table."""
CURVE_GRADES = {"linear": "D", "bed": "C", "none": ""}
"""A straight line through one point is an assumption; the curve between whole metres of bed has grade C."""
PERCENT = 100.0
BOUNDS = ("central", "low", "high")
"""Level that falls are counted from: the value of the table, and the ends of its range."""


@dataclass(frozen=True)
class Threshold:
    """A fall of the sea at which a source reports a loss.

    Attributes
    ----------
    id, title : str
    drop : float
        Fall, m.
    reference : tuple of float
        Level that it is counted from, m BHS: value, low end, high end.
    loss : float
        Size of the loss at that fall, as a share; NaN where none is given.
    curve : {"linear", "bed", "none"}
        What is taken to lie between no fall and that one.
    grade, reference_grade : str
        Of the fall, and of the level that it is counted from.
    source : str
    """

    id: str
    title: str
    drop: float
    reference: tuple[float, float, float]
    loss: float
    curve: Literal["linear", "bed", "none"]
    grade: str
    reference_grade: str
    source: str

    @property
    def levels(self) -> tuple[float, ...]:
        """Level below which the loss is reached, m BHS: value, low end, high end."""
        return tuple(reference - self.drop for reference in self.reference)


@cache
def thresholds() -> tuple[Threshold, ...]:
    """Impacts of the table that belong to a fall of the sea, from the smallest fall to the largest."""
    rows = data.load("thresholds").to_dataframe().reset_index().to_dict("records")
    found = [
        Threshold(
            id=row["impact"],
            title=row["title"],
            drop=row["drop"],
            reference=(row["reference_level"], row["reference_low"], row["reference_high"]),
            loss=row["value"] / PERCENT if str(row["unit"]).startswith("%") else np.nan,
            curve=row["curve"],
            grade=row["grade"],
            reference_grade=row["reference_grade"],
            source=row["source"],
        )
        for row in rows
        if not np.isnan(row["drop"])
    ]
    return tuple(sorted(found, key=lambda threshold: threshold.drop))


def share_lost(level: xr.DataArray, threshold: Threshold) -> xr.DataArray:
    """Share that is lost at a level: of the bed, or on a straight line up to the known fall (grade D).

    Parameters
    ----------
    level : xarray.DataArray
        m BHS, any dims.
    threshold : Threshold
        With a curve.

    Returns
    -------
    xarray.DataArray
        0 to 1, at most what is known at the fall of the threshold; NaN where nothing is known.
    """
    if threshold.curve == "bed":
        return northern_dry_share(level)
    if threshold.curve == "none":
        return xr.full_like(level, np.nan)
    fall = threshold.reference[0] - level
    return (fall / threshold.drop).clip(0.0, 1.0) * threshold.loss


def ecosystem_outcomes(ds: xr.Dataset, *, quantiles: Sequence[float] = QUANTILES) -> xr.Dataset:
    """Reckon the chance by year that the sea stands below each threshold, and how much is lost.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of a run, with members; `parameters` or `bay_level` are not needed but for Kara-Bogaz-Gol.
    quantiles : sequence of float, optional
        Over the members, of the share lost.

    Returns
    -------
    xarray.Dataset
        By `impact`, `scenario`, `programme` and `year`: `below`, the probability that the annual mean level
        lies below the threshold in that year, by `reference` (central, and the low and high end of the level
        that falls are counted from), and `below_by`, that it has done so by then, for the central reference;
        by `quantile` too: `share_lost`, NaN where no curve is known. Without `year`: `first_year`, the first
        with a probability of one half or more, NaN when there is none. By `impact` alone: `threshold_level`
        (m BHS; NaN for the strait, whose sill belongs to the member), `impact_grade`, `impact_curve` and
        others.

    Raises
    ------
    DataError
        When the members or a variable are missing.
    """
    require_variables(ds, WHAT, ("sea_level", "time_bnds", "parameters", "parameter_grade"))
    level = annual_level(ds, WHAT)
    table = thresholds()
    sill = ds["parameters"].sel(parameter=SILL)
    limits: list[tuple[xr.DataArray | float, ...]] = [threshold.levels for threshold in table]
    limits.append((sill.drop_vars("parameter"),) * len(BOUNDS))
    names = [*(threshold.id for threshold in table), BAY]
    below = _stack(
        [_stack([share_below(level, limit) for limit in row], BOUNDS, "reference") for row in limits], names
    )
    lowest = xr.apply_ufunc(np.minimum.accumulate, level, kwargs={"axis": level.get_axis_num("year")})
    below_by = _stack([share_below(lowest, row[0]) for row in limits], names)
    shares = [
        share_lost(level, threshold).quantile(list(quantiles), "member", skipna=False) for threshold in table
    ]
    shares.append(xr.full_like(shares[0], np.nan))
    found = xr.Dataset(
        {
            "below": below.assign_attrs(
                units="1", long_name="probability that the annual mean level lies below the threshold"
            ),
            "below_by": below_by.assign_attrs(
                units="1", long_name="probability that it has lain below the threshold by the year"
            ),
            "first_year": first_likely_year(below.sel(reference=BOUNDS[0], drop=True)).assign_attrs(
                units="year", long_name="first year with a probability of one half or more"
            ),
            "share_lost": _stack(shares, names).assign_attrs(units="1", long_name="share that is lost"),
        }
    )
    sill_grade = str(ds["parameter_grade"].sel(parameter=SILL).item())
    return (
        found.transpose("impact", "scenario", "programme", "reference", "quantile", "year")
        .assign_coords(_coordinates(table, sill_grade))
        .assign_attrs(kept_attributes(ds))
    )


def _stack(parts: Sequence[xr.DataArray], names: Sequence[str], dim: str = "impact") -> xr.DataArray:
    plain = [part.drop_vars([name for name in part.coords if name not in part.dims]) for part in parts]
    return xr.concat(plain, dim=dim, coords="minimal", compat="override").assign_coords({dim: list(names)})


def _coordinates(table: Sequence[Threshold], sill_grade: str) -> dict[str, tuple[str, list[object]]]:
    return {
        "threshold_level": ("impact", [*(threshold.levels[0] for threshold in table), np.nan]),
        "threshold_drop": ("impact", [*(threshold.drop for threshold in table), np.nan]),
        "reference_level": ("impact", [*(threshold.reference[0] for threshold in table), np.nan]),
        "reference_level_low": ("impact", [*(threshold.reference[1] for threshold in table), np.nan]),
        "reference_level_high": ("impact", [*(threshold.reference[2] for threshold in table), np.nan]),
        "impact_loss": ("impact", [*(threshold.loss for threshold in table), np.nan]),
        "impact_curve": ("impact", [*(threshold.curve for threshold in table), "none"]),
        "curve_grade": ("impact", [*(CURVE_GRADES[threshold.curve] for threshold in table), ""]),
        "impact_grade": ("impact", [*(threshold.grade for threshold in table), sill_grade]),
        "reference_grade": ("impact", [*(threshold.reference_grade for threshold in table), ""]),
        "impact_source": ("impact", [*(threshold.source for threshold in table), "parameter strait_sill"]),
    }
