"""The shipped sectors follow from shipped bed and coasts, and each step of their builder from algebra."""

import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "caspian_sim" / "data" / "tables"

sys.path.insert(0, str(ROOT / "tools"))
spec = importlib.util.spec_from_file_location("build_sectors", ROOT / "tools" / "build_sectors.py")
builder = importlib.util.module_from_spec(spec)
sys.modules["build_sectors"] = builder
spec.loader.exec_module(builder)


def opened(name):
    return xr.load_dataset(TABLES / f"{name}.nc", engine="h5netcdf", mask_and_scale=False)


@pytest.fixture(scope="module")
def lines():
    """Coasts and borders as the builder reads them, out of the shipped basemap."""
    table = opened("basemap")
    points = np.stack([table["lon"], table["lat"]], axis=-1)
    parts = np.split(points, np.cumsum(table["point_count"].to_numpy())[:-1])
    names = table["countries"].values
    return [
        builder.Line(part, (str(name),) if kind == 0 else tuple(str(name).split()))
        for part, name, kind in zip(parts, names, table["kind"].values, strict=True)
    ]


@pytest.fixture(scope="module")
def rebuilt(lines):
    return builder.build_sectors(opened("hypsometry"), lines)


def test_shipped_sectors_are_rebuilt_from_shipped_bed_and_coasts(rebuilt):
    shipped = opened("sectors")
    assert set(rebuilt.variables) == set(shipped.variables)
    for name in ("area", "grid_level", "level", "lat", "lon"):
        assert_allclose(rebuilt[name], shipped[name], rtol=1e-12, err_msg=name)
    for name in ("flooding_level", "sector_points", "state"):
        assert_array_equal(rebuilt[name], shipped[name], err_msg=name)


def test_shipped_files_are_small_and_say_where_they_come_from():
    for name in ("sectors", "basemap"):
        assert (TABLES / f"{name}.nc").stat().st_size < 100_000
        attributes = opened(name).attrs
        assert attributes["Conventions"] == "CF-1.11"
        assert "Natural Earth 4.1.0" in attributes["source"]
        assert "public domain" in attributes["license"]
    assert opened("sectors").attrs["comment"] == "sectors by nearest coast, not legal delimitation lines"


def test_points_lie_in_the_sector_of_the_coast_that_is_nearest_along_a_great_circle(lines, rebuilt):
    # Haversine to every point of every coast, instead of a tree of chords.
    coasts = {state: np.radians(builder.coast_points(lines, state)) for state in builder.STATES}
    rng = np.random.default_rng(6)
    whole = builder.POINTS**2
    seen = 0
    for row, column in rng.integers([0, 0], rebuilt["flooding_level"].shape, (400, 2)):
        counts = rebuilt["sector_points"].values[:, row, column]
        if counts.max() < whole:
            continue  # the middle of a cell says nothing about a cell that is parted
        east, north = np.radians([rebuilt["lon"].values[column], rebuilt["lat"].values[row]])
        nearest = []
        for points in coasts.values():
            half = 0.5 * (points - [east, north])
            squared = np.sin(half[:, 1]) ** 2 + np.cos(north) * np.cos(points[:, 1]) * np.sin(half[:, 0]) ** 2
            nearest.append(squared.min())
        assert int(np.argmin(nearest)) == int(counts.argmax())
        seen += 1
    assert seen > 300


def test_points_of_every_cell_are_shared_out_completely(rebuilt):
    assert_array_equal(rebuilt["sector_points"].sum("state"), builder.POINTS**2)


def test_coast_half_way_between_two_states_parts_a_cell_in_half():
    coasts = {"A": np.array([[9.0, 0.0]]), "B": np.array([[11.0, 0.0]])}
    points = builder.sector_points(coasts, np.array([0.0]), np.array([9.9, 10.03, 10.1]))
    # A cell around 10.03 °E has five points at 9.99 °E and four times five to the east of 10 °E.
    assert_array_equal(points[:, 0, :], [[25, 5, 0], [0, 20, 25]])


