"""Softmax cross-entropy: class axes, memory layouts, label types, threads."""

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import OPERATIONS, both_dtypes, tuple_of
from helpers.cross_entropy import assert_same_sample, data
from hypothesis import given, settings
from hypothesis import strategies as st

import fastloss as fl

INTEGERS = ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"]


@both_dtypes
@pytest.mark.parametrize(
    "shape", [(5, 3), (5, 3, 70), (2, 10, 4, 33), (3, 2, 1, 5, 2), (4, 130, 9)]
)
@pytest.mark.parametrize("soft", [False, True])
def test_class_axis(dtype, shape, soft):
    rng = np.random.default_rng(45)
    for axis in range(-len(shape), len(shape)):
        f = rng.normal(size=shape).astype(dtype)
        n_classes = shape[axis]
        moved = np.ascontiguousarray(np.moveaxis(f, axis, -1))
        w = rng.random(moved.shape[:-1])
        y = rng.integers(0, n_classes, moved.shape[:-1])
        labels = y
        if soft:
            y = rng.random(moved.shape)
            labels = np.moveaxis(y, -1, axis)
        loss = fl.CrossEntropy(label_smoothing=0.05)
        expected = loss.loss_gradient_hessian(y, moved, w, reduction="none")
        result = loss.loss_gradient_hessian(labels, f, w, reduction="none", axis=axis)
        assert result[1].shape == result[2].shape == shape
        mine = [result[0], *(np.moveaxis(part, axis, -1) for part in result[1:])]
        mine.append(np.moveaxis(loss.predict(f, axis=axis), axis, -1))
        for part, want in zip(mine, [*expected, loss.predict(moved)], strict=True):
            # soft labels: terms of at most 1 cancel in the gradient
            assert_same_sample(part, want, largest=1 if part is mine[1] else 0)
        rel = 1e-6 if dtype == np.float32 else 1e-14
        mean = loss.loss(labels, f, w, axis=axis)
        assert mean == pytest.approx(loss.loss(y, moved, w), rel=rel)


names = st.sampled_from(sorted(LAYOUTS))


