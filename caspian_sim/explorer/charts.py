"""The charts of the page: bokeh figures that ``page.js`` fills and finds by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from bokeh.embed import json_item
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    Label,
    Range1d,
    Span,
)
from bokeh.plotting import figure

from caspian_sim.explorer.content import Exploration, View, first_choice, ticks
from caspian_sim.figures import style

FAN_PX, SMALL_PX, LEFT_PX = 400, 230, 62
FONT: Final = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"
# A true minus sign.
TICKS: Final = "return String(tick).replace('-', '\\u2212')"
DASHES, DOTS = [7, 4], [2, 3]


def charts(content: Exploration, words: Mapping[str, str]) -> list[Any]:
    """Charts of the level, of the probability to lie below the threshold and of the gain, as bokeh's JSON.

    Parameters
    ----------
    content : Exploration
    words : mapping of key to str
        Table of the language.

    Returns
    -------
    list of dict
        One for each element of the page: ``fan``, ``below`` and ``gain``.
    """
    first, last = int(content.years[0]), int(content.years[-1])
    lowest, highest = content.levels_range()
    fan = _plot("fan", (int(content.record[0][0]), last), (lowest, highest), words["axis.level"], FAN_PX)
    below = _plot("below", (first, last), (0.0, 100.0), words["axis.below"], SMALL_PX)
    gain = _plot("gain", (first, last), content.gains_range(), words["axis.gain"], SMALL_PX)
    course = _course(content, "fan")
    _band(fan, course, "fan", "low", "high")
    for edge in ("low", "high"):
        _line(fan, course, f"none_{edge}", f"fan_none_{edge}", style.MUTED, 1.0, DOTS)
    _line(fan, course, "none_median", "fan_none", style.MUTED, 2.0, DASHES)
    _line(fan, course, "median", "fan_line", style.INK, 2.5)
    record = ColumnDataSource({"year": content.record[0].tolist(), "level": content.record[1].tolist()})
    fan.line("year", "level", source=record, color=style.INK, line_width=1.8)
    fan.add_layout(
        Span(
            name="fan_threshold",
            dimension="width",
            location=first_choice(content).threshold,
            line_color=style.INK,
            line_dash=[2, 2],
            line_width=1.2,
            level="annotation",
        )
    )
    fan.add_layout(_label("fan_threshold_label", 0, x_units="screen", x_offset=6, text_baseline="bottom"))
    now = int(content.record[0][-1])
    fan.add_layout(
        _label(
            "fan_observed",
            now,
            y=float(content.record[1].max()),
            text=words["legend.observed"],
            text_align="right",
            text_baseline="bottom",
            x_offset=-8,
        )
    )
    for chart, names in ((fan, ("fan_end", "fan_none_end")), (below, ("below_end", "below_none_end"))):
        for end in names:
            chart.add_layout(_label(end, last, x_offset=6))
    course = _course(content, "below")
    _line(below, course, "none_below", "below_none", style.MUTED, 2.0, DASHES)
    _line(below, course, "below", "below_line", style.INK, 2.5)
    course = _course(content, "gain")
    _band(gain, course, "gain", "gain_low", "gain_high")
    _line(gain, course, "gain_median", "gain_line", style.INK, 2.5)
    gain.add_layout(Span(dimension="width", location=0.0, line_color=style.MUTED, line_width=1.0))
    gain.add_layout(_label("gain_end", last, x_offset=6))
    return [json_item(chart, chart.name) for chart in (fan, below, gain)]


def _course(content: Exploration, chart: str) -> ColumnDataSource:
    """Give what is drawn before the page has counted anything: nothing, at the years of the run."""
    years = content.years.tolist()
    nothing = {f.name: [float("nan")] * len(years) for f in fields(View)}
    return ColumnDataSource({**nothing, "year": years}, name=f"{chart}_course")


def _plot(name: str, years: tuple[int, int], values: tuple[float, float], label: str, height: int) -> Any:
    chart = figure(
        name=name,
        height=height,
        sizing_mode="stretch_width",
        x_range=Range1d(*years),
        tools="",
        toolbar_location=None,
        y_axis_label=label,
        y_range=Range1d(*values),
        output_backend="canvas",
    )
    chart.min_border_left = LEFT_PX
    chart.outline_line_color = None
    chart.xgrid.grid_line_color = None
    chart.ygrid.grid_line_color = style.RULE
    chart.xaxis.ticker = FixedTicker(ticks=ticks(*years))
    chart.xaxis.formatter = CustomJSTickFormatter(code="return String(tick)")
    chart.yaxis.formatter = CustomJSTickFormatter(code=TICKS)
    for axis in (*chart.xaxis, *chart.yaxis):
        axis.axis_line_color = style.MUTED
        axis.major_tick_line_color = style.MUTED
        axis.minor_tick_line_color = None
        axis.major_label_text_font = axis.axis_label_text_font = FONT
        axis.major_label_text_font_size = axis.axis_label_text_font_size = "13px"
        axis.major_label_text_color = axis.axis_label_text_color = style.INK
        axis.axis_label_text_font_style = "normal"
    chart.add_layout(
        Span(
            name=f"{name}_year",
            dimension="height",
            line_color=style.MUTED,
            line_width=1.0,
            line_dash=[1, 3],
            level="annotation",
        )
    )
    return chart


def _band(chart: Any, course: ColumnDataSource, name: str, low: str, high: str) -> None:
    chart.varea("year", low, high, source=course, name=f"{name}_band", fill_alpha=0.25, fill_color=style.INK)
    for edge, column in (("low", low), ("high", high)):
        _line(chart, course, column, f"{name}_{edge}", style.INK, 1.0)


def _line(
    chart: Any,
    course: ColumnDataSource,
    column: str,
    name: str,
    colour: str,
    width: float,
    dash: list[int] | None = None,
) -> None:
    chart.line(
        "year", column, source=course, name=name, color=colour, line_width=width, line_dash=dash or "solid"
    )


def _label(name: str, x: float, **more: Any) -> Label:
    given = {"y": 0.0, "text": "", "text_baseline": "middle", **more}
    return Label(
        name=name,
        x=x,
        text_font=FONT,
        text_font_size="13px",
        text_color=style.INK,
        text_line_height=1.1,
        background_fill_color="white",
        background_fill_alpha=0.85,
        **given,
    )
