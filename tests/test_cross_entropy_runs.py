"""Softmax cross-entropy where the samples of a class lie side by side, as in images of (N, C, H, W)."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

# As many bytes are stored past the cache.
STREAMED = 8_400_000
RELATED = {
    "plain": fl.CrossEntropy(ignore_index=-100),
    "weighted": fl.CrossEntropy(ignore_index=-100, class_weight=np.linspace(0.5, 2.0, 19)),
    "smoothed": fl.CrossEntropy(ignore_index=-100, label_smoothing=0.1),
    "focal": fl.MulticlassFocal(),
    "adjusted": fl.CrossEntropy(
        ignore_index=-100, z_loss=0.125, logit_adjustment=-np.arange(19) / 8
    ),
}


def planes(n_images, n_classes, n_pixels, dtype, rare):
    """Logits (N, C, P) and labels (N, P), some of which are ignored; `rare` spoils some samples."""
    rng = np.random.default_rng([61, n_classes, n_pixels])
    f = (rng.standard_normal((n_images, n_classes, n_pixels), np.float32) * 3).astype(dtype)
    y = rng.integers(0, n_classes, (n_images, n_pixels))
    if rare:
        at = rng.random(y.shape) < 0.002
        for start, change in ((0, 2.0**13), (1, np.nan), (2, -700.0)):
            image, pixel = np.nonzero(at)
            image, pixel = image[start::3], pixel[start::3]
            f[image, y[image, pixel], pixel] += dtype(change)
    y[rng.random(y.shape) < 0.1] = -100
    return f, y


def last(a):
    return np.ascontiguousarray(np.moveaxis(a, 1, -1))


def assert_close(mine, expected, least=0.0):
    """Within a few units in the last place, of `least` where that is larger; or NaN together."""
    assert (np.isnan(mine) == np.isnan(expected)).all()
    usual = ~np.isnan(expected)
    scale = np.maximum(
        np.abs(expected[usual]), max(mine.dtype.type(least), np.finfo(mine.dtype).tiny)
    )
    gap = np.abs(mine[usual] - expected[usual])
    assert (gap <= 8 * np.spacing(scale)).all(), gap.max()


def framed(a, before, between):
    """A copy of `a` with `before` elements, and `between` after each plane; and all its memory."""
    *outer, n = a.shape
    room = np.full(np.prod(outer) * (n + between) + before, 7, a.dtype)
    view = room[before:].reshape(*outer, n + between)[..., :n]
    view[...] = a
    return view, room


@both_dtypes
@pytest.mark.parametrize("rare", [False, True])
@pytest.mark.parametrize("n_classes", [3, 19, 49, 129])
def test_many_images(dtype, n_classes, rare):
    """Gradients that are stored past the cache, at any alignment, in place and by several threads."""
    n_images = STREAMED // (n_classes * 1221 * np.dtype(dtype).itemsize) + 1
    f, y = planes(n_images, n_classes, 1221, dtype, rare)
    loss = fl.CrossEntropy(ignore_index=-100)
    results = set()
    for before, between, threads in ((0, 3, 1), (5, 0, 2), (16, 16, 3)):
        out, room = framed(np.zeros_like(f), before, between)
        value, _ = loss.loss_gradient(
            y, f, axis=1, reduction="sum", out=(None, out), n_threads=threads
        )
        results.add((np.float64(value).tobytes(), out.tobytes()))
        out[...] = 7
        assert (room == 7).all()
    assert len(results) == 1
    gradient = np.frombuffer(results.pop()[1], dtype).reshape(f.shape)
    assert_close(last(gradient), loss.gradient(y, last(f), reduction="sum"))
    assert (last(gradient)[y == -100] == 0).all()
    same, room = framed(f, 3, 1)
    loss.gradient(y, same, axis=1, reduction="sum", out=same)
    assert same.tobytes() == gradient.tobytes()
    same[...] = 7
    assert (room == 7).all()
    if not rare and n_classes <= 48:  # more are rows, where they do not fill a vector
        few = loss.gradient(y[1:3], f[1:3], axis=1, reduction="sum")
        assert few.tobytes() == gradient[1:3].tobytes()


@both_dtypes
@pytest.mark.parametrize("name", list(RELATED))
@pytest.mark.parametrize("n_pixels", [1, 15, 16, 17, 63, 64, 65, 127, 128, 200, 1300])
def test_runs_of_any_length(dtype, name, n_pixels):
    f, y = planes(2, 19, n_pixels, dtype, rare=False)
    if name == "focal":  # ignores none
        y = abs(y) % 19
    w = np.random.default_rng(n_pixels).random(y.shape).astype(dtype)
    loss = RELATED[name]
    expected = loss.loss_gradient_hessian(y, last(f), w, reduction="none")
    got = loss.loss_gradient_hessian(y, f, w, axis=1, reduction="none")
    pair = loss.loss_gradient(y, f, w, axis=1, reduction="none")
    assert_close(got[0], expected[0])
    assert_close(last(got[1]), expected[1])
    assert_close(last(got[2]), expected[2])
    assert_close(pair[0], expected[0])
    assert_close(last(pair[1]), expected[1])
    assert_close(loss.loss(y, f, w, axis=1, reduction="none"), expected[0])


@both_dtypes
@pytest.mark.parametrize("name", ["plain", "smoothed", "focal"])
def test_rare_samples_among_usual_ones(dtype, name):
    f, y = planes(3, 19, 2000, dtype, rare=True)
    if name == "focal":
        y = abs(y) % 19
    loss = RELATED[name]
    value, gradient = loss.loss_gradient(y, f, axis=1, reduction="none")
    expected = loss.loss_gradient(y, last(f), reduction="none")
    least = 1.0 if name == "smoothed" else 0.0  # of two terms that cancel
    assert_close(value, expected[0], least)
    assert_close(last(gradient), expected[1], least)
