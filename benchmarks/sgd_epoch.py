"""An epoch of SGD on a linear model, against scikit-learn's SGDClassifier."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS
from fastloss.bench.timing import interleaved

SUBJECT = "LinearSGD, an epoch of the log loss"
SKLEARN = "SGDClassifier"
ONE_VS_REST = "SGDClassifier, one-vs-rest"
ONE_THREAD = "one thread"
BYTES = 80_000_000
#: of roundings, which the long first steps enlarge
LEEWAY = 1.05
#: features: factors for float64, float32
DENSE = {50: (8.0, 12.0), 784: (6.0, 12.0)}


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject; none without scikit-learn."""
    try:
        from sklearn.linear_model import SGDClassifier
    except ImportError:
        return []
    targets = []
    for which, dtype in enumerate((np.dtype(np.float64), np.dtype(np.float32))):
        rng = np.random.default_rng(20130101)
        for d, bounds in DENSE.items():
            n = settings.size(BYTES // (8 * d))
            X = rng.standard_normal((n, d), dtype=dtype)
            y = (X[:, 0] + rng.logistic(size=n) > 0).astype(np.int64)
            what = f"{dtype}, d = {d}"
            targets.append(one(settings, SGDClassifier, X, y, what, bounds[which]))
            if d == 50:
                what += ", batches of 256"
                bound = (18.0, 18.0)[which]
                batches = {"batch_size": 256, "learning_rate": "constant", "eta0": 0.5}
                targets.append(one(settings, SGDClassifier, X, y, what, bound, **batches))
        targets.append(softmax(settings, SGDClassifier, dtype))
        targets += sparse(settings, SGDClassifier, dtype)
    return targets


def one(
    settings: Settings, peer: Any, X: Any, y: Any, what: str, bound: float, **options: Any
) -> Target:
    """One output; scikit-learn's epoch is one step a row in any case."""
    settings.say(f"{SUBJECT}, {what}")
    n, d = X.shape
    ours = fl.LinearSGD("log_loss", d, dtype=X.dtype, n_threads=1, **options)
    theirs = peer(loss="log_loss", max_iter=1, tol=None)
    cases: dict[str, Callable[[], object]] = {
        FASTLOSS: lambda: ours.epoch(X, y),
        SKLEARN: lambda: quiet_fit(theirs, X, y),
    }
    timings = interleaved(cases, repeats=settings.repeats)
    what += f": {timings.median(FASTLOSS) / n * 1e9:.0f} ns/row"
    first = fl.LinearSGD("log_loss", d, dtype=X.dtype, n_threads=1, **options)
    first.epoch(X, y, shuffle=False)
    reached = fl.LogLoss()(y, np.asarray(X @ first.coef + first.intercept, np.float64))
    quiet_fit(theirs.set_params(shuffle=False), X, y)
    peers = fl.LogLoss()(y, theirs.decision_function(X).astype(np.float64))
    return judged(what, SKLEARN, bound, timings.ratio(SKLEARN, FASTLOSS), reached, peers)


def judged(
    what: str, against: str, bound: float, ratio: float, reached: float, peers: float
) -> Target:
    """A ratio of times; none where the loss after one epoch, in the same order, is above the peer's."""
    note = f"log loss after one epoch {reached:.4g}, theirs {peers:.4g}"
    return Target(
        SUBJECT, what, against, bound, ratio if reached <= LEEWAY * peers else 0.0, note=note
    )


def softmax(settings: Settings, peer: Any, dtype: np.dtype[Any]) -> Target:
    """Ten classes of 784 features: softmax in batches against ten binary problems."""
    n, d, n_classes = settings.size(8_000), 784, 10
    what = f"softmax of {n_classes} classes, {dtype}, d = {d}, batches of 32"
    settings.say(f"{SUBJECT}, {what}")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype=dtype)
    y = (X @ rng.standard_normal((d, n_classes), dtype=dtype)).argmax(axis=1)

    def machine() -> fl.LinearSGD:
        return fl.LinearSGD(
            fl.CrossEntropy(), d, n_outputs=n_classes, dtype=dtype, batch_size=32, n_threads=1,
            learning_rate="constant",
        )  # fmt: skip

    ours, first = machine(), machine()
    theirs = peer(loss="log_loss", max_iter=1, tol=None, n_jobs=1)
    cases: dict[str, Callable[[], object]] = {
        FASTLOSS: lambda: ours.epoch(X, y),
        ONE_VS_REST: lambda: quiet_fit(theirs, X, y),
    }
    timings = interleaved(cases, repeats=settings.repeats)
    what += f": {timings.median(FASTLOSS) / n * 1e9:.0f} ns/row"
    first.epoch(X, y, shuffle=False)
    raw = np.asarray(X @ first.coef.T + first.intercept, np.float64)
    quiet_fit(theirs.set_params(shuffle=False), X, y)
    with np.errstate(divide="ignore"):
        logarithms = np.log(theirs.predict_proba(X))
    peers = -float(np.mean(logarithms[np.arange(n), y]))
    ratio = timings.ratio(ONE_VS_REST, FASTLOSS)
    return judged(what, ONE_VS_REST, 10.0, ratio, fl.CrossEntropy()(y, raw), peers)


def sparse(settings: Settings, peer: Any, dtype: np.dtype[Any]) -> list[Target]:
    """CSR with 50 of 50,000 columns a row, some of them often."""
    try:
        from scipy.sparse import csr_matrix
    except ImportError:
        return []
    n, d, in_row = settings.size(100_000), 50_000, 50
    rng = np.random.default_rng(0)
    columns = (d * rng.random(n * in_row) ** 2).astype(np.int32)
    data = rng.standard_normal(n * in_row, dtype=dtype)
    X = csr_matrix((data, columns, np.arange(0, n * in_row + 1, in_row)), shape=(n, d))
    y = (X @ rng.standard_normal(d) > 0).astype(np.int64)
    what = f"{dtype}, CSR, {in_row} of {d:,}"
    targets = [one(settings, peer, X, y, what, 7.0, intercept_decay=0.01)]  # as the peer does
    if settings.n_threads > 1:
        targets.append(lock_free(settings, X, y, f"{what}, two threads that do not wait"))
    return targets


def lock_free(settings: Settings, X: Any, y: Any, what: str) -> Target:
    """Two threads that take rows at once, against one."""
    settings.say(f"{SUBJECT}, {what}")
    n, d = X.shape
    ours = {
        name: fl.LinearSGD("log_loss", d, dtype=X.dtype, n_threads=threads, lock_free=True)
        for name, threads in ((FASTLOSS, 2), (ONE_THREAD, 1))
    }
    cases: dict[str, Callable[[], object]] = {
        name: lambda sgd=sgd: sgd.epoch(X, y)  # type: ignore[misc]
        for name, sgd in ours.items()
    }
    timings = interleaved(cases, repeats=settings.repeats)
    what += f": {timings.median(FASTLOSS) / n * 1e9:.0f} ns/row"
    return Target(SUBJECT, what, ONE_THREAD, 1.4, timings.ratio(ONE_THREAD, FASTLOSS))


def quiet_fit(estimator: Any, X: Any, y: Any) -> None:
    """One epoch, without the warning that it was not enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
