"""From configuration to dataset: what a run holds, that it adds up, and that members keep their identity."""

import dataclasses

import numpy as np
import pytest
from basins import caspian
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import data, ensemble
from caspian_sim.basin.rivers import month_fractions
from caspian_sim.climate.seasons import level_departure_at_month_edges
from caspian_sim.errors import ConfigError, DataError
from caspian_sim.plan import initial_level, make_plan
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.posterior import best_values, shipped_posterior
from caspian_sim.record.start import estimate_state
from caspian_sim.simulate import run_members
from caspian_sim.variables import VARIABLES

STATES = ["AZ", "IR", "KZ", "RU", "TM"]
CONFIG = {
    "name": "test",
    "period": {"start": 2026, "end": 2037},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": 5},
    "programmes": {"none": {}, "joint": {"participants": STATES}},
    "consumption": {"change": {"KZ": {2030: 0.5, 2034: 1.5}, "upstream": {2028: 1.0}}},
    "outcomes": {"thresholds_m": [-29.3, -30]},
}
FULL = ("scenario", "programme", "member", "time")
STATE_VARIABLES = (
    "sea_level", "sea_area", "sea_volume", "precipitation", "evaporation", "strait_outflow", "bay_level",
    "budget_residual", "exposed_seabed",
)  # fmt: skip
DIMS = {
    **dict.fromkeys(STATE_VARIABLES, FULL),
    "river_inflow": ("scenario", "member", "river", "time"),
    "groundwater": ("member", "time"),
    "global_warming": ("scenario", "member", "time"),
    "consumption_change": ("state", "time"),
    "measure_effect": ("programme", "member", "measure", "time"),
    "first_event": ("scenario", "programme", "member", "event"),
    "known_cost": ("programme", "member"),
    "known_running_cost": ("programme", "member"),
    "parameters": ("parameter", "member"),
}
FLUXES = (
    "river_inflow", "precipitation", "evaporation", "groundwater", "strait_outflow", "consumption_change",
)  # fmt: skip
YEARS = np.arange(2026, 2038)
# All but the one that another form of evaporation needs.
PARAMETERS = len(data.parameters()) - 1


def run(**changes):
    return cs.run({**CONFIG, **changes})


@pytest.fixture(scope="module")
def annual():
    return run()


@pytest.fixture(scope="module")
def monthly():
    return run(output={"frequency": "monthly"})


