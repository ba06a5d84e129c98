"""The charts of the explorer in a notebook, as one picture that is drawn again in a fraction of a second."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from caspian_sim.explorer.content import Choice, Exploration, View, ticks
from caspian_sim.explorer.text import words
from caspian_sim.figures import style
from caspian_sim.figures.text import name, number

SIZE_IN, DPI = (9.0, 6.4), 100
COMPRESSION = 1
"""Of the PNG: the picture goes no farther than to the browser."""


class Chart:
    """The three charts of the explorer as one picture, of which only what changes is drawn anew.

    Parameters
    ----------
    content : Exploration
    """

    def __init__(self, content: Exploration) -> None:
        self._years, self._acting = content.years, content.acting
        say = words()
        with style.drawing():
            self.figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
            canvas: Any = FigureCanvasAgg(self.figure)  # drawing has no types
            self._canvas = canvas
            grid = self.figure.add_gridspec(2, 2, height_ratios=(3, 2))
            self.fan = self.figure.add_subplot(grid[0, :])
            self.below, self.gain = (self.figure.add_subplot(grid[1, i]) for i in (0, 1))
            lowest, highest = content.levels_range()
            first, last = int(content.years[0]), int(content.years[-1])
            self.fan.set(
                xlim=(content.record[0][0], last + 24), ylim=(lowest, highest), ylabel=say["axis.level"]
            )
            self.below.set(xlim=(first, last + 14), ylim=(0, 100), ylabel=say["axis.below"])
            self.gain.set(xlim=(first, last + 14), ylim=content.gains_range(), ylabel=say["axis.gain"])
            self.fan.plot(*content.record, color=style.INK, linewidth=1.5)
            now, level = content.record[0][-1], content.record[1].max()
            self.fan.text(now, level, say["legend.observed"], ha="right", color=style.INK)
            self._lines = {
                "median": self._line(self.fan, 2.0, "-"),
                "none_median": self._line(self.fan, 1.6, (0, (4, 1.6))),
                "none_low": self._line(self.fan, 0.8, (0, (1, 1.5))),
                "none_high": self._line(self.fan, 0.8, (0, (1, 1.5))),
                "below": self._line(self.below, 2.0, "-"),
                "none_below": self._line(self.below, 1.6, (0, (4, 1.6))),
                "gain_median": self._line(self.gain, 2.0, "-"),
            }
            empty = np.zeros(len(content.years))
            self._bands = {
                "": self.fan.fill_between(content.years, empty, empty, alpha=0.25, linewidth=0.8),
                "gain_": self.gain.fill_between(content.years, empty, empty, alpha=0.25, linewidth=0.8),
            }
            self.gain.axhline(0.0, color=style.MUTED, linewidth=0.6)
            self._limit = self.fan.axhline(0.0, color=style.INK, linewidth=0.8, linestyle=(0, (2, 2)))
            self._limit_words = self.fan.text(content.record[0][0] + 1, 0.0, "", va="bottom")
            self._marks = [
                ax.axvline(first, color=style.MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
                for ax in (self.fan, self.below, self.gain)
            ]
            self._ends = {
                key: ax.text(last + 1, 0.0, "", va="center", color=style.INK)
                for key, ax in (
                    ("median", self.fan),
                    ("none_median", self.fan),
                    ("below", self.below),
                    ("none_below", self.below),
                    ("gain_median", self.gain),
                )
            }
            self._titles = [ax.set_title("Level", loc="left") for ax in (self.fan, self.below, self.gain)]
            for ax in (self.fan, self.below, self.gain):
                ax.grid(axis="y")
            self.fan.set_xticks(ticks(int(content.record[0][0]), last))
            for ax in (self.below, self.gain):
                ax.set_xticks(ticks(first, last))
            # From below to above; all else stays as it is, and is drawn once.
            self._moving: list[Artist] = [
                *self._bands.values(),
                *self._marks,
                self._limit,
                *reversed(self._lines.values()),
                self._limit_words,
                *self._ends.values(),
                *self._titles,
            ]
            # The room for titles and numbers is worked out while they are there.
            self._canvas.draw()
            self.figure.set_layout_engine("none")
            for artist in self._moving:
                artist.set_animated(True)
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)

    def _line(self, ax: Any, width: float, dashes: Any) -> Any:
        return ax.plot([], [], color=style.MUTED, linewidth=width, linestyle=dashes)[0]

    def png(self, choice: Choice, view: View) -> bytes:
        """Draw a choice, as a PNG picture."""
        say, years = words(), self._years
        mark = style.SCENARIOS.get(choice.scenario)
        colour = style.INK if mark is None else mark.colour
        values = {
            key: getattr(view, key) * (100.0 if "gain" in key or "below" in key else 1.0)
            for key in self._lines
        }
        with style.drawing():
            for key, line in self._lines.items():
                line.set_data(years, values[key])
            for key in ("median", "below", "gain_median"):
                self._lines[key].set_color(colour)
            for start, band in self._bands.items():
                scale = 100.0 if start else 1.0
                low, high = (scale * getattr(view, f"{start}{end}") for end in ("low", "high"))
                corners = np.concatenate([np.stack([years, low], 1), np.stack([years, high], 1)[::-1]])
                band.set_verts([corners])
                band.set_color(colour)
            self._limit.set_ydata([choice.threshold] * 2)
            level = number(choice.threshold, 1)
            self._limit_words.set(y=choice.threshold, text=say["threshold.label"].format(level=level))
            share = number(100 * choice.band)
            names = name("scenario", choice.scenario), name("programme", choice.programme)
            self._titles[0].set_text(
                say["fan.title"].format(
                    scenario=names[0],
                    programme=names[1],
                    percent=number(100 * choice.intensity),
                    share=share,
                    none=name("programme", "none"),
                )
            )
            self._titles[1].set_text(say["below"].format(level=level))
            self._titles[2].set_text(say["gain"])
            for mark_of_year in self._marks:
                mark_of_year.set_xdata([choice.year] * 2)
            self._label(values, choice)
            self._canvas.restore_region(self._still)
            for artist in self._moving:
                self.figure.draw_artist(artist)
            buffer = io.BytesIO()
            picture = Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3])
            picture.save(buffer, format="png", compress_level=COMPRESSION)
        return buffer.getvalue()

    def _label(self, values: Mapping[str, Any], choice: Choice) -> None:
        """Write the last values beside the ends of the lines, apart from each other."""
        last = {key: float(values[key][-1]) for key in self._ends}
        texts = {
            "median": f"{number(last['median'], 2)} m",
            "none_median": f"{number(last['none_median'], 2)} m",
            "below": f"{number(last['below'])} %",
            "none_below": f"{number(last['none_below'])} %",
            "gain_median": f"{number(last['gain_median'], 0, True)} cm",
        }
        places = dict(last)
        for pair, ax in ((("median", "none_median"), self.fan), (("below", "none_below"), self.below)):
            lowest, highest = ax.get_ylim()
            height = 1.3 * style.BODY / 72.0 / (SIZE_IN[1] * ax.get_position().height) * (highest - lowest)
            found = style.spread([last[key] for key in pair], [height] * 2, lowest, highest)
            places.update(zip(pair, found, strict=True))
        acts = choice.programme in self._acting
        for key, label in self._ends.items():
            label.set(y=places[key], text=texts[key], visible=acts or not key.startswith(("none", "gain")))
