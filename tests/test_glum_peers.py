"""Semantics of glum in both dtypes: its negative binomials, and its complementary log-log link."""

import numpy as np
import pytest
from helpers.calls import both_dtypes
from helpers.peers import assert_within, decades, weights
from threadpoolctl import threadpool_limits

import fastloss as fl

N = 200
DRAWS = range(6)


@pytest.fixture(scope="module")
def glum():
    peer = pytest.importorskip("glum")
    # in one thread: its deviances are called sample by sample, where threads wait for each other
    with threadpool_limits(limits=1, user_api="openmp"):
        yield peer


def observed_information(distribution, link, y, f, mean, weight):
    """The negative second derivative of a log-likelihood by its link and variance, and its terms."""
    variance, slope = distribution.unit_variance(mean), link.inverse_derivative(f)
    off = y - mean
    terms = (
        -link.inverse_derivative2(f) * off,
        slope**2,
        slope**2 * off * distribution.unit_variance_derivative(mean) / variance,
    )
    factor = weight / variance
    return sum(terms) * factor, sum(map(np.abs, terms)) * factor


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_negative_binomial(glum, draw, dtype):
    """Half of glum's deviance, up to what does not depend on the mean; its score and information."""
    rng = np.random.default_rng([131, draw])
    theta = float(np.float32(decades(rng, -2, 1)))  # glum keeps it in float32
    y, f = rng.poisson(3, N).astype(dtype), rng.uniform(-3, 3, N).astype(dtype)
    weight = weights(rng, N, dtype)
    theirs, link = glum.NegativeBinomialDistribution(theta), glum.LogLink()
    ours, zero = fl.NegativeBinomial(theta), np.zeros_like(f)
    mean, one = link.inverse(f), np.ones_like(f)
    assert_within(ours.predict(f), mean, mean, dtype)
    value, gradient, hessian = ours.loss_gradient_hessian(y, f, weight, reduction="none")

    def deviances(mean):  # sample by sample
        rows = zip(*(np.split(a, N) for a in (y, mean, weight)), strict=True)
        return np.array([theirs.deviance(*row) for row in rows])

    counts = y + 1 / theta
    # the logarithms are those of quotients, rounded: an eps of the counts themselves
    terms = weight * (counts * (1 + np.log1p(theta * mean)) + y * (1 + np.abs(f)))
    own = value - ours.loss(y, zero, weight, reduction="none")
    assert_within(own, (deviances(mean) - deviances(one)) / 2, terms, dtype)

    score, expected = theirs.rowwise_gradient_hessian(link, None, 1.0, None, y, weight, f, mean)
    spread = weight / (1 + theta * mean)
    assert_within(gradient, -score, spread * (mean + y), dtype)
    information, terms = observed_information(theirs, link, y, f, mean, weight)
    assert_within(hessian, information, terms, dtype)
    # the expected information is the observed one of a label that is the mean
    _, at_mean = ours.gradient_hessian(mean, f, weight, reduction="none")
    assert_within(at_mean, expected, expected, dtype)


@both_dtypes
@pytest.mark.parametrize("draw", DRAWS)
def test_c_log_log(glum, draw, dtype):
    """Half of the binomial deviance under the link; costs are weights of glum's."""
    rng = np.random.default_rng([132, draw])
    fn, fp = decades(rng, -1, 1), decades(rng, -1, 1)
    y = rng.integers(0, 2, N).astype(dtype)
    f = rng.uniform(-3, 1.5, N).astype(dtype)  # where 1 - mean keeps most of its digits
    weight = weights(rng, N, dtype)
    theirs, link = glum.BinomialDistribution(), glum.CloglogLink()
    ours = fl.CLogLog(cost_fn=fn, cost_fp=fp)
    mean = link.inverse(f)
    assert_within(ours.predict(f), mean, mean, dtype)
    value, gradient, hessian = ours.loss_gradient_hessian(y, f, weight, reduction="none")
    costs = (weight * np.where(y == 1, fn, fp)).astype(dtype)

    # an eps of the mean is one of log(mean), and odds of log(1 - mean)
    odds = mean / (1 - mean)
    deviance = theirs.unit_deviance(y, mean)
    terms = deviance / 2 + np.where(y == 1, 1, odds)
    assert_within(value, costs * deviance / 2, costs * terms, dtype)

    score, _ = theirs.rowwise_gradient_hessian(link, None, 1.0, None, y, costs, f, mean)
    # the slope of their link is the exponential of f - exp(f), rounded
    loosened = 1 + np.abs(f - np.exp(f)) + odds
    assert_within(gradient, -score, np.abs(score) * loosened, dtype)
    information, terms = observed_information(theirs, link, y, f, mean, costs)
    assert_within(hessian, information, terms * loosened, dtype)
