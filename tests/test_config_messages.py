"""Every way to get a configuration wrong gives one clear message, word for word.

tests/configs_invalid holds a small file for each mistake and, beside it, the message.
"""

import os
import re
import time
from pathlib import Path

import pytest

from caspian_sim import data
from caspian_sim.config import InvalidConfigError, load_config, load_measures, parse_config
from caspian_sim.errors import ConfigError

INVALID = Path(__file__).parent / "configs_invalid"
VALID = "name: case\nperiod: {start: 2026, end: 2100}\n"


def message_of(source, overrides=()):
    with pytest.raises(ConfigError) as caught:
        load_config(source, overrides)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", sorted(path.stem for path in INVALID.glob("*.yaml")))
def test_invalid_file_gives_its_message_word_for_word(case, monkeypatch):
    monkeypatch.chdir(INVALID)
    assert message_of(f"{case}.yaml") + "\n" == Path(f"{case}.txt").read_text(encoding="utf-8")


def test_every_invalid_file_has_its_message_and_the_other_way_round():
    assert {p.stem for p in INVALID.glob("*.yaml")} == {p.stem for p in INVALID.glob("*.txt")}


def test_every_place_in_a_message_is_a_place_in_the_file():
    for path in INVALID.glob("*.txt"):
        for name, line, column in re.findall(r"^([\w./]+\.yaml):(\d+):(\d+)", path.read_text("utf-8"), re.M):
            lines = (INVALID / name).read_text(encoding="utf-8").split("\n")
            assert int(column) <= len(lines[int(line) - 1]) + 1, (path.name, line, column)


def test_problems_are_available_one_by_one():
    with pytest.raises(InvalidConfigError) as caught:
        parse_config(VALID + "uncertainty: {members: 0, seeds: 1}\n", "stored")
    problems = caught.value.problems
    assert [problem.path for problem in problems] == [("uncertainty", "members"), ("uncertainty", "seeds")]
    assert problems[0].origin == "stored:3:24"
    assert problems[1].finding.hint == "did you mean 'seed'?"


def test_misspelt_parameter_is_answered_with_the_shipped_names():
    source = {"name": "case", "period": {"start": 2026, "end": 2100}, "parameters": {"groundwatr": 4}}
    assert message_of(source) == (
        "config  parameters.groundwatr: unknown parameter 'groundwatr'\n"
        f"    allowed  {', '.join(data.parameters())}\n"
        "    hint     did you mean 'groundwater'?"
    )


# ---- files that cannot be read -------------------------------------------------------------------


def test_missing_file_suggests_the_nearest_one_beside_it(folder):
    (folder / "configs").mkdir()
    (folder / "configs" / "joint.yaml").write_text(VALID)
    assert message_of("configs/jiont.yaml") == (
        "configs/jiont.yaml: no such file\n    hint     did you mean configs/joint.yaml?"
    )
    assert message_of("configs/x.yaml") == (
        "configs/x.yaml: no such file\n    hint     name a file in it: joint.yaml"
    )
    assert (
        message_of("config/joint.yaml")
        == "config/joint.yaml: no such file\n    hint     there is no folder config"
    )
    assert message_of("joint.yaml") == (
        "joint.yaml: no such file\n    hint     there is no YAML file in the working directory"
    )


def test_folder_instead_of_a_file_lists_what_it_holds(folder):
    (folder / "joint.yaml").write_text(VALID)
    assert message_of(".") == ".: this is a folder, not a file\n    hint     name a file in it: joint.yaml"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind neither here")
def test_unreadable_file_is_named(folder):
    Path("secret.yaml").write_text(VALID)
    Path("secret.yaml").chmod(0)
    assert message_of("secret.yaml") == "secret.yaml: the file cannot be read: Permission denied"


def test_file_of_100_megabytes_is_refused_at_once(folder):
    with open("big.yaml", "wb") as stream:
        stream.truncate(100_000_000)
    begin = time.perf_counter()
    assert message_of("big.yaml") == (
        "big.yaml: the file is too large for a configuration\n"
        "    found    100,000,000 bytes\n"
        "    allowed  up to 1,000,000 bytes"
    )
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"name: case\ntitle: K\xfcste\n",
            "case.yaml:2: the file is not UTF-8 text\n"
            "    found    byte 0xfc at offset 19\n"
            "    hint     save the file as UTF-8",
        ),
        (
            VALID.encode("utf-16-le"),
            "case.yaml:1:2: the file is not plain text\n    found    control character 0x00",
        ),
        (
            b"name: case\ntitle: a\0b\n",
            "case.yaml:2:9: the file is not plain text\n    found    control character 0x00",
        ),
        (b"", "case.yaml: the file is empty\n    hint     caspian-sim init writes a file to start from"),
        (b"---\n", "case.yaml: the file is empty\n    hint     caspian-sim init writes a file to start from"),
        (b"[" * 20_000, "case.yaml: maps and lists are nested too deeply"),
        (
            b"name: " + b"9" * 5000,
            f"case.yaml:1:7: '{'9' * 56}... does not fit its tag\n    found    !!int",
        ),
    ],
    ids=["latin-1", "utf-16", "nul byte", "empty", "no document", "deep", "endless number"],
)
def test_bytes_that_are_no_configuration_give_a_message(folder, content, message):
    Path("case.yaml").write_bytes(content)
    assert message_of("case.yaml") == message


