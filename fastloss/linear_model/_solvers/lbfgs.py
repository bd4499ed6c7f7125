"""SciPy's L-BFGS for smooth objectives, kept away from where they are not finite."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from fastloss.linear_model._solvers.solution import (
    EDGE,
    INTERRUPTED,
    NOT_LOWER,
    STOPPED,
    Function,
    Report,
    Solution,
    StopFit,
    Vector,
    Watched,
    evaluate_start,
    max_norm,
)

_FACTOR = 10.0  # how steep the wall is around points that are not finite, in slopes of the step
_RESTARTS = 2
_EDGE = 1e-6  # a relative fall that leaves an edge behind
_EPS = float(np.finfo(np.float64).eps)
_ROUNDINGS = 64.0  # of the value, that a promised fall has to exceed
_STILL = 3  # iterations without a fall


class _Guarded:
    """
    The function, with a wall where it is not finite, and a memory of its lowest point.

    Beyond an overflow the line search would interpolate with infinities. There it sees a parabola
    that rises from the lowest point, so that the next step is about a tenth as long.
    """

    def __init__(self, function: Function, start: Vector, scale: Vector) -> None:
        self.function, self.scale = Watched(function), scale
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
        It stops where no entry of the gradient is larger, or the value no longer falls and the
        gradient promises no more than roundings.
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
    n_iter, still = 0, 0
    lowest = guarded.best[1]
    # a value that vanishes, as that of an exact fit, is made of squared roundings of the start's
    least = precision**2 * abs(lowest)

    def after(scaled: Vector) -> None:
        nonlocal n_iter, still, lowest
        n_iter += 1
        coef, value, gradient = guarded.last
        norm = max_norm(gradient)
        report(n_iter, value, norm, coef)
        if norm <= tol:
            raise _Converged
        still = 0 if lowest - value > _EPS * abs(value) else still + 1
        # beside an edge the value still falls, by ever less
        if lowest - value > _EDGE * abs(value):
            guarded.function.beyond = False
        lowest = min(lowest, value)
        if still >= _STILL:
            raise StopIteration  # SciPy's way out

    converged, reason = False, ""
    try:
        report(0, guarded.best[1], max_norm(guarded.best[2]), start)
        if max_norm(guarded.best[2]) <= tol:
            raise _Converged
        for _ in range(1 + _RESTARTS):
            before, still = guarded.best[1], 0
            try:
                inverse = minimize(
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
                        "ftol": 0.0,  # absolute for values below 1; `after` knows the relative fall
                    },
                ).hess_inv.matvec
            except StopIteration:  # SciPy before 1.11 does not know it
                inverse = np.array  # the scale makes curvatures about 1
            # half the slope along Newton's step is what the gradient promises
            _, value, gradient = guarded.best
            slopes = gradient * scale
            with np.errstate(over="ignore", invalid="ignore"):
                promised = 0.5 * float(slopes @ inverse(slopes))
            converged = promised <= _ROUNDINGS * (precision * abs(value) + least)
            # else once more without the memory of earlier steps, if it came down
            fell = before - value > precision * abs(before)
            if converged or n_iter >= max_iter or not fell:
                break
        if guarded.function.beyond:
            converged, reason = False, EDGE
        elif converged:
            reason = "the objective falls no further"
        elif n_iter >= max_iter:
            reason = f"max_iter = {max_iter} iterations were not enough"
        else:
            reason = NOT_LOWER
    except _Converged:
        converged, reason = True, f"no entry of the gradient exceeds tol = {tol:g}"
    except KeyboardInterrupt:
        reason = INTERRUPTED
    except StopFit:
        reason = STOPPED
    coef, value, gradient = guarded.best
    return Solution(coef, value, max_norm(gradient), n_iter, converged, reason)
