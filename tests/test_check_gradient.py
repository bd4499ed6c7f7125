"""fl.check_gradient: says yes to every loss, and finds what is wrong in one."""

import numpy as np
import pytest

import fastloss as fl
from fastloss._differences import slopes

RNG = np.random.default_rng(17)
N = 400


class Wrapped:
    """A loss of one's own: any object with the two methods."""

    def __init__(self, factor=1.0, curvature=1.0):
        self.inner, self.factor, self.curvature = fl.LogLoss(), factor, curvature

    def loss(self, y_true, raw_prediction, *, reduction):
        return self.inner.loss(y_true, raw_prediction, reduction=reduction)

    def gradient_hessian(self, y_true, raw_prediction, *, reduction):
        gradient, hessian = self.inner.gradient_hessian(y_true, raw_prediction, reduction=reduction)
        return np.where(raw_prediction > 2, self.factor, 1.0) * gradient, self.curvature * hessian


def data(n=N):
    return (RNG.random(n) < 0.3).astype(float), RNG.normal(scale=6.0, size=n)


def test_differences_of_known_functions():
    x = np.array([-30.0, -1.0, 1e-3, 0.5, 300.0])
    for function, derivative in (
        (np.exp, np.exp),
        (np.sin, np.cos),
        (np.tanh, lambda x: np.cosh(x) ** -2),
    ):
        found, true = slopes(function, x), derivative(x)
        assert np.all(np.abs(found.value - true) <= 10 * found.error)
        inside = slice(1, 4)
        np.testing.assert_allclose(found.value[inside], true[inside], rtol=1e-9)
        assert np.all(found.error[inside] < 1e-9)
        np.testing.assert_array_equal(found.left, found.right)


def test_differences_at_a_kink():
    found = slopes(np.abs, np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.left, [-1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.right, [1.0, 1.0], rtol=1e-12)


def test_differences_of_what_is_not_finite():
    found = slopes(np.log, np.array([-5.0]))
    assert found.error[0] == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_right_is_right(dtype):
    y, f = data()
    check = fl.check_gradient(fl.LogLoss(pos_weight=3.0), y, f.astype(dtype), hessian=True)
    assert check
    assert check.ok
    assert check.gradient.max_relative_error < (1e-12 if dtype == np.float64 else 1e-6)
    assert not check.gradient.undecided.any()
    assert "ok, 400 samples" in str(check)


@pytest.mark.parametrize("loss", [fl.AbsoluteError(), fl.Pinball(quantile=0.9), fl.Huber()])
def test_any_slope_is_right_at_a_kink(loss):
    y = np.zeros(3)
    assert fl.check_gradient(loss, y, np.array([0.0, 1.0, -1.0]))


def test_one_wrong_slope_is_found():
    y, f = data()
    check = fl.check_gradient(Wrapped(factor=1.00001), y, f)
    assert not check
    np.testing.assert_array_equal(check.gradient.wrong, f > 2)
    assert check.gradient.max_relative_error == pytest.approx(1e-5, rel=1e-3)
    first = int(np.argmax(f > 2))
    assert f"raw_prediction[{first}] = {f[first]:.17g}, y_true = {y[first]}" in str(check)


def test_a_wrong_hessian_is_found_when_asked_for():
    y, f = data()
    loss = Wrapped(curvature=1.001)
    assert fl.check_gradient(loss, y, f).hessian is None
    check = fl.check_gradient(loss, y, f, hessian=True)
    assert not check
    assert not check.gradient.wrong.any()
    assert check.hessian.wrong[np.abs(f) < 5].all()


def test_a_gradient_that_is_nan_is_found():
    y, f = data()
    assert not fl.check_gradient(Wrapped(factor=np.nan), y, f)


def test_overflow_of_the_dtype_is_right():
    f = np.array([50.0, 100.0], dtype=np.float32)
    assert fl.check_gradient(fl.Poisson(), np.ones(2), f)


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("soft", [False, True])
def test_classes_on_any_axis(axis, soft):
    f = RNG.normal(size=(6, 4, 5))
    classes = f.shape[axis]
    y = RNG.integers(0, classes, np.delete(f.shape, axis))
    if soft:
        y = np.moveaxis(RNG.dirichlet(np.ones(classes), y.shape), -1, axis)
    check = fl.check_gradient(fl.CrossEntropy(), y, f, axis=axis, hessian=True)
    assert check
    assert check.gradient.computed.shape == (f.size // classes, classes)
    assert check.gradient.max_relative_error < 1e-8


def test_wrong_predictions_of_several_classes_are_named():
    class Shifted(Wrapped):
        def __init__(self):
            super().__init__()
            self.inner = fl.CrossEntropy()

        def gradient_hessian(self, y_true, raw_prediction, *, reduction):
            gradient, hessian = self.inner.gradient_hessian(
                y_true, raw_prediction, reduction=reduction
            )
            return gradient + np.array([0.0, 0.1, 0.0]), hessian

    f, y = RNG.normal(size=(10, 3)), RNG.integers(0, 3, 10)
    check = fl.check_gradient(Shifted(), y, f)
    np.testing.assert_array_equal(check.gradient.wrong, [[False, True, False]] * 10)
    assert f"raw_prediction[0, 1] = {f[0, 1]:.17g}, y_true = {y[0]}" in str(check)


def test_a_draw_of_long_data():
    y, f = data(3000)
    check = fl.check_gradient(fl.LogLoss(), y, f, max_samples=100)
    assert len(check.index) == 100
    np.testing.assert_array_equal(check.raw_prediction, f[check.index])
    other = fl.check_gradient(fl.LogLoss(), y, f, max_samples=100, seed=1)
    assert not np.array_equal(check.index, other.index)


def test_many_classes_take_fewer_samples():
    f = RNG.normal(size=(300, 700))
    check = fl.check_gradient(fl.CrossEntropy(), RNG.integers(0, 700, 300), f)
    assert check
    assert len(check.index) == 100_000_000 // 700**2


def test_elementwise_in_two_dimensions_and_scalars():
    f = RNG.normal(size=(7, 3))
    check = fl.check_gradient(fl.SquaredError(), np.zeros_like(f), f, hessian=True)
    assert check
    assert check.gradient.computed.shape == (21,)
    assert fl.check_gradient(fl.SquaredError(), 1.0, np.float64(3.0))
    assert fl.check_gradient(fl.SquaredError(), [], np.empty(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_true": [0, 1], "raw_prediction": [1, 2]}, "raw_prediction has dtype int64"),
        ({"max_samples": 0}, "max_samples = 0: expected at least 1"),
        ({"rtol": -1.0}, "rtol = -1.0: expected a number greater than 0"),
        ({"axis": 3}, "axis = 3: raw_prediction has 1 dimensions"),
        ({"y_true": [0.0]}, r"y_true has shape \(1,\), raw_prediction has shape \(2,\)"),
        ({"y_true": [0.0, 3.0]}, r"y_true\[1\] = 3"),
    ],
)
def test_errors(arguments, message):
    arguments = {"y_true": [0.0, 1.0], "raw_prediction": [0.5, 1.5]} | arguments
    with pytest.raises((TypeError, ValueError), match=message):
        fl.check_gradient(fl.LogLoss(), **arguments)
