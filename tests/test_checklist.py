"""The checklist of the hindcast: statistics against algebra, verdicts at their limits, what is written."""

import io

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim import figures
from caspian_sim.errors import DataError
from caspian_sim.evaluate import checklist as module
from caspian_sim.evaluate.checklist import checklist
from caspian_sim.figures import check_number, check_target
from caspian_sim.outputs.scores import checks_csv

YEARS = np.arange(1937, 2023)


def made(level=None, bay_dry=1983.9, run="slow net evaporation"):
    """A hindcast of one run with simple numbers: as the record, and a bay as the facts have it."""
    observed = cs.data.load("sea_level_annual")["level"].sel(year=YEARS).values.astype(float)
    level = observed if level is None else level
    bay = np.interp(YEARS, [1937, 1974, 1992, 1995, 1996, 2022], [-33.0, -33.0, -34.0, -28.9, -28.5, -30.06])
    full = np.ones((1, len(YEARS)))
    error = level - observed
    return xr.Dataset(
        {
            "sea_level": (("run", "year"), level[None]),
            "observed_level": ("year", observed),
            "rmse": ("run", [np.sqrt((error**2).mean())]),
            "bias": ("run", [error.mean()]),
            "worst_error": ("run", [error[np.abs(error).argmax()]]),
            "strait_outflow": (("run", "year"), np.where(YEARS < 1980, 11.0, 18.0)[None]),
            "bay_level": (("run", "year"), bay[None]),
            "bay_area": (("run", "year"), 12_000.0 * full),
            "bay_dry": ("run", [bay_dry]),
            "budget_residual": (("run", "year"), -2e-9 * full),
        },
        coords={"run": [run], "year": YEARS},
        attrs={"title": "Made", "version": "0.0", "git_revision": "none", "created": "now"},
    )


def row(ds, check):
    return checklist(ds).set_index("check").loc[check]


def test_a_run_that_is_the_record_passes_what_the_record_itself_passes():
    table = checklist(made()).set_index("check")
    failed = set(table.index[~table["passes"]])
    assert failed == set()
    for check in ("rmse", "bias", "worst_error"):
        assert table.loc[check, "value"] == 0.0
    of_record = table[table["source"] == module.RECORD_SOURCE]
    assert len(of_record) == 7
    assert_allclose(of_record["value"], of_record["target"])
    assert table.loc["lowest_year", "value"] == 1977
    assert table.loc["highest_year", "value"] == 1995
    assert_allclose(table.loc["lowest_level", "value"], -29.0)
    assert_allclose(table.loc["fall_since_2020", "value"], 0.42)


def test_rates_are_least_squares_slopes_in_centimetres():
    level = -28.0 + 0.1274 * (YEARS - 1979.0)
    assert_allclose(row(made(level), "rate_1979_1995_published")["value"], 12.74)
    wavy = xr.DataArray(level + 0.3 * np.cos(YEARS), {"year": YEARS}, ("year",))
    chosen = slice(1996 - 1937, 2016 - 1937)
    expected = 100 * np.polyfit(YEARS[chosen], wavy.values[chosen], 1)[0]
    assert_allclose(module.trend(wavy, 1996, 2015), expected)


def test_history_of_the_bay_is_read_off_its_years():
    table = checklist(made()).set_index("check")
    assert_allclose(table.loc["bay_fill_rate", "value"], (34.0 - 28.9) / 3)
    assert_allclose(table.loc["bay_trend", "value"], -6.0)
    assert_allclose(table.loc["outflow_1972", "value"], 11.0)
    assert_allclose(table.loc["outflow_after_1992", "value"], 18.0)
    assert_allclose(table.loc["closure", "value"], 2e-9)


def test_a_value_passes_up_to_its_tolerance_and_a_missing_one_fails():
    for dry, passes in (
        (1984.39, True),
        (1984.41, False),
        (1983.41, True),
        (1983.39, False),
        (np.nan, False),
    ):
        assert row(made(bay_dry=dry), "bay_dry")["passes"] == passes


def test_thresholds_depend_on_the_run():
    observed = made()["observed_level"].values
    shifted = observed + np.where(np.arange(len(YEARS)) % 2, 0.1, -0.1)
    for run, passes in (
        ("inflow alone", True),
        ("slow net evaporation", True),
        ("full reconstruction", False),
    ):
        assert row(made(shifted, run=run), "rmse")["passes"] == passes


