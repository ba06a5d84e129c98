"""The pack: new figures, styles, languages, and the command that draws all of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from drawn_pages import assert_legible, foreign_words
from numpy.testing import assert_allclose
from test_figures import HINDCAST, RUN, draws, picture, without_letters, words_of
from tiny_results import run, subjects

from caspian_sim import cli
from caspian_sim.errors import ConfigError, DataError, OutputError
from caspian_sim.figures import draw, language, looking, style, text
from caspian_sim.figures.change import change, change_table
from caspian_sim.figures.crossing import crossing, crossing_table, first_year
from caspian_sim.figures.flows import flows, flows_table
from caspian_sim.figures.language import available, english, load_language, read_texts, texts_yaml
from caspian_sim.figures.pack import PACK, Subjects
from caspian_sim.results import save

OF_THE_PACK = pytest.mark.parametrize("name", [name for name in PACK if not name.startswith("literature")])


# ---- crossing ------------------------------------------------------------------------------------


def test_probability_of_a_crossing_is_the_share_of_members_that_have_been_below():
    table = crossing_table(run(), programme="none")
    assert list(table["threshold_m_bhs"].unique()) == [-30.0, -32.5]
    for s, scenario in enumerate(["ssp126", "ssp245", "ssp370", "ssp585"]):
        for threshold in (-30.0, -32.5):
            rows = table[(table["scenario"] == scenario) & (table["threshold_m_bhs"] == threshold)]
            level = RUN["sea_level"].values[s, 0]
            lowest = np.minimum.accumulate(level, axis=-1)
            assert_allclose(rows["share_below"], (lowest < threshold).mean(axis=0))
            assert (np.diff(rows["share_below"]) >= 0.0).all()


def test_crossing_draws_its_table_in_per_cent_and_names_the_even_year():
    table, fig = crossing_table(run()), crossing(run())
    for _, rows in table.groupby(["threshold_m_bhs", "scenario", "programme"]):
        assert draws(fig, rows["year"].to_numpy(), 100.0 * rows["share_below"].to_numpy())
    rows = table[(table["scenario"] == "ssp585") & (table["programme"] == "none")]
    year = first_year(rows[rows["threshold_m_bhs"] == -30.0])
    assert str(year) in words_of(fig).split()


def test_first_even_year_is_that_in_which_half_the_members_are_below():
    table = crossing_table(run(), thresholds=[-30.0], programme="none")
    rows = table[table["scenario"] == "ssp370"]
    share = dict(zip(rows["year"], rows["share_below"], strict=True))
    year = first_year(rows)
    assert share[year] >= 0.5 > share[year - 1]
    assert first_year(rows, probability=1.1) is None


def test_crossing_of_a_run_that_kept_statistics_is_that_of_its_members():
    members = crossing_table(run())
    share = members.set_index(["scenario", "programme", "year", "threshold_m_bhs"])["share_below"].to_xarray()
    share = share.rename(threshold_m_bhs="event")
    share = share.assign_coords(event=[f"sea level below {h:g} m" for h in share["event"].values])
    kept = run().isel(programme=[0, 1]).drop_dims(["member", "event"])
    again = crossing_table(kept.assign(share_below=share, sea_level_quantile=0.0))
    assert_allclose(again["share_below"], members["share_below"])


def test_level_that_the_run_did_not_watch_is_refused_with_those_it_did():
    with pytest.raises(DataError) as error:
        crossing(run(), thresholds=[-31.0])
    assert str(error.value) == (
        "the run did not watch the level -31 m\n    found    -31\n    allowed  -30, -32.5"
    )
    none = run().assign_attrs(config=run().attrs["config"].replace("[-30, -32.5]", "[]"))
    with pytest.raises(DataError) as error:
        crossing(none)
    assert str(error.value) == (
        "figure 'crossing' cannot be drawn: the run watched no level\n"
        "    hint     run again with outcomes.thresholds_m: [-30, -31, -33]"
    )


# ---- flows ---------------------------------------------------------------------------------------


def test_streams_into_the_sea_equal_those_out_of_it_in_every_decade():
    table = flows_table(run(), scenario="ssp370", programme="joint")
    sums = table.groupby(["first_year", "side"])["flux_km3_per_yr"].sum().unstack("side")
    assert_allclose(sums["in"], sums["out"])
    assert (table["flux_km3_per_yr"] > 0.0).all()


def test_streams_are_the_fluxes_of_the_budget_and_the_storage_closes_them():
    table = flows_table(run(), scenario="ssp370", programme="joint")
    rows = table[(table["kind"] == "projected") & (table["first_year"] == 2051)]
    found = {(side, term): flux for side, term, flux in rows[["side", "term", "flux_km3_per_yr"]].values}
    assert found == pytest.approx(
        {
            ("in", "inflow"): 260.0,
            ("in", "precipitation"): 75.0,
            ("in", "groundwater"): 4.0,
            ("in", "measures"): 8.0,
            ("in", "storage"): 8.0,
            ("out", "evaporation"): 342.0,
            ("out", "strait"): 9.0,
            ("out", "consumption"): 4.0,
        }
    )


def test_streams_show_the_last_observed_decade_the_middle_and_the_end():
    words = words_of(flows(run()))
    for heading in ("2011–2020, observed", "2051–2060, projected", "2091–2100, projected", "sea\n−16 km³/yr"):
        assert heading in words
    assert "2031–2040" in words_of(flows(run(), decades=[2031]))
    with pytest.raises(
        DataError, match="there is no decade from 2030\n    found    2030\n    allowed  2001, "
    ):
        flows(run(), decades=[2030])


# ---- change --------------------------------------------------------------------------------------


def shrinking(depth: float, rain: float) -> xr.Dataset:
    """A run in which depths never change and the sea shrinks."""
    ds = run().copy()
    return ds.assign(
        evaporation=depth * ds["sea_area"] * 1e-6 + 0.0 * ds["evaporation"],
        precipitation=rain * ds["sea_area"] * 1e-6 + 0.0 * ds["evaporation"],
    )


def test_sea_that_shrinks_under_constant_depths_changes_by_its_area_alone():
    ds = shrinking(950.0, 200.0)
    table = change_table(ds, scenario="ssp585", programme="none").set_index("term")
    area = ds["sea_area"].sel(scenario="ssp585", programme="none").values
    lost = area[:, :20].mean(axis=1) - area[:, -20:].mean(axis=1)
    assert table.loc["smaller_sea", "mean_km3_per_yr"] == pytest.approx(750.0e-6 * lost.mean())
    for term in ("inflow", "evaporation_rate", "precipitation_rate", "strait", "groundwater"):
        assert table.loc[term, "mean_km3_per_yr"] == pytest.approx(0.0, abs=1e-9)
    net = table["mean_km3_per_yr"]
    assert net["after"] - net["before"] == pytest.approx(750.0e-6 * lost.mean())


def test_parts_of_the_change_add_up_to_it_whatever_the_fluxes_do():
    noise = np.random.default_rng(3).normal(1.0, 0.2, RUN["evaporation"].shape)
    ds = run().assign(
        evaporation=RUN["evaporation"] * noise, strait_outflow=RUN["strait_outflow"] * noise[::-1]
    )
    for periods in (None, ((2030, 2034), (2061, 2099))):
        means = change_table(ds, programme="joint", periods=periods).set_index("term")["mean_km3_per_yr"]
        parts = means.drop(["before", "after"]).sum()
        assert means["after"] - means["before"] == pytest.approx(parts, abs=1e-9)
        if periods:
            years = slice(2061 - 2026, 2100 - 2026)
            expected = 260.0 + 75.0 + 4.0 + 8.0 - 4.0
            lost = (ds["evaporation"] + ds["strait_outflow"]).values[1, 1][:, years].mean()
            assert means["after"] == pytest.approx(expected - lost)


def test_change_leaves_out_what_no_member_has_and_refuses_years_beyond_the_run():
    assert "measures" not in [tick.get_text() for tick in change(run()).axes[0].get_yticklabels()]
    with pytest.raises(DataError) as error:
        change(run(), periods=((2026, 2030), (2090, 2105)))
    assert str(error.value) == (
        "the run has no period 2090–2105\n    found    2090–2105\n"
        "    allowed  years from 2026 to 2100, the first before the last"
    )
    with pytest.raises(DataError, match="figure 'change' cannot be drawn: variable 'sea_area' is missing"):
        change(RUN)


@pytest.mark.parametrize("width", [16.0, 8.5])
@pytest.mark.parametrize("figure", [crossing, flows, change])
def test_new_figures_are_legible_on_a_page_and_in_a_column(figure, width):
    fig = figure(run(), programme="joint", width_cm=width)
    assert_legible(fig)
    assert fig.get_figwidth() * 2.54 == pytest.approx(width)


# ---- styles and languages ------------------------------------------------------------------------


@OF_THE_PACK
def test_russian_slide_is_legible_and_has_no_english_left(name):
    with looking("slides"), language("ru"):
        fig = PACK[name].draw(subjects()[name])
    words = assert_legible(fig)
    assert fig.get_figwidth() / fig.get_figheight() == pytest.approx(16 / 9)
    assert foreign_words(words, {"Funnel"}) == set()
    assert not re.search(
        r"\d\.\d", re.sub(r"caspian_sim [\d.]+|(?:SSP|\b)\d-\d\.\d|\d+\.\d+/|CC BY [\d.]+", "", words)
    )


@pytest.mark.parametrize("name", ["projection", "checklist", "variance", "traces", "joint", "shoreline"])
def test_page_without_colours_has_none_and_is_legible(name):
    with looking("bw"):
        fig = PACK[name].draw(subjects()[name])
    assert_legible(fig)
    pixels = np.asarray(fig.canvas.buffer_rgba())[..., :3]
    assert (np.ptp(pixels.astype(int), axis=-1) <= 1).all()
    assert len(np.unique(pixels)) > 10


@pytest.mark.parametrize("name", ["projection", "flows", "alone", "target", "ports"])
def test_russian_page_is_legible(name):
    with language("ru"):
        assert_legible(PACK[name].draw(subjects()[name]))


def test_text_of_a_slide_is_larger_against_its_width_than_that_of_a_page():
    page, slide = (draw("projection", run(), style=look) for look in ("report", "slides"))
    assert 9.6 / slide.get_figwidth() > 7.0 / page.get_figwidth()
    assert slide.png_dpi * slide.get_figwidth() == pytest.approx(2560)


def test_style_and_language_end_with_the_block():
    before = words_of(flows(run()))
    with looking("bw"), language("ru"):
        assert "речной приток" in words_of(flows(run()))
        assert style.SCENARIOS["ssp585"].colour == "#000000"
    assert words_of(flows(run())) == before
    assert style.SCENARIOS["ssp585"].colour == "#4A1040"


def test_figure_keeps_the_style_and_language_that_it_was_made_in():
    with looking("bw"), language("ru"):
        fig = crossing(run())
    first = fig._repr_png_()
    with looking("slides"):
        assert fig._repr_png_() == first


def test_scenarios_without_colours_get_darker_with_emissions_and_differ_by_hatch():
    with looking("bw"):
        marks = list(style.SCENARIOS.values())
    assert [mark.colour for mark in marks] == sorted((mark.colour for mark in marks), reverse=True)
    assert len({mark.hatch for mark in marks}) == len(marks)


def test_unknown_style_or_figure_is_refused_with_what_there_is():
    with pytest.raises(OutputError) as error:
        draw("flows", run(), style="poster")
    assert str(error.value) == "there is no style 'poster'\n    allowed  report, slides, bw"
    with pytest.raises(DataError) as error:
        draw("crossings", run())
    assert str(error.value) == (
        f"there is no figure 'crossings'\n    found    'crossings'\n    allowed  {', '.join(PACK)}\n"
        "    hint     did you mean 'crossing'?"
    )


def test_numbers_have_the_marks_of_their_language():
    assert text.number(-12345.678, 1) == "−12,345.7"
    with language("ru"):
        assert text.number(-12345.678, 1) == "−12\u00a0345,7"
        assert text.number(1995, grouped=False) == "1995"


def test_every_figure_of_the_pack_says_what_it_needs():
    for name, figure in PACK.items():
        assert figure.name == name
        assert figure.title
        assert figure.needed or figure.compute


@pytest.mark.parametrize("name", ["joint", "alone", "shapley", "burden", "target", "marginal", "delay"])
def test_figure_of_measures_finds_its_result_beside_a_run_and_is_refused_without(name):
    ds = subjects()[name]
    assert Subjects([run(), ds]).of(PACK[name]) is ds
    with pytest.raises(DataError) as error:
        draw(name, run())
    assert str(error.value) == (
        f"figure {name!r} cannot be drawn: variable {PACK[name].missing(run())[0]!r} is missing\n"
        f"    needed   a result of {PACK[name].command}"
    )


# ---- texts ---------------------------------------------------------------------------------------


def test_every_shipped_language_has_every_text_with_the_same_gaps():
    assert available() == ["en", "ru"]
    for code in available():
        table = {**english(), **load_language(code)} if code == "en" else load_language(code)
        assert set(english()) <= set(table)
    assert {key.partition(".")[0] for key in set(load_language("ru")) - set(english())} <= {
        "measure",
        "programme",
    }


def test_no_russian_text_is_left_in_english():
    same = {key for key, words in load_language("ru").items() if key in english() and words == english()[key]}
    assert all(not re.search(r"[a-z]{3,}", re.sub(r"\{\w+\}", "", english()[key])) for key in same)


def test_texts_written_for_a_translator_read_back(tmp_path):
    file = tmp_path / "az.yaml"
    file.write_text(texts_yaml("ru"), encoding="utf-8")
    assert dict(read_texts(file)) == dict(load_language("ru"))
    with language(str(file)):
        assert PACK["flows"].title == "Откуда в Каспийское море приходит вода и куда уходит"


def broken(tmp_path: Path, edit) -> str:
    file = tmp_path / "az.yaml"
    file.write_text(edit(texts_yaml("en")), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_texts(file)
    return str(error.value).replace(str(file), "az.yaml")


def test_missing_text_is_named(tmp_path):
    assert broken(tmp_path, lambda words: re.sub(r'"axis\.(year|flux)".*\n', "", words)) == (
        f"az.yaml: 2 of {len(english())} texts are missing\n"
        "    missing  axis.year, axis.flux\n"
        "    hint     caspian-sim figures --texts FILE writes all of them in English"
    )


def test_unknown_text_is_named_with_its_line_and_the_nearest(tmp_path):
    assert broken(tmp_path, lambda words: '"axis.yeer": "İl"\n' + words) == (
        "az.yaml:1: unknown text 'axis.yeer'\n    hint     did you mean 'axis.year'?"
    )


def test_text_with_other_gaps_is_refused(tmp_path):
    assert broken(tmp_path, lambda words: words.replace('"below {level} m"', '"{levels} m"')) == (
        f"az.yaml:{line_of('crossing.level')}: "
        "the text 'crossing.level' does not have the gaps of the English one\n"
        "    found    {levels}\n"
        "    needed   {level}"
    )
    assert "found    braces that do not match" in broken(
        tmp_path, lambda words: words.replace('"below {level} m"', '"{level m"')
    )


def line_of(key: str) -> int:
    return next(i for i, line in enumerate(texts_yaml("en").splitlines(), 1) if line.startswith(f'"{key}"'))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("- a\n- b\n", 'az.yaml: a file of texts is a map\n    allowed  key: "text", one a line'),
        ("axis.year: [1]\n", "az.yaml:1: 'axis.year' is not a text"),
        ("axis.year: a\naxis.year: b\n", "az.yaml:2: 'axis.year' is there twice, first in line 1"),
        ("axis.year: 'a\n", "az.yaml:2: not valid YAML\n    found    found unexpected end of stream"),
    ],
)
def test_file_that_is_no_table_of_texts_is_refused(tmp_path, words, message):
    assert broken(tmp_path, lambda _: words) == message


def test_language_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError) as error:
        load_language("az")
    assert str(error.value) == (
        "there is no language 'az'\n    found    'az'\n"
        "    allowed  en, ru, or a file of texts such as az.yaml"
    )
    with pytest.raises(ConfigError, match="the file of texts cannot be read\n    found    No such file"):
        load_language(str(tmp_path / "none.yaml"))


# ---- the command ---------------------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A folder with the result of a run."""
    folder = tmp_path_factory.mktemp("results") / "tiny"
    ds = run().isel(scenario=[1, 3], programme=[0, 1]).assign_attrs(input_sha256="{}")
    save(ds, folder / "tiny.nc")
    return folder


