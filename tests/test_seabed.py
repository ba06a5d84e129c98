"""Exposed seabed by state in a run, maps of the shore, and the command that writes them."""

import functools
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from numpy.testing import assert_allclose
from test_figures import RUN, covers, picture, texts_drawn, without_letters, words_of

import caspian_sim as cs
from caspian_sim import cli, data, figures
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.sectors import CAVEAT, load_sectors
from caspian_sim.config import parse_config
from caspian_sim.errors import DataError
from caspian_sim.figures import chart
from caspian_sim.impacts.ecosystem import ecosystem_outcomes
from caspian_sim.impacts.port_outcomes import port_outcomes
from caspian_sim.impacts.seabed import exposed_seabed, falls_table
from caspian_sim.outputs.terminal import print_result

STATES = ["AZ", "IR", "KZ", "RU", "TM"]
CONFIG = """\
name: tiny
period: {start: 2026, end: 2030}
climate: {scenarios: [ssp126, ssp585]}
uncertainty: {members: 6}
programmes:
  none: {}
  joint: {participants: [AZ, IR, KZ, RU, TM]}
outcomes: {report_years: [2028, 2030]}
solver: {steps_per_month: 1}
output: {frequency: monthly, figures: none}
"""
REFERENCE = -29.2


@functools.cache
def tiny():
    return cs.run(parse_config(CONFIG, "tiny"))


@functools.cache
def falling():
    """A sea that falls at a pace of its own in every member, by several metres until 2100."""
    area = load_hypsometry().area
    parameters = ["volga_sensitivity", "area_factor"]
    ds = RUN.drop_vars(["parameter", "parameter_grade"]).assign_coords(
        parameter=parameters, parameter_grade=("parameter", ["D", "C"])
    )
    exposed = area(REFERENCE) - area(ds["sea_level"].values)
    return ds.assign(
        exposed_seabed=(ds["sea_level"].dims, exposed, {"reference_level": REFERENCE}),
        parameters=(("parameter", "member"), np.array([np.zeros(5), [1.0, 1.0, 1.0, 0.98, 1.02]])),
    ).assign_attrs(input_sha256="{}", title="Example", history="made up")


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


# ---- by state --------------------------------------------------------------------------------------


def test_states_add_up_to_the_exposed_seabed_of_the_run_in_every_member_and_month():
    ds = tiny()
    found = cs.exposed_seabed_by_state(ds)
    assert found.exposed_seabed_by_state.dims == ("scenario", "programme", "member", "state", "time")
    assert list(found.state.values) == STATES
    assert (
        np.ptp(ds.parameters.sel(parameter="area_factor").values) > 0.01
    )  # otherwise its factor is not tested
    assert_allclose(
        found.exposed_seabed_by_state.sum("state"), ds.exposed_seabed.transpose(*ds.sea_level.dims), atol=1e-8
    )
    assert_allclose(
        found.sector_area.sum(), load_hypsometry().area(ds.exposed_seabed.attrs["reference_level"])
    )


def test_dataset_by_state_says_what_it_is_and_where_it_comes_from():
    ds, found = tiny(), cs.exposed_seabed_by_state(tiny())
    attrs = found.exposed_seabed_by_state.attrs
    assert attrs["units"] == "km2"
    assert attrs["comment"] == CAVEAT == "sectors by nearest coast, not legal delimitation lines"
    assert attrs["cell_methods"] == "time: mean"
    assert attrs["reference_level"] == ds.exposed_seabed.attrs["reference_level"]
    assert found.state.attrs["long_name"].endswith(CAVEAT)
    assert found.attrs["config_hash"] == ds.attrs["config_hash"]
    assert found.attrs["title"].startswith("Impacts: ")
    assert json.loads(found.attrs["input_sha256"])["sectors"] == data.entry("sectors").sha256
    assert found.time.attrs["bounds"] == "time_bnds"


