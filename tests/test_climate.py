"""Rivers, seasons, warming, sensitivities and draws: totals, published figures, independent streams."""

import numpy as np
import pytest
from basins import anomaly, caspian, closed, every_month
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri
from scipy.stats import lognorm, norm, triang, uniform

from caspian_sim import data
from caspian_sim.basin.rivers import RIVERS, inflow_shape, month_fractions, river_inflow
from caspian_sim.climate.draws import draw_inputs, log_density, normals, quantiles, sample, uniforms
from caspian_sim.climate.response import linear_response, proportional_response
from caspian_sim.climate.scenario import BASELINE, scenario_climate
from caspian_sim.climate.seasons import level_departure_at_month_edges, net_evaporation_departure
from caspian_sim.climate.variability import StartState
from caspian_sim.climate.warming import SCENARIOS, assessed_warming, observed_warming, warming
from caspian_sim.collect import Calendar
from caspian_sim.data import Parameter
from caspian_sim.errors import DataError
from caspian_sim.forcing import Forcing
from caspian_sim.measures.effect import programme_effect
from caspian_sim.simulate import monthly_forcing
from caspian_sim.solve import solve

LEAP_AND_NOT = np.arange(2023, 2030)
PRIORS = data.parameters()


# Months


def test_months_of_a_year_are_its_days_over_365_or_366():
    common, leap = month_fractions(np.array([2023, 2024]))
    assert_allclose(common[:3] * 365.0, [31.0, 28.0, 31.0], rtol=1e-14)
    assert_allclose(leap[:3] * 366.0, [31.0, 29.0, 31.0], rtol=1e-14)


@pytest.mark.parametrize(("year", "days"), [(1900, 28), (2000, 29), (2024, 29), (2100, 28), (2025, 28)])
def test_centuries_are_leap_years_only_when_four_hundred_divides_them(year, days):
    fractions = month_fractions(np.array([year]))[0]
    assert fractions[1] / fractions[0] == pytest.approx(days / 31.0, rel=1e-14)
    assert fractions.sum() == pytest.approx(1.0, abs=1e-15)


# Rivers


def test_rivers_add_up_to_the_observed_total_in_every_year():
    record = data.load("river_inflow_annual")["total_rivers"].sel(year=slice(1936, 2022))
    assert_allclose(river_inflow(1936, 2022).sum(axis=0), record.values, rtol=1e-14)


def test_volga_is_as_observed_and_no_river_runs_dry_or_backwards():
    split = river_inflow(1936, 2022)
    volga = data.load("river_inflow_annual")["volga"].sel(year=slice(1936, 2022)).values
    known = np.isfinite(volga)
    assert known.sum() > 60
    assert_array_equal(split[RIVERS.index("volga"), known], volga[known])
    assert (split > 0.0).all()


def test_ural_at_its_mouth_is_the_gauge_less_fifteen_per_cent():
    gauge = float(data.load("ural_annual")["volume"].sel(year=2000))
    assert river_inflow(2000, 2000)[RIVERS.index("ural"), 0] == pytest.approx(0.85 * gauge, rel=1e-12)


def test_small_rivers_share_what_is_left_as_their_means_do():
    split = river_inflow(2000, 2000)[:, 0]
    means = data.load("rivers")["mean"]
    ratio = split[RIVERS.index("kura")] / split[RIVERS.index("terek")]
    assert ratio == pytest.approx(float(means.sel(river="kura") / means.sel(river="terek")), rel=1e-12)


@pytest.mark.parametrize(("years", "found"), [((2020, 2023), "[2023]"), ((1930, 1940), "1930-1940")])
def test_years_without_a_total_inflow_are_refused(years, found):
    with pytest.raises(DataError) as raised:
        river_inflow(*years)
    assert str(raised.value) == (
        f"no total river inflow for {found}\n"
        "    allowed  years 1936 to 2022 (the total of 2023 is masked: wrong in the source)"
    )


def test_monthly_inflow_keeps_the_annual_total_and_peaks_in_may():
    fractions = month_fractions(LEAP_AND_NOT)
    shape = inflow_shape(fractions)
    assert_allclose((shape * fractions).sum(axis=1), 1.0, rtol=1e-14)
    assert_array_equal(shape.argmax(axis=1), np.full(len(LEAP_AND_NOT), 4))
    volga = data.load("seasonal_climatology")["volga"].values
    assert_allclose(shape[0] * fractions[0], volga / volga.sum(), rtol=1e-14)


