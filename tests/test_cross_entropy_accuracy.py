"""Softmax cross-entropy against mpmath: every number of classes, every switch."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.cross_entropy import BOUND, CLASSES, HESSIAN_BOUND
from helpers.exact import KEPT_BITS, remembered
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION
from references.multiclass import cross_entropy, softmax

import fastloss as fl


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


def exact_samples(targets, f, params):
    with mp.workprec(PRECISION[f.dtype.name]):
        return [
            cross_entropy(row, int(target) if targets.ndim == 1 else target, **params)
            for row, target in zip(f, targets, strict=True)
        ]


def assert_accurate(loss, targets, f, cancels, params):
    """Every number within its bound; of its largest term where the terms of a gradient cancel."""
    dtype = f.dtype.type
    value, gradient, hessian = loss.loss_gradient_hessian(targets, f, reduction="none")
    results = remembered(
        lambda: exact_samples(targets, f, params),
        "cross_entropy", sorted(params.items()), f.dtype.name, f.shape, targets, f,
    )  # fmt: skip
    with mp.workprec(KEPT_BITS):
        for i, exact in enumerate(results):
            where = f"at {f[i]!r}, {targets[i]!r}"
            error = error_in_ulp(value[i], exact[0], dtype)
            assert error <= BOUND, f"loss: {error:.2f} ULP {where}"
            for k in range(f.shape[1]):
                term = exact[3][k] if cancels else None
                error = error_in_ulp(gradient[i, k], exact[1][k], dtype, term)
                assert error <= BOUND, f"gradient[{k}]: {error:.2f} ULP {where}"
                error = error_in_ulp(hessian[i, k], exact[2][k], dtype)
                assert error <= HESSIAN_BOUND, f"hessian[{k}]: {error:.2f} ULP {where}"


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
