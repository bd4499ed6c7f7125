"""Finite features whose squares are not: an error that names one, whichever solver meets it."""

import numpy as np
import pytest
from scipy import sparse

from fastloss.linear_model import (
    HuberRegressor,
    LinearClassifier,
    LinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = rng.normal(size=40)
ESTIMATORS = [
    LinearRegressor(),
    LinearRegressor(solver="lbfgs"),
    LinearRegressor("huber", l1_ratio=0.5),
    LinearRegressor("absolute_error"),
    LinearClassifier(),
    LinearClassifier("cross_entropy", l1_ratio=1.0),
    LogisticRegression(solver="newton-cholesky"),
    PoissonRegressor(),
    HuberRegressor(),
    QuantileRegressor(),
]


def target(model):
    if isinstance(model, LinearClassifier | LogisticRegression):
        return (Y > 0).astype(int)
    return np.abs(Y)


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("model", ESTIMATORS, ids=repr)
def test_too_large_to_be_squared(model, layout):
    A = X.copy()
    A[17, 1] = -1e200
    message = (
        rf"^X\[17, 1\] = {A[17, 1]:g}: too large to be squared and summed in float64; expected"
    )
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        model.fit(layout(A), target(model))


@pytest.mark.parametrize("model", ESTIMATORS, ids=repr)
def test_infinity_is_named_as_such(model):
    A = X.copy()
    A[17, 1] = np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        model.fit(A, target(model))


def test_a_rare_one_among_many():
    """The sizes of features are told by some of the rows; a large one among the others is found too."""
    A = np.random.default_rng(1).normal(size=(30_001, 2))
    A[7, 0] = 1e200  # every third row is looked at first
    y = A[:, 1] + 1
    for solver in ("newton-cholesky", "lbfgs"):
        with pytest.raises(ValueError, match=r"^X\[7, 0\] = 1e\+200: too large"):
            LinearRegressor(solver=solver).fit(A, y)


def test_large_features_that_can_be_squared():
    A = X * np.array([1e150, 1.0, 1e-150])
    model = LinearRegressor(alpha=0.0).fit(A, Y)
    plain = LinearRegressor(alpha=0.0).fit(X, Y)
    np.testing.assert_allclose(model.predict(A), plain.predict(X), rtol=1e-6, atol=1e-8)