# The year of net evaporation


def test_season_of_net_evaporation_leaves_the_annual_mean_alone():
    fractions = month_fractions(LEAP_AND_NOT)
    departure = net_evaporation_departure(fractions)
    assert_allclose((departure * fractions).sum(axis=1), 0.0, atol=1e-10)
    assert departure[:, [7, 8]].min() > departure[:, [2, 3]].max() + 1500.0


def test_mean_level_of_the_months_meets_at_their_edges():
    edges = level_departure_at_month_edges()
    assert len(edges) == 13
    assert edges[0] == edges[-1]


def balanced_year():
    """Departure of modelled monthly means from their running annual mean with the mean forcing, cm."""
    calendar = Calendar(2026, 2029, "monthly")
    level = float(data.load("sea_level_annual")["level"].sel(year=slice(1993, 2022)).mean())
    inflow, area = river_inflow(1993, 2022).sum(axis=0).mean(), caspian().area(level)
    season = net_evaporation_departure(calendar.fractions).ravel()
    none = np.zeros((len(season), 1))
    forcing = Forcing(
        calendar.length, 2026, (inflow * inflow_shape(calendar.fractions).ravel())[:, None],
        none, (inflow / area * 1e6 + season)[:, None], none, none, none,
    )  # fmt: skip
    start = level + level_departure_at_month_edges()[0]
    solution = solve(forcing, closed(caspian()), anomaly(caspian(), start), np.zeros(1), calendar.interval)
    weights = np.r_[0.5, np.ones(11), 0.5] / 12.0
    running = np.convolve(solution.level[:, 0], weights, "valid")
    departure = 100.0 * (solution.level[6:-6, 0] - running)
    return np.array([departure[(np.arange(len(departure)) + 6) % 12 == month].mean() for month in range(12)])


def test_mean_forcing_brings_the_sea_back_to_its_level_after_a_year():
    assert abs(balanced_year().mean()) < 0.1


def test_mean_cycle_of_the_level_is_that_of_the_altimeters():
    observed = data.load("seasonal_climatology")["level_anomaly"].values
    assert_allclose(balanced_year(), observed, atol=1.0)


# Warming


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_warming_until_2025_is_the_published_response_to_human_forcing(scenario):
    years = np.arange(2018, 2026)
    table = data.load("warming_ssp")["warming"]
    path = table.sel(scenario=scenario, base_period="1995-2014", year=years).values
    assert_array_equal(warming(scenario, years, [0.05, 0.9]), np.stack([path, path], axis=1))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_mean_of_2081_to_2100_has_the_assessed_percentiles(scenario):
    spread = data.load("warming_percentiles")["warming"].sel(scenario=scenario, base_period="1995-2014")
    levels = np.array([0.05, 0.16, 0.5, 0.84, 0.95])
    assert_allclose(spread["quantile"], levels, rtol=1e-14)
    mean = warming(scenario, np.arange(2081, 2101), levels).mean(axis=0)
    assert_allclose(mean, spread.values, atol=1e-12)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_members_share_the_present_and_part_in_a_straight_line(scenario):
    quantile = np.array([0.01, 0.3, 0.5, 0.9, 0.999])
    years = np.arange(2018, 2101)
    path = warming(scenario, years, quantile)
    apart = path - path[:, [2]]
    assert_allclose(apart[years <= 2025], 0.0, atol=1e-15)
    assert_allclose(np.diff(apart[years >= 2025], n=2, axis=0), 0.0, atol=1e-12)


