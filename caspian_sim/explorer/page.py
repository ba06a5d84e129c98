"""The explorer as one HTML page that needs neither Python nor a network.

The charts are those of bokeh, whose script stands in the page; controls are those of the browser, so that
they work by keyboard, by touch and with a screen reader. ``page.js`` reads the levels, counts and redraws.
"""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final

from caspian_sim import __version__
from caspian_sim.errors import OutputError
from caspian_sim.explorer.content import BANDS, Exploration, first_choice
from caspian_sim.explorer.encode import PERCENT, packed
from caspian_sim.explorer.text import paragraphs, words
from caspian_sim.figures import style
from caspian_sim.figures.text import name

FINE_STEP: Final = 5
"""Step of the intensity where it is interpolated, %."""
EXTRA: Final = 'the page of the explorer needs bokeh: pip install "caspian-sim[dashboard]"'
COLUMNS: Final = {
    "year": "year",
    "low": "level_low_m_bhs",
    "median": "level_median_m_bhs",
    "high": "level_high_m_bhs",
    "below": "probability_below_percent",
    "none_low": "none_level_low_m_bhs",
    "none_median": "none_level_median_m_bhs",
    "none_high": "none_level_high_m_bhs",
    "none_below": "none_probability_below_percent",
    "gain_low": "gain_low_cm",
    "gain_median": "gain_median_cm",
    "gain_high": "gain_high_cm",
}
"""What is drawn, and the name of its column in a saved table."""
PLACE = re.compile(r"\{\{(\w+)\}\}")


def require_bokeh() -> None:
    """Refuse to make a page without bokeh (:class:`OutputError`)."""
    if find_spec("bokeh") is None:
        raise OutputError(EXTRA)


def page(content: Exploration, lang: str = "en") -> str:
    """Write an exploration as an HTML page.

    Parameters
    ----------
    content : Exploration
    lang : str
        Language of the words, one of :data:`caspian_sim.explorer.text.LANGUAGES`.

    Returns
    -------
    str
        The page: styles, scripts and levels are in it, and nothing is fetched when it is read.

    Raises
    ------
    OutputError
        When bokeh is not installed.
    """
    require_bokeh()
    from bokeh.resources import Resources

    from caspian_sim.explorer.charts import charts

    about = paragraphs(content, lang)
    values = {key: html.escape(text) for key, text in words(lang).items()} | {
        "lead": html.escape(about[0]),
        "paragraphs": "\n".join(f"<p>{html.escape(text)}</p>" for text in about[1:]),
        "lang": lang,
        "generator": f"caspian_sim {__version__}",
        "css": _part("page.css"),
        "script": _part("page.js"),
        "bokeh": Resources(mode="inline", components=["bokeh"]).render_js(),
        "content": _json(told(content, lang)),
        "charts": _json(charts(content, words(lang))),
        "levels": packed(content),
    }
    return PLACE.sub(lambda found: values[found[1]], _part("page.html"))


def told(content: Exploration, lang: str = "en") -> dict[str, Any]:
    """Tell the script of the page what it must know besides the levels."""
    first = first_choice(content)
    return {
        "title": content.title,
        "words": dict(words(lang)),
        "about": paragraphs(content, lang),
        "none": name("programme", "none"),
        "scenarios": [name("scenario", scenario) for scenario in content.scenarios],
        "colours": [
            style.SCENARIOS[scenario].colour if scenario in style.SCENARIOS else style.INK
            for scenario in content.scenarios
        ],
        "programmes": [
            {
                "name": name("programme", programme),
                "assumed": dict(
                    zip(("assumed", "measures"), content.assumed[programme], strict=True),
                    parameters=content.assumed_parameters,
                ),
                "acts": programme in content.acting,
                "nodes": [round(PERCENT * node) for node in content.dials[programme].nodes],
                "step": _step(content, programme),
            }
            for programme in content.programmes
        ],
        "members": len(content.members),
        "years": content.years.tolist(),
        "record": {"year": content.record[0].tolist()},
        "range": content.levels_range(),
        "bands": list(BANDS),
        "columns": COLUMNS,
        "first": {
            "scenario": content.scenarios.index(first.scenario),
            "programme": content.programmes.index(first.programme),
            "band": first.band,
            "threshold": first.threshold,
            "year": first.year,
        },
    }


def _step(content: Exploration, programme: str) -> int:
    dial = content.dials[programme]
    if dial.smooth or len(dial.nodes) == 1:
        return FINE_STEP
    return round(PERCENT * (dial.nodes[1] - dial.nodes[0]))


def _part(file: str) -> str:
    return files("caspian_sim.explorer").joinpath(file).read_text(encoding="utf-8")


def _json(value: object) -> str:
    """JSON that cannot end the element it stands in, whatever the texts of a configuration are."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
