"""Linear classification with any classification loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

import fastloss as fl
from fastloss.linear_model._classes import encode, weigh_classes
from fastloss.linear_model._classifier_base import LinearClassifierBase, probabilities
from fastloss.linear_model._fitting import (
    Fitted,
    Settings,
    closing,
    ended_by_user,
    fits_interior_point,
    minimise,
    minimise_lines,
    unfitted,
    warn_unless_converged,
)
from fastloss.linear_model._losses import (
    CLASSES,
    TWO_CLASSES,
    choose_loss,
    has_probabilities,
    is_convex,
    is_smooth,
    straight_lines,
    threshold,
)
from fastloss.linear_model._parameters import (
    between,
    nonnegative,
    switch,
)
from fastloss.linear_model._progress import Callback, Convergence
from fastloss.linear_model._regressor import GAP, SOLVERS


def _with_probabilities(estimator: Any) -> bool:
    loss = getattr(estimator, "loss_", None)
    if loss is None:
        loss = choose_loss(estimator.loss, TWO_CLASSES | CLASSES, "classes")
    if not has_probabilities(loss):
        raise AttributeError(f"the loss {loss!r} has no probabilities")
    return True


class LinearClassifier(LinearClassifierBase):
    """
    Linear classification with any classification loss of fastloss.

    Minimises the weighted mean loss + alpha * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 *
    sum(w**2)); the intercept is not penalised.

    A loss of two classes learns more of them one against the rest, each a problem of its own, except
    that the plain log loss becomes `CrossEntropy`. A loss of several classes learns two of them as
    well; coef_ is then the difference of their coefficients.

    Parameters
    ----------
    loss : str or loss, default="log_loss"
        A name or an instance, as ``fl.Focal(gamma=2.0)``.
    alpha : float, default=1e-4
        Strength of the penalty, 0 for none.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, in [0, 1].
    fit_intercept : bool, default=True
        Whether there is an intercept.
    class_weight : dict or "balanced", optional
        Weights of the classes; "balanced" makes the classes' total weights equal.
    solver : {"auto", "interior-point", "lbfgs", "newton-cholesky"}, default="auto"
        "auto" is an interior point method, which finds the exact optimum, for the hinge loss up to 5000
        features, and L-BFGS otherwise. With an L1 penalty "lbfgs" is OWL-QN; all others are proximal
        Newton for losses of two classes up to 100 features, and OWL-QN beyond.
    tol : float, default=1e-4
        The fit ends when no entry of the gradient (with an L1 penalty, of the subgradient of least
        norm) is larger; by interior points, when the duality gap is below 1e-4 * tol of the objective.
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
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the dtype of X.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, 0 if there are none.
    loss_ : loss
        The loss that was minimised.
    n_iter_ : ndarray of shape (1,) or (n_classes,)
        Iterations made, one against the rest for each class.
    convergence_ : Convergence or list of Convergence
        Objective, gradient and time of each iteration, and why the fit ended; one against the rest a
        list.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has any.

    Examples
    --------
    >>> import fastloss as fl
    >>> from sklearn.datasets import load_iris
    >>> from fastloss.linear_model import LinearClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> round(LinearClassifier(fl.SquaredHinge()).fit(X, y).score(X, y), 2)
    0.97
    """

    loss_: Any
    n_iter_: npt.NDArray[np.int32]
    convergence_: Convergence | list[Convergence]

    def __init__(
        self,
        loss: Any = "log_loss",
        *,
        alpha: float = 1e-4,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
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
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, callback: Callback | None = None
    ) -> LinearClassifier:
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
        nonnegative("alpha", self.alpha)
        between("l1_ratio", self.l1_ratio, 0.0, 1.0)
        switch("fit_intercept", self.fit_intercept)
        loss = choose_loss(self.loss, TWO_CLASSES | CLASSES, "classes")
        with closing(callback):
            X, y, weights, exponent = self._validate_training(X, y, sample_weight, numeric=False)
            self.classes_, codes = encode(y)
            n_classes = len(self.classes_)
            weights, _ = weigh_classes(self.class_weight, self.classes_, codes, weights, exponent)
            if loss == fl.LogLoss() and n_classes > 2:
                loss = fl.CrossEntropy()
            self.loss_ = loss
            shape = (1 if n_classes == 2 else n_classes, X.shape[1] + bool(self.fit_intercept))
            warm = self._warm_coef(shape) if self.warm_start else None
            if loss.name in CLASSES:
                fits = [self._fit_classes(X, codes, weights, warm, settings)]
            elif n_classes == 2:
                fits = [
                    self._fit_two(X, codes, weights, None if warm is None else warm[0], settings)
                ]
            else:
                fits = []
                for k in range(n_classes):
                    one = (codes == k).view(np.int8)
                    start = None if warm is None else warm[k]
                    if fits and ended_by_user(fits[-1]):
                        reason = fits[-1].convergence.reason
                        if start is None:
                            start = self._cold(self.loss_, X.shape[1], one, weights)
                        fits.append(unfitted(start, reason, settings))
                    else:
                        fits.append(self._fit_two(X, one, weights, start, settings))
        coef = np.concatenate([np.atleast_2d(fitted.coef) for fitted in fits])
        if loss.name in CLASSES and n_classes == 2:
            coef = coef[1:] - coef[:1]
        self._set_coef(coef, X.dtype)
        self.n_iter_ = np.array([fitted.n_iter for fitted in fits], np.int32)
        records = [fitted.convergence for fitted in fits]
        self.convergence_ = records[0] if len(records) == 1 else records
        for fitted in fits:
            warn_unless_converged("LinearClassifier", fitted)
            if ended_by_user(fitted):
                break  # the classes behind it were not begun
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

    def _threshold(self) -> float:
        return threshold(self.loss_)

    def _penalties(self, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float64], float]:
        """Return the L1 penalty of each coefficient and the L2 penalty."""
        strength = float(self.alpha) * float(self.l1_ratio)
        l1 = np.full(shape, strength)
        if self.fit_intercept:
            l1[..., -1] = 0.0
        return l1, float(self.alpha) - strength

    def _fit_two(
        self,
        X: Any,
        codes: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        start: npt.NDArray[np.float64] | None,
        settings: Settings,
    ) -> Fitted:
        d, fit_intercept = X.shape[1], bool(self.fit_intercept)
        l1, l2 = self._penalties((d + fit_intercept,))
        lines = straight_lines(self.loss_, codes.astype(np.float64))
        solver = settings.solver
        if solver == "interior-point" and lines is None:
            raise ValueError(
                f"solver = 'interior-point' with loss = {self.loss_!r}: expected the hinge loss"
            )
        if lines and (solver == "interior-point" or (solver == "auto" and fits_interior_point(d))):
            return minimise_lines(
                lines,
                X,
                weights,
                replace(settings, tol=GAP * settings.tol),
                l1=float(self.alpha) * float(self.l1_ratio),
                l2=l2,
                fit_intercept=fit_intercept,
            )
        cold = self._cold(self.loss_, d, codes, weights)
        objective = self._objective(self.loss_, X, codes, weights, l2)
        return minimise(
            objective,
            cold if start is None else start,
            settings,
            X,
            weights=weights,
            l1=l1,
            l2=l2,
            curvature=0.25,
            smooth=is_smooth(self.loss_),
            cold=None if start is None else lambda: cold,
            convex=is_convex(self.loss_),
        )

    def _fit_classes(
        self,
        X: Any,
        codes: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        warm: npt.NDArray[np.float64] | None,
        settings: Settings,
    ) -> Fitted:
        if settings.solver == "interior-point":
            raise ValueError(
                f"solver = 'interior-point' with loss = {self.loss_!r}: expected the hinge loss"
            )
        n_classes = len(self.classes_)
        shape = (n_classes, X.shape[1] + bool(self.fit_intercept))
        l1, l2 = self._penalties(shape)
        if warm is not None and n_classes == 2:
            warm = np.concatenate([-warm / 2, warm / 2])

        def cold() -> Fitted:
            # where all classes have the same score there may be a kink, which no step leads down from
            if is_smooth(self.loss_):
                return unfitted(np.zeros(shape), "", settings)
            smooth = self._objective(fl.CrossEntropy(), X, codes, weights, l2)
            quiet = replace(settings, verbose=0, callback=None)
            return minimise(
                smooth, np.zeros(shape), quiet, X, weights=weights, l2=l2, curvature=0.25
            )

        start = warm
        if start is None:
            first = cold()
            if ended_by_user(first):
                return first
            start = first.coef
        objective = self._objective(self.loss_, X, codes, weights, l2)
        return minimise(
            objective,
            start,
            settings,
            X,
            weights=weights,
            l1=l1,
            l2=l2,
            curvature=0.25,
            smooth=is_smooth(self.loss_),
            cold=None if warm is None else lambda: cold().coef,
        )

    def _objective(
        self, loss: Any, X: Any, codes: Any, weights: npt.NDArray[np.float64] | None, l2: float
    ) -> Any:
        return fl.LinearObjective(
            loss,
            X,
            codes,
            weights,
            l2=l2,
            fit_intercept=bool(self.fit_intercept),
            n_threads=self._n_threads(),
        )
