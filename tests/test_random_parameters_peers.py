"""
Drawn parameters against the peers: torch in both dtypes; scikit-learn, optax and others in float64.

Defaults and single values stand in test_peers.py, test_optax_peers.py and test_statsmodels_peers.py,
XGBoost's and LightGBM's in test_boosting_peers.py. JAX, below optax, has a process of its own.
"""

import sys

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.optax_process import results_of, store_results
from helpers.peers import decades, module, residuals, weights

import fastloss as fl

N = 200
DRAWS = range(8)


def assert_close(ours, theirs, rtol=1e-11):
    """Compare, with room for what cancels in the peers: of the largest number."""
    for mine, other in zip(ours, theirs, strict=True):
        other = np.asarray(other)
        scale = np.abs(other).max(initial=0.0)
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol * scale)


def rows(rng):
    """Return the number of classes, labels of them and logits."""
    C = int(rng.integers(2, 13))
    return C, rng.integers(0, C, N), rng.uniform(1, 4) * rng.normal(size=(N, C))


# ---------------------------------------------------------------- torch


def torch_huber(rng, t):
    delta = decades(rng, -3, 3)
    y, f = residuals(rng, delta, N)
    return fl.Huber(delta), y, f, lambda f, r: t.huber_loss(f, of(f, y), delta=delta, reduction=r)


def torch_smooth_l1(rng, t):
    beta = decades(rng, -3, 3)
    y, f = residuals(rng, beta, N)
    return (
        fl.SmoothL1(beta),
        y,
        f,
        lambda f, r: t.smooth_l1_loss(f, of(f, y), beta=beta, reduction=r),
    )


def torch_bce(rng, t):
    weight, smoothing = decades(rng, -2, 2), rng.random()
    y, f = rng.random(N), rng.uniform(-8, 8, N)
    smoothed = y * (1 - smoothing) + smoothing / 2
    return (
        fl.LogLoss(pos_weight=weight, label_smoothing=smoothing), y, f,
        lambda f, r: t.binary_cross_entropy_with_logits(
            f, of(f, smoothed), pos_weight=of(f, weight), reduction=r
        ),
    )  # fmt: skip


def torch_bce_costs(rng, t):
    fn, fp = decades(rng, -2, 2), decades(rng, -2, 2)
    y, f = rng.integers(0, 2, N) * 1.0, rng.uniform(-8, 8, N)
    costs = np.where(y == 1, fn, fp)
    return (
        fl.LogLoss(cost_fn=fn, cost_fp=fp), y, f,
        lambda f, r: t.binary_cross_entropy_with_logits(f, of(f, y), weight=of(f, costs), reduction=r),
    )  # fmt: skip


def torch_bce_of_probabilities(rng, t):
    fn, fp = decades(rng, -2, 2), decades(rng, -2, 2)
    y, p = rng.integers(0, 2, N) * 1.0, rng.random(N)
    costs = np.where(y == 1, fn, fp)
    return (
        fl.BinaryCrossEntropy(cost_fn=fn, cost_fp=fp), y, p,
        lambda p, r: t.binary_cross_entropy(p, of(p, y), weight=of(p, costs), reduction=r),
    )  # fmt: skip


def torch_cross_entropy(rng, t):
    C, y, f = rows(rng)
    params = {"label_smoothing": rng.choice([0.0, rng.random()])}
    others, weight = dict(params), None
    if rng.random() < 0.7:
        params["class_weight"] = weight = rng.random(C) + 0.05
    if rng.random() < 0.7:
        params["ignore_index"] = others["ignore_index"] = int(rng.choice([-100, 0, C - 1]))

    def theirs(f, reduction):
        costs = None if weight is None else of(f, weight)
        return t.cross_entropy(f, of(f, y), weight=costs, reduction=reduction, **others)

    return fl.CrossEntropy(**params), y, f, theirs


def torch_cross_entropy_of_soft_labels(rng, t):
    C, _, f = rows(rng)
    q, weight, smoothing = rng.dirichlet(np.ones(C), N), rng.random(C) + 0.05, rng.random()
    return (
        fl.CrossEntropy(class_weight=weight, label_smoothing=smoothing), q, f,
        lambda f, r: t.cross_entropy(
            f, of(f, q), weight=of(f, weight), label_smoothing=smoothing, reduction=r
        ),
    )  # fmt: skip


