"""The explorer in a notebook: the same choices and numbers as on the page, drawn by matplotlib."""

from __future__ import annotations

import html
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from caspian_sim.errors import OutputError
from caspian_sim.explorer.chart import Chart
from caspian_sim.explorer.content import (
    BANDS,
    MOST_MEMBERS,
    Choice,
    Exploration,
    Progress,
    View,
    first_choice,
    first_likely_year,
    gather,
)
from caspian_sim.explorer.text import paragraphs, words
from caspian_sim.figures.text import name, number
from caspian_sim.results import open_result

EXTRA: Final = 'the explorer in a notebook needs ipywidgets: pip install "caspian-sim[notebook]"'
FINE_STEP: Final = 0.05
THRESHOLD_STEP: Final = 0.1


def explore(
    results: str | Path | xr.Dataset, *, members: int = MOST_MEMBERS, progress: Progress | None = None
) -> Explorer:
    """Look around in a result in a notebook: sliders and choices, and what follows from them.

    Parameters
    ----------
    results : path or xarray.Dataset
        Result of :func:`caspian_sim.run` with its members, its file, or its folder.
    members : int
        Members to look at, the first ones of the run.
    progress : callable, optional
        Called with the batches done and the batches in all, while programmes are run at other intensities.

    Returns
    -------
    Explorer
        Shows itself at the end of a cell.

    Raises
    ------
    OutputError
        When ipywidgets is not installed.
    DataError
        When the dataset is not that of a run, or does not keep its members.

    Examples
    --------
    >>> import caspian_sim as cs
    >>> cs.explore(cs.run("configs/quickstart.yaml"))
    """
    if find_spec("ipywidgets") is None:
        raise OutputError(EXTRA)
    dataset = results if isinstance(results, xr.Dataset) else open_result(results)
    return Explorer(gather(dataset, members=members, progress=progress))


class Explorer:
    """Controls, chart and numbers of an exploration in a notebook.

    Parameters
    ----------
    content : Exploration

    Attributes
    ----------
    content : Exploration
    choice : Choice
        What is chosen now.
    view : View
        What is shown now, by year.
    controls : dict of name to widget
        ``scenario``, ``programme``, ``intensity``, ``band``, ``threshold``, ``year``.
    widget : ipywidgets.VBox
        All of it.
    """

    def __init__(self, content: Exploration) -> None:
        import ipywidgets as widgets

        self.content = content
        self.choice: Choice = first_choice(content)
        self.controls: dict[str, Any] = _controls(content, self.choice, widgets)
        self._chart = Chart(content)
        self._image = widgets.Image(format="png", layout={"max_width": "100%"})
        self._numbers = widgets.HTML()
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        about = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs(content))
        self.widget: Any = widgets.VBox(
            [
                widgets.GridBox(
                    list(self.controls.values()),
                    layout={"grid_template_columns": "repeat(auto-fill, minmax(340px, 1fr))"},
                ),
                self._numbers,
                self._image,
                widgets.HTML(f'<details style="line-height:1.4"><summary>About</summary>{about}</details>'),
            ]
        )
        self._still = False
        self._turn()
        self.redraw()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self._still:
            return
        if change["owner"] is self.controls["programme"]:
            self._turn()
        self.redraw()

    def _turn(self) -> None:
        """Let the intensity take the values at which the programme can be looked at."""
        dial, control = self.content.dials[self.controls["programme"].value], self.controls["intensity"]
        steps = dial.nodes
        if dial.smooth:
            steps = tuple(np.arange(dial.nodes[0], dial.nodes[-1] + FINE_STEP / 2, FINE_STEP).round(2))
        now = control.value if control.value in steps else 1.0
        self._still = True
        control.options = [(f"{100 * step:.0f} %", float(step)) for step in steps]
        control.value, control.disabled = now, len(steps) == 1
        self._still = False

    def redraw(self) -> None:
        """Draw what is chosen, and write its numbers."""
        chosen = {key: control.value for key, control in self.controls.items()}
        # A slider counts its steps in binary fractions.
        c = self.choice = Choice(**{**chosen, "threshold": round(chosen["threshold"], 6)})
        self.view = self.content.view(c.scenario, c.programme, c.intensity, c.band, c.threshold)
        self._numbers.value = summary(self.content, self.choice, self.view)
        self._image.value = self._chart.png(self.choice, self.view)


