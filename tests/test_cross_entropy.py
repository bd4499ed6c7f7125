"""Softmax cross-entropy: accuracy, torch's semantics, every layout and label type, errors."""

import copy
import pickle
import re
from itertools import pairwise

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.ulp import error_in_ulp
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from references.base import PRECISION
from references.multiclass import cross_entropy, softmax

import fastloss as fl

BOUND, HESSIAN_BOUND = 4.0, 5.5  # as the docs of CrossEntropy state
CLASSES = (1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 33, 66, 100, 130, 1000)
OPERATIONS = ("loss", "gradient", "loss_gradient", "gradient_hessian", "loss_gradient_hessian")
INTEGERS = ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"]
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def raises(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def tuple_of(result):
    return result if isinstance(result, tuple) else (result,)


def data(n, n_classes, dtype=np.float64, seed=41, scale=3.0):
    rng = np.random.default_rng([seed, n, n_classes])
    y = rng.integers(0, n_classes, n)
    f = (rng.normal(size=(n, n_classes)) * scale).astype(dtype)
    return y, f, rng.random(n).astype(dtype)


# ---------------------------------------------------------------- accuracy


def rows(n_classes, dtype, seed=0):
    """Logits and labels: ordinary ones, sure ones, wrong ones, far ones, equal ones."""
    rng = np.random.default_rng([42, seed, n_classes])
    count = 24 if n_classes <= 40 else 3
    logits, labels = [], []
    for scale in (1e-3, 1, 5, 30, 200, 5000):
        f = rng.normal(size=(count, n_classes)) * scale
        logits.append(f)
        labels.append(
            np.where(rng.random(count) < 0.5, f.argmax(1), rng.integers(0, n_classes, count))
        )
    for offset in (0, 100, -700, 1e4, -1e4, 1e6):  # the same logits, far from 0
        f = rng.normal(size=(count, n_classes)) + offset
        logits.append(f)
        labels.append(rng.integers(0, n_classes, count))
    sure = [8, 17, 18, 34, 40, 80, 88, 100, 700, 1e4]
    f = np.zeros((len(sure), n_classes))
    f[np.arange(len(sure)), np.arange(len(sure)) % n_classes] = sure
    logits += [f, f]
    labels += [np.arange(len(sure)) % n_classes, np.arange(1, len(sure) + 1) % n_classes]
    logits.append(np.zeros((2, n_classes)))
    labels.append(np.array([0, n_classes - 1]))
    return np.concatenate(logits).astype(dtype), np.concatenate(labels)


def assert_accurate(loss, targets, f, cancels, params):
    """Every number within its bound; of its largest term where the terms of a gradient cancel."""
    dtype = f.dtype.type
    value, gradient, hessian = loss.loss_gradient_hessian(targets, f, reduction="none")
    with mp.workprec(PRECISION[f.dtype.name]):
        for i in range(len(f)):
            target = int(targets[i]) if targets.ndim == 1 else targets[i]
            exact = cross_entropy(f[i], target, **params)
            error = error_in_ulp(value[i], exact[0], dtype)
            assert error <= BOUND, f"loss: {error:.2f} ULP at {f[i]!r}, {target}"
            for k in range(f.shape[1]):
                term = exact[3][k] if cancels else None
                error = error_in_ulp(gradient[i, k], exact[1][k], dtype, term)
                assert error <= BOUND, f"gradient[{k}]: {error:.2f} ULP at {f[i]!r}, {target}"
                error = error_in_ulp(hessian[i, k], exact[2][k], dtype)
                assert error <= HESSIAN_BOUND, (
                    f"hessian[{k}]: {error:.2f} ULP at {f[i]!r}, {target}"
                )


def assert_same_sample(part, want, largest=0.0):
    """
    The same result wherever a sample stands, within the error bounds of the two.

    Layouts have kernels of their own, and samples beside one with an infinite logit another path: they
    add in another order.
    """
    part, want = np.asarray(part), np.asarray(want)
    same = (part == want) | (np.isnan(part) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        gap = np.abs(part - want)
        bound = 2 * HESSIAN_BOUND * np.spacing(np.maximum(np.abs(want), want.dtype.type(largest)))
        assert (same | (gap <= bound)).all()


@both_dtypes
@pytest.mark.parametrize("n_classes", CLASSES)
def test_within_its_bound(dtype, n_classes):
    f, y = rows(n_classes, dtype)
    assert_accurate(fl.CrossEntropy(), y, f, cancels=False, params={})


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 8, 17])
@pytest.mark.parametrize("smoothing", [0.1, 1e-6, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_smoothed_and_weighted_within_its_bound(dtype, n_classes, smoothing, weighted):
    f, y = rows(n_classes, dtype, seed=1)
    params = {"label_smoothing": smoothing}
    if weighted:
        params["class_weight"] = (np.arange(1, n_classes + 1) * 0.375).tolist()
    assert_accurate(fl.CrossEntropy(**params), y, f, cancels=True, params=params)


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 5, 16, 33, 100])
@pytest.mark.parametrize("kind", ["distribution", "one-hot", "any"])
def test_soft_labels_within_its_bound(dtype, n_classes, kind):
    f, y = rows(n_classes, dtype, seed=2)
    rng = np.random.default_rng(43)
    if kind == "one-hot":
        soft = np.eye(n_classes)[y]
    else:
        soft = rng.random(f.shape) ** 4
        if kind == "distribution":
            soft /= soft.sum(axis=1, keepdims=True)
    assert_accurate(fl.CrossEntropy(), soft.astype(dtype), f, cancels=True, params={})


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 17, 100])
def test_softmax_within_its_bound(dtype, n_classes):
    f, _ = rows(n_classes, dtype, seed=3)
    computed = fl.CrossEntropy().predict(f)
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for row, ps in zip(f, computed, strict=True):
            for value, exact in zip(ps, softmax(row), strict=True):
                error = error_in_ulp(value, exact, dtype)
                assert error <= BOUND, f"{error:.2f} ULP at {row!r}"