def torch_nll(rng, t):
    C, y, f = rows(rng)
    weight, ignored = rng.random(C) + 0.05, int(rng.integers(0, C))
    return (
        fl.NLL(class_weight=weight, ignore_index=ignored), y, f,
        lambda f, r: t.nll_loss(f, of(f, y), weight=of(f, weight), ignore_index=ignored, reduction=r),
    )  # fmt: skip


def torch_multi_margin(rng, t):
    _, y, f = rows(rng)
    p, margin = int(rng.integers(1, 3)), decades(rng, -1, 1)
    return (
        fl.MulticlassHinge(margin=margin, p=p), y, f,
        lambda f, r: t.multi_margin_loss(f, of(f, y), p=p, margin=margin, reduction=r),
    )  # fmt: skip


def torch_gaussian_nll(rng, t):
    y, f = rng.normal(size=N), np.stack([rng.normal(size=N), rng.uniform(-3, 3, N)], axis=1)
    eps = decades(rng, -9, -2)  # of the variance, which stays above it
    return (
        fl.GaussianNLL(), y, f,
        lambda f, r: t.gaussian_nll_loss(f[:, 0], of(f, y), f[:, 1].exp(), eps=eps, reduction=r),
    )  # fmt: skip


def torch_kl_div(rng, t):
    C, _, f = rows(rng)
    q, log_target = rng.dirichlet(np.full(C, decades(rng, -0.5, 1)), N), bool(rng.integers(0, 2))
    f = f - np.log(np.exp(f).sum(axis=1, keepdims=True))
    targets = np.log(q) if log_target else q

    def theirs(f, reduction):
        if reduction == "none":
            return t.kl_div(f, of(f, targets), log_target=log_target, reduction="none").sum(1)
        name = {"mean": "batchmean", "sum": "sum"}[reduction]
        return t.kl_div(f, of(f, targets), log_target=log_target, reduction=name)

    return fl.KLDivergence(log_target=log_target), targets, f, theirs


def of(f, values):
    """Return a tensor of labels or parameters; numbers in the dtype of predictions."""
    import torch

    values = np.asarray(values)
    return torch.as_tensor(values, dtype=f.dtype if values.dtype.kind == "f" else None)


TORCH = (
    torch_huber, torch_smooth_l1, torch_bce, torch_bce_costs, torch_bce_of_probabilities,
    torch_cross_entropy, torch_cross_entropy_of_soft_labels, torch_nll, torch_multi_margin,
    torch_gaussian_nll, torch_kl_div,
)  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("case", TORCH, ids=lambda case: case.__name__)
def test_torch(case, draw, dtype):
    torch = module("torch")
    rng = np.random.default_rng([101, draw, TORCH.index(case)])
    ours, y, f, theirs = case(rng, torch.nn.functional)
    f, weight = f.astype(dtype), weights(rng, N, dtype)
    # of the largest number: that of torch's sums of C terms, or of N, and of its softmax
    rtol = 64 * np.finfo(dtype).eps

    def compare(function, *weight, reduction):
        raw = torch.tensor(f, requires_grad=True)
        value = function(raw)
        value.sum().backward()
        mine = ours.loss_gradient(y, f, *weight, reduction=reduction)
        assert mine[1].dtype == dtype
        assert_close(mine, (value.detach().numpy(), raw.grad.numpy()), rtol)

    for reduction in ("none", "sum", "mean"):
        compare(lambda raw, r=reduction: theirs(raw, r), reduction=reduction)
    w = torch.tensor(weight)
    compare(lambda raw: w * theirs(raw, "none"), weight, reduction="none")
    compare(lambda raw: (w * theirs(raw, "none")).sum(), weight, reduction="sum")
    # which are part of the mean's divisor
    if all(ours.params.get(name) is None for name in ("class_weight", "ignore_index")):
        compare(lambda raw: (w * theirs(raw, "none")).sum() / w.sum(), weight, reduction="mean")


