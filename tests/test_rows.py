"""Losses of several outputs: the registry, layouts, threads, reductions, weights, outputs."""

import warnings

import numpy as np
import pytest
from helpers.arrays import LAYOUTS
from helpers.calls import both_dtypes
from helpers.rows import data, every_loss
from helpers.ulp import ulp_distance
from mpmath import mp
from references.rows import ROW_REFERENCES, exact

import fastloss as fl

#: ULP, of losses that go the ways of the cross-entropy
WAYS_APART = {
    "multiclass_focal": 28,
    "symmetric_cross_entropy": 9,
    "multiclass_generalized_ce": 11,
}

# ---------------------------------------------------------------- registry


def test_the_references_are_all_row_losses():
    classes = {
        name
        for name in fl.available_losses()
        if not issubclass(type(fl.get_loss(name)), fl.LogLoss.__base__)
    }
    # made of others, or with tests of its own
    assert classes - {"cross_entropy", "one_vs_rest", "cumulative_logit"} == {
        r.name for r in ROW_REFERENCES
    }


# ---------------------------------------------------------------- layouts and threads


@both_dtypes
@every_loss
@pytest.mark.parametrize("n", [1, 5, 16, 33, 67, 700])
def test_a_sample_is_the_same_wherever_it_stands(reference, n_outputs, params, dtype, n):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, n, dtype)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for i in {0, n // 2, n - 1}:
        one = loss.loss_gradient_hessian(y[i : i + 1], f[i : i + 1], w[i : i + 1], reduction="none")
        for part, whole in zip(one, want, strict=True):
            np.testing.assert_array_equal(part[0], whole[i])


@both_dtypes
@every_loss
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_any_layout(reference, n_outputs, params, dtype, layout):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 150, dtype)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    arrange = LAYOUTS[layout]
    got = loss.loss_gradient_hessian(arrange(y), arrange(f), arrange(w), reduction="none")
    for part, whole in zip(got, want, strict=True):
        np.testing.assert_array_equal(part, whole)


@every_loss
@pytest.mark.parametrize("shape", [(6, 25), (2, 3, 25), (1, 150)])
def test_any_class_axis(reference, n_outputs, params, shape):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 150)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for axis in range(len(shape) + 1):
        rows = np.moveaxis(f.reshape(*shape, n_outputs), -1, axis)
        labels = y.reshape(*shape, n_outputs) if y.ndim == 2 else y.reshape(shape)
        if y.ndim == 2:
            labels = np.moveaxis(labels, -1, axis)
        for copy in (np.ascontiguousarray, np.asfortranarray, lambda a: a):
            got = loss.loss_gradient_hessian(
                copy(labels), copy(rows), w.reshape(shape), reduction="none", axis=axis
            )
            np.testing.assert_array_equal(got[0].ravel(), want[0])
            for part, whole in zip(got[1:], want[1:], strict=True):
                np.testing.assert_array_equal(
                    np.moveaxis(part, axis, -1).reshape(-1, n_outputs), whole
                )


@pytest.mark.parametrize(
    "reference",
    [reference for reference in ROW_REFERENCES if len(reference.outputs) > 1],  # else it is fixed
    ids=lambda reference: f"{reference.name}-{reference.labels}",
)
@pytest.mark.parametrize("n_outputs", [1, 2, 7, 30, 65, 200])
def test_many_outputs(reference, n_outputs):
    params = reference.parameters(n_outputs)[0]
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs, 37)
    got = loss.loss_gradient(y, f, reduction="none")
    with mp.workprec(200):
        for i in (0, 20, 36):
            value, gradient, _, _ = exact(reference, y[i], f[i], params)
            assert got[0][i] == pytest.approx(float(value), rel=1e-12, abs=1e-14)
            np.testing.assert_allclose(
                got[1][i], [float(g) for g in gradient], rtol=1e-12, atol=1e-14
            )


@both_dtypes
@every_loss
def test_the_bits_do_not_depend_on_the_threads(reference, n_outputs, params, dtype):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 40_000, dtype)
    want = loss.loss_gradient_hessian(y, f, w, n_threads=1)
    for threads in (2, 3, 7):
        got = loss.loss_gradient_hessian(y, f, w, n_threads=threads)
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])
        np.testing.assert_array_equal(got[2], want[2])


