"""Extra inflow for a target level, and the cost of delay."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from pictures import picture, without_letters

import caspian_sim as cs
from caspian_sim import figures
from caspian_sim.cooperate.inflow import climb, rank, rank_interval, refine, required_inflow
from caspian_sim.errors import ConfigError, OutOfRangeError

MEMBERS = 24
SMALL = {
    "name": "small",
    "period": {"start": 2026, "end": 2045},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": MEMBERS, "sampling": "sobol"},
    "programmes": {
        "none": {},
        "joint": {"participants": ["AZ", "RU"], "measures": ["volga-savings", "kura-canal-losses"]},
    },
}


@pytest.fixture(scope="module")
def found():
    return cs.target(SMALL, level=-29.5, year=2040, probability=0.75)


@pytest.fixture(scope="module")
def delayed():
    return cs.delay(SMALL, starts=(2035, 2028))


# A linear basin: extra inflow V raises the level after t years by V·τ/A·(1 − exp(−t/τ)).

TIME, AREA, YEARS = 30.0, 400.0, 25.0
LIFT = TIME / AREA * (1.0 - np.exp(-YEARS / TIME))
BARE = np.linspace(-31.0, -28.0, 101)


def linear(inflow, members):
    return np.stack([BARE[members] + LIFT * inflow] * 3)


@pytest.mark.parametrize("throughout", [False, True])
def test_a_linear_basin_requires_what_algebra_says(throughout):
    targets = np.array([-30.0, -29.1, -28.3])
    ladder = climb(linear, 101, -30.0, np.full(101, -28.3), throughout)
    needs = required_inflow(ladder.inflow, ladder.last, np.repeat(targets[:, None], 101, axis=1))
    expected = (targets[:, None] - BARE) / LIFT
    inside = np.isfinite(needs)
    assert_allclose(needs[inside], expected[inside], atol=1e-9)
    # What is beyond the ladder is what is held with all that could be taken away.
    assert (needs[~inside] == -np.inf).all()
    assert (expected[~inside] < 0).all()


def test_members_that_hold_the_level_are_not_run_again():
    asked = []

    def counting(inflow, members):
        asked.append((inflow, len(members)))
        return linear(inflow, members)

    climb(counting, 101, -30.0, np.full(101, -29.0), False)
    up = [count for inflow, count in sorted(asked) if inflow >= 0]
    assert up[0] == 101
    assert all(later < earlier for earlier, later in pairwise(up[1:]))


def test_a_run_at_the_answer_mends_a_crooked_response():
    def crooked(inflow, members):
        return np.stack([BARE[members] + 0.3 * np.sqrt(inflow + 100.0)] * 3)

    target = -26.2
    ladder = climb(crooked, 101, -28.5, np.full(101, target), False)
    expected = ((target - BARE[50]) / 0.3) ** 2 - 100.0

    def error(rungs):
        return abs(required_inflow(rungs.inflow, rungs.last, np.full((1, 101), target))[0, 50] - expected)

    before = error(ladder)
    for _ in range(2):
        guess = required_inflow(ladder.inflow, ladder.last, np.full((1, 101), target))[0, 50]
        ladder = refine(crooked, ladder, guess, target, False)
    assert before > 1e-3
    assert error(ladder) < 1e-5 * before


def test_the_answer_is_infinite_where_no_run_was_enough():
    needs = required_inflow(np.array([0.0, 10.0]), np.array([[-30.0], [-29.0]]), np.array([[-28.0], [-31.0]]))
    assert_array_equal(needs, [[np.inf], [-np.inf]])


def test_the_rank_is_the_least_number_of_members_with_the_share():
    assert [rank(p, 30) for p in (0.001, 0.1, 0.5, 0.51, 0.999)] == [1, 3, 15, 16, 30]


def test_the_interval_is_that_of_resampling():
    values, generator = np.arange(1, 201), np.random.default_rng(5)
    again = np.sort(generator.choice(values, (20_000, 200)), axis=1)[:, rank(0.7, 200) - 1]
    assert_allclose(rank_interval(0.7, 200, 0.9), np.quantile(again, [0.05, 0.95]), atol=1.0)


# With the model


def test_the_model_gives_the_probability_back(found):
    for scenario in found["scenario"].values:
        need = float(found["required_inflow"].sel(scenario=scenario, target_level=-29.5))
        for inflow, holds in ((need + 0.01, True), (need - 0.01, False)):
            change = f"consumption.change={{upstream: {{2026: {-inflow}}}}}"
            ds = cs.run(SMALL, overrides=[change, "solver.steps_per_month=1", "period.end=2040"])
            level = ds["sea_level"].sel(scenario=scenario, programme="none").isel(time=-1)
            assert (float((level >= -29.5).mean()) >= 0.75) == holds


def test_a_higher_level_and_a_higher_probability_take_more_water(found):
    need = found["required_inflow"].transpose("target_level", ...)
    assert (np.diff(need.values, axis=0) > 0).all()
    less = cs.target(SMALL, level=-29.5, year=2040, probability=0.25)["required_inflow"]
    assert (less.sel(target_level=-29.5) < found["required_inflow"].sel(target_level=-29.5)).all()


def test_the_interval_holds_the_answer_and_the_members_its_quantile(found):
    now = found.sel(target_level=-29.5)
    assert (now["required_inflow_low"] <= now["required_inflow"]).all()
    assert (now["required_inflow"] <= now["required_inflow_high"]).all()
    quantile = np.sort(found["member_required_inflow"].values, axis=1)[:, rank(0.75, MEMBERS) - 1]
    assert_array_equal(quantile, now["required_inflow"].values)


def test_a_programme_holds_the_level_where_it_brings_what_is_required(found):
    # Exact, since both are read on the same scale, member by member.
    for name in found["programme"].values:
        share = float(found["programme_probability"].sel(programme=name, scenario="ssp126"))
        assert 0.0 <= share <= 1.0
    assert_allclose(found["programme_inflow"].sel(programme="none"), 0.0, atol=1e-9)
    need = found["member_required_inflow"].values
    bare = found["programme_probability"].sel(programme="none").values
    assert_allclose((need <= 0.0).mean(axis=1), bare)
    whole, joint = (found["programme_probability"].sel(programme=p) for p in ("whole catalogue", "joint"))
    assert (whole >= joint).all()
    assert (joint >= bare).all()


def test_a_measure_brings_its_volume(found):
    volga = found["measure_water"].sel(measure="volga-savings")
    assert ((volga > 2.0) & (volga < 4.4)).all()
    assert (found["measure_marginal"].sel(measure="volga-savings") < found["inflow_marginal"]).all()


def test_holding_a_level_throughout_takes_as_much_at_least(found):
    all_the_time = cs.target(SMALL, level=-29.5, year=2040, probability=0.75, throughout=True)
    at = {"target_level": -29.5}
    assert (all_the_time["required_inflow"].sel(at) >= found["required_inflow"].sel(at)).all()


def test_water_that_comes_later_has_to_be_more(found):
    later = cs.target(SMALL, level=-29.5, year=2040, probability=0.75, start=2034, ramp_years=2.0)
    at = {"target_level": -29.5}
    need = found["required_inflow"].sel(at)
    assert (later["required_inflow"].sel(at) > need.where(need > 0, -np.inf)).all()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            {"level": 29.5},
            "the target level is out of range\n    found    29.5\n    allowed  -40 to -26 m BHS",
        ),
        (
            {"year": 2060},
            "the target year lies outside the period\n    found    2060\n    allowed  2026 to 2045",
        ),
        (
            {"probability": 1.0},
            "the probability is out of range\n    found    1\n    allowed  above 0, below 1",
        ),
        (
            {"start": 2044},
            "the extra inflow starts outside the period\n    found    2044\n    allowed  2026 to 2040",
        ),
        ({"ramp_years": -1.0}, "the ramp is out of range\n    found    -1\n    allowed  0 to 100 years"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(asked, text):
    with pytest.raises(OutOfRangeError) as error:
        cs.target(SMALL, **{"level": -29.5, "year": 2040, **asked})
    assert str(error.value) == text


# Delay


def test_an_earlier_start_avoids_more(delayed):
    assert_array_equal(delayed["start"], [2028, 2035])
    late = delayed["avoided_fall"].sel(year=2045)
    assert (late.sel(start=2028) > late.sel(start=2035)).all()
    assert_array_equal(delayed["lost"].sel(start=2028), 0.0)
    assert (delayed["lost_low"].sel(start=2035, year=2045) > 0).all()


def test_nothing_is_avoided_before_the_start(delayed):
    assert_array_equal(delayed["avoided_fall"].sel(start=2035, year=2034), 0.0)


def test_a_start_outside_the_period_is_refused():
    with pytest.raises(OutOfRangeError) as error:
        cs.delay(SMALL, starts=(2027, 2050))
    assert str(error.value) == (
        "the programme would start outside the period\n    found    2050\n    allowed  2026 to 2045"
    )


def test_a_programme_without_measures_is_refused():
    with pytest.raises(ConfigError) as error:
        cs.delay(SMALL, programme="none")
    assert str(error.value) == (
        "no programme whose start could be moved\n    found    'none'\n    allowed  joint"
    )


# Figures


@picture
@pytest.mark.parametrize("name", ["target", "marginal"])
def test_picture_of_the_target(found, name):
    return without_letters(getattr(figures, name)(found))


@picture
def test_picture_of_the_delay(delayed):
    return without_letters(figures.delay(delayed))


@pytest.mark.parametrize("width", [16.0, 8.5])
@pytest.mark.parametrize("name", ["target", "marginal", "delay"])
def test_every_word_is_on_the_page(found, delayed, name, width):
    figure = getattr(figures, name)(delayed if name == "delay" else found, width_cm=width)
    figure.canvas.draw()
    # Ticks beyond the limits have labels that are not drawn.
    ticks = {label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for label in axis.get_ticklabels()}
    for text in set(figure.findobj(Text)) - ticks:
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 > -1.0, text.get_text()
            assert box.x1 < figure.bbox.x1 + 1.0, text.get_text()


def test_what_stands_in_the_place_of_another_measure_is_no_bar_beside_it(found):
    figure = figures.marginal(found)
    words = [text.get_text() for text in figure.findobj(Text)]
    (gates,) = [line for line in words if line.startswith("TM · Gates in the strait")]
    assert "in the place of" in " ".join(words)
    bars = [patch for patch in figure.axes[0].patches if patch.get_width() > 0.0]
    total = float(found["measure_water"].sel(scenario="ssp126").sum())
    drawn = sum(bar.get_width() for bar in bars)
    assert drawn == pytest.approx(
        total - float(found["measure_water"].sel(scenario="ssp126", measure="strait-gates")), rel=1e-9
    )
    assert gates
