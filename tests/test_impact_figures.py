"""Figures of ports, the route and ecosystems: their numbers, their words, and how they look."""

from __future__ import annotations

import functools
import itertools

import matplotlib
import numpy as np
import pytest
from impact_runs import CONFIG, falling_run
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose
from test_figures import covers, lines_of, texts_drawn, without_letters, words_of

from caspian_sim.errors import DataError
from caspian_sim.figures import ecosystem, ecosystem_table, ports, ports_table, route, route_table
from caspian_sim.figures.heat import percent, shown_years
from caspian_sim.impacts.ecosystem import ecosystem_outcomes
from caspian_sim.impacts.port_outcomes import port_outcomes

matplotlib.use("Agg")

RUN = falling_run()
DRAW = {"ports": ports, "route": route, "ecosystem": ecosystem}
EVERY = pytest.mark.parametrize(("figure", "width"), list(itertools.product(DRAW, (16.0, 8.5))))


@functools.cache
def drawn(name: str, width: float = 16.0) -> Figure:
    return DRAW[name](RUN, width_cm=width)


def cell_texts(fig: Figure) -> list[str]:
    """Numbers that stand in a cell, in the order in which they are drawn."""
    (ax,) = (ax for ax in fig.axes if sum(isinstance(p, Rectangle) for p in ax.patches) > 20)
    return [item.get_text() for item in ax.texts if item.get_ha() == "center" and item.get_va() != "bottom"]


def test_heat_map_writes_the_probability_of_every_port_and_year():
    chance = port_outcomes(RUN).below_draft.sel(scenario="ssp245", programme="none")
    years = shown_years(chance.year.values, 10)
    expected = [
        percent(float(share)) for share in chance.sel(year=years).transpose("port", "year").values.ravel()
    ]
    assert cell_texts(drawn("ports")) == expected


def test_table_of_ports_is_that_of_the_outcomes_for_all_scenarios_and_programmes():
    table, found = ports_table(RUN), port_outcomes(RUN)
    row = table[
        (table.port == "alat")
        & (table.scenario == "ssp370")
        & (table.programme == "joint")
        & (table.year == 2080)
    ].iloc[0]
    at = {"port": "alat", "scenario": "ssp370", "programme": "joint", "year": 2080}
    assert_allclose(row.probability_below_draft, found.below_draft.sel(at))
    assert_allclose(row.depth_left_p05_m, found.depth_left.sel({**at, "quantile": 0.05}))
    assert_allclose(row.cargo_lost_t, found.cargo_lost.sel({**at, "quantile": 0.5}))
    assert_allclose(row.dredging_for_vessel_p95_m, found.dredging_for_vessel.sel({**at, "quantile": 0.95}))
    assert_allclose(row.first_year, found.first_year.sel({k: at[k] for k in at if k != "year"}))
    assert (row.grade, row.vessel_grade, row.cargo_grade) == ("D", "C", "D")
    assert len(table) == 12 * 4 * 2 * 75


def test_ports_that_cannot_be_used_in_full_from_the_start_say_so():
    words = words_of(drawn("ports"))
    assert "≤ 2026" in words
    assert "Amirabad" in words


def test_route_draws_the_median_depth_of_each_port_and_what_its_vessel_needs():
    table = route_table(RUN)
    for port in ("aktau-dry", "kuryk-ferry", "amirabad", "anzali"):
        rows = table[(table.port == port) & (table.scenario == "ssp245") & (table.programme == "none")]
        assert any(
            len(y) == len(rows) and np.allclose(y, rows.depth_m) and np.allclose(x, rows.year)
            for x, y in lines_of(drawn("route"))
        ), port
    drawn_at = {
        round(float(line.get_ydata()[0]), 6)
        for ax in drawn("route").axes
        for line in ax.lines
        if line.get_linestyle() == "--"
    }
    assert drawn_at == set(table.needed_m.round(6))


def test_table_of_the_route_has_its_four_ports_in_order_of_their_numbers():
    table, found = route_table(RUN), port_outcomes(RUN)
    assert set(table.port) == {"aktau-dry", "kuryk-ferry", "amirabad", "anzali"}
    row = table[(table.port == "anzali") & (table.scenario == "ssp585") & (table.programme == "none")].iloc[
        -1
    ]
    at = {"port": "anzali", "scenario": "ssp585", "programme": "none", "year": 2100}
    assert_allclose(row.depth_p95_m, found.depth_left.sel({**at, "quantile": 0.95}))
    assert_allclose(row.probability_below_draft, found.below_draft.sel(at))


