"""The regressors: scikit-learn's coefficients, or a lower objective."""

import numpy as np
import pytest
import sklearn.linear_model as sk
from helpers.linear_data import LAYOUTS, dense, features, scores
from scipy import sparse

import fastloss as fl
from fastloss import linear_model

CLOSE = {"rtol": 0, "atol": 1e-6}


def weights_of(rng, n):
    weights = rng.uniform(0.0, 3.0, n)
    weights[: n // 10] = 0.0
    return weights


# ---------------------------------------------------------------- generalised linear models

GLMS = [
    ("PoissonRegressor", {}, lambda rng, mean: rng.poisson(mean)),
    ("GammaRegressor", {}, lambda rng, mean: rng.gamma(2.0, mean)),
    ("TweedieRegressor", {"power": 1.5}, lambda rng, mean: rng.poisson(mean) * mean),
    ("TweedieRegressor", {"power": 3.0}, lambda rng, mean: rng.gamma(2.0, mean)),
    ("TweedieRegressor", {}, lambda rng, mean: np.log(mean) + rng.normal(size=len(mean))),
    (
        "TweedieRegressor",
        {"power": 1.0, "link": "log"},
        lambda rng, mean: rng.poisson(mean),
    ),
]


@pytest.mark.parametrize(("name", "params", "draw"), GLMS)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_generalised_linear_models(name, params, draw, solver, layout, fit_intercept):
    rng = np.random.default_rng(3)
    X = features(rng, 400, 6, layout)
    y = draw(rng, np.exp(scores(rng, X) / 4))
    weights = weights_of(rng, 400)
    params = {"alpha": 0.1, "fit_intercept": fit_intercept, "max_iter": 1000, **params}
    ours = getattr(linear_model, name)(solver=solver, tol=1e-9, **params).fit(X, y, weights)
    # its Newton solver takes no negative Hessians, which power = 3 has
    other = "lbfgs" if params.get("power") == 3.0 else "newton-cholesky"
    theirs = getattr(sk, name)(solver=other, tol=1e-10, **params).fit(dense(X), y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, **CLOSE)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(dense(X)), rtol=1e-5, atol=1e-5)
    assert ours.score(X, y, weights) == pytest.approx(theirs.score(dense(X), y, weights), abs=1e-6)
    assert isinstance(ours.n_iter_, int)


def test_the_identity_link_of_other_powers():
    rng = np.random.default_rng(4)
    X = rng.uniform(0.0, 1.0, (300, 4))
    y = rng.poisson(1.0 + X @ [1.0, 2.0, 0.5, 3.0])
    model = linear_model.TweedieRegressor(power=1.0, link="identity", alpha=0.0, tol=1e-9)
    model.fit(X, y)
    mean = model.predict(X)
    np.testing.assert_array_less(0.0, mean)
    # the score equations of a Poisson model with identity link
    residual = (y - mean) / mean
    np.testing.assert_allclose(X.T @ residual / 300, np.zeros(4), atol=1e-7)
    assert abs(residual.mean()) < 1e-7


def test_an_overflow_on_the_way_is_stepped_back_from():
    X = np.array([[0.0], [1.0], [1000.0]])
    y = np.array([1.0, 2.0, 1e4])
    for solver in ("lbfgs", "newton-cholesky"):
        model = linear_model.PoissonRegressor(alpha=0.0, solver=solver, max_iter=1000, tol=1e-3)
        model.fit(X, y)
        assert np.isfinite(model.coef_).all()
        assert np.isfinite(model.convergence_.objective).all()
        assert np.all(np.diff(model.convergence_.objective) <= 0)


def test_float32_stays_float32():
    rng = np.random.default_rng(5)
    for layout in ("dense", "csr"):
        X = features(rng, 400, 6, layout, np.float32)
        y = rng.poisson(np.exp(scores(rng, X) / 4)).astype(np.float64) + 0.5
        for model in (
            linear_model.PoissonRegressor(),
            linear_model.GammaRegressor(),
            linear_model.TweedieRegressor(power=1.5),
            linear_model.HuberRegressor(),
            linear_model.QuantileRegressor(alpha=0.01),
            linear_model.LinearRegressor("absolute_error"),
            linear_model.LinearRegressor("log_cosh", l1_ratio=0.5),
        ):
            model.fit(X, y)
            assert model.coef_.dtype == np.float32
            assert model.predict(X).dtype == np.float32
            single = model.coef_
            model.fit(X.astype(np.float64), y)
            assert model.coef_.dtype == np.float64
            np.testing.assert_allclose(single, model.coef_, atol=2e-3)


