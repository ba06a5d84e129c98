"""The split of the variance: against algebra, against plain ensembles, and what becomes of it in files."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.errors import DataError, OutOfRangeError
from caspian_sim.evaluate.anova import PARAMETERS, VARIABILITY, components, resampled
from caspian_sim.evaluate.variance import CHOICES, SOURCES, grouped
from caspian_sim.figures.text import number

S, M = ("scenario",), ("structure",)
P, V = (PARAMETERS,), (VARIABILITY,)
FACTORS = ("structure", "scenario")

# ---- a toy whose components are known ---------------------------------------------------------------------

STRUCTURES, SCENARIOS = np.array([0.0, 1.0]), np.array([0.0, 1.0, 2.0])


def toy(p, v, noise=0.0):
    """h = 2 s + m + 3 p + v/2 + s p + m v, with s and m of 3 and 2 levels and standard normal p and v."""
    m, s = STRUCTURES[:, None, None, None], SCENARIOS[:, None, None]
    h = -29.0 + 2.0 * s + m + 3.0 * p[:, None] + 0.5 * v + s * p[:, None] + m * v + noise
    # A second output, turned round and stretched: the same components four times over.
    return np.stack([h, 7.0 - 2.0 * h], axis=-1)


# Half of s p and of m v, whose factors have means of 1 and 1/2, is in p and v alone: (3 + 1)², (1/2 + 1/2)².
TRUTH = {
    S: 4.0 * 2.0 / 3.0,
    M: 0.25,
    P: 16.0,
    V: 1.0,
    (*S, *P): 2.0 / 3.0,
    (*M, *V): 0.25,
}


def drawn(seed, p=40, v=12):
    generator = np.random.default_rng(seed)
    return toy(generator.normal(size=p), generator.normal(size=v))


def test_components_of_a_linear_toy_are_those_of_algebra_on_the_mean_of_many_samples():
    found = [components(drawn(seed), FACTORS) for seed in range(400)]
    for term in found[0]:
        each = np.array([one[term] for one in found])
        error = each.std(axis=0) / np.sqrt(len(each)) + 1e-9
        expected = TRUTH.get(term, 0.0) * np.array([1.0, 4.0])
        assert (abs(each.mean(axis=0) - expected) < 4.0 * error).all(), term


def test_a_term_that_is_not_there_has_no_component_at_all():
    found = components(drawn(1), FACTORS)
    for term in set(found) - set(TRUTH):
        assert_allclose(found[term], 0.0, atol=1e-11)


def test_noise_of_every_single_run_is_the_interaction_of_all():
    generator = np.random.default_rng(3)
    p, v = generator.normal(size=60), generator.normal(size=50)
    found = components(toy(p, v, 0.7 * generator.normal(size=(2, 3, 60, 50))), FACTORS)
    expected = 0.49 * np.array([1.0 / 6.0, 2.0 / 6.0, 1.0 / 6.0, 2.0 / 6.0])
    rest = [(*P, *V), (*S, *P, *V), (*M, *P, *V), (*M, *S, *P, *V)]
    assert_allclose([found[term][0] for term in rest], expected, rtol=0.1)


def test_all_components_add_up_to_the_variance_of_independent_members():
    generator = np.random.default_rng(8)
    p, v = generator.normal(size=400_000), generator.normal(size=400_000)
    m, s = generator.integers(0, 2, p.size), generator.integers(0, 3, p.size)
    h = 2.0 * s + m + 3.0 * p + 0.5 * v + s * p + m * v
    assert_allclose(sum(TRUTH.values()), h.var(), rtol=0.01)


@pytest.mark.parametrize(
    ("rows", "columns", "left"), [(1, 12, {S, M, V, (*M, *V)}), (40, 1, {S, M, P, (*S, *P)})]
)
def test_a_side_with_a_single_draw_has_no_part(rows, columns, left):
    found = components(drawn(2, rows, columns), FACTORS)
    for term, part in found.items():
        if term in left:
            assert part[0] > 0.0
        else:
            assert_allclose(part, 0.0, atol=1e-11)


def test_a_factor_with_a_single_level_has_no_part():
    found = components(drawn(2)[:, 1:2], FACTORS)
    assert not any("scenario" in term for term in found)


def test_resampling_spreads_as_the_estimates_of_new_samples_do():
    many = [components(drawn(seed, 48, 48), FACTORS) for seed in range(200)]
    once = [resampled(drawn(seed, 48, 48), FACTORS, 200, np.random.default_rng(seed)) for seed in range(10)]
    for term in (P, V, S, (*S, *P), (*M, *V)):
        spread = np.std([one[term][0] for one in many])
        guess = np.mean([np.std(one[term][:, 0]) for one in once])
        assert 0.7 < guess / spread < 1.3, term


def test_resampling_by_weights_is_resampling_of_rows_and_columns():
    values = drawn(4, 10, 6)
    generator = np.random.default_rng(9)
    counts = [generator.multinomial(n, np.full(n, 1 / n), size=3) for n in (10, 6)]
    found = resampled(values, FACTORS, 3, np.random.default_rng(9))
    plain = []
    for p, v in zip(*counts, strict=True):
        rows, columns = np.repeat(np.arange(10), p), np.repeat(np.arange(6), v)
        plain.append(components(values[:, :, rows][:, :, :, columns], FACTORS))
    for term, part in found.items():
        expected = np.array([one[term] for one in plain])
        centred = expected - expected.mean(axis=0) + components(values, FACTORS)[term]
        assert_allclose(part, centred, atol=1e-9)


def test_terms_are_gathered_without_loss():
    generator = np.random.default_rng(1)
    values = generator.normal(size=(2, 2, 2, 3, 6, 5, 1))
    terms = components(values, (*CHOICES, "scenario"))
    of = grouped(terms)
    assert tuple(of["source"]) == SOURCES
    assert_allclose(sum(of["source"].values()), sum(terms.values()), rtol=1e-12)
    assert_allclose(sum(of["choice"].values()), of["source"]["structure"], rtol=1e-12)
    assert_allclose(sum(of["pair"].values()), of["source"]["interactions"], rtol=1e-12)
    assert_array_equal(of["choice"]["strait"], terms[("strait",)])
    of_both = [terms[(choice, PARAMETERS)] for choice in CHOICES]
    of_both += [terms[(*two, PARAMETERS)] for two in combinations(CHOICES, 2)]
    assert_allclose(of["pair"]["parameters and structure"], sum(of_both) + terms[(*CHOICES, PARAMETERS)])


# ---- the model --------------------------------------------------------------------------------------------


def small(**changes):
    return {
        "name": "small",
        "period": {"start": 2026, "end": 2040},
        "climate": {"scenarios": ["ssp126", "ssp585"]},
        "uncertainty": {"seed": 11},
        "outcomes": {"report_years": [2030, 2040]},
        **changes,
    }


@pytest.fixture(scope="module")
def result():
    return cs.variance(small(), samples=24, streams=12)


def test_shares_of_every_year_add_up_to_one(result):
    assert_allclose(result.variance_share.sum("source"), 1.0, rtol=1e-12)
    structure = result.variance_share.sel(source="structure")
    assert_allclose(result.structure_share.sum("choice"), structure, atol=1e-12)
    interactions = result.variance_share.sel(source="interactions")
    assert_allclose(result.interaction_share.sum("pair"), interactions, atol=1e-12)


def test_estimates_lie_in_their_intervals(result):
    for name in ("variance_share", "structure_share", "interaction_share"):
        assert (result[f"{name}_low"] <= result[name] + 1e-9).mean() > 0.95
        assert (result[f"{name}_high"] >= result[name] - 1e-9).mean() > 0.95
    assert (result.level_sd_low < result.level_sd).all()
    assert (result.level_sd < result.level_sd_high).all()


def test_internal_variability_rules_at_first_and_parameters_gain_on_it(result):
    share = result.variance_share
    assert float(share.sel(source="internal_variability", year=2030)) > 0.5
    later, sooner = share.sel(source="parameters", year=2040), share.sel(source="parameters", year=2030)
    assert float(later) > float(sooner)
    assert float(share.sel(source="scenario", year=2040)) < 0.1


def test_level_of_a_structure_is_that_of_a_run_with_it(result):
    calm = {"seed": 11, "variability": False, "parameters": "central"}
    found = cs.variance(small(uncertainty=calm))
    for name, value in (("evaporation", "shallow"), ("area_convention", "constant"), ("strait", "natural")):
        section = "basin" if name == "strait" else "climate"
        changed = small(uncertainty={**calm, "members": 1}, solver={"steps_per_month": 1})
        changed[section] = {**changed.get(section, {}), name: value}
        level = cs.run(changed).sea_level.squeeze()
        others = {other: found[other].values[0] for other in CHOICES if other != name}
        there = found.level_mean.sel({**others, name: value})
        assert_allclose(there.transpose("scenario", "year"), level, rtol=0, atol=1e-9)


def test_members_share_their_draws_with_an_ensemble_of_the_same_configuration():
    central = {"seed": 11, "members": 12, "parameters": "central"}
    found = cs.variance(small(uncertainty=central), vary=(), streams=12)
    ensemble = cs.run(small(uncertainty=central, solver={"steps_per_month": 1})).sea_level.squeeze()
    assert_allclose(
        found.level_mean.squeeze().transpose("scenario", "year"), ensemble.mean("member"), rtol=0, atol=1e-9
    )
    # With the variability alone crossed with scenarios, the whole variance is that of all members.
    whole = ensemble.mean("member").var("scenario") + ensemble.var("member", ddof=1).mean("scenario")
    assert_allclose(found.level_sd**2, whole, rtol=0.05)


def test_without_a_source_its_share_is_zero():
    none = cs.variance(small(uncertainty={"seed": 11, "variability": False}), vary=(), samples=4)
    share = none.variance_share
    for source in ("internal_variability", "structure"):
        assert_array_equal(share.sel(source=source), 0.0)
    alone = small(climate={"scenarios": ["ssp245"]}, uncertainty={"parameters": "central"})
    one = cs.variance(alone, vary=["strait"], streams=4)
    assert_array_equal(one.variance_share.sel(source=["scenario", "parameters"]), 0.0)
    assert_array_equal(one.structure_share.sel(choice=["evaporation", "area_convention", "together"]), 0.0)
    assert float(one.structure_share.sel(choice="strait", year=2040)) > 0.0


def test_where_nothing_varies_there_is_nothing_to_share():
    calm = {"variability": False, "parameters": "central"}
    none = cs.variance(small(climate={"scenarios": ["ssp245"]}, uncertainty=calm), vary=())
    assert_array_equal(none.variance_share, 0.0)
    assert_array_equal(none.level_sd, 0.0)


def test_a_dammed_strait_is_a_decision_and_stays():
    ds = cs.variance(small(basin={"strait": "dammed"}), samples=4, streams=4)
    assert list(ds.strait.values) == ["dammed"]
    assert list(ds.evaporation.values) == ["linear", "shallow"]


def test_what_does_not_vary_stays_as_in_the_configuration():
    config = small(climate={"scenarios": ["ssp245"], "evaporation": "shallow"})
    ds = cs.variance(config, vary=["strait"], samples=4, streams=4)
    assert list(ds.evaporation.values) == ["shallow"]
    assert ds.attrs["runs"] == 2 * 4 * 4


def test_the_same_configuration_gives_the_same_split():
    short = small(period={"start": 2026, "end": 2028}, outcomes={})
    one, two = (cs.variance(short, samples=4, streams=4) for _ in range(2))
    for name in one.data_vars:
        assert_array_equal(one[name], two[name])


def test_too_few_draws_and_unknown_choices_are_refused():
    for samples, streams, of in ((3, 8, "the parameters"), (8, 1, "the internal variability")):
        with pytest.raises(OutOfRangeError) as error:
            cs.variance(small(), samples=samples, streams=streams)
        assert str(error.value) == (
            f"too few draws of {of}\n    found    {min(samples, streams)}\n    allowed  4 or more"
        )
    with pytest.raises(OutOfRangeError) as error:
        cs.variance(small(), vary=["weather"])
    assert str(error.value) == (
        "unknown structural choice\n    found    'weather'\n    allowed  evaporation, area_convention, strait"
    )


# ---- table, figure and command ----------------------------------------------------------------------------

TINY = """\
name: tiny
period: {start: 2026, end: 2052}
climate: {scenarios: [ssp126, ssp585]}
outcomes: {report_years: [2030, 2050]}
"""
FILES = {"variance.nc", "variance.csv", "run.log"}
FILES |= {f"figures/variance.{ending}" for ending in ("png", "svg", "csv")}


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a small configuration and its split, and what the command printed."""
    folder = tmp_path_factory.mktemp("project")
    config = folder / "tiny.yaml"
    config.write_text(TINY + f"output: {{directory: {(folder / 'out').as_posix()}}}\n", encoding="utf-8")
    return config, call("variance", config, "--samples", 4, "--streams", 4)


