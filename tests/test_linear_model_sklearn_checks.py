"""scikit-learn's own checks of estimators, with no failure expected."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastloss as fl
from fastloss import linear_model

# Tolerances where a check compares fits that differ in their last steps.
ESTIMATORS = [
    linear_model.LogisticRegression(max_iter=1000),
    linear_model.LogisticRegression(l1_ratio=0.5, max_iter=1000, solver="saga"),
    linear_model.LogisticRegression(solver="newton-cholesky", max_iter=1000),
    linear_model.LinearClassifier(),
    linear_model.LinearClassifier("hinge", tol=1e-6),
    linear_model.LinearClassifier(fl.MulticlassFocal()),
    linear_model.LinearClassifier("c_log_log", tol=1e-10, alpha=0.01, solver="newton-cholesky"),
    linear_model.LinearRegressor(),
    linear_model.LinearRegressor("absolute_error"),
    linear_model.LinearRegressor("huber", l1_ratio=0.5),
    linear_model.PoissonRegressor(),
    linear_model.GammaRegressor(),
    linear_model.TweedieRegressor(),
    linear_model.TweedieRegressor(power=1.5),
    linear_model.HuberRegressor(),
    linear_model.QuantileRegressor(alpha=0.01),
]


# its data is not scaled: some fits end at max_iter, and say so
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(ESTIMATORS)
def test_checks(estimator, check):
    check(estimator)
