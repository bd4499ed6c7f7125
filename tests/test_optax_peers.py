"""Semantics of optax: values, and gradients by JAX, which has a process of its own."""

import sys

import numpy as np
import pytest
from helpers.optax_process import results_of, store_results

import fastloss as fl

N, C = 300, 5
rng = np.random.default_rng(41)
REAL, SOFT, RAW = rng.normal(size=N), rng.random(N), rng.uniform(-4, 4, N)
BINARY, CLASSES = rng.integers(0, 2, N), rng.integers(0, C, N)
LOGITS, PROBABILITIES = 2 * rng.normal(size=(N, C)), rng.dirichlet(np.ones(C), N)
LOG_SOFTMAX = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))


def two_classes(losses, f, y):
    import jax.numpy as jnp

    logits, labels = jnp.stack([f, 0 * f], -1), jnp.stack([y, 1 - y], -1)
    return losses.poly_loss_cross_entropy(logits, labels, epsilon=2.0)


def smoothed(losses, f, y):
    hot = (y[:, None] == np.arange(C)).astype(f.dtype)
    return losses.softmax_cross_entropy(f, losses.smooth_labels(hot, 0.2))


def margins(losses, f, y):
    import jax

    return jax.vmap(losses.multiclass_hinge_loss)(f, y)


# ours, its labels and predictions, and theirs
CASES = {
    "log_cosh": (fl.LogCosh(), REAL, RAW, lambda o, f, y: o.log_cosh(f, y)),
    "squared_error": (fl.SquaredError(), REAL, RAW, lambda o, f, y: o.squared_error(f, y)),
    "l2": (fl.HalfSquaredError(), REAL, RAW, lambda o, f, y: o.l2_loss(f, y)),
    "huber": (fl.Huber(0.7), REAL, RAW, lambda o, f, y: o.huber_loss(f, y, delta=0.7)),
    "hinge": (fl.Hinge(), BINARY, RAW, lambda o, f, y: o.hinge_loss(f, 2 * y - 1)),
    "perceptron": (fl.Perceptron(), BINARY, RAW, lambda o, f, y: o.perceptron_loss(f, 2 * y - 1)),
    "sigmoid": (fl.LogLoss(), SOFT, RAW, lambda o, f, y: o.sigmoid_binary_cross_entropy(f, y)),
    "focal": (fl.Focal(), SOFT, RAW, lambda o, f, y: o.sigmoid_focal_loss(f, y)),
    "focal_alpha": (
        fl.Focal(gamma=3.5, alpha=0.25),
        BINARY * 1.0,
        RAW,
        lambda o, f, y: o.sigmoid_focal_loss(f, y, alpha=0.25, gamma=3.5),
    ),
    "poly": (fl.Poly1(2.0), SOFT, RAW, two_classes),
    "softmax": (
        fl.CrossEntropy(),
        CLASSES,
        LOGITS,
        lambda o, f, y: o.softmax_cross_entropy_with_integer_labels(f, y),
    ),
    "soft": (
        fl.CrossEntropy(),
        PROBABILITIES,
        LOGITS,
        lambda o, f, y: o.softmax_cross_entropy(f, y),
    ),
    "smoothed": (fl.CrossEntropy(label_smoothing=0.2), CLASSES, LOGITS, smoothed),
    "crammer_singer": (fl.CrammerSinger(), CLASSES, LOGITS, margins),
    "sparsemax": (
        fl.Sparsemax(),
        CLASSES,
        LOGITS,
        lambda o, f, y: o.multiclass_sparsemax_loss(f, y),
    ),
    "kl": (
        fl.KLDivergence(),
        PROBABILITIES,
        LOG_SOFTMAX,
        lambda o, f, y: o.kl_divergence(f, y),
    ),
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return results_of(__file__, tmp_path_factory.mktemp("optax"))


@pytest.mark.parametrize("case", CASES)
def test_optax(theirs, case):
    ours, y, f, _ = CASES[case]
    mine = np.column_stack(ours.loss_gradient(y, f, reduction="none"))
    assert theirs[case].dtype == np.float64
    # theirs cancel: log(exp + exp), p - y
    scale = np.abs(theirs[case]).max()
    np.testing.assert_allclose(mine, theirs[case], rtol=1e-13, atol=1e-13 * scale)


if __name__ == "__main__":
    store_results(
        sys.argv[1],
        {
            name: (f, lambda losses, x, y=y, function=function: function(losses, x, y))
            for name, (_, y, f, function) in CASES.items()
        },
    )
