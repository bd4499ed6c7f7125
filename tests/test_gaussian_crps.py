"""GaussianCRPS far out: where its density is tiny, and where its scale is beyond the largest number."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.rows import gaussian_crps

import fastloss as fl


@pytest.mark.parametrize(
    ("dtype", "far"), [("float32", w) for w in (1, 3, 12)] + [("float64", w) for w in (1, 12, 37)]
)
@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0])
def test_the_curvature_of_the_mean(dtype: str, far: float, spread: float) -> None:
    rng = np.random.default_rng([int(far), int(spread)])
    n = 150
    y, s = (x.astype(dtype) for x in (rng.normal(size=n), rng.uniform(-spread, spread, n)))
    w = far * rng.uniform(0.95, 1, n) * rng.choice([-1, 1], n)
    mean = (y + w * np.exp(s.astype(float))).astype(dtype)
    _, bend = fl.GaussianCRPS().gradient_hessian(y, np.stack([mean, s], 1), reduction="none")
    with mp.workprec(300):
        for i in range(n):
            scale = mp.exp(mp.mpf(float(s[i])))
            density = mp.npdf((mp.mpf(float(mean[i])) - mp.mpf(float(y[i]))) / scale)
            assert error_in_ulp(bend[i, 0], 2 * density / scale, np.dtype(dtype)) <= 5


def test_the_curvature_of_the_mean_under_the_largest_scales() -> None:
    rng = np.random.default_rng(0)
    s = rng.uniform(600, 700, 300)
    mean = rng.uniform(0, 3, 300) * np.exp(s)
    _, bend = fl.GaussianCRPS().gradient_hessian(
        np.zeros(300), np.stack([mean, s], 1), reduction="none"
    )
    with mp.workprec(300):
        for i in range(300):
            scale = mp.exp(mp.mpf(s[i]))
            exact = 2 * mp.npdf(mp.mpf(mean[i]) / scale) / scale
            assert error_in_ulp(bend[i, 0], exact, np.dtype("float64")) <= 5


@pytest.mark.parametrize(("dtype", "low", "high"), [("float32", 68, 104), ("float64", 685, 745)])
@pytest.mark.parametrize("hessian", ["exact", "bounded"])
def test_scales_beyond_the_largest_number(dtype: str, low: int, high: int, hessian: str) -> None:
    """exp(s) overflows, and so may the residual, where what is made of them does not."""
    rng = np.random.default_rng(high)
    n, largest = 300, float(np.finfo(dtype).max)
    s = rng.uniform(low, high, n)
    sizes = np.exp(np.minimum(s, np.log(largest) - 3) + rng.normal(size=(2, n)))
    mean, y = np.minimum(sizes, largest * 0.999) * rng.choice([-1, 1], (2, n))
    mean[:9], y[:9], s[:9] = largest * 0.9, -largest * 0.9, np.linspace(low, 2 * high, 9)
    f, y = np.stack([mean, s], 1).astype(dtype), y.astype(dtype)
    loss = fl.GaussianCRPS(hessian=hessian)
    values, gradient, bends = loss.loss_gradient_hessian(y, f, reduction="none")
    with mp.workprec(300):
        for i in range(n):
            row = [mp.mpf(float(x)) for x in f[i]]
            exact, slopes, curves, terms = gaussian_crps(row, mp.mpf(float(y[i])), hessian)
            assert error_in_ulp(values[i], exact, dtype) <= 5, row
            for k in range(2):
                of_slope, of_curve = (each and each[k] for each in terms[1:])
                assert error_in_ulp(gradient[i, k], slopes[k], dtype, of_slope) <= 5, row
                assert error_in_ulp(bends[i, k], curves[k], dtype, of_curve) <= 8, row
