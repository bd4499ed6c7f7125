"""Losses of several outputs that describe the distribution of one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import (
    EPSILON,
    Vector,
    log_of_mean,
    weighted_mean,
    weighted_quantile,
)
from fastloss.losses._locations import distinct
from fastloss.losses._newton import newton_minimum
from fastloss.losses._parameters import HESSIANS, number_sequence, one_of, parameter
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
    _hessian_by_convention = True
    quantiles = parameter("quantiles")

    def __init__(
        self, quantiles: Sequence[float] | npt.NDArray[np.floating] = (0.1, 0.5, 0.9)
    ) -> None:
        levels = number_sequence("quantiles", quantiles, -math.inf, math.inf)
        for k, level in enumerate(levels):
            if not 0.0 < level < 1.0:
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
    r**2 * exp(-s)) / 2), the Hessian's diagonal (exp(-s), r**2 * exp(-s) / 2). Error at most 4
    ULP, of the larger term where two cancel. `predict` gives an array of the pairs (mean, variance).

    hessian="bounded" reports the larger of that and its mean under the distribution, (exp(-s), 1 / 2),
    Fisher's information: second-order boosting can divide by it also where r is near 0.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that is not small.

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
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__(
            {"hessian": hessian}, (0.5 if hessian == "bounded" else -math.inf,), n_outputs=2
        )

    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None:
        variance = np.moveaxis(values, axis, 0)[1:2]  # of one sample, too, an array
        with np.errstate(over="ignore", under="ignore"):
            np.exp(variance, out=variance)

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        mean, log_spread = _mean_and_log_spread(labels, weights)
        if labels.min() == labels.max():
            # the variance is 0: one epsilon of their size instead
            least = math.log(EPSILON) + max(2 * _log(abs(mean)), math.log(EPSILON))
            return np.array([mean, least])
        return np.array([mean, 2 * log_spread])


class GaussianCRPS(ValueLoss):
    """
    Continuous ranked probability score of a normal distribution: a mean and a log scale.

    With r = mean - y_true, sigma = exp(s), w = r / sigma, phi and Phi the standard normal density
    and distribution, sigma * (w * (2 * Phi(w) - 1) + 2 * phi(w) - 1 / sqrt(pi)), raw_prediction
    being the pairs (mean, s). In the unit of y_true; proper, and it grows like abs(r) only. Link:
    identity for the mean, log for the scale. Labels: finite numbers, one a sample. The gradient is
    (2 * Phi(w) - 1, sigma * (2 * phi(w) - 1 / sqrt(pi))), the Hessian's diagonal (2 * phi(w) /
    sigma, sigma * (2 * phi(w) * (1 + w**2) - 1 / sqrt(pi))), the second of which is negative far
    out. Error at most 5 ULP, of the Hessian at most 8, of the larger term where two cancel. `predict`
    gives the pairs (mean, scale).

    hessian="bounded" reports the larger of that and its mean under the distribution, (1 / (sigma *
    sqrt(pi)), sigma / (2 * sqrt(pi))), which is its Gauss-Newton part, too: greater than 0, what
    second-order boosting can divide by.

    Parameters
    ----------
    hessian : {"exact", "bounded"}
        The second derivative, or an upper bound that never is negative.

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
    hessian = parameter("hessian")

    def __init__(self, hessian: str = "exact") -> None:
        hessian = one_of("hessian", hessian, HESSIANS)
        super().__init__({"hessian": hessian}, (float(hessian == "bounded"),), n_outputs=2)

    def _finish_link(
        self, values: npt.NDArray[np.floating[Any]], axis: int, n_threads: int | None
    ) -> None:
        scale = np.moveaxis(values, axis, 0)[1:2]  # of one sample, too, an array
        with np.errstate(over="ignore", under="ignore"):
            np.exp(scale, out=scale)

    def _best_constants(self, labels: Vector, weights: Vector) -> Vector:
        kinds, sums = distinct(labels, weights)
        shares = sums / sums.sum()
        sharp = _where_no_scale_is_best(kinds, shares)
        if sharp is not None:
            size = max(abs(sharp), float(np.max(np.abs(kinds - sharp)))) or EPSILON
            return np.array([sharp, math.log(EPSILON) + math.log(size)])
        mean, log_spread = _mean_and_log_spread(kinds, sums)
        # of standardised labels, for the steps of the search; no product overflows or is subnormal
        exponent = math.frexp(float(np.max(np.abs(kinds))))[1]
        moved = np.ldexp(kinds, -exponent) - math.ldexp(mean, -exponent)
        log_unit = log_spread - exponent * math.log(2)
        scaled = moved / math.exp(log_unit)

        def objective(constants: Vector) -> tuple[float, Vector, Vector]:
            # of mean and scale (not its logarithm) the score is convex
            location, scale = float(constants[0]), float(constants[1])
            rows = np.broadcast_to([location, math.log(scale)], (len(scaled), 2))
            value, slopes = self.loss_gradient(scaled, rows, shares, reduction="sum")
            w = (location - scaled) / scale
            bend = shares * np.exp(-0.5 * w**2) * (math.sqrt(2 / math.pi) / scale)
            mixed = -float(bend @ w)
            hessian = np.array([[bend.sum(), mixed], [mixed, bend @ w**2]])
            return value, slopes.sum(axis=0) / [1.0, scale], hessian

        def longest(constants: Vector, step: Vector) -> float:
            """The scale falls to no less than a tenth, and nothing moves far at once."""
            within = min(1.0, 10.0 * float(constants[1]) / max(float(np.abs(step).max()), 1e-300))
            return min(within, -0.9 * float(constants[1] / step[1])) if step[1] < 0 else within

        location, scale = newton_minimum(objective, np.array([0.0, 1.0]), longest)
        moved_mean = math.ldexp(mean, -exponent) + math.exp(log_unit) * location
        return np.array([math.ldexp(moved_mean, exponent), math.log(scale) + log_spread])


def _where_no_scale_is_best(labels: Vector, shares: Vector) -> float | None:
    """Return the label that holds so much of the weight that the best scale is 0, if there is one."""
    k = int(np.argmax(shares))
    # near a scale of 0 the mean is off it by u scales: there the slope by the mean is 0
    off = (float(shares[k + 1 :].sum()) - float(shares[:k].sum())) / float(shares[k])
    if abs(off) >= 1:
        return None
    u = NormalDist().inv_cdf(0.5 + 0.5 * off)
    rising = float(shares[k]) * math.sqrt(2) * math.exp(-0.5 * u**2) >= 1
    return float(labels[k]) if rising else None


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _mean_and_log_spread(labels: Vector, weights: Vector) -> tuple[float, float]:
    """Return mean and logarithm of the standard deviation, also where its square is no number."""
    mean = weighted_mean(labels, weights)
    size = math.frexp(float(np.max(np.abs(labels))))[1]
    moved = np.ldexp(labels, -size) - math.ldexp(mean, -size)
    if not moved.any():
        return mean, -math.inf
    exponent = math.frexp(float(np.max(np.abs(moved))))[1]
    squares = np.ldexp(moved, -exponent) ** 2
    present = (squares > 0) & (weights > 0)
    log_variance = log_of_mean(squares, weights) if present.any() else -math.inf
    return mean, 0.5 * log_variance + (exponent + size) * math.log(2)
