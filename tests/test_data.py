"""The shipped tables: what they hold, that they agree with each other, what happens when one is damaged."""

import hashlib
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim import data
from caspian_sim.data.reader import check, read
from caspian_sim.data.registry import CATALOGUE, TABLES, Column, Mask, Stack
from caspian_sim.errors import DataError

ROOT = Path(__file__).parents[1]
TABLE_NAMES = [entry.name for entry in data.catalogue() if entry.kind == "csv"]
# Tables that say which row of another belongs where.
WORDS_ALONE = ("literature_basis",)


def shipped(name):
    """Path and content of a shipped file."""
    path = TABLES / data.entry(name).file
    return path, path.read_bytes()


def damaged(folder, name, old, new):
    """Write a changed copy of a shipped table; its entry with a checksum that fits the change."""
    path, content = shipped(name)
    changed = content.replace(old, new, 1)
    assert changed != content
    (folder / path.name).write_bytes(changed)
    return replace(data.entry(name), sha256=hashlib.sha256(changed).hexdigest())


# --- every dataset


@pytest.mark.parametrize("name", data.names())
def test_every_dataset_loads_with_source_grade_and_checksum(name):
    ds = data.load(name)
    assert ds.sizes
    for key in ("title", "description", "source", "license", "evidence_grade", "period", "notes", "sha256"):
        assert ds.attrs[key], key
    _, content = shipped(name)
    assert ds.attrs["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", data.names())
def test_every_number_has_a_unit_and_a_name(name):
    ds = data.load(name)
    numeric = [
        v for v in ds.data_vars if np.issubdtype(ds[v].dtype, np.number) and "flag_values" not in ds[v].attrs
    ]
    assert numeric or name in WORDS_ALONE
    for variable in numeric:
        assert ds[variable].attrs["units"], variable
        assert ds[variable].attrs["long_name"], variable


@pytest.mark.parametrize("name", data.names())
def test_every_level_names_its_datum(name):
    ds = data.load(name)
    levels = [v for v in ds.variables if v in ("level", "level_kazakh_sector", "reference_level")]
    for variable in levels:
        assert ds[variable].attrs["units"] == "m"
        assert "BHS" in ds[variable].attrs["datum"]
    if levels:
        assert ds.attrs["datum"] == "BHS"


