"""LinearRegressor and LinearClassifier with every loss that fits them, and none that does not."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC, LinearSVR

import fastloss as fl
from fastloss.linear_model import LinearClassifier, LinearRegressor, LogisticRegression
from fastloss.linear_model._losses import CLASSES, KINKED, NUMBERS, OTHERS, TWO_CLASSES

IRIS = load_iris(return_X_y=True)
TWO = make_classification(300, 8, n_informative=5, class_sep=1.5, random_state=0)


def names(losses):
    return pytest.mark.parametrize("name", sorted(losses))


def fit_quietly(model, X, y):
    """Fit, and allow losses with kinks alone to say that they have not converged."""
    with warnings.catch_warnings():
        if model.loss in KINKED:
            warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def test_every_loss_has_its_place():
    kinds = (NUMBERS, TWO_CLASSES, CLASSES, OTHERS)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert frozenset().union(*kinds) == set(fl.available_losses())
    assert KINKED <= NUMBERS | TWO_CLASSES | CLASSES


@names(TWO_CLASSES | CLASSES)
def test_two_classes(name):
    X, y = TWO
    model = fit_quietly(LinearClassifier(name), X, y)
    assert model.coef_.shape == (1, 8)
    assert model.intercept_.shape == (1,)
    raw = model.decision_function(X)
    np.testing.assert_array_equal(model.predict(X), (raw > 0).astype(int))
    assert model.score(X, y) > 0.85
    if hasattr(model, "predict_proba"):
        share = model.predict_proba(X)
        np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-12)
        np.testing.assert_array_equal(share[:, 1] > share[:, 0], raw > 0)


@names(TWO_CLASSES | CLASSES)
def test_three_classes(name):
    X, y = IRIS
    model = fit_quietly(LinearClassifier(name), X, y)
    assert model.coef_.shape == (3, 4)
    assert model.decision_function(X).shape == (150, 3)
    assert model.score(X, y) > 0.9
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)


@names(NUMBERS)
def test_numbers(name):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4))
    y = np.exp(0.2 * X[:, 0] + 0.1 * rng.normal(size=300))
    model = fit_quietly(LinearRegressor(name, max_iter=3000), X, y)
    start = LinearRegressor(name, max_iter=3000).set_params(alpha=1e6)
    start = fit_quietly(start, X, y)  # hardly more than an intercept
    loss = fl.get_loss(name)

    def mean_loss(fitted):
        return loss(y, X @ fitted.coef_ + fitted.intercept_)

    assert mean_loss(model) < mean_loss(start)
    assert model.coef_[0] > 5 * np.abs(model.coef_[1:]).max()
    np.testing.assert_array_equal(
        model.predict(X), loss.predict(X @ model.coef_ + model.intercept_)
    )


def test_the_log_loss_of_several_classes_is_multinomial():
    X, y = IRIS
    model = LinearClassifier("log_loss", alpha=0.01, tol=1e-8).fit(X, y)
    same = LogisticRegression(C=1 / (0.01 * len(y)), tol=1e-8, max_iter=1000).fit(X, y)
    assert model.loss_ == fl.CrossEntropy()
    np.testing.assert_allclose(model.coef_, same.coef_, atol=1e-4)
    weighted = LinearClassifier(fl.LogLoss(cost_fn=2.0)).fit(X, y)
    assert weighted.loss_ == fl.LogLoss(cost_fn=2.0)
    assert weighted.n_iter_.shape == (3,)


def test_one_against_the_rest_is_several_problems_of_two_classes():
    X, y = IRIS
    model = LinearClassifier("squared_hinge", class_weight={0: 1.0, 1: 2.0, 2: 0.5}).fit(X, y)
    weights = np.array([1.0, 2.0, 0.5])[y]
    for k in range(3):
        alone = LinearClassifier("squared_hinge").fit(X, y == k, sample_weight=weights)
        np.testing.assert_array_equal(model.coef_[k], alone.coef_[0])
        assert model.convergence_[k].objective[-1] == alone.convergence_.objective[-1]


def test_two_classes_by_a_loss_of_several_are_the_same_as_by_one_of_two():
    """The two columns share the penalty: twice as strong."""
    X, y = TWO
    two = LinearClassifier("cross_entropy", alpha=0.2, tol=1e-9).fit(X, y)
    one = LinearClassifier("log_loss", alpha=0.1, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(two.coef_, one.coef_, atol=1e-7)
    np.testing.assert_allclose(two.predict_proba(X), one.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("alpha", [1e-3, 0.1])
def test_the_hinge_is_a_support_vector_machine(alpha):
    X, y = TWO
    model = LinearClassifier("hinge", alpha=alpha, fit_intercept=False, tol=1e-6).fit(X, y)
    other = LinearSVC(
        loss="hinge", C=1 / (alpha * len(y)), fit_intercept=False, tol=1e-10, max_iter=1000000
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-4)
    margin = 2 * y - 1

    def objective(coef):
        hinge = np.maximum(0, 1 - margin * (X @ coef[0])).mean()
        return hinge + alpha / 2 * np.sum(coef**2)

    assert objective(model.coef_) <= objective(other.coef_) * (1 + 1e-8)


@pytest.mark.parametrize("alpha", [1e-3, 0.1])
def test_the_epsilon_insensitive_loss_is_support_vector_regression(alpha):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 4))
    y = X @ rng.normal(size=4) + rng.standard_t(3, 200)
    loss = fl.EpsilonInsensitive(0.3)
    model = LinearRegressor(loss, alpha=alpha, fit_intercept=False, tol=1e-6).fit(X, y)
    other = LinearSVR(
        epsilon=0.3, C=1 / (alpha * len(y)), fit_intercept=False, tol=1e-10, max_iter=1000000
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-4)

    def objective(coef):
        return loss(y, X @ coef) + alpha / 2 * coef @ coef

    assert objective(model.coef_) <= objective(other.coef_) * (1 + 1e-8)
    weights = np.repeat([1.0, 2.0, 0.0, 3.0], 50)
    repeated = np.repeat(np.arange(200), weights.astype(int))
    weighted = LinearRegressor(loss, alpha=alpha, tol=1e-7).fit(X, y, weights)
    twice = LinearRegressor(loss, alpha=alpha, tol=1e-7).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.coef_, twice.coef_, atol=1e-5)


def test_costs_of_the_hinge():
    X, y = TWO
    model = LinearClassifier(fl.Hinge(cost_fn=3.0, cost_fp=0.5), alpha=0.01, tol=1e-6).fit(X, y)
    weighted = LinearClassifier("hinge", alpha=0.01, tol=1e-6, class_weight={0: 0.5, 1: 3.0})
    total = np.mean(np.array([0.5, 3.0])[y])  # which the mean divides by
    weighted.set_params(alpha=0.01 / total).fit(X, y)
    np.testing.assert_allclose(model.coef_, weighted.coef_, atol=1e-5)


def test_losses_without_probabilities_have_no_predict_proba():
    X, y = TWO
    for name in ("hinge", "squared_hinge", "crammer_singer"):
        assert not hasattr(LinearClassifier(name), "predict_proba")
    assert hasattr(LinearClassifier("probit"), "predict_proba")
    model = LinearClassifier("squared_hinge").fit(X, y)
    with pytest.raises(AttributeError, match="predict_proba"):
        model.predict_proba(X)


@pytest.mark.parametrize("name", sorted((TWO_CLASSES | CLASSES) - KINKED))
def test_l1_penalties_make_zeros(name):
    X, y = TWO
    model = LinearClassifier(name, alpha=0.05, l1_ratio=1.0, tol=1e-6, max_iter=5000).fit(X, y)
    assert 0 < np.count_nonzero(model.coef_) < 8


@names(OTHERS | NUMBERS)
def test_losses_that_are_not_of_classes(name):
    with pytest.raises(ValueError, match=f"loss = '{name}': expected a loss of classes: "):
        LinearClassifier(name).fit(*TWO)


@names(OTHERS | CLASSES | TWO_CLASSES)
def test_losses_that_are_not_of_numbers(name):
    with pytest.raises(ValueError, match=f"loss = '{name}': expected a loss of numbers: "):
        LinearRegressor(name).fit(*TWO)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_the_modified_huber_loss(n_classes):
    """Zhang's: linear between the margins -1 and 1."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int) + (n_classes == 3) * (X[:, 1] > 0.5)
    model = LinearClassifier("modified_huber").fit(X, y)
    share = np.clip((model.decision_function(X) + 1) / 2, 0.0, 1.0)
    if n_classes == 2:
        expected = np.column_stack([1 - share, share])
    else:
        total = share.sum(axis=1, keepdims=True)
        expected = np.divide(share, total, out=np.full_like(share, 1 / 3), where=total > 0)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-14, atol=1e-16)
