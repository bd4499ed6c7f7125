"""Losses of a residual, raw_prediction - y_true: identity link."""

from __future__ import annotations

from fastloss._pointwise import PointwiseLoss
from fastloss.losses._constants import (
    Vector,
    huber_location,
    weighted_mean,
    weighted_quantile,
)
from fastloss.losses._parameters import between, parameter, positive


class SquaredError(PointwiseLoss):
    """
    Squared error, without the factor 1/2: (raw_prediction - y_true)**2.

    Link: identity. Labels: finite numbers. With r = raw_prediction - y_true the gradient is 2 r, the
    Hessian 2. The optimal constant is the mean. Torch's ``mse_loss``; scikit-learn's
    ``HalfSquaredError`` is `HalfSquaredError`. Unit: that of y_true, squared. Error at most 2 ULP.

    References
    ----------
    Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, section 2.4.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredError()([1.0, 2.0], [3.0, 2.0])
    2.0
    """

    __slots__ = ()
    name = "squared_error"

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_mean(labels, weights)


class HalfSquaredError(PointwiseLoss):
    """
    Half the squared error: (raw_prediction - y_true)**2 / 2.

    Link: identity. Labels: finite numbers. With r = raw_prediction - y_true the gradient is r, the
    Hessian 1: the log-likelihood of a normal distribution of unit variance. The optimal constant is
    the mean. Error at most 2 ULP.

    References
    ----------
    Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, section 2.6.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.HalfSquaredError()([1.0, 2.0], [3.0, 2.0])
    1.0
    """

    __slots__ = ()
    name = "half_squared_error"

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_mean(labels, weights)


class AbsoluteError(PointwiseLoss):
    """
    Absolute error: abs(raw_prediction - y_true).

    Link: identity. Labels: finite numbers. The gradient is sign(raw_prediction - y_true), 0 where
    they are equal. The Hessian, 0 almost everywhere, is reported as 1, what second-order boosting
    needs (as scikit-learn's). The optimal constant is the weighted median. Error at most 0.5 ULP.

    References
    ----------
    Bloomfield, Steiger, Least Absolute Deviations, 1983.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.AbsoluteError()([1.0, 2.0], [3.0, 2.0])
    1.0
    """

    __slots__ = ()
    name = "absolute_error"

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_quantile(labels, weights, 0.5)


class Huber(PointwiseLoss):
    """
    Huber's loss: quadratic near zero, linear in the tails.

    r**2 / 2 where abs(r) <= delta, else delta * (abs(r) - delta / 2), with
    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. The gradient is r clipped to
    [-delta, delta], the Hessian 1 inside and 0 outside. Error at most 3 ULP.

    Parameters
    ----------
    delta : float
        Where the tails begin, greater than 0, in the unit of y_true. 1.35 standard deviations give 95 %
        of the efficiency of the mean on normal data.

    References
    ----------
    Huber, Robust Estimation of a Location Parameter, 1964.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Huber(delta=1.0)([0.0, 0.0], [0.5, 3.0])
    1.3125
    """

    __slots__ = ()
    name = "huber"
    delta = parameter("delta")

    def __init__(self, delta: float = 1.0) -> None:
        delta = positive("delta", delta)
        super().__init__({"delta": delta}, (delta,))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return huber_location(labels, weights, self.delta)


class Pinball(PointwiseLoss):
    """
    Pinball loss, whose minimiser is a quantile.

    quantile * max(y_true - raw_prediction, 0) + (1 - quantile) * max(raw_prediction - y_true, 0).
    Link: identity. Labels: finite numbers. The gradient is 1 - quantile where
    raw_prediction > y_true, else -quantile. The Hessian, 0 almost everywhere, is reported as 1.
    Error at most 2 ULP.

    Parameters
    ----------
    quantile : float
        The quantile to predict, in (0, 1).

    References
    ----------
    Koenker, Bassett, Regression Quantiles, 1978.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Pinball(quantile=0.9)([1.0, 1.0], [0.0, 2.0])
    0.5
    """

    __slots__ = ()
    name = "pinball"
    quantile = parameter("quantile")

    def __init__(self, quantile: float = 0.5) -> None:
        quantile = between("quantile", quantile, 0.0, 1.0, closed="neither")
        super().__init__({"quantile": quantile}, (quantile, 1.0 - quantile))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_quantile(labels, weights, self.quantile)
