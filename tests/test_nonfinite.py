"""NaN and infinity in raw_prediction reach their own sample and the reduced value only."""

import numpy as np
import pytest
from references import CASES, REFERENCES, case_id
from references.base import labels_of

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INF = np.inf


@pytest.mark.parametrize(("reference", "params"), CASES, ids=case_id)
@both_dtypes
@pytest.mark.parametrize("bad", [np.nan, -np.nan, INF, -INF])
def test_only_its_own_sample(reference, params, dtype, bad):
    rng = np.random.default_rng(11)
    y = labels_of(reference.labels, rng, 1030).astype(dtype)
    f = rng.uniform(-3, 3, 1030).astype(dtype)
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
def test_nan_gives_nan_loss_and_gradient(reference, params, dtype):
    """Also for y = 0 of the losses that drop a term there."""
    y = np.array([0.0, 1.0, 1.0, 0.0], dtype=dtype)
    f = np.full(4, np.nan, dtype=dtype)
    loss = fl.get_loss(reference.name, **params)
    value, gradient, _ = loss.loss_gradient_hessian(y, f, reduction="none")
    assert np.isnan(value).all()
    assert np.isnan(gradient).all()
    assert np.isnan(loss.loss(y, f))
    assert np.isnan(loss.loss(y, f, reduction="sum"))
    assert np.isnan(loss.predict(f)).all()


@every_loss
@both_dtypes
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_infinity_gives_the_limit(reference, dtype, sign):
    """No NaN where a limit exists: the trend of the reference over growing predictions tells."""
    y = np.array([0.0, 1.0], dtype=dtype)
    results = fl.get_loss(reference.name).loss_gradient_hessian(
        y, np.full(2, sign * INF, dtype=dtype), reduction="none"
    )
    for operation, computed in zip(("loss", "gradient", "hessian"), results, strict=True):
        near = reference.float64(operation, y, np.full(2, sign * 2.0**27), {})
        far = reference.float64(operation, y, np.full(2, sign * 2.0**30), {})
        limit = np.where(np.abs(far) > 4 * np.abs(near) + 1, np.copysign(INF, far), far)
        np.testing.assert_array_equal(computed, limit.astype(dtype))


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
    ):
        value, gradient = loss.loss_gradient(y, f, reduction="none")
        np.testing.assert_array_equal(value, [INF, INF])
        np.testing.assert_array_equal(gradient, [slopes[0], -slopes[1]])


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
