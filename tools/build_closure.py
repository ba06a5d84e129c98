"""Write the table that follows from the record by closing the balance.

Usage: ``python tools/build_closure.py`` from the root of the repository, then ``python
tools/update_checksums.py``. Needed again when the hypsometry, the observations or the strait change; a test
fails when it was forgotten.
"""

from pathlib import Path

from caspian_sim.evaluate.closure import close_balance

TABLES = Path(__file__).resolve().parent.parent / "caspian_sim" / "data" / "tables"

SERIES_HEADER = """\
# Net evaporation of each year that closes the water balance of the record, with the terms it was found from.
# Source: tools/build_closure.py from sea_level_annual, river_inflow_annual, hypsometry, bay_hypsometry and
# strait_history. Rise of storage between means of neighbouring annual levels. Derived: errors of all other
# terms end up here. Grade B.
"""


def main() -> None:
    closure = close_balance()
    rows = zip(
        closure.year,
        closure.inflow,
        closure.strait_outflow,
        closure.storage,
        closure.net_evaporation,
        strict=True,
    )
    lines = [f"{year},{r:.2f},{f:.3f},{s:.3f},{n:.2f}" for year, r, f, s, n in rows]
    columns = "year,inflow_km3_per_yr,strait_outflow_km3_per_yr,storage_km3_per_yr,net_evaporation_mm_per_yr"
    (TABLES / "net_evaporation_implied.csv").write_text(
        SERIES_HEADER + columns + "\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
