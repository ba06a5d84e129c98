"""The comparison with the literature: attribution by algebra, the basis by hand, sensitivities by runs."""

from __future__ import annotations

import io
import re
from itertools import product

import matplotlib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from drawn_pages import assert_legible, foreign_words
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.config import load_config
from caspian_sim.errors import ConfigError, DataError
from caspian_sim.evaluate import literature as module
from caspian_sim.evaluate.attribution import alone, shares_over_orders
from caspian_sim.evaluate.central import central_level, central_plan, needed_values
from caspian_sim.evaluate.comparison import attribution_table, comparison_table, decomposition_table
from caspian_sim.evaluate.published import published, short_citation
from caspian_sim.figures import draw
from caspian_sim.outputs import literature as outputs

matplotlib.use("Agg")

MEMBERS = 8
EVAPORATION, VOLGA = "evaporation_sensitivity", "volga_sensitivity"


def outcome_of(function, changes):
    """Outcome by whether each change is made."""
    values = np.array([function(*made) for made in product((0, 1), repeat=changes)], dtype=float)
    return values.reshape((2,) * changes + values.shape[1:])


# ---- attribution --------------------------------------------------------------------------------


def test_changes_that_add_up_have_what_they_add_as_their_share():
    outcome = outcome_of(lambda a, e, r: [7.0 - 3.0 * a - 2.0 * e + 0.5 * r, 10.0 * e], 3)
    assert_allclose(shares_over_orders(outcome, 3), [[-3.0, 0.0], [-2.0, 10.0], [0.5, 0.0]], atol=1e-14)
    assert_allclose(alone(outcome, 3), shares_over_orders(outcome, 3), atol=1e-14)


def test_what_two_changes_do_only_together_is_shared_by_halves():
    outcome = outcome_of(lambda a, e, r: a + 6.0 * a * e + 0.0 * r, 3)
    assert_allclose(shares_over_orders(outcome, 3), [4.0, 3.0, 0.0])
    assert_allclose(alone(outcome, 3), [1.0, 0.0, 0.0])


def test_shares_add_up_to_what_all_changes_do():
    outcome = np.random.default_rng(3).normal(size=(2, 2, 2, 5, 4))
    total = outcome[1, 1, 1] - outcome[0, 0, 0]
    assert_allclose(shares_over_orders(outcome, 3).sum(axis=0), total, rtol=1e-12)


# ---- what is published, on one basis --------------------------------------------------------------


def test_a_change_from_a_stated_year_is_moved_by_the_observed_level():
    level = cs.data.load("sea_level_annual")["level"]
    rows = published()
    assert_allclose(rows.at["renssen_2007_a1b", "change"], -4.5 - 27.07 + 28.24)
    shift = float(level.sel(year=2021) - level.sel(year=2020))
    for column, value in (("change", -4.4), ("low", -11.0), ("high", 1.6)):
        assert_allclose(rows.at["hoseini_2024_high", column], value + shift)
    assert rows.at["hoseini_2024_high", "basis"] == "since 2020"
    assert_allclose(rows.at["kazhydromet_optimistic_2050", "change"], -32.4 + 28.24)


def test_a_change_without_a_year_stays_as_published_and_says_so():
    row = published().loc["samant_prange_2023_ssp585"]
    assert (row["change"], row["low"], row["high"], row["basis"]) == (-14.0, -21.0, -11.0, "as published")


def test_limits_ends_middles_and_levels_are_told_apart():
    rows = published()
    assert rows.groupby("meaning").size().to_dict() == {
        "": 1,
        "centre": 7,
        "end of range": 2,
        "level": 4,
        "limit": 4,
    }
    assert set(rows.index[rows["meaning"] == "limit"].str[:12]) == {"koriche_2021"}
    assert np.isnan(rows.at["koriche_2021_extraction", "change"])


