"""Two and three outputs a sample: contiguous rows, whole tiles and part of one, in cache and past."""

import numpy as np
import pytest
from helpers.calls import OPERATIONS, both_dtypes, tuple_of

import fastloss as fl

LOSSES = {
    "gaussian_nll": (fl.GaussianNLL(), 2),
    "gaussian_crps": (fl.GaussianCRPS(), 2),
    "two quantiles": (fl.MultiPinball((0.25, 0.75)), 2),
    "three quantiles": (fl.MultiPinball((0.1, 0.5, 0.9)), 3),
}


def data(n, n_outputs, dtype):
    rng = np.random.default_rng(n)
    y, f = rng.normal(size=n).astype(dtype), rng.normal(size=(n, n_outputs)).astype(dtype)
    return y, f, rng.uniform(0.5, 2, n).astype(dtype)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("n", [1, 7, 16, 100])
def test_the_bits_of_rows_that_lie_apart(name, n, dtype):
    loss, n_outputs = LOSSES[name]
    y, f, w = data(n, n_outputs, dtype)
    apart = np.zeros((n, n_outputs + 2), dtype)[:, 1 : n_outputs + 1]
    apart[...] = f
    for operation in OPERATIONS:
        for weights in (None, w):
            for reduction in ("none", "sum"):
                got = getattr(loss, operation)(y, f, weights, reduction=reduction)
                want = getattr(loss, operation)(y, apart, weights, reduction=reduction)
                for part, whole in zip(tuple_of(got), tuple_of(want), strict=True):
                    np.testing.assert_array_equal(part, whole)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
def test_past_the_cache_as_in_it(name, dtype):
    loss, n_outputs = LOSSES[name]
    n = 9 * 2**20 // (n_outputs * np.dtype(dtype).itemsize) + 5
    y, f, w = data(n, n_outputs, dtype)
    room = np.full((n + 8) * n_outputs, np.nan, dtype)
    few = slice(n - 1000, n)
    for offset in (0, 1, 5):
        gradient = room[offset : offset + n * n_outputs].reshape(n, n_outputs)
        value, _ = loss.loss_gradient(y, f, w, reduction="sum", out=(None, gradient), n_threads=2)
        assert np.isnan(room[offset + n * n_outputs :]).all()
        np.testing.assert_array_equal(
            gradient[few], loss.gradient(y[few], f[few], w[few], reduction="sum")
        )
        again = loss.loss_gradient(y, f, w, reduction="sum", n_threads=1)
        assert again[0] == value
        np.testing.assert_array_equal(again[1], gradient)
        here = f.copy()
        loss.gradient(y, here, w, reduction="sum", out=here)
        np.testing.assert_array_equal(here, gradient)
        room.fill(np.nan)


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
def test_a_label_that_is_no_number_is_named(name, dtype):
    loss, n_outputs = LOSSES[name]
    y, f, _ = data(100, n_outputs, dtype)
    for at, wrong in ((0, np.nan), (50, np.inf), (99, -np.inf)):
        labels = y.copy()
        labels[at] = wrong
        with pytest.raises(ValueError, match=rf"y_true\[{at}\]"):
            loss.loss_gradient(labels, f)
