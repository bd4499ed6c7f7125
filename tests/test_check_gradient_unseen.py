"""fl.check_gradient: what differences cannot see is not called wrong."""

import numpy as np
import pytest
from helpers.wrapped_loss import Wrapped

import fastloss as fl


def test_undecided_samples_are_listed():
    near = 3.0 + 8e-6  # the last steps of the differences go beyond the kink at 3
    f = np.array([0.3, near, near, 2.0, near, 7.0, 8.0])
    check = fl.check_gradient(fl.AbsoluteError(), np.full(7, 3.0), f)
    np.testing.assert_array_equal(check.gradient.undecided, f == near)
    np.testing.assert_array_equal(check.gradient.kink, f == near)
    assert "  undecided, at a kink: raw_prediction [1], [2], [4]" in str(check)
    check = fl.check_gradient(fl.LogLoss(), np.ones(2), np.array([1.0, np.inf]))
    assert "  undecided, too uncertain: raw_prediction [1]" in str(check)


def test_many_undecided_samples_are_counted():
    check = fl.check_gradient(fl.AbsoluteError(), np.full(50, 3.0), np.full(50, 3.0 + 8e-6))
    assert "[18], [19] and 30 more" in str(check)
    assert "[20]" not in str(check)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "loss",
    [fl.AbsoluteError(), fl.Hinge(), fl.Huber(), fl.SquaredHinge(), fl.Tukey(), fl.Expectile(0.9)],
)
def test_nothing_is_wrong_beside_a_kink(loss, dtype):
    """However near: the steps of the differences go beyond it, some or all."""
    kink = {"hinge": -1.0, "squared_hinge": -1.0, "huber": 1.0, "tukey": 4.685}.get(loss.name, 0.0)
    f = (kink + np.geomspace(1e-9, 1e-1, 400) * [[1.0], [-1.0]]).astype(dtype).ravel()
    check = fl.check_gradient(loss, np.zeros(len(f)), f, hessian=True)
    assert not check.gradient.wrong.any(), check
    assert check.hessian is None or not check.hessian.wrong.any(), check
    far = np.abs(f - np.float64(kink)) > 1e-3
    assert not check.gradient.undecided[far].any()


def test_a_wrong_slope_beside_a_kink_is_found():
    f = np.concatenate([np.geomspace(1e-3, 1e-1, 50), -np.geomspace(1e-3, 1e-1, 50)])

    class Own(Wrapped):
        def __init__(self):
            self.inner = fl.AbsoluteError()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            return np.where(raw_prediction > 0, 1.0, -0.999), np.zeros(len(raw_prediction))

    check = fl.check_gradient(Own(), np.zeros(len(f)), f)
    np.testing.assert_array_equal(check.gradient.wrong, f < 0)


@pytest.mark.parametrize(
    ("loss", "y", "f"),
    [
        (fl.LogLoss(), 1.0, 110.0),
        (fl.Poisson(), 0.0, -110.0),
        (fl.CLogLog(), 1.0, 5.07),
        (fl.CLogLog(), 1.0, 4.6254387),
    ],
)
def test_underflow_of_the_dtype_is_right(loss, y, f):
    check = fl.check_gradient(loss, [y], np.float32([f]), hessian=True)
    assert not check.gradient.wrong.any()
    assert not check.hessian.wrong.any()


def test_a_float32_that_cancels_is_right_to_the_last_places_of_its_terms():
    rng = np.random.default_rng(5)
    y = rng.normal(size=3000)
    f = np.stack([np.zeros(3000), np.log(y**2) + rng.normal(scale=1e-5, size=3000)], axis=1)
    check = fl.check_gradient(fl.GaussianNLL(), y, f.astype(np.float32))
    assert check.ok, check


@pytest.mark.parametrize(
    "loss",
    [fl.HalfSquaredError(), fl.Huber(), fl.LogCosh(), fl.Cauchy(), fl.Fair(), fl.PseudoHuber()],
)
def test_a_perfect_fit_is_decided(loss):
    y = np.array([0.1, 0.5, 1.0, 100.0])
    check = fl.check_gradient(loss, y, y)
    assert check.ok, check
    assert check.gradient.max_relative_error == 0.0


def test_a_hessian_at_a_kink_is_undecided():
    class Own(Wrapped):
        def __init__(self):
            self.inner = fl.AbsoluteError()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            gradient, _ = self.inner.gradient_hessian(y_true, raw_prediction, reduction=reduction)
            return gradient, np.where(raw_prediction == 0, 7.0, 0.0)

    check = fl.check_gradient(Own(), np.zeros(4), np.array([-1.0, 0.0, 1.0, 3.0]), hessian=True)
    assert check.ok
    np.testing.assert_array_equal(check.hessian.undecided, [False, True, False, False])
    assert "undecided, at a kink: raw_prediction [1]" in str(check)
