"""Weights of any size: a mean does not see a common factor, other results say what they cannot hold."""

import numpy as np
import pytest

import fastloss as fl

N = 5000
LOSSES = [
    (fl.SquaredError(), "real", 0),
    (fl.LogLoss(pos_weight=3.0), "binary", 0),
    (fl.CrossEntropy(), "class", 3),
    (fl.CrossEntropy(class_weight=(1.0, 0.25, 7.0), ignore_index=2), "class", 3),
    (fl.MulticlassFocal(), "class", 3),
    (fl.GaussianNLL(), "real", 2),
    (fl.OneVsRest(), "class", 3),
    (fl.CumulativeLogit((0.0, 1.0)), "class", 0),
]
every_loss = pytest.mark.parametrize(
    ("loss", "kind", "n_outputs"), LOSSES, ids=lambda value: str(value)[:40]
)
METHODS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")


def data(kind, n_outputs, dtype):
    rng = np.random.default_rng(51)
    y = {
        "real": lambda: rng.normal(size=N),
        "binary": lambda: rng.integers(0, 2, N),
        "class": lambda: rng.integers(0, 3, N),
    }[kind]()
    shape = (N, n_outputs) if n_outputs else N
    return y, rng.normal(size=shape).astype(dtype), rng.uniform(0.5, 1, N)


def parts(result):
    return result if isinstance(result, tuple) else (result,)


@every_loss
@pytest.mark.parametrize(
    ("dtype", "weight_dtype", "power"),
    [
        (np.float64, np.float64, -1000),
        (np.float64, np.float64, 1024),  # of numbers below 1
        (np.float64, np.float64, -400),
        (np.float64, np.float64, 600),
        (np.float64, np.float32, -100),
        (np.float32, np.float64, -1000),
        (np.float32, np.float64, 1024),
        (np.float32, np.float64, -130),
        (np.float32, np.float64, 127),
        (np.float32, np.float32, -90),
        (np.float32, np.float32, 128),
    ],
)
def test_a_mean_does_not_see_a_power_of_two(loss, kind, n_outputs, dtype, weight_dtype, power):
    y, f, w = data(kind, n_outputs, dtype)
    w = w.astype(np.float32).astype(weight_dtype)
    scaled = np.ldexp(w, power)
    assert np.isfinite(scaled).all()
    for method in METHODS:
        expected = parts(getattr(loss, method)(y, f, w))
        results = parts(getattr(loss, method)(y, f, scaled))
        for result, other in zip(results, expected, strict=True):
            assert np.isfinite(other).all()
            np.testing.assert_array_equal(result, other)
    # the layout does not matter, and the weights are left as they are
    spread = np.repeat(scaled, 3)[::3]
    np.testing.assert_array_equal(loss.gradient(y, f, spread), loss.gradient(y, f, w))
    np.testing.assert_array_equal(scaled, np.ldexp(w, power))


@every_loss
@pytest.mark.parametrize(
    ("dtype", "power"), [(np.float32, -200), (np.float32, 200), (np.float64, -900)]
)
def test_partial_sums_are_those_of_the_weights_given(loss, kind, n_outputs, dtype, power):
    y, f, w = data(kind, n_outputs, dtype)
    plain, scaled = loss.partial(y, f, w), loss.partial(y, f, np.ldexp(w, power))
    assert scaled.loss_sum == np.ldexp(plain.loss_sum, power) > 0
    assert scaled.weight_sum == np.ldexp(plain.weight_sum, power)
    assert scaled.mean() == plain.mean()
    halves = [loss.partial(y[i::2], f[i::2], np.ldexp(w, power)[i::2]) for i in range(2)]
    assert sum(halves).mean() == pytest.approx(loss(y, f, w), rel=1e-6)


@every_loss
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_what_float32_cannot_hold_is_said_so(loss, kind, n_outputs, reduction):
    y, f, w = data(kind, n_outputs, np.float32)
    w[[17, 3000]] = 1e39
    message = (
        r"^sample_weight\[17\] = 1e\+39: too large for raw_prediction's float32, whose largest"
    )
    with pytest.raises(ValueError, match=message):
        loss.gradient(y, f, w, reduction=reduction)
    assert np.isfinite(loss.gradient(y, f.astype(np.float64), w, reduction=reduction)).all()


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("bad", [-1.0, np.inf, np.nan])
def test_a_wrong_weight_among_extreme_ones(loss, kind, n_outputs, reduction, bad):
    y, f, w = data(kind, n_outputs, np.float32)
    w[3] *= 1e300
    w[4000] = bad
    with pytest.raises(ValueError, match=r"^sample_weight\[4000\] = .*: weights must be finite"):
        loss.loss(y, f, w, reduction=reduction)


@every_loss
def test_zeros_remain_zeros(loss, kind, n_outputs):
    y, f, _ = data(kind, n_outputs, np.float32)
    with pytest.warns(RuntimeWarning, match="mean of .* is NaN"):
        assert np.isnan(loss(y, f, np.zeros(N)))


def test_large_weights_and_large_losses():
    """Each is far inside float32, but not their product."""
    f, w = np.full(100, 1e15, dtype=np.float32), np.full(100, 1e30, dtype=np.float32)
    value, gradient = fl.SquaredError().loss_gradient(np.zeros(100), f, w)
    assert value == pytest.approx(1e30, rel=1e-6)
    np.testing.assert_allclose(gradient, 2e13, rtol=1e-6)


def test_sums_of_different_losses_do_not_merge():
    y, f, w = data("real", 0, np.float64)
    first, second = fl.Huber(1.0).partial(y, f, w), fl.Huber(2.0).partial(y, f, w)
    with pytest.raises(
        ValueError, match=r"sums of Huber\(delta=1.0, .*\) and of Huber\(delta=2.0, "
    ):
        first + second
    with pytest.raises(ValueError, match="expected one loss"):
        sum([first, first, second])
    assert (first + fl.Huber(1.0).partial(y, f, w)).loss == fl.Huber(1.0)
    # sums that were written down without the loss
    assert (fl.LossSums(1.0, 2.0, 3) + first).loss == fl.Huber(1.0)


def test_the_mean_of_nothing_warns():
    nothing = np.zeros(0)
    for loss in (fl.SquaredError(), fl.CumulativeLogit((0.0, 1.0))):
        part = loss.partial(nothing.astype(int), nothing)
        with pytest.warns(RuntimeWarning, match="mean of no samples is NaN"):
            assert np.isnan(part.mean())
        assert part.sum() == 0.0
    part = fl.SquaredError().partial([1.0], [2.0], [0.0])
    with pytest.warns(RuntimeWarning, match="mean of samples whose weights sum to zero is NaN"):
        assert np.isnan(part.mean())


def test_the_mean_of_what_is_all_ignored():
    """As the loss itself says it."""
    f = np.zeros((2, 3))
    zero = fl.CrossEntropy(ignore_index=1, all_ignored="zero")
    assert zero([1, 1], f) == zero.partial([1, 1], f).mean() == 0.0
    with pytest.warns(RuntimeWarning, match="NaN"):
        assert np.isnan(fl.CrossEntropy(ignore_index=1).partial([1, 1], f).mean())