# ---------------------------------------------------------------- Huber


def huber_objective(model, X, y, weights, epsilon, alpha):
    z = np.abs(y - X @ model.coef_ - model.intercept_) / model.scale_
    h = np.where(z < epsilon, z**2, 2 * epsilon * z - epsilon**2)
    return np.sum(weights * (1 + h)) * model.scale_ + alpha * np.sum(model.coef_**2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("epsilon", [1.0, 1.05, 1.35, 3.0])
def test_huber_finds_the_joint_optimum_or_one_lower(layout, fit_intercept, scale, epsilon):
    rng = np.random.default_rng(6)
    X = features(rng, 300, 5, layout)
    y = scale * (scores(rng, X) + 2.0 + rng.standard_t(1.5, 300))
    weights = weights_of(rng, 300)
    params = {"epsilon": epsilon, "alpha": 0.01, "fit_intercept": fit_intercept}
    ours = linear_model.HuberRegressor(tol=1e-9 * scale, **params).fit(X, y, weights)
    theirs = sk.HuberRegressor(tol=1e-9, max_iter=10000, **params).fit(dense(X), y, weights)
    low = huber_objective(theirs, dense(X), y, weights, epsilon, 0.01)
    here = huber_objective(ours, dense(X), y, weights, epsilon, 0.01)
    assert here <= low * (1 + 1e-12)
    # theirs ends where the objective falls by less than 2e-9 of it: coefficients to about the root of
    # that, but close to epsilon = 1, where the objective is flat
    if epsilon > 1.1:
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-2 * scale)
        assert ours.scale_ == pytest.approx(theirs.scale_, rel=1e-2)
    residual = np.abs(y - dense(X) @ ours.coef_ - ours.intercept_)
    np.testing.assert_array_equal(ours.outliers_, residual > epsilon * ours.scale_)


def test_huber_is_stationary_in_coefficients_intercept_and_scale():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(300, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0] + rng.standard_t(1.5, 300)
    model = linear_model.HuberRegressor(tol=1e-10, alpha=0.0).fit(X, y)
    z = (y - X @ model.coef_ - model.intercept_) / model.scale_
    clipped = np.clip(z, -1.35, 1.35)
    np.testing.assert_allclose(X.T @ clipped / 300, np.zeros(4), atol=1e-9)
    assert abs(clipped.mean()) < 1e-9
    assert np.mean(clipped**2) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_huber_of_many_rows_starts_from_some_of_them(layout):
    rng = np.random.default_rng(17)
    X = features(rng, 20000, 4, layout)
    y = scores(rng, X) + 1.0 + rng.standard_t(2, 20000)
    weights = weights_of(rng, 20000)
    model = linear_model.HuberRegressor(tol=1e-9, alpha=0.0).fit(X, y, weights)
    assert model.convergence_.gradient_norm[0] < 0.1
    clipped = np.clip((y - dense(X) @ model.coef_ - model.intercept_) / model.scale_, -1.35, 1.35)
    slopes = np.average(dense(X) * clipped[:, None], axis=0, weights=weights)
    np.testing.assert_allclose(slopes, np.zeros(4), atol=1e-8)
    assert np.average(clipped**2, weights=weights) == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_huber_through_all_samples(alpha, fit_intercept, layout):
    rng = np.random.default_rng(18)
    X = features(rng, 12, 30, layout)
    y = rng.normal(size=12) + 3.0
    weights = np.tile([0.0, 1.0, 2.0, 3.0], 3)
    params = {"alpha": alpha, "fit_intercept": fit_intercept}
    model = linear_model.HuberRegressor(**params).fit(X, y, weights)
    used = weights > 0
    np.testing.assert_allclose(model.predict(X)[used], y[used], rtol=1e-9)
    assert model.scale_ < 1e-14
    # no other scale and no coefficients close by are lower
    here = huber_objective(model, dense(X), y, weights, 1.35, alpha)
    coef, intercept = model.coef_.copy(), model.intercept_
    for size in (1e-1, 1e-3, 1e-6):
        for _ in range(50):
            model.coef_ = coef + size * rng.normal(size=30)
            model.intercept_ = intercept + fit_intercept * size * rng.normal()
            for model.scale_ in (1e-10, size / 10, size, 1.0):
                beside = huber_objective(model, dense(X), y, weights, 1.35, alpha)
                assert beside >= here * (1 - 1e-9)
    repeated = np.repeat(np.arange(12), weights.astype(int))
    again = linear_model.HuberRegressor(**params).fit(dense(X)[repeated], y[repeated])
    np.testing.assert_allclose(again.coef_, coef, atol=1e-9)


