"""Products that overflow or underflow on their way; a threshold whose error counts in every class."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl


def projection(scores):
    """Onto the simplex, exactly: what is left of each score above the threshold."""
    z = sorted((Fraction(float(score)) for score in scores), reverse=True)
    total, inside, threshold = Fraction(0), 0, None
    for value in z:
        total, inside = total + value, inside + 1
        if value * inside > total - 1:
            threshold = (total - 1) / inside
    return [max(Fraction(0), Fraction(float(score)) - threshold) for score in scores]


@both_dtypes
@pytest.mark.parametrize("n_classes", [16, 17, 40, 300])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.3])
def test_sparsemax_of_many_classes(dtype, n_classes, spread):
    f = (spread * np.random.default_rng(5).standard_normal((1, n_classes))).astype(dtype)
    f[0, 0] += dtype(0.5)
    loss, gradient = fl.Sparsemax().loss_gradient([1], f, reduction="none")
    p = projection(f[0])
    other = [x for k, x in enumerate(p) if k != 1]
    z = [Fraction(float(x)) for x in f[0]]
    threshold = next(z[k] - p[k] for k in range(n_classes) if p[k] > 0)
    expected = (sum(other) ** 2 + sum(x * x for x in other)) / 2 + max(
        Fraction(0), threshold - z[1]
    )
    one = Fraction(float(np.finfo(dtype).eps))
    assert abs(Fraction(float(loss[0])) - expected) <= 3 * one * max(1, expected)
    for k in range(n_classes):
        assert abs(Fraction(float(gradient[0, k])) - (p[k] - (k == 1))) <= 3 * one


def test_costs_beside_a_large_epsilon():
    """e^-63 and e^-39.7 by 1e45 and 1e-15."""
    y, f = np.zeros(1, np.float32), np.array([63.0], np.float32)
    large = fl.Poly1(epsilon=1e15, cost_fp=1e30)
    gradient, hessian = large.gradient_hessian(y, f, reduction="sum")
    np.testing.assert_allclose(hessian, -1e45 * np.exp(-63.0), rtol=1e-6)
    np.testing.assert_allclose(gradient, 1e30 * (1 + 1e15 * np.exp(-63.0)), rtol=1e-6)
    small = fl.Poly1(epsilon=1e15, cost_fn=1e-30)
    f = np.array([39.7], np.float32)
    gradient = small.gradient(np.ones(1, np.float32), f, reduction="sum")
    at = np.exp(-np.float64(f[0]))
    np.testing.assert_allclose(gradient, -1e-30 * at * (1 + 1e15), rtol=1e-6)


def test_wing_where_the_scaled_residual_underflows():
    assert fl.Wing(w=1e100, eps=1e100).loss([0.0], [8.5e-255]) == 8.5e-255
    assert fl.Wing(w=10.0, eps=2.0).loss([0.0], [5e-324]) == 5 * 5e-324


def test_far_gradients_of_a_large_scale():
    c, r = np.float64(np.float32(1e19)), np.float32(9.3e37)
    gradient = fl.GemanMcClure(c=float(c)).gradient(
        np.zeros(1, "f4"), np.array([r]), reduction="none"
    )
    np.testing.assert_allclose(gradient, [(c / np.float64(r)) ** 3 * c], rtol=2e-7)