@both_dtypes
@pytest.mark.parametrize("top", [18.0, 40.0, 80.0])
def test_a_sure_sample_has_a_loss(dtype, top):
    """Where scikit-learn and torch say 0."""
    f = np.array([[top, 0, 0]], dtype=dtype)
    value, gradient, hessian = fl.CrossEntropy().loss_gradient_hessian(
        np.array([0]), f, reduction="none"
    )
    e = np.exp(-top)
    p, rest = e / (1 + 2 * e), 2 * e / (1 + 2 * e)
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, [np.log1p(2 * e)], rtol=tolerance)
    np.testing.assert_allclose(gradient, [[-rest, p, p]], rtol=tolerance)
    np.testing.assert_allclose(
        hessian, [[rest * (1 - rest), p * (1 - p), p * (1 - p)]], rtol=tolerance
    )


def test_references_are_derivatives():
    rng = np.random.default_rng(44)
    with mp.workprec(300):
        step = mp.mpf(2) ** -60
        for n in (1, 2, 3, 7):
            logits = [mp.mpf(float(f)) for f in rng.normal(size=n)]
            for target in (0, n - 1, rng.random(n).tolist()):
                params = {"class_weight": rng.random(n).tolist(), "label_smoothing": 0.125}
                _, gradient, hessian, _ = cross_entropy(logits, target, **params)
                for k in range(n):
                    shifted = [list(logits), list(logits)]
                    with mp.workprec(300):
                        up = _shifted(shifted[0], k, step, target, params)
                        down = _shifted(shifted[1], k, -step, target, params)
                    assert abs((up[0] - down[0]) / (2 * step) - gradient[k]) < mp.mpf("1e-30")
                    slope = (up[1][k] - down[1][k]) / (2 * step)
                    assert abs(slope - hessian[k]) < mp.mpf("1e-30")


def _shifted(logits, k, step, target, params):
    """The definition once more at a point that no float holds."""
    logits[k] += step
    n, smoothing = len(logits), mp.mpf(params["label_smoothing"])
    t = [int(j == target) for j in range(n)] if isinstance(target, int) else target
    q = [
        mp.mpf(w) * ((1 - smoothing) * mp.mpf(tj) + smoothing / n)
        for w, tj in zip(params["class_weight"], t, strict=True)
    ]
    norm = mp.log(mp.fsum(mp.exp(f) for f in logits))
    loss = mp.fsum(qj * (norm - f) for qj, f in zip(q, logits, strict=True))
    return loss, [mp.fsum(q) * mp.exp(f - norm) - qj for f, qj in zip(logits, q, strict=True)]