def test_a_run_without_thresholds_is_named():
    with pytest.raises(DataError) as error:
        checklist(made(run="guesswork"))
    assert str(error.value) == (
        "the run 'guesswork' of the hindcast has no thresholds\n"
        "    found    'guesswork'\n"
        "    allowed  inflow alone, slow net evaporation, full reconstruction\n"
        "    hint     add its rows to the table hindcast_checks"
    )


def test_table_of_checks_names_statistics_and_facts_that_exist_in_their_unit():
    table = cs.data.load("hindcast_checks").to_dataframe()
    assert set(table["statistic"]) == set(module.LEVEL_STATISTICS) | set(module.RUN_STATISTICS)
    assert not table.duplicated(["check", "run"]).any()
    assert (table["tolerance"] > 0.0).all()
    for check in table.itertuples():
        assert np.isnan(check.target) == bool(check.reference), check.check
        if check.reference not in ("", module.RECORD):
            fact = cs.data.fact(check.reference)
            assert fact.unit == check.unit, check.check
            if fact.low is not None:
                assert_allclose([fact.low, fact.high], fact.value + check.tolerance * np.array([-1, 1]))
        if check.reference == module.RECORD:
            assert check.statistic in module.LEVEL_STATISTICS


def test_tolerances_that_are_a_tenth_are_a_tenth():
    table = checklist(made())
    tenth = table[table["reason"].str.startswith("a tenth")]
    assert len(tenth) == 10
    assert_allclose(tenth["tolerance"], 0.1 * tenth["target"].abs(), rtol=0.02)


def test_the_hindcast_itself_fails_where_it_is_known_to():
    table = checklist(cs.hindcast())
    slow = table[table["run"] == "slow net evaporation"].set_index("check")["passes"]
    assert not slow[["rate_1996_2015_published", "bay_trend"]].any()
    assert slow[["rmse", "bias", "rate_1979_1995_record", "lowest_year", "highest_year", "closure"]].all()
    alone = table[table["run"] == "inflow alone"].set_index("check")["passes"]
    assert alone.sum() < slow.sum()


@pytest.mark.parametrize(
    ("value", "tolerance", "unit", "text"),
    [
        (0.5218, 0.5, "m", "0.52"),
        (0.07045, 0.03, "m", "0.070"),
        (13798.9, 1200.0, "km2", "13,799"),
        (1983.396, 0.5, "decimal year", "1983.40"),
        (1978.0, 1.0, "year", "1978"),
        (-28.695, 0.24, "m BHS", "−28.70"),
        (2.2e-13, 1e-6, "km3", "2e−13"),
        (0.0, 1e-6, "km3", "0"),
        (np.nan, 0.5, "decimal year", "never"),
    ],
)
def test_values_are_written_to_a_place_that_tells_them_from_their_tolerance(value, tolerance, unit, text):
    assert check_number(value, tolerance, unit) == text


def test_what_is_asked_for_has_its_tolerance_and_unit():
    assert check_target(12.74, 1.27, "cm/yr") == "12.74 ± 1.27 cm/yr"
    assert check_target(0.0, 0.5, "m") == "0 ± 0.50 m"
    assert check_target(1977.0, 1.0, "year") == "1977 ± 1"
    assert check_target(12000.0, 1200.0, "km2") == "12,000 ± 1,200 km²"


def test_csv_has_a_verdict_in_words_for_every_check():
    table = checklist(made())
    text = checks_csv(made())
    read = pd.read_csv(io.StringIO(text), comment="#")
    assert read["check"].tolist() == table["check"].tolist()
    assert read["passes"].tolist() == ["pass" if passes else "fail" for passes in table["passes"]]
    assert_allclose(read["value"], table["value"], rtol=1e-6)


@pytest.mark.parametrize("width", [16.0, 8.5])
def test_figure_says_pass_or_fail_and_marks_it_by_shape(width):
    ds = made(bay_dry=np.nan)
    figure = figures.checklist(ds, width_cm=width)
    words = [artist.get_text() for artist in figure.findobj(Text)]
    table = checklist(ds)
    verdicts = [word.split(",")[0] for word in words]
    assert verdicts.count("pass") == table["passes"].sum()
    assert verdicts.count("fail") == (~table["passes"]).sum() == 1
    assert "never" in words
    marks = [line.get_marker() for line in figure.axes[0].lines]
    assert marks.count("o") == table["passes"].sum()
    assert marks.count(">") == marks.count("<") == 0  # nothing lies beyond the scale
    assert marks.count("D") == 2  # the record against the two published rates


def test_a_hindcast_without_the_bay_cannot_be_drawn():
    with pytest.raises(DataError, match="figure 'checklist' cannot be drawn: variable 'bay_dry' is missing"):
        figures.checklist(made().drop_vars("bay_dry"))
