"""The command line: a thin shell over the public functions.

Nothing but click is imported until a command runs, so that help and completion answer at once.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from caspian_sim import __version__
from caspian_sim.cli import (
    balance,
    brief,
    calibration,
    cooperation,
    evaluation,
    explore,
    export,
    impacts,
    literature,
    measures,
    pack,
    record,
    runs,
    structure,
    target,
    tradeoffs,
    verification,
)
from caspian_sim.cli.shared import INTERRUPTED, INVALID
from caspian_sim.errors import CaspianError


class Commands(click.Group):
    """Turns what a user can mend into a message and an exit code; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        for stream in (sys.stdout, sys.stderr):
            # A console that lacks a sign such as ³ or − shows a question mark instead of failing.
            getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
        try:
            return super().invoke(ctx)
        except CaspianError as error:
            click.echo(str(error), err=True)
            ctx.exit(INVALID)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="caspian-sim")
def main() -> None:
    """Project the level of the Caspian Sea under climate change and joint measures.

    Start with "caspian-sim init", then "caspian-sim run caspian.yaml". Levels are metres in the Baltic Height
    System (m BHS).
    """


for _command in (
    runs.run,
    runs.validate,
    runs.schema,
    runs.init,
    runs.data,
    runs.show,
    explore.explore,
    export.export,
    pack.figures,
    evaluation.hindcast,
    evaluation.sensitivity,
    balance.balance,
    balance.equilibrium,
    literature.literature,
    record.observe,
    record.reconstruct,
    measures.measures,
    verification.verify,
    structure.variance,
    calibration.calibrate,
    cooperation.attribute,
    target.target,
    target.delay,
    impacts.impacts,
    tradeoffs.tradeoffs,
    brief.brief,
):
    main.add_command(_command)
