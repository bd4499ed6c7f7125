"""fastloss.sklearn.patch(): how many threads are used, so that nothing gets slower than it was."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy import sparse
from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.linear_model import LogisticRegression

import fastloss.sklearn
from fastloss.sklearn import _linear, _losses

CORES = 64


@pytest.fixture
def limited(monkeypatch):
    """A function that sets how many threads there may be."""

    def limit(n_threads):
        monkeypatch.setattr(_linear, "get_num_threads", lambda: n_threads)

    return limit


def dense(n, d, dtype=np.float64):
    """An array of any size, of no memory."""
    return np.broadcast_to(dtype(0), (n, d))


def csr(n, d, in_row):
    """A CSR matrix of n rows of the same columns."""
    indices = np.tile(np.arange(in_row, dtype=np.int32), n)
    return sparse.csr_array((np.ones(n * in_row), indices, np.arange(n + 1) * in_row), shape=(n, d))


@pytest.mark.parametrize(
    ("X", "n_outputs", "few", "many"),
    [
        pytest.param(dense(1000, 20), 1, 1, 1, id="tiny"),
        pytest.param(dense(200_000, 20), 1, 1, 21, id="two milliseconds"),
        pytest.param(dense(200_000, 20, np.float32), 1, 1, 11, id="one millisecond"),
        pytest.param(dense(200_000, 20), 5, 1, 42, id="classes, few features"),
        pytest.param(dense(3000, 784), 10, 2, 28, id="bound by arithmetic"),
        pytest.param(dense(2_000_000, 20), 1, 2, CORES, id="long"),
        pytest.param(csr(25_000, 10_000, 50), 1, 1, 1, id="CSR, two milliseconds"),
        pytest.param(csr(50_000, 10_000, 50), 5, 1, CORES, id="CSR, long"),
        pytest.param(csr(50_000, 10_000, 50), 20, 2, CORES, id="CSR, longer"),
    ],
)
def test_threads_of_an_objective_follow_the_time_of_a_pass(limited, X, n_outputs, few, many):
    limited(1)
    assert _linear._thread_count(X, n_outputs) == 1
    limited(2)
    assert _linear._thread_count(X, n_outputs) == few
    limited(CORES)
    assert _linear._thread_count(X, n_outputs) == many


def test_the_limit_of_threads_is_kept(limited):
    for limit in (1, 2, 3, 5, 8):
        limited(limit)
        assert _linear._thread_count(dense(2_000_000, 20), 1) == limit


def count():
    """How many threads a long pass would have here."""
    return _linear._thread_count(dense(2_000_000, 20), 1)


def test_workers_that_are_threads_of_joblib_use_one_each(limited):
    limited(2)
    with Parallel(2, backend="threading") as parallel:
        assert parallel(delayed(count)() for _ in range(3)) == [1, 1, 1]
    assert count() == 2
    with ThreadPoolExecutor(1) as pool:  # alone, as the thread of a server
        assert pool.submit(count).result() == 2


def test_the_objective_of_a_fit_has_that_number(limited, monkeypatch):
    given = []

    def kept(*args, n_threads, **kwargs):
        given.append((n_threads, threading.get_ident()))
        return fastloss.LinearObjective(*args, n_threads=n_threads, **kwargs)

    monkeypatch.setattr(_linear, "LinearObjective", kept)
    monkeypatch.setattr(_linear, "_LONG_PASS", 0.0)
    monkeypatch.setattr(_linear, "_THREAD_SHARE", 1.0)
    limited(2)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] + rng.logistic(size=200) > 0).astype(int)
    with fastloss.sklearn.patched():
        LogisticRegression().fit(X, y)
        Parallel(2, backend="threading")(delayed(LogisticRegression().fit)(X, y) for _ in range(2))
    assert [n for n, where in given if where == threading.get_ident()] == [2]
    assert [n for n, where in given if where != threading.get_ident()] == [1, 1]


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 3), (np.float32, 7)])
@pytest.mark.parametrize("loss", [HalfBinomialLoss(), HalfMultinomialLoss(n_classes=3)])
def test_losses_leave_many_threads_to_scikit_learn(monkeypatch, dtype, most, loss):
    rng = np.random.default_rng(0)
    shape = (50, 3) if loss.is_multiclass else (50,)
    y = rng.integers(0, 2, 50).astype(dtype)
    raw = np.asfortranarray(rng.normal(size=shape).astype(dtype))
    done = []
    run = _losses._Closs._run

    def noted(self, arguments, **parts):
        done.append(run(self, arguments, **parts))
        return done[-1]

    monkeypatch.setattr(_losses._Closs, "_run", noted)
    expected = loss.gradient_hessian(y, raw)
    with fastloss.sklearn.patched():
        for n_threads in (1, most, most + 1):
            got = loss.gradient_hessian(y, raw, n_threads=n_threads)
            for ours, theirs in zip(got, expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=64 * np.finfo(dtype).eps)
    assert done == [True, True, False]


def test_a_number_of_threads_that_is_none_gets_the_error_of_scikit_learn():
    y, raw = np.ones(4), np.zeros(4)
    with pytest.raises(TypeError) as theirs:
        HalfBinomialLoss().loss(y, raw, n_threads="2")
    with fastloss.sklearn.patched(), pytest.raises(TypeError) as ours:
        HalfBinomialLoss().loss(y, raw, n_threads="2")
    assert str(ours.value) == str(theirs.value)