def test_factor_on_the_area_scales_what_a_fall_lays_bare():
    once, twice = exposed_seabed(-34.0, -29.0), exposed_seabed(-34.0, -29.0, 2.0)
    assert_allclose(twice, 2.0 * once)
    assert_allclose(once, load_sectors().area(-29.0) - load_sectors().area(-34.0))


def test_level_below_the_curve_counts_as_its_end():
    # With the area held constant the level may leave the curve.
    assert_allclose(exposed_seabed(-2000.0, -29.0), exposed_seabed(-1025.0, -29.0))


def test_what_falls_lay_bare_grows_with_the_fall_and_adds_up():
    table = falls_table()
    assert list(table["state"].unique()) == [*STATES, "all"]
    wide = table.pivot(index="fall_m", columns="state", values="exposed_km2")
    assert list(wide.index) == [5.0, 10.0, 18.0]
    assert (wide.diff().dropna() > 0.0).all(axis=None)
    assert_allclose(wide[STATES].sum(axis=1), wide["all"])
    area = load_hypsometry().area
    assert_allclose(wide["all"], [area(-28.0) - area(level) for level in (-33.0, -38.0, -46.0)])
    assert list(table["level_m_bhs"].unique()) == [-33.0, -38.0, -46.0]
    assert list(table.groupby("fall_m")["area_uncertainty"].first()) == [0.05, 0.03, 0.03]
    whole = table[table["state"] == "all"]
    assert_allclose(whole["share_of_sector"], whole["exposed_km2"] / area(-28.0))


def test_run_without_members_is_refused():
    with pytest.raises(DataError) as refused:
        cs.exposed_seabed_by_state(tiny().isel(member=0, drop=True))
    assert str(refused.value) == (
        "exposed seabed by state needs the members of the run\n"
        "    found    statistics over the members alone\n"
        "    hint     run again with output.keep: members or both"
    )


def test_dataset_without_level_or_configuration_is_refused():
    with pytest.raises(
        DataError, match="exposed seabed by state cannot be reckoned: variable 'sea_level' is missing"
    ):
        cs.exposed_seabed_by_state(tiny().drop_vars("sea_level"))
    without = tiny().copy()
    without.attrs = {}
    with pytest.raises(DataError, match="found    no attribute config"):
        cs.exposed_seabed_by_state(without)


def test_run_with_a_hypsometry_of_its_own_is_refused():
    own = tiny().assign_attrs(config=tiny().attrs["config"] + "\nbasin: {hypsometry: own.csv}\n")
    own.attrs["config"] = re.sub(r"(?m)^basin:\n(  .*\n)*", "", tiny().attrs["config"])
    own.attrs["config"] += "\nbasin: {hypsometry: own.csv}\n"
    for refuse, what in (
        (cs.exposed_seabed_by_state, "exposed seabed by state"),
        (figures.shoreline, "figure 'shoreline'"),
    ):
        with pytest.raises(DataError) as refused:
            refuse(own)
        assert str(refused.value) == (
            f"{what} needs the hypsometry that ships with the package\n"
            "    found    basin.hypsometry own.csv\n"
            "    hint     a table of level and area does not say where the water is"
        )


# ---- figures: numbers ------------------------------------------------------------------------------


def test_table_of_the_seabed_holds_the_quantiles_of_every_state_and_the_whole():
    ds = falling()
    table = figures.seabed_table(ds, scenario="ssp370", programme="joint")
    at = table[(table["kind"] == "projected") & (table["year"] == 2080)].set_index("state")
    assert list(at.index) == [*STATES, "all"]
    level = ds.sea_level.sel(scenario="ssp370", programme="joint").isel(time=2080 - 2026).values
    factor = ds.parameters.sel(parameter="area_factor").values
    by_hand = exposed_seabed(level, REFERENCE, factor)
    by_hand = np.concatenate([by_hand, by_hand.sum(axis=0)[None]])
    for column, share in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95)):
        assert_allclose(at[f"exposed_{column}_km2"], np.quantile(by_hand, share, axis=1))


