"""SciPy's L-BFGS for smooth objectives, kept away from where they are not finite."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from fastloss.linear_model._solvers.solution import (
    INTERRUPTED,
    STOPPED,
    Function,
    Report,
    Solution,
    StopFit,
    Vector,
    evaluate_start,
    max_norm,
)

_FACTOR = 10.0  # how steep the wall is around points that are not finite, in slopes of the step
_RESTARTS = 2


class _Guarded:
    """
    The function, with a wall where it is not finite, and a memory of its lowest point.

    Beyond an overflow the line search would interpolate with infinities. There it sees a parabola
    that rises from the lowest point, so that the next step is about a tenth as long.
    """

    def __init__(self, function: Function, start: Vector, scale: Vector) -> None:
        self.function, self.scale = function, scale
        value, gradient = evaluate_start(function, start)
        # one tuple, so that an interrupt finds the point and its value together
        self.best = self.last = (start.copy(), value, gradient)

    def __call__(self, scaled: Vector) -> tuple[float, Vector]:
        coef = scaled * self.scale
        if not np.array_equal(coef, self.last[0]):
            value, gradient = self.function(coef)
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                point, lowest, slope = self.best
                wall = lowest + _FACTOR * abs(float(slope @ (coef - point)))
                return wall, -_FACTOR * slope * self.scale
            self.last = (coef, value, gradient)
            if value <= self.best[1]:
                self.best = self.last
        _, value, gradient = self.last
        return value, gradient * self.scale


class _Converged(Exception):
    """No entry of the gradient exceeds the tolerance."""


def lbfgs(
    function: Function,
    start: Vector,
    *,
    tol: float,
    max_iter: int,
    scale: Vector,
    precision: float,
    report: Report,
) -> Solution:
    """
    Minimise a smooth function.

    Parameters
    ----------
    function : callable
        Value and gradient at a vector.
    start : ndarray of float64
        Where to start.
    tol : float
        It stops where no entry of the gradient is larger, or the value no longer falls by more than
        roundings.
    max_iter : int
        Iterations at most.
    scale : ndarray of float64
        The method works with coefficients divided by it, which should make its curvatures alike; `tol`
        and the reports are about the coefficients themselves.
    precision : float
        The relative rounding of the function's values: 2**-52, or that of float32.
    report : callable
        Called after each iteration with its number, value, norm of the gradient and vector.

    Returns
    -------
    Solution
        The lowest point that was evaluated.
    """
    guarded = _Guarded(function, start, scale)
    n_iter = 0

    def after(scaled: Vector) -> None:
        nonlocal n_iter
        n_iter += 1
        coef, value, gradient = guarded.last
        norm = max_norm(gradient)
        report(n_iter, value, norm, coef)
        if norm <= tol:
            raise _Converged

    converged, reason = False, ""
    try:
        report(0, guarded.best[1], max_norm(guarded.best[2]), start)
        if max_norm(guarded.best[2]) <= tol:
            raise _Converged
        for _ in range(1 + _RESTARTS):
            before = guarded.best[1]
            result = minimize(
                guarded,
                guarded.best[0] / scale,
                method="L-BFGS-B",
                jac=True,
                callback=after,
                options={
                    "maxiter": max_iter - n_iter,
                    "maxfun": 2**31 - 1,
                    "maxls": 50,
                    "gtol": 0.0,  # of the scaled gradient; `after` knows the other
                    "ftol": 64 * np.finfo(np.float64).eps,
                },
            )
            # a failed line search: once more without the memory of earlier steps, if it came down
            fell = before - guarded.best[1] > precision * abs(before)
            if result.status != 2 or n_iter >= max_iter or not fell:
                break
        converged = result.status == 0 or (result.status == 2 and not fell)
        reason = _reason(0 if converged else result.status, max_iter)
    except _Converged:
        converged, reason = True, f"no entry of the gradient exceeds tol = {tol:g}"
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = guarded.best
    return Solution(coef, value, max_norm(gradient), n_iter, converged, reason)


def _reason(status: int, max_iter: int) -> str:
    if status == 0:
        return "the objective falls no further"
    if status == 1:
        return f"max_iter = {max_iter} iterations were not enough"
    return "the line search found no lower objective: the features may be badly scaled"
