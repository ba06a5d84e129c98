"""Programmes compared: what they cost, what counts as their gain, and growth of use beneath all of them."""

import io

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import caspian_sim as cs
from caspian_sim.config import default_catalogue, load_config
from caspian_sim.cooperate.paired import raising_measures, whole_catalogue
from caspian_sim.errors import ConfigError
from caspian_sim.measures.effect import programme_effect
from caspian_sim.outputs.summary import summary, summary_csv

BUILT = {
    "title": "Built for money",
    "mechanism": "consumption",
    "volume_km3_per_yr": {"low": 1.0, "best": 2.0, "high": 3.0},
    "start": "2028",
    "grade": "D",
    "source": "assumed",
    "assumption": "all of it",
}
SMALL = {
    "name": "small",
    "period": {"start": 2026, "end": 2045},
    "climate": {"scenarios": ["ssp245"]},
    "uncertainty": {"members": 12},
    "outcomes": {"thresholds_m": [-29.0, -29.6], "report_years": [2035, 2045]},
    "solver": {"steps_per_month": 1},
}


def custom(name, **changes):
    return {**BUILT, "id": name, **changes}


def cost(low, best, high, unit="million USD"):
    return {"low": low, "best": best, "high": high, "unit": unit}


PRICED = {
    **SMALL,
    "measures": {
        "catalogue": "none",
        "custom": [
            custom("lining", state="AZ", cost=cost(100, 200, 300)),
            custom("drip", state="IR", cost=cost(10, 10, 10)),
            custom("pumps", state="IR", cost=cost(1, 2, 3, "million USD per year")),
            custom("free", state="RU"),
            custom("late", state="AZ", cost=cost(1000, 1000, 1000), start="2046"),
        ],
    },
    "programmes": {
        "none": {},
        "joint": {"participants": ["AZ", "IR", "RU"]},
        "az-alone": {"participants": ["AZ"]},
        "ru-alone": {"participants": ["RU"]},
    },
}


@pytest.fixture(scope="module")
def priced():
    return cs.run(PRICED)


def test_costs_are_summed_member_by_member_over_what_is_built_in_the_run(priced):
    joint, alone = (priced.known_cost.sel(programme=name).values for name in ("joint", "az-alone"))
    assert_allclose(joint - alone, 10.0)
    assert ((alone > 100.0) & (alone < 300.0)).all()
    assert len(np.unique(alone)) == priced.sizes["member"]
    running = priced.known_running_cost.sel(programme="joint").values
    assert ((running > 1.0) & (running < 3.0)).all()
    assert not priced.known_cost.sel(programme=["none", "ru-alone"]).any()


def test_the_summary_gives_the_range_of_costs_and_says_where_none_is_known(priced):
    table = summary(priced).set_index(["programme", "year"])
    points = [f"known_cost_{point}_million_usd" for point in ("p05", "p50", "p95")]
    expected = np.quantile(priced.known_cost.sel(programme="joint").values, [0.05, 0.5, 0.95])
    assert_allclose(table.loc[("joint", 2045), points].astype(float), expected, atol=0.05)
    assert table.loc[("joint", 2045), "measures_without_cost"] == 1
    assert np.isnan(table.loc[("az-alone", 2045), "known_running_cost_p50_million_usd_per_year"])
    assert table.loc["ru-alone", points].isna().all(axis=None)
    text = summary_csv(priced)
    again = pd.read_csv(io.StringIO(text), comment="#")
    assert_allclose(again["known_cost_p50_million_usd"], summary(priced)["known_cost_p50_million_usd"])
    assert "# known_cost, known_running_cost: where a source gives one; empty when none does" in text


def test_money_for_a_project_is_saved_only_where_the_project_would_have_come():
    programmes = {"none": {}, "ir-alone": {"participants": ["IR"]}}
    found = {}
    for growth in (False, True):
        ds = cs.run({**SMALL, "measures": {"growth": growth}, "programmes": programmes})
        found[growth] = ds.known_cost.sel(programme="ir-alone").values
    assert_array_equal(found[False], 0.0)
    assert_array_equal(found[True], -650.0)


@pytest.mark.parametrize("frequency", ["annual", "monthly"])
def test_statistics_formed_on_the_way_give_the_same_summary_as_the_members(frequency):
    asked = f"output.frequency={frequency}"
    whole = summary(cs.run(PRICED, overrides=(asked,)))
    formed = summary(cs.run(PRICED, overrides=(asked, "output.keep=quantiles", "output.figures=none")))
    assert list(formed.columns) == list(whole.columns)
    pd.testing.assert_frame_equal(formed, whole, check_exact=False, rtol=1e-9, atol=1.1e-3)
    assert whole.filter(like="years_gained").to_numpy().max() > 0.0


# Growth of use beneath all programmes


GROWING = {
    **SMALL,
    "measures": {"growth": True},
    "programmes": {"none": {}, "joint": {"participants": ["IR", "RU"]}},
}


def test_attribution_is_against_a_sea_with_growth_of_use():
    found = cs.attribute(GROWING).sel(year=2045, scenario="ssp245")
    plain = cs.attribute({**GROWING, "measures": {"growth": False}}).sel(year=2045, scenario="ssp245")
    assert not found.avoided_fall.sel(coalition="none").any()
    sunk = found.sea_level - plain.sea_level
    assert (sunk.sel(programme="none").isel(time=-1) < 0.0).all()
    water = found.water_brought_alone - plain.water_brought_alone
    assert_allclose(water.sel(state="IR").values, 0.2)
    assert_allclose(water.sel(state="RU").values, 0.0, atol=1e-12)


