"""Semantics that users bring along: the numbers of scikit-learn and torch."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

N = 2000


def rtol(dtype):
    # the peers' own error: some ULP of a value that they compute with one cancellation
    return 1e-12 if dtype == np.float64 else 2e-5


def data(labels, dtype=np.float64, seed=31):
    rng = np.random.default_rng(seed)
    y = {
        "real": lambda: rng.normal(size=N),
        "counts": lambda: rng.poisson(2, N),
        "positive": lambda: rng.gamma(2.0, 1.0, N),
        "binary": lambda: rng.integers(0, 2, N),
        "soft": lambda: rng.random(N),
    }[labels]()
    return y.astype(dtype), rng.uniform(-3, 3, N).astype(dtype), rng.random(N).astype(dtype)


# ---------------------------------------------------------------- scikit-learn


@pytest.fixture(scope="module")
def sklearn_loss():
    return pytest.importorskip("sklearn._loss.loss")


SKLEARN = [
    (fl.HalfSquaredError(), "HalfSquaredError", {}, "real"),
    (fl.AbsoluteError(), "AbsoluteError", {}, "real"),
    (fl.Pinball(), "PinballLoss", {}, "real"),
    (fl.Pinball(0.9), "PinballLoss", {"quantile": 0.9}, "real"),
    (fl.Huber(0.7), "HuberLoss", {"quantile": 0.9, "delta": 0.7}, "real"),
    (fl.Poisson(), "HalfPoissonLoss", {}, "counts"),
    (fl.Gamma(), "HalfGammaLoss", {}, "positive"),
    (fl.Tweedie(1.5), "HalfTweedieLoss", {"power": 1.5}, "counts"),
    (fl.Tweedie(1), "HalfTweedieLoss", {"power": 1}, "counts"),
    (fl.Tweedie(2), "HalfTweedieLoss", {"power": 2}, "positive"),
    (fl.Tweedie(3), "HalfTweedieLoss", {"power": 3}, "positive"),
    (fl.Tweedie(-0.5), "HalfTweedieLoss", {"power": -0.5}, "positive"),
    (fl.LogLoss(), "HalfBinomialLoss", {}, "binary"),
    (fl.LogLoss(), "HalfBinomialLoss", {}, "soft"),
    (fl.Exponential(), "ExponentialLoss", {}, "binary"),
    (fl.Exponential(), "ExponentialLoss", {}, "soft"),
]


@pytest.mark.parametrize(("ours", "name", "params", "labels"), SKLEARN)
@both_dtypes
@pytest.mark.parametrize("weighted", [False, True])
def test_sklearn(sklearn_loss, ours, name, params, labels, dtype, weighted):
    y, f, w = data(labels, dtype)
    w = w if weighted else None
    theirs = getattr(sklearn_loss, name)(**params)
    theirs_out = {"loss_out": None, "gradient_out": None, "n_threads": 1}
    loss, gradient = theirs.loss_gradient(y, f, w, **theirs_out)
    _, hessian = theirs.gradient_hessian(y, f, w, n_threads=1)
    results = ours.loss_gradient_hessian(y, f, w, reduction="none")
    atol = rtol(dtype) * 10
    for mine, other in zip(results, (loss, gradient, hessian), strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, other, rtol=rtol(dtype), atol=atol)
    average = theirs(y, f, w)
    assert ours(y, f, w) == pytest.approx(average, rel=10 * rtol(dtype))


@pytest.mark.parametrize(("ours", "name", "params", "labels"), SKLEARN)
def test_sklearn_links_and_starts(sklearn_loss, ours, name, params, labels):
    y, f, _ = data(labels)
    theirs = getattr(sklearn_loss, name)(**params)
    np.testing.assert_allclose(ours.predict(f), theirs.link.inverse(f), rtol=1e-14)
    if name != "HuberLoss":  # scikit-learn's start is the median, ours the minimiser
        start = float(theirs.fit_intercept_only(y))
        # scikit-learn's weighted and unweighted percentiles differ in what they interpolate
        between = 5 / N if name in ("PinballLoss", "AbsoluteError") else 0
        assert ours.initial_prediction(y) == pytest.approx(start, rel=1e-12, abs=between)


@pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3, -0.5])
@both_dtypes
def test_sklearn_tweedie_identity(sklearn_loss, power, dtype):
    y, f, _ = data("positive", dtype)
    f = np.exp(f)
    y[:50] = 0 if power < 2 else y[:50]
    ours, theirs = fl.TweedieIdentity(power), sklearn_loss.HalfTweedieLossIdentity(power=power)
    value, gradient, hessian = ours.loss_gradient_hessian(y, f, reduction="none")
    atol = rtol(dtype) * 10
    np.testing.assert_allclose(value, theirs.loss(y, f), rtol=rtol(dtype), atol=atol)
    others = theirs.gradient_hessian(y, f)
    scale = np.abs(others[1]).max()
    np.testing.assert_allclose(gradient, others[0], rtol=rtol(dtype), atol=atol)
    np.testing.assert_allclose(hessian, others[1], rtol=rtol(dtype), atol=rtol(dtype) * scale)
    start = float(theirs.fit_intercept_only(y.astype(np.float64)))
    assert ours.initial_prediction(y) == pytest.approx(start, rel=1e-12)


def test_sklearn_tweedie_of_power_0_has_a_constant_more(sklearn_loss):
    y, f, _ = data("positive")
    theirs = sklearn_loss.HalfTweedieLoss(power=0)
    np.testing.assert_allclose(
        fl.Tweedie(0).loss(y, f, reduction="none") + y**2 / 2, theirs.loss(y, f)
    )
    np.testing.assert_allclose(
        fl.Tweedie(0).gradient(y, f, reduction="none"),
        theirs.gradient(y, f),
        rtol=1e-12,
        atol=1e-12,
    )


def test_where_sklearn_has_nan_tweedie_has_none(sklearn_loss):
    y, f = np.zeros(1), np.array([-1500.0])
    assert np.isnan(sklearn_loss.HalfTweedieLoss(power=1.5).loss(y, f)).all()
    assert fl.Tweedie(1.5).loss(y, f) == pytest.approx(2 * np.exp(-750.0), abs=1e-320)


@pytest.mark.parametrize(
    ("ours", "name", "threshold"),
    [
        (fl.Hinge(), "Hinge", (1.0,)),
        (fl.SquaredHinge(), "SquaredHinge", (1.0,)),
        (fl.ModifiedHuber(), "ModifiedHuber", ()),
    ],
)
def test_sklearn_sgd_hinge(ours, name, threshold):
    sgd_fast = pytest.importorskip("sklearn.linear_model._sgd_fast")
    y, f, _ = data("binary")
    f[:50] = 2 * y[:50] - 1  # on the kink
    theirs = getattr(sgd_fast, name)(*threshold)
    loss, gradient = ours.loss_gradient(y, f, reduction="none")
    signs = 2 * y - 1
    np.testing.assert_allclose(
        loss, [theirs.py_loss(fi, yi) for fi, yi in zip(f, signs, strict=True)], rtol=1e-15
    )
    expected = np.array([theirs.py_dloss(fi, yi) for fi, yi in zip(f, signs, strict=True)])
    away = np.abs(signs * f - 1) > 0  # at the kink itself both signs of a subgradient are right
    np.testing.assert_allclose(gradient[away], expected[away], rtol=1e-15)
    assert not gradient[~away].any()


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (fl.EpsilonInsensitive(0.3), "EpsilonInsensitive"),
        (fl.SquaredEpsilonInsensitive(0.3), "SquaredEpsilonInsensitive"),
    ],
)
def test_sklearn_sgd_epsilon_insensitive(ours, name):
    sgd_fast = pytest.importorskip("sklearn.linear_model._sgd_fast")
    y, f, _ = data("real")
    theirs = getattr(sgd_fast, name)(0.3)
    loss, gradient = ours.loss_gradient(y, f, reduction="none")
    pairs = list(zip(f, y, strict=True))
    # theirs cancels next to epsilon
    np.testing.assert_allclose(loss, [theirs.py_loss(*pair) for pair in pairs], atol=1e-14)
    np.testing.assert_allclose(gradient, [theirs.py_dloss(*pair) for pair in pairs], atol=1e-14)


def test_sklearn_percentage_error():
    metrics = pytest.importorskip("sklearn.metrics")
    y, f, w = data("real")
    ours = fl.AbsolutePercentageError()
    theirs = metrics.mean_absolute_percentage_error
    assert ours(y, f) == pytest.approx(theirs(y, f), rel=1e-12)
    assert ours(y, f, w) == pytest.approx(theirs(y, f, sample_weight=w), rel=1e-12)


def test_scipy_student_t():
    """Up to the constant of the density."""
    stats = pytest.importorskip("scipy.stats")
    y, f, _ = data("real")
    loss = fl.StudentT(3.5, 0.7).loss(y, f, reduction="none")
    theirs = -stats.t.logpdf(f - y, 3.5, scale=0.7)
    np.testing.assert_allclose(theirs - loss, (theirs - loss)[0], rtol=1e-12)


def test_sklearn_perceptron():
    """A hinge loss with threshold 0; at the kink, too, both have the gradient of a violation."""
    sgd_fast = pytest.importorskip("sklearn.linear_model._sgd_fast")
    y, f, _ = data("binary")
    f[:50] = 0.0
    theirs = sgd_fast.Hinge(0.0)
    loss, gradient = fl.Perceptron().loss_gradient(y, f, reduction="none")
    signs = 2 * y - 1
    expected = [theirs.py_dloss(fi, yi) for fi, yi in zip(f, signs, strict=True)]
    np.testing.assert_array_equal(gradient, expected)
    expected = [theirs.py_loss(fi, yi) for fi, yi in zip(f, signs, strict=True)]
    np.testing.assert_array_equal(loss, expected)


def test_sklearn_exponential_is_nan_where_ours_is_0(sklearn_loss):
    y, f = np.array([1.0]), np.array([800.0])
    assert np.isnan(sklearn_loss.ExponentialLoss().loss(y, f)[0])
    ours = fl.Exponential().loss_gradient_hessian(y, f, reduction="none")
    np.testing.assert_allclose(ours, np.zeros((3, 1)), atol=1e-300)


@pytest.mark.parametrize(
    ("ours", "link"), [(fl.CLogLog(), "CLogLog"), (fl.Probit(), "Probit"), (fl.LogLoss(), "Logit")]
)
def test_statsmodels_links(ours, link):
    """The mean loss is the Bernoulli log-likelihood of statsmodels' link."""
    families = pytest.importorskip("statsmodels.genmod.families")
    y, f, w = data("binary")
    family = families.Binomial(getattr(families.links, link)())
    mean = family.link.inverse(f)
    np.testing.assert_allclose(ours.predict(f), mean, rtol=1e-13)
    log_likelihood = family.loglike(y, mean, freq_weights=w)
    assert ours.loss(y, f, w, reduction="sum") == pytest.approx(-log_likelihood, rel=1e-11)


