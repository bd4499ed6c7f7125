"""Losses of one raw prediction a sample for two classes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fastloss._pointwise import PointwiseLoss
from fastloss.losses._constants import EPSILON, Vector
from fastloss.losses._parameters import between, parameter, positive


class LogLoss(PointwiseLoss):
    """
    Log loss (binary cross-entropy) on logits, exact in both tails.

    pos_weight * cost_fn * y * softplus(-f) + cost_fp * (1 - y) * softplus(f), in nats, with
    f = raw_prediction and y = y_true * (1 - label_smoothing) + label_smoothing / 2.
    Link: logit. Labels: numbers in [0, 1] (soft labels are fine). With a and b for the factors
    of the two terms the gradient is b * expit(f) - a * expit(-f), the Hessian
    (a + b) * expit(f) * expit(-f). Nothing cancels: at y = 1, f = 700 the loss is exp(-700), not 0.
    Error at most 3.5 ULP; for soft labels the gradient's is in ULP of its larger term. Where
    exp(-abs(f)) is subnormal (abs(f) > 708, in float32 87) it has fewer digits
    itself, which a large factor shows. `predict` gives the probability of class 1.

    Parameters
    ----------
    pos_weight : float
        Factor of the positive part, greater than 0; torch's parameter of that name. Predicted
        probabilities are those of a population with so many times more positives.
    label_smoothing : float
        In [0, 1]: the share of each label that is moved to 1/2.
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0; they multiply the positive
        and the negative part.

    References
    ----------
    Cox, The Regression Analysis of Binary Sequences, 1958.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.LogLoss()
    >>> loss([1, 0], [40.0, -40.0])
    4.248354255291589e-18
    >>> loss.predict([0.0])
    array([0.5])
    """

    __slots__ = ()
    name = "log_loss"
    pos_weight = parameter("pos_weight")
    label_smoothing = parameter("label_smoothing")
    cost_fn = parameter("cost_fn")
    cost_fp = parameter("cost_fp")

    def __init__(
        self,
        pos_weight: float = 1.0,
        label_smoothing: float = 0.0,
        cost_fn: float = 1.0,
        cost_fp: float = 1.0,
    ) -> None:
        params = {
            "pos_weight": positive("pos_weight", pos_weight),
            "label_smoothing": between("label_smoothing", label_smoothing, 0.0, 1.0),
            "cost_fn": positive("cost_fn", cost_fn),
            "cost_fp": positive("cost_fp", cost_fp),
        }
        super().__init__(params, _log_loss_values(**params))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        smoothed = labels * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        positives = self.pos_weight * self.cost_fn * float(np.dot(weights, smoothed))
        negatives = self.cost_fp * float(np.dot(weights, 1.0 - smoothed))
        # the logit of positives / (positives + negatives), kept finite where one of them is 0
        least = EPSILON * (positives + negatives)
        return math.log(max(positives, least)) - math.log(max(negatives, least))


class Hinge(PointwiseLoss):
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
    cost_fn = parameter("cost_fn")
    cost_fp = parameter("cost_fp")

    def __init__(self, cost_fn: float = 1.0, cost_fp: float = 1.0) -> None:
        cost_fn, cost_fp = positive("cost_fn", cost_fn), positive("cost_fp", cost_fp)
        super().__init__({"cost_fn": cost_fn, "cost_fp": cost_fp}, (cost_fn, cost_fp))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        # a (1 - c) + b (1 + c) on [-1, 1]: an end, or anything between if a = b
        a, b = _class_costs(self, labels, weights)
        return float(a > b) - float(a < b)


class SquaredHinge(PointwiseLoss):
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
    cost_fn = parameter("cost_fn")
    cost_fp = parameter("cost_fp")

    def __init__(self, cost_fn: float = 1.0, cost_fp: float = 1.0) -> None:
        cost_fn, cost_fp = positive("cost_fn", cost_fn), positive("cost_fp", cost_fp)
        super().__init__({"cost_fn": cost_fn, "cost_fp": cost_fp}, (cost_fn, cost_fp))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        # a (1 - c)^2 + b (1 + c)^2 has its minimum at (a - b) / (a + b)
        a, b = _class_costs(self, labels, weights)
        return (a - b) / (a + b)


def _log_loss_values(
    pos_weight: float, label_smoothing: float, cost_fn: float, cost_fp: float
) -> tuple[float, ...]:
    """
    Return a = v[0] + v[1] y, b = v[2] + v[3] (1 - y) and a + b = v[4] + v[5] y + v[6] (1 - y).

    The last from its smaller end on, so that no term cancels another; each number rounded once.
    """
    half, rest = Fraction(label_smoothing) / 2, 1 - Fraction(label_smoothing)
    for_positive, for_negative = Fraction(pos_weight) * Fraction(cost_fn), Fraction(cost_fp)
    smaller, larger = min(for_positive, for_negative), max(for_positive, for_negative)
    exact = (
        for_positive * half,
        for_positive * rest,
        for_negative * half,
        for_negative * rest,
        smaller * (half + rest) + larger * half,
        (for_positive - smaller) * rest,
        (for_negative - smaller) * rest,
    )
    return tuple(_rounded(value) for value in exact)


def _rounded(value: Fraction) -> float:
    """Return the nearest float64, infinity where it is beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _class_costs(
    loss: Hinge | SquaredHinge, labels: Vector, weights: Vector
) -> tuple[float, float]:
    """Return the costs of all positive and of all negative samples."""
    positives = loss.cost_fn * float(np.dot(weights, labels))
    negatives = loss.cost_fp * float(np.dot(weights, 1.0 - labels))
    return positives, negatives
