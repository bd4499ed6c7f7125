"""Softmax cross-entropy beside scikit-learn and torch."""

from contextlib import nullcontext

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.cross_entropy import data

import fastloss as fl


@both_dtypes
@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_sklearn(dtype, n_classes, weighted):
    sklearn_loss = pytest.importorskip("sklearn._loss.loss")
    y, f, w = data(1000, n_classes, dtype)
    w = w if weighted else None
    theirs = sklearn_loss.HalfMultinomialLoss(n_classes=n_classes)
    labels = y.astype(dtype)
    value, gradient = theirs.loss_gradient(labels, f, w)
    _, hessian = theirs.gradient_hessian(labels, f, w)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    results = fl.CrossEntropy().loss_gradient_hessian(y, f, w, reduction="none")
    for mine, other in zip(results, (value, gradient, hessian), strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)
    assert fl.CrossEntropy()(y, f, w) == pytest.approx(theirs(labels, f, w), rel=tolerance)
    np.testing.assert_allclose(
        fl.CrossEntropy().predict(f), theirs.predict_proba(f), rtol=tolerance
    )
    start = fl.CrossEntropy().initial_prediction(y, w)
    theirs_start = theirs.fit_intercept_only(labels, w)
    np.testing.assert_allclose(
        start - start.mean(), theirs_start - theirs_start.mean(), rtol=tolerance, atol=tolerance
    )


@both_dtypes
@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_weight": True},
        {"label_smoothing": 0.15},
        {"class_weight": True, "label_smoothing": 0.15},
        {"ignore_index": 0},
        {"ignore_index": -100, "class_weight": True, "label_smoothing": 0.15},
        {"soft": True},
        {"soft": True, "class_weight": True, "label_smoothing": 0.15},
    ],
    ids=str,
)
def test_torch(dtype, n_classes, reduction, options):
    torch = pytest.importorskip("torch")
    y, f, _ = data(211, n_classes, dtype)
    options = dict(options)
    soft = options.pop("soft", False)
    if options.get("class_weight"):
        options["class_weight"] = np.linspace(0.5, 2, n_classes)
    if options.get("ignore_index") == -100:
        y[::3] = -100
    if soft:
        y = np.random.default_rng(2).dirichlet(np.ones(n_classes), 211).astype(dtype)
    raw = torch.tensor(f, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        raw,
        torch.tensor(y),
        weight=None
        if options.get("class_weight") is None
        else torch.tensor(options["class_weight"], dtype=raw.dtype),
        label_smoothing=options.get("label_smoothing", 0.0),
        ignore_index=options.get("ignore_index", -100),
        reduction=reduction,
    )
    theirs.sum().backward()
    nothing = reduction == "mean" and n_classes == 1 and options.get("ignore_index") == 0
    with pytest.warns(RuntimeWarning, match="NaN") if nothing else nullcontext():
        value, gradient = fl.CrossEntropy(**options).loss_gradient(y, f, reduction=reduction)
    tolerance = 1e-12 if dtype == np.float64 else 3e-5
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_torch_images():
    """(N, C, H, W), the class axis 1."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(48)
    f, y = rng.normal(size=(3, 5, 17, 23)), rng.integers(0, 5, (3, 17, 23))
    y[0, 0] = 255
    raw = torch.tensor(f, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(raw, torch.tensor(y), ignore_index=255)
    theirs.backward()
    value, gradient = fl.CrossEntropy(ignore_index=255).loss_gradient(y, f, axis=1)
    assert value == pytest.approx(theirs.item(), rel=1e-14)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=1e-11, atol=1e-16)
