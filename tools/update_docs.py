"""Write the tables of docs/ that follow from the data and the model, between their marks.

Usage: ``python tools/update_docs.py [FOLDER]`` from the root of the repository, after a change of data,
priors or the model. FOLDER is what ``caspian-sim verify`` has written; without it the forecasts are issued
anew, which takes some ten minutes, the rest some minutes. A test fails when it was forgotten.
"""

import json
import re
import sys
from collections.abc import Callable, Hashable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import caspian_sim as cs
from caspian_sim.basin.sectors import load_sectors
from caspian_sim.basin.shallows import shallow_share, shallow_weight
from caspian_sim.climate.scenario import BASELINE
from caspian_sim.cooperate import tables as cooperation
from caspian_sim.cooperate.burden import RULES
from caspian_sim.cooperate.coalitions import STATES
from caspian_sim.cooperate.tables import ALL, burden_table, by_labels
from caspian_sim.evaluate.checklist import checklist
from caspian_sim.evaluate.closure import close_balance
from caspian_sim.evaluate.comparison import (
    AREAS,
    EVAPORATION,
    FACTORS,
    NEEDED_UNITS,
    VOLGA,
    attribution_table,
    comparison_table,
    decomposition_table,
)
from caspian_sim.evaluate.convergence import LEAST_SIZE, MOST_R_HAT
from caspian_sim.evaluate.forecast import issue_forecasts
from caspian_sim.evaluate.outlook_check import past_outlooks, score_outlooks
from caspian_sim.evaluate.posterior_tables import bay_table, posterior_table
from caspian_sim.evaluate.published import STATED, short_citation
from caspian_sim.evaluate.swings import swings as find_swings
from caspian_sim.evaluate.variance import CHOICES
from caspian_sim.evaluate.verification import HEADLINE_LEADS, score_forecasts
from caspian_sim.figures import check_number, check_target
from caspian_sim.figures.text import name as named
from caspian_sim.figures.tradeoffs import shown_points
from caspian_sim.impacts.ecosystem import thresholds
from caspian_sim.impacts.northern_basin import northern_dry_share
from caspian_sim.impacts.ports import shipped_ports
from caspian_sim.impacts.seabed import falls_table
from caspian_sim.outputs.record import decades

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
YEARS = (2030, 2050, 2100)
LAST = YEARS[-1]
QUANTILES = (0.05, 0.5, 0.95)
# The warming quantile has ends of 0 and 1, at which the normal score is infinite.
ENDS = {"warming_quantile": (0.05, 0.95)}
# Shares of the sea that are quoted for a division by median lines, per cent.
QUOTED_SHARES = {"AZ": "18–21", "IR": "12–14", "KZ": "27–31", "RU": "16–19", "TM": "18–20"}
MINUS = "\N{MINUS SIGN}"


def number(value: float, form: str = "g") -> str:
    """Write a number with a proper minus sign, and zero without a sign."""
    text = format(value, form)
    if not text.strip("+-0."):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def table(head: str, rows: list[list[str]]) -> str:
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|" + "---|" * columns, *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def parameters() -> str:
    rows = [
        [
            f"`{p.name}`",
            p.distribution,
            *map(number, (p.best, p.low, p.high)),
            p.unit,
            p.grade,
            p.description,
            p.source,
        ]
        for p in cs.data.parameters().values()
    ]
    return table("parameter | prior | best | low | high | unit | grade | meaning | source", rows)


def effects() -> str:
    central = (
        "climate.scenarios=[ssp245]",
        "uncertainty={members: 1, parameters: central, variability: false}",
        "programmes.joint=",
    )

    def level(*changes: str) -> float:
        run = cs.run(QUICKSTART, overrides=(*central, *changes))
        return float(run.sea_level.sel(time=str(LAST)).squeeze())

    base = level()
    rows = []
    for prior in cs.data.parameters().values():
        low, high = ENDS.get(prior.name, (prior.low, prior.high))
        change = [level(f"parameters.{prior.name}={value}") - base for value in (low, high)]
        rows.append((abs(change[1] - change[0]), prior.name, low, high, change))
    return table(
        f"parameter | from | to | level of {LAST} at the low end, m | at the high end, m",
        [
            [f"`{name}`", number(low), number(high), *(number(c, "+.2f") for c in change)]
            for _, name, low, high, change in sorted(rows, reverse=True)
        ],
    )


