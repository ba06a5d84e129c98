"""The sea by state: sums, falls, and the shore that encloses the area of the curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.sectors import REFINEMENT, SHORE_REACH, Bed, Sectors, load_bed, load_sectors
from caspian_sim.errors import OutOfRangeError

SECTORS, CURVE = load_sectors(), load_hypsometry()
LEVELS = st.floats(-60.0, -20.0)


@given(st.floats(-1025.0, -20.0))
def test_states_add_up_to_the_whole_sea_at_every_level(level):
    assert_allclose(SECTORS.area(level).sum(), CURVE.area(level), rtol=1e-12)


@given(LEVELS, LEVELS)
def test_no_state_gains_seabed_when_the_level_rises(one, other):
    low, high = sorted([one, other])
    assert np.all(SECTORS.area(low) <= SECTORS.area(high) + 1e-9)


@given(LEVELS, LEVELS)
def test_exposed_seabed_is_the_area_lost_and_zero_at_the_reference(level, reference):
    assert_allclose(
        SECTORS.exposed(level, reference).sum(), CURVE.area(reference) - CURVE.area(level), atol=1e-6
    )
    assert_allclose(SECTORS.exposed(reference, reference), 0.0, atol=1e-9)


def test_the_sectors_of_a_funnel_and_a_box_follow_from_algebra():
    # One state has a box of 10 km², the other a shore that retreats by 2 km² each metre.
    toy = Sectors(("A", "B"), np.array([-30.0, -20.0]), np.array([[10.0, 10.0], [0.0, 20.0]]))
    exposed = toy.exposed(np.array([[-27.0, -19.0], [-35.0, -22.0]]), reference=-22.0)
    assert exposed.shape == (2, 2, 2)
    assert_allclose(exposed, [[[0.0, 0.0], [0.0, 0.0]], [[10.0, -4.0], [16.0, 0.0]]])


def test_level_off_the_curve_is_refused():
    with pytest.raises(OutOfRangeError) as refused:
        SECTORS.area([-30.0, -19.0])
    assert str(refused.value) == (
        "sea level is outside the hypsometry by state\n"
        "    found    -19 m BHS\n"
        "    allowed  -1025 to -20 m BHS"
    )
    with pytest.raises(OutOfRangeError, match="found    nan m BHS"):
        SECTORS.exposed(np.nan, -29.0)


def test_the_northern_shelf_of_kazakhstan_and_russia_loses_most_at_a_fall_of_5_m():
    for reference in (-28.0, -29.2):
        lost = dict(zip(SECTORS.states, SECTORS.exposed(reference - 5.0, reference), strict=True))
        assert min(lost["KZ"], lost["RU"]) > max(lost["AZ"], lost["IR"], lost["TM"])
        assert lost["KZ"] + lost["RU"] > 0.75 * sum(lost.values())
        assert lost["IR"] == min(lost.values())  # a steep coast


def test_a_fall_of_10_m_from_the_zero_of_charts_lays_bare_about_what_is_published():
    # 112,000 km²: Court et al. (2025), Communications Earth & Environment.
    assert_allclose(SECTORS.exposed(-38.0, -28.0).sum(), 112_000.0, rtol=0.05)


def test_shares_of_the_states_are_about_those_that_are_quoted_for_median_lines():
    # Quoted ranges, per cent, with two points either way: they differ in islands, level and lines.
    quoted = {"AZ": (18, 21), "IR": (12, 14), "KZ": (27, 31), "RU": (16, 19), "TM": (18, 20)}
    area = SECTORS.area(-28.0)
    for state, share in zip(SECTORS.states, 100.0 * area / area.sum(), strict=True):
        low, high = quoted[state]
        assert low - 2.0 <= share <= high + 2.0, state


# --- the bed, and shores on it


def test_kara_bogaz_gol_is_not_part_of_the_bed():
    bed = load_bed()
    row, column = np.abs(bed.latitude - 41.5).argmin(), np.abs(bed.longitude - 53.5).argmin()
    assert np.isinf(bed.flooding[row, column])
    assert not np.any(np.isinf(bed.flooding[:, bed.longitude < 52.8]))


def test_dry_land_behind_a_sill_is_no_sea():
    bed = load_bed()
    row, column = np.abs(bed.latitude - 43.4).argmin(), np.abs(bed.longitude - 51.8).argmin()
    assert bed.flooding[row, column] > -28.0  # the Karagiye depression, whose floor lies at -132 m


@pytest.mark.parametrize("level", [-28.5, -29.2, -31.0, -33.0, -36.0, -40.0, -46.0])
def test_contour_of_the_shore_encloses_the_area_of_the_curve_in_every_sector(level):
    bed = load_bed()
    inside = bed.wet_area(bed.shore_height(CURVE.area(level)))
    assert_allclose(inside.sum(), CURVE.area(level), rtol=1e-3)
    assert_allclose(inside, SECTORS.area(level), rtol=0.01)


def valley(slope):
    """A bed that rises evenly from west to east, without states."""
    latitude, longitude = np.array([42.0, 42.1, 42.2]), np.round(50.0 + 0.1 * np.arange(11), 1)
    flooding = -40.0 + slope * np.broadcast_to(np.arange(11.0), (3, 11))
    return Bed(latitude, longitude, flooding, np.ones((1, 3, 11)))


def test_shore_on_a_gentle_slope_lies_between_the_cells():
    bed = valley(1.0)
    whole = bed.wet_area(0.0)
    # At -35.5 m the shore is at 4.5 cells from the first, whose western half-cell is wet as well: 5 of 11.
    assert_allclose(bed.wet_area(-35.5) / whole, 5.0 / 11.0, atol=0.5 / (11 * REFINEMENT))


def test_shore_on_a_steep_coast_lies_half_way_between_wet_and_dry():
    bed = valley(100.0)
    assert_allclose(bed.above(-35.0)[0, :3], [-SHORE_REACH, SHORE_REACH, SHORE_REACH])
    assert_allclose(bed.wet_area(-35.0) / bed.wet_area(2000.0), 1.0 / 11.0, rtol=1e-12)


def test_cells_of_the_bed_have_the_area_of_the_ellipsoid():
    # A trapezium of 0.1° around 42.1 °N, from the radii of curvature of WGS84.
    bed = valley(1.0)
    sine = np.sin(np.radians(42.1))
    radius = 6378.137 / np.sqrt(1.0 - 0.00669437999 * sine**2)
    across = radius * np.cos(np.radians(42.1)) * np.radians(1.1)
    along = 6378.137 * (1.0 - 0.00669437999) / (1.0 - 0.00669437999 * sine**2) ** 1.5 * np.radians(0.3)
    assert_allclose(bed.wet_area(0.0), across * along, rtol=2e-6)


def test_pools_of_one_or_two_cells_are_left_off_a_map():
    flooding = np.full((3, 7), -20.0)
    flooding[0, :3], flooding[2, :2], flooding[2, 4] = -40.0, -40.0, -40.0
    bed = Bed(np.arange(3.0), np.arange(7.0), flooding, np.ones((1, 3, 7)))
    assert ((bed.drawn(-30.0) < 0.0).sum(axis=1) == [3, 0, 0]).all()
