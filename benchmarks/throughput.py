"""Member-years per second of the whole model, against other ways to the same and against other models.

Usage: ``python benchmarks/throughput.py [--peers PYTHON] [--growth]`` from the root of the repository; two
minutes each. All ways take turns, several times over, and the medians are compared: on a machine that others
use as well, the ratios hold where the times do not. ``--peers`` names an interpreter with FaIR, pywr and
Ribasim, of which what is absent is left out. ``--growth`` measures time and memory instead.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from unittest import mock

import native
import numpy as np

from caspian_sim import fast, simulate, solve
from caspian_sim.climate.seasons import level_departure_at_month_edges
from caspian_sim.collect import Calendar
from caspian_sim.config import Config, load_config
from caspian_sim.ensemble import members_of_a_part, parts_of, run_kept
from caspian_sim.plan import make_plan
from caspian_sim.record.bay import YEARS_TO_FORGET
from caspian_sim.record.observations import Observations, without_gaps
from caspian_sim.simulate import run_members

YEARS = 75
MEMBERS, MEMBERS_OF_SOLVE_IVP = 4096, 1
REPEATS = 3
STATES = ["AZ", "IR", "KZ", "RU", "TM"]
PEERS = {
    "fair": "FaIR 2.2, energy balance only",
    "pywr": "pywr, one reservoir by month",
    "ribasim": "Ribasim",
}
Way = Callable[[], float]


def configuration(members: int, method: str = "batched", **changes: object) -> Config:
    """One scenario, all measures of the catalogue; two steps a month, variability, annual output."""
    settings: dict[str, object] = {
        "name": "throughput",
        "period": {"start": 2026, "end": 2025 + YEARS},
        "climate": {"scenarios": ["ssp585"]},
        "uncertainty": {"members": members},
        "programmes": {"all": {"participants": STATES}},
        "outcomes": {"thresholds_m": [-30, -31, -33]},
        "solver": {"method": method},
    }
    return load_config(settings | changes, ())


def integration(members: int) -> tuple[tuple, dict]:
    """Arguments with which the package would call its solver."""
    plan, numbers, caught = make_plan(configuration(members)), np.arange(members), {}

    class _ReachedError(Exception):
        pass

    def catch(*arguments: object, **named: object) -> None:
        caught["call"] = arguments, named
        raise _ReachedError

    with mock.patch.object(simulate, "solve", catch), suppress(_ReachedError):
        simulate.integrate(plan, numbers, simulate.member_inputs(plan, numbers))
    return caught["call"]


def timed(work: Callable[[], object], members: int, years: int = YEARS) -> Way:
    def rate() -> float:
        begin = time.perf_counter()
        work()
        return members * years / (time.perf_counter() - begin)

    return rate


def integrations(threads: int) -> dict[str, Way]:
    """Integrate alone, from monthly forcing to annual sums and events."""
    size = MEMBERS // threads
    arguments, named = integration(size)
    levels = np.array(named["watch"].levels)
    alone, alone_named = integration(MEMBERS_OF_SOLVE_IVP)

    def spread(one: Callable[[], object]) -> Callable[[], object]:
        def all_threads() -> None:
            with ThreadPoolExecutor(threads) as pool:
                for done in [pool.submit(one) for _ in range(threads)]:
                    done.result()

        return all_threads

    steps = named["steps_per_month"]
    ways = {
        "C": timed(spread(lambda: native.integrate(*arguments, steps, levels)), MEMBERS),
        "compiled": timed(spread(lambda: fast.integrate(*arguments, steps, levels)), MEMBERS),
        "numpy": timed(spread(lambda: solve.solve(*arguments, **named)), MEMBERS),
    }
    if threads == 1:
        rk45 = {**alone_named, "method": "RK45"}
        ways["solve_ivp"] = timed(lambda: solve.solve(*alone, **rk45), MEMBERS_OF_SOLVE_IVP)
    return ways


def native_bay(start_year: int, parameters: dict[str, np.ndarray], observed: Observations) -> np.ndarray:
    """Follow the bay in C, in place of :func:`caspian_sim.simulate.bay_at_start`."""
    known = observed.until(start_year - 1)
    level = without_gaps(known.level)[-YEARS_TO_FORGET:]
    now = np.full(len(parameters["strait_sill"]), simulate.kara_bogaz_gol().volume(level[0]))
    for place, stand in enumerate(level, start=int(known.year[-len(level)])):
        edges = np.asarray(stand + level_departure_at_month_edges())
        now = native.follow(Calendar(place, place), edges, parameters, now)
    return now


def whole_models(threads: int) -> dict[str, Way]:
    """Go from draws to all arrays of the dataset: climate, forcing, bay, integration, annual means."""

    def road(method: str, members: int, *, in_c: bool = False) -> Callable[[], None]:
        config = configuration(members, method)
        plan, parts = make_plan(config), parts_of(config)
        if len(parts) < threads <= members:
            parts = np.array_split(np.arange(members), threads)

        def go() -> None:
            with ExitStack() as stack:
                if in_c:
                    stack.enter_context(mock.patch.object(fast, "integrate", native.integrate))
                    stack.enter_context(mock.patch.object(simulate, "bay_at_start", native_bay))
                pool = stack.enter_context(ThreadPoolExecutor(threads))
                for done in [pool.submit(run_members, plan, part) for part in parts]:
                    done.result()

        return go

    ways = {
        "C": timed(road("compiled", MEMBERS, in_c=True), MEMBERS),
        "compiled": timed(road("compiled", MEMBERS), MEMBERS),
        "numpy": timed(road("batched", MEMBERS), MEMBERS),
    }
    if threads == 1:
        ways["solve_ivp"] = timed(road("RK45", MEMBERS_OF_SOLVE_IVP), MEMBERS_OF_SOLVE_IVP)
    return ways


def in_turns(ways: dict[str, Way], repeats: int = REPEATS) -> dict[str, float]:
    """Median rate of each way, in member-years per second, the ways taking turns."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for name, way in ways.items():
        if name != "solve_ivp":  # first calls compile and read tables
            way()
    for turn in range(repeats):
        for name, way in ways.items():
            if name != "solve_ivp" or turn == 0:
                rates[name].append(way())
    return {name: float(np.median(found)) for name, found in rates.items()}


