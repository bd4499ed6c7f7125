"""The losses of two classes as a good NumPy user writes them; see numpy_losses.py.

Log loss and the older hinge losses are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.bench.workloads import results

Array = NDArray[Any]


def _logistic(z: Array) -> tuple[Array, Array, Array]:
    """Return expit(z), expit(-z) and softplus(z) from one exponential."""
    t = np.exp(-np.abs(z))
    small = t / (1 + t)
    large = 1 - small
    wrong = np.where(z >= 0, large, small)
    return wrong, np.where(z >= 0, small, large), np.maximum(z, 0) + np.log1p(t)


def perceptron(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, -m)."""
    sign = 1 - 2 * y
    z = sign * f
    return results(
        operation,
        f.size,
        lambda: np.maximum(z, 0),
        lambda: np.where(z >= 0, sign, 0),
        lambda: (z >= 0).astype(f.dtype),
    )


def smooth_hinge(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the hinge loss smoothed over a length of 1."""
    sign = 1 - 2 * y
    slack = np.maximum(1 + sign * f, 0)
    clipped = np.minimum(slack, 1)
    return results(
        operation,
        f.size,
        lambda: clipped * (slack - 0.5 * clipped),
        lambda: sign * clipped,
        lambda: ((slack > 0) & (slack < 1)).astype(f.dtype),
    )


def modified_huber(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, 1 - m)², -4m below m = -1."""
    sign = 1 - 2 * y
    slack = np.maximum(1 + sign * f, 0)
    clipped = np.minimum(slack, 2)
    return results(
        operation,
        f.size,
        lambda: clipped * (2 * slack - clipped),
        lambda: 2 * sign * clipped,
        lambda: 2 * ((slack > 0) & (slack <= 2)).astype(f.dtype),
    )


def exponential(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of e^-m."""
    sign = 1 - 2 * y
    value = np.exp(sign * f)
    return results(operation, f.size, lambda: value, lambda: sign * value, lambda: value)


def binary_cross_entropy(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean log loss of probabilities, its logarithms limited."""
    q = 1 - f
    least = np.maximum(f * q, f.dtype.type(1e-12))

    def loss() -> Array:
        with np.errstate(divide="ignore"):
            at_1, at_0 = np.log(f), np.log1p(-f)
        value: Array = y * np.maximum(at_1, -100) + (1 - y) * np.maximum(at_0, -100)
        return -value

    return results(
        operation,
        f.size,
        loss,
        lambda: (f - y) / least,
        lambda: (y * q * q + (1 - y) * f * f) / (least * least),
    )


def poly1(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of log loss + 1 - p."""
    sign = 1 - 2 * y
    wrong, right, value = _logistic(sign * f)
    return results(
        operation,
        f.size,
        lambda: value + wrong,
        lambda: sign * wrong * (1 + right),
        lambda: wrong * right * (1 + right - wrong),
    )


def c_log_log(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of e^f, or -log(1 - e^-e^f) for positives."""
    e = np.exp(f)
    h = e / np.expm1(e)
    return results(
        operation,
        f.size,
        lambda: np.where(y > 0, -np.log(-np.expm1(-e)), e),
        lambda: np.where(y > 0, -h, e),
        lambda: np.where(y > 0, h * (e + h - 1), e),
    )


def probit(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of -log of the normal distribution function of the margin, by SciPy."""
    from scipy.special import log_ndtr

    sign = 1 - 2 * y
    z = sign * f
    log_cdf = log_ndtr(-z)
    hazard = np.exp(-0.5 * z * z - log_cdf) * f.dtype.type(0.3989422804014327)
    return results(
        operation,
        f.size,
        lambda: -log_cdf,
        lambda: sign * hazard,
        lambda: hazard * (hazard - z),
    )


def focal(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (1 - p)² times log loss."""
    sign = 1 - 2 * y
    wrong, right, value = _logistic(sign * f)
    square = wrong * wrong
    return results(
        operation,
        f.size,
        lambda: square * value,
        lambda: sign * square * (2 * right * value + wrong),
        lambda: square * right * (5 * wrong + value * (4 * right - 2 * wrong)),
    )


def asymmetric(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the asymmetric loss, exponents 1 and 4, clipped at 0.05."""
    sign = 1 - 2 * y
    wrong, right, value = _logistic(sign * f)
    x = np.maximum(wrong - 0.05, 0)
    log_part, inverse = -np.log1p(-x), 1 / (1 - x)
    x3 = x * x * x
    slope = x3 * (4 * log_part + x * inverse)
    product = wrong * right

    def hessian() -> Array:
        bend = x * x * (12 * log_part + 8 * x * inverse) + x3 * x * inverse * inverse
        negative = product * (product * bend + (right - wrong) * slope)
        positive = wrong * right * (3 * wrong + value * (right - wrong))
        return np.where(y > 0, positive, negative)

    return results(
        operation,
        f.size,
        lambda: np.where(y > 0, wrong * value, x3 * x * log_part),
        lambda: np.where(y > 0, -wrong * (right * value + wrong), product * slope),
        hessian,
    )


def generalized_cross_entropy(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (1 - p^q)/q with q = 0.7."""
    sign = 1 - 2 * y
    wrong, right, value = _logistic(sign * f)
    exponent = -0.7 * value
    slope = np.exp(exponent) * wrong
    return results(
        operation,
        f.size,
        lambda: np.expm1(exponent) / -0.7,
        lambda: sign * slope,
        lambda: slope * (right - 0.7 * wrong),
    )


BINARY_LOSSES = (
    asymmetric,
    binary_cross_entropy,
    c_log_log,
    exponential,
    focal,
    generalized_cross_entropy,
    modified_huber,
    perceptron,
    poly1,
    probit,
    smooth_hinge,
)
