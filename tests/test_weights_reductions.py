"""Weights and reductions: how mean, sum and none relate; empty and weightless input."""

from itertools import pairwise

import numpy as np
import pytest
from helpers.calls import OPERATIONS, both_dtypes, tuple_of
from references import REFERENCES, case_id
from references.base import labels_of

import fastloss as fl

every_loss = pytest.mark.parametrize("reference", REFERENCES.values(), ids=case_id)


def data(reference, n=1000, dtype=np.float64, seed=2):
    rng = np.random.default_rng(seed)
    return (
        labels_of(reference.labels, rng, n).astype(dtype),
        reference.inside(rng.uniform(-4, 4, n)).astype(dtype),
        rng.integers(0, 9, n).astype(dtype) / 4,
    )


@every_loss
@both_dtypes
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions_relate(reference, dtype, weighted):
    y, f, w = data(reference, dtype=dtype)
    w = w if weighted else None
    total = float(len(y)) if w is None else float(w.astype(np.float64).sum())
    loss = fl.get_loss(reference.name)
    each = loss.loss_gradient_hessian(y, f, w, reduction="none")
    summed = loss.loss_gradient_hessian(y, f, w, reduction="sum")
    mean = loss.loss_gradient_hessian(y, f, w, reduction="mean")
    assert [part.dtype for part in each] == [dtype] * 3
    assert type(summed[0]) is float
    assert type(mean[0]) is float
    scale = np.abs(each[0].astype(np.longdouble)).sum()
    eps = np.finfo(dtype).eps
    assert abs(summed[0] - each[0].astype(np.longdouble).sum()) <= 1e-14 * scale
    assert mean[0] == summed[0] / total
    for part in (1, 2):
        np.testing.assert_array_equal(summed[part], each[part])
        np.testing.assert_allclose(mean[part], each[part] / total, rtol=2 * eps)


@every_loss
@both_dtypes
def test_weight_multiplies_every_value(reference, dtype):
    y, f, w = data(reference, dtype=dtype)
    loss = fl.get_loss(reference.name)
    plain = loss.loss_gradient_hessian(y, f, reduction="none")
    weighted = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for one, other in zip(plain, weighted, strict=True):
        np.testing.assert_array_equal(other, one * w)


@every_loss
def test_weights_of_one_change_nothing(reference):
    y, f, _ = data(reference)
    loss = fl.get_loss(reference.name)
    for weights in (np.ones(len(y)), np.ones(len(y), dtype=bool), np.ones(len(y), dtype=np.int16)):
        for operation in OPERATIONS:
            for reduction in ("mean", "sum", "none"):
                with_ones = getattr(loss, operation)(y, f, weights, reduction=reduction)
                without = getattr(loss, operation)(y, f, reduction=reduction)
                for a, b in zip(tuple_of(with_ones), tuple_of(without), strict=True):
                    np.testing.assert_array_equal(a, b)


@every_loss
@both_dtypes
def test_weight_zero_is_as_if_the_sample_were_absent(reference, dtype):
    y, f, w = data(reference, dtype=dtype)
    loss = fl.get_loss(reference.name)
    present = w > 0
    value, gradient = loss.loss_gradient(y, f, w)
    expected, expected_gradient = loss.loss_gradient(y[present], f[present], w[present])
    assert value == pytest.approx(expected, rel=1e-14 if dtype == np.float64 else 1e-6, abs=1e-12)
    np.testing.assert_array_equal(gradient[present], expected_gradient)
    assert not gradient[~present].any()


@every_loss
@both_dtypes
@pytest.mark.parametrize("exponent", [-100, 100])
def test_mean_does_not_depend_on_the_scale_of_the_weights(reference, dtype, exponent):
    y, f, w = data(reference, dtype=dtype)
    loss = fl.get_loss(reference.name)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w)
    scaled = loss.loss_gradient_hessian(y, f, w * dtype(2.0**exponent))
    eps = float(np.finfo(dtype).eps)
    assert scaled[0] == pytest.approx(value, rel=4 * eps)
    np.testing.assert_allclose(scaled[1], gradient, rtol=4 * eps)
    np.testing.assert_allclose(scaled[2], hessian, rtol=4 * eps)


@every_loss
@both_dtypes
@pytest.mark.parametrize("operation", OPERATIONS)
def test_empty(reference, dtype, operation):
    loss = fl.get_loss(reference.name)
    empty = np.empty((3, 0, 2), dtype=dtype)
    method = getattr(loss, operation)
    with pytest.warns(RuntimeWarning, match=r"^mean of an empty array is NaN$") as caught:
        parts = method(empty, empty)
    assert caught[0].filename == __file__
    parts = tuple_of(parts)
    if "loss" in operation:
        assert np.isnan(parts[0])
        parts = parts[1:]
    for part in parts:
        assert part.shape == (3, 0, 2)
        assert part.dtype == dtype
    for reduction in ("sum", "none"):
        parts = method(empty, empty, empty, reduction=reduction)
        parts = tuple_of(parts)
        if "loss" in operation and reduction == "sum":
            assert parts[0] == 0.0
            parts = parts[1:]
        for part in parts:
            assert part.shape == (3, 0, 2)


