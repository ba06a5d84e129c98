"""What a brief is about: the run, the scenarios, programmes and years it speaks of, and shares of members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from caspian_sim.briefing.likelihood import AS_LIKELY_AS_NOT
from caspian_sim.config import Config
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import (
    member_count,
    middle_scenario,
    run_config,
    yearly,
    yearly_quantiles,
)
from caspian_sim.impacts.levels import share_below
from caspian_sim.measures.programme import measures_of
from caspian_sim.stream import BASELINE, REPORTED, report_years

JOINT = "joint"
NEEDED = ("time_bnds", "measure_grade", "measure_state", "parameter_grade")
ATTRIBUTES = ("config", "config_hash", "version", "created", "git_revision", "input_sha256", "title")


@dataclass(frozen=True)
class Subject:
    """A run, as the brief speaks of it.

    Attributes
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`.
    """

    ds: xr.Dataset

    def __post_init__(self) -> None:
        missing = [dim for dim in ("scenario", "programme", "time") if dim not in self.ds.dims]
        missing += [name for name in NEEDED if name not in self.ds.variables]
        missing += [name for name in ATTRIBUTES if name not in self.ds.attrs]
        if not missing and not {"sea_level", "sea_level_quantile"} & set(self.ds.variables):
            missing = ["sea_level"]
        if missing:
            raise DataError(
                f"a brief cannot be written: {missing[0]!r} is missing\n"
                f"    found    {self.ds.attrs.get('title', 'a dataset without a title')}\n"
                "    needed   the result of a run: caspian-sim run CONFIG writes one"
            )

    @cached_property
    def config(self) -> Config:
        """Configuration that the run was made from."""
        return run_config(self.ds)

    @cached_property
    def scenarios(self) -> list[str]:
        """Scenarios, in the order of the run."""
        return [str(label) for label in self.ds["scenario"].values]

    @cached_property
    def programmes(self) -> list[str]:
        """Programmes, in the order of the run."""
        return [str(label) for label in self.ds["programme"].values]

    @property
    def members(self) -> int:
        """Members of the ensemble."""
        return member_count(self.ds)

    @property
    def has_members(self) -> bool:
        """Whether the members are there, and not only statistics over them."""
        return "member" in self.ds.dims

    @cached_property
    def middle(self) -> str:
        """Scenario of single numbers: SSP2-4.5 where there is one, or the first."""
        return middle_scenario(self.ds)

    @cached_property
    def baseline(self) -> str:
        """Programme that the brief speaks of first: that without measures, or the first."""
        return BASELINE if BASELINE in self.programmes else self.programmes[0]

    @cached_property
    def partner(self) -> str | None:
        """Programme that is set beside the one without measures: the joint one, or the last."""
        others = [label for label in self.programmes if label != BASELINE]
        if BASELINE not in self.programmes or not others:
            return None
        return JOINT if JOINT in others else others[-1]

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Report years of the run."""
        return tuple(sorted(report_years(self.config)))

    @property
    def far(self) -> int:
        """Last report year."""
        return self.years[-1]

    @property
    def near(self) -> int:
        """The report year before the last one, or the last one when it is alone."""
        return self.years[-2] if len(self.years) > 1 else self.far

    @property
    def start_year(self) -> int:
        """Year before the run, from whose level changes count."""
        return self.config.period.start - 1

    @cached_property
    def start_level(self) -> float:
        """Annual mean level of that year, m BHS."""
        of = "exposed_seabed" if "exposed_seabed" in self.ds else "exposed_seabed_quantile"
        if of not in self.ds:
            raise DataError(
                "a brief cannot be written: 'exposed_seabed' is missing, which has the level to count from\n"
                f"    found    {', '.join(str(name) for name in self.ds.data_vars)}"
            )
        return float(self.ds[of].attrs["reference_level"])

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Levels whose crossing is reported, from the highest, m BHS."""
        return tuple(sorted(self.config.outcomes.thresholds_m, reverse=True))

    @cached_property
    def level(self) -> xr.DataArray:
        """Annual mean level of the members, along scenario, programme, member and year, m BHS."""
        return yearly(self.ds["sea_level"], self.ds["time_bnds"])

    @cached_property
    def level_points(self) -> xr.DataArray:
        """The 5 % point, median and 95 % point of the annual mean level, m BHS."""
        return yearly_quantiles(self.ds, "sea_level", list(REPORTED))

    @cached_property
    def gain_points(self) -> xr.DataArray:
        """The same of the level above that without measures, the difference taken member by member, m."""
        if not self.has_members:
            return self.ds["sea_level_above_none_quantile"].sel(quantile=list(REPORTED))
        gain = self.level - self.level.sel(programme=BASELINE, drop=True)
        return gain.quantile(list(REPORTED), "member", skipna=False)

    def share_below(self, limit: float) -> xr.DataArray:
        """Share of members whose annual mean level lies below a limit, by scenario, programme and year."""
        return share_below(self.level, limit)

    def share_has_been_below(self, threshold: float) -> xr.DataArray:
        """Share of members that have stood below a threshold by the end of the year, as it was kept."""
        return self.ds["share_below"].sel(event=f"sea level below {threshold:g} m", drop=True)

    def telling_threshold(self, share: dict[float, xr.DataArray]) -> float:
        """Lowest threshold that is not unlikely in every scenario in the last report year, or the highest."""
        told = [limit for limit in self.thresholds if float(share[limit].max()) >= AS_LIKELY_AS_NOT]
        return min(told, default=self.thresholds[0])

    def grades_of(self, programme: str) -> list[str]:
        """Evidence grades of the measures of a programme, each once, from the best."""
        chosen = measures_of(self.config.programmes[programme], self.config.measures.available())
        grades = dict(
            zip(self.ds["measure"].values.tolist(), self.ds["measure_grade"].values.tolist(), strict=True)
        )
        return sorted({str(grades.get(measure.id, measure.grade)) for measure in chosen})


def at(values: xr.DataArray, scenario: str, programme: str, year: int) -> np.ndarray:
    """Values of a scenario, programme and year, along whatever else they have."""
    return np.asarray(values.sel(scenario=scenario, programme=programme, year=year).values)


def in_order(shares: Sequence[float]) -> tuple[int, int]:
    """Places of the lowest and the highest of some shares; the first and the last where all are the same."""
    low, high = int(np.argmin(shares)), int(np.argmax(shares))
    return (0, len(shares) - 1) if shares[low] == shares[high] else (low, high)
