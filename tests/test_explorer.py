"""The explorer: what it holds, what is read off it, and that a page has the same."""

import base64
import html.parser
import importlib.util
import json
import re
import shutil
import subprocess
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from impact_runs import run_with_levels
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim import cli
from caspian_sim.config import Measure, load_config
from caspian_sim.errors import DataError, OutOfRangeError, OutputError
from caspian_sim.explorer import notebook, page, text
from caspian_sim.explorer.content import BANDS, first_choice, first_likely_year, gather, ticks
from caspian_sim.explorer.encode import UNITS_PER_M, packed, rounded
from caspian_sim.explorer.intensity import BETWEEN, NODES, Dial, carried_out, dial, weights
from caspian_sim.figures.text import ENGLISH
from caspian_sim.outputs.explorer import default_page, write_explorer

HOSTILE = "</script><script>alert(1)</script> & {{levels}}"
CONFIG = {
    "name": "tiny",
    "title": HOSTILE,
    "period": {"start": 2026, "end": 2034},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": 13},
    "measures": {
        "catalogue": "none",
        "custom": [
            {
                "id": "my-canal",
                "state": "AZ",
                "title": "a canal",
                "mechanism": "transfer",
                "volume_km3_per_yr": {"low": 10, "best": 20, "high": 30},
                "start": "2026",
                "grade": "D",
                "source": "assumed",
            },
            {
                "id": "dam",
                "state": "TM",
                "title": "a dam",
                "mechanism": "strait_regulation",
                "opening": 0.0,
                "start": "2026",
                "grade": "C",
                "source": "assumed",
            },
        ],
    },
    "programmes": {
        "none": {},
        "joint": {"participants": ["AZ"]},
        "closed": {"participants": ["TM"], "measures": ["dam"]},
    },
    "outcomes": {"thresholds_m": [-29.4, -31], "report_years": [2030]},
}

NEEDS_BOKEH = pytest.mark.skipif(importlib.util.find_spec("bokeh") is None, reason="needs bokeh")
NEEDS_WIDGETS = pytest.mark.skipif(importlib.util.find_spec("ipywidgets") is None, reason="needs ipywidgets")


def run(**changes):
    return cs.run(load_config({**CONFIG, **changes}))


@pytest.fixture(scope="module")
def ds():
    return run()


@pytest.fixture(scope="module")
def content(ds):
    return gather(ds)


# ---- intensity ----------------------------------------------------------------------------------


def test_weights_give_a_cubic_of_the_intensity_exactly():
    cubic = np.polynomial.Polynomial([1.0, -2.0, 0.5, 0.25])
    for intensity in (0.0, 0.1, 0.62, 1.0, 1.37, 1.5):
        assert_allclose(weights(intensity) @ cubic(np.array(NODES)), cubic(intensity), rtol=1e-13)
        assert_allclose(weights(intensity).sum(), 1.0)


def test_interpolation_is_used_where_it_is_good_and_its_error_is_that_of_the_runs_in_between():
    bend = lambda k: -29.0 + 0.4 * k + 0.004 * np.abs(k - 0.6)  # noqa: E731
    levels = {k: np.full((1, 3, 2), bend(k)) for k in (*NODES, *BETWEEN)}
    found = dial(levels)
    assert found.smooth
    assert found.nodes == NODES
    at_nodes = bend(np.array(NODES))
    expected = max(abs(weights(k) @ at_nodes - bend(k)) for k in BETWEEN)
    assert_allclose(found.error_mm, 1000 * expected)
    assert_allclose(found.member_error_mm, 1000 * expected)


