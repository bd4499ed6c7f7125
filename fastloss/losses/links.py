"""Bernoulli log-likelihoods under links other than the logit."""

from __future__ import annotations

import math
from statistics import NormalDist

from fastloss.losses._constants import EPSILON, Vector, log_quotient
from fastloss.losses._costs import CostLoss


class CLogLog(CostLoss):
    """
    Log loss under the complementary log-log link, P(y = 1) = 1 - exp(-exp(raw_prediction)).

    With E = exp(raw_prediction) it is E for class 0, -log(1 - exp(-E)) for class 1, in nats: the
    likelihood of whether a Poisson count of mean E is positive. Link: complementary log-log.
    Labels: 0 and 1. With h = E / expm1(E) the gradient is E and -h, the Hessian E and h * (E + h -
    1), positive everywhere. Error at most 4 ULP, of the Hessian at most 6 ULP, with costs at most 5
    and 7. Where E or exp(-E) is subnormal, it has fewer digits itself, which a cost shows.
    `predict` gives the probability of class 1.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models, 1989, section 4.3.1.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.CLogLog()([1, 1], [-1e4, 6.0])
    5000.0
    """

    __slots__ = ()
    name = "c_log_log"

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        a, b = self._class_costs(labels, weights)
        least = EPSILON * (a + b)
        a, b = a if a > 0 else least, b if b > 0 else least
        # e^E - 1 = a / b
        log_ratio = log_quotient([a], [b])
        if abs(log_ratio) > 50:  # log1p(x) is x, or log(x), to the last place
            return log_ratio if log_ratio < 0 else math.log(log_ratio)
        return math.log(math.log1p(a / b))


class Probit(CostLoss):
    """
    Log loss under the probit link, P(y = 1) = Phi(raw_prediction), exact in both tails.

    -log(Phi(m)) with m = (2 * y_true - 1) * raw_prediction and the normal distribution function
    Phi, in nats. Link: probit. Labels: 0 and 1. With z = -m and the hazard h = phi(z) / Phi(-z)
    the gradient is -(2 * y_true - 1) * h, the Hessian h * (h - z), positive everywhere. Error at
    most 5 ULP, of the Hessian at most 8; with costs 6 and 12. Where phi(m) is subnormal (m > 37, in
    float32 13), it has fewer digits itself, which a cost shows. `predict` gives the probability of
    class 1.

    Parameters
    ----------
    cost_fn, cost_fp : float
        Costs of a false negative and of a false positive, greater than 0: factors of everything for
        samples of class 1 and of class 0.

    References
    ----------
    Bliss, The Method of Probits, 1934.
    McCullagh, Nelder, Generalized Linear Models, 1989, section 4.3.1.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Probit()([1, 1], [-40.0, 30.0])
    402.3042210068769
    """

    __slots__ = ()
    name = "probit"

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        a, b = self._class_costs(labels, weights)
        share = min(a, b) / (a + b)
        if share == 0:  # one class, or as good as one
            share = EPSILON
        quantile = NormalDist().inv_cdf(share)  # of the smaller share, which has all its digits
        return quantile if a < b else -quantile
