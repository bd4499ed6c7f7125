"""The multilabel margin over sets that name classes once, twice or not at all; few classes and many."""

import math
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


def samples(n_classes, dtype, *, twice):
    rng = np.random.default_rng(n_classes)
    f = (rng.normal(size=(67, n_classes)) * 3).astype(dtype)
    y = np.argsort(rng.random(f.shape), axis=1)
    y[np.arange(n_classes) >= rng.integers(0, n_classes + 1, 67)[:, None]] = -1
    if twice:
        y[::5, 1] = y[::5, 0]
    return y, f


@both_dtypes
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("n_classes", [2, 5, 10, 30, 31, 32, 33, 63, 64, 65])
def test_term_by_term(n_classes, twice, dtype):
    y, f = samples(n_classes, dtype, twice=twice)
    loss, gradient = fl.MultilabelMargin().loss_gradient(y, f, reduction="none")
    losses, gradients = direct(y, f)
    # the reference's own differences are rounded
    np.testing.assert_allclose(loss, losses, rtol=16 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(gradient, gradients.astype(dtype))


@both_dtypes
@pytest.mark.parametrize("n_classes", [10, 31])
def test_no_sample_changes_another(n_classes, dtype):
    y, f = samples(n_classes, dtype, twice=False)
    expected = fl.MultilabelMargin().loss_gradient_hessian(y, f, reduction="none")
    kept = np.arange(67) != 20
    for bad in (np.nan, np.inf, -np.inf, None):
        labels, rows = y.copy(), f.copy()
        if bad is None:
            labels[20, :2] = 1
        else:
            rows[20, 3] = bad
        got = fl.MultilabelMargin().loss_gradient_hessian(labels, rows, reduction="none")
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
    y, f = samples(5, dtype, twice=False)
    f = (np.round(f) + noise * f + offset).astype(dtype)
    loss = fl.MultilabelMargin().loss(y, f, reduction="none")
    losses = [exact(named, row) for named, row in zip(y, f, strict=True)]
    np.testing.assert_allclose(loss, losses, rtol=2 * np.finfo(dtype).eps)
