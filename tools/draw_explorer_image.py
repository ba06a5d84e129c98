"""Draws the picture of the explorer in the documentation: its page in chromium, at the width of a desk.

Usage: ``python tools/draw_explorer_image.py FOLDER`` from the root of the repository. FOLDER is what
``caspian-sim run configs/quickstart.yaml`` has written. Needs bokeh, selenium, and chromium with its driver.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from caspian_sim.outputs.explorer import write_explorer

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "images" / "explorer.png"
WIDTH, COLOURS = 1120, 64


def main(folder: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import chromium, open_page

    with tempfile.TemporaryDirectory() as place, chromium(WIDTH, 900) as browser:
        page = write_explorer(folder, Path(place) / "explorer.html").path
        open_page(browser, page)
        browser.execute_async_script("setTimeout(arguments[0], 500)")
        height = browser.execute_script("return document.querySelector('footer').offsetTop")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
        shot = browser.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
    picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    picture.quantize(COLOURS).save(TARGET, optimize=True)
    print(f"docs/images/{TARGET.name}: {TARGET.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
