"""The brief: its numbers recomputed, its words by the rule, its text escaped, its pages two."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
from click.testing import CliRunner

import caspian_sim as cs
from caspian_sim import cli
from caspian_sim.errors import DataError, OutputError

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("brotli", reason="needs the extra report")

from caspian_sim.briefing.document import brief_html
from caspian_sim.briefing.numbers import percent
from caspian_sim.briefing.svg import inline
from caspian_sim.briefing.words import FOLDER, available, words
from caspian_sim.impacts.northern_basin import northern_dry_share
from caspian_sim.outputs.brief import brief

SCRIPT = "<script>alert('title')</script> & \"more\""
CONFIG = {
    "name": "told",
    "title": SCRIPT,
    "period": {"start": 2026, "end": 2060},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": 128},
    "measures": {
        "custom": [
            {
                "id": "my-canal",
                "state": "AZ",
                "title": "<img src=x onerror=alert(1)>",
                "mechanism": "consumption",
                "volume_km3_per_yr": {"low": 4, "best": 5, "high": 6},
                "start": 2030,
                "grade": "D",
                "source": "</code><script>alert('source')</script>",
            }
        ]
    },
    "programmes": {"none": {}, "joint": {"participants": ["AZ"], "measures": ["my-canal"]}},
    "impacts": {
        "ports": [
            {
                "id": "own",
                "title": "<b>Quay</b>",
                "state": "KZ",
                "depth_m": 7.0,
                "reference_level_m": -28.0,
                "vessel": "dry-cargo-8000",
                "source": "a survey",
            }
        ]
    },
    "outcomes": {"thresholds_m": [-30, -31], "report_years": [2030, 2045, 2060]},
}


class Page(HTMLParser):
    """Elements of a page, what stands in them, and the numbers with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.numbers, self.alts, self.texts, self.inside = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.inside.append(tag)
        if tag == "data":
            self.numbers.append([attrs, ""])
        if attrs.get("role") == "img":
            self.alts.append(attrs["aria-label"])

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.inside):
            self.texts.append(data)
        if "data" in self.inside:
            self.numbers[-1][1] += data

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def changed(**keys):
    return cs.run({**CONFIG, **keys})


@pytest.fixture(scope="module")
def ds():
    return cs.run(CONFIG)


@pytest.fixture(scope="module")
def html(ds):
    return brief_html(ds)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def kept():
    return changed(output={"keep": "quantiles"})


@pytest.fixture(scope="module")
def kept_page(kept):
    return Page(brief_html(kept))


# ---- numbers -----------------------------------------------------------------------------------


def limits_of_ports():
    """Level below which the vessel of a port cannot load in full, from the tables alone."""
    record = cs.data.load("sea_level_annual")["level"]
    vessels = cs.data.load("vessels").to_dataframe().reset_index().set_index("vessel")
    clearance = 0.10
    rows = cs.data.load("ports").to_dataframe().reset_index().to_dict("records")
    rows.append(
        {
            "id": "own",
            "vessel": "dry-cargo-8000",
            "depth": 7.0,
            "stated_as": "depth",
            "reference_level": -28.0,
            "year": np.nan,
        }
    )
    limits = {}
    for row in rows:
        draft = float(vessels.loc[row["vessel"], "draft"])
        needed = draft * (1 + clearance) if row["stated_as"] == "depth" else draft
        level = row["reference_level"]
        if np.isnan(level):
            level = float(record.sel(year=int(row["year"])))
        limits[row["id"]] = level - (row["depth"] - needed)
    return limits


