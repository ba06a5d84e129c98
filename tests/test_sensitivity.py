"""Sobol indices: against algebra, against brute force, and what becomes of them in tables and figures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.climate.draws import sample, sobol_points
from caspian_sim.config import load_config
from caspian_sim.errors import ConfigError, DataError, OutOfRangeError
from caspian_sim.evaluate import sensitivity as module
from caspian_sim.evaluate.sensitivity import indices
from caspian_sim.outputs.log import recorded
from caspian_sim.plan import make_plan
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.simulate import integrate

FIRST, TOTAL = 0, 1

# ---- the Ishigami function, whose indices are known ---------------------------------------------

A, B = 7.0, 0.1
PI = np.pi
VARIANCE = A**2 / 8 + B * PI**4 / 5 + B**2 * PI**8 / 18 + 0.5
ALONE = np.array([0.5 * (1 + B * PI**4 / 5) ** 2, A**2 / 8, 0.0]) / VARIANCE
TOGETHER = ALONE + 8 * B**2 * PI**8 / 225 / VARIANCE * np.array([1.0, 0.0, 1.0])


def ishigami(x):
    return np.sin(x[0]) + A * np.sin(x[1]) ** 2 + B * x[2] ** 4 * np.sin(x[0])


def ishigami_of(points):
    """The function as a model of three inputs, and twice itself as a second output."""
    a, b = points.T[:3], points.T[3:]

    def model(from_b, row):
        y = ishigami(PI * (2.0 * np.where(from_b, b[:, row], a[:, row]) - 1.0))
        return np.stack([y, 10.0 - 2.0 * y])

    return model


def test_indices_of_the_ishigami_function_are_those_of_algebra():
    found = indices(ishigami_of(sobol_points(1, 6, 0, 4096)), 3, 4096, seed=1)
    for output in (0, 1):
        assert_allclose(found.index[FIRST, output], ALONE, atol=0.015)
        assert_allclose(found.index[TOTAL, output], TOGETHER, atol=0.015)
        assert (found.low[:, output] - 1e-3 <= [ALONE, TOGETHER]).all()
        assert (found.high[:, output] + 1e-3 >= [ALONE, TOGETHER]).all()
    assert_allclose(found.sd**2, VARIANCE * np.array([1.0, 4.0]), rtol=0.01)
    assert_allclose(found.mean, [A / 2, 10.0 - A], rtol=0.01)


def test_nine_in_ten_intervals_hold_the_truth_when_the_samples_are_independent():
    generator = np.random.default_rng(5)
    held = []
    for _ in range(60):
        found = indices(ishigami_of(generator.random((256, 6))), 3, 256, seed=3)
        truth = np.stack([ALONE, TOGETHER])
        held.append((found.low[:, 0] <= truth) & (truth <= found.high[:, 0]))
    # Six indices, sixty times: the share is known to three per cent or so.
    assert 0.8 < np.mean(held) < 0.97


def test_resampling_by_weights_is_resampling_by_rows():
    generator = np.random.default_rng(2)
    a, b, ab = generator.random((1, 32)), generator.random((1, 32)), generator.random((3, 1, 32))
    found = module._resampled(a, b, ab, np.random.default_rng(9))
    counts = np.random.default_rng(9).multinomial(32, np.full(32, 1 / 32), size=module.RESAMPLES)
    middle = np.mean([a, b])
    for resample in (0, 500):
        pick = np.repeat(np.arange(32), counts[resample])
        fa, fb, fab = a[0, pick] - middle, b[0, pick] - middle, ab[:, 0, pick] - middle
        variance = np.concatenate([fa, fb]).var()
        assert_allclose(found[resample, FIRST, 0], (fb * (fab - fa)).mean(axis=1) / variance)
        assert_allclose(found[resample, TOTAL, 0], 0.5 * ((fa - fab) ** 2).mean(axis=1) / variance)


def test_an_output_that_never_changes_has_no_indices():
    found = indices(lambda from_b, row: np.ones((1, len(row))), 2, 16, seed=1)
    for values in (found.index, found.low, found.high):
        assert_array_equal(values, np.zeros((2, 1, 2)))


def test_the_batches_do_not_matter():
    model = ishigami_of(sobol_points(1, 6, 0, 64))
    seen = []
    whole = indices(model, 3, 64, seed=1)
    parts = indices(model, 3, 64, seed=1, batch=17, progress=lambda done, total: seen.append((done, total)))
    assert_array_equal(whole.index, parts.index)
    assert_array_equal(whole.low, parts.low)
    assert seen == [(done, 19) for done in range(1, 20)]


def test_samples_that_are_no_power_of_two_are_refused():
    with pytest.raises(OutOfRangeError) as error:
        module.check_samples(1000)
    assert str(error.value) == (
        "the number of samples is no power of 2\n"
        "    found    1000\n"
        "    allowed  powers of 2 from 16 to 1048576\n"
        "    hint     1024"
    )
    for samples in (0, -8, 8, 2**21):
        with pytest.raises(OutOfRangeError):
            module.check_samples(samples)


# ---- the model against brute force --------------------------------------------------------------

FREE = ["net_evaporation", "area_factor", "river_inflow", "strait_coefficient_before_1980"]


def small(**changes):
    """Few years in which three parameters and the variability matter, and a fourth parameter does not."""
    fixed = {name: prior.best for name, prior in cs.data.parameters().items() if name not in FREE}
    return {
        "name": "small",
        "period": {"start": 2026, "end": 2040},
        "climate": {"scenarios": ["ssp245"]},
        "uncertainty": {"seed": 11, "parameters": "prior"},
        "parameters": fixed,
        "outcomes": {"report_years": [2026, 2028]},
        **changes,
    }


@pytest.fixture(scope="module")
def result():
    return cs.sensitivity(small(), samples=1024)


def brute_force(outer, inner, alone, generator):
    """Level of 2028 for `outer` draws of one group of inputs, with `inner` draws of all others for each.

    `alone` is the input that is drawn in the outer loop, or in the inner one when it begins with "-".
    """
    plan = make_plan(load_config(small(period={"start": 2026, "end": 2028})))
    inputs = {}
    for name, prior in plan.inputs.items():
        is_outer = (name.removeprefix("parameter:") == alone.lstrip("-")) != alone.startswith("-")
        quantile = generator.random((outer, 1)) if is_outer else generator.random((outer, inner))
        inputs[name] = sample(prior, np.broadcast_to(quantile, (outer, inner)).ravel().copy())
    is_outer = (alone.lstrip("-") == "variability") != alone.startswith("-")
    numbers = generator.permutation(100_000)[: outer if is_outer else outer * inner]
    members = np.broadcast_to(numbers.reshape(outer, -1), (outer, inner)).ravel()
    level = integrate(plan, np.ascontiguousarray(members), inputs).solution.level[-1]
    return level.reshape(outer, inner)


@pytest.mark.parametrize("name", ["net_evaporation", "area_factor", "river_inflow", "variability"])
def test_indices_of_the_model_agree_with_brute_force(result, name):
    generator = np.random.default_rng(21)
    outer, inner = 180, 24
    now = result.sel(scenario="ssp245", year=2028, input=name)
    variance = float(result.level_sd.sel(scenario="ssp245", year=2028)) ** 2

    # The variance of the means, less what the means of so few members vary by themselves.
    level = brute_force(outer, inner, name, generator)
    means, own = level.mean(axis=1).var(ddof=1), level.var(axis=1, ddof=1).mean()
    agree(now.sel(order="first"), (means - own / inner) / variance, np.sqrt(2 / outer) * means / variance)

    # The mean of the variances that are left when all others are known.
    left = brute_force(outer, inner, f"-{name}", generator).var(axis=1, ddof=1) / variance
    agree(now.sel(order="total"), left.mean(), left.std() / np.sqrt(outer))


def agree(found, expected, error):
    """Four standard errors of both estimates together, of which brute force has the larger part."""
    width = float(found["index_high"] - found["index_low"]) / (2 * 1.645)
    assert error < 0.1
    assert_allclose(float(found["index"]), expected, rtol=0.0, atol=4.0 * np.hypot(error, width))


def test_the_indices_of_an_additive_case_add_up_to_one(result):
    sums = result["index"].sel(year=2028).sum("input").squeeze("scenario")
    assert_allclose(sums.sel(order="total"), 1.0, atol=0.06)
    assert_allclose(sums.sel(order="first"), 1.0, atol=0.12)


def test_a_parameter_of_the_past_has_hardly_any_influence(result):
    # Its outflow until 1980 is a part of what the record says of the slow departures, and long forgotten.
    past = result.sel(input="strait_coefficient_before_1980")
    for variable in ("index", "index_low", "index_high"):
        assert np.abs(past[variable].values).max() < 2e-3


def test_expected_fluxes_gain_on_variability_with_the_years(result):
    total = result["index"].sel(order="total", scenario="ssp245")
    flux, chance = total.sel(input="river_inflow"), total.sel(input="variability")
    assert flux.sel(year=2028) > flux.sel(year=2026) > 0.0
    assert chance.sel(year=2026) > chance.sel(year=2028) > 0.5


def test_calibrated_parameters_have_the_ranges_that_calibration_leaves_to_each(result):
    with recorded() as log:
        ds = cs.sensitivity(small(uncertainty={"seed": 11}), samples=1024)
    assert load_config(small(uncertainty={"seed": 11})).uncertainty.parameters == "posterior"
    # The record narrows inflow from a standard deviation of 20 to one of 9 km³/yr.
    assert (ds["level_sd"] < result["level_sd"]).all()
    ranges = (
        "what the calibration leaves to each parameter by itself: Sobol indices need inputs that are "
        "independent, so that what it says of two of them together is left out"
    )
    assert ds.attrs["parameter_ranges"] == ranges
    assert result.attrs["parameter_ranges"] == "those before calibration"
    assert f"ranges of the parameters: {ranges}" in log.text
    grade = ds["input_grade"].to_series()
    assert grade["river_inflow"] == "B"


def test_shuffled_rows_of_the_posterior_have_the_spread_that_is_shared_out():
    """Rows whose parameters are shuffled one by one are independent draws from the same margins."""
    free = ("river_inflow", "net_evaporation")
    fixed = {name: prior.best for name, prior in cs.data.parameters().items() if name not in free}
    settings = {"seed": 11, "variability": False}
    ds = cs.sensitivity(small(parameters=fixed, uncertainty=settings), samples=1024)
    rng = np.random.default_rng(4)
    table = shipped_posterior().parameters
    shuffled = {name: rng.permutation(table[name])[:1024] for name in free}
    plan = make_plan(load_config(small(parameters=fixed, uncertainty={**settings, "parameters": "prior"})))
    inputs = {name: np.full(1024, prior.best) for name, prior in plan.inputs.items()}
    inputs |= {f"parameter:{name}": values for name, values in shuffled.items()}
    level = integrate(plan, np.arange(1024), inputs).solution.level[2]
    assert_allclose(ds["level_sd"].sel(year=2028).squeeze(), level.std(ddof=1), rtol=4.0 / np.sqrt(2 * 1024))


def test_the_spread_is_that_of_an_ensemble_of_the_same_configuration(result):
    members = cs.run(
        small(
            uncertainty={"seed": 5, "members": 600, "parameters": "prior"},
            period={"start": 2026, "end": 2028},
        )
    )
    sd = members.sea_level.std("member").squeeze()
    found = result["level_sd"].squeeze("scenario")
    assert_allclose([sd[0], sd[2]], found, rtol=4.0 / np.sqrt(2 * 600))


def test_the_same_configuration_gives_the_same_indices():
    one, two = (cs.sensitivity(small(), samples=64) for _ in range(2))
    for variable in ("index", "index_low", "index_high", "level_mean"):
        assert_array_equal(one[variable].values, two[variable].values)


def test_the_result_says_what_it_took(result):
    assert result.attrs["programme"] == "none"
    assert result.attrs["runs"] == result.attrs["runs_per_scenario"] == 1024 * (5 + 2)
    assert float(result.attrs["seconds"]) > 0.0
    assert dict(zip(result["input"].values, result["input_grade"].values, strict=True))["area_factor"] == "D"


def test_one_step_a_month_is_as_good_as_two():
    config = load_config(
        {"name": "steps", "period": {"start": 2026, "end": 2100}, "climate": {"scenarios": ["ssp585"]}}
    )
    one = make_plan(module.levels_only(config, 2100))
    two = make_plan(
        one.frame.config.model_copy(
            update={"solver": one.frame.config.solver.model_copy(update={"steps_per_month": 2})}
        )
    )
    points = sobol_points(1, len(one.inputs), 0, 64).T
    drawn = {name: sample(prior, q) for (name, prior), q in zip(one.inputs.items(), points, strict=True)}
    levels = [integrate(plan, np.arange(64), drawn).solution.level[-1] for plan in (one, two)]
    assert_allclose(levels[0], levels[1], rtol=0.0, atol=1e-4)  # a ten-thousandth of the spread


# ---- which inputs count -------------------------------------------------------------------------


def measure(name, low, high):
    return {
        "id": name,
        "state": "AZ",
        "title": "bring water",
        "mechanism": "transfer",
        "volume_km3_per_yr": {"low": low, "best": (low + high) / 2, "high": high},
        "start": "2026",
        "grade": "D",
        "source": "assumed",
    }


def test_measures_of_the_first_programme_count_when_their_volume_has_a_range():
    custom = [measure("wide", 0, 20), measure("exact", 5, 5), measure("idle", 0, 20)]
    programmes = {"act": {"participants": ["AZ"], "measures": ["wide", "exact"]}, "none": {}}
    ds = cs.sensitivity(
        small(measures={"catalogue": "none", "custom": custom}, programmes=programmes), samples=64
    )
    assert [str(name) for name in ds["input"].values] == [*sorted_as_table(), "measure:wide", "variability"]
    assert float(ds["index"].sel(order="total", year=2028, input="measure:wide").item()) > 0.005
    assert ds.attrs["programme"] == "act"


def sorted_as_table():
    return [name for name in cs.data.parameters() if name in FREE]


def test_without_variability_it_is_no_input():
    ds = cs.sensitivity(small(uncertainty={"variability": False}), samples=64)
    assert [str(name) for name in ds["input"].values] == sorted_as_table()
    assert_allclose(ds["index"].sel(order="total", year=2028).sum("input"), 1.0, atol=0.15)


def test_the_last_year_counts_when_no_year_is_to_be_reported():
    ds = cs.sensitivity(small(outcomes={}, period={"start": 2026, "end": 2027}), samples=16)
    assert list(ds["year"].values) == [2027]


def test_central_parameters_are_refused():
    with pytest.raises(ConfigError) as error:
        cs.sensitivity(small(), overrides=["uncertainty.parameters=central"], samples=16)
    assert str(error.value) == (
        "a sensitivity needs parameters that vary\n"
        "    found    uncertainty.parameters central\n"
        "    allowed  posterior (the ranges after calibration) or prior (those before)"
    )


def test_parameters_that_are_all_fixed_are_refused():
    fixed = {name: prior.best for name, prior in cs.data.parameters().items()}
    with pytest.raises(ConfigError) as error:
        cs.sensitivity(small(parameters=fixed), samples=16)
    assert str(error.value) == (
        "a sensitivity needs parameters that vary\n"
        "    found    every parameter is fixed\n"
        "    allowed  one with a range, at least"
    )


# ---- table, figure and command ------------------------------------------------------------------

TINY = """\
name: tiny
period: {start: 2026, end: 2028}
climate: {scenarios: [ssp126, ssp245]}
outcomes: {report_years: [2027, 2028]}
"""
# All parameters but the one that another form of evaporation needs, and the variability.
ALL = len(cs.data.parameters()) - 1 + 1
FILES = {"sensitivity.nc", "sensitivity.csv", "run.log"}
FILES |= {f"figures/sensitivity.{ending}" for ending in ("png", "svg", "csv")}


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a small configuration and its analysis, and what the command printed."""
    folder = tmp_path_factory.mktemp("project")
    config = folder / "tiny.yaml"
    config.write_text(TINY + f"output: {{directory: {(folder / 'out').as_posix()}}}\n", encoding="utf-8")
    return config, call("sensitivity", config, "--samples", 32)


