"""Training by the estimators of `fastloss.linear_model`, which see all rows in each iteration."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastloss import LinearObjective
from fastloss.linear_model import FitProgress, LinearClassifier, LinearRegressor
from fastloss.linear_model._losses import CLASSES
from fastloss.linear_model._solvers.solution import INTERRUPTED, STOPPED
from fastloss.train.errors import InputError
from fastloss.train.problem import Curve, Options, Outcome, Problem, Step
from fastloss.train.target import learnt_loss


def train(problem: Problem, options: Options, on_step: Callable[[Step], None], /) -> Outcome:
    """
    Fit a `LinearClassifier` or a `LinearRegressor`.

    The model is the one that the solver ends with. Where Ctrl-C or the patience ends it, that is the
    one of the lowest validation loss so far.
    """
    cls = LinearRegressor if problem.classes is None else LinearClassifier
    estimator = cls(
        problem.loss,
        alpha=options.alpha,
        l1_ratio=options.l1_ratio,
        solver=options.solver,
        tol=options.tol,
        max_iter=options.max_iter,
        n_jobs=options.n_threads,
    )
    if options.patience is not None and _one_against_the_rest(problem):
        assert problem.classes is not None
        raise InputError(
            f"--patience: the loss {problem.loss.name} learns {len(problem.classes)} classes one after "
            f"another, each against the rest, so that no iteration has a validation loss of them all; "
            f"expected a loss that learns them together, as cross_entropy, or --solver sgd"
        )
    watch = _Watch(estimator, problem, options, on_step)
    training = problem.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the report tells
        estimator.fit(training.X, training.labels, training.weights, callback=watch)
    records = estimator.convergence_
    records = records if isinstance(records, list) else [records]
    reasons = [record.reason for record in records]
    interrupted = INTERRUPTED in reasons
    kept = None
    if (interrupted or STOPPED in reasons) and watch.best is not None:
        kept, coef = watch.best
        _keep(estimator, coef)
    ended = next((r.reason for r in records if not r.converged), reasons[-1])
    if ended == STOPPED:
        ended = f"no lower validation loss for {options.patience} iterations"
    return Outcome(
        estimator,
        "iteration",
        watch.curves,
        kept,
        ended,
        all(record.converged for record in records) or STOPPED in reasons,
        interrupted,
    )


class _Watch:
    """The callback of a fit: the validation loss of each iteration, and the best coefficients."""

    def __init__(
        self,
        estimator: Any,
        problem: Problem,
        options: Options,
        on_step: Callable[[Step], None],
    ) -> None:
        self.estimator, self.problem, self.options = estimator, problem, options
        self.on_step = on_step
        self._one_by_one = _one_against_the_rest(problem)
        self.curves: list[Curve] = []
        self._held_out: Any = None
        self.best: tuple[int, NDArray[np.float64]] | None = None  # iteration and coefficients
        self._lowest = math.inf
        self._first_norm = 0.0
        self._share = 0.0

    def __call__(self, progress: FitProgress) -> bool:
        """Take note of one iteration; return whether the patience is at its end."""
        if progress.iteration == 0:
            self.curves.append(Curve())
            self._held_out = self._validation_objective()
            self._first_norm, self._share = progress.gradient_norm, 0.0
        curve = self.curves[-1]
        training = progress.objective - self._penalty(progress.coef)
        validation = self._held_out.loss(progress.coef)
        validation = math.inf if math.isnan(validation) else validation
        curve.points.append((training, validation))
        if validation < self._lowest and not self._one_by_one:
            self._lowest, self.best = validation, (progress.iteration, progress.coef)
        self._share = max(self._share, self._part_done(progress))
        self.on_step(Step(progress.iteration, training, validation, self._share))
        patience = self.options.patience
        return (
            patience is not None
            and self.best is not None
            and progress.iteration - self.best[0] >= patience
        )

    def _validation_objective(self) -> LinearObjective:
        """Return the mean loss on the validation rows as a function of the coefficients."""
        part = self.problem.validation
        codes = part.codes
        if self._one_by_one:
            codes = (codes == len(self.curves) - 1).astype(np.int8)
        return LinearObjective(
            self.estimator.loss_, part.X, codes, part.weights, n_threads=self.options.n_threads
        )

    def _penalty(self, coef: NDArray[np.float64]) -> float:
        w = coef[..., :-1]
        alpha, l1_ratio = self.options.alpha, self.options.l1_ratio
        squares = 0.5 * (1.0 - l1_ratio) * float(np.sum(w * w))
        return alpha * (l1_ratio * float(np.abs(w).sum()) + squares)

    def _part_done(self, progress: FitProgress) -> float:
        """Return how far the gradient has fallen towards the tolerance, of all classes to learn."""
        done, rounds = len(self.curves) - 1, 1
        if self._one_by_one and self.problem.classes is not None:
            rounds = len(self.problem.classes)
        norm, tol = progress.gradient_norm, progress.tol
        share = progress.iteration / max(progress.max_iter, 1)
        if norm <= tol:
            share = 1.0
        elif tol > 0 and math.isfinite(self._first_norm) and self._first_norm > tol:
            share = max(share, math.log(self._first_norm / norm) / math.log(self._first_norm / tol))
        return min((done + min(max(share, 0.0), 1.0)) / rounds, 1.0)


def _one_against_the_rest(problem: Problem) -> bool:
    """Return whether the estimator learns the classes one after another."""
    if problem.classes is None or len(problem.classes) == 2:
        return False
    return learnt_loss(problem.loss, problem.classes).name not in CLASSES


def _keep(estimator: Any, coef: NDArray[np.float64]) -> None:
    """Give an estimator the coefficients of an earlier iteration."""
    classifies = hasattr(estimator, "classes_")
    if classifies:
        coef = np.atleast_2d(coef)
        if estimator.loss_.name in CLASSES and len(estimator.classes_) == 2:
            coef = coef[1:] - coef[:1]
    estimator._set_coef(coef, estimator.coef_.dtype)
