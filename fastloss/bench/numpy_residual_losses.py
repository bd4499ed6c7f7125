"""The losses of a residual as a good NumPy user writes them; see numpy_losses.py.

The squared and the absolute error, Huber's loss and the pinball loss are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.bench.workloads import results

Array = NDArray[Any]
_EPSILON = 0.1  # of the losses with a tolerance
_TUKEY = 4.685


def expectile(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of |alpha - [r > 0]| r², alpha = 1/2."""
    r = f - y
    c = np.where(r > 0, f.dtype.type(0.5), f.dtype.type(0.5))
    return results(operation, f.size, lambda: c * r * r, lambda: 2 * c * r, lambda: 2 * c)


def epsilon_insensitive(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, |r| - epsilon)."""
    r = f - y
    excess = np.abs(r) - _EPSILON
    return results(
        operation,
        f.size,
        lambda: np.maximum(excess, 0),
        lambda: np.sign(r) * (excess > 0),
        lambda: (excess > 0).astype(f.dtype),
    )


def squared_epsilon_insensitive(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, |r| - epsilon)²."""
    r = f - y
    excess = np.maximum(np.abs(r) - _EPSILON, 0)
    return results(
        operation,
        f.size,
        lambda: excess * excess,
        lambda: 2 * np.copysign(excess, r),
        lambda: 2 * (excess > 0).astype(f.dtype),
    )


def absolute_percentage_error(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of |r| / max(|y|, 1e-7)."""
    r, d = f - y, np.maximum(np.abs(y), 1e-7)
    return results(operation, f.size, lambda: np.abs(r) / d, lambda: np.sign(r) / d, lambda: 1 / d)


def smooth_l1(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of r²/2 where |r| < 1, else |r| - 1/2."""
    r = f - y
    size = np.abs(r)
    return results(
        operation,
        f.size,
        lambda: np.where(size < 1, 0.5 * r * r, size - 0.5),
        lambda: np.clip(r, -1, 1),
        lambda: (size < 1).astype(f.dtype),
    )


def pseudo_huber(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of √(1 + r²) - 1."""
    r = f - y
    root = np.sqrt(1 + r * r)
    return results(operation, f.size, lambda: root - 1, lambda: r / root, lambda: root**-3)


def log_cosh(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of log cosh r."""
    r = f - y
    size = np.abs(r)
    slope = np.tanh(r)
    return results(
        operation,
        f.size,
        lambda: size + np.log1p(np.exp(-2 * size)) - np.log(f.dtype.type(2)),
        lambda: slope,
        lambda: 1 - slope * slope,
    )


def fair(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of |r| - log1p |r|."""
    r = f - y
    size = np.abs(r)
    return results(
        operation,
        f.size,
        lambda: size - np.log1p(size),
        lambda: r / (1 + size),
        lambda: (1 + size) ** -2,
    )


def cauchy(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of log1p(r²)/2."""
    r = f - y
    x = r * r
    w = 1 / (1 + x)
    return results(
        operation, f.size, lambda: 0.5 * np.log1p(x), lambda: r * w, lambda: (1 - x) * w * w
    )


def student_t(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (df + 1)/2 log1p(r²/df), df = 4."""
    r = f - y
    x = r * r / 4
    w = 1 / (1 + x)
    return results(
        operation,
        f.size,
        lambda: 2.5 * np.log1p(x),
        lambda: 1.25 * r * w,
        lambda: 1.25 * (1 - x) * w * w,
    )


def welsch(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (1 - exp(-r²))/2."""
    r = f - y
    x = r * r
    e = np.exp(-x)
    return results(operation, f.size, lambda: 0.5 * (1 - e), lambda: r * e, lambda: (1 - 2 * x) * e)


def geman_mc_clure(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of r²/2 / (1 + r²)."""
    r = f - y
    x = r * r
    w = 1 / (1 + x)
    return results(
        operation, f.size, lambda: 0.5 * x * w, lambda: r * w * w, lambda: (1 - 3 * x) * w * w * w
    )


def tukey(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of c²/6 (1 - (1 - q²)³) where |q| < 1, else c²/6; q = r/c."""
    r = f - y
    u = np.maximum(1 - (r / _TUKEY) ** 2, 0)
    return results(
        operation,
        f.size,
        lambda: _TUKEY**2 / 6 * (1 - u**3),
        lambda: r * u * u,
        lambda: u * (5 * u - 4),
    )


def wing(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of w log1p(|r|/eps) where |r| < w, else |r| - C; w = 10, eps = 2."""
    w, eps = 10.0, 2.0
    r = f - y
    size = np.abs(r)
    constant = w - w * np.log1p(w / eps)
    return results(
        operation,
        f.size,
        lambda: np.where(size < w, w * np.log1p(size / eps), size - constant),
        lambda: np.sign(r) * np.where(size < w, w / (eps + size), 1),
        lambda: np.where(size < w, -w / (eps + size) ** 2, 0),
    )


RESIDUAL_LOSSES = (
    absolute_percentage_error,
    cauchy,
    epsilon_insensitive,
    expectile,
    fair,
    geman_mc_clure,
    log_cosh,
    pseudo_huber,
    smooth_l1,
    squared_epsilon_insensitive,
    student_t,
    tukey,
    welsch,
    wing,
)
