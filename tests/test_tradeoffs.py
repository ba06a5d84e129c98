"""Trade-offs: the front against all combinations, robustness against its definition, and what is written."""

from __future__ import annotations

import importlib.util

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
from caspian_sim.config import load_config
from caspian_sim.config.ranges import ShareRange
from caspian_sim.cooperate import search
from caspian_sim.cooperate.intensity import at_intensity, choosable, repair_of, run_programmes
from caspian_sim.cooperate.paired import plan_of_levels
from caspian_sim.cooperate.robust import regret, regret_at_effort, satisficing
from caspian_sim.cooperate.tradeoffs import chosen, evaluator
from caspian_sim.errors import CaspianError, ConfigError, OutOfRangeError
from caspian_sim.figures.tradeoffs import shown_points

with_pymoo = pytest.mark.skipif(importlib.util.find_spec("pymoo") is None, reason="needs the extra optimise")
MEMBERS = 16
COSTLY = {
    "state": "KZ",
    "mechanism": "transfer",
    "start": "2027",
    "grade": "D",
    "source": "made up for a test",
}


def volume(size):
    return {"low": size, "best": size, "high": size}


SMALL = {
    "name": "small",
    "period": {"start": 2026, "end": 2045},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": MEMBERS, "sampling": "sobol"},
    "outcomes": {"thresholds_m": [-30, -31]},
    "programmes": {
        "none": {},
        "joint": {
            "participants": ["AZ", "IR", "RU", "TM"],
            "measures": [
                "volga-savings",
                "terek-sulak-efficiency",
                "northern-transfer",
                "kura-canal-losses",
                "iran-irrigation",
                "strait-closure",
                "strait-gates",
            ],
        },
        "savings": {"participants": ["AZ", "RU"], "measures": ["kura-canal-losses", "volga-savings"]},
    },
}
PRICED = SMALL | {
    "measures": {
        "custom": [
            {
                "id": f"pipe-{size}",
                "title": f"Pipe of {size} km³/yr",
                "volume_km3_per_yr": volume(float(size)),
                "cost": {"low": price, "best": price, "high": price, "unit": "million USD"},
                **COSTLY,
            }
            for size, price in ((1, 300.0), (2, 100.0))
        ]
    }
}
POINTS = st.integers(1, 12).flatmap(
    lambda n: arrays(np.int64, (2, n), elements=st.integers(0, 6)).map(lambda a: a.astype(np.float64))
)


@pytest.fixture(scope="module")
def found():
    return cs.tradeoffs(SMALL, programme="joint", steps=1)


@pytest.fixture(scope="module")
def priced():
    return cs.tradeoffs(PRICED, objective="cost", steps=2)


# The front


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points):
    effort, effect = points
    better = (effort[:, None] <= effort) & (effect[:, None] >= effect)
    strictly = better & ((effort[:, None] < effort) | (effect[:, None] > effect))
    expected = {tuple(points[:, i]) for i in range(len(effort)) if not strictly[:, i].any()}
    places = search.front(effort, effect)
    assert [tuple(points[:, i]) for i in places] == sorted(expected)


@with_pymoo
@settings(deadline=None)
@given(POINTS)
def test_the_hypervolume_is_that_of_pymoo(points):
    from pymoo.indicators.hv import HV

    effort, effect = points
    theirs = HV(ref_point=np.array([6.0, 0.0]))(np.column_stack([effort, -effect])) / 36.0
    assert search.hypervolume(effort, effect, 6.0, 6.0) == pytest.approx(theirs, abs=1e-12)


def test_thinning_keeps_both_ends():
    values = np.array([0.0, 0.1, 0.2, 5.0, 9.0, 10.0])
    assert_array_equal(search.thinned(values, 3), [0, 3, 5])
    assert_array_equal(search.thinned(values, 6), np.arange(6))


@pytest.fixture(scope="module")
def all_subsets():
    """All subsets of a programme as the model has them, and a function that looks them up."""
    config = load_config(SMALL)
    choice = chosen(config, programme="joint", steps=1)
    measures = choosable(config, "joint")
    evaluate = evaluator(plan_of_levels(config, choice.year, 1), measures, choice)
    repair = repair_of(measures)
    programmes = search.every(len(measures), 1, repair)
    whole = search.everything(len(measures), 1, repair)
    known = search.try_all(evaluate, programmes, whole, 48)
    lookup = {tuple(row): i for i, row in enumerate(known.steps.tolist())}

    def looked_up(steps):
        places = [lookup[tuple(row)] for row in steps.tolist()]
        return known.effort[places], known.effects[:, places]

    return known, looked_up, repair


