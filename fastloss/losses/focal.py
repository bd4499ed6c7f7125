"""Losses of two classes that weigh samples by how well they are classified already."""

from __future__ import annotations

import math
import sys
from decimal import Context, Decimal
from fractions import Fraction

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import LARGEST_LOGIT, Vector, log_odds, minimum
from fastloss.losses._costs import Costs, checked_costs
from fastloss.losses._kernel_values import quotient, rounded, split
from fastloss.losses._parameters import (
    HESSIANS,
    between,
    one_of,
    parameter,
    power_of_probability,
)
from fastloss.losses.logistic import log_loss_values


class Focal(PointwiseLoss, Costs):
    """
    Focal loss: log loss on logits, times (1 - p_t)**gamma, which mutes what is classified well.

    alpha_t * (1 - p_t)**gamma * (y * softplus(-f) + (1 - y) * softplus(f)) with y = y_true, f =
    raw_prediction, p = expit(f), p_t = y * p + (1 - y) * (1 - p) and alpha_t = alpha * y + (1 -
    alpha) * (1 - y), or 1 without alpha: torchvision's ``sigmoid_focal_loss``, also for soft
    labels. Link: logit. Labels: numbers in [0, 1]. For labels 0 and 1, with s = 1 - p_t and l =
    -log(p_t), the gradient is (1 - 2 * y) * alpha_t * s**gamma * (gamma * p_t * l + s), the
    Hessian alpha_t * s**gamma * p_t * (s + 2 * gamma * s + gamma**2 * p_t * l - gamma * s * l),
    which is negative for badly misclassified samples. gamma = 0 without alpha is log loss, to the
    bit. Error at most 4.5 ULP, of the Hessian at most 6 ULP; of the largest term where terms of both
    signs are added: in the Hessian, and for soft labels the gradient. With costs or alpha those of
    soft labels may have 2 ULP more. Where s**gamma or exp(-abs(f)) is subnormal, it has fewer
    digits itself, which a factor shows. `predict` gives p.

    Parameters
    ----------
    gamma : float
        How much well classified samples are muted, in [0, 1e6].
    alpha : float, optional
        Weight of the positive class, in [0, 1]; that of the negative is 1 - alpha. Both 1 by default.
    hessian : {"exact", "bounded"}
        "bounded" is never negative, what Newton steps and boosting need: the Hessian less its terms
        that may be. For labels 0 and 1 that is -gamma * s * l, and the result is an upper bound.
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0; they multiply the positive
        and the negative part.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollar, Focal Loss for Dense Object Detection, 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Focal()([1, 0], [0.0, 0.0])
    0.17328679513998632
    """

    __slots__ = ()
    name = "focal"
    gamma = parameter("gamma")
    alpha = parameter("alpha")
    hessian = parameter("hessian")

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | None = None,
        hessian: str = "exact",
        cost_fn: float = 1.0,
        cost_fp: float = 1.0,
    ) -> None:
        gamma = between("gamma", gamma, 0.0, 1e6)
        alpha = None if alpha is None else between("alpha", alpha, 0.0, 1.0)
        one_of("hessian", hessian, HESSIANS)
        cost_fn, cost_fp = checked_costs(cost_fn, cost_fp).values()
        params = {
            "gamma": gamma,
            "alpha": alpha,
            "hessian": hessian,
            "cost_fn": cost_fn,
            "cost_fp": cost_fp,
        }
        if gamma == 0.0 and alpha is None:
            values = log_loss_values(1.0, 0.0, cost_fn, cost_fp)
            super().__init__(params, values, kernel="log_loss")
            return
        of_positive = Fraction(1) if alpha is None else Fraction(alpha)
        of_negative = Fraction(1) if alpha is None else 1 - of_positive
        exact = (
            of_positive * Fraction(cost_fn),
            of_negative * Fraction(cost_fp),
            Fraction(cost_fn),
            Fraction(cost_fp),
            of_negative,
            of_positive - of_negative,
        )
        bound = (1.0, -math.inf) if hessian == "exact" else (0.0, 0.0)
        values = (*map(rounded, exact), *split(Fraction(gamma)), gamma, *bound)
        super().__init__(params, (*values, rounded(of_positive)))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        if self.gamma == 0.0 and self.alpha is None:
            return log_odds(*self._class_costs(labels, weights))
        return minimum(self, labels, weights, LARGEST_LOGIT, beyond=True)


