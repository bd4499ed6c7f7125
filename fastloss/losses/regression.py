"""Losses of a residual, raw_prediction - y_true: identity link."""

from __future__ import annotations

import numpy as np

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, weighted_mean, weighted_quantile
from fastloss.losses._kernel_values import three_parts
from fastloss.losses._locations import expectile, insensitive_location
from fastloss.losses._parameters import between, nonnegative, parameter, positive


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
    _hessian_by_convention = True

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_quantile(labels, weights, 0.5)


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
    _hessian_by_convention = True
    quantile = parameter("quantile")

    def __init__(self, quantile: float = 0.5) -> None:
        quantile = between("quantile", quantile, 0.0, 1.0, closed="neither")
        super().__init__({"quantile": quantile}, (quantile, 1.0 - quantile))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return weighted_quantile(labels, weights, self.quantile)


class Expectile(PointwiseLoss):
    """
    Expectile loss: the squared error, with factors that differ above and below.

    alpha * r**2 where y_true is above, r <= 0, else (1 - alpha) * r**2, with
    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. With c for the factor the
    gradient is 2 * c * r, the Hessian 2 * c. Error at most 3 ULP.

    Parameters
    ----------
    alpha : float
        The expectile to predict, in (0, 1); 0.5 is the mean.

    References
    ----------
    Newey, Powell, Asymmetric Least Squares Estimation and Testing, 1987.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Expectile(alpha=0.75)([1.0, 1.0], [0.0, 2.0])
    0.5
    """

    __slots__ = ()
    name = "expectile"
    alpha = parameter("alpha")

    def __init__(self, alpha: float = 0.5) -> None:
        alpha = between("alpha", alpha, 0.0, 1.0, closed="neither")
        super().__init__({"alpha": alpha}, (2.0 * alpha, 2.0 * (1.0 - alpha)))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return expectile(labels, weights, self.alpha)


class EpsilonInsensitive(PointwiseLoss):
    """
    Epsilon-insensitive loss, that of support vector regression: max(0, abs(r) - epsilon).

    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. The gradient is sign(r) where
    abs(r) > epsilon, else 0; the Hessian, 0 almost everywhere, is reported as 1 where abs(r) > epsilon
    and 0 elsewhere. Error at most 2 ULP, also where abs(r) - epsilon cancels.

    Parameters
    ----------
    epsilon : float
        The error that costs nothing, at least 0, in the unit of y_true.

    References
    ----------
    Vapnik, The Nature of Statistical Learning Theory, 1995.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.EpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.25, 3.0])
    1.25
    """

    __slots__ = ()
    name = "epsilon_insensitive"
    _hessian_by_convention = True
    epsilon = parameter("epsilon")

    def __init__(self, epsilon: float = 0.1) -> None:
        epsilon = nonnegative("epsilon", epsilon)
        super().__init__({"epsilon": epsilon}, three_parts(epsilon))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        if labels.min() == labels.max():
            return float(labels[0])
        # abs(r - epsilon) + abs(r + epsilon) is 2 max(abs(r), epsilon): a median of twice the labels
        both = np.concatenate([labels - self.epsilon, labels + self.epsilon])
        return weighted_quantile(both, np.tile(weights, 2), 0.5)


class SquaredEpsilonInsensitive(PointwiseLoss):
    """
    Squared epsilon-insensitive loss: max(0, abs(r) - epsilon)**2, r = raw_prediction - y_true.

    Link: identity. Labels: finite numbers. The gradient is
    2 * sign(r) * max(0, abs(r) - epsilon), the Hessian 2 where abs(r) > epsilon, else 0. Error at most
    3 ULP, also where abs(r) - epsilon cancels.

    Parameters
    ----------
    epsilon : float
        The error that costs nothing, at least 0, in the unit of y_true.

    References
    ----------
    Lee, Hsieh, Huang, epsilon-SSVR: A Smooth Support Vector Machine for epsilon-Insensitive Regression,
    2005.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredEpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.25, 2.5])
    2.0
    """

    __slots__ = ()
    name = "squared_epsilon_insensitive"
    epsilon = parameter("epsilon")

    def __init__(self, epsilon: float = 0.1) -> None:
        epsilon = nonnegative("epsilon", epsilon)
        super().__init__({"epsilon": epsilon}, three_parts(epsilon))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return insensitive_location(labels, weights, self.epsilon)


class AbsolutePercentageError(PointwiseLoss):
    """
    Absolute percentage error, as a fraction: abs(r) / max(abs(y_true), eps).

    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. With d for the denominator the
    gradient is sign(r) / d, 0 at r = 0; the Hessian, 0 almost everywhere, is reported as 1 / d: that
    of `AbsoluteError` with the weight 1 / d. The mean is scikit-learn's
    ``mean_absolute_percentage_error``, a hundredth of Keras's. Error at most 2.5 ULP.

    Parameters
    ----------
    eps : float
        The least denominator, greater than 0, in the unit of y_true.

    References
    ----------
    de Myttenaere, Golden, Le Grand, Rossi, Mean Absolute Percentage Error for Regression Models, 2016.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.AbsolutePercentageError()([2.0, -4.0], [3.0, -3.0])
    0.375
    """

    __slots__ = ()
    name = "absolute_percentage_error"
    _hessian_by_convention = True
    eps = parameter("eps")

    def __init__(self, eps: float = 1e-7) -> None:
        eps = positive("eps", eps)
        super().__init__({"eps": eps}, (eps,))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        sizes = np.maximum(np.abs(labels), self.eps)
        return weighted_quantile(labels, weights * (sizes.min() / sizes), 0.5)
