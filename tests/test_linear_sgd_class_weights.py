"""Class weights of LinearSGD, its own and its loss's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

X = np.random.default_rng(5).standard_normal((40, 6))
Y = (X[:, 0] > 0) * 1.0


def test_class_weight_of_a_loss_with_an_output_less() -> None:
    y = np.arange(40) % 4
    factors = np.array([1.0, 2.0, 0.5, 3.0])
    settings: dict[str, Any] = {"n_outputs": 3, "learning_rate": "constant"}
    one = fl.LinearSGD(fl.Coral(), 6, class_weight=factors, **settings)
    other = fl.LinearSGD(fl.Coral(), 6, **settings)
    assert one.epoch(X, y) == other.epoch(X, y, factors[y])
    np.testing.assert_array_equal(one.coef, other.coef)
    with pytest.raises(ValueError, match=r"class_weight has shape \(3,\): expected \(4,\)"):
        fl.LinearSGD(fl.Coral(), 6, class_weight=factors[:3], **settings)


def test_the_mean_divides_by_the_loss_s_own_class_weights() -> None:
    loss = fl.CrossEntropy(class_weight=[1.0, 2.0, 5.0])
    y = np.arange(40) % 3
    weight = np.linspace(0, 2, 40)
    for given in (None, weight):
        sgd = fl.LinearSGD(loss, 6, n_outputs=3, learning_rate="constant", eta0=1e-200)
        expected = loss.loss(y, np.zeros((40, 3)), sample_weight=given)
        assert sgd.epoch(X, y, given) == pytest.approx(expected, rel=1e-12)


def test_class_weight_is_a_copy() -> None:
    factors = np.array([1.0, 2.0])
    one, other = (fl.LinearSGD("log_loss", 6, class_weight=factors) for _ in range(2))
    one.epoch(X, Y)
    factors[:] = -1.0
    other.epoch(X, Y)
    np.testing.assert_array_equal(one.coef, other.coef)