def test_states_add_up_to_the_grid_before_the_tie_and_to_the_curve_after_it(rebuilt):
    hypsometry = opened("hypsometry")
    flooding = builder.flooding_of(hypsometry)
    cells = builder.build_hypsometry.cell_areas(hypsometry["lat"].to_numpy())
    share = rebuilt["sector_points"].to_numpy() / builder.POINTS**2
    levels = np.array([-500.0, -60.0, -33.3, -28.0, -21.0])
    by_state = builder.area_by_state(flooding, np.broadcast_to(cells[:, None], flooding.shape), share, levels)
    whole = builder.build_hypsometry.area_below(flooding, cells, levels)
    assert_allclose(by_state.sum(axis=0), whole, rtol=1e-12)
    assert_allclose(rebuilt["area"].sum("state"), hypsometry["area"], rtol=1e-12)


def test_level_of_the_grid_inverts_its_area():
    flooding, cells = np.array([[-30.0, -28.0, np.inf]]), np.array([10.0])
    levels = builder.grid_levels(flooding, cells, np.array([5.0, 9.0, 12.5]))
    assert_allclose(levels, [-30.0, -29.6, -28.25])


def test_tied_level_of_the_grid_rises_with_the_level_and_stays_near_it(rebuilt):
    level, grid = rebuilt["level"].to_numpy(), rebuilt["grid_level"].to_numpy()
    assert np.all(np.diff(grid) >= 0.0)
    near = (level > -60.0) & (level < -28.0)
    assert np.abs(grid - level)[near].max() < 0.45


def test_reader_takes_coasts_and_borders_out_of_a_package_and_cuts_them(tmp_path):
    # Two states share an arc; one has a coast, half of it far away; an inland country has nothing of the sea.
    arcs = [
        [[0, 0], [10, 0], [10, 0], [600, 0]],
        [[0, 0], [0, 10]],
        [[5, 5], [1, 1]],
    ]
    countries = [
        {"properties": {"name": "Russia"}, "arcs": [[0, 1]]},
        {"properties": {"name": "Kazakhstan"}, "arcs": [[[~1]]]},
        {"properties": {"name": "Elsewhere"}, "arcs": [[2]]},
    ]
    topology = {
        "transform": {"scale": [0.1, 0.1], "translate": [48.0, 42.0]},
        "arcs": arcs,
        "objects": {"countries": {"geometries": countries}},
    }
    content = json.dumps(topology).encode()
    (tmp_path / "countries.json").write_bytes(content)
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as package:
        entry = tarfile.TarInfo(builder.COUNTRIES_IN_PACKAGE)
        entry.size = len(content)
        package.addfile(entry, io.BytesIO(content))
    for source in ("countries.json", "package.tgz"):
        coast, border = builder.read_lines(tmp_path / source)
        assert (coast.states, coast.is_coast) == (("RU",), True)
        # 108 °E lies outside the window, and stays as the end of a line that leaves it.
        assert_allclose(coast.points, [[48.0, 42.0], [49.0, 42.0], [50.0, 42.0], [110.0, 42.0]])
        assert (border.states, border.is_coast) == (("RU", "KZ"), False)
        assert_allclose(border.points, [[48.0, 42.0], [48.0, 43.0]])


def test_builder_writes_both_files_and_reports(lines, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(builder, "read_lines", lambda path: lines)
    builder.main(["package.tgz", "--output", str(tmp_path)])
    for name in ("sectors", "basemap"):
        assert (tmp_path / f"{name}.nc").read_bytes()
    assert_array_equal(
        xr.load_dataset(tmp_path / "basemap.nc", engine="h5netcdf")["lon"], opened("basemap")["lon"]
    )
    # The numbers of docs/seabed.md.
    out = capsys.readouterr().out
    assert "-28.0     5     4497      1840     43924     21267      7071     78599" in out
