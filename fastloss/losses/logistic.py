"""Losses of two classes on a logit or a probability: log loss and its relatives."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import LARGEST_LOGIT, Vector, log_odds, log_quotient
from fastloss.losses._costs import CostLoss, Costs, checked_costs
from fastloss.losses._kernel_values import rounded
from fastloss.losses._parameters import HESSIANS, between, one_of, parameter, positive


class LogLoss(PointwiseLoss, Costs):
    """
    Log loss (binary cross-entropy) on logits, exact in both tails.

    pos_weight * cost_fn * y * softplus(-f) + cost_fp * (1 - y) * softplus(f), in nats, with
    f = raw_prediction and y = y_true * (1 - label_smoothing) + label_smoothing / 2.
    Link: logit. Labels: numbers in [0, 1] (soft labels are fine). With a and b for the factors
    of the two terms the gradient is b * expit(f) - a * expit(-f), the Hessian
    (a + b) * expit(f) * expit(-f). Nothing cancels: at y = 1, f = 700 the loss is exp(-700), not 0.
    Error at most 3.5 ULP; for soft labels the gradient's is in ULP of its larger term, and without
    fused multiplication, with costs, the Hessian's may be 4. Where
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
            **checked_costs(cost_fn, cost_fp),
        }
        super().__init__(params, log_loss_values(**params))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        kept, moved = 1.0 - self.label_smoothing, 0.5 * self.label_smoothing
        positives = float(np.dot(weights, labels * kept + moved))
        negatives = float(np.dot(weights, (1.0 - labels) * kept + moved))
        return log_odds(positives, negatives, (self.pos_weight, self.cost_fn), (self.cost_fp,))


class BinaryCrossEntropy(PointwiseLoss, Costs):
    """
    Log loss on probabilities: y_true * -log(p) + (1 - y_true) * -log(1 - p), p = raw_prediction.

    In nats; each logarithm is at least -100, as in torch's ``binary_cross_entropy``. Where there are
    logits, `LogLoss` needs no such limit and keeps all digits. Link: identity. Labels: numbers in
    [0, 1]. p lies in [0, 1]; elsewhere, where torch raises an error, every result is NaN. As torch's,
    the gradient is that of the loss without its limit, (p - y_true) / d with d = max(p * (1 - p),
    1e-12): at p = 0, y_true = 1 it is -1e12, not 0. The Hessian, y_true * ((1 - p) / d)**2 +
    (1 - y_true) * (p / d)**2, has the same denominator. Error at most 4 ULP; for soft labels with
    different costs the gradient's is in ULP of its larger term. Where p or a square of p / d is
    subnormal, it has fewer digits itself, which a cost shows.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0; they multiply the positive
        and the negative part.

    References
    ----------
    Good, Rational Decisions, 1952.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.BinaryCrossEntropy()([1, 1], [1.0, 0.0])
    50.0
    """

    __slots__ = ()
    name = "binary_cross_entropy"

    def __init__(self, cost_fn: float = 1.0, cost_fp: float = 1.0) -> None:
        cost_fn, cost_fp = checked_costs(cost_fn, cost_fp).values()
        least = min(cost_fn, cost_fp)
        rest = (rounded(Fraction(cost) - Fraction(least)) for cost in (cost_fn, cost_fp))
        super().__init__({"cost_fn": cost_fn, "cost_fp": cost_fp}, (cost_fn, cost_fp, least, *rest))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        a, b = self._class_costs(labels, weights)
        return a / (a + b)


class Exponential(CostLoss):
    """
    Exponential loss, that of AdaBoost: y_true * exp(-f) + (1 - y_true) * exp(f).

    f = raw_prediction is half a logit. Link: half the logit. Labels: numbers in [0, 1]. The gradient
    is (1 - y_true) * exp(f) - y_true * exp(-f), the Hessian the loss itself. A label of 0 or 1 drops
    the other term, also where its exponential is infinite. Error at most 3 ULP; for soft labels the
    gradient's is in ULP of its larger term. `predict` gives the probability of class 1, expit(2 * f).

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0; they multiply the positive
        and the negative part.

    References
    ----------
    Friedman, Hastie, Tibshirani, Additive Logistic Regression: A Statistical View of Boosting, 2000.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Exponential()([1, 0], [800.0, -800.0])
    0.0
    """

    __slots__ = ()
    name = "exponential"

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return 0.5 * log_odds(*self._class_costs(labels, weights))


