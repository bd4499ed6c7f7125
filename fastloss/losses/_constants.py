"""Best constant predictions: exact minimisers of a weighted mean loss over one number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.losses._parameters import integer

Vector = npt.NDArray[np.float64]

#: How far a mean is kept inside its domain where the optimum is infinite.
EPSILON = float(np.finfo(np.float64).eps)

#: How many classes labels may speak of: there is a constant for each.
_MOST_CLASSES = 1 << 28

#: The logit of a probability that is EPSILON away from 1.
LARGEST_LOGIT = -math.log(EPSILON)

#: Up to where an optimum is looked for: exponentials are then far below the smallest number.
_FURTHEST = 1e5


def weighted_mean(labels: Vector, weights: Vector) -> float:
    """Return the weighted mean; weights are divided first, so that large labels do not overflow."""
    # the products of subnormal labels would have fewer digits
    factor = 2.0**600 if float(np.max(np.abs(labels))) < 2.0**-500 else 1.0
    mean = np.sum(labels * factor * (weights / weights.sum())) / factor
    return float(np.clip(mean, labels.min(), labels.max()))  # against rounding


def log_of_mean(labels: Vector, weights: Vector) -> float:
    """Return the logarithm of a positive weighted mean, also of one below the smallest number."""
    label_parts, label_exponents = np.frexp(labels)
    weight_parts, weight_exponents = np.frexp(weights)
    parts, exponents = label_parts * weight_parts, label_exponents + weight_exponents
    largest = int(np.max(exponents[parts != 0]))
    total = float(np.sum(np.ldexp(parts, np.maximum(exponents - largest, -2000))))
    return log_quotient([total], [float(weights.sum())], largest)


def log_quotient(
    numerators: Sequence[float], denominators: Sequence[float], exponent: int = 0
) -> float:
    """Return the logarithm of a quotient of products, times 2**exponent, whatever its size."""
    quotient = 1.0
    for number in numerators:
        part, power = math.frexp(number)
        quotient, exponent = quotient * part, exponent + power
    for number in denominators:
        part, power = math.frexp(number)
        quotient, exponent = quotient / part, exponent - power
    if abs(exponent) < 1000:
        return math.log(math.ldexp(quotient, exponent))
    return math.log(quotient) + exponent * math.log(2)


def weighted_quantile(labels: Vector, weights: Vector, quantile: float) -> float:
    """
    Return a minimiser of the weighted pinball loss.

    Where the minimiser is an interval (the cumulated weight hits ``quantile``, but for the rounding
    of the weights) its midpoint, as the usual median. Weights however small decide where the sum of
    the larger ones is flat.
    """
    order = np.argsort(labels, kind="stable")
    order = order[weights[order] > 0]
    labels, weights = labels[order], weights[order]
    cumulated = np.cumsum(weights)
    total = float(cumulated[-1])
    # where the rounding of the sums might hide on which side of the target they are
    unsure = (4 + len(labels)) * EPSILON * total
    low = int(np.searchsorted(cumulated, quantile * total - unsure, side="left"))
    high = int(np.searchsorted(cumulated, quantile * total + unsure, side="right"))
    low, high = min(low, len(labels) - 1), min(high, len(labels) - 1)
    start = low
    parts: list[float] | None = None
    equal = float(weights[0]) if weights.min() == weights.max() else 0.0

    def slope(k: int) -> float:
        """Return the sum of the weights up to k less its target, correctly rounded."""
        nonlocal parts
        if equal:
            return float(k + 1 - len(weights) * Fraction(quantile)) * equal
        if parts is None:
            products = _exact_products(weights, quantile)
            parts = _exact_sum(np.concatenate([weights[:start], *(-each for each in products)]))
        return math.fsum([*parts, *weights[start : k + 1].tolist()])

    while low < high:
        middle = (low + high) // 2
        if slope(middle) < 0:
            low = middle + 1
        else:
            high = middle
    # of decimal weights, say
    tie = min(4 * EPSILON * total, 0.25 * float(weights.min()))
    for k in (low - 1, low):
        near = start <= k < len(labels) - 1 and abs(cumulated[k] - quantile * total) <= unsure
        if near and abs(slope(k)) <= tie:
            return midpoint(float(labels[k]), float(labels[k + 1]))
    return float(labels[low])


def _exact_sum(numbers: Vector) -> list[float]:
    """Return a few numbers whose sum is that of all to hundreds of bits."""
    parts: list[float] = []
    rest = [number for number in numbers.tolist() if number]
    for _ in range(4):
        parts.append(math.fsum([*rest, *(-part for part in parts)]))
    return parts


def _exact_products(numbers: Vector, factor: float) -> tuple[Vector, Vector]:
    """Return the products rounded, and what is then missing of them."""
    products = numbers * factor
    high, low = _halves(numbers)
    factor_high, factor_low = (float(part[0]) for part in _halves(np.array([factor])))
    rests = low * factor_low - (
        ((products - high * factor_high) - low * factor_high) - high * factor_low
    )
    return products, rests


def _halves(numbers: Vector) -> tuple[Vector, Vector]:
    """Return numbers rounded to 26 bits, and the rest, which is exact."""
    spread = numbers * 134217729.0
    high = spread - (spread - numbers)
    return high, numbers - high


def midpoint(low: float, high: float) -> float:
    """Return the middle of two numbers, also of the largest and of the smallest."""
    if max(abs(low), abs(high)) < 2.0**1000:
        return 0.5 * (low + high)
    return 0.5 * low + 0.5 * high


def bisected_root(increasing: Callable[[float], float], low: float, high: float) -> float:
    """
    Return the root of a function that does not decrease, to the last place of a float64.

    `low` and `high` enclose it. Where the function is 0 on an interval, a point of that.
    """
    while True:
        middle = midpoint(low, high)
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


def number_of_classes(n_classes: object, least: int = 1) -> int:
    """Return how many classes a caller says there are, or raise an error that names the argument."""
    wanted = f"an integer of at least {least}"
    number = integer("n_classes", n_classes, wanted)
    if not least <= number <= _MOST_CLASSES:
        limit = f", and at most {_MOST_CLASSES}" if number > _MOST_CLASSES else ""
        raise ValueError(f"n_classes = {number}: expected {wanted}{limit}")
    return number


def class_costs(
    labels: Vector, weights: Vector, cost_fn: float, cost_fp: float
) -> tuple[float, float]:
    """Return the costs of all positive and of all negative samples, by one exact factor."""
    shift = -math.frexp(max(cost_fn, cost_fp))[1]  # no sum overflows
    cost_fn, cost_fp = math.ldexp(cost_fn, shift), math.ldexp(cost_fp, shift)
    return cost_fn * float(np.dot(weights, labels)), cost_fp * float(np.dot(weights, 1.0 - labels))


def log_odds(
    positives: float,
    negatives: float,
    for_positive: Sequence[float] = (),
    for_negative: Sequence[float] = (),
) -> float:
    """Return log(positives / negatives), both times factors; finite where one of the two is 0."""
    if positives == 0 or negatives == 0:
        return LARGEST_LOGIT * (float(positives > 0) - float(negatives > 0))
    return log_quotient([positives, *for_positive], [negatives, *for_negative])


def log_or_least(frequencies: Vector) -> Vector:
    """Return logarithms; a frequency of 0 counts as EPSILON, or as the least other if that is less."""
    present = frequencies > 0
    least = min(EPSILON, float(np.min(frequencies, where=present, initial=EPSILON)))
    return np.asarray(np.log(np.where(present, frequencies, least)), dtype=np.float64)


def minimum(
    loss: Any, labels: Vector, weights: Vector, most: float, *, beyond: bool = False
) -> float:
    """
    Return the constant in [-most, most] of least total loss, by the loss's own values and gradients.

    The best of a grid tells between which of its points to look, should there be several minima;
    bisection then finds the root of the derivative to the last place. With `beyond` a root outside
    is looked for where the loss still falls at an end.
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
    if beyond and best in (0, len(grid) - 1):
        outward = math.copysign(1.0, float(grid[best]))
        end, further = float(grid[best]), 1.25 * float(grid[best])
        while outward * slope(further) < 0 and abs(further) < _FURTHEST:
            end, further = further, 1.25 * further
        if outward * slope(further) > 0:
            low, high = min(end, further), max(end, further)
    if not slope(low) < 0 < slope(high):
        return float(grid[best])
    while low < (middle := 0.5 * (low + high)) < high:
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return high
