"""The catalogue of measures as text."""

from __future__ import annotations

import textwrap

from caspian_sim.config import Measure, default_catalogue

WIDTH = 100
INDENT = " " * 6
ASSUMED = "D"
FOOT = (
    "* assumption, not data (grade D). Grades: A official data or paper, B agency at second hand, C press, "
    "D assumption. Volumes: effect on the inflow to the sea, low / best / high; positive raises the level. "
    "Growth of use acts only with measures.growth: true, in every programme."
)


def measures_text(state: str | None = None) -> str:
    """Catalogue of measures by state, each with mechanism, volume, start, cost, grade and source.

    Parameters
    ----------
    state : str, optional
        Code of a state; all five when not given.
    """
    entries = sorted(default_catalogue(), key=lambda entry: (entry.state, entry.role != "measure"))
    blocks = ["\n".join(_lines(entry)) for entry in entries if state is None or entry.state == state]
    return "\n\n".join([*blocks, textwrap.fill(FOOT, WIDTH)])


def _lines(entry: Measure) -> list[str]:
    mark = " *" if entry.grade == ASSUMED else ""
    kind = ", growth of use" if entry.role == "growth" else ""
    facts = [
        f"{entry.mechanism}{kind}; {_size(entry)}; from {entry.start}; cost {_cost(entry)}; "
        f"grade {entry.grade}{mark}",
        f"source: {entry.source}",
    ]
    if entry.assumption is not None:
        facts.append(f"assumed: {entry.assumption}")
    wrapped = [
        textwrap.fill(fact, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT + "  ") for fact in facts
    ]
    return [f"{entry.state}{mark:<2}  {entry.id}: {entry.title}", *wrapped]


def _size(entry: Measure) -> str:
    if entry.moved_km3 is not None:
        moved = entry.moved_km3
        return f"moves {moved.low:g} / {moved.best:g} / {moved.high:g} km³ within the year, no net volume"
    if entry.volume_km3_per_yr is None:
        if entry.mechanism == "strait_regulation":
            return "what would have flowed out at the level of the day"
        return "no net volume"
    volume = entry.volume_km3_per_yr
    text = f"{volume.low:g} / {volume.best:g} / {volume.high:g} km³/yr"
    back = entry.return_flow
    if back is None:
        return text
    return f"{text} gross, of which {back.low:g} / {back.best:g} / {back.high:g} return anyway"


def _cost(entry: Measure) -> str:
    if entry.cost is None:
        return "unknown"
    low, high = f"{entry.cost.low:g}", f"{entry.cost.high:g}"
    return f"{low if low == high else f'{low} to {high}'} {entry.cost.unit}"
