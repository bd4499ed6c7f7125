"""Losses by the cross-entropy's kernels: exact values, rare rows, layouts, threads."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

CLASSES = (2, 3, 10, 48, 49, 130, 400)
# how far apart what is added to the logits may be: 30 and 300 are beyond one way each of float32, 300
# and 900 of float64
SPANS = {"even": 0.0, "adjusted": 3.0, "widely": 30.0, "too widely": 300.0, "far too widely": 900.0}
BY_LABEL = ["focal", "focal, any gamma", "symmetric", "symmetric, no alpha", "generalized"]
CASES = ["z_loss", *SPANS, "both", *BY_LABEL]


def shifts(case, n_classes):
    span = SPANS.get(case, 2.0 if case == "both" else 0.0)
    # numbers that both dtypes hold
    return np.round(np.linspace(-span / 2, span / 2, n_classes) * 8) / 8 + (case == "both")


def make(case, n_classes, **others):
    if case == "focal":
        return fl.MulticlassFocal()
    if case.startswith("focal"):
        return fl.MulticlassFocal(gamma=1.5, alpha=np.linspace(0.5, 2, n_classes))
    if case.startswith("symmetric"):
        return fl.SymmetricCrossEntropy(0.125 if case == "symmetric" else 0.0, 0.5, -3.0)
    if case == "generalized":
        return fl.MulticlassGeneralizedCE(q=0.7)
    added = None if case == "z_loss" else shifts(case, n_classes)
    z_loss = 0.125 if case in ("z_loss", "both") else 0.0
    return fl.CrossEntropy(z_loss=z_loss, logit_adjustment=added, **others)


def exact(case, f, y):
    """Loss, gradient and the largest terms of both."""
    n = len(f)
    x = [mp.mpf(float(v)) + mp.mpf(float(a)) for v, a in zip(f, shifts(case, n), strict=True)]
    top = max(x)
    e = [mp.exp(v - top) for v in x]
    others = mp.fsum(e[:y] + e[y + 1 :])
    total = others + e[y]
    log_loss, q = mp.log1p(others / e[y]) if e[y] else top - x[y], others / total
    if case.startswith("focal"):
        gamma = mp.mpf(2 if case == "focal" else 1.5)
        alpha = mp.mpf(1.0 if case == "focal" else float(np.float64(np.linspace(0.5, 2, n)[y])))
        slope = alpha * q**gamma * (q + gamma * e[y] / total * log_loss)
        gradient = [slope * v / others if others else mp.zero for v in e]
        gradient[y] = -slope
        loss = alpha * q**gamma * log_loss
        return loss, gradient, loss, [abs(g) for g in gradient]
    if case in BY_LABEL:
        p = e[y] / total
        if case == "generalized":
            power = mp.mpf(0.7)
            loss, slope = -mp.expm1(-power * log_loss) / power, p**power
        else:
            alpha = mp.mpf(0.125 if case == "symmetric" else 0)
            loss, slope = alpha * log_loss + 1.5 * q, alpha + 1.5 * p
        gradient = [slope * v / total for v in e]
        gradient[y] = -slope * q
        return loss, gradient, loss, [abs(g) for g in gradient]
    z = mp.mpf(0.125 if case in ("z_loss", "both") else 0)
    log_sum = top + mp.log(total)
    loss = log_loss + z * log_sum**2
    slope = [2 * z * log_sum * v / total for v in e]
    gradient = [v / total + s for v, s in zip(e, slope, strict=True)]
    gradient[y] = slope[y] - q
    terms = [max(v / total, abs(s)) for v, s in zip(e, slope, strict=True)]
    terms[y] = max(q, abs(slope[y]))
    return loss, gradient, max(loss, 2 * z * abs(log_sum) * (abs(top) + 1)), terms


def samples(n, n_classes, dtype, seed=0):
    """Usual rows; the last quarter has some that are sure, far from 0, hopeless, or without a class."""
    rng = np.random.default_rng([seed, n_classes])
    f = (rng.normal(size=(n, n_classes)) * rng.choice([0.3, 2, 8], (n, 1))).astype(dtype)
    y = rng.integers(0, n_classes, n)
    rows = np.arange(n)
    f[rows % 5 == 0, y[rows % 5 == 0]] += 12
    late = rows >= 3 * n // 4
    surest = 85 if dtype == np.float32 else 700  # the others' shares are near the smallest number
    for every, k, amount in (
        (3, 0, 40),
        (4, 1, 2.0**13),
        (5, 2, -150),
        (6, 3, -700),
        (11, 4, surest),
    ):
        chosen = np.flatnonzero(late & (rows % every == 0))
        if k == 1:
            f[chosen] += dtype(amount)
        else:
            f[chosen, y[chosen]] += dtype(amount)
    chosen = np.flatnonzero(late & (rows % 7 == 0))
    f[chosen, (y[chosen] + 1) % n_classes] = -np.inf
    return y, f


@both_dtypes
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_classes", CLASSES)
def test_within_its_bound(case, n_classes, dtype):
    y, f = samples(48 if n_classes < 48 else 16 if n_classes < 130 else 8, n_classes, dtype)
    assert_within_its_bound(case, y, f)


@both_dtypes
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_classes", [2, 3, 5, 8, 9, 12])
def test_labels_far_below_the_largest_logit(case, n_classes, dtype):
    """Further than exponentials reach, by amounts that their bits may take for others."""
    reach = 1000 if dtype == np.float32 else 8000
    gaps = np.concatenate([np.linspace(60, reach, 60), 10.0 ** np.arange(3, 13)])
    y = np.arange(len(gaps)) % n_classes
    f = np.resize(np.linspace(0, -3, n_classes), (len(gaps), n_classes)).astype(dtype)
    f += np.resize([0, 61, 200], (len(gaps), 1)).astype(dtype)
    f[np.arange(len(gaps)), y] = -gaps
    for i in range(len(gaps)):  # alone: one that is told to be far takes its neighbours along
        assert_within_its_bound(case, y[i : i + 1], f[i : i + 1])


def assert_within_its_bound(case, y, f):
    dtype, n_classes = f.dtype.type, f.shape[1]
    loss = make(case, n_classes)
    bounds = {
        "focal": (8.0, 8.0),
        "focal, any gamma": (14.0, 14.0),
        "symmetric": (3.0, 3.5),
        "symmetric, no alpha": (3.5, 4.5),
        "generalized": (4.0, 5.5),
    }.get(case, (4.0, 5.5))
    value, gradient = loss.loss_gradient(y, f, reduction="none")
    least = 4096 * np.finfo(dtype).tiny  # a subnormal probability's few digits, times a factor
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for i in range(len(f)):
            want, slopes, term, terms = exact(case, f[i], int(y[i]))
            assert error_in_ulp(value[i], want, dtype, term) <= bounds[0], (i, f[i])
            for k in range(n_classes):
                if abs(slopes[k]) < least:
                    assert abs(gradient[i, k]) <= 2 * least
                    continue
                assert error_in_ulp(gradient[i, k], slopes[k], dtype, terms[k]) <= bounds[1], (i, k)


@both_dtypes
@pytest.mark.parametrize("case", ["z_loss", "adjusted", "both", "focal"])
@pytest.mark.parametrize("n_classes", [3, 60])
def test_weights_within_its_bound(case, n_classes, dtype):
    y, f = samples(40, n_classes, dtype, seed=10)
    w = np.random.default_rng(11).uniform(0.1, 3, len(y)).astype(dtype)
    w[3] = 0
    value, gradient = make(case, n_classes).loss_gradient(y, f, w, reduction="none")
    bounds = (9.0, 9.0) if case == "focal" else (5.0, 6.5)  # a rounding more
    assert value[3] == 0
    assert (gradient[3] == 0).all()
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for i in range(30):  # the usual ones
            want, slopes, term, terms = exact(case, f[i], int(y[i]))
            by = mp.mpf(float(w[i]))
            assert error_in_ulp(value[i], by * want, dtype, by * term) <= bounds[0], i
            for k in range(n_classes):
                error = error_in_ulp(gradient[i, k], by * slopes[k], dtype, by * terms[k])
                assert error <= bounds[1], (i, k)


@both_dtypes
def test_a_huge_penalty(dtype):
    """Where the sums of a sample cannot be used, its tile is: nothing is infinite before its time."""
    y, f = np.array([0, 1, 1]), np.array([[1, 2, 3], [50, -40, 0], [0, 0, 0]], dtype)
    for z_loss in (1e10, 1e26, 1e30, 1e36):
        value, gradient = fl.CrossEntropy(z_loss=z_loss).loss_gradient(y, f, reduction="none")
        for i in range(3):
            x = f[i].astype(float)
            p = np.exp(x - x.max())
            log_sum = x.max() + np.log(p.sum())
            slopes = (1 + 2 * z_loss * log_sum) * p / p.sum() - (np.arange(3) == y[i])
            with np.errstate(over="ignore"):
                most, slopes = dtype(z_loss * log_sum**2), slopes.astype(dtype)
            np.testing.assert_allclose(value[i], most, rtol=1e-5)
            np.testing.assert_allclose(gradient[i], slopes, rtol=1e-5, atol=1e-30)


@both_dtypes
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_classes", [2, 3, 10, 49, 400])
def test_every_operation_gives_the_same_bits(case, n_classes, dtype):
    y, f = samples(200, n_classes, dtype, seed=1)
    w = np.random.default_rng(2).random(len(y)).astype(dtype)
    loss = make(case, n_classes)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, w, reduction="none"), gradient)
    np.testing.assert_array_equal(loss.loss_gradient(y, f, w, reduction="none")[0], value)
    np.testing.assert_array_equal(loss.loss_gradient(y, f, w, reduction="none")[1], gradient)
    second = loss.gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(second[0], gradient)
    np.testing.assert_array_equal(second[1], hessian)
    for place in (0, 1):  # each output in turn takes the place of the raw predictions
        here, other = f.copy(), np.empty_like(f)
        out = (here, other) if place == 0 else (other, here)
        got = loss.gradient_hessian(y, here, w, reduction="none", out=out)
        np.testing.assert_array_equal(got[0], gradient)
        np.testing.assert_array_equal(got[1], hessian)


@both_dtypes
@pytest.mark.parametrize("case", ["z_loss", "adjusted", "both", "focal", "generalized"])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 49, 130, 400])
def test_layouts(case, n_classes, dtype):
    y, f = samples(300, n_classes, dtype, seed=3)
    usual = 300 * 3 // 4  # the rare rows' neighbours depend on the layout
    loss = make(case, n_classes)
    value, gradient = loss.loss_gradient(y, f, reduction="none")
    wide = np.zeros((300, 2 * n_classes + 3), dtype)
    views = {
        "every second class": wide[:, : 2 * n_classes : 2],
        "rows apart": wide[:, 3 : n_classes + 3],
        "samples side by side": np.zeros((n_classes, 300), dtype).T,
        "backwards": np.zeros((300, n_classes), dtype)[:, ::-1],
        "other byte order": np.zeros((300, n_classes), np.dtype(dtype).newbyteorder()),
    }
    for name, view in views.items():
        view[...] = f
        got = loss.loss_gradient(y, view, reduction="none")
        for mine, expected in zip(got, (value, gradient), strict=True):
            scale = np.maximum(np.abs(expected[:usual]), np.finfo(dtype).tiny)
            gap = np.abs(np.asarray(mine[:usual], dtype) - expected[:usual])
            limit = 16 if case != "adjusted" else 6  # of the z-loss, terms cancel
            top = scale.max(axis=-1, keepdims=True) if scale.ndim > 1 else np.maximum(scale, 1)
            assert (gap <= limit * np.spacing(scale if case == "adjusted" else top)).all(), name


@both_dtypes
@pytest.mark.parametrize("case", ["z_loss", "both", "focal", "symmetric"])
@pytest.mark.parametrize("n_classes", [3, 10, 49, 1000])
def test_past_the_cache_as_in_it(case, n_classes, dtype):
    """Streamed outputs of any alignment, by several threads, between rare rows."""
    n = 8_400_000 // (n_classes * np.dtype(dtype).itemsize) + 37
    y, f = samples(n, n_classes, dtype, seed=4)
    loss = make(case, n_classes)
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
@pytest.mark.parametrize("n_classes", [3, 60])
def test_weights_and_ignored_samples(n_classes, dtype):
    # usual ones alone: an ignored sample is no rare one, which its neighbours' last bits show
    y, f = (part[:300] for part in samples(400, n_classes, dtype, seed=5))
    w = np.random.default_rng(6).choice([0.0, 0.5, 1.0, 4.0], len(y)).astype(dtype)
    class_weight = np.random.default_rng(7).choice([0.25, 1.0, 2.0], n_classes)
    ignored = np.random.default_rng(8).random(len(y)) < 0.2
    labels = np.where(ignored, -100, y)
    for case in ("adjusted", "z_loss", "both"):
        loss = make(case, n_classes, ignore_index=-100)
        value, gradient = loss.loss_gradient(labels, f, w, reduction="none")
        plain, slope = make(case, n_classes).loss_gradient(y, f, reduction="none")
        assert (value[ignored] == 0).all()
        assert (gradient[ignored] == 0).all()
        keep = ~ignored
        # powers of two: nothing rounds
        np.testing.assert_array_equal(value[keep], (plain * w)[keep])
        np.testing.assert_array_equal(gradient[keep], (slope * w[:, None])[keep])
    by_class = make("adjusted", n_classes, class_weight=class_weight)
    value, gradient = by_class.loss_gradient(y, f, reduction="none")
    plain, slope = make("adjusted", n_classes).loss_gradient(y, f, reduction="none")
    each = class_weight[y].astype(dtype)
    np.testing.assert_array_equal(value, plain * each)
    np.testing.assert_array_equal(gradient, slope * each[:, None])


@pytest.mark.parametrize("n_classes", [3, 60])
def test_what_is_not_finite_stays_in_its_sample(n_classes):
    y, f = samples(120, n_classes, np.float64, seed=9)
    f[:] = np.where(np.isfinite(f), f, 0)
    for case in ("z_loss", "adjusted", "focal", "symmetric", "generalized"):
        loss = make(case, n_classes)
        before = loss.loss_gradient(y, f, reduction="none")
        for bad in (np.nan, np.inf):
            g = f.copy()
            g[50, (y[50] + 1) % n_classes] = bad
            after = loss.loss_gradient(y, g, reduction="none")
            if case == "generalized" and bad == np.inf:
                # the label is hopeless, the loss at its most
                np.testing.assert_allclose(after[0][50], 1 / 0.7, rtol=1e-15)
            else:
                assert not np.isfinite(after[0][50])
            others = np.arange(len(y)) != 50
            np.testing.assert_allclose(after[0][others], before[0][others], rtol=1e-14)
            np.testing.assert_allclose(after[1][others], before[1][others], rtol=2e-13, atol=1e-17)


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 60])
@pytest.mark.parametrize("case", ["symmetric", "generalized"])
def test_labels_beyond_hope(case, n_classes, dtype):
    """At any distance the gradient of p_y^q vanishes, whatever the distance was rounded by."""
    loss = make(case, n_classes)
    largest = np.finfo(dtype).max
    for gap in (1e3, 3.3e10, 3.3e13, 3.3e15, 3.3e19, 3.3e22, 3e30, largest):
        for label, top in ((0, 1), (1, 0)):
            f = np.zeros((1, n_classes), dtype)
            f[0, label] = -gap
            for raw in (f, f + np.eye(1, n_classes, top, dtype) * dtype(gap if gap < 1e30 else 0)):
                value, gradient, hessian = loss.loss_gradient_hessian(
                    [label], raw, reduction="none"
                )
                p = np.exp(raw[0].astype(float) - raw[0].max())
                p /= p.sum()
                p[label] = 0.0
                alpha = 0.125 if case == "symmetric" else 0.0
                miss = p - np.eye(1, n_classes, label)[0]
                near = {"rtol": 1e-6, "atol": 1e-20}
                np.testing.assert_allclose(gradient[0], alpha * miss, **near)
                np.testing.assert_allclose(hessian[0], alpha * p * (1 - p), **near)
                if case == "generalized":
                    np.testing.assert_allclose(value, 1 / 0.7, rtol=1e-6)


@both_dtypes
def test_terms_as_large_as_can_be(dtype):
    """Whose sum is no number of the dtype: each entry is what it is, not NaN."""
    large = 0.6 * float(np.finfo(dtype).max)
    loss = fl.SymmetricCrossEntropy(large, large / 3, -4.0)
    gradient = loss.gradient([0], np.array([[3.0, 0.0, 1.0]], dtype), reduction="none")
    assert not np.isnan(gradient).any()
    np.testing.assert_array_equal(np.sign(gradient[0]), [-1, 1, 1])