def test_the_command_writes_its_folder_beside_the_results_of_a_run(project):
    config, answer = project
    assert answer.exit_code == 0, answer.output
    folder = config.parent / "out" / "variance"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == FILES
    assert "Shares of the variance of the level, programme none" in answer.output
    assert "256 runs in " in answer.output
    tables = answer.output.split(str(folder))[0]
    assert max(map(len, tables.splitlines())) <= 80


def test_the_table_has_every_share_of_the_dataset(project):
    folder = project[0].parent / "out" / "variance"
    ds = cs.open(folder)
    table = pd.read_csv(folder / "variance.csv", comment="#")
    assert len(table) == 27 * (5 + 4 + 7)
    row = table[(table.year == 2050) & (table.part == "source") & (table.name == "structure")]
    now = ds.sel(year=2050, source="structure")
    for end in ("", "_low", "_high"):
        assert_allclose(row[f"share{end}"].item(), float(now[f"variance_share{end}"]), atol=0.51e-4)
    assert_allclose(row["level_sd_m"].item(), float(now.level_sd), atol=0.51e-4)
    text = (folder / "variance.csv").read_text(encoding="utf-8")
    assert "strait recut/natural, 4 draws of the parameters, 4 of the variability" in text


def test_a_saved_split_is_shown_again_and_not_overwritten(project):
    config, first = project
    folder = config.parent / "out" / "variance"
    assert call("show", folder).output.strip() in first.output
    refused = call("variance", config, "--samples", 4, "--streams", 4)
    assert refused.exit_code == 2
    assert "there are results already" in refused.output
    again = call(
        "variance", config, "--samples", 4, "--streams", 4, "--vary", "strait", "--overwrite", "--quiet"
    )
    assert (again.exit_code, again.output) == (0, "")
    assert cs.open(folder).sizes["area_convention"] == 1


