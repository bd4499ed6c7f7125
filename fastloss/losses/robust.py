"""Robust losses of a residual that are convex: linear in the tails, identity link."""

from __future__ import annotations

from fastloss._pointwise import PointwiseLoss
from fastloss.losses._constants import Vector
from fastloss.losses._locations import huber_location
from fastloss.losses._parameters import parameter, positive


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
