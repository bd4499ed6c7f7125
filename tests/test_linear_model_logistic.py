"""LogisticRegression: scikit-learn's coefficients, or a lower objective."""

import numpy as np
import pytest
import sklearn.linear_model as sk
from helpers.linear_data import LAYOUTS, dense, features, scores
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from fastloss.linear_model import LogisticRegression


def objective(model, X, y, C, l1_ratio=0.0, weights=None):
    """Return what both minimise, in float64 and without either of them."""
    raw = dense(X) @ np.asarray(model.coef_, np.float64).T + model.intercept_
    if raw.shape[1] == 1:
        raw = np.column_stack([np.zeros(len(raw)), raw])
    losses = logsumexp(raw, axis=1) - raw[np.arange(len(raw)), np.searchsorted(model.classes_, y)]
    w = np.asarray(model.coef_, np.float64)
    penalty = l1_ratio * np.abs(w).sum() + (1 - l1_ratio) / 2 * np.sum(w**2)
    return np.sum(losses if weights is None else weights * losses) + penalty / C


def sample(rng, n_classes, n=300, d=8, layout="dense", dtype=np.float64):
    X = features(rng, n, d, layout, dtype)
    raw = np.column_stack([scores(rng, X) for _ in range(n_classes)])
    return X, np.argmax(raw + 2 * rng.normal(size=raw.shape), axis=1)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_coefficients_are_those_of_scikit_learn(solver, layout, n_classes, C):
    rng = np.random.default_rng(n_classes)
    X, y = sample(rng, n_classes, layout=layout)
    weights = rng.uniform(0.0, 3.0, len(y))
    weights[:20] = 0.0
    params = {"C": C, "tol": 1e-10, "max_iter": 5000}
    ours = LogisticRegression(solver=solver, **params).fit(X, y, weights)
    # its Newton solver converges quadratically, and takes no 64-bit indices
    theirs = sk.LogisticRegression(solver="newton-cholesky", **params).fit(dense(X), y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=2e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=2e-6)
    low = objective(theirs, X, y, C, weights=weights)
    assert objective(ours, X, y, C, weights=weights) <= low * (1 + 1e-12)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(dense(X)))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(dense(X)), atol=1e-6)
    np.testing.assert_allclose(
        ours.predict_log_proba(X), theirs.predict_log_proba(dense(X)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("layout", ["dense", "csr"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["saga", "lbfgs"])
def test_l1_and_elastic_net(layout, n_classes, l1_ratio, fit_intercept, solver):
    rng = np.random.default_rng(5)
    X, y = sample(rng, n_classes, layout=layout)
    params = {"C": 0.03, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    ours = LogisticRegression(solver=solver, tol=1e-9, max_iter=5000, **params).fit(X, y)
    theirs = sk.LogisticRegression(solver="saga", tol=1e-8, max_iter=20000, **params)
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=2e-5)
    low = objective(theirs, X, y, 0.03, l1_ratio)
    assert objective(ours, X, y, 0.03, l1_ratio) <= low * (1 + 1e-10)
    assert np.count_nonzero(ours.coef_) < ours.coef_.size
    np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_penalty(n_classes):
    rng = np.random.default_rng(6)
    X, y = sample(rng, n_classes)
    ours = LogisticRegression(C=np.inf, tol=1e-9, max_iter=1000).fit(X, y)
    theirs = sk.LogisticRegression(C=np.inf, tol=1e-9, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    by_name = LogisticRegression(penalty=None, tol=1e-9, max_iter=1000).fit(X, y)
    np.testing.assert_array_equal(by_name.coef_, ours.coef_)


def test_the_old_names_of_penalties():
    rng = np.random.default_rng(7)
    X, y = sample(rng, 2)
    for penalty, l1_ratio in (("l2", 0.0), ("l1", 1.0), ("elasticnet", 0.4)):
        new = LogisticRegression(C=0.1, l1_ratio=l1_ratio, solver="saga").fit(X, y)
        old = LogisticRegression(penalty, C=0.1, l1_ratio=0.4, solver="saga").fit(X, y)
        np.testing.assert_array_equal(old.coef_, new.coef_)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 1: 0.5, 2: 1.0}])
def test_class_weights(class_weight):
    rng = np.random.default_rng(8)
    X, y = sample(rng, 3)
    keep = (y != 0) | (rng.random(len(y)) < 0.3)
    X, y = X[keep], y[keep]
    weights = rng.uniform(0.5, 2.0, len(y))
    params = {"class_weight": class_weight, "tol": 1e-9, "max_iter": 1000}
    ours = LogisticRegression(**params).fit(X, y, weights)
    theirs = sk.LogisticRegression(solver="newton-cholesky", **params).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=2e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_float32_stays_float32(n_classes, layout):
    rng = np.random.default_rng(9)
    X, y = sample(rng, n_classes, layout=layout, dtype=np.float32)
    single = LogisticRegression().fit(X, y)
    double = LogisticRegression(tol=1e-8).fit(X.astype(np.float64), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.predict_proba(X).dtype == np.float32
    # each is within tol of a stationary point of an objective with curvature of at least 1 / (C n)
    np.testing.assert_allclose(single.coef_, double.coef_, atol=5e-3)
    assert objective(single, X, y, 1.0) <= objective(double, X, y, 1.0) * (1 + 1e-5)


@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [-1, 1], [0.0, 1.0], [3, 7, 9], ["a", "b", "c"]]
)
def test_labels_of_any_type(labels):
    rng = np.random.default_rng(10)
    X, y = sample(rng, len(labels))
    named = LogisticRegression().fit(X, np.array(labels)[y])
    numbered = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(named.classes_, labels)
    np.testing.assert_array_equal(named.coef_, numbered.coef_)
    np.testing.assert_array_equal(named.predict(X), np.array(labels)[numbered.predict(X)])


