"""Best constants of losses of a residual: minimisers of their weighted sum over one number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastloss._bases.pointwise import PointwiseLoss
from fastloss.losses._constants import Vector, midpoint, weighted_mean

#: Up to so many distinct labels every one of them is tried; beyond, so many groups of them.
MANY = 1000
#: How many of the lowest valleys found are searched to their bottom.
VALLEYS = 8


def distinct(labels: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Return the sorted distinct labels of a positive weight, and the sums of their weights."""
    present = weights > 0
    values, which = np.unique(labels[present], return_inverse=True)
    sums = np.bincount(which.ravel(), weights[present], len(values))
    return values, np.asarray(sums, dtype=np.float64)


_FAR = 1e300  # beyond all distances of labels that were scaled


def huber_location(labels: Vector, weights: Vector, delta: float) -> float:
    """Return the minimiser of the weighted Huber loss, exactly."""
    labels, weights = distinct(labels, weights)
    factor = _factor_of_labels(labels)
    labels, delta = labels * factor, min(delta * factor, _FAR)

    def derivative(constant: float) -> float:
        return float(np.sum(weights * np.clip(constant - labels, -delta, delta)))

    def line(constant: float) -> tuple[float, float]:
        r = constant - labels
        inside = np.abs(r) < delta
        rest = delta * float(np.sum((weights * np.sign(r))[~inside]))
        return float(np.sum(weights[inside])), float(np.sum((weights * labels)[inside])) - rest

    knots = np.unique(np.concatenate([labels - delta, labels + delta]))
    return _piecewise_linear_root(knots, derivative, line) / factor


def insensitive_location(labels: Vector, weights: Vector, epsilon: float) -> float:
    """Return the minimiser of the weighted squared epsilon-insensitive loss, exactly."""
    labels, weights = distinct(labels, weights)
    if len(labels) == 1:
        return float(labels[0])
    factor = _factor_of_labels(labels)
    labels, epsilon = labels * factor, min(epsilon * factor, _FAR)

    def derivative(constant: float) -> float:
        r = constant - labels
        return float(np.sum(weights * (r - np.clip(r, -epsilon, epsilon))))

    def line(constant: float) -> tuple[float, float]:
        r = constant - labels
        outside = weights * (np.abs(r) > epsilon)
        return float(np.sum(outside)), float(np.sum(outside * (labels + epsilon * np.sign(r))))

    knots = np.unique(np.concatenate([labels - epsilon, labels + epsilon]))
    return _piecewise_linear_root(knots, derivative, line) / factor


def expectile(labels: Vector, weights: Vector, alpha: float) -> float:
    """
    Return the weighted expectile: a mean in which labels above it count alpha, others 1 - alpha.

    Which ones are above is found by bisection: the derivative of the loss has its knots at labels.
    """
    labels, weights = distinct(labels, weights)
    factor = _factor_of_labels(labels)
    labels = labels * factor

    def factors(knot: float) -> Vector:
        return weights * np.where(labels > knot, alpha, 1.0 - alpha)

    low, high = 0, len(labels)
    while high - low > 1:
        middle = (low + high) // 2
        knot = float(labels[middle])
        if float(np.sum(factors(knot) * (knot - labels))) <= 0:
            low = middle
        else:
            high = middle
    return weighted_mean(labels, factors(float(labels[low]))) / factor


def convex_location(loss: PointwiseLoss, labels: Vector, weights: Vector) -> float:
    """Return the minimiser of a smooth convex loss, to the last place, by bisection of the slope."""
    labels, weights = distinct(labels, weights)
    return _Valleys(loss, labels, weights).bottom(float(labels[0]), float(labels[-1]))


def redescending_location(loss: PointwiseLoss, labels: Vector, weights: Vector) -> float:
    """
    Return the lowest minimum of a smooth loss whose weighted sum may have many.

    The sum is evaluated at every distinct label (beyond `MANY` at the means of groups of them), halfway
    between, and on an even grid; the lowest valleys among these are searched to the bottom, where the
    slope is 0. A label is never there to the last place, however little its own sum differs.
    """
    labels, weights = distinct(labels, weights)
    if len(labels) == 1:
        return float(labels[0])
    valleys = _Valleys(loss, labels, weights)
    points, _ = _groups(labels, weights)
    candidates = _with_grid(points)
    best = None
    for i in _lowest_valleys(valleys.coarse(candidates)):
        left, right = candidates[max(i - 1, 0)], candidates[min(i + 1, len(candidates) - 1)]
        for low, high in (
            valleys.downhill(float(left), float(candidates[i]), float(right)),
            (float(left), float(right)),
        ):
            constant = valleys.bottom(low, high)
            depth = valleys.depth(constant)
            if best is None or depth < best[0] - 2.0**-48 * abs(best[0]):
                best = depth, constant
    assert best is not None
    return best[1]


