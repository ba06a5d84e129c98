"""Measures and consumption: how large, when, by whom, and the same draw in every programme."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim.climate.draws import draw_inputs
from caspian_sim.config import load_config
from caspian_sim.config.measure import Measure
from caspian_sim.config.programme import Programme
from caspian_sim.measures.consumption import PARTIES, consumption_change
from caspian_sim.measures.effect import programme_effect
from caspian_sim.measures.inputs import volume_prior
from caspian_sim.measures.programme import measures_of, size

STATES = ["AZ", "IR", "KZ", "RU", "TM"]
CATALOGUE = load_config({"name": "x", "period": {"start": 2026, "end": 2026}}).measures.available()


def volumes(one, members, seed, central):
    """Volumes of a measure as a run draws them."""
    name = f"measure:{one.id}"
    return draw_inputs({name: volume_prior(one)}, members, seed, central=central)[name]


def measure(**changes):
    """A transfer of 4 to 10 km³/yr from 2030, unless told otherwise."""
    return Measure(
        **{
            "id": "canal",
            "state": "RU",
            "title": "A canal",
            "mechanism": "transfer",
            "volume_km3_per_yr": {"low": 4.0, "best": 5.0, "high": 10.0},
            "start": "2030-01",
            "grade": "D",
            "source": "assumption",
            **changes,
        }
    )


def dam(opening, **changes):
    return measure(
        id="dam",
        state="TM",
        mechanism="strait_regulation",
        volume_km3_per_yr=None,
        opening=opening,
        **changes,
    )


def months_of(first, last):
    years = np.repeat(np.arange(first, last + 1), 12)
    return years, np.tile(np.arange(1, 13), last - first + 1)


# Size


def test_measure_without_a_ramp_is_there_at_full_size_from_its_first_month():
    share = size(measure(start="2030-04"), *months_of(2029, 2031))
    assert_array_equal(share, np.r_[np.zeros(15), np.ones(21)])


def test_ramp_grows_evenly_and_takes_its_value_in_the_middle_of_the_month():
    share = size(measure(start="2030-07", ramp_years=1.5), *months_of(2030, 2032))
    assert_array_equal(share[:6], np.zeros(6))
    assert_allclose(share[6:24], (np.arange(18) + 0.5) / 18.0, rtol=1e-9)
    assert_array_equal(share[24:], np.ones(12))


def test_measure_lasts_to_the_end_of_its_last_month():
    share = size(measure(start="2030-01", end="2031-02"), *months_of(2029, 2032))
    assert_array_equal(share, np.r_[np.zeros(12), np.ones(14), np.zeros(22)])


def test_measure_that_ends_within_its_ramp_never_grows_up():
    share = size(measure(start="2030-01", ramp_years=4.0, end="2031-12"), *months_of(2030, 2033))
    assert share.max() == pytest.approx(23.5 / 48.0, rel=1e-9)
    assert_array_equal(share[24:], np.zeros(24))


def test_annual_mean_of_a_ramp_is_its_value_in_the_middle_of_the_year():
    share = size(measure(ramp_years=10.0), *months_of(2030, 2039)).reshape(10, 12).mean(axis=1)
    assert_allclose(share, (np.arange(10) + 0.5) / 10.0, rtol=1e-9)


@given(st.integers(2026, 2060), st.integers(1, 12), st.just(0.0) | st.floats(1e-3, 30.0))
def test_size_is_a_share_that_never_shrinks_before_the_end(year, month, ramp):
    share = size(measure(start=f"{year}-{month:02d}", ramp_years=ramp), *months_of(2026, 2100))
    assert share.min() >= 0.0
    assert share[-1] == 1.0
    assert (np.diff(share) >= 0.0).all()
    first = (year - 2026) * 12 + month - 1
    assert share[first] > 0.0
    assert not share[:first].any()


# Programmes


def test_programme_without_participants_does_nothing():
    assert measures_of(Programme(), CATALOGUE) == []


@pytest.mark.parametrize("state", STATES)
def test_programme_of_one_state_carries_out_all_and_only_its_measures(state):
    chosen = measures_of(Programme(participants=(state,)), CATALOGUE)
    assert chosen
    assert chosen == [
        m for m in CATALOGUE.values() if m.state == state and not (m.alternative_to or m.avoids)
    ]


def test_joint_programme_carries_out_the_whole_catalogue_but_alternatives_and_avoided_growth():
    whole = [m for m in CATALOGUE.values() if not (m.alternative_to or m.avoids)]
    assert measures_of(Programme(participants=tuple(STATES)), CATALOGUE) == whole


def test_programme_that_names_its_measures_carries_out_no_others():
    russian = [name for name, m in CATALOGUE.items() if m.state == "RU"]
    chosen = measures_of(Programme(participants=("RU",), measures=(russian[2], russian[0])), CATALOGUE)
    assert [m.id for m in chosen] == [russian[0], russian[2]]


# Volumes


def test_central_members_have_the_best_volume():
    assert_array_equal(volumes(measure(), np.arange(3), 1, central=True), [5.0, 5.0, 5.0])


def test_volumes_fill_the_range_as_a_triangle_does():
    drawn = volumes(measure(), np.arange(4000), 1, central=False)
    assert 4.0 <= drawn.min() < drawn.max() <= 10.0
    sd = np.sqrt((16 + 25 + 100 - 20 - 40 - 50) / 18.0)
    assert drawn.mean() == pytest.approx(19.0 / 3.0, abs=4.0 * sd / np.sqrt(4000.0))
    assert (drawn < 5.0).mean() == pytest.approx(1.0 / 6.0, abs=4.0 * np.sqrt(5.0 / 36.0 / 4000.0))


def test_range_of_no_width_needs_no_draw():
    fixed = measure(volume_km3_per_yr={"low": 3.0, "best": 3.0, "high": 3.0})
    assert_array_equal(volumes(fixed, np.arange(3), 1, central=False), [3.0, 3.0, 3.0])


def test_dam_and_release_rules_have_no_volume():
    timing = measure(mechanism="release_timing", volume_km3_per_yr=None)
    for one in (dam(0.0), timing):
        assert_array_equal(volumes(one, np.arange(2), 1, central=False), [0.0, 0.0])


def test_draw_belongs_to_the_measure_and_the_member_alone():
    members = np.arange(50)
    drawn = volumes(measure(), members, 1, central=False)
    assert_array_equal(volumes(measure(state="KZ", start="2050-01"), members, 1, central=False), drawn)
    assert_array_equal(volumes(measure(), members[[7, 3]], 1, central=False), drawn[[7, 3]])
    other = volumes(measure(id="other"), members, 1, central=False)
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.5
    assert not np.isin(other, drawn).any()


def effect_of(measures, first=2029, last=2032, members=4):
    inputs = {f"measure:{m.id}": volumes(m, np.arange(members), 1, central=False) for m in measures}
    return programme_effect(measures, *months_of(first, last), members, inputs)


def test_effect_is_the_sum_of_size_times_volume():
    one, two = measure(ramp_years=2.0), measure(id="second", start="2031-01", end="2031-06")
    effect = effect_of([one, two])
    years, months = months_of(2029, 2032)
    expected = sum(
        np.outer(size(m, years, months), volumes(m, np.arange(4), 1, central=False)) for m in (one, two)
    )
    assert_allclose(effect.inflow, expected, rtol=1e-14)
    assert effect.inflow.shape == (48, 4)
    assert_array_equal(effect.opening, np.ones(48))


def test_effect_on_a_member_does_not_depend_on_the_others():
    measures, months, members = list(CATALOGUE.values()), months_of(2026, 2060), np.arange(12)

    def inflow(some):
        inputs = {f"measure:{m.id}": volumes(m, some, 1, central=False) for m in measures}
        return programme_effect(measures, *months, len(some), inputs).inflow

    together = inflow(members)
    for member in members:
        assert_array_equal(inflow(members[[member]])[:, 0], together[:, member])


def test_programme_of_no_measures_adds_nothing():
    effect = effect_of([])
    assert_array_equal(effect.inflow, np.zeros((48, 4)))
    assert_array_equal(effect.opening, np.ones(48))


def test_dam_closes_the_strait_as_it_grows():
    opening = effect_of([dam(0.2, start="2030-01", ramp_years=1.0, end="2031-12")]).opening
    assert_array_equal(opening[:12], np.ones(12))
    assert_allclose(opening[12:24], 1.0 - 0.8 * (np.arange(12) + 0.5) / 12.0, rtol=1e-9)
    assert_allclose(opening[24:36], 0.2, rtol=1e-12)
    assert_array_equal(opening[36:], np.ones(12))


def test_closed_strait_is_closed_to_the_last_drop():
    assert_array_equal(effect_of([dam(0.0)]).opening[12:], np.zeros(36))


# Consumption


def test_consumption_is_linear_between_its_years_constant_after_and_nothing_before():
    used = consumption_change({"KZ": {2030: 1.0, 2040: 3.0}}, *months_of(2028, 2045))
    row = used[PARTIES.index("KZ")].reshape(18, 12)
    assert_array_equal(row[:2], np.zeros((2, 12)))
    assert_allclose(row[2:12].mean(axis=1), 1.0 + 0.2 * (np.arange(10) + 0.5), rtol=1e-9)
    assert row[2, 0] == pytest.approx(1.0 + 0.2 / 24.0, rel=1e-9)
    assert_allclose(row[12:], 3.0, rtol=1e-12)
    others = np.delete(used, PARTIES.index("KZ"), axis=0)
    assert_array_equal(others, np.zeros((5, 216)))


def test_consumption_does_not_ask_for_the_order_of_its_years():
    months = months_of(2026, 2050)
    assert_array_equal(
        consumption_change({"upstream": {2040: 5.0, 2030: 1.0}}, *months),
        consumption_change({"upstream": {2030: 1.0, 2040: 5.0}}, *months),
    )


def test_growth_of_consumption_lowers_the_sea_by_its_volume_over_the_area():
    quiet = {
        "name": "x",
        "period": {"start": 2026, "end": 2030},
        "climate": {"scenarios": ["ssp245"], "area_convention": "constant"},
        "uncertainty": {"members": 1, "parameters": "central", "variability": False},
        "parameters": {"strait_coefficient_after_1992": 1e-12},
    }
    thirsty = {**quiet, "consumption": {"change": {"RU": {2026: 8.0}, "TM": {2026: 2.0}}}}
    one, two = (cs.run(config, overrides=("output.frequency=monthly",)) for config in (quiet, thirsty))
    fall = (one.sea_volume - two.sea_volume).values[..., -1].item()
    assert fall == pytest.approx(50.0, rel=1e-9)
    assert_allclose(two.consumption_change.sum("state"), 10.0, rtol=1e-12)


# What programmes do to the sea


@pytest.fixture(scope="module")
def paired():
    programmes = {"none": {}, "joint": {"participants": STATES}}
    programmes |= {state.lower(): {"participants": [state]} for state in STATES}
    return cs.run(
        {
            "name": "paired",
            "period": {"start": 2026, "end": 2070},
            "climate": {"scenarios": ["ssp126", "ssp585"]},
            "uncertainty": {"members": 8},
            "programmes": programmes,
        }
    )


def test_joint_programme_never_leaves_the_sea_lower_in_any_member(paired):
    level = paired.sea_level
    gain = (level.sel(programme="joint") - level.sel(programme="none")).values
    assert gain.min() >= 0.0
    assert gain[..., -1].min() > 0.1


def test_programme_with_more_participants_never_leaves_the_sea_lower(paired):
    level = paired.sea_level
    for state in STATES:
        alone = level.sel(programme=state.lower())
        assert float((alone - level.sel(programme="none")).min()) >= -1e-9
        assert float((level.sel(programme="joint") - alone).min()) >= -1e-9


def test_measure_has_the_same_volume_in_every_programme(paired):
    effect = paired.measure_effect.isel(time=-1)
    for state in STATES:
        own = paired.measure_state == state
        assert_array_equal(effect.sel(programme=state.lower())[:, own], effect.sel(programme="joint")[:, own])
        assert not effect.sel(programme=state.lower())[:, ~own].any()
    assert not effect.sel(programme="none").any()


def test_dam_saves_what_would_have_flowed_out_and_no_more(paired):
    dammed, free = (paired.sel(programme=name) for name in ("tm", "none"))
    later = {"time": slice("2050", "2070")}
    assert CATALOGUE["strait-closure"].opening == 0.0
    assert_array_equal(dammed.strait_outflow.sel(later), np.zeros((2, 8, 21)))
    saved = (dammed.sea_volume - free.sea_volume).isel(time=-1)
    assert (saved <= free.strait_outflow.sum("time") + 1e-9).all()
    assert (saved > 0.0).all()


@pytest.mark.parametrize(("small", "large"), [(0.0, 1.0), (1.0, 5.0), (5.0, 20.0)])
def test_more_water_means_a_higher_sea_in_every_year(small, large):
    def level(volume):
        transfer = measure(volume_km3_per_yr={"low": volume, "best": volume, "high": volume})
        return cs.run(
            {
                "name": "x",
                "period": {"start": 2026, "end": 2050},
                "climate": {"scenarios": ["ssp245"]},
                "uncertainty": {"members": 3},
                "measures": {"catalogue": "none", "custom": [transfer.model_dump()]},
                "programmes": {"ru": {"participants": ["RU"]}},
            }
        ).sea_level

    gain = (level(large) - level(small)).values
    assert_array_equal(gain[..., :4], np.zeros_like(gain[..., :4]))
    assert (np.diff(gain[..., 4:], axis=-1) > 0.0).all()