def recomputed(ds, of):
    """Find the number that an element says it is, with xarray and numpy alone."""
    level = ds.sea_level.assign_coords(time=ds.time.dt.year).rename(time="year")
    points = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
    start = float(cs.data.load("sea_level_annual").level.sel(year=2025))
    at = {key: of[f"data-{key}"] for key in ("scenario", "programme") if f"data-{key}" in of}
    year = int(of["data-year"]) if "data-year" in of else None
    quantity, statistic = of["data-quantity"], of["data-statistic"]
    here = level.sel(**at, year=year) if at and year else None
    if quantity == "start_level":
        return start
    if quantity == "sea_level":
        return float(np.quantile(here.values, points[statistic]))
    if quantity == "level_change":
        return float(np.median(here.values)) - start
    if quantity == "gain":
        none = level.sel(scenario=at["scenario"], programme="none", year=year)
        return float(np.quantile(here.values - none.values, points[statistic]))
    if quantity == "below":
        return float((here.values < float(of["data-threshold"])).mean())
    if quantity == "below_start":
        return float((here.values < start).mean())
    if quantity == "impact_below":
        return float((here.values < -28.0 - 5.0).mean())
    if quantity == "share_lost":
        return float(np.quantile(northern_dry_share(here).values, points[statistic]))
    exposed = ds.exposed_seabed.assign_coords(time=ds.time.dt.year).rename(time="year")
    if quantity == "exposed_seabed":
        return float(np.quantile(exposed.sel(**at, year=year).values, points[statistic]))
    if quantity == "seabed_over_part":
        sea = ds.parameters.sel(parameter="area_factor").values * float(cs.hypsometry().area(start))
        return float((exposed.sel(**at, year=year).values > 0.1 * sea).mean())
    if quantity == "state_share":
        by_state = cs.exposed_seabed_by_state(ds).exposed_seabed_by_state
        mean = by_state.sel(**at).isel(time=year - 2026).mean("member")
        return float(mean.sel(state=of["data-state"]) / mean.sum("state"))
    limits = limits_of_ports()
    if quantity == "ports_likely":
        all_here = level.sel(programme=at["programme"], year=year)
        shares = [(all_here < limit).mean("member").values for limit in limits.values()]
        return float(sum((share >= 0.66).all() for share in shares))
    if quantity == "port_below_draft":
        return float((here.values < limits[of["data-port"]]).mean())
    if quantity == "ports":
        return float(len(limits))
    if quantity == "threshold":
        return None
    if quantity == "ports_assumed":
        return None
    given = {"part_of_the_sea": 0.1, "impact_level": -33.0, "impact_loss": 0.81, "reference_level": -28.0}
    return given[quantity]


def test_every_number_of_the_page_is_that_of_the_dataset(ds, page):
    seen = set()
    for of, _ in page.numbers:
        expected = recomputed(ds, of)
        if expected is not None:
            assert float(of["value"]) == pytest.approx(expected, rel=1e-6, abs=1e-6), of
            seen.add(of["data-quantity"])
    assert seen >= {
        "start_level",
        "sea_level",
        "level_change",
        "gain",
        "below",
        "below_start",
        "impact_below",
        "share_lost",
        "exposed_seabed",
        "seabed_over_part",
        "state_share",
        "ports_likely",
        "port_below_draft",
        "ports",
    }
    assert len(page.numbers) > 100


def test_every_number_is_written_as_it_is(page):
    for of, text in page.numbers:
        value = float(of["value"])
        if of["data-unit"] == "1" and of["data-statistic"] not in ("count",):
            assert text == percent(value)
            continue
        written = float(text.replace("−", "-").replace(",", "").replace("+", ""))
        digits = 50.0 if of["data-unit"] == "km2" else 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert written == pytest.approx(value, abs=digits * 1.000001)


def test_words_of_likelihood_are_those_of_the_shares_beside_them(ds, html):
    rows = re.findall(
        r'value="([\d.e-]+)"[^>]*>[^<]*</data> % <span class="small"><strong[^>]*data-term="(\w+)"', html
    )
    assert len(rows) == 4
    for share, key in rows:
        value = float(share)
        likely = ["exceptionally_unlikely", "very_unlikely", "unlikely", "about_as_likely_as_not"]
        likely += ["likely", "very_likely", "virtually_certain"]
        place = sum(value > limit for limit in (0.01, 0.10, 0.33 - 1e-12, 0.66, 0.90 - 1e-12, 0.99 - 1e-12))
        assert key == likely[place]