def projections() -> str:
    run = cs.run(QUICKSTART)
    reference = run.exposed_seabed.attrs["reference_level"]
    rows = []
    for scenario in run.scenario.values:
        levels = run.sea_level.sel(scenario=scenario, programme="none")
        points = [levels.sel(time=str(year)).quantile(QUANTILES).values for year in YEARS]
        cells = [
            f"{number(mid, '.1f')} ({number(low, '.1f')} to {number(high, '.1f')})"
            for low, mid, high in points
        ]
        rows.append([str(scenario), *cells, number(reference - points[-1][1], ".1f")])
    return table(f"scenario | {' | '.join(map(str, YEARS))} | fall of the median by {LAST}, m", rows)


def literature() -> str:
    frame = cs.data.load("projections_literature").to_dataframe()
    rows = []
    for row in frame[frame["horizon"] == LAST].itertuples():
        low, high, kind = row.range_low, row.range_high, row.range_kind
        source = row.citation.partition(")")[0] + ")"
        if row.doi_or_url.startswith("10."):
            source = f"[{source}](https://doi.org/{row.doi_or_url})"
        change = "" if np.isnan(row.change) else number(row.change)
        span = ""
        if not np.isnan(high):
            span = f"{number(low)} to {number(high)} ({kind})"
        elif not np.isnan(low):
            span = f"{kind} {number(low)}"
        elif kind:
            change += f" ({kind})"
        rows.append([source, row.models, row.scenario, change, span])
    return table(f"source | models | scenario | change by {LAST}, m | range, m", rows)


@cache
def comparison() -> xr.Dataset:
    return cs.literature()


def publication(row: dict[str, Any]) -> str:
    return f"{short_citation(row['citation'])}, {row['published_scenario']}"


def literature_beside() -> str:
    frame = comparison_table(comparison())
    frame = frame[frame["scenario"] != ""].sort_values(["horizon", "scenario"], kind="stable")
    rows = []
    for row in frame.to_dict("records"):
        change = number(row["change_on_basis_m"], ".1f") + ("" if row["basis"] == STATED else "\\*")
        meaning = row["meaning"] if row["meaning"] != "level" else "level, with withdrawal"
        own = [
            f"{number(row[f'own_{area}_p50_m'], '.1f')} ({number(row[f'own_{area}_p05_m'], '.1f')} to "
            f"{number(row[f'own_{area}_p95_m'], '.1f')})"
            for area in AREAS
        ]
        beside = f"{named('scenario', row['scenario'])} ({row['match_grade']})"
        rows.append([publication(row), str(row["horizon"]), change, meaning, beside, *own])
    return table(
        "publication | year | change, m | which is | beside (grade of the match)"
        " | ours, dynamic area, m | ours, constant area, m",
        rows,
    )


def literature_gap() -> str:
    frame = decomposition_table(comparison()).sort_values(["horizon", "scenario"], kind="stable")
    rows = []
    for row in frame.to_dict("records"):
        needed = []
        for parameter, form in ((EVAPORATION, ".0f"), (VOLGA, ".1f")):
            column = f"needed_{parameter}_{{}}_{NEEDED_UNITS[parameter]}".format
            constant, dynamic = (
                "none" if np.isnan(row[column(area)]) else number(row[column(area)], form)
                for area in ("constant", "dynamic")
            )
            needed.append(f"{constant} ({dynamic})")
        parts = [number(row[f"{part}_m"], "+.1f") for part in ("gap", "area", "rest")]
        rows.append([publication(row), str(row["horizon"]), *parts, *needed])
    return table(
        "publication | year | gap to our median, m | of it area, m | rest, m"
        " | evaporation that would do, mm/yr/K | or Volga, %/K",
        rows,
    )


def literature_shares() -> str:
    rows = [
        [
            named("scenario", row["scenario"]),
            str(row["year"]),
            number(row["median_m"], ".2f"),
            number(row["ensemble_m"], "+.2f"),
            *(
                f"{number(row[f'{factor}_m'], '+.2f')} ({number(row[f'{factor}_alone_m'], '+.2f')})"
                for factor in FACTORS
            ),
            number(row["high_m"], ".2f"),
        ]
        for row in attribution_table(comparison()).to_dict("records")
    ]
    return table(
        "scenario | year | our median, m | ensemble, m | area, m | evaporation, m | runoff, m"
        " | typical high, m",
        rows,
    )


