"""The page of the explorer in a real browser, offline: it draws and says what the dataset says."""

import time

import numpy as np
import pytest
from browsers import chromium, missing, open_page, requests
from numpy.testing import assert_allclose

import caspian_sim as cs
from caspian_sim.config import load_config
from caspian_sim.outputs.explorer import write_explorer

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")]

CONFIG = {
    "name": "example",
    "title": "<b>Example</b> & </script>",
    "period": {"start": 2026, "end": 2060},
    "climate": {"scenarios": ["ssp126", "ssp585"]},
    "uncertainty": {"members": 40},
    "programmes": {
        "none": {},
        "joint": {"participants": ["KZ", "RU"], "measures": ["volga-savings", "ural-efficiency"]},
        "dam": {"participants": ["TM"], "measures": ["strait-closure"]},
    },
}
# What the page needs to draw again, ms: the limit is 200, a busy machine is given more.
LIMIT_MS = 1000
CHANGE = """
const [id, value] = arguments, control = document.getElementById(id);
control.value = value;
control.dispatchEvent(new Event("input", {bubbles: true}));
"""
# From the event to the second frame after it: the first one counts and draws, the second shows it.
TIMED = """
const [id, values, done] = arguments, control = document.getElementById(id), found = [];
const frame = () => new Promise(requestAnimationFrame);
(async () => {
  for (const value of values) {
    await frame();
    const begin = performance.now();
    control.value = value;
    control.dispatchEvent(new Event("input", {bubbles: true}));
    await frame(); await frame();
    found.push(performance.now() - begin);
  }
  done(found);
})();
"""
DRAWN = """
const model = Bokeh.documents.map((d) => d.get_model_by_name(arguments[0])).find((m) => m);
const data = model.data;
return Object.fromEntries(Object.keys(data).map((key) => [key, Array.from(data[key])]));
"""
PIXELS = """
const canvas = [];
(function look(node) {
  if (node.shadowRoot) look(node.shadowRoot);
  node.querySelectorAll("*").forEach((each) => {
    if (each.tagName === "CANVAS") canvas.push(each.toDataURL());
    if (each.shadowRoot) look(each.shadowRoot);
  });
})(document.getElementById(arguments[0]));
return canvas.join("|");
"""
NUMBER = """
const found = document.getElementById(arguments[0]);
return [found.textContent, Number(found.dataset.value)];
"""
ENDS = """
const found = document.getElementById(arguments[0]);
return [Number(found.dataset.low), Number(found.dataset.high)];
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    config = load_config(CONFIG)
    return cs.save(cs.run(config), tmp_path_factory.mktemp("example") / "example.nc")


@pytest.fixture(scope="module")
def written(saved):
    pytest.importorskip("bokeh")
    return write_explorer(saved)


@pytest.fixture(scope="module")
def browser(written):
    with chromium() as found:
        open_page(found, written.path)
        yield found


@pytest.fixture(scope="module")
def level(saved):
    return cs.open(saved).sea_level


def choose(browser, **values):
    """Choose as a user does, and wait until it is drawn."""
    for key, value in values.items():
        browser.execute_script(CHANGE, key, str(value))
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))")


def drawn(browser, chart="fan"):
    return {key: np.array(values) for key, values in browser.execute_script(DRAWN, f"{chart}_course").items()}


def test_page_opens_without_a_network_and_asks_for_nothing(written):
    with chromium() as browser:
        open_page(browser, written.path)
        assert browser.execute_script("return document.documentElement.dataset.ready") == "yes"
        assert requests(browser) == [written.path.resolve().as_uri()]
        severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert severe == []
        assert browser.title == "Explore the level of the Caspian Sea"
        lead = browser.find_element("css selector", ".lead").text
        assert lead.startswith("<b>Example</b> & </script>. 40 possible futures")


def test_numbers_and_lines_are_those_of_the_dataset(browser, level):
    choose(browser, scenario=1, programme=1, intensity=100, band=0.9, threshold=-30.2, year=2055)
    joint, none = (level.sel(scenario="ssp585", programme=name) for name in ("joint", "none"))
    lines = drawn(browser)
    for start, values, scale in (("", joint, 1), ("none_", none, 1), ("gain_", joint - none, 100)):
        points = scale * values.quantile([0.05, 0.5, 0.95], "member")
        for end, expected in zip(("low", "median", "high"), points, strict=True):
            # Levels are kept to 0.1 mm.
            assert_allclose(lines[f"{start}{end}"], expected, atol=1.01e-4 * scale)
    for key, values in (("below", joint), ("none_below", none)):
        # One member that stands within 0.1 mm of the threshold may be counted on the other side of it.
        near = float((abs(values + 30.2) < 1e-4).mean())
        assert_allclose(lines[key], 100 * (values < -30.2).mean("member"), atol=100 * near + 1e-9)
    in_2055 = joint.sel(time="2055").squeeze()
    words, value = browser.execute_script(NUMBER, "median")
    assert_allclose(value, in_2055.median(), atol=1e-4)
    assert words == f"{value:.2f} m".replace("-", "−")
    assert_allclose(browser.execute_script(ENDS, "range"), in_2055.quantile([0.05, 0.95]), atol=1e-4)
    words, value = browser.execute_script(NUMBER, "below-number")
    assert_allclose(value, 100 * float((in_2055 < -30.2).mean()), atol=1e-9)
    assert words == f"{value:.0f} %"
    words, value = browser.execute_script(NUMBER, "gain-number")
    gain = (joint - none).sel(time="2055").squeeze()
    assert_allclose(value, 100 * gain.median(), atol=0.01)
    first = (joint < -30.2).mean("member") >= 0.5
    words, _ = browser.execute_script(NUMBER, "first")
    assert words == (str(int(first.time.dt.year[first.argmax("time")])) if first.any() else "not until 2060")


def test_intensity_is_that_of_the_interpolated_runs(browser, written):
    choose(browser, scenario=0, programme=1, intensity=135, band=0.66, threshold=-29.5, year=2060)
    view = written.content.view("ssp126", "joint", 1.35, 0.66, -29.5)
    lines = drawn(browser)
    for key in ("low", "median", "high"):
        assert_allclose(lines[key], getattr(view, key), atol=3e-4)
    assert browser.execute_script("return document.getElementById('intensity-value').textContent") == "135 %"


def test_moving_a_slider_draws_something_else(browser):
    choose(browser, scenario=1, programme=1, intensity=100, threshold=-30.0)
    pictures = {chart: browser.execute_script(PIXELS, chart) for chart in ("fan", "below", "gain")}
    assert all(len(picture) > 1000 for picture in pictures.values())
    choose(browser, intensity=150, threshold=-30.5)
    time.sleep(0.3)
    for chart, before in pictures.items():
        assert browser.execute_script(PIXELS, chart) != before, chart


def test_programme_that_is_not_interpolated_moves_in_steps_of_what_was_run(browser, written):
    dial = written.content.dials["dam"]
    assert not dial.smooth
    choose(browser, programme=2)
    assert browser.execute_script("return document.getElementById('intensity').step") == "25"
    choose(browser, scenario=1, intensity=75, band=0.9, threshold=-30)
    expected = np.quantile(dial.at(1, 0.75), [0.05, 0.5, 0.95], axis=0)
    lines = drawn(browser)
    assert_allclose([lines[key] for key in ("low", "median", "high")], expected, atol=1.01e-4)


def test_programme_without_measures_has_no_intensity_and_no_gain(browser):
    choose(browser, programme=0)
    assert browser.execute_script("return document.getElementById('intensity').disabled")
    assert browser.execute_script("return document.getElementById('gain').parentElement.hidden")
    choose(browser, programme=1)
    assert not browser.execute_script("return document.getElementById('intensity').disabled")


def test_controls_work_by_keyboard(browser):
    from selenium.webdriver.common.keys import Keys

    choose(browser, programme=1, threshold=-30.0)
    slider = browser.find_element("id", "threshold")
    slider.send_keys(Keys.ARROW_LEFT)
    choose(browser)
    assert (
        browser.execute_script("return document.getElementById('threshold-value').textContent")
        == "−30.1 m BHS"
    )
    assert slider.get_attribute("aria-valuetext") == "−30.1 m BHS"
    order = []
    browser.execute_script("document.activeElement.blur(); document.getElementById('scenario').focus()")
    for _ in range(6):
        order.append(browser.switch_to.active_element.get_attribute("id"))
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert order == ["scenario", "programme", "intensity", "band", "threshold", "year"]


def test_table_and_reader_text_follow_the_choice(browser):
    choose(browser, scenario=1, programme=1, intensity=100, threshold=-30.0, band=0.9)
    lines = drawn(browser)
    cells = "(row) => [...row.cells].map((cell) => cell.textContent)"
    rows = browser.execute_script(f"return [...document.querySelectorAll('#table tbody tr')].map({cells})")
    assert [row[0] for row in rows] == ["2030", "2040", "2050", "2060"]
    assert rows[-1][1] == f"{lines['median'][-1]:.2f}".replace("-", "−")
    alt = browser.execute_script("return document.getElementById('fan').getAttribute('aria-label')")
    assert rows[-1][1] in alt


def test_redraw_is_quick_enough_to_follow_a_slider(browser):
    choose(browser, programme=1)
    browser.set_script_timeout(60)
    found = browser.execute_async_script(TIMED, "intensity", [str(v) for v in range(5, 150, 10)])
    print(f"redraw in the browser: median {np.median(found):.0f} ms, worst {max(found):.0f} ms")
    assert np.median(found) < LIMIT_MS


def test_page_fits_the_width_of_a_phone(written):
    with chromium(390, 844, phone=True) as browser:
        open_page(browser, written.path)
        width = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1] == 390
        height = "(control) => control.getBoundingClientRect().height"
        controls = "document.querySelectorAll('select, input, button')"
        sizes = browser.execute_script(f"return [...{controls}].map({height})")
        assert min(sizes) >= 24