def test_table_of_the_shoreline_holds_levels_and_areas_of_today_and_of_both_programmes():
    ds = falling()
    table = figures.shoreline_table(ds, scenario="ssp370", year=2070)
    record = data.load("sea_level_annual").level
    today = table.iloc[0]
    assert (today["shore"], today["year"]) == ("today", 2025)
    assert today["level_m_bhs"] == float(record.sel(year=2025))
    assert today["exposed_km2"] == 0.0
    level = ds.sea_level.sel(scenario="ssp370").isel(time=2070 - 2026)
    area = load_hypsometry().area
    for programme in ("none", "joint"):
        rows = table[table["programme"] == programme].set_index("shore")
        expected = np.quantile(level.sel(programme=programme), [0.95, 0.5, 0.05])
        assert_allclose(rows.loc[["p95", "p50", "p05"], "level_m_bhs"], expected)
        assert_allclose(rows["area_km2"], area(rows["level_m_bhs"].to_numpy()))
        assert_allclose(rows["exposed_km2"], area(today["level_m_bhs"]) - rows["area_km2"])
        assert_allclose(rows[[f"exposed_{state}_km2" for state in STATES]].sum(axis=1), rows["exposed_km2"])


def test_map_draws_the_area_that_its_key_states():
    fig = figures.shoreline(falling(), scenario="ssp370", year=2070)
    rows = figures.shoreline_table(falling(), scenario="ssp370", year=2070)
    exposed = rows[(rows["programme"] == "none") & (rows["shore"] == "p50")]["exposed_km2"].iloc[0]
    assert f"dry in at least 50 % of the members: {round(exposed, -2):,.0f} km²" in words_of(fig)
    # Painted from the largest sea to the smallest: today, and the 95, 50 and 5 % points of the level.
    area = []
    for filled in [item for item in fig.axes[0].collections if item.get_facecolor().shape[0] == 1][:4]:
        polygons = [part for path in filled.get_paths() for part in path.to_polygons()]
        area.append(sum(0.5 * np.sum(p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]) for p in polygons))
    shores = rows[rows["programme"].isin(["", "none"])]["area_km2"].to_numpy()
    assert_allclose(np.abs(area), shores, rtol=0.01)


# ---- figures: projection and places ----------------------------------------------------------------


def test_projection_keeps_area_and_shows_lengths_within_a_third_of_a_per_cent():
    latitude, longitude = np.meshgrid(np.linspace(36.5, 47.0, 8), np.linspace(46.5, 54.9, 8), indexing="ij")
    step = 1e-3
    x, y = chart.project(latitude, longitude)
    x_east, y_east = chart.project(latitude, longitude + step)
    x_north, y_north = chart.project(latitude + step, longitude)
    area = ((x_east - x) * (y_north - y) - (x_north - x) * (y_east - y)) / np.radians(step) ** 2
    assert_allclose(area, 6371.007**2 * np.cos(np.radians(latitude)), rtol=1e-4)
    along = np.hypot(x_north - x, y_north - y) / np.radians(step)
    across = np.hypot(x_east - x, y_east - y) / np.radians(step) / np.cos(np.radians(latitude))
    assert_allclose(along, 6371.007, rtol=0.003)
    assert_allclose(across, 6371.007, rtol=0.003)


def test_centre_of_the_projection_is_the_origin_and_north_is_up():
    assert_allclose(chart.project(*chart.CENTRE), 0.0, atol=1e-9)
    x, y = chart.project(45.0, 51.0)
    assert x == pytest.approx(0.0)
    assert y == pytest.approx(2 * 6371.007 * np.sin(np.radians(1.5)))


def test_city_and_its_port_are_one_place_and_canals_are_none():
    found = {place.name: place.port for place in chart.places()}
    assert len(found) == len(chart.places())
    assert found["Aktau"]
    assert found["Anzali"]
    assert not found["Astrakhan"]
    assert not any("canal" in name for name in found)


# ---- figures: words and pictures -------------------------------------------------------------------

