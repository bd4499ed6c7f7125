"""Drawn parameters and weights: several labels of torch, ordered models, the score of normals."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.peers import assert_within, decades, module, weights

import fastloss as fl

N = 200
DRAWS = range(6)
REDUCTIONS = ("none", "sum", "mean")


@pytest.fixture(scope="module")
def torch():
    return module("torch")


def torch_results(torch, function, f, weight):
    """Return weighted losses of samples, and by reduction the value and its gradient."""
    weight = torch.tensor(weight)
    for reduction in REDUCTIONS:
        raw = torch.tensor(f, requires_grad=True)
        value = weight * function(raw)
        if reduction != "none":
            value = value.sum() / (weight.sum() if reduction == "mean" else 1)
        value.sum().backward()
        yield reduction, value.detach().numpy(), raw.grad.numpy()


def assert_same(torch, loss, function, y, f, weight, value_terms, terms):
    """Compare with torch: to eps of the terms of a sample, and of their sum where it sums them."""
    dtype, total = f.dtype, weight.astype(np.float64).sum()
    for reduction, expected, slope in torch_results(torch, function, f, weight):
        value, gradient = loss.loss_gradient(y, f, weight, reduction=reduction)
        divisor = total if reduction == "mean" else 1.0
        # torch's mean divides by a sum of N weights, with a rounding each where they are float32
        spread = 8.0 + (np.sqrt(N) if reduction == "mean" else 0.0)
        assert_within(gradient, slope, terms / divisor, dtype, spread)
        if reduction == "none":
            assert_within(value, expected, value_terms, dtype)
        else:
            room = (8.0 + 2 * np.sqrt(N)) * np.finfo(dtype).eps * value_terms.sum() / divisor
            assert abs(value - float(expected)) <= room


# ---------------------------------------------------------------- several outputs


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_multilabel_margin(torch, draw, dtype):
    rng = np.random.default_rng([161, draw])
    C = int(rng.integers(2, 13))
    f = (decades(rng, -0.5, 1) * rng.normal(size=(N, C))).astype(dtype)
    y = np.argsort(rng.random((N, C)), axis=1)
    y[np.arange(C) >= rng.integers(0, C + 1, N)[:, None]] = -1  # sets of any size
    weight = weights(rng, N, dtype)

    def theirs(raw):
        return torch.nn.functional.multilabel_margin_loss(raw, torch.tensor(y), reduction="none")

    # torch rounds each of the pairs, at most C**2 / 4 of them, and divides their sum by C
    pairs = C / 4 * (1 + 2 * np.abs(f).max(axis=1))
    counts = weight[:, None] * np.ones_like(f)  # counts / C are at most 1
    assert_same(torch, fl.MultilabelMargin(), theirs, y, f, weight, weight * pairs, counts)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("hard", [False, True])
def test_one_vs_rest(torch, draw, dtype, hard):
    """torch's multilabel_soft_margin_loss is the mean over the classes; its weights are of classes."""
    rng = np.random.default_rng([162, draw])
    C = int(rng.integers(2, 13))
    f = (decades(rng, -0.5, 1) * rng.normal(size=(N, C))).astype(dtype)
    y = (rng.integers(0, 2, (N, C)) if hard else rng.random((N, C))).astype(dtype)
    weight, costs = weights(rng, N, dtype), decades(rng, -1, 1)
    scale = np.full(C, costs, dtype)

    def theirs(raw):
        function = torch.nn.functional.multilabel_soft_margin_loss
        return C * function(raw, torch.tensor(y), weight=torch.tensor(scale), reduction="none")

    # log-sigmoids of both signs, of which torch sums C
    terms = costs * weight[:, None] * (1 + np.abs(f)).astype(np.float64)
    loss = fl.OneVsRest(fl.LogLoss(cost_fn=costs, cost_fp=costs))
    slopes = costs * weight[:, None] * np.ones_like(f)
    assert_same(torch, loss, theirs, y, f, weight, terms.sum(axis=1), slopes)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_one_vs_rest_of_classes(draw, dtype):
    """Beside scikit-learn's binomial loss of each class, as its OneVsRestClassifier fits them."""
    losses = module("sklearn._loss.loss")
    rng = np.random.default_rng([163, draw])
    C = int(rng.integers(2, 13))
    f = (decades(rng, -0.5, 1) * rng.normal(size=(N, C))).astype(dtype)
    y, weight = rng.integers(0, C, N), weights(rng, N, dtype)
    binomial = losses.HalfBinomialLoss()
    columns = [
        (
            binomial.loss(labels, raw, weight),
            *binomial.gradient_hessian(labels, raw, weight),
        )
        for labels, raw in zip(
            (y == np.arange(C)[:, None]).astype(dtype), np.ascontiguousarray(f.T), strict=True
        )
    ]
    expected, slope, bend = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    value, gradient, hessian = fl.OneVsRest().loss_gradient_hessian(y, f, weight, reduction="none")
    terms = weight[:, None] * (1 + np.abs(f))
    assert_within(value, expected.astype(np.float64).sum(axis=1), terms.sum(axis=1), dtype)
    # theirs subtract labels and probabilities, and multiply the probabilities with 1 less them
    assert_within(gradient, slope, np.broadcast_to(weight[:, None], f.shape), dtype)
    assert_within(hessian, bend, np.broadcast_to(weight[:, None], f.shape), dtype)


