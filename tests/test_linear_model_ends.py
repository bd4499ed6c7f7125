"""Where fits end: what is said to have converged has, and what has is said to."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import LinearRegressor, QuantileRegressor, TweedieRegressor
from fastloss.linear_model._solvers import lbfgs, newton, owlqn, proximal_newton

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))


@pytest.mark.parametrize(
    "model",
    [
        *(QuantileRegressor(alpha=alpha) for alpha in (0.0, 0.1, 1.0)),
        QuantileRegressor(alpha=0.0, quantile=0.9, fit_intercept=False),
        *(
            LinearRegressor(loss, alpha=alpha)
            for loss in ("absolute_error", "epsilon_insensitive")
            for alpha in (0.0, 1.0)
        ),
    ],
    ids=str,
)
def test_interior_points_fit_targets_that_are_all_zero(model):
    model.fit(X, np.zeros(50))
    assert model.convergence_.converged
    assert model.n_iter_ < 50
    np.testing.assert_allclose(model.predict(X), 0.0, atol=1e-6 if model.alpha else 0.1)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("seed", range(5))
def test_interior_points_fit_targets_that_they_can_meet_exactly(seed, scale):
    draw = np.random.default_rng(seed)
    wide, y = draw.normal(size=(12, 40)), scale * draw.normal(size=12)
    model = QuantileRegressor(alpha=0.0, fit_intercept=False, quantile=0.9).fit(wide, y)
    assert model.convergence_.converged
    np.testing.assert_allclose(model.predict(wide), y, atol=1e-7 * scale)
    tall = draw.normal(size=(100, 4))
    model = QuantileRegressor(alpha=0.0).fit(tall, scale * tall.sum(axis=1))
    assert model.convergence_.converged
    np.testing.assert_allclose(model.coef_, scale, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0])
def test_an_objective_that_is_zero_within_the_margin(alpha):
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=50)
    model = LinearRegressor(fl.EpsilonInsensitive(10.0), alpha=alpha).fit(X, y)
    assert model.convergence_.converged
    assert model.n_iter_ < 50
    assert np.abs(y - model.predict(X)).max() <= 10.0
    assert model.convergence_.objective[-1] < 1e-12


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e6])
def test_lbfgs_falls_as_far_in_any_unit_of_the_targets(scale):
    draw = np.random.default_rng(0)
    columns = np.logspace(0, 2, 12)
    skewed = draw.normal(size=(300, 12)) @ np.diag(columns) @ draw.normal(size=(12, 12))
    y = (skewed @ draw.normal(size=12) + draw.normal(size=300)) * scale
    model = LinearRegressor(
        alpha=0.0, max_iter=100_000, solver="lbfgs", tol=1e-12 * scale, fit_intercept=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(skewed, y)
    residual = y - skewed @ np.linalg.lstsq(skewed, y, rcond=None)[0]
    excess = np.mean((y - model.predict(skewed)) ** 2) / np.mean(residual**2) - 1
    assert excess < 1e-6
    assert not model.convergence_.converged or excess < 1e-9


@pytest.mark.parametrize("model", ["lbfgs", "newton-cholesky"])
def test_the_edge_of_the_domain_is_no_optimum(model):
    draw = np.random.default_rng(0)
    features = draw.normal(size=(2000, 3))
    y = draw.poisson(np.maximum(1 + 0.5 * features[:, 0], 0)).astype(float)
    model = TweedieRegressor(power=1, link="identity", alpha=0.0, tol=1e-6, solver=model)
    with pytest.warns(ConvergenceWarning, match="edge of where the loss is finite"):
        model.fit(features, y)
    assert not model.convergence_.converged


class Line:
    """1 plus the sum of the coefficients, where they are not negative."""

    def loss_gradient(self, coef):
        return (coef.sum() + 1.0 if coef.min() >= 0 else np.inf), np.ones_like(coef)

    def hessian(self, coef):
        return np.eye(len(coef))


@pytest.mark.parametrize("solver", ["lbfgs", "newton", "owlqn", "proximal newton"])
def test_solvers_tell_the_edge_of_a_domain(solver):
    line, start, scale = Line(), np.full(2, 2.0), np.ones(2)
    options = {"tol": 1e-9, "max_iter": 1000, "precision": 2.0**-52, "report": lambda *_: None}
    if solver == "lbfgs":
        solution = lbfgs(line.loss_gradient, start, scale=scale, **options)
    elif solver == "newton":
        solution = newton(line, start, **options)
    elif solver == "owlqn":
        solution = owlqn(line.loss_gradient, start, 0 * scale, scale=scale, **options)
    else:
        solution = proximal_newton(line, start, 0 * scale, scale=scale, **options)
    assert not solution.converged
    assert "edge" in solution.reason or solution.n_iter == 1000


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_newton_starts_where_the_hessian_is_zero(size):
    draw = np.random.default_rng(0)
    features, y = size * draw.normal(size=(60, 3)), draw.normal(0, 2, size=60)
    y += 3 * np.sign(y)
    seen = []
    model = LinearRegressor(
        fl.Huber(1e-2), alpha=0.0, solver="newton-cholesky", tol=1e-7 * size, max_iter=5000
    )
    model.fit(features, y, callback=lambda progress: seen.append(np.abs(progress.coef).max()))
    assert model.convergence_.converged
    assert max(seen) < 1e3 * max(1, 1 / size)
    best = LinearRegressor(fl.Huber(1e-2), alpha=0.0, solver="lbfgs", tol=1e-7 * size)
    best.set_params(max_iter=5000).fit(features, y)
    assert model.convergence_.objective[-1] <= best.convergence_.objective[-1] * (1 + 1e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "epsilon_insensitive"])
def test_kinks_are_named(loss):
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=50)
    with pytest.warns(ConvergenceWarning, match="the loss has kinks"):
        LinearRegressor(loss, solver="lbfgs", alpha=0.01).fit(X, y)