class Poly1(PointwiseLoss, Costs):
    """
    PolyLoss-1: log loss on logits plus epsilon * (1 - p_t).

    p_t = y_true * p + (1 - y_true) * (1 - p) with p = expit(raw_prediction) is the probability of
    the label. Link: logit. Labels: numbers in [0, 1]. With a = y_true and b = 1 - y_true the
    gradient is b * p * (1 + epsilon * (1 - p)) - a * (1 - p) * (1 + epsilon * p), the Hessian p *
    (1 - p) * (a + b + epsilon * (b - a) * (1 - 2 * p)), which is negative for badly misclassified
    samples if epsilon > 1. Error at most 5 ULP, of the Hessian at most 5 ULP of (1 + abs(epsilon)) *
    p * (1 - p); of the larger term in the loss for epsilon < 0, and at most 6 ULP of it in the gradient
    of soft labels. Where exp(-abs(f)) is subnormal, it has fewer digits itself, which a factor shows.
    `predict` gives p.

    hessian="bounded" reports for epsilon > 1 p * (1 - p) * (a * (1 + epsilon * p) + b * (1 + epsilon *
    (1 - p))), never negative and at least the second derivative; that one never is negative for other
    epsilons, and is reported.

    Parameters
    ----------
    epsilon : float
        Weight of the first term of the expansion of log loss in powers of 1 - p_t, at least -1;
        0 is log loss.
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0; they multiply the positive
        and the negative part.

    References
    ----------
    Leng et al., PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions, 2022.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Poly1(epsilon=2.0)([1, 0], [0.0, 0.0])
    1.6931471805599454
    """

    __slots__ = ()
    name = "poly1"
    epsilon = parameter("epsilon")
    hessian = parameter("hessian")

    def __init__(
        self,
        epsilon: float = 1.0,
        hessian: str = "exact",
        cost_fn: float = 1.0,
        cost_fp: float = 1.0,
    ) -> None:
        epsilon = between("epsilon", epsilon, -1.0, 1e15)
        hessian = one_of("hessian", hessian, HESSIANS)
        cost_fn, cost_fp = checked_costs(cost_fn, cost_fp).values()
        bend = (1.0, 1.0) if hessian == "bounded" and epsilon > 1 else (0.0, 1.0 - epsilon)
        super().__init__(
            {"epsilon": epsilon, "hessian": hessian, "cost_fn": cost_fn, "cost_fp": cost_fp},
            (cost_fn, cost_fp, epsilon, bend[0], 1.0 + epsilon, bend[1]),
        )

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        a, b = self._class_costs(labels, weights)
        if a == 0 or b == 0:
            return LARGEST_LOGIT if a > 0 else -LARGEST_LOGIT
        # the derivative is 0 where r = e^c solves b r^2 + (1 + epsilon) (b - a) r - a = 0
        middle = 0.5 * (1.0 + self.epsilon) * (b - a)
        root = math.hypot(middle, math.sqrt(a) * math.sqrt(b))
        if middle > 0:
            return log_quotient([a], [middle + root])
        return log_quotient([root - middle], [b])


def log_loss_values(
    pos_weight: float, label_smoothing: float, cost_fn: float, cost_fp: float
) -> tuple[float, ...]:
    """
    Return a = v[0] + v[1] y, b = v[2] + v[3] (1 - y) and a + b = v[4] + v[5] y + v[6] (1 - y).

    The last from its smaller end on, so that no term cancels another; each number rounded once.
    """
    half, rest = Fraction(label_smoothing) / 2, 1 - Fraction(label_smoothing)
    for_positive, for_negative = Fraction(pos_weight) * Fraction(cost_fn), Fraction(cost_fp)
    if math.isinf(rounded(for_positive)):
        raise ValueError(
            f"pos_weight = {pos_weight!r}, cost_fn = {cost_fn!r}: expected "
            "pos_weight * cost_fn of at most 1.79e308"
        )
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
    return tuple(rounded(value) for value in exact)
