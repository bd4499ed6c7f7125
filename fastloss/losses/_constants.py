"""Best constant predictions: exact minimisers of a weighted mean loss over one number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

#: How far a mean is kept inside its domain where the optimum would be infinite.
EPSILON = float(np.finfo(np.float64).eps)


def weighted_mean(labels: Vector, weights: Vector) -> float:
    """Return the weighted mean; shifted first, so that large labels do not overflow the sum."""
    total = weights.sum()
    return float(np.sum(labels * (weights / total)))


def weighted_quantile(labels: Vector, weights: Vector, quantile: float) -> float:
    """
    Return a minimiser of the weighted pinball loss.

    Where the minimiser is an interval (the cumulated weight hits ``quantile`` exactly) its
    midpoint, as the usual median.
    """
    order = np.argsort(labels, kind="stable")
    order = order[weights[order] > 0]
    cumulated = np.cumsum(weights[order])
    target = quantile * cumulated[-1]
    first = int(np.searchsorted(cumulated, target, side="left"))
    first = min(first, len(order) - 1)
    value = float(labels[order[first]])
    if np.isclose(cumulated[first], target, rtol=4 * EPSILON, atol=0.0) and first + 1 < len(order):
        return 0.5 * value + 0.5 * float(labels[order[first + 1]])
    return value


def huber_location(labels: Vector, weights: Vector, delta: float) -> float:
    """
    Return the minimiser of the weighted Huber loss, exactly.

    The derivative ``sum(w * clip(c - y, -delta, delta))`` is piecewise linear and does not decrease
    in c, with knots at ``y - delta`` and ``y + delta``: the knot interval that holds its
    root is found by bisection, the root by the line through it.
    """
    present = weights > 0
    labels, weights = labels[present], weights[present]

    def derivative(constant: float) -> float:
        return float(np.sum(weights * np.clip(constant - labels, -delta, delta)))

    knots = np.unique(np.concatenate([labels - delta, labels + delta]))
    low, high = 0, len(knots) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if derivative(float(knots[middle])) < 0:
            low = middle
        else:
            high = middle
    left, right = float(knots[low]), float(knots[high])
    at_left, at_right = derivative(left), derivative(right)
    if at_right <= at_left:
        return 0.5 * (left + right)
    root = left - at_left * (right - left) / (at_right - at_left)
    return float(min(max(root, left), right))


def bisected_root(increasing: Callable[[float], float], low: float, high: float) -> float:
    """
    Return the root of a function that does not decrease, to the last place of a float64.

    `low` and `high` enclose it. Where the function is 0 on an interval, a point of that.
    """
    while True:
        middle = 0.5 * low + 0.5 * high
        if not low < middle < high:
            return low if abs(increasing(low)) <= abs(increasing(high)) else high
        slope = increasing(middle)
        if slope == 0:
            return middle
        if slope < 0:
            low = middle
        else:
            high = middle
