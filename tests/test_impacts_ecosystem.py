"""Ecosystem and people: thresholds, the level that falls are counted from, the northern basin, the strait."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from impact_runs import falling_run, run_with_levels
from numpy.testing import assert_allclose

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.errors import DataError
from caspian_sim.impacts.ecosystem import BAY, ecosystem_outcomes, share_lost, thresholds
from caspian_sim.impacts.northern_basin import areas_on_the_grid, dry_share_table, northern_dry_share

TABLE = {threshold.id: threshold for threshold in thresholds()}


def level(*values):
    return xr.DataArray(np.array(values, dtype=float), dims="year")


def test_falls_are_counted_from_28_metres_which_is_marked_as_an_assumption():
    for threshold in thresholds():
        assert threshold.reference[0] == -28.0
        assert threshold.reference_grade == "D"
        assert threshold.reference[1] < threshold.reference[0] < threshold.reference[2]
    assert TABLE["seal-ice"].levels[0] == -33.0
    assert TABLE["protected-areas"].levels[0] == -38.0


def test_lower_end_of_the_reference_is_the_level_observed_in_2024():
    assert TABLE["seal-ice"].reference[1] == data.load("sea_level_annual").level.sel(year=2024)


def test_upper_end_of_the_reference_has_the_area_that_the_press_gives_for_the_sea_of_the_paper():
    assert_allclose(load_hypsometry().area(TABLE["seal-ice"].reference[2]), 387_000.0, rtol=0.002)


def test_impact_without_a_fall_is_no_threshold():
    assert "coastal-population" not in TABLE
    assert [threshold.drop for threshold in thresholds()] == sorted(t.drop for t in thresholds())


def test_chance_is_the_share_of_members_below_the_threshold_in_the_year():
    ds = run_with_levels([[-32.9, -33.1, -32.9], [-33.1, -33.1, -32.9]])
    found = ecosystem_outcomes(ds).sel(impact="seal-ice").squeeze(["scenario", "programme"])
    assert_allclose(found.below.sel(reference="central"), [0.5, 1.0, 0.0])
    assert_allclose(found.below_by, [0.5, 1.0, 1.0])
    assert float(found.first_year) == 2026.0


def test_reference_moves_the_threshold_as_far_as_it_moves_itself():
    ds = run_with_levels([[-32.5], [-33.5], [-34.5]])
    found = ecosystem_outcomes(ds).below.sel(impact="seal-ice").squeeze()
    # thresholds -33, -34.05 and -32.4 m
    assert_allclose(found.sel(reference=["central", "low", "high"]), [2 / 3, 1 / 3, 1.0])


def test_bay_is_cut_off_below_the_sill_of_each_member():
    ds = run_with_levels([[-31.5, -32.5], [-31.5, -32.5]], sill=np.array([-32.0, -33.0]))
    found = ecosystem_outcomes(ds).sel(impact=BAY, reference="central").squeeze()
    assert_allclose(found.below, [0.0, 0.5])
    assert str(found.impact_grade.item()) == "D"
    assert np.isnan(found.threshold_level)
    assert bool(found.share_lost.isnull().all())


def test_straight_line_begins_at_no_loss_and_ends_at_the_known_one():
    seals = TABLE["seal-ice"]
    assert_allclose(share_lost(level(-27.0, -28.0, -30.5, -33.0, -40.0), seals), [0, 0, 0.405, 0.81, 0.81])
    found = ecosystem_outcomes(falling_run())
    grades = {name: str(found.curve_grade.sel(impact=name).item()) for name in found.impact.values}
    assert {name for name, grade in grades.items() if grade == "D"} == {
        "seal-ice",
        "sturgeon",
        "protected-areas",
    }


def test_no_curve_is_made_up_where_a_source_gives_none():
    assert bool(share_lost(level(-30.0, -45.0), TABLE["bay-and-shelf"]).isnull().all())


# ---- northern basin ------------------------------------------------------------------------------


def test_northern_basin_is_whole_at_28_metres_and_gone_where_its_bed_ends():
    assert_allclose(northern_dry_share(level(-20.0, -28.0, -60.0, -100.0)), [0.0, 0.0, 1.0, 1.0])


@given(st.floats(-60, -25), st.floats(0, 10))
def test_northern_basin_never_gains_water_as_the_sea_falls(height, fall):
    before, after = northern_dry_share(level(height, height - fall)).values
    assert 0.0 <= before <= after <= 1.0


def test_northern_basin_is_as_shallow_as_published():
    # 68 % of it is less than 5 m deep at gauge zero (Soviet morphometry, grade C).
    assert_allclose(northern_dry_share(level(-33.0)), [0.68], atol=0.04)


def test_northern_basin_has_about_its_published_area_on_the_grid():
    sea, north = areas_on_the_grid(np.array([-28.0]))
    assert_allclose(north, data.impact_fact("northern_basin_area").value, rtol=0.03)
    assert_allclose(sea, load_hypsometry().area(np.array([-28.0])), rtol=0.03)


def test_what_the_northern_basin_loses_is_part_of_what_the_sea_loses():
    levels, share = dry_share_table()
    curve = load_hypsometry().area(levels)
    lost = curve[-1] - curve
    north = share * data.impact_fact("northern_basin_area").value
    assert bool((north[lost > 20_000.0] <= lost[lost > 20_000.0]).all())


def test_dry_share_of_the_members_is_that_of_their_levels():
    ds = falling_run()
    found = ecosystem_outcomes(ds).share_lost.sel(impact="northern-basin", quantile=0.5)
    median = ds.sea_level.median("member").values
    assert_allclose(found, northern_dry_share(xr.DataArray(median)).values, atol=1e-9)


# ---- dataset -------------------------------------------------------------------------------------


def test_chances_grow_in_a_sea_that_only_falls_and_deeper_thresholds_are_rarer():
    found = ecosystem_outcomes(falling_run())
    below = found.below.sel(reference="central")
    assert bool((below.diff("year") >= 0.0).all())
    assert_allclose(below, found.below_by)
    by_depth = below.sel(impact=["seal-ice", "northern-basin", "bay-and-shelf", "protected-areas"])
    assert bool((by_depth.diff("impact") <= 0.0).all())


def test_every_threshold_keeps_its_source_and_grades():
    found = ecosystem_outcomes(falling_run())
    rows = data.load("thresholds")
    for name in found.impact.values:
        if name != BAY:
            assert str(found.impact_source.sel(impact=name).item()) == str(
                rows.source.sel(impact=name).item()
            )
            assert str(found.impact_grade.sel(impact=name).item()) == str(rows.grade.sel(impact=name).item())


def test_missing_parameters_are_named():
    with pytest.raises(DataError) as caught:
        ecosystem_outcomes(falling_run().drop_vars("parameters"))
    assert str(caught.value) == (
        "the chance of losses cannot be reckoned: variable 'parameters' is missing\n"
        "    found    sea_level\n"
        "    needed   sea_level, time_bnds, parameters, parameter_grade"
    )
