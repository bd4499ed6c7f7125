"""LinearSGD against scikit-learn's SGDClassifier and SGDRegressor, on the same order of samples."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import fastloss as fl

sklearn = pytest.importorskip("sklearn.linear_model")
sparse = pytest.importorskip("scipy.sparse")

N, D = 60, 7
CLASSIFIERS = {
    "log_loss": fl.LogLoss(),
    "hinge": fl.Hinge(),
    "squared_hinge": fl.SquaredHinge(),
    "modified_huber": fl.ModifiedHuber(),
    "perceptron": fl.Perceptron(),
}
REGRESSORS = {
    "squared_error": fl.HalfSquaredError(),
    "huber": fl.Huber(0.1),
    "epsilon_insensitive": fl.EpsilonInsensitive(0.1),
    "squared_epsilon_insensitive": fl.SquaredEpsilonInsensitive(0.1),
}


def data(kind: str, dtype: type) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((N, D))
    X[:-1][rng.random((N - 1, D)) < 0.3] = 0.0  # the last row has all features
    y = X @ rng.standard_normal(D) + rng.standard_normal(N)
    if kind in CLASSIFIERS:
        y = (y > 0).astype(np.float64)
    return X.astype(dtype), y.astype(dtype), rng.uniform(0, 3, N)


def peer(kind: str, **settings: Any) -> Any:
    estimator = sklearn.SGDClassifier if kind in CLASSIFIERS else sklearn.SGDRegressor
    return estimator(loss=kind, shuffle=False, max_iter=4, tol=None, **settings)


def difference(ours: Any, theirs: Any, average: bool) -> float:
    """The largest difference of coefficients and intercept, of their largest."""
    coef = ours.average_coef if average else ours.coef
    intercept = ours.average_intercept if average else ours.intercept
    mine = np.append(coef.astype(np.float64), intercept)
    reference = np.append(theirs.coef_.astype(np.float64), theirs.intercept_)
    return float(np.abs(mine - reference).max() / np.abs(reference).max())


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("rate", ["optimal", "constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_coefficients_are_those_of_sklearn(
    kind: str, rate: str, penalty: str | None, is_sparse: bool
) -> None:
    loss = {**CLASSIFIERS, **REGRESSORS}[kind]
    # "optimal" begins with steps that let regressions diverge, and rounding errors with them
    alpha = 1.0 if rate == "optimal" else 0.02
    settings = {"penalty": penalty, "alpha": alpha, "learning_rate": rate, "power_t": 0.3}
    for dtype, bound in ((np.float64, 1e-11), (np.float32, 2e-4)):
        X, y, weight = data(kind, dtype)
        if is_sparse:
            X = sparse.csr_matrix(X)
        # with L1, scikit-learn's average leaves the penalty's part out
        for average in (False, True, 100) if penalty in ("l2", None) else (False,):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = peer(kind, average=average, **settings).fit(X, y, sample_weight=weight)
            ours = fl.LinearSGD(
                loss,
                D,
                dtype=dtype,
                average=average,
                clip_gradient=1e12,
                intercept_decay=0.01 if is_sparse else 1.0,
                **settings,
            )
            for _ in range(4):
                ours.epoch(X, y, weight, shuffle=False)
            assert ours.t == theirs.t_
            assert difference(ours, theirs, bool(average)) < bound


@pytest.mark.parametrize("rate", ["pa1", "pa2"])
@pytest.mark.parametrize("kind", ["hinge", "epsilon_insensitive"])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_passive_aggressive_steps(kind: str, rate: str, is_sparse: bool) -> None:
    loss = {**CLASSIFIERS, **REGRESSORS}[kind]
    X, y, weight = data(kind, np.float64)
    rows = sparse.csr_matrix(X) if is_sparse else X
    settings: dict[str, Any] = {"learning_rate": rate, "eta0": 0.3, "alpha": 0.01}
    for factors in (None, weight):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = peer(kind, **settings).fit(rows, y, sample_weight=factors)
        ours = fl.LinearSGD(loss, D, intercept_decay=0.01 if is_sparse else 1.0, **settings)
        for _ in range(4):
            ours.epoch(rows, y, factors, shuffle=False)
        assert difference(ours, theirs, False) < 1e-11
