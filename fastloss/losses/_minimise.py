"""Minimise a smooth function of a few numbers, for the best constants that have no closed form."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_PAIRS = 20
_STEPS = 2000


def minimise(objective: Callable[[Vector], tuple[float, Vector]], start: Vector) -> Vector:
    """
    Return a local minimiser, by L-BFGS with backtracking.

    It ends where the gradient is 1e-12 of its first terms' size, or no step of any length goes down.

    Parameters
    ----------
    objective : callable
        Value and gradient at a vector.
    start : ndarray of shape (n,)
        Where to begin.

    Returns
    -------
    ndarray of shape (n,)
        The best point that was found; never worse than `start`.

    References
    ----------
    Nocedal, Wright, Numerical Optimization, 2006, algorithm 7.5.
    """
    point = np.array(start, dtype=np.float64)
    value, slope = objective(point)
    pairs: deque[tuple[Vector, Vector, float]] = deque(maxlen=_PAIRS)
    tolerance = 1e-12 * max(float(np.abs(slope).max()), abs(value) * 1e-3, 1e-300)
    for _ in range(_STEPS):
        if float(np.abs(slope).max()) <= tolerance:
            break
        direction = _direction(slope, pairs)
        descent = float(direction @ slope)
        length = 1.0 if pairs else min(1.0, 1.0 / float(np.abs(slope).max()))
        while length > 1e-18:
            trial = point + length * direction
            trial_value, trial_slope = objective(trial)
            if trial_value <= value + 1e-4 * length * descent:
                break
            length *= 0.5
        else:
            if not pairs:
                break
            pairs.clear()  # the curvature misled: once more along the gradient itself
            continue
        step, change = trial - point, trial_slope - slope
        curvature = float(step @ change)
        if curvature > 1e-14 * float(step @ step):
            pairs.append((step, change, 1.0 / curvature))
        if trial_value >= value and not np.any(np.abs(trial_slope) < np.abs(slope)):
            break
        point, value, slope = trial, trial_value, trial_slope
    return point


def _direction(slope: Vector, pairs: deque[tuple[Vector, Vector, float]]) -> Vector:
    """Return minus the inverse Hessian that the pairs tell of, times the slope."""
    direction = -slope
    factors = []
    for step, change, inverse in reversed(pairs):
        factor = inverse * float(step @ direction)
        factors.append(factor)
        direction = direction - factor * change
    if pairs:
        step, change, inverse = pairs[-1]
        direction = direction / (inverse * float(change @ change))
    for (step, change, inverse), factor in zip(pairs, reversed(factors), strict=True):
        direction = direction + (factor - inverse * float(change @ direction)) * step
    return direction
