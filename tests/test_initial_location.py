"""The best constant of residuals: far labels of losses that redescend, small weights, small units."""

import math
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp
from references import REFERENCES
from references.base import exactly

import fastloss as fl


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("cauchy", {}),
        ("student_t", {}),
        ("barron_robust", {"alpha": 0.0}),
        ("barron_robust", {"alpha": 0.5}),
        ("geman_mc_clure", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("share", [0.9, 1.0, 1e-20])
def test_far_labels_pull_a_little(name, params, far, share):
    """The sums at the label and at the bottom beside it differ by less than their rounding."""
    y, w = [0.0, far], [1.0, share]
    constant = fl.get_loss(name, **params).initial_prediction(y, w)
    exact = exactly(params)
    with mp.workprec(400):

        def slope(f):
            return mp.fsum(
                mp.mpf(wi) * REFERENCES[name].gradient(mp.mpf(yi), f, **exact)
                for yi, wi in zip(y, w, strict=True)
            )

        step = 8 * math.ulp(constant)
        assert slope(mp.mpf(constant) - step) <= 0 <= slope(mp.mpf(constant) + step), constant


def lowest(y, w, cost):
    """The middle of the points of least exact sum, of a convex loss whose kinks are given."""
    kinks = sorted({Fraction(each) + d for each in y for d in cost.kinks})
    sums = [
        sum(Fraction(wi) * cost(kink - Fraction(yi)) for yi, wi in zip(y, w, strict=True))
        for kink in kinks
    ]
    best = [kink for kink, total in zip(kinks, sums, strict=True) if total == min(sums)]
    return float((best[0] + best[-1]) / 2)


class Insensitive:
    def __init__(self, epsilon):
        self.epsilon = Fraction(epsilon)
        self.kinks = (-self.epsilon, self.epsilon)

    def __call__(self, r):
        return max(Fraction(0), abs(r) - self.epsilon)


class Quantile:
    kinks = (Fraction(0),)

    def __init__(self, quantile):
        self.quantile = Fraction(quantile)

    def __call__(self, r):
        return max(-self.quantile * r, (1 - self.quantile) * r)


def test_small_weights_decide_where_large_ones_are_flat():
    y, w = [35.0, 52.0, -25.0], [1.0, 1e-20, 1e-20]
    assert fl.EpsilonInsensitive(45.0).initial_prediction(y, w) == 13.5
    assert fl.AbsoluteError().initial_prediction([0.0, 1.0, 2.0], [1.0, 1e-20, 1.0]) == 1.0
    # decimal weights that are equal but for their rounding are equal
    assert fl.AbsoluteError().initial_prediction([1, 2, 3], [0.1, 0.2, 0.3]) == 2.5


@pytest.mark.parametrize("seed", range(60))
def test_weights_of_any_size(seed):
    rng = np.random.default_rng([35, seed])
    n = int(rng.integers(1, 8))
    y = rng.integers(-60, 60, n).astype(float)
    w = 10.0 ** rng.choice([-20, -10, 0, 10, 20], n)
    for loss, cost in (
        (fl.EpsilonInsensitive(45.0), Insensitive(45)),
        (fl.AbsoluteError(), Quantile(0.5)),
        (fl.Pinball(0.25), Quantile(0.25)),
    ):
        if len(set(y)) > 1:
            assert loss.initial_prediction(y, w) == lowest(y, w, cost), (loss, y, w)


@pytest.mark.parametrize(
    "loss",
    [
        fl.SquaredError(),
        fl.AbsoluteError(),
        fl.Pinball(0.2),
        fl.Expectile(0.3),
        fl.EpsilonInsensitive(),
        fl.SquaredEpsilonInsensitive(),
        fl.AbsolutePercentageError(),
        fl.Huber(),
        fl.SmoothL1(),
        fl.PseudoHuber(),
        fl.LogCosh(),
        fl.Fair(),
        fl.Cauchy(),
        fl.StudentT(),
        fl.Welsch(),
        fl.GemanMcClure(),
        fl.Tukey(),
        fl.Wing(),
        fl.BarronRobust(),
        fl.BarronRobust(0.0),
        fl.Lq(1.5),
        fl.SquaredLogError(),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-20, 0.1, 1.7e308])
def test_equal_labels(loss, size):
    assert loss.initial_prediction([size, size]) == size
    assert loss.initial_prediction([size] * 3, [0.3, 0.1, 7.0]) == size


def test_parameters_far_beyond_small_labels():
    labels = [1e-300, 2e-300]
    assert fl.Huber(1e300).initial_prediction(labels) == pytest.approx(1.5e-300, rel=1e-14)
    assert np.isfinite(fl.SquaredEpsilonInsensitive(1e300).initial_prediction(labels))
