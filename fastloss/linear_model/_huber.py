"""Huber regression with an estimated scale."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.extmath import safe_sparse_dot

from fastloss.linear_model._base import LinearRegressorBase, over_power
from fastloss.linear_model._fitting import (
    Fitted,
    Settings,
    closing,
    conclude,
    minimise,
    minimise_lines,
    one_blas_thread,
    unfitted,
    warn_unless_converged,
)
from fastloss.linear_model._head_start import HeadStart
from fastloss.linear_model._huber_objective import HuberScale
from fastloss.linear_model._huber_start import first_guess, no_slopes, with_large_scale
from fastloss.linear_model._interpolation import interpolation
from fastloss.linear_model._parameters import between, integer, nonnegative, switch, verbosity
from fastloss.linear_model._progress import Callback, Convergence
from fastloss.linear_model._solvers.solution import INTERRUPTED

_NEWTON_FEATURES = 300  # beyond, L-BFGS is quicker than forming Hessians
_GAP = 1e-9
_LEAST_SCALE = 10 * float(np.finfo(np.float64).eps)  # scikit-learn's lower bound


class HuberRegressor(LinearRegressorBase):
    """
    Linear regression that outliers hardly move, whose threshold follows the estimated noise.

    Minimises, together over w, the intercept and sigma, sum(sigma + H(r / sigma) * sigma) + alpha *
    sum(w**2), with the residuals r and H(z) = z**2 for abs(z) < epsilon, else 2 * epsilon * abs(z) -
    epsilon**2. Parameters, attributes and optimum are those of
    ``sklearn.linear_model.HuberRegressor``. For a fixed threshold see
    `LinearRegressor` with ``fl.Huber(delta)``.

    Parameters
    ----------
    epsilon : float, default=1.35
        The threshold in units of sigma, at least 1. At 1 the optimum has sigma = 0, which makes it a
        regression of absolute errors: it is solved as such, and `scale_` is 10 roundings.
    max_iter : int, default=100
        Iterations at most.
    alpha : float, default=0.0001
        Strength of the L2 penalty, 0 for none.
    warm_start : bool, default=False
        Whether to start from the last fit.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    tol : float, default=1e-05
        The fit ends when no entry of the gradient of the mean objective, by w, intercept and
        log(sigma), is larger.
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
    scale_ : float
        sigma.
    outliers_ : ndarray of bool, shape (n_samples,)
        Samples whose residual is beyond epsilon * sigma.
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
    Huber, Ronchetti, Robust Statistics, 2nd edition, 2009, section 7.7.
    Owen, A Robust Hybrid of Lasso and Ridge Regression, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from fastloss.linear_model import HuberRegressor
    >>> X = np.arange(20.0)[:, None]
    >>> y = 3.0 * X[:, 0] + np.tile([-0.1, 0.1], 10)
    >>> y[4] = 1000.0
    >>> model = HuberRegressor().fit(X, y)
    >>> round(float(model.coef_[0]), 1), np.flatnonzero(model.outliers_)
    (3.0, array([4]))
    """

    scale_: float
    outliers_: npt.NDArray[np.bool_]
    n_iter_: int
    convergence_: Convergence

    def __init__(
        self,
        *,
        epsilon: float = 1.35,
        max_iter: int = 100,
        alpha: float = 0.0001,
        warm_start: bool = False,
        fit_intercept: bool = True,
        tol: float = 1e-05,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> HuberRegressor:
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
        epsilon = between("epsilon", self.epsilon, 1.0, 1e100)
        alpha = nonnegative("alpha", self.alpha)
        fit_intercept = switch("fit_intercept", self.fit_intercept)
        with closing(callback):
            X, y, weights, exponent = self._validate_training(X, y, sample_weight, numeric=True)
            settings = Settings(
                "newton-cholesky" if X.shape[1] <= _NEWTON_FEATURES else "lbfgs",
                nonnegative("tol", self.tol),
                integer("max_iter", self.max_iter, 0),
                verbosity(self.verbose),
                callback,
                "HuberRegressor",
            )
            total = float(len(y) if weights is None else weights.sum())
            alpha = over_power(alpha, exponent)  # it stands beside a sum of weights
            if math.isinf(alpha / total):
                raise ValueError(
                    f"alpha = {self.alpha!r}: the penalty over the sum of the weights is infinite; "
                    f"expected a smaller number"
                )
            through = interpolation(X, y, weights, epsilon, alpha, fit_intercept)
            if through is not None:
                length = float(np.sum(through[: X.shape[1]] ** 2))
                reason = "the model goes through all samples, and the scale is 0"
                fitted = conclude(through, alpha / total * length, reason, settings)
                linear, self.scale_ = through, _LEAST_SCALE
            elif epsilon == 1:
                # the objective falls with sigma to 2 abs(r), at sigma = 0
                lines = (y, np.full(len(y), -2.0), np.full(len(y), 2.0))
                fitted = minimise_lines(
                    lines,
                    X,
                    weights,
                    replace(settings, tol=min(settings.tol, _GAP)),
                    l1=0.0,
                    l2=2 * alpha / total,
                    fit_intercept=fit_intercept,
                )
                linear, self.scale_ = fitted.coef, _LEAST_SCALE
            else:
                with one_blas_thread(X.size):
                    fitted = self._fit_scale(
                        X, y, weights, epsilon, alpha / total, fit_intercept, settings
                    )
                linear, self.scale_ = fitted.coef[:-1], float(np.exp(fitted.coef[-1]))
        self._keep(replace(fitted, coef=linear), X.dtype)
        with one_blas_thread(X.size):
            residuals = np.asarray(safe_sparse_dot(X, self.coef_))
        np.subtract(y, residuals, out=residuals)
        residuals -= self.intercept_
        self.outliers_ = np.abs(residuals, out=residuals) > epsilon * self.scale_
        warn_unless_converged("HuberRegressor", fitted)
        return self

    def _fit_scale(
        self,
        X: Any,
        y: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        epsilon: float,
        l2: float,
        fit_intercept: bool,
        settings: Settings,
    ) -> Fitted:
        """Return coefficients and log(sigma)."""
        whole = HuberScale(X, y, weights, epsilon, l2, fit_intercept, self._n_threads())

        def cold() -> npt.NDArray[np.float64]:
            return no_slopes(y, weights, whole.d, fit_intercept)

        warm = self._warm_start(whole.d) if self.warm_start else None
        start = np.zeros(whole.n_coef + 1) if warm is None else warm
        try:
            if warm is not None:
                ahead = HeadStart(warm)
            elif settings.solver == "lbfgs" or not settings.max_iter:
                ahead = HeadStart(cold())
            else:
                ahead = first_guess(whole)
            start = ahead.coef
            if not ahead.interrupted:
                start = with_large_scale(start, whole)
        except KeyboardInterrupt:
            return unfitted(start, INTERRUPTED, settings)
        if ahead.interrupted:
            return unfitted(start, INTERRUPTED, settings)
        if start is not ahead.coef:
            ahead = HeadStart(start, hessian=ahead.hessian)
        return minimise(
            whole,
            start,
            settings,
            X,
            weights=weights,
            report_shape=(whole.n_coef,),
            cold=cold,
            ahead=ahead,
        )

    def _warm_start(self, n_features: int) -> npt.NDArray[np.float64] | None:
        """Return coefficients and log(sigma) of the last fit, if it had as many features."""
        linear = self._warm_coef(n_features)
        if linear is None or not self.scale_ > _LEAST_SCALE:
            return None
        return np.append(linear, np.log(self.scale_))
