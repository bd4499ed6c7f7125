"""CrossEntropy's switches: z-loss, logit adjustment, the mean's divisor, how labels are smoothed."""

import re

import numpy as np
import pytest
from helpers.ulp import error_in_ulp
from mpmath import mp
from references.base import PRECISION

import fastloss as fl

BOUND, HESSIAN_BOUND = 4.0, 5.5  # below what the docs of CrossEntropy state


def exact(f, target, z_loss, adjustment, class_weight, smoothing):
    """Loss, gradient and Hessian by the definition, and the largest terms."""
    n = len(f)
    x = [mp.mpf(float(v)) + mp.mpf(float(a)) for v, a in zip(f, adjustment, strict=True)]
    z, smoothing = mp.mpf(z_loss), mp.mpf(smoothing)
    if np.ndim(target) == 0:
        target = [int(k == target) for k in range(n)]
    q = [
        mp.mpf(float(w)) * ((1 - smoothing) * mp.mpf(float(t)) + smoothing / n)
        for w, t in zip(class_weight, target, strict=True)
    ]
    top = max(x)
    log_sum = top + mp.log(mp.fsum(mp.exp(v - top) for v in x))
    p = [mp.exp(v - log_sum) for v in x]
    rest = [mp.fsum(p[:k] + p[k + 1 :]) for k in range(n)]
    total = mp.fsum(q)
    loss = mp.fsum(a * (log_sum - v) for a, v in zip(q, x, strict=True)) + z * log_sum**2
    gradient = [total * p[k] - q[k] + 2 * z * log_sum * p[k] for k in range(n)]
    hessian = [(total + 2 * z * log_sum) * p[k] * rest[k] + 2 * z * p[k] ** 2 for k in range(n)]
    terms = [max(total * p[k], q[k], abs(2 * z * log_sum * p[k])) for k in range(n)]
    bends = [
        max(total * p[k] * rest[k], abs(2 * z * log_sum) * p[k] * rest[k], 2 * z * p[k] ** 2)
        for k in range(n)
    ]
    # the normaliser is a sum of the largest logit and a logarithm, which may cancel
    return loss, gradient, hessian, terms, bends, 2 * z * abs(log_sum) * (abs(top) + 1)


