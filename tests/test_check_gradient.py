"""fl.check_gradient: says yes to every loss, and finds what is wrong in one."""

import numpy as np
import pytest
from helpers.wrapped_loss import Wrapped, data

import fastloss as fl

RNG = np.random.default_rng(17)
N = 400


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_right_is_right(dtype):
    y, f = data(N)
    check = fl.check_gradient(fl.LogLoss(pos_weight=3.0), y, f.astype(dtype), hessian=True)
    assert check
    assert check.ok
    assert check.gradient.max_relative_error < (1e-12 if dtype == np.float64 else 1e-6)
    assert not check.gradient.undecided.any()
    assert "ok, 400 samples" in str(check)


@pytest.mark.parametrize("loss", [fl.AbsoluteError(), fl.Pinball(quantile=0.9), fl.Huber()])
def test_any_slope_is_right_at_a_kink(loss):
    f = np.array([0.0, 1.0, -1.0, 0.25, -0.25, 3.0])
    assert fl.check_gradient(loss, np.zeros(6), f)


def test_one_wrong_slope_is_found():
    y, f = data(N)
    check = fl.check_gradient(Wrapped(factor=1.00001), y, f)
    assert not check
    np.testing.assert_array_equal(check.gradient.wrong, f > 2)
    assert check.gradient.max_relative_error == pytest.approx(1e-5, rel=1e-3)
    first = int(np.argmax(f > 2))
    assert f"raw_prediction[{first}] = {f[first]:.17g}, y_true = {y[first]}" in str(check)


def test_a_wrong_hessian_is_found_when_asked_for():
    y, f = data(N)
    loss = Wrapped(curvature=1.001)
    assert fl.check_gradient(loss, y, f).hessian is None
    check = fl.check_gradient(loss, y, f, hessian=True)
    assert not check
    assert not check.gradient.wrong.any()
    assert check.hessian.wrong[np.abs(f) < 5].all()


def test_a_gradient_that_is_nan_is_found():
    y, f = data(N)
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


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (fl.OneVsRest(), [0.0, 1.0, 1.0, 0.0]),
        (fl.CrossEntropy(), [0.1, 0.2, 0.7, 0.0]),
        (fl.KLDivergence(), [0.1, 0.2, 0.7, 0.0]),
    ],
)
def test_a_sample_on_one_axis(loss, y):
    """Of as many labels, or a distribution."""
    check = fl.check_gradient(loss, np.array(y), RNG.normal(size=4))
    assert check.ok
    assert len(check.index) == 1
    assert check.gradient.computed.shape == (1, 4)


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
    assert len(check.index) == 20_000_000 // 700**2


