"""Parts of a run and the workers that do them: neither leaves a trace in the result."""

import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

import caspian_sim as cs
from caspian_sim import execute
from caspian_sim.collect import MemberStore
from caspian_sim.config import Execution, load_config
from caspian_sim.ensemble import parts_of
from caspian_sim.errors import ConfigError, SolverError
from caspian_sim.execute import PARTS_PER_WORKER, Pool, run_parts, workers_of
from caspian_sim.plan import make_plan
from caspian_sim.simulate import run_members

CONFIG = {
    "name": "tiny",
    "period": {"start": 2026, "end": 2029},
    "climate": {"scenarios": ["ssp245", "ssp585"]},
    "uncertainty": {"members": 23},
    "programmes": {"none": {}, "joint": {"participants": ["AZ", "IR", "KZ", "RU", "TM"]}},
    "outcomes": {"thresholds_m": [-29.5, -30]},
}
MONTHS = 4 * 12
# When a file was made, and by which state of a checkout.
OF_THE_MOMENT = {"created", "history", "git_revision"}


def content(ds):
    """Every byte of a dataset but for the moment at which it was made."""
    values = {name: (v.dims, v.dtype, v.values.tolist(), v.attrs) for name, v in ds.variables.items()}
    exact = {name: v.values.tobytes() for name, v in ds.variables.items() if v.dtype != object}
    return repr(values), exact, {k: v for k, v in ds.attrs.items() if k not in OF_THE_MOMENT}


@pytest.fixture(scope="module")
def plan():
    return make_plan(load_config(CONFIG))


@pytest.fixture(scope="module")
def whole():
    """The run in one part."""
    return content(cs.run(CONFIG))


def run_with(plan, pool, size, **options):
    store = MemberStore(plan.frame)
    run_parts(plan, parts_of(plan.frame.config, size), store, pool=pool, **options)
    return store.dataset()


# ---- the result ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("chunk", [1, 7, 23, 100])
def test_every_byte_is_the_same_for_any_number_of_workers_and_any_size_of_part(whole, workers, chunk):
    assert content(cs.run({**CONFIG, "execution": {"chunk": chunk}}, workers=workers)) == whole


class Shuffled(Executor):
    """Finishes what it was given in any order, one part at a time."""

    def __init__(self, seed):
        self.most = self._open = 0
        self._lock, self._random, self._waiting = threading.Lock(), random.Random(seed), []

    def submit(self, function, /, *arguments):
        future = Future()
        with self._lock:
            self._open += 1
            self.most = max(self.most, self._open)
            self._waiting.append((future, function, arguments))
        threading.Timer(0.005, self._one).start()
        return future

    def _one(self):
        with self._lock:
            future, function, arguments = self._waiting.pop(self._random.randrange(len(self._waiting)))
        result = function(*arguments)
        with self._lock:
            self._open -= 1
        future.set_result(result)


@pytest.mark.parametrize("seed", range(3))
def test_order_in_which_parts_are_finished_leaves_no_trace(plan, whole, seed):
    assert content(run_with(plan, Pool(Shuffled(seed), lambda: 4), 2)) == whole


def test_store_takes_the_parts_in_in_their_order(plan):
    taken = []

    class Store:
        def add(self, part):
            taken.extend(part.members)

    run_parts(plan, parts_of(plan.frame.config, 2), Store(), pool=Pool(Shuffled(5), lambda: 4))
    assert taken == list(range(23))


def test_parts_in_flight_stay_bounded_so_that_memory_does(plan):
    executor = Shuffled(0)
    run_with(plan, Pool(executor, lambda: 2), 1)
    assert executor.most == 2 * PARTS_PER_WORKER


def test_parts_cover_every_member_once():
    config = load_config(CONFIG, ["execution.chunk=5"])
    assert [len(part) for part in parts_of(config)] == [5, 5, 5, 5, 3]
    assert np.concatenate(parts_of(config)).tolist() == list(range(23))