def longdouble_reference(y, f):
    """Loss, gradient and Hessian by the textbook: for every size, not for the last bits."""
    e = np.exp(f.astype(np.longdouble) - f.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    hot = np.eye(f.shape[-1])[y]
    return -np.log((p * hot).sum(axis=-1)), p - hot, p * (1 - p)


@both_dtypes
@pytest.mark.parametrize("first", [1, 33, 65, 97, 129, 193, 255, 511, 1023])
def test_every_number_of_classes_with_its_maximum_anywhere(dtype, first):
    """Whole vectors, groups of them, what is left over: no class may count twice, or never."""
    rng = np.random.default_rng(49)
    tolerance = 64 * np.finfo(dtype).eps
    for n_classes in range(first, first + (32 if first < 255 else 3)):
        f = rng.normal(size=(n_classes, n_classes)).astype(dtype)
        f += np.eye(n_classes, dtype=dtype) * 3
        y = (np.arange(n_classes) * 7 + 3) % n_classes
        expected = longdouble_reference(y, f)
        results = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
        columns = fl.CrossEntropy().loss_gradient_hessian(y, np.asfortranarray(f), reduction="none")
        for part, other, want in zip(results, columns, expected, strict=True):
            np.testing.assert_allclose(part, want, rtol=tolerance, atol=tolerance)
            np.testing.assert_allclose(other, want, rtol=tolerance, atol=tolerance)
        p = fl.CrossEntropy().predict(f)
        np.testing.assert_allclose(
            p, expected[1] + np.eye(n_classes)[y], rtol=tolerance, atol=tolerance
        )


# ---------------------------------------------------------------- semantics


def numpy_reference(y, f, w=None, class_weight=None, label_smoothing=0.0, ignore_index=None):
    """Samples' losses, gradients, Hessians and the mean's divisor; class axis last."""
    n_classes = f.shape[-1]
    f = f.astype(np.float64)
    cw = np.ones(n_classes) if class_weight is None else np.asarray(class_weight)
    w = np.ones(f.shape[:-1]) if w is None else w.astype(np.float64)
    if y.shape == f.shape:
        target, kept = y.astype(np.float64), np.ones(f.shape[:-1], dtype=bool)
        divisor = w.sum()
    else:
        y = y.astype(np.int64)
        kept = np.ones(y.shape, bool) if ignore_index is None else y != ignore_index
        hard = np.where(kept, y, 0)
        target = np.eye(n_classes)[hard]
        divisor = (w * cw[hard])[kept].sum()
    q = cw * ((1 - label_smoothing) * target + label_smoothing / n_classes)
    shifted = f - f.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    p, total = np.exp(log_p), q.sum(axis=-1, keepdims=True)
    scale = (w * kept)[..., None]
    return (
        -(q * log_p).sum(axis=-1) * w * kept,
        (total * p - q) * scale,
        total * p * (1 - p) * scale,
        divisor,
    )


@both_dtypes
@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"label_smoothing": 0.2},
        {"class_weight": True},
        {"class_weight": True, "label_smoothing": 0.2},
        {"ignore_index": 1},
        {"ignore_index": -100, "class_weight": True, "label_smoothing": 0.2},
    ],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_semantics(dtype, n_classes, soft, params, weighted):
    if soft and "ignore_index" in params:
        pytest.skip("soft labels have no index to ignore")
    y, f, w = data(37 if n_classes > 100 else 300, n_classes, dtype)
    w = w if weighted else None
    params = dict(params)
    if params.get("class_weight"):
        params["class_weight"] = np.linspace(0.25, 2.0, n_classes).tolist()
    if "ignore_index" in params:
        y[::5] = params["ignore_index"]
        if n_classes == 1:
            y[y == 1] = params["ignore_index"]
    if soft:
        y = np.random.default_rng(1).random(f.shape).astype(dtype)
    loss = fl.CrossEntropy(**params)
    *expected, divisor = numpy_reference(y, f, w, **params)
    tolerance = {"rtol": 0, "atol": 30 * np.finfo(dtype).eps * n_classes**0.5}
    each = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for mine, theirs in zip(each, expected, strict=True):
        assert mine.dtype == dtype
        scale = max(1, np.abs(theirs).max())
        np.testing.assert_allclose(mine / scale, theirs / scale, **tolerance)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="sum")
    assert type(value) is float
    exact = float(each[0].astype(np.longdouble).sum())
    assert value == pytest.approx(exact, rel=1e-13)
    np.testing.assert_array_equal(gradient, each[1])
    np.testing.assert_array_equal(hessian, each[2])
    part = loss.partial(y, f, w)
    assert part.loss_sum == value
    assert part.weight_sum == pytest.approx(divisor, rel=1e-6 if dtype == np.float32 else 1e-13)
    assert part.n_samples == len(f)
    divisor = part.weight_sum
    mean, gradient, hessian = loss.loss_gradient_hessian(y, f, w)
    assert mean == part.mean()
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(gradient, each[1] / divisor, rtol=4 * eps, atol=0)
    np.testing.assert_allclose(hessian, each[2] / divisor, rtol=4 * eps, atol=0)


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 130])
def test_reductions_accumulate_in_float64(dtype, n_classes):
    y, f, _ = data(1_000_003 // n_classes, n_classes, dtype)
    each = fl.CrossEntropy().loss(y, f, reduction="none").astype(np.longdouble)
    exact = float(each.sum())
    assert fl.CrossEntropy().loss(y, f, reduction="sum") == pytest.approx(exact, rel=1e-13)
    assert fl.CrossEntropy().loss(y, f) == pytest.approx(exact / len(y), rel=1e-13)


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 17, 300])
def test_every_operation_gives_the_same_bits(dtype, n_classes):
    y, f, w = data(200, n_classes, dtype)
    loss = fl.CrossEntropy(label_smoothing=0.1)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(loss.loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, w, reduction="none"), gradient)
    both = loss.loss_gradient(y, f, w, reduction="none")
    np.testing.assert_array_equal(both[0], value)
    np.testing.assert_array_equal(both[1], gradient)
    both = loss.gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(both[0], gradient)
    np.testing.assert_array_equal(both[1], hessian)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_sums_of_partials(n_classes):
    y, f, w = data(1000, n_classes)
    y[::7] = -1
    loss = fl.CrossEntropy(ignore_index=-1, class_weight=np.linspace(1, 2, n_classes))
    cuts = [0, 1, 333, 333, 1000]
    parts = [loss.partial(y[a:b], f[a:b], w[a:b]) for a, b in pairwise(cuts)]
    assert sum(parts).mean() == pytest.approx(loss.loss(y, f, w), rel=1e-13)
    assert sum(parts).n_samples == 1000


def test_all_ignored():
    loss = fl.CrossEntropy(ignore_index=-100)
    y, f = np.full(4, -100), np.ones((4, 3))
    message = r"^mean of samples that are all ignored or whose weights sum to zero is NaN$"
    with pytest.warns(RuntimeWarning, match=message):
        value = loss.loss(y, f)
    assert np.isnan(value)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="sum")
    assert value == 0.0
    assert not gradient.any()
    assert not hessian.any()


def test_nan_in_an_ignored_sample_does_not_count():
    f = np.ones((3, 4))
    f[1] = np.nan, np.inf, -np.inf, 1
    loss = fl.CrossEntropy(ignore_index=9)
    value, gradient, hessian = loss.loss_gradient_hessian(np.array([0, 9, 1]), f)
    assert np.isfinite(value)
    assert not gradient[1].any()
    assert not hessian[1].any()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("shape", [(0, 3), (4, 0, 3)])
def test_empty(shape):
    loss, f = fl.CrossEntropy(), np.empty(shape)
    y = np.empty(shape[:-1], dtype=int)
    with pytest.warns(RuntimeWarning, match=r"^mean of an empty array is NaN$"):
        value, gradient = loss.loss_gradient(y, f)
    assert np.isnan(value)
    assert gradient.shape == shape
    assert loss.loss(y, f, reduction="sum") == 0.0
    assert loss.loss(y, f, reduction="none").shape == shape[:-1]
    assert loss.predict(f).shape == shape


