"""GaussianNLL where exp(-s / 2) overflows: what is finite is no NaN and no infinity."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from mpmath import mp

import fastloss as fl


@both_dtypes
@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("share", [0.13, 0.2, 0.4, 0.6, 2.0, 20.0])
def test_small_variances(dtype, share, count):
    """Residuals of 0, and of all sizes down to subnormal ones."""
    s = dtype(-share * (1420 if dtype is np.float64 else 177))
    exponents = np.linspace(np.log10(np.finfo(dtype).smallest_subnormal) + 0.2, 0, 60)
    r = np.concatenate([[0.0], 10.0**exponents, -(10.0**exponents)]).astype(dtype)
    f = np.tile(np.stack([r, np.full_like(r, s)], axis=1), (count, 1))
    loss, gradient, hessian = fl.GaussianNLL().loss_gradient_hessian(
        np.zeros(len(f), dtype), f, reduction="none"
    )
    largest = mp.mpf(float(np.finfo(dtype).max))
    tolerance = 8 * np.finfo(dtype).eps
    with mp.workprec(200):
        inverse = mp.exp(-mp.mpf(float(s)))
        for i, residual in enumerate(r):
            square = mp.mpf(float(residual)) ** 2 * inverse
            exact = [(mp.mpf(float(s)) + square) / 2, mp.mpf(float(residual)) * inverse]
            exact += [(1 - square) / 2, square / 2]
            for at in (i, i + (count - 1) * len(r)):
                got = [loss[at], *gradient[at], hessian[at, 1]]
                sizes = [
                    square / 2 - mp.mpf(float(s)) / 2,
                    abs(exact[1]),
                    square / 2 + 0.5,
                    square / 2,
                ]
                for value, true, size in zip(got, exact, sizes, strict=True):
                    if size > largest:
                        assert np.isinf(value), (residual, got)
                    elif size < largest / 4:
                        assert abs(mp.mpf(float(value)) - true) <= tolerance * size + mp.mpf(
                            float(np.finfo(dtype).tiny)
                        ), (residual, got, true)