@given(st.sampled_from(SCENARIOS), st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_higher_quantile_never_means_less_warming(scenario, one, other):
    low, high = sorted((one, other))
    reached = assessed_warming(scenario, np.array([low, high]))
    assert reached[0] <= reached[1]


def test_tails_go_on_along_the_last_two_percentiles():
    spread = data.load("warming_percentiles")["warming"].sel(scenario="ssp245", base_period="1995-2014")
    p84, p95 = (float(spread.sel(quantile=q)) for q in (0.84, 0.95))
    slope = (p95 - p84) / (ndtri(0.95) - ndtri(0.84))
    expected = p95 + slope * (ndtri(0.99) - ndtri(0.95))
    assert_allclose(assessed_warming("ssp245", [0.99]), [expected], rtol=1e-12)


def test_warming_of_2100_stays_afterwards():
    path = warming("ssp370", np.array([2100, 2101, 2200]), np.array([0.2, 0.8]))
    assert_array_equal(path[1:], path[[0, 0]])


def test_warming_before_its_table_is_refused():
    with pytest.raises(DataError) as raised:
        warming("ssp245", np.array([2017, 2018]))
    assert str(raised.value) == "warming by scenario begins in 2018\n    found    2017"


def test_observed_warming_is_counted_from_the_mean_of_1995_to_2014():
    assert observed_warming(1995, 2014).mean() == pytest.approx(0.0, abs=1e-12)
    gmst = data.load("gmst_observed")["gmst_anomaly"]
    assert observed_warming(2020, 2021)[1] - observed_warming(2020, 2021)[0] == pytest.approx(
        float(gmst.sel(year=2021) - gmst.sel(year=2020)), abs=1e-12
    )


# Sensitivities


def test_flux_changes_by_per_cent_of_its_baseline_per_kelvin_and_never_below_zero():
    changed = proportional_response(
        np.array(200.0), np.array([-10.0, 3.0, -50.0]), np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 3.0]])
    )
    assert_allclose(changed, [[160.0, 212.0, 0.0], [200.0, 206.0, 0.0]], rtol=1e-14)


def test_evaporation_changes_by_millimetres_per_kelvin():
    changed = linear_response(np.array([970.0, 980.0]), np.array([50.0, 20.0]), np.array([[2.0, -1.0]]))
    assert_allclose(changed, [[1070.0, 960.0]], rtol=1e-14)


def start_of(members):
    """A state of today with departures of its own for every member."""
    number = np.asarray(members, dtype=float)
    return StartState(np.zeros(len(number)), 30.0 + number, -20.0 + number, 8.0 - number)


def climate_of(years=LEAP_AND_NOT + 10, members=3, variability=False, central=True, scenario="ssp370"):
    numbers = np.arange(members)
    parameters = draw_inputs(PRIORS, numbers, 7, central=central)
    climate = scenario_climate(scenario, years, numbers, parameters, 7, start_of(numbers), variability)
    return climate, parameters


def test_climate_of_a_scenario_is_the_baseline_changed_by_the_sensitivities():
    climate, parameters = climate_of()
    change = warming("ssp370", LEAP_AND_NOT + 10)[:, 0] - observed_warming(*BASELINE).mean()
    means = river_inflow(*BASELINE).mean(axis=1)
    means *= PRIORS["river_inflow"].best / means.sum()
    response = np.array([-0.02] + [-0.10] * 7)
    expected = means[:, None] * (1.0 + response[:, None] * change)
    number, ahead = np.arange(3), np.arange(1, 8)[:, None]
    short, slow = PRIORS["inflow_lag1"].best ** ahead, PRIORS["inflow_slow_lag1"].best ** ahead
    departure = (-20.0 + number) * short + (8.0 - number) * slow
    # Every river departs by the same share.
    share = 1.0 + departure / expected.sum(axis=0)[:, None]
    assert_allclose(climate.inflow, expected[:, :, None] * share, rtol=1e-12)
    assert_allclose(climate.inflow.sum(axis=0), expected.sum(axis=0)[:, None] + departure, rtol=1e-12)
    assert_allclose(climate.precipitation[:, 0], 200.0 * (1.0 + 0.03 * change), rtol=1e-12)
    bay = PRIORS["bay_net_evaporation"].best + 55.0 * change
    assert_allclose(climate.bay_net_evaporation[:, 2], bay, rtol=1e-12)
    fading = (30.0 + number) * PRIORS["net_evaporation_slow_lag1"].best ** ahead
    evaporation = parameters["net_evaporation"][0] + 200.0 + 55.0 * change[:, None] + fading
    assert_allclose(climate.evaporation, evaporation, rtol=1e-12)


