"""Losses of several outputs that describe the distribution of one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import EPSILON, Vector, weighted_mean, weighted_quantile
from fastloss.losses._minimise import minimise
from fastloss.losses._parameters import number_sequence, parameter
from fastloss.losses._rows import ValueLoss

_LARGEST = math.log(np.finfo(np.float64).max)


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

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        mean, log_spread = _mean_and_log_spread(labels, weights)
        # the variance of equal labels is 0: one epsilon of their size instead
        least = math.log(EPSILON) + max(2 * _log(abs(mean)), math.log(EPSILON))
        return np.array([mean, max(2 * log_spread, least)])


class GaussianCRPS(ValueLoss):
    """
    Continuous ranked probability score of a normal distribution: a mean and a log scale.

    With r = mean - y_true, sigma = exp(s), w = r / sigma, phi and Phi the standard normal density
    and distribution, sigma * (w * (2 * Phi(w) - 1) + 2 * phi(w) - 1 / sqrt(pi)), raw_prediction
    being the pairs (mean, s). In the unit of y_true; proper, and it grows like abs(r) only. Link:
    identity for the mean, log for the scale. Labels: finite numbers, one a sample. The gradient is
    (2 * Phi(w) - 1, sigma * (2 * phi(w) - 1 / sqrt(pi))), the Hessian's diagonal (2 * phi(w) /
    sigma, sigma * (2 * phi(w) * (1 + w**2) - 1 / sqrt(pi))), the second of which is negative far
    out. Error at most 5 ULP, of the Hessian at most 16 where abs(w) <= 2.5 (its density magnifies
    the error of w by w**2), of the larger term where two cancel. `predict` gives the pairs (mean,
    scale).

    References
    ----------
    Gneiting, Raftery, Westveld, Goldman, Calibrated Probabilistic Forecasting Using Ensemble Model
    Output Statistics and Minimum CRPS Estimation, 2005.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.GaussianCRPS()([0.0], [[0.0, 0.0]]), 4)
    0.2337
    """

    __slots__ = ()
    name = "gaussian_crps"

    def __init__(self) -> None:
        super().__init__(n_outputs=2)

    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None:
        scale = np.moveaxis(values, axis, 0)[1]
        with np.errstate(over="ignore", under="ignore"):
            np.exp(scale, out=scale)

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        mean, log_spread = _mean_and_log_spread(labels, weights)
        spread = math.exp(min(log_spread, _LARGEST))
        if spread <= EPSILON * abs(mean):  # all labels are equal: the best scale would be 0
            return np.array([mean, math.log(EPSILON * max(abs(mean), EPSILON))])
        # of standardised labels, for the steps of the search
        half = 0.5 * labels - 0.5 * mean  # no overflow
        scaled, shares = half / (0.5 * spread), weights / weights.sum()

        def objective(constants: Vector) -> tuple[float, Vector]:
            rows = np.broadcast_to(constants, (len(scaled), 2))
            value, slopes = self.loss_gradient(scaled, rows, shares, reduction="sum")
            return value, slopes.sum(axis=0)

        best = minimise(objective, np.zeros(2))
        return np.array([mean + spread * best[0], best[1] + log_spread])


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _mean_and_log_spread(labels: Vector, weights: Vector) -> tuple[float, float]:
    """Return mean and logarithm of the standard deviation, also where its square is no number."""
    mean = weighted_mean(labels, weights)
    half = 0.5 * labels - 0.5 * mean  # no overflow
    exponent = math.frexp(float(np.max(np.abs(half))))[1]
    variance = weighted_mean(np.ldexp(half, -exponent) ** 2, weights)
    return mean, 0.5 * _log(variance) + (exponent + 1) * math.log(2)
