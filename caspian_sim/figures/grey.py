"""Turns a finished figure into shades of grey of the same lightness, for printers without colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import Colormap, ListedColormap, to_hex, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from numpy.typing import NDArray

# Weights of the primaries in the luminance of sRGB, and its transfer curve: IEC 61966-2-1.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
KNEE, SLOPE, OFFSET, SCALE, POWER = 0.04045, 12.92, 0.055, 1.055, 2.4
PALE = 0.3
"""Luminance above which white hatches on an area could not be seen."""
HATCH_ON_PALE = (0.25, 0.25, 0.25, 1.0)


def greys(colours: Any) -> NDArray[np.float64]:
    """Greys with the luminance of colours.

    Parameters
    ----------
    colours : array_like
        Colours as matplotlib understands them.

    Returns
    -------
    ndarray, shape (colour, 4)
        Red, green and blue alike, and the transparency as it was.
    """
    rgba = np.asarray(to_rgba_array(colours), dtype=float)
    if not rgba.size:
        return rgba
    light = luminance(rgba)
    grey = np.where(
        light <= KNEE / SLOPE, light * SLOPE, SCALE * np.maximum(light, 0.0) ** (1.0 / POWER) - OFFSET
    )
    # A grey stays what it is to the last bit, however often it is converted.
    plain = np.ptp(rgba[:, :3], axis=1) == 0.0
    grey = np.where(plain, rgba[:, 0], grey).clip(0.0, 1.0)
    return np.column_stack([grey, grey, grey, rgba[:, 3]])


def luminance(rgba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative luminance of colours in sRGB, 0 (black) to 1 (white)."""
    rgb = rgba[..., :3]
    linear = np.where(rgb <= KNEE, rgb / SLOPE, ((rgb + OFFSET) / SCALE) ** POWER)
    return np.asarray(linear @ LUMINANCE)


def turn_grey(figure: Figure) -> None:
    """Give everything in a figure the grey of its lightness; on pale areas white hatches become dark."""
    for artist in figure.findobj():
        if isinstance(artist, Line2D):
            artist.set_color(_grey(artist.get_color()))
            for get, put in (
                (artist.get_markerfacecolor, artist.set_markerfacecolor),
                (artist.get_markeredgecolor, artist.set_markeredgecolor),
            ):
                put(_grey(get()))
        elif isinstance(artist, Patch):
            _patch(artist)
        elif isinstance(artist, Collection):
            _collection(artist)
        elif isinstance(artist, Text):
            artist.set_color(_grey(artist.get_color()))
            box = artist.get_bbox_patch()
            if box is not None:
                _patch(box)
        elif isinstance(artist, AxesImage):
            artist.set_cmap("gray")


def _grey(colour: Any) -> Any:
    if isinstance(colour, str) and colour in ("none", "auto"):
        return colour
    return to_hex(greys([to_rgba(colour)])[0], keep_alpha=to_rgba(colour)[3] < 1.0)


def _grey_map(colours: Colormap) -> Colormap:
    """Map with the luminance of another."""
    return ListedColormap(greys(colours(np.arange(colours.N))))


def _hatched(face: NDArray[np.float64], edge: NDArray[np.float64]) -> bool:
    """Whether hatches on an area are as pale as the area itself."""
    return bool(face[3] > 0.0 and luminance(face) > PALE and luminance(edge) > PALE)


def _patch(patch: Patch) -> None:
    face, edge = greys([patch.get_facecolor()])[0], greys([patch.get_edgecolor()])[0]
    # A transparency of the whole patch would bring back what is not drawn.
    patch.set_facecolor(tuple(face) if face[3] > 0.0 else "none")
    if patch.get_hatch() and _hatched(face, edge):
        edge = np.asarray(HATCH_ON_PALE)
    patch.set_edgecolor(tuple(edge) if edge[3] > 0.0 else "none")


def _collection(drawn: Collection) -> None:
    if drawn.get_array() is not None:
        # Fills and lines of contours keep what they are told apart by; hatches have a colour of their own.
        hatches = greys(drawn.get_edgecolor()) if getattr(drawn, "filled", False) else ()
        drawn.set_cmap(_grey_map(drawn.get_cmap()))
        if len(hatches):
            drawn.set_edgecolor(list(map(tuple, hatches)))
        return
    faces, edges = greys(drawn.get_facecolor()), greys(drawn.get_edgecolor())
    if drawn.get_hatch() and len(faces) and len(edges) and _hatched(faces[0], edges[0]):
        edges = np.asarray([HATCH_ON_PALE])
    if len(faces):
        drawn.set_facecolor(list(map(tuple, faces)))
    if len(edges):
        drawn.set_edgecolor(list(map(tuple, edges)))
