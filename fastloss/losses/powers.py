"""Losses of a residual r = f - y by a power that is a parameter: identity link."""

from __future__ import annotations

import math
import numbers
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, bisected_root, weighted_mean, weighted_quantile
from fastloss.losses._kernel_values import split, square_root
from fastloss.losses._locations import redescending_location
from fastloss.losses._parameters import HESSIANS, between, in_parts, one_of, parameter
from fastloss.losses.redescending import cauchy_values


class Lq(PointwiseLoss):
    """
    Power of the residual: abs(r)**q, r = raw_prediction - y_true.

    The gradient is q abs(r)**(q-1) sign(r), the Hessian q (q-1) abs(r)**(q-2): for q < 2 it is
    infinite at r = 0. q = 1 is `AbsoluteError`, with its Hessian of 1, and q = 2 is `SquaredError`,
    by their own kernels. Link: identity. Labels: finite numbers. Error at most 3 ULP, of the
    Hessian at most 4 ULP.

    Parameters
    ----------
    q : float
        The power, in [1, 1000].

    References
    ----------
    Gonin, Money, Nonlinear Lp-Norm Estimation, 1989.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Lq(1.5)([0.0, 4.0], [4.0, 4.0])
    4.0
    """

    __slots__ = ()
    name = "lq"
    q = parameter("q")

    def __init__(self, q: float = 1.5) -> None:
        q = between("q", q, 1.0, 1000.0)
        params = {"q": q}
        if q in (1.0, 2.0):
            super().__init__(params, kernel="absolute_error" if q == 1 else "squared_error")
            return
        curvature = float(Fraction(q) * (Fraction(q) - 1))
        ends = (0.0, math.inf) if q > 2 else (math.inf, 0.0)
        super().__init__(params, (q - 1, q, curvature, *ends))

    @property
    def _hessian_by_convention(self) -> bool:
        return bool(self.q == 1)

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        if self.q == 1:
            return weighted_quantile(labels, weights, 0.5)
        if self.q == 2:
            return weighted_mean(labels, weights)
        labels, weights = labels[weights > 0], weights[weights > 0]
        weights = weights / weights.max()
        low, high = float(labels.min()), float(labels.max())
        # the residuals of a constant between them, as fractions of the largest there can be
        scale = 0.5 * high - 0.5 * low

        def slope(constant: float) -> float:
            r = (0.5 * constant - 0.5 * labels) / scale
            return float(np.sum(weights * np.sign(r) * np.abs(r) ** (self.q - 1)))

        return bisected_root(slope, low, high) if scale > 0 else low


class BarronRobust(PointwiseLoss):
    """
    Barron's general robust loss: one parameter leads from squared error to Welsch's loss.

    With x = ((raw_prediction - y_true) / c)**2 and b = abs(alpha - 2) it is b/alpha ((1 + x/b)
    **(alpha/2) - 1), and in the limits x/2 at alpha = 2, log(1 + x/2) at 0 (Cauchy) and 1 -
    exp(-x/2) at -inf (Welsch); alpha = 1 is sqrt(1 + x) - 1 (pseudo-Huber), -2 is 2x / (x + 4)
    (Geman-McClure). It is the quadratic x/2 for small x; it carries no factor c**2. The gradient is
    r/c**2 (1 + x/b)**(alpha/2 - 1), the Hessian 1/c**2 (1 + x/b)**(alpha/2 - 2) (1 + (alpha - 1)
    x/b): for alpha < 1 negative far from the label, where the loss is not convex.

    Link: identity. Labels: finite numbers. Error at most 4 ULP, of the Hessian at most 7 ULP, in
    ULP of the larger term of 1 + (alpha - 1) x/b.

    hessian="bounded" reports gradient / r = 1/c**2 (1 + x/b)**(alpha/2 - 1), the weight of iteratively
    reweighted least squares, which second-order boosting can divide by. Up to alpha = 2 it is at least
    the second derivative; beyond it is less, and that one is positive: take "exact".
    At alpha = 1 the last places of loss and gradient are those of the alphas about it.

    Parameters
    ----------
    alpha : float
        The shape, in [-inf, 1000]; the smaller, the less a large residual counts.
    c : float
        The residual at which the loss turns from its quadratic; in [1e-9, 1e9].
    hessian : {"exact", "bounded"}
        The second derivative, or the weight that never is negative.

    Notes
    -----
    `initial_prediction` is the minimum for alpha >= 1; below, there may be several, and the best of
    those is returned that are found from every label, of more than 1000 from as many groups of them.

    References
    ----------
    Barron, A general and adaptive robust loss function, CVPR, 2019, equation 8.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.BarronRobust(alpha=-2.0, c=1.0)([0.0, 4.0], [2.0, 4.0]), 6)
    0.5
    """

    __slots__ = ()
    name = "barron_robust"
    alpha = parameter("alpha")
    c = parameter("c")
    hessian = parameter("hessian")

    def __init__(self, alpha: float = 1.0, c: float = 1.0, hessian: str = "exact") -> None:
        if isinstance(alpha, numbers.Real) and alpha == -math.inf:
            alpha = -math.inf
        else:
            alpha = between("alpha", alpha, -math.inf, 1000.0)
        c, hessian = between("c", c, 1e-9, 1e9), one_of("hessian", hessian, HESSIANS)
        # beyond these the limits have the same bits: of relative distance x / alpha, and alpha
        limit = -math.inf if alpha < -1e25 else 0.0 if abs(alpha) < 1e-21 else alpha
        params = {"alpha": alpha, "c": c, "hessian": hessian}
        inverse_square = 1 / Fraction(c) ** 2
        if limit == 0:
            root = split(square_root(inverse_square / 2))
            values = cauchy_values(root, Fraction(1), inverse_square, hessian)
            super().__init__(params, values, kernel="student_t")
            return
        is_limit = limit in (-math.inf, 2.0)
        if is_limit:
            half, b = (-1.0, Fraction(2)) if limit < 0 else (0.0, Fraction(2))
            factor, bend = (-1.0, -2.0) if limit < 0 else (math.inf, 0.0)
        else:
            b = abs(Fraction(limit) - 2)
            half = limit / 2
            factor, bend = float(b / Fraction(limit)), float(Fraction(limit) - 1)
        if hessian == "bounded":
            bend = 0.0 if is_limit else 1.0
        with localcontext() as context:
            context.prec = 60
            scale = (Decimal(b.numerator) / Decimal(b.denominator)).sqrt() * Decimal(c)
            inverse = Fraction(1 / scale)
        values = (*in_parts(inverse), float(inverse_square), half, factor, bend, float(is_limit))
        super().__init__(params, values)

    def __repr__(self) -> str:
        return super().__repr__().replace("=-inf", "=float('-inf')")

    def _best_constant(self, labels: Vector, weights: Vector) -> float:
        if self.alpha == 2:
            return weighted_mean(labels, weights)
        if self.alpha < 1:
            return redescending_location(self, labels, weights)
        labels, weights = labels[weights > 0], weights[weights > 0]
        weights = weights / weights.max()
        turn = 0.5 * self.c * math.sqrt(abs(self.alpha - 2))

        def slope(constant: float) -> float:
            """By a factor, without which the large ones would be no numbers."""
            half = 0.5 * constant - 0.5 * labels
            unit = max(float(np.max(np.abs(half))), turn)
            r = half / unit
            return float(np.sum(weights * r * np.hypot(turn / unit, r) ** (self.alpha - 2)))

        return bisected_root(slope, float(labels.min()), float(labels.max()))
