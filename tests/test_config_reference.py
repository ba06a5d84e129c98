"""What is generated from the schema is up to date, and the shipped configurations are valid."""

import json
from pathlib import Path

import pytest

from caspian_sim.config import (
    Config,
    default_catalogue,
    json_schema,
    key_table,
    load_config,
    write_template,
)
from caspian_sim.errors import OutputError

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def test_committed_json_schema_is_that_of_the_models():
    committed = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", (
        "write it anew: python -m caspian_sim.config > configs/schema.json"
    )


def test_reference_of_keys_is_that_of_the_models():
    assert (ROOT / "docs" / "config.md").read_text(encoding="utf-8").endswith("\n\n" + key_table())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configuration_names_the_schema_and_is_valid(path):
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema.json\n")
    assert load_config(path).name == path.stem.replace("_", "-")


def test_quickstart_compares_joint_action_with_none_under_four_pathways():
    config = load_config(ROOT / "configs" / "quickstart.yaml")
    assert config.climate.scenarios == ("ssp126", "ssp245", "ssp370", "ssp585")
    assert {name: p.participants for name, p in config.programmes.items()} == {
        "none": (),
        "joint": ("AZ", "IR", "KZ", "RU", "TM"),
    }
    assert (config.uncertainty.members, config.uncertainty.seed) == (512, 20251211)
    assert config.outcomes.thresholds_m == (-30.0, -31.0, -33.0)
    assert config.outcomes.report_years == (2030, 2050, 2100)


def test_template_is_valid_as_written_and_with_every_commented_key_in_use(tmp_path):
    path = write_template(tmp_path / "mine.yaml")
    assert load_config(path).name == "my-run"
    text = path.read_text(encoding="utf-8")
    keys = ("parameters", "consumption", "measures")
    lines = []
    for block in text.split("\n\n"):
        in_use = any(f"\n# {key}:\n" in block for key in keys)
        lines += [
            line.removeprefix("# ") if in_use and n else line for n, line in enumerate(block.split("\n"))
        ]
    path.write_text("\n".join(lines), encoding="utf-8")
    config = load_config(path)
    assert config.parameters["groundwater"].best == 4.0
    assert config.consumption.change["RU"] == {2026: 0.0, 2050: 2.0}
    assert config.measures.custom[0].start == "2030-01"


def test_template_never_replaces_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("name: precious\n", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        write_template("mine.yaml")
    assert str(caught.value) == "mine.yaml: the file exists already\n    hint     choose another name"
    assert Path("mine.yaml").read_text(encoding="utf-8") == "name: precious\n"


def test_shipped_catalogue_has_measures_of_all_five_states():
    assert {measure.state for measure in default_catalogue()} == {"AZ", "IR", "KZ", "RU", "TM"}


def quantities(schema):
    """Every number in the schema that has its own key."""
    for name, model in {"Config": schema, **schema["$defs"]}.items():
        for part in (model, *model.get("anyOf", ())):
            for key, spec in part.get("properties", {}).items():
                kinds = [spec.get("type"), *(choice.get("type") for choice in spec.get("anyOf", ()))]
                if "number" in kinds or "integer" in kinds:
                    yield f"{name}.{key}", spec


def test_every_key_has_a_description_and_every_number_a_unit():
    numbers = dict(quantities(Config.model_json_schema()))
    assert len(numbers) > 12
    assert [key for key, spec in numbers.items() if "unit" not in spec] == []
    assert [row for row in key_table().splitlines() if row.endswith("| |")] == []
