"""Equilibrium of constant forcing: against algebra, against long runs of the solver, and its derivatives."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pandas as pd
import pytest
from basins import annual, anomaly, caspian, closed, funnel, pond, square, steady, trough, with_strait
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_figures import covers, texts_drawn, words_of

import caspian_sim as cs
from caspian_sim import cli, data, figures
from caspian_sim.basin.bay import kara_bogaz_gol
from caspian_sim.errors import DataError, OutOfRangeError
from caspian_sim.evaluate.equilibrium import COEFFICIENTS, SENSITIVITIES
from caspian_sim.figures import style
from caspian_sim.record.posterior import best_values
from caspian_sim.solve import solve

BEST = best_values()
PRESENT_DEPTH = float(
    data.load("net_evaporation_implied")["net_evaporation"].sel(year=slice(2003, 2022)).mean()
)
SILL, RATING = BEST["strait_sill"], BEST["strait_coefficient_after_1992"]
BAY_DEPTH = BEST["bay_net_evaporation"]


def value(ds, name):
    return float(ds[name])


# ---- algebra -----------------------------------------------------------------------------------


@given(st.floats(150.0, 350.0), st.floats(500.0, 1100.0), st.floats(0.8, 1.2))
@settings(max_examples=30, deadline=None)
def test_closed_trough_rests_where_its_area_evaporates_the_inflow(inflow, depth, factor):
    curve = trough()
    # Area is 400,000 km² at −28 m and 10,000 km² more for every metre above it.
    needed = (inflow + 5.0) / depth * 1e6 / factor
    level = -28.0 + (needed - 400_000.0) / 10_000.0
    options = {"groundwater": 5.0, "strait": "dammed", "area_factor": factor, "curve": curve}
    if not -47.9 < level < -8.1:
        if not -48.0 <= level <= -8.0:
            with pytest.raises(OutOfRangeError):
                cs.equilibrium(inflow, depth, **options)
        return
    found = cs.equilibrium(inflow, depth, **options)
    assert value(found, "level") == pytest.approx(level, abs=1e-8)
    assert value(found, "sea_area") == pytest.approx(needed * factor, rel=1e-9)
    # A metre is needed·a / 1000 km³ and loses depth · 10,000 a km² more.
    assert value(found, "response_time") == pytest.approx(needed / 10_000.0 / depth * 1000.0, rel=1e-6)
    per_metre = depth * factor * 0.01
    assert value(found, "level_per_inflow") == pytest.approx(1.0 / per_metre, rel=1e-6)
    assert value(found, "level_per_net_evaporation") == pytest.approx(
        -needed * factor * 1e-6 / per_metre, rel=1e-6
    )
    assert value(found, "level_per_area_factor") == pytest.approx(
        -depth * needed * 1e-6 / per_metre, rel=1e-6
    )


def test_closed_funnel_forgets_with_a_time_that_is_its_mean_depth_over_net_evaporation():
    # Area is 10,000 km² per metre over the point at −40 m: 100,000 km² at −30 m.
    found = cs.equilibrium(60.0, 600.0, groundwater=0.0, strait="dammed", curve=funnel())
    assert value(found, "level") == pytest.approx(-30.0, abs=1e-9)
    assert value(found, "response_time") == pytest.approx(10.0 / 0.6, rel=1e-7)


def test_square_sea_rests_only_by_what_it_sends_to_the_bay():
    # 300 km³/yr evaporate from 400,000 km²; the rest has to leave and evaporate in the bay.
    surplus = 2.0
    found = cs.equilibrium(296.0 + surplus, 750.0, groundwater=4.0, curve=square())
    bay_area = surplus / BAY_DEPTH * 1e6
    # The bay has 12,000 km² at −33 m and none on its floor at −36.5 m.
    bay_level = -36.5 + 3.5 * bay_area / 12_000.0
    assert value(found, "strait_outflow") == pytest.approx(surplus, abs=1e-9)
    assert value(found, "bay_level") == pytest.approx(bay_level, abs=1e-7)
    assert value(found, "level") == pytest.approx(SILL + (surplus / RATING) ** (2.0 / 3.0), abs=1e-9)
    # A free weir: the level answers to inflow alone, by the slope of the rating.
    slope = 1.5 * RATING * (value(found, "level") - SILL) ** 0.5
    assert value(found, "level_per_inflow") == pytest.approx(1.0 / slope, rel=1e-6)
    assert value(found, "level_per_strait_sill") == pytest.approx(1.0, rel=1e-6)
    assert value(found, "level_per_bay_net_evaporation") == pytest.approx(0.0, abs=1e-9)
    times = sorted([400.0 / slope, value(found, "fast_response_time")])
    assert value(found, "response_time") in (pytest.approx(times[0], rel=1e-6), pytest.approx(times[1]))


def test_pond_that_stands_below_the_sill_has_a_mode_of_its_own():
    found = cs.equilibrium(296.0 + 2.0, 750.0, groundwater=4.0, curve=square(), bay=pond())
    # 2 km³/yr evaporate from 2105 km² between −35 and −34 m, where the pond gains 10,000 km² in a metre.
    depth = 2.0 / BAY_DEPTH * 1e6 / 10_000.0
    assert value(found, "bay_level") == pytest.approx(-35.0 + depth, abs=1e-7)
    slope = 1.5 * RATING * (value(found, "level") - SILL) ** 0.5
    modes = sorted([400.0 / slope, depth / BAY_DEPTH * 1000.0])
    assert value(found, "fast_response_time") == pytest.approx(modes[0], rel=1e-5)
    assert value(found, "response_time") == pytest.approx(modes[1], rel=1e-5)


# ---- the solver --------------------------------------------------------------------------------


def long_run(start, years, *, strait="recut", bay_level=-31.0, inflow=274.7, depth=772.0):
    """Annual means of the level of a run of the solver under constant forcing, and the bay at its end."""
    curve = caspian()
    coefficient = 0.0 if strait == "dammed" else BEST[COEFFICIENTS[strait]]
    forcing = steady(
        years,
        inflow=inflow + 4.0,
        evaporation=depth,
        coefficient=coefficient,
        bay_evaporation=BAY_DEPTH,
    )
    bay = np.atleast_1d(kara_bogaz_gol().volume(bay_level))
    return solve(
        forcing, with_strait(curve, SILL), anomaly(curve, start), bay, annual(forcing), steps_per_month=1
    )


@pytest.mark.parametrize("strait", ["recut", "natural", "dammed"])
def test_a_long_run_comes_to_rest_at_the_equilibrium(strait):
    found = cs.equilibrium(274.7, 772.0, groundwater=4.0, strait=strait)
    solution = long_run(value(found, "level") + 0.05, 200, strait=strait)
    assert float(solution.level[-1, 0]) == pytest.approx(value(found, "level"), abs=5e-5)
    assert float(solution.strait_outflow[-1, 0]) == pytest.approx(value(found, "strait_outflow"), abs=2e-3)
    assert float(solution.area[-1, 0]) == pytest.approx(value(found, "sea_area"), abs=2.0)


@pytest.mark.parametrize("strait", ["recut", "natural", "dammed"])
def test_departure_shrinks_with_the_response_time(strait):
    found = cs.equilibrium(274.7, 772.0, groundwater=4.0, strait=strait)
    rest, bay = value(found, "level"), value(found, "bay_level")
    level = long_run(rest + 0.01, 110, strait=strait, bay_level=bay).level[:, 0] - rest
    # After 90 years the fast mode has gone.
    decay = np.log(level[90] / level[109]) / 19.0
    assert 1.0 / decay == pytest.approx(value(found, "response_time"), rel=1e-3)


def test_sea_without_a_strait_is_the_same_as_one_whose_bay_is_dammed():
    curve = caspian()
    forcing = steady(50, inflow=250.0 + 4.0, evaporation=772.0)
    found = cs.equilibrium(250.0, 772.0, groundwater=4.0, strait="dammed")
    start = value(found, "level")
    solution = solve(forcing, closed(curve), anomaly(curve, start), np.zeros(1), annual(forcing))
    assert_allclose(solution.level[:, 0], start, atol=1e-7)
    assert value(found, "strait_outflow") == 0.0


# ---- derivatives -------------------------------------------------------------------------------


@pytest.mark.parametrize("strait", ["recut", "natural"])
@pytest.mark.parametrize("inflow", [250.0, 274.7, 290.0])
def test_sensitivities_are_the_slopes_between_neighbouring_equilibria(strait, inflow, monkeypatch):
    from caspian_sim.evaluate import equilibrium as module

    found = cs.equilibrium(inflow, 772.0, strait=strait)
    steady_of = module._steady
    for name, (moved, _, _) in SENSITIVITIES.items():

        def level(step, moved=moved):
            def shifted(*arguments):
                base = steady_of(*arguments)
                if moved in ("inflow", "net_evaporation"):
                    return base
                return module.replace(base, **{moved: getattr(base, moved) + step})

            monkeypatch.setattr(module, "_steady", shifted)
            return value(
                cs.equilibrium(
                    inflow + step * (moved == "inflow"),
                    772.0 + step * (moved == "net_evaporation"),
                    strait=strait,
                ),
                "level",
            )

        h = 1e-6 if moved == "area_factor" else 1e-4
        slope = (level(h) - level(-h)) / (2.0 * h)
        monkeypatch.setattr(module, "_steady", steady_of)
        assert value(found, name) == pytest.approx(slope, rel=1e-4, abs=1e-9), name


# ---- ranges and messages -----------------------------------------------------------------------


def test_present_climate_is_what_is_meant_when_nothing_is_given():
    found = cs.equilibrium()
    assert value(found, "inflow") == pytest.approx(274.7, abs=0.05)
    assert value(found, "net_evaporation") == pytest.approx(PRESENT_DEPTH, abs=0.01)
    assert value(found, "groundwater") == BEST["groundwater"]
    assert found.attrs["strait"] == "recut"
    assert_allclose(
        cs.equilibrium(value(found, "inflow"), value(found, "net_evaporation")).level, found.level
    )
    # The sea of 2025 stands above it: its fall goes on under the mean of 2003-2022.
    assert -30.5 < value(found, "level") < -29.22


def test_sequences_become_dimensions_and_what_has_no_equilibrium_is_missing():
    found = cs.equilibrium([250.0, 275.0, 2000.0], [700.0, 800.0])
    assert found.level.dims == ("net_evaporation", "inflow")
    assert found.level.isnull().sum() == 2
    assert_allclose(found.level.sel(inflow=275.0, net_evaporation=800.0), cs.equilibrium(275.0, 800.0).level)
    assert cs.equilibrium([250.0, 275.0]).level.dims == ("inflow",)
    assert (found.level.isel(inflow=0) < found.level.isel(inflow=1)).all()


def refusal(*arguments, **options):
    with pytest.raises(OutOfRangeError) as error:
        cs.equilibrium(*arguments, **options)
    return str(error.value)


def test_forcing_without_an_equilibrium_is_refused_with_what_the_sea_gains():
    assert refusal(2000.0, 772.0, groundwater=4.0) == (
        "there is no equilibrium within the hypsometric curve\n"
        "    found    inflow 2000 and groundwater 4 km³/yr, net evaporation 772 mm/yr: the sea gains "
        f"{_gain(2000.0, -1025.0)} km³/yr at -1025 m BHS and {_gain(2000.0, -20.0)} at -20 m BHS\n"
        "    allowed  forcing under which it gains water at the lowest level and loses at the highest"
    )
    # Vertical walls evaporate the same at every level.
    assert "there is no equilibrium" in refusal(300.0, 750.0, strait="dammed", curve=square())
    assert "there is no equilibrium" in refusal(290.0, 750.0, curve=square())


def _gain(inflow, level):
    outflow = BAY_DEPTH * 18_000.0 * 1e-6 if level > SILL else 0.0
    return f"{inflow + 4.0 - 772.0 * caspian().area(level) * 1e-6 - outflow:.4g}"


def test_numbers_out_of_range_are_refused():
    assert refusal(-1.0) == "inflow is out of range\n    found    -1 km³/yr\n    allowed  0 or more"
    assert refusal(net_evaporation=-5.0) == (
        "net_evaporation is out of range\n    found    -5 mm/yr\n    allowed  0 or more"
    )
    assert refusal(np.nan) == "inflow is out of range\n    found    nan km³/yr\n    allowed  0 or more"
    assert refusal(area_factor=0.0) == (
        "area_factor is out of range\n    found    0\n    allowed  more than 0"
    )
    assert refusal(strait="open") == ("there is no strait 'open'\n    allowed  recut, natural, dammed")
    assert refusal([[1.0]]) == "inflow is a number or a sequence of numbers\n    found    shape (1, 1)"


# ---- the figure --------------------------------------------------------------------------------

WIDTHS = pytest.mark.parametrize("width", [16.0, 8.5])


@functools.cache
def drawn(width):
    return figures.equilibrium(width_cm=width)


def test_figure_draws_the_levels_and_times_of_its_table():
    table = figures.equilibrium_table()
    levels, times = drawn(16.0).axes[:2]
    for depth, rows in table.groupby("net_evaporation_mm_per_yr"):
        for ax, column in ((levels, "level_m_bhs"), (times, "mean_response_time_yr")):
            assert any(
                len(line.get_ydata()) == len(rows)
                and np.allclose(line.get_ydata(), rows[column], equal_nan=True)
                for line in ax.lines
            ), depth
        near = rows.iloc[[10]]
        found = cs.equilibrium(float(near["inflow_km3_per_yr"].item()), float(depth))
        assert near["level_m_bhs"].item() == pytest.approx(value(found, "level"), abs=1e-9)
        assert near["response_time_yr"].item() == pytest.approx(value(found, "response_time"), rel=1e-9)
        window = rows["response_time_yr"].iloc[5:16]
        assert near["mean_response_time_yr"].item() == pytest.approx(window.mean(), rel=1e-12)


@WIDTHS
def test_figure_marks_the_present_climate_and_the_observed_level(width):
    words = " ".join(words_of(drawn(width)).split())
    found = cs.equilibrium()
    level = f"{value(found, 'level'):.1f}".replace("-", "−")
    assert f"mean of 2003–2022: level {level} m, response {value(found, 'response_time'):.0f} yr" in words
    assert "observed 2025: −29.22 m" in words
    # The record determines the rating of the strait after 1992: no longer an assumption.
    assert "Assumptions (evidence grade D): parameters sill of the strait, area of the sea." in words
    assert "(m BHS)" in words


def test_figure_of_another_forcing_says_which():
    words = " ".join(words_of(figures.equilibrium(cs.equilibrium(240.0, 750.0, strait="dammed"))).split())
    assert "240.0 km³/yr, 750 mm/yr: level" in words
    assert "strait dammed" in words
    assert "sill of the strait" not in words


@WIDTHS
def test_no_text_of_the_figure_leaves_the_page_or_covers_another(width):
    fig = drawn(width)
    texts = texts_drawn(fig)
    for item, box in texts:
        assert item.get_fontsize() >= style.SMALL
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
        assert inside, f"{item.get_text()!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"


def test_figure_needs_an_equilibrium():
    with pytest.raises(DataError, match="figure 'equilibrium' cannot be drawn: variable 'level' is missing"):
        figures.equilibrium(cs.equilibrium().drop_vars("level"))


# ---- the command -------------------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_command_prints_the_equilibrium_of_the_present_climate():
    answer = call("equilibrium")
    assert answer.exit_code == 0, answer.output
    found = cs.equilibrium()
    lines = [" ".join(line.split()) for line in answer.output.splitlines()]
    assert f"level of the sea {value(found, 'level'):.2f} m BHS" in lines
    assert f"response time, slower mode {value(found, 'response_time'):.1f} yr" in lines
    change = f"{10 * value(found, 'level_per_inflow'):+.3f}"
    assert f"river inflow or groundwater +10 km³/yr {change}" in lines
    assert max(map(len, answer.output.splitlines())) <= 80


def test_command_takes_forcing_and_strait():
    answer = call(
        "equilibrium",
        *("--inflow", 250, "--net-evaporation", 800, "--groundwater", 3),
        *("--strait", "dammed", "--area-factor", 1.02),
    )
    found = cs.equilibrium(250.0, 800.0, groundwater=3.0, strait="dammed", area_factor=1.02)
    assert f"{value(found, 'level'):.2f}" in answer.output
    assert "strait dammed, area factor 1.02" in answer.output
    assert "sill" not in answer.output
    refused = call("equilibrium", "--inflow", 2000)
    assert refused.exit_code == 2
    assert refused.output.startswith("there is no equilibrium within the hypsometric curve\n")


def test_command_writes_dataset_table_figure_and_log(tmp_path):
    answer = call("equilibrium", "--output", tmp_path / "out")
    assert answer.exit_code == 0, answer.output
    written = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*"))
    pictures = [f"figures/equilibrium.{ending}" for ending in ("csv", "png", "svg")]
    assert written == ["equilibrium.csv", "equilibrium.nc", *pictures, "run.log"]
    found = cs.open(tmp_path / "out")
    assert_array_equal(found.level, cs.equilibrium().level)
    table = pd.read_csv(tmp_path / "out" / "equilibrium.csv", comment="#").set_index("quantity")
    assert table.loc["level", "value"] == pytest.approx(value(found, "level"), abs=1e-5)
    assert list(table.index) == list(found.data_vars)
    assert call("show", tmp_path / "out").output.strip() in answer.output