def test_elementwise_in_two_dimensions_and_scalars():
    f = RNG.normal(size=(7, 3))
    check = fl.check_gradient(fl.SquaredError(), np.zeros_like(f), f, hessian=True)
    assert check
    assert check.gradient.computed.shape == (21,)
    assert fl.check_gradient(fl.SquaredError(), 1.0, np.float64(3.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_true": [0, 1], "raw_prediction": np.arange(2)}, "raw_prediction has dtype int64"),
        ({"y_true": [0, 1], "raw_prediction": [True, False]}, "raw_prediction has dtype bool"),
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


class Weighted(Wrapped):
    """Squares its weights, if it is told to."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def loss(self, y_true, raw_prediction, sample_weight=None, *, reduction):
        return self.inner.loss(y_true, raw_prediction, sample_weight, reduction=reduction)

    def gradient_hessian(self, y_true, raw_prediction, sample_weight=None, *, reduction):
        weight = None if sample_weight is None else sample_weight**self.power
        return self.inner.gradient_hessian(y_true, raw_prediction, weight, reduction=reduction)


@pytest.mark.parametrize("f", [[1, -2, 0], (1, -2, 0), 3])
def test_integers_that_are_no_array(f):
    y = 1 if f == 3 else [1, 0, 1]
    check = fl.check_gradient(fl.LogLoss(), y, f, hessian=True)
    assert check.ok
    same = fl.check_gradient(fl.LogLoss(), y, np.array(f, dtype=np.float64), hessian=True)
    np.testing.assert_array_equal(check.gradient.computed, same.gradient.computed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights(dtype):
    y, f = data(3000)
    w = np.random.default_rng(7).uniform(0.1, 0.8, 3000)  # whose squares are others
    w[:500] = 0.0
    f = f.astype(dtype)
    assert fl.check_gradient(fl.LogLoss(), y, f, w, hessian=True)
    assert fl.check_gradient(Weighted(1), y, f, w)
    check = fl.check_gradient(Weighted(2), y, f, sample_weight=w, max_samples=2000)
    # without a weight there is nothing that could be wrong
    np.testing.assert_array_equal(check.gradient.wrong, w[check.index] > 0)
    assert fl.check_gradient(Weighted(2), y, f)


def test_weights_of_several_outputs_and_dimensions():
    f = RNG.normal(size=(6, 3, 4))
    for axis in (1, 2):
        shape = np.delete(f.shape, axis)
        y, w = RNG.integers(0, 3, shape), RNG.random(shape)
        assert fl.check_gradient(fl.CrossEntropy(), y, f, w, axis=axis, hessian=True)
    assert fl.check_gradient(fl.SquaredError(), 0 * f, f, np.abs(f))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(5,\): expected a weight"):
        fl.check_gradient(fl.SquaredError(), np.zeros(4), f[0, 0], np.ones(5))
    with pytest.raises(ValueError, match=r"sample_weight\[2\] = -1"):
        fl.check_gradient(fl.SquaredError(), np.zeros(4), f[0, 0], [0, 0, -1, 0])


class Infinite(Wrapped):
    """Its values overflow, so that no difference tells anything."""

    def __init__(self, above):
        super().__init__()
        self.above = above

    def loss(self, y_true, raw_prediction, *, reduction):
        value = self.inner.loss(y_true, raw_prediction, reduction=reduction)
        return np.where(raw_prediction > self.above, np.inf, value)


def test_what_cannot_be_decided_is_not_ok():
    y, f = data(N)
    check = fl.check_gradient(Infinite(-100.0), y, f)
    assert check.gradient.undecided.all()
    assert not check.ok
    assert not check
    assert "UNDECIDED, 400 samples" in str(check)
    few = fl.check_gradient(Infinite(8.0), y, f)
    assert few.gradient.undecided.any()
    assert few
    assert "ok, 400 samples" in str(few)


@pytest.mark.parametrize("method", ["loss", "gradient_hessian"])
def test_an_object_that_lacks_a_method(method):
    class Half:
        def __repr__(self):
            return "Half()"

    setattr(Half, {"loss": "gradient_hessian", "gradient_hessian": "loss"}[method], Wrapped.loss)
    with pytest.raises(TypeError, match=rf"^loss = Half\(\) has no method {method}: expected"):
        fl.check_gradient(Half(), [0.0], [1.0])


WAYS = ["gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian"]
SAMPLES = {
    "pointwise": (fl.HalfSquaredError, np.full(5, 0.25), np.linspace(-2.0, 2.0, 5)),
    "row": (fl.CrossEntropy, np.arange(5) % 3, np.linspace(-2.0, 2.0, 15).reshape(5, 3)),
}


def altered(kind, method, change):
    """Return a loss whose `method` has its gradient changed."""

    def alter(self, *args, **options):
        parts = getattr(super(Altered, self), method)(*args, **options)
        if method == "gradient":
            return change(parts)
        at = method.split("_").index("gradient")
        return (*parts[:at], change(parts[at]), *parts[at + 1 :])

    Altered = type("Altered", (kind,), {method: alter})
    return Altered()


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(("kind", "y", "f"), SAMPLES.values(), ids=SAMPLES)
def test_every_way_to_the_gradient_is_looked_at(kind, y, f, method):
    assert fl.check_gradient(kind(), y, f)
    report = fl.check_gradient(altered(kind, method, np.negative), y, f)
    assert not report
    assert report.gradient.method == method
    assert f"gradient by {method}: " in str(report)
    # nothing is wrong: what is furthest off is shown
    report = fl.check_gradient(altered(kind, method, lambda g: g * (1 + 5e-7)), y, f)
    assert report
    assert report.gradient.method == method
    assert 4e-7 < report.gradient.max_relative_error < 6e-7


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(("kind", "y", "f"), SAMPLES.values(), ids=SAMPLES)
def test_a_gradient_of_another_shape(kind, y, f, method):
    with pytest.raises(
        ValueError, match=rf"its {method} returned a gradient of shape \(1,.*expected"
    ):
        fl.check_gradient(altered(kind, method, lambda g: g[:1]), y, f)


def test_samples_outside_the_domain_are_named():
    y, f = np.full(40, 0.5), np.linspace(0.1, 0.9, 40)
    check = fl.check_gradient(fl.BinaryCrossEntropy(), y, f)
    assert check.ok
    assert not check.outside.any()
    assert "domain" not in str(check)
    check = fl.check_gradient(fl.BinaryCrossEntropy(), y, f + 1.5)
    assert not check.ok
    assert check.outside.all()
    assert "UNDECIDED, 40 samples\n40 outside the domain" in str(check)
    f[3], f[5] = -2.0, np.nan  # what is no number lies in no domain, whichever the loss
    check = fl.check_gradient(fl.BinaryCrossEntropy(), y, f)
    np.testing.assert_array_equal(np.flatnonzero(check.outside), [3])
    assert "1 outside the domain of the loss, which is NaN there" in str(check)
    assert "raw_prediction[3] = -2.0" in str(check)


def test_nothing_is_outside_a_domain_of_all_numbers():
    assert not fl.check_gradient(fl.CrossEntropy(), [0, 1, 2], np.zeros((3, 3))).outside.any()
    assert fl.check_gradient(fl.LogLoss(), [], np.empty(0)).outside.shape == (0,)


@pytest.mark.parametrize("loss", [fl.SquaredError(), fl.CrossEntropy()])
def test_no_samples_show_nothing(loss):
    f = np.empty(0) if loss == fl.SquaredError() else np.empty((0, 3))
    check = fl.check_gradient(loss, [], f, hessian=True)
    assert not check
    assert "UNDECIDED, 0 samples" in str(check)


def test_a_class_is_no_loss():
    message = r"^loss = <class '.*Huber'> is a class: expected an instance, Huber\(\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        fl.check_gradient(fl.Huber, [0.0], [1.0])


def test_one_sample_is_called_so():
    assert str(fl.check_gradient(fl.Huber(), 1.0, 3.0)).startswith(
        "Huber(delta=1.0, hessian='exact'): ok, 1 sample\n"
    )


@pytest.mark.parametrize("q", [1.01, 1.5, 1.99])
@pytest.mark.parametrize("y", [0.0, 3.0])
def test_an_infinite_hessian_is_not_wrong(q, y):
    check = fl.check_gradient(fl.Lq(q), [y], [y], hessian=True)
    assert check.hessian.computed[0] == np.inf
    assert not check.hessian.wrong[0]
    assert check.hessian.undecided[0]
    f = y + np.array([-2.0, 0.0, 2.0])
    assert fl.check_gradient(fl.Lq(q), np.full(3, y), f, hessian=True)


@pytest.mark.parametrize("factor", [np.inf, -np.inf])
def test_an_infinite_hessian_is_wrong_where_the_true_one_is_not(factor):
    y, f = data(N)
    assert fl.check_gradient(Wrapped(curvature=factor), y, f, hessian=True).hessian.wrong.any()


def test_an_infinite_hessian_of_the_wrong_sign():
    class Negative(fl.Lq):
        def gradient_hessian(self, *args, **options):
            gradient, hessian = super().gradient_hessian(*args, **options)
            return gradient, -hessian

    assert fl.check_gradient(Negative(1.5), [0.0], [0.0], hessian=True).hessian.wrong[0]