def test_names_are_short():
    assert short_citation("Prange, Wilke & Wesselingh (2020) Commun.") == "Prange et al. (2020)"
    assert short_citation("Samant & Prange (2023) Commun. Earth") == "Samant & Prange (2023)"
    assert short_citation("Kazhydromet") == "Kazhydromet"


def test_the_volga_of_kalugin_is_its_change_over_the_warming_since_1970_to_1999():
    gmst = cs.data.load("gmst_observed").gmst_anomaly
    since = gmst.sel(year=slice(1970, 1999)).mean() - gmst.sel(year=slice(1995, 2014)).mean()
    assert_allclose(module.kalugin_volga_sensitivity(), -10.5 / (1.75 - (0.8366 + float(since))), rtol=1e-4)


# ---- what is needed ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    return cs.literature(members=MEMBERS, overrides=["solver.steps_per_month=1"])


def run_again(result, area, scenario, end, **changed):
    """Run the central configuration again through the main road."""
    centre = dict(zip(result["parameter"].values, result["centre"].values, strict=True))
    ds = cs.run(
        {
            "name": "again",
            "period": {"start": 2026, "end": end},
            "climate": {"scenarios": [scenario], "area_convention": area},
            "uncertainty": {"members": 1, "variability": False},
            "parameters": {str(name): float(value) for name, value in (centre | changed).items()},
        }
    )
    return float(ds.sea_level.isel(time=-1).squeeze())


@pytest.mark.parametrize("area", ["dynamic", "constant"])
@pytest.mark.parametrize("name", [EVAPORATION, VOLGA])
@pytest.mark.parametrize(
    "comparison", ["samant_prange_2023_ssp245", "hoseini_2024_high", "kazhydromet_pessimistic_2050"]
)
def test_the_sensitivity_that_is_needed_reproduces_the_publication(result, comparison, name, area):
    row = result.sel(comparison=comparison)
    value = float(row[f"needed_{name}"].sel(area=area))
    level = run_again(result, area, str(row["beside"].item()), int(row["horizon"]), **{name: value})
    assert_allclose(level - result.attrs["basis_level"], float(row["change"]), rtol=0.0, atol=0.001)


def test_a_level_that_nothing_allowed_reaches_has_no_sensitivity():
    plan = central_plan(load_config(module.BASE), "dynamic", 2040)
    centre = {name: prior.best for name, prior in cs.data.parameters().items()}
    wanted = central_level(plan, centre, {VOLGA: np.array([3.0])}, [2040], ["ssp245"])[0, 0]
    found = needed_values(
        plan, centre, [VOLGA] * 2, [-2.0] * 2, ["ssp245"] * 2, np.array([-60.0, wanted]), [2040] * 2
    )
    assert np.isnan(found[0])
    assert_allclose(found[1], 3.0, atol=1e-2)


# ---- the comparison ----------------------------------------------------------------------------------


def test_the_parts_add_up_to_the_gap(result):
    assert_allclose(result["part"].sum("parts", skipna=False), result["gap"], atol=1e-12)
    median = result["own_change"].sel(area="dynamic", quantile=0.5)
    assert_allclose(result["gap"], result["change"] - median, atol=1e-12)
    area = float(result["part"].sel(comparison="samant_prange_2023_ssp585", parts="area"))
    levels = [run_again(result, convention, "ssp585", 2100) for convention in ("constant", "dynamic")]
    assert_allclose(area, levels[0] - levels[1], atol=0.01)
    assert area < -2.0


def test_the_shares_add_up_to_the_way_from_the_median_to_the_high_configuration(result):
    ensemble = result["central_change"] - result["median_change"]
    assert_allclose(
        result["share"].sum("factor") + ensemble, result["high_change"] - result["median_change"], atol=1e-12
    )
    high = {EVAPORATION: 90.0, VOLGA: module.kalugin_volga_sensitivity()}
    level = run_again(result, "constant", "ssp370", 2050, **high)
    found = float(result["high_change"].sel(scenario="ssp370", year=2050))
    assert_allclose(found, level - result.attrs["basis_level"], atol=1e-3)