def test_huber_where_the_penalty_holds_the_model_off_the_samples():
    rng = np.random.default_rng(19)
    X = rng.normal(size=(6, 8)) / 100
    y = rng.normal(size=6)
    model = linear_model.HuberRegressor(alpha=1.0, max_iter=1000).fit(X, y)
    assert model.scale_ > 0.1


def test_huber_without_hessians():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(2000, 310))  # beyond Newton's method
    y = X[:, 0] + rng.standard_t(2, 2000)
    model = linear_model.HuberRegressor(tol=1e-7, alpha=0.0, max_iter=1000).fit(X, y)
    clipped = np.clip((y - X @ model.coef_ - model.intercept_) / model.scale_, -1.35, 1.35)
    np.testing.assert_allclose(X.T @ clipped / 2000, np.zeros(310), atol=1e-6)


# ---------------------------------------------------------------- quantiles


def quantile_objective(model, X, y, weights, quantile, alpha):
    r = y - X @ model.coef_ - model.intercept_
    pinball = np.maximum(quantile * r, (quantile - 1) * r)
    return np.average(pinball, weights=weights) + alpha * np.abs(model.coef_).sum()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("alpha", [0.0, 0.02, 10.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_quantile_is_as_low_as_the_linear_programme(layout, quantile, alpha, fit_intercept):
    rng = np.random.default_rng(9)
    X = features(rng, 200, 6, layout)
    y = scores(rng, X) + rng.standard_t(2, 200)
    weights = weights_of(rng, 200)
    params = {"quantile": quantile, "alpha": alpha, "fit_intercept": fit_intercept}
    ours = linear_model.QuantileRegressor(**params).fit(X, y, weights)
    theirs = sk.QuantileRegressor(**params).fit(dense(X), y, weights)
    low = quantile_objective(theirs, dense(X), y, weights, quantile, alpha)
    here = quantile_objective(ours, dense(X), y, weights, quantile, alpha)
    assert here <= low * (1 + 1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(ours.coef_ == 0, np.abs(theirs.coef_) < 1e-10)
    assert ours.convergence_.converged


def test_quantile_where_the_optimum_is_a_whole_face():
    # an even number of samples: any constant between the two in the middle
    y = np.array([1.0, 2.0, 5.0, 9.0])
    model = linear_model.QuantileRegressor(alpha=0.0).fit(np.zeros((4, 1)), y)
    assert 2.0 <= model.intercept_ <= 5.0
    assert model.coef_[0] == 0.0
    assert np.mean(np.abs(y - model.intercept_)) == pytest.approx(11 / 4, rel=1e-8)


@pytest.mark.parametrize("rank", [1, 2])
def test_quantile_of_dependent_features(rank):
    rng = np.random.default_rng(10)
    X = rng.normal(size=(100, rank)) @ rng.normal(size=(rank, 4))
    y = X[:, 0] + rng.normal(size=100)
    params = {"quantile": 0.3, "alpha": 0.0}
    ours = linear_model.QuantileRegressor(**params).fit(X, y)
    theirs = sk.QuantileRegressor(**params).fit(X, y)
    low = quantile_objective(theirs, X, y, None, 0.3, 0.0)
    assert quantile_objective(ours, X, y, None, 0.3, 0.0) <= low * (1 + 1e-8)


def test_quantile_of_a_perfect_fit_and_of_more_features_than_samples():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, -2.0, 0.5] + 4.0
    model = linear_model.QuantileRegressor(alpha=0.0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-9)
    wide = rng.normal(size=(10, 30))
    model = linear_model.QuantileRegressor(alpha=0.0).fit(wide, y[:10])
    np.testing.assert_allclose(model.predict(wide), y[:10], atol=1e-6)


# ---------------------------------------------------------------- any loss


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_half_squared_error_is_the_elastic_net(layout, l1_ratio, solver):
    rng = np.random.default_rng(12)
    X = features(rng, 300, 8, layout)
    y = scores(rng, X) + rng.normal(size=300)
    weights = weights_of(rng, 300)
    params = {"alpha": 0.1, "l1_ratio": l1_ratio}
    ours = linear_model.LinearRegressor("half_squared_error", solver=solver, tol=1e-10, **params)
    ours.fit(X, y, weights)
    if l1_ratio:
        theirs = sk.ElasticNet(tol=1e-14, max_iter=100000, **params)
    else:
        theirs = sk.Ridge(alpha=0.1 * weights.sum())
    theirs.fit(dense(X), y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, **CLOSE)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.05])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_absolute_errors_by_interior_points_are_as_low_as_by_a_linear_programme(alpha, l1_ratio):
    """With an L2 penalty too: against a subgradient that contains 0."""
    rng = np.random.default_rng(13)
    X = rng.normal(size=(200, 5))
    y = X @ rng.normal(size=5) + rng.standard_t(2, 200)
    model = linear_model.LinearRegressor(
        "absolute_error", alpha=alpha, l1_ratio=l1_ratio, tol=1e-7
    ).fit(X, y)

    def objective(coef, intercept):
        penalty = alpha * (l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * coef @ coef)
        return np.abs(y - X @ coef - intercept).mean() + penalty

    here = objective(model.coef_, model.intercept_)
    # convex: no lower point close by means none anywhere
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(200):
            step = size * rng.normal(size=6)
            beside = objective(model.coef_ + step[:5], model.intercept_ + step[5])
            assert beside >= here * (1 - 1e-10)
    if alpha == 0 or l1_ratio == 1:
        theirs = sk.QuantileRegressor(alpha=alpha / 2).fit(X, y)
        assert here <= objective(theirs.coef_, theirs.intercept_) * (1 + 1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        fl.Huber(0.7),
        fl.LogCosh(),
        fl.PseudoHuber(0.5),
        fl.Expectile(0.8),
        fl.SquaredEpsilonInsensitive(0.1),
        fl.StudentT(),
    ],
)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_the_gradient_is_0_at_the_optimum(loss, solver):
    rng = np.random.default_rng(14)
    X = rng.normal(size=(300, 5))
    y = X @ rng.normal(size=5) + rng.standard_t(3, 300)
    weights = weights_of(rng, 300)
    model = linear_model.LinearRegressor(loss, alpha=0.0, tol=1e-8, solver=solver)
    model.fit(X, y, weights)
    slopes = loss.gradient(y, X @ model.coef_ + model.intercept_, weights)
    np.testing.assert_allclose(X.T @ slopes, np.zeros(5), atol=3e-8)
    assert abs(slopes.sum()) < 3e-8


def test_the_link_of_the_loss_predicts():
    rng = np.random.default_rng(15)
    X = rng.normal(size=(300, 3))
    y = rng.poisson(np.exp(X[:, 0]))
    model = linear_model.LinearRegressor("poisson", alpha=0.5, tol=1e-9).fit(X, y)
    same = linear_model.PoissonRegressor(alpha=0.5, tol=1e-9).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), same.predict(X))


def test_sparse_and_dense_give_the_same():
    rng = np.random.default_rng(16)
    X = features(rng, 300, 6, "csr")
    y = scores(rng, X) + rng.normal(size=300)
    for model in (
        linear_model.LinearRegressor("huber", tol=1e-9),
        linear_model.LinearRegressor("pinball", tol=1e-6),
        linear_model.HuberRegressor(tol=1e-9),
        linear_model.QuantileRegressor(alpha=0.01),
    ):
        expected = model.fit(dense(X), y).coef_
        for matrix in (X, sparse.csc_matrix(X), sparse.csr_array(X)):
            np.testing.assert_allclose(model.fit(matrix, y).coef_, expected, atol=1e-7)
