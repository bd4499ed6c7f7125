"""Estimators of fastloss.linear_model against scikit-learn's of the same name, fitted in turn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np
import sklearn.linear_model as sk
from scipy import sparse

from benchmarks.target import Settings, Target
from fastloss import linear_model as ours
from fastloss.bench.timing import BLAS_PAUSE_SECONDS

SUBJECT = "linear_model: fit"


@dataclass(frozen=True)
class Case:
    """One model to be fitted by several.

    Parameters
    ----------
    what : str
        Model and data.
    X, y : array
        The data.
    fastloss : estimator
        Ours.
    others : dict of str to (estimator, float)
        The peers by library and solver, each with the factor that is promised.
    objective : callable
        What all of them minimise, of a fitted estimator; ours has to be as low, to 1e-7 of it.
    rounds : int
        How often each is fitted, if the settings do not say fewer.
    """

    what: str
    X: Any
    y: Any
    fastloss: Any
    others: dict[str, tuple[Any, float]]
    objective: Callable[[Any], float]
    rounds: int


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for make in (dense_logistic, sparse_logistic, quantile, huber):
        case = make(settings)
        settings.say(f"{SUBJECT}: {case.what}")
        targets += measure(case, min(case.rounds, settings.repeats))
    return targets


def measure(case: Case, rounds: int) -> list[Target]:
    """Return the factors of time, where ours is no higher."""
    models = {
        "fastloss": case.fastloss,
        **{name: other for name, (other, _) in case.others.items()},
    }
    seconds: dict[str, list[float]] = {name: [] for name in models}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers that stop at max_iter; the objective tells
        for model in models.values():  # once, so that no library is loaded while timed
            model.fit(case.X[:1000], case.y[:1000])
        for _ in range(rounds):
            for name, model in models.items():
                sleep(BLAS_PAUSE_SECONDS)
                start = perf_counter()
                model.fit(case.X, case.y)
                seconds[name].append(perf_counter() - start)
    here = case.objective(case.fastloss)
    own = median(seconds["fastloss"])
    targets = []
    for name, (other, factor) in case.others.items():
        excess = here / case.objective(other) - 1
        targets.append(
            Target(
                SUBJECT,
                f"{case.what}: {own:.3g} s",
                name,
                factor,
                median(seconds[name]) / own if excess <= 1e-7 else 0.0,
                note=f"objective {excess:+.1e} of theirs",
            )
        )
    return targets


def logistic_objective(X: Any, y: Any) -> Callable[[Any], float]:
    """Return the objective of logistic regression with C = 1."""

    def objective(model: Any) -> float:
        margin = (2 * y - 1) * (X @ model.coef_[0] + model.intercept_[0])
        return float(np.logaddexp(0, -margin).sum() + model.coef_[0] @ model.coef_[0] / 2)

    return objective


def dense_logistic(settings: Settings) -> Case:
    rng = np.random.default_rng(0)
    n = settings.size(500_000)
    X = rng.normal(size=(n, 50))
    y = (X @ rng.normal(size=50) / 3 + rng.logistic(size=n) > 0).astype(np.int64)
    return Case(
        f"LogisticRegression, {n:,} × 50, float64",
        X,
        y,
        ours.LogisticRegression(tol=1e-5),  # as low an objective as theirs
        {"scikit-learn, lbfgs": (sk.LogisticRegression(), 5.0), **intel_logistic()},
        logistic_objective(X, y),
        5,
    )


def intel_logistic() -> dict[str, tuple[Any, float]]:
    """Return the peer of Intel's extension for scikit-learn, none without it."""
    try:
        from sklearnex.linear_model import LogisticRegression
    except ImportError:
        return {}
    return {"scikit-learn-intelex, lbfgs": (LogisticRegression(), 5.0)}


def sparse_logistic(settings: Settings) -> Case:
    rng = np.random.default_rng(1)
    n, d, filled = settings.size(200_000), 50_000, 50
    # as words in texts: a few columns are frequent
    columns = np.minimum(
        rng.zipf(1.3, size=(n, filled)) - 1 + rng.integers(0, 100, (n, filled)), d - 1
    )
    X = sparse.csr_matrix(
        (rng.exponential(size=n * filled), columns.ravel(), np.arange(0, n * filled + 1, filled)),
        shape=(n, d),
    )
    X.sum_duplicates()
    y = (X @ rng.normal(size=d) + 2 * rng.logistic(size=n) > 0).astype(np.int64)
    params = {"max_iter": 1000}
    # a tolerance at which ours is at least as low as any of theirs by default
    return Case(
        f"LogisticRegression, CSR {n:,} × {d:,}, {filled} entries a row",
        X,
        y,
        ours.LogisticRegression(tol=1e-6, **params),
        {
            # their quickest here; lbfgs takes three times as long
            "scikit-learn, newton-cg": (sk.LogisticRegression(solver="newton-cg", **params), 3.0),
            "scikit-learn, liblinear": (sk.LogisticRegression(solver="liblinear", **params), 3.0),
        },
        logistic_objective(X, y),
        1,
    )


def heavy_tailed(n: int) -> tuple[Any, Any]:
    """Return 20 features and a target whose noise has outliers."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 20))
    return X, X @ rng.normal(size=20) + 3.0 + rng.standard_t(2, size=n)


def quantile(settings: Settings) -> Case:
    # of 100,000 rows HiGHS takes more than ten minutes, and the factor grows with them
    n = settings.size(5_000)
    X, y = heavy_tailed(n)
    params = {"quantile": 0.8, "alpha": 0.001}

    def objective(model: Any) -> float:
        r = y - X @ model.coef_ - model.intercept_
        return float(np.maximum(0.8 * r, -0.2 * r).mean() + 0.001 * np.abs(model.coef_).sum())

    return Case(
        f"QuantileRegressor, {n:,} × 20 (100,000 take HiGHS more than ten minutes)",
        X,
        y,
        ours.QuantileRegressor(**params),
        {"scikit-learn, highs": (sk.QuantileRegressor(**params), 20.0)},
        objective,
        1,
    )


def huber(settings: Settings) -> Case:
    n = settings.size(100_000)
    X, y = heavy_tailed(n)

    def objective(model: Any) -> float:
        z = np.abs(y - X @ model.coef_ - model.intercept_) / model.scale_
        h = np.where(z < 1.35, z**2, 2.7 * z - 1.35**2)
        return float((1 + h).sum() * model.scale_ + 1e-4 * model.coef_ @ model.coef_)

    return Case(
        f"HuberRegressor, {n:,} × 20",
        X,
        y,
        ours.HuberRegressor(),
        {"scikit-learn, lbfgs": (sk.HuberRegressor(), 20.0)},
        objective,
        5,
    )
