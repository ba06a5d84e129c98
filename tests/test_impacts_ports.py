"""Ports: datum, depth, chance of loading in full, cargo and dredging, and ports of the user's own."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from impact_runs import CONFIG, falling_run, run_with_levels
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim import data
from caspian_sim.config import config_hash, load_config, parse_config, resolved_yaml
from caspian_sim.errors import DataError
from caspian_sim.impacts.fleet import Vessel, immersion, vessels
from caspian_sim.impacts.levels import annual_level, first_likely_year, share_below
from caspian_sim.impacts.port_outcomes import cargo_lost, depth_left, port_outcomes
from caspian_sim.impacts.ports import (
    Port,
    choose_ports,
    observed_level,
    ports_of,
    route,
    shipped_ports,
)

SHIP = Vessel("ship", "a ship", draft=4.0, deadweight=3000.0, cargo_per_cm=20.0, grade="B", cargo_grade="D")
MINIMAL = {"name": "case", "period": {"start": 2026, "end": 2100}}


def port(depth=6.0, reference=-28.0, clearance=0.4, stated_as="depth", vessel=SHIP, **changes):
    values = {
        "id": "here",
        "title": "Here",
        "state": "Iran",
        "kind": "",
        "latitude": 37.0,
        "longitude": 50.0,
        "depth": depth,
        "stated_as": stated_as,
        "reference_level": reference,
        "reference_year": None,
        "vessel": vessel,
        "clearance": clearance,
        "grade": "B",
        "source": "made up",
        "vessel_grade": "C",
    }
    return Port(**{**values, **changes})


def shipped(name):
    (found,) = choose_ports(shipped_ports(), [name])
    return found


def level(*values):
    return xr.DataArray(np.array(values, dtype=float), dims="year")


# ---- datum ---------------------------------------------------------------------------------------


def test_figure_at_gauge_zero_loses_1_2_metres_when_the_sea_stands_at_29_2():
    found = depth_left(level(-28.0, -29.2), [shipped("makhachkala-oil")])
    assert_allclose(found.sel(port="makhachkala-oil"), [6.0, 4.8])


def test_figure_of_a_year_holds_at_the_level_observed_in_that_year():
    anzali = shipped("anzali")
    observed = float(data.load("sea_level_annual").level.sel(year=2022))
    assert (anzali.reference_year, anzali.reference_level) == (2022, observed)
    assert_allclose(depth_left(level(observed, observed - 0.3), [anzali]).squeeze(), [4.6, 4.3])


def test_year_without_an_observed_level_is_refused():
    with pytest.raises(DataError) as caught:
        observed_level(1900)
    assert str(caught.value) == "no level was observed in 1900\n    allowed  1921 to 2025"


@given(st.floats(-45, -25), st.floats(0, 10), st.floats(1, 15), st.floats(-29, -26))
def test_depth_falls_with_the_level_metre_by_metre(height, fall, depth, reference):
    before, after = depth_left(level(height, height - fall), [port(depth, reference)]).squeeze().values
    assert_allclose(before - after, fall, atol=1e-9)
    assert_allclose(before - depth, height - reference, atol=1e-9)


# ---- what the vessel needs -----------------------------------------------------------------------


def test_depth_keeps_the_clearance_and_a_permitted_draft_contains_it():
    clearance = data.impact_fact("under_keel_clearance").value
    berth, draft = shipped("aktau-dry"), shipped("anzali")
    assert_allclose(berth.needed, 1.1 * berth.vessel.draft)
    assert clearance == 0.1
    assert draft.needed == draft.vessel.draft


def test_limit_is_the_level_at_which_draft_and_clearance_just_fit():
    here = port(depth=6.0, reference=-28.0, clearance=0.4)
    assert_allclose(here.limit_level, -28.0 - (6.0 - 4.4))
    assert_allclose(depth_left(level(here.limit_level), [here]).squeeze(), here.needed)


@given(st.floats(-40, -25), st.floats(1, 12), st.floats(-29, -26))
def test_vessel_loads_in_full_down_to_the_limit_and_loses_cargo_below_it(height, depth, reference):
    here = port(depth, reference)
    lost = float(cargo_lost(depth_left(level(height), [here]), [here]).squeeze())
    expected = np.clip(100.0 * 20.0 * (here.limit_level - height), 0.0, 3000.0)
    assert_allclose(lost, expected, atol=1e-6)


def test_decimetre_below_the_limit_costs_ten_centimetres_of_immersion():
    here = port()
    depths = depth_left(level(here.limit_level - 0.3, here.limit_level - 0.4), [here])
    assert_allclose(np.diff(cargo_lost(depths, [here]).squeeze()), here.cargo_per_decimetre)
    assert here.cargo_per_decimetre == 200.0


def test_tonnes_per_centimetre_are_area_of_the_water_plane_times_density():
    # 100 m by 10 m, all of it covered: 1000 m² times 0.01 m of fresh water weigh 10 t.
    assert immersion(100.0, 10.0, 1.0, 1.0) == 10.0
    tanker = vessels()["tanker-13000"]
    assert_allclose(tanker.cargo_per_cm, 150.0 * 17.3 * 0.90 * 1.01 / 100.0)


def test_published_pairs_of_deadweight_are_near_the_immersion_of_the_rule():
    # t/cm from two published deadweights at two drafts, sea and river (Marine Engineering Bureau).
    for name, pair in (
        ("dry-cargo-8000", (8144 - 5320) / (470.6 - 360.0)),
        ("tanker-7000", (7030 - 5428) / (420.0 - 360.0)),
    ):
        assert 1.0 < pair / vessels()[name].cargo_per_cm < 1.2


def test_oil_berth_as_loaded_has_the_draft_at_which_2000_tonnes_stay_behind():
    loaded = shipped("aktau-oil-as-loaded")
    assert_allclose(loaded.depth, 6.99 - 2000.0 / (100.0 * loaded.vessel.cargo_per_cm), atol=0.005)
    assert (loaded.grade, loaded.stated_as, loaded.reference_year) == ("D", "draft", 2025)


# ---- outcomes ------------------------------------------------------------------------------------


def test_probability_is_the_share_of_members_below_the_limit_and_half_of_them_give_the_first_year():
    here = port(depth=6.0, reference=-28.0, clearance=0.4)  # limit -29.6
    ds = run_with_levels([[-29.5, -29.7, -29.7], [-29.5, -29.5, -29.7], [-29.5, -29.5, -29.7], [-29.5] * 3])
    found = port_outcomes(ds, [here]).squeeze(["port", "scenario", "programme"])
    assert_allclose(found.below_draft, [0.0, 0.25, 0.75])
    assert found.first_year == 2028.0


def test_first_year_is_missing_where_the_chance_never_reaches_one_half():
    chance = xr.DataArray([[0.0, 0.49], [0.5, 0.0]], {"year": [2030, 2031]}, ("port", "year"))
    assert_allclose(first_likely_year(chance), [np.nan, 2030.0])


def test_level_at_the_limit_is_not_below_it():
    here = port()
    ds = run_with_levels([[here.limit_level]])
    assert float(port_outcomes(ds, [here]).below_draft.squeeze()) == 0.0


def test_dredging_restores_the_stated_depth_or_what_the_vessel_needs():
    here = port(depth=6.0, reference=-28.0, clearance=0.4)
    ds = run_with_levels([[-27.5, -29.0, -30.0]])
    found = port_outcomes(ds, [here]).sel(quantile=0.5).squeeze()
    assert_allclose(found.dredging, [0.0, 1.0, 2.0], atol=1e-12)
    assert_allclose(found.dredging_for_vessel, [0.0, 0.0, 0.4], atol=1e-12)
    assert_allclose(found.depth_left + found.dredging, [6.5, 6.0, 6.0], atol=1e-12)


def test_quantiles_of_every_quantity_are_those_over_the_members_themselves():
    ds, here = falling_run(), port(depth=5.0)
    found = port_outcomes(ds, [here])
    members = depth_left(annual_level(ds, "x"), [here])
    for name, values in (
        ("depth_left", members),
        ("dredging", (here.depth - members).clip(0.0)),
        ("dredging_for_vessel", (here.needed - members).clip(0.0)),
        ("cargo_lost", cargo_lost(members, [here])),
    ):
        # With five members the quartiles are members, where no interpolation meets the kink.
        expected = values.quantile([0.25, 0.5, 0.75], "member")
        assert_allclose(
            found[name].sel(quantile=[0.25, 0.5, 0.75]),
            expected.transpose(*found[name].dims),
            atol=1e-9,
            err_msg=name,
        )


def test_every_port_scenario_programme_and_year_has_its_numbers():
    found = port_outcomes(falling_run())
    assert found.below_draft.dims == ("port", "scenario", "programme", "year")
    assert found.below_draft.shape == (12, 4, 2, 75)
    assert found.depth_left.dims == ("port", "scenario", "programme", "quantile", "year")
    assert bool(found.below_draft.notnull().all())
    assert list(found.port.values) == [p.id for p in shipped_ports()]


def test_sea_that_only_falls_never_gives_a_port_back():
    chance = port_outcomes(falling_run()).below_draft
    assert bool((chance.diff("year") >= 0.0).all())
    joint = chance.sel(programme="joint")
    assert bool((joint <= chance.sel(programme="none")).all())


def test_months_count_by_their_length_in_the_annual_mean():
    edges = np.arange("2026-01", "2027-02", dtype="datetime64[M]").astype("datetime64[ns]")
    values = np.where(np.arange(12) < 2, -30.0, -29.0)
    ds = xr.Dataset(
        {"sea_level": (("scenario", "programme", "member", "time"), values[None, None, None])},
        coords={
            "time": edges[:-1] + (edges[1:] - edges[:-1]) // 2,
            "time_bnds": (("time", "nv"), np.stack([edges[:-1], edges[1:]], axis=1)),
        },
    )
    assert_allclose(annual_level(ds, "x").squeeze(), -29.0 - 59.0 / 365.0)


def test_missing_level_leaves_the_probability_missing():
    values = xr.DataArray([[np.nan, -30.0], [-30.0, -28.0]], dims=("member", "year"))
    assert_allclose(share_below(values, -29.0), [np.nan, 0.5])


def test_statistics_without_members_are_refused_with_the_key_that_keeps_them():
    with pytest.raises(DataError) as caught:
        port_outcomes(falling_run().isel(member=0, drop=True))
    assert str(caught.value) == (
        "the depth of the ports needs the members of the run\n"
        "    found    statistics over the members alone\n"
        "    hint     run again with output.keep: members or both"
    )


def test_missing_variable_is_named():
    with pytest.raises(DataError) as caught:
        port_outcomes(falling_run().drop_vars("sea_level"))
    assert str(caught.value) == (
        "the depth of the ports cannot be reckoned: variable 'sea_level' is missing\n"
        "    found    parameters\n"
        "    needed   sea_level, time_bnds"
    )


def test_unknown_port_and_route_are_refused_with_what_there_is():
    with pytest.raises(DataError) as caught:
        choose_ports([port()], ["there"])
    assert str(caught.value) == "the run has no port 'there'\n    found    'there'\n    allowed  here"
    with pytest.raises(DataError) as caught:
        route("silk-road")
    assert str(caught.value) == (
        "no route is called 'silk-road'\n    found    'silk-road'\n    allowed  kazakhstan-iran"
    )


# ---- tables --------------------------------------------------------------------------------------


def test_shipped_ports_name_vessels_that_are_there_and_every_number_has_its_grade():
    table = data.load("ports")
    assert set(table.vessel.values) <= set(data.load("vessels").vessel.values)
    assert set(table.stated_as.values) == {"depth", "draft"}
    assert set(table.grade.values) | set(table.vessel_grade.values) <= set("ABCD")
    assert {name for name in table.id.values if table.source.sel(id=name) == ""} == {
        name for name in table.id.values if table.grade.sel(id=name) == "D" and name != "aktau-oil-as-loaded"
    }


def test_route_of_the_kazakh_iranian_memorandum_joins_its_four_ports():
    assert route("kazakhstan-iran") == ("aktau-dry", "kuryk-ferry", "amirabad", "anzali")
    assert {shipped(name).state for name in route("kazakhstan-iran")} == {"Kazakhstan", "Iran"}


def test_worst_grade_is_that_of_depth_vessel_or_its_choice():
    assert port().worst_grade == "C"
    assert port(vessel_grade="D").worst_grade == "D"


# ---- ports of the configuration ------------------------------------------------------------------

OWN = {
    "id": "grain",
    "title": "Grain berth",
    "state": "KZ",
    "depth_m": 7.0,
    "reference_level_m": -28.0,
    "vessel": "dry-cargo-8000",
    "source": "survey",
}


def own(**changes):
    config = load_config({**MINIMAL, "impacts": {"catalogue": "none", "ports": [{**OWN, **changes}]}})
    (found,) = ports_of(config)
    return found


def test_own_port_is_judged_by_a_shipped_vessel_and_counts_as_an_assumption_unless_graded():
    found, ship = own(), vessels()["dry-cargo-8000"]
    assert found.vessel == ship
    assert_allclose(found.limit_level, -28.0 - (7.0 - 1.1 * ship.draft))
    assert (found.state, found.grade, found.own) == ("Kazakhstan", "D", True)


def test_figures_of_the_vessel_can_be_replaced_one_by_one():
    found = own(vessel_draft_m=4.0, cargo_t_per_cm=20, clearance_m=0.2, grade="B")
    assert (found.vessel.draft, found.vessel.cargo_per_cm, found.needed) == (4.0, 20.0, 4.2)
    assert found.vessel.deadweight == vessels()["dry-cargo-8000"].deadweight
    assert found.vessel.cargo_grade == "B"


def test_own_port_may_have_a_vessel_of_its_own_and_the_level_of_a_year():
    changes = {"vessel_draft_m": 3.0, "cargo_t_per_cm": 10.0, "deadweight_t": 1000.0, "reference_year": 2010}
    without = {key: value for key, value in OWN.items() if key not in ("vessel", "reference_level_m")}
    config = load_config({**MINIMAL, "impacts": {"catalogue": "none", "ports": [{**without, **changes}]}})
    (found,) = ports_of(config)
    assert (found.vessel.draft, found.vessel.deadweight) == (3.0, 1000.0)
    assert (found.reference_year, found.reference_level) == (2010, observed_level(2010))


def test_own_port_with_the_name_of_a_shipped_one_takes_its_place():
    config = load_config({**MINIMAL, "impacts": {"ports": [{**OWN, "id": "alat"}]}})
    found = ports_of(config)
    assert [p.id for p in found] == [p.id for p in shipped_ports()]
    assert choose_ports(found, ["alat"])[0].title == "Grain berth"


def test_run_without_any_port_is_refused():
    with pytest.raises(DataError) as caught:
        ports_of(load_config({**MINIMAL, "impacts": {"catalogue": "none"}}))
    assert str(caught.value) == (
        "the run has no ports\n"
        "    found    impacts.catalogue none, no impacts.ports\n"
        "    hint     give ports under impacts.ports, or impacts.catalogue: default"
    )


def test_resolved_configuration_of_a_result_carries_the_ports_and_they_count_for_its_hash():
    config = load_config({**MINIMAL, "impacts": {"ports": [OWN]}})
    again = parse_config(resolved_yaml(config), "again")
    assert again.impacts == config.impacts
    assert config_hash(config) != config_hash(load_config(MINIMAL))
    ds = run_with_levels([[-29.2]], config=CONFIG + "impacts: {catalogue: none, ports: [{id: grain, title: "
                         "Grain berth, state: KZ, depth_m: 7, reference_year: 2024, vessel: ferry-5800, "
                         "source: survey}]}\n")  # fmt: skip
    assert list(port_outcomes(ds).port.values) == ["grain"]


def test_ports_of_a_real_run_follow_its_members(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ds = cs.run(
        {**MINIMAL, "period": {"start": 2026, "end": 2030}, "climate": {"scenarios": ["ssp245"]},
         "uncertainty": {"members": 4}, "output": {"figures": "none"}}
    )  # fmt: skip
    found = port_outcomes(ds)
    here = shipped("volga-caspian-canal")
    expected = (ds.sea_level < here.limit_level).mean("member").squeeze().values
    assert_allclose(found.below_draft.sel(port=here.id).squeeze(), expected)
