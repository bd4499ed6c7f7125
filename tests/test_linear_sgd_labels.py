"""What LinearSGD takes as labels and states: nothing becomes valid by a cast."""

from __future__ import annotations

import pickle
import re
import warnings
from typing import Any

import numpy as np
import pytest

import fastloss as fl

X = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "y", [np.array([0, 1j + 1]), np.array(["0", "1"]), np.array([0, 1], "datetime64[s]")]
)
def test_labels_that_are_no_numbers(y: Any, dtype: type) -> None:
    for settings in ({}, {"n_outputs": 2, "one_vs_rest": True}):
        with pytest.raises(TypeError, match="has dtype"):
            fl.LinearSGD("log_loss", 3, dtype=dtype, **settings).epoch(X, y)


@pytest.mark.parametrize("bad", [-100.5, np.nan, np.inf, 1e300])
def test_numbers_that_are_no_classes(bad: float) -> None:
    softmax = fl.LinearSGD(fl.CrossEntropy(ignore_index=-100), 3, n_outputs=2)
    rest = fl.LinearSGD("log_loss", 3, n_outputs=2, one_vs_rest=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sgd in (softmax, rest):
            with pytest.raises(ValueError, match=re.escape(f"y[1] = {bad}")):
                sgd.epoch(X, np.array([0, bad]))
        softmax.epoch(X, np.array([0.0, -100.0]))


def test_states_are_checked() -> None:
    sgd = fl.LinearSGD("log_loss", 3)
    for random in (-1, 2**64):
        with pytest.raises(ValueError, match=re.escape(f"state['random'] = {random}")):
            sgd.load_state_dict({**sgd.state_dict(), "random": random})
    with pytest.raises(TypeError, match=re.escape("state['random'] = 0.5")):
        sgd.load_state_dict({**sgd.state_dict(), "random": 0.5})
    sgd.epoch(X, [0, 1])


class Named(fl.LinearSGD):
    """With an attribute of its own."""

    def __init__(self, name: str) -> None:
        super().__init__("log_loss", 3)
        self.name = name


def test_a_subclass_is_pickled_as_such() -> None:
    sgd = Named("mine")
    sgd.epoch(X, [0, 1])
    other = pickle.loads(pickle.dumps(sgd))
    assert type(other) is Named
    assert other.name == "mine"
    np.testing.assert_array_equal(other.coef, sgd.coef)
