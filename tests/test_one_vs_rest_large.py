"""One-vs-rest over arrays that do not fit the cache: labels made on the way, stores past it."""

import numpy as np
import pytest

import fastloss as fl

N, C = 150_001, 7  # more than 8 MiB in float64


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    room = np.empty(N * C + 8)
    y = rng.integers(0, C, N)
    return y, rng.normal(size=(N, C)) * 3, room


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_the_bits_of_the_binary_loss(data, offset):
    y, f, room = data
    gradient = room[offset : offset + N * C].reshape(N, C)
    loss, _ = fl.OneVsRest().loss_gradient(y, f, reduction="sum", out=(None, gradient), n_threads=2)
    expected = fl.LogLoss().loss_gradient(
        (y[:, None] == np.arange(C)).astype(float), f, reduction="sum"
    )
    assert loss == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def test_labels_of_any_dtype_and_stride(data):
    y, f, _ = data
    loss = fl.OneVsRest(fl.Hinge())
    expected = loss.loss_gradient(y, f)
    for labels in (y.astype(np.int8), y.astype(">i4"), np.repeat(y, 2)[::2], y.astype(np.uint64)):
        value, gradient = loss.loss_gradient(labels, f, n_threads=1)
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])


@pytest.mark.parametrize(("label", "dtype"), [(C, np.int64), (-1, np.int64), (255, np.uint8)])
def test_a_wrong_class_is_named(data, label, dtype):
    y, f, _ = data
    wrong = y.astype(dtype)
    wrong[N - 3] = label
    expected = rf"y_true\[{N - 3}\] = {label}: OneVsRest expects class labels 0 to {C - 1}"
    for method in ("loss", "loss_gradient", "gradient_hessian"):
        with pytest.raises(ValueError, match=expected):
            getattr(fl.OneVsRest(), method)(wrong, f)
    kept = f.copy()
    with pytest.raises(ValueError, match=expected):
        fl.OneVsRest().gradient(wrong, kept, out=kept)
    np.testing.assert_array_equal(kept, f)
    with pytest.raises(ValueError, match=expected):
        fl.OneVsRest().loss(wrong, f, np.zeros(N))