CASES = [
    {"z_loss": 1e-4},
    {"z_loss": 0.5},
    {"logit_adjustment": (0.5, -2.0, 0.1)},
    {"z_loss": 0.01, "logit_adjustment": (30.0, 0.3, -1.0), "label_smoothing": 0.1},
    {"z_loss": 0.125, "class_weight": (1.0, 0.25, 3.0), "label_smoothing": 0.25},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("params", CASES, ids=str)
@pytest.mark.parametrize("soft", [False, True])
def test_within_its_bound(dtype, params, soft):
    rng = np.random.default_rng(8)
    f = np.concatenate([rng.normal(size=(30, 3)) * s for s in (0.1, 1, 5, 30)]).astype(dtype)
    y = rng.integers(0, 3, len(f))
    labels = (rng.dirichlet(np.ones(3), len(f)) if soft else y).astype(dtype if soft else int)
    # parameters that both dtypes hold, or the kernel's own rounding of them would be measured
    params = {
        key: tuple(float(np.float32(v)) for v in value)
        if isinstance(value, tuple)
        else float(np.float32(value))
        for key, value in params.items()
    }
    loss = fl.CrossEntropy(**params)
    value, gradient, hessian = loss.loss_gradient_hessian(labels, f, reduction="none")
    with mp.workprec(PRECISION[np.dtype(dtype).name]):
        for i in range(len(f)):
            want = exact(
                f[i],
                labels[i] if soft else int(y[i]),
                params.get("z_loss", 0.0),
                params.get("logit_adjustment", (0.0,) * 3),
                params.get("class_weight", (1.0,) * 3),
                params.get("label_smoothing", 0.0),
            )
            assert error_in_ulp(value[i], want[0], dtype, max(want[0], want[5])) <= BOUND
            for k in range(3):
                assert error_in_ulp(gradient[i, k], want[1][k], dtype, want[3][k]) <= 2 * BOUND
                assert (
                    error_in_ulp(hessian[i, k], want[2][k], dtype, want[4][k]) <= 2 * HESSIAN_BOUND
                )


def test_adjustment_of_zero_is_the_plain_loss():
    rng = np.random.default_rng(9)
    y, f, w = rng.integers(0, 5, 300), rng.normal(size=(300, 5)) * 4, rng.random(300)
    plain = fl.CrossEntropy(class_weight=(1, 2, 3, 4, 5), ignore_index=2)
    other = fl.CrossEntropy(
        class_weight=(1, 2, 3, 4, 5), ignore_index=2, logit_adjustment=np.zeros(5)
    )
    for reduction in ("mean", "sum", "none"):
        for part, want in zip(
            other.loss_gradient_hessian(y, f, w, reduction=reduction),
            plain.loss_gradient_hessian(y, f, w, reduction=reduction),
            strict=True,
        ):
            np.testing.assert_allclose(part, want, rtol=4e-15, atol=1e-18)
    np.testing.assert_array_equal(other.predict(f), plain.predict(f))
    soft = rng.dirichlet(np.ones(5), 300)
    a = fl.CrossEntropy(logit_adjustment=np.zeros(5)).loss_gradient(soft, f, w)
    b = fl.CrossEntropy().loss_gradient(soft, f, w)
    assert a[0] == pytest.approx(b[0], rel=1e-14)
    np.testing.assert_allclose(a[1], b[1], rtol=1e-13, atol=1e-18)


def test_z_loss_by_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(10)
    y, f = rng.integers(0, 40, 100), rng.normal(size=(100, 40)) * 4
    x = torch.tensor(f, requires_grad=True)
    want = torch.nn.functional.cross_entropy(x, torch.tensor(y))
    want = want + 0.01 * (torch.logsumexp(x, 1) ** 2).mean()
    want.backward()
    value, gradient = fl.CrossEntropy(z_loss=0.01).loss_gradient(y, f)
    assert value == pytest.approx(want.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-10, atol=1e-16)


def test_what_the_mean_divides_by():
    rng = np.random.default_rng(11)
    y, f, w = rng.integers(0, 3, 200), rng.normal(size=(200, 3)), rng.random(200)
    class_weight = np.array([0.5, 2.0, 3.0])
    for ignore in (None, 1):
        torch_like = fl.CrossEntropy(class_weight=class_weight, ignore_index=ignore)
        sklearn_like = fl.CrossEntropy(
            class_weight=class_weight, ignore_index=ignore, weighted_mean=False
        )
        counted = y != ignore if ignore is not None else np.ones(200, bool)
        total = torch_like(y, f, w, reduction="sum")
        assert total == sklearn_like(y, f, w, reduction="sum")
        by_class = (w * class_weight[y])[counted].sum()
        assert torch_like(y, f, w) == pytest.approx(total / by_class, rel=1e-13)
        assert sklearn_like(y, f, w) == pytest.approx(total / w[counted].sum(), rel=1e-13)
        gradient = sklearn_like.gradient(y, f, w, reduction="sum")
        np.testing.assert_allclose(
            sklearn_like.gradient(y, f, w), gradient / w[counted].sum(), rtol=1e-13
        )
        assert sklearn_like.partial(y, f, w).weight_sum == pytest.approx(w[counted].sum())


def test_scikit_learns_mean_with_class_weights():
    from sklearn._loss.loss import HalfMultinomialLoss

    rng = np.random.default_rng(12)
    y, f, w = rng.integers(0, 3, 200), rng.normal(size=(200, 3)), rng.random(200)
    class_weight = np.array([0.5, 2.0, 3.0])
    theirs = HalfMultinomialLoss(n_classes=3)
    each = theirs.loss(y_true=y.astype(float), raw_prediction=f, sample_weight=w * class_weight[y])
    ours = fl.CrossEntropy(class_weight=class_weight, weighted_mean=False)
    assert ours(y, f, w) == pytest.approx(each.sum() / w.sum(), rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_smoothing_by_the_labels_weight(dtype, weighted):
    rng = np.random.default_rng(13)
    y, f = rng.integers(0, 3, 200), rng.normal(size=(200, 3)).astype(dtype)
    w = rng.random(200).astype(dtype) if weighted else None
    class_weight = np.array([0.5, 2.0, 3.0])
    loss = fl.CrossEntropy(
        class_weight=class_weight, label_smoothing=0.1, weighted_smoothing=False, ignore_index=-7
    )
    y[5] = -7
    each = class_weight[np.maximum(y, 0)] * (y >= 0) * (1 if w is None else w)
    want = fl.CrossEntropy(label_smoothing=0.1, ignore_index=-7).loss_gradient(
        y, f, each.astype(dtype), reduction="none"
    )
    got = loss.loss_gradient(y, f, w, reduction="none")
    rtol = 1e-6 if dtype == np.float32 else 1e-14
    for part, whole in zip(got, want, strict=True):
        np.testing.assert_allclose(part, whole, rtol=rtol, atol=rtol)
    assert loss(y, f, w) == pytest.approx(want[0].sum(dtype=np.float64) / each.sum(), rel=1e-6)
    best = loss.initial_prediction(y, w)
    least = loss(y, np.tile(best, (200, 1)), w)
    for _ in range(50):
        other = best + rng.normal(size=3) * 0.01
        assert least <= loss(y, np.tile(other, (200, 1)), w) + 1e-12


def test_all_ignored():
    y, f = np.full(4, -100), np.zeros((4, 3))
    nan = fl.CrossEntropy(ignore_index=-100)
    zero = fl.CrossEntropy(ignore_index=-100, all_ignored="zero")
    with pytest.warns(RuntimeWarning, match="samples that are all ignored"):
        assert np.isnan(nan(y, f))
    value, gradient = zero.loss_gradient(y, f)
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
    with pytest.warns(RuntimeWarning, match="an empty array"):
        assert np.isnan(zero(y[:0], f[:0]))


@pytest.mark.parametrize("z_loss", [0.0, 0.3])
def test_no_constant_is_better(z_loss):
    rng = np.random.default_rng(14)
    y = rng.integers(0, 3, 300)
    loss = fl.CrossEntropy(
        z_loss=z_loss, logit_adjustment=(0.5, -1.0, 2.0), class_weight=(1.0, 2.0, 0.5)
    )
    best = loss.initial_prediction(y)
    least = loss(y, np.tile(best, (300, 1)))
    for scale in (1e-4, 0.1, 2.0):
        for _ in range(30):
            other = best + rng.normal(size=3) * scale
            assert least <= loss(y, np.tile(other, (300, 1))) + 1e-12


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"z_loss": -1.0}, ValueError, "z_loss = -1.0: expected a number of at least 0"),
        (
            {"logit_adjustment": [1.0, np.inf]},
            ValueError,
            "logit_adjustment[1] = inf: expected a finite number",
        ),
        ({"weighted_mean": 1}, TypeError, "weighted_mean = 1: expected True or False"),
        (
            {"weighted_smoothing": "no"},
            TypeError,
            "weighted_smoothing = 'no': expected True or False",
        ),
        ({"all_ignored": "one"}, ValueError, "all_ignored = 'one': expected 'nan' or 'zero'"),
    ],
)
def test_parameters_outside_their_domain(params, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        fl.CrossEntropy(**params)


def test_a_wrong_number_of_adjustments():
    message = (
        "logit_adjustment has 2 entries, raw_prediction has 3 outputs a sample: they must be equal"
    )
    with pytest.raises(ValueError, match=f"^{message}"):
        fl.CrossEntropy(logit_adjustment=(1.0, 2.0))([0], [[0.0, 0.0, 0.0]])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("adjustment", [None, (0.5, 0.0, -0.5)])
@pytest.mark.parametrize(
    ("weighted_smoothing", "y", "factor"),
    [(True, [0], 1.0), (False, [0], 5.0), (True, "soft", 1.0), (False, "soft", 1.0)],
)
def test_the_weights_of_the_z_loss(smoothing, adjustment, weighted_smoothing, y, factor):
    """Sample weights multiply it, and that of the label where it is the weight of the whole sample."""
    f = np.array([[1.0, 2.0, 3.0]])
    y = np.array([[1.0, 0.0, 0.0]]) if y == "soft" else y
    with_and_without = [
        fl.CrossEntropy(
            class_weight=[5, 1, 1],
            label_smoothing=smoothing,
            logit_adjustment=adjustment,
            weighted_smoothing=weighted_smoothing,
            z_loss=z,
        ).loss(y, f, [3.0], reduction="none")[0]
        for z in (0.1, 0.0)
    ]
    shifted = f if adjustment is None else f + np.array(adjustment)
    added = 0.1 * np.log(np.exp(shifted).sum()) ** 2
    assert np.subtract(*with_and_without) == pytest.approx(3.0 * factor * added, rel=1e-12)
