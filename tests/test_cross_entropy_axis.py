"""Softmax cross-entropy of images: the class axis before the axes of the samples."""

import numpy as np
import pytest

import fastloss as fl

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ULPS = 6  # two results, each within 3 of the exact one


def images(n_classes, side, dtype, n_bytes):
    """Logits (N, C, H, W) of about n_bytes, some of them far, infinite or NaN, and labels."""
    rng = np.random.default_rng([52, n_classes, side])
    n = max(1, n_bytes // (n_classes * side * side * np.dtype(dtype).itemsize))
    f = (rng.normal(size=(n, n_classes, side, side)) * 3).astype(dtype)
    y = rng.integers(0, n_classes, (n, side, side))
    far = rng.random(y.shape) < 1e-4
    f += np.where(far, 2.0**13, 0.0).astype(dtype)[:, None]
    f[0, 0, 0, 0] = np.nan
    f[-1, -1, -1, -1] = -np.inf
    y[rng.random(y.shape) < 0.05] = -100
    return f, y


@both_dtypes
@pytest.mark.parametrize("side", [128, 61])
@pytest.mark.parametrize("n_classes", [2, 3, 8, 9, 10, 21, 130, 1100])
@pytest.mark.parametrize("megabytes", [1, 9])
def test_images_are_their_samples(dtype, n_classes, side, megabytes):
    """In cache and past it, at any alignment and by any number of threads; nothing else is written."""
    f, y = images(n_classes, side, dtype, megabytes << 20)
    loss = fl.CrossEntropy(ignore_index=-100)
    last = np.ascontiguousarray(np.moveaxis(f, 1, -1))
    expected_value, expected = loss.loss_gradient(y, last, reduction="none")
    expected = np.moveaxis(expected, -1, 1)
    room = np.full(f.size + 64, 7, dtype)
    aligned = -room.ctypes.data % 64 // room.itemsize
    results = []
    for offset, threads in ((aligned, 1), (aligned + 3, 2), (aligned, 3)):
        out = room[offset : offset + f.size].reshape(f.shape)
        value, _ = loss.loss_gradient(
            y, f, axis=1, reduction="none", out=(None, out), n_threads=threads
        )
        assert (room[:offset] == 7).all()
        assert (room[offset + f.size :] == 7).all()
        results.append((value.tobytes(), out.tobytes()))
        room[:] = 7
    assert results[0] == results[1] == results[2]
    gradient = np.frombuffer(results[0][1], dtype).reshape(f.shape)
    for mine, other in ((value, expected_value), (gradient, expected)):
        np.testing.assert_array_equal(np.isfinite(mine), np.isfinite(other))
        usual = np.isfinite(other)
        tiny = np.finfo(dtype).tiny
        gap = np.abs(mine[usual] - other[usual])
        assert (gap <= ULPS * np.spacing(np.maximum(np.abs(other[usual]), tiny))).all()
    assert (np.moveaxis(gradient, 1, -1)[y == -100] == 0).all()


@both_dtypes
@pytest.mark.parametrize("n_classes", [3, 10, 21])
def test_images_in_place(dtype, n_classes):
    f, y = images(n_classes, 128, dtype, 9 << 20)
    loss = fl.CrossEntropy(ignore_index=-100)
    value, expected = loss.loss_gradient(y, f, axis=1, reduction="sum")
    again, gradient = loss.loss_gradient(y, f, axis=1, reduction="sum", out=(None, f))
    assert gradient is f
    np.testing.assert_array_equal(gradient, expected)
    np.testing.assert_array_equal(again, value)
