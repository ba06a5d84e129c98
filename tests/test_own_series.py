"""What is taken from a user's own file, and what is refused with its place."""

import contextlib

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from own_files import MEMBERS, annual_totals, cmip6, table

from caspian_sim.basin.rivers import RIVERS, month_days, month_fractions
from caspian_sim.climate.own.forcing import description, read_own_forcing
from caspian_sim.climate.own.units import parse_unit
from caspian_sim.config import load_config
from caspian_sim.errors import DataError

YEARS = np.arange(2026, 2030)
BASE = {"name": "own", "period": {"start": 2026, "end": 2029}}


def read(scenarios=("ssp245",), members=3, **terms):
    config = load_config({**BASE, "forcing": terms})
    return read_own_forcing(config.forcing, scenarios, YEARS, members)


def bank(term, settings, name=None, **more):
    (found,) = read(**{term: settings}, **more)
    return found.banks[name or term]


# ---- units ---------------------------------------------------------------------------------------------

MM_A_YEAR = {  # of the common year 2026
    "mm/yr": 1.0,
    "mm yr-1": 1.0,
    "mm per year": 1.0,
    "mm/day": 365.0,
    "mm d-1": 365.0,
    "mm/month": 12.0,
    "m/s": 365 * 86400e3,
    "m s-1": 365 * 86400e3,
    "kg m-2 s-1": 365 * 86400.0,
    "kg.m-2.s-1": 365 * 86400.0,
    "kg/m²/s": 365 * 86400.0,
    "kg/(m2 s)": 365 * 86400.0,
    "cm a-1": 10.0,
}
KM3_A_YEAR = {
    "km3/yr": 1.0,
    "km³/a": 1.0,
    "km3 month-1": 12.0,
    "m3/s": 365 * 86400e-9,
    "m³ s⁻¹": 365 * 86400e-9,
    "m^3/s": 365 * 86400e-9,
    "kg s-1": 365 * 86400e-12,
}


@pytest.mark.parametrize(("unit", "factor"), {**MM_A_YEAR, **KM3_A_YEAR}.items())
def test_a_unit_amounts_to_what_it_says(unit, factor):
    days = month_days(np.array([2026]))
    found = parse_unit(unit)
    assert found.kind == ("depth" if unit in MM_A_YEAR else "volume")
    assert_allclose(found.amounts(np.ones((1, 12)), days, 365.0).sum(), factor, rtol=1e-14)


@pytest.mark.parametrize("unit", ["", "mm", "m3", "1", "K", "W m-2", "mm/m", "mm/day/yr", "mm day", "%"])
def test_what_is_not_a_flux_of_water_is_no_unit(unit):
    assert parse_unit(unit) is None


# ---- annual totals and months --------------------------------------------------------------------------


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "proleptic_gregorian", "standard", "all_leap"])
@pytest.mark.parametrize("stamp", ["middle", "end"])
def test_annual_totals_of_a_climate_model_are_conserved_in_its_own_calendar(tmp_path, calendar, stamp):
    series = cmip6(tmp_path / "pr.nc", "pr", 7e-6, "kg m-2 s-1", calendar=calendar, stamp=stamp)
    found = bank("precipitation", {"file": str(tmp_path / "pr.nc")})
    totals = annual_totals(series, 1.0).sel(experiment="ssp245", year=YEARS)
    assert_allclose(found.annual[0], totals.transpose("member", "year"), rtol=1e-13)
    rate = np.repeat(found.annual[0], 12, axis=1) * found.months[0]
    again = (rate.reshape(3, -1, 12) * month_fractions(YEARS)).sum(axis=2)
    assert_allclose(again, found.annual[0], rtol=1e-13)


