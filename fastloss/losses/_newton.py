"""Minimise a convex function of a few numbers by Newton's method, down to its rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_STEPS = 300
_HALVINGS = 40
#: Curvatures below this part of the largest, once the variables are scaled, are taken for it.
_FLATTEST = 1e-13


def newton_minimum(
    objective: Callable[[Vector], tuple[float, Vector, Vector]],
    start: Vector,
    longest: Callable[[Vector, Vector], float] = lambda point, step: 1.0,
) -> Vector:
    """
    Return the minimiser of a convex function.

    Steps are halved until the function falls; where it falls no longer by more than its rounding, they
    are taken as long as the slope along the next one falls.

    Parameters
    ----------
    objective : callable
        Value, gradient and Hessian (positive semidefinite) at a vector.
    start : ndarray of shape (n,)
        Where to begin.
    longest : callable
        The largest part of a step from a point that stays inside the domain, at most 1.

    References
    ----------
    Nocedal, Wright, Numerical Optimization, 2006, section 3.4.
    """
    point = start
    value, slope, hessian = objective(point)
    step = _newton_step(slope, hessian)
    for _ in range(_STEPS):
        descent = float(slope @ step)
        if not descent < 0:
            break
        length = longest(point, step)
        rounding = 2.0**-50 * abs(value)
        # a fall near its rounding is seen in the slope only
        full = -length * descent <= 2.0**12 * rounding
        for _ in range(1 if full else _HALVINGS):
            trial = point + length * step
            trial_value, trial_slope, hessian = objective(trial)
            if full or (
                trial_value < value - rounding and trial_value <= value + 1e-4 * length * descent
            ):
                break
            length *= 0.5
        else:
            break
        trial_step = _newton_step(trial_slope, hessian)
        if full and not -float(trial_slope @ trial_step) < -0.5 * descent:
            break
        point, value, slope, step = trial, trial_value, trial_slope, trial_step
    return point


def _newton_step(slope: Vector, hessian: Vector) -> Vector:
    """Return minus the inverse of the Hessian times the slope, with its variables scaled alike."""
    scale = np.sqrt(np.diagonal(hessian))
    scale = np.where(scale > 0, scale, 1.0)
    curvatures, axes = np.linalg.eigh(hessian / scale / scale[:, np.newaxis])
    curvatures = np.maximum(curvatures, _FLATTEST * max(float(curvatures[-1]), 1e-300))
    return np.asarray(-(axes @ ((axes.T @ (slope / scale)) / curvatures)) / scale)