def test_statement_about_scenarios_goes_from_the_least_to_the_most_likely_one(ds, page):
    below = (ds.sea_level.sel(programme="none").isel(time=-1) < -29.22).mean("member")
    first, last = (percent(float(value)) for value in (below.min(), below.max()))
    names = {"ssp126": "SSP1-2.6", "ssp585": "SSP5-8.5"}
    low, high = (
        names[str(ds.scenario.values[int(place)])] for place in (below.values.argmin(), below.values.argmax())
    )
    text = page.text.replace("\xa0", " ")
    assert re.search(rf"below that of 2025 is .*{first} %.*{low}.* to .*{last} %.*{high}", text)


def test_numbers_of_statistics_alone_are_those_of_the_members(page, kept_page):
    def levels(one):
        return {
            tuple(sorted((key, text) for key, text in of.items() if key != "value")): float(of["value"])
            for of, _ in one.numbers
            if of["data-quantity"] in ("sea_level", "gain", "level_change")
        }

    of_members, of_statistics = levels(page), levels(kept_page)
    assert set(of_members) == set(of_statistics)
    for key, value in of_statistics.items():
        assert value == pytest.approx(of_members[key], abs=1e-5)


# ---- what it says ------------------------------------------------------------------------------


def test_page_says_on_what_its_likelihoods_depend_and_marks_assumptions(page):
    text = page.text
    assert "Every likelihood here is conditional on the model and on its prior assumptions" in text
    assert "How much water measures bring is an assumption with a range (grade D), not data." in text
    assert "Nearest coast is no legal line." in text
    assert "D (assumption)" in text


def test_recipe_holds_hash_version_commands_and_the_configuration_that_runs_again(ds, html, page):
    text = page.text
    assert ds.attrs["config_hash"] in text
    assert "caspian-sim run told.yaml --output results/told" in text
    assert "caspian-sim brief results/told" in text
    for checksum in re.findall(r"[0-9a-f]{64}", ds.attrs["input_sha256"]):
        assert checksum in text
    from html import unescape

    config = unescape(re.search(r'<pre class="config"[^>]*><code>(.*?)</code></pre>', html, re.DOTALL)[1])
    assert config == ds.attrs["config"].rstrip()


def test_every_figure_has_an_alternative_text_with_numbers_of_the_data(ds, page):
    assert len(page.alts) == 5
    median = float(ds.sea_level.sel(scenario="ssp585", programme="joint").isel(time=-1).median("member"))
    assert f"SSP5-8.5, joint programme: −{abs(median):.1f}\xa0m" in page.alts[0]
    assert all(re.search(r"\d", alt) for alt in page.alts)


def test_text_of_a_configuration_is_escaped_wherever_it_stands(html, page):
    assert "script" not in [tag for tag, _ in page.tags]
    assert "b" not in [tag for tag, _ in page.tags]
    assert not [attrs for tag, attrs in page.tags if tag == "img"]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt; &amp; &#34;more&#34;" in html
    assert SCRIPT in page.text
    assert "<b>Quay</b>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text


def test_page_refers_to_nothing_outside_itself(html, page):
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            target = attrs.get(name)
            assert target is None or target.startswith(("#", "data:")), (tag, name, target)
    assert not re.search(r"url\((?!#|data:)", html)
    assert "@import" not in html
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    used = {attrs["href"][1:] for tag, attrs in page.tags if tag == "use"}
    used |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert used <= set(ids)


def test_page_is_the_same_for_the_same_dataset(ds, html):
    assert brief_html(ds) == html


