"""Threads change no bit; their number follows every usual switch; forks are safe."""

import functools
import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.calls import OPERATIONS, both_dtypes
from helpers.process import run
from references import REFERENCES, case_id
from references.base import labels_of

import fastloss as fl
from fastloss._core.cpu_limit import cgroup_cpu_limit

# about the grain size, the two block lengths and where one takes over from the other
SIZES = (16_383, 16_384, 16_385, 65_536, 262_143, 262_144, 262_145, 278_530, 1_000_003)
every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
needs_openmp = pytest.mark.skipif(not fl.cpu_info()["openmp"], reason="built without OpenMP")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture(autouse=True)
def default_threads():
    yield
    fl.set_num_threads(None)


@functools.cache
def samples(domain, n, dtype):
    rng = np.random.default_rng(12)
    y = labels_of(domain, rng, n).astype(dtype)
    return y, rng.uniform(-5, 5, n), rng.random(n).astype(dtype)


def data(reference, n, dtype):
    y, f, w = samples(reference.labels, n, dtype)
    return y, reference.inside(f).astype(dtype), w


def bits(result):
    parts = result if isinstance(result, tuple) else (result,)
    return [np.asarray(part).tobytes() for part in parts]


@every_loss
@both_dtypes
def test_bits_do_not_depend_on_threads(reference, dtype):
    loss = fl.get_loss(reference.name)
    y, f, w = data(reference, max(SIZES), dtype)
    for n in SIZES:
        for operation in ("loss", "loss_gradient_hessian"):
            arguments = (y[:n], f[:n], w[:n])
            expected = bits(getattr(loss, operation)(*arguments, n_threads=1))
            for threads in (2, 3, 7):
                assert bits(getattr(loss, operation)(*arguments, n_threads=threads)) == expected


@every_loss
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_bits_of_every_operation_and_of_strided_input(reference, operation, reduction):
    n = 50_001
    y, f, w = data(reference, n, np.float64)
    loss = fl.get_loss(reference.name)
    expected = bits(getattr(loss, operation)(y, f, w, reduction=reduction, n_threads=1))
    strided = [np.repeat(part, 2)[::2] for part in (y, f, w)]
    for threads in (1, 2, 3, 7):
        result = getattr(loss, operation)(*strided, reduction=reduction, n_threads=threads)
        assert bits(result) == expected
    assert bits(getattr(loss, operation)(y, f, w, reduction=reduction)) == expected


@both_dtypes
def test_bits_of_outputs_larger_than_the_cache(dtype):
    """Where results are streamed past the cache; at every alignment of the outputs."""
    n = 5_000_011
    rng = np.random.default_rng(13)
    y, f = (rng.random(n) < 0.1).astype(dtype), rng.normal(size=n).astype(dtype)
    loss = fl.LogLoss()
    expected = loss.loss_gradient(y, f, n_threads=1)
    small = loss.gradient(y[:1000], f[:1000], reduction="sum")
    for threads, offset in ((2, 0), (3, 1), (7, 3)):
        out = np.empty(n + offset, dtype=dtype)[offset:]
        value, gradient = loss.loss_gradient(y, f, out=(None, out), n_threads=threads)
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])
    np.testing.assert_array_equal(loss.gradient(y, f, reduction="sum")[:1000], small)


@every_loss
@both_dtypes
def test_predict_and_partial(reference, dtype):
    y, f, w = data(reference, 100_001, dtype)
    loss = fl.get_loss(reference.name)
    expected, partial = loss.predict(f, n_threads=1), loss.partial(y, f, w, n_threads=1)
    for threads in (2, 3, 7):
        assert loss.predict(f, n_threads=threads).tobytes() == expected.tobytes()
        assert loss.partial(y, f, w, n_threads=threads) == partial


# ---------------------------------------------------------------- how many


def test_set_num_threads():
    fl.set_num_threads(3)
    assert fl.get_num_threads() == (3 if fl.cpu_info()["openmp"] else 1)
    assert fl.cpu_info()["n_threads"] == fl.get_num_threads()
    fl.set_num_threads(None)
    assert fl.get_num_threads() >= 1
    for bad in (0, -1):
        with pytest.raises(
            ValueError, match=f"^n_threads = {bad}: expected an integer of at least 1, or None$"
        ):
            fl.set_num_threads(bad)
    for bad in (1.5, "2", True):
        with pytest.raises(TypeError, match=r"^n_threads = .*: expected an integer of at least 1"):
            fl.set_num_threads(bad)


@needs_openmp
@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_omp_num_threads(threads):
    code = "import fastloss as fl; print(fl.get_num_threads())"
    cpus = cgroup_cpu_limit() or 5
    assert run(code, OMP_NUM_THREADS=threads) == min(int(threads), cpus)


@needs_openmp
def test_threadpoolctl():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        assert fl.get_num_threads() == 1
    with threadpoolctl.threadpool_limits(2, user_api="openmp"):
        assert fl.get_num_threads() == min(2, cgroup_cpu_limit() or 2)


THREADS_OF_A_CALL = """
import json
import numpy as np
import fastloss as fl

def count():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("Threads:")).split()[1])

x = np.zeros(400_000)
before = count()
{setup}
fl.SquaredError().gradient(x, x{argument})
print(json.dumps(count() - before))
"""


@needs_openmp
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("setup", "argument", "environment", "started"),
    [
        ("", ", n_threads=1", {}, 0),
        ("", ", n_threads=2", {"OMP_NUM_THREADS": "1"}, 1),
        ("", ", n_threads=4", {}, 3),
        ("", "", {"OMP_NUM_THREADS": "1"}, 0),
        ("fl.set_num_threads(1)", "", {}, 0),
        ("fl.set_num_threads(3)", "", {}, 2),
        ("x = x[:16000]", ", n_threads=4", {}, 0),
    ],
)
def test_threads_that_really_start(setup, argument, environment, started):
    code = THREADS_OF_A_CALL.format(setup=setup, argument=argument)
    assert run(code, **{"OPENBLAS_NUM_THREADS": "1", **environment}) == started


