"""Losses of counts and positive amounts: log link, unless said."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal

import numpy as np

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import EPSILON, Vector, log_of_mean, weighted_mean
from fastloss.losses._parameters import HESSIANS, between, in_parts, one_of, parameter


def _log_mean(labels: Vector, weights: Vector) -> float:
    """Return the logarithm of the mean; of EPSILON where the mean has none."""
    if labels.min() < 0:
        mean = weighted_mean(labels, weights)
        return math.log(mean if mean > 0 else EPSILON)
    some = np.any((labels > 0) & (weights > 0))
    return log_of_mean(labels, weights) if some else math.log(EPSILON)


def _tweedie_power(value: object) -> float:
    """Return the power of a Tweedie distribution that exists, to a bounded extent."""
    power = between("power", value, -1000.0, 1000.0)
    if 0 < power < 1:
        raise ValueError(f"power = {value!r}: expected a number outside (0, 1)")
    return power


def _tweedie_labels(power: float) -> Literal["finite", "nonnegative", "positive"]:
    """Return the label domain of a Tweedie distribution."""
    return "finite" if power <= 0 else "nonnegative" if power < 2 else "positive"


class Poisson(PointwiseLoss):
    """
    Poisson loss with log link: exp(raw_prediction) - y_true * raw_prediction.

    The negative log-likelihood of counts without its constant log(y_true!), in nats; it may be
    negative. Link: log. Labels: finite numbers of at least 0. The gradient is exp(raw_prediction) -
    y_true, the Hessian exp(raw_prediction). `predict` gives the mean count. Error at most 2.5 ULP;
    where the two terms cancel, 1.5 ULP of the larger one.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models, 1989, chapter 6.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Poisson()([0.0, 3.0], [0.0, 0.0])
    1.0
    """

    __slots__ = ()
    name = "poisson"

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return _log_mean(labels, weights)


class Gamma(PointwiseLoss):
    """
    Gamma loss with log link: raw_prediction + y_true * exp(-raw_prediction).

    Half the deviance of positive amounts without its terms in y_true alone, and the negative
    log-likelihood of a gamma distribution of shape 1; it may be negative. Link: log. Labels: finite
    numbers greater than 0. The gradient is 1 - y_true * exp(-raw_prediction), the Hessian y_true *
    exp(-raw_prediction). `predict` gives the mean. Error at most 2 ULP; where the two terms of loss
    or gradient cancel, of the larger one.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models, 1989, chapter 8.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Gamma()([1.0, 3.0], [0.0, 0.0])
    2.0
    """

    __slots__ = ()
    name = "gamma"

    def __init__(self) -> None:
        super().__init__()

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return log_of_mean(labels, weights)


class Tweedie(PointwiseLoss):
    """
    Tweedie loss of a power with log link.

    With p = power, y = y_true and f = raw_prediction it is exp((2-p) f) / (2-p) - y exp((1-p) f) /
    (1-p): half the deviance of a distribution whose variance is mean**p, without its terms in y
    alone. The gradient is exp((2-p) f) - y exp((1-p) f), the Hessian (2-p) exp((2-p) f) - (1-p) y
    exp((1-p) f), which can be negative for p < 1 and p > 2. p = 1 is `Poisson`, p = 2 is `Gamma`, by
    their own kernels; p = 0 is exp(2f)/2 - y exp(f), the squared error of the mean; p = 3 belongs to
    the inverse Gaussian distribution.

    hessian="bounded" reports for p < 1 and p > 2 the larger of the second derivative and its mean where
    raw_prediction is right, exp((2-p) f), Fisher's information: never negative, and what second-order
    boosting can divide by. For 1 <= p <= 2 the second derivative never is negative, and is reported.

    Link: log. Labels: finite numbers, of at least 0 for 1 <= p < 2, greater than 0 for p >= 2.
    `predict` gives the mean. Error at most 3.5 ULP, of the larger of the two terms.

    Parameters
    ----------
    power : float
        In [-1000, 0] or [1, 1000]: 0 for normal, 1 for Poisson, between 1 and 2 for compound
        Poisson, 2 for gamma and 3 for inverse Gaussian distributions.
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

    References
    ----------
    Jørgensen, Exponential dispersion models, Journal of the Royal Statistical Society B, 1987.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Tweedie(1.5)([0.0, 3.0], [0.0, 0.0])
    5.0
    """

    __slots__ = ()
    name = "tweedie"
    power = parameter("power")
    hessian = parameter("hessian")

    def __init__(self, power: float = 1.5, hessian: str = "exact") -> None:
        power, hessian = _tweedie_power(power), one_of("hessian", hessian, HESSIANS)
        params = {"power": power, "hessian": hessian}
        if power in (1.0, 2.0):
            super().__init__(params, kernel="poisson" if power == 1 else "gamma")
            return
        a, b = 2 - Fraction(power), 1 - Fraction(power)
        (a_hi, *a_rests), (b_hi, *b_rests) = in_parts(a), in_parts(b)
        least = 1.0 if hessian == "bounded" and not 1 < power < 2 else -math.inf
        values = (a_hi, b_hi, *a_rests, *b_rests, float(1 / a), float(1 / b), least)
        super().__init__(params, values, labels=_tweedie_labels(power))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return _log_mean(labels, weights)


class TweedieIdentity(PointwiseLoss):
    """
    Half the Tweedie deviance of a power with identity link: raw_prediction is the mean.

    With p = power, y = y_true and f = raw_prediction it is f**(2-p) / (2-p) - y f**(1-p) / (1-p) +
    max(y, 0)**(2-p) / ((1-p) (2-p)), in the limits y log(y/f) + f - y for p = 1 and log(f/y) + y/f
    - 1 for p = 2, and (f - y)**2 / 2 for p = 0. It is 0 at f = y, and positive elsewhere. The
    gradient is f**-p (f - y), the Hessian f**(-p-1) ((1-p) f + p y), which can be negative for p <
    0 and p > 1. Unless p = 0 all three are NaN where raw_prediction is not greater than 0.

    hessian="bounded" reports for p < 0 and p > 1 the larger of the second derivative and its mean where
    raw_prediction is right, f**-p, Fisher's information: never negative, and what second-order boosting
    can divide by. For p = 0 and p = 1 the second derivative never is negative, and is reported.

    Link: identity. Labels: finite numbers, of at least 0 for 1 <= p < 2, greater than 0 for p >= 2.
    Error at most 4 ULP, of the Hessian at most 5 ULP; of loss and Hessian in ULP of their largest
    term, but of the loss itself close to the label. For p within 0.001 of 1 or 2, and not equal,
    the terms are far larger than the loss.

    Parameters
    ----------
    power : float
        In [-1000, 0] or [1, 1000], as for `Tweedie`.
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

    References
    ----------
    Jørgensen, Exponential dispersion models, Journal of the Royal Statistical Society B, 1987.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.TweedieIdentity(1.5)([0.0, 1.0], [4.0, 1.0])
    2.0
    """

    __slots__ = ()
    name = "tweedie_identity"
    power = parameter("power")
    hessian = parameter("hessian")

    def __init__(self, power: float = 1.5, hessian: str = "exact") -> None:
        power, hessian = _tweedie_power(power), one_of("hessian", hessian, HESSIANS)
        params = {"power": power, "hessian": hessian}
        if power == 0:
            super().__init__(params, kernel="half_squared_error")
            return
        a, b = 2 - Fraction(power), 1 - Fraction(power)
        if power == 1:
            factors = (1.0, -1.0, 0.0)
        elif power == 2:
            factors = (-1.0, 1.0, 0.0)
        else:
            factors = (float(1 / a), float(-1 / b), float(1 / (a * b)))
        least = 1.0 if hessian == "bounded" and power != 1 else -math.inf
        values = (*in_parts(a)[:2], *factors, float(b), power, least)
        super().__init__(params, values, labels=_tweedie_labels(power))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        mean = weighted_mean(labels, weights)
        return mean if self.power == 0 or mean > 0 else EPSILON


class NegativeBinomial(PointwiseLoss):
    """
    Negative binomial loss with log link.

    With y = y_true and f = raw_prediction it is (y + 1/theta) log(1 + theta exp(f)) - y f: the
    negative log-likelihood of overdispersed counts, of variance mean + theta mean**2 (NB2), without
    its terms in y and theta alone; it may be negative. The gradient is (exp(f) - y) / (1 + theta
    exp(f)), the Hessian (1 + theta y) exp(f) / (1 + theta exp(f))**2. Link: log. Labels: finite
    numbers of at least 0. `predict` gives the mean count. Error at most 4 ULP; where the
    terms of loss or gradient cancel, of the larger one.

    Parameters
    ----------
    theta : float
        Overdispersion, in [1e-30, 1e30]; as it goes to 0, the loss goes to `Poisson`.

    References
    ----------
    Hilbe, Negative Binomial Regression, 2nd edition, 2011, chapter 8.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.NegativeBinomial(2.0)([0.0, 3.0], [0.0, 0.0]), 6)
    2.197225
    """

    __slots__ = ()
    name = "negative_binomial"
    theta = parameter("theta")

    def __init__(self, theta: float = 1.0) -> None:
        theta = between("theta", theta, 1e-30, 1e30)
        with localcontext() as context:
            context.prec = 60
            log_theta = Fraction(Decimal(theta).ln())
        super().__init__({"theta": theta}, (*in_parts(log_theta), *in_parts(1 / Fraction(theta))))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return _log_mean(labels, weights)


class SquaredLogError(PointwiseLoss):
    """
    Squared logarithmic error: (log1p(raw_prediction) - log1p(y_true))**2.

    With r the difference of the logarithms the gradient is 2 r / (1 + raw_prediction), the Hessian
    2 (1 - r) / (1 + raw_prediction)**2, which is negative for r > 1. The loss is infinite at
    raw_prediction = -1 and NaN below; nothing is clipped. Link: identity. Labels: finite numbers
    greater than -1. Error at most 3 ULP, of the Hessian at most 4 ULP, of the larger of its two
    terms.

    hessian="bounded" reports the larger of that and its Gauss-Newton part 2 / (1 + raw_prediction)**2:
    greater than 0, what second-order boosting can divide by. Where r > 1 a whole step leads below -1:
    take a learning rate.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

    References
    ----------
    The objective reg:squaredlogerror of XGBoost, Chen and Guestrin, 2016.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.SquaredLogError()([0.0, 3.0], [1.0, 3.0]), 6)
    0.240227
    """

    __slots__ = ()
    name = "squared_log_error"
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__({"hessian": hessian}, (math.inf if hessian == "exact" else 0.0,))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        mean = math.expm1(weighted_mean(np.log1p(labels), weights))
        return float(np.clip(mean, labels.min(), labels.max()))  # against rounding
