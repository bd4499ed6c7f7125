"""The losses as a good NumPy user writes them: vectorised, stable, nothing computed twice.

Every function takes labels, raw predictions and the operation, and returns what the operation
names: the mean loss, the gradient of the mean, the Hessian diagonal of the mean. The parameters of
the losses are their defaults. Nothing here uses fastloss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.bench.numpy_binary_losses import BINARY_LOSSES
from fastloss.bench.numpy_residual_losses import RESIDUAL_LOSSES
from fastloss.bench.numpy_row_losses import ROW_LOSSES
from fastloss.bench.workloads import wants

Array = NDArray[Any]
NumpyLoss = Callable[[Array, Array, str], tuple[Any, ...]]


def squared_error(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (f - y)²."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    values: list[Any] = []
    if loss:
        values.append(np.mean(r * r))
    if gradient:
        values.append(r * (2 / r.size))
    if hessian:
        values.append(np.full_like(f, 2 / f.size))
    return tuple(values)


def half_squared_error(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (f - y)²/2."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    values: list[Any] = []
    if loss:
        values.append(0.5 * np.mean(r * r))
    if gradient:
        values.append(r / r.size)
    if hessian:
        values.append(np.full_like(f, 1 / f.size))
    return tuple(values)


def absolute_error(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of |f - y|."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    values: list[Any] = []
    if loss:
        values.append(np.mean(np.abs(r)))
    if gradient:
        values.append(np.sign(r) / r.size)
    if hessian:
        values.append(np.full_like(f, 1 / f.size))
    return tuple(values)


def huber(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of Huber's loss with delta 1; with c = clip(r, -1, 1) it is c·(r - c/2)."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    clipped = np.clip(r, -1, 1)
    values: list[Any] = []
    if loss:
        values.append(np.mean(clipped * (r - 0.5 * clipped)))
    if gradient:
        values.append(clipped / r.size)
    if hessian:
        values.append((np.abs(r) <= 1).astype(f.dtype) / f.size)
    return tuple(values)


def pinball(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the pinball loss of the median."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    values: list[Any] = []
    if loss:
        values.append(np.mean(np.maximum(0.5 * r, -0.5 * r)))
    if gradient:
        scale = f.dtype.type(0.5 / f.size)
        values.append(np.where(r > 0, scale, -scale))
    if hessian:
        values.append(np.full_like(f, 1 / f.size))
    return tuple(values)


def poisson(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of e^f - y·f."""
    loss, gradient, hessian = wants(operation)
    mean = np.exp(f)
    values: list[Any] = []
    if loss:
        values.append(np.mean(mean - y * f))
    if gradient:
        values.append((mean - y) / f.size)
    if hessian:
        values.append(mean / f.size)
    return tuple(values)