def test_no_river_runs_backwards_however_dry_the_year():
    number = np.arange(60)
    parameters = draw_inputs(PRIORS, number, 7, central=True) | {"inflow_sd": np.full(60, 250.0)}
    climate = scenario_climate("ssp370", LEAP_AND_NOT, number, parameters, 7, start_of(number), True)
    assert climate.inflow.min() == 0.0
    dry = climate.inflow.sum(axis=0) == 0.0
    assert 0.05 < dry.mean() < 0.3
    assert_array_equal(climate.inflow[:, dry], 0.0)


def test_rivers_that_warming_has_dried_up_stay_dry():
    parameters = draw_inputs(PRIORS, np.arange(3), 7, central=True)
    parameters |= {name: np.full(3, -50.0) for name in ("volga_sensitivity", "other_river_sensitivity")}
    years = np.arange(2090, 2101)
    climate = scenario_climate("ssp585", years, np.arange(3), parameters, 7, start_of(np.arange(3)), True)
    assert (climate.warming > 2.5).all()
    assert_array_equal(climate.inflow, 0.0)


def test_climate_of_a_member_does_not_depend_on_the_others():
    numbers = np.array([4, 1])
    parameters = draw_inputs(PRIORS, np.arange(6), 7, central=False)
    some = draw_inputs(PRIORS, numbers, 7, central=False)
    whole = scenario_climate("ssp585", LEAP_AND_NOT, np.arange(6), parameters, 7, start_of(range(6)), True)
    part = scenario_climate("ssp585", LEAP_AND_NOT, numbers, some, 7, start_of(numbers), True)
    for name in ("warming", "inflow", "precipitation", "evaporation", "bay_net_evaporation"):
        assert_array_equal(getattr(part, name), getattr(whole, name)[..., numbers])


def test_scenarios_share_the_natural_variability_of_a_member():
    one, _ = climate_of(variability=True, central=False, scenario="ssp126")
    two, _ = climate_of(variability=True, central=False, scenario="ssp585")
    calm_one, _ = climate_of(variability=False, central=False, scenario="ssp126")
    calm_two, _ = climate_of(variability=False, central=False, scenario="ssp585")
    assert_allclose(one.evaporation - calm_one.evaporation, two.evaporation - calm_two.evaporation, atol=1e-9)
    water = [
        natural.inflow.sum(axis=0) - calm.inflow.sum(axis=0)
        for natural, calm in ((one, calm_one), (two, calm_two))
    ]
    assert np.abs(water[0]).max() > 10.0
    assert_allclose(*water, atol=1e-9)


# From years to months


def test_annual_means_of_the_monthly_forcing_are_the_annual_values():
    calendar = Calendar(2023, 2029)
    climate, parameters = climate_of(LEAP_AND_NOT, variability=True, central=False)
    consumption = np.sin(np.arange(84.0))
    effect = programme_effect([], calendar.years, calendar.months, 3, {})
    forcing = every_month(monthly_forcing(calendar, climate, parameters, consumption, effect))

    def annual_means(flux):
        return (flux * calendar.length[:, None]).reshape(7, 12, 3).sum(axis=1)

    inflow = climate.inflow.sum(axis=0) + parameters["groundwater"]
    used = (consumption * calendar.length).reshape(7, 12).sum(axis=1)[:, None]
    assert_allclose(annual_means(forcing.external), inflow - used, rtol=1e-12)
    assert_allclose(annual_means(forcing.precipitation), climate.precipitation, rtol=1e-12)
    assert_allclose(annual_means(forcing.evaporation), climate.evaporation, rtol=1e-12)
    assert_allclose(annual_means(forcing.bay_net_evaporation), climate.bay_net_evaporation, rtol=1e-12)
    assert_array_equal(forcing.pipe_outflow, np.zeros((84, 1)))
    assert_allclose(forcing.strait_coefficient, np.tile(parameters["strait_coefficient_after_1992"], (84, 1)))


def test_calendar_knows_the_edges_and_the_means_of_its_years():
    calendar = Calendar(2023, 2024)
    assert_allclose(calendar.edges[[0, 1, 12, 24]], [2023.0, 2023.0 + 31 / 365, 2024.0, 2025.0], rtol=1e-15)
    assert_allclose(np.diff(calendar.edges), calendar.length, atol=1e-12)
    monthly = np.where(calendar.months == 2, 1.0, 0.0)
    assert_allclose(calendar.interval_mean(monthly), [28 / 365, 29 / 366], rtol=1e-14)
    assert_array_equal(Calendar(2023, 2024, "monthly").interval_mean(monthly), monthly)


