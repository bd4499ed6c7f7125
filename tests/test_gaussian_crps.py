"""GaussianCRPS far out, where its density is tiny: the Hessian of the mean keeps its digits."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp

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