def test_all_subsets_are_those_that_are_possible(all_subsets):
    # Seven measures, of which two exclude each other.
    assert len(all_subsets[0].steps) == 2**5 * 3
    assert len(np.unique(all_subsets[0].steps, axis=0)) == 2**5 * 3


@with_pymoo
def test_a_long_search_finds_the_very_front_of_all_subsets(all_subsets):
    known, looked_up, repair = all_subsets
    tried = search.evolve(looked_up, 7, 1, repair, population=24, generations=20, seed=5)
    exact, by_search = (search.front(t.effort, t.effects[0]) for t in (known, tried))
    assert len(exact) > 20
    assert_array_equal(tried.steps[by_search], known.steps[exact])
    # The hypervolume never falls, and comes to that of everything.
    assert (np.diff(tried.hypervolume) >= 0.0).all()
    assert tried.hypervolume[0] < tried.hypervolume[-1]
    assert tried.hypervolume[-1] == pytest.approx(known.hypervolume[-1], rel=1e-12)


@with_pymoo
def test_a_short_search_comes_near_the_front_of_all_subsets(all_subsets):
    known, looked_up, repair = all_subsets
    tried = search.evolve(looked_up, 7, 1, repair, population=12, generations=6, seed=5)
    assert len(tried.effort) <= 0.76 * len(known.effort)
    assert tried.hypervolume[-1] > 0.97 * known.hypervolume[-1]


@with_pymoo
@pytest.mark.parametrize("steps", [1, 4])
def test_the_search_finds_the_front_of_measures_that_add_up(steps):
    # With effects in proportion to effort all but the ratio of each measure is given: best ratio first.
    effort, ratio = np.array([3.0, 0.6, 11.9, 1.1, 0.9, 7.6]), np.array([1.0, 1.2, 0.7, 1.1, 0.9, 1.6])

    def evaluate(x):
        return x @ effort / steps, (x @ (effort * ratio) / steps)[None]

    everything = search.every(6, steps, lambda x: x)
    e, a = evaluate(everything)
    size = effort.sum(), (effort * ratio).sum()
    best = search.hypervolume(e, a[0], *size)
    size_of_search = (
        {"population": 16, "generations": 25} if steps == 1 else {"population": 48, "generations": 60}
    )
    tried = search.evolve(evaluate, 6, steps, lambda x: x, seed=3, **size_of_search)
    # Programmes that differ by a hair's breadth of effort may be missed, area is not.
    assert best * 0.999 <= tried.hypervolume[-1] <= best + 1e-12
    again = search.evolve(evaluate, 6, steps, lambda x: x, seed=3, **size_of_search)
    assert_array_equal(again.steps, tried.steps)


@with_pymoo
def test_the_same_seed_gives_the_same_front():
    asked = {"programme": "joint", "steps": 4, "population": 8, "generations": 3}
    one, two = (cs.tradeoffs(SMALL, **asked) for _ in range(2))
    assert one.attrs["search"] == "NSGA-II"
    for variable in one.data_vars:
        assert_array_equal(one[variable], two[variable])
    other = cs.tradeoffs(SMALL, **asked, overrides=["uncertainty.seed=7"])
    assert not np.array_equal(other["effort"], one["effort"])


def test_without_the_optimiser_a_search_is_refused_and_a_full_list_is_not(monkeypatch):
    monkeypatch.setattr(search, "find_spec", lambda name: None)
    with pytest.raises(CaspianError) as error:
        cs.tradeoffs(SMALL, programme="joint")
    assert str(error.value) == 'trade-offs need pymoo: pip install "caspian-sim[optimise]"'
    assert cs.tradeoffs(SMALL, programme="savings").attrs["search"] == "all programmes"


# What programmes do


def test_half_of_a_measure_brings_half_of_its_water():
    config = load_config(SMALL)
    volga, transfer = (m for m in choosable(config, None) if m.id in ("volga-savings", "northern-transfer"))
    plan = plan_of_levels(config, 2045, 1)
    runs = run_programmes(plan, [[volga], [at_intensity(volga, 0.5)], [at_intensity(transfer, 0.25)]], 5)
    assert_allclose(runs.water[:, 1], 0.5 * runs.water[:, 0], rtol=1e-12)
    assert (runs.avoided[:, 1] < runs.avoided[:, 0]).all()
    assert_allclose(runs.inflow.sum(axis=0), runs.water[0], rtol=1e-9)
    # A transfer is no saving.
    assert (runs.saved[:, 2] == 0.0).all()
    assert (runs.inflow[:, 2].sum(axis=0) > 0.0).all()


