"""LinearSGD: what is wrong is named before the first step; overflows and Ctrl-C end an epoch."""

from __future__ import annotations

import re
import signal
from typing import Any

import numpy as np
import pytest

import fastloss as fl

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0.0, 1.0, 1.0, 0.0])


class Csr:
    """A CSR matrix of arrays as they are."""

    def __init__(self, indices: Any, shape: tuple[int, int] = (4, 3), data: Any = None) -> None:
        self.indices = np.array(indices)
        self.indptr = np.arange(len(indices) + 1)
        self.data = np.ones(len(indices)) if data is None else data
        self.shape = shape


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"loss": "no_loss"}, ValueError, "no_loss"),
        ({"loss": 3}, TypeError, "loss = 3: expected a loss"),
        ({"n_features": 0}, ValueError, "n_features = 0"),
        ({"n_features": 2.5}, TypeError, "n_features = 2.5"),
        ({"n_outputs": 3}, ValueError, "n_outputs = 3: LogLoss has one, unless one_vs_rest=True"),
        ({"loss": fl.CrossEntropy(), "one_vs_rest": True}, ValueError, "one_vs_rest = True"),
        ({"loss": fl.OneVsRest(), "n_outputs": 3}, TypeError, "loss = OneVsRest"),
        ({"loss": fl.KLDivergence(), "n_outputs": 3}, TypeError, "loss = KLDivergence"),
        (
            {"loss": fl.GaussianNLL(), "n_outputs": 3},
            ValueError,
            "n_outputs = 3: GaussianNLL(hessian='exact') has 2",
        ),
        ({"dtype": "int32"}, TypeError, "dtype = 'int32'"),
        ({"penalty": "l3"}, ValueError, "penalty = 'l3'"),
        ({"alpha": -1}, ValueError, "alpha = -1"),
        ({"alpha": 0}, ValueError, "learning_rate='optimal'"),
        ({"l1_ratio": 1.5}, ValueError, "l1_ratio = 1.5"),
        ({"learning_rate": "fast"}, ValueError, "learning_rate = 'fast'"),
        ({"learning_rate": "pa1"}, ValueError, "expected Hinge or EpsilonInsensitive"),
        (
            {"learning_rate": "pa2", "loss": "hinge", "batch_size": 2},
            ValueError,
            "learning_rate = 'pa2'",
        ),
        ({"eta0": 0}, ValueError, "eta0 = 0"),
        ({"power_t": "x"}, TypeError, "power_t = 'x'"),
        ({"momentum": 1.0}, ValueError, "momentum = 1.0"),
        ({"nesterov": True}, ValueError, "nesterov = True: expected momentum"),
        ({"batch_size": 0}, ValueError, "batch_size = 0"),
        ({"average": -1}, ValueError, "average = -1"),
        ({"clip_gradient": 0.0}, ValueError, "clip_gradient = 0.0"),
        ({"class_weight": [1.0]}, ValueError, "class_weight has shape (1,): expected (2,)"),
        ({"class_weight": [1.0, -1.0]}, ValueError, "class_weight[1] = -1.0"),
        ({"seed": -1}, ValueError, "seed = -1"),
        ({"seed": 2**64}, ValueError, "seed = 18446744073709551616"),
        ({"fit_intercept": 1}, TypeError, "fit_intercept = 1"),
        ({"n_threads": 0}, ValueError, "n_threads"),
    ],
)
def test_parameters(settings: dict[str, Any], kind: type, message: str) -> None:
    settings = {"loss": "log_loss", "n_features": 3, **settings}
    with pytest.raises(kind, match=re.escape(message)):
        fl.LinearSGD(settings.pop("loss"), settings.pop("n_features"), **settings)


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"X": X[0]}, ValueError, "X has shape (3,): expected (n, 3)"),
        ({"X": X[:, :2]}, ValueError, "X has shape (4, 2): expected (n, 3)"),
        ({"X": X.astype(complex)}, TypeError, "X has dtype complex128"),
        (
            {"X": Csr([0, 1, 3, 0])},
            ValueError,
            "X.indices[2] = 3: expected columns 0 to 2, in row 2 of X of shape (4, 3)",
        ),
        ({"X": Csr([0, 1, -1, 0])}, ValueError, "X.indices[2] = -1"),
        ({"X": Csr([0, 1, 1, 0], (4, 5))}, ValueError, "X has shape (4, 5): expected (n, 3)"),
        (
            {"X": Csr([0, 0, 0, 0], data=np.ones(4, complex))},
            TypeError,
            "X.data has dtype complex128",
        ),
        ({"y": Y[:3]}, ValueError, "y has shape (3,): expected (4,)"),
        ({"y": Y + 1}, ValueError, "y[1] = 2.0: LogLoss expects labels in [0, 1]"),
        ({"y": [0, 1, np.nan, 0]}, ValueError, "y[2] = nan: LogLoss"),
        ({"sample_weight": [1, 1]}, ValueError, "sample_weight has shape (2,): expected (4,)"),
        ({"sample_weight": [1, 1, -1, 0]}, ValueError, "sample_weight[2] = -1"),
        ({"sample_weight": [1, np.inf, 1, 0]}, ValueError, "sample_weight[1] = inf"),
        ({"order": [0, 4]}, ValueError, "order[1] = 4: expected rows 0 to 3"),
        ({"order": [0, -1]}, ValueError, "order[1] = -1"),
        ({"order": [0.5]}, TypeError, "order has dtype float64"),
        ({"order": [[0]]}, ValueError, "order has shape (1, 1)"),
        ({"shuffle": 2}, TypeError, "shuffle = 2"),
    ],
)
def test_arguments(arguments: dict[str, Any], kind: type, message: str, batch_size: int) -> None:
    sgd = fl.LinearSGD("log_loss", 3, batch_size=batch_size)
    call = {"X": X, "y": Y, **arguments}
    with pytest.raises(kind, match=re.escape(message)):
        sgd.epoch(call.pop("X"), call.pop("y"), **call)
    assert sgd.t == 1
    assert not sgd.coef.any()


