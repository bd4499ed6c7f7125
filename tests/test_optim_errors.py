"""What steps and settings refuse, and that nothing is changed then."""

import re

import numpy as np
import pytest
from helpers.calls import raises
from helpers.optimizers import NAMES

import fastloss as fl


def refused(error, message, params, grads, optimizer=None):
    """The step raises, and changes neither arrays nor state."""
    optimizer = optimizer or fl.optim.Adam()
    listed = params if isinstance(params, list) else [params]
    arrays = [array for array in listed if isinstance(array, np.ndarray)]
    before = [array.copy() for array in arrays]
    state = optimizer.state_dict()
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        optimizer.step(params, grads)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_equal(optimizer.state_dict(), state)


def test_wrong_lists():
    p, g = np.ones(3), np.ones(3)
    expected = "expected an array or a list of arrays"
    refused(TypeError, f"params: {expected}, got float", 1.0, [g])
    refused(TypeError, f"params: {expected}, got dict", {"w": p}, [g])
    refused(TypeError, f"grads: {expected}, got int", [p], 1)
    refused(
        ValueError,
        "grads has 1 arrays, params has 2: expected one gradient (or None) a parameter",
        [p, np.ones(3)],
        [g],
    )


def test_wrong_params():
    p, g = np.ones(3), np.ones(3)
    good = np.ones(3)
    refused(TypeError, "params[1]: expected a NumPy array, got float", [good, 1.0], [g, g])
    refused(
        TypeError,
        "params[1] has dtype int64: expected float32 or float64",
        [good, np.ones(3, np.int64)],
        [g, g],
    )
    refused(TypeError, "params has dtype float16: expected float32 or float64", np.ones(3, "f2"), g)
    p.flags.writeable = False
    refused(ValueError, "params[1] is read-only: expected a writeable array", [good, p], [g, g])
    refused(
        ValueError,
        "params overlaps itself (strides (0,)): expected one place in memory an element",
        np.lib.stride_tricks.as_strided(np.ones(3), (3,), (0,)),
        g,
    )


def test_wrong_grads():
    p, q = np.ones(3), np.ones(2)
    refused(
        TypeError,
        "grads[0] has dtype float32: expected float64, that of params[0]",
        [p, q],
        [np.ones(3, np.float32), np.ones(2)],
    )
    refused(
        ValueError,
        "grads[1] has shape (3,), params[1] has shape (2,): they must be equal",
        [p, q],
        [np.ones(3), np.ones(3)],
    )
    refused(
        ValueError,
        "grads has shape (2,), params has shape (3,): they must be equal",
        p,
        np.ones(2),
    )


def test_overlaps():
    memory = np.arange(10.0)
    separate = "in memory: expected separate arrays"
    a, b, g = memory[:4], memory[3:7], np.ones(4)
    refused(ValueError, f"params[1] overlaps params[0] {separate}", [a, b], [g, g])
    refused(ValueError, f"params[2] overlaps params[0] {separate}", [a, np.ones(4), a], [g, g, g])
    refused(ValueError, f"params overlaps grads {separate}", a, b)
    refused(ValueError, f"params[0] overlaps grads[1] {separate}", [a, np.ones(4)], [g, b])
    empty = memory[2:2]
    refused(
        ValueError, f"params[0] overlaps grads[2] {separate}",
        [a, empty, np.ones(4)], [g, np.ones(0), memory[2:6]],
    )  # fmt: skip
    # interleaved arrays are separate, and one of them may be a gradient of another parameter
    even, odd = memory[::2], memory[1::2]
    fl.optim.SGD(lr=1.0).step([even], [odd])
    np.testing.assert_array_equal(even, np.full(5, -1.0))
    refused(
        ValueError,
        f"params[1] overlaps grads[0] {separate}",
        [even, odd],
        [memory[1::2], np.ones(5)],
    )