def test_target_and_delay_are_against_a_sea_with_growth_of_use():
    asked = {"level": -29.5, "year": 2045}
    need, plain = (
        cs.target({**GROWING, "measures": {"growth": growth}}, **asked) for growth in (True, False)
    )
    more = need["member_required_inflow"] - plain["member_required_inflow"]
    assert (more > 0.5).all()
    assert_allclose(need["programme_inflow"].sel(programme="none"), 0.0, atol=1e-9)
    assert_allclose(need["measure_water"].sel(measure="semnan-transfer-dropped"), 0.2)
    assert "semnan-transfer-dropped" not in plain["measure"].values
    late = cs.delay(GROWING, starts=(2044,))
    assert_array_equal(late["avoided_fall"].sel(year=slice(2026, 2043)), 0.0)


def test_the_whole_catalogue_has_nothing_twice_and_nothing_that_raises_no_level():
    measures = raising_measures(load_config(SMALL))
    assert "volga-release-timing" not in measures
    assert not [entry.id for entry in default_catalogue() if entry.role == "growth" and entry.id in measures]
    together = [measure.id for measure in whole_catalogue(measures)]
    assert "strait-closure" in together
    assert "strait-gates" not in together


# What states may count for together


def test_two_states_that_save_the_same_water_share_what_it_counts_for_once():
    same = {"volume_km3_per_yr": {"low": 2.0, "best": 2.0, "high": 2.0}, "pool": "kura"}
    config = {
        **SMALL,
        "measures": {
            "catalogue": "none",
            "custom": [custom("one", state="AZ", **same), custom("other", state="IR", **same)],
        },
        "programmes": {"joint": {"participants": ["AZ", "IR"]}},
    }
    found = cs.attribute(config).sel(year=2045, scenario="ssp245")
    assert_allclose(found.water_brought_joint.values, 2.0)
    assert_allclose(found.water_brought_alone.sel(state=["AZ", "IR"]).values, 2.0)
    assert_allclose(found.water_brought_shapley.sel(state=["AZ", "IR"]).values, 1.0)
    assert_allclose(
        found.avoided_fall_shapley.sel(state="AZ").values, found.avoided_fall_shapley.sel(state="IR").values
    )


def test_coalitions_keep_start_leaving_and_compliance_of_the_programme():
    joint = {
        "participants": ["KZ", "RU"],
        "measures": ["ural-efficiency", "volga-savings"],
        "start": "2030",
        "leaves": {"KZ": 2040},
        "compliance": {"RU": 0.5},
    }
    programmes = {"none": {}, "joint": joint, "ru-alone": {**joint, "participants": ["RU"], "leaves": {}}}
    programmes["ru-alone"]["measures"] = ["volga-savings"]
    found = cs.attribute({**SMALL, "programmes": programmes}).sel(scenario="ssp245")
    run = cs.run({**SMALL, "programmes": programmes}).isel(scenario=0)
    for coalition, programme in (("ru", "ru-alone"), ("kz-ru", "joint")):
        level = run.sea_level.sel(programme=programme) - run.sea_level.sel(programme="none")
        expected = level.sel(time=["2035-07-02", "2045-07-02"], method="nearest").transpose("time", "member")
        values = found.avoided_fall.sel(coalition=coalition).transpose("year", "member")
        assert_allclose(values.values, expected.values, atol=1e-9)


def test_the_level_never_falls_with_more_volume_more_compliance_or_an_earlier_start():
    volume = {f: {"low": f, "best": f, "high": f} for f in (1.0, 4.0)}
    measures = [custom(f"save-{int(f)}", state="RU", volume_km3_per_yr=v) for f, v in volume.items()]
    large = {"participants": ["RU"], "measures": ["save-4"]}
    programmes = {
        "none": {},
        "small": {"participants": ["RU"], "measures": ["save-1"]},
        "large": large,
        "half": {**large, "compliance": {"RU": 0.5}},
        "late": {**large, "start": "2036"},
    }
    ds = cs.run({**SMALL, "measures": {"custom": measures}, "programmes": programmes})
    level = ds.sea_level.isel(scenario=0)
    for less, more in (("none", "small"), ("small", "large"), ("half", "large"), ("late", "large")):
        gain = level.sel(programme=more) - level.sel(programme=less)
        assert (gain >= 0.0).all()
        assert (gain.isel(time=-1) > 0.0).all()


def test_two_rules_for_gates_are_refused_where_a_list_of_measures_has_them():
    gates = next(entry for entry in default_catalogue() if entry.closed_below_m is not None)
    other = gates.model_copy(update={"id": "sluice", "closed_below_m": -29.0})
    years, months = np.repeat(np.arange(2029, 2032), 12), np.tile(np.arange(1, 13), 3)
    volumes = {f"measure:{name}": np.zeros(2) for name in (gates.id, other.id)}
    with pytest.raises(ConfigError) as caught:
        programme_effect([gates, other], years, months, 2, volumes)
    assert str(caught.value) == (
        "two rules for gates in the strait cannot act in one programme\n"
        "    found    closed below -28.5 m and below -29 m"
    )
