"""Figures: the numbers that are drawn, what the page says, and how it looks."""

from __future__ import annotations

import functools
import io
import itertools
import threading
from typing import get_args

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose
from pictures import picture, without_letters

from caspian_sim import data
from caspian_sim.basin.hypsometry import Hypsometry, load_hypsometry
from caspian_sim.config.schema import FigureName
from caspian_sim.errors import DataError, OutputError
from caspian_sim.figures import (
    FIGURES,
    budget,
    budget_table,
    hindcast,
    hindcast_table,
    hypsometry,
    hypsometry_table,
    projection,
    projection_table,
    save_figure,
    style,
    text,
)

CONFIG = """
name: example
period: {start: 2026, end: 2100}
climate: {scenarios: [ssp126, ssp245, ssp370, ssp585]}
uncertainty: {members: 5}
programmes:
  none: {}
  joint: {participants: [KZ, RU, TM]}
  without-russia: {participants: [KZ, TM]}
outcomes: {thresholds_m: [-30, -32.5]}
output: {directory: results/example}
"""
MEMBERS = 5
YEARS = np.arange(2026, 2101)
SCENARIOS = ["ssp126", "ssp245", "ssp370", "ssp585"]
PROGRAMMES = ["none", "joint", "without-russia"]


def time_axis(edges: np.ndarray) -> dict[str, object]:
    edges = edges.astype("datetime64[ns]")
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    return {"time": middle, "time_bnds": (("time", "nv"), np.stack([edges[:-1], edges[1:]], axis=1))}


def flow(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=float)


def make_run(years: np.ndarray = YEARS) -> xr.Dataset:
    """Fluxes that are constant in time, and a level that falls at its own pace in every member."""
    edges = np.arange(f"{years[0]}", f"{years[-1] + 2}", dtype="datetime64[Y]")
    dims = ("scenario", "programme", "member", "time")
    shape = (len(SCENARIOS), len(PROGRAMMES), MEMBERS, len(years))
    pace = flow(0.02, 0.04, 0.055, 0.07)[:, None, None, None] * (
        flow(1.0, 0.5, 0.8)[:, None, None] * flow(0.4, 0.7, 1.0, 1.4, 2.1)[:, None]
    )
    wiggle = 0.05 * np.sin(1.7 * np.arange(len(years)) + np.arange(MEMBERS)[:, None])
    level = -29.2 - pace * (years - years[0] + 1) + wiggle
    member = np.arange(MEMBERS, dtype=float)
    measures = np.zeros((len(PROGRAMMES), MEMBERS, 3, len(years)))
    measures[1, :, 0], measures[1:, :, 1] = 6.0, 2.0
    consumption = np.zeros((6, len(years)))
    consumption[3], consumption[5] = 3.0, 1.0
    return xr.Dataset(
        {
            "sea_level": (dims, level),
            "precipitation": (dims, np.full(shape, 75.0)),
            "evaporation": (dims, np.broadcast_to(340.0 + member[:, None], shape)),
            "strait_outflow": (dims, np.full(shape, 9.0)),
            "river_inflow": (
                ("scenario", "member", "river", "time"),
                np.full((4, MEMBERS, 2, len(years)), 130.0),
            ),
            "groundwater": (("member", "time"), np.full((MEMBERS, len(years)), 4.0)),
            "measure_effect": (("programme", "member", "measure", "time"), measures),
            "consumption_change": (("state", "time"), consumption),
        },
        coords={
            "scenario": SCENARIOS,
            "programme": PROGRAMMES,
            "member": np.arange(MEMBERS),
            **time_axis(edges),
            "river": ["volga", "other"],
            "state": ["AZ", "IR", "KZ", "RU", "TM", "upstream"],
            "measure": ["volga-savings", "ural-efficiency", "strait-closure"],
            "measure_state": ("measure", ["RU", "KZ", "TM"]),
            "measure_grade": ("measure", ["D", "D", "A"]),
            "parameter": ["volga_sensitivity", "groundwater"],
            "parameter_grade": ("parameter", ["D", "B"]),
        },
        attrs={"config": CONFIG, "config_hash": "0123456789abcdef", "version": "0.0"},
    )