# Draws


def test_draw_is_found_by_seed_component_place_and_member_alone():
    members = np.arange(8)
    drawn = uniforms(1, "parameter:groundwater", 3, members)
    assert_array_equal(uniforms(1, "parameter:groundwater", 3, members), drawn)
    assert len(np.unique(drawn)) == 8
    for seed, component, place in (
        (2, "parameter:groundwater", 3),
        (1, "parameter:precipitation", 3),
        (1, "parameter:groundwater", 4),
    ):
        assert not np.isin(uniforms(seed, component, place, members), drawn).any()


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=12))
def test_members_in_any_selection_and_order_keep_their_draws(numbers):
    whole = uniforms(5, "x", 2, np.arange(5001))
    assert_array_equal(uniforms(5, "x", 2, np.array(numbers)), whole[numbers])


def test_member_draws_the_same_whoever_else_takes_part():
    whole = normals(3, "variability:inflow", np.arange(20), 30)
    assert_array_equal(normals(3, "variability:inflow", np.array([17, 4]), 30), whole[:, [17, 4]])
    assert_array_equal(quantiles(3, "x", np.array([17, 4])), quantiles(3, "x", np.arange(20))[[17, 4]])


def test_longer_sequence_begins_with_the_shorter():
    members = np.arange(5)
    assert_array_equal(normals(3, "x", members, 200)[:75], normals(3, "x", members, 75))