def test_one_sample_without_a_sample_axis():
    loss, f = fl.CrossEntropy(), np.array([1.0, 2.0, 0.5])
    expected = loss.loss_gradient(np.array([1]), f[None], reduction="none")
    value, gradient = loss.loss_gradient(1, f)
    assert value == expected[0][0]
    np.testing.assert_array_equal(gradient, expected[1][0])
    assert loss.loss(1, f, reduction="none").shape == ()
    assert loss.loss(1, f, 0.5, reduction="none") == 0.5 * value


# ---------------------------------------------------------------- layouts


@both_dtypes
@pytest.mark.parametrize(
    "shape", [(5, 3), (5, 3, 70), (2, 10, 4, 33), (3, 2, 1, 5, 2), (4, 130, 9)]
)
@pytest.mark.parametrize("soft", [False, True])
def test_class_axis(dtype, shape, soft):
    rng = np.random.default_rng(45)
    for axis in range(-len(shape), len(shape)):
        f = rng.normal(size=shape).astype(dtype)
        n_classes = shape[axis]
        moved = np.ascontiguousarray(np.moveaxis(f, axis, -1))
        w = rng.random(moved.shape[:-1])
        y = rng.integers(0, n_classes, moved.shape[:-1])
        labels = y
        if soft:
            y = rng.random(moved.shape)
            labels = np.moveaxis(y, -1, axis)
        loss = fl.CrossEntropy(label_smoothing=0.05)
        expected = loss.loss_gradient_hessian(y, moved, w, reduction="none")
        result = loss.loss_gradient_hessian(labels, f, w, reduction="none", axis=axis)
        assert result[1].shape == result[2].shape == shape
        mine = [result[0], *(np.moveaxis(part, axis, -1) for part in result[1:])]
        mine.append(np.moveaxis(loss.predict(f, axis=axis), axis, -1))
        for part, want in zip(mine, [*expected, loss.predict(moved)], strict=True):
            # soft labels: terms of at most 1 cancel in the gradient
            assert_same_sample(part, want, largest=1 if part is mine[1] else 0)
        rel = 1e-6 if dtype == np.float32 else 1e-14
        mean = loss.loss(labels, f, w, axis=axis)
        assert mean == pytest.approx(loss.loss(y, moved, w), rel=rel)


names = st.sampled_from(sorted(LAYOUTS))


