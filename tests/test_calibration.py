"""The calibration: what was put in comes out again, the ensembles agree, and the posterior makes sense."""

import importlib
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from synthetic_record import world

import caspian_sim as cs
from caspian_sim import cli, data, figures
from caspian_sim.climate.draws import SCORE_95
from caspian_sim.config import load_config
from caspian_sim.config.problems import InvalidConfigError
from caspian_sim.errors import CaspianError, DataError, OutOfRangeError
from caspian_sim.evaluate import calibrate as target_module
from caspian_sim.evaluate.calibrate import calibrated_parameters, default_target, sample_ensemble
from caspian_sim.evaluate.convergence import diagnose, warnings_of
from caspian_sim.evaluate.ensembles import Settings, calibrate, calibration_inputs
from caspian_sim.evaluate.posterior_tables import (
    bay_table,
    posterior_rows,
    posterior_table,
    prior_moments,
    speaker,
)
from caspian_sim.evaluate.warming_record import flat_priors, regression, warming_table
from caspian_sim.figures.calibration import prior_density
from caspian_sim.outputs.calibration import table_csv, with_findings
from caspian_sim.record.annual import baseline_reference, filter_record
from caspian_sim.record.observations import shipped_observations
from caspian_sim.record.posterior import read_posterior, shipped_posterior
from caspian_sim.results import save, used_inputs

pytest.importorskip("emcee")
pytest.importorskip("arviz_stats")

NAMES = list(calibrated_parameters())
SHORT = Settings(ensembles=2, walkers=50, steps=8, burn_in=2, thin=2, seed=3)


# ---- chains that are known ------------------------------------------------------------------------


def chains(ensembles=4, steps=100, walkers=64, memory=0.0, shift=0.0, together=0.0, seed=1):
    """Walkers with a stationary spread around the prior medians; ensembles `shift` apart, in spreads."""
    random = np.random.default_rng(seed)
    shape = (ensembles, steps, walkers, len(NAMES))
    own, common = random.standard_normal(shape), random.standard_normal((ensembles, steps, 1, len(NAMES)))
    score = np.sqrt(1.0 - together) * own + np.sqrt(together) * common
    for step in range(1, steps):
        score[:, step] = memory * score[:, step - 1] + np.sqrt(1.0 - memory**2) * score[:, step]
    score += shift * np.arange(ensembles)[:, None, None, None]
    middle = np.array([p.best for p in calibrated_parameters().values()])
    spread = np.array([p.high - p.low for p in calibrated_parameters().values()]) / 20.0
    return xr.Dataset(
        {
            "value": (("ensemble", "step", "walker", "parameter"), middle + spread * score),
            "log_density": (("ensemble", "step", "walker"), np.zeros(shape[:3])),
            "accepted": ("ensemble", np.full(ensembles, 0.2)),
            "autocorrelation_time": (("ensemble", "parameter"), np.full((ensembles, len(NAMES)), 5.0)),
        },
        coords={
            "step": np.arange(1, steps + 1),
            "parameter": np.array(NAMES, dtype=object),
            "unit": ("parameter", np.array([p.unit for p in calibrated_parameters().values()], dtype=object)),
        },
        attrs={
            "version": "0",
            "git_revision": "none",
            "created": "never",
            "input_sha256": "{}",
            "seed": 1,
            "last_year": 2022,
            "observations": "as shipped",
            "settings": json.dumps({"ensembles": ensembles, "walkers": walkers, "steps": steps}),
        },
    )


def test_independent_draws_are_worth_their_number():
    found = diagnose(chains())
    assert (found["r_hat"] < 1.002).all()
    drawn = 4 * 100 * 64
    for size in ("ess_bulk", "ess_tail"):
        assert_allclose(found[size], drawn, rtol=0.2)
    assert_allclose(found["ess_coupled"].median(), drawn, rtol=0.2)
    assert found["converged"].all()
    assert warnings_of(found) == []


def test_memory_costs_draws_as_algebra_says():
    # An autoregression of the first order has the autocorrelation time (1 + a) / (1 - a).
    found = diagnose(chains(steps=400, memory=0.6))
    assert_allclose(found["ess_bulk"].median(), 4 * 400 * 64 / 4.0, rtol=0.15)