def variables() -> str:
    short = ("period.end=2027", "outcomes.report_years=[]", "uncertainty.members=2")
    rows = []
    for name, variable in cs.run(QUICKSTART, overrides=short).data_vars.items():
        attributes = variable.attrs
        meaning = "; ".join(attributes[key] for key in ("long_name", "comment") if key in attributes)
        dims = ", ".join(str(dim) for dim in variable.dims)
        rows.append([f"`{name}`", dims, attributes["units"], meaning, attributes.get("cell_methods", "")])
    return table("variable | dimensions | units | meaning | cell methods", rows)


@cache
def hindcast() -> xr.Dataset:
    return cs.hindcast()


def hindcast_scores() -> str:
    found = hindcast()
    rows = [
        [str(run)]
        + [number(float(found[name].sel(run=run)), ".2f") for name in ("rmse", "bias", "worst_error")]
        + [str(int(found.worst_year.sel(run=run)))]
        for run in found.run.values
    ]
    return table("run | RMSE, m | bias, m | worst error, m | in", rows)


def hindcast_terms() -> str:
    found = hindcast()
    rows = [
        [
            str(term),
            number(float(found.term_rmse.sel(term=term)), ".2f"),
            number(float(found.term_net_evaporation.sel(term=term)), ".0f"),
        ]
        for term in found.term.values
    ]
    return table("setting | RMSE, m | mean net evaporation that fits best, mm/yr", rows)


def hindcast_decades() -> str:
    found, closed = hindcast(), close_balance()
    alone, slow = found.run.values[:2]  # the full reconstruction has next to no error
    rows = []
    for decade in found.decade.values:
        inside = closed.year // 10 * 10 == decade
        row = [f"{decade}s"]
        for run in (alone, slow):
            row += [
                number(float(found[name].sel(run=run, decade=decade)), ".2f")
                for name in ("decade_error", "decade_rmse")
            ]
        row += [number(closed.inflow[inside].mean(), ".0f")]
        rows.append([*row, number(closed.net_evaporation[inside].mean(), ".0f")])
    return table(
        f"decade | {alone}: mean error, m | RMSE, m | {slow}: mean error, m | RMSE, m"
        " | inflow, km³/yr | net evaporation that closes the balance, mm/yr",
        rows,
    )


def equilibria() -> str:
    present, closed = cs.equilibrium(), close_balance()
    inflow, net = float(present.inflow), float(present.net_evaporation)

    def means(first: int, last: int) -> tuple[float, float]:
        inside = (closed.year >= first) & (closed.year <= last)
        return closed.inflow[inside].mean(), closed.net_evaporation[inside].mean()

    climates = [
        ("present, 2003–2022", inflow, net, "recut"),
        ("present, strait as before 1980", inflow, net, "natural"),
        ("present, strait closed", inflow, net, "dammed"),
        ("1978–1995, the rise", *means(1978, 1995), "recut"),
        ("2013–2022", *means(2013, 2022), "recut"),
        ("wetter: inflow +10 %", 1.1 * inflow, net, "recut"),
        ("drier: inflow −10 %", 0.9 * inflow, net, "recut"),
        ("warmer: net evaporation +50 mm/yr", inflow, net + 50.0, "recut"),
        ("drier and warmer: both", 0.9 * inflow, net + 50.0, "recut"),
    ]
    rows = []
    for name, rivers, depth, strait in climates:
        found = cs.equilibrium(rivers, depth, strait=strait)
        numbers = [
            (rivers, ".1f"),
            (depth, ".0f"),
            (found.level, ".1f"),
            (found.strait_outflow, ".1f"),
            (found.response_time, ".0f"),
            (10.0 * found.level_per_inflow, "+.2f"),
            (10.0 * found.level_per_net_evaporation, "+.2f"),
        ]
        rows.append([name, *(number(float(value), form) for value, form in numbers)])
    return table(
        "climate | inflow, km³/yr | net evaporation, mm/yr | level, m BHS | outflow to the bay, km³/yr"
        " | response time, yr | level per +10 km³/yr, m | level per +10 mm/yr, m",
        rows,
    )