def test_ours_are_the_quantiles_of_an_ordinary_run(result):
    quantiles = [0.05, 0.5, 0.95]
    for area in ("dynamic", "constant"):
        changes = [f"uncertainty.members={MEMBERS}", f"climate.area_convention={area}"]
        level = cs.run(module.BASE, overrides=changes).sea_level.sel(scenario="ssp585", time="2100")
        found = result["own_change"].sel(comparison="hoseini_2024_high", area=area, quantile=quantiles)
        expected = level.squeeze().quantile(quantiles) - result.attrs["basis_level"]
        assert_allclose(found, expected, atol=1e-3)


def test_a_configuration_keeps_its_parameters_and_consumption_but_not_its_scenarios():
    mine = {
        "name": "mine",
        "period": {"start": 2026, "end": 2040},
        "climate": {"scenarios": ["ssp119"], "area_convention": "constant"},
        "uncertainty": {"members": 3},
        "consumption": {"change": {"RU": {2030: 0, 2040: 5}}},
        "programmes": {"act": {"participants": ["KZ"]}},
    }
    config = module._comparable(load_config(mine), published())
    assert config.climate.scenarios == ("ssp119", "ssp245", "ssp370", "ssp585")
    assert (config.period.end, list(config.programmes)) == (2100, ["none"])
    assert module._water_use(config) == "growth of the use of water by RU as configured; no measures"


def test_a_start_after_the_first_projection_is_refused():
    late = {"name": "late", "period": {"start": 2040, "end": 2100}, "initial": {"level_m": -30.0}}
    with pytest.raises(ConfigError) as error:
        cs.literature(late)
    assert str(error.value) == (
        "the comparison starts too late for projections of 2030\n"
        "    found    period.start 2040\n"
        "    allowed  up to 2030"
    )


def test_no_scenario_means_nothing_beside_it(result):
    row = result.sel(comparison="koriche_2021_extraction")
    for name in ("own_change", "gap", "part", f"needed_{EVAPORATION}"):
        assert row[name].isnull().all()


# ---- tables, figures and command -------------------------------------------------------------------


def test_every_row_of_the_literature_is_in_the_table(result):
    table = comparison_table(result)
    assert set(table["comparison"]) == set(cs.data.load("literature_basis").comparison.values)
    row = table.set_index("comparison").loc["prange_2020_high"]
    assert (row["published_low_m"], row["published_high_m"], row["change_on_basis_m"]) == (-18, -9, -18)
    assert row["scenario"] == "ssp585"
    assert len(decomposition_table(result)) == len(table) - 1


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    """A folder written by the command, what the command printed, and the members it asked for."""
    folder, asked = tmp_path_factory.mktemp("comparison") / "out", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "literature", lambda members, progress: asked.append(members) or result)
        answer = call("literature", "--members", MEMBERS, "--output", folder)
        refused = call("literature", "--output", folder)
        again = call("literature", "--output", folder, "--overwrite", "--quiet")
    assert (refused.exit_code, "there are results already" in refused.output) == (2, True)
    assert (again.exit_code, again.output) == (0, "")
    return folder, answer, asked


def test_the_command_writes_a_folder(written):
    folder, answer, asked = written
    assert answer.exit_code == 0, answer.output
    assert asked == [MEMBERS, 512]
    pictures = [f"figures/{n}.{e}" for n in ("literature", "literature_gap") for e in ("csv", "png", "svg")]
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == sorted(
        ["literature.nc", "literature.csv", "decomposition.csv", "attribution.csv", "run.log", *pictures]
    )
    tables = answer.output.split(str(folder))[0]
    assert max(map(len, tables.splitlines())) <= 80
    assert "From our median to a typical high configuration, m" in tables
    assert "(withdrawal" in tables