def test_figures_that_are_asked_for_are_written_with_their_numbers(results, tmp_path):
    answer = call(
        "figures", results, "--only", "flows,change", "--format", "svg,pdf", "--output", tmp_path / "out"
    )
    assert answer.exit_code == 0, answer.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{name}.{ending}" for name in ("flows", "change") for ending in ("svg", "pdf", "csv")
    }
    assert answer.output == (
        f"flows            {text.ENGLISH['flows.title']}\nchange           {text.ENGLISH['change.title']}\n\n"
        f"2 figures in {tmp_path / 'out'}\n"
    )
    again = call("figures", results, "--only", "flows", "--format", "svg", "--output", tmp_path / "out")
    assert again.exit_code == 2
    assert "there are results already\n    found    flows.svg, flows.csv" in again.output
    first = (tmp_path / "out" / "flows.svg").read_bytes()
    same = call("figures", results, "--only", "flows", "--output", tmp_path / "out", "--overwrite", "--quiet")
    assert (same.exit_code, same.output) == (0, "")
    assert (tmp_path / "out" / "flows.svg").read_bytes() == first


def test_pack_of_a_run_leaves_out_what_it_has_no_data_for_and_says_so(results, monkeypatch):
    monkeypatch.setattr("caspian_sim.figures.pack.hindcast", lambda: HINDCAST)
    few = ("flows", "hindcast", "checklist", "hypsometry", "variance")
    monkeypatch.setattr("caspian_sim.outputs.pack.PACK", {name: PACK[name] for name in few})
    answer = call("figures", results / "tiny.nc", "--format", "svg", "--lang", "ru", "--style", "bw")
    assert answer.exit_code == 0, answer.output
    folder = results / "pack" / "bw-ru"
    made = {path.stem for path in folder.glob("*.svg")}
    assert made == {"flows", "hindcast", "hypsometry"}
    lines = answer.output.splitlines()
    why = "variable 'variance_share' is missing (needs a result of caspian-sim variance)"
    assert f"variance         skipped: {why}" in lines
    assert "checklist        skipped: variable 'bias' is missing" in lines
    assert lines[-1] == f"3 figures in {folder}"


