"""Updates of single rows: those named, as the whole would be; repeated rows add up."""

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes, raises
from helpers.optimizers import NAMES, Reference, draw_settings
from hypothesis import given, settings
from hypothesis import strategies as st

import fastloss as fl

every_optimizer = pytest.mark.parametrize("name", NAMES)


@every_optimizer
@pytest.mark.parametrize("seed", range(12))
def test_matches_the_reference(name, seed):
    """Every row under a reference of its own, which counts all calls."""
    rng = np.random.default_rng(seed)
    options = draw_settings(name, rng)
    table = rng.normal(size=(6, 3))
    references = [Reference(name, row, rows=True, **options) for row in table]
    optimizer, named = getattr(fl.optim, name)(**options), set()
    for step in range(8):
        rows = rng.integers(0, 5, size=rng.integers(0, 9))
        grads = rng.normal(size=(len(rows), 3))
        before = table.copy()
        optimizer.step_rows(table, rows, grads)
        for row in range(6):
            if row not in rows:
                np.testing.assert_array_equal(table[row], before[row])
                continue
            if name == "FTRL" and row not in named:
                references[row].t = 0  # z begins at the first gradient of the row
            else:
                references[row].t = step
            named.add(row)
            references[row].step(grads[rows == row].astype(np.longdouble).sum(axis=0))
            np.testing.assert_allclose(
                table[row], references[row].param.astype(float), rtol=0, atol=1e-12
            )
    assert optimizer.state_dict()["state"][0]["step"] == 8


@every_optimizer
def test_all_rows_are_the_whole(name):
    rng = np.random.default_rng(41)
    options = draw_settings(name, rng)
    options.pop("dampening", None)  # the buffer of a row begins at zeros
    options.pop("eps", None)  # Adam of rows adds it elsewhere
    whole = rng.normal(size=(50, 7))
    table = whole.copy()
    one, other = (getattr(fl.optim, name)(**options) for _ in range(2))
    for _ in range(4):
        grads = rng.normal(size=(50, 7))
        order = rng.permutation(50)
        one.step(whole, grads)
        other.step_rows(table, order, grads[order])
        np.testing.assert_allclose(table, whole, rtol=0, atol=1e-6 if "Adam" in name else 1e-12)


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    dtype=st.sampled_from([np.float32, np.float64]),
    row=st.sampled_from([(), (1,), (5,), (2, 3), (1025,), (0,)]),
    layouts=st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 2),
    row_dtype=st.sampled_from(["i8", "u1", ">i4", "u8"]),
    threads=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_bits(name, dtype, row, layouts, row_dtype, threads, seed):
    rng = np.random.default_rng(seed)
    table = np.asarray(rng.normal(size=(12, *row))).astype(dtype)
    view = LAYOUTS[layouts[0]](table)
    one, other = (getattr(fl.optim, name)() for _ in range(2))
    for _ in range(2):
        rows = rng.integers(0, 12, size=9)
        grads = np.asarray(rng.normal(size=(9, *row))).astype(dtype)
        one.step_rows(table, rows, grads)
        other.step_rows(view, rows.astype(row_dtype), LAYOUTS[layouts[1]](grads), n_threads=threads)
    np.testing.assert_array_equal(view, table)


@every_optimizer
@both_dtypes
def test_threads_change_no_bit(name, dtype):
    rng = np.random.default_rng(42)
    table = rng.normal(size=(500, 64)).astype(dtype)
    rows = rng.integers(0, 500, size=1000)
    grads = rng.normal(size=(1000, 64)).astype(dtype)
    results = set()
    for threads in (1, 2, 3, 7):
        again, optimizer = table.copy(), getattr(fl.optim, name)()
        for _ in range(2):
            optimizer.step_rows(again, rows, grads, n_threads=threads)
        results.add(again.tobytes())
    assert len(results) == 1


def test_repeated_rows_add_up_in_float64():
    table = np.zeros((3, 1), np.float32)
    grads = np.array([[1e8], [1.0], [-1e8], [5.0]], np.float32)
    fl.optim.SGD(lr=1.0).step_rows(table, [2, 2, 2, 0], grads)
    np.testing.assert_array_equal(table, [[-5.0], [0.0], [-1.0]])


