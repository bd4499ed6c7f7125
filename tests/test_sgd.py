"""The compiled SGD step: torch.optim.SGD's semantics, in place, any layout, any threads."""

import itertools
import math
import re

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes
from hypothesis import given, settings
from hypothesis import strategies as st

import fastloss as fl

OPTIONS = [
    {"lr": lr, "momentum": mu, "dampening": d, "weight_decay": wd, "nesterov": nesterov}
    for lr, mu, d, wd, nesterov in itertools.product(
        (0.1, 0.0), (0.0, 0.9, 1.5), (0.0, 0.25, -0.5), (0.0, 1e-2), (False, True)
    )
    if not nesterov or (mu > 0 and d == 0)
]


def option_id(options):
    return ",".join(f"{key}={value}" for key, value in options.items())


class Reference:
    """torch.optim.SGD, as its documentation's pseudo-code prints it, in longdouble."""

    def __init__(self, param, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        self.param, self.buffer = param.astype(np.longdouble), None
        self.lr, self.mu, self.tau = lr, momentum, dampening
        self.decay, self.nesterov = weight_decay, nesterov

    def step(self, grad):
        g = grad.astype(np.longdouble)
        if self.decay != 0:
            g = g + self.decay * self.param
        if self.mu != 0:
            if self.buffer is None:
                self.buffer = g
            else:
                self.buffer = self.mu * self.buffer + (1 - self.tau) * g
            g = g + self.mu * self.buffer if self.nesterov else self.buffer
        self.param = self.param - self.lr * g


def close(actual, expected, scale, dtype, steps):
    eps = np.finfo(dtype).eps
    assert np.all(np.abs(actual.astype(np.longdouble) - expected) <= 4 * steps * eps * scale)


@both_dtypes
@pytest.mark.parametrize("options", OPTIONS, ids=option_id)
@pytest.mark.parametrize("n", [1, 37, 5000])
def test_matches_the_reference(dtype, options, n):
    rng = np.random.default_rng(21)
    param = rng.normal(size=n).astype(dtype)
    reference, buffer = Reference(param, **options), None
    scale = np.ones(n)
    for step in range(1, 6):
        grad = rng.normal(size=n).astype(dtype)
        before = grad.copy()
        result = fl.sgd_step(param, grad, momentum_buffer=buffer, **options)
        reference.step(grad)
        np.testing.assert_array_equal(grad, before)
        scale = np.maximum(scale, np.abs(reference.param).astype(float))
        if options["momentum"] == 0:
            assert result is None
        else:
            if buffer is not None:
                assert result is buffer
            buffer = result
            assert buffer.dtype == dtype
            assert buffer.shape == param.shape
            scale = np.maximum(scale, np.abs(reference.buffer).astype(float))
            scale = np.maximum(scale, 3 * np.abs(grad))
            close(buffer, reference.buffer, scale, dtype, step)
        close(param, reference.param, scale, dtype, step)


@both_dtypes
@pytest.mark.parametrize(
    "options", [options for options in OPTIONS if options["dampening"] >= 0], ids=option_id
)
def test_matches_torch(dtype, options):
    """Of negative dampening torch has none in use."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(22)
    param = rng.normal(size=1001).astype(dtype)
    theirs = torch.nn.Parameter(torch.from_numpy(param.copy()))
    optimizer, buffer = torch.optim.SGD([theirs], **options), None
    for _ in range(5):
        grad = rng.normal(size=1001).astype(dtype)
        theirs.grad = torch.from_numpy(grad.copy())
        optimizer.step()
        buffer = fl.sgd_step(param, grad, momentum_buffer=buffer, **options)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(param, theirs.detach().numpy(), rtol=0, atol=100 * eps)
    if options["momentum"]:
        state = optimizer.state[theirs]["momentum_buffer"].numpy()
        np.testing.assert_allclose(buffer, state, rtol=0, atol=200 * eps)


def test_the_first_buffer_is_a_copy_of_the_decayed_gradient_without_dampening():
    param, grad = np.array([1.0, 2.0]), np.array([0.5, -0.5])
    buffer = fl.sgd_step(param, grad, lr=0.0, momentum=0.9, dampening=0.5, weight_decay=0.25)
    np.testing.assert_array_equal(buffer, [0.75, 0.0])
    np.testing.assert_array_equal(param, [1.0, 2.0])
    assert not np.shares_memory(buffer, grad)
    assert not np.shares_memory(buffer, param)


def test_a_given_buffer_of_zeros_is_dampened():
    param, grad, buffer = np.zeros(2), np.ones(2), np.zeros(2)
    fl.sgd_step(param, grad, lr=1.0, momentum=0.9, dampening=0.75, momentum_buffer=buffer)
    np.testing.assert_array_equal(buffer, [0.25, 0.25])
    np.testing.assert_array_equal(param, [-0.25, -0.25])


def test_without_momentum_a_buffer_is_left_alone():
    param, buffer = np.zeros(2), np.full(2, 7.0)
    assert fl.sgd_step(param, np.ones(2), lr=1.0, momentum_buffer=buffer) is None
    np.testing.assert_array_equal(buffer, [7.0, 7.0])
    np.testing.assert_array_equal(param, [-1.0, -1.0])


@settings(max_examples=150, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple) | st.tuples(st.integers(1000, 3000)),
    options=st.sampled_from(OPTIONS),
    layouts=st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 3),
    first=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_bits(dtype, shape, options, layouts, first, seed):
    rng = np.random.default_rng(seed)
    param, grad, buffer = (rng.normal(size=shape).astype(dtype) for _ in range(3))
    views = [LAYOUTS[name](part) for name, part in zip(layouts, (param, grad, buffer), strict=True)]
    views[1].flags.writeable = False
    if first:
        expected = fl.sgd_step(param, grad, **options)
        result = fl.sgd_step(views[0], views[1], **options)
    else:
        expected = fl.sgd_step(param, grad, momentum_buffer=buffer, **options)
        result = fl.sgd_step(views[0], views[1], momentum_buffer=views[2], **options)
    np.testing.assert_array_equal(views[0], param)
    if options["momentum"]:
        np.testing.assert_array_equal(result, expected)
        assert result.shape == shape


@both_dtypes
@pytest.mark.parametrize("n", [16_384, 100_001, 300_001])
def test_threads_change_no_bit(dtype, n):
    rng = np.random.default_rng(23)
    param, grad, buffer = (rng.normal(size=n).astype(dtype) for _ in range(3))
    options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True}
    results = set()
    for threads in (1, 2, 3, 7):
        p, b = param.copy(), buffer.copy()
        fl.sgd_step(p, grad, momentum_buffer=b, n_threads=threads, **options)
        results.add(p.tobytes() + b.tobytes())
    assert len(results) == 1


def test_decay_of_zero_keeps_infinite_parameters():
    """0 * inf would be NaN."""
    param = np.array([np.inf, -np.inf, 1.0])
    fl.sgd_step(param, np.ones(3), lr=0.1)
    np.testing.assert_array_equal(param, [np.inf, -np.inf, 0.9])


def test_nan_stays_where_it_is():
    param, grad = np.zeros(100), np.zeros(100)
    grad[33] = np.nan
    buffer = fl.sgd_step(param, grad, lr=0.1, momentum=0.9, weight_decay=0.1)
    assert np.flatnonzero(np.isnan(param)).tolist() == [33]
    assert np.flatnonzero(np.isnan(buffer)).tolist() == [33]


def test_lists_as_gradient_and_no_dimensions():
    param = np.array(1.0)
    fl.sgd_step(param, 0.5, lr=1.0)
    assert param == 0.5
    param = np.array([1.0, 2.0])
    fl.sgd_step(param, [0.5, 0.5], lr=1.0)
    np.testing.assert_array_equal(param, [0.5, 1.5])


def test_gradients_of_zero_stride():
    param = np.arange(5000.0).reshape(50, 100)
    fl.sgd_step(param, np.broadcast_to(1.0, (50, 100)), lr=1.0)
    np.testing.assert_array_equal(param, np.arange(5000.0).reshape(50, 100) - 1)


# ---------------------------------------------------------------- errors


def refused(error, message, *args, **kwargs):
    """The call raises, and writes to none of its arrays."""
    arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray)]
    before = [array.copy() for array in arrays]
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        fl.sgd_step(*args, **kwargs)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_wrong_param():
    g = np.ones(3)
    refused(TypeError, "param: expected a NumPy array, got list", [1.0], g, lr=0.1)
    for dtype in ("i8", "f2", "c16", "O"):
        bad = np.ones(3, dtype=dtype)
        refused(
            TypeError, f"param has dtype {bad.dtype}: expected float32 or float64", bad, g, lr=0.1
        )
    read_only = np.ones(3)
    read_only.flags.writeable = False
    refused(ValueError, "param is read-only: expected a writeable array", read_only, g, lr=0.1)
    refused(
        ValueError,
        "param overlaps itself (strides (0,)): expected one place in memory an element",
        np.lib.stride_tricks.as_strided(np.ones(3), (3,), (0,)),
        g,
        lr=0.1,
    )


def test_wrong_grad():
    p = np.ones(3)
    f32 = np.ones(3, dtype=np.float32)
    refused(TypeError, "grad has dtype float32: expected float64, that of param", p, f32, lr=0.1)
    refused(
        ValueError,
        "grad has shape (2,), param has shape (3,): they must be equal",
        p,
        np.ones(2),
        lr=0.1,
    )
    separate = "in memory: expected separate arrays"
    refused(ValueError, f"param overlaps grad {separate}", p, p, lr=0.1)
    memory = np.ones(5)
    refused(ValueError, f"param overlaps grad {separate}", memory[:3], memory[2:], lr=0.1)


def test_wrong_buffer():
    p, g = np.ones(3), np.ones(3)
    options = {"lr": 0.1, "momentum": 0.9}
    refused(
        TypeError,
        "momentum_buffer: expected a NumPy array, got list",
        p,
        g,
        momentum_buffer=[0.0] * 3,
        **options,
    )
    refused(
        TypeError,
        "momentum_buffer has dtype float32: expected float64, that of param",
        p,
        g,
        momentum_buffer=np.ones(3, dtype=np.float32),
        **options,
    )
    refused(
        ValueError,
        "momentum_buffer has shape (4,): expected (3,), that of param",
        p,
        g,
        momentum_buffer=np.ones(4),
        **options,
    )
    separate = "in memory: expected separate arrays"
    refused(
        ValueError, f"momentum_buffer overlaps param {separate}", p, g, momentum_buffer=p, **options
    )
    refused(
        ValueError, f"momentum_buffer overlaps grad {separate}", p, g, momentum_buffer=g, **options
    )


@pytest.mark.parametrize("key", ["lr", "momentum", "weight_decay", "dampening"])
def test_wrong_numbers(key):
    p, g = np.ones(3), np.ones(3)
    kind = "a finite number" if key == "dampening" else "a finite number of at least 0"
    for bad in (math.nan, math.inf, -math.inf, *([] if key == "dampening" else [-0.1])):
        refused(ValueError, f"{key} = {bad!r}: expected {kind}", p, g, **{"lr": 0.1, key: bad})
    for bad in (None, "0.1", [0.1], 1j):
        refused(TypeError, f"{key} = {bad!r}: expected a number", p, g, **{"lr": 0.1, key: bad})


def test_nesterov_needs_momentum_and_no_dampening():
    p, g = np.ones(3), np.ones(3)
    refused(
        ValueError,
        "nesterov = True: needs momentum > 0 (is 0.0) and dampening = 0 (is 0.0)",
        p,
        g,
        lr=0.1,
        nesterov=True,
    )
    refused(
        ValueError,
        "nesterov = True: needs momentum > 0 (is 0.9) and dampening = 0 (is 0.5)",
        p,
        g,
        lr=0.1,
        momentum=0.9,
        dampening=0.5,
        nesterov=True,
    )


def test_options_are_keywords():
    with pytest.raises(TypeError):
        fl.sgd_step(np.ones(3), np.ones(3))
    with pytest.raises(TypeError):
        fl.sgd_step(np.ones(3), np.ones(3), 0.1)
    refused(
        ValueError,
        "n_threads = 0: expected an integer of at least 1, or None",
        np.ones(3),
        np.ones(3),
        lr=0.1,
        n_threads=0,
    )
