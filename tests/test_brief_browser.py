"""The brief in a real browser, without a network: what it asks for, how it fits, who reads it, how it prints.

Needs chromium, selenium and pypdf; for the accessibility check axe-core as well, whose file axe.min.js the
environment variable AXE_CORE names.
"""

import base64
import io
import json
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("selenium", reason="needs the extra browser")
pytest.importorskip("pypdf", reason="needs the extra browser")

import pypdf
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import caspian_sim as cs
from caspian_sim.briefing.document import brief_html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PHONE, SMALL_PHONE, DESK = (390, 844), (320, 640), (1280, 900)
CONFIG = {
    "name": "told",
    "title": "A <script>document.title = 'taken'</script> title",
    "period": {"start": 2026, "end": 2100},
    "climate": {"scenarios": ["ssp126", "ssp245", "ssp370", "ssp585"]},
    "uncertainty": {"members": 128},
    "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-30, -31, -33], "report_years": [2030, 2050, 2100]},
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="needs chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("stick") / "brief.html"
    path.write_text(brief_html(cs.run(CONFIG)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    options = Options()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def opened(browser, page, size):
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(page.as_uri())
    return browser


def test_page_asks_for_nothing_but_itself_and_runs_no_script_of_a_title(browser, page):
    browser.get_log("performance")
    opened(browser, page, DESK)
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        event["params"]["request"]["url"] for event in asked if event["method"] == "Network.requestWillBeSent"
    ]
    assert page.as_uri() in urls
    assert [url for url in urls if url != page.as_uri() and not url.startswith("data:")] == []
    assert browser.title == "The Caspian Sea to 2100: brief"
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("size", [PHONE, SMALL_PHONE, DESK], ids=lambda size: str(size[0]))
def test_page_is_no_wider_than_the_screen(browser, page, size):
    opened(browser, page, size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]


def test_letters_on_a_phone_are_large_enough_in_text_and_figures(browser, page):
    opened(browser, page, PHONE)
    smallest = browser.execute_script(
        "return Math.min(...[...document.querySelectorAll('p, li, td, th, figcaption, small, span, dt')]"
        ".filter(e => e.offsetParent && e.textContent.trim())"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 10.5
    # A drawing for a phone is 8.5 cm wide with letters of 7 points, and is shown no smaller.
    widths = browser.execute_script(
        "return [...document.querySelectorAll('.narrow-drawing svg')].filter(e => e.getClientRects().length)"
        ".map(e => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"
    )
    assert len(widths) == 5
    assert min(widths) > 1.2  # pixels for each point: letters of at least 8.4 px


@pytest.mark.parametrize("size", [PHONE, DESK], ids=lambda size: str(size[0]))
def test_automated_check_of_accessibility_finds_no_fault(browser, page, size):
    axe = os.environ.get("AXE_CORE")
    if not axe:
        pytest.skip("the environment variable AXE_CORE names no axe.min.js")
    opened(browser, page, size)
    browser.execute_script(Path(axe).read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert [
        (fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in found["violations"]
    ] == []
    assert len(found["passes"]) > 20


def test_page_prints_on_a4_as_two_pages_and_an_annex(browser, page):
    opened(browser, page, DESK)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"]))).pages
    first = [i for i, one in enumerate(pages) if "Technical annex" in one.extract_text()]
    assert first[0] == 2
    for one in pages:
        assert [round(float(side) / 72 * 25.4) for side in one.mediabox[2:]] == [210, 297]
    text = pages[0].extract_text() + pages[1].extract_text()
    assert "Key messages" in text
    assert "Level and likelihood by scenario" in text
