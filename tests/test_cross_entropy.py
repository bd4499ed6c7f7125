"""Softmax cross-entropy: its formula with every switch, infinities, predict, the start."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.cross_entropy import CLASSES, assert_same_sample, data

import fastloss as fl

# ---------------------------------------------------------------- semantics


def numpy_reference(y, f, w=None, class_weight=None, label_smoothing=0.0, ignore_index=None):
    """Samples' losses, gradients, Hessians and the mean's divisor; class axis last."""
    n_classes = f.shape[-1]
    f = f.astype(np.float64)
    cw = np.ones(n_classes) if class_weight is None else np.asarray(class_weight)
    w = np.ones(f.shape[:-1]) if w is None else w.astype(np.float64)
    if y.shape == f.shape:
        target, kept = y.astype(np.float64), np.ones(f.shape[:-1], dtype=bool)
        divisor = w.sum()
    else:
        y = y.astype(np.int64)
        kept = np.ones(y.shape, bool) if ignore_index is None else y != ignore_index
        hard = np.where(kept, y, 0)
        target = np.eye(n_classes)[hard]
        divisor = (w * cw[hard])[kept].sum()
    q = cw * ((1 - label_smoothing) * target + label_smoothing / n_classes)
    shifted = f - f.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    p, total = np.exp(log_p), q.sum(axis=-1, keepdims=True)
    scale = (w * kept)[..., None]
    return (
        -(q * log_p).sum(axis=-1) * w * kept,
        (total * p - q) * scale,
        total * p * (1 - p) * scale,
        divisor,
    )


@both_dtypes
@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize(
    ("soft", "params"),
    [
        *(
            (soft, params)
            for soft in (False, True)
            for params in (
                {},
                {"label_smoothing": 0.2},
                {"class_weight": True},
                {"class_weight": True, "label_smoothing": 0.2},
            )
        ),
        # of soft labels there is no index to ignore
        (False, {"ignore_index": 1}),
        (False, {"ignore_index": -100, "class_weight": True, "label_smoothing": 0.2}),
    ],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_semantics(dtype, n_classes, soft, params, weighted):
    y, f, w = data(37 if n_classes > 100 else 300, n_classes, dtype)
    w = w if weighted else None
    params = dict(params)
    if params.get("class_weight"):
        params["class_weight"] = np.linspace(0.25, 2.0, n_classes).tolist()
    if "ignore_index" in params:
        y[::5] = params["ignore_index"]
        if n_classes == 1:
            y[y == 1] = params["ignore_index"]
    if soft:
        y = np.random.default_rng(1).random(f.shape).astype(dtype)
    loss = fl.CrossEntropy(**params)
    *expected, divisor = numpy_reference(y, f, w, **params)
    tolerance = {"rtol": 0, "atol": 30 * np.finfo(dtype).eps * n_classes**0.5}
    each = loss.loss_gradient_hessian(y, f, w, reduction="none")
    for mine, theirs in zip(each, expected, strict=True):
        assert mine.dtype == dtype
        scale = max(1, np.abs(theirs).max())
        np.testing.assert_allclose(mine / scale, theirs / scale, **tolerance)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="sum")
    assert type(value) is float
    exact = float(each[0].astype(np.longdouble).sum())
    assert value == pytest.approx(exact, rel=1e-13)
    np.testing.assert_array_equal(gradient, each[1])
    np.testing.assert_array_equal(hessian, each[2])
    part = loss.partial(y, f, w)
    assert part.loss_sum == value
    assert part.weight_sum == pytest.approx(divisor, rel=1e-6 if dtype == np.float32 else 1e-13)
    assert part.n_samples == len(f)
    divisor = part.weight_sum
    mean, gradient, hessian = loss.loss_gradient_hessian(y, f, w)
    assert mean == part.mean()
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(gradient, each[1] / divisor, rtol=4 * eps, atol=0)
    np.testing.assert_allclose(hessian, each[2] / divisor, rtol=4 * eps, atol=0)


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 130])
def test_reductions_accumulate_in_float64(dtype, n_classes):
    y, f, _ = data(1_000_003 // n_classes, n_classes, dtype)
    each = fl.CrossEntropy().loss(y, f, reduction="none").astype(np.longdouble)
    exact = float(each.sum())
    assert fl.CrossEntropy().loss(y, f, reduction="sum") == pytest.approx(exact, rel=1e-13)
    assert fl.CrossEntropy().loss(y, f) == pytest.approx(exact / len(y), rel=1e-13)


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 17, 300])
def test_every_operation_gives_the_same_bits(dtype, n_classes):
    y, f, w = data(200, n_classes, dtype)
    loss = fl.CrossEntropy(label_smoothing=0.1)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(loss.loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss(y, f, w, reduction="none"), value)
    np.testing.assert_array_equal(loss.gradient(y, f, w, reduction="none"), gradient)
    both = loss.loss_gradient(y, f, w, reduction="none")
    np.testing.assert_array_equal(both[0], value)
    np.testing.assert_array_equal(both[1], gradient)
    both = loss.gradient_hessian(y, f, w, reduction="none")
    np.testing.assert_array_equal(both[0], gradient)
    np.testing.assert_array_equal(both[1], hessian)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_sums_of_partials(n_classes):
    y, f, w = data(1000, n_classes)
    y[::7] = -1
    loss = fl.CrossEntropy(ignore_index=-1, class_weight=np.linspace(1, 2, n_classes))
    cuts = [0, 1, 333, 333, 1000]
    parts = [loss.partial(y[a:b], f[a:b], w[a:b]) for a, b in pairwise(cuts)]
    assert sum(parts).mean() == pytest.approx(loss.loss(y, f, w), rel=1e-13)
    assert sum(parts).n_samples == 1000


def test_all_ignored():
    loss = fl.CrossEntropy(ignore_index=-100)
    y, f = np.full(4, -100), np.ones((4, 3))
    message = r"^mean of samples that are all ignored or whose weights sum to zero is NaN$"
    with pytest.warns(RuntimeWarning, match=message):
        value = loss.loss(y, f)
    assert np.isnan(value)
    value, gradient, hessian = loss.loss_gradient_hessian(y, f, reduction="sum")
    assert value == 0.0
    assert not gradient.any()
    assert not hessian.any()


def test_nan_in_an_ignored_sample_does_not_count():
    f = np.ones((3, 4))
    f[1] = np.nan, np.inf, -np.inf, 1
    loss = fl.CrossEntropy(ignore_index=9)
    value, gradient, hessian = loss.loss_gradient_hessian(np.array([0, 9, 1]), f)
    assert np.isfinite(value)
    assert not gradient[1].any()
    assert not hessian[1].any()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("shape", [(0, 3), (4, 0, 3)])
def test_empty(shape):
    loss, f = fl.CrossEntropy(), np.empty(shape)
    y = np.empty(shape[:-1], dtype=int)
    with pytest.warns(RuntimeWarning, match=r"^mean of an empty array is NaN$"):
        value, gradient = loss.loss_gradient(y, f)
    assert np.isnan(value)
    assert gradient.shape == shape
    assert loss.loss(y, f, reduction="sum") == 0.0
    assert loss.loss(y, f, reduction="none").shape == shape[:-1]
    assert loss.predict(f).shape == shape


def test_one_sample_without_a_sample_axis():
    loss, f = fl.CrossEntropy(), np.array([1.0, 2.0, 0.5])
    expected = loss.loss_gradient(np.array([1]), f[None], reduction="none")
    value, gradient = loss.loss_gradient(1, f)
    assert value == expected[0][0]
    np.testing.assert_array_equal(gradient, expected[1][0])
    assert loss.loss(1, f, reduction="none").shape == ()
    assert loss.loss(1, f, 0.5, reduction="none") == 0.5 * value


# ---------------------------------------------------------------- NaN and infinity


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_stay_in_their_sample(dtype, n_classes, bad):
    y, f, _ = data(150, n_classes, dtype)
    clean = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for index in (0, 63, 149):
        spoilt = f.copy()
        spoilt[index, n_classes - 1] = bad
        dirty = fl.CrossEntropy().loss_gradient_hessian(y, spoilt, reduction="none")
        keep = np.arange(150) != index
        for a, b in zip(clean, dirty, strict=True):
            assert_same_sample(a[keep], b[keep])
        if np.isnan(bad):
            assert np.isnan(dirty[0][index])
            assert np.isnan(dirty[1][index]).all()
            assert np.isnan(fl.CrossEntropy().loss(y, spoilt))
            assert np.isnan(fl.CrossEntropy().predict(spoilt)[index]).all()


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
def test_a_logit_of_minus_infinity_is_a_probability_of_0(dtype, n_classes):
    f = np.zeros((2, n_classes), dtype=dtype)
    f[:, -1] = -np.inf
    value, gradient, hessian = fl.CrossEntropy().loss_gradient_hessian(
        [0, n_classes - 1], f, reduction="none"
    )
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(value, [np.log(n_classes - 1), np.inf], rtol=2 * eps, atol=0)
    assert (gradient[:, -1] == [0, -1]).all()
    assert (hessian[:, -1] == 0).all()
    assert np.isfinite(gradient).all()
    p = fl.CrossEntropy().predict(f)
    assert (p[:, -1] == 0).all()
    np.testing.assert_allclose(p[:, :-1], 1 / (n_classes - 1), rtol=2 * eps)


@both_dtypes
def test_soft_labels_of_0_drop_an_infinite_term(dtype):
    f = np.array([[0.0, -np.inf, 0.0]], dtype=dtype)
    value, gradient = fl.CrossEntropy().loss_gradient(np.array([[0.5, 0.0, 0.5]]), f)
    assert value == pytest.approx(np.log(2), rel=1e-6)
    assert gradient[0, 1] == 0


# ---------------------------------------------------------------- predict and the start


@pytest.mark.parametrize("n_classes", CLASSES)
def test_probabilities_sum_to_one(n_classes):
    _, f, _ = data(50, n_classes)
    p = fl.CrossEntropy().predict(f)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-13)
    assert (p.argmax(axis=1) == f.argmax(axis=1)).all()


def test_initial_prediction_minimises():
    rng = np.random.default_rng(47)
    for n_classes in (2, 3, 10):
        y, w = rng.integers(0, n_classes, 500), rng.random(500)
        y[:n_classes] = np.arange(n_classes)
        for params in (
            {},
            {"label_smoothing": 0.1},
            {"class_weight": np.linspace(1, 3, n_classes)},
            {"ignore_index": 1},
        ):
            loss = fl.CrossEntropy(**params)
            start = loss.initial_prediction(y, w, n_classes=n_classes)
            assert start.shape == (n_classes,)
            assert abs(start.mean()) < 1e-13
            gradient = loss.gradient(y, np.broadcast_to(start, (500, n_classes)), w)
            if params.get("ignore_index") is None:
                np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-13)
        soft = rng.random((500, n_classes))
        start = fl.CrossEntropy().initial_prediction(soft, w)
        gradient = fl.CrossEntropy().gradient(soft, np.broadcast_to(start, soft.shape), w)
        np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-13)


def test_initial_prediction_of_a_class_that_does_not_occur_is_finite():
    start = fl.CrossEntropy().initial_prediction([0, 0, 2], n_classes=4)
    assert np.isfinite(start).all()
    assert start[0] > start[2] > start[1] == start[3]
    assert fl.CrossEntropy().initial_prediction([0, 2]).shape == (3,)
    np.testing.assert_array_equal(fl.CrossEntropy().initial_prediction([0, 0]), [0.0])


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"label_smoothing": 0.25},
        {"class_weight": [1.0, 2.0]},
        {"class_weight": np.array([0.5, 0.0]), "ignore_index": -100, "label_smoothing": 1.0},
        {"ignore_index": np.int16(3)},
    ],
)
def test_values(params):
    loss, again = fl.CrossEntropy(**params), fl.CrossEntropy(**params)
    assert loss == again
    assert hash(loss) == hash(again)
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert fl.get_loss("cross_entropy", **params) == loss
    for other in (pickle.loads(pickle.dumps(loss)), copy.copy(loss), copy.deepcopy(loss)):
        assert other == loss
        f = np.array([[1.0, 0.0]])
        assert other.loss([0], f) == loss.loss([0], f)
    assert loss.label_smoothing == params.get("label_smoothing", 0.0)
    assert loss.ignore_index == params.get("ignore_index")
    if "class_weight" in params:
        assert loss != fl.CrossEntropy()
        params["class_weight"][0] = 77.0
        assert loss.class_weight[0] != 77.0
        assert loss == again
