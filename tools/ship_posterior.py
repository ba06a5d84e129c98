"""Make a posterior the one that ships with the package.

Usage: ``python tools/ship_posterior.py results/calibration/posterior.nc`` from the root of the repository,
after ``caspian-sim calibrate``; then ``python tools/update_docs.py``. Refuses a posterior that has not
converged, lacks a parameter, or was made from other tables than those that ship now.
"""

import json
import shutil
import sys
from pathlib import Path

import xarray as xr
from update_checksums import main as update_checksums

from caspian_sim.data.registry import TABLES
from caspian_sim.errors import CaspianError
from caspian_sim.evaluate.ensembles import calibration_inputs
from caspian_sim.record.posterior import read_posterior
from caspian_sim.results import ENGINE


def objection(path: Path) -> str | None:
    """Say why a file cannot be shipped, or nothing."""
    try:
        read_posterior(path)
    except CaspianError as error:
        return str(error)
    with xr.open_dataset(path, engine=ENGINE) as found:
        attributes = dict(found.attrs)
    made_from = json.loads(attributes["input_sha256"])
    changed = [name for name, digest in calibration_inputs().items() if made_from.get(name) != digest]
    if changed:
        return f"{path}: made from other tables than those that ship now: {', '.join(changed)}"
    if attributes["observations"] != "as shipped":
        return f"{path}: calibrated on other observations than those that ship"
    if not json.loads(attributes["diagnostics"])["converged"]:
        return f"{path}: the calibration has not converged, see diagnostics.csv"
    return None


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    source = Path(arguments[0])
    problem = objection(source)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    shutil.copyfile(source, TABLES / "posterior.nc")
    return update_checksums()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
