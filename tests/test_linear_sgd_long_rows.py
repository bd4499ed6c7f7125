"""Steps of LinearSGD on rows of every length: each length has a way of its own through the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

ETA = 0.01
#: features: of float64 to 256 short, to 1024 copied; of float32 twice as many
LENGTHS = [1, 9, 50, 256, 257, 600, 1024, 1025, 2100]
N = 1100  # more than a run has


def drawn(d: int, dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(d)
    X = (rng.standard_normal((N, d)) / np.sqrt(d)).astype(dtype)
    return X, (X[:, 0] + 0.1 * rng.standard_normal(N) > 0).astype(int)


def plain_steps(loss: str, X: Any, y: Any, weight: Any) -> tuple[Any, float]:
    """The same steps one by one, in float64."""
    coef, intercept = np.zeros(X.shape[1]), 0.0
    for x, label, w in zip(X.astype(np.float64), y, weight, strict=True):
        sign = 2 * label - 1
        margin = sign * (coef @ x + intercept)
        slope = -sign / (1 + np.exp(margin)) if loss == "log_loss" else -sign * (margin <= 1)
        coef -= ETA * w * slope * x
        intercept -= ETA * w * slope
    return coef, intercept


def machine(loss: str, d: int, dtype: Any, **options: Any) -> fl.LinearSGD:
    options = {"penalty": None, "learning_rate": "constant", "eta0": ETA} | options
    return fl.LinearSGD(loss, d, dtype=dtype, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", ["log_loss", "hinge"])
@pytest.mark.parametrize("d", LENGTHS)
def test_steps_are_the_plain_ones(d: int, loss: str, dtype: Any) -> None:
    X, y = drawn(d, dtype)
    weight = np.random.default_rng(1).integers(0, 3, N).astype(float)  # 0: no step
    sgd = machine(loss, d, dtype)
    sgd.epoch(X, y, sample_weight=weight, shuffle=False)
    coef, intercept = plain_steps(loss, X, y, weight)
    bound = 200 * np.finfo(dtype).eps
    np.testing.assert_allclose(sgd.coef, coef, rtol=0, atol=bound * np.abs(coef).max())
    np.testing.assert_allclose(sgd.intercept, intercept, rtol=0, atol=bound * np.abs(coef).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", [{}, {"penalty": "l2", "alpha": 0.1}, {"penalty": "l1"}])
@pytest.mark.parametrize("d", LENGTHS)
def test_parts_have_the_bits_of_the_whole(d: int, options: Any, dtype: Any) -> None:
    X, y = drawn(d, dtype)
    order = np.repeat(np.arange(N), 2)  # the next row may be the same
    weight = np.random.default_rng(1).integers(0, 3, N).astype(float)
    whole, parts = (machine("log_loss", d, dtype, average=500, **options) for _ in range(2))
    whole.epoch(X, y, sample_weight=weight, order=order)
    for start, end in ((0, 1), (1, 2), (2, 301), (301, 302), (302, 2 * N)):
        rows = np.asfortranarray(X) if start == 2 else X  # read through a copy
        parts.epoch(rows, y, sample_weight=weight, order=order[start:end])
    for name in ("coef", "intercept", "average_coef", "average_intercept"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("dtype", "huge"), [(np.float64, 5e199), (np.float32, 5e29)])
@pytest.mark.parametrize("d", [2, 50, 256, 600, 1100])
def test_products_of_rows_may_overflow(d: int, dtype: Any, huge: float, at_once: bool) -> None:
    X = np.zeros((3, d), dtype)
    X[:, 1] = [1.0, huge, huge]  # margins 0, 0.5, and beyond 1: the third does not step
    sgd = machine("hinge", d, dtype, eta0=0.1 / huge * 5, fit_intercept=False)
    for rows in (X,) if at_once else (X[:1], X[1:2], X[2:]):
        sgd.epoch(rows, np.ones(len(rows)), shuffle=False)
    np.testing.assert_allclose(sgd.coef[1], 0.5, rtol=1e-6)
