"""Training by stochastic gradient descent, in steps of a few rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastloss.linear_model import SGDClassifier, SGDRegressor
from fastloss.linear_model._losses import CLASSES
from fastloss.linear_model._sgd_history import EpochProgress
from fastloss.linear_model._solvers.solution import INTERRUPTED, STOPPED
from fastloss.train.errors import InputError
from fastloss.train.problem import Curve, Options, Outcome, Part, Problem, Step
from fastloss.train.target import learnt_loss
from fastloss.train.units import units

_BATCH_SIZE = 32
_RATE = 0.5  # times 1 / (the curvature along a row of the mean length)
# of steps that are measured by their gradients: times the unit of a raw prediction
_OPTIMIZER_RATES = {"adam": 0.02, "rmsprop": 0.02, "adagrad": 0.3}
_LEAST_RATE = 1e-6  # at which "adaptive" ends
_ROOM = 5.0**3  # for three divisions by 5
_ATTEMPTS, _SLOWER = 6, 0.1  # where steps diverge, as on rows of very different lengths


def train(problem: Problem, options: Options, on_step: Callable[[Step], None], /) -> Outcome:
    """
    Fit an `SGDClassifier` or an `SGDRegressor`, from the best constant on.

    The rate follows from the units of the loss and, of plain steps, the lengths of the rows; it is
    divided by 5 whenever the training loss does not fall any more. With a patience, and after Ctrl-C,
    the model is that of the epoch of the lowest validation loss.

    Raises
    ------
    InputError
        If the loss rises however small the steps are.
    """
    loss = learnt_loss(problem.loss, problem.classes)
    start = _best_constant(problem, loss)
    first = [
        _constant_loss(problem, loss, start, p) for p in (problem.training, problem.validation)
    ]
    unit = units(problem)
    if options.optimizer in _OPTIMIZER_RATES:
        rate = _OPTIMIZER_RATES[options.optimizer] * math.sqrt(unit.loss / unit.curvature)
    else:
        rate = _RATE / (unit.curvature * (1.0 + _mean_square(problem.training.X)))
    for _ in range(_ATTEMPTS):
        watch = _Watch((first[0], first[1]), first[0] + unit.loss, rate, options, on_step)
        estimator = _fit(problem, loss, start, rate, options.tol * unit.loss, options, watch)
        if estimator is not None and not watch.diverged:
            return _outcome(estimator, watch, options)
        rate *= _SLOWER
    raise InputError(
        f"--solver sgd: the training loss rises from {first[0]:.6g}, the best constant's, at a rate of "
        f"{rate / _SLOWER:.3g}, too; expected columns without extreme values, or another --solver"
    )


def _fit(
    problem: Problem,
    loss: Any,
    start: NDArray[np.float64],
    rate: float,
    tol: float,
    options: Options,
    watch: _Watch,
) -> Any:
    """Return a fitted estimator; None if the coefficients overflowed."""
    cls: Any = SGDRegressor if problem.classes is None else SGDClassifier
    estimator = cls(
        loss,
        penalty="elasticnet" if options.l1_ratio else "l2",
        alpha=options.alpha,
        l1_ratio=options.l1_ratio,
        max_iter=options.max_iter,
        tol=tol,
        random_state=options.seed,
        learning_rate="adaptive" if rate > _ROOM * _LEAST_RATE else "invscaling",
        eta0=rate,
        power_t=0.25,
        optimizer=options.optimizer,
        batch_size=_BATCH_SIZE if options.batch_size is None else options.batch_size,
        restore_best=options.patience is not None,
        n_jobs=options.n_threads,
    )
    training, validation = problem.training, problem.validation
    weights = training.weights
    if weights is not None:
        weights = weights / weights.mean()  # as the rate supposes
    held_out = (validation.X, validation.labels, validation.weights)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the report tells
            return estimator.fit(
                training.X,
                training.labels,
                intercept_init=start,
                sample_weight=weights,
                validation_data=held_out[: 2 if validation.weights is None else 3],
                callback=watch,
            )
    except ValueError as error:
        if "overflow" in str(error):
            return None
        raise


class _Watch:
    """The callback of a fit: the curve, the patience, and whether the loss rises without bound."""

    def __init__(
        self,
        first: tuple[float, float],
        highest: float,
        rate: float,
        options: Options,
        on_step: Callable[[Step], None],
    ) -> None:
        self.curve = Curve([first])
        self.diverged = False
        self._highest, self._rate = highest, rate
        self._options, self._on_step = options, on_step
        self._best, self._lowest = 0, math.inf  # epoch, and the validation loss after it

    def __call__(self, progress: EpochProgress) -> bool:
        """Take note of one epoch; return whether it is time to end."""
        training, validation = progress.train_loss, progress.validation_loss
        if not training <= self._highest:
            self.diverged = True
            return True
        validation = math.inf if math.isnan(validation) else validation
        self.curve.points.append((training, validation))
        if validation < self._lowest:
            self._best, self._lowest = progress.iteration, validation
        share = max(
            progress.iteration / max(progress.max_iter, 1),
            math.log(self._rate / progress.learning_rate) / math.log(self._rate / _LEAST_RATE)
            if self._rate > _ROOM * _LEAST_RATE
            else 0.0,
        )
        self._on_step(Step(progress.iteration, training, validation, min(share, 1.0)))
        patience = self._options.patience
        return patience is not None and progress.iteration - self._best >= patience


def _outcome(estimator: Any, watch: _Watch, options: Options) -> Outcome:
    history = estimator.history_
    ended = history.reason
    if ended == STOPPED:
        ended = f"no lower validation loss for {options.patience} epochs"
    interrupted = history.reason == INTERRUPTED
    return Outcome(
        estimator,
        "epoch",
        [watch.curve],
        history.best_epoch if interrupted or options.patience is not None else None,
        ended,
        history.converged or history.reason == STOPPED,
        interrupted,
    )


def _mean_square(X: Any) -> float:
    """Return the mean of the squared lengths of the rows: of all, for a few may hold most of it."""
    numbers = X.data[np.newaxis] if hasattr(X, "indptr") else X
    return float(np.einsum("ij,ij->", numbers, numbers, dtype=np.float64) / X.shape[0])


def _best_constant(problem: Problem, loss: Any) -> NDArray[np.float64]:
    """Return the intercepts of the best model without features, as the estimators take them."""
    part = problem.training
    if problem.classes is None or (len(problem.classes) == 2 and loss.name not in CLASSES):
        return np.array([loss.initial_prediction(part.codes, part.weights)], np.float64)
    if loss.name not in CLASSES:
        each = [_against_the_rest(part, k) for k in range(len(problem.classes))]
        return np.array([loss.initial_prediction(y, part.weights) for y in each], np.float64)
    scores = np.asarray(loss.initial_prediction(part.codes, part.weights), np.float64)
    return scores[1:] - scores[:1] if len(problem.classes) == 2 else scores


def _constant_loss(problem: Problem, loss: Any, start: NDArray[np.float64], part: Part) -> float:
    """Return the mean loss of the best constant; one against the rest, the mean of the classes."""
    n = len(part.codes)
    if loss.name in CLASSES:
        scores = np.concatenate([-start / 2, start / 2]) if len(start) == 1 else start
        return float(loss.loss(part.codes, np.tile(scores, (n, 1)), part.weights))
    if len(start) == 1:
        return float(loss.loss(part.codes, np.full(n, start[0]), part.weights))
    losses = [
        loss.loss(_against_the_rest(part, k), np.full(n, score), part.weights)
        for k, score in enumerate(start)
    ]
    return float(np.mean(losses))


def _against_the_rest(part: Part, k: int) -> NDArray[np.int8]:
    return np.asarray(part.codes == k, np.int8)
