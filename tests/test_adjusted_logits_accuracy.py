"""CrossEntropy(logit_adjustment=...) against mpmath, also of logits far larger than the adjustments."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.multiclass import cross_entropy

import fastloss as fl

SWITCHES = {
    "hard": {},
    "weights": {"class_weight": (1.0, 0.5, 2.0)},
    "smooth": {"label_smoothing": 0.125},
}


def many(f, y, count):
    """The samples over and over: what is far goes another way than what stands beside near ones."""
    return np.tile(f, (count, 1)), np.tile(y, count)


@both_dtypes
@pytest.mark.parametrize("count", [1, 300])
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("size", [0.0, 1e2, 1e4, 1e5, 2e7, 1e9, 1e12, 1e15, 1e17, -1e5, -1e12])
def test_large_logits_keep_their_digits(dtype, size, switch, count):
    rng = np.random.default_rng(7)
    params = SWITCHES[switch]
    adjustment = tuple(float(a) for a in np.float32(rng.uniform(-2.5, 2.5, 3)))
    f = (size + rng.uniform(-4, 4, (20, 3))).astype(dtype)
    y = rng.integers(0, 3, 20)
    loss = fl.CrossEntropy(logit_adjustment=adjustment, **params)
    results = loss.loss_gradient_hessian(*many(f, y, count)[::-1], reduction="none")
    with mp.workprec(400):
        for i, row in enumerate(f):
            exact = cross_entropy(row, int(y[i]), logit_adjustment=adjustment, **params)
            for at in (i, len(f) * (count - 1) + i):
                value, gradient, hessian = (part[at] for part in results)
                assert error_in_ulp(value, exact[0], dtype) <= 3
                for k in range(3):
                    term = exact[3][k] if switch == "smooth" else None
                    assert error_in_ulp(gradient[k], exact[1][k], dtype, term) <= 4
                    assert error_in_ulp(hessian[k], exact[2][k], dtype) <= 5


@both_dtypes
@pytest.mark.parametrize("size", [1e7, 1e10, 1e30])
@pytest.mark.parametrize("switch", SWITCHES)
def test_adjustments_that_undo_the_logits(dtype, size, switch):
    """f + a is (size, 104 - size, size - 88): its first may be the largest by its low part alone."""
    size = float(np.float32(size))
    f = np.array([[size, 104, -88]], dtype)
    adjustment = (0.0, -size, size)
    for y in range(2):
        loss = fl.CrossEntropy(logit_adjustment=adjustment, **SWITCHES[switch])
        value, gradient, hessian = loss.loss_gradient_hessian([y], f, reduction="none")
        with mp.workprec(400):
            exact = cross_entropy(f[0], y, logit_adjustment=adjustment, **SWITCHES[switch])
            assert error_in_ulp(value[0], exact[0], dtype) <= 3
            np.testing.assert_allclose(
                gradient[0], [float(g) for g in exact[1]], rtol=1e-6, atol=1e-37
            )
            np.testing.assert_allclose(
                hessian[0], [float(h) for h in exact[2]], rtol=1e-6, atol=1e-37
            )
