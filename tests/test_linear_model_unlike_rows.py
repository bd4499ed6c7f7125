"""Fits that start from some of the rows, where these tell too little of the others."""

import tracemalloc

import numpy as np
import pytest

import fastloss as fl
from fastloss.linear_model import (
    HuberRegressor,
    LinearRegressor,
    LogisticRegression,
    PoissonRegressor,
)
from fastloss.linear_model import _head_start as head_start


@pytest.fixture
def of_all_rows(monkeypatch):
    """Return a function that fits from a start of all rows."""

    def fit(model, *data):
        with monkeypatch.context() as patch:
            patch.setattr(head_start, "_LEAST_STRIDE", 10**9)
            return model.fit(*data)

    return fit


def draw(n=60_000, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return rng, X, X @ rng.normal(size=d)


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(C=np.inf, max_iter=100), PoissonRegressor(alpha=0, max_iter=100)],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_category_that_none_of_the_rows_has(model, of_all_rows):
    """Its best coefficient is infinite; no step goes there at once."""
    rng, X, raw = draw()
    rare = np.zeros(len(X))
    rare[[7, 1_001, 5_003, 20_011, 30_011, 40_009, 50_021, 59_999]] = 1.0
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-raw))).astype(float)
    y[rare == 1] = 1.0 if isinstance(model, LogisticRegression) else 0.0
    X = np.c_[X, rare]
    coef = model.fit(X, y).coef_.ravel()
    assert abs(coef[-1]) < 50
    np.testing.assert_allclose(coef[:3], of_all_rows(model, X, y).coef_.ravel()[:3], atol=1e-3)


def huber_objective(model, X, y, weights):
    z = np.abs(y - X @ model.coef_ - model.intercept_) / model.scale_
    h = np.where(z < 1.35, z**2, 2.7 * z - 1.35**2)
    return float(weights @ (1 + h)) * model.scale_ + 1e-4 * model.coef_ @ model.coef_


@pytest.mark.parametrize("case", ["few weights", "a heavy weight", "leverage"])
@pytest.mark.parametrize("seed", range(3))
def test_huber_of_unlike_rows(case, seed, of_all_rows):
    rng, X, raw = draw(seed=seed)
    y = raw + rng.standard_t(2, size=len(X))
    weights = np.ones(len(X))
    if case == "few weights":
        weights[rng.random(len(X)) > 1 / 500] = 0.0
    elif case == "a heavy weight":
        weights[12_347] = 1e4
    else:
        X[7, 1] = 1e8
    model = HuberRegressor().fit(X, y, weights)
    assert model.convergence_.converged
    found = huber_objective(model, X, y, weights)
    plain = huber_objective(of_all_rows(HuberRegressor(), X, y, weights), X, y, weights)
    assert found <= plain * (1 + 1e-6)


@pytest.mark.parametrize(
    "model", [PoissonRegressor(alpha=0), LogisticRegression(C=np.inf)], ids=["poisson", "logistic"]
)
def test_the_shortest_of_dependent_columns(model, of_all_rows):
    rng, X, raw = draw()
    X = np.c_[X, X[:, 0]]
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-raw))).astype(float)
    coef = model.fit(X, y).coef_.ravel()
    np.testing.assert_allclose(coef[3], coef[0], atol=1e-3)
    np.testing.assert_array_equal(of_all_rows(model, X, y).coef_.ravel(), coef)


def test_huber_copies_no_more_than_its_share_of_the_rows():
    rng, X, raw = draw(400_000, 20)
    X, y = X.astype(np.float32), (raw + rng.standard_t(2, size=len(X))).astype(np.float32)
    tracemalloc.start()
    try:
        HuberRegressor().fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * X.nbytes


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_steps_without_length():
    """Products of a step and a change that are subnormal teach nothing."""
    _, X, y = draw(2_000)
    for power in (-150, -155, -160):
        model = LinearRegressor(fl.Huber(delta=1.0), alpha=0, tol=0).fit(X, y * 10.0**power)
        assert np.isfinite(model.coef_).all()
