"""Rows that follow each other in memory have drivers of their own, which give what others give."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

LOSSES = {
    "multiclass_hinge": fl.MulticlassHinge(),
    "a margin beyond float32": fl.MulticlassHinge(margin=1.1),
    "crammer_singer": fl.CrammerSinger(),
    "sparsemax": fl.Sparsemax(),
    "multilabel_margin": fl.MultilabelMargin(),
    "coral": fl.Coral(),
    "nll": fl.NLL(),
    "kl_divergence": fl.KLDivergence(),
}
#: Outputs of this many bytes are stored past the cache; a few more.
BYTES = 8_400_000


def data(name, n, n_outputs, dtype):
    """Labels and rows; some rows have NaN or an infinity."""
    rng = np.random.default_rng([n, n_outputs])
    f = (rng.normal(size=(n, n_outputs)) * 3).astype(dtype)
    if name == "kl_divergence":
        y = rng.random((n, n_outputs)).astype(dtype)
        y[rng.random(y.shape) < 0.1] = 0
    elif name == "multilabel_margin":
        y = np.argsort(rng.random((n, n_outputs)), axis=1)
        y[np.arange(n_outputs) >= rng.integers(0, n_outputs + 1, n)[:, None]] = -1
    else:
        y = rng.integers(0, n_outputs + (name == "coral"), n)
    return y, f


def apart(f):
    """The same rows with something between them."""
    room = np.zeros((len(f), f.shape[1] + 3), f.dtype)[:, 1 : f.shape[1] + 1]
    room[...] = f
    return room


def compare(loss, y, f, w=None):
    """Losses and gradients have the same bits; sums of terms in another order almost."""
    for operation in ("loss", "gradient", "loss_gradient"):
        for reduction in ("none", "sum"):
            got, want = (
                getattr(loss, operation)(y, rows, w, reduction=reduction) for rows in (f, apart(f))
            )
            if operation != "loss_gradient":
                got, want = (got,), (want,)
            for part, expected in zip(got, want, strict=True):
                if np.ndim(part) == 0:
                    size = np.nansum(np.abs(loss.loss(y, f, w, reduction="none")), dtype=float)
                    np.testing.assert_allclose(part, expected, rtol=0, atol=1e-6 * size)
                else:
                    np.testing.assert_array_equal(part, expected)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("n_outputs", [*range(1, 12), 17, 70])
def test_as_rows_apart(name, n_outputs, dtype):
    for n in (1, 15, 16, 17, 100):
        y, f = data(name, n, n_outputs, dtype)
        w = np.random.default_rng(n).uniform(0.5, 2, n).astype(dtype)
        compare(LOSSES[name], y, f)
        compare(LOSSES[name], y, f, w)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
def test_nan_and_infinities(name, dtype):
    y, f = data(name, 200, 5, dtype)
    rng = np.random.default_rng(3)
    with np.errstate(invalid="ignore"):
        for value in (np.nan, np.inf, -np.inf):
            some = f.copy()
            some[rng.random(f.shape) < 0.02] = value
            for operation in ("loss", "gradient"):
                call = getattr(LOSSES[name], operation)
                np.testing.assert_array_equal(
                    call(y, some, reduction="none"), call(y, apart(some), reduction="none")
                )
            total, gradient = LOSSES[name].loss_gradient(y, some, reduction="sum")
            want, slopes = LOSSES[name].loss_gradient(y, apart(some), reduction="sum")
            np.testing.assert_array_equal(gradient, slopes)
            np.testing.assert_allclose(total, want, rtol=1e-5)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("n_outputs", [3, 10])
def test_past_the_cache_as_in_it(name, n_outputs, dtype):
    loss = LOSSES[name]
    n = BYTES // (n_outputs * np.dtype(dtype).itemsize) + 5
    y, f = data(name, n, n_outputs, dtype)
    room = np.full((n + 8) * n_outputs, np.nan, dtype)
    for offset in (0, 1, 5):
        gradient = room[offset : offset + n * n_outputs].reshape(n, n_outputs)
        value, _ = loss.loss_gradient(y, f, reduction="sum", out=(None, gradient), n_threads=2)
        assert np.isnan(room[:offset]).all()
        assert np.isnan(room[offset + n * n_outputs :]).all()
        for few in (slice(0, 1000), slice(n - 1000, n)):
            np.testing.assert_array_equal(
                gradient[few], loss.loss_gradient(y[few], f[few], reduction="sum")[1]
            )
        again = loss.loss_gradient(y, f, reduction="sum", n_threads=1)
        assert again[0] == value
        np.testing.assert_array_equal(again[1], gradient)
        here = f.copy()
        assert loss.loss_gradient(y, here, reduction="sum", out=(None, here))[0] == value
        np.testing.assert_array_equal(here, gradient)
        room.fill(np.nan)


@both_dtypes
@pytest.mark.parametrize(
    "name", ["multiclass_hinge", "crammer_singer", "sparsemax", "coral", "nll"]
)
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.int8, np.float64])
def test_labels_of_any_type_and_those_that_are_none(name, kind, dtype):
    loss = LOSSES[name]
    y, f = data(name, 1000, 10, dtype)
    want = loss.loss_gradient(y, f)
    got = loss.loss_gradient(y.astype(kind), f)
    assert got[0] == want[0]
    np.testing.assert_array_equal(got[1], want[1])
    for at, wrong in ((0, -1), (500, 11), (999, -7)):
        labels = y.astype(kind)
        labels[at] = wrong
        with pytest.raises(ValueError, match=rf"y_true\[{at}\] = {wrong}"):
            loss.loss_gradient(labels, f)
    if kind == np.int64:
        labels[999] = 2**32 + y[999]
        with pytest.raises(ValueError, match=r"y_true\[999\]"):
            loss.loss_gradient(labels, f)


@both_dtypes
def test_ignored_samples_of_nll(dtype):
    y, f = data("nll", 1000, 10, dtype)
    y[::7] = -100
    weights = np.arange(10.0)
    loss = fl.NLL(ignore_index=-100, class_weight=weights)
    value, gradient = loss.loss_gradient(y, f, reduction="sum")
    want = np.zeros_like(f)
    kept = y >= 0
    want[kept, y[kept]] = -weights[y[kept]]
    np.testing.assert_array_equal(gradient, want)
    assert value == pytest.approx((want * f).sum(dtype=np.float64), rel=1e-6)


@both_dtypes
@pytest.mark.parametrize("name", ["kl_divergence", "multilabel_margin"])
def test_rows_of_targets_that_are_none(name, dtype):
    y, f = data(name, 300, 7, dtype)
    wrong = 9 if name == "multilabel_margin" else -0.5
    for at in (0, 150, 299):
        targets = y.copy()
        targets[at, 0] = wrong
        with pytest.raises(ValueError, match=rf"y_true\[{at}, 0\]"):
            LOSSES[name].loss_gradient(targets, f)
