"""Linear regression by stochastic gradient descent, with any regression loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import metadata_routing

import fastloss as fl
from fastloss.linear_model._base import Regressor, SparseCoef
from fastloss.linear_model._losses import NUMBERS
from fastloss.linear_model._progress import Callback
from fastloss.linear_model._sgd_base import ONE_CALL, SGDBase
from fastloss.linear_model._sgd_losses import sgd_loss


class SGDRegressor(Regressor, SparseCoef, SGDBase):
    """
    Linear regression by stochastic gradient descent, with any regression loss of fastloss.

    Minimises the weighted mean loss + alpha * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 *
    sum(w**2)); the intercept is not penalised. Parameters, attributes and steps are those of
    ``sklearn.linear_model.SGDRegressor``; the parameters from `batch_size` on are additions. The
    features should be of like scale.

    Parameters
    ----------
    loss : str or loss, default="squared_error"
        A name or an instance, as ``fl.Huber(delta=1.35)``. As in scikit-learn the name "squared_error"
        is half the squared error, and the names "huber", "epsilon_insensitive" and
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
    random_state : int, RandomState or None, default=None
        Seed of the orders and of the samples that are set aside.
    learning_rate : str, default="invscaling"
        "constant": eta0; "optimal": 1 / (alpha * (t + t0)); "invscaling": eta0 / t**power_t;
        "adaptive": eta0, divided by 5 whenever the fit would end, until 1e-6; "pa1", "pa2":
        passive-aggressive, with the epsilon-insensitive loss.
    eta0 : float, default=0.01
        Initial learning rate, but of "optimal"; the aggressiveness of "pa1" and "pa2".
    power_t : float, default=0.25
        The exponent of "invscaling".
    early_stopping : bool, default=False
        Whether to set samples aside and stop by them.
    validation_fraction : float, default=0.1
        The share of samples that is set aside.
    n_iter_no_change : int, default=5
        Epochs without improvement after which the fit ends.
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
        What early stopping goes by: the validation loss, or a scorer of scikit-learn; None is R².
    restore_best : bool, default=False
        Whether to end with the state of the best epoch, by the validation samples, which it needs.
    n_jobs : int, optional
        Threads; -1 for all.
    lock_free : bool, default=False
        Whether threads take rows of sparse X at the same time, each on coefficients of its own that
        meet from time to time: with a batch_size of 1, no L1, no momentum, no average, and n_jobs of 2
        or more.
        **What is learnt then depends on n_jobs**: see `LinearSGD`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the dtype of X.
    intercept_ : ndarray of shape (1,)
        The intercept, float64.
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
    >>> import numpy as np
    >>> from fastloss.linear_model import SGDRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3))
    >>> y = X @ [1.0, 2.0, 3.0]
    >>> SGDRegressor(random_state=0).fit(X, y).coef_.round(1)
    array([1., 2., 3.])
    """

    __metadata_request__fit = dict.fromkeys(ONE_CALL, metadata_routing.UNUSED)

    def __init__(
        self,
        loss: Any = "squared_error",
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
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
        batch_size: int = 1,
        momentum: float = 0.0,
        nesterov: bool = False,
        optimizer: Any = "sgd",
        clip_gradient: float | None = None,
        scoring: Any = None,
        restore_best: bool = False,
        n_jobs: int | None = None,
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
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.momentum = momentum
        self.nesterov = nesterov
        self.optimizer = optimizer
        self.clip_gradient = clip_gradient
        self.scoring = scoring
        self.restore_best = restore_best
        self.n_jobs = n_jobs
        self.lock_free = lock_free

    def fit(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Any = None,
        callback: Callback | None = None,
        checkpoint: Any = None,
        checkpoint_every: float = 60.0,
    ) -> SGDRegressor:
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
            Targets; None for batches; the name of a column for Arrow data.
        coef_init : array-like of shape (n_features,), optional
            Coefficients to start from.
        intercept_init : array-like of shape (1,), optional
            Intercept to start from.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples, finite and not negative.
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
            None,
            validation_data,
            callback,
            checkpoint,
            checkpoint_every,
        )
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> SGDRegressor:
        """
        Learn from some samples once, and keep what has been learnt before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or batches
            As for `fit`; batches are gone through once.
        y : array-like of shape (n_samples,), optional
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.

        Returns
        -------
        self
            The estimator.
        """
        self._partial_fit(X, y, None, sample_weight)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the target: the raw prediction under the inverse link of the loss.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        raw = self._raw_prediction(X).ravel()
        return np.asarray(self.loss_.predict(raw))

    def _choose_loss(self) -> Any:
        loss = sgd_loss(self.loss, self.epsilon, NUMBERS, "numbers")
        if self.learning_rate in ("pa1", "pa2") and not isinstance(loss, fl.EpsilonInsensitive):
            raise ValueError(
                f"Learning rate '{self.learning_rate}' only works with loss 'epsilon_insensitive'."
            )
        return loss

    def _encode(self, y: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        return np.asarray(y, dtype)

    def _machine(self) -> dict[str, Any]:
        return {}

    def _publish(self, coef: Any, intercept: Any) -> None:
        self.coef_ = np.array(coef).reshape(-1)
        self.intercept_ = np.array(intercept, np.float64).reshape(-1)  # as in scikit-learn

    def _start(self, coef: Any, intercept: Any, dtype: Any) -> tuple[Any, Any]:
        if coef is not None:
            coef = np.asarray(coef, dtype).ravel()
            if coef.shape != (self.n_features_in_,):
                raise ValueError("Provided coef_init does not match dataset.")
        if intercept is not None:
            intercept = np.asarray(intercept, np.float64)
            if intercept.shape not in ((), (1,)):
                raise ValueError("Provided intercept_init does not match dataset.")
            intercept = intercept.reshape(())
        return coef, intercept

    def _loss_of(self, y: Any, raw: Any, weights: npt.NDArray[np.float64] | None) -> float:
        return float(self.loss_.loss(y, np.asarray(raw).ravel(), weights))

    def _y_options(self) -> dict[str, Any]:
        return {"y_numeric": True}
