"""
scikit-learn's estimators under fastloss.sklearn.patch() against the same without, fitted in turn.

Losses are 1 to 8 hundredths of what boosting takes, and the wall clock varies by more than they can
gain: there it is the processor time of all threads that is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any

import numpy as np
import sklearn.linear_model as sk
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from benchmarks.target import Settings, Target
from fastloss.bench.timing import BLAS_PAUSE_SECONDS
from fastloss.sklearn import patched

SUBJECT = "scikit-learn, patched: fit"
FEATURES, CLASSES = 20, 5
# Solvers go the same way but for rounding, which may move their last step.
AGREEMENT = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 1e-3}


@dataclass(frozen=True)
class Case:
    """One estimator of scikit-learn and its data.

    Parameters
    ----------
    what : str
        What it is.
    model : estimator
        Of scikit-learn.
    X, y : array
        The data.
    factor : float
        The promise.
    clock : callable
        Seconds, wall or processor.
    """

    what: str
    model: Any
    X: Any
    y: Any
    factor: float
    clock: Callable[[], float] = perf_counter


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for make in (linear, sparse_logistic, boosting):
        for case in make(settings):
            for threads in sorted({1, settings.n_threads}):
                settings.say(f"{SUBJECT}: {case.what}, threads: {threads}")
                with threadpool_limits(threads):
                    targets.append(measure(case, threads, settings.repeats))
    return targets


def measure(case: Case, threads: int, rounds: int) -> Target:
    """Return the factor of time, 0 if the predictions differ."""
    plain: list[float] = []
    ours: list[float] = []
    difference = 0.0
    case.model.fit(case.X[:1000], case.y[:1000])  # so that no library is loaded while timed
    for i in range(rounds):
        if i % 2:  # whoever is first finds the caches and the clock rate otherwise
            theirs = timed_fit(case, plain)
        with patched():
            mine = timed_fit(case, ours)
        if i % 2 == 0:
            theirs = timed_fit(case, plain)
        difference = float(np.abs(mine - theirs).max() / np.abs(theirs).max())
    return Target(
        SUBJECT,
        f"{case.what}, {threads} thread{'s' if threads > 1 else ''}: {median(ours):.3g} s",
        "scikit-learn",
        case.factor,
        median(a / b for a, b in zip(plain, ours, strict=True))
        if difference <= AGREEMENT[case.X.dtype]
        else 0.0,
        note=f"predictions to {difference:.0e}",
    )


def timed_fit(case: Case, seconds: list[float]) -> Any:
    """Return what the fitted estimator predicts of some rows, before any link to classes."""
    sleep(BLAS_PAUSE_SECONDS)
    start = case.clock()
    case.model.fit(case.X, case.y)
    seconds.append(case.clock() - start)
    predict: Callable[[Any], Any] = getattr(case.model, "decision_function", case.model.predict)
    return predict(case.X[:1000])


def linear(settings: Settings) -> list[Case]:
    """Return linear models on dense data."""
    rng = np.random.default_rng(0)
    n = settings.size(400_000)
    X = rng.normal(size=(n, FEATURES))
    raw = X @ rng.normal(size=FEATURES) / 4
    size = f"{n:,} × {FEATURES}"
    binary = (raw + rng.logistic(size=n) > 0).astype(np.int64)
    classes = np.argmax(X[:, :CLASSES] + rng.gumbel(size=(n, CLASSES)), axis=1)
    counts = rng.poisson(np.exp(raw))
    amounts = rng.gamma(2.0, np.exp(raw)) + 1e-6
    newton = sk.LogisticRegression(solver="newton-cg")
    return [
        Case(f"LogisticRegression, {size}", sk.LogisticRegression(), X, binary, 2.0),
        Case(
            f"LogisticRegression, {size}, float32",
            sk.LogisticRegression(),
            X.astype(np.float32),
            binary,
            2.0,
        ),
        Case(
            f"LogisticRegression, {size}, {CLASSES} classes",
            sk.LogisticRegression(),
            X,
            classes,
            2.0,
        ),
        Case(f"LogisticRegression, newton-cg, {size}", newton, X, binary, 2.0),
        Case(f"PoissonRegressor, {size}", sk.PoissonRegressor(), X, counts, 1.5),
        Case(f"GammaRegressor, {size}", sk.GammaRegressor(), X, amounts, 1.5),
        Case(
            f"TweedieRegressor, power 1.5, {size}", sk.TweedieRegressor(power=1.5), X, counts, 1.5
        ),
    ]


def sparse_logistic(settings: Settings) -> list[Case]:
    """Return logistic regression on CSR data."""
    rng = np.random.default_rng(1)
    n, d = settings.size(50_000), 10_000
    X = sparse.random_array((n, d), density=0.005, format="csr", rng=rng, dtype=np.float64)
    y = (X @ rng.normal(size=d) + rng.logistic(size=n) > 0).astype(np.int64)
    return [
        Case(
            f"LogisticRegression, CSR {n:,} × {d:,}", sk.LogisticRegression(max_iter=300), X, y, 1.2
        )
    ]


def boosting(settings: Settings) -> list[Case]:
    """Return histogram boosting, where trees take most of the time."""
    rng = np.random.default_rng(2)
    n = settings.size(200_000)
    X = rng.normal(size=(n, FEATURES))
    binary = (X[:, 0] * X[:, 1] + rng.logistic(size=n) > 0).astype(np.int64)
    classes = np.argmax(X[:, :CLASSES] + rng.gumbel(size=(n, CLASSES)), axis=1)
    counts = rng.poisson(np.exp(X[:, 0] / 2))
    trees = {"max_iter": 10, "early_stopping": False}
    size = f"{n:,} × {FEATURES}, 10 iterations, processor time"
    return [
        Case(
            f"HistGradientBoostingClassifier, {size}",
            HistGradientBoostingClassifier(**trees),
            X,
            binary,
            1.0,
            process_time,
        ),
        Case(
            f"HistGradientBoostingClassifier, {CLASSES} classes, {size}",
            HistGradientBoostingClassifier(**trees),
            X,
            classes,
            1.0,
            process_time,
        ),
        Case(
            f"HistGradientBoostingRegressor, Poisson, {size}",
            HistGradientBoostingRegressor(loss="poisson", **trees),
            X,
            counts,
            1.0,
            process_time,
        ),
    ]
