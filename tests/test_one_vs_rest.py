"""OneVsRest: the sum of a binary loss over the outputs, for classes and for several labels."""

import pickle
import re

import numpy as np
import pytest
from helpers.calls import tuple_of

import fastloss as fl

BINARY = [fl.LogLoss(pos_weight=3.0), fl.Hinge(), fl.SquaredHinge(cost_fn=2.0)]


def data(n=5000, n_classes=7, dtype=np.float64):
    rng = np.random.default_rng(5)
    f = (rng.normal(size=(n, n_classes)) * 2).astype(dtype)
    return rng.integers(0, n_classes, n), f, rng.random(n).astype(dtype)


@pytest.mark.parametrize("binary", BINARY, ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_sum_of_binary_losses(binary, dtype, weighted, reduction):
    y, f, w = data(dtype=dtype)
    w = w if weighted else None
    loss = fl.OneVsRest(binary)
    one_hot = np.eye(f.shape[1])[y]
    columns = None if w is None else np.repeat(w[:, None], f.shape[1], axis=1)
    want = binary.loss_gradient_hessian(one_hot, f, columns, reduction="none")
    total = len(y) if w is None else w.sum(dtype=np.float64)
    divisor = total if reduction == "mean" else 1.0
    rtol = 4e-7 if dtype == np.float32 else 4e-15
    for labels in (y, y.astype(np.float32), one_hot, one_hot.astype(np.int8)):
        value, gradient, hessian = loss.loss_gradient_hessian(labels, f, w, reduction=reduction)
        sums = want[0].astype(np.float64).sum(axis=1)
        if reduction == "none":
            np.testing.assert_allclose(value, sums, rtol=rtol)
        else:
            assert value == pytest.approx(sums.sum() / divisor, rel=rtol)
        np.testing.assert_allclose(gradient, want[1] / divisor, rtol=2 * rtol)
        np.testing.assert_allclose(hessian, want[2] / divisor, rtol=2 * rtol)
        assert gradient.dtype == dtype
        assert loss(labels, f, w, reduction="sum") == pytest.approx(sums.sum(), rel=rtol)


def test_any_class_axis_and_outputs():
    y, f, w = data(240, 5)
    loss = fl.OneVsRest()
    want = loss.loss_gradient_hessian(y, f, w, reduction="none")
    images = np.ascontiguousarray(np.moveaxis(f.reshape(6, 8, 5, 5), -1, 1))
    out = tuple(np.full(shape, -1.0) for shape in ((6, 8, 5), images.shape, images.shape))
    got = loss.loss_gradient_hessian(
        y.reshape(6, 8, 5), images, w.reshape(6, 8, 5), reduction="none", axis=1, out=out
    )
    assert all(a is b for a, b in zip(got, out, strict=True))
    np.testing.assert_array_equal(got[0].ravel(), want[0])
    for part, whole in zip(got[1:], want[1:], strict=True):
        np.testing.assert_array_equal(np.moveaxis(part, 1, -1).reshape(-1, 5), whole)
    same = f.copy()
    loss.gradient(y, same, w, reduction="none", out=same)
    np.testing.assert_array_equal(same, want[1])


def test_threads_do_not_change_the_bits():
    y, f, w = data(40_000, 10)
    loss = fl.OneVsRest()
    want = loss.loss_gradient(y, f, w, n_threads=1)
    for threads in (2, 3, 7):
        got = loss.loss_gradient(y, f, w, n_threads=threads)
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])


def test_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    y, f = rng.integers(0, 2, (300, 4)).astype(float), rng.normal(size=(300, 4)) * 3
    x = torch.tensor(f, requires_grad=True)
    want = torch.nn.functional.multilabel_soft_margin_loss(x, torch.tensor(y))
    want.backward()
    value, gradient = fl.OneVsRest().loss_gradient(y, f)
    assert value / 4 == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(gradient / 4, x.grad.numpy(), rtol=1e-12)


def test_predict_and_best_constants():
    y, f, w = data(400, 3)
    loss = fl.OneVsRest()
    np.testing.assert_array_equal(loss.predict(f), fl.LogLoss().predict(f))
    best = loss.initial_prediction(y, w)
    for k in range(3):
        assert best[k] == fl.LogLoss().initial_prediction(y == k, w)
    np.testing.assert_array_equal(loss.initial_prediction(np.eye(3)[y], w), best)
    assert loss.initial_prediction([0, 1], n_classes=4).shape == (4,)
    assert loss.partial(y, f, w).weight_sum == pytest.approx(w.sum())


