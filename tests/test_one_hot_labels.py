"""OneVsRest by classes: labels 0 and 1 are made piece by piece, as if they had been given."""

import numpy as np
import pytest

import fastloss as fl

OPERATIONS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")


def parts(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("n", "n_classes"),
    [(1, 1), (5000, 1), (3000, 3), (700, 10), (5, 1023), (9, 1024), (9, 1025), (3, 20_000)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_rows_of_zeros_and_ones(n, n_classes, reduction, operation, dtype):
    rng = np.random.default_rng([n, n_classes])
    y, f = rng.integers(0, n_classes, n), rng.normal(size=(n, n_classes)).astype(dtype)
    w = rng.random(n)
    method = getattr(fl.OneVsRest(fl.Hinge()), operation)
    hot = y[:, None] == np.arange(n_classes)
    for weight in (None, w):
        expected = parts(method(hot, f, weight, reduction=reduction))
        for threads in (1, 2, 3):
            computed = parts(method(y, f, weight, reduction=reduction, n_threads=threads))
            for one, other in zip(computed, expected, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_any_class_axis(axis):
    rng = np.random.default_rng(axis)
    f = rng.normal(size=(30, 40, 50)).astype(np.float32)
    y = rng.integers(0, f.shape[axis], np.delete(f.shape, axis)).astype(np.uint16)
    loss = fl.OneVsRest()
    out = np.empty_like(f)
    value, gradient = loss.loss_gradient(y, f, axis=axis, out=(None, out))
    assert gradient is out
    hot = np.expand_dims(y, axis) == np.arange(f.shape[axis]).reshape(
        [-1 if k == axis else 1 for k in range(3)]
    )
    want = loss.loss_gradient(hot, f, axis=axis)
    assert value == want[0]
    np.testing.assert_array_equal(gradient, want[1])
    rows = fl.LogLoss().loss_gradient(hot, f, reduction="sum")
    assert value == pytest.approx(rows[0] / y.size, rel=1e-13)
    np.testing.assert_allclose(gradient, rows[1] / y.size, rtol=3e-7)