@pytest.mark.parametrize("draw", DRAWS)
def test_torch_weights_of_classes_are_sample_weights_of_multiclass_hinge(draw):
    torch = module("torch")
    rng = np.random.default_rng([102, draw])
    C, y, f = rows(rng)
    weight, p, margin = rng.random(C) + 0.05, int(rng.integers(1, 3)), decades(rng, -1, 1)
    raw = torch.tensor(f, requires_grad=True)
    value = torch.nn.functional.multi_margin_loss(
        raw, torch.tensor(y), p=p, margin=margin, weight=torch.tensor(weight), reduction="none"
    )
    value.sum().backward()
    ours = fl.MulticlassHinge(margin=margin, p=p)
    mine = ours.loss_gradient(y, f, weight[y], reduction="none")
    assert_close(mine, (value.detach().numpy(), raw.grad.numpy()))


# ---------------------------------------------------------------- scikit-learn


def sklearn_pinball(rng):
    q = float(rng.uniform(0.01, 0.99))
    return fl.Pinball(q), "PinballLoss", {"quantile": q}, *residuals(rng, decades(rng, -2, 2), N)


def sklearn_huber(rng):
    delta = decades(rng, -3, 3)
    params = {"quantile": 0.9, "delta": delta}
    return fl.Huber(delta), "HuberLoss", params, *residuals(rng, delta, N)


def sklearn_tweedie(rng):
    low, high = ((1, 2), (2, 4), (-3, 0))[rng.integers(0, 3)]
    power = float(rng.uniform(low, high))
    y = rng.gamma(2.0, 1.0, N)
    y[:20] = 0.0 if power < 2 else 1.0
    return fl.Tweedie(power), "HalfTweedieLoss", {"power": power}, y, rng.uniform(-2, 2, N)


def sklearn_tweedie_identity(rng):
    _, _, params, y, f = sklearn_tweedie(rng)
    return fl.TweedieIdentity(**params), "HalfTweedieLossIdentity", params, y, np.exp(f)


SKLEARN = (sklearn_pinball, sklearn_huber, sklearn_tweedie, sklearn_tweedie_identity)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("case", SKLEARN, ids=lambda case: case.__name__)
def test_sklearn(case, draw):
    losses = module("sklearn._loss.loss")
    rng = np.random.default_rng([103, draw, SKLEARN.index(case)])
    ours, name, params, y, f = case(rng)
    theirs, weight = getattr(losses, name)(**params), rng.random(N)
    mine = ours.loss_gradient_hessian(y, f, weight, reduction="none")
    # 1e-9: their deviance is a sum of three terms with 1 / (1 - p) and 1 / (2 - p)
    assert_close(mine, (theirs.loss(y, f, weight), *theirs.gradient_hessian(y, f, weight)), 1e-9)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("name", ["EpsilonInsensitive", "SquaredEpsilonInsensitive"])
def test_sklearn_sgd(name, draw):
    sgd_fast = module("sklearn.linear_model._sgd_fast")
    rng = np.random.default_rng([104, draw])
    epsilon = decades(rng, -3, 3)
    y, f = residuals(rng, epsilon, N)
    theirs = getattr(sgd_fast, name)(epsilon)
    pairs = list(zip(f, y, strict=True))
    value, slope = (
        [method(*pair) for pair in pairs] for method in (theirs.py_loss, theirs.py_dloss)
    )
    mine = getattr(fl, name)(epsilon).loss_gradient(y, f, reduction="none")
    assert_close(mine, (value, slope))


# ---------------------------------------------------------------- SciPy, statsmodels


@pytest.mark.parametrize("draw", DRAWS)
def test_scipy_student_t(draw):
    stats = module("scipy.stats")
    rng = np.random.default_rng([105, draw])
    df, scale = decades(rng, -1, 2), decades(rng, -2, 2)
    y, f = residuals(rng, scale, N)
    theirs = -stats.t.logpdf(f - y, df, scale=scale) + stats.t.logpdf(0.0, df, scale=scale)
    assert_close([fl.StudentT(df, scale).loss(y, f, reduction="none")], [theirs], 1e-10)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize(("name", "norm"), [("Tukey", "TukeyBiweight"), ("Huber", "HuberT")])
def test_statsmodels_norms(name, norm, draw):
    norms = module("statsmodels.robust.norms")
    rng = np.random.default_rng([106, draw])
    c = decades(rng, -2, 2)
    y, f = residuals(rng, c, N)
    r, theirs = f - y, getattr(norms, norm)(c)
    value, gradient, hessian = getattr(fl, name)(c).loss_gradient_hessian(y, f, reduction="none")
    constant = theirs.rho(np.zeros(1))[0]
    assert_close((value, gradient), (theirs.rho(r) - constant, theirs.psi(r)))
    assert_close([hessian], [theirs.psi_deriv(r)], 1e-10)


