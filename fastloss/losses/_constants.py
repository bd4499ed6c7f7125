"""Best constant predictions: exact minimisers of a weighted mean loss over one number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

#: How far a mean is kept inside its domain where the optimum would be infinite.
EPSILON = float(np.finfo(np.float64).eps)

#: How many classes labels may speak of: there is a constant for each.
_MOST_CLASSES = 1 << 28

#: The logit of a probability that is EPSILON away from 1.
LARGEST_LOGIT = -math.log(EPSILON)


def weighted_mean(labels: Vector, weights: Vector) -> float:
    """Return the weighted mean; weights are divided first, so that large labels do not overflow."""
    mean = np.sum(labels * (weights / weights.sum()))
    return float(np.clip(mean, labels.min(), labels.max()))  # against rounding


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


def classes_up_to(largest: Any) -> int:
    """
    Return how many classes there are if this is the largest label; 1 if it is not finite.

    A label that is no class at all is named by the checks of the evaluation.
    """
    largest = largest.item()  # float16 knows no numbers as large as the bound
    if not math.isfinite(largest):
        return 1
    if largest >= _MOST_CLASSES:
        raise ValueError(f"y_true holds {largest}: expected class labels below {_MOST_CLASSES}")
    return max(int(largest) + 1, 1)


def class_costs(
    labels: Vector, weights: Vector, cost_fn: float, cost_fp: float
) -> tuple[float, float]:
    """Return the costs of all positive and of all negative samples, by one exact factor."""
    shift = -math.frexp(max(cost_fn, cost_fp))[1]  # no sum overflows
    cost_fn, cost_fp = math.ldexp(cost_fn, shift), math.ldexp(cost_fp, shift)
    return cost_fn * float(np.dot(weights, labels)), cost_fp * float(np.dot(weights, 1.0 - labels))


def log_odds(positives: float, negatives: float) -> float:
    """Return the logit of positives / (positives + negatives), kept finite where one is 0."""
    least = EPSILON * (positives + negatives)
    return math.log(max(positives, least)) - math.log(max(negatives, least))


def minimum(loss: Any, labels: Vector, weights: Vector, most: float) -> float:
    """
    Return the constant in [-most, most] of least total loss, by the loss's own values and gradients.

    The best of a grid tells between which of its points to look, should there be several minima;
    bisection then finds the root of the derivative to the last place.
    """
    kinds, where = np.unique(labels, return_inverse=True)
    totals = np.bincount(where.ravel(), weights, len(kinds))
    present = totals > 0
    kinds, totals = kinds[present], totals[present]

    def total(constant: float) -> float:
        values = loss.loss(kinds, np.full(len(kinds), constant), reduction="none", n_threads=1)
        return float(np.dot(totals, values))

    def slope(constant: float) -> float:
        values = loss.gradient(kinds, np.full(len(kinds), constant), reduction="none", n_threads=1)
        return float(np.dot(totals, values))

    grid = np.linspace(-most, most, 129)
    best = int(np.argmin([total(float(constant)) for constant in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    if not slope(low) < 0 < slope(high):
        return float(grid[best])
    while low < (middle := 0.5 * (low + high)) < high:
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return high