def test_figure_that_is_asked_for_and_cannot_be_drawn_is_an_error(results):
    answer = call("figures", results, "--only", "flows,variance")
    assert answer.exit_code == 2
    assert answer.output == (
        "figure 'variance' cannot be drawn: variable 'variance_share' is missing\n"
        "    needed   a result of caspian-sim variance\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--only", "projektion"],
            f"there is no figure 'projektion'\n    found    'projektion'\n    allowed  {', '.join(PACK)}\n"
            "    hint     did you mean 'projection'?\n",
        ),
        (["--format", "png,gif"], "figures cannot be written as 'gif'\n    allowed  png, svg, pdf\n"),
        (["--format", ","], "no format of figures is given\n    allowed  png, svg, pdf\n"),
        (
            ["--lang", "fa"],
            "there is no language 'fa'\n    found    'fa'\n"
            "    allowed  en, ru, or a file of texts such as az.yaml\n",
        ),
    ],
)
def test_what_the_command_does_not_know_is_refused(results, options, message):
    answer = call("figures", results, *options)
    assert (answer.exit_code, answer.output) == (2, message)


def test_folder_without_results_is_refused(tmp_path):
    answer = call("figures", tmp_path)
    assert answer.exit_code == 2
    assert answer.output == (
        f"{tmp_path}: no results\n    found    no NetCDF file and no Zarr folder\n"
        "    hint     caspian-sim run writes results/<name>/<name>.nc\n"
    )
    assert "Missing argument 'RESULTS...'" in call("figures").output


