"""NaN and infinity in raw_prediction reach their own sample and the reduced value only."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from mpmath import mp
from references import CASES, REFERENCES, case_id
from references.base import PRECISION, labels_of

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
INF = np.inf


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
@both_dtypes
@pytest.mark.parametrize("bad", [np.nan, -np.nan, INF, -INF])
def test_only_its_own_sample(reference, params, dtype, bad):
    rng = np.random.default_rng(11)
    y = labels_of(reference.labels_for(params), rng, 1030).astype(dtype)
    f = reference.inside(rng.uniform(-3, 3, 1030)).astype(dtype)
    w = rng.random(1030).astype(dtype)
    loss = fl.get_loss(reference.name, **params)
    for index in (0, 5, 511, 512, 1027, 1029):
        spoilt = f.copy()
        spoilt[index] = bad
        keep = np.arange(1030) != index
        for weights in (None, w):
            clean = loss.loss_gradient_hessian(y, f, weights, reduction="none")
            dirty = loss.loss_gradient_hessian(y, spoilt, weights, reduction="none")
            for a, b in zip(clean, dirty, strict=True):
                np.testing.assert_array_equal(a[keep], b[keep])
            value, gradient = loss.loss_gradient(y, spoilt, weights)
            expected = loss.gradient(y, f, weights)
            np.testing.assert_array_equal(gradient[keep], expected[keep])
            own = float(dirty[0][index])
            if np.isfinite(own):
                assert np.isfinite(value)
            else:
                np.testing.assert_equal(value, own)


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
@both_dtypes
def test_nan_gives_nan(reference, params, dtype):
    """Also for y = 0 of the losses that drop a term there."""
    y = np.array([0.0, 1.0, 1.0, 0.0], dtype=dtype)
    y = y + (reference.labels_for(params) == "positive")
    f = np.full(4, np.nan, dtype=dtype)
    loss = fl.get_loss(reference.name, **params)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
    assert np.isnan(value).all()
    assert np.isnan(gradient).all()
    assert np.isnan(hessian).all()  # also where it is a constant elsewhere
    for w in (np.array([2, 0, 1, 3], dtype=dtype), None):
        for result in loss.gradient_hessian(y, f, w):
            assert np.isnan(result).all()
    assert np.isnan(loss.loss(y, f))
    assert np.isnan(loss.loss(y, f, reduction="sum"))
    assert np.isnan(loss.predict(f)).all()


# The others have a domain of their own, or grow too slowly to tell: each has a test of its own, below
# or in test_binary_cross_entropy.py.
@pytest.mark.parametrize("reference", [r for r in REFERENCES.values() if r.has_limits], ids=case_id)
@both_dtypes
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_infinity_gives_the_limit(reference, dtype, sign):
    """No NaN where a limit exists: the trend of the reference over growing predictions tells."""
    y = reference.hard([0.0, 1.0]).astype(dtype)
    results = fl.get_loss(reference.name).loss_gradient_hessian(
        y, np.full(2, sign * INF, dtype=dtype), reduction="none"
    )
    for operation, computed in zip(("loss", "gradient", "hessian"), results, strict=True):
        for label, value in zip(y, computed, strict=True):
            with mp.workprec(PRECISION["float64"]):
                # so far apart that a logarithm is seen to grow
                near, far = (
                    reference.formula(operation)(mp.mpf(float(label)), sign * mp.mpf(2) ** power)
                    for power in (10, 20)
                )
            if abs(far) > 1.5 * abs(near) + 1:
                assert value == mp.sign(far) * INF
            else:
                assert value == pytest.approx(float(far), rel=1e-5, abs=1e-5)


@both_dtypes
def test_log_loss_at_infinity(dtype):
    y = np.array([1, 0, 1, 0, 0.5, 0.5], dtype=dtype)
    f = np.array([INF, -INF, -INF, INF, INF, -INF], dtype=dtype)
    loss, gradient, hessian = fl.LogLoss().loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(loss, [0, 0, INF, INF, INF, INF])
    np.testing.assert_array_equal(gradient, [0, 0, -1, 1, 0.5, -0.5])
    np.testing.assert_array_equal(hessian, np.zeros(6))
    np.testing.assert_array_equal(fl.LogLoss().predict(f), [1, 0, 0, 1, 1, 0])
    assert fl.LogLoss().loss(y[:2], f[:2]) == 0.0


@both_dtypes
def test_poisson_at_infinity(dtype):
    y = np.array([0, 0, 2, 2], dtype=dtype)
    f = np.array([-INF, INF, -INF, INF], dtype=dtype)
    loss, gradient, hessian = fl.Poisson().loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(loss, [0, INF, INF, INF])
    np.testing.assert_array_equal(gradient, [0, INF, -2, INF])
    np.testing.assert_array_equal(hessian, [0, INF, 0, INF])


@both_dtypes
def test_hinge_at_infinity(dtype):
    y = np.array([1, 0, 1, 0])
    f = np.array([INF, -INF, -INF, INF], dtype=dtype)
    for loss, slope, curvature in ((fl.Hinge(), 1, 1), (fl.SquaredHinge(), INF, 2)):
        value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="none")
        np.testing.assert_array_equal(value, [0, 0, INF, INF])
        np.testing.assert_array_equal(gradient, [0, 0, -slope, slope])
        np.testing.assert_array_equal(hessian, [0, 0, curvature, curvature])


@both_dtypes
def test_residual_losses_at_infinity(dtype):
    f = np.array([INF, -INF], dtype=dtype)
    y = np.zeros(2)
    for loss, slopes in (
        (fl.SquaredError(), (INF, INF)),
        (fl.HalfSquaredError(), (INF, INF)),
        (fl.AbsoluteError(), (1, 1)),
        (fl.Huber(2.5), (2.5, 2.5)),
        (fl.Pinball(0.25), (0.75, 0.25)),
        (fl.SmoothL1(2.5), (1, 1)),
        (fl.Expectile(0.25), (INF, INF)),
        (fl.PseudoHuber(2.5), (2.5, 2.5)),
        (fl.LogCosh(), (1, 1)),
        (fl.Fair(2.5), (2.5, 2.5)),
        (fl.Cauchy(2.5), (0, 0)),
        (fl.StudentT(2.5), (0, 0)),
        (fl.Wing(2.5, 0.5), (1, 1)),
    ):
        value, gradient = loss.loss_gradient(y, f, reduction="none")
        np.testing.assert_array_equal(value, [INF, INF])
        np.testing.assert_array_equal(gradient, [slopes[0], -slopes[1]])


@both_dtypes
@pytest.mark.parametrize(
    ("alpha", "value", "slope", "curvature"),
    [
        (3.0, INF, INF, INF),
        (2.0, INF, INF, 4.0),
        (1.5, INF, INF, 0.0),
        (1.0, INF, 2.0, 0.0),
        (0.0, INF, 0.0, 0.0),
        (-2.0, 2.0, 0.0, 0.0),
        (-INF, 1.0, 0.0, 0.0),
    ],
)
def test_barron_at_infinity(dtype, alpha, value, slope, curvature):
    f = np.array([INF, -INF], dtype=dtype)
    results = fl.BarronRobust(alpha, c=0.5).loss_gradient_hessian(np.ones(2), f, reduction="none")
    eps = float(np.finfo(dtype).eps)
    for computed, expected in zip(results, (value, slope, curvature), strict=True):
        np.testing.assert_allclose(np.abs(computed), expected, rtol=2 * eps)
    assert not results[1][1] > 0


@both_dtypes
def test_lq_at_infinity_and_at_the_label(dtype):
    y, f = np.full(3, 2.0), np.array([INF, -INF, 2.0], dtype=dtype)
    for q, at_infinity, at_label in ((1.5, 0.0, INF), (2.5, INF, 0.0)):
        value, gradient, hessian = fl.Lq(q).loss_gradient_hessian(y, f, reduction="none")
        np.testing.assert_array_equal(value, [INF, INF, 0.0])
        np.testing.assert_array_equal(gradient, [INF, -INF, 0.0])
        np.testing.assert_array_equal(hessian, [at_infinity, at_infinity, at_label])


@both_dtypes
def test_squared_log_error_at_the_ends_of_its_domain(dtype):
    y, f = np.ones(4), np.array([INF, -1.0, -1.5, -INF], dtype=dtype)
    value, gradient, hessian = fl.SquaredLogError().loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_array_equal(value, [INF, INF, np.nan, np.nan])
    np.testing.assert_array_equal(gradient, [0.0, -INF, np.nan, np.nan])
    np.testing.assert_array_equal(hessian, [0.0, INF, np.nan, np.nan])


@both_dtypes
@pytest.mark.parametrize(
    ("power", "value", "slope", "curvature"),
    [(-1.0, INF, INF, INF), (1.0, INF, 1.0, 0.0), (1.5, INF, 0.0, 0.0), (3.0, 0.5, 0.0, 0.0)],
)
def test_tweedie_identity_at_the_ends_of_its_domain(dtype, power, value, slope, curvature):
    f = np.array([INF, 0.0, -1.0, -INF], dtype=dtype)
    results = fl.TweedieIdentity(power).loss_gradient_hessian(np.ones(4), f, reduction="none")
    for computed, limit in zip(results, (value, slope, curvature), strict=True):
        np.testing.assert_array_equal(computed, [limit, np.nan, np.nan, np.nan])


@both_dtypes
def test_tweedie_beyond_all_numbers(dtype):
    """Where both terms overflow, the sign is that of e^f - y."""
    top = float(np.finfo(dtype).max)
    for power, f in ((0.0, np.log(top) * 0.9), (3.0, -3.0 * np.log(top)), (-50.0, 1e30)):
        for y in (1.0, top):
            gradient = fl.Tweedie(power).gradient([y], np.array([f], dtype=dtype))
            np.testing.assert_array_equal(gradient, [INF if f > np.log(y) else -INF])


@both_dtypes
def test_bounded_losses_at_infinity(dtype):
    f, zero = np.array([INF, -INF], dtype=dtype), np.zeros(2)
    for loss, limit in ((fl.Welsch(2), 2), (fl.GemanMcClure(2), 2), (fl.Tukey(3), 1.5)):
        value, gradient, hessian = loss.loss_gradient_hessian(zero, f, reduction="none")
        np.testing.assert_array_equal(value, [limit, limit])
        np.testing.assert_array_equal(gradient, zero)
        np.testing.assert_array_equal(hessian, zero)


@every_loss
@both_dtypes
def test_a_weight_of_zero_does_not_hide_nan(reference, dtype):
    """0 * NaN is NaN: a sample is dropped by leaving it out, not by its weight."""
    loss = fl.get_loss(reference.name)
    y, w = np.ones(2, dtype=dtype), np.array([0, 1], dtype=dtype)
    f = np.array([np.nan, 0.5], dtype=dtype)
    value, gradient = loss.loss_gradient(y, f, w)
    assert np.isnan(value)
    assert np.isnan(gradient[0])
    assert np.isfinite(gradient[1])