def test_walkers_that_move_together_are_seen_in_the_mean_of_the_ensemble_alone():
    # With a correlation c of n walkers, the variance of their mean is that of 1 / (c + (1 - c) / n) of them.
    found = diagnose(chains(together=0.2, seed=4))
    assert_allclose(found["ess_bulk"].median(), 4 * 100 * 64, rtol=0.2)
    assert_allclose(found["ess_coupled"].median(), 4 * 100 / (0.2 + 0.8 / 64), rtol=0.2)


def test_ensembles_that_stay_apart_are_warned_of():
    found = diagnose(chains(shift=0.3))
    assert not found["converged"].any()
    worst = found.loc[found["r_hat"].idxmax()]
    assert warnings_of(found)[0] == (
        f"the ensembles have not converged: R-hat is {worst.r_hat:.3f} for {worst.parameter} and 23 more, "
        "more than 1.01; use more --burn-in and more --steps"
    )


def test_too_few_draws_are_warned_of():
    found = diagnose(chains(steps=20, walkers=16))
    least = found[["ess_bulk", "ess_tail", "ess_coupled"]].min(axis=1)
    assert warnings_of(found)[-1] == (
        f"too few independent draws: {least.min():.0f} for {found['parameter'][least.idxmin()]} and 23 more, "
        "fewer than 2000; use more --steps"
    )


# ---- sampling -------------------------------------------------------------------------------------


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(target_module, "START_DRAWS", 200)


