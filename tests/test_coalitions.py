"""Coalitions: Shapley values against brute force and their axioms, and what they make of a run."""

from __future__ import annotations

import io
from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from pictures import picture, without_letters

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.basin.sectors import load_sectors
from caspian_sim.cooperate.coalitions import STATES
from caspian_sim.cooperate.shapley import membership, pair_interactions, shapley_values
from caspian_sim.cooperate.tables import attribution_table, burden_table
from caspian_sim.errors import ConfigError, DataError

PLAYERS = 5
ALL = 2**PLAYERS - 1
GAMES = arrays(np.float64, 2**PLAYERS, elements=st.floats(-100.0, 100.0))

SMALL = {
    "name": "small",
    "period": {"start": 2026, "end": 2050},
    "climate": {"scenarios": ["ssp245", "ssp585"]},
    "uncertainty": {"members": 24},
    "programmes": {
        "none": {},
        "joint": {
            "participants": ["AZ", "KZ", "RU", "TM"],
            "measures": ["kura-canal-losses", "ural-efficiency", "volga-savings", "strait-closure"],
        },
    },
    "outcomes": {"report_years": [2030, 2050]},
    "solver": {"steps_per_month": 1},
}


@pytest.fixture(scope="module")
def found():
    return cs.attribute(SMALL)


def in_order(value, order):
    """What each player adds when they join one after the other."""
    gains, coalition = np.zeros(PLAYERS), 0
    for player in order:
        after = coalition | 1 << player
        gains[player], coalition = value[after] - value[coalition], after
    return gains


# ---- the Shapley value ---------------------------------------------------------------------------


@settings(max_examples=20)
@given(GAMES)
def test_shapley_values_are_the_mean_over_all_120_orders(value):
    orders = list(permutations(range(PLAYERS)))
    assert len(orders) == factorial(PLAYERS) == 120
    assert_allclose(
        shapley_values(value), np.mean([in_order(value, order) for order in orders], axis=0), atol=1e-11
    )


@given(GAMES)
def test_shapley_values_give_away_all_that_is_reached_together(value):
    assert_allclose(shapley_values(value).sum(), value[ALL] - value[0], atol=1e-11)


@given(GAMES, st.permutations(range(PLAYERS)))
def test_shapley_values_follow_the_names_of_the_players(value, order):
    inside = membership(PLAYERS)
    renamed = value[(inside[:, order] * 2 ** np.arange(PLAYERS)).sum(axis=1)]
    # Player order[i] of the renamed game plays what was the part of player i.
    expected = np.empty(PLAYERS)
    expected[list(order)] = shapley_values(value)
    assert_allclose(shapley_values(renamed), expected, atol=1e-11)


@given(GAMES, st.integers(0, PLAYERS - 1), st.floats(-10.0, 10.0))
def test_a_player_who_adds_the_same_to_everyone_gets_just_that(value, player, own):
    coalition = np.arange(2**PLAYERS)
    value = np.where(coalition >> player & 1, value[coalition & ~(1 << player)] + own, value)
    assert_allclose(shapley_values(value)[player], own, atol=1e-11)
    assert_allclose(pair_interactions(value)[player], 0.0, atol=1e-11)


@given(GAMES, GAMES, st.floats(-3.0, 3.0))
def test_shapley_values_add_up_over_games(one, other, factor):
    expected = shapley_values(one) + factor * shapley_values(other)
    assert_allclose(shapley_values(one + factor * other), expected, atol=1e-10)


def test_interaction_of_two_who_only_achieve_together_is_theirs_alone():
    inside = membership(PLAYERS)
    value = 6.0 * (inside[:, 1] & inside[:, 3])
    assert_allclose(shapley_values(value), [0.0, 3.0, 0.0, 3.0, 0.0], atol=1e-14)
    expected = np.zeros((PLAYERS, PLAYERS))
    expected[1, 3] = expected[3, 1] = 6.0
    assert_allclose(pair_interactions(value), expected, atol=1e-14)


# ---- a run ---------------------------------------------------------------------------------------


def test_shapley_values_of_a_run_add_up_in_every_member(found):
    for outcome, tolerance in (("avoided_fall", 1e-9), ("avoided_seabed", 1e-6), ("water_brought", 1e-9)):
        total = found[f"{outcome}_shapley"].sum("state")
        assert float(abs(total - found[f"{outcome}_joint"]).max()) < tolerance
        parts = found[f"{outcome}_alone"].sum("state") + found[f"{outcome}_interaction"]
        assert float(abs(parts - found[f"{outcome}_joint"]).max()) < tolerance


