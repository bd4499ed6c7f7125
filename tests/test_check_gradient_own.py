"""fl.check_gradient of losses of one's own that return something else."""

import numpy as np
import pytest
from helpers.wrapped_loss import Wrapped

import fastloss as fl


@pytest.mark.parametrize("at", [0, 1])
def test_a_loss_of_integers(at):
    class Own(Wrapped):
        def __init__(self):
            self.inner = fl.AbsoluteError()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            parts = [np.sign(raw_prediction), np.zeros(len(raw_prediction))]
            parts[at] = parts[at].astype(int)
            return tuple(parts)

    assert fl.check_gradient(Own(), np.zeros(3), np.array([1.0, -2.0, 5.0]), hessian=True).ok


def test_a_loss_that_does_not_heed_the_reduction():
    class Own(Wrapped):
        def __init__(self):
            super().__init__()
            self.inner = fl.AbsoluteError()

        def loss(self, y_true, raw_prediction, *, reduction):
            return float(np.mean(np.abs(raw_prediction - y_true)))

    with pytest.raises(
        ValueError, match=r"its loss returned shape \(\).*expected \(3,\), a loss for each"
    ):
        fl.check_gradient(Own(), np.zeros(3), np.array([1.0, -2.0, 5.0]))


def test_two_arrays_are_expected():
    class Own(Wrapped):
        def __init__(self):
            self.inner = fl.AbsoluteError()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            return np.sign(raw_prediction)

    with pytest.raises(TypeError, match="gradient_hessian returned ndarray, expected two arrays"):
        fl.check_gradient(Own(), np.zeros(3), np.array([1.0, -2.0, 5.0]))


def test_a_loss_that_works_in_place_leaves_the_data():
    class Own(Wrapped):
        def __init__(self):
            super().__init__()
            self.inner = fl.HalfSquaredError()

        def loss(self, y_true, raw_prediction, *, reduction):
            raw_prediction -= y_true
            return 0.5 * raw_prediction**2

    f = np.array([1.0, -2.0, 5.0])
    assert fl.check_gradient(Own(), np.ones(3), f).ok
    np.testing.assert_array_equal(f, [1.0, -2.0, 5.0])


def test_a_loss_that_returns_lists():
    """Also where its slopes are looked at because some are undecided."""

    class Lists(Wrapped):
        def __init__(self):
            self.inner = fl.SquaredHinge()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            parts = self.inner.gradient_hessian(y_true, raw_prediction, reduction=reduction)
            return tuple(part.tolist() for part in parts)

    y, f = np.array([1, 0, 1]), np.array([1.0, 0.5, 3.0])
    for hessian in (False, True):
        check = fl.check_gradient(Lists(), y, f, hessian=hessian)
        assert check.gradient.kink.tolist() == [True, False, False]
        assert not check.gradient.wrong.any()
