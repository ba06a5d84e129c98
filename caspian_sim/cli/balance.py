"""Commands that solve the balance of the sea for a term, and find where it comes to rest."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from caspian_sim.cli.shared import overwrite_option, quiet_option, report, writing

UNKNOWNS = ("level", "net-evaporation", "strait-outflow", "closure")


@click.command()
@click.argument("table", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--unknown",
    type=click.Choice(UNKNOWNS),
    required=True,
    help="What is solved for; its column is not used.",
)
@click.option(
    "--start-level", type=float, metavar="M", help="Level of the sea at the start of the first row, m BHS."
)
@click.option(
    "--bay-level",
    type=float,
    metavar="M",
    help="Level of Kara-Bogaz-Gol at the start, m BHS, for the rating of the strait.",
)
@click.option("--output", metavar="DIR", help="Write dataset, table and run.log to a folder.")
@overwrite_option
@quiet_option
def balance(
    table: Path,
    unknown: str,
    start_level: float | None,
    bay_level: float | None,
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Solve the balance in FILE for one of its terms.

    FILE is a CSV with a row for every year or month: inflow, evaporation less precipitation, outflow to
    Kara-Bogaz-Gol, level. The documentation says how the columns are called.
    """
    with writing():
        from caspian_sim.evaluate.budget import solve_balance

        solved = partial(
            solve_balance,
            table,
            unknown.replace("-", "_"),  # type: ignore[arg-type]
            start_level=start_level,
            bay_level=bay_level,
        )
        if output is not None:
            from caspian_sim.outputs.balances import write_balance

            report(write_balance(solved, Path(output), source=str(table), overwrite=overwrite), quiet)
        elif not quiet:
            from caspian_sim.outputs.terminal import print_result

            print_result(solved())
        else:
            solved()


@click.command()
@click.option("--inflow", type=float, metavar="KM3", help="All rivers, km³/yr.  [default: mean of 2003-2022]")
@click.option(
    "--net-evaporation",
    type=float,
    metavar="MM",
    help="Evaporation less precipitation, mm/yr.  [default: mean of 2003-2022]",
)
@click.option("--groundwater", type=float, metavar="KM3", help="km³/yr.  [default: best value of the prior]")
@click.option(
    "--strait",
    type=click.Choice(["recut", "natural", "dammed"]),
    default="recut",
    show_default=True,
    help="Strait to Kara-Bogaz-Gol: cut anew, natural, or dammed.",
)
@click.option(
    "--area-factor", type=float, default=1.0, show_default=True, help="Factor on the area of the sea."
)
@click.option("--output", metavar="DIR", help="Write dataset, table, figure and run.log to a folder.")
@overwrite_option
@quiet_option
def equilibrium(
    inflow: float | None,
    net_evaporation: float | None,
    groundwater: float | None,
    strait: str,
    area_factor: float,
    output: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Find the level at which constant forcing balances.

    Prints it with its response time and sensitivities; the present climate when nothing else is given.
    """
    with writing():
        from caspian_sim.evaluate import equilibrium as module

        solved = partial(
            module.equilibrium,
            inflow,
            net_evaporation,
            groundwater=groundwater,
            strait=strait,  # type: ignore[arg-type]
            area_factor=area_factor,
        )
        if output is not None:
            from caspian_sim.outputs.balances import write_equilibrium

            source = "the forcing given"
            report(write_equilibrium(solved, Path(output), source=source, overwrite=overwrite), quiet)
        elif not quiet:
            from caspian_sim.outputs.terminal import print_result

            print_result(solved())
        else:
            solved()