def test_streams_of_members_and_of_components_are_uncorrelated():
    draws = np.stack([normals(11, component, np.arange(10), 2000) for component in ("a", "b")], axis=2)
    correlation = np.corrcoef(draws.reshape(2000, 20).T)
    off_diagonal = correlation[~np.eye(20, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(2000.0)


def test_quantiles_are_uniform_over_members():
    drawn = np.sort(quantiles(11, "x", np.arange(2000)))
    distance = np.abs(drawn - (np.arange(2000) + 0.5) / 2000.0).max()
    assert distance < 1.63 / np.sqrt(2000.0)
    assert drawn[0] > 0.0
    assert drawn[-1] < 1.0


def prior(distribution, best, low, high):
    return Parameter("x", distribution, best, low, high, "1", "D", "test", "test")


@pytest.mark.parametrize(
    ("distribution", "best", "low", "high", "points"),
    [
        ("normal", 10.0, 8.0, 12.0, (8.0, 10.0, 12.0)),
        ("lognormal", 4.0, 2.0, 8.0, (2.0, 4.0, 8.0)),
        ("uniform", 3.0, 0.0, 20.0, (1.0, 10.0, 19.0)),
        ("triangular", 4.0, 0.0, 8.0, (np.sqrt(1.6), 4.0, 8.0 - np.sqrt(1.6))),
        ("fixed", 5.0, 5.0, 5.0, (5.0, 5.0, 5.0)),
    ],
)
def test_priors_have_their_five_fifty_and_ninety_five_per_cent_points(distribution, best, low, high, points):
    drawn = sample(prior(distribution, best, low, high), np.array([0.05, 0.5, 0.95]))
    assert_allclose(drawn, points, rtol=1e-12)


MANY = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize(
    ("distribution", "best", "low", "high", "mean", "sd"),
    [
        ("normal", 10.0, 8.0, 12.0, 10.0, 2.0 / 1.6448536),
        ("lognormal", 4.0, 2.0, 8.0, 4.0 * np.exp(0.5 * (np.log(2.0) / 1.6448536) ** 2), None),
        ("uniform", 3.0, 0.0, 20.0, 10.0, 20.0 / np.sqrt(12.0)),
        ("triangular", 2.0, 1.0, 6.0, 3.0, np.sqrt((1 + 4 + 36 - 2 - 6 - 12) / 18.0)),
        ("triangular", 1.0, 1.0, 4.0, 2.0, np.sqrt(9.0 / 18.0)),
        ("triangular", 4.0, 1.0, 4.0, 3.0, np.sqrt(9.0 / 18.0)),
    ],
)
def test_many_draws_recover_the_moments_of_the_prior(distribution, best, low, high, mean, sd):
    drawn = sample(prior(distribution, best, low, high), MANY)
    assert drawn.mean() == pytest.approx(mean, rel=1e-4)
    if sd is not None:
        assert drawn.std() == pytest.approx(sd, rel=1e-3)
    if distribution in ("uniform", "triangular"):
        assert low <= drawn.min() < drawn.max() <= high
    assert (np.diff(drawn) >= 0.0).all()


@pytest.mark.parametrize("name", PRIORS)
def test_shipped_priors_are_recovered_by_many_members(name):
    shipped = PRIORS[name]
    drawn = sample(shipped, MANY)
    found = np.quantile(drawn, [0.05, 0.95])
    assert_allclose(found, sample(shipped, np.array([0.05, 0.95])), rtol=1e-3, atol=1e-3)
    if shipped.distribution in ("normal", "lognormal"):
        assert_allclose(found, [shipped.low, shipped.high], rtol=1e-3, atol=1e-3)


def test_central_members_all_have_the_best_values():
    drawn = draw_inputs(PRIORS, np.arange(4), 1, central=True)
    assert set(drawn) == set(PRIORS)
    for name, values in drawn.items():
        assert_array_equal(values, np.full(4, PRIORS[name].best))


def test_new_parameter_changes_no_draw_of_the_others():
    usual = draw_inputs(PRIORS, np.arange(6), 1, central=False)
    more = {"aaa_new": prior("uniform", 0.5, 0.0, 1.0), **PRIORS}
    with_it = draw_inputs(more, np.arange(6), 1, central=False)
    for name in PRIORS:
        assert_array_equal(with_it[name], usual[name])


@pytest.mark.parametrize(
    ("given", "reference", "ends"),
    [
        (("normal", 10.0, 8.0, 12.0), norm(10.0, 2.0 / ndtri(0.95)), (-np.inf, np.inf)),
        (("lognormal", 4.0, 2.0, 8.0), lognorm(np.log(2.0) / ndtri(0.95), scale=4.0), (0.0, np.inf)),
        (("uniform", 3.0, 0.0, 20.0), uniform(0.0, 20.0), (0.0, 20.0)),
        (("triangular", 2.0, 1.0, 6.0), triang(0.2, 1.0, 5.0), (1.0, 6.0)),
        (("triangular", 1.0, 1.0, 4.0), triang(0.0, 1.0, 3.0), (1.0, 4.0)),
        (("triangular", 4.0, 1.0, 4.0), triang(1.0, 1.0, 3.0), (1.0, 4.0)),
    ],
)
def test_density_of_a_prior_is_that_of_its_distribution_but_for_a_constant(given, reference, ends):
    values = reference.ppf(np.linspace(0.001, 0.999, 101))
    apart = log_density(prior(*given), values) - reference.logpdf(values)
    assert_allclose(apart, apart[50], atol=1e-10)
    low, high = ends
    outside = np.array([v for v in (low - 1e-6, high + 1e-6) if np.isfinite(v)])
    assert_array_equal(log_density(prior(*given), outside), np.full(len(outside), -np.inf))


def test_density_of_a_prior_goes_with_its_draws():
    # Draws are denser where the density is higher: their histogram, against the density over its sum.
    for of in (("normal", 10.0, 8.0, 12.0), ("lognormal", 4.0, 2.0, 8.0), ("triangular", 2.0, 1.0, 6.0)):
        drawn = sample(prior(*of), MANY)
        count, edges = np.histogram(drawn, bins=40, range=tuple(np.quantile(drawn, [0.01, 0.99])))
        density = np.exp(log_density(prior(*of), 0.5 * (edges[1:] + edges[:-1])))
        assert_allclose(count / count.sum(), density / density.sum(), rtol=0.03, atol=3e-4)


def test_values_that_nature_does_not_allow_have_no_density():
    shipped = PRIORS["area_factor"]
    assert_array_equal(
        log_density(shipped, np.array([shipped.least, shipped.most + 0.1])), [-np.inf, -np.inf]
    )
    assert np.isfinite(log_density(shipped, np.array([1.0, shipped.most]))).all()
    assert_array_equal(log_density(PRIORS["inflow_sd"], np.array([-1.0, 0.0])), [-np.inf, -np.inf])