def test_where_sklearn_cancels_we_do_not(sklearn_loss):
    y, f = np.array([1.0, 1.0, 0.0]), np.array([40.0, 700.0, -40.0])
    assert (sklearn_loss.HalfBinomialLoss().loss(y, f)[:2] == 0).all()
    np.testing.assert_allclose(
        fl.LogLoss().loss(y, f, reduction="none"), np.exp([-40.0, -700.0, -40.0]), rtol=1e-15
    )


# ---------------------------------------------------------------- torch


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def torch_results(torch, function, y, f, w, reduction):
    """Their loss and its gradient under a reduction ('none': of the sum)."""
    raw = torch.tensor(f, requires_grad=True)
    if w is None:
        value = function(raw, torch.tensor(y), reduction)
    else:
        value = torch.tensor(w) * function(raw, torch.tensor(y), "none")
        if reduction != "none":
            value = value.sum() / (float(w.sum()) if reduction == "mean" else 1.0)
    value.sum().backward()
    return value.detach().numpy(), raw.grad.numpy()


TORCH = {
    "mse": (
        fl.SquaredError(),
        "real",
        lambda t: lambda f, y, r: t.nn.functional.mse_loss(f, y, reduction=r),
    ),
    "l1": (
        fl.AbsoluteError(),
        "real",
        lambda t: lambda f, y, r: t.nn.functional.l1_loss(f, y, reduction=r),
    ),
    "huber": (
        fl.Huber(0.7),
        "real",
        lambda t: lambda f, y, r: t.nn.functional.huber_loss(f, y, delta=0.7, reduction=r),
    ),
    "smooth_l1": (
        fl.SmoothL1(0.7),
        "real",
        lambda t: lambda f, y, r: t.nn.functional.smooth_l1_loss(f, y, beta=0.7, reduction=r),
    ),
    "smooth_l1_of_beta_0": (
        fl.SmoothL1(0.0),
        "real",
        lambda t: lambda f, y, r: t.nn.functional.smooth_l1_loss(f, y, beta=0.0, reduction=r),
    ),
    "poisson_nll": (
        fl.Poisson(),
        "counts",
        lambda t: lambda f, y, r: t.nn.functional.poisson_nll_loss(f, y, reduction=r),
    ),
    "bce": (
        fl.LogLoss(),
        "soft",
        lambda t: (
            lambda f, y, r: t.nn.functional.binary_cross_entropy_with_logits(f, y, reduction=r)
        ),
    ),
    "bce_pos_weight": (
        fl.LogLoss(pos_weight=31.5),
        "soft",
        lambda t: (
            lambda f, y, r: t.nn.functional.binary_cross_entropy_with_logits(
                f, y, pos_weight=t.tensor(31.5, dtype=f.dtype), reduction=r
            )
        ),
    ),
    "bce_smoothed": (
        fl.LogLoss(label_smoothing=0.2),
        "binary",
        lambda t: (
            lambda f, y, r: t.nn.functional.binary_cross_entropy_with_logits(
                f, y * 0.8 + 0.1, reduction=r
            )
        ),
    ),
}