def test_the_command_writes_its_folder_beside_the_results_of_a_run(project):
    config, answer = project
    assert answer.exit_code == 0, answer.output
    folder = config.parent / "out" / "sensitivity"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == FILES
    assert "Total Sobol indices of the level, ssp126, programme none" in answer.output
    assert f"{2 * 32 * (ALL + 2):,} runs in " in answer.output
    tables = answer.output.split(str(folder))[0]
    assert max(map(len, tables.splitlines())) <= 80


def test_the_table_has_every_index_of_the_dataset(project):
    folder = project[0].parent / "out" / "sensitivity"
    ds = cs.open(folder)
    table = pd.read_csv(folder / "sensitivity.csv", comment="#")
    assert len(table) == 2 * 2 * ALL
    row = table[(table.scenario == "ssp126") & (table.year == 2028) & (table.input == "net_evaporation")]
    now = ds.sel(scenario="ssp126", year=2028, input="net_evaporation")
    for order, column in (("first", "first_order"), ("total", "total")):
        for end in ("", "_low", "_high"):
            value = float(now[f"index{end}"].sel(order=order))
            assert_allclose(row[f"{column}{end}"].item(), value, atol=0.51e-4)
    assert f"{2 * 32 * (ALL + 2)} runs, 32 samples" in (folder / "sensitivity.csv").read_text(
        encoding="utf-8"
    )


