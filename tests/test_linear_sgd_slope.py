"""The log loss's derivative as a step of LinearSGD meets it, against mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import fastloss as fl

sparse = pytest.importorskip("scipy.sparse")


def slopes(raw: Any, y: int, dtype: Any, make: Any) -> Any:
    """Derivatives at raw predictions: one step each, of a coefficient that was 0."""
    sgd = fl.LinearSGD(
        "log_loss", 2, dtype=dtype, penalty=None, learning_rate="constant", eta0=1.0,
        fit_intercept=False,
    )  # fmt: skip
    X, found = make(np.ones((1, 2), dtype)), []
    for f in raw:
        sgd.coef = [f, 0.0]
        sgd.epoch(X, [y])
        found.append(-sgd.coef[1])
    return np.array(found, dtype)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 700), (np.float32, 87)])
def test_slope_within_its_bound(dtype, most, y, make):
    rng = np.random.default_rng(0)
    small = rng.normal(size=60) * np.repeat([1e-8, 1.0, 10.0], 20)
    ends = [0.0, -0.0, most, -most]
    raw = np.concatenate([small, rng.uniform(-most, most, 60), ends]).astype(dtype)
    exact = [(-1) ** y / (1 + mpmath.exp((2 * y - 1) * mpmath.mpf(float(f)))) for f in raw]
    found = slopes(raw, y, dtype, make)
    errors = [
        abs((mpmath.mpf(float(value)) - right) / right)
        for value, right in zip(found, exact, strict=True)
    ]
    assert max(errors) < 2.5 * np.finfo(dtype).eps


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 700), (np.float32, 87)])
def test_slope_beyond_its_bounds(dtype, most):
    far = [2.0 * most, 100.0 * most, np.finfo(dtype).max / 4]
    np.testing.assert_array_equal(slopes(far, 0, dtype, np.asarray), 1.0)
    least = slopes(far, 1, dtype, np.asarray)
    assert (least <= 0).all()
    assert (least >= -3 * np.exp(-float(most))).all()