def test_overlaps_are_found_in_later_steps():
    memory, optimizer = np.arange(12.0), fl.optim.SGD()
    optimizer.step([memory[:4], memory[4:8]], [np.ones(4), np.ones(4)])
    optimizer.step([memory[:4], memory[4:8]], [np.ones(4), memory[8:]])
    message = "overlaps {} in memory: expected separate arrays"
    refused(
        ValueError,
        "params[1] " + message.format("params[0]"),
        [memory[:4], memory[2:6]],
        [np.ones(4), np.ones(4)],
        optimizer,
    )
    refused(
        ValueError,
        "params[1] " + message.format("grads[0]"),
        [memory[:4], memory[4:8]],
        [memory[6:10], np.ones(4)],
        optimizer,
    )


def test_later_steps_must_fit():
    optimizer, g = fl.optim.Adam(), np.ones(3)
    optimizer.step([np.ones(3), np.ones(3)], [g, None])
    refused(
        ValueError,
        "params has 1 arrays: expected 2, as in the steps before",
        [np.ones(3)],
        [g],
        optimizer,
    )
    refused(
        ValueError,
        "params[0] has shape (4,): expected (3,), that of the steps before",
        [np.ones(4), np.ones(3)],
        [np.ones(4), g],
        optimizer,
    )
    refused(
        TypeError,
        "params[0] has dtype float32: expected float64, that of the steps before",
        [np.ones(3, np.float32), np.ones(3)],
        [np.ones(3, np.float32), g],
        optimizer,
    )
    optimizer.step([np.ones(3), np.ones((2, 2))], [g, np.ones((2, 2))])  # that had no state yet


@pytest.mark.parametrize("name", NAMES)
def test_wrong_settings(name):
    for key, value in getattr(fl.optim, name)().settings.items():
        if isinstance(value, bool):
            with raises(TypeError, f"{key} = 1: expected True or False"):
                getattr(fl.optim, name)(**{key: 1})
        elif key == "betas":
            for bad in ((0.9, 1.0), (0.9, -0.1)):
                with raises(ValueError, f"betas[1] = {bad[1]!r}: expected a number in [0, 1)"):
                    getattr(fl.optim, name)(betas=bad)
            with raises(TypeError, "betas = 0.9: expected two numbers"):
                getattr(fl.optim, name)(betas=0.9)
        else:
            for bad in (np.nan, np.inf) if key == "dampening" else (np.nan, np.inf, -0.1):
                with pytest.raises(ValueError, match=rf"^{key} = {bad!r}: expected "):
                    getattr(fl.optim, name)(**{key: bad})
            for bad in (None, "0.1", [0.1], 1j, True):
                message = "expected a number or a schedule" if key == "lr" else "expected a number"
                with raises(TypeError, f"{key} = {bad!r}: {message}"):
                    getattr(fl.optim, name)(**{key: bad})


def test_settings_that_do_not_go_together():
    needs = "nesterov = True: needs momentum > 0 (is {}) and dampening = 0 (is {})"
    with raises(ValueError, needs.format(0.0, 0.0)):
        fl.optim.SGD(nesterov=True)
    with raises(ValueError, needs.format(0.9, 0.5)):
        fl.optim.SGD(momentum=0.9, dampening=0.5, nesterov=True)
    with raises(ValueError, "lr = 0: expected a number greater than 0"):
        fl.optim.FTRL(lr=0)
    with raises(ValueError, "beta = 0: expected a number greater than 0"):
        fl.optim.FTRL(beta=0)


def test_the_base_class_is_not_for_use():
    with raises(TypeError, "Optimizer is the base of all optimizers: use SGD, Adam or another"):
        fl.optim.Optimizer("sgd", {"lr": 0.1}, ())

    class Stateless(fl.optim.Optimizer):
        def __init__(self):
            super().__init__("adam", {"lr": 0.1}, ("exp_avg",))

    with raises(ValueError, "states = ('exp_avg',): adam needs a name for number 1"):
        Stateless()

    class Careless(fl.optim.SGD):
        def __init__(self):
            pass

    with raises(TypeError, "Careless: __init__ of the base class was not called"):
        Careless().step(np.ones(2), np.ones(2))


def test_threads_are_checked():
    param = np.ones(3)
    with raises(ValueError, "n_threads = 0: expected an integer of at least 1, or None"):
        fl.optim.SGD().step(param, np.ones(3), n_threads=0)
    np.testing.assert_array_equal(param, np.ones(3))
