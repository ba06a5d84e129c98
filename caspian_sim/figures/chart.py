"""Chart of the Caspian Sea: projection, land and borders, cities and ports, grid and scale bar.

Lambert's azimuthal equal-area projection, centred on the sea: an area on the chart is an area on the ground,
and a length is wrong by less than 0.3 %. Everything that is drawn ships with the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from caspian_sim import data
from caspian_sim.basin.sectors import Bed
from caspian_sim.figures import style
from caspian_sim.figures.text import name, number, say

Array = NDArray[np.float64]

CENTRE = (42.0, 51.0)
"""Latitude and longitude of the centre of the projection, degrees."""
EARTH_RADIUS_KM = 6371.007
"""Of the sphere with the area of the WGS84 ellipsoid."""
WEST_KM, EAST_KM, SOUTH_KM, NORTH_KM = -455.0, 470.0, -690.0, 645.0
"""Edges of the chart, km from its centre."""
MERIDIANS, PARALLELS = range(44, 60, 4), range(34, 50, 2)
LABELLED_PARALLELS = (38, 42, 46)

LAND, SEA, BAY, SHORE = "#F4F1EA", "#A9CBE3", "#DDE3E6", "#33414B"
"""Colours of the ground: land, water, Kara-Bogaz-Gol, and lines of its shore."""
STATE_NAMES = {
    "AZ": (40.95, 47.55),
    "IR": (36.05, 50.6),
    "KZ": (44.3, 54.35),
    "RU": (43.6, 46.25),
    "TM": (39.5, 54.85),
}
"""Where the names of the states stand: latitude and longitude."""
BAY_NAME = (41.35, 53.9)
BAY_SOUTH, BAY_NORTH, BAY_WEST = 40.6, 42.4, 53.0
"""What of the coast is the shore of the bay, degrees: all east of its bar."""
EASTWARD = ("Makhachkala", "Aktau", "Kuryk", "Amirabad", "Sari", "Turkmenbashi", "Atyrau")
"""Places whose names stand on the right of them."""
SAME_PLACE_KM = 20.0
"""A city and its port of the same name that lie closer are one place."""
NO_HARBOUR = "canal"
"""Kinds of depths that belong to no harbour."""


@dataclass(frozen=True)
class Place:
    """A city or port on the chart, in km from its centre."""

    name: str
    x: float
    y: float
    port: bool


def project(latitude: ArrayLike, longitude: ArrayLike) -> tuple[Array, Array]:
    """Place on the chart.

    Parameters
    ----------
    latitude, longitude : array_like
        Degrees, of shapes that fit each other.

    Returns
    -------
    x, y : ndarray
        km east and north of the centre.

    Notes
    -----
    Snyder (1987), Map projections: a working manual, USGS Professional Paper 1395, equations 22-4, 22-5 and
    24-2, on the sphere of equal area.
    """
    north, east = np.radians(latitude), np.radians(np.asarray(longitude) - CENTRE[1])
    middle = np.radians(CENTRE[0])
    cosine = np.sin(middle) * np.sin(north) + np.cos(middle) * np.cos(north) * np.cos(east)
    scale = EARTH_RADIUS_KM * np.sqrt(2.0 / (1.0 + cosine))
    x = scale * np.cos(north) * np.sin(east)
    y = scale * (np.cos(middle) * np.sin(north) - np.sin(middle) * np.cos(north) * np.cos(east))
    return np.asarray(x), np.asarray(y)


def height_cm(width_cm: float) -> float:
    """Height of a chart of a given width."""
    return width_cm * (NORTH_KM - SOUTH_KM) / (EAST_KM - WEST_KM)


def head_km(width_cm: float) -> float:
    """Height (km on the chart) of the foot of the words above a chart `width_cm` wide."""
    return NORTH_KM + 0.12 * (EAST_KM - WEST_KM) / width_cm


def draw_ground(ax: Axes) -> None:
    """Draw the land with its grid; the sea is drawn over it."""
    ax.set(xlim=(WEST_KM, EAST_KM), ylim=(SOUTH_KM, NORTH_KM), xticks=[], yticks=[], facecolor=LAND)
    for spine in ax.spines.values():
        spine.set(visible=True, color=style.MUTED, linewidth=0.5)
    for longitude in MERIDIANS:
        x, y = project(np.arange(33.0, 51.0, 0.5), float(longitude))
        ax.plot(x, y, color=style.RULE, linewidth=0.4, zorder=0.5)
        place = float(np.interp(SOUTH_KM, y, x))
        if WEST_KM + 50.0 < place < EAST_KM - 50.0:
            words = say("chart.longitude", degrees=longitude)
            ax.text(place + 6.0, SOUTH_KM + 9.0, words, fontsize=style.SMALL, color=style.MUTED, va="bottom")
    for latitude in PARALLELS:
        x, y = project(float(latitude), np.arange(40.0, 62.0, 0.5))
        ax.plot(x, y, color=style.RULE, linewidth=0.4, zorder=0.5)
        if latitude in LABELLED_PARALLELS:
            words = say("chart.latitude", degrees=latitude)
            place = float(np.interp(EAST_KM, x, y))
            ax.text(
                EAST_KM - 8.0,
                place + 4.0,
                words,
                fontsize=style.SMALL,
                color=style.MUTED,
                ha="right",
                va="bottom",
            )


def draw_lines(ax: Axes, bed: Bed) -> None:
    """Draw Kara-Bogaz-Gol, the borders on land and the limits of the sectors in the sea."""
    for points in _lines(coast=False):
        x, y = project(points[:, 1], points[:, 0])
        ax.plot(x, y, color=style.MUTED, linewidth=0.6, linestyle=(0, (5, 1.5, 1, 1.5)), zorder=1.2)
    ax.fill(*_bay(), facecolor=BAY, edgecolor=style.MUTED, hatch="////", linewidth=0.5, zorder=1.4)
    x, y = grid_places(bed)
    for first in range(len(bed.share)):
        for second in range(first):
            between = np.where(
                (bed.share[first] + bed.share[second] > 0.99) & (bed.flooding <= -28.0),
                bed.share[first] - bed.share[second],
                np.nan,
            )
            if np.nanmax(between, initial=0.0) > 0.0 > np.nanmin(between, initial=0.0):
                ax.contour(
                    x,
                    y,
                    between,
                    levels=[0.0],
                    colors=[style.MUTED],
                    linewidths=0.6,
                    linestyles=[(0, (1, 2))],
                    zorder=3,
                )


def draw_names(ax: Axes, width_cm: float) -> None:
    """Name states, Kara-Bogaz-Gol, cities and ports, and draw the scale bar, on a chart `width_cm` wide."""
    halo = [patheffects.withStroke(linewidth=1.6, foreground="white", alpha=0.85)]
    for state, (latitude, longitude) in STATE_NAMES.items():
        x, y = project(latitude, longitude)
        ax.text(
            float(x),
            float(y),
            name("state", state).upper(),
            fontsize=style.SMALL,
            color=style.MUTED,
            ha="center",
            va="center",
            zorder=6,
        )
    x, y = project(*BAY_NAME)
    ax.text(
        float(x),
        float(y),
        say("chart.bay"),
        fontsize=style.SMALL,
        color=style.INK,
        ha="center",
        va="center",
        zorder=6,
        style="italic",
        path_effects=halo,
    )
    km_per_cm = (EAST_KM - WEST_KM) / width_cm
    row = style.SMALL * style.LINE_SPACING / style.POINTS_PER_CM * km_per_cm
    for right in (False, True):
        side = [place for place in places() if (place.name in EASTWARD) == right]
        heights = style.spread([place.y for place in side], [0.9 * row] * len(side), SOUTH_KM, NORTH_KM)
        for place, height in zip(side, heights, strict=True):
            ax.plot(
                place.x,
                place.y,
                "s" if place.port else "o",
                color=style.INK,
                markersize=3.0,
                zorder=7,
                markeredgecolor="white",
                markeredgewidth=0.4,
            )
            offset = 0.12 * km_per_cm * (1 if right else -1)
            ax.text(
                place.x + offset,
                height,
                name("place", place.name),
                fontsize=style.SMALL,
                zorder=7,
                ha="left" if right else "right",
                va="center_baseline",
                path_effects=halo,
            )
    _scale_bar(ax)


def _scale_bar(ax: Axes) -> None:
    x, y, length, height = WEST_KM + 25.0, SOUTH_KM + 62.0, 200.0, 9.0
    for part, colour in ((0, style.INK), (1, "white")):
        ax.add_patch(
            Rectangle(
                (x + 0.5 * part * length, y),
                0.5 * length,
                height,
                facecolor=colour,
                edgecolor=style.INK,
                linewidth=0.5,
                zorder=7,
            )
        )
    for share, words in ((0.0, number(0.0)), (1.0, say("chart.km", length=number(length)))):
        ax.text(
            x + share * length,
            y + height + 6.0,
            words,
            fontsize=style.SMALL,
            ha="center",
            va="bottom",
            zorder=7,
        )


@cache
def places() -> tuple[Place, ...]:
    """Cities and harbours; a city and its port of the same name are one place."""
    cities, ports = data.load("cities"), data.load("ports")
    harbours: dict[str, tuple[float, float]] = {}
    for label, kind, latitude, longitude in zip(
        ports["port"].values,
        ports["kind"].values,
        ports["latitude"].values,
        ports["longitude"].values,
        strict=True,
    ):
        if NO_HARBOUR not in str(kind) and np.isfinite([latitude, longitude]).all():
            x, y = project(latitude, longitude)
            harbours.setdefault(str(label), (float(x), float(y)))
    found = [Place(label, x, y, port=True) for label, (x, y) in harbours.items()]
    for label, latitude, longitude in zip(
        cities["city"].values, cities["latitude"].values, cities["longitude"].values, strict=True
    ):
        east, north = (float(value) for value in project(latitude, longitude))
        own = harbours.get(str(label))
        if own is None or np.hypot(east - own[0], north - own[1]) > SAME_PLACE_KM:
            found.append(Place(str(label), east, north, port=False))
    return tuple(found)


def grid_places(bed: Bed) -> tuple[Array, Array]:
    """Middle of the cells on the chart, each of shape (lat, lon)."""
    return project(bed.latitude[:, None], bed.longitude[None, :])


def _bay() -> tuple[Array, Array]:
    """Shore of Kara-Bogaz-Gol on the chart, closed across the strait."""
    for points in _lines(coast=True):
        inside = np.flatnonzero(
            (points[:, 0] > BAY_WEST) & (points[:, 1] > BAY_SOUTH) & (points[:, 1] < BAY_NORTH)
        )
        if inside.size:
            shore = points[inside[0] : inside[-1] + 1]
            return project(shore[:, 1], shore[:, 0])
    raise AssertionError("the basemap has no Kara-Bogaz-Gol")


def _lines(coast: bool) -> Iterator[Array]:
    """Longitude and latitude along the coasts, or else the borders."""
    table = data.load("basemap")
    points = np.stack([table["lon"].to_numpy(), table["lat"].to_numpy()], axis=-1)
    after = np.cumsum(table["point_count"].to_numpy())
    for end, count, border in zip(
        after, table["point_count"].to_numpy(), table["kind"].to_numpy(), strict=True
    ):
        if bool(border) != coast:
            yield points[end - count : end]
