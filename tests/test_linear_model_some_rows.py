"""Fits of many rows start from some of them: whatever those tell, the end is the same."""

import signal

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

import fastloss as fl
from fastloss.linear_model import (
    GammaRegressor,
    HuberRegressor,
    LinearClassifier,
    LinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
    _head_start,
    _huber,
)
from fastloss.linear_model._losses import CLASSES, NUMBERS, TWO_CLASSES, is_convex
from fastloss.linear_model._solvers import newton

N, D = 6000, 3  # six rows of which one is taken


def heavy_tailed(rng):
    X = rng.normal(size=(N, D))
    return X, X @ [1.0, -2.0, 0.5] + 3.0 + rng.standard_t(2, size=N)


def sorted_rows(rng):
    X, y = heavy_tailed(rng)
    order = np.argsort(y)
    return X[order], y[order], None


def periodic(rng):
    """The rows that are taken have another slope, and no noise."""
    X, y = heavy_tailed(rng)
    y[::6] = -50.0 * X[::6, 0] + 7.0
    return X, y, None


def rare_feature(rng):
    """The rows that are taken know nothing of one feature."""
    X, _ = heavy_tailed(rng)
    X[:, 1] = np.arange(N) % 600 == 1
    return X, X @ [1.0, 30.0, 0.5] + rng.standard_t(2, size=N), None


def weightless(rng):
    X, y = heavy_tailed(rng)
    return X, y, (np.arange(N) % 6 > 0).astype(float)


def outliers(rng):
    X, y = heavy_tailed(rng)
    y[rng.random(N) < 0.05] = 1e9
    return X, y, None


def constant_part(rng):
    X, y = heavy_tailed(rng)
    y[::6] = 0.0
    return X, y, rng.uniform(0.5, 2.0, N)


@pytest.mark.parametrize(
    "data", [sorted_rows, periodic, rare_feature, weightless, outliers, constant_part]
)
def test_huber_ends_where_a_start_without_slopes_ends(data, monkeypatch):
    X, y, weights = data(np.random.default_rng(0))
    taken = HuberRegressor(tol=1e-8, alpha=0.0).fit(X, y, weights)
    monkeypatch.setattr(_head_start, "_LEAST_STRIDE", N)
    plain = HuberRegressor(tol=1e-8, alpha=0.0).fit(X, y, weights)
    assert taken.convergence_.converged
    assert plain.convergence_.converged
    assert taken.convergence_.objective[-1] == pytest.approx(
        plain.convergence_.objective[-1], rel=1e-12
    )
    # curvatures are about 1 over the scale; those of the rare feature 600 times less
    np.testing.assert_allclose(taken.coef_, plain.coef_, rtol=0, atol=1e-4)
    assert taken.scale_ == pytest.approx(plain.scale_, rel=1e-6)
    np.testing.assert_array_equal(
        taken.outliers_, np.abs(y - X @ taken.coef_ - taken.intercept_) > 1.35 * taken.scale_
    )


def test_huber_forms_no_hessian_of_all_rows_where_some_tell_it(monkeypatch):
    made = []

    class Counted(_huber.HuberScale):
        def hessian(self, unknowns):
            made.append(0)
            return super().hessian(unknowns)

    monkeypatch.setattr(_huber, "HuberScale", Counted)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50_000, 10))
    y = X @ rng.normal(size=10) + rng.standard_t(2, size=50_000)
    model = HuberRegressor().fit(X, y)
    assert model.convergence_.converged
    assert not made
    assert model.n_iter_ <= 5


MODELS = [
    LogisticRegression(tol=1e-9),
    LogisticRegression(solver="newton-cholesky", tol=1e-9, C=np.inf),
    LogisticRegression(tol=1e-9, fit_intercept=False),
    LinearClassifier("squared_hinge", tol=1e-9),
    PoissonRegressor(tol=1e-9, alpha=1e-3),
    PoissonRegressor(tol=1e-9, solver="newton-cholesky"),
    GammaRegressor(tol=1e-9, alpha=0.01),
    TweedieRegressor(power=1.5, tol=1e-9, alpha=0.01),
    LinearRegressor("huber", tol=1e-9, alpha=1e-3),
]


