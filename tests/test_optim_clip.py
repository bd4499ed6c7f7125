"""Clipping: norms in float64, the same for any layout and threads; what is refused."""

import math

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes, raises
from hypothesis import given, settings
from hypothesis import strategies as st

import fastloss as fl

clip_norm, clip_value = (
    lambda *args, **kwargs: fl.optim.clip_grad_norm(*args, **kwargs),
    lambda *args, **kwargs: fl.optim.clip_grad_value(*args, **kwargs),
)
NORMS = [2.0, 1.0, math.inf, 3.0, 0.5]


def norm_of(grads, p):
    sizes = np.concatenate([np.abs(grad.astype(np.longdouble)).ravel() for grad in grads])
    if math.isinf(p):
        return float(sizes.max(initial=0))
    return float((sizes**p).sum() ** (1 / np.longdouble(p)))


@both_dtypes
@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("n", [0, 1, 7, 33, 4097, 20_000])
def test_the_norm(dtype, p, n):
    rng = np.random.default_rng(n)
    grads = [rng.normal(size=n).astype(dtype), rng.normal(size=(3, 5)).astype(dtype), None]
    kept = [grad.copy() for grad in grads[:2]]
    expected = norm_of(kept, p)
    assert clip_norm(grads, math.inf, p) == pytest.approx(expected, rel=1e-13)
    for grad, copy in zip(grads, kept, strict=False):
        np.testing.assert_array_equal(grad, copy)  # nothing to clip
    norm = clip_norm(grads, 0.5, p)
    assert type(norm) is float
    assert norm == pytest.approx(expected, rel=1e-13)
    factor = dtype(min(1, 0.5 / (norm + 1e-6)))
    for grad, copy in zip(grads, kept, strict=False):
        np.testing.assert_array_equal(grad, copy * factor)


def test_mixed_precisions_and_no_gradients():
    assert clip_norm([np.full(4, 3.0, np.float32), np.full(7, 2.0)], 1.0) == 8.0
    assert clip_norm([], 1.0) == 0.0
    assert clip_norm([None], 1.0) == 0.0
    assert clip_norm(np.zeros(3), 1.0) == 0.0
    assert clip_norm([np.array([1.0, -3.0])], 9.0, "inf") == 3.0
    assert clip_value([], 1.0) is None


def test_small_float32_gradients_do_not_vanish_in_their_squares():
    grad = np.full(100, 1e-30, np.float32)
    assert clip_norm(grad, 1.0) == pytest.approx(1e-29, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple) | st.tuples(st.integers(1000, 10_000)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    p=st.sampled_from(NORMS),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_bits(dtype, shape, layout, p, seed):
    grad = np.asarray(np.random.default_rng(seed).normal(size=shape)).astype(dtype)
    view = LAYOUTS[layout](grad)
    assert clip_norm(view, 0.3, p) == clip_norm(grad, 0.3, p)
    np.testing.assert_array_equal(view, grad)
    clip_value([view], 0.05)
    clip_value([grad], 0.05)
    np.testing.assert_array_equal(view, grad)


@both_dtypes
@pytest.mark.parametrize("p", NORMS)
def test_threads_change_no_bit(dtype, p):
    rng = np.random.default_rng(51)
    grads = [rng.normal(size=n).astype(dtype) for n in (50_000, 3, 270_001)]
    results = set()
    for threads in (1, 2, 3, 7):
        copies = [grad.copy() for grad in grads]
        norm = clip_norm(copies, 1.0, p, n_threads=threads)
        clip_value(copies, 1e-3, n_threads=threads)
        results.add((norm, b"".join(copy.tobytes() for copy in copies)))
    assert len(results) == 1


@both_dtypes
@pytest.mark.parametrize("n", [1, 7, 33, 5000])
def test_clip_value(dtype, n):
    grad = np.random.default_rng(n).normal(size=n).astype(dtype)
    expected = np.clip(grad, dtype(-0.4), dtype(0.4))
    assert clip_value(grad, 0.4) is None
    np.testing.assert_array_equal(grad, expected)
    clip_value(grad, 0)
    np.testing.assert_array_equal(grad, np.zeros(n))


@both_dtypes
@pytest.mark.parametrize("place", [0, 20, 70])
def test_what_is_not_finite(dtype, place):
    for bad in (np.nan, np.inf, -np.inf):
        grad = np.ones(71, dtype)
        grad[place] = bad
        for p in NORMS:
            copy = grad.copy()
            norm = clip_norm(copy, 1.0, p)
            assert np.isnan(norm) if np.isnan(bad) else norm == np.inf
            others = np.delete(copy, place)
            np.testing.assert_array_equal(others, np.nan if np.isnan(bad) else 0.0)
            assert np.isnan(copy[place])
            copy = grad.copy()
            with raises(
                RuntimeError,
                f"the norm of order {p!r} of grads is {norm!r}: it cannot be clipped",
            ):
                clip_norm(copy, 1.0, p, error_if_nonfinite=True)
            np.testing.assert_array_equal(copy, grad)
        clip_value(grad, 0.5)
        np.testing.assert_array_equal(grad[place], np.nan if np.isnan(bad) else np.sign(bad) / 2)


def test_errors():
    good = np.ones(3)
    for call, name in ((clip_norm, "max_norm"), (clip_value, "clip_value")):
        for bad in (-1.0, math.nan):
            with raises(ValueError, f"{name} = {bad!r}: expected a number of at least 0"):
                call([good], bad)
        for bad in (None, "1", True):
            with raises(TypeError, f"{name} = {bad!r}: expected a number"):
                call([good], bad)
        with raises(TypeError, "grads[1]: expected a NumPy array, got float"):
            call([good, 1.0], 0.1)
        with raises(TypeError, "grads has dtype int64: expected float32 or float64"):
            call(np.ones(3, np.int64), 0.1)
        read_only = np.ones(3)
        read_only.flags.writeable = False
        with raises(ValueError, "grads[2] is read-only: expected a writeable array"):
            call([good, None, read_only], 0.1)
        with raises(ValueError, "grads[1] overlaps grads[0] in memory: expected separate arrays"):
            call([good, good[1:]], 0.1)
        with raises(ValueError, "n_threads = 0: expected an integer of at least 1, or None"):
            call([good], 0.1, n_threads=0)
    for bad in (0, -1, math.nan):
        with raises(ValueError, f"norm_type = {bad!r}: expected a number greater than 0"):
            clip_norm([good], 1.0, bad)
    np.testing.assert_array_equal(good, np.ones(3))