@settings(max_examples=300, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    samples=st.lists(st.integers(0, 5), max_size=3).map(tuple) | st.tuples(st.integers(60, 200)),
    n_classes=st.sampled_from([1, 2, 3, 4, 5, 8, 9, 17, 40]),
    axis=st.integers(0, 3),
    operation=st.sampled_from(OPERATIONS),
    label_dtype=st.sampled_from([*INTEGERS, "e", "f", "d", "soft d", "soft f", "soft e"]),
    weight_dtype=st.sampled_from([None, "?", "B", "q", "e", "f", "d"]),
    layouts=st.tuples(names, names, names),
    outs=st.tuples(*[names | st.none()] * 3),
    params=st.sampled_from(
        [{}, {"label_smoothing": 0.25}, {"class_weight": True}, {"ignore_index": 0}]
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_result(
    dtype,
    samples,
    n_classes,
    axis,
    operation,
    label_dtype,
    weight_dtype,
    layouts,
    outs,
    params,
    seed,
):
    rng = np.random.default_rng(seed)
    axis = min(axis, len(samples))
    f = (rng.normal(size=(*samples, n_classes)) * 3).astype(dtype)
    soft = label_dtype.startswith("soft")
    kind = label_dtype[-1]
    if soft:
        y = rng.integers(0, 3, f.shape) / 4
        params = {key: value for key, value in params.items() if key != "ignore_index"}
    else:
        y = rng.integers(0, n_classes, samples)
    if params.get("class_weight"):
        params = {"class_weight": rng.random(n_classes) + 0.1}
    w = None if weight_dtype is None else rng.integers(0, 2, samples).astype(float)
    loss = fl.CrossEntropy(**params)
    method = getattr(loss, operation)
    expected = tuple_of(method(y.astype(dtype) if soft else y, f, w, reduction="none"))

    out, has_loss = [], "loss" in operation
    for place in range(len(expected)):
        shape = samples if has_loss and place == 0 else np.moveaxis(f, -1, axis).shape
        layout = outs[place]
        out.append(layout and LAYOUTS[layout](np.full(shape, -77.0, dtype=dtype)))
    labels = y.astype(kind)
    arguments = (
        LAYOUTS[layouts[0]](np.moveaxis(labels, -1, axis) if soft else labels),
        LAYOUTS[layouts[1]](np.moveaxis(f, -1, axis)),
        None if w is None else LAYOUTS[layouts[2]](w.astype(weight_dtype)),
    )
    result = tuple_of(
        method(
            *arguments,
            reduction="none",
            out=tuple(out) if len(out) > 1 else out[0],
            axis=axis,
        )
    )
    for place, (part, want) in enumerate(zip(result, expected, strict=True)):
        if out[place] is not None:
            assert part is out[place]
        if not (has_loss and place == 0):
            part = np.moveaxis(part, axis, -1)
        assert_same_sample(part, want, largest=1)
    if f.size:
        total = method(*arguments, reduction="sum", axis=axis)
        if has_loss:
            exact = expected[0].astype(float).sum()
            assert tuple_of(total)[0] == pytest.approx(exact, rel=1e-6, abs=1e-6)


@both_dtypes
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
def test_in_place(dtype, layout, n_classes):
    y, f, w = data(700, n_classes, dtype)
    loss = fl.CrossEntropy()
    expected = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for place in (1, 2):
        raw, out = LAYOUTS[layout](f.copy()), [None, None, None]
        out[place] = raw
        result = loss.loss_gradient_hessian(y, raw, w, reduction="none", out=tuple(out))
        assert result[place] is raw
        for mine, theirs in zip(result, expected, strict=True):
            assert_same_sample(mine, theirs)
    raw = LAYOUTS[layout](f.copy())
    loss.predict(raw, out=raw)
    assert_same_sample(raw, loss.predict(f))


@pytest.mark.parametrize("shift", [-1, 1, 3, -50, 600])
def test_out_that_overlaps_a_shifted_raw_prediction(shift):
    rng = np.random.default_rng(46)
    memory = rng.normal(size=3000 + 600)
    low, high = (0, shift) if shift > 0 else (-shift, 0)
    raw = memory[low : low + 3000].reshape(1000, 3)
    out = memory[high : high + 3000].reshape(1000, 3)
    y = rng.integers(0, 3, 1000)
    expected = fl.CrossEntropy().gradient(y, raw.copy())
    fl.CrossEntropy().gradient(y, raw, out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("n_classes", [2, 100, 127])
def test_labels_of_any_integer_type(kind, n_classes):
    y, f, _ = data(500, n_classes)
    expected = fl.CrossEntropy().gradient(y, f)
    for labels in (y.astype(kind), y.astype(kind).astype(np.dtype(kind).newbyteorder("S"))):
        np.testing.assert_array_equal(fl.CrossEntropy().gradient(labels, f), expected)


def test_labels_that_are_bools_lists_and_floats():
    f = np.array([[1.0, 2.0], [0.5, 0.0]])
    expected = fl.CrossEntropy().loss(np.array([1, 0]), f)
    assert fl.CrossEntropy().loss(np.array([True, False]), f) == expected
    assert fl.CrossEntropy().loss([1, 0], f.tolist()) == expected
    assert fl.CrossEntropy().loss([1.0, 0.0], f) == expected


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 16, 33, 1000])
@pytest.mark.parametrize("axis", [0, -1])
def test_threads_change_no_bit(dtype, n_classes, axis):
    y, f, w = data(500_000 // n_classes, n_classes, dtype)
    y[::11] = -1
    f = np.ascontiguousarray(np.moveaxis(f, -1, axis))
    loss = fl.CrossEntropy(ignore_index=-1, label_smoothing=0.1)
    for operation in ("loss", "loss_gradient_hessian"):
        results = set()
        for threads in (1, 2, 3, 7):
            parts = tuple_of(getattr(loss, operation)(y, f, w, n_threads=threads, axis=axis))
            results.add(b"".join(np.asarray(part).tobytes() for part in parts))
        assert len(results) == 1
    results = {loss.predict(f, n_threads=t, axis=axis).tobytes() for t in (1, 2, 3, 7)}
    assert len(results) == 1


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 5, 10, 17, 130])
def test_a_sample_does_not_depend_on_its_place(dtype, n_classes):
    y, f, _ = data(150, n_classes, dtype)
    whole = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for start, stop in ((0, 1), (1, 2), (3, 20), (17, 81), (149, 150), (1, 150)):
        part = fl.CrossEntropy().loss_gradient_hessian(
            y[start:stop], f[start:stop], reduction="none"
        )
        for a, b in zip(part, whole, strict=True):
            assert_same_sample(a, b[start:stop])


# ---------------------------------------------------------------- NaN and infinity


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_stay_in_their_sample(dtype, n_classes, bad):
    y, f, _ = data(150, n_classes, dtype)
    clean = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for index in (0, 63, 149):
        spoilt = f.copy()
        spoilt[index, n_classes - 1] = bad
        dirty = fl.CrossEntropy().loss_gradient_hessian(y, spoilt, reduction="none")
        keep = np.arange(150) != index
        for a, b in zip(clean, dirty, strict=True):
            assert_same_sample(a[keep], b[keep])
        if np.isnan(bad):
            assert np.isnan(dirty[0][index])
            assert np.isnan(dirty[1][index]).all()
            assert np.isnan(fl.CrossEntropy().loss(y, spoilt))
            assert np.isnan(fl.CrossEntropy().predict(spoilt)[index]).all()


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
def test_a_logit_of_minus_infinity_is_a_probability_of_0(dtype, n_classes):
    f = np.zeros((2, n_classes), dtype=dtype)
    f[:, -1] = -np.inf
    value, gradient, hessian = fl.CrossEntropy().loss_gradient_hessian(
        [0, n_classes - 1], f, reduction="none"
    )
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(value, [np.log(n_classes - 1), np.inf], rtol=2 * eps, atol=0)
    assert (gradient[:, -1] == [0, -1]).all()
    assert (hessian[:, -1] == 0).all()
    assert np.isfinite(gradient).all()
    p = fl.CrossEntropy().predict(f)
    assert (p[:, -1] == 0).all()
    np.testing.assert_allclose(p[:, :-1], 1 / (n_classes - 1), rtol=2 * eps)


@both_dtypes
def test_soft_labels_of_0_drop_an_infinite_term(dtype):
    f = np.array([[0.0, -np.inf, 0.0]], dtype=dtype)
    value, gradient = fl.CrossEntropy().loss_gradient(np.array([[0.5, 0.0, 0.5]]), f)
    assert value == pytest.approx(np.log(2), rel=1e-6)
    assert gradient[0, 1] == 0


# ---------------------------------------------------------------- predict and the start