def test_values():
    loss = fl.OneVsRest(fl.Hinge(cost_fn=2.0))
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert hash(loss) == hash(fl.OneVsRest(fl.Hinge(cost_fn=2.0)))
    assert loss != fl.OneVsRest(fl.Hinge())
    assert loss.base_loss == fl.Hinge(cost_fn=2.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fl.OneVsRest(3),
            TypeError,
            "loss = 3: expected a binary loss of fastloss, such as fl.Hinge()",
        ),
        (
            lambda: fl.OneVsRest(fl.SquaredError()),
            ValueError,
            "loss = SquaredError(): expected a binary loss, whose labels are 0 and 1",
        ),
        (
            lambda: fl.OneVsRest()([3], [[0.0, 1.0]]),
            ValueError,
            "y_true[0] = 3: OneVsRest expects class labels 0 to 1",
        ),
        (
            lambda: fl.OneVsRest()([0, 1], [[0.0, 1.0]], axis=0),
            ValueError,
            "y_true[1] = 1: OneVsRest expects class labels 0 to 0",
        ),
        (
            lambda: fl.OneVsRest()([0], [[0.0, 1.0]], [1.0, 2.0]),
            ValueError,
            "sample_weight has shape (2,): expected (1,), raw_prediction's without the class axis",
        ),
        (
            lambda: fl.OneVsRest()([0], [[0.0, 1.0]], [-1.0]),
            ValueError,
            "sample_weight[0] = -1.0: weights must be finite and not negative",
        ),
        (
            lambda: fl.OneVsRest().gradient([0], [[0.0, 1.0]], out=np.empty((1, 2), np.float32)),
            TypeError,
            "out (gradient) has dtype float32: expected float64, that of raw_prediction",
        ),
        (
            lambda: fl.OneVsRest()([0], [[0.0, 1.0]], reduction="all"),
            ValueError,
            "reduction = 'all': expected 'mean', 'sum' or 'none'",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


def test_empty():
    with pytest.warns(RuntimeWarning, match="mean of an empty array is NaN"):
        assert np.isnan(fl.OneVsRest()(np.zeros(0, int), np.zeros((0, 3))))
    assert fl.OneVsRest()(np.zeros(0, int), np.zeros((0, 3)), reduction="sum") == 0.0


def test_labels_are_checked_before_anything_is_written():
    f = np.zeros((50_000, 5))
    y = np.zeros((50_000, 5), np.int8)
    y[40_000, 2] = 2
    before = f.copy()
    message = r"^y_true\[40000, 2\] = 2: OneVsRest expects classes, or labels in \[0, 1\]$"
    with pytest.raises(ValueError, match=message):
        fl.OneVsRest().gradient(y, f, out=f)
    np.testing.assert_array_equal(f, before)
    with pytest.raises(ValueError, match=r"expects classes, or labels 0 or 1$"):
        fl.OneVsRest(fl.Hinge())([[0.5, 0.0]], [[0.0, 0.0]])


def test_weights_that_sum_to_zero():
    with pytest.warns(RuntimeWarning, match="samples whose weights sum to zero"):
        value, gradient = fl.OneVsRest().loss_gradient([0], [[0.0, 1.0]], [0.0])
    assert np.isnan(value)
    assert np.isnan(gradient).all()


def test_any_byte_order_and_no_output_over_itself():
    y, f, _ = data(50, 3)
    want = fl.OneVsRest().gradient(y, f)
    got = fl.OneVsRest().gradient(y, f.astype(">f8"), out=np.empty_like(f))
    np.testing.assert_array_equal(got, want)
    out = np.lib.stride_tricks.as_strided(np.empty(3), (50, 3), (0, 8))
    with pytest.raises(ValueError, match="overlaps itself"):
        fl.OneVsRest().gradient(y, f, out=out)
    with pytest.raises(ValueError, match="n_threads = -3"):
        fl.OneVsRest()(y, f, n_threads=-3)


@pytest.mark.parametrize("binary", BINARY, ids=lambda loss: loss.name)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_short_way_gives_what_the_long_one_does(binary, reduction):
    y, f, _ = data(999, 6)
    loss = fl.OneVsRest(binary)
    long = np.asfortranarray(f)  # any other layout is out of the ordinary
    for operation in ("loss", "gradient", "loss_gradient", "gradient_hessian"):
        for labels in (y, y.astype(np.int32), np.eye(6)[y]):
            got = getattr(loss, operation)(labels, f, reduction=reduction)
            want = getattr(loss, operation)(labels, long, reduction=reduction)
            for part, whole in zip(tuple_of(got), tuple_of(want), strict=True):
                assert type(part) is type(whole)
                np.testing.assert_allclose(part, whole, rtol=1e-13)
    out = np.empty_like(f)
    value, gradient = loss.loss_gradient(y, f, reduction=reduction, out=(None, out))
    assert gradient is out
    assert value == loss.loss(y, f, reduction=reduction)
    sums = loss.partial(y, f)
    assert (sums.weight_sum, sums.n_samples) == (999, 999)


@pytest.mark.parametrize("label", [1 + 1e-12, -1e-60])
def test_labels_are_judged_before_they_are_rounded(label):
    """Whatever the layout, weights or reduction."""
    y, f = np.array([[label, 0.0], [0.0, 1.0]]), np.zeros((2, 2), np.float32)
    message = re.escape(f"y_true[0, 0] = {label!r}: OneVsRest expects")
    for raw in (f, np.asfortranarray(f)):
        for reduction in ("sum", "mean", "none"):
            for weight in (None, [1.0, 1.0]):
                with pytest.raises(ValueError, match=message):
                    fl.OneVsRest().loss(y, raw, weight, reduction=reduction)