def test_a_wrong_choice_leaves_no_folder(project, tmp_path):
    answer = call("variance", project[0], "--vary", "wind", "--output", tmp_path / "new")
    assert answer.exit_code == 2
    assert answer.output.startswith("unknown structural choice\n")
    assert not Path(tmp_path / "new").exists()


def texts(figure):
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


def test_the_figure_marks_2050_and_the_last_year_with_their_numbers(project):
    ds = cs.open(project[0].parent / "out" / "variance")
    words = texts(figures.variance(ds))
    for year in (2050, 2052):
        assert str(year) in words
        assert f"{float(ds.level_sd.sel(year=year)):.2f} m" in words
        share, low, high = (
            number(100 * float(ds[f"variance_share{end}"].sel(year=year, source="parameters")))
            for end in ("", "_low", "_high")
        )
        assert f"{year}: {share} % ({low} to {high})" in words
        assert f"{share} % ({low} to {high})" in texts(figures.variance(ds, width_cm=8.5))
    for name in ("internal variability", "parameters", "structure", "scenario", "interactions"):
        assert name in words


def test_the_table_of_the_figure_holds_what_is_drawn(result):
    table = figures.variance_table(result)
    assert len(table) == 15 * 5
    assert_allclose(table.groupby("year")["share"].sum(), 1.0, rtol=1e-12)
    row = table[(table.year == 2040) & (table.source == "scenario")]
    assert row["share"].item() == float(result.variance_share.sel(year=2040, source="scenario"))


def test_the_same_split_gives_the_same_picture(result):
    pictures = []
    for _ in range(2):
        buffer = io.BytesIO()
        figures.variance(result).savefig(buffer, format="svg", metadata={"Date": None})
        pictures.append(buffer.getvalue())
    assert pictures[0] == pictures[1]


def test_a_single_year_can_be_drawn():
    ds = cs.variance(small(period={"start": 2026, "end": 2026}, outcomes={}), samples=4, streams=4)
    assert "2026" in texts(figures.variance(ds))


def test_figure_of_another_dataset_is_refused(result):
    with pytest.raises(DataError) as error:
        figures.variance(result[["level_sd"]])
    assert str(error.value) == (
        "figure 'variance' cannot be drawn: variable 'variance_share' is missing\n"
        "    found    level_sd\n"
        "    needed   variance_share, variance_share_low, variance_share_high, level_sd, level_mean"
    )