def test_volume_of_each_month_of_a_river_is_that_of_the_file(tmp_path):
    series = cmip6(tmp_path / "q.nc", "rivo", [7400.0, 300.0], "m3 s-1", rivers=("volga", "ural"))
    found = bank("river_inflow", {"file": str(tmp_path / "q.nc")}, "ural")
    rate = np.repeat(found.annual[0], 12, axis=1) * found.months[0]
    volume = rate * month_fractions(YEARS).ravel()
    of_file = series * 86400e-9 * series["time"].dt.days_in_month
    of_file = of_file.sel(experiment="ssp245", river="ural", time=slice("2026", "2029"))
    assert_allclose(volume, of_file.transpose("member", "time"), rtol=1e-13)


def test_months_of_evaporation_are_departures_that_add_up_to_the_rate(tmp_path):
    series = cmip6(tmp_path / "e.nc", "evspsbl", 3e-5, "kg m-2 s-1", calendar="standard")
    found = bank("evaporation", {"file": str(tmp_path / "e.nc")})
    days = np.repeat(month_days(YEARS).sum(axis=1), 12)
    rate = (
        series.sel(experiment="ssp245", time=slice("2026", "2029")).transpose("member", "time") * 86400 * days
    )
    assert_allclose(np.repeat(found.annual[0], 12, axis=1) + found.months[0], rate, rtol=1e-12)


def test_monthly_and_annual_tables_of_the_same_water_have_the_same_total(tmp_path):
    rows = "".join(f"{year},{month},{80 + month}\n" for year in YEARS for month in range(1, 13))
    (tmp_path / "m.csv").write_text(f"year,month,e_mm_per_month\n{rows}", encoding="utf-8")
    table(tmp_path / "a.csv", [12 * 80 + 78] * 4)
    monthly, annual = (bank("evaporation", {"file": str(tmp_path / f"{name}.csv")}) for name in "ma")
    assert_allclose(monthly.annual, annual.annual, rtol=1e-14)
    assert annual.months is None


def test_year_as_a_dimension_serves_annual_series(tmp_path):
    values = xr.DataArray([1000.0] * 30, dims="year", coords={"year": np.arange(2010, 2040)}, name="e")
    values.attrs["units"] = "mm yr-1"
    values.to_netcdf(tmp_path / "e.nc", engine="h5netcdf")
    assert_allclose(bank("evaporation", {"file": str(tmp_path / "e.nc")}).annual, 1000.0)


def test_a_series_that_goes_on_beyond_2262_is_read(tmp_path):
    cmip6(tmp_path / "pr.nc", "pr", 7e-6, "kg m-2 s-1", calendar="standard", first=2020, last=2300)
    assert bank("precipitation", {"file": str(tmp_path / "pr.nc")}).annual.shape == (1, 3, 4)


# ---- scenarios and members -----------------------------------------------------------------------------

LONG = """\
# pr over the sea; units: none here
# Units: mm/yr
Scenario,member,year,pr
historical,a,2003,100
historical,b,2003,200
SSP2-4.5,a,2004,101
SSP2-4.5,b,2004,201
SSP5-8.5,b,2004,401
SSP5-8.5,a,2004,301
"""


def long_table(path):
    header = [line for line in LONG.splitlines() if line.startswith(("#", "Sc"))]
    rows = [
        f"{scenario},{member},{year},{value + year - 2003}"
        for scenario, members in {
            "historical": {"a": 100, "b": 200},
            "SSP2-4.5": {"a": 100, "b": 200},
            "ssp585": {"b": 400, "a": 300},
        }.items()
        for member, value in members.items()
        for year in (range(2003, 2015) if scenario == "historical" else range(2015, 2030))
    ]
    path.write_text("\n".join([*header, *rows, ""]), encoding="utf-8")
    return str(path)


def test_scenarios_are_found_by_any_of_their_names_and_members_by_theirs(tmp_path):
    (found,) = read(("ssp585", "ssp245"), precipitation={"file": long_table(tmp_path / "pr.csv")})
    assert found.rows == {"ssp585": 0, "ssp245": 1}
    assert found.members == ("b", "a")
    assert_allclose(found.banks["precipitation"].annual[0], [np.arange(423, 427), np.arange(323, 327)])
    assert_allclose(found.banks["precipitation"].annual[1], [np.arange(223, 227), np.arange(123, 127)])