def test_what_statistics_alone_cannot_tell_is_named(kept_page):
    text = kept_page.text
    assert (
        "Seabed, Ports, Ecosystem: needs the members of the run, which were not kept "
        "(output.keep: members or both)." in text
    )
    assert "on some day by the end of 2060" in text
    assert not [of for of, _ in kept_page.numbers if of["data-quantity"] == "below"]


def test_chances_of_statistics_alone_are_the_shares_that_were_kept(kept, kept_page):
    found = [of for of, _ in kept_page.numbers if of["data-quantity"] == "has_been_below"]
    assert found
    for of in found:
        share = kept.share_below.sel(
            event=f"sea level below {of['data-threshold']} m",
            scenario=of["data-scenario"],
            programme=of["data-programme"],
            year=int(of["data-year"]),
        )
        assert float(of["value"]) == pytest.approx(float(share))


def test_few_members_of_one_scenario_and_programme_have_no_words_of_likelihood():
    few = changed(
        climate={"scenarios": ["ssp245"]},
        uncertainty={"members": 20},
        programmes={"none": {}},
        impacts={"catalogue": "none"},
        outcomes={"thresholds_m": [], "report_years": []},
        period={"start": 2026, "end": 2030},
    )
    html = brief_html(few)
    page = Page(html)
    assert "data-term" not in html
    assert "With 20 members no words of likelihood are given: at least 100 are needed for them." in page.text
    assert "Thresholds: the run has no thresholds (outcomes.thresholds_m)." in page.text
    assert "Measures: needs a programme beside the programme none." in page.text
    assert "Ports: the run has no ports." in page.text
    below = (few.sea_level.isel(time=-1) < -29.22).mean()
    text = page.text.replace("\xa0", " ")
    assert f"found in {percent(float(below))} % of 20 members, with no measures" in text


def test_single_member_has_no_range_and_no_likelihood():
    one = changed(
        uncertainty={"members": 1}, period={"start": 2026, "end": 2030}, outcomes={"report_years": [2030]}
    )
    html = brief_html(one)
    assert "data-term" not in html
    assert "A single member has no range and no likelihood." in Page(html).text


def test_dataset_that_is_no_run_is_refused():
    with pytest.raises(DataError) as refused:
        brief_html(cs.hindcast())
    assert str(refused.value) == (
        "a brief cannot be written: 'scenario' is missing\n"
        "    found    Hindcast of the Caspian Sea level 1937-2022\n"
        "    needed   the result of a run: caspian-sim run CONFIG writes one"
    )


@pytest.mark.parametrize("lang", [code for code in available() if code != "en"])
def test_texts_of_another_language_have_the_keys_and_gaps_of_the_english_ones(lang):
    def gaps(text):
        return {field for _, field, _, _ in Formatter().parse(text) if field is not None}

    english, other = words("en").texts, words(lang).texts
    assert set(other) == set(english)
    assert {key: gaps(text) for key, text in other.items()} == {
        key: gaps(text) for key, text in english.items()
    }


def test_every_text_is_used():
    sources = [
        path.read_text(encoding="utf-8")
        for path in FOLDER.parent.rglob("*")
        if path.suffix in (".py", ".jinja")
    ]
    code = "\n".join(sources)
    made = ("likelihood.", "message.", "point.", "rule.", "limits.", "evidence.", "results.", "methods.")
    for key in words("en").texts:
        base = re.sub(r"\.(kept|few|one|single|same)$", "", key)
        assert f'"{key}"' in code or f'"{base}' in code or key.startswith(made), key


def test_drawing_keeps_its_outlines_to_a_hundredth_of_a_point_and_its_scales_whole():
    svg = (
        '<?xml version="1.0"?><!-- words --><svg width="1pt" viewBox="0 0 9 9"><metadata>x</metadata>'
        '<g id="a"><path d="M 1.23456 -7.5 L 0.001 2" transform="scale(0.075 -0.075)"/>'
        '<use xlink:href="#a" x="3.14159"/></g></svg>'
    )
    assert inline(svg, "one") == (
        '<svg viewBox="0 0 9 9" aria-hidden="true" focusable="false">'
        '<g id="one-a"><path d="M 1.23 -7.5 L 0 2" transform="scale(0.075 -0.075)"/>'
        '<use href="#one-a" x="3.14"/></g></svg>'
    )


