"""fl.check_gradient: says yes to every loss, and finds what is wrong in one."""

import numpy as np
import pytest
from references import REFERENCES
from references.rows import ROW_REFERENCES

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
    found = slopes(lambda x: np.abs(x) + x**2, np.array([0.0]))
    np.testing.assert_allclose([found.left, found.right], [[-1.0], [1.0]], rtol=1e-4)
    found = slopes(np.abs, np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.left, [-1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.right, [1.0, 1.0], rtol=1e-12)


def test_noise_is_no_kink():
    found = slopes(lambda x: np.sin(1e12 * x), np.linspace(-1, 1, 50))
    np.testing.assert_array_equal(found.left, found.right)
    assert (found.error > 1).all()


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
    f = np.array([0.0, 1.0, -1.0, 0.25, -0.25, 3.0])
    assert fl.check_gradient(loss, np.zeros(6), f)


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
    y, f = data()
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
    y, f = data()
    assert fl.check_gradient(Wrapped(curvature=factor), y, f, hessian=True).hessian.wrong.any()


def test_an_infinite_hessian_of_the_wrong_sign():
    class Negative(fl.Lq):
        def gradient_hessian(self, *args, **options):
            gradient, hessian = super().gradient_hessian(*args, **options)
            return gradient, -hessian

    assert fl.check_gradient(Negative(1.5), [0.0], [0.0], hessian=True).hessian.wrong[0]


CONVENTIONS = (
    fl.AbsoluteError(),
    fl.SmoothL1(beta=0.0),
    fl.Lq(1.0),
    fl.Hinge(),
    fl.Perceptron(),
    fl.EpsilonInsensitive(),
)


@pytest.mark.parametrize("loss", CONVENTIONS, ids=repr)
def test_a_hessian_by_convention_is_not_compared(loss):
    y, f = data(50)
    check = fl.check_gradient(loss, y, f, hessian=True)
    assert check.ok
    assert check.hessian is None
    assert check.convention == f"a convention of {type(loss).__name__}: not a derivative"
    assert str(check).endswith(f"hessian: not compared, {check.convention}")
    assert not fl.check_gradient(loss, y, f).convention


def test_a_convention_of_one_parameter_is_none_of_the_others():
    f = RNG.normal(size=30)
    for loss in (fl.SmoothL1(beta=0.5), fl.Lq(2.0)):
        assert fl.check_gradient(loss, np.zeros(30), f, hessian=True).hessian is not None
    scores, y = RNG.normal(size=(30, 3)), RNG.integers(0, 3, 30)
    assert fl.check_gradient(fl.MulticlassHinge(p=1), y, scores, hessian=True).convention
    check = fl.check_gradient(fl.MulticlassHinge(p=2), y, scores, hessian=True)
    assert check.hessian is not None
    assert not check.convention


@pytest.mark.parametrize("loss", [fl.OneVsRest(fl.Hinge()), fl.OneVsRest(fl.LogLoss())], ids=repr)
def test_the_convention_of_a_loss_within(loss):
    check = fl.check_gradient(loss, [0, 1, 2], RNG.normal(size=(3, 3)), hessian=True)
    assert check.ok
    assert bool(check.convention) == isinstance(loss.params["loss"], fl.Hinge)


def test_a_bounded_hessian_is_not_compared():
    y, f = data(50)
    for loss in (fl.Focal(hessian="bounded"), fl.OneVsRest(fl.Focal(hessian="bounded"))):
        rows = isinstance(loss, fl.OneVsRest)
        given = (np.zeros(10, int), f.reshape(10, 5)) if rows else (y, f)
        check = fl.check_gradient(loss, *given, hessian=True)
        assert check.ok
        assert check.convention == "bounded: not a derivative"
    assert fl.check_gradient(fl.Focal(), y, f, hessian=True).hessian is not None


def test_all_conventions_are_named():
    """Those of the references, which say whose Hessian is the derivative of the gradient."""
    for reference in (*REFERENCES.values(), *ROW_REFERENCES):
        loss = fl.get_loss(reference.name)
        derivative = (
            reference.has_true_hessian({})
            if reference.name in REFERENCES
            else reference.hessian_is_derivative
        )
        assert getattr(loss, "_hessian_by_convention", False) == (not derivative), reference


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
