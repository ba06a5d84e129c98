"""Swings of the record against simulated centuries: what is searched for, and that the model makes them."""

import numpy as np
import pytest

from caspian_sim import data
from caspian_sim.evaluate import swings as module
from caspian_sim.evaluate.swings import SWINGS, steady_centuries, swings


@pytest.fixture(scope="module")
def found():
    return swings(members=200)


def test_observed_swings_are_those_of_the_record(found):
    level = data.load("sea_level_annual")["level"]
    for (first, last), observed, years in zip(SWINGS, found["observed"], found["years"], strict=True):
        assert float(observed) == pytest.approx(float(level.sel(year=last) - level.sel(year=first)))
        assert int(years) == last - first
    assert [round(float(change), 1) for change in found["observed"]] == [-1.8, 2.3, -2.2]


def test_natural_variability_makes_decades_like_those_of_the_record_but_not_in_every_century(found):
    # Three standard errors of a share from 200 centuries are a tenth at most.
    share = found["share"].values
    assert (share > 0.02).all()
    assert (share < 0.9).all()


def test_quantiles_have_the_sign_of_the_swing_and_grow_with_the_probability(found):
    largest = found["largest"].values * np.sign(found["observed"].values)[:, None]
    assert (np.diff(largest, axis=1) > 0.0).all()
    assert (largest[:, 1] > 0.0).all()


def test_share_counts_the_centuries_with_a_swing_at_least_as_large(monkeypatch):
    years = np.arange(1922, 2026)
    calm = np.full(len(years), -28.0)
    falling = calm - 1.8 * ((years >= 1950) & (years < 1990)) * (years - 1950) / 11.0
    monkeypatch.setattr(module, "steady_centuries", lambda *_: np.stack([calm, falling], axis=1))
    found = module.swings()
    assert found["share"].values.tolist() == [0.5, 0.5, 0.5]
    assert float(found["largest"].sel(swing="1930-1941", quantile=0.95)) < -1.6


def test_centuries_depend_on_the_seed_alone():
    one, again, other = (steady_centuries(5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