def test_a_share_multiplies_what_is_complied_with():
    measure = next(iter(choosable(load_config(SMALL), None)))
    partly = measure.model_copy(update={"compliance": ShareRange(low=0.5, best=0.8, high=1.0)})
    kept = at_intensity(partly, 0.5).compliance
    assert (kept.low, kept.best, kept.high) == (0.25, 0.4, 0.5)


def test_measures_in_the_place_of_each_other_never_act_together(found):
    strait = found["intensity"].sel(measure=["strait-closure", "strait-gates"])
    assert ((strait > 0.0).sum("measure") <= 1).all()
    assert ((strait > 0.0).sum("point") > 0).any()


def test_the_front_rises_from_nothing_at_all(found):
    assert found["effort"][0] == found["avoided_fall"][0] == 0.0
    assert not found["intensity"][0].any()
    for name in ("effort", "avoided_fall"):
        assert (np.diff(found[name]) > 0.0).all()
    # More water keeps more members above the level.
    assert (found["kept_share"].isel(point=-1) >= found["kept_share"].isel(point=0)).all()


def test_a_programme_of_the_front_does_what_a_run_of_it_says(found):
    point = found.isel(point=-2)
    used = [str(m) for m in found["measure"].values[point["intensity"].values == 1.0]]
    states = sorted({str(s) for s in found["measure_state"].sel(measure=used).values})
    config = SMALL | {"programmes": {"none": {}, "it": {"participants": states, "measures": used}}}
    run = cs.run(config, overrides=["solver.steps_per_month=1"])
    level = run["sea_level"]
    avoided = (level.sel(programme="it") - level.sel(programme="none")).isel(time=-1)
    assert_allclose(point["avoided_fall"], avoided.mean(), rtol=1e-9)
    assert_allclose(point["scenario_avoided_fall"], avoided.mean("member"), rtol=1e-9)
    kept = (level.sel(programme="it").min("time") >= -30.0).mean("member")
    assert_allclose(point["kept_share"], kept.transpose("scenario"))
    assert point["kept_share_least"] == kept.min()


def test_what_the_states_bring_adds_up_to_the_effort(found):
    assert_allclose(found["state_water"].sum("state"), found["effort"], rtol=1e-9, atol=1e-12)
    nothing_saved = found["state_share"].sel(state="TM")
    assert (nothing_saved == 0.0).all()


# Robustness


def test_the_satisficing_share_counts_members_that_never_fall_below():
    lowest = np.array([[-29.0, -30.0, -30.1, -33.0], [-29.5, -29.9, -30.0, -29.0]])
    assert_array_equal(satisficing(lowest, -30.0), [0.5, 1.0])


def test_regret_is_what_the_best_of_a_scenario_does_better():
    performance = np.array([[1.0, 4.0], [3.0, 2.0]])
    assert_array_equal(regret(performance), [[2.0, 0.0], [0.0, 2.0]])


@given(arrays(np.float64, (6, 3), elements=st.floats(-5, 5)), arrays(np.int64, 6, elements=st.integers(0, 4)))
def test_regret_at_effort_compares_with_what_takes_no_more(performance, effort):
    effort = effort.astype(np.float64)
    expected = [performance[effort <= e].max(axis=0) - performance[i] for i, e in enumerate(effort)]
    there = regret_at_effort(performance, effort)
    assert_array_equal(there, expected)
    assert (there <= regret(performance)).all()


def test_the_one_with_most_effort_has_no_regret(found):
    assert_array_equal(found["regret"].isel(point=-1), 0.0)
    assert (found["regret_at_effort"] <= found["regret"]).all()
    assert_array_equal(found["regret_most"], found["regret"].max("scenario"))


# Effort


def test_a_share_of_consumption_is_that_of_the_state_that_gives_most(found):
    ds = cs.tradeoffs(SMALL, programme="joint", objective="share", steps=1)
    assert set(ds["measure_state"].values) == {"AZ", "IR", "RU"}
    assert ds.attrs["left_out"] == "northern-transfer, strait-closure, strait-gates"
    # Member by member, so that its mean is not below the largest of the means.
    assert (ds["effort"] >= ds["state_share"].max("state") - 1e-12).all()
    assert ds["effort"][-1] < 1.0
    # Others may do as much for nothing: states act together along the front.
    assert (ds["intensity"].isel(point=-1) == 1.0).all()


