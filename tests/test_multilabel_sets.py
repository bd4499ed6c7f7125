"""The multilabel margin over sets of few classes and many; a class named twice is refused."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl


def direct(y, f):
    """Loss and gradient in float64, term by term."""
    n = f.shape[1]
    losses, counts = [], np.zeros(f.shape)
    for i, (named, row) in enumerate(zip(y, f.astype(np.float64), strict=True)):
        closed = np.flatnonzero(named == -1)
        named = named[: closed[0]] if closed.size else named
        outside = np.setdiff1d(np.arange(n), named)
        positive = []
        for j in named:
            terms = 1 - row[j] + row[outside]
            positive += list(terms[terms > 0])
            counts[i, outside[terms > 0]] += 1
            counts[i, j] -= (terms > 0).sum()
        losses.append(math.fsum(positive) / n)
    return np.array(losses), counts / n


def samples(n_classes, dtype):
    rng = np.random.default_rng(n_classes)
    f = (rng.normal(size=(67, n_classes)) * 3).astype(dtype)
    y = np.argsort(rng.random(f.shape), axis=1)
    y[np.arange(n_classes) >= rng.integers(0, n_classes + 1, 67)[:, None]] = -1
    return y, f


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 5, 10, 30, 31, 32, 33, 63, 64, 65])
def test_term_by_term(n_classes, dtype):
    y, f = samples(n_classes, dtype)
    loss, gradient = fl.MultilabelMargin().loss_gradient(y, f, reduction="none")
    losses, gradients = direct(y, f)
    # the reference's own differences are rounded
    np.testing.assert_allclose(loss, losses, rtol=16 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(gradient, gradients.astype(dtype))


@both_dtypes
@pytest.mark.parametrize("n_classes", [10, 31])
def test_no_sample_changes_another(n_classes, dtype):
    y, f = samples(n_classes, dtype)
    expected = fl.MultilabelMargin().loss_gradient_hessian(y, f, reduction="none")
    kept = np.arange(67) != 20
    for bad in (np.nan, np.inf, -np.inf):
        rows = f.copy()
        rows[20, 3] = bad
        got = fl.MultilabelMargin().loss_gradient_hessian(y, rows, reduction="none")
        for part, whole in zip(got, expected, strict=True):
            np.testing.assert_array_equal(part[kept], whole[kept])


def exact(named, row):
    """The loss of one sample, rounded once."""
    named = [j for j in named if j >= 0]
    f = [Fraction(float(x)) for x in row]
    outside = set(range(len(f))) - set(named)
    total = sum(max(Fraction(0), 1 - f[j] + f[k]) for j in named for k in outside)
    return float(total / len(f))


@both_dtypes
@pytest.mark.parametrize("noise", [1e-30, 1e-6, 1e-2])
@pytest.mark.parametrize("offset", [0, 1e3, 1e6, 1e30])
def test_sums_that_cancel(offset, noise, dtype):
    """Terms that are small beside the raw predictions, and next to where they begin to count."""
    y, f = samples(5, dtype)
    f = (np.round(f) + noise * f + offset).astype(dtype)
    loss = fl.MultilabelMargin().loss(y, f, reduction="none")
    losses = [exact(named, row) for named, row in zip(y, f, strict=True)]
    np.testing.assert_allclose(loss, losses, rtol=2 * np.finfo(dtype).eps)


@both_dtypes
@pytest.mark.parametrize("n_classes", [3, 31, 32, 33, 63, 64, 65, 200])
def test_a_class_named_twice_is_refused(n_classes, dtype):
    rng = np.random.default_rng(n_classes)
    y, f = samples(n_classes, dtype)
    expected = rf"expects classes 0 to {n_classes - 1}, each once, up to the first -1$"
    for label_dtype in (np.int64, np.int8, dtype):
        if n_classes > 127 and label_dtype == np.int8:
            continue
        for _ in range(5):
            labels = y.astype(label_dtype)
            i, (first, second) = rng.integers(0, 67), np.sort(rng.choice(n_classes, 2, False))
            labels[i] = rng.permutation(n_classes)
            labels[i, second] = labels[i, first]
            value = re.escape(repr(labels[i, second].item()))
            message = rf"^y_true\[{i}, {second}\] = {value}, which its row names before: "
            for method in ("loss", "gradient", "gradient_hessian", "loss_gradient_hessian"):
                with pytest.raises(ValueError, match=message + "MultilabelMargin " + expected):
                    getattr(fl.MultilabelMargin(), method)(labels, f)
            with pytest.raises(ValueError, match=message):
                fl.MultilabelMargin().initial_prediction(labels)


def test_behind_the_end_of_a_set_anything_may_stand():
    f = np.zeros((2, 4))
    loss = fl.MultilabelMargin()
    assert loss([[1, -1, 1, 1], [2, 0, -1, 2]], f) == loss([[1, -1, -1, -1], [2, 0, -1, -1]], f)


def test_the_first_repeated_class_is_named_on_any_axis():
    y = np.array([[0, 1, -1], [2, 1, 2], [1, 1, 1]])
    for axis, value in ((1, 2), (0, 1)):  # the first as they stand in memory
        labels = y if axis == 1 else y.T
        with pytest.raises(ValueError, match=rf"^y_true\[1, 2\] = {value}, which"):
            fl.MultilabelMargin()(labels, np.zeros((3, 3)), axis=axis)


def test_a_zero_or_one_for_each_class_is_no_set():
    hint = r"each once, up to the first -1; for rows of a 0 or 1 for each class take np.flatnonzero"
    for y in (np.eye(4)[:3], np.eye(4, dtype=bool)[:3], np.zeros((3, 4), int)):
        with pytest.raises(ValueError, match=hint):
            fl.MultilabelMargin()(y, np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"up to the first -1$"):
        fl.MultilabelMargin()([[2, 0, 2, -1]], np.zeros((1, 4)))
