"""Draw the pictures of the documentation anew, from quickstart, hindcast and past forecasts.

Usage: ``python tools/draw_docs_images.py [--forecasts FOLDER] [NAME ...]`` from the root of the repository:
the pictures that are named, or all. FOLDER is what ``caspian-sim verify`` has written; two pictures need it.
"""

import argparse
import io
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

import caspian_sim as cs
from caspian_sim import figures
from caspian_sim.evaluate.verification import score_forecasts

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
DOTS_PER_INCH = 150
# A palette keeps the files small; the figures have far fewer colours.
COLOURS = 256
OF_A_RUN = (
    *("projection", "budget", "crossing", "flows", "change"),
    *("shoreline", "seabed", "ports", "route", "ecosystem"),
)


@cache
def subject(kind: str, folder: str | None = None) -> Any:
    """Reckon what pictures are drawn from, each once."""
    makers: Mapping[str, Callable[[], Any]] = {
        "run": partial(cs.run, QUICKSTART),
        "attribute": partial(cs.attribute, QUICKSTART),
        "target": partial(cs.target, QUICKSTART, level=-29.5, year=2050, probability=0.5),
        "tradeoffs": partial(cs.tradeoffs, QUICKSTART),
        "delay": partial(cs.delay, QUICKSTART, starts=(2027, 2035, 2045)),
        "hindcast": cs.hindcast,
        "basin": cs.hypsometry,
        "literature": cs.literature,
        "outlook": cs.outlook,
        "reconstruction": cs.reconstruct,
        "equilibrium": cs.equilibrium,
        "variance": partial(cs.variance, QUICKSTART),
        "sensitivity": partial(cs.sensitivity, QUICKSTART, overrides=("climate.scenarios=[ssp245]",)),
        "forecasts": lambda: cs.open(folder),
        "scores": lambda: score_forecasts(subject("forecasts", folder)),
    }
    return makers[kind]()


PICTURES: Mapping[str, str] = {
    **dict.fromkeys(OF_A_RUN, "run"),
    **dict.fromkeys(("joint", "alone", "shapley", "burden"), "attribute"),
    **dict.fromkeys(("target", "marginal"), "target"),
    "delay": "delay",
    "tradeoffs": "tradeoffs",
    **dict.fromkeys(("hindcast", "checklist"), "hindcast"),
    "hypsometry": "basin",
    **dict.fromkeys(("literature", "literature_gap"), "literature"),
    **{kind: kind for kind in ("outlook", "reconstruction", "equilibrium", "variance", "sensitivity")},
    "forecasts": "forecasts",
    "verification": "scores",
}
"""What each picture is drawn from."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation anew.")
    parser.add_argument("--forecasts", metavar="FOLDER", help="what caspian-sim verify has written")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(PICTURES)}; all without one")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in PICTURES:
            parser.error(f"there is no picture {name!r}; there are {', '.join(PICTURES)}")
    for name in asked.names or PICTURES:
        kind = PICTURES[name]
        if kind in ("forecasts", "scores") and asked.forecasts is None:
            parser.error(f"the picture {name!r} needs --forecasts FOLDER")
        write(name, getattr(figures, name)(subject(kind, asked.forecasts)))


def write(name: str, figure: Figure) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH)
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS)
    file = IMAGES / f"{name}.png"
    picture.save(file, optimize=True)
    print(f"docs/images/{file.name}: {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