def test_the_past_stands_before_every_scenario_for_the_baseline(tmp_path):
    settings = {"file": long_table(tmp_path / "pr.csv"), "use": "change"}
    found = bank("precipitation", settings, scenarios=("ssp245", "ssp585"))
    past, future = np.arange(12), np.arange(12, 20)
    assert_allclose(found.baseline[0, 0], np.r_[past + 100, future + 100].mean())
    assert_allclose(found.baseline[1, 1], np.r_[past + 200, future + 400].mean())


def test_a_file_without_scenarios_serves_all_of_them(tmp_path):
    path = table(tmp_path / "e.csv", [900, 910, 920, 930])
    (found,) = read(("ssp126", "ssp585"), evaporation={"file": str(path)})
    assert found.rows == {"ssp126": 0, "ssp585": 0}
    assert description(found) == (
        "e.csv; annual in mm/yr, standard calendar; mean 915 mm/yr over the run; absolute; variability own; "
        "the same in all scenarios"
    )


def test_a_file_of_one_experiment_does_not_pass_for_another(tmp_path):
    one = {"scenarios": None, "members": None}
    cmip6(tmp_path / "pr.nc", "pr", 7e-6, "kg m-2 s-1", **one, experiment_id="ssp585")
    settings = {"file": str(tmp_path / "pr.nc")}
    assert bank("precipitation", settings, scenarios=("ssp585",)).annual.shape == (1, 1, 4)
    with pytest.raises(DataError, match="no scenario ssp245, which the run needs\n    found    ssp585"):
        read(("ssp245",), precipitation=settings)
    cmip6(tmp_path / "pr.nc", "pr", 7e-6, "kg m-2 s-1", **one, experiment_id="reanalysis")
    assert bank("precipitation", settings, scenarios=("ssp245",)).annual.shape == (1, 1, 4)


def test_rivers_that_the_file_has_are_taken_and_no_others(tmp_path):
    path = table(tmp_path / "q.csv", ["240,8"] * 4, "year,Volga_km3_per_yr,ural_km3_per_yr", "")
    (found,) = read(river_inflow={"file": str(path)})
    assert set(found.banks) == {"volga", "ural"}
    assert_allclose(found.banks["volga"].annual, 240.0)


@pytest.mark.parametrize("column", ["total", "total_km3_per_yr", "runoff"])
def test_one_column_may_be_the_total_of_the_rivers(tmp_path, column):
    path = table(tmp_path / "q.csv", [270] * 4, f"year,{column}", "# units: km3/yr\n")
    settings = {"file": str(path), **({"variable": "runoff"} if column == "runoff" else {})}
    assert_allclose(bank("river_inflow", settings, "total").annual, 270.0)


def test_unit_by_the_configuration_where_the_file_has_none(tmp_path):
    path = table(tmp_path / "e.csv", [2.5] * 4, comment="")
    found = bank("evaporation", {"file": str(path), "units": "mm/day"}).annual
    assert_allclose(found[0, 0], [2.5 * 365, 2.5 * 365, 2.5 * 366, 2.5 * 365])


def test_series_that_the_run_has_no_members_for_and_short_years_are_told(tmp_path, caplog):
    cmip6(tmp_path / "pr.nc", "pr", 7e-6, "kg m-2 s-1", calendar="360_day")
    read(members=2, precipitation={"file": str(tmp_path / "pr.nc")})
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "forcing.precipitation: the run has 2 members and leaves 1 of the 3 series of the file unused",
        "forcing.precipitation: the years of the file have 360 days, and at the same rate 1.4 % less water "
        "than real ones; use: change takes that out",
        "forcing.precipitation: net evaporation has the variability of this precipitation alone, since the "
        "model's is not split; variability: added keeps the model's as well",
    ]


# ---- what is refused -----------------------------------------------------------------------------------