def test_coalitions_are_what_the_same_programmes_give_in_an_ordinary_run(found):
    joint = SMALL["programmes"]["joint"]
    measures = ["kura-canal-losses", "volga-savings"]
    programmes = {
        "none": {},
        "joint": joint,
        "az-ru": {"participants": ["AZ", "RU"], "measures": measures},
    }
    run = cs.run({**SMALL, "programmes": programmes}).sel(time=["2030-07-02", "2050-07-02"], method="nearest")
    for coalition, programme in (("az-ru", "az-ru"), ("az-ir-kz-ru-tm", "joint")):
        now, none = run.sel(programme=programme), run.sel(programme="none")
        for outcome, expected, tolerance in (
            ("avoided_fall", now.sea_level - none.sea_level, 1e-9),
            ("avoided_seabed", none.exposed_seabed - now.exposed_seabed, 1e-4),
        ):
            values = found[outcome].sel(coalition=coalition).transpose("scenario", "member", "year").values
            assert_allclose(values, expected.transpose("scenario", "member", "time").values, atol=tolerance)
        volume = now.measure_effect.sum("measure")
        if programme == "joint":
            volume = volume + none.strait_outflow - now.strait_outflow
        values = found.water_brought.sel(coalition=coalition).transpose("year", "member", "scenario").values
        expected = (volume + 0.0 * now.sea_level).transpose("time", "member", "scenario").values
        assert_allclose(values, expected, atol=1e-9)


def test_a_state_without_measures_gets_exactly_nothing(found):
    assert_array_equal(found.avoided_fall_alone.sel(state="IR").values, 0.0)
    assert_allclose(found.avoided_fall_shapley.sel(state="IR").values, 0.0, atol=1e-15)


def test_a_closed_strait_brings_the_water_that_would_have_flowed_out(found):
    assert (found.avoided_fall_shapley.sel(state="TM", year=2050) > 0.0).all()
    assert (found.avoided_fall_shapley.sel(state="TM", year=2050).median("member") > 0.05).all()
    nobody = cs.run({**SMALL, "programmes": {"none": {}}}).strait_outflow.isel(programme=0, time=-1)
    closed = found.water_brought_shapley.sel(state="TM", year=2050)
    assert_allclose(closed.values, nobody.transpose(*closed.dims).values, atol=1e-9)


def test_water_saved_is_lost_in_part_through_an_open_strait(found):
    # Closing the strait keeps what others save from running out: the two do more together than alone.
    pair = found.avoided_fall_pair.sel(state="RU", other="TM", year=2050)
    assert (pair > 0.0).all()


def test_difference_of_paired_runs_has_far_less_spread_than_that_of_independent_ones(found):
    last = found.sea_level.isel(time=-1)
    paired = (last.sel(programme="joint") - last.sel(programme="none")).std("member")
    apart = np.sqrt((last.std("member") ** 2).sum("programme"))
    assert (paired < 0.25 * apart).all()


def test_members_do_not_depend_on_how_many_there_are(found):
    few = cs.attribute(SMALL, overrides=["uncertainty.members=3"])
    assert_array_equal(few.avoided_fall.values, found.avoided_fall.isel(member=slice(3)).values)


def test_a_programme_that_is_not_there_is_refused():
    with pytest.raises(ConfigError) as caught:
        cs.attribute(SMALL, programme="jiont")
    assert str(caught.value) == (
        "the configuration has no programme 'jiont'\n"
        "    found    none, joint\n"
        "    hint     --programme NAME says which programme tells what each state does"
    )


def test_a_programme_in_which_nobody_acts_is_refused():
    with pytest.raises(ConfigError) as caught:
        cs.attribute(SMALL, programme="none")
    assert str(caught.value) == (
        "nobody does anything in programme 'none'\n    found    participants none, and no measure of theirs"
    )


# ---- burden sharing --------------------------------------------------------------------------------


def test_every_rule_shares_out_the_whole_volume(found):
    shared = cs.burden_sharing(found)
    gap = abs(shared.burden.sum("state") - found.water_brought_joint).max()
    assert float(gap) < 1e-12
    assert_allclose(shared.fraction.sum("state").values, 1.0, atol=1e-12)
    assert_allclose(shared.gain.sum("state").values, found.avoided_seabed_joint.values, rtol=1e-12)


