"""Works through the parts of a run with what workers there are: threads of this process, or a dask cluster.

Parts are pure functions of the plan and of the numbers of their members, and their results go to the store in
the order of the parts. So neither the number of workers, nor which of them dies or is slow, leaves a trace in
the result.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caspian_sim.collect import Members, Store
from caspian_sim.config import Execution
from caspian_sim.errors import ConfigError
from caspian_sim.plan import Plan
from caspian_sim.resume import Unfinished
from caspian_sim.simulate import run_members

Progress = Callable[[int, int], None]

# Parts in flight for each worker: one at work and one that waits, so that memory stays bounded.
PARTS_PER_WORKER = 2
# Seconds between two looks at the progress, and until a cluster must have answered.
TICK, PATIENCE = 0.1, 60


@dataclass(frozen=True)
class Pool:
    """Workers for the parts of a run.

    Attributes
    ----------
    executor : Executor
    workers : callable
        How many there are at the moment; a cluster may grow and shrink.
    """

    executor: Executor
    workers: Callable[[], int]


class _StoppedError(Exception):
    """The run has ended before this part."""


class _Months:
    """Counts the months that threads have done, and stops the threads when the run ends early."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done = 0
        self.stopped = False

    def tick(self) -> None:
        if self.stopped:
            raise _StoppedError
        with self._lock:
            self.done += 1

    def add(self, months: int) -> None:
        with self._lock:
            self.done += months


def run_parts(
    plan: Plan,
    parts: Sequence[NDArray[np.int64]],
    store: Store,
    *,
    pool: Pool,
    unfinished: Unfinished | None = None,
    progress: Progress | None = None,
) -> None:
    """Run the parts of a run and put their results into a store, in their order.

    Parameters
    ----------
    plan : Plan
    parts : sequence of ndarray of int
        Numbers of the members of each part.
    store : Store
    pool : Pool
    unfinished : Unfinished, optional
        Keeps every part as soon as it is finished, and has those that were finished earlier.
    progress : callable, optional
        Called from this thread with the months done and the months in all, over all parts.
    """
    each, months = len(plan.frame.calendar.years), _Months()
    local = isinstance(pool.executor, ThreadPoolExecutor)
    kept = unfinished.finished() if unfinished is not None else set()
    following = submitted = unfinished.restore(store) if unfinished is not None else 0
    months.add(each * (following + len([number for number in kept if number >= following])))
    working: dict[Future[Members], int] = {}
    results: dict[int, Members] = {}

    def submit(number: int) -> None:
        hook = (months.tick,) if local else ()
        working[pool.executor.submit(run_members, plan, parts[number], *hook)] = number

    def report() -> None:
        if progress is not None:
            progress(months.done, each * len(parts))

    try:
        while following < len(parts):
            ahead = min(len(parts), following + PARTS_PER_WORKER * max(1, pool.workers()))
            for number in range(submitted, ahead):
                if number not in kept:
                    submit(number)
            submitted = max(submitted, ahead)
            if following in kept and unfinished is not None:
                kept.discard(following)
                found = unfinished.read(following)
                if found is None:
                    months.add(-each)
                    submit(following)
                else:
                    results[following] = found
            while following not in results:
                finished, _ = wait(working, TICK, FIRST_COMPLETED)
                # What has failed comes last, so that no finished part is lost by it.
                for future in sorted(finished, key=lambda future: future.exception() is not None):
                    number = working.pop(future)
                    results[number] = future.result()
                    if unfinished is not None:
                        unfinished.write(number, results[number])
                    if not local:
                        months.add(each)
                report()
            store.add(results.pop(following))
            following += 1
            if unfinished is not None:
                unfinished.compact(store, following)
        report()
    finally:
        months.stopped = True
        for future in working:
            future.cancel()


@contextmanager
def workers_of(execution: Execution) -> Iterator[Pool]:
    """Give the workers that a configuration asks for, while the block runs.

    Parameters
    ----------
    execution : Execution

    Yields
    ------
    Pool

    Raises
    ------
    ConfigError
        When there is no cluster at the address, or the package for it is missing.
    """
    if execution.engine == "local":
        # Threads gain nothing by themselves: most of the time Python's lock is held; processes are dask's.
        workers = execution.workers or 1
        with ThreadPoolExecutor(workers, "caspian-sim") as executor:
            yield Pool(executor, lambda: workers)
        return
    with _client(execution, execution.workers or _processors()) as client:
        yield Pool(client.get_executor(pure=False), lambda: sum(client.nthreads().values()))


def _client(execution: Execution, workers: int) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            'execution.engine dask needs the package distributed: pip install "caspian-sim[cluster]"'
        ) from None
    connect: Any = Client  # distributed has no types
    if execution.address is None:
        return connect(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    try:
        client = connect(execution.address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"execution.address: no scheduler answers at {execution.address}\n    found    {error}\n"
            "    hint     dask scheduler starts one, dask worker ADDRESS adds workers to it"
        ) from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        client.close()
        raise ConfigError(
            f"execution.address: the scheduler at {execution.address} has no workers\n"
            "    hint     dask worker ADDRESS adds workers to it"
        ) from None
    return client


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