def test_cost_is_that_of_the_part_that_is_carried_out(priced):
    assert list(priced["measure"].values) == ["pipe-1", "pipe-2"]
    assert priced.attrs["known_costs"] == 2
    assert_allclose(priced["effort"], priced["intensity"].values @ np.array([300.0, 100.0]))
    # The cheap one first: half, whole, then the dear one with it.
    assert_allclose(priced["intensity"], [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0], [0.5, 1.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("asked", "kind", "text"),
    [
        (
            {"year": 2060},
            OutOfRangeError,
            "the year lies outside the period\n    found    2060\n    allowed  2026 to 2045",
        ),
        (
            {"objective": "money"},
            OutOfRangeError,
            "there is no such objective\n    found    'money'\n    allowed  water, share, cost",
        ),
        (
            {"level": 30.0},
            OutOfRangeError,
            "the level is out of range\n    found    30\n    allowed  -40 to -26 m BHS",
        ),
        (
            {"steps": 0},
            OutOfRangeError,
            "the steps of intensity are out of range\n    found    0\n    allowed  1 to 100",
        ),
        (
            {"population": 2},
            OutOfRangeError,
            "the population is out of range\n    found    2\n    allowed  4 to 1000",
        ),
        (
            {"programme": "jiont"},
            ConfigError,
            "the configuration has no programme 'jiont'\n    found    none, joint, savings\n"
            "    hint     --programme NAME says which programme tells what each state does",
        ),
        (
            {"objective": "cost"},
            ConfigError,
            "a trade-off needs 2 measures with a known cost\n    found    0 of 9 that raise the level\n"
            "    hint     measures.custom takes your own, with their cost; --objective water needs no cost",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(asked, kind, text):
    with pytest.raises(kind) as error:
        cs.tradeoffs(SMALL, **asked)
    assert str(error.value) == text


def test_without_a_threshold_a_level_is_asked_for():
    with pytest.raises(ConfigError) as error:
        cs.tradeoffs(SMALL, overrides=["outcomes.thresholds_m=[]"])
    assert str(error.value) == (
        "no level to stay above\n    found    no outcomes.thresholds_m\n"
        "    hint     --level M, or a threshold in the configuration"
    )


# Figure and files


@picture
def test_picture_of_the_tradeoffs(found):
    return without_letters(figures.tradeoffs(found))


@pytest.mark.parametrize("width", [16.0, 8.5])
def test_every_word_of_the_tradeoffs_is_on_the_page(found, priced, width):
    for ds in (found, priced):
        figure = figures.tradeoffs(ds, width_cm=width)
        figure.canvas.draw()
        axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
        ticks = {label for axis in axes for label in axis.get_ticklabels()}
        for text in set(figure.findobj(Text)) - ticks:
            if text.get_text().strip() and text.get_visible():
                box = text.get_window_extent()
                assert box.x0 > -1.0, text.get_text()
                assert box.x1 < figure.bbox.x1 + 1.0, text.get_text()


def test_the_programmes_with_a_letter_end_with_the_one_of_most_effort(found):
    shown = shown_points(found)
    assert (np.diff(shown) > 0).all()
    assert shown[0] > 0
    assert shown[-1] == found.sizes["point"] - 1


def test_the_command_writes_tables_and_a_figure(tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text(
        "name: small\nperiod: {start: 2026, end: 2035}\nclimate: {scenarios: [ssp245]}\n"
        "uncertainty: {members: 8}\nprogrammes:\n  none: {}\n"
        "  joint: {participants: [AZ, RU], measures: [volga-savings, kura-canal-losses]}\n",
        encoding="utf-8",
    )
    folder = tmp_path / "out"
    words = ["tradeoffs", str(config), "--level", "-30", "--steps", "1", "--output", str(folder)]
    result = CliRunner().invoke(cli.main, [*words, "--programme", "joint"])
    assert result.exit_code == 0, result.output
    assert "all programmes: 4 programmes tried" in result.output
    table = pd.read_csv(folder / "tradeoffs.csv", comment="#")
    assert table["effort_km3_per_yr"].is_monotonic_increasing
    assert list(table["letter"].dropna()) == ["A", "B", "C"][: table["letter"].notna().sum()]
    assert (folder / "figures" / "tradeoffs.png").exists()
    assert "hypervolume" in (folder / "run.log").read_text(encoding="utf-8")
    assert set(cs.open(folder / "tradeoffs.nc")["measure"].values) == {"volga-savings", "kura-canal-losses"}
    again = CliRunner().invoke(cli.main, [*words, "--programme", "joint"])
    assert again.exit_code == 2
    wrong = CliRunner().invoke(cli.main, [*words, "--overwrite", "--year", "2060"])
    assert wrong.exit_code == 2
    assert wrong.output.startswith("the year lies outside the period\n    found    2060")
