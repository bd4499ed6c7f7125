"""The best constants of losses of several outputs, to rounding, against exact derivatives."""

import math
import time

import numpy as np
import pytest
from mpmath import mp

import fastloss as fl


def test_focal_of_a_rare_class():
    """As the binary loss of half the difference; the search once ended far from it."""
    y = np.repeat([0, 1], [10000, 1])
    for gamma in (0.5, 2.0, 3.0, 5.0, 50.0):
        binary = fl.Focal(gamma).initial_prediction(1 - y)
        constants = fl.MulticlassFocal(gamma).initial_prediction(y)
        np.testing.assert_allclose(constants, [binary / 2, -binary / 2], rtol=1e-13)


def focal(p, gamma):
    return -((1 - p) ** (gamma - 1)) * ((1 - p) / p - gamma * mp.log(p))


def symmetric(p, alpha, reverse):
    return -alpha / p - reverse


def generalized(p, q):
    return -(p ** (q - 1))


CONVEX = [
    (fl.MulticlassFocal(gamma=0.0), focal, (0,)),
    (fl.MulticlassFocal(gamma=0.5), focal, (mp.mpf("0.5"),)),
    (fl.MulticlassFocal(), focal, (2,)),
    (fl.MulticlassFocal(gamma=5.0), focal, (5,)),
    (fl.SymmetricCrossEntropy(), symmetric, (mp.mpf(0.1), 4)),
    (fl.SymmetricCrossEntropy(0.01, 10.0), symmetric, (mp.mpf(0.01), 40)),
    (fl.MulticlassGeneralizedCE(0.3), generalized, (mp.mpf(0.3),)),
    (fl.MulticlassGeneralizedCE(0.9), generalized, (mp.mpf(0.9),)),
    (fl.RankedProbabilityScore(), focal, (0,)),  # proper, as the log loss is
]


@pytest.mark.parametrize(
    ("loss", "slope", "params"), CONVEX, ids=[str(case[0]).split(", h")[0] for case in CONVEX]
)
@pytest.mark.parametrize("spread", [0, 3, 20])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_slopes_of_all_probabilities_are_equal(loss, slope, params, spread, n_classes):
    """Of each probability the loss is convex, so that this is the minimum."""
    rng = np.random.default_rng([29, spread, n_classes])
    for _ in range(5):
        w = 10 ** rng.uniform(-spread, spread, n_classes)
        constants = loss.initial_prediction(np.arange(n_classes), w)
        with mp.workprec(400):
            powers = [mp.exp(mp.mpf(float(c))) for c in constants]
            p = [each / mp.fsum(powers) for each in powers]
            slopes = [mp.mpf(float(wi)) * slope(pi, *params) for wi, pi in zip(w, p, strict=True)]
            mean = mp.fsum(pi * each for pi, each in zip(p, slopes, strict=True))
            errors = [abs(each - mean) / max(abs(each), abs(mean)) for each in slopes]
        assert max(errors) < 2e-15 * (10 + float(np.abs(constants).max())), (w, constants)


@pytest.mark.parametrize("spread", [0, 3, 20])
def test_jensen_shannon(spread):
    rng = np.random.default_rng([30, spread])
    for n_classes in (2, 3, 10):
        q = rng.dirichlet(np.full(n_classes, 0.3), 20)
        w = 10 ** rng.uniform(-spread, spread, 20)
        constants = fl.JensenShannon().initial_prediction(q, w)
        with mp.workprec(400):
            powers = [mp.exp(mp.mpf(float(c))) for c in constants]
            p = [each / mp.fsum(powers) for each in powers]
            slopes = [
                mp.fsum(
                    mp.mpf(float(wi)) * mp.log(2 * pk / (pk + mp.mpf(float(qi))))
                    for wi, qi in zip(w, column, strict=True)
                )
                for pk, column in zip(p, q.T, strict=True)
            ]
            mean = mp.fsum(pk * each for pk, each in zip(p, slopes, strict=True))
            gradient = [float(pk * (each - mean)) for pk, each in zip(p, slopes, strict=True)]
        assert np.abs(gradient).max() < 1e-14 * w.sum()