def test_probabilities_keep_their_digits_in_the_tails():
    X = np.array([[-1.0], [1.0]] * 10)
    model = LogisticRegression().fit(X, [0, 1] * 10)
    model.coef_[:], model.intercept_[:] = 100.0, 0.0
    assert model.predict_proba([[1.0]])[0, 0] == pytest.approx(np.exp(-100.0), rel=1e-14)
    assert model.predict_log_proba([[-9.0]])[0, 1] == -900.0
    # log1p(-exp(-100)), which is 0 after a sum of exponentials
    assert model.predict_log_proba([[1.0]])[0, 1] == pytest.approx(-np.exp(-100.0), rel=1e-14)


def test_sparsify():
    rng = np.random.default_rng(11)
    X, y = sample(rng, 3)
    model = LogisticRegression(l1_ratio=1.0, C=0.05, max_iter=1000).fit(X, y)
    expected, coef = model.decision_function(X), model.coef_
    model.sparsify()
    assert model.coef_.nnz == np.count_nonzero(coef)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(model.densify().coef_, coef)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_bits_do_not_depend_on_threads(n_threads):
    rng = np.random.default_rng(12)
    X, y = sample(rng, 2, n=20000)
    one = LogisticRegression(n_jobs=n_threads).fit(X, y)
    two = LogisticRegression(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_a_separable_problem_without_penalty_says_that_it_does_not_converge():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=3)
    with pytest.warns(ConvergenceWarning, match="max_iter = 3 iterations were not enough"):
        model.fit(X, [0, 0, 1, 1])
    assert np.isfinite(model.coef_).all()
    assert model.score(X, [0, 0, 1, 1]) == 1.0


@pytest.mark.parametrize("n_classes", [2, 3])
def test_many_coefficients(n_classes):
    """Beyond 2000 of them another implementation of L-BFGS takes over."""
    rng = np.random.default_rng(13)
    X = features(rng, 300, 2100, "csr")
    y = rng.integers(0, n_classes, 300)
    params = {"C": 0.1, "tol": 1e-9, "max_iter": 1000}
    ours = LogisticRegression(**params).fit(X, y)
    theirs = sk.LogisticRegression(solver="newton-cg", **params).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-6)
    low = objective(theirs, X, y, 0.1)
    assert objective(ours, X, y, 0.1) <= low * (1 + 1e-12)


def test_the_units_of_the_features_hardly_matter():
    rng = np.random.default_rng(14)
    X, y = sample(rng, 2, n=2000)
    units = 10.0 ** np.arange(-4, 4)
    params = {"C": np.inf, "tol": 1e-8, "max_iter": 200}
    same = LogisticRegression(**params).fit(X, y)
    scaled = LogisticRegression(**params).fit(X * units, y)
    assert scaled.n_iter_[0] <= same.n_iter_[0] + 5
    np.testing.assert_allclose(scaled.coef_ * units, same.coef_, rtol=1e-4)
