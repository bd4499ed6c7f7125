"""Parameters whose constants a float32 cannot hold, and losses beyond all numbers."""

import numpy as np
import pytest

import fastloss as fl

BEYOND = [
    fl.Cauchy(c=1e-46),
    fl.EpsilonInsensitive(1e39),
    fl.Fair(c=1e-46),
    fl.GemanMcClure(c=1e-46),
    fl.Huber(delta=1e39),
    fl.PseudoHuber(delta=1e-46),
    fl.SmoothL1(beta=1e-44),
    fl.StudentT(scale=1e-25),
    fl.StudentT(scale=1e25),
    fl.Tukey(c=1e25),
    fl.Welsch(c=1e30),
    fl.Wing(w=1e20),
    fl.Wing(w=1e39),
    fl.Wing(w=1e-44, eps=1e-44),
]
IDS = [repr(loss) for loss in BEYOND]
PARTS = ("loss", "gradient", "hessian")


def samples(n=300):
    rng = np.random.default_rng(0)
    sizes = [0.0, 1e-46, 1e-40, 1e-25, 1.0, 1e25, 1e30, 3e38]
    y, f = (rng.choice(sizes, n) * rng.choice([-1, 1], n) for _ in range(2))
    f[:40] = y[:40]
    return y.astype(np.float32), f.astype(np.float32)


def rounded(values):
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def assert_rounded(loss, y, f):
    """Return the results of float32, which are those of float64, rounded; and these."""
    single = loss.loss_gradient_hessian(y, f, reduction="none")
    double = loss.loss_gradient_hessian(y, f.astype(np.float64), reduction="none")
    for name, narrow, wide in zip(PARTS, single, double, strict=True):
        assert narrow.dtype == np.float32
        assert np.isfinite(wide).all(), name
        np.testing.assert_array_equal(narrow, rounded(wide), err_msg=name)
    return single, double


@pytest.mark.parametrize("loss", BEYOND, ids=IDS)
def test_each_sample_is_that_of_float64_rounded(loss):
    y, f = samples()
    assert_rounded(loss, y, f)


@pytest.mark.parametrize("loss", BEYOND, ids=IDS)
def test_in_any_layout_with_weights(loss):
    y, f = samples()
    weight = np.linspace(0.5, 2.0, y.size).astype(np.float32)
    place = np.empty(2 * y.size, np.float32)[::2]
    total, gradient = loss.loss_gradient(
        y[::-1], f[::-1], weight[::-1], reduction="sum", out=(None, place)
    )
    expected, slopes = loss.loss_gradient(y, f.astype(np.float64), weight, reduction="sum")
    assert gradient is place
    np.testing.assert_array_equal(gradient[::-1], rounded(slopes))
    assert total == pytest.approx(expected, rel=1e-12)


def test_wing_near_its_largest_slope():
    loss = fl.Wing(w=1e80, eps=1e-65)
    exact = 1e80 * np.log(1e40 / 1e-65)  # of abs(r) = 1e40, where 1 is nothing beside r / eps
    assert loss([0.0], [1e40]) == pytest.approx(exact, rel=1e-14)
    with pytest.raises(ValueError, match=r"w / eps = 1e\+80 / 1e-80: expected at most 1e\+150"):
        fl.Wing(w=1e80, eps=1e-80)


@pytest.mark.parametrize(
    ("dtype", "delta", "size"), [("float32", 1e20, 1e38), ("float64", 1e150, 1e300)]
)
def test_a_loss_beyond_all_numbers_is_infinite(dtype, delta, size):
    rng = np.random.default_rng(0)
    y, f = (x.astype(dtype) for x in (rng.normal(size=200) * size, rng.normal(size=200)))
    f[::2] *= np.array(size * 1e-8, dtype)
    assert (fl.PseudoHuber(delta=delta).loss(y, f, reduction="none") == np.inf).all()


def test_low_digits_of_no_float32_are_no_hindrance():
    X, y = np.ones((4, 2), np.float32), np.array([0, 1, 1, 0], np.float32)
    for loss in (fl.EpsilonInsensitive(1e-30), fl.LogLoss(cost_fn=1e-40), fl.Huber(delta=1e39)):
        single = fl.LinearObjective(loss, X, y).loss(np.ones(3))
        double = fl.LinearObjective(loss, X.astype(np.float64), y).loss(np.ones(3))
        assert single == pytest.approx(double, rel=1e-6)


@pytest.mark.parametrize("margin", [3e46, 1e50, 1e100, 1e300])
@pytest.mark.parametrize("cls", [fl.CrammerSinger, fl.MulticlassHinge])
def test_margins_beyond_float32(cls, margin):
    f = np.array([[0.0, 1.0, -1.0]])
    value, gradient = cls(margin).loss_gradient([0], f.astype(np.float32), reduction="none")
    assert value == np.inf
    np.testing.assert_array_equal(gradient, rounded(cls(margin).gradient([0], f, reduction="none")))


ROWS = [
    fl.MulticlassFocal(alpha=(1, 1e39, 1)),
    fl.MulticlassFocal(0.5, alpha=(0, 1, 1e300)),
    fl.CrossEntropy(logit_adjustment=(0, 1e39, 0)),
    fl.CrossEntropy(logit_adjustment=(0, 1e-46, 0), label_smoothing=0.1),
    fl.Coral(importance=(1, 1e300, 1)),
    fl.SymmetricCrossEntropy(1, 1e30, -1e30),
    fl.MultiPinball(quantiles=(1e-46, 0.5, 0.75)),
]


@pytest.mark.parametrize("loss", ROWS, ids=repr)
def test_losses_of_several_outputs(loss):
    rng = np.random.default_rng(1)
    f = rng.choice([-100.0, -1.0, 0.0, 0.5, 3.0, 90.0], (90, 3)).astype(np.float32)
    y = rng.integers(0, 3, 90)
    single, double = assert_rounded(loss, y, f)
    total, gradient = loss.loss_gradient(y, f, np.full(90, 0.5, np.float32), reduction="sum")
    expected = loss.loss(y, f.astype(np.float64), np.full(90, 0.5), reduction="sum")
    assert total == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(gradient, rounded(double[1] * 0.5))
    place = f.copy()
    loss.gradient(y, place, reduction="none", out=place)
    np.testing.assert_array_equal(place, single[1])
    columns = loss.gradient(y, np.asfortranarray(f), reduction="none")
    np.testing.assert_array_equal(columns, single[1])


def test_a_factor_beyond_all_numbers_is_refused():
    with pytest.raises(ValueError, match=r"expected beta \* log_zero of at most"):
        fl.SymmetricCrossEntropy(1, 1e200, -1e200)


@pytest.mark.parametrize("loss", [fl.Huber(delta=1e39), fl.SymmetricCrossEntropy(1, 1e30, -1e30)])
def test_partial_sums_take_the_weights_of_the_loss(loss):
    """Of equal weights the mean does not depend on how they are rounded."""
    f = np.array([3, 4], np.float32) if loss.name == "huber" else np.eye(2, dtype=np.float32)
    y, weight = np.array([0, 1]), [0.1, 0.1]
    mean = loss.partial(y, f, weight).mean()
    assert mean == pytest.approx(loss.loss(y, f, weight), rel=1e-14)
    assert mean == pytest.approx(loss.loss(y, f), rel=1e-14)


def test_a_tiny_smoothing_counts():
    f = np.array([[1e30, -1e30]], np.float32)
    assert fl.CrossEntropy(label_smoothing=1e-46).loss([0], f) == pytest.approx(1e-16, rel=1e-6)
