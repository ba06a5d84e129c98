"""How long the explorer takes to draw again: in a notebook, and its page in chromium where that is installed.

    python benchmarks/explorer.py [configs/quickstart.yaml]

Prints milliseconds, the size of the page, and how far off its interpolation between intensities is. A live
run of the compiled engine for one choice, which the interpolation saves, stands beside them.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import caspian_sim as cs
from caspian_sim.explorer.content import Exploration, first_choice, gather
from caspian_sim.explorer.intensity import levels_at, plan_of_intensities
from caspian_sim.explorer.notebook import Explorer
from caspian_sim.explorer.page import page
from caspian_sim.measures.programme import measures_of

ROOT = Path(__file__).resolve().parents[1]
INTENSITIES = np.arange(0.05, 1.5, 0.1).round(2)


def milliseconds(action: Callable[[float], object]) -> str:
    found = []
    for intensity in INTENSITIES:
        begin = time.perf_counter()
        action(float(intensity))
        found.append(1000 * (time.perf_counter() - begin))
    return said(found)


def said(found: list[float]) -> str:
    return f"median {np.median(found):.0f} ms, worst {max(found):.0f} ms"


def live(config: cs.Config, content: Exploration) -> str:
    first = first_choice(content)
    climate = config.climate.model_copy(update={"scenarios": (first.scenario,)})
    plan = plan_of_intensities(config.model_copy(update={"climate": climate}), 10_000)
    available = config.measures.available()
    programme = {first.programme: measures_of(config.programmes[first.programme], available)}
    levels_at(plan, programme, 1.0, content.members)  # compiles
    return milliseconds(lambda intensity: levels_at(plan, programme, intensity, content.members))


def in_browser(text: str) -> str:
    sys.path.insert(0, str(ROOT / "tests"))
    from browsers import chromium, missing, open_page
    from test_explorer_browser import TIMED

    if missing():
        return f"left out: {missing()}"
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        file = Path(folder, "explorer.html")
        file.write_text(text, encoding="utf-8")
        begin = time.perf_counter()
        open_page(browser, file)
        opened = time.perf_counter() - begin
        browser.set_script_timeout(120)
        found = browser.execute_async_script(
            TIMED, "intensity", [f"{100 * each:.0f}" for each in INTENSITIES]
        )
        return f"{said(found)}; opened in {opened:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default=ROOT / "configs/quickstart.yaml", type=Path)
    config = cs.load_config(parser.parse_args().config)
    dataset = cs.run(config)
    begin = time.perf_counter()
    content = gather(dataset)
    print(f"gathered in {time.perf_counter() - begin:.1f} s: {len(content.members)} members")
    for name in content.acting:
        dial = content.dials[name]
        between = f"off by {dial.error_mm:.1f} mm (member {dial.member_error_mm:.1f} mm)"
        print(f"{name}: {between if dial.smooth else 'at the intensities that were run alone'}")
    text = page(content)
    print(f"page: {len(text) / 1e6:.1f} MB")
    explorer = Explorer(content)
    smooth = next((name for name in content.acting if content.dials[name].smooth), None)
    if smooth is not None:
        explorer.controls["programme"].value = smooth

        def turn(intensity: float) -> None:
            explorer.controls["intensity"].value = intensity

        print(f"notebook: {milliseconds(turn)}")
    print(f"page in chromium: {in_browser(text)}")
    print(f"a live run in its place: {live(config, content)}")


if __name__ == "__main__":
    main()
