"""LinearSGD: every loss, layouts, streams, threads, states; references are NumPy loops."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

N, D = 50, 11
#: their raw predictions have to lie in a domain that no line stays within
BOUNDED = {"binary_cross_entropy", "tweedie_identity"}
POINTWISE = [
    name
    for name in fl.available_losses()
    if isinstance(fl.get_loss(name), fl.LogLoss.__base__) and name not in BOUNDED
]
LABELS = {
    "positive": lambda z: np.exp(z / 3),
    "nonnegative": lambda z: np.floor(np.exp(z / 3)),
    "unit": lambda z: (z > 0) * 1.0,
}


def labels_for(loss: Any, z: Any) -> Any:
    """Labels that a loss takes, made from numbers."""
    for make in (lambda z: z / 3, *LABELS.values()):
        try:
            loss.loss(make(z), z)
        except ValueError:
            continue
        return make(z)
    raise AssertionError(loss)


def data(seed: int = 3, n: int = N, d: int = D) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.6)
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


def reference(
    loss: Any,
    X: Any,
    y: Any,
    weight: Any,
    rates: Any,
    l1: float = 0.0,
    l2: float = 0.0,
    decay: float = 1.0,
) -> tuple[Any, float, Any, float, float]:
    """Coefficients, intercept, their averages, and the mean loss, step by step."""
    w, b = np.zeros(X.shape[1]), 0.0
    received, owed = np.zeros_like(w), 0.0
    history, total = [], 0.0
    for x, label, factor, eta in zip(X, y, weight, rates, strict=True):
        f = np.array([x @ w + b])
        value, gradient = loss.loss_gradient(np.array([label]), f, reduction="sum")
        total += factor * value
        w = max(0.0, 1 - eta * l2) * w - eta * factor * gradient[0] * x
        b -= decay * eta * factor * gradient[0]
        if l1:
            owed += eta * l1
            old = w
            w = np.where(
                w > 0, np.maximum(0, w - (owed + received)), np.minimum(0, w + (owed - received))
            )
            received = received + (w - old)
        history.append((w, b))
    averages = [np.mean([h[k] for h in history], axis=0) for k in (0, 1)]
    return w, b, *averages, total / np.sum(weight)


@pytest.mark.parametrize("name", POINTWISE)
def test_every_loss(name: str) -> None:
    loss = fl.get_loss(name)
    X, z = data()
    y = labels_for(loss, z)
    weight = np.random.default_rng(0).uniform(0.5, 2, N)
    expected = reference(loss, X, y, weight, np.full(N, 1e-2), l2=0.1)
    for dtype, bound in ((np.float64, 1e-11), (np.float32, 2e-4)):
        for rows in (X.astype(dtype), sparse.csr_matrix(X.astype(dtype))):
            sgd = fl.LinearSGD(
                loss, D, dtype=dtype, alpha=0.1, learning_rate="constant", average=True
            )
            value = sgd.epoch(rows, y, weight, shuffle=False)
            size = np.abs(expected[0]).max()
            np.testing.assert_allclose(sgd.coef, expected[0], rtol=0, atol=bound * size)
            np.testing.assert_allclose(sgd.intercept, expected[1], rtol=bound, atol=bound * size)
            np.testing.assert_allclose(sgd.average_coef, expected[2], rtol=0, atol=bound * size)
            np.testing.assert_allclose(
                sgd.average_intercept, expected[3], rtol=bound, atol=bound * size
            )
            assert value == pytest.approx(expected[4], rel=bound)


def test_l1_with_averages() -> None:
    loss = fl.LogLoss()
    X, z = data()
    y = (z > 0) * 1.0
    expected = reference(loss, X, y, np.ones(N), np.full(N, 0.1), l1=0.03, l2=0.03)
    whole = sparse.csr_matrix((X.ravel(), np.tile(np.arange(D), N), np.arange(N + 1) * D), (N, D))
    for rows in (X, whole):
        sgd = fl.LinearSGD(
            loss,
            D,
            penalty="elasticnet",
            l1_ratio=0.5,
            alpha=0.06,
            learning_rate="constant",
            eta0=0.1,
            average=True,
        )
        sgd.epoch(rows, y, shuffle=False)
        np.testing.assert_allclose(sgd.coef, expected[0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(sgd.average_coef, expected[2], rtol=0, atol=1e-13)


def test_l1_of_a_sparse_row_waits_until_the_coefficient_is_met() -> None:
    sgd = fl.LinearSGD("absolute_error", 2, penalty="l1", alpha=0.1, learning_rate="constant")
    sgd.epoch(sparse.csr_matrix([[8.0, 8.0], [0.0, 8.0]]), [9.0, 9.0])
    one = fl.LinearSGD("absolute_error", 2, penalty="l1", alpha=0.1, learning_rate="constant")
    one.epoch(np.array([[8.0, 8.0], [0.0, 8.0]]), [9.0, 9.0])
    np.testing.assert_allclose(sgd.coef, one.coef, rtol=1e-14)
    np.testing.assert_allclose(sgd.coef, [0.08 - 0.002, 0.16 - 0.002], rtol=1e-14)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"penalty": "l1", "average": True},
    {"penalty": "elasticnet", "alpha": 0.01, "learning_rate": "invscaling"},
    {"alpha": 200.0, "learning_rate": "constant", "average": 7},  # coefficients shrink to 0
    {"alpha": 60.0, "learning_rate": "constant", "average": True},  # and are folded often
    {"penalty": None, "learning_rate": "constant", "eta0": 0.1, "intercept_decay": 0.3},
]


def bits(sgd: Any) -> bytes:
    arrays = (sgd.coef, sgd.intercept, sgd.average_coef, sgd.average_intercept)
    return b"".join(a.tobytes() for a in arrays) + repr((sgd.t, sgd.eta)).encode()


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_a_stream_of_parts_has_the_bits_of_the_whole(
    settings: dict[str, Any], dtype: type, is_sparse: bool
) -> None:
    n = 2500
    X, z = data(n=n)
    y = z > 0
    rows = sparse.csr_matrix(X.astype(dtype)) if is_sparse else X.astype(dtype)
    whole, parts = (fl.LinearSGD("log_loss", D, dtype=dtype, **settings) for _ in range(2))
    whole.epoch(rows, y, shuffle=False)
    start = 0
    for length in (1, 1, 700, 1, 1024, n):
        part = slice(start, start + length)
        parts.epoch(rows[part], y[part], shuffle=False)
        start += length
        parts = pickle.loads(pickle.dumps(parts))
        other = fl.LinearSGD("log_loss", D, dtype=dtype, **settings)
        other.load_state_dict(parts.state_dict())
        assert bits(other) == bits(parts)
        parts = other
    assert bits(parts) == bits(whole)


def test_dense_and_sparse_epochs_continue_each_other() -> None:
    X, z = data()
    y = z > 0
    whole = sparse.csr_matrix((X.ravel(), np.tile(np.arange(D), N), np.arange(N + 1) * D), (N, D))
    one, other = (fl.LinearSGD("log_loss", D, penalty="elasticnet", alpha=0.05) for _ in range(2))
    for k in range(6):
        one.epoch(X, y, shuffle=False)
        other.epoch(whole if k % 2 else X, y, shuffle=False)
    np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-11 * np.abs(one.coef).max())


@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 16, 17, 33, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts(d: int, dtype: type) -> None:
    n = 20
    rng = np.random.default_rng(d)
    X = rng.standard_normal((n, d)).astype(dtype)
    y = rng.integers(0, 2, n)

    def learn(rows: Any, labels: Any = y, **options: Any) -> bytes:
        sgd = fl.LinearSGD("log_loss", d, dtype=dtype, learning_rate="constant", eta0=0.2)
        for _ in range(2):
            sgd.epoch(rows, labels, **options)
        return bits(sgd)

    expected = learn(X)
    wide = np.full((2 * n, 3 * d), np.nan, dtype)
    wide[::2, ::3] = X
    reversed_rows = np.ascontiguousarray(X[::-1])[::-1]
    padded = np.full((n, d + 5), np.inf, dtype)
    padded[:, :d] = X
    swapped = X.astype(X.dtype.newbyteorder())
    X.flags.writeable = False
    for rows in (X, np.asfortranarray(X), wide[::2, ::3], reversed_rows, padded[:, :d], swapped):
        assert learn(rows) == expected
    assert learn(X.tolist()) == expected
    for labels in (y.astype(bool), y.astype(np.float16), y.astype(">i2"), y.tolist()):
        assert learn(X, labels) == expected
    matrix = sparse.csr_matrix(X)
    values = []
    for kind in (np.int32, np.int64):
        matrix.indices = matrix.indices.astype(kind)
        sgd = fl.LinearSGD("log_loss", d, dtype=dtype, learning_rate="constant", eta0=0.2)
        sgd.epoch(matrix, y)
        sgd.epoch(matrix, y)
        values.append(np.append(sgd.coef, sgd.intercept))
    bound = 200 * np.finfo(dtype).eps * np.abs(values[0]).max()
    np.testing.assert_allclose(values[0], values[1], rtol=0, atol=bound)


def test_sparse_rows_in_any_order_and_with_repeated_columns() -> None:
    X, z = data()
    y = z > 0
    matrix = sparse.csr_matrix(X)
    rng = np.random.default_rng(1)
    data_, indices, indptr = [], [], [0]
    for i in range(N):
        row = slice(matrix.indptr[i], matrix.indptr[i + 1])
        order = rng.permutation(row.stop - row.start)
        values, columns = matrix.data[row][order], matrix.indices[row][order]
        data_ += [*values / 4, *values * 3 / 4]
        indices += [*columns, *columns]
        indptr.append(len(indices))
    mixed = sparse.csr_matrix((data_, indices, indptr), shape=X.shape)
    one, other = (fl.LinearSGD("log_loss", D, penalty="l1") for _ in range(2))
    for _ in range(3):
        one.epoch(matrix, y)
        other.epoch(mixed, y)
    np.testing.assert_allclose(other.coef, one.coef, rtol=0, atol=1e-12 * np.abs(one.coef).max())


def test_passive_steps_of_repeated_columns() -> None:
    X = np.random.default_rng(5).standard_normal((40, 6))
    y = X[:, 0] > 0
    entries, columns = [], []
    for row in X:
        entries += [*(row / 4), *(row * 3 / 4)]
        columns += [*range(6), *range(6)[::-1]]
        entries[-6:] = entries[-6:][::-1]
    repeated = sparse.csr_matrix((entries, columns, np.arange(41) * 12), shape=X.shape)
    for rate in ("pa1", "pa2"):
        one, other = (
            fl.LinearSGD("hinge", 6, penalty=None, learning_rate=rate, eta0=0.5) for _ in range(2)
        )
        one.epoch(X, y)
        other.epoch(repeated, y)
        np.testing.assert_allclose(other.coef, one.coef, rtol=1e-11)
        assert len(repeated.data) == 480  # what was given stays


def test_order_and_shuffle() -> None:
    X, z = data()
    y = (z > 0) * 1
    order = np.random.default_rng(2).integers(0, N, 80)
    one, other = (fl.LinearSGD("hinge", D) for _ in range(2))
    a = one.epoch(X, y, order=order)
    b = other.epoch(X[order], y[order], shuffle=False)
    assert (bits(one), a) == (bits(other), b)
    one, other, third = (fl.LinearSGD("hinge", D, seed=s) for s in (4, 4, 5))
    for sgd in (one, other, third):
        sgd.epoch(X, y)
    assert bits(one) == bits(other) != bits(third)


def test_the_shuffle_is_uniform() -> None:
    sgd = fl.LinearSGD("hinge", 1)
    counts = np.zeros((4, 4))
    n = 20_000
    for _ in range(n):
        counts[np.arange(4), sgd._random_order(4)] += 1
    assert np.abs(counts / n - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / n)
    for size in (0, 1, 2, 31, 32, 33, 34, 1000):
        assert sorted(sgd._random_order(size)) == list(range(size))
    assert fl.LinearSGD("hinge", 1)._random_order(8).tolist() == FIRST_ORDER


FIRST_ORDER = [1, 2, 6, 5, 4, 0, 3, 7]  # on every platform


def test_one_vs_rest_is_a_problem_for_each_class() -> None:
    n = 2500  # of so many, threads share the classes
    X, z = data(n=n)
    y = np.digitize(z, [-1, 0.5])
    weight = np.random.default_rng(9).uniform(0, 2, n)
    assert fl.LinearSGD("log_loss", D)._threads(3, n * D * 3) == 3
    factors = [0.5, 2.0, 1.5]
    for settings in SETTINGS:
        results = []
        for threads in (1, 2, 3):
            sgd = fl.LinearSGD(
                "log_loss",
                D,
                n_outputs=3,
                one_vs_rest=True,
                class_weight=factors,
                n_threads=threads,
                **settings,
            )
            values = [sgd.epoch(X, y, weight) for _ in range(2)]
            results.append((bits(sgd), values))
        assert results[0] == results[1] == results[2]
        total = 0.0
        for k in range(3):
            one = fl.LinearSGD("log_loss", D, class_weight=[1.0, factors[k]], **settings)
            for _ in range(2):
                value = one.epoch(X, y == k, weight)
            total += value
            np.testing.assert_array_equal(one.coef, sgd.coef[k])
            np.testing.assert_array_equal(one.average_coef, sgd.average_coef[k])
            assert one.intercept[0] == sgd.intercept[k]
        assert total == pytest.approx(values[1], rel=1e-12)


def test_no_rows() -> None:
    sgd = fl.LinearSGD("hinge", 3)
    for given, order in ((0, None), (2, [])):
        with pytest.warns(RuntimeWarning, match="^mean of an empty array is NaN$") as caught:
            assert np.isnan(sgd.epoch(np.ones((given, 3)), [1] * given, order=order))
        assert caught[0].filename == __file__
    assert sgd.t == 1
    assert not sgd.coef.any()


def test_warm_start() -> None:
    X, z = data()
    y = z > 0
    one = fl.LinearSGD("log_loss", D, average=True)
    one.epoch(X, y)
    other = fl.LinearSGD("log_loss", D, average=True)
    other.coef, other.intercept, other.t = one.coef, one.intercept, one.t
    order = np.arange(N)
    one.epoch(X, y, order=order)
    other.epoch(X, y, order=order)
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-10)
    np.testing.assert_allclose(one.intercept, other.intercept, rtol=1e-10)


def test_average_goes_on_when_coefficients_are_set() -> None:
    X, z = data()
    sgd = fl.LinearSGD("log_loss", D, average=True)
    sgd.epoch(X, z > 0)
    before, n = sgd.average_coef, sgd.t - 1
    sgd.coef = np.full(D, 3.0)
    np.testing.assert_allclose(sgd.average_coef, before, rtol=1e-12)
    with pytest.warns(RuntimeWarning, match="mean of an empty array is NaN"):
        sgd.epoch(X, z > 0, order=[])
    sgd.epoch(np.zeros((1, D)), [1.0])
    expected = (n * before + sgd.coef) / (n + 1)
    np.testing.assert_allclose(sgd.average_coef, expected, rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"momentum": 0.5}])
def test_the_average_of_one_step_is_the_coefficients(options: dict[str, Any]) -> None:
    X = np.arange(1.0, 9.0).reshape(2, 4)
    sgd = fl.LinearSGD(
        "half_squared_error", 4, penalty="l1", alpha=0.05, learning_rate="constant", eta0=0.1,
        average=True, **options,
    )  # fmt: skip
    sgd.epoch(X[:1], [3.0], shuffle=False)
    np.testing.assert_allclose(sgd.average_coef, sgd.coef, rtol=1e-14)
    one = sgd.coef
    sgd.epoch(X[1:], [-1.0], shuffle=False)
    np.testing.assert_allclose(sgd.average_coef, (one + sgd.coef) / 2, rtol=1e-14)
