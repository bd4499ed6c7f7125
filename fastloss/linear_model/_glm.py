"""Generalised linear models: Poisson, gamma and Tweedie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.metrics import d2_tweedie_score
from sklearn.utils import check_array

import fastloss as fl
from fastloss._core.arrays import refuse_masked
from fastloss.linear_model._base import LinearRegressorBase
from fastloss.linear_model._fitting import closing, minimise, warn_unless_converged
from fastloss.linear_model._losses import is_convex
from fastloss.linear_model._parameters import nonnegative, one_of, real, switch
from fastloss.linear_model._progress import Callback

_SOLVERS = ("lbfgs", "newton-cholesky")


class GeneralizedLinearRegressor(LinearRegressorBase, ABC):
    """Base of the three: mean loss plus alpha / 2 times the squared coefficients."""

    _positive_only: ClassVar[bool] = True

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "lbfgs",
        max_iter: int = 100,
        tol: float = 1e-4,
        warm_start: bool = False,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> GeneralizedLinearRegressor:
        """
        Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features; float32 stays float32.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples, finite and not negative.
        callback : callable, optional
            Called with a `FitProgress` after each iteration; a true result ends the fit.

        Returns
        -------
        self
            The fitted estimator.
        """
        settings = self._settings(_SOLVERS, callback, least_iter=1)
        alpha = nonnegative("alpha", self.alpha)
        switch("fit_intercept", self.fit_intercept)
        loss, _ = self._loss()
        with closing(callback):
            X, y, weights, _ = self._validate_training(X, y, sample_weight, numeric=True)
            objective = fl.LinearObjective(
                loss,
                X,
                y,
                weights,
                l2=alpha,
                fit_intercept=bool(self.fit_intercept),
                n_threads=self._n_threads(),
            )
            cold = self._cold(loss, X.shape[1], y, weights)
            warm = self._warm_coef(X.shape[1]) if self.warm_start else None
            fitted = minimise(
                objective,
                cold if warm is None else warm,
                settings,
                X,
                weights=weights,
                l2=alpha,
                cold=None if warm is None else lambda: cold,
                convex=is_convex(loss),
            )
        self._keep(fitted, X.dtype)
        warn_unless_converged(settings.title, fitted)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the mean of the target.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted means.
        """
        loss, _ = self._loss()
        return np.asarray(loss.predict(self._raw_prediction(X)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """
        Return D², the share of the deviance that the model explains.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.

        Returns
        -------
        float
            1 at best; 0 for a model that knows the mean alone.
        """
        _, power = self._loss()
        predicted = self.predict(X)
        refuse_masked(y, "y")
        refuse_masked(sample_weight, "sample_weight")
        y = check_array(y, dtype=predicted.dtype, ensure_2d=False)
        return float(d2_tweedie_score(y, predicted, sample_weight=sample_weight, power=power))

    @abstractmethod
    def _loss(self) -> tuple[Any, float]:
        """Return the loss and the power of its deviance."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self._positive_only
        return tags


class PoissonRegressor(GeneralizedLinearRegressor):
    """
    Regression of counts: Poisson loss with log link.

    Minimises mean(exp(f) - y f) + alpha / 2 * sum(w**2), f = X @ coef_ + intercept_. Parameters,
    attributes and optimum are those of ``sklearn.linear_model.PoissonRegressor``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the L2 penalty, 0 for none.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    solver : {"lbfgs", "newton-cholesky"}, default="lbfgs"
        L-BFGS, or Newton's method up to 2000 features.
    max_iter : int, default=100
        Iterations at most.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient is larger.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    verbose : int, default=0
        1 prints a line per iteration.
    n_jobs : int, optional
        Threads; -1 for all.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the dtype of X.
    intercept_ : float
        The intercept.
    n_iter_ : int
        Iterations made, over all samples.
    convergence_ : Convergence
        Objective, gradient and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models, 1989, chapter 6.

    Examples
    --------
    >>> from fastloss.linear_model import PoissonRegressor
    >>> model = PoissonRegressor().fit([[1, 2], [2, 3], [3, 4], [4, 3]], [12, 17, 22, 21])
    >>> round(model.score([[1, 2], [2, 3], [3, 4], [4, 3]], [12, 17, 22, 21]), 2)
    0.99
    """

    def _loss(self) -> tuple[Any, float]:
        return fl.Poisson(), 1.0


class GammaRegressor(GeneralizedLinearRegressor):
    """
    Regression of positive amounts: gamma loss with log link.

    Minimises mean(f + y exp(-f)) + alpha / 2 * sum(w**2), f = X @ coef_ + intercept_. Parameters,
    attributes and optimum are those of ``sklearn.linear_model.GammaRegressor``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the L2 penalty, 0 for none.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    solver : {"lbfgs", "newton-cholesky"}, default="lbfgs"
        L-BFGS, or Newton's method up to 2000 features.
    max_iter : int, default=100
        Iterations at most.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient is larger.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    verbose : int, default=0
        1 prints a line per iteration.
    n_jobs : int, optional
        Threads; -1 for all.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the dtype of X.
    intercept_ : float
        The intercept.
    n_iter_ : int
        Iterations made, over all samples.
    convergence_ : Convergence
        Objective, gradient and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models, 1989, chapter 8.

    Examples
    --------
    >>> from fastloss.linear_model import GammaRegressor
    >>> model = GammaRegressor().fit([[1, 2], [2, 3], [3, 4], [4, 3]], [19, 26, 33, 30])
    >>> round(model.score([[1, 2], [2, 3], [3, 4], [4, 3]], [19, 26, 33, 30]), 2)
    0.77
    """

    def _loss(self) -> tuple[Any, float]:
        return fl.Gamma(), 2.0


class TweedieRegressor(GeneralizedLinearRegressor):
    """
    Regression with a Tweedie distribution, whose variance is a power of its mean.

    Minimises the mean of half the deviance + alpha / 2 * sum(w**2). Parameters, attributes and optimum
    are those of ``sklearn.linear_model.TweedieRegressor``.

    Parameters
    ----------
    power : float, default=0.0
        0 for normal, 1 for Poisson, between 1 and 2 for compound Poisson, 2 for gamma and 3 for
        inverse Gaussian distributions; not between 0 and 1.
    alpha : float, default=1.0
        Strength of the L2 penalty, 0 for none.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    link : {"auto", "identity", "log"}, default="auto"
        How the linear prediction gives the mean: "auto" is "identity" for power <= 0, else "log". With
        "identity" and another power than 0 the mean must be positive for every training sample where
        the fit starts.
    solver : {"lbfgs", "newton-cholesky"}, default="lbfgs"
        L-BFGS, or Newton's method up to 2000 features.
    max_iter : int, default=100
        Iterations at most.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient is larger.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    verbose : int, default=0
        1 prints a line per iteration.
    n_jobs : int, optional
        Threads; -1 for all.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the dtype of X.
    intercept_ : float
        The intercept.
    n_iter_ : int
        Iterations made, over all samples.
    convergence_ : Convergence
        Objective, gradient and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    References
    ----------
    Jørgensen, Exponential dispersion models, Journal of the Royal Statistical Society B, 1987.

    Examples
    --------
    >>> from fastloss.linear_model import TweedieRegressor
    >>> model = TweedieRegressor(power=1.5).fit([[1, 2], [2, 3], [3, 4], [4, 3]], [2, 3.5, 5, 5.5])
    >>> round(model.score([[1, 2], [2, 3], [3, 4], [4, 3]], [2, 3.5, 5, 5.5]), 2)
    0.91
    """

    def __init__(
        self,
        *,
        power: float = 0.0,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        link: str = "auto",
        solver: str = "lbfgs",
        max_iter: int = 100,
        tol: float = 1e-4,
        warm_start: bool = False,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
            n_jobs=n_jobs,
        )
        self.power = power
        self.link = link

    def _loss(self) -> tuple[Any, float]:
        link = one_of("link", self.link, ("auto", "identity", "log"))
        real("power", self.power)
        identity = link == "identity" or (link == "auto" and self.power <= 0)
        loss = fl.TweedieIdentity(self.power) if identity else fl.Tweedie(self.power)
        return loss, float(self.power)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = isinstance(self.power, int | float) and self.power >= 1
        return tags