def hindcast_checks() -> str:
    found = checklist(hindcast())
    runs = list(dict.fromkeys(found["run"]))
    rows = []
    for _, checks in found.groupby("check", sort=False):
        tolerances, unit = checks["tolerance"].unique(), checks["unit"].iloc[0]
        asked = check_target(checks["target"].iloc[0], tolerances[0], unit)
        if len(tolerances) > 1:
            asked = f"0 ± {', '.join(check_number(each, each, unit) for each in tolerances)} {unit}"
        source, grade = checks["source"].iloc[0], checks["grade"].iloc[0].partition(" ")[0]
        record = checks["record"].iloc[0]
        row = [checks["title"].iloc[0], asked, source or "choice", grade]
        row += ["" if np.isnan(record) else check_number(record, tolerances[0], unit)]
        for check in checks.to_dict("records"):
            value = check_number(check["value"], check["tolerance"], unit)
            if check["check"] == "closure" and check["passes"]:
                value = "less"  # round-off, which differs between processors
            row.append(f"{value}, pass" if check["passes"] else f"**{value}, fail**")
        rows.append(row)
    return table(f"check | asked for | source of the target | grade | record | {' | '.join(runs)}", rows)


@cache
def swings() -> str:
    found = find_swings()
    rows = [
        [
            str(name).replace("-", "\N{EN DASH}"),
            str(int(one["years"])),
            number(float(one["observed"]), "+.1f"),
            number(float(one["largest"].sel(quantile=0.5)), "+.1f"),
            f"{number(float(one['largest'].sel(quantile=0.05)), '+.1f')} to "
            f"{number(float(one['largest'].sel(quantile=0.95)), '+.1f')}",
            f"{100 * float(one['share']):.0f}",
        ]
        for name, one in ((name, found.sel(swing=name)) for name in found["swing"].values)
    ]
    return table(
        "years | span, yr | observed, m | largest in a century: median, m | 5 to 95 %, m | "
        "% of the centuries with one as large",
        rows,
    )


def verification() -> xr.Dataset:
    folder = sys.argv[1:2] if __name__ == "__main__" else []
    return score_forecasts(cs.open(folder[0]) if folder else issue_forecasts(range(1966, 2016), members=1000))


def verification_scores() -> str:
    rows = []
    for lead in HEADLINE_LEADS:
        now = verification().sel(lead=lead)
        row = [f"{lead} yr", str(int(now.origins)), number(float(now.effective_origins), ".0f")]
        row += [number(float(now[name]), ".2f") for name in ("mean_crps", "bias", "mae")]
        for band in now.band.values:
            at = now.sel(band=band)
            middle, low, high = (100 * float(at[f"coverage{end}"]) for end in ("", "_low", "_high"))
            row.append(f"{number(middle, '.0f')} ({number(low, '.0f')} to {number(high, '.0f')})")
        rows.append([*row, *(number(float(width), ".2f") for width in now.width)])
    return table(
        "lead | origins | independent | CRPS, m | bias, m | MAE of the median, m | % inside the 50 % band"
        " | % inside the 90 % band | width of the 50 % band, m | of the 90 % band, m",
        rows,
    )


def verification_skill() -> str:
    rows = []
    for reference in verification().reference.values:
        row = [str(reference)]
        for lead in HEADLINE_LEADS:
            now = verification().sel(reference=reference, lead=lead)
            middle, low, high = (number(float(now[f"skill{end}"]), ".2f") for end in ("", "_low", "_high"))
            row.append(f"{middle} ({low} to {high})")
        rows.append(row)
    return table(f"against | {' | '.join(f'{lead} yr' for lead in HEADLINE_LEADS)}", rows)


def verification_decades() -> str:
    rows = []
    for lead in (5, 10):
        for decade in verification().decade.values:
            now = verification().sel(lead=lead, decade=decade)
            skills = [
                now.decade_skill.sel(reference=name) for name in ("persistence", "persistence with errors")
            ]
            row = [f"{lead} yr", f"{decade}s", str(int(now.decade_origins))]
            row += [number(float(now[f"decade_{name}"]), ".2f") for name in ("crps", "bias")]
            row += [number(100 * float(now.decade_coverage.sel(band=0.9)), ".0f")]
            rows.append([*row, *(number(float(skill), ".2f") for skill in skills)])
    return table(
        "lead | origins | number | CRPS, m | bias, m | % inside the 90 % band"
        " | skill against persistence | against persistence with errors",
        rows,
    )


