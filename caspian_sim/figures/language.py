"""Languages of the figures: English in the code, others as files of texts, shipped or of the user's own.

A file is YAML (JSON is YAML as well) with one text for each key of ``english``. Texts keep their gaps in
braces; names of programmes, measures and the like may be added. The type of the figures, DejaVu, has the
letters of Azerbaijani, Kazakh, Russian and Turkmen; those of Persian are there, but matplotlib neither joins
them nor sets them from right to left.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from string import Formatter

import numpy as np

from caspian_sim import data
from caspian_sim.basin.hypsometry import load_hypsometry
from caspian_sim.config.catalogue import default_catalogue
from caspian_sim.errors import ConfigError
from caspian_sim.evaluate.hindcast import DEGREES_OF_FREEDOM
from caspian_sim.evaluate.literature import USE_AS_TODAY
from caspian_sim.evaluate.published import short_citation
from caspian_sim.figures.chart import places
from caspian_sim.figures.hypsometry import PUBLISHED
from caspian_sim.figures.text import ENGLISH, print_unit, speaking, typeset

SHIPPED = Path(__file__).with_name("lang")
OPEN_KINDS = ("programme.", "measure.", "title.", "scenario.", "state.", "river.", "curve.")
"""Beginnings of keys that a file may add: names that configurations bring."""
SUFFIXES = (".yaml", ".yml", ".json")
MOST_LISTED = 5
GRADED = (
    "sea_level_annual",
    "sea_level_monthly",
    "river_inflow_annual",
    "net_evaporation_implied",
    "hypsometry",
)
"""Datasets whose grade stands in figures."""


def available() -> list[str]:
    """Languages that ship with the package, by their codes."""
    return ["en", *sorted(path.stem for path in SHIPPED.glob("*.yaml"))]


@functools.cache
def english() -> Mapping[str, str]:
    """Every text in English: :data:`~caspian_sim.figures.text.ENGLISH`, and words of the data tables.

    Returns
    -------
    mapping of str to str
        Words of the data tables by their kind and what they are, such as ``check.bias``.
    """
    words = {f"{kind}.{word}": word for kind, group in data_words().items() for word in group}
    return {**ENGLISH, **{key: word for key, word in words.items() if key not in ENGLISH}}


@contextmanager
def language(wanted: str) -> Iterator[None]:
    """Speak a language in all figures that are drawn inside.

    Parameters
    ----------
    wanted : str
        Code of a shipped language, or a path to a file of texts.

    Raises
    ------
    ConfigError
        When there is no such language, or its file lacks a text or has one that does not fit.
    """
    with speaking(load_language(wanted)):
        yield


def load_language(wanted: str) -> Mapping[str, str]:
    """Read the texts of a language.

    Parameters
    ----------
    wanted : str
        As for :func:`language`.

    Returns
    -------
    mapping of str to str

    Raises
    ------
    ConfigError
        As for :func:`language`.
    """
    if wanted == "en":
        return ENGLISH
    if wanted in available():
        return _shipped(wanted)
    path = Path(wanted)
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"there is no language {wanted!r}\n"
            f"    found    {wanted!r}\n"
            f"    allowed  {', '.join(available())}, or a file of texts such as az.yaml"
        )
    return read_texts(path)


@functools.cache
def _shipped(code: str) -> Mapping[str, str]:
    return read_texts(SHIPPED / f"{code}.yaml")


def read_texts(path: Path) -> Mapping[str, str]:
    """Read a file of texts and hold it against the English ones.

    Raises
    ------
    ConfigError
        When it cannot be read, lacks a text, or has one that is unknown or has other gaps.
    """
    lines, texts = _pairs(path)
    known, faults = english(), []
    for key, text in texts.items():
        place = f"{path}:{lines[key]}"
        if key not in known:
            if key.startswith(OPEN_KINDS):
                continue
            near = get_close_matches(key, known, 1)
            hint = f"\n    hint     did you mean {near[0]!r}?" if near else ""
            faults.append(f"{place}: unknown text {key!r}{hint}")
        elif (found := _gaps(text)) != (asked := _gaps(known[key]) or set()):
            faults.append(
                f"{place}: the text {key!r} does not have the gaps of the English one\n"
                f"    found    {_listed(found)}\n"
                f"    needed   {_listed(asked)}"
            )
    missing = [key for key in known if key not in texts]
    if missing:
        others = f" and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
        faults.append(
            f"{path}: {len(missing)} of {len(known)} texts are missing\n"
            f"    missing  {', '.join(missing[:MOST_LISTED])}{others}\n"
            "    hint     caspian-sim figures --texts FILE writes all of them in English"
        )
    if faults:
        more = [f"and {len(faults) - MOST_LISTED} more"] if len(faults) > MOST_LISTED else []
        raise ConfigError("\n".join([*faults[:MOST_LISTED], *more]))
    return texts


def texts_yaml(wanted: str) -> str:
    """Write all texts of a language as the YAML that another one can start from."""
    import json

    table = {**english(), **load_language(wanted)}
    rows = [": ".join(json.dumps(word, ensure_ascii=False) for word in row) for row in table.items()]
    head = (
        "# Texts of the figures. Keep the keys and what stands in braces {}; translate what follows a key.\n"
        "# Names of measures and programmes may be added, such as measure.strait-closure.\n"
    )
    return head + "\n".join(rows) + "\n"


def data_words() -> Mapping[str, list[str]]:
    """Words of the shipped tables that stand in figures, by kind, in English."""
    checks, papers = data.load("hindcast_checks"), data.load("projections_literature")
    falls, routes = data.load("thresholds"), data.load("port_routes")
    sources = [
        data.fact(PUBLISHED[0][0]).source,
        *falls["source"].values[np.isfinite(falls["drop"].values)],
        *routes["source"].values,
    ]
    units = [*checks["unit"].values, *(prior.unit for prior in data.parameters().values())]
    words: dict[str, list[str]] = {
        "check": list(checks["title"].values),
        "unit": [print_unit(unit) for unit in units if print_unit(unit)],
        "kind": list(papers["range_kind"].values),
        "published": list(papers["scenario"].values),
        "paper": [w for w in map(short_citation, papers["citation"].values) if "(" not in w],
        "grade": [typeset(data.entry(name).grade) for name in GRADED],
        "source": [typeset(source) for source in sources],
        "curve": [load_hypsometry().name],
        "freedom": [DEGREES_OF_FREEDOM],
        "use": [USE_AS_TODAY],
        "title": [measure.title for measure in default_catalogue()],
        "place": [place.name for place in places()],
    }
    return {kind: [str(word) for word in dict.fromkeys(group)] for kind, group in words.items()}


def _gaps(text: str) -> set[str] | None:
    """Names in braces in a text; None when the braces do not match."""
    try:
        return {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    except ValueError:
        return None


def _listed(gaps: set[str] | None) -> str:
    if gaps is None:
        return "braces that do not match"
    return ", ".join(f"{{{gap}}}" for gap in sorted(gaps)) or "none"


def _pairs(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Keys of a file with their lines, and their texts."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    try:
        root = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ConfigError(f"{path}: the file of texts cannot be read\n    found    {reason}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML\n    found    {error.problem}") from error
    if not isinstance(root, MappingNode):
        raise ConfigError(f'{path}: a file of texts is a map\n    allowed  key: "text", one a line')
    lines: dict[str, int] = {}
    texts: dict[str, str] = {}
    for key, value in root.value:
        place = f"{path}:{key.start_mark.line + 1}"
        if not isinstance(value, ScalarNode):
            raise ConfigError(f"{place}: {key.value!r} is not a text")
        if key.value in texts:
            raise ConfigError(f"{place}: {key.value!r} is there twice, first in line {lines[key.value]}")
        lines[key.value], texts[key.value] = key.start_mark.line + 1, value.value
    return lines, texts
