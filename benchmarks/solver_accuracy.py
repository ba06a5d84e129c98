"""Errors of the solvers against a reference solution, as tabulated in docs/numerics.md.

Usage: ``python benchmarks/solver_accuracy.py`` from the root of the repository; about a minute.
"""

import time
from pathlib import Path

import numpy as np
import xarray as xr

import caspian_sim as cs

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "quickstart.yaml"
STATES = "[AZ, IR, KZ, RU, TM]"
# The sharpest forcing: strongest warming, and every measure of the catalogue, the dam in the strait included.
SETTING = (
    "climate.scenarios=[ssp585]",
    "uncertainty.members=6",
    "programmes.joint=",
    f"programmes.all={{participants: {STATES}}}",
    "output.frequency=monthly",
)
REFERENCE = ("solver.method=DOP853", "solver.tolerance_mm=1e-7")
SOLVERS = {
    "batched, 1 step a month": ("solver.method=batched", "solver.steps_per_month=1"),
    "batched, 2 steps a month": ("solver.method=batched", "solver.steps_per_month=2"),
    "batched, 4 steps a month": ("solver.method=batched", "solver.steps_per_month=4"),
    "RK45": ("solver.method=RK45",),
    "DOP853": ("solver.method=DOP853",),
    "LSODA": ("solver.method=LSODA",),
}


def timed_run(changes: tuple[str, ...]) -> tuple[xr.Dataset, float]:
    begin = time.perf_counter()
    dataset = cs.run(CONFIG, overrides=(*SETTING, *changes))
    return dataset, time.perf_counter() - begin


def main() -> None:
    timed_run(("outcomes.report_years=[]", "period.end=2026"))  # tables are read at first use
    reference, seconds = timed_run(REFERENCE)
    volume_by_mm = reference.sea_area * 1e-6
    print("ssp585, 2026-2100, 6 members, programmes none and all; monthly output")
    print("reference: DOP853 at 1e-7 mm\n")
    print(
        f"{'solver':<26}{'mean level':>12}{'end volume':>12}{'rms level':>12}{'residual':>12}"
        f"{'evaluations':>13}{'seconds':>9}"
    )
    print(f"{'':<26}{'worst, mm':>12}{'worst, mm':>12}{'mm':>12}{'worst, km³':>12}")

    def row(name: str, dataset: xr.Dataset, seconds: float) -> None:
        level = 1e3 * abs(dataset.sea_level - reference.sea_level)
        volume = abs(dataset.sea_volume - reference.sea_volume) / volume_by_mm
        print(
            f"{name:<26}{float(level.max()):>12.2g}{float(volume.max()):>12.2g}"
            f"{float(np.sqrt((level**2).mean())):>12.2g}{float(abs(dataset.budget_residual).max()):>12.1g}"
            f"{int(dataset.attrs['solver_evaluations']):>13,}{seconds:>9.1f}"
        )

    row("reference", reference, seconds)
    for name, changes in SOLVERS.items():
        row(name, *timed_run(changes))


if __name__ == "__main__":
    main()