@every_loss
def test_labels_of_other_types(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs, 50)
    if reference.labels in ("class", "sets"):
        types = ["b", "h", "i", "q", "f", "d", ">i4"] + ["B"] * (reference.labels == "class")
        for kind in types:
            assert loss(y.astype(kind), f) == loss(y, f)
    else:
        half = y.astype(np.float16)
        assert loss(half, f) == loss(half.astype(np.float64), f)


# ---------------------------------------------------------------- reductions, weights, outputs


@both_dtypes
@every_loss
def test_reductions_and_weights(reference, n_outputs, params, dtype):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 300, dtype)
    each = loss.loss_gradient_hessian(y, f, reduction="none")
    tiny = float(np.finfo(dtype).tiny)
    tolerance = {"rtol": 4e-7 if dtype == np.float32 else 1e-15}
    for weights, total in ((None, 300.0), (w, w.sum(dtype=np.float64))):
        factor = np.ones(300, dtype) if weights is None else weights
        for reduction, divisor in (("none", 1.0), ("sum", 1.0), ("mean", total)):
            value, gradient, hessian = loss.loss_gradient_hessian(
                y, f, weights, reduction=reduction
            )
            if reduction == "none":
                np.testing.assert_allclose(value, each[0] * factor, **tolerance)
            else:
                sum_ = (each[0].astype(np.float64) * factor).sum()
                assert value == pytest.approx(
                    sum_ / divisor, rel=1e-6 if dtype == np.float32 else 1e-13
                )
            for part, whole in ((gradient, each[1]), (hessian, each[2])):
                want = whole.astype(np.float64) * factor[:, None] / divisor
                np.testing.assert_allclose(part, want, rtol=tolerance["rtol"] * 2, atol=tiny)
    a = loss.partial(y[:100], f[:100], w[:100])
    b = loss.partial(y[100:], f[100:], w[100:])
    assert (a + b).loss_sum == pytest.approx(loss(y, f, w, reduction="sum"), rel=1e-12)
    assert (a + b).n_samples == 300


@every_loss
def test_outputs_are_filled_and_may_be_the_prediction(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 90)
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    out = np.empty(90), np.empty_like(f), np.empty((n_outputs, 90)).T
    got = loss.loss_gradient_hessian(y, f, w, reduction="none", out=out)
    for part, given, whole in zip(got, out, want, strict=True):
        assert part is given
        np.testing.assert_array_equal(part, whole)
    for which in (1, 2):
        same = f.copy()
        places = [None, None, None]
        places[which] = same
        got = loss.loss_gradient_hessian(y, same, w, reduction="none", out=tuple(places))
        for part, whole in zip(got, want, strict=True):
            np.testing.assert_array_equal(part, whole)


@every_loss
def test_empty_and_weightless(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    y, f, w = data(reference, n_outputs, 4)
    assert loss(y[:0], f[:0], reduction="sum") == 0.0
    assert loss(y[:0], f[:0], reduction="none").shape == (0,)
    for labels, rows, weights in ((y[:0], f[:0], None), (y, f, 0 * w)):
        with pytest.warns(RuntimeWarning, match="mean of"):
            assert np.isnan(loss(labels, rows, weights))


@both_dtypes
@every_loss
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_sample(reference, n_outputs, params, dtype, bad):
    loss = fl.get_loss(reference.name, **params)
    y, f, _ = data(reference, n_outputs, 60, dtype)
    want = loss.loss_gradient_hessian(y, f, reduction="none")
    for k in range(n_outputs):
        spoilt = f.copy()
        spoilt[17, k] = bad
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = loss.loss_gradient_hessian(y, spoilt, reduction="none")
        keep = np.arange(60) != 17
        # the usual samples of a block go a way of their own if all of them are: twice the bound of each
        apart = WAYS_APART.get(reference.name, 0)
        for part, whole in zip(got, want, strict=True):
            assert (ulp_distance(part[keep], whole[keep]) <= apart).all()
        # the likelihood of a class asks for that class alone, an empty set for nothing
        if (
            np.isnan(bad)
            and reference.name != "nll"
            and not np.array_equal(y[17], [-1] * n_outputs)
        ):
            assert np.isnan(got[0][17])
            assert np.isnan(got[1][17]).any()
            assert np.isnan(got[2][17]).any()
