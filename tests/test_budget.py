"""Four ways to solve the balance: against algebra, each other and the record, and their messages."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from basins import caspian, kinked, square, trough
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import cli, data
from caspian_sim.basin.rivers import month_fractions
from caspian_sim.errors import DataError, OutOfRangeError, SolverError
from caspian_sim.evaluate.balance_table import COLUMNS
from caspian_sim.evaluate.closure import close_balance
from caspian_sim.outputs.balances import balance_frame

UNKNOWNS = ("level", "net_evaporation", "strait_outflow", "closure")
# The square sea: a metre is 400 km³, and 1000 mm/yr are 400 km³/yr.
AREA = 400_000.0


def annual(years=3, first=2001, **columns):
    """Table with the same values in every year, or a value for each."""
    return pd.DataFrame(
        {
            "year": np.arange(first, first + years),
            **{name: np.resize(v, years) for name, v in columns.items()},
        }
    )


def terms(years=3, inflow=300.0, groundwater=0.0, net=700.0, strait=10.0, level=None, first=2001):
    table = annual(
        years,
        first,
        inflow_km3_per_yr=inflow,
        groundwater_km3_per_yr=groundwater,
        net_evaporation_mm_per_yr=net,
        strait_outflow_km3_per_yr=strait,
    )
    return table if level is None else table.assign(level_end_m_bhs=level)


# ---- algebra -----------------------------------------------------------------------------------


def test_square_sea_rises_by_its_surplus_over_its_area():
    found = cs.solve_balance(terms(), "level", start_level=-28.0, curve=square())
    # 300 less 280 less 10 km³/yr over 400 km³ a metre.
    assert_allclose(found.level_end, -28.0 + 0.025 * np.arange(1, 4), atol=1e-12)
    assert_allclose(found.level_mean, -28.0 + 0.025 * (np.arange(3) + 0.5), atol=1e-12)
    assert_allclose(found.storage, 10.0, rtol=1e-11)
    assert_allclose(found.closure_error, 0.0, atol=1e-9)


@pytest.mark.parametrize("curve", [square, trough, kinked, caspian])
def test_sea_without_inflow_falls_by_its_net_evaporation_whatever_its_shape(curve):
    table = terms(inflow=0.0, strait=0.0, net=[500.0, 800.0, 1100.0])
    found = cs.solve_balance(table, "level", start_level=-28.0, curve=curve())
    assert_allclose(found.level_end, [-28.5, -29.3, -30.4], atol=1e-7)
    levels = terms(inflow=0.0, strait=0.0, net=np.nan, level=[-28.5, -29.3, -30.4])
    back = cs.solve_balance(levels, "net_evaporation", start_level=-28.0, curve=curve())
    # The steps of the solver straddle the kinks of the curve.
    assert_allclose(back.net_evaporation, [500.0, 800.0, 1100.0], atol=1e-3)


def test_what_the_sea_lost_and_did_not_evaporate_went_to_the_bay():
    table = terms(strait=np.nan, level=-28.0 + np.array([0.05, 0.05, -0.05]))
    found = cs.solve_balance(table, "strait_outflow", start_level=-28.0, curve=square())
    assert_allclose(found.strait_outflow, [0.0, 20.0, 60.0], atol=1e-9)


def test_closure_error_is_what_came_and_is_not_accounted_for():
    table = terms(level=-28.0 + np.array([0.05, 0.05, -0.05]))
    found = cs.solve_balance(table, "closure", start_level=-28.0, curve=square())
    assert_allclose(found.closure_error, [-10.0, 10.0, 50.0], atol=1e-9)


def test_months_are_as_long_as_they_are_and_their_fluxes_rates_per_year():
    length = month_fractions(np.array([2000]))[0]
    inflow = 280.0 + 120.0 * np.arange(12)
    table = pd.DataFrame(
        {
            "year": 2000,
            "month": np.arange(1, 13),
            "inflow_km3_per_yr": inflow,
            "groundwater_km3_per_yr": 0.0,
            "net_evaporation_mm_per_yr": 700.0,
            "strait_outflow_km3_per_yr": 0.0,
        }
    )
    found = cs.solve_balance(table, "level", start_level=-28.0, curve=square())
    assert_allclose(found.level_end, -28.0 + np.cumsum(120.0 * np.arange(12) * length) / 400.0, atol=1e-12)
    assert_array_equal(found.month, np.arange(1, 13))
    assert str(found.time_bnds.values[1, 1])[:10] == "2000-03-01"


def test_rain_and_evaporation_stand_for_net_evaporation():
    table = terms().drop(columns="net_evaporation_mm_per_yr")
    table = table.assign(precipitation_mm_per_yr=200.0, evaporation_mm_per_yr=900.0)
    apart = cs.solve_balance(table, "level", start_level=-28.0, curve=trough())
    together = cs.solve_balance(terms(), "level", start_level=-28.0, curve=trough())
    assert_array_equal(apart.level_end, together.level_end)
    assert_array_equal(apart.precipitation, 200.0)
    assert_array_equal(apart.net_evaporation, 700.0)


def test_groundwater_is_that_of_its_prior_when_the_table_has_none():
    found = cs.solve_balance(
        terms().drop(columns="groundwater_km3_per_yr"), "level", start_level=-28.0, curve=square()
    )
    assert_array_equal(found.groundwater, data.parameters()["groundwater"].best)


def test_errors_of_the_terms_add_up_as_squares():
    sd = {"inflow": 3.0, "groundwater": 1.0, "strait_outflow": 2.0, "net_evaporation": 10.0, "level": 0.01}
    table = terms(level=-28.0)
    level = 0.01 * np.sqrt(2.0) * 400.0
    flux = {"inflow": 3.0, "groundwater": 1.0, "strait": 2.0, "net": 4.0, "level": level}

    def root(*names):
        return np.sqrt(sum(flux[name] ** 2 for name in names))

    def solved(unknown):
        return cs.solve_balance(table, unknown, start_level=-28.0, curve=square(), sd=sd)

    assert_allclose(solved("closure").closure_error_sd, root(*flux))
    assert_allclose(solved("strait_outflow").strait_outflow_sd, root("inflow", "groundwater", "net", "level"))
    assert_allclose(
        solved("net_evaporation").net_evaporation_sd,
        root("inflow", "groundwater", "strait", "level") / 400.0 * 1000.0,
    )


# ---- one against the other ---------------------------------------------------------------------

CURVES = {"trough": trough(), "kinked": kinked(), "caspian": caspian()}


@st.composite
def budgets(draw):
    """Table of all terms and a level to start from, by year or by month."""
    monthly = draw(st.booleans())
    count = 12 if monthly else draw(st.integers(1, 6))

    def column(low, high):
        return draw(st.lists(st.floats(low, high), min_size=count, max_size=count))

    when = (
        {"year": [2004] * 12, "month": list(range(1, 13))}
        if monthly
        else {"year": list(range(1950, 1950 + count))}
    )
    # Monthly rates swing as far as those of the Volga in May and of evaporation in September.
    table = pd.DataFrame(
        {
            **when,
            "inflow_km3_per_yr": column(100.0, 700.0),
            "groundwater_km3_per_yr": column(0.0, 6.0),
            "net_evaporation_mm_per_yr": column(-300.0, 2000.0),
            "strait_outflow_km3_per_yr": column(0.0, 25.0),
        }
    )
    return table, draw(st.floats(-30.5, -26.0)), draw(st.sampled_from(sorted(CURVES)))


@settings(max_examples=25, deadline=None)
@given(budgets())
def test_each_way_undoes_the_others(budget):
    table, start, name = budget
    curve = CURVES[name]
    level = cs.solve_balance(table, "level", start_level=start, curve=curve)
    for unknown in ("net_evaporation", "strait_outflow"):
        back = cs.solve_balance(level.drop_vars(unknown), unknown, curve=curve)
        assert_allclose(back[unknown], level[unknown], atol=1e-6)
        assert_allclose(back.level_mean, level.level_mean, atol=1e-10)
        again = cs.solve_balance(back, "level", curve=curve)
        assert_allclose(again.level_end, level.level_end, atol=1e-10)
    closed = cs.solve_balance(level, "closure", curve=curve)
    assert_allclose(closed.closure_error, 0.0, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(budgets(), st.floats(-80.0, 80.0))
def test_closure_error_is_the_flux_that_was_left_out(budget, missing):
    table, start, name = budget
    level = cs.solve_balance(table, "level", start_level=start, curve=CURVES[name])
    level["inflow"] += missing
    found = cs.solve_balance(level, "closure", curve=CURVES[name])
    assert_allclose(found.closure_error, missing, atol=1e-7)


def test_outflow_from_the_rating_is_held_constant_in_each_period_like_any_other_term():
    table = annual(30, 1975, inflow_km3_per_yr=290.0, net_evaporation_mm_per_yr=750.0)
    level = cs.solve_balance(table, "level", start_level=-28.5)
    assert level.attrs["strait"] == "outflow from the rating of the strait, best values of its parameters"
    given_back = cs.solve_balance(level, "closure")
    assert_allclose(given_back.closure_error, 0.0, atol=1e-7)
    rated_again = cs.solve_balance(level.drop_vars("strait_outflow"), "net_evaporation")
    # Under a level that runs straight from edge to edge the rating gives nearly the same.
    assert_allclose(rated_again.strait_outflow, level.strait_outflow, atol=0.1)


def test_rating_knows_the_dam_and_its_opening():
    table = annual(30, 1975, inflow_km3_per_yr=290.0, net_evaporation_mm_per_yr=750.0)
    outflow = cs.solve_balance(table, "level", start_level=-28.5).strait_outflow
    outflow = outflow.swap_dims(time="year")
    assert float(outflow.sel(year=1979)) > 5.0
    assert_array_equal(outflow.sel(year=slice(1981, 1983)), 0.0)
    assert_allclose(outflow.sel(year=slice(1985, 1991)), 1.8, rtol=1e-12)
    assert float(outflow.sel(year=1994)) > 20.0


# ---- levels at the edges and means -------------------------------------------------------------


def test_level_at_the_end_of_the_first_row_starts_the_second():
    table = terms(4, level=[-28.0, -28.1, -28.3, -28.2])
    found = cs.solve_balance(table, "closure", curve=square())
    assert_array_equal(found.year, [2002, 2003, 2004])
    assert float(found.start_level) == -28.0
    assert_allclose(found.storage, [-40.0, -80.0, 40.0], atol=1e-9)
    free = cs.solve_balance(table, "level", curve=square())
    assert float(free.start_level) == -28.0
    assert_array_equal(free.year, found.year)


def test_mean_levels_give_the_edges_in_the_middle_between_them():
    table = terms(4).assign(level_mean_m_bhs=[-28.0, -28.2, -28.3, -28.1])
    found = cs.solve_balance(table, "closure", curve=square())
    assert_array_equal(found.year, [2002, 2003])
    assert float(found.start_level) == pytest.approx(-28.1, abs=1e-12)
    assert_allclose(found.level_end, [-28.25, -28.2], atol=1e-12)
    assert "each result knows half of the next mean" in found.attrs["levels"]


def test_outer_rows_of_mean_levels_need_no_other_term():
    table = terms(4).assign(level_mean_m_bhs=[-28.0, -28.2, -28.3, -28.1])
    blank = table.copy()
    blank.loc[[0, 3], [c for c in table.columns if c.endswith("_per_yr")]] = np.nan
    full, sparse = (cs.solve_balance(t, "closure", curve=square()) for t in (table, blank))
    assert_array_equal(full.closure_error, sparse.closure_error)


def test_mean_of_a_year_changes_the_result_of_the_year_before_and_of_none_earlier():
    level = np.array([-28.0, -28.2, -28.3, -28.1, -28.0])
    other = level + np.array([0.0, 0.0, 0.0, 0.0, 0.2])
    one, two = (
        cs.solve_balance(terms(5).assign(level_mean_m_bhs=values), "closure", curve=square())
        for values in (level, other)
    )
    assert_allclose(one.closure_error - two.closure_error, [0.0, 0.0, 0.1 * 400.0], atol=1e-7)


def test_mean_levels_of_months_are_joined_from_middle_to_middle():
    months = pd.period_range("1999-12", "2001-01", freq="M")
    level = -28.0 + 0.01 * np.arange(14)
    table = pd.DataFrame(
        {
            "year": months.year,
            "month": months.month,
            "inflow_km3_per_yr": 280.0,
            "net_evaporation_mm_per_yr": 700.0,
            "strait_outflow_km3_per_yr": 0.0,
            "level_mean_m_bhs": level,
        }
    )
    found = cs.solve_balance(table, "closure", curve=square())
    assert found.sizes["time"] == 12
    # January is 31, February 2000 29 days: their edge is 15.5/30 of the way between the means.
    assert float(found.level_end[0]) == pytest.approx(-27.99 + 0.01 * 15.5 / 30.0, abs=1e-9)


def test_record_closes_with_the_net_evaporation_of_the_shipped_table():
    level = data.load("sea_level_annual")["level"].sel(year=slice(1936, 2023)).to_series()
    inflow = data.load("river_inflow_annual")["total_rivers"].to_series()
    table = pd.DataFrame({"inflow_km3_per_yr": inflow, "level_mean_m_bhs": level}).loc[1936:2023]
    found, closed = cs.solve_balance(table, "net_evaporation"), close_balance()
    assert_array_equal(found.year, closed.year)
    assert_allclose(found.storage, closed.storage, atol=1e-9)
    # Here the area follows the level from edge to edge, there it is that of the annual mean.
    assert_allclose(found.net_evaporation, closed.net_evaporation, atol=4.0)
    assert abs(float((found.net_evaporation - closed.net_evaporation).mean())) < 0.3
    assert_allclose(found.strait_outflow, closed.strait_outflow, atol=0.6)


# ---- the result --------------------------------------------------------------------------------


def test_result_says_what_was_solved_and_has_units():
    found = cs.solve_balance(terms(level=-28.0), "closure", start_level=-28.0, curve=square())
    assert found.attrs["unknown"] == "closure"
    assert found.attrs["title"] == "Water balance of the Caspian Sea solved for the closure error"
    units = {name: found[name].attrs["units"] for name in found.data_vars}
    assert units["strait_outflow"] == units["storage"] == units["closure_error"] == "km3 year-1"
    assert units["net_evaporation"] == "mm year-1"
    assert found.level_end.attrs["cell_methods"] == "time: point"
    assert found.level_end.attrs["datum"] == "Baltic Height System (BHS)"


def test_data_frame_may_have_its_years_as_index():
    table = terms(level=-28.0)
    one = cs.solve_balance(table, "closure", start_level=-28.0, curve=square())
    two = cs.solve_balance(table.set_index("year"), "closure", start_level=-28.0, curve=square())
    xr.testing.assert_equal(one, two)


def test_saved_balance_is_opened_and_solved_again(tmp_path):
    found = cs.solve_balance(terms(), "level", start_level=-28.0)
    cs.save(found, tmp_path / "balance.nc")
    again = cs.solve_balance(cs.open(tmp_path / "balance.nc"), "closure")
    assert_allclose(again.closure_error, 0.0, atol=1e-7)


# ---- messages ----------------------------------------------------------------------------------

HEADER = "year,inflow_km3_per_yr,net_evaporation_mm_per_yr,strait_outflow_km3_per_yr,level_end_m_bhs\n"
ROWS = "1990,,,,-27.5\n1991,310,700,1.8,-27.4\n1992,305,690,5,-27.3\n"
ALL_COLUMNS = (
    "year, month, inflow_km3_per_yr, groundwater_km3_per_yr, precipitation_mm_per_yr, "
    "evaporation_mm_per_yr, net_evaporation_mm_per_yr, strait_outflow_km3_per_yr, level_end_m_bhs, "
    "level_mean_m_bhs"
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terms.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return tmp_path


WRONG = {
    "column": (
        HEADER.replace("inflow_km3", "inflow_km") + ROWS,
        f"terms.csv:1: unknown column\n    found    'inflow_km_per_yr'\n    allowed  {ALL_COLUMNS}\n"
        "    hint     did you mean 'inflow_km3_per_yr'?",
    ),
    "no year": (
        "inflow_km3_per_yr\n300\n",
        f"terms.csv:1: column 'year' is missing\n    found    inflow_km3_per_yr\n    allowed  {ALL_COLUMNS}",
    ),
    "text": (
        HEADER + ROWS.replace("305", "n/a"),
        "terms.csv:4  inflow_km3_per_yr: not a number\n    found    'n/a'\n    allowed  a number, or nothing",
    ),
    "infinite": (
        HEADER + ROWS.replace("305", "inf"),
        "terms.csv:4  inflow_km3_per_yr: not a number\n    found    'inf'\n    allowed  a number, or nothing",
    ),
    "year": (
        HEADER + ROWS.replace("1992", "1992.5"),
        "terms.csv:4  year: not a date\n    found    '1992.5'\n    allowed  a year, such as 1978",
    ),
    "gap": (
        "# a comment counts as a line\n" + HEADER + ROWS.replace("1992", "1993"),
        "terms.csv:5: the years do not follow each other\n    found    1993 after 1991\n    allowed  1992",
    ),
    "order": (
        HEADER + ROWS.replace("1992", "1991"),
        "terms.csv:4: the years do not follow each other\n    found    1991 after 1991\n    allowed  1992",
    ),
    "short": (
        HEADER + ROWS + "1993,300\n",
        "terms.csv:5: the row has the wrong length\n    found    2 values\n    allowed  5, as the header",
    ),
    "blank": (
        HEADER + ROWS.replace("305", ""),
        "terms.csv:4  inflow_km3_per_yr: no value\n    found    nothing in 1992\n    allowed  a number",
    ),
    "level": (
        HEADER + ROWS.replace("-27.4", "27.4"),
        "terms.csv:3  level_end_m_bhs: the level is outside the hypsometric curve\n"
        "    found    27.4 m BHS\n    allowed  -1025 to -20 m BHS",
    ),
    "rows": (
        HEADER + ROWS.splitlines()[0] + "\n",
        "terms.csv:1: the table has too few rows\n    found    1\n"
        "    allowed  2 or more: the first gives the level at the start",
    ),
    "empty": (HEADER, "terms.csv:1: the table has no rows\n    allowed  one row a year or a month"),
    "no level": (
        HEADER.replace(",level_end_m_bhs", "") + "1990,300,700,5\n",
        "terms.csv:1: the table has no level\n    allowed  a column level_end_m_bhs or level_mean_m_bhs",
    ),
    "no term": (
        "year,inflow_km3_per_yr,level_end_m_bhs\n1990,,-27.5\n1991,300,-27.4\n",
        "terms.csv:1: the balance cannot be solved for closure: a term is missing\n"
        "    found    inflow_km3_per_yr, level_end_m_bhs\n    needed   net_evaporation_mm_per_yr "
        "(or evaporation_mm_per_yr and precipitation_mm_per_yr)",
    ),
    "parts": (
        "year,inflow_km3_per_yr,net_evaporation_mm_per_yr,evaporation_mm_per_yr,precipitation_mm_per_yr,"
        "level_end_m_bhs\n1990,,,,,-27.5\n1991,300,700,950,200,-27.4\n",
        "terms.csv:3  net_evaporation_mm_per_yr: net evaporation is not evaporation less precipitation\n"
        "    found    700 mm/yr\n    allowed  750 mm/yr, or one of the two columns less",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_table_is_said_with_file_line_and_column(project, case):
    text, expected = WRONG[case]
    (project / "terms.csv").write_text(text, encoding="utf-8")
    answer = CliRunner().invoke(cli.main, ["balance", "terms.csv", "--unknown", "closure"])
    assert answer.exit_code == 2
    assert answer.output == expected + "\n"


def refusal(*arguments, **options):
    with pytest.raises((DataError, OutOfRangeError)) as error:
        cs.solve_balance(*arguments, **options)
    return str(error.value)


def test_column_that_stands_twice_is_refused(project):
    (project / "terms.csv").write_text("year,inflow_km3_per_yr,inflow_km3_per_yr\n1990,1,2\n")
    assert refusal("terms.csv", "closure") == (
        "terms.csv:1: the column stands twice\n    found    'inflow_km3_per_yr'"
    )


def test_many_problems_are_listed_up_to_ten(project):
    rows = "".join(f"{year},x,700,5,-27\n" for year in range(1950, 1970))
    (project / "terms.csv").write_text(HEADER + rows)
    message = refusal("terms.csv", "closure")
    assert message.count("not a number") == 10
    assert message.endswith("\nand 10 more like these")


def test_month_that_is_missing_is_named(project):
    rows = [f"{2000 + m // 12},{m % 12 + 1},300,700,5,-27" for m in range(24)]
    header = HEADER.replace("year,", "year,month,")
    (project / "terms.csv").write_text(header + "\n".join(rows[:11] + rows[12:]))
    assert refusal("terms.csv", "closure") == (
        "terms.csv:13: the months do not follow each other\n    found    2001-01 after 2000-11\n"
        "    allowed  2000-12"
    )
    (project / "terms.csv").write_text(header + "\n".join(rows))
    assert refusal("terms.csv", "closure") == (
        "terms.csv:3: the months that are solved do not begin with a year\n    found    2000-02\n"
        "    allowed  month 1\n"
        "    hint     with level_end the first row, with level_mean the first and the last row only carry a "
        "level: a December before, a January after"
    )


def test_messages_of_a_data_frame_name_the_row():
    assert refusal(terms(level=[-28.0, np.nan, -28.0]), "closure") == (
        "data frame, row 2  level_end_m_bhs: no value\n    found    nothing in 2002\n    allowed  a number"
    )


def test_unit_of_a_dataset_is_not_guessed():
    ds = xr.Dataset({"inflow": ("year", [300.0], {"units": "m3 s-1"})}, coords={"year": [2000]})
    assert refusal(ds, "level", start_level=-28.0) == (
        "dataset  inflow: the unit is not that of the balance\n    found    m3 s-1\n    allowed  km3 year-1"
    )


def test_what_cannot_be_solved_for_is_refused():
    assert refusal(terms(), "inflow") == (
        "the balance cannot be solved for 'inflow'\n"
        "    allowed  level, net_evaporation, strait_outflow, closure"
    )
    assert refusal(terms(), "level") == (
        "data frame: the table has no level\n    allowed  a column level_end_m_bhs or level_mean_m_bhs, or a "
        "level at the start (start_level, --start-level)"
    )
    assert refusal(terms(level=-28.0), "level", start_level=28.0) == (
        "the level at the start is outside the hypsometric curve\n    found    28 m BHS\n"
        "    allowed  -1025 to -20 m BHS"
    )
    means = terms(4).assign(level_mean_m_bhs=-28.0)
    assert refusal(means, "closure", start_level=-28.0) == (
        "data frame: a level at the start does not go with mean levels\n"
        "    found    -28 m BHS and a column level_mean_m_bhs\n"
        "    hint     mean levels give the level at the edges between the first row and the last"
    )


def test_standard_deviations_that_mean_nothing_are_refused():
    table = terms(level=-28.0)
    assert refusal(table, "closure", sd={"rain": 1.0}) == (
        "sd: 'rain' is wrong\n    found    1.0\n"
        "    allowed  0 or more for inflow, groundwater, net_evaporation, strait_outflow, level"
    )
    assert refusal(table, "level", sd={"inflow": 1.0}) == (
        "sd does not go with the unknown level, whose error grows from period to period\n"
        "    allowed  the unknown net_evaporation, strait_outflow, closure"
    )


def test_rating_of_the_strait_asks_for_the_bay_outside_the_record():
    table = terms(first=1800).drop(columns="strait_outflow_km3_per_yr")
    assert refusal(table, "level", start_level=-25.0) == (
        "the rating of the strait needs the level of Kara-Bogaz-Gol at the start\n"
        "    found    a table that starts in 1800\n"
        "    allowed  a start in 1923 to 2026, for which the record of the sea gives it; bay_level "
        "(--bay-level) in m BHS; or a column strait_outflow_km3_per_yr"
    )
    low, high = (
        cs.solve_balance(table, "level", start_level=-25.0, bay_level=level) for level in (-32.0, -26.0)
    )
    assert float(low.strait_outflow[0]) > float(high.strait_outflow[0]) + 10.0
    assert "outside its shape" in refusal(table, "level", start_level=-25.0, bay_level=-50.0)


def test_sea_that_leaves_the_curve_is_an_error_of_the_solver():
    with pytest.raises(SolverError, match="the sea left the range of the hypsometric curve in 2001-"):
        cs.solve_balance(terms(inflow=1e5), "level", start_level=-28.0, curve=caspian())


def test_example_of_the_documentation_is_solved_all_four_ways(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "balance.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```\n(# Example.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "terms.csv").write_text(example, encoding="utf-8")
    for unknown in UNKNOWNS:
        found = cs.solve_balance(tmp_path / "terms.csv", unknown)
        assert_array_equal(found.year, [1990, 1991, 1992])
        assert float(found.start_level) == -27.75
        assert np.abs(found.closure_error).max() < (25.0 if unknown == "closure" else 1e-7)
    listed = {name for name in COLUMNS if f"`{name}`" in page}
    assert listed == set(COLUMNS)


# ---- the command -------------------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_command_prints_what_the_function_finds(project, unknown):
    answer = call("balance", "terms.csv", "--unknown", unknown.replace("_", "-"))
    assert answer.exit_code == 0, answer.output
    found = cs.solve_balance("terms.csv", unknown)
    assert found.attrs["title"] in answer.output
    row = next(line for line in answer.output.splitlines() if line.startswith("1992")).split()
    last = found.isel(time=-1)
    expected = [
        f"{float(last[name]) + 0.0:.{decimals}f}"
        for name, decimals in (
            ("inflow", 1),
            ("groundwater", 1),
            ("net_evaporation", 1),
            ("strait_outflow", 2),
            ("storage", 1),
        )
    ]
    assert row[1:6] == expected
    assert row[-1] == f"{float(last.level_end):.2f}"
    assert max(map(len, answer.output.splitlines())) <= 80


def test_command_writes_dataset_table_and_log(project):
    answer = call("balance", "terms.csv", "--unknown", "closure", "--output", "out")
    assert answer.exit_code == 0, answer.output
    assert sorted(p.name for p in (project / "out").iterdir()) == ["balance.csv", "balance.nc", "run.log"]
    found = cs.open("out")
    assert_array_equal(found.closure_error, cs.solve_balance("terms.csv", "closure").closure_error)
    assert pd.read_csv("out/balance.csv", comment="#").equals(balance_frame(found))
    assert call("show", "out").output.strip() in answer.output
    assert (
        "there are results already"
        in call("balance", "terms.csv", "--unknown", "closure", "--output", "out").output
    )
    quiet = call("balance", "terms.csv", "--unknown", "closure", "--output", "out", "--overwrite", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_table_that_was_written_is_read_again(project):
    assert call("balance", "terms.csv", "--unknown", "net-evaporation", "--output", "out").exit_code == 0
    again = cs.solve_balance("out/balance.csv", "closure", start_level=-27.5)
    assert_array_equal(again.year, [1991, 1992])
    # Net evaporation is written to 0.001 mm/yr, 0.0004 km³/yr, the level to a tenth of a millimetre.
    assert_allclose(again.closure_error, 0.0, atol=0.05)


def test_long_tables_are_shown_by_decade_and_month_tables_by_year(project):
    table = terms(70, first=1941, net=725.0)
    table.to_csv("long.csv", index=False)
    answer = call("balance", "long.csv", "--unknown", "level", "--start-level", "-28")
    starts = [line.split()[0] for line in answer.output.splitlines() if line[:1] in "12a"]
    assert starts == ["1940s", "1950s", "1960s", "1970s", "1980s", "1990s", "2000s", "2010s", "all"]


def test_start_level_and_bay_level_reach_the_function(project):
    table = terms(first=1850).drop(columns="strait_outflow_km3_per_yr")
    table.to_csv("old.csv", index=False)
    answer = call("balance", "old.csv", "--unknown", "level", "--start-level", "-25.5", "--bay-level", "-26")
    found = cs.solve_balance(table, "level", start_level=-25.5, bay_level=-26.0)
    assert f"{float(found.level_end[0]):.2f}" in answer.output
    assert "outflow from the rating of the strait" in answer.output
