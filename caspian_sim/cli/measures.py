"""Command that lists the measures of the five states."""

from __future__ import annotations

import click

STATES = ("AZ", "IR", "KZ", "RU", "TM")


@click.command()
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), help="Measures of one state.")
def measures(state: str | None) -> None:
    """List the measures of the five states.

    Each with its volume, start, cost, evidence grade and source.

    Measures whose numbers are assumptions are marked with an asterisk.
    """
    from caspian_sim.outputs.measures import measures_text

    click.echo(measures_text(state))
