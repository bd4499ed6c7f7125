"""Losses of several outputs: links, best constants, limits, peers."""

import pickle

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.rows import data, every_loss
from mpmath import mp
from references.rows import ROW_REFERENCES, softmax, sparsemax_projection

import fastloss as fl

# ---------------------------------------------------------------- link and best constants


@both_dtypes
def test_predict(dtype):
    f = np.random.default_rng(5).normal(size=(4, 5, 3)).astype(dtype) * 2
    eps = np.finfo(dtype).eps
    with mp.workprec(100):
        for name in ("multiclass_focal", "jensen_shannon", "ranked_probability_score"):
            p = fl.get_loss(name).predict(f)
            want = [[float(x) for x in softmax([mp.mpf(float(v)) for v in row])] for row in f[0]]
            np.testing.assert_allclose(p[0], want, rtol=4 * eps)
        p = fl.Sparsemax().predict(np.moveaxis(f, -1, 1), axis=1)
        want = [
            [float(x) for x in sparsemax_projection([mp.mpf(float(v)) for v in row])[0]]
            for row in f[2]
        ]
        np.testing.assert_allclose(np.moveaxis(p, 1, -1)[2], want, atol=4 * eps)
    for name, link in (("nll", np.exp), ("coral", lambda x: 1 / (1 + np.exp(-x)))):
        np.testing.assert_allclose(fl.get_loss(name).predict(f), link(f), rtol=8 * eps)
    np.testing.assert_array_equal(fl.MulticlassHinge().predict(f), f)
    pairs = f[..., :2]
    result = fl.GaussianNLL().predict(pairs)
    np.testing.assert_array_equal(result[..., 0], pairs[..., 0])
    np.testing.assert_allclose(result[..., 1], np.exp(pairs[..., 1]), rtol=4 * eps)
    out = np.empty_like(pairs)
    assert fl.GaussianNLL().predict(pairs, out=out) is out


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better(reference, n_outputs, params, weighted):
    if reference.name == "multiclass_generalized_ce":
        params = {"q": 0.2}  # near 1 the best constant lies at infinity
    loss = fl.get_loss(reference.name, **params)
    rng = np.random.default_rng(11)
    y, _, w = data(reference, n_outputs, 200, seed=9)
    if reference.labels == "class":
        y = np.minimum(y, rng.integers(0, 5, 200))
        y[:n_outputs] = np.arange(n_outputs)
    w = w if weighted else None
    best = loss.initial_prediction(y, w)
    assert best.shape == (n_outputs,)

    def mean(constants):
        if reference.name in ("nll", "kl_divergence"):  # of log-probabilities
            constants = constants - np.log(np.exp(constants).sum())
        return loss(y, np.tile(constants, (200, 1)), w)

    least = mean(best)
    for scale in (1e-6, 1e-3, 0.1, 1.0, 5.0):
        for _ in range(40):
            other = mean(best + scale * rng.normal(size=n_outputs))
            assert least <= other + 1e-12 * abs(other)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_best_constants_of_the_hinge_loss_by_all_levels(n_classes):
    """The shortest path finds what trying all whole levels finds."""
    rng = np.random.default_rng(n_classes)
    loss = fl.MulticlassHinge(margin=0.5)
    for _ in range(20):
        frequencies = rng.random(n_classes) ** 3
        y = np.arange(n_classes)
        best = loss(
            y, np.tile(loss.initial_prediction(y, frequencies), (n_classes, 1)), frequencies
        )
        for levels in np.ndindex(*(n_classes,) * n_classes):
            constants = np.tile(0.5 * np.array(levels), (n_classes, 1))
            assert best <= loss(y, constants, frequencies) + 1e-12


@every_loss
def test_values(reference, n_outputs, params):
    loss = fl.get_loss(reference.name, **params)
    assert eval(repr(loss), vars(fl).copy()) == loss
    assert hash(loss) == hash(fl.get_loss(reference.name, **params))
    y, f, _ = data(reference, n_outputs, 20)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        other = pickle.loads(pickle.dumps(loss, protocol))
        assert other == loss
        assert other(y, f) == loss(y, f)


# ---------------------------------------------------------------- peers


def torch_losses():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    return torch, {
        "nll": (fl.NLL(), F.nll_loss, {}),
        "weighted nll": (
            fl.NLL(class_weight=(1.0, 2.0, 0.5), ignore_index=1),
            F.nll_loss,
            {"weight": torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), "ignore_index": 1},
        ),
        "multi_margin": (fl.MulticlassHinge(), F.multi_margin_loss, {}),
        "multi_margin 2": (
            fl.MulticlassHinge(margin=0.5, p=2),
            F.multi_margin_loss,
            {"p": 2, "margin": 0.5},
        ),
        "multilabel_margin": (fl.MultilabelMargin(), F.multilabel_margin_loss, {}),
        "kl_div": (fl.KLDivergence(), F.kl_div, {"reduction": "batchmean"}),
        "kl_div log": (
            fl.KLDivergence(log_target=True),
            F.kl_div,
            {"reduction": "batchmean", "log_target": True},
        ),
    }