def test_a_saved_analysis_is_shown_again_and_not_overwritten(project):
    config, first = project
    folder = config.parent / "out" / "sensitivity"
    assert call("show", folder).output.strip() in first.output
    refused = call("sensitivity", config, "--samples", 32)
    assert refused.exit_code == 2
    assert "there are results already" in refused.output
    again = call("sensitivity", config, "--samples", 16, "--overwrite", "--quiet")
    assert (again.exit_code, again.output) == (0, "")
    assert call("sensitivity", config, "--samples", 32, "--overwrite").exit_code == 0


def test_a_wrong_number_of_samples_leaves_no_folder(project, tmp_path):
    answer = call("sensitivity", project[0], "--samples", 100, "--output", tmp_path / "new")
    assert answer.exit_code == 2
    assert answer.output.endswith("hint     128\n")
    assert not Path(tmp_path / "new").exists()


def texts(figure):
    return list(dict.fromkeys(artist.get_text() for artist in figure.findobj(Text) if artist.get_text()))


def test_the_figure_lists_the_inputs_by_their_total_in_the_last_year(result):
    figure = figures.sensitivity(result)
    words = texts(figure)
    total = result["index"].sel(order="total", year=2028, scenario="ssp245")
    names = {
        "variability": "natural variability",
        "net_evaporation": "present net evaporation",
        "area_factor": "area of the sea",
        "river_inflow": "present inflow",
        "strait_coefficient_before_1980": "rating of the strait before 1980",
    }
    order = [names[str(total["input"].values[i])] for i in np.argsort(-total.values)]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == order
    assert f"{float(total.max()):.2f} total" in words
    assert any(word.startswith("2028: sd 0.") for word in words)


