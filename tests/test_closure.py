"""The balance of the record: the shipped tables are what it gives now, and its parts add up."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.evaluate.closure import autocorrelation, close_balance

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "caspian_sim" / "data" / "tables"

spec = importlib.util.spec_from_file_location("build_closure", ROOT / "tools" / "build_closure.py")
builder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(builder)


@pytest.fixture(scope="module")
def closure():
    return close_balance()


# The shipped tables


@pytest.mark.parametrize(
    ("column", "attribute", "digits"),
    [
        ("river_inflow", "inflow", 2),
        ("strait_outflow", "strait_outflow", 3),
        ("storage", "storage", 3),
        ("net_evaporation", "net_evaporation", 2),
    ],
)
def test_shipped_balance_of_the_record_is_what_the_data_give_now(closure, column, attribute, digits):
    table = data.load("net_evaporation_implied")
    name = column if column in table else "inflow"
    assert_array_equal(table["year"], closure.year)
    assert_allclose(table[name], getattr(closure, attribute), rtol=0.0, atol=0.500001 * 10.0**-digits)


def test_builder_writes_the_shipped_table_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "TABLES", tmp_path)
    builder.main()
    name = "net_evaporation_implied.csv"
    assert (tmp_path / name).read_bytes() == (TABLES / name).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_prior_of_net_evaporation_is_that_of_the_facts_and_holds_what_the_record_says(closure):
    prior = data.parameters()["net_evaporation"]
    rain = data.fact("sea_precipitation")
    assert prior.best == data.fact("sea_evaporation").value - rain.value
    assert prior.high - prior.best == prior.best - prior.low > 0.5 * (rain.high - rain.low)
    assert prior.low < closure.net_evaporation[closure.year >= 2003].mean() < prior.high


# The balance


def test_parts_of_every_year_add_up_to_the_rise_of_the_sea(closure):
    level = data.load("sea_level_annual")["level"].sel(year=closure.year).values
    evaporated = closure.net_evaporation * np.asarray(load_hypsometry().area(level)) * 1e-6
    groundwater = data.parameters()["groundwater"].best
    gained = closure.inflow + groundwater - closure.strait_outflow - evaporated
    assert_allclose(gained, closure.storage, atol=1e-9)


def test_storage_of_all_years_is_the_volume_between_the_first_and_the_last_level(closure):
    level = data.load("sea_level_annual")["level"]
    first, last = (0.5 * float(level.sel(year=y - 1) + level.sel(year=y)) for y in (1937, 2023))
    curve = load_hypsometry()
    assert closure.storage.sum() == pytest.approx(curve.volume(last) - curve.volume(first), abs=1e-6)


def test_net_evaporation_of_the_record_lies_within_the_range_of_the_facts(closure):
    evaporation, rain = data.fact("sea_evaporation"), data.fact("sea_precipitation")
    assert evaporation.value - rain.high < closure.net_evaporation.mean() < evaporation.value - rain.low


def test_sea_evaporated_less_in_the_years_of_its_rise(closure):
    def mean(first, last):
        return closure.net_evaporation[(closure.year >= first) & (closure.year <= last)].mean()

    fact = data.fact("sea_evaporation_change_1970_85_vs_1959_69")
    assert mean(1978, 1995) < mean(1937, 1977) - 30.0
    assert mean(1970, 1985) - mean(1959, 1969) < 0.0
    assert fact.value < 0.0


def test_balance_of_a_part_of_the_record_is_that_part(closure):
    part = close_balance(1980, 1999)
    chosen = (closure.year >= 1980) & (closure.year <= 1999)
    for name in ("year", "inflow", "strait_outflow", "storage", "net_evaporation"):
        assert_allclose(getattr(part, name), getattr(closure, name)[chosen], rtol=1e-12)


# Statistics


def test_autocorrelation_of_known_series():
    lags = np.array([1, 2])
    assert_allclose(autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), lags), [-0.75, 0.5], rtol=1e-14)
    wave = np.cos(2.0 * np.pi * np.arange(10_000) / 10.0)
    assert_allclose(autocorrelation(wave, np.array([5, 10])), [-1.0, 1.0], atol=2e-3)
