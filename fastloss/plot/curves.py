"""What is drawn: a loss along one raw prediction, the label held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss._bases.rows import RowLoss
from fastloss.cli.loss_text import short_name
from fastloss.losses.regression import AbsolutePercentageError

PARTS = ("loss", "gradient", "hessian")
_OUTPUTS = 3


@dataclass(frozen=True)
class Curve:
    """Loss, gradient and Hessian of one loss over one raw prediction.

    Parameters
    ----------
    title : str
        The loss and its label, for the legend.
    raw_prediction : ndarray of shape (n,)
        The abscissa.
    loss, gradient, hessian : ndarray of shape (n,)
        In float64.
    """

    title: str
    raw_prediction: NDArray[np.float64]
    loss: NDArray[np.float64]
    gradient: NDArray[np.float64]
    hessian: NDArray[np.float64]


def trace(
    loss: Any, raw_prediction: NDArray[np.float64], y_true: float | None = None, output: int = 0
) -> Curve:
    """
    Evaluate a loss along one raw prediction.

    Of a loss of several raw predictions a sample one moves and the others stay 0.

    Parameters
    ----------
    loss : loss
        An instance from fastloss.
    raw_prediction : ndarray of shape (n,)
        Where.
    y_true : float, optional
        The label; by default 0 for losses of any number, but 1 for `AbsolutePercentageError`, which
        divides by it; 1 for other labels, and class 0 of several classes.
    output : int
        Which of several raw predictions moves; of losses of one nothing is asked.

    Returns
    -------
    Curve
        The values.

    Raises
    ------
    ValueError
        If the label is outside the loss's domain, or the loss has no such output.
    """
    x = np.asarray(raw_prediction, dtype=np.float64)
    name = short_name(loss)
    if isinstance(loss, RowLoss):
        n_outputs = loss.n_outputs or _OUTPUTS
        if not 0 <= output < n_outputs:
            raise ValueError(f"output {output}: {name} has outputs 0 to {n_outputs - 1}")
        f = np.zeros((len(x), n_outputs))
        f[:, output] = x
        y_true = y_true or 0.0
        labels = _row_labels(loss.label_kind, y_true, n_outputs, name)
        labels = np.broadcast_to(labels, (len(x), *np.shape(labels)))
        parts = loss.loss_gradient_hessian(labels, f, reduction="none")
        value, gradient, hessian = parts[0], parts[1][:, output], parts[2][:, output]
        title = f"{name}, output {output} of {n_outputs}, y = {y_true:g}"
    else:
        if y_true is None:
            relative = isinstance(loss, AbsolutePercentageError)
            y_true = 0.0 if _accepts(loss, -1.0) and not relative else 1.0
        value, gradient, hessian = loss.loss_gradient_hessian(
            np.full_like(x, y_true), x, reduction="none"
        )
        title = f"{name}, y = {y_true:g}"
    return Curve(title, x, value, gradient, hessian)


def traces(
    losses: Sequence[Any],
    raw_prediction: NDArray[np.float64],
    y_true: float | None = None,
    output: int = 0,
) -> list[Curve]:
    """Return `trace` of each loss."""
    return [trace(loss, raw_prediction, y_true, output) for loss in losses]


def _row_labels(kind: str, y_true: float, n_outputs: int, name: str) -> Any:
    """Return the label of one sample: a number, a class, or a row with all on that class."""
    if kind == "value":
        return np.float64(y_true)
    if y_true != int(y_true):
        raise ValueError(f"y = {y_true:g}: {name} expects a class")
    label = int(y_true)
    if kind in ("class", "class or soft"):
        return np.int64(label)
    if not 0 <= label < n_outputs:
        raise ValueError(f"y = {label}: {name} expects a class of 0 to {n_outputs - 1}")
    if kind == "sets":
        return np.array([label] + [-1] * (n_outputs - 1))
    one_hot = np.eye(n_outputs)[label]
    if kind == "log targets":
        return np.where(one_hot > 0, 0.0, -np.inf)
    return one_hot


def _accepts(loss: Any, label: float) -> bool:
    try:
        loss.loss([label], [0.0])
    except ValueError:
        return False
    return True
