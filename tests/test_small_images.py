"""Losses of several outputs of images so small that a class has few samples side by side."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

SHAPES = [(300, 5, 7, 7), (90, 3, 4, 4), (8, 600, 5, 5), (1, 4, 7, 7), (200, 6, 63), (200, 6, 15)]


def numbers(shape, dtype):
    rng = np.random.default_rng([17, *shape])
    f = (rng.standard_normal(shape, np.float32) * 3).astype(dtype)
    y = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    return f, y, rng.random(y.shape).astype(dtype)


def last(a):
    return np.ascontiguousarray(np.moveaxis(a, 1, -1))


def assert_same(mine, expected):
    eps = 8 * np.finfo(mine.dtype).eps
    np.testing.assert_allclose(mine, expected, rtol=eps, atol=eps)


@both_dtypes
@pytest.mark.parametrize("name", ["cross_entropy", "nll", "crammer_singer", "multiclass_focal"])
@pytest.mark.parametrize("shape", SHAPES)
def test_classes(name, shape, dtype):
    f, y, w = numbers(shape, dtype)
    loss = fl.get_loss(name)
    expected = loss.loss_gradient_hessian(y, last(f), w, reduction="none")
    for raw in (f, f.astype(f.dtype.newbyteorder()), np.asfortranarray(f)):
        got = loss.loss_gradient_hessian(y, raw, w, axis=1, reduction="none")
        assert_same(got[0], expected[0])
        assert_same(last(got[1]), expected[1])
        assert_same(last(got[2]), expected[2])
    same = f.copy()
    loss.gradient(y, same, w, axis=1, reduction="none", out=same, n_threads=2)
    np.testing.assert_array_equal(same, loss.gradient(y, f, w, axis=1, reduction="none"))
    assert_same(last(same), expected[1])


CLASSES = [
    "cross_entropy", "nll", "multiclass_focal", "multiclass_generalized_ce", "sparsemax",
    "symmetric_cross_entropy", "multiclass_hinge", "crammer_singer", "coral",
    "ranked_probability_score",
]  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("labels", ["i8", "i4", "u1", "i2", ">i8", "f4", "?"])
def test_labels_of_any_dtype(name, labels, dtype):
    """Whatever the call before has left: one whose labels are read where they stand."""
    f, y, _ = numbers((20, 3, 7, 7), dtype)
    y %= 2
    loss = fl.get_loss(name)
    for beside in (y.astype(np.int64), y.astype(labels)):
        expected = loss.loss_gradient(beside, last(f), reduction="none")
        got = loss.loss_gradient(y.astype(labels), f, axis=1, reduction="none")
        assert_same(got[0], expected[0])
        assert_same(last(got[1]), expected[1])


@both_dtypes
@pytest.mark.parametrize("name", ["cross_entropy", "kl_divergence"])
@pytest.mark.parametrize("shape", SHAPES)
def test_soft_labels(name, shape, dtype):
    f, _, w = numbers(shape, dtype)
    t = np.random.default_rng(3).random(shape).astype(dtype)
    t /= t.sum(axis=1, keepdims=True)
    loss = fl.get_loss(name)
    # an output whose classes are side by side, though those of the others are not
    out = np.moveaxis(np.empty_like(last(f)), -1, 1)
    value, gradient = loss.loss_gradient(t, f, w, axis=1, reduction="none", out=(None, out))
    expected = loss.loss_gradient(last(t), last(f), w, reduction="none")
    assert gradient is out
    assert_same(value, expected[0])
    assert_same(last(gradient), expected[1])
    t[0, 0, 0] = -0.5
    with pytest.raises(ValueError, match=r"y_true.*-0\.5"):
        loss.gradient(t, f, axis=1)


@both_dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities(shape, dtype):
    f, _, _ = numbers(shape, dtype)
    loss = fl.CrossEntropy()
    assert_same(last(loss.predict(f, axis=1)), loss.predict(last(f)))
