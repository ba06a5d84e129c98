"""Draw the pictures of the documentation anew, from quickstart, hindcast and past forecasts.

Usage: ``python tools/draw_docs_images.py FOLDER`` from the root of the repository. FOLDER is what
``caspian-sim verify`` has written.
"""

import io
import sys
from pathlib import Path

from PIL import Image

import caspian_sim as cs
from caspian_sim import figures
from caspian_sim.evaluate.verification import score_forecasts

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DOTS_PER_INCH = 150
# A palette keeps the files small; the figures have far fewer colours.
COLOURS = 256


def main() -> None:
    subjects = {
        "run": cs.run(ROOT / "configs" / "quickstart.yaml"),
        "hindcast": cs.hindcast(),
        "basin": cs.hypsometry(),
    }
    pictures = {name: kind.draw(subjects[kind.shows]) for name, kind in figures.FIGURES.items()}
    pictures |= {
        name: draw(subjects["run"])
        for name, draw in (
            ("ports", figures.ports),
            ("route", figures.route),
            ("ecosystem", figures.ecosystem),
        )
    } | {
        "shoreline": figures.shoreline(subjects["run"]),
        "seabed": figures.seabed(subjects["run"]),
    }
    for name in ("crossing", "flows", "change"):
        pictures[name] = figures.draw(name, subjects["run"])
    pictures["equilibrium"] = figures.equilibrium()
    beside = cs.literature()
    pictures |= {"literature": figures.literature(beside), "literature_gap": figures.literature_gap(beside)}
    forecasts = cs.open(sys.argv[1])
    pictures |= {
        "outlook": figures.outlook(cs.outlook()),
        "reconstruction": figures.reconstruction(cs.reconstruct()),
        "checklist": figures.checklist(subjects["hindcast"]),
        "forecasts": figures.forecasts(forecasts),
        "verification": figures.verification(score_forecasts(forecasts)),
    }
    quickstart = ROOT / "configs" / "quickstart.yaml"
    pictures["tradeoffs"] = figures.tradeoffs(cs.tradeoffs(quickstart))
    pictures["variance"] = figures.variance(cs.variance(quickstart))
    pictures["sensitivity"] = figures.sensitivity(
        cs.sensitivity(quickstart, overrides=("climate.scenarios=[ssp245]",))
    )
    for name, figure in pictures.items():
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH)
        picture = Image.open(drawn).convert("RGB").quantize(COLOURS)
        picture.save(IMAGES / f"{name}.png", optimize=True)
        print(f"docs/images/{name}.png: {(IMAGES / f'{name}.png').stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
