"""Powers with kernels of their own, and those right beside them: within the stated bounds."""

import math

import numpy as np
import pytest
from references import REFERENCES, case_id
from references.base import samples
from test_accuracy import OPERATIONS, documented_bound, worst

import fastloss as fl

BESIDE = 1e-9  # float32 cannot tell it from 0, its kernels must


def cases():
    """Each exponent that is special somewhere, and the next ordinary one."""
    chosen = [("focal", {"gamma": float(gamma)}) for gamma in (1, 2, 3, 5, 6, 7, 8)]
    chosen += [("focal", {"gamma": 2.0 + BESIDE})]
    chosen += [
        ("asymmetric", {"gamma_pos": float(positive), "gamma_neg": float(negative), "clip": clip})
        for positive, negative, clip in ((0, 7, 0.05), (3, 2, 0.3), (5, 6, 0.0), (1, 8, 1e-3))
    ]
    chosen += [("asymmetric", {"gamma_pos": 1.0 + BESIDE, "gamma_neg": 4.0})]
    chosen += [("lq", {"q": 1.5 + sign * BESIDE}) for sign in (-1, 1)]
    chosen += [
        ("barron_robust", {"alpha": alpha, "c": c})
        for alpha in (1.0, 1.0 - BESIDE, 1.0 + BESIDE, -2.0, -math.inf)
        for c in (1e-9, 0.7, 1e9)
    ]
    chosen += [("tweedie_identity", {"power": power}) for power in (1.0 + 1e-6, 2.0 - 1e-6)]
    return [(REFERENCES[name], params) for name, params in chosen]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "params"), cases(), ids=case_id)
def test_within_the_stated_bound(reference, params, dtype):
    y, f = samples(reference, params, dtype)
    loss = fl.get_loss(reference.name, **params)
    results = loss.loss_gradient_hessian(y, f, reduction="none")
    for operation, computed in zip(OPERATIONS, results, strict=True):
        error, yi, fi, value = worst(reference, params, dtype, operation, y, f, computed)
        assert error <= documented_bound(type(loss), operation), (
            f"{operation}: {error:.2f} ULP at y={yi!r}, f={fi!r}, which gives {value!r}"
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("reference", "params"), cases(), ids=case_id)
def test_every_operation_gives_the_same_bits(reference, params, dtype):
    y, f = samples(reference, params, dtype)
    loss = fl.get_loss(reference.name, **params)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(loss.loss(y, f, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, reduction="none"), gradient)
    for pair, expected in (
        (loss.loss_gradient(y, f, reduction="none"), (value, gradient)),
        (loss.gradient_hessian(y, f, reduction="none"), (gradient, hessian)),
    ):
        for computed, same in zip(pair, expected, strict=True):
            np.testing.assert_array_equal(computed, same)


def test_a_residual_that_overflows_has_a_finite_square_root():
    most = np.finfo(np.float64).max
    gradient = fl.Lq(1.5).gradient([-most], [most], reduction="none")
    np.testing.assert_allclose(gradient, [1.5 * math.sqrt(2.0) * math.sqrt(most)], rtol=1e-15)
