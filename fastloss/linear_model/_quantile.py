"""Quantile regression, to the exact optimum."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastloss as fl
from fastloss.linear_model._base import LinearRegressorBase
from fastloss.linear_model._fitting import (
    Settings,
    closing,
    minimise_lines,
    warn_unless_converged,
)
from fastloss.linear_model._losses import straight_lines
from fastloss.linear_model._parameters import (
    between,
    integer,
    nonnegative,
    one_of,
    switch,
    verbosity,
)
from fastloss.linear_model._progress import Callback, Convergence

_SOLVERS = ("highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex")
_TOL = 1e-9  # of the duality gap, relative to the objective


class QuantileRegressor(LinearRegressorBase):
    """
    Linear regression that predicts a quantile.

    Minimises the mean pinball loss + alpha * sum(abs(w)); the intercept is not penalised. Parameters,
    attributes and optimum are those of ``sklearn.linear_model.QuantileRegressor``. A primal-dual
    interior point method with some twenty passes over the data closes the duality gap to 1e-9 of the
    objective; the samples on the line then give the coefficients, exact to roundings. Memory: some
    vectors of n_samples and a matrix of n_features².

    Parameters
    ----------
    quantile : float, default=0.5
        The quantile, in (0, 1).
    alpha : float, default=1.0
        Strength of the L1 penalty, 0 for none.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    solver : str, default="highs"
        Any of scikit-learn's names; the solver is always the same.
    solver_options : dict, optional
        "maxiter", iterations at most (200 by default); other entries are accepted, without effect.
    verbose : int, default=0
        1 prints a line per iteration.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the dtype of X; those that are 0 at the optimum are exactly 0.
    intercept_ : float
        The intercept.
    n_iter_ : int
        Iterations made.
    convergence_ : Convergence
        Objective, relative duality gap and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    References
    ----------
    Koenker, Bassett, Regression Quantiles, 1978.
    Portnoy, Koenker, The Gaussian Hare and the Laplacian Tortoise, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from fastloss.linear_model import QuantileRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 2)), rng.normal(size=100)
    >>> float(np.mean(y <= QuantileRegressor(quantile=0.8).fit(X, y).predict(X)))
    0.8
    """

    n_iter_: int
    convergence_: Convergence

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "highs",
        solver_options: dict[str, Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> QuantileRegressor:
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
        quantile = between("quantile", self.quantile, 0.0, 1.0, closed="neither")
        options = {} if self.solver_options is None else self.solver_options
        if not isinstance(options, dict):
            raise TypeError(f"solver_options = {options!r}: expected a dictionary or None")
        settings = Settings(
            one_of("solver", self.solver, _SOLVERS),
            _TOL,
            integer("solver_options['maxiter']", options.get("maxiter", 200), 1),
            verbosity(self.verbose),
            callback,
            "QuantileRegressor",
        )
        alpha = nonnegative("alpha", self.alpha)
        fit_intercept = switch("fit_intercept", self.fit_intercept)
        with closing(callback):
            X, y, weights, _ = self._validate_training(X, y, sample_weight, numeric=True)
            lines = straight_lines(fl.Pinball(quantile), y.astype(np.float64))
            assert lines is not None
            fitted = minimise_lines(
                lines, X, weights, settings, l1=alpha, l2=0.0, fit_intercept=fit_intercept
            )
        self._keep(fitted, X.dtype)
        warn_unless_converged("QuantileRegressor", fitted)
        return self
