"""Semantics of statsmodels: negative binomial and ordered models, norms of robust regression."""

import warnings

import numpy as np
import pytest

import fastloss as fl

N = 500


def module(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


@pytest.mark.parametrize("theta", [0.3, 1.0, 2.5])
def test_negative_binomial(theta):
    """NB2, up to what does not depend on the mean."""
    families = module("statsmodels.genmod.families")
    rng = np.random.default_rng(51)
    y, f = rng.poisson(2, N).astype(float), rng.uniform(-2, 2, N)
    family = families.NegativeBinomial(alpha=theta)
    ours = fl.NegativeBinomial(theta)
    mean = family.link.inverse(f)
    np.testing.assert_allclose(ours.predict(f), mean, rtol=1e-14)
    value, gradient, hessian = ours.loss_gradient_hessian(y, f, reduction="none")
    zero = np.zeros(N)
    own = -family.loglike_obs(y, mean) + family.loglike_obs(y, np.ones(N))
    np.testing.assert_allclose(
        value - ours.loss(y, zero, reduction="none"), own, rtol=1e-11, atol=1e-11
    )
    # the score of a generalised linear model under its link
    weight = 1 / (family.link.deriv(mean) * family.variance(mean))
    np.testing.assert_allclose(gradient, (mean - y) * weight, rtol=1e-12, atol=1e-13)
    # the observed information of NB2: Hilbe 2011, section 8.3
    observed = mean * (1 + theta * y) / (1 + theta * mean) ** 2
    np.testing.assert_allclose(hessian, observed, rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "name", "parameters"),
    [
        (fl.Tukey(4.685), "TukeyBiweight", (4.685,)),
        (fl.Tukey(1.5), "TukeyBiweight", (1.5,)),
        (fl.Huber(1.345), "HuberT", (1.345,)),
        (fl.HalfSquaredError(), "LeastSquares", ()),
    ],
)
def test_robust_norms(ours, name, parameters):
    norm = getattr(module("statsmodels.robust.norms"), name)(*parameters)
    rng = np.random.default_rng(52)
    y, f = rng.normal(size=N), rng.uniform(-8, 8, N)
    value, gradient, hessian = ours.loss_gradient_hessian(y, f, reduction="none")
    # the constant that is left out, if there is one
    offset = norm.rho(np.zeros(1))[0]
    np.testing.assert_allclose(value, norm.rho(f - y) - offset, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gradient, norm.psi(f - y), rtol=1e-11, atol=1e-13)
    inside = np.abs(norm.psi_deriv(f - y)) > 0
    exact = (
        hessian
        if name != "TukeyBiweight"
        else fl.Tukey(*parameters, hessian="exact").loss_gradient_hessian(y, f, reduction="none")[2]
    )
    np.testing.assert_allclose(exact[inside], norm.psi_deriv(f - y)[inside], rtol=1e-10, atol=1e-12)


def test_ordered_model():
    """The likelihood of a proportional-odds model, its scores and its thresholds' scores."""
    ordered = module("statsmodels.miscmodels.ordinal_model")
    rng = np.random.default_rng(53)
    X, thresholds, coef = rng.normal(size=(N, 2)), np.array([-0.7, 0.4, 1.1]), np.array([1.0, -0.5])
    y = np.digitize(X @ coef + rng.logistic(size=N), thresholds)
    model = ordered.OrderedModel(y, X, distr="logit")
    # theirs are the first threshold and the logarithms of the steps between them
    steps = np.append(thresholds[:1], np.log(np.diff(thresholds)))
    ours, f = fl.CumulativeLogit(tuple(thresholds)), X @ coef

    def likelihood(coef, thresholds):
        steps = np.append(thresholds[:1], np.log(np.diff(thresholds)))
        return model.loglikeobs(np.append(coef, steps))

    value, gradient = ours.loss_gradient(y, f, reduction="none")
    np.testing.assert_allclose(value, -likelihood(coef, thresholds), rtol=1e-10)
    np.testing.assert_allclose(
        ours.predict(f), model.predict(np.append(coef, steps), X), rtol=1e-10
    )
    h = 1e-6
    numeric = [
        -(likelihood(coef, thresholds + h * e) - likelihood(coef, thresholds - h * e)).sum()
        / (2 * h)
        for e in np.eye(3)
    ]
    slopes = ours.threshold_gradient(y, f, reduction="sum")
    np.testing.assert_allclose(slopes, numeric, rtol=1e-6, atol=1e-4)
    numeric = [
        -(likelihood(coef + h * e, thresholds) - likelihood(coef - h * e, thresholds)).sum()
        / (2 * h)
        for e in np.eye(2)
    ]
    np.testing.assert_allclose(X.T @ gradient, numeric, rtol=1e-6, atol=1e-4)
