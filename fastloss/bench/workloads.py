"""The data that every implementation of a loss is timed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss._bases.rows import RowLoss

OPERATIONS = (
    "loss",
    "gradient",
    "loss_gradient",
    "gradient_hessian",
    "loss_gradient_hessian",
)
DTYPES = ("float32", "float64")
COUNTS = ("poisson", "tweedie", "tweedie_identity", "negative_binomial", "squared_log_error")
TWO_CLASSES = (
    "asymmetric",
    "binary_cross_entropy",
    "c_log_log",
    "exponential",
    "focal",
    "generalized_cross_entropy",
    "hinge",
    "log_loss",
    "modified_huber",
    "perceptron",
    "poly1",
    "probit",
    "smooth_hinge",
    "squared_hinge",
)


@dataclass(frozen=True)
class Workload:
    """Labels, predictions and room for the results of one loss.

    Parameters
    ----------
    loss : str
        A name of ``fl.available_losses()``.
    operation : str
        One of `OPERATIONS`.
    y_true : ndarray
        Labels in the dtype of the predictions; int64 classes for a multiclass loss.
    raw_prediction : ndarray
        (n,), or (n, C) for a multiclass loss.
    gradient, hessian : ndarray or None
        Outputs of the operation, allocated and touched before the clock starts.
    n_threads : int
        Threads of the implementations that have a choice.
    """

    loss: str
    operation: str
    y_true: NDArray[Any]
    raw_prediction: NDArray[Any]
    gradient: NDArray[Any] | None
    hessian: NDArray[Any] | None
    n_threads: int

    @property
    def values(self) -> int:
        """How many raw predictions there are; times are given per one of them."""
        return self.raw_prediction.size

    @property
    def outputs(self) -> list[NDArray[Any]]:
        """The gradient and the Hessian, as far as the operation has them."""
        return [array for array in (self.gradient, self.hessian) if array is not None]


def wants(operation: str) -> tuple[bool, bool, bool]:
    """Return whether an operation computes the loss, the gradient, the Hessian."""
    parts = operation.split("_")
    return "loss" in parts, "gradient" in parts, "hessian" in parts


def results(
    operation: str,
    n: int,
    loss: Callable[[], Any],
    gradient: Callable[[], Any],
    hessian: Callable[[], Any],
) -> tuple[Any, ...]:
    """Return what the operation names, by NumPy: the mean loss, and the derivatives of the mean."""
    want_loss, want_gradient, want_hessian = wants(operation)
    values: list[Any] = []
    if want_loss:
        values.append(np.mean(loss()))
    if want_gradient:
        values.append(gradient() * (1 / n))
    if want_hessian:
        values.append(hessian() * (1 / n))
    return tuple(values)


def label_kind(loss: str) -> str | None:
    """Return `RowLoss.label_kind` of a loss of several outputs a sample, None for one of one."""
    instance = fl.get_loss(loss)
    return instance.label_kind if isinstance(instance, RowLoss) else None


def make_workload(
    loss: str,
    operation: str = "loss_gradient",
    *,
    n: int,
    dtype: str = "float64",
    n_threads: int = 1,
    n_classes: int = 10,
) -> Workload:
    """Draw the data of a loss, the same for the same arguments.

    Parameters
    ----------
    loss : str
        A name of ``fl.available_losses()``.
    operation : str
        One of `OPERATIONS`.
    n : int
        Raw predictions in all: samples, or for a multiclass loss samples times classes.
    dtype : {"float32", "float64"}
        Of predictions and outputs.
    n_threads : int
        Threads of the implementations that have a choice.
    n_classes : int
        Classes of a multiclass loss.

    Returns
    -------
    Workload
        The data.
    """
    rng = np.random.default_rng(20130101)
    _, want_gradient, want_hessian = wants(operation)
    kind = label_kind(loss)
    if kind is not None:
        n_outputs = fl.get_loss(loss).n_outputs or n_classes
        rows = max(1, n // n_outputs)
        raw_prediction = _normal(rng, rows * n_outputs, dtype).reshape(rows, n_outputs)
        raw_prediction *= 1 if kind == "value" else 3
        y_true = _row_labels(rng, kind, rows, n_outputs, dtype)
    elif loss == "cumulative_logit":
        raw_prediction = _normal(rng, n, dtype)
        y_true = rng.integers(0, 3, n)
    else:
        raw_prediction = _normal(rng, n, dtype)
        if loss in COUNTS:
            y_true = rng.poisson(1.0, n).astype(dtype)
            if loss in ("tweedie_identity", "squared_log_error"):
                np.exp(raw_prediction, out=raw_prediction)
        elif loss == "gamma":
            y_true = rng.gamma(2.0, 1.0, n).astype(dtype)
        elif loss in TWO_CLASSES:
            raw_prediction *= 3
            y_true = rng.integers(0, 2, n, dtype=np.int8).astype(dtype)
            if loss == "binary_cross_entropy":
                raw_prediction = 1 / (1 + np.exp(-raw_prediction))
        else:
            raw_prediction *= 2
            y_true = _normal(rng, n, dtype)
    return Workload(
        loss,
        operation,
        y_true,
        raw_prediction,
        np.zeros_like(raw_prediction) if want_gradient else None,
        np.zeros_like(raw_prediction) if want_hessian else None,
        n_threads,
    )


def _row_labels(
    rng: np.random.Generator, kind: str, rows: int, n_outputs: int, dtype: str
) -> NDArray[Any]:
    """Return labels of a loss of several outputs: classes, numbers, distributions or sets."""
    if kind in ("class", "class or soft"):
        return rng.integers(0, n_outputs, rows)
    if kind == "value":
        return _normal(rng, rows, dtype)
    if kind == "sets":
        sets = np.argsort(rng.random((rows, n_outputs)), axis=1)
        sets[np.arange(n_outputs) >= rng.integers(1, n_outputs + 1, rows)[:, None]] = -1
        return sets
    targets = rng.random((rows, n_outputs), dtype=np.float32).astype(dtype) + np.float32(1e-3)
    return np.asarray(targets / targets.sum(axis=1, keepdims=True), dtype=dtype)


def _normal(rng: np.random.Generator, n: int, dtype: str) -> NDArray[Any]:
    """Return standard normal numbers, drawn in the precision asked for."""
    if dtype == "float32":
        return rng.standard_normal(n, dtype=np.float32)
    return rng.standard_normal(n)