def torchvision_focal(torch, gamma, alpha):
    """torchvision.ops.sigmoid_focal_loss, as its source has it (0.20)."""
    functional = torch.nn.functional

    def focal(f, y, reduction):
        p = torch.sigmoid(f)
        ce = functional.binary_cross_entropy_with_logits(f, y, reduction="none")
        p_t = p * y + (1 - p) * (1 - y)
        loss = ce * ((1 - p_t) ** gamma)
        if alpha >= 0:
            loss = (alpha * y + (1 - alpha) * (1 - y)) * loss
        return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()

    return focal


def asymmetric_of_its_authors(torch):
    """AsymmetricLoss of Alibaba-MIIL/ASL, up to its eps of 1e-8 in the logarithms."""

    def asymmetric(f, y, reduction):
        p = torch.sigmoid(f)
        negative = (1 - p + 0.05).clamp(max=1)
        loss = y * torch.log(p) + (1 - y) * torch.log(negative)
        p_t = p * y + negative * (1 - y)
        loss = -loss * torch.pow(1 - p_t, 1 * y + 4 * (1 - y))
        return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()

    return asymmetric


def optax_poly(torch, epsilon):
    """optax.losses.poly_loss_cross_entropy of the two classes."""

    def poly(f, y, reduction):
        log_p = torch.nn.functional.logsigmoid(torch.stack([f, -f], -1))
        labels = torch.stack([y, 1 - y], -1)
        loss = -(labels * log_p).sum(-1) + epsilon * (1 - (labels * log_p.exp()).sum(-1))
        return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()

    return poly


