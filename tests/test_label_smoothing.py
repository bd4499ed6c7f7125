"""Smoothed labels by the ways of hard ones: exact values, rare rows, ignored ones, layouts."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

BOUND = 4.0  # as the docs of CrossEntropy state


def exact(f, y, smoothing):
    """Loss, gradient and the largest term of each gradient."""
    n = len(f)
    x = [mp.mpf(float(v)) for v in f]
    top = max(x)
    e = [mp.exp(v - top) for v in x]
    total = mp.fsum(e)
    even, keep = mp.mpf(smoothing) / n, 1 - mp.mpf(smoothing)
    loss = keep * mp.log1p(mp.fsum(e[:y] + e[y + 1 :]) / e[y])
    loss += even * mp.fsum((top - v) + mp.log(total) for v in x)
    gradient = [v / total - even for v in e]
    gradient[y] = (keep + even - 1) * -1 - mp.fsum(e[:y] + e[y + 1 :]) / total
    q = [keep + even if k == y else even for k in range(n)]
    return loss, gradient, [max(v / total, a) for v, a in zip(e, q, strict=True)]


def samples(n, n_classes, dtype, seed=0):
    """Usual rows; the last quarter has some that are sure, far from 0, or hopeless."""
    rng = np.random.default_rng([seed, n_classes])
    f = (rng.normal(size=(n, n_classes)) * rng.choice([0.3, 2, 8], (n, 1))).astype(dtype)
    y = rng.integers(0, n_classes, n)
    rows = np.arange(n)
    f[rows % 5 == 0, y[rows % 5 == 0]] += 12
    late = rows >= 3 * n // 4
    f[late & (rows % 3 == 0)] += dtype(2.0**13)
    hopeless = np.flatnonzero(late & (rows % 4 == 0))
    f[hopeless, y[hopeless]] -= 700
    return y, f


@both_dtypes
@pytest.mark.parametrize("smoothing", [2.0**-7, 0.125, 0.5, 0.75])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 49, 130])
def test_within_its_bound(n_classes, smoothing, dtype):
    y, f = samples(40 if n_classes < 49 else 12, n_classes, dtype)
    value, gradient = fl.CrossEntropy(label_smoothing=smoothing).loss_gradient(
        y, f, reduction="none"
    )
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for i in range(len(f)):
            want, slopes, terms = exact(f[i], int(y[i]), smoothing)
            assert error_in_ulp(value[i], want, dtype) <= BOUND, (i, f[i])
            for k in range(n_classes):
                error = error_in_ulp(gradient[i, k], slopes[k], dtype, terms[k])
                assert error <= BOUND, (i, k)


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 49, 400])
def test_every_operation_gives_the_same_bits(n_classes, dtype):
    y, f = samples(300, n_classes, dtype, seed=1)
    y[::9] = -100
    w = np.random.default_rng(2).random(len(y)).astype(dtype)
    w[5] = 0
    loss = fl.CrossEntropy(label_smoothing=0.1, ignore_index=-100)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for gone in (y < 0, w == 0):
        assert (value[gone] == 0).all()
        assert (gradient[gone] == 0).all()
        assert (hessian[gone] == 0).all()
    np.testing.assert_array_equal(loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, w, reduction="none"), gradient)
    both = loss.loss_gradient(y, f, w, reduction="none")
    np.testing.assert_array_equal(both[0], value)
    np.testing.assert_array_equal(both[1], gradient)
    here, other = f.copy(), np.empty_like(f)
    got = loss.gradient_hessian(y, here, w, reduction="none", out=(here, other))
    np.testing.assert_array_equal(got[0], gradient)
    np.testing.assert_array_equal(got[1], hessian)


@both_dtypes
@pytest.mark.parametrize("n_classes", [3, 10, 49, 1000])
def test_past_the_cache_as_in_it(n_classes, dtype):
    """Streamed outputs of any alignment, by several threads, between rare rows."""
    n = 8_400_000 // (n_classes * np.dtype(dtype).itemsize) + 37
    y, f = samples(n, n_classes, dtype, seed=4)
    loss = fl.CrossEntropy(label_smoothing=0.1)
    room = np.full(f.size + 64, 7, dtype)
    results = []
    for offset, threads in ((0, 1), (3, 2), (13, 3)):
        out = room[offset : offset + f.size].reshape(f.shape)
        value, _ = loss.loss_gradient(y, f, reduction="sum", out=(None, out), n_threads=threads)
        assert (room[:offset] == 7).all()
        assert (room[offset + f.size :] == 7).all()
        results.append((np.float64(value).tobytes(), out.tobytes()))
        room[:] = 7
    assert results[0] == results[1] == results[2]
    whole = np.frombuffer(results[0][1], dtype).reshape(f.shape)
    rows = slice(0, 256)
    np.testing.assert_array_equal(loss.gradient(y[rows], f[rows], reduction="sum"), whole[rows])


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 60, 300])
def test_layouts(n_classes, dtype):
    y, f = samples(400, n_classes, dtype, seed=3)
    y, f = y[:300], f[:300]  # the rare rows' neighbours depend on the layout
    loss = fl.CrossEntropy(label_smoothing=0.1)
    value, gradient = loss.loss_gradient(y, f, reduction="none")
    views = {
        "every second class": np.zeros((300, 2 * n_classes), dtype)[:, ::2],
        "samples side by side": np.zeros((n_classes, 300), dtype).T,
        "backwards": np.zeros((300, n_classes), dtype)[:, ::-1],
        "other byte order": np.zeros((300, n_classes), np.dtype(dtype).newbyteorder()),
    }
    for name, view in views.items():
        view[...] = f
        got = loss.loss_gradient(y, view, reduction="none")
        np.testing.assert_allclose(got[0], value, rtol=8 * np.finfo(dtype).eps, err_msg=name)
        np.testing.assert_allclose(got[1], gradient, rtol=0, atol=8 * np.finfo(dtype).eps)


@both_dtypes
@pytest.mark.parametrize("n_classes", [3, 60])
def test_an_infinite_logit_stays_in_its_sample(n_classes, dtype):
    y, f = samples(120, n_classes, dtype, seed=9)
    y, f = y[:90], f[:90]
    w = np.random.default_rng(3).uniform(0.5, 2, 90).astype(dtype)
    loss = fl.CrossEntropy(label_smoothing=0.1)
    before = loss.loss_gradient(y, f, w, reduction="none")
    others = np.arange(90) != 50
    for bad in (-np.inf, np.inf, np.nan):
        g = f.copy()
        g[50, (y[50] + 1) % n_classes] = bad
        after = loss.loss_gradient(y, g, w, reduction="none")
        assert after[0][50] == np.inf if bad == -np.inf else np.isnan(after[0][50])
        assert np.isfinite(after[1][50]).all() == (bad == -np.inf)
        rtol = 16 * np.finfo(dtype).eps
        np.testing.assert_allclose(after[0][others], before[0][others], rtol=rtol)
        np.testing.assert_allclose(after[1][others], before[1][others], rtol=0, atol=rtol)