class Asymmetric(PointwiseLoss, Costs):
    """
    Asymmetric loss: a focal loss with one exponent for each class, and easy negatives dropped.

    (1 - p)**gamma_pos * -log(p) for class 1, x**gamma_neg * -log(1 - x) for class 0, where p =
    expit(raw_prediction) and x = max(p - clip, 0). Link: logit. Labels: 0 and 1. The gradient is,
    for class 1, -(1 - p)**gamma_pos * (gamma_pos * p * -log(p) + 1 - p), for class 0 p * (1 - p) *
    x**gamma_neg * (gamma_neg * -log(1 - x) / x + 1 / (1 - x)), 0 where p <= clip; the Hessian is
    the derivative of that, negative for badly misclassified samples. p - clip keeps its digits
    where it is small. Error at most 5 ULP, of the Hessian at most 7.5 ULP of its largest term; at the
    number nearest to logit(clip), where the distance is its rounding, 6.5 ULP. Where the power or
    exp(-abs(f)) is subnormal, it has fewer digits itself, which a factor shows. `predict` gives p.

    Parameters
    ----------
    gamma_pos, gamma_neg : float
        How much well classified samples of class 1 and of class 0 are muted, in [0, 1e6].
    clip : float
        In [0, 1): negatives of at most this probability have no loss.
    hessian : {"exact", "bounded"}
        "bounded" is never negative, what Newton steps and boosting need: the Hessian less its terms
        that may be, and at least the exact one. With l = -log(p) for class 1 it is (1 - p)**gamma_pos *
        p * ((gamma_pos**2 * p * l + 2 * gamma_pos * (1 - p)) + (1 - p)), for class 0, with l = -log(1 -
        x), a = p * (1 - p) / x and b = p * (1 - p) / (1 - x), x**gamma_neg * (gamma_neg**2 * a**2 * l +
        2 * gamma_neg * a * b + b * (1 - p)).
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Ridnik et al., Asymmetric Loss For Multi-Label Classification, 2021.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Asymmetric()([0, 1], [-4.0, 0.0])
    0.17328679513998632
    """

    __slots__ = ()
    name = "asymmetric"
    gamma_pos = parameter("gamma_pos")
    gamma_neg = parameter("gamma_neg")
    clip = parameter("clip")
    hessian = parameter("hessian")

    def __init__(
        self,
        gamma_pos: float = 1.0,
        gamma_neg: float = 4.0,
        clip: float = 0.05,
        hessian: str = "exact",
        cost_fn: float = 1.0,
        cost_fp: float = 1.0,
    ) -> None:
        gamma_pos = between("gamma_pos", gamma_pos, 0.0, 1e6)
        gamma_neg = between("gamma_neg", gamma_neg, 0.0, 1e6)
        clip = between("clip", clip, 0.0, 1.0, closed="left")
        hessian = one_of("hessian", hessian, HESSIANS)
        costs = checked_costs(cost_fn, cost_fp)
        if 0.0 < clip < sys.float_info.min:
            raise ValueError(f"clip = {clip!r}: expected 0 or a normal number, from 2.3e-308 on")
        exponents = {"gamma_pos": gamma_pos, "gamma_neg": gamma_neg, "clip": clip}
        values = _asymmetric_values(**exponents, **costs)
        bend = float(hessian == "exact")
        super().__init__({**exponents, "hessian": hessian, **costs}, (*values, bend))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return minimum(self, labels, weights, LARGEST_LOGIT, beyond=True)