@every_loss
@both_dtypes
def test_weights_that_sum_to_zero(reference, dtype):
    y, f, _ = data(reference, n=5, dtype=dtype)
    loss = fl.get_loss(reference.name)
    w = np.zeros(5)
    with pytest.warns(RuntimeWarning, match=r"^mean of samples whose weights sum to zero is NaN$"):
        value, gradient, hessian = loss.loss_gradient_hessian(y, f, w)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
    assert np.isnan(hessian).all()
    value, gradient = loss.loss_gradient(y, f, w, reduction="sum")
    assert value == 0.0
    assert not gradient.any()
    assert not loss.loss(y, f, w, reduction="none").any()


@every_loss
def test_scalars(reference):
    loss = fl.get_loss(reference.name)
    y, f = 1, 0.25
    expected = loss.loss_gradient_hessian([y], [f], reduction="none")
    for arguments in (
        (y, f),
        (np.array(y), np.array(f)),
        (np.int64(y), np.float64(f)),
        (True, np.array(f)),
    ):
        value, gradient, hessian = loss.loss_gradient_hessian(*arguments, np.array(1.0))
        assert value == expected[0][0]
        assert gradient.shape == hessian.shape == ()
        assert gradient == expected[1][0]
        assert hessian == expected[2][0]
        assert loss.loss(*arguments, reduction="none").shape == ()
    assert loss.predict(f).shape == (() if reference.predict else (3,))


@every_loss
@pytest.mark.parametrize("shape", [(7,), (2, 3), (3, 1, 5), (2, 2, 2, 2, 3), (1,) * 20])
def test_shapes_are_element_by_element(reference, shape):
    y, f, w = (part.reshape(shape) for part in data(reference, n=int(np.prod(shape))))
    loss = fl.get_loss(reference.name)
    shaped = loss.loss_gradient_hessian(y, f, w, reduction="none")
    flat = loss.loss_gradient_hessian(y.ravel(), f.ravel(), w.ravel(), reduction="none")
    for one, other in zip(shaped, flat, strict=True):
        assert one.shape == shape
        np.testing.assert_array_equal(one.ravel(), other)
    assert loss.loss(y, f, w) == loss.loss(y.ravel(), f.ravel(), w.ravel())
    assert loss.predict(f).shape == (shape if reference.predict else (*shape, 3))


def test_lists_of_integers_become_float64():
    loss = fl.SquaredError()
    gradient = loss.gradient([1, 2], [3, 2])
    assert gradient.dtype == np.float64
    np.testing.assert_array_equal(gradient, [2.0, 0.0])
    assert loss.predict([1, 2]).dtype == np.float64


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_partial_sums_merge(reference, weighted):
    y, f, w = data(reference, n=10_000)
    loss = fl.get_loss(reference.name)
    w = w if weighted else None
    cuts = [0, 1, 7, 5000, 5000, 10_000]
    parts = [loss.partial(y[a:b], f[a:b], None if w is None else w[a:b]) for a, b in pairwise(cuts)]
    merged = sum(parts)
    assert isinstance(merged, fl.LossSums)
    assert merged.n_samples == 10_000
    assert merged.weight_sum == (10_000 if w is None else w.sum())
    assert merged.sum() == pytest.approx(loss.loss(y, f, w, reduction="sum"), rel=1e-13)
    assert merged.mean() == pytest.approx(loss.loss(y, f, w), rel=1e-13)
    whole = loss.partial(y, f, w)
    assert whole.loss_sum == loss.loss(y, f, w, reduction="sum")
    assert whole.mean() == loss.loss(y, f, w)


def test_partial_of_float32_uses_the_weights_that_the_loss_uses():
    rng = np.random.default_rng(0)
    y, f, w = rng.normal(size=(3, 1000))
    f, w = f.astype(np.float32), np.abs(w) * 0.1
    loss = fl.SquaredError()
    assert loss.partial(y, f, w).mean() == loss.loss(y, f, w)


def test_loss_sums_refuse_other_things():
    part = fl.LossSums(1.0, 2.0, 3)
    assert part.mean() == 0.5
    assert part + part == fl.LossSums(2.0, 4.0, 6)
    for other in (1, 1.0, None, "x"):
        with pytest.raises(TypeError):
            part + other
        with pytest.raises(TypeError):
            other + part


def test_a_sum_of_weights_that_overflows_has_no_mean():
    w = [1e308, 1e308]
    sums = fl.SquaredError().partial([1.0, 2.0], [1.0, 3.0], w)
    with pytest.raises(OverflowError, match=r"^weight_sum = inf: expected weights whose sum is"):
        sums.mean()
    halves = [fl.SquaredError().partial([1.0], [1.5], w[:1]) for _ in range(2)]
    with pytest.raises(OverflowError, match="weight_sum = inf"):
        sum(halves).mean()