def ordered(rng, X):
    return X[np.argsort(X @ [1.0, -2.0, 0.5])], None


def uneven(rng, X):
    """Of the rows that are taken one feature is 0, and another of another size."""
    X[::6] = X[::6] * [0.0, 0.01, 1.0]
    return X, None


def unlike(rng, X):
    """The rows that are taken are all alike."""
    X[::6] = [1.0, 1.0, 1.0]
    return X, None


def without_weight(rng, X):
    return X, (np.arange(N) % 6 > 0).astype(float)


def weighted(rng, X):
    return X, rng.exponential(size=N)


@pytest.mark.parametrize("data", [ordered, uneven, unlike, without_weight, weighted])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_models_end_where_cold_starts_end(model, dtype, data, monkeypatch):
    rng = np.random.default_rng(5)
    X, weights = data(rng, rng.normal(size=(N, D)).astype(dtype))
    score = 0.5 * X @ [1.0, -2.0, 0.5] - 1.0
    y = rng.gamma(2.0, np.exp(score)) + 1e-3
    if isinstance(model, LogisticRegression | LinearClassifier):
        y = score + rng.logistic(size=N) > 0
    if isinstance(model, PoissonRegressor):
        y = rng.poisson(np.exp(score))
    if dtype == np.float32:  # the gradient is exact to some roundings
        model = type(model)(**{**model.get_params(), "tol": 1e-5})
    taken = model.fit(X, y, weights)
    end, coef = taken.convergence_, np.append(taken.coef_, taken.intercept_)
    monkeypatch.setattr(_head_start, "_LEAST_STRIDE", N)
    plain = model.fit(X, y, weights)
    assert end.converged
    assert plain.convergence_.converged
    if data in (ordered, weighted):
        assert end.objective[0] < plain.convergence_.objective[0]
    exact = 1e-12 if dtype == np.float64 else 1e-6
    assert end.objective[-1] == pytest.approx(plain.convergence_.objective[-1], rel=exact)
    np.testing.assert_allclose(
        coef, np.append(plain.coef_, plain.intercept_), rtol=0, atol=np.sqrt(exact)
    )


