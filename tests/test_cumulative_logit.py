"""CumulativeLogit: exact however far the score is, gradients for scores and thresholds."""

import pickle
import re

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp

import fastloss as fl

BOUND = 3.0


def exact(score, label, thresholds):
    """Loss, gradient, Hessian and the gradient's larger term, by the definition."""
    ends = [-mp.inf, *map(mp.mpf, thresholds), mp.inf]
    a, b = ends[label] - score, ends[label + 1] - score

    def below(x):
        return mp.zero if x == -mp.inf else mp.one if x == mp.inf else 1 / (1 + mp.exp(-x))

    p = below(b) - below(a)
    density = [below(x) * below(-x) for x in (a, b)]
    up, down = below(-b), below(a)
    return -mp.log(p), up - down, sum(density), max(up, down)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "thresholds", [(0.0,), (-1.0, 1.0), (-2.5, -2.25, 0.5, 4.0), (0.0, 2.0**-20)]
)
def test_within_its_bound(dtype, thresholds):
    rng = np.random.default_rng(1)
    f = np.concatenate([rng.normal(size=60) * s for s in (0.1, 1, 5, 30)]).astype(dtype)
    y = rng.integers(0, len(thresholds) + 1, f.size)
    value, gradient, hessian = fl.CumulativeLogit(thresholds).loss_gradient_hessian(
        y, f, reduction="none"
    )
    with mp.workprec(400):
        for i in range(f.size):
            loss, slope, bend, term = exact(mp.mpf(float(f[i])), int(y[i]), thresholds)
            assert error_in_ulp(value[i], loss, dtype) <= BOUND, (y[i], f[i])
            assert error_in_ulp(gradient[i], slope, dtype, term) <= BOUND, (y[i], f[i])
            assert error_in_ulp(hessian[i], bend, dtype) <= BOUND, (y[i], f[i])


def test_gradients_are_derivatives():
    rng = np.random.default_rng(2)
    thresholds = (-1.5, 0.25, 1.0)
    y, f, w = rng.integers(0, 4, 50), rng.normal(size=50) * 2, rng.random(50)
    step = 2.0**-18
    for reduction in ("mean", "sum"):
        loss = fl.CumulativeLogit(thresholds)
        slopes = loss.threshold_gradient(y, f, w, reduction=reduction)
        for k in range(3):
            values = []
            for sign in (1, -1):
                moved = list(thresholds)
                moved[k] += sign * step
                values.append(fl.CumulativeLogit(moved)(y, f, w, reduction=reduction))
            assert (values[0] - values[1]) / (2 * step) == pytest.approx(
                slopes[k], rel=1e-6, abs=1e-9
            )
        gradient = loss.gradient(y, f, w, reduction=reduction)
        # a shift of all thresholds is one of all scores
        assert slopes.sum() == pytest.approx(-gradient.sum(), rel=1e-12)
    check = fl.check_gradient(fl.CumulativeLogit(thresholds), y, f)
    assert check.ok


def test_two_classes_are_the_log_loss():
    rng = np.random.default_rng(3)
    y, f = rng.integers(0, 2, 200), rng.normal(size=200) * 20
    ours = fl.CumulativeLogit((0.0,)).loss_gradient_hessian(y, f, reduction="none")
    for part, want in zip(
        ours, fl.LogLoss().loss_gradient_hessian(y, f, reduction="none"), strict=True
    ):
        np.testing.assert_allclose(part, want, rtol=2e-15)