# ---------------------------------------------------------------- ordered classes, in float64


@pytest.mark.parametrize("draw", DRAWS)
def test_cumulative_logit(draw):
    """Beside statsmodels' proportional-odds model; its sums of weights are ours to make."""
    ordered = module("statsmodels.miscmodels.ordinal_model")
    rng = np.random.default_rng([164, draw])
    C = int(rng.integers(2, 8))
    thresholds = np.cumsum(rng.uniform(0.2, 2.0, C - 1)) - rng.uniform(0, C)
    x, coef = rng.uniform(0.5, 2.0, N) * rng.choice([-1, 1], N), decades(rng, -0.5, 0.5)
    f, weight = coef * x, weights(rng, N)
    y = np.digitize(f + rng.logistic(size=N), thresholds)
    y[:C] = range(C)  # the model counts the classes that there are
    model = ordered.OrderedModel(y, x[:, None], distr="logit")
    steps = np.log(np.diff(thresholds))
    at = np.concatenate([[coef], thresholds[:1], steps])

    ours = fl.CumulativeLogit(tuple(thresholds))
    value, gradient = ours.loss_gradient(y, f, weight, reduction="none")
    probabilities = ours.predict(f)
    share = probabilities[np.arange(N), y]
    # a probability of theirs is the difference of two, a rounding of which is of 1
    rounding = 8 * np.finfo(np.float64).eps
    np.testing.assert_allclose(probabilities, model.predict(at, x[:, None]), rtol=0, atol=rounding)
    likelihood = model.loglikeobs(at)
    assert_within(value, -weight * likelihood, weight * (1 / share - likelihood), np.float64)
    slope = -weight * model.score_obs_(at)[:, 0] / x
    # so do the densities' difference and its quotient
    assert_within(gradient, slope, weight / share, np.float64)
    for reduction, divisor in (("sum", 1.0), ("mean", weight.sum())):
        mine = ours.loss(y, f, weight, reduction=reduction)
        assert mine == pytest.approx(-weight @ likelihood / divisor, rel=1e-12)

    # of the thresholds by central differences of theirs, whose error is of the order h**2 + eps / h
    h = 1e-5

    def loss_at(k, step):
        moved = thresholds + step * (np.arange(C - 1) == k)
        parameters = np.concatenate([[coef], moved[:1], np.log(np.diff(moved))])
        return -weight @ model.loglikeobs(parameters)

    numeric = np.array([(loss_at(k, h) - loss_at(k, -h)) / (2 * h) for k in range(C - 1)])
    total = loss_at(0, 0.0)
    atol = total * (h**2 + rounding / h)
    for reduction, divisor in (("sum", 1.0), ("mean", weight.sum())):
        mine = ours.threshold_gradient(y, f, weight, reduction=reduction)
        np.testing.assert_allclose(mine * divisor, numeric, rtol=0, atol=atol)


# ---------------------------------------------------------------- the score of normals


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_gaussian_crps(torch, monkeypatch, draw, dtype):
    """Beside scoringrules', with gradients by torch."""
    scoringrules = module("scoringrules")
    scoringrules.register_backend("torch")
    # its constants are of torch's default dtype, pi of that at the registration
    numbers = scoringrules.backend.backends["torch"]
    monkeypatch.setattr(numbers, "pi", torch.asarray(torch.pi, dtype=torch.float64))
    rng = np.random.default_rng([165, draw])
    unit, spread = decades(rng, -3, 3), rng.uniform(0.1, 2)
    y, mean = unit * rng.normal(size=N), unit * rng.normal(size=N) * rng.choice([1, 10], N)
    f = np.stack([mean, np.log(unit) + spread * rng.normal(size=N)], axis=1).astype(dtype)
    y, weight = y.astype(dtype), weights(rng, N, dtype)

    def theirs(raw):
        location, scale = raw[:, 0], raw[:, 1].exp()
        return scoringrules.crps_normal(torch.tensor(y), location, scale, backend="torch")

    scale = np.exp(f[:, 1].astype(np.float64))
    terms = weight * (scale + np.abs(f[:, 0] - y))
    # by the mean a probability that theirs takes of 1; by the log scale a part of the loss itself
    slopes = np.stack([weight, terms], axis=1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.tensor(f).dtype)
    try:
        assert_same(torch, fl.GaussianCRPS(), theirs, y, f, weight, terms, slopes)
    finally:
        torch.set_default_dtype(before)
