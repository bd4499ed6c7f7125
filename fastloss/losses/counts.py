"""Losses of counts and positive amounts: log link."""

from __future__ import annotations

import math

from fastloss._pointwise import PointwiseLoss
from fastloss.losses._constants import EPSILON, Vector, weighted_mean


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
        return math.log(max(weighted_mean(labels, weights), EPSILON))