@pytest.mark.parametrize("n_classes", CLASSES)
def test_probabilities_sum_to_one(n_classes):
    _, f, _ = data(50, n_classes)
    p = fl.CrossEntropy().predict(f)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-13)
    assert (p.argmax(axis=1) == f.argmax(axis=1)).all()


def test_initial_prediction_minimises():
    rng = np.random.default_rng(47)
    for n_classes in (2, 3, 10):
        y, w = rng.integers(0, n_classes, 500), rng.random(500)
        y[:n_classes] = np.arange(n_classes)
        for params in (
            {},
            {"label_smoothing": 0.1},
            {"class_weight": np.linspace(1, 3, n_classes)},
            {"ignore_index": 1},
        ):
            loss = fl.CrossEntropy(**params)
            start = loss.initial_prediction(y, w, n_classes=n_classes)
            assert start.shape == (n_classes,)
            assert abs(start.mean()) < 1e-13
            gradient = loss.gradient(y, np.broadcast_to(start, (500, n_classes)), w)
            if params.get("ignore_index") is None:
                np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-13)
        soft = rng.random((500, n_classes))
        start = fl.CrossEntropy().initial_prediction(soft, w)
        gradient = fl.CrossEntropy().gradient(soft, np.broadcast_to(start, soft.shape), w)
        np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-13)


def test_initial_prediction_of_a_class_that_does_not_occur_is_finite():
    start = fl.CrossEntropy().initial_prediction([0, 0, 2], n_classes=4)
    assert np.isfinite(start).all()
    assert start[0] > start[2] > start[1] == start[3]
    assert fl.CrossEntropy().initial_prediction([0, 2]).shape == (3,)
    np.testing.assert_array_equal(fl.CrossEntropy().initial_prediction([0, 0]), [0.0])


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"label_smoothing": 0.25},
        {"class_weight": [1.0, 2.0]},
        {"class_weight": np.array([0.5, 0.0]), "ignore_index": -100, "label_smoothing": 1.0},
        {"ignore_index": np.int16(3)},
    ],
)
def test_values(params):
    loss, again = fl.CrossEntropy(**params), fl.CrossEntropy(**params)
    assert loss == again
    assert hash(loss) == hash(again)
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert fl.get_loss("cross_entropy", **params) == loss
    for other in (pickle.loads(pickle.dumps(loss)), copy.copy(loss), copy.deepcopy(loss)):
        assert other == loss
        f = np.array([[1.0, 0.0]])
        assert other.loss([0], f) == loss.loss([0], f)
    assert loss.label_smoothing == params.get("label_smoothing", 0.0)
    assert loss.ignore_index == params.get("ignore_index")
    if "class_weight" in params:
        assert loss != fl.CrossEntropy()
        params["class_weight"][0] = 77.0
        assert loss.class_weight[0] != 77.0
        assert loss == again


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"label_smoothing": -0.1},
            ValueError,
            "label_smoothing = -0.1: expected a number in [0, 1]",
        ),
        ({"label_smoothing": "x"}, TypeError, "label_smoothing = 'x': expected a number"),
        (
            {"label_smoothing": np.nan},
            ValueError,
            "label_smoothing = nan: expected a finite number",
        ),
        ({"ignore_index": 1.0}, TypeError, "ignore_index = 1.0: expected an integer or None"),
        ({"ignore_index": True}, TypeError, "ignore_index = True: expected an integer or None"),
        (
            {"ignore_index": 2**63},
            ValueError,
            f"ignore_index = {2**63}: expected an integer of 64 bits",
        ),
        ({"class_weight": []}, ValueError, "class_weight has shape (0,): expected (n_classes,)"),
        ({"class_weight": 1.0}, ValueError, "class_weight has shape (): expected (n_classes,)"),
        (
            {"class_weight": [[1.0]]},
            ValueError,
            "class_weight has shape (1, 1): expected (n_classes,)",
        ),
        (
            {"class_weight": [1.0, -2.0]},
            ValueError,
            "class_weight[1] = -2.0: expected a finite number of at least 0",
        ),
        (
            {"class_weight": [np.nan]},
            ValueError,
            "class_weight[0] = nan: expected a finite number of at least 0",
        ),
    ],
)
def test_wrong_parameters(params, error, message):
    with raises(error, message):
        fl.CrossEntropy(**params)


@pytest.mark.parametrize("bad", [["a", "b"], "ab", {"a": 1}, [[1.0], [1.0, 2.0]], [1j], [None]])
def test_a_class_weight_that_is_no_array_of_numbers_is_named(bad):
    with pytest.raises((TypeError, ValueError), match=r"^class_weight\b"):
        fl.CrossEntropy(class_weight=bad)


@pytest.mark.parametrize("method", [*OPERATIONS, "partial"])
@pytest.mark.parametrize("value", [-1, 3, 100, -100, 2**62])
def test_invalid_class_label(method, value):
    y, f, _ = data(5000, 3)
    y[[4321, 4400]] = value
    call = getattr(fl.CrossEntropy(), method)
    with raises(ValueError, f"y_true[4321] = {value}: CrossEntropy expects class labels 0 to 2"):
        call(y, f)
    with raises(ValueError, f"y_true[43, 21] = {value}: CrossEntropy expects class labels 0 to 2"):
        call(y.reshape(50, 100), f.reshape(50, 100, 3))
    with raises(
        ValueError,
        f"y_true[4321] = {value}: CrossEntropy expects class labels 0 to 2 or ignore_index -7",
    ):
        getattr(fl.CrossEntropy(ignore_index=-7), method)(y, f)