@pytest.fixture(params=["annual", "monthly"])
def either(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def calm():
    """One deterministic future."""
    return run(uncertainty={"members": 3, "parameters": "central", "variability": False})


# What a dataset holds


def test_dataset_has_the_variables_and_dimensions_of_the_contract(either):
    assert {name: variable.dims for name, variable in either.data_vars.items()} == DIMS
    assert set(DIMS) <= set(VARIABLES)
    assert dict(either.sizes) | {"time": 0} == {
        "scenario": 2, "programme": 2, "member": 5, "time": 0, "nv": 2, "river": 8, "state": 6,
        "measure": 11, "event": 4, "parameter": PARAMETERS,
    }  # fmt: skip


def test_every_number_is_there_except_for_events_that_never_happen(either):
    for name in DIMS:
        if name != "first_event":
            assert np.isfinite(either[name].values).all(), name


def test_units_are_those_of_the_field(either):
    units = {name: either[name].attrs["units"] for name in DIMS}
    assert {units[name] for name in FLUXES} == {units["measure_effect"]} == {"km3 year-1"}
    assert units["sea_level"] == units["bay_level"] == "m"
    assert units["sea_area"] == units["exposed_seabed"] == "km2"
    assert units["sea_volume"] == units["budget_residual"] == "km3"
    assert units["global_warming"] == "K"
    assert "Baltic Height System" in either.sea_level.attrs["datum"]
    assert "Baltic Height System" in either.bay_level.attrs["datum"]
    assert all(either[name].attrs["long_name"] for name in DIMS)


def test_cell_methods_say_what_is_a_mean_and_what_stands_at_the_end(either):
    methods = {name: either[name].attrs.get("cell_methods") for name in DIMS}
    for name in ("sea_level", "sea_area", "exposed_seabed", "measure_effect", *FLUXES):
        assert methods[name] == "time: mean", name
    for name in ("sea_volume", "bay_level"):
        assert methods[name].startswith("time: point"), name
        assert "at the end of the interval" in methods[name]
    assert methods["budget_residual"] == "time: sum"
    assert methods["first_event"] is None
    assert methods["parameters"] is None


def test_time_runs_in_whole_years_with_bounds(annual):
    assert annual.time.attrs["bounds"] == "time_bnds"
    years = np.append(YEARS, 2038).astype(str).astype("datetime64[Y]").astype("datetime64[ns]")
    assert_array_equal(annual.time_bnds[:, 0], years[:-1])
    assert_array_equal(annual.time_bnds[:, 1], years[1:])
    assert ((annual.time > annual.time_bnds[:, 0]) & (annual.time < annual.time_bnds[:, 1])).all()


def test_time_runs_in_calendar_months_with_bounds(monthly):
    assert monthly.sizes["time"] == 144
    assert_array_equal(monthly.time_bnds[1:, 0], monthly.time_bnds[:-1, 1])
    days = (monthly.time_bnds[:, 1] - monthly.time_bnds[:, 0]) / np.timedelta64(1, "D")
    assert_array_equal(days, monthly.time.dt.days_in_month)


def test_coordinates_name_scenarios_programmes_rivers_parties_and_measures(annual):
    assert annual.scenario.values.tolist() == ["ssp126", "ssp585"]
    assert annual.programme.values.tolist() == ["none", "joint"]
    assert annual.member.values.tolist() == list(range(5))
    assert annual.state.values.tolist() == [*STATES, "upstream"]
    assert annual.event.values.tolist() == [
        "sea level below -29.3 m", "sea level below -30 m", "strait dry", "bay dry",
    ]  # fmt: skip
    assert set(annual.measure_state.values) <= set(STATES)
    assert set(annual.measure_grade.values) <= set("ABCD")


# The balance


def gain(ds):
    """Sum of all fluxes into the sea, km³/yr."""
    gains = ds.river_inflow.sum("river") + ds.groundwater + ds.measure_effect.sum("measure")
    return gains + ds.precipitation - ds.evaporation - ds.strait_outflow - ds.consumption_change.sum("state")


def lengths(ds):
    """Length of the output intervals, yr."""
    fractions = month_fractions(YEARS)
    return fractions.ravel() if ds.sizes["time"] == 144 else fractions.sum(axis=1)


def test_fluxes_of_the_dataset_give_the_change_of_its_sea_volume(either):
    change = either.sea_volume.diff("time").values
    flow = (gain(either).transpose(*FULL) * lengths(either)).values[..., 1:]
    assert_allclose(flow, change, atol=1e-9)
    assert float(abs(either.budget_residual).max()) < 1e-9


def begin(ds):
    """Volume of the sea at the start of a run, as an anomaly of a sea with the shipped area, km³."""
    factor = ds.parameters.sel(parameter="area_factor")
    first = (ds.sea_volume - gain(ds) * lengths_of(ds)).isel(time=0) - caspian().reference_volume
    return (first / factor).transpose(*FULL[:-1]).values


def lengths_of(ds):
    return float(lengths(ds)[0])


def test_first_interval_of_a_calm_run_starts_from_the_mean_of_the_estimated_state(calm):
    medians = {name: np.array([value]) for name, value in shipped_posterior().medians().items()}
    estimate = estimate_state(medians, shipped_observations(), 2025)
    curve = caspian()
    level = curve.level(estimate.mean[0, 0] / medians["area_factor"][0] + curve.reference_volume)
    start = curve.volume(level + level_departure_at_month_edges()[0]) - curve.reference_volume
    assert_allclose(begin(calm), start, atol=1e-8)


def test_members_start_from_states_that_differ_as_the_estimate_says():
    ds = run(
        uncertainty={"members": 400},
        climate={"scenarios": ["ssp245"]},
        programmes={"none": {}},
        period={"start": 2026, "end": 2026},
    )
    curve = caspian()
    level = np.asarray(curve.level(begin(ds)[0, 0] + curve.reference_volume))
    plan = make_plan(cs.load_config(CONFIG))
    estimate, weight = plan.calibrated.estimate, np.diff(plan.calibrated.cumulative, prepend=0.0)
    factor = shipped_posterior().parameters["area_factor"]
    expected = np.asarray(curve.level(estimate.mean[:, 0] / factor + curve.reference_volume))
    mean = (weight * expected).sum()
    own = estimate.root[:, 0, 0] / (factor * curve.area(mean) * 1e-3)
    sd = np.sqrt((weight * (own**2 + (expected - mean) ** 2)).sum())
    season = level_departure_at_month_edges()[0]
    assert abs(level.mean() - season - mean) < 4.0 * sd / np.sqrt(400)
    assert_allclose(level.std(), sd, rtol=4.0 / np.sqrt(2 * 400))


def test_months_of_a_year_average_to_the_year(annual, monthly):
    shares = month_fractions(YEARS)
    for name in (*FLUXES, "sea_level", "sea_area", "measure_effect", "global_warming"):
        values = monthly[name].values
        means = (values.reshape(*values.shape[:-1], 12, 12) * shares).sum(axis=-1)
        assert_allclose(means, annual[name].values, rtol=1e-10, atol=1e-10, err_msg=name)
    for name in ("sea_volume", "bay_level"):
        assert_array_equal(monthly[name].values[..., 11::12], annual[name].values)
    assert_array_equal(monthly.first_event, annual.first_event)


def test_level_belongs_to_the_volume_through_the_curve(monthly):
    factor = monthly.parameters.sel(parameter="area_factor").values[:, None]
    curve = caspian()
    anomaly = (monthly.sea_volume - curve.reference_volume).values / factor
    ends = np.asarray(curve.level(curve.reference_volume + anomaly))
    middle = 0.5 * (ends[..., 1:] + ends[..., :-1])
    assert_allclose(monthly.sea_level.values[..., 1:], middle, atol=2e-3)
    assert_allclose(monthly.sea_area, factor * curve.area(monthly.sea_level.values), rtol=2e-3)


def test_evaporation_and_rain_act_on_the_area_of_the_day(calm):
    depth = calm.precipitation / calm.sea_area * 1e6
    change = depth / shipped_posterior().medians()["precipitation"] - 1.0
    assert float(change.min()) > -0.01
    assert_allclose(depth.sel(programme="none"), depth.sel(programme="joint"), rtol=1e-4)


def test_exposed_seabed_is_the_area_lost_against_the_last_observed_level(calm):
    curve, reference = caspian(), float(data.load("sea_level_annual")["level"].sel(year=2025))
    assert calm.exposed_seabed.attrs["reference_level"] == reference
    factor = calm.parameters.sel(parameter="area_factor").values[:, None]
    expected = factor * (curve.area(reference) - np.asarray(curve.area(calm.sea_level.values)))
    assert_allclose(calm.exposed_seabed, expected, atol=1e-6)


def test_effects_of_measures_and_consumption_are_those_asked_for(annual):
    assert not annual.measure_effect.sel(programme="none").any()
    change = annual.consumption_change
    assert_allclose(change.sel(state="KZ", time="2037"), 1.5, rtol=1e-12)
    assert_allclose(change.sel(state="KZ", time="2032"), 1.125, rtol=1e-3)
    assert_allclose(change.sel(state="upstream", time="2028"), 1.0, rtol=1e-12)
    assert not change.sel(time="2026").any()


# Area conventions


def test_constant_area_makes_level_and_volume_a_straight_line():
    ds = run(
        climate={"scenarios": ["ssp585"], "area_convention": "constant"},
        uncertainty={"members": 5, "parameters": "central"},
        output={"frequency": "monthly"},
    )
    factor = ds.parameters.sel(parameter="area_factor")
    area = caspian().area(initial_level(cs.load_config(CONFIG), shipped_observations())[0]) * factor
    assert_allclose(ds.sea_area, np.broadcast_to(area.values[:, None], ds.sea_area.shape), rtol=1e-12)
    # Within a month the balance depends on the level through the strait alone: nearly even.
    middle = 0.5 * (ds.sea_volume + ds.sea_volume.shift(time=1)).isel(time=slice(1, None))
    level = ds.sea_level.isel(time=slice(1, None))
    rise = (middle - middle.isel(time=0)) / area * 1000.0
    assert_allclose(level - level.isel(time=0), rise.transpose(*level.dims), atol=1e-4)


def test_conventions_begin_alike_and_shrinking_area_slows_the_fall():
    shared = {
        "uncertainty": {"members": 1, "parameters": "central", "variability": False},
        "period": {"start": 2026, "end": 2100},
    }
    dynamic, constant = (
        run(climate={"scenarios": ["ssp585"], "area_convention": convention}, **shared).sea_level
        for convention in ("dynamic", "constant")
    )
    apart = (dynamic - constant).sel(programme="none").values.ravel()
    assert abs(apart[0]) < 0.02
    assert apart[-1] > 0.5


# Start


def test_level_of_reference_is_the_last_annual_mean_and_the_start_has_its_season():
    last = float(data.load("sea_level_annual")["level"].sel(year=2025))
    start, reference = initial_level(cs.load_config(CONFIG), shipped_observations())
    assert reference == last
    assert start == pytest.approx(last + level_departure_at_month_edges()[0], abs=1e-12)


def changed_from(year, by=1.0):
    """Observations in which everything from a year on is another."""
    observed = shipped_observations()
    annual = {
        name: np.where(observed.year >= year, getattr(observed, name) + by, getattr(observed, name))
        for name in ("level", "inflow", "volga", "warming")
    }
    monthly = np.where(observed.month >= 12 * year, observed.monthly_level + by, observed.monthly_level)
    return dataclasses.replace(observed, **annual, monthly_level=monthly)


@pytest.mark.parametrize("parameters", ["posterior", "prior"])
def test_start_knows_nothing_that_was_observed_later(parameters):
    config = cs.load_config(
        {
            **CONFIG,
            "period": {"start": 2024, "end": 2025},
            "uncertainty": {"members": 6, "parameters": parameters},
        }
    )
    members = np.arange(6)
    usual, later, earlier = (
        run_members(make_plan(config, observed), members).arrays
        for observed in (None, changed_from(2024), changed_from(2023))
    )
    for name in usual:
        assert_array_equal(usual[name], later[name], err_msg=name)
    assert (earlier["sea_level"] > usual["sea_level"] + 0.3).all()


def test_initial_level_of_the_configuration_is_taken_as_it_is():
    ds = run(
        period={"start": 2040, "end": 2040},
        initial={"level_m": -31.5},
        uncertainty={"members": 1, "parameters": "central", "variability": False},
        output={"frequency": "monthly"},
    )
    assert ds.sea_level.values[0, 0, 0, 0] == pytest.approx(-31.5, abs=0.05)
    without_season = -31.5 - level_departure_at_month_edges()[0]
    assert ds.exposed_seabed.attrs["reference_level"] == pytest.approx(without_season, abs=1e-12)


def test_start_beyond_the_record_needs_a_level():
    with pytest.raises(ConfigError) as raised:
        run(period={"start": 2030, "end": 2040})
    assert str(raised.value) == (
        "no observed level to start from in 2030\n"
        "    found    period.start 2030, and no initial.level_m\n"
        "    allowed  period.start up to 2026, or initial.level_m in m BHS"
    )


def test_projection_cannot_start_before_its_present_climate_is_known():
    with pytest.raises(ConfigError) as raised:
        run(period={"start": 2010, "end": 2040})
    assert str(raised.value) == (
        "a projection cannot start in 2010\n"
        "    found    period.start 2010\n"
        "    allowed  2023 or later: parameters are fitted to the record to 2022\n"
        "    hint     caspian-sim hindcast runs the model over the record, caspian-sim verify forecasts\n"
        "             from earlier years with what was known then"
    )


def test_level_of_the_configuration_is_exact_in_every_member():
    ds = run(initial={"level_m": -29.4}, uncertainty={"members": 20})
    start = caspian().volume(-29.4) - caspian().reference_volume
    assert_allclose(begin(ds), start, atol=1e-8)
    assert len(np.unique(ds.parameters.sel(parameter="area_factor"))) == 20


def test_higher_start_moves_the_whole_projection_and_fades():
    calm = {"members": 1, "parameters": "central", "variability": False}
    high, usual = (
        run(initial={"level_m": level}, uncertainty=calm).sea_level.values[0, 0, 0]
        for level in (-29.3, -29.4)
    )
    apart = high - usual
    assert apart[0] == pytest.approx(0.1, abs=0.005)
    assert 0.0 < apart[-1] < apart[0]


# Identity of the members


def same(one, other, *, without=()):
    for name in DIMS:
        if name not in without:
            assert_array_equal(one[name].values, other[name].values, err_msg=name)


def test_same_configuration_gives_the_same_numbers_to_the_last_bit(annual):
    same(run(), annual)


def test_seed_changes_every_member(annual):
    other = run(uncertainty={"members": 5, "seed": 1})
    assert (other.sea_level != annual.sea_level).all()


def test_central_members_without_variability_are_all_alike(calm):
    assert_array_equal(calm.sea_level[:, :, 1:], calm.sea_level[:, :, [0, 0]])
    best = best_values()
    assert_array_equal(calm.parameters[:, 0], [best[str(name)] for name in calm.parameter.values])


@pytest.mark.parametrize("count", [1, 4])
def test_first_members_of_an_ensemble_are_the_smaller_ensemble(annual, count):
    same(run(uncertainty={"members": count}), annual.isel(member=slice(0, count)))


@pytest.mark.parametrize("parameters", ["posterior", "prior"])
@pytest.mark.parametrize("columns", [4, 12])
def test_members_without_measures_do_not_depend_on_the_chunks_of_the_work(monkeypatch, columns, parameters):
    asked = {
        "programmes": {"none": {}, "still": {"participants": []}},
        "uncertainty": {"members": 5, "parameters": parameters},
    }
    whole = run(**asked)
    monkeypatch.setattr(ensemble, "COLUMNS", columns)
    same(run(**asked), whole)


def test_members_with_measures_do_not_depend_on_the_chunks_of_the_work(monkeypatch):
    longer = {"period": {"start": 2026, "end": 2050}}
    whole = run(**longer)
    monkeypatch.setattr(ensemble, "COLUMNS", 4)
    same(run(**longer), whole)


def test_order_of_scenarios_and_programmes_changes_no_bit(annual):
    turned = run(
        climate={"scenarios": ["ssp585", "ssp126"]},
        programmes=dict(reversed(CONFIG["programmes"].items())),
    )
    same(turned.sel(scenario=annual.scenario, programme=annual.programme), annual)


def test_scenario_or_programme_more_changes_no_bit_of_the_others(annual):
    more = run(
        climate={"scenarios": ["ssp126", "ssp245", "ssp585"]},
        programmes={**CONFIG["programmes"], "ru": {"participants": ["RU"]}},
    )
    same(more.sel(scenario=annual.scenario, programme=annual.programme), annual)


def test_longer_projection_begins_with_the_shorter(annual):
    longer = run(period={"start": 2026, "end": 2050}).isel(time=slice(0, 12))
    same(longer, annual, without=("first_event",))


def test_threshold_more_changes_no_level(annual):
    other = run(outcomes={"thresholds_m": [-29.3, -29.5, -30]})
    same(other, annual, without=("first_event",))
    assert_array_equal(other.first_event.sel(event=annual.event), annual.first_event)


def test_sea_stands_at_the_threshold_in_the_month_of_its_fall_and_never_below_it_before(monthly):
    event = monthly.first_event.sel(event="sea level below -30 m")
    happened = np.isfinite(event)
    assert happened.any()
    assert not happened.all()
    begins = monthly.time.dt.year + (monthly.time.dt.month - 1) / 12.0
    at_fall = (begins < event + 0.01) & (begins > event - 1.0 / 12.0 - 0.01)
    assert (abs(monthly.sea_level + 30.0).where(at_fall).min("time").where(happened, 0.0) < 0.1).all()
    earlier = (begins + 1.0 / 12.0 < event - 0.01) | ~happened
    assert not (monthly.sea_level < -30.0).where(earlier, False).any()


def test_adaptive_solver_gives_the_run_of_the_batched_one_to_a_hundredth_of_a_millimetre():
    short = {"period": {"start": 2026, "end": 2032}, "uncertainty": {"members": 2}}
    batched, adaptive = run(**short), run(solver={"method": "RK45"}, **short)
    assert float(abs(batched.sea_level - adaptive.sea_level).max()) < 1e-5
    assert int(adaptive.attrs["solver_steps"]) > int(batched.attrs["solver_steps"])


def test_progress_is_told_to_the_end(monkeypatch):
    monkeypatch.setattr(ensemble, "COLUMNS", 12)
    told = []
    cs.run(CONFIG, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (288, 288)


# Inputs of one's own


@pytest.fixture
def own(tmp_path):
    """A configuration in a folder of its own that brings its own hypsometry."""
    (tmp_path / "curve.csv").write_text("level_m,area_km2\n-60,200000\n-20,440000\n", encoding="utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\nperiod: {start: 2026, end: 2028}\nclimate: {scenarios: [ssp245]}\n"
        "uncertainty: {members: 2}\nbasin: {hypsometry: curve.csv}\n",
        encoding="utf-8",
    )
    return path


def test_hypsometry_of_ones_own_shapes_the_sea(own):
    ds = cs.run(own)
    factor = ds.parameters.sel(parameter="area_factor").values[:, None]
    assert_allclose(
        ds.sea_area[0, 0], factor * (200_000.0 + 6_000.0 * (ds.sea_level[0, 0] + 60.0)), rtol=1e-12
    )


def test_run_with_a_hypsometry_of_ones_own_can_be_reproduced_from_elsewhere(own, tmp_path, monkeypatch):
    ds = cs.run(own)
    path = cs.save(ds, tmp_path / "out" / "own.nc")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    same(cs.reproduce(path), ds)
    (tmp_path / "curve.csv").write_text("level_m,area_km2\n-60,200000\n-20,450000\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        cs.reproduce(path)
    assert str(raised.value) == (
        "inputs have changed since the result was made\n"
        "    found    basin.hypsometry\n"
        f"    hint     the result was made with caspian_sim {cs.__version__}"
    )


@pytest.mark.parametrize("form", ["dataset", "file", "folder"])
def test_result_can_be_reproduced_from_itself(annual, tmp_path, form):
    source = annual if form == "dataset" else cs.save(annual, tmp_path / "test.nc")
    same(cs.reproduce(source.parent if form == "folder" else source), annual)


def test_result_without_its_configuration_cannot_be_reproduced(annual):
    bare = annual.copy()
    del bare.attrs["config"]
    with pytest.raises(DataError) as raised:
        cs.reproduce(bare)
    assert str(raised.value) == (
        "the result does not say what it was made from\n    found    no attribute config"
    )


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("area_factor", 0.0),
        ("area_factor", -1.0),
        ("strait_coefficient_after_1992", -3.0),
        ("precipitation", -10.0),
        ("warming_quantile", 1.0),
        ("warming_quantile", 1.5),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_parameter_that_nature_does_not_allow_is_refused(parameter, value):
    with pytest.raises(ConfigError):
        run(parameters={parameter: value}, period={"start": 2026, "end": 2027})


def test_hypsometry_that_does_not_reach_the_start_is_named(tmp_path):
    table = tmp_path / "high.csv"
    table.write_text("level_m,area_km2\n-28,370000\n-26,400000\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        run(basin={"hypsometry": str(table)}, initial={"level_m": -29.5})
    assert str(caught.value) == (
        f"{table}: the table does not reach the level at the start\n"
        "    found    -28 to -26 m BHS\n"
        "    allowed  a range of levels around -29.50 m BHS, wide enough for the whole run"
    )