def test_classes() -> None:
    rest = fl.LinearSGD("hinge", 3, n_outputs=3, one_vs_rest=True)
    softmax = fl.LinearSGD(fl.CrossEntropy(), 3, n_outputs=3)
    ordinal = fl.LinearSGD(fl.Coral(), 3, n_outputs=3)
    for sgd in (rest, softmax):
        for y, index in (([0, 1, 3, 0], 2), ([0, -1, 2, 0], 1), ([0, 1, 2, 0.5], 3)):
            with pytest.raises(ValueError, match=re.escape(f"y[{index}] = {np.array(y)[index]}")):
                sgd.epoch(X, y)
    ordinal.epoch(X, [0, 1, 3, 0])
    with pytest.raises(ValueError, match="class_weight expects labels 0 and 1"):
        fl.LinearSGD("squared_error", 3, class_weight=[1, 2]).epoch(X, [0, 1, 2, 1])


def test_states_of_others() -> None:
    sgd = fl.LinearSGD("log_loss", 3)
    with pytest.raises(ValueError, match=re.escape("state['n_features'] = 17: expected 3")):
        sgd.load_state_dict(fl.LinearSGD("log_loss", 17).state_dict())
    with pytest.raises(ValueError, match=re.escape("state['average'] has shape (1, 16)")):
        sgd.load_state_dict(fl.LinearSGD("log_loss", 3, average=True).state_dict())
    with pytest.raises(ValueError, match="state: has"):
        sgd.load_state_dict({"coef": np.zeros(3)})
    with pytest.raises(ValueError, match=re.escape("coef has shape (2,): expected (3,)")):
        sgd.coef = np.zeros(2)


@pytest.mark.parametrize("settings", [{}, {"batch_size": 2}, {"momentum": 0.9}])
def test_overflow(settings: dict[str, Any]) -> None:
    sgd = fl.LinearSGD("squared_error", 3, learning_rate="constant", **settings)
    with pytest.raises(ValueError, match="overflowed: scale the columns of X"):
        sgd.epoch(X * 100, Y, order=np.tile(np.arange(4), 200))
    sgd = fl.LinearSGD("log_loss", 3, **settings)
    bad = X.copy()
    bad[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"X\[2, 1\] = nan: expected finite"):
        sgd.epoch(bad, Y)
    sgd = fl.LinearSGD("log_loss", 3, **settings)
    sgd.epoch(bad, Y, order=[0, 1, 3])
    assert np.isfinite(sgd.coef).all()


@pytest.mark.parametrize("scale", [1e-300, 1e155])
def test_products_of_rows_may_be_too_large(scale: float) -> None:
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 3.0]]) * scale
    sgd = fl.LinearSGD("hinge", 2, penalty=None, learning_rate="constant", eta0=1e-160)
    sgd.epoch(rows, [0, 1, 1], shuffle=False)
    w, b = np.zeros(2), 0.0
    for x, sign in zip(rows, (-1, 1, 1), strict=True):
        if sign * (w @ x + b) < 1:
            w, b = w + 1e-160 * sign * x, b + 1e-160 * sign
    np.testing.assert_allclose(sgd.coef, w, rtol=1e-14, atol=0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("settings", [{}, {"batch_size": 16}])
def test_ctrl_c(settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    rows, d = 200, 1000
    features = rng.standard_normal((rows, d))
    order = np.tile(np.arange(rows), 40_000)  # seconds
    sgd = fl.LinearSGD("log_loss", d, **settings)
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            sgd.epoch(features, features[:, 0] > 0, order=order)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert sgd.t < len(order) / settings.get("batch_size", 1)
    assert np.isfinite(sgd.coef).all()
    sgd.epoch(features, features[:, 0] > 0)


def test_what_is_not_finite_is_named() -> None:
    X = np.ones((10_000, 3))
    X[5_000, 2] = np.nan
    with pytest.raises(ValueError, match=r"X\[5000, 2\] = nan: expected finite numbers"):
        fl.LinearSGD("log_loss", 3).epoch(X, np.tile([0, 1], 5_000))
    X[5_000, 2], X[2, 1] = 1.0, np.inf
    with pytest.raises(ValueError, match=r"X\[2, 1\] = inf"):
        fl.LinearSGD("log_loss", 3, batch_size=16).epoch(X, np.tile([0, 1], 5_000))
