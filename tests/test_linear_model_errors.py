"""Errors name the parameter or the argument, the value, and what was expected."""

import re

import numpy as np
import pytest
from helpers.process import run
from scipy import sparse

import fastloss as fl
from fastloss import linear_model
from fastloss.linear_model import (
    HuberRegressor,
    LinearClassifier,
    LinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    SGDClassifier,
    TweedieRegressor,
)

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 5.0]])
Y = np.array([0, 1, 1, 0])

PARAMETERS = [
    (
        LinearClassifier(fl.CrossEntropy(ignore_index=1)),
        ValueError,
        "expected a loss without ignore_index; leave those samples out of X and y",
    ),
    (
        SGDClassifier(fl.CrossEntropy(ignore_index=-100)),
        ValueError,
        "expected a loss without ignore_index; leave those samples out of X and y",
    ),
    (LogisticRegression(C=0.0), ValueError, "C = 0.0: expected a number greater than 0"),
    (LogisticRegression(C="1"), TypeError, "C = '1': expected a number"),
    (LogisticRegression(l1_ratio=1.5), ValueError, "l1_ratio = 1.5: expected a number in [0, 1]"),
    (
        LogisticRegression("l3"),
        ValueError,
        "penalty = 'l3': expected one of 'elasticnet', 'l1', 'l2', None",
    ),
    (LogisticRegression(1), TypeError, "penalty = 1: expected a string or None"),
    (LogisticRegression(solver="adam"), ValueError, "solver = 'adam': expected one of 'lbfgs'"),
    (LogisticRegression(tol=-1.0), ValueError, "tol = -1.0: expected a number of at least 0"),
    (LogisticRegression(max_iter=1.5), TypeError, "max_iter = 1.5: expected an integer"),
    (LogisticRegression(max_iter=-1), ValueError, "max_iter = -1: expected an integer of at"),
    (LogisticRegression(fit_intercept=1), TypeError, "fit_intercept = 1: expected True or False"),
    (LogisticRegression(n_jobs=0), ValueError, "n_jobs = 0: expected an integer other than 0"),
    (LogisticRegression(n_jobs=2.0), TypeError, "n_jobs = 2.0: expected an integer or None"),
    (LogisticRegression(class_weight="even"), ValueError, "class_weight = 'even': expected"),
    (LogisticRegression(class_weight=2), TypeError, "class_weight = 2: expected 'balanced'"),
    (PoissonRegressor(alpha=-1), ValueError, "alpha = -1: expected a number of at least 0"),
    (
        PoissonRegressor(solver="sag"),
        ValueError,
        "solver = 'sag': expected one of 'lbfgs', 'newton",
    ),
    (TweedieRegressor(power=0.5), ValueError, "power = 0.5: expected a number outside (0, 1)"),
    (TweedieRegressor(link="logit"), ValueError, "link = 'logit': expected one of 'auto'"),
    (HuberRegressor(epsilon=0.9), ValueError, "epsilon = 0.9: expected a number in [1, 1e+100]"),
    (QuantileRegressor(quantile=1.0), ValueError, "quantile = 1.0: expected a number in (0, 1)"),
    (QuantileRegressor(solver="cg"), ValueError, "solver = 'cg': expected one of 'highs'"),
    (LinearRegressor("hubber"), ValueError, "did you mean 'huber'?"),
    (LinearRegressor(fl.Huber), TypeError, "a name or a loss of fastloss, as Huber() is"),
    (LinearRegressor(3), TypeError, "loss = 3: expected a name or a loss of fastloss"),
    (
        LinearRegressor(solver="interior-point"),
        ValueError,
        "solver = 'interior-point' with loss = SquaredError(): expected a loss of straight",
    ),
    (
        LinearClassifier(solver="interior-point"),
        ValueError,
        "solver = 'interior-point' with loss = LogLoss(",
    ),
    (
        LinearClassifier("cross_entropy", solver="interior-point"),
        ValueError,
        "solver = 'interior-point' with loss = CrossEntropy(",
    ),
]


@pytest.mark.parametrize(
    ("model", "error", "message"), PARAMETERS, ids=lambda value: str(value)[:50]
)
def test_parameters(model, error, message):
    with pytest.raises(error, match=re.escape(message)):
        model.fit(X, Y)


EVERY = [
    LogisticRegression(),
    LogisticRegression(l1_ratio=1.0),
    LinearClassifier("hinge"),
    LinearRegressor(),
    LinearRegressor("absolute_error"),
    PoissonRegressor(),
    HuberRegressor(),
    QuantileRegressor(),
]
every_model = pytest.mark.parametrize("model", EVERY, ids=str)


@every_model
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("matrix", [np.asarray, sparse.csr_matrix], ids=["dense", "csr"])
def test_features_that_are_not_finite(model, bad, matrix):
    features = X.copy()
    features[2, 1] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.fit(matrix(features), Y)


@every_model
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            [1.0, -1.0, 1.0, 1.0],
            r"sample_weight\[1\] = -1.0: expected finite numbers of at least 0",
        ),
        ([1.0, np.nan, 1.0, 1.0], "sample_weight contains NaN"),
        ([1.0, 1.0], "inconsistent numbers of samples"),
        ([[1.0], [1.0], [1.0], [1.0]], r"sample_weight has shape \(4, 1\)"),
        ([0.0] * 4, "all weights are zero"),
    ],
)
def test_weights(model, weights, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, weights)


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], ["a"] * 4])
def test_one_class(labels):
    for model in (LogisticRegression(), LinearClassifier()):
        with pytest.raises(ValueError, match="y contains one class only, "):
            model.fit(X, labels)


def test_continuous_labels():
    for model in (LogisticRegression(), LinearClassifier()):
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            model.fit(X, [0.1, 0.2, 0.3, 0.4])


def test_targets_out_of_the_domain():
    for model in (PoissonRegressor(), LinearRegressor("poisson")):
        with pytest.raises(ValueError, match=r"y_true\[1\] = -1\.0|y\[1\] = -1\.0"):
            model.fit(X, [1.0, -1.0, 2.0, 3.0])


def test_a_start_where_the_mean_is_not_positive():
    model = TweedieRegressor(power=1.5, link="identity", fit_intercept=False)
    with pytest.raises(ValueError, match="the objective is not finite where the solver starts"):
        model.fit(X, [1.0, 1.0, 2.0, 3.0])


def test_n_jobs_minus_one_means_all():
    model = LogisticRegression(n_jobs=-1).fit(X, Y)
    assert model._n_threads() == fl.cpu_info()["n_threads"]


WITHOUT = """
import importlib.metadata as metadata, json, sys
real = metadata.version
def version(name):
    if name == "scikit-learn":
        {action}
    return real(name)
metadata.version = version
try:
    import fastloss.linear_model
except ImportError as error:
    print(json.dumps(str(error)))
"""


def test_without_scikit_learn_the_error_says_what_to_install():
    message = run(WITHOUT.format(action="raise metadata.PackageNotFoundError(name)"))
    assert message == (
        "fastloss.linear_model needs scikit-learn, which is not installed: "
        "pip install 'fastloss[sklearn]'"
    )


def test_with_an_old_scikit_learn_the_error_says_what_to_install():
    message = run(WITHOUT.format(action="return '1.5.2'"))
    assert message == (
        "fastloss.linear_model needs scikit-learn 1.6 or newer, not 1.5.2: "
        "pip install 'fastloss[sklearn]'"
    )


def test_everything_public_is_there():
    assert list(linear_model.__all__) == sorted(linear_model.__all__)
    assert all(hasattr(linear_model, name) for name in linear_model.__all__)
