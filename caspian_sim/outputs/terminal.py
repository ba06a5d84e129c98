"""Tables for the terminal, readable at 80 columns, without colour where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import xarray as xr
from rich.console import Console
from rich.table import Table

from caspian_sim.outputs.balances import Listing, balance_listings, equilibrium_listings
from caspian_sim.outputs.literature import literature_parts
from caspian_sim.outputs.scores import scores
from caspian_sim.outputs.summary import QUANTILES, summary
from caspian_sim.outputs.tables import number as _number
from caspian_sim.outputs.tables import plain_table as _table
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
        :func:`caspian_sim.literature`, :func:`caspian_sim.solve_balance`, or
        :func:`caspian_sim.equilibrium` for one forcing.
    """
    console = Console(highlight=False)
    if "index" in ds:
        parts = _sensitivity_tables(ds)
    elif "closure_error" in ds:
        parts = _listed(balance_listings(ds))
    elif "response_time" in ds:
        parts = _listed(equilibrium_listings(ds))
    elif "own_change" in ds:
        parts = literature_parts(ds)
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


def places(written: Written) -> list[str]:
    """Lines that say where everything is, and how long it took."""
    drawn = sorted({name.rpartition(".")[0] for name in written.files if name.startswith(f"{FIGURES}/")})
    single = [name for name in written.files if not name.startswith(f"{FIGURES}/")]
    names = ", ".join(name.rpartition("/")[2] for name in drawn)
    pictures = f", {FIGURES}/ ({names})" if drawn else ""
    return [f"{written.directory}: {', '.join(single)}{pictures}", f"{written.seconds:.1f} s"]