def test_some_rows_that_are_separable_do_not_lead_far():
    """One row in a thousand is of the other class: six of those taken, which any line parts."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(40_000, 8))
    y = rng.random(40_000) < 0.001 * np.exp(X[:, 0])
    model = LogisticRegression(tol=1e-7, C=1e6).fit(X, y)
    assert model.convergence_.converged
    margin = np.where(y, 1, -1) * (X @ model.coef_[0] + model.intercept_[0])
    slopes = X.T @ (np.where(y, -1, 1) / (1 + np.exp(margin))) / len(y)
    np.testing.assert_allclose(slopes, np.zeros(8), atol=2e-7)
    assert np.diff(model.convergence_.objective).max() <= 0


def test_a_head_start_is_spared_passes():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(60_000, 10))
    y = X @ rng.normal(size=10) / 2 + rng.logistic(size=60_000) > 0
    assert LogisticRegression(tol=1e-5).fit(X, y).n_iter_[0] <= 4


def test_a_warm_start_is_kept():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(N, D))
    y = X[:, 0] + rng.logistic(size=N) > 0
    model = LogisticRegression(tol=1e-8, warm_start=True).fit(X, y)
    assert model.n_iter_[0] > 0
    assert model.fit(X, y).n_iter_[0] == 0


def test_an_interrupt_of_the_head_start(monkeypatch):
    def interrupted(*args, **options):
        options["report"] = lambda *_: signal.raise_signal(signal.SIGINT)
        return newton(*args, **options)

    monkeypatch.setattr(_head_start, "newton", interrupted)
    rng = np.random.default_rng(9)
    X = rng.normal(size=(N, D))
    seen = []
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        model = PoissonRegressor().fit(X, rng.poisson(1.0, N), callback=seen.append)
    assert not seen
    assert model.n_iter_ == 0
    assert model.convergence_.reason == "interrupted"


def test_losses_called_convex_are():
    names = [name for name in NUMBERS | TWO_CLASSES | CLASSES if is_convex(fl.get_loss(name))]
    assert {"log_loss", "poisson", "huber"} <= set(names)
    assert not {"focal", "welsch", "tukey", "cauchy", "pinball", "tweedie_identity"} & set(names)
    f = np.linspace(-20, 20, 401)
    for loss in [*map(fl.get_loss, names), *(fl.Tweedie(power) for power in (1.0, 1.5, 2.0))]:
        for label in (0.0, 1.0) if loss.name in TWO_CLASSES else (0.5, 3.0):
            gradient = loss.gradient(np.full_like(f, label), f, reduction="none")
            assert np.all(np.diff(gradient) >= -1e-12 * np.abs(gradient[1:])), loss
    assert not is_convex(fl.Tweedie(3.0))


class LogCosh:
    """The mean of log(cosh(A @ coef - b)), and how often its Hessian was asked for."""

    def __init__(self, rng, d):
        self.A, self.b, self.hessians = rng.normal(size=(40 * d, d)), rng.normal(size=40 * d), 0

    def loss_gradient(self, coef):
        r = self.A @ coef - self.b
        value = np.mean(np.abs(r) + np.log1p(np.exp(-2 * np.abs(r))))
        return float(value), self.A.T @ np.tanh(r) / len(r)

    def hessian(self, coef):
        self.hessians += 1
        return (
            self.A.T @ ((1 - np.tanh(self.A @ coef - self.b) ** 2)[:, None] * self.A) / len(self.b)
        )


def wrong(hessian, kind):
    """Return what is no Hessian."""
    if kind == "small":  # steps a thousand times too long
        return 1e-3 * hessian
    if kind == "large":
        return 1e3 * hessian
    if kind == "negative":
        return -hessian
    if kind == "singular":
        hessian[:, 0] = hessian[0] = 0.0
        return hessian
    return np.full_like(hessian, {"zero": 0.0, "NaN": np.nan, "infinite": np.inf}[kind])


@pytest.mark.parametrize(
    "kind", ["small", "large", "negative", "singular", "zero", "NaN", "infinite"]
)
def test_newton_goes_on_from_a_hessian_that_is_none(kind):
    function = LogCosh(np.random.default_rng(2), 6)
    given = wrong(function.hessian(np.zeros(6)), kind)
    best = minimize(function.loss_gradient, np.zeros(6), jac=True, tol=1e-12)
    solution = newton(
        function,
        np.zeros(6),
        tol=1e-9,
        max_iter=50,
        precision=2.0**-52,
        report=lambda *_: None,
        hessian=given,
    )
    assert solution.converged
    assert solution.gradient_norm <= 1e-9
    assert solution.objective <= best.fun * (1 + 1e-14)


def test_newton_learns_from_its_steps():
    """A Hessian that is wrong by a fifth alone leaves a sixth of the gradient, at each step."""

    class Quadratic:
        def loss_gradient(self, coef):
            return float(0.5 * coef @ coef) + 1.0, coef.copy()

        def hessian(self, coef):
            raise AssertionError("the Hessian given serves")

    norms = []
    solution = newton(
        Quadratic(),
        np.array([1.0, -2.0]),
        tol=1e-9,
        max_iter=50,
        precision=2.0**-52,
        report=lambda _, value, norm, coef: norms.append(norm),
        hessian=np.diag([1.2, 0.9]),
    )
    assert solution.converged
    rates = np.divide(norms[1:], norms[:-1])
    assert rates[-1] < 0.1 * rates[0]


def test_huber_starts_with_a_scale_of_its_residuals():
    """The last fit had none: its scale is next to 0, from where no slope leads back."""
    X, y = heavy_tailed(np.random.default_rng(4))
    model = HuberRegressor(tol=1e-8, alpha=1e-9, warm_start=True)
    model.fit(X[:50], X[:50] @ [1.0, 2.0, 3.0])
    assert model.scale_ < 1e-6
    plain = HuberRegressor(tol=1e-8, alpha=1e-9).fit(X, y)
    model.fit(X, y)
    assert model.convergence_.converged
    assert model.scale_ == pytest.approx(plain.scale_, rel=1e-6)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=0, atol=1e-6)