def test_programme_that_cannot_be_interpolated_is_shown_at_what_was_run_alone():
    levels = {k: np.full((1, 3, 2), -29.0 + 0.4 * (k > 0.8)) for k in (*NODES, *BETWEEN)}
    found = dial(levels)
    assert not found.smooth
    assert found.nodes == (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
    assert_allclose(found.at(0, 1.25), -28.6)
    with pytest.raises(OutOfRangeError) as error:
        found.at(0, 0.6)
    assert str(error.value) == (
        "the programme was not run at this intensity\n    found    0.6\n"
        "    allowed  0, 0.25, 0.5, 0.75, 1, 1.25, 1.5"
    )


def test_intensity_closes_the_strait_in_proportion_and_no_further_than_shut():
    dam = Measure.model_validate(CONFIG["measures"]["custom"][1] | {"opening": 0.2})
    assert_allclose([carried_out(dam, k).opening for k in (0.0, 0.5, 1.0, 1.25, 2.0)], [1, 0.6, 0.2, 0, 0])


def test_half_of_a_programme_is_the_run_of_half_its_volume(ds, content):
    canal = CONFIG["measures"]["custom"][0] | {"volume_km3_per_yr": {"low": 5, "best": 10, "high": 15}}
    measures = CONFIG["measures"] | {"custom": [canal, CONFIG["measures"]["custom"][1]]}
    half = run(measures=measures).sea_level.sel(programme="joint").values
    found = [content.dials["joint"].at(i, 0.5) for i in range(2)]
    assert_allclose(found, half, atol=1e-7)


def test_none_and_all_of_a_programme_are_those_of_the_dataset(ds, content):
    level = ds.sea_level
    for i in range(2):
        joint = content.dials["joint"]
        assert_allclose(joint.at(i, 1.0), level.sel(programme="joint").isel(scenario=i), atol=0, rtol=0)
        assert_allclose(joint.at(i, 0.0), level.sel(programme="none").isel(scenario=i), atol=0, rtol=0)


def test_level_between_the_simulated_intensities_is_within_the_stated_error(ds, content):
    joint = content.dials["joint"]
    assert joint.smooth
    assert 0 < joint.error_mm < 5
    canal = CONFIG["measures"]["custom"][0] | {"volume_km3_per_yr": {"low": 12.5, "best": 25, "high": 37.5}}
    measures = CONFIG["measures"] | {"custom": [canal, CONFIG["measures"]["custom"][1]]}
    more = run(measures=measures).sea_level.sel(programme="joint").values
    off = 1000 * max(np.abs(joint.at(i, 1.25) - more[i]).max() for i in range(2))
    assert off <= joint.member_error_mm + 0.01


# ---- content ------------------------------------------------------------------------------------


def test_view_is_what_xarray_reads_off_the_dataset(ds, content):
    view = content.view("ssp585", "joint", 1.0, 0.9, -29.4)
    level = ds.sea_level.sel(scenario="ssp585")
    joint, none = level.sel(programme="joint"), level.sel(programme="none")
    for start, values in (("", joint), ("none_", none), ("gain_", joint - none)):
        points = values.quantile([0.05, 0.5, 0.95], "member")
        for end, expected in zip(("low", "median", "high"), points, strict=True):
            assert_allclose(getattr(view, start + end), expected, atol=1e-12)
    assert_allclose(view.below, (joint < -29.4).mean("member"))
    assert_allclose(view.none_below, (none < -29.4).mean("member"))


def test_months_are_looked_at_as_means_over_calendar_years():
    two = {"uncertainty": {"members": 2}, "programmes": {"none": {}, "joint": {"participants": ["AZ"]}}}
    monthly, annual = run(output={"frequency": "monthly"}, **two), run(**two)
    found = gather(monthly)
    assert_allclose(found.dials["joint"].at(0, 1.0), annual.sea_level[0].sel(programme="joint"), atol=1e-6)
    assert found.dials["joint"].smooth


def test_run_without_a_programme_without_measures_is_compared_with_one_that_is_run_for_it(ds):
    alone = gather(ds.sel(programme=["joint"]))
    assert_allclose(alone.bare, ds.sea_level.sel(programme="none").values, atol=1e-7)


def test_fewer_members_and_one_scenario_keep_their_own_runs(ds, content):
    part = ds.sel(scenario="ssp585", programme=["none", "joint"]).isel(member=[3, 7, 11])
    found = gather(part)
    assert found.scenarios == ("ssp585",)
    assert found.members.tolist() == [3, 7, 11]
    whole = gather(ds)
    assert_allclose(found.dials["joint"].at(0, 0.5), whole.dials["joint"].at(1, 0.5)[[3, 7, 11]], atol=1e-9)


def test_result_of_changed_inputs_is_shown_as_it_is(ds, caplog):
    old = ds.assign_attrs(input_sha256="{}")
    found = gather(old)
    assert found.fixed.startswith("inputs have changed since the result was made: ")
    assert found.dials["joint"].nodes == (1.0,)
    assert "cannot be run at other intensities" in caplog.text
    assert any(paragraph.startswith("Programmes cannot") for paragraph in text.paragraphs(found))


def test_result_that_does_not_come_out_again_is_shown_as_it_is(ds):
    changed = ds.copy()
    changed["sea_level"] = ds.sea_level - 0.01
    assert gather(changed).fixed == ("a new run does not meet the result again: off by 10 mm, allowed 0.1 mm")


def test_run_that_keeps_quantiles_alone_is_refused_in_words():
    kept = run(output={"keep": "quantiles"})
    with pytest.raises(DataError) as error:
        gather(kept)
    assert str(error.value) == (
        "the explorer needs the members of the run\n"
        "    found    statistics over the members alone\n"
        "    hint     run again with output.keep: members or both"
    )


def test_result_of_another_kind_is_refused_in_words(ds):
    with pytest.raises(DataError) as error:
        gather(ds.drop_dims(["scenario", "programme"]))
    assert str(error.value) == (
        "the explorer needs a projection\n    found    a result without scenario\n"
        "    hint     caspian-sim run writes one"
    )


def test_gaps_and_no_members_at_all_are_refused(ds):
    with pytest.raises(DataError, match="the explorer needs levels without gaps"):
        gather(ds.where(ds.member > 3))
    with pytest.raises(OutOfRangeError, match="1 or more"):
        gather(ds, members=0)


def test_unknown_choice_names_what_there_is(content):
    with pytest.raises(OutOfRangeError) as error:
        content.view("ssp999", "joint", 1.0, 0.9, -30)
    assert str(error.value) == (
        "no scenario 'ssp999' to look at\n    found    'ssp999'\n    allowed  ssp126, ssp585"
    )


def test_even_chance_begins_in_the_first_year_of_one_half():
    years = np.arange(2026, 2030)
    assert first_likely_year(years, np.array([0.0, 0.5, 0.4, 0.9])) == 2027
    assert first_likely_year(years, np.array([0.0, 0.1, 0.4, 0.49])) is None


def test_first_choice_is_the_joint_programme_and_a_level_that_the_run_watches(content):
    first = first_choice(content)
    assert (first.programme, first.intensity, first.year) == ("joint", 1.0, 2034)
    assert first.threshold in (-29.4, -31)


def test_years_below_a_chart_are_round():
    assert ticks(1921, 2100) == [1950, 2000, 2050, 2100]
    assert ticks(2026, 2100) == [2040, 2060, 2080, 2100]


def test_half_of_the_measures_assumed_is_counted(content):
    assert content.assumed == {"none": (0, 0), "joint": (1, 1), "closed": (0, 1)}


# ---- page ---------------------------------------------------------------------------------------


def unpacked(content, told):
    """Read the levels of a page as its script does, by means of their own."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(told)), np.uint8)
    shape = (len(content.members), len(content.years))
    blocks = planes.reshape(-1, 4, shape[0] * shape[1])
    whole = blocks.transpose(0, 2, 1).copy().view("<i4").reshape(-1, *shape)
    return iter(np.cumsum(whole, axis=2))


def test_packed_levels_are_those_of_the_dataset_to_a_tenth_of_a_millimetre(ds, content):
    blocks = unpacked(content, packed(content))
    for i in range(2):
        bare = next(blocks)
        assert_allclose(bare / UNITS_PER_M, ds.sea_level.sel(programme="none")[i], atol=5.01e-5)
        for name in content.programmes:
            own = bare + next(blocks)
            assert_allclose(own / UNITS_PER_M, ds.sea_level.sel(programme=name)[i], atol=5.01e-5)
            for node in content.dials[name].nodes:
                if node not in (0.0, 1.0):
                    line = bare + np.floor((own - bare) * (100 * node) / 100)
                    assert (next(blocks) + line == rounded(content.dials[name].at(i, node))).all()
    assert next(blocks, None) is None


class Elements(html.parser.HTMLParser):
    """Text of scripts by their id, labels and what they belong to, and addresses."""

    def __init__(self, page):
        super().__init__()
        self.scripts, self.labels, self.ids, self.addresses, self._inside = {}, set(), set(), [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.add(found.get("id"))
        self.addresses += [found[key] for key in ("src", "href") if key in found]
        if tag == "label":
            self.labels.add(found["for"])
        self._inside = found.get("id", "") if tag == "script" else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data


@pytest.fixture(scope="module")
def written(content):
    pytest.importorskip("bokeh")
    return page.page(content)


def test_page_fetches_nothing_and_escapes_what_a_configuration_says(written):
    elements = Elements(written)
    assert elements.addresses == ["data:,"]
    assert HOSTILE not in written
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{levels}}" in written
    assert json.loads(elements.scripts["content"])["title"] == HOSTILE
    assert len(written) < 3e6


def test_every_control_has_a_label_and_every_word_of_the_script_is_in_the_table(written):
    elements = Elements(written)
    assert elements.labels == {"scenario", "programme", "intensity", "band", "threshold", "year"}
    assert elements.labels <= elements.ids
    used = set(re.findall(r'say\("([\w.]+)"', page._part("page.js")))
    assert used <= set(text.ENGLISH)
    assert set(page.PLACE.findall(page._part("page.html"))) >= {"content", "charts", "levels", "bokeh"}


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_language_has_every_word_with_the_same_values(lang):
    table, places = text.words(lang), re.compile(r"\{(\w+)\}")
    assert set(table) == set(text.ENGLISH)
    for key, words in text.ENGLISH.items():
        assert set(places.findall(table[key])) == set(places.findall(words)), key


def test_page_states_sources_datum_assumptions_and_the_error_of_what_is_in_between(content):
    told = "\n".join(text.paragraphs(content))
    joint = content.dials["joint"]
    assert f"a percentile is off by at most {joint.error_mm:.1f} mm" in told
    assert "metres of the Baltic Height System (m BHS)" in told
    assert "Assumptions (evidence grade D): measures my-canal" in told
    assert "Kazhydromet" in told


def test_step_of_the_intensity_is_fine_where_it_is_interpolated(content):
    programmes = {each["name"]: each for each in page.told(content)["programmes"]}
    joint = programmes[ENGLISH["programme.joint"]]
    assert (joint["nodes"], joint["step"]) == ([0, 50, 100, 150], 5)
    assert programmes[ENGLISH["programme.none"]]["nodes"] == [100]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_script_of_the_page_is_valid(tmp_path):
    (tmp_path / "page.js").write_text(page._part("page.js"), encoding="utf-8")
    subprocess.run(["node", "--check", str(tmp_path / "page.js")], check=True)


# ---- command and notebook -----------------------------------------------------------------------


@pytest.fixture
def saved(ds, tmp_path):
    return cs.save(ds, tmp_path / "tiny" / "tiny.nc")


@NEEDS_BOKEH
def test_command_writes_a_page_beside_the_result_and_never_over_one(saved):
    call = ["explore", str(saved.parent)]
    first = CliRunner().invoke(cli.main, call)
    assert first.exit_code == 0, first.output
    target = saved.parent / "explorer.html"
    assert first.stdout == f"{target}  {target.stat().st_size / 1e6:.1f} MB, 13 members\n"
    again = CliRunner().invoke(cli.main, call)
    assert again.exit_code == 2
    assert "there are results already\n    found    explorer.html" in again.stderr
    few = CliRunner().invoke(cli.main, [*call, "--members", "5", "--programme", "joint", "--overwrite"])
    assert "5 members" in few.stdout
    elements = Elements(target.read_text(encoding="utf-8"))
    told = json.loads(elements.scripts["content"])
    assert "5 of the 13 members of the run" in told["about"][0]
    assert [each["name"] for each in told["programmes"]] == ["no measures", "joint programme"]
    wrong = CliRunner().invoke(cli.main, [*call, "--programme", "jiont", "--overwrite"])
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "the dataset has no programme 'jiont'\n    found    'jiont'\n    allowed  none, joint, closed\n",
    )


def test_name_of_another_kind_of_file_is_refused_before_anything_is_run(saved):
    with pytest.raises(OutputError) as error:
        write_explorer(saved, saved.parent / "page.pdf")
    assert str(error.value) == (
        f"{saved.parent / 'page.pdf'}: not a name for a page\n    found    .pdf\n    allowed  .html"
    )


def test_page_goes_beside_the_dataset(tmp_path):
    assert default_page(tmp_path) == tmp_path / "explorer.html"
    assert default_page(tmp_path / "a.nc") == tmp_path / "explorer.html"


def test_missing_extras_are_named_in_one_line(saved, monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)
    answer = CliRunner().invoke(cli.main, ["explore", str(saved)])
    assert answer.exit_code == 2
    assert answer.stderr == 'the page of the explorer needs bokeh: pip install "caspian-sim[dashboard]"\n'
    with pytest.raises(OutputError) as error:
        cs.explore(saved)
    assert str(error.value) == (
        'the explorer in a notebook needs ipywidgets: pip install "caspian-sim[notebook]"'
    )


@pytest.fixture(scope="module")
def explorer(content):
    pytest.importorskip("ipywidgets")
    return notebook.Explorer(content)


def test_sliders_of_the_notebook_change_picture_and_numbers(explorer, ds):
    before = explorer._image.value
    explorer.controls["threshold"].value = -29.5
    explorer.controls["scenario"].value = "ssp585"
    explorer.controls["year"].value = 2030
    assert explorer._image.value != before
    joint = ds.sea_level.sel(scenario="ssp585", programme="joint", time="2030").squeeze()
    assert f"<b>−{-float(joint.median()):.2f} m</b>" in explorer._numbers.value
    assert f"<b>{100 * float((joint < -29.5).mean()):.0f} %</b>" in explorer._numbers.value


def test_intensity_of_the_notebook_follows_the_programme(explorer):
    explorer.controls["programme"].value = "joint"
    explorer.controls["intensity"].value = 1.25
    assert explorer.choice.intensity == 1.25
    explorer.controls["programme"].value = "none"
    assert explorer.controls["intensity"].disabled
    assert explorer.choice.intensity == 1.0
    explorer.controls["programme"].value = "joint"
    assert not explorer.controls["intensity"].disabled
    assert "image" not in explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()


@NEEDS_WIDGETS
def test_public_name_takes_a_file_a_folder_and_a_dataset(ds, tmp_path):
    none = ds.sel(programme=["none"])  # nothing to run
    saved = cs.save(none, tmp_path / "none.nc")
    for results in (saved, saved.parent, none):
        assert cs.explore(results, members=3).content.members.tolist() == [0, 1, 2]


@pytest.mark.parametrize("band", BANDS)
def test_chart_of_the_notebook_draws_the_band_of_the_view(explorer, content, band):
    explorer.controls["band"].value = band
    first = explorer.choice
    view = content.view(first.scenario, first.programme, first.intensity, band, first.threshold)
    corners = explorer._chart._bands[""].get_paths()[0].vertices
    years = len(content.years)
    assert_allclose(corners[:years, 1], view.low)
    assert_allclose(corners[years : 2 * years, 1], view.high[::-1])


def test_constant_levels_give_the_numbers_that_they_must():
    example = run_with_levels(np.array([-29.0, -30.0, -31.0, -32.0, -33.0])[:, None] * np.ones(75))
    found = gather(example.sel(programme=["none"]))
    assert found.fixed == "no programme of the run has measures"
    view = found.view("ssp126", "none", 1.0, 0.5, -30.5)
    assert_allclose([view.low[0], view.median[0], view.high[0], view.below[0]], [-32, -31, -30, 0.6])
    assert_allclose(view.gain_median, 0.0)


def test_dial_of_a_programme_as_run_has_one_intensity():
    only = Dial((1.0,), np.zeros((1, 1, 2, 2)))
    assert_allclose(only.at(0, 1.0), 0.0)
    with pytest.raises(OutOfRangeError):
        only.at(0, 0.5)
