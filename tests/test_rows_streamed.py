"""Row losses whose results do not fit the cache, and are stored past it: the same bits."""

import numpy as np
import pytest

import fastloss as fl

#: Outputs of this many bytes are stored past the cache; a few more.
BYTES = 8_400_000


def unaligned(shape, dtype, offset):
    """An array filled with -1 that begins `offset` elements after a line."""
    buffer = np.full(np.prod(shape) + 64, -1, dtype)
    start = -(buffer.ctypes.data // buffer.itemsize) % (64 // buffer.itemsize) + offset
    return buffer, buffer[start : start + np.prod(shape)].reshape(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["crammer_singer", "nll", "multiclass_hinge"])
@pytest.mark.parametrize(("n_classes", "offset"), [(4, 0), (5, 3), (10, 1), (17, 7)])
def test_the_same_bits(name, n_classes, offset, dtype):
    n = BYTES // (n_classes * np.dtype(dtype).itemsize) + 1
    rng = np.random.default_rng([n_classes, offset])
    f = rng.normal(size=(n, n_classes)).astype(dtype)
    y, w = rng.integers(0, n_classes, n), rng.random(n).astype(dtype)
    loss = fl.get_loss(name)
    buffers, out = zip(*(unaligned(f.shape, dtype, offset) for _ in range(2)), strict=True)
    value, *_ = loss.loss_gradient_hessian(y, f, w, reduction="none", out=(None, *out))
    for start in (0, 4096, n - 5000):  # pieces that stay in the cache
        part = slice(start, start + 5000)
        want = loss.loss_gradient_hessian(y[part], f[part], w[part], reduction="none")
        for got, expected in zip((value, *out), want, strict=True):
            np.testing.assert_array_equal(got[part], expected)
    for buffer, array in zip(buffers, out, strict=True):
        start = (array.ctypes.data - buffer.ctypes.data) // buffer.itemsize
        assert (buffer[:start] == -1).all()
        assert (buffer[start + array.size :] == -1).all()
    same = f.copy()
    loss.gradient(y, same, w, reduction="none", out=same)
    np.testing.assert_array_equal(same, out[0])