def test_rows_after_whole_steps_and_before():
    """One state for both; FTRL's rows that were never named keep their values."""
    for name in NAMES:
        optimizer = getattr(fl.optim, name)(lr=0.1)
        table = np.full((3, 2), 2.0)
        optimizer.step_rows(table, [1], np.ones((1, 2)))
        np.testing.assert_array_equal(table[[0, 2]], np.full((2, 2), 2.0))
        optimizer.step(table, np.zeros((3, 2)))
        if name != "AdamW":  # its decay needs no gradient
            np.testing.assert_array_equal(table[[0, 2]], np.full((2, 2), 2.0))
        assert optimizer.state_dict()["state"][0]["step"] == 2


def test_positions():
    optimizer = fl.optim.SGD(lr=1.0, momentum=0.5)
    first, second = np.zeros((2, 1)), np.zeros((3, 1))
    optimizer.step_rows(second, [0], np.ones((1, 1)), position=1)
    optimizer.step_rows(first, [0], np.ones((1, 1)))
    optimizer.step([first, second], [np.zeros((2, 1)), np.zeros((3, 1))])
    np.testing.assert_array_equal(first, [[-1.5], [0.0]])
    np.testing.assert_array_equal(second, [[-1.5], [0.0], [0.0]])
    with raises(
        ValueError,
        "position = 2: expected an integer of at least 0 and less than 2, the arrays of a step",
    ):
        optimizer.step_rows(first, [0], np.ones((1, 1)), position=2)
    with raises(ValueError, "position = -1: expected an integer of at least 0"):
        fl.optim.SGD().step_rows(first, [0], np.ones((1, 1)), position=-1)
    with raises(TypeError, "position = 0.0: expected an integer of at least 0"):
        optimizer.step_rows(first, [0], np.ones((1, 1)), position=0.0)
    many = fl.optim.SGD()
    many.step_rows(first, [0], np.ones((1, 1)), position=1)
    with raises(
        ValueError, "params has 1 arrays: expected at least 2, the positions that have a state"
    ):
        many.step([first], [np.ones((2, 1))])


@pytest.mark.parametrize(
    ("error", "message", "param", "rows", "grads"),
    [
        (TypeError, "param: expected a NumPy array, got list", [[1.0]], [0], np.ones((1, 1))),
        (
            ValueError,
            "param has shape (): expected at least one dimension, that of rows",
            np.array(1.0),
            [0],
            np.ones(1),
        ),
        (TypeError, "rows has dtype float64: expected integers", np.ones(3), [0.0], np.ones(1)),
        (TypeError, "rows has dtype bool: expected integers", np.ones(3), [True], np.ones(1)),
        (
            ValueError,
            "rows has shape (1, 1): expected one dimension",
            np.ones(3),
            [[0]],
            np.ones((1, 1)),
        ),
        (
            ValueError,
            "rows[1] = 3: expected a row of param, from 0 to 2",
            np.ones(3),
            [0, 3],
            np.ones(2),
        ),
        (
            ValueError,
            "rows[0] = -1: expected a row of param, from 0 to 2",
            np.ones(3),
            [-1],
            np.ones(1),
        ),
        (
            ValueError,
            "grads has shape (2, 3): expected (1, 3), a gradient for each entry of rows",
            np.ones((4, 3)),
            [1],
            np.ones((2, 3)),
        ),
        (
            TypeError,
            "grads has dtype float32: expected float64, that of param",
            np.ones((4, 3)),
            [1],
            np.ones((1, 3), np.float32),
        ),
    ],
)
def test_errors(error, message, param, rows, grads):
    optimizer = fl.optim.Adagrad()
    before = np.copy(param)
    with raises(error, message):
        optimizer.step_rows(param, rows, grads)
    np.testing.assert_array_equal(param, before)
    assert optimizer.state_dict()["state"] == {}


def test_overlaps():
    memory = np.ones((4, 2))
    with raises(ValueError, "param overlaps grads in memory: expected separate arrays"):
        fl.optim.SGD().step_rows(memory, [0], memory[:1])
    read_only = np.ones((2, 2))
    read_only.flags.writeable = False
    with raises(ValueError, "param is read-only: expected a writeable array"):
        fl.optim.SGD().step_rows(read_only, [0], np.ones((1, 2)))