def test_invalid_labels_of_other_types():
    f = np.zeros((2, 3))
    with raises(ValueError, "y_true[1] = 0.5: CrossEntropy expects class labels 0 to 2"):
        fl.CrossEntropy().loss([0.0, 0.5], f)
    for bad in (np.nan, np.inf):
        with raises(ValueError, f"y_true[1] = {bad}: CrossEntropy expects class labels 0 to 2"):
            fl.CrossEntropy().loss([0.0, bad], f)
    with raises(ValueError, f"y_true[0] = {2**64 - 1}: CrossEntropy expects class labels 0 to 2"):
        fl.CrossEntropy().loss(np.array([2**64 - 1, 0], dtype=np.uint64), f)
    with raises(
        ValueError,
        f"y_true[0] = {2**64 - 1}: CrossEntropy expects class labels 0 to 2 or ignore_index -1",
    ):
        fl.CrossEntropy(ignore_index=-1).loss(np.array([2**64 - 1, 0], dtype=np.uint64), f)


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
def test_invalid_soft_label(value):
    _, f, _ = data(500, 3)
    y = np.full((500, 3), 1 / 3)
    y[321, 1] = value
    message = (
        f"y_true[321, 1] = {value}: CrossEntropy expects soft labels that are finite and not "
        "negative"
    )
    for method in (*OPERATIONS, "partial"):
        with raises(ValueError, message):
            getattr(fl.CrossEntropy(), method)(y, f)
    with raises(ValueError, message):
        fl.CrossEntropy().loss(np.asfortranarray(y), f)


@pytest.mark.parametrize("soft", [False, True])
def test_an_invalid_label_in_place_leaves_raw_prediction_as_it_was(soft):
    y, f, _ = data(500, 3)
    if soft:
        y = np.full((500, 3), 1 / 3)
    y[(499, 2) if soft else 499] = -5
    before = f.copy()
    with pytest.raises(ValueError, match=r"^y_true\[499"):
        fl.CrossEntropy().gradient(y, f, out=f)
    np.testing.assert_array_equal(f, before)


def test_shapes():
    loss, f = fl.CrossEntropy(), np.zeros((4, 3))
    expected = (
        "expected integer labels of raw_prediction's shape without the class axis, or "
        "probabilities of raw_prediction's shape"
    )
    for bad in (np.zeros(3, int), np.zeros((4, 1), int), np.zeros((4, 2)), np.zeros((3, 4))):
        with raises(
            ValueError,
            f"y_true has shape {bad.shape}, raw_prediction has shape (4, 3) with its class axis 1: "
            f"{expected}",
        ):
            loss.loss(bad, f)
    with raises(
        ValueError,
        "sample_weight has shape (3,): expected (4,), raw_prediction's without the class axis",
    ):
        loss.loss([0, 1, 2, 0], f, np.ones(3))
    with raises(ValueError, "raw_prediction has no axis: expected a class axis at least"):
        loss.loss(0, 1.0)
    with raises(
        ValueError,
        "raw_prediction has shape (4, 0): expected at least one class along axis -1",
    ):
        loss.loss([0] * 4, np.zeros((4, 0)))
    with raises(
        ValueError,
        "class_weight has 2 entries, raw_prediction has 3 classes: they must be equal",
    ):
        fl.CrossEntropy(class_weight=[1, 2]).loss([0] * 4, f)
    with raises(
        ValueError,
        "ignore_index = 1: needs class labels, y_true has the shape of soft labels",
    ):
        fl.CrossEntropy(ignore_index=1).loss(f, f)


def test_axis():
    f = np.zeros((4, 3))
    for call in (
        lambda axis: fl.CrossEntropy().loss([0] * 4, f, axis=axis),
        lambda axis: fl.CrossEntropy().predict(f, axis=axis),
    ):
        for bad in (2, -3):
            with raises(
                ValueError,
                f"axis = {bad}: raw_prediction has 2 axes, expected one of -2 to 1",
            ):
                call(bad)
        for bad in (1.0, None, True, (1,)):
            with raises(TypeError, f"axis = {bad!r}: expected an integer"):
                call(bad)


def test_dtypes():
    f = np.zeros((4, 3))
    y = np.zeros(4, dtype=int)
    for bad in ("i8", "f2", "O", "c16"):
        with raises(
            TypeError, f"raw_prediction has dtype {np.dtype(bad)}: expected float32 or float64"
        ):
            fl.CrossEntropy().loss(y, f.astype(bad))
    kinds = "expected bool, an integer type, float16, float32 or float64"
    for bad in ("c16", "U1", "O", "M8[s]"):
        wrong = np.zeros(4, dtype=bad)
        with raises(TypeError, f"y_true has dtype {wrong.dtype}: {kinds}"):
            fl.CrossEntropy().loss(wrong, f)
        with raises(TypeError, f"sample_weight has dtype {wrong.dtype}: {kinds}"):
            fl.CrossEntropy().loss(y, f, wrong)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_invalid_weight(value):
    y, f, w = data(500, 3)
    w[321] = value
    with raises(
        ValueError, f"sample_weight[321] = {value}: weights must be finite and not negative"
    ):
        fl.CrossEntropy().gradient(y, f, w)


