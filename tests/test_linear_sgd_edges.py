"""LinearSGD at the edges: rows that must add nothing, large products, averages under strong L2."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

X = np.random.default_rng(5).standard_normal((40, 6))
Y = (X[:, 0] > 0) * 1.0


def as_csr(rows: Any) -> Any:
    """All entries of dense rows, zeros too."""
    n, d = rows.shape
    return sparse.csr_matrix((rows.ravel(), np.tile(np.arange(d), n), np.arange(n + 1) * d), (n, d))


@pytest.mark.parametrize("sign", [1, -1])
def test_products_of_rows_may_be_too_small(sign: int) -> None:
    sgd = fl.LinearSGD(
        "half_squared_error",
        1,
        penalty=None,
        fit_intercept=False,
        learning_rate="constant",
        eta0=1e-300,
    )
    sgd.epoch(np.array([[1e160], [sign * 1e160]]), [1.0, 1.0], shuffle=False)
    first = 1e-140
    expected = first + sign * 1e-140 * (1 - sign * 1e160 * first)
    np.testing.assert_allclose(sgd.coef, [expected], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_averages_keep_their_digits_under_strong_l2(dtype: type, is_sparse: bool) -> None:
    rng = np.random.default_rng(3)
    n, d, eta, alpha = 4000, 10, 0.1, 0.4
    rows = rng.standard_normal((n, d)).astype(dtype)
    y = (rows[:, 0] + rng.standard_normal(n) > 0) * 1.0
    sgd = fl.LinearSGD(
        "log_loss", d, dtype=dtype, alpha=alpha, learning_rate="constant", eta0=eta, average=True
    )
    sgd.epoch(as_csr(rows) if is_sparse else rows, y, shuffle=False)
    w, b, total = np.zeros(d), 0.0, np.zeros(d)
    for x, label in zip(rows.astype(np.float64), y, strict=True):
        slope = 1 / (1 + np.exp(-(x @ w + b))) - label
        w = (1 - eta * alpha) * w - eta * slope * x
        b -= eta * slope
        total += w
    bound = 100 * np.finfo(dtype).eps * np.abs(w).max()
    np.testing.assert_allclose(sgd.average_coef, total / n, rtol=0, atol=bound)


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 40])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e4])
def test_a_row_of_weight_0_adds_nothing(bad: float, batch_size: int, is_sparse: bool) -> None:
    settings: dict[str, Any] = {"learning_rate": "constant", "batch_size": batch_size}
    clean, spoilt = X.copy(), X.copy()
    clean[7] = 0.0
    spoilt[7] = bad  # exp(1e4) is infinite
    weight = np.ones(40)
    weight[7] = 0.0
    values = []
    for rows in (clean, spoilt):
        sgd = fl.LinearSGD("poisson", 6, average=True, **settings)
        sgd.coef = np.ones(6)
        given = as_csr(rows) if is_sparse else rows
        value = sgd.epoch(given, Y, weight, shuffle=False)
        values.append((value, sgd.coef, sgd.intercept, sgd.average_coef))
    for one, other in zip(*values, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_an_ignored_row_adds_nothing(is_sparse: bool) -> None:
    spoilt = X.copy()
    spoilt[7] = np.nan
    y = Y.astype(int)
    y[7] = -100
    sgd = fl.LinearSGD(
        fl.CrossEntropy(ignore_index=-100), 6, n_outputs=2, batch_size=10, class_weight=[1, 2]
    )
    value = sgd.epoch(as_csr(spoilt) if is_sparse else spoilt, y)
    assert np.isfinite(value)
    assert sgd.coef.any()


def test_large_batches_have_the_same_bits_with_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((9000, 50))
    y = rng.integers(0, 3, 9000)
    found = []
    for threads in (1, 2, 3):
        sgd = fl.LinearSGD(fl.CrossEntropy(), 50, n_outputs=3, batch_size=8000, n_threads=threads)
        value = sgd.epoch(rows, y)
        found.append((value, sgd.coef.tobytes(), sgd.intercept.tobytes()))
    assert sgd._threads(3, 8000 * 150) == 3
    assert found[0] == found[1] == found[2]
    one = fl.LinearSGD(fl.CrossEntropy(), 50, n_outputs=3, batch_size=8000)
    one.epoch(rows, y, order=np.arange(8000))
    gradient = (np.full((8000, 3), 1 / 3) - np.eye(3)[y[:8000]]).T @ rows[:8000] / 8000
    np.testing.assert_allclose(one.coef, -one.eta * gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("kind", ["dense", "sparse batches"])
def test_ctrl_c_of_many_coefficients(kind: str) -> None:
    if kind == "dense":
        n, sgd = 3000, fl.LinearSGD("log_loss", 1_000_000, dtype=np.float32)
        rows: Any = np.ones((2, 1_000_000), np.float32)
        labels = [0, 1]
    else:
        n, d = 500, 100_000
        sgd = fl.LinearSGD(fl.CrossEntropy(), d, n_outputs=20)
        rows = sparse.csr_matrix((np.ones(2), [0, 5], [0, 1, 2]), (2, d))
        labels = [0, 19]
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            sgd.epoch(rows, labels, order=np.arange(n) % 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert sgd.t < (1000 if kind == "dense" else n)
