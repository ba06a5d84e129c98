"""Hypsometry against algebra, published facts and its own inverse."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim.basin.hypsometry import (
    REFERENCE_LEVEL,
    Hypsometry,
    constant_area,
    load_hypsometry,
    read_hypsometry_csv,
)
from caspian_sim.errors import DataError, OutOfRangeError

CASPIAN = load_hypsometry()
NODES = CASPIAN.node_level


@pytest.fixture
def funnel():
    """A cone-like basin: 1,000 km² more for every metre above its point at -40 m."""
    return Hypsometry(node_level=[-40.0, -30.0], node_area=[0.0, 10_000.0])


@pytest.fixture
def kinked():
    """Two slopes, with a vertical wall on top."""
    return Hypsometry(node_level=[-35.0, -30.0, -25.0, -20.0], node_area=[100.0, 200.0, 1200.0, 1200.0])


@pytest.fixture
def save(tmp_path):
    def _save(text):
        path = tmp_path / "basin.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return _save


# Algebra


def test_funnel_holds_half_of_the_box_around_it(funnel):
    depth = np.array([0.0, 2.0, 5.0, 10.0])
    assert_allclose(funnel.volume(-40.0 + depth), 1000.0 * depth**2 / 2 / 1000.0, rtol=1e-15)
    assert_allclose(funnel.area(-40.0 + depth), 1000.0 * depth, rtol=1e-15)
    assert_allclose(funnel.level(0.5 * depth**2), -40.0 + depth, rtol=1e-15)


def test_table_without_the_reference_level_is_anchored_at_its_floor(funnel):
    assert funnel.volume(-40.0) == 0.0
    assert funnel.reference_volume == 0.0


def test_volume_between_levels_is_the_sum_of_trapezoids_across_a_kink(kinked):
    assert_allclose(kinked.volume(-20.0) - kinked.volume(-35.0), 0.75 + 3.5 + 6.0, rtol=1e-12)
    assert_allclose(kinked.volume(-27.5) - kinked.volume(-32.5), (175 * 2.5 + 450 * 2.5) / 1000, rtol=1e-10)


def test_box_falls_in_a_straight_line():
    box = constant_area(-29.0, 380_000.0)
    assert_allclose(
        box.level(box.volume(-29.0) - 38.0 * np.arange(5)), -29.0 - 0.1 * np.arange(5), atol=1e-12
    )
    assert_array_equal(box.area([-89.0, -29.0, 31.0]), [380_000.0] * 3)
    assert box.volume(REFERENCE_LEVEL) == 78_200.0


@given(st.floats(NODES[0], NODES[-1]))
def test_level_is_the_exact_inverse_of_volume(level):
    assert abs(CASPIAN.level(CASPIAN.volume(level)) - level) < 1e-9


def test_level_is_the_exact_inverse_of_volume_at_and_beside_every_node():
    beside = np.concatenate([NODES, np.nextafter(NODES[1:], -np.inf), np.nextafter(NODES[:-1], np.inf)])
    assert_allclose(CASPIAN.level(CASPIAN.volume(beside)), beside, rtol=0, atol=1e-9)


@given(st.floats(-60.0, -20.5), st.floats(1e-3, 0.4))
def test_a_fall_of_the_sea_loses_the_mean_area_times_the_fall(level, fall):
    inside = [node for node in NODES.tolist() if level < node < level + fall]
    levels = np.concatenate([[level], inside, [level + fall]])
    area = CASPIAN.area(levels)
    expected = np.sum(0.5 * (area[1:] + area[:-1]) * np.diff(levels)) / 1000.0
    assert_allclose(CASPIAN.volume(level + fall) - CASPIAN.volume(level), expected, rtol=0, atol=1e-10)


def test_curve_keeps_the_shape_of_what_it_is_given():
    assert isinstance(CASPIAN.area(-28.0), float)
    assert isinstance(CASPIAN.volume(-28), float)
    assert isinstance(CASPIAN.level(78_000.0), float)
    assert CASPIAN.area(np.full((2, 3, 4), -28.0)).shape == (2, 3, 4)
    assert CASPIAN.level([]).shape == (0,)


# Facts


def test_caspian_has_its_published_areas():
    assert_allclose(CASPIAN.area([-27.07, -29.20]), [392_300.0, 355_700.0], rtol=1e-12)


def test_caspian_has_its_published_volume_at_gauge_zero():
    assert_allclose(CASPIAN.volume(-28.0), 78_200.0, rtol=1e-15)


def test_other_published_areas_are_met_within_the_stated_uncertainty():
    # 371,000 km² about -28.5 m and 422,000 km² in 1929 (-25.93 m): Great Soviet Encyclopedia; 378,394 km²:
    # sum of North, Middle and South in the Atlas of Caspian Sea Hydromorphology, level taken as gauge zero.
    level = np.array([-28.5, -25.93, -28.0])
    area = np.array([371_000.0, 422_000.0, 91_942.0 + 137_812.0 + 148_640.0])
    stated = np.interp(level, NODES, CASPIAN.area_uncertainty)
    assert np.all(abs(CASPIAN.area(level) / area - 1.0) < stated)


def test_fall_of_ten_metres_lays_bare_what_court_and_others_found():
    # 112,000 km² for a fall of 10 m: Court et al. (2025), doi:10.1038/s43247-025-02212-5.
    assert abs(CASPIAN.area(-28.0) - CASPIAN.area(-38.0) - 112_000.0) < 0.03 * 376_000.0


def test_curve_reaches_from_the_deepest_basin_to_20_m_below_ocean_level():
    assert (NODES[0], NODES[-1]) == (-1025.0, -20.0)


def test_uncertainty_of_area_is_largest_where_neither_chart_nor_shore_fixes_it():
    at = dict(zip(NODES.tolist(), CASPIAN.area_uncertainty.tolist(), strict=True))
    assert [at[-28.0], at[-30.0], at[-30.1], at[-36.0], at[-36.1]] == [0.03, 0.03, 0.05, 0.05, 0.03]


def test_shipped_curve_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        CASPIAN.node_area[0] = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        CASPIAN.name = "another sea"
    assert load_hypsometry() is CASPIAN


# Look-up table


@pytest.mark.parametrize("ends", [(-60.0, -20.0), (-1025.0, -20.0), (-29.2, -29.1), (-33.333, -27.0)])
def test_table_gives_level_and_area_of_the_curve(ends):
    table = CASPIAN.volume_table(*ends)
    volume = np.linspace(CASPIAN.volume(ends[0]), CASPIAN.volume(ends[1]), 20_001)
    level, area = table.level_and_area(volume - table.offset)
    assert_allclose(level, CASPIAN.level(volume), rtol=1e-12)
    assert_allclose(area, CASPIAN.area(CASPIAN.level(volume)), rtol=1e-12)


def test_table_is_right_at_and_beside_every_node():
    table = CASPIAN.volume_table(-1025.0, -20.0)
    nodes = table.node_volume
    for volume in (nodes, np.nextafter(nodes, -np.inf), np.nextafter(nodes, np.inf)):
        level, area = table.level_and_area(volume)
        assert_allclose(level, NODES, rtol=1e-12)
        assert_allclose(area, CASPIAN.node_area, rtol=1e-9)


def test_table_covers_the_range_in_whole_segments(kinked):
    table = kinked.volume_table(-29.0, -26.0)
    assert (table.lowest_level, table.highest_level) == (-30.0, -25.0)
    assert_allclose(table.highest_volume - table.lowest_volume, 3.5, rtol=1e-12)


def test_no_bin_of_the_table_is_wider_than_its_smallest_segment():
    table = CASPIAN.volume_table(-60.0, -20.0)
    assert 1.0 / table.bins_per_volume < np.diff(table.node_volume).min()
    assert table.guide.dtype == np.uint32
    for values in (table.node_level, table.node_area, table.node_volume, table.slope, table.next_volume):
        assert values.dtype == np.float64
        assert values.flags.c_contiguous


def test_anomaly_of_zero_is_gauge_zero_and_a_glass_of_water_is_not_lost():
    table = CASPIAN.volume_table(-60.0, -20.0)
    glass = 1e-13  # km³, 0.1 m³
    (level, higher), (area, _) = table.level_and_area(np.array([0.0, glass]))
    assert_allclose(level, REFERENCE_LEVEL, rtol=1e-14)
    assert table.offset == CASPIAN.reference_volume == 78_200.0
    assert table.node_volume[np.searchsorted(table.node_volume, 0.0)] == 0.0
    assert higher >= level
    assert_allclose(area, CASPIAN.area(REFERENCE_LEVEL), rtol=1e-14)


def test_table_extends_its_end_segments_and_never_leaves_them(kinked):
    table = kinked.volume_table(-35.0, -20.0)
    outside = np.array([table.lowest_volume - 0.01, table.highest_volume + 1.2, np.nan, 1e300])
    level, _ = table.level_and_area(outside)
    assert level[0] < -35.0
    assert_allclose(level[1], -19.0, rtol=1e-12)
    assert np.isnan(level[2])
    assert level[3] > 1e290


def test_table_writes_into_given_arrays(kinked):
    table = kinked.volume_table(-35.0, -20.0)
    volume = np.linspace(table.lowest_volume, table.highest_volume, 7)
    level, area = np.empty(7), np.empty(7)
    returned = table.level_and_area(volume, level, area)
    assert returned[0] is level
    assert returned[1] is area
    for given_back, expected in zip((level, area), table.level_and_area(volume), strict=True):
        assert_array_equal(given_back, expected)


@given(
    # Steps of at least 0.2 m over at least 50 km²: finer ones are refused, which has a test of its own.
    st.lists(st.tuples(st.floats(0.2, 20.0), st.floats(0.0, 5e4)), min_size=1, max_size=12),
    st.floats(0.0, 1.0),
)
def test_table_and_curve_agree_in_any_basin(segments, share):
    steps, gains = np.array(segments).T
    basin = Hypsometry(np.cumsum([-60.0, *steps]), np.cumsum([50.0, *gains]))
    table = basin.volume_table(basin.node_level[0], basin.node_level[-1])
    volume = basin.node_volume[0] + share * (basin.node_volume[-1] - basin.node_volume[0])
    level, area = table.level_and_area(np.array([volume - table.offset]))
    assert_allclose(level[0], basin.level(volume), rtol=0, atol=1e-7)
    assert_allclose(area[0], basin.area(basin.level(volume)), rtol=1e-7)


def test_constant_area_has_a_table_of_one_segment():
    table = constant_area(-29.0, 380_000.0).volume_table(-50.0, -20.0)
    level, area = table.level_and_area(np.array([-38.0, 0.0, 38.0]))
    assert_allclose(level, [-28.1, -28.0, -27.9], rtol=1e-13)
    assert_array_equal(area, [380_000.0] * 3)


# Messages


def message(error):
    return str(error.value)


def test_level_outside_the_curve_is_refused():
    with pytest.raises(OutOfRangeError) as error:
        CASPIAN.area(-19.9)
    assert message(error) == (
        "sea level is outside the hypsometry\n"
        "    found    -19.9 m BHS\n"
        "    allowed  -1025 to -20 m BHS"
    )  # fmt: skip


def test_the_worst_of_many_levels_is_named():
    with pytest.raises(OutOfRangeError) as error:
        CASPIAN.volume([-28.0, -1200.0, -3.0, -29.0])
    assert message(error) == (
        "sea level is outside the hypsometry\n"
        "    found    -1200 m BHS (2 of 4 values)\n"
        "    allowed  -1025 to -20 m BHS"
    )


def test_volume_outside_the_curve_is_refused(kinked):
    with pytest.raises(OutOfRangeError) as error:
        kinked.level(-5.0)
    lowest, highest = kinked.node_volume[0], kinked.node_volume[-1]
    assert message(error) == (
        "sea volume is outside the hypsometry\n"
        "    found    -5 km³\n"
        f"    allowed  {lowest:.10g} to {highest:.10g} km³"
    )


def test_missing_level_is_refused():
    with pytest.raises(OutOfRangeError) as error:
        CASPIAN.area(np.array([[-28.0, np.nan], [np.nan, -5.0]]))
    assert message(error) == (
        "sea level is not a number\n"
        "    found    nan (2 of 4 values)\n"
        "    allowed  -1025 to -20 m BHS"
    )  # fmt: skip


def test_table_of_an_empty_range_is_refused():
    with pytest.raises(OutOfRangeError) as error:
        CASPIAN.volume_table(-25.0, -30.0)
    assert message(error) == (
        "range of levels is empty\n"
        "    found    lowest_level -25, highest_level -30 m BHS\n"
        "    allowed  lowest_level below highest_level"
    )


def test_table_that_would_not_fit_in_memory_is_refused():
    basin = Hypsometry([-40.0, -30.0, -30.0 + 1e-9, -20.0], [1000.0, 1000.0, 1000.0, 1000.0], name="Comb")
    with pytest.raises(DataError) as error:
        basin.volume_table(-40.0, -20.0)
    assert message(error) == (
        "Comb: nodes are too uneven for a look-up table\n"
        f"    found    {np.diff(basin.node_volume).min():.3g} km³ in the smallest segment out of 20 km³\n"
        "    allowed  at least 5e-06 km³: thin out the nodes or narrow the range of levels"
    )


def test_nodes_that_make_no_curve_are_refused():
    with pytest.raises(DataError) as error:
        constant_area(-29.0, -5.0)
    assert message(error) == (
        "Basin of constant area: node 0  area_km2 is negative\n"
        "    found    -5 km²\n"
        "    allowed  0 km² or more"
    )  # fmt: skip


# Tables of one's own


def test_table_is_read_from_csv_in_any_order_of_columns(save):
    path = save("# a reservoir\n\narea_km2,level_m\r\n1000, -30\r\n# shoal\n3000,-26\n")
    basin = read_hypsometry_csv(path)
    assert_allclose(basin.area(-28.0), 2000.0)
    assert_allclose(basin.volume(-28.0), 78_200.0)
    assert basin.name == "Hypsometry from basin.csv"


def test_table_exported_by_a_spreadsheet_is_read(save):
    assert read_hypsometry_csv(save("\ufefflevel_m,area_km2\n-50,10\n-40,20\n")).volume(-40.0) == 0.15


BAD_TABLES = {
    "": ": hypsometry table is empty\n    allowed  the columns level_m, area_km2",
    "# nothing but a comment\n": ": hypsometry table is empty\n    allowed  the columns level_m, area_km2",
    "level_ft,area_km2\n-90,10\n-80,20\n": (
        ":1  columns of the hypsometry table are wrong\n"
        "    found    level_ft, area_km2\n"
        "    allowed  level_m, area_km2"
    ),
    "level_m,area_km2\n-30,10\n-29,wet\n": (
        ":3  area_km2 is not a number\n    found    'wet'\n    allowed  a number"
    ),
    "level_m,area_km2\n-30,10\n-29\n": (
        ":3  row of the hypsometry table has the wrong length\n"
        "    found    1 value(s)\n"
        "    allowed  2: level_m, area_km2"
    ),
    "level_m,area_km2\n-30,10\n# gap\nnan,20\n": (
        ":4  level_m is not a finite number\n    found    nan\n    allowed  a level in m BHS"
    ),
    "level_m,area_km2\n-30,10\n-29,inf\n": (
        ":3  area_km2 is not a finite number\n    found    inf\n    allowed  an area in km²"
    ),
    "level_m,area_km2\n-30,10\n-31,20\n": (
        ":3  level_m does not increase\n"
        "    found    -31 m BHS\n"
        "    allowed  above -30 m BHS, the level before it"
    ),
    "level_m,area_km2\n-30,-10\n-29,20\n": (
        ":2  area_km2 is negative\n    found    -10 km²\n    allowed  0 km² or more"
    ),
    "level_m,area_km2\n-30,10\n-29,8\n": (
        ":3  area_km2 decreases as the level rises\n"
        "    found    8 km²\n"
        "    allowed  10 km², the area before it, or more"
    ),
    "level_m,area_km2\n-30,0\n-29,0\n": (
        ":3  area_km2 is zero above the lowest level\n    found    0 km²\n    allowed  more than 0 km²"
    ),
    "level_m,area_km2\n-30,10\n": (
        "  hypsometry needs at least two rows\n"
        "    found    1 level(s), 1 area(s)\n"
        "    allowed  2 or more, as many of each"
    ),
    b"level_m,area_km2\n-30,10\n-29,20 # \xea\xec2\n": (
        ":3  hypsometry table is not UTF-8 text\n    found    byte 0xea\n    allowed  CSV in UTF-8"
    ),
}


@pytest.mark.parametrize(("content", "complaint"), BAD_TABLES.items())
def test_bad_table_is_refused_with_file_and_line(save, content, complaint):
    path = save(content)
    with pytest.raises(DataError) as error:
        read_hypsometry_csv(path)
    assert message(error) == f"{path}{complaint}"


def test_missing_table_is_refused(tmp_path):
    path = tmp_path / "none.csv"
    with pytest.raises(DataError) as error:
        read_hypsometry_csv(path)
    assert message(error) == f"{path}: hypsometry table does not exist"


def test_directory_in_place_of_a_table_is_refused(tmp_path):
    with pytest.raises(DataError) as error:
        read_hypsometry_csv(str(tmp_path))
    assert message(error) == f"{tmp_path}: hypsometry table is a directory\n    allowed  a CSV file"


# Display


def test_curve_introduces_itself():
    assert repr(CASPIAN) == (
        "<Hypsometry of the Caspian Sea: range -1025 to -20 m BHS, area at -28 m 376,320 km², "
        "volume at -28 m 78,200 km³, nodes 507>"
    )
    assert "<td>376,320 km²</td>" in CASPIAN._repr_html_()


def test_curve_below_gauge_zero_introduces_itself_at_its_top(funnel):
    assert repr(funnel) == (
        "<Hypsometry: range -40 to -30 m BHS, area at -30 m 10,000 km², volume at -30 m 50 km³, nodes 2>"
    )
