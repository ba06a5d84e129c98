"""Filter and smoother against dense Gaussian conditioning of the whole system at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from caspian_sim.record.kalman import Filtered, Step, filter_step, run_filter, smooth

TIGHT = {"rtol": 1e-9, "atol": 1e-9}


def random_system(seed, sets=1, years=6, states=3, innovations=2, observations=2, missing=0.3):
    """Start and steps of stable systems, in which some observations are missing."""
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(sets, states, states))
    mean, covariance = (
        generator.normal(size=(sets, states)),
        root @ root.swapaxes(1, 2) + 0.1 * np.eye(states),
    )
    steps = []
    for _ in range(years):
        transition = generator.normal(size=(sets, states, states))
        transition *= 0.95 / np.linalg.norm(transition, ord=2, axis=(1, 2))[:, None, None]
        observed = generator.normal(size=(observations, sets))
        observed[generator.random(observations) < missing] = np.nan
        steps.append(
            Step(
                transition,
                generator.normal(size=(sets, states)),
                generator.normal(size=(sets, states, innovations)),
                observed,
                generator.normal(size=(observations, sets, states)),
                generator.uniform(0.05, 2.0, size=(observations, sets)),
            )
        )
    return mean, covariance, steps


class Dense:
    """Joint distribution of all states and observations of one set, from the start and every innovation."""

    def __init__(self, mean, covariance, steps, which=0):
        states, innovations = steps[0].noise.shape[1:]
        size = states + innovations * len(steps)
        # Everything random: departure of the start, then the innovations of every year.
        self.among = np.eye(size)
        self.among[:states, :states] = covariance[which]
        level, loading = mean[which], np.eye(states, size)
        self.means, self.loadings = [], []
        self.values, self.rows, self.expected, self.variance, self.year = [], [], [], [], []
        for year, step in enumerate(steps):
            level = step.transition[which] @ level + step.offset[which]
            loading = step.transition[which] @ loading
            begin = states + innovations * year
            loading[:, begin : begin + innovations] += step.noise[which]
            self.means.append(level)
            self.loadings.append(loading)
            for value, z, variance in zip(step.observed, step.loading, step.variance, strict=True):
                if np.isnan(value[which]):
                    continue
                self.values.append(value[which])
                self.rows.append(z[which] @ loading)
                self.expected.append(z[which] @ level)
                self.variance.append(variance[which])
                self.year.append(year)

    def seen(self, until):
        """Errors of prediction, loadings and covariance of the observations up to a year."""
        chosen = [k for k, year in enumerate(self.year) if year <= until]
        rows = np.array([self.rows[k] for k in chosen]).reshape(len(chosen), len(self.among))
        error = np.array([self.values[k] - self.expected[k] for k in chosen])
        return error, rows, rows @ self.among @ rows.T + np.diag([self.variance[k] for k in chosen])

    def state(self, year, until):
        """Mean and covariance of the state of a year given the observations up to another."""
        loading = self.loadings[year]
        prior = loading @ self.among @ loading.T
        error, rows, covariance = self.seen(until)
        if not len(error):
            return self.means[year], prior
        weights = np.linalg.solve(covariance, rows @ self.among @ loading.T).T
        return self.means[year] + weights @ error, prior - weights @ (rows @ self.among @ loading.T)

    def log_likelihood(self, until):
        error, _, covariance = self.seen(until)
        if not len(error):
            return 0.0
        quadratic = error @ np.linalg.solve(covariance, error)
        return -0.5 * (quadratic + np.linalg.slogdet(2.0 * np.pi * covariance)[1])


SYSTEMS = given(
    st.integers(0, 2**32 - 1),
    st.fixed_dictionaries(
        {
            "states": st.integers(1, 5),
            "innovations": st.integers(1, 4),
            "observations": st.integers(1, 3),
            "years": st.integers(1, 7),
        }
    ),
)


def filtered_of(mean, covariance, steps):
    return list(run_filter(mean, covariance, iter(steps)))


@SYSTEMS
@settings(max_examples=60, deadline=None)
def test_filter_is_dense_conditioning_on_what_was_observed_so_far(seed, sizes):
    mean, covariance, steps = random_system(seed, **sizes)
    dense = Dense(mean, covariance, steps)
    total = 0.0
    for year, found in enumerate(filtered_of(mean, covariance, steps)):
        for attributes, until in (
            (("predicted_mean", "predicted_covariance"), year - 1),
            (("mean", "covariance"), year),
        ):
            expected = dense.state(year, until)
            for attribute, values in zip(attributes, expected, strict=True):
                assert_allclose(getattr(found, attribute)[0], values, **TIGHT)
        total += found.log_likelihood[0]
        assert total == pytest.approx(dense.log_likelihood(year), rel=1e-9, abs=1e-9)


@SYSTEMS
@settings(max_examples=60, deadline=None)
def test_smoother_is_dense_conditioning_on_all_observations(seed, sizes):
    mean, covariance, steps = random_system(seed, **sizes)
    dense = Dense(mean, covariance, steps)
    found = smooth(filtered_of(mean, covariance, steps), steps)
    assert len(found) == sizes["years"]
    for year, (level, spread) in enumerate(found):
        expected = dense.state(year, sizes["years"])
        assert_allclose(level[0], expected[0], **TIGHT)
        assert_allclose(spread[0], expected[1], **TIGHT)


def test_without_observations_filter_and_smoother_go_on_with_the_model():
    mean, covariance, steps = random_system(3, missing=1.1)
    filtered = filtered_of(mean, covariance, steps)
    assert sum(len(done.updates) for done in filtered) == 0
    assert_allclose([done.log_likelihood[0] for done in filtered], 0.0)
    for (level, spread), done in zip(smooth(filtered, steps), filtered, strict=True):
        assert_allclose(level, done.predicted_mean, **TIGHT)
        assert_allclose(spread, done.predicted_covariance, **TIGHT)


def test_many_sets_at_once_are_each_what_it_is_alone():
    mean, covariance, steps = random_system(9, sets=4, years=5, states=4, observations=3)
    together = filtered_of(mean, covariance, steps)
    smoothed = smooth(together, steps)
    for one in range(4):
        own = [
            Step(
                step.transition[[one]],
                step.offset[[one]],
                step.noise[[one]],
                step.observed[:, [one]],
                step.loading[:, [one]],
                step.variance[:, [one]],
            )
            for step in steps
        ]
        alone = filtered_of(mean[[one]], covariance[[one]], own)
        for name in ("predicted_mean", "predicted_covariance", "mean", "covariance", "log_likelihood"):
            for found, expected in zip(together, alone, strict=True):
                assert_allclose(getattr(found, name)[one], getattr(expected, name)[0], rtol=1e-12, atol=1e-12)
        for (level, spread), (own_level, own_spread) in zip(smoothed, smooth(alone, own), strict=True):
            assert_allclose(level[one], own_level[0], rtol=1e-11, atol=1e-11)
            assert_allclose(spread[one], own_spread[0], rtol=1e-11, atol=1e-11)


def test_a_level_known_without_error_is_the_state():
    one = np.ones((1, 1, 1))
    step = Step(one, np.zeros((1, 1)), one, np.array([[4.0]]), one, np.zeros((1, 1)))
    found = filter_step(np.array([[1.0]]), np.array([[[3.0]]]), step)
    assert isinstance(found, Filtered)
    assert found.mean[0, 0] == pytest.approx(4.0, abs=1e-12)
    assert found.covariance[0, 0, 0] == pytest.approx(0.0, abs=1e-12)
    # Predicted with a variance of 3 + 1.
    assert found.log_likelihood[0] == pytest.approx(-0.5 * (np.log(2.0 * np.pi * 4.0) + 9.0 / 4.0), rel=1e-12)