def outlook_check() -> str:
    scores = score_outlooks(past_outlooks())
    rows = []
    for lead in scores["lead"].values:
        now = scores.sel(lead=lead)
        row = [str(lead), *(number(1000 * float(now[name]), ".0f") for name in ("crps", "bias"))]
        row += [number(float(value), ".2f") for value in now["skill"].values]
        row += [number(100 * float(value), ".0f") for value in now["coverage"].values]
        rows.append([*row, *(number(float(value), ".2f") for value in now["width"].values)])
    means = [number(float(value), ".2f") for value in scores["skill"].mean("lead").values]
    means += [number(100 * float(value), ".0f") for value in scores["coverage"].mean("lead").values]
    rows.append(["all", number(1000 * float(scores["crps"].mean()), ".0f"), "", *means, "", ""])
    return table(
        "month | CRPS, mm | bias, mm | skill against persistence | against persistence with errors"
        " | % inside the 50 % band | % inside the 90 % band | width of the 50 % band, m"
        " | of the 90 % band, m",
        rows,
    )


def outlook_months_seen() -> str:
    rows = []
    for seen in (0, 3, 6):
        outlooks = past_outlooks(seen_months=seen).sel(lead=slice(seen + 1, None))
        scores = score_outlooks(outlooks)
        row = [str(seen), number(1000 * float(scores["crps"].mean()), ".0f")]
        row += [number(100 * float(value), ".0f") for value in scores["coverage"].mean("lead").values]
        rows.append([*row, number(float(scores["width"].sel(band=0.9)[-1]), ".2f")])
    return table(
        "months seen | CRPS of the others, mm | % inside the 50 % band | % inside the 90 % band"
        " | width of the 90 % band in December, m",
        rows,
    )


def reconstruction() -> str:
    found = cs.reconstruct()
    rows = []
    for row in decades(found).to_dict("records"):
        first = int(row["decade"])
        now = found.sel(year=slice(first, first + 9))
        rows.append(
            [
                f"{int(now.year[0])}–{int(now.year[-1])}",
                number(row["net_evaporation"], ".0f"),
                number(float(now["net_evaporation_sd"].mean()), ".0f"),
                number(row["lasting_net_evaporation"], ".0f"),
                number(row["inflow"], ".0f"),
                number(float(now["inflow_sd"].mean()), ".0f"),
                number(row["strait_outflow"], ".1f"),
                number(row["end_level"], ".2f"),
            ]
        )
    return table(
        "years | net evaporation, mm/yr | ± of a year | lasting part, mm/yr | inflow, km³/yr | ± of a year"
        " | outflow to the bay, km³/yr | level at the end, m BHS",
        rows,
    )


def structure_shallows() -> str:
    depth = cs.data.fact("shallow_water_depth").value
    prior = cs.data.parameters()["shallow_evaporation"]
    curve, record = cs.hypsometry(), cs.data.load("sea_level_annual")["level"]
    baseline = float(record.sel(year=slice(*BASELINE)).mean())
    before = float(shallow_share(curve, baseline, depth))
    rows = []
    for level in (-26.0, -27.0, round(baseline, 2), -29.0, -30.0, -31.0, -32.0, -33.0, -34.0):
        share = float(shallow_share(curve, level, depth))
        weight = shallow_weight(np.array([prior.best, prior.high]), before)
        change = 100.0 * weight * (share - before)
        rows.append([number(level, ".4g"), number(share, ".3f"), *(number(c, "+.1f") for c in change)])
    return table(
        f"level, m BHS | share shallower than {depth:g} m | evaporation against baseline, %: factor "
        f"{prior.best:g} | factor {prior.high:g}",
        rows,
    )


@cache
def split(vary: tuple[str, ...] = tuple(CHOICES)) -> xr.Dataset:
    return cs.variance(QUICKSTART, vary=vary)


def shares(found: xr.Dataset, of: str, what: str, form: str) -> list[list[str]]:
    """Rows of shares in per cent with their intervals."""
    rows = []
    for label in found[what].values:
        cells = []
        for year in YEARS:
            now = [
                found[f"{of}_share{end}"].sel({what: label, "year": year}) for end in ("", "_low", "_high")
            ]
            value, low, high = (number(100.0 * float(share), form) for share in now)
            cells.append(f"{value} ({low} to {high})")
        rows.append([str(label).replace("_", " "), *cells])
    return rows


