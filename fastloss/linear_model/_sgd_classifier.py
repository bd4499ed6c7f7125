"""Linear classification by stochastic gradient descent, with any classification loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import metadata_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import fastloss as fl
from fastloss.linear_model._classifier_base import (
    LinearClassifierBase,
    log_softmax,
    probabilities,
)
from fastloss.linear_model._losses import (
    CLASSES,
    TWO_CLASSES,
    has_probabilities,
    threshold,
)
from fastloss.linear_model._progress import Callback
from fastloss.linear_model._sgd_base import ONE_CALL
from fastloss.linear_model._sgd_classes import SGDClasses
from fastloss.linear_model._sgd_losses import SIGNS, sgd_loss

_ALLOWED = TWO_CLASSES | CLASSES | SIGNS | {"perceptron"}


def _with_probabilities(estimator: Any) -> bool:
    loss = sgd_loss(estimator.loss, estimator.epsilon, _ALLOWED, "classes")
    if has_probabilities(loss):
        return True
    raise AttributeError(f"probability estimates are not available for loss={estimator.loss!r}")


class SGDClassifier(LinearClassifierBase, SGDClasses):
    """
    Linear classification by stochastic gradient descent, with any classification loss of fastloss.

    Minimises the weighted mean loss + alpha * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 *
    sum(w**2)); the intercept is not penalised. Parameters, attributes and steps are those of
    ``sklearn.linear_model.SGDClassifier``; the parameters from `batch_size` on are additions. The
    features should be of like scale.

    A loss of two classes learns more of them one against the rest, all in the same epochs. A loss of
    several classes, as ``loss="cross_entropy"``, learns them together, and two of them as well; coef_
    is then the difference of their coefficients.

    Parameters
    ----------
    loss : str or loss, default="hinge"
        A name or an instance, as ``fl.Focal(gamma=2.0)``. "hinge" is a linear support vector machine,
        "log_loss" logistic regression, one against the rest, and "cross_entropy" softmax regression.
        Losses of numbers take the classes as -1 and 1; as in scikit-learn the name "squared_error" is
        half the squared error, and the names "huber", "epsilon_insensitive" and
        "squared_epsilon_insensitive" take their threshold from `epsilon`.
    penalty : {"l2", "l1", "elasticnet"} or None, default="l2"
        The penalty.
    alpha : float, default=0.0001
        Strength of the penalty; also sets the learning rate "optimal".
    l1_ratio : float, default=0.15
        Share of the L1 penalty in "elasticnet".
    fit_intercept : bool, default=True
        Whether there is an intercept.
    max_iter : int, default=1000
        Epochs at most, of `fit`.
    tol : float or None, default=1e-3
        The fit ends when the training objective, or with `early_stopping` the validation score or
        loss, has not improved by tol for `n_iter_no_change` epochs; None never ends it.
    shuffle : bool, default=True
        Whether each epoch visits the samples in an order of its own.
    verbose : int, default=0
        1 prints a line per epoch, 2 also one per batch.
    epsilon : float, default=0.1
        Threshold of the losses named above.
    n_jobs : int, optional
        Threads; -1 for all.
    random_state : int, RandomState or None, default=None
        Seed of the orders and of the samples that are set aside.
    learning_rate : str, default="optimal"
        "constant": eta0; "optimal": 1 / (alpha * (t + t0)); "invscaling": eta0 / t**power_t;
        "adaptive": eta0, divided by 5 whenever the fit would end, until 1e-6; "pa1", "pa2":
        passive-aggressive, with the hinge loss.
    eta0 : float, default=0.01
        Initial learning rate, but of "optimal"; the aggressiveness of "pa1" and "pa2".
    power_t : float, default=0.5
        The exponent of "invscaling".
    early_stopping : bool, default=False
        Whether to set samples aside and stop by them.
    validation_fraction : float, default=0.1
        The share of samples that is set aside.
    n_iter_no_change : int, default=5
        Epochs without improvement after which the fit ends.
    class_weight : dict or "balanced", optional
        Weights of the classes, that multiply those of the samples; one against the rest, a class's
        weight is that of its own samples, and 1 that of the rest, as in scikit-learn.
    warm_start : bool, default=False
        Whether `fit` starts from the last coefficients.
    average : bool or int, default=False
        Whether coef_ is the mean over all steps; an integer is the step from which on.
    batch_size : int, default=1
        Samples of a step, whose mean gradient is taken.
    momentum : float, default=0.0
        Momentum of the steps, in [0, 1).
    nesterov : bool, default=False
        Whether the momentum, which must be greater than 0 then, is Nesterov's.
    optimizer : str or Optimizer, default="sgd"
        What makes a step of the gradient of its batch: "sgd" plain steps, by all the parameters here;
        "adam", "adamw", "adagrad", "rmsprop" or "ftrl" those of ``fl.optim``, at the rate that
        `learning_rate` makes of eta0 ("optimal": constant); an instance, as ``fl.optim.Adam(lr=0.01)``,
        at its own rate or schedule, where of `learning_rate` only "adaptive" counts. L2's part of alpha
        joins the weight decay, the decoupled one of AdamW; L1 needs "sgd" or FTRL, whose penalties
        weigh against the sum of all steps' losses. An instance is not changed.
    clip_gradient : float, optional
        Bound of the gradient of a step.
    scoring : "loss", str, callable or None, default=None
        What early stopping goes by: the validation loss, or a scorer of scikit-learn, whose score
        `history_` has of any validation samples, which it needs; None is the accuracy.
    restore_best : bool, default=False
        Whether to end with the state of the best epoch, by the validation samples, which it needs.
    lock_free : bool, default=False
        Whether threads take rows of sparse X at the same time, each on coefficients of its own that
        meet from time to time: with a batch_size of 1, no L1, no momentum, no average, and n_jobs of at
        least twice the outputs.
        **What is learnt then depends on n_jobs**: see `LinearSGD`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the dtype of X.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    loss_ : loss
        The loss that was minimised.
    n_iter_ : int
        Epochs made.
    t_ : float
        Steps made, plus 1: with a batch_size of 1 the samples learnt from; those up to the best epoch
        if its state is kept.
    history_ : History
        Losses, learning rate and time of each epoch, whether overfitting began, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastloss.linear_model import SGDClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SGDClassifier("cross_entropy", random_state=0).fit(X - X.mean(axis=0), y)
    >>> model.score(X - X.mean(axis=0), y) > 0.9
    True
    """

    # the classes of a fit belong to its batches
    __metadata_request__fit = dict.fromkeys((*ONE_CALL, "classes"), metadata_routing.UNUSED)

    def __init__(
        self,
        loss: Any = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: bool | int = False,
        batch_size: int = 1,
        momentum: float = 0.0,
        nesterov: bool = False,
        optimizer: Any = "sgd",
        clip_gradient: float | None = None,
        scoring: Any = None,
        restore_best: bool = False,
        lock_free: bool = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.momentum = momentum
        self.nesterov = nesterov
        self.optimizer = optimizer
        self.clip_gradient = clip_gradient
        self.scoring = scoring
        self.restore_best = restore_best
        self.lock_free = lock_free

    def fit(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
        *,
        classes: Any = None,
        validation_data: Any = None,
        callback: Callback | None = None,
        checkpoint: Any = None,
        checkpoint_every: float = 60.0,
    ) -> SGDClassifier:
        """
        Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or batches
            Features; float32 stays float32. Batches are an iterator, an iterable or a callable that
            returns an iterator of (X, y) or (X, y, sample_weight); an iterator is gone through once.
            A C-contiguous memory map is not copied. Arrow data, and the Parquet file that a path
            names, are read in batches.
        y : array-like of shape (n_samples,), optional
            Classes, of any type; None for batches; the name of a column for Arrow data.
        coef_init : array-like of shape (1, n_features) or (n_classes, n_features), optional
            Coefficients to start from.
        intercept_init : array-like of shape (1,) or (n_classes,), optional
            Intercepts to start from.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples, finite and not negative.
        classes : array-like of shape (n_classes,), optional
            All classes, for batches: else the labels are gone through once before the first epoch,
            which an iterator cannot be.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Samples by which each epoch is judged, in place of some that are set aside.
        callback : callable, optional
            Called with an `EpochProgress` after each epoch; a true result ends the fit.
        checkpoint : path, optional
            Where the state is kept. If the file exists, the fit goes on from it, and ends with the
            same bits as one that was not interrupted; when the fit has ended it is removed.
        checkpoint_every : float, default=60.0
            Seconds between two writings of the checkpoint, at the end of a batch or an epoch.

        Returns
        -------
        self
            The fitted estimator.
        """
        self._fit(
            X,
            y,
            coef_init,
            intercept_init,
            sample_weight,
            classes,
            validation_data,
            callback,
            checkpoint,
            checkpoint_every,
        )
        return self

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> SGDClassifier:
        """
        Learn from some samples once, and keep what has been learnt before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or batches
            As for `fit`; batches are gone through once.
        y : array-like of shape (n_samples,), optional
            Classes.
        classes : array-like of shape (n_classes,), optional
            All classes; the first call needs them.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.

        Returns
        -------
        self
            The estimator.
        """
        self._partial_fit(X, y, classes, sample_weight)
        return self

    @available_if(_with_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the probabilities of the classes, with losses that have them.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities. One against the rest they are scaled so that they sum to 1.
        """
        check_is_fitted(self)
        raw = self._raw_prediction(X)
        return probabilities(self.loss_, raw.reshape(-1) if raw.shape[1] == 1 else raw)

    @available_if(_with_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the logarithms of the probabilities of the classes, with losses that have them.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of what `predict_proba` returns; of softmax, and of the log loss of two classes,
            finite also where a probability is too small for a float.
        """
        check_is_fitted(self)
        two_scores = len(self.classes_) == 2 and isinstance(self.loss_, fl.LogLoss)
        if two_scores or isinstance(self.loss_, fl.CrossEntropy):
            return log_softmax(self.decision_function(X))
        return np.asarray(np.log(self.predict_proba(X)))

    def _choose_loss(self) -> Any:
        loss = sgd_loss(self.loss, self.epsilon, _ALLOWED, "classes")
        if self.learning_rate in ("pa1", "pa2") and not isinstance(loss, fl.Hinge):
            raise ValueError(f"Learning rate '{self.learning_rate}' only works with loss 'hinge'.")
        return loss

    def _labels(self, codes: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        if self.loss_.name in SIGNS or self.loss_.name in CLASSES:
            return codes
        # as the machine reads them, epoch by epoch
        return codes.astype(dtype if len(self.classes_) == 2 else np.int64)

    def _machine(self) -> dict[str, Any]:
        n_classes = len(self.classes_)
        options: dict[str, Any] = {"class_weight": self._class_weight}
        if self.loss_.name in SIGNS:
            options["n_classes"] = n_classes
        elif self.loss_.name in CLASSES:
            options["n_outputs"] = n_classes
        elif n_classes > 2:
            options.update(n_outputs=n_classes, one_vs_rest=True)
        return options

    def _outputs(self) -> int:
        n_classes = len(self.classes_)
        return 1 if self.loss_.name in CLASSES or n_classes == 2 else n_classes

    def _publish(self, coef: Any, intercept: Any) -> None:
        coef, intercept = np.atleast_2d(np.array(coef)), np.ravel(np.array(intercept))
        if self.loss_.name in CLASSES and len(coef) == 2:
            coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        self.coef_, self.intercept_ = coef, intercept.astype(coef.dtype)

    def _start(self, coef: Any, intercept: Any, dtype: Any) -> tuple[Any, Any]:
        rows = 1 if len(self.classes_) == 2 else len(self.classes_)
        d = self.n_features_in_
        if coef is not None:
            coef = np.asarray(coef, dtype)
            if coef.shape != (rows, d) and not (rows == 1 and coef.size == d):
                raise ValueError("Provided coef_init does not match dataset.")
            coef = coef.reshape(rows, d)
        if intercept is not None:
            intercept = np.asarray(intercept, dtype)
            if intercept.shape != (rows,) and not (rows == 1 and intercept.shape == ()):
                raise ValueError("Provided intercept_init does not match dataset.")
            intercept = intercept.reshape(rows)
        if rows == 1 and self.loss_.name in CLASSES:
            return (
                None if coef is None else np.concatenate([-coef / 2, coef / 2]),
                None if intercept is None else np.concatenate([-intercept / 2, intercept / 2]),
            )
        if rows == 1:
            coef = None if coef is None else coef[0]
        return coef, intercept

    def _loss_of(self, y: Any, raw: Any, weights: npt.NDArray[np.float64] | None) -> float:
        own = self._class_weight
        y = y.astype(np.intp, copy=False)
        signs = self.loss_.name in SIGNS
        if self._outputs() == 1:
            if own is not None:
                weights = own[y] if weights is None else weights * own[y]
            if self.loss_.name not in CLASSES:
                raw = np.ravel(raw)
                y = np.where(y, 1, -1).astype(raw.dtype) if signs else y
            return float(self.loss_.loss(y, raw, weights))
        total = 0.0
        for k in range(len(self.classes_)):
            mine = y == k
            each = weights
            if own is not None:
                each = np.where(mine, own[k], 1.0) * (1.0 if weights is None else weights)
            labels = np.where(mine, 1, -1 if signs else 0).astype(raw.dtype)
            total += self.loss_.loss(labels, raw[:, k], each)
        return float(total / len(self.classes_))

    def _threshold(self) -> float:
        return threshold(self.loss_)
