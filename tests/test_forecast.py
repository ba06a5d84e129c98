"""Forecasts from years of the past: that they know nothing of what came later, and who may issue them."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim.errors import OutOfRangeError
from caspian_sim.evaluate.forecast import (
    fit_until,
    issue_forecasts,
    warming_ahead,
    weights_at,
)
from caspian_sim.record.observations import shipped_observations

RECORD = shipped_observations()
ORIGINS = (1995, 1998)
TINY = {"members": 20, "leads": 5, "burn_in": 4, "steps": 4}


def issue(observed=RECORD, origins=ORIGINS, **changes):
    pytest.importorskip("emcee")
    return issue_forecasts(origins, observed=observed, **{"workers": 1, **TINY, **changes})


def changed(year, names=("level", "inflow", "volga", "warming", "monthly_level"), by=0.7):
    """Observations in which everything from a year on is another."""
    later = {
        name: getattr(RECORD, name)
        + np.where((RECORD.month // 12 if name == "monthly_level" else RECORD.year) >= year, by, 0.0)
        for name in names
    }
    return dataclasses.replace(RECORD, **later)


@pytest.fixture(scope="module")
def forecasts():
    return issue()


def same(one, other, origin):
    assert_array_equal(one["forecast"].sel(origin=origin), other["forecast"].sel(origin=origin))
    for name in ("last_level", "effective_draws"):
        assert float(one[name].sel(origin=origin)) == float(other[name].sel(origin=origin)), name


@pytest.mark.parametrize("origin", ORIGINS)
def test_forecast_knows_nothing_that_was_observed_after_its_origin(forecasts, origin):
    same(issue(changed(origin + 1), origins=(origin,)), forecasts, origin)


def test_forecast_knows_nothing_of_later_years_when_these_are_missing(forecasts):
    same(issue(RECORD.until(1998), origins=(1998,)), forecasts, 1998)


@pytest.mark.parametrize("series", ["level", "inflow", "volga", "warming", "monthly_level"])
def test_forecast_knows_what_was_observed_until_its_origin(forecasts, series):
    # The fit of 1998 is that of 1996; what came after it counts in weights and state.
    other = issue(changed(1996, (series,)), origins=(1998,))
    if series == "volga":
        # The total of these years is known, and the Volga adds nothing but its share in the fit.
        assert not np.array_equal(other["forecast"], forecasts["forecast"].sel(origin=[1998]))
        return
    assert (other["forecast"].values != forecasts["forecast"].sel(origin=[1998]).values).all()


def test_forecast_does_not_depend_on_the_other_origins(forecasts):
    same(issue(origins=(1998,)), forecasts, 1998)


def test_forecast_does_not_depend_on_the_number_of_workers(forecasts):
    both = issue(workers=2)
    for origin in ORIGINS:
        same(both, forecasts, origin)


def test_seed_makes_another_forecast(forecasts):
    assert (issue(seed=1)["forecast"].values != forecasts["forecast"].values).all()


def test_forecast_has_its_observations_and_units(forecasts):
    assert forecasts["forecast"].dims == ("origin", "lead", "member")
    assert dict(forecasts.sizes) == {"origin": 2, "lead": 5, "member": 20}
    assert forecasts["forecast"].attrs["units"] == "m"
    assert "Baltic Height System" in forecasts["forecast"].attrs["datum"]
    level = dict(zip(RECORD.year.tolist(), RECORD.level, strict=True))
    expected = [[level[origin + lead] for lead in range(1, 6)] for origin in ORIGINS]
    assert_array_equal(forecasts["observed"].values, expected)
    assert_array_equal(forecasts["last_level"].values, [level[origin] for origin in ORIGINS])
    # A year from the last level: within a metre of it, and more and more apart.
    spread = forecasts["forecast"].std("member")
    assert (abs(forecasts["forecast"].sel(lead=1) - forecasts["last_level"]) < 1.0).all()
    assert (spread.sel(lead=5) > spread.sel(lead=1)).all()


def test_weights_follow_what_has_been_observed_since_the_fit():
    pytest.importorskip("emcee")
    fit = fit_until(1996, RECORD, burn_in=4, steps=4)
    even = weights_at(fit, RECORD, 1996)
    assert_allclose(even, 1.0 / len(even), rtol=1e-12)
    later = weights_at(fit, RECORD, 2000)
    assert later.sum() == pytest.approx(1.0, abs=1e-12)
    assert later.std() > 0.0
    assert_array_equal(weights_at(fit, changed(2001), 2000), later)


@pytest.mark.parametrize(
    ("origins", "found"), [((1965,), "1965"), ((2026,), "2026"), ((1990, 2030), "2030"), ((), "no year")]
)
def test_years_that_no_forecast_can_be_issued_from_are_named(origins, found):
    with pytest.raises(OutOfRangeError) as error:
        issue_forecasts(origins, **TINY)
    assert str(error.value) == (
        "no forecast can be issued from that year\n"
        f"    found    {found}\n"
        "    allowed  1966 to 2025: a fit needs thirty years, and the year a level"
    )


def test_warming_goes_on_along_the_line_through_its_last_thirty_years():
    year = RECORD.year
    line = dataclasses.replace(RECORD, warming=np.where(year > 2000, np.nan, 0.02 * (year - 1990.0)))
    line = line.until(2002)
    assert_allclose(warming_ahead(line, 3), 0.02 * (np.array([2003, 2004, 2005]) - 1990.0), rtol=1e-9)
    # What lies more than thirty years back does not count.
    early = dataclasses.replace(line, warming=np.where(line.year < 1971, 9.0, line.warming))
    assert_allclose(warming_ahead(early, 3), warming_ahead(line, 3), rtol=1e-9)
