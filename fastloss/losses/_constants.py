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
