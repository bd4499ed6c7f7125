"""The best constant of labels near the ends of the range, and of labels of very different sizes."""

import math
import warnings

import numpy as np
import pytest
from mpmath import mp
from references import REFERENCES
from references.base import exactly

import fastloss as fl

BIG = 1.5e308


def derivative(name, params, y, w, constant):
    """The exact weighted sum of gradients."""
    exact = exactly(params)
    terms = [
        mp.mpf(float(wi)) * REFERENCES[name].gradient(mp.mpf(float(yi)), constant, **exact)
        for yi, wi in zip(y, w, strict=True)
    ]
    return mp.fsum(terms)


def assert_root(name, params, y, w=None, ulp=8):
    """The derivative changes its sign within some last places of the constant."""
    y = np.asarray(y, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        constant = fl.get_loss(name, **params).initial_prediction(y, w)
    assert math.isfinite(constant)
    weights = np.ones(len(y)) if w is None else w
    step = ulp * math.ulp(constant)
    with mp.workprec(12000):
        here = mp.mpf(constant)
        low = derivative(name, params, y, weights, here - step)
        high = derivative(name, params, y, weights, here + step)
    assert low <= 0 <= high, constant


SMOOTH = [
    ("half_squared_error", {}),
    ("expectile", {"alpha": 0.3}),
    ("squared_epsilon_insensitive", {}),
    ("huber", {}),
    ("smooth_l1", {"beta": 3.0}),
    ("pseudo_huber", {"delta": 2.0}),
    ("log_cosh", {}),
    ("fair", {}),
    ("barron_robust", {"alpha": 1.0}),
    ("barron_robust", {"alpha": 1.5}),
    ("barron_robust", {"alpha": 3.0}),
    ("barron_robust", {"alpha": 20.0}),
    ("barron_robust", {"alpha": 50.0, "c": 0.01}),
    ("lq", {"q": 3.0}),
]


@pytest.mark.parametrize(("name", "params"), SMOOTH, ids=str)
@pytest.mark.parametrize(
    "y",
    [
        [0.0, 1000.0, 700.0],
        [1e160, -3e160, 1e160, 2e160],
        [1e250, 2e200, -1e251],
        [BIG, -BIG, BIG, 3e307, 9e306],
        [5e-310, -1e-310, 3e-310, 0.0],
    ],
    ids=str,
)
def test_labels_of_any_size(name, params, y):
    # a last place of large labels is lost in the sum; subnormal weights of Barron's have few digits
    assert_root(name, params, y, ulp=64)


@pytest.mark.parametrize("alpha", [20.0, 1000.0])
def test_barron_of_a_large_exponent(alpha):
    """Gradients far beyond the numbers: the optimum tends to the middle of the range."""
    y = np.array([0.0, 1e3, 900.0, 950.0])
    constant = fl.BarronRobust(alpha).initial_prediction(y)
    assert constant == pytest.approx(500, rel=0.05)
    assert_root("barron_robust", {"alpha": alpha}, y, ulp=1 << 16)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("huber", {}),
        ("smooth_l1", {}),
        ("pseudo_huber", {}),
        ("log_cosh", {}),
        ("fair", {}),
        ("barron_robust", {"alpha": 1.0}),
        ("cauchy", {}),
        ("student_t", {}),
        ("barron_robust", {"alpha": 0.0}),
        ("barron_robust", {"alpha": -2.0}),
        ("barron_robust", {"alpha": float("-inf")}),
        ("welsch", {}),
        ("geman_mc_clure", {}),
        ("tukey", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("outlier", [1e20, 1e200, BIG])
def test_an_outlier_costs_a_robust_loss_no_digits(name, params, outlier):
    y = np.array([0.5, 1.0, 1.25, 2.0, 3.0])
    loss = fl.get_loss(name, **params)
    with_outlier = loss.initial_prediction(np.append(y, outlier))
    nearer = loss.initial_prediction(np.append(y, 1e9))
    assert 0.5 < with_outlier < 3
    assert with_outlier == pytest.approx(nearer, rel=1e-7)
    assert_root(name, params, np.append(y, outlier), ulp=16)


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("loss", [fl.GaussianNLL(), fl.GaussianCRPS()])
def test_gaussian(loss, scale):
    """Mean and scale follow the unit of the labels."""
    y = np.array([1.0, -3.0, 2.0, 2.5])
    weight = np.array([1.0, 2.0, 0.5, 1.0])
    mean, log_scale = loss.initial_prediction(y, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = loss.initial_prediction(y * scale, weight)
    factor = 2 if isinstance(loss, fl.GaussianNLL) else 1
    assert result[0] == pytest.approx(mean * scale, rel=1e-8)
    assert result[1] == pytest.approx(log_scale + factor * math.log(scale), rel=1e-9, abs=1e-8)


def test_gaussian_of_equal_labels():
    for size in (0.0, 1e-200, 5.0, 5e200, BIG):
        for loss in (fl.GaussianNLL(), fl.GaussianCRPS()):
            result = loss.initial_prediction([size] * 3)
            assert np.isfinite(result).all()
            assert result[0] == size


def test_equal_labels_are_their_own_constant():
    for name in ("squared_log_error", "half_squared_error", "expectile", "huber", "fair"):
        for size in (1e-200, 0.1, 5e200, 1.7e308):
            constant = fl.get_loss(name).initial_prediction([size] * 3, [0.3, 0.1, 7.0])
            assert constant == size


def test_more_classes_than_there_can_be():
    for loss in (fl.CrossEntropy(), fl.CrammerSinger(), fl.OneVsRest()):
        with pytest.raises(ValueError, match=r"y_true holds 1e\+160: expected class labels below"):
            loss.initial_prediction([0.0, 1e160])
