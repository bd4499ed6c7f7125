"""The two sides of the comparison behind one interface: fastloss and NumPy."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss.demo.numpy_losses import NUMPY_LOSSES, numpy_sgd_step

Float32Array = NDArray[np.float32]


class Backend(Protocol):
    """The loss of one task and the SGD step, by one library."""

    name: str

    def loss(self, y_true: NDArray[Any], raw_prediction: Float32Array) -> float:
        """Return the mean loss."""

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: Float32Array, gradient: Float32Array
    ) -> float:
        """Return the mean loss and write its gradient."""

    def step(self, param: Float32Array, gradient: Float32Array) -> None:
        """Update `param` in place; the momentum buffer belongs to the backend."""


class NativeBackend:
    """fastloss: one pass for value and gradient, one for the step.

    Parameters
    ----------
    loss_name : str
        A name of ``fl.available_losses()``.
    loss_params : dict
        The parameters of the loss.
    lr, momentum : float
        Settings of the step.
    n_threads : int
        Threads of one call. The demo's default is 1: NumPy computes its losses with one thread too,
        a mini-batch is short work, and threads that wait for each other on a busy machine, besides
        those of the BLAS library, take many times as long.
    """

    name = "fastloss"

    def __init__(
        self,
        loss_name: str,
        loss_params: dict[str, float],
        *,
        lr: float,
        momentum: float,
        n_threads: int,
    ) -> None:
        self._loss = fl.get_loss(loss_name, **loss_params)
        self._lr = lr
        self._momentum = momentum
        self._n_threads = n_threads
        self._momentum_buffer: Float32Array | None = None

    def loss(self, y_true: NDArray[Any], raw_prediction: Float32Array) -> float:
        """Return the mean loss."""
        return float(self._loss.loss(y_true, raw_prediction, n_threads=self._n_threads))

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: Float32Array, gradient: Float32Array
    ) -> float:
        """Return the mean loss and write its gradient."""
        loss, _ = self._loss.loss_gradient(
            y_true, raw_prediction, out=(None, gradient), n_threads=self._n_threads
        )
        return float(loss)

    def step(self, param: Float32Array, gradient: Float32Array) -> None:
        """Update `param` in place."""
        self._momentum_buffer = fl.sgd_step(
            param,
            gradient,
            lr=self._lr,
            momentum=self._momentum,
            momentum_buffer=self._momentum_buffer,
            n_threads=self._n_threads,
        )


class NumpyBackend:
    """NumPy: the losses of `fastloss.demo.numpy_losses`.

    Parameters
    ----------
    loss_name : str
        A name of ``fl.available_losses()``.
    loss_params : dict
        The parameters of the loss.
    lr, momentum : float
        Settings of the step.
    """

    name = "NumPy"

    def __init__(
        self, loss_name: str, loss_params: dict[str, float], *, lr: float, momentum: float
    ) -> None:
        self._loss = NUMPY_LOSSES[loss_name](**loss_params)
        self._lr = lr
        self._momentum = momentum
        self._momentum_buffer: Float32Array | None = None

    def loss(self, y_true: NDArray[Any], raw_prediction: Float32Array) -> float:
        """Return the mean loss."""
        return self._loss.loss(y_true, raw_prediction)

    def loss_gradient(
        self, y_true: NDArray[Any], raw_prediction: Float32Array, gradient: Float32Array
    ) -> float:
        """Return the mean loss and write its gradient."""
        return self._loss.loss_gradient(y_true, raw_prediction, gradient)

    def step(self, param: Float32Array, gradient: Float32Array) -> None:
        """Update `param` in place."""
        if self._momentum_buffer is None:
            self._momentum_buffer = np.zeros_like(param)
        numpy_sgd_step(param, gradient, self._momentum_buffer, lr=self._lr, momentum=self._momentum)