def test_ecosystem_writes_every_chance_and_the_dry_share_of_the_north():
    found = ecosystem_outcomes(RUN).sel(programme="none")
    years = shown_years(found.year.values, 10)
    below = found.below.sel(reference="central", year=years)
    order = below.isel(year=-1).mean("scenario")
    names = sorted(found.impact.values, key=lambda name: -float(order.sel(impact=name)))
    expected = [percent(float(v)) for name in names for v in below.sel(impact=name).values.ravel()]
    dry = found.share_lost.sel(impact="northern-basin", quantile=0.5, year=years)
    expected += [percent(float(v)) for v in dry.transpose("scenario", "year").values.ravel()]
    assert cell_texts(drawn("ecosystem")) == expected


def test_table_of_ecosystems_carries_ranges_grades_and_sources():
    table = ecosystem_table(RUN)
    assert len(table) == 6 * 4 * 2 * 75
    assert (table.probability_in_year_reference_low <= table.probability_in_year_reference_high).all()
    assert (table.probability_in_year <= table.probability_by_year + 1e-12).all()
    seals = table[table.impact == "seal-ice"].iloc[0]
    assert (seals.grade, seals.reference_grade, seals.curve_grade) == ("B", "D", "D")
    assert "Court et al. 2025" in seals.source


@pytest.mark.parametrize("figure", DRAW)
def test_footer_names_assumptions_datum_and_run(figure):
    words = words_of(drawn(figure)).replace("\n", " ")
    assert "grade D" in words or "D: assumption" in words
    assert "configuration 01234567" in words
    assert "Baltic Height System" in words


def test_own_port_is_drawn_under_its_own_name():
    ports_given = (
        "impacts: {catalogue: none, ports: [{id: grain, title: Grain berth, state: KZ, depth_m: 7, "
        "reference_year: 2024, vessel: ferry-5800, source: survey}]}\n"
    )
    fig = ports(RUN.assign_attrs(config=CONFIG + ports_given))
    assert "Grain berth" in words_of(fig)
    assert "Amirabad" not in words_of(fig)
    with pytest.raises(DataError) as caught:
        route(RUN.assign_attrs(config=CONFIG + ports_given))
    assert str(caught.value) == (
        "the run has no port 'aktau-dry'\n    found    'aktau-dry'\n    allowed  grain"
    )


def test_missing_variable_members_or_scenario_are_refused_in_the_name_of_the_figure():
    with pytest.raises(DataError, match="figure 'ports' cannot be drawn: variable 'sea_level' is missing"):
        ports(RUN.drop_vars("sea_level"))
    with pytest.raises(DataError, match="figure 'ecosystem' needs the members of the run"):
        ecosystem(RUN.isel(member=0, drop=True))
    with pytest.raises(DataError, match="the dataset has no scenario 'ssp999'"):
        route(RUN, scenario="ssp999")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0"), (0.001, "<1"), (0.006, "1"), (0.49, "49"), (0.994, "99"), (0.999, ">99"), (1.0, "100")],
)
def test_small_and_large_shares_do_not_become_none_or_all(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(("first", "last", "most"), [(2026, 2100, 10), (2026, 2030, 10), (2026, 2100, 3)])
def test_years_of_the_columns_begin_and_end_with_the_run_and_fit(first, last, most):
    years = shown_years(np.arange(first, last + 1), most)
    assert (years[0], years[-1]) == (first, last)
    assert len(years) <= most
    assert years == sorted(set(years))


@EVERY
def test_no_text_leaves_the_page_or_covers_another(figure, width):
    fig = drawn(figure, width)
    texts = texts_drawn(fig)
    for item, box in texts:
        assert item.get_fontsize() >= 7.0, item.get_text()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
        assert inside, f"{item.get_text()!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        assert not covers(a, b), f"{one.get_text()!r} covers {other.get_text()!r}"


@EVERY
def test_figure_is_as_wide_as_asked(figure, width):
    assert drawn(figure, width).get_figwidth() * 2.54 == pytest.approx(width)


picture = pytest.mark.mpl_image_compare(style="default", tolerance=1.5, savefig_kwargs={"dpi": 60})


@picture
def test_picture_of_the_ports():
    return without_letters(ports(RUN))


@picture
def test_picture_of_the_route():
    return without_letters(route(RUN))


@picture
def test_picture_of_the_ecosystem():
    return without_letters(ecosystem(RUN))