@pytest.mark.parametrize("draw", DRAWS)
def test_statsmodels_negative_binomial(draw):
    families = module("statsmodels.genmod.families")
    rng = np.random.default_rng([107, draw])
    theta = decades(rng, -2, 1)
    y, f = rng.poisson(3, N) * 1.0, rng.uniform(-2, 3, N)
    family = families.NegativeBinomial(alpha=theta)
    mean, ours = np.exp(f), fl.NegativeBinomial(theta)
    value, gradient = ours.loss_gradient(y, f, reduction="none")
    at_one = ours.loss(y, np.zeros(N), reduction="none")
    theirs = family.loglike_obs(y, np.ones(N)) - family.loglike_obs(y, mean)
    score = (mean - y) / (family.link.deriv(mean) * family.variance(mean))
    assert_close([value - at_one], [theirs], 1e-9)  # theirs is a difference of log-gammas
    assert_close([gradient], [score])


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("name", ["Probit", "CLogLog"])
def test_statsmodels_links(name, draw):
    families = module("statsmodels.genmod.families")
    rng = np.random.default_rng([108, draw])
    fn, fp = decades(rng, -2, 2), decades(rng, -2, 2)
    y, f = rng.integers(0, 2, N) * 1.0, rng.uniform(-3, 1.5, N)  # where 1 - mean keeps its digits
    family = families.Binomial(getattr(families.links, name)())
    mean, cost = family.link.inverse(f), np.where(y == 1, fn, fp)
    score = (mean - y) / (family.link.deriv(mean) * family.variance(mean))
    mine = getattr(fl, name)(cost_fn=fn, cost_fp=fp).loss_gradient(y, f, reduction="none")
    assert_close(mine, (-cost * family.loglike_obs(y, mean), cost * score), 1e-10)


# ---------------------------------------------------------------- optax


def optax_huber(rng):
    delta = decades(rng, -3, 3)
    y, f = residuals(rng, delta, N)
    return fl.Huber(delta), y, f, lambda o, f: o.huber_loss(f, y, delta=delta)


def optax_focal(rng):
    gamma, alpha = rng.uniform(0.1, 5), rng.random()
    y, f = rng.integers(0, 2, N) * 1.0, rng.uniform(-6, 6, N)
    ours = fl.Focal(gamma=gamma, alpha=alpha)
    return ours, y, f, lambda o, f: o.sigmoid_focal_loss(f, y, alpha=alpha, gamma=gamma)


def optax_poly(rng):
    epsilon = rng.uniform(-1, 5)
    y, f = rng.random(N), rng.uniform(-6, 6, N)

    def theirs(o, f):
        import jax.numpy as jnp

        logits, labels = jnp.stack([f, 0 * f], -1), jnp.stack([y, 1 - y], -1)
        return o.poly_loss_cross_entropy(logits, labels, epsilon=epsilon)

    return fl.Poly1(epsilon), y, f, theirs


def optax_smoothed(rng):
    C, y, f = rows(rng)
    alpha = rng.random()
    hot = np.eye(C)[y]
    ours = fl.CrossEntropy(label_smoothing=alpha)
    return ours, y, f, lambda o, f: o.softmax_cross_entropy(f, o.smooth_labels(hot, alpha))


OPTAX = {
    f"{case.__name__}-{draw}": case(np.random.default_rng([109, draw]))
    for case in (optax_huber, optax_focal, optax_poly, optax_smoothed)
    for draw in DRAWS
}


@pytest.fixture(scope="module")
def optax_results(tmp_path_factory):
    return results_of(__file__, tmp_path_factory.mktemp("optax"))


@pytest.mark.parametrize("case", OPTAX)
def test_optax(optax_results, case):
    ours, y, f, _ = OPTAX[case]
    theirs = optax_results[case]
    assert theirs.dtype == np.float64
    mine = np.column_stack(ours.loss_gradient(y, f, reduction="none"))
    assert_close(mine.T, theirs.T, 1e-12)


if __name__ == "__main__":
    store_results(sys.argv[1], {name: case[2:] for name, case in OPTAX.items()})
