"""Observations: a user's table word for word, the late level of a year by algebra, what is known when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim.basin.rivers import MONTHS, month_fractions
from caspian_sim.errors import DataError
from caspian_sim.evaluate.surprise import surprises
from caspian_sim.record.additions import read_additions, without_additions
from caspian_sim.record.observations import Observations, late_level, mean_of_months, shipped_observations

SEASON = np.array([-0.17, -0.12, -0.07, 0.01, 0.13, 0.21, 0.2, 0.15, 0.02, -0.08, -0.12, -0.16])


def write(folder, text):
    path = folder / "new.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def record():
    return shipped_observations()


# ---- a table that is wrong ------------------------------------------------------------------------

COLUMNS = "year, month, level_m, total_rivers_km3, volga_km3, replaces, source"

WRONG = {
    "unknown column": (
        "year,levle_m\n2026,-29.4\n",
        "{path}:1  column 'levle_m' is unknown\n    found    year, levle_m\n"
        f"    allowed  {COLUMNS}\n    hint     did you mean level_m?",
    ),
    "unknown column without a likeness": (
        "year,xyz\n2026,-29.4\n",
        f"{{path}}:1  column 'xyz' is unknown\n    found    year, xyz\n    allowed  {COLUMNS}",
    ),
    "column twice": (
        "year,level_m,level_m\n",
        "{path}:1  column 'level_m' stands twice\n    found    year, level_m, level_m\n"
        "    allowed  year and at least one of level_m, total_rivers_km3, volga_km3",
    ),
    "no year": (
        "month,level_m\n1,-29.4\n",
        "{path}:1  column 'year' is missing\n    found    month, level_m\n"
        "    allowed  year and at least one of level_m, total_rivers_km3, volga_km3",
    ),
    "no values": (
        "year,month\n2026,1\n",
        "{path}:1  there is no column with values\n    found    year, month\n"
        "    allowed  year and at least one of level_m, total_rivers_km3, volga_km3",
    ),
    "cells missing": (
        "year,level_m\n2026\n",
        "{path}:2  the row has 1 cells\n    allowed  2, one a column",
    ),
    "year in words": (
        "# mine\nyear,level_m\n\nnext,-29.4\n",
        "{path}:4  year: 'next' is no year\n    allowed  whole numbers from 1921 to 2200",
    ),
    "year with two signs": (
        "year,level_m\n--5,-29.4\n",
        "{path}:2  year: '--5' is no year\n    allowed  whole numbers from 1921 to 2200",
    ),
    "year with a raised digit": (
        "year,level_m\n202²,-29.4\n",
        "{path}:2  year: '202²' is no year\n    allowed  whole numbers from 1921 to 2200",
    ),
    "year before the record": (
        "year,level_m\n1920,-26.4\n",
        "{path}:2  year: '1920' is no year\n    allowed  whole numbers from 1921 to 2200",
    ),
    "month 13": (
        "year,month,level_m\n2026,13,-29.4\n",
        "{path}:2  month: '13' is no month\n    allowed  whole numbers from 1 to 12",
    ),
    "replaces": (
        "year,level_m,replaces\n2026,-29.4,perhaps\n",
        "{path}:2  replaces: 'perhaps' is no answer\n    allowed  yes, no or nothing",
    ),
    "inflow of a month": (
        "year,month,volga_km3\n2026,5,42\n",
        "{path}:2  volga_km3: a month has no inflow here\n    found    42 in 2026-05\n"
        "    allowed  inflow of whole years, in rows without a month",
    ),
    "no number": (
        "year,level_m\n2026,low\n",
        "{path}:2  level_m: 'low' is no number\n    allowed  numbers in m BHS, or nothing",
    ),
    "comma": (
        'year,level_m\n2026,"-29,4"\n',
        "{path}:2  level_m: '-29,4' is no number\n    allowed  numbers in m BHS, or nothing\n"
        "    hint     write decimals with a point",
    ),
    "level without its sign": (
        "year,level_m\n2026,29.4\n",
        "{path}:2  level_m: 29.4 is out of range\n    found    29.4\n    allowed  -40 to -20 m BHS\n"
        "    hint     the level is negative in the Baltic Height System",
    ),
    "level of a chart": (
        "year,level_m\n2026,-1.4\n",
        "{path}:2  level_m: -1.4 is out of range\n    found    -1.4\n    allowed  -40 to -20 m BHS\n"
        "    hint     charts and gauges count from −28.0 m BHS; subtract 28",
    ),
    "inflow in m³/s": (
        "year,total_rivers_km3\n2026,8000\n",
        "{path}:2  total_rivers_km3: 8000 is out of range\n    found    8000\n    allowed  50 to 800 km³/yr",
    ),
    "not a number": (
        "year,volga_km3\n2026,nan\n",
        "{path}:2  volga_km3: nan is out of range\n    found    nan\n    allowed  30 to 600 km³/yr",
    ),
    "value twice": (
        "year,level_m\n2026,-29.4\n2027,-29.5\n2026,-29.4\n",
        "{path}:4  level_m of 2026 stands twice\n    found    lines 2 and 4\n    allowed  one value",
    ),
    "no value": (
        "year,level_m,source\n2026,,gauge\n",
        "{path}: table of observations holds no value\n"
        "    allowed  level_m, total_rivers_km3, volga_km3 in at least one row",
    ),
    "nothing": (
        "# to come\n",
        f"{{path}}: table of observations is empty\n    allowed  the columns {COLUMNS}",
    ),
    "against the record": (
        "year,level_m\n2025,-29.35\n",
        "{path}:2  level_m of 2025 contradicts the record\n    found    -29.35 m BHS\n"
        "    record   -29.22 m BHS\n"
        "    hint     yes under replaces corrects the record; national series differ by up to 0.3 m",
    ),
    "month against the record": (
        "year,month,level_m,replaces\n2023,7,-28.5,no\n",
        "{path}:2  level_m of 2023-07 contradicts the record\n    found    -28.5 m BHS\n"
        "    record   -28.732 m BHS\n"
        "    hint     yes under replaces corrects the record; national series differ by up to 0.3 m",
    ),
    "inflow against the record": (
        "year,total_rivers_km3\n2022,250\n",
        "{path}:2  total_rivers_km3 of 2022 contradicts the record\n    found    250 km³/yr\n"
        "    record   239.2 km³/yr\n"
        "    hint     yes under replaces corrects the record; national series differ by up to 0.3 m",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_refused_with_its_line(case, tmp_path):
    text, message = WRONG[case]
    path = write(tmp_path, text)
    with pytest.raises(DataError) as raised:
        read_additions(path)
    assert str(raised.value) == message.format(path=path)


# ---- a table that is right ------------------------------------------------------------------------


def test_a_new_year_is_appended_and_the_record_stays(record, tmp_path):
    path = write(tmp_path, "year,level_m,total_rivers_km3,volga_km3,source\n2026,-29.41,251.5,210,mine\n")
    found = read_additions(path)
    new = found.observations
    assert_array_equal(new.year, np.arange(1921, 2027))
    assert (new.level[-1], new.inflow[-1], new.volga[-1]) == (-29.41, 251.5, 210.0)
    for name in ("level", "inflow", "volga", "warming"):
        assert_array_equal(getattr(new, name)[:-1], getattr(record, name))
    assert found.added == (
        "level of 2026: -29.41 m BHS",
        "inflow of 2026: 251.5 km³/yr",
        "Volga of 2026: 210 km³/yr",
    )
    assert (found.level_years, found.inflow_years) == ((2026,), (2026,))
    assert record.last_level_year == 2025  # nothing is written into the shipped one


def test_a_correction_needs_a_yes_and_says_what_it_replaces(record, tmp_path):
    found = read_additions(write(tmp_path, "year,level_m,replaces\n2025,-29.35,yes\n"))
    assert found.observations.level[-1] == -29.35
    assert found.added == ("level of 2025: -29.35 m BHS replaces -29.22",)
    assert found.level_years == (2025,)
    assert record.level[-1] == -29.22


def test_a_value_that_the_record_has_changes_nothing(record, tmp_path):
    found = read_additions(write(tmp_path, "year,level_m\n2025,-29.224\n"))
    assert found.observations.level[-1] == -29.22
    assert (found.added, found.level_years) == ((), ())


def test_months_of_a_whole_year_give_its_annual_mean(tmp_path):
    levels = -29.4 + SEASON
    rows = "".join(f"2026,{month + 1},{level:.3f}\n" for month, level in enumerate(levels))
    found = read_additions(write(tmp_path, f"year,month,level_m\n{rows}"))
    mean = float(np.round(levels, 3) @ month_fractions(np.array([2026]))[0])
    assert_allclose(found.observations.level[-1], mean)
    assert found.added[-1] == f"level of 2026: {mean:.3f} m BHS, the mean of its months"
    assert found.level_years == (2026,)
    assert len(found.added) == MONTHS + 1


def test_months_of_a_part_of_a_year_give_no_annual_mean(tmp_path):
    found = read_additions(write(tmp_path, "year,month,level_m\n2026,1,-29.5\n2026,2,-29.5\n"))
    assert found.observations.last_level_year == 2025
    assert_array_equal(found.observations.month[-2:], MONTHS * 2026 + np.arange(2))


def test_months_are_put_in_order_wherever_they_stand_in_the_table(record, tmp_path):
    found = read_additions(write(tmp_path, "year,month,level_m\n2024,2,-29.2\n2023,8,-28.8\n2024,1,-29.25\n"))
    assert_array_equal(found.observations.month[-3:], [MONTHS * 2023 + 7, MONTHS * 2024, MONTHS * 2024 + 1])
    assert_array_equal(found.observations.monthly_level[-3:], [-28.8, -29.25, -29.2])
    assert (np.diff(found.observations.month) > 0).all()


# ---- what is missing, late or at odds -------------------------------------------------------------

MONTHS_MISSING = "months of the level of {} are missing: its end follows from the annual mean"
LATE = "no total inflow of 2023 (Volga alone), {}: it is estimated with its uncertainty"


def test_the_shipped_record_says_what_it_lacks(record):
    assert without_additions(record).notes == (LATE.format("2024, 2025"), MONTHS_MISSING.format(2025))


def test_what_lies_before_a_later_inflow_is_still_missing(tmp_path):
    found = read_additions(write(tmp_path, "year,level_m,total_rivers_km3\n2026,-29.4,250\n"))
    assert found.notes == (LATE.format("2024, 2025"), MONTHS_MISSING.format(2026))


def test_years_that_are_skipped_are_named(tmp_path):
    found = read_additions(write(tmp_path, "year,level_m\n2029,-29.9\n"))
    assert found.notes[0] == "no level of 2026 to 2028: the balance goes on without it"


def test_inflow_without_a_level_waits_and_says_so(tmp_path):
    found = read_additions(write(tmp_path, "year,total_rivers_km3\n2026,250\n"))
    assert found.notes[-1] == (
        "no level of 2026 beside its inflow: the reconstruction takes the inflow in, start and outlook wait "
        "for the level"
    )
    assert (found.level_years, found.inflow_years) == ((), (2026,))


def test_a_correction_of_a_fitted_year_does_not_refit_and_says_so(tmp_path):
    rows = "1960,-28.3,yes\n1961,-28.4,yes\n2025,-29.3,yes\n"
    found = read_additions(write(tmp_path, f"year,level_m,replaces\n{rows}"))
    assert "1960, 1961 changed: the parameters stay as fitted to the shipped record to 2022" in found.notes


def test_an_annual_mean_at_odds_with_its_months_is_named_and_counts(tmp_path):
    rows = "".join(f"2026,{month},-29.4\n" for month in range(1, 13))
    found = read_additions(write(tmp_path, f"year,month,level_m\n{rows}2026,,-29.5\n"))
    assert found.observations.level[-1] == -29.5
    assert found.notes[-1] == (
        "level of 2026: the annual mean -29.50 and the mean of its months -29.40 m BHS differ by 0.10 m; the "
        "annual mean counts"
    )


def test_a_volga_greater_than_all_rivers_is_named(tmp_path):
    text = "inflow of {}: the Volga, {} km³/yr, is more than all rivers, {} km³/yr; the total counts"
    both = read_additions(write(tmp_path, "year,level_m,total_rivers_km3,volga_km3\n2026,-29.4,200,220\n"))
    assert both.notes[-1] == text.format(2026, 220, 200)
    # The Volga of 2023 is in the record, 207.0 km³/yr.
    total = read_additions(write(tmp_path, "year,total_rivers_km3\n2023,200\n"))
    assert total.notes[-1] == text.format(2023, 207, 200)


def test_a_level_and_an_inflow_out_of_all_expectation_are_measured(tmp_path):
    rows = "year,level_m,total_rivers_km3\n2026,-29.3,90\n"
    found = read_additions(write(tmp_path, rows))
    level, inflow = surprises(found.observations, found.level_years, found.inflow_years)
    assert (level.series, level.year, inflow.series) == ("level", 2026, "inflow")
    assert abs(level.score) < 2.0
    assert inflow.score < -3.0
    expected = f"{inflow.expected:.0f} ± {inflow.sd:.0f}"
    assert str(inflow) == (
        f"inflow of 2026: 90 km³/yr lies {-inflow.score:.1f} standard deviations below what the record and "
        f"the level let expect, {expected} km³/yr"
    )


def test_what_is_expected_of_a_year_does_not_depend_on_the_year(record, tmp_path):
    first, second = (
        surprises(read_additions(write(tmp_path, f"year,level_m\n2026,{level}\n")).observations, [2026])[0]
        for level in (-29.2, -29.5)
    )
    # Area and outflow are taken at the observed level: 3 cm for a metre.
    assert_allclose([first.expected, first.sd], [second.expected, second.sd], rtol=0, atol=0.015)


# ---- the level on 1 December ----------------------------------------------------------------------


def observed(years, annual, monthly, first_month=None):
    """Observations of some years by annual and by monthly levels."""
    none = np.full(len(years), np.nan)
    month = MONTHS * years[0] + np.arange(len(monthly)) if first_month is None else first_month
    return Observations(years, annual, none, none, none, month, monthly)


def trending(years, slope):
    """Levels that rise by `slope` a month, with a pure season on top; months have equal weight here."""
    place = np.arange(MONTHS * len(years))
    trend = slope * (place - place.mean())
    level = -28.0 + trend + np.tile(SEASON - SEASON.mean(), len(years))
    return observed(years, -28.0 + trend.reshape(-1, MONTHS).mean(axis=1), level)


@pytest.mark.parametrize("slope", [0.0, 0.01, -0.02])
def test_the_season_is_taken_out_of_the_late_level_exactly(slope):
    seen = trending(np.arange(2000, 2006), slope)
    # From the middle of the year to 1 December it is five months.
    assert_allclose(late_level(seen), seen.level + 5.0 * slope, atol=1e-12)


def test_later_months_count_through_the_season_alone(record):
    seen = trending(np.arange(2000, 2008), 0.01)
    noisy = replace(seen, monthly_level=seen.monthly_level + 0.05 * np.sin(np.arange(96.0) ** 2))
    whole, then = late_level(noisy), late_level(noisy.until(2004))
    # The season of all years is one number for all of them.
    assert_allclose(np.diff(whole[:5]), np.diff(then), atol=1e-12)
    changed = noisy.monthly_level.copy()
    changed[MONTHS * 5 :] += 3.0  # after 2004
    later = replace(noisy, monthly_level=changed)
    assert_array_equal(late_level(later.until(2004)), then)


def test_no_late_level_before_three_seasons_are_known():
    seen = trending(np.arange(2000, 2006), 0.01)
    # The season of a year ends in May of the next: by the end of 2002 two are known.
    assert np.isnan(late_level(seen.until(2002))).all()
    assert np.isfinite(late_level(seen.until(2003))).all()


def test_a_gap_in_the_months_or_in_the_annual_means_leaves_no_late_level():
    seen = trending(np.arange(2000, 2006), 0.01)
    kept = np.delete(np.arange(MONTHS * 6), MONTHS * 4 + 3)
    gap = replace(seen, month=seen.month[kept], monthly_level=seen.monthly_level[kept])
    assert_array_equal(np.isnan(late_level(gap)), [False, False, False, False, True, False])
    annual = seen.level.copy()
    annual[1] = np.nan
    assert_array_equal(np.isnan(late_level(replace(seen, level=annual)))[:3], [False, True, False])


def test_until_leaves_nothing_of_later_years(record):
    then = record.until(2010)
    assert then.year[-1] == then.last_level_year == 2010
    assert then.month[-1] == MONTHS * 2010 + 11
    assert len(then.month) == len(then.monthly_level)
    assert all(len(getattr(then, name)) == 90 for name in ("level", "inflow", "volga", "warming"))
    assert record.until(2100).month[-1] == record.month[-1]


def test_the_mean_of_months_counts_days():
    level = np.zeros(MONTHS)
    level[1] = 366.0
    seen = observed(np.array([2024]), np.array([np.nan]), level)
    assert_allclose(mean_of_months(seen, 2024), 29.0)
    assert mean_of_months(seen, 2023) is None