def _controls(content: Exploration, first: Choice, widgets: Any) -> dict[str, Any]:
    say = words()
    lowest, highest = content.levels_range()
    wide = {"style": {"description_width": "110px"}, "layout": {"width": "340px"}}
    scenarios = [(name("scenario", each), each) for each in content.scenarios]
    programmes = [(name("programme", each), each) for each in content.programmes]
    bands = [(f"{100 * band:.0f} %", band) for band in BANDS]
    return {
        "scenario": widgets.Dropdown(
            options=scenarios, value=first.scenario, description=say["scenario"], **wide
        ),
        "programme": widgets.Dropdown(
            options=programmes, value=first.programme, description=say["programme"], **wide
        ),
        "intensity": widgets.SelectionSlider(
            options=[("100 %", 1.0)], value=1.0, description=say["intensity"], **wide
        ),
        "band": widgets.Dropdown(options=bands, value=first.band, description=say["band"], **wide),
        "threshold": widgets.FloatSlider(
            value=first.threshold,
            min=lowest,
            max=highest,
            step=THRESHOLD_STEP,
            readout_format=".1f",
            description=say["threshold"],
            **wide,
        ),
        "year": widgets.IntSlider(
            value=first.year,
            min=int(content.years[0]),
            max=int(content.years[-1]),
            description=say["year"],
            **wide,
        ),
    }


def summary(content: Exploration, choice: Choice, view: View) -> str:
    """Numbers of a year, as HTML."""
    say = words()
    y = int(choice.year - content.years[0])
    none, level = name("programme", "none"), number(choice.threshold, 1)
    band = {"share": number(100 * choice.band)}

    def row(title: str, value: str, more: str) -> str:
        return f"<tr><td>{html.escape(title)}&emsp;</td><td><b>{value}</b>&emsp;</td><td>{more}</td></tr>"

    def between(low: float, high: float, digits: int, sign: bool = False) -> str:
        limits = {"low": number(low, digits, sign), "high": number(high, digits, sign)}
        return say["numbers.between"].format(**band, **limits)

    def year(below: Any) -> str:
        found = first_likely_year(content.years, below)
        return say["numbers.first.never"].format(last=content.years[-1]) if found is None else str(found)

    def metres(value: float) -> str:
        return say["numbers.range"].format(median=number(value, 2))

    def percent(share: float) -> str:
        return say["numbers.below.value"].format(percent=number(100 * share))

    title = say["numbers.level"]
    rows = [
        row(
            title.format(name=name("programme", choice.programme)),
            metres(view.median[y]),
            between(view.low[y], view.high[y], 2),
        ),
        row(
            title.format(name=none),
            metres(view.none_median[y]),
            between(view.none_low[y], view.none_high[y], 2),
        ),
        row(
            say["numbers.gain"],
            say["numbers.gain.value"].format(median=number(100 * view.gain_median[y], 0, True)),
            between(100 * view.gain_low[y], 100 * view.gain_high[y], 0, True),
        ),
        row(
            say["numbers.below"].format(level=level),
            percent(view.below[y]),
            f"{none}: {percent(view.none_below[y])}",
        ),
        row(say["numbers.first"], year(view.below), f"{none}: {year(view.none_below)}"),
    ]
    head = say["numbers"].format(year=choice.year)
    assumed, measures = content.assumed[choice.programme]
    caveat = say["caveat"].format(assumed=assumed, measures=measures, parameters=content.assumed_parameters)
    return f"<b>{head}</b><table>{''.join(rows)}</table><small>{html.escape(caveat)}</small>"
