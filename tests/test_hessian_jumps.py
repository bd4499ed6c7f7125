"""The Hessian where it jumps and, of redescending losses, next to its zero, as docstrings say."""

from fractions import Fraction

import numpy as np
import pytest

import fastloss as fl

DTYPES = (np.float32, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("loss", "side"), [(fl.Huber(delta=1.0), 1.0), (fl.SmoothL1(beta=1.0), 0.0)]
)
def test_the_rounded_residual_decides_on_the_side_of_a_jump(loss, side, dtype):
    tiny = float(np.finfo(dtype).eps) / 8
    y = np.array([-tiny, 0.0, tiny], dtype)
    f = np.ones(3, dtype)
    np.testing.assert_array_equal(f - y, 1.0)  # the exact residual is beyond, at and within 1
    _, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(gradient, 1.0)
    np.testing.assert_array_equal(hessian, side)


#: With x = (r / c)**2 the Hessian is 1 - k * x, which becomes 0, times another factor.
REDESCENDING = {
    "Cauchy": (1, lambda x: (1 + x) ** -2),
    "GemanMcClure": (3, lambda x: (1 + x) ** -3),
    "Tukey": (5, lambda x: 1 - x),
    "Welsch": (2, lambda x: np.exp(-x)),
}


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 43), (np.float64, 74)])
@pytest.mark.parametrize("name", REDESCENDING)
def test_the_error_next_to_the_zero_of_the_exact_hessian(name, dtype, bits):
    k, other = REDESCENDING[name]
    rng = np.random.default_rng(8)
    near = 4 * float(np.finfo(dtype).eps)  # where the rounding of the result hardly counts
    for c in (0.3, 1.0, 2.985, 4.685):
        y = (rng.normal(size=200) * 10.0 ** rng.uniform(-7, 0, 200)).astype(dtype)
        f = (y.astype(float) + c / k**0.5).astype(dtype)
        _, hessian = getattr(fl, name)(c).gradient_hessian(y, f, reduction="none")
        tried = 0
        for one, raw, computed in zip(y, f, hessian, strict=True):
            x = ((Fraction(float(raw)) - Fraction(float(one))) / Fraction(c)) ** 2
            exact = 1 - k * x
            if abs(exact) <= near:
                error = float(Fraction(float(computed)) / Fraction(float(other(float(x)))) - exact)
                assert abs(error) <= 2.0**-bits
                tried += 1
        assert tried > 50
