"""L-BFGS with a Hessian asked for now and then: on badly scaled features, which else take for ever."""

import importlib
import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import LinearRegressor, LogisticRegression, PoissonRegressor, _fitting
from fastloss.linear_model._solvers import lbfgs

# the function of this name hides it
lbfgs_module = importlib.import_module("fastloss.linear_model._solvers.lbfgs")
D = 12
PATIENCE = 15
OPTIONS = {"tol": 1e-7, "precision": 2.0**-52}


def quadratic(condition):
    """A function of curvatures from 1 to condition, its Hessian, and its minimum."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(D, D)))[0]
    matrix, centre = basis @ np.diag(np.geomspace(1.0, condition, D)) @ basis.T, rng.normal(size=D)

    def function(coef):
        step = coef - centre
        return 1.0 + 0.5 * step @ matrix @ step, matrix @ step

    return function, lambda coef: matrix, centre


def solve(function, *, max_iter=1000, **options):
    """A solution, and what was reported."""
    seen = []
    solution = lbfgs(
        function,
        np.zeros(D),
        scale=np.ones(D),
        max_iter=max_iter,
        report=lambda *progress: seen.append(progress),
        **OPTIONS,
        **options,
    )
    return solution, seen


def test_a_hessian_ends_a_long_way_in_a_few_steps():
    function, hessian, centre = quadratic(1e8)
    asked = []

    def counted(coef):
        asked.append(coef)
        return hessian(coef)

    slow, _ = solve(function)
    solution, seen = solve(function, hessian=counted, patience=PATIENCE)
    assert solution.converged
    np.testing.assert_allclose(solution.coef, centre, atol=1e-6)
    assert len(asked) == 1
    assert PATIENCE < solution.n_iter <= PATIENCE + 3
    assert slow.n_iter > 2 * solution.n_iter
    assert [number for number, *_ in seen] == list(range(solution.n_iter + 1))
    values = [value for _, value, *_ in seen]
    assert all(later <= earlier for earlier, later in pairwise(values))
    # the gradient that is reported, and ends the fit, is by the coefficients themselves
    norms = [np.abs(function(coef)[1]).max() for *_, coef in seen]
    np.testing.assert_allclose([norm for _, _, norm, _ in seen], norms, rtol=1e-6)


def test_no_hessian_is_asked_for_on_a_short_way():
    function, _, centre = quadratic(4.0)

    def refused(coef):
        raise AssertionError

    solution, _ = solve(function, hessian=refused, patience=PATIENCE)
    assert solution.converged
    np.testing.assert_allclose(solution.coef, centre, atol=1e-6)


@pytest.mark.parametrize("max_iter", [1, PATIENCE - 1, PATIENCE, PATIENCE + 1])
def test_max_iter_counts_the_iterations_before_and_after(max_iter):
    function, hessian, _ = quadratic(1e8)
    solution, seen = solve(function, max_iter=max_iter, hessian=hessian, patience=PATIENCE)
    assert solution.n_iter == max_iter
    assert len(seen) == max_iter + 1
    assert not solution.converged
    assert solution.reason == f"max_iter = {max_iter} iterations were not enough"


@pytest.mark.parametrize(
    "useless", [np.diag([-1.0] + [1.0] * (D - 1)), np.full((D, D), np.nan), np.full((D, D), np.inf)]
)
def test_a_hessian_that_is_none_changes_nothing(useless):
    function, _, centre = quadratic(1e3)
    asked = []
    solution, _ = solve(
        function, hessian=lambda coef: asked.append(coef) or useless, patience=PATIENCE
    )
    assert len(asked) == 1
    assert solution.converged
    np.testing.assert_allclose(solution.coef, centre, atol=1e-6)


@pytest.mark.parametrize("size", [1e-12, 1e-4, 1e4, 1e12])
def test_a_hessian_that_misleads_does_little_harm(size):
    function, _, centre = quadratic(100.0)
    solution, _ = solve(function, hessian=lambda coef: size * np.eye(D), patience=PATIENCE)
    assert solution.converged
    np.testing.assert_allclose(solution.coef, centre, atol=1e-6)


def test_where_the_axes_lead_nowhere_the_units_do(monkeypatch):
    function, _, centre = quadratic(100.0)
    wrong = []

    def nowhere(coef):
        wrong.append(coef)
        return 1e-300 * np.eye(D)

    monkeypatch.setattr(lbfgs_module, "_RIDGE", 0.0)  # steps overflow
    solution, _ = solve(function, hessian=nowhere, patience=PATIENCE)
    assert len(wrong) == 1
    assert solution.converged
    np.testing.assert_allclose(solution.coef, centre, atol=1e-6)


def test_ctrl_c_within_a_hessian_keeps_the_best_point():
    function, _, _ = quadratic(1e8)

    def interrupted(coef):
        raise KeyboardInterrupt

    solution, seen = solve(function, hessian=interrupted, patience=PATIENCE)
    assert solution.reason == "interrupted"
    assert solution.n_iter == PATIENCE
    assert solution.objective == min(value for _, value, *_ in seen)


def badly_scaled(n):
    """Features of units from 0.01 to 100 that depend on each other, and linear predictions."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, D)) @ np.diag(np.geomspace(1e-2, 1e2, D))
    X = X @ (np.eye(D) + 0.3 * rng.normal(size=(D, D)))
    return X, X @ rng.normal(size=D) / X.std(axis=0).max(), rng


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["logistic", "poisson"])
def test_badly_scaled_features_converge_within_the_iterations_of_a_default(kind, dtype):
    X, raw, rng = badly_scaled(3000)
    X = X.astype(dtype)
    if kind == "logistic":
        y = (raw + rng.logistic(size=len(raw)) > 0).astype(int)
        model = LogisticRegression(C=10.0)
    else:
        y = rng.poisson(np.exp(np.clip(raw, -3, 2)))
        model = PoissonRegressor(alpha=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, y)
    # without fastloss
    wide = X.astype(np.float64)

    def objective_and_gradient(coef, intercept):
        predicted = wide @ np.ravel(coef) + intercept
        if kind == "logistic":
            mean, strength = expit(predicted), 1 / (10.0 * len(y))
            losses = np.logaddexp(0.0, predicted) - y * predicted
        else:
            mean, strength = np.exp(predicted), 1e-6
            losses = mean - y * predicted
        penalty = strength / 2 * np.sum(np.square(coef, dtype=np.float64))
        return losses.mean() + penalty, wide.T @ (mean - y) / len(y) + strength * np.ravel(coef)

    objective, gradient = objective_and_gradient(model.coef_, model.intercept_)
    if dtype == np.float32:
        # the Hessian's small axes, under Poisson a billionth of the large ones, lie in the gradient's
        # rounding: the end is judged by how far it is above the best
        model.fit(wide, y)
        best, gradient = objective_and_gradient(model.coef_, model.intercept_)
        assert abs(objective - best) < {"logistic": 1e-7, "poisson": 1e-3}[kind] * abs(best)
    assert np.abs(gradient).max() < 2e-4


def test_a_loss_that_is_not_convex_is_left_to_lbfgs_alone(monkeypatch):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, D))
    # most samples are outliers to the first coefficients
    y = 3 * X @ rng.normal(size=D) + rng.standard_t(2, size=200)
    along, found = lbfgs_module._along, []

    def recorded(hessian, scale):
        found.append((hessian, along(hessian, scale)))
        return found[-1][1]

    monkeypatch.setattr(lbfgs_module, "_along", recorded)
    model = LinearRegressor(fl.GemanMcClure(), alpha=1e-3, tol=1e-8, solver="lbfgs")
    model.fit(X, y)
    ((hessian, axes),) = found
    assert np.linalg.eigvalsh(hessian)[0] < 0
    assert axes is None
    assert model.convergence_.converged
    monkeypatch.setattr(_fitting, "_HESSIAN_COEFFICIENTS", -1)
    alone = clone(model).fit(X, y)
    assert len(found) == 1
    assert model.convergence_.objective[-1] == pytest.approx(
        alone.convergence_.objective[-1], rel=1e-12
    )
    np.testing.assert_allclose(model.coef_, alone.coef_, rtol=0, atol=1e-6)
