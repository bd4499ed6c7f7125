"""
Minimise a sum over classes of convex functions of one probability each, over all distributions.

At the optimum the derivatives of all classes are equal. Each is a decreasing function of the class's
logit, so that one number, the logit of one class, tells all the others, and a search over that number
finds where the probabilities sum to 1. Nothing cancels: a probability next to 1 is compared by what it
lacks of 1, which is the sum of the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastloss.losses._constants import LARGEST_LOGIT, Vector

#: Values and derivatives, by the logits t, of a decreasing function of t for each class.
Slopes = Callable[[Vector], tuple[Vector, Vector]]

_STEPS = 200
_SMALL = 1e-6


def simplex_optimum(slopes: Slopes, n_classes: int, leader: int) -> Vector:
    """
    Return the logarithms of the optimal probabilities.

    `slopes` is a decreasing function of minus the derivative of each class, the same one for all
    (its logarithm, say). `leader` is the class, likely the most probable, whose logit is searched.
    """
    if n_classes == 1:
        return np.zeros(1)
    others = np.arange(n_classes) != leader
    state = np.full(n_classes, -np.log(n_classes - 1.0))
    rates = np.zeros(n_classes - 1)

    def surplus(logit: Vector) -> tuple[Vector, Vector]:
        """Return the logarithm of the others' probabilities over what the leader leaves them."""
        state[others] += np.clip(rates * (logit[0] - state[leader]), -100.0, 100.0)
        state[leader] = logit[0]
        level, bend = (each[leader] for each in slopes(state))

        def remainder(logits: Vector) -> tuple[Vector, Vector]:
            state[others] = logits
            value, derivative = slopes(state)
            return level - value[others], -derivative[others]

        state[others] = _roots(remainder, state[others])
        log_p, s = _log_expit(state), _expit(-state)
        each = log_p[others]
        top = float(each.max())
        shares = np.exp(each - top)
        value = top + np.log(shares.sum()) - _log_expit(-state)[leader]
        # d t_k / d t of the leader is the quotient of the derivatives
        rates[:] = bend / slopes(state)[1][others]
        change = float(np.sum(shares * s[others] * rates) / shares.sum())
        return np.array([value]), np.array([change + _expit(state)[leader]])

    best = _roots(surplus, state[[leader]].copy())
    surplus(best)
    return _log_expit(state)


def with_absent(logits: Vector, present: npt.NDArray[np.bool_]) -> Vector:
    """
    Return logits of all classes, shifted to mean 0, from the log-probabilities of the present ones.

    The others' are at infinity: they get one epsilon, or the least of the present if that is less.
    """
    result = np.full(len(present), min(-LARGEST_LOGIT, float(logits.min())))
    result[present] = logits
    return np.asarray(result - result.mean(), dtype=np.float64)


def _roots(increasing: Callable[[Vector], tuple[Vector, Vector]], start: Vector) -> Vector:
    """
    Return the roots of increasing functions, by Newton steps kept inside of an interval.

    The interval is not known at first: steps beyond what has been seen grow by factors of two.
    """
    point = start.copy()
    low, high = np.full(len(point), -np.inf), np.full(len(point), np.inf)
    reach, close = np.ones(len(point)), np.zeros(len(point), bool)
    for _ in range(_STEPS):
        value, derivative = increasing(point)
        low, high = np.where(value <= 0, point, low), np.where(value >= 0, point, high)
        step = -value / derivative
        step = np.where(np.isfinite(step), step, -np.sign(value) * reach)
        open_ = ~(np.isfinite(low) & np.isfinite(high))
        step = np.where(open_, np.clip(step, -reach, reach), step)
        reach = np.where(open_, 2.0 * reach, reach)
        trial = point + step
        outside = ~open_ & ~((trial >= low) & (trial <= high))
        with np.errstate(invalid="ignore"):
            trial = np.where(outside, 0.5 * (low + high), trial)
        # Newton's steps are quadratic: after two small ones only rounding is left
        small = np.abs(step) <= _SMALL * (1.0 + np.abs(point))
        point = np.where(value == 0, point, trial)
        if np.all((small & close) | (value == 0)):
            break
        close = small
    return point


def _expit(t: Vector) -> Vector:
    small = np.exp(-np.abs(t))
    return np.where(t >= 0, 1.0, small) / (1.0 + small)


def _log_expit(t: Vector) -> Vector:
    """Return the logarithm of expit(t)."""
    return np.minimum(t, 0.0) - np.log1p(np.exp(-np.abs(t)))


def focal_slopes(log_factors: Vector, gamma: float) -> Slopes:
    """
    Return the logarithms of minus the derivatives of -c (1 - p)**gamma log(p), by log(c).

    They are c (1 - p)**(gamma - 1) ((1 - p) / p - gamma log(p)).
    """

    def slopes(t: Vector) -> tuple[Vector, Vector]:
        p = _expit(t)
        # -log(p) e^t, which lies in (0, 1)
        scaled = np.where(t > 40, 1.0, -_log_expit(t) * np.exp(np.minimum(t, 40.0)))
        value = (gamma - 1.0) * _log_expit(-t) - t + np.log1p(gamma * scaled)
        derivative = -(gamma - 1.0) * p - (1.0 + gamma * p) / (1.0 + gamma * scaled)
        return log_factors + value, derivative

    return slopes


def symmetric_slopes(log_factors: Vector, alpha: float, reverse: float) -> Slopes:
    """Return the logarithms of minus the derivatives of c (reverse (1 - p) - alpha log(p))."""

    def slopes(t: Vector) -> tuple[Vector, Vector]:
        falling = np.log(alpha) - t
        value = np.logaddexp(np.log(alpha + reverse), falling)
        return log_factors + value, -np.exp(falling - value)

    return slopes


def divergence_slopes(targets: Vector, weights: Vector) -> Slopes:
    """Return the means of log(1 + q / p), which the Jensen-Shannon divergence's derivative takes."""

    def slopes(t: Vector) -> tuple[Vector, Vector]:
        log_p = _log_expit(t)
        ratios = targets * np.exp(np.minimum(-log_p, 700.0))
        value = weights @ np.log1p(ratios)
        return value, -(weights @ (ratios / (1.0 + ratios))) * _expit(-t)

    return slopes