def shares_and_spread(found: xr.Dataset) -> str:
    spread = [number(float(found.level_sd.sel(year=year)), ".2f") for year in YEARS]
    rows = [*shares(found, "variance", "source", ".0f"), ["standard deviation, m", *spread]]
    return table(f"source, % of the variance | {' | '.join(map(str, YEARS))}", rows)


def structure_split() -> str:
    return shares_and_spread(split())


def structure_split_dynamic() -> str:
    return shares_and_spread(split(("evaporation", "strait")))


def structure_choices() -> str:
    rows = shares(split(), "structure", "choice", ".1f") + shares(split(), "interaction", "pair", ".1f")
    return table(f"part, % of the variance | {' | '.join(map(str, YEARS))}", rows)


def structure_levels() -> str:
    levels = split().level_mean.sel(year=LAST)
    rows = []
    for values in product(*(levels[choice].values for choice in CHOICES)):
        own = levels.sel(dict(zip(CHOICES, values, strict=True)))
        rows.append([*map(str, values), *(number(float(level), ".1f") for level in own)])
    scenarios = " | ".join(str(scenario) for scenario in levels.scenario.values)
    return table(f"evaporation | area | strait | {scenarios}", rows)


def calibration_parameters() -> str:
    rows = []
    for row in posterior_table(cs.data.load("posterior")).to_dict("records"):
        form = ".0f" if abs(row["prior_p50"]) > 100.0 else ".3g"
        spans = [
            f"{number(row[f'{which}_p50'], form)} ({number(row[f'{which}_p05'], form)} to "
            f"{number(row[f'{which}_p95'], form)})"
            for which in ("prior", "posterior")
        ]
        shrinkage, shift = number(row["shrinkage"], ".2f"), number(row["shift_prior_sd"], "+.1f")
        rows.append(
            [
                f"`{row['parameter']}`",
                row["unit"],
                *spans,
                shrinkage,
                shift,
                row["speaks"],
                row["prior_grade"],
            ]
        )
    return table(
        "parameter | unit | prior | posterior | shrinkage | shift | who speaks | grade of prior", rows
    )


def calibration_bay() -> str:
    def form(row: dict[Hashable, Any]) -> str:
        return ".0f" if row["sd"] > 100.0 else ".1f"

    rows = [
        [
            f"`{row['check']}`",
            row["unit"],
            f"{number(row['value'])} ± {number(row['sd'])}",
            f"{number(row['model_p50'], form(row))} ({number(row['model_p05'], form(row))} to "
            f"{number(row['model_p95'], form(row))})",
            number(row["score"], "+.1f"),
            "pass" if row["passes"] else "**fail**",
            row["grade"],
        ]
        for row in bay_table(cs.data.load("posterior")).to_dict("records")
    ]
    return table("fact | unit | published, with its error | model | score | verdict | grade", rows)


def calibration_warming() -> str:
    rows = [
        [
            row["source"],
            *(number(row[f"{column}_mm_per_yr_per_k"], ".0f") for column in ("p50", "p05", "p95")),
            number(row["share_negative"], ".2f"),
            row["speaks"],
        ]
        for row in json.loads(cs.data.load("posterior").attrs["warming_sensitivity"])
    ]
    return table("source | median | 5 % | 95 % | share below zero | who speaks", rows)


def calibration_diagnostics() -> str:
    ds = cs.data.load("posterior")
    found, settings = json.loads(ds.attrs["diagnostics"]), json.loads(ds.attrs["settings"])
    acceptance = ", ".join(number(share, ".2f") for share in found["acceptance"])
    rows = [
        ["ensembles, walkers of each", f"{settings['ensembles']}, {settings['walkers']}", ""],
        ["steps, and burn-in before them", f"{settings['steps']}, {settings['burn_in']}", ""],
        ["largest R-hat", number(found["largest_r_hat"], ".3f"), f"at most {MOST_R_HAT}"],
        *(
            [
                f"smallest effective size, {meaning}",
                number(found[f"smallest_{size}"]),
                f"at least {LEAST_SIZE}",
            ]
            for size, meaning in (("ess_bulk", "bulk"), ("ess_tail", "tails"), ("ess_coupled", "coupled"))
        ),
        ["longest autocorrelation time, steps", number(found["longest_autocorrelation_time"], ".0f"), ""],
        ["moves accepted, by ensemble", acceptance, ""],
    ]
    return table("what | found | asked for", rows)


