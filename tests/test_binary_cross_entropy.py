"""Log loss on probabilities: torch's numbers, also at 0 and 1, and what lies outside."""

import numpy as np
import pytest

import fastloss as fl

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
REDUCTIONS = ("mean", "sum", "none")


def data(dtype):
    """Labels, probabilities and weights; among them all pairs of edges, and nearly certain ones."""
    rng = np.random.default_rng(41)
    y, p, w = rng.random((3, 2000)).astype(dtype)
    p[:60] = np.repeat([0.0, 1.0, np.finfo(dtype).tiny], 20)
    p[60:120] = 10.0 ** -np.arange(60) if dtype == np.float64 else 10.0 ** -(np.arange(60) / 2)
    p[120:130] = 1 - np.finfo(dtype).epsneg * np.arange(10)
    y[:600] = rng.integers(0, 2, 600)
    return y, p, w


@both_dtypes
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_torch(dtype, reduction, weighted):
    torch = pytest.importorskip("torch")
    y, p, w = data(dtype)
    if reduction == "mean":
        w = w / w.mean()  # torch divides by the number of samples
    probability = torch.tensor(p, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy(
        probability, torch.tensor(y), torch.tensor(w) if weighted else None, reduction=reduction
    )
    theirs.sum().backward()
    value, gradient = fl.BinaryCrossEntropy().loss_gradient(
        y, p, w if weighted else None, reduction=reduction
    )
    # torch takes 1 - p before its logarithm, and rounds each product
    rtol = 64 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=rtol, atol=rtol)
    theirs, limited = probability.grad.numpy(), p * (1 - p) < 1e-12
    np.testing.assert_allclose(gradient[~limited], theirs[~limited], rtol=rtol, atol=0)
    # torch's 1e-12 is a float32
    np.testing.assert_allclose(gradient[limited], theirs[limited], rtol=2.0**-24 + rtol, atol=0)
    assert limited.sum() > 30


@both_dtypes
def test_at_0_and_1(dtype):
    y = np.array([0, 0, 1, 1, 0.25], dtype=dtype)
    p = np.array([0, 1, 0, 1, 0], dtype=dtype)
    value, gradient, hessian = fl.BinaryCrossEntropy(cost_fn=2, cost_fp=4).loss_gradient_hessian(
        y, p, reduction="none"
    )
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_array_equal(value, [0, 400, 200, 0, 50])
    np.testing.assert_allclose(gradient, [0, 4e12, -2e12, 0, -0.5e12], rtol=2 * eps)
    np.testing.assert_allclose(hessian, [0, 4e24, 2e24, 0, 0.5e24], rtol=4 * eps)


@both_dtypes
@pytest.mark.parametrize("bad", [-1e-30, -1.0, 1.25, np.inf, -np.inf, np.nan, "past 1"])
def test_outside_every_result_is_nan_for_its_own_sample(dtype, bad):
    if bad == "past 1":
        bad = np.nextafter(dtype(1), dtype(2))
    for y in (0.0, 0.5, 1.0):
        p = np.full(40, 0.25, dtype=dtype)
        p[17] = bad
        for part in fl.BinaryCrossEntropy().loss_gradient_hessian(
            np.full(40, y), p, reduction="none"
        ):
            np.testing.assert_array_equal(np.flatnonzero(np.isnan(part)), [17])


@both_dtypes
def test_a_soft_label_that_is_met_has_no_gradient(dtype):
    y = np.random.default_rng(0).random(1000).astype(dtype)
    assert not fl.BinaryCrossEntropy(3.3, 3.3).gradient(y, y, reduction="none").any()


@both_dtypes
def test_the_log_loss_of_the_logits(dtype):
    """Where a float holds the probability well, both say the same."""
    rng = np.random.default_rng(42)
    f, y = rng.uniform(-3, 3, 1000).astype(dtype), rng.integers(0, 2, 1000)
    costs = {"cost_fn": 5.0, "cost_fp": 0.5}
    p = fl.LogLoss().predict(f)
    on_logits = fl.LogLoss(**costs).loss(y, f, reduction="none")
    on_probabilities = fl.BinaryCrossEntropy(**costs).loss(y, p, reduction="none")
    # an error of eps / 2 of p, of which 1 - p is at least e^-3 / 2
    rtol = 60 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(on_probabilities, on_logits, rtol=rtol)


def test_start():
    loss = fl.BinaryCrossEntropy(cost_fn=3.0, cost_fp=1.0)
    assert loss.initial_prediction([0, 1], [3.0, 1.0]) == 0.5
    assert fl.BinaryCrossEntropy().initial_prediction([0.25, 0.75, 0.5]) == 0.5
    assert fl.BinaryCrossEntropy().initial_prediction([0, 0]) == 0.0
    assert fl.BinaryCrossEntropy().initial_prediction([1, 1]) == 1.0
    assert fl.BinaryCrossEntropy(1e308, 1e308).initial_prediction([0, 1, 1, 0] * 100) == 0.5


def test_predict_gives_the_probability_itself():
    p = np.array([0.0, 0.25, 1.0])
    np.testing.assert_array_equal(fl.BinaryCrossEntropy().predict(p), p)