DRAWN = {
    "shoreline": lambda ds: figures.shoreline(ds),
    "shoreline in a column": lambda ds: figures.shoreline(ds, width_cm=8.5),
    "shoreline alone": lambda ds: figures.shoreline(ds, programme="none"),
    "shoreline of another programme": lambda ds: figures.shoreline(
        ds, scenario="ssp585", programme="without-russia"
    ),
    "seabed": lambda ds: figures.seabed(ds),
    "seabed in a column": lambda ds: figures.seabed(ds, width_cm=8.5, scenario="ssp126"),
}
PICTURES = pytest.mark.parametrize("figure", DRAWN)


@functools.cache
def drawn(figure):
    return DRAWN[figure](falling())


@PICTURES
def test_texts_of_a_picture_are_legible_inside_the_page_and_apart(figure):
    fig = drawn(figure)
    texts = texts_drawn(fig)
    for item, box in texts:
        assert item.get_fontsize() >= 7.0, item.get_text()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
        assert inside, f"{item.get_text()!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"


@PICTURES
def test_every_picture_says_that_sectors_are_no_legal_lines(figure):
    words = " ".join(words_of(drawn(figure)).split())
    assert "Sectors by nearest coast, not legal delimitation lines." in words
    assert "grade D" in words
    assert "Baltic Height System" in words


def test_map_names_cities_ports_and_states_and_has_a_scale():
    words = words_of(drawn("shoreline"))
    for name in ("Baku", "Aktau", "Atyrau", "Astrakhan", "Makhachkala", "Anzali", "KAZAKHSTAN", "200 km"):
        assert name in words


def test_programme_that_lowers_the_sea_is_said_to_lay_bare():
    ds = falling()
    fig = figures.shoreline(ds, programme="none", baseline="joint", scenario="ssp370")
    assert "no measures lays bare" in words_of(fig)
    assert "joint programme keeps wet" in words_of(figures.shoreline(ds, scenario="ssp370"))


def test_map_of_one_member_has_one_shore():
    words = words_of(figures.shoreline(falling().isel(member=[2])))
    assert "one member" in words
    assert "95 % point" not in words


def test_map_needs_no_members_where_quantiles_are_kept():
    ds = falling()
    level = ds.sea_level.quantile([0.05, 0.5, 0.95], "member").rename("sea_level_quantile")
    kept = ds.drop_dims("member").assign(sea_level_quantile=level)
    table, full = figures.shoreline_table(kept), figures.shoreline_table(ds)
    assert_allclose(table["level_m_bhs"], full["level_m_bhs"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"year": 2101}, "the dataset has no year 2101\n    found    2101\n    allowed  2026 to 2100"),
        (
            {"scenario": "rcp85"},
            "the dataset has no scenario 'rcp85'\n    found    'rcp85'\n"
            "    allowed  ssp126, ssp245, ssp370, ssp585",
        ),
        (
            {"programme": "all"},
            "the dataset has no programme 'all'\n    found    'all'\n"
            "    allowed  none, joint, without-russia",
        ),
    ],
)
def test_map_of_what_is_not_there_is_refused(options, message):
    with pytest.raises(DataError) as refused:
        figures.shoreline(falling(), **options)
    assert str(refused.value) == message


@picture
def test_picture_of_the_shoreline():
    return without_letters(figures.shoreline(falling()))


@picture
def test_picture_of_the_seabed_by_state():
    return without_letters(figures.seabed(falling()))


# ---- the command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    cs.save(tiny(), folder / "tiny.nc")
    return folder


def test_command_writes_every_impact_beside_the_result(result, tmp_path):
    done = call("impacts", result, "--output", tmp_path / "all")
    assert done.exit_code == 0, done.output
    for title in ("Exposed seabed in 2030", "Ports whose vessel cannot load", "Thresholds that the level"):
        assert title in done.output
    saved = cs.open(tmp_path / "all")
    run = tiny()
    assert_allclose(saved["port_below_draft"].values, port_outcomes(run)["below_draft"].values)
    assert_allclose(saved["ecosystem_below"].values, ecosystem_outcomes(run)["below"].values)
    assert "no dredging" in saved.attrs["comment"]
    assert {path.stem for path in (tmp_path / "all" / "figures").glob("*.png")} == {
        "seabed", "shoreline", "ports", "route", "ecosystem",
    }  # fmt: skip
    shown = call("show", tmp_path / "all")
    assert done.output.startswith(shown.output)