def message(tmp_path, scenarios=("ssp245",), **terms):
    with pytest.raises(DataError) as caught:
        read(scenarios, **terms)
    return str(caught.value).replace(f"{tmp_path}/", "")


YEARLY = "year,e\n2026,900\n2027,900\n2028,900\n2029,900\n"
MM = "# units: mm/yr\n"


def monthly(change=None, last=2029):
    """Rows of months, in which one line is another."""
    rows = [f"{year},{month},80" for year in range(2026, last + 1) for month in range(1, 13)]
    text = "\n".join(["# units: mm/month", "year,month,e", *rows, ""])
    return text if change is None else text.replace(*change)


TABLES = {
    "no unit": (
        YEARLY,
        "own.csv: e has no unit\n"
        "    allowed  mm/yr, mm/month, mm/day, m/s, kg m-2 s-1\n"
        "    hint     state it in the file (attribute units; # units: mm/day; column pr_mm_per_day) or by "
        "the key forcing.evaporation.units",
    ),
    "unknown unit": (
        "# units: W m-2\n" + YEARLY,
        "own.csv: e has a unit that is not one of a flux over the sea\n"
        "    found    'W m-2'\n"
        "    allowed  mm/yr, mm/month, mm/day, m/s, kg m-2 s-1",
    ),
    "unit without a time": (
        "# units: mm\n" + YEARLY,
        "own.csv: e has a unit that is not one of a flux over the sea\n"
        "    found    'mm'\n"
        "    allowed  mm/yr, mm/month, mm/day, m/s, kg m-2 s-1",
    ),
    "unit of a river": (
        "# units: m3/s\n" + YEARLY,
        "own.csv: e has a unit that is not one of a flux over the sea\n"
        "    found    'm3/s'\n"
        "    allowed  mm/yr, mm/month, mm/day, m/s, kg m-2 s-1",
    ),
    "two units": (
        MM + YEARLY.replace("e\n", "e_mm_per_day\n", 1),
        "own.csv:2  column e_mm_per_day and the line # units: state different units\n"
        "    found    mm per day and mm/yr\n"
        "    hint     keep the right one of the two",
    ),
    "monthly unit in annual file": (
        "# units: mm/month\n" + YEARLY,
        "own.csv: a unit of months in a file of years\n"
        "    found    mm/month (e)\n"
        "    allowed  mm/yr, mm/day, m/s, kg m-2 s-1",
    ),
    "missing month": (
        monthly(("2027,5,80\n2027,6,80\n", "")),
        "own.csv:19  e: months are missing\n"
        "    found    2027-07 after 2027-04\n"
        "    allowed  every month; nothing is interpolated",
    ),
    "missing year": (
        MM + YEARLY.replace("2028,900\n", ""),
        "own.csv:5  e: years are missing\n"
        "    found    2029 after 2027\n"
        "    allowed  every year; nothing is interpolated",
    ),
    "duplicate": (
        monthly(("2027,5,80\n", "2027,5,80\n2027,5,80\n")),
        "own.csv:20  e: the month stands twice\n"
        "    found    2027-05 after 2027-05\n"
        "    allowed  every month once",
    ),
    "descending": (
        MM + "year,e\n2029,900\n2028,900\n2027,900\n2026,900\n",
        "own.csv:4  e: time does not ascend\n"
        "    found    2028 after 2029\n"
        "    allowed  every year once, in order",
    ),
    "blank": (
        monthly(("2027,5,80", "2027,5,")),
        "own.csv:19  e: a value is missing\n"
        "    found    nothing in 2027-05\n"
        "    allowed  a number from the first to the last; nothing is interpolated",
    ),
    "infinite": (
        MM + YEARLY.replace("2027,900", "2027,inf"),
        "own.csv:4  e: a value is not finite\n"
        "    found    inf in 2027\n"
        "    allowed  a number from the first to the last; nothing is interpolated",
    ),
    "no values": (
        MM + YEARLY.replace("900", ""),
        "own.csv  e: there are no values",
    ),
    "text": (
        MM + YEARLY.replace("2027,900", "2027,high"),
        "own.csv:4  e: 'high' is not a number\n"
        "    found    'high'\n"
        "    allowed  a number, or nothing where there is none",
    ),
    "bad month": (
        monthly(("2027,5,80", "2027,13,80")),
        "own.csv:19  '13' is not a month\n    found    '13'\n    allowed  1 to 12",
    ),
    "bad year": (
        MM + YEARLY.replace("2027,", "2027.5,"),
        "own.csv:4  '2027.5' is not a year\n    found    '2027.5'\n    allowed  a year, such as 2031",
    ),
    "no year": (
        MM + YEARLY.replace("year", "time"),
        "own.csv:2  there is no column year\n"
        "    found    time, e\n"
        "    allowed  year, and month, scenario, member where there are several, and values",
    ),
    "semicolons": (
        MM + YEARLY.replace(",", ";"),
        "own.csv:2  columns are not separated by commas\n"
        "    found    'year;e'\n"
        "    allowed  commas, and a point in decimal numbers",
    ),
    "long row": (
        MM + YEARLY.replace("2027,900", "2027,900,5"),
        "own.csv:4  the row has another number of columns than the header\n"
        "    found    3 values\n"
        "    allowed  2: year, e",
    ),
    "empty": (
        MM + "year,e\n",
        "own.csv: the file has no rows of values\n    allowed  a line of column names, and rows below it",
    ),
    "column twice": (
        MM + YEARLY.replace("year,e", "year,year"),
        "own.csv:2  column 'year' is there twice\n    found    year, year",
    ),
    "no values column": (MM + "year,month\n2026,1\n", "own.csv:2  there is no column of values"),
    "several columns": (
        MM + "year,e,p\n2026,1,1\n",
        "own.csv: there are several columns of values\n"
        "    found    e, p\n"
        "    hint     name one of them by the key forcing.evaporation.variable",
    ),
    "short": (
        MM + YEARLY.replace("2029,900\n", ""),
        "own.csv  e: the series does not cover the years that are needed\n"
        "    found    2026 to 2028\n"
        "    allowed  2026 to 2029 in whole years",
    ),
    "part of a year": (
        monthly(("2029,12,80\n", "")),
        "own.csv  e: the series does not cover the years that are needed\n"
        "    found    2026-01 to 2029-11\n"
        "    allowed  2026 to 2029 in whole years",
    ),
    "downward": (
        MM + YEARLY.replace("900", "-900"),
        "own.csv  e: the mean evaporation is negative\n"
        "    found    -900 mm/yr\n"
        "    allowed  evaporation counted positive, from the sea upward\n"
        "    hint     some models count downward fluxes: change the sign in the file",
    ),
    "daily as yearly": (
        MM + YEARLY.replace("900", "2.6"),
        "own.csv  e: the mean is not possible in mm/yr\n"
        "    found    2.6 mm/yr\n"
        "    allowed  150 to 4000 mm/yr\n"
        "    hint     the values would be possible in mm/day",
    ),
    "yearly as monthly": (
        monthly(("mm/month", "mm/yr")),
        "own.csv  e: the mean is not possible in mm/yr\n"
        "    found    80 mm/yr\n"
        "    allowed  150 to 4000 mm/yr\n"
        "    hint     the values would be possible in mm/month",
    ),
    "one year of a fill value": (
        MM + YEARLY.replace("2027,900", "2027,12500"),
        "own.csv  e: the value of 2027 is not possible\n"
        "    found    1.25e+04 mm/yr\n"
        "    allowed  50 to 12000 mm/yr",
    ),
    "scenario that is not there": (
        MM + "scenario,year,e\nSSP1-2.6,2026,900\nrcp45,2026,900\n",
        "own.csv: there is no scenario ssp245, which the run needs\n"
        "    found    SSP1-2.6, rcp45\n"
        "    hint     leave it out of climate.scenarios; a file without scenarios serves all of them",
    ),
    "blank scenario": (
        MM + "scenario,year,e\nssp245,2026,900\n,2027,900\n",
        "own.csv:4  the scenario is blank\n    allowed  a name in every row, or no column scenario",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_cannot_be_used_is_refused_with_its_place(tmp_path, case):
    text, expected = TABLES[case]
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    assert message(tmp_path, evaporation={"file": str(tmp_path / "own.csv")}) == expected


RIVER_TABLES = {
    "unknown river": (
        "# units: km3/yr\nyear,volga,iran\n2026,240,5\n",
        "own.csv: 'iran' is not a river of the model\n"
        "    found    'iran'\n"
        "    allowed  volga, ural, terek, sulak, samur, kura, iranian, other; or one total\n"
        "    hint     did you mean 'iranian'?",
    ),
    "total beside rivers": (
        "# units: km3/yr\nyear,volga,total\n2026,240,280\n",
        "own.csv: there is a total beside rivers\n"
        "    found    volga, total\n"
        "    allowed  rivers, or one total",
    ),
    "different units": (
        "year,volga_m3_per_s,ural_km3_per_yr\n2026,7400,8\n",
        "own.csv: columns have different units\n"
        "    found    m3 per s (volga_m3_per_s), km3 per yr (ural_km3_per_yr)\n"
        "    allowed  one unit",
    ),
    "m3/s as km3/yr": (
        "# units: km3/yr\nyear,total\n2026,8700\n2027,8700\n2028,8700\n2029,8700\n",
        "own.csv  total: the mean is not possible in km3/yr\n"
        "    found    8700 km³/yr\n"
        "    allowed  27.47 to 2747 km³/yr\n"
        "    hint     the values would be possible in m3/s",
    ),
    "backwards": (
        "# units: km3/yr\nyear,total\n2026,270\n2027,-9999\n2028,270\n2029,270\n",
        "own.csv:4  total: river inflow is negative\n    found    -9999\n    allowed  0 or more",
    ),
}


@pytest.mark.parametrize("case", RIVER_TABLES)
def test_a_table_of_rivers_that_cannot_be_used_is_refused(tmp_path, case):
    text, expected = RIVER_TABLES[case]
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    assert message(tmp_path, river_inflow={"file": str(tmp_path / "own.csv")}) == expected


def test_configuration_that_contradicts_the_unit_of_the_file_is_refused(tmp_path):
    path = table(tmp_path / "e.csv", [900] * 4)
    assert message(tmp_path, evaporation={"file": str(path), "units": "mm/day"}) == (
        "e.csv: evaporation and the key forcing.evaporation.units state different units\n"
        "    found    mm/yr in the file, mm/day in the configuration\n"
        "    hint     leave the key out, or correct the file"
    )


def test_changes_need_the_baseline_and_a_flow_in_it(tmp_path):
    path = table(tmp_path / "e.csv", [900] * 20, first=2010)
    assert message(tmp_path, evaporation={"file": str(path), "use": "change"}) == (
        "e.csv  evaporation: the series does not cover the years that are needed\n"
        "    found    2010 to 2029\n"
        "    allowed  2003 to 2029 in whole years\n"
        "    hint     use: change needs the baseline too; its years may stand under scenario historical"
    )
    settings = {"file": str(path), "use": "change", "baseline": {"start": 2011, "end": 2020}}
    assert_allclose(bank("evaporation", settings).baseline, 900.0)
    table(path, ["240,0"] * 20, "year,volga,kura", "# units: km3/yr\n", first=2010)
    assert message(tmp_path, river_inflow=settings) == (
        "e.csv: kura has no flow over the baseline 2011-2020\n"
        "    found    a mean of 0\n"
        "    allowed  a mean above 0, to take changes against"
    )


def test_members_must_be_the_same_in_scenarios_and_in_files(tmp_path):
    rows = [f"{s},{m},{y},200" for s, m in (("ssp126", "a"), ("ssp245", "a"), ("ssp245", "b")) for y in YEARS]
    path = tmp_path / "pr.csv"
    path.write_text("\n".join([MM + "scenario,member,year,pr", *rows]), encoding="utf-8")
    assert message(tmp_path, ("ssp126", "ssp245"), precipitation={"file": str(path)}) == (
        "pr.csv: scenario ssp126 has no member b, which another scenario has\n"
        "    found    a\n"
        "    allowed  the same members in all scenarios, which are compared member by member"
    )
    cmip6(tmp_path / "e.nc", "evspsbl", 3e-5, "kg m-2 s-1")
    both = {"precipitation": {"file": str(path)}, "evaporation": {"file": str(tmp_path / "e.nc")}}
    assert message(tmp_path, **both) == (
        "e.nc: the members are not those of forcing.precipitation\n"
        "    found    r1i1p1f1, r2i1p1f1, r3i1p1f1\n"
        "    allowed  a, b\n"
        "    hint     a member takes the same series of every file; a file with one serves all members"
    )


def broken(path, how):
    """Write a NetCDF file with a fault."""
    series = cmip6(path, "pr", 7e-6, "kg m-2 s-1", members=MEMBERS[:2])
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as opened:
        dataset = how(opened.load())
    dataset.to_netcdf(path, engine="h5netcdf")
    return series


def gap(ds):
    ds["pr"][1, 0, 300] = np.nan
    return ds


def with_calendar(name):
    return lambda ds: ds.assign_coords(time=ds.time.assign_attrs(calendar=name))


NETCDF = {
    "gap": (
        gap,
        "own.nc  pr, scenario ssp245, member r1i1p1f1: a value is missing\n"
        "    found    nothing in 2028-01\n"
        "    allowed  a number from the first to the last; nothing is interpolated",
    ),
    "calendar": (
        with_calendar("lunar"),
        "own.nc: the calendar lunar of time is not supported\n"
        "    found    lunar\n"
        "    allowed  standard, gregorian, proleptic_gregorian, noleap, 365_day, all_leap, 366_day, 360_day",
    ),
    "missing months": (
        lambda ds: ds.isel(time=np.r_[0:290, 292:336]),
        "own.nc  pr, scenario ssp245, member r1i1p1f1: months are missing\n"
        "    found    2027-05 after 2027-02\n"
        "    allowed  every month; nothing is interpolated",
    ),
    "unordered": (
        lambda ds: ds.isel(time=np.arange(336)[::-1]),
        "own.nc  pr, scenario ssp245, member r1i1p1f1: time does not ascend\n"
        "    found    2030-11 after 2030-12\n"
        "    allowed  every month once, in order",
    ),
    "daily": (
        lambda ds: ds.drop_vars("time_bnds").assign_coords(
            time=("time", np.arange(336.0), {"units": "days since 2026-01-01", "calendar": "noleap"})
        ),
        "own.nc: values are neither for months nor for years\n"
        "    found    several in a month\n"
        "    allowed  means over months or years\n"
        '    hint     ds.resample(time="MS").mean() in xarray makes months of days',
    ),
    "no unit of time": (
        lambda ds: ds.drop_vars("time_bnds").assign_coords(time=("time", np.arange(336))),
        "own.nc: the coordinate time has no units\n"
        "    allowed  units such as days since 1850-01-01, with a calendar",
    ),
    "map": (
        lambda ds: ds.assign(pr=ds.pr.expand_dims(lat=[40.0, 41.0])),
        "own.nc: pr has dimensions that are not understood\n"
        "    found    lat\n"
        "    allowed  time, scenario, member, river\n"
        "    hint     take the mean over the sea first, weighted with the area of the cells",
    ),
    "no time": (
        lambda ds: ds[["pr"]].isel(time=0, drop=True),
        "own.nc: there is no coordinate time\n"
        "    found    dimensions experiment, member\n"
        "    allowed  a dimension time with its coordinate, or year with whole numbers",
    ),
    "no names of scenarios": (
        lambda ds: ds.drop_vars("experiment"),
        "own.nc: the dimension experiment has no coordinate\n    allowed  names along experiment",
    ),
    "member twice": (
        lambda ds: ds.assign_coords(member=["r1", "r1"]),
        "own.nc: member 'r1' is there twice\n    found    r1, r1",
    ),
    "several variables": (
        lambda ds: ds.assign(prsn=ds.pr),
        "own.nc: there are several variables\n"
        "    found    pr, prsn\n"
        "    hint     name one of them by the key variable",
    ),
    "fill value": (
        lambda ds: ds.assign(pr=ds.pr.where(ds.time > 0, 1e20).where(ds.time < 64300, 1e20)),
        "own.nc  pr: the mean is not possible in kg m-2 s-1\n"
        "    found    3.026e+27 mm/yr\n"
        "    allowed  30 to 1500 mm/yr",
    ),
}


@pytest.mark.parametrize("case", NETCDF)
def test_a_netcdf_file_that_cannot_be_used_is_refused(tmp_path, case):
    how, expected = NETCDF[case]
    broken(tmp_path / "own.nc", how)
    assert message(tmp_path, precipitation={"file": str(tmp_path / "own.nc")}) == expected


def test_variable_that_is_not_there_is_named_with_those_that_are(tmp_path):
    broken(tmp_path / "own.nc", lambda ds: ds.assign(prsn=ds.pr))
    path = str(tmp_path / "own.nc")
    assert bank("precipitation", {"file": path, "variable": "pr"}).annual.shape == (1, 2, 4)
    assert message(tmp_path, precipitation={"file": path, "variable": "precip"}) == (
        "own.nc: there is no variable precip\n    found    pr, prsn"
    )


def test_files_of_another_kind_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    (tmp_path / "b.nc").write_bytes(b"CDF\x01")
    (tmp_path / "c.csv").write_bytes(b"year,e\n2026,\xff\n")
    assert message(tmp_path, evaporation={"file": str(tmp_path / "a.xlsx")}) == (
        "a.xlsx: the ending does not say what kind of file this is\n"
        "    found    .xlsx\n"
        "    allowed  .csv, .txt for CSV, .nc, .nc4, .h5 for NetCDF"
    )
    assert message(tmp_path, evaporation={"file": str(tmp_path / "b.nc")}).startswith(
        "b.nc: not a NetCDF-4 file that can be read\n    found    "
    )
    assert (
        message(tmp_path, evaporation={"file": str(tmp_path / "c.csv")})
        == "c.csv: the file is not text in UTF-8"
    )


def test_all_rivers_of_the_model_can_be_given(tmp_path):
    cmip6(
        tmp_path / "q.nc",
        "q",
        [7000.0, 300, 300, 150, 60, 500, 200, 100],
        "m3/s",
        rivers=RIVERS,
        members=None,
    )
    (found,) = read(river_inflow={"file": str(tmp_path / "q.nc")})
    assert tuple(found.banks) == RIVERS
    assert found.members == ()


WHOLE = (
    MM
    + "scenario,member,year,month,e_mm_per_yr\n"
    + "".join(f"ssp245,a,{year},{month},{900 + month}\n" for year in YEARS for month in range(1, 13))
)
PIECES = [*',;#"\0ü-0 \n', "", "inf", "-inf", "nan", "1e400", "2026", "year", "_mm"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 150), length=st.integers(0, 12), piece=st.sampled_from(PIECES))
def test_a_spoilt_table_is_read_or_refused_and_never_ends_in_a_traceback(tmp_path, place, length, piece):
    path = tmp_path / "e.csv"
    path.write_text(WHOLE[:place] + piece + WHOLE[place + length :], encoding="utf-8")
    with contextlib.suppress(DataError):
        read(evaporation={"file": str(path)})