def test_ten_inputs_have_a_row_and_the_others_are_added_up(project):
    ds = cs.open(project[0].parent / "out" / "sensitivity")
    figure = figures.sensitivity(ds, scenario="ssp126")
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert len(labels) == 11
    assert labels[-1] == f"sum of {ALL - 10} others"
    total = ds["index"].sel(order="total", scenario="ssp126").values
    rest = np.argsort(-total[-1], kind="stable")[10:]
    marks = [line for line in figure.axes[1].lines if list(line.get_ydata()) == [10 - 0.17]]
    assert_allclose(marks[0].get_xdata(), total[-1, rest].sum(), rtol=1e-12)
    assert any(text.startswith("Sum of others: indices added up") for text in texts_unwrapped(figure))
    table = figures.sensitivity_table(ds, scenario="ssp126")
    assert len(table) == 2 * ALL


def texts_unwrapped(figure):
    return [text.replace("\n", " ") for text in texts(figure)]


def test_a_column_shows_the_last_year_alone_and_a_page_the_last_three(result):
    assert sum(word.startswith("20") for word in texts(figures.sensitivity(result, width_cm=8.5))) == 1
    assert sum(word.startswith("20") for word in texts(figures.sensitivity(result))) == 2


def test_the_same_analysis_gives_the_same_picture(result):
    pictures = []
    for _ in range(2):
        buffer = io.BytesIO()
        figures.sensitivity(result).savefig(buffer, format="svg", metadata={"Date": None})
        pictures.append(buffer.getvalue())
    assert pictures[0] == pictures[1]


def test_a_scenario_that_was_not_analysed_cannot_be_drawn(result):
    with pytest.raises(DataError) as error:
        figures.sensitivity(result, scenario="ssp119")
    assert str(error.value) == (
        "the dataset has no scenario 'ssp119'\n    found    'ssp119'\n    allowed  ssp245"
    )
