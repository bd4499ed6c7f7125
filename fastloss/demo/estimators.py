"""The same logistic regression by fastloss.linear_model and by scikit-learn, on the flights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import fastloss as fl
from fastloss.demo.metrics import average_precision
from fastloss.demo.tasks import Task

# Of the gradient: tight enough that both end at the same objective.
TOL = 1e-6


@dataclass(frozen=True)
class Fit:
    """One estimator, fitted.

    Attributes
    ----------
    library : str
        Whose class it is.
    seconds : float
        Of ``fit``.
    iterations : int
        Of the solver.
    converged : bool
        Whether it ended before its limit of iterations.
    objective : float
        What both minimise, in float64: the mean log loss plus the L2 penalty.
    average_precision : float
        On the test days.
    """

    library: str
    seconds: float
    iterations: int
    converged: bool
    objective: float
    average_precision: float


def fit_estimators(task: Task, n_threads: int) -> tuple[Fit, ...]:
    """Fit ``LogisticRegression`` of both libraries to a binary task.

    Parameters
    ----------
    task : Task
        A task of two classes.
    n_threads : int
        Of fastloss; scikit-learn's go to BLAS, which the caller limits.

    Returns
    -------
    tuple of Fit
        fastloss first; empty where scikit-learn is not installed.
    """
    try:
        import sklearn.linear_model as sklearn_models

        from fastloss import linear_model as own_models
    except ImportError:
        return ()
    # the column of ones is the estimators' own matter
    X, X_test = (
        np.ascontiguousarray(part[:, 1:]) for part in (task.design.train, task.design.test)
    )
    models = {
        "fastloss": own_models.LogisticRegression(tol=TOL, max_iter=1000, n_jobs=n_threads),
        "scikit-learn": sklearn_models.LogisticRegression(tol=TOL, max_iter=1000),
    }
    return tuple(_fit(library, model, task, X, X_test) for library, model in models.items())


def _fit(library: str, model: Any, task: Task, X: Any, X_test: Any) -> Fit:
    """Fit one of them and judge it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = perf_counter()
        model.fit(X, task.labels.train)
        seconds = perf_counter() - start
    coef = model.coef_[0].astype(np.float64)
    raw = X @ coef + float(model.intercept_[0])
    penalty = 0.5 * float(coef @ coef) / (model.C * len(X))
    return Fit(
        library=library,
        seconds=seconds,
        iterations=int(np.max(model.n_iter_)),
        converged=not any(w.category.__name__ == "ConvergenceWarning" for w in caught),
        objective=fl.LogLoss().loss(task.labels.train, raw) + penalty,
        average_precision=average_precision(task.labels.test, model.decision_function(X_test)),
    )
