"""Scores against their definitions and closed forms, references that know nothing later, and the command."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.errors import DataError, OutOfRangeError
from caspian_sim.evaluate import skill
from caspian_sim.evaluate.verification import REFERENCES, score_forecasts
from caspian_sim.outputs.verification import origin_years, verification_csv, verification_scores
from caspian_sim.results import package_attributes

# ---- scores -------------------------------------------------------------------------------------


def crps_of_normal(mean, sd, observed):
    """Gneiting and Raftery (2007), equation 21."""
    z = (observed - mean) / sd
    return sd * (z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - 1.0 / np.sqrt(np.pi))


def crps_by_integration(ensemble, observed):
    """Definition: squared difference of the two distribution functions, integrated exactly between steps."""
    nodes = np.sort(np.append(ensemble, observed))
    middle = 0.5 * (nodes[:-1] + nodes[1:])
    share = (ensemble[:, None] <= middle).mean(axis=0)
    return (np.diff(nodes) * (share - (middle >= observed)) ** 2).sum()


@pytest.mark.parametrize("observed", [-30.0, -28.3, -27.9, -25.0])
def test_crps_is_the_integral_of_the_definition_made_fair(observed):
    ensemble = np.random.default_rng(3).normal(-28.0, 0.4, 17)
    members = len(ensemble)
    pairs = np.abs(ensemble[:, None] - ensemble).sum()
    # The step function of m members is narrower than what they were drawn from by this much in expectation.
    fair = crps_by_integration(ensemble, observed) - pairs / (2 * members**2 * (members - 1))
    assert_allclose(skill.crps(ensemble, observed), fair, rtol=1e-12)


@pytest.mark.parametrize("observed", [-28.0, -27.5, -29.4])
def test_crps_of_few_members_is_in_the_mean_that_of_their_normal_distribution(observed):
    draws = np.random.default_rng(4).normal(-28.0, 0.5, (200_000, 3))
    scores = skill.crps(draws, np.full(len(draws), observed))
    error = scores.std() / np.sqrt(len(draws))
    assert_allclose(scores.mean(), crps_of_normal(-28.0, 0.5, observed), rtol=0.0, atol=4.0 * error)


def test_crps_of_many_members_approaches_the_closed_form():
    ensemble = norm.ppf((np.arange(4000) + 0.5) / 4000, -28.0, 0.3)
    observed = np.array([-28.0, -28.5, -27.0])
    scores = skill.crps(np.tile(ensemble, (3, 1)), observed)
    assert_allclose(scores, crps_of_normal(-28.0, 0.3, observed), rtol=0.0, atol=1e-4)


def test_crps_of_a_single_member_is_the_absolute_error_and_a_missing_observation_has_none():
    assert_allclose(skill.crps([[-28.0], [-27.0]], [-28.5, -27.0]), [0.5, 0.0])
    assert np.isnan(skill.crps([-28.0, -27.0], np.nan))


def test_skill_is_one_for_a_perfect_forecast_and_zero_for_the_reference():
    reference = np.array([0.1, 0.4, 0.2])
    assert skill.skill(np.zeros(3), reference) == 1.0
    assert skill.skill(reference, reference) == 0.0
    assert_allclose(skill.skill(0.5 * reference, reference), 0.5)


def test_pit_is_the_rank_of_the_observation():
    ensemble = np.array([1.0, 2.0, 3.0])
    assert_allclose(skill.pit(ensemble, 0.0), 0.5 / 4)
    assert_allclose(skill.pit(ensemble, 2.5), 2.5 / 4)
    assert_allclose(skill.pit(ensemble, 2.0), 2.0 / 4)  # a member that equals it counts one half
    assert np.isnan(skill.pit(ensemble, np.nan))


def test_central_band_holds_its_share_of_a_normal_distribution():
    low, high = skill.central_band(np.random.default_rng(1).normal(size=200_000), 0.9)
    assert_allclose([low, high], norm.ppf([0.05, 0.95]), atol=0.02)


# ---- references ---------------------------------------------------------------------------------

YEARS = np.arange(1921, 2026)


def test_trend_continues_a_straight_line_exactly():
    level = -28.0 + 0.05 * (YEARS - 1921)
    assert_allclose(skill.trend_forecast(YEARS, level, 1980, [1, 20]), level[[60, 79]])
    assert_allclose(skill.past_errors(YEARS, level, "trend", 1980, 5), 0.0, atol=1e-12)
    assert_allclose(skill.past_errors(YEARS, level, "persistence", 1980, 5), 0.25)


def test_trend_has_the_least_squares_slope_of_the_last_ten_levels_through_the_last():
    level = np.random.default_rng(2).normal(size=len(YEARS)).cumsum()
    slope = np.polynomial.Polynomial.fit(YEARS[50:60], level[50:60], 1).convert().coef[1]
    assert_allclose(skill.trend_forecast(YEARS, level, 1980, 7), level[59] + 7 * slope)


@pytest.mark.parametrize("reference", ["persistence", "trend"])
@pytest.mark.parametrize("lead", [1, 10, 20])
def test_references_know_nothing_later_than_their_origin(reference, lead):
    level = np.random.default_rng(6).normal(size=len(YEARS)).cumsum()
    changed = np.where(YEARS > 1980, 1e6, level)
    forecast = skill.REFERENCES[reference][0]
    assert_array_equal(forecast(YEARS, level, 1980, lead), forecast(YEARS, changed, 1980, lead))
    errors = skill.past_errors(YEARS, level, reference, 1980, lead)
    assert_array_equal(errors, skill.past_errors(YEARS, changed, reference, 1980, lead))
    # The last outcome that is known is that of 1980 itself.
    last = level[59] - float(forecast(YEARS, level, 1980 - lead, lead))
    assert errors[-1] == last
    needed = skill.REFERENCES[reference][1]
    assert len(errors) == 1980 - lead - (1921 + needed - 1) + 1


def test_scores_of_the_references_do_not_change_with_what_came_after_the_last_outcome():
    forecasts = random_walk(range(1966, 1986), leads=5, members=10)
    early = score_forecasts(forecasts.isel(origin=slice(0, 10)))
    whole = score_forecasts(forecasts)
    assert_allclose(whole["reference_crps"].isel(origin=slice(0, 10)), early["reference_crps"])
    year, level = forecasts["year"].values, forecasts["record"].values
    errors = skill.past_errors(year, level, "trend", 1970, 5)
    single = float(skill.trend_forecast(year, level, 1970, 5))
    expected = skill.crps(single + errors, forecasts["observed"].sel(origin=1970, lead=5))
    found = whole["reference_crps"].sel(reference="trend with errors", origin=1970, lead=5)
    assert_allclose(found, expected)


def test_overlapping_forecasts_count_as_the_periods_that_they_span():
    assert skill.windows(np.arange(1966, 2006), 20) == 59 / 20
    assert skill.windows(np.arange(1966, 2016), 1) == 50
    assert skill.windows(np.array([1960, 1980, 2000]), 20) == 3


def test_moving_blocks_are_successive_and_reach_every_case():
    rows = skill.moving_blocks(50, 7, 400, np.random.default_rng(5))
    assert rows.shape == (400, 50)
    # Every case as often as any other, the first and the last too.
    assert_allclose(np.bincount(rows.ravel()), 400, rtol=0.25)
    steps = np.diff(rows, axis=1) % 50
    inside = np.arange(1, 50) % 7 != 0
    assert (steps[:, inside] == 1).all()


def test_moving_blocks_give_the_error_of_a_mean_of_independent_and_of_overlapping_sums():
    generator = np.random.default_rng(7)
    noise = generator.normal(size=4000)
    rows = skill.moving_blocks(4000, 1, 500, generator)
    assert_allclose(noise[rows].mean(axis=1).std(), 1 / np.sqrt(4000), rtol=0.15)
    # Sums over ten successive values: the mean over n of them errs ten times as much as one value.
    sums = np.convolve(noise, np.ones(10), "valid")
    blocks = skill.moving_blocks(len(sums), 40, 500, generator)
    assert_allclose(sums[blocks].mean(axis=1).std(), 10 / np.sqrt(4000), rtol=0.2)


# ---- a set of forecasts -------------------------------------------------------------------------


def random_walk(origins=range(1966, 2016), leads=20, members=200, spread=1.0, seed=1):
    """Forecasts of a random walk that know its step, 0.2 m a year, up to a factor of its spread."""
    generator = np.random.default_rng(seed)
    year = np.arange(1921, origins[-1] + leads + 1)
    level = -28.0 + 0.2 * generator.normal(size=len(year)).cumsum()
    record = xr.DataArray(level, {"year": year}, ("year",))
    lead, origin = np.arange(1, leads + 1), np.array(origins)
    steps = 0.2 * spread * generator.normal(size=(len(origin), leads, members))
    last = level[origin - 1921]
    return xr.Dataset(
        {
            "forecast": (("origin", "lead", "member"), last[:, None, None] + steps.cumsum(axis=1)),
            "observed": (("origin", "lead"), level[origin[:, None] + lead - 1921]),
            "last_level": ("origin", last),
            "record": record,
        },
        coords={"origin": origin, "lead": lead},
        attrs={"title": "Random walk", "version": "0.0", "git_revision": "none", "created": "now"},
    )


@pytest.fixture(scope="module")
def walk():
    return score_forecasts(random_walk(range(1960, 2360), leads=5))


def test_forecasts_that_know_the_process_are_calibrated_and_as_good_as_can_be(walk):
    effective = walk["effective_origins"].values
    for band in (0.5, 0.9):
        error = 4 * np.sqrt(band * (1 - band) / effective)
        assert (np.abs(walk["coverage"].sel(band=band) - band) < error).all()
    # Errors of a calibrated normal forecast are sqrt(2) times its CRPS, on average.
    sd = 0.2 * np.sqrt(walk["lead"].values)
    assert_allclose(walk["mae"] / walk["mean_crps"], np.sqrt(2), rtol=0.05)
    assert_allclose(walk["skill"].sel(reference="persistence"), 1 - 1 / np.sqrt(2), atol=0.03)
    # Past errors of persistence are a sample of the same distribution.
    assert_allclose(walk["skill"].sel(reference="persistence with errors"), 0.0, atol=0.04)
    assert (np.abs(walk["bias"]) < 4 * sd / np.sqrt(effective)).all()
    width = 2 * norm.ppf(0.95) * sd
    assert_allclose(walk["width"].sel(band=0.9), width, rtol=0.05)
    assert (walk["pit_count"].sum("pit_bin") == walk["origins"]).all()
    assert_allclose(walk["pit_count"].sel(lead=1) / 400, 0.1, atol=4 * np.sqrt(0.09 / 400))


def test_crps_of_calibrated_normal_forecasts_is_their_spread_over_the_root_of_pi():
    ratio = []
    for seed in range(30):
        forecasts = random_walk(range(1960, 2360), leads=5, members=50, seed=seed)
        ensemble, observed = forecasts["forecast"].values, forecasts["observed"].values
        sd = 0.2 * np.sqrt(forecasts["lead"].values)
        ratio.append(skill.crps(ensemble, observed).mean(axis=0) * np.sqrt(np.pi) / sd)
    error = np.std(ratio, axis=0) / np.sqrt(len(ratio))
    assert_allclose((np.mean(ratio, axis=0) - 1) / error, 0.0, atol=3.5)


def test_forecasts_that_are_too_sure_of_themselves_are_found_out():
    scores = score_forecasts(random_walk(range(1960, 2160), leads=2, spread=0.5))
    expected = 2 * norm.cdf(0.5 * norm.ppf(0.95)) - 1
    assert_allclose(scores["coverage"].sel(band=0.9), expected, atol=0.12)
    counts = scores["pit_count"].sel(lead=1).values
    assert counts[[0, -1]].min() > 2 * counts[4:6].max()


def test_bias_is_forecast_less_observed():
    forecasts = random_walk(leads=2)
    shifted = forecasts.assign(forecast=forecasts["forecast"] + 1.0)
    gap = score_forecasts(shifted)["bias"] - score_forecasts(forecasts)["bias"]
    assert_allclose(gap, 1.0)


def test_intervals_hold_the_score_and_are_left_out_where_there_are_too_few_blocks():
    scores = score_forecasts(random_walk(range(1990, 2010)))
    for name in ("skill", "coverage"):
        known = scores[f"{name}_low"].notnull()
        assert_array_equal(known.any(set(known.dims) - {"lead"}), scores["lead"] <= 10)
        near = scores.sel(lead=slice(1, 5))
        assert (near[f"{name}_low"] <= near[name]).all()
        assert (near[f"{name}_high"] >= near[name]).all()


def test_years_that_are_not_observed_yet_do_not_count():
    forecasts = random_walk(range(2000, 2020), leads=10)
    late = forecasts["origin"] + forecasts["lead"] > 2022
    known = forecasts.assign(observed=forecasts["observed"].where(~late))
    scores = score_forecasts(known)
    assert_array_equal(scores["origins"], 23 - np.maximum(scores["lead"], 3))
    first = score_forecasts(forecasts.isel(origin=slice(0, 13)))
    assert_allclose(scores["skill"].sel(lead=10), first["skill"].sel(lead=10))
    assert_allclose(scores["coverage"].sel(lead=10), first["coverage"].sel(lead=10))


def test_decades_together_give_the_mean_of_all_origins():
    scores = score_forecasts(random_walk(leads=3))
    counts = scores["decade_origins"]
    for part, whole in (
        ("decade_crps", "mean_crps"),
        ("decade_bias", "bias"),
        ("decade_coverage", "coverage"),
    ):
        mean = (scores[part] * counts).sum("decade") / counts.sum("decade")
        assert_allclose(mean.transpose(*scores[whole].dims), scores[whole])
    assert counts.sel(lead=1).values.tolist() == [4, 10, 10, 10, 10, 6]
    sixties = scores.sel(origin=slice(1966, 1969))
    expected = 1 - sixties["crps"].mean("origin") / sixties["reference_crps"].mean("origin")
    found = scores["decade_skill"].sel(decade=1960).transpose(*expected.dims)
    assert_allclose(found, expected)


def test_scores_do_not_depend_on_the_order_of_dimensions_and_come_out_the_same_again():
    forecasts = random_walk(leads=5, members=20)
    one = score_forecasts(forecasts)
    xr.testing.assert_identical(one, score_forecasts(forecasts.transpose("member", "lead", "origin", ...)))


def test_forecasts_without_a_variable_are_refused():
    with pytest.raises(DataError) as error:
        score_forecasts(random_walk(leads=1)[["forecast", "last_level"]])
    assert str(error.value) == (
        "forecasts cannot be scored: variable 'observed' is missing\n"
        "    found    forecast, last_level\n"
        "    needed   forecast, observed, last_level"
    )


def test_an_origin_before_the_record_allows_it_is_refused():
    with pytest.raises(DataError) as error:
        score_forecasts(random_walk(range(1945, 1970)))
    assert str(error.value) == (
        "the reference forecasts of origin 1945 cannot be made from the record\n"
        "    found    1945\n"
        "    allowed  1951 to 1989"
    )


def test_a_last_level_that_is_not_that_of_the_record_is_refused():
    forecasts = random_walk(range(1990, 1993), leads=1)
    forecasts["last_level"][1] = -25.0
    forecasts["record"] = xr.full_like(forecasts["record"], -28.0).where(
        forecasts["record"]["year"] != 1990, forecasts["last_level"][0]
    )
    with pytest.raises(DataError) as error:
        score_forecasts(forecasts)
    assert str(error.value) == (
        "the last level of origin 1991 is not that of the record\n"
        "    found    -25 m BHS\n"
        "    record   -28 m BHS"
    )


# ---- tables, figures and command ----------------------------------------------------------------


@pytest.mark.parametrize("text", ["2015", "1966-2015", "2015:1966", "1900:2000", "1966:2030", "a:b"])
def test_wrong_origins_are_refused(text):
    with pytest.raises(OutOfRangeError) as error:
        origin_years(text)
    assert str(error.value) == (
        "the origins are no span of years with a record before and after them\n"
        f"    found    {text}\n"
        "    allowed  FIRST:LAST within 1966:2024\n"
        "    hint     1966:2015"
    )


def test_tables_hold_every_score_and_are_read_back():
    scores = score_forecasts(random_walk(leads=5))
    table = verification_scores(scores, "scores").set_index("lead_years")
    assert_allclose(table["crps_m"], scores["mean_crps"], atol=5.1e-4)
    assert_allclose(table["coverage_90_low"], scores["coverage_low"].sel(band=0.9), atol=5.1e-4)
    for reference in REFERENCES:
        column = table[f"skill_{reference.replace(' ', '_')}_high"]
        assert_allclose(column, scores["skill_high"].sel(reference=reference), atol=5.1e-4)
    assert_array_equal(table[[f"pit_{place}" for place in range(1, 11)]].sum(axis=1), table["origins"])
    decades = verification_scores(scores, "decades").set_index(["decade", "lead_years"])
    found = decades.loc[(1970, 3), "skill_trend"]
    assert_allclose(found, scores["decade_skill"].sel(decade=1970, lead=3, reference="trend"), atol=5.1e-4)
    for name in ("scores", "decades"):
        read = pd.read_csv(io.StringIO(verification_csv(scores, name)), comment="#")
        pd.testing.assert_frame_equal(read, verification_scores(scores, name), check_dtype=False)


def texts(figure):
    return list(dict.fromkeys(artist.get_text() for artist in figure.findobj(Text) if artist.get_text()))


@pytest.mark.parametrize("width", [16.0, 8.5])
def test_figures_show_the_numbers_of_their_tables(width):
    forecasts = random_walk()
    figure = figures.forecasts(forecasts, width_cm=width)
    table = figures.forecasts_table(forecasts)
    assert [ax.get_title(loc="left") for ax in figure.axes if ax.lines] == [
        f"issued after {year}" for year in (1966, 1977, 1985, 1995, 2005, 2015)
    ]
    medians = [line.get_ydata()[1:] for ax in figure.axes for line in ax.lines if len(line.get_ydata()) == 21]
    drawn = table[table["origin"] == 1985]["level_p50_m_bhs"].to_numpy()
    assert any(np.array_equal(values, drawn) for values in medians)
    assert {"90 %", "50 %", "median"} <= set(texts(figure))

    scores = score_forecasts(forecasts)
    figure = figures.verification(scores, width_cm=width)
    table = figures.verification_table(scores)
    for column in ("skill_persistence", "skill_trend_with_errors"):
        assert any(np.array_equal(line.get_ydata(), table[column]) for line in figure.axes[0].lines) or any(
            np.array_equal(line.get_ydata(), table[column]) for line in figure.axes[1].lines
        )
    heights = [patch.get_height() for ax in figure.axes[-4:] for patch in ax.patches]
    counts = scores["pit_count"].sel(lead=[1, 5, 10, 20]).transpose("lead", "pit_bin").values
    assert_allclose(heights, (100 * counts / 50).ravel())
    assert "20 yr: 50 (3)" in " ".join(texts(figure))


def test_other_origins_are_drawn_when_the_usual_ones_are_not_there():
    table = figures.forecasts_table(random_walk(range(1990, 1995), leads=2))
    assert table["origin"].unique().tolist() == [1990, 1991, 1992, 1993, 1994]


def test_a_dataset_without_scores_cannot_be_drawn():
    with pytest.raises(DataError, match="figure 'verification' cannot be drawn: variable 'skill' is missing"):
        figures.verification(random_walk(leads=1))
    with pytest.raises(DataError, match="figure 'forecasts' cannot be drawn: variable 'record' is missing"):
        figures.forecasts(random_walk(leads=1).drop_vars("record"))


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def issued(origins, *, members, seed, progress):
    """Forecasts in place of those of the model, which take minutes: the last level, and steps of chance."""
    level = cs.data.load("sea_level_annual")["level"].astype(float)
    lead = np.arange(1, 21)
    steps = 0.15 * np.random.default_rng(seed).normal(size=(len(origins), 20, members)).cumsum(axis=1)
    last = level.sel(year=list(origins)).values
    seen = level.reindex(year=np.arange(1921, 2060))
    progress(1, 1)
    return xr.Dataset(
        {
            "forecast": (("origin", "lead", "member"), last[:, None, None] + steps),
            "observed": (("origin", "lead"), [seen.sel(year=origin + lead).values for origin in origins]),
            "last_level": ("origin", last),
        },
        coords={"origin": list(origins), "lead": lead},
        attrs=package_attributes("Forecasts", "forecasts", {}),
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verification") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("caspian_sim.outputs.verification.issue_forecasts", issued)
        return folder, call("verify", "--origins", "1990:2000", "--members", 20, "--output", folder)


def test_verify_writes_its_folder_and_prints_its_scores(written):
    folder, answer = written
    assert answer.exit_code == 0, answer.output
    drawn = {
        f"figures/{name}.{end}" for name in ("forecasts", "verification") for end in ("png", "svg", "csv")
    }
    made = {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}
    assert made == {"forecasts.nc", "scores.csv", "decades.csv", "run.log", *drawn}
    assert "Forecasts from the origins 1990 to 2000, against what came" in answer.output
    tables = answer.output.split(str(folder))[0]
    assert max(map(len, tables.splitlines())) <= 80
    assert call("show", folder).output.strip() in answer.output
    assert call("verify", "--origins", "1990:2000", "--output", folder).exit_code == 2


def test_saved_forecasts_give_the_same_scores_again(written):
    folder, _ = written
    forecasts = cs.open(folder)
    table = pd.read_csv(folder / "scores.csv", comment="#").set_index("lead_years")
    pd.testing.assert_frame_equal(
        table.reset_index(), verification_scores(score_forecasts(forecasts), "scores"), check_dtype=False
    )
    # By hand, at 5 years, from nothing but the file.
    x, y = forecasts["forecast"].sel(lead=5).values, forecasts["observed"].sel(lead=5).values
    pairs = np.abs(x[:, :, None] - x[:, None, :]).sum(axis=(1, 2)) / (2 * 20 * 19)
    score = (np.abs(x - y[:, None]).mean(axis=1) - pairs).mean()
    reference = np.abs(forecasts["last_level"].values - y).mean()
    assert_allclose(table["skill_persistence"][5], 1 - score / reference, atol=5.1e-4)
    inside = (np.quantile(x, 0.05, axis=1) <= y) & (y <= np.quantile(x, 0.95, axis=1))
    assert_allclose(table["coverage_90"][5], inside.mean(), atol=5.1e-4)


def test_verify_refuses_wrong_origins_and_members_without_a_folder(tmp_path):
    folder = tmp_path / "new"
    answer = call("verify", "--origins", "1900:2000", "--output", folder)
    assert answer.exit_code == 2
    assert answer.output.startswith("the origins are no span of years")
    assert call("verify", "--members", 1, "--output", folder).exit_code == 2
    assert not folder.exists()


def test_verify_keeps_the_record_that_the_references_are_made_from(written):
    forecasts = cs.open(written[0])
    level = cs.data.load("sea_level_annual")["level"]
    assert_array_equal(forecasts["year"], level["year"])
    assert_array_equal(forecasts["record"], level)
    assert np.isnan(forecasts["observed"].sel(origin=2000)).sum() == 0
