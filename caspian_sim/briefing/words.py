"""Texts of the brief: one file for each language in ``lang/``, every file with the same keys and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from caspian_sim.errors import ConfigError

FOLDER = Path(__file__).with_name("lang")
ENGLISH = "en"


@dataclass(frozen=True)
class Words:
    """Texts of one language.

    Attributes
    ----------
    code : str
        Of the language, as in the attribute ``lang`` of HTML.
    texts : mapping of str to str
        With gaps in braces.
    """

    code: str
    texts: Mapping[str, str]

    def say(self, key: str, /, **values: Any) -> Markup:
        """Give a text with values put in, all of them escaped for HTML."""
        return Markup(escape(self.texts[key])).format(**values)

    def plain(self, key: str, /, **values: Any) -> str:
        """Give a text with values put in, for attributes and alternative texts."""
        return self.texts[key].format(**values)

    def both(self, items: list[Any]) -> Markup:
        """Join items to a list in a sentence."""
        if len(items) < 2:
            return Markup("").join(items)
        return self.say("list.last", first=Markup(", ").join(items[:-1]), last=items[-1])


def available() -> list[str]:
    """Languages that ship with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def words(code: str) -> Words:
    """Texts of a language.

    Raises
    ------
    ConfigError
        When there is no such language.
    """
    if code not in available():
        raise ConfigError(
            f"the brief is not written in the language {code!r}\n"
            f"    found    {code!r}\n"
            f"    allowed  {', '.join(available())}"
        )
    return _read(code)


@cache
def _read(code: str) -> Words:
    from ruamel.yaml import YAML

    texts: dict[str, str] = YAML(typ="safe", pure=True).load(FOLDER / f"{code}.yaml")
    return Words(code, texts)
