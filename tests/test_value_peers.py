"""Semantics of Keras, CatBoost and scoringrules, which tell values alone."""

import os
import sys
import warnings

import numpy as np
import pytest
from helpers.peers import decades, module, residuals, weights

import fastloss as fl

N, C = 400, 4
rng = np.random.default_rng(61)
REAL, POSITIVE, COUNTS = rng.normal(size=N), rng.gamma(2.0, 1.0, N) + 0.1, rng.poisson(2, N) * 1.0
BINARY, CLASSES = rng.integers(0, 2, N) * 1.0, rng.integers(0, C, N)
RAW, LOGITS = rng.uniform(-3, 3, N), 2 * rng.normal(size=(N, C))


def expit(f):
    return 1 / (1 + np.exp(-f))


def softmax(f):
    e = np.exp(f - f.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------- Keras


@pytest.fixture(scope="module")
def keras():
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


def column(values):
    return values[:, None]


# Keras takes the mean over the last axis, and computes in float32
KERAS = {
    "mean_absolute_percentage_error": lambda k: (
        100 * fl.AbsolutePercentageError(eps=1e-7).loss(REAL, RAW, reduction="none"),
        k.mean_absolute_percentage_error(column(REAL), column(RAW)),
    ),
    "mean_squared_logarithmic_error": lambda k: (
        fl.SquaredLogError().loss(COUNTS, POSITIVE, reduction="none"),
        k.mean_squared_logarithmic_error(column(COUNTS), column(POSITIVE)),
    ),
    "log_cosh": lambda k: (
        fl.LogCosh().loss(REAL, RAW, reduction="none"),
        k.log_cosh(column(REAL), column(RAW)),
    ),
    "huber": lambda k: (
        fl.Huber(0.7).loss(REAL, RAW, reduction="none"),
        k.huber(column(REAL), column(RAW), delta=0.7),
    ),
    "hinge": lambda k: (
        fl.Hinge().loss(BINARY, RAW, reduction="none"),
        k.hinge(column(BINARY), column(RAW)),
    ),
    "squared_hinge": lambda k: (
        fl.SquaredHinge().loss(BINARY, RAW, reduction="none"),
        k.squared_hinge(column(BINARY), column(RAW)),
    ),
    # of the mean, where ours takes its logarithm
    "poisson": lambda k: (
        fl.Poisson().loss(COUNTS, RAW, reduction="none"),
        k.poisson(column(COUNTS), column(np.exp(RAW))),
    ),
    "binary_crossentropy": lambda k: (
        fl.LogLoss(label_smoothing=0.2).loss(BINARY, RAW, reduction="none"),
        k.binary_crossentropy(column(BINARY), column(RAW), from_logits=True, label_smoothing=0.2),
    ),
    "binary_focal_crossentropy": lambda k: (
        fl.Focal(gamma=2.0, alpha=0.25).loss(BINARY, RAW, reduction="none"),
        k.binary_focal_crossentropy(
            column(BINARY), column(RAW), apply_class_balancing=True, alpha=0.25, gamma=2.0,
            from_logits=True,
        ),
    ),
    "sparse_categorical_crossentropy": lambda k: (
        fl.CrossEntropy().loss(CLASSES, LOGITS, reduction="none"),
        k.sparse_categorical_crossentropy(CLASSES, LOGITS, from_logits=True),
    ),
    "categorical_focal_crossentropy": lambda k: (
        fl.MulticlassFocal(gamma=2.0, alpha=[0.25] * C).loss(CLASSES, LOGITS, reduction="none"),
        k.categorical_focal_crossentropy(
            np.eye(C)[CLASSES], LOGITS, alpha=0.25, gamma=2.0, from_logits=True
        ),
    ),
    "categorical_generalized_cross_entropy": lambda k: (
        fl.MulticlassGeneralizedCE(q=0.7).loss(CLASSES, LOGITS, reduction="none"),
        k.categorical_generalized_cross_entropy(CLASSES, softmax(LOGITS), q=0.7),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", KERAS)
def test_keras(keras, case):
    ours, theirs = KERAS[case](keras.losses)
    # float32, clipped at 1e-7 from probabilities of 0 and 1
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=2e-5, atol=2e-6)


# ---------------------------------------------------------------- CatBoost

CATBOOST = {
    "Expectile:alpha=0.3": (fl.Expectile(0.3), REAL, RAW),
    "Lq:q=1.5": (fl.Lq(1.5), REAL, RAW),
    "Lq:q=3": (fl.Lq(3.0), REAL, RAW),
    "Huber:delta=0.7": (fl.Huber(0.7), REAL, RAW),
    "MAPE": (fl.AbsolutePercentageError(eps=1.0), REAL, RAW),
    "MSLE": (fl.SquaredLogError(), COUNTS, POSITIVE),
    "Quantile:alpha=0.9": (fl.Pinball(0.9), REAL, RAW),
    "Poisson": (fl.Poisson(), COUNTS, RAW),
    "Tweedie:variance_power=1.5": (fl.Tweedie(1.5), COUNTS, RAW),
    "Logloss": (fl.LogLoss(), BINARY, RAW),
    "CrossEntropy": (fl.LogLoss(), expit(REAL), RAW),
    "MultiClass": (fl.CrossEntropy(), CLASSES, LOGITS),
}


@pytest.mark.parametrize("metric", CATBOOST)
def test_catboost(metric):
    rng = np.random.default_rng(10)
    utils = module("catboost.utils")
    ours, y, f = CATBOOST[metric]
    weight = rng.random(N)
    (theirs,) = utils.eval_metric(y, f, metric, weight=weight)
    # labels and weights are of float32 there
    assert ours(y, f, weight) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("draw", range(6))
def test_catboost_expectile(draw):
    """Of any alpha, all but predictions being float32 numbers, as theirs are."""
    utils = module("catboost.utils")
    rng = np.random.default_rng([12, draw])
    alpha, size = float(np.float32(rng.uniform(0.01, 0.99))), decades(rng, -2, 2)
    y, f = residuals(rng, size, N)
    y, weight = y.astype(np.float32).astype(np.float64), weights(rng, N, np.float32)
    # CatBoost spells alpha in decimals
    (theirs,) = utils.eval_metric(y, f, f"Expectile:alpha={alpha!r}", weight=weight)
    ours = fl.Expectile(alpha)(y, f, weight.astype(np.float64))
    assert ours == pytest.approx(theirs, rel=1e-14)


# ---------------------------------------------------------------- scoringrules, scikit-learn


def test_scoringrules_crps():
    scoringrules = pytest.importorskip("scoringrules")
    f = np.stack([RAW, 0.5 * REAL], axis=1)
    theirs = scoringrules.crps_normal(REAL[::-1], f[:, 0], np.exp(f[:, 1]))
    ours = fl.GaussianCRPS().loss(REAL[::-1], f, reduction="none")
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


def test_scoringrules_ranked_probability_score():
    scoringrules = pytest.importorskip("scoringrules")
    theirs = scoringrules.rps_score(CLASSES + 1, softmax(LOGITS))  # they count classes from 1
    ours = fl.RankedProbabilityScore().loss(CLASSES, LOGITS, reduction="none")
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


def test_sklearn_hinge_of_several_classes_is_that_of_crammer_and_singer():
    rng = np.random.default_rng(11)
    metrics = pytest.importorskip("sklearn.metrics")
    weight = rng.random(N)
    theirs = metrics.hinge_loss(CLASSES, LOGITS, sample_weight=weight)
    assert fl.CrammerSinger()(CLASSES, LOGITS, weight) == pytest.approx(theirs, rel=1e-13)
