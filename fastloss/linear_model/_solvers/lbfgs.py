"""SciPy's L-BFGS for smooth objectives, kept away from where they are not finite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
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
_RIDGE = 1e-8  # of the curvatures that `scale` stands for: less in a Hessian is rounding


class _Axes:
    """
    Coefficients in units, or along axes, in which the function has about the curvature 1.

    Parameters
    ----------
    scale : ndarray
        The units; or the lower Cholesky factor of a Hessian.
    """

    def __init__(self, scale: Vector) -> None:
        self.scale = scale

    def coef(self, scaled: Vector) -> Vector:
        """Return the coefficients themselves."""
        if self.scale.ndim == 1:
            return scaled * self.scale
        return self._solved(scaled, transposed=True)

    def scaled(self, coef: Vector) -> Vector:
        """Return what `coef` makes these coefficients of."""
        return coef / self.scale if self.scale.ndim == 1 else self.scale.T @ coef

    def slopes(self, gradient: Vector) -> Vector:
        """Return the gradient by the scaled coefficients."""
        if self.scale.ndim == 1:
            return gradient * self.scale
        return self._solved(gradient, transposed=False)

    def _solved(self, vector: Vector, *, transposed: bool) -> Vector:
        solved: Vector = solve_triangular(
            self.scale, vector, lower=True, trans=int(transposed), check_finite=False
        )
        return solved


def _along(hessian: Vector, scale: Vector) -> _Axes | None:
    """Return axes along which a Hessian is the unit matrix; None if it is not positive definite."""
    try:
        with np.errstate(all="ignore"):
            factor = cholesky(hessian + np.diag(_RIDGE / scale**2), lower=True)
    except (LinAlgError, ValueError):  # the second where it is not finite
        return None
    return _Axes(factor)


class _Guarded:
    """
    The function, with a wall where it is not finite, and a memory of its lowest point.

    Beyond an overflow the line search would interpolate with infinities. There it sees a parabola
    that rises from the lowest point, so that the next step is about a tenth as long.
    """

    def __init__(self, function: Function, start: Vector, axes: _Axes) -> None:
        self.function, self.axes = Watched(function), axes
        value, gradient = evaluate_start(function, start)
        # one tuple, so that an interrupt finds the point and its value together
        self.best = self.last = (start.copy(), value, gradient)

    def __call__(self, scaled: Vector) -> tuple[float, Vector]:
        coef = self.axes.coef(scaled)
        if not np.array_equal(coef, self.last[0]):
            value, gradient = self.function(coef)
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                point, lowest, slope = self.best
                wall = lowest + _FACTOR * abs(float(slope @ (coef - point)))
                return wall, -_FACTOR * self.axes.slopes(slope)
            self.last = (coef, value, gradient)
            if value <= self.best[1]:
                self.best = self.last
        _, value, gradient = self.last
        return value, self.axes.slopes(gradient)


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
    hessian: Callable[[Vector], Vector] | None = None,
    patience: int = 0,
) -> Solution:
    """
    Minimise a smooth function.

    Badly scaled or nearly dependent features take L-BFGS hundreds of iterations. Given a Hessian, it
    goes on after `patience` of them along the axes of the curvature where it has come to, and again
    after as many more: then a few are enough.

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
    hessian : callable, optional
        The Hessian at a vector, as a square matrix.
    patience : int, default=0
        How many iterations to make before the Hessian is asked for.

    Returns
    -------
    Solution
        The lowest point that was evaluated.
    """
    guarded = _Guarded(function, start, _Axes(scale))
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
        restarts = _RESTARTS
        while True:
            before, still, first = guarded.best[1], 0, n_iter
            most = max_iter - n_iter if hessian is None else min(patience, max_iter - n_iter)
            try:
                inverse = minimize(
                    guarded,
                    guarded.axes.scaled(guarded.best[0]),
                    method="L-BFGS-B",
                    jac=True,
                    callback=after,
                    options={
                        "maxiter": most,
                        "maxfun": 2**31 - 1,
                        "maxls": 50,
                        "gtol": 0.0,  # of the scaled gradient; `after` knows the other
                        "ftol": 0.0,  # absolute for values below 1; `after` knows the relative fall
                    },
                ).hess_inv.matvec
            except StopIteration:  # SciPy before 1.11 does not know it
                inverse = np.array  # the scale makes curvatures about 1
            if hessian is not None and n_iter == first + most < max_iter and still < _STILL:
                axes = _along(hessian(guarded.best[0]), scale)
                if axes is None:
                    hessian = None
                else:
                    guarded.axes = axes
                continue
            # half the slope along Newton's step is what the gradient promises
            _, value, gradient = guarded.best
            slopes = guarded.axes.slopes(gradient)
            with np.errstate(over="ignore", invalid="ignore"):
                promised = 0.5 * float(slopes @ inverse(slopes))
            converged = promised <= _ROUNDINGS * (precision * abs(value) + least)
            # else once more without the memory of earlier steps, if it came down
            fell = before - value > precision * abs(before)
            if converged or n_iter >= max_iter:
                break
            if not fell and guarded.axes.scale.ndim == 2:
                # a Hessian that told little, as where a loss is flat: back to the units
                guarded.axes, hessian = _Axes(scale), None
                continue
            if not fell or not restarts:
                break
            restarts -= 1
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
