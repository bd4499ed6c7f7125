"""A linear objective: against a plain read of X, scikit-learn and two sparse products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.limit import limit_passes
from fastloss.bench.peers import FASTLOSS
from fastloss.bench.timing import BLAS_PAUSE_SECONDS, interleaved

SUBJECT = "LinearObjective, loss_gradient"
#: Features: a plain read of X times, scikit-learn's time over.
BOUNDS = {5: (2.2, 5.0), 20: (1.6, 5.0), 50: (1.3, 5.0), 100: (1.3, 5.0), 1000: (1.3, 3.0)}
BYTES = 160_000_000
SKLEARN = "scikit-learn"
SCIPY = "SciPy's two products"

Case = Callable[[], object]


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for dtype in ("float32", "float64"):
        for d, (times_read, factor) in BOUNDS.items():
            targets += dense(settings, d, np.dtype(dtype), times_read, factor)
        targets += classes(settings, np.dtype(dtype))
        targets += sparse(settings, np.dtype(dtype))
    return targets


def draw(n: int, d: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return standard normal numbers."""
    return np.random.default_rng(20130101).standard_normal((n, d), dtype=dtype)


def dense(
    settings: Settings, d: int, dtype: np.dtype[Any], times_read: float, factor: float
) -> list[Target]:
    """Log loss of n x d numbers, of the same size in bytes for every d."""
    n = settings.size(BYTES // (d * dtype.itemsize))
    what = f"log loss, {dtype}, d = {d}"
    settings.say(f"{SUBJECT}, {what}")
    X = draw(n, d, dtype)
    y = (X[:, 0] > 0).astype(dtype)
    coef = (draw(1, d + 1, dtype)[0] / np.sqrt(d)).astype(dtype)
    objective = fl.LinearObjective("log_loss", X, y, n_threads=settings.n_threads)
    passes = limit_passes([X], [], settings.n_threads)
    cases: dict[str, Case] = {FASTLOSS: lambda: objective.loss_gradient(coef), **passes}
    theirs = sklearn_loss(None)
    if theirs is not None:
        cases[SKLEARN] = lambda: theirs.loss_gradient(coef, X, y, n_threads=settings.n_threads)
    timings = interleaved(cases, repeats=settings.repeats, pause=BLAS_PAUSE_SECONDS)
    what += f": {timings.median(FASTLOSS) / n * 1e9:.2f} ns/row"
    targets = []
    if passes:
        read = min(passes, key=timings.median)
        ratio = timings.ratio(FASTLOSS, read)
        targets.append(
            Target(SUBJECT, what, "a plain read of X", times_read, ratio, at_least=False)
        )
    if SKLEARN in cases:
        targets.append(Target(SUBJECT, what, SKLEARN, factor, timings.ratio(SKLEARN, FASTLOSS)))
    return targets


def classes(settings: Settings, dtype: np.dtype[Any]) -> list[Target]:
    """Cross-entropy of ten classes of 784 features."""
    n, d, n_classes = settings.size(30_000), 784, 10
    what = f"cross-entropy, {dtype}, d = {d}, {n_classes} classes"
    settings.say(f"{SUBJECT}, {what}")
    X = draw(n, d, dtype)
    y = np.random.default_rng(0).integers(0, n_classes, n)
    labels = y.astype(dtype)
    coef = np.asfortranarray(draw(n_classes, d + 1, dtype) / 28)
    objective = fl.LinearObjective(
        "cross_entropy", X, y, n_threads=settings.n_threads, n_outputs=n_classes
    )
    cases: dict[str, Case] = {FASTLOSS: lambda: objective.loss_gradient(coef)}
    theirs = sklearn_loss(n_classes)
    if theirs is None:
        return []
    cases[SKLEARN] = lambda: theirs.loss_gradient(coef, X, labels, n_threads=settings.n_threads)
    timings = interleaved(cases, repeats=settings.repeats, pause=BLAS_PAUSE_SECONDS)
    what += f": {timings.median(FASTLOSS) / n * 1e9:.0f} ns/row"
    return [Target(SUBJECT, what, SKLEARN, 2.0, timings.ratio(SKLEARN, FASTLOSS))]


def sparse(settings: Settings, dtype: np.dtype[Any]) -> list[Target]:
    """Log loss of CSR with 50 of 50,000 columns a row; SciPy's products run on one thread."""
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return []
    n, d, in_row = settings.size(200_000), 50_000, 50
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(0, d, (n, in_row)), axis=1).astype(np.int32)
    data = rng.standard_normal(n * in_row, dtype=dtype)
    X = csr_array((data, columns.ravel(), np.arange(0, n * in_row + 1, in_row)), shape=(n, d))
    y = (rng.random(n) < 0.5).astype(dtype)
    coef = (rng.standard_normal(d + 1) / 7).astype(dtype)
    products = {SCIPY: lambda: (X @ coef[:-1], X.T @ y)}
    targets = []
    for n_threads, bound in ((1, 1.2), (2, 2.2)):
        what = f"log loss, {dtype}, CSR, {n_threads} thread{'s'[: n_threads - 1]}"
        settings.say(f"{SUBJECT}, {what}")
        objective = fl.LinearObjective("log_loss", X, y, n_threads=n_threads)
        cases: dict[str, Case] = {
            FASTLOSS: lambda objective=objective: objective.loss_gradient(coef),
            **products,
        }
        timings = interleaved(cases, repeats=settings.repeats)
        what += f": {timings.median(FASTLOSS) * 1e3:.1f} ms"
        targets.append(Target(SUBJECT, what, SCIPY, bound, timings.ratio(SCIPY, FASTLOSS)))
    return targets


def sklearn_loss(n_classes: int | None) -> Any:
    """Return scikit-learn's private linear loss, None without it."""
    try:
        from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
        from sklearn.linear_model._linear_loss import LinearModelLoss
    except ImportError:
        return None
    base = HalfMultinomialLoss(n_classes=n_classes) if n_classes else HalfBinomialLoss()
    return LinearModelLoss(base, fit_intercept=True)