def report(title: str, rates: dict[str, float]) -> None:
    print(f"\n{title}\n\n| way | member-years/s | × solve_ivp | share of C |\n|---|---:|---:|---:|")
    for name, rate in rates.items():
        ratio = f"{rate / rates['solve_ivp']:,.0f}" if "solve_ivp" in rates else ""
        share = rate / rates["C"]
        print(f"| {name} | {rate:,.0f} | {ratio} | {share:.{2 if share > 0.01 else 5}f} |")


def peers(python: str, compiled: float) -> None:
    print("\n| other model | member-years/s | compiled, whole model, is × faster |\n|---|---:|---:|")
    for name, title in PEERS.items():
        script = Path(__file__).with_name("peers.py")
        run = subprocess.run([python, "-W", "ignore", str(script), name], capture_output=True, text=True)
        try:
            found = json.loads(run.stdout.splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            found = {"absent": (run.stderr.splitlines() or ["no answer"])[-1]}
        if "rate" in found:
            print(f"| {title} | {found['rate']:,.0f} | {compiled / found['rate']:,.0f} |")
        else:
            print(f"| {title} | left out: {found['absent']} | |")


# Growth: each case in a process of its own, whose peak of memory is asked afterwards.
CASES: dict[str, dict[str, object]] = {
    "100 members": {"members": 100},
    "1,000 members": {"members": 1000},
    "10,000 members": {"members": 10_000},
    "10,000 members, members kept": {"members": 10_000, "output": {"keep": "members"}},
    "20,000 members": {"members": 20_000},
    "1,000 members, 25 years": {"members": 1000, "period": {"start": 2026, "end": 2050}},
    "1,000 members, 4 scenarios": {
        "members": 1000,
        "climate": {"scenarios": ["ssp126", "ssp245", "ssp370", "ssp585"]},
    },
    "1,000 members, 4 programmes": {
        "members": 1000,
        "programmes": {f"p{n}": {"participants": STATES[:n]} for n in range(1, 5)},
    },
}
LARGE = {"100,000 members": {"members": 100_000}}


def case(name: str) -> None:
    """Run one case and print seconds without compilation, and the peak of memory in MB."""
    changes = {"output": {"keep": "quantiles", "figures": []}, **(CASES | LARGE)[name]}
    members = int(str(changes.pop("members")))
    small = configuration(10, "compiled", **changes)
    run_kept(small)
    config = configuration(members, "compiled", **changes)
    begin = time.perf_counter()
    run_kept(config)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    columns = members * len(config.climate.scenarios) * len(config.programmes)
    years = config.period.end - config.period.start + 1
    print(f"| {name} | {seconds:.2f} | {columns * years / seconds:,.0f} | {peak:,.0f} |")


def growth(large: bool) -> None:
    print("| case (compiled, quantiles kept) | s | member-years/s | peak memory, MB |\n|---|---:|---:|---:|")
    for name in CASES | LARGE if large else CASES:
        subprocess.run([sys.executable, __file__, "--case", name], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="interpreter with FaIR, pywr and Ribasim")
    parser.add_argument("--growth", action="store_true", help="time and memory of cases of growing size")
    parser.add_argument("--large", action="store_true", help="with --growth, 100,000 members as well")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        return case(options.case)
    if options.growth:
        return growth(options.large)
    if native.compiler() is None:
        sys.exit("no C compiler found: nothing to compare with")
    print(
        f"{MEMBERS:,} members, {members_of_a_part(configuration(MEMBERS)):,} of them at once, "
        f"{YEARS} years by month in 2 steps"
    )
    for threads in (1, 2):
        alone, whole = in_turns(integrations(threads)), in_turns(whole_models(threads))
        if threads == 1:
            compiled = whole["compiled"]
        report(f"Integration alone, {threads} thread(s)", alone)
        report(f"Whole model, {threads} thread(s)", whole)
    return peers(options.peers, compiled)


if __name__ == "__main__":
    main()