def test_jensen_shannon_of_a_class_without_weight():
    """The best probability would be some exp(-1e20)."""
    constants = fl.JensenShannon().initial_prediction([[1.0, 0.0], [0.0, 1.0]], [1.0, 1e-20])
    np.testing.assert_array_equal(constants, [350.0, -350.0])


@pytest.mark.parametrize("spread", [0, 3, 20])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_squared_hinge(spread, n_classes):
    rng = np.random.default_rng([31, spread, n_classes])
    for margin in (1.0, 1e-20, 3e200):
        w = 10 ** rng.uniform(-spread, spread, n_classes)
        constants = fl.MulticlassHinge(margin, p=2).initial_prediction(np.arange(n_classes), w)
        with mp.workprec(400):
            exact = [mp.mpf(float(c)) / mp.mpf(margin) for c in constants]
            slopes = [mp.mpf(0)] * n_classes
            for y in range(n_classes):
                for k in range(n_classes):
                    if k != y:
                        excess = max(mp.mpf(0), 1 - exact[y] + exact[k]) * mp.mpf(float(w[y]))
                        slopes[k] += excess
                        slopes[y] -= excess
        assert max(abs(float(each)) for each in slopes) < 1e-14 * w.sum()


@pytest.mark.parametrize("exponent", [8, 15, 20])
def test_squared_hinge_of_three_sizes(exponent):
    w = [10.0**-exponent, 1.0, 10.0**exponent]
    constants = fl.MulticlassHinge(p=2).initial_prediction([0, 1, 2], w)
    np.testing.assert_allclose(constants, [-1.0, 0.0, 1.0], atol=1e-7)


def test_squared_hinge_of_one_heavy_class():
    for heavy in (1e17, 1e20):
        constants = fl.MulticlassHinge(p=2).initial_prediction([0, 1], [1.0, heavy])
        np.testing.assert_allclose(constants, [-0.5, 0.5], rtol=1e-15)


def test_the_most_frequent_class_has_all():
    """Losses linear in the probabilities: the optimum is at infinity."""
    for loss in (fl.MulticlassGeneralizedCE(1.0), fl.SymmetricCrossEntropy(alpha=0.0)):
        constants = loss.initial_prediction([0, 1, 1, 2])
        assert constants[1] - constants[0] == pytest.approx(36.04, rel=1e-3)


def test_quick_for_many_classes():
    w = 10 ** np.random.default_rng(32).uniform(-20, 20, 100)
    for loss in (fl.MulticlassFocal(), fl.SymmetricCrossEntropy(), fl.MulticlassHinge(p=2)):
        start = time.perf_counter()
        loss.initial_prediction(np.arange(100), w)
        assert time.perf_counter() - start < 20  # on any machine; a tenth of a second on most


@pytest.mark.parametrize("spread", [0, 3, 20])
def test_cumulative_logit(spread):
    rng = np.random.default_rng([33, spread])
    for n_classes in (2, 3, 10):
        thresholds = np.sort(rng.normal(size=n_classes - 1) * 3)
        w = 10 ** rng.uniform(-spread, spread, n_classes)
        score = fl.CumulativeLogit(thresholds).initial_prediction(np.arange(n_classes), w)

        def slope(f, w=w, thresholds=thresholds):
            ends = [-mp.inf, *(mp.mpf(float(t)) for t in thresholds), mp.inf]
            expit = [1 / (1 + mp.exp(f - end)) for end in ends]
            return mp.fsum(
                mp.mpf(float(wk)) * (1 - high - low)
                for wk, low, high in zip(w, expit[:-1], expit[1:], strict=True)
            )

        with mp.workprec(400):
            step = 8 * math.ulp(max(abs(score), 1.0))
            assert slope(mp.mpf(score) - step) <= 0 <= slope(mp.mpf(score) + step)


def test_gaussian_of_small_units():
    for unit in (1e-5, 1e-20, 1e-300, 5e-324):
        constants = fl.GaussianNLL().initial_prediction([unit, -unit])
        np.testing.assert_allclose(constants, [0.0, 2 * math.log(unit)], rtol=1e-15)
        of_one = fl.GaussianCRPS().initial_prediction([1.0, -1.0])
        scaled = fl.GaussianCRPS().initial_prediction([unit, -unit])
        assert scaled[1] == pytest.approx(of_one[1] + math.log(unit), rel=1e-14)