@cache
def attributed() -> xr.Dataset:
    return cs.attribute(QUICKSTART, overrides=("climate.scenarios=[ssp245]",))


def attribution() -> str:
    found = by_labels(cooperation.attribution_table(attributed()), "outcome", "year", "part", "state")
    rows = []
    for state, label in [*STATES.items(), (ALL, "all together")]:
        share = "joint" if state == ALL else "shapley"
        cells = [label]
        for year in YEARS[1:]:
            alone = found["avoided_fall", year, "joint" if state == ALL else "alone", state]["mean"]
            row = found["avoided_fall", year, share, state]
            mean, low, high = (number(row[key], ".3f") for key in ("mean", "p05", "p95"))
            cells += [number(alone, ".3f"), f"{mean} ({low} to {high})"]
        seabed = found["avoided_seabed", LAST, share, state]["mean"]
        rows.append([*cells, number(round(seabed, -1), ".0f")])
    both = [number(found["avoided_fall", y, "interaction", ALL]["mean"], ".3f") for y in YEARS[1:]]
    rows.insert(-1, ["interaction", both[0], "", both[1], "", ""])
    head = " | ".join(f"alone by {year}, m | Shapley value, m" for year in YEARS[1:])
    return table(f"state | {head} | seabed kept wet in {LAST}, km²", rows)


def burden() -> str:
    found = by_labels(burden_table(cs.burden_sharing(attributed())), "year", "rule", "state")
    rows = []
    for rule, (grade, _) in RULES.items():
        cells = [found[LAST, rule, state] for state in STATES]
        texts = [
            f"{number(c['volume_km3_per_yr'], '.2f')} ({number(c['of_consumption_percent'], '.0f')} %)"
            for c in cells
        ]
        rows.append([rule, grade, *texts])
    return table(f"rule, {LAST} | grade | {' | '.join(STATES.values())}", rows)


def ports() -> str:
    rows = [
        [
            f"`{port.id}`",
            port.title,
            ("draft " if port.stated_as == "draft" else "") + number(port.depth, ".2f"),
            number(port.reference_level, ".2f")
            + (f" ({port.reference_year})" if port.reference_year else ""),
            port.vessel.title,
            number(port.needed, ".2f"),
            number(port.limit_level, ".2f"),
            number(port.cargo_per_decimetre, ".0f"),
            f"{port.grade}, {port.vessel_grade}",
        ]
        for port in shipped_ports()
    ]
    return table(
        "port | name | depth, m | level, m BHS (year) | vessel | needs, m | limit, m BHS | t per dm | grades",
        rows,
    )


def impact_thresholds() -> str:
    rows = [
        [
            threshold.title,
            number(threshold.drop),
            *(number(level, ".2f") for level in threshold.levels),
            "" if np.isnan(threshold.loss) else f"{number(100.0 * threshold.loss)} %",
            f"{threshold.grade}, {threshold.reference_grade}",
            threshold.source,
        ]
        for threshold in thresholds()
    ]
    return table(
        "impact | fall, m | below, m BHS | lowest | highest | loss | grades of fall and level | source", rows
    )


def northern_basin() -> str:
    levels = np.array([-29.0, -30.0, -31.0, -32.0, -33.0, -34.0, -36.0, -38.0])
    share = northern_dry_share(xr.DataArray(levels)).values
    heads = " | ".join(["level, m BHS", *(number(level, ".0f") for level in levels)])
    return table(heads, [["dry, %", *(number(100.0 * value, ".0f") for value in share)]])


def seabed_falls() -> str:
    rows = []
    for reference in (-28.0, -29.2):
        lost = falls_table(reference)
        for fall, block in lost.groupby("fall_m"):
            cells = [number(value, ",.0f") for value in block["exposed_km2"]]
            share = 100.0 * float(block["share_of_sector"].iloc[-1])
            rows.append([number(reference), number(float(str(fall))), *cells, f"{share:.0f} %"])
    states = " | ".join(load_sectors().states)
    return table(f"from, m BHS | fall, m | {states} | whole sea, km² | of it", rows)


