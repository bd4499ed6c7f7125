"""Weights of any size: a mean does not see their unit, a sum does; weights that are all zero."""

import numpy as np
import pytest
from sklearn.base import clone

from fastloss.linear_model import (
    HuberRegressor,
    LinearClassifier,
    LinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
COUNTS = rng.poisson(np.exp(0.3 * X[:, 0]))
CLASSES = (COUNTS > 0).astype(int)
WEIGHTS = rng.uniform(0.5, 2.0, size=200)

MODELS = {
    "poisson": (PoissonRegressor(), COUNTS),
    "quantile": (QuantileRegressor(quantile=0.7, alpha=0.01), COUNTS + X[:, 1]),
    "any regression loss": (LinearRegressor("log_cosh"), COUNTS),
    "any classification loss": (LinearClassifier(), CLASSES),
    "balanced": (LinearClassifier(class_weight="balanced"), CLASSES),
    "logistic without penalty": (LogisticRegression(C=np.inf), CLASSES),
    "huber without penalty": (HuberRegressor(alpha=0.0), COUNTS + X[:, 1]),
}


@pytest.mark.parametrize("power", [-1060, -166, -140, 133, 1022])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("model", "y"), MODELS.values(), ids=MODELS)
def test_a_mean_does_not_see_the_unit_of_the_weights(model, y, dtype, power):
    weights = np.round(WEIGHTS, 1) if power > -1022 else np.ones(200)
    plain = clone(model).fit(X.astype(dtype), y, weights)
    scaled = clone(model).fit(X.astype(dtype), y, np.ldexp(weights, power))
    np.testing.assert_array_equal(scaled.coef_, plain.coef_)
    assert np.abs(plain.coef_).max() > 0.01


@pytest.mark.parametrize("power", [-150, -3, 5, 900])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_of_weights_keeps_its_meaning(dtype, power):
    scale, A = 2.0**power, X.astype(dtype)
    for model, other, y in (
        (LogisticRegression(C=1.0), LogisticRegression(C=1.0 / scale), CLASSES),
        (HuberRegressor(alpha=1.0), HuberRegressor(alpha=scale), COUNTS + X[:, 1]),
    ):
        coef = model.fit(A, y, WEIGHTS).coef_
        np.testing.assert_array_equal(other.fit(A, y, WEIGHTS * scale).coef_, coef)


def test_sample_and_class_weights_multiply_beyond_the_floats():
    plain = LinearClassifier(class_weight={0: 1.0, 1: 2.0}).fit(X, CLASSES, WEIGHTS)
    heavy = LinearClassifier(class_weight={0: 2.0**900, 1: 2.0**901})
    heavy.fit(X, CLASSES, np.ldexp(WEIGHTS, 900))
    np.testing.assert_array_equal(heavy.coef_, plain.coef_)


@pytest.mark.parametrize("model", [LogisticRegression, LinearClassifier])
def test_class_weights_that_are_all_zero_or_negative(model):
    with pytest.raises(ValueError, match=r"class_weight = \{0: 0, 1: 0\}: all weights are zero"):
        model(class_weight={0: 0, 1: 0}).fit(X, CLASSES)
    with pytest.raises(ValueError, match=r"class_weight = \{0: 0, 1: 1\}: all samples have weight"):
        model(class_weight={0: 0, 1: 1}).fit(X, CLASSES, CLASSES == 0)
    with pytest.raises(ValueError, match=r"class_weight = \{0: -1\}: expected finite numbers of"):
        model(class_weight={0: -1}).fit(X, CLASSES)
    with pytest.raises(ValueError, match="sample_weight: all weights are zero"):
        model().fit(X, CLASSES, np.zeros(200))


def test_a_penalty_beyond_the_floats_names_its_parameter():
    with pytest.raises(ValueError, match="C = 1e-320: the penalty, 1 over C"):
        LogisticRegression(C=1e-320).fit(X, CLASSES)


def test_a_warm_start_that_overflows_is_a_cold_one():
    model = PoissonRegressor(alpha=0.0, warm_start=True).fit(X, COUNTS)
    cold = PoissonRegressor(alpha=0.0).fit(X * 1e4, COUNTS)
    np.testing.assert_array_equal(model.fit(X * 1e4, COUNTS).coef_, cold.coef_)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (TweedieRegressor(power="a"), TypeError, "power = 'a': expected a number"),
        (PoissonRegressor(verbose=None), TypeError, "verbose = None: expected an integer"),
        (HuberRegressor(verbose="a"), TypeError, "verbose = 'a': expected an integer"),
        (QuantileRegressor(solver_options=[1]), TypeError, r"solver_options = \[1\]: expected a"),
    ],
)
def test_errors_name_the_parameter(model, error, message):
    with pytest.raises(error, match=message):
        model.fit(X, COUNTS)