@pytest.mark.parametrize(
    "case",
    [
        "nll",
        "weighted nll",
        "multi_margin",
        "multi_margin 2",
        "multilabel_margin",
        "kl_div",
        "kl_div log",
    ],
)
def test_torch(case):
    torch, losses = torch_losses()
    loss, theirs, options = losses[case]
    reference = next(
        r
        for r in ROW_REFERENCES
        if r.name == loss.name
        and (r.labels == "log_targets") == bool(loss.params.get("log_target"))
    )
    y, f, _ = data(reference, 3, 500, seed=13)
    x = torch.tensor(f, requires_grad=True)
    if reference.labels == "log_targets":
        y = np.maximum(y, -50)  # torch's 0 * -inf is NaN
    want = theirs(x, torch.tensor(y), **options)
    want.backward()
    value, gradient = loss.loss_gradient(y, f)
    assert value == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_torch_gaussian_nll():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    y, f = rng.normal(size=300), rng.normal(size=(300, 2))
    x = torch.tensor(f, requires_grad=True)
    want = torch.nn.functional.gaussian_nll_loss(x[:, 0], torch.tensor(y), x[:, 1].exp())
    want.backward()
    value, gradient = fl.GaussianNLL().loss_gradient(y, f)
    assert value == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_columns_of_multi_pinball_are_pinball_losses():
    rng = np.random.default_rng(4)
    y, f, quantiles = rng.normal(size=300), rng.normal(size=(300, 4)), (0.05, 0.5, 0.75, 0.99)
    value, gradient = fl.MultiPinball(quantiles).loss_gradient(y, f, reduction="none")
    columns = [
        fl.Pinball(q).loss_gradient(y, f[:, k], reduction="none") for k, q in enumerate(quantiles)
    ]
    np.testing.assert_allclose(value, sum(column[0] for column in columns), rtol=1e-14)
    np.testing.assert_array_equal(gradient, np.stack([column[1] for column in columns], axis=1))


def test_limits_of_other_losses():
    rng = np.random.default_rng(6)
    y, f = rng.integers(0, 4, 300), rng.normal(size=(300, 4)) * 3
    plain = fl.CrossEntropy().loss_gradient_hessian(y, f, reduction="none")
    for loss in (
        fl.MulticlassFocal(gamma=0.0),
        fl.SymmetricCrossEntropy(alpha=1.0, beta=0.0),
        fl.MulticlassGeneralizedCE(q=1e-12),
    ):
        for part, whole in zip(
            loss.loss_gradient_hessian(y, f, reduction="none"), plain, strict=True
        ):
            np.testing.assert_allclose(part, whole, rtol=1e-9, atol=1e-11)


def test_two_classes_are_the_binary_focal_formula():
    f = np.linspace(-40, 40, 401)
    rows = np.stack([np.zeros_like(f), f], axis=1)
    p = 1 / (1 + np.exp(-f))
    with np.errstate(all="ignore"):
        want = -((1 - p) ** 2) * np.log(p)
    got = fl.MulticlassFocal().loss(np.ones(401, int), rows, reduction="none")
    np.testing.assert_allclose(got[:250], want[:250], rtol=1e-11)


@pytest.mark.parametrize(
    ("row", "dtype"),
    [
        (
            [0.0, -float.fromhex("0x1.45cc5abc78344p-1"), -float.fromhex("0x1.a2e62d5e3c1a1p-1")],
            "d",
        ),
        ([0.0, -float.fromhex("0x1.160ec4p-1"), -float.fromhex("0x1.8b0760p-1")], "f"),
    ],
)
def test_sparsemax_ends_where_rounding_moves_the_border(row, dtype):
    value, gradient = fl.Sparsemax().loss_gradient([0], np.array([row], dtype=dtype))
    assert np.isfinite(value)
    assert abs(gradient.sum()) < 1e-6


def test_sparsemax_gives_no_negative_probability():
    f = np.random.default_rng(8).normal(size=(20_000, 6))
    f[:, 0] -= 3
    p = fl.Sparsemax().predict(f)
    assert p.min() == 0
    other = fl.Sparsemax().predict(f[:, ::-1].copy())
    np.testing.assert_allclose(p[:, ::-1], other, atol=4e-16)


def test_more_outputs_than_memory_is_an_error():
    for loss in (fl.NLL(), fl.CrossEntropy()):
        with pytest.raises(MemoryError):
            loss([0], np.broadcast_to(np.float64(0), (1, 2**55)))


def test_targets_beyond_the_dtype_are_refused():
    with pytest.raises(ValueError, match=r"^y_true\[0, 0\] = 1e\+39: KLDivergence expects"):
        fl.KLDivergence(log_target=True)([[1e39, 0.0]], np.zeros((1, 2), np.float32))


def test_a_weight_of_zero_drops_its_term():
    f = np.array([[0.0, -np.inf]])
    assert fl.SymmetricCrossEntropy(alpha=0.0)([1], f) == 4.0
    assert fl.NLL(class_weight=(1.0, 0.0))([1], f, reduction="sum") == 0.0


@both_dtypes
def test_jensen_shannon_of_the_largest_targets(dtype):
    """The sum of their terms is beyond all numbers, the half of it is not."""
    q = dtype(0.7 * float(np.finfo(dtype).max))
    value = fl.JensenShannon().loss([[q, q, q, 0.0]], np.zeros((1, 4), dtype), reduction="none")
    np.testing.assert_allclose(value, [1.5 * np.log(2) * float(q)], rtol=8 * np.finfo(dtype).eps)


@both_dtypes
def test_jensen_shannon_of_large_targets(dtype):
    """Their quotients with the least probabilities are 0, of which there is no logarithm."""
    f = np.array([[0.0, -103.0 if dtype == np.float32 else -744.5]], dtype)
    y = np.array([[0.5, 8.0]], dtype)
    value, gradient, hessian = fl.JensenShannon().loss_gradient_hessian(y, f, reduction="none")
    want = (np.log(1 / 0.75) + 0.5 * np.log(0.5 / 0.75) + 8 * np.log(2)) / 2
    np.testing.assert_allclose(value, want, rtol=8 * np.finfo(dtype).eps)
    np.testing.assert_allclose(gradient, 0, atol=1e-40)
    np.testing.assert_allclose(hessian, 0, atol=1e-40)
