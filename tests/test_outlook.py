"""The outlook by month, the reconstruction by year, and what the commands write of them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim import cli, figures
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.basin.rivers import MONTHS, month_fractions
from caspian_sim.errors import ConfigError, DataError
from caspian_sim.evaluate.closure import close_balance
from caspian_sim.evaluate.monthly import season_spread, weighted_quantiles
from caspian_sim.evaluate.outlook_check import past_outlooks, score_outlooks
from caspian_sim.evaluate.reconstruct import smooth_record
from caspian_sim.record.annual import (
    INFLOW,
    INFLOW_SLOW,
    SLOW,
    VOLUME,
    WEATHER,
    baseline_reference,
    filter_record,
    seasonal_loss,
)
from caspian_sim.record.observations import GAUGES_AGAINST_MONTHS, shipped_observations
from caspian_sim.record.posterior import shipped_posterior
from caspian_sim.record.start import outflow_of_record
from caspian_sim.results import save

matplotlib.use("Agg")

MEMBERS = 600
APRIL = "2026-04-15"
SCORE_90 = 2 * 1.6448536


def table(folder, text, name="new.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def months_of(year, levels):
    return "".join(f"{year},{month},{level:.3f}\n" for month, level in enumerate(levels, start=1))


@pytest.fixture(scope="module")
def record():
    return shipped_observations()


@pytest.fixture(scope="module")
def ahead():
    return cs.outlook(members=MEMBERS)


@pytest.fixture(scope="module")
def past():
    return cs.reconstruct(rows=100)


def width(ds, place, low=0.05, high=0.95):
    level = ds["level"].isel(time=place)
    return float(level.sel(quantile=high) - level.sel(quantile=low))


# ---- outlook ----------------------------------------------------------------------------------------


def test_the_outlook_has_the_twelve_months_after_the_last_year(ahead):
    assert ahead["level"].dims == ("quantile", "time")
    assert_array_equal(
        ahead["time"].values.astype("datetime64[M]"), np.arange("2026-01", "2027-01", dtype="M8[M]")
    )
    assert ahead["year"].values.tolist() == [2026]
    assert (ahead.attrs["last_level_year"], ahead.attrs["months_seen"]) == (2025, 0)
    assert ahead.attrs["effective_members"] == MEMBERS
    assert ahead["recent_annual_level"].values.tolist() == [-28.86, -29.05, -29.22]


def test_quantiles_are_in_order_and_the_range_opens(ahead):
    assert (np.diff(ahead["level"].values, axis=0) > 0).all()
    assert (np.diff(ahead["annual_level"].values, axis=0) > 0).all()
    assert width(ahead, 11) > 1.5 * width(ahead, 0)
    # A month cannot be known better than its own departure from the mean season.
    for place, spread in enumerate(season_spread()):
        assert width(ahead, place) > 0.9 * SCORE_90 * spread


def test_the_annual_mean_is_that_of_the_months(ahead):
    share = month_fractions(np.array([2026]))[0]
    mean = float(ahead["level"].sel(quantile=0.5).values @ share)
    # Medians do not add up exactly; 600 members place each to some millimetres.
    assert_allclose(float(ahead["annual_level"].sel(quantile=0.5, year=2026)), mean, atol=0.02)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(ahead):
    again, other = cs.outlook(members=MEMBERS), cs.outlook(members=MEMBERS, seed=1)
    assert again.equals(ahead)
    assert not np.allclose(other["level"], ahead["level"], atol=1e-6)
    assert_allclose(other["level"].sel(quantile=0.5), ahead["level"].sel(quantile=0.5), atol=0.04)


def test_months_that_have_been_seen_centre_the_outlook_and_narrow_it(tmp_path, ahead):
    first = ahead["level"].sel(quantile=0.75).values[:3]
    ds = cs.outlook(table(tmp_path, "year,month,level_m\n" + months_of(2026, first)), members=MEMBERS)
    assert ds.attrs["months_seen"] == 3
    assert_array_equal(
        ds["time"].values.astype("datetime64[M]")[[0, -1]], np.array(["2026-04", "2027-03"], dtype="M8")
    )
    assert_allclose(ds["recent_level"].values[-3:], np.round(first, 3))
    before, now = (float(each["level"].sel(quantile=0.5, time=APRIL)) for each in (ahead, ds))
    # Seen at the 75 % point, the next month is expected above the old median, but not by all of the distance.
    assert 0.0 < now - before < float(ahead["level"].sel(quantile=0.75, time=APRIL)) - before + 0.01
    for month in (APRIL, "2026-08-15", "2026-12-15"):
        old, new = (
            np.ptp(each["level"].sel(quantile=[0.05, 0.95], time=month).values) for each in (ahead, ds)
        )
        assert new < old
    old, new = (
        np.ptp(each["annual_level"].sel(quantile=[0.05, 0.95], year=2026).values) for each in (ahead, ds)
    )
    assert new < 0.8 * old


def test_months_of_the_last_year_place_its_end(tmp_path, record):
    season = np.array([-17, -12, -7, 1, 13, 21, 20, 15, 2, -8, -13, -16]) / 100.0
    steps = np.arange(MONTHS) - 5.5
    runs = {}
    for name, slope in (("steady", 0.0), ("falling", -0.03)):
        levels = -29.22 + season - season.mean() + slope * steps
        runs[name] = cs.outlook(
            table(tmp_path, "year,month,level_m\n" + months_of(2025, levels)), members=MEMBERS
        )
    fall = float(runs["falling"]["state_level"] - runs["steady"]["state_level"])
    # On 1 December the two are five months of the slope apart.
    assert -0.19 < fall < -0.10
    assert float(runs["falling"]["state_level_sd"]) < 0.6 * float(cs.outlook(members=2)["state_level_sd"])


def test_months_are_forecast_where_months_are_observed(tmp_path, ahead):
    # Months that stand 6 cm above the gauges all through 2025 do so in 2026 too.
    season = np.array([-17, -12, -7, 1, 13, 21, 20, 15, 2, -8, -13, -16]) / 100.0
    runs = []
    for shift in (0.0, 0.06):
        levels = -29.22 + season - season.mean() + shift
        runs.append(
            cs.outlook(table(tmp_path, "year,month,level_m\n" + months_of(2025, levels)), members=MEMBERS)
        )
    mean = (runs[0]["level"] - runs[1]["level"]).sel(quantile=0.5)
    assert_allclose(mean, -0.06, atol=0.002)
    assert_allclose(runs[0]["annual_level"], runs[1]["annual_level"], atol=0.002)
    assert GAUGES_AGAINST_MONTHS < 0.06


def test_a_gap_in_the_months_is_refused(tmp_path):
    path = table(tmp_path, "year,month,level_m\n2026,1,-29.45\n2026,3,-29.4\n")
    with pytest.raises(DataError) as raised:
        cs.outlook(path, members=2)
    assert str(raised.value) == (
        "a month is missing among those observed since the last annual level\n"
        "    found    no level of 2026-02, but one later\n"
        "    allowed  months without a gap, or the annual mean of the year"
    )


def test_an_absurd_level_is_taken_and_named(tmp_path):
    ds = cs.outlook(table(tmp_path, "year,level_m\n2026,-30.3\n"), members=50)
    assert ds["observed_year"].values.tolist() == [2026]
    expected, sd = float(ds["expected_level"][0]), float(ds["expected_level_sd"][0])
    assert ds.attrs["notes"].splitlines()[-1] == (
        f"level of 2026: -30.30 m BHS lies {(expected + 30.3) / sd:.1f} standard deviations below what the "
        f"record before it lets expect, {expected:.2f} ± {sd:.2f} m"
    )
    assert ds.attrs["added"] == "level of 2026: -30.3 m BHS"
    assert ds["time"].values[0].astype("datetime64[M]") == np.datetime64("2027-01")


def test_an_absurd_month_is_named_and_so_are_few_members(tmp_path):
    ds = cs.outlook(table(tmp_path, "year,month,level_m\n2026,1,-28.9\n"), members=200)
    month, few = ds.attrs["notes"].splitlines()[-2:]
    assert month.startswith("level of 2026-01: -28.90 m BHS lies ")
    assert month.endswith(" standard deviations above what the years before it let expect")
    assert few.startswith("the months seen so far agree with few members, ")
    assert few.endswith(" of 200: the outer quantiles are rough")


def test_a_usual_level_is_no_surprise(tmp_path):
    ds = cs.outlook(table(tmp_path, "year,level_m\n2026,-29.36\n"), members=2)
    assert "standard deviations" not in ds.attrs["notes"]
    assert abs(float(ds["observed_level"][0] - ds["expected_level"][0])) < float(ds["expected_level_sd"][0])


def test_an_old_correction_does_not_make_all_years_since_new(tmp_path):
    ds = cs.outlook(table(tmp_path, "year,level_m,replaces\n1960,-28.3,yes\n"), members=2)
    assert ds["observed_year"].values.tolist() == [1960]


def test_the_outlook_names_its_table_and_its_checksum(tmp_path, ahead):
    ds = cs.outlook(table(tmp_path, "year,level_m\n2026,-29.36\n"), members=2)
    assert ds.attrs["observations"] == str(tmp_path / "new.csv")
    assert "observations" in json.loads(ds.attrs["input_sha256"])
    assert "observations" not in json.loads(ahead.attrs["input_sha256"])


def test_an_outlook_from_years_that_the_parameters_know_is_refused(record):
    with pytest.raises(ConfigError) as raised:
        cs.outlook(record.until(2010), members=2)
    assert str(raised.value).startswith("a projection cannot start in 2011\n")


def test_weighted_quantiles_are_those_of_members_that_stand_as_often_as_they_weigh():
    values = np.random.default_rng(5).normal(size=(3, 400))
    often = np.random.default_rng(6).integers(1, 6, size=400)
    found = weighted_quantiles(values, often / often.sum(), (0.05, 0.5, 0.95))
    assert_allclose(
        found, np.quantile(np.repeat(values, often, axis=1), (0.05, 0.5, 0.95), axis=1), atol=0.03
    )
    even = weighted_quantiles(np.array([[3.0, 1.0, 2.0]]), np.full(3, 1 / 3), (0.0, 0.5, 1.0))
    assert_allclose(even[:, 0], [1.0, 2.0, 3.0])


# ---- the outlook on past years ----------------------------------------------------------------------


def test_a_past_outlook_does_not_know_its_future(record):
    months = record.monthly_level + np.where(record.month >= MONTHS * 2011, 5.0, 0.0)
    level = np.where(record.year > 2010, record.level + 5.0, record.level)
    later = replace(record, level=level, monthly_level=months)
    known, changed = (past_outlooks([2010], members=20, observed=each) for each in (record, later))
    assert_array_equal(known["forecast"], changed["forecast"])
    assert_array_equal(known["persistence"], changed["persistence"])
    assert_array_equal(known["past_error"], changed["past_error"])
    assert_allclose(changed["observed"], known["observed"] + 5.0)


@pytest.mark.slow
def test_past_outlooks_cover_what_came():
    scores = score_outlooks(past_outlooks(members=500))
    half, most = scores["coverage"].mean("lead").values
    assert 0.40 < half < 0.62
    assert 0.80 < most < 0.98
    assert (scores["coverage"].sel(band=0.9) > 0.7).all()
    assert float(scores["skill"].sel(reference="persistence").mean()) > 0.15
    assert abs(scores["bias"]).max() < 0.03


# ---- reconstruction ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    posterior = shipped_posterior()
    return {name: values[:: posterior.rows // 8] for name, values in posterior.parameters.items()}


def test_the_balance_of_every_year_closes_in_each_parameter_set(record, few):
    found = smooth_record(few, record)
    level = np.where(np.isnan(record.level), -28.0, record.level)
    area = few["area_factor"] * np.asarray(load_hypsometry().area(level))[:, None] * 1e-6
    change = np.diff(found.mean["volume"], axis=0)
    season = few["area_factor"] * np.array([seasonal_loss(stand) for stand in level])[:, None]
    gained = found.mean["inflow"] + few["groundwater"] - found.outflow - area * found.mean["net_evaporation"]
    gained = gained - season
    assert_allclose(change, gained[1:], atol=1e-6)


def test_the_balance_of_the_means_closes_to_two_millimetres(past, record):
    level = past["end_level"].values
    area = np.asarray(load_hypsometry().area(past["observed_level"].values))
    # Factor and groundwater differ between the rows, and so their means do not close the balance exactly.
    groundwater = float(shipped_posterior().parameters["groundwater"].mean())
    factor = float(shipped_posterior().parameters["area_factor"].mean())
    season = factor * np.array([seasonal_loss(stand) for stand in past["observed_level"].values])
    gained = past["inflow"].values + groundwater - past["strait_outflow"].values - season
    depth = 1e6 * gained / (factor * area) - past["net_evaporation"].values
    middle = np.asarray(load_hypsometry().volume(level))
    rise = 1e6 * np.diff(middle) / area[1:]
    assert_allclose(depth[1:], rise, atol=2.0)


def test_the_raw_closure_lies_where_the_bands_let_expect(past):
    raw = close_balance()
    now = past.sel(year=raw.year)
    distance = np.abs(raw.net_evaporation - now["net_evaporation"].values)
    sd = now["net_evaporation_sd"].values
    assert (distance < 3.0 * sd).mean() > 0.85
    # The raw series takes the ends of the years from two annual means each, with an error of 4 cm.
    ends = 1000.0 * 0.039 * np.sqrt(2.0)
    assert (distance < 3.0 * np.hypot(sd, ends)).mean() > 0.98
    assert (distance < 2.0 * np.hypot(sd, ends)).mean() > 0.88
    # What lasts is the same in both.
    decades = {
        name: pd.Series(values, raw.year).groupby(raw.year // 10).mean()
        for name, values in (("raw", raw.net_evaporation), ("now", now["net_evaporation"].values))
    }
    assert np.corrcoef(decades["raw"], decades["now"])[0, 1] > 0.9
    assert_allclose(decades["raw"], decades["now"], atol=20.0)


def test_inflow_that_is_not_observed_has_an_inflow_with_a_wider_band(past):
    source = past["inflow_source"].values
    sd = {kind: past["inflow_sd"].values[source == kind].mean() for kind in ("total", "volga", "none")}
    assert sd["total"] < sd["volga"] < sd["none"]
    assert (
        past["net_evaporation_sd"].sel(year=[2024, 2025]) > past["net_evaporation_sd"].sel(year=2022)
    ).all()
    assert source[past["year"].values < 1936].tolist() == ["none"] * 14
    assert np.isfinite(past["inflow"]).all()
    observed = np.isfinite(past["observed_inflow"].values)
    error = (past["inflow"] - past["observed_inflow"]).values[observed]
    assert np.abs(error).max() < 3 * 0.03 * 400


def test_the_periods_of_the_record_differ_as_they_did(past):
    means = {
        (first, last): float(past["net_evaporation"].sel(year=slice(first, last)).mean())
        for first, last in ((1937, 1959), (1960, 1979), (1980, 1999), (2000, 2022))
    }
    early, before, rising, late = means.values()
    assert early > late > before - 20
    assert early - rising > 60
    assert late - rising > 20


def test_the_end_of_a_year_lies_between_the_means_around_it(past):
    level = past["observed_level"].values
    between = 0.5 * (level[:-1] + level[1:])
    assert_allclose(past["end_level"].values[:-1], between, atol=0.15)
    assert np.sqrt(np.mean((past["end_level"].values[:-1] - between) ** 2)) < 0.045


def test_smoothing_uses_later_data_and_filtering_does_not(record, few):
    level = np.where(record.year > 2000, record.level - 0.3, record.level)
    later = replace(record, level=level)
    place = int(np.flatnonzero(record.year == 2000)[0])
    smoothed = [smooth_record(few, each).mean["net_evaporation"][place] for each in (record, later)]
    assert (np.abs(smoothed[1] - smoothed[0]) > 20.0).all()
    states = []
    for each in (record, later):
        outflow = outflow_of_record(few, each)
        passed = list(filter_record(few, each, outflow, baseline_reference()))
        states.append(passed[place][0].mean)
    assert_array_equal(states[0], states[1])
    assert {VOLUME, SLOW, INFLOW, INFLOW_SLOW, WEATHER} <= set(range(states[0].shape[1]))


def test_smoothing_never_knows_less_than_filtering(record, few):
    outflow = outflow_of_record(few, record)
    passed = [state for state, _ in filter_record(few, record, outflow, baseline_reference())]
    smoothed = smooth_record(few, record)
    for place in range(1, len(record.year)):
        filtered = passed[place].covariance[:, VOLUME, VOLUME]
        assert (smoothed.variance["volume"][place] <= filtered * (1 + 1e-9)).all()


def test_new_observations_move_the_reconstruction_of_the_years_before(past, tmp_path):
    path = table(tmp_path, "year,total_rivers_km3\n2024,300\n2025,300\n")
    ds = cs.reconstruct(path, rows=100)
    assert ds["inflow_source"].sel(year=[2024, 2025]).values.tolist() == ["total", "total"]
    assert (ds["net_evaporation"].sel(year=2025) > past["net_evaporation"].sel(year=2025) + 30).all()
    assert ds.attrs["added"].splitlines() == ["inflow of 2024: 300 km³/yr", "inflow of 2025: 300 km³/yr"]


def test_the_volga_alone_says_nothing_before_both_have_been_known(tmp_path, past):
    ds = cs.reconstruct(table(tmp_path, "year,volga_km3\n1930,300\n"), rows=100)
    assert ds["inflow_source"].sel(year=1930) == "none"
    assert_allclose(ds["inflow"], past["inflow"])


# ---- figures ----------------------------------------------------------------------------------------


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def drawn(figure):
    """Texts that reach the page, with their boxes: numbers of an axis outside its range never do."""
    found, draw = [], Text.draw

    def record(self, *args, **options):
        if self.get_visible() and self.get_text().strip():
            found.append(self)
        draw(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.canvas.draw()
    return [(text.get_text(), Text.get_window_extent(text)) for text in found]


@pytest.mark.parametrize("width_cm", [16.0, 8.5])
@pytest.mark.parametrize("name", ["outlook", "reconstruction"])
def test_figures_stay_on_their_page_and_no_text_covers_another(ahead, past, name, width_cm):
    picture = getattr(figures, name)(ahead if name == "outlook" else past, width_cm=width_cm)
    page, texts = picture.bbox, drawn(picture)
    for text, box in texts:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
    for (one, box), (other, second) in combinations(texts, 2):
        assert not box.overlaps(
            Bbox.from_extents(second.x0 + 1, second.y0 + 1, second.x1 - 1, second.y1 - 1)
        ), (
            one,
            other,
        )


def test_the_table_of_the_outlook_holds_what_is_drawn(ahead):
    rows = figures.outlook_table(ahead)
    months = rows[(rows["kind"] == "outlook") & rows["month"].notna()]
    assert_array_equal(months["level_p95_m_bhs"], ahead["level"].sel(quantile=0.95))
    annual = rows[(rows["kind"] == "outlook") & rows["month"].isna()]
    assert annual["year"].tolist() == [2026]
    seen = rows[(rows["kind"] == "observed") & rows["month"].notna()]
    assert seen[["year", "month"]].values.tolist() == [[2023, month] for month in range(1, 8)]
    said = words(figures.outlook(ahead))
    assert "2025\n−29.22" in said
    assert "mean of 2026" in said


def test_the_table_of_the_reconstruction_holds_what_is_drawn(past):
    rows = figures.reconstruction_table(past)
    assert_array_equal(rows["year"], past["year"])
    assert_array_equal(rows["net_evaporation_p95_mm_per_yr"], past["net_evaporation_high"])
    assert_array_equal(rows["end_level_mean_m_bhs"], past["end_level"])
    end = f"end of 2025: −{-float(past['end_level'][-1]):.2f} ± {float(past['end_level_sd'][-1]):.2f} m"
    assert end in words(figures.reconstruction(past))


@pytest.mark.parametrize("name", ["outlook", "reconstruction"])
def test_figures_refuse_what_is_no_result_of_theirs(name, ahead, past):
    other = past if name == "outlook" else ahead
    with pytest.raises(DataError, match=f"figure '{name}' cannot be drawn: variable"):
        getattr(figures, name)(other)


# ---- commands ---------------------------------------------------------------------------------------


def call(*args):
    return CliRunner().invoke(cli.main, list(args))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


OBSERVED = sorted(
    [
        *(f"{name}.{end}" for name in ("outlook", "reconstruction") for end in ("csv", "nc")),
        *(f"figures/{name}.{end}" for name in ("outlook", "reconstruction") for end in ("csv", "png", "svg")),
        "run.log",
    ]
)


def test_observe_writes_its_folder_and_prints_what_is_new(project):
    table(project, "year,level_m,total_rivers_km3\n2026,-30.3,\n2025,,250\n")
    answer = call("observe", "new.csv", "--members", "100")
    assert answer.exit_code == 0, answer.output
    assert files("results/observe") == OBSERVED
    lines = [line.strip() for line in answer.stdout.splitlines()]
    for line in (
        "level of 2026: -30.3 m BHS",
        "inflow of 2025: 250 km³/yr",
        "State at the end of 2026",
        "Level in the coming months, m BHS",
    ):
        assert line in lines
    text = " ".join(answer.stdout.split())
    assert "no total inflow of 2023 (Volga alone), 2024, 2026: it is estimated" in text
    assert "standard deviations below what the record before it lets expect" in text
    assert answer.stderr == ""
    assert max(map(len, answer.stdout.splitlines()[:-2])) <= 80
    assert sum(line.startswith("2027-") for line in lines) == 12
    log = Path("results/observe/run.log").read_text(encoding="utf-8")
    assert "INFO    new: level of 2026: -30.3 m BHS" in log
    assert "WARNING level of 2026: -30.30 m BHS lies" in log
    shown = call("show", "results/observe")
    assert answer.stdout.startswith(shown.stdout)
    assert "Means over decades" in call("show", "results/observe/reconstruction.nc").stdout
    rows = pd.read_csv("results/observe/outlook.csv", comment="#")
    ds = cs.open("results/observe")
    assert_allclose(rows["level_p50_m_bhs"][:12], ds["level"].sel(quantile=0.5), atol=6e-5)
    assert rows["month"].isna().tolist() == [False] * 12 + [True]


def test_observe_without_a_table_rests_on_the_shipped_record(project):
    answer = call("observe", "--members", "20", "--output", "here", "--quiet")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == [
        "warning: no total inflow of 2023 (Volga alone), 2024, 2025: it is estimated with its uncertainty",
        "warning: months of the level of 2025 are missing: its end follows from the annual mean",
    ]
    assert cs.open("here").attrs["added"] == ""


def test_a_bad_table_leaves_what_is_there(project):
    assert call("observe", "--members", "10").exit_code == 0
    before = {name: Path("results/observe", name).read_bytes() for name in OBSERVED}
    table(project, "year,level_m\n2025,-29.5\n")
    answer = call("observe", "new.csv", "--overwrite")
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr == (
        "new.csv:2  level_m of 2025 contradicts the record\n    found    -29.5 m BHS\n"
        "    record   -29.22 m BHS\n"
        "    hint     yes under replaces corrects the record; national series differ by up to 0.3 m\n"
    )
    assert {name: Path("results/observe", name).read_bytes() for name in OBSERVED} == before
    assert files("results/observe") == OBSERVED


def test_a_second_outlook_needs_leave_to_replace_the_first(project):
    assert call("observe", "--members", "10").exit_code == 0
    answer = call("observe", "--members", "10")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("results/observe: there are results already\n")
    assert call("observe", "--members", "10", "--overwrite").exit_code == 0


def test_reconstruct_writes_its_folder_and_prints_decades(project):
    answer = call("reconstruct")
    assert answer.exit_code == 0, answer.output
    assert files("results/reconstruction") == [name for name in OBSERVED if "outlook" not in name]
    assert answer.stdout.startswith(call("show", "results/reconstruction").stdout)
    rows = pd.read_csv("results/reconstruction/reconstruction.csv", comment="#", keep_default_na=False)
    ds = cs.open("results/reconstruction")
    assert_array_equal(rows["year"], np.arange(1922, 2026))
    assert_allclose(rows["net_evaporation_mean_mm_per_yr"].astype(float), ds["net_evaporation"], atol=0.006)
    assert rows["inflow_source"].tolist()[-3:] == ["volga", "none", "none"]
    decade = next(line.split() for line in answer.stdout.splitlines() if line.startswith("1980s"))
    mean = float(ds["net_evaporation"].sel(year=slice(1980, 1989)).mean())
    assert decade[1:3] == ["10", f"{mean:.0f}"]


def test_results_come_back_from_their_files_as_they_were(ahead, past, tmp_path):
    for name, ds in (("outlook", ahead), ("reconstruction", past)):
        assert cs.open(save(ds, tmp_path / f"{name}.nc")).identical(ds)