@pytest.mark.parametrize("n", [1, 7, 40_000])
def test_reductions_weights_outputs_threads(n):
    rng = np.random.default_rng(4)
    y, f, w = rng.integers(0, 3, n), rng.normal(size=n), rng.random(n)
    loss = fl.CumulativeLogit()
    each = loss.loss_gradient_hessian(y, f, reduction="none")
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w)
    assert value == pytest.approx((w * each[0]).sum() / w.sum(), rel=1e-13)
    np.testing.assert_allclose(gradient, w * each[1] / w.sum(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(hessian, w * each[2] / w.sum(), rtol=1e-14)
    assert loss(y, f, w, reduction="sum") == pytest.approx(value * w.sum(), rel=1e-13)
    sums = loss.partial(y, f, w)
    assert sums.loss_sum / sums.weight_sum == pytest.approx(value, rel=1e-13)
    for threads in (1, 2, 3):
        got = loss.loss_gradient(y, f, w, n_threads=threads)
        assert got[0] == value
        np.testing.assert_array_equal(got[1], gradient)
    same = f.copy()
    assert loss.gradient(y, same, w, out=same) is same
    np.testing.assert_array_equal(same, gradient)
    square = f[: n // 1 * 1].reshape(1, -1)
    assert loss.gradient(y.reshape(1, -1), square, reduction="none").shape == square.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_scores_far_from_the_thresholds(dtype):
    """An exponential magnifies what rounding takes from threshold - score."""
    rng = np.random.default_rng(4)
    thresholds = (-30.3, -0.7, 0.1, 44.9)
    if dtype == np.float32:
        thresholds = tuple(map(float, np.array(thresholds, dtype)))
    f = (rng.normal(size=200) * 10 ** rng.uniform(-2, 1.8, 200)).astype(dtype)
    p = fl.CumulativeLogit(thresholds).predict(f)
    with mp.workprec(600):
        for i in range(len(f)):
            for k in range(len(thresholds) + 1):
                want = mp.exp(-exact(mp.mpf(float(f[i])), k, thresholds)[0])
                assert error_in_ulp(p[i, k], want, dtype) <= 6, (f[i], k)
    ends = fl.CumulativeLogit(thresholds).predict(np.array([-np.inf, np.inf, np.nan], dtype))
    np.testing.assert_array_equal(ends[:2], [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])
    assert np.isnan(ends[2]).all()


def test_predict_and_best_constant():
    loss = fl.CumulativeLogit((-1.0, 0.5, 2.0))
    f = np.linspace(-50, 50, 101)
    p = loss.predict(f)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    for k in range(4):
        want = np.exp(-loss.loss(np.full(101, k), f, reduction="none"))
        np.testing.assert_allclose(p[:, k], want, rtol=3e-14)
    out = np.empty((101, 4))
    assert loss.predict(f, out=out) is out
    rng = np.random.default_rng(5)
    y, w = rng.integers(0, 4, 100), rng.random(100)
    best = loss.initial_prediction(y, w)
    least = loss(y, np.full(100, best), w)
    for other in best + np.array([-1, -1e-3, -1e-5, 1e-5, 1e-3, 1]):
        assert least <= loss(y, np.full(100, other), w)
    assert np.isfinite(loss.initial_prediction([3, 3]))


def test_values():
    loss = fl.CumulativeLogit((0.0, 1.0))
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert fl.get_loss("cumulative_logit", thresholds=[0, 1]) == loss
    assert loss.thresholds == (0.0, 1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fl.CumulativeLogit((1.0, 1.0)),
            ValueError,
            "thresholds[1] = 1.0: expected more than thresholds[0] = 1.0",
        ),
        (
            lambda: fl.CumulativeLogit((np.nan,)),
            ValueError,
            "thresholds[0] = nan: expected a finite number",
        ),
        (
            lambda: fl.CumulativeLogit()([0, 3], [0.0, 1.0]),
            ValueError,
            "y_true[1] = 3: CumulativeLogit expects class labels 0 to 2",
        ),
        (
            lambda: fl.CumulativeLogit()([0.5], [0.0]),
            ValueError,
            "y_true[0] = 0.5: CumulativeLogit expects class labels 0 to 2",
        ),
        (
            lambda: fl.CumulativeLogit()([0], [0.0, 1.0]),
            ValueError,
            "y_true has shape (1,), raw_prediction has shape (2,): they must be equal",
        ),
        (
            lambda: fl.CumulativeLogit()([0], [0.0], [-2.0]),
            ValueError,
            "sample_weight[0] = -2.0: weights must be finite and not negative",
        ),
        (
            lambda: fl.CumulativeLogit().threshold_gradient([0], [0.0], reduction="none"),
            ValueError,
            "reduction = 'none': expected 'mean' or 'sum'",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


def test_nan_stays_in_its_sample():
    y, f = np.array([0, 1, 2, 1]), np.array([0.5, np.nan, 1.0, np.inf])
    value, gradient = fl.CumulativeLogit().loss_gradient(y, f, reduction="none")
    assert np.isnan(value[1])
    assert np.isnan(gradient[1])
    assert np.isfinite(value[[0, 2]]).all()
    with pytest.warns(RuntimeWarning, match="mean of an empty array"):
        assert np.isnan(fl.CumulativeLogit()([], np.zeros(0)))


def test_infinite_scores_have_the_limits():
    y, f = np.array([2, 0, 0, 1]), np.array([np.inf, -np.inf, np.inf, -np.inf])
    value, gradient, hessian = fl.CumulativeLogit().loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(value, [0, 0, np.inf, np.inf])
    np.testing.assert_array_equal(gradient, [0, 0, 1, -1])
    np.testing.assert_array_equal(hessian, 0)


def test_thresholds_however_near():
    for thresholds in ((0.0, 1e-160), (0.0, 1e-300)):
        value = fl.CumulativeLogit(thresholds)([1], [0.0])
        assert value == pytest.approx(-np.log(thresholds[1] / 4), rel=1e-14)
    with pytest.raises(ValueError, match="in float32: expected raw_prediction in float64"):
        fl.CumulativeLogit((1.0, 1.0 + 1e-12))([1], np.zeros(1, np.float32))


def test_any_byte_order_and_weights_by_their_index():
    y, f = np.array([[0, 1], [2, 1]]), np.array([[0.5, 1.0], [2.0, -1.0]])
    assert fl.CumulativeLogit()(y, f.astype(">f8")) == fl.CumulativeLogit()(y, f)
    with pytest.raises(ValueError, match=r"^sample_weight\[1, 0\] = -1.0: weights must be finite"):
        fl.CumulativeLogit()(y, f, [[1.0, 1.0], [-1.0, 1.0]])