def test_ensembles_differ_and_do_not_depend_on_how_many_there_are(few_draws):
    reports = []
    two = calibrate(settings=SHORT, progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (20, 20)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    three = calibrate(settings=replace(SHORT, ensembles=3))
    assert_array_equal(three["value"][:2], two["value"])
    assert not np.isclose(two["value"][0], two["value"][1]).any()
    assert two["value"].dims == ("ensemble", "step", "walker", "parameter")
    assert_array_equal(two["step"], [2, 4, 6, 8])
    target = default_target()
    points = two["value"].values[1, -1]
    assert_allclose(target(points), two["log_density"].values[1, -1])


def test_no_two_walkers_start_from_the_same_place(few_draws):
    target = default_target()
    for seed in range(20):  # the second of a pair is the first now and then
        points = target_module._start(target, 50, seed)
        assert len(np.unique(points, axis=0)) == 50


@pytest.mark.slow
def test_the_number_of_processes_changes_no_number():
    reports = []
    one = calibrate(settings=SHORT)
    two = calibrate(settings=SHORT, workers=2, progress=lambda done, total: reports.append((done, total)))
    assert_array_equal(one["value"], two["value"])
    assert_array_equal(one["log_density"], two["log_density"])
    assert reports[-1] == (20, 20)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"ensembles": 1},
            "ensembles: too small for a calibration\n    found    1\n    allowed  2 or more\n"
            "    hint     one ensemble alone cannot tell whether it has converged",
        ),
        (
            {"walkers": 40},
            "walkers: too small for a calibration\n    found    40\n    allowed  50 or more\n"
            "    hint     moves in 24 dimensions need more than twice as many walkers",
        ),
        ({"burn_in": -1}, "burn-in: too small for a calibration\n    found    -1\n    allowed  0 or more"),
        (
            {"steps": 7},
            "steps: too small for a calibration\n    found    7\n    allowed  8 or more\n"
            "    hint     a chain is split into halves of at least two kept steps each",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(change, text):
    with pytest.raises(OutOfRangeError) as caught:
        calibrate(settings=replace(SHORT, **change))
    assert str(caught.value) == text


def test_a_calibration_without_its_packages_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(target_module, "find_spec", lambda name: None)
    with pytest.raises(CaspianError) as caught:
        calibrate(settings=SHORT)
    assert str(caught.value) == (
        'a calibration needs emcee\n    hint     pip install "caspian-sim[calibrate]"'
    )


# ---- recovery -------------------------------------------------------------------------------------


def test_the_density_of_the_next_level_encloses_one_whatever_the_area_of_the_sea():
    record = shipped_observations().until(1922)
    names = list(calibrated_parameters())
    factors = np.array([0.9, 1.0, 1.1])
    best = {name: np.full(3, calibrated_parameters()[name].best) for name in names} | {"area_factor": factors}
    levels = np.linspace(-28.0, -24.0, 401)
    density = []
    for level in levels:
        seen = replace(record, level=np.array([record.level[0], level]), inflow=np.full(2, np.nan))
        filtered = filter_record(best, seen, np.full((2, 3), 10.0), baseline_reference())
        density.append(np.exp([done.log_likelihood for done, _ in filtered][1]))
    # The area follows the level that is seen, which costs a per cent or two.
    assert_allclose(np.trapezoid(density, levels, axis=0), 1.0, atol=0.03)


WELL_KNOWN = {"river_inflow": 25.0, "net_evaporation": 60.0, "area_factor": 0.06, "inflow_sd": 12.0}
"""Parameters that the record determines, and how far from the truth their medians may lie at most."""


def recovered(seed, steps):
    """Truth, and draws of the posterior from its record (draw, parameter)."""
    truth, record = world(seed)
    target = default_target(record)
    chain, _, _ = sample_ensemble(target, seed, walkers=64, steps=steps, burn_in=steps)
    return np.array([truth[name] for name in NAMES]), chain[::10].reshape(-1, len(NAMES))


def inside(truth, draws):
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return (low <= truth) & (truth <= high)


def test_what_was_put_into_a_synthetic_record_comes_out_again(monkeypatch):
    monkeypatch.setattr(target_module, "START_DRAWS", 2000)
    truth, draws = recovered(1, steps=150)
    assert inside(truth, draws).sum() >= 18
    medians = dict(zip(NAMES, np.median(draws, axis=0) - truth, strict=True))
    for name, most in WELL_KNOWN.items():
        assert abs(medians[name]) < most, name


@pytest.mark.slow
def test_nine_in_ten_intervals_hold_the_truth_and_ranks_are_even():
    worlds = 8
    held, ranks = [], []
    for seed in range(2, 2 + worlds):
        truth, draws = recovered(seed, steps=400)
        held.append(inside(truth, draws))
        ranks.append((draws < truth).mean(axis=0))
    held, ranks = np.array(held), np.array(ranks)
    assert (held.sum(axis=1) >= 16).all()
    # 192 intervals, those of a world tied to each other: the share is known to some three per cent.
    assert 0.82 < held.mean() < 0.98
    # Ranks of the truth are uniform: mean 1/2 and standard deviation 0.29 in every parameter.
    assert_allclose(ranks.mean(), 0.5, atol=0.07)
    assert_allclose(ranks.std(), 12.0**-0.5, atol=0.05)
    assert (np.abs(ranks.mean(axis=0) - 0.5) < 4.0 * 12.0**-0.5 / worlds**0.5).all()


# ---- the posterior that ships ---------------------------------------------------------------------

SANE = {
    # parameter: least and most of the median, and bounds that every row keeps.
    "volga_sensitivity": (-8, 4, -30, 30),
    "other_river_sensitivity": (-15, -4, -40, 20),
    "precipitation_sensitivity": (-1, 8, -15, 20),
    "evaporation_sensitivity": (20, 80, -80, 180),
    "river_inflow": (265, 305, 230, 340),
    "precipitation": (170, 260, 150, 300),
    "groundwater": (3, 5, 2, 6),
    "net_evaporation": (740, 850, 600, 1000),
    "strait_sill": (-33.2, -31.5, -35, -30),
    "strait_coefficient_before_1980": (1.0, 2.2, 0.4, 5),
    # The critical flow of a channel 220 m wide: 1.7 m^0.5/s times the width is 12 km³/yr/m^1.5.
    "strait_coefficient_after_1992": (2.5, 5.0, 1, 12),
    "bay_net_evaporation": (900, 1050, 750, 1250),
    "area_factor": (0.94, 1.03, 0.88, 1.12),
    "inflow_sd": (35, 52, 25, 80),
    "inflow_lag1": (0.15, 0.55, 0.0, 0.7),
    "inflow_slow_sd": (4, 25, 0, 120),
    "inflow_slow_lag1": (0.82, 0.97, 0.8, 0.99),
    "net_evaporation_sd": (35, 75, 5, 120),
    "net_evaporation_slow_sd": (30, 80, 10, 250),
    "net_evaporation_slow_lag1": (0.85, 0.97, 0.8, 0.99),
    "weather_correlation": (-0.85, -0.25, -0.95, 0.5),
    "level_error_before_1993": (0.02, 0.05, 0.008, 0.1),
    "level_error_since_1993": (0.015, 0.045, 0.005, 0.08),
    "late_level_error": (0.01, 0.06, 0.004, 0.12),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_posterior_is_physically_sane(name):
    values = shipped_posterior().parameters[name]
    least, most, lowest, highest = SANE[name]
    assert least < np.median(values) < most
    assert lowest - 1e-6 <= values.min()
    assert values.max() <= highest + 1e-6


def test_the_shipped_posterior_closes_the_balance():
    # Parameters are means of 2003-2022 without the slow departures, which share in what the sea lost then.
    level = data.load("sea_level_annual")["level"].sel(year=[2003, 2022]).values
    lost = float(np.diff(np.asarray(cs.hypsometry().volume(level)))[0]) / 19.0
    p = shipped_posterior().parameters
    gain = p["river_inflow"] + p["groundwater"] - 11.0
    area = cs.hypsometry().area(-28.0) * p["area_factor"]
    left = gain - p["net_evaporation"] * area * 1e-6
    assert lost < np.median(left) < 0.0
    assert np.median(left) == pytest.approx(lost / 2.0, abs=5.0)
    assert np.std(left) < np.std(p["river_inflow"]) + 5.0
    evaporation = p["net_evaporation"] + p["precipitation"]
    assert (evaporation > 800.0).all()
    assert (evaporation < 1300.0).all()


def test_the_shipped_posterior_has_converged_and_says_what_it_was_made_from():
    ds = data.load("posterior")
    found = json.loads(ds.attrs["diagnostics"])
    assert found["converged"]
    assert found["largest_r_hat"] <= 1.01
    assert (ds["ess_bulk"] > 2000).all()
    assert ds["value"].dtype == np.float32
    assert ds["value"].shape == (2000, 24)
    made_from = json.loads(ds.attrs["input_sha256"])
    assert made_from == calibration_inputs(), "the posterior is older than its tables: calibrate anew"


def test_the_shipped_posterior_belongs_to_the_model_of_today():
    ds = data.load("posterior").isel(row=slice(None, None, 100))
    found = default_target()(ds["value"].sel(parameter=NAMES).values.astype(float))
    message = "the likelihood or the priors have changed: calibrate anew"
    assert_allclose(found, ds["log_density"], atol=0.01, err_msg=message)


def test_rows_of_the_posterior_are_in_order_of_inflow_over_net_evaporation():
    p = shipped_posterior().parameters
    assert (np.diff(p["river_inflow"] / p["net_evaporation"]) >= 0.0).all()


def test_facts_about_the_bay_pass_under_the_shipped_posterior():
    found = bay_table(data.load("posterior")).set_index("check")
    assert found["passes"].sum() >= 6
    row = found.loc["area_1972"]
    middle = 0.5 * (row.model_p05 + row.model_p95)
    assert_allclose(
        row.score, (middle - row.value) / np.hypot(row.sd, (row.model_p95 - row.model_p05) / 3.29), atol=0.15
    )


# ---- tables ---------------------------------------------------------------------------------------


def test_rows_are_joint_draws_from_all_ensembles():
    ds = chains(ensembles=3, steps=50, walkers=60)
    found = posterior_rows(ds, 500)
    assert found["value"].shape == (500, 24)
    all_draws = ds["value"].values.reshape(-1, 24).astype(np.float32)
    places = [int(np.flatnonzero((all_draws == row).all(axis=1))[0]) for row in found["value"].values]
    assert len(set(places)) == 500
    assert_array_equal(np.bincount(np.array(places) // 3000) // 10, [16, 16, 16])
    # Two draws of a walker at most lie in the same tenth of the time.
    step, walker = np.divmod(np.array(places), 60)
    _, often = np.unique(np.stack([step // 5, walker]), axis=1, return_counts=True)
    assert often.max() <= 2
    assert np.unique(walker).size == 60


def test_shrinkage_and_speaker_of_a_known_posterior():
    ds = chains()
    row = posterior_table(ds).set_index("parameter").loc["evaporation_sensitivity"]
    # low to high are 2 × 1.645 spreads of the prior, and 20 of the chains
    assert_allclose(row.shrinkage, 1.0 - (2 * SCORE_95 / 20.0) ** 2, atol=0.003)
    assert row.speaks == "record"
    assert_allclose([row.prior_p05, row.prior_p50, row.prior_p95], [20.0, 55.0, 90.0])
    shrinkages = (0.51, 0.5, 0.1, 0.09, -0.2)
    assert [speaker(x, 0.4) for x in shrinkages] == ["record", "both", "both", "prior", "prior"]
    # The record moves it without narrowing it.
    assert speaker(0.0, -0.6) == "both"


def test_variance_of_a_prior_is_that_of_algebra():
    assert_allclose(prior_moments(calibrated_parameters()["inflow_lag1"])[1], 0.7**2 / 12.0, rtol=1e-3)
    low, mode, high = 150.0, 200.0, 300.0
    triangle = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18.0
    assert_allclose(prior_moments(calibrated_parameters()["precipitation"])[1], triangle, rtol=1e-3)


@pytest.mark.parametrize("name", ["river_inflow", "inflow_lag1", "precipitation", "inflow_slow_sd"])
def test_the_density_of_a_prior_encloses_one(name):
    x, density = prior_density(calibrated_parameters()[name])
    assert_allclose(np.trapezoid(density, x), 0.996, atol=0.003)


# ---- the warming sensitivity ----------------------------------------------------------------------


def test_the_naive_regression_falls_into_the_trap():
    slope, error, freedom = regression(2010)
    assert -160.0 < slope < -60.0
    assert slope + 1.645 * error < 0.0
    assert freedom == 72
    # Twelve years more, and the line lies outside its own interval.
    assert regression()[0] > slope + 1.645 * error


def test_the_table_of_sensitivities_keeps_the_order_of_the_question():
    found = warming_table(chains(), chains(seed=2))
    assert list(found["source"]) == [
        "prior",
        "regression 1937-1995, white residuals",
        "regression 1937-2010, white residuals",
        "regression 1937-2022, white residuals",
        "record alone, slow departures",
        "posterior",
    ]
    prior = found.iloc[0]
    # 55 less 3 % of some 217 mm
    assert_allclose(prior["p50_mm_per_yr_per_k"], 55.0 - 0.03 * 216.7, atol=0.5)
    flat = flat_priors()["evaporation_sensitivity"]
    assert (flat.distribution, flat.low, flat.high) == ("uniform", -400.0, 400.0)


def test_with_a_flat_prior_the_record_alone_is_wide_and_the_posterior_leans_on_the_prior():
    found = pd.DataFrame(json.loads(data.load("posterior").attrs["warming_sensitivity"])).set_index("source")
    sd = found["sd_mm_per_yr_per_k"]
    assert sd["record alone, slow departures"] > 1.5 * sd["regression 1937-2022, white residuals"]
    assert sd["posterior"] < sd["prior"]
    assert found.loc["regression 1937-2010, white residuals", "p95_mm_per_yr_per_k"] < 0.0
    # Precisions of prior and record add up, were both normal and apart from all else.
    together = 1.0 / np.sqrt(1.0 / sd["prior"] ** 2 + 1.0 / sd["record alone, slow departures"] ** 2)
    assert_allclose(sd["posterior"], together, rtol=0.15)


# ---- a posterior of the user's own ----------------------------------------------------------------


def written(folder, change=lambda ds: ds):
    ds = chains()
    made = with_findings(posterior_rows(ds), ds, diagnose(ds), warming_table(ds, ds))
    return save(change(made), folder / "posterior.nc")


def test_a_written_posterior_can_be_shipped_and_used(tmp_path):
    path = written(tmp_path)
    read, shipped = read_posterior(path), data.load("posterior")
    assert list(read.parameters) == [str(name) for name in shipped["parameter"].values]
    assert read.rows == 2000
    with xr.open_dataset(path, engine="h5netcdf") as found:
        assert found["value"].dims == shipped["value"].dims
        assert found["value"].dtype == shipped["value"].dtype
        assert set(found.data_vars) == set(shipped.data_vars)
        assert {"input_sha256", "version", "seed", "settings", "diagnostics"} <= set(found.attrs)
    (tmp_path / "run.yaml").write_text(
        "name: own\nperiod: {start: 2026, end: 2027}\nclimate: {scenarios: [ssp245]}\n"
        "uncertainty: {members: 20, posterior: posterior.nc, variability: false}\n",
        encoding="utf-8",
    )
    config = load_config(tmp_path / "run.yaml")
    assert config.uncertainty.posterior == str(path)
    assert set(used_inputs(config)) - set(data.names()) == {"uncertainty.posterior"}
    run = cs.run(config)
    assert "uncertainty.posterior" in json.loads(run.attrs["input_sha256"])


def test_a_posterior_that_was_made_from_other_tables_cannot_be_shipped(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "tools"))
    tool = importlib.import_module("ship_posterior")
    path = written(tmp_path)
    assert tool.objection(path) == (
        f"{path}: made from other tables than those that ship now: sea_level_annual, sea_level_monthly, "
        "river_inflow_annual, gmst_observed, hypsometry, strait_emulator, bay_checks, priors"
    )
    hashes = json.dumps(calibration_inputs())
    now = written(tmp_path, lambda ds: ds.assign_attrs(input_sha256=hashes))
    assert tool.objection(now) is None
    poor = json.dumps({"converged": False})
    unconverged = written(tmp_path, lambda ds: ds.assign_attrs(input_sha256=hashes, diagnostics=poor))
    assert tool.objection(unconverged) == (f"{path}: the calibration has not converged, see diagnostics.csv")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda ds: ds.sel(parameter=[n for n in NAMES if n not in ("strait_sill", "inflow_sd")]),
            "the posterior lacks parameters strait_sill, inflow_sd\n"
            "    hint     caspian-sim calibrate writes such a file, posterior.nc",
        ),
        (
            lambda ds: ds.assign_coords(parameter=["volga", *NAMES[1:]]).drop_vars(["unit"]),
            "the posterior lacks parameter volga_sensitivity\n"
            "    hint     caspian-sim calibrate writes such a file, posterior.nc",
        ),
        (
            lambda ds: ds.isel(row=slice(50)),
            "too few rows for a posterior\n    found    50\n    allowed  100 or more",
        ),
        (
            lambda ds: ds.assign(value=ds["value"].where(ds["row"] != 7)),
            "volga_sensitivity is out of range in row 7\n    found    nan\n    allowed  -50 to 50",
        ),
        (
            lambda ds: ds.rename(value="draws"),
            "not a posterior\n    found    draws, log_density, r_hat, ess_bulk, ess_tail, ess_coupled\n"
            "    needed   value over row and parameter\n"
            "    hint     caspian-sim calibrate writes such a file, posterior.nc",
        ),
    ],
)
def test_a_file_that_is_no_posterior_is_refused(tmp_path, change, text):
    path = written(tmp_path, change)
    with pytest.raises(DataError) as caught:
        read_posterior(path)
    assert str(caught.value) == f"{path}: {text}"


def test_a_posterior_that_is_not_there_is_named_where_it_is_asked_for(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(
        "name: own\nperiod: {start: 2026, end: 2027}\nuncertainty: {posterior: mine.nc}\n", encoding="utf-8"
    )
    with pytest.raises(InvalidConfigError) as caught:
        load_config(file)
    assert str(caught.value) == (
        f"{file}:3:26  uncertainty.posterior: no such file\n    found    {tmp_path}/mine.nc\n"
        "    hint     the path is relative to the file that names it"
    )


def test_a_posterior_beside_the_prior_is_refused(tmp_path):
    written(tmp_path)
    file = tmp_path / "run.yaml"
    file.write_text(
        "name: own\nperiod: {start: 2026, end: 2027}\n"
        "uncertainty:\n  parameters: prior\n  posterior: posterior.nc\n",
        encoding="utf-8",
    )
    with pytest.raises(InvalidConfigError) as caught:
        load_config(file)
    assert str(caught.value) == (
        f"{file}:5:14  uncertainty.posterior: a posterior is given, but the parameters come from the prior\n"
        "    found    parameters prior\n"
        "    allowed  parameters posterior or central with a posterior, or no posterior"
    )


# ---- the command ----------------------------------------------------------------------------------


def test_the_command_writes_a_folder_and_warns_that_so_short_a_run_has_not_converged(few_draws, tmp_path):
    words = ["calibrate", "--ensembles", "2", "--walkers", "50", "--steps", "40", "--burn-in", "0"]
    target = tmp_path / "out"
    result = CliRunner().invoke(cli.main, [*words, "--workers", "1", "--output", str(target), "--quiet"])
    assert result.exit_code == 0, result.output
    assert "warning: the ensembles have not converged: R-hat is " in result.output
    made = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    tables = {"posterior.csv", "diagnostics.csv", "bay_checks.csv", "sensitivity.csv"}
    pictures = {
        f"figures/{name}.{ending}"
        for name in ("posterior", "traces", "pairs")
        for ending in ("png", "svg", "csv")
    }
    assert made == {"posterior.nc", "chains.nc", "run.log"} | tables | pictures
    assert read_posterior(target / "posterior.nc").rows == 2 * 4 * 50
    assert "WARNING" in (target / "run.log").read_text(encoding="utf-8")
    for table in tables:
        assert len(pd.read_csv(target / table, comment="#")) > 3
    shown = CliRunner().invoke(cli.main, ["show", str(target / "posterior.nc")])
    assert "Prior and posterior given the record up to 2022" in shown.output
    again = CliRunner().invoke(cli.main, [*words, "--output", str(target)])
    assert again.exit_code == 2
    assert "there are results already" in again.output


def test_the_command_refuses_one_ensemble(tmp_path):
    result = CliRunner().invoke(
        cli.main, ["calibrate", "--ensembles", "1", "--output", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert result.output.startswith("ensembles: too small for a calibration\n    found    1\n")
    assert not (tmp_path / "out").exists()


def test_tables_say_what_their_columns_mean():
    ds = chains()
    posterior = with_findings(posterior_rows(ds), ds, diagnose(ds), warming_table(ds, ds))
    text = table_csv("posterior.csv", posterior_table(ds), posterior)
    assert (
        "# speaks: record above a shrinkage of 0.5; prior below 0.1 and a shift of 0.5; else both\n" in text
    )
    assert "caspian_sim 0, git none, made never" in text


@pytest.mark.parametrize("name", ["posterior", "traces", "pairs"])
def test_no_text_of_the_figures_leaves_the_page_or_covers_another(name, monkeypatch):
    fig, written = figures.CALIBRATION[name][0](chains()), []
    draw = Text.draw

    def record(text, *args, **options):
        if text.get_visible() and text.get_text().strip():
            written.append(text)
        draw(text, *args, **options)

    monkeypatch.setattr(Text, "draw", record)
    fig.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in written]
    for text, box in boxes:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
        assert inside, f"{text!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1.0 or up <= 3.0, f"{one!r} covers {other!r}"


@pytest.mark.parametrize("name", ["posterior", "traces", "pairs"])
def test_figures_of_the_calibration_carry_units_evidence_and_numbers(name):
    drawn, numbers = figures.CALIBRATION[name]
    ds = chains()
    words = " ".join(text.get_text() for text in drawn(ds).findobj(match=lambda a: hasattr(a, "get_text")))
    assert "Grade D priors" in words
    assert "Baltic Height System" in words
    assert len(numbers(ds)) >= 21
    with pytest.raises(DataError, match=f"figure {name!r} cannot be drawn"):
        drawn(ds.drop_vars("value"))
