"""Semantics of river, in both dtypes, with drawn parameters and weights."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.peers import assert_within, decades, residuals, weights

import fastloss as fl

N = 200
DRAWS = range(6)


@pytest.fixture(scope="module")
def losses():
    return pytest.importorskip("river.optim.losses")


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_cauchy(losses, draw, dtype):
    """The gradient, of the same scale; the value of river's class is the absolute error."""
    rng = np.random.default_rng([141, draw])
    c = decades(rng, -2, 2)
    y, f = (x.astype(dtype) for x in residuals(rng, c, N))
    weight = weights(rng, N, dtype)
    slope = losses.Cauchy(c).gradient
    value, gradient = fl.Cauchy(c).loss_gradient(y, f, weight, reduction="none")
    expected = weight * slope(y, f)
    assert_within(gradient, expected, np.abs(expected), dtype)
    # ours is the integral of their slope, by Gauss and Legendre: the poles are c away from the
    # line, and 150 nodes leave 1e-16 of residuals of 50 c
    nodes, shares = np.polynomial.legendre.leggauss(150)
    y, f, weight = (x.astype(np.float64) for x in (y, f, weight))
    r = (f - y)[:, None]
    assert np.abs(r).max() < 50 * c
    integral = (slope(np.zeros_like(r), r * (nodes + 1) / 2) * r / 2) @ shares
    rtol = 1e-14 + 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, weight * integral, rtol=rtol)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_huber(losses, draw, dtype):
    rng = np.random.default_rng([142, draw])
    delta = decades(rng, -2, 2)
    y, f = (x.astype(dtype) for x in residuals(rng, delta, N))
    weight = weights(rng, N, dtype)
    theirs = losses.Huber(delta)
    value, gradient = fl.Huber(delta).loss_gradient(y, f, weight, reduction="none")
    expected, slope = weight * theirs(y, f), weight * theirs.gradient(y, f)
    assert_within(value, expected, expected, dtype)
    assert_within(gradient, slope, np.abs(slope), dtype)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_log(losses, draw, dtype):
    """Their weights of the classes are costs."""
    rng = np.random.default_rng([143, draw])
    fn, fp = decades(rng, -1, 1), decades(rng, -1, 1)
    y, f = rng.integers(0, 2, N).astype(dtype), rng.uniform(-8, 8, N).astype(dtype)
    weight = weights(rng, N, dtype)
    theirs = losses.Log(weight_pos=fn, weight_neg=fp)
    value, gradient = fl.LogLoss(cost_fn=fn, cost_fp=fp).loss_gradient(
        y, f, weight, reduction="none"
    )
    expected = weight * theirs(y, f)
    slope = weight * theirs.gradient(y, f)
    # theirs is the logarithm of 1 + exp(-z), rounded
    assert_within(value, expected, expected + weight * np.where(y == 1, fn, fp), dtype)
    assert_within(gradient, slope, np.abs(slope), dtype)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_poisson(losses, draw, dtype):
    rng = np.random.default_rng([144, draw])
    y, f = rng.poisson(3, N).astype(dtype), rng.uniform(-3, 3, N).astype(dtype)
    weight = weights(rng, N, dtype)
    theirs, mean = losses.Poisson(), np.exp(f)
    value, gradient = fl.Poisson().loss_gradient(y, f, weight, reduction="none")
    assert_within(value, weight * theirs(y, f), weight * (mean + np.abs(y * f)), dtype)
    assert_within(gradient, weight * theirs.gradient(y, f), weight * (mean + y), dtype)
    assert_within(fl.Poisson().predict(f), theirs.mean_func(f), mean, dtype)