def seabed_shares() -> str:
    sectors = load_sectors()
    levels = (-27.0, -28.0, -29.2, -33.0)
    shares = [100.0 * area / area.sum() for area in (sectors.area(level) for level in levels)]
    rows = [
        [state, *(number(share[place], ".1f") for share in shares), QUOTED_SHARES[state]]
        for place, state in enumerate(sectors.states)
    ]
    heads = " | ".join(f"{number(level)} m" for level in levels)
    return table(f"state, % of the sea | {heads} | quoted", rows)


def tradeoffs() -> str:
    ds = cs.tradeoffs(QUICKSTART, steps=1)
    rows = []
    for place in shown_points(ds):
        point = ds.isel(point=place)
        used = [str(m) for m in ds["measure"].values[point["intensity"].values > 0.0]]
        left_out = [str(m) for m in ds["measure"].values if m not in used]
        words = ", ".join(used) if len(used) <= len(left_out) else f"all but {', '.join(left_out)}"
        effort, fall, low, high = (
            float(point[key]) for key in ("effort", "avoided_fall", "avoided_fall_low", "avoided_fall_high")
        )
        rows.append(
            [
                words,
                number(effort, ".1f"),
                f"{number(fall, '.2f')} ({number(low, '.2f')} to {number(high, '.2f')})",
                number(100.0 * float(point["kept_share_least"]), ".0f"),
                number(float(point["regret_most"]), ".2f"),
                number(float(point["regret_at_effort_most"]), ".3f"),
            ]
        )
    head = "programme | km³/yr | fall avoided, m | stays above −30 m, % | regret, m | at its effort, m"
    return table(head, rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "parameters": ("model.md", parameters),
    "effects": ("model.md", effects),
    "projections": ("model.md", projections),
    "literature": ("literature.md", literature),
    "literature beside": ("literature.md", literature_beside),
    "literature gap": ("literature.md", literature_gap),
    "literature shares": ("literature.md", literature_shares),
    "variables": ("dataset.md", variables),
    "hindcast scores": ("hindcast.md", hindcast_scores),
    "hindcast terms": ("hindcast.md", hindcast_terms),
    "hindcast decades": ("hindcast.md", hindcast_decades),
    "equilibria": ("balance.md", equilibria),
    "hindcast checks": ("hindcast.md", hindcast_checks),
    "outlook check": ("observations.md", outlook_check),
    "outlook months seen": ("observations.md", outlook_months_seen),
    "reconstruction": ("observations.md", reconstruction),
    "swings": ("verification.md", swings),
    "verification scores": ("verification.md", verification_scores),
    "verification skill": ("verification.md", verification_skill),
    "verification decades": ("verification.md", verification_decades),
    "structure shallows": ("structure.md", structure_shallows),
    "attribution": ("cooperation.md", attribution),
    "burden": ("cooperation.md", burden),
    "tradeoffs": ("tradeoffs.md", tradeoffs),
    "structure split": ("structure.md", structure_split),
    "structure split dynamic": ("structure.md", structure_split_dynamic),
    "structure choices": ("structure.md", structure_choices),
    "structure levels": ("structure.md", structure_levels),
    "ports": ("ports.md", ports),
    "thresholds": ("ecosystem.md", impact_thresholds),
    "northern basin": ("ecosystem.md", northern_basin),
    "calibration parameters": ("calibration.md", calibration_parameters),
    "calibration bay": ("calibration.md", calibration_bay),
    "calibration warming": ("calibration.md", calibration_warming),
    "seabed falls": ("seabed.md", seabed_falls),
    "seabed shares": ("seabed.md", seabed_shares),
    "calibration diagnostics": ("calibration.md", calibration_diagnostics),
}


def marked(name: str) -> re.Pattern[str]:
    """Match what stands between the marks of a table, as group ``body``."""
    return re.compile(
        rf"(?P<begin><!-- begin {name} -->\n)(?P<body>.*?)(?P<end>\n?<!-- end {name} -->)", re.S
    )


def main() -> int:
    for name, (page, write) in TABLES.items():
        path = ROOT / "docs" / page
        text = path.read_text(encoding="utf-8")
        body = write()
        changed, count = marked(name).subn(
            lambda found, body=body: f"{found['begin']}{body}\n{found['end'].lstrip()}", text
        )
        if count != 1:
            print(f"docs/{page}: no marks for the table '{name}'", file=sys.stderr)
            return 1
        if changed != text:
            path.write_text(changed, encoding="utf-8")
            print(f"docs/{page}: table '{name}' rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
