"""Robust losses of a residual that are convex: linear in the tails, identity link."""

from __future__ import annotations

from fractions import Fraction

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, weighted_quantile
from fastloss.losses._kernel_values import rounded, split
from fastloss.losses._locations import convex_location, huber_location
from fastloss.losses._parameters import (
    HESSIANS,
    nonnegative,
    one_of,
    parameter,
    positive,
    scale,
)


class Huber(PointwiseLoss):
    """
    Huber's loss: quadratic near zero, linear in the tails.

    r**2 / 2 where abs(r) <= delta, else delta * (abs(r) - delta / 2), with
    r = raw_prediction - y_true. Link: identity. Labels: finite numbers. The gradient is r clipped to
    [-delta, delta], the Hessian 1 inside and 0 outside. Error at most 3 ULP; the side of a sample at
    the jump of the Hessian is that of r as rounded.

    hessian="bounded" reports gradient / r = min(1, delta / abs(r)), the weight of iteratively
    reweighted least squares: at least the second derivative, and not 0 in the tails, where second-order
    boosting needs a number to divide by.

    Parameters
    ----------
    delta : float
        Where the tails begin, greater than 0, in the unit of y_true. 1.35 standard deviations give 95 %
        of the efficiency of the mean on normal data.

    hessian : {"exact", "bounded"}
        The second derivative, or the weight, which is at least as large.

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
    hessian = parameter("hessian")

    def __init__(self, delta: float = 1.0, hessian: str = "exact") -> None:
        delta, hessian = positive("delta", delta), one_of("hessian", hessian, HESSIANS)
        super().__init__({"delta": delta, "hessian": hessian}, (delta, float(hessian == "bounded")))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return huber_location(labels, weights, self.delta)


class SmoothL1(PointwiseLoss):
    """
    Smooth L1 loss: Huber's loss divided by its threshold, so that the tails have slope 1.

    r**2 / (2 * beta) where abs(r) < beta, else abs(r) - beta / 2, with r = raw_prediction - y_true.
    Link: identity. Labels: finite numbers. The gradient is r / beta clipped to [-1, 1], the Hessian
    1 / beta inside and 0 outside. beta = 0 is `AbsoluteError`, whose Hessian is reported as 1 in any
    case. Torch's ``smooth_l1_loss``. Error at most 3 ULP; the side of a sample at the jump of the
    Hessian is that of r as rounded.

    hessian="bounded" reports gradient / r = min(1 / beta, 1 / abs(r)), the weight of iteratively
    reweighted least squares: at least the second derivative, and not 0 in the tails, where second-order
    boosting needs a number to divide by.

    Parameters
    ----------
    beta : float
        Where the tails begin, 0 or in [1e-150, 1e150], in the unit of y_true.

    hessian : {"exact", "bounded"}
        The second derivative, or the weight, which is at least as large.

    References
    ----------
    Girshick, Fast R-CNN, 2015.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SmoothL1(beta=0.5)([0.0, 0.0], [0.25, 3.0])
    1.40625
    """

    __slots__ = ()
    name = "smooth_l1"
    beta = parameter("beta")
    hessian = parameter("hessian")

    def __init__(self, beta: float = 1.0, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        if nonnegative("beta", beta) == 0:
            super().__init__({"beta": 0.0, "hessian": hessian}, kernel="absolute_error")
        else:
            beta = scale("beta", beta)
            inverse = 1 / Fraction(beta)
            values = (beta, *split(inverse), rounded(inverse), float(hessian == "bounded"))
            super().__init__({"beta": beta, "hessian": hessian}, values)

    @property
    def _hessian_by_convention(self) -> bool:
        return bool(self.beta == 0)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        if self.beta == 0:
            return weighted_quantile(labels, weights, 0.5)
        return huber_location(labels, weights, self.beta)


class PseudoHuber(PointwiseLoss):
    """
    Pseudo-Huber (Charbonnier) loss, a Huber loss without a kink in its slope.

    delta**2 * (sqrt(1 + (r / delta)**2) - 1), with r = raw_prediction - y_true. Link: identity.
    Labels: finite numbers. With s for the root the gradient is r / s, the Hessian 1 / s**3. XGBoost's
    ``reg:pseudohubererror``. Error at most 3 ULP.

    hessian="bounded" reports gradient / r = 1 / s, the weight of iteratively reweighted least squares:
    at least the second derivative, and not as small in the tails, where second-order boosting needs a
    number to divide by.

    Parameters
    ----------
    delta : float
        Where the square turns into the straight line, in [1e-150, 1e150], in the unit of y_true; far
        out the slope is delta.

    hessian : {"exact", "bounded"}
        The second derivative, or the weight, which is at least as large.

    References
    ----------
    Charbonnier, Blanc-Feraud, Aubert, Barlaud, Deterministic Edge-Preserving Regularization in Computed
    Imaging, 1997.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.PseudoHuber()([0.0], [0.75])
    0.25
    """

    __slots__ = ()
    name = "pseudo_huber"
    delta = parameter("delta")
    hessian = parameter("hessian")

    def __init__(self, delta: float = 1.0, hessian: str = "exact") -> None:
        delta, hessian = scale("delta", delta), one_of("hessian", hessian, HESSIANS)
        values = (*split(1 / Fraction(delta)), delta, float(hessian == "bounded"))
        super().__init__({"delta": delta, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return convex_location(self, labels, weights)


class LogCosh(PointwiseLoss):
    """
    Log-cosh loss: log(cosh(r)), r = raw_prediction - y_true.

    abs(r) + log1p(exp(-2 * abs(r))) - log(2), without its cancellation. Link: identity. Labels: finite
    numbers; divide them by the scale of their noise. The gradient is tanh(r), the Hessian
    1 / cosh(r)**2, exact in the tails. Error at most 4 ULP; where exp(-2 * abs(r)) is below the
    smallest normal number the Hessian has fewer digits.

    hessian="bounded" reports gradient / r = tanh(r) / r, the weight of iteratively reweighted least
    squares: at least the second derivative, and not 0 in the tails, where second-order boosting needs a
    number to divide by.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or the weight, which is at least as large.

    References
    ----------
    Green, Bayesian Reconstructions from Emission Tomography Data Using a Modified EM Algorithm, 1990.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.LogCosh()([0.0], [1e-4])
    4.999999991666667e-09
    """

    __slots__ = ()
    name = "log_cosh"
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__({"hessian": hessian}, (float(hessian == "bounded"),))

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return convex_location(self, labels, weights)


class Fair(PointwiseLoss):
    """
    Fair's loss: c**2 * (q - log1p(q)), q = abs(r) / c, r = raw_prediction - y_true.

    Link: identity. Labels: finite numbers. The gradient is r / (1 + q), the Hessian 1 / (1 + q)**2,
    whose kink at 0 is that of abs(r). Near 0 it is r**2 / 2, far out c * abs(r) less a logarithm.
    LightGBM's ``fair``. Error at most 4 ULP, also where q - log1p(q) cancels.

    hessian="bounded" reports gradient / r = 1 / (1 + q), the weight of iteratively reweighted least
    squares: at least the second derivative, and not as small in the tails, where second-order boosting
    needs a number to divide by.

    Parameters
    ----------
    c : float
        The scale, in [1e-150, 1e150], in the unit of y_true; 1.4 standard deviations give 95 % of the
        efficiency of the mean on normal data.

    hessian : {"exact", "bounded"}
        The second derivative, or the weight, which is at least as large.

    References
    ----------
    Fair, On the Robust Estimation of Econometric Models, 1974.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Fair(c=2.0)([0.0], [2.0])
    1.2274112777602189
    """

    __slots__ = ()
    name = "fair"
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, c: float = 1.0, hessian: str = "exact") -> None:
        c, hessian = scale("c", c), one_of("hessian", hessian, HESSIANS)
        exact = Fraction(c)
        values = (*split(1 / exact), *split(exact**2), c, float(hessian == "bounded"))
        super().__init__({"c": c, "hessian": hessian}, values)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        return convex_location(self, labels, weights)
