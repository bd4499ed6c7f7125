"""Epochs until a criterion ends them: recorded, validated, interrupted, resumed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.linear_model import _sgd_checkpoint
from fastloss.linear_model._progress import Callback
from fastloss.linear_model._sgd_batches import Batch, Source
from fastloss.linear_model._sgd_history import EpochProgress, Recorder, Stopping
from fastloss.linear_model._solvers import StopFit
from fastloss.linear_model._solvers.solution import INTERRUPTED, STOPPED

MAX_ITER = "max_iter epochs are over"
ONE_PASS = "the iterator is at its end: one epoch"
_LEAST_RATE = 1e-6  # below which the adaptive rate is not divided any more, as in scikit-learn


@dataclass(frozen=True)
class Plan:
    """How long to train, and whom to tell."""

    max_iter: int
    tol: float | None
    patience: int
    shuffle: bool
    adaptive: bool
    restore_best: bool
    average: int  # the step from which coefficients are averaged; 0 for never
    verbose: int
    callback: Callback | None
    title: str
    penalty: Callable[[npt.NDArray[Any]], float]
    outputs: int  # the problems that the machine's losses are sums of
    checkpoint: Path | None
    checkpoint_every: float
    fingerprint: dict[str, Any]


@dataclass(frozen=True)
class Validation:
    """Judges coefficients by samples that are not learnt from."""

    loss: Callable[[Any, Any], float]
    score: Callable[[Any, Any], float] | None  # higher is better
    stops: str | None  # "loss", "score" or None


@dataclass(frozen=True)
class Trained:
    """What is left of a fit."""

    coef: npt.NDArray[Any]
    intercept: Any
    record: Recorder


#: what a checkpoint holds
STATE = (
    *("fit", "sgd", "recorder", "stopping", "best"),
    *("epochs", "batches", "loss", "weight", "seconds"),
)


class Training:
    """
    One fit.

    Parameters
    ----------
    sgd : LinearSGD
        Does the epochs, and holds the coefficients.
    source : Source
        The samples.
    plan : Plan
        How long, and whom to tell.
    validation : Validation or None
        Judges each epoch.
    """

    def __init__(self, sgd: Any, source: Source, plan: Plan, validation: Validation | None) -> None:
        self.sgd, self.source, self.plan, self.validation = sgd, source, plan, validation
        self.recorder = Recorder(plan.title, plan.verbose, plan.patience)
        self.stopping = Stopping(plan.tol, plan.patience)
        self.best: dict[str, Any] | None = None
        self.epochs = self.batches = 0  # made; of the epoch that runs
        self.loss: Any = 0.0  # sums of the epoch that runs, for each output
        self.weight: Any = 0.0
        self.seconds = 0.0  # before this process
        self.started = self.written = perf_counter()

    def run(self) -> Trained:
        """Train, and return the coefficients that are to stay."""
        plan = self.plan
        self._resume()
        self.started = self.written = perf_counter()
        converged, reason = False, MAX_ITER
        try:
            while self.epochs < plan.max_iter:
                train_loss = self._epoch()
                if self._conclude_epoch(train_loss):
                    converged = True
                    reason = self._criterion()
                    break
                if self.source.one_pass:
                    reason = ONE_PASS
                    break
        except StopFit:
            reason = STOPPED
        except KeyboardInterrupt:
            reason = INTERRUPTED
        keep_best = plan.restore_best or reason == INTERRUPTED
        if plan.checkpoint is not None and reason != INTERRUPTED:
            plan.checkpoint.unlink(missing_ok=True)
        return self._conclude(converged, reason, keep_best)

    def best_so_far(self, error: Exception) -> Trained | None:
        """Return what is left of a fit that an error has ended, None if no epoch was judged."""
        if self.best is None:
            return None
        return self._conclude(False, f"{type(error).__name__}: {error}", True)

    def _conclude(self, converged: bool, reason: str, keep_best: bool) -> Trained:
        if keep_best and self.best is not None:
            self.sgd.load_state_dict(self.best)
        coef, intercept = effective(self.sgd, self.plan.average)
        self.recorder.close(converged, reason)
        return Trained(coef, intercept, self.recorder)

    def _epoch(self) -> float:
        """Go once over the samples, and return their mean loss."""
        for batch in self.source.epoch(self.epochs, self.batches):
            self.batches += 1
            if not batch.X.shape[0] or (batch.rows is not None and not len(batch.rows)):
                continue
            loss = train_batch(self.sgd, batch, self.plan.shuffle, self.epochs + 1)
            sums, weights = self.sgd._sums
            self.loss, self.weight = self.loss + sums, self.weight + weights
            if self.plan.verbose > 1:
                self.recorder.begin()
                print(f"       batch {self.batches}: training loss {loss / self.plan.outputs:.8g}")
            self._save_if_due()
        if not self.batches:
            raise ValueError(
                f"X: no batches came in epoch {self.epochs + 1}; expected a callable that returns a "
                f"new iterator at each call, or a list"
            )
        if not np.any(self.weight > 0):
            raise ValueError(
                "all samples have weight 0, of their own or of their classes; expected some above 0"
            )
        return mean_loss(self.loss, self.weight, self.plan.outputs)

    def _conclude_epoch(self, train_loss: float) -> bool:
        """Judge, record, tell; return whether it is time to stop."""
        plan, sgd = self.plan, self.sgd
        objective = train_loss + plan.penalty(sgd.coef) / plan.outputs
        judged = self.validation is not None or plan.callback is not None
        coef, intercept = effective(sgd, plan.average) if judged else (None, None)
        loss = score = math.nan
        value = objective
        if self.validation is not None:
            loss = self.validation.loss(coef, intercept)
            if self.validation.score is not None:
                score = self.validation.score(coef, intercept)
            if self.validation.stops is not None:
                value = loss if self.validation.stops == "loss" else -score
        eta = float(sgd.eta)
        seconds = self.seconds + perf_counter() - self.started
        self.recorder.add(train_loss, objective, loss, score, eta, seconds)
        self.epochs += 1
        self.batches, self.loss, self.weight = 0, 0.0, 0.0
        if self.validation is not None and self.recorder.best_epoch == self.epochs:
            self.best = sgd.state_dict()
        stop = self.stopping(value)
        if stop and plan.adaptive and eta > _LEAST_RATE:
            sgd.eta = eta / 5
            self.stopping.count, stop = 0, False
        if not stop and self.epochs < plan.max_iter and not self.source.one_pass:
            self._save_if_due()
        if plan.callback is not None:
            progress = EpochProgress(
                self.epochs,
                objective,
                math.nan,
                _with_intercept(coef, intercept),
                seconds,
                plan.tol or 0.0,
                plan.max_iter,
                train_loss,
                loss,
                score,
                eta,
            )
            if plan.callback(progress):
                raise StopFit
        return stop

    def _criterion(self) -> str:
        stops = None if self.validation is None else self.validation.stops
        what = "objective" if stops is None else f"validation {stops}"
        return f"the {what} has not improved by tol = {self.plan.tol:g} for {self.plan.patience} epochs"

    def _save_if_due(self) -> None:
        plan = self.plan
        now = perf_counter()
        if plan.checkpoint is None or now - self.written < plan.checkpoint_every:
            return
        state = {
            "fit": plan.fingerprint,
            "sgd": self.sgd.state_dict(),
            "recorder": self.recorder.state_dict(),
            "stopping": self.stopping.state_dict(),
            "best": self.best,
            "epochs": self.epochs,
            "batches": self.batches,
            "loss": self.loss,
            "weight": self.weight,
            "seconds": self.seconds + now - self.started,
        }
        _sgd_checkpoint.save(plan.checkpoint, state)
        self.written = perf_counter()

    def _resume(self) -> None:
        if self.plan.checkpoint is None:
            return
        state = _sgd_checkpoint.load(self.plan.checkpoint, *STATE)
        if state is None:
            return
        _sgd_checkpoint.compare(self.plan.checkpoint, state["fit"], self.plan.fingerprint)
        self.sgd.load_state_dict(state["sgd"])
        self.recorder.load_state_dict(state["recorder"])
        self.stopping.load_state_dict(state["stopping"])
        self.best = state["best"]
        self.epochs, self.batches = state["epochs"], state["batches"]
        self.loss, self.weight, self.seconds = state["loss"], state["weight"], state["seconds"]
        if self.plan.verbose:
            print(
                f"{self.plan.title}: goes on from {str(self.plan.checkpoint)!r}, after "
                f"{self.epochs} epochs and {self.batches} batches"
            )


def train_batch(sgd: Any, batch: Batch, shuffle: bool, epoch: int) -> float:
    """Learn from a batch, and return its mean loss."""
    options: dict[str, Any]
    if batch.rows is None:
        options = {"shuffle": shuffle}
    elif shuffle:
        options = {"order": batch.rows[sgd._random_order(len(batch.rows))]}
    else:
        options = {"order": batch.rows}
    try:
        return float(sgd.epoch(batch.X, batch.y, batch.weights, **options))
    except ValueError as error:
        if _all_finite(sgd.coef) and _all_finite(sgd.intercept):  # a label outside the domain
            raise ValueError(batch.place + str(error)) from None
    # scikit-learn's words
    raise ValueError(
        f"Floating-point under-/overflow occurred at epoch #{epoch}. Scaling input data with "
        f"StandardScaler or MinMaxScaler might help, as may a smaller eta0."
    )


def mean_loss(losses: Any, weights: Any, outputs: int) -> float:
    """Return the mean over some problems, given the sums of each."""
    used = np.asarray(weights > 0)
    if not used.any():
        return math.nan
    return float((losses[used] / weights[used]).sum() / outputs)


def effective(sgd: Any, average: int) -> tuple[Any, Any]:
    """Return coefficients and intercept: averages, if averaging has begun."""
    if average and sgd.t - 1 >= average:
        return sgd.average_coef, sgd.average_intercept
    return sgd.coef, sgd.intercept


def _all_finite(values: Any) -> bool:
    return bool(np.isfinite(values).all())


def _with_intercept(coef: Any, intercept: Any) -> npt.NDArray[Any]:
    rows = np.atleast_2d(coef)
    whole = np.column_stack([rows, np.broadcast_to(np.ravel(intercept), len(rows))])
    return whole if np.ndim(coef) == 2 else whole[0]
