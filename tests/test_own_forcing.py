"""A run under a user's own precipitation, evaporation and inflow."""

import hashlib
import json
import pickle
import re

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from own_files import annual_totals, cmip6, table

import caspian_sim as cs
from caspian_sim import cli, execute
from caspian_sim.basin.rivers import RIVERS, month_fractions, river_inflow
from caspian_sim.climate.months import vertical_fluxes
from caspian_sim.climate.own.forcing import read_own_forcing, with_own_series
from caspian_sim.climate.scenario import BASELINE, scenario_climate
from caspian_sim.climate.variability import StartState
from caspian_sim.config import InvalidConfigError, config_hash, load_config, resolved_yaml
from caspian_sim.errors import DataError
from caspian_sim.figures.reading import run_footer
from caspian_sim.plan import make_plan
from caspian_sim.simulate import run_members

YEARS = np.arange(2026, 2030)
SHARES = river_inflow(*BASELINE).mean(axis=1) / river_inflow(*BASELINE).mean(axis=1).sum()
RUN = {
    "name": "own",
    "period": {"start": 2026, "end": 2029},
    "climate": {"scenarios": ["ssp245"]},
    "uncertainty": {"members": 5},
    "output": {"figures": "none"},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def climate_model(folder):
    """Files of three members in two scenarios, as a climate model leaves them, and what is in them."""
    series = {
        "precipitation": cmip6("pr.nc", "pr", 7e-6, "kg m-2 s-1", seed=1),
        "evaporation": cmip6("evspsbl.nc", "evspsbl", 3.1e-5, "kg m-2 s-1", seed=2),
        "river_inflow": cmip6("q.nc", "q", [7400.0, 250.0], "m3 s-1", rivers=("volga", "kura"), seed=3),
    }
    files = {"precipitation": "pr.nc", "evaporation": "evspsbl.nc", "river_inflow": "q.nc"}
    return {term: {"file": file} for term, file in files.items()}, series


def climate_of(forcing, members=5, variability=True, scenario="ssp245", years=YEARS):
    """Climate of the model, and the same with own series, for members that all differ."""
    numbers = np.arange(members)
    parameters = {name: np.full(members, prior.best) for name, prior in cs.data.parameters().items()}
    parameters |= {
        "warming_quantile": np.linspace(0.2, 0.8, members),
        "river_inflow": np.linspace(270.0, 290.0, members),
        "precipitation": np.linspace(180.0, 220.0, members),
        "net_evaporation": np.linspace(750.0, 790.0, members),
    }
    start = StartState(
        volume=np.zeros(members),
        slow=np.linspace(-20.0, 40.0, members),
        inflow=np.linspace(-30.0, 30.0, members),
        inflow_slow=np.linspace(-10.0, 10.0, members),
    )
    model = scenario_climate(scenario, years, numbers, parameters, 7, start, variability)
    config = load_config({**RUN, "forcing": forcing})
    terms = read_own_forcing(config.forcing, ("ssp126", "ssp245"), years, members)
    return model, with_own_series(model, terms, scenario, numbers, parameters), parameters


# ---- values --------------------------------------------------------------------------------------------


def test_constant_series_give_the_level_of_parameters_fixed_at_these_values(folder):
    table(folder / "p.csv", [210.0] * 4, "year,precipitation")
    table(folder / "e.csv", [990.0] * 4)
    table(folder / "q.csv", [280.0] * 4, "year,total", "# units: km3/yr\n")
    still = {**RUN, "uncertainty": {"members": 3, "variability": False}}
    terms = ("volga", "other_river", "precipitation", "evaporation")
    zero = {f"{term}_sensitivity": 0 for term in terms}
    values = {"precipitation": 210, "net_evaporation": 780, "river_inflow": 280}
    fixed = cs.run({**still, "parameters": {**values, **zero}})
    # The fading departures at the start are part of the variability, which the model adds in both runs.
    forcing = {
        "precipitation": {"file": "p.csv", "variability": "added"},
        "evaporation": {"file": "e.csv", "variability": "added"},
        "river_inflow": {"file": "q.csv", "variability": "added"},
    }
    # The split of net evaporation does not touch the state at the start: the run has another one of its own.
    other = {**values, **zero, "precipitation": 150}
    own = cs.run({**still, "parameters": other, "forcing": forcing})
    assert_allclose(own.sea_level, fixed.sea_level, rtol=0, atol=1e-10)
    assert_allclose(own.river_inflow, fixed.river_inflow, rtol=1e-12)


def test_change_scales_rain_and_rivers_and_shifts_evaporation(folder):
    years = np.arange(2003, 2030)
    grown = np.where(years < 2026, 1.0, 1.25)
    table(folder / "p.csv", 500.0 * grown, "year,p", first=2003)
    table(folder / "e.csv", 600.0 * grown, first=2003)
    table(folder / "q.csv", 400.0 * grown, "year,volga", "# units: km3/yr\n", first=2003)
    forcing = {
        term: {"file": file, "use": "change"}
        for term, file in (("precipitation", "p.csv"), ("evaporation", "e.csv"), ("river_inflow", "q.csv"))
    }
    model, own, parameters = climate_of(forcing)
    assert_allclose(own.precipitation, np.tile(1.25 * parameters["precipitation"], (4, 1)), rtol=1e-12)
    present = parameters["net_evaporation"] + parameters["precipitation"]
    assert_allclose(own.evaporation, np.tile(present + 150.0, (4, 1)), rtol=1e-12)
    volga = parameters["river_inflow"] * SHARES[0]
    assert_allclose(own.inflow[0], np.tile(1.25 * volga, (4, 1)), rtol=1e-12)
    assert_array_equal(own.inflow[1:], model.inflow[1:])


def test_change_against_a_baseline_of_the_users_own(folder):
    years = np.arange(2003, 2030)
    table(folder / "p.csv", 200.0 + years - 2003.0, "year,p", first=2003)
    settings = {"file": "p.csv", "use": "change", "baseline": {"start": 2005, "end": 2007}}
    _, own, parameters = climate_of({"precipitation": settings})
    ratio = (200.0 + YEARS - 2003.0) / 203.0
    assert_allclose(own.precipitation, ratio[:, None] * parameters["precipitation"], rtol=1e-12)


def test_a_total_is_shared_among_the_rivers_as_in_the_present_climate(folder):
    table(folder / "q.csv", [300.0] * 4, "year,total", "# units: km3/yr\n")
    _, own, _ = climate_of({"river_inflow": {"file": "q.csv"}})
    assert_allclose(own.inflow.sum(axis=0), 300.0, rtol=1e-12)
    assert_allclose(own.inflow[:, 0, 0], 300.0 * SHARES, rtol=1e-12)


def test_without_own_series_the_climate_is_the_models_to_the_last_bit(folder):
    model, own, _ = climate_of({})
    assert own is model


# ---- variability ---------------------------------------------------------------------------------------


def test_variability_of_the_model_is_added_to_rivers_on_demand_alone(folder):
    table(folder / "q.csv", [240.0] * 4, "year,volga", "# units: km3/yr\n")
    settings = {"file": "q.csv"}
    model, own, _ = climate_of({"river_inflow": settings})
    assert_allclose(own.inflow[0], 240.0)
    _, added, _ = climate_of({"river_inflow": {**settings, "variability": "added"}})
    assert_allclose(added.inflow[0], 240.0 * (1.0 + model.inflow_departure), rtol=1e-12)
    assert added.inflow[0].std() > 10.0
    assert_array_equal(own.evaporation, model.evaporation)


def test_variability_of_net_evaporation_is_never_there_twice(folder):
    table(folder / "p.csv", [200.0] * 4, "year,p")
    table(folder / "e.csv", [1000.0] * 4)
    own, added = {"variability": "own"}, {"variability": "added"}
    for rain, vapour, there in (
        (None, own, False),
        (None, added, True),
        (own, None, False),
        (added, None, True),
        (own, added, False),
        (added, own, False),
        (added, added, True),
    ):
        forcing = {
            term: {"file": file, **how}
            for term, file, how in (("precipitation", "p.csv", rain), ("evaporation", "e.csv", vapour))
            if how is not None
        }
        model, found, _ = climate_of(forcing)
        expected = model.evaporation - model.net_evaporation_departure if vapour is None else 1000.0
        expected = expected + model.net_evaporation_departure * there
        assert_allclose(found.evaporation, np.broadcast_to(expected, (4, 5)), rtol=1e-12)


# ---- members, scenarios and months ---------------------------------------------------------------------


def test_members_take_the_series_of_their_scenario_in_turn(climate_model):
    forcing, series = climate_model
    for scenario in ("ssp126", "ssp245"):
        _, own, _ = climate_of(forcing, scenario=scenario)
        totals = annual_totals(series["precipitation"], 1.0).sel(experiment=scenario, year=YEARS)
        for member in range(5):
            assert_allclose(own.precipitation[:, member], totals.isel(member=member % 3), rtol=1e-12)


def test_months_of_the_file_take_the_place_of_the_season(climate_model):
    forcing, series = climate_model
    ds = cs.run({**RUN, "forcing": forcing, "output": {"figures": "none", "frequency": "monthly"}})
    fractions = month_fractions(YEARS).ravel()
    in_run = {
        term: values.sel(experiment="ssp245", time=slice("2026", "2029")) for term, values in series.items()
    }
    water = {term: values * 86400.0 * values["time"].dt.days_in_month for term, values in in_run.items()}
    volga = ds.river_inflow.sel(scenario="ssp245", river="volga")
    for member in range(5):
        expected = water["river_inflow"].sel(river="volga").isel(member=member % 3) * 1e-9 / fractions
        assert_allclose(volga.sel(member=member), expected, rtol=1e-12)
    rate = {
        name: (ds[name] / ds.sea_area * 1e6).isel(scenario=0, programme=0)
        for name in ("precipitation", "evaporation")
    }
    for name, values in rate.items():
        # The area moves within a month, against which the flux is nearly constant.
        assert_allclose(values.sel(member=4), water[name].isel(member=1) / fractions, rtol=1e-9)
    annual = cs.run({**RUN, "forcing": forcing})
    assert_allclose(
        annual.river_inflow.isel(member=1, river=0).squeeze(),
        annual_totals(series["river_inflow"], 1e-9)
        .sel(experiment="ssp245", year=YEARS, river="volga")
        .isel(member=1),
        rtol=1e-12,
    )


def test_months_of_rain_alone_leave_the_season_of_evaporation(climate_model):
    forcing, _ = climate_model
    output = {"figures": "none", "frequency": "monthly"}
    own = cs.run({**RUN, "forcing": {"evaporation": forcing["evaporation"]}, "output": output})
    rain = cs.run({**RUN, "forcing": {"precipitation": forcing["precipitation"]}, "output": output})
    model = cs.run({**RUN, "output": output})

    def swing(ds, name):
        rate = (ds[name] / ds.sea_area * 1e6).isel(member=0, scenario=0, programme=0)
        return rate.groupby("time.year").map(lambda year: year - year.mean())

    assert_allclose(swing(rain, "evaporation"), swing(model, "evaporation"), atol=1.0)
    assert float(swing(rain, "precipitation").std()) > 30.0
    assert float(np.abs(swing(own, "evaporation") - swing(model, "evaporation")).max()) > 200.0


def test_bay_keeps_its_own_climate_and_season(climate_model):
    forcing, _ = climate_model
    _, own, _ = climate_of(forcing)
    model, _, _ = climate_of({})
    assert_array_equal(own.bay_net_evaporation, model.bay_net_evaporation)
    bays = []
    for climate in (own, model):
        _, _, bay, season = vertical_fluxes(climate, month_fractions(YEARS))
        bays.append(np.repeat(bay, 48 // len(bay), axis=0) + season[:, None])
    assert_allclose(bays[0], bays[1], rtol=1e-12)


@pytest.mark.parametrize("method", ["compiled", "DOP853"])
def test_solvers_agree_under_monthly_series(climate_model, method):
    if method == "compiled":
        pytest.importorskip("numba")
    forcing, _ = climate_model
    config = {
        **RUN,
        "forcing": forcing,
        "period": {"start": 2026, "end": 2026 if method == "DOP853" else 2029},
    }
    batched, other = cs.run(config), cs.run({**config, "solver": {"method": method}})
    assert_allclose(other.sea_level, batched.sea_level, rtol=0, atol=1e-5 if method == "DOP853" else 1e-9)


def test_parts_of_an_ensemble_do_not_change_its_members(climate_model):
    forcing, _ = climate_model
    whole = cs.run({**RUN, "forcing": forcing})
    parts = cs.run({**RUN, "forcing": forcing, "execution": {"chunk": 2, "workers": 2}})
    for name in ("sea_level", "river_inflow", "evaporation"):
        assert_array_equal(parts[name], whole[name])
    # What goes to a worker of a cluster and comes back.
    plan = pickle.loads(pickle.dumps(make_plan(load_config({**RUN, "forcing": forcing}))))
    assert_array_equal(
        run_members(plan, np.array([3])).arrays["sea_level"][0, 0, 0], whole.sea_level[0, 0, 3]
    )


def test_series_are_held_once_however_many_members_there_are(climate_model):
    forcing, _ = climate_model
    few = make_plan(load_config({**RUN, "forcing": forcing}))
    many = make_plan(load_config({**RUN, "forcing": forcing, "uncertainty": {"members": 100_000}}))

    def sizes(plan):
        return [bank.months.nbytes + bank.annual.nbytes for term in plan.own for bank in term.banks.values()]

    # Three members, four years: 12 annual and 144 monthly numbers for each of two terms and two rivers.
    assert sizes(few) == sizes(many) == [(12 + 144) * 8] * 4


# ---- configuration and provenance ----------------------------------------------------------------------


def test_file_lies_beside_the_configuration_that_names_it(folder):
    (folder / "data").mkdir()
    table(folder / "data" / "e.csv", [900.0] * 4)
    (folder / "data" / "base.yaml").write_text("forcing: {evaporation: {file: e.csv}}\n", encoding="utf-8")
    (folder / "run.yaml").write_text(
        "name: own\nextends: data/base.yaml\nperiod: {start: 2026, end: 2029}\n", encoding="utf-8"
    )
    config = load_config("run.yaml")
    assert config.forcing.evaporation.file == str(folder / "data" / "e.csv")
    assert load_config(config) == config
    assert "own forcing  evaporation" in repr(config)


INVALID = {
    "file that is not there": (
        "forcing: {evaporation: {file: e.csv}}",
        "run.yaml:3:31  forcing.evaporation.file: no such file\n"
        "    found    e.csv\n"
        "    hint     the path is relative to the file that names it",
    ),
    "no file": (
        "forcing: {evaporation: {use: change}}",
        "run.yaml:3:11  forcing.evaporation.file: the key 'file' is missing\n    allowed  text",
    ),
    "unknown key": (
        "forcing: {evaporation: {file: p.csv, unit: mm/yr}}",
        "run.yaml:3:38  forcing.evaporation.unit: unknown key 'unit'\n"
        "    allowed  file, variable, units, use, baseline, variability\n"
        "    hint     did you mean 'units'?",
    ),
    "unknown term": (
        "forcing: {runoff: {file: p.csv}}",
        "run.yaml:3:11  forcing.runoff: unknown key 'runoff'\n"
        "    allowed  precipitation, evaporation, river_inflow",
    ),
    "unknown use": (
        "forcing: {evaporation: {file: p.csv, use: changes}}",
        "run.yaml:3:43  forcing.evaporation.use: 'changes' is not one of the choices\n"
        "    found    'changes'\n"
        "    allowed  absolute, change\n"
        "    hint     did you mean 'change'?",
    ),
    "baseline without change": (
        "forcing: {evaporation: {file: p.csv, baseline: {start: 2003, end: 2020}}}",
        "run.yaml:3:48  forcing.evaporation.baseline: "
        "a baseline is given, but the values are used as they are\n"
        "    found    use absolute\n"
        "    allowed  use change with a baseline, or no baseline",
    ),
    "baseline backwards": (
        "forcing: {evaporation: {file: p.csv, use: change, baseline: {start: 2003, end: 2000}}}",
        "run.yaml:3:80  forcing.evaporation.baseline.end: the baseline ends before it starts\n"
        "    found    start 2003, end 2000\n"
        "    allowed  2003 or later",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_configuration_of_a_forcing_that_is_not_valid_is_refused(folder, case):
    line, expected = INVALID[case]
    table(folder / "p.csv", [200.0] * 4)
    (folder / "run.yaml").write_text(
        f"name: own\nperiod: {{start: 2026, end: 2029}}\n{line}\n", encoding="utf-8"
    )
    with pytest.raises(InvalidConfigError) as caught:
        load_config("run.yaml")
    assert str(caught.value) == expected


def test_validate_checks_the_file_too(folder):
    table(folder / "e.csv", [900.0] * 3)
    (folder / "run.yaml").write_text(
        "name: own\nperiod: {start: 2026, end: 2029}\nforcing: {evaporation: {file: e.csv}}\n",
        encoding="utf-8",
    )
    answer = CliRunner().invoke(cli.main, ["validate", "run.yaml"])
    assert answer.exit_code == 2
    assert answer.output == (
        f"{folder}/e.csv  evaporation: the series does not cover the years that are needed\n"
        "    found    2026 to 2028\n"
        "    allowed  2026 to 2029 in whole years\n"
    )


def test_result_says_what_it_was_forced_with_and_can_be_reproduced(climate_model, folder):
    forcing, _ = climate_model
    forcing = {**forcing, "evaporation": {"file": "evspsbl.nc", "use": "change"}}
    config = load_config({**RUN, "forcing": forcing})
    ds = cs.run(config)
    inputs = json.loads(ds.attrs["input_sha256"])
    checksum = hashlib.sha256((folder / "pr.nc").read_bytes()).hexdigest()
    assert inputs["forcing.precipitation.file"] == checksum
    turn = "variability own; member i takes series i mod 3 of r1i1p1f1, r2i1p1f1, r3i1p1f1"
    assert re.sub(r"mean \d+\.?\d*", "mean #", ds.attrs["own_forcing"]) == (
        "precipitation: pr.nc; monthly in kg m-2 s-1, noleap calendar; mean # mm/yr over the run; "
        f"absolute; {turn}\n"
        "evaporation: evspsbl.nc; monthly in kg m-2 s-1, noleap calendar; mean # mm/yr over the run; "
        f"change against 2003-2022; {turn}\n"
        "river_inflow: volga, kura of q.nc; monthly in m3/s, noleap calendar; mean # km³/yr over the run; "
        f"absolute; {turn}"
    )
    saved = cs.save(ds, "own-result.nc")
    assert_array_equal(cs.reproduce(saved).sea_level, ds.sea_level)
    cmip6("pr.nc", "pr", 8e-6, "kg m-2 s-1")
    with pytest.raises(DataError, match=r"inputs have changed .*\n    found    forcing\.precipitation\.file"):
        cs.reproduce(saved)


def test_hash_of_a_run_follows_the_content_of_its_files_and_not_their_place(folder):
    for name, value in (("a", 900.0), ("b", 900.0), ("c", 901.0)):
        table(folder / f"{name}.csv", [value] * 4)
    configs = [load_config({**RUN, "forcing": {"evaporation": {"file": f"{name}.csv"}}}) for name in "abc"]
    hashes = [config_hash(config) for config in configs]
    assert hashes[0] == hashes[1] != hashes[2]
    assert "a.csv" in resolved_yaml(configs[0])


def test_unfinished_run_is_not_resumed_with_another_forcing(folder, monkeypatch):
    table(folder / "e.csv", [900.0] * 4)
    (folder / "run.yaml").write_text(
        "name: own\nperiod: {start: 2026, end: 2029}\nclimate: {scenarios: [ssp245]}\n"
        "uncertainty: {members: 6}\nforcing: {evaporation: {file: e.csv}}\n"
        "output: {figures: none}\nexecution: {chunk: 2}\n",
        encoding="utf-8",
    )
    done = []

    def two_parts(plan, members, *hook):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(members)
        return run_members(plan, members, *hook)

    monkeypatch.setattr(execute, "run_members", two_parts)
    was = hashlib.sha256((folder / "e.csv").read_bytes()).hexdigest()
    assert CliRunner().invoke(cli.main, ["run", "run.yaml"]).exit_code == 130
    monkeypatch.setattr(execute, "run_members", run_members)
    table(folder / "e.csv", [901.0] * 4)
    found = hashlib.sha256((folder / "e.csv").read_bytes()).hexdigest()
    answer = CliRunner().invoke(cli.main, ["run", "run.yaml", "--resume"])
    assert answer.exit_code == 2
    assert answer.output == (
        "results/own: the unfinished run cannot be resumed, its input has changed\n"
        f'    changed  forcing.evaporation.file: found "{found}", was "{was}"\n'
        "    hint     --resume with the input as it was, or --overwrite starts anew\n"
    )
    # The same file elsewhere is the same forcing.
    (folder / "moved").mkdir()
    table(folder / "moved" / "e.csv", [900.0] * 4)
    changes = ["--set", "forcing.evaporation.file=moved/e.csv"]
    assert CliRunner().invoke(cli.main, ["run", "run.yaml", "--resume", *changes]).exit_code == 0


def test_rivers_that_are_not_given_stay_the_models(climate_model):
    forcing, _ = climate_model
    model, own, _ = climate_of({"river_inflow": forcing["river_inflow"]})
    others = [row for row, river in enumerate(RIVERS) if river not in ("volga", "kura")]
    assert_array_equal(own.inflow[others], model.inflow[others])


def test_figures_name_the_files_of_the_user_and_do_without_them(climate_model, folder):
    forcing, _ = climate_model
    ds = cs.run({**RUN, "forcing": {"precipitation": forcing["precipitation"]}})
    (folder / "pr.nc").unlink()
    assert run_footer(ds, ["none"])[0] == "Series of the user's own: precipitation from pr.nc."
    assert not any("Series of the user" in line for line in run_footer(cs.run(RUN), ["none"]))
