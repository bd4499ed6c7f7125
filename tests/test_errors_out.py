"""Every message about outputs; nothing is written where one is raised."""

import numpy as np
import pytest
from helpers.calls import both_dtypes, numbers, raises
from references import REFERENCES, case_id

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


def test_out_must_be_an_array_or_a_tuple_of_the_right_length():
    y, f = numbers(4)
    loss = fl.SquaredError()
    with raises(TypeError, "out (gradient): expected a NumPy array, got list"):
        loss.gradient(y, f, out=[0.0] * 4)
    with raises(TypeError, "out: expected one array, got a tuple"):
        loss.gradient(y, f, out=(f.copy(),))
    with raises(TypeError, "out: expected one array, got a tuple"):
        loss.loss(y, f, reduction="none", out=(f.copy(),))
    with raises(TypeError, "out: expected a tuple of 2, got ndarray"):
        loss.loss_gradient(y, f, out=f.copy())
    with raises(TypeError, "out: expected a tuple of 3, got list"):
        loss.loss_gradient_hessian(y, f, out=[None, None, None])
    with raises(ValueError, "out has 3 entries: expected 2"):
        loss.gradient_hessian(y, f, out=(None, None, None))
    with raises(ValueError, "out has 2 entries: expected 3"):
        loss.loss_gradient_hessian(y, f, out=(None, None))
    with raises(TypeError, "out (hessian): expected a NumPy array, got float"):
        loss.gradient_hessian(y, f, out=(None, 0.0))
    with raises(TypeError, "out: expected a NumPy array, got str"):
        loss.predict(f, out="here")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_no_place_for_a_float(reduction):
    y, f = numbers(4)
    message = (
        f"out: the loss is a float under reduction={reduction!r}, so its place in out must be None"
    )
    with raises(ValueError, message):
        fl.SquaredError().loss(y, f, reduction=reduction, out=f.copy())
    with raises(ValueError, message):
        fl.SquaredError().loss_gradient(y, f, reduction=reduction, out=(f.copy(), None))


@both_dtypes
def test_out_of_wrong_dtype_or_shape(dtype):
    y, f = numbers(4, dtype)
    other = np.float64 if dtype == np.float32 else np.float32
    loss = fl.Pinball()
    for bad in (other, np.int64, np.float16, object):
        out = np.zeros(4, dtype=bad)
        message = f"has dtype {out.dtype}: expected {np.dtype(dtype)}, that of raw_prediction"
        with raises(TypeError, f"out (gradient) {message}"):
            loss.gradient(y, f, out=out)
        with raises(TypeError, f"out (hessian) {message}"):
            loss.gradient_hessian(y, f, out=(None, out))
        with raises(TypeError, f"out {message}"):
            loss.predict(f, out=out)
    for shape in ((5,), (4, 1), (), (0,)):
        out = np.zeros(shape, dtype=dtype)
        message = f"has shape {shape}: expected (4,), that of raw_prediction"
        with raises(ValueError, f"out (gradient) {message}"):
            loss.gradient(y, f, out=out)
        with raises(ValueError, f"out (loss) {message}"):
            loss.loss_gradient(y, f, reduction="none", out=(out, None))
        with raises(ValueError, f"out {message}"):
            loss.predict(f, out=out)


def test_read_only_out():
    y, f = numbers(4)
    out = np.zeros(4)
    out.flags.writeable = False
    with raises(ValueError, "out (gradient) is read-only: expected a writeable array"):
        fl.Pinball().gradient(y, f, out=out)
    with raises(ValueError, "out is read-only: expected a writeable array"):
        fl.Pinball().predict(f, out=out)


def test_out_that_overlaps_itself():
    y, f = np.ones((2, 4, 4))
    memory = np.full(40, 7.0)
    sliding = np.lib.stride_tricks.as_strided(memory, (4, 4), (8, 8))
    repeated = np.lib.stride_tricks.as_strided(memory, (4, 4), (0, 8))
    shingled = np.lib.stride_tricks.as_strided(memory, (4, 4), (24, 8))
    halves = np.lib.stride_tricks.as_strided(memory, (4, 4), (32, 4))
    for out in (sliding, repeated, shingled, halves):
        message = (
            f"overlaps itself (strides {out.strides}): expected one place in memory an element"
        )
        with raises(ValueError, f"out (gradient) {message}"):
            fl.Hinge().gradient(y, f, out=out)
        with raises(ValueError, f"out (hessian) {message}"):
            fl.Hinge().gradient_hessian(y, f, out=(None, out))
        with raises(ValueError, f"out {message}"):
            fl.Hinge().predict(f, out=out)
    assert (memory == 7.0).all()


@every_loss
def test_out_that_overlaps_labels_weights_or_another_out(reference):
    memory = np.linspace(0.25, 0.75, 64)
    memory[:20] = 1.0
    before = memory.copy()
    y, f, w = memory[:10], memory[20:30], memory[30:40]
    free = memory[50:60]
    loss = fl.get_loss(reference.name)
    for out, other in (
        (memory[:10], "y_true"),
        (memory[9:19], "y_true"),
        (memory[9::-1], "y_true"),
        (memory[30:40], "sample_weight"),
        (memory[39:49], "sample_weight"),
    ):
        message = f"overlaps {other} in memory: expected separate arrays"
        with raises(ValueError, f"out (gradient) {message}"):
            loss.gradient(y, f, w, out=out)
        with raises(ValueError, f"out (loss) {message}"):
            loss.loss(y, f, w, reduction="none", out=out)
        with raises(ValueError, f"out (hessian) {message}"):
            loss.loss_gradient_hessian(y, f, w, out=(None, free, out))
    separate = "in memory: expected separate arrays"
    with raises(ValueError, f"out (gradient) overlaps out (loss) {separate}"):
        loss.loss_gradient(y, f, reduction="none", out=(free, free))
    with raises(ValueError, f"out (hessian) overlaps out (gradient) {separate}"):
        loss.gradient_hessian(y, f, out=(f, f[::-1]))
    with raises(ValueError, f"out (hessian) overlaps out (loss) {separate}"):
        loss.loss_gradient_hessian(y, f, reduction="none", out=(free, None, memory[59:49:-1]))
    np.testing.assert_array_equal(memory, before)


@every_loss
def test_nothing_is_written_when_an_argument_is_wrong(reference):
    y, f = numbers(4)
    first, second = np.full(4, 7.0), np.full(4, 7.0)
    second.flags.writeable = False
    loss = fl.get_loss(reference.name)
    for wrong in (
        {"out": (first, second)},
        {"out": (first, None), "n_threads": 0},
        {"out": (first, None), "reduction": "x"},
        {"out": (first, np.ones(3))},
        {"out": (first, None), "sample_weight": [1, 1, 1, -1]},
    ):
        with pytest.raises((TypeError, ValueError)):
            loss.gradient_hessian(y, f, **wrong)
        assert (first == 7.0).all()