def test_the_files_say_what_the_dataset_says(written, result):
    folder = written[0]
    table = pd.read_csv(folder / "decomposition.csv", comment="#").set_index("comparison")
    for name in ("gap", "area", "rest"):
        expected = result["gap"] if name == "gap" else result["part"].sel(parts=name)
        assert_allclose(table[f"{name}_m"], expected.dropna("comparison"), atol=0.51e-3)
    shares = pd.read_csv(folder / "attribution.csv", comment="#")
    parts = shares[["median_m", "ensemble_m", "area_m", "evaporation_m", "runoff_m"]].sum(axis=1)
    assert_allclose(parts, shares["high_m"], atol=3e-3)
    opened = cs.open(folder)
    assert_array_equal(opened["gap"], result["gap"])
    assert call("show", folder).output.strip() in written[1].output


def test_a_number_of_members_below_one_is_refused(tmp_path):
    answer = call("literature", "--members", 0, "--output", tmp_path / "out")
    assert answer.exit_code == 2
    assert not (tmp_path / "out").exists()


def texts(figure):
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


def test_the_figure_says_kind_grade_and_missing_base_year_of_each_row(result):
    figure = figures.literature(result)
    words = texts(figure)
    assert "−8* (−15 to −2, inter-model) · A" in words
    assert "up to −20* · A" in words
    assert "−2.0 (−6.9 to 2.9, 25–75 %) · A" in words
    assert "−9.0 (end of −18.0 to −9.0) · B" in words
    rows = [label.get_text() for ax in figure.axes for label in ax.get_yticklabels()]
    assert rows.count("here, dynamic area") == rows.count("here, constant area") == 5
    assert len(rows) == 2 * 5 + 15
    footer = " ".join(words)
    assert "10.1038/s43247-023-01017-8" in footer
    assert "evidence grade D" in footer


def test_the_second_figure_shows_every_share_and_every_need(result):
    figure = figures.literature_gap(result)
    words = texts(figure)
    for row in attribution_table(result).to_dict("records"):
        value = f"{row['runoff_m']:+.2f}".replace("-", "−")
        assert any(word.endswith(value) for word in words), value
    rows = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert len(rows) == (decomposition_table(result)["horizon"] != 2030).sum()
    assert {"Samant & Prange (2023), SSP5-8.5* · A", "Kazhydromet, RCP8.5 · B"} <= set(rows)
    row = result.sel(comparison="samant_prange_2023_ssp585")
    constant, dynamic = (float(row[f"needed_{EVAPORATION}"].sel(area=a)) for a in ("constant", "dynamic"))
    assert f"{constant:.0f} ({dynamic:.0f})" in words


@pytest.mark.parametrize("draw", [figures.literature, figures.literature_gap])
def test_the_same_comparison_gives_the_same_picture(result, draw):
    pictures = []
    for _ in range(2):
        buffer = io.BytesIO()
        draw(result).savefig(buffer, format="svg", metadata={"Date": None})
        pictures.append(buffer.getvalue())
    assert pictures[0] == pictures[1]


def test_another_dataset_cannot_be_drawn(result):
    with pytest.raises(DataError) as error:
        figures.literature_gap(result[["gap"]])
    assert str(error.value) == (
        "figure 'literature_gap' cannot be drawn: variable 'part' is missing\n"
        "    found    gap\n"
        "    needed   gap, part, share, needed_evaporation_sensitivity, needed_volga_sensitivity"
    )


@pytest.mark.parametrize("name", ["literature", "literature_gap"])
@pytest.mark.parametrize(("look", "lang"), [("report", "ru"), ("slides", "ru"), ("bw", "en")])
def test_figures_are_legible_in_every_style_and_have_no_english_left(result, name, look, lang):
    words = assert_legible(draw(name, result, style=look, lang=lang))
    if lang == "ru":
        cited = " ".join([*result["citation"].values, *result["doi_or_url"].values])
        assert foreign_words(words, set(re.findall("[A-Za-z]{2,}", cited))) == set()