def test_command_writes_dataset_tables_and_figures_beside_the_result(result):
    done = call("impacts", result, "--only", "seabed")
    assert done.exit_code == 0, done.output
    assert "Exposed seabed in 2030" in done.output
    assert "not legal delimitation lines" in " ".join(done.output.split())
    folder = result / "impacts"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    drawn = [
        f"figures/{name}.{ending}" for name in ("seabed", "shoreline") for ending in ("csv", "png", "svg")
    ]
    assert files == sorted(["falls.csv", "impacts.nc", "run.log", "seabed.csv", *drawn])
    saved = cs.open(folder)
    xr.testing.assert_allclose(saved, cs.exposed_seabed_by_state(tiny()))
    assert cs.open(result).sizes["member"] == 6  # the folder of the impacts is no second result

    text = (folder / "seabed.csv").read_text(encoding="utf-8")
    assert f"# {CAVEAT}\n" in text
    table = pd.read_csv(folder / "seabed.csv", comment="#")
    assert sorted(table["year"].unique()) == [2028, 2030]
    whole = table[table["state"] == "all"].set_index(["scenario", "programme", "year"])
    parts = (
        table[table["state"] != "all"].groupby(["scenario", "programme", "year"])["exposed_mean_km2"].sum()
    )
    assert_allclose(parts, whole["exposed_mean_km2"].reindex(parts.index), atol=3.0)  # rounded to 1 km²
    falls = pd.read_csv(folder / "falls.csv", comment="#")
    assert_allclose(
        falls[falls["reference_level_m_bhs"] == -28.0]["exposed_km2"], falls_table()["exposed_km2"], atol=0.5
    )


def test_command_does_not_replace_what_is_there_and_names_what_it_does_not_know(result):
    call("impacts", result)
    again = call("impacts", result)
    assert again.exit_code == 2
    assert again.output.startswith(f"{result / 'impacts'}: there are results already\n")
    unknown = call("impacts", result, "--only", "seabeds", "--overwrite")
    assert unknown.exit_code == 2
    assert unknown.output.splitlines()[:3] == [
        "no impact is called 'seabeds'",
        "    found    'seabeds'",
        "    nearest  'seabed'",
    ]
    late = call("impacts", result, "--year", "2031", "--overwrite")
    assert late.exit_code == 2
    assert late.output == "the dataset has no year 2031\n    found    2031\n    allowed  2026 to 2030\n"


def test_command_refuses_what_is_no_run(tmp_path):
    cs.save(cs.equilibrium(), tmp_path / "equilibrium.nc")
    done = call("impacts", tmp_path / "equilibrium.nc")
    assert done.exit_code == 2
    assert done.output.startswith(f"{tmp_path / 'equilibrium.nc'}: not the result of a run\n    found    ")
    assert done.output.endswith("    hint     caspian-sim run CONFIG writes one\n")


def test_command_sets_another_programme_beside_none_and_writes_elsewhere(result, tmp_path):
    options = ("--programme", "joint", "--scenario", "ssp585", "--year", "2028", "--quiet")
    done = call("impacts", result / "tiny.nc", *options, "--only", "seabed", "--output", tmp_path / "out")
    assert (done.exit_code, done.output) == (0, "")
    drawn = pd.read_csv(tmp_path / "out" / "figures" / "shoreline.csv")
    assert set(drawn["scenario"].dropna()) == {"ssp585"}
    assert set(drawn["year"]) == {2025, 2028}


def test_saved_impacts_are_printed_again(result, capsys):
    print_result(cs.exposed_seabed_by_state(tiny()))
    printed = capsys.readouterr().out
    assert "What a fall lays bare" in printed
    assert re.search(r"-28\.00\s+5\s+4\.5\s+1\.8\s+43\.9\s+21\.3\s+7\.1\s+78\.6", printed)