def make_hindcast() -> xr.Dataset:
    years = np.arange(1937, 2023)
    decades = np.unique(years // 10 * 10)
    observed = -28.0 + np.cos((years - 1937) / 14.0)
    error = np.stack([0.6 * np.sin((years - 1937) / 15.0), 0.1 * np.sin((years - 1937) / 3.0)])
    mean = [[e[years // 10 * 10 == decade].mean() for decade in decades] for e in error]
    worst = np.abs(error).argmax(axis=1)
    return xr.Dataset(
        {
            "sea_level": (("run", "year"), observed + error),
            "observed_level": ("year", observed),
            "error": (("run", "year"), error),
            "decade_error": (("run", "decade"), np.array(mean)),
            "rmse": ("run", np.sqrt((error**2).mean(axis=1))),
            "worst_error": ("run", error[[0, 1], worst]),
            "worst_year": ("run", years[worst]),
        },
        coords={"run": ["inflow alone", "slow net evaporation"], "year": years, "decade": decades},
        attrs={"version": "0.0", "degrees_of_freedom": "1 for a constant, 9 for the slow one"},
    )


def make_basin() -> Hypsometry:
    """A funnel: area rises by a tenth of its value at −30 m with every metre."""
    level = np.linspace(-30.0 - 9.0, -20.0, 77)
    return Hypsometry(
        node_level=level,
        node_area=350_000.0 * (1.0 + 0.1 * (level + 30.0)),
        area_uncertainty=np.full(level.shape, 0.04),
        name="Funnel",
    )


RUN, HINDCAST, BASIN = make_run(), make_hindcast(), make_basin()
SUBJECTS = {"run": RUN, "hindcast": HINDCAST, "basin": BASIN}
EVERY_FIGURE = pytest.mark.parametrize(("figure", "width"), list(itertools.product(FIGURES, (16.0, 8.5))))


@functools.cache
def drawn(name: str, width: float = 16.0) -> Figure:
    kind = FIGURES[name]
    return kind.draw(SUBJECTS[kind.shows], width_cm=width)


def lines_of(fig: Figure) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float))
        for ax in fig.axes
        for line in ax.lines
        if len(np.atleast_1d(line.get_xdata())) > 2
    ]


def draws(fig: Figure, x: np.ndarray, y: np.ndarray) -> bool:
    return any(
        a.shape == np.shape(x) and np.allclose(a, x) and np.allclose(b, y, atol=1e-12)
        for a, b in lines_of(fig)
    )


def texts_drawn(fig: Figure) -> list[tuple[Text, Bbox]]:
    """Texts that reach the page, with their boxes: numbers of an axis outside its range never do."""
    drawn: list[Text] = []
    draw = Text.draw

    def record(self: Text, *args: object, **options: object) -> None:
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        draw(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        fig.canvas.draw()
    # A box of an annotation includes its arrow, that of a text does not.
    return [(item, Text.get_window_extent(item)) for item in drawn]


def covers(a: Bbox, b: Bbox) -> bool:
    """Whether two boxes share more than the ascenders of one line and the descenders of the next."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1.0 and min(a.y1, b.y1) - max(a.y0, b.y0) > 3.0


def words_of(fig: Figure) -> str:
    return " ".join(t.get_text() for t in fig.findobj(Text) if t.get_visible())


# ---- numbers -----------------------------------------------------------------------------------


def test_projection_table_holds_the_record_and_the_quantiles_of_every_scenario():
    table = projection_table(RUN)
    record = data.load("sea_level_annual")["level"]
    observed = table[table["kind"] == "observed"]
    assert_allclose(observed["level_m_bhs"], record.values)
    assert list(observed["year"]) == list(record["year"].values)
    for s, p in itertools.product(range(4), range(2)):
        rows = table[(table["scenario"] == SCENARIOS[s]) & (table["programme"] == PROGRAMMES[p])]
        ordered = np.sort(RUN["sea_level"].values[s, p], axis=0)
        assert_allclose(rows["level_m_bhs"], ordered[2])
        # Five members: the 5 % point lies a fifth of the way from the lowest to the next.
        assert_allclose(rows["level_p05_m_bhs"], ordered[0] + 0.2 * (ordered[1] - ordered[0]))
        assert_allclose(rows["level_p95_m_bhs"], ordered[4] - 0.2 * (ordered[4] - ordered[3]))
    assert len(table) == record.size + 4 * 2 * YEARS.size


def test_projection_draws_the_medians_and_the_record_of_its_table():
    table = projection_table(RUN)
    for _, rows in table.groupby(["kind", "scenario", "programme"]):
        assert draws(drawn("projection"), rows["year"].to_numpy(), rows["level_m_bhs"].to_numpy())


def test_projection_writes_median_and_range_of_the_last_year_at_the_right_end():
    low, median, high = np.quantile(RUN["sea_level"].values[3, 0, :, -1], [0.05, 0.5, 0.95])
    assert f"{median:.1f} ({low:.1f} to {high:.1f})".replace("-", "−") in words_of(drawn("projection"))


def test_projection_of_months_weights_them_with_their_length():
    edges = np.arange("2027-01", "2029-02", dtype="datetime64[M]")
    monthly = make_run(np.arange(2027, 2051)).isel(time=slice(0, 24))
    monthly = monthly.drop_vars(["time", "time_bnds"]).assign_coords(time_axis(edges))
    january = np.array(["2027-01", "2028-01"], dtype="datetime64[M]").astype("datetime64[ns]")
    is_january = monthly["time"].values.astype("datetime64[M]") == january.astype("datetime64[M]")[:, None]
    monthly["sea_level"] = monthly["sea_level"] * 0 + xr.DataArray(
        np.where(is_january.any(axis=0), -30.0, -29.0), dims="time"
    )
    table = projection_table(monthly)
    projected = table[(table["kind"] == "projected") & (table["scenario"] == "ssp126")].head(2)
    assert list(projected["year"]) == [2027, 2028]
    assert_allclose(projected["level_m_bhs"], [-29.0 - 31 / 365, -29.0 - 31 / 366])


def test_budget_of_constant_fluxes_is_the_same_in_every_decade_and_adds_up():
    table = budget_table(RUN, scenario="ssp370", programme="joint")
    projected = table[table["kind"] == "projected"].pivot(
        index="first_year", columns="term", values="flux_km3_per_yr"
    )
    assert list(projected.index) == [2026, *range(2031, 2100, 10)]
    expected = {
        "inflow": 260.0,
        "precipitation": 75.0,
        "groundwater": 4.0,
        "measures": 8.0,
        "evaporation": -342.0,
        "strait": -9.0,
        "consumption": -4.0,
        "net": -8.0,
    }
    for term, flux in expected.items():
        assert_allclose(projected[term], flux, atol=1e-9)
    net = table[(table["kind"] == "projected") & (table["term"] == "net")]
    assert_allclose(net["flux_p05_km3_per_yr"], -8.0 - 2.0 + 0.2)
    assert_allclose(net["flux_p95_km3_per_yr"], -8.0 + 2.0 - 0.2)


def test_observed_budget_nets_the_rise_of_the_sea_and_closes_with_the_implied_evaporation():
    table = budget_table(RUN)
    observed = table[table["kind"] == "observed"].pivot(
        index="first_year", columns="term", values="flux_km3_per_yr"
    )
    record = data.load("net_evaporation_implied")
    level = data.load("sea_level_annual")["level"].sel(year=record["year"])
    evaporated = record["net_evaporation"] * load_hypsometry().area(level.values) * 1e-6
    for first in (2001, 2011):
        decade = slice(first, first + 9)
        assert observed.loc[first, "net"] == pytest.approx(float(record["storage"].sel(year=decade).mean()))
        # The table gives depths to 0.01 mm/yr.
        assert observed.loc[first, "net_evaporation"] == pytest.approx(
            -float(evaporated.sel(year=decade).mean()), abs=0.01
        )


def test_budget_shows_decades_that_are_cut_off_with_the_years_they_have():
    table = budget_table(make_run(np.arange(2028, 2044)))
    projected = table[table["kind"] == "projected"]
    spans = set(zip(projected["first_year"], projected["last_year"], strict=True))
    assert spans == {(2028, 2030), (2031, 2040), (2041, 2043)}


def test_budget_shows_the_middle_scenario_and_the_first_programme_unless_asked():
    assert "SSP2-4.5, no measures." in words_of(drawn("budget"))
    assert "measures" not in set(budget_table(RUN).query("flux_km3_per_yr != 0")["term"])
    only = RUN.isel(scenario=[3])
    pd.testing.assert_frame_equal(budget_table(only), budget_table(RUN, scenario="ssp585"))


def test_bars_of_the_budget_reach_the_sum_of_gains_and_of_losses():
    bars = [patch for patch in drawn("budget").axes[0].patches if hasattr(patch, "get_height")]
    ends = [patch.get_y() + patch.get_height() for patch in bars]
    starts = [patch.get_y() for patch in bars]
    assert max(ends) == pytest.approx(260.0 + 75.0 + 4.0)
    assert min(*ends, *starts) == pytest.approx(-(342.0 + 9.0 + 4.0))


def test_hypsometry_table_is_the_curve_with_its_stated_uncertainty():
    table = hypsometry_table(BASIN).set_index("level_m_bhs")
    assert table.index.min() == pytest.approx(-39.0)
    assert table.index.max() == pytest.approx(-20.0)
    assert table.loc[-30.0, "area_km2"] == pytest.approx(350_000.0)
    assert table.loc[-30.0, "area_low_km2"] == pytest.approx(336_000.0)
    assert table.loc[-30.0, "area_high_km2"] == pytest.approx(364_000.0)
    # Two metres of mean area 385,000 km² between −30 and −28 m.
    assert table.loc[-28.0, "volume_km3"] - table.loc[-30.0, "volume_km3"] == pytest.approx(770.0)


def test_hypsometry_of_a_curve_without_uncertainty_has_no_band():
    bare = Hypsometry(node_level=BASIN.node_level, node_area=BASIN.node_area)
    assert hypsometry_table(bare)["area_low_km2"].isna().all()
    assert "uncertainty of area" not in words_of(hypsometry(bare))
    assert "uncertainty of area" in words_of(drawn("hypsometry"))


def test_hypsometry_that_ships_passes_through_the_published_pairs_it_marks():
    fig = hypsometry()
    points = [
        (float(np.ravel(line.get_xdata())[0]), float(np.ravel(line.get_ydata())[0]))
        for line in fig.axes[0].lines
        if len(np.ravel(line.get_xdata())) == 1
    ]
    assert (392.3, -27.07) in points
    assert (355.7, -29.20) in points
    curve = hypsometry_table().set_index("level_m_bhs")["area_km2"]
    assert curve.loc[-29.2] == pytest.approx(355_700.0)


def test_hindcast_draws_levels_and_errors_of_its_table():
    table = hindcast_table(HINDCAST)
    assert_allclose(table["level_m_bhs"] - table["observed_level_m_bhs"], table["error_m"])
    for run, rows in table.groupby("run"):
        assert_allclose(rows["rmse_m"], np.sqrt((rows["error_m"] ** 2).mean()))
        assert_allclose(rows.groupby(rows["year"] // 10)["error_m"].transform("mean"), rows["decade_error_m"])
        for column in ("level_m_bhs", "error_m", "observed_level_m_bhs"):
            assert draws(drawn("hindcast"), rows["year"].to_numpy(), rows[column].to_numpy()), run


def test_hindcast_names_each_line_with_its_error():
    words = words_of(drawn("hindcast"))
    for rmse in HINDCAST["rmse"].values:
        assert f"RMSE {rmse:.2f} m" in words


# ---- what the page says ------------------------------------------------------------------------


def test_footer_names_the_assumptions_of_the_programmes_that_are_shown_alone():
    joint = " ".join(words_of(projection(RUN, programme="joint")).split())
    assert (
        "Assumptions (evidence grade D): measures volga-savings, ural-efficiency; "
        "parameters sensitivity of the Volga to warming." in joint
    )
    assert "volga-savings" not in words_of(projection(RUN, programme="without-russia"))
    nobody = words_of(projection(RUN, programme="none"))
    assert "Assumptions (evidence grade D): parameters" in nobody
    assert "Programmes shown: no measures (1 of 3)." in nobody


def test_footer_says_so_when_nothing_is_assumed():
    sure = RUN.assign_coords(
        parameter_grade=("parameter", ["A", "B"]), measure_grade=("measure", ["A", "B", "C"])
    )
    assert "No measure and no parameter of this run is an assumption" in words_of(projection(sure))


@pytest.mark.parametrize("name", ["projection", "budget"])
def test_footer_names_run_version_configuration_and_datum(name):
    assert (
        "Run example · caspian_sim 0.0 · configuration 01234567 · levels in metres of the Baltic Height "
        "System (m BHS)" in words_of(drawn(name))
    )


def test_thresholds_of_the_configuration_are_drawn_and_named():
    fig = drawn("projection")
    assert "threshold −30 m" in words_of(fig)
    assert "threshold −32.5 m" in words_of(fig)
    flat = [np.unique(line.get_ydata()) for line in fig.axes[0].lines]
    assert [level for level in (-30.0, -32.5) if any(y.size == 1 and y[0] == level for y in flat)] == [
        -30.0,
        -32.5,
    ]


def test_threshold_that_is_far_below_stays_off_the_page():
    deep = RUN.assign_attrs(config=CONFIG.replace("-32.5", "-60"))
    fig = projection(deep)
    assert "threshold −30 m" in words_of(fig)
    assert "threshold −60 m" not in words_of(fig)


def test_single_member_is_shown_without_a_range():
    one = RUN.isel(member=[2])
    words = words_of(projection(one))
    assert "one member" in words
    assert "5–95" not in words
    assert f"{float(one['sea_level'][3, 0, 0, -1]):.1f}".replace("-", "−") in words.split()
    assert "5–95" not in words_of(budget(one))


def test_fall_since_the_last_high_stand_is_that_of_the_record():
    record = data.load("sea_level_annual")["level"]
    fall = float(record.sel(year=1995) - record[-1])
    assert f"{fall:.2f} m below 1995" in words_of(drawn("projection"))


def test_numbers_are_written_with_a_true_minus_and_no_negative_zero():
    assert text.number(-29.22, 2) == "−29.22"
    assert text.number(-0.004, 2) == "0.00"
    assert text.number(0.98, 2, sign=True) == "+0.98"
    assert text.number(392300) == "392,300"
    assert (
        text.typeset("between -29.2 and -27.07 m, 1993-2023, km2")
        == "between −29.2 and −27.07 m, 1993-2023, km²"
    )


# ---- messages ----------------------------------------------------------------------------------


def test_missing_variable_is_named_with_the_figure_that_needs_it():
    with pytest.raises(DataError) as error:
        hindcast(HINDCAST[["sea_level", "observed_level"]])
    assert str(error.value) == (
        "figure 'hindcast' cannot be drawn: variable 'error' is missing\n"
        "    found    sea_level, observed_level\n"
        "    needed   sea_level, observed_level, error, decade_error, rmse, worst_error, worst_year"
    )
    with pytest.raises(DataError, match="figure 'budget' cannot be drawn: variable 'evaporation' is missing"):
        budget_table(RUN.drop_vars("evaporation"))
    with pytest.raises(
        DataError, match="figure 'projection' cannot be drawn: variable 'sea_level' is missing"
    ):
        projection(HINDCAST.drop_vars("sea_level"))


def test_unknown_scenario_or_programme_is_refused_with_what_there_is():
    with pytest.raises(DataError) as error:
        budget(RUN, scenario="ssp460")
    assert str(error.value) == (
        "the dataset has no scenario 'ssp460'\n"
        "    found    'ssp460'\n"
        "    allowed  ssp126, ssp245, ssp370, ssp585"
    )
    with pytest.raises(DataError, match="the dataset has no programme 'all'"):
        projection(RUN, programme="all")


def test_more_programmes_than_there_are_dashes_are_refused():
    with pytest.raises(DataError) as error:
        projection(RUN, programme=["none", "joint", "without-russia", "none"])
    assert str(error.value) == (
        "a figure shows one to 3 programmes\n    found    4: none, joint, without-russia, none"
    )


def test_dataset_without_its_configuration_is_refused():
    with pytest.raises(DataError, match="the dataset does not say what it was made from"):
        projection(RUN.drop_attrs())


# ---- files -------------------------------------------------------------------------------------


def test_saved_figure_is_pictures_and_numbers_and_nothing_else(tmp_path):
    table = hypsometry_table(BASIN)
    files = save_figure(hypsometry(BASIN), table, tmp_path / "new", "basin")
    assert [file.name for file in files] == ["basin.png", "basin.svg", "basin.csv"]
    assert sorted(files) == sorted((tmp_path / "new").iterdir())
    read = pd.read_csv(files[-1])
    assert list(read.columns) == ["level_m_bhs", "area_km2", "area_low_km2", "area_high_km2", "volume_km3"]
    assert_allclose(read, table, rtol=1e-5)
    assert files[0].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_same_figure_is_the_same_file(tmp_path):
    first = save_figure(hindcast(HINDCAST), hindcast_table(HINDCAST), tmp_path / "a", "h")
    again = save_figure(hindcast(HINDCAST), hindcast_table(HINDCAST), tmp_path / "b", "h")
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert "dc:date" not in first[1].read_text()


def test_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(OutputError) as error:
        save_figure(hindcast(HINDCAST), hindcast_table(HINDCAST), tmp_path, "h", formats=("png", "gif"))
    assert str(error.value) == "figures cannot be written as 'gif'\n    allowed  png, svg, pdf"
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_an_error_of_the_output(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match=r"h\.png: the figure cannot be written\n    found    File exists"):
        save_figure(hindcast(HINDCAST), hindcast_table(HINDCAST), tmp_path / "taken", "h")


# ---- style -------------------------------------------------------------------------------------


def test_figures_have_the_names_of_the_configuration():
    assert tuple(FIGURES) == get_args(FigureName)


@EVERY_FIGURE
def test_no_text_leaves_the_page_or_is_smaller_than_seven_points(figure, width):
    fig = drawn(figure, width)
    page = fig.bbox
    for item, box in texts_drawn(fig):
        assert item.get_fontsize() >= 7.0, item.get_text()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
        assert inside, f"{item.get_text()!r} leaves the page"


@pytest.mark.parametrize("width", [16.0, 8.5])
@pytest.mark.parametrize("deeper", [0.3, 3.0])
def test_labels_of_the_projection_find_room_however_far_the_sea_falls(deeper, width):
    changed = RUN.assign(sea_level=-29.2 + deeper * (RUN["sea_level"] + 29.2))
    for (one, a), (other, b) in itertools.combinations(texts_drawn(projection(changed, width_cm=width)), 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"


@EVERY_FIGURE
def test_no_two_texts_cover_each_other(figure, width):
    for (one, a), (other, b) in itertools.combinations(texts_drawn(drawn(figure, width)), 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"


@EVERY_FIGURE
def test_figure_is_as_wide_as_asked(figure, width):
    assert drawn(figure, width).get_figwidth() * 2.54 == pytest.approx(width)


def test_drawing_leaves_the_settings_and_the_figures_of_the_user_alone():
    with matplotlib.rc_context({"font.size": 23.0, "axes.facecolor": "black", "svg.hashsalt": "mine"}):
        before = dict(matplotlib.rcParams)
        fig = hypsometry(BASIN)
        picture = fig._repr_png_()
        assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []
    assert picture == hypsometry(BASIN)._repr_png_()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"


def test_figures_drawn_in_threads_are_the_same_as_one_by_one():
    def picture() -> bytes:
        buffer = io.BytesIO()
        hindcast(HINDCAST).savefig(buffer, format="png", dpi=50)
        return buffer.getvalue()

    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(picture())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [picture()] * 3


def lightness(colour: str) -> float:
    """CIE L* of a colour."""
    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(116.0 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16.0)


def test_scenarios_get_darker_with_emissions_and_differ_by_marker():
    steps = np.diff([lightness(mark.colour) for mark in style.SCENARIOS.values()])
    assert list(style.SCENARIOS) == sorted(style.SCENARIOS)
    assert (steps < -6.0).all()
    assert len({mark.marker for mark in style.SCENARIOS.values()}) == len(style.SCENARIOS)


# Machado, Oliveira and Fernandes (2009), full severity: linear RGB as seen without one kind of cone.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour: str, vision: np.ndarray) -> np.ndarray:
    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(vision @ linear, 0.0, 1.0)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ seen / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("family", ["SCENARIOS", "STATES", "HINDCAST_RUNS"])
def test_colours_stay_apart_in_common_colour_vision(family, vision):
    marks = getattr(style, family)
    for (one, a), (other, b) in itertools.combinations(marks.items(), 2):
        apart = np.linalg.norm(lab(a.colour, VISION[vision]) - lab(b.colour, VISION[vision]))
        assert apart > 10.0, f"{one} and {other}"


def test_water_budget_terms_differ_from_their_neighbours_in_black_and_white():
    for stack in (
        ["inflow", "precipitation", "groundwater", "measures"],
        ["evaporation", "strait", "consumption"],
    ):
        for one, other in itertools.pairwise(stack):
            a, b = style.BUDGET_TERMS[one], style.BUDGET_TERMS[other]
            assert abs(lightness(a.colour) - lightness(b.colour)) > 12.0 or a.hatch != b.hatch


@given(
    st.lists(st.floats(0.0, 10.0), min_size=1, max_size=8),
    st.floats(0.1, 1.0),
)
def test_labels_never_cover_each_other_and_stay_where_there_is_room(centres, height):
    placed = style.spread(centres, [height] * len(centres), 0.0, 10.0)
    assert (np.diff(np.sort(placed)) >= height - 1e-9).all()
    assert placed.min() - height / 2 >= -1e-9
    assert placed.max() + height / 2 <= 10.0 + 1e-9


def test_labels_that_are_far_apart_do_not_move():
    assert_allclose(style.spread([5.0, 1.0, 8.0], [1.0, 1.0, 1.0], 0.0, 10.0), [5.0, 1.0, 8.0])


def test_two_labels_at_one_place_move_aside_by_half_their_height():
    assert_allclose(style.spread([5.0, 5.0], [1.0, 1.0], 0.0, 10.0), [4.5, 5.5])


def test_text_breaks_at_spaces_into_lines_that_fit():
    lines = style.wrap("Sea level of the Caspian in the Baltic Height System", 3.0, 7.0)
    assert " ".join(lines) == "Sea level of the Caspian in the Baltic Height System"
    assert len(lines) > 1
    assert all(style.text_width(line, 7.0) <= 3.0 for line in lines)


# ---- pictures ----------------------------------------------------------------------------------


@picture
def test_picture_of_the_projection():
    return without_letters(projection(RUN))


@picture
def test_picture_of_the_projection_of_one_programme_in_a_column():
    return without_letters(projection(RUN, programme="none", width_cm=8.5))


@picture
def test_picture_of_the_budget():
    return without_letters(budget(RUN, programme="joint"))


@picture
def test_picture_of_the_hypsometry():
    return without_letters(hypsometry(BASIN))


@picture
def test_picture_of_the_hindcast():
    return without_letters(hindcast(HINDCAST))
