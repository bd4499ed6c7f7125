"""GaussianNLL where exp(-s / 2) overflows or underflows: what is a normal number keeps its digits."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp

import fastloss as fl

BOUND = 4.0  # of the class's docstring


@both_dtypes
@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("share", [0.13, 0.2, 0.4, 0.6, 0.98, 1.0, 1.1, 2.0, 20.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_extreme_variances(dtype, sign, share, count):
    """Residuals of 0, of all sizes down to subnormal ones and up to the largest."""
    s = dtype(sign * share * (1420 if dtype is np.float64 else 177))
    finfo = np.finfo(dtype)
    # r exp(-s / 2) on the way to r exp(-s) is no subnormal number of fewer digits
    smallest = finfo.smallest_subnormal if share >= 0.98 else finfo.tiny
    low, high = np.log10(smallest) + 0.2, np.log10(finfo.max) - 0.2
    rng = np.random.default_rng(3)
    r = 10.0 ** rng.uniform(low, high, 90) * rng.choice([-1, 1], 90)
    near = np.exp(float(s) / 2 + rng.uniform(-3, 3, 30)) if abs(s) < 1400 else np.zeros(30)
    with np.errstate(over="ignore"):
        r = np.concatenate([[0.0], r, np.where(near < finfo.max, near, 1.0)]).astype(dtype)
    f = np.tile(np.stack([r, np.full_like(r, s)], axis=1), (count, 1))
    loss, gradient, hessian = fl.GaussianNLL().loss_gradient_hessian(
        np.zeros(len(f), dtype), f, reduction="none"
    )
    with mp.workprec(200):
        inverse = mp.exp(-mp.mpf(float(s)))
        for i, residual in enumerate(r):
            square = mp.mpf(float(residual)) ** 2 * inverse
            variance = mp.mpf(float(s))
            exact = {
                "loss": ((variance + square) / 2, max(abs(variance), square) / 2),
                "slope": (mp.mpf(float(residual)) * inverse, None),
                "bend": ((1 - square) / 2, max(mp.one, square) / 2),
                "hessian": (square / 2, None),
            }
            for at in (i, i + (count - 1) * len(r)):
                got = (loss[at], *gradient[at], hessian[at, 1])
                for value, (name, (true, term)) in zip(got, exact.items(), strict=True):
                    size = abs(true) if term is None else term
                    if size > 2 * mp.mpf(float(finfo.max)):
                        assert np.isinf(value), (name, residual)
                    elif mp.mpf(float(finfo.tiny)) < size < mp.mpf(float(finfo.max)) / 2:
                        error = error_in_ulp(value, true, dtype, term)
                        assert error <= BOUND, (name, residual, value, error)
                    else:
                        assert not np.isnan(value)


@both_dtypes
@pytest.mark.parametrize("count", [1, 3, 40])
def test_infinite_residuals(dtype, count):
    """Of infinite means, and of finite numbers further apart than the largest one."""
    most = np.finfo(dtype).max
    y, mean = np.array([[0, np.inf], [-most, most], [most, -most], [1, -np.inf]], dtype).T
    f = np.stack([mean, np.resize([0.0, 1.5, -2.0], len(mean))], axis=1).astype(dtype)
    y, f = np.tile(y, count), np.tile(f, (count, 1))
    loss, gradient, hessian = fl.GaussianNLL().loss_gradient_hessian(y, f, reduction="none")
    assert (loss == np.inf).all()
    np.testing.assert_array_equal(gradient[:, 0], np.copysign(np.inf, f[:, 0]))
    assert (gradient[:, 1] == -np.inf).all()
    assert np.isfinite(hessian[:, 0]).all()
    assert (hessian[:, 1] == np.inf).all()