def test_rules_share_by_what_they_are_named_after(found):
    shared = cs.burden_sharing(found).sel(year=2050, scenario="ssp245")
    assert_allclose(shared.fraction.sel(rule="equal").values, 0.2)
    level = found.sea_level.sel(scenario="ssp245", time="2050").squeeze("time").isel(member=0)
    sectors = load_sectors()
    kept = sectors.area(float(level[1])) - sectors.area(float(level[0]))
    names = [sectors.states.index(str(state)) for state in shared["state"].values]
    benefit = shared.fraction.sel(rule="benefit").isel(member=0).values
    assert_allclose(benefit, kept[names] / kept.sum(), rtol=1e-9)
    assert_allclose(
        shared.gain.isel(member=0).values,
        benefit * found.avoided_seabed_joint.sel(year=2050, scenario="ssp245").isel(member=0).item(),
        rtol=1e-9,
    )
    burden = shared.of_consumption.sel(rule="consumption")
    assert_allclose(burden.values, np.broadcast_to(burden.isel(state=0).values, burden.shape))
    assert_allclose(
        shared.burden.sel(rule="planned").values,
        found.water_brought_alone.sel(year=2050, scenario="ssp245").values,
        atol=1e-12,
    )


def test_consumption_is_drawn_from_its_range_and_is_the_best_value_without_uncertainty(found):
    drawn = cs.burden_sharing(found).consumption
    assert (drawn.sel(state="RU") > 18.0).all()
    assert (drawn.sel(state="RU") < 27.0).all()
    assert float(drawn.sel(state="RU").std()) > 1.0
    central = cs.attribute(SMALL, overrides=["uncertainty={members: 1, parameters: central}"])
    assert_allclose(cs.burden_sharing(central).consumption.values.ravel(), [8.0, 7.0, 1.5, 22.0, 0.5])


def test_burden_sharing_of_something_else_is_refused(found):
    with pytest.raises(DataError) as caught:
        cs.burden_sharing(found.drop_vars("avoided_fall_joint"))
    assert str(caught.value) == (
        "burden sharing needs the result of an attribution\n"
        "    found    no avoided_fall_joint\n"
        "    hint     caspian_sim.attribute gives one"
    )


# ---- tables, figures and the command ----------------------------------------------------------------


def test_means_in_the_table_add_up(found):
    frame = attribution_table(found)
    keys = ["outcome", "scenario", "year"]
    mean = frame.groupby([*keys, "part"])["mean"].sum().unstack("part")
    assert_allclose(mean["shapley"], mean["joint"], atol=1e-9)
    assert_allclose(mean["alone"] + mean["interaction"], mean["joint"], atol=1e-9)


@pytest.mark.parametrize("name", ["joint", "alone", "shapley", "burden"])
@pytest.mark.parametrize("width", [16.0, 8.5])
def test_figures_say_that_volumes_are_assumed_and_every_word_is_on_the_page(found, name, width):
    figure = getattr(figures, name)(found, width_cm=width)
    figure.canvas.draw()
    texts = figure.findobj(Text)
    words = " ".join(text.get_text() for text in texts)
    assert "assumption with a range (grade D)" in " ".join(words.split())
    page = figure.bbox
    for text in texts:
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 > page.x0 - 1.0, text.get_text()
            assert box.x1 < page.x1 + 1.0, text.get_text()


@picture
@pytest.mark.parametrize("name", ["joint", "alone", "shapley", "burden"])
def test_picture_of_states(found, name):
    return without_letters(getattr(figures, name)(found))


def test_each_state_is_named_with_what_it_does_and_its_grade(found):
    words = " ".join(text.get_text() for text in figures.alone(found).findobj(Text))
    assert "Turkmenistan: Close the strait to Kara-Bogaz-Gol (A)." in words
    assert "Iran: no measure." in words


def test_command_writes_all_files_and_prints_both_tables(tmp_path):
    config = cs.Config.model_validate({**SMALL, "output": {"directory": str(tmp_path)}})
    from caspian_sim.config import resolved_yaml

    file = tmp_path / "small.yaml"
    file.write_text(resolved_yaml(config), encoding="utf-8")
    arguments = ["attribute", str(file), "--set", "uncertainty.members=6", "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    assert "Fall avoided by 2050, ssp585, programme joint: mean over members" in result.output
    assert "Sharing the volume of 2050 by five rules, ssp245" in result.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"attribute.nc", "attribution.csv", "burden.csv", "run.log", "figures"}
    again = cs.open(tmp_path / "out" / "attribute.nc")
    text = (tmp_path / "out" / "attribution.csv").read_text(encoding="utf-8")
    table = pd.read_csv(io.StringIO(text), comment="#")
    expected = attribution_table(again)
    assert_allclose(table["mean"], expected["mean"], rtol=1e-5)
    assert list(table["state"].unique()[:PLAYERS]) == list(STATES)
    shared = pd.read_csv(tmp_path / "out" / "burden.csv", comment="#")
    assert_allclose(
        shared["volume_km3_per_yr"], burden_table(cs.burden_sharing(again))["volume_km3_per_yr"], rtol=1e-5
    )
    assert "Shapley values add up to the joint effect" in (tmp_path / "out" / "run.log").read_text("utf-8")
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 2