def test_byte_order_mark_is_no_part_of_the_text(folder):
    Path("case.yaml").write_bytes(b"\xef\xbb\xbf" + VALID.encode())
    assert load_config("case.yaml").name == "case"


# ---- mappings and overrides -------------------------------------------------------------------------


def test_mapping_from_python_is_checked_like_a_file():
    assert message_of({"name": "case", "period": {"start": 2026, "end": "2100"}}) == (
        "config  period.end: '2100' is not a whole number\n"
        "    found    '2100'\n"
        "    allowed  a whole number, 1937 to 2250 (calendar year)\n"
        "    hint     write 2100 without quotes"
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "uncertainty.memebrs=10",
            "--set uncertainty.memebrs=10  uncertainty.memebrs: unknown key 'memebrs'\n"
            "    allowed  members, seed, parameters, posterior, sampling, variability\n"
            "    hint     did you mean 'members'?",
        ),
        (
            "outcomes.report_years=[2030, 2150]",
            "--set outcomes.report_years=[2030, 2150]  "
            "outcomes.report_years[1]: 2150 lies outside the period\n"
            "    found    2150\n"
            "    allowed  2026 to 2100",
        ),
        (
            "uncertainty.members",
            "--set uncertainty.members: this is not a setting\n"
            "    found    'uncertainty.members'\n"
            "    allowed  key=value, such as uncertainty.members=1000",
        ),
        (
            "uncertainty..members=1",
            "--set uncertainty..members=1: this is not a setting\n"
            "    found    'uncertainty..members=1'\n"
            "    allowed  key=value, such as uncertainty.members=1000",
        ),
        (
            "climate.scenarios=[ssp126",
            "--set climate.scenarios=[ssp126: the value is not YAML: "
            "expected ',' or ']', but got '<stream end>'\n"
            "    found    '[ssp126'\n"
            "    hint     quote the value",
        ),
        (
            "outcomes.thresholds_m[1]=-31",
            "--set outcomes.thresholds_m[1]=-31: there is no outcomes.thresholds_m[1]\n"
            "    allowed  [0] to [0]",
        ),
        (
            "outcomes.report_years[0]=2030",
            "--set outcomes.report_years[0]=2030: there is no outcomes.report_years[0]\n"
            "    hint     give the list as a whole: outcomes.report_years=[...]",
        ),
        (
            "name.first=a",
            "--set name.first=a  name: a map is not text\n    found    a map\n    allowed  text",
        ),
        (
            "extends=base.yaml",
            "--set extends=base.yaml: extends belongs in a file\n"
            "    hint     overrides apply after all files are merged",
        ),
    ],
)
def test_override_is_named_in_its_message(override, message):
    source = {
        "name": "case",
        "period": {"start": 2026, "end": 2100},
        "outcomes": {"thresholds_m": [-30]},
    }
    assert message_of(source, [override]) == message


def test_problems_of_overrides_and_of_the_file_are_reported_together(folder):
    Path("case.yaml").write_text(VALID + "climates: {}\n")
    text = message_of("case.yaml", ["nonsense", "solver.method=euler"])
    assert [line.split(": ")[0] for line in text.split("\n") if not line.startswith("    ")] == [
        "--set nonsense",
        "--set solver.method=euler  solver.method",
        "case.yaml:3:1  climates",
    ]


# ---- catalogues of measures ---------------------------------------------------------------------------


def test_catalogue_of_measures_names_the_line_at_fault(folder):
    Path("measures.yaml").write_text(
        "- id: dam\n  state: TM\n  title: Dam the strait\n  mechanism: strait_regulation\n"
        "  opening: 1.5\n  start: 2030\n  grade: D\n  source: assumed\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_measures("measures.yaml")
    assert str(caught.value) == (
        "measures.yaml:5:12  [0].opening: 1.5 is out of range\n"
        "    found    1.5\n"
        "    allowed  a number, 0 to 1"
    )
