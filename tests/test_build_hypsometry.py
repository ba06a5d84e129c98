"""The shipped hypsometry follows from the shipped bathymetry, and each step of the builder from algebra."""

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "caspian_sim" / "data" / "tables" / "hypsometry.nc"

spec = importlib.util.spec_from_file_location("build_hypsometry", ROOT / "tools" / "build_hypsometry.py")
builder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(builder)


@pytest.fixture(scope="module")
def shipped():
    return xr.load_dataset(SHIPPED, engine="h5netcdf")


@pytest.fixture(scope="module")
def grid(shipped):
    """What the builder reads: bed elevation, latitude, longitude."""
    bed = shipped["bed_elevation"].to_numpy().astype(np.int64)
    return bed, shipped["lat"].to_numpy(), shipped["lon"].to_numpy()


@pytest.fixture(scope="module")
def rebuilt(grid):
    return builder.build(*grid)


def test_shipped_curve_is_rebuilt_from_the_shipped_bathymetry(shipped, rebuilt):
    assert set(rebuilt.variables) == set(shipped.variables)
    for name in rebuilt.variables:
        assert_allclose(rebuilt[name], shipped[name], rtol=1e-13, err_msg=name)


def test_shipped_file_is_small_and_says_where_it_comes_from(shipped):
    assert SHIPPED.stat().st_size < 300_000
    assert shipped.attrs["Conventions"] == "CF-1.11"
    assert "ETOPO1" in shipped.attrs["source"]
    assert shipped.attrs["license"] == "ETOPO1 is in the public domain"
    assert "Baltic Height System" in shipped["level"].attrs["datum"]
    assert shipped["area_uncertainty"].attrs["grade"] == "D"
    assert all("units" in shipped[name].attrs for name in shipped.variables if name != "water_mask")


def test_builder_reads_the_grid_from_a_wheel_and_writes_the_same_bytes(grid, rebuilt, tmp_path, capsys):
    bed, latitude, longitude = grid
    etopo = xr.Dataset(
        {"z": (("lat", "lon"), bed.astype(np.float32))},
        coords={"lat": latitude + 1e-12, "lon": longitude},
    )
    etopo.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    with zipfile.ZipFile(tmp_path / "grid.whl", "w") as wheel:
        wheel.write(tmp_path / "grid.nc", builder.GRID_IN_WHEEL)
    for source in ("grid.nc", "grid.whl"):
        builder.main([str(tmp_path / source), "--output", str(tmp_path / "out" / f"{source}.built")])
    built = [(tmp_path / "out" / f"{source}.built").read_bytes() for source in ("grid.nc", "grid.whl")]
    assert built[0] == built[1]
    again = xr.load_dataset(tmp_path / "out" / "grid.whl.built", engine="h5netcdf")
    assert_array_equal(again["area"], rebuilt["area"])
    assert "raw volume below -28 m: 71520 km³" in capsys.readouterr().out


def test_cells_of_all_latitudes_cover_the_earth():
    latitude = np.arange(-899, 900, 1) / 10.0
    whole = np.concatenate([[-89.975], latitude, [89.975]])
    assert whole.size == 1801
    # The polar caps of half a cell are left out; they hold 2 x 97 km².
    assert_allclose(3600 * builder.cell_areas(latitude).sum(), 510_065_622.0 - 2 * 97.7, rtol=2e-7)


def test_water_joins_a_hollow_at_the_height_of_its_lowest_sill():
    bed = np.array([[-50, -30, -45, -10, -40], [0, -20, 0, -10, -15], [0, 0, 0, 5, 5]])
    join = builder.join_levels(bed, np.zeros(bed.shape, dtype=bool))
    assert_array_equal(join[0], [-50, -30, -30, -10, -10])
    assert_array_equal(join[1], [0, -20, 0, -10, -10])


def test_water_does_not_run_across_corners():
    bed = np.array([[-150, 3], [4, -132]])
    assert_array_equal(builder.join_levels(bed, np.zeros((2, 2), dtype=bool)), [[-150, 3], [4, 3]])


def test_water_does_not_pass_a_bar():
    bed = np.array([[-50, -45, -40]])
    assert_array_equal(builder.join_levels(bed, np.array([[False, True, False]])), [[-50, np.inf, np.inf]])


