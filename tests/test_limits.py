"""Losses with a parameter, at and near the parameters where they are another loss."""

import numpy as np
import pytest
from helpers.calls import both_dtypes

import fastloss as fl

PARTS = ("loss", "gradient", "hessian")


def results(loss, y, f):
    return loss.loss_gradient_hessian(y, f, reduction="none")


def data(dtype):
    rng = np.random.default_rng(41)
    return rng.gamma(2.0, 1.0, 500).astype(dtype), rng.uniform(-4, 4, 500).astype(dtype)


@both_dtypes
@pytest.mark.parametrize(
    ("loss", "limit"),
    [
        (fl.Tweedie(1), fl.Poisson()),
        (fl.Tweedie(2), fl.Gamma()),
        (fl.TweedieIdentity(0), fl.HalfSquaredError()),
        (fl.Lq(1), fl.AbsoluteError()),
        (fl.Lq(2), fl.SquaredError()),
    ],
)
def test_limits_with_a_kernel_of_their_own_have_its_bits(loss, limit, dtype):
    y, f = data(dtype)
    for one, other in zip(results(loss, y, f), results(limit, y, f), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loss.initial_prediction(y) == limit.initial_prediction(y)
    assert loss != limit


@both_dtypes
@pytest.mark.parametrize("alpha", [2.0, 0.0, -np.inf])
def test_barron_goes_to_its_limits(alpha, dtype):
    y, f = data(dtype)
    limit = results(fl.BarronRobust(alpha, c=0.7), y, f)
    near = {2.0: [2 - 1e-9, 2 + 1e-9], 0.0: [-1e-9, 1e-9, 1e-300, -1e-22], -np.inf: [-1e10, -1e30]}
    eps = float(np.finfo(dtype).eps)
    for close in near[alpha]:
        for one, other in zip(results(fl.BarronRobust(close, c=0.7), y, f), limit, strict=True):
            largest = np.abs(other).max()
            np.testing.assert_allclose(one, other, rtol=2e-7, atol=(8 * eps + 1e-8) * largest)


@both_dtypes
def test_barron_is_the_losses_that_it_generalises(dtype):
    y, f = data(dtype)
    r, c = (f.astype(np.float64) - y) / 0.7, 0.7
    expected = {2: r**2 / 2, 1: np.sqrt(1 + r**2) - 1, -2: 2 * r**2 / (r**2 + 4)}
    expected |= {0: np.log1p(r**2 / 2), -np.inf: -np.expm1(-(r**2) / 2)}
    for alpha, values in expected.items():
        computed = fl.BarronRobust(alpha, c).loss(y, f, reduction="none")
        eps = float(np.finfo(dtype).eps)  # the formulas here cancel near 0
        np.testing.assert_allclose(computed, values, rtol=8 * eps, atol=2.0**-51)


def test_negative_binomial_goes_to_poisson():
    y, f = data(np.float64)
    y = np.floor(y)
    for part, one, other in zip(
        PARTS, results(fl.NegativeBinomial(1e-12), y, f), results(fl.Poisson(), y, f), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9, err_msg=part)


@pytest.mark.parametrize("power", [0.5, 0.001, 0.999])
def test_there_is_no_tweedie_distribution_of_a_power_between_0_and_1(power):
    for cls in (fl.Tweedie, fl.TweedieIdentity):
        with pytest.raises(ValueError, match=rf"^power = {power}: expected a number outside"):
            cls(power)


@pytest.mark.parametrize(
    ("power", "least", "refused"), [(-1, -5.0, np.inf), (1.5, 0.0, -0.5), (2.5, 1e-30, 0.0)]
)
def test_labels_of_a_tweedie_distribution(power, least, refused):
    for cls in (fl.Tweedie, fl.TweedieIdentity):
        assert np.isfinite(cls(power).loss([least], [1.0]))
        with pytest.raises(ValueError, match=rf"^y_true\[0\] = .*: {cls.__name__} expects finite"):
            cls(power).loss([refused], [1.0])