def cusp_location(loss: PointwiseLoss, labels: Vector, weights: Vector, reach: float) -> float:
    """
    Return the lowest minimum of a loss that is concave but for kinks at r = 0 and |r| = reach.

    So is the weighted sum, and one of its kinks is a minimiser: all are tried, or beyond `MANY` labels
    a choice that is narrowed down.
    """
    labels, weights = distinct(labels, weights)
    valleys = _Valleys(loss, labels, weights)
    kinks = np.unique(np.concatenate([labels - reach, labels, labels + reach]))
    kinks = kinks[(kinks >= labels[0]) & (kinks <= labels[-1])]
    if len(labels) <= MANY:
        return float(kinks[np.argmin(valleys.coarse(kinks))])
    chosen = np.unique(np.linspace(0, len(kinks) - 1, 4 * MANY).astype(np.intp))
    depths = valleys.coarse(kinks[chosen])
    while True:
        i = int(np.argmin(depths))
        low, high = chosen[max(i - 1, 0)], chosen[min(i + 1, len(chosen) - 1)]
        narrower = np.unique(np.linspace(low, high, 33).astype(np.intp))
        depths = np.array([valleys.depth(float(kink)) for kink in kinks[narrower]])
        if len(narrower) == high - low + 1:
            return float(kinks[narrower[int(np.argmin(depths))]])
        chosen = narrower


def _factor_of_labels(labels: Vector) -> float:
    """Return a power of two by which sums of residuals stay numbers, and these are not subnormal."""
    largest = float(np.max(np.abs(labels)))
    return 2.0**-64 if largest > 2.0**950 else 2.0**200 if largest < 2.0**-800 else 1.0


class _Valleys:
    """The weighted sum of a loss over sorted labels, as a function of a constant prediction."""

    def __init__(self, loss: PointwiseLoss, labels: Vector, weights: Vector) -> None:
        self._loss, self._labels, self._weights = loss, labels, weights
        self._groups = _groups(labels, weights)

    def depth(self, constant: float) -> float:
        return _sum(self._loss, self._labels, self._weights, constant)

    def coarse(self, constants: Vector) -> Vector:
        """Return the sums over groups of labels."""
        return np.array([_sum(self._loss, *self._groups, float(each)) for each in constants])

    def bottom(self, low: float, high: float) -> float:
        """Return where the slope turns from negative to positive; an end if it nowhere does."""
        while low < (middle := midpoint(low, high)) < high:
            slope = self.slope(middle)
            if slope == 0:
                return middle
            low, high = (middle, high) if slope < 0 else (low, middle)
        return low if abs(self.slope(low)) <= abs(self.slope(high)) else high

    def downhill(self, left: float, start: float, right: float) -> tuple[float, float]:
        """Return ends between which the sum first turns upwards on the way down from a point."""
        slope = self.slope(start)
        end = left if slope > 0 else right
        if slope == 0 or start == end:
            return start, start
        here, step = start, (end - start) * 2.0**-64
        while abs(step) < abs(end - start):
            there = start + step
            if self.slope(there) * slope <= 0:
                return min(here, there), max(here, there)
            here, step = there, 8.0 * step
        return min(here, end), max(here, end)

    def slope(self, constant: float) -> float:
        raw = np.full_like(self._labels, constant)
        return float(np.sum(self._loss.gradient(self._labels, raw, self._weights, reduction="sum")))


def _sum(loss: PointwiseLoss, labels: Vector, weights: Vector, constant: float) -> float:
    return loss.loss(labels, np.full_like(labels, constant), weights, reduction="sum")


def _groups(labels: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Return sorted labels as they are, or the weighted means of `MANY` runs of equal length."""
    if len(labels) <= MANY:
        return labels, weights
    starts = np.linspace(0, len(labels), MANY, endpoint=False).astype(np.intp)
    totals = np.add.reduceat(weights, starts)
    shares = weights / np.repeat(totals, np.diff(np.append(starts, len(labels))))
    return np.add.reduceat(labels * shares, starts), totals


def _with_grid(points: Vector) -> Vector:
    """Return sorted points, those halfway between them and an even grid over their range."""
    shares = np.linspace(0.0, 1.0, 257)
    grid = points[0] * (1.0 - shares) + points[-1] * shares
    return np.unique(np.concatenate([points, 0.5 * points[1:] + 0.5 * points[:-1], grid]))


def _lowest_valleys(depths: Vector) -> npt.NDArray[np.intp]:
    """Return the indices of the lowest entries that none of their neighbours is below."""
    inner = np.append(depths, np.inf)
    valleys = np.flatnonzero((depths <= np.append(np.inf, depths[:-1])) & (depths <= inner[1:]))
    return valleys[np.argsort(depths[valleys], kind="stable")[:VALLEYS]]


def _piecewise_linear_root(
    knots: Vector,
    derivative: Callable[[float], float],
    line: Callable[[float], tuple[float, float]],
) -> float:
    """
    Return the root of a function that is linear between sorted knots and does not decrease.

    The interval that holds it is found by bisection; `line` gives (a, b) so that the function is
    a x - b on the interval around a point. Where the function is 0 between knots, the middle of
    these. Knots may be so large that two of them are one: there the function jumps.
    """
    right = _first(knots, lambda knot: derivative(knot) >= 0)
    if derivative(float(knots[right])) == 0:
        after = _first(knots, lambda knot: derivative(knot) > 0)
        last = after - 1 if derivative(float(knots[after])) > 0 else after
        return midpoint(float(knots[right]), float(knots[last]))
    low, high = float(knots[max(right - 1, 0)]), float(knots[right])
    middle = midpoint(low, high)
    a, b = line(middle)
    if a == 0:
        return high if b > 0 else low if b < 0 else middle
    return min(max(b / a, low), high)


def _first(knots: Vector, holds: Callable[[float], bool]) -> int:
    """Return the index of the first knot from which on a condition holds; the last if nowhere."""
    low, high = 0, len(knots) - 1
    while low < high:
        middle = (low + high) // 2
        if holds(float(knots[middle])):
            high = middle
        else:
            low = middle + 1
    return low