def test_results_in_folders_below_are_found(results, tmp_path):
    answer = call(
        "figures", results.parent, "--only", "flows", "--format", "svg", "--output", tmp_path / "out"
    )
    assert answer.exit_code == 0, answer.output


def test_figures_are_listed_and_texts_written_without_results(tmp_path):
    listed = call("figures", "--list", "--lang", "ru").output
    assert "flows            Откуда в Каспийское море" in listed
    assert listed.count("from caspian-sim") == len(PACK)
    answer = call("figures", "--texts", tmp_path / "kk.yaml")
    assert answer.output == (
        f"{tmp_path / 'kk.yaml'}: written\n"
        f"next: translate it, then caspian-sim figures RESULTS --lang {tmp_path / 'kk.yaml'}\n"
    )
    assert call("figures", "--texts", tmp_path / "kk.yaml").exit_code == 2


# ---- pictures ------------------------------------------------------------------------------------


@picture
def test_picture_of_the_crossings():
    return without_letters(crossing(run()))


@picture
def test_picture_of_the_streams():
    return without_letters(flows(run(), programme="joint"))


@picture
def test_picture_of_the_change_on_a_slide_without_its_letters():
    with looking("slides"):
        return without_letters(change(run(), scenario="ssp585", programme="joint"))


@picture
def test_picture_of_the_projection_without_colours():
    with looking("bw"):
        return without_letters(draw("projection", run()))
