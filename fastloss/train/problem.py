"""What a trainer is given, what it tells meanwhile, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """
    Rows to train or to validate on.

    Attributes
    ----------
    X : array or CSR matrix of shape (n, d)
        Features.
    labels : ndarray of shape (n,)
        What the estimator is fitted to.
    codes : ndarray of shape (n,)
        The same as the loss takes it: numbers of classes, or numbers.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    """

    X: Any
    labels: NDArray[Any]
    codes: NDArray[Any]
    weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class Problem:
    """
    A loss and the data of one run.

    Attributes
    ----------
    loss : loss
        What is minimised.
    classes : ndarray or None
        The classes, sorted; None for a loss of numbers.
    training, validation : Part
        The rows.
    """

    loss: Any
    classes: NDArray[Any] | None
    training: Part
    validation: Part


@dataclass(frozen=True)
class Options:
    """
    How to train; each trainer takes of it what concerns it.

    Attributes
    ----------
    solver : str
        A name of `fastloss.train.trainers.SOLVERS`.
    alpha, l1_ratio, tol : float
        As the estimators of `fastloss.linear_model` take them.
    max_iter : int
        Iterations or epochs at most.
    patience : int or None
        Steps without a lower validation loss that end the training, None for no such end.
    batch_size : int or None
        Rows of a step of stochastic gradient descent, None for the default.
    n_threads : int or None
        Threads, None for the default.
    seed : int
        Of whatever is drawn at random.
    optimizer : str
        What makes the steps of stochastic gradient descent: a name of
        `fastloss.train.trainers.OPTIMIZERS`.
    """

    solver: str
    alpha: float
    l1_ratio: float
    tol: float
    max_iter: int
    patience: int | None
    batch_size: int | None
    n_threads: int | None
    seed: int
    optimizer: str = "sgd"


@dataclass(frozen=True)
class Step:
    """
    One iteration or epoch.

    Attributes
    ----------
    number : int
        Steps made; 0 before the first.
    training, validation : float
        Mean losses, without the penalty.
    share : float
        About how much of the way is done, from 0 to 1.
    """

    number: int
    training: float
    validation: float
    share: float


@dataclass
class Curve:
    """
    Mean losses step by step, from the start on.

    Attributes
    ----------
    points : list of (float, float)
        Those of training and of validation, without the penalty. In one list, which Ctrl-C cannot
        leave longer than another.
    """

    points: list[tuple[float, float]] = field(default_factory=list)

    @property
    def training(self) -> list[float]:
        """The losses of the rows trained on."""
        return [training for training, _ in self.points]

    @property
    def validation(self) -> list[float]:
        """The losses of the rows held out."""
        return [validation for _, validation in self.points]

    @property
    def best(self) -> int:
        """The step of the lowest validation loss."""
        return int(np.nanargmin(self.validation)) if np.isfinite(self.validation).any() else 0


@dataclass(frozen=True)
class Outcome:
    """
    What a training came to.

    Attributes
    ----------
    estimator : estimator
        Fitted; a scikit-learn estimator.
    unit : str
        What a step is: "iteration" or "epoch".
    curves : list of Curve
        One; or one a class, where each class is learnt against the rest.
    kept : int or None
        The step whose coefficients the estimator has, where that is not the last one.
    ended : str
        Why it ended, in words.
    converged, interrupted : bool
        Whether it reached its end, or was ended by Ctrl-C.
    """

    estimator: Any
    unit: str
    curves: list[Curve]
    kept: int | None
    ended: str
    converged: bool
    interrupted: bool


class Trainer(Protocol):
    """A way to train: ``trainer(problem, options, on_step)``, which calls `on_step` after each step."""

    def __call__(
        self, problem: Problem, options: Options, on_step: Callable[[Step], None], /
    ) -> Outcome:
        """Train."""
