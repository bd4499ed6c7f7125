"""The best constant is clipped only where it is infinite, not where it is merely far out."""

import math

import numpy as np
import pytest
from mpmath import mp
from references import REFERENCES
from references.base import exactly

import fastloss as fl

CLIPPED = -math.log(np.finfo(np.float64).eps)

TINY_MEANS = [
    ("poisson", {}),
    ("tweedie", {"power": 1.5}),
    ("tweedie", {"power": 3.0}),
    ("tweedie_identity", {"power": 1.0}),
    ("tweedie_identity", {"power": 3.0}),
    ("negative_binomial", {}),
    ("gamma", {}),
]


@pytest.mark.parametrize(("name", "params"), TINY_MEANS, ids=str)
@pytest.mark.parametrize(
    ("y", "w"),
    [
        ([1e-20, 1e-20], None),
        ([1e-20, 3e-20, 2e-21], [1.0, 1e20, 1e-20]),
        ([1e-200, 3e-300], [1e-20, 1e20]),
        ([5e-324, 1e-320], None),
    ],
    ids=str,
)
def test_a_small_mean_is_not_clipped(name, params, y, w):
    constant = fl.get_loss(name, **params).initial_prediction(y, w)
    with mp.workprec(200):
        weights = [mp.mpf(each) for each in (w or [1] * len(y))]
        mean = mp.fsum(wi * mp.mpf(yi) for wi, yi in zip(weights, y, strict=True))
        mean /= mp.fsum(weights)
        expected = float(mean if name == "tweedie_identity" else mp.log(mean))
    assert constant == pytest.approx(expected, rel=4e-16 if expected < -1 else 4e-15, abs=5e-324)


def test_means_of_zero_are_clipped():
    for loss in (fl.Poisson(), fl.Tweedie(1.5), fl.NegativeBinomial()):
        assert loss.initial_prediction([0, 0]) == -CLIPPED
    assert fl.TweedieIdentity(1.5).initial_prediction([0.0]) == np.finfo(np.float64).eps


def test_a_mean_below_the_smallest_number_has_a_logarithm():
    assert fl.Poisson().initial_prediction([0, 1e-200], [1, 1e-200]) == pytest.approx(
        -400 * math.log(10), rel=1e-15
    )


TWO_CLASSES = [
    ("log_loss", {}),
    ("log_loss", {"pos_weight": 1e20}),
    ("log_loss", {"pos_weight": 1e150, "cost_fn": 1e150}),
    ("exponential", {"cost_fn": 1e-20}),
    ("poly1", {}),
    ("poly1", {"epsilon": -1.0}),
    ("c_log_log", {"cost_fp": 1e20}),
    ("probit", {}),
    ("focal", {"gamma": 0.0, "alpha": 0.25}),
    ("focal", {}),
    ("generalized_cross_entropy", {"q": 0.7}),
    ("squared_hinge", {}),
]


@pytest.mark.parametrize(("name", "params"), TWO_CLASSES, ids=str)
@pytest.mark.parametrize("w", [[1.0, 1e20], [1e20, 1.0], [1e-20, 3e5], [1e20, 1e-20]], ids=str)
def test_extreme_weights_and_costs(name, params, w):
    """The exact derivative changes its sign within some last places."""
    constant = fl.get_loss(name, **params).initial_prediction([0, 1], w)
    exact = exactly(params)
    with mp.workprec(6000):

        def slope(f):
            return mp.fsum(
                mp.mpf(wi) * REFERENCES[name].gradient(mp.mpf(yi), f, **exact)
                for yi, wi in enumerate(w)
            )

        step = 16 * math.ulp(max(abs(constant), 1.0))
        low, high = mp.mpf(constant) - step, mp.mpf(constant) + step
        assert slope(low) <= 0 <= slope(high), constant


def test_several_classes():
    w = np.array([1.0, 1e20, 1e-20])
    expected = np.log(w)
    for loss in (fl.CrossEntropy(), fl.NLL(), fl.RankedProbabilityScore()):
        constants = loss.initial_prediction([0, 1, 2], w)
        np.testing.assert_allclose(
            constants - constants[0], expected - expected[0], rtol=1e-15, err_msg=str(loss)
        )
    coral = fl.Coral().initial_prediction([0, 1, 2], w)
    np.testing.assert_allclose(coral, np.log([1e20, 1e-40]), rtol=1e-15)
    targets = [[1.0, 1e-20], [1.0, 3e-20]]
    logs = fl.KLDivergence().initial_prediction(targets)
    assert logs[1] - logs[0] == pytest.approx(math.log(2e-20), rel=1e-15)


def test_a_class_that_does_not_occur_is_no_likelier_than_one_that_does():
    constants = fl.CrossEntropy().initial_prediction([0, 1], [1.0, 1e20], n_classes=3)
    assert constants[2] <= constants[0] < constants[1]
    one = fl.CrossEntropy().initial_prediction([0], n_classes=2)
    assert one[0] - one[1] == CLIPPED


@pytest.mark.parametrize("smoothing", [1e-20, 1e-10, 1e-5, 0.1])
def test_smoothed_labels_are_alike_for_both_classes(smoothing):
    loss = fl.LogLoss(label_smoothing=smoothing)
    expected = np.log(smoothing / 2) - np.log1p(-smoothing / 2)
    assert loss.initial_prediction([0, 0]) == pytest.approx(expected, rel=1e-14)
    assert loss.initial_prediction([1, 1]) == pytest.approx(-expected, rel=1e-14)


def test_the_scale_of_labels_that_are_equal_but_for_few():
    mean, log_scale = fl.GaussianCRPS().initial_prediction([1e-40] * 4 + [2e-40])
    assert mean == 1e-40
    assert log_scale == pytest.approx(np.log(np.finfo(float).eps) + np.log(1e-40))
