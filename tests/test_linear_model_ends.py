"""Where fits end: what is said to have converged has, and what has is said to."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import LinearRegressor, QuantileRegressor

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
