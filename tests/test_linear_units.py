"""Linear models do not depend on the units of the data, nor sums of parts on who finishes them."""

import numpy as np
import pytest

import fastloss as fl

linear_model = pytest.importorskip("fastloss.linear_model")


# a thousandfold y makes another loss of those whose far residuals are linear
CASES = [
    (of, loss, units)
    for of in ("X", "y")
    for loss in ("squared_error", "huber", "log_cosh", "pseudo_huber")
    for units in (1e-7, 1e-3, 1.0, 1e3)
    if of == "X" or units <= 1 or loss == "squared_error"
]


@pytest.mark.parametrize(("of", "loss", "units"), CASES)
def test_units_do_not_matter(loss, units, of):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(400, 4))
    y = X @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.normal(size=400)
    X, y = (X * units, y) if of == "X" else (X, y * units)
    model = linear_model.LinearRegressor(loss, alpha=0.0).fit(X, y)
    assert model.convergence_.converged
    assert model.score(X, y) > 0.99


def test_squared_errors_are_solved_exactly():
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(200, 10)) * np.logspace(-3, 3, 10), rng.normal(size=200)
    model = linear_model.LinearRegressor(alpha=0.0).fit(X, y)
    exact = np.linalg.lstsq(np.c_[X, np.ones(200)], y, rcond=None)[0]
    np.testing.assert_allclose(model.coef_, exact[:-1], rtol=1e-8)


def test_sums_know_their_intercept():
    rng = np.random.default_rng(7)
    X, y, coef = rng.normal(size=(30, 3)), rng.normal(size=30), np.array([1.0, 2.0, 3.0])
    objective = fl.LinearObjective("squared_error", X, y, l2=0.5, fit_intercept=False)
    value, gradient = objective.loss_gradient(coef)
    sums = objective.partial(coef)
    assert sums.finish(coef, l2=0.5)[0] == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(sums.finish(coef, l2=0.5)[1], gradient, rtol=1e-14)
    other = fl.LinearObjective("squared_error", X[:, :2], y).partial(coef)
    with pytest.raises(ValueError, match="fit_intercept"):
        sums + other
