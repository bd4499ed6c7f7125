"""Logistic regression of two or more classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss.linear_model._base import over_power
from fastloss.linear_model._classes import encode, weigh_classes
from fastloss.linear_model._classifier_base import LinearClassifierBase, log_softmax
from fastloss.linear_model._fitting import Settings, closing, minimise, warn_unless_converged
from fastloss.linear_model._parameters import (
    between,
    inverse_strength,
    switch,
)
from fastloss.linear_model._progress import Callback, Convergence

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")
_PENALTIES = ("elasticnet", "l1", "l2")


class LogisticRegression(LinearClassifierBase):
    """
    Logistic regression, of more than two classes with the true multinomial loss.

    Minimises the sum of the log losses, times C, plus ``l1_ratio * sum(abs(w)) + (1 - l1_ratio) *
    sum(w**2) / 2``; the intercept is not penalised. Parameters, attributes and defaults are those of
    ``sklearn.linear_model.LogisticRegression``, and so is the optimum.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet", None}, default="deprecated"
        As in scikit-learn before 1.8; by default `l1_ratio` and `C` tell it.
    C : float, default=1.0
        Inverse strength of the penalty; ``numpy.inf`` for none.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, in [0, 1].
    dual : bool, default=False
        Accepted, without effect.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient of the mean objective (the sum divided by C and the
        sum of the weights) is larger; with an L1 penalty, of its subgradient of least norm.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    intercept_scaling : float, default=1
        Accepted, without effect: no solver here penalises the intercept.
    class_weight : dict or "balanced", optional
        Weights of the classes; "balanced" makes the classes' total weights equal.
    random_state : int, optional
        Accepted, without effect: nothing is random.
    solver : str, default="lbfgs"
        Any of scikit-learn's names, each with any penalty and any number of classes. Without an L1
        penalty "newton-cholesky" is Newton's method for two classes and at most 2000 features, and all
        others are L-BFGS, which takes up the Hessian of two classes and at most 300 features where it
        goes on for long. Two classes of many samples start from the optimum for some of them, with the
        Hessian there. With it "lbfgs" is OWL-QN, and all others are proximal Newton for two classes
        and at most 100 features, and OWL-QN beyond.
    max_iter : int, default=100
        Iterations at most.
    verbose : int, default=0
        1 prints a line per iteration.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    n_jobs : int, optional
        Threads; -1 for all. By default as many as `fastloss.get_num_threads` tells.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the dtype of X.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, 0 if there are none.
    n_iter_ : ndarray of shape (1,)
        Iterations made, over all samples.
    convergence_ : Convergence
        Objective, gradient and time of each iteration, and why the fit ended.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    References
    ----------
    Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, section 4.4.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from fastloss.linear_model import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> round(model.score(X, y), 3)
    0.988
    """

    n_iter_: npt.NDArray[np.int32]
    convergence_: Convergence

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> LogisticRegression:
        """
        Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features; float32 stays float32.
        y : array-like of shape (n_samples,)
            Classes, of any type.
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
        switch("fit_intercept", self.fit_intercept)
        C, l1_ratio = self._penalty()
        with closing(callback):
            X, y, weights, exponent = self._validate_training(X, y, sample_weight, numeric=False)
            self.classes_, codes = encode(y)
            weights, exponent = weigh_classes(
                self.class_weight, self.classes_, codes, weights, exponent
            )
            total = float(len(codes) if weights is None else weights.sum())
            inverse = over_power(C, -exponent) * total
            strength = 1 / inverse if inverse > 0 else math.inf
            if math.isinf(strength):
                raise ValueError(
                    f"C = {self.C!r}: the penalty, 1 over C times the sum of the weights, is infinite; "
                    f"expected a larger number"
                )
            fitted = self._minimise(
                X, codes, weights, l1_ratio * strength, (1 - l1_ratio) * strength, settings
            )
        self._set_coef(np.atleast_2d(fitted.coef), X.dtype)
        self.n_iter_ = np.array([fitted.n_iter], np.int32)
        self.convergence_ = fitted.convergence
        warn_unless_converged("LogisticRegression", fitted)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, exact also where they are small.
        """
        raw = self.decision_function(X)
        if raw.ndim == 1:
            loss = fl.LogLoss()
            return np.column_stack([loss.predict(-raw), loss.predict(raw)])
        return fl.CrossEntropy().predict(raw)

    def predict_log_proba(self, X: Any) -> npt.NDArray[Any]:
        """
        Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Finite also where a probability is too small for a float.
        """
        return log_softmax(self.decision_function(X))

    def _penalty(self) -> tuple[float, float]:
        """Return C and l1_ratio as `penalty` means them."""
        if not (self.penalty is None or isinstance(self.penalty, str)):
            raise TypeError(f"penalty = {self.penalty!r}: expected a string or None")
        if self.penalty not in (None, "deprecated", *_PENALTIES):
            raise ValueError(
                f"penalty = {self.penalty!r}: expected one of {', '.join(map(repr, _PENALTIES))}, None"
            )
        C = inverse_strength("C", self.C)
        l1_ratio = 0.0 if self.l1_ratio is None else between("l1_ratio", self.l1_ratio, 0.0, 1.0)
        if self.penalty is None:
            return math.inf, 0.0
        return C, {"l2": 0.0, "l1": 1.0}.get(self.penalty, l1_ratio)

    def _minimise(
        self,
        X: Any,
        codes: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        l1: float,
        l2: float,
        settings: Settings,
    ) -> Any:
        n_classes, d = len(self.classes_), X.shape[1]
        two = n_classes == 2
        objective = fl.LinearObjective(
            fl.LogLoss() if two else fl.CrossEntropy(),
            X,
            codes,
            weights,
            l2=l2,
            fit_intercept=bool(self.fit_intercept),
            n_threads=self._n_threads(),
        )
        shape = (1 if two else n_classes, d + bool(self.fit_intercept))
        cold = np.zeros(shape)
        if self.fit_intercept:
            cold[:, -1] = _log_shares(codes, weights, n_classes)
        warm = self._warm_coef(shape) if self.warm_start else None
        start = cold if warm is None else warm
        penalty = np.full(shape, l1)
        penalty[:, d:] = 0.0
        return minimise(
            objective,
            start[0] if two else start,
            settings,
            X,
            weights=weights,
            l1=penalty[0] if two else penalty,
            l2=l2,
            curvature=0.25,
            cold=None if warm is None else lambda: cold[0] if two else cold,
            convex=True,
        )


def _log_shares(
    codes: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None, n_classes: int
) -> Any:
    """Return the intercepts that are best alone, for classes that occur."""
    totals = np.bincount(codes, weights, minlength=n_classes).astype(np.float64)
    logs = np.log(np.maximum(totals / totals.sum(), 1e-10))
    return logs[1] - logs[0] if n_classes == 2 else logs - logs.mean()
