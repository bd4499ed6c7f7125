"""The hinge loss where classes are rare or lie apart: the interior point method reaches the optimum."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from fastloss.linear_model import LinearClassifier


def few():
    """One sample in twenty is of the class."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 10))
    score = X @ rng.normal(size=10) + 0.5 * rng.normal(size=len(X))
    return X, score > np.quantile(score, 0.95)


def apart():
    """A plane is between them."""
    X = np.random.default_rng(1).normal(size=(500, 6))
    return X, X[:, 0] > 0


def objective(X, y, coef, intercept, alpha):
    margins = np.where(y, 1, -1) * (X @ coef + intercept)
    return np.maximum(0, 1 - margins).mean() + 0.5 * alpha * coef @ coef


@pytest.mark.parametrize("alpha", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("data", [few, apart])
def test_the_optimum_of_support_vectors(data, alpha):
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearClassifier("hinge", alpha=alpha).fit(X, y)
    theirs = SVC(kernel="linear", C=1 / (alpha * len(y)), tol=1e-6).fit(X, y)
    found = objective(X, y, model.coef_[0], model.intercept_[0], alpha)
    least = objective(X, y, theirs.coef_[0], theirs.intercept_[0], alpha)
    assert found <= least * (1 + 1e-7)
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=0, atol=2e-3)
    assert (model.predict(X) == theirs.predict(X)).mean() > 0.999


@pytest.mark.parametrize("penalty", [{"alpha": 0.0}, {"alpha": 1e-4, "l1_ratio": 1.0}])
def test_other_penalties_end_at_a_gap(penalty):
    X, y = few()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearClassifier("hinge", **penalty).fit(X, y)
    assert model.convergence_.converged


def test_pixels_that_are_always_dark():
    """Columns of zeros, and others that hardly differ: the dual stays balanced to the end."""
    X, y = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearClassifier("hinge").fit(X / 16, y)
    assert model.score(X / 16, y) > 0.985


def test_what_is_kept_is_the_best_there_was():
    """Of iterations that were not enough."""
    X, y = few()
    with pytest.warns(UserWarning, match="max_iter = 12"):
        model = LinearClassifier("hinge", alpha=1e-5, max_iter=12).fit(X, y)
    found = objective(X, y, model.coef_[0], model.intercept_[0], 1e-5)
    np.testing.assert_allclose(found, model.convergence_.objective.min(), rtol=1e-6)
