"""Softmax cross-entropy: rows that take different ways through the kernels, side by side."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

# where logits are far from 0, labels hopelessly wrong, numbers not finite
SPECIAL = {
    "usual": [],
    "far": [(7, lambda f, y: f + 2.0**13)],
    "hopeless": [(5, lambda f, y: np.where(np.arange(f.shape[1]) == y[:, None], f - 700, f))],
    "nan": [(11, lambda f, y: np.where(np.arange(f.shape[1]) == f.shape[1] - 1, np.nan, f))],
}
SPECIAL["all"] = SPECIAL["far"] + SPECIAL["hopeless"] + SPECIAL["nan"]


def rows(n, n_classes, dtype, special, spread):
    """Logits and labels; of the blocks of 40 rows, `spread` a whole one, some rows are special."""
    rng = np.random.default_rng([51, n_classes])
    f = (rng.normal(size=(n, n_classes)) * 3).astype(dtype)
    y = rng.integers(0, n_classes, n)
    sure = rng.random(n) < 0.3
    y[sure] = f[sure].argmax(axis=1)
    for every, change in SPECIAL[special]:
        chosen = np.flatnonzero((np.arange(n) % every == 0) & (np.arange(n) // 400 % spread == 0))
        f[chosen] = change(f[chosen], y[chosen]).astype(dtype)
    y[rng.random(n) < 0.1] = -100
    return f, y


def assert_close(mine, expected):
    assert ((mine == expected) | (np.isnan(mine) & np.isnan(expected)) | np.isfinite(mine)).all()
    usual = np.isfinite(expected)
    assert np.isfinite(mine[usual]).all()
    scale = np.maximum(np.abs(expected[usual]), np.finfo(mine.dtype).tiny)
    gap = np.abs(mine[usual] - expected[usual])
    assert (gap <= 8 * np.spacing(scale)).all(), gap.max()


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 4, 10, 19, 48, 49, 100, 130, 1000])
@pytest.mark.parametrize("special", list(SPECIAL))
def test_rows_past_the_cache_are_those_of_small_arrays(dtype, n_classes, special):
    """Outputs that are streamed, at any alignment, in place and by several threads."""
    n = 8_400_000 // (n_classes * np.dtype(dtype).itemsize) + 37
    f, y = rows(n, n_classes, dtype, special, spread=3)
    loss = fl.CrossEntropy(ignore_index=-100)
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
    gradient = np.frombuffer(results[0][1], dtype).reshape(f.shape)
    own = f.copy()
    loss.gradient(y, own, reduction="sum", out=own, n_threads=1)
    assert own.tobytes() == gradient.tobytes()
    assert (gradient[y == -100] == 0).all()
    for start in (0, 350, 799, n - 60):  # not streamed
        part = slice(start, start + 60)
        assert_close(gradient[part], loss.gradient(y[part], f[part], reduction="sum"))


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 48, 100, 1000])
@pytest.mark.parametrize("special", list(SPECIAL))
def test_a_row_is_as_good_beside_others_as_alone(dtype, n_classes, special):
    f, y = rows(131, n_classes, dtype, special, spread=1)
    loss = fl.CrossEntropy(ignore_index=-100)
    together = loss.loss_gradient_hessian(y, f, reduction="none")
    columns = loss.loss_gradient_hessian(y, np.asfortranarray(f), reduction="none")
    for i in range(0, 131, 5):
        alone = loss.loss_gradient_hessian(y[i : i + 1], f[i : i + 1], reduction="none")
        for result in (together, columns):
            for mine, expected in zip(result, alone, strict=True):
                assert_close(mine[i : i + 1], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_in_place_where_the_exponentials_do_not_fit_the_scratch(dtype):
    """What is rare is redone from the logits, which must then still be there."""
    rng = np.random.default_rng(15)
    f = rng.normal(size=(4000, 64)).astype(dtype)
    y = rng.integers(0, 4000, 64)
    f[17, 9] = np.nan
    want = fl.CrossEntropy().gradient(y, f, reduction="sum", axis=0)
    same = f.copy()
    fl.CrossEntropy().gradient(y, same, reduction="sum", axis=0, out=same)
    keep = np.arange(64) != 9
    np.testing.assert_allclose(same[:, keep], want[:, keep], rtol=1e-5, atol=1e-30)
    assert np.isfinite(same[:, keep]).all()