TORCH |= {
    "focal": (fl.Focal(alpha=0.25), "soft", lambda t: torchvision_focal(t, 2, 0.25)),
    "focal_hard": (fl.Focal(gamma=3.5), "binary", lambda t: torchvision_focal(t, 3.5, -1)),
    "asymmetric": (fl.Asymmetric(), "binary", asymmetric_of_its_authors),
    "poly1": (fl.Poly1(2.0), "soft", lambda t: optax_poly(t, 2.0)),
}


@pytest.mark.parametrize("case", TORCH)
@both_dtypes
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_torch(torch, case, dtype, reduction, weighted):
    ours, labels, make = TORCH[case]
    y, f, w = data(labels, dtype)
    w = w if weighted else None
    value, gradient = torch_results(torch, make(torch), y, f, w, reduction)
    mine, my_gradient = ours.loss_gradient(y, f, w, reduction=reduction)
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(mine, value, rtol=rtol(dtype), atol=rtol(dtype))
    np.testing.assert_allclose(my_gradient, gradient, rtol=rtol(dtype), atol=rtol(dtype) * scale)


def test_torch_weight_is_sample_weight(torch):
    """Sums agree; the mean of BCEWithLogitsLoss divides by the count, ours by the weights."""
    y, f, w = data("binary")
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(f), torch.tensor(y), weight=torch.tensor(w), reduction="sum"
    )
    assert fl.LogLoss().loss(y, f, w, reduction="sum") == pytest.approx(float(theirs), rel=1e-13)


def test_tensors_are_array_likes(torch):
    y, f, _ = data("binary")
    expected = fl.LogLoss().loss_gradient(y, f)
    result = fl.LogLoss().loss_gradient(torch.tensor(y), torch.tensor(f))
    assert result[0] == expected[0]
    np.testing.assert_array_equal(result[1], expected[1])