# ---- files -------------------------------------------------------------------------------------


def typeset():
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


needs_weasyprint = pytest.mark.skipif(not typeset(), reason="weasyprint or Pango is not installed")


@needs_weasyprint
def test_brief_has_two_pages_of_paper_before_its_annex(html):
    from caspian_sim.briefing.pdf import TYPE_PT, _set, pages_before_annex

    assert pages_before_annex(_set(html, TYPE_PT)) == 2


@pytest.mark.slow
@needs_weasyprint
def test_pdf_is_the_same_for_the_same_page(html):
    from caspian_sim.briefing.pdf import brief_pdf

    first = brief_pdf(html, "0123")
    assert first.startswith(b"%PDF-")
    assert first == brief_pdf(html, "0123")


def test_drawings_on_paper_carry_the_alternative_text_of_their_figure(html, page):
    from html import unescape

    from caspian_sim.briefing.pdf import with_titles

    titles = re.findall(r"<svg [^>]*><title>([^<]*)</title>", with_titles(html))
    assert len(titles) == html.count("<svg ")
    assert list(dict.fromkeys(map(unescape, titles))) == page.alts


def test_command_writes_the_page_and_says_where(ds, tmp_path):
    cs.save(ds, tmp_path / "told.nc")
    made = CliRunner().invoke(cli.main, ["brief", str(tmp_path), "--format", "html"])
    assert made.exit_code == 0, made.output
    assert made.output == f"{tmp_path / 'brief' / 'brief.html'}\n"
    assert (tmp_path / "brief" / "brief.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    again = CliRunner().invoke(cli.main, ["brief", str(tmp_path), "--format", "html"])
    assert again.exit_code == 2
    assert again.output == (
        f"{tmp_path / 'brief'}: there are results already\n"
        "    found    brief.html\n"
        "    hint     --overwrite replaces these files and no others; --output writes elsewhere\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "docx"], "a brief cannot be written as 'docx'\n    allowed  html, pdf\n"),
        (
            ["--format", "html", "--lang", "xx"],
            "the brief is not written in the language 'xx'\n    found    'xx'\n",
        ),
        (
            ["--format", "html"],
            "nowhere: no such file\n    hint     caspian-sim run writes results/<name>/<name>.nc\n",
        ),
    ],
)
def test_wrong_input_gives_one_message_and_exit_code_2(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(cli.main, ["brief", "nowhere", *options])
    assert made.exit_code == 2
    assert made.output.startswith(message)


def test_dataset_in_memory_needs_a_folder(ds):
    with pytest.raises(
        OutputError, match=r"^a brief of a dataset in memory needs a folder to be written to$"
    ):
        brief(ds, formats=["html"])


def test_missing_extra_is_named_in_one_line(tmp_path):
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from caspian_sim.cli import main\n"
        f"main(['brief', {str(tmp_path)!r}])"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert made.returncode == 2
    assert made.stderr == 'the brief needs the extra report: pip install "caspian-sim[report]"\n'
    assert made.stdout == ""


def test_help_of_the_command_loads_neither_the_templates_nor_the_typesetter():
    program = (
        "import sys\nfrom caspian_sim.cli import main\n"
        "try:\n    main(['brief', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'jinja2', 'weasyprint', 'xarray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_package_ships_every_language_template_and_style():
    assert (FOLDER / "en.yaml").exists()
    assert {path.name for path in (Path(FOLDER).parent / "template").iterdir()} == {
        "brief.html.jinja",
        "brief.css",
    }