def gamma(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of f + y·e^-f."""
    loss, gradient, hessian = wants(operation)
    ratio = y * np.exp(-f)
    values: list[Any] = []
    if loss:
        values.append(np.mean(f + ratio))
    if gradient:
        values.append((1 - ratio) / f.size)
    if hessian:
        values.append(ratio / f.size)
    return tuple(values)


def tweedie(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of the Tweedie loss of power 1.5 with log link: 2·e^(f/2) + 2·y·e^(-f/2)."""
    loss, gradient, hessian = wants(operation)
    one = np.exp(0.5 * f)
    other = y / one
    values: list[Any] = []
    if loss:
        values.append(2 * np.mean(one + other))
    if gradient:
        values.append((one - other) / f.size)
    if hessian:
        values.append((one + other) * (0.5 / f.size))
    return tuple(values)


def tweedie_identity(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of half the Tweedie deviance of power 1.5: 2·√f + 2·y/√f - 4·√y."""
    loss, gradient, hessian = wants(operation)
    root = np.sqrt(f)
    values: list[Any] = []
    if loss:
        values.append(np.mean(2 * (root + y / root) - 4 * np.sqrt(y)))
    if gradient:
        power = 1 / (f * root)
        values.append((f - y) * power / f.size)
        if hessian:
            values.append((1.5 * y - 0.5 * f) * power / f / f.size)
    return tuple(values)


def negative_binomial(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (y + 1)·log(1 + e^f) - y·f, of theta 1."""
    loss, gradient, hessian = wants(operation)
    t = np.exp(-np.abs(f))
    values: list[Any] = []
    if loss:
        values.append(np.mean((y + 1) * (np.maximum(f, 0) + np.log1p(t)) - y * f))
    if gradient:
        probability = np.where(f >= 0, 1, t) / (1 + t)
        values.append(((y + 1) * probability - y) / f.size)
        if hessian:
            values.append((y + 1) * probability * (1 - probability) / f.size)
    return tuple(values)


def squared_log_error(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of (log1p(f) - log1p(y))²."""
    loss, gradient, hessian = wants(operation)
    r = np.log1p(f) - np.log1p(y)
    values: list[Any] = []
    if loss:
        values.append(np.mean(r * r))
    if gradient:
        inverse = 1 / (1 + f)
        values.append(r * inverse * (2 / r.size))
        if hessian:
            values.append((1 - r) * inverse * inverse * (2 / r.size))
    return tuple(values)


def lq(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of |f - y|^1.5, by way of its square root."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    size = np.abs(r)
    root = np.sqrt(size)
    values: list[Any] = []
    if loss:
        values.append(np.mean(size * root))
    if gradient:
        values.append(np.copysign(root * (1.5 / r.size), r))
    if hessian:
        with np.errstate(divide="ignore"):
            values.append((0.75 / r.size) / root)
    return tuple(values)


def barron_robust(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of Barron's robust loss with alpha 1 and c 1: √(1 + r²) - 1."""
    loss, gradient, hessian = wants(operation)
    r = f - y
    root = np.sqrt(1 + r * r)
    values: list[Any] = []
    if loss:
        values.append(np.mean(root - 1))
    if gradient:
        values.append(r / root / r.size)
    if hessian:
        values.append((1 / r.size) / root**3)
    return tuple(values)


def log_loss(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean log loss; t = e^-|f| serves the softplus, max(f, 0) + log1p(t), and the sigmoid."""
    loss, gradient, hessian = wants(operation)
    t = np.exp(-np.abs(f))
    values: list[Any] = []
    if loss:
        values.append(np.mean(np.maximum(f, 0) + np.log1p(t) - y * f))
    if gradient:
        probability = np.where(f >= 0, 1, t) / (1 + t)
        values.append((probability - y) / f.size)
        if hessian:
            values.append(probability * (1 - probability) / f.size)
    return tuple(values)


def hinge(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, 1 - m) with the margin m = (2y - 1)·f."""
    loss, gradient, hessian = wants(operation)
    sign = 2 * y - 1
    slack = 1 - sign * f
    values: list[Any] = []
    if loss:
        values.append(np.mean(np.maximum(slack, 0)))
    if gradient:
        values.append(np.where(slack > 0, -sign, 0) / f.size)
    if hessian:
        values.append((slack > 0).astype(f.dtype) / f.size)
    return tuple(values)


def squared_hinge(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean of max(0, 1 - m)² with the margin m = (2y - 1)·f."""
    loss, gradient, hessian = wants(operation)
    sign = 2 * y - 1
    slack = np.maximum(1 - sign * f, 0)
    values: list[Any] = []
    if loss:
        values.append(np.mean(slack * slack))
    if gradient:
        values.append(sign * slack * (-2 / f.size))
    if hessian:
        values.append((slack > 0).astype(f.dtype) * (2 / f.size))
    return tuple(values)


def cross_entropy(y: Array, f: Array, operation: str) -> tuple[Any, ...]:
    """Mean softmax cross-entropy of integer labels, classes on the last axis."""
    loss, gradient, hessian = wants(operation)
    rows = np.arange(len(y))
    shifted = f - f.max(axis=1, keepdims=True)
    exponential = np.exp(shifted)
    total = exponential.sum(axis=1)
    values: list[Any] = []
    if loss:
        values.append(np.mean(np.log(total) - shifted[rows, y]))
    if gradient:
        exponential /= total[:, None]
        second = exponential * (1 - exponential) / len(y) if hessian else None
        exponential[rows, y] -= 1
        exponential /= len(y)
        values.append(exponential)
        if second is not None:
            values.append(second)
    return tuple(values)


NUMPY_LOSSES: dict[str, NumpyLoss] = {
    function.__name__: function
    for function in (
        *BINARY_LOSSES,
        *RESIDUAL_LOSSES,
        *ROW_LOSSES,
        absolute_error,
        barron_robust,
        cross_entropy,
        gamma,
        half_squared_error,
        hinge,
        huber,
        log_loss,
        lq,
        negative_binomial,
        pinball,
        poisson,
        squared_error,
        squared_hinge,
        squared_log_error,
        tweedie,
        tweedie_identity,
    )
}

#: Of these no Hessian is written down.
WITHOUT_HESSIAN = frozenset(function.__name__ for function in ROW_LOSSES)