@settings(max_examples=300, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    samples=st.lists(st.integers(0, 5), max_size=3).map(tuple) | st.tuples(st.integers(60, 200)),
    n_classes=st.sampled_from([1, 2, 3, 4, 5, 8, 9, 17, 40]),
    axis=st.integers(0, 3),
    operation=st.sampled_from(OPERATIONS),
    label_dtype=st.sampled_from([*INTEGERS, "e", "f", "d", "soft d", "soft f", "soft e"]),
    weight_dtype=st.sampled_from([None, "?", "B", "q", "e", "f", "d"]),
    layouts=st.tuples(names, names, names),
    outs=st.tuples(*[names | st.none()] * 3),
    params=st.sampled_from(
        [{}, {"label_smoothing": 0.25}, {"class_weight": True}, {"ignore_index": 0}]
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_result(
    dtype,
    samples,
    n_classes,
    axis,
    operation,
    label_dtype,
    weight_dtype,
    layouts,
    outs,
    params,
    seed,
):
    rng = np.random.default_rng(seed)
    axis = min(axis, len(samples))
    f = (rng.normal(size=(*samples, n_classes)) * 3).astype(dtype)
    soft = label_dtype.startswith("soft")
    kind = label_dtype[-1]
    if soft:
        y = rng.integers(0, 3, f.shape) / 4
        params = {key: value for key, value in params.items() if key != "ignore_index"}
    else:
        y = rng.integers(0, n_classes, samples)
    if params.get("class_weight"):
        params = {"class_weight": rng.random(n_classes) + 0.1}
    w = None if weight_dtype is None else rng.integers(0, 2, samples).astype(float)
    loss = fl.CrossEntropy(**params)
    method = getattr(loss, operation)
    expected = tuple_of(method(y.astype(dtype) if soft else y, f, w, reduction="none"))

    out, has_loss = [], "loss" in operation
    for place in range(len(expected)):
        shape = samples if has_loss and place == 0 else np.moveaxis(f, -1, axis).shape
        layout = outs[place]
        out.append(layout and LAYOUTS[layout](np.full(shape, -77.0, dtype=dtype)))
    labels = y.astype(kind)
    arguments = (
        LAYOUTS[layouts[0]](np.moveaxis(labels, -1, axis) if soft else labels),
        LAYOUTS[layouts[1]](np.moveaxis(f, -1, axis)),
        None if w is None else LAYOUTS[layouts[2]](w.astype(weight_dtype)),
    )
    result = tuple_of(
        method(
            *arguments,
            reduction="none",
            out=tuple(out) if len(out) > 1 else out[0],
            axis=axis,
        )
    )
    for place, (part, want) in enumerate(zip(result, expected, strict=True)):
        if out[place] is not None:
            assert part is out[place]
        if not (has_loss and place == 0):
            part = np.moveaxis(part, axis, -1)
        assert_same_sample(part, want, largest=1)
    if f.size:
        total = method(*arguments, reduction="sum", axis=axis)
        if has_loss:
            exact = expected[0].astype(float).sum()
            assert tuple_of(total)[0] == pytest.approx(exact, rel=1e-6, abs=1e-6)


@both_dtypes
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
def test_in_place(dtype, layout, n_classes):
    y, f, w = data(700, n_classes, dtype)
    loss = fl.CrossEntropy()
    expected = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for place in (1, 2):
        raw, out = LAYOUTS[layout](f.copy()), [None, None, None]
        out[place] = raw
        result = loss.loss_gradient_hessian(y, raw, w, reduction="none", out=tuple(out))
        assert result[place] is raw
        for mine, theirs in zip(result, expected, strict=True):
            assert_same_sample(mine, theirs)
    raw = LAYOUTS[layout](f.copy())
    loss.predict(raw, out=raw)
    assert_same_sample(raw, loss.predict(f))


@pytest.mark.parametrize("shift", [-1, 1, 3, -50, 600])
def test_out_that_overlaps_a_shifted_raw_prediction(shift):
    rng = np.random.default_rng(46)
    memory = rng.normal(size=3000 + 600)
    low, high = (0, shift) if shift > 0 else (-shift, 0)
    raw = memory[low : low + 3000].reshape(1000, 3)
    out = memory[high : high + 3000].reshape(1000, 3)
    y = rng.integers(0, 3, 1000)
    expected = fl.CrossEntropy().gradient(y, raw.copy())
    fl.CrossEntropy().gradient(y, raw, out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("n_classes", [2, 100, 127])
def test_labels_of_any_integer_type(kind, n_classes):
    y, f, _ = data(500, n_classes)
    expected = fl.CrossEntropy().gradient(y, f)
    for labels in (y.astype(kind), y.astype(kind).astype(np.dtype(kind).newbyteorder("S"))):
        np.testing.assert_array_equal(fl.CrossEntropy().gradient(labels, f), expected)


def test_labels_that_are_bools_lists_and_floats():
    f = np.array([[1.0, 2.0], [0.5, 0.0]])
    expected = fl.CrossEntropy().loss(np.array([1, 0]), f)
    assert fl.CrossEntropy().loss(np.array([True, False]), f) == expected
    assert fl.CrossEntropy().loss([1, 0], f.tolist()) == expected
    assert fl.CrossEntropy().loss([1.0, 0.0], f) == expected


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 16, 33, 1000])
@pytest.mark.parametrize("axis", [0, -1])
def test_threads_change_no_bit(dtype, n_classes, axis):
    y, f, w = data(500_000 // n_classes, n_classes, dtype)
    y[::11] = -1
    f = np.ascontiguousarray(np.moveaxis(f, -1, axis))
    loss = fl.CrossEntropy(ignore_index=-1, label_smoothing=0.1)
    for operation in ("loss", "loss_gradient_hessian"):
        results = set()
        for threads in (1, 2, 3, 7):
            parts = tuple_of(getattr(loss, operation)(y, f, w, n_threads=threads, axis=axis))
            results.add(b"".join(np.asarray(part).tobytes() for part in parts))
        assert len(results) == 1
    results = {loss.predict(f, n_threads=t, axis=axis).tobytes() for t in (1, 2, 3, 7)}
    assert len(results) == 1


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 5, 10, 17, 130])
def test_a_sample_does_not_depend_on_its_place(dtype, n_classes):
    y, f, _ = data(150, n_classes, dtype)
    whole = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for start, stop in ((0, 1), (1, 2), (3, 20), (17, 81), (149, 150), (1, 150)):
        part = fl.CrossEntropy().loss_gradient_hessian(
            y[start:stop], f[start:stop], reduction="none"
        )
        for a, b in zip(part, whole, strict=True):
            assert_same_sample(a, b[start:stop])
