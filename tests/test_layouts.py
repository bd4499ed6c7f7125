"""Strides, byte orders, dtypes, memory maps, aliasing: the same bits as contiguous arrays."""

import functools

import numpy as np
import pytest
from helpers.arrays import LAYOUTS, empty_like
from helpers.calls import OPERATIONS, both_dtypes, tuple_of
from hypothesis import given, settings
from hypothesis import strategies as st
from references import REFERENCES, case_id
from references.base import labels_of

import fastloss as fl

PARTS = {
    "loss": 1,
    "gradient": 1,
    "loss_gradient": 2,
    "gradient_hessian": 2,
    "loss_gradient_hessian": 3,
}
LABEL_DTYPES = ["?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d"]
every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)
names = st.sampled_from(sorted(LAYOUTS))


def assert_same(one, other):
    for a, b in zip(tuple_of(one), tuple_of(other), strict=True):
        if isinstance(a, float):
            assert np.array_equal(a, b, equal_nan=True)
        else:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def integer_labels(reference, rng, shape):
    """Labels that every dtype holds: 0 and 1, or 1 alone."""
    low = reference.labels == "positive"
    return rng.integers(low, 2, shape).astype(np.float64)


@settings(max_examples=250, deadline=None)
@given(
    reference=st.sampled_from(list(REFERENCES.values())),
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.lists(st.integers(0, 6), max_size=5).map(tuple) | st.tuples(st.integers(1020, 1100)),
    operation=st.sampled_from(OPERATIONS),
    reduction=st.sampled_from(["mean", "sum", "none"]),
    label_dtype=st.sampled_from(LABEL_DTYPES),
    weight_dtype=st.sampled_from([None, *LABEL_DTYPES]),
    layouts=st.tuples(names, names, names),
    outs=st.tuples(*[names | st.none()] * 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_layout_gives_the_same_bits(
    reference,
    dtype,
    shape,
    operation,
    reduction,
    label_dtype,
    weight_dtype,
    layouts,
    outs,
    seed,
):
    rng = np.random.default_rng(seed)
    y = integer_labels(reference, rng, shape)
    f = reference.inside(rng.uniform(-6, 6, shape)).astype(dtype)
    w = None if weight_dtype is None else rng.integers(0, 2, shape).astype(np.float64)
    if w is not None and w.size:
        w[(0,) * w.ndim] = 1
    if reduction == "mean" and f.size == 0:
        reduction = "sum"
    loss = fl.get_loss(reference.name)
    method = getattr(loss, operation)
    expected = method(
        y.astype(dtype), f, None if w is None else w.astype(dtype), reduction=reduction
    )

    out = [name and empty_like(name, shape, dtype) for name in outs[: PARTS[operation]]]
    if "loss" in operation and reduction != "none":
        out[0] = None
    arguments = (
        LAYOUTS[layouts[0]](y.astype(label_dtype)),
        LAYOUTS[layouts[1]](f),
        None if w is None else LAYOUTS[layouts[2]](w.astype(weight_dtype)),
    )
    for argument in arguments:
        if argument is not None:
            argument.flags.writeable = False
    result = method(*arguments, reduction=reduction, out=tuple(out) if len(out) > 1 else out[0])
    for given_out, part, want in zip(out, tuple_of(result), tuple_of(expected), strict=True):
        if given_out is not None:
            assert part is given_out
            np.testing.assert_array_equal(part, want)
        else:
            assert_same(part, want)


@every_loss
@both_dtypes
@pytest.mark.parametrize("label_dtype", LABEL_DTYPES)
def test_every_label_and_weight_dtype(reference, dtype, label_dtype):
    rng = np.random.default_rng(3)
    y = integer_labels(reference, rng, 3000)
    f = reference.inside(rng.normal(size=3000)).astype(dtype)
    loss = fl.get_loss(reference.name)
    expected = loss.loss_gradient_hessian(y.astype(dtype), f, y.astype(dtype))
    result = loss.loss_gradient_hessian(y.astype(label_dtype), f, y.astype(label_dtype))
    assert_same(result, expected)
    result = loss.loss_gradient_hessian(y.astype(label_dtype)[::-1], f[::-1], reduction="none")
    expected = loss.loss_gradient_hessian(y, f, reduction="none")
    assert_same(tuple(part[::-1] for part in result), expected)


@pytest.mark.parametrize("label_dtype", [t for t in LABEL_DTYPES if t not in "?"])
@both_dtypes
def test_labels_convert_as_numpy_casts_them(label_dtype, dtype):
    """At the ends of each type too: the residual against 0 is the label itself."""
    kind = np.dtype(label_dtype)
    if kind.kind == "f":
        info = np.finfo(kind)
        values = [info.max, -info.max, info.tiny, info.smallest_subnormal, 1.5, -0.0]
        values = [v for v in values if abs(v) <= np.finfo(dtype).max]
    else:
        info = np.iinfo(kind)
        values = [info.min, info.max, info.max - 1, 0, 1, 77]
    y = np.array(values, dtype=kind)
    with np.errstate(under="ignore"):
        expected = y.astype(dtype)
    for labels in (y, y.astype(kind.newbyteorder("S")), np.repeat(y, 2)[::2]):
        gradient = fl.HalfSquaredError().gradient(
            labels, np.zeros(len(y), dtype=dtype), reduction="none"
        )
        np.testing.assert_array_equal(-gradient, expected)


@pytest.mark.parametrize("n", [1, 4, 7, 1021, 4096, 20001])
@both_dtypes
def test_integers_of_64_bits_convert_wherever_a_large_one_stands(n, dtype):
    """Whole vectors of small ones are converted at once; 2^51 is where that ends."""
    rng = np.random.default_rng(n)
    edges = [
        m * (1 << k) + d for k in (24, 50, 51, 52, 53, 62) for m in (1, -1) for d in (-1, 0, 1)
    ]
    edges += [-(1 << 63), 1 - (1 << 63), (1 << 63) - 1]
    few = np.append(rng.integers(-(1 << 51) + 1, 1 << 51, n), rng.integers(-9, 9, n))
    for edge in [0, *edges]:
        y = rng.permutation(few)[:n]
        y[rng.integers(n)] = edge
        f = np.zeros(n, dtype=dtype)
        gradient = fl.HalfSquaredError().gradient(y, f, reduction="none", n_threads=1)
        np.testing.assert_array_equal(-gradient, y.astype(dtype))


@every_loss
@both_dtypes
def test_zero_strides(reference, dtype):
    """One label, one weight, one prediction broadcast over all samples."""
    rng = np.random.default_rng(4)
    shape = (5, 700)
    y = labels_of(reference.labels, rng, 5).astype(dtype)[:, None]
    f = reference.inside(rng.normal(size=700)).astype(dtype)
    w = np.array(0.75, dtype=dtype)
    views = [np.broadcast_to(part, shape) for part in (y, f, w)]
    loss = fl.get_loss(reference.name)
    for operation in OPERATIONS:
        for reduction in ("mean", "none"):
            expected = getattr(loss, operation)(*[v.copy() for v in views], reduction=reduction)
            assert_same(getattr(loss, operation)(*views, reduction=reduction), expected)
    np.testing.assert_array_equal(loss.predict(views[1]), loss.predict(views[1].copy()))


@every_loss
def test_memory_maps(reference, tmp_path):
    rng = np.random.default_rng(6)
    y, f, w = labels_of(reference.labels, rng, 5000), rng.normal(size=5000), rng.random(5000)
    f = reference.inside(f)
    maps = []
    for name, part in (("y", y), ("f", f), ("w", w)):
        part.tofile(tmp_path / name)
        maps.append(np.memmap(tmp_path / name, dtype=np.float64, mode="r"))
    out = np.memmap(tmp_path / "out", dtype=np.float64, mode="w+", shape=5000)
    loss = fl.get_loss(reference.name)
    expected = loss.loss_gradient(y, f, w)
    value, gradient = loss.loss_gradient(*maps, out=(None, out))
    assert value == expected[0]
    assert gradient is out
    np.testing.assert_array_equal(out, expected[1])
    assert (loss.initial_prediction(maps[0], maps[2])) == loss.initial_prediction(y, w)


@every_loss
@both_dtypes
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("n", [1, 5, 64, 1023, 1025, 5000])
def test_in_place(reference, dtype, layout, n):
    """Every output may be raw_prediction itself."""
    rng = np.random.default_rng(7)
    y = labels_of(reference.labels, rng, n).astype(dtype)
    f = reference.inside(rng.normal(size=n)).astype(dtype)
    w = rng.random(n).astype(dtype)
    loss = fl.get_loss(reference.name)
    expected = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for place in range(3):
        raw = LAYOUTS[layout](f.copy())
        out = [None, None, None]
        out[place] = raw
        result = loss.loss_gradient_hessian(y, raw, w, reduction="none", out=tuple(out))
        assert result[place] is raw
        for part, want in zip(result, expected, strict=True):
            np.testing.assert_array_equal(part, want)
    if reference.predict:
        raw = LAYOUTS[layout](f.copy())
        assert loss.predict(raw, out=raw) is raw
        np.testing.assert_array_equal(raw, loss.predict(f))


@every_loss
@pytest.mark.parametrize("shift", [-300, -7, -1, 1, 7, 300])
def test_out_that_overlaps_a_shifted_raw_prediction(reference, shift):
    _check_overlap(reference, shift, 5000)


@pytest.mark.parametrize("name", ["log_loss", "squared_error", "tweedie"])
@pytest.mark.parametrize("shift", [-300, -7, -1, 1, 7, 300])
@pytest.mark.parametrize("n", [600, 300_000])
def test_out_that_overlaps_in_one_block_and_in_many(name, shift, n):
    _check_overlap(REFERENCES[name], shift, n)


def _check_overlap(reference, shift, n):
    rng = np.random.default_rng(8)
    memory = rng.normal(size=n + 300)
    low, high = (0, shift) if shift > 0 else (-shift, 0)
    raw, out = memory[low : low + n], memory[high : high + n]
    y = labels_of(reference.labels, rng, n)
    loss = fl.get_loss(reference.name)
    expected = loss.gradient(y, raw.copy())
    assert loss.gradient(y, raw, out=out) is out
    np.testing.assert_array_equal(out, expected)
    if reference.predict:
        memory = rng.normal(size=n + 300)
        raw, out = memory[low : low + n], memory[high : high + n]
        expected = loss.predict(raw.copy())
        np.testing.assert_array_equal(loss.predict(raw, out=out), expected)


def test_out_that_is_raw_prediction_reversed():
    rng = np.random.default_rng(9)
    y, f = rng.normal(size=(2, 3000))
    expected = fl.SquaredError().gradient(y, f.copy())
    out = f[::-1]
    fl.SquaredError().gradient(y, f, out=out)
    np.testing.assert_array_equal(out, expected)


def test_out_between_the_samples_of_the_labels():
    """Interleaved in memory, sharing none of it: allowed."""
    memory = np.zeros((1000, 3))
    memory[:, 0], memory[:, 1] = 1.0, 0.5
    fl.SquaredError().gradient(memory[:, 0], memory[:, 1], reduction="sum", out=memory[:, 2])
    np.testing.assert_array_equal(memory, np.broadcast_to([1.0, 0.5, -1.0], (1000, 3)))


@pytest.mark.parametrize("subclass", [np.matrix, np.recarray])
def test_subclasses_are_taken_as_arrays(subclass):
    values = np.arange(6.0).reshape(2, 3)
    array = values.view(subclass) if subclass is np.recarray else np.array(values).view(subclass)
    result = fl.SquaredError().gradient(array, array + 1, reduction="sum")
    np.testing.assert_array_equal(np.asarray(result), np.full((2, 3), 2.0))


@every_loss
@both_dtypes
def test_position_does_not_matter(reference, dtype):
    """An element's bits depend on neither its place, nor the array's length or alignment."""
    rng = np.random.default_rng(10)
    y = labels_of(reference.labels, rng, 700).astype(dtype)
    f = reference.inside(rng.uniform(-30, 30, 700)).astype(dtype)
    loss = fl.get_loss(reference.name)
    whole = loss.loss_gradient_hessian(y, f, reduction="none")
    for start, stop in ((0, 1), (1, 2), (3, 40), (5, 518), (511, 514), (13, 700), (699, 700)):
        part = loss.loss_gradient_hessian(y[start:stop], f[start:stop], reduction="none")
        for a, b in zip(part, whole, strict=True):
            np.testing.assert_array_equal(a, b[start:stop])


@functools.cache
def past_the_cache(domain, dtype):
    """Beyond the size from which stores go around the cache; one set of samples for many losses."""
    n = (9 << 20) // np.dtype(dtype).itemsize + 5
    rng = np.random.default_rng(11)
    y = labels_of(domain, rng, n).astype(dtype)
    return y, rng.normal(size=n), rng.random(n).astype(dtype)


@every_loss
@both_dtypes
def test_outputs_past_the_cache_at_any_alignment(reference, dtype):
    """They are stored by whole aligned vectors; where these begin changes no value and no sum."""
    y, f, w = past_the_cache(reference.labels, dtype)
    f, n = reference.inside(f).astype(dtype), f.size
    loss = fl.get_loss(reference.name)
    # in small parts nothing is streamed
    parts = [slice(i, i + 16384) for i in range(0, n, 16384)]
    expected = [loss.gradient_hessian(y[p], f[p], w[p], reduction="sum") for p in parts]
    gradient, hessian = (np.concatenate(part) for part in zip(*expected, strict=True))
    sums = set()
    room = np.empty(2 * n + 200, dtype=dtype)
    for first, second in ((0, 0), (1, 1), (3, 3), (16, 5)):  # the last are not streamed: not alike
        g = room[first : first + n]
        h = room[n + 100 - n % 64 + second :][:n]
        value, *_ = loss.loss_gradient_hessian(y, f, w, reduction="sum", out=(None, g, h))
        np.testing.assert_array_equal(g, gradient)
        np.testing.assert_array_equal(h, hessian)
        sums.add(value)
    assert len(sums) == 1


@pytest.mark.parametrize(
    "name", ["half_squared_error", "log_loss", "hinge", "poisson", "cumulative_logit"]
)
@pytest.mark.parametrize("label_dtype", ["?", "B", "i", "q"])
@both_dtypes
def test_integer_labels_of_outputs_past_the_cache(name, label_dtype, dtype):
    """Converted in pieces, they give the bits of float labels, whatever is stored around the cache."""
    _, f, w = past_the_cache("binary", dtype)
    n = f.size
    y = np.random.default_rng(12).integers(0, 2, n).astype(label_dtype)
    f = f.astype(dtype)
    loss = fl.get_loss(name, **({"thresholds": [0.5]} if name == "cumulative_logit" else {}))
    room = np.empty(2 * n + 200, dtype=dtype)
    for weights in (None, w):
        expected = loss.loss_gradient_hessian(y.astype(dtype), f, weights, n_threads=1)
        for first, second, threads in ((0, 0, 1), (3, 3, 2), (16, 5, 3)):
            g, h = room[first:][:n], room[n + 100 - n % 64 + second :][:n]
            result = loss.loss_gradient_hessian(y, f, weights, out=(None, g, h), n_threads=threads)
            assert_same(result, expected)
