"""The solvers alone, on functions whose minimum is known; and the scale that they work with."""

import numpy as np
import pytest
from helpers.linear_data import dense, features
from scipy.optimize import linprog

from fastloss.linear_model import _scaling
from fastloss.linear_model._solvers import (
    NotFiniteError,
    lbfgs,
    newton,
    owlqn,
    piecewise_linear,
    proximal_newton,
)

PRECISION = float(np.finfo(np.float64).eps)
OPTIONS = {"tol": 1e-9, "max_iter": 500, "precision": PRECISION}


class Quadratic:
    """(coef - centre)' H (coef - centre) / 2, not finite beyond a distance."""

    def __init__(self, hessian, centre, reach=np.inf):
        self.matrix, self.centre, self.reach = hessian, centre, reach

    def loss_gradient(self, coef):
        step = coef - self.centre
        if np.abs(step).max() > self.reach:
            return np.nan, np.full(len(coef), np.inf)
        return 0.5 * step @ self.matrix @ step + 1.0, self.matrix @ step

    def hessian(self, coef):
        return self.matrix


def quadratic(rng, d, condition, **options):
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return Quadratic(
        basis @ np.diag(np.geomspace(1.0, condition, d)) @ basis.T, rng.normal(size=d), **options
    )


def smooth_methods(function, start, **options):
    ones = np.ones(len(start))
    yield lbfgs(function.loss_gradient, start, scale=ones, **OPTIONS, **options)
    yield newton(function, start, **OPTIONS, **options)
    yield owlqn(function.loss_gradient, start, 0 * ones, scale=ones, **OPTIONS, **options)


@pytest.mark.parametrize("condition", [1.0, 100.0])
@pytest.mark.parametrize("reach", [np.inf, 4.0])
def test_the_minimum_of_a_quadratic(condition, reach):
    rng = np.random.default_rng(0)
    function = quadratic(rng, 6, condition, reach=reach)
    start = function.centre + 3.0
    for solution in smooth_methods(function, start, report=lambda *_: None):
        assert solution.converged
        np.testing.assert_allclose(solution.coef, function.centre, atol=2e-8)
        assert solution.objective == pytest.approx(1.0, rel=1e-14)


def test_values_fall_and_reports_count():
    rng = np.random.default_rng(1)
    function = quadratic(rng, 6, 1e3)
    lines = []
    for solution in smooth_methods(function, np.zeros(6), report=lambda *line: lines.append(line)):
        assert [line[0] for line in lines] == list(range(solution.n_iter + 1))
        assert np.all(np.diff([line[1] for line in lines]) <= 0)
        # where the value, about 1, falls by less than 64 roundings, with a curvature of 1000
        assert lines[-1][2] == solution.gradient_norm < np.sqrt(2e3 * 64 * PRECISION)
        np.testing.assert_array_equal(lines[-1][3], solution.coef)
        lines.clear()


def test_a_start_that_is_not_finite():
    function = Quadratic(np.eye(2), np.zeros(2), reach=1.0)
    for k in range(3):
        with pytest.raises(NotFiniteError, match="not finite where the solver starts"):
            list(smooth_methods(function, np.full(2, 2.0), report=lambda *_: None))[k]


def test_a_hessian_that_is_not_positive_definite():
    """The sum of cos(coef): a maximum at 0, minima at pi."""

    class Waves:
        def loss_gradient(self, coef):
            return float(np.cos(coef).sum()), -np.sin(coef)

        def hessian(self, coef):
            return np.diag(-np.cos(coef))

    start = np.array([0.5, 1.0, 2.5])
    solution = newton(Waves(), start, report=lambda *_: None, **OPTIONS)
    assert solution.objective == pytest.approx(-3.0)
    penalty = np.zeros(3)
    penalised = proximal_newton(
        Waves(), start, penalty, scale=np.ones(3), report=lambda *_: None, **OPTIONS
    )
    assert penalised.objective == pytest.approx(-3.0)


@pytest.mark.parametrize("condition", [1.0, 30.0])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_l1_penalties(condition, scale):
    rng = np.random.default_rng(2)
    function = quadratic(rng, 8, condition)
    penalty = np.append(np.full(7, 0.7), 0.0)
    solutions = [
        owlqn(
            function.loss_gradient,
            np.zeros(8),
            penalty,
            scale=np.full(8, scale),
            report=lambda *_: None,
            **OPTIONS,
        ),
        proximal_newton(
            function, np.zeros(8), penalty, scale=np.ones(8), report=lambda *_: None, **OPTIONS
        ),
    ]
    for solution in solutions:
        slopes = function.loss_gradient(solution.coef)[1]
        zero = solution.coef == 0
        assert solution.converged
        assert np.all(np.abs(slopes[zero]) <= penalty[zero] + 1e-9)
        np.testing.assert_allclose(
            slopes[~zero], -penalty[~zero] * np.sign(solution.coef[~zero]), atol=2e-9
        )
    np.testing.assert_array_equal(solutions[0].coef == 0, solutions[1].coef == 0)
    assert 0 < np.count_nonzero(solutions[0].coef) < 8


@pytest.mark.parametrize("layout", ["dense", "csr"])
@pytest.mark.parametrize("copies", [1, 2])
def test_straight_lines_are_a_linear_programme(layout, copies):
    rng = np.random.default_rng(3)
    X = features(rng, 40, 3, layout)
    target = rng.normal(size=40 * copies)
    low, high = -rng.uniform(0.1, 1, 40 * copies), rng.uniform(0.1, 1, 40 * copies)
    l1 = np.array([0.5, 0.0, 2.0, 0.0])
    solution = piecewise_linear(
        X,
        target,
        low,
        high,
        l1=l1,
        l2=np.zeros(4),
        fit_intercept=True,
        tol=1e-9,
        max_iter=100,
        report=lambda *_: None,
    )
    rows = np.tile(np.column_stack([dense(X), np.ones(40)]), (copies, 1))
    eye = np.eye(len(target))
    other = linprog(
        np.concatenate([l1, l1, high, -low]),
        A_eq=np.hstack([rows, -rows, eye, -eye]),
        b_eq=target,
    )
    assert solution.converged
    assert solution.objective == pytest.approx(other.fun, rel=1e-12)
    np.testing.assert_allclose(solution.coef, other.x[:4] - other.x[4:8], atol=1e-9)


@pytest.mark.parametrize("layout", ["dense", "csr", "csr64"])
@pytest.mark.parametrize("entries", [1, 50, 10**6])
def test_mean_squares(layout, entries, monkeypatch):
    monkeypatch.setattr(_scaling, "_ENTRIES", entries)
    rng = np.random.default_rng(4)
    X = features(rng, 300, 5, layout) * 3.0
    weights = rng.uniform(0, 2, 300)
    for given in (weights, None):
        expected = np.average(dense(X) ** 2, axis=0, weights=given)
        np.testing.assert_allclose(_scaling.mean_squares(X, given), expected, rtol=1e-12)


def test_a_scale_of_features_without_one():
    X = np.array([[0.0, np.inf, 2.0], [0.0, np.inf, -2.0]])
    scale = _scaling.coefficient_scale(X, None, 0.0, (2, 4), 1.0)
    np.testing.assert_array_equal(scale, [1.0, 1.0, 0.5, 1.0] * 2)