def test_result_does_not_name_the_workers_it_came_from(whole):
    assert "workers" not in cs.run(CONFIG, workers=2).attrs["config"]
    assert "chunk" not in cs.run(CONFIG, overrides=["execution.chunk=9"]).attrs["config"]


# ---- progress and failure ------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_progress_counts_the_months_of_all_parts_and_never_goes_back(workers):
    seen = []
    cs.run(
        {**CONFIG, "execution": {"chunk": 4}},
        workers=workers,
        progress=lambda done, total: seen.append((done, total, threading.current_thread())),
    )
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert done[-1] == 6 * MONTHS
    assert {step[1] for step in seen} == {6 * MONTHS}
    assert {step[2] for step in seen} == {threading.main_thread()}


def test_workers_that_do_not_report_months_count_by_parts(plan):
    class Elsewhere(Executor):
        def submit(self, function, /, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

    seen = []
    pool = Pool(Elsewhere(), lambda: 1)
    run_with(plan, pool, 12, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2 * MONTHS, 2 * MONTHS)
    assert {done % MONTHS for done, _ in seen} == {0}


def test_error_of_one_part_stops_the_others_within_a_month(plan, monkeypatch):
    months = []

    def fails_in_part_0(plan, members, each_month):
        if members[0] == 0:
            raise SolverError("left the valid range")
        for month in range(100):
            time.sleep(0.02)
            each_month()
            months.append(month)

    monkeypatch.setattr(execute, "run_members", fails_in_part_0)
    with pytest.raises(SolverError, match="left the valid range"), ThreadPoolExecutor(2) as executor:
        run_with(plan, Pool(executor, lambda: 2), 2)
    assert len(months) < 20


# ---- dask ----------------------------------------------------------------------------------------------


def test_missing_package_of_the_cluster_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError) as caught, workers_of(Execution(engine="dask")):
        pytest.fail("nobody is there")
    assert str(caught.value) == (
        'execution.engine dask needs the package distributed: pip install "caspian-sim[cluster]"'
    )


@pytest.mark.filterwarnings("default")
def test_address_without_a_scheduler_is_reported(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(execute, "PATIENCE", 0.5)
    nobody = Execution(engine="dask", address="tcp://127.0.0.1:9")
    with pytest.raises(ConfigError) as caught, workers_of(nobody):
        pytest.fail("nobody is there")
    first, found, hint = str(caught.value).splitlines()
    assert first == "execution.address: no scheduler answers at tcp://127.0.0.1:9"
    assert found.startswith("    found    Timed out")
    assert hint == "    hint     dask scheduler starts one, dask worker ADDRESS adds workers to it"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_run_on_a_cluster_survives_the_death_of_a_worker_and_is_the_same_to_the_last_byte(whole):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        processes = client.run(os.getpid)
        killed = []

        def kill_one(done, total):
            if not killed and done >= 3 * MONTHS:
                killed.append(min(processes.values()))
                os.kill(killed[0], signal.SIGKILL)

        settings = {"engine": "dask", "address": cluster.scheduler_address, "chunk": 1}
        ds = cs.run({**CONFIG, "solver": {"steps_per_month": 2}, "execution": settings}, progress=kill_one)
        assert killed
        assert killed[0] not in client.run(os.getpid).values()
    assert content(ds) == whole


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_without_an_address_dask_starts_processes_of_its_own(whole):
    pytest.importorskip("distributed")
    settings = {"engine": "dask", "workers": 2, "chunk": 6}
    assert content(cs.run({**CONFIG, "execution": settings})) == whole


def test_part_is_a_pure_function_that_can_go_to_another_process(plan):
    import pickle

    away, members = pickle.loads(pickle.dumps(plan)), np.array([3, 1])
    here, there = run_members(plan, members), pickle.loads(pickle.dumps(run_members(away, members)))
    assert all(here.arrays[name].tobytes() == there.arrays[name].tobytes() for name in here.arrays)
