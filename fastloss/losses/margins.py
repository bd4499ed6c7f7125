"""Losses of a margin, m = (2 * y_true - 1) * raw_prediction: identity link, two classes."""

from __future__ import annotations

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, minimum
from fastloss.losses._costs import CostLoss, Costs, checked_costs
from fastloss.losses._kernel_values import quotient
from fastloss.losses._parameters import between, parameter


class Hinge(CostLoss):
    """
    Hinge loss, that of linear support vector machines: max(0, 1 - m), m = (2 * y_true - 1) * f.

    f = raw_prediction is a score; `predict` returns it unchanged. Link: identity. Labels: 0 and 1.
    The gradient is -(2 * y_true - 1) where m < 1, else 0; the Hessian, 0 almost everywhere, is
    reported as 1 where m < 1 and 0 elsewhere (as XGBoost's binary:hinge does). Error at most 2 ULP.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Cortes, Vapnik, Support-Vector Networks, 1995.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Hinge()([1, 0], [0.5, 0.5])
    1.0
    """

    __slots__ = ()
    name = "hinge"
    _hessian_by_convention = True

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        # a (1 - c) + b (1 + c) on [-1, 1]: an end, or anything between if a = b
        a, b = self._class_costs(labels, weights)
        return float(a > b) - float(a < b)


class SquaredHinge(CostLoss):
    """
    Squared hinge loss: max(0, 1 - m)**2, m = (2 * y_true - 1) * f.

    f = raw_prediction is a score; `predict` returns it unchanged. Link: identity. Labels: 0 and 1.
    The gradient is -2 * (2 * y_true - 1) * max(0, 1 - m), the Hessian 2 where m < 1, else 0. Error
    at most 3 ULP.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Chang, Hsieh, Lin, Coordinate Descent Method for Large-scale L2-loss Linear SVM, 2008.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredHinge()([1, 0], [0.5, 0.5])
    1.25
    """

    __slots__ = ()
    name = "squared_hinge"

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        # a (1 - c)^2 + b (1 + c)^2 has its minimum at (a - b) / (a + b)
        a, b = self._class_costs(labels, weights)
        return (a - b) / (a + b)


class SmoothHinge(PointwiseLoss, Costs):
    """
    Hinge loss with a quadratic piece in place of its kink, m = (2 * y_true - 1) * f.

    With s = max(0, 1 - m) it is s**2 / (2 * gamma) where s < gamma, else s - gamma / 2;
    f = raw_prediction is a score; `predict` returns it unchanged. Link: identity. Labels: 0 and 1.
    The gradient is -(2 * y_true - 1) * min(s / gamma, 1), the Hessian 1 / gamma where 0 < s < gamma,
    else 0. Error at most 3.5 ULP.

    Parameters
    ----------
    gamma : float
        How long the quadratic piece is, in [1e-6, 1e6]; towards 0 the loss becomes the hinge loss.
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Rennie, Srebro, Loss Functions for Preference Levels, 2005 (gamma = 1).
    Shalev-Shwartz, Zhang, Stochastic Dual Coordinate Ascent Methods, 2013.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SmoothHinge()([1, 0], [0.5, 0.5])
    0.5625
    """

    __slots__ = ()
    name = "smooth_hinge"
    gamma = parameter("gamma")

    def __init__(self, gamma: float = 1.0, cost_fn: float = 1.0, cost_fp: float = 1.0) -> None:
        gamma = between("gamma", gamma, 1e-6, 1e6)
        params = {"gamma": gamma, **checked_costs(cost_fn, cost_fp)}
        cost_fn, cost_fp = params["cost_fn"], params["cost_fp"]
        curvatures = (quotient(params, name, "gamma") for name in ("cost_fn", "cost_fp"))
        super().__init__(
            params,
            (cost_fn, cost_fp, gamma, 0.5 * gamma, *curvatures, gamma - 1.0),
        )

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return minimum(self, labels, weights, 1.0)


class ModifiedHuber(CostLoss):
    """
    Modified Huber loss: max(0, 1 - m)**2 for m >= -1, else -4 * m; m = (2 * y_true - 1) * f.

    Quadratic near the margin, linear for outliers. f = raw_prediction is a score; `predict` returns
    it unchanged. Link: identity. Labels: 0 and 1. The gradient is
    -2 * (2 * y_true - 1) * min(max(0, 1 - m), 2), the Hessian 2 where -1 <= m < 1, else 0. Error at
    most 3 ULP.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Zhang, Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent
    Algorithms, 2004.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.ModifiedHuber()([1, 0], [0.5, 3.0])
    6.125
    """

    __slots__ = ()
    name = "modified_huber"

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        # on [-1, 1] the squared hinge loss, and the minimum lies there
        a, b = self._class_costs(labels, weights)
        return (a - b) / (a + b)


class Perceptron(CostLoss):
    """
    Perceptron loss: max(0, -m), m = (2 * y_true - 1) * f.

    f = raw_prediction is a score; `predict` returns it unchanged. Link: identity. Labels: 0 and 1.
    The gradient is -(2 * y_true - 1) where m <= 0, else 0: not 0 at f = 0, so that training can begin
    there. The Hessian, 0 almost everywhere, is reported as 1 where m <= 0 and 0 elsewhere. Error at
    most 2 ULP.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Rosenblatt, The Perceptron: A Probabilistic Model for Information Storage and Organization in the
    Brain, 1958.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Perceptron()([1, 0], [0.5, 0.5])
    0.25
    """

    __slots__ = ()
    name = "perceptron"
    _hessian_by_convention = True

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return 0.0  # where no sample has a loss
