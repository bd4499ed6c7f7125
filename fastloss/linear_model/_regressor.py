"""Linear regression with any regression loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss.linear_model._base import LinearRegressorBase
from fastloss.linear_model._fitting import (
    closing,
    fits_interior_point,
    minimise,
    minimise_lines,
    warn_unless_converged,
)
from fastloss.linear_model._losses import (
    NUMBERS,
    choose_loss,
    is_convex,
    is_smooth,
    straight_lines,
)
from fastloss.linear_model._parameters import (
    between,
    nonnegative,
    switch,
)
from fastloss.linear_model._progress import Callback

SOLVERS = ("auto", "interior-point", "lbfgs", "newton-cholesky")
_FEW_FEATURES = 500  # whose squares are quickly solved
GAP = 1e-4  # the duality gap that a tolerance of 1 stands for: 1e-8 by default


class LinearRegressor(LinearRegressorBase):
    """
    Linear regression with any regression loss of fastloss.

    Minimises the weighted mean loss + alpha * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 *
    sum(w**2)); the intercept is not penalised.

    Parameters
    ----------
    loss : str or loss, default="squared_error"
        A name or an instance, as ``fl.Huber(delta=1.35)``. Note that "squared_error" has no factor 1/2.
    alpha : float, default=1e-4
        Strength of the penalty, 0 for none.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, in [0, 1].
    fit_intercept : bool, default=True
        Whether there is an intercept.
    solver : {"auto", "interior-point", "lbfgs", "newton-cholesky"}, default="auto"
        "auto" is an interior point method, which finds the exact optimum, for absolute (percentage)
        errors, pinball and epsilon-insensitive loss up to 5000 features; Newton's for squared errors
        without an L1 penalty up to 500; and L-BFGS otherwise. With
        an L1 penalty "lbfgs" is OWL-QN; all others are proximal Newton up to 100 features, and OWL-QN
        beyond.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient (with an L1 penalty, of the subgradient of least
        norm) is larger than tol, or than tol times the largest at the best model without features
        where that is below 1: the units of X and y do not matter. By interior points, when the
        duality gap is below 1e-4 * tol of the objective.
    max_iter : int, default=1000
        Iterations at most.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit; not by interior points.
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
    loss_ : loss
        The loss.
    n_iter_ : int
        Iterations made, over all samples.
    convergence_ : Convergence
        Objective, gradient and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    Notes
    -----
    Losses that are not convex (`Welsch`, `Tukey`, `Cauchy`, …) end in a local optimum, that beside the
    best constant. `Wing` has a kink and is not convex: the gradient need not go to 0, and the fit
    then warns that it has not converged where it can come no lower.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.linear_model import LinearRegressor
    >>> X = np.arange(6.0)[:, None]
    >>> y = np.array([1.0, 3.0, 5.0, 7.0, 9.0, 100.0])
    >>> model = LinearRegressor(fl.AbsoluteError(), alpha=0.0).fit(X, y)
    >>> model.predict([[5.0]]).round(6)
    array([11.])
    """

    loss_: Any

    def __init__(
        self,
        loss: Any = "squared_error",
        *,
        alpha: float = 1e-4,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        solver: str = "auto",
        tol: float = 1e-4,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> LinearRegressor:
        """
        Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features; float32 stays float32.
        y : array-like of shape (n_samples,)
            Targets, in the domain of the loss.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples, finite and not negative.
        callback : callable, optional
            Called with a `FitProgress` after each iteration; a true result ends the fit.

        Returns
        -------
        self
            The fitted estimator.
        """
        settings = self._settings(SOLVERS, callback)
        solver, tol = settings.solver, settings.tol
        alpha = nonnegative("alpha", self.alpha)
        l1 = alpha * between("l1_ratio", self.l1_ratio, 0.0, 1.0)
        fit_intercept = switch("fit_intercept", self.fit_intercept)
        self.loss_ = choose_loss(self.loss, NUMBERS, "numbers")
        with closing(callback):
            X, y, weights, _ = self._validate_training(X, y, sample_weight, numeric=True)
            d = X.shape[1]
            lines = straight_lines(self.loss_, y)
            if solver == "interior-point" and lines is None:
                raise ValueError(
                    f"solver = 'interior-point' with loss = {self.loss_!r}: expected a loss of "
                    f"straight lines: absolute (percentage) error, pinball, or epsilon-insensitive"
                )
            if lines and (
                solver == "interior-point" or (solver == "auto" and fits_interior_point(d))
            ):
                fitted = minimise_lines(
                    lines,
                    X,
                    weights,
                    replace(settings, tol=GAP * tol),
                    l1=l1,
                    l2=alpha - l1,
                    fit_intercept=fit_intercept,
                )
            else:
                cold = self._cold(self.loss_, d, y, weights)
                warm = self._warm_coef(d) if self.warm_start else None
                objective = fl.LinearObjective(
                    self.loss_,
                    X,
                    y,
                    weights,
                    l2=alpha - l1,
                    fit_intercept=fit_intercept,
                    n_threads=self._n_threads(),
                )
                squares = isinstance(self.loss_, fl.SquaredError | fl.HalfSquaredError)
                if solver == "auto" and squares and l1 == 0.0 and d <= _FEW_FEATURES:
                    solver = "newton-cholesky"  # one step
                # small units of X or y make gradients small before anything is learnt
                steepest = float(np.abs(objective.gradient(cold)).max(initial=0.0))
                if 0.0 < steepest < 1.0:
                    tol *= steepest
                fitted = minimise(
                    objective,
                    cold if warm is None else warm,
                    replace(settings, solver=solver, tol=tol),
                    X,
                    weights=weights,
                    l1=np.where(np.arange(d + fit_intercept) < d, l1, 0.0),
                    l2=alpha - l1,
                    smooth=is_smooth(self.loss_),
                    cold=None if warm is None else lambda: cold,
                    convex=is_convex(self.loss_) and not squares,  # those take one step
                )
        self._keep(fitted, X.dtype)
        warn_unless_converged("LinearRegressor", fitted)
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
        raw = self._raw_prediction(X)
        return np.asarray(self.loss_.predict(raw))
