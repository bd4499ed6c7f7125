"""Losses of several outputs that describe the distribution of one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import EPSILON, Vector, weighted_mean, weighted_quantile
from fastloss.losses._parameters import number_sequence, parameter
from fastloss.losses._rows import ValueLoss


class MultiPinball(ValueLoss):
    """
    Pinball loss of several quantiles at once: one output a quantile, the sum over all of them.

    sum over k of q_k * max(y_true - f_k, 0) + (1 - q_k) * max(f_k - y_true, 0), f = raw_prediction.
    Link: identity. Labels: finite numbers, one a sample. The gradient is 1 - q_k where f_k >
    y_true, else -q_k; the Hessian, 0 almost everywhere, is reported as 1. Error at most 2 ULP.

    Parameters
    ----------
    quantiles : sequence of float
        Each in (0, 1); one an output.

    References
    ----------
    Koenker, Bassett, Regression Quantiles, 1978.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MultiPinball((0.25, 0.75))([1.0], [[0.0, 3.0]])
    0.75
    """

    __slots__ = ()
    name = "multi_pinball"
    quantiles = parameter("quantiles")

    def __init__(
        self, quantiles: Sequence[float] | npt.NDArray[np.floating] = (0.1, 0.5, 0.9)
    ) -> None:
        levels = number_sequence("quantiles", quantiles, 0.0, 1.0)
        for k, level in enumerate(levels):
            if level in (0.0, 1.0):
                raise ValueError(f"quantiles[{k}] = {level}: expected a number in (0, 1)")
        slopes = np.array([levels, [1.0 - level for level in levels]])
        super().__init__(
            {"quantiles": levels}, per_output=("quantiles", slopes), n_outputs=len(levels)
        )

    def _count_outputs(self) -> int:
        return len(self.quantiles)

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        return np.array([weighted_quantile(labels, weights, q) for q in self.quantiles])


class GaussianNLL(ValueLoss):
    """
    Gaussian negative log-likelihood of a mean and a log variance, without its constant.

    (s + (y_true - mean)**2 * exp(-s)) / 2, in nats, raw_prediction being the pairs (mean, s = log
    variance); log(2 * pi) / 2 is left out. Link: identity for the mean, log for the variance.
    Labels: finite numbers, one a sample. With r = mean - y_true the gradient is (r * exp(-s), (1 -
    r**2 * exp(-s)) / 2), the Hessian's diagonal (exp(-s), r**2 * exp(-s) / 2). Error at most 4.5
    ULP, of the larger term where two cancel. `predict` gives the pairs (mean, variance).

    References
    ----------
    Nix, Weigend, Estimating the Mean and Variance of the Target Probability Distribution, 1994.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GaussianNLL()([1.0, 2.0], [[1.0, 0.0], [0.0, 0.0]], reduction="none")
    array([0., 2.])
    """

    __slots__ = ()
    name = "gaussian_nll"

    def __init__(self) -> None:
        super().__init__(n_outputs=2)

    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None:
        variance = np.moveaxis(values, axis, 0)[1]
        with np.errstate(over="ignore", under="ignore"):
            np.exp(variance, out=variance)

    def _count_outputs(self) -> int:
        return 2

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        mean = weighted_mean(labels, weights)
        variance = weighted_mean((labels - mean) ** 2, weights)
        # the variance of equal labels is 0: one epsilon of their size instead
        least = EPSILON * max(mean * mean, EPSILON)
        return np.array([mean, math.log(max(variance, least))])