def test_hollow_of_the_sea_bed_keeps_its_depth_and_hollow_behind_a_dry_sill_waits():
    bed = np.array([[-50, -30, -45, -24, -60]])
    join = np.array([[-50.0, -30.0, -30.0, -24.0, -24.0]])
    assert_array_equal(builder.flooding_levels(bed, join), [[-50, -30, -45, -24, -24]])


def test_each_cell_floods_evenly_over_one_metre():
    flooding = np.array([[-30.0, -29.0], [np.inf, -29.0]])
    area = builder.area_below(flooding, np.array([10.0, 4.0]), np.array([-31.0, -30.25, -29.5, -28.9, -20.0]))
    assert_allclose(area, [0.0, 2.5, 10.0, 10.0 + 0.6 * 14.0, 24.0])


def test_tied_curve_meets_the_published_pairs_and_leaves_the_rest(rebuilt):
    level, area, raw = (rebuilt[name].to_numpy() for name in ("level", "area", "raw_area"))
    for published_level, published_area in builder.PUBLISHED:
        assert_allclose(area[level == published_level], [published_area], rtol=1e-14)
    untouched = (level <= -36.0) | (level >= -25.0)
    assert_array_equal(area[untouched], raw[untouched])
    between = (level > -29.2) & (level < -27.07)
    assert_allclose(np.diff(area[between], 2)[:-1], 0.0, atol=1e-6)
    assert np.all(np.diff(area) >= 0.0)


def test_difference_from_the_published_areas_never_grows_as_it_fades(rebuilt):
    level = rebuilt["level"].to_numpy()
    difference = (rebuilt["area"] - rebuilt["raw_area"]).to_numpy()
    below = difference[(level >= -40.0) & (level <= -29.2)]
    above = difference[level >= -27.07]
    assert np.all(np.diff(below) >= -1e-6)
    assert_allclose(below[-1], 5011.0, atol=1.0)
    assert np.all(np.diff(above) >= -1e-6)
    assert_allclose(above[0], -14_604.0, atol=1.0)


def test_mask_tells_the_sea_from_its_bay(shipped):
    at = shipped["water_mask"].sel(
        lat=xr.DataArray([38.5, 42.0, 46.0, 41.5, 43.4, 40.0], dims="place"),
        lon=xr.DataArray([51.5, 50.5, 50.5, 53.5, 51.8, 47.0], dims="place"),
        method="nearest",
    )
    # South, Middle and North Caspian; the bay; the Karagiye depression (-132 m), dry; the Kura lowland.
    assert_array_equal(at, [1, 1, 1, 2, 0, 0])


def test_bay_has_about_its_published_area(shipped):
    cell = np.broadcast_to(
        builder.cell_areas(shipped["lat"].to_numpy())[:, None], shipped["water_mask"].shape
    )
    # 18,000 km² when full: Kosarev and Kostianoy, doi:10.1007/s10498-008-9054-z; its bar comes on top.
    assert_allclose(cell[shipped["water_mask"] == 2].sum(), 18_000.0, rtol=0.15)


def test_no_water_reaches_the_edge_of_the_region_below_the_top_of_the_curve(grid):
    bed, latitude, longitude = grid
    join = builder.join_levels(bed, builder.bay_cells(latitude, longitude))
    edge = np.concatenate([join[0], join[-1], join[:, 0], join[:, -1]])
    assert edge.min() > -20.0 + builder.HALF_STEP


def test_north_caspian_is_as_shallow_as_published(grid):
    # North of Chechen Island (47.7 E, 43.98 N) - Cape Tyub-Karagan (50.27 E, 44.65 N): 91,942 km² at gauge
    # zero, 68 % of it less than 5 m deep (Atlas of Caspian Sea Hydromorphology; Soviet morphometry).
    bed, latitude, longitude = grid
    flooding = builder.flooding_levels(bed, builder.join_levels(bed, builder.bay_cells(latitude, longitude)))
    line = 43.98 + (longitude - 47.7) * (44.65 - 43.98) / (50.27 - 47.7)
    north = np.where(latitude[:, None] > line, flooding, np.inf)
    at_zero, five_below = builder.area_below(north, builder.cell_areas(latitude), np.array([-28.0, -33.0]))
    assert_allclose(at_zero, 91_942.0, rtol=0.03)
    assert_allclose(1.0 - five_below / at_zero, 0.68, atol=0.06)
