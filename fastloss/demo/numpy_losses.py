"""The same losses and the same step as a good NumPy user writes them.

Vectorised, numerically stable, exponentials and residuals shared between value and gradient,
results written into the caller's arrays where NumPy lets one do so without contortions. These are
the other side of the comparison in ``fastloss demo``; nothing here uses fastloss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32] | NDArray[np.float64]


class NumpyLoss(Protocol):
    """A mean loss over a batch and its gradient with respect to the raw prediction."""

    def loss(self, y_true: NDArray[Any], raw_prediction: FloatArray) -> float:
        """Return the mean loss."""

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: FloatArray, gradient: FloatArray
    ) -> float:
        """Return the mean loss and write its gradient."""


class NumpyLogLoss:
    """Binary log loss of a logit, with the positive class weighted by `pos_weight`.

    With t = exp(-|f|), log(1 + e^f) = max(f, 0) + log1p(t), so that one exponential serves both the
    value and the sigmoid. (np.logaddexp, shorter to write, takes more than twice as long.)
    """

    def __init__(self, pos_weight: float = 1.0) -> None:
        self.pos_weight = pos_weight

    def loss(self, y_true: NDArray[Any], raw_prediction: FloatArray) -> float:
        """Return the mean loss."""
        softplus = np.maximum(raw_prediction, 0) + np.log1p(np.exp(-np.abs(raw_prediction)))
        if self.pos_weight == 1.0:
            return float(np.mean(softplus - y_true * raw_prediction))
        # softplus(-f) = softplus(f) - f
        weight = 1 + (self.pos_weight - 1) * y_true
        return float(np.mean(weight * softplus - self.pos_weight * y_true * raw_prediction))

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: FloatArray, gradient: FloatArray
    ) -> float:
        """Return the mean loss and write its gradient."""
        t = np.exp(-np.abs(raw_prediction))
        softplus = np.maximum(raw_prediction, 0) + np.log1p(t)
        probability = np.where(raw_prediction >= 0, 1, t) / (1 + t)
        if self.pos_weight == 1.0:
            loss = np.mean(softplus - y_true * raw_prediction)
            np.subtract(probability, y_true, out=gradient)
        else:
            weight = 1 + (self.pos_weight - 1) * y_true
            weighted = self.pos_weight * y_true
            loss = np.mean(weight * softplus - weighted * raw_prediction)
            np.subtract(weight * probability, weighted, out=gradient)
        gradient /= len(gradient)
        return float(loss)


class NumpyHuber:
    """Huber's loss: r²/2 for |r| <= delta, else delta·(|r| - delta/2)."""

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def loss(self, y_true: NDArray[Any], raw_prediction: FloatArray) -> float:
        """Return the mean loss."""
        size = np.abs(raw_prediction - y_true)
        inner = np.minimum(size, self.delta)
        return float(np.mean(inner * (size - 0.5 * inner)))

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: FloatArray, gradient: FloatArray
    ) -> float:
        """Return the mean loss and write its gradient."""
        residual = raw_prediction - y_true
        np.clip(residual, -self.delta, self.delta, out=gradient)
        loss = np.mean(gradient * (residual - 0.5 * gradient))
        gradient /= len(gradient)
        return float(loss)


class NumpyCrossEntropy:
    """Softmax cross-entropy with integer labels, classes on the last axis.

    With few classes most of the time goes into the maximum over the short rows.
    """

    def loss(self, y_true: NDArray[Any], raw_prediction: FloatArray) -> float:
        """Return the mean loss."""
        shifted = raw_prediction - raw_prediction.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return float(np.mean(log_sum - shifted[np.arange(len(y_true)), y_true]))

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: FloatArray, gradient: FloatArray
    ) -> float:
        """Return the mean loss and write its gradient."""
        rows = np.arange(len(y_true))
        shifted = raw_prediction - raw_prediction.max(axis=1, keepdims=True)
        np.exp(shifted, out=gradient)
        total = gradient.sum(axis=1)
        loss = np.mean(np.log(total) - shifted[rows, y_true])
        gradient /= total[:, None]
        gradient[rows, y_true] -= 1
        gradient /= len(y_true)
        return float(loss)


NUMPY_LOSSES: dict[str, Callable[..., NumpyLoss]] = {
    "log_loss": NumpyLogLoss,
    "huber": NumpyHuber,
    "cross_entropy": NumpyCrossEntropy,
}


def numpy_sgd_step(
    param: FloatArray,
    gradient: FloatArray,
    momentum_buffer: FloatArray,
    *,
    lr: float,
    momentum: float,
) -> None:
    """Step of stochastic gradient descent with momentum, in place."""
    momentum_buffer *= momentum
    momentum_buffer += gradient
    param -= lr * momentum_buffer
