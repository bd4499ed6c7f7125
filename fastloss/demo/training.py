"""Mini-batch SGD with momentum for a linear model, the same loop for every backend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fastloss.demo.backends import Backend
from fastloss.demo.overfitting import OverfitDetector, Verdict
from fastloss.demo.tasks import Task

Float32Array = NDArray[np.float32]
EpochCallback = Callable[[int, float, float], None]


@dataclass
class Run:
    """One training: its curves, its clocks, its coefficients.

    Attributes
    ----------
    backend : str
        Name of the backend.
    train_loss : list of float
        Mean loss over the batches of each epoch, each taken before its step.
    validation_loss : list of float
        Loss on the validation days after each epoch.
    epoch_seconds : list of float
        Wall time of each epoch, validation included.
    loss_seconds, step_seconds : list of float
        The part of it inside the loss (training and validation) and inside the SGD step.
    verdict : Verdict or None
        Why training ended; None when the number of epochs was given.
    best_coefficients : ndarray of float32
        Those of the epoch with the lowest validation loss.
    """

    backend: str
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    loss_seconds: list[float] = field(default_factory=list)
    step_seconds: list[float] = field(default_factory=list)
    verdict: Verdict | None = None
    best_coefficients: Float32Array = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.validation_loss)


class _Workspace:
    """The arrays that every batch reuses."""

    def __init__(self, task: Task, batch_size: int) -> None:
        self.coefficients = task.initial_coefficients.copy()
        outputs = self.coefficients.shape[1:]
        self.raw = np.empty((batch_size, *outputs), np.float32)
        self.gradient = np.empty_like(self.raw)
        self.coefficient_gradient = np.empty_like(self.coefficients)
        self.validation_raw = np.empty((len(task.labels.validation), *outputs), np.float32)


def train(
    task: Task,
    backend: Backend,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    detector: OverfitDetector | None = None,
    on_epoch: EpochCallback | None = None,
) -> Run:
    """Train a task with a backend.

    The training rows were shuffled once when the design matrix was made; each epoch visits the
    batches of consecutive rows in a new random order. So a batch is a view, and two backends with
    one seed see the same batches in the same order.

    Parameters
    ----------
    task : Task
        Data, loss and initial coefficients.
    backend : Backend
        Who computes losses and steps.
    epochs : int
        The most epochs to train.
    batch_size : int
        Samples per step.
    seed : int
        Fixes the order of the batches.
    detector : OverfitDetector, optional
        Decides about an early end.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, train_loss, validation_loss)`` after each epoch.

    Returns
    -------
    Run
        The record of the training.
    """
    rng = np.random.default_rng(seed)
    run = Run(backend.name)
    work = _Workspace(task, batch_size)
    starts = np.arange(0, len(task.labels.train), batch_size)
    best_loss = math.inf
    run.best_coefficients = work.coefficients.copy()

    for epoch in range(1, epochs + 1):
        _train_epoch(task, backend, work, rng.permutation(starts), batch_size, run)
        if run.validation_loss[-1] < best_loss:
            best_loss = run.validation_loss[-1]
            np.copyto(run.best_coefficients, work.coefficients)
        if on_epoch is not None:
            on_epoch(epoch, run.train_loss[-1], run.validation_loss[-1])
        if detector is not None:
            run.verdict = detector.update(run.train_loss[-1], run.validation_loss[-1])
            if run.verdict is not None:
                return run
    if detector is not None:
        run.verdict = detector.at_limit()
    return run


def _train_epoch(
    task: Task,
    backend: Backend,
    work: _Workspace,
    starts: NDArray[np.intp],
    batch_size: int,
    run: Run,
) -> None:
    """Train one epoch, validate, and write losses and times into `run`."""
    x_train, y_train = task.design.train, task.labels.train
    coefficients = work.coefficients
    loss_sum = loss_seconds = step_seconds = 0.0
    epoch_start = perf_counter()
    for start in starts.tolist():
        x = x_train[start : start + batch_size]
        y = y_train[start : start + batch_size]
        raw, gradient = work.raw[: len(x)], work.gradient[: len(x)]

        np.matmul(x, coefficients, out=raw)
        before_loss = perf_counter()
        loss = backend.loss_gradient(y, raw, gradient)
        after_loss = perf_counter()
        np.matmul(x.T, gradient, out=work.coefficient_gradient)
        before_step = perf_counter()
        backend.step(coefficients, work.coefficient_gradient)
        after_step = perf_counter()

        loss_sum += loss * len(x)
        loss_seconds += after_loss - before_loss
        step_seconds += after_step - before_step

    np.matmul(task.design.validation, coefficients, out=work.validation_raw)
    before_loss = perf_counter()
    validation_loss = backend.loss(task.labels.validation, work.validation_raw)
    end = perf_counter()

    run.train_loss.append(loss_sum / len(y_train))
    run.validation_loss.append(validation_loss)
    run.epoch_seconds.append(end - epoch_start)
    run.loss_seconds.append(loss_seconds + end - before_loss)
    run.step_seconds.append(step_seconds)