@pytest.mark.parametrize("spread", [0, 0.5, 20])
def test_gaussian_crps(spread):
    """Both exact derivatives are 0, or one label has so much weight that the scale is 0."""
    rng = np.random.default_rng([34, int(2 * spread)])
    for n in (2, 3, 10, 30):
        y, w = rng.normal(size=n), 10 ** rng.uniform(-spread, spread, n)
        mean, log_scale = fl.GaussianCRPS().initial_prediction(y, w)
        if log_scale < -30:
            assert w.max() > 0.7 * w.sum()
            continue
        with mp.workprec(200):
            scale = mp.exp(mp.mpf(log_scale))
            z = [(mp.mpf(mean) - mp.mpf(float(each))) / scale for each in y]
            weights = [mp.mpf(float(each)) for each in w]
            by_mean = mp.fsum(wi * (2 * mp.ncdf(zi) - 1) for wi, zi in zip(weights, z, strict=True))
            by_scale = mp.fsum(
                wi * (2 * mp.npdf(zi) - 1 / mp.sqrt(mp.pi))
                for wi, zi in zip(weights, z, strict=True)
            )
        size = 4e-15 * w.sum() * (1 + float(1 / scale))
        assert abs(by_mean) < size, (y, w)
        assert abs(by_scale) < size, (y, w)


@pytest.mark.parametrize("rows", [[[0, 5], [10, 5]], [[41, 0.2], [15, 146]], [[2, 50], [100, 1]]])
def test_jensen_shannon_of_targets_that_do_not_sum_to_one(rows):
    loss, targets = fl.JensenShannon(), np.asarray(rows, float)

    def total(difference):
        f = np.tile([difference / 2, -difference / 2], (len(targets), 1))
        return loss(targets, f, reduction="sum")

    found = loss.initial_prediction(targets)
    assert np.isfinite(found).all()
    best = min(total(difference) for difference in np.linspace(-40, 40, 8001))
    assert total(found[0] - found[1]) <= best + 1e-12 * abs(best)


def test_squared_hinge_of_many_classes_is_quick():
    y = np.arange(1000) % 3
    began = time.perf_counter()
    found = fl.MulticlassHinge(p=2).initial_prediction(y, n_classes=1000)
    assert found.shape == (1000,)
    assert time.perf_counter() - began < 60  # the square of 1000 a step would be minutes


COUNTING = [fl.CrossEntropy(), fl.NLL(), fl.Coral(), fl.OneVsRest()]


@pytest.mark.parametrize("loss", COUNTING, ids=lambda loss: loss.name)
@pytest.mark.parametrize(
    ("n_classes", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (10**12, ValueError),
        (2.0, TypeError),
        ("3", TypeError),
        (True, TypeError),
    ],
)
def test_a_number_of_classes_that_is_none(loss, n_classes, error):
    message = rf"^n_classes = {n_classes!r}: expected an integer of at least [12]"
    with pytest.raises(error, match=message):
        loss.initial_prediction([0, 1], n_classes=n_classes)


@pytest.mark.parametrize("loss", COUNTING, ids=lambda loss: loss.name)
def test_a_number_of_classes_of_numpy(loss):
    found = loss.initial_prediction([0, 1], n_classes=np.int8(4))
    np.testing.assert_array_equal(found, loss.initial_prediction([0, 1], n_classes=4))


def test_thresholds_need_two_classes():
    loss = fl.Coral()
    with pytest.raises(ValueError, match=r"^y_true holds class 0 alone, Coral .*: give n_classes$"):
        loss.initial_prediction([0, 0, 0])
    assert loss.initial_prediction([0, 0, 0], n_classes=3).shape == (2,)
    with pytest.raises(ValueError, match=r"^n_classes = 1: expected an integer of at least 2$"):
        loss.initial_prediction([0, 0], n_classes=1)
    for label in (-1, 0.5):
        with pytest.raises(ValueError, match=rf"y_true\[0\] = {label}"):
            loss.initial_prediction([label])
