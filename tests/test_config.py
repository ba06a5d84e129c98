"""Configurations: merging, defaults, round trip, hash and summary."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspian_sim import data
from caspian_sim.config import (
    Config,
    InvalidConfigError,
    Measure,
    config_hash,
    load_config,
    overridden_parameters,
    parse_config,
    resolved_yaml,
)
from caspian_sim.config.nodes import Origin, from_plain, merge, plain
from caspian_sim.errors import ConfigError

MINIMAL = {"name": "case", "period": {"start": 2026, "end": 2100}}
LINING = {
    "id": "lining",
    "state": "AZ",
    "title": "Line the main canals",
    "mechanism": "consumption",
    "volume_km3_per_yr": {"low": 0.5, "best": 1, "high": 1.5},
    "start": 2030,
    "grade": "D",
    "source": "assumed",
}
COST = {"low": 10, "best": 20, "high": 30, "unit": "million USD per year"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return path


# ---- the merge -----------------------------------------------------------------------------------------

HERE = Origin("here")
keys = st.sampled_from(["a", "b", "c", 2030])
scalars = st.sampled_from([None, True, 0, -29.5, "text"])
leaves = scalars | st.lists(scalars, max_size=2)
values = leaves | st.dictionaries(keys, leaves | st.dictionaries(keys, leaves, max_size=2), max_size=2)
trees = st.dictionaries(keys, values, max_size=4)


def merged(base, change):
    return plain(merge(from_plain(base, HERE), from_plain(change, HERE)))


@given(trees)
def test_merging_with_an_empty_map_changes_nothing(tree):
    assert merged(tree, {}) == tree
    assert merged({}, tree) == tree


@given(trees, keys)
def test_null_deletes_an_inherited_key_and_only_that(tree, key):
    assert merged({**tree, key: 1}, {key: None}) == {k: v for k, v in tree.items() if k != key}


@given(trees, keys, st.lists(scalars, max_size=3) | st.integers())
def test_later_lists_and_values_replace_earlier_ones(tree, key, value):
    assert merged(tree, {key: value})[key] == value


@given(trees, trees)
def test_maps_keep_what_only_one_of_them_says(base, change):
    result = merged(base, change)
    assert {k: v for k, v in result.items() if k not in change} == {
        k: v for k, v in base.items() if k not in change
    }
    assert {k: v for k, v in result.items() if k not in base} == {
        k: v for k, v in change.items() if k not in base
    }


@given(trees, trees)
def test_merging_leaves_both_maps_as_they_were(base, change):
    first, second = from_plain(base, HERE), from_plain(change, HERE)
    merge(first, second)
    assert (plain(first), plain(second)) == (base, change)


def test_files_are_laid_over_each_other_in_the_order_of_extends(folder):
    write("parts/low.yaml", "uncertainty: {members: 1, seed: 1}\noutcomes: {thresholds_m: [-30, -31]}\n")
    write(
        "parts/high.yaml", "extends: low.yaml\nuncertainty: {members: 2}\nprogrammes: {joint: {}, none: {}}\n"
    )
    write(
        "run.yaml",
        "name: case\nperiod: {start: 2026, end: 2100}\nextends: [parts/low.yaml, parts/high.yaml]\n"
        "outcomes: {thresholds_m: [-33]}\nprogrammes: {joint: null, all: {participants: [IR]}}\n",
    )
    config = load_config("run.yaml")
    assert (config.uncertainty.members, config.uncertainty.seed) == (2, 1)
    assert config.outcomes.thresholds_m == (-33.0,)
    assert list(config.programmes) == ["none", "all"]


def test_overrides_apply_last_and_in_order():
    config = load_config(
        {**MINIMAL, "outcomes": {"thresholds_m": [-30, -31]}},
        [
            "uncertainty.members=5",
            "uncertainty.members=7",
            "outcomes.thresholds_m[1]=-30.5",
            "consumption.change.RU.2030=1.5",
            "programmes={joint: {participants: [AZ, TM]}}",
            "title='a: b'",
        ],
    )
    assert config.uncertainty.members == 7
    assert config.outcomes.thresholds_m == (-30.0, -30.5)
    assert config.consumption.change == {"RU": {2030: 1.5}}
    assert config.programmes["joint"].participants == ("AZ", "TM")
    assert config.title == "a: b"


def test_valid_configuration_can_be_changed_by_overrides_and_stays_as_it_was():
    config = load_config(MINIMAL)
    assert load_config(config) == config
    assert load_config(config, ["uncertainty.members=3"]).uncertainty.members == 3
    assert config.uncertainty.members == 100


def test_anchors_and_merge_keys_work_inside_a_file():
    text = (
        "name: case\nperiod: {start: 2026, end: 2100}\n"
        "consumption:\n  change:\n    RU: &growth {2030: 1, 2050: 2}\n    KZ: {<<: *growth, 2050: 3}\n"
        "    IR: *growth\n"
    )
    assert parse_config(text).consumption.change == {
        "RU": {2030: 1.0, 2050: 2.0},
        "KZ": {2030: 1.0, 2050: 3.0},
        "IR": {2030: 1.0, 2050: 2.0},
    }


# ---- values ----------------------------------------------------------------------------------------------


def test_minimal_configuration_has_the_documented_defaults():
    config = load_config(MINIMAL)
    assert config.climate.area_convention == "dynamic"
    assert config.uncertainty.parameters == "posterior"
    assert list(config.programmes) == ["none"]
    assert config.initial.level_m is None
    assert config.output.directory == "results/case"
    assert (config.solver.method, config.solver.tolerance_mm, config.solver.steps_per_month) == (
        "batched",
        1e-5,
        2,
    )


def test_numbers_and_lists_of_numpy_are_taken_as_plain_ones():
    config = load_config(
        {
            "name": "case",
            "period": {"start": np.int64(2026), "end": 2100},
            "initial": {"level_m": np.float64(-29.25)},
            "outcomes": {"report_years": np.arange(2030, 2060, 10)},
            "consumption": {"change": {"RU": {np.int64(2030): 1}}},
        }
    )
    assert config.initial.level_m == -29.25
    assert config.outcomes.report_years == (2030, 2040, 2050)
    assert config.consumption.change == {"RU": {2030: 1.0}}


@pytest.mark.parametrize("value", ["3", 3.0, True, None])
def test_nothing_is_converted_to_a_whole_number(value):
    with pytest.raises(ConfigError):
        load_config({**MINIMAL, "uncertainty": {"members": value}})


@given(st.floats(-1025, -20))
def test_every_level_between_the_deepest_point_and_the_highest_stand_is_accepted(level):
    assert load_config({**MINIMAL, "initial": {"level_m": level}}).initial.level_m == level


@given(st.floats().filter(lambda level: not -1025 <= level <= -20))
def test_no_other_level_is_accepted(level):
    with pytest.raises(ConfigError):
        load_config({**MINIMAL, "initial": {"level_m": level}})


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [(2030, "2030-01", "2030-12"), ("2030", "2030-01", "2030-12"), ("2030-05", "2030-05", "2030-05")],
)
def test_bare_year_means_its_january_as_a_start_and_its_december_as_an_end(written, start, end):
    measure = Measure(**{**LINING, "start": written, "end": written})
    assert (measure.start, measure.end) == (start, end)


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({"mechanism": "sea_withdrawal", "volume_km3_per_yr": {"low": -2, "best": -1, "high": 1}}, True),
        ({"mechanism": "consumption", "volume_km3_per_yr": {"low": -2, "best": -1, "high": 1}}, False),
        ({"mechanism": "transfer", "volume_km3_per_yr": {"low": 0, "best": 5, "high": 10}}, True),
        ({"mechanism": "transfer", "volume_km3_per_yr": None}, False),
        ({"mechanism": "strait_regulation"}, False),
        ({"mechanism": "strait_regulation", "volume_km3_per_yr": None}, False),
        ({"mechanism": "strait_regulation", "volume_km3_per_yr": None, "opening": 0.2}, True),
        ({"mechanism": "transfer", "opening": 0.2}, False),
        ({"mechanism": "release_timing"}, False),
        ({"mechanism": "release_timing", "volume_km3_per_yr": None}, True),
        ({"mechanism": "release_timing", "volume_km3_per_yr": {"low": 0, "best": 0, "high": 0}}, True),
    ],
)
def test_volume_and_opening_fit_the_mechanism(change, accepted):
    if accepted:
        assert Measure(**{**LINING, **change}).mechanism == change["mechanism"]
    else:
        with pytest.raises(pydantic.ValidationError):
            Measure(**{**LINING, **change})


def test_custom_measure_takes_the_place_of_the_shipped_one_with_its_id():
    shipped = load_config(MINIMAL).measures.available()
    name, measure = next(iter(shipped.items()))
    own = {**LINING, "id": name, "title": "My own numbers"}
    changed = load_config({**MINIMAL, "measures": {"custom": [own]}}).measures.available()
    assert list(changed) == list(shipped)
    assert (measure.title != "My own numbers", changed[name].title) == (True, "My own numbers")


def test_include_cuts_the_measures_down_in_its_own_order():
    config = load_config(
        {
            **MINIMAL,
            "measures": {
                "catalogue": "none",
                "custom": [LINING, {**LINING, "id": "drip"}, {**LINING, "id": "third"}],
                "include": ["drip", "lining"],
            },
        }
    )
    assert list(config.measures.available()) == ["drip", "lining"]


def test_parameter_given_as_a_number_is_fixed_and_all_others_stay_as_shipped():
    config = load_config({**MINIMAL, "parameters": {"groundwater": 3, "precipitation": {"high": 320}}})
    parameters = overridden_parameters(config.parameters)
    groundwater = parameters["groundwater"]
    assert (groundwater.distribution, groundwater.low, groundwater.best, groundwater.high) == (
        "fixed",
        3,
        3,
        3,
    )
    assert parameters["precipitation"].high == 320
    assert parameters["precipitation"].low == data.parameters()["precipitation"].low
    assert parameters["strait_sill"] == data.parameters()["strait_sill"]
    assert list(parameters) == list(data.parameters())


def test_hypsometry_is_found_beside_the_file_that_names_it(folder):
    write("parts/curve.csv", "level_m,area_km2\n-30,1\n-20,2\n")
    write("parts/base.yaml", "basin: {hypsometry: curve.csv}\n")
    write("run.yaml", "extends: parts/base.yaml\nname: case\nperiod: {start: 2026, end: 2100}\n")
    assert load_config("run.yaml").basin.hypsometry == str(folder / "parts" / "curve.csv")


def test_configuration_cannot_be_changed_once_it_is_valid():
    config = load_config(MINIMAL)
    with pytest.raises(pydantic.ValidationError):
        config.name = "other"
    with pytest.raises(pydantic.ValidationError):
        config.uncertainty.members = 3


# ---- text, hash, summary ---------------------------------------------------------------------------------

FULL = {
    **MINIMAL,
    "title": "Küste: ein «Versuch» # 1",
    "description": "two\nlines",
    "period": {"start": 2026, "end": 2060},
    "climate": {
        "scenarios": ["ssp585", "ssp119"],
        "area_convention": "constant",
        "evaporation": "shallow",
    },
    "basin": {"strait": "dammed"},
    "uncertainty": {"members": 3, "seed": 10**20, "parameters": "central", "variability": False},
    "parameters": {"groundwater": 3, "precipitation": {"high": 320}},
    "initial": {"level_m": -29},
    "consumption": {"change": {"RU": {2050: 2, 2030: -1e-7}, "upstream": {2030: 1}}},
    "measures": {"catalogue": "none", "custom": [{**LINING, "cost": COST, "end": 2040}]},
    "programmes": {"zeta": {"participants": ["AZ"], "measures": ["lining"]}, "alpha": {}, "1e3": {}},
    "outcomes": {"thresholds_m": [-33, -30.1], "report_years": [2050, 2030]},
    "output": {"directory": "out put", "frequency": "monthly", "figures": ["budget"]},
    "solver": {"method": "DOP853", "tolerance_mm": 1e-6},
}


@pytest.mark.parametrize("source", [MINIMAL, FULL], ids=["minimal", "full"])
def test_resolved_text_loads_back_to_an_equal_configuration(source):
    config = load_config(source)
    again = parse_config(resolved_yaml(config))
    assert again == config
    assert list(again.programmes) == list(config.programmes)
    assert config_hash(again) == config_hash(config)
    assert resolved_yaml(again) == resolved_yaml(config)


def shuffled(value, draw):
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(list(value)))}
    return value


@given(st.data())
def test_hash_does_not_depend_on_the_order_of_keys_nor_on_names_output_and_execution(data):
    source = shuffled(FULL, data.draw)
    source["name"] = data.draw(st.from_regex(r"[a-z]{1,8}", fullmatch=True))
    source["output"] = {"directory": data.draw(st.text(min_size=1, max_size=5)), "figures": "none"}
    source["title"] = data.draw(st.none() | st.text(max_size=5))
    source["execution"] = {"engine": "dask", "address": "tcp://host:8786", "workers": 3, "chunk": 7}
    assert config_hash(load_config(source)) == config_hash(load_config(FULL))


@pytest.mark.parametrize(
    "override",
    [
        "period.end=2061",
        "climate.scenarios=[ssp119, ssp585]",
        "uncertainty.seed=2",
        "parameters.groundwater=3.5",
        "initial.level_m=-29.01",
        "consumption.change.RU.2050=2.1",
        "measures.custom[0].ramp_years=1",
        "programmes.alpha.participants=[IR]",
        "outcomes.thresholds_m[0]=-34",
        "solver.tolerance_mm=1e-5",
    ],
)
def test_hash_changes_with_everything_that_can_change_a_number(override):
    assert config_hash(load_config(FULL, [override])) != config_hash(load_config(FULL))


def test_address_of_a_cluster_goes_with_the_engine_dask_only():
    with pytest.raises(InvalidConfigError) as caught:
        load_config({**MINIMAL, "execution": {"address": "tcp://host:8786"}})
    assert str(caught.value) == (
        "config  execution.address: an address is given, but the engine is local\n"
        "    found    engine local, address tcp://host:8786\n"
        "    allowed  engine dask with an address, or no address"
    )


def test_hash_of_equal_numbers_is_equal_however_they_are_written():
    assert config_hash(load_config({**MINIMAL, "initial": {"level_m": -29}})) == config_hash(
        load_config({**MINIMAL, "initial": {"level_m": -29.0}})
    )


def test_hash_follows_the_content_of_the_hypsometry_and_not_its_place(folder):
    here, there, other = (
        write(f"{name}/curve.csv", text) for name, text in [("a", "1"), ("b", "1"), ("c", "2")]
    )
    hashes = [config_hash(load_config({**MINIMAL, "basin": {"hypsometry": p}})) for p in (here, there, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    config = load_config({**MINIMAL, "basin": {"hypsometry": here}})
    Path(here).unlink()
    with pytest.raises(ConfigError, match=r"^basin\.hypsometry: .*curve\.csv cannot be read: No such file"):
        config_hash(config)


def test_summary_reads_like_a_description_of_the_run():
    config = load_config(FULL)
    assert repr(config) == (
        "<Config case>\n"
        "  title        Küste: ein «Versuch» # 1\n"
        "  period       2026–2060\n"
        "  climate      ssp585, ssp119; constant area, shallow evaporation\n"
        "  uncertainty  3 members, central parameters, variability off, seed 100000000000000000000\n"
        "  parameters   groundwater, precipitation\n"
        "  initial      -29 m BHS\n"
        "  strait       dammed\n"
        "  consumption  RU, upstream\n"
        "  measures     none catalogue, 1 custom; all\n"
        "  programmes   zeta (AZ), alpha (nobody acts), 1e3 (nobody acts)\n"
        "  thresholds   -33, -30.1 m BHS\n"
        "  report years 2050, 2030\n"
        "  output       out put, monthly\n"
        "  solver       DOP853"
    )


def test_summary_for_notebooks_escapes_what_the_user_wrote():
    html = load_config({**MINIMAL, "title": "<script>alert(1)</script>"})._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_configuration_and_its_errors_survive_the_way_to_a_worker():
    config = load_config(FULL)
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(InvalidConfigError) as caught:
        load_config({"name": "case"})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


def test_models_checked_in_python_give_the_same_rule():
    with pytest.raises(pydantic.ValidationError, match=r"report_years\[0\]: 2150 lies outside the period"):
        Config(**{**MINIMAL, "outcomes": {"report_years": [2150]}})


def test_reading_a_configuration_does_not_load_the_scientific_libraries():
    code = (
        "import sys, caspian_sim.config as c;"
        "c.load_config({'name': 'a', 'period': {'start': 2026, 'end': 2030}});"
        "print([m for m in ('numpy', 'pandas', 'xarray', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("nothing", ["", "null", "~"])
def test_override_with_null_deletes_what_the_file_gives(nothing):
    config = load_config(
        {"name": "x", "title": "X", "period": {"start": 2026, "end": 2027}}, [f"title={nothing}"]
    )
    assert config.title is None
