"""Tables for the terminal, readable at 80 columns, without colour where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import xarray as xr
from rich.console import Console
from rich.table import Table

from caspian_sim.evaluate.checklist import checklist
from caspian_sim.evaluate.verification import HEADLINE_LEADS, score_forecasts
from caspian_sim.figures import check_number, check_target
from caspian_sim.outputs.balances import Listing, balance_listings, equilibrium_listings
from caspian_sim.outputs.calibration import posterior_parts
from caspian_sim.outputs.coalitions import coalition_parts
from caspian_sim.outputs.impacts import has_impacts, impact_parts
from caspian_sim.outputs.literature import literature_parts
from caspian_sim.outputs.record import outlook_listings, reconstruction_listings
from caspian_sim.outputs.scores import scores
from caspian_sim.outputs.summary import QUANTILES, summary
from caspian_sim.outputs.tables import number as _number
from caspian_sim.outputs.tables import plain_table as _table
from caspian_sim.outputs.target import delay_parts, target_parts
from caspian_sim.outputs.tradeoffs import tradeoffs_parts
from caspian_sim.outputs.variance import variance_parts
from caspian_sim.outputs.write import FIGURES, SUMMARY, Written

MOST_ROWS, MOST_YEARS = 60, 3
# Inputs with a smaller share of the variance in all of these years are left to the CSV file.
SMALLEST = 0.005


def print_result(ds: xr.Dataset) -> None:
    """Print the tables of a result to standard output.

    Parameters
    ----------
    ds : xarray.Dataset
        Result of :func:`caspian_sim.run`, :func:`caspian_sim.hindcast`, :func:`caspian_sim.sensitivity`,
        :func:`caspian_sim.variance`, :func:`caspian_sim.attribute`, :func:`caspian_sim.target`,
        :func:`caspian_sim.delay`, :func:`caspian_sim.tradeoffs`, :func:`caspian_sim.literature`,
        :func:`caspian_sim.outlook`, :func:`caspian_sim.reconstruct`, :func:`caspian_sim.solve_balance`, or
        :func:`caspian_sim.equilibrium` for one forcing; the forecasts of a verification; the posterior of a
        calibration; or the impacts of a run.
    """
    console = Console(highlight=False)
    if has_impacts(ds):
        parts = impact_parts(ds)
    elif "index" in ds:
        parts = _sensitivity_tables(ds)
    elif "closure_error" in ds:
        parts = _listed(balance_listings(ds))
    elif "response_time" in ds:
        parts = _listed(equilibrium_listings(ds))
    elif "recent_level" in ds:
        parts = _listed(outlook_listings(ds))
    elif "slow_inflow" in ds:
        parts = _listed(reconstruction_listings(ds))
    elif "own_change" in ds:
        parts = literature_parts(ds)
    elif "forecast" in ds:
        parts = _verification_tables(score_forecasts(ds))
    elif "variance_share" in ds:
        parts = variance_parts(ds)
    elif "diagnostics" in ds.attrs:
        parts = posterior_parts(ds)
    elif "avoided_fall_shapley" in ds:
        parts = coalition_parts(ds)
    elif "required_inflow" in ds:
        parts = target_parts(ds)
    elif "lost" in ds:
        parts = delay_parts(ds)
    elif "regret_at_effort" in ds:
        parts = tradeoffs_parts(ds)
    else:
        parts = _hindcast_tables(ds) if "term_rmse" in ds else _run_table(ds)
    for number, (title, table) in enumerate(parts):
        console.print("\n" * (number > 0) + title, style="bold", markup=False)
        console.print(table)


def _run_table(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    frame = summary(ds)
    title = f"Annual mean level and fall against {frame['reference_level_m_bhs'].iloc[0]:.2f} m BHS"
    if len(frame) > MOST_ROWS:
        frame = frame[frame["year"] == frame["year"].max()]
        title += f" (other years: {SUMMARY})"
    several = int(frame["members"].iloc[0]) > 1
    ranges = ("5 to 95 %",) if several else ()
    table = _table(("scenario", "programme"), ("year", "m BHS", *ranges, "fall, m", *ranges))
    shown: list[str] = ["", ""]
    for row in frame.to_dict("records"):
        names = [str(row["scenario"]), str(row["programme"])]
        if shown[0] not in ("", names[0]):
            table.add_section()
        cells = [str(row["year"])]
        for name, unit in (("level", "m_bhs"), ("fall", "m")):
            low, middle, high = (_number(row[f"{name}_{point}_{unit}"]) for point in QUANTILES)
            cells += [middle, f"{low} to {high}"] if several else [middle]
        fresh = [names[0] if names[0] != shown[0] else "", names[1] if names != shown else ""]
        table.add_row(*fresh, *cells)
        shown = names
    yield title, table


def _hindcast_tables(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    overall = _table(("run",), ("RMSE", "bias", "worst", "in"))
    for row in scores(ds, "scores").to_dict("records"):
        errors = (_number(row[key], "+") for key in ("bias_m", "worst_error_m"))
        overall.add_row(row["run"], _number(row["rmse_m"]), *errors, str(row["worst_year"]))
    yield "Hindcast: annual mean level, model less observed, m", overall
    runs = [str(run) for run in ds["run"].values]
    decades = _table(("decade",), runs)
    errors_of = scores(ds, "decades").pivot(index="decade", columns="run", values="mean_error_m")
    for decade in errors_of.index:
        decades.add_row(f"{decade}s", *(_number(errors_of.loc[decade, run], "+") for run in runs))
    yield "Mean error by decade, m", decades
    terms = _table(("setting",), ("RMSE, m", "net evaporation, mm/yr"))
    for row in scores(ds, "terms").to_dict("records"):
        terms.add_row(row["term"], _number(row["rmse_m"]), f"{row['mean_net_evaporation_mm_per_yr']:.0f}")
    yield "What each term earns, one added after the other", terms
    yield "Checklist: value and verdict of each run", _checks_table(ds, runs)


def _checks_table(ds: xr.Dataset, runs: Sequence[str]) -> Table:
    """One row for each check; where the tolerance depends on the run, one for each in their order."""
    checks = checklist(ds)
    table = _table(("check", "asked for"), ["\n".join(run.split()) for run in runs])
    for _, rows in checks.groupby("check", sort=False):
        tolerances = rows["tolerance"].unique()
        target, unit = rows["target"].iloc[0], rows["unit"].iloc[0]
        asked = check_target(target, tolerances[0], unit)
        if len(tolerances) > 1:
            asked = f"0 ± {', '.join(check_number(each, each, unit) for each in tolerances)} {unit}"
        cells = [
            f"{check_number(row['value'], row['tolerance'], unit)} {'pass' if row['passes'] else 'FAIL'}"
            for row in rows.to_dict("records")
        ]
        table.add_row(str(rows["title"].iloc[0]), asked, *cells)
    passed = checks.groupby("run", sort=False)["passes"]
    table.add_row("passed", "", *(f"{passed.sum()[run]} of {passed.size()[run]}" for run in runs))
    return table


def _sensitivity_tables(ds: xr.Dataset) -> Iterator[tuple[str, Table]]:
    years = [int(year) for year in ds["year"].values[-MOST_YEARS:]]
    columns = (*map(str, years), "5 to 95 %", f"first {years[-1]}")
    title = "Total Sobol indices of the level"
    for scenario in ds["scenario"].values:
        now = ds.sel(scenario=scenario)
        total, last = now.sel(order="total"), now.isel(year=-1)
        table = _table(("input",), columns)
        for place in (-total["index"].isel(year=-1)).argsort(kind="stable").values:
            shares = total["index"].sel(year=years).values[:, place]
            if shares.max() >= SMALLEST:
                low, high = (_number(total[f"index_{end}"].values[-1, place]) for end in ("low", "high"))
                first = _number(last.sel(order="first")["index"].values[place])
                table.add_row(
                    str(ds["input"].values[place]), *map(_number, shares), f"{low} to {high}", first
                )
        if scenario == ds["scenario"].values[-1]:
            table.caption = f"{ds.attrs['runs']:,} runs in {ds.attrs['seconds']} s"
            table.caption_justify = "left"
        yield f"{title}, {scenario}, programme {ds.attrs['programme']}", table


def _listed(listings: Iterator[Listing]) -> Iterator[tuple[str, Table]]:
    for listing in listings:
        table = _table(listing.left, listing.right)
        for row in listing.rows:
            table.add_row(*row)
        table.caption, table.caption_justify = listing.caption, "left"
        yield listing.title, table


def _verification_tables(scores: xr.Dataset) -> Iterator[tuple[str, Table]]:
    """Scores at the headline leads; shares of observations inside a band in per cent."""
    leads = [lead for lead in HEADLINE_LEADS if lead in scores["lead"].values]
    bands = [f"in {100 * band:g} %" for band in scores["band"].values]
    table = _table(("lead",), ("origins", "independent", "CRPS, m", "bias, m", "MAE, m", *bands))
    for lead in leads:
        now = scores.sel(lead=lead)
        cells = [
            str(int(now["origins"])),
            f"{float(now['effective_origins']):.0f}",
            _number(now["mean_crps"]),
        ]
        cells += [_number(now["bias"], "+"), _number(now["mae"])]
        table.add_row(f"{lead} yr", *cells, *(f"{100 * share:.0f}" for share in now["coverage"].values))
    table.caption = "in 50 %, in 90 %: share of observations inside the central band, %"
    table.caption_justify = "left"
    origins = scores["origin"].values
    yield f"Forecasts from the origins {origins[0]} to {origins[-1]}, against what came", table
    confidence = f"{100 * scores.attrs['confidence']:g} %"
    table = _table(("reference",), ("lead, yr", "skill", confidence))
    for reference in scores["reference"].values:
        for lead in leads:
            now = scores.sel(reference=reference, lead=lead)
            span = f"{_number(now['skill_low'])} to {_number(now['skill_high'])}"
            table.add_row(
                str(reference) if lead == leads[0] else "",
                str(lead),
                _number(now["skill"]),
                span if now["skill_low"].notnull() else "",
            )
        table.add_section()
    yield "Skill of the CRPS: 1 is perfect, 0 as good as the reference", table


def places(written: Written) -> list[str]:
    """Lines that say where everything is, and how long it took."""
    drawn = sorted({name.rpartition(".")[0] for name in written.files if name.startswith(f"{FIGURES}/")})
    single = [name for name in written.files if not name.startswith(f"{FIGURES}/")]
    names = ", ".join(name.rpartition("/")[2] for name in drawn)
    pictures = f", {FIGURES}/ ({names})" if drawn else ""
    return [f"{written.directory}: {', '.join(single)}{pictures}", f"{written.seconds:.1f} s"]