def test_out():
    y, f, w = data(50, 3)
    before = f.copy()
    loss, separate = fl.CrossEntropy(), "in memory: expected separate arrays"
    with raises(
        ValueError, "out (gradient) has shape (50,): expected (50, 3), that of raw_prediction"
    ):
        loss.gradient(y, f, out=np.zeros(50))
    with raises(ValueError, "out (loss) has shape (50, 3): expected (50,), that of the samples"):
        loss.loss(y, f, reduction="none", out=np.zeros((50, 3)))
    with raises(TypeError, "out (loss) has dtype float32: expected float64, that of the samples"):
        loss.loss(y, f, reduction="none", out=np.zeros(50, dtype=np.float32))
    with raises(ValueError, f"out (gradient) overlaps y_true {separate}"):
        loss.gradient(f, f.copy(), out=f)
    with raises(ValueError, f"out (loss) overlaps sample_weight {separate}"):
        loss.loss(y, f, w, reduction="none", out=w)
    with raises(ValueError, f"out (loss) overlaps raw_prediction {separate}"):
        loss.loss(y, f, reduction="none", out=f[:, 0])
    with raises(ValueError, f"out (hessian) overlaps out (gradient) {separate}"):
        loss.gradient_hessian(y, f, out=(f, f))
    read_only = np.zeros((50, 3))
    read_only.flags.writeable = False
    with raises(ValueError, "out (gradient) is read-only: expected a writeable array"):
        loss.gradient(y, f, out=read_only)
    with raises(ValueError, "out is read-only: expected a writeable array"):
        loss.predict(f, out=read_only)
    np.testing.assert_array_equal(f, before)


def test_the_base_class_is_no_loss_and_init_is_needed():
    base = fl.CrossEntropy.__base__
    with pytest.raises(TypeError):
        base().loss([0], [[1.0, 2.0]])
    loss = fl.CrossEntropy.__new__(fl.CrossEntropy)
    for method in OPERATIONS:
        with raises(TypeError, "CrossEntropy: __init__ of the base class was not called"):
            getattr(loss, method)([0], [[1.0, 2.0]])
    assert isinstance(repr(loss), str)
    assert isinstance(hash(loss), int)


def test_wrong_starts():
    loss = fl.CrossEntropy()
    for bad in ([], np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"^y_true"):
            loss.initial_prediction(bad)
    with pytest.raises(ValueError, match=r"^y_true or sample_weight|^sample_weight"):
        loss.initial_prediction([0, 1], [0, 0])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = -1: CrossEntropy expects"):
        loss.initial_prediction([0, -1])
    with pytest.raises((TypeError, ValueError), match=r"^y_true"):
        loss.initial_prediction(["a", "b"])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = 0.5"):
        loss.initial_prediction([0.0, 0.5])
    with pytest.raises(ValueError, match=r"^y_true\[1\] = nan"):
        loss.initial_prediction([0.0, np.nan])


# ---------------------------------------------------------------- peers


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_sklearn(dtype, n_classes, weighted):
    sklearn_loss = pytest.importorskip("sklearn._loss.loss")
    y, f, w = data(1000, n_classes, dtype)
    w = w if weighted else None
    theirs = sklearn_loss.HalfMultinomialLoss(n_classes=n_classes)
    labels = y.astype(dtype)
    value, gradient = theirs.loss_gradient(labels, f, w)
    _, hessian = theirs.gradient_hessian(labels, f, w)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    results = fl.CrossEntropy().loss_gradient_hessian(y, f, w, reduction="none")
    for mine, other in zip(results, (value, gradient, hessian), strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)
    assert fl.CrossEntropy()(y, f, w) == pytest.approx(theirs(labels, f, w), rel=tolerance)
    np.testing.assert_allclose(
        fl.CrossEntropy().predict(f), theirs.predict_proba(f), rtol=tolerance
    )
    start = fl.CrossEntropy().initial_prediction(y, w)
    theirs_start = theirs.fit_intercept_only(labels, w)
    np.testing.assert_allclose(
        start - start.mean(), theirs_start - theirs_start.mean(), rtol=tolerance, atol=tolerance
    )


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_weight": True},
        {"label_smoothing": 0.15},
        {"class_weight": True, "label_smoothing": 0.15},
        {"ignore_index": 0},
        {"ignore_index": -100, "class_weight": True, "label_smoothing": 0.15},
        {"soft": True},
        {"soft": True, "class_weight": True, "label_smoothing": 0.15},
    ],
    ids=str,
)
def test_torch(dtype, n_classes, reduction, options):
    torch = pytest.importorskip("torch")
    y, f, _ = data(211, n_classes, dtype)
    options = dict(options)
    soft = options.pop("soft", False)
    if options.get("class_weight"):
        options["class_weight"] = np.linspace(0.5, 2, n_classes)
    if options.get("ignore_index") == -100:
        y[::3] = -100
    if options.get("ignore_index") == 0 and n_classes == 1:
        pytest.skip("all would be ignored")
    if soft:
        y = np.random.default_rng(2).dirichlet(np.ones(n_classes), 211).astype(dtype)
    raw = torch.tensor(f, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        raw,
        torch.tensor(y),
        weight=None
        if options.get("class_weight") is None
        else torch.tensor(options["class_weight"], dtype=raw.dtype),
        label_smoothing=options.get("label_smoothing", 0.0),
        ignore_index=options.get("ignore_index", -100),
        reduction=reduction,
    )
    theirs.sum().backward()
    value, gradient = fl.CrossEntropy(**options).loss_gradient(y, f, reduction=reduction)
    tolerance = 1e-12 if dtype == np.float64 else 3e-5
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_torch_images():
    """(N, C, H, W), the class axis 1."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(48)
    f, y = rng.normal(size=(3, 5, 17, 23)), rng.integers(0, 5, (3, 17, 23))
    y[0, 0] = 255
    raw = torch.tensor(f, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(raw, torch.tensor(y), ignore_index=255)
    theirs.backward()
    value, gradient = fl.CrossEntropy(ignore_index=255).loss_gradient(y, f, axis=1)
    assert value == pytest.approx(theirs.item(), rel=1e-14)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=1e-11, atol=1e-16)
