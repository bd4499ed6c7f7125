"""Memory maps: what is learnt is what is learnt from arrays, and they may be larger than memory."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from fastloss.linear_model import SGDClassifier, SGDRegressor, _sgd_batches

rng = np.random.default_rng(8)
X = rng.normal(size=(300, 4))
SCORE = X @ [1.0, -2.0, 0.5, 0.0] + rng.logistic(size=300)
Y = np.digitize(SCORE, [-1.0, 1.0])
WEIGHTS = rng.uniform(0.5, 2.0, size=300)


def memory_map(path, array):
    out = np.memmap(path, array.dtype, "w+", shape=array.shape)
    out[:] = array
    out.flush()
    return np.memmap(path, array.dtype, "r", shape=array.shape)


def assert_equal(first, second):
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)
    assert first.coef_.dtype == second.coef_.dtype
    assert first.t_ == second.t_


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.bool_])
@pytest.mark.parametrize("large", [False, True])
def test_maps_and_arrays_give_the_same_bits(tmp_path, monkeypatch, dtype, large):
    data = (3 * X).astype(dtype)
    mapped = memory_map(tmp_path / "X", data)
    if large:
        monkeypatch.setattr(_sgd_batches, "_KEPT_BYTES", 0)
    options = {"max_iter": 3, "tol": None, "random_state": 0}
    models = [
        SGDClassifier(early_stopping=True, **options),
        SGDClassifier("cross_entropy", batch_size=13, **options),
        SGDClassifier("huber", **options),
    ]
    for model in models:
        whole = model.fit(data, Y, sample_weight=WEIGHTS)
        coef, scores = whole.coef_, whole.history_.validation_score
        model.fit(mapped, Y, sample_weight=WEIGHTS)
        np.testing.assert_array_equal(model.coef_, coef)
        np.testing.assert_array_equal(model.history_.validation_score, scores)
    assert_equal(
        SGDRegressor(shuffle=False, **options).fit(data, SCORE),
        SGDRegressor(shuffle=False, **options).fit(mapped, SCORE),
    )
    first, second = SGDRegressor(random_state=0), SGDRegressor(random_state=0)
    for _ in range(2):
        assert_equal(first.partial_fit(data, SCORE), second.partial_fit(mapped, SCORE))


def test_errors_name_the_sample_of_a_map(tmp_path, monkeypatch):
    monkeypatch.setattr(_sgd_batches, "_KEPT_BYTES", 0)
    counts = np.ones(300)
    counts[145] = -2.0
    model = SGDRegressor("poisson", shuffle=False, tol=None)
    with pytest.raises(ValueError, match=r"^y\[145\] = -2.0: Poisson expects"):
        model.fit(memory_map(tmp_path / "X", X), counts)
    holes = np.where(np.arange(300)[:, None] == 250, np.nan, X)
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        model.fit(memory_map(tmp_path / "Y", holes), np.ones(300))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_memory_map_larger_than_memory(tmp_path, dtype):
    script = """
        import resource, sys
        import numpy as np
        from fastloss.linear_model import SGDRegressor
        SGDRegressor(max_iter=1, tol=None).fit(np.ones((9, 100)), np.arange(9.0))
        size, dtype = 100 << 20, np.dtype(sys.argv[2])
        with open(sys.argv[1], "wb") as file:  # zeros, none of them on the disk
            file.truncate(size)
        shape = (size // (1000 * dtype.itemsize), 1000)
        X = np.memmap(sys.argv[1], dtype, "r", shape=shape)
        used = int(open("/proc/self/status").read().split("VmData:")[1].split()[0]) << 10
        resource.setrlimit(resource.RLIMIT_DATA, (used + (size >> 2), -1))
        model = SGDRegressor(max_iter=2, tol=None, random_state=0)
        model.fit(X, np.ones(len(X), np.float32)).partial_fit(X, np.ones(len(X), np.float32))
        assert model.t_ == 3 * len(X) + 1, model.t_
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "X"), dtype],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