class GeneralizedCrossEntropy(PointwiseLoss, Costs):
    """
    Generalised cross-entropy, robust to wrong labels: (1 - p_t**q) / q.

    p_t = expit(m), m = (2 * y_true - 1) * raw_prediction, is the probability of the label. Between
    log loss (q = 0) and the absolute error of the probability (q = 1). Link: logit. Labels: 0 and
    1. The gradient is -(2 * y_true - 1) * p_t**q * (1 - p_t), the Hessian p_t**q * (1 - p_t) *
    (p_t - q * (1 - p_t)), negative where p_t < q / (1 + q). Error at most 5 ULP, of the Hessian in
    ULP of its larger term, and for q = 0 that of the log loss. Where p_t**q or exp(-abs(f)) is
    subnormal, it has fewer digits itself, which a cost shows. `predict` gives the probability of
    class 1.

    hessian="bounded" reports p_t**q * p_t * (1 - p_t), never negative and at least the second
    derivative: the loss is a concave function of log loss, and p_t**q its slope, so that at each point
    this multiple of log loss touches it from above, but for a constant.

    Parameters
    ----------
    q : float
        0, which is log loss, or in [1e-30, 1].
    hessian : {"exact", "bounded"}
        The second derivative, or that part of it that never is negative, for Newton steps and boosting.
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Zhang, Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
    Labels, 2018.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GeneralizedCrossEntropy(q=0.5)([1, 0], [0.0, 0.0])
    0.585786437626905
    """

    __slots__ = ()
    name = "generalized_cross_entropy"
    q = parameter("q")
    hessian = parameter("hessian")

    def __init__(
        self,
        q: float = 0.7,
        hessian: str = "exact",
        cost_fn: float = 1.0,
        cost_fp: float = 1.0,
    ) -> None:
        q = power_of_probability(q)
        one_of("hessian", hessian, HESSIANS)
        cost_fn, cost_fp = checked_costs(cost_fn, cost_fp).values()
        costs = {"cost_fn": cost_fn, "cost_fp": cost_fp}
        params = {"q": q, "hessian": hessian, **costs}
        if q == 0:
            values = log_loss_values(1.0, 0.0, cost_fn, cost_fp)
            super().__init__(params, values, kernel="log_loss")
            return
        scaled = (quotient({"q": q, **costs}, name, "q") for name in costs)
        high, low = split(Fraction(q))
        bend = (q, low) if hessian == "exact" else (0.0, 0.0)
        super().__init__(params, (cost_fn, cost_fp, *scaled, high, low, q, *bend))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        q: float = self.q
        a, b = self._class_costs(labels, weights)
        logit = log_odds(a, b)
        if a == 0 or b == 0 or logit == 0:
            return logit
        return math.copysign(LARGEST_LOGIT, logit) if q == 1 else logit / (1.0 - q)


def _asymmetric_values(
    gamma_pos: float, gamma_neg: float, clip: float, cost_fn: float, cost_fp: float
) -> tuple[float, ...]:
    """Return the parameters of src/losses/asymmetric.h but the last, each rounded once."""
    context = Context(prec=60)
    kept = context.subtract(Decimal(1), Decimal(clip))
    muted = context.exp(context.multiply(Decimal(gamma_neg), context.ln(kept)))
    logit, low = 0.0, 0.0
    if clip > 0.0:
        exact = context.subtract(context.ln(Decimal(clip)), context.ln(kept))
        logit = float(exact)
        low = float(context.subtract(exact, Decimal(logit)))
    return (
        cost_fn,
        float(context.multiply(Decimal(cost_fp), muted)),
        *split(Fraction(gamma_pos)),
        *split(Fraction(gamma_neg)),
        gamma_pos,
        gamma_neg,
        logit,
        low,
        float(kept),
        clip,
        cost_fp,
    )
