"""Write the table ``strait_emulator``: outflow to Kara-Bogaz-Gol by year as a function of strait and bay.

Usage: ``python tools/build_strait_emulator.py`` from the root of the repository, then ``python
tools/update_checksums.py``; a few seconds. Needed again when the levels up to 2022, the history of the
strait or the shape of the bay change; a test fails when it was forgotten.
"""

from pathlib import Path

from caspian_sim.record.outflow import fit_emulator
from caspian_sim.results import ENGINE

TABLES = Path(__file__).resolve().parent.parent / "caspian_sim" / "data" / "tables"


def main() -> None:
    fitted = fit_emulator()
    fitted["outflow"].attrs = {"units": "km3 year-1", "long_name": "coefficients of the annual outflow"}
    fitted["outflow_error"].attrs = {"units": "km3 year-1", "long_name": "root mean square error of the fit"}
    fitted["checks"].attrs = {"units": "1", "long_name": "coefficients of what is held against bay_checks"}
    fitted["check_error"].attrs = {"units": "1", "long_name": "root mean square error of the fit"}
    fitted.to_netcdf(
        TABLES / "strait_emulator.nc",
        engine=ENGINE,
        encoding={name: {"zlib": True, "complevel": 9} for name in fitted.data_vars},
    )


if __name__ == "__main__":
    main()
