"""A loss of one's own, as fl.check_gradient takes any object, and data to check it on."""

import numpy as np

import fastloss as fl

RNG = np.random.default_rng(17)


class Wrapped:
    """A loss of one's own: any object with the two methods."""

    def __init__(self, factor=1.0, curvature=1.0):
        self.inner, self.factor, self.curvature = fl.LogLoss(), factor, curvature

    def loss(self, y_true, raw_prediction, *, reduction):
        return self.inner.loss(y_true, raw_prediction, reduction=reduction)

    def gradient_hessian(self, y_true, raw_prediction, *, reduction):
        gradient, hessian = self.inner.gradient_hessian(y_true, raw_prediction, reduction=reduction)
        return np.where(raw_prediction > 2, self.factor, 1.0) * gradient, self.curvature * hessian


def data(n):
    return (RNG.random(n) < 0.3).astype(float), RNG.normal(scale=6.0, size=n)
