"""Parameters of an estimator's loss and optimizer, as searches set them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastloss.linear_model import (
    LinearClassifier,
    LinearRegressor,
    LogisticRegression,
    SGDClassifier,
    SGDRegressor,
)

WITH_LOSS = (LinearClassifier, LinearRegressor, SGDClassifier, SGDRegressor)


@pytest.mark.parametrize("cls", WITH_LOSS)
def test_they_are_among_the_estimators(cls):
    loss = fl.Focal(gamma=1.5) if "Classifier" in cls.__name__ else fl.Huber(delta=2.5)
    estimator = cls(loss=loss)
    assert "loss__delta" not in estimator.get_params(deep=False)
    assert {f"loss__{name}": value for name, value in loss.params.items()}.items() <= (
        estimator.get_params().items()
    )
    assert cls(loss="hinge").get_params().keys() == cls(loss="hinge").get_params(deep=False).keys()


def test_setting_one_makes_another_loss_with_the_rest():
    loss = fl.Focal(gamma=1.5, alpha=0.25)
    estimator = LinearClassifier(loss=loss)
    twin = clone(estimator)
    assert estimator.set_params(loss__gamma=3.0, alpha=0.1) is estimator
    assert estimator.loss == fl.Focal(gamma=3.0, alpha=0.25)
    assert estimator.alpha == 0.1
    assert loss == fl.Focal(gamma=1.5, alpha=0.25) == twin.loss
    estimator.set_params(loss=fl.Poly1(), loss__epsilon=0.5)  # together, in this order
    assert estimator.loss == fl.Poly1(epsilon=0.5)


@pytest.mark.parametrize("pipeline", [False, True])
def test_grid_search(pipeline):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    y = X @ [1.0, -2.0, 0.5] + rng.standard_t(1.5, size=400)
    estimator: Any = LinearRegressor(loss=fl.Huber())
    name = "loss__delta"
    if pipeline:
        estimator, name = make_pipeline(StandardScaler(), estimator), "linearregressor__loss__delta"
    search = GridSearchCV(
        estimator, {name: [0.1, 1.0, 100.0]}, scoring="neg_median_absolute_error", cv=4
    ).fit(X, y)
    assert search.best_params_[name] < 100.0
    best = search.best_estimator_[-1] if pipeline else search.best_estimator_
    assert best.loss == fl.Huber(delta=search.best_params_[name])


def test_what_is_refused():
    estimator = LinearRegressor(loss=fl.Huber())
    with pytest.raises(TypeError, match=r"epsilon = 2: Huber has no such parameter, it has delta"):
        estimator.set_params(loss__epsilon=2)
    with pytest.raises(ValueError, match=r"delta = -1.*expected"):
        estimator.set_params(loss__delta=-1)
    assert estimator.loss == fl.Huber()
    with pytest.raises(ValueError, match=r"loss__delta: .* an instance, .*not loss = 'huber'"):
        LinearRegressor(loss="huber").set_params(loss__delta=2)
    with pytest.raises(
        ValueError, match="Invalid parameter 'loss' for estimator LogisticRegression"
    ):
        LogisticRegression().set_params(loss__delta=2)
    with pytest.raises(ValueError, match="Invalid parameter 'what'"):
        estimator.set_params(what=1)


@pytest.mark.parametrize("cls", [SGDClassifier, SGDRegressor])
def test_those_of_an_optimizer(cls):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 3))
    y = (X[:, 0] > 0).astype(int)
    optimizer = fl.optim.AdamW(lr=0.5, weight_decay=0.25)
    estimator = cls(optimizer=optimizer, random_state=0, max_iter=3, tol=None)
    assert estimator.get_params()["optimizer__weight_decay"] == 0.25
    search = GridSearchCV(estimator, {"optimizer__lr": [1e-9, 0.05]}).fit(X, y)
    best = search.best_estimator_.optimizer
    assert (best.settings["lr"], best.settings["weight_decay"]) == (0.05, 0.25)
    assert optimizer.settings["lr"] == 0.5
    with pytest.raises(TypeError, match="AdamW has no parameter 'beta': expected one of lr, "):
        estimator.set_params(optimizer__beta=1)
    with pytest.raises(
        ValueError, match=r"optimizer__lr: .* as fl.optim.Adam\(\), not .* = 'adam'"
    ):
        cls(optimizer="adam").set_params(optimizer__lr=1)