# ---------------------------------------------------------------- the control group's limit


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("max 100000", None),
        ("", None),
        ("garbage", None),
        ("-1 100000", None),
        ("100000 0", None),
        ("100000", None),
        ("200000 100000\n", 2),
    ],
)
def test_cgroup_v2(tmp_path, quota, expected):
    membership = tmp_path / "self"
    membership.write_text("0::/job\n")
    write(tmp_path / "fs" / "job" / "cpu.max", quota)
    assert cgroup_cpu_limit(tmp_path / "fs", membership) == expected


def test_cgroup_v2_takes_the_strictest_parent(tmp_path):
    membership = tmp_path / "self"
    membership.write_text("12:pids:/x\n0::/a/b/c\n")
    root = tmp_path / "fs"
    write(root / "a" / "b" / "c" / "cpu.max", "max 100000")
    write(root / "a" / "b" / "cpu.max", "800000 100000")
    write(root / "a" / "cpu.max", "300000 100000")
    write(tmp_path / "cpu.max", "100000 100000")  # outside the mount: not ours
    assert cgroup_cpu_limit(root, membership) == 3
    write(root / "cpu.max", "200000 100000")
    assert cgroup_cpu_limit(root, membership) == 2


def test_cgroup_v1(tmp_path):
    membership = tmp_path / "self"
    membership.write_text("4:cpu,cpuacct:/docker/abc\n")
    root = tmp_path / "fs"
    write(root / "cpu" / "cpu.cfs_quota_us", "250000\n")
    write(root / "cpu" / "cpu.cfs_period_us", "100000\n")
    assert cgroup_cpu_limit(root, membership) == 3
    write(root / "cpu" / "cpu.cfs_quota_us", "-1\n")
    assert cgroup_cpu_limit(root, membership) is None


def test_no_cgroup_at_all(tmp_path):
    assert cgroup_cpu_limit(tmp_path / "no", tmp_path / "nothing") is None
    binary = tmp_path / "self"
    binary.write_bytes(b"0::/\xff\xfe\n")
    assert cgroup_cpu_limit(tmp_path, binary) is None


def test_this_process_has_a_limit_that_makes_sense():
    limit = cgroup_cpu_limit()
    assert limit is None or limit >= 1
    assert fl.cpu_info()["cgroup_cpus"] == limit


# ---------------------------------------------------------------- forks

LARGE = 300_000


def _evaluate(seed):
    rng = np.random.default_rng(seed)
    y, f = (rng.random(LARGE) < 0.5).astype(float), rng.normal(size=LARGE)
    return fl.LogLoss().loss_gradient(y, f, n_threads=4)[0], fl.get_num_threads()


# Python itself warns of every fork of a process that has threads, 3.12 on
@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_after_threaded_use_completes_and_gives_the_same_bits():
    expected = np.float64(_evaluate(0)[0]).tobytes()
    read, write_end = os.pipe()
    child = os.fork()
    if child == 0:  # no pytest in here: report by the pipe, and leave at once
        try:
            value, threads = _evaluate(0)
            os.write(write_end, np.float64(value).tobytes() + bytes([threads]))
        finally:
            os._exit(0)
    os.close(write_end)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0] == child:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    answer = os.read(read, 100)
    os.close(read)
    assert answer == expected + bytes([1])


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_pool_of_forked_processes():
    expected = [_evaluate(seed)[0] for seed in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map_async(_evaluate, range(4)).get(timeout=300)
    assert [value for value, _ in results] == expected
    assert {threads for _, threads in results} == {1}
    assert _evaluate(0)[0] == expected[0]  # and the parent still threads


# ---------------------------------------------------------------- threads of Python


def test_concurrent_calls_give_the_same_bits():
    rng = np.random.default_rng(14)
    y, f = rng.normal(size=(2, 200_001))
    shared = fl.Huber(0.7)
    expected = bits(shared.loss_gradient_hessian(y, f, n_threads=1))
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(shared.loss_gradient_hessian, y, f, n_threads=1 + i % 3) for i in range(40)
        ]
        for future in futures:
            assert bits(future.result(timeout=300)) == expected


@pytest.mark.parametrize("call", ["loss", "predict", "sgd_step", "strided"])
def test_the_gil_is_released(call):
    """Another thread of Python runs while a kernel does."""
    n = 1_000_000
    rng = np.random.default_rng(15)
    y, f = (rng.random(n) < 0.5).astype(np.float64), rng.normal(size=n)
    swapped, out, loss = f.astype(">f8"), np.zeros(n), fl.LogLoss()
    work = {
        "loss": lambda: loss.loss_gradient(y, f, out=(None, out), n_threads=1),
        "predict": lambda: loss.predict(f, out=out, n_threads=1),
        "sgd_step": lambda: fl.sgd_step(out, f, lr=1e-6, n_threads=1),
        "strided": lambda: loss.loss(y, swapped, n_threads=1),
    }[call]
    started, progress = threading.Event(), []

    def other():
        started.set()
        while len(progress) < 1000:
            progress.append(None)
            time.sleep(1e-4)  # gives the GIL away, and needs it back to go on

    # so that the GIL changes hands only where it is given away, never because its time is up
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)
    try:
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        started.wait()
        before, deadline = len(progress), time.monotonic() + 10
        while len(progress) < before + 5 and time.monotonic() < deadline:
            work()
        assert len(progress) >= before + 5
    finally:
        progress.extend([None] * 1000)
        sys.setswitchinterval(interval)
        thread.join()
