"""LinearSGD in steps of several samples, with momentum, and for losses of several outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")

N, D, C = 150, 11, 4


def data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((N, D)) * (rng.random((N, D)) < 0.6)
    y = (X @ rng.standard_normal((D, C)) + rng.standard_normal((N, C))).argmax(axis=1)
    return X, y, rng.uniform(0, 2, N)


def softmax(y: Any, f: Any) -> tuple[Any, Any]:
    """Losses and derivatives of one block."""
    p = np.exp(f - f.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    losses = -np.log(p[rows, y])
    p[rows, y] -= 1
    return losses, p


def logistic(y: Any, f: Any) -> tuple[Any, Any]:
    """The log loss of one output, or of each of several."""
    hot = (y[:, None] == np.arange(f.shape[1])) * 1.0 if f.shape[1] > 1 else y[:, None]
    return (np.logaddexp(0, f) - hot * f).sum(axis=1), 1 / (1 + np.exp(-f)) - hot


def reference(
    losses: Any,
    X: Any,
    y: Any,
    weight: Any,
    n_outputs: int,
    *,
    batch_size: int,
    epochs: int = 2,
    eta: float = 0.3,
    momentum: float = 0.0,
    nesterov: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
    clip: float = np.inf,
) -> tuple[Any, Any, Any, float]:
    """Coefficients, intercepts, averages of both, and the mean loss of the last epoch."""
    w, b = np.zeros((n_outputs, X.shape[1])), np.zeros(n_outputs)
    velocity: list[Any] = [None, None]
    received, owed, history = np.zeros_like(w), 0.0, []

    def moved(which: int, g: Any) -> Any:
        if not momentum:
            return g
        old = velocity[which]
        velocity[which] = g if old is None else momentum * old + g
        return g + momentum * velocity[which] if nesterov else velocity[which]

    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(y), batch_size):
            part = slice(start, start + batch_size)
            values, g = losses(y[part], X[part] @ w.T + b)
            total += weight[part] @ values
            g = np.clip(g, -clip, clip) * weight[part, None] / len(g)
            w = w - eta * moved(0, g.T @ X[part] + l2 * w)
            b = b - eta * moved(1, g.sum(axis=0))
            owed += eta * l1
            old = w
            w = np.where(
                w > 0, np.maximum(0, w - (owed + received)), np.minimum(0, w + (owed - received))
            )
            received = received + (w - old)
            history.append(np.column_stack([w, b]))
    return w, b, np.mean(history, axis=0), total / weight.sum()


CASES: list[dict[str, Any]] = [
    {"batch_size": 1},
    {"batch_size": 7},
    {"batch_size": 64},
    {"batch_size": 100, "l2": 0.1},
    {"batch_size": 500, "l1": 0.01, "l2": 0.02},
    {"batch_size": 1, "l1": 0.01, "l2": 0.02},
    {"batch_size": 1, "momentum": 0.5, "l2": 0.1},
    {"batch_size": 9, "momentum": 0.9, "eta": 0.05},
    {"batch_size": 9, "momentum": 0.9, "nesterov": True, "l2": 0.1, "eta": 0.05},
    {"batch_size": 3, "clip": 0.2},
]


@pytest.mark.parametrize("kind", ["one", "rest", "softmax"])
@pytest.mark.parametrize("case", CASES)
def test_against_a_numpy_loop(case: dict[str, Any], kind: str) -> None:
    X, y, weight = data()
    if kind == "one":
        y = (y > 1) * 1
    n_outputs = 1 if kind == "one" else C
    losses = softmax if kind == "softmax" else logistic
    expected = reference(losses, X, y, weight, n_outputs, **case)
    settings = dict(case)
    l1, l2 = settings.pop("l1", 0.0), settings.pop("l2", 0.0)
    settings["eta0"] = settings.pop("eta", 0.3)
    settings["clip_gradient"] = settings.pop("clip", None)
    settings |= {"penalty": "elasticnet", "alpha": l1 + l2, "l1_ratio": l1 / ((l1 + l2) or 1)}
    for dtype, bound in ((np.float64, 1e-12), (np.float32, 1e-4)):
        full = sparse.csr_matrix(
            (X.astype(dtype).ravel(), np.tile(np.arange(D), N), np.arange(N + 1) * D), (N, D)
        )
        for rows in (X.astype(dtype), full, np.asfortranarray(X)):
            sgd = fl.LinearSGD(
                fl.CrossEntropy() if kind == "softmax" else "log_loss",
                D,
                n_outputs=n_outputs,
                one_vs_rest=kind == "rest",
                dtype=dtype,
                learning_rate="constant",
                average=True,
                **settings,
            )
            values = [sgd.epoch(rows, y, weight, shuffle=False) for _ in range(2)]
            atol = bound * np.abs(expected[0]).max()
            np.testing.assert_allclose(
                sgd.coef.reshape(n_outputs, D), expected[0], rtol=0, atol=atol
            )
            np.testing.assert_allclose(sgd.intercept, expected[1], rtol=0, atol=atol)
            average = np.column_stack(
                [sgd.average_coef.reshape(n_outputs, D), sgd.average_intercept]
            )
            np.testing.assert_allclose(average, expected[2], rtol=0, atol=atol)
            assert values[1] == pytest.approx(expected[3], rel=bound)


def test_threads_give_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((700, 30))
    y = rng.integers(0, 3, 700)
    for dtype in (np.float32, np.float64):
        results = []
        for threads in (1, 2, 3):
            sgd = fl.LinearSGD(
                fl.CrossEntropy(), 30, n_outputs=3, dtype=dtype, batch_size=300, n_threads=threads
            )
            value = sgd.epoch(X, y)
            results.append((sgd.coef.tobytes(), sgd.intercept.tobytes(), value))
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    ("loss", "n_outputs"),
    [
        (fl.MulticlassHinge(), 3),
        (fl.CrammerSinger(), 3),
        (fl.MulticlassFocal(), 3),
        (fl.CrossEntropy(label_smoothing=0.1, ignore_index=1), 3),
        (fl.CrossEntropy(class_weight=[1.0, 2.0, 0.5]), 3),
        (fl.Sparsemax(), 3),
        (fl.Coral(), 2),
        (fl.GaussianNLL(), 2),
        (fl.GaussianCRPS(), 2),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 16])
def test_losses_of_several_outputs(loss: Any, n_outputs: int, batch_size: int) -> None:
    X, y, weight = data()
    y = y % 3
    sgd = fl.LinearSGD(
        loss, D, n_outputs=n_outputs, batch_size=batch_size, penalty=None, eta0=0.02,
        learning_rate="constant",
    )  # fmt: skip
    sgd.epoch(X, y, weight, shuffle=False)
    w, b = np.zeros((n_outputs, D)), np.zeros(n_outputs)
    for start in range(0, N, batch_size):
        part = slice(start, start + batch_size)
        f = X[part] @ w.T + b
        g = loss.gradient(y[part], f, weight[part], reduction="sum") / len(f)
        w -= 0.02 * g.T @ X[part]
        b -= 0.02 * g.sum(axis=0)
    np.testing.assert_allclose(sgd.coef, w, rtol=0, atol=1e-12 * np.abs(w).max())
    np.testing.assert_allclose(sgd.intercept, b, rtol=0, atol=1e-12 * np.abs(w).max())


def test_momentum_and_averages_go_on_from_a_state() -> None:
    X, y, weight = data()
    settings: dict[str, Any] = {
        "n_outputs": C, "momentum": 0.9, "average": True, "penalty": "l1", "batch_size": 16,
        "learning_rate": "invscaling",
    }  # fmt: skip
    one, other = (fl.LinearSGD(fl.CrossEntropy(), D, **settings) for _ in range(2))
    one.epoch(X, y, weight)
    other.load_state_dict(one.state_dict())
    one.epoch(X, y, weight)
    other.epoch(X, y, weight)
    assert one.average_coef.tobytes() == other.average_coef.tobytes()
    assert one.coef.tobytes() == other.coef.tobytes()


def test_parts_of_whole_batches_are_the_whole() -> None:
    X, y, weight = data()
    whole, parts = (
        fl.LinearSGD(fl.CrossEntropy(), D, n_outputs=C, batch_size=10) for _ in range(2)
    )
    whole.epoch(X, y, weight, shuffle=False)
    for start in range(0, N, 50):
        part = slice(start, start + 50)
        parts.epoch(X[part], y[part], weight[part], shuffle=False)
    assert whole.coef.tobytes() == parts.coef.tobytes()
    assert whole.t == parts.t == N // 10 + 1
