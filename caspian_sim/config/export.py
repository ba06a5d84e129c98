"""What is made of a configuration and of its schema: text, hash, JSON Schema, reference, template."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from caspian_sim.config.forcing import TERMS
from caspian_sim.config.schema import Config
from caspian_sim.errors import ConfigError, OutputError

# Keys that name an input file.
FILE_KEYS = (
    "initial.observations",
    "basin.hypsometry",
    "uncertainty.posterior",
    *(f"forcing.{term}.file" for term in TERMS),
)
_UNHASHED = ("name", "title", "description", "output", "execution")


def resolved_yaml(config: Config) -> str:
    """Fully resolved configuration as YAML text that loads back to an equal one.

    Keys that are not set and have no default are left out.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(_lists(config.model_dump(exclude_none=True)), stream)
    return stream.getvalue()


def config_hash(config: Config) -> str:
    """SHA-256 of everything in a configuration that can change a number.

    Left out are name, title, description, output and execution, which say how a run is called, what
    is written of it and where the work is done. The order of keys does not count, that of lists does.
    Input files count by their content, so that the hash does not depend on where they lie.

    Raises
    ------
    ConfigError
        If an input file is no longer there.
    """
    content = _lists(config.model_dump(exclude_none=True, exclude=set(_UNHASHED)))
    for key, checksum in file_hashes(config).items():
        *above, last = key.split(".")
        section = content
        for step in above:
            section = section[step]
        section[last] = checksum
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def file_hashes(config: Config) -> dict[str, str]:
    """SHA-256 of the input files that a configuration names, by the key that names them.

    Raises
    ------
    ConfigError
        If one of them is no longer there.
    """
    hashes = {}
    for key in FILE_KEYS:
        path: Any = config
        for step in key.split("."):
            path = getattr(path, step, None)
        if path is None:
            continue
        try:
            hashes[key] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}") from None
    return hashes


def json_schema() -> dict[str, Any]:
    """JSON Schema of a configuration file, for completion and checks in editors.

    A file may leave to the files it extends what the whole configuration needs, so that no key
    of a section is required here.
    """
    schema = {
        **Config.model_json_schema(),
        "title": "Configuration of caspian_sim",
        "description": "A run: what is projected, with what uncertainty, for which measures and programmes.",
    }
    for part in (schema, *schema["$defs"].values()):
        if part.get("title") not in ("Measure", "VolumeRange", "OwnPort"):
            part.pop("required", None)
    schema["properties"] = {
        "extends": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "description": "Files to start from, relative to this one. Later files are laid over earlier "
            "ones and this file over all: maps merge, lists replace, null deletes an inherited key.",
        },
        **schema["properties"],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_template(path: str | Path) -> Path:
    """Write a commented configuration to start from.

    Parameters
    ----------
    path : path
        New file; its folder must exist.

    Raises
    ------
    OutputError
        If the file exists already or cannot be written.
    """
    target = Path(path)
    text = (files("caspian_sim.config") / "template.yaml").read_text(encoding="utf-8")
    try:
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{path}: the file exists already\n    hint     choose another name") from None
    except OSError as error:
        raise OutputError(f"{path}: the file cannot be written: {error.strerror}") from None
    return target


def key_table() -> str:
    """Write the reference of all keys as a Markdown table, in the order of the schema."""
    schema = Config.model_json_schema()
    rows = ["| key | type | unit | default | meaning |", "|---|---|---|---|---|"]
    for key, spec in _keys(schema, schema["$defs"], ""):
        cells = (f"`{key}`", _type(spec), spec.get("unit", ""), _default(key, spec))
        rows.append(
            "|" + "|".join(f" {cell} " if cell else " " for cell in (*cells, spec["description"])) + "|"
        )
    return "\n".join(rows) + "\n"


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(child) for child in value]
    return value


def _keys(
    spec: dict[str, Any], shared: dict[str, dict[str, Any]], prefix: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk a JSON Schema: every key below `prefix` with its own schema, sections before their keys."""
    for name, member in spec.get("properties", {}).items():
        key = f"{prefix}{name}"
        inner = _inner(member)
        if inner is not None and "$ref" in inner:
            model = shared[inner["$ref"].rpartition("/")[2]]
            target = next(part for part in (model, *model.get("anyOf", ())) if "properties" in part)
            place = {"array": "[]", "object": ".<name>"}.get(member.get("type", ""), "")
            yield key, {"description": target["description"], **member}
            yield from _keys(target, shared, f"{key}{place}.")
        else:
            yield key, member


def _inner(member: dict[str, Any]) -> dict[str, Any] | None:
    """Model inside a key: the key itself, the items of a list or the values of a map."""
    for candidate in (
        member,
        *member.get("anyOf", ()),
        member.get("items", {}),
        member.get("additionalProperties", {}),
        *member.get("patternProperties", {}).values(),
    ):
        if isinstance(candidate, dict) and "$ref" in candidate:
            return candidate
    return None


def _type(spec: dict[str, Any]) -> str:
    """Type of a key in words, with its choices and limits."""
    choices = [part for part in spec.get("anyOf", spec.get("oneOf", ())) if part.get("type") != "null"]
    if choices:
        return " or ".join(_type(part) for part in choices)
    if "enum" in spec or "const" in spec:
        return ", ".join(str(word) for word in spec.get("enum", [spec.get("const")]))
    kind = spec.get("type", "object")
    if kind == "array":
        return f"list of {_type(spec['items'])}"
    if kind == "object":
        values = spec.get("additionalProperties")
        return f"map of {_type(values)}" if isinstance(values, dict) and "$ref" not in values else "map"
    if kind == ["integer", "string"]:
        return "year or month"
    word = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}[kind]
    above = spec.get("exclusiveMinimum")
    low, high = spec.get("minimum", above), spec.get("maximum")
    if low is None:
        return word
    limits = f"{low:.10g} or more" if high is None else f"{low:.10g} to {high:.10g}"
    return f"{word}, {'above ' if above is not None else ''}{limits}"


def _default(key: str, spec: dict[str, Any]) -> str:
    if key == "output.directory":
        return "results/<name>"
    if "default" not in spec:
        return "" if _type(spec) == "map" else "required"
    value = spec["default"]
    if value is None or isinstance(value, dict):
        return ""
    return f"`{json.dumps(value)}`"