@pytest.mark.parametrize("name", data.names())
def test_every_grade_is_one_of_four_or_says_which_part_has_which(name):
    ds = data.load(name)
    letters = re.findall(r"\b[A-Z]\b", ds.attrs["evidence_grade"])
    assert letters
    assert set(letters) <= set("ABCD")
    for variable in ("grade", "level_grade", "area_grade"):
        if variable in ds:
            assert set(ds[variable].values) <= set("ABCD")


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_grades_of_the_rows_span_what_the_catalogue_says(name):
    ds = data.load(name)
    grades = set().union(*(ds[v].values for v in ("grade", "level_grade", "area_grade") if v in ds))
    spanned = re.fullmatch(r"([A-D])-([A-D]) by row", ds.attrs["evidence_grade"])
    if spanned:
        assert (min(grades), max(grades)) == spanned.groups()


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_every_table_opens_with_a_comment_that_names_its_source(name):
    lines = shipped(name)[1].decode("utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert lines[: len(header)] == header
    assert any("source" in line.lower() for line in header)


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_rows_of_every_table_have_unique_keys(name):
    ds = data.load(name)
    for dim in ds.dims:
        assert ds.indexes[dim].is_unique, dim


@pytest.mark.parametrize(
    "name",
    [
        "sea_level_annual",
        "river_inflow_annual",
        "volga_monthly",
        "ural_annual",
        "gmst_observed",
        "warming_ssp",
    ],
)
def test_annual_series_skip_no_year(name):
    years = data.load(name)["year"].values
    assert_array_equal(years, np.arange(years[0], years[-1] + 1))
    assert data.load(name).attrs["period"] == f"{years[0]}-{years[-1]}"


def test_every_shipped_file_is_in_the_catalogue():
    assert sorted(path.name for path in TABLES.iterdir()) == sorted(entry.file for entry in data.catalogue())


def test_evidence_page_shows_every_dataset_with_its_grade():
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| `")}
    assert sorted(rows) == sorted(f"`{name}`" for name in data.names())
    for entry in data.catalogue():
        assert f"| {entry.grade} |" in rows[f"`{entry.name}`"], entry.name


def test_loading_twice_gives_two_independent_datasets():
    first = data.load("coastline")
    first["coast"][:] = 0.0
    first.attrs["title"] = "changed"
    assert data.load("coastline")["coast"].sel(state="Iran") == 1000.0
    assert data.load("coastline").attrs["title"] == "Length of coast by state"


# --- the series


def test_annual_level_is_grade_a_from_1993_and_altimetry_in_2025():
    ds = data.load("sea_level_annual")
    assert_array_equal(ds.grade == "A", ds.year >= 1993)
    assert_array_equal(ds.source == "dahiti_altimetry", ds.year == 2025)
    assert ds.level.sel(year=2025) == -29.22


def test_annual_level_has_its_minimum_in_1977_and_its_later_maximum_in_1995():
    level = data.load("sea_level_annual").level.sel(year=slice(1950, 2020))
    assert level.idxmin() == 1977
    assert level.idxmax() == 1995


def test_monthly_level_stands_at_the_start_of_each_month():
    ds = data.load("sea_level_monthly")
    assert_array_equal(ds.time, pd.date_range("1992-09", "2023-07", freq="MS"))
    assert_array_equal(ds.year, ds.time.dt.year)
    assert_array_equal(ds.month, ds.time.dt.month)
    assert ds.level.sel(time="2005-06-01") == -26.717


def test_altimetry_and_gauges_agree_within_three_centimetres():
    monthly = data.load("sea_level_monthly").level.sel(time=slice("1993", "2022")).groupby("time.year").mean()
    difference = data.load("sea_level_annual").level.sel(year=monthly.year) - monthly
    assert abs(float(difference.mean())) < 0.001
    assert float(difference.std(ddof=1)) < 0.03


def test_total_inflow_of_2023_is_masked_and_the_raw_value_kept():
    ds = data.load("river_inflow_annual")
    year = ds.sel(year=2023)
    assert np.isnan(year.total_rivers)
    assert year.total_rivers_raw == 214.2
    assert year.volga == 207.0
    assert year.flag == "suspect_total"
    assert ds.attrs["masked"] == (
        "total_rivers at year 2023: 214.2 km3/yr in the source, only 7 km3/yr above the Volga alone; "
        "every other year has at least 25"
    )
    others = (ds.total_rivers - ds.volga).drop_sel(year=2023)
    assert others.min() >= 25.0
    assert int(ds.total_rivers.isnull().sum()) == 1


def test_identical_totals_of_1976_and_1977_are_kept_and_flagged():
    ds = data.load("river_inflow_annual").sel(year=[1976, 1977])
    assert_array_equal(ds.total_rivers, [223.3, 223.3])
    assert_array_equal(ds.flag, ["identical_totals"] * 2)


def test_years_without_a_volga_value_stay_empty():
    volga = data.load("river_inflow_annual").volga
    assert volga.year[volga.isnull()].values.tolist() == [1936, 1937, 1948, 1957, 1973]


def test_months_of_the_volga_add_up_to_the_year():
    ds = data.load("volga_monthly")
    assert ds.volga.dims == ("year", "month")
    assert_allclose(ds.volga.sum("month"), ds.annual, atol=0.05)  # the annual sum is printed to 0.1 km³


def test_monthly_and_annual_volga_agree_within_one_cubic_kilometre():
    monthly = data.load("volga_monthly").annual
    annual = data.load("river_inflow_annual").volga.sel(year=monthly.year)
    assert_allclose(monthly, annual, atol=1.0 + 1e-9)


def test_volga_climatology_is_the_mean_of_its_months():
    climatology = data.load("seasonal_climatology").volga
    assert_allclose(climatology, data.load("volga_monthly").volga.mean("year"), atol=0.005 + 1e-9)


def test_volume_of_the_ural_is_its_discharge_over_the_year():
    ds = data.load("ural_annual")
    assert_allclose(ds.volume, ds.discharge * 365.25 * 86400.0 / 1e9, atol=0.04)


def test_seasonal_cycle_of_level_adds_up_to_nothing():
    anomaly = data.load("seasonal_climatology").level_anomaly
    assert abs(float(anomaly.sum())) < 12 * 0.05  # twelve values rounded to 0.1 cm
    assert int(anomaly.idxmax()) == 6


def test_seasonal_cycle_follows_from_the_monthly_levels():
    level = data.load("sea_level_monthly").level.to_series()
    year_long = level.rolling(12).mean().shift(-6)
    centred = (
        year_long + year_long.shift(1)
    ) / 2.0  # a 12-month window has no middle month: average two of them
    anomaly = 100.0 * (level - centred).loc["1993-07":"2023-01"]
    by_month = anomaly.groupby(anomaly.index.month)
    climatology = data.load("seasonal_climatology")
    assert_allclose(climatology.level_anomaly, by_month.mean(), atol=0.2)
    assert_allclose(climatology.level_sd, by_month.std(), atol=0.2)


def test_base_periods_of_warming_lie_0_8366_kelvin_apart():
    warming = data.load("warming_ssp").warming
    assert warming.dims == ("year", "scenario", "base_period")
    offset = warming.sel(base_period="1850-1900") - warming.sel(base_period="1995-2014")
    assert_allclose(offset, 0.8366, atol=0.001)  # two values rounded to 0.001 K


def test_warming_lands_on_its_scenario_and_base_period():
    warming = data.load("warming_ssp").warming
    assert warming.sel(year=2100, scenario="ssp585", base_period="1850-1900") == 4.738
    assert warming.sel(year=2018, scenario="ssp119", base_period="1995-2014") == 0.238


def test_percentiles_of_warming_rise_with_the_quantile_and_sit_on_the_median_path():
    spread = data.load("warming_percentiles").warming
    assert (spread.diff("quantile") > 0).all()
    path = data.load("warming_ssp").warming.sel(year=slice(2081, 2100)).mean("year")
    above = spread.sel(quantile=0.5) - path
    assert above.sizes == {"scenario": 5, "base_period": 2}
    assert_allclose(above, 0.09, atol=0.011)  # all forcing against human forcing


# --- the facts


def test_a_fact_carries_range_unit_source_and_grade():
    assert data.fact("kbg_outflow_1972") == data.Fact(
        quantity="kbg_outflow_1972",
        value=11.0,
        low=10.0,
        high=12.0,
        unit="km3/yr",
        period="c. 1972",
        source="Great Soviet Encyclopedia",
        grade="B",
    )


def test_a_fact_without_a_range_has_none_and_cannot_be_changed():
    volga = data.fact("river_volga")
    assert (volga.low, volga.high) == (None, None)
    with pytest.raises(FrozenInstanceError):
        volga.value = 0.0


def test_every_fact_has_a_value_or_a_range_inside_which_the_value_lies():
    facts = [data.fact(str(name)) for name in data.load("water_balance_facts").quantity.values]
    for item in facts:
        low = -np.inf if item.low is None else item.low
        high = np.inf if item.high is None else item.high
        assert low <= high, item.quantity
        if np.isnan(item.value):
            assert np.isfinite([low, high]).all(), item.quantity
        else:
            assert low <= item.value <= high, item.quantity
        assert item.unit, item.quantity
        assert item.source, item.quantity


def test_rivers_of_the_facts_agree_with_the_measured_series_within_the_stated_five_percent():
    years = slice(1936, 1996)
    six = sum(data.fact(f"river_{r}").value for r in ("volga", "ural", "kura", "terek", "sulak", "samur"))
    assert_allclose(six, 266.3)
    balance = six + data.fact("river_iran_and_small").value + data.fact("groundwater_inflow").value
    series = data.load("river_inflow_annual").sel(year=years)
    assert_allclose(series.total_rivers.mean(), balance, rtol=0.055)
    assert_allclose(series.volga.mean(), data.fact("river_volga").value, rtol=0.05)


def test_ural_loses_a_tenth_to_a_fifth_between_the_border_and_the_mouth():
    border = data.load("ural_annual").volume.sel(year=slice(1936, 1996)).mean()
    assert 0.10 < 1.0 - data.fact("river_ural").value / float(border) < 0.20


def test_rise_of_the_level_from_1979_agrees_with_the_published_rate():
    level = data.load("sea_level_annual").level.sel(year=slice(1979, 1995))
    rate = 100.0 * np.polyfit(level.year, level, 1)[0]
    assert_allclose(rate, data.fact("level_rate_1979_1995").value, rtol=0.07)


def test_strait_history_follows_the_dates_of_the_facts():
    starts = data.load("strait_history").start
    decimal = (starts.dt.year + (starts.dt.month - 1) / 12.0).values
    assert_allclose(decimal[1], data.fact("kbg_dam_closed").value, atol=0.05)
    assert_allclose(decimal[3], data.fact("kbg_dam_removed").value, atol=0.05)


def test_strait_is_open_dammed_drained_by_pipes_and_open_again():
    history = data.load("strait_history")

    def state(month):
        row = history.sel(start=month, method="ffill")
        return float(row.opening), float(row.pipe_outflow), str(row.regime.values)

    assert state("1921-01-01") == (1.0, 0.0, "before_1980")
    assert state("1980-02-15") == (1.0, 0.0, "before_1980")
    assert state("1980-03-01") == (0.0, 0.0, "before_1980")
    assert state("1992-06-30") == (0.0, 1.8, "before_1980")
    assert state("2025-12-31") == (1.0, 0.0, "after_1992")
    pipes = data.fact("kbg_outflow_1984_1992")
    assert pipes.low <= 1.8 <= pipes.high


def test_bay_of_1972_stands_as_far_below_the_sea_as_the_fact_says():
    bay = data.load("bay_hypsometry").area
    sea = data.load("sea_level_annual").level.sel(year=1972)
    level = bay.level[bay == data.fact("kbg_area_1972").value].item()
    assert_allclose(level, sea - data.fact("kbg_level_below_sea_1972").value, atol=0.02)
    floor = bay.level[bay == 0.0].item()
    assert floor == data.fact("kbg_floor_level_from_1972").value
    assert_allclose(level - floor, data.fact("kbg_max_depth_1972").value)
    assert bay.max() == data.fact("kbg_area_full").value
    assert bay.level.diff("level").min() > 0


def test_measured_areas_of_the_sea_belong_to_levels_of_the_annual_series():
    level = data.load("sea_level_annual").level
    for quantity, year, atol in (
        ("sea_area_2006_at_-27.07_m", 2006, 0.05),
        ("sea_area_2024_at_-29.20_m", 2024, 0.2),
    ):
        stated = float(re.search(r"at_(-[\d.]+)_m", quantity)[1])
        assert data.fact(quantity).unit == "km2"
        assert_allclose(level.sel(year=year), stated, atol=atol)


def test_assumed_consumption_spans_the_quoted_total_of_the_basin():
    ds = data.load("consumption_by_state")
    total = data.fact("basin_irretrievable_consumption")
    assert total.low <= ds.best.sum() <= total.high
    assert (ds.low <= ds.best).all()
    assert (ds.best <= ds.high).all()
    assert set(ds.grade.values) == {"D"}


def test_littoral_states_are_named_alike_in_every_table():
    littoral = set(data.load("coastline").state.values)
    assert littoral == {"Azerbaijan", "Iran", "Kazakhstan", "Russia", "Turkmenistan"}
    consumption = data.load("consumption_by_state")
    assert set(consumption.party.values[consumption.littoral.values == "yes"]) == littoral
    assert set(data.load("ports").state.values) == littoral
    assert set(data.load("measures_evidence").state.values) == littoral


def test_projections_have_ordered_ranges_and_a_change_or_a_level_or_a_range():
    ds = data.load("projections_literature")
    both = ds.range_low.notnull() & ds.range_high.notnull()
    assert (ds.range_low < ds.range_high).values[both.values].all()
    assert (ds.change.notnull() | ds.level.notnull() | ds.range_low.notnull()).all()
    assert ds.change.sel(key="samant_prange_2023_ssp585") == -14.0


def test_every_published_projection_has_its_place_in_the_comparison():
    published, basis = data.load("projections_literature"), data.load("literature_basis")
    assert set(basis.key.values) == set(published.key.values)
    assert set(basis.target.values) == {"change", "range_low", "range_high", "level", "none"}
    for row in basis.comparison.values:
        now = basis.sel(comparison=row)
        target, key = str(now.target.item()), str(now.key.item())
        assert (target == "none") == (now.scenario == "")
        if target != "none":
            assert published[target].sel(key=key).notnull(), row
            # A central estimate is preferred to an end of its range.
            assert target in ("change", "level") or published.change.sel(key=key).isnull(), row


# --- the parameters


def test_parameters_are_complete_and_cannot_be_changed():
    table = data.parameters()
    assert set(table) >= {
        "volga_sensitivity",
        "other_river_sensitivity",
        "precipitation_sensitivity",
        "evaporation_sensitivity",
        "precipitation",
        "groundwater",
        "net_evaporation",
        "strait_sill",
        "strait_coefficient_before_1980",
        "strait_coefficient_after_1992",
        "bay_net_evaporation",
        "area_factor",
        "warming_quantile",
        "river_inflow",
        "inflow_sd",
        "inflow_lag1",
        "inflow_slow_sd",
        "inflow_slow_lag1",
        "net_evaporation_sd",
        "net_evaporation_slow_sd",
        "net_evaporation_slow_lag1",
        "weather_correlation",
        "level_error_before_1993",
        "level_error_since_1993",
        "late_level_error",
    }
    with pytest.raises(TypeError):
        table["area_factor"] = None


@pytest.mark.parametrize(
    ("name", "mean", "sd"),
    [
        ("volga_sensitivity", -2.0, 4.0),
        ("other_river_sensitivity", -10.0, 5.0),
        ("precipitation_sensitivity", 3.0, 3.0),
    ],
)
def test_ends_of_a_normal_prior_are_its_5_and_95_percent_points(name, mean, sd):
    prior = data.parameters()[name]
    assert prior.distribution == "normal"
    assert prior.unit == "%/K"
    assert_allclose(
        [prior.low, prior.best, prior.high], mean + sd * np.array([-1.6449, 0.0, 1.6449]), atol=0.005
    )


def test_priors_stay_inside_the_facts_they_come_from():
    table = data.parameters()
    for name, quantity in (("precipitation", "sea_precipitation"), ("groundwater", "groundwater_inflow")):
        origin = data.fact(quantity)
        prior = table[name]
        assert (prior.low, prior.best, prior.high) == (origin.low, origin.value, origin.high)
        assert (prior.unit, prior.grade) == (origin.unit, origin.grade)
    evaporation, rainfall = data.fact("kbg_evaporation"), data.fact("kbg_rainfall")
    bay = table["bay_net_evaporation"]
    assert evaporation.low - rainfall.high <= bay.best <= evaporation.high - rainfall.low


def prior(**changes):
    fields = {
        "name": "x",
        "distribution": "normal",
        "best": 0.0,
        "low": -1.0,
        "high": 1.0,
        "unit": "m",
        "grade": "D",
        "source": "test",
        "description": "test",
    }
    return data.Parameter(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"best": 0.5},
            "parameter 'x': low and high of a normal distribution must lie equally far from best\n"
            "    found    normal, low -1, best 0.5, high 1",
        ),
        (
            {"distribution": "uniform", "best": 2.0},
            "parameter 'x': low must lie below high, and best between them\n"
            "    found    uniform, low -1, best 2, high 1",
        ),
        (
            {"distribution": "lognormal"},
            "parameter 'x': a lognormal distribution must be positive\n"
            "    found    lognormal, low -1, best 0, high 1",
        ),
        (
            {"distribution": "lognormal", "low": 1.0, "best": 3.0, "high": 4.0},
            "parameter 'x': best of a lognormal distribution must be the geometric mean of low and high\n"
            "    found    lognormal, low 1, best 3, high 4",
        ),
        (
            {"distribution": "fixed"},
            "parameter 'x': low and high of a fixed value must equal best\n"
            "    found    fixed, low -1, best 0, high 1",
        ),
        (
            {"distribution": "gamma"},
            "parameter 'x': the distribution is none of normal, uniform, triangular, lognormal, fixed\n"
            "    found    gamma, low -1, best 0, high 1",
        ),
    ],
)
def test_a_prior_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(DataError) as caught:
        prior(**changes)
    assert str(caught.value) == message


# --- checksums and damage


def test_input_hashes_are_those_of_the_files():
    _, content = shipped("ural_annual")
    assert data.input_hashes(["ural_annual"]) == {"ural_annual": hashlib.sha256(content).hexdigest()}


def test_checksum_tool_finds_nothing_to_change():
    before = CATALOGUE.read_bytes()
    tool = [sys.executable, str(ROOT / "tools" / "update_checksums.py")]
    done = subprocess.run(
        tool, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert CATALOGUE.read_bytes() == before


def test_a_changed_table_is_refused_with_both_checksums(tmp_path):
    entry = data.entry("coastline")
    path = tmp_path / entry.file
    path.write_bytes(shipped("coastline")[1].replace(b"955", b"956"))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        read(entry, tmp_path)
    assert str(caught.value) == (
        f"{path}: the file differs from the one that was shipped\n"
        f"    found    sha256 {found}\n"
        f"    expected sha256 {entry.sha256}\n"
        "    hint     install caspian_sim again; after an intended change run tools/update_checksums.py"
    )


@given(place=st.integers(min_value=0, max_value=10_000), change=st.integers(min_value=1, max_value=255))
def test_no_change_of_a_single_byte_passes_the_checksum(place, change):
    path, content = shipped("coastline")
    changed = bytearray(content)
    changed[place % len(content)] ^= change
    check(path, content, data.entry("coastline").sha256)
    with pytest.raises(DataError):
        check(path, bytes(changed), data.entry("coastline").sha256)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        read(data.entry("coastline"), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'coastline.csv'}: the file is missing\n    hint     install caspian_sim again"
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "coastline",
            b"state,coast_km",
            b"state,length",
            ": column 'coast_km' is missing\n    found    state, length\n    expected state, coast_km",
        ),
        (
            "coastline",
            b"state,coast_km",
            b"state,coast_km,year",
            ": column 'year' is unknown\n    found    state, coast_km, year\n    expected state, coast_km",
        ),
        ("coastline", b"Iran,1000", b"Iran,long", ":6  column 'coast_km': 'long' is not a number"),
        ("ural_annual", b"1941,", b"1941.5,", ":6  column 'year': '1941.5' is not a whole number"),
        ("ural_annual", b"1941,", b",", ":6  column 'year': '' is not a whole number"),
        ("strait_history", b"1980-03,", b"1980,", ":6  column 'start': '1980' is not a month as YYYY-MM"),
        ("warming_ssp", b"1.074", b"warm", ":5  column 'ssp119_rel1850_1900': 'warm' is not a number"),
    ],
)
def test_a_damaged_column_is_named_with_its_file_and_line(tmp_path, name, old, new, message):
    entry = damaged(tmp_path, name, old, new)
    with pytest.raises(DataError) as caught:
        read(entry, tmp_path)
    assert str(caught.value) == f"{tmp_path / entry.file}{message}"


def test_an_unknown_dataset_is_answered_with_the_nearest_name():
    with pytest.raises(DataError) as caught:
        data.load("sea_level_anual")
    assert str(caught.value) == (
        "no dataset is called 'sea_level_anual'\n"
        "    found    'sea_level_anual'\n"
        "    nearest  'sea_level_annual'\n"
        f"    allowed  {', '.join(data.names())}"
    )


def test_an_unknown_fact_is_answered_with_the_nearest_name():
    with pytest.raises(DataError) as caught:
        data.fact("kbg_outflow_1792")
    first, found, nearest, allowed = str(caught.value).split("\n")
    assert first == "no fact is called 'kbg_outflow_1792'"
    assert found == "    found    'kbg_outflow_1792'"
    assert nearest == "    nearest  'kbg_outflow_1972'"
    assert allowed.startswith("    allowed  sea_area_2006_at_-27.07_m, ")


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(DataError) as caught:
        data.entry("xyzzy")
    assert "nearest" not in str(caught.value)


# --- the reader on small files


YEAR = Column("year", "year", units="1", type="integer")


def small(folder, text, **fields):
    """Dataset read from a table written by hand, keyed by year."""
    (folder / "small.csv").write_text(text, encoding="utf-8")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    entry = replace(data.entry("coastline"), file="small.csv", sha256=checksum, dims=("year",), **fields)
    return read(entry, folder)


def test_stacked_columns_land_on_their_coordinates_in_any_order(tmp_path):
    flow = Stack(Column("flow", "flow", units="km3"), ("month",), {"feb": (2,), "jan": (1,)})
    ds = small(
        tmp_path, "# Source: test\nyear,jan,feb\n2001,1,2\n2002,3,\n", columns={"year": YEAR}, stacked=(flow,)
    )
    coords = {"year": [2001, 2002], "month": [1, 2]}
    expected = xr.DataArray([[1.0, 2.0], [3.0, np.nan]], coords, ("year", "month"), name="flow")
    xr.testing.assert_equal(ds.flow, expected)
    assert ds.flow.attrs == {"units": "km3", "long_name": "flow"}


def test_a_masked_value_is_nan_and_its_neighbours_stay(tmp_path):
    columns = {"year": YEAR, "flow_km3": Column("flow", "flow", units="km3")}
    masked = (Mask("flow", {"year": 2002}, "copied from 2001"),)
    ds = small(tmp_path, "year,flow_km3\n2001,7\n2002,7\n2003,8\n", columns=columns, masked=masked)
    assert_array_equal(ds.flow, [7.0, np.nan, 8.0])
    assert_array_equal(ds.flow_raw, [7.0, 7.0, 8.0])
    assert ds.flow_raw.attrs == {"units": "km3", "long_name": "flow, as in the source"}
    assert ds.attrs["masked"] == "flow at year 2002: copied from 2001"


def test_a_netcdf_file_keeps_its_variables_and_takes_the_attributes_of_the_catalogue(tmp_path):
    path = tmp_path / "curve.nc"
    area = xr.Dataset({"area": ("level", [1.0, 2.0], {"units": "km2"})}, {"level": [-30.0, -29.0]})
    area.to_netcdf(path, engine="h5netcdf")
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    ds = read(replace(data.entry("hypsometry"), file=path.name, sha256=checksum), tmp_path)
    xr.testing.assert_equal(ds, area)
    assert ds.area.attrs["units"] == "km2"
    assert ds.attrs["title"] == "Hypsometry of the Caspian Sea"
    assert ds.attrs["sha256"] == checksum


# --- the command line pays nothing for it


def test_importing_the_data_and_listing_it_imports_no_heavy_library():
    code = (
        "import sys, caspian_sim.data as d; d.catalogue(); d.input_hashes(d.names());"
        "print([m for m in ('numpy', 'pandas', 'xarray', 'h5netcdf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
